"""Checkpoint 18: acceleration.

Expected values are worked out in float64 with NumPy, gradients by central differences. Whether a fused operation is
faster, a probe measures: it times both forms in turn, and asks again several times before it says no. Whether threads
work at once is not a matter of time: they wait for each other.
"""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, raises, same, same_array

EXACT = np.float64
C, CUBE = 0.7978845608028654, 0.044715  # C is sqrt(2 / π)

BEYOND = "the last piece goes on beyond the end. It ends at size."
DROPPED = "what is left over at the end is dropped. The last piece is shorter than the others, but it counts."
LAST_TILE = "each block holds the product of the last tile alone. The products add up: += in place of =."
LAST_NUMBER = "each number is the last product of its row and column. The products add up: += in place of =."
BY_ELEMENT = "the matrices are multiplied element by element. A product of matrices sums over the inner size."
ONE_TERM = (
    "a slope of two terms has lost one: x stands before the bracket and inside of tanh, so the product rule has two."
)
NO_INNER = "the slope of what stands inside of tanh is missing: c · (1 + 3 · 0.044715 · x²)."
NO_GRAD = "the gradient that came in is not looked at. Multiply the slope by it: the chain rule."
SQUARED = "x² stands where the formula has x³."
NOT_HALVED = "the factor 0.5 in front is missing."
WHOLE = "the shares of the whole tensor add up to 1. One row, one distribution: keep to the last dimension."
NO_SCALE = "the scale is not looked at."
INVERTED = "the mask is used the wrong way round: True takes part."
NO_MASK = "the mask is not looked at."
AFTER = "the shares are masked after softmax, so that a row no longer adds up to 1. Mask the scores."
OWN_SHARE = "y · (1 - y) is how a share depends on its own score alone. The others share too: y · (g - Σ g·y)."
NO_COMMON = "the row's common part is missing: y · (g - Σ g·y)."
SLOPE_SCALE = "the scale multiplied the scores, and so it multiplies their gradients too."
TOTAL = "the losses are added up. The loss is their mean."
NEGATIVE = "the loss is upside down: the logarithm of the sum, minus the score of the right class."
NOT_THE_MEAN = "each row counts as a whole. The loss is a mean over N rows, so each counts 1 / N."
NO_TARGET = "softmax alone: 1 is to be taken away at the right class."
ESTIMATED = "the variance is divided by D - 1. Nothing is estimated here: divide by D."
OUTSIDE = "eps is added to the root. It stands under it: sqrt(variance + eps)."
UNSHIFTED = "the shift is missing."
UNSCALED = "the scale is missing."
THREE = "None came back for an input. Three inputs, three gradients."
NO_AVERAGES = "mean and variance count as fixed. They depend on x as well, and two averages take that away."
COMPLETION = "the results stand in the order in which the work ended. Return them in the order of the items."
EQUAL_PARTS = "parts of unequal size count equally. Each counts by its share of the batch, N_k / N."
ADDED_UP = "the parts are added up, and not averaged. Each counts by its share of the batch, N_k / N."
REPLACED = "the gradients replace those that the model had. They add to them, as backward does it."


# ---- What is right ------------------------------------------------------------------------------------------


def gelu(x):
    """The approximation by tanh."""
    return 0.5 * x * (1 + np.tanh(C * (x + CUBE * x**3)))


def softmax(scores, mask=True, scale=1.0):
    """Shares of each row; zeros in a row of which no score takes part."""
    scores = np.where(mask, scores.astype(EXACT) * scale, -np.inf)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0))
    return e / np.where(e.sum(-1, keepdims=True) == 0, 1, e.sum(-1, keepdims=True))


def losses(x, ids):
    """The loss of each row."""
    x = x.astype(EXACT)
    top = x.max(1, keepdims=True)
    return np.log(np.exp(x - top).sum(1)) + top[:, 0] - x[np.arange(len(ids)), ids]


def one_hot(ids, classes):
    """1 at the right class."""
    return np.eye(classes)[ids]


def normal(x, eps, correction=0):
    """Rows of mean 0 and variance 1."""
    x = x.astype(EXACT)
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, ddof=correction, keepdims=True) + eps)


def slopes(function, arrays, grad):
    """The gradient of sum(function(*arrays) * grad) for each array, by central differences."""
    arrays, found = [a.astype(EXACT) for a in arrays], []
    for a in arrays:
        slope = np.zeros_like(a)
        for place in np.ndindex(a.shape):
            here, ends = a[place], []
            for step in (1e-5, -1e-5):
                a[place] = here + step
                ends.append((function(*arrays) * grad).sum())
            a[place] = here
            slope[place] = (ends[0] - ends[1]) / 2e-5
        found.append(slope)
    return found


def some_mask(draw, *shape):
    """Booleans at random, in which every row has a True and a False."""
    rows = np.arange(shape[-1]) < draw.integers(1, shape[-1], *shape[:-1], 1)
    return np.asarray(draw.rng.permuted(rows, axis=-1), np.bool_)


# ---- Probes that several checks share -----------------------------------------------------------------------


def gradients(name, arrays, grad, rest, options, times):
    """What an operation hands back to its inputs in one, or more, walks through the same graph."""
    inputs = [tt.Tensor(a, requires_grad=True, dtype=a.dtype) for a in arrays]
    rest = [tt.tensor(r) for r in rest]
    y = getattr(tt, name)(*inputs, *rest, **options)
    for _ in range(times):
        tt.autograd.backward(y, tt.Tensor(grad, dtype=y.data.dtype), retain_graph=True)
    return [None if x.grad is None else np.array(x.grad.data) for x in inputs]


def beside(name, arrays, rest, other, grad):
    """The gradient of a tensor that was added to the operation's result."""
    inputs = [tt.Tensor(a, requires_grad=True) for a in arrays]
    v = tt.Tensor(other, requires_grad=True)
    y = getattr(tt, name)(*inputs, *[tt.tensor(r) for r in rest])
    (y + v).backward(tt.tensor(grad))
    return np.array(v.grad.data)


def operations(name, arrays, rest, times):
    """How many operations stand in the graph of the sum of so many calls, and the sum."""
    inputs = [tt.Tensor(a, requires_grad=True) for a in arrays]
    rest = [tt.tensor(r) for r in rest]
    total = getattr(tt, name)(*inputs, *rest)
    for _ in range(times - 1):
        total = total + getattr(tt, name)(*inputs, *rest)
    seen, waiting = {}, [total]
    while waiting:
        x = waiting.pop()
        if x.grad_fn is not None and id(x) not in seen:
            seen[id(x)] = x
            waiting.extend(x.grad_fn.inputs)
    return len(seen), np.array(total.data)


