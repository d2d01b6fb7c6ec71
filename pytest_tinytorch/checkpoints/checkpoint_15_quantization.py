"""Checkpoint 15: quantization.

Marks are compared exactly, so inputs are drawn anew until none of them lies where two marks are equally near: there
the last bit of a float32 would decide. The check of ties has scales that are powers of two, with which nothing is
rounded before the tie is.
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array, tensor_data, unchanged

TRUNCATED = "digits were cut off, not rounded: 2.7 became 2. round, shift, clip, cast."
WRAPPED = "the cast came before the clip: an int8 that is to hold 130 holds -126. Clip first."
EARLY = "the clip came before the zero point was added. round, shift, clip, cast."
DYNAMIC = "the ruler was chosen anew from this input. Use the one that calibration found."
BY_ROW = "each row of the weight has a ruler. An output is a column of (in, out): dim=1."


def number(value):
    """Whether a value is numbers that came back by copy."""
    return isinstance(value, np.ndarray | np.generic | float | int)


def two(value, what):
    """The two arrays of a pair; anything else is a mismatch."""
    if type(value) is not tuple or len(value) != 2 or not all(map(number, value)):
        same(value, "a pair of arrays", what=what)
    return [np.asarray(part) for part in value]


def thing(value, what):
    """The student's object; a plain value in its place is a mismatch."""
    if value is None or isinstance(value, bool | int | float | str | tuple | list | dict | np.ndarray | np.generic):
        same(value, "an object", what=what)
    return value


def made(value, name):
    """An object that the student's code made, under a name in what the student reads."""
    return named(thing(value, name), name)


def ruler(low, high, symmetric=False):
    """Scale and zero point as they are due, and the zero point before it was rounded."""
    low, high = np.minimum(np.float64(low), 0), np.maximum(np.float64(high), 0)
    scale = (np.maximum(-low, high) / 127 if symmetric else (high - low) / 255).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    unrounded = np.zeros(scale.shape) if symmetric else -128 - low / scale
    return scale, np.clip(np.rint(unrounded), -128, 127).astype(np.int8), unrounded


def marks_of(x, scale, zero_point):
    """The marks that are due."""
    return np.clip(np.rint(x / np.float64(scale)) + zero_point, -128, 127).astype(np.int8)


def near_a_tie(*numbers):
    """Whether one of the numbers is about halfway between two whole ones."""
    return any((np.abs(np.asarray(n, np.float64) % 1 - 0.5) < 1e-3).any() for n in numbers)


def on_a_ruler(draw, *shape, symmetric=False, axes=None):
    """Random numbers with a range below and above 0, and their ruler; nothing of it lies between two marks."""
    while True:
        x = draw.normal(*shape) * np.float32(2)
        low, high = x.min(axes, keepdims=axes is not None), x.max(axes, keepdims=axes is not None)
        scale, zero_point, unrounded = ruler(low, high, symmetric)
        if (low < -0.1).all() and (high > 0.1).all() and not near_a_tie(unrounded, x / np.float64(scale)):
            return x, scale, zero_point


def marks(draw, *shape):
    """Random int8 numbers, the first and the last mark among them."""
    q = draw.integers(-128, 128, *shape).astype(np.int8)
    q.reshape(-1)[draw.permutation(q.size)[:2]] = [-128, 127]
    return q


def layer_of(tt, weight, bias):
    """A Linear with these numbers."""
    layer = thing(tt.Linear(*weight.shape, bias=bias is not None), "Linear")
    layer.load_state_dict({"weight": weight} | ({} if bias is None else {"bias": bias}))
    return layer


# ---- value_range --------------------------------------------------------------------------------------------


@exercise("value_range", points=1)
def test_range_of_a_whole_tensor(tt, draw):
    """value_range finds the smallest and the largest of all numbers"""
    a = draw.distinct(*draw.sizes(3))
    low, high = two(tt.quantization.value_range(tt.tensor(a)), "value_range(x)")
    same_array(
        np.append(low, high).astype(np.float32),
        np.float32([a.min(), a.max()]),
        what="value_range(x)",
        mistakes=[
            Mistake([a.max(), a.min()], "low and high have changed places."),
            Mistake([-np.abs(a).max(), np.abs(a).max()], "this range is symmetric. Find the true ends of it."),
        ],
        smaller="value_range(tensor([1., -2., 4.])) is (-2.0, 4.0)",
    )
    same((low.shape, high.shape), ((), ()), what="shapes of low and high")


@exercise("value_range", points=2)
def test_range_of_each_channel(tt, draw):
    """value_range with dim searches all dimensions but that one, and keeps them with size 1"""
    a = draw.distinct(*draw.sizes(3))
    for dim in (int(draw.integers(0, 3)), -1, -2):
        others = tuple(axis for axis in range(3) if axis != dim % 3)
        for got, pick in zip(
            two(tt.quantization.value_range(tt.tensor(a), dim), "pair"), (np.min, np.max), strict=True
        ):
            same_array(
                got,
                pick(a, axis=others, keepdims=True),
                what=f"the {'low' if pick is np.min else 'high'} of value_range(x, {dim}), x {a.shape}",
                mistakes=[
                    Mistake(
                        pick(a, axis=others), "the searched dimensions are gone. keepdims leaves them with size 1."
                    ),
                    Mistake(
                        pick(a, axis=dim, keepdims=True), "dim was searched. It counts the channels: search the rest."
                    ),
                ],
            )


@exercise("value_range", points=2)
def test_range_refuses_nan_and_infinity(tt, draw):
    """NaN and infinity have no range: ValueError, with how many of how many numbers"""
    a = draw(draw.integers(20, 30))
    for wrong in (np.nan, np.inf, -np.inf):
        bad, count = a.copy(), int(draw.integers(2, 9))
        bad[draw.permutation(a.size)[:count]] = wrong
        raises(
            ValueError,
            lambda bad=bad: tt.quantization.value_range(tt.tensor(bad)),
            mentions=[count, a.size],
            smaller="value_range(tensor([1.0, inf])) raises ValueError and says 1 of 2",
        )
    low, high = two(tt.quantization.value_range(tt.tensor(a)), "value_range(x)")
    same_array(np.append(low, high), np.float32([a.min(), a.max()]), what="value_range(x), all finite")


@exercise("value_range", points=2)
def test_range_refuses_what_has_none(tt, draw):
    """integers raise TypeError, a tensor without numbers ValueError, a dim that is not there IndexError"""
    n, m = draw.sizes(2)
    a, find = draw(n, m), tt.quantization.value_range
    raises(TypeError, lambda: find(tt.tensor(draw.integers(0, 9, n))), mentions=["int64"])
    raises(ValueError, lambda: find(tt.tensor(np.zeros((n, 0), np.float32))), mentions=[(n, 0)])
    dim = int(draw.integers(2, 30))
    raises(IndexError, lambda: find(tt.tensor(a), dim), mentions=[dim])
    low, high = two(find(tt.tensor(a), 1), "value_range(x, 1)")
    same_array(np.vstack([low, high]), np.stack([a.min(0), a.max(0)]), what="value_range(x, 1)")


