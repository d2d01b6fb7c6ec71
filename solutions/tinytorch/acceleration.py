"""Acceleration: the same numbers in less time.

A processor multiplies faster than its memory can bring the numbers, and Python is slower than both. So there are three
ways to be faster without computing less, and this file takes each of them. Leave the loop to compiled code, and keep
what it works on near (`matmul_loops`, `matmul_tiled`). Do several operations in one, so that fewer arrays are made,
kept and read again (`fused_gelu`, `fused_softmax`, ...). Let several cores work at once (`parallel_map`,
`DataParallel`).

Whether it was worth it, only a measurement says: `seconds` is given for that. And what is fast must first be right, so
beside each fast form stands a slow one to compare it with.
"""

from __future__ import annotations

import copy
import math
import reprlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from .activations import floats
from .autograd import accumulate, backward_rule, no_grad
from .layers import Module
from .tensor import Tensor, add_up, cat, grad_mode, record

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = Any  # what a backward rule gives: an array, or a tuple with an array or None for every input
Item = TypeVar("Item")
Made = TypeVar("Made")

GELU_C = math.sqrt(2 / math.pi)
GELU_CUBE = 0.044715


def seconds(function: Callable[[], Any], repeats: int = 5) -> float:
    """The shortest time that a call took, of several (given): whatever disturbs a measurement makes it longer.

    >>> seconds(lambda: time.sleep(0.01), repeats=2) >= 0.01
    True
    """
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


# ---- Near: a product of matrices in tiles ------------------------------------------------------------------


def check_matrices(a: Array, b: Array) -> None:
    """Refuse what is no pair of matrices, or does not fit together (given)."""
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"a product of matrices takes (n, k) and (k, m), not shapes {a.shape} and {b.shape}")
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"cannot multiply shapes {a.shape} @ {b.shape}: the inner sizes must agree")


def matmul_loops(a: Array, b: Array) -> Array:
    """Multiply two matrices, number by number: three loops.

        a (n, k), b (k, m)  ->  (n, m)      NumPy arrays; the result has the dtype that a @ b would have

        out[i, j]  =  sum over p of  a[i, p] · b[p, j]

    By hand: 1·5 + 2·7 = 19 in the corner.

    >>> matmul_loops(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]]))
    array([[19., 22.],
           [43., 50.]])
    >>> matmul_loops(np.ones((2, 0)), np.ones((0, 3)))
    array([[0., 0., 0.],
           [0., 0., 0.]])

    Begin with `check_matrices(a, b)` (given). `np.result_type(a, b)` is the dtype. Plain loops over single numbers and
    no product of NumPy's: this is what the others are measured by. About six lines.
    """
    check_matrices(a, b)
    (n, k), m = a.shape, b.shape[1]
    out = np.zeros((n, m), np.result_type(a, b))
    for i in range(n):
        for j in range(m):
            for p in range(k):
                out[i, j] += a[i, p] * b[p, j]
    return out


def tiles(size: int, tile: int) -> list[slice]:
    """Cut `size` places into pieces of `tile`; what is left over at the end is a shorter piece.

        tiles(size, tile)  ->  slices that follow each other, from 0 to size

    >>> tiles(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    >>> tiles(4, 2), tiles(3, 8), tiles(0, 8)
    ([slice(0, 2, None), slice(2, 4, None)], [slice(0, 3, None)], [])

    Each slice ends where it says, and not beyond `size`: its length is counted on further down. A tile of less than 1
    place raises ValueError that says how many it was. About three lines.
    """
    if tile < 1:
        raise ValueError(f"a tile has at least 1 place, not {tile}")
    return [slice(start, min(start + tile, size)) for start in range(0, size, tile)]


