"""Checkpoint 01: tensors."""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, named, raises, same, same_array, unchanged

RECORDED = (
    "add", "sub", "mul", "div", "pow", "neg", "matmul", "exp", "log", "sqrt", "tanh", "abs", "clamp", "where",
    "maximum", "reshape", "permute", "expand", "getitem", "gather", "sum", "amax", "cat", "tril", "triu", "clone", "to",
)  # fmt: skip
REVERSED = "the operands are exchanged: the left one comes first."
LOST = "the result does not know where it came from. End with record(...), or use Tensor operations throughout."
COPIED = "the numbers were copied. Hand on the same memory."
SHARED = "the memory is shared. A copy has memory of its own."
READING_ORDER = (
    "this is a reshape: it keeps the reading order of the numbers and only breaks the lines elsewhere. "
    "Exchanging dimensions changes which number follows which."
)
NO_KEEPDIM = "keepdim was ignored. The reduced dimension stays, with size 1, so that the result still broadcasts."
ALWAYS_KEPT = "the reduced dimension is still there. Without keepdim it vanishes."


# ---- probes: run beside the student's code, return what they saw -------------------------------------------


def turned(x):
    """The tensor with the dimensions of its memory reversed, so that it is not contiguous."""
    x.data = x.data.T
    return x


def history(y, keys):
    """The name of the operation that made y, and what it saved under the keys."""
    node = y.grad_fn
    return ["nothing is recorded"] if node is None else [node.name, *(node.saved.get(key, "missing") for key in keys)]


def saved_array(y, key):
    """An array that the operation saved."""
    return None if y.grad_fn is None else y.grad_fn.saved.get(key)


def input_data(y):
    """The arrays of the inputs of the operation that made y."""
    return [] if y.grad_fn is None else [x.data for x in y.grad_fn.inputs]


def unknown_operations(y, known):
    """The names of all operations that led to y, sorted, without the known ones."""
    names, waiting = set(), [y]
    while waiting:
        node = waiting.pop().grad_fn
        if node is not None:
            names.add(node.name)
            waiting.extend(node.inputs)
    return sorted(names - set(known)) if names else ["nothing is recorded"]


def poke(written, read, value):
    """Write a number into the first element of one tensor, and read the first element of another."""
    data = written.data
    data[(0,) * data.ndim] = value
    return float(read.data[(0,) * read.data.ndim])


# ---- what operations remember ------------------------------------------------------------------------------


def remembers(lab, y, name, **saved):
    """The result y knows the operation that made it, and what its backward rule will need."""
    same(
        lab(history, y, list(saved)),
        [name, *saved.values()],
        what=f"y.grad_fn of the result y: {', '.join(['name', *saved])}",
        mistakes=[Mistake(["nothing is recorded"], LOST)],
    )


def made_of_known_operations(lab, y, instead):
    """Every operation that led to y has a backward rule in module 05."""
    odd = lab(unknown_operations, y, list(RECORDED))
    same(
        odd,
        [],
        what="operations behind the result for which module 05 has no rule",
        mistakes=[Mistake(["nothing is recorded"], LOST), Mistake(odd, instead)],
    )


# ---- as_array -----------------------------------------------------------------------------------------------


@exercise("as_array", points=2)
def test_as_array_makes_floats_float32(tt, draw):
    """tensor turns Python's floats and float64 arrays into float32"""
    a = draw(2, 3)
    smaller = "tensor([1., 2., 3.]) has 12 bytes, 4 for each number"
    same(tt.tensor(a.tolist()), a, smaller=smaller)
    same(tt.tensor(a.astype(np.float64)), a, smaller=smaller)
    same(tt.tensor(float(a[0, 0])), a[0, 0])
    same(tt.tensor(np.zeros((0, 3))), np.zeros((0, 3), np.float32))


@exercise("as_array", points=2)
def test_as_array_keeps_integers_and_booleans(tt, draw):
    """tensor keeps integers and booleans, for indices and masks"""
    whole = draw.integers(-9, 10, 2, 3)
    same(tt.tensor(whole.tolist()), whole, smaller="tensor([1, 2]).dtype is int64")
    same(tt.tensor((whole > 0).tolist()), whole > 0, smaller="tensor([True, False]).dtype is bool")
    for dtype in (np.uint8, np.int32):
        kept = draw.integers(0, 128, 4).astype(dtype)
        same(tt.tensor(kept), kept, dtype=dtype, smaller=f"an array of {kept.dtype} keeps its dtype")


@exercise("as_array", points=1)
def test_as_array_takes_the_dtype_asked_for(tt, draw):
    """tensor takes the dtype that it is asked for, without a detour through float32"""
    wide = draw.rng.uniform(-1, 1, (2, 3))
    whole = draw.integers(-9, 10, 3)
    same(
        tt.tensor(wide, dtype=np.float64), wide, dtype=np.float64, smaller="tensor([0.1], dtype=float64).item() is 0.1"
    )
    same(tt.tensor(whole, dtype=np.float32), whole.astype(np.float32))
    same(tt.tensor(whole.tolist(), dtype=np.int32), whole, dtype=np.int32)
    same(tt.Tensor(tt.tensor(wide, dtype=np.float64)), wide, dtype=np.float64)


@exercise("as_array", points=2)
def test_as_array_owns_its_numbers(tt, draw, lab):
    """tensor copies its numbers: a later change of the array outside does not reach it"""

    def change_outside(given, value):
        x = tt.tensor(given)
        given[0] = value
        return x.data

    for given in (draw(4), draw.integers(-9, 10, 4)):
        after = given.copy()
        after[0] = 77
        same_array(
            lab(change_outside, given, 77),
            given,
            what="x = tensor(given); given[0] = 77; x.data",
            mistakes=[Mistake(after, SHARED)],
            smaller="np.array copies, np.asarray does not",
        )


@exercise("as_array", points=1)
def test_as_array_lies_in_reading_order(tt, draw, lab):
    """tensor lays its numbers down in reading order, whatever the order of the array outside"""

    def layout_of_new(given):
        x = tt.tensor(given.T)
        return [x.data, list(x.data.strides)]

    n, m = draw.sizes(2)
    a = draw(n, m)
    data, strides = lab(layout_of_new, a)
    same_array(data, a.T, what="tensor(given.T).data")
    same(strides, [4 * n, 4], what="tensor(given.T).data.strides, in bytes", smaller='np.array(..., order="C")')


@exercise("as_array", points=1)
def test_as_array_refuses_what_holds_no_numbers(tt, draw):
    """tensor refuses text and complex numbers with a TypeError that names their dtype"""
    a = draw(3)
    text = "x" * int(draw.integers(2, 9))
    same(tt.tensor(a.tolist()), a)
    raises(TypeError, lambda: tt.tensor([text]), mentions=[f"U{len(text)}"])
    raises(TypeError, lambda: tt.tensor(a * 1j), mentions=["complex"])


# ---- broadcast_shapes ---------------------------------------------------------------------------------------


def thinned(draw, shape):
    """The shape with some sizes replaced by 1, and perhaps cut in front."""
    kept = [size if draw.choice([True, False]) else 1 for size in shape]
    return tuple(kept[int(draw.integers(0, len(shape))) :])


@exercise("broadcast_shapes", points=2)
def test_broadcast_shapes_stretches_ones(tt, draw):
    """broadcast_shapes aligns shapes at the right and stretches sizes of 1"""
    for n in range(6):
        shape = draw.sizes(3)
        thin = thinned(draw, shape) if n else shape[1:]
        a, b = (thin, shape) if draw.choice([True, False]) else (shape, thin)
        same(
            tt.broadcast_shapes(a, b),
            np.broadcast_shapes(a, b),
            what=f"broadcast_shapes({a}, {b})",
            smaller="broadcast_shapes((3, 1), (4,)) is (3, 4)",
        )


@exercise("broadcast_shapes", points=2)
def test_broadcast_shapes_takes_any_number_of_shapes(tt, draw):
    """broadcast_shapes takes any number of shapes, the empty one too"""
    n, m, k = draw.sizes(3)
    for shapes in (((n, 1), (m,), (k, 1, 1)), ((), (n, m)), ((n, m),), ((1, 1), (1,), (n, 1)), ((),), ()):
        same(tt.broadcast_shapes(*shapes), np.broadcast_shapes(*shapes), what=f"broadcast_shapes{shapes}")


@exercise("broadcast_shapes", points=1)
def test_broadcast_shapes_stretches_to_nothing(tt, draw):
    """broadcast_shapes treats a size of 0 as any other: a 1 beside it becomes 0"""
    n, m = draw.sizes(2)
    says = "the larger size wins here, but 1 beside 0 gives 0: the 1 stretches, to nothing."
    same(
        tt.broadcast_shapes((n, 1), (1, 0)),
        (n, 0),
        what=f"broadcast_shapes({(n, 1)}, (1, 0))",
        mistakes=[Mistake((n, 1), says)],
    )
    same(tt.broadcast_shapes((0, m), (m,)), (0, m), what=f"broadcast_shapes({(0, m)}, {(m,)})")


