"""Optimisers: how parameters move once their gradients are known.

A gradient says which way is uphill. An optimiser decides how far to go the other way, and may remember something of
the steps before: SGD a velocity, RMSprop the usual size of each gradient, Adam both. Only the update rules differ;
everything else (groups of parameters, what is remembered, saving and loading) is `Optimizer`.

Rules write into the parameters' arrays, which Tensor operations never see: nothing of a step is recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .tensor import Tensor

Array: TypeAlias = NDArray[Any]
State: TypeAlias = dict[str, Any]  # what a rule remembers of one parameter: arrays of its shape, and numbers
Group: TypeAlias = dict[str, Any]  # "params", a list of parameters, and the options that hold for them
Rule: TypeAlias = Callable[[Array, Array, State, Group], None]

PIECE = 131_072  # numbers: 512 kB of float32, so that a piece of all that a rule touches stays in the cache


class Optimizer:
    """What all optimisers share. A subclass says in `start` what it remembers, and in `update` how it moves.

    `params` are tensors, or groups of them with options of their own; `defaults` are the options of everybody else.
    As torch.optim.Optimizer (https://pytorch.org/docs/stable/optim.html).

    >>> slow, fast = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([{"params": [slow]}, {"params": [fast], "lr": 0.5}], lr=0.01)
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.01, 0.5]
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        kind = type(self).__name__
        if isinstance(params, Tensor | dict) or not isinstance(params, Iterable):
            raise TypeError(f"{kind} takes a list of tensors, such as model.parameters(), not one {_kind(params)}")
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, State] = {}  # a tensor is found by identity: two with equal numbers are two keys
        groups = list(params)
        if not groups:
            raise ValueError(f"{kind} got no parameters: the list is empty")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    # ---- Groups ----

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take in a group of parameters, with options of its own.

        `group` is a dict. Under "params" are the parameters: a list, a generator such as `model.parameters()`,
        or a single tensor. Every other key is an option that holds for this group instead of `self.defaults`.
        What is kept is a new dict at the end of `self.param_groups`, with "params" a list (a generator can be
        gone through only once) and a value for every option:

            {"params": [p, q], "lr": 0.5, "momentum": 0, ...}

        Refuses: what is no Tensor (TypeError); a tensor that an operation made, since it would be made anew in
        the next forward pass (ValueError, see `is_leaf`); a parameter that was added already, here or in
        another group, which would move twice as far (ValueError). `self.check_options(options)`, given, refuses
        options that make no sense. Whatever is refused changes nothing.

        >>> p, q = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
        >>> optimizer = SGD([p], lr=0.5)
        >>> optimizer.add_param_group({"params": iter([q]), "lr": 0.25})
        >>> [(len(group["params"]), group["lr"], group["momentum"]) for group in optimizer.param_groups]
        [(1, 0.5, 0.0), (1, 0.25, 0.0)]
        >>> optimizer.add_param_group({"params": [q * 2]})
        Traceback (most recent call last):
        ValueError: a parameter of shape (1,) was made by an operation (mul): only leaves can be optimised

        About fifteen lines. A set of `id(p)` tells who is there; `==` would compare numbers.
        """
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        options = {**self.defaults, **{name: value for name, value in group.items() if name != "params"}}
        self.check_options(options)
        taken = {id(p) for known in self.param_groups for p in known["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"an optimiser moves Tensors, not {_kind(p)}")
            if not p.is_leaf:
                made = f"was made by an operation ({p.grad_fn.name if p.grad_fn else '?'})"
                raise ValueError(f"a parameter of shape {p.shape} {made}: only leaves can be optimised")
            if id(p) in taken:
                raise ValueError(f"a parameter of shape {p.shape} is there twice and would move twice as far")
            taken.add(id(p))
        self.param_groups.append({"params": params, **options})

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse options that are missing or make no sense (given).

        Raises:
            ValueError: with the option's name and value.
        """
        missing = [name for name in self.defaults if name not in options]
        if missing:
            raise ValueError(f"these are not the options of {type(self).__name__}: {', '.join(missing)} missing")
        for name in ("lr", "momentum", "weight_decay", "eps", "alpha"):
            if name in options and not options[name] >= 0:  # so that nan is refused, too
                raise ValueError(f"{name} is at least 0, not {options[name]}")
        for beta in options.get("betas", ()):
            if not 0 <= beta < 1:
                raise ValueError(f"each of betas lies in [0, 1), not at {beta}")
        if options.get("nesterov") and (options["momentum"] <= 0 or options["dampening"] != 0):
            told = f"momentum {options['momentum']} and dampening {options['dampening']}"
            raise ValueError(f"nesterov needs a momentum above 0 and no dampening, not {told}")

    # ---- A step ----

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters in all groups.

        `backward()` adds to the gradient that is there, so whoever forgets this walks along the sum of all
        gradients so far. Each `grad` becomes None, and its memory is free. With `set_to_none=False` the
        gradients that are there are filled with zeros instead, in the arrays that they have; None stays None.

        >>> p = tensor([1.0, 2.0], requires_grad=True)
        >>> p.grad = tensor([3.0, 4.0])
        >>> optimizer = SGD([p], lr=0.5)
        >>> optimizer.zero_grad(set_to_none=False)
        >>> p.grad
        tensor([0., 0.])
        >>> optimizer.zero_grad()
        >>> p.grad is None
        True

        About six lines.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad.data[...] = 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter once, each by its own gradient.

        For each parameter of each group that has a gradient:
        - `self.state[p]` is what the rule remembers of it, a dict that `self.start(p.data, group)` (given)
          makes when the parameter takes its first step;
        - the rule is `self.update`, and `in_pieces(self.update, p.data, p.grad.data, state, group)` (given,
          below) applies it, piece by piece. The options are those of the parameter's own group.

        A parameter whose `grad` is None took no part in the loss: it stays where it is, and its state is not
        even made. (A gradient of zeros is something else: momentum goes on, and weight decay pulls.)

        `closure`, where one is given, is called once before anything moves: a function that computes the
        gradients and returns the loss. Its value is returned; without it, None.

        >>> p, idle = tensor([1.0, 2.0], requires_grad=True), tensor([5.0], requires_grad=True)
        >>> optimizer = SGD([p, idle], lr=0.5)
        >>> p.grad = tensor([0.5, -1.0])
        >>> optimizer.step()
        >>> p.detach(), idle.detach()
        (tensor([0.7500, 2.5000]), tensor([5.]))
        >>> p in optimizer.state, idle in optimizer.state
        (True, False)

        About nine lines.
        """
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p not in self.state:
                    self.state[p] = self.start(p.data, group)
                in_pieces(self.update, p.data, p.grad.data, self.state[p], group)
        return loss

    def start(self, p: Array, group: Group) -> State:
        """What the rule remembers of a parameter before its first step."""
        return {}

    def update(self, p: Array, grad: Array, state: State, group: Group) -> None:
        """Move one parameter in place; each subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} has no update(), where an optimiser says how it moves")

    def gradient(self, p: Array, grad: Array, group: Group) -> Array:
        """The gradient that a rule follows: that of the loss, turned round or with weight decay where asked.

            grad (...), p (...)  ->  (...)      neither of the two is changed

        With `group["maximize"]` the sign is turned, because the loss is a gain to be climbed. Then
        `group["weight_decay"]`, wd for short, adds wd * p: the gradient of wd / 2 * p^2, a second loss that
        grows with the parameter and draws it towards 0 however the first one was turned.

        >>> p, g = np.array([2.0, -4.0]), np.array([0.5, 0.5])
        >>> optimizer = SGD([tensor(p)])
        >>> optimizer.gradient(p, g, {"maximize": False, "weight_decay": 0.25})
        array([ 1. , -0.5])
        >>> optimizer.gradient(p, g, {"maximize": True, "weight_decay": 0.25})
        array([ 0. , -1.5])

        About five lines. Where neither is asked for, `grad` itself may come back.
        """
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * p
        return grad

    # ---- Saving and loading ----

    def state_dict(self) -> dict[str, Any]:
        """Everything that the optimiser would need to go on tomorrow: what it remembers, and its options.

            {"state": {0: {...}, 2: {...}}, "param_groups": [{"lr": 0.5, ..., "params": [0, 1]}, ...]}

        A file cannot hold the parameters themselves, so each is replaced by its number: 0, 1, 2, ... through
        all groups in order. "state" has what `self.state` has, by number; a parameter that has not moved yet
        is not in it. "param_groups" has every option of every group, with numbers under "params".

        Arrays are copies (`_copy(value)`, given, copies an array and hands back all else): training goes on
        after a save, and what was saved must not go on with it. The optimiser itself is not changed.

        >>> p, q = tensor([1.0], requires_grad=True), tensor([2.0], requires_grad=True)
        >>> optimizer = SGD([{"params": [p]}, {"params": [q], "lr": 0.25}], lr=0.5, momentum=0.75)
        >>> q.grad = tensor([3.0])
        >>> optimizer.step()
        >>> saved = optimizer.state_dict()
        >>> saved["state"]
        {1: {'momentum_buffer': array([3.], dtype=float32)}}
        >>> [(group["params"], group["lr"]) for group in saved["param_groups"]]
        [([0], 0.5), ([1], 0.25)]

        About eight lines: number the parameters first.
        """
        every = [p for group in self.param_groups for p in group["params"]]
        number = {p: i for i, p in enumerate(every)}
        return {
            "state": {
                number[p]: {name: _copy(value) for name, value in kept.items()} for p, kept in self.state.items()
            },
            "param_groups": [{**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a saved optimiser stopped.

        A number in the state dict means the parameter at the same place: the first of the first group here is
        the first of the first group there. The options of each group, lr included, come from the state dict;
        the parameters stay the ones that are here. What the optimiser remembered before is forgotten.

        Whatever does not fit raises ValueError, and then nothing has changed, so everything is looked at before
        anything is written. Two given methods do the looking:
        - `self.check_groups(state_dict)`: are there groups of these sizes, with the options of this rule?
        - `self.copy_state(saved, p, group)`: what is saved of one parameter, copied, if it fits p under the
          options of the saved group.

        >>> p = tensor([1.0, 2.0], requires_grad=True)
        >>> old, new = Adam([p], lr=0.5), Adam([p], lr=0.25)
        >>> p.grad = tensor([1.0, 1.0])
        >>> old.step()
        >>> new.load_state_dict(old.state_dict())
        >>> new.state[p]["step"], new.param_groups[0]["lr"]
        (1, 0.5)
        >>> SGD([p]).load_state_dict(old.state_dict())
        Traceback (most recent call last):
        ValueError: these are not the options of SGD: momentum, dampening, nesterov missing

        About ten lines. `zip` walks through the groups here and there together, and through their parameters.
        """
        self.check_groups(state_dict)
        saved, state = state_dict["state"], {}
        pairs = list(zip(self.param_groups, state_dict["param_groups"], strict=True))
        for here, there in pairs:
            for p, number in zip(here["params"], there["params"], strict=True):
                if number in saved:
                    state[p] = self.copy_state(saved[number], p, there)
        for here, there in pairs:
            here.update({**there, "params": here["params"]})
        self.state = state

    def check_groups(self, state_dict: Mapping[str, Any]) -> None:
        """Refuse a state dict whose groups are not those of this optimiser (given).

        Raises:
            ValueError: it is no state dict of an optimiser, or of another rule, or has groups of other sizes.
        """
        kind = type(self).__name__
        if "state" not in state_dict or "param_groups" not in state_dict:
            raise ValueError(f"not the state dict of an optimiser: {kind} needs 'state' and 'param_groups' in it")
        groups = state_dict["param_groups"]
        here, there = ([len(group["params"]) for group in some] for some in (self.param_groups, groups))
        if here != there:
            raise ValueError(f"this {kind} has groups of {here} parameters, and the state dict groups of {there}")
        for group in groups:
            self.check_options(group)

    def copy_state(self, saved: Mapping[str, Any], p: Tensor, group: Group) -> State:
        """A copy of what was remembered of a parameter, in the parameter's dtype (given).

        Raises:
            ValueError: it has other names than this rule's, or another shape than the parameter's.
        """
        fresh = self.start(p.data, group)
        kind, due = type(self).__name__, {name for name, value in fresh.items() if value is not None}
        if not due <= set(saved) <= set(fresh):
            raise ValueError(f"{kind} remembers {sorted(fresh)} of a parameter, and the state dict has {sorted(saved)}")
        for name, value in saved.items():
            if isinstance(fresh[name], int):
                fresh[name] = int(value)
            elif value is not None:
                array = np.array(value, p.data.dtype)
                if array.shape != p.shape:
                    raise ValueError(f"{name} is for a parameter of shape {array.shape}, and this one has {p.shape}")
                fresh[name] = array
        return fresh

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            told = ", ".join(f"{name}={value}" for name, value in group.items() if name != "params")
            lines.append(f"  group {i}: {len(group['params'])} parameters, {told}")
        return "\n".join([*lines, ")"])


def _kind(value: Any) -> str:
    return type(value).__name__


def _copy(value: Any) -> Any:
    """A copy of an array; anything else as it is, for numbers cannot be changed."""
    return value.copy() if isinstance(value, np.ndarray) else value


# ---- Piece by piece (given) --------------------------------------------------------------------------------


def in_pieces(rule: Rule, p: Array, grad: Array, state: State, group: Group) -> None:
    """Apply an update rule to a large parameter piece by piece, with the same result as all at once.

    Every rule works on each element by itself, so it cannot tell a piece from the whole. It takes about ten passes
    over its arrays. With millions of numbers each pass fetches them from main memory again; a piece stays in the
    processor's cache from the first pass to the last, and so do the arrays that the rule makes on its way.

    A rule sees some rows of the arrays. It may write into them, put new arrays into its state, or exchange old ones.

    >>> def count(p, grad, state, group):
    ...     state["step"] += 1
    ...     p -= group["lr"] * grad
    >>> p, state = np.zeros((100_000, 2)), {"step": 0}
    >>> in_pieces(count, p, np.ones((100_000, 2)), state, {"lr": 0.5})
    >>> bool((p == -0.5).all()), state
    (True, {'step': 1})
    """
    if grad.shape != p.shape:
        raise ValueError(f"a gradient of shape {grad.shape} for a parameter of shape {p.shape}")
    if p.ndim and p.size <= PIECE:
        rule(p, grad, state, group)
        return
    before = dict(state)
    for rows in _row_slices(p):
        views = {name: _rows(kept, rows) for name, kept in before.items() if isinstance(kept, np.ndarray)}
        piece = before | views
        rule(_rows(p, rows), _rows(grad, rows), piece, group)
        for name, value in piece.items():
            if not isinstance(value, np.ndarray):
                state[name] = value
            elif value is not views.get(name):  # not written in place, but exchanged
                if not isinstance(state.get(name), np.ndarray):
                    state[name] = np.empty(p.shape, value.dtype)
                _rows(state[name], rows)[...] = value


def _row_slices(p: Array) -> Iterator[slice]:
    """Slices of the first dimension, each with about `PIECE` numbers or, where rows are longer, one row."""
    count = p.shape[0] if p.ndim else 1
    step = max(1, PIECE * count // p.size)
    return (slice(i, i + step) for i in range(0, count, step))


def _rows(array: Array, rows: slice) -> Array:
    """These rows, as a view; a number without dimensions is a row of its own."""
    return array[rows] if array.ndim else array.reshape(1)[rows]


# ---- Stochastic gradient descent ---------------------------------------------------------------------------


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where asked: a ball that rolls downhill.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def start(self, p: Array, group: Group) -> State:
        """Nothing is remembered without momentum; with it one array, which the first step makes."""
        return {"momentum_buffer": None} if group["momentum"] else {}

    def update(self, p: Array, grad: Array, state: State, group: Group) -> None:
        """Go against the gradient.

            p <- p - lr * d

        d is `self.gradient(p, grad, group)`. With `group["momentum"]` it is what `self.velocity` makes of
        that.

        p is written in place (`p -= ...`, or `np.subtract` with `out=p`). `p = p - ...` would only give the name
        p to another array, and the model would keep the old one.

        >>> p, g = np.array([1.0, 2.0]), np.array([0.5, -1.0])
        >>> optimizer = SGD([tensor(p)], lr=0.5)
        >>> optimizer.update(p, g, {}, optimizer.param_groups[0])
        >>> p
        array([0.75, 2.5 ])

        Four lines.
        """
        grad = self.gradient(p, grad, group)
        if group["momentum"]:
            grad = self.velocity(grad, state, group)
        p -= group["lr"] * grad

    def velocity(self, grad: Array, state: State, group: Group) -> Array:
        """The direction to go in when earlier steps still count.

            grad (...)  ->  (...)

        `state["momentum_buffer"]` is the velocity v, the gradients so far with the older ones fading. With the
        momentum mu and the dampening d of the group:

            v <- g                         at the first step (until then `state.get("momentum_buffer")` is None)
            v <- mu * v + (1 - d) * g      at every other

        The result is v. With `group["nesterov"]` it is g + mu * v: mu * v is where the ball rolls
        anyway, so its gradient is counted once more beyond it.

        The buffer starts as a copy of g, whose memory belongs to somebody else, and then changes in place.

        By hand, with mu = 0.5 and gradients of 1: v = 1, then 0.5 + 1 = 1.5, then 0.75 + 1 = 1.75, towards 2.

        >>> optimizer = SGD([tensor([0.0])], momentum=0.5)
        >>> g, state, group = np.array([1.0]), {}, optimizer.param_groups[0]
        >>> [float(optimizer.velocity(g, state, group)[0]) for _ in range(3)]
        [1.0, 1.5, 1.75]
        >>> 0.5 * 1.5
        0.75
        >>> optimizer.velocity(g, {"momentum_buffer": np.array([1.5])}, {**group, "nesterov": True})
        array([1.875])

        About seven lines.
        """
        velocity: Array | None = state.get("momentum_buffer")
        if velocity is None:
            velocity = state["momentum_buffer"] = grad.copy()
        else:
            velocity *= group["momentum"]
            velocity += (1 - group["dampening"]) * grad if group["dampening"] else grad
        return grad + group["momentum"] * velocity if group["nesterov"] else velocity


# ---- Steps that know the usual size of a gradient ----------------------------------------------------------


def moving_average(average: Array, value: Array, beta: float) -> Array:
    """Let an average follow a value: most of the old one, and a little of the new.

        average (...), value (...)  ->  average, written in place

        average <- beta * average + (1 - beta) * value

    The two shares add up to 1, so an average of equal values is that value. The values fade like beta, beta^2,
    beta^3, ...: with beta = 0.9 it is about the last ten that count, and no list of them is kept.

    >>> average = np.zeros(2)
    >>> moving_average(average, np.array([8.0, -8.0]), 0.75)
    array([ 2., -2.])
    >>> moving_average(average, np.array([8.0, -8.0]), 0.75), average
    (array([ 3.5, -3.5]), array([ 3.5, -3.5]))
    >>> moving_average(np.array([1.0]), np.array([0.0]), 0.9)
    array([0.9])

    Two or three lines, with `*=` and `+=`. Return the same array.
    """
    average *= beta
    average += (1 - beta) * value
    return average


class RMSprop(Optimizer):
    """RMSprop: divide each gradient by its usual size, so that steep and flat directions take steps of one size.

    G. Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012.
    PyTorch: https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def start(self, p: Array, group: Group) -> State:
        """The average of squared gradients, and more where an option needs it, all 0 at first."""
        names = ["square_avg"]
        names += ["grad_avg"] if group["centered"] else []
        names += ["momentum_buffer"] if group["momentum"] else []
        return {name: np.zeros_like(p) for name in names}

    def update(self, p: Array, grad: Array, state: State, group: Group) -> None:
        """Go against the gradient in units of its usual size.

        With g = `self.gradient(p, grad, group)`:

            s <- alpha * s + (1 - alpha) * g^2       state["square_avg"]
            p <- p - lr * g / (sqrt(s) + eps)

        The root brings the average square back to the size of a gradient: g / sqrt(s) is near 1 or -1 whether
        gradients are around 50 or 0.0005. eps stands outside the root and only keeps 0 / 0 away.

        With `group["centered"]`, a moving average m of g itself (state["grad_avg"], the same alpha) is kept,
        too, and sqrt(s - m^2) stands for sqrt(s). With `group["momentum"]` mu, the quotient u = g / (...) goes
        into a buffer, b <- mu * b + u (state["momentum_buffer"]), and p moves by lr * b.

        By hand, s = 0, alpha = 0.75, g = 4: s = 0.25 * 16 = 4, and p moves by lr * 4 / 2.

        >>> p, state = np.array([1.0]), {"square_avg": np.zeros(1)}
        >>> optimizer = RMSprop([tensor(p)], lr=0.125, alpha=0.75)
        >>> optimizer.update(p, np.array([4.0]), state, optimizer.param_groups[0])
        >>> p, state
        (array([0.75]), {'square_avg': array([4.])})
        >>> [round(g / math.sqrt(g * g), 4) for g in (50, 0.0005)], (1 - 0.75) * 16
        ([1.0, 1.0], 4.0)
        >>> 1 - 0.75
        0.25

        About twelve lines, with `moving_average`. All states and p are written in place.
        """
        grad = self.gradient(p, grad, group)
        square = moving_average(state["square_avg"], grad * grad, group["alpha"])
        if group["centered"]:
            mean = moving_average(state["grad_avg"], grad, group["alpha"])
            square = square - mean * mean
        size = np.sqrt(square)
        size += group["eps"]
        change = np.divide(grad, size, out=size)
        if group["momentum"]:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += change
            change = buffer
        p -= group["lr"] * change


class Adam(Optimizer):
    """Adam: momentum and RMSprop together, right from the first step on.

    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015, arXiv:1412.6980.
    PyTorch: https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def start(self, p: Array, group: Group) -> State:
        """A count of steps and two averages as large as the parameter, all 0 at first; a third for amsgrad."""
        names = ["exp_avg", "exp_avg_sq"] + (["max_exp_avg_sq"] if group["amsgrad"] else [])
        return {"step": 0, **{name: np.zeros_like(p) for name in names}}

    def update(self, p: Array, grad: Array, state: State, group: Group) -> None:
        """Go against the average gradient, in units of the gradient's usual size.

        With g = `self.gradient(p, grad, group)`, and t = state["step"], which counts this step already:

            m <- beta1 * m + (1 - beta1) * g         state["exp_avg"]
            v <- beta2 * v + (1 - beta2) * g^2       state["exp_avg_sq"]
            p <- p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

        m and v start at 0 and are too small at first: after t equal gradients m is only the share 1 - beta1^t of
        one. Divided by that share it is exact, and v likewise. Without it the first steps would be 3.16 times
        too long. What is kept in the state stays undivided.

        With `group["amsgrad"]` the largest v so far (state["max_exp_avg_sq"]) stands for v in the last line.

        By hand: at t = 1 both corrections give g and g^2 back, so p moves by lr * g / |g|, whatever g is.

        >>> p = np.array([1.0, 1.0])
        >>> optimizer = Adam([tensor(p)], lr=0.25)
        >>> state = optimizer.start(p, optimizer.param_groups[0])
        >>> optimizer.update(p, np.array([0.5, -50.0]), state, optimizer.param_groups[0])
        >>> p.round(4), state["step"], state["exp_avg"]
        (array([0.75, 1.25]), 1, array([ 0.05, -5.  ]))
        >>> round((1 - 0.9) / math.sqrt(1 - 0.999), 2)
        3.16

        About ten lines, with `moving_average`. `betas` is a pair. All states and p are written in place.
        """
        beta1, beta2 = group["betas"]
        grad = self.gradient(p, grad, group)
        state["step"] += 1
        mean = moving_average(state["exp_avg"], grad, beta1)
        square = moving_average(state["exp_avg_sq"], grad * grad, beta2)
        if group["amsgrad"]:
            square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        share, root = 1 - beta1 ** state["step"], math.sqrt(1 - beta2 ** state["step"])
        size = np.sqrt(square)  # above and below the line times root: the corrections touch numbers, not arrays
        size += root * group["eps"]
        change = np.divide(mean, size, out=size)
        change *= group["lr"] * root / share
        p -= change


class AdamW(Adam):
    """Adam with weight decay that stays outside the averages.

    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", 2019, arXiv:1711.05101.
    PyTorch: https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    def update(self, p: Array, grad: Array, state: State, group: Group) -> None:
        """Shrink the parameter a little, then take Adam's step with the bare gradient.

            p <- p - lr * wd * p
            p <- Adam's step, as if wd were 0

        Added to the gradient, the decay would be divided by its usual size like everything else, and a parameter
        of 100 would be drawn to 0 no faster than one of 1. Here it never meets the averages: every parameter
        loses the same share.

        With a gradient of 0 Adam would not move at all, so what is left is the decay: with lr = 0.5 and wd =
        0.25, an eighth of p.

        >>> p = np.array([8.0, -80.0])
        >>> optimizer = AdamW([tensor(p)], lr=0.5, weight_decay=0.25)
        >>> group = optimizer.param_groups[0]
        >>> optimizer.update(p, np.zeros(2), optimizer.start(p, group), group)
        >>> p
        array([  7., -70.])

        Two lines. `super().update(...)` is Adam's; hand it a group that says "weight_decay": 0, and leave the real
        one alone.
        """
        p *= 1 - group["lr"] * group["weight_decay"]
        super().update(p, grad, state, {**group, "weight_decay": 0.0})
