"""Automatic differentiation: from the record of what was done to the gradient of everything that went in.

Modules 01 to 04 recorded every operation: its name, its inputs and a few saved values. This file says how each
operation hands a gradient on to its inputs (a *backward rule* each), and walks the record from the result back to the
leaves. With that, `loss.backward()` works for any program that was written with tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from .tensor import Dim, Function, Shape, Tensor, from_numpy, grad_mode, ones_like

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = "Array | None | tuple[Array | None, ...]"
Rule = TypeVar("Rule", bound=Callable[..., Any])


# ---- Switching the record off and on -----------------------------------------------------------------------


class no_grad(ContextDecorator):  # noqa: N801 (PyTorch's name)
    """Inside `with no_grad():` nothing is recorded."""

    recording = False

    def __enter__(self) -> None:
        self._before = grad_mode.enabled
        grad_mode.enabled = self.recording

    def __exit__(self, *error: object) -> None:
        grad_mode.enabled = self._before

    def _recreate_cm(self) -> no_grad:
        return type(self)()  # a decorated function may call itself: each call remembers its own state


class enable_grad(no_grad):  # noqa: N801 (PyTorch's name)
    """Inside `with enable_grad():` operations are recorded, also within `no_grad`."""

    recording = True


# ---- The walk ----------------------------------------------------------------------------------------------


def topological_order(root: Tensor) -> list[Tensor]:
    """Every tensor that the gradient of `root` passes, each one before all tensors that were computed from it."""
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
    """Add to every leaf below `tensor` the gradient of `tensor` with respect to it."""
    start = first_gradient(tensor, gradient)
    order = topological_order(tensor)
    check_not_freed(order)
    grads = {id(tensor): start}
    leaves = []
    while order:
        x = order.pop()  # from the result to the leaves
        grad = grads.pop(id(x), None)
        if grad is None:
            continue
        if x.grad_fn is None:
            leaves.append((x, grad))
            continue
        for source, part in input_gradients(x.grad_fn, grad):
            before = grads.get(id(source))
            grads[id(source)] = part if before is None else before + part
        if not retain_graph:
            free(x.grad_fn)
    accumulate(leaves, start)


def first_gradient(tensor: Tensor, gradient: Tensor | None) -> Array:
    """The gradient that the walk starts with: 1 for a single number, else what the caller gives."""
    if not tensor.requires_grad:
        raise RuntimeError("backward() on a tensor without history: nothing that requires a gradient went into it")
    if gradient is None:
        if tensor.numel() != 1:
            raise RuntimeError(
                f"backward() of shape {tensor.shape} needs a gradient of that shape: only a single number starts from 1"
            )
        gradient = ones_like(tensor)
    start = np.asarray(gradient, dtype=tensor.dtype)
    if start.shape != tensor.shape:
        raise ValueError(f"backward() of shape {tensor.shape} got a gradient of shape {start.shape}")
    return start


def check_not_freed(order: Sequence[Tensor]) -> None:
    """Raise RuntimeError where an earlier backward() has freed part of the graph."""
    if any(x.grad_fn is not None and not x.grad_fn.inputs for x in order):
        raise RuntimeError(
            "backward() has gone through this graph before and freed it: compute the result again, or keep the graph "
            "with autograd.backward(tensor, retain_graph=True)"
        )


def input_gradients(node: Function, grad: Array) -> list[tuple[Tensor, Array]]:
    """The inputs of an operation that require a gradient, each with its own."""
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
        array = np.asarray(part, dtype=source.dtype)
        if array.shape != source.shape:
            raise RuntimeError(
                f"the backward rule of {node.name!r} gave a gradient of shape {array.shape} for an input of shape "
                f"{source.shape}"
            )
        found.append((source, array))
    return found


def free(node: Function) -> None:
    """Forget what an operation held on to, so that its memory can be used again."""
    node.inputs, node.saved = (), {}


def accumulate(leaves: Sequence[tuple[Tensor, Array]], start: Array) -> None:
    """Add to the leaves' gradients; each leaf gets memory of its own."""
    taken = {id(start)}
    for leaf, grad in leaves:
        if leaf.grad is not None:
            leaf.grad.data += grad
            continue
        shared = grad.base is not None or id(grad) in taken
        taken.add(id(grad))
        leaf.grad = from_numpy(grad.copy() if shared else grad)


# ---- Backward rules ----------------------------------------------------------------------------------------


def backward_rule(name: str) -> Callable[[Rule], Rule]:
    """Register a function as the backward rule of the operation `name`."""

    def register(rule: Rule) -> Rule:
        Function.rules[name] = rule
        return rule

    return register


def unbroadcast(grad: Array, shape: Shape) -> Array:
    """Sum a gradient back to the shape that broadcasting started from."""
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(dim for dim, size in enumerate(shape) if size == 1 and grad.shape[dim] != 1)
    return grad.sum(axis=stretched, keepdims=True) if stretched else grad


@backward_rule("add")
def add_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    return unbroadcast(grad, a.shape), unbroadcast(grad, b.shape)


@backward_rule("sub")
def sub_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    return unbroadcast(grad, a.shape), unbroadcast(-grad, b.shape)


