"""Images: layers that look through a small window, with the same weights at every place.

A `Linear` layer has a weight for each pixel and each output, so that it must learn a cat anew for every corner of the
image. A convolution learns a few small filters and moves them over the image: hundreds of times fewer numbers, and what
is learnt in one corner is known in all. First as six loops, which say what it is; then as one matrix product, which
says the same a thousand times faster. Pooling makes images smaller, batch normalisation keeps signals in range.

Images are (N, C, H, W): how many, channels, height, width. In memory the channels of a pixel lie side by side (the
array is a transposed view of (N, H, W, C)): what a matrix product reads together then lies together.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .autograd import backward_rule
from .layers import Module, Parameter, uniform_
from .tensor import Shape, Tensor, ones, record, zeros

Array: TypeAlias = NDArray[Any]
Pair: TypeAlias = "tuple[int, int]"  # (height, width)
Size: TypeAlias = "int | tuple[int, int]"  # the same for both, or each its own
Gradients: TypeAlias = Any  # what a backward rule gives: an array, or a tuple with an array or None for every input


# ---- What all windows have in common (given) ----------------------------------------------------------------


def pair(value: Any, name: str, least: int = 1) -> Pair:
    """(height, width) of what is given as one number for both, or as two (given).

    >>> pair(3, "kernel_size"), pair((1, 2), "stride")
    ((3, 3), (1, 2))
    >>> pair(0, "stride")
    Traceback (most recent call last):
    ValueError: stride is at least 1, not 0
    """
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or not all(isinstance(n, int | np.integer) for n in both):
        raise TypeError(f"{name} is a whole number, or two of them for height and width, not {value!r}")
    if min(both) < least:
        raise ValueError(f"{name} is at least {least}, not {value}")
    return int(both[0]), int(both[1])


def check_images(x: Tensor | Array, kernel: Pair, padding: Pair) -> None:
    """Refuse what is no batch of images, or too small for the window (given)."""
    if len(x.shape) != 4:
        raise ValueError(f"images are (N, C, H, W), and these have shape {x.shape}")
    if x.dtype.kind != "f":
        raise TypeError(f"images are floating point, and these are {x.dtype}: x / 255 makes bytes floating point")
    if any(k > size + 2 * p for k, size, p in zip(kernel, x.shape[2:], padding, strict=True)):
        raise ValueError(f"a window of {kernel} is larger than images of shape {x.shape} with padding {padding}")


def conv2d_sizes(x: Any, weight: Any, bias: Any, stride: Size, padding: Size) -> tuple[Pair, Pair]:
    """Stride and padding as pairs, after a look at whether images, filters and bias fit together (given)."""
    stride, padding = pair(stride, "stride"), pair(padding, "padding", least=0)
    if len(weight.shape) != 4:
        raise ValueError(f"filters are (out, in, height, width), and these have shape {weight.shape}")
    check_images(x, weight.shape[2:], padding)
    if x.shape[1] != weight.shape[1]:
        raise ValueError(
            f"images of shape {x.shape} have {x.shape[1]} channels, and filters of shape {weight.shape} read "
            f"{weight.shape[1]}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"filters of shape {weight.shape} need a bias of {weight.shape[:1]}, not {bias.shape}")
    if any(other.dtype != x.dtype for other in (weight, bias) if other is not None):
        raise TypeError(f"images are {x.dtype} and filters {weight.dtype}: to(dtype) makes them the same")
    return stride, padding


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Count the places of a window along one dimension of an image.

    `size` pixels with `padding` more on either side; the window covers `kernel` of them and moves `stride` at a time.
    It must lie inside, padding included. What is left over at the end, too short for another step, is not read.

    By hand, for 5 pixels, a window of 3 and steps of 2: it begins at pixel 0 and at pixel 2. With one pixel of padding
    on either side there are 7, and it begins at 0, 2 and 4.

    >>> output_size(5, 3, 2), output_size(5, 3, 2, 1)
    (2, 3)
    >>> output_size(28, 3), output_size(28, 3, padding=1), output_size(6, 3, 2)
    (26, 28, 2)

    One line of whole numbers.
    """
    return (size + 2 * padding - kernel) // stride + 1


# ---- Convolution, slow: what it is --------------------------------------------------------------------------


