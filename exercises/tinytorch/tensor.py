"""Tensors: n-dimensional arrays of numbers with a shape, a dtype, and a memory of how they were made.

Everything later in the course is written with the `Tensor` of this file. The numbers live in a NumPy array.
What a tensor adds is PyTorch's names, PyTorch's rules for dtypes, and a record of every operation, from which
module 05 will compute gradients.

The file reads from top to bottom. Functions without an exercise are given, and they are worth reading too: they
show how the exercises around them may look. Three of them do the work that every operation shares:

    promote(a, b)                 both operands as tensors of one dtype
    record(name, data, inputs)    a NumPy array becomes the result of an operation
    wrap_dim(dim, ndim)           -1 becomes the last dimension; out of range is an IndexError
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
Shape: TypeAlias = tuple[int, ...]
Dim: TypeAlias = "int | tuple[int, ...] | None"

float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
int64 = np.dtype(np.int64)
bool_ = np.dtype(np.bool_)

# Linux's allocator gives the memory of every large array back to the system, and gets it anew for the next one, page by
# page: half of a transformer's training time. Once an array of almost 32 MB was freed, it keeps what is smaller. This
# one is never touched, so it costs nothing; where memory is handled otherwise, it does nothing.
np.empty(31 << 20, np.uint8)


# ---- The record of operations (given) ----------------------------------------------------------------------


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

    The array is wrapped, not copied. When an input requires a gradient, the result does too, and its
    `grad_fn` remembers the operation by name, with its inputs and whatever its backward rule will need.

    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> record("double", 2 * x.data, (x,))
    tensor([2., 4.], grad_fn=<double>)
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


# ---- From Python and NumPy to tensors ----------------------------------------------------------------------


def as_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """Copy numbers into a new array of the dtype that a tensor should have.

    `data` is a number, nested lists of numbers, or an array. The result has memory of its own, in reading order
    (`order="C"`), so that nobody outside can change a tensor by surprise. Unless `dtype` asks for another:

        floats      float64 becomes float32; any other float dtype stays
        integers    Python's become int64; a NumPy array keeps its dtype (images are uint8)
        booleans    stay bool

    Why not float64, NumPy's default? It takes twice the bytes for digits that no network uses. And why not float32
    for everything? Because integers serve as indices and booleans as masks.

    Anything that holds no numbers or booleans (text, None, complex numbers) raises TypeError and names its dtype.

    >>> as_array([1, 2.5]).dtype, as_array([1, 2.5]).nbytes
    (dtype('float32'), 8)
    >>> as_array([[1, 2], [3, 4]]).dtype, as_array([True, False]).dtype
    (dtype('int64'), dtype('bool'))
    >>> as_array([0.1], dtype=np.float64)
    array([0.1])
    >>> given = np.zeros(2)
    >>> copy = as_array(given)
    >>> given[0] = 7
    >>> copy
    array([0., 0.], dtype=float32)

    `np.array` does the copying, `array.dtype.kind` is "f", "i", "u" (unsigned) or "b" for numbers and booleans.
    About seven lines. NumPy 1 on Windows reads Python's integers as int32: convert those.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.as_array")
    # END OF YOUR CODE (keep this line)


def as_tensor(data: Any, dtype: DTypeLike | None = None) -> Tensor:
    """`data` itself where it is a tensor of that dtype, else a tensor made from it."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return record("constant", as_array(data, dtype), ())


KIND_RANK = {"b": 0, "u": 1, "i": 1, "f": 2}  # bool < integer < float
NUMBERS: dict[str, Any] = {
    "b": bool,
    "u": int,
    "i": int,
    "f": (int, float),
}  # Python numbers that change no dtype of that kind


def common_dtype(*operands: Any) -> np.dtype[Any]:
    """The dtype in which operands meet, by PyTorch's rule.

    The highest kind wins: bool, then integer, then float. Within that kind a tensor with dimensions outranks one
    without, which outranks a Python number; among equals the wider dtype wins. (NumPy would make float64 of int64
    with float32.) See "Type promotion" in https://pytorch.org/docs/stable/tensor_attributes.html.

    >>> common_dtype(tensor([1, 2]), tensor([0.5, 0.5])), common_dtype(tensor([1, 2]), 0.5)
    (dtype('float32'), dtype('float32'))
    """
    ranked = []
    for x in operands:
        array = x.data if isinstance(x, Tensor) else as_array(x)
        weight = 0 if isinstance(x, int | float) else min(array.ndim, 1) + 1
        ranked.append(((KIND_RANK[array.dtype.kind], weight), array.dtype))
    best = max(rank for rank, _ in ranked)
    return np.result_type(*(dtype for rank, dtype in ranked if rank == best))


def promote(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of one dtype; numbers, lists and arrays become tensors.

    >>> promote(tensor([1, 2]), 0.5)
    (tensor([1., 2.]), tensor(0.5000))
    """
    if isinstance(a, Tensor):  # two common cases come first, because every operation passes here
        if isinstance(b, Tensor) and a.data.dtype == b.data.dtype:
            return a, b
        if isinstance(b, NUMBERS[a.data.dtype.kind]):
            return a, record("constant", np.array(b, a.data.dtype), ())
    elif isinstance(b, Tensor):
        b, a = promote(b, a)
        return a, b
    dtype = common_dtype(a, b)
    return as_tensor(a, dtype), as_tensor(b, dtype)