# ---- choose_grid --------------------------------------------------------------------------------------------


def told(pair):
    """A ruler as one row: scale and zero point."""
    return np.append(*pair).astype(np.float32)


@exercise("choose_grid", points=3)
def test_the_grid_covers_the_range(tt, draw):
    """choose_grid has 255 steps from low to high, and the first mark, -128, at low"""
    for rounded in (np.floor, np.ceil):  # where cutting off would do, and where it would not
        while True:
            low, high = -float(draw.uniform(0.2, 6)), float(draw.uniform(0.2, 6))
            scale, mark, unrounded = ruler(low, high)
            zero_point = int(mark)
            if abs(zero_point) > 3 and zero_point == rounded(unrounded) and not near_a_tie(unrounded):
                break
        width = high - low
        same_array(
            told(two(tt.quantization.choose_grid(low, high), f"choose_grid({low}, {high})")),
            told((scale, zero_point)),
            what=f"scale and zero point, choose_grid({low:.6g}, {high:.6g})",
            mistakes=[
                Mistake(
                    [scale, zero_point + 128],
                    "this zero point is that of unsigned bytes, 0 ... 255. int8 begins at -128.",
                ),
                Mistake([scale, -zero_point], "the zero point has the wrong sign: -128 - low / scale."),
                Mistake([width / 256, np.rint(-128 - low / (width / 256))], "256 marks are 255 steps apart."),
                Mistake([max(-low, high) / 127, 0], "this ruler is symmetric. It was not asked for."),
                Mistake([scale, np.floor(unrounded)], "the zero point was cut off, not rounded."),
                Mistake([scale, np.ceil(unrounded)], "the zero point was cut off, not rounded."),
            ],
            smaller="choose_grid(-128.0, 127.0) is (1.0, 0)",
        )


@exercise("choose_grid", points=2)
def test_the_grid_always_holds_zero(tt, draw):
    """choose_grid widens a range that lies above or below 0 until it holds 0, so that 0 falls on a mark"""
    near, far = float(draw.uniform(0.5, 2)), float(draw.uniform(3, 6))
    for low, high, mark in ((near, far, -128), (-far, -near, 127)):
        narrow = (high - low) / 255
        same_array(
            told(two(tt.quantization.choose_grid(low, high), "pair")),
            told((np.float32(far / 255), mark)),
            what=f"scale and zero point, choose_grid({low:.6g}, {high:.6g})",
            mistakes=[
                Mistake(
                    [narrow, np.clip(np.rint(-128 - low / narrow), -128, 127)],
                    "the range does not hold 0, so no mark stands for it. Widen it: low at most 0, high at least 0.",
                ),
            ],
            smaller="choose_grid(51.0, 255.0) is (1.0, -128)",
        )


@exercise("choose_grid", points=2)
def test_the_symmetric_grid(tt, draw):
    """choose_grid, symmetric, has 0 at mark 0 and the number farthest from it at -127 or 127"""
    near, far = float(draw.uniform(0.5, 2)), float(draw.uniform(3, 6))
    for low, high in ((-near, far), (-far, near), (near, far), (-far, -near)):
        same_array(
            told(two(tt.quantization.choose_grid(low, high, symmetric=True), "pair")),
            np.float32([far / 127, 0]),
            what=f"scale and zero point, choose_grid({low:.6g}, {high:.6g}, symmetric=True)",
            mistakes=[
                Mistake([far / 128, 0], "with 128 the largest number has no mark: int8 ends at 127."),
                Mistake([high / 127, 0], "only high was looked at. The farther of the two ends counts."),
                Mistake([2 * far / 255, 0], "the symmetric ruler has 127 steps to each side."),
            ],
            smaller="choose_grid(-254.0, 127.0, symmetric=True) is (2.0, 0)",
        )


@exercise("choose_grid", points=2)
def test_a_grid_for_each_channel(tt, draw):
    """choose_grid makes a ruler for each pair of an array, scales in float32 and zero points in int8"""
    a, scale, zero_point = on_a_ruler(draw, *draw.sizes(2), axes=0)
    got = two(tt.quantization.choose_grid(a.min(0, keepdims=True), a.max(0, keepdims=True)), "choose_grid(low, high)")
    same_array(got[0], scale, what=f"the scales of {scale.size} channels")
    same_array(got[1], zero_point, dtype=np.int8, what=f"the zero points of {scale.size} channels")
    largest = np.abs(a).max(0)
    both = two(tt.quantization.choose_grid(a.min(0), a.max(0), symmetric=True), "choose_grid(low, high, True)")
    same_array(both[0], largest / np.float32(127), what="the symmetric scales")
    same_array(both[1], np.zeros(largest.shape, np.int8), dtype=np.int8, what="the symmetric zero points")


@exercise("choose_grid", points=2)
def test_a_range_of_nothing_has_a_grid(tt, draw):
    """choose_grid gives scale 1 where there is nothing to divide by, and overflows for no range of float32 numbers"""
    wide = float(draw.uniform(1, 3)) * 1e38
    low, high = np.float32([0, -1e-45, 0, -wide]), np.float32([0, 0, 1e-45, wide])
    with calm(tt):
        affine = two(tt.quantization.choose_grid(low, high), "choose_grid(low, high)")
        symmetric = two(tt.quantization.choose_grid(low, high, symmetric=True), "choose_grid(low, high, True)")
    says = "a range of nothing has scale 0, and x / 0 is no mark. Take scale 1 there."
    zero = np.float64(high) - low
    same_array(
        affine[0],
        np.float32([1, 1, 1, 2 * wide / 255]),
        rtol=1e-5,
        atol=1e-30,
        what=f"the scales for low {low.tolist()} and high {high.tolist()}",
        mistakes=[Mistake((zero / 255).astype(np.float32), says)],
        smaller="choose_grid(0.0, 0.0) is (1.0, -128)",
    )
    same_array(affine[1][:3], np.int8([-128] * 3), dtype=np.int8, what="the zero points where scale is 1")
    same_array(symmetric[0], np.float32([1, 1, 1, wide / 127]), rtol=1e-5, atol=1e-30, what="the symmetric scales")


# ---- to_int8 ------------------------------------------------------------------------------------------------


@exercise("to_int8", points=3)
def test_numbers_go_to_the_nearest_mark(tt, draw):
    """to_int8 divides by scale, rounds, and counts from the zero point"""
    zero_point = 0
    while abs(zero_point) < 5:
        x, scale, mark = on_a_ruler(draw, *draw.sizes(2))
        zero_point = int(mark)
    steps = x / scale
    same_array(
        tt.quantization.to_int8(x, scale, zero_point),
        marks_of(x, scale, zero_point),
        dtype=np.int8,
        what=f"to_int8(x, {float(scale):.6g}, {zero_point})",
        mistakes=[
            Mistake((np.trunc(steps) + zero_point).astype(np.int8), TRUNCATED),
            Mistake(np.trunc(steps + zero_point).astype(np.int8), TRUNCATED),
            Mistake(
                (np.floor(steps) + zero_point).astype(np.int8), "numbers were rounded down. The nearest mark is due."
            ),
            Mistake(np.clip(np.rint(steps), -128, 127).astype(np.int8), "the zero point was left out."),
            Mistake((np.clip(np.rint(steps), -128, 127) + zero_point).astype(np.int8), EARLY),
            Mistake(
                np.clip(np.rint(steps) - zero_point, -128, 127).astype(np.int8),
                "the zero point is added, not taken off.",
            ),
            Mistake(
                np.clip(np.rint(x * scale) + zero_point, -128, 127).astype(np.int8),
                "x was multiplied: divide by scale.",
            ),
        ],
        smaller="to_int8(np.array([2.7, -2.7]), 1.0, 0) is [3, -3]",
    )


