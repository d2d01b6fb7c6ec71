"""Checkpoint 06: optimizers.

Gradients are set by hand throughout, so that a mistake in module 05 does not look like one of an optimiser.
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, raises, same, same_array

NOT_MOVED = "nothing moved. `p = p - ...` only renames: write into the array, p -= ..."
UPHILL = "this goes uphill. The gradient points to where the loss grows: subtract."
NO_LR = "the gradient is taken whole. Multiply it by the group's lr."
OWN_STATE = "self.state[p] belongs to one parameter. Make it once, when the parameter takes its first step."


def text(a):
    """Numbers as one types them: [[1.5, -2.0], [0.25, 3.0]]."""
    return str(np.asarray(a, np.float64).tolist())


def told(kind, options, p, grads):
    """What is tried, as the student would type it."""
    given = "".join(f", {name}={value}" for name, value in options.items())
    when = f"each of {len(grads)} steps" if len(grads) > 1 else "one step"
    return f"p = {text(p)} after {when} of {kind}([p]{given}), gradients {text(grads)}"


# ---- what runs beside the student's code ----------------------------------------------------------------


def walk(kind, options, start, grads, rates=None):
    """A parameter after each step, one row per step; where `rates` are given, lr is changed before each step."""
    p = tt.tensor(start, requires_grad=True, dtype=start.dtype)
    optimizer = getattr(tt, kind)([p], **options)
    path = []
    for i, grad in enumerate(grads):
        if rates is not None:
            optimizer.param_groups[0]["lr"] = rates[i]
        p.grad = tt.tensor(grad, dtype=start.dtype)
        optimizer.step()
        path.append(np.array(p.data))
    return np.stack(path)


def roll(kind, options, start, bottom, steepness, steps):
    """Where a parameter ends in a bowl, whose gradient is steepness * (p - bottom)."""
    p = tt.tensor(start, requires_grad=True)
    optimizer = getattr(tt, kind)([p], **options)
    for _ in range(steps):
        p.grad = tt.tensor(steepness * (p.data - bottom))
        optimizer.step()
    return p.data


# ---- the rules, worked out by the judge ------------------------------------------------------------------


def plain(p, grads, lr):
    """The path of plain gradient descent."""
    return p.astype(np.float64) - lr * np.cumsum(np.asarray(grads, np.float64), axis=0)


def rolled(p, grads, lr, mu, *, keep=1.0, first=1.0, ahead=0.0, bare=1.0):
    """The path with a velocity v = mu * v + keep * g, at first first * g; the direction is bare * v + ahead * ..."""
    p, v, path = p.astype(np.float64), None, []
    for g in grads.astype(np.float64):
        v = first * g if v is None else mu * v + keep * g
        p = p - lr * (bare * v + ahead * (g + mu * v - v))
        path.append(p)
    return np.stack(path)


def scaled(p, grads, lr, alpha, eps, *, mu=0.0, centered=False, decay=0.0, wrong=""):
    """The path of RMSprop; `wrong` names a usual mistake."""
    p, path = p.astype(np.float64), []
    s, m, b = (np.zeros_like(p) for _ in range(3))
    old, new = (1 - alpha, alpha) if wrong == "shares" else (alpha, 1 - alpha)
    for g in grads.astype(np.float64):
        g = g + decay * p  # noqa: PLW2901 -- the gradient that the rule follows
        s = old * s + new * (np.abs(g) if wrong == "size" else g * g)
        m = old * m + new * g
        s_ = s - m * m if centered else s
        if wrong == "no root":
            u = g / (s_ + eps)
        elif wrong == "eps":
            u = g / np.sqrt(s_ + eps)
        elif wrong == "mean above":
            u = m / (np.sqrt(s_) + eps)
        elif wrong == "corrected":
            u = g / (np.sqrt(s_ / (1 - alpha ** (len(path) + 1))) + eps)
        else:
            u = g / (np.sqrt(s_) + eps)
        b = mu * b + ((1 - mu) * u if wrong == "share" else u)
        p = p - lr * (u + b if wrong == "both" else b)
        path.append(p)
    return np.stack(path)


def adapted(p, grads, lr, betas, eps=1e-8, *, decay=0.0, shrink="", largest=False, wrong=""):
    """The path of Adam, with decay in the gradient, or with `shrink` where AdamW has it; `wrong` names a mistake."""
    p, path = p.astype(np.float64), []
    (b1, b2), (m, v, top) = betas[::-1] if wrong == "betas" else betas, (np.zeros_like(p) for _ in range(3))
    for t, g in enumerate(grads.astype(np.float64), start=1):
        if shrink in ("first", "both"):
            p = p * (1 - lr * decay)
        elif shrink == "without lr":
            p = p * (1 - decay)
        d = g if shrink and shrink != "both" else g + decay * p
        m, v = b1 * m + (1 - b1) * d, b2 * v + (1 - b2) * (m * m if wrong == "m squared" else d * d)
        share1, share2 = (1 - b ** (1 if wrong == "t stays 1" else t) for b in (b1, b2))
        share1 = 1 if wrong in ("no correction", "only v") else share1
        share2 = 1 if wrong in ("no correction", "only m") else share2
        top = np.maximum(top, v)
        v_ = (top if largest else v) / share2
        size = np.sqrt(v_ + eps) if wrong == "eps inside" else np.sqrt(v_) + eps
        size = (
            v_ + eps if wrong == "no root" else (np.sqrt(v) + eps) / np.sqrt(share2) if wrong == "eps early" else size
        )
        p = p - lr * (d if wrong == "no average" else m / share1) / size
        p = p * (1 - lr * decay) if shrink == "last" else p
        if wrong == "kept":
            m, v = m / share1, v / share2
        path.append(p)
    return np.stack(path)


# ---- Optimizer.add_param_group ---------------------------------------------------------------------------


def groups_of(arrays, rates, generator):
    """What an optimiser keeps of two groups, the second with a rate of its own; each is read twice."""
    first, second = ([tt.tensor(a, requires_grad=True) for a in half] for half in arrays)
    optimizer = tt.Optimizer(first, {"lr": rates[0], "momentum": 0.5})
    optimizer.add_param_group({"params": (p for p in second) if generator else second, "lr": rates[1]})
    seen = [[p.data for group in optimizer.param_groups for p in group["params"]] for _ in range(2)]
    options = [[group["lr"], group["momentum"]] for group in optimizer.param_groups]
    return [len(row) for row in seen], np.stack(seen[1] or [np.zeros(2, np.float32)]), options


@exercise("Optimizer.add_param_group", points=2)
def test_add_param_group_keeps_parameters_and_options(lab, draw):
    """add_param_group keeps parameters in order, with the options of their own group"""
    a, rates = draw(5, 2), draw.uniform(0.1, 0.9, 2).tolist()
    cut = int(draw.choice([1, 2, 3, 4]))
    _, data, options = lab(groups_of, [list(a[:cut]), list(a[cut:])], rates, False)
    same(
        options,
        [[rates[0], 0.5], [rates[1], 0.5]],
        what=f"lr and momentum of two groups, with defaults {rates[0]:.4g} and 0.5 and a second lr of {rates[1]:.4g}",
        mistakes=[
            Mistake(
                [[rates[0], 0.5]] * 2, "the group's own lr is overruled. Defaults first, then what the group says."
            ),
            Mistake(
                [[rates[1], 0.5]] * 2, "the second group's lr went into the defaults. Make a new dict for a group."
            ),
            Mistake([[rates[0], 0.5]], "the second group is not in self.param_groups."),
        ],
    )
    same_array(data, a, what="the parameters of both groups, in order")


@exercise("Optimizer.add_param_group", points=1)
def test_add_param_group_keeps_what_a_generator_gives(lab, draw):
    """add_param_group makes a list of a generator such as model.parameters(), to be gone through again and again"""
    a, rates = draw(5, 2), [0.5, 0.25]
    counts, data, _ = lab(groups_of, [list(a[:2]), list(a[2:])], rates, True)
    same(
        counts,
        [5, 5],
        what="how many parameters there are, counted twice; the second group's came from a generator",
        mistakes=[Mistake([5, 2], "the generator was used up at the first look. Keep list(...) of it.")],
    )
    same_array(data, a, what="the parameters, looked at for the second time")


def single(array):
    """Of a group that is one tensor, not a list: how many parameters there are, and all their numbers."""
    p = tt.tensor(np.zeros(2), requires_grad=True)
    optimizer = tt.Optimizer([p], {"lr": 0.5})
    optimizer.add_param_group({"params": tt.tensor(array, requires_grad=True)})
    groups = [group["params"] for group in optimizer.param_groups]
    return [len(group) for group in groups], np.concatenate([q.data.reshape(-1) for group in groups for q in group])


@exercise("Optimizer.add_param_group", points=1)
def test_add_param_group_takes_a_single_tensor(lab, draw):
    """add_param_group takes one tensor in place of a list"""
    a = draw(3, 2)
    counts, data = lab(single, a)
    same(
        counts,
        [1, 1],
        what='number of parameters of the first group, and of {"params": p} with p of shape (3, 2)',
        mistakes=[Mistake([1, 3], "the rows of p were taken for parameters. A Tensor goes into a list first.")],
    )
    same_array(data, np.append([0, 0], a), what="the numbers of the two zeros and of p")


def data_of(optimizer):
    """The numbers of all parameters, one row each."""
    return np.stack([p.data for group in optimizer.param_groups for p in group["params"]])


@exercise("Optimizer.add_param_group", points=2)
def test_add_param_group_refuses_what_cannot_be_moved(tt, lab, draw):
    """add_param_group refuses what is there already, what was computed, and what is no Tensor, and changes nothing"""
    a = b = draw(draw.choice([2, 3, 4, 5, 6]))  # equal numbers do not make two parameters one
    p, q = tt.tensor(a, requires_grad=True), tt.tensor(b, requires_grad=True)
    optimizer, made = tt.Optimizer([p], {"lr": 0.5}), p * 2
    raises(ValueError, lambda: optimizer.add_param_group({"params": [q, p]}), mentions=[a.shape])
    raises(ValueError, lambda: optimizer.add_param_group({"params": [q, q]}), mentions=[a.shape])
    raises(ValueError, lambda: optimizer.add_param_group({"params": [q, made]}), mentions=[a.shape])
    raises(TypeError, lambda: optimizer.add_param_group({"params": [q, b]}), mentions=["ndarray"])
    same_array(lab(data_of, optimizer), a[None], what="the parameters after four groups were refused")
    optimizer.add_param_group({"params": [q]})
    same_array(lab(data_of, optimizer), np.stack([a, b]), what="the parameters after a group was taken in")


@exercise("Optimizer.add_param_group", points=1)
def test_add_param_group_refuses_senseless_options(tt, lab, draw):
    """add_param_group refuses a negative lr of a group, and changes nothing"""
    a, b = draw(2, 3)
    p, q = tt.tensor(a, requires_grad=True), tt.tensor(b, requires_grad=True)
    optimizer, rate = tt.Optimizer([p], {"lr": 0.5}), -float(draw.positive())
    raises(ValueError, lambda: optimizer.add_param_group({"params": [q], "lr": rate}), mentions=[rate])
    same_array(lab(data_of, optimizer), a[None], what="the parameters after the group was refused")
    optimizer.add_param_group({"params": [q], "lr": -rate})
    same_array(lab(data_of, optimizer), np.stack([a, b]), what="the parameters after a group was taken in")


# ---- Optimizer.zero_grad ---------------------------------------------------------------------------------


def emptied(grads, to_none):
    """The gradients before and after zero_grad, as text (-0 as 0); and the arrays that they were in."""
    parameters = [tt.tensor(np.zeros(2), requires_grad=True) for _ in grads]
    for p, grad in zip(parameters, grads, strict=True):
        p.grad = None if grad is None else tt.tensor(grad)
    optimizer = tt.Optimizer([{"params": parameters[:2]}, {"params": parameters[2:]}], {"lr": 0.5})
    arrays = [p.grad.data for p in parameters if p.grad is not None]
    before = ["None" if p.grad is None else str((p.grad.data + 0).tolist()) for p in parameters]
    optimizer.zero_grad(*to_none)
    after = ["None" if p.grad is None else str((p.grad.data + 0).tolist()) for p in parameters]
    return before, after, np.stack(arrays)


def some_gradients(draw):
    """Five gradients, of which one at a random place is None; the same as text; those that are there."""
    idle = draw.choice(range(5))
    grads = [None if i == idle else g for i, g in enumerate(draw(5, 2))]
    return grads, ["None" if g is None else text(g) for g in grads], np.stack([g for g in grads if g is not None])


@exercise("Optimizer.zero_grad", points=2)
def test_zero_grad_forgets_every_gradient(lab, draw):
    """zero_grad sets the gradient of every parameter in every group to None"""
    grads, told_, there = some_gradients(draw)
    before, after, arrays = lab(emptied, grads, ())
    same(before, told_, what="gradients before zero_grad()")
    same(
        after,
        ["None"] * 5,
        what="gradients of two and three parameters in two groups, after zero_grad()",
        mistakes=[
            Mistake(told_, "the gradients are still there, and the next backward() adds to them."),
            Mistake(["None", "None", *told_[2:]], "only the first group was visited."),
            Mistake(
                ["None" if g is None else "[0.0, 0.0]" for g in grads], "zeros are kept, unasked. Set grad to None."
            ),
        ],
    )
    same_array(arrays, there, what="the arrays that held them")


@exercise("Optimizer.zero_grad", points=1)
def test_zero_grad_fills_with_zeros_where_asked(lab, draw):
    """zero_grad(set_to_none=False) fills the gradients that are there with zeros, in place"""
    grads, told_, there = some_gradients(draw)
    before, after, arrays = lab(emptied, grads, (False,))
    same(before, told_, what="gradients before")
    same(
        after,
        ["None" if g is None else "[0.0, 0.0]" for g in grads],
        what=f"gradients {', '.join(told_)} after zero_grad(set_to_none=False)",
        mistakes=[
            Mistake(["[0.0, 0.0]"] * 5, "a gradient that was None became zeros. None stays None."),
            Mistake(["None"] * 5, "set_to_none=False was not listened to."),
        ],
    )
    same_array(
        arrays,
        np.zeros((4, 2), np.float32),
        what="the arrays that the gradients were in",
        mistakes=[Mistake(there, "new zeros were made. Fill the old arrays.")],
    )


# ---- Optimizer.step --------------------------------------------------------------------------------------


def steps_of_own_rule(start, rounds, rates):
    """Parameters after steps of a rule that moves by lr times grad times how often the parameter has moved."""

    class Rule(tt.Optimizer):
        def start(self, p, group):
            return {"count": 0}

        def update(self, p, grad, state, group):
            state["count"] += 1
            p -= group["lr"] * state["count"] * grad

    parameters = [tt.tensor(row, requires_grad=True) for row in start]
    arrays = [p.data for p in parameters]
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": rates[1]}]
    optimizer = Rule(groups, {"lr": rates[0]})
    for grads in rounds:
        for p, grad in zip(parameters, grads, strict=True):
            p.grad = None if grad is None else tt.tensor(grad)
        optimizer.step()
    counts = [optimizer.state[p]["count"] if p in optimizer.state else None for p in parameters]
    return np.stack([p.data for p in parameters]), np.stack(arrays), counts


@exercise("Optimizer.step", points=2)
def test_step_moves_every_parameter_of_every_group(lab, draw):
    """step moves every parameter in place, by its own gradient and with the options of its own group"""
    a, g = draw(5, 2), draw(5, 2)
    rates = [0.25, 0.75][:: draw.choice([1, -1])]
    each = np.repeat(rates, [2, 3])[:, None]
    got, arrays, _ = lab(steps_of_own_rule, list(a), [list(g)], rates)
    what = f"parameters {text(a)} after one step, each less its group's lr times its gradient {text(g)}"
    same_array(
        got,
        a - each * g,
        what=what,
        mistakes=[
            Mistake(a, "nothing moved. Hand p.data itself to the rule, which writes into it."),
            Mistake(np.concatenate([(a - each * g)[:2], a[2:]]), "only the first group moved."),
            Mistake(a - rates[0] * g, "all groups moved with the lr of the first. Hand each its own group."),
            Mistake(a - rates[1] * g, "all groups moved with the lr of the last. Hand each its own group."),
            Mistake(a + each * g, "this goes uphill: the sign of the gradient was turned."),
            Mistake(a - np.arange(1, 6)[:, None] * each * g, "all parameters share one state. " + OWN_STATE),
        ],
    )
    same_array(
        arrays,
        a - each * g,
        what="the arrays that were p.data before the step",
        mistakes=[Mistake(a, "p.data is another array now. Let the rule write into the one that is there.")],
    )


@exercise("Optimizer.step", points=2)
def test_step_gives_every_parameter_a_memory_of_its_own(lab, draw):
    """step hands the rule what it remembered of this very parameter in the steps before"""
    a, rounds = draw(5, 2), draw(3, 5, 2)
    lr = 0.25
    got, _, counts = lab(steps_of_own_rule, list(a), [list(g) for g in rounds], [lr, lr])
    times = np.array([1, 2, 3])[:, None, None]
    shared = np.arange(1, 16).reshape(3, 5, 1)
    same_array(
        got,
        a - lr * (times * rounds).sum(0),
        what="parameters after three steps of a rule that counts the steps of each",
        mistakes=[
            Mistake(a - lr * rounds.sum(0), "the state is made anew in every step, so that nothing is remembered."),
            Mistake(a - lr * (shared * rounds).sum(0), "all parameters share one state. " + OWN_STATE),
        ],
    )
    same(counts, [3] * 5, what='state["count"] of each parameter', mistakes=[Mistake([15] * 5, OWN_STATE)])


@exercise("Optimizer.step", points=2)
def test_step_passes_over_a_parameter_without_gradient(lab, draw):
    """step passes over a parameter whose grad is None, and moves one whose gradient is zero"""
    a, rounds = draw(5, 2), draw(2, 5, 2)
    idle, late, still = (int(i) for i in draw.permutation(5)[:3])
    rounds[:, still] = 0
    given = [list(g) for g in rounds]
    given[0][idle] = given[1][idle] = given[0][late] = None
    got, _, counts = lab(steps_of_own_rule, list(a), given, [0.5, 0.5])
    due = [None if i == idle else 1 if i == late else 2 for i in range(5)]
    same(
        counts,
        due,
        what="how often each parameter moved in two steps (None: it has no state)",
        mistakes=[
            Mistake([0 if n is None else n for n in due], "a state was made for a parameter that never moved."),
            Mistake([2 if n else n for n in due], "a step without gradient was counted."),
            Mistake(
                [None if i in (idle, still) else n for i, n in enumerate(due)],
                "a gradient of zeros was taken for none. Ask `is None`.",
            ),
        ],
    )
    moved = a - 0.5 * (rounds[0] + 2 * rounds[1])
    moved[idle], moved[late] = a[idle], (a - 0.5 * rounds[1])[late]
    same_array(got, moved, what="the parameters after the two steps")


def with_closure(start, grad, loss):
    """What step returns with and without a closure, how often it was called, and where the parameter is."""

    class Rule(tt.Optimizer):
        def update(self, p, grad, state, group):
            p -= group["lr"] * grad

    p, calls = tt.tensor(start, requires_grad=True), []
    optimizer = Rule([p], {"lr": 0.5})

    def closure():
        calls.append(p.tolist())
        p.grad = tt.tensor(grad)
        return loss

    return [optimizer.step(), optimizer.step(closure)], calls, p.data


@exercise("Optimizer.step", points=1)
def test_step_calls_a_closure_first(lab, draw):
    """step(closure) calls the closure once, then moves, and returns what the closure returned"""
    a, g, loss = draw(2), draw(2), float(draw())
    returned, calls, data = lab(with_closure, a, g, loss)
    same(
        returned,
        [None, loss],
        what=f"step(), then step(closure) with a closure that returns {loss}",
        mistakes=[Mistake([None, None], "the value of the closure is lost: return it.")],
    )
    same(calls, [a.tolist()], what="p at each call of the closure")
    same_array(
        data,
        a - 0.5 * g,
        what="p after the closure set its gradient",
        mistakes=[Mistake(a, "p moved before the closure set its gradient, or not at all.")],
    )


# ---- SGD.update ------------------------------------------------------------------------------------------


@exercise("SGD.update", points=2)
def test_sgd_goes_against_the_gradient(lab, draw):
    """SGD moves a parameter by lr times its gradient, downhill"""
    p, grads, lr = draw(3), draw(3, 3), draw.choice([0.5, 0.25, 0.125])
    same_array(
        lab(walk, "SGD", {"lr": lr}, p, grads),
        plain(p, grads, lr),
        what=told("SGD", {"lr": lr}, p, grads),
        smaller="p = 1 with gradient 0.5 and lr = 0.5 becomes 0.75",
        mistakes=[
            Mistake(np.stack([p] * 3), NOT_MOVED),
            Mistake(plain(p, grads, -lr), UPHILL),
            Mistake(plain(p, grads, 1), NO_LR),
            Mistake(np.stack([-lr * g for g in grads]), "p itself is lost. Subtract from it: p -= ..."),
            Mistake(np.stack([lr * g for g in grads]), "p itself is lost. Subtract from it: p -= ..."),
        ],
    )


@exercise("SGD.update", points=1)
def test_sgd_reads_lr_at_every_step(lab, draw):
    """SGD reads lr from its group at every step, where a schedule may have changed it"""
    p, grads = draw(2), draw(3, 2)
    rates = [0.5, 0.25, 0.125, 0.75]
    rates = [rates[i] for i in draw.permutation(4)]
    p64, moves = p.astype(np.float64), np.array(rates[1:])[:, None] * grads
    same_array(
        lab(walk, "SGD", {"lr": rates[0]}, p, grads, rates[1:]),
        p64 - np.cumsum(moves, 0),
        what=f"p = {text(p)} after each step, with lr set to {rates[1:]}, gradients {text(grads)}",
        mistakes=[
            Mistake(plain(p, grads, rates[0]), "lr is the one of the start. Read it from `group`, not from self.")
        ],
    )


@exercise("SGD.update", points=1)
def test_sgd_follows_its_own_gradient_method(lab, draw):
    """SGD with weight decay and maximize goes where self.gradient says"""
    p, grads, lr, wd = draw(2), draw(3, 2), 0.25, draw.choice([0.125, 0.25, 0.5])
    x, path = p.astype(np.float64), []
    for g in grads:
        x = x - lr * (-g + wd * x)
        path.append(x)
    options = {"lr": lr, "weight_decay": wd, "maximize": True}
    same_array(
        lab(walk, "SGD", options, p, grads),
        np.stack(path),
        what=told("SGD", options, p, grads),
        mistakes=[Mistake(plain(p, grads, lr), "weight_decay and maximize do nothing. Begin with self.gradient(...).")],
    )


@exercise("SGD.update", points=1)
def test_sgd_finds_the_bottom_of_a_bowl(lab, draw):
    """SGD comes to rest at the bottom of a bowl"""
    start, bottom = draw(4), draw(4)
    options = {"lr": 0.25}
    same_array(
        lab(roll, "SGD", options, start, bottom, np.float32([1, 2, 3, 4]), 60),
        bottom,
        atol=1e-3,
        what=f"p = {text(start)} after 60 steps of SGD([p], lr=0.25) in a bowl whose bottom is at {text(bottom)}",
        mistakes=[Mistake(start, NOT_MOVED)],
    )


# ---- Optimizer.gradient ----------------------------------------------------------------------------------


def gradient_of(p, grad, options):
    """What `gradient` makes of a gradient; the gradient and the parameter afterwards."""
    optimizer = tt.SGD([tt.tensor(p, requires_grad=True)])
    return optimizer.gradient(p, grad, {**optimizer.param_groups[0], **options}), grad, p


@exercise("Optimizer.gradient", points=2)
def test_gradient_adds_weight_decay(lab, draw):
    """weight decay adds its share of the parameter to the gradient, and changes neither of the two"""
    shape, wd = draw.sizes(2), draw.choice([0.125, 0.25, 0.75])
    p, g = draw(*shape), draw(*shape)
    got, grad, parameter = lab(gradient_of, p, g, {"weight_decay": wd})
    same_array(
        got,
        g + wd * p,
        what=f'gradient(p, grad, {{"weight_decay": {wd}, "maximize": False, ...}})',
        mistakes=[
            Mistake(g, "weight_decay does nothing. Add weight_decay * p."),
            Mistake(g - wd * p, "this pushes p away from 0. Add weight_decay * p: the step subtracts it."),
            Mistake(wd * p, "the gradient of the loss is lost. Add weight_decay * p to it."),
            Mistake(g + wd * p * p, "the penalty wd / 2 * p^2 has the gradient wd * p."),
            Mistake(g + 2 * wd * p, "the penalty is wd / 2 * p^2, so its gradient is wd * p."),
            Mistake(g + wd, "weight_decay is added bare. Multiply it by p."),
            Mistake(g * (1 + wd), "the decay comes from p, not from the gradient: wd * p."),
        ],
        smaller="p = 2, gradient 0.5, weight_decay 0.25: 0.5 + 0.25 * 2 = 1",
    )
    same_array(
        np.stack([grad, parameter]),
        np.stack([g, p]),
        what="grad and p afterwards",
        mistakes=[Mistake(np.stack([g + wd * p, p]), "grad was changed. `grad += ...` writes into p.grad.")],
    )


@exercise("Optimizer.gradient", points=2)
def test_gradient_turns_for_maximize(lab, draw):
    """maximize turns the gradient of the loss round, and weight decay still draws to 0"""
    shape, wd = draw.sizes(2), draw.choice([0.125, 0.25, 0.75])
    p, g = draw(*shape), draw(*shape)
    both, grad, _ = lab(gradient_of, p, g, {"weight_decay": wd, "maximize": True})
    alone, _, _ = lab(gradient_of, p, g, {"maximize": True})
    untouched, _, _ = lab(gradient_of, p, g, {})
    same_array(
        np.stack([untouched, alone]),
        np.stack([g, -g]),
        what="gradient(p, grad, group) plain, and with maximize",
        mistakes=[
            Mistake(np.stack([g, g]), "maximize does nothing. Turn the sign of the gradient."),
            Mistake(np.stack([-g, g]), "the sign is turned where it should not be: only with maximize."),
            Mistake(np.stack([-g, -g]), "the sign is turned always. Only with maximize."),
        ],
    )
    same_array(
        both,
        -g + wd * p,
        what=f"gradient(p, grad, group) with maximize and weight_decay={wd}",
        mistakes=[
            Mistake(
                -(g + wd * p), "the decay was turned, too, and drives p away from 0. Turn the sign first, then add."
            ),
            Mistake(-g, "weight_decay does nothing with maximize."),
        ],
    )
    same_array(grad, g, what="grad afterwards", mistakes=[Mistake(-g, "grad was changed in place.")])


# ---- SGD.velocity ----------------------------------------------------------------------------------------


@exercise("SGD.velocity", points=3)
def test_momentum_keeps_what_was_rolling(lab, draw):
    """momentum adds each gradient to a velocity in which older ones fade"""
    p, grads = draw(2), draw(3, 2)
    lr, mu = draw.choice([0.5, 0.25]), draw.choice([0.75, 0.875, 0.625])
    options = {"lr": lr, "momentum": mu}
    same_array(
        lab(walk, "SGD", options, p, grads),
        rolled(p, grads, lr, mu),
        what=told("SGD", options, p, grads),
        mistakes=[
            Mistake(plain(p, grads, lr), "this is plain descent: the velocity is forgotten after each step."),
            Mistake(
                rolled(p, grads, lr, mu, keep=1 - mu, first=1 - mu),
                "the new gradient counts 1 - mu. In PyTorch it counts whole: v = mu * v + g.",
            ),
            Mistake(rolled(p, grads, lr, mu, keep=1 - mu), "the new gradient counts 1 - mu. PyTorch: v = mu * v + g."),
            Mistake(rolled(p, grads, lr, 1.0), "nothing fades. Multiply the velocity by mu before you add."),
            Mistake(rolled(p, grads, lr, mu, ahead=1.0), "this is Nesterov's step. Without nesterov the result is v."),
            Mistake(
                rolled(p, np.stack([mu * grads[0], *grads[1:]]), lr, mu),
                "the first velocity is the first gradient, whole.",
            ),
            Mistake(
                rolled(p, grads, lr, mu, first=0.0), "the first step does not move. The first velocity is g itself."
            ),
            Mistake(np.stack([p] * 3), NOT_MOVED),
        ],
        smaller="gradients 1, 1, 1 with momentum 0.5: velocities 1, 1.5, 1.75",
    )


@exercise("SGD.velocity", points=1)
def test_momentum_keeps_gradients_not_steps(lab, draw):
    """momentum remembers gradients, so that a smaller lr slows down what is rolling already"""
    p, grads, mu = draw(2), draw(3, 2), 0.75
    rates = [0.5, 0.25, 0.125]
    v = [grads[0], mu * grads[0] + grads[1], mu**2 * grads[0] + mu * grads[1] + grads[2]]
    steps = [r * g for r, g in zip(rates, grads, strict=True)]
    inside = [steps[0], mu * steps[0] + steps[1], mu**2 * steps[0] + mu * steps[1] + steps[2]]
    same_array(
        lab(walk, "SGD", {"lr": 0.5, "momentum": mu}, p, grads, rates),
        p - np.cumsum(np.array(rates)[:, None] * v, 0),
        what=f"p = {text(p)} after each step with lr {rates}, momentum {mu}, gradients {text(grads)}",
        mistakes=[Mistake(p - np.cumsum(inside, 0), "the buffer holds steps. lr belongs outside: p -= lr * v.")],
    )


@exercise("SGD.velocity", points=1)
def test_dampening_spares_the_first_gradient(lab, draw):
    """dampening weakens each new gradient but the first"""
    p, grads = draw(2), draw(3, 2)
    lr, mu, d = 0.5, 0.75, draw.choice([0.25, 0.375, 0.625])
    options = {"lr": lr, "momentum": mu, "dampening": d}
    same_array(
        lab(walk, "SGD", options, p, grads),
        rolled(p, grads, lr, mu, keep=1 - d),
        what=told("SGD", options, p, grads),
        mistakes=[
            Mistake(rolled(p, grads, lr, mu), "dampening does nothing: v = mu * v + (1 - dampening) * g."),
            Mistake(
                rolled(p, grads, lr, mu, keep=1 - d, first=1 - d),
                "the first gradient is weakened, too. The first velocity is g, whole.",
            ),
            Mistake(rolled(p, grads, lr, mu, keep=d), "the new gradient counts dampening. It counts 1 - dampening."),
        ],
    )


@exercise("SGD.velocity", points=2)
def test_nesterov_looks_ahead(lab, draw):
    """nesterov adds the fresh gradient to what is rolling on"""
    p, grads = draw(2), draw(3, 2)
    lr, mu = draw.choice([0.5, 0.25]), draw.choice([0.75, 0.875, 0.625])
    options = {"lr": lr, "momentum": mu, "nesterov": True}
    twice = rolled(p, grads, lr, mu, bare=1 + mu)
    behind = np.concatenate([plain(p, grads[:1], lr), rolled(p, grads, lr, mu, ahead=1.0)[:-1]])
    same_array(
        lab(walk, "SGD", options, p, grads),
        rolled(p, grads, lr, mu, ahead=1.0),
        what=told("SGD", options, p, grads),
        mistakes=[
            Mistake(rolled(p, grads, lr, mu), "this is plain momentum. With nesterov the result is g + mu * v."),
            Mistake(
                rolled(p, grads, lr, mu, bare=mu), "this is mu * v alone. The fresh gradient is added: g + mu * v."
            ),
            Mistake(twice, "this is v + mu * v. The fresh gradient is added, not v: g + mu * v."),
            Mistake(rolled(p, grads, lr, mu) - lr * np.cumsum(grads, 0), "mu is missing: g + mu * v."),
            Mistake(behind, "the velocity is one step late. Bring it up to date first, then look ahead."),
        ],
    )


def buffers(start, grads):
    """The gradient after two steps with momentum, poked in between, and what is remembered."""
    p = tt.tensor(start, requires_grad=True)
    optimizer = tt.SGD([p], lr=0.5, momentum=0.5)
    p.grad = tt.tensor(grads[0])
    optimizer.step()
    p.grad.data[...] = grads[1]
    optimizer.step()
    return np.stack([p.grad.data, optimizer.state[p]["momentum_buffer"]])


@exercise("SGD.velocity", points=1)
def test_velocity_has_memory_of_its_own(lab, draw):
    """the velocity is kept in state["momentum_buffer"], apart from the gradient"""
    p, grads = draw(2), draw(2, 2)
    same_array(
        lab(buffers, p, grads),
        np.stack([grads[1], 0.5 * grads[0] + grads[1]]),
        what=f"p.grad and momentum_buffer after gradients {text(grads)}, written into the same p.grad, momentum 0.5",
        mistakes=[
            Mistake(np.stack([grads[1]] * 2), "buffer and gradient share their memory. Start with grad.copy()."),
        ],
    )


# ---- moving_average --------------------------------------------------------------------------------------


def averages(start, values, beta):
    """What moving_average returns for each value, and the average that it was given, afterwards."""
    average = np.array(start)
    returned = [np.array(tt.optimizers.moving_average(average, value, beta)) for value in values]
    return np.stack([*returned, average]), values


@exercise("moving_average", points=2)
def test_moving_average_keeps_most_and_takes_a_little(lab, draw):
    """moving_average keeps the share beta of the old average, takes the rest of the new value, and works in place"""
    a, values, beta = draw(3), draw(2, 3), draw.choice([0.75, 0.875, 0.625])

    def path(old, new):
        first = old * a + new * values[0]
        second = old * first + new * values[1]
        return np.stack([first, second, second])

    right = path(beta, 1 - beta)
    first = right[0]
    same_array(
        lab(averages, a, values, beta)[0],
        right,
        what=f"average {text(a)} after each of the values {text(values)}, beta {beta}; then the array itself",
        mistakes=[
            Mistake(path(1 - beta, beta), "the shares are exchanged: beta is for the old average."),
            Mistake(path(beta, 1), "the new value counts whole. Its share is 1 - beta."),
            Mistake(path(1, 1 - beta), "the old average does not fade. Its share is beta."),
            Mistake(
                np.stack([first, beta * a + (1 - beta) * values[1], a]),
                "a new array was returned, and the average that was given stays as it was. Write into it.",
            ),
        ],
        smaller="average 0, value 8, beta 0.75: 2",
    )


@exercise("moving_average", points=1)
def test_moving_average_of_one_value_is_that_value(lab, draw):
    """moving_average comes to rest at a value that stays the same, and leaves the value alone"""
    a, value = draw(4), draw(4)
    got, kept = lab(averages, a, np.stack([value] * 40), 0.5)
    same_array(got[-1], value, what=f"average {text(a)} after forty times the value {text(value)}, beta 0.5", atol=1e-5)
    same_array(kept[0], value, what="the value afterwards")


# ---- RMSprop.update --------------------------------------------------------------------------------------


@exercise("RMSprop.update", points=3)
def test_rmsprop_divides_by_the_usual_size(lab, draw):
    """RMSprop divides each gradient by the root of its average square"""
    p, grads = draw(2), draw(3, 2) * np.float32([1, 16])
    lr, alpha = draw.choice([0.25, 0.5]), draw.choice([0.75, 0.875, 0.625])
    options = {"lr": lr, "alpha": alpha}
    same_array(
        lab(walk, "RMSprop", options, p, grads),
        scaled(p, grads, lr, alpha, 1e-8),
        what=told("RMSprop", options, p, grads),
        mistakes=[
            Mistake(scaled(p, grads, lr, alpha, 1e-8, wrong="no root"), "the root is missing: divide by sqrt(s)."),
            Mistake(scaled(p, grads, lr, alpha, 1e-8, wrong="shares"), "alpha is the share of the old average."),
            Mistake(
                scaled(p, grads, lr, alpha, 1e-8, wrong="size"),
                "s is an average of |g|. It is one of g^2: square, average, then take the root.",
            ),
            Mistake(scaled(p, grads, lr, alpha, 1e-8, wrong="mean above"), "g itself is divided, not its average."),
            Mistake(scaled(p, grads, lr, alpha, 1e-8, wrong="corrected"), "RMSprop does not correct s: that is Adam."),
            Mistake(plain(p, grads, lr), "this is plain descent: nothing is divided."),
            Mistake(
                plain(p, np.sign(grads), lr), "each gradient is divided by itself. Divide by its average over time."
            ),
            Mistake(scaled(p, grads, -lr, alpha, 1e-8), UPHILL),
            Mistake(np.stack([p] * 3), NOT_MOVED),
        ],
        smaller="alpha = 0.75, gradient 4: s = 0.25 * 16 = 4, and p moves by lr * 4 / 2",
    )


@exercise("RMSprop.update", points=1)
def test_rmsprop_adds_eps_outside_the_root(lab, draw):
    """RMSprop adds eps to the root, not under it"""
    p, grads, eps = draw(2), draw(2, 2) / 512, draw.choice([0.01, 0.005, 0.02])
    options = {"lr": 0.5, "alpha": 0.75, "eps": eps}
    same_array(
        lab(walk, "RMSprop", options, p, grads),
        scaled(p, grads, 0.5, 0.75, eps),
        what=told("RMSprop", options, p, grads),
        mistakes=[
            Mistake(scaled(p, grads, 0.5, 0.75, eps, wrong="eps"), "eps stands under the root: sqrt(s) + eps."),
            Mistake(scaled(p, grads, 0.5, 0.75, 0.0), "eps does nothing: sqrt(s) + eps."),
            Mistake(scaled(p, grads, 0.5, 0.75, 1e-8), "eps is the one of the start. Read it from `group`."),
        ],
    )


@exercise("RMSprop.update", points=1)
def test_rmsprop_decays_through_the_gradient(lab, draw):
    """RMSprop has its weight decay in the gradient that it divides"""
    p, grads, wd = draw(2), draw(3, 2), draw.choice([0.25, 0.5, 0.75])
    options = {"lr": 0.25, "alpha": 0.75, "weight_decay": wd}
    same_array(
        lab(walk, "RMSprop", options, p, grads),
        scaled(p, grads, 0.25, 0.75, 1e-8, decay=wd),
        what=told("RMSprop", options, p, grads),
        mistakes=[
            Mistake(scaled(p, grads, 0.25, 0.75, 1e-8), "weight_decay does nothing. Begin with self.gradient(...)."),
        ],
    )


@exercise("RMSprop.update", points=1)
def test_rmsprop_with_momentum_rolls(lab, draw):
    """RMSprop with momentum lets the quotients roll on"""
    p, grads = draw(2), draw(3, 2)
    mu = draw.choice([0.75, 0.5, 0.625])
    options = {"lr": 0.25, "alpha": 0.75, "momentum": mu}

    def path(**how):
        return scaled(p, grads, 0.25, 0.75, 1e-8, **{"mu": mu, **how})

    same_array(
        lab(walk, "RMSprop", options, p, grads),
        path(),
        what=told("RMSprop", options, p, grads),
        mistakes=[
            Mistake(path(mu=0.0), "momentum does nothing, or the buffer is not kept in place."),
            Mistake(path(wrong="share"), "the quotient counts 1 - mu. It counts whole: b = mu * b + u."),
            Mistake(path(wrong="both"), "the quotient is counted twice: p -= lr * b, and no more."),
            Mistake(path(mu=1.0), "nothing fades. Multiply the buffer by mu before you add."),
        ],
    )


@exercise("RMSprop.update", points=2)
def test_rmsprop_centered_subtracts_the_mean(lab, draw):
    """RMSprop with centered divides by the root of the variance"""
    p, grads = draw(2), draw(3, 2)
    alpha = draw.choice([0.75, 0.5, 0.625])
    options = {"lr": 0.25, "alpha": alpha, "centered": True}
    first = p - 0.25 * grads[:1] / np.sqrt((1 - alpha) * grads[:1] ** 2)
    same_array(
        lab(walk, "RMSprop", options, p, grads),
        scaled(p, grads, 0.25, alpha, 1e-8, centered=True),
        rtol=1e-4,
        what=told("RMSprop", options, p, grads),
        mistakes=[
            Mistake(scaled(p, grads, 0.25, alpha, 1e-8), "centered does nothing: subtract the square of the mean."),
            Mistake(np.concatenate([first, first]), "the mean is subtracted without being squared."),
        ],
    )


# ---- Adam.update -----------------------------------------------------------------------------------------


@exercise("Adam.update", points=3)
def test_adam_takes_a_first_step_of_lr(lab, draw):
    """Adam takes a first step of lr, however large the gradient is"""
    p, lr = draw(4), draw.choice([0.5, 0.25, 0.125])
    g = draw(4) * np.float32([1, 10, 100, 1000])[draw.permutation(4)]
    betas = (0.9, 0.999)

    def step(wrong=""):
        return adapted(p, g[None], lr, betas, wrong=wrong)

    same_array(
        lab(walk, "Adam", {"lr": lr}, p, g[None]),
        p - lr * np.sign(g)[None],
        what=told("Adam", {"lr": lr}, p, g[None]),
        mistakes=[
            Mistake(step("no correction"), "the first step is 3.16 lr. m and v start at zero: correct both."),
            Mistake(step("only m"), "v is not corrected, and the first step is 31.6 lr. v starts at zero, too."),
            Mistake(step("only v"), "m is not corrected, and the first step is lr / 10. m starts at zero, too."),
            Mistake(step("no root"), "the root is missing: divide by sqrt(v)."),
            Mistake(p + lr * np.sign(g)[None], UPHILL),
            Mistake(np.full((1, 4), np.nan), "t is 0 in the first step, and 0 / 0 is nan. Count before use."),
            Mistake(p[None], NOT_MOVED),
        ],
        smaller="p = 1, gradient 0.5, lr = 0.25: p becomes 0.75",
    )


@exercise("Adam.update", points=3)
def test_adam_averages_and_scales(lab, draw):
    """Adam goes along the corrected average gradient, over the root of the corrected average square"""
    p, grads, lr = draw(2), draw(4, 2), draw.choice([0.25, 0.125])
    betas = (draw.choice([0.5, 0.625]), draw.choice([0.875, 0.9375]))
    options = {"lr": lr, "betas": betas}

    def path(wrong=""):
        return adapted(p, grads, lr, betas, wrong=wrong)

    same_array(
        lab(walk, "Adam", options, p, grads),
        path(),
        what=told("Adam", options, p, grads),
        mistakes=[
            Mistake(path("no correction"), "m and v are not corrected: divide them by 1 - beta^t."),
            Mistake(path("t stays 1"), "every step is corrected like the first. t counts on: state['step'] += 1."),
            Mistake(path("kept"), "the corrected averages went into the state. Keep them undivided."),
            Mistake(path("betas"), "the betas are exchanged: the first is for m, the second for v."),
            Mistake(path("no average"), "g itself is divided, not its average m."),
            Mistake(path("m squared"), "v averages the squares of m. It averages those of g."),
            Mistake(path("no root"), "the root is missing: divide by sqrt(v)."),
        ],
    )


@exercise("Adam.update", points=2)
def test_adam_adds_eps_outside_the_root(lab, draw):
    """Adam adds eps to the corrected root, not under it"""
    p, grads, eps = draw(2), draw(2, 2) / 512, draw.choice([0.01, 0.005, 0.02])
    betas, options = (0.5, 0.75), {"lr": 0.5, "betas": (0.5, 0.75), "eps": eps}
    same_array(
        lab(walk, "Adam", options, p, grads),
        adapted(p, grads, 0.5, betas, eps),
        what=told("Adam", options, p, grads),
        mistakes=[
            Mistake(
                adapted(p, grads, 0.5, betas, eps, wrong="eps inside"), "eps stands under the root: sqrt(v) + eps."
            ),
            Mistake(
                adapted(p, grads, 0.5, betas, eps, wrong="eps early"), "eps is divided, too. Correct v, then add eps."
            ),
            Mistake(adapted(p, grads, 0.5, betas, 1e-8), "eps is the one of the start. Read it from `group`."),
            Mistake(adapted(p, grads, 0.5, betas, 0.0), "eps does nothing: sqrt(v) + eps."),
        ],
        smaller="gradient 1e-8, eps 1e-8: p moves by half of lr",
    )


@exercise("Adam.update", points=1)
def test_adam_decays_through_the_gradient(lab, draw):
    """Adam has its weight decay in the gradient that it averages"""
    p, grads, wd = draw(2), draw(3, 2), draw.choice([0.25, 0.5, 0.75])
    betas, options = (0.5, 0.75), {"lr": 0.25, "betas": (0.5, 0.75), "weight_decay": wd}
    same_array(
        lab(walk, "Adam", options, p, grads),
        adapted(p, grads, 0.25, betas, decay=wd),
        what=told("Adam", options, p, grads),
        mistakes=[
            Mistake(adapted(p, grads, 0.25, betas), "weight_decay does nothing. Begin with self.gradient(...)."),
            Mistake(adapted(p, grads, 0.25, betas, decay=wd, shrink="first"), "this is AdamW. Adam adds it to g."),
        ],
    )


@exercise("Adam.update", points=1)
def test_amsgrad_remembers_the_largest(lab, draw):
    """Adam with amsgrad divides by the largest average square so far"""
    p, grads = draw(2), draw(4, 2) * np.float32([8, 1, 0.125, 0.125])[:, None]
    betas, options = (0.5, 0.75), {"lr": 0.25, "betas": (0.5, 0.75), "amsgrad": True}
    same_array(
        lab(walk, "Adam", options, p, grads),
        adapted(p, grads, 0.25, betas, largest=True),
        what=told("Adam", options, p, grads),
        mistakes=[Mistake(adapted(p, grads, 0.25, betas), "amsgrad does nothing, or the largest is not remembered.")],
    )


@exercise("Adam.update", points=1)
def test_adam_keeps_float64(lab, draw):
    """Adam computes with float64 where the parameter is float64"""
    p, grads = draw.rng.uniform(-1, 1, 2), draw.rng.uniform(-1, 1, (3, 2))
    options = {"lr": 0.25, "betas": (0.5, 0.75)}
    same_array(
        lab(walk, "Adam", options, p, grads),
        adapted(p, grads, 0.25, (0.5, 0.75)),
        dtype=np.float64,
        what="p of dtype float64 after each of 3 steps of Adam([p], lr=0.25, betas=(0.5, 0.75))",
        mistakes=[Mistake(adapted(p, grads, 0.25, (0.5, 0.75)).astype(np.float32), "digits were lost in float32.")],
    )


@exercise("Adam.update", points=1)
def test_adam_finds_the_bottom_of_a_ravine(lab, draw):
    """Adam comes down a ravine that is a thousand times steeper across than along"""
    start, bottom = draw(2), draw(2)
    options = {"lr": 0.125, "betas": (0.75, 0.875)}
    same_array(
        lab(roll, "Adam", options, start, bottom, np.float32([0.03125, 32]), 200),
        bottom,
        atol=0.1,
        what=f"p = {text(start)} after 200 steps of Adam, bottom at {text(bottom)}, steepness 1/32 and 32",
        mistakes=[Mistake(start, NOT_MOVED)],
    )


# ---- AdamW.update ----------------------------------------------------------------------------------------


@exercise("AdamW.update", points=2)
def test_adamw_shrinks_where_the_gradient_is_zero(lab, draw):
    """AdamW with a gradient of zeros only shrinks the parameter, by the share lr times weight_decay"""
    p, wd = draw(4), draw.choice([0.25, 0.5, 0.75])
    zeros, options = np.zeros((1, 4), np.float32), {"lr": 0.25, "weight_decay": wd}
    same_array(
        lab(walk, "AdamW", options, p, zeros),
        p[None] * (1 - 0.25 * wd),
        what=told("AdamW", options, p, zeros),
        mistakes=[
            Mistake(
                p[None] - 0.25 * np.sign(p), "p moves by lr: the decay went through the averages. Shrink p itself."
            ),
            Mistake(p[None] * (1 - wd), "lr is missing: p shrinks by lr * weight_decay."),
            Mistake(p[None] * (0.25 * wd), "this is what p should lose, not what it should keep."),
            Mistake(p[None] * (1 + 0.25 * wd), "p grows. Weight decay draws it to 0."),
            Mistake(p[None] * (1 - 0.25 * wd) - 0.25 * np.sign(p), "the decay counts twice: in p and in the gradient."),
            Mistake(p[None], "weight_decay does nothing: p -= lr * weight_decay * p."),
        ],
        smaller="p = 8, gradient 0, lr = 0.5, weight_decay = 0.25: p becomes 7",
    )


@exercise("AdamW.update", points=2)
def test_adamw_shrinks_first_then_steps(lab, draw):
    """AdamW shrinks the parameter, then takes Adam's step with the bare gradient"""
    p, grads, wd = draw(2), draw(3, 2), draw.choice([0.25, 0.5, 0.75])
    betas, options = (0.5, 0.75), {"lr": 0.25, "betas": (0.5, 0.75), "weight_decay": wd}

    def path(shrink):
        return adapted(p, grads, 0.25, betas, decay=wd, shrink=shrink)

    same_array(
        lab(walk, "AdamW", options, p, grads),
        path("first"),
        what=told("AdamW", options, p, grads),
        mistakes=[
            Mistake(path(""), "this is Adam: the decay is in the gradient, and divided with it."),
            Mistake(path("both"), "the decay counts twice: hand Adam a group that says weight_decay 0."),
            Mistake(path("last"), "p shrinks after the step. Shrink first, so that the step is not shrunk."),
            Mistake(path("without lr"), "lr is missing: p shrinks by lr * weight_decay."),
        ],
    )