@exercise("broadcast_shapes", points=1)
def test_broadcast_shapes_refuses_what_does_not_fit(tt, draw):
    """broadcast_shapes refuses two sizes that differ and are not 1, naming the shapes"""
    n, m = draw.sizes(2)
    same(tt.broadcast_shapes((n, 1), (m,)), (n, m), what=f"broadcast_shapes({(n, 1)}, {(m,)})")
    raises(ValueError, lambda: tt.broadcast_shapes((n, m), (n,)), mentions=[(n, m), (n,)])
    raises(ValueError, lambda: tt.broadcast_shapes((m, 1), (n, m)), mentions=[(m, 1), (n, m)])


# ---- binary -------------------------------------------------------------------------------------------------


@exercise("binary", points=2)
def test_binary_combines_elements(tt, draw):
    """binary combines two tensors element by element, left one first"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(n, m)
    smaller = "tensor([5., 3.]) - tensor([1., 1.]) is tensor([4., 2.])"
    same(tt.tensor(a) - tt.tensor(b), a - b, mistakes=[Mistake(b - a, REVERSED)], smaller=smaller)
    same(tt.tensor(a) * tt.tensor(b), a * b)
    same(tt.tensor(a) > tt.tensor(b), a > b, mistakes=[Mistake(a < b, REVERSED)])


@exercise("binary", points=2)
def test_binary_broadcasts_both_ways(tt, draw):
    """binary broadcasts, whichever operand is the smaller one"""
    n, m, k = draw.sizes(3)
    for left, right in (
        ((n, m), (m,)),
        ((m,), (n, m)),
        ((n, 1), (m,)),
        ((k, 1, m), (n, 1)),
        ((), (n,)),
        ((0, m), (m,)),
    ):
        a, b = draw(*left), draw(*right)
        same(tt.tensor(a) - tt.tensor(b), a - b, smaller="tensor([[1.], [2.]]) + tensor([1., 2., 3.]) is (2, 3)")


@exercise("binary", points=2)
def test_binary_meets_in_one_dtype(tt, draw):
    """binary meets in PyTorch's common dtype: never float64 unless one tensor is"""
    a, whole = draw(3), draw.integers(-9, 10, 3)
    x, i = named(tt.tensor(a), "x"), named(tt.tensor(whole), "i")
    wide = named(tt.tensor(a, dtype=np.float64), "wide")
    same(i + i, whole + whole, smaller="int64 + int64 is int64")
    same(i + x, whole + a, dtype=np.float32, smaller="int64 + float32 is float32 (NumPy alone makes float64 of it)")
    same(i * 0.5, whole * 0.5, dtype=np.float32)
    same(x + wide, 2.0 * a, dtype=np.float64)
    digits = "a Python number takes the tensor's dtype, with all its digits"
    same(wide * 0.1, a.astype(np.float64) * 0.1, dtype=np.float64, smaller=digits)


@exercise("binary", points=2)
def test_binary_takes_numbers_and_arrays(tt, draw):
    """binary takes numbers, lists and arrays as the other operand"""
    a, b = draw(2, 3), draw(3)
    x = named(tt.tensor(a), "x")
    same(x - 2, a - 2)
    same(x * 0.5, a * np.float32(0.5))
    same(x + b.tolist(), a + b)
    same(x + b.astype(np.float64), a + b, smaller="a float64 array counts as float32, as in tensor(array)")
    same(b + x, b + a, smaller="array + tensor is a tensor too")


@exercise("binary", points=1)
def test_binary_reads_any_memory_layout(tt, draw, lab):
    """binary reads tensors that are not contiguous, and leaves both operands alone"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(m, n)
    x, y = named(lab(turned, tt.tensor(a)), "x"), named(tt.tensor(b), "y")
    same(x - y, a.T - b)
    unchanged(x, a.T)
    unchanged(y, b)


@exercise("binary", points=1)
def test_binary_refuses_shapes_that_do_not_broadcast(tt, draw):
    """binary refuses shapes that do not broadcast, naming both"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(n)
    same(tt.tensor(a) + tt.tensor(b[:, None]), a + b[:, None])
    raises(ValueError, lambda: tt.tensor(a) + tt.tensor(b), mentions=[a.shape, b.shape])


@exercise("binary", points=2)
def test_binary_records_both_operands(tt, draw, lab):
    """binary records its name and its operands, left one first, for module 05"""
    a, b = draw(2, 3), draw(3)
    y = tt.tensor(a, requires_grad=True) - tt.tensor(b)
    same(y, a - b)
    remembers(lab, y, "sub")
    inputs = lab(input_data, y)
    same(len(inputs), 2, what="len(y.grad_fn.inputs)")
    same_array(inputs[0], a, what="y.grad_fn.inputs[0].data")
    same_array(inputs[1], b, what="y.grad_fn.inputs[1].data")


# ---- unary --------------------------------------------------------------------------------------------------


@exercise("unary", points=2)
def test_unary_works_on_every_element(tt, draw):
    """unary applies exp, log, sqrt or tanh to every element"""
    n, m = draw.sizes(2)
    a, p = draw(n, m), draw.positive(n, m)
    same(tt.tensor(a).exp(), np.exp(a), smaller="tensor([0.]).exp() is tensor([1.])")
    same(tt.tensor(a).tanh(), np.tanh(a))
    same(tt.tensor(p).log(), np.log(p))
    same(tt.tensor(p).sqrt(), np.sqrt(p))


@exercise("unary", points=2)
def test_unary_makes_floats_of_integers(tt, draw):
    """unary makes float32 of integers and booleans, and keeps float64"""
    whole, wide = draw.integers(1, 10, 4), draw.rng.uniform(0.5, 2, 3)
    smaller = "tensor([4, 9]).sqrt().dtype is float32"
    same(tt.tensor(whole).log(), np.log(whole), dtype=np.float32, smaller=smaller)
    same(tt.tensor(whole > 5).exp(), np.exp((whole > 5).astype(np.float32)), smaller=smaller)
    same(tt.tensor(wide, dtype=np.float64).exp(), np.exp(wide), dtype=np.float64)


@exercise("unary", points=1)
def test_unary_takes_any_shape(tt, draw, lab):
    """unary takes any shape and memory layout, and leaves its input alone"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(lab(turned, tt.tensor(a)), "x")
    same(x.exp(), np.exp(a.T))
    unchanged(x, a.T)
    same(tt.tensor(a[0, 0]).exp(), np.exp(a[0, 0]))
    same(tt.tensor(a[:0]).exp(), a[:0])


@exercise("unary", points=1)
def test_unary_records_its_result(tt, draw, lab):
    """unary records its name and saves the array of its result"""
    a = draw(2, 3)
    y = tt.tensor(a, requires_grad=True).tanh()
    same(y, np.tanh(a))
    remembers(lab, y, "tanh")
    same_array(lab(saved_array, y, "result"), np.tanh(a), what='y.grad_fn.saved["result"]')


# ---- reflect ------------------------------------------------------------------------------------------------


@exercise("reflect", points=2)
def test_reflect_puts_the_other_operand_first(tt, draw):
    """reflect puts the number on the left first: 2 - x, 2 ** x"""
    a = draw(2, 3)
    x = named(tt.tensor(a), "x")
    says = "this is x - 2. In __rsub__ self stands on the right, so the other operand is the left one."
    same(2 - x, 2 - a, mistakes=[Mistake(a - 2, says)], smaller="10 - tensor([1., 2.]) is tensor([9., 8.])")
    same(2**x, np.float32(2) ** a, mistakes=[Mistake(a**2, "this is x ** 2: the operands are exchanged.")])


@exercise("reflect", points=1)
def test_reflect_takes_an_array_on_the_left(tt, draw):
    """reflect takes arrays on the left, and a tensor comes back"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(m)
    x = named(tt.tensor(a), "x")
    same(b - x, b - a, mistakes=[Mistake(a - b, REVERSED)])
    same(np.float64(2) - x, 2 - a)


@exercise("reflect", points=1)
def test_reflect_keeps_the_dtype_rules(tt, draw):
    """reflect keeps to the dtype rules: 0.1 - float64 keeps all digits, 0.5 - int64 is float32"""
    whole, wide = draw.integers(-9, 10, 3), draw.rng.uniform(-1, 1, 3)
    same(0.5 - tt.tensor(whole), 0.5 - whole, dtype=np.float32)
    same(0.1 - tt.tensor(wide, dtype=np.float64), 0.1 - wide, dtype=np.float64)
    same(3 - tt.tensor(whole), 3 - whole)


# ---- memory -------------------------------------------------------------------------------------------------