def conv2d_loops(x: Array, weight: Array, bias: Array | None = None, stride: Size = 1, padding: Size = 0) -> Array:
    """Move each filter over each image, and sum the products at every place: six loops.

        x (N, C, H, W), weight (F, C, kh, kw), bias (F,) or None  ->  (N, F, oh, ow)      NumPy arrays, dtype of x

        y[n, f, r, c]  =  bias[f] + sum over k, i, j of  x[n, k, r·sh + i, c·sw + j] · weight[f, k, i, j]

    A filter reads all C channels of its window and gives one number. (sh, sw) is the stride. Padding (ph, pw) puts as
    many rows and columns of zeros around each image: then the place to read is r·sh + i - ph, c·sw + j - pw, and
    outside of the image stands 0. Mind that -1 is a legal index in NumPy.

    The filter is not turned around, as mathematicians do it in a convolution: filter pixel (0, 0) meets the first pixel
    of the window. By hand: 0·0 + 1·1 + 3·2 + 4·3 = 19.

    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)          # 0 1 2 / 3 4 5 / 6 7 8
    >>> weight = np.arange(4.0).reshape(1, 1, 2, 2)     # 0 1 / 2 3
    >>> conv2d_loops(x, weight)[0, 0]
    array([[19., 25.],
           [37., 43.]])
    >>> conv2d_loops(x, weight, padding=1).shape, conv2d_loops(x, weight, stride=(1, 2)).shape
    ((1, 1, 4, 4), (1, 1, 2, 1))

    Begin with `(sh, sw), (ph, pw) = conv2d_sizes(x, weight, bias, stride, padding)` (given), which refuses what does
    not fit. `np.ndindex(shape)` runs through all places of an array and saves loops. About twelve lines. Slow is right
    here: this is what conv2d, below, is measured by. As torch.nn.functional.conv2d, which calls it a convolution too.
    """
    (sh, sw), (ph, pw) = conv2d_sizes(x, weight, bias, stride, padding)
    n, channels, height, width = x.shape
    filters, _, kh, kw = weight.shape
    y = np.zeros((n, filters, output_size(height, kh, sh, ph), output_size(width, kw, sw, pw)), x.dtype)
    for image, f, r, c in np.ndindex(y.shape):
        total = 0.0 if bias is None else bias[f]
        for k, i, j in np.ndindex(channels, kh, kw):
            row, column = r * sh + i - ph, c * sw + j - pw
            if 0 <= row < height and 0 <= column < width:
                total += x[image, k, row, column] * weight[f, k, i, j]
        y[image, f, r, c] = total
    return y


# ---- Convolution, fast: one matrix product ------------------------------------------------------------------


def channels_last(x: Array, padding: Pair = (0, 0)) -> Array:
    """(N, C, H, W) as (N, H + 2·ph, W + 2·pw, C), in one piece of memory, with zeros around each image (given)."""
    (ph, pw), (n, c, h, w) = padding, x.shape
    if not ph and not pw:
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    wide = np.zeros((n, h + 2 * ph, w + 2 * pw, c), x.dtype)
    wide[:, ph : ph + h, pw : pw + w] = x.transpose(0, 2, 3, 1)
    return wide


def windows(images: Array, kernel: Pair, stride: Pair) -> Array:
    """Write every window of every image as one row of a matrix.

        images (N, H, W, C), channels last and padded already  ->  (N·oh·ow, kh·kw·C)

    The rows come in reading order: all places of the first image, row by row, then the second image. Within a row
    stand the pixels of the window in reading order, each with its C channels side by side. Neighbours overlap, so most
    pixels are written several times; nine times as many numbers for a 3×3 window.

    >>> images = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> windows(images, (2, 2), (1, 1))
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    >>> windows(images, (1, 2), (2, 1))
    array([[0., 1.],
           [1., 2.],
           [6., 7.],
           [7., 8.]])

    `sliding_window_view(images, kernel, axis=(1, 2))` from NumPy, imported above, shows all windows at stride 1 without
    copying a number, as (N, H - kh + 1, W - kw + 1, C, kh, kw). A slice with steps makes the stride, a transpose the
    order. Three lines. Give `reshape` both sizes: of a batch of 0 it cannot tell what -1 is.
    """
    view = sliding_window_view(images, kernel, axis=(1, 2))[:, :: stride[0], :: stride[1]]  # (N, oh, ow, C, kh, kw)
    n, oh, ow, channels, kh, kw = view.shape
    rows: Array = view.transpose(0, 1, 2, 4, 5, 3).reshape(n * oh * ow, kh * kw * channels)
    return rows