def raced(name, arrays, rest, rounds, margin):
    """The least seconds of the composed form and of the fused one, forwards and backwards, and the fused result."""
    import time

    def gelu(x):
        return 0.5 * x * (1 + (0.7978845608 * (x + 0.044715 * x * x * x)).tanh())

    def softmax(x):
        powers = (x - x.amax(dim=-1, keepdim=True).detach()).exp()
        return powers / powers.sum(dim=-1, keepdim=True)

    def cross_entropy(x, ids):
        x = x - x.amax(dim=1, keepdim=True).detach()
        return (x.exp().sum(dim=1).log() - x[np.arange(len(ids)), ids]).mean()

    def layer_norm(x, weight, bias):
        distance = x - x.mean(dim=-1, keepdim=True)
        variance = (distance * distance).mean(dim=-1, keepdim=True)
        return distance / (variance + 1e-5).sqrt() * weight + bias

    composed = {"gelu": gelu, "softmax": softmax, "cross_entropy": cross_entropy, "layer_norm": layer_norm}[name]
    forms = [composed, getattr(tt, "fused_" + name)]
    inputs = [tt.Tensor(a, requires_grad=True) for a in arrays]
    rest = [tt.tensor(r) for r in rest]
    data = np.array(forms[1](*inputs, *rest).data)
    grad = tt.tensor(np.ones(data.shape, np.float32))
    best = [math.inf, math.inf]
    for n in range(rounds):
        for _ in range(8):
            for which in (0, 1):
                for x in inputs:
                    x.grad = None
                start = time.perf_counter()
                forms[which](*inputs, *rest).backward(grad)
                best[which] = min(best[which], time.perf_counter() - start)
        if n and best[1] * margin < best[0]:
            break
    return best, data


def cheaper(lab, draw, name, arrays, right, timed, rest=()):
    """How many operations several calls are, and whether they take less time than their steps; what is due; mistakes.

    The numbers come first: what is fast and wrong is nothing.
    """
    times = int(draw.integers(3, 7))
    count, total = lab(operations, f"fused_{name}", list(arrays), list(rest), times)
    what = f"the sum of {times} calls of fused_{name}"
    same_array(total, times * np.asarray(right), dtype=np.float32, what=what, rtol=1e-4, atol=1e-4)
    (steps, fused), data = timed
    same_array(data, right, dtype=np.float32, what=f"fused_{name}, before it is timed", rtol=1e-4, atol=1e-4)
    verdict = "faster" if fused * 1.15 < steps else f"{fused / steps:.2f} times as long"
    due = [2 * times - 1, "faster"]
    found, slow = [count, verdict], "it takes longer than its steps one by one: work in place, in few passes."
    many = "the formula is still made of several operations: compute with NumPy, and `record` once."
    mistakes = [Mistake([count, verdict], slow if count == due[0] else many)]
    what = f"operations of {times} calls of fused_{name} and {times - 1} sums, and the time against single operations"
    return found, due, what, mistakes if found != due else []


def handed_back(lab, name, function, arrays, grad, names, rest=(), **options):
    """For each input of an operation: the gradient that it got, the right one, and what to call it."""
    got = lab(gradients, name, list(arrays), grad, list(rest), options, 1)
    told = f"after {name}({', '.join(names)}).backward(gradient)"
    for each, right, label in zip(got, slopes(function, arrays, grad), names, strict=True):
        yield each, right, f"{label}.grad {told}"


def unspoilt(lab, name, arrays, grad, rest=()):
    """What shows that a rule wrote into what it was given: what was found, what is due, what to call it."""
    once = lab(gradients, name, list(arrays), grad, list(rest), {}, 1)
    twice = lab(gradients, name, list(arrays), grad, list(rest), {}, 2)
    for first, both in zip(once, twice, strict=True):
        yield both, 2 * np.asarray(first), f"{name}: the gradient after two walks through one graph, which add up"
    beside_it = lab(beside, name, list(arrays), list(rest), grad, grad)
    yield beside_it, grad, f"v.grad after ({name}(...) + v).backward(gradient): both are handed the same array"


# ---- tiles --------------------------------------------------------------------------------------------------


def ends_of(pairs):
    """Where the pieces begin and end, for each pair of size and tile."""
    return [[[int(s.start), int(s.stop)] for s in tt.acceleration.tiles(size, tile)] for size, tile in pairs]


def pieces(size, tile):
    """Where the pieces begin and end."""
    return [[n, min(n + tile, size)] for n in range(0, size, tile)]


@exercise("tiles", points=2)
def test_tiles_follow_each_other_to_the_end(tt, draw, lab):
    """tiles follow each other from 0 to size, and the last may be shorter"""
    tile = int(draw.integers(3, 7))
    size = tile * int(draw.integers(2, 5)) + int(draw.integers(1, tile))
    right = pieces(size, tile)
    same(
        lab(ends_of, [(size, tile)])[0],
        right,
        what=f"where tiles({size}, {tile}) begin and end",
        mistakes=[Mistake([*right[:-1], [right[-1][0], right[-1][0] + tile]], BEYOND), Mistake(right[:-1], DROPPED)],
        smaller="tiles(3, 2) is [slice(0, 2), slice(2, 3)]",
    )


@exercise("tiles", points=2)
def test_tiles_that_fit_and_tiles_that_are_too_large(tt, draw, lab):
    """tiles may fit exactly or be larger than the whole, but hold at least one place"""
    tile, count = (int(n) for n in draw.integers(2, 7, 2))
    pairs = [(tile * count, tile), (tile, tile + count), (0, tile), (count, 1)]
    same(lab(ends_of, pairs), [pieces(*pair) for pair in pairs], what=f"where tiles begin and end, for {pairs}")
    for few in (0, 1 - tile):
        raises(ValueError, lambda few=few: tt.acceleration.tiles(count, few), mentions=[few])


# ---- matmul_loops -------------------------------------------------------------------------------------------


@exercise("matmul_loops", points=2)
def test_matmul_loops_sums_rows_times_columns(tt, draw):
    """matmul_loops multiplies the rows of one matrix with the columns of another"""
    n, k, m = draw.sizes(3)
    a, b = draw(n, k), draw(k, m)
    square, other = draw(3, 3), draw(3, 3)
    same_array(
        tt.matmul_loops(square, other),
        square @ other,
        mistakes=[
            Mistake(square * other, BY_ELEMENT),
            Mistake(square[:, -1:] * other[-1:], LAST_NUMBER),
            Mistake(square @ other.T, "the second matrix is read by rows: out[i, j] is the sum of a[i, p] · b[p, j]."),
        ],
        smaller="matmul_loops of [[1, 2]] and [[3], [4]] is [[11]]",
    )
    same_array(tt.matmul_loops(a, b), a @ b)


@exercise("matmul_loops", points=2)
def test_matmul_loops_keeps_the_dtype_and_refuses_what_does_not_fit(tt, draw):
    """matmul_loops gives the dtype of the product, and ValueError with both shapes where they do not fit"""
    n, k, m = draw.sizes(3)
    a, b = draw.integers(-9, 9, n, k), draw.integers(-9, 9, k, m)
    same_array(tt.matmul_loops(a, b), a @ b)
    x = draw(n, k)
    same_array(tt.matmul_loops(x.astype(EXACT), b), x.astype(EXACT) @ b, dtype=EXACT)
    raises(ValueError, lambda: tt.matmul_loops(x, draw(m, k)), mentions=[(n, k), (m, k)])


# ---- matmul_tiled -------------------------------------------------------------------------------------------


