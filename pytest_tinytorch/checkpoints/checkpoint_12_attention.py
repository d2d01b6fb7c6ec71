"""Checkpoint 12: attention.

Expected values are worked out in float64 with NumPy, gradients by central differences.
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array

ROOT = "the scores are not divided. Divide them by the root of the vectors' size."
ALL_OF_IT = "the scores are divided by the vectors' size, not by its root."
TIMES = "the scores are multiplied by the root of the vectors' size. Divide."
COLUMNS = (
    "the columns add up to 1, not the rows. Each query shares out its own attention: softmax over the last dimension."
)
INVERTED = "the mask is used the wrong way round: True takes part."
IGNORED = "the mask is not looked at."
NOT_CAUSAL = "is_causal is not looked at."
FUTURE = (
    "each token sees what comes after it, and not what came before. Query i sees key j where j is not later than i."
)
NO_DIAGONAL = "no token sees itself, and the first one sees nobody. The diagonal belongs to the mask."
BOTTOM = "the mask ends in the lower right corner. Queries and keys are both counted from 0."
AFTERWARDS = "the shares are masked after softmax, so that a row no longer adds up to 1. Mask the scores."
NOT_A_NUMBER = "a query without any key gives nan. Keep a row of nothing but -inf out of softmax, and give zeros."
UNIFORM = "a query without any key attends to all of them equally. No key, no contribution: zeros."
RESHAPED = "the numbers of different tokens are mixed. Cut the last dimension in two, then exchange two dimensions."
EXACT = np.float64


# ---- What is right ------------------------------------------------------------------------------------------


def small(draw, *shape):
    """Multiples of 1/16 in [-1.5, 1.5]: scores of them leave every share visible."""
    return draw(*shape) / np.float32(2)


def softmax(scores, axis=-1):
    """Shares that add up to 1; 0 in a row of nothing but -inf."""
    scores = scores.astype(EXACT)
    top = scores.max(axis, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0))
    return e / np.where(e.sum(axis, keepdims=True) == 0, 1, e.sum(axis, keepdims=True))


def columns(scores):
    """What a plain softmax over the queries gives: nan where a key is hidden from all of them."""
    with np.errstate(all="ignore"):
        e = np.exp(scores - scores.max(-2, keepdims=True))
        return e / e.sum(-2, keepdims=True)


def products(query, key):
    """The dot product of each query with each key."""
    return query.astype(EXACT) @ np.swapaxes(key.astype(EXACT), -1, -2)


def scaled(query, key):
    """The products, divided by the root of the vectors' size."""
    return products(query, key) / np.sqrt(query.shape[-1])


def hidden(scores, mask):
    """The scores with -inf where a boolean mask is False."""
    return np.where(mask, scores, -np.inf)


def earlier(queries, keys):
    """The causal mask."""
    return np.tri(queries, keys, dtype=np.bool_)


def split(x, heads):
    """(..., T, D) -> (..., H, T, D / H)."""
    return np.swapaxes(x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads), -3, -2)


