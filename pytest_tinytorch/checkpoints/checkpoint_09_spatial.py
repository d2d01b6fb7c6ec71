"""Checkpoint 09: spatial.

Sizes are small, so that loops in Python pass every check of values. One check alone asks for speed: it times the
student's conv2d beside the student's own conv2d_loops.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array, unchanged

EXACT = np.float64
FLIPPED = "the filter was turned around. Deep learning's convolution does not: weight (0, 0) meets the first pixel."
NO_BIAS = "the bias was not added."
ONE_CHANNEL = "only the first channel was read. A filter sums over all channels."
ZEROS_WIN = "the padding took part as zeros. Around the image stands -inf, which never wins."
OVERWRITTEN = "the last window that read a pixel overwrote the others. Windows overlap: add."
NO_CHAIN = "this is the share alone. The chain rule multiplies it with grad."
FAST, SLOW = "at most a fifth", "more than a fifth"
BY_N_1 = "the variance was divided by n - 1. These very numbers are normalised: divide by n."
NOT_CUT = "the padding was cut off on one side only. The image begins behind it: [ph : ph + h, pw : pw + w]."


# ---- what is right, in float64 ------------------------------------------------------------------------------


def pad(x, padding, value=0.0):
    """A border around each image."""
    (ph, pw) = padding
    return np.pad(x.astype(EXACT), ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=value)


def count(size, kernel, stride, padding=0):
    """Places of a window, counted."""
    return len([i for i in range(0, size + 2 * padding, stride) if i + kernel <= size + 2 * padding])


def pixels(x, kernel, stride):
    """For each place in the window, that pixel of every window."""
    (kh, kw), (sh, sw) = kernel, stride
    oh, ow = count(x.shape[2], kh, sh), count(x.shape[3], kw, sw)
    return {
        (i, j): x[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] for i, j in itertools.product(range(kh), range(kw))
    }


def correlated(x, w, b=None, stride=(1, 1), padding=(0, 0)):
    """The convolution of deep learning."""
    parts = pixels(pad(x, padding), w.shape[2:], stride)
    y = sum(np.einsum("nchw,fc->nfhw", part, w[:, :, i, j].astype(EXACT)) for (i, j), part in parts.items())
    return y if b is None else y + b.astype(EXACT)[:, None, None]


def to_weight(grad, x, kernel, stride=(1, 1), padding=(0, 0)):
    """The gradient of the filters."""
    y = np.zeros((grad.shape[1], x.shape[1], *kernel))
    for (i, j), part in pixels(pad(x, padding), kernel, stride).items():
        y[:, :, i, j] = np.einsum("nfhw,nchw->fc", grad.astype(EXACT), part)
    return y


def to_padded(grad, w, shape, stride=(1, 1), padding=(0, 0), add=True):
    """The gradient of the padded images; without `add`, what is left when windows overwrite each other."""
    total = pad(np.zeros(shape), padding)
    for (i, j), place in pixels(total, w.shape[2:], stride).items():
        part = np.einsum("nfhw,fc->nchw", grad.astype(EXACT), w[:, :, i, j].astype(EXACT))
        place[...] = place + part if add else part
    return total


def cut(total, shape, padding):
    """The images without their padding."""
    (ph, pw), (h, w) = padding, shape[2:]
    return total[:, :, ph : ph + h, pw : pw + w]


def rows_of(a):
    """(N, C, H, W) as (N·H·W, C)."""
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1).reshape(-1, a.shape[1]))


def images_of(rows, shape):
    """(N·H·W, C) as (N, C, H, W)."""
    n, c, h, w = shape
    return rows.reshape(n, h, w, c).transpose(0, 3, 1, 2)


def text(**arrays):
    """Shapes by name."""
    return ", ".join(f"{name} {a.shape}" for name, a in arrays.items())


def thing(value, what):
    """The student's object; a plain value in its place is a mismatch."""
    if value is None or isinstance(value, bool | int | float | str | tuple | list | dict | np.ndarray | np.generic):
        same(value, "an object", what=what)
    return value


# ---- output_size --------------------------------------------------------------------------------------------


@exercise("output_size", points=1)
def test_output_size_counts_the_places_of_a_window(tt, draw):
    """output_size counts the places at which a window fits"""
    sizes = [(int(draw.integers(6, 30)), int(draw.integers(2, 6))) for _ in range(4)]
    asked = [(size, kernel) for size, kernel in sizes]
    same(
        [tt.spatial.output_size(size, kernel) for size, kernel in asked],
        [count(size, kernel, 1) for size, kernel in asked],
        what=f"[output_size(size, kernel) for size, kernel in {asked}]",
        mistakes=[
            Mistake([s - k for s, k in asked], "one too few: a window of 3 fits into 3 pixels once. Add 1."),
            Mistake([s - k + 2 for s, k in asked], "one too many."),
            Mistake([s for s, _ in asked], "the size of the window is not used."),
        ],
        smaller="output_size(3, 3) is 1, output_size(28, 3) is 26",
    )


@exercise("output_size", points=2)
def test_output_size_with_steps_and_padding(tt, draw):
    """output_size counts padding on both sides, and drops what is left over"""
    asked = [
        (int(draw.integers(7, 30)), int(draw.integers(2, 6)), stride, padding)
        for stride, padding in ((2, 0), (3, 1), (1, 2), (2, 2), (4, 1))
    ]
    asked.append((6, 3, 2, 0))
    once = [(s + p - k) // t + 1 for s, k, t, p in asked]
    up = [-(-(s + 2 * p - k) // t) + 1 for s, k, t, p in asked]
    whole = [(s + 2 * p) // t for s, k, t, p in asked]
    same(
        [tt.spatial.output_size(*four) for four in asked],
        [count(*four) for four in asked],
        what=f"[output_size(size, kernel, stride, padding) for each of {asked}]",
        mistakes=[
            Mistake(once, "padding is counted once. It lies on both sides: 2 · padding."),
            Mistake(up, "rounded up. What is left over is too short for another step."),
            Mistake(whole, "the size of the window is not used."),
            Mistake([s - k + 1 for s, k, _, _ in asked], "stride and padding are not used."),
        ],
        smaller="output_size(6, 3, 2, 0) is 2: windows begin at 0 and 2",
    )


# ---- conv2d_loops -------------------------------------------------------------------------------------------


@exercise("conv2d_loops", points=2)
def test_loops_sum_the_products_of_a_window(tt, draw):
    """conv2d_loops sums the products of filter and window at every place"""
    x, w = draw(1, 1, 3, 4), draw(1, 1, 2, 2)
    same_array(
        tt.conv2d_loops(x, w),
        correlated(x, w),
        mistakes=[
            Mistake(correlated(x, w[:, :, ::-1, ::-1]), FLIPPED),
            Mistake(correlated(x, w.transpose(0, 1, 3, 2)), "rows and columns of the filter are exchanged."),
            Mistake(correlated(x, np.ones_like(w)), "the filter's numbers are not used."),
        ],
        smaller="0 … 8 as 3×3 with the filter 0 1 / 2 3 gives 19 25 / 37 43",
    )
    same_array(
        tt.conv2d_loops(np.arange(9.0).reshape(1, 1, 3, 3), np.arange(4.0).reshape(1, 1, 2, 2)),
        np.array([[[[19.0, 25.0], [37.0, 43.0]]]]),
        dtype=EXACT,
        mistakes=[Mistake([[[[5.0, 11.0], [23.0, 29.0]]]], FLIPPED)],
    )


@exercise("conv2d_loops", points=2)
def test_loops_over_channels_filters_and_images(tt, draw):
    """conv2d_loops sums over all channels, and gives one image per filter, plus its bias"""
    n, c, f = draw.sizes(3)
    x, w, b = draw(n, c, 3, 4), draw(f, c, 2, 3), draw(f)
    right = correlated(x, w, b)
    same_array(
        tt.conv2d_loops(x, w, b),
        right,
        mistakes=[
            Mistake(correlated(x, w), NO_BIAS),
            Mistake(correlated(x[:, :1], w[:, :1], b), ONE_CHANNEL),
            Mistake(correlated(x[:1].repeat(n, 0), w, b), "all images gave what the first one gives."),
            Mistake(correlated(x, w, c * b), "the bias was added once per channel."),
            Mistake(correlated(x, w, 6 * c * b), "the bias was added once per product."),
            Mistake(correlated(x, w[:, :, ::-1, ::-1], b), FLIPPED),
        ],
    )


@exercise("conv2d_loops", points=2)
def test_loops_with_steps(tt, draw):
    """conv2d_loops moves the window by its stride, and leaves what is left over unread"""
    x, w = draw(1, 2, 6, 8), draw(2, 2, 3, 2)
    same_array(tt.conv2d_loops(x, w, None, 2), correlated(x, w, stride=(2, 2)))
    same_array(
        tt.conv2d_loops(x, w, None, (1, 3)),
        correlated(x, w, stride=(1, 3)),
        mistakes=[
            Mistake(correlated(x, w)[:, :, :, :3], "the result has the right size, but the window moves by 1."),
            Mistake(correlated(x, w, stride=(3, 1)), "the two strides are exchanged. Height comes first."),
        ],
    )


@exercise("conv2d_loops", points=2)
def test_loops_with_padding(tt, draw):
    """conv2d_loops reads zeros around the image"""
    x, w, b = draw(1, 2, 3, 4), draw(2, 2, 3, 3), draw(2)
    p = draw.choice([(1, 2), (2, 1)])
    around = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])), mode="wrap")
    left = np.pad(x, ((0, 0), (0, 0), (2 * p[0], 0), (2 * p[1], 0)))
    half = around.copy()
    half[:, :, p[0] + 3 :] = 0
    half[:, :, :, p[1] + 4 :] = 0
    same_array(
        tt.conv2d_loops(x, w, b, 1, p),
        correlated(x, w, b, padding=p),
        mistakes=[
            Mistake(correlated(around, w, b), "the window reads the other side of the image: outside stands 0."),
            Mistake(correlated(half, w, b), "x[-1] is the last row. Left of the image and above it stands 0."),
            Mistake(correlated(left, w, b), "all padding lies left and above. It lies on both sides: - ph, - pw."),
            Mistake(correlated(x, w, b, padding=p[::-1]), "the two paddings are exchanged. Height comes first."),
            Mistake(correlated(x, w, padding=p), NO_BIAS),
        ],
    )
    same_array(tt.conv2d_loops(x, w, b, (2, 3), p), correlated(x, w, b, (2, 3), p))