@exercise("to_int8", points=2)
def test_ties_go_to_the_even_mark(tt, draw):
    """to_int8 rounds a number halfway between two marks to the even one"""
    halves = draw.permutation(40)[:12] - 20 + 0.5
    scale = 2.0 ** int(draw.integers(-3, 3))
    same_array(
        tt.quantization.to_int8(np.float32(halves * scale), np.float32(scale), np.int8(0)),
        np.rint(halves).astype(np.int8),
        dtype=np.int8,
        what=f"to_int8({(halves * scale).tolist()}, {scale}, 0)",
        mistakes=[
            Mistake(np.floor(halves + 0.5).astype(np.int8), "every tie went up. Half of them are to go down: np.rint."),
            Mistake(
                (np.sign(halves) * np.floor(np.abs(halves) + 0.5)).astype(np.int8), "ties went away from 0: np.rint."
            ),
            Mistake(np.trunc(halves).astype(np.int8), TRUNCATED),
        ],
        smaller="to_int8(np.array([0.5, 1.5, 2.5]), 1.0, 0) is [0, 2, 2]",
    )


@exercise("to_int8", points=3)
def test_what_lies_beyond_saturates(tt, draw):
    """to_int8 puts what lies beyond the ruler, infinity too, on the last mark of that side"""
    zero_point = np.int8(draw.choice([-1, 1]) * draw.integers(5, 40))
    x = np.float32(draw.permutation(30)[:20] * 20 - 300 + draw.uniform(-0.25, 0.25, 20))
    x[:2] = [290.125, -290.125]
    far, one = np.rint(x) + zero_point, np.float32(1)
    same_array(
        tt.quantization.to_int8(x, one, zero_point),
        np.clip(far, -128, 127).astype(np.int8),
        dtype=np.int8,
        what=f"to_int8({np.round(x[:4], 2).tolist()} ..., 1.0, {int(zero_point)})",
        mistakes=[
            Mistake(far.astype(np.int64).astype(np.int8), WRAPPED),
            Mistake(np.clip(far, -127, 127).astype(np.int8), "-128 is a mark, too."),
            Mistake((np.clip(np.rint(x), -128, 127) + zero_point).astype(np.int64).astype(np.int8), EARLY),
        ],
        smaller="to_int8(np.array([130.0, -500.0]), 1.0, 0) is [127, -128]",
    )
    with calm(tt):
        got = tt.quantization.to_int8(np.append(x, np.float32([np.inf, -np.inf])), one, zero_point)
    right = np.append(np.clip(far, -128, 127), [127, -128]).astype(np.int8)
    same_array(got, right, dtype=np.int8, what="to_int8(x, ...), the last two inf and -inf")


@exercise("to_int8", points=2)
def test_nan_has_no_mark(tt, draw):
    """to_int8 refuses NaN with ValueError, and says how many of how many numbers are"""
    x, scale, zero_point = on_a_ruler(draw, int(draw.integers(20, 30)))
    bad, count = x.copy(), int(draw.integers(2, 9))
    bad[draw.permutation(x.size)[:count]] = np.nan
    raises(ValueError, lambda: tt.quantization.to_int8(bad, scale, zero_point), mentions=[count, x.size])
    right = marks_of(x, scale, zero_point)
    same_array(tt.quantization.to_int8(x, scale, zero_point), right, dtype=np.int8, what="to_int8(x), x without NaN")


# ---- QuantizedTensor.dequantize -----------------------------------------------------------------------------


@exercise("QuantizedTensor.dequantize", points=3)
def test_marks_are_read_off(tt, draw):
    """dequantize gives (values - zero_point) * scale as a float32 Tensor"""
    q, zero_point = marks(draw, *draw.sizes(2)), np.int8(draw.choice([-1, 1]) * draw.integers(20, 120))
    scale = np.float32(draw.positive() / 4 + 0.5 / 128)
    wide = q.astype(np.float32)
    with np.errstate(all="ignore"):
        wrapped = (q - zero_point).astype(np.int8) * scale
    same(
        made(tt.QuantizedTensor(q, scale, zero_point), "q").dequantize(),
        (wide - zero_point) * scale,
        what=f"QuantizedTensor(values, {float(scale):.6g}, {int(zero_point)}).dequantize()",
        mistakes=[
            Mistake(wide * scale - zero_point, "the zero point is a mark, not a number: take it off before scaling."),
            Mistake(
                (wide + zero_point) * scale, "the zero point was added. It was added on the way there: take it off."
            ),
            Mistake(wide * scale, "the zero point was left out."),
            Mistake(wrapped, "int8 minus int8 is an int8, and wraps round: 127 - -128 is -1. Use a wider type."),
        ],
        smaller="QuantizedTensor(np.array([3], np.int8), 0.5, 1).dequantize() is [1.0]",
    )


@exercise("QuantizedTensor.dequantize", points=1)
def test_marks_are_read_off_every_channels_ruler(tt, draw):
    """dequantize reads each column on its own ruler, and leaves the values alone"""
    n, m = draw.sizes(2)
    q, zero_point, scale = marks(draw, n, m), draw.integers(-90, 90, 1, m).astype(np.int8), draw.positive(1, m)
    handle = made(tt.QuantizedTensor(q, scale, zero_point), "q")
    same(handle.dequantize(), (q.astype(np.float32) - zero_point) * scale, what="q.dequantize(), one ruler per column")
    same_array(handle.values, q, dtype=np.int8, what="q.values after q.dequantize()")


# ---- quantize -----------------------------------------------------------------------------------------------


def parts(q):
    """Values, scale and zero point of what should be a QuantizedTensor."""
    thing(q, "quantize(x)")
    return q.values, q.scale, q.zero_point


@exercise("quantize", points=3)
def test_quantize_one_ruler(tt, draw):
    """quantize rounds to the ruler of the tensor's own range, affine or symmetric"""
    for symmetric in (False, True):
        x, scale, zero_point = on_a_ruler(draw, *draw.sizes(2), symmetric=symmetric)
        values, got_scale, got_zero = parts(tt.quantize(tt.tensor(x), symmetric=symmetric))
        said = f"quantize(x, symmetric={symmetric})"
        other = ruler(x.min(), x.max(), not symmetric)[:2]
        wrong = [
            Mistake(marks_of(x, *other), f"the ruler is {'affine' if symmetric else 'symmetric'}: hand `symmetric` on.")
        ]
        same_array(values, marks_of(x, scale, zero_point), dtype=np.int8, what=f"{said}.values", mistakes=wrong)
        same_array(np.asarray(got_scale), scale, what=f"{said}.scale")
        same_array(np.asarray(got_zero), zero_point, dtype=np.int8, what=f"{said}.zero_point")