def options_after(start, grads, decay):
    """A parameter after two steps, and the weight decay that the group says afterwards."""
    p = tt.tensor(start, requires_grad=True)
    optimizer = tt.AdamW([p], lr=0.25, betas=(0.5, 0.75), weight_decay=decay)
    seen = []
    for grad in grads:
        p.grad = tt.tensor(grad)
        optimizer.step()
        seen.append(optimizer.param_groups[0]["weight_decay"])
    return p.data, seen


@exercise("AdamW.update", points=1)
def test_adamw_leaves_its_options_alone(lab, draw):
    """AdamW does not change the weight_decay of its group"""
    p, grads, wd = draw(2), draw(2, 2), float(draw.choice([0.25, 0.5, 0.75]))
    data, seen = lab(options_after, p, grads, wd)
    same(
        seen,
        [wd, wd],
        what='group["weight_decay"] after each step',
        mistakes=[Mistake([0.0, 0.0], "the group itself was changed. Make a new dict: {**group, ...}.")],
    )
    same_array(
        data, adapted(p, grads, 0.25, (0.5, 0.75), decay=wd, shrink="first")[-1], what="the parameter after two steps"
    )


# ---- Optimizer.state_dict --------------------------------------------------------------------------------


def saved_state(start, moved, arrays):
    """A state dict of Adam with three parameters in two groups, in parts; the parameters stand in the groups still."""
    parameters = [tt.tensor(row, requires_grad=True) for row in start]
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.75}]
    optimizer = tt.Adam(groups, lr=0.25)
    for i, array in zip(moved, arrays, strict=True):
        optimizer.state[parameters[i]] = {"step": i + 5, "exp_avg": array, "exp_avg_sq": array + 1}
    saved = optimizer.state_dict()
    state, groups = saved["state"], saved["param_groups"]
    numbers = [[number, kept["step"]] for number, kept in sorted(state.items())]
    kept = [np.stack([kept["exp_avg"], kept["exp_avg_sq"]]) for _, kept in sorted(state.items())]
    still = [p.data for group in optimizer.param_groups for p in group["params"]]
    return numbers, np.stack(kept), [[*g["params"], g["lr"], g["eps"]] for g in groups], np.stack(still)


