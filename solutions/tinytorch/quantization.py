"""Quantization: weights and activations as whole numbers of 8 bits.

A float32 takes four bytes, and a network hardly needs them: what it computes survives if every number is rounded to
one of 256 places on a ruler. A ruler is two numbers, `scale`, the distance between two marks, and `zero_point`, the
mark at which 0 stands. An int8 `q` then means

    x = (q - zero_point) * scale            -128 <= q <= 127

The file goes from one number to a whole model: choose a ruler for a range, round to it, and read off again; find the
range of what flows through a layer by watching a few batches (calibration); multiply matrices of whole numbers;
exchange every Linear of a model for one that does so. A quarter of the memory remains. Time is another matter, and
the lesson measures it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .autograd import no_grad
from .layers import Linear, Module
from .profiling import weight_bytes
from .tensor import Tensor, from_numpy, wrap_dim

Array: TypeAlias = NDArray[Any]

LOWEST, HIGHEST = -128, 127  # what an int8 can hold


# ---- A ruler for a range -----------------------------------------------------------------------------------


def value_range(x: Tensor, dim: int | None = None) -> tuple[Array, Array]:
    """Find the smallest and the largest number of a tensor, or of each channel.

        x (...)  ->  low, high       two arrays of shape () without dim
                                     with dim: the size of x at dim, and 1 everywhere else

    `dim` is the dimension that counts the channels, and all others are searched: for a weight (in, out), dim=1 gives
    the range of every column, in shape (1, out), which broadcasts against the weight.

    What has no range is refused: a tensor that is not float (TypeError, with the dtype), one without any numbers
    (ValueError, with the shape), and one that holds NaN or infinity (ValueError, with how many of how many): a single
    inf in one batch would make a ruler on which everything else is 0. `wrap_dim(dim, ndim)` (given by module 01) counts
    dim from the front, and raises IndexError where there is no such dimension.

    >>> low, high = value_range(tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 0.25]]))
    >>> float(low), float(high)
    (-2.0, 4.0)
    >>> value_range(tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 0.25]]), dim=1)[0].tolist()
    [[1.0, -2.0, 0.25]]
    >>> value_range(tensor([1.0, float("nan")]))
    Traceback (most recent call last):
    ValueError: 1 of 2 numbers are NaN or infinite, and no range holds them

    About ten lines. NumPy's min and max take a tuple of axes, and keepdims; all axes together are (0, ..., ndim - 1).
    """
    array = x.data
    if array.dtype.kind != "f":
        raise TypeError(f"floats are quantised, not {array.dtype}")
    if not array.size:
        raise ValueError(f"a tensor of shape {array.shape} holds no numbers, and has no range")
    wrong = array.size - np.count_nonzero(np.isfinite(array))
    if wrong:
        raise ValueError(f"{wrong} of {array.size} numbers are NaN or infinite, and no range holds them")
    channel = None if dim is None else wrap_dim(dim, array.ndim)
    others = tuple(axis for axis in range(array.ndim) if axis != channel)
    keep = dim is not None
    return np.asarray(array.min(axis=others, keepdims=keep)), np.asarray(array.max(axis=others, keepdims=keep))


def choose_grid(low: Any, high: Any, symmetric: bool = False) -> tuple[Array, Array]:
    """Choose scale and zero point so that the marks of the ruler cover a range.

        low, high (...)  ->  scale (...), float32, and zero_point (...), int8      one ruler for each pair

    Affine: the range is widened to hold 0 (low is at most 0, high at least 0), and its ends fall on the first and the
    last of 256 marks, which are 255 steps apart:

        scale = (high - low) / 255        zero_point = round(-128 - low / scale), kept within -128 ... 127

    Rounding the zero point puts 0 on a mark exactly. Padding, ReLU and dropout make zeros by the thousand; each of them
    would otherwise come back a little wrong, and always to the same side.

    Symmetric: 0 stands at mark 0, and the number farthest from it at -127 or 127. Mark -128 stays unused, for it has
    no counterpart:

        scale = max(-low, high) / 127     zero_point = 0

    A range of nothing, such as 0 ... 0, has scale 0, by which nobody can divide: take 1. Work in float64, in which
    no range of float32 numbers overflows, and cast the scale at the end; it may become 0 only then.

    By hand, for -1 ... 3: scale = 4 / 255 = 0.0157, and zero_point = round(-128 + 63.75) = round(-64.25) = -64.

    >>> scale, zero_point = choose_grid(-1.0, 3.0)
    >>> round(float(scale), 4), int(zero_point), scale.dtype, zero_point.dtype
    (0.0157, -64, dtype('float32'), dtype('int8'))
    >>> -128 - -1 / (4 / 255), -1 / (4 / 255)
    (-64.25, -63.75)
    >>> scale, zero_point = choose_grid(-1.0, 3.175, symmetric=True)
    >>> round(float(scale), 4), int(zero_point)
    (0.025, 0)
    >>> [float(number) for number in choose_grid(0.0, 0.0)]
    [1.0, -128.0]

    About ten lines of NumPy, which work for a number as for an array. As PyTorch's observers do it
    (https://pytorch.org/docs/stable/quantization.html).
    """
    low = np.minimum(np.asarray(low, np.float64), 0)
    high = np.maximum(np.asarray(high, np.float64), 0)
    steps = np.maximum(-low, high) / HIGHEST if symmetric else (high - low) / (HIGHEST - LOWEST)
    scale = np.asarray(steps, np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    if symmetric:
        return scale, np.zeros(scale.shape, np.int8)
    zero_point = np.clip(np.rint(LOWEST - low / scale), LOWEST, HIGHEST)
    return scale, zero_point.astype(np.int8)


def to_int8(x: Array, scale: Array, zero_point: Array) -> Array:
    """Round every number to the nearest mark of the ruler.

        x (...), scale and zero_point that broadcast with it  ->  (...), int8

        q = round(x / scale) + zero_point, kept within -128 ... 127

    Halfway between two marks the even one is taken, as in IEEE 754, PyTorch and `np.rint`: 0.5 becomes 0, 1.5 and 2.5
    become 2. Always rounding up would shift the mean of a layer by half a step of every tie.

    What lies beyond the ruler *saturates*, it ends on the last mark. That has to happen before the cast: an int8 that
    is asked to hold 130 holds -126. Infinity saturates too. NaN has no place at all: ValueError,
    with how many of how many.

    >>> to_int8(np.array([-0.5, 0.5, 1.5, 2.5, 2.7, -2.7]), np.float32(1), np.int8(0))
    array([ 0,  0,  2,  2,  3, -3], dtype=int8)
    >>> to_int8(np.array([0.0, 1.0, 65.0, -500.0, np.inf]), np.float32(0.5), np.int8(3))
    array([   3,    5,  127, -128,  127], dtype=int8)

    About six lines: round, shift, clip, cast, in this order.
    """
    lost = np.count_nonzero(np.isnan(x))
    if lost:
        raise ValueError(f"{lost} of {np.size(x)} numbers are NaN, which is no number to round")
    marks = np.rint(x / scale) + zero_point
    saturated: Array = np.clip(marks, LOWEST, HIGHEST)
    return saturated.astype(np.int8)


class QuantizedTensor:
    """Whole numbers of 8 bits and the ruler on which they are read.

    `values` is an int8 array, `scale` (float32) and `zero_point` (int8) broadcast with it: of shape () for one ruler,
    (1, out) for one per column of a weight.

    >>> q = QuantizedTensor(np.array([[-128, -64], [0, 127]], np.int8), np.float32(0.5), np.int8(-64))
    >>> q.shape, q.nbytes
    ((2, 2), 9)
    """

    __slots__ = ("scale", "values", "zero_point")

    def __init__(self, values: Array, scale: Any, zero_point: Any) -> None:
        self.values = np.asarray(values)
        self.scale = np.asarray(scale, np.float32)
        self.zero_point = np.asarray(zero_point, np.int8)
        if self.values.dtype != np.int8:
            raise TypeError(f"the values of a QuantizedTensor are int8, not {self.values.dtype}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the values."""
        return self.values.shape

    @property
    def nbytes(self) -> int:
        """Bytes of the values and of their ruler, all that has to be stored."""
        return self.values.nbytes + self.scale.nbytes + self.zero_point.nbytes

    def centred(self, dtype: Any) -> Array:
        """The values counted from the zero point: -255 ... 255, for which int8 has no room (given)."""
        wide: Array = self.values.astype(dtype)
        return wide - self.zero_point

    def dequantize(self) -> Tensor:
        """Read the marks off again: (values - zero_point) * scale.

            (...)  ->  a float32 Tensor of the same shape

        Nothing is won back: what comes out is the mark next to the number that went in. Count from the zero point
        first, and in a type that has room: 127 - -128 is 255, which an int8 reads as -1.

        >>> QuantizedTensor(np.array([-128, -64, 0, 127], np.int8), 0.5, -64).dequantize()
        tensor([-32.0000,   0.0000,  32.0000,  95.5000])

        One or two lines; `from_numpy(array)` makes the Tensor.
        """
        return from_numpy(self.centred(np.float32) * self.scale)

    def __repr__(self) -> str:
        rulers = "one ruler" if self.scale.size == 1 else f"{self.scale.size} rulers"
        return f"QuantizedTensor({self.shape}, {rulers})"


def quantize(x: Tensor, symmetric: bool = False, dim: int | None = None) -> QuantizedTensor:
    """Round a tensor to 8 bits, on a ruler that its own range asks for.

        x (...), float  ->  QuantizedTensor of the same shape

    Per tensor, one ruler serves all numbers. Per channel (`dim` given), each slice along dim has a ruler of its own,
    and a column of small weights is not measured with the steps of the largest. x stays as it is; tensors that
    `value_range` refuses are refused.

    Within the range no number moves by more than half a step, and 0 comes back as 0.

    >>> q = quantize(tensor([[-1.0, 0.0], [1.0, 3.0]]))
    >>> q.values.tolist(), q.dequantize().tolist()[0][1]
    ([[-128, -64], [0, 127]], 0.0)
    >>> quantize(tensor([[1.0, 100.0], [0.5, -50.0]]), symmetric=True, dim=1).values.tolist()
    [[127, 127], [64, -64]]
    >>> quantize(tensor([[1.0, 100.0], [0.5, -50.0]]), symmetric=True).values.tolist()
    [[1, 127], [1, -64]]

    Three lines: the three functions above.
    """
    scale, zero_point = choose_grid(*value_range(x, dim), symmetric)
    return QuantizedTensor(to_int8(x.data, scale, zero_point), scale, zero_point)


# ---- Calibration -------------------------------------------------------------------------------------------


class MinMaxObserver:
    """Watches what flows past, and remembers the smallest and the largest number of it all.

    A weight's range can be looked up. The range of a layer's input depends on the data, so a few batches are sent
    through the model while observers watch. As torch.ao.quantization.MinMaxObserver.
    """

    low: float
    high: float

    def __init__(self, symmetric: bool = False) -> None:
        self.symmetric = symmetric
        self.low, self.high = math.inf, -math.inf  # of nothing yet

    def observe(self, x: Tensor) -> Tensor:
        """Widen the range `self.low` ... `self.high` to hold one more batch, and hand the batch on.

        Each batch may differ in shape. The range never shrinks: a batch that lies within it changes nothing, and the
        last batch counts no more than the first. A batch that `value_range` refuses raises, and leaves the range as it
        was. `low` and `high` are Python floats and start as inf and -inf.

        >>> observer = MinMaxObserver()
        >>> for batch in (tensor([0.5, 2.0]), tensor([-1.0, 1.0]), tensor([0.25])):
        ...     _ = observer.observe(batch)
        >>> observer.low, observer.high
        (-1.0, 2.0)

        Four lines.
        """
        low, high = value_range(x)
        self.low = min(self.low, float(low))
        self.high = max(self.high, float(high))
        return x

    def grid(self) -> tuple[Array, Array]:
        """Scale and zero point for all that was seen (given).

        Raises:
            RuntimeError: nothing was.
        """
        if self.low > self.high:
            raise RuntimeError("an observer that has seen nothing knows no range: send a batch through it first")
        return choose_grid(self.low, self.high, self.symmetric)

    def __repr__(self) -> str:
        return f"MinMaxObserver(low={self.low:.4g}, high={self.high:.4g})"


# ---- A layer of whole numbers ------------------------------------------------------------------------------


def integer_matmul(a: QuantizedTensor, b: QuantizedTensor) -> Array:
    """Multiply two matrices of marks, counted from their zero points.

        a (..., n), b (n, m)  ->  (..., m), int32       sum over k of (a[..., k] - za) * (b[k, m] - zb)

    That is the product of the two tensors but for the scales, which are taken out of the sum: scale_a * scale_b *
    this. a has one ruler, and b one or one per column, so that no scale changes within a sum. Sizes n that differ raise
    ValueError with both shapes.

    All of it is whole numbers, and it comes out exact. One product needs up to 17 bits, and a sum of n of them more. In
    int8 the sums would wrap round, 100 * 2 = 200 being -56, and in float32 whole numbers are exact up to 2**24 only.
    Hence int32.

    >>> a = QuantizedTensor(np.array([[100, 50]], np.int8), 0.5, 0)
    >>> b = QuantizedTensor(np.array([[2, 4], [4, -4]], np.int8), 0.25, 0)
    >>> integer_matmul(a, b)
    array([[400, 200]], dtype=int32)
    >>> integer_matmul(QuantizedTensor(a.values, 0.5, 10), b)           # (90, 40) instead of (100, 50)
    array([[340, 200]], dtype=int32)

    About four lines, with `centred(dtype)` (given). NumPy multiplies int32 matrices with plain loops; float64 goes
    through a tuned library, and is exact for whole numbers up to 2**53.
    """
    if a.shape[-1] != b.shape[0]:
        raise ValueError(f"a product sums over one size: {a.shape} and {b.shape} do not meet in one")
    farthest = [128 + int(np.abs(q.zero_point.astype(int)).max()) for q in (a, b)]
    exact = np.float32 if a.shape[-1] * farthest[0] * farthest[1] <= 2**24 else np.float64
    total: Array = a.centred(exact) @ b.centred(exact)
    return total.astype(np.int32)


class QuantizedLinear(Module):
    """A Linear with int8 weights, one ruler per output, that rounds its input to int8 as well.

    It holds five buffers and no parameter, for it is used, not trained: rounding has slope 0 nearly everywhere. Buffers
    are saved and loaded with a model, as ever. As torch.ao.nn.quantized.Linear.
    """

    weight_values: Tensor  # (in, out), int8
    weight_scale: Tensor  # (1, out)
    bias: Tensor | None  # (out,), float32
    input_scale: Tensor  # ()
    input_zero_point: Tensor  # (), int8

    def __init__(self, weight: QuantizedTensor, bias: Tensor | None, input_scale: Any, input_zero_point: Any) -> None:
        super().__init__()
        if weight.zero_point.any():
            raise ValueError("the weights of a QuantizedLinear are symmetric: their zero point is 0")
        self.in_features, self.out_features = weight.shape
        self.register_buffer("weight_values", from_numpy(weight.values))
        self.register_buffer("weight_scale", from_numpy(weight.scale))
        if bias is None:
            self.bias = None
        else:
            self.register_buffer("bias", from_numpy(bias.data.copy()))
        self.register_buffer("input_scale", from_numpy(np.asarray(input_scale, np.float32)))
        self.register_buffer("input_zero_point", from_numpy(np.asarray(input_zero_point, np.int8)))

    @property
    def weight(self) -> QuantizedTensor:
        """The weights with their rulers."""
        return QuantizedTensor(self.weight_values.data, self.weight_scale.data, 0)

    @classmethod
    def from_linear(cls, layer: Linear, observer: MinMaxObserver) -> QuantizedLinear:
        """Make the 8-bit twin of a trained layer.

        The weight is quantised symmetrically with one ruler per output, a column of (in, out): zero points that are
        all 0 save a correction in every sum. The bias stays float32; it is one number per output, and is added to
        sums far finer than a step. The ruler of the inputs is the one that the observer of this layer's inputs arrived
        at. The layer itself stays as it is, and nothing is shared with it.

        What is no Linear raises TypeError, with its type; an observer that has seen nothing raises RuntimeError (its
        `grid` does).

        >>> layer, observer = Linear(3, 2), MinMaxObserver()
        >>> _ = observer.observe(tensor([[0.0, 1.0, 2.55]]))
        >>> quantized = QuantizedLinear.from_linear(layer, observer)
        >>> quantized.weight, round(quantized.input_scale.item(), 4), quantized.input_zero_point.item()
        (QuantizedTensor((3, 2), 2 rulers), 0.01, -128)

        About four lines: `cls(weight, bias, scale, zero_point)` makes the layer, and copies the bias.
        """
        if not isinstance(layer, Linear):
            raise TypeError(f"a QuantizedLinear is made from a Linear, not from {type(layer).__name__}")
        weight = quantize(layer.weight, symmetric=True, dim=1)
        return cls(weight, layer.bias, *observer.grid())

    def forward(self, x: Tensor) -> Tensor:
        """Round the input, multiply whole numbers, and scale the sums.

            x (..., in_features)  ->  (..., out_features), float32

            y = integer_matmul(q, weight) * (input_scale * weight_scale) + bias      q: x on the input's ruler

        The ruler was chosen at calibration, and is not chosen anew: numbers beyond it saturate. Another last dimension
        raises ValueError with both shapes, as `integer_matmul` does already. The result is a tensor without a history.

        >>> weight = QuantizedTensor(np.array([[100], [-50]], np.int8), [[0.5]], 0)
        >>> layer = QuantizedLinear(weight, tensor([0.25]), 0.1, 0)
        >>> round(layer(tensor([[1.0, 2.04]])).item(), 4)               # marks 10 and 20: 10 * 100 - 20 * 50 = 0
        0.25
        >>> round(layer(tensor([[1000.0, 2.0]])).item(), 4)             # marks 127 and 20: 11700 * 0.1 * 0.5 + 0.25
        585.25

        About five lines.
        """
        scale, zero_point = self.input_scale.data, self.input_zero_point.data
        marks = QuantizedTensor(to_int8(x.data, scale, zero_point), scale, zero_point)
        y = integer_matmul(marks, self.weight) * (scale * self.weight_scale.data[0])
        if self.bias is not None:
            y += self.bias.data
        return from_numpy(y.astype(np.float32))

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


# ---- Whole models ------------------------------------------------------------------------------------------


def replace_layers(model: Module, kind: type[Module], make: Callable[[str, Any], Module]) -> Module:
    """Exchange all layers of one kind, at any depth, for others; the model is changed, and comes back.

    `make(path, layer)` gives the new layer, where path is the dotted name that `named_modules` gives ("0", "body.0").
    It is called once for each layer; one that is used in two places is exchanged for one new layer in both. Only
    layers whose type is `kind` itself count: a subclass may compute something else.

    The new layer takes the old one's name and place. A model that is itself of that kind cannot be changed from inside:
    what `make("", model)` gave comes back. What the new layers hold is not looked into.

    >>> model = Sequential(Linear(2, 3), ReLU(), Sequential(Linear(3, 2)))
    >>> paths = []
    >>> _ = replace_layers(model, Linear, lambda path, layer: paths.append(path) or Identity())
    >>> model[0], model[2][0], paths
    (Identity(), Identity(), ['0', '2.0'])

    About nine lines: first make a dict from `id(layer)` to the new layer, then go through all modules and
    their children (`module._modules`, a dict from name to layer), and `setattr(module, name, new)`. Make lists of what
    you go through before you change it.
    """
    everything = list(model.named_modules())
    made = {id(layer): make(path, layer) for path, layer in everything if type(layer) is kind}
    for _, module in everything:
        for name, child in list(module._modules.items()):
            if id(child) in made:
                setattr(module, name, made[id(child)])
    return made.get(id(model), model)


class Watched(Module):
    """A Linear whose inputs an observer sees (given)."""

    def __init__(self, path: str, layer: Linear) -> None:
        super().__init__()
        self.path = path
        self.layer = layer
        self.observer = MinMaxObserver()

    def forward(self, x: Tensor) -> Tensor:
        """What the layer computes, after its input was seen."""
        try:
            self.observer.observe(x)
        except ValueError as refused:
            raise ValueError(f"the input of layer {self.path!r} in calibration: {refused}") from None
        y: Tensor = self.layer(x)
        return y

    def quantized(self) -> QuantizedLinear:
        """The 8-bit twin of the layer."""
        if self.observer.low > self.observer.high:
            raise ValueError(f"no calibration batch reached layer {self.path!r}, so the range of its inputs is unknown")
        return QuantizedLinear.from_linear(self.layer, self.observer)


def inputs_of(calibration: Any) -> Iterator[Tensor]:
    """The inputs of every batch (given): of a Tensor, which is one batch, or of an iterable such as a DataLoader.

    A batch that is a tuple or a list is (inputs, targets).

    Raises:
        ValueError: there is no batch.
    """
    batches: Iterable[Any] = [calibration] if isinstance(calibration, Tensor) else calibration
    empty = True
    for batch in batches:
        yield batch[0] if isinstance(batch, tuple | list) else batch
        empty = False
    if empty:
        raise ValueError("calibration has no batch: a few are needed, to see what ranges the layers meet")


def quantize_model(model: Module, calibration: Any) -> Module:
    """Make a copy of a trained model whose Linear layers work in 8 bits.

    `calibration` is a batch or an iterable of batches, as `inputs_of(calibration)` (given) takes them: data like those
    that the model will meet, no labels needed. The batches go through a copy in which every Linear is watched; then
    each Linear becomes a QuantizedLinear. Calibration runs in eval mode, for dropout would double some inputs, and the
    copy comes back in eval mode, with all that it holds. The model itself is left as it is, with its numbers, its mode
    and its gradients.

    Other layers stay float32, and so does a Linear's subclass, for nobody knows what it computes. `left_alone(copy)`
    says which they are.

    ValueError, in one sentence: a model without a Linear; no batch; a batch with NaN or infinity; a layer that no batch
    reached (the sentence holds its name).

    >>> model = Sequential(Linear(8, 4), ReLU(), Linear(4, 2))
    >>> small = quantize_model(model, rand(16, 8))
    >>> small
    Sequential(
      (0): QuantizedLinear(in_features=8, out_features=4, bias=True)
      (1): ReLU()
      (2): QuantizedLinear(in_features=4, out_features=2, bias=True)
    )
    >>> type(model[0]).__name__
    'Linear'

    About eight lines: `copy.deepcopy`, `replace_layers` twice, with `Watched` (given) in between, whose `quantized()`
    is the finished layer, and `no_grad()`.
    """
    if not any(type(layer) is Linear for layer in model.modules()):
        raise ValueError(f"this {type(model).__name__} has no Linear layer, and nothing else is quantised")
    watched = replace_layers(copy.deepcopy(model).eval(), Linear, Watched)
    with no_grad():
        for batch in inputs_of(calibration):
            watched(batch)
    return replace_layers(watched, Watched, lambda _, layer: layer.quantized()).eval()


def left_alone(model: Module) -> dict[str, str]:
    """Name the layers that still compute with float32 numbers of their own: a dict from dotted name to kind.

    A layer counts where it owns a parameter or buffer of floats itself, and is no QuantizedLinear. Layers that own
    nothing (ReLU, Flatten) and those that only hold others (Sequential) do not.

    >>> small = quantize_model(Sequential(LayerNorm(4), Linear(4, 2), ReLU()), rand(5, 4))
    >>> left_alone(small)
    {'0': 'LayerNorm'}

    About five lines: `named_modules()`, and `module._own_tensors(buffers=True)`, a dict from name to tensor.
    """
    return {
        path: type(layer).__name__
        for path, layer in model.named_modules()
        if not isinstance(layer, QuantizedLinear)
        and any(tensor.dtype.kind == "f" for tensor in layer._own_tensors(buffers=True).values())
    }


def model_bytes(model: Module) -> int:
    """The bytes of all numbers that a model holds, parameters and buffers, each once: `weight_bytes` of module 14.

    For a QuantizedLinear that is the int8 values, their scales, the float bias, and the ruler of the input. A tensor
    that two layers share lies in memory once, and counts once. Gradients are no part of a model.

    By hand, Linear(100, 10) in float32 is 4 * (100 * 10 + 10) = 4040 bytes, and in 8 bits 1000 for the weight, 4 * 10
    for its scales, 4 * 10 for the bias and 4 + 1 for the input's ruler: 1085.

    >>> layer = Linear(100, 10)
    >>> model_bytes(layer), model_bytes(quantize_model(layer, rand(4, 100)))
    (4040, 1085)
    """
    return weight_bytes(model)
