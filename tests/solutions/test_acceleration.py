"""Acceleration agrees with the composed forms and with PyTorch, and its threads with one."""

from __future__ import annotations

import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import ACCELERATION, AUTOGRAD, LAYERS, LOSSES, SPATIAL, TENSOR, Module
from tests.prose.examples import solution

SIZES = [(1, 1, 1), (5, 4, 3), (8, 8, 8), (7, 13, 5), (0, 3, 2), (3, 0, 2), (3, 2, 0)]


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(ACCELERATION)


@pytest.fixture(scope="module")
def tt() -> Any:
    """The modules that acceleration is built on, by their names."""

    class Modules:
        def __getattr__(self, name: str) -> Any:
            known: tuple[Module, ...] = (TENSOR, AUTOGRAD, LAYERS, LOSSES, SPATIAL)
            return next(getattr(solution(m), name) for m in known if hasattr(solution(m), name))

    return Modules()


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", "2.5", reason="PyTorch 2.5, the authority of these tests, is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(18)


def agree(mine: Any, theirs: Any, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """The same shape, dtype and numbers."""
    expected = theirs.detach().numpy()
    assert mine.shape == expected.shape
    assert mine.dtype == expected.dtype
    np.testing.assert_allclose(mine.data, expected, rtol=rtol, atol=atol)


# ---- products in tiles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k", "m"), SIZES)
@pytest.mark.parametrize("dtypes", ["ff", "dd", "fd", "ll", "lf", "Bl"])
def test_products(ours: Any, rng: Any, n: int, k: int, m: int, dtypes: str) -> None:
    a, b = (rng.integers(0, 9, shape).astype(d) for shape, d in (((n, k), dtypes[0]), ((k, m), dtypes[1])))
    right = a @ b
    for product in (ours.matmul_loops(a, b), *(ours.matmul_tiled(a, b, tile) for tile in (1, 2, 3, 64))):
        assert product.dtype == right.dtype
        np.testing.assert_array_equal(product, right)


def test_products_of_views_and_of_one_matrix_with_itself(ours: Any, rng: Any) -> None:
    a = rng.normal(size=(6, 6)).astype(np.float32)
    before = a.copy()
    np.testing.assert_allclose(ours.matmul_tiled(a, a, 4), a @ a, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.matmul_tiled(a.T[1:, ::2], a[::2], 2), a.T[1:, ::2] @ a[::2], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(a, before)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((3,), (3, 2)), ((1, 2, 3), (3, 2))])
def test_what_is_no_pair_of_matrices(ours: Any, shapes: Any) -> None:
    a, b = (np.ones(shape) for shape in shapes)
    for product in (ours.matmul_loops, ours.matmul_tiled):
        with pytest.raises(ValueError, match=r"\(") as caught:
            product(a, b)
        assert all(str(shape) in str(caught.value) for shape in shapes)


# ---- fused operations -----------------------------------------------------------------------------------------


def both_ways(function: Any, inputs: Any, grad: Any) -> tuple[Any, list[Any]]:
    """The result, and the gradients of all inputs."""
    y = function(*inputs)
    y.backward(grad)
    return y, [x.grad for x in inputs]


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_is_pytorchs(ours: Any, tt: Any, torch: Any, rng: Any, shape: Any, dtype: Any) -> None:
    a, g = (np.asarray(3 * rng.normal(size=shape), dtype) for _ in range(2))
    mine = both_ways(ours.fused_gelu, [tt.Tensor(a, True, dtype)], tt.Tensor(g, dtype=dtype))
    other = both_ways(ours.composed_gelu, [tt.Tensor(a, True, dtype)], tt.Tensor(g, dtype=dtype))
    x = torch.tensor(a, requires_grad=True)
    y = torch.nn.functional.gelu(x, approximate="tanh")
    y.backward(torch.tensor(g))
    for each in (mine, other):
        agree(each[0], y)
        agree(each[1][0], x.grad)