# ---- windows ------------------------------------------------------------------------------------------------


def gathered(x, kernel, stride=(1, 1), order=(0, 1, 2, 3, 4, 5)):
    """Windows of (N, H, W, C) as rows; `order` of (n, r, c, i, j, k) as they shall follow each other."""
    (kh, kw), (sh, sw), (n, h, w, c) = kernel, stride, x.shape
    oh, ow = count(h, kh, sh), count(w, kw, sw)
    six = np.zeros((n, oh, ow, kh, kw, c), x.dtype)
    for r, s in itertools.product(range(oh), range(ow)):
        six[:, r, s] = x[:, r * sh : r * sh + kh, s * sw : s * sw + kw]
    return six.transpose(order).reshape(n * oh * ow, kh * kw * c)


@exercise("windows", points=2)
def test_windows_become_rows(tt, draw):
    """windows writes each window as a row: pixel by pixel, each with its channels side by side"""
    n, c = draw.sizes(2)
    x = draw(n, 4, 5, c)
    same_array(
        tt.spatial.windows(x, (2, 3), (1, 1)),
        gathered(x, (2, 3)),
        what=f"windows(images, (2, 3), (1, 1)), images (N, H, W, C) {x.shape}",
        mistakes=[
            Mistake(gathered(x, (2, 3), order=(0, 1, 2, 5, 3, 4)), "channels come first in each row: (kh, kw, C)."),
            Mistake(gathered(x, (2, 3), order=(0, 1, 2, 4, 3, 5)), "columns come before rows within a window."),
            Mistake(gathered(x, (2, 3), order=(0, 2, 1, 3, 4, 5)), "the places do not come in reading order."),
            Mistake(gathered(x, (2, 3), order=(1, 2, 0, 3, 4, 5)), "images alternate. All places of one come first."),
        ],
        smaller="0 … 8 as 3×3 with a 2×2 window: [0 1 3 4], [1 2 4 5], [3 4 6 7], [4 5 7 8]",
    )


@exercise("windows", points=2)
def test_windows_with_steps(tt, draw):
    """windows moves by its stride in each direction"""
    x = draw(2, 6, 8, 2)
    for kernel, stride in (((3, 2), (1, 3)), ((2, 3), (3, 2))):
        same_array(
            tt.spatial.windows(x, kernel, stride),
            gathered(x, kernel, stride),
            what=f"windows(images, {kernel}, {stride}), images (N, H, W, C) {x.shape}",
            mistakes=[
                Mistake(gathered(x, kernel), "the stride is not used."),
                Mistake(gathered(x, kernel, stride[::-1]), "the two strides are exchanged. Height comes first."),
            ],
        )


@exercise("windows", points=1)
def test_windows_of_any_size(tt, draw):
    """windows of one pixel, of the whole image, and of no image at all have their shapes"""
    n, h, w, c = draw.sizes(4)
    x = draw(n, h, w, c)
    same_array(tt.spatial.windows(x, (1, 1), (1, 1)), x.reshape(-1, c), what=f"windows of (1, 1), images {x.shape}")
    same_array(tt.spatial.windows(x, (h, w), (1, 1)), x.reshape(n, -1), what=f"windows of ({h}, {w}), images {x.shape}")
    none = x[:0]
    same_array(
        tt.spatial.windows(none, (2, 1), (1, 1)),
        np.zeros((0, 2 * c), np.float32),
        what=f"windows of (2, 1), images {none.shape}",
    )


# ---- conv2d -------------------------------------------------------------------------------------------------


@exercise("conv2d", points=3)
def test_conv2d_sums_the_products_of_every_window(tt, draw):
    """conv2d gives what the six loops give"""
    n, c, f = draw.sizes(3)
    x, w, b = draw(n, c, 6, 4), draw(f, c, 3, 2), draw(f)
    right, oh, ow = correlated(x, w, b), 4, 3
    patches = gathered(x.transpose(0, 2, 3, 1), (3, 2)).astype(EXACT)
    channels_first = patches @ w.reshape(f, -1).T + b
    product = rows_of(right)
    same(
        tt.conv2d(tt.tensor(x), tt.tensor(w), tt.tensor(b)),
        right,
        mistakes=[
            Mistake(correlated(x, w), NO_BIAS),
            Mistake(correlated(x, w[:, :, ::-1, ::-1], b), FLIPPED),
            Mistake(
                images_of(channels_first, right.shape),
                "the filters' columns are (C, kh, kw), the rows of windows (kh, kw, C): transpose the weight first.",
            ),
            Mistake(
                product.reshape(n, f, oh, ow), "reshaped to (N, F, oh, ow). The rows are (N, oh, ow, F): transpose."
            ),
            Mistake(product.reshape(n, oh, ow, f), "the channels are last. Transpose to (N, F, oh, ow)."),
        ],
        smaller="0 … 8 as 3×3 with the filter 0 1 / 2 3 gives 19 25 / 37 43",
    )
    worked = tt.conv2d(tt.tensor(np.arange(9.0).reshape(1, 1, 3, 3)), tt.tensor(np.arange(4.0).reshape(1, 1, 2, 2)))
    same(worked, np.array([[[[19.0, 25.0], [37.0, 43.0]]]]))


@exercise("conv2d", points=2)
def test_conv2d_with_steps_and_padding(tt, draw):
    """conv2d takes stride and padding of its own for height and width"""
    x, w, b = draw(2, 3, 6, 8), draw(2, 3, 3, 2), draw(2)
    for stride, padding in (((2, 3), (0, 0)), ((1, 1), (2, 1)), ((3, 2), (1, 2))):
        same(
            tt.conv2d(tt.tensor(x), tt.tensor(w), tt.tensor(b), stride, padding),
            correlated(x, w, b, stride, padding),
            mistakes=[
                Mistake(correlated(x, w, b, stride[::-1], padding), "the two strides are exchanged: height first."),
                Mistake(correlated(x, w, b, stride, padding[::-1]), "the two paddings are exchanged: height first."),
                Mistake(correlated(x, w, b, (1, 1), padding), "the stride is not used."),
                Mistake(correlated(x, w, b, stride), "the padding is not used."),
            ],
        )
    same(tt.conv2d(tt.tensor(x), tt.tensor(w), None, 2, 1), correlated(x, w, None, (2, 2), (1, 1)))


