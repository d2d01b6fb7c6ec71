"""Module 01's solution: the numbers, dtypes, shapes, strides and refusals of PyTorch, and its own promises."""

from __future__ import annotations

import copy
import itertools
import math
import operator
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_tinytorch.course import TENSOR
from tests.prose.examples import solution

if TYPE_CHECKING:
    from collections.abc import Callable

tt = solution(TENSOR)

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FULL_SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
quick = settings(max_examples=60, deadline=None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def drawn(shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), np.float32)


def agree(mine: Any, theirs: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """The same shape, dtype and numbers."""
    expected = theirs.numpy()
    assert isinstance(mine, tt.Tensor)
    assert type(mine.data) is np.ndarray
    assert mine.shape == expected.shape
    assert mine.dtype == expected.dtype
    np.testing.assert_allclose(mine.data, expected, rtol=rtol, atol=atol)


def both(mine: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """The two agree, or both refuse."""
    try:
        right = theirs()
    except (RuntimeError, IndexError, TypeError, ValueError):
        with pytest.raises((ValueError, IndexError, TypeError)):
            mine()
    else:
        agree(mine(), right)


# ---- making tensors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [1, 2.5, True, [], [1, 2], [1, 2.5], [True, False], [[1.0], [2.0]], [1e300], [True, 2], 2**40]
)
def test_python_numbers_become_what_pytorch_makes_of_them(torch: Any, data: Any) -> None:
    with np.errstate(over="ignore"):
        agree(tt.tensor(data), torch.tensor(data))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32"])
def test_arrays_keep_their_dtype(dtype: str) -> None:
    array = np.arange(3).astype(dtype)
    assert tt.tensor(array).dtype == array.dtype
    assert tt.Tensor(array).dtype == array.dtype


def test_only_float64_arrays_change_and_only_unless_asked_for() -> None:
    array = np.arange(3.0)
    assert tt.tensor(array).dtype == np.float32
    assert tt.tensor(np.float64(1)).dtype == np.float32
    wide = tt.tensor(array, dtype=tt.float64)
    assert wide.dtype == np.float64
    assert tt.Tensor(wide).dtype == np.float64
    assert tt.from_numpy(array).dtype == np.float64


@pytest.mark.parametrize("data", ["text", None, [None], 1j, [[1], [2, 3]], object(), {"a": 1}])
def test_what_holds_no_numbers_is_refused(data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        tt.tensor(data)


def test_tensors_are_writable_and_own_their_memory() -> None:
    given = np.zeros((2, 3), np.float32)
    given.flags.writeable = False
    x = tt.tensor(given.T)
    assert x.data.flags.writeable
    assert x.data.flags.c_contiguous
    assert not np.may_share_memory(x.data, given)
    assert np.may_share_memory(tt.from_numpy(given).data, given)


@pytest.mark.parametrize("arguments", [(4,), (4.0,), (2, 5), (5, 0, -2), (0, 1, 0.25), (0,), (3, 3), (1, 4.0)])
def test_arange(torch: Any, arguments: tuple[float, ...]) -> None:
    agree(tt.arange(*arguments), torch.arange(*arguments))


def test_factories(torch: Any) -> None:
    agree(tt.zeros(2, 3), torch.zeros(2, 3))
    agree(tt.ones((2, 0)), torch.ones((2, 0)))
    agree(tt.zeros(()), torch.zeros(()))
    agree(tt.full((2,), 7), torch.full((2,), 7))
    agree(tt.full((2,), 0.5), torch.full((2,), 0.5))
    agree(tt.full((2,), True), torch.full((2,), True))
    agree(tt.eye(2, 3), torch.eye(2, 3))
    agree(tt.zeros_like(tt.arange(3)), torch.zeros_like(torch.arange(3)))
    agree(tt.ones_like(tt.arange(3), dtype=np.float64), torch.ones_like(torch.arange(3), dtype=torch.float64))
    assert tt.rand(2, 3).shape == tt.randn((2, 3)).shape == (2, 3)


def test_random_numbers_repeat_from_a_seed() -> None:
    tt.manual_seed(3)
    first = tt.randn(4), tt.rand(1000)
    tt.manual_seed(3)
    again = tt.randn(4), tt.rand(1000)
    assert first[0].tolist() == again[0].tolist()
    assert first[1].tolist() == again[1].tolist()
    assert 0 <= float(first[1].data.min()) <= float(first[1].data.max()) < 1
    assert tt.randn(3, requires_grad=True).requires_grad


# ---- dtypes -------------------------------------------------------------------------------------------------

DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64")
OPERANDS: list[Any] = [True, 3, 1.5, *itertools.product(DTYPES, ((), (2,)))]
OPERATORS = [operator.add, operator.mul, operator.truediv, operator.lt]


def operand(library: Any, spec: Any) -> Any:
    if not isinstance(spec, tuple):
        return spec
    dtype, shape = spec
    array = np.full(shape, 2).astype(dtype)
    return tt.tensor(array, dtype=array.dtype) if library is tt else library.tensor(array)


@pytest.mark.parametrize("function", OPERATORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("left", "right"), [pair for pair in itertools.product(OPERANDS, OPERANDS) if isinstance(pair[0], tuple)]
)
def test_dtypes_are_promoted_as_pytorch_does(torch: Any, function: Any, left: Any, right: Any) -> None:
    mine = function(operand(tt, left), operand(tt, right))
    agree(mine, function(operand(torch, left), operand(torch, right)))
    if not isinstance(right, tuple):
        agree(function(right, operand(tt, left)), function(right, operand(torch, left)))


def test_a_number_keeps_all_its_digits_beside_float64() -> None:
    wide = tt.tensor([1.0], dtype=tt.float64)
    assert (wide * 0.1).item() == (0.1 * wide).item() == 0.1
    assert (1 - wide * 0.1).item() == 0.9


def test_large_numbers_do_not_widen_float32() -> None:
    with np.errstate(over="ignore"):
        assert (tt.ones(2) * 1e300).dtype == np.float32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh"])
def test_element_wise_maths(torch: Any, name: str, dtype: str) -> None:
    array = np.array([[1, 2, 3]]).astype(dtype)
    agree(getattr(tt.tensor(array, dtype=dtype), name)(), getattr(torch.tensor(array), name)())


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "argmax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_by_dtype(torch: Any, name: str, dtype: str) -> None:
    if (name, dtype) == ("argmax", "bool"):
        pytest.skip("PyTorch has no argmax of booleans")
    array = np.array([[1, 0, 3], [2, 5, 4]]).astype(dtype)
    mine, theirs = tt.tensor(array, dtype=dtype), torch.tensor(array)
    both(lambda: getattr(mine, name)(1), lambda: getattr(theirs, name)(1))


# ---- broadcasting -------------------------------------------------------------------------------------------


@quick
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=4, max_side=4, min_side=0))
def test_broadcast_shapes_and_binary_agree_with_numpy(shapes: Any) -> None:
    assert tt.broadcast_shapes(*shapes.input_shapes) == shapes.result_shape
    a, b, c = (drawn(shape, i) for i, shape in enumerate(shapes.input_shapes))
    y = tt.tensor(a) * tt.tensor(b) - tt.tensor(c)
    np.testing.assert_array_equal(y.data, a * b - c)
    chosen = tt.where(tt.tensor(a > 0), tt.tensor(b), tt.tensor(c))
    np.testing.assert_array_equal(chosen.data, np.where(a > 0, b, c))