def matmul_tiled(a: Array, b: Array, tile: int = 64) -> Array:
    """Multiply two matrices block by block, so that what is worked on stays near the processor.

        a (n, k), b (k, m)  ->  (n, m)      the numbers of matmul_loops, up to rounding; any sizes, any tile

    The rule of the product holds for blocks as it does for numbers:

        out[I, J]  =  sum over P of  a[I, P] @ b[P, J]        I, J and P are slices of `tiles(n, tile)`, ...

    Three blocks are in use at a time, and they fit into the cache where three matrices do not. Each block of the result
    collects one product for every P: they add up.

    By hand, with tiles of one column: [[1], [3]] @ [[5, 6]], and [[2], [4]] @ [[7, 8]] on top of it.

    >>> a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
    >>> a[:, :1] @ b[:1], a[:, 1:] @ b[1:]
    (array([[ 5.,  6.],
           [15., 18.]]), array([[14., 16.],
           [28., 32.]]))
    >>> matmul_tiled(a, b, tile=1)
    array([[19., 22.],
           [43., 50.]])

    Begin with `check_matrices(a, b)`. Three loops over tiles, and NumPy's `@` for two small blocks: about eight lines.
    NumPy's library cuts large matrices into tiles in the same way, several times over, one size for each cache.
    """
    check_matrices(a, b)
    (n, k), m = a.shape, b.shape[1]
    out = np.zeros((n, m), np.result_type(a, b))
    for rows in tiles(n, tile):
        for columns in tiles(m, tile):
            for inner in tiles(k, tile):
                out[rows, columns] += a[rows, inner] @ b[inner, columns]
    return out


# ---- Fused: several operations in one ----------------------------------------------------------------------


def composed_gelu(x: Tensor) -> Tensor:
    """`fused_gelu` put together from operations of tensors, to compare with (given)."""
    return 0.5 * x * (1 + (GELU_C * (x + GELU_CUBE * x * x * x)).tanh())


def composed_softmax(scores: Tensor, mask: Tensor | None = None, scale: float = 1.0) -> Tensor:
    """`fused_softmax` put together from operations of tensors, to compare with (given); nan in a row without keys."""
    scores = scores * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    powers = (scores - scores.amax(dim=-1, keepdim=True).detach()).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def composed_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """`fused_cross_entropy` put together from operations of tensors, to compare with (given)."""
    logits = logits - logits.amax(dim=1, keepdim=True).detach()
    due = logits[np.arange(len(target)), target]
    return (logits.exp().sum(dim=1).log() - due).mean()


def composed_layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """`fused_layer_norm` put together from operations of tensors, to compare with (given)."""
    distance = x - x.mean(dim=-1, keepdim=True)
    variance = (distance * distance).mean(dim=-1, keepdim=True)
    return distance / (variance + eps).sqrt() * weight + bias


def fused_gelu(x: Tensor) -> Tensor:
    """Compute gelu as one operation: the numbers of `composed_gelu`, in two new arrays instead of nine.

        x (...)  ->  (...)      a new tensor; floats keep their dtype, integers become float32

        t = tanh(c · (x + 0.044715 · x³))        c = sqrt(2 / π)
        y = 0.5 · x · (1 + t)

    >>> fused_gelu(tensor([-1.0, 0.0, 1.0, 2.0]))
    tensor([-0.1588,  0.0000,  0.8412,  1.9546])
    >>> round(0.5 * 1 * (1 + math.tanh(math.sqrt(2 / math.pi) * (1 + 0.044715))), 4)         # by hand, at 1
    0.8412

    Nine small steps with tensors make nine arrays of the size of x, and the graph keeps most of them until backward. In
    one operation the steps can write over what is used up: `np.multiply(a, b, out=a)`, or `a *= b`. Never over x.

    Compute with NumPy on `floats(x)` and end with `record("fused_gelu", data, (x,), tanh=t)`: t and x are all that the
    rule below needs. About eight lines; `GELU_C` and `GELU_CUBE` are the two constants. A single number is an array
    without dimensions, into which `out=np.empty_like(values)` writes as into any other.
    """
    values = floats(x)
    tanh = np.multiply(values, values, out=np.empty_like(values))
    tanh *= GELU_C * GELU_CUBE
    tanh += GELU_C
    tanh *= values
    np.tanh(tanh, out=tanh)
    data = np.add(tanh, 1, out=np.empty_like(values))
    data *= values
    data *= 0.5
    return record("fused_gelu", data, (x,), tanh=tanh)


