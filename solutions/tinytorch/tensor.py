"""Tensors: arrays of numbers with a shape, a dtype, and a memory of how they were made.

Everything later in the course is written with the `Tensor` of this file. The numbers live in a NumPy array;
what the tensor adds is PyTorch's names, PyTorch's rules for dtypes, and a record of every operation, from
which module 05 will compute gradients.
"""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
Dim: TypeAlias = "int | tuple[int, ...] | None"
Shape: TypeAlias = tuple[int, ...]

float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
int64 = np.dtype(np.int64)
bool_ = np.dtype(np.bool_)


# ---- The record of operations (given) ----


class Function:
    """One operation that was done: its name, the tensors that went in, and what its backward rule needs.

    `rules` maps the name of an operation to its backward rule. Module 05 fills it.
    """

    rules: ClassVar[dict[str, Callable[..., Any]]] = {}
    __slots__ = ("inputs", "name", "saved")

    def __init__(self, name: str, inputs: tuple[Tensor, ...], saved: dict[str, Any]) -> None:
        self.name = name
        self.inputs = inputs
        self.saved = saved

    def backward(self, grad: Any) -> Any:
        """The gradients of the inputs, given the gradient of the result."""
        rule = self.rules.get(self.name)
        if rule is None:
            raise RuntimeError(f"no backward rule for {self.name!r} yet: module 05 (autograd) supplies them")
        return rule(grad, *self.inputs, **self.saved)

    def __repr__(self) -> str:
        return f"<{self.name}>"


class GradMode(threading.local):
    """Whether operations are recorded; each thread has its own switch."""

    enabled = True


grad_mode = GradMode()


def record(name: str, data: Any, inputs: tuple[Tensor, ...], **saved: Any) -> Tensor:
    """Make the result of an operation: every operation of the course ends here.

    The array is wrapped, not copied. When an input requires a gradient, the result does too, and
    `grad_fn` remembers the operation by name, with its inputs and whatever its backward rule needs.
    """
    result = Tensor.__new__(Tensor)
    result.data = np.asarray(data)
    result.requires_grad = False
    result.grad = None
    result.grad_fn = None
    for x in inputs:
        if x.requires_grad and grad_mode.enabled and result.data.dtype.kind == "f":
            result.requires_grad = True
            result.grad_fn = Function(name, inputs, saved)
            break
    return result


# ---- From Python and NumPy to tensors ----


def as_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """A new, contiguous array of the numbers in `data`, float32 where they are floats."""
    array = np.array(data, dtype=dtype, order="C")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a tensor holds numbers or booleans, not {array.dtype}")
    if dtype is None and array.dtype == np.float64:
        return array.astype(np.float32)
    if dtype is None and array.dtype.kind == "i" and not isinstance(data, np.ndarray | np.generic):
        return array.astype(np.int64)  # NumPy 1 on Windows reads Python's integers as int32
    return array


def as_tensor(data: Any, dtype: DTypeLike | None = None) -> Tensor:
    """`data` itself where it is a tensor of that dtype, else a tensor made from it."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return record("constant", as_array(data, dtype), ())


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}  # bool < integer < float


def common_dtype(*operands: Any) -> np.dtype[Any]:
    """The dtype in which operands meet, by PyTorch's rule.

    The highest kind wins: bool, then integer, then float. Within that kind a tensor with dimensions
    outranks one without, which outranks a Python number; among equals the wider dtype wins.
    """
    ranked = []
    for x in operands:
        array = x.data if isinstance(x, Tensor) else as_array(x)
        weight = 0 if isinstance(x, bool | int | float) else 1 if array.ndim == 0 else 2
        ranked.append(((_KINDS[array.dtype.kind], weight), array.dtype))
    best = max(rank for rank, _ in ranked)
    return np.result_type(*(dtype for rank, dtype in ranked if rank == best))


def promote(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of one dtype; numbers, lists and arrays become tensors."""
    if isinstance(a, Tensor):  # the two common cases need no table
        if isinstance(b, Tensor) and a.data.dtype == b.data.dtype:
            return a, b
        if isinstance(b, int | float) and a.data.dtype.kind == "f":
            return a, record("constant", np.array(b, a.data.dtype), ())
    dtype = common_dtype(a, b)
    return as_tensor(a, dtype), as_tensor(b, dtype)