@quick
@given(SHAPES, SHAPES)
def test_broadcast_shapes_refuses_what_numpy_refuses(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        right = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ValueError, match="do not broadcast") as caught:
            tt.broadcast_shapes(a, b)
        assert str(a) in str(caught.value)
        assert str(b) in str(caught.value)
        with pytest.raises(ValueError, match="broadcast"):
            tt.zeros(a) + tt.zeros(b)
    else:
        assert tt.broadcast_shapes(a, b) == right


@quick
@given(
    hnp.mutually_broadcastable_shapes(signature="(n,k),(k,m)->(n,m)", max_dims=2, max_side=3, min_side=1),
)
def test_matmul_agrees_with_numpy(shapes: Any) -> None:
    a, b = (drawn(shape) for shape in shapes.input_shapes)
    np.testing.assert_allclose((tt.tensor(a) @ tt.tensor(b)).data, a @ b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 0), (0, 3)),
        ((2, 3), (2, 3)),
        ((), (3,)),
        ((4, 2, 3), (5, 3, 2)),
    ],
)
def test_matmul_agrees_with_pytorch(torch: Any, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = drawn(a), drawn(b)
    both(lambda: tt.tensor(x) @ tt.tensor(y), lambda: torch.tensor(x) @ torch.tensor(y))


# ---- NumPy on the left, Python around ------------------------------------------------------------------------


def test_arrays_on_the_left_make_tensors() -> None:
    array, x = np.arange(3.0), tt.tensor([1.0, 2.0, 4.0])
    for y in (array + x, array - x, array * x, array / x, np.float64(2) ** x, np.float32(3) - x):
        assert isinstance(y, tt.Tensor)
        assert y.dtype == np.float32
    assert (array - x).tolist() == [-1.0, -1.0, -2.0]
    assert (np.eye(3) @ x).tolist() == x.tolist()
    assert isinstance(array < x, tt.Tensor)
    assert np.asarray(x) is x.data
    assert np.array(x, copy=True) is not x.data


def test_python_protocols() -> None:
    x = tt.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == x.tolist()
    assert float(x[0, 0]) == 1.0
    assert int(x[1, 1]) == 4
    assert [10, 20][tt.tensor(1)] == 20
    assert bool(tt.tensor([[3]]))
    assert not tt.tensor(0.0)
    assert x is not None
    assert (x == None) is False  # noqa: E711  # the operator is what is tested
    assert x in {x}
    assert abs(-x).tolist() == x.tolist()
    assert (x @ x).tolist() == x.matmul(x).tolist()
    for wrong in (lambda: len(tt.tensor(1.0)), lambda: list(tt.tensor(1.0)), lambda: [1, 2][tt.tensor(1.0)]):
        with pytest.raises(TypeError):
            wrong()
    for ambiguous in (lambda: bool(x), x.item, lambda: bool(tt.zeros(0)), lambda: float(x)):
        with pytest.raises(ValueError, match=r"\("):
            ambiguous()


def test_numbers_of_elements_and_bytes(torch: Any) -> None:
    x, y = tt.zeros(2, 3, 4), torch.zeros(2, 3, 4)
    assert (x.numel(), x.element_size(), x.nbytes, x.dim(), x.ndim) == (24, 4, 96, 3, 3)
    assert x.size() == tuple(y.size())
    assert x.size(-1) == y.size(-1)
    assert x.to(tt.float32) is x
    assert x.to(tt.int64).dtype == np.int64
    with pytest.raises(IndexError):
        x.size(3)


def test_copies() -> None:
    x = tt.tensor([1.0, 2.0], requires_grad=True)
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):  # noqa: S301  # just written
        assert y.tolist() == x.tolist()
        assert y.requires_grad
        assert not np.may_share_memory(x.data, y.data)