def without_rest(a, b, tile):
    """The product when the tiles that are not whole are left out."""
    n, k, m = (size // tile * tile for size in (*a.shape, b.shape[1]))
    out = np.zeros((len(a), b.shape[1]), a.dtype)
    out[:n, :m] = a[:n, :k] @ b[:k, :m]
    return out


@exercise("matmul_tiled", points=3)
def test_matmul_tiled_adds_up_the_products_of_tiles(tt, draw):
    """matmul_tiled gives the product of matrices whose sizes are no multiples of the tile"""
    tile = int(draw.integers(3, 5))
    n, k, m = (
        tile * int(whole) + rest for whole, rest in zip(draw.permutation(3) + 1, draw.integers(1, tile, 3), strict=True)
    )
    a, b = draw(n, k), draw(k, m)
    last = k // tile * tile
    same_array(
        tt.matmul_tiled(a, b, tile),
        a @ b,
        mistakes=[
            Mistake(a[:, last:] @ b[last:], LAST_TILE),
            Mistake(without_rest(a, b, tile), DROPPED),
        ],
        what=f"matmul_tiled of {a.shape} and {b.shape}, tile={tile}",
    )


@exercise("matmul_tiled", points=2)
def test_matmul_tiled_takes_any_tile(tt, draw):
    """matmul_tiled gives the same numbers with any tile of at least one place, and keeps the dtype"""
    n, k, m = draw.sizes(3)
    a, b = draw.integers(-9, 9, n, k), draw.integers(-9, 9, k, m)
    for tile in (1, k, 2 * (n + k + m)):
        same_array(tt.matmul_tiled(a, b, tile), a @ b, what=f"matmul_tiled of {a.shape} and {b.shape}, tile={tile}")
    x, y = draw(n, k), draw(m, k)
    same_array(tt.matmul_tiled(x, y.T), x @ y.T, what="matmul_tiled(x, y.T), with the tile that it has by itself")
    same_array(tt.matmul_tiled(x.astype(EXACT), y.T, tile=2), x.astype(EXACT) @ y.T, dtype=EXACT)
    raises(ValueError, lambda: tt.matmul_tiled(a, draw(m, k), 2), mentions=[(n, k), (m, k)])
    raises(ValueError, lambda: tt.matmul_tiled(a, b, -n), mentions=[-n])


def largest_operand(a, b, tile):
    """The largest array that took part in a product, as seen by arrays that look; and the product."""
    sizes = [0]

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            plain = [np.asarray(x) for x in inputs]
            if ufunc in (np.matmul, np.multiply):
                sizes.append(max(x.size for x in plain))
            kwargs = {k: tuple(np.asarray(o) for o in v) if k == "out" else v for k, v in kwargs.items()}
            return getattr(ufunc, method)(*plain, **kwargs)

        def __array_function__(self, function, types, args, kwargs):
            if function in (np.dot, np.einsum, np.tensordot, np.inner):
                sizes.append(max(np.asarray(x).size for x in args if isinstance(x, np.ndarray)))
            return super().__array_function__(function, types, args, kwargs)

    product = tt.matmul_tiled(a.view(Watched), b.view(Watched), tile)
    return max(sizes), np.array(product)


@exercise("matmul_tiled", points=1)
def test_matmul_tiled_works_on_one_tile_at_a_time(tt, draw, lab):
    """matmul_tiled never multiplies more than one tile with another"""
    tile = int(draw.integers(2, 5))
    a, b = draw(3 * tile + 1, 2 * tile + 1), draw(2 * tile + 1, 3 * tile)
    largest, product = lab(largest_operand, a, b, tile)
    same_array(product, a @ b, what=f"matmul_tiled of {a.shape} and {b.shape}, tile={tile}")
    same(
        max(largest, tile * tile),
        tile * tile,
        what=f"numbers in the largest array that is multiplied, of {a.shape} and {b.shape} with tile={tile}",
        mistakes=[Mistake(largest, "more than a tile is multiplied at a time. Cut rows, columns and inner size.")],
    )


def seconds_of_both(a, b, tile):
    """The least seconds of three loops, and of the tiles, and what they give."""
    import time

    best, products = [], []

    def loops(a, b):
        out = np.zeros((len(a), b.shape[1]), np.float32)
        for i in range(len(a)):
            for j in range(b.shape[1]):
                for p in range(len(b)):
                    out[i, j] += a[i, p] * b[p, j]
        return out

    for function in (loops, lambda a, b: tt.matmul_tiled(a, b, tile)):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            product = function(a, b)
            times.append(time.perf_counter() - start)
        best.append(min(times))
        products.append(np.array(product))
    return best, products[1]


@exercise("matmul_tiled", points=1)
def test_matmul_tiled_is_faster_than_loops(tt, draw, lab):
    """matmul_tiled takes less time than three loops over numbers"""
    a, b = draw(20, 20), draw(20, 20)
    (loops, tiled), product = lab(seconds_of_both, a, b, 10)
    same_array(product, a @ b, what="matmul_tiled, before it is timed")
    verdict = "faster" if tiled * 2 < loops else f"{tiled / loops:.2f} times as long"
    same(verdict, "faster", what="matmul_tiled of (20, 20) and (20, 20), tile=10, compared with three loops")


# ---- fused_gelu ---------------------------------------------------------------------------------------------


@exercise("fused_gelu", points=2)
def test_fused_gelu_gives_the_numbers_of_gelu(tt, draw):
    """fused_gelu gives the numbers of gelu"""
    a = draw(2, 5)
    x = a.astype(EXACT)
    same(
        tt.fused_gelu(tt.tensor(a)),
        gelu(x),
        mistakes=[
            Mistake(2 * gelu(x), NOT_HALVED),
            Mistake(0.5 * x * (1 + np.tanh(C * (x + CUBE * x**2))), SQUARED),
            Mistake(0.5 * (1 + np.tanh(C * (x + CUBE * x**3))), "x itself is missing: 0.5 · x · (1 + t)."),
            Mistake(0.5 * x * (1 + np.tanh(x + CUBE * x**3)), "c = sqrt(2 / π) is missing inside of tanh."),
        ],
        smaller="fused_gelu(tensor([1.])) is [0.8412]",
    )


@exercise("fused_gelu", points=1)
def test_fused_gelu_takes_any_shape_and_dtype(tt, draw):
    """fused_gelu takes single numbers, integers and float64, and leaves its input alone"""
    a, whole = draw(3, 2, 4), draw.integers(-4, 5, 5)
    x = tt.tensor(a)
    same(tt.fused_gelu(x), gelu(a.astype(EXACT)))
    same(tt.fused_gelu(x.transpose(0, 2)), gelu(a.astype(EXACT)).transpose(2, 1, 0))
    same(tt.fused_gelu(tt.tensor(a[0, 0, 0])), np.asarray(gelu(EXACT(a[0, 0, 0]))))
    same(tt.fused_gelu(tt.tensor(whole)), gelu(whole.astype(EXACT)), dtype=np.float32)
    same(tt.fused_gelu(tt.Tensor(a, dtype=EXACT)), gelu(a.astype(EXACT)), dtype=EXACT)
    same(x, a, what="x after fused_gelu(x)", mistakes=[Mistake(gelu(a), "the result is written over x.")])


@exercise("fused_gelu", points=3)
def test_fused_gelu_is_one_operation_and_faster(tt, draw, lab):
    """fused_gelu is one operation of the graph, and faster than its steps one by one"""
    a = draw.normal(64, 128)
    timed = lab(raced, "gelu", [a], [], 25, 1.15)
    found, due, what, mistakes = cheaper(lab, draw, "gelu", [a], gelu(a.astype(EXACT)), timed)
    same(found, due, what=what, mistakes=mistakes)


@exercise("fused_gelu_backward", points=3)
def test_fused_gelu_hands_back_the_slope_of_gelu(tt, draw, lab):
    """fused_gelu hands back the slope of gelu, times the gradient"""
    a, g = draw(2, 4), draw(2, 4)
    x, t = a.astype(EXACT), np.tanh(C * (a + CUBE * a.astype(EXACT) ** 3))
    inner = C * (1 + 3 * CUBE * x**2)
    ((got, right, what),) = handed_back(lab, "fused_gelu", gelu, [a], g, ["x"])
    same_array(
        got,
        right,
        dtype=np.float32,
        atol=1e-5,
        what=what,
        mistakes=[
            Mistake(g * 0.5 * (1 + t), ONE_TERM),
            Mistake(g * 0.5 * x * (1 - t * t) * inner, ONE_TERM),
            Mistake(g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t)), NO_INNER),
            Mistake(g * (0.5 * (1 + t) + 0.5 * x * (1 - t) * inner), "dt/du is 1 - t², and not 1 - t."),
            Mistake(right / g, NO_GRAD),
        ],
        smaller="at x = 0 the slope is 0.5",
    )
    for found, due, told in unspoilt(lab, "fused_gelu", [a], g):
        same_array(found, due, what=told, rtol=1e-4, atol=1e-5)