@exercise("Tensor.nbytes", points=1)
def test_nbytes_counts_bytes(tt, draw):
    """nbytes is the number of elements times the bytes of one"""
    shape = draw.sizes(3)
    a = draw(*shape)
    says = "this is the number of elements. Each of them takes several bytes: element_size()."
    for x, bytes_each in ((tt.tensor(a), 4), (tt.tensor(a, dtype=np.float64), 8), (tt.tensor(a > 0), 1)):
        same(
            x.nbytes,
            a.size * bytes_each,
            what=f"nbytes of a tensor of shape {shape} with {bytes_each} bytes per element",
            mistakes=[Mistake(a.size, says), Mistake(a.size * 8, "a float32 takes 4 bytes, not 8.")],
            smaller="zeros(2, 3).nbytes is 24",
        )
    same(tt.tensor(a[:0]).nbytes, 0, what="nbytes of a tensor without elements")


@exercise("Tensor.stride", points=2)
def test_stride_counts_elements(tt, draw, lab):
    """stride counts elements, not bytes, for one step along each dimension"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    says = "these are bytes, as NumPy counts. Divide by the bytes of one element."
    dtype = draw.choice([np.float32, np.float64])
    size = np.dtype(dtype).itemsize
    x = tt.tensor(a, dtype=dtype)
    same(
        x.stride(),
        (m * k, k, 1),
        what=f"stride of a {np.dtype(dtype)} tensor of shape {a.shape}",
        mistakes=[Mistake((m * k * size, k * size, size), says), Mistake((m * k * 4, k * 4, 4), says)],
        smaller="zeros(2, 3).stride() is (3, 1)",
    )
    same(lab(turned, x).stride(), (1, k, m * k), what="stride with the dimensions reversed")


@exercise("Tensor.stride", points=1)
def test_stride_of_slices(tt, draw, lab):
    """stride of a slice with steps is the step times the stride"""

    def stride_of_slice(a, rows, columns):
        x = tt.tensor(a)
        x.data = x.data[::rows, ::columns]
        return [x.stride(), x.data]

    rows, columns = draw.sizes(2)
    a = draw(7, 8)
    stride, data = lab(stride_of_slice, a, rows, columns)
    same_array(data, a[::rows, ::columns], what="x.data")
    same(stride, (8 * rows, columns), what=f"stride of x[::{rows}, ::{columns}] with x of shape (7, 8)")


def layouts(a):
    """Views of an array of three dimensions, some in reading order without gaps and some not."""
    line = np.zeros(3, np.float32)
    views = [a, a.T, a[:, ::2], a[1:], a[1], a[:, 1], a[:, :1], a[:1], a[:1].T, a[::2], a.swapaxes(0, 1), a[:, :0].T]
    return [*views, np.broadcast_to(line, (2, 3)), np.broadcast_to(line[:, None], (3, 1)), a[0, 0, :1]]


@exercise("Tensor.is_contiguous", points=2)
def test_is_contiguous_compares_strides(tt, draw, lab):
    """is_contiguous tells tensors in reading order without gaps from all others"""

    def answers(cases):
        memory, answers = np.zeros(1000, np.float32), []
        for shape, strides in cases:
            x = tt.tensor(0.0)
            x.data = np.lib.stride_tricks.as_strided(memory, shape, strides)
            answers.append(bool(x.is_contiguous()))
        return answers

    views = layouts(draw(*draw.sizes(3)))
    views = [views[i] for i in draw.permutation(len(views))]
    cases = [(view.shape, view.strides) for view in views]
    right = [bool(view.flags.c_contiguous) for view in views]
    got = lab(answers, cases)
    first = next((i for i, answer in enumerate(got) if answer is not right[i]), 0) if type(got) is list else 0
    shape, strides = cases[first]
    same(
        got,
        right,
        what=f"is_contiguous() of {len(cases)} layouts; number {first} has shape {shape}, strides {strides} in bytes",
        smaller="sizes (2, 3, 4) in reading order have strides (12, 4, 1); the stride of a size 1 does not matter",
    )


@exercise("Tensor.clone", points=2)
def test_clone_has_its_own_memory(tt, draw, lab):
    """clone copies: writing into the clone leaves the original alone"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a), "x")
    y = x.clone()
    same(y, a)
    same(
        lab(poke, y, x, 44.5),
        float(a[0, 0]),
        what="y = x.clone(); y.data[0, 0] = 44.5; x.data[0, 0]",
        mistakes=[Mistake(44.5, SHARED)],
    )
    same(lab(turned, tt.tensor(a)).clone(), a.T)


@exercise("Tensor.clone", points=1)
def test_clone_remembers_its_origin(tt, draw, lab):
    """clone is recorded, so that gradients flow through it"""
    a = draw(2, 3)
    y = tt.tensor(a, requires_grad=True).clone()
    same(y, a)
    remembers(lab, y, "clone")


@exercise("Tensor.contiguous", points=1)
def test_contiguous_copies_into_reading_order(tt, draw, lab):
    """contiguous puts the elements in reading order"""

    def strides_of(x):
        return list(x.data.strides)

    n, m = draw.sizes(2)
    a = draw(n, m)
    y = named(lab(turned, tt.tensor(a)), "x").contiguous()
    same(y, a.T, mistakes=[Mistake(a.reshape(m, n), READING_ORDER)])
    same(lab(strides_of, y), [4 * n, 4], what="strides of x.contiguous() in bytes")


@exercise("Tensor.contiguous", points=1)
def test_contiguous_leaves_contiguous_tensors_alone(tt, draw, lab):
    """contiguous gives a contiguous tensor back as it is, without a copy"""

    def strides_of(x):
        return list(x.data.strides)

    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a), "x")
    y = x.contiguous()
    same(y, a)
    same(
        lab(strides_of, lab(turned, tt.tensor(a)).contiguous()), [4 * n, 4], what="strides of x.T.contiguous() in bytes"
    )
    same(
        lab(poke, x, y, 44.5),
        44.5,
        what="x.data[0, 0] = 44.5; x.contiguous().data[0, 0]",
        mistakes=[Mistake(float(a[0, 0]), COPIED)],
    )


@exercise("Tensor.detach", points=2)
def test_detach_shares_memory(tt, draw, lab):
    """detach shares the memory: writing into one changes both"""
    a = draw(2, 3)
    x = named(tt.tensor(a, requires_grad=True), "x")
    y = x.detach()
    same(y, a)
    same([x.requires_grad, y.requires_grad], [True, False], what="x and x.detach() require grad")
    same(
        lab(poke, x, y, 44.5),
        44.5,
        what="y = x.detach(); x.data[0, 0] = 44.5; y.data[0, 0]",
        mistakes=[Mistake(float(a[0, 0]), COPIED)],
    )


@exercise("Tensor.detach", points=1)
def test_detach_forgets_the_history(tt, draw, lab):
    """detach gives a tensor without history, and leaves that of the original alone"""

    def histories(x, order):
        y = x * 2
        z = y.detach()
        facts = [y.requires_grad, y.grad_fn is not None, z.requires_grad, z.grad_fn is not None]
        return [bool(facts[i]) for i in order]

    a, order = draw(2, 3), draw.permutation(4).tolist()
    x = tt.tensor(a, requires_grad=True)
    same(x.detach(), a)
    same(
        lab(histories, x, order),
        [i < 2 for i in order],
        what=f"entries {order} of [y requires grad, y has a history, y.detach() requires grad, it has a history]",
    )


# ---- arithmetic ---------------------------------------------------------------------------------------------


@exercise("Tensor.__truediv__", points=2)
def test_truediv_divides_elements(tt, draw):
    """truediv divides element by element, with broadcasting and numbers"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(m)
    x, y = named(tt.tensor(a), "x"), named(tt.tensor(b), "y")
    whole = "the quotient was rounded down, as // does."
    same(x / y, a / b, mistakes=[Mistake(b / a, REVERSED), Mistake(a // b, whole)])
    same(y / x, b / a, mistakes=[Mistake(a / b, REVERSED)])
    same(x / 2, a / 2)


@exercise("Tensor.__truediv__", points=2)
def test_truediv_of_integers_is_float32(tt, draw):
    """truediv of integers is float32"""
    i, j = draw.integers(1, 10, 4), draw.integers(2, 10, 4)
    smaller = "tensor([1, 3]) / 2 is tensor([0.5000, 1.5000]), float32"
    floor = Mistake(i // j, "the remainder was dropped, as // does. / divides exactly.")
    same(tt.tensor(i) / tt.tensor(j), i / j, dtype=np.float32, mistakes=[floor], smaller=smaller)
    same(tt.tensor(i) / 2, i / 2, dtype=np.float32, smaller=smaller)
    wide = draw.rng.uniform(1, 2, 3)
    same(tt.tensor(wide, dtype=np.float64) / 3, wide / 3, dtype=np.float64)


@exercise("Tensor.__truediv__", points=1)
def test_truediv_refuses_shapes_that_do_not_broadcast(tt, draw):
    """truediv refuses shapes that do not broadcast, naming both"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(n)
    same(tt.tensor(a) / tt.tensor(b[:, None]), a / b[:, None])
    raises(ValueError, lambda: tt.tensor(a) / tt.tensor(b), mentions=[a.shape, b.shape])