def split_by_reshape(x, heads):
    """The right shape with the wrong numbers in it."""
    return x.reshape(*x.shape[:-2], heads, x.shape[-2], x.shape[-1] // heads)


def join(x):
    """(..., H, T, D / H) -> (..., T, D)."""
    return np.swapaxes(x, -3, -2).reshape(*x.shape[:-3], x.shape[-2], -1)


def join_by_reshape(x):
    """The right shape with the wrong numbers in it."""
    return x.reshape(*x.shape[:-3], x.shape[-2], -1)


def some_mask(draw, *shape):
    """Booleans at random, in which every row has a True and a False."""
    rows = np.arange(shape[-1]) < draw.integers(1, shape[-1], *shape[:-1], 1)
    return np.asarray(draw.rng.permuted(rows, axis=-1), np.bool_)


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


def gradients(name, arrays, grad, options):
    """What a function hands back to its inputs, which all require a gradient: None where nothing came."""
    inputs = [tt.Tensor(a, requires_grad=True, dtype=a.dtype) for a in arrays]
    options = {key: tt.tensor(value) if isinstance(value, np.ndarray) else value for key, value in options.items()}
    getattr(tt, name)(*inputs, **options).backward(tt.tensor(grad))
    return [None if x.grad is None else np.array(x.grad.data, dtype=x.data.dtype) for x in inputs]


def handed_back(lab, name, function, arrays, grad, names, **options):
    """For each input of a function: the gradient that it got, the right one, and what to call it."""
    got = lab(gradients, name, list(arrays), grad, options)
    told = f"after {name}({', '.join(names)}).backward(gradient)"
    for each, right, label in zip(got, slopes(function, arrays, grad), names, strict=True):
        nothing_due = each is None and not right.any()
        yield right.astype(np.float32) if nothing_due else each, right, f"{label}.grad {told}"


# ---- causal_mask --------------------------------------------------------------------------------------------


@exercise("causal_mask", points=2)
def test_causal_mask_lets_each_token_look_back(tt, draw):
    """causal_mask lets each token see itself and what came before it"""
    (n,) = draw.sizes(1)
    right = earlier(n, n)
    same(
        tt.causal_mask(n),
        right,
        mistakes=[
            Mistake(~right, "the mask is the wrong way round: True takes part, and that is the past."),
            Mistake(right.T, FUTURE),
            Mistake(np.tri(n, n, -1, dtype=np.bool_), NO_DIAGONAL),
            Mistake(np.tri(n, n, 1, dtype=np.bool_), "each token sees the next one, which it shall foretell."),
        ],
        smaller="causal_mask(2) is [[True, False], [True, True]]",
    )


@exercise("causal_mask", points=1)
def test_causal_mask_for_more_or_fewer_keys(tt, draw):
    """causal_mask counts queries and keys from 0, however many there are of each"""
    few, many = sorted(draw.sizes(2))
    for n, keys in ((few, many), (many, few)):
        same(
            tt.causal_mask(n, keys),
            earlier(n, keys),
            mistakes=[
                Mistake(np.tri(n, keys, keys - n, dtype=np.bool_), BOTTOM),
                Mistake(earlier(keys, n), "queries stand in the rows, keys in the columns: (n, keys)."),
                Mistake(earlier(n, n), "the number of keys is not looked at."),
                Mistake(earlier(n, keys).T, FUTURE),
            ],
            smaller="causal_mask(1, 2) is [[True, False]]",
        )


# ---- padding_mask -------------------------------------------------------------------------------------------


def padded_ids(draw, batch, tokens, padding_id):
    """Ids of sequences of random length, filled up on the right; every row has some of both."""
    lengths = draw.integers(1, tokens, batch, 1)
    return np.where(np.arange(tokens) < lengths, padding_id + draw.integers(1, 9, batch, tokens), padding_id)


@exercise("padding_mask", points=2)
def test_padding_mask_hides_what_fills_the_row(tt, draw):
    """padding_mask is False where the id is the padding's, for every head and query: (B, 1, 1, T)"""
    batch, tokens = draw.sizes(2)
    padding_id = int(draw.integers(1, 9))
    ids = padded_ids(draw, batch, tokens, padding_id)
    right = (ids != padding_id)[:, None, None]
    same(
        tt.padding_mask(tt.tensor(ids), padding_id),
        right,
        mistakes=[
            Mistake(~right, "the mask is the wrong way round: True takes part."),
            Mistake(
                right[:, 0, 0], "the shape is still (B, T), which scores (B, H, T, S) would take for queries and keys."
            ),
            Mistake(right[:, 0], "a dimension is missing: one for the heads and one for the queries, (B, 1, 1, T)."),
            Mistake(right.reshape(1, 1, batch, tokens), "the two dimensions of size 1 stand behind B, not before it."),
            Mistake(right.reshape(batch, 1, tokens, 1), "this hides queries. Keys stand in the last dimension."),
            Mistake(right.reshape(batch, tokens, 1, 1), "this hides heads. Keys stand in the last dimension."),
            Mistake((ids != 0)[:, None, None], "0 is taken for the padding, whatever padding_id says."),
        ],
        smaller="padding_mask(tensor([[7, 0]]), 0) is [[[[True, False]]]]",
    )


@exercise("padding_mask", points=1)
def test_padding_mask_takes_rows_of_ids(tt, draw):
    """padding_mask refuses vectors in place of ids, and ids that are not in rows"""
    batch, tokens = draw.sizes(2)
    ids = padded_ids(draw, batch, tokens, 0)
    same(tt.padding_mask(tt.tensor(ids), 0), (ids != 0)[:, None, None])
    raises(TypeError, lambda: tt.padding_mask(tt.tensor(ids.astype(np.float32)), 0), mentions=["float32"])
    for shape in ((batch,), (batch, tokens, 2)):
        raises(ValueError, lambda shape=shape: tt.padding_mask(tt.tensor(np.ones(shape, int)), 0), mentions=[shape])


# ---- attention_scores ---------------------------------------------------------------------------------------


@exercise("attention_scores", points=2)
def test_scores_are_dot_products_over_the_root_of_the_size(tt, draw):
    """attention_scores are dot products of queries with keys, divided by the root of the vectors' size"""
    t, s, d = (size + 1 for size in draw.sizes(3))  # no root is a whole size
    q, k = draw(t, d), draw(s, d)
    right = scaled(q, k)
    same(
        tt.attention_scores(named(tt.tensor(q), "query"), named(tt.tensor(k), "key")),
        right,
        mistakes=[
            Mistake(products(q, k), ROOT),
            Mistake(products(q, k) / d, ALL_OF_IT),
            Mistake(products(q, k) * np.sqrt(d), TIMES),
            Mistake(products(q, k) / np.sqrt(s), "the scores are divided by the root of the number of keys."),
            Mistake(products(q, k) / np.sqrt(t), "the scores are divided by the root of the number of queries."),
            Mistake(right.T, "queries stand in the rows, keys in the columns: query @ key, transposed."),
            Mistake(-right, "the sign is wrong: a key that is like the query gets a high score."),
        ],
        smaller="attention_scores(tensor([[2., 0., 0., 0.]]), tensor([[3., 0., 0., 0.]])) is 6 / 2 = 3",
    )


@exercise("attention_scores", points=1)
def test_scores_of_batches_and_heads(tt, draw):
    """attention_scores leaves every sequence and every head to itself, and what is in front broadcasts"""
    b, h, t, s = draw.sizes(4)
    q, k = draw(b, h, t, 3), draw(b, h, s, 3)
    same(tt.attention_scores(named(tt.tensor(q), "query"), named(tt.tensor(k), "key")), scaled(q, k))
    same(tt.attention_scores(named(tt.tensor(q), "query"), named(tt.tensor(k[0, 0]), "key")), scaled(q, k[0, 0]))


@exercise("attention_scores", points=1)
def test_scores_keep_float64(tt, draw):
    """attention_scores keeps float64, with all its digits"""
    q, k = draw.rng.normal(size=(3, 5)), draw.rng.normal(size=(4, 5))
    same(tt.attention_scores(tt.tensor(q, dtype=EXACT), tt.tensor(k, dtype=EXACT)), scaled(q, k), dtype=EXACT)


@exercise("attention_scores", points=2)
def test_scores_hand_gradients_to_both(lab, draw):
    """attention_scores hands gradients back to query and key"""
    t, s, d = draw.sizes(3)
    for got, right, what in handed_back(
        lab, "attention_scores", scaled, [draw(t, d), draw(s, d)], draw(t, s), ["query", "key"]
    ):
        same_array(got, right, what=what, rtol=1e-4, atol=1e-5)


@exercise("attention_scores", points=1)
def test_scores_refuse_what_cannot_be_compared(tt, draw):
    """attention_scores refuses vectors of two sizes, single vectors and integers"""
    t, s, d, other = draw.sizes(4)
    q, k = draw(t, d), draw(s, d)
    query, key = tt.tensor(q), tt.tensor(k)
    same(tt.attention_scores(named(query, "query"), named(key, "key")), scaled(q, k))
    raises(ValueError, lambda: tt.attention_scores(query, tt.tensor(draw(s, other))), mentions=[(t, d), (s, other)])
    raises(ValueError, lambda: tt.attention_scores(tt.tensor(draw(d)), key), mentions=[(d,)])
    raises(TypeError, lambda: tt.attention_scores(query, tt.tensor(draw.integers(0, 9, s, d))), mentions=["int64"])


# ---- mask_scores --------------------------------------------------------------------------------------------


@exercise("mask_scores", points=2)
def test_a_boolean_mask_excludes_where_it_is_false(tt, draw):
    """a boolean mask keeps the score where it is True, and makes it -inf where it is False"""
    t, s = draw.sizes(2)
    a, mask = draw(t, s), some_mask(draw, t, s)
    same(
        tt.mask_scores(named(tt.tensor(a), "scores"), named(tt.tensor(mask), "mask")),
        hidden(a, mask),
        mistakes=[
            Mistake(hidden(a, ~mask), INVERTED),
            Mistake(a, IGNORED),
            Mistake(
                a * mask, "an excluded score became 0, and 0 is a score like any other: its share is not 0. Put -inf."
            ),
            Mistake(a + mask, "the booleans are added as 0 and 1. Only a float mask is added."),
            Mistake(np.where(mask, a, np.inf), "an excluded score became +inf, the highest of all. Put -inf."),
            Mistake(np.where(mask, 0, -np.inf), "the scores are gone: this is the mask."),
            *(
                Mistake(wrong, "a large number is not -inf: a row without keys could not be told from others.")
                for big in (-1e4, -1e9, -1e10, -1e30, np.finfo(np.float32).min)
                for wrong in (np.where(mask, a, big), a + np.where(mask, 0, big))
            ),
        ],
        smaller="mask_scores(tensor([[1., 2.]]), tensor([[True, False]])) is [[1., -inf]]",
    )


@exercise("mask_scores", points=2)
def test_a_float_mask_is_added(tt, draw):
    """a float mask is added to the scores"""
    t, s = draw.sizes(2)
    a, mask = draw(t, s), draw(t, s)
    mask[draw.integers(0, t), draw.integers(0, s)] = -np.inf
    same(
        tt.mask_scores(named(tt.tensor(a), "scores"), named(tt.tensor(mask), "mask")),
        a + mask,
        mistakes=[
            Mistake(a * mask, "the mask is multiplied with the scores. A float mask is added."),
            Mistake(a - mask, "the mask is subtracted. A float mask is added."),
            Mistake(a, "the mask is taken for booleans, and none of its numbers is 0. A float mask is added."),
            Mistake(hidden(a, mask == 0), "the mask is taken for booleans. A float mask is added."),
        ],
        smaller="mask_scores(tensor([[1., 2.]]), tensor([[0., -2.]])) is [[1., 0.]]",
    )


@exercise("mask_scores", points=1)
def test_a_mask_broadcasts(tt, draw):
    """a mask for keys, for queries and keys, or for each sequence broadcasts over the rest"""
    b, h, t, s = draw.sizes(4)
    a = draw(b, h, t, s)
    for shape in ((s,), (t, s), (b, 1, 1, s)):
        mask = some_mask(draw, *shape)
        same(tt.mask_scores(named(tt.tensor(a), "scores"), named(tt.tensor(mask), "mask")), hidden(a, mask))
        numbers = draw(*shape)
        same(tt.mask_scores(named(tt.tensor(a), "scores"), named(tt.tensor(numbers), "mask")), a + numbers)


@exercise("mask_scores", points=1)
def test_mask_scores_keeps_float64(tt, draw):
    """mask_scores keeps float64, with all its digits, also under a boolean mask"""
    a, mask = draw.rng.normal(size=(3, 4)), some_mask(draw, 3, 4)
    same(tt.mask_scores(tt.tensor(a, dtype=EXACT), tt.tensor(mask)), hidden(a, mask), dtype=EXACT)
    same(tt.mask_scores(tt.tensor(a, dtype=EXACT), tt.tensor(a, dtype=EXACT)), a + a, dtype=EXACT)


@exercise("mask_scores", points=1)
def test_a_float_mask_can_learn(lab, draw):
    """a float mask gets a gradient, in its own shape, and so do the scores"""
    b, t, s = draw.sizes(3)
    arrays = [draw(b, t, s), draw(t, s)]
    for got, right, what in handed_back(lab, "mask_scores", np.add, arrays, draw(b, t, s), ["scores", "attn_mask"]):
        same_array(got, right, what=what, rtol=1e-4, atol=1e-5)


@exercise("mask_scores", points=1)
def test_what_is_no_mask_is_refused(tt, draw):
    """mask_scores refuses integers for a mask, and a mask that does not broadcast to the scores"""
    b, t, s = draw.sizes(3)
    a, mask = draw(b, t, s), some_mask(draw, t, s)
    scores = tt.tensor(a)
    same(tt.mask_scores(named(scores, "scores"), named(tt.tensor(mask), "mask")), hidden(a, mask))
    raises(TypeError, lambda: tt.mask_scores(scores, tt.tensor(mask.astype(np.int64))), mentions=["int64"])
    for shape in ((s + 1,), (s, t), (b, b, t, s)):
        wrong = tt.tensor(np.ones(shape, np.bool_))
        raises(ValueError, lambda wrong=wrong: tt.mask_scores(scores, wrong), mentions=[shape, (b, t, s)])


# ---- masked_softmax -----------------------------------------------------------------------------------------


def some_scores(draw, *shape):
    """Scores with some -inf in every row, never all."""
    return np.asarray(hidden(draw(*shape), some_mask(draw, *shape)), np.float32)


@exercise("masked_softmax", points=1)
def test_masked_softmax_shares_among_those_that_take_part(tt, draw):
    """masked_softmax turns each row into shares that add up to 1, and gives nothing to a score of -inf"""
    b, t, s = draw.sizes(3)
    a = some_scores(draw, b, t, s)
    same(
        tt.masked_softmax(named(tt.tensor(a), "scores")),
        softmax(a),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(columns(a), COLUMNS),
            Mistake(np.exp(a), "these are not shares yet: divide by the sum of the row."),
            Mistake(softmax(np.where(np.isinf(a), 0, a)), "a score of -inf is taken for 0, and gets a share."),
        ],
        smaller="masked_softmax(tensor([[0., -math.inf]])) is [[1., 0.]]",
    )