@backward_rule("fused_gelu")
def fused_gelu_backward(grad: Array, x: Tensor, tanh: Array) -> Gradients:
    """For y = 0.5 · x · (1 + t), t = tanh(u), u = c · (x + 0.044715 · x³): a product, and a chain within it.

        dt/du = 1 - t²        du/dx = c · (1 + 3 · 0.044715 · x²)

        dy/dx  =  0.5 · (1 + t)  +  0.5 · x · dt/du · du/dx

    The same as `composed_gelu` gives through nine rules. At 0 the slope is 0.5; far to the right it is 1, and between
    them it is even a little more than 1:

    >>> x = tensor([0.0, 1.0, 10.0], requires_grad=True)
    >>> fused_gelu(x).sum().backward()
    >>> x.grad
    tensor([0.5000, 1.0830, 1.0000])
    >>> c, x = math.sqrt(2 / math.pi), 1.0                                                  # by hand, at 1
    >>> t = math.tanh(c * (x + 0.044715 * x**3))
    >>> round(0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x**2), 4)
    1.083

    `tanh` is what was saved. Neither it nor `grad` may be written into. About seven lines.
    """
    slope = np.square(x.data)
    slope *= 3 * GELU_CUBE * GELU_C
    slope += GELU_C
    slope *= x.data
    slope *= 1 - tanh * tanh
    slope += tanh
    slope += 1
    slope *= 0.5
    return slope * grad


def fused_softmax(scores: Tensor, mask: Tensor | None = None, scale: float = 1.0) -> Tensor:
    """Scale, mask, and turn each row of scores into shares: the middle of attention as one operation.

        scores (..., n)  ->  (..., n)      shares along the last dimension; floats keep their dtype
        mask             True where a score takes part; a shape that broadcasts to that of scores, or None

        y  =  softmax(scale · scores, with -inf where the mask is False)

    A row in which no score takes part gives zeros, and no warning; rows without any score stay as empty as they are.

    >>> fused_softmax(tensor([[0.0, 1.0, 2.0]]), scale=math.log(2))           # powers 1, 2, 4
    tensor([[0.1429, 0.2857, 0.5714]])
    >>> fused_softmax(tensor([[0.0, 1.0, 2.0]]), tensor([[True, True, False]]), scale=math.log(2))
    tensor([[0.3333, 0.6667, 0.0000]])
    >>> fused_softmax(tensor([[5.0, 5.0]]), tensor([[False, False]]))
    tensor([[0., 0.]])

    Put together from tensors this is six operations, and each makes an array of the size of the scores, in attention
    the largest there are. One array is enough: scale the scores into it, then work in place. Shift each row by its
    largest score, or exp overflows (`max(..., initial=-math.inf)` has an answer for empty rows, too); a row of nothing
    but -inf has no shift, and its sum of 0 is no divisor.

    `np.copyto(array, value, where=...)` puts a value where something is true, and broadcasts. End with
    `record("fused_softmax", data, (scores,), result=data, scale=scale)`. About ten lines. Paper: Dao and others,
    "FlashAttention", 2022, where the products before and after are in the same operation.
    """
    data = np.asarray(floats(scores) * scale, floats(scores).dtype)
    if mask is not None:
        np.copyto(data, -math.inf, where=~mask.data)
    largest = data.max(axis=-1, keepdims=True, initial=-math.inf)
    largest[largest == -math.inf] = 0
    data -= largest
    np.exp(data, out=data)
    total = add_up(data, -1, keepdim=True)
    total[total == 0] = 1
    data /= total
    return record("fused_softmax", data, (scores,), result=data, scale=scale)


@backward_rule("fused_softmax")
def fused_softmax_backward(grad: Array, scores: Tensor, result: Array, scale: float) -> Gradients:
    """For y = softmax(scale · scores, masked), saved as `result`: one rule in place of six.

        gradient of score i  =  scale · y_i · (grad_i - sum over j of y_j · grad_j)

    The sum is what the row pays in common: its shares add up to 1, so raising all scores alike changes nothing, and
    the gradients of a row add up to 0. A score that took no part has y = 0, and so a gradient of 0, without a look at
    the mask.

    By hand, for shares 0.5 and 0.5, grad 8 and 4, scale 2: the sum is 6, and 2 · 0.5 · (8 - 6) = 2.

    >>> scores = tensor([[1.0, 1.0]], requires_grad=True)
    >>> (fused_softmax(scores, scale=2.0) * tensor([[8.0, 4.0]])).sum().backward()
    >>> scores.grad
    tensor([[ 2., -2.]])
    >>> 0.5 * 8 + 0.5 * 4, 2 * 0.5 * (8 - 6)
    (6.0, 2.0)

    About four lines. `add_up(array, -1, keepdim=True)` of module 01 is the fastest sum along rows.
    """
    weighted = grad * result
    weighted -= result * add_up(weighted, -1, keepdim=True)
    weighted *= scale
    return weighted