# ---- fused_softmax ------------------------------------------------------------------------------------------


@exercise("fused_softmax", points=2)
def test_fused_softmax_scales_and_shares(tt, draw):
    """fused_softmax turns each row of scaled scores into shares"""
    a, scale = draw(2, 3, 4), 0.125 + float(draw.positive(1)[0]) / 4
    e = np.exp(a.astype(EXACT) * scale)
    columns = e / e.sum(-2, keepdims=True)
    same(
        tt.fused_softmax(tt.tensor(a), scale=scale),
        softmax(a, scale=scale),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(e / e.sum(), WHOLE),
            Mistake(columns, WHOLE),
            Mistake(softmax(a), NO_SCALE),
            Mistake(softmax(a, scale=1 / scale), "the scores are divided by the scale. Multiply them."),
        ],
    )
    x, whole = tt.tensor(a), draw.integers(-4, 5, 2, 3)
    same(tt.fused_softmax(x), softmax(a))
    same(x, a, what="x after fused_softmax(x)")
    same(tt.fused_softmax(tt.tensor(whole), scale=0.5), softmax(whole, scale=0.5), dtype=np.float32)
    same(tt.fused_softmax(tt.Tensor(a, dtype=EXACT), scale=0.5), softmax(a, scale=0.5), dtype=EXACT)


@exercise("fused_softmax", points=2)
def test_fused_softmax_masks_the_scores(tt, draw):
    """fused_softmax gives 0 where the mask is False, and the rest of the row adds up to 1"""
    a, mask = draw(2, 3, 4), some_mask(draw, 3, 4)
    given = tt.tensor(mask)
    same(
        tt.fused_softmax(tt.tensor(a), given, 0.5),
        softmax(a, mask, 0.5),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(softmax(a, ~mask, 0.5), INVERTED),
            Mistake(softmax(a, scale=0.5), NO_MASK),
            Mistake(softmax(a, scale=0.5) * mask, AFTER),
        ],
    )
    same(given, mask, what="the mask after fused_softmax(x, mask)")
    keys = some_mask(draw, 2, 1, 4)
    same(tt.fused_softmax(tt.tensor(a), tt.tensor(keys)), softmax(a, keys))


@exercise("fused_softmax", points=1)
def test_fused_softmax_gives_zeros_where_nothing_takes_part(tt, draw):
    """fused_softmax gives zeros where no score takes part, leaves empty rows empty, and warns of nothing"""
    a, mask = draw(3, 4), some_mask(draw, 3, 4)
    mask[int(draw.integers(0, 3))] = False
    right = softmax(a, mask)
    with calm(tt):
        same(
            tt.fused_softmax(tt.tensor(a), tt.tensor(mask)),
            right,
            mistakes=[
                Mistake(np.where(mask.any(-1, keepdims=True), right, np.nan), "0 / 0 is nan: such a row has no sum."),
                Mistake(
                    np.where(mask.any(-1, keepdims=True), right, 0.25), "no score takes part, so none has a share."
                ),
            ],
        )
        same(tt.fused_softmax(tt.tensor(a[:, :0])), a[:, :0])


@exercise("fused_softmax", points=1)
def test_fused_softmax_holds_at_large_scores(tt, draw):
    """fused_softmax gives shares of scores as large as float32 holds, without a warning"""
    a, far = draw(2, 4), np.float32(1e4) * draw.positive(2, 1)
    with calm(tt):
        same(tt.fused_softmax(tt.tensor(a - far)), softmax(a - far), rtol=1e-4)
        same(tt.fused_softmax(tt.tensor(a * 1e4)), softmax(a * np.float32(1e4)))


@exercise("fused_softmax", points=3)
def test_fused_softmax_is_one_operation_and_faster(tt, draw, lab):
    """fused_softmax is one operation of the graph, and faster than its steps one by one"""
    a = draw.normal(64, 128)
    timed = lab(raced, "softmax", [a], [], 25, 1.15)
    found, due, what, mistakes = cheaper(lab, draw, "softmax", [a], softmax(a), timed)
    same(found, due, what=what, mistakes=mistakes)


@exercise("fused_softmax_backward", points=3)
def test_fused_softmax_hands_back_what_the_others_share(tt, draw, lab):
    """fused_softmax hands back gradients that add up to 0 in each row"""
    a, g, scale = draw(2, 4), draw(2, 4), float(draw.positive(1)[0]) / 2 + 1.25
    y = softmax(a, scale=scale)
    ((got, right, what),) = handed_back(
        lab, "fused_softmax", lambda x: softmax(x, scale=scale), [a], g, ["x"], scale=scale
    )
    same_array(
        got,
        right,
        dtype=np.float32,
        atol=1e-5,
        what=what + f", scale={scale}",
        show=("row sum", lambda slope: slope.sum(-1)),
        mistakes=[
            Mistake(scale * y * (1 - y) * g, OWN_SHARE),
            Mistake(scale * y * (1 - y), OWN_SHARE),
            Mistake(scale * y * g, NO_COMMON),
            Mistake(right / scale, SLOPE_SCALE),
            Mistake(scale * (y * g - y * (y * g).sum()), WHOLE),
        ],
        smaller="for shares 0.5, 0.5, gradient 8, 4 and scale 2: [2, -2]",
    )
    for found, due, told in unspoilt(lab, "fused_softmax", [a], g):
        same_array(found, due, what=told, rtol=1e-4, atol=1e-5)


@exercise("fused_softmax_backward", points=1)
def test_fused_softmax_hands_nothing_to_what_took_no_part(tt, draw, lab):
    """fused_softmax hands 0 to scores that took no part, and to rows without any"""
    a, g, mask = draw(2, 3, 4), draw(2, 3, 4), some_mask(draw, 2, 3, 4)
    mask[:, int(draw.integers(0, 3))] = False
    right = slopes(lambda x: softmax(x, mask), [a], g)[0]
    got = lab(gradients, "fused_softmax", [a], g, [mask], {}, 1)[0]
    same_array(got, right, dtype=np.float32, atol=1e-5, what="x.grad after fused_softmax(x, mask).backward(gradient)")


