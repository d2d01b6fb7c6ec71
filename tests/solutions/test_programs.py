"""Random programs over every operation: the solutions and PyTorch must agree in every value and every gradient.

A program starts from a few leaves, some of which require a gradient, and adds one operation after the other; each takes
any earlier results, so that nodes are reused, branches meet again and some lead nowhere. The numbers lie on a coarse
grid, so that ties, zeros and bounds are met often. Both sides then run `backward` from the same gradient.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest

from pytest_tinytorch.course import AUTOGRAD
from tests.prose.examples import solution, solutions

PROGRAMS, BLOCKS = 2000, 20
SIZES = (1, 2, 3, 4)
LARGE = 8.0  # results beyond are squashed before they are used again

Shape: TypeAlias = tuple[int, ...]
Apply: TypeAlias = Callable[..., Any]  # (names of either side, tensors) -> tensor


@dataclasses.dataclass(frozen=True)
class Step:
    """One operation on earlier results, as both sides can run it."""

    text: str
    inputs: tuple[int, ...]
    apply: Apply


@dataclasses.dataclass
class Program:
    """Both sides of a program, step by step."""

    rng: np.random.Generator
    ours: Any
    torch: Any
    text: list[str] = dataclasses.field(default_factory=list)
    mine: list[Any] = dataclasses.field(default_factory=list)
    theirs: list[Any] = dataclasses.field(default_factory=list)
    leaves: list[int] = dataclasses.field(default_factory=list)

    def leaf(self, shape: Shape, dtype: type, requires_grad: bool) -> int:
        """A new leaf, on a grid of quarters, in float32 or float64."""
        numbers: Any = (self.rng.integers(-8, 9, shape) / 4).astype(dtype)
        name = np.dtype(dtype).name
        self.text.append(f"x{len(self.mine)} = leaf {shape} {name}{' requires grad' if requires_grad else ''}")
        self.mine.append(self.ours.tensor(numbers, dtype=dtype, requires_grad=requires_grad))
        self.theirs.append(self.torch.tensor(numbers, requires_grad=requires_grad))
        self.leaves.append(len(self.mine) - 1)
        return self.leaves[-1]

    def run(self, step: Step) -> None:
        """Run a step on both sides; the values must agree."""
        self.text.append(f"x{len(self.mine)} = {step.text} of {', '.join(f'x{i}' for i in step.inputs)}")
        self.mine.append(step.apply(_Ours(self.ours), *(self.mine[i] for i in step.inputs)))
        self.theirs.append(step.apply(_Theirs(self.torch), *(self.theirs[i] for i in step.inputs)))
        self.agree(self.mine[-1], self.theirs[-1], "value")

    def agree(self, mine: Any, theirs: Any, what: str) -> None:
        """The same shape, dtype and numbers, within what rounding does to numbers of their size."""
        numbers = theirs.detach().numpy()
        told = "\n".join([*self.text, what])
        assert (mine.shape, mine.dtype) == (numbers.shape, numbers.dtype), told
        near = 2e-4 if numbers.dtype == np.float32 or self._has_float32 else 1e-9
        scale = max(1.0, float(np.abs(numbers).max(initial=0)))
        np.testing.assert_allclose(mine.data, numbers, rtol=near, atol=near * scale, err_msg=told)

    @property
    def _has_float32(self) -> bool:
        return any(x.dtype == np.float32 for x in self.mine)


class _Ours:
    """The names that steps use, on our side."""

    def __init__(self, package: Any) -> None:
        self.package = package

    def __getattr__(self, name: str) -> Any:
        return getattr(self.package, name)

    def to(self, x: Any, dtype: str) -> Any:
        return x.to(np.dtype(dtype))

    def layer_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        layer = self.package.LayerNorm(x.shape[-1])
        vars(layer).update(weight=weight, bias=bias)  # leaves of the program, so that their gradients are compared
        return layer(x)

    def index(self, x: Any, index: Any) -> Any:
        return x[index]

    def constant(self, array: Any) -> Any:
        return self.package.tensor(array, dtype=array.dtype)


class _Theirs:
    """The same names on PyTorch's side."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def __getattr__(self, name: str) -> Any:
        for place in (self.torch, self.torch.nn.functional, self.torch.nn):
            if hasattr(place, name):
                return getattr(place, name)
        raise AttributeError(name)

    def gelu(self, x: Any) -> Any:
        return self.torch.nn.functional.gelu(x, approximate="tanh")

    def to(self, x: Any, dtype: str) -> Any:
        return x.to(getattr(self.torch, dtype))

    def layer_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        return self.torch.nn.functional.layer_norm(x, x.shape[-1:], weight, bias)

    def index(self, x: Any, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        return x[tuple(self.torch.tensor(p) if isinstance(p, np.ndarray) else p for p in parts)]

    def constant(self, array: Any) -> Any:
        return self.torch.tensor(array)


# ---- the operations -------------------------------------------------------------------------------------

UNARY: dict[str, Apply] = {
    "neg": lambda lib, x: -x,
    "exp": lambda lib, x: (x * 0.5).exp(),
    "log": lambda lib, x: (x * x + 0.5).log(),
    "sqrt": lambda lib, x: (x * x + 0.25).sqrt(),
    "tanh": lambda lib, x: x.tanh(),
    "abs": lambda lib, x: x.abs(),
    "square": lambda lib, x: x**2,
    "cube": lambda lib, x: x**3,
    "inverse": lambda lib, x: 1 / (x.abs() + 0.5),
    "reflected": lambda lib, x: 2 - x,
    "base": lambda lib, x: 2 ** (x * 0.5),
    "relu": lambda lib, x: lib.relu(x),
    "leaky_relu": lambda lib, x: lib.leaky_relu(x, 0.1),
    "sigmoid": lambda lib, x: lib.sigmoid(x),
    "gelu": lambda lib, x: lib.gelu(x),
    "clamp": lambda lib, x: x.clamp(-1.0, 0.5),
    "clamp from below": lambda lib, x: x.clamp(min=0.25),
    "clone": lambda lib, x: x.clone(),
    "detach": lambda lib, x: x.detach() * 0.5 + x,
    "where": lambda lib, x: lib.where(x > 0.25, x, x * 3),
    "mask": lambda lib, x: x.masked_fill(x > 0.5, 2.0),
    "add itself": lambda lib, x: x + x,
    "float32": lambda lib, x: lib.to(x, "float32"),
    "float64": lambda lib, x: lib.to(x, "float64"),
    "sum": lambda lib, x: x.sum(),
    "mean": lambda lib, x: x.mean(),
    "flatten": lambda lib, x: x.flatten(),
}

BINARY: dict[str, Apply] = {
    "add": lambda lib, a, b: a + b,
    "sub": lambda lib, a, b: a - b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / (b * b + 0.5),
    "pow": lambda lib, a, b: (a.abs() + 0.5) ** (b * 0.5),
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "where of two": lambda lib, a, b: lib.where(a > b, a, b * 0.5),
}


def along(rng: np.random.Generator, shape: Shape) -> dict[str, Apply]:
    """Operations that need a dimension of the shape, chosen at random; from either end."""
    dim = int(rng.integers(-len(shape), len(shape)))
    keep = bool(rng.integers(2))
    other = int(rng.integers(-len(shape), len(shape)))
    dims = tuple(int(d) for d in rng.permutation(len(shape)))
    size = shape[dim]
    cuts = sorted(int(c) for c in rng.integers(0, size + 1, 2))
    picks = rng.integers(0, size, 2 * size)
    front = (slice(None),) * (dim % len(shape))
    places = np.asarray(rng.integers(0, size, (*shape[: dim % len(shape)], 3, *shape[dim % len(shape) + 1 :])))
    return {
        f"sum({dim}, {keep})": lambda lib, x: x.sum(dim, keepdim=keep),
        f"sum of {dims[:2]}": lambda lib, x: x.sum(dims[:2], keepdim=keep),
        f"mean({dim}, {keep})": lambda lib, x: x.mean(dim, keepdim=keep),
        f"var({dim}, {keep})": lambda lib, x: x.var(dim, correction=0, keepdim=keep),
        f"amax({dim}, {keep})": lambda lib, x: x.amax(dim, keepdim=keep),
        f"amax of {dims[:2]}": lambda lib, x: x.amax(dims[:2], keepdim=keep),
        f"max({dim}, {keep})": lambda lib, x: x.max(dim, keepdim=keep)[0],
        f"min({dim}, {keep})": lambda lib, x: x.min(dim, keepdim=keep)[0],
        f"softmax({dim})": lambda lib, x: lib.softmax(x, dim),
        f"log_softmax({dim})": lambda lib, x: lib.log_softmax(x, dim),
        f"unsqueeze({dim})": lambda lib, x: x.unsqueeze(dim),
        f"squeeze({dim})": lambda lib, x: x.squeeze(dim),
        f"transpose({dim}, {other})": lambda lib, x: x.transpose(dim, other),
        f"permute{dims}": lambda lib, x: x.permute(*dims),
        f"expand in front of {shape}": lambda lib, x: x.expand(2, *shape),
        f"slice {cuts} of {dim}": lambda lib, x: lib.index(x, (*front, slice(*cuts))),
        f"row 0 of {dim}": lambda lib, x: lib.index(x, (*front, 0)),
        f"rows {picks} of {dim}": lambda lib, x: lib.index(x, (*front, picks)),
        f"gather({dim})": lambda lib, x: x.gather(dim, lib.constant(places)),
        f"cat({dim})": lambda lib, x: lib.cat([x, x * 2], dim),
        f"stack({dim})": lambda lib, x: lib.stack([x, -x], dim),
        f"flatten({dim})": lambda lib, x: x.flatten(dim % len(shape)),
    }


def matrices(rng: np.random.Generator, shape: Shape) -> dict[str, Apply]:
    """Operations on the last two dimensions, and those of layers and losses."""
    rows, columns = shape[-2:]
    ids = rng.integers(0, columns, rows)
    targets = rng.uniform(0, 1, shape)
    return {
        "tril": lambda lib, x: lib.tril(x),
        "triu(1)": lambda lib, x: lib.triu(x, 1),
        "mse": lambda lib, x: lib.MSELoss()(x, lib.to(lib.constant(targets), name(x))),
        "bce with logits": lambda lib, x: lib.BCEWithLogitsLoss()(x, lib.to(lib.constant(targets), name(x))),
        "bce": lambda lib, x: lib.BCELoss(reduction="none")(lib.sigmoid(x), lib.to(lib.constant(targets), name(x))),
        f"cross-entropy with {ids}": lambda lib, x: lib.CrossEntropyLoss(label_smoothing=0.1)(
            x.flatten(0, -2)[:rows], lib.constant(ids)
        ),
        "nll": lambda lib, x: lib.NLLLoss(reduction="sum")(
            lib.log_softmax(x.flatten(0, -2)[:rows], -1), lib.constant(ids)
        ),
    }


def name(x: Any) -> str:
    """`float32` or `float64`, on either side."""
    return str(x.dtype).removeprefix("torch.")


def products(rng: np.random.Generator, shape: Shape, dtype: str) -> dict[str, Apply]:
    """Matrix products with a constant factor or with the tensor itself, of every pair of ranks."""
    inner = shape[-1]
    ranks: list[Shape] = [(inner,), (inner, 3), (2, inner, 3), (2, 1, inner, 2)]
    if len(shape) > 2:
        ranks = [(inner,), (inner, 3), (*shape[:-2], inner, 3), (2, *(1 for _ in shape[:-2]), inner, 2)]
    right = (rng.integers(-4, 5, ranks[int(rng.integers(len(ranks)))]) / 4).astype(dtype)
    found: dict[str, Apply] = {f"matmul with {right.shape}": lambda lib, x: x @ lib.constant(right)}
    if len(shape) > 1:
        left = (rng.integers(-4, 5, (3, shape[-2])) / 4).astype(dtype)
        found |= {
            "product with its transpose": lambda lib, x: x @ x.transpose(-1, -2),
            f"matmul from {left.shape}": lambda lib, x: lib.constant(left) @ x,
            f"matmul from vector ({shape[-2]},)": lambda lib, x: lib.constant(left[0]) @ x,
        }
    return found


# ---- the programs ---------------------------------------------------------------------------------------


def choose(program: Program) -> Step:
    """A random operation on random earlier results."""
    rng = program.rng
    at = int(rng.integers(len(program.mine)))
    x = program.mine[at]
    if x.ndim and rng.random() < 0.04:
        affine = [program.leaf(x.shape[-1:], x.dtype.type, requires_grad=bool(rng.integers(3))) for _ in range(2)]
        return Step("layer_norm", (at, *affine), lambda lib, *inputs: lib.layer_norm(*inputs))
    tables = [UNARY]
    if x.ndim:
        tables += [along(rng, x.shape)] * 2 + [products(rng, x.shape, name(x))]
    if x.ndim > 1:
        tables.append(matrices(rng, x.shape))
    inputs: tuple[int, ...] = (at,)
    table = tables[int(rng.integers(len(tables)))]
    if rng.random() < 0.3:
        partners = [i for i, other in enumerate(program.mine) if broadcasts(x.shape, other.shape)]
        inputs, table = (at, partners[int(rng.integers(len(partners)))]), BINARY
    text = list(table)[int(rng.integers(len(table)))]
    return Step(text, inputs, table[text])


def grow(program: Program) -> None:
    """Add one random operation, and keep its result in bounds."""
    program.run(choose(program))
    newest = program.mine[-1].data
    if newest.size == 0:  # an empty slice: nothing more can be learnt from it
        del program.mine[-1], program.theirs[-1]
    elif float(np.abs(newest).max()) > LARGE:
        program.run(Step("tanh", (len(program.mine) - 1,), UNARY["tanh"]))


def broadcasts(a: Shape, b: Shape) -> bool:
    return all(x == y or 1 in (x, y) for x, y in zip(a[::-1], b[::-1], strict=False))


def write(rng: np.random.Generator, ours: Any, torch: Any) -> Program:
    """A random program, run forward on both sides."""
    program = Program(rng, ours, torch)
    dtypes = [np.float64, np.float64, np.float32][: int(rng.integers(1, 4))]
    for i in range(int(rng.integers(1, 5))):
        shape = tuple(int(rng.choice(SIZES)) for _ in range(int(rng.integers(0, 4))))
        program.leaf(shape, dtypes[i % len(dtypes)], requires_grad=i == 0 or bool(rng.integers(3)))
    for _ in range(int(rng.integers(2, 10))):
        grow(program)
    return program


def check_gradients(program: Program) -> None:
    """Go backward from the last result that has a history, and compare the gradients of all leaves."""
    recorded = [i for i, x in enumerate(program.mine) if x.requires_grad]
    assert recorded == [i for i, x in enumerate(program.theirs) if x.requires_grad], "\n".join(program.text)
    ends = [i for i, x in enumerate(program.theirs) if x.grad_fn is not None]
    if not ends:
        return
    end = ends[-1]
    gradient = np.asarray(program.rng.integers(-4, 5, program.mine[end].shape) / 4, program.mine[end].dtype)
    program.mine[end].backward(program.ours.tensor(gradient, dtype=gradient.dtype))
    program.theirs[end].backward(program.torch.tensor(gradient))
    for i in program.leaves:
        mine, theirs = program.mine[i].grad, program.theirs[i].grad
        assert (mine is None) == (theirs is None), "\n".join([*program.text, f"gradient of x{i}"])
        if mine is not None:
            program.agree(mine, theirs, f"gradient of x{i} from x{end}")


@pytest.fixture(scope="module")
def ours() -> Any:
    solution(AUTOGRAD)  # from here on operations have backward rules
    return solutions()


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_programs_agree_with_pytorch(ours: Any, torch: Any, block: int) -> None:
    for seed in range(block, PROGRAMS, BLOCKS):
        check_gradients(write(np.random.default_rng([5, seed]), ours, torch))