@exercise("Tensor.__truediv__", points=1)
def test_truediv_is_recorded(tt, draw, lab):
    """truediv records itself as div, with both operands in order"""
    a, b = draw(3), draw(3)
    y = tt.tensor(a) / tt.tensor(b, requires_grad=True)
    same(y, a / b)
    remembers(lab, y, "div")
    same([x.tolist() for x in lab(input_data, y)], [a.tolist(), b.tolist()], what="the inputs in y.grad_fn")


@exercise("Tensor.matmul", points=2)
def test_matmul_multiplies_matrices(tt, draw):
    """matmul multiplies rows with columns and sums over the shared size"""
    a, b = draw(3, 3), draw(3, 3)
    smaller = "tensor([[1., 2.]]) @ tensor([[3.], [4.]]) is tensor([[11.]])"
    mistakes = [
        Mistake(a * b, "this is a * b, element by element. A matrix product sums over the shared dimension."),
        Mistake(b @ a, "the operands are exchanged. a @ b and b @ a differ."),
        Mistake(a @ b.T, "the right matrix is transposed: its columns are due, not its rows."),
    ]
    same(tt.tensor(a) @ tt.tensor(b), a @ b, mistakes=mistakes, smaller=smaller)
    n, k, m = draw.sizes(3)
    a, b = draw(n, k), draw(k, m)
    same(tt.tensor(a) @ tt.tensor(b), a @ b, smaller=smaller)


@exercise("Tensor.matmul", points=2)
def test_matmul_takes_vectors_and_batches(tt, draw):
    """matmul takes vectors, and broadcasts leading dimensions"""
    n, k, m, batch = draw.sizes(4)
    for left, right in (
        ((k,), (k,)),
        ((n, k), (k,)),
        ((k,), (k, m)),
        ((batch, n, k), (k, m)),
        ((batch, n, k), (batch, k, m)),
        ((batch, 1, n, k), (2, k, m)),
        ((n, 0), (0, m)),
    ):
        a, b = draw(*left), draw(*right)
        same(named(tt.tensor(a), "a").matmul(named(tt.tensor(b), "b")), a @ b)


@exercise("Tensor.matmul", points=1)
def test_matmul_follows_the_dtype_rules(tt, draw, lab):
    """matmul meets in the common dtype, and reads any memory layout"""
    n, m = draw.sizes(2)
    a, whole = draw(n, m), draw.integers(-5, 6, m, n)
    same(tt.tensor(a) @ tt.tensor(whole), a @ whole, dtype=np.float32)
    same(tt.tensor(whole) @ tt.tensor(whole.T), whole @ whole.T)
    same(a @ named(tt.tensor(whole), "i"), a @ whole, dtype=np.float32, smaller="array @ tensor is a tensor too")
    same(named(lab(turned, tt.tensor(a)), "x") @ tt.tensor(a), a.T @ a)


@exercise("Tensor.matmul", points=2)
def test_matmul_refuses_sizes_that_differ(tt, draw):
    """matmul refuses inner sizes that differ, naming both shapes"""
    n, k, m = draw.sizes(3)
    a, b = draw(n, k), draw(k, m)
    same(tt.tensor(a) @ tt.tensor(b), a @ b)
    raises(ValueError, lambda: tt.tensor(a) @ tt.tensor(b.T), mentions=[(n, k), (m, k)])
    raises(ValueError, lambda: tt.tensor(a) @ tt.tensor(draw(n)), mentions=[(n, k), (n,)])


@exercise("Tensor.matmul", points=1)
def test_matmul_is_recorded(tt, draw, lab):
    """matmul records itself with both operands in order, and leaves them alone"""
    n, k, m = draw.sizes(3)
    a, b = draw(n, k), draw(k, m)
    x, w = named(tt.tensor(a), "x"), named(tt.tensor(b, requires_grad=True), "w")
    y = x @ w
    same(y, a @ b)
    unchanged(x, a)
    unchanged(w, b)
    remembers(lab, y, "matmul")
    same([d.tolist() for d in lab(input_data, y)], [a.tolist(), b.tolist()], what="the inputs in y.grad_fn")


@exercise("Tensor.clamp", points=2)
def test_clamp_limits_both_sides(tt, draw):
    """clamp raises what is below min to min, and lowers what is above max to max"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    a.flat[:3] = draw.permutation(3) * 2 - 2
    x = named(tt.tensor(a), "x")
    mistakes = [
        Mistake(np.maximum(a, -1), "nothing was limited from above."),
        Mistake(np.minimum(a, 1.5), "nothing was limited from below."),
        Mistake(np.where((a < -1) | (a > 1.5), 0, a), "what lies outside became 0. It becomes the limit it crossed."),
    ]
    same(
        x.clamp(-1, 1.5), np.clip(a, -1, 1.5), mistakes=mistakes, smaller="tensor([-3., 9.]).clamp(-1, 2) is [-1., 2.]"
    )
    unchanged(x, a)


@exercise("Tensor.clamp", points=2)
def test_clamp_leaves_a_side_open(tt, draw):
    """clamp with None leaves that side open, and a limit of 0 is a limit"""
    a = draw(8)
    a[:2] = draw.permutation(2) * 2 - 1
    says = "a limit of 0 was taken for no limit: 0 is false in Python. Compare with None."
    x = named(tt.tensor(a), "x")
    same(x.clamp(min=0), np.maximum(a, 0), mistakes=[Mistake(a, says)])
    same(x.clamp(max=0), np.minimum(a, 0), mistakes=[Mistake(a, says)])
    same(x.clamp(max=0.5), np.minimum(a, np.float32(0.5)))


@exercise("Tensor.clamp", points=1)
def test_clamp_keeps_dtypes_and_nan(tt, draw):
    """clamp keeps the dtype, and a nan stays nan"""
    whole, wide = draw.integers(-9, 10, 5), draw.rng.uniform(-2, 2, 4)
    holes = draw(4)
    holes[int(draw.integers(4, 8)) - 4] = math.nan
    same(tt.tensor(whole).clamp(-3, 3), np.clip(whole, -3, 3))
    same(tt.tensor(whole).clamp(min=2), np.maximum(whole, 2))
    same(tt.tensor(wide, dtype=np.float64).clamp(-0.7, 0.7), np.clip(wide, -0.7, 0.7), dtype=np.float64)
    same(tt.tensor(holes).clamp(-1, 1), np.clip(holes, -1, 1))
    same(
        tt.tensor(2.5 + wide[0]).clamp(max=0.25), np.float32(0.25), smaller="tensor(1.).clamp(max=0.25) is float32 too"
    )


@exercise("Tensor.clamp", points=1)
def test_clamp_without_limits_is_refused(tt, draw, lab):
    """clamp without limits is refused; with them it is recorded as they were given"""
    a = draw(4)
    y = tt.tensor(a, requires_grad=True).clamp(min=0.5)
    same(y, np.maximum(a, np.float32(0.5)))
    remembers(lab, y, "clamp", min=0.5, max=None)
    raises(ValueError, lambda: tt.tensor(a).clamp(), mentions=["min", "max"])


# ---- shape --------------------------------------------------------------------------------------------------


@exercise("Tensor.reshape", points=2)
def test_reshape_keeps_the_reading_order(tt, draw):
    """reshape keeps the elements in reading order and works out a size of -1"""
    n, m, k = draw.sizes(3)
    a = draw(n, m * k)
    x = named(tt.tensor(a), "x")
    columns_first = Mistake(a.reshape(n, m, k, order="F"), "the elements were read column by column.")
    same(x.reshape(n, m, k), a.reshape(n, m, k), mistakes=[columns_first], smaller="arange(6).reshape(2, 3)[1, 0] is 3")
    same(x.reshape((k, -1)), a.reshape(k, -1), smaller="reshape(2, 3) and reshape((2, 3)) mean the same")
    same(x.reshape(-1), a.ravel())


@exercise("Tensor.reshape", points=1)
def test_reshape_reads_any_memory_layout(tt, draw, lab):
    """reshape reads a transposed tensor in its own reading order, not in that of the memory"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(lab(turned, tt.tensor(a)), "x")
    says = "the numbers stand in the order of the memory. The reading order of a transposed tensor is another."
    same(x.reshape(-1), a.T.ravel(), mistakes=[Mistake(a.ravel(), says)])
    same(tt.tensor(a[:0]).reshape(m, 0), a[:0].reshape(m, 0))
    same(tt.tensor(a[0, 0]).reshape(1, 1), a[:1, :1])