# ---- fused_cross_entropy ------------------------------------------------------------------------------------


@exercise("fused_cross_entropy", points=2)
def test_fused_cross_entropy_is_the_mean_surprise(tt, draw):
    """fused_cross_entropy is the mean surprise at the right classes"""
    n, classes = draw.sizes(2)
    a, ids = draw(n, classes), draw.integers(0, classes, n)
    each = losses(a, ids)
    top = a.max(1)
    x = tt.tensor(a)
    same(
        tt.fused_cross_entropy(x, tt.tensor(ids)),
        each.mean(),
        mistakes=[
            Mistake(each.sum(), TOTAL),
            Mistake(-each.mean(), NEGATIVE),
            Mistake((each - top).mean(), "the largest score was taken from one side only. It goes from both."),
            Mistake((each + top).mean(), "the largest score was taken from one side only. It goes from both."),
        ],
        smaller="two equal scores cost log 2",
    )
    same(x, a, what="logits after fused_cross_entropy(logits, target)")


@exercise("fused_cross_entropy", points=3)
def test_fused_cross_entropy_finds_its_gradient_on_the_way(tt, draw, lab):
    """fused_cross_entropy hands back softmax minus target, divided by N"""
    a, ids = draw(3, 4), draw.integers(0, 4, 3)
    g = draw(1)[0].reshape(())
    slope = softmax(a) - one_hot(ids, 4)
    right = g * slope / 3
    same_array(
        lab(gradients, "fused_cross_entropy", [a], g, [ids], {}, 1)[0],
        right,
        dtype=np.float32,
        what=f"logits.grad after fused_cross_entropy(logits, target).backward(tensor({g}))",
        show=("row sum", lambda slope: slope.sum(-1)),
        mistakes=[
            Mistake(3 * right, NOT_THE_MEAN),
            Mistake(g * softmax(a) / 3, NO_TARGET),
            Mistake(right * 3 / 4, "the mean is over N rows, not over C classes."),
            Mistake(-right, "the gradient has the wrong sign: softmax minus target."),
        ],
    )
    for found, due, told in unspoilt(lab, "fused_cross_entropy", [a], g, [ids]):
        same_array(found, due, what=told, rtol=1e-4, atol=1e-5)


@exercise("fused_cross_entropy", points=1)
def test_fused_cross_entropy_holds_at_large_scores(tt, draw):
    """fused_cross_entropy gives the cost of scores as large as float32 holds, without a warning"""
    a, ids = draw.distinct(4, 3) * np.float32(1e4), draw.integers(0, 3, 4)
    with calm(tt):
        same(tt.fused_cross_entropy(tt.tensor(a), tt.tensor(ids)), losses(a, ids).mean())
        low = draw(4, 3) - np.float32(1000)
        same(tt.fused_cross_entropy(tt.tensor(low), tt.tensor(ids)), losses(low, ids).mean(), rtol=1e-4)


@exercise("fused_cross_entropy", points=3)
def test_fused_cross_entropy_is_one_operation_and_faster(tt, draw, lab):
    """fused_cross_entropy is one operation of the graph, and faster than its steps one by one"""
    a, ids = draw.normal(64, 128), draw.integers(0, 128, 64)
    timed = lab(raced, "cross_entropy", [a], [ids], 25, 1.15)
    found, due, what, mistakes = cheaper(lab, draw, "cross_entropy", [a], losses(a, ids).mean(), timed, [ids])
    same(found, due, what=what, mistakes=mistakes)


@exercise("fused_cross_entropy", points=1)
def test_fused_cross_entropy_refuses_what_does_not_fit(tt, draw):
    """fused_cross_entropy refuses targets that are no class, or none for each row"""
    n, classes = draw.sizes(2)
    a, ids = draw(n, classes), draw.integers(0, classes, n)
    x = tt.tensor(a)
    wrong = ids.copy()
    wrong[int(draw.integers(0, n))] = classes + n
    raises(IndexError, lambda: tt.fused_cross_entropy(x, tt.tensor(wrong)), mentions=[classes + n])
    raises(ValueError, lambda: tt.fused_cross_entropy(x, tt.tensor(ids[1:])), mentions=[(n, classes), (n - 1,)])
    same(tt.fused_cross_entropy(x, tt.tensor(ids)), losses(a, ids).mean())


# ---- fused_layer_norm ---------------------------------------------------------------------------------------


@exercise("fused_layer_norm", points=2)
def test_fused_layer_norm_normalises_each_row(tt, draw):
    """fused_layer_norm gives each row mean 0 and variance 1, then scale and shift"""
    a, w, b = draw.distinct(2, 3, 4), draw(4), draw(4)
    eps = float(draw.positive(1)[0])
    n = normal(a, eps)
    spread = np.sqrt(a.astype(EXACT).var(-1, keepdims=True))
    x = tt.tensor(a)
    same(
        tt.fused_layer_norm(x, tt.tensor(w), tt.tensor(b), eps),
        n * w + b,
        atol=1e-5,
        mistakes=[
            Mistake(normal(a, eps, correction=1) * w + b, ESTIMATED),
            Mistake((a - a.mean(-1, keepdims=True)) / (spread + eps) * w + b, OUTSIDE),
            Mistake(normal(a, 0) * w + b, "eps is not looked at."),
            Mistake(normal(a, 1e-5) * w + b, "eps is not looked at."),
            Mistake(n * w, UNSHIFTED),
            Mistake(n + b, UNSCALED),
            Mistake(
                (a - a.mean()) / np.sqrt(a.var() + eps) * w + b, "the mean is that of the whole tensor, not a row's."
            ),
        ],
    )
    same(x, a, what="x after fused_layer_norm(x, weight, bias)")


@exercise("fused_layer_norm", points=1)
def test_fused_layer_norm_takes_float64_and_constant_rows(tt, draw):
    """fused_layer_norm keeps float64, and a row of equal numbers gives the shift"""
    a, w, b = draw.distinct(3, 5).astype(EXACT), draw(5).astype(EXACT), draw(5).astype(EXACT)
    a[1] = a[1, 0]
    x, weight, bias = (tt.Tensor(each, dtype=EXACT) for each in (a, w, b))
    with calm(tt):
        same(tt.fused_layer_norm(x, weight, bias), normal(a, 1e-5) * w + b, dtype=EXACT)
        same(tt.fused_layer_norm(x[0], weight, bias), normal(a[0], 1e-5) * w + b, dtype=EXACT)


@exercise("fused_layer_norm", points=3)
def test_fused_layer_norm_is_one_operation_and_faster(tt, draw, lab):
    """fused_layer_norm is one operation of the graph, and faster than its steps one by one"""
    a, w, b = draw.normal(64, 128), draw(128), draw(128)
    timed = lab(raced, "layer_norm", [a, w, b], [], 25, 1.15)
    found, due, what, mistakes = cheaper(lab, draw, "layer_norm", [a, w, b], normal(a, 1e-5) * w + b, timed)
    same(found, due, what=what, mistakes=mistakes)