@exercise("quantize", points=2)
def test_quantize_a_ruler_for_each_channel(tt, draw):
    """quantize with dim gives each slice along dim its own ruler"""
    symmetric, dim = bool(draw.integers(0, 2)), int(draw.integers(0, 2))
    x, scale, zero_point = on_a_ruler(draw, *draw.sizes(2), symmetric=symmetric, axes=1 - dim)
    values, got_scale, _ = parts(tt.quantize(tt.tensor(x), symmetric=symmetric, dim=dim))
    whole = ruler(x.min(), x.max(), symmetric)
    same_array(
        values,
        marks_of(x, scale, zero_point),
        dtype=np.int8,
        what=f"quantize(x, symmetric={symmetric}, dim={dim}).values, x {x.shape}",
        mistakes=[Mistake(marks_of(x, *whole[:2]), "all channels share one ruler. Hand `dim` on.")],
    )
    same_array(np.asarray(got_scale), scale, what=f"quantize(x, dim={dim}).scale, x {x.shape}")


@exercise("quantize", points=3)
def test_no_number_moves_by_more_than_half_a_step(tt, draw):
    """quantize and dequantize move no number by more than half a step, and 0 not at all"""
    x = draw.normal(int(draw.integers(150, 250))) + np.float32(draw.choice([-2, 0, 0.5, 4]))
    zeros = draw.permutation(x.size)[:9]
    x[zeros] = 0
    for symmetric in (False, True):
        step = float(ruler(x.min(), x.max(), symmetric)[0])
        back = tensor_data(thing(tt.quantize(tt.tensor(x), symmetric=symmetric), "q").dequantize())
        said = f"quantize(x, symmetric={symmetric}).dequantize()"
        same_array(back[zeros], np.zeros(9, np.float32), atol=0.0, what=f"{said} where x is 0")
        off = np.abs(back - x) / step if back.shape == x.shape else np.inf
        same(
            int(np.sum(off <= 0.501)), x.size, what=f"of {x.size} numbers, how many {said} moves by half a step at most"
        )


@exercise("quantize", points=2)
def test_constant_tensors_come_back(tt, draw):
    """quantize gives a constant tensor back, above, below and at 0, without a warning"""
    shape = draw.sizes(2)
    for constant in (float(draw.uniform(1, 9)), -float(draw.uniform(1, 9)), 0.0):
        x = np.full(shape, constant, np.float32)
        for symmetric in (False, True):
            with calm(tt):
                q = thing(tt.quantize(tt.tensor(x), symmetric=symmetric), "quantize(x)")
                back = q.dequantize()
            same(back, x, what=f"quantize(x, symmetric={symmetric}).dequantize(), where all of x is {constant:.6g}")


@exercise("quantize", points=1)
def test_quantize_leaves_its_input_alone(tt, draw):
    """quantize changes nothing of x, and refuses an x with NaN"""
    x, scale, zero_point = on_a_ruler(draw, 15)
    handle = named(tt.tensor(x), "x")
    values, _, _ = parts(tt.quantize(handle))
    same_array(values, marks_of(x, scale, zero_point), dtype=np.int8, what="quantize(x).values")
    unchanged(handle, x, what="x after quantize(x)")
    bad = x.copy()
    bad[draw.integers(0, 15)] = np.nan
    raises(ValueError, lambda: tt.quantize(tt.tensor(bad)), mentions=[15])


# ---- MinMaxObserver.observe ---------------------------------------------------------------------------------


@exercise("MinMaxObserver.observe", points=3)
def test_an_observer_remembers_all_batches(tt, draw):
    """an observer's range holds all batches, in whatever order they came"""
    batches = [draw.distinct(int(draw.integers(2, 5)), 3) for _ in range(4)]
    batches[1] = batches[1] * 3 - np.float32(0.0625)
    batches[2] = batches[2] / 8
    observer = made(tt.MinMaxObserver(), "observer")
    lows, highs = [b.min() for b in batches], [b.max() for b in batches]
    for batch in batches:
        observer.observe(tt.tensor(batch))
    same(
        [observer.low, observer.high],
        [float(min(lows)), float(max(highs))],
        what="[observer.low, observer.high] after four batches",
        mistakes=[
            Mistake([lows[-1], highs[-1]], "only the last batch is remembered. Merge it with what was seen before."),
            Mistake([lows[0], highs[0]], "only the first batch is remembered. Merge every batch."),
            Mistake([np.mean(lows), np.mean(highs)], "the ends are averaged. The range holds all that was seen."),
            Mistake([max(lows), min(highs)], "the range shrinks: low takes the smaller of two, high the larger."),
        ],
        smaller="after tensor([1., 5.]) and tensor([2., 3.]), low is 1.0 and high is 5.0",
    )


@exercise("MinMaxObserver.observe", points=2)
def test_an_observer_hands_the_batch_on(tt, draw):
    """an observer hands each batch on as it is, and one batch alone gives the ruler of its own range"""
    while True:
        a = draw(*draw.sizes(2)) + np.float32(4)
        scale, zero_point, unrounded = ruler(a.min(), a.max())
        if not near_a_tie(unrounded):
            break
    observer, x = made(tt.MinMaxObserver(), "observer"), named(tt.tensor(a), "x")
    same(observer.observe(x), a, what="observer.observe(x)")
    same(
        [observer.low, observer.high], [float(a.min()), float(a.max())], what="[low, high] after one batch, all above 0"
    )
    same_array(told(two(observer.grid(), "observer.grid()")), told((scale, zero_point)), what="observer.grid()")
    unchanged(x, a, what="x after observer.observe(x)")


@exercise("MinMaxObserver.observe", points=2)
def test_an_observer_refuses_nan_and_stays_as_it_was(tt, draw):
    """an observer refuses a batch with NaN or infinity, and its range stays what it was"""
    a, size = draw.distinct(6), int(draw.integers(30, 60))
    observer = made(tt.MinMaxObserver(), "observer")
    observer.observe(tt.tensor(a))
    for wrong in (np.nan, np.inf, -np.inf):
        bad = draw(size) * 9
        bad[draw.integers(0, size)] = wrong
        raises(ValueError, lambda bad=bad: observer.observe(tt.tensor(bad)), mentions=[size])
    same([observer.low, observer.high], [float(a.min()), float(a.max())], what="[low, high] after refused batches")


# ---- integer_matmul -----------------------------------------------------------------------------------------


def signed(zero_point):
    """A zero point as a number with room."""
    return np.int64(zero_point)


