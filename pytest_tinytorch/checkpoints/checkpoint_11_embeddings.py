"""Checkpoint 11: embeddings.

The backward rule is asked directly, so that it is judged alone, and then once more through `backward`. Tables at their
start are judged by statistics, each with a tolerance of 6.5 standard deviations of the statistic or more.
"""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import (
    Mistake,
    calm,
    exercise,
    named,
    raises,
    same,
    same_array,
    tensor_data,
    unchanged,
)

LOST = "of the rows with the same id only one is left. `total[ids] += rows` writes each place once: add all of them up."
SHIFTED = "every row is one off. Ids start at 0, as rows do."
NO_GRADIENT = "the result does not know where it came from. End with record(...), or no gradient reaches the table."
PADDED = "the padding row got a gradient. Set its row of the result to zero."


def text(a):
    """Numbers as one types them: [[1.5, -2.0], [0.25, 3.0]]."""
    return str(np.asarray(a).tolist())


def thing(value, what):
    """The student's object; a plain value in its place is a mismatch."""
    if value is None or isinstance(value, bool | int | float | str | tuple | list | dict | np.ndarray | np.generic):
        same(value, "an object", what=what)
    return value


def made(value, name):
    """A layer that the student's code made, under a name in what the student reads."""
    return named(thing(value, name), name)