def check_classes(logits: Tensor, target: Tensor) -> None:
    """Refuse what is no batch of scores with one class id each (given)."""
    if logits.dtype.kind != "f" or target.dtype.kind not in "iu":
        raise TypeError(f"scores are floating point and class ids integers, not {logits.dtype} and {target.dtype}")
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise ValueError(f"scores (N, C) need one class id each, (N,); got shapes {logits.shape} and {target.shape}")
    if not logits.numel():
        raise ValueError(f"scores of shape {logits.shape} have no mean loss: there is none")
    if target.data.min() < 0 or target.data.max() >= logits.shape[1]:
        outside = [int(i) for i in target.data if not 0 <= i < logits.shape[1]]
        raise IndexError(f"class {outside[0]} in the target, but {logits.shape[1]} classes start from 0")


def fused_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Softmax, logarithm, choice of the right class and mean as one operation, which finds its gradient on the way.

        logits (N, C), target (N,) class ids  ->  ()      the mean loss, in the dtype of logits

        loss  =  mean over i of  log(sum_j exp(x_ij)) - x_i,target

    With m_i the largest score of row i, as ever: exp(x_ij - m_i), and m_i added to the logarithm again. All powers are
    at hand here, and so is the gradient of the loss, before anybody has asked:

        slope_ij  =  (softmax(x_i)_j - [j is the target of i]) / N

    This one array, saved, replaces all that the composed form keeps. The rule (given, below) only scales it.

    >>> logits = tensor([[0.0, math.log(3)], [0.0, 0.0]], requires_grad=True)       # 1/4, 3/4 and 1/2, 1/2
    >>> loss = fused_cross_entropy(logits, tensor([1, 0]))
    >>> loss.detach(), -(math.log(3 / 4) + math.log(1 / 2)) / 2
    (tensor(0.4904), 0.4904146265058631)
    >>> loss.backward()
    >>> logits.grad
    tensor([[ 0.1250, -0.1250],
            [-0.2500,  0.2500]])

    Begin with `check_classes(logits, target)` (given). Take the scores of the right classes, `x[np.arange(N), ids]`,
    before you write over them. End with `record("fused_cross_entropy", loss, (logits,), slope=slope)`. About ten
    lines, one array of the size of logits. Hsu and others, "Liger kernel", 2024, train large language models with it.
    """
    check_classes(logits, target)
    places = np.arange(len(target)), target.data
    slope = logits.data - logits.data.max(axis=1, keepdims=True)
    due = slope[places]
    np.exp(slope, out=slope)
    total = add_up(slope, 1, keepdim=True)
    loss = (np.log(total[:, 0]) - due).mean()
    slope /= total
    slope[places] -= 1
    slope /= len(due)
    return record("fused_cross_entropy", loss, (logits,), slope=slope)


@backward_rule("fused_cross_entropy")
def fused_cross_entropy_backward(grad: Array, logits: Tensor, slope: Array) -> Gradients:
    """For the mean loss: its slope is known, and `grad` (a single number) says how much it counts (given)."""
    return slope * grad


def check_layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> None:
    """Refuse features without a scale and shift each (given)."""
    if x.ndim < 1 or weight.shape != x.shape[-1:] or bias.shape != x.shape[-1:]:
        raise ValueError(f"scale {weight.shape} and shift {bias.shape} do not fit the features of {x.shape}")
    if x.dtype.kind != "f" or {weight.dtype, bias.dtype} != {x.dtype}:
        raise TypeError(f"features, scale and shift are {x.dtype}, {weight.dtype} and {bias.dtype}: to(dtype) helps")


def fused_layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalise over the last dimension, scale and shift, as one operation.

        x (..., D), weight (D,), bias (D,)  ->  (..., D)

        n  =  (x - mean) · r        r = 1 / sqrt(variance + eps)        mean and variance of each row of D
        y  =  n · weight + bias

    The variance is the mean of the squared distances, divided by D.

    >>> x, weight, bias = tensor([[1.0, 3.0], [2.0, 6.0]]), tensor([1.0, 10.0]), tensor([0.0, 0.5])
    >>> fused_layer_norm(x, weight, bias)               # n is -1 and 1, in both rows
    tensor([[-1.0000, 10.5000],
            [-1.0000, 10.5000]])

    Begin with `check_layer_norm(x, weight, bias)` (given). End with
    `record("fused_layer_norm", data, (x, weight, bias), normal=n, rstd=r)`, where n has the shape of x and r one number
    per row, (..., 1). Two arrays of the size of x are enough, n and the result. About eight lines. `add_up` of module
    01 is the fastest sum along rows.
    """
    check_layer_norm(x, weight, bias)
    size = x.shape[-1]
    normal = x.data - add_up(x.data, -1, keepdim=True) / size
    data = normal * normal
    rstd = 1 / np.sqrt(add_up(data, -1, keepdim=True) / size + eps)
    normal *= rstd
    np.multiply(normal, weight.data, out=data)
    data += bias.data
    return record("fused_layer_norm", data, (x, weight, bias), normal=normal, rstd=rstd)


