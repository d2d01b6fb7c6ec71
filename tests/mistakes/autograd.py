"""Usual mistakes in module 05."""

from __future__ import annotations

from tests.mistakes import Mistaken

WALK = "grads[id(source)] = part if before is None else np.asarray(before + part)"
DIV = "share(-grad * (a.data / b.data), b)"
FRONT = "grad = grad.sum(axis=(*range(front), *stretched), keepdims=True)\n    return grad.reshape(shape)"
OWN = "leaf.grad = from_numpy(grad if is_ours else grad.copy())"
BASE = "share(grad * (p * x ** np.where(p == 0, 0, p - 1)), base)"
PICKED = "    if can_repeat(index):\n        np.add.at(total, index, grad)\n    else:\n        total[index] = grad\n"
BROADCAST = "return np.broadcast_to(restore_dims(grad, dim, keepdim), x.shape)"
SOFTMAX = "return weighted - result * add_up(weighted, dim, keepdim=True)"
LOG_SOFTMAX = "return grad - np.exp(result) * add_up(grad, dim, keepdim=True)"
NORM = "distance *= rstd**3 * (along @ weight)[:, None] / rows.shape[1]"
SLOPE = "slopes[place] = (up - down) / (2 * eps)"
DISAGREE = "wrong = ~(np.abs(computed - measured) <= atol + rtol * np.abs(measured))"