@exercise("masked_softmax", points=3)
def test_a_row_without_keys_gives_zeros(tt, draw):
    """a row of nothing but -inf gives zeros, without a warning, and leaves the other rows alone"""
    t, s = draw.sizes(2)
    a = some_scores(draw, t, s)
    alone = int(draw.integers(0, t))
    a[alone] = -np.inf
    here = (np.arange(t) == alone)[:, None]
    with calm(tt):
        same(
            tt.masked_softmax(named(tt.tensor(a), "scores")),
            softmax(a),
            mistakes=[
                Mistake(np.where(here, np.nan, softmax(a)), NOT_A_NUMBER),
                Mistake(np.where(here, 1 / s, softmax(a)), UNIFORM),
                Mistake(np.zeros((t, s)), "all rows give zeros. Only the one without keys does."),
            ],
            smaller="masked_softmax(tensor([[-math.inf, -math.inf]])) is [[0., 0.]]",
        )


@exercise("masked_softmax", points=2)
def test_a_row_without_keys_hands_no_gradient_on(tt, lab, draw):
    """a row of nothing but -inf hands zeros back, not nan, and the other rows their gradient"""
    t, s = draw.sizes(2)
    a, grad = draw(t, s), draw(t, s)
    alone = int(draw.integers(0, t))
    a[alone] = -np.inf
    y = softmax(a)
    right = y * (grad - (grad * y).sum(-1, keepdims=True))
    here = (np.arange(t) == alone)[:, None]
    with calm(tt):
        (got,) = lab(gradients, "masked_softmax", [a], grad, {})
    same_array(
        got,
        right,
        what="scores.grad after masked_softmax(scores).backward(gradient), one row all -inf",
        mistakes=[
            Mistake(
                np.where(here, np.nan, right),
                "the gradient is nan where no key takes part: 0 * nan is nan. Keep the row's -inf out of softmax.",
            ),
            Mistake(np.full((t, s), np.nan), "the gradient is nan everywhere. Keep the row's -inf out of softmax."),
        ],
    )


