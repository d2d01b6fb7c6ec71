"""Activations: the functions that stand between two layers, so that two layers are more than one.

With this file the package can bend a line (`relu`, `gelu`), squash a score into a probability (`sigmoid`) and
share one unit of probability among a row of scores (`softmax`), at any size of score that float32 can hold.

There are two ways to add an operation, and both are used here. A function that is put together from operations
of module 01 needs nothing more: module 05 will know its gradient, because it knows the gradient of every part.
A function that computes on `x.data` with NumPy is a new operation, and hands its result to `record`. That is faster:
each pass over a large array costs about as much as the arithmetic in it, and NumPy can write over what is used up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tensor import Tensor, add_up, record

Array = NDArray[Any]


def floats(x: Tensor) -> Array:
    """The array inside a tensor (not a copy); integers and booleans as float32."""
    return x.data if x.dtype.kind == "f" else x.data.astype(np.float32)


def check_dim(x: Tensor, dim: int) -> None:
    """Raise IndexError where a tensor lacks the dimension `dim`; a single number counts as one dimension."""
    count = max(x.ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"dim {dim} is out of range: shape {x.shape} has dims from {-count} to {count - 1}")


# ---- A bend: piecewise linear ----


def relu(x: Tensor) -> Tensor:
    """Keep what is positive and put 0 in place of the rest, element by element.

        x (...)  ->  (...)      a new tensor; dtype is kept, and x is not changed

        relu(x) = max(x, 0)

    >>> relu(tensor([[1.0, -1.0], [-2.0, 2.0]]))
    tensor([[1., 0.],
            [0., 2.]])

    An infinite score has an answer too: relu(-inf) is 0 and relu(inf) is inf. (x * (x > 0) would give nan,
    because 0 · inf is nan.)

    >>> relu(tensor([-math.inf, math.inf])).tolist()
    [0.0, inf]

    Compute with NumPy on x.data and end with `record("relu", data, (x,), result=data)`. Where the result
    is positive the slope is 1, elsewhere 0: so the result is all that module 05 will need. Two or three lines.

    In PyTorch: torch.nn.functional.relu.
    """
    data = np.zeros(x.shape, x.dtype)
    np.maximum(x.data, data, out=data)  # beside the number 0 NumPy would take them one by one: four times as long
    return record("relu", data, (x,), result=data)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Keep what is positive and multiply the rest by a slope, so that a negative score still counts a little.

        x (...)  ->  (...)      a new tensor; floats keep their dtype, integers become float32

        leaky_relu(x) = x where x > 0, negative_slope · x elsewhere

    Any slope is allowed. 0 gives relu, 1 gives x itself, -1 gives |x|, and 2 makes negative scores larger:

    >>> leaky_relu(tensor([1.0, -1.0]))
    tensor([ 1.0000, -0.0100])
    >>> leaky_relu(tensor([1.0, -1.0]), negative_slope=2)
    tensor([ 1., -2.])

    Compute with NumPy on floats(x) and end with
    `record("leaky_relu", data, (x,), negative_slope=negative_slope)`. About three lines.

    In PyTorch: torch.nn.functional.leaky_relu. Paper: Maas and others, "Rectifier nonlinearities improve neural
    network acoustic models", 2013.
    """
    values = floats(x)
    data = np.multiply(values, negative_slope, out=np.empty_like(values))
    # The lines x and slope · x cross at 0. Below a slope of 1 the result is the upper one, above it the lower.
    choose = np.maximum if negative_slope <= 1 else np.minimum
    choose(values, data, out=data)
    return record("leaky_relu", data, (x,), negative_slope=negative_slope)


# ---- A squeeze: every score becomes a number in a fixed range ----


def sigmoid(x: Tensor) -> Tensor:
    """Turn each score into a probability of its own, between 0 and 1.

        x (...)  ->  (...)      a new tensor; floats keep their dtype, integers become float32

        sigmoid(x) = 1 / (1 + exp(-x)) = exp(x) / (1 + exp(x))

    On paper both forms are equal. In float32 exp(89) is inf, so the first overflows at large negative scores
    and the second at large positive ones. Use for each score the form whose exponent is not positive.

    >>> sigmoid(tensor([math.log(3), 0.0, -math.log(3)]))
    tensor([0.7500, 0.5000, 0.2500])
    >>> sigmoid(tensor([-1e4, 1e4]))
    tensor([0., 1.])

    A small probability stays a small number, and is not rounded to 0:

    >>> sigmoid(tensor([-20.0]))
    tensor([2.0612e-09])

    No warning may appear at any score. (np.where computes both of its branches everywhere, and warns for
    the one that it throws away.) Compute with NumPy on floats(x) and end with
    `record("sigmoid", data, (x,), result=data)`: its slope is result · (1 - result). About four lines, or ten
    where every pass over the data counts.

    In PyTorch: torch.sigmoid.
    """
    scores = floats(x)
    data = np.empty_like(scores)  # every pass writes here: new memory for a large array costs more than arithmetic
    # tanh is the faster curve on most processors, but 0.5 + ... would round small probabilities off.
    if scores.min(initial=0) > -5:
        np.tanh(np.multiply(scores, 0.5, out=data), out=data)
        data *= 0.5
        data += 0.5
    else:
        with np.errstate(over="ignore"):  # 1 / inf is 0, and that is right
            np.exp(np.negative(scores, out=data), out=data)
        data += 1
        np.divide(1, data, out=data)
    return record("sigmoid", data, (x,), result=data)


