"""Checkpoint 04: losses."""

from __future__ import annotations

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, unchanged

A_LEAF = "the loss does not know where it came from. End with record(...), or use Tensor operations throughout."
ADDED_UP = "the losses are added up, not averaged. Hand them to self.reduce."
ALWAYS_MEAN = "the average is taken whatever self.reduction says. Use self.reduce."
NO_MINUS = "the minus is missing. Log-probabilities are at most 0, a loss is at least 0."
FLAT = "the losses lie in one row. Give them the target's shape before you reduce them."
EVERY_PAIR = "every row is read at every target. Pair row i with target i: two index arrays."
STILL_COUNTED = "the ignored ones are still counted: divide by those that count."
READ_AS_0 = "an ignored target is read as class 0. Hand `counted` to reduce."
BASE_2 = "this is the logarithm to base 2. PyTorch's is the natural one."


def log_probabilities(scores):
    """log-softmax over the last dimension, in float64."""
    shifted = scores.astype(np.float64) - scores.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def at(rows, ids):
    """One element per row: the one at the row's id."""
    return rows[np.arange(len(ids)), ids]


def flags_in_and_out(loss, tt, draw, target):
    """Which inputs require a gradient, in random order, and which losses do."""
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    inputs = [draw.uniform(0.1, 0.9, 2, 3) for _ in flags]
    losses = [loss(tt.tensor(x, requires_grad=flag), tt.tensor(target)) for x, flag in zip(inputs, flags, strict=True)]
    return flags, [getattr(each, "requires_grad", None) for each in losses]  # a bare number has no such thing


def half(draw, count):
    """A boolean array in which, at random places, about half of the elements are True: never all, never none."""
    return draw.permutation(count) % 2 == 0


# ---- Loss.reduce --------------------------------------------------------------------------------------------


@exercise("Loss.reduce", points=2)
def test_reduce_mean_averages_over_everything(tt, draw):
    """reduction="mean" averages over every dimension, down to one number"""
    rows, columns = draw.sizes(2)
    a = draw.positive(rows, columns)
    same(
        tt.losses.Loss(reduction="mean").reduce(named(tt.tensor(a), "losses")),
        a.mean(),
        mistakes=[
            Mistake(a.sum(), "the losses are added up, not averaged: reduction='mean' divides by how many there are."),
            Mistake(a.mean(0), "only the first dimension is reduced. A loss is one number."),
            Mistake(a.mean(-1), "only the last dimension is reduced. A loss is one number."),
            Mistake(a.sum() / rows, "the sum is divided by the number of rows, not by that of losses, numel()."),
            Mistake(a, "the losses come back as they are, which is reduction='none'."),
        ],
        smaller="Loss().reduce(tensor([1., 2., 6.])) is 3",
    )


@exercise("Loss.reduce", points=1)
def test_reduce_sum_and_none(tt, draw):
    """reduction="sum" adds the losses up, and "none" leaves them as they are"""
    a = draw.positive(*draw.sizes(2))
    same(
        tt.losses.Loss(reduction="none").reduce(named(tt.tensor(a), "losses")),
        a,
        mistakes=[Mistake(a.mean(), "reduction='none' still averages. Return the losses as they came.")],
    )
    same(
        tt.losses.Loss(reduction="sum").reduce(named(tt.tensor(a), "losses")),
        a.sum(),
        mistakes=[Mistake(a.mean(), "reduction='sum' still averages. Look at self.reduction.")],
    )


@exercise("Loss.reduce", points=2)
def test_reduce_averages_over_those_that_count(tt, draw):
    """the average is over the losses that count, and the others are 0"""
    count = draw.choice([7, 8, 9])
    a, counted = draw.positive(count), half(draw, count)
    kept = np.where(counted, a, 0)
    same(
        tt.losses.Loss(reduction="mean").reduce(named(tt.tensor(a), "losses"), counted),
        kept.sum() / counted.sum(),
        mistakes=[
            Mistake(
                kept.mean(),
                "the sum is divided by all losses, not by those that count: too small.",
            ),
            Mistake(a.mean(), "`counted` is not looked at."),
            Mistake(a[~counted].mean(), "the mask is used the wrong way round: True means that the loss counts."),
            Mistake(a.sum() / counted.sum(), "the losses that do not count are still in the sum."),
        ],
        smaller="Loss().reduce(tensor([1., 2., 6.]), np.array([True, False, True])) is 3.5",
    )
    same(tt.losses.Loss(reduction="none").reduce(named(tt.tensor(a), "losses"), counted), kept)
    same(tt.losses.Loss(reduction="sum").reduce(named(tt.tensor(a), "losses"), counted), kept.sum())


