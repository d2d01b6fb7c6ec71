"""Images: layers that look at a small window at a time, with the same weights everywhere."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .autograd import backward_rule
from .layers import Module, Parameter, uniform_
from .tensor import Tensor, ones, record, zeros

Array: TypeAlias = NDArray[Any]
Pair: TypeAlias = "int | tuple[int, int]"


def pair(value: Pair) -> tuple[int, int]:
    """(height, width) of what is given as one number for both, or as two."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """How many windows fit along one dimension."""
    return (size + 2 * padding - kernel) // stride + 1


def conv2d_loops(x: Array, weight: Array, bias: Array | None, stride: Pair = 1, padding: Pair = 0) -> Array:
    """Six loops."""
    (sh, sw), (ph, pw) = pair(stride), pair(padding)
    n, channels, height, width = x.shape
    filters, _, kh, kw = weight.shape
    out = np.zeros((n, filters, output_size(height, kh, sh, ph), output_size(width, kw, sw, pw)), x.dtype)
    for b, f, r, c in np.ndindex(out.shape):
        total = 0.0 if bias is None else bias[f]
        for k in range(channels):
            for i in range(kh):
                for j in range(kw):
                    row, column = r * sh + i - ph, c * sw + j - pw
                    if 0 <= row < height and 0 <= column < width:
                        total += x[b, k, row, column] * weight[f, k, i, j]
        out[b, f, r, c] = total
    return out


def channels_last(x: Array, padding: tuple[int, int] = (0, 0)) -> Array:
    """(N, C, H, W) as (N, H + 2p, W + 2p, C), contiguous, with zeros around."""
    (ph, pw), (n, c, h, w) = padding, x.shape
    if not ph and not pw:
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    padded = np.zeros((n, h + 2 * ph, w + 2 * pw, c), x.dtype)
    padded[:, ph : ph + h, pw : pw + w] = x.transpose(0, 2, 3, 1)
    return padded


def windows(images: Array, kernel: tuple[int, int], stride: tuple[int, int]) -> Array:
    """Every window of (N, H, W, C) as a row of a matrix: (N * oh * ow, kh * kw * C)."""
    view = sliding_window_view(images, kernel, axis=(1, 2))[:, :: stride[0], :: stride[1]]  # (N, oh, ow, C, kh, kw)
    rows = view.shape[0] * view.shape[1] * view.shape[2]
    return view.transpose(0, 1, 2, 4, 5, 3).reshape(rows, -1)


def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Pair = 1, padding: Pair = 0) -> Tensor:
    """One matrix product."""
    stride, padding = pair(stride), pair(padding)
    n, _, h, w = x.shape
    filters, _, kh, kw = weight.shape
    size = output_size(h, kh, stride[0], padding[0]), output_size(w, kw, stride[1], padding[1])
    patches = windows(channels_last(x.data, padding), (kh, kw), stride)
    y = patches @ weight.data.transpose(2, 3, 1, 0).reshape(-1, filters)
    if bias is not None:
        y += bias.data
    data = y.reshape(n, *size, filters).transpose(0, 3, 1, 2)
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return record("conv2d", data, inputs, stride=stride, padding=padding, patches=patches)


@backward_rule("conv2d")
def conv2d_backward(
    grad: Array, x: Tensor, weight: Tensor, *bias: Tensor, stride: Any, padding: Any, patches: Array
) -> Any:
    (n, channels, h, w), (filters, _, kh, kw) = x.shape, weight.shape
    rows = channels_last(grad).reshape(-1, filters)  # (N * oh * ow, F)
    to_weight = (patches.T @ rows).reshape(kh, kw, channels, filters).transpose(3, 2, 0, 1)
    to_bias = [np.ones(len(rows), rows.dtype) @ rows for _ in bias]
    if not x.requires_grad:
        return (None, to_weight, *to_bias)
    (sh, sw), (ph, pw), (oh, ow) = stride, padding, grad.shape[2:]
    padded = np.zeros((n, h + 2 * ph, w + 2 * pw, channels), grad.dtype)
    for i in range(kh):
        for j in range(kw):
            part = (rows @ weight.data[:, :, i, j]).reshape(n, oh, ow, channels)
            padded[:, i : i + sh * oh : sh, j : j + sw * ow : sw] += part
    return (padded[:, ph : ph + h, pw : pw + w].transpose(0, 3, 1, 2), to_weight, *to_bias)


class Conv2d(Module):
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride, self.padding = pair(kernel_size), pair(stride), pair(padding)
        bound = 1 / math.sqrt(in_channels * math.prod(self.kernel_size))
        self.weight = uniform_(Parameter(zeros(out_channels, in_channels, *self.kernel_size)), -bound, bound)
        self.bias = uniform_(Parameter(zeros(out_channels)), -bound, bound) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.weight, self.bias, self.stride, self.padding)


def corners(x: Array, kernel: tuple[int, int], stride: tuple[int, int]) -> list[Array]:
    """For each place in the window, that pixel of every window: kh * kw views of (N, C, oh, ow)."""
    (kh, kw), (sh, sw) = kernel, stride
    oh, ow = output_size(x.shape[2], kh, sh, 0), output_size(x.shape[3], kw, sw, 0)
    return [x[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] for i in range(kh) for j in range(kw)]


def padded(x: Array, padding: tuple[int, int], value: float) -> Array:
    (ph, pw), (n, c, h, w) = padding, x.shape
    if not ph and not pw:
        return x
    wide = np.full((n, h + 2 * ph, w + 2 * pw, c), value, x.dtype).transpose(0, 3, 1, 2)
    wide[:, :, ph : ph + h, pw : pw + w] = x
    return wide


def max_pool2d(x: Tensor, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Tensor:
    kernel, padding = pair(kernel_size), pair(padding)
    stride = kernel if stride is None else pair(stride)
    first, *others = corners(padded(x.data, padding, -np.inf), kernel, stride)
    data = first.copy(order="K")
    for other in others:
        np.maximum(data, other, out=data)
    return record("max_pool2d", data, (x,), kernel=kernel, stride=stride, padding=padding, result=data)


@backward_rule("max_pool2d")
def max_pool2d_backward(grad: Array, x: Tensor, kernel: Any, stride: Any, padding: Any, result: Array) -> Array:
    """The gradient goes to the largest of each window; of several, to the first."""
    (ph, pw), (h, w) = padding, x.shape[2:]
    values = padded(x.data, padding, -np.inf)
    total = np.zeros_like(values)
    open_ = np.ones_like(result, dtype=bool)
    for value, place in zip(corners(values, kernel, stride), corners(total, kernel, stride), strict=True):
        won = (value == result) & open_
        open_ &= ~won
        place += grad * won
    return total[:, :, ph : ph + h, pw : pw + w]


def avg_pool2d(x: Tensor, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Tensor:
    kernel, padding = pair(kernel_size), pair(padding)
    stride = kernel if stride is None else pair(stride)
    first, *others = corners(padded(x.data, padding, 0), kernel, stride)
    data = first.copy(order="K")
    for other in others:
        data += other
    data *= np.asarray(1 / math.prod(kernel), data.dtype)
    return record("avg_pool2d", data, (x,), kernel=kernel, stride=stride, padding=padding)


@backward_rule("avg_pool2d")
def avg_pool2d_backward(grad: Array, x: Tensor, kernel: Any, stride: Any, padding: Any) -> Array:
    (ph, pw), (h, w) = padding, x.shape[2:]
    total = np.zeros_like(padded(x.data, padding, 0))
    share = grad * np.asarray(1 / math.prod(kernel), grad.dtype)
    for place in corners(total, kernel, stride):
        place += share
    return total[:, :, ph : ph + h, pw : pw + w]


class MaxPool2d(Module):
    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        return max_pool2d(x, self.kernel_size, self.stride, self.padding)


class AvgPool2d(MaxPool2d):
    def forward(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding)


def batch_norm(x: Tensor, weight: Tensor, bias: Tensor, mean: Array, var: Array, eps: float, fixed: bool) -> Tensor:
    n, c, h, w = x.shape
    rows = channels_last(x.data).reshape(-1, c)
    rstd = 1 / np.sqrt(var + eps)
    scale = rstd * weight.data
    data = rows * scale
    data += bias.data - mean * scale
    data = data.reshape(n, h, w, c).transpose(0, 3, 1, 2)
    return record("batch_norm", data, (x, weight, bias), rows=rows, mean=mean, rstd=rstd, fixed=fixed)


@backward_rule("batch_norm")
def batch_norm_backward(
    grad: Array, x: Tensor, weight: Tensor, bias: Tensor, rows: Array, mean: Array, rstd: Array, fixed: bool
) -> Any:
    n, c, h, w = x.shape
    slopes = channels_last(grad).reshape(-1, c)
    to_bias = np.ones(len(slopes), slopes.dtype) @ slopes
    to_weight = (np.einsum("nc,nc->c", slopes, rows) - to_bias * mean) * rstd
    to_x = slopes * (weight.data * rstd)
    if not fixed:
        factor = weight.data * rstd * rstd * to_weight / len(rows)
        to_x -= rows * factor
        to_x += factor * mean - weight.data * rstd * to_bias / len(rows)
    return to_x.reshape(n, h, w, c).transpose(0, 3, 1, 2), to_weight, to_bias


class BatchNorm2d(Module):
    weight: Parameter
    bias: Parameter
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight, self.bias = Parameter(ones(num_features)), Parameter(zeros(num_features))
        self.register_buffer("running_mean", zeros(num_features))
        self.register_buffer("running_var", ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean.data, self.running_var.data
        if self.training:
            rows = channels_last(x.data).reshape(-1, self.num_features)
            mean = np.ones(len(rows), rows.dtype) @ rows / len(rows)
            centred = rows - mean
            var = np.einsum("nc,nc->c", centred, centred) / len(rows)
            self.track(mean, var * (len(rows) / (len(rows) - 1)))
        return batch_norm(x, self.weight, self.bias, mean, var, self.eps, fixed=not self.training)

    def track(self, mean: Array, var: Array) -> None:
        """Move the running statistics a little towards those of a batch."""
        for kept, new in ((self.running_mean, mean), (self.running_var, var)):
            kept.data *= 1 - self.momentum
            kept.data += self.momentum * new


class Flatten(Module):
    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)