@exercise("conv2d", points=1)
def test_conv2d_of_one_pixel_and_of_the_whole_image(tt, draw):
    """conv2d with a 1×1 filter mixes channels, and with a filter of the image's size is a Linear layer"""
    n, c, f = draw.sizes(3)
    x, one, whole = draw(n, c, 3, 4), draw(f, c, 1, 1), draw(f, c, 3, 4)
    same(tt.conv2d(tt.tensor(x), tt.tensor(one)), np.einsum("nchw,fc->nfhw", x, one[:, :, 0, 0]))
    same(tt.conv2d(tt.tensor(x), tt.tensor(whole)), (x.reshape(n, -1) @ whole.reshape(f, -1).T)[:, :, None, None])


@exercise("conv2d", points=1)
def test_conv2d_of_a_transposed_image(tt, draw):
    """conv2d reads a tensor that does not lie in one piece, and leaves it as it was"""
    a, w, b = draw(2, 5, 4, 3), draw(4, 3, 2, 2), draw(4)
    x = named(tt.tensor(a).permute(0, 3, 2, 1), "x")
    bias = tt.tensor(b)
    same(tt.conv2d(x, tt.tensor(w), bias), correlated(a.transpose(0, 3, 2, 1), w, b))
    unchanged(x, a.transpose(0, 3, 2, 1), what="x, after conv2d(x, weight, bias)")
    unchanged(bias, b, what="bias, after conv2d(x, weight, bias)")


@exercise("conv2d", points=1)
def test_conv2d_keeps_the_dtype(tt, draw):
    """conv2d of float64 stays float64, and a batch of 0 images gives 0 images"""
    x, w, b = draw(2, 2, 4, 4) / 3, draw(3, 2, 3, 3) / 7, draw(3)
    in_double = [tt.tensor(a, dtype=EXACT) for a in (x, w, b)]
    same(tt.conv2d(*in_double), correlated(x, w, b), dtype=EXACT)
    none, filters = tt.tensor(x[:0]), tt.tensor(w)
    same(tt.conv2d(none, filters), np.zeros((0, 3, 2, 2)), what=f"conv2d(x, weight), {text(x=x[:0], weight=w)}")


@exercise("conv2d", points=2)
def test_conv2d_is_recorded(tt, draw):
    """the result of conv2d requires a gradient when image, filters or bias do"""
    flags = [[bool(bit) for bit in row] for row in draw.permutation(8)[:, None] & [1, 2, 4] != 0]
    arrays = [draw(1, 2, 3, 3), draw(2, 2, 2, 2), draw(2)]
    results = [
        tt.conv2d(*(tt.tensor(a, requires_grad=flag) for a, flag in zip(arrays, row, strict=True))) for row in flags
    ]
    same(
        [thing(y, "conv2d(x, weight, bias)").requires_grad for y in results],
        [any(row) for row in flags],
        what=f"requires_grad of conv2d(x, weight, bias), where those of the three are {flags}",
        mistakes=[
            Mistake([False] * 8, "nothing was recorded: end with record(...)."),
            Mistake([row[0] or row[1] for row in flags], "the bias is not among the inputs of record."),
            Mistake([row[0] for row in flags], "only x is among the inputs of record."),
        ],
    )
    same(results[0], correlated(*arrays))


@exercise("conv2d", points=1)
def test_layer_moves_its_filters(tt, draw):
    """Conv2d applies its weight and bias with its stride and padding"""
    x, w, b = draw(2, 3, 5, 6), draw(4, 3, 2, 3), draw(4)
    layer = named(thing(tt.Conv2d(3, 4, (2, 3), stride=(2, 1), padding=(0, 1)), "Conv2d(3, 4, (2, 3))"), "layer")
    layer.weight.data, layer.bias.data = w, b
    same(layer(tt.tensor(x)), correlated(x, w, b, (2, 1), (0, 1)))
    plain = named(thing(tt.Conv2d(3, 4, 3, bias=False), "Conv2d(3, 4, 3, bias=False)"), "plain")
    w = draw(4, 3, 3, 3)
    plain.weight.data = w
    same(plain(tt.tensor(x)), correlated(x, w))


@exercise("conv2d", points=2)
def test_conv2d_refuses_what_does_not_fit(tt, draw):
    """conv2d refuses filters that are too large or read other channels, and names both shapes"""
    n, c, other = draw.sizes(3)
    x, w = draw(n, c, 4, 5), draw(2, c, 3, 3)
    same(tt.conv2d(tt.tensor(x), tt.tensor(w)), correlated(x, w))
    large, wrong = draw(2, c, 4, 6), draw(2, other, 3, 3)
    raises((ValueError, RuntimeError), lambda: tt.conv2d(tt.tensor(x), tt.tensor(large)), mentions=[x.shape, (4, 6)])
    raises(
        (ValueError, RuntimeError), lambda: tt.conv2d(tt.tensor(x), tt.tensor(wrong)), mentions=[x.shape, wrong.shape]
    )
    bias = draw(3)
    raises(
        (ValueError, RuntimeError),
        lambda: tt.conv2d(tt.tensor(x), tt.tensor(w), tt.tensor(bias)),
        mentions=[w.shape, (3,)],
    )
    same(tt.conv2d(tt.tensor(x), tt.tensor(large), None, 1, (0, 1)), correlated(x, large, None, (1, 1), (0, 1)))


@exercise("conv2d", points=2)
def test_conv2d_refuses_what_are_no_images(tt, draw):
    """conv2d refuses images that are not (N, C, H, W) or not floating point, and strides and paddings that cannot be"""
    x = draw(*draw.sizes(2), 4, 5)
    w = draw(2, x.shape[1], 3, 3)
    images, filters = tt.tensor(x), tt.tensor(w)
    same(tt.conv2d(images, filters), correlated(x, w))
    bad = draw.choice([-1, -2])
    raises(
        (ValueError, RuntimeError), lambda: tt.conv2d(tt.tensor(x[0]), filters), mentions=[x.shape[1:], "(N, C, H, W)"]
    )
    raises((ValueError, RuntimeError), lambda: tt.conv2d(images, filters, None, 0), mentions=["stride", 0])
    raises((ValueError, RuntimeError), lambda: tt.conv2d(images, filters, None, bad), mentions=["stride", bad])
    raises((ValueError, RuntimeError), lambda: tt.conv2d(images, filters, None, 1, bad), mentions=["padding", bad])
    pixels_ = draw.integers(0, 256, *x.shape)
    raises((TypeError, ValueError), lambda: tt.conv2d(tt.tensor(pixels_), filters), mentions=["int64"])


def raced(x, weight, bias):
    """What conv2d and conv2d_loops give, and the seconds that each takes: of conv2d, the best of three."""
    from time import perf_counter

    tensors = [tt.tensor(a) for a in (x, weight, bias)]
    times = []
    for _ in range(3):
        began = perf_counter()
        fast = tt.conv2d(*tensors, 1, 1)
        times.append(perf_counter() - began)
    began = perf_counter()
    slow = tt.conv2d_loops(x, weight, bias, 1, 1)
    return fast.data, slow, min(times), perf_counter() - began


@exercise("conv2d", points=3)
def test_conv2d_leaves_the_loops_behind(lab, draw):
    """conv2d takes at most a fifth of the time of your own conv2d_loops"""
    x, w, b = draw(2, 4, 16, 16), draw(6, 4, 3, 3), draw(6)
    fast, slow, quick, long = lab(raced, x, w, b)
    right = correlated(x, w, b, padding=(1, 1))
    what = f"{text(x=x, weight=w)}, padding 1"
    same_array(fast, right, what=f"conv2d, {what}")
    same_array(slow, right, what=f"conv2d_loops, {what}")
    same(
        FAST if 5 * quick <= long else SLOW,
        FAST,
        what=f"time of conv2d ({1e3 * quick:.1f} ms) as a part of that of conv2d_loops ({1e3 * long:.1f} ms), {what}:"
        f" now 1/{long / max(quick, 1e-9):.1f}",
        mistakes=[
            Mistake(SLOW, "Python still goes from place to place. Let windows gather all, and one product do the sums.")
        ],
    )