def unpack(sizes: Sequence[Any]) -> tuple[Any, ...]:
    """The sizes of `zeros(2, 3)` and of `zeros((2, 3))`, both as (2, 3)."""
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        return tuple(sizes[0])
    return tuple(sizes)


def wrap_dim(dim: int, ndim: int) -> int:
    """`dim` counted from the front: -1 is the last of `ndim` dimensions."""
    if not -ndim <= dim < ndim:
        raise IndexError(f"dim {dim} is out of range: with {ndim} dimensions it lies in [{-ndim}, {ndim - 1}]")
    return dim % ndim


def reduced_count(shape: Shape, dim: Dim) -> int:
    """How many elements a reduction over `dim` folds into one."""
    if dim is None:
        return math.prod(shape)
    dims = dim if isinstance(dim, tuple) else (dim,)
    return math.prod(shape[wrap_dim(d, len(shape))] for d in dims)


def numpy_index(index: Any) -> tuple[Any, ...]:
    """An index as NumPy reads it: a tuple with arrays for tensors.

    The ellipsis at the end changes no result. It makes NumPy answer `x[0]` of a vector with a view of
    one element where it would otherwise copy the number out.
    """
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(part.data if isinstance(part, Tensor) else part for part in parts)
    return plain if any(part is ... for part in plain) else (*plain, ...)


# ---- The two engines of element-wise maths ----


def unary(name: str, function: Callable[[Array], Array], x: Tensor) -> Tensor:
    """Apply a NumPy function to every element."""
    data = function(x.data if x.data.dtype.kind == "f" else x.data.astype(np.float32))
    return record(name, data, (x,), result=data)


def binary(name: str, function: Callable[[Array, Array], Any], left: Any, right: Any) -> Tensor:
    """Combine two operands element by element, with broadcasting."""
    a, b = promote(left, right)
    return record(name, function(a.data, b.data), (a, b))


def reflect(function: Callable[[Tensor, Tensor], Tensor], right: Tensor, left: Any) -> Tensor:
    """Compute `left function right` where only the right operand is a tensor."""
    a, b = promote(left, right)
    return function(a, b)


class Extremum(NamedTuple):
    """What `max(dim)` and `min(dim)` return: the values, and where along `dim` they stood."""

    values: Tensor
    indices: Tensor


