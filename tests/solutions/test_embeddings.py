"""Module 11's solutions: look-ups and gradients beside PyTorch where it is installed, positions, and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import EMBEDDINGS
from tests.prose.examples import solution, solutions


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(EMBEDDINGS)


@pytest.fixture(scope="module")
def tt() -> Any:
    return solutions()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


# ---- the numbers of PyTorch -----------------------------------------------------------------------------

SHAPES = ((), (1,), (7,), (0,), (3, 5), (2, 0), (2, 3, 4))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("padding", [None, 0, 3, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_embedding_is_pytorchs(tt: Any, torch: Any, rng: Any, shape: Any, padding: int | None, dtype: Any) -> None:
    for count in (6, 40):
        weight, ids = rng.standard_normal((count, 4)).astype(dtype), rng.integers(0, count, shape)
        grad = rng.standard_normal((*shape, 4)).astype(dtype)
        mine, theirs = tt.tensor(weight, requires_grad=True, dtype=dtype), torch.tensor(weight, requires_grad=True)
        y = tt.embedding(tt.tensor(ids, dtype=np.int64), mine, padding)
        due = torch.nn.functional.embedding(torch.tensor(ids), theirs, padding)
        np.testing.assert_array_equal(y.data, due.detach().numpy())
        y.backward(tt.tensor(grad, dtype=dtype))
        due.backward(torch.tensor(grad))
        assert mine.grad.dtype == dtype
        np.testing.assert_allclose(mine.grad.data, theirs.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_the_layer_is_pytorchs(tt: Any, torch: Any, rng: Any) -> None:
    for padding in (None, 0, -2):
        mine, theirs = tt.Embedding(9, 5, padding), torch.nn.Embedding(9, 5, padding)
        assert repr(mine) == repr(theirs)
        assert list(mine.state_dict()) == list(theirs.state_dict())
        assert mine.padding_idx == theirs.padding_idx
        if padding is not None:
            assert not mine.weight.data[padding].any()
            assert not theirs.weight.detach().numpy()[padding].any()
        mine.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
        ids = rng.integers(0, 9, (4, 6))
        np.testing.assert_array_equal(mine(tt.tensor(ids)).data, theirs(torch.tensor(ids)).detach().numpy())


@pytest.mark.parametrize("shape", SHAPES)
def test_one_hot_is_pytorchs(tt: Any, torch: Any, rng: Any, shape: Any) -> None:
    ids = rng.integers(0, 6, shape)
    mine = tt.one_hot(tt.tensor(ids, dtype=np.int64), 6)
    due = torch.nn.functional.one_hot(torch.tensor(ids), 6).numpy()
    assert mine.dtype == due.dtype
    np.testing.assert_array_equal(mine.data, due)


@pytest.mark.parametrize("seed", range(20))
def test_cosine_similarity_is_pytorchs(tt: Any, torch: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [((4, 3), (4, 3)), ((3,), (5, 3)), ((2, 1, 4), (3, 4)), ((2, 3, 4), (2, 3, 4))][seed % 4]
    dim = int(rng.integers(-len(shapes[0]), 0)) if shapes[0] == shapes[1] else -1
    arrays = [rng.standard_normal(shape) for shape in shapes]
    grad = rng.standard_normal(np.delete(np.broadcast_shapes(*shapes), dim))
    mine = [tt.tensor(a, requires_grad=True, dtype=np.float64) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, due = tt.cosine_similarity(*mine, dim=dim), torch.nn.functional.cosine_similarity(*theirs, dim=dim)
    np.testing.assert_allclose(y.data, due.detach().numpy(), rtol=1e-10)
    y.backward(tt.tensor(grad, dtype=np.float64))
    due.backward(torch.tensor(grad))
    for here, there in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(here.grad.data, there.grad.numpy(), rtol=1e-8, atol=1e-10)


# ---- gradients ------------------------------------------------------------------------------------------


def test_gradients_are_slopes(tt: Any, ours: Any, rng: Any) -> None:
    ids = tt.tensor(rng.integers(0, 4, (3, 5)))
    weight, table = (tt.tensor(rng.standard_normal((n, 3)), requires_grad=True, dtype=np.float64) for n in (6, 8))
    assert tt.gradcheck(lambda w: tt.embedding(ids, w).tanh(), weight)
    assert tt.gradcheck(lambda w, p: ours.add_positions(tt.embedding(ids, w), p).tanh(), [weight, table])
    assert tt.gradcheck(lambda w, p: tt.cosine_similarity(w[:4], p[2:6]), [weight, table])


@pytest.mark.parametrize("count", [1, 2, 65, 5000])
@pytest.mark.parametrize("n", [0, 1, 2, 4096])
def test_rows_are_summed_as_one_by_one(ours: Any, rng: Any, count: int, n: int) -> None:
    rows, ids = rng.standard_normal((n, 3)), rng.integers(0, count, n)
    due = np.zeros((count, 3))
    np.add.at(due, ids, rows)
    np.testing.assert_allclose(ours.sum_rows(rows, ids, count), due, rtol=1e-12, atol=1e-11)


def test_padding_stays_zero_while_the_rest_learns(tt: Any) -> None:
    layer = tt.Embedding(5, 3, padding_idx=2)
    optimizer, before = tt.Adam(layer.parameters(), lr=0.1), layer.weight.data.copy()
    for _ in range(3):
        optimizer.zero_grad()
        (layer(tt.tensor([[0, 2, 1], [2, 2, 1]])) ** 2).sum().backward()
        optimizer.step()
    moved = (layer.weight.data != before).any(1)
    np.testing.assert_array_equal(moved, [True, True, False, False, False])
    assert not layer.weight.data[2].any()


def test_nothing_is_recorded_under_no_grad(tt: Any) -> None:
    with tt.no_grad():
        assert not tt.Embedding(5, 3)(tt.tensor([1, 2])).requires_grad


# ---- positions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_model", [1, 2, 3, 8, 513])
def test_the_encoding_is_the_papers(tt: Any, d_model: int) -> None:
    table = tt.sinusoidal_encoding(700, d_model).data
    assert table.dtype == np.float32
    for pos, column in ((0, 0), (1, d_model - 1), (699, d_model - 1), (699, d_model // 2), (350, 0)):
        angle = pos / 10000 ** (column // 2 * 2 / d_model)
        due = math.cos(angle) if column % 2 else math.sin(angle)
        assert table[pos, column] == pytest.approx(due, abs=1e-6)


def test_a_dot_product_of_places_knows_their_distance_only(tt: Any) -> None:
    table = tt.sinusoidal_encoding(200, 32).data.astype(np.float64)
    products = table @ table.T
    for distance in (0, 1, 7, 50):
        assert np.ptp(np.diagonal(products, distance)) < 1e-5


def test_positions_keep_the_dtype_that_a_model_has(tt: Any) -> None:
    x = tt.tensor(np.zeros((2, 3, 4)), dtype=np.float64)
    for kind in (tt.PositionalEncoding, tt.LearnedPositionalEncoding):
        assert kind(5, 4)(tt.zeros(2, 3, 4)).dtype == np.float32
        assert kind(5, 4).to(np.float64)(x).dtype == np.float64
    assert repr(tt.PositionalEncoding(5, 4)) == "PositionalEncoding(5, 4)"
    assert repr(tt.LearnedPositionalEncoding(5, 4)) == "LearnedPositionalEncoding(5, 4)"


# ---- refusals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda tt: tt.embedding(tt.tensor([0.0]), tt.ones(3, 2)), TypeError, "ids are integers, not float32"),
        (lambda tt: tt.embedding(tt.tensor([True]), tt.ones(3, 2)), TypeError, "ids are integers, not bool"),
        (lambda tt: tt.Embedding(3, 2)([0]), TypeError, "ids come as a Tensor of integers, not as list"),
        (lambda tt: tt.Embedding(3, 2)(None), TypeError, "ids come as a Tensor of integers, not as NoneType"),
        (
            lambda tt: tt.Embedding(3, 2)(tt.tensor([0, 3])),
            IndexError,
            "id 3 is not in the table: it has 3 rows, 0 to 2",
        ),
        (lambda tt: tt.Embedding(3, 2)(tt.tensor([0, -1])), IndexError, "id -1 is not in the table"),
        (lambda tt: tt.one_hot(tt.tensor([4]), 4), IndexError, "id 4 is not in the table: it has 4 rows, 0 to 3"),
        (lambda tt: tt.embedding(tt.tensor([0]), tt.ones(3)), ValueError, r"not \(3,\)"),
        (lambda tt: tt.Embedding(3, 2, padding_idx=3), ValueError, "padding_idx 3 is no row of a table that has 3"),
        (lambda tt: tt.Embedding(3, 2, padding_idx=-4), ValueError, "padding_idx -4 is no row"),
        (lambda tt: tt.PositionalEncoding(3, 2)(tt.ones(4, 2)), ValueError, "4 tokens is too long: there are 3"),
        (lambda tt: tt.LearnedPositionalEncoding(3, 2)(tt.ones(4, 2)), ValueError, "4 tokens is too long"),
        (lambda tt: tt.PositionalEncoding(3, 2)(tt.ones(3, 1)), ValueError, r"\(3, 2\) cannot be added to \(3, 1\)"),
        (lambda tt: tt.PositionalEncoding(3, 2)(tt.ones(2)), ValueError, r"\(3, 2\) cannot be added to \(2,\)"),
    ],
)
def test_a_bad_call_is_refused_in_one_sentence(tt: Any, call: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        call(tt)


def test_an_empty_table_has_no_ids(tt: Any) -> None:
    assert tt.Embedding(0, 3)(tt.tensor(np.zeros(0, np.int64))).shape == (0, 3)
    with pytest.raises(IndexError, match="id 0 is not in the table: it has 0 rows"):
        tt.Embedding(0, 3)(tt.tensor([0]))
