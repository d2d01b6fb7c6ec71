"""Checkpoint 02: activations."""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, tensor_data, unchanged

A_LEAF = "the result does not know where it came from. End with record(...), or use Tensor operations throughout."


def scores(draw, *shape):
    """Random scores with at least one of each sign, so that a bend shows, and not all of them ±1."""
    a = draw(*shape)
    a.flat[:2] = draw.permutation(2) * 3 - 1.5
    return a


def flags_in_and_out(function, tt, draw):
    """Which inputs require a gradient, in random order, and which results do."""
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    results = [function(tt.tensor(draw(3), requires_grad=flag)) for flag in flags]
    for result in results:
        tensor_data(result)  # anything else than a Tensor has no flag to ask for
    return flags, [result.requires_grad for result in results]


def far_off(draw, sign):
    """Random scores (4, 3) with one column far above or below the others, and wide in itself."""
    a = draw(4, 3)
    a[:, draw.integers(0, 3)] += sign * np.float32(draw.choice([200, 1000, 5000]))
    a[draw.integers(0, 4)] -= 100
    return a


def softmax_of(a, axis):
    """Probabilities in float64, each slice shifted by its own maximum."""
    e = np.exp(a.astype(np.float64) - a.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax_of(a, axis):
    """Logarithms of probabilities in float64."""
    z = a.astype(np.float64) - a.max(axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


# ---- relu -----------------------------------------------------------------------------------------------


@exercise("relu", points=2)
def test_relu_keeps_what_is_positive(tt, draw):
    """relu keeps what is positive and puts 0 in place of the rest"""
    a = scores(draw, 2, 3)
    same(
        tt.relu(tt.tensor(a)), np.maximum(a, 0),
        mistakes=[
            Mistake(np.abs(a), "negative scores came out positive, as |x| does. They become 0."),
            Mistake(np.minimum(a, 0), "the negative scores were kept. It is the larger of x and 0."),
            Mistake(a > 0, "this is the mask x > 0. It says where to keep the score; it is not the score."),
            Mistake(a[a > 0], "an index by a mask drops the other elements. They stay, as 0."),
            Mistake(np.minimum(np.maximum(a, 0), 1), "scores above 1 were cut off. Only the negative side bends."),
        ],
        smaller="relu(tensor([-1., 2.])) is tensor([0., 2.])",
    )  # fmt: skip


@exercise("relu", points=1)
def test_relu_leaves_its_input_alone(tt, draw):
    """relu returns a new tensor and leaves its input alone"""
    a = scores(draw, 2, 3)
    x = named(tt.tensor(a), "x")
    same(tt.relu(x), np.maximum(a, 0), smaller="the negative numbers of x are still there after relu(x)")
    unchanged(x, a)


@exercise("relu", points=1)
def test_relu_keeps_the_dtype(tt, draw):
    """relu keeps the dtype of its input: integers, float32 and float64"""
    whole = draw.integers(-9, 10, 2, 4)
    wide = draw(3).astype(np.float64)
    same(tt.relu(tt.tensor(whole)), np.maximum(whole, 0), smaller="relu(tensor([-1, 2])) is tensor([0, 2]), int64")
    same(tt.relu(tt.tensor(wide, dtype=np.float64)), np.maximum(wide, 0), dtype=np.float64)


@exercise("relu", points=1)
def test_relu_has_an_answer_at_infinity(tt, draw):
    """relu of -inf is 0 and relu of inf is inf, without a warning"""
    a = draw(6)
    a[draw.permutation(6)[:2]] = -math.inf, math.inf
    with np.errstate(invalid="ignore"):
        product = a * (a > 0)
    with calm(tt):
        same(
            tt.relu(tt.tensor(a)), np.maximum(a, 0),
            mistakes=[Mistake(product, "x was multiplied by the mask, and inf · 0 is nan. Choose instead.")],
            smaller="relu(tensor([-inf])) is tensor([0.])",
        )  # fmt: skip


@exercise("relu", points=1)
def test_relu_is_recorded_and_has_an_object(tt, draw):
    """relu records itself for a gradient to come, and ReLU is the same as an object"""
    flags, got = flags_in_and_out(tt.relu, tt, draw)
    same(got, flags, what="[relu(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = scores(draw, 3)
    same(tt.ReLU()(tt.tensor(a, requires_grad=True)), np.maximum(a, 0))


# ---- leaky_relu -----------------------------------------------------------------------------------------


@exercise("leaky_relu", points=2)
def test_leaky_relu_scales_the_negative_side(tt, draw):
    """leaky_relu multiplies negative scores by the slope and keeps the others"""
    a = scores(draw, 2, 3)
    slope = float(draw.choice([0.125, 0.25, 0.5]))
    same(
        tt.leaky_relu(tt.tensor(a), slope), np.where(a > 0, a, slope * a),
        mistakes=[
            Mistake(np.where(a > 0, slope * a, a), "the slope went to the positive side."),
            Mistake(np.where(a > 0, a, 0.01 * a), "the slope is always 0.01. Use negative_slope."),
            Mistake(np.where(a > 0, a, slope), "negative scores became the slope itself. Multiply them by it."),
            Mistake(np.where(a > 0, a, -slope * a), "a negative score comes out positive. The slope keeps its sign."),
            Mistake(np.maximum(a, 0), "negative scores became 0, as in relu. Here a part of them passes."),
        ],
        smaller="leaky_relu(tensor([-2., 2.]), 0.25) is tensor([-0.5, 2.])",
    )  # fmt: skip


@exercise("leaky_relu", points=1)
def test_leaky_relu_takes_a_slope_above_one(tt, draw):
    """leaky_relu takes any slope, also one above 1 or below 0"""
    a = scores(draw, 2, 3)
    slope = float(draw.choice([1.25, 1.5, 1.75]))
    for s in (slope, -slope):
        same(
            tt.leaky_relu(tt.tensor(a), s), np.where(a > 0, a, s * a),
            mistakes=[Mistake(np.maximum(a, s * a), "the larger of x and slope · x is right for slopes up to 1.")],
            smaller="leaky_relu(tensor([-1., 1.]), 2) is tensor([-2., 1.])",
        )  # fmt: skip


@exercise("leaky_relu", points=1)
def test_leaky_relu_has_a_default_and_an_object(tt, draw):
    """leaky_relu has slope 0.01 unless told, and LeakyReLU holds its own"""
    a = scores(draw, 3, 2)
    slope = float(draw.choice([0.125, 0.25, 0.5]))
    same(
        tt.leaky_relu(tt.tensor(a)), np.where(a > 0, a, 0.01 * a),
        mistakes=[Mistake(np.where(a > 0, a, 0.1 * a), "the default slope is 0.01, not 0.1.")],
    )  # fmt: skip
    same(tt.LeakyReLU(slope)(tt.tensor(a)), np.where(a > 0, a, slope * a))


@exercise("leaky_relu", points=1)
def test_leaky_relu_leaves_its_input_alone(tt, draw):
    """leaky_relu returns a new tensor and leaves its input alone"""
    a = scores(draw, 2, 3)
    x = named(tt.tensor(a), "x")
    same(tt.leaky_relu(x, 0.5), np.where(a > 0, a, 0.5 * a))
    unchanged(x, a)


@exercise("leaky_relu", points=1)
def test_leaky_relu_is_recorded(tt, draw):
    """leaky_relu records itself for a gradient to come"""
    flags, got = flags_in_and_out(tt.leaky_relu, tt, draw)
    same(got, flags, what="[leaky_relu(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = scores(draw, 3)
    same(tt.leaky_relu(tt.tensor(a, requires_grad=True), 0.5), np.where(a > 0, a, 0.5 * a))


# ---- sigmoid --------------------------------------------------------------------------------------------


@exercise("sigmoid", points=2)
def test_sigmoid_turns_each_score_into_a_probability(tt, draw):
    """sigmoid turns each score into a probability of its own"""
    a = scores(draw, 2, 3)
    e = np.exp(-a.astype(np.float64))
    same(
        tt.sigmoid(tt.tensor(a)), 1 / (1 + e),
        mistakes=[
            Mistake(e / (1 + e), "high and low are swapped: look at the sign of the exponent."),
            Mistake(np.tanh(a), "this is tanh, from -1 to 1. A probability lies between 0 and 1."),
            Mistake(1 / e, "the 1 in 1 + exp(-x) is missing, so nothing holds the result below 1."),
            Mistake(softmax_of(a, None), "this is softmax. Here the scores do not compete."),
        ],
        smaller="sigmoid(tensor([0.])) is tensor([0.5])",
    )  # fmt: skip


@exercise("sigmoid", points=2)
def test_sigmoid_stays_calm_at_large_scores(tt, draw):
    """sigmoid gives 0 or 1 at scores of thousands, without a warning"""
    a = np.concatenate([draw.uniform(-1e4, -200, 4), draw.uniform(200, 1e4, 4), draw(4)])[draw.permutation(12)]
    with np.errstate(over="ignore", invalid="ignore"):
        one_form = np.exp(a) / (1 + np.exp(a))
    with calm(tt):
        same(
            tt.sigmoid(tt.tensor(a)), 0.5 * (1 + np.tanh(a.astype(np.float64) / 2)),
            mistakes=[Mistake(one_form, "exp(x) / (1 + exp(x)) is inf / inf at large scores.")],
            smaller="sigmoid(tensor([-1000., 1000.])) is tensor([0., 1.])",
        )  # fmt: skip


@exercise("sigmoid", points=1)
def test_sigmoid_keeps_small_probabilities(tt, draw):
    """sigmoid keeps small probabilities apart from 0"""
    a = draw.uniform(-60, -20, 5)
    e = np.exp(a.astype(np.float64))
    lost = (
        "a small number was taken from 1, or added to -1, where float32 loses it. Divide exp(x) by 1 + exp(x) instead."
    )
    same(
        tt.sigmoid(tt.tensor(a)), e / (1 + e), rtol=1e-4, atol=0,
        mistakes=[Mistake(np.zeros(5), lost)],
        smaller="sigmoid(tensor([-20.])) is tensor([2.0612e-09])",
    )  # fmt: skip


@exercise("sigmoid", points=1)
def test_sigmoid_of_integers_is_float32(tt, draw):
    """sigmoid turns integers into float32 and keeps float64"""
    whole = draw.integers(-4, 5, 2, 3)
    wide = draw(4).astype(np.float64)
    same(
        tt.sigmoid(tt.tensor(whole)), 1 / (1 + np.exp(-whole)), smaller="sigmoid(tensor([0])) is tensor([0.5]), float32"
    )
    same(tt.sigmoid(tt.tensor(wide, dtype=np.float64)), 1 / (1 + np.exp(-wide)), dtype=np.float64)


@exercise("sigmoid", points=1)
def test_sigmoid_is_recorded_and_has_an_object(tt, draw):
    """sigmoid records itself for a gradient to come, and Sigmoid is the same as an object"""
    flags, got = flags_in_and_out(tt.sigmoid, tt, draw)
    same(got, flags, what="[sigmoid(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = scores(draw, 3)
    x = named(tt.tensor(a, requires_grad=True), "x")
    same(tt.Sigmoid()(x), 1 / (1 + np.exp(-a)))
    unchanged(x, a)


# ---- tanh -----------------------------------------------------------------------------------------------


@exercise("tanh", points=1)
def test_tanh_squashes_scores_around_zero(tt, draw):
    """tanh squashes each score to between -1 and 1, with 0 in the middle"""
    a = scores(draw, 2, 3)
    same(
        tt.tanh(tt.tensor(a)), np.tanh(a),
        mistakes=[
            Mistake(1 / (1 + np.exp(-a)), "this is sigmoid, from 0 to 1. tanh is 2 · sigmoid(2x) - 1."),
            Mistake(np.tanh(a / 2), "this is tanh(x / 2): the 2 inside sigmoid(2x) is missing."),
            Mistake(np.clip(a, -1, 1), "the scores were cut off at -1 and 1. tanh bends towards them."),
        ],
        smaller="tanh(tensor([0.])) is tensor([0.])",
    )  # fmt: skip


@exercise("tanh", points=1)
def test_tanh_stays_calm_at_large_scores(tt, draw):
    """tanh gives -1 or 1 at scores of thousands, without a warning"""
    a = np.concatenate([draw.uniform(-1e4, -100, 3), draw.uniform(100, 1e4, 3), draw(3)])[draw.permutation(9)]
    with np.errstate(over="ignore", invalid="ignore"):
        quotient = (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))
    with calm(tt):
        same(
            tt.tanh(tt.tensor(a)), np.tanh(a),
            mistakes=[Mistake(quotient, "the exponentials overflow from 89 on, and inf / inf is nan.")],
            smaller="tanh(tensor([-1000., 1000.])) is tensor([-1., 1.])",
        )  # fmt: skip


@exercise("tanh", points=1)
def test_tanh_is_recorded_and_has_an_object(tt, draw):
    """tanh records itself for a gradient to come, and Tanh is the same as an object"""
    flags, got = flags_in_and_out(tt.tanh, tt, draw)
    same(got, flags, what="[tanh(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = scores(draw, 3)
    same(tt.Tanh()(tt.tensor(a, requires_grad=True)), np.tanh(a))


# ---- gelu -----------------------------------------------------------------------------------------------


@exercise("gelu", points=2)
def test_gelu_lets_a_score_pass_by_its_size(tt, draw):
    """gelu lets a score pass in proportion to how large it is"""
    a = scores(draw, 2, 4)
    a.flat[2] = draw.choice([-0.5, 0.5, 1.5])  # where the forms below differ from each other
    c = math.sqrt(2 / math.pi)
    exact = np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in a.flat]).reshape(a.shape)
    half = 0.5 * a.astype(np.float64)
    same(
        tt.gelu(tt.tensor(a)), half * (1 + np.tanh(c * (a + 0.044715 * a**3))),
        mistakes=[
            Mistake(half * (1 + np.tanh(c * (a + 0.044715 * a**2))), "x² stands where x³ is due."),
            Mistake(half * (1 + np.tanh(c * a)), "the term 0.044715 · x³ is missing inside tanh."),
            Mistake(half * (1 + np.tanh(2 / math.pi * (a + 0.044715 * a**3))), "c is the square root of 2 / π."),
            Mistake(half * (1 + np.tanh(c * a + 0.044715 * a**3)), "c multiplies the whole bracket, x³ included."),
            Mistake(2 * half * (1 + np.tanh(c * (a + 0.044715 * a**3))), "the factor 0.5 is missing."),
            Mistake(half * np.tanh(c * (a + 0.044715 * a**3)), "the 1 in 1 + tanh(...) is missing."),
            Mistake(a / (1 + np.exp(-1.702 * a)), "this is x · sigmoid(1.702x). The form with tanh is due."),
            Mistake(exact, "this is the exact form with erf. The form with tanh is due."),
            Mistake(np.maximum(a, 0), "this is relu. gelu rounds its corner."),
        ],
        smaller="gelu(tensor([1.])) is tensor([0.8412])",
    )  # fmt: skip


@exercise("gelu", points=1)
def test_gelu_stays_calm_at_large_scores(tt, draw):
    """gelu gives 0 or x at scores of thousands, without a warning"""
    a = np.concatenate([draw.uniform(-1e4, -200, 3), draw.uniform(200, 1e4, 3)])[draw.permutation(6)]
    x = named(tt.tensor(a), "x")
    with calm(tt):
        same(tt.gelu(x), np.maximum(a, 0), smaller="gelu(tensor([-1000., 1000.])) is tensor([0., 1000.])")
    unchanged(x, a)


@exercise("gelu", points=1)
def test_gelu_knows_the_tanh_form_only(tt, draw):
    """gelu and GELU take approximate="tanh" and refuse any other form"""
    a = scores(draw, 2, 3)
    right = 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
    other = draw.choice(["none", "sigmoid", "erf", "quick"])
    same(tt.gelu(tt.tensor(a), approximate="tanh"), right)
    same(tt.GELU(approximate="tanh")(tt.tensor(a)), right)
    raises(ValueError, lambda: tt.gelu(tt.tensor(a), approximate=other), mentions=[other])


@exercise("gelu", points=1)
def test_gelu_is_recorded(tt, draw):
    """gelu is made of recorded operations, for a gradient to come"""
    flags, got = flags_in_and_out(tt.gelu, tt, draw)
    same(got, flags, what="[gelu(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = scores(draw, 3)
    right = 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
    same(tt.gelu(tt.tensor(a, requires_grad=True)), right)


# ---- softmax --------------------------------------------------------------------------------------------


@exercise("softmax", points=2)
def test_softmax_turns_each_row_into_probabilities(tt, draw):
    """softmax turns each row into probabilities"""
    a = draw(2, 3)
    e = np.exp(a)
    with np.errstate(divide="ignore"):  # scores may well add up to nothing
        shares = a / a.sum(-1, keepdims=True)
    whole = (
        "the sum runs over the whole tensor. One distribution per row: take maximum and sum along dim, "
        "and keep that dimension."
    )
    same(
        tt.softmax(tt.tensor(a), dim=-1), softmax_of(a, -1),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(softmax_of(a, None), whole),
            Mistake(softmax_of(a, 0), "each column sums to 1, not each row. The sum runs along dim, here -1."),
            Mistake(log_softmax_of(a, -1), "these are the logarithms of the probabilities."),
            Mistake(softmax_of(-a, -1), "the order is turned round: look at the sign in exp."),
            Mistake(e / e.max(-1, keepdims=True), "divide by the sum of the row, not by its largest."),
            Mistake(shares, "the scores themselves were divided. Take exp first."),
            Mistake(1 / (1 + np.exp(-a)), "this is sigmoid. Here the scores of a row compete for 1."),
        ],
        smaller="softmax(tensor([[0., 0.], [0., 0.]])) has 0.5 everywhere",
    )  # fmt: skip


@exercise("softmax", points=2)
def test_softmax_works_along_any_dim(tt, draw):
    """softmax works along any dimension, also counted from the end"""
    a = draw(*draw.sizes(3))
    for dim in draw.permutation(6).tolist():
        same(
            tt.softmax(tt.tensor(a), dim - 3), softmax_of(a, dim - 3),
            mistakes=[
                Mistake(softmax_of(a, -1), "the last dimension was used whatever dim says."),
                Mistake(softmax_of(a, 0), "dimension 0 was used whatever dim says."),
            ],
            smaller="softmax(tensor([[0., 5.], [0., 5.]]), dim=0) has 0.5 everywhere",
        )  # fmt: skip


@exercise("softmax", points=1)
def test_softmax_keeps_rows_apart_in_a_square(tt, draw):
    """softmax of a square matrix divides each row by its own sum"""
    n = draw.choice([3, 4, 5])
    a = draw.distinct(n, n)
    e = np.exp(a.astype(np.float64) - a.max(-1, keepdims=True))
    crossed = np.exp(a.astype(np.float64) - a.max(-1))
    says = "the dimension that was reduced is gone, so row i was combined with column i. Keep it with size 1."
    same(
        tt.softmax(tt.tensor(a)), softmax_of(a, -1),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(e / e.sum(-1), says),
            Mistake(crossed / crossed.sum(-1), says),
            Mistake(crossed / crossed.sum(-1, keepdims=True), says),
        ],
        smaller="softmax(tensor([[0., 0.], [9., 9.]])) has 0.5 everywhere",
    )  # fmt: skip


@exercise("softmax", points=2)
def test_softmax_stays_calm_at_large_scores(tt, draw):
    """softmax has no nan and no warning, however large the scores of a row are"""
    a = draw(4, 3) + 128 * (draw.permutation(4)[:, None] - 2) * np.float32(draw.choice([20, 40, 80]))
    with np.errstate(over="ignore", invalid="ignore"):
        bare, one_for_all = np.exp(a), np.exp(a - a.max())
        overflow, underflow = bare / bare.sum(-1, keepdims=True), one_for_all / one_for_all.sum(-1, keepdims=True)
    with calm(tt):
        same(
            tt.softmax(tt.tensor(a)), softmax_of(a, -1),
            mistakes=[
                Mistake(overflow, "exp(89) is inf in float32. Subtract the largest score of the slice."),
                Mistake(underflow, "one maximum served all rows; far below it a row is 0 / 0."),
            ],
            smaller="softmax(tensor([[0., 0.], [200., 200.]])) has 0.5 everywhere",
        )  # fmt: skip
        for sign in (draw.permutation(2) * 2 - 1).tolist():  # one slice far above the others, then one far below
            b = far_off(draw, sign)
            same(tt.softmax(tt.tensor(b), dim=0), softmax_of(b, 0))


@exercise("softmax", points=1)
def test_softmax_gives_masked_scores_exactly_zero(tt, draw):
    """softmax gives a score of -inf exactly 0 and shares among the others"""
    n = draw.choice([4, 5, 6])
    a = draw(n, n)
    a[draw.rng.random((n, n)) < 0.5] = -math.inf
    a[range(n), draw.permutation(n)] = draw(n)  # every row keeps one
    with calm(tt):
        same(tt.softmax(tt.tensor(a)), softmax_of(a, -1), smaller="softmax(tensor([0., -inf, 0.])) is [0.5, 0, 0.5]")


@exercise("softmax", points=1)
def test_softmax_leaves_its_input_alone(tt, draw):
    """softmax leaves its input alone"""
    a = draw(3, 4)
    x = named(tt.tensor(a), "x")
    same(tt.softmax(x), softmax_of(a, -1))
    unchanged(x, a)


@exercise("softmax", points=1)
def test_softmax_refuses_a_dim_out_of_range(tt, draw):
    """softmax refuses a dim that the tensor does not have, and names dim and shape"""
    a = draw(*draw.sizes(2))
    dim = draw.choice([2, 3, -3, -4])
    raises(IndexError, lambda: tt.softmax(tt.tensor(a), dim=dim), mentions=[dim, a.shape])
    same(tt.softmax(tt.tensor(a), dim=-2), softmax_of(a, -2))


@exercise("softmax", points=1)
def test_softmax_of_an_empty_batch_is_empty(tt, draw):
    """softmax of a tensor without elements has the same shape, and no elements"""
    n, m = draw.sizes(2)
    for shape in ((0, n), (n, 0), (n, 0, m)):
        same(tt.softmax(tt.zeros(*shape)), np.zeros(shape), smaller="softmax(zeros(0, 3)) has the shape (0, 3)")
    a = draw(n, m)
    same(tt.softmax(tt.tensor(a)), softmax_of(a, -1))


@exercise("softmax", points=1)
def test_softmax_is_recorded_and_has_an_object(tt, draw):
    """softmax is recorded for a gradient to come, and Softmax holds its dim"""
    flags, got = flags_in_and_out(tt.softmax, tt, draw)
    same(got, flags, what="[softmax(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = draw(*draw.sizes(2))
    same(tt.Softmax(dim=0)(tt.tensor(a)), softmax_of(a, 0))


# ---- log_softmax ----------------------------------------------------------------------------------------


@exercise("log_softmax", points=2)
def test_log_softmax_gives_the_logs_of_softmax(tt, draw):
    """log_softmax gives the logarithms of the probabilities of each row"""
    a = draw(2, 3)
    z = a.astype(np.float64) - a.max(-1, keepdims=True)
    same(
        tt.log_softmax(tt.tensor(a), dim=-1), log_softmax_of(a, -1),
        show=("sum of exp", lambda y: np.exp(y).sum(-1)),
        mistakes=[
            Mistake(softmax_of(a, -1), "these are the probabilities; their logarithms are due."),
            Mistake(z - np.exp(z).sum(-1, keepdims=True), "the sum of exponentials lacks its logarithm."),
            Mistake(z + np.log(np.exp(z).sum(-1, keepdims=True)), "the log of the sum is subtracted, not added."),
            Mistake(-log_softmax_of(a, -1), "the sign is turned: the log of a probability is at most 0."),
            Mistake(a - np.log(np.exp(z).sum(-1, keepdims=True)), "m was subtracted under exp only."),
            Mistake(z, "only the maximum was subtracted."),
            Mistake(log_softmax_of(a, None), "the sum runs over the whole tensor. One sum per slice along dim."),
            Mistake(log_softmax_of(a, 0), "each column was normalised, not each row. Reduce along dim."),
        ],
        smaller="log_softmax(tensor([0., 0.])) is -0.6931 twice, the logarithm of a half",
    )  # fmt: skip


@exercise("log_softmax", points=2)
def test_log_softmax_survives_probabilities_of_zero(tt, draw):
    """log_softmax is finite where the probability itself is too small for float32"""
    a = draw(3, 4)
    a[range(3), draw.integers(0, 4, 3)] += np.float32(draw.choice([200, 1000, 5000]))
    with np.errstate(divide="ignore"):
        log_of_zero = np.log(softmax_of(a, -1).astype(np.float32))
    padded = np.log(softmax_of(a, -1) + 1e-8)
    with calm(tt):
        same(
            tt.log_softmax(tt.tensor(a)), log_softmax_of(a, -1),
            mistakes=[
                Mistake(log_of_zero, "the probability was 0 before its log was taken. Subtract the log of the sum."),
                Mistake(padded, "a small number was added under the log. It hides how small the probability is."),
            ],
            smaller="log_softmax(tensor([0., 200.])) is tensor([-200., 0.])",
        )  # fmt: skip


@exercise("log_softmax", points=1)
def test_log_softmax_works_along_any_dim(tt, draw):
    """log_softmax works along any dimension, each slice with its own maximum"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k) + 256 * draw.integers(-9, 10, n, 1, 1).astype(np.float32)
    for dim in draw.permutation(6).tolist():
        same(
            tt.log_softmax(tt.tensor(a), dim - 3), log_softmax_of(a, dim - 3),
            mistakes=[
                Mistake(log_softmax_of(a, -1), "the last dimension was used whatever dim says."),
                Mistake(log_softmax_of(a, 0), "dimension 0 was used whatever dim says."),
            ],
        )  # fmt: skip
    with calm(tt):
        for sign in (draw.permutation(2) * 2 - 1).tolist():  # one slice far above the others, then one far below
            b = far_off(draw, sign)
            same(tt.log_softmax(tt.tensor(b), dim=0), log_softmax_of(b, 0))


@exercise("log_softmax", points=1)
def test_log_softmax_leaves_masked_scores_at_minus_infinity(tt, draw):
    """log_softmax leaves a score of -inf at -inf and has no nan beside it"""
    n = draw.choice([4, 5, 6])
    a = draw(n, n) + 300 * (draw.permutation(n)[:, None] - 2).astype(np.float32)
    a[draw.rng.random((n, n)) < 0.5] = -math.inf
    a[range(n), draw.permutation(n)] = draw(n)  # every row keeps one
    x = named(tt.tensor(a), "x")
    with calm(tt):
        same(tt.log_softmax(x), log_softmax_of(a, -1), smaller="log_softmax(tensor([0., -inf])) is [0., -inf]")
    unchanged(x, a)


@exercise("log_softmax", points=1)
def test_log_softmax_refuses_a_dim_out_of_range(tt, draw):
    """log_softmax refuses a dim that the tensor does not have, and names dim and shape"""
    a = draw(*draw.sizes(2))
    dim = draw.choice([2, 3, -3, -4])
    raises(IndexError, lambda: tt.log_softmax(tt.tensor(a), dim=dim), mentions=[dim, a.shape])
    same(tt.log_softmax(tt.tensor(a), dim=-2), log_softmax_of(a, -2))


@exercise("log_softmax", points=1)
def test_log_softmax_of_an_empty_batch_is_empty(tt, draw):
    """log_softmax of a tensor without elements has the same shape, and no elements"""
    n, m = draw.sizes(2)
    for shape in ((0, n), (n, 0), (n, 0, m)):
        same(tt.log_softmax(tt.zeros(*shape)), np.zeros(shape), smaller="log_softmax(zeros(0, 3)) has the shape (0, 3)")
    a = draw(n, m)
    same(tt.log_softmax(tt.tensor(a)), log_softmax_of(a, -1))


@exercise("log_softmax", points=1)
def test_log_softmax_is_recorded_and_has_an_object(tt, draw):
    """log_softmax is recorded for a gradient to come, and LogSoftmax holds its dim"""
    flags, got = flags_in_and_out(tt.log_softmax, tt, draw)
    same(got, flags, what="[log_softmax(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    a = draw(*draw.sizes(2))
    same(tt.LogSoftmax(dim=0)(tt.tensor(a)), log_softmax_of(a, 0))