# ---- attention_weights --------------------------------------------------------------------------------------


def weights_of(tt, q, k, **options):
    """attention_weights of two arrays, under the names that its docstring has."""
    return tt.attention_weights(named(tt.tensor(q), "query"), named(tt.tensor(k), "key"), **options)


@exercise("attention_weights", points=2)
def test_weights_share_out_each_querys_attention(tt, draw):
    """attention_weights are the shares that each query pays to the keys, and add up to 1"""
    t, s, d = draw.sizes(3)
    q, k = small(draw, t, d), small(draw, s, d)
    scores = scaled(q, k)
    same(
        weights_of(tt, q, k),
        softmax(scores),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(scores, "these are the scores. Softmax makes shares of them."),
            Mistake(softmax(scores, -2), COLUMNS),
            Mistake(softmax(products(q, k)), ROOT),
        ],
        smaller="attention_weights(zeros(1, 3), zeros(2, 3)) is [[0.5, 0.5]]",
    )


@exercise("attention_weights", points=2)
def test_causal_weights_do_not_look_ahead(tt, draw):
    """with is_causal=True no query looks at a later key, with as many keys as queries, more, or fewer"""
    few, many = sorted(draw.sizes(2))
    for t, s in ((many, many), (few, many), (many, few)):
        q, k = small(draw, t, 4), small(draw, s, 4)
        scores, mask = scaled(q, k), earlier(t, s)
        same(
            weights_of(tt, q, k, is_causal=True),
            softmax(hidden(scores, mask)),
            show=("row sum", lambda y: y.sum(-1)),
            mistakes=[
                Mistake(softmax(scores), NOT_CAUSAL),
                Mistake(softmax(scores) * mask, AFTERWARDS),
                Mistake(softmax(scores * mask), "later scores became 0, and 0 is a score like any other. Put -inf."),
                Mistake(softmax(hidden(scores, np.tri(t, s, s - t, dtype=np.bool_))), BOTTOM),
                Mistake(softmax(hidden(scores, np.tri(t, s, -1, dtype=np.bool_))), NO_DIAGONAL),
                Mistake(softmax(hidden(scores, ~earlier(t, s))), FUTURE),
                Mistake(softmax(hidden(scores, earlier(s, t).T)), FUTURE),
            ],
            smaller="attention_weights(zeros(2, 3), zeros(2, 3), is_causal=True) is [[1., 0.], [0.5, 0.5]]",
        )


@exercise("attention_weights", points=2)
def test_weights_under_a_mask(tt, draw):
    """attn_mask decides who takes part: True does, False does not; a float mask is added to the scores"""
    b, t, s = draw.sizes(3)
    q, k, mask, numbers = small(draw, b, t, 4), small(draw, b, s, 4), some_mask(draw, t, s), draw(b, 1, s)
    scores = scaled(q, k)
    same(
        weights_of(tt, q, k, attn_mask=named(tt.tensor(mask), "mask")),
        softmax(hidden(scores, mask)),
        show=("row sum", lambda y: y.sum(-1)),
        mistakes=[
            Mistake(softmax(scores), IGNORED),
            Mistake(softmax(hidden(scores, ~mask)), INVERTED),
            Mistake(softmax(scores) * mask, AFTERWARDS),
            Mistake(softmax(scores * mask), "excluded scores became 0, and 0 is a score like any other. Put -inf."),
        ],
    )
    same(
        weights_of(tt, q, k, attn_mask=named(tt.tensor(numbers), "mask")),
        softmax(scores + numbers),
        mistakes=[Mistake(softmax(scores), IGNORED)],
    )


@exercise("attention_weights", points=2)
def test_weights_of_a_query_without_keys(tt, draw):
    """a query for which the mask leaves no key pays nothing to any, without a warning"""
    b, t, s = draw.sizes(3)
    q, k, mask = small(draw, b, t, 4), small(draw, b, s, 4), some_mask(draw, b, 1, s)
    mask[draw.integers(0, b)] = False
    shares = softmax(hidden(scaled(q, k), mask))
    nobody = ~mask.any(-1, keepdims=True)
    with calm(tt):
        same(
            weights_of(tt, q, k, attn_mask=named(tt.tensor(mask), "mask")),
            shares,
            mistakes=[
                Mistake(np.where(nobody, np.nan, shares), NOT_A_NUMBER),
                Mistake(np.where(nobody, 1 / s, shares), UNIFORM),
                Mistake(np.where(nobody, softmax(scaled(q, k)), shares), "a row without any key is left unmasked."),
            ],
        )
        floats = np.where(mask, 0, -np.inf).astype(np.float32)
        same(
            weights_of(tt, q, k, attn_mask=named(tt.tensor(floats), "mask")),
            shares,
            mistakes=[Mistake(np.where(nobody, np.nan, shares), NOT_A_NUMBER)],
        )


@exercise("attention_weights", points=1)
def test_weights_take_one_mask_only(tt, draw):
    """attention_weights refuses attn_mask together with is_causal=True"""
    t, s = draw.sizes(2)
    q, k, mask = small(draw, t, 4), small(draw, s, 4), some_mask(draw, t, s)
    query, key, both = tt.tensor(q), tt.tensor(k), tt.tensor(mask)
    same(weights_of(tt, q, k, attn_mask=both), softmax(hidden(scaled(q, k), mask)))
    same(weights_of(tt, q, k, is_causal=True), softmax(hidden(scaled(q, k), earlier(t, s))))
    raises(
        (RuntimeError, ValueError),
        lambda: tt.attention_weights(query, key, attn_mask=both, is_causal=True),
        mentions=["attn_mask", "is_causal"],
    )


# ---- scaled_dot_product_attention ---------------------------------------------------------------------------