# ---- conv2d: backward ---------------------------------------------------------------------------------------


@exercise("conv2d_to_weight", points=2)
def test_weight_collects_from_every_place(tt, draw):
    """the gradient of a filter's weight sums slope times pixel over all places"""
    x, grad = draw(1, 1, 4, 4), draw(1, 1, 3, 3)
    patches = gathered(x.transpose(0, 2, 3, 1), (2, 2))
    right = to_weight(grad, x, (2, 2))
    same_array(
        tt.spatial.conv2d_to_weight(rows_of(grad), patches, (1, 1, 2, 2)),
        right,
        what="conv2d_to_weight(slopes, patches, (1, 1, 2, 2)) of a 4×4 image",
        mistakes=[
            Mistake(right / 9, "the mean over the places. Each of them used the weight: sum."),
            Mistake(patches.sum(0).reshape(1, 1, 2, 2), NO_CHAIN),
            Mistake(right.transpose(0, 1, 3, 2), "rows and columns of the filter are exchanged."),
            Mistake(right[:, :, ::-1, ::-1], FLIPPED),
        ],
        smaller="for the 3×3 image 0 … 8 and slopes of 1 it is 8 12 / 20 24",
    )


@exercise("conv2d_to_weight", points=2)
def test_weight_gradient_knows_its_axes(tt, draw):
    """the gradient of the filters is (out, in, height, width)"""
    f, c = draw.sizes(2)
    kernel = draw.choice([(2, 3), (3, 2)])
    x, grad = draw(2, c, 4, 4), draw(2, f, 5 - kernel[0], 5 - kernel[1])
    slopes, patches = rows_of(grad), gathered(x.transpose(0, 2, 3, 1), kernel)
    product = patches.astype(EXACT).T @ slopes
    same_array(
        tt.spatial.conv2d_to_weight(slopes, patches, (f, c, *kernel)),
        to_weight(grad, x, kernel),
        what=f"conv2d_to_weight(slopes, patches, {(f, c, *kernel)}), {text(slopes=slopes, patches=patches)}",
        mistakes=[
            Mistake(product.reshape(f, c, *kernel), "reshaped to (F, C, kh, kw). It is (kh, kw, C, F): transpose."),
            Mistake(
                product.T.reshape(f, c, *kernel),
                "the columns of patches are (kh, kw, C), not (C, kh, kw): reshape to that, then transpose.",
            ),
        ],
    )


@exercise("conv2d_to_weight", points=2)
def test_backward_reaches_filters_and_bias(tt, draw):
    """backward through conv2d gives filters and bias their gradients, with stride and padding"""
    x, w, b = draw(2, 3, 5, 6), draw(4, 3, 3, 2), draw(4)
    stride, padding = draw.choice([((2, 1), (1, 0)), ((1, 2), (0, 1)), ((2, 3), (1, 1))])
    weight, bias = named(tt.tensor(w, requires_grad=True), "weight"), named(tt.tensor(b, requires_grad=True), "bias")
    right = correlated(x, w, b, stride, padding)
    grad = draw(*right.shape)
    y = tt.conv2d(tt.tensor(x), weight, bias, stride, padding)
    same(y, right)
    y.backward(tt.tensor(grad))
    what = f"after conv2d(x, weight, bias, {stride}, {padding}).backward(grad), {text(x=x, weight=w)}"
    same(weight.grad, to_weight(grad, x, (3, 2), stride, padding), what=f"weight.grad {what}")
    same(bias.grad, grad.sum((0, 2, 3)), what=f"bias.grad {what}")


@exercise("conv2d_to_x", points=3)
def test_pixels_collect_from_every_window(tt, draw):
    """a pixel collects the gradient of every window that has read it"""
    w, grad = draw(1, 1, 2, 2), draw(1, 1, 2, 2)
    shape = (1, 1, 3, 3)
    right = to_padded(grad, w, shape)
    same_array(
        tt.spatial.conv2d_to_x(rows_of(grad), w, shape, (1, 1), (0, 0)),
        right,
        what="conv2d_to_x(slopes, weight, (1, 1, 3, 3), (1, 1), (0, 0)), a 2×2 filter",
        mistakes=[
            Mistake(to_padded(grad, w, shape, add=False), OVERWRITTEN),
            Mistake(
                to_padded(grad, w[:, :, ::-1, ::-1], shape), "filter pixel (i, j) read the image at (r + i, c + j)."
            ),
            Mistake(to_padded(grad, np.ones_like(w), shape), "the filter's weight is missing: each reading counts w."),
            Mistake(to_padded(np.ones_like(grad), w, shape), "the slopes are not used."),
        ],
        smaller="a 3×3 image, filter 0 1 / 2 3, slopes of 1: 0 1 1 / 2 6 4 / 2 5 3",
    )
    worked = tt.spatial.conv2d_to_x(np.ones((4, 1)), np.arange(4.0).reshape(1, 1, 2, 2), shape, (1, 1), (0, 0))
    same_array(worked, np.array([[[[0.0, 1, 1], [2, 6, 4], [2, 5, 3]]]]), dtype=EXACT)


@exercise("conv2d_to_x", points=2)
def test_pixels_collect_through_steps(tt, draw):
    """with a stride, a pixel collects from the windows that read it, and one that none has read gets 0"""
    f, c = draw.sizes(2)
    w, shape = draw(f, c, 3, 2), (2, c, 6, 8)
    for stride in ((2, 3), (1, 3)):
        grad = draw(2, f, count(6, 3, stride[0]), count(8, 2, stride[1]))
        same_array(
            tt.spatial.conv2d_to_x(rows_of(grad), w, shape, stride, (0, 0)),
            to_padded(grad, w, shape, stride),
            what=f"conv2d_to_x(slopes, weight, {shape}, {stride}, (0, 0)), {text(weight=w)}",
            mistakes=[Mistake(to_padded(grad, w, shape, stride, add=False), OVERWRITTEN)],
        )


@exercise("conv2d_to_x", points=2)
def test_pixels_collect_under_padding(tt, draw):
    """the gradient of the padding is cut off, on both sides"""
    f, c = draw.sizes(2)
    p = draw.choice([(1, 2), (2, 1)])
    w, shape = draw(f, c, 3, 3), (2, c, 4, 5)
    grad = draw(2, f, 2 + 2 * p[0], 3 + 2 * p[1])
    total = to_padded(grad, w, shape, padding=p)
    same_array(
        tt.spatial.conv2d_to_x(rows_of(grad), w, shape, (1, 1), p),
        cut(total, shape, p),
        what=f"conv2d_to_x(slopes, weight, {shape}, (1, 1), {p}), {text(weight=w)}",
        mistakes=[
            Mistake(total, "the padding is still there. Work on the padded image, and cut it off at the end."),
            Mistake(cut(total, shape, (0, 0)), NOT_CUT),
            Mistake(cut(to_padded(grad, w, shape, padding=p, add=False), shape, p), OVERWRITTEN),
        ],
    )


@exercise("conv2d_to_x", points=2)
def test_backward_reaches_the_images(tt, draw):
    """backward through conv2d gives the images their gradient, in float64 to the last digits"""
    n, c, f = draw.sizes(3)
    x, w, stride, padding = draw(n, c, 5, 6) / 3, draw(f, c, 2, 3) / 7, (2, 1), (1, 1)
    image = named(tt.tensor(x, dtype=EXACT, requires_grad=True), "x")
    right = correlated(x, w, None, stride, padding)
    grad = draw(*right.shape)
    y = tt.conv2d(image, tt.tensor(w, dtype=EXACT), None, stride, padding)
    same(y, right, dtype=EXACT)
    y.backward(tt.tensor(grad, dtype=EXACT))
    same(
        image.grad,
        cut(to_padded(grad, w, x.shape, stride, padding), x.shape, padding),
        dtype=EXACT,
        what=f"x.grad after conv2d(x, weight, None, {stride}, {padding}).backward(grad), {text(x=x, weight=w)}",
    )


