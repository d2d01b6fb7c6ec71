"""Usual mistakes in module 06."""

from __future__ import annotations

from tests.mistakes import Mistaken

LISTED = "params = [params] if isinstance(params, Tensor) else list(params)"
OPTIONS = 'options = {**self.defaults, **{name: value for name, value in group.items() if name != "params"}}'
TWICE = "if id(p) in taken:"
EVERY = 'for group in self.param_groups:\n            for p in group["params"]:\n'
ZERO = "if set_to_none or p.grad is None:\n                    p.grad = None\n"
ZEROS = "p.grad.data[...] = 0"
IDLE = "if p.grad is None:\n                    continue\n"
START = "if p not in self.state:\n                    self.state[p] = self.start(p.data, group)\n"
PIECES = "in_pieces(self.update, p.data, p.grad.data, self.state[p], group)\n        return"
TURN = 'if group["maximize"]:\n            grad = -grad\n'
DECAY = 'grad = grad + group["weight_decay"] * p\n        return grad'
SGD_LINES = "grad = self.velocity(grad, state, group)\n        p -= "
SGD_LINE = SGD_LINES + 'group["lr"] * grad'
FIRST = 'velocity = state["momentum_buffer"] = grad.copy()'
FADE = 'velocity *= group["momentum"]'
ADD = 'velocity += (1 - group["dampening"]) * grad if group["dampening"] else grad'
ROLL = 'return grad + group["momentum"] * velocity if group["nesterov"] else velocity'
AVERAGE = "average *= beta\n    average += (1 - beta) * value\n    return average"
RMS_SQUARE = 'square = moving_average(state["square_avg"], grad * grad, group["alpha"])'
RMS_SIZE = 'size = np.sqrt(square)\n        size += group["eps"]\n'
RMS_QUOTIENT = "change = np.divide(grad, size, out=size)"
RMS_MEAN = "square = square - mean * mean"
RMS_STEP = 'change = buffer\n        p -= group["lr"] * change'
ADAM_COUNT = 'state["step"] += 1\n'
ADAM_GRADIENT = f"grad = self.gradient(p, grad, group)\n        {ADAM_COUNT}"
ADAM_MEAN = 'mean = moving_average(state["exp_avg"], grad, beta1)'
ADAM_SQUARE = 'square = moving_average(state["exp_avg_sq"], grad * grad, beta2)'
ADAM_SHARES = 'share, root = 1 - beta1 ** state["step"], math.sqrt(1 - beta2 ** state["step"])'
ADAM_EPS = 'size += root * group["eps"]'
ADAM_STEP = 'change *= group["lr"] * root / share'
ADAM_MAX = 'square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])'
SHRINK = 'p *= 1 - group["lr"] * group["weight_decay"]'
ADAM_OF_W = 'super().update(p, grad, state, {**group, "weight_decay": 0.0})'
NUMBERS = "number = {p: i for i, p in enumerate(every)}"
SAVED_GROUP = '{**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups'
SAVED_STATE = "{name: _copy(value) for name, value in kept.items()}"
LOADED = "state[p] = self.copy_state(saved[number], p, there)"
RESTORE = 'here.update({**there, "params": here["params"]})'