def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: Size = 0) -> Tensor:
    """Move each filter over each image, and sum the products at every place: one matrix product.

        x (N, C, H, W), weight (F, C, kh, kw), bias (F,) or None  ->  (N, F, oh, ow)      the numbers of conv2d_loops

    Each window is a row of `windows(...)`, and each filter, laid out in the same order, a column of a matrix. Row times
    column is what the three inner loops did, and the product of both matrices is all of it:

        (N·oh·ow, kh·kw·C) @ (kh·kw·C, F)  ->  (N·oh·ow, F)

    >>> x = tensor(np.arange(9).reshape(1, 1, 3, 3)) * 1.0
    >>> weight = tensor(np.arange(4).reshape(1, 1, 2, 2)) * 1.0
    >>> conv2d(x, weight).tolist()
    [[[[19.0, 25.0], [37.0, 43.0]]]]
    >>> conv2d(x, weight, tensor([0.5]), stride=2).tolist()
    [[[[19.5]]]]

    Begin with `conv2d_sizes(x, weight, bias, stride, padding)` (given), which gives stride and padding as pairs.
    `channels_last(x.data, padding)` (given) is what `windows` asks for. The product is (N, oh, ow, F) in memory:
    reshape, then transpose to (N, F, oh, ow), which moves nothing. End with `record("conv2d", data, inputs,
    stride=stride, padding=padding, patches=patches)`: inputs is (x, weight) or (x, weight, bias), patches the matrix of
    windows, and the pairs are for the backward rule. About ten lines. See torch.nn.functional.conv2d.
    """
    stride, padding = conv2d_sizes(x, weight, bias, stride, padding)
    filters, _, kh, kw = weight.shape
    oh = output_size(x.shape[2], kh, stride[0], padding[0])
    ow = output_size(x.shape[3], kw, stride[1], padding[1])
    patches = windows(channels_last(x.data, padding), (kh, kw), stride)
    y = patches @ weight.data.transpose(2, 3, 1, 0).reshape(-1, filters)
    if bias is not None:
        y += bias.data
    data = y.reshape(x.shape[0], oh, ow, filters).transpose(0, 3, 1, 2)
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return record("conv2d", data, inputs, stride=stride, padding=padding, patches=patches)


@backward_rule("conv2d")
def conv2d_backward(
    grad: Array, x: Tensor, weight: Tensor, *bias: Tensor, stride: Pair, padding: Pair, patches: Array
) -> Gradients:
    """For y = conv2d(x, weight, bias): each input gets its part from a function below, where it asks for one (given).

    The gradient arrives as (N, F, oh, ow) and is handed on as `slopes` (N·oh·ow, F): a row for each window, as in the
    product that made y. The bias was added to every row, so its gradient is the sum of the rows.

    >>> x, weight = ones(1, 1, 3, 3), Parameter(ones(1, 1, 2, 2))
    >>> conv2d(x, weight, Parameter([0.5])).sum().backward()
    >>> weight.grad.tolist(), x.grad
    ([[[[4.0, 4.0], [4.0, 4.0]]]], None)
    """
    slopes = channels_last(grad).reshape(-1, grad.shape[1])
    return (
        conv2d_to_x(slopes, weight.data, x.shape, stride, padding) if x.requires_grad else None,
        conv2d_to_weight(slopes, patches, weight.shape) if weight.requires_grad else None,
        *(np.ones(len(slopes), slopes.dtype) @ slopes for _ in bias),
    )


def conv2d_to_weight(slopes: Array, patches: Array, shape: Shape) -> Array:
    """The gradient of the filters: what each weight has met, times the slope at that place, summed over all places.

        slopes (N·oh·ow, F), patches (N·oh·ow, kh·kw·C)  ->  shape (F, C, kh, kw)

    One weight was used at every place of every image. It was multiplied there with a pixel, which stands in `patches`
    in the weight's column, and its gradient is the sum of all its uses. It is the rule of a matrix product, for that is
    what the forward pass was: patches @ matrix of filters.

    By hand, for the 3×3 image 0 … 8, a 2×2 filter and slopes of 1: weight (0, 0) met the pixels 0, 1, 3, 4.

    >>> patches = windows(np.arange(9.0).reshape(1, 3, 3, 1), (2, 2), (1, 1))
    >>> conv2d_to_weight(np.ones((4, 1)), patches, (1, 1, 2, 2)).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]

    Two or three lines. A column of `patches` belongs to (i, j, k): filter row, filter column, channel, in this order.
    """
    filters, channels, kh, kw = shape
    by_pixel: Array = (patches.T @ slopes).reshape(kh, kw, channels, filters)
    to_weight: Array = by_pixel.transpose(3, 2, 0, 1)
    return to_weight