@backward_rule("fused_layer_norm")
def fused_layer_norm_backward(
    grad: Array, x: Tensor, weight: Tensor, bias: Tensor, normal: Array, rstd: Array
) -> Gradients:
    """For y = n · weight + bias, n = (x - mean) · r: three inputs, three gradients.

        gradient of weight  =  sum over all rows of grad · n        (D,)
        gradient of bias    =  sum over all rows of grad            (D,)
        gradient of x       =  r · (g - average(g) - n · average(g · n))        g = grad · weight, averages of each row

    `normal` is n, as x is shaped, and `rstd` is r, (..., 1). The averages take away what mean and variance undo:
    raising a row, and stretching it. Of two features nothing else is left:

    >>> x = tensor([[1.0, 3.0], [2.0, 6.0]], requires_grad=True)              # n is -1 and 1, in both rows
    >>> weight, bias = tensor([1.0, 1.0], requires_grad=True), tensor([0.0, 0.0], requires_grad=True)
    >>> (fused_layer_norm(x, weight, bias) * tensor([[5.0, 7.0], [1.0, 2.0]])).sum().backward()
    >>> weight.grad, bias.grad                          # -5 - 1 and 7 + 2; 5 + 1 and 7 + 2
    (tensor([-6.0000,  9.0000]), tensor([6., 9.]))
    >>> bool(x.grad.abs().amax() < 0.0001)
    True

    About eight lines. `reshape(-1, D)` makes rows of whatever stands in front; with D = 0 it cannot tell how many.
    """
    size = len(weight)
    along = grad * normal
    to_weight, to_bias = (np.ones(rstd.size, grad.dtype) @ part.reshape(rstd.size, size) for part in (along, grad))
    g = grad * weight.data
    along *= weight.data
    to_x = g - add_up(g, -1, keepdim=True) / size
    to_x -= np.multiply(normal, add_up(along, -1, keepdim=True) / size, out=along)
    to_x *= rstd
    return to_x, to_weight, to_bias


# ---- At once: several cores --------------------------------------------------------------------------------


def one_blas_thread() -> AbstractContextManager[Any]:
    """A with-block in which a product of matrices takes one core, so that the others are free (given).

    NumPy's library spreads one large product over all cores. Threads that do it all at once stand in each other's way.
    Where threadpoolctl is not installed, nothing changes; `OPENBLAS_NUM_THREADS=1` before the command does the same.
    """
    try:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 (not everybody has it)
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits


def check_workers(workers: int) -> None:
    """Refuse what is no number of workers (given)."""
    if isinstance(workers, bool) or not isinstance(workers, int | np.integer):
        raise TypeError(f"workers is a whole number, not {workers!r}")
    if workers < 1:
        raise ValueError(f"workers is at least 1, not {workers}")