@backward_rule("mul")
def mul_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    return (
        unbroadcast(grad * b.data, a.shape) if a.requires_grad else None,
        unbroadcast(grad * a.data, b.shape) if b.requires_grad else None,
    )


@backward_rule("div")
def div_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    grad = grad / b.data
    return (
        unbroadcast(grad, a.shape),
        unbroadcast(-grad * (a.data / b.data), b.shape) if b.requires_grad else None,
    )


@backward_rule("pow")
def pow_backward(grad: Array, base: Tensor, exponent: Tensor) -> Gradients:
    x, p = base.data, exponent.data
    to_base = to_exponent = None
    with np.errstate(divide="ignore", invalid="ignore"):
        if base.requires_grad:
            to_base = unbroadcast(np.where(p == 0, 0, grad * p * x ** (p - 1)), base.shape)
        if exponent.requires_grad:
            to_exponent = unbroadcast(np.where((x == 0) & (p >= 0), 0, grad * x**p * np.log(x)), exponent.shape)
    return to_base, to_exponent


@backward_rule("neg")
def neg_backward(grad: Array, x: Tensor) -> Gradients:
    return -grad


@backward_rule("matmul")
def matmul_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    left = a.data if a.ndim > 1 else a.data[None, :]  # (..., n, k)
    right = b.data if b.ndim > 1 else b.data[:, None]  # (..., k, m)
    if a.ndim == 1:
        grad = np.expand_dims(grad, -1 if b.ndim == 1 else -2)
    if b.ndim == 1:
        grad = grad[..., None]  # (..., n, m)
    to_a = to_b = None
    if a.requires_grad:
        to_a = unbroadcast(grad @ np.swapaxes(right, -1, -2), left.shape).reshape(a.shape)
    if b.requires_grad and right.ndim == 2:  # all rows of all matrices, as one long matrix
        rows = left.reshape(-1, left.shape[-1])
        to_b = (rows.T @ grad.reshape(-1, grad.shape[-1])).reshape(b.shape)
    elif b.requires_grad:
        to_b = unbroadcast(np.swapaxes(left, -1, -2) @ grad, right.shape).reshape(b.shape)
    return to_a, to_b


@backward_rule("exp")
def exp_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    return grad * result


@backward_rule("log")
def log_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    return grad / x.data


@backward_rule("sqrt")
def sqrt_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    return grad / (2 * result)


@backward_rule("tanh")
def tanh_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    return grad * (1 - result * result)


@backward_rule("sigmoid")
def sigmoid_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    return grad * result * (1 - result)


@backward_rule("relu")
def relu_backward(grad: Array, x: Tensor, result: Array) -> Gradients:
    return grad * (result > 0)


@backward_rule("leaky_relu")
def leaky_relu_backward(grad: Array, x: Tensor, negative_slope: float) -> Gradients:
    return np.where(x.data > 0, grad, grad * negative_slope)


@backward_rule("abs")
def abs_backward(grad: Array, x: Tensor) -> Gradients:
    return grad * np.sign(x.data)


@backward_rule("clamp")
def clamp_backward(grad: Array, x: Tensor, min: float | None, max: float | None) -> Gradients:  # noqa: A002
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    return grad * ((x.data >= low) & (x.data <= high))


@backward_rule("maximum")
def maximum_backward(grad: Array, a: Tensor, b: Tensor) -> Gradients:
    share = np.where(a.data == b.data, 0.5, a.data > b.data).astype(grad.dtype)  # a tie is shared, half and half
    return unbroadcast(grad * share, a.shape), unbroadcast(grad * (1 - share), b.shape)


@backward_rule("where")
def where_backward(grad: Array, a: Tensor, b: Tensor, condition: Array) -> Gradients:
    return unbroadcast(np.where(condition, grad, 0), a.shape), unbroadcast(np.where(condition, 0, grad), b.shape)


@backward_rule("to")
def to_backward(grad: Array, x: Tensor) -> Gradients:
    return grad.astype(x.dtype)


@backward_rule("clone")
def clone_backward(grad: Array, x: Tensor) -> Gradients:
    return grad


@backward_rule("reshape")
def reshape_backward(grad: Array, x: Tensor) -> Gradients:
    return grad.reshape(x.shape)


@backward_rule("expand")
def expand_backward(grad: Array, x: Tensor) -> Gradients:
    return unbroadcast(grad, x.shape)


@backward_rule("permute")
def permute_backward(grad: Array, x: Tensor, dims: Sequence[int]) -> Gradients:
    return grad.transpose(np.argsort([dim % x.ndim for dim in dims]))


@backward_rule("getitem")
def getitem_backward(grad: Array, x: Tensor, index: tuple[Any, ...]) -> Gradients:
    total = np.zeros(x.shape, grad.dtype)
    if any(isinstance(part, list | np.ndarray) for part in index):
        np.add.at(total, index, grad)
    else:
        total[index] = grad
    return total