# ---- shapes, strides, memory --------------------------------------------------------------------------------

MOVES: list[tuple[str, tuple[Any, ...]]] = [
    ("reshape", (-1,)),
    ("reshape", (3, -1)),
    ("reshape", ((4, 6),)),
    ("reshape", (5, 5)),
    ("reshape", (-1, -1)),
    ("view", (6, 4)),
    ("view", (2, 12)),
    ("flatten", ()),
    ("flatten", (1,)),
    ("flatten", (0, 1)),
    ("flatten", (-2, -1)),
    ("permute", (2, 0, 1)),
    ("permute", ((-1, 0, 1),)),
    ("permute", (0, 1)),
    ("permute", (0, 1, 1)),
    ("transpose", (0, 2)),
    ("transpose", (-1, -2)),
    ("transpose", (0, 3)),
    ("unsqueeze", (0,)),
    ("unsqueeze", (3,)),
    ("unsqueeze", (-1,)),
    ("unsqueeze", (-4,)),
    ("unsqueeze", (4,)),
    ("squeeze", ()),
    ("squeeze", (0,)),
    ("squeeze", (5,)),
    ("expand", (5, 2, 3, 4)),
    ("expand", (-1, 3, -1)),
    ("expand", (2, 3, 5)),
    ("expand", (3, 4)),
    ("expand", (-1, 2, 3, 4)),
]