def unpack(sizes: Sequence[Any]) -> tuple[Any, ...]:
    """The sizes of `zeros(2, 3)` and of `zeros((2, 3))`, both as (2, 3)."""
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        return tuple(sizes[0])
    return tuple(sizes)


def wrap_dim(dim: int, ndim: int) -> int:
    """`dim` counted from the front: -1 is the last of `ndim` dimensions. Out of range raises IndexError."""
    if not -ndim <= dim < ndim:
        raise IndexError(f"dim {dim} is out of range: with {ndim} dimensions it lies in [{-ndim}, {ndim - 1}]")
    return dim % ndim


def reduced_count(shape: Shape, dim: Dim) -> int:
    """How many elements a reduction over `dim` folds into one.

    >>> reduced_count((2, 3, 4), None), reduced_count((2, 3, 4), -1), reduced_count((2, 3, 4), (0, 2))
    (24, 4, 8)
    """
    if dim is None:
        return math.prod(shape)
    dims = dim if isinstance(dim, tuple) else (dim,)
    return math.prod(shape[wrap_dim(d, len(shape))] for d in dims)


def add_up(array: Array, dim: Dim = None, dtype: DTypeLike | None = None, keepdim: bool = False) -> Array:
    """The sums over `dim`, as `array.sum(dim, dtype, keepdims=keepdim)` gives them, in a third of the time along rows.

    NumPy adds up a row number by number. A product with ones is the same sum, and goes to a library that was tuned for
    the processor. Longer rows than 1024 stay with NumPy, whose rounding errors do not add up.

    >>> add_up(np.array([[1.0, 2.0], [3.0, 4.0]]), -1)
    array([3., 7.])
    """
    along_rows = array.ndim > 0 and dim in (-1, array.ndim - 1) and array.flags.c_contiguous
    if along_rows and dtype is None and array.dtype.char in "fd" and array.shape[-1] <= 1024:
        n = array.shape[-1]
        sums: Array = array @ np.ones((n, 1) if keepdim else n, array.dtype)
    else:
        sums = array.sum(axis=dim, dtype=dtype, keepdims=keepdim)
    return sums


def numpy_index(index: Any) -> tuple[Any, ...]:
    """An index as NumPy reads it: a tuple with arrays in place of tensors.

    The ellipsis at the end changes no number. It makes NumPy answer `x[0]` of a vector with a view of one element,
    where it would otherwise copy the number out.
    """
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(part.data if isinstance(part, Tensor) else part for part in parts)
    return plain if any(part is ... for part in plain) else (*plain, ...)


# ---- The engines of element-wise maths ---------------------------------------------------------------------


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape in which the given shapes meet; ValueError, naming them all, where they do not.

    Write the shapes below each other, aligned at the right, and look at one column at a time:

        (   3, 1)       a size that is missing counts as 1
        (2, 1, 4)       a size of 1 stretches to whatever the others have
        ---------       two sizes other than 1 must be equal
        (2, 3, 4)

    >>> broadcast_shapes((3, 1), (2, 1, 4))
    (2, 3, 4)
    >>> broadcast_shapes((2, 3), (3,)), broadcast_shapes((5, 1), (1, 0)), broadcast_shapes((), ())
    ((2, 3), (5, 0), ())
    >>> broadcast_shapes((2, 3), (2,))
    Traceback (most recent call last):
    ValueError: shapes (2, 3) and (2,) do not broadcast: sizes 3 and 2 meet at dim -1

    A size of 0 is a size like any other: with 1 it gives 0. NumPy broadcasts by this very rule whenever two arrays
    are added; written once by hand, it never surprises again. About eight lines, for any number of shapes, without
    NumPy. As `torch.broadcast_shapes`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.broadcast_shapes")
    # END OF YOUR CODE (keep this line)