# ---- max pooling --------------------------------------------------------------------------------------------


def pooled(x, kernel, stride, padding=(0, 0), value=-np.inf):
    """The largest number of every window."""
    return np.max(np.stack(list(pixels(pad(x, padding, value), kernel, stride).values())), 0)


def averaged(x, kernel, stride, padding=(0, 0)):
    """The mean of every window."""
    return np.mean(np.stack(list(pixels(pad(x, padding), kernel, stride).values())), 0)


def handed_back(grad, x, kernel, stride, padding=(0, 0), *, winners="first", add=True):
    """The gradient of max pooling: to the first winner of each window, the last, all, each a share, or everybody."""
    total, values = pad(np.zeros(x.shape), padding), pad(x, padding, -np.inf)
    best = pooled(x, kernel, stride, padding)
    wins = np.stack([part == best for part in pixels(values, kernel, stride).values()])
    if winners == "first":
        wins = wins & (wins.cumsum(0) == 1)
    elif winners == "last":
        wins = wins & (wins[::-1].cumsum(0)[::-1] == 1)
    weight = wins / wins.sum(0) if winners == "share" else np.ones(wins.shape) if winners == "everybody" else wins
    for part, place in zip(weight, pixels(total, kernel, stride).values(), strict=True):
        place[...] = place + grad * part if add else np.where(part, grad * part, place)
    return total


@exercise("max_pool2d", points=2)
def test_max_pool_keeps_the_largest(tt, draw):
    """max_pool2d keeps the largest number of each window, channel by channel"""
    n, c = draw.sizes(2)
    x = draw.distinct(n, c, 4, 6)
    square = ((2, 2), (2, 2))
    same(
        tt.max_pool2d(tt.tensor(x), 2),
        pooled(x, *square),
        mistakes=[
            Mistake(averaged(x, *square), "this is the mean of each window."),
            Mistake(-pooled(-x, *square), "this is the smallest of each window."),
            Mistake(pooled(np.abs(x), *square), "signs were dropped."),
            Mistake(pooled(x, (2, 2), (1, 1)), "the windows overlap. Without a stride they lie side by side."),
            Mistake(x[:, :, ::2, ::2], "this is the first number of each window."),
        ],
        smaller="max_pool2d of [[1, 2], [4, 0]] with a window of 2 is [[4]]",
    )


@exercise("max_pool2d", points=2)
def test_max_pool_with_windows_that_overlap(tt, draw):
    """max_pool2d takes windows of any height and width, that overlap, or leave something over"""
    x = draw.distinct(2, 2, 5, 7)
    for kernel, stride in (((3, 3), (1, 1)), ((3, 2), (2, 3)), ((2, 3), None), ((5, 7), None)):
        steps = stride or kernel
        same(
            tt.max_pool2d(tt.tensor(x), kernel, stride),
            pooled(x, kernel, steps),
            mistakes=[
                Mistake(pooled(x, kernel, kernel), "the stride is not used."),
                Mistake(pooled(x, kernel[::-1], steps[::-1]), "height and width are exchanged. Height comes first."),
            ],
        )


@exercise("max_pool2d", points=2)
def test_max_pool_never_takes_the_padding(tt, draw):
    """max_pool2d pads with what never wins, and refuses padding of more than half a window"""
    x = -draw.positive(1, 2, 4, 5)
    p = draw.choice([(1, 0), (0, 1), (1, 1)])
    same(
        tt.max_pool2d(tt.tensor(x), (2, 3), 2, p),
        pooled(x, (2, 3), (2, 2), p),
        mistakes=[Mistake(pooled(x, (2, 3), (2, 2), p, 0.0), ZEROS_WIN)],
        smaller="max_pool2d of [[-1]] with a window of (1, 3) and padding (0, 1) is [[-1]]",
    )
    raises((ValueError, RuntimeError), lambda: tt.max_pool2d(tt.tensor(x), 3, 1, (2, 1)), mentions=[(2, 1), (3, 3)])
    raises((ValueError, RuntimeError), lambda: tt.max_pool2d(tt.tensor(x), (5, 2)), mentions=[(5, 2), x.shape])
    raises((ValueError, RuntimeError), lambda: tt.max_pool2d(tt.tensor(x[0]), 2), mentions=[x.shape[1:]])


@exercise("max_pool2d", points=1)
def test_max_pool_is_recorded_and_spares_its_input(tt, draw):
    """max_pool2d keeps the dtype, records what it does, and leaves its input alone"""
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    got = [thing(tt.max_pool2d(tt.tensor(draw(1, 1, 2, 2), requires_grad=flag), 2), "y") for flag in flags]
    same([y.requires_grad for y in got], flags, what="[max_pool2d(x, 2).requires_grad for x in xs]")
    a = draw(2, 3, 4, 4)
    x = named(tt.tensor(a, dtype=EXACT), "x")
    same(tt.max_pool2d(x, 2), pooled(a, (2, 2), (2, 2)), dtype=EXACT)
    unchanged(x, a.astype(EXACT), what="x, after max_pool2d(x, 2)")
    layer = named(thing(tt.MaxPool2d(3, stride=1, padding=1), "MaxPool2d(3, stride=1, padding=1)"), "layer")
    same(layer(tt.tensor(a)), pooled(a, (3, 3), (1, 1), (1, 1)))


def went_back(tt, a, grad, pool, *sizes):
    """x.grad after backward through a pooling, and the pooled numbers."""
    x = named(tt.tensor(a, requires_grad=True), "x")
    y = pool(x, *sizes)
    thing(y, "the result of pooling").backward(tt.tensor(grad))
    return x.grad, y


@exercise("max_pool2d_backward", points=2)
def test_max_pool_hands_back_to_the_winner(tt, draw):
    """the gradient of a window goes to its largest number, and to it alone"""
    n, c = draw.sizes(2)
    a, grad = draw.distinct(n, c, 4, 6), draw(n, c, 2, 3)
    back, y = went_back(tt, a, grad, tt.max_pool2d, 2)
    right = handed_back(grad, a, (2, 2), (2, 2))
    same(
        back,
        right,
        what=f"x.grad after max_pool2d(x, 2).backward(grad), {text(x=a, grad=grad)}",
        mistakes=[
            Mistake(handed_back(grad, a, (2, 2), (2, 2), winners="everybody"), "all numbers of a window got it."),
            Mistake(handed_back(grad, a, (2, 2), (2, 2), winners="everybody") / 4, "all got a share, as in a mean."),
            Mistake(right != 0, NO_CHAIN),
            Mistake(right * a, "the gradient was multiplied with x. The winner's slope is 1."),
        ],
        smaller="max_pool2d of [[1, 2], [4, 0]] with a gradient of 10: [[0, 0], [10, 0]]",
    )
    same(y, pooled(a, (2, 2), (2, 2)))


@exercise("max_pool2d_backward", points=2)
def test_max_pool_hands_back_to_the_first_of_equals(tt, draw):
    """where several numbers of a window are the largest, the first gets the gradient"""
    a, grad = draw.integers(0, 2, 2, 2, 6, 6).astype(np.float32), draw(2, 2, 2, 2)
    back, y = went_back(tt, a, grad, tt.max_pool2d, 3)
    sizes = ((3, 3), (3, 3))
    same(
        back,
        handed_back(grad, a, *sizes),
        what=f"x.grad after max_pool2d(x, 3).backward(grad), x of zeros and ones {a.shape}",
        mistakes=[
            Mistake(handed_back(grad, a, *sizes, winners="all"), "each of the equals got all of it. It goes to one."),
            Mistake(handed_back(grad, a, *sizes, winners="share"), "the equals share it. The first gets all."),
            Mistake(handed_back(grad, a, *sizes, winners="last"), "the last of the equals got it. It is the first's."),
        ],
        smaller="max_pool2d of [[5, 5]] with a window of (1, 2) and a gradient of 8: [[8, 0]]",
    )
    same(y, pooled(a, *sizes))