@exercise("Loss.reduce", points=1)
def test_reduce_of_nothing_is_nan(tt, draw):
    """an average over nothing is nan, as in PyTorch, and a sum over nothing is 0"""
    a = draw.positive(draw.choice([3, 4, 5]))
    one = np.arange(len(a)) == draw.choice(range(len(a)))
    nobody = np.zeros(len(a), np.bool_)
    losses = named(tt.tensor(a), "losses")
    same(
        tt.losses.Loss(reduction="mean").reduce(losses, nobody),
        np.float32(np.nan),
        mistakes=[Mistake(0.0, "an average over nothing comes out as 0, a perfect score. It is 0 / 0: nan.")],
    )
    same(tt.losses.Loss(reduction="mean").reduce(losses, one), a[one][0])
    same(tt.losses.Loss(reduction="sum").reduce(losses, nobody), np.float32(0))


# ---- MSELoss ------------------------------------------------------------------------------------------------


@exercise("MSELoss.forward", points=2)
def test_mse_averages_the_squared_distances(tt, draw):
    """MSELoss is the average of the squared distances between prediction and target"""
    rows, columns = draw.sizes(2)
    a, b = draw(rows, columns), draw(rows, columns)
    prediction, target = tt.tensor(a), tt.tensor(b)
    gap = a - b
    same(
        tt.MSELoss()(named(prediction, "prediction"), named(target, "target")),
        (gap**2).mean(),
        mistakes=[
            Mistake(np.abs(gap).mean(), "these are distances, not their squares."),
            Mistake(gap.mean(), "the differences are not squared, so that too high and too low cancel."),
            Mistake((gap**2).mean() / 2, "half of it is due somewhere else: PyTorch's MSELoss has no factor 1/2."),
            Mistake(np.sqrt((gap**2).mean()), "this is the root of the mean square. MSELoss takes no root."),
            Mistake((gap**2).sum(), "the squares are added up, not averaged. Hand them to self.reduce."),
            Mistake((gap**2).sum() / rows, "the sum is divided by the number of rows, not by that of elements."),
            Mistake(gap.mean() ** 2, "the mean is squared. Square first, then average."),
        ],
        smaller="MSELoss()(tensor([2., 0.]), tensor([1., 3.])) is (1 + 9) / 2 = 5",
    )
    unchanged(prediction, a)
    unchanged(target, b)


@exercise("MSELoss.forward", points=1)
def test_mse_follows_its_reduction(tt, draw):
    """MSELoss gives one loss per element under "none", and under "sum" one number"""
    shape = draw.sizes(3)
    a, b = draw(*shape), draw(*shape)
    prediction, target = named(tt.tensor(a), "prediction"), named(tt.tensor(b), "target")
    same(
        tt.MSELoss(reduction="none")(prediction, target),
        (a - b) ** 2,
        mistakes=[Mistake(((a - b) ** 2).mean(), ALWAYS_MEAN)],
    )
    same(tt.MSELoss(reduction="sum")(prediction, target), ((a - b).astype(np.float64) ** 2).sum())


@exercise("MSELoss.forward", points=1)
def test_mse_refuses_to_broadcast(tt, draw):
    """MSELoss refuses predictions (n, 1) for targets (n,), which would compare each with all"""
    count = draw.choice([3, 4, 5, 6])
    a, b = draw(count, 1), draw(count)
    raises(ValueError, lambda: tt.MSELoss()(tt.tensor(a), tt.tensor(b)), mentions=[a.shape, b.shape])
    same(tt.MSELoss()(tt.tensor(a[:, 0]), tt.tensor(b)), ((a[:, 0] - b) ** 2).mean())


# ---- NLLLoss ------------------------------------------------------------------------------------------------


@exercise("NLLLoss.forward", points=2)
def test_nll_reads_one_number_per_row(tt, draw):
    """NLLLoss reads the log-probability of each row's right class, with a minus"""
    classes = draw.choice([3, 4, 5])
    rows = draw.choice([6, 7])
    logp, ids = np.log(draw.uniform(0.01, 1, rows, classes)), draw.integers(0, classes, rows)
    same(
        tt.NLLLoss(reduction="none")(named(tt.tensor(logp), "log_probs"), tt.tensor(ids)),
        -at(logp, ids),
        mistakes=[
            Mistake(at(logp, ids), NO_MINUS),
            Mistake(-logp[:, ids], EVERY_PAIR),
            Mistake(-at(logp, ids).mean(), ALWAYS_MEAN),
            Mistake(-logp.mean(-1), "the whole row is averaged. Only the right class counts."),
            Mistake(-logp.sum(-1), "the whole row is added up. Only the right class counts."),
        ],
        smaller="NLLLoss()(tensor([[0.125, 0.875]]).log(), tensor([1])) is -log 0.875 = 0.1335",
    )
    same(
        tt.NLLLoss()(named(tt.tensor(logp), "log_probs"), tt.tensor(ids)),
        -at(logp, ids).mean(),
        mistakes=[Mistake(-at(logp, ids).sum(), ADDED_UP)],
    )