@exercise("Tensor.reshape", points=1)
def test_reshape_shares_memory(tt, draw, lab):
    """reshape of a contiguous tensor shares its memory"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a), "x")
    y = x.reshape(m, n)
    same(y, a.reshape(m, n))
    told = "x.data[0, 0] = 44.5; x.reshape(...).data[0, 0]"
    same(lab(poke, x, y, 44.5), 44.5, what=told, mistakes=[Mistake(float(a[0, 0]), COPIED)])


@exercise("Tensor.reshape", points=1)
def test_reshape_refuses_another_number_of_elements(tt, draw):
    """reshape refuses a shape of another number of elements, naming both shapes"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    same(tt.tensor(a).reshape(m, n), a.reshape(m, n))
    raises(ValueError, lambda: tt.tensor(a).reshape(n, m + 1), mentions=[(n, m), (n, m + 1)])
    raises(ValueError, lambda: tt.tensor(a).reshape(-1, n * m + 1), mentions=[(n, m), (-1, n * m + 1)])


@exercise("Tensor.reshape", points=1)
def test_reshape_is_recorded(tt, draw, lab):
    """reshape is recorded, so that gradients find their way back"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    y = tt.tensor(a, requires_grad=True).reshape(-1)
    same(y, a.ravel())
    remembers(lab, y, "reshape")


@exercise("Tensor.view", points=2)
def test_view_never_copies(tt, draw, lab):
    """view shares the memory: what is written into the view stands in the original"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a), "x")
    y = x.view(m, -1)
    same(y, a.reshape(m, -1))
    told = "y = x.view(...); y.data[0, 0] = 44.5; x.data[0, 0]"
    same(lab(poke, y, x, 44.5), 44.5, what=told, mistakes=[Mistake(float(a[0, 0]), COPIED)])
    same(
        tt.tensor(a[:0]).view(0, n), np.zeros((0, n), np.float32), smaller="a tensor without elements can be viewed too"
    )


@exercise("Tensor.view", points=2)
def test_view_refuses_what_needs_a_copy(tt, draw, lab):
    """view refuses a tensor whose memory does not have the order, naming both shapes"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(lab(turned, tt.tensor(a)), "x")
    same(x.view(m, 1, n), a.T.reshape(m, 1, n), smaller="splitting off a size of 1 needs no copy")
    raises(ValueError, lambda: x.view(n * m), mentions=[(m, n), (n * m,)])


@exercise("Tensor.permute", points=2)
def test_permute_reorders_dimensions(tt, draw):
    """permute puts the dimensions in the order asked for"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    dims = tuple(draw.choice([(1, 2, 0), (2, 0, 1)]))
    right = a.transpose(dims)
    back = "the dimensions went the other way: dimension i of the result is dimension dims[i] of the tensor."
    x = named(tt.tensor(a), "x")
    mistakes = [Mistake(a.reshape(right.shape), READING_ORDER), Mistake(a.transpose(np.argsort(dims)), back)]
    same(x.permute(*dims), right, mistakes=mistakes)
    same(x.permute(dims), right, smaller="permute(1, 0) and permute((1, 0)) mean the same")
    same(x.permute(0, -1, -2), a.transpose(0, 2, 1))


@exercise("Tensor.permute", points=1)
def test_permute_moves_nothing(tt, draw, lab):
    """permute shares the memory and is recorded with its dims"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    x = named(tt.tensor(a, requires_grad=True), "x")
    y = x.permute(2, 0, 1)
    same(y, a.transpose(2, 0, 1))
    remembers(lab, y, "permute", dims=(2, 0, 1))
    told = "x.data[0, 0, 0] = 44.5; x.permute(2, 0, 1).data[0, 0, 0]"
    same(lab(poke, x, y, 44.5), 44.5, what=told, mistakes=[Mistake(float(a[0, 0, 0]), COPIED)])


@exercise("Tensor.transpose", points=2)
def test_transpose_exchanges_two_dimensions(tt, draw):
    """transpose exchanges two dimensions and leaves the others"""
    n, m, k = draw.sizes(3)
    a, b = draw(n, m), draw(n, m, k)
    says = Mistake(a.reshape(m, n), READING_ORDER)
    same(
        tt.tensor(a).transpose(0, 1),
        a.T,
        mistakes=[says],
        smaller="[[1, 2, 3], [4, 5, 6]] becomes [[1, 4], [2, 5], [3, 6]]",
    )
    x = named(tt.tensor(b), "x")
    everything = "all dimensions were reversed. Only dim0 and dim1 change places."
    same(
        x.transpose(0, 1),
        b.swapaxes(0, 1),
        mistakes=[Mistake(b.T, everything), Mistake(b.reshape(m, n, k), READING_ORDER)],
    )
    same(x.transpose(-1, -2), b.swapaxes(-1, -2), mistakes=[Mistake(b.T, everything)])
    same(x.transpose(2, 0), b.swapaxes(2, 0))


@exercise("Tensor.transpose", points=1)
def test_transpose_moves_nothing(tt, draw, lab):
    """transpose shares the memory, and gradients flow through it"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a, requires_grad=True), "x")
    y = x.transpose(0, 1)
    same(y, a.T)
    told = "y = x.transpose(0, 1); y.data[0, 0] = 44.5; x.data[0, 0]"
    same(lab(poke, y, x, 44.5), 44.5, what=told, mistakes=[Mistake(float(a[0, 0]), COPIED)])
    made_of_known_operations(lab, y, "transpose recorded itself under a name of its own. Write it with permute.")


@exercise("Tensor.unsqueeze", points=2)
def test_unsqueeze_inserts_a_size_of_one(tt, draw):
    """unsqueeze inserts a size of 1 at the position asked for, counted in the result"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a), "x")
    for dim in (0, 1, 2, -1, -2, -3):
        early = np.expand_dims(a, max(dim - 1, -3)) if dim < -1 or dim == -1 else a
        says = "a negative dim counts from the end of the result, which has one dimension more than x."
        same(x.unsqueeze(dim), np.expand_dims(a, dim), mistakes=[Mistake(early, says)])
    same(tt.tensor(a[0, 0]).unsqueeze(0), a[0, :1])


@exercise("Tensor.unsqueeze", points=1)
def test_unsqueeze_refuses_a_dim_out_of_range(tt, draw, lab):
    """unsqueeze refuses a dim out of range with an IndexError that names it, and copies nothing"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(lab(turned, tt.tensor(a, requires_grad=True)), "x")
    y = x.unsqueeze(1)
    same(y, a.T[:, None])
    told = "x.data[0, 0] = 44.5; x.unsqueeze(1).data[0, 0, 0]"
    same(lab(poke, x, y, 44.5), 44.5, what=told, mistakes=[Mistake(float(a[0, 0]), COPIED)])
    made_of_known_operations(lab, y, "unsqueeze recorded itself under a name of its own. Write it with reshape.")
    dim = int(draw.integers(3, 9))
    raises(IndexError, lambda: x.unsqueeze(dim), mentions=[dim])


@exercise("Tensor.expand", points=2)
def test_expand_repeats_sizes_of_one(tt, draw):
    """expand repeats dimensions of size 1, keeps those given as -1, and adds new ones in front"""
    n, m, k = draw.sizes(3)
    a = draw(n, 1)
    x = named(tt.tensor(a), "x")
    same(x.expand(n, m), np.broadcast_to(a, (n, m)), smaller="tensor([[1.], [2.]]).expand(2, 3) repeats each number")
    same(x.expand(-1, m), np.broadcast_to(a, (n, m)))
    same(x.expand((k, -1, m)), np.broadcast_to(a, (k, n, m)))
    same(tt.tensor(a[0, 0]).expand(m), np.full(m, a[0, 0]))
    b = draw(1, n, m)
    same(named(tt.tensor(b), "y").expand(k, -1, -1), np.broadcast_to(b, (k, n, m)))


@exercise("Tensor.expand", points=2)
def test_expand_takes_no_memory(tt, draw, lab):
    """expand copies nothing: the stride is 0, and one element stands for all"""

    def after_a_change(x, m, value):
        y = x.expand(3, m)
        x.data[0, 0] = value
        return [list(y.data.strides), y.data]

    m = draw.sizes(1)[0]
    a = draw(3, 1)
    right = np.broadcast_to(a, (3, m)).copy()
    right[0] = 44.5
    strides, data = lab(after_a_change, tt.tensor(a), m, 44.5)
    told = f"y = x.expand(3, {m}); x.data[0, 0] = 44.5; y.data"
    same_array(data, right, what=told, mistakes=[Mistake(np.broadcast_to(a, (3, m)), COPIED)])
    same(strides, [4, 0], what="strides of y in bytes")