MISTAKES = [
    # ---- add, mul, div
    Mistaken(
        name="a bias without its sum",
        exercise="add_backward",
        replace="return share(grad, a), share(grad, b)",
        by="return grad, grad",
        caught_by="test_add_of_a_bias_shared_by_a_batch",
        says="b was read once per row",
    ),
    Mistaken(
        name="a sum splits its gradient",
        exercise="add_backward",
        replace="return share(grad, a), share(grad, b)",
        by="return share(grad / 2, a), share(grad / 2, b)",
        caught_by="test_add_hands_its_gradient_to_both",
        says="The gradient is split".lower(),
    ),
    Mistaken(
        name="each factor gets itself",
        exercise="mul_backward",
        replace="share(grad * b.data, a)",
        by="share(grad * a.data, a)",
        caught_by="test_mul_gives_each_the_other",
        says="The slope is the other one",
    ),
    Mistaken(
        name="a product without the chain rule",
        exercise="mul_backward",
        replace="share(grad * b.data, a)",
        by="share(np.broadcast_to(b.data, grad.shape), a)",
        caught_by="test_mul_gives_each_the_other",
        says="The chain rule multiplies it with grad",
    ),
    Mistaken(
        name="a product that sums nothing",
        exercise="mul_backward",
        replace="share(grad * b.data, a)",
        by="grad * b.data",
        caught_by="test_mul_sums_what_was_repeated",
        says="What forward repeated, backward sums",
    ),
    Mistaken(
        name="the denominator's sign",
        exercise="div_backward",
        replace=DIV,
        by="share(grad * (a.data / b.data), b)",
        caught_by="test_div_of_both_sides",
        says="the denominator's sign is lost",
    ),
    Mistaken(
        name="the denominator's square",
        exercise="div_backward",
        replace=DIV,
        by="share(-grad * a.data, b)",
        caught_by="test_div_of_both_sides",
        says="the denominator's square is lost",
    ),
    # ---- the walk
    Mistaken(
        name="in order of appearance",
        exercise="topological_order",
        replace="            waiting.append((x, True))\n",
        by="            order.insert(0, x)\n",
        caught_by="test_topological_order_puts_inputs_first",
    ),
    Mistaken(
        name="by recursion",
        exercise="topological_order",
        replace="    while waiting:\n        x, inputs_are_in = waiting.pop()\n",
        by="""    def visit(x: Tensor) -> None:
        if x.requires_grad and id(x) not in seen:
            seen.add(id(x))
            for source in x.grad_fn.inputs if x.grad_fn else ():
                visit(source)
            order.append(x)

    visit(root)
    waiting = []
    while waiting:
        x, inputs_are_in = waiting.pop()
""",
        caught_by="test_topological_order_of_a_long_chain",
    ),
    Mistaken(
        name="the last report counts",
        exercise="backward",
        replace=WALK,
        by="grads[id(source)] = part",
        caught_by="test_backward_collects_from_every_use",
        says="A tensor used twice collects twice",
    ),
    Mistaken(
        name="the first report counts",
        exercise="backward",
        replace=WALK,
        by="grads.setdefault(id(source), part)",
        caught_by="test_backward_collects_from_every_use",
        says="A tensor used twice collects twice",
    ),
    Mistaken(
        name="passed on at the first report",
        exercise="backward",
        replace="    order = topological_order(tensor)\n",
        by="""    order, ahead = [], [tensor]
    while ahead:
        x = ahead.pop(0)
        if x.requires_grad and not any(x is y for y in order):
            order.append(x)
            ahead.extend(x.grad_fn.inputs if x.grad_fn else ())
    order.reverse()
""",
        caught_by="test_backward_waits_for_all_reports",
        says="passed on before its last report had come",
    ),
    Mistaken(
        name="starts from 1",
        exercise="backward",
        replace="grads = {id(tensor): start}",
        by="grads = {id(tensor): np.ones_like(start)}",
        caught_by="test_backward_collects_from_every_use",
        says="the caller's gradient is not used",
    ),
    Mistaken(
        name="the graph is kept",
        exercise="backward",
        replace="            if not retain_graph:\n                free(x.grad_fn)\n",
        by="",
        caught_by="test_backward_uses_the_graph_up",
    ),
    Mistaken(
        name="leaves written on the way",
        exercise="backward",
        replace="                leaves.append((x, grad))\n",
        by="                accumulate([(x, grad)])\n",
        caught_by="test_backward_changes_nothing_when_a_rule_fails",
        says="before the walk had ended",
    ),
    Mistaken(
        name="the second backward replaces the first",
        exercise="accumulate",
        replace="leaf.grad.data += grad",
        by="leaf.grad.data[...] = grad",
        caught_by="test_accumulate_adds_up",
        says="took the place of the first",
    ),
    Mistaken(
        name="one array for all leaves",
        exercise="accumulate",
        replace=OWN,
        by="leaf.grad = from_numpy(grad)",
        caught_by="test_accumulate_gives_each_leaf_memory_of_its_own",
        says="share one array",
    ),
    Mistaken(
        name="a new Tensor every time",
        exercise="accumulate",
        replace="leaf.grad.data += grad",
        by="leaf.grad = from_numpy(leaf.grad.data + grad)",
        caught_by="test_accumulate_works_in_place",
        says="became another Tensor",
    ),
    # ---- unbroadcast
    Mistaken(
        name="only dimensions in front",
        exercise="unbroadcast",
        replace=FRONT,
        by="return grad.sum(axis=tuple(range(front)))",
        caught_by="test_unbroadcast_keeps_stretched_sizes",
        says="Stretching has its own way back",
    ),
    Mistaken(
        name="without keepdims",
        exercise="unbroadcast",
        replace=FRONT,
        by="return np.asarray(grad.sum(axis=(*range(front), *stretched)))",
        caught_by="test_unbroadcast_keeps_stretched_sizes",
        says="keepdims=True",
    ),
    Mistaken(
        name="dimensions in front stay",
        exercise="unbroadcast",
        replace="    return grad.reshape(shape)\n",
        by="    return grad\n",
        caught_by="test_unbroadcast_sums_dimensions_in_front",
        says="They were not there before: drop them",
    ),
    # ---- element by element
    Mistaken(
        name="root without the 2",
        exercise="sqrt_backward",
        replace="return grad / (2 * result)",
        by="return grad / result",
        caught_by="test_sqrt_slope_is_half_the_inverse_root",
        says="the 2 is missing",
    ),
    Mistaken(
        name="tanh from x",
        exercise="tanh_backward",
        replace="return grad * (1 - result * result)",
        by="return grad * (1 - x.data * x.data)",
        caught_by="test_tanh_slope_is_one_minus_its_square",
        says="The formula has y",
    ),
    Mistaken(
        name="tanh without its square",
        exercise="tanh_backward",
        replace="return grad * (1 - result * result)",
        by="return grad * (1 - result)",
        caught_by="test_tanh_slope_is_one_minus_its_square",
        says="the square is missing",
    ),
    Mistaken(
        name="sigmoid as tanh",
        exercise="sigmoid_backward",
        replace="return grad * result * (1 - result)",
        by="return grad * (1 - result * result)",
        caught_by="test_sigmoid_slope_is_y_times_its_rest",
        says="this is the slope of tanh",
    ),
    Mistaken(
        name="relu at 0",
        exercise="relu_backward",
        replace="return masked(grad, result > 0)",
        by="return masked(grad, x.data >= 0)",
        caught_by="test_relu_lets_through_what_is_positive",
        says="at 0 itself the slope is 0",
    ),
    Mistaken(
        name="relu of the gradient",
        exercise="relu_backward",
        replace="return masked(grad, result > 0)",
        by="return masked(grad, grad > 0)",
        caught_by="test_relu_lets_through_what_is_positive",
        says="the sign of grad decides",
    ),
    Mistaken(
        name="relu by a product",
        exercise="relu_backward",
        replace="return masked(grad, result > 0)",
        by="return grad * (result > 0)",
        caught_by="test_relu_blocks_an_infinite_gradient",
        says="0 · inf is nan",
    ),
    Mistaken(
        name="clamp without its bounds",
        exercise="clamp_backward",
        replace="(x.data >= low) & (x.data <= high)",
        by="(x.data > low) & (x.data < high)",
        caught_by="test_clamp_lets_through_what_lies_between",
        says="at the bounds themselves the gradient passes",
    ),
    Mistaken(
        name="a power without its exponent",
        exercise="pow_backward",
        replace=BASE,
        by="share(grad * x ** (p - 1), base)",
        caught_by="test_pow_of_base_and_exponent",
        says="the factor p is missing",
    ),
    Mistaken(
        name="0 to the power of 0",
        exercise="pow_backward",
        replace=BASE,
        by="share(grad * (p * x ** (p - 1)), base)",
        caught_by="test_pow_at_zero",
        says="x^0 is constant",
    ),
    Mistaken(
        name="a tie that gives to both",
        exercise="maximum_backward",
        replace="    half = grad / 2\n    to_a = masked(half, a.data >= b.data) + masked(half, a.data > b.data)\n"
        "    to_b = masked(half, b.data >= a.data) + masked(half, b.data > a.data)\n",
        by="    to_a, to_b = masked(grad, a.data >= b.data), masked(grad, b.data >= a.data)\n",
        caught_by="test_maximum_gives_to_the_larger",
        says="at a tie both get all of it",
    ),
    Mistaken(
        name="where exchanged",
        exercise="where_backward",
        replace="return share(masked(grad, condition), a), share(masked(grad, ~condition), b)",
        by="return share(masked(grad, ~condition), a), share(masked(grad, condition), b)",
        caught_by="test_where_gives_back_where_it_took",
        says="the inputs are exchanged",
    ),
    # ---- matmul and what was moved
    Mistaken(
        name="the right operand's gradient lying on its side",
        exercise="matmul_backward",
        replace="return in_shape(to_a, a), in_shape(to_b, b)",
        by="return in_shape(to_a, a), in_shape(to_b, b) if b.ndim != 2 else to_b.T",
        caught_by="test_matmul_of_two_matrices",
        says="the transpose of b's gradient",
    ),
    Mistaken(
        name="a batch that is not summed",
        exercise="matmul_backward",
        replace="to_b = unbroadcast(left.swapaxes(-1, -2) @ grad, right.shape) if b.requires_grad else None",
        by="to_b = left.swapaxes(-1, -2) @ grad if b.requires_grad else None",
        caught_by="test_matmul_of_batches",
    ),
    Mistaken(
        name="permuted once more",
        exercise="permute_backward",
        replace="return grad.transpose(np.argsort([dim % x.ndim for dim in dims]))",
        by="return grad.transpose(dims)",
        caught_by="test_permute_goes_back",
        says="moved on once more",
    ),
    Mistaken(
        name="picked twice, counted once",
        exercise="getitem_backward",
        replace=PICKED,
        by="    total[index] += grad\n",
        caught_by="test_getitem_adds_up_what_was_picked_twice",
        says="np.add.at",
    ),
    Mistaken(
        name="the gradient in the shape of what was picked",
        exercise="getitem_backward",
        replace=PICKED + "    return total\n",
        by="    return grad\n",
        caught_by="test_getitem_puts_zeros_where_nothing_was_picked",
        says="the gradient has the shape of x",
    ),
    Mistaken(
        name="everybody gets all",
        exercise="cat_backward",
        replace="return tuple(np.split(grad, ends[:-1], axis=dim))",
        by="return tuple(grad for _ in ends)",
        caught_by="test_cat_is_cut_where_it_was_joined",
        says="Cut it where the inputs were joined",
    ),
    # ---- reductions
    Mistaken(
        name="a sum that lines up with the wrong dimension",
        exercise="sum_backward",
        replace=BROADCAST,
        by="return np.broadcast_to(grad, x.shape)",
        caught_by="test_sum_gives_every_element_the_gradient_of_its_sum",
        says="Put the summed one back",
    ),
    Mistaken(
        name="a sum that is not broadcast",
        exercise="sum_backward",
        replace=BROADCAST,
        by="return grad",
        caught_by="test_sum_gives_every_element_the_gradient_of_its_sum",
        says="It needs the shape of x",
    ),
    Mistaken(
        name="all of it for each winner",
        exercise="amax_backward",
        replace=" / winners.sum(axis=dim, keepdims=True, dtype=grad.dtype)",
        by="",
        caught_by="test_amax_gives_to_the_largest",
        says="Divide by how many there are",
    ),
    # ---- operations that were written as one
    Mistaken(
        name="softmax as sigmoid",
        exercise="softmax_backward",
        replace=SOFTMAX,
        by="return weighted * (1 - result)",
        caught_by="test_softmax_rule_compares_with_the_average",
        says="this is the rule of sigmoid",
    ),
    Mistaken(
        name="softmax over the whole tensor",
        exercise="softmax_backward",
        replace=SOFTMAX,
        by="return weighted - result * weighted.sum()",
        caught_by="test_softmax_rule_compares_with_the_average",
        says="The sum runs over the whole tensor".lower(),
    ),
    Mistaken(
        name="log-softmax with the logarithm",
        exercise="log_softmax_backward",
        replace=LOG_SOFTMAX,
        by="return grad - result * add_up(grad, dim, keepdim=True)",
        caught_by="test_log_softmax_rule_takes_a_share_of_the_sum",
        says="The probabilities are its exponential",
    ),
    Mistaken(
        name="cross-entropy without the target",
        exercise="cross_entropy_backward",
        replace="    slope[np.arange(len(ids)), ids] -= (1 - label_smoothing) * weight\n",
        by="",
        caught_by="test_cross_entropy_rule_is_softmax_minus_target",
        says="The target is to be subtracted",
    ),
    Mistaken(
        name="averaged twice",
        exercise="cross_entropy_backward",
        replace="weight = grad.reshape(-1)  # (N,)",
        by="weight = grad.reshape(-1) / len(ids)  # (N,)",
        caught_by="test_cross_entropy_rule_is_softmax_minus_target",
        says="grad holds it already",
    ),
    Mistaken(
        name="smoothing forgotten",
        exercise="cross_entropy_backward",
        replace="    if label_smoothing:\n        slope -= (label_smoothing / powers.shape[1]) * weight[:, None]\n",
        by="",
        caught_by="test_cross_entropy_rule_is_softmax_minus_target",
        says="e / C",
    ),
    Mistaken(
        name="the slope of sigmoid once too often",
        exercise="binary_cross_entropy_with_logits_backward",
        replace="return grad * (p - t.data), -grad * x.data",
        by="return grad * (p - t.data) * p * (1 - p), -grad * x.data",
        caught_by="test_backward_of_bce_with_logits_rule_is_probability_minus_target",
        says="one factor too much",
    ),
    Mistaken(
        name="exponentials that overflow",
        exercise="binary_cross_entropy_with_logits_backward",
        replace="p = 1 / (1 + np.exp(-x.data))",
        by="p = np.exp(x.data) / (1 + np.exp(x.data))",
        caught_by="test_backward_of_bce_with_logits_passes_gradients_of_large_scores",
        says="inf / inf is nan",
    ),
    Mistaken(
        name="the variance does not move",
        exercise="layer_norm_backward",
        replace=NORM,
        by="distance *= 0",
        caught_by="test_layer_norm_rule_of_input_weight_and_bias",
        says="stretching all features changes nothing",
    ),
    # ---- no_grad
    Mistaken(
        name="the end switches on",
        exercise="no_grad.__exit__",
        replace="        grad_mode.enabled = self._before\n\n",
        by="        grad_mode.enabled = True\n\n",
        caught_by="test_no_grad_restores_what_was_before",
        says="Restore what was before, which may be off",
    ),
    Mistaken(
        name="enable_grad switches off",
        exercise="no_grad.__enter__",
        replace="grad_mode.enabled = self.recording",
        by="grad_mode.enabled = False",
        caught_by="test_no_grad_switches_the_record_off",
        says="enable_grad switches off as well",
    ),
    Mistaken(
        name="the error is swallowed",
        exercise="no_grad.__exit__",
        replace="        grad_mode.enabled = self._before\n\n",
        by="        grad_mode.enabled = self._before\n        return True\n\n",
        caught_by="test_no_grad_ends_with_an_error_as_well",
        says="the error was swallowed",
    ),
    # ---- gradcheck
    Mistaken(
        name="one side only",
        exercise="numerical_gradient",
        replace="        x[place] = before - eps\n        down = fn()\n        x[place] = before\n        " + SLOPE,
        by="        x[place] = before\n        slopes[place] = (up - fn()) / eps",
        caught_by="test_numerical_gradient_measures_slopes",
        says="this is the slope to one side",
    ),
    Mistaken(
        name="divided by eps",
        exercise="numerical_gradient",
        replace=SLOPE,
        by="slopes[place] = (up - down) / eps",
        caught_by="test_numerical_gradient_measures_slopes",
        says="the two points lie 2 · eps apart",
    ),
    Mistaken(
        name="eps added and taken away",
        exercise="numerical_gradient",
        replace="        x[place] = before\n        " + SLOPE,
        by="        x[place] += eps\n        " + SLOPE,
        caught_by="test_numerical_gradient_puts_everything_back",
    ),
    Mistaken(
        name="nan agrees with everything",
        exercise="gradcheck",
        replace=DISAGREE,
        by="wrong = np.abs(computed - measured) > atol + rtol * np.abs(measured)",
        caught_by="test_gradcheck_accepts_right_rules_only",
        says="nan passes",
    ),
    Mistaken(
        name="all results count alike",
        exercise="gradcheck",
        replace="weights = np.random.default_rng(0).uniform(0.5, 1.5, outputs().shape)",
        by="weights = np.ones(outputs().shape)",
        caught_by="test_gradcheck_tells_elements_apart",
        says="Give them weights",
    ),
]