def conv2d_to_x(slopes: Array, weight: Array, shape: Shape, stride: Pair, padding: Pair) -> Array:
    """The gradient of the images: each pixel collects from every window that has read it.

        slopes (N·oh·ow, F), weight (F, C, kh, kw)  ->  shape (N, C, H, W)

    Filter pixel (i, j) read, at the place (r, c), the image pixel (r·sh + i, c·sw + j) of the padded image. What flows
    back along this one reading is slopes @ weight[:, :, i, j], which is (N·oh·ow, F) @ (F, C). So there are kh·kw small
    products. Each of them belongs to the pixels of one strided slice, and where slices overlap, the gradients add up.
    Work on an image with its padding, and cut the padding off at the end: nobody asks for its gradient.

    By hand, for a 3×3 image, the filter 0 1 / 2 3 and slopes of 1: the pixel in the middle was read by all four
    filter pixels, 0 + 1 + 2 + 3 = 6.

    >>> weight = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> conv2d_to_x(np.ones((4, 1)), weight, (1, 1, 3, 3), (1, 1), (0, 0)).tolist()
    [[[[0.0, 1.0, 1.0], [2.0, 6.0, 4.0], [2.0, 5.0, 3.0]]]]

    About nine lines. `output_size` knows oh and ow. Collect in zeros of (N, H + 2·ph, W + 2·pw, C), channels last, and
    transpose at the end. One product of all windows at a time: a matrix of a million rows is multiplied fast, a million
    matrices are not.
    """
    (n, channels, h, w), (sh, sw), (ph, pw) = shape, stride, padding
    kh, kw = weight.shape[2:]
    oh, ow = output_size(h, kh, sh, ph), output_size(w, kw, sw, pw)
    to_x: Array = np.zeros((n, h + 2 * ph, w + 2 * pw, channels), slopes.dtype)
    for i, j in np.ndindex(kh, kw):
        part = (slopes @ weight[:, :, i, j]).reshape(n, oh, ow, channels)
        to_x[:, i : i + sh * oh : sh, j : j + sw * ow : sw] += part
    inner: Array = to_x[:, ph : ph + h, pw : pw + w].transpose(0, 3, 1, 2)
    return inner


class Conv2d(Module):
    """Learnt filters, moved over images: `conv2d` with a weight (out, in, kh, kw) and a bias (out,) of its own.

    `kernel_size`, `stride` and `padding` are one number or (height, width). Both parameters start evenly spread over
    [-b, b] with b = 1 / sqrt(in · kh · kw), the number of products in a sum, as in torch.nn.Conv2d. The size of the
    image appears nowhere: the same layer reads small and large ones.

    >>> layer = Conv2d(3, 8, 5, padding=2)
    >>> layer(zeros(4, 3, 32, 32)).shape, layer(zeros(4, 3, 7, 9)).shape
    ((4, 8, 32, 32), (4, 8, 7, 9))
    >>> sum(p.numel() for p in layer.parameters())
    608
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if min(in_channels, out_channels) < 1:
            raise ValueError(f"Conv2d needs at least one channel on either side, not {in_channels} and {out_channels}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = pair(kernel_size, "kernel_size"), pair(stride, "stride")
        self.padding = pair(padding, "padding", least=0)
        bound = 1 / math.sqrt(in_channels * math.prod(self.kernel_size))
        self.weight = uniform_(Parameter(zeros(out_channels, in_channels, *self.kernel_size)), -bound, bound)
        self.bias = uniform_(Parameter(zeros(out_channels)), -bound, bound) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Move the filters over the images."""
        return conv2d(x, self.weight, self.bias, self.stride, self.padding)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, bias={self.bias is not None}"
        )


# ---- Pooling ------------------------------------------------------------------------------------------------