@exercise("Tensor.expand", points=1)
def test_expand_refuses_other_sizes(tt, draw, lab):
    """expand refuses to change a size other than 1, naming both shapes; else it is recorded"""
    n, m = draw.sizes(2)
    a = draw(n, 1)
    y = tt.tensor(a, requires_grad=True).expand(n, m)
    same(y, np.broadcast_to(a, (n, m)))
    remembers(lab, y, "expand")
    raises(ValueError, lambda: tt.tensor(a).expand(n + 1, m), mentions=[(n, 1), (n + 1, m)])
    raises(ValueError, lambda: tt.tensor(a).expand(-1, n, m), mentions=[(n, 1), (-1, n, m)])


# ---- indexing -----------------------------------------------------------------------------------------------


@exercise("Tensor.__getitem__", points=2)
def test_getitem_takes_integers_and_slices(tt, draw):
    """getitem takes integers, slices, an ellipsis and None"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    x = named(tt.tensor(a), "x")
    same(x[1], a[1])
    same(x[-1, 0], a[-1, 0])
    same(x[0, 1, -1], a[0, 1, -1], smaller="one element is a tensor of shape ()")
    same(x[:, 1:, ::2], a[:, 1:, ::2])
    same(x[..., 0], a[..., 0])
    same(x[:, None, 0], a[:, None, 0])
    same(x[5:0], a[5:0])


@exercise("Tensor.__getitem__", points=2)
def test_getitem_takes_arrays_and_tensors(tt, draw):
    """getitem takes lists, arrays and tensors of integers: rows in any order, and pairs"""
    a = draw(4, 5)
    rows, columns = draw.integers(0, 4, 3), draw.integers(0, 5, 3)
    x = named(tt.tensor(a), "x")
    i, j = named(tt.tensor(rows), "i"), named(tt.tensor(columns), "j")
    block = "every row was combined with every column. Two index arrays are read in pairs."
    same(x[rows.tolist()], a[rows])
    same(x[i], a[rows], smaller="a tensor as index reaches NumPy as its array: numpy_index does that")
    same(x[i, j], a[rows, columns], mistakes=[Mistake(a[rows][:, columns], block)])
    same(x[:, j], a[:, columns])
    same(x[i, 2:], a[rows, 2:])
    same(x[i[0]], a[rows[0]])


@exercise("Tensor.__getitem__", points=1)
def test_getitem_takes_masks(tt, draw):
    """getitem takes boolean masks and keeps what is True"""
    a = draw(3, 4)
    x = named(tt.tensor(a), "x")
    zeroed = "where the mask is False there is a 0. An index drops those elements."
    same(x[x > 0], a[a > 0], mistakes=[Mistake(a * (a > 0), zeroed)])
    keep = draw.permutation(3) > 0
    same(x[tt.tensor(keep)], a[keep])
    same(x[x > 99], a[a > 99], smaller="a mask without True gives shape (0,)")


@exercise("Tensor.__getitem__", points=2)
def test_getitem_of_slices_is_a_view(tt, draw, lab):
    """getitem with integers and slices is a view, with arrays a copy"""

    def write_through(x, value):
        row, part, element, picked = x[1], x[:, 1:], x[0][0], x[[2]]
        row.data[0] = value
        part.data[0, 0] = value + 1
        element.data[...] = value + 2
        picked.data[...] = value + 3
        return x.data

    a = draw(3, 4)
    right = a.copy()
    right[1, 0], right[0, 1], right[0, 0] = 40, 41, 42
    one_copied = right.copy()
    one_copied[0, 0] = a[0, 0]
    element = "one element was copied out. numpy_index adds an ellipsis, with which NumPy keeps it a view."
    same_array(
        lab(write_through, tt.tensor(a), 40),
        right,
        what="x.data after writing into x[1], x[:, 1:], x[0][0] (views) and x[[2]] (a copy)",
        mistakes=[Mistake(a, COPIED), Mistake(one_copied, element)],
    )


@exercise("Tensor.__getitem__", points=1)
def test_getitem_is_recorded(tt, draw, lab):
    """getitem is recorded with its index; an index out of range raises IndexError and names it"""

    def saved_index(y):
        index = y.grad_fn.saved.get("index") if y.grad_fn is not None else None
        return None if index is None else y.grad_fn.inputs[0].data[index]

    n, m = draw.sizes(2)
    a, rows = draw(n, m), draw.integers(0, n, 2)
    y = tt.tensor(a, requires_grad=True)[tt.tensor(rows), 1:]
    same(y, a[rows, 1:])
    remembers(lab, y, "getitem")
    same_array(lab(saved_index, y), a[rows, 1:], what='x.data[y.grad_fn.saved["index"]]')
    far = n + int(draw.integers(0, 9))
    raises(IndexError, lambda: tt.tensor(a)[far], mentions=[far])


@exercise("Tensor.__setitem__", points=2)
def test_setitem_writes_in_place(tt, draw):
    """setitem writes numbers, arrays and tensors into the place that the index names"""
    a, row, column = draw(3, 4), draw(4), draw(3)
    x = named(tt.tensor(a), "x")
    right = a.copy()
    x[0] = tt.tensor(row)
    right[0] = row
    same(x, right)
    x[:, 1] = column
    right[:, 1] = column
    same(x, right)
    x[x < 0] = 0
    right[right < 0] = 0
    same(x, right)
    x[tt.tensor([2, 1]), tt.tensor([3, 3])] = 7.5
    right[[2, 1], [3, 3]] = 7.5
    same(x, right)


@exercise("Tensor.__setitem__", points=1)
def test_setitem_reaches_every_view(tt, draw, lab):
    """setitem keeps the memory and the dtype: views see the change"""

    def views_of_a_change(a, value):
        x = tt.tensor(a)
        view = x.data
        x[1] = value
        return view

    a = draw.integers(-9, 10, 3, 2)
    right = a.copy()
    right[1] = 5
    told = "view = x.data; x[1] = 5; view"
    same_array(
        lab(views_of_a_change, a, 5),
        right,
        what=told,
        mistakes=[Mistake(a, "x got a new array. Write into the old one.")],
    )


@exercise("Tensor.__setitem__", points=1)
def test_setitem_refuses_a_wrong_shape(tt, draw):
    """setitem refuses a value that does not broadcast to the place, naming both shapes"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(m)
    x = named(tt.tensor(a), "x")
    raises(ValueError, lambda: x.__setitem__(slice(None), tt.tensor(a.T)), mentions=[(n, m), (m, n)])
    x[:] = tt.tensor(b)
    same(x, np.broadcast_to(b, (n, m)))


@exercise("Tensor.__setitem__", points=1)
def test_setitem_refuses_to_falsify_gradients(tt, draw, lab):
    """setitem refuses to write into a tensor that requires grad, as long as operations are recorded"""

    def write_unrecorded(x, value):
        import sys  # the source of a probe is sent alone

        mode = sys.modules[type(x).__module__].grad_mode
        mode.enabled = False
        try:
            x[0] = value
        finally:
            mode.enabled = True
        return x.data

    a = draw(3)
    x, y = named(tt.tensor(a, requires_grad=True), "x"), named(tt.tensor(a), "y")
    raises(RuntimeError, lambda: x.__setitem__(0, 5.0), mentions=["grad"])
    unchanged(x, a)
    right = np.concatenate([np.full(1, 5, np.float32), a[1:]])
    y[0] = 5.0
    same(y, right)
    same_array(lab(write_unrecorded, x, 5.0), right, what="grad_mode.enabled = False; x[0] = 5.0; x.data")


# ---- reductions ---------------------------------------------------------------------------------------------


@exercise("Tensor.sum", points=2)
def test_sum_adds_over_a_dimension(tt, draw):
    """sum adds over everything, over one dimension from either end, or over several"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    x = named(tt.tensor(a), "x")
    same(x.sum(), a.sum())
    for dim in (0, 1, 2, -1, -3, (0, 2), (-1, 1)):
        mistakes = [
            Mistake(a.sum(dim, keepdims=True), ALWAYS_KEPT),
            Mistake(a.sum(), "this is the sum over everything."),
        ]
        same(x.sum(dim), a.sum(dim), mistakes=mistakes, smaller="tensor([[1., 2.], [3., 4.]]).sum(0) is [4., 6.]")
    unchanged(x, a)


@exercise("Tensor.sum", points=2)
def test_sum_keeps_the_dimension(tt, draw):
    """sum with keepdim leaves size 1 where it summed"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    x = named(tt.tensor(a), "x")
    for dim in (1, -1, (0, 1)):
        same(x.sum(dim, keepdim=True), a.sum(dim, keepdims=True), mistakes=[Mistake(a.sum(dim), NO_KEEPDIM)])
    same(x.sum(keepdim=True), a.sum(keepdims=True), mistakes=[Mistake(a.sum(), NO_KEEPDIM)])