def parallel_map(function: Callable[[Item], Made], items: Iterable[Item], workers: int = 2) -> list[Made]:
    """Call a function with every item, several at a time, each in a thread: the results in the order of the items.

        parallel_map(function, items, workers)  ->  [function(items[0]), function(items[1]), ...]

    >>> parallel_map(lambda n: n * n, range(5), workers=2)
    [0, 1, 4, 9, 16]

    Not more than `workers` run at a time; who is done takes the next item. Python lets one thread work at a time, but
    NumPy lets the others go on while it computes, so threads gain where arrays are large, and nothing where they are
    small.

    Whether operations are recorded (`grad_mode.enabled`) is known to each thread by itself, and a new thread records.
    Here it is as in the caller: under `no_grad`, nothing is recorded by the workers either.

    What one item raises ends the whole: the first in the order of the items, as RuntimeError that names its place, the
    item and the error, which it comes from (`raise ... from error`). Items that have not begun are not begun.

    >>> parallel_map(lambda n: 6 / n, [2, 0, 3], workers=2)
    Traceback (most recent call last):
    RuntimeError: item 1 (0): ZeroDivisionError: division by zero

    Begin with `check_workers(workers)` (given). `ThreadPoolExecutor(workers)` as a with-block waits for its threads;
    `submit(function, item)` gives a future at once, and `result()` of it waits, and raises what was raised.
    `reprlib.repr(item)` keeps long items short. About fourteen lines.
    """
    check_workers(workers)
    items, recording = list(items), grad_mode.enabled

    def one(item: Item) -> Made:
        grad_mode.enabled = recording
        return function(item)

    made = []
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(one, item) for item in items]
        for place, future in enumerate(futures):
            try:
                made.append(future.result())
            except Exception as error:
                pool.shutdown(wait=False, cancel_futures=True)
                what = f"{type(error).__name__}: {error}"
                raise RuntimeError(f"item {place} ({reprlib.repr(items[place])}): {what}") from error
    return made


def follow(replica: Module, model: Module) -> None:
    """Bring a replica to the state of its model, without a copy of what it learns.

    Both are built alike, so their parts come in the same order:

        parameters    the replica's get the model's own arrays (`data`), the same memory; and no gradient (`grad` None)
        buffers       the replica's own arrays, filled with the model's numbers
        modules       `training` as in the model

    Why not the same memory for buffers? BatchNorm writes into them in every forward pass, and threads that write into
    one array at once leave nonsense. Parameters are only read.

    >>> model = Linear(2, 3)
    >>> model.register_buffer("average", zeros(3))
    >>> replica = copy.deepcopy(model)
    >>> model.weight.data = np.full((2, 3), 0.5, np.float32)
    >>> model.average.data[...] = 7
    >>> follow(replica, model.train(False))
    >>> replica.weight.data is model.weight.data, replica.training
    (True, False)
    >>> replica.average, replica.average.data is model.average.data
    (tensor([7., 7., 7.]), False)

    Also what is frozen in the model is frozen in the replica: `requires_grad`. Three loops over
    `zip(..., strict=True)`, about nine lines.
    """
    for own, given in zip(replica.parameters(), model.parameters(), strict=True):
        own.data, own.grad, own.requires_grad = given.data, None, given.requires_grad
    for kept, told in zip(replica.buffers(), model.buffers(), strict=True):
        kept.data = told.data.copy()
    for part, original in zip(replica.modules(), model.modules(), strict=True):
        part.training = original.training


def check_batch(loss_fn: Any, inputs: Tensor, target: Tensor) -> None:
    """Refuse a batch whose parts would not add up to the whole (given)."""
    if inputs.ndim < 1 or target.ndim < 1 or len(inputs) != len(target) or not len(inputs):
        raise ValueError(f"a batch has one target for each input, and not none: {inputs.shape} and {target.shape}")
    if getattr(loss_fn, "reduction", "mean") != "mean":
        raise ValueError(f"gradients of parts are averaged, and a loss with reduction={loss_fn.reduction!r} is no mean")


