"""Automatic differentiation: from the record of what was done to the gradient of everything that went in.

Modules 01 to 04 recorded every operation: its name, its inputs and a few saved values. This file says for each
operation how it hands a gradient on to its inputs, which is its *backward rule*, and walks the record from the result
back to the leaves. With that, `loss.backward()` works for any program that was written with tensors.

A gradient here is a NumPy array: how fast the final result changes with each element of some tensor. A rule is asked
only for what lies between one operation's result and its inputs, so it fits in a few lines:

    @backward_rule("double")
    def double_backward(grad, x):          # grad: the gradient of the result, in the result's shape and dtype
        return 2 * grad                    # the gradient of x, in the shape of x

What was saved for the rule comes by name. An operation of several inputs returns a tuple, one gradient each, with None
for an input that has none. A rule never writes into `grad` or into what was saved: others read them too. For the same
reason it gives a new array, or `grad` itself, or a view of it.

The rules of neg, sub, exp and a few more are given, as examples to read. Gradients of gradients are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from .tensor import Dim, Function, Shape, Tensor, add_up, from_numpy, grad_mode

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = Any  # what a rule gives: an array, or a tuple with an array or None for every input
Rule = TypeVar("Rule", bound=Callable[..., Any])


def backward_rule(name: str) -> Callable[[Rule], Rule]:
    """Register a function as the backward rule of the operation `name` (given).

    >>> @backward_rule("triple")
    ... def triple_backward(grad, x):
    ...     return 3 * grad
    >>> Function.rules["triple"] is triple_backward
    True
    """

    def register(rule: Rule) -> Rule:
        Function.rules[name] = rule
        return rule

    return register


def share(grad: Array, x: Tensor) -> Array | None:
    """The part of a gradient that an input gets: None where nobody asks, and always in the input's shape (given).

    Where the input was broadcast, `unbroadcast` (below) sums the gradient back. Until you have written that, the rules
    of arithmetic work for inputs of one shape.
    """
    if not x.requires_grad:
        return None
    return grad if grad.shape == x.data.shape else unbroadcast(grad, x.data.shape)


# ---- One operation: the rules of arithmetic ----------------------------------------------------------------


@backward_rule("neg")
def neg_backward(grad: Array, x: Tensor) -> Gradients:
    """For y = -x: whatever raises y lowers x (given).

    >>> x = tensor([5.0], requires_grad=True)
    >>> (-x).backward()
    >>> x.grad
    tensor([-1.])
    """
    return -grad


@backward_rule("add")
def add_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    """For y = a + b: raise either input by a little, and y rises by as much.

        dy/da = 1        dy/db = 1        so each gets grad as it is

    >>> a, b = tensor([2.0], requires_grad=True), tensor([5.0], requires_grad=True)
    >>> ((a + b) * 3).backward()
    >>> a.grad, b.grad
    (tensor([3.]), tensor([3.]))

    Send what each input gets through `share` (given, above): it sees to shapes that were broadcast. One line, a tuple.
    """
    return share(grad, a), share(grad, b)


@backward_rule("sub")
def sub_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    """For y = a - b: raise b, and y falls (given).

    >>> a, b = tensor([2.0], requires_grad=True), tensor([5.0], requires_grad=True)
    >>> (a - b).backward()
    >>> a.grad, b.grad
    (tensor([1.]), tensor([-1.]))
    """
    return share(grad, a), share(-grad, b) if b.requires_grad else None


@backward_rule("mul")
def mul_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    """For y = a · b: each input's slope is the other input.

        dy/da = b        dy/db = a        and the chain rule: grad · slope, element by element

    >>> a, b = tensor([2.0], requires_grad=True), tensor([5.0], requires_grad=True)
    >>> (a * b).backward()
    >>> a.grad, b.grad
    (tensor([5.]), tensor([2.]))

    `share` as in add. Two products; where an input requires no gradient, its product need not be computed.
    """
    return (
        share(grad * b.data, a) if a.requires_grad else None,
        share(grad * a.data, b) if b.requires_grad else None,
    )


@backward_rule("div")
def div_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    """For y = a / b: the numerator's slope is 1 / b, the denominator's is negative and falls with its square.

        dy/da = 1 / b        dy/db = -a / b^2

    By hand, for 6 / 3: 1/3, and -6/9. (The usual slips: +0.6667, without the sign, and -2, without the square.)

    >>> a, b = tensor([6.0], requires_grad=True), tensor([3.0], requires_grad=True)
    >>> (a / b).backward()
    >>> a.grad, b.grad
    (tensor([0.3333]), tensor([-0.6667]))

    About three lines: -a / b^2 is -(1 / b) · (a / b), so `grad / b.data` serves both.
    """
    grad = grad / b.data
    return share(grad, a), share(-grad * (a.data / b.data), b) if b.requires_grad else None


# ---- All operations: the walk ------------------------------------------------------------------------------


def topological_order(root: Tensor) -> list[Tensor]:
    """Every tensor that the gradient of `root` passes, each one before all tensors that were computed from it.

    So leaves stand at the front and root at the end, each tensor once, however many ways lead to it. What requires no
    gradient is left out. A tensor's inputs are `x.grad_fn.inputs`; a leaf has no `grad_fn`.

    >>> x = tensor(2.0, requires_grad=True)
    >>> a = x * x
    >>> b = a + x
    >>> [t.grad_fn.name if t.grad_fn else "leaf" for t in topological_order(b)]
    ['leaf', 'mul', 'add']

    Read backwards, this is the order in which gradients can be handed on: a tensor passes on what it got only when
    all that used it have reported. Order of appearance is not enough: x above is an input of `add` and of `mul`, and
    must wait for both.

    A function that calls itself for each input would do for small graphs. Python gives up at about 1,000 calls
    within each other, and a loop of 20,000 steps records a chain that long. Keep a list of what is waiting instead: a
    tensor waits once to be opened (its inputs go on top of the list) and once more, below them, to be put down. About
    twelve lines. Tell tensors apart by `id()`; `==` compares their numbers.
    """
    order: list[Tensor] = []
    seen: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        x, inputs_are_in = waiting.pop()
        if inputs_are_in:
            order.append(x)
        elif x.requires_grad and id(x) not in seen:
            seen.add(id(x))
            waiting.append((x, True))
            if x.grad_fn is not None:
                waiting.extend((source, False) for source in x.grad_fn.inputs)
    return order


def backward(tensor: Tensor, gradient: Tensor | None = None, retain_graph: bool = False) -> None:
    """Add to every leaf below `tensor` the gradient of `tensor` with respect to it.

        tensor (...), gradient (...) of the same shape       a single number needs none: it starts from 1

    `Tensor.backward` calls this. The walk keeps one gradient per tensor that it has reached, found by `id()`. It takes
    the tensors from the result to the leaves. At each operation the rule gives every input its part, and what a tensor
    gets from several operations *adds up*. At a leaf the walk ends, and what has arrived there is handed to
    `accumulate`. All other tensors keep `grad` None.

    >>> x = tensor(3.0, requires_grad=True)
    >>> (x * x + x).backward()        # 2x + 1
    >>> x.grad
    tensor(7.)

    The graph is used up: each operation is freed as soon as it is done, so that the memory of a deep network goes back
    step by step. A second backward through it raises RuntimeError, unless `retain_graph` keeps it.

    Only when the walk has ended are the leaves' gradients written: an error in some rule leaves them all as they were.

    Given, below: `first_gradient`, `check_not_freed(order)`, `input_gradients(node, grad)`, which asks the rule and
    gives pairs (input, its gradient), and `free(node)`. A sum of two arrays without dimensions is a NumPy scalar;
    `np.asarray` makes an array of it. Keep `np.errstate(all="ignore")` around the walk: the slope of a square root at 0
    is infinite, and that deserves no warning. About eighteen lines. See `torch.Tensor.backward`.
    """
    start = first_gradient(tensor, gradient)
    order = topological_order(tensor)
    check_not_freed(order)
    grads = {id(tensor): start}
    leaves = []
    with np.errstate(all="ignore"):
        while order:
            x = order.pop()  # from the result to the leaves
            grad = grads.pop(id(x), None)
            if grad is None:  # no rule gave it one
                continue
            if x.grad_fn is None:
                leaves.append((x, grad))
                continue
            for source, part in input_gradients(x.grad_fn, grad):
                before = grads.get(id(source))
                grads[id(source)] = part if before is None else np.asarray(before + part)
            if not retain_graph:
                free(x.grad_fn)
    accumulate(leaves)


def first_gradient(tensor: Tensor, gradient: Any) -> Array:
    """The gradient that the walk starts with: 1 for a single number, else a copy of what the caller gives (given)."""
    if not tensor.requires_grad:
        raise RuntimeError("backward() on a tensor without history: nothing that requires a gradient went into it")
    if gradient is None:
        if tensor.numel() != 1:
            raise RuntimeError(
                f"backward() of shape {tensor.shape} needs a gradient of that shape: only a single number starts from 1"
            )
        return np.ones(tensor.shape, tensor.dtype)
    start = np.array(gradient.data if isinstance(gradient, Tensor) else gradient, dtype=tensor.dtype)
    if start.shape != tensor.shape:
        raise ValueError(f"backward() of shape {tensor.shape} got a gradient of shape {start.shape}")
    return start


def check_not_freed(order: Sequence[Tensor]) -> None:
    """Raise RuntimeError where an earlier backward() has freed part of the graph (given)."""
    if any(x.grad_fn is not None and not x.grad_fn.inputs for x in order):
        raise RuntimeError(
            "backward() has gone through this graph before and freed it: compute the result again, or keep the graph "
            "with autograd.backward(tensor, retain_graph=True)"
        )


def input_gradients(node: Function, grad: Array) -> list[tuple[Tensor, Array]]:
    """The inputs of an operation that require a gradient, each with its own, in its dtype (given).

    Raises:
        RuntimeError: the rule does not give one gradient per input, or one has another shape than its input.
    """
    parts = node.backward(grad)
    parts = parts if isinstance(parts, tuple) else (parts,)
    if len(parts) != len(node.inputs):
        raise RuntimeError(
            f"the backward rule of {node.name!r} gave {len(parts)} gradients for {len(node.inputs)} inputs"
        )
    found = []
    for source, part in zip(node.inputs, parts, strict=True):
        if part is None or not source.requires_grad:
            continue
        array = np.asarray(part, dtype=source.data.dtype)
        if array.shape != source.data.shape:
            raise RuntimeError(
                f"the backward rule of {node.name!r} gave a gradient of shape {array.shape} for an input of shape "
                f"{source.shape}"
            )
        found.append((source, array))
    return found


def free(node: Function) -> None:
    """Forget what an operation held on to, so that its memory can be used again (given)."""
    node.inputs, node.saved = (), {}


def accumulate(leaves: Sequence[tuple[Tensor, Array]]) -> None:
    """Add to the gradient of each leaf what has arrived there.

    `leaves` holds pairs (leaf, array in the leaf's shape). A leaf whose `grad` is None gets a new Tensor. One that has
    a gradient keeps the Tensor, and the array is added to it in place: two backward calls add up, as in PyTorch, and a
    reference to `x.grad` stays good.

    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> for _ in range(2):
    ...     (3 * x).sum().backward()
    >>> x.grad
    tensor([6., 6.])

    Each leaf gets memory of its own. The array may be another's: for y = a + b both get the gradient of y itself,
    and a sum hands out a view of one number that NumPy lets nobody write into. A copy is always right;
    `from_numpy(array)` wraps an array without copying. Four lines, a few more if you copy only where it is needed.
    """
    taken: set[int] = set()
    for leaf, grad in leaves:
        if leaf.grad is not None:
            leaf.grad.data += grad
            continue
        is_ours = grad.base is None and id(grad) not in taken  # no view, and no other leaf has it
        taken.add(id(grad))
        leaf.grad = from_numpy(grad if is_ours else grad.copy())


# ---- One number, used twice --------------------------------------------------------------------------------


def unbroadcast(grad: Array, shape: Shape) -> Array:
    """Sum a gradient back to the shape that broadcasting started from.

    What the forward pass repeated, the backward pass sums: a bias (3,) that was added to two rows was read twice,
    and both rows report to it. NumPy repeats in two ways, and each has its own way back:

        put a dimension in front    (3,) read as (2, 3)      sum over it, and it disappears
        stretch a size of 1         (2, 1) read as (2, 3)    sum over it, and keep it with size 1

    >>> grad = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> unbroadcast(grad, (3,)), unbroadcast(grad, (2, 1)), unbroadcast(grad, ())
    (array([5., 7., 9.]), array([[ 6.],
           [15.]]), array(21.))
    >>> unbroadcast(np.ones((4, 2, 3)), (4, 1, 3)).shape, unbroadcast(np.ones((4, 2, 3)), (2, 1)).shape
    ((4, 1, 3), (2, 1))

    The result is an array, also where it has no dimensions (`np.asarray`). About six lines, front dimensions first.
    """
    if grad.shape == shape:
        return grad
    front = grad.ndim - len(shape)
    stretched = tuple(dim for dim, size in enumerate(shape, start=front) if size == 1 and grad.shape[dim] != 1)
    grad = grad.sum(axis=(*range(front), *stretched), keepdims=True)
    return grad.reshape(shape)


@backward_rule("expand")
def expand_backward(grad: Array, x: Tensor) -> Gradients:
    """For y = x.expand(...): broadcasting that was asked for by name (given).

    >>> x = tensor([[1.0], [2.0]], requires_grad=True)
    >>> x.expand(2, 3).sum().backward()
    >>> x.grad
    tensor([[3.],
            [3.]])
    """
    return share(grad, x)


# ---- Element by element ------------------------------------------------------------------------------------


def masked(grad: Array, mask: Array) -> Array:
    """The gradient where a mask of booleans is True, and 0 elsewhere (given).

    A product with the mask is many times faster than `np.where`, which has to guess at every element. It goes wrong
    only where the gradient is infinite: 0 · inf is nan.

    >>> masked(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))
    array([1., 0., 3.])
    >>> masked(np.array([math.inf, 2.0]), np.array([False, True]))
    array([0., 2.])
    """
    with np.errstate(invalid="ignore"):
        product: Array = grad * mask
        return np.where(mask, grad, 0) if np.isnan(product.min(initial=0)) else product


@backward_rule("exp")
def exp_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    """For y = exp(x): its own slope, so the saved result is all that is needed (given).

    >>> x = tensor([0.0, math.log(2)], requires_grad=True)
    >>> x.exp().sum().backward()
    >>> x.grad
    tensor([1., 2.])
    """
    return grad * result


@backward_rule("log")
def log_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    """For y = log(x): slope 1 / x (given).

    >>> x = tensor([0.5, 4.0], requires_grad=True)
    >>> x.log().sum().backward()
    >>> x.grad
    tensor([2.0000, 0.2500])
    """
    return grad / x.data


@backward_rule("sqrt")
def sqrt_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    """For y = √x, saved as `result`.

        dy/dx = 1 / (2 · √x)        infinite at 0, as in PyTorch

    >>> x = tensor([4.0, 0.25, 0.0], requires_grad=True)
    >>> x.sqrt().sum().backward()
    >>> x.grad
    tensor([0.2500, 1.0000,    inf])

    One line.
    """
    return grad / (2 * result)


@backward_rule("tanh")
def tanh_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    """For y = tanh(x), saved as `result`.

        dy/dx = 1 - y^2        y, not x: at x = log 2 the tanh is 0.6 and the slope 0.64

    >>> x = tensor([math.log(2), 0.0], requires_grad=True)
    >>> y = x.tanh()
    >>> y.sum().backward()
    >>> y.detach(), x.grad
    (tensor([0.6000, 0.0000]), tensor([0.6400, 1.0000]))

    One line.
    """
    return grad * (1 - result * result)


@backward_rule("sigmoid")
def sigmoid_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    """For y = sigmoid(x), saved as `result`.

        dy/dx = y · (1 - y)        at most 1/4, where y is 1/2: the reason why deep stacks of sigmoids learn slowly

    >>> x = tensor([0.0, math.log(3)], requires_grad=True)
    >>> sigmoid(x).sum().backward()
    >>> x.grad
    tensor([0.2500, 0.1875])

    One line.
    """
    return grad * result * (1 - result)


@backward_rule("relu")
def relu_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    """For y = max(x, 0), saved as `result`.

        dy/dx = 1 where x > 0, else 0        at 0 itself 0, as in PyTorch

    >>> x = tensor([3.0, -2.0, 0.0], requires_grad=True)
    >>> (5 * relu(x)).sum().backward()
    >>> x.grad
    tensor([5., 0., 0.])

    The result is positive exactly where x is. One line, with `masked` (given, above).
    """
    return masked(grad, result > 0)


@backward_rule("leaky_relu")
def leaky_relu_backward(grad: Array, x: Tensor, negative_slope: float) -> Gradients:
    """For y = x where x > 0, else negative_slope · x (given).

    >>> x = tensor([3.0, -2.0], requires_grad=True)
    >>> leaky_relu(x, 0.25).sum().backward()
    >>> x.grad
    tensor([1.0000, 0.2500])
    """
    positive = x.data > 0
    return masked(grad, positive) + negative_slope * masked(grad, ~positive)


@backward_rule("abs")
def abs_backward(grad: Array, x: Tensor) -> Gradients:
    """For y = |x|: slope 1 or -1, and 0 at the corner (given).

    >>> x = tensor([3.0, -2.0, 0.0], requires_grad=True)
    >>> x.abs().sum().backward()
    >>> x.grad
    tensor([ 1., -1.,  0.])
    """
    return grad * np.sign(x.data)


@backward_rule("clamp")
def clamp_backward(grad: Array, x: Tensor, min: float | None, max: float | None) -> Gradients:  # noqa: A002 (PyTorch's)
    """For y = x limited to min and max, each of which may be None.

        dy/dx = 1 where min <= x <= max, else 0        the bounds themselves belong to it, as in PyTorch

    >>> x = tensor([-3.0, -1.0, 0.5, 2.0, 9.0], requires_grad=True)
    >>> x.clamp(-1, 2).sum().backward()
    >>> x.grad
    tensor([0., 1., 1., 1., 0.])

    About two lines, with `masked`. An infinite bound limits nothing.
    """
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    return masked(grad, (x.data >= low) & (x.data <= high))


@backward_rule("pow")
def pow_backward(grad: Array, base: Tensor, exponent: Tensor) -> Gradients:
    """For y = x^p. Both may require a gradient, and broadcast.

        dy/dx = p · x^(p - 1)        dy/dp = x^p · log(x)

    >>> x, p = tensor([2.0, 3.0], requires_grad=True), tensor(2.0, requires_grad=True)
    >>> (x ** p).sum().backward()
    >>> x.grad, p.grad        # 4 log 2 + 9 log 3
    (tensor([4., 6.]), tensor(12.6601))
    >>> round(4 * math.log(2) + 9 * math.log(3), 4)
    12.6601

    Two corners, both at 0. x^0 is constant: its slope is 0 also at x = 0, where the formula says 0 · inf. And 0^p
    stays 0 when p moves, for p >= 0, though log(0) is -inf.

    >>> x = tensor([0.0, 2.0], requires_grad=True)
    >>> (x ** 0).sum().backward()
    >>> x.grad
    tensor([0., 0.])

    About eight lines, with `share` and `np.where`. Compute only what is required: most exponents are constants.
    """
    x, p = base.data, exponent.data
    to_base = to_exponent = None
    if base.requires_grad:
        to_base = share(grad * (p * x ** np.where(p == 0, 0, p - 1)), base)
    if exponent.requires_grad:
        to_exponent = share(np.where((x == 0) & (p >= 0), 0, grad * x**p * np.log(x)), exponent)
    return to_base, to_exponent


@backward_rule("maximum")
def maximum_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    """For y = maximum(a, b): the gradient goes to the larger one, and a tie is shared, half and half.

    >>> a, b = tensor([1.0, 5.0, 2.0], requires_grad=True), tensor([4.0, 3.0, 2.0], requires_grad=True)
    >>> (8 * maximum(a, b)).sum().backward()
    >>> a.grad, b.grad
    (tensor([0., 8., 4.]), tensor([8., 0., 4.]))

    About three lines, with `masked` and `share`: one half where a >= b, the other half where a > b.
    """
    half = grad / 2
    to_a = masked(half, a.data >= b.data) + masked(half, a.data > b.data)
    to_b = masked(half, b.data >= a.data) + masked(half, b.data > a.data)
    return share(to_a, a), share(to_b, b)


@backward_rule("where")
def where_backward(grad: Array, a: Tensor, b: Tensor, condition: Array) -> Gradients:
    """For y = where(condition, a, b): each element came from one of the two, and its gradient goes back there.

    >>> a, b = tensor([1.0, 2.0, 3.0], requires_grad=True), tensor(0.0, requires_grad=True)
    >>> (where(tensor([True, False, False]), a, b) * tensor([5.0, 6.0, 7.0])).sum().backward()
    >>> a.grad, b.grad
    (tensor([5., 0., 0.]), tensor(13.))

    `condition` is an array of booleans that broadcasts to grad. One line, with `masked` and `share`.
    """
    return share(masked(grad, condition), a), share(masked(grad, ~condition), b)


@backward_rule("to")
def to_backward(grad: Array, x: Tensor) -> Gradients:
    """The same numbers in another dtype: the gradient goes back to the old one (given).

    >>> x = tensor([1.0], requires_grad=True)
    >>> x.to(float64).backward()
    >>> x.grad.dtype
    dtype('float32')
    """
    return grad.astype(x.dtype)


@backward_rule("clone")
def clone_backward(grad: Array, x: Tensor) -> Gradients:
    """A copy: its gradient is the original's (given).

    >>> x = tensor([1.0], requires_grad=True)
    >>> x.clone().backward()
    >>> x.grad
    tensor([1.])
    """
    return grad


# ---- The matrix product ------------------------------------------------------------------------------------


@backward_rule("matmul")
def matmul_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    """For y = a @ b, for operands of one dimension or more, whose leading dimensions broadcast.

        a (n, k)  @  b (k, m)  ->  y (n, m), grad (n, m)

        gradient of a (n, k)  =  grad (n, m) @ bᵀ (m, k)
        gradient of b (k, m)  =  aᵀ (k, n) @ grad (n, m)

    There is only one way in which the shapes fit, and it is the right one. Element by element: a[i, j] was multiplied
    with row j of b, and came into row i of y.

    >>> a = tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)        # (3, 2)
    >>> b = tensor([[1.0], [10.0]], requires_grad=True)                             # (2, 1)
    >>> (a @ b).sum().backward()
    >>> a.grad, b.grad
    (tensor([[ 1., 10.],
            [ 1., 10.],
            [ 1., 10.]]), tensor([[ 9.],
            [12.]]))

    With more dimensions, transpose the last two only (`np.swapaxes(x, -1, -2)`), and leave it to `share` to sum over
    what was broadcast. A vector counts as a matrix of one row on the left, (k,) as (1, k), and of one column on the
    right, (k,) as (k, 1); the dimension that y lacks is put back into grad. Compute only what is required.

    >>> v, w = tensor([1.0, 2.0], requires_grad=True), tensor([5.0, 7.0], requires_grad=True)
    >>> (v @ w).backward()
    >>> v.grad, w.grad
    (tensor([5., 7.]), tensor([1., 2.]))

    About twelve lines. `np.expand_dims(array, dim)` puts a dimension in, and `reshape` takes it out.
    """
    left = a.data if a.ndim > 1 else a.data[None, :]  # (..., n, k)
    right = b.data if b.ndim > 1 else b.data[:, None]  # (..., k, m)
    if a.ndim == 1:
        grad = np.expand_dims(grad, -1 if b.ndim == 1 else -2)
    if b.ndim == 1:
        grad = grad[..., None]  # (..., n, m)
    to_a = to_b = None
    if right.ndim == 2:  # one matrix for all rows: they lie below each other as one long matrix, and BLAS is asked once
        rows, grad = left.reshape(-1, left.shape[-1]), grad.reshape(-1, grad.shape[-1])
        to_a = grad @ right.T if a.requires_grad else None
        to_b = rows.T @ grad if b.requires_grad else None
    else:
        to_a = unbroadcast(grad @ right.swapaxes(-1, -2), left.shape) if a.requires_grad else None
        to_b = unbroadcast(left.swapaxes(-1, -2) @ grad, right.shape) if b.requires_grad else None
    return in_shape(to_a, a), in_shape(to_b, b)


def in_shape(grad: Array | None, x: Tensor) -> Array | None:
    """A gradient in the shape of its input; no view is made where it has that shape (given)."""
    return grad if grad is None or grad.shape == x.shape else grad.reshape(x.shape)


# ---- Elements that were moved ------------------------------------------------------------------------------


@backward_rule("reshape")
def reshape_backward(grad: Array, x: Tensor) -> Gradients:
    """For y = x in another shape: its gradient in the shape of x (given).

    >>> x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> (x.reshape(4) * tensor([5.0, 6.0, 7.0, 8.0])).sum().backward()
    >>> x.grad
    tensor([[5., 6.],
            [7., 8.]])
    """
    return grad.reshape(x.shape)


@backward_rule("permute")
def permute_backward(grad: Array, x: Tensor, dims: Sequence[int]) -> Gradients:
    """For y = x.permute(dims): dimension i of y was dimension dims[i] of x, and goes back there.

    >>> x = zeros(2, 3, 4, requires_grad=True)
    >>> y = x.permute(1, 2, 0)
    >>> y.shape
    (3, 4, 2)
    >>> (y * arange(24).reshape(3, 4, 2)).sum().backward()
    >>> x.grad.shape, x.grad[1, 2, 3]        # 3 · 4 · 2 numbers, and the one at [2, 3, 1] of them
    ((2, 3, 4), tensor(23.))

    Which order undoes (1, 2, 0)? The place of 0 in it, the place of 1, the place of 2: (2, 0, 1). Sorting finds it,
    `np.argsort(dims)`; but dims may be negative, as in (-1, 0, 1). One or two lines.
    """
    return grad.transpose(np.argsort([dim % x.ndim for dim in dims]))


@backward_rule("getitem")
def getitem_backward(grad: Array, x: Tensor, index: tuple[Any, ...]) -> Gradients:
    """For y = x[index]: what was picked gets its gradient, what was not gets 0.

    An element that was picked twice gets both. Lists and arrays of integers can do that, as in an embedding, where a
    word occurs twice in a sentence:

    >>> x = tensor([10.0, 20.0, 30.0], requires_grad=True)
    >>> (x[[2, 0, 2]] * tensor([1.0, 2.0, 4.0])).sum().backward()
    >>> x.grad
    tensor([2., 0., 5.])

    `total[index] += grad` writes one of the two and loses the other. `np.add.at(total, index, grad)` adds both, and is
    slower, so use it only where an index can repeat (`can_repeat`, given below). About five lines; `total` has the
    shape of x and grad's dtype.
    """
    total = np.zeros(x.shape, grad.dtype)
    if can_repeat(index):
        np.add.at(total, index, grad)
    else:
        total[index] = grad
    return total


def can_repeat(index: tuple[Any, ...]) -> bool:
    """Whether an index may pick an element twice: lists and arrays of integers may, slices and masks not (given).

    >>> can_repeat((0, slice(2), ...)), can_repeat(([0, 0], ...)), can_repeat((np.array([True, False]),))
    (False, True, False)
    """
    return any(
        isinstance(part, list | tuple | range) or (isinstance(part, np.ndarray) and part.dtype.kind != "b")
        for part in index
    )


@backward_rule("gather")
def gather_backward(grad: Array, x: Tensor, dim: int, index: Array) -> Gradients:
    """For y = x.gather(dim, index): as getitem, with one index per element along `dim` (given). See `max(dim)`.

    >>> x = tensor([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]], requires_grad=True)
    >>> (x.max(dim=1).values * tensor([7.0, 8.0])).sum().backward()
    >>> x.grad
    tensor([[0., 7., 0.],
            [0., 0., 8.]])
    """
    total = np.zeros(x.shape, grad.dtype)
    places: list[Any] = list(np.indices(grad.shape, sparse=True))
    places[dim] = index
    np.add.at(total, tuple(places), grad)
    return total


@backward_rule("cat")
def cat_backward(grad: Array, *inputs: Tensor, dim: int) -> Gradients:
    """For y = cat(inputs, dim): cut the gradient where the inputs were joined, one piece each.

    >>> a, b = tensor([1.0, 2.0], requires_grad=True), tensor([3.0], requires_grad=True)
    >>> (cat([a, b]) * tensor([5.0, 6.0, 7.0])).sum().backward()
    >>> a.grad, b.grad
    (tensor([5., 6.]), tensor([7.]))

    `np.split(grad, places, axis)` cuts before each of the places: for sizes 2, 1 and 4 these are 2 and 3. Two lines;
    the result is a tuple.
    """
    ends = np.cumsum([x.shape[dim] for x in inputs])
    return tuple(np.split(grad, ends[:-1], axis=dim))


@backward_rule("tril")
def tril_backward(grad: Array, x: Tensor, diagonal: int) -> Gradients:
    """For y = tril(x): what became 0 gets 0 (given).

    >>> x = ones(2, 2, requires_grad=True)
    >>> tril(x).sum().backward()
    >>> x.grad
    tensor([[1., 0.],
            [1., 1.]])
    """
    return np.tril(grad, diagonal)


@backward_rule("triu")
def triu_backward(grad: Array, x: Tensor, diagonal: int) -> Gradients:
    """For y = triu(x): the same for the other triangle (given).

    >>> x = ones(2, 2, requires_grad=True)
    >>> triu(x, 1).sum().backward()
    >>> x.grad
    tensor([[0., 1.],
            [0., 0.]])
    """
    return np.triu(grad, diagonal)


# ---- Reductions --------------------------------------------------------------------------------------------


def restore_dims(array: Array, dim: Dim, keepdim: bool) -> Array:
    """The result of a reduction with the dimensions that it lost back in place, with size 1 (given).

    >>> restore_dims(np.zeros((2, 4)), 1, False).shape, restore_dims(np.zeros((2, 1, 4)), 1, True).shape
    ((2, 1, 4), (2, 1, 4))
    >>> restore_dims(np.zeros(()), None, False).shape
    ()
    """
    return array if keepdim or dim is None else np.expand_dims(array, dim)


@backward_rule("sum")
def sum_backward(grad: Array, x: Tensor, dim: Dim, keepdim: bool) -> Gradients:
    """For y = x.sum(dim, keepdim): every element that went into a sum gets the gradient of that sum.

    >>> x = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    >>> (x.sum(1) * tensor([10.0, 20.0])).sum().backward()
    >>> x.grad
    tensor([[10., 10., 10.],
            [20., 20., 20.]])

    Summing and broadcasting are each other's way back. grad is (2,) here and x is (2, 3): put the summed dimension back
    with size 1 (`restore_dims`, given above), or grad lines up with the wrong one; then broadcast. One line. As nothing
    may be written into a gradient, `np.broadcast_to` will do, which copies nothing.
    """
    return np.broadcast_to(restore_dims(grad, dim, keepdim), x.shape)


@backward_rule("amax")
def amax_backward(grad: Array, x: Tensor, dim: Dim, keepdim: bool, result: Array) -> Gradients:
    """For y = x.amax(dim, keepdim), saved as `result`: the gradient goes to the largest elements, in equal shares.

    >>> x = tensor([[1.0, 5.0, 3.0], [6.0, 2.0, 6.0]], requires_grad=True)
    >>> (8 * x.amax(1)).sum().backward()
    >>> x.grad
    tensor([[0., 8., 0.],
            [4., 0., 4.]])

    Compare x with the result, dimensions restored, and count the winners over `dim`. About three lines, with `masked`.
    """
    winners = x.data == restore_dims(result, dim, keepdim)
    each = restore_dims(grad, dim, keepdim) / winners.sum(axis=dim, keepdims=True, dtype=grad.dtype)
    return masked(each, winners)


# ---- Operations that were written as one -------------------------------------------------------------------


@backward_rule("softmax")
def softmax_backward(grad: Array, x: Tensor, dim: int, result: Array) -> Gradients:
    """For y = softmax(x, dim), saved as `result`. Every score moves every probability of its slice.

        gradient of x_i  =  y_i · (grad_i - sum_j grad_j · y_j)

    The sum is the average gradient of the slice, weighted by y. A score that gains only as much as the average gains
    nothing: the probabilities add up to 1, whatever happens.

    By hand, for two equal scores and grad = [8, 4]: y = [0.5, 0.5], the average is 6, and 0.5 · (8 - 6) = 1.

    >>> x = tensor([0.0, 0.0], requires_grad=True)
    >>> y = softmax(x)
    >>> (y * tensor([8.0, 4.0])).sum().backward()
    >>> y.tolist(), x.grad
    ([0.5, 0.5], tensor([ 1., -1.]))

    Two or three lines; the sum runs along `dim` and keeps it. (Was your softmax put together from Tensor operations?
    Then its gradient comes from their rules, and this one is for whoever records it as one operation.)
    """
    weighted = grad * result
    return weighted - result * add_up(weighted, dim, keepdim=True)


@backward_rule("log_softmax")
def log_softmax_backward(grad: Array, x: Tensor, dim: int, result: Array) -> Gradients:
    """For y = log_softmax(x, dim), saved as `result`.

        gradient of x_i  =  grad_i - softmax(x)_i · sum_j grad_j

    >>> x = tensor([0.0, 0.0], requires_grad=True)
    >>> (log_softmax(x) * tensor([8.0, 4.0])).sum().backward()        # 8 - 0.5 · 12
    >>> x.grad, 8 - 0.5 * 12
    (tensor([ 2., -2.]), 2.0)

    One or two lines. The softmax need not be computed anew: `result` is its logarithm.
    """
    return grad - np.exp(result) * add_up(grad, dim, keepdim=True)


@backward_rule("cross_entropy")
def cross_entropy_backward(
    grad: Array, rows: Tensor, ids: Array, label_smoothing: float, softmax: tuple[Array, Array]
) -> Gradients:
    """Cross-entropy of logits: the simplest gradient of all, softmax minus target.

        rows (N, C), ids (N,)  ->  losses (...), N of them in the target's shape; grad has that shape too

        gradient of x[i, j]  =  grad_i · (softmax(x_i)_j - target_ij)

    The target is 1 at the right class and 0 elsewhere. With label_smoothing e it is 1 - e at the right class, and e / C
    is added everywhere. What was saved: `softmax` is the pair (powers (N, C), totals (N,)), and powers / totals are the
    probabilities.

    By hand, for two equal scores and the right class 1: [0.5, 0.5] - [0, 1].

    >>> x = tensor([[0.0, 0.0]], requires_grad=True)
    >>> CrossEntropyLoss()(x, tensor([1])).backward()
    >>> x.grad
    tensor([[ 0.5000, -0.5000]])

    About five lines. grad.reshape(-1) holds one number per row, which multiplies the whole row. The pair is read, not
    written into.
    """
    powers, totals = softmax
    weight = grad.reshape(-1)  # (N,)
    slope = powers * (weight / totals)[:, None]  # (N, C)
    slope[np.arange(len(ids)), ids] -= (1 - label_smoothing) * weight
    if label_smoothing:
        slope -= (label_smoothing / powers.shape[1]) * weight[:, None]
    return slope


@backward_rule("binary_cross_entropy")
def binary_cross_entropy_backward(grad: Array, p: Tensor, t: Tensor) -> Gradients:
    """For loss = -(t · log p + (1 - t) · log(1 - p)): (p - t) / (p (1 - p)), whose denominator stays above 0 (given).

    >>> p = tensor([0.5, 0.75], requires_grad=True)
    >>> BCELoss(reduction="sum")(p, tensor([1.0, 0.0])).backward()
    >>> p.grad
    tensor([-2.,  4.])
    """
    to_p = grad * (p.data - t.data) / np.maximum(p.data * (1 - p.data), 1e-12)
    return to_p, grad * (np.log1p(-p.data) - np.log(p.data)) if t.requires_grad else None


@backward_rule("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits_backward(grad: Array, x: Tensor, t: Tensor) -> Gradients:
    """For loss = max(x, 0) - t · x + log(1 + exp(-|x|)): again probability minus target.

        gradient of x  =  grad · (sigmoid(x) - t)        gradient of t  =  grad · (-x)

    >>> x = tensor([0.0, math.log(3)], requires_grad=True)
    >>> BCEWithLogitsLoss(reduction="sum")(x, tensor([1.0, 0.0])).backward()
    >>> x.grad
    tensor([-0.5000,  0.7500])

    Not (p - t) / (p (1 - p)) times p (1 - p): where p is rounded to 0 or 1, that is 0 / 0. Two or three lines. The walk
    keeps NumPy quiet about exp(-x), which may become infinite: 1 / (1 + inf) is 0, and right.
    """
    p = 1 / (1 + np.exp(-x.data))
    return grad * (p - t.data), -grad * x.data if t.requires_grad else None


@backward_rule("layer_norm")
def layer_norm_backward(grad: Array, x: Tensor, *affine: Tensor, mean: Array, rstd: Array) -> Gradients:
    """For y = n · weight + bias with n = (x - mean) · rstd: samples of one mean and variance, then scale and shift.

        x (samples, features)  ->  the same shape         mean (samples, 1), rstd (samples, 1) = 1 / sqrt(var + eps)

    `affine` is (weight, bias), or (weight,), or empty. With g = grad · weight and averages over the features:

        gradient of weight  =  sum over samples of grad · n
        gradient of bias    =  sum over samples of grad
        gradient of x       =  rstd · (g - average(g) - n · average(g · n))

    The two averages are what the mean and the variance take away: raising all features alike changes no n, and
    neither does stretching them.

    >>> x = tensor([[1.0, 3.0], [2.0, 6.0]], requires_grad=True)        # n is -1 and 1, in both rows
    >>> norm = LayerNorm(2)
    >>> (norm(x) * tensor([[5.0, 7.0], [1.0, 2.0]])).sum().backward()
    >>> norm.weight.grad, norm.bias.grad        # -5 - 1 and 7 + 2; 5 + 1 and 7 + 2
    (tensor([-6.0000,  9.0000]), tensor([6., 9.]))
    >>> bool(x.grad.abs().amax() < 0.0001)      # two features can only be stretched or raised: nothing is left
    True

    x may have more dimensions: `x.data.reshape(len(mean), features)` are the rows, and each gradient goes back into the
    shape of its tensor. `feature_count` (given, below) knows how many. About ten lines.
    """
    rows = x.data.reshape(len(mean), feature_count(x, affine, mean))  # (samples, features)
    grad = grad.reshape(rows.shape)
    weight = affine[0].data.reshape(-1) if affine else np.ones(rows.shape[1], rows.dtype)
    distance = rows - mean  # n is distance · rstd, and is never made
    along = grad * distance
    sums = (rstd.reshape(-1) @ along, np.ones(len(rows), rows.dtype) @ grad)  # by products: BLAS adds up fastest
    to_affine = [part.reshape(p.shape) for part, p in zip(sums, affine, strict=False)]
    distance *= rstd**3 * (along @ weight)[:, None] / rows.shape[1]
    distance += rstd * (grad @ weight)[:, None] / rows.shape[1]
    to_x = grad * rstd
    to_x *= weight
    to_x -= distance
    return (in_shape(to_x, x), *to_affine)


def feature_count(x: Tensor, affine: Sequence[Tensor], mean: Array) -> int:
    """How many features each sample has, also where there is no sample (given)."""
    return affine[0].numel() if affine else x.numel() // max(len(mean), 1)


# ---- Switching the record off and on -----------------------------------------------------------------------


class no_grad(ContextDecorator):  # noqa: N801 (PyTorch's name)
    """Inside `with no_grad():` nothing is recorded. Also a decorator: `@no_grad()` above a function.

    >>> x = tensor([1.0], requires_grad=True)
    >>> with no_grad():
    ...     (x * 2).requires_grad
    False
    >>> (x * 2).requires_grad
    True

    Nobody can go back from such a result, and nothing is kept for it: whoever only uses a model saves the memory of
    the graph. Whoever trains changes parameters in place, which is refused while operations are recorded.
    """

    recording = False

    def __enter__(self) -> None:
        """Remember how the switch stands, and set it to `self.recording`.

        The switch is `grad_mode.enabled` of module 01: `record` looks at it, and each thread has its own. What it was
        is kept on `self`, because blocks may lie within each other, and the end of the inner one must not switch on
        what the outer one switched off. `enable_grad`, below, is this class with `recording = True`.

        >>> with no_grad():
        ...     with enable_grad():
        ...         inside = grad_mode.enabled
        ...     inside, grad_mode.enabled
        (True, False)

        Two lines.
        """
        self._before = grad_mode.enabled
        grad_mode.enabled = self.recording

    def __exit__(self, *error: object) -> None:
        """Set the switch back to what it was when the block began.

        Python calls this at the end of the block, and also when an exception leaves it: then `error` says which. The
        exception is to go on, so nothing is returned (True would swallow it).

        >>> with no_grad():
        ...     with no_grad():
        ...         pass
        ...     grad_mode.enabled
        False
        >>> grad_mode.enabled
        True

        One line.
        """
        grad_mode.enabled = self._before

    def _recreate_cm(self) -> no_grad:
        return type(self)()  # a decorated function may call itself: each call remembers its own state


class enable_grad(no_grad):  # noqa: N801 (PyTorch's name)
    """Inside `with enable_grad():` operations are recorded, also within `no_grad`."""

    recording = True


# ---- Is a rule right? --------------------------------------------------------------------------------------


def numerical_gradient(fn: Callable[[], float], x: Array, eps: float = 1e-6) -> Array:
    """The slope of `fn()` along every element of `x`, measured by moving it a little both ways.

        slope at one element  =  (fn with it at x + eps  -  fn with it at x - eps) / (2 · eps)

    `fn` takes nothing and gives a number; it reads the array `x`, which is changed in place, one element at a time.
    Afterwards x holds exactly what it held. (Adding eps and taking it away again leaves a rounding error.) The result
    has the shape and dtype of x.

    >>> x = np.array([3.0, -1.0])
    >>> numerical_gradient(lambda: float((x * x).sum()), x).round(6)
    array([ 6., -2.])
    >>> x
    array([ 3., -1.])

    Both ways, because the error then falls with eps², not with eps. And not too little, because a difference of nearly
    equal numbers keeps few digits: in float64 eps = 1e-6 is right, in float32 it is hopeless. The slope of x² at 1:

    >>> one = np.ones(1, np.float32)
    >>> [round(float(numerical_gradient(lambda: one[0] ** 2, one, eps)[0]), 3) for eps in (1e-3, 1e-7)]
    [2.0, 2.384]

    That is, 2.0 and 2.384. Two evaluations per element: it checks rules and trains nothing. About nine lines;
    `np.ndindex(x.shape)` goes through the places.
    """
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        before = x[place]
        x[place] = before + eps
        up = fn()
        x[place] = before - eps
        down = fn()
        x[place] = before
        slopes[place] = (up - down) / (2 * eps)
    return slopes


def gradcheck(
    fn: Callable[..., Tensor],
    inputs: Tensor | Sequence[Tensor],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Compare the gradients that `backward` computes for `fn(*inputs)` with slopes that are measured.

    True where they agree for every input that requires a gradient:

        |computed - measured| <= atol + rtol · |measured|        for every element; nan agrees with nothing

    else RuntimeError, which says which input, where, and both numbers. Inputs are float64 leaves, or it is a
    ValueError (`check_inputs`, given below, sees to it). Their numbers and their `grad` are afterwards as before.

    >>> x = tensor([0.5, 2.0], dtype=float64, requires_grad=True)
    >>> gradcheck(lambda x: (x * x).log(), x)
    True
    >>> gradcheck(lambda x: x * x.detach(), x)
    Traceback (most recent call last):
    RuntimeError: input 0 at (0,): backward says 0.568481, measured 1.13696

    fn may give a tensor of any shape, and a slope belongs to one number. Take a weighted sum of all elements, each
    with a weight of its own: with equal weights an error that only exchanges elements would cancel. The weights are
    random, from one half to one and a half, and are the `gradient` that backward starts from.

    Given, below: `check_inputs` and `computed_gradients(fn, inputs, weights)`, a list with one array per input. To
    measure: `numerical_gradient` of a function that computes the weighted sum inside `no_grad`. About fifteen lines.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    check_inputs(inputs, eps)

    def outputs() -> Array:
        with no_grad():
            return fn(*inputs).data

    weights = np.random.default_rng(0).uniform(0.5, 1.5, outputs().shape)
    for position, (x, computed) in enumerate(zip(inputs, computed_gradients(fn, inputs, weights), strict=True)):
        if not x.requires_grad:
            continue
        measured = numerical_gradient(lambda: float((outputs() * weights).sum()), x.data, eps)
        wrong = ~(np.abs(computed - measured) <= atol + rtol * np.abs(measured))
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise RuntimeError(
                f"input {position} at {place}: backward says {computed[place]:.6g}, measured {measured[place]:.6g}"
            )
    return True


def check_inputs(inputs: Sequence[Tensor], eps: float) -> None:
    """Refuse inputs whose slopes cannot be measured (given)."""
    if not any(x.requires_grad for x in inputs):
        raise ValueError("gradcheck has nothing to check: no input requires a gradient")
    for x in inputs:
        if x.requires_grad and x.dtype != np.float64:
            raise ValueError(f"gradcheck needs float64: with {x.dtype} a step of {eps} drowns in rounding")
        if x.requires_grad and not x.is_leaf:
            raise ValueError(f"gradcheck needs leaves, and one input comes from {x.grad_fn}: detach() it")


def computed_gradients(fn: Callable[..., Tensor], inputs: Sequence[Tensor], weights: Array) -> list[Array]:
    """What `backward` gives for every input, whose `grad` stays as it was (given)."""
    before = [x.grad for x in inputs]
    try:
        for x in inputs:
            x.grad = None
        result = fn(*inputs)
        if result.requires_grad:  # else nothing arrives anywhere
            backward(result, from_numpy(weights))
        return [np.zeros(x.shape) if x.grad is None else x.grad.data for x in inputs]
    finally:
        for x, grad in zip(inputs, before, strict=True):
            x.grad = grad


# ---- Looking at the graph (given) --------------------------------------------------------------------------


def graph(tensor: Tensor, max_lines: int = 60) -> str:
    """The recorded graph as text: each operation, and indented below it what went in.

    A tensor that is used twice has its number twice; what lies below it is shown once.

    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> print(graph((x * x + 1).sum()))
    0 sum ()
      1 add (2,)
        2 mul (2,)
          3 leaf (2,)
          3 leaf (2,)
        4 constant ()
    """
    lines: list[str] = []
    numbers: dict[int, int] = {}
    waiting = [(tensor, 0)]
    while waiting and len(lines) < max_lines:
        x, depth = waiting.pop()
        what = x.grad_fn.name if x.grad_fn else "leaf" if x.requires_grad else "constant"
        seen = id(x) in numbers
        number = numbers.setdefault(id(x), len(numbers))
        lines.append(f"{'  ' * depth}{number} {what} {x.shape}{' (above)' if seen and x.grad_fn else ''}")
        if x.grad_fn is not None and not seen:
            waiting.extend((source, depth + 1) for source in reversed(x.grad_fn.inputs))
    return "\n".join([*lines, "..."] if waiting else lines)