@exercise("Tensor.sum", points=2)
def test_sum_counts_in_int64(tt, draw):
    """sum of integers and booleans is int64; floats keep their dtype"""
    whole, wide = draw.integers(-9, 10, 3, 4), draw.rng.uniform(-1, 1, 5)
    mask = whole > 0
    pixels = draw.integers(200, 256, 9).astype(np.uint8)
    same(tt.tensor(mask).sum(), mask.sum(), smaller="tensor([True, True]).sum() is tensor(2)")
    same(tt.tensor(whole).sum(0), whole.sum(0))
    same(tt.tensor(pixels).sum(), pixels.sum(), dtype=np.int64, smaller="uint8 ends at 255: count in int64")
    same(tt.tensor(wide, dtype=np.float64).sum(), wide.sum(), dtype=np.float64)


@exercise("Tensor.sum", points=1)
def test_sum_takes_any_shape(tt, draw, lab):
    """sum takes tensors without elements, and any memory layout"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    same(named(lab(turned, tt.tensor(a)), "x").sum(0), a.T.sum(0))
    same(tt.tensor(a[:0]).sum(0), np.zeros(m, np.float32), smaller="the sum of nothing is 0")
    same(tt.tensor(a[0, 0]).sum(), a[0, 0])
    dim = int(draw.integers(2, 9))
    raises(IndexError, lambda: tt.tensor(a).sum(dim), mentions=[dim])


@exercise("Tensor.sum", points=1)
def test_sum_is_recorded(tt, draw, lab):
    """sum is recorded with dim and keepdim"""
    a = draw(2, 3)
    x = named(tt.tensor(a, requires_grad=True), "x")
    same(x.sum(1), a.sum(1))
    y = x.sum(1, keepdim=True)
    same(y, a.sum(1, keepdims=True))
    remembers(lab, y, "sum", dim=1, keepdim=True)


@exercise("Tensor.mean", points=2)
def test_mean_divides_by_what_was_added(tt, draw):
    """mean divides each sum by the number of elements that were added into it"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    x = named(tt.tensor(a), "x")
    same(x.mean(), a.mean())
    for dim in (0, 1, -1, (0, -1)):
        by_all = a.sum(dim) / a.size
        says = "the sum was divided by the number of all elements. Only those count that were added into this result."
        same(x.mean(dim), a.mean(dim), mistakes=[Mistake(by_all, says), Mistake(a.sum(dim), "nothing was divided.")])


@exercise("Tensor.mean", points=1)
def test_mean_keeps_the_dimension(tt, draw):
    """mean with keepdim leaves size 1, and float64 stays float64"""
    n, m = draw.sizes(2)
    a, wide = draw(n, m), draw.rng.uniform(-1, 1, (n, m))
    x = named(tt.tensor(a), "x")
    same(x.mean(1, keepdim=True), a.mean(1, keepdims=True), mistakes=[Mistake(a.mean(1), NO_KEEPDIM)])
    same(tt.tensor(wide, dtype=np.float64).mean(0), wide.mean(0), dtype=np.float64)


@exercise("Tensor.mean", points=1)
def test_mean_refuses_integers(tt, draw):
    """mean refuses integers with a TypeError that names their dtype"""
    a, whole = draw(4), draw.integers(-9, 10, 4)
    same(tt.tensor(a).mean(), a.mean())
    raises(TypeError, lambda: tt.tensor(whole).mean(), mentions=["int64"])
    raises(TypeError, lambda: tt.tensor(a > 0).mean(), mentions=["bool"])


@exercise("Tensor.mean", points=1)
def test_mean_is_made_of_recorded_operations(tt, draw, lab):
    """mean is made of recorded operations, so that its gradient comes for free"""
    a = draw(3, 2)
    y = tt.tensor(a, requires_grad=True).mean(0)
    same(y, a.mean(0))
    made_of_known_operations(lab, y, "mean recorded itself under a name of its own. Write it with sum and /.")