@backward_rule("gather")
def gather_backward(grad: Array, x: Tensor, dim: int, index: Array) -> Gradients:
    total = np.zeros(x.shape, grad.dtype)
    places: list[Any] = list(np.indices(index.shape, sparse=True))
    places[dim] = index
    np.add.at(total, tuple(places), grad)
    return total


@backward_rule("cat")
def cat_backward(grad: Array, *inputs: Tensor, dim: int) -> Gradients:
    ends = np.cumsum([x.shape[dim] for x in inputs])
    return tuple(np.split(grad, ends[:-1], axis=dim))


@backward_rule("tril")
def tril_backward(grad: Array, x: Tensor, diagonal: int) -> Gradients:
    return np.tril(grad, diagonal)


@backward_rule("triu")
def triu_backward(grad: Array, x: Tensor, diagonal: int) -> Gradients:
    return np.triu(grad, diagonal)


def restore_dims(array: Array, dim: Dim, keepdim: bool) -> Array:
    """The result of a reduction with its summed dimensions back in place, with size 1."""
    return array if keepdim or dim is None else np.expand_dims(array, dim)


@backward_rule("sum")
def sum_backward(grad: Array, x: Tensor, dim: Dim, keepdim: bool) -> Gradients:
    return np.broadcast_to(restore_dims(grad, dim, keepdim), x.shape)


@backward_rule("amax")
def amax_backward(grad: Array, x: Tensor, dim: Dim, keepdim: bool, result: Array) -> Gradients:
    winners = x.data == restore_dims(result, dim, keepdim)
    return restore_dims(grad, dim, keepdim) * winners / winners.sum(axis=dim, keepdims=True, dtype=grad.dtype)


@backward_rule("softmax")
def softmax_backward(grad: Array, x: Tensor, dim: int, result: Array) -> Gradients:
    weighted = grad * result
    return weighted - result * weighted.sum(axis=dim, keepdims=True)


@backward_rule("log_softmax")
def log_softmax_backward(grad: Array, x: Tensor, dim: int, result: Array) -> Gradients:
    return grad - np.exp(result) * grad.sum(axis=dim, keepdims=True)


@backward_rule("layer_norm")
def layer_norm_backward(grad: Array, x: Tensor, *affine: Tensor, mean: Array, rstd: Array) -> Gradients:
    rows = x.data.reshape(len(mean), -1)  # (samples, features)
    grad = grad.reshape(rows.shape)
    normal = (rows - mean) * rstd
    to_affine = [part.reshape(p.shape) for part, p in zip(((grad * normal).sum(0), grad.sum(0)), affine, strict=False)]
    if affine:
        grad = grad * affine[0].data.reshape(-1)
    along = (grad * normal).mean(1, keepdims=True)
    to_x = rstd * (grad - grad.mean(1, keepdims=True) - normal * along)
    return (to_x.reshape(x.shape), *to_affine)


@backward_rule("cross_entropy")
def cross_entropy_backward(
    grad: Array, rows: Tensor, ids: Array, label_smoothing: float, softmax: tuple[Array, Array]
) -> Gradients:
    powers, total = softmax  # (N, C), (N,)
    slope = powers / total[:, None]
    slope -= label_smoothing / powers.shape[1]
    slope[np.arange(len(ids)), ids] -= 1 - label_smoothing
    slope *= grad.reshape(-1, 1)
    return slope


@backward_rule("binary_cross_entropy")
def binary_cross_entropy_backward(grad: Array, p: Tensor, t: Tensor) -> Gradients:
    return grad * (p.data - t.data) / np.maximum(p.data * (1 - p.data), 1e-12), None


@backward_rule("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits_backward(grad: Array, x: Tensor, t: Tensor) -> Gradients:
    return grad * (1 / (1 + np.exp(-x.data)) - t.data), None


# ---- Is a rule right? --------------------------------------------------------------------------------------


def numerical_gradient(fn: Callable[[], float], x: Array, eps: float = 1e-6) -> Array:
    """The slope of `fn()` along every element of `x`, measured by moving it a little both ways."""
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
    """Compare the gradients that `backward` computes for `fn(*inputs)` with slopes that are measured."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for x in inputs:
        if x.requires_grad and x.dtype != np.float64:
            raise ValueError(f"gradcheck needs float64: with {x.dtype} a step of {eps} drowns in rounding")
    result = fn(*inputs)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, result.shape)  # one number from all, none counting as another
    for x in inputs:
        x.grad = None
    result.backward(Tensor(weights, dtype=result.dtype))

    def total() -> float:
        with no_grad():
            return float((fn(*inputs).data * weights).sum())

    for position, x in enumerate(inputs):
        if not x.requires_grad:
            continue
        measured = numerical_gradient(total, x.data, eps)
        computed = np.zeros(x.shape) if x.grad is None else x.grad.data
        wrong = np.abs(computed - measured) > atol + rtol * np.abs(measured)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise RuntimeError(
                f"input {position} at {place}: backward says {computed[place]:.6g}, measured {measured[place]:.6g}"
            )
    return True


# ---- Looking at the graph ----------------------------------------------------------------------------------


def graph(tensor: Tensor, max_lines: int = 60) -> str:
    """The recorded graph as text: each operation, and indented below it what went in."""
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