@exercise("integer_matmul", points=3)
def test_whole_numbers_are_multiplied(tt, draw):
    """integer_matmul multiplies marks that are counted from their zero points, and sums them in int32"""
    n, k, m = draw.sizes(3)
    a, b = draw.integers(-3, 4, n, k).astype(np.int8), draw.integers(-3, 4, k, m).astype(np.int8)
    za, zb = (np.int8(draw.choice([-1, 1])) for _ in range(2))  # the sums stay below 128
    qa, qb = tt.QuantizedTensor(a, draw.positive(), za), tt.QuantizedTensor(b, draw.positive(), zb)
    wide_a, wide_b = a.astype(np.int32), b.astype(np.int32)
    same_array(
        tt.integer_matmul(qa, qb),
        ((wide_a - signed(za)) @ (wide_b - signed(zb))).astype(np.int32),
        dtype=np.int32,
        what=f"integer_matmul(a, b), {a.shape} with {b.shape}, zero points {int(za)} and {int(zb)}",
        mistakes=[
            Mistake(wide_a @ wide_b, "the zero points still count. Take each of them off before the product."),
            Mistake((wide_a - signed(za)) @ wide_b, "the zero point of b still counts."),
            Mistake(wide_a @ (wide_b - signed(zb)), "the zero point of a still counts."),
            Mistake((wide_a + signed(za)) @ (wide_b + signed(zb)), "the zero points were added. Take them off."),
        ],
        smaller="marks [[2]] and [[3]] with zero points 1 and 0 give [[3]]",
    )


@exercise("integer_matmul", points=2)
def test_sums_have_room(tt, draw):
    """integer_matmul is exact where int8 would wrap round and float32 would round"""
    n, m = draw.sizes(2)
    k = int(draw.integers(330, 500))  # sums between 2**24 and 2**25
    a, b = draw.integers(100, 128, n, k).astype(np.int8), draw.integers(100, 128, k, m).astype(np.int8)
    a[:, -1] |= 1
    wide = a.astype(np.int64) + 128, b.astype(np.int64) + 128
    with np.errstate(all="ignore"):
        short = (wide[0].astype(np.int8) @ wide[1].astype(np.int8)).astype(np.int32)
    rounded = np.cumsum(wide[0][:, :, None] * wide[1][None], axis=1, dtype=np.float32)[:, -1].astype(np.int32)
    same_array(
        tt.integer_matmul(tt.QuantizedTensor(a, 1.0, -128), tt.QuantizedTensor(b, 1.0, -128)),
        (wide[0] @ wide[1]).astype(np.int32),
        dtype=np.int32,
        what=f"integer_matmul(a, b), {a.shape} with {b.shape}, marks above 100, zero points -128",
        mistakes=[
            Mistake(short, "int8 times int8 is an int8, and wraps round. Widen both before the product."),
            Mistake(rounded, "float32 knows whole numbers up to 2**24 only. int32 or float64 are exact here."),
        ],
    )


@exercise("integer_matmul", points=2)
def test_the_farthest_zero_point_decides(tt, draw):
    """integer_matmul is exact wherever one side or one column alone makes sums that float32 would round"""
    n, m = draw.sizes(2)
    k = int(draw.integers(800, 900))
    near, far = draw.integers(100, 128, n, k).astype(np.int8), draw.integers(100, 128, k, m).astype(np.int8)
    zeros = np.zeros((1, m), np.int8)
    zeros[0, draw.integers(0, m)] = -128
    for a, b, za, zb in ((near, far, 0, zeros), (far.T.copy(), near.T.copy(), -128, np.zeros((1, n), np.int8))):
        qa = tt.QuantizedTensor(a, 1.0, za)
        qb = tt.QuantizedTensor(b, np.ones(zb.shape, np.float32), zb)
        right = (a.astype(np.int64) - za) @ (b.astype(np.int64) - zb)
        said = f"integer_matmul(a, b), {a.shape} with {b.shape}, zero points {za} and {zb.tolist()}"
        same_array(tt.integer_matmul(qa, qb), right.astype(np.int32), dtype=np.int32, what=said)


@exercise("integer_matmul", points=2)
def test_products_of_batches_and_columns(tt, draw):
    """integer_matmul takes dimensions in front, and a zero point for each column; sizes that do not meet are refused"""
    s, n, k, m = draw.sizes(4)
    a, b = marks(draw, s, n, k), marks(draw, k, m)
    za, zb = np.int8(draw.integers(-128, 128)), draw.integers(-128, 128, 1, m).astype(np.int8)
    qa, qb = tt.QuantizedTensor(a, 0.5, za), tt.QuantizedTensor(b, np.ones((1, m), np.float32), zb)
    right = (a.astype(np.int64) - signed(za)) @ (b.astype(np.int64) - signed(zb))
    same_array(tt.integer_matmul(qa, qb), right.astype(np.int32), dtype=np.int32, what=f"{a.shape} with {b.shape}")
    tall = tt.QuantizedTensor(marks(draw, k + 1, m), 0.5, 0)
    raises(ValueError, lambda: tt.integer_matmul(qa, tall), mentions=[a.shape, (k + 1, m)])


# ---- QuantizedLinear ----------------------------------------------------------------------------------------


def inputs(draw, *shape):
    """A batch whose range holds 0, with a ruler that nobody can argue about."""
    while True:
        x = draw.normal(*shape) + np.float32(0.5)
        scale, zero_point, unrounded = ruler(x.min(), x.max())
        if not near_a_tie(unrounded):
            return x, scale, zero_point


def watching(tt, *batches, symmetric=False):
    """An observer that has seen these batches."""
    observer = thing(tt.MinMaxObserver(symmetric=symmetric), "MinMaxObserver()")
    for batch in batches:
        observer.observe(tt.tensor(batch))
    return observer


@exercise("QuantizedLinear.from_linear", points=3)
def test_weights_have_a_ruler_for_each_output(tt, draw):
    """from_linear quantises the weight symmetrically, with one ruler for each output"""
    weight, scale, zero_point = on_a_ruler(draw, *draw.sizes(2), symmetric=True, axes=0)
    layer = made(
        tt.QuantizedLinear.from_linear(layer_of(tt, weight, draw(weight.shape[1])), watching(tt, draw(4))), "layer"
    )
    by_row = ruler(weight.min(1, keepdims=True), weight.max(1, keepdims=True), True)
    same(
        layer.weight_values,
        marks_of(weight, scale, zero_point),
        dtype=np.int8,
        what="layer.weight_values",
        mistakes=[
            Mistake(marks_of(weight, *by_row[:2]), BY_ROW),
            Mistake(
                marks_of(weight, *ruler(weight.min(), weight.max(), True)[:2]), "the outputs share one ruler: dim=1."
            ),
        ],
    )
    same(layer.weight_scale, scale, what="layer.weight_scale")


def twin(weight, bias, batch, later):
    """What a quantised layer holds and says before and after the layer that it was made from changes."""
    layer, observer = tt.Linear(*weight.shape), tt.MinMaxObserver()
    layer.load_state_dict({"weight": weight, "bias": bias})
    observer.observe(tt.tensor(batch))
    small = tt.QuantizedLinear.from_linear(layer, observer)
    before = small(tt.tensor(batch)).data.copy()
    layer.bias.data[...] = later
    layer.weight.data[...] = 9
    observer.observe(tt.tensor(batch * 7))
    names = [sorted(name for name, _ in small.named_parameters()), sorted(small.state_dict())]
    return names, small.bias.data, before, small(tt.tensor(batch)).data