@exercise("NLLLoss.forward", points=1)
def test_nll_leaves_out_what_is_ignored(tt, draw):
    """NLLLoss leaves out the targets that equal ignore_index, in the average too"""
    counted = half(draw, 8)
    while True:
        logp, ids = -draw.positive(8, 4), draw.integers(0, 4, 8)
        losses, read_as_0 = -at(logp, ids), -at(logp, ids * counted).mean()
        if losses[counted].mean() != read_as_0:
            break
    padded = np.where(counted, ids, -100)
    same(
        tt.NLLLoss()(named(tt.tensor(logp), "log_probs"), tt.tensor(padded)),
        losses[counted].mean(),
        mistakes=[
            Mistake(losses[counted].sum() / 8, STILL_COUNTED),
            Mistake(read_as_0, READ_AS_0),
        ],
        smaller="NLLLoss()(tensor([[-1., -2.], [-3., -4.]]), tensor([0, -100])) is 1",
    )


@exercise("NLLLoss.forward", points=1)
def test_nll_of_every_pixel(tt, draw):
    """NLLLoss takes log-probabilities (N, C, H, W) with a class for each of the N × H × W pixels"""
    n, c, h, w = draw.sizes(4)
    logp, ids = -draw.positive(n, c, h, w), draw.integers(0, c, n, h, w)
    same(
        tt.NLLLoss(reduction="none")(named(tt.tensor(logp), "log_probs"), named(tt.tensor(ids), "target")),
        -np.take_along_axis(logp, ids[:, None], 1)[:, 0],
        mistakes=[
            Mistake(
                -np.take_along_axis(logp, ids[:, None], 1).reshape(-1),
                FLAT,
            )
        ],
    )


@exercise("NLLLoss.forward", points=1)
def test_nll_refuses_a_class_that_is_not_there(tt, draw):
    """NLLLoss refuses a class that is not there, and names it"""
    rows, classes = draw.sizes(2)
    logp, ids = -draw.positive(rows, classes), draw.integers(0, classes, rows)
    wrong = ids.copy()
    wrong[draw.choice(range(rows))] = outside = draw.choice([classes, classes + 7, -1, -2])
    raises(IndexError, lambda: tt.NLLLoss()(tt.tensor(logp), tt.tensor(wrong)), mentions=[outside, classes])
    same(tt.NLLLoss()(tt.tensor(logp), tt.tensor(ids)), -at(logp, ids).mean())


# ---- CrossEntropyLoss ---------------------------------------------------------------------------------------


@exercise("CrossEntropyLoss.forward", points=3)
def test_cross_entropy_is_the_surprise_at_the_right_class(tt, draw):
    """CrossEntropyLoss turns raw scores into the surprise at each row's right class"""
    a, ids = draw(7, 4), draw.integers(0, 4, 7)
    logp = log_probabilities(a)
    twice = log_probabilities(np.exp(logp))
    same(
        tt.CrossEntropyLoss(reduction="none")(named(tt.tensor(a), "scores"), tt.tensor(ids)),
        -at(logp, ids),
        mistakes=[
            Mistake(
                -at(twice, ids), "the scores go through a softmax twice. Cross-entropy takes logits: apply it once."
            ),
            Mistake(at(logp, ids), NO_MINUS),
            Mistake(-at(a, ids), "these are the scores of the right classes. Normalise each row first: log-softmax."),
            Mistake(-at(np.exp(logp), ids), "the logarithm is missing: these are probabilities."),
            Mistake(-at(log_probabilities(a.T).T, ids), "the softmax runs over the batch. Rows are examples: dim=1."),
            Mistake(-logp[:, ids], EVERY_PAIR),
            Mistake(-at(logp, ids) / np.log(2), BASE_2),
            Mistake(-at(logp, ids).mean(), ALWAYS_MEAN),
        ],
        smaller="CrossEntropyLoss()(tensor([[0., 0.]]), tensor([1])) is log 2 = 0.6931",
    )
    same(
        tt.CrossEntropyLoss()(named(tt.tensor(a), "scores"), tt.tensor(ids)),
        -at(logp, ids).mean(),
        mistakes=[Mistake(-at(logp, ids).sum(), ADDED_UP)],
    )


@exercise("CrossEntropyLoss.forward", points=1)
def test_cross_entropy_of_equal_scores_is_log_of_the_classes(tt, draw):
    """CrossEntropyLoss of equal scores is the logarithm of the number of classes"""
    rows, classes = draw.choice([3, 4]), draw.choice([2, 5, 10, 50])
    level = draw()
    scores = np.full((rows, classes), level, np.float32)
    same(
        tt.CrossEntropyLoss()(named(tt.tensor(scores), "scores"), tt.tensor(draw.integers(0, classes, rows))),
        np.log(classes),
        mistakes=[Mistake(rows * np.log(classes), ADDED_UP)],
        smaller="CrossEntropyLoss()(zeros(1, 10), tensor([3])) is log 10 = 2.3026",
    )