def binary(name: str, function: Callable[[Array, Array], Any], left: Any, right: Any) -> Tensor:
    """Combine two operands element by element: the engine of `+ - * **`, of comparisons and of `maximum`.

        left (...), right (...)  ->  the shape in which the two broadcast

    `function` takes two arrays and gives one, as `operator.add` does. An operand is a tensor, a number, a list or
    an array; after `promote` (above) both are tensors of one dtype. Record the result under `name`, with the two
    tensors as inputs, left one first: module 05 hands out gradients in that order.

    Shapes that do not broadcast raise ValueError with both shapes; NumPy's own message has them.

    >>> binary("add", operator.add, tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    >>> binary("sub", operator.sub, tensor([[1.0], [2.0]]), tensor([10.0, 20.0]))
    tensor([[ -9., -19.],
            [ -8., -18.]])
    >>> binary("mul", operator.mul, tensor([1, 2]), 0.5)
    tensor([0.5000, 1.0000])

    Two lines: promote, then record what `function` gives for the two arrays (`a.data`, `b.data`).
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.binary")
    # END OF YOUR CODE (keep this line)


def unary(name: str, function: Callable[[Array], Array], x: Tensor) -> Tensor:
    """Apply a NumPy function to every element: the engine of `exp`, `log`, `sqrt` and `tanh`.

    Floats keep their dtype. Integers and booleans become float32 first, because e ** 2 is no integer (NumPy alone
    would answer in float64).

    Record the result under `name` with x as the only input, and save the array as `result`: several backward rules
    are shortest in terms of it, such as exp' = exp.

    >>> unary("sqrt", np.sqrt, tensor([1.0, 6.25]))
    tensor([1.0000, 2.5000])
    >>> unary("sqrt", np.sqrt, tensor([4, 9])).dtype
    dtype('float32')
    >>> y = unary("exp", np.exp, tensor([0.0], requires_grad=True))
    >>> y, y.grad_fn.saved
    (tensor([1.], grad_fn=<exp>), {'result': array([1.], dtype=float32)})

    About three lines; `x.to(dtype)` converts.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.unary")
    # END OF YOUR CODE (keep this line)