@exercise("max_pool2d_backward", points=2)
def test_max_pool_hands_back_from_every_window(tt, draw):
    """a pixel that wins in several windows collects from each, and padding is cut off"""
    a, grad = draw.distinct(1, 2, 4, 5), draw.positive(1, 2, 4, 5)
    back, y = went_back(tt, a, grad, tt.max_pool2d, 3, 1, 1)
    sizes = ((3, 3), (1, 1), (1, 1))
    total = handed_back(grad, a, *sizes)
    same(
        back,
        cut(total, a.shape, (1, 1)),
        what=f"x.grad after max_pool2d(x, 3, stride=1, padding=1).backward(grad), {text(x=a)}",
        mistakes=[
            Mistake(cut(handed_back(grad, a, *sizes, add=False), a.shape, (1, 1)), OVERWRITTEN),
            Mistake(cut(total, a.shape, (0, 0)), NOT_CUT),
        ],
    )
    same(y, pooled(a, *sizes))
    grad = draw(1, 2, 1, 2)
    back, _ = went_back(tt, a, grad, tt.max_pool2d, (3, 2), (2, 3))
    same(back, handed_back(grad, a, (3, 2), (2, 3)), what=f"x.grad of windows (3, 2), stride (2, 3), {text(x=a)}")


# ---- average pooling ----------------------------------------------------------------------------------------


@exercise("avg_pool2d", points=2)
def test_avg_pool_takes_the_mean(tt, draw):
    """avg_pool2d takes the mean of each window, channel by channel"""
    n, c = draw.sizes(2)
    x = draw(n, c, 4, 7)
    right = averaged(x, (2, 3), (2, 3))
    same(
        tt.avg_pool2d(tt.tensor(x), (2, 3)),
        right,
        mistakes=[
            Mistake(right * 6, "this is the sum of each window. Divide by how many numbers it has."),
            Mistake(pooled(x, (2, 3), (2, 3)), "this is the largest of each window."),
            Mistake(right * 6 / 4, "divided by the square of the height. A window has height · width numbers."),
            Mistake(right * 6 / 9, "divided by the square of the width. A window has height · width numbers."),
        ],
        smaller="avg_pool2d of [[1, 2], [4, 0]] with a window of 2 is [[1.75]]",
    )
    same(tt.avg_pool2d(tt.tensor(x), 3, (1, 2)), averaged(x, (3, 3), (1, 2)))


@exercise("avg_pool2d", points=2)
def test_avg_pool_counts_the_padding(tt, draw):
    """avg_pool2d counts padding as zeros, and as pixels"""
    x = draw(2, 2, 4, 5)
    right, ones = averaged(x, (3, 3), (2, 2), (1, 1)), averaged(np.ones_like(x), (3, 3), (2, 2), (1, 1))
    same(
        tt.avg_pool2d(tt.tensor(x), 3, 2, 1),
        right,
        mistakes=[
            Mistake(right / ones, "windows at the border are divided by their pixels inside. All have kh · kw."),
        ],
    )
    raises((ValueError, RuntimeError), lambda: tt.avg_pool2d(tt.tensor(x), (6, 2)), mentions=[(6, 2), x.shape])
    a = x.astype(EXACT) / 3
    image = named(tt.tensor(a, dtype=EXACT), "x")
    same(tt.avg_pool2d(image, 2), averaged(a, (2, 2), (2, 2)), dtype=EXACT)
    unchanged(image, a, what="x, after avg_pool2d(x, 2)")
    layer = named(thing(tt.AvgPool2d((1, 2)), "AvgPool2d((1, 2))"), "layer")
    same(layer(tt.tensor(x)), averaged(x, (1, 2), (1, 2)))


def shared_out(grad, shape, kernel, stride, padding=(0, 0), add=True):
    """The gradient of average pooling, on padded images."""
    total = pad(np.zeros(shape), padding)
    for place in pixels(total, kernel, stride).values():
        share = grad.astype(EXACT) / math.prod(kernel)
        place[...] = place + share if add else share
    return total


@exercise("avg_pool2d_backward", points=2)
def test_avg_pool_hands_back_equal_shares(tt, draw):
    """each pixel of a window gets an equal share of its gradient"""
    n, c = draw.sizes(2)
    a, grad = draw(n, c, 4, 6), draw(n, c, 2, 2)
    back, y = went_back(tt, a, grad, tt.avg_pool2d, (2, 3))
    right = shared_out(grad, a.shape, (2, 3), (2, 3))
    same(
        back,
        right,
        what=f"x.grad after avg_pool2d(x, (2, 3)).backward(grad), {text(x=a, grad=grad)}",
        mistakes=[
            Mistake(right * 6, "each pixel got all of it. It is one of kh · kw: divide."),
            Mistake(np.full(a.shape, 1 / 6), NO_CHAIN),
            Mistake(right * a, "the gradient was multiplied with x. Each pixel's slope is 1 / (kh · kw)."),
        ],
        smaller="a window of 2×2 with a gradient of 8 gives 2 to each pixel",
    )
    same(y, averaged(a, (2, 3), (2, 3)))


@exercise("avg_pool2d_backward", points=2)
def test_avg_pool_hands_back_from_every_window(tt, draw):
    """a pixel collects its share from every window that it was in, and padding is cut off"""
    a, grad = draw(1, 2, 5, 4), draw(1, 2, 5, 2)
    back, y = went_back(tt, a, grad, tt.avg_pool2d, 3, (1, 2), 1)
    sizes = ((3, 3), (1, 2), (1, 1))
    total = shared_out(grad, a.shape, *sizes)
    same(
        back,
        cut(total, a.shape, (1, 1)),
        what=f"x.grad after avg_pool2d(x, 3, (1, 2), 1).backward(grad), {text(x=a)}",
        mistakes=[
            Mistake(cut(shared_out(grad, a.shape, *sizes, add=False), a.shape, (1, 1)), OVERWRITTEN),
            Mistake(cut(total, a.shape, (0, 0)), NOT_CUT),
        ],
    )
    same(y, averaged(a, *sizes))


# ---- batch normalisation ------------------------------------------------------------------------------------


@exercise("batch_statistics", points=2)
def test_statistics_of_each_channel(tt, draw):
    """batch_statistics gives each channel its mean and variance over all rows"""
    n, c = draw.sizes(2)
    n += 2
    rows = draw.distinct(n, c)
    got = thing_of_three(tt.spatial.batch_statistics(rows))
    mean, var = rows.mean(0, dtype=EXACT), rows.var(0, dtype=EXACT)
    same_array(
        got[0],
        mean,
        what=f"mean from batch_statistics(rows), {text(rows=rows)}",
        mistakes=[
            Mistake(rows.mean(1), "one mean per row. Each channel has one, over all rows."),
            Mistake(rows.mean(), "one mean for everything. Each channel has its own."),
            Mistake(rows.sum(0), "this is the sum. Divide by how many rows there are."),
        ],
        smaller="batch_statistics of [[1], [2], [3], [4]] has the mean [2.5] and the variance [1.25]",
    )
    same_array(got[1], rows - mean, what=f"centred from batch_statistics(rows), {text(rows=rows)}")
    same_array(
        got[2],
        var,
        what=f"var from batch_statistics(rows), {text(rows=rows)}",
        mistakes=[
            Mistake(rows.var(0, ddof=1), BY_N_1),
            Mistake(rows.std(0), "this is the standard deviation. The variance is its square."),
            Mistake((rows**2).mean(0), "the mean was not subtracted before squaring."),
            Mistake(var * n, "this is the sum of squares. Divide by n."),
        ],
    )


def thing_of_three(value):
    """Mean, centred, var: anything else than three values is a mismatch."""
    if type(value) is not tuple or len(value) != 3:
        same(value, ("mean", "centred", "var"), what="batch_statistics(rows)")
    return value