def attended(q, k, v, mask=None):
    """What attention gives in float64; a mask is boolean."""
    scores = scaled(q, k)
    return softmax(scores if mask is None else hidden(scores, mask)) @ v.astype(EXACT)


def attention_of(tt, q, k, v, **options):
    """scaled_dot_product_attention of three arrays, under the names that its docstring has."""
    query, key, value = (named(tt.tensor(x), n) for x, n in ((q, "query"), (k, "key"), (v, "value")))
    return tt.scaled_dot_product_attention(query, key, value, **options)


@exercise("scaled_dot_product_attention", points=2)
def test_attention_mixes_the_values(tt, draw):
    """scaled_dot_product_attention hands each query the values, mixed in the shares that it pays to their keys"""
    t, s, d, e = draw.sizes(4)
    q, k, v = small(draw, t, d), small(draw, s, d), draw(s, e)
    same(
        attention_of(tt, q, k, v),
        attended(q, k, v),
        mistakes=[
            Mistake(softmax(products(q, k)) @ v, ROOT),
            Mistake(softmax(products(q, k) / d) @ v, ALL_OF_IT),
            Mistake(softmax(scaled(q, k), -2) @ v, COLUMNS),
            Mistake(scaled(q, k) @ v, "the values are mixed by scores. Softmax makes shares of them."),
            Mistake(softmax(scaled(q, k)), "these are the shares. Multiply them with the values."),
        ],
        smaller="scaled_dot_product_attention(zeros(1, 3), zeros(2, 3), tensor([[2.], [4.]])) is [[3.]]",
    )


@exercise("scaled_dot_product_attention", points=2)
def test_attention_obeys_its_masks(tt, draw):
    """scaled_dot_product_attention obeys attn_mask and is_causal, head by head"""
    b, h, t, s = draw.sizes(4)
    q, k, v = small(draw, b, h, t, 3), small(draw, b, h, s, 3), draw(b, h, s, 2)
    mask = some_mask(draw, b, 1, 1, s)
    free = attended(q, k, v)
    same(
        attention_of(tt, q, k, v, attn_mask=named(tt.tensor(mask), "mask")),
        attended(q, k, v, mask),
        mistakes=[Mistake(free, IGNORED), Mistake(attended(q, k, v, ~mask), INVERTED)],
    )
    same(
        attention_of(tt, q, k, v, is_causal=True),
        attended(q, k, v, earlier(t, s)),
        mistakes=[Mistake(free, NOT_CAUSAL)],
    )


@exercise("scaled_dot_product_attention", points=1)
def test_attention_keeps_float64(tt, draw):
    """scaled_dot_product_attention keeps float64, with all its digits, also where no key takes part"""
    q, k, v = draw.rng.normal(size=(3, 5)), draw.rng.normal(size=(4, 5)), draw.rng.normal(size=(4, 2))
    for mask in (None, some_mask(draw, 3, 4), (np.arange(3) != draw.integers(0, 3))[:, None]):
        got = tt.scaled_dot_product_attention(
            *(tt.tensor(x, dtype=EXACT) for x in (q, k, v)), attn_mask=None if mask is None else tt.tensor(mask)
        )
        same(got, attended(q, k, v, mask), dtype=EXACT)


@exercise("scaled_dot_product_attention", points=2)
def test_attention_hands_gradients_to_all_three(lab, draw):
    """scaled_dot_product_attention hands gradients back to query, key and value"""
    t, s, d, e = draw.sizes(4)
    arrays, grad = [small(draw, t, d), small(draw, s, d), draw(s, e)], draw(t, e)
    names = ["query", "key", "value"]
    for got, right, what in handed_back(lab, "scaled_dot_product_attention", attended, arrays, grad, names):
        same_array(got, right, what=what, rtol=1e-4, atol=1e-5)
    causal = lambda q, k, v: attended(q, k, v, earlier(t, s))  # noqa: E731 -- one line, used once
    for got, right, what in handed_back(
        lab, "scaled_dot_product_attention", causal, arrays, grad, names, is_causal=True
    ):
        same_array(got, right, what=what, rtol=1e-4, atol=1e-5)


@exercise("scaled_dot_product_attention", points=2)
def test_attention_of_a_query_without_keys(tt, lab, draw):
    """a query without any key gets zeros, and hands back no nan"""
    t, s, d, e = draw.sizes(4)
    arrays, grad = [small(draw, t, d), small(draw, s, d), draw(s, e)], draw(t, e)
    mask = some_mask(draw, t, s)
    mask[draw.integers(0, t)] = False
    right = attended(*arrays, mask)
    alone = ~mask.any(-1, keepdims=True)
    function = lambda q, k, v: attended(q, k, v, mask)  # noqa: E731 -- one line, used once
    with calm(tt):
        same(
            attention_of(tt, *arrays, attn_mask=named(tt.tensor(mask), "mask")),
            right,
            mistakes=[
                Mistake(np.where(alone, np.nan, right), NOT_A_NUMBER),
                Mistake(np.where(alone, arrays[2].mean(0), right), UNIFORM),
            ],
        )
        names = ["query", "key", "value"]
        for got, right, what in handed_back(
            lab, "scaled_dot_product_attention", function, arrays, grad, names, attn_mask=mask
        ):
            same_array(got, right, what=what, rtol=1e-4, atol=1e-5)


@exercise("scaled_dot_product_attention", points=1)
def test_attention_wants_one_value_per_key(tt, draw):
    """scaled_dot_product_attention refuses values that are not one per key, and integers"""
    t, s, other = draw.sizes(3)
    q, k, v = small(draw, t, 4), small(draw, s, 4), draw(s, 3)
    query, key = tt.tensor(q), tt.tensor(k)
    same(attention_of(tt, q, k, v), attended(q, k, v))
    raises(
        ValueError,
        lambda: tt.scaled_dot_product_attention(query, key, tt.tensor(draw(other, 3))),
        mentions=[(s, 4), (other, 3)],
    )
    whole = tt.tensor(draw.integers(0, 9, s, 3))
    raises(TypeError, lambda: tt.scaled_dot_product_attention(query, key, whole), mentions=["int64"])


# ---- split_heads and join_heads -----------------------------------------------------------------------------