@exercise("fused_layer_norm", points=1)
def test_fused_layer_norm_refuses_what_does_not_fit(tt, draw):
    """fused_layer_norm raises ValueError where scale and shift are not one number per feature"""
    n, features, other = draw.sizes(3)
    a, w, b = draw.distinct(n, features), draw(features), draw(features)
    x, weight, bias = tt.tensor(a), tt.tensor(w), tt.tensor(b)
    for size in (other, 1):  # one number would stretch to all features
        wrong = tt.tensor(draw(size))
        raises(ValueError, lambda wrong=wrong: tt.fused_layer_norm(x, wrong, bias), mentions=[(n, features), (size,)])
        raises(ValueError, lambda wrong=wrong: tt.fused_layer_norm(x, weight, wrong), mentions=[(n, features), (size,)])
    same(tt.fused_layer_norm(x, weight, bias), normal(a, 1e-5) * w + b, rtol=1e-4, atol=1e-5)


@exercise("fused_layer_norm_backward", points=3)
def test_fused_layer_norm_hands_back_three_gradients(tt, draw, lab):
    """fused_layer_norm hands back gradients to its input, its scale and its shift"""
    a, w, b, g = draw.distinct(2, 3, 4), draw(4), draw(4), draw(2, 3, 4)
    n, r = normal(a, 1e-5), 1 / np.sqrt(a.astype(EXACT).var(-1, keepdims=True) + 1e-5)
    gw = g * w

    def forward(x, w, b):
        return normal(x, 1e-5) * w + b

    rows = (0, 1)
    usual = {
        "x": [
            Mistake(r * gw, NO_AVERAGES),
            Mistake(r * (gw - gw.mean(-1, keepdims=True)), NO_AVERAGES),
            Mistake(r * (gw - n * (gw * n).mean(-1, keepdims=True)), NO_AVERAGES),
            Mistake(
                r * (g - g.mean(-1, keepdims=True) - n * (g * n).mean(-1, keepdims=True)),
                "the scale is missing: g is grad · weight.",
            ),
        ],
        "weight": [Mistake(g.sum(rows), "that is the shift's gradient: the scale met n, so its own is Σ grad · n.")],
        "bias": [Mistake(g.mean(rows), "the shift was added to every row: sum over the rows, no mean.")],
    }
    names = ["x", "weight", "bias"]
    given = {"x": a, "weight": w, "bias": b}
    for got, right, what in handed_back(lab, "fused_layer_norm", forward, list(given.values()), g, names):
        name = what.partition(".")[0]
        if got is None:
            same("None", str(given[name].shape), what=what, mistakes=[Mistake("None", THREE)])
        same_array(got, right, dtype=np.float32, rtol=1e-4, atol=1e-4, what=what, mistakes=usual[name])
    for found, due, told in unspoilt(lab, "fused_layer_norm", [a, w, b], g):
        same_array(found, due, what=told, rtol=1e-4, atol=1e-4)


# ---- parallel_map -------------------------------------------------------------------------------------------


def backwards(values, seconds):
    """The results of items that end in reverse: each waits until the next one is done."""
    import threading

    done = [threading.Event() for _ in values] + [threading.Event()]
    done[-1].set()
    ended = []

    def work(item):
        n, value = item
        done[n + 1].wait(seconds)
        ended.append(value)
        done[n].set()
        return value * value

    return tt.parallel_map(work, ((n, v) for n, v in enumerate(values)), workers=len(values)), ended


@exercise("parallel_map", points=2)
def test_parallel_map_keeps_the_order(tt, draw, lab):
    """parallel_map returns results in the order of the items, whichever ends first"""
    values = [float(v) for v in draw.distinct(4)]
    got, ended = lab(backwards, values, 0.2)
    same(
        got,
        [v * v for v in values],
        what=f"parallel_map(square, {values}), of which the last ends first",
        mistakes=[Mistake([v * v for v in ended], COMPLETION), Mistake([v * v for v in values[::-1]], COMPLETION)],
    )


def meeting(values, workers, options, seconds):
    """The most items that were worked on at a time, where each waits until as many as there are workers have come."""
    import threading
    import time

    meet, lock = threading.Barrier(workers), threading.Lock()
    now, most = [0], [0]

    def work(value):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        try:
            meet.wait(seconds)
        except threading.BrokenBarrierError:
            value = None
        time.sleep(0.005)
        with lock:
            now[0] -= 1
        return value

    return tt.parallel_map(work, values, **options), most[0]


@exercise("parallel_map", points=2)
def test_parallel_map_works_on_several_items_at_once(tt, draw, lab):
    """parallel_map works on as many items at once as it has workers, two if nobody says, and not on more"""
    some = int(draw.integers(3, 5))
    for workers, options in ((some, {"workers": some}), (2, {})):
        values = [float(v) for v in draw.distinct(3 * workers)]
        got, most = lab(meeting, values, workers, options, 4.0)
        asked = f"workers={workers}" if options else "no workers given"
        what = f"of {len(values)} items with {asked}, each of which waits for {workers - 1} others"
        alone = Mistake([None] * len(values), "the items never met: one is done after the other.")
        same(got, values, what=f"the results {what}", mistakes=[alone])
        too_many = Mistake(most, "more items are worked on than there are workers.")
        same(most, workers, what=f"the most items at a time {what}", mistakes=[too_many])


def failing(values, bad, word):
    """A map in which some places fail, the last first; its results, or where its error comes from."""
    import threading

    failed = threading.Event()

    def work(item):
        n, value = item
        if n == bad[-1]:
            failed.set()
            raise ValueError(word)
        if n in bad:
            failed.wait(0.2)
            raise KeyError(word)
        return value + 1

    return tt.parallel_map(work, enumerate(values), workers=len(values))


def cause_of(value, word):
    """The error that an error of the map comes from."""

    def work(value):
        raise ZeroDivisionError(word)

    try:
        return tt.parallel_map(work, [value], workers=2)
    except NotImplementedError:
        raise
    except RuntimeError as error:
        return [type(error.__cause__).__name__, str(error.__cause__)]


@exercise("parallel_map", points=2)
def test_parallel_map_says_which_item_failed(tt, draw, lab):
    """parallel_map raises RuntimeError that names the first item that failed, and the error"""
    values, word = [float(v) for v in draw.distinct(4)], f"word {int(draw.integers(100, 999))}"
    raises(RuntimeError, lambda: lab(failing, values, [1, 3], word), mentions=["item 1", values[1], "KeyError", word])
    raises(RuntimeError, lambda: lab(failing, values, [2], word), mentions=["item 2", values[2], "ValueError", word])
    same(lab(failing, values, [9], word), [v + 1 for v in values], what="a map in which nothing fails")
    same(lab(cause_of, values[0], word), ["ZeroDivisionError", word], what="the error that the map's error comes from")


def begun(values, fails, seconds):
    """For each flag, what came of a map by one worker and whether all items began.

    Where the first item fails, it does so when all have begun or these seconds are over, and the others take a while.
    """
    import threading
    import time

    found = []
    for failing in fails:
        seen, everyone = [], threading.Event()

        def work(value, failing=failing, seen=seen, everyone=everyone):
            seen.append(value)
            if len(seen) == len(values):
                everyone.set()
            if failing and value == values[0]:
                everyone.wait(seconds)
                raise ValueError(value)
            time.sleep(0.02 if failing else 0)
            return value * value

        try:
            came = float(sum(tt.parallel_map(work, values, workers=1)))
        except RuntimeError as error:
            came = type(error).__name__
        found.append([came, len(seen) == len(values)])
    return found