@exercise("batch_statistics", points=1)
def test_statistics_far_from_zero(tt, draw):
    """batch_statistics keeps its precision where the numbers lie far from zero, and its dtype"""
    rows = draw.distinct(6, 3)
    far = rows + 4096
    squares = (far * far).mean(0) - far.mean(0) ** 2
    _, _, var = thing_of_three(tt.spatial.batch_statistics(far))
    same_array(
        var,
        rows.var(0, dtype=EXACT),
        rtol=1e-3,
        what="var from batch_statistics(rows), rows close to 4096",
        mistakes=[
            Mistake(squares, "mean of squares less squared mean loses all digits here. Subtract the mean first.")
        ],
    )
    exact = rows.astype(EXACT) / 3
    mean, centred, var = thing_of_three(tt.spatial.batch_statistics(exact))
    same_array(mean, exact.mean(0), dtype=EXACT, what="mean from batch_statistics(rows) of float64")
    same_array(var, exact.var(0), dtype=EXACT, what="var from batch_statistics(rows) of float64")
    same_array(centred, exact - exact.mean(0), dtype=EXACT, what="centred from batch_statistics(rows) of float64")


@exercise("batch_norm", points=2)
def test_batch_norm_scales_and_shifts_each_channel(tt, draw):
    """batch_norm divides by the root of variance plus eps, then scales and shifts each channel"""
    n, c, h, w = draw.sizes(4)
    shape = (n, c, h, w)
    centred, var, weight, bias = draw(n * h * w, c), draw.positive(c), draw(c), draw(c)
    eps = draw.choice([0.5, 1.0, 2.0])
    scaled = centred * weight.astype(EXACT)
    right = scaled / np.sqrt(var + eps) + bias
    same(
        tt.spatial.batch_norm(
            tt.tensor(images_of(centred, shape)), tt.tensor(weight), tt.tensor(bias), centred, var, eps
        ),
        images_of(right, shape),
        what=f"batch_norm(x, weight, bias, centred, var, {eps}), x {shape}, {text(centred=centred)}",
        mistakes=[
            Mistake(right.reshape(shape), "reshaped to (N, C, H, W). The rows are (N, H, W, C): transpose."),
            Mistake(images_of(scaled / (var + eps) + bias, shape), "divided by the variance. Divide by its root."),
            Mistake(images_of(scaled / (np.sqrt(var) + eps) + bias, shape), "eps belongs under the root."),
            Mistake(images_of(scaled / np.sqrt(var) + bias, shape), "eps is missing."),
            Mistake(images_of(right - bias, shape), NO_BIAS),
            Mistake(images_of(centred / np.sqrt(var + eps) + bias, shape), "the weight was not used."),
            Mistake(images_of((centred / np.sqrt(var + eps) + bias) * weight, shape), "scale first, then shift."),
        ],
    )


def through_batch_norm(a, w, b, grad, eps, training):
    """Gradients of x, weight and bias after backward through BatchNorm2d, and its result."""
    norm = tt.BatchNorm2d(len(w), eps=eps).train(training)
    norm.weight.data, norm.bias.data = w, b
    x = tt.tensor(a, requires_grad=True)
    y = norm(x)
    y.backward(tt.tensor(grad))
    return [x.grad.data, norm.weight.grad.data, norm.bias.grad.data, y.data]


def back_through(tt, a, grad, weight, bias, eps, fixed):
    """Gradients of x, weight and bias, and the result, of batch_norm with the batch's own statistics."""
    rows = rows_of(a).astype(EXACT)
    centred, var = (rows - rows.mean(0)).astype(np.float32), rows.var(0).astype(np.float32)
    x, w, b = (tt.tensor(array, requires_grad=True) for array in (a, weight, bias))
    said = {"fixed": True} if fixed else {}
    y = thing(tt.spatial.batch_norm(x, w, b, centred, var, eps, **said), "batch_norm(...)")
    y.backward(tt.tensor(grad))
    return x.grad, w.grad, b.grad, y


def normal_rows(a, grad, weight, eps):
    """z, the gradient and the scale in rows, in float64."""
    rows, slopes = rows_of(a).astype(EXACT), rows_of(grad).astype(EXACT)
    rstd = 1 / np.sqrt(rows.var(0) + eps)
    return (rows - rows.mean(0)) * rstd, slopes, weight.astype(EXACT) * rstd


@exercise("batch_norm_backward", points=2)
def test_batch_norm_hands_back_to_scale_and_shift(tt, draw):
    """the gradients of weight and bias sum over all pixels of a channel"""
    n, c, h, w = draw.sizes(4)
    a, grad, weight, bias = draw.distinct(n, c, h, w), draw(n, c, h, w), draw(c), draw(c)
    z, slopes, _ = normal_rows(a, grad, weight, 0.5)
    _, to_w, to_b, y = back_through(tt, a, grad, weight, bias, 0.5, False)
    same(y, images_of(z * weight + bias, a.shape), what=f"batch_norm(...), x {a.shape}")
    what = f"after batch_norm(x, weight, bias, centred, var, 0.5).backward(grad), {text(x=a)}"
    same(
        to_b,
        slopes.sum(0),
        what=f"bias.grad {what}",
        mistakes=[Mistake(slopes.mean(0), "the mean over the pixels. Each of them used the bias: sum.")],
    )
    same(
        to_w,
        (slopes * z).sum(0),
        what=f"weight.grad {what}",
        mistakes=[
            Mistake((slopes * z).mean(0), "the mean over the pixels. Each of them used the weight: sum."),
            Mistake((slopes * rows_of(a)).sum(0), "grad times x. The weight was multiplied with z = centred · rstd."),
            Mistake((slopes * (rows_of(a) - rows_of(a).mean(0))).sum(0), "rstd is missing: z is centred times rstd."),
        ],
    )


@exercise("batch_norm_backward", points=3)
def test_batch_norm_hands_back_through_mean_and_variance(tt, draw):
    """the gradient of x knows that mean and variance move with x"""
    n, c, h, w = draw.sizes(4)
    a, grad, weight, bias = draw.distinct(n, c, h, w), draw(n, c, h, w), draw(c), draw(c)
    z, slopes, scale = normal_rows(a, grad, weight, 0.5)
    around, along = slopes.mean(0), (slopes * z).mean(0)
    to_x, _, _, y = back_through(tt, a, grad, weight, bias, 0.5, False)

    def images(rows):
        return images_of(rows, a.shape)

    same(
        to_x,
        images(scale * (slopes - around - z * along)),
        atol=2e-5,
        what=f"x.grad after batch_norm(x, weight, bias, centred, var, 0.5).backward(grad), {text(x=a)}",
        mistakes=[
            Mistake(images(scale * slopes), "mean and variance were held constant. They move with x."),
            Mistake(images(scale * (slopes - z * along)), "average(grad) is missing: the mean moves with x."),
            Mistake(images(scale * (slopes - around)), "z · average(grad · z) is missing: the variance moves with x."),
            Mistake(
                images(scale * (slopes - slopes.mean() - z * (slopes * z).mean())),
                "the averages run over everything. Each channel has its own.",
            ),
            Mistake(
                images(scale * (slopes - slopes.sum(0) - z * (slopes * z).sum(0))),
                "sums stand where averages are due. Divide by how many values a channel has.",
            ),
            Mistake(images(scale / weight * (slopes - around - z * along)), "the weight is missing."),
        ],
        smaller="-1, 0, 1 with variance 2/3, weight 1 and a gradient of 1, 0, 0: 0.2041, -0.4082, 0.2041",
    )
    same(y, images(z * weight + bias), what=f"batch_norm(...), x {a.shape}")


@exercise("batch_norm_backward", points=1)
def test_batch_norm_hands_back_through_fixed_statistics(tt, draw):
    """where the statistics are fixed, the gradient of x is weight · rstd · grad"""
    n, c, h, w = draw.sizes(4)
    a, grad, weight, bias = draw.distinct(n, c, h, w), draw(n, c, h, w), draw(c), draw(c)
    z, slopes, scale = normal_rows(a, grad, weight, 0.5)
    to_x, to_w, to_b, _ = back_through(tt, a, grad, weight, bias, 0.5, True)
    what = f"after batch_norm(x, weight, bias, centred, var, 0.5, fixed=True).backward(grad), {text(x=a)}"
    same(
        to_x,
        images_of(scale * slopes, a.shape),
        what=f"x.grad {what}",
        mistakes=[
            Mistake(
                images_of(scale * (slopes - slopes.mean(0) - z * (slopes * z).mean(0)), a.shape),
                "`fixed` is not looked at: fixed statistics do not move with x.",
            )
        ],
    )
    same(to_w, (slopes * z).sum(0), what=f"weight.grad {what}")
    same(to_b, slopes.sum(0), what=f"bias.grad {what}")