@exercise("CrossEntropyLoss.forward", points=1)
def test_cross_entropy_survives_large_scores(tt, draw):
    """CrossEntropyLoss stays finite at scores of ten thousand, without a warning"""
    levels = np.float32([-1e4, 0, 1e4, 200])[draw.permutation(4)]
    a, ids = draw(4, 5) + levels[:, None], draw.integers(0, 5, 4)
    no_shift = "exp(89) is already inf in float32. Subtract each row's largest score first."
    one_shift = "one maximum is taken for the whole batch. Each row has its own: axis=1, keepdims=True."
    shifted = a - a.max()
    with np.errstate(all="ignore"):
        unshifted = np.log(np.exp(a).sum(-1)) - at(a, ids), -np.log(at(np.exp(a), ids) / np.exp(a).sum(-1))
        powers = np.exp(shifted)
        once = np.log(powers.sum(-1)) - at(shifted, ids), -np.log(at(powers, ids) / powers.sum(-1))
    with calm(tt):
        same(
            tt.CrossEntropyLoss(reduction="none")(tt.tensor(a), tt.tensor(ids)),
            -at(log_probabilities(a), ids),
            atol=2e-3,
            mistakes=[
                *(Mistake(wrong, no_shift) for wrong in unshifted),
                *(Mistake(wrong, one_shift) for wrong in once),
            ],
            smaller="CrossEntropyLoss()(tensor([[1000., 1000.]]), tensor([0])) is log 2 = 0.6931",
        )
        low = [levels.argmin()]  # by itself: nothing else in its batch asks for a shift
        same(
            tt.CrossEntropyLoss(reduction="none")(tt.tensor(a[low]), tt.tensor(ids[low])),
            -at(log_probabilities(a[low]), ids[low]),
            atol=2e-3,
            smaller="CrossEntropyLoss()(tensor([[-1000., -1000.]]), tensor([0])) is log 2 = 0.6931 too",
        )


@exercise("CrossEntropyLoss.forward", points=1)
def test_cross_entropy_of_a_hopeless_class_is_its_distance(tt, draw):
    """CrossEntropyLoss of a class far below the best one is the distance between their scores"""
    a, ids = draw(3, 4) * 4000, np.array([1, 2, 3])[draw.permutation(3)]
    a[:, 0] = a.max(-1) + 500  # class 0 is ahead by so much that the others' probabilities are 0 in float32
    rounded = "the probability is rounded to 0 before its logarithm. Use log(sum exp(x - m)) - (x_t - m)."
    with calm(tt):
        same(
            tt.CrossEntropyLoss(reduction="none")(named(tt.tensor(a), "scores"), tt.tensor(ids)),
            a[:, 0] - at(a, ids),
            mistakes=[
                Mistake(np.full(3, np.inf), rounded),
                Mistake(np.full(3, -np.log(1e-12)), rounded),
                Mistake(np.full(3, 100.0), rounded),
            ],
            smaller="CrossEntropyLoss()(tensor([[1000., 0.]]), tensor([1])) is 1000",
        )


@exercise("CrossEntropyLoss.forward", points=2)
def test_cross_entropy_leaves_out_what_is_ignored(tt, draw):
    """CrossEntropyLoss leaves out the targets that equal ignore_index, in the average too"""
    a, ids = draw(8, 4), draw.integers(1, 4, 8)
    counted = half(draw, 8)
    losses = -at(log_probabilities(a), ids)
    as_zero = -at(log_probabilities(a), ids * counted)
    for index in (-100, 0):
        padded = np.where(counted, ids, index)
        same(
            tt.CrossEntropyLoss(ignore_index=index)(named(tt.tensor(a), "scores"), tt.tensor(padded)),
            losses[counted].mean(),
            mistakes=[
                Mistake(losses[counted].sum() / 8, STILL_COUNTED),
                Mistake(as_zero.mean(), READ_AS_0),
                Mistake(losses[counted].sum(), "the losses are added up, not averaged."),
            ],
        )
    same(
        tt.CrossEntropyLoss(reduction="none")(named(tt.tensor(a), "scores"), tt.tensor(np.where(counted, ids, -100))),
        np.where(counted, losses, 0),
    )