def reflect(function: Callable[[Tensor, Tensor], Any], right: Tensor, left: Any) -> Tensor:
    """Compute `left function right` for a left operand that does not know tensors.

    For `10 - x` Python asks the number first. The number gives up, and Python calls `x.__rsub__(10)`: the tensor is
    asked although it stands on the right. `__rsub__`, `__rtruediv__` and their like hand that question on to here,
    with `right` the tensor itself and `left` the other operand.

    >>> reflect(operator.sub, tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    >>> 1 / tensor([4.0, 8.0]), 2 ** tensor([1, 3])
    (tensor([0.2500, 0.1250]), tensor([2, 8]))

    Two lines. `function` takes two tensors here (`operator.sub` of two tensors calls `__sub__`), so that dtypes,
    errors and the record come from the operator you have already.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.reflect")
    # END OF YOUR CODE (keep this line)


def power(base: Array, exponent: Array) -> Any:
    """`base ** exponent`; a square, by far the most frequent, is a product and much faster."""
    return base * base if exponent.ndim == 0 and exponent == 2 else base**exponent


# ---- The tensor --------------------------------------------------------------------------------------------


class Extremum(NamedTuple):
    """What `max(dim)` and `min(dim)` return: the values, and where along `dim` they stood."""

    values: Tensor
    indices: Tensor


class Tensor:
    """An n-dimensional array of numbers of one dtype, which remembers how it was computed.

    `Tensor(data, requires_grad=False, dtype=None)` copies its numbers from nested lists, an array or another tensor.

    >>> x = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> x.shape, x.dtype, x.ndim
    ((2, 3), dtype('float32'), 2)
    >>> (x * 2 + 1).sum(dim=0)
    tensor([12., 16., 20.])
    """

    __slots__ = ("__weakref__", "data", "grad", "grad_fn", "requires_grad")
    __array_ufunc__ = None  # array + tensor is left to the tensor, so that a tensor comes back

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

    @property
    def nbytes(self) -> int:
        """Bytes of all elements together: how many there are times the bytes of each.

        >>> zeros(2, 3).nbytes, zeros(2, 3, dtype=float64).nbytes, tensor([True, False]).nbytes
        (24, 48, 2)

        One line, from the two methods above.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.nbytes")
        # END OF YOUR CODE (keep this line)

    def stride(self) -> Shape:
        """How many elements to walk in memory for one step along each dimension.

        Memory is one long line. A (2, 3) tensor lies there as six numbers, row after row: the next column is 1
        element away, the next row 3. Its transpose is the same line, read with the strides exchanged.

        >>> x = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> x.stride(), x.T.stride(), x[:, ::2].stride()
        ((3, 1), (1, 3), (3, 2))

        NumPy's `array.strides` counts bytes, PyTorch and you count elements. One line. See `torch.Tensor.stride`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.stride")
        # END OF YOUR CODE (keep this line)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in reading order, without gaps.

        Then each stride is the product of the sizes to its right: (2, 3, 4) has strides (12, 4, 1). A dimension of
        size 1 may have any stride, for nobody ever takes a step along it. A tensor without elements is contiguous.

        >>> x = zeros(2, 3, 4)
        >>> x.is_contiguous(), x.transpose(0, 1).is_contiguous(), x[:, :2].is_contiguous(), x[1].is_contiguous()
        (True, False, False, True)

        Walk over sizes and strides from the last dimension to the first, with the stride that you expect. About six
        lines, written from `self.shape` and `self.stride()`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.is_contiguous")
        # END OF YOUR CODE (keep this line)

    def clone(self) -> Tensor:
        """A copy with memory of its own, in reading order. It remembers where it came from.

        Record it as "clone": the copy's gradient is the original's.

        >>> x = tensor([1.0, 2.0], requires_grad=True)
        >>> x.clone()
        tensor([1., 2.], grad_fn=<clone>)

        One line.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.clone")
        # END OF YOUR CODE (keep this line)

    def contiguous(self) -> Tensor:
        """The tensor itself where it is contiguous already, else a contiguous copy.

        >>> x = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> x.contiguous() is x
        True
        >>> x.T.contiguous().stride()
        (2, 1)

        One line, with `clone`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.contiguous")
        # END OF YOUR CODE (keep this line)

    def detach(self) -> Tensor:
        """The same memory, without the memories: no gradient will flow through it.

        Nothing is copied, so whoever writes into one of the two changes both. The result requires no gradient and has
        no `grad_fn`: no input is recorded.

        >>> x = tensor([1.0, 2.0], requires_grad=True)
        >>> x.detach(), x.detach().data is x.data
        (tensor([1., 2.]), True)

        One line.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.detach")
        # END OF YOUR CODE (keep this line)

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

    def __pow__(self, other: Any) -> Tensor:
        return binary("pow", power, self, other)

    def __neg__(self) -> Tensor:
        return record("neg", -self.data, (self,))

    def __truediv__(self, other: Any) -> Tensor:
        """Divide element by element.

        As `binary`, with one difference: two integer operands are divided as float32. (NumPy alone would answer in
        float64; `//` would drop the remainder.) Record it as "div".

        >>> tensor([1.0, 2.0]) / tensor([4.0, 16.0])
        tensor([0.2500, 0.1250])
        >>> tensor([1, 3]) / 2, (tensor([1, 3]) / 2).dtype
        (tensor([0.5000, 1.5000]), dtype('float32'))

        Three or four lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.__truediv__")
        # END OF YOUR CODE (keep this line)

    def matmul(self, other: Any) -> Tensor:
        """The matrix product, which `@` calls: rows of the left with columns of the right.

            (..., n, k) @ (..., k, m)  ->  (..., n, m)      leading dimensions broadcast
            (k,) @ (k,) -> ()           (n, k) @ (k,) -> (n,)           (k,) @ (k, m) -> (m,)

            out[i, j] = sum over k of left[i, k] * right[k, j]

        >>> tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]) @ tensor([[1.0], [0.0], [2.0]])
        tensor([[ 7.],
                [16.]])
        >>> (zeros(5, 2, 3) @ zeros(3, 4)).shape
        (5, 2, 4)
        >>> zeros(2, 3) @ zeros(4, 5)
        Traceback (most recent call last):
        ValueError: cannot multiply shapes (2, 3) @ (4, 5): the inner sizes must agree

        NumPy's `@` on the two arrays knows all these cases, and hands large ones to a library that uses every trick of
        your processor. It also raises ValueError where they do not fit, but says nothing of the shapes: catch that, and
        raise one that names both. Record it as "matmul". About six lines. See `torch.matmul`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.matmul")
        # END OF YOUR CODE (keep this line)

    def __matmul__(self, other: Any) -> Tensor:
        return self.matmul(other)

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

    # ---- Comparisons: booleans, which have no gradient ----

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

    __hash__ = object.__hash__  # == compares elements, so a tensor is found in a set or dict by identity

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
        """Limit every element: what is below `min` becomes min, what is above `max` becomes max.

        None leaves that side open; without both there is nothing to do, which is a ValueError. The dtype is kept, and
        a nan stays nan. Record it as "clamp" with `min` and `max` as they were given.

        >>> x = tensor([-3.0, 0.5, 9.0])
        >>> x.clamp(-1, 2), x.clamp(min=0), x.clamp(max=0)
        (tensor([-1.0000,  0.5000,  2.0000]), tensor([0.0000, 0.5000, 9.0000]), tensor([-3.,  0.,  0.]))

        About three lines, with `np.clip`, which takes None too. See `torch.clamp`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.clamp")
        # END OF YOUR CODE (keep this line)

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        """A copy with `value` where `mask` is True.

        >>> tensor([1.0, 2.0, 3.0]).masked_fill(tensor([False, True, False]), -math.inf)
        tensor([1., -inf, 3.])
        """
        return where(mask, np.asarray(value, self.dtype), self)

    # ---- Shape ----

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in the same reading order, in another shape.

        One size may be -1: it becomes whatever makes the numbers of elements agree. Sizes come one by one or as a
        tuple; `unpack` (above) takes both. Memory is shared where the order in memory allows it, else copied.

        >>> x = tensor([[1, 2, 3], [4, 5, 6]])
        >>> x.reshape(3, 2)
        tensor([[1, 2],
                [3, 4],
                [5, 6]])
        >>> x.T.reshape(-1)
        tensor([1, 4, 2, 5, 3, 6])
        >>> x.reshape((4, -1))
        Traceback (most recent call last):
        ValueError: cannot reshape (2, 3), which has 6 elements, to (4, -1)

        NumPy's ValueError does not name both shapes: catch it, and raise one that does. Record it as "reshape". About
        five lines. See `torch.reshape`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.reshape")
        # END OF YOUR CODE (keep this line)

    def view(self, *shape: Any) -> Tensor:
        """As `reshape`, but never a copy: whoever writes into the view writes into the original.

        Where the elements do not lie in memory in the right order, there is no such view. Then ValueError, with both
        shapes: a silent copy would lose what is written into it later.

        >>> x = tensor([[1, 2, 3], [4, 5, 6]])
        >>> x.view(3, 2).shape
        (3, 2)
        >>> x.T.view(6)
        Traceback (most recent call last):
        ValueError: no view of (3, 2) as (6,): the strides (1, 3) ask for a copy, use reshape

        Reshape first, then ask `np.may_share_memory(a, b)` of the two arrays; without elements there is nothing to
        share. About four lines. See `torch.Tensor.view`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.view")
        # END OF YOUR CODE (keep this line)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Join the dimensions from start_dim to end_dim, both included, into one.

        >>> zeros(2, 3, 4).flatten().shape, zeros(2, 3, 4).flatten(1).shape, zeros(2, 3, 4).flatten(0, 1).shape
        ((24,), (2, 12), (6, 4))
        """
        if self.ndim == 0:
            return self.reshape(1)
        start, end = wrap_dim(start_dim, self.ndim), wrap_dim(end_dim, self.ndim)
        joined = math.prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], joined, *self.shape[end + 1 :])

    def permute(self, *dims: Any) -> Tensor:
        """Put the dimensions in another order: dimension i of the result is dimension dims[i] of the tensor.

        No element moves. The strides are exchanged together with the sizes, and the result shares the memory.

        >>> zeros(2, 3, 4).permute(2, 0, 1).shape
        (4, 2, 3)
        >>> tensor([[1, 2, 3], [4, 5, 6]]).permute(1, 0)
        tensor([[1, 4],
                [2, 5],
                [3, 6]])

        Not a reshape: that would keep the reading order 1, 2, 3 and only break the lines elsewhere. The dims come one
        by one or as a tuple, may be negative, and each appears once, or it is a ValueError (NumPy raises it). Record
        it as "permute" with `dims`. Two lines, with NumPy's `array.transpose`. See `torch.permute`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.permute")
        # END OF YOUR CODE (keep this line)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Exchange two dimensions; a dim out of range raises IndexError.

        >>> zeros(2, 3, 4).transpose(0, -1).shape
        (4, 3, 2)

        Three lines: the dims in order as a list, two entries exchanged, `permute`. See `torch.transpose`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.transpose")
        # END OF YOUR CODE (keep this line)

    @property
    def T(self) -> Tensor:  # noqa: N802 (PyTorch's and NumPy's name)
        """The dimensions in reverse order."""
        return self.permute(*reversed(range(self.ndim)))

    def unsqueeze(self, dim: int) -> Tensor:
        """Insert a dimension of size 1, which stands at position `dim` of the result.

        The result has one dimension more than the tensor, and `dim` counts among those: -1 puts the new one last.

        >>> x = tensor([1.0, 2.0, 3.0])
        >>> x.unsqueeze(0).shape, x.unsqueeze(1).shape, x.unsqueeze(-1).shape
        ((1, 3), (3, 1), (3, 1))

        Two lines, with `wrap_dim` and `reshape`. See `torch.unsqueeze`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.unsqueeze")
        # END OF YOUR CODE (keep this line)

    def squeeze(self, dim: int | None = None) -> Tensor:
        """Drop dimension `dim` if its size is 1; without `dim`, every dimension of size 1.

        >>> zeros(1, 3, 1).squeeze().shape, zeros(1, 3, 1).squeeze(0).shape, zeros(1, 3, 1).squeeze(1).shape
        ((3,), (3, 1), (1, 3, 1))
        """
        drop = range(self.ndim) if dim is None else [wrap_dim(dim, self.ndim)]
        return self.reshape([size for i, size in enumerate(self.shape) if size != 1 or i not in drop])

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat dimensions of size 1 without copying: the stride becomes 0, so every step reads the same element.

        The sizes are those of the result. New dimensions may appear in front; -1 keeps the size that is there. A size
        other than 1 cannot be expanded, and a new dimension has no size to keep: ValueError with both shapes.

        >>> x = tensor([[1.0], [2.0]])
        >>> x.expand(2, 3)
        tensor([[1., 1., 1.],
                [2., 2., 2.]])
        >>> x.expand(2, 3).stride(), x.expand(4, -1, 3).shape
        ((1, 0), (4, 2, 3))
        >>> x.expand(3, 3)
        Traceback (most recent call last):
        ValueError: cannot expand (2, 1) to (3, 3)

        As one element stands for many, NumPy lets nobody write into the result. Record it as "expand". About seven
        lines, with `np.broadcast_to`, which refuses negative sizes. See `torch.Tensor.expand`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.expand")
        # END OF YOUR CODE (keep this line)

    # ---- Indexing ----

    def __getitem__(self, index: Any) -> Tensor:
        """Pick elements, rows, blocks: everything that NumPy's square brackets can.

            x[1]        one row                      x[:, 0]         one column
            x[..., -1]  the last of the last dim     x[None]         a new dimension in front
            x[[2, 0]]   these rows, in this order    x[x > 0]        where a mask is True
            x[[0, 1], [2, 2]]     pairs: x[0, 2] and x[1, 2]

        The first four are views and share the memory; those with lists, arrays or tensors are copies.

        >>> x = tensor([[1, 2, 3], [4, 5, 6]])
        >>> x[1], x[:, 0], x[0, 2]
        (tensor([4, 5, 6]), tensor([1, 4]), tensor(3))
        >>> x[tensor([1, 0]), tensor([2, 2])], x[x > 4]
        (tensor([6, 3]), tensor([5, 6]))

        A tensor as index must reach NumPy as an array: `numpy_index` (above) sees to it. Record it as "getitem" with
        the index that NumPy got, as `index`. Two lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.__getitem__")
        # END OF YOUR CODE (keep this line)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write into the memory of this tensor: `x[index] = value`. Every view of it sees the change.

        The value is a number, a list, an array or a tensor; it broadcasts to the place, and takes the dtype of this
        tensor. A value of the wrong shape raises ValueError with both shapes (NumPy's has them).

        A tensor that requires a gradient may not be written into while operations are recorded: what was computed
        from the old numbers would get the gradient of the new ones. RuntimeError.

        >>> x = tensor([[1, 2, 3], [4, 5, 6]])
        >>> x[0] = 0
        >>> x[:, 1] = tensor([7, 8])
        >>> x
        tensor([[0, 7, 0],
                [4, 8, 6]])

        About three lines; `grad_mode.enabled` says whether operations are recorded.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.__setitem__")
        # END OF YOUR CODE (keep this line)

    def gather(self, dim: int, index: Tensor) -> Tensor:
        """Pick along `dim` one element for every entry of `index`, which has as many dimensions. See `torch.gather`.

        >>> tensor([[1, 2, 3], [4, 5, 6]]).gather(1, tensor([[2], [0]]))
        tensor([[3],
                [4]])
        """
        data = np.take_along_axis(self.data, index.data, dim)
        return record("gather", data, (self,), dim=dim, index=index.data)

    # ---- Reductions ----

    def sum(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Add up the elements over `dim`.

            dim     None: over everything; an int, from either end; or a tuple of several
            shape   the summed dimensions vanish; with keepdim they stay with size 1, so that the result
                    still broadcasts against the tensor it came from
            dtype   floats keep theirs; integers and booleans are counted in int64

        >>> x = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> x.sum(), x.sum(0), x.sum(-1)
        (tensor(21.), tensor([5., 7., 9.]), tensor([ 6., 15.]))
        >>> x.sum(1, keepdim=True).shape, (x / x.sum(1, keepdim=True)).shape
        ((2, 1), (2, 3))
        >>> tensor([True, True, False]).sum()
        tensor(2)

        Record it as "sum" with `dim` and `keepdim`. About three lines, with NumPy's `array.sum` (axis, dtype,
        keepdims), which raises IndexError where a dim does not exist; or with `add_up` (above), which gives the same,
        sooner. See `torch.sum`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.sum")
        # END OF YOUR CODE (keep this line)

    def mean(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The average over `dim`: the sum, divided by how many elements were added into each result.

        >>> x = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]])
        >>> x.mean(), x.mean(0), x.mean(1, keepdim=True).shape
        (tensor(4.), tensor([2.5000, 3.5000, 6.0000]), (2, 1))

        Integers have no mean of their own dtype: TypeError for anything but floats.

        Write it with `sum`, `/` and `reduced_count` (above), not with NumPy, and module 05 will know its gradient
        without another rule. About three lines. See `torch.mean`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.mean")
        # END OF YOUR CODE (keep this line)

    def var(self, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Tensor:
        """The variance over `dim`: how far the elements lie from their mean, squared and averaged.

            var = sum of (x - mean)**2 / (n - correction)

        With n elements in each mean. The default divides by n - 1: a mean that was taken from the same numbers lies
        too close to them, and this makes up for it. Networks that normalise use correction=0.

        >>> x = tensor([1.0, 2.0, 3.0, 6.0])
        >>> x.mean(), x.var(), x.var(correction=0)
        (tensor(3.), tensor(4.6667), tensor(3.5000))
        >>> tensor([[1.0, 2.0], [3.0, 8.0]]).var(1, keepdim=True)
        tensor([[ 0.5000],
                [12.5000]])

        By hand: the distances from 3 are -2, -1, 0, 3, their squares add up to 14, and 14 / 3 or 14 / 4 remains.

        Three lines, of Tensor operations only, so that its gradient comes for free. The mean must still broadcast
        against x. See `torch.var`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.var")
        # END OF YOUR CODE (keep this line)

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The largest element over `dim`, which is None, an int or a tuple, as in `sum`.

        >>> x = tensor([[1, 5, 3], [4, 2, 6]])
        >>> x.amax(), x.amax(1), x.amax(0, keepdim=True)
        (tensor(6), tensor([5, 6]), tensor([[4, 5, 6]]))

        Record it as "amax" with `dim`, `keepdim` and the array as `result`: the gradient goes to the elements that
        equal it. Two lines, with NumPy's `array.max`. See `torch.amax`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.amax")
        # END OF YOUR CODE (keep this line)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where along `dim` the largest element stands, the first of several; int64.

        >>> tensor([[1, 5, 3], [4, 2, 6]]).argmax(1), tensor([[1, 5, 3], [4, 2, 6]]).argmax()
        (tensor([1, 2]), tensor(5))
        """
        data = np.argmax(self.data, axis=dim, keepdims=keepdim)
        return record("argmax", data.astype(np.int64), (self,))

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest element; with `dim`, the largest values along it and where they stand.

        Without `dim` the result is a tensor, that of `amax`. With `dim` it is an `Extremum` (above): a pair of
        tensors, `values` and `indices`, of one shape. The dimension vanishes from both, or stays with size 1 if
        keepdim. Of several largest elements the first one counts.

        >>> x = tensor([[1, 5, 3], [4, 2, 6]])
        >>> x.max()
        tensor(6)
        >>> values, indices = x.max(dim=1)
        >>> values, indices
        (tensor([5, 6]), tensor([1, 2]))

        About six lines, with `argmax` for the indices, `gather` for the values and `squeeze` for the shape. They are
        three methods of this class. See `torch.max`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tensor.Tensor.max")
        # END OF YOUR CODE (keep this line)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest element; with `dim`, the smallest values along it and where they stand.

        >>> tensor([[1, 5, 3], [4, 2, 6]]).min(dim=0).values
        tensor([1, 2, 3])
        """
        # The smallest of x is the largest of -x. For integers ~n = -n - 1, which cannot overflow.
        flip = operator.neg if self.dtype.kind == "f" else operator.invert
        if dim is None:
            return flip(flip(self).max())
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
        parts = [format_array(self.data)]
        if self.numel() == 0 and self.ndim != 1:
            parts.append(f"size={self.shape}")
        if self.dtype not in (float32, int64, bool_) or (self.numel() == 0 and self.dtype != float32):
            parts.append(f"dtype={self.dtype}")
        if self.grad_fn is not None:
            parts.append(f"grad_fn={self.grad_fn}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"


# ---- Printing: numbers as PyTorch prints them (given) ------------------------------------------------------

PRINTED, EDGE = 1000, 3  # larger tensors show the first and last three of every dimension


def format_array(array: Array) -> str:
    """The numbers of an array with four decimals, aligned in columns."""
    if array.size == 0:
        return "[]"
    shown = array if array.size <= PRINTED else corners(array)
    if array.dtype.kind == "f":  # 0, inf and nan print in any format, so the others choose it
        shown = shown[np.isfinite(shown) & (shown != 0)]
    show = number_format(shown)
    width = max((len(show(x)) for x in shown.flat), default=0)
    return np.array2string(
        array,
        separator=", ",
        prefix="tensor(",
        threshold=PRINTED,
        edgeitems=EDGE,
        max_line_width=82,  # lines of 80: NumPy counts the comma and the space after it
        formatter={"all": lambda x: show(x).rjust(width)},
    )


def corners(array: Array) -> Array:
    """The elements of a large array that are printed."""
    for dim, size in enumerate(array.shape):
        if size > 2 * EDGE:
            array = np.take(array, [*range(EDGE), *range(size - EDGE, size)], axis=dim)
    return array


def number_format(array: Array) -> Callable[[Any], str]:
    """How each number is written: the shortest way that suits all of them.

    >>> tensor([1.0, 2.0]), tensor([1.0, 0.5]), tensor([1.0, 0.00001])
    (tensor([1., 2.]), tensor([1.0000, 0.5000]), tensor([1.0000e+00, 1.0000e-05]))
    """
    if array.dtype.kind != "f":
        return str
    sizes = np.abs(array.astype(np.float64))
    whole = bool(np.all(sizes == np.ceil(sizes)))
    small, large = sizes.min(initial=math.inf), sizes.max(initial=0)
    if large / small > 1000 or large > 1e8 or (small < 1e-4 and not whole):
        return lambda x: f"{x:.4e}"
    if whole:
        return lambda x: f"{x:.0f}." if np.isfinite(x) else str(x)
    return lambda x: f"{x:.4f}"


# ---- Factories ---------------------------------------------------------------------------------------------

default_generator = np.random.default_rng()  # every random number of the course comes from here


def manual_seed(seed: int) -> np.random.Generator:
    """Start the random numbers again from `seed`: the same seed gives the same numbers."""
    default_generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return default_generator


def tensor(data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of numbers, nested lists or an array; the numbers are copied."""
    return Tensor(data, requires_grad, dtype)


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the memory of an array, whatever its dtype."""
    return record("constant", array, ())


def full(size: Sequence[int], fill_value: float, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor with the same number everywhere."""
    return Tensor(np.full(size, as_array(fill_value, dtype)), requires_grad, dtype)


def zeros(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros."""
    return Tensor(np.zeros(unpack(size), dtype), requires_grad, dtype)


def ones(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    return Tensor(np.ones(unpack(size), dtype), requires_grad, dtype)


def zeros_like(x: Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape of `x`, and in its dtype unless another is asked for."""
    return zeros(x.shape, dtype=x.dtype if dtype is None else dtype, requires_grad=requires_grad)


def ones_like(x: Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape of `x`, and in its dtype unless another is asked for."""
    return ones(x.shape, dtype=x.dtype if dtype is None else dtype, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """The identity matrix with n rows and m columns (n unless given)."""
    return Tensor(np.eye(n, m, dtype=dtype), requires_grad, dtype)


def arange(
    start: float, end: float | None = None, step: float = 1, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """The numbers from start up to, but without, end, in steps.

    With one number, that number is the end and the start is 0. The dtype is int64 if every given number is an integer,
    else float32.

    >>> arange(4), arange(2, 5), arange(6, 0, -2)
    (tensor([0, 1, 2, 3]), tensor([2, 3, 4]), tensor([6, 4, 2]))
    >>> arange(0, 1, 0.25), arange(3.0)
    (tensor([0.0000, 0.2500, 0.5000, 0.7500]), tensor([0., 1., 2.]))

    About five lines, with `np.arange` and `Tensor`, which takes the dtype. See `torch.arange`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.arange")
    # END OF YOUR CODE (keep this line)


def rand(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """Random numbers, uniform in [0, 1)."""
    return Tensor(default_generator.random(unpack(size), dtype=np.float32), requires_grad, dtype)


def randn(*size: Any, dtype: DTypeLike = float32, requires_grad: bool = False) -> Tensor:
    """Random numbers from the normal distribution with mean 0 and variance 1."""
    return Tensor(default_generator.standard_normal(unpack(size), dtype=np.float32), requires_grad, dtype)


# ---- Functions of several tensors --------------------------------------------------------------------------


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors one after another along a dimension that they have.

        (2, 3) and (4, 3) at dim 0  ->  (6, 3)      all sizes but that of dim must agree

    They come together in their common dtype (`common_dtype`, above). Shapes that do not fit raise ValueError with all
    of them in the message.

    >>> a, b = tensor([[1, 2]]), tensor([[3, 4], [5, 6]])
    >>> cat([a, b])
    tensor([[1, 2],
            [3, 4],
            [5, 6]])
    >>> cat([b, b], dim=1).shape
    (2, 4)
    >>> cat([a, b], dim=1)
    Traceback (most recent call last):
    ValueError: cannot join shapes (1, 2) and (2, 2) along dim 1: all other sizes must agree

    Record it as "cat" with `dim`; the inputs are a tuple of all tensors in the common dtype. About seven lines, with
    `np.concatenate`, whose ValueError does not name the shapes. See `torch.cat`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.cat")
    # END OF YOUR CODE (keep this line)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension, which stands at `dim` of the result.

        (2, 3) and (2, 3) at dim 0  ->  (2, 2, 3)

    >>> a, b = tensor([1, 2, 3]), tensor([4, 5, 6])
    >>> stack([a, b]), stack([a, b], dim=1).shape
    (tensor([[1, 2, 3],
            [4, 5, 6]]), (3, 2))

    One line, with two functions of this file. See `torch.stack`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.stack")
    # END OF YOUR CODE (keep this line)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """The elements of `a` where the condition is True, else those of `b`. All three broadcast.

    The condition holds booleans, or it is a TypeError. `a` and `b` are tensors or numbers and meet in their common
    dtype, as in `+`.

    >>> x = tensor([-1.5, 2.0, -3.0])
    >>> where(x > 0, x, 0.0)
    tensor([0., 2., 0.])
    >>> where(tensor([[True], [False]]), tensor([1, 2]), tensor([3, 4]))
    tensor([[1, 2],
            [3, 4]])

    Record it as "where" with a and b as inputs and the condition's array as `condition`: one of the two inputs gets
    each element's gradient. About five lines, with `as_tensor`, `promote` and `np.where`. See `torch.where`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tensor.where")
    # END OF YOUR CODE (keep this line)


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of two, element by element.

    >>> maximum(tensor([1, 5]), tensor([3, 2]))
    tensor([3, 5])
    """
    return binary("maximum", np.maximum, a, b)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of every matrix: zeros above the diagonal.

    >>> tril(ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return record("tril", np.tril(x.data, diagonal), (x,), diagonal=diagonal)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of every matrix: zeros below the diagonal."""
    return record("triu", np.triu(x.data, diagonal), (x,), diagonal=diagonal)