def pool_sizes(x: Tensor, kernel_size: Size, stride: Size | None, padding: Size) -> tuple[Pair, Pair, Pair]:
    """Window, stride and padding as pairs, after a look at whether they fit the images (given).

    Without a stride, windows lie side by side. Padding of more than half a window is refused, as in PyTorch: a window
    might then lie in it altogether.
    """
    kernel, padding = pair(kernel_size, "kernel_size"), pair(padding, "padding", least=0)
    stride = kernel if stride is None else pair(stride, "stride")
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"padding is at most half of a window, and {padding} is more than half of {kernel}")
    check_images(x, kernel, padding)
    return kernel, stride, padding


def padded(x: Array, padding: Pair, value: float) -> Array:
    """(N, C, H, W) with a border of one value around each image, channels last in memory (given)."""
    (ph, pw), (n, c, h, w) = padding, x.shape
    if not ph and not pw:
        return x
    wide: Array = np.full((n, h + 2 * ph, w + 2 * pw, c), value, x.dtype).transpose(0, 3, 1, 2)
    wide[:, :, ph : ph + h, pw : pw + w] = x
    return wide


def places(x: Array, kernel: Pair, stride: Pair) -> list[Array]:
    """For each place in the window, that pixel of every window: kh·kw views (N, C, oh, ow) of x (N, C, H, W) (given).

    They come in reading order of the window, and whoever writes into one writes into x.

    >>> x = np.arange(8.0).reshape(1, 1, 2, 4)          # 0 1 2 3 / 4 5 6 7: two windows of 2 × 2
    >>> [view.reshape(-1).tolist() for view in places(x, (2, 2), (2, 2))]
    [[0.0, 2.0], [1.0, 3.0], [4.0, 6.0], [5.0, 7.0]]
    """
    (kh, kw), (sh, sw) = kernel, stride
    oh, ow = output_size(x.shape[2], kh, sh), output_size(x.shape[3], kw, sw)
    return [x[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] for i in range(kh) for j in range(kw)]