@pytest.mark.parametrize(("name", "arguments"), MOVES)
def test_shapes_and_strides(torch: Any, name: str, arguments: tuple[Any, ...]) -> None:
    a = drawn((2, 3, 4))
    mine, theirs = tt.tensor(a), torch.tensor(a)
    both(lambda: getattr(mine, name)(*arguments), lambda: getattr(theirs, name)(*arguments))
    try:
        moved = getattr(theirs, name)(*arguments)
    except (RuntimeError, IndexError):
        return
    assert getattr(mine, name)(*arguments).stride() == moved.stride()


ON_ONES: list[tuple[tuple[int, ...], str, tuple[Any, ...]]] = [
    ((1, 3, 1), "squeeze", ()),
    ((1, 3, 1), "squeeze", (0,)),
    ((1, 3, 1), "squeeze", (1,)),
    ((1, 3, 1), "squeeze", (-1,)),
    ((1, 3, 1), "expand", (2, 3, 4)),
    ((), "flatten", ()),
    ((), "reshape", (1, 1)),
    ((), "unsqueeze", (-1,)),
    ((), "expand", (3,)),
    ((), "squeeze", ()),
]


@pytest.mark.parametrize(("shape", "name", "arguments"), ON_ONES)
def test_sizes_of_one_and_no_sizes(torch: Any, shape: tuple[int, ...], name: str, arguments: tuple[Any, ...]) -> None:
    a = drawn(shape)
    agree(getattr(tt.tensor(a), name)(*arguments), getattr(torch.tensor(a), name)(*arguments))