def normalised(a, axes=(0, 2, 3), ddof=0, eps=1e-5):
    """Mean 0 and variance 1 over some axes."""
    a = a.astype(EXACT)
    return (a - a.mean(axes, keepdims=True)) / np.sqrt(a.var(axes, keepdims=True, ddof=ddof) + eps)


@exercise("BatchNorm2d.forward", points=2)
def test_layer_normalises_each_channel(tt, draw):
    """BatchNorm2d gives each channel mean 0 and variance 1 over the batch while it trains"""
    n, c, h, w = draw.sizes(4)
    a, weight, bias = draw.distinct(n, c, h, w) * 2 + 1, draw(c), draw(c)
    norm = named(thing(tt.BatchNorm2d(c), f"BatchNorm2d({c})"), "norm")
    same(
        norm(tt.tensor(a)),
        normalised(a),
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(normalised(a, ddof=1), BY_N_1),
            Mistake(normalised(a, 0), "each pixel has statistics of its own. A channel's run over N, H and W."),
            Mistake(normalised(a, (2, 3)), "each image has statistics of its own. A channel's run over the batch too."),
            Mistake(normalised(a, (0, 1, 2, 3)), "one mean for everything. Each channel has its own."),
            Mistake(a / np.sqrt(1 + 1e-5), "the running statistics were used. While training, those of the batch are."),
        ],
    )
    norm.weight.data, norm.bias.data = weight, bias
    same(
        norm(tt.tensor(a)),
        normalised(a) * weight[:, None, None] + bias[:, None, None],
        rtol=1e-4,
        atol=1e-4,
        what=f"norm(x) with weight {weight.tolist()} and bias {bias.tolist()}",
    )


@exercise("BatchNorm2d.forward", points=3)
def test_layer_remembers_running_statistics(tt, draw):
    """each batch moves the running statistics by the share momentum, the variance as n - 1 gives it"""
    n, c, h, w = 2, 3, 2, 2
    first, second = draw.distinct(n, c, h, w) + 2, draw.distinct(n, c, h, w) * 2
    momentum = draw.choice([0.25, 0.375])
    norm = named(thing(tt.BatchNorm2d(c, momentum=momentum), "norm"), "norm")
    same(norm(tt.tensor(first)), normalised(first), rtol=1e-4, atol=1e-4)
    norm(tt.tensor(second))

    def moved(start, news, share):
        for new in news:
            start = (1 - share) * start + share * new
        return np.broadcast_to(start, c)

    means = [a.mean((0, 2, 3), dtype=EXACT) for a in (first, second)]
    variances = [a.var((0, 2, 3), dtype=EXACT) for a in (first, second)]
    unbiased = [v * 8 / 7 for v in variances]
    what = f"after two batches, momentum {momentum}"
    same(
        norm.running_mean,
        moved(0, means, momentum),
        what=f"running_mean {what}",
        mistakes=[
            Mistake(np.zeros(c), "it was never written. Every batch moves it while training."),
            Mistake(moved(0, means, 1 - momentum), "momentum is the share of the new, 1 - momentum that of the old."),
            Mistake(means[1], "the last batch replaced it. Each batch moves it by the share momentum."),
            Mistake(means[0] * momentum + means[1] * momentum, "the old was not shrunk by 1 - momentum."),
        ],
        smaller="from 0, with momentum 0.1 and a batch whose mean is 2.5: 0.25",
    )
    same(
        norm.running_var,
        moved(1, unbiased, momentum),
        what=f"running_var {what}",
        mistakes=[
            Mistake(moved(1, variances, momentum), "it took the variance by n. Normalise with n, remember n - 1."),
            Mistake(np.ones(c), "it was never written. Every batch moves it while training."),
            Mistake(moved(1, [v / 8 * 7 for v in variances], momentum), "times (n - 1) / n. It is n / (n - 1)."),
            Mistake(moved(1, [v * n / (n - 1) for v in variances], momentum), "n is N·H·W, not the batch's size."),
            Mistake(moved(0, unbiased, momentum), "it starts from 1, not from 0."),
        ],
    )


def used(a, mean, var, weight, bias, eps):
    """What BatchNorm2d gives in eval, twice, its buffers afterwards, and what it gives when it trains again."""
    norm = tt.BatchNorm2d(len(mean), eps=eps).eval()
    norm.running_mean.data[...], norm.running_var.data[...] = mean, var
    norm.weight.data, norm.bias.data = weight, bias
    x = tt.tensor(a)
    y = [norm(x).data, norm(x[:1]).data]
    state = norm.state_dict()
    return [*y, state["running_mean"], state["running_var"], norm.train()(x).data]


@exercise("BatchNorm2d.forward", points=2)
def test_layer_uses_running_statistics_in_eval(lab, draw):
    """after eval BatchNorm2d normalises by the running statistics, image by image, and moves nothing"""
    n, c, h, w = draw.sizes(4)
    a, mean, var, weight, bias = draw.distinct(n, c, h, w), draw(c), draw.positive(c), draw(c), draw(c)
    all_, one, mean_after, var_after, trained = lab(used, a, mean, var, weight, bias, 0.5)

    def affine(z):
        return z * weight[:, None, None] + bias[:, None, None]

    right = affine((a - mean.astype(EXACT)[:, None, None]) / np.sqrt(var + 0.5)[:, None, None])
    batch = affine(normalised(a, eps=0.5))
    what = f"norm.eval()(x), {text(x=a)}"
    same_array(
        all_,
        right,
        atol=1e-5,
        what=what,
        mistakes=[Mistake(batch, "the batch's statistics were used. After eval, the running ones are.")],
    )
    same_array(one, right[:1], atol=1e-5, what=f"{what}, of the first image alone")
    same_array(mean_after, mean, what="running_mean after two batches in eval")
    same_array(var_after, var, what="running_var after two batches in eval")
    same_array(trained, batch, rtol=1e-4, atol=1e-4, what="norm.train()(x)")


@exercise("BatchNorm2d.forward", points=1)
def test_layer_hands_back_in_both_modes(lab, draw):
    """backward through BatchNorm2d holds the statistics fixed in eval, and only there"""
    n, c, h, w = draw.sizes(4)
    a, grad, weight, bias = draw.distinct(n, c, h, w), draw(n, c, h, w), draw(c), draw(c)
    z, slopes, scale = normal_rows(a, grad, weight, 0.5)
    moving = images_of(scale * (slopes - slopes.mean(0) - z * (slopes * z).mean(0)), a.shape)
    still = grad * (weight / np.sqrt(1.5))[:, None, None]
    to_x, *_ = lab(through_batch_norm, a, weight, bias, grad, 0.5, True)
    same_array(
        to_x,
        moving,
        atol=2e-5,
        what=f"x.grad after BatchNorm2d({c}, eps=0.5)(x).backward(grad), {text(x=a)}",
        mistakes=[Mistake(images_of(scale * slopes, a.shape), "fixed is True while training. It is so only in eval.")],
    )
    to_x, *_ = lab(through_batch_norm, a, weight, bias, grad, 0.5, False)
    same_array(to_x, still, atol=2e-5, what=f"x.grad after BatchNorm2d({c}, eps=0.5).eval()(x).backward(grad)")


@exercise("BatchNorm2d.forward", points=1)
def test_layer_refuses_other_channels(tt, draw):
    """BatchNorm2d refuses other channels and batches of one value, and a constant channel gives no warning"""
    c, other, h = draw.sizes(3)
    norm = named(thing(tt.BatchNorm2d(c), f"BatchNorm2d({c})"), "norm")
    a = draw.distinct(2, c, h, 3)
    same(norm(tt.tensor(a)), normalised(a), rtol=1e-4, atol=1e-4)
    raises((ValueError, RuntimeError), lambda: norm(tt.tensor(draw(2, other, h, 3))), mentions=[c, (2, other, h, 3)])
    raises((ValueError, RuntimeError), lambda: norm(tt.tensor(draw(1, c, 1, 1))), mentions=[(1, c, 1, 1)])
    with calm(tt):
        same(norm(tt.tensor(np.full((2, c, h, 3), a[0, 0, 0, 0]))), np.zeros((2, c, h, 3)))