@exercise("QuantizedLinear.from_linear", points=2)
def test_the_bias_stays_float_and_nothing_is_shared(lab, draw):
    """from_linear copies the bias as it is, and what happens to the Linear later changes nothing"""
    n, k, m = draw.sizes(3)
    bias = draw.uniform(-1, 1, m + 3)
    m = len(bias)
    names, kept, before, after = lab(twin, draw(k, m), bias, draw(n, k), draw(m) + 5)
    same(
        names,
        [[], ["bias", "input_scale", "input_zero_point", "weight_scale", "weight_values"]],
        what="[names of parameters, names in the state dict] of a QuantizedLinear",
    )
    same_array(kept, bias, what="its bias, after the Linear's bias has changed")
    same_array(after, before, what="its output, after Linear and observer have changed")


@exercise("QuantizedLinear.from_linear", points=2)
def test_inputs_have_the_ruler_of_the_observer(tt, draw):
    """from_linear takes the ruler of the inputs from the observer, affine or symmetric, and works without a bias"""
    k, m = draw.sizes(2)
    x, scale, zero_point = inputs(draw, 5, k)
    for symmetric in (False, True):
        due = ruler(x.min(), x.max(), symmetric)[:2] if symmetric else (scale, zero_point)
        observer = watching(tt, x[:2], x[2:], symmetric=symmetric)
        layer = thing(tt.QuantizedLinear.from_linear(layer_of(tt, draw(k, m), None), observer), "from_linear(...)")
        got = [tensor_data(layer.input_scale), tensor_data(layer.input_zero_point)]
        same_array(told(got), told(due), what=f"input_scale and input_zero_point, observer symmetric={symmetric}")
        same(
            (layer.in_features, layer.out_features, layer.bias), (k, m, None), what="(in_features, out_features, bias)"
        )


@exercise("QuantizedLinear.from_linear", points=1)
def test_only_a_linear_has_a_twin(tt, draw):
    """from_linear refuses what is no Linear, with TypeError and its kind"""
    weight, scale, zero_point = on_a_ruler(draw, *draw.sizes(2), symmetric=True, axes=0)
    linear, make = layer_of(tt, weight, None), tt.QuantizedLinear.from_linear
    raises(TypeError, lambda: make(tt.LayerNorm(weight.shape[1]), watching(tt, weight)), mentions=["LayerNorm"])
    raises(TypeError, lambda: make(weight, watching(tt, weight)), mentions=["ndarray"])
    right = marks_of(weight, scale, zero_point)
    same(thing(make(linear, watching(tt, weight)), "layer").weight_values, right, dtype=np.int8, what="weight_values")


def computed(x, weight, bias, grid):
    """What an 8-bit layer is to give, and how near to a tie it came."""
    scale, zero_point = grid
    w_scale, w_zero, _ = ruler(weight.min(0, keepdims=True), weight.max(0, keepdims=True), True)
    q, w = marks_of(x, scale, zero_point), marks_of(weight, w_scale, w_zero)
    total = (q.astype(np.int64) - signed(zero_point)) @ w.astype(np.int64)
    y = total * (np.float64(scale) * w_scale[0]) + (0 if bias is None else bias)
    return y.astype(np.float32), near_a_tie(x / np.float64(scale), weight / w_scale)


def layer_task(draw, *front, beyond=1.0):
    """Weight, bias, calibration batch and input of a layer, of which nothing lies between two marks."""
    k, m = draw.sizes(2)
    while True:
        weight, bias, seen = draw.normal(k, m), draw(m), draw.normal(6, k)
        x = draw.normal(*front, k) * np.float32(beyond)
        scale, zero_point, unrounded = ruler(seen.min(), seen.max())
        right, tie = computed(x, weight, bias, (scale, zero_point))
        if not tie and not near_a_tie(unrounded):
            return weight, bias, seen, x, right


@exercise("QuantizedLinear.forward", points=3)
def test_the_layer_rounds_multiplies_and_scales(tt, draw):
    """QuantizedLinear rounds its input, multiplies whole numbers, and scales the sums; the bias comes last"""
    weight, bias, seen, x, right = layer_task(draw, 4)
    layer = made(tt.QuantizedLinear.from_linear(layer_of(tt, weight, bias), watching(tt, seen)), "layer")
    scale, zero_point, _ = ruler(seen.min(), seen.max())
    w_scale = ruler(weight.min(0), weight.max(0), True)[0]
    total = np.rint((right - bias) / (np.float64(scale) * w_scale))
    uncounted = total + np.float64(zero_point) * marks_of(weight, w_scale, 0).sum(0, dtype=np.int64)
    same(
        layer(tt.tensor(x)),
        right,
        rtol=1e-4,
        what="layer(x)",
        mistakes=[
            Mistake(x @ weight + bias, "nothing was rounded: this is what the float layer gives."),
            Mistake(right - bias, "the bias is missing."),
            Mistake(total * w_scale + bias, "the scale of the input is missing: input_scale * weight_scale."),
            Mistake(total * scale + bias, "the scales of the weights are missing: input_scale * weight_scale."),
            Mistake((total + bias) * scale * w_scale, "the bias was scaled. It is float, and comes last."),
            Mistake(uncounted * (scale * w_scale) + bias, "the zero point of the input still counts."),
        ],
    )


@exercise("QuantizedLinear.forward", points=2)
def test_inputs_beyond_calibration_saturate(tt, draw):
    """QuantizedLinear keeps the ruler of calibration, so that larger inputs saturate"""
    weight, bias, seen, x, right = layer_task(draw, 4, beyond=8.0)
    layer = made(tt.QuantizedLinear.from_linear(layer_of(tt, weight, bias), watching(tt, seen)), "layer")
    anew = computed(x, weight, bias, ruler(x.min(), x.max())[:2])[0]
    mistakes = [Mistake(anew, DYNAMIC)]
    same(layer(tt.tensor(x)), right, rtol=1e-4, what="layer(x), x eight times as large", mistakes=mistakes)


@exercise("QuantizedLinear.forward", points=2)
def test_the_layer_takes_batches_of_any_shape(tt, draw):
    """QuantizedLinear works on the last dimension, with and without a bias, and refuses another width"""
    weight, bias, seen, x, right = layer_task(draw, 2, 3)
    observer = watching(tt, seen)
    layer = made(tt.QuantizedLinear.from_linear(layer_of(tt, weight, bias), observer), "layer")
    bare = made(tt.QuantizedLinear.from_linear(layer_of(tt, weight, None), observer), "bare")
    given = named(tt.tensor(x), "x")
    same(layer(given), right, rtol=1e-4, what=f"layer(x), x {x.shape}")
    same(bare(tt.tensor(x[0, 0])), (right - bias)[0, 0], rtol=1e-4, atol=1e-4, what="layer(x), one row, no bias")
    unchanged(given, x, what="x after layer(x)")
    wide = draw(3, len(weight) + 1)
    raises(ValueError, lambda: layer(tt.tensor(wide)), mentions=[len(weight) + 1, len(weight)])


# ---- replace_layers -----------------------------------------------------------------------------------------