@exercise("Optimizer.state_dict", points=3)
def test_state_dict_numbers_the_parameters(lab, draw):
    """state_dict has what is remembered of each parameter under its number, counted through all groups"""
    a, b = draw(4, 2), draw(2, 2)
    moved = draw.choice([[0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])  # not the first two: their states are numbered alike
    numbers, kept, groups, still = lab(saved_state, a, moved, list(b))
    same(
        groups,
        [[0, 1, 0.25, 1e-8], [2, 3, 0.75, 1e-8]],
        what='"params", "lr" and "eps" of the two saved groups',
        mistakes=[Mistake([[0, 1, 0.25, 1e-8], [0, 1, 0.75, 1e-8]], "each group counts anew. Count through all.")],
    )
    same(
        numbers,
        [[i, i + 5] for i in moved],
        what=f'number and "step" of the two parameters that moved, {moved}',
        mistakes=[
            Mistake(
                [[0, moved[0] + 5], [1, moved[1] + 5]],
                "the states are numbered, not the parameters: those that have not moved count, too.",
            )
        ],
    )
    same_array(kept, np.stack([b, b + 1], 1), what="their two averages")
    same_array(still, a, what="the parameters in optimizer.param_groups, afterwards")


def saved_then_moved(start, array, value):
    """A saved average and a saved lr, after the optimiser's own were changed; then the other way round."""
    p = tt.tensor(start, requires_grad=True)
    optimizer = tt.Adam([p], lr=0.25)
    optimizer.state[p] = {"step": 1, "exp_avg": np.array(array), "exp_avg_sq": np.array(array)}
    saved = optimizer.state_dict()
    optimizer.state[p]["exp_avg"][...] = value
    optimizer.state[p]["step"] = 9
    optimizer.param_groups[0]["lr"] = 0.5
    saved["state"][0]["exp_avg_sq"][...] = -value
    kept, own = saved["state"][0], optimizer.state[p]
    averages = np.stack([kept["exp_avg"], own["exp_avg"], own["exp_avg_sq"]])
    return averages, [kept["step"], saved["param_groups"][0]["lr"]]


@exercise("Optimizer.state_dict", points=2)
def test_state_dict_stays_as_it_was_saved(lab, draw):
    """state_dict has copies: what is saved and what is trained on no longer touch each other"""
    a, value = draw(3), float(draw())
    averages, numbers = lab(saved_then_moved, draw(3), a, value)
    trained = np.full(3, value, np.float32)
    same_array(
        averages,
        np.stack([a, trained, a]),
        what=f"saved average after {value} was written into the optimiser's; the optimiser's two averages",
        mistakes=[
            Mistake(np.stack([trained, trained, np.full(3, -value)]), "the arrays are shared. Copy each of them.")
        ],
    )
    same(
        numbers,
        [1, 0.25],
        what="saved step and lr, after the optimiser's went on",
        mistakes=[
            Mistake([9, 0.25], "the state of a parameter is shared. Make a new dict of it."),
            Mistake([9, 0.5], "the dicts are shared. Make new ones."),
            Mistake([1, 0.5], "the group is shared. Make a new dict of it."),
        ],
    )


# ---- Optimizer.load_state_dict ---------------------------------------------------------------------------


def adam_of(start):
    """An Adam with a group for each parameter, each of which it remembers as 7."""
    parameters = [tt.tensor(row, requires_grad=True) for row in start]
    optimizer = tt.Adam([{"params": [p]} for p in parameters], lr=0.5)
    for p in parameters:
        optimizer.state[p] = {"step": 7, "exp_avg": np.full_like(p.data, 7), "exp_avg_sq": np.full_like(p.data, 7)}
    return optimizer


def remembered(optimizer):
    """Of each parameter its lr, step and first average, and the parameter itself; None where nothing is remembered."""
    told, kept = [], []
    for group in optimizer.param_groups:
        for p in group["params"]:
            state = optimizer.state.get(p)
            told.append([group["lr"], state["step"] if state else None])
            kept.append(np.concatenate([state["exp_avg"] if state else np.zeros_like(p.data), p.data]))
    return told, np.stack(kept)


def saved_adam(arrays, numbers, rates, idle=None):
    """The state dict of an Adam with a group for each parameter."""
    groups = [
        {
            "params": [number],
            "lr": rate,
            "betas": (0.5, 0.75),
            "eps": 1e-8,
            "weight_decay": 0.0,
            "amsgrad": False,
            "maximize": False,
        }
        for number, rate in zip(numbers, rates, strict=True)
    ]
    state = {
        number: {"step": number + 1, "exp_avg": array, "exp_avg_sq": array * array}
        for number, array in zip(numbers, arrays, strict=True)
        if number != idle
    }
    return {"state": state, "param_groups": groups}


@exercise("Optimizer.load_state_dict", points=3)
def test_load_state_dict_restores_by_place(lab, draw):
    """load_state_dict gives each parameter the state and the options that stand at its place"""
    a, b = draw(3, 2), draw(3, 2)
    numbers = draw.choice([[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    rates = draw.uniform(0.1, 0.9, 3).tolist()
    optimizer = lab(adam_of, a)
    optimizer.load_state_dict(saved_adam(b, numbers, rates))
    told_, kept = lab(remembered, optimizer)
    steps = [number + 1 for number in numbers]
    same(
        [step for _, step in told_],
        steps,
        what=f"steps of the three parameters, from a state dict whose groups hold the numbers {numbers}",
        mistakes=[
            Mistake([7, 7, 7], "what the optimiser remembered is still there."),
            Mistake([1, 2, 3], "states came in the order of their numbers. The place in the groups decides."),
        ],
    )
    same(
        [rate for rate, _ in told_],
        rates,
        what="lr of the three groups, loaded",
        mistakes=[Mistake([0.5] * 3, "the options were not loaded, lr among them.")],
    )
    same_array(kept, np.concatenate([b, a], 1), what="of each its average, loaded, and the parameter itself")


@exercise("Optimizer.load_state_dict", points=1)
def test_load_state_dict_forgets_what_was_there(lab, draw):
    """load_state_dict forgets what was remembered of a parameter that had not moved when it was saved"""
    a, b, idle = draw(3, 2), draw(3, 2), int(draw.choice([0, 1, 2]))
    optimizer = lab(adam_of, a)
    optimizer.load_state_dict(saved_adam(b, [0, 1, 2], [0.5] * 3, idle))
    told_, kept = lab(remembered, optimizer)
    same(
        [step for _, step in told_],
        [None if i == idle else i + 1 for i in range(3)],
        what=f"steps of the parameters; nothing was saved of number {idle} (None: nothing is remembered)",
        mistakes=[
            Mistake(
                [7 if i == idle else i + 1 for i in range(3)],
                "what was remembered before is still there. Make a new self.state.",
            )
        ],
    )
    right = np.concatenate([b, a], 1)
    right[idle, :2] = 0
    same_array(kept, right, what="of each its average, loaded, and the parameter itself")


def loaded_then_changed(start, array, value):
    """An average after the state dict that it came from was changed."""
    p = tt.tensor(start, requires_grad=True)
    optimizer, other = tt.Adam([p], lr=0.5), tt.Adam([p], lr=0.25)
    other.state[p] = {"step": 3, "exp_avg": np.array(array), "exp_avg_sq": np.array(array)}
    saved = other.state_dict()
    optimizer.load_state_dict(saved)
    saved["state"][0]["exp_avg"][...] = value
    saved["param_groups"][0]["lr"] = 0.75
    return np.stack([optimizer.state[p]["exp_avg"], saved["state"][0]["exp_avg"]]), optimizer.param_groups[0]["lr"]


@exercise("Optimizer.load_state_dict", points=1)
def test_load_state_dict_copies(lab, draw):
    """load_state_dict copies, so that one state dict can serve two optimisers"""
    a, value = draw(3), float(draw())
    got, rate = lab(loaded_then_changed, draw(3), a, value)
    changed = np.full(3, value, np.float32)
    same_array(
        got,
        np.stack([a, changed]),
        what=f"the loaded average after {value} was written into the state dict; the state dict's",
        mistakes=[
            Mistake(np.stack([changed, changed]), "arrays are shared with the state dict: self.copy_state(...).")
        ],
    )
    same(
        rate,
        0.25,
        what="lr, loaded, after the state dict's became 0.75",
        mistakes=[Mistake(0.75, "the group of the state dict was taken over. Copy its options.")],
    )


@exercise("Optimizer.load_state_dict", points=2)
def test_load_state_dict_refuses_and_changes_nothing(lab, draw):
    """load_state_dict refuses a state that does not fit, and then nothing has changed"""
    a, b, size = draw(2, 2), draw(2, 2), draw.choice([3, 4, 5, 6])
    optimizer = lab(adam_of, a)
    wrong = saved_adam([b[0], draw(size)], [0, 1], [0.125, 0.25])
    raises(ValueError, lambda: optimizer.load_state_dict(wrong), mentions=[(size,), (2,)])
    fewer = saved_adam(b[:1], [0], [0.125])
    raises(ValueError, lambda: optimizer.load_state_dict(fewer), mentions=["[1, 1]", "[1]"])
    told_, kept = lab(remembered, optimizer)
    seven = np.full((2, 2), 7, np.float32)
    same(
        told_,
        [[0.5, 7], [0.5, 7]],
        what="lr and step of both parameters, after the second one's state was refused",
        mistakes=[
            *(
                Mistake([[first, 1], [second, step]], "half is loaded. Look at everything before you write anything.")
                for first, second in ((0.125, 0.25), (0.125, 0.5), (0.5, 0.5))
                for step in (7, None)
            ),
            Mistake([[0.125, 7], [0.25, 7]], "the options are loaded already. Look at the states first."),
        ],
    )
    same_array(kept, np.concatenate([seven, a], 1), what="of each its average and the parameter itself")
    optimizer.load_state_dict(saved_adam(b, [0, 1], [0.125, 0.25]))
    same_array(lab(remembered, optimizer)[1], np.concatenate([b, a], 1), what="the same after one that fits")


def interrupted(kind, options, start, grads, stop):
    """A parameter after all steps, and after as many with another optimiser that goes on after `stop` of them."""
    ends = []
    for pauses in (False, True):
        p = tt.tensor(start, requires_grad=True)
        optimizer = getattr(tt, kind)([p], **options)
        for i, grad in enumerate(grads):
            if pauses and i == stop:
                saved = optimizer.state_dict()
                p = tt.tensor(p.data, requires_grad=True)
                optimizer = getattr(tt, kind)([p], lr=7.0)
                optimizer.load_state_dict(saved)
            p.grad = tt.tensor(grad)
            optimizer.step()
        ends.append(p.data)
    return np.stack(ends)


@exercise("Optimizer.load_state_dict", points=2)
def test_a_loaded_optimizer_goes_on_as_if_never_stopped(lab, draw):
    """an optimiser that loads a saved state goes on as if training had never stopped"""
    p, grads = draw(3), draw(4, 3)
    for kind, options in (("SGD", {"lr": 0.25, "momentum": 0.75}), ("Adam", {"lr": 0.25, "betas": (0.5, 0.75)})):
        got = lab(interrupted, kind, options, p, grads, int(draw.choice([1, 2, 3])))
        right = rolled(p, grads, 0.25, 0.75) if kind == "SGD" else adapted(p, grads, 0.25, (0.5, 0.75))
        same_array(
            got,
            np.stack([right[-1]] * 2),
            what=f"p after 4 steps of {kind}, at one go and with a stop: saved, loaded by another {kind}, gone on",
            mistakes=[Mistake(np.stack([right[-1], plain(p, grads, 7.0)[-1]]), "lr is still the new optimiser's own.")],
        )