def repeated(draw, count, *shape):
    """Ids below count, in random order, of which some occur at least twice and, where there are more, some never."""
    size = math.prod(shape)
    some = draw.permutation(count)[: max(1, min(count - 1, size // 2))]
    ids = np.concatenate([some, some, draw.choice(some) * np.ones(size, np.int64)])[:size]
    return ids[draw.permutation(size)].reshape(shape)


def summed(rows, ids, count):
    """What `sum_rows` is to give, and what is left where an assignment keeps only the last row of each id."""
    right, last = np.zeros((2, count, rows.shape[1]), rows.dtype)
    np.add.at(right, ids, rows)
    last[ids] = rows
    return right, last


# ---- check_ids ----------------------------------------------------------------------------------------------


@exercise("check_ids", points=1)
def test_ids_that_are_in_the_table_pass(tt, draw):
    """check_ids hands over the ids, the first and the last row of the table among them"""
    count = int(draw.integers(5, 10))
    ids = np.append(draw.integers(0, count, 6), [0, count - 1])[draw.permutation(8)].reshape(2, 4)
    same_array(
        tt.embeddings.check_ids(tt.tensor(ids), count),
        ids,
        mistakes=[Mistake(ids.reshape(-1), "the shape is lost. The ids come back as they are.")],
        smaller="check_ids(tensor([1, 0]), 2) gives array([1, 0])",
    )
    raises(IndexError, lambda: tt.embeddings.check_ids(tt.tensor(ids), count - 1), mentions=[count - 1])


@exercise("check_ids", points=2)
def test_ids_outside_the_table_are_refused(tt, draw):
    """an id below 0 or beyond the last row raises IndexError, with the id and the number of rows"""
    count = int(draw.integers(40, 90))
    good = draw.integers(0, count, 2, 3)
    below, beyond, just_beyond = good.copy(), good.copy(), good.copy()
    row, column = draw.integers(0, 2), draw.integers(0, 3)
    below[row, column], beyond[row, column] = -draw.integers(1, 9), count + draw.integers(1, 9)
    just_beyond[row, column] = count
    check = tt.embeddings.check_ids
    raises(IndexError, lambda: check(tt.tensor(below), count), mentions=[below.min(), count])
    raises(IndexError, lambda: check(tt.tensor(beyond), count), mentions=[beyond.max(), count])
    raises(IndexError, lambda: check(tt.tensor(just_beyond), count), mentions=[count])
    same_array(check(tt.tensor(good), count), good)


@exercise("check_ids", points=1)
def test_what_is_no_id_is_refused(tt, draw):
    """floats, booleans and what is no Tensor raise TypeError, with the dtype or type"""
    n, m = draw.sizes(2)
    ids = draw.integers(0, 7, n, m)
    check = tt.embeddings.check_ids
    raises(TypeError, lambda: check(tt.tensor(ids.astype(np.float32)), 7), mentions=["float32"])
    raises(TypeError, lambda: check(tt.tensor(ids > 2), 7), mentions=["bool"])
    raises(TypeError, lambda: check(ids.tolist(), 7), mentions=["list"])
    raises(TypeError, lambda: check(ids, 7), mentions=["ndarray"])
    same_array(check(tt.tensor(ids), 7), ids)
    small = tt.tensor(ids.astype(np.uint8), dtype=np.uint8)
    same_array(check(small, 7), ids, dtype=np.uint8, what="check_ids of ids in uint8, which are integers, too")


@exercise("check_ids", points=1)
def test_no_ids_at_all_pass(tt, draw):
    """check_ids lets a Tensor without any ids pass"""
    n, m = draw.sizes(2)
    nothing, ids = np.zeros((0, n), np.int64), draw.integers(0, 7, m)
    same_array(tt.embeddings.check_ids(tt.tensor(nothing, dtype=np.int64), 7), nothing)
    raises(TypeError, lambda: tt.embeddings.check_ids(tt.tensor(nothing, dtype=np.float32), 7), mentions=["float32"])
    same_array(tt.embeddings.check_ids(tt.tensor(ids), 7), ids)


# ---- one_hot ------------------------------------------------------------------------------------------------


@exercise("one_hot", points=2)
def test_one_hot_has_its_one_at_the_id(tt, draw):
    """one_hot has a 1 at the place of each id, and 0 everywhere else"""
    classes, count = (size + 1 for size in draw.sizes(2))
    ids = draw.integers(0, classes, count)
    rows = np.eye(classes, dtype=np.int64)
    same(
        tt.one_hot(tt.tensor(ids), classes),
        rows[ids],
        mistakes=[
            Mistake(rows[ids].T, "ids and classes have changed places. One row per id: (..., num_classes)."),
            Mistake(1 - rows[ids], "ones and zeros have changed places."),
            Mistake(rows[ids - 1], SHIFTED),
            Mistake(np.cumsum(rows[ids][:, ::-1], 1)[:, ::-1], "every place up to the id is 1. Only one place is."),
        ],
        smaller="one_hot(tensor([1, 0]), 2) is [[0, 1], [1, 0]]",
    )


@exercise("one_hot", points=1)
def test_one_hot_of_any_shape(tt, draw):
    """one_hot puts a dimension behind those of the ids, whatever they are"""
    classes, n, m = draw.sizes(3)
    ids = draw.integers(0, classes, n, m)
    rows = np.eye(classes, dtype=np.int64)
    flat = [Mistake(rows[ids.reshape(-1)], "the ids were flattened. Keep their dimensions in front.")]
    same(tt.one_hot(tt.tensor(ids), classes), rows[ids], mistakes=flat)
    same(tt.one_hot(tt.tensor(ids[0, 0]), classes), rows[ids[0, 0]])


@exercise("one_hot", points=1)
def test_one_hot_refuses_ids_without_a_place(tt, draw):
    """one_hot refuses ids that have no place in the row"""
    classes = int(draw.integers(40, 90))
    ids = draw.integers(0, classes, 5)
    beyond, below = np.append(ids, classes), np.append(ids, -3)
    raises(IndexError, lambda: tt.one_hot(tt.tensor(beyond), classes), mentions=[classes])
    raises(IndexError, lambda: tt.one_hot(tt.tensor(below), classes), mentions=[-3, classes])
    same(tt.one_hot(tt.tensor(ids), classes), np.eye(classes, dtype=np.int64)[ids])


# ---- embedding ----------------------------------------------------------------------------------------------


@exercise("embedding", points=2)
def test_embedding_looks_up_a_row_for_every_id(tt, draw):
    """embedding gives the row of the table for every id, in the order of the ids"""
    count, dim = draw.sizes(2)
    weight, ids = draw.distinct(count, dim), draw.integers(0, count, 7)
    columns = weight[:, ids] if ids.max() < dim else None
    same(
        tt.embedding(tt.tensor(ids), tt.tensor(weight)),
        weight[ids],
        mistakes=[
            Mistake(columns, "columns were looked up. A token has a row: weight[ids]."),
            Mistake(weight[ids - 1], SHIFTED),
            Mistake(weight[np.sort(ids)], "the rows come sorted by id. They stand where their ids stand."),
            Mistake(np.eye(count)[ids], "these are one-hot rows. The rows of the table are due."),
        ],
        smaller="embedding(tensor([1, 0]), tensor([[5.], [6.]])) is [[6.], [5.]]",
    )


@exercise("embedding", points=1)
def test_embedding_of_any_shape(tt, draw):
    """embedding keeps the dimensions of the ids in front: a batch, one id, none at all"""
    count, dim, n, m = draw.sizes(4)
    weight, ids = draw(count, dim), draw.integers(0, count, n, m)
    table = tt.tensor(weight)
    flat = [Mistake(weight[ids.reshape(-1)], "the ids were flattened. Keep their dimensions in front.")]
    same(tt.embedding(tt.tensor(ids), table), weight[ids], mistakes=flat)
    same(tt.embedding(tt.tensor(ids[0, 0]), table), weight[ids[0, 0]])
    same(tt.embedding(tt.tensor(ids[:0], dtype=np.int64), table), weight[ids[:0]])


@exercise("embedding", points=1)
def test_embedding_leaves_table_and_ids_alone(tt, draw):
    """embedding keeps the table's dtype, and changes neither table nor ids"""
    count, dim = draw.sizes(2)
    weight, ids = draw(count, dim).astype(np.float64), draw.integers(0, count, 4)
    table, wanted = named(tt.tensor(weight, dtype=np.float64), "table"), named(tt.tensor(ids), "ids")
    same(tt.embedding(wanted, table), weight[ids], dtype=np.float64)
    unchanged(table, weight, what="the table after a look-up")
    unchanged(wanted, ids, what="the ids after a look-up")


@exercise("embedding", points=1)
def test_embedding_reads_the_padding_row_like_any_other(tt, draw):
    """embedding looks up the padding row as it is"""
    count, dim = draw.sizes(2)
    weight = draw(count, dim)
    row = int(draw.integers(0, count))
    ids = np.append(repeated(draw, count, 5), [row, row])
    zeroed = weight.copy()
    zeroed[row] = 0
    same(
        tt.embedding(tt.tensor(ids), tt.tensor(weight), padding_idx=row),
        weight[ids],
        mistakes=[Mistake(zeroed[ids], "the padding row was set to zero. It is only its gradient that is.")],
    )


@exercise("embedding", points=2)
def test_embedding_is_recorded(tt, draw):
    """the rows that embedding looked up require a gradient where the table does"""
    count, dim = draw.sizes(2)
    weight, ids = draw(count, dim), draw.integers(0, count, 3)
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    results = [tt.embedding(tt.tensor(ids), tt.tensor(weight, requires_grad=flag)) for flag in flags]
    same(
        [thing(result, "embedding(ids, table)").requires_grad for result in results],
        flags,
        what="[embedding(ids, table).requires_grad for table in tables]",
        mistakes=[Mistake([False] * 6, NO_GRADIENT)],
    )
    same(draw.choice(results), weight[ids])


@exercise("embedding", points=2)
def test_embedding_refuses_what_it_cannot_look_up(tt, draw):
    """embedding refuses ids outside the table, ids that are floats, a weight that is no table, a padding row beyond"""
    count, dim = int(draw.integers(40, 90)), int(draw.integers(2, 7))
    weight, ids = draw(count, dim), draw.integers(0, count, 5)
    table, good = tt.tensor(weight), tt.tensor(ids)
    raises(IndexError, lambda: tt.embedding(tt.tensor(np.append(ids, count)), table), mentions=[count])
    raises(IndexError, lambda: tt.embedding(tt.tensor(np.append(ids, -2)), table), mentions=[-2, count])
    raises(TypeError, lambda: tt.embedding(tt.tensor(ids / 2), table), mentions=["float32"])
    raises(ValueError, lambda: tt.embedding(good, tt.tensor(weight[:, 0])), mentions=[(count,)])
    raises(ValueError, lambda: tt.embedding(good, tt.tensor(weight[None])), mentions=[(1, count, dim)])
    raises((ValueError, IndexError), lambda: tt.embedding(good, table, padding_idx=count + 1), mentions=[count + 1])
    same(tt.embedding(good, table, padding_idx=count - 1), weight[ids])


# ---- sum_rows -----------------------------------------------------------------------------------------------


@exercise("sum_rows", points=2)
def test_sum_rows_adds_up_rows_of_one_id(tt, draw):
    """sum_rows adds up all rows that bear the same id"""
    count, dim = int(draw.integers(4, 8)), int(draw.integers(2, 6))
    ids, rows = repeated(draw, count, 8), draw(8, dim)
    ids[ids == ids.max()] = count - 1
    right, last = summed(rows, ids, count)
    often = np.bincount(ids, minlength=count)[:, None]
    same_array(
        tt.embeddings.sum_rows(rows, ids, count),
        right,
        what=f"sum_rows(rows of shape (8, {dim}), {text(ids)}, {count})",
        mistakes=[
            Mistake(last, LOST),
            Mistake(summed(rows[::-1], ids[::-1], count)[1], LOST),
            Mistake(right / np.maximum(often, 1), "rows of one id are averaged. Each of them counts: add them up."),
            Mistake(
                summed(rows, np.sort(ids), count)[0], "the ids were sorted and the rows were not. Take rows[order]."
            ),
            Mistake(right[np.unique(ids)], "ids that do not occur have no row. They get one of zeros."),
        ],
        smaller="sum_rows of rows [[1.], [2.]] with ids [0, 0] and count 2 is [[3.], [0.]]",
    )


@exercise("sum_rows", points=1)
def test_sum_rows_gives_zeros_to_ids_that_do_not_occur(tt, draw):
    """sum_rows gives an id that does not occur a row of zeros, also the first and the last"""
    dim, count = int(draw.integers(2, 6)), int(draw.integers(7, 10))
    ids, rows = 1 + repeated(draw, count - 3, 6), draw(6, dim)
    right = summed(rows, ids, count)[0]
    same_array(
        tt.embeddings.sum_rows(rows, ids, count),
        right,
        what=f"sum_rows(rows of shape (6, {dim}), {text(ids)}, {count})",
        mistakes=[
            Mistake(right[: ids.max() + 1], "the table ends with the largest id. It has `count` rows."),
            Mistake(right[np.unique(ids)], "ids that do not occur have no row. They get one of zeros."),
        ],
    )


@exercise("sum_rows", points=1)
def test_sum_rows_keeps_the_dtype(tt, draw):
    """sum_rows gives float32 for float32 and float64 for float64, and zeros for no rows at all"""
    count, dim = draw.sizes(2)
    ids = repeated(draw, count, 8)
    for dtype in (np.float32, np.float64):
        rows = draw(8, dim).astype(dtype)
        said = f"sum_rows(rows in {np.dtype(dtype)}, {text(ids)}, {count})"
        same_array(tt.embeddings.sum_rows(rows, ids, count), summed(rows, ids, count)[0], dtype=dtype, what=said)
    nothing = np.zeros((0, dim), np.float32)
    none = np.zeros((count, dim), np.float32)
    same_array(tt.embeddings.sum_rows(nothing, ids[:0], count), none, what=f"sum_rows(no rows, no ids, {count})")


def kept(rows, ids, count):
    """What is in rows and ids after they were summed, one behind the other, and the sum."""
    total = tt.embeddings.sum_rows(rows, ids, count)
    return np.concatenate([rows.ravel(), ids, np.asarray(total).ravel()])


@exercise("sum_rows", points=1)
def test_sum_rows_leaves_its_inputs_alone(lab, draw):
    """sum_rows changes neither rows nor ids"""
    count, dim = draw.sizes(2)
    ids, rows = repeated(draw, count, 8), draw(8, dim)
    right = np.concatenate([rows.ravel(), ids, summed(rows, ids, count)[0].ravel()])
    same_array(
        lab(kept, rows, ids, count),
        right,
        dtype=np.float64,
        what=f"rows, ids {text(ids)} and their sum, behind one another, after sum_rows(rows, ids, {count})",
        rtol=1e-5,
        atol=1e-5,
    )


# ---- embedding_backward -------------------------------------------------------------------------------------


def ruled(tt, grad, weight, ids, padding_idx=None):
    """What the rule gives to the table: an array, or a tuple that holds it."""
    got = tt.embeddings.embedding_backward(grad, tt.tensor(weight, requires_grad=True), ids, padding_idx)
    return got[0] if type(got) is tuple and len(got) == 1 else got


def through(weight, ids, factor, padding_idx):
    """The gradient that reaches a table from the sum of embedding(ids, table) * factor, asked for twice."""
    table = tt.tensor(weight, requires_grad=True)
    for _ in range(2):
        (tt.embedding(tt.tensor(ids), table, padding_idx) * tt.tensor(factor)).sum().backward()
    return None if table.grad is None else table.grad.data


@exercise("embedding_backward", points=2)
def test_a_row_collects_from_all_its_uses(tt, draw):
    """a row of the table collects the gradients of all places where it was looked up"""
    count, dim = int(draw.integers(4, 8)), int(draw.integers(2, 6))
    weight, ids, grad = draw(count, dim), repeated(draw, count, 8), draw(8, dim)
    right, last = summed(grad, ids, count)
    same_array(
        ruled(tt, grad, weight, ids),
        right,
        what=f"gradient of weight {weight.shape} for ids {text(ids)}, grad of shape {grad.shape}",
        mistakes=[
            Mistake(last, LOST),
            Mistake(grad, "the gradient of the rows was handed on. The table's is due, in the table's shape."),
            Mistake(right * weight, "a look-up has slope 1: the gradient is not multiplied with the weight."),
        ],
        smaller="ids [1, 1, 0] and grad [[1.], [1.], [1.]] give [[1.], [2.]]",
    )


@exercise("embedding_backward", points=1)
def test_a_batch_of_ids_reports_to_one_table(tt, draw):
    """a table collects from every place of a batch, from a single id, and from none"""
    count, dim, n, m = draw.sizes(4)
    weight, ids, grad = draw(count, dim), repeated(draw, count, n, m), draw(n, m, dim)
    right = summed(grad.reshape(-1, dim), ids.reshape(-1), count)[0]
    first = summed(grad[:1].reshape(-1, dim), ids[:1].reshape(-1), count)[0]
    same_array(
        ruled(tt, grad, weight, ids),
        right,
        what=f"gradient of weight {weight.shape} for ids {text(ids)}",
        mistakes=[Mistake(first, "only the first sequence of the batch reported.")],
    )
    one = np.eye(count, dtype=np.float32)[ids[0, 0]][:, None] * grad[0, 0]
    same_array(ruled(tt, grad[0, 0], weight, ids[0, 0]), one, what=f"gradient of weight for the id {ids[0, 0]} alone")
    none = np.zeros_like(weight)
    same_array(ruled(tt, grad[:0], weight, ids[:0]), none, what="gradient of weight where nothing was looked up")


@exercise("embedding_backward", points=2)
def test_the_padding_row_gets_no_gradient(tt, draw):
    """the padding row gets no gradient, be it row 0 or another"""
    count, dim = draw.sizes(2)
    for row in (int(draw.integers(1, count)), 0):
        ids = np.append(repeated(draw, count, 6), [row, row])
        weight, grad = draw(count, dim), draw(8, dim)
        whole = summed(grad, ids, count)[0]
        right = whole.copy()
        right[row] = 0
        says = PADDED if row else "padding_idx 0 was taken for none. Row 0 is a row: ask `is not None`."
        same_array(
            ruled(tt, grad, weight, ids, row),
            right,
            what=f"gradient of weight {weight.shape} for ids {text(ids)} with padding_idx {row}",
            mistakes=[Mistake(whole, says), Mistake(np.delete(whole, row, 0), "the row is gone. Set it to zero.")],
        )


@exercise("embedding_backward", points=2)
def test_gradients_reach_the_table(lab, draw):
    """backward() brings the gradients of looked-up rows to the table, and adds them to those that are there"""
    count, dim, n, m = draw.sizes(4)
    weight, ids, factor = draw(count, dim), repeated(draw, count, n, m), draw(n, m, dim)
    right = summed(factor.reshape(-1, dim), ids.reshape(-1), count)[0]
    padding = draw.choice([None, -1])
    if padding is not None:
        right[padding] = 0
    same_array(
        lab(through, weight, ids, factor, padding),
        2 * right,
        what=f"table.grad after (embedding({text(ids)}, table, padding_idx={padding}) * c).sum().backward(), twice",
        mistakes=[Mistake(right, "the second backward() took the place of the first.")],
    )


# ---- Embedding ----------------------------------------------------------------------------------------------


def learnt(kind, sizes):
    """What a layer lets an optimiser learn: the name and shape of every parameter, and its dtype."""
    layer = getattr(tt, kind)(*sizes)
    return [[name, *p.shape, str(p.data.dtype)] for name, p in layer.named_parameters()]


@exercise("Embedding.__init__", points=2)
def test_embedding_has_one_table_to_learn(lab, draw):
    """Embedding has one parameter, weight of shape (num_embeddings, embedding_dim)"""
    n, d = draw.sizes(2)
    same(
        lab(learnt, "Embedding", [n, d]),
        [["weight", n, d, "float32"]],
        what=f"names, shapes and dtypes of the parameters of Embedding({n}, {d})",
        mistakes=[
            Mistake([["weight", d, n, "float32"]], "the table is turned. A token has a row: (tokens, numbers)."),
            Mistake([], "the table is no Parameter, so nobody learns or saves it."),
        ],
    )


@exercise("Embedding.__init__", points=2)
def test_embedding_starts_with_normal_numbers(tt, draw):
    """Embedding starts with normal numbers of mean 0 and standard deviation 1, whatever its sizes"""
    tt.manual_seed(draw.seed)
    n, d = int(draw.integers(150, 200)), int(draw.integers(110, 140))
    w = tensor_data(thing(tt.Embedding(n, d), f"Embedding({n}, {d})").weight)
    same(
        round(float(w.std()), 6),
        1.0,
        rtol=0.04,  # 16,500 numbers or more: 7 standard deviations
        what=f"standard deviation of Embedding({n}, {d}).weight",
        mistakes=[
            Mistake(
                0.0, "every token starts with the same row, gets the same gradient where it is used, and is no name."
            ),
            Mistake(
                1 / math.sqrt(d), "this shrinks with embedding_dim. In a look-up nothing is summed: normal_(tensor)."
            ),
            Mistake(1 / math.sqrt(3), "these numbers lie evenly in [-1, 1]. Normal ones are due: normal_(tensor)."),
            Mistake(
                1 / math.sqrt(3 * d), "this is how a Linear starts. In a look-up nothing is summed: normal_(tensor)."
            ),
        ],
    )
    same(round(float((w > 0).mean()), 6), 0.5, rtol=0.055, what="share of numbers above 0")
    same(round(float((w < -1).mean()), 6), 0.15866, rtol=0.125, what="share of numbers below -1, 0.1587 if normal")


@exercise("Embedding.__init__", points=2)
def test_the_padding_row_starts_at_zero(tt, draw):
    """Embedding sets the padding row to zero, and no other, also where it is counted from the end"""
    n, d = draw.sizes(2)
    for padding in (int(draw.integers(1, n)), 0, -1):
        layer = made(tt.Embedding(n, d, padding_idx=padding), "layer")
        row = padding % n
        same(
            (tensor_data(layer.weight) == 0).all(1).tolist(),
            [i == row for i in range(n)],
            what=f"which rows of Embedding({n}, {d}, padding_idx={padding}).weight are zero",
            mistakes=[
                Mistake([False] * n, "the padding row started like any other. It stands for nothing: set it to zero."),
            ],
        )
        same(layer.padding_idx, row, what=f"Embedding({n}, {d}, padding_idx={padding}).padding_idx")


@exercise("Embedding.__init__", points=1)
def test_embedding_keeps_its_sizes(tt, draw):
    """Embedding keeps num_embeddings, embedding_dim and padding_idx"""
    n, d = draw.sizes(2)
    layer = made(tt.Embedding(n, d), f"Embedding({n}, {d})")
    same((layer.num_embeddings, layer.embedding_dim), (n, d), what="num_embeddings and embedding_dim")
    same(layer.padding_idx, None, what=f"Embedding({n}, {d}).padding_idx")


@exercise("Embedding.__init__", points=1)
def test_embedding_refuses_a_padding_row_that_is_not_there(tt, draw):
    """Embedding refuses a padding_idx that is no row of the table, before and behind it"""
    n, d = int(draw.integers(20, 40)), int(draw.integers(2, 6))
    refusals = (ValueError, IndexError)
    raises(refusals, lambda: tt.Embedding(n, d, padding_idx=n), mentions=[n])
    raises(refusals, lambda: tt.Embedding(n, d, padding_idx=-n - 1), mentions=[-n - 1, n])
    layer = made(tt.Embedding(n, d, padding_idx=-n), "layer")
    weight = tensor_data(layer.weight)
    same((weight == 0).all(1).tolist(), [True] + [False] * (n - 1), what=f"zero rows with padding_idx={-n}")
    ids = draw.integers(0, n, 5)
    same(layer(tt.tensor(ids)), weight[ids])


@exercise("Embedding.forward", points=2)
def test_an_embedding_looks_up_its_own_rows(tt, draw):
    """Embedding looks up rows of its own table, whatever was loaded into it"""
    count, dim, n, m = draw.sizes(4)
    a, ids = draw(count, dim), draw.integers(0, count, n, m)
    layer = made(tt.Embedding(count, dim), "layer")
    start = tensor_data(layer.weight)
    same(layer(tt.tensor(ids)), start[ids], what=f"layer({text(ids)})")
    layer.load_state_dict({"weight": a})
    same(
        layer(tt.tensor(ids)),
        a[ids],
        what=f"layer({text(ids)}) after load_state_dict",
        mistakes=[Mistake(start[ids], "these are the rows of before. Look them up in self.weight.")],
    )


def layer_through(weight, ids, factor, padding_idx):
    """The gradient that reaches the table of a layer."""
    layer = tt.Embedding(*weight.shape, padding_idx=padding_idx)
    layer.load_state_dict({"weight": weight})
    (layer(tt.tensor(ids)) * tt.tensor(factor)).sum().backward()
    return None if layer.weight.grad is None else layer.weight.grad.data


@exercise("Embedding.forward", points=2)
def test_an_embedding_learns_but_for_its_padding(lab, draw):
    """a loss brings gradients to the rows that Embedding looked up, and none to its padding row"""
    count, dim = draw.sizes(2)
    row = int(draw.integers(0, count))
    ids = np.append(repeated(draw, count, 6), [row, row])
    weight, factor = draw(count, dim), draw(8, dim)
    whole = summed(factor, ids, count)[0]
    right = whole.copy()
    right[row] = 0
    same_array(
        lab(layer_through, weight, ids, factor, row),
        right,
        what=f"layer.weight.grad of Embedding({count}, {dim}, padding_idx={row}) for ids {text(ids)}",
        mistakes=[Mistake(whole, "the padding row got a gradient. Hand self.padding_idx on.")],
    )


# ---- angles -------------------------------------------------------------------------------------------------


def turned(max_len, d_model, *, power=1.0, base=10000.0, start=0):
    """The angles, worked out one by one; `power`, `base` and `start` make wrong ones."""
    clocks = range(math.ceil(d_model / 2))
    rows = range(start, max_len + start)
    return np.array([[pos / base ** (power * 2 * k / d_model) for k in clocks] for pos in rows])


@exercise("angles", points=2)
def test_angles_of_every_clock(tt, draw):
    """angles turn by 1 / 10000^(2 k / d_model) a step for clock k"""
    max_len, d_model = int(draw.integers(4, 9)), 2 * int(draw.integers(2, 5))
    right = turned(max_len, d_model)
    position = np.arange(max_len)[:, None]
    whole = position / 10000 ** (np.arange(d_model) / d_model)
    pairs = position / 10000 ** (np.arange(d_model) // 2 * 2 / d_model)
    of_column = "an angle for every column came back. A clock has two columns: one angle for both."
    same_array(
        tt.embeddings.angles(max_len, d_model),
        right,
        dtype=np.float64,
        rtol=1e-9,
        mistakes=[
            Mistake(turned(max_len, d_model, power=0.5), "the exponent is k / d_model. It is 2 k / d_model."),
            Mistake(turned(max_len, d_model, power=2.0), "the exponent is doubled twice: it is 2 k / d_model."),
            Mistake(turned(max_len, d_model, power=-1.0), "clocks get faster. Divide by the power."),
            Mistake(turned(max_len, d_model, base=1000.0), "the base is 1000. It is 10000."),
            Mistake(turned(max_len, d_model, start=1), "positions start at 1. The first is 0."),
            Mistake(right.T, "positions and clocks have changed places. One row per position."),
            Mistake(whole, of_column),
            Mistake(pairs, of_column),
        ],
        smaller="angles(2, 2) is [[0.], [1.]]",
    )


@exercise("angles", points=1)
def test_angles_of_an_odd_d_model(tt, draw):
    """angles have a clock more for the column that is left over where d_model is odd"""
    max_len, d_model = int(draw.integers(4, 9)), 2 * int(draw.integers(1, 5)) + 1
    right = turned(max_len, d_model)
    same_array(
        tt.embeddings.angles(max_len, d_model),
        right,
        dtype=np.float64,
        rtol=1e-9,
        mistakes=[Mistake(right[:, :-1], "the last column has no clock. d_model / 2 is rounded up.")],
    )


# ---- sinusoidal_encoding ------------------------------------------------------------------------------------


def waves(angle, d_model, even=np.sin, odd=np.cos):
    """The table of positions with these waves in even and odd columns."""
    table = np.zeros((len(angle), d_model))
    table[:, 0::2] = even(angle)
    table[:, 1::2] = odd(angle)[:, : d_model // 2]
    return table


@exercise("sinusoidal_encoding", points=2)
def test_encoding_has_sines_and_cosines_in_turn(tt, draw):
    """sinusoidal_encoding has the sine of each angle in an even column and its cosine in the next"""
    max_len, d_model = int(draw.integers(4, 9)), 2 * int(draw.integers(2, 5))
    angle = turned(max_len, d_model)
    halves = np.concatenate([np.sin(angle), np.cos(angle)], 1)
    same(
        tt.sinusoidal_encoding(max_len, d_model),
        waves(angle, d_model),
        mistakes=[
            Mistake(
                halves, "all sines stand in front and all cosines behind. They take turns: sine, cosine, sine, ..."
            ),
            Mistake(
                waves(angle, d_model, np.cos, np.sin), "sines and cosines have changed places. Even columns: sine."
            ),
            Mistake(waves(angle, d_model, np.sin, np.sin), "every column is a sine. Odd ones are cosines."),
            Mistake(
                waves(angle, d_model, np.sin, lambda a: np.cos(np.sin(a))),
                "the cosine is taken of the sine. Take both of the angles.",
            ),
            Mistake(waves(np.degrees(angle), d_model), "the angles are radians already."),
        ],
        smaller="sinusoidal_encoding(2, 2) is [[0, 1], [sin 1, cos 1]]",
    )


@exercise("sinusoidal_encoding", points=1)
def test_encoding_of_an_odd_d_model(tt, draw):
    """sinusoidal_encoding ends with a sine where d_model is odd"""
    max_len, d_model = int(draw.integers(4, 9)), 2 * int(draw.integers(1, 5)) + 1
    right = waves(turned(max_len, d_model), d_model)
    cut, cosine = right.copy(), right.copy()
    cut[:, -1], cosine[:, -1] = 0, np.cos(turned(max_len, d_model))[:, -1]
    same(
        tt.sinusoidal_encoding(max_len, d_model),
        right,
        mistakes=[
            Mistake(cut, "the last column stayed empty. It is the sine of the last clock."),
            Mistake(cosine, "the last column is a cosine. Its number is even: a sine."),
        ],
    )


# ---- add_positions ------------------------------------------------------------------------------------------


@exercise("add_positions", points=2)
def test_every_token_gets_the_row_of_its_place(tt, draw):
    """add_positions adds row t to the token at place t of every sequence, and takes no more rows than that"""
    b, t, d, more = draw.sizes(4)
    x, table = draw(b, t, d), draw(t + more, d)
    by_batch = x + table[:b, None] if b <= t + more else None
    same(
        tt.embeddings.add_positions(tt.tensor(x), tt.tensor(table)),
        x + table[:t],
        mistakes=[
            Mistake(x + table[more:], "the last rows of the table were taken. A sequence starts at place 0."),
            Mistake(by_batch, "the place in the batch was counted. T, the last but one dimension, counts."),
            Mistake(x + table[0], "every token got row 0."),
            Mistake(x * table[:t], "positions were multiplied. They are added."),
            Mistake(x, "nothing was added."),
            Mistake(np.broadcast_to(table[:t], x.shape), "the tokens are gone. Add the positions to them."),
        ],
        smaller="add_positions(zeros(1, 2), table) is table[:1]",
    )


@exercise("add_positions", points=1)
def test_positions_of_one_sequence_and_of_many(tt, draw):
    """add_positions takes one sequence, or batches of batches, up to the full length of the table"""
    a, b, t, d = draw.sizes(4)
    x, table = draw(a, b, t, d), draw(t, d)
    same(tt.embeddings.add_positions(tt.tensor(x), tt.tensor(table)), x + table)
    same(tt.embeddings.add_positions(tt.tensor(x[0, 0]), tt.tensor(table)), x[0, 0] + table)


@exercise("add_positions", points=2)
def test_a_sequence_without_a_place_is_refused(tt, draw):
    """a sequence that is longer than the table raises ValueError with both lengths"""
    max_len, more, d = int(draw.integers(20, 40)), int(draw.integers(1, 6)), int(draw.integers(2, 6))
    x, table = draw(2, max_len + more, d), draw(max_len, d)
    add = tt.embeddings.add_positions
    raises(
        (ValueError, IndexError),
        lambda: add(tt.tensor(x), tt.tensor(table)),
        mentions=[max_len + more, max_len],
        smaller="add_positions(zeros(4, 2), zeros(3, 2)) raises ValueError and says 4 and 3",
    )
    raises((ValueError, IndexError), lambda: add(tt.tensor(x), tt.tensor(table[:1])), mentions=[max_len + more, 1])
    same(add(tt.tensor(x[:, :max_len]), tt.tensor(table)), x[:, :max_len] + table)


@exercise("add_positions", points=2)
def test_positions_of_another_width_are_refused(tt, draw):
    """another last dimension raises ValueError with both shapes, also where one of them is 1 and would broadcast"""
    b, t, d = draw.sizes(3)
    x, table = draw(b, t, d), draw(t, d)
    add = tt.embeddings.add_positions
    for width in (1, d + 1):
        other = draw(t, width)
        raises(ValueError, lambda o=other: add(tt.tensor(x), tt.tensor(o)), mentions=[x.shape, other.shape])
    narrow = x[..., :1]
    raises(ValueError, lambda: add(tt.tensor(narrow), tt.tensor(table)), mentions=[narrow.shape, table.shape])
    raises(ValueError, lambda: add(tt.tensor(x[0, 0]), tt.tensor(table)), mentions=[(d,)])
    same(add(tt.tensor(x), tt.tensor(table)), x + table)


@exercise("add_positions", points=1)
def test_added_positions_are_recorded(tt, draw):
    """the sum of tokens and positions requires a gradient where either does, and leaves both alone"""
    t, d = draw.sizes(2)
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    of_tokens = bool(draw.choice([True, False]))
    a, b = draw(t, d), draw(t + 1, d)
    pairs = [
        (tt.tensor(a, requires_grad=flag and of_tokens), tt.tensor(b, requires_grad=flag and not of_tokens))
        for flag in flags
    ]
    results = [thing(tt.embeddings.add_positions(x, table), "add_positions(x, table)") for x, table in pairs]
    whose = "x" if of_tokens else "the table"
    same(
        [y.requires_grad for y in results],
        flags,
        what=f"[add_positions(x, table).requires_grad ...], where {whose} does or does not",
        mistakes=[Mistake([False] * 6, "the gradient stops here. Use Tensor operations throughout, not x.data.")],
    )
    same(results[0], a + b[:t])
    unchanged(pairs[0][0], a, what="x after add_positions(x, table)")
    unchanged(pairs[0][1], b, what="the table after add_positions(x, table)")


# ---- PositionalEncoding -------------------------------------------------------------------------------------


def belongings(max_len, d_model, scale):
    """Names of parameters, of buffers and of what is saved; the encoding as it is saved, and as used after a change."""
    layer = tt.PositionalEncoding(max_len, d_model)
    names = [name for name, _ in layer.named_parameters()], [name for name, _ in layer.named_buffers()]
    saved = layer.state_dict()
    layer.load_state_dict({name: a * scale for name, a in saved.items()})
    return [*names, list(saved)], saved.get("encoding"), layer(tt.zeros(max_len, d_model)).data


@exercise("PositionalEncoding.__init__", points=2)
def test_fixed_positions_are_a_buffer(lab, draw):
    """PositionalEncoding keeps its table as a buffer, which is saved and loaded but not learnt"""
    max_len, d_model = draw.sizes(2)
    scale = float(draw.positive())
    right = waves(turned(max_len, d_model), d_model)
    names, saved, used = lab(belongings, max_len, d_model, scale)
    same(
        names,
        [[], ["encoding"], ["encoding"]],
        what="names of parameters, of buffers, and in the state dict",
    )
    same_array(saved, right, what=f'PositionalEncoding({max_len}, {d_model}).state_dict()["encoding"]')
    same_array(used, right * scale, what=f"layer(zeros) after the table was loaded {scale} times as large")


@exercise("PositionalEncoding.__init__", points=1)
def test_fixed_positions_are_added(tt, draw):
    """PositionalEncoding adds the first T rows of sines and cosines, up to max_len"""
    max_len, d_model = int(draw.integers(20, 30)), draw.sizes(1)[0]
    layer = made(tt.PositionalEncoding(max_len, d_model), f"PositionalEncoding({max_len}, {d_model})")
    x = draw(2, max_len, d_model)
    right = waves(turned(max_len, d_model), d_model)
    for length in (int(draw.integers(2, max_len)), max_len):
        same(layer(tt.tensor(x[:, :length])), x[:, :length] + right[:length], what=f"layer(x), x {x[:, :length].shape}")
    same(layer.max_len, max_len, what=f"PositionalEncoding({max_len}, {d_model}).max_len")
    too_long = draw(max_len + 3, d_model)
    raises((ValueError, IndexError), lambda: layer(tt.tensor(too_long)), mentions=[max_len + 3, max_len])


# ---- LearnedPositionalEncoding ------------------------------------------------------------------------------


@exercise("LearnedPositionalEncoding.__init__", points=2)
def test_learned_positions_are_a_parameter(lab, draw):
    """LearnedPositionalEncoding has one parameter, weight of shape (max_len, d_model)"""
    n, d = draw.sizes(2)
    same(
        lab(learnt, "LearnedPositionalEncoding", [n, d]),
        [["weight", n, d, "float32"]],
        what=f"names, shapes and dtypes of the parameters of LearnedPositionalEncoding({n}, {d})",
        mistakes=[
            Mistake([["weight", d, n, "float32"]], "the table is turned. A place has a row: (places, numbers)."),
            Mistake([], "the table is no Parameter, so nobody learns or saves it."),
        ],
    )


@exercise("LearnedPositionalEncoding.__init__", points=2)
def test_learned_positions_start_small(tt, draw):
    """LearnedPositionalEncoding starts with normal numbers of mean 0 and standard deviation 0.02"""
    tt.manual_seed(draw.seed)
    n, d = int(draw.integers(150, 200)), int(draw.integers(110, 140))
    w = tensor_data(thing(tt.LearnedPositionalEncoding(n, d), f"LearnedPositionalEncoding({n}, {d})").weight)
    same(
        round(float(w.std()), 6),
        0.02,
        rtol=0.04,
        what=f"standard deviation of LearnedPositionalEncoding({n}, {d}).weight",
        mistakes=[
            Mistake(1.0, "places start as loud as tokens. normal_ takes std."),
            Mistake(0.0, "all numbers are equal: every place would be like every other."),
            Mistake(math.sqrt(0.02), "0.02 was taken for the variance. It is the standard deviation."),
        ],
    )
    same(round(float((w > 0).mean()), 6), 0.5, rtol=0.055, what="share of numbers above 0")
    same(round(float((w < -0.02).mean()), 6), 0.15866, rtol=0.125, what="share below -0.02, 0.1587 if normal")


def learned_through(x, weight, factor):
    """What a layer with this table gives, and the gradient that reaches the table."""
    layer = tt.LearnedPositionalEncoding(*weight.shape)
    layer.load_state_dict({"weight": weight})
    y = layer(tt.tensor(x))
    (y * tt.tensor(factor)).sum().backward()
    return y.data, None if layer.weight.grad is None else layer.weight.grad.data


@exercise("LearnedPositionalEncoding.__init__", points=2)
def test_learned_positions_learn(tt, lab, draw):
    """every row of LearnedPositionalEncoding collects from all sequences, and rows beyond T get 0"""
    b, t, d, more = draw.sizes(4)
    x, factor, weight = draw(b, t, d), draw(b, t, d), draw(t + more, d)
    right = np.zeros_like(weight)
    right[:t] = factor.sum(0)
    y, grad = lab(learned_through, x, weight, factor)
    same_array(y, x + weight[:t], what=f"layer(x) with x {x.shape}")
    same_array(grad, right, what=f"layer.weight.grad after (layer(x) * c).sum().backward() with x {x.shape}")
    max_len = made(tt.LearnedPositionalEncoding(t + more, d), "layer").max_len
    same(max_len, t + more, what=f"LearnedPositionalEncoding({t + more}, {d}).max_len")


# ---- cosine_similarity --------------------------------------------------------------------------------------


def cosine(a, b, axis=-1, eps=1e-8):
    """The cosine of the angle between rows."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = [np.maximum(np.sqrt((x * x).sum(axis)), eps) for x in (a, b)]
    return (a * b).sum(axis) / (lengths[0] * lengths[1])


@exercise("cosine_similarity", points=2)
def test_cosine_similarity_of_rows(tt, draw):
    """cosine_similarity is the product of two rows divided by both of their lengths"""
    n, d = draw.sizes(2)
    a, b = draw(n, d), draw(n, d)
    a[0], b[0] = 2 * b[0], b[0]  # the same direction
    right, dot = cosine(a, b), (a * b).sum(-1)
    squares = [(x * x).sum(-1) for x in (a, b)]
    same(
        tt.cosine_similarity(tt.tensor(a), tt.tensor(b)),
        right,
        mistakes=[
            Mistake(dot, "lengths still count. Divide by both of them."),
            Mistake(dot / squares[0] / squares[1], "the roots are missing: divide by lengths, not by their squares."),
            Mistake(dot / squares[0], "a was counted twice. Divide by the length of a and by that of b."),
            Mistake(dot / np.sqrt(squares[0]), "only the length of a was divided by."),
            Mistake(
                dot / np.sqrt(squares[0] + squares[1]), "the squares are added under one root. Multiply the lengths."
            ),
            Mistake(1 - right, "this is the distance. Similarity is 1 where it is 0."),
        ],
        smaller="cosine_similarity(tensor([3., 4.]), tensor([4., 3.])) is 0.96",
    )


@exercise("cosine_similarity", points=1)
def test_cosine_similarity_of_one_with_many(tt, draw):
    """cosine_similarity compares one row with many, along any dim"""
    n, m, d = draw.sizes(3)
    a, b = draw(n, d), draw(m, d)
    same(tt.cosine_similarity(tt.tensor(a[0]), tt.tensor(b)), cosine(a[0], b))
    same(tt.cosine_similarity(tt.tensor(a[:, None]), tt.tensor(b)), cosine(a[:, None], b))
    same(tt.cosine_similarity(tt.tensor(b), tt.tensor(b[::-1].copy()), dim=0), cosine(b, b[::-1], 0))


@exercise("cosine_similarity", points=2)
def test_cosine_similarity_of_nothing(tt, draw):
    """cosine_similarity with a row of zeros is 0, without a warning, and eps is the least length"""
    n, d = draw.sizes(2)
    a, b = draw(n, d), draw(n, d)
    a[draw.integers(0, n)] = 0
    with calm(tt):
        same(
            tt.cosine_similarity(tt.tensor(a), tt.tensor(b)),
            cosine(a, b),
            what="cosine_similarity(a, b), where a row of a is zero",
        )
    x = b / 64
    same(
        tt.cosine_similarity(tt.tensor(x), tt.tensor(b), eps=0.5),
        cosine(x, b, eps=0.5),
        what="cosine_similarity(a, b, eps=0.5), where the rows of a are shorter than 0.5",
        mistakes=[
            Mistake(cosine(x, b), "eps was not used: a length counts as eps where it is shorter."),
            Mistake(cosine(x, b, eps=0.25), "eps * eps was used as the least length. Its root is eps."),
        ],
    )
    tiny = b / 2**30  # shorter than 1e-8
    same(tt.cosine_similarity(tt.tensor(tiny), tt.tensor(b)), cosine(tiny, b), what="cosine_similarity(b / 2**30, b)")


def cosine_through(a, b, factor):
    """The gradients of both sides of a weighted sum of similarities."""
    left, right = tt.tensor(a, requires_grad=True), tt.tensor(b, requires_grad=True)
    (tt.cosine_similarity(left, right) * tt.tensor(factor)).sum().backward()
    return [None if x.grad is None else x.grad.data for x in (left, right)]


@exercise("cosine_similarity", points=2)
def test_cosine_similarity_turns_rows(lab, draw):
    """the gradient of cosine_similarity turns a row towards the other and never lengthens it, and is finite at zero"""
    n, d = draw.sizes(2)
    a, b, factor = draw(n, d), draw(n, d), draw(n)
    lengths = [np.sqrt((x.astype(np.float64) ** 2).sum(-1, keepdims=True)) for x in (a, b)]
    c = cosine(a, b)[:, None]
    to_a = factor[:, None] * (b / lengths[1] - c * a / lengths[0]) / lengths[0]
    to_b = factor[:, None] * (a / lengths[0] - c * b / lengths[1]) / lengths[1]
    got_a, got_b = lab(cosine_through, a, b, factor)
    same_array(got_a, to_a, atol=1e-5, what="a.grad after (cosine_similarity(a, b) * c).sum().backward()")
    same_array(got_b, to_b, atol=1e-5, what="b.grad after (cosine_similarity(a, b) * c).sum().backward()")
    row = int(draw.integers(0, n))
    a[row], to_b[row] = 0, 0
    got_a, got_b = lab(cosine_through, a, b, factor)
    same_array(got_b, to_b, atol=1e-5, what=f"b.grad, where row {row} of a is zero")
    same(int(np.isfinite(got_a).sum()), a.size, what=f"how many numbers of a.grad are finite, where row {row} is zero")