@exercise("CrossEntropyLoss.forward", points=2)
def test_cross_entropy_smooths_labels(tt, draw):
    """label_smoothing spreads a share of the target evenly over all classes"""
    a, ids = draw(6, 5), draw.integers(0, 5, 6)
    share = draw.choice([0.125, 0.25, 0.375])
    logp = log_probabilities(a)
    hard, even = -at(logp, ids), -logp.mean(-1)
    others = (even * 5 - hard) / 4
    same(
        tt.CrossEntropyLoss(label_smoothing=share, reduction="none")(named(tt.tensor(a), "scores"), tt.tensor(ids)),
        (1 - share) * hard + share * even,
        mistakes=[
            Mistake(hard, "label_smoothing is not looked at."),
            Mistake(
                (1 - share) * hard + share * others,
                "the share goes to the wrong classes only. Spread it over all of them, the right one too.",
            ),
            Mistake(
                (1 - share) * hard + share * even * 5,
                "the share is added for each class. Together they get it: mean, not sum.",
            ),
            Mistake((1 - share) * hard, "the share is taken away from the right class and given to nobody."),
            Mistake(hard + share * even, "the right class keeps all of the target. It gives the share away: 1 - e."),
            Mistake(share * hard + (1 - share) * even, "share and remainder have changed places."),
        ],
        smaller="CrossEntropyLoss(label_smoothing=0.5)(tensor([[0., 0.]]), tensor([1])) is still log 2 = 0.6931",
    )


@exercise("CrossEntropyLoss.forward", points=1)
def test_cross_entropy_of_every_token(tt, draw):
    """CrossEntropyLoss takes scores (N, C, T) with a class for each of the N × T places"""
    n, c, t = draw.sizes(3)
    a, ids = draw(n, c, t), draw.integers(0, c, n, t)
    logp = log_probabilities(a.transpose(0, 2, 1))
    right = -np.take_along_axis(logp, ids[..., None], -1)[..., 0]
    scores, target = named(tt.tensor(a), "scores"), named(tt.tensor(ids), "target")
    same(
        tt.CrossEntropyLoss(reduction="none")(scores, target),
        right,
        mistakes=[Mistake(right.reshape(-1), FLAT)],
    )
    same(tt.CrossEntropyLoss()(scores, target), right.mean())


@exercise("CrossEntropyLoss.forward", points=1)
def test_cross_entropy_refuses_what_it_cannot_compare(tt, draw):
    """CrossEntropyLoss refuses targets of the wrong shape, dtype or class, and says what it was given"""
    rows, classes = draw.sizes(2)
    a, ids = draw(rows, classes), draw.integers(0, classes, rows)
    more = np.append(ids, 0)
    outside = np.where(np.arange(rows) == draw.choice(range(rows)), classes, ids)
    raises(ValueError, lambda: tt.CrossEntropyLoss()(tt.tensor(a), tt.tensor(more)), mentions=[a.shape, more.shape])
    raises(
        TypeError, lambda: tt.CrossEntropyLoss()(tt.tensor(a), tt.tensor(ids.astype(np.float32))), mentions=["float32"]
    )
    raises(IndexError, lambda: tt.CrossEntropyLoss()(tt.tensor(a), tt.tensor(outside)), mentions=[classes])
    same(tt.CrossEntropyLoss()(tt.tensor(a), tt.tensor(ids)), -at(log_probabilities(a), ids).mean())


@exercise("CrossEntropyLoss.forward", points=1)
def test_cross_entropy_remembers_where_it_came_from(tt, draw):
    """CrossEntropyLoss remembers the scores that it came from, so that module 05 can go back"""
    target = draw.integers(0, 3, 2)
    flags, got = flags_in_and_out(tt.CrossEntropyLoss(), tt, draw, target)
    same(
        got,
        flags,
        what="[CrossEntropyLoss()(x, target).requires_grad for x in xs]",
        mistakes=[Mistake([False] * 6, A_LEAF)],
    )
    x = draw(2, 3)
    same(
        tt.CrossEntropyLoss()(tt.tensor(x, requires_grad=True), tt.tensor(target)),
        -at(log_probabilities(x), target).mean(),
    )


# ---- BCELoss ------------------------------------------------------------------------------------------------


@exercise("BCELoss.forward", points=2)
def test_bce_prices_yes_and_no(tt, draw):
    """BCELoss is the surprise at yes or no, given the probability of yes"""
    count = draw.choice([5, 6, 7])
    p = draw.uniform(0.05, 0.95, count)
    t = np.float32(half(draw, count))
    yes, no = np.log(p.astype(np.float64)), np.log1p(-p.astype(np.float64))
    right = -(t * yes + (1 - t) * no)
    probabilities, target = named(tt.tensor(p), "probabilities"), tt.tensor(t)
    same(
        tt.BCELoss(reduction="none")(probabilities, target),
        right,
        mistakes=[
            Mistake(-right, NO_MINUS),
            Mistake(-t * yes, "a no costs nothing here. The term (1 - t) * log(1 - p) is missing."),
            Mistake(-((1 - t) * yes + t * no), "yes and no have changed places: t = 1 means yes."),
            Mistake(right.mean(), ALWAYS_MEAN),
            Mistake(right / np.log(2), BASE_2),
        ],
        smaller="BCELoss()(tensor([0.5]), tensor([1.])) is log 2 = 0.6931",
    )
    same(
        tt.BCELoss()(probabilities, target),
        right.mean(),
        mistakes=[Mistake(right.sum(), ADDED_UP)],
    )