def tanh(x: Tensor) -> Tensor:
    """Turn each score into a number between -1 and 1, with 0 in the middle.

        x (...)  ->  (...)      a new tensor; floats keep their dtype, integers become float32

        tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x)) = 2 · sigmoid(2x) - 1

    So it is the sigmoid, twice as steep and stretched to be as often negative as positive.

    >>> tanh(tensor([math.log(2), 0.0, -math.log(2)]))
    tensor([ 0.6000,  0.0000, -0.6000])
    >>> tanh(tensor([-1e4, 1e4]))
    tensor([-1.,  1.])

    The quotient of exponentials is inf / inf from x = 89 on; a tensor has a method that knows better.
    One line. In PyTorch: torch.tanh.
    """
    return x.tanh()


def gelu(x: Tensor, approximate: str = "tanh") -> Tensor:
    """Let a score pass in proportion to how large it is: a relu whose corner is rounded.

        x (...)  ->  (...)      a new tensor; floats keep their dtype, integers become float32

    gelu(x) is x · Φ(x), where Φ(x) is the probability that a standard normal number lies below x. Φ needs
    the error function, which NumPy does not have, so this is the close approximation by tanh:

        gelu(x) = 0.5 · x · (1 + tanh(c · (x + 0.044715 · x³)))      c = sqrt(2 / π)

    >>> gelu(tensor([-1.0, 0.0, 1.0, 2.0]))
    tensor([-0.1588,  0.0000,  0.8412,  1.9546])

    By hand, at 1, and what the exact Φ would give there:

    >>> inner = math.sqrt(2 / math.pi) * (1 + 0.044715)
    >>> round(0.5 * (1 + math.tanh(inner)), 4), round(0.5 * (1 + math.erf(1 / math.sqrt(2))), 4)
    (0.8412, 0.8413)

    `approximate` is there so that a call can be carried over to PyTorch as it stands; "tanh" is the only form
    here, and any other raises ValueError with the form in the sentence. Write the formula with Tensor operations,
    so that its gradient comes for free in module 05, and x³ as a product: a power is far slower. About three lines.

    In PyTorch: torch.nn.functional.gelu(x, approximate="tanh"). Paper: Hendrycks and Gimpel, "Gaussian error
    linear units", 2016.
    """
    if approximate != "tanh":
        raise ValueError(f"gelu has the form approximate='tanh' only, not {approximate!r}: NumPy has no erf")
    c = math.sqrt(2 / math.pi)
    inner = x * (c + 0.044715 * c * x * x)  # one pass fewer than the formula as it stands
    return x * (0.5 + 0.5 * inner.tanh())