def exchanged(sizes):
    """Where layers were found, and the scales of those that stand where they stood: 0 for all others."""

    class Stand(tt.Module):
        def __init__(self, path, layer):
            super().__init__()
            self.path, self.size = path, layer.in_features

        def forward(self, x):
            return x + self.size

    a, b, c, d = sizes
    model = tt.Sequential(
        tt.Linear(a, b), tt.ReLU(), tt.Sequential(tt.Sequential(tt.Linear(b, c)), tt.LayerNorm(c)), tt.Linear(c, d)
    )
    back = tt.quantization.replace_layers(model, tt.Linear, Stand)
    found = [[path, getattr(layer, "size", 0)] for path, layer in model.named_modules()]
    told = [layer.path for layer in model.modules() if hasattr(layer, "size")]
    return found, told, back is model, [type(layer).__name__ for layer in model.modules()].count("Linear")


@exercise("replace_layers", points=3)
def test_layers_are_replaced_at_any_depth(lab, draw):
    """replace_layers exchanges all layers of a kind, at any depth, where they stood, and tells make their paths"""
    a, b, c, d = (int(n) for n in draw.integers(2, 9, 4))
    found, paths, same_model, left = lab(exchanged, [a, b, c, d])
    places = [["", 0], ["0", a], ["2", 0], ["2.0", 0], ["2.0.0", b], ["2.1", 0], ["3", c]]
    shallow = [place if place[0] in "03" else [place[0], 0] for place in places]
    same(
        found,
        places,
        what="paths of a model, and in_features of the Linear that stood there",
        mistakes=[Mistake(shallow, "only the outermost layers were exchanged. Models hold models.")],
    )
    same(
        [paths, same_model, left], [["0", "2.0.0", "3"], True, 0], what="paths given to make, same model, Linears left"
    )


def shared(size, more):
    """A layer in two places, a subclass, and a model that is a Linear itself: what make was called with."""

    class Own(tt.Linear):
        pass

    calls = []

    def make(path, layer):
        calls.append([path, layer.in_features])
        return tt.Identity()

    layer = tt.Linear(size, size)
    model = tt.Sequential(layer, tt.Sequential(layer), Own(more, size))
    tt.quantization.replace_layers(model, tt.Linear, make)
    kinds = [type(model[0]).__name__, type(model[1][0]).__name__, type(model[2]).__name__]
    alone = tt.quantization.replace_layers(tt.Linear(more, size), tt.Linear, make)
    return calls, kinds, model[0] is model[1][0], type(alone).__name__


@exercise("replace_layers", points=2)
def test_shared_layers_stay_shared(lab, draw):
    """replace_layers makes one layer for a layer in two places, passes over subclasses, and takes a lone layer"""
    size, more = (int(n) for n in draw.integers(2, 90, 2))
    calls, kinds, one, alone = lab(shared, size, more)
    same(
        calls,
        [["0", size], ["", more]],
        what="[path, in_features] of every call of make",
        mistakes=[
            Mistake([["0", size], ["1.0", size], ["", more]], "the shared layer was made twice. One for both places."),
        ],
    )
    same([kinds, one, alone], [["Identity", "Identity", "Own"], True, "Identity"], what="what stands there afterwards")


# ---- quantize_model -----------------------------------------------------------------------------------------


def answers(w1, b1, w2, b2, batches, x, how):
    """What the quantised copy of a two-layer network gives, calibrated in one way or another."""
    model = tt.Sequential(tt.Linear(*w1.shape), tt.ReLU(), tt.Dropout(0.5), tt.Linear(*w2.shape))
    model.load_state_dict({"0.weight": w1, "0.bias": b1, "3.weight": w2, "3.bias": b2})
    tensors = [tt.tensor(batch) for batch in batches]
    calibration = {
        "a list of batches": tensors,
        "pairs of inputs and labels": [(batch, tt.zeros(len(batch))) for batch in tensors],
        "a generator": (batch for batch in tensors),
        "one batch": tt.cat(tensors),
    }[how]
    small = tt.quantize_model(model, calibration)
    return small(tt.tensor(x)).data, [type(layer).__name__ for layer in small]


def network_task(draw):
    """Numbers of a two-layer network, batches, an input and the right answer, with nothing between two marks."""
    n, a, c = draw.sizes(3)
    b = 8
    while True:
        w1, b1, w2, b2, x = draw.normal(a, b), draw(b), draw.normal(b, c), draw(c), draw.normal(n, a)
        batches = [draw.normal(3, a), draw.normal(5, a) * np.float32(3), draw.normal(4, a)]
        seen = np.concatenate(batches)
        hidden = np.maximum(seen @ w1 + b1, 0)
        first, second = ruler(seen.min(), seen.max()), ruler(hidden.min(), hidden.max())
        middle, near = computed(x, w1, b1, first[:2])
        right, nearer = computed(np.maximum(middle, 0), w2, b2, second[:2])
        alive = hidden.max() > 1 and middle.max() > 0.3 * hidden.max()
        if alive and not (near or nearer or near_a_tie(first[2])):
            return (w1, b1, w2, b2, batches, x), right


@exercise("quantize_model", points=3)
def test_every_layer_gets_the_ruler_of_its_own_inputs(lab, draw):
    """quantize_model sends all batches through the model, in eval mode, and gives each layer the ruler of its inputs"""
    task, right = network_task(draw)
    w1, b1, w2, b2, batches, x = task
    got, kinds = lab(answers, *task, "a list of batches")
    last = batches[-1]
    hidden = np.maximum(last @ w1 + b1, 0)
    middle = computed(x, w1, b1, ruler(last.min(), last.max())[:2])[0]
    by_last = computed(np.maximum(middle, 0), w2, b2, ruler(hidden.min(), hidden.max())[:2])[0]
    same_array(
        got,
        right,
        rtol=1e-4,
        atol=1e-4,
        what="quantize_model(model, batches)(x)",
        mistakes=[
            Mistake(np.maximum(x @ w1 + b1, 0) @ w2 + b2, "nothing was quantised: this is what the float model gives."),
            Mistake(by_last, "only the last batch counted. Send all of them through the same observers."),
        ],
    )
    due = ["QuantizedLinear", "ReLU", "Dropout", "QuantizedLinear"]
    same(kinds, due, what="the layers of quantize_model(model, batches)")


@exercise("quantize_model", points=2)
def test_calibration_comes_in_many_forms(lab, draw):
    """quantize_model calibrates with one batch, with pairs as a DataLoader gives them, and with a generator"""
    task, right = network_task(draw)
    for how in ("one batch", "pairs of inputs and labels", "a generator"):
        got, _ = lab(answers, *task, how)
        same_array(
            got, right, rtol=1e-4, atol=1e-4, what=f"quantize_model(model, calibration)(x), calibration is {how}"
        )


def untouched(w1, w2, batch, training):
    """The numbers, modes and kinds of a model and of its quantised copy, after the copy was made."""
    model = tt.Sequential(tt.Linear(*w1.shape, bias=False), tt.Dropout(0.5), tt.Linear(*w2.shape, bias=False))
    model.load_state_dict({"0.weight": w1, "2.weight": w2})
    model.train(training)
    first, second = model[0].weight, model[2].weight
    first.grad = tt.tensor(w1 * 2)
    small = tt.quantize_model(model, tt.tensor(batch))
    modes = [[layer.training for layer in each.modules()] for each in (model, small)]
    kinds = [[type(layer).__name__ for layer in each] for each in (model, small)]
    kept = [first.data, second.data, None if first.grad is None else first.grad.data]
    return kept, modes, kinds, model[0].weight is first and first.requires_grad