@exercise("split_heads", points=2)
def test_split_heads_gives_each_head_a_piece_of_every_token(tt, draw):
    """split_heads gives each head its piece of every token's vector: (..., T, D) to (..., H, T, D / H)"""
    b, t, h, size = draw.sizes(4)
    for shape in ((b, t, h * size), (t, h * size), (2, b, t, h * size)):
        a = draw(*shape)
        right = split(a, h)
        same(
            tt.split_heads(named(tt.tensor(a), "x"), h),
            right,
            mistakes=[
                Mistake(split_by_reshape(a, h), RESHAPED),
                Mistake(np.swapaxes(right, -3, -2), "heads and tokens are still in the wrong order: exchange the two."),
                Mistake(
                    np.moveaxis(a.reshape(*a.shape[:-1], size, h), -1, -3),
                    "each head gets every H-th number. Its piece is D / H numbers that follow each other.",
                ),
            ],
            smaller="split_heads(tensor([[1., 2.], [3., 4.]]), 2) is [[[1.], [3.]], [[2.], [4.]]]",
        )


@exercise("split_heads", points=1)
def test_split_heads_hands_its_gradient_back(lab, draw):
    """split_heads hands the gradient of every piece back to where it was cut"""
    t, h, size = draw.sizes(3)
    function = lambda x: split(x, h)  # noqa: E731 -- one line, used once
    for got, right, what in handed_back(
        lab, "split_heads", function, [draw(t, h * size)], draw(h, t, size), ["x"], num_heads=h
    ):
        same_array(got, right, what=what, rtol=1e-4, atol=1e-5)


@exercise("split_heads", points=1)
def test_split_heads_refuses_what_cannot_be_divided(tt, draw):
    """split_heads refuses a vector that cannot be divided evenly among the heads, and names both numbers"""
    t, h, size = draw.sizes(3)
    a = draw(t, h * size)
    same(tt.split_heads(named(tt.tensor(a), "x"), h), split(a, h))
    wrong = h * size + int(draw.integers(1, h))
    raises(ValueError, lambda: tt.split_heads(tt.tensor(draw(t, wrong)), h), mentions=[wrong, h])


@exercise("join_heads", points=2)
def test_join_heads_puts_the_pieces_side_by_side(tt, draw):
    """join_heads puts each token's pieces side by side again: (..., H, T, D / H) to (..., T, D)"""
    b, t, h, size = draw.sizes(4)
    for shape in ((b, h, t, size), (h, t, size), (2, b, h, t, size)):
        a = draw(*shape)
        same(
            tt.join_heads(named(tt.tensor(a), "x")),
            join(a),
            mistakes=[
                Mistake(
                    join_by_reshape(a), "heads are put one after another, which mixes tokens: exchange them first."
                ),
                Mistake(
                    np.swapaxes(a, -3, -2), "the pieces are not side by side yet: reshape the last two dimensions."
                ),
                Mistake(
                    np.moveaxis(a, -3, -1).reshape(*a.shape[:-3], t, -1),
                    "the pieces are interlaced, number by number. Each piece stays together.",
                ),
            ],
            smaller="join_heads(tensor([[[1.], [3.]], [[2.], [4.]]])) is [[1., 2.], [3., 4.]]",
        )


@exercise("join_heads", points=1)
def test_join_heads_hands_its_gradient_back(lab, draw):
    """join_heads hands every piece its gradient back"""
    t, h, size = draw.sizes(3)
    for got, right, what in handed_back(lab, "join_heads", join, [draw(h, t, size)], draw(t, h * size), ["x"]):
        same_array(got, right, what=what, rtol=1e-4, atol=1e-5)


# ---- MultiHeadAttention -------------------------------------------------------------------------------------

LAYERS = ("query", "key", "value", "out")


def parameters_of(draw, size):
    """Random weights and biases for the four layers, by their names."""
    arrays = {}
    for layer in LAYERS:
        arrays[f"{layer}.weight"] = draw.uniform(-0.8, 0.8, size, size)
        arrays[f"{layer}.bias"] = draw.uniform(-0.8, 0.8, size)
    return arrays


def projected(layer, x, parameters):
    """x @ weight + bias."""
    return x.astype(EXACT) @ parameters[f"{layer}.weight"].astype(EXACT) + parameters[f"{layer}.bias"]


def shares_of(q, k, heads, parameters, mask=None, cut=split, divisor=None):
    """The shares that each head pays, (..., H, T, S); `cut` and `divisor` make them wrong."""
    queries, keys = (cut(projected(layer, x, parameters), heads) for layer, x in (("query", q), ("key", k)))
    scores = products(queries, keys) / (divisor or np.sqrt(queries.shape[-1]))
    return softmax(scores if mask is None else hidden(scores, mask))


def multi_head(q, k, v, heads, parameters, mask=None, cut=split, glue=join, divisor=None):
    """What MultiHeadAttention gives; the last three make it wrong."""
    shares = shares_of(q, k, heads, parameters, mask, cut, divisor)
    return projected("out", glue(shares @ cut(projected("value", v, parameters), heads)), parameters)


def attend(size, heads, parameters, method, arrays, options):
    """What a method of a MultiHeadAttention with these parameters gives."""
    attention = tt.MultiHeadAttention(size, heads)
    for name, array in parameters.items():
        layer, part = name.split(".")
        getattr(getattr(attention, layer), part).data[...] = array
    inputs = [tt.tensor(a) for a in arrays]
    options = {key: tt.tensor(value) if isinstance(value, np.ndarray) else value for key, value in options.items()}
    return getattr(attention, method)(*inputs, **options)


def called(arrays, options, name="attention"):
    """How a report names a call."""
    inputs = [f"{label} {a.shape}" for label, a in zip(("query", "key", "value"), arrays, strict=False)]
    extra = [
        f"{key}={value.shape}" if isinstance(value, np.ndarray) else f"{key}={value}" for key, value in options.items()
    ]
    return f"{name}({', '.join(inputs + extra)})"


def parts(size, heads):
    """The names of the parameters of a MultiHeadAttention, their shapes, and the two numbers that it keeps."""
    attention = tt.MultiHeadAttention(size, heads)
    found = dict(attention.named_parameters())
    names = sorted(found)
    return names, [tuple(found[name].shape) for name in names], [attention.embed_dim, attention.num_heads]