@exercise("BCELoss.forward", points=1)
def test_bce_takes_shares_of_yes(tt, draw):
    """BCELoss takes targets between 0 and 1 in any shape"""
    shape = draw.sizes(2)
    p, t = draw.uniform(0.05, 0.95, *shape), draw.uniform(0, 1, *shape)
    right = -(t * np.log(p) + (1 - t) * np.log1p(-p))
    same(
        tt.BCELoss(reduction="none")(named(tt.tensor(p), "probabilities"), named(tt.tensor(t), "target")),
        right,
        mistakes=[
            Mistake(np.where(t > 0.5, -np.log(p), -np.log1p(-p)), "a target of 0.7 is treated as 1. Weigh both terms."),
            Mistake(-(p * np.log(t) + (1 - p) * np.log1p(-t)), "prediction and target have changed places."),
        ],
    )


@exercise("BCELoss.forward", points=2)
def test_bce_stops_at_one_hundred(tt, draw):
    """BCELoss of a certain and wrong answer is 100, not infinity"""
    order = draw.permutation(6)
    p = np.float32([0, 0, 1, 1, draw.uniform(0.2, 0.8), 1e-30])[order]
    t = np.float32([0, 1, 0, 1, 1, 1])[order]
    with np.errstate(all="ignore"):
        raw_yes, raw_no = np.log(p.astype(np.float64)), np.log1p(-p.astype(np.float64))
        wild = -(t * raw_yes + (1 - t) * raw_no)
        safe = -np.where(t == 1, raw_yes, raw_no)
    says = "the floor lies under the probability. PyTorch's lies under the logarithm, at -100."
    cut = [np.clip(p.astype(np.float64), low, 1 - low) for low in (1e-7, 1e-12, 1e-8, 1e-15)]
    same(
        tt.BCELoss(reduction="none")(tt.tensor(p), tt.tensor(t)),
        np.minimum(safe, 100),
        mistakes=[
            Mistake(wild, "log 0 is -inf, and 0 * -inf is nan. Neither logarithm may fall below -100."),
            Mistake(safe, "log 0 is -inf. Neither logarithm may fall below -100."),
            *(Mistake(-(t * np.log(c) + (1 - t) * np.log1p(-c)), says) for c in cut),
        ],
        smaller="BCELoss()(tensor([0.]), tensor([1.])) is 100",
    )


@exercise("BCELoss.forward", points=1)
def test_bce_refuses_what_is_no_probability(tt, draw):
    """BCELoss refuses scores in place of probabilities, integers, and unequal shapes"""
    count = draw.choice([3, 4, 5])
    p, t = draw.uniform(0.1, 0.9, count), np.float32(half(draw, count))
    place = np.arange(count) == draw.choice(range(count))
    loss = tt.BCELoss()
    for score in (1.125, -0.125):
        scores = np.where(place, np.float32(score), p)
        raises(
            (RuntimeError, ValueError), lambda scores=scores: loss(tt.tensor(scores), tt.tensor(t)), mentions=[score]
        )
    raises(TypeError, lambda: loss(tt.tensor(p), tt.tensor(t.astype(np.int64))), mentions=["int64"])
    raises(ValueError, lambda: loss(tt.tensor(p[:, None]), tt.tensor(t)), mentions=[(count, 1), (count,)])
    same(loss(tt.tensor(p), tt.tensor(t)), -np.log(np.where(t == 1, p, 1 - p)).mean())