@pytest.mark.parametrize("mask", [None, "rows", "keys"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_is_pytorchs(ours: Any, tt: Any, torch: Any, rng: Any, mask: str | None, dtype: Any) -> None:
    a, g = (rng.normal(size=(2, 3, 4, 5)).astype(dtype) for _ in range(2))
    allowed = np.ones((2, 1, 4 if mask == "rows" else 1, 5), bool)
    if mask:
        allowed = rng.random(allowed.shape) < 0.6
        allowed[..., 0] = True
    given = tt.Tensor(allowed) if mask else None
    x = torch.tensor(a, requires_grad=True)
    y = (0.3 * x).masked_fill(~torch.tensor(allowed), -np.inf).softmax(-1)
    y.backward(torch.tensor(g))
    for function in (ours.fused_softmax, ours.composed_softmax):
        mine = tt.Tensor(a, True, dtype)
        result = function(mine, given, 0.3)
        result.backward(tt.Tensor(g, dtype=dtype))
        agree(result, y)
        agree(mine.grad, x.grad)


def test_softmax_of_nothing(ours: Any, tt: Any) -> None:
    x = tt.Tensor(np.zeros((2, 3), np.float32), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = ours.fused_softmax(x, tt.Tensor(np.array([[True, True, True], [False, False, False]])))
        y.sum().backward()
        assert ours.fused_softmax(tt.Tensor(np.zeros((2, 0), np.float32))).shape == (2, 0)
    assert y.data[1].tolist() == [0, 0, 0]
    assert np.isfinite(x.grad.data).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_cross_entropy_is_pytorchs(ours: Any, tt: Any, torch: Any, rng: Any, dtype: Any, size: float) -> None:
    a, ids = (size * rng.normal(size=(6, 4))).astype(dtype), rng.integers(0, 4, 6)
    x = torch.tensor(a, requires_grad=True)
    y = torch.nn.functional.cross_entropy(x, torch.tensor(ids))
    (3 * y).backward()
    for function in (ours.fused_cross_entropy, ours.composed_cross_entropy):
        mine = tt.Tensor(a, True, dtype)
        loss = function(mine, tt.Tensor(ids))
        (3 * loss).backward()
        agree(loss, y)
        agree(mine.grad, x.grad)


@pytest.mark.parametrize(
    ("scores", "ids", "kind", "said"),
    [
        (np.ones((2, 3)), np.array([0, 3]), IndexError, "class 3"),
        (np.ones((2, 3)), np.array([0, -1]), IndexError, "class -1"),
        (np.ones((2, 3)), np.array([0, 1, 2]), ValueError, r"\(2, 3\) and \(3,\)"),
        (np.ones(3), np.array(1), ValueError, r"\(3,\)"),
        (np.ones((0, 3)), np.zeros(0, int), ValueError, r"\(0, 3\)"),
        (np.ones((2, 3)), np.array([0.0, 1.0]), TypeError, "float"),
        (np.ones((2, 3), int), np.array([0, 1]), TypeError, "int64"),
    ],
)
def test_cross_entropy_refuses(ours: Any, tt: Any, scores: Any, ids: Any, kind: Any, said: str) -> None:
    with pytest.raises(kind, match=said):
        ours.fused_cross_entropy(tt.Tensor(scores), tt.Tensor(ids))


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (0, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layer_norm_is_pytorchs(ours: Any, tt: Any, torch: Any, rng: Any, shape: Any, dtype: Any) -> None:
    arrays = [rng.normal(size=s).astype(dtype) for s in (shape, (5,), (5,))]
    g = rng.normal(size=shape).astype(dtype)
    x, w, b = (torch.tensor(a, requires_grad=True) for a in arrays)
    y = torch.nn.functional.layer_norm(x, (5,), w, b)
    y.backward(torch.tensor(g))
    for function in (ours.fused_layer_norm, ours.composed_layer_norm):
        inputs = [tt.Tensor(a, True, dtype) for a in arrays]
        mine, slopes = both_ways(function, inputs, tt.Tensor(g, dtype=dtype))
        agree(mine, y)
        for slope, theirs in zip(slopes, (x.grad, w.grad, b.grad), strict=True):
            agree(slope, theirs, rtol=1e-3, atol=1e-4)


def test_layer_norm_refuses(ours: Any, tt: Any) -> None:
    x, five, six = (tt.Tensor(np.ones(shape)) for shape in ((2, 5), (5,), (6,)))
    for wrong in ((six, five), (five, six)):
        with pytest.raises(ValueError, match=r"\(6,\).*\(2, 5\)"):
            ours.fused_layer_norm(x, *wrong)
    with pytest.raises(TypeError, match="float64"):
        ours.fused_layer_norm(x, five, tt.Tensor(np.ones(5), dtype=np.float64))


# ---- threads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_map_of_anything_iterable(ours: Any, workers: int) -> None:
    assert ours.parallel_map(str, iter(range(7)), workers) == list("0123456")
    assert ours.parallel_map(str, (), workers) == []
    assert threading.active_count() < 20


def test_nothing_is_begun_after_an_error(ours: Any) -> None:
    begun = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 1:
            raise KeyError(n)
        time.sleep(0.005)

    with pytest.raises(RuntimeError, match=r"item 1 \(1\): KeyError: 1") as caught:
        ours.parallel_map(work, range(400), workers=1)
    assert isinstance(caught.value.__cause__, KeyError)
    assert len(begun) < 400


def test_a_long_item_is_named_in_short(ours: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        ours.parallel_map(lambda item: 1 / 0, [list(range(10_000))])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("workers", "kind"), [(0, ValueError), (-2, ValueError), (1.5, TypeError), (True, TypeError)])
def test_workers_are_a_whole_number(ours: Any, tt: Any, workers: Any, kind: Any) -> None:
    with pytest.raises(kind, match="workers"):
        ours.parallel_map(str, [1], workers)
    with pytest.raises(kind, match="workers"):
        ours.DataParallel(tt.Linear(2, 2), workers)


def test_workers_leave_the_callers_switch_alone(ours: Any, tt: Any) -> None:
    x = tt.Tensor([1.0], requires_grad=True)

    def work(_: int) -> bool:
        with tt.no_grad():
            return bool((x * 2).requires_grad)

    assert ours.parallel_map(work, range(4)) == [False] * 4
    assert (x * 2).requires_grad


def test_one_blas_thread(ours: Any) -> None:
    with ours.one_blas_thread():
        assert ours.parallel_map(lambda a: float((a @ a).sum()), [np.ones((9, 9))] * 3) == [729.0] * 3


# ---- replicas -------------------------------------------------------------------------------------------------


def convolutional(tt: Any) -> Any:
    """A small network without batch statistics."""
    tt.manual_seed(4)
    return tt.Sequential(tt.Conv2d(2, 3, 3, padding=1), tt.MaxPool2d(2), tt.Flatten(), tt.Linear(12, 4))


@pytest.mark.parametrize("count", [1, 2, 5, 8])
@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_gradients_are_those_of_the_single_run(ours: Any, tt: Any, rng: Any, count: int, workers: int) -> None:
    net, loss_fn = convolutional(tt), tt.CrossEntropyLoss()
    x, ids = tt.Tensor(rng.normal(size=(count, 2, 4, 4))), tt.Tensor(rng.integers(0, 4, count))
    loss = loss_fn(net(x), ids)
    loss.backward()
    alone = [p.grad.data.copy() for p in net.parameters()]
    net.zero_grad()
    parallel = ours.DataParallel(net, workers)
    assert parallel.backward(loss_fn, x, ids) == pytest.approx(loss.item(), rel=1e-5)
    for p, g in zip(net.parameters(), alone, strict=True):
        np.testing.assert_allclose(p.grad.data, g, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(parallel(x).data, net(x).data, rtol=1e-4, atol=1e-5)
    assert not parallel(x).requires_grad


def test_replicas_cost_no_memory_for_parameters(ours: Any, tt: Any) -> None:
    parallel = ours.DataParallel(tt.Linear(30, 20), 3)
    parallel.parts(9)
    arrays = {id(p.data) for net in (parallel.module, *parallel.replicas) for p in net.parameters()}
    assert len(arrays) == 2
    assert list(parallel.state_dict()) == ["module.weight", "module.bias"]


def test_what_is_frozen_gets_no_gradient(ours: Any, tt: Any, rng: Any) -> None:
    net = tt.Sequential(tt.Linear(3, 4), tt.Linear(4, 2))
    net[0].weight.requires_grad = False
    ours.DataParallel(net, 2).backward(tt.MSELoss(), tt.Tensor(rng.normal(size=(4, 3))), tt.Tensor(np.zeros((4, 2))))
    assert net[0].weight.grad is None
    assert net[0].bias.grad is not None


def test_running_statistics_are_those_of_the_first_part(ours: Any, tt: Any, rng: Any) -> None:
    net, alone = tt.BatchNorm2d(2), tt.BatchNorm2d(2)
    x = tt.Tensor(rng.normal(size=(5, 2, 3, 3)))
    ours.DataParallel(net, 2).backward(tt.MSELoss(), x, x)
    alone(x[:3])
    np.testing.assert_allclose(net.running_mean.data, alone.running_mean.data, rtol=1e-5)
    np.testing.assert_allclose(net.running_var.data, alone.running_var.data, rtol=1e-5)
    net.eval()
    np.testing.assert_allclose(ours.DataParallel(net, 2)(x).data, net(x).data, rtol=1e-5, atol=1e-6)


def test_batches_that_do_not_fit(ours: Any, tt: Any) -> None:
    parallel, four, three = ours.DataParallel(tt.Linear(3, 2)), tt.Tensor(np.ones((4, 3))), tt.Tensor(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"\(4, 3\) and \(3, 2\)"):
        parallel.backward(tt.MSELoss(), four, three)
    with pytest.raises(ValueError, match="not none"):
        parallel.backward(tt.MSELoss(), four[:0], three[:0])
    with pytest.raises(ValueError, match="sum"):
        parallel.backward(tt.MSELoss(reduction="sum"), four[:3], three)


def test_without_a_record_there_is_nothing_to_learn(ours: Any, tt: Any) -> None:
    parallel, x = ours.DataParallel(tt.Linear(3, 3)), tt.Tensor(np.ones((4, 3)))
    with tt.no_grad(), pytest.raises(RuntimeError, match="without history"):
        parallel.backward(tt.MSELoss(), x, x)