MISTAKES = [
    # ---- groups
    Mistaken(
        name="a generator kept as it came",
        exercise="Optimizer.add_param_group",
        replace=LISTED,
        by="listed, kept = list(params) if not isinstance(params, Tensor) else [params], params\n"
        "        params = iter(listed) if hasattr(kept, 'send') else listed",
        caught_by="test_add_param_group_keeps_what_a_generator_gives",
    ),
    Mistaken(
        name="defaults overrule the group",
        exercise="Optimizer.add_param_group",
        replace=OPTIONS,
        by='options = {**{name: value for name, value in group.items() if name != "params"}, **self.defaults}',
        caught_by="test_add_param_group_keeps_parameters_and_options",
        says="the group's own lr is overruled",
    ),
    Mistaken(
        name="the group's options become the defaults",
        exercise="Optimizer.add_param_group",
        replace=OPTIONS,
        by="options = self.defaults\n"
        '        options |= {name: value for name, value in group.items() if name != "params"}\n'
        '        for known in self.param_groups:\n            known["lr"] = options["lr"]',
        caught_by="test_add_param_group_keeps_parameters_and_options",
        says="went into the defaults",
    ),
    Mistaken(
        name="rows for parameters",
        exercise="Optimizer.add_param_group",
        replace=LISTED,
        by="params = list(params)",
        caught_by="test_add_param_group_takes_a_single_tensor",
    ),
    Mistaken(
        name="a parameter moves twice",
        exercise="Optimizer.add_param_group",
        replace=TWICE,
        by="if False:",
        caught_by="test_add_param_group_refuses_what_cannot_be_moved",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="parameters compared by their numbers",
        exercise="Optimizer.add_param_group",
        replace="if not p.is_leaf:",
        by="known = [q for each in self.param_groups for q in each['params']]\n"
        "            if any((p == q).data.all() for q in known if q.shape == p.shape):\n"
        "                raise ValueError(f'{p.shape} is there twice')\n            if not p.is_leaf:",
        caught_by="test_add_param_group_refuses_what_cannot_be_moved",
    ),
    Mistaken(
        name="results for leaves",
        exercise="Optimizer.add_param_group",
        replace="if not p.is_leaf:",
        by="if False:",
        caught_by="test_add_param_group_refuses_what_cannot_be_moved",
    ),
    Mistaken(
        name="options unseen",
        exercise="Optimizer.add_param_group",
        replace="self.check_options(options)\n        taken",
        by="taken",
        caught_by="test_add_param_group_refuses_senseless_options",
    ),
    # ---- zero_grad
    Mistaken(
        name="only the first group is emptied",
        exercise="Optimizer.zero_grad",
        replace=EVERY + "                if set_to_none",
        by=EVERY.replace("groups:", "groups[:1]:") + "                if set_to_none",
        caught_by="test_zero_grad_forgets_every_gradient",
        says="only the first group was visited",
    ),
    Mistaken(
        name="the old gradients stay",
        exercise="Optimizer.zero_grad",
        replace=ZERO,
        by="if set_to_none or p.grad is None:\n                    grad = None  # noqa: F841\n",
        caught_by="test_zero_grad_forgets_every_gradient",
        says="the next backward() adds to them",
    ),
    Mistaken(
        name="new zeros for old",
        exercise="Optimizer.zero_grad",
        replace=ZEROS,
        by="p.grad = p.grad * 0",
        caught_by="test_zero_grad_fills_with_zeros_where_asked",
        says="Fill the old arrays",
    ),
    Mistaken(
        name="None becomes zeros",
        exercise="Optimizer.zero_grad",
        replace=ZERO + "                else:\n                    " + ZEROS,
        by="if set_to_none:\n                    p.grad = None\n                elif p.grad is None:\n"
        "                    p.grad = Tensor(p.data * 0)\n                else:\n                    " + ZEROS,
        caught_by="test_zero_grad_fills_with_zeros_where_asked",
        says="None stays None",
    ),
    # ---- step
    Mistaken(
        name="a copy is moved",
        exercise="Optimizer.step",
        replace=PIECES,
        by="in_pieces(self.update, p.data.copy(), p.grad.data, self.state[p], group)\n        return",
        caught_by="test_step_moves_every_parameter_of_every_group",
        says="nothing moved",
    ),
    Mistaken(
        name="a new array for the parameter",
        exercise="Optimizer.step",
        replace=PIECES,
        by="p.data = p.data.copy()\n"
        "                in_pieces(self.update, p.data, p.grad.data, self.state[p], group)\n        return",
        caught_by="test_step_moves_every_parameter_of_every_group",
        says="p.data is another array now",
    ),
    Mistaken(
        name="the first group's options for all",
        exercise="Optimizer.step",
        replace=PIECES,
        by="in_pieces(self.update, p.data, p.grad.data, self.state[p], self.param_groups[0])\n        return",
        caught_by="test_step_moves_every_parameter_of_every_group",
        says="with the lr of the first",
    ),
    Mistaken(
        name="a fresh state in every step",
        exercise="Optimizer.step",
        replace=START,
        by="self.state[p] = self.start(p.data, group)\n",
        caught_by="test_step_gives_every_parameter_a_memory_of_its_own",
        says="the state is made anew",
    ),
    Mistaken(
        name="one state for all",
        exercise="Optimizer.step",
        replace=START,
        by="if p not in self.state:\n"
        "                    first = next(iter(self.state.values()), None)\n"
        "                    self.state[p] = self.start(p.data, group) if first is None else first\n",
        caught_by="test_step_moves_every_parameter_of_every_group",
        says="all parameters share one state",
    ),
    Mistaken(
        name="a state before the first step",
        exercise="Optimizer.step",
        replace=IDLE + "                " + START,
        by="if p not in self.state:\n                    self.state[p] = self.start(p.data, group)\n"
        "                if p.grad is None:\n                    continue\n",
        caught_by="test_step_passes_over_a_parameter_without_gradient",
        says="that never moved",
    ),
    Mistaken(
        name="zeros taken for no gradient",
        exercise="Optimizer.step",
        replace=IDLE,
        by="if p.grad is None or not p.grad.data.any():\n                    continue\n",
        caught_by="test_step_passes_over_a_parameter_without_gradient",
        says="a gradient of zeros was taken for none",
    ),
    Mistaken(
        name="the loss is lost",
        exercise="Optimizer.step",
        replace="self.state[p], group)\n        return loss",
        by="self.state[p], group)",
        caught_by="test_step_calls_a_closure_first",
        says="the value of the closure is lost",
    ),
    # ---- gradient
    Mistaken(
        name="decay with the wrong sign",
        exercise="Optimizer.gradient",
        replace=DECAY,
        by='grad = grad - group["weight_decay"] * p\n        return grad',
        caught_by="test_gradient_adds_weight_decay",
        says="pushes p away from 0",
    ),
    Mistaken(
        name="decay of the gradient",
        exercise="Optimizer.gradient",
        replace=DECAY,
        by='grad = grad * (1 + group["weight_decay"])\n        return grad',
        caught_by="test_gradient_adds_weight_decay",
        says="the decay comes from p",
    ),
    Mistaken(
        name="decay written into p.grad",
        exercise="Optimizer.gradient",
        replace=DECAY,
        by='grad += group["weight_decay"] * p\n        return grad',
        caught_by="test_gradient_adds_weight_decay",
        says="writes into p.grad",
    ),
    Mistaken(
        name="maximize turns the decay, too",
        exercise="Optimizer.gradient",
        replace=TURN + '        if group["weight_decay"]:\n            ' + DECAY,
        by='grad = grad + group["weight_decay"] * p\n        return -grad if group["maximize"] else grad',
        caught_by="test_gradient_turns_for_maximize",
        says="the decay was turned, too",
    ),
    # ---- SGD
    Mistaken(
        name="a new name for another array",
        exercise="SGD.update",
        replace=SGD_LINE,
        by=SGD_LINES.replace("p -= ", "p = p - ") + 'group["lr"] * grad',
        caught_by="test_sgd_goes_against_the_gradient",
        says="write into the array",
    ),
    Mistaken(
        name="uphill",
        exercise="SGD.update",
        replace=SGD_LINE,
        by=SGD_LINES.replace("p -= ", "p += ") + 'group["lr"] * grad',
        caught_by="test_sgd_goes_against_the_gradient",
        says="this goes uphill",
    ),
    Mistaken(
        name="the lr of the start",
        exercise="SGD.update",
        replace=SGD_LINE,
        by=SGD_LINES + 'self.defaults["lr"] * grad',
        caught_by="test_sgd_reads_lr_at_every_step",
        says="lr is the one of the start",
    ),
    Mistaken(
        name="the new gradient counts 1 - mu",
        exercise="SGD.velocity",
        replace=ADD,
        by='velocity += (1 - group["momentum"]) * grad',
        caught_by="test_momentum_keeps_what_was_rolling",
        says="v = mu * v + g",
    ),
    Mistaken(
        name="the velocity is forgotten",
        exercise="SGD.velocity",
        replace=FIRST,
        by="velocity = grad.copy()",
        caught_by="test_momentum_keeps_what_was_rolling",
        says="the velocity is forgotten",
    ),
    Mistaken(
        name="nothing fades",
        exercise="SGD.velocity",
        replace=FADE,
        by="pass",
        caught_by="test_momentum_keeps_what_was_rolling",
        says="nothing fades",
    ),
    Mistaken(
        name="lr inside the velocity",
        exercise="SGD.velocity",
        replace=FIRST + "\n        else:\n            " + FADE + "\n            " + ADD + "\n        " + ROLL,
        by='velocity = state["momentum_buffer"] = group["lr"] * grad\n        else:\n'
        '            velocity *= group["momentum"]\n            velocity += group["lr"] * grad\n'
        '        return velocity / group["lr"]',
        caught_by="test_momentum_keeps_gradients_not_steps",
        says="the buffer holds steps",
    ),
    Mistaken(
        name="the first gradient dampened",
        exercise="SGD.velocity",
        replace=FIRST,
        by='velocity = state["momentum_buffer"] = (1 - group["dampening"]) * grad',
        caught_by="test_dampening_spares_the_first_gradient",
        says="the first gradient is weakened",
    ),
    Mistaken(
        name="dampening unread",
        exercise="SGD.velocity",
        replace=ADD,
        by="velocity += grad",
        caught_by="test_dampening_spares_the_first_gradient",
        says="dampening does nothing",
    ),
    Mistaken(
        name="nesterov as plain momentum",
        exercise="SGD.velocity",
        replace=ROLL,
        by="return velocity",
        caught_by="test_nesterov_looks_ahead",
        says="this is plain momentum",
    ),
    Mistaken(
        name="nesterov with v for g",
        exercise="SGD.velocity",
        replace=ROLL,
        by='return velocity + group["momentum"] * velocity if group["nesterov"] else velocity',
        caught_by="test_nesterov_looks_ahead",
        says="The fresh gradient is added, not v",
    ),
    Mistaken(
        name="the buffer is the gradient",
        exercise="SGD.velocity",
        replace=FIRST,
        by='velocity = state["momentum_buffer"] = grad',
        caught_by="test_velocity_has_memory_of_its_own",
        says="share their memory",
    ),
    # ---- moving_average
    Mistaken(
        name="shares exchanged",
        exercise="moving_average",
        replace=AVERAGE,
        by="average *= 1 - beta\n    average += beta * value\n    return average",
        caught_by="test_moving_average_keeps_most_and_takes_a_little",
        says="the shares are exchanged",
    ),
    Mistaken(
        name="the new value counts whole",
        exercise="moving_average",
        replace=AVERAGE,
        by="average *= beta\n    average += value\n    return average",
        caught_by="test_moving_average_keeps_most_and_takes_a_little",
        says="the new value counts whole",
    ),
    Mistaken(
        name="an average elsewhere",
        exercise="moving_average",
        replace=AVERAGE,
        by="return beta * average + (1 - beta) * value",
        caught_by="test_moving_average_keeps_most_and_takes_a_little",
        says="Write into it",
    ),
    # ---- RMSprop
    Mistaken(
        name="RMSprop without a root",
        exercise="RMSprop.update",
        replace=RMS_SIZE,
        by='size = square + group["eps"]\n',
        caught_by="test_rmsprop_divides_by_the_usual_size",
        says="the root is missing",
    ),
    Mistaken(
        name="RMSprop averages sizes",
        exercise="RMSprop.update",
        replace=RMS_SQUARE,
        by='square = moving_average(state["square_avg"], abs(grad), group["alpha"])',
        caught_by="test_rmsprop_divides_by_the_usual_size",
        says="square, average, then take the root",
    ),
    Mistaken(
        name="RMSprop divides by this gradient alone",
        exercise="RMSprop.update",
        replace=RMS_SQUARE,
        by="square = grad * grad",
        caught_by="test_rmsprop_divides_by_the_usual_size",
        says="divided by itself",
    ),
    Mistaken(
        name="eps under RMSprop's root",
        exercise="RMSprop.update",
        replace=RMS_SIZE,
        by='size = np.sqrt(square + group["eps"])\n',
        caught_by="test_rmsprop_adds_eps_outside_the_root",
        says="eps stands under the root",
    ),
    Mistaken(
        name="RMSprop without decay",
        exercise="RMSprop.update",
        replace="grad = self.gradient(p, grad, group)\n        " + RMS_SQUARE,
        by=RMS_SQUARE,
        caught_by="test_rmsprop_decays_through_the_gradient",
        says="weight_decay does nothing",
    ),
    Mistaken(
        name="RMSprop's momentum weakens the quotient",
        exercise="RMSprop.update",
        replace="buffer += change",
        by='buffer += (1 - group["momentum"]) * change',
        caught_by="test_rmsprop_with_momentum_rolls",
        says="It counts whole",
    ),
    Mistaken(
        name="RMSprop's buffer is not kept",
        exercise="RMSprop.update",
        replace='buffer *= group["momentum"]\n            buffer += change',
        by='buffer = group["momentum"] * buffer + change',
        caught_by="test_rmsprop_with_momentum_rolls",
        says="not kept in place",
    ),
    Mistaken(
        name="centered unread",
        exercise="RMSprop.update",
        replace=RMS_MEAN,
        by="pass",
        caught_by="test_rmsprop_centered_subtracts_the_mean",
        says="centered does nothing",
    ),
    # ---- Adam
    Mistaken(
        name="no bias correction",
        exercise="Adam.update",
        replace=ADAM_SHARES,
        by="share, root = 1.0, 1.0",
        caught_by="test_adam_takes_a_first_step_of_lr",
        says="the first step is 3.16 lr",
    ),
    Mistaken(
        name="only m corrected",
        exercise="Adam.update",
        replace=ADAM_SHARES,
        by='share, root = 1 - beta1 ** state["step"], 1.0',
        caught_by="test_adam_takes_a_first_step_of_lr",
        says="v is not corrected",
    ),
    Mistaken(
        name="t starts at 0",
        exercise="Adam.update",
        replace=ADAM_COUNT + "        " + ADAM_MEAN,
        by=ADAM_MEAN + '\n        with np.errstate(all="ignore"):\n'
        '            p -= group["lr"] * (mean / np.float32(1 - beta1 ** state["step"])) * np.float32(0)',
        caught_by="test_adam_takes_a_first_step_of_lr",
    ),
    Mistaken(
        name="t stays 1",
        exercise="Adam.update",
        replace=ADAM_COUNT + "        " + ADAM_MEAN,
        by='state["step"] = 1\n        ' + ADAM_MEAN,
        caught_by="test_adam_averages_and_scales",
        says="every step is corrected like the first",
    ),
    Mistaken(
        name="Adam without a root",
        exercise="Adam.update",
        replace="size = np.sqrt(square)  #",
        by="size = square / root  #",
        caught_by="test_adam_takes_a_first_step_of_lr",
        says="the root is missing",
    ),
    Mistaken(
        name="corrected averages kept",
        exercise="Adam.update",
        replace=ADAM_EPS,
        by='size += root * group["eps"]\n        mean /= share\n        square /= root * root\n'
        "        size /= root\n        root = share = 1.0",
        caught_by="test_adam_averages_and_scales",
        says="Keep them undivided",
    ),
    Mistaken(
        name="betas exchanged",
        exercise="Adam.update",
        replace='beta1, beta2 = group["betas"]',
        by='beta2, beta1 = group["betas"]',
        caught_by="test_adam_averages_and_scales",
        says="the betas are exchanged",
    ),
    Mistaken(
        name="v averages the squares of m",
        exercise="Adam.update",
        replace=ADAM_SQUARE,
        by='square = moving_average(state["exp_avg_sq"], mean * mean, beta2)',
        caught_by="test_adam_takes_a_first_step_of_lr",
    ),
    Mistaken(
        name="eps under Adam's root",
        exercise="Adam.update",
        replace="size = np.sqrt(square)  #",
        by='size = root * np.sqrt(square / root**2 + group["eps"]) - root * group["eps"]  #',
        caught_by="test_adam_adds_eps_outside_the_root",
        says="eps stands under the root",
    ),
    Mistaken(
        name="eps before the correction",
        exercise="Adam.update",
        replace=ADAM_EPS,
        by='size += group["eps"]',
        caught_by="test_adam_adds_eps_outside_the_root",
        says="eps is divided, too",
    ),
    Mistaken(
        name="Adam decays as AdamW",
        exercise="Adam.update",
        replace=ADAM_GRADIENT,
        by='p *= 1 - group["lr"] * group["weight_decay"]\n        '
        'grad = self.gradient(p, grad, {**group, "weight_decay": 0.0})\n        ' + ADAM_COUNT,
        caught_by="test_adam_decays_through_the_gradient",
        says="this is AdamW",
    ),
    Mistaken(
        name="the largest is not remembered",
        exercise="Adam.update",
        replace=ADAM_MAX,
        by='square = np.maximum(state["max_exp_avg_sq"], square)',
        caught_by="test_amsgrad_remembers_the_largest",
        says="amsgrad does nothing",
    ),
    # ---- AdamW
    Mistaken(
        name="the decay through the averages",
        exercise="AdamW.update",
        replace=SHRINK + "\n        " + ADAM_OF_W,
        by="super().update(p, grad, state, group)",
        caught_by="test_adamw_shrinks_where_the_gradient_is_zero",
        says="the decay went through the averages",
    ),
    Mistaken(
        name="decay without lr",
        exercise="AdamW.update",
        replace=SHRINK,
        by='p *= 1 - group["weight_decay"]',
        caught_by="test_adamw_shrinks_where_the_gradient_is_zero",
        says="lr is missing",
    ),
    Mistaken(
        name="decay counted twice",
        exercise="AdamW.update",
        replace=ADAM_OF_W,
        by="super().update(p, grad, state, group)",
        caught_by="test_adamw_shrinks_where_the_gradient_is_zero",
        says="the decay counts twice",
    ),
    Mistaken(
        name="decay after the step",
        exercise="AdamW.update",
        replace=SHRINK + "\n        " + ADAM_OF_W,
        by=ADAM_OF_W + "\n        " + SHRINK,
        caught_by="test_adamw_shrinks_first_then_steps",
        says="Shrink first",
    ),
    Mistaken(
        name="the group's decay set to 0",
        exercise="AdamW.update",
        replace=ADAM_OF_W,
        by='decay, group["weight_decay"] = group["weight_decay"], 0.0\n        super().update(p, grad, state, group)\n'
        '        group["weight_decay"] = decay if state["step"] > 99 else decay * (state["step"] > 1)',
        caught_by="test_adamw_shrinks_first_then_steps",
    ),
    # ---- state_dict
    Mistaken(
        name="states numbered for parameters",
        exercise="Optimizer.state_dict",
        replace=NUMBERS,
        by="number = {p: i for i, p in enumerate([*self.state, *(p for p in every if p not in self.state)])}",
        caught_by="test_state_dict_numbers_the_parameters",
    ),
    Mistaken(
        name="each group counts anew",
        exercise="Optimizer.state_dict",
        replace=NUMBERS,
        by='number = {p: i for group in self.param_groups for i, p in enumerate(group["params"])}',
        caught_by="test_state_dict_numbers_the_parameters",
        says="Count through all",
    ),
    Mistaken(
        name="saved arrays are the optimiser's own",
        exercise="Optimizer.state_dict",
        replace=SAVED_STATE,
        by="dict(kept)",
        caught_by="test_state_dict_stays_as_it_was_saved",
        says="the arrays are shared",
    ),
    Mistaken(
        name="numbers in the optimiser's own groups",
        exercise="Optimizer.state_dict",
        replace=SAVED_GROUP,
        by='group | {} if group.update(params=[number[p] for p in group["params"]]) is None else {}\n'
        "                for group in self.param_groups",
        caught_by="test_state_dict_numbers_the_parameters",
    ),
    # ---- load_state_dict
    Mistaken(
        name="states in the order of their numbers",
        exercise="Optimizer.load_state_dict",
        replace=LOADED,
        by="place = len(state)\n                    state[p] = self.copy_state(saved[sorted(saved)[place]], p, there)",
        caught_by="test_load_state_dict_restores_by_place",
        says="The place in the groups decides",
    ),
    Mistaken(
        name="options not loaded",
        exercise="Optimizer.load_state_dict",
        replace=RESTORE,
        by="pass",
        caught_by="test_load_state_dict_restores_by_place",
        says="the options were not loaded",
    ),
    Mistaken(
        name="old states stay",
        exercise="Optimizer.load_state_dict",
        replace=RESTORE + "\n        self.state = state",
        by=RESTORE + "\n        self.state |= state",
        caught_by="test_load_state_dict_forgets_what_was_there",
        says="Make a new self.state",
    ),
    Mistaken(
        name="loaded arrays shared with the state dict",
        exercise="Optimizer.load_state_dict",
        replace=LOADED,
        by="self.copy_state(saved[number], p, there)\n                    state[p] = dict(saved[number])",
        caught_by="test_load_state_dict_copies",
        says="arrays are shared",
    ),
    Mistaken(
        name="written before all is looked at",
        exercise="Optimizer.load_state_dict",
        replace=LOADED,
        by='here["lr"] = there["lr"]\n                    ' + LOADED + "\n                    self.state = state",
        caught_by="test_load_state_dict_refuses_and_changes_nothing",
        says="half is loaded",
    ),
    Mistaken(
        name="groups not looked at",
        exercise="Optimizer.load_state_dict",
        replace="self.check_groups(state_dict)\n        saved, state",
        by="saved, state",
        caught_by="test_load_state_dict_refuses_and_changes_nothing",
    ),
]