@quick
@given(st.data())
def test_views_are_refused_where_pytorch_refuses_them(data: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the authority of this test, is not installed")
    shape = data.draw(FULL_SHAPES)
    a = drawn(shape)
    dims = data.draw(st.permutations(range(len(shape))))
    cut = tuple(slice(None, None, data.draw(st.integers(1, 2))) for _ in shape)
    mine, theirs = tt.tensor(a)[cut].permute(*dims), torch.tensor(a)[cut].permute(*dims)
    assert mine.is_contiguous() == theirs.is_contiguous()
    target = data.draw(st.permutations(factors(mine.numel())))
    both(lambda: mine.view(*target), lambda: theirs.view(*target))
    agree(mine.reshape(*target), theirs.reshape(*target))
    agree(mine.contiguous(), theirs.contiguous())
    assert mine.contiguous().is_contiguous()


def factors(number: int) -> list[int]:
    """Some factors with this product."""
    found = []
    for prime in (2, 3):
        while number % prime == 0:
            found.append(prime)
            number //= prime
    return found or [1]


@pytest.mark.parametrize(
    "share",
    [
        lambda x: x.reshape(3, 2),
        lambda x: x.view(-1),
        lambda x: x.flatten(),
        lambda x: x.T,
        lambda x: x.transpose(0, 1),
        lambda x: x.T.unsqueeze(1),
        lambda x: x.T.squeeze(),
        lambda x: x.unsqueeze(0).expand(4, 2, 3),
        lambda x: x[0],
        lambda x: x[0, 0],
        lambda x: x[:, ::2],
        lambda x: x[None, ..., 1],
        lambda x: x.detach(),
        lambda x: x.contiguous(),
        lambda x: tt.from_numpy(x.numpy()),
    ],
)
def test_views_share_memory(share: Callable[[Any], Any]) -> None:
    x = tt.tensor(drawn((2, 3)))
    assert np.may_share_memory(x.data, share(x).data)


@pytest.mark.parametrize(
    "copied",
    [
        lambda x: x.clone(),
        lambda x: x.T.contiguous(),
        lambda x: x.T.reshape(-1),
        lambda x: x[[0]],
        lambda x: x[x > 0],
        tt.tensor,
        lambda x: tt.cat([x]),
        lambda x: x.to(tt.float64),
        lambda x: x.clamp(-9, 9),
        lambda x: x.masked_fill(x > 99, 0.0),
    ],
)
def test_copies_do_not_share_memory(copied: Callable[[Any], Any]) -> None:
    x = tt.tensor(drawn((2, 3)))
    assert not np.may_share_memory(x.data, copied(x).data)


# ---- indexing -----------------------------------------------------------------------------------------------

INDICES: list[Any] = [
    0,
    -1,
    slice(1, None),
    slice(None, None, 2),
    slice(5, 9),
    ...,
    None,
    (0, 1),
    (0, 1, 2),
    (..., 0),
    (0, ..., 0),
    (slice(None), None, 1),
    [0, 1],
    np.array([[0, 1], [1, 0]]),
    ([0, 1], [2, 0]),
    (slice(None), [2, 0, 0]),
    ([0, 1], slice(None), [3, 0]),
    (0, [2, 1], ...),
    np.array([1, 0]),
    np.array([True, False]),
    (slice(None), np.array([True, False, True])),
    np.arange(6).reshape(2, 3) > 2,
    (slice(0, 0), [0]),
    True,
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indexing_reads_and_writes(torch: Any, index: Any) -> None:
    a = drawn((2, 3, 4))
    mine, theirs = tt.tensor(a), torch.tensor(a)
    both(lambda: mine[index], lambda: theirs[index])
    mine[index] = 7
    theirs[index] = 7
    agree(mine, theirs)
    part = drawn(tuple(theirs[index].shape), 2)
    mine[index] = tt.tensor(part)
    theirs[index] = torch.tensor(part)
    agree(mine, theirs)


@pytest.mark.parametrize("index", [5, -3, (0, 1, 2, 3), [2], (slice(None), 3), np.array([1.0]), np.array([True]), "a"])
def test_indices_out_of_range_are_refused(index: Any) -> None:
    x = tt.zeros(2, 3, 4)
    with pytest.raises((IndexError, TypeError)):
        x[index]
    with pytest.raises((IndexError, TypeError)):
        x[index] = 1


def test_tensors_as_indices() -> None:
    a = drawn((4, 5))
    x, i, j = tt.tensor(a), tt.tensor([3, 0]), tt.tensor([1, 1])
    np.testing.assert_array_equal(x[i].data, a[[3, 0]])
    np.testing.assert_array_equal(x[i, j].data, a[[3, 0], [1, 1]])
    np.testing.assert_array_equal(x[:, j].data, a[:, [1, 1]])
    np.testing.assert_array_equal(x[tt.tensor(2)].data, a[2])
    np.testing.assert_array_equal(x[x > 0].data, a[a > 0])
    with pytest.raises(IndexError):
        x[tt.tensor([0.0])]
    x[x < 0] = 0
    assert x.data.min() == 0


def test_writing_in_place() -> None:
    x = tt.tensor([1, 2, 3])
    view = x[1:]
    x[1] = 9.7
    assert view.tolist() == [9, 3]
    wide = tt.zeros(2, dtype=tt.float64)
    wide[0] = 0.1
    assert wide[0].item() == 0.1
    with pytest.raises(ValueError, match=r"\(4,\).*\(3,\)"):
        x[:] = tt.zeros(4)


# ---- reductions ---------------------------------------------------------------------------------------------


@quick
@given(st.data())
def test_reductions_over_any_dims(data: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the authority of this test, is not installed")
    shape = data.draw(FULL_SHAPES)
    a = drawn(shape, data.draw(st.integers(0, 9)))
    dims = tuple(data.draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=len(shape))))
    dim: Any = data.draw(st.sampled_from([None, dims[0], dims]))
    keepdim = data.draw(st.booleans())
    mine, theirs = tt.tensor(a), torch.tensor(a)
    kinds = {"dim": dim, "keepdim": keepdim}
    both(lambda: mine.sum(**kinds), lambda: theirs.sum(**kinds))
    both(lambda: mine.mean(**kinds), lambda: theirs.mean(**kinds))
    both(lambda: mine.var(correction=0, **kinds), lambda: theirs.var(correction=0, **kinds))
    if dim is not None:
        both(lambda: mine.amax(**kinds), lambda: theirs.amax(**kinds))
    for name in ("max", "min"):
        values, indices = getattr(mine, name)(dims[0], keepdim)
        right = getattr(theirs, name)(dims[0], keepdim)
        agree(values, right.values)
        agree(indices, right.indices)
    agree(mine.max(), theirs.max())
    agree(mine.min(), theirs.min())
    agree(mine.argmax(dims[0], keepdim), theirs.argmax(dims[0], keepdim))


def test_variance(torch: Any) -> None:
    a = drawn((3, 5))
    agree(tt.tensor(a).var(), torch.tensor(a).var())
    agree(tt.tensor(a).var(0, correction=2, keepdim=True), torch.tensor(a).var(0, correction=2, keepdim=True))
    with np.errstate(invalid="ignore"):
        assert math.isnan(tt.tensor([1.0]).var().item())


@pytest.mark.parametrize("dim", [2, -3, (0, 2), (0, 0)])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "amax"])
def test_dims_out_of_range_or_twice_are_refused(name: str, dim: Any) -> None:
    with pytest.raises((IndexError, ValueError)):
        getattr(tt.zeros(2, 3), name)(dim)