@exercise("parallel_map", points=1)
def test_parallel_map_begins_nothing_after_an_error(tt, draw, lab):
    """parallel_map begins no more items once one has failed"""
    values = [float(v) for v in draw.distinct(40)]
    squares = float(sum(v * v for v in values))
    fails = [bool(n < 2) for n in draw.permutation(4)]
    due = [["RuntimeError", False] if failing else [squares, True] for failing in fails]
    on = [["RuntimeError", True] if failing else [squares, True] for failing in fails]
    same(
        lab(begun, values, fails, 0.2),
        due,
        what=f"[sum of 40 squares, whether all 40 items began] where the first item fails, or not: {fails}",
        mistakes=[Mistake(on, "the items that wait are worked on all the same: cancel them before you raise.")],
    )


@exercise("parallel_map", points=1)
def test_parallel_map_refuses_what_is_no_number_of_workers(tt, draw, lab):
    """parallel_map refuses workers that are less than 1, or no whole number"""
    few, part = -int(draw.integers(0, 9)), float(draw.positive(1)[0]) + 0.0625
    values = [float(v) for v in draw.distinct(3)]
    raises(ValueError, lambda: lab(mapped, values, few), mentions=[few])
    raises(TypeError, lambda: lab(mapped, values, part), mentions=[part])
    same(lab(mapped, values, 7), [v - 1 for v in values], what="a map of 3 items with 7 workers")
    same(lab(mapped, [], 2), [], what="a map of no items")


def mapped(values, workers):
    """A map of plain numbers."""
    return tt.parallel_map(lambda v: v - 1, values, workers=workers)


def recorded(array, kinds):
    """For each kind of caller, whether what its workers compute is recorded; and how the caller's switch stands."""
    seen = []
    x = tt.Tensor(array, requires_grad=True)

    def work(factor):
        y = x * factor
        return bool(y.requires_grad), np.array(y.data)

    for kind in kinds:
        with tt.no_grad() if kind == "no_grad" else tt.enable_grad():
            flags = tt.parallel_map(work, [2.0, 3.0, 4.0], workers=2)
            seen.append([flag for flag, _ in flags])
    return seen, np.array([data for _, data in flags])


@exercise("parallel_map", points=2)
def test_parallel_map_records_as_its_caller_does(tt, draw, lab):
    """parallel_map's workers record operations where the caller does, and under no_grad nothing"""
    a = draw(3)
    kinds = [("no_grad", "grad")[int(n)] for n in draw.permutation(2)]
    kinds += [draw.choice(("no_grad", "grad")) for _ in range(2)]
    seen, data = lab(recorded, a, kinds)
    same_array(data, np.array([2, 3, 4], np.float32)[:, None] * a, what="products of three workers")
    same(
        seen,
        [[kind == "grad"] * 3 for kind in kinds],
        what=f"whether the workers record, called under {', '.join(kinds)}",
        mistakes=[Mistake([[True] * 3] * len(kinds), "a new thread records. Set its switch as the caller's stands.")],
    )


# ---- follow -------------------------------------------------------------------------------------------------


def followed(first, second, third, modes):
    """What a replica reads after its model was changed, before and after the next change, and its own buffers."""

    def make():
        norm = tt.Module()
        norm.register_buffer("average", tt.tensor([0.0, 0.0, 0.0]))
        return tt.Sequential(tt.Linear(2, 3), norm, tt.Sequential(tt.Dropout(0.5), tt.Linear(3, 2)))

    model, replica = make(), make()
    model[0].weight.data = first.copy()
    model[1].average.data[...] = second
    replica[0].weight.grad = tt.tensor(first)
    model[2][1].bias.requires_grad = modes[0]
    for part, mode in zip(model.modules(), modes, strict=True):
        part.training = mode
    tt.acceleration.follow(replica, model)
    before = np.array(replica[0].weight.data), np.array(replica[1].average.data)
    model[0].weight.data[...] = third  # in place, as an optimiser does it
    model[1].average.data[...] = 0
    after = np.array(replica[0].weight.data), np.array(replica[1].average.data)
    state = [replica[0].weight.grad is None, bool(replica[2][1].bias.requires_grad)]
    return before, after, [bool(part.training) for part in replica.modules()], state


def follow(draw, lab):
    """What a replica of a drawn model is after `follow`."""
    first, second, third = draw(2, 3), draw(3), draw(2, 3)
    modes = [bool(n) for n in draw.permutation(6) % 2]
    return (first, second, third, modes), lab(followed, first, second, third, modes)


@exercise("follow", points=2)
def test_follow_shares_the_parameters(tt, draw, lab):
    """follow lets a replica read the model's own parameters, also after they have changed"""
    (first, _, third, _), (before, after, _, _) = follow(draw, lab)
    same_array(before[0], first, what="the replica's weight after follow")
    same_array(
        after[0],
        third,
        what="the replica's weight after the model's was changed in place",
        mistakes=[Mistake(first, "the replica has a copy. Give it the array itself: own.data = model's data.")],
    )


@exercise("follow", points=2)
def test_follow_copies_the_buffers(tt, draw, lab):
    """follow fills a replica's buffers with the model's numbers, in memory of their own"""
    (_, second, _, _), (before, after, _, _) = follow(draw, lab)
    zeros = Mistake(np.zeros(3), "the buffers are as they were made. They take the model's numbers.")
    same_array(before[1], second, what="the replica's buffer after follow", mistakes=[zeros])
    same_array(
        after[1],
        second,
        what="the replica's buffer after the model's was changed in place",
        mistakes=[Mistake(np.zeros(3), "the model's array is shared, and threads write into it. Copy it.")],
    )


@exercise("follow", points=1)
def test_follow_takes_over_what_is_training_and_learnt(tt, draw, lab):
    """follow takes over each part's training, what is frozen, and leaves no gradient"""
    (_, _, _, modes), (_, _, training, state) = follow(draw, lab)
    same(training, modes, what="training of the replica's six parts, each as in the model")
    same(state, [True, modes[0]], what="whether the gradient is gone, and whether the bias requires one as the model's")


# ---- DataParallel.backward ----------------------------------------------------------------------------------


def learnt(weight, x, t, workers, before):
    """The loss that a linear model reports, and its gradient, after a batch in parts; and the inputs' gradient."""
    model = tt.Linear(weight.shape[0], weight.shape[1], bias=False)
    model.weight.data = weight.copy()
    if before is not None:
        model.weight.grad = tt.tensor(before)
    inputs = tt.Tensor(x, requires_grad=True)
    loss = tt.DataParallel(model, workers).backward(tt.MSELoss(), inputs, tt.tensor(t))
    return float(loss), np.array(model.weight.grad.data), inputs.grad is None


def whole(w, x, t):
    """The loss and the gradient of a batch in one piece."""
    w, x, t = (a.astype(EXACT) for a in (w, x, t))
    gap = x @ w - t
    return float((gap**2).mean()), 2 * x.T @ gap / gap.size