@exercise("MultiHeadAttention.__init__", points=2)
def test_multi_head_attention_has_four_layers(lab, draw):
    """MultiHeadAttention(D, H) has four Linear layers of size D: query, key, value and out"""
    h, size = draw.sizes(2)
    d = h * size
    names = sorted(f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias"))
    found, shapes, kept = lab(parts, d, h)
    same(
        found,
        names,
        what=f"names of the parameters of MultiHeadAttention({d}, {h})",
        mistakes=[
            Mistake([name for name in names if "weight" in name], "the biases are missing. Each layer has one."),
            Mistake([], "no layer was noted. Assign them to self.query, self.key, self.value and self.out."),
            Mistake(
                [name for name in names if "out" not in name], "self.out is missing: it mixes what the heads found."
            ),
        ],
    )
    same(
        shapes,
        [(d, d) if "weight" in name else (d,) for name in names],
        what=f"shapes of the parameters of MultiHeadAttention({d}, {h}), sorted by name",
    )
    same(
        kept,
        [d, h],
        what=f"embed_dim and num_heads of MultiHeadAttention({d}, {h})",
        mistakes=[Mistake([size, h], "embed_dim is the size of the whole vector, not of a head's piece.")],
    )


@exercise("MultiHeadAttention.__init__", points=1)
def test_multi_head_attention_refuses_heads_that_do_not_divide(tt, lab, draw):
    """MultiHeadAttention refuses heads that do not divide embed_dim, and names both numbers"""
    h, size = draw.sizes(2)
    d = h * size + int(draw.integers(1, h))
    same(
        lab(parts, h * size, h)[2],
        [h * size, h],
        what=f"embed_dim and num_heads of MultiHeadAttention({h * size}, {h})",
    )
    raises(ValueError, lambda: tt.MultiHeadAttention(d, h), mentions=[d, h])
    raises(ValueError, lambda: tt.MultiHeadAttention(d, 0), mentions=[d, 0])


@exercise("MultiHeadAttention.forward", points=3)
def test_heads_attend_each_by_itself(lab, draw):
    """in self-attention the tokens look at each other, every head at its own piece of their vectors"""
    b, t, h, size = draw.sizes(4)
    d = h * size
    p = parameters_of(draw, d)
    for shape in ((b, t, d), (t, d)):
        x = small(draw, *shape)
        variant = lambda p=p, h=h, x=x, **wrong: multi_head(x, x, x, h, p, **wrong)  # noqa: E731 -- only a shorter name
        unmixed = {**p, "out.weight": np.eye(d), "out.bias": np.zeros(d)}
        swapped = {**p, **{f"key.{part}": p[f"query.{part}"] for part in ("weight", "bias")}}
        swapped |= {f"query.{part}": p[f"key.{part}"] for part in ("weight", "bias")}
        same(
            lab(attend, d, h, p, "forward", [x], {}),
            variant(),
            rtol=1e-4,
            atol=1e-5,
            what=called([x], {}),
            mistakes=[
                Mistake(
                    variant(glue=join_by_reshape), "the heads are joined without exchanging heads and tokens first."
                ),
                Mistake(variant(cut=split_by_reshape), "the heads are split by a reshape alone, which mixes tokens."),
                Mistake(
                    variant(cut=split_by_reshape, glue=join_by_reshape),
                    "the heads are split and joined by a reshape alone, which mixes tokens.",
                ),
                Mistake(
                    variant(divisor=np.sqrt(d)),
                    "the scores are divided by the root of embed_dim, not of a head's size.",
                ),
                Mistake(variant(h=1), "there is one head for all. Split all three into num_heads."),
                Mistake(variant(p=unmixed), "what the heads found does not go through self.out."),
                Mistake(variant(p=swapped), "query and key are confused: each goes through the layer of its name."),
            ],
        )


@exercise("MultiHeadAttention.forward", points=2)
def test_cross_attention_looks_at_other_tokens(lab, draw):
    """in cross-attention the queries look at other tokens, and the values are those tokens, or a third tensor"""
    b, t, s, h = draw.sizes(4)
    d = 2 * h
    p, x, memory, third = parameters_of(draw, d), small(draw, b, t, d), small(draw, b, s, d), small(draw, b, s, d)
    same(
        lab(attend, d, h, p, "forward", [x, memory], {}),
        multi_head(x, memory, memory, h, p),
        rtol=1e-4,
        atol=1e-5,
        what=called([x, memory], {}),
        mistakes=[Mistake(multi_head(x, x, x, h, p), "the key is not looked at: the queries look at each other.")],
    )
    same(
        lab(attend, d, h, p, "forward", [x, memory, third], {}),
        multi_head(x, memory, third, h, p),
        rtol=1e-4,
        atol=1e-5,
        what=called([x, memory, third], {}),
        mistakes=[Mistake(multi_head(x, memory, memory, h, p), "the value is not looked at: the key is taken for it.")],
    )


@exercise("MultiHeadAttention.forward", points=2)
def test_heads_obey_the_masks(lab, draw):
    """every head obeys attn_mask, which broadcasts to (B, H, T, S), and is_causal"""
    b, t, h = draw.sizes(3)
    d = 2 * h
    p, x = parameters_of(draw, d), small(draw, b, t, d)
    free = multi_head(x, x, x, h, p)
    padding = some_mask(draw, b, 1, 1, t)
    for options, mask in (({"attn_mask": padding}, padding), ({"is_causal": True}, earlier(t, t))):
        (name,) = options
        same(
            lab(attend, d, h, p, "forward", [x], options),
            multi_head(x, x, x, h, p, mask),
            rtol=1e-4,
            atol=1e-5,
            what=called([x], options),
            mistakes=[Mistake(free, f"{name} is not looked at."), Mistake(multi_head(x, x, x, h, p, ~mask), INVERTED)],
        )


@exercise("MultiHeadAttention.forward", points=1)
def test_a_sequence_of_padding_gives_the_bias(tt, lab, draw):
    """a sequence of nothing but padding comes out as the bias of out, without nan, and leaves the others alone"""
    b, t, h = draw.sizes(3)
    d = 2 * h
    p, x = parameters_of(draw, d), small(draw, b, t, d)
    mask = some_mask(draw, b, 1, 1, t)
    mask[draw.integers(0, b)] = False
    right = multi_head(x, x, x, h, p, mask)
    with calm(tt):
        same(
            lab(attend, d, h, p, "forward", [x], {"attn_mask": mask}),
            right,
            rtol=1e-4,
            atol=1e-5,
            what=called([x], {"attn_mask": mask}),
            mistakes=[Mistake(np.where(mask[:, 0].any(-1, keepdims=True), right, np.nan), NOT_A_NUMBER)],
        )


def learnt(size, heads, parameters, array, grad):
    """The gradients of the input and of each parameter after one pass: None where nothing came."""
    attention = tt.MultiHeadAttention(size, heads)
    tensors = {"x": tt.tensor(array, requires_grad=True)}
    for name, values in parameters.items():
        layer, part = name.split(".")
        tensors[name] = getattr(getattr(attention, layer), part)
        tensors[name].data[...] = values
    attention(tensors["x"], is_causal=True).backward(tt.tensor(grad))
    return [None if each.grad is None else np.array(each.grad.data, dtype=np.float32) for each in tensors.values()]


@exercise("MultiHeadAttention.forward", points=2)
def test_gradients_reach_every_layer(lab, draw):
    """gradients reach the input and all eight parameters"""
    t, h = draw.choice([2, 3]), draw.choice([2, 3])
    d = 2 * h
    p, x, grad = parameters_of(draw, d), small(draw, t, d), draw(t, d)
    names = list(p)
    function = lambda x, *arrays: multi_head(x, x, x, h, dict(zip(names, arrays, strict=True)), earlier(t, t))  # noqa: E731
    got = lab(learnt, d, h, p, x, grad)
    for each, right, name in zip(got, slopes(function, [x, *p.values()], grad), ["x", *names], strict=True):
        same_array(each, right, rtol=1e-3, atol=1e-4, what=f"{name}.grad after attention(x).backward(gradient)")


@exercise("MultiHeadAttention.forward", points=1)
def test_heads_refuse_what_does_not_fit(lab, draw):
    """MultiHeadAttention refuses token ids, vectors of another size, and values that are not one per key"""
    t, s, h = draw.sizes(3)
    d = 2 * h
    p, x, memory = parameters_of(draw, d), small(draw, t, d), small(draw, s, d)
    same(
        lab(attend, d, h, p, "forward", [x, memory], {}),
        multi_head(x, memory, memory, h, p),
        rtol=1e-4,
        atol=1e-5,
        what=called([x, memory], {}),
    )
    for place, count in enumerate((t, s, s)):
        wrong, ids = small(draw, count, d + h), draw.integers(0, 9, count, d)  # rows that a Linear would take
        sizes, kinds = [[x, memory, memory] for _ in range(2)]
        sizes[place], kinds[place] = wrong, ids
        raises(ValueError, lambda bad=sizes: lab(attend, d, h, p, "forward", bad, {}), mentions=[wrong.shape, d])
        raises(TypeError, lambda bad=kinds: lab(attend, d, h, p, "forward", bad, {}), mentions=["int64"])
    raises(ValueError, lambda: lab(attend, d, h, p, "forward", [x, memory, x], {}), mentions=[s, t])


@exercise("MultiHeadAttention.attention_map", points=2)
def test_attention_map_shows_every_heads_shares(lab, draw):
    """attention_map gives the shares that each head pays: (..., H, T, S)"""
    b, t, s, h = draw.sizes(4)
    d = 2 * h
    p, x, memory = parameters_of(draw, d), small(draw, b, t, d), small(draw, b, s, d)
    for arrays in ([x], [x, memory]):
        right = shares_of(x, arrays[-1], h, p)
        same(
            lab(attend, d, h, p, "attention_map", arrays, {}),
            right,
            rtol=1e-4,
            atol=1e-5,
            what=called(arrays, {}, "attention.attention_map"),
            mistakes=[
                Mistake(right.mean(-3), "the heads are averaged. A picture is due for each."),
                Mistake(multi_head(x, arrays[-1], arrays[-1], h, p), "this is what forward gives, not the shares."),
                Mistake(shares_of(x, arrays[-1], h, p, cut=split_by_reshape), RESHAPED),
                Mistake(shares_of(x, arrays[-1], 1, p), "there is one head for all. Split both into num_heads."),
                Mistake(shares_of(x, x, h, p), "the key is not looked at: the queries look at each other."),
            ],
        )


@exercise("MultiHeadAttention.attention_map", points=1)
def test_attention_map_obeys_the_masks(lab, draw):
    """attention_map obeys attn_mask and is_causal"""
    b, t, h = draw.sizes(3)
    d = 2 * h
    p, x = parameters_of(draw, d), small(draw, b, t, d)
    padding = some_mask(draw, b, 1, 1, t)
    for options, mask in (({"attn_mask": padding}, padding), ({"is_causal": True}, earlier(t, t))):
        (name,) = options
        same(
            lab(attend, d, h, p, "attention_map", [x], options),
            shares_of(x, x, h, p, mask),
            rtol=1e-4,
            atol=1e-5,
            what=called([x], options, "attention.attention_map"),
            mistakes=[Mistake(shares_of(x, x, h, p), f"{name} is not looked at.")],
        )


@exercise("MultiHeadAttention.attention_map", points=1)
def test_attention_map_refuses_what_does_not_fit(lab, draw):
    """attention_map refuses token ids in place of vectors, and vectors of another size"""
    t, s, h = draw.sizes(3)
    d = 2 * h
    p, x, memory = parameters_of(draw, d), small(draw, t, d), small(draw, s, d)
    call = "attention.attention_map"
    got = lab(attend, d, h, p, "attention_map", [x, memory], {})
    same(got, shares_of(x, memory, h, p), rtol=1e-4, atol=1e-5, what=called([x, memory], {}, call))
    wrong, ids = small(draw, s, d + h), draw.integers(0, 9, t, d)
    raises(ValueError, lambda: lab(attend, d, h, p, "attention_map", [x, wrong], {}), mentions=[(s, d + h), d])
    for arrays in ([ids, memory], [memory, ids]):
        raises(TypeError, lambda bad=arrays: lab(attend, d, h, p, "attention_map", bad, {}), mentions=["int64"])


def asked(size, heads, parameters, array, order):
    """Which of the maps and outputs that were asked for in this order require a gradient, and the first map."""
    attention = tt.MultiHeadAttention(size, heads)
    for name, values in parameters.items():
        layer, part = name.split(".")
        getattr(getattr(attention, layer), part).data[...] = values
    x = tt.tensor(array, requires_grad=True)
    results = [attention(x) if wanted else attention.attention_map(x) for wanted in order]
    return [bool(result.requires_grad) for result in results], attention.attention_map(x)


@exercise("MultiHeadAttention.attention_map", points=1)
def test_attention_map_has_no_gradient(lab, draw):
    """attention_map records nothing, and what is computed after it is recorded again"""
    t, h = draw.sizes(2)
    d = 2 * h
    order = [bool(flag) for flag in draw.permutation(6) % 2]
    p, x = parameters_of(draw, d), small(draw, t, d)
    flags, shares = lab(asked, d, h, p, x, order)
    same(shares, shares_of(x, x, h, p), rtol=1e-4, atol=1e-5, what="attention.attention_map(x)")
    same(
        flags,
        order,
        what="requires_grad of outputs (True) and maps (False), asked for in turn",
        mistakes=[
            Mistake([True] * 6, "the map is recorded for a gradient that nobody wants. Compute it under no_grad()."),
            Mistake([wanted and not order[:i].count(False) for i, wanted in enumerate(order)], "recording stays off."),
        ],
    )