class Tensor:
    """An n-dimensional array of numbers of one dtype, which remembers how it was computed."""

    __slots__ = ("__weakref__", "data", "grad", "grad_fn", "requires_grad")
    __array_ufunc__ = None  # array + tensor is left to the tensor, so that it comes back as a tensor

    data: Array
    requires_grad: bool
    grad: Tensor | None
    grad_fn: Function | None

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        if isinstance(data, Tensor):  # somebody chose its dtype, so it stays
            data, dtype = data.data, data.dtype if dtype is None else dtype
        self.data = as_array(data, dtype)
        if requires_grad and self.data.dtype.kind != "f":
            raise TypeError(f"only float tensors can require a gradient, not {self.data.dtype}")
        self.requires_grad = requires_grad
        self.grad = None
        self.grad_fn = None

    # ---- Shape, dtype, memory ----

    @property
    def shape(self) -> Shape:
        """The size of every dimension."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        return self.data.dtype

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.grad_fn is None

    @property
    def nbytes(self) -> int:
        """Bytes of all elements together."""
        return self.numel() * self.element_size()

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[wrap_dim(dim, self.ndim)]

    def dim(self) -> int:
        """How many dimensions there are."""
        return self.data.ndim

    def numel(self) -> int:
        """How many elements there are."""
        return self.data.size

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.data.itemsize

    def stride(self) -> Shape:
        """How many elements to walk in memory for one step along each dimension."""
        return tuple(step // self.data.itemsize for step in self.data.strides)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in reading order, without gaps."""
        expected = 1
        for size, step in zip(reversed(self.shape), reversed(self.stride()), strict=True):
            if size > 1 and step != expected:
                return self.numel() == 0
            expected *= size
        return True

    def contiguous(self) -> Tensor:
        """The tensor itself where it is contiguous, else a contiguous copy."""
        return self if self.is_contiguous() else self.clone()

    def clone(self) -> Tensor:
        """A copy with memory of its own."""
        return record("clone", self.data.copy(), (self,))

    def detach(self) -> Tensor:
        """The same memory without the history."""
        return record("detach", self.data, ())

    def to(self, dtype: DTypeLike) -> Tensor:
        """The same numbers in another dtype; the tensor itself where it has that dtype already."""
        if self.data.dtype == dtype:
            return self
        return record("to", self.data.astype(dtype), (self,))

    # ---- Back to Python and NumPy ----

    def numpy(self) -> Array:
        """The array inside: no copy is made."""
        if self.requires_grad:
            raise RuntimeError("numpy() would lose the history of a tensor that requires grad: detach() it first")
        return self.data

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.numel() != 1:
            raise ValueError(f"item() needs exactly one element, and shape {self.shape} has {self.numel()}")
        return self.data.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.data.tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype=dtype) if copy else np.asarray(self.data, dtype=dtype)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a tensor without dimensions has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ValueError(f"true or false? shape {self.shape} has {self.numel()} elements, not one")
        return bool(self.data.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.dtype.kind == "f":
            raise TypeError(f"only integer tensors can be an index, not {self.dtype}")
        return operator.index(self.item())

    # ---- Arithmetic ----

    def __add__(self, other: Any) -> Tensor:
        return binary("add", operator.add, self, other)

    def __sub__(self, other: Any) -> Tensor:
        return binary("sub", operator.sub, self, other)

    def __mul__(self, other: Any) -> Tensor:
        return binary("mul", operator.mul, self, other)

    def __truediv__(self, other: Any) -> Tensor:
        """Divide element by element; integers are divided as float32."""
        a, b = promote(self, other)
        if a.dtype.kind != "f":
            a, b = a.to(float32), b.to(float32)
        return record("div", a.data / b.data, (a, b))

    def __pow__(self, other: Any) -> Tensor:
        return binary("pow", operator.pow, self, other)

    def matmul(self, other: Any) -> Tensor:
        """The matrix product."""
        a, b = promote(self, other)
        try:
            return record("matmul", a.data @ b.data, (a, b))
        except ValueError:
            raise ValueError(f"cannot multiply shapes {a.shape} @ {b.shape}: the inner sizes differ") from None

    def __matmul__(self, other: Any) -> Tensor:
        return self.matmul(other)

    def __neg__(self) -> Tensor:
        return record("neg", -self.data, (self,))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> Tensor:
        return reflect(operator.sub, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return reflect(operator.truediv, self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return reflect(operator.pow, self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return reflect(operator.matmul, self, other)

    # ---- Comparisons: booleans, without history ----

    def __lt__(self, other: Any) -> Tensor:
        return binary("lt", operator.lt, self, other)

    def __le__(self, other: Any) -> Tensor:
        return binary("le", operator.le, self, other)

    def __gt__(self, other: Any) -> Tensor:
        return binary("gt", operator.gt, self, other)

    def __ge__(self, other: Any) -> Tensor:
        return binary("ge", operator.ge, self, other)

    def __eq__(self, other: object) -> Any:
        return NotImplemented if other is None else binary("eq", operator.eq, self, other)

    def __ne__(self, other: object) -> Any:
        return NotImplemented if other is None else binary("ne", operator.ne, self, other)

    __hash__ = object.__hash__  # by identity: tensors are keys of the graph walk in module 05

    def __invert__(self) -> Tensor:
        return record("invert", ~self.data, (self,))

    def __and__(self, other: Any) -> Tensor:
        return binary("and", operator.and_, self, other)

    def __or__(self, other: Any) -> Tensor:
        return binary("or", operator.or_, self, other)

    # ---- Element-wise maths ----

    def exp(self) -> Tensor:
        """Raise e to the power of every element."""
        return unary("exp", np.exp, self)

    def log(self) -> Tensor:
        """The natural logarithm of every element."""
        return unary("log", np.log, self)

    def sqrt(self) -> Tensor:
        """The square root of every element."""
        return unary("sqrt", np.sqrt, self)

    def tanh(self) -> Tensor:
        """The hyperbolic tangent of every element."""
        return unary("tanh", np.tanh, self)

    def abs(self) -> Tensor:
        """Every element without its sign."""
        return record("abs", np.abs(self.data), (self,))

    def __abs__(self) -> Tensor:
        return self.abs()

    def clamp(self, min: float | None = None, max: float | None = None) -> Tensor:  # noqa: A002 (PyTorch's names)
        """Limit every element to [min, max]; None leaves that side open."""
        if min is None and max is None:
            raise ValueError("clamp needs min, max or both")
        data = self.data
        if min is not None:
            data = np.maximum(data, np.asarray(min, data.dtype))
        if max is not None:
            data = np.minimum(data, np.asarray(max, data.dtype))
        return record("clamp", data, (self,), min=min, max=max)

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        """A copy with `value` where `mask` is True."""
        return where(mask, np.asarray(value, self.dtype), self)

    # ---- Shape ----

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in the same reading order, in another shape."""
        shape = unpack(shape)
        try:
            return record("reshape", self.data.reshape(shape), (self,))
        except ValueError:
            raise ValueError(f"cannot reshape {self.shape}, {self.numel()} elements, to {shape}") from None

    def view(self, *shape: Any) -> Tensor:
        """As `reshape`, but never a copy."""
        result = self.reshape(*shape)
        if self.numel() > 0 and not np.may_share_memory(self.data, result.data):
            raise ValueError(
                f"no view of {self.shape} as {result.shape}: strides {self.stride()} need a copy, use reshape"
            )
        return result

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Join the dimensions from start_dim to end_dim into one."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = wrap_dim(start_dim, self.ndim), wrap_dim(end_dim, self.ndim)
        joined = math.prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], joined, *self.shape[end + 1 :])

    def permute(self, *dims: Any) -> Tensor:
        """Put the dimensions in another order, without moving an element."""
        dims = unpack(dims)
        return record("permute", self.data.transpose(dims), (self,), dims=dims)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Exchange two dimensions."""
        dims = list(range(self.ndim))
        dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
        return self.permute(dims)

    @property
    def T(self) -> Tensor:  # noqa: N802 (PyTorch's and NumPy's name)
        """The dimensions in reverse order."""
        return self.permute(*reversed(range(self.ndim)))

    def unsqueeze(self, dim: int) -> Tensor:
        """Insert a dimension of size 1 at position `dim` of the result."""
        dim = wrap_dim(dim, self.ndim + 1)
        return self.reshape(*self.shape[:dim], 1, *self.shape[dim:])

    def squeeze(self, dim: int | None = None) -> Tensor:
        """Drop dimension `dim` if its size is 1; without `dim`, every dimension of size 1."""
        drop = range(self.ndim) if dim is None else [wrap_dim(dim, self.ndim)]
        return self.reshape([size for i, size in enumerate(self.shape) if size != 1 or i not in drop])

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat dimensions of size 1 without copying; -1 keeps a size."""
        sizes = unpack(sizes)
        front = len(sizes) - self.ndim
        shape = [self.shape[i - front] if n == -1 and i >= front else n for i, n in enumerate(sizes)]
        return record("expand", np.broadcast_to(self.data, shape), (self,))

    # ---- Indexing ----

    def __getitem__(self, index: Any) -> Tensor:
        """Pick elements: integers, slices, `...`, None, integer and boolean arrays or tensors."""
        index = numpy_index(index)
        return record("getitem", self.data[index], (self,), index=index)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write elements in place."""
        if self.requires_grad and grad_mode.enabled:
            raise RuntimeError("writing into a tensor that requires grad would falsify its gradient")
        self.data[numpy_index(index)] = as_tensor(value).data

    def gather(self, dim: int, index: Tensor) -> Tensor:
        """Pick along `dim` one element for every entry of `index`, which has as many dimensions."""
        index = as_tensor(index)
        return record("gather", np.take_along_axis(self.data, index.data, dim), (self,), dim=dim, index=index.data)

    # ---- Reductions ----

    def sum(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Add up the elements over `dim`."""
        dtype = None if self.data.dtype.kind == "f" else np.int64
        data = self.data.sum(axis=dim, dtype=dtype, keepdims=keepdim)
        return record("sum", data, (self,), dim=dim, keepdim=keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The average over `dim`."""
        if self.data.dtype.kind != "f":
            raise TypeError(f"mean needs a float tensor, not {self.dtype}: convert it with to(float32)")
        return self.sum(dim, keepdim) / reduced_count(self.shape, dim)

    def var(self, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Tensor:
        """The variance over `dim`."""
        centred = self - self.mean(dim, keepdim=True)
        count = reduced_count(self.shape, dim) - correction
        return (centred * centred).sum(dim, keepdim) / count

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The largest element over `dim`."""
        data = self.data.max(axis=dim, keepdims=keepdim)
        return record("amax", data, (self,), dim=dim, keepdim=keepdim, result=data)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where along `dim` the largest element stands, the first of several; int64."""
        data = np.argmax(self.data, axis=dim, keepdims=keepdim)
        return record("argmax", data.astype(np.int64), (self,))

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest element; with `dim`, the largest values along it and their indices."""
        if dim is None:
            return self.amax()
        indices = self.argmax(dim, keepdim=True)
        values = self.gather(dim, indices)
        if keepdim:
            return Extremum(values, indices)
        return Extremum(values.squeeze(dim), indices.squeeze(dim))

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest element; with `dim`, the smallest values along it and their indices."""
        flip = operator.neg if self.data.dtype.kind == "f" else operator.invert  # ~n = -n - 1 cannot overflow
        if dim is None:
            return flip(flip(self).amax())
        values, indices = flip(self).max(dim, keepdim)
        return Extremum(flip(values), indices)

    # ---- Gradients ----

    def backward(self, gradient: Tensor | None = None) -> None:
        """Compute the gradient of this tensor with respect to every leaf that requires one."""
        if find_spec(".autograd", __package__) is None:
            raise RuntimeError("backward() needs module 05 (autograd), which is not in this package yet")
        import_module(".autograd", __package__).backward(self, gradient)

    # ---- Printing ----

    def __repr__(self) -> str:
        notes = []
        if self.numel() == 0 and self.ndim != 1:
            notes.append(f"size={self.shape}")
        if self.dtype not in (float32, int64, bool_) or (self.numel() == 0 and self.dtype != float32):
            notes.append(f"dtype={self.dtype}")
        if self.grad_fn is not None:
            notes.append(f"grad_fn={self.grad_fn}")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return f"tensor({', '.join([format_array(self.data), *notes])})"


def format_array(array: Array) -> str:
    """The numbers of an array as PyTorch prints them: four decimals, aligned in columns."""
    if array.size == 0:
        return "[]"
    show = number_format(array)
    shown = array if array.size <= 1000 else _edges(array)
    width = max(len(show(x)) for x in shown.flat)
    return np.array2string(
        array,
        separator=", ",
        prefix="tensor(",
        threshold=1000,
        max_line_width=80,
        formatter={"all": lambda x: show(x).rjust(width)},
    )


def _edges(array: Array, keep: int = 3) -> Array:
    """The corners of a large array, which are all that is printed."""
    for dim, size in enumerate(array.shape):
        if size > 2 * keep:
            array = np.take(array, [*range(keep), *range(size - keep, size)], axis=dim)
    return array


def number_format(array: Array) -> Callable[[Any], str]:
    """How to print each number: `1.` if all are whole, else `0.5000`, or `1.0000e-05` if they range far."""
    if array.dtype.kind != "f":
        return str
    sizes = np.abs(array[np.isfinite(array) & (array != 0)].astype(np.float64))
    if sizes.size == 0:
        return lambda x: f"{x:.0f}." if np.isfinite(x) else str(x)
    small, large = sizes.min(), sizes.max()
    whole = bool(np.all(sizes == np.ceil(sizes)))
    if large / small > 1000 or large > 1e8 or (small < 1e-4 and not whole):
        return lambda x: f"{x:.4e}"
    if whole:
        return lambda x: f"{x:.0f}." if np.isfinite(x) else str(x)
    return lambda x: f"{x:.4f}"


# ---- Broadcasting ----


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape in which the given shapes meet."""
    result: list[int] = []
    for place in range(1, max(map(len, shapes), default=0) + 1):
        sizes = {shape[-place] for shape in shapes if len(shape) >= place} - {1}
        if len(sizes) > 1:
            raise ValueError(f"shapes {' and '.join(map(str, shapes))} do not broadcast: {sizes} at dim {-place}")
        result.insert(0, sizes.pop() if sizes else 1)
    return tuple(result)


# ---- Factories ----

default_generator = np.random.default_rng()  # every random number of the course comes from here


def manual_seed(seed: int) -> np.random.Generator:
    """Start the random numbers again from `seed`."""
    default_generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return default_generator


def tensor(data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of numbers, nested lists or an array; the numbers are copied."""
    return Tensor(data, requires_grad, dtype)


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the memory of an array, whatever its dtype."""
    return record("constant", array, ())


def full(size: Sequence[int], fill_value: float, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor with the same number everywhere, in that number's dtype unless another is asked for."""
    return Tensor(np.full(size, as_array(fill_value, dtype)), requires_grad, dtype)


def zeros(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros."""
    return Tensor(np.zeros(unpack(size), dtype), requires_grad, dtype)


def ones(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    return Tensor(np.ones(unpack(size), dtype), requires_grad, dtype)


def zeros_like(x: Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape of `x`, and in its dtype unless another is asked for."""
    return zeros(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def ones_like(x: Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape of `x`, and in its dtype unless another is asked for."""
    return ones(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """The identity matrix with n rows and m columns (n unless given)."""
    return Tensor(np.eye(n, m, dtype=dtype), requires_grad, dtype)


def arange(
    start: float, end: float | None = None, step: float = 1, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """The numbers from start up to but without end, in steps."""
    if end is None:
        start, end = 0, start
    if dtype is None:
        dtype = int64 if all(isinstance(x, int) for x in (start, end, step)) else float32
    return Tensor(np.arange(start, end, step), requires_grad, dtype)


def rand(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """Random numbers, uniform in [0, 1)."""
    return Tensor(default_generator.random(unpack(size), dtype=np.float32), requires_grad, dtype)


def randn(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """Random numbers from the normal distribution with mean 0 and variance 1."""
    return Tensor(default_generator.standard_normal(unpack(size), dtype=np.float32), requires_grad, dtype)


# ---- Functions of several tensors ----


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a dimension that they have."""
    dtype = common_dtype(*tensors)
    inputs = tuple(x.to(dtype) for x in tensors)
    try:
        return record("cat", np.concatenate([x.data for x in inputs], axis=dim), inputs, dim=dim)
    except ValueError:
        shapes = " and ".join(str(x.shape) for x in inputs)
        raise ValueError(f"cannot join shapes {shapes} along dim {dim}: all other sizes must agree") from None


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension."""
    return cat([x.unsqueeze(dim) for x in tensors], dim)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """Elements of `a` where the condition is True, else of `b`."""
    mask = as_tensor(condition).data
    a, b = promote(a, b)
    return record("where", np.where(mask, a.data, b.data), (a, b), condition=mask)


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of two elements."""
    return binary("maximum", np.maximum, a, b)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of every matrix: zeros above the diagonal."""
    return record("tril", np.tril(x.data, diagonal), (x,), diagonal=diagonal)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of every matrix: zeros below the diagonal."""
    return record("triu", np.triu(x.data, diagonal), (x,), diagonal=diagonal)