def in_parts(w, x, t, workers):
    """Losses and gradients of the parts."""
    size = -(-len(x) // workers)
    return [whole(w, x[n : n + size], t[n : n + size]) for n in range(0, len(x), size)]


@exercise("DataParallel.backward", points=4)
def test_data_parallel_equals_the_single_run(tt, draw, lab):
    """DataParallel.backward gives the gradients of the single run, also for parts of unequal size"""
    workers = int(draw.integers(2, 4))
    count = workers * int(draw.integers(2, 4)) - 1
    w, x, t = draw(3, 2), draw(count, 3), draw(count, 2)
    loss, grad, alone = lab(learnt, w, x, t, workers, None)
    parts = in_parts(w, x, t, workers)
    right, slope = whole(w, x, t)
    slopes_, values = [s for _, s in parts], [v for v, _ in parts]
    what = f"{count} samples for {workers} workers"
    same_array(
        grad,
        slope,
        dtype=np.float32,
        rtol=1e-4,
        atol=1e-4,
        what=f"weight.grad, {what}",
        mistakes=[
            Mistake(np.mean(slopes_, 0), EQUAL_PARTS),
            Mistake(np.sum(slopes_, 0), ADDED_UP),
            Mistake(slopes_[0], "only the first part counts. Gather the gradients of all replicas."),
        ],
    )
    mistakes = [Mistake(np.mean(values), EQUAL_PARTS), Mistake(np.sum(values), ADDED_UP)]
    same(loss, right, rtol=1e-4, what=f"the loss, {what}", mistakes=mistakes)
    same([alone, loss > 0], [True, right > 0], what="whether the inputs got no gradient, and the loss is positive")


@exercise("DataParallel.backward", points=2)
def test_data_parallel_adds_to_the_gradients(tt, draw, lab):
    """DataParallel.backward adds to the gradients that the model has, also with fewer samples than workers"""
    w, x, t, before = draw(3, 2), draw(5, 3), draw(5, 2), draw(3, 2)
    for count, workers in ((5, 2), (1, 3), (2, 3)):
        loss, grad, _ = lab(learnt, w, x[:count], t[:count], workers, before)
        right, slope = whole(w, x[:count], t[:count])
        what = f"{count} samples for {workers} workers"
        mistakes = [Mistake(slope, REPLACED)]
        grads = f"weight.grad, which was not None before, {what}"
        same_array(grad, before + slope, dtype=np.float32, rtol=1e-4, atol=1e-4, what=grads, mistakes=mistakes)
        same(loss, right, rtol=1e-4, what=f"the loss, {what}")


def met_in_the_loss(weight, x, t, seconds):
    """The gradient, with a loss in which two threads wait for each other; whether they met."""
    import threading

    meet, met = threading.Barrier(2), []
    model = tt.Linear(3, 2, bias=False)
    model.weight.data = weight.copy()

    def loss_fn(y, target):
        try:
            meet.wait(seconds)
            met.append(len(y))
        except threading.BrokenBarrierError:
            met.append(-len(y))
        return tt.MSELoss()(y, target)

    tt.DataParallel(model, 2).backward(loss_fn, tt.tensor(x), tt.tensor(t))
    return sorted(met), np.array(model.weight.grad.data)


@exercise("DataParallel.backward", points=2)
def test_data_parallel_works_on_its_parts_at_once(tt, draw, lab):
    """DataParallel.backward works on its parts at the same time"""
    count = 2 * int(draw.integers(2, 5)) + 1
    w, x, t = draw(3, 2), draw(count, 3), draw(count, 2)
    met, grad = lab(met_in_the_loss, w, x, t, 4.0)
    sizes = [count // 2, count - count // 2]
    same_array(grad, whole(w, x, t)[1], dtype=np.float32, rtol=1e-4, atol=1e-4, what="weight.grad")
    same(
        met,
        sizes,
        what=f"sizes of the parts whose losses met, of {count} samples for 2 workers",
        mistakes=[Mistake(sorted(-n for n in sizes), "one part is done after the other: parallel_map them.")],
    )


def failing_part(weight, x, t, before, word):
    """Whether an error says what the second part's said, the gradient afterwards, and the loss of a run without one."""
    model = tt.Linear(3, 2, bias=False)
    model.weight.data = weight.copy()
    model.weight.grad = tt.tensor(before)
    words, told = [word], False

    def loss_fn(y, target):
        if words and len(y) == 2:
            raise ValueError(words[0])
        return tt.MSELoss()(y, target)

    parallel = tt.DataParallel(model, 2)
    try:
        parallel.backward(loss_fn, tt.tensor(x), tt.tensor(t))
    except NotImplementedError:
        raise
    except RuntimeError as error:
        told = word in str(error)
    after = np.array(model.weight.grad.data)
    words.clear()
    return told, after, float(parallel.backward(loss_fn, tt.tensor(x), tt.tensor(t)))


@exercise("DataParallel.backward", points=2)
def test_data_parallel_leaves_the_model_alone_after_an_error(tt, draw, lab):
    """DataParallel.backward leaves the gradients as they were where a part fails, and refuses what does not fit"""
    w, x, t, before = draw(3, 2), draw(5, 3), draw(5, 2), draw(3, 2)
    told, grad, loss = lab(failing_part, w, x, t, before, f"word {int(draw.integers(100, 999))}")
    same_array(grad, before, what="weight.grad after the second part has failed")
    same([told, len(before) == 3], [True, True], what="whether the error says what the part's error said")
    same(loss, whole(w, x, t)[0], rtol=1e-4, what="the loss of the same batch when nothing fails")
    n, m = draw.sizes(2)
    few = draw(n, 3)
    raises(ValueError, lambda: lab(learnt, w, few, draw(m, 2), 2, None), mentions=[(n, 3), (m, 2)])


def trained(seed, x, t, steps, workers):
    """The numbers of a small network after some steps, in one piece or in parts."""
    tt.manual_seed(seed)
    net = tt.Sequential(tt.Linear(4, 8), tt.Tanh(), tt.Linear(8, 3))
    optimizer = tt.SGD(net.parameters(), lr=0.05, momentum=0.9)
    parallel, loss_fn = tt.DataParallel(net, workers), tt.CrossEntropyLoss()
    for _ in range(steps):
        net.zero_grad()
        if workers > 1:
            parallel.backward(loss_fn, tt.tensor(x), tt.tensor(t))
        else:
            loss_fn(net(tt.tensor(x)), tt.tensor(t)).backward()
        optimizer.step()
    return np.concatenate([np.array(p.data).reshape(-1) for p in net.parameters()])


@exercise("DataParallel.backward", points=2)
def test_data_parallel_trains_as_the_single_run(tt, draw, lab):
    """DataParallel.backward trains a network to the same numbers as the single run"""
    x, t = draw(7, 4), draw.integers(0, 3, 7)
    alone, apart = (lab(trained, draw.seed % 1000, x, t, 4, workers) for workers in (1, 3))
    moved = lab(trained, draw.seed % 1000, x, t, 0, 1)
    same_array(
        apart,
        alone,
        rtol=1e-3,
        atol=1e-4,
        what="the parameters after four steps, 7 samples for 3 workers",
        mistakes=[Mistake(moved, "nothing was learnt: the gradients do not reach the model.")],
    )