@exercise("Tensor.var", points=2)
def test_var_measures_the_spread(tt, draw):
    """var averages the squared distances from the mean, dividing by n - 1"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    x = named(tt.tensor(a), "x")
    exact = a.astype(np.float64)
    for dim in (None, 0, -1):
        mistakes = [
            Mistake(exact.var(dim), "this divides by n. The default correction is 1: divide by n - 1."),
            Mistake(exact.std(dim, ddof=1), "this is the square root of the variance, the standard deviation."),
            Mistake((exact**2).mean(dim), "the mean was not subtracted."),
        ]
        same(x.var(dim), exact.var(dim, ddof=1), mistakes=mistakes, smaller="tensor([1., 3.]).var() is tensor(2.)")


@exercise("Tensor.var", points=1)
def test_var_takes_a_correction(tt, draw):
    """var divides by n - correction, over several dimensions too, with keepdim"""
    n, m, k = draw.sizes(3)
    a = draw(n, m, k)
    x = named(tt.tensor(a), "x")
    exact = a.astype(np.float64)
    same(x.var(1, correction=0), exact.var(1), mistakes=[Mistake(exact.var(1, ddof=1), "correction=0 was ignored.")])
    same(x.var((0, 2), keepdim=True), exact.var((0, 2), ddof=1, keepdims=True))


@exercise("Tensor.var", points=2)
def test_var_far_from_zero(tt, draw):
    """var of numbers that lie close together and far from zero is still exact"""
    a = (1000 + draw(8, 2) / 8).astype(np.float32)  # rows of two: their sums have no order, and so one rounding
    says = "mean(x²) - mean(x)² subtracts two large numbers that agree in almost every digit. Subtract the mean first."
    with np.errstate(over="ignore"):
        cancelled = ((a * a).mean(1) - a.mean(1) ** 2) * np.float32(2)
    same(
        tt.tensor(a).var(1),
        a.astype(np.float64).var(1, ddof=1),
        rtol=1e-2,
        atol=1e-4,
        mistakes=[Mistake(cancelled, says)],
    )


@exercise("Tensor.var", points=1)
def test_var_is_made_of_recorded_operations(tt, draw, lab):
    """var is made of recorded operations, so that its gradient comes for free"""
    a = draw(3, 4)
    y = tt.tensor(a, requires_grad=True).var(1)
    same(y, a.astype(np.float64).var(1, ddof=1))
    made_of_known_operations(lab, y, "var recorded itself under a name of its own. Write it with mean, -, * and sum.")


@exercise("Tensor.amax", points=2)
def test_amax_finds_the_largest(tt, draw):
    """amax finds the largest element over everything, one dimension or several"""
    n, m, k = draw.sizes(3)
    a = -draw.positive(n, m, k)
    x = named(tt.tensor(a), "x")
    same(x.amax(), a.max(), mistakes=[Mistake(np.float32(0), "the search began at 0, and every element is below.")])
    for dim in (0, -1, (0, 2)):
        mistakes = [Mistake(a.max(dim, keepdims=True), ALWAYS_KEPT), Mistake(a.min(dim), "this is the smallest.")]
        same(x.amax(dim), a.max(dim), mistakes=mistakes)
    same(x.amax(1, keepdim=True), a.max(1, keepdims=True), mistakes=[Mistake(a.max(1), NO_KEEPDIM)])


@exercise("Tensor.amax", points=1)
def test_amax_is_recorded(tt, draw, lab):
    """amax keeps the dtype, and is recorded with dim, keepdim and its result"""
    a, whole = draw(2, 5), draw.integers(-9, 10, 2, 5)
    same(tt.tensor(whole).amax(1), whole.max(1))
    y = tt.tensor(a, requires_grad=True).amax(1, keepdim=True)
    same(y, a.max(1, keepdims=True))
    remembers(lab, y, "amax", dim=1, keepdim=True)
    same_array(lab(saved_array, y, "result"), a.max(1, keepdims=True), what='y.grad_fn.saved["result"]')


@exercise("Tensor.max", points=2)
def test_max_gives_values_and_indices(tt, draw):
    """max gives the largest values along a dimension and where they stand; without dim, one tensor"""
    n, m = draw.sizes(2)
    a = draw.distinct(n, m)
    x = named(tt.tensor(a), "x")
    same(x.max(), a.max())
    for dim in (0, 1, -1):
        found = x.max(dim)
        same(found.values, a.max(dim))
        same(found.indices, a.argmax(dim), smaller="tensor([[1., 5.], [4., 2.]]).max(1).indices is tensor([1, 0])")
        values, indices = found
        same(values, a.max(dim))
        same(indices, a.argmax(dim))


@exercise("Tensor.max", points=1)
def test_max_counts_the_first_of_several(tt, draw):
    """max points at the first of several largest elements, and keepdim keeps the dimension in both"""
    n = draw.sizes(1)[0]
    a = np.minimum(draw.integers(0, 3, n, 7), 1)
    found = named(tt.tensor(a), "x").max(1, keepdim=True)
    last = 6 - a[:, ::-1].argmax(1)[:, None]
    same(found.values, a.max(1, keepdims=True), mistakes=[Mistake(a.max(1), NO_KEEPDIM)])
    first = a.argmax(1)
    mistakes = [Mistake(last, "these are the last ones."), Mistake(first, NO_KEEPDIM)]
    same(found.indices, first[:, None], mistakes=mistakes)


@exercise("Tensor.max", points=1)
def test_max_passes_gradients_on(tt, draw, lab):
    """max is made of recorded operations: gradients reach the values, and the indices have none"""
    a = draw.distinct(3, 4)
    found = tt.tensor(a, requires_grad=True).max(0)
    same(found.values, a.max(0))
    same(found.indices, a.argmax(0))
    made_of_known_operations(
        lab, found.values, "max recorded itself under a name of its own. Take the values with gather."
    )


# ---- functions ----------------------------------------------------------------------------------------------


@exercise("arange", points=2)
def test_arange_stops_before_the_end(tt, draw):
    """arange counts from start up to, but without, end"""
    start, count, step = draw.sizes(3)
    right = np.arange(start, start + count * step, step)
    mistakes = [Mistake(np.append(right, right[-1] + step), "the end itself is there too. It does not belong.")]
    same(tt.arange(start, start + count * step, step), right, mistakes=mistakes, smaller="arange(4) is [0, 1, 2, 3]")
    same(tt.arange(count), np.arange(count), mistakes=[Mistake(np.arange(count + 1), "the end does not belong.")])
    same(tt.arange(start, -count, -step), np.arange(start, -count, -step))
    same(tt.arange(start, start), np.zeros(0, np.int64))


@exercise("arange", points=1)
def test_arange_chooses_the_dtype(tt, draw):
    """arange is int64 where every given number is an integer, else float32, unless a dtype is asked for"""
    count = draw.sizes(1)[0]
    same(tt.arange(count), np.arange(count), smaller="arange(3).dtype is int64, to serve as index")
    same(tt.arange(float(count)), np.arange(count), dtype=np.float32)
    same(tt.arange(0, 1, 1 / count), np.arange(count) / count, dtype=np.float32)
    same(tt.arange(count, dtype=np.float64), np.arange(count), dtype=np.float64)
    same(tt.arange(0.5, count, dtype=np.int64), np.arange(count), dtype=np.int64)


@exercise("cat", points=2)
def test_cat_joins_along_a_dimension(tt, draw):
    """cat joins any number of tensors along a dimension that they have"""
    n, m, k = draw.sizes(3)
    a, b, c = draw(n, m), draw(k, m), draw(n, k)
    x = named(tt.tensor(a), "x")
    other = Mistake(np.concatenate([b, a]), "the order is exchanged.")
    same(tt.cat([x, tt.tensor(b)]), np.concatenate([a, b]), mistakes=[other])
    same(tt.cat([x, tt.tensor(c), x], dim=1), np.concatenate([a, c, a], 1))
    same(tt.cat((tt.tensor(c), x), dim=-1), np.concatenate([c, a], 1))
    same(tt.cat([x, tt.tensor(a[:0])]), a)
    same(tt.cat([x]), a)


@exercise("cat", points=1)
def test_cat_meets_in_one_dtype(tt, draw):
    """cat brings its tensors to one dtype: int64 with float32 is float32"""
    a, whole = draw(2), draw.integers(-9, 10, 3)
    same(tt.cat([tt.tensor(whole), tt.tensor(a)]), np.concatenate([whole, a]), dtype=np.float32)
    same(tt.cat([tt.tensor(whole), tt.tensor(whole)]), np.concatenate([whole, whole]))


@exercise("cat", points=1)
def test_cat_refuses_other_sizes_that_differ(tt, draw):
    """cat refuses tensors whose other sizes differ, naming the shapes"""
    n, m, k = draw.sizes(3)
    a, b = draw(n, m), draw(k, m)
    same(tt.cat([tt.tensor(a), tt.tensor(b)]), np.concatenate([a, b]))
    raises(ValueError, lambda: tt.cat([tt.tensor(a), tt.tensor(b)], dim=1), mentions=[(n, m), (k, m)])


@exercise("cat", points=1)
def test_cat_is_recorded(tt, draw, lab):
    """cat is recorded with dim and all its tensors"""
    a, b = draw(2, 1), draw(2, 3)
    y = tt.cat([tt.tensor(a), tt.tensor(b, requires_grad=True)], dim=1)
    same(y, np.concatenate([a, b], 1))
    remembers(lab, y, "cat", dim=1)
    same([d.tolist() for d in lab(input_data, y)], [a.tolist(), b.tolist()], what="the inputs in y.grad_fn")


@exercise("stack", points=2)
def test_stack_makes_a_new_dimension(tt, draw, lab):
    """stack joins tensors along a new dimension, at the position asked for"""
    n, m = draw.sizes(2)
    a, b, c = draw(n, m), draw(n, m), draw(n, m)
    rows = [named(tt.tensor(each), name) for each, name in ((a, "x"), (b, "y"), (c, "z"))]
    for dim in (0, 1, 2, -1):
        joined = np.concatenate([a, b, c], min(dim, 1))
        says = "the tensors were joined along a dimension that they have, as cat does. stack makes a new one."
        same(tt.stack(rows, dim=dim), np.stack([a, b, c], dim), mistakes=[Mistake(joined, says)])
    y = tt.stack([rows[0], tt.tensor(b, requires_grad=True)])
    same(y, np.stack([a, b]))
    made_of_known_operations(lab, y, "stack recorded itself under a name of its own. Write it with unsqueeze and cat.")


@exercise("stack", points=1)
def test_stack_refuses_shapes_that_differ(tt, draw):
    """stack refuses tensors of different shapes, and meets in one dtype"""
    n, m = draw.sizes(2)
    a, whole = draw(n), draw.integers(-9, 10, n)
    same(tt.stack([tt.tensor(whole), tt.tensor(a)], dim=1), np.stack([whole, a], 1), dtype=np.float32)
    raises(ValueError, lambda: tt.stack([tt.tensor(a), tt.tensor(draw(m))]), mentions=[n, m])


@exercise("where", points=2)
def test_where_chooses_elements(tt, draw):
    """where takes the element of a where the condition is True, else that of b"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(n, m)
    mask = draw.rng.random((n, m)) < 0.5
    mask.flat[:2] = draw.permutation(2) > 0
    exchanged = Mistake(np.where(mask, b, a), "a and b are exchanged: a is taken where the condition is True.")
    same(tt.where(tt.tensor(mask), tt.tensor(a), tt.tensor(b)), np.where(mask, a, b), mistakes=[exchanged])
    a[~mask] = math.nan
    product = Mistake(
        mask * a + ~mask * b, "0 · nan is nan: what is not taken still leaks in. Choose, do not multiply."
    )
    same(tt.where(tt.tensor(mask), tt.tensor(a), tt.tensor(b)), np.where(mask, a, b), mistakes=[product])


@exercise("where", points=2)
def test_where_broadcasts(tt, draw):
    """where broadcasts all three, takes numbers, and meets in one dtype"""
    n, m = draw.sizes(2)
    a, whole = draw(n, m), draw.integers(-9, 10, m)
    mask = draw.permutation(n) > 0
    x, i, c = named(tt.tensor(a), "x"), named(tt.tensor(whole), "i"), named(tt.tensor(mask[:, None]), "c")
    same(tt.where(c, x, 0.5), np.where(mask[:, None], a, np.float32(0.5)))
    same(tt.where(c, -math.inf, x), np.where(mask[:, None], np.float32(-math.inf), a))
    same(tt.where(c, i, x), np.where(mask[:, None], whole, a), dtype=np.float32)
    same(tt.where(c, i, 0), np.where(mask[:, None], whole, 0))
    same(tt.where(mask[:, None], x, i), np.where(mask[:, None], a, whole), dtype=np.float32)


@exercise("where", points=1)
def test_where_refuses_a_condition_of_numbers(tt, draw):
    """where refuses a condition of numbers with a TypeError that names their dtype"""
    a, b = draw(3), draw(3)
    same(tt.where(tt.tensor(a > b), tt.tensor(a), tt.tensor(b)), np.maximum(a, b))
    raises(TypeError, lambda: tt.where(tt.tensor(a), tt.tensor(a), tt.tensor(b)), mentions=["float32"])


@exercise("where", points=1)
def test_where_is_recorded(tt, draw, lab):
    """where is recorded with a and b as inputs, and saves its condition"""
    a, b = draw(4), draw(4)
    mask = draw.permutation(4) > 1
    y = tt.where(tt.tensor(mask), tt.tensor(a, requires_grad=True), tt.tensor(b))
    same(y, np.where(mask, a, b))
    remembers(lab, y, "where")
    same([d.tolist() for d in lab(input_data, y)], [a.tolist(), b.tolist()], what="the inputs in y.grad_fn")
    same_array(lab(saved_array, y, "condition"), mask, what='y.grad_fn.saved["condition"]')