@exercise("quantize_model", points=3)
def test_the_model_itself_is_left_alone(lab, draw):
    """quantize_model leaves the model as it was, its numbers, gradients and mode, and gives a copy in eval mode"""
    a, b, c = draw.sizes(3)
    w1, w2 = draw(a, b), draw(b, c)
    training = bool(draw.integers(0, 2))
    kept, modes, kinds, own = lab(untouched, w1, w2, draw(4, a), training)
    for got, due, what in zip(
        kept, (w1, w2, 2 * w1), ("model[0].weight", "model[2].weight", "model[0].weight.grad"), strict=True
    ):
        same_array(got, due, what=f"{what} after quantize_model(model, batch)")
    float_kinds, small_kinds = ["Linear", "Dropout", "Linear"], ["QuantizedLinear", "Dropout", "QuantizedLinear"]
    same(
        kinds,
        [float_kinds, small_kinds],
        what="the layers of the model and of its copy",
        mistakes=[Mistake([small_kinds, small_kinds], "the model itself was changed. Work on copy.deepcopy(model).")],
    )
    same(modes, [[training] * 4, [False] * 4], what=f"training of model (it was {training}) and copy")
    same([own, kinds[0]], [True, float_kinds], what="whether the model still holds its own Parameter")


def refusal(case, numbers, seed):
    """The error of a call that cannot be served: its kind and text, or what came back."""
    size = numbers.shape[1]

    class Lost(tt.Module):
        def __init__(self):
            super().__init__()
            self.used, self.forgotten = tt.Linear(size, 2), tt.Linear(size, 2)

        def forward(self, x):
            return self.used(x)

    model = tt.Sequential(tt.ReLU(), tt.Linear(size, 2))
    model, calibration = {
        "no linear": (tt.Sequential(tt.ReLU(), tt.LayerNorm(size)), tt.tensor(numbers)),
        "no layer": (tt.Sequential(), tt.tensor(numbers)),
        "no batch": (model, []),
        "not finite": (model, [tt.tensor(np.abs(numbers)), tt.tensor(np.where(numbers == numbers.max(), np.inf, 0))]),
        "unreached": (Lost(), tt.tensor(numbers)),
        "fine": (model, tt.tensor(numbers)),
    }[case]
    try:
        return ["", tt.quantize_model(model, calibration)[1].input_scale.item()]
    except NotImplementedError:
        raise
    except (ValueError, TypeError, RuntimeError, IndexError, AttributeError) as error:
        return [type(error).__name__, str(error)]


@exercise("quantize_model", points=3)
def test_what_cannot_be_quantised_is_refused(lab, draw):
    """no Linear, no batch, NaN or infinity and a layer that no batch reached raise ValueError, with the layer's path"""
    size = int(draw.integers(3, 9))
    x = draw.distinct(4, size) + np.float32(90)
    for case, said in (
        ("no linear", "Linear"),
        ("no layer", "Linear"),
        ("no batch", "batch"),
        ("not finite", "'1'"),
        ("unreached", "'forgotten'"),
    ):
        kind, message = lab(refusal, case, x, 0)
        found = said if said.strip("'") in str(message) else message
        same([kind, found], ["ValueError", said], what=f"kind of error and what its sentence names, {case}")
    same(lab(refusal, "fine", x, 0), ["", float(x.max() / 255)], what="input_scale of a model that can be quantised")


def weighed(a, b):
    """Bytes of all that a float model and its quantised copy hold and save, and what model_bytes says of them."""
    plain = tt.Sequential(tt.Linear(a, b), tt.ReLU(), tt.Linear(b, a, bias=False))
    small = tt.quantize_model(plain, tt.rand(3, a))
    held = [sum(t.data.nbytes for _, t in model.named_tensors(buffers=True)) for model in (plain, small)]
    return [*held, tt.model_bytes(plain), tt.model_bytes(small)]


@exercise("quantize_model", points=3)
def test_bytes_of_a_quantised_model(lab, draw):
    """quantize_model leaves 1 byte for each weight, 4 for each scale and bias, and 5 for the ruler of each input"""
    a, b = (int(n) for n in draw.integers(20, 60, 2))
    plain, small = 4 * (2 * a * b + b), 2 * a * b + 4 * (b + b + a) + 2 * 5
    beside = small + 4 * 2 * a * b
    same(
        lab(weighed, a, b),
        [plain, small, plain, small],
        what=f"bytes of Linear({a}, {b}) and Linear({b}, {a}), float and 8 bits, counted and by model_bytes",
        mistakes=[
            Mistake([plain, beside, plain, beside], "the float weights are still there. Replace them, do not add."),
            Mistake([plain, plain, plain, plain], "nothing shrank: the layers are still those of float32."),
        ],
        smaller="model_bytes(Linear(100, 10)) is 4040, and 1085 in 8 bits",
    )


# ---- left_alone ---------------------------------------------------------------------------------------------


def remaining(order, n):
    """Which layers of a model in some order stay float, before and after it is quantised."""

    class Own(tt.Linear):
        pass

    class Shift(tt.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("by", tt.ones(n))

        def forward(self, x):
            return x + self.by

    layers = [
        tt.LayerNorm(n),
        tt.Linear(n, n),
        tt.ReLU(),
        tt.Sequential(tt.LayerNorm(n), tt.Linear(n, n)),
        Own(n, n),
        Shift(),
    ]
    model = tt.Sequential([layers[i] for i in order])
    return tt.left_alone(model), tt.left_alone(tt.quantize_model(model, tt.rand(4, n)))


@exercise("left_alone", points=3)
def test_layers_that_stay_float_are_named(lab, draw):
    """left_alone gives the path and kind of each layer that has float numbers of its own and is no QuantizedLinear"""
    order = draw.permutation(6)
    before, after = lab(remaining, order.tolist(), int(draw.integers(2, 6)))
    own = [{"": "LayerNorm"}, {"": "Linear"}, {}, {".0": "LayerNorm", ".1": "Linear"}, {"": "Own"}, {"": "Shift"}]
    everything = {f"{i}{path}": kind for i, k in enumerate(order) for path, kind in own[k].items()}
    left = {path: kind for path, kind in everything.items() if kind != "Linear"}
    parameters = {path: kind for path, kind in left.items() if kind != "Shift"}
    forgotten = "buffers of floats count, too: " + ", ".join(sorted({*left} - {*parameters}))
    same(
        sorted(after.items()) if type(after) is dict else after,
        sorted(left.items()),
        what="left_alone(quantize_model(model, batch)), sorted",
        mistakes=[Mistake(sorted(parameters.items()), forgotten)],
    )
    same(after, left, what="left_alone(quantize_model(model, batch)), in the order of the model")
    same(before, everything, what="left_alone(model), before it is quantised")