class DataParallel(Module):
    """A model and its replicas: each learns from a part of the batch, in a thread of its own.

    The replicas read the model's own parameters, so they cost no memory for them; each has gradients of its own, which
    are brought together in the model's. The model stays what an optimiser, `state_dict` and `eval()` see. As
    torch.nn.DataParallel.

    >>> parallel = DataParallel(Linear(3, 2), workers=2)
    >>> len(parallel.replicas), [name for name, _ in parallel.named_parameters()]
    (2, ['module.weight', 'module.bias'])

    Two things are not as in a single run. BatchNorm sees a part of the batch, and normalises by the part's own mean and
    variance, in PyTorch too; the model keeps the running statistics of the first part. And dropout draws its random
    numbers in whatever order the threads come.
    """

    def __init__(self, model: Module, workers: int = 2) -> None:
        super().__init__()
        check_workers(workers)
        self.module, self.workers = model, int(workers)
        arrays = {id(p.data): p.data for p in model.parameters()}  # these are not copied
        self.replicas = [copy.deepcopy(model, dict(arrays)) for _ in range(self.workers)]  # in a list: not layers

    def parts(self, count: int) -> list[tuple[Module, slice]]:
        """A replica that follows the model for each part of `count` samples, and the samples that are its part (given).

        The parts are as equal as the longest of them allows: 5 samples for 2 workers are 3 and 2. Few samples leave
        workers without a part.

        >>> [part for _, part in DataParallel(Linear(3, 2), workers=2).parts(5)]
        [slice(0, 3, None), slice(3, 5, None)]
        """
        pieces = tiles(count, max(math.ceil(count / self.workers), 1))
        for replica in self.replicas[: len(pieces)]:
            follow(replica, self.module)
        return list(zip(self.replicas, pieces, strict=False))

    def forward(self, x: Tensor) -> Tensor:
        """The model's output for a batch, computed in parts; nothing is recorded, `backward` is for learning (given).

        >>> layer, x = Linear(3, 2), rand(5, 3)
        >>> np.allclose(DataParallel(layer)(x).data, layer(x).data, atol=1e-6)
        True
        """
        if x.ndim < 1 or len(x) < 2:
            with no_grad():
                return self.module(x)  # type: ignore[no-any-return]  # a model gives what its forward gives
        with no_grad():
            return cat(parallel_map(lambda job: job[0](x[job[1]]), self.parts(len(x)), self.workers))

    def backward(self, loss_fn: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, target: Tensor) -> float:
        """Add to the model's gradients those of the mean loss over a batch, and return that loss.

            inputs (N, ...), target (N, ...)  ->  a float      `loss_fn(output, target)` is a mean over its samples

        As `loss = loss_fn(model(inputs), target); loss.backward()`, up to rounding, but in parts at the same time. Part
        k has N_k of the N samples, and its loss is a mean over these only. So it counts by its share:

            loss  =  sum over k of  N_k / N · loss_k        and the gradients likewise

        By hand, for 3 + 2 samples with mean slopes 1 and 6: 3/5 · 1 + 2/5 · 6 = 3, and not (1 + 6) / 2 = 3.5.

        >>> layer = Linear(1, 1, bias=False)
        >>> parallel, x = DataParallel(layer, workers=2), tensor([[1.0], [1.0], [1.0], [6.0], [6.0]])
        >>> loss = parallel.backward(lambda y, t: (y - t).mean(), x, zeros(5, 1))
        >>> round(layer.weight.grad.item(), 4), round(loss / layer.weight.item(), 4)
        (3.0, 3.0)
        >>> round(3 / 5 * 1 + 2 / 5 * 6, 6), (1 + 6) / 2
        (3.0, 3.5)

        Gradients are added to those that the model has, as `backward` does it. They are written when all parts have
        ended well: after an error the model is as it was. The inputs get no gradient.

        Begin with `check_batch(loss_fn, inputs, target)` (given). `self.parts(N)` gives pairs (replica, slice), for
        which `parallel_map` can be asked to work; multiply each loss by its share before its `backward()`, then
        gradients only have to be added up: `self.gather(count)` (given) does it for the first `count` replicas. About
        ten lines.
        """
        check_batch(loss_fn, inputs, target)
        inputs = inputs.detach()
        jobs = self.parts(len(inputs))

        def learn(job: tuple[Module, slice]) -> float:
            replica, part = job
            loss = loss_fn(replica(inputs[part]), target[part])
            loss = loss * ((part.stop - part.start) / len(inputs))
            loss.backward()
            return float(loss)

        losses = parallel_map(learn, jobs, self.workers)
        self.gather(len(jobs))
        return sum(losses)

    def gather(self, count: int) -> None:
        """Add up the gradients of the first `count` replicas in the model, and take over the first one's buffers."""
        replicas = self.replicas[:count]
        for own, *others in zip(self.module.parameters(), *(r.parameters() for r in replicas), strict=True):
            found = [other.grad.data for other in others if other.grad is not None]
            if found:
                accumulate([(own, reduce(np.add, found))])
        for kept, told in zip(self.module.buffers(), replicas[0].buffers(), strict=True):
            kept.data[...] = told.data