# ---- A share: scores compete along one dimension ----


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Turn scores into probabilities along one dimension.

    Each slice along `dim` comes out positive, in the same order, and summing to 1. The other dimensions only say
    how many slices there are; they never mix.

        x (..., n, ...)  ->  (..., n, ...)      n stands at position dim; a new tensor, dtype is kept

    With m the largest score of the slice:

        y_i = exp(x_i - m) / sum_j exp(x_j - m)

    On paper m cancels. In float32 it decides: exp(89) is already inf, and inf / inf is nan. Shifted by m, the
    largest exponent is 0 and nothing can overflow.

    By hand, for x = [0, log 2, log 5]: m = log 5, exp(x - m) = [0.2, 0.4, 1], their sum is 1.6.

    >>> 0.2 + 0.4 + 1, 1 / 1.6
    (1.6, 0.625)
    >>> softmax(tensor([0.0, math.log(2), math.log(5)]))
    tensor([0.1250, 0.2500, 0.6250])

    Two rows do not share, and a score of -inf (a masked one) gets exactly 0:

    >>> softmax(tensor([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]]), dim=1)
    tensor([[0.0900, 0.2447, 0.6652],
            [0.6652, 0.0900, 0.2447]])
    >>> softmax(tensor([0.0, -math.inf, 0.0]))
    tensor([0.5000, 0.0000, 0.5000])

    `check_dim(x, dim)` comes first and raises IndexError for a dim out of range, and a tensor without elements
    has no largest one: it comes back as a copy. The rest is written in one of two ways.

    Simple: with Tensor operations (amax, exp, sum), so that its gradient comes for free in module 05; m needs
    none, because it cancels, so detach() it. About five lines in all.
    Fast: one operation, with NumPy on floats(x) and few passes, that ends with
    `record("softmax", data, (x,), dim=dim, result=data)`. About twelve lines in all. `add_up` of module 01 is the
    fastest sum along rows.

    In PyTorch: torch.nn.functional.softmax.
    """
    check_dim(x, dim)
    if x.numel() == 0:
        return x.clone()
    scores = floats(x)
    # Any m cancels, and most scores are so small that 0 will do: two passes fewer. Where a sum says that it did not
    # (too small, too large, or nan), each slice gets its own m after all.
    with np.errstate(all="ignore"):
        data = np.exp(scores)
        sums = add_up(data, dim, keepdim=True)
    if not (sums.min() > 1e-3 and sums.max() < 1e30):
        data = np.exp(scores - scores.max(axis=dim, keepdims=True))
        sums = add_up(data, dim, keepdim=True)
    data *= np.reciprocal(sums)
    return record("softmax", data, (x,), dim=dim, result=data)


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Compute the logarithms of the probabilities that `softmax` gives, also of those too small for float32.

        x (..., n, ...)  ->  (..., n, ...)      n stands at position dim; a new tensor, dtype is kept

    With m the largest score of the slice:

        y_i = (x_i - m) - log sum_j exp(x_j - m)

    This is the logarithm of softmax, with the division already carried out as a difference. No exponential
    stands alone under a logarithm: the sum holds exp(m - m) = 1, so its logarithm is never that of 0.

    >>> log_softmax(tensor([0.0, math.log(2), math.log(5)]))
    tensor([-2.0794, -1.3863, -0.4700])
    >>> [round(math.log(p), 4) for p in (0.125, 0.25, 0.625)]
    [-2.0794, -1.3863, -0.47]

    A probability of exp(-200) is 0 in float32, and the logarithm of 0 is -inf; but its logarithm is just -200:

    >>> log_softmax(tensor([0.0, 200.0]))
    tensor([-200.,    0.])

    `check_dim(x, dim)` first, as in softmax, and a tensor without elements comes back as a copy. Then simple, with
    Tensor operations (amax, detach, exp, sum, log), about five lines in all; or fast, one operation that ends with
    `record("log_softmax", data, (x,), dim=dim, result=data)`.

    In PyTorch: torch.nn.functional.log_softmax.
    """
    check_dim(x, dim)
    if x.numel() == 0:
        return x.clone()
    scores = floats(x)
    data = np.empty_like(scores)
    # First without m, as in softmax. A large logarithm would cost digits in the difference, and inf or nan all of them.
    with np.errstate(all="ignore"):
        logs = np.log(add_up(np.exp(scores, out=data), dim, keepdim=True))
    if not np.abs(logs).max() < 16:
        scores = scores - scores.max(axis=dim, keepdims=True)
        logs = np.log(add_up(np.exp(scores, out=data), dim, keepdim=True))
    np.subtract(scores, logs, out=data)
    return record("log_softmax", data, (x,), dim=dim, result=data)


# ---- The same functions as objects, to stand in a list of layers (given) ----


class Activation:
    """What the classes below share: a repr that shows their settings.

    >>> LeakyReLU(0.25)
    LeakyReLU(negative_slope=0.25)
    """

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class ReLU(Activation):
    """`relu` as an object."""

    def __call__(self, x: Tensor) -> Tensor:
        """Bend every element."""
        return relu(x)


class LeakyReLU(Activation):
    """`leaky_relu` as an object that holds its slope."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def __call__(self, x: Tensor) -> Tensor:
        """Bend every element."""
        return leaky_relu(x, self.negative_slope)


class Sigmoid(Activation):
    """`sigmoid` as an object."""

    def __call__(self, x: Tensor) -> Tensor:
        """Squash every element."""
        return sigmoid(x)


class Tanh(Activation):
    """`tanh` as an object."""

    def __call__(self, x: Tensor) -> Tensor:
        """Squash every element."""
        return tanh(x)


class GELU(Activation):
    """`gelu` as an object."""

    def __init__(self, approximate: str = "tanh") -> None:
        self.approximate = approximate

    def __call__(self, x: Tensor) -> Tensor:
        """Bend every element."""
        return gelu(x, self.approximate)


class Softmax(Activation):
    """`softmax` as an object that holds its dimension."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def __call__(self, x: Tensor) -> Tensor:
        """Probabilities along the dimension."""
        return softmax(x, self.dim)


class LogSoftmax(Activation):
    """`log_softmax` as an object that holds its dimension."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def __call__(self, x: Tensor) -> Tensor:
        """Logarithms of the probabilities along the dimension."""
        return log_softmax(x, self.dim)