def test_reductions_of_nothing(torch: Any) -> None:
    mine, theirs = tt.zeros(0, 3), torch.zeros(0, 3)
    agree(mine.sum(0), theirs.sum(0))
    agree(mine.sum(1), theirs.sum(1))
    agree(mine.sum(), theirs.sum())
    agree(mine.amax(1), theirs.amax(1))
    with np.errstate(invalid="ignore"):
        agree(mine.mean(0), theirs.mean(0))
        agree(mine.mean(), theirs.mean())
    with pytest.raises(ValueError, match="zero-size"):
        mine.amax(0)


def test_extremes_of_unsigned_numbers_booleans_and_nan(torch: Any) -> None:
    for array in (np.array([3, 0, 255], np.uint8), np.array([-128, 127], np.int8)):
        agree(tt.tensor(array).min(), torch.tensor(array).min())
        agree(tt.tensor(array).min(0).values, torch.tensor(array).min(0).values)
    assert tt.tensor([True, False]).min().tolist() is False
    assert math.isnan(tt.tensor([1.0, math.nan]).amax().item())
    assert tt.tensor([1.0, math.nan, 2.0]).argmax().item() == 1


# ---- several tensors, choices --------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, 1, -1, 2, -3])
@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), (4, 3)), ((2, 3), (2, 0)), ((2, 3),), ((2,), (3,))])
def test_cat_and_stack(torch: Any, shapes: tuple[tuple[int, ...], ...], dim: int) -> None:
    arrays = [drawn(shape) for shape in shapes]
    mine, theirs = [tt.tensor(a) for a in arrays], [torch.tensor(a) for a in arrays]
    both(lambda: tt.cat(mine, dim), lambda: torch.cat(theirs, dim))
    both(lambda: tt.stack(mine, dim), lambda: torch.stack(theirs, dim))


def test_cat_of_nothing_and_of_several_dtypes() -> None:
    with pytest.raises(ValueError, match=r"empty|at least one"):
        tt.cat([])
    assert tt.cat([tt.arange(2), tt.rand(2)]).dtype == np.float32
    assert tt.cat([tt.tensor([True]), tt.arange(2)]).dtype == np.int64


def test_choices(torch: Any, rng: Any) -> None:
    a = drawn((3, 4))
    x, y = tt.tensor(a), torch.tensor(a)
    agree(x.clamp(-0.5, 0.5), y.clamp(-0.5, 0.5))
    agree(x.clamp(min=0.5, max=-0.5), y.clamp(min=0.5, max=-0.5))
    agree(tt.arange(5).clamp(max=2), torch.arange(5).clamp(max=2))
    agree(tt.tensor(1.0).clamp(max=0.25), torch.tensor(1.0).clamp(max=0.25))
    agree(x.masked_fill(x > 0, -math.inf), y.masked_fill(y > 0, -math.inf))
    agree(tt.maximum(x, 0.25), torch.maximum(y, torch.tensor(0.25)))
    agree(tt.where(x > 0, x, 0), torch.where(y > 0, y, 0))
    agree(tt.tril(x, -1), torch.tril(y, -1))
    agree(tt.triu(x, 1), torch.triu(y, 1))
    index = rng.integers(0, 4, (3, 2))
    agree(x.gather(1, tt.tensor(index)), y.gather(1, torch.tensor(index)))
    agree((x > 0) & (x < 1) | ~(x < 2), (y > 0) & (y < 1) | ~(y < 2))