def max_pool2d(x: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Tensor:
    """Keep the largest number of every window.

        x (N, C, H, W)  ->  (N, C, oh, ow)      each channel for itself; without stride the windows lie side by side

    Padding never wins: around the image stands -inf. (With zeros, an image of negative numbers would get a border of
    zeros.)

    >>> x = tensor([[[[1.0, 2.0, 5.0, 3.0], [4.0, 0.0, 1.0, 2.0]]]])
    >>> max_pool2d(x, 2).tolist()
    [[[[4.0, 5.0]]]]
    >>> max_pool2d(x, (2, 2), stride=1).tolist()
    [[[[4.0, 5.0, 5.0]]]]
    >>> max_pool2d(x - 6, (1, 2), padding=(0, 1)).tolist()
    [[[[-5.0, -1.0, -3.0], [-2.0, -5.0, -4.0]]]]

    Given: `pool_sizes(x, kernel_size, stride, padding)` gives window, stride and padding as pairs and refuses what does
    not fit; `padded(x.data, padding, value)`; `places(array, kernel, stride)`, a view for each pixel of the window. Go
    through the views, not through the windows: there are only kh·kw. End with `record("max_pool2d", data, (x,),
    kernel=kernel, stride=stride, padding=padding, result=data)`. About six lines. See torch.nn.functional.max_pool2d.
    """
    kernel, stride, padding = pool_sizes(x, kernel_size, stride, padding)
    first, *others = places(padded(x.data, padding, -np.inf), kernel, stride)
    data = first.copy(order="K")  # K keeps the channels side by side in memory
    for other in others:
        np.maximum(data, other, out=data)
    return record("max_pool2d", data, (x,), kernel=kernel, stride=stride, padding=padding, result=data)


@backward_rule("max_pool2d")
def max_pool2d_backward(grad: Array, x: Tensor, kernel: Pair, stride: Pair, padding: Pair, result: Array) -> Gradients:
    """For y = max_pool2d(x), saved as `result`: the gradient of a window goes to its largest number, and to it alone.

        grad (N, C, oh, ow)  ->  (N, C, H, W)

    The others could change a little without any effect on y. Where several numbers of a window are the largest, the
    first in reading order gets all, as in PyTorch. Where windows overlap, a pixel that wins in several collects from
    each.

    >>> x = tensor([[[[1.0, 2.0, 5.0, 5.0], [4.0, 0.0, 1.0, 2.0]]]], requires_grad=True)
    >>> (max_pool2d(x, 2) * tensor([10.0, 20.0])).sum().backward()
    >>> x.grad.tolist()
    [[[[0.0, 0.0, 20.0, 0.0], [10.0, 0.0, 0.0, 0.0]]]]

    Go through `places` of the padded image and, beside them, through `places` of zeros in the same shape, which collect
    the gradient: whatever is added to such a view arrives in them. Keep a note, for each window, of whether its
    gradient is still to be had. The padding is cut off at the end. About ten lines.
    """
    (ph, pw), (h, w) = padding, x.shape[2:]
    values = padded(x.data, padding, -np.inf)
    to_x = np.zeros_like(values)
    is_open = np.ones_like(result, dtype=bool)  # (N, C, oh, ow): windows whose winner has not been seen
    for value, place in zip(places(values, kernel, stride), places(to_x, kernel, stride), strict=True):
        wins = (value == result) & is_open
        is_open &= ~wins
        np.add(place, grad * wins, out=place)
    return to_x[:, :, ph : ph + h, pw : pw + w]


def avg_pool2d(x: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Tensor:
    """Take the mean of every window.

        x (N, C, H, W)  ->  (N, C, oh, ow)      each channel for itself; without stride the windows lie side by side

    Padding counts as zeros, and as pixels: each window is divided by kh·kw, also at the border. As
    torch.nn.functional.avg_pool2d does it by default.

    >>> x = tensor([[[[1.0, 2.0, 5.0, 3.0], [4.0, 0.0, 1.0, 2.0]]]])
    >>> avg_pool2d(x, 2).tolist()
    [[[[1.75, 2.75]]]]
    >>> avg_pool2d(x, (1, 2), padding=(0, 1)).tolist()
    [[[[0.5, 3.5, 1.5], [2.0, 0.5, 1.0]]]]

    As max_pool2d, with another border and a sum in place of the maximum. End with `record("avg_pool2d", data, (x,),
    kernel=kernel, stride=stride, padding=padding)`. About seven lines; the dtype stays that of x.
    """
    kernel, stride, padding = pool_sizes(x, kernel_size, stride, padding)
    first, *others = places(padded(x.data, padding, 0), kernel, stride)
    data = first.copy(order="K")
    for other in others:
        data += other
    data /= math.prod(kernel)
    return record("avg_pool2d", data, (x,), kernel=kernel, stride=stride, padding=padding)


@backward_rule("avg_pool2d")
def avg_pool2d_backward(grad: Array, x: Tensor, kernel: Pair, stride: Pair, padding: Pair) -> Gradients:
    """For y = avg_pool2d(x): every pixel of a window had the same share in its mean.

        grad (N, C, oh, ow)  ->  (N, C, H, W)      grad / (kh·kw) to each pixel of the window

    Where windows overlap, shares add up. What fell to the padding is cut off.

    >>> x = zeros(1, 1, 2, 3)
    >>> x.requires_grad = True
    >>> (avg_pool2d(x, 2, stride=1) * tensor([4.0, 8.0])).sum().backward()
    >>> x.grad.tolist()
    [[[[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]]]]

    Collect in zeros of the padded shape (`padded(np.zeros_like(x.data), padding, 0)`), through their `places`. About
    six lines.
    """
    (ph, pw), (h, w) = padding, x.shape[2:]
    to_x = padded(np.zeros_like(x.data), padding, 0)
    share = grad / math.prod(kernel)
    for place in places(to_x, kernel, stride):
        np.add(place, share, out=place)
    return to_x[:, :, ph : ph + h, pw : pw + w]


class MaxPool2d(Module):
    """`max_pool2d` as a layer; nothing in it is learnt. As torch.nn.MaxPool2d.

    >>> MaxPool2d(2)(zeros(4, 8, 7, 9)).shape
    (4, 8, 3, 4)
    """

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = pair(padding, "padding", least=0)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the largest number of every window."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(MaxPool2d):
    """`avg_pool2d` as a layer; nothing in it is learnt. As torch.nn.AvgPool2d."""

    def forward(self, x: Tensor) -> Tensor:
        """Take the mean of every window."""
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding)


# ---- Batch normalisation ------------------------------------------------------------------------------------


def batch_statistics(rows: Array) -> tuple[Array, Array, Array]:
    """Measure each channel: its mean, how far each value lies from it, and the variance.

        rows (n, C), a row for every pixel of every image  ->  mean (C,), centred (n, C), var (C,)

        mean = sum of rows / n        centred = rows - mean        var = sum of centred² / n

    All pixels of all images of the batch count together, each channel by itself. The variance divides by n, since it
    is that of these very numbers; it comes from the centred values, for the mean of squares less the squared mean loses
    all digits where the mean is large. The dtype is kept.

    >>> mean, centred, var = batch_statistics(np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 40.0], [4.0, 40.0]]))
    >>> mean, var
    (array([ 2.5, 25. ]), array([  1.25, 225.  ]))
    >>> centred[:, 0]
    array([-1.5, -0.5,  0.5,  1.5])

    Three lines. A row of ones times a matrix is the sum of its rows, and faster than `sum(0)`.
    """
    mean = np.ones(len(rows), rows.dtype) @ rows / len(rows)
    centred = rows - mean
    return mean, centred, np.einsum("nc,nc->c", centred, centred) / len(rows)


def batch_norm(
    x: Tensor, weight: Tensor, bias: Tensor, centred: Array, var: Array, eps: float, fixed: bool = False
) -> Tensor:
    """Give every channel the spread 1, then a learnt scale and shift.

        x (N, C, H, W), weight and bias (C,), centred (N·H·W, C), var (C,)  ->  (N, C, H, W)

        y = centred · rstd · weight + bias        rstd = 1 / sqrt(var + eps)

    eps stands under the root and keeps a channel that is the same everywhere from 0 / 0. `fixed` says that centred and
    var do not come from this batch but are constants: only the backward rule asks.

    >>> x = tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> centred, var = np.array([[-1.5], [-0.5], [0.5], [1.5]]), np.array([1.25])
    >>> batch_norm(x, tensor([2.0]), tensor([10.0]), centred, var, 0.0).data.round(4)[0, 0]
    array([[ 7.3167,  9.1056],
           [10.8944, 12.6833]])

    Compute with rows (N·H·W, C); they are (N, H, W, C) in memory, so reshape, then transpose. End with
    `record("batch_norm", data, (x, weight, bias), centred=centred, rstd=rstd, fixed=fixed)`. About five lines.
    """
    n, channels, h, w = x.shape
    rstd = 1 / np.sqrt(var + eps)
    y = centred * (rstd * weight.data)
    y += bias.data
    data = y.reshape(n, h, w, channels).transpose(0, 3, 1, 2)
    return record("batch_norm", data, (x, weight, bias), centred=centred, rstd=rstd, fixed=fixed)


@backward_rule("batch_norm")
def batch_norm_backward(
    grad: Array, x: Tensor, weight: Tensor, bias: Tensor, centred: Array, rstd: Array, fixed: bool
) -> Gradients:
    """For y = z · weight + bias with z = centred · rstd: three gradients, summed and averaged over each channel.

        gradient of bias    =  sum of grad
        gradient of weight  =  sum of grad · z
        gradient of x       =  weight · rstd · (grad - average(grad) - z · average(grad · z))

    Sums and averages run over the N·H·W values of a channel. The two averages are what mean and variance take away,
    for both move with x: whoever raises or stretches all values alike changes no z. Where the statistics are `fixed`,
    they do not move, and the gradient of x is weight · rstd · grad.

    By hand, for -1, 0, 1 with the variance 2/3 and a gradient of 1 at the first only: rstd = 1.2247, average(grad) is
    1/3, average(grad · z) = -1.2247 / 3 = -0.4082.

    >>> x = tensor([-1.0, 0.0, 1.0]).reshape(3, 1, 1, 1)
    >>> rows, rstd, grad = x.data.reshape(3, 1), np.sqrt([1.5]), np.array([1.0, 0, 0]).reshape(3, 1, 1, 1)
    >>> to_x, to_weight, to_bias = batch_norm_backward(grad, x, ones(1), zeros(1), rows, rstd, fixed=False)
    >>> to_x.round(4).reshape(-1), to_weight.round(4), to_bias
    (array([ 0.2041, -0.4082,  0.2041]), array([-1.2247]), array([1.]))

    `channels_last(grad).reshape(-1, C)` is the gradient in rows, as `centred` is. Gradients of weight and bias come
    first; those of x use them, for average(grad) is the gradient of bias / n. About ten lines.
    """
    n, channels, h, w = x.shape
    slopes = channels_last(grad).reshape(-1, channels)
    to_bias = np.ones(len(slopes), slopes.dtype) @ slopes
    to_weight = np.einsum("nc,nc->c", slopes, centred) * rstd
    scale = weight.data * rstd
    to_x = slopes * scale
    if not fixed:
        to_x -= centred * (scale * rstd * to_weight / len(slopes))
        to_x -= scale * to_bias / len(slopes)
    return to_x.reshape(n, h, w, channels).transpose(0, 3, 1, 2), to_weight, to_bias


class BatchNorm2d(Module):
    """Gives every channel mean 0 and variance 1 over the batch, then a learnt scale and shift.

    `weight` and `bias` are learnt. `running_mean` and `running_var` are buffers: part of the model's state, saved with
    it, but not learnt. As torch.nn.BatchNorm2d (Ioffe and Szegedy, 2015).
    """

    weight: Parameter
    bias: Parameter
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        if num_features < 1:
            raise ValueError(f"BatchNorm2d needs at least one channel, not {num_features}")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight, self.bias = Parameter(ones(num_features)), Parameter(zeros(num_features))
        self.register_buffer("running_mean", zeros(num_features))
        self.register_buffer("running_var", ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel: by the batch's statistics while training, by the running ones afterwards.

            x (N, C, H, W)  ->  the same shape

        A batch has a mean; one image that is to be recognised has no batch. So training keeps running statistics, and
        each batch moves them a little, by the share `momentum`:

            running = (1 - momentum) · running + momentum · that of the batch

        The running variance is an estimate for images yet to come and takes the batch's variance times n / (n - 1),
        while y is normalised with the variance itself; n = N·H·W. Where `training` is false, the running statistics
        take the place of the batch's, and nothing moves.

        By hand, for 1, 2, 3, 4: mean 2.5, variance 1.25, and 1.25 · 4/3 = 1.6667. With momentum 0.1 the running mean
        goes from 0 to 0.25 and the running variance from 1 to 0.9 + 0.1667 = 1.0667.

        >>> norm, x = BatchNorm2d(1), tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> norm(x).detach().reshape(4)
        tensor([-1.3416, -0.4472,  0.4472,  1.3416])
        >>> norm.running_mean, norm.running_var
        (tensor([0.2500]), tensor([1.0667]))
        >>> 0.1 * 2.5, round(1.25 * 4 / 3, 4), round(0.1 * 1.6667, 4), round(0.9 + 0.1667, 4)
        (0.25, 1.6667, 0.1667, 1.0667)
        >>> norm.eval()(x).detach().reshape(4)
        tensor([0.7262, 1.6944, 2.6627, 3.6309])

        `self.rows(x)` (given) is (n, C), and refuses what does not fit; `batch_statistics(rows)` measures,
        `batch_norm(x, self.weight, self.bias, centred, var, self.eps, fixed)` normalises. Change the buffers in place,
        as `self.running_mean.data[...] = ...`. About twelve lines.
        """
        rows = self.rows(x)
        if self.training:
            mean, centred, var = batch_statistics(rows)
            estimate = var * (len(rows) / (len(rows) - 1))
            for running, new in ((self.running_mean, mean), (self.running_var, estimate)):
                running.data *= 1 - self.momentum
                running.data += self.momentum * new
        else:
            centred, var = rows - self.running_mean.data, self.running_var.data
        return batch_norm(x, self.weight, self.bias, centred, var, self.eps, fixed=not self.training)

    def rows(self, x: Tensor) -> Array:
        """Every pixel of every image as a row of its channels, (N·H·W, C), after a look at whether it fits (given)."""
        check_images(x, (1, 1), (0, 0))
        if x.shape[1] != self.num_features:
            raise ValueError(f"BatchNorm2d({self.num_features}) got {x.shape[1]} channels, in images of {x.shape}")
        if x.dtype != self.weight.dtype:
            kinds = f"images are {x.dtype} and BatchNorm2d is {self.weight.dtype}"
            raise TypeError(f"{kinds}: to(dtype) makes them the same")
        rows = channels_last(x.data).reshape(-1, self.num_features)
        if self.training and len(rows) < 2:
            raise ValueError(f"a batch of shape {x.shape} has {len(rows)} values per channel: a variance needs two")
        return rows

    def extra_repr(self) -> str:
        """How many channels, eps and momentum."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class Flatten(Module):
    """Joins dimensions into one: images (N, C, H, W) become rows (N, C·H·W) for a Linear layer. As torch.nn.Flatten.

    >>> Flatten()(zeros(4, 8, 3, 3)).shape
    (4, 72)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """Join the dimensions."""
        return x.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """From where to where."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