@exercise("BCELoss.forward", points=1)
def test_bce_remembers_where_it_came_from(tt, draw):
    """BCELoss remembers the probabilities that it came from, so that module 05 can go back"""
    target = np.ones((2, 3), np.float32)
    flags, got = flags_in_and_out(tt.BCELoss(), tt, draw, target)
    same(got, flags, what="[BCELoss()(x, target).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    x = draw.uniform(0.1, 0.9, 2, 3)
    same(tt.BCELoss()(tt.tensor(x, requires_grad=True), tt.tensor(target)), -np.log(x).mean())


# ---- BCEWithLogitsLoss --------------------------------------------------------------------------------------


@exercise("BCEWithLogitsLoss.forward", points=2)
def test_bce_with_logits_is_bce_of_the_sigmoid(tt, draw):
    """BCEWithLogitsLoss is the surprise at yes or no, given a raw score"""
    shape = draw.sizes(2)
    x, t = draw(*shape), draw.integers(0, 9, *shape) / np.float32(8)
    soft = np.log1p(np.exp(-np.abs(x.astype(np.float64))))
    right = np.maximum(x, 0) - t * x + soft
    scores, target = named(tt.tensor(x), "scores"), named(tt.tensor(t.astype(np.float32)), "target")
    same(
        tt.BCEWithLogitsLoss(reduction="none")(scores, target),
        right,
        mistakes=[
            Mistake(-right, "the minus is missing. A loss is at least 0."),
            Mistake(right + 2 * t * x - x, "yes and no have changed places: t = 1 means yes."),
            Mistake(np.maximum(x, 0) + t * x + soft, "t * x has the wrong sign: a high score makes a yes cheaper."),
            Mistake(np.maximum(x, 0) + soft, "the target is not looked at: t * x is missing."),
            Mistake(right.mean(), ALWAYS_MEAN),
        ],
        smaller="BCEWithLogitsLoss()(tensor([0.]), tensor([1.])) is log 2 = 0.6931",
    )
    same(
        tt.BCEWithLogitsLoss()(scores, target),
        right.mean(),
        mistakes=[Mistake(right.sum(), ADDED_UP)],
    )


@exercise("BCEWithLogitsLoss.forward", points=2)
def test_bce_with_logits_survives_large_scores(tt, draw):
    """BCEWithLogitsLoss is exact at scores of ten thousand, without a warning"""
    order = draw.permutation(6)
    x = (np.float32([-1e4, -1e4, 1e4, 1e4, 200, -200]) + draw(6))[order]
    t = np.float32([0, 1, 0, 1, 0, 1])[order]
    right = np.maximum(x, 0) - t * x
    overflow = "exp(x) overflows at large scores. Its exponent must never be positive: exp(-|x|)."
    rounded = "the sigmoid is rounded to 0 or 1 before its logarithm. Start from the score itself."
    with np.errstate(all="ignore"):
        sigmoid = 1 / (1 + np.exp(-x))
        picked = -np.log(np.where(t == 1, sigmoid, 1 - sigmoid))
        weighed = -(t * np.log(sigmoid) + (1 - t) * np.log(1 - sigmoid))
        inside_out = np.log1p(np.exp(x)) - t * x
    with calm(tt):
        same(
            tt.BCEWithLogitsLoss(reduction="none")(tt.tensor(x), tt.tensor(t)),
            right,
            mistakes=[
                Mistake(np.minimum(right, 100), "the loss stops at 100. " + rounded),
                Mistake(picked, rounded),
                Mistake(weighed, rounded),
                Mistake(inside_out, overflow),
            ],
            smaller="BCEWithLogitsLoss()(tensor([200.]), tensor([0.])) is 200",
        )


@exercise("BCEWithLogitsLoss.forward", points=1)
def test_bce_with_logits_keeps_small_losses(tt, draw):
    """BCEWithLogitsLoss of a confident and right answer is small, and not rounded to 0"""
    x = draw.uniform(17.5, 20, 5)
    t = np.ones(5, np.float32)
    same(
        tt.BCEWithLogitsLoss(reduction="none")(tt.tensor(x), tt.tensor(t)),
        np.exp(-x.astype(np.float64)),
        rtol=1e-3,
        atol=1e-20,
        mistakes=[Mistake(np.zeros(5), "1 + y is 1 for a small y. np.log1p(y) does not form the sum.")],
        smaller="BCEWithLogitsLoss()(tensor([20.]), tensor([1.])) is 2.06e-09",
    )


@exercise("BCEWithLogitsLoss.forward", points=1)
def test_bce_with_logits_refuses_what_it_cannot_compare(tt, draw):
    """BCEWithLogitsLoss refuses integers and unequal shapes, and says what it was given"""
    count = draw.choice([3, 4, 5])
    x, t = draw(count), np.float32(half(draw, count))
    loss = tt.BCEWithLogitsLoss()
    raises(TypeError, lambda: loss(tt.tensor(x), tt.tensor(t.astype(np.int64))), mentions=["int64"])
    raises(ValueError, lambda: loss(tt.tensor(x[:, None]), tt.tensor(t)), mentions=[(count, 1), (count,)])
    same(loss(tt.tensor(x), tt.tensor(t)), (np.logaddexp(0, x) - t * x).mean())


@exercise("BCEWithLogitsLoss.forward", points=1)
def test_bce_with_logits_remembers_where_it_came_from(tt, draw):
    """BCEWithLogitsLoss remembers the scores that it came from, so that module 05 can go back"""
    target = np.ones((2, 3), np.float32)
    flags, got = flags_in_and_out(tt.BCEWithLogitsLoss(), tt, draw, target)
    same(
        got,
        flags,
        what="[BCEWithLogitsLoss()(x, target).requires_grad for x in xs]",
        mistakes=[Mistake([False] * 6, A_LEAF)],
    )
    x = draw(2, 3)
    same(tt.BCEWithLogitsLoss()(tt.tensor(x, requires_grad=True), tt.tensor(target)), np.logaddexp(0, -x).mean())


# ---- ContrastiveLoss ----------------------------------------------------------------------------------------


@exercise("ContrastiveLoss.forward", points=2)
def test_contrastive_draws_similar_pairs_together(tt, draw):
    """ContrastiveLoss charges a similar pair half its squared distance"""
    pairs, size = draw.sizes(2)
    a, b = draw(pairs, size), draw(pairs, size)
    squared = ((a - b) ** 2).sum(-1)
    apart = np.maximum(0, 2 - np.sqrt(squared)) ** 2 / 2
    same(
        tt.ContrastiveLoss(margin=2.0, reduction="none")(
            named(tt.tensor(a), "a"), named(tt.tensor(b), "b"), tt.tensor(np.ones(pairs, np.float32))
        ),
        squared / 2,
        mistakes=[
            Mistake(apart, "similar pairs are treated as different ones. Here y = 1 means similar."),
            Mistake(squared, "the factor 1/2 is missing: y * d^2 / 2."),
            Mistake(np.sqrt(squared) / 2, "the distance is not squared."),
            Mistake((a - b) ** 2 / 2, "one number per pair is due: sum the squares over the vector's dimension."),
            Mistake(((a - b) ** 2).mean(-1) / 2, "the squares are averaged over the vector. A distance adds them up."),
            Mistake((squared / 2).mean(), ALWAYS_MEAN),
        ],
        smaller="ContrastiveLoss()(tensor([[3., 4.]]), tensor([[0., 0.]]), tensor([1])) is 25 / 2 = 12.5",
    )


@exercise("ContrastiveLoss.forward", points=2)
def test_contrastive_pushes_strangers_to_the_margin(tt, draw):
    """ContrastiveLoss charges a different pair only while it is closer than the margin"""
    margin = draw.choice([1.5, 2.0, 2.5])
    direction = np.float32([[0.6, 0.8], [0.8, -0.6], [-1, 0], [0, 1], [0.6, -0.8], [-0.8, 0.6]])
    distance = np.float32([0.25, 0.5, 1.0, 3.0, 4.0, 5.5])[draw.permutation(6)]
    a = draw(6, 2)
    b = a - direction * distance[:, None]
    short = margin - distance
    same(
        tt.ContrastiveLoss(margin=margin, reduction="none")(
            named(tt.tensor(a), "a"), named(tt.tensor(b), "b"), tt.tensor(np.zeros(6, np.float32))
        ),
        np.maximum(0, short) ** 2 / 2,
        atol=1e-5,
        mistakes=[
            Mistake(short**2 / 2, "pairs far beyond the margin still pay. Beyond it the loss is zero: max(0, m - d)."),
            Mistake(distance**2 / 2, "different pairs are treated as similar ones. Here y = 0 means different."),
            Mistake(np.maximum(0, short) ** 2, "the factor 1/2 is missing: (1 - y) * max(0, m - d)^2 / 2."),
            Mistake(np.maximum(0, short) / 2, "what is missing to the margin is not squared."),
            Mistake(
                np.maximum(0, margin - distance**2) ** 2 / 2,
                "the squared distance is taken from the margin. Take the distance: its root.",
            ),
            Mistake(
                np.maximum(0, margin - distance**2) / 2,
                "the squared distance is taken from the margin. Take the distance, and square what is missing.",
            ),
        ],
        smaller="ContrastiveLoss(margin=6.)(tensor([[3., 4.]]), tensor([[0., 0.]]), tensor([0])) is 1 / 2",
    )


@exercise("ContrastiveLoss.forward", points=1)
def test_contrastive_averages_over_mixed_pairs(tt, draw):
    """ContrastiveLoss averages over pairs in any arrangement, with targets of any dtype"""
    a, b, y = draw(4, 2, 3), draw(4, 2, 3), half(draw, 8).reshape(4, 2)
    squared = ((a - b) ** 2).sum(-1)
    right = np.where(y, squared, np.maximum(0, 4 - np.sqrt(squared)) ** 2) / 2
    for target in (y.astype(np.float32), y.astype(np.int64)):
        same(
            tt.ContrastiveLoss(margin=4.0)(named(tt.tensor(a), "a"), named(tt.tensor(b), "b"), tt.tensor(target)),
            right.mean(),
            mistakes=[Mistake(right.sum(), ADDED_UP)],
        )


@exercise("ContrastiveLoss.forward", points=1)
def test_contrastive_refuses_unequal_pairs(tt, draw):
    """ContrastiveLoss refuses pairs and targets that do not fit, and names both shapes"""
    pairs, size = draw.sizes(2)
    a, b, y = draw(pairs, size), draw(pairs, size), draw.integers(0, 2, pairs)
    loss = tt.ContrastiveLoss(margin=1.0)
    raises(ValueError, lambda: loss(tt.tensor(a), tt.tensor(b[:1]), tt.tensor(y)), mentions=[a.shape, (1, size)])
    column = y[:, None]
    raises(ValueError, lambda: loss(tt.tensor(a), tt.tensor(b), tt.tensor(column)), mentions=[a.shape, column.shape])
    squared = ((a - b) ** 2).sum(-1)
    right = np.where(y == 1, squared, np.maximum(0, 1 - np.sqrt(squared)) ** 2) / 2
    same(loss(tt.tensor(a), tt.tensor(b), tt.tensor(y)), right.mean())