# ---- printing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        3.0,
        0.5,
        7,
        True,
        [],
        [1.0, 2.0],
        [1.0, 2.5],
        [1, -20, 300],
        [[True, False], [False, True]],
        [[1.0, -2.25], [10.0, 0.125]],
        [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
        [1e-5, 1.0],
        [1e9, 1.0],
        [1.0, 2000.0],
        [0.0, 0.0],
        [math.nan, 1.0],
        [math.inf, -math.inf, 0.5],
        [[]],
        list(range(30)),
    ],
    ids=str,
)
def test_tensors_print_as_in_pytorch(torch: Any, data: Any) -> None:
    assert repr(tt.tensor(data)) == repr(torch.tensor(data)).replace("torch.", "")


def test_printing_tells_dtype_and_history() -> None:
    x = tt.tensor([0.125, 0.25], requires_grad=True)
    assert repr(x) == "tensor([0.1250, 0.2500], requires_grad=True)"
    assert repr(x * 2) == "tensor([0.2500, 0.5000], grad_fn=<mul>)"
    assert repr(tt.zeros(1, dtype=tt.float64)) == "tensor([0.], dtype=float64)"
    assert repr(tt.zeros(2, 0)) == "tensor([], size=(2, 0))"
    assert len(repr(tt.rand(1000, 1000))) < 500


# ---- history ------------------------------------------------------------------------------------------------


def test_operations_are_recorded_where_a_gradient_is_required() -> None:
    x = tt.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    assert x.is_leaf
    assert not y.is_leaf
    assert y.requires_grad
    assert y.grad_fn.name == "mul"
    assert y.grad_fn.inputs[0] is x
    assert (tt.tensor([1.0]) * 3).grad_fn is None
    assert (x > 1).requires_grad is False
    assert x.argmax().requires_grad is False
    assert x.to(tt.int64).requires_grad is False
    assert x.detach().grad_fn is None
    with pytest.raises(RuntimeError, match="detach"):
        y.numpy()
    assert x.detach().numpy() is x.data


def test_only_floats_require_gradients() -> None:
    with pytest.raises(TypeError, match="int64"):
        tt.tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="bool"):
        tt.Tensor([True], requires_grad=True)


def test_the_switch_belongs_to_a_thread() -> None:
    x = tt.tensor([1.0], requires_grad=True)
    seen: list[bool] = []
    tt.grad_mode.enabled = False
    try:
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
        assert (x * 2).requires_grad is False
    finally:
        tt.grad_mode.enabled = True
    assert seen == [True]


def test_backward_says_what_is_missing() -> None:
    y = (tt.tensor([1.0], requires_grad=True) * 2).sum()
    if f"{tt.__package__}.autograd" not in sys.modules:
        with pytest.raises(RuntimeError, match="module 05"):
            y.backward()
    with pytest.raises(RuntimeError, match="no backward rule for 'nothing'"):
        tt.Function("nothing", (), {}).backward(None)


@pytest.mark.parametrize(
    "composed",
    [
        lambda x: x.mean(0),
        lambda x: x.var(1),
        lambda x: x.max(0).values,
        lambda x: x.min(1).values,
        lambda x: tt.stack([x, x]),
        lambda x: x.unsqueeze(0).squeeze(0).flatten(),
        lambda x: x.masked_fill(x > 0, 0.0),
        lambda x: x.view(-1).T,
        lambda x: abs(2 - x / 3) ** 2,
    ],
)
def test_composed_functions_pass_gradients_on(composed: Callable[[Any], Any]) -> None:
    x = tt.tensor(drawn((2, 3)), requires_grad=True)
    waiting, leaves = [composed(x)], set()
    while waiting:
        node = waiting.pop()
        if node.grad_fn is None:
            leaves.add(id(node))
        else:
            waiting.extend(node.grad_fn.inputs)
    assert id(x) in leaves
