"""Module 02's solutions: the numbers of PyTorch where it is installed, and identities where it is not."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import ACTIVATIONS
from tests.mistakes.activations import SIMPLE
from tests.prose.examples import solution
from tools.trial import Trial, below, package, run_all

ELEMENTWISE = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu")
SHARES = ("softmax", "log_softmax")
SHAPES = ((), (1,), (7,), (3, 5), (2, 3, 4), (2, 1, 3, 2))


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(ACTIVATIONS)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def theirs(torch: Any, name: str) -> Any:
    """PyTorch's function of the same name; gelu in the form by tanh."""
    function = getattr(torch.nn.functional, name, None) or getattr(torch, name)
    return (lambda x: function(x, approximate="tanh")) if name == "gelu" else function


def agree(mine: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """The same shape, dtype and numbers."""
    expected = other.detach().numpy()
    assert type(mine.data) is np.ndarray
    assert (mine.shape, mine.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(mine.data, expected, rtol=rtol, atol=atol)


# ---- beside PyTorch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [*SHAPES, (0,), (0, 3), (3, 0)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(
    ours: Any, tensor: Any, torch: Any, rng: Any, name: str, shape: tuple[int, ...], dtype: Any
) -> None:
    a = np.asarray(rng.normal(0, 3, shape), dtype)
    agree(getattr(ours, name)(tensor(a, dtype=dtype)), theirs(torch, name)(torch.tensor(a)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [*SHAPES, (0,), (0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", SHARES)
def test_shares_along_every_dim(
    ours: Any, tensor: Any, torch: Any, rng: Any, name: str, shape: tuple[int, ...], dtype: Any
) -> None:
    a = np.asarray(rng.normal(0, 3, shape), dtype)
    for dim in range(-max(len(shape), 1), max(len(shape), 1)):
        agree(getattr(ours, name)(tensor(a, dtype=dtype), dim), theirs(torch, name)(torch.tensor(a), dim))


@pytest.mark.parametrize("name", [*ELEMENTWISE, *SHARES])
@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
def test_extreme_scores(ours: Any, tensor: Any, torch: Any, name: str) -> None:
    rows = [[-1e4, 1e4, 0.0, -0.0], [1e4, 1e4, 1e4, 1e4], [-1e4, -9999, -89, 89], [-200, 1e-30, 200, 88.5]]
    a = np.array(rows, np.float32)
    other = theirs(torch, name)
    expected = other(torch.tensor(a), -1) if name in SHARES else other(torch.tensor(a))
    agree(getattr(ours, name)(tensor(a)), expected, atol=1e-37)  # below that PyTorch itself rounds to 0


@pytest.mark.parametrize("name", SHARES)
def test_masked_scores(ours: Any, tensor: Any, torch: Any, rng: Any, name: str) -> None:
    a = rng.normal(0, 2, (6, 6)).astype(np.float32)
    a[np.triu_indices(6, 1)] = -math.inf
    mine = getattr(ours, name)(tensor(a))
    agree(mine, theirs(torch, name)(torch.tensor(a), -1))
    assert set(mine.data[np.triu_indices(6, 1)]) == {0.0 if name == "softmax" else -math.inf}


@pytest.mark.parametrize("name", SHARES)
def test_a_row_that_is_all_masked_is_nan_as_in_pytorch(ours: Any, tensor: Any, torch: Any, name: str) -> None:
    a = np.full((1, 3), -math.inf, np.float32)
    with np.errstate(invalid="ignore"):
        agree(getattr(ours, name)(tensor(a)), theirs(torch, name)(torch.tensor(a), -1))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_passes_through(ours: Any, tensor: Any, name: str) -> None:
    assert math.isnan(getattr(ours, name)(tensor([math.nan])).item())


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_integers_become_float32(ours: Any, tensor: Any, torch: Any, name: str) -> None:
    a = np.arange(-3, 4)
    agree(getattr(ours, name)(tensor(a)), theirs(torch, name)(torch.tensor(a)))


def test_relu_of_integers_keeps_them(ours: Any, tensor: Any, torch: Any) -> None:
    a = np.arange(-3, 4)
    agree(ours.relu(tensor(a)), torch.relu(torch.tensor(a)))


@pytest.mark.parametrize("slope", [0.01, 0.0, 1.0, 2.5, -1.0, -3.0])
def test_leaky_relu_at_any_slope(ours: Any, tensor: Any, torch: Any, rng: Any, slope: float) -> None:
    a = rng.normal(0, 2, (4, 5)).astype(np.float32)
    agree(ours.leaky_relu(tensor(a), slope), torch.nn.functional.leaky_relu(torch.tensor(a), slope))
    assert ours.leaky_relu(tensor(3.0), slope).dtype == np.float32


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("dim", [2, -3, 7])
def test_a_dim_out_of_range(ours: Any, tensor: Any, torch: Any, name: str, dim: int) -> None:
    with pytest.raises(IndexError, match=rf"dim {dim} .*\(2, 3\)"):
        getattr(ours, name)(tensor(np.zeros((2, 3))), dim)
    with pytest.raises(IndexError):
        theirs(torch, name)(torch.zeros(2, 3), dim)


@pytest.mark.parametrize(
    ("mine", "name", "settings"),
    [
        ("ReLU()", "ReLU", {}),
        ("LeakyReLU(negative_slope=0.2)", "LeakyReLU", {"negative_slope": 0.2}),
        ("Sigmoid()", "Sigmoid", {}),
        ("Tanh()", "Tanh", {}),
        ("GELU(approximate='tanh')", "GELU", {"approximate": "tanh"}),
        ("Softmax(dim=0)", "Softmax", {"dim": 0}),
    ],
)
def test_objects_are_called_and_printed_as_in_pytorch(
    ours: Any, tensor: Any, torch: Any, rng: Any, mine: str, name: str, settings: dict[str, Any]
) -> None:
    a = rng.normal(0, 2, (3, 4)).astype(np.float32)
    one, other = getattr(ours, name)(**settings), getattr(torch.nn, name)(**settings)
    assert repr(one) == repr(other) == mine
    agree(one(tensor(a)), other(torch.tensor(a)))


# ---- without an authority -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_shares_add_up_to_one(ours: Any, tensor: Any, rng: Any, name: str, offset: float) -> None:
    y = getattr(ours, name)(tensor(rng.normal(offset, 5, (4, 6))), 0).data.astype(np.float64)
    np.testing.assert_allclose((y if name == "softmax" else np.exp(y)).sum(0), 1, rtol=1e-5)


def shares_in_float64(name: str, a: Any, axis: int = -1) -> Any:
    """What softmax or log_softmax is, to many more digits."""
    shifted = a.astype(np.float64) - a.max(axis, keepdims=True).astype(np.float64)
    logs = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    return np.exp(logs) if name == "softmax" else logs


@pytest.mark.parametrize("offset", [-1000, -100, -80, -20, -8, -3, 0, 3, 10, 15, 17, 30, 60, 80, 100, 1000])
@pytest.mark.parametrize("name", SHARES)
def test_shares_at_any_distance_from_zero(ours: Any, tensor: Any, rng: Any, name: str, offset: float) -> None:
    a = rng.normal(offset, 2, (5, 7)).astype(np.float32)
    whole, one_row = a.copy(), np.where(np.arange(5)[:, None] == 2, a, a - np.float32(offset))
    for each in (whole, one_row, a.T):
        for axis in (0, 1):
            y = getattr(ours, name)(tensor(each), axis).data
            np.testing.assert_allclose(y, shares_in_float64(name, each, axis), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("top", [-6, 0, 50, 200])
@pytest.mark.parametrize("name", SHARES)
def test_shares_keep_what_is_small(ours: Any, tensor: Any, name: str, top: float) -> None:
    a = (top - np.array([[0, 1, 30, 60], [70, 5, 0, 15]])).astype(np.float32)
    atol = 0 if name == "softmax" else 1e-6
    np.testing.assert_allclose(getattr(ours, name)(tensor(a)).data, shares_in_float64(name, a), rtol=1e-5, atol=atol)


@pytest.mark.parametrize("name", SHARES)
def test_shares_of_long_rows(ours: Any, tensor: Any, rng: Any, name: str) -> None:
    a = rng.normal(0, 3, (3, 50_000)).astype(np.float32)
    np.testing.assert_allclose(getattr(ours, name)(tensor(a)).data, shares_in_float64(name, a), rtol=1e-5)


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_row_without_an_answer_spoils_no_other(ours: Any, tensor: Any, name: str, score: float) -> None:
    a = np.array([[score, 1, 2], [0, 0, 0]], np.float32)
    with np.errstate(invalid="ignore"):
        y = getattr(ours, name)(tensor(a)).data
    assert np.isnan(y[0]).all()
    np.testing.assert_allclose(y[1], shares_in_float64(name, a[1:])[0], rtol=1e-6)


@pytest.mark.parametrize("name", SHARES)
def test_shares_save_what_a_backward_rule_needs(ours: Any, tensor: Any, name: str) -> None:
    y = getattr(ours, name)(tensor([[1.0, 2.0]], requires_grad=True), 1)
    assert y.grad_fn.name == name
    assert y.grad_fn.saved == {"dim": 1, "result": y.data}


@pytest.mark.parametrize("lowest", [-4.99, -5.01, -30])
def test_sigmoid_is_as_exact_below_as_above(ours: Any, tensor: Any, lowest: float) -> None:
    a = np.linspace(lowest, 30, 1001).astype(np.float32)
    np.testing.assert_allclose(ours.sigmoid(tensor(a)).data, 1 / (1 + np.exp(-a.astype(np.float64))), rtol=2e-5)


def test_the_simple_way_passes_too() -> None:
    source = package()[ACTIVATIONS.file]
    for fast, simple in SIMPLE.items():
        assert source.count(fast) == 1
        source = source.replace(fast, simple)
    trial = Trial(name="simple", package=below(ACTIVATIONS, source), checkpoint=str(ACTIVATIONS.number))
    verdict = run_all([trial])["simple"]
    assert (verdict.status, verdict.not_passed) == (0, [])


def test_sigmoid_mirrors_itself_and_gives_tanh(ours: Any, tensor: Any, rng: Any) -> None:
    x = tensor(rng.normal(0, 4, 100))
    np.testing.assert_allclose((ours.sigmoid(x) + ours.sigmoid(-x)).data, 1, rtol=1e-6)
    np.testing.assert_allclose((2 * ours.sigmoid(2 * x) - 1).data, ours.tanh(x).data, atol=1e-6)


@pytest.mark.parametrize("name", [*ELEMENTWISE, *SHARES])
def test_no_warning_and_no_change_of_the_input(ours: Any, tensor: Any, rng: Any, name: str) -> None:
    a = np.concatenate([rng.uniform(-1e4, 1e4, 50), [0.0, -0.0, 1e4, -1e4]]).astype(np.float32)
    x = tensor(a)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = getattr(ours, name)(x)
    assert np.isfinite(y.data).all()
    assert not np.shares_memory(x.data, y.data)
    np.testing.assert_array_equal(x.data, a)


@pytest.mark.parametrize("name", [*ELEMENTWISE, *SHARES])
def test_results_know_where_they_came_from(ours: Any, tensor: Any, name: str) -> None:
    function = getattr(ours, name)
    assert function(tensor([1.0, 2.0], requires_grad=True)).grad_fn is not None
    assert function(tensor([1.0, 2.0])).grad_fn is None


def test_gelu_has_one_form(ours: Any, tensor: Any) -> None:
    with pytest.raises(ValueError, match="'none'"):
        ours.gelu(tensor([1.0]), approximate="none")
