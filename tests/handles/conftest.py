"""A small package of the student's, and the three ways in which checks can hold it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.handles import Sessions, World, open_isolated, open_loop

TENSOR = """
import numpy as np

class Tensor:
    def __init__(self, data):
        self.data = np.asarray(data)
    shape = property(lambda self: self.data.shape)
    def __repr__(self):
        return f"tensor({self.data.tolist()})"
    def __len__(self):
        return len(self.data)
    def __getitem__(self, index):
        return Tensor(self.data[index])
    def __setitem__(self, index, value):
        self.data[index] = raw(value)
    def __eq__(self, other):
        return Tensor(self.data == raw(other))
    def __neg__(self):
        return Tensor(-self.data)
    def __float__(self):
        return float(self.data)
    def max(self, dim):
        return Tensor(self.data.max(dim)), Tensor(self.data.argmax(dim))

def raw(value):
    return value.data if isinstance(value, Tensor) else value

for name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    def forward(self, other, name=f"__{name}__"):
        return Tensor(getattr(self.data, name)(raw(other)))
    def reflected(self, other, name=f"__{name}__"):
        return Tensor(getattr(np.asarray(raw(other)), name)(self.data))
    setattr(Tensor, f"__{name}__", forward)
    setattr(Tensor, f"__r{name}__", reflected)
Tensor.__array_ufunc__ = None

def tensor(data):
    return Tensor(data)

def echo(value):
    return value
"""
ACTIVATIONS = """
import numpy as np
from .tensor import Tensor

def softmax(x, dim=-1):
    if dim >= x.data.ndim:
        raise IndexError(f"dim {dim} is out of range for shape {x.shape}")
    e = np.exp(x.data - x.data.max(dim, keepdims=True))
    return Tensor(e / e.sum(dim, keepdims=True))
"""
FILES = {
    "__init__.py": "from .tensor import *\nfrom .activations import softmax\n",
    "tensor.py": TENSOR,
    "activations.py": ACTIVATIONS,
}
HOMES = {"Tensor": "tensor", "tensor": "tensor", "echo": "tensor", "softmax": "activations"}

MODES: dict[str, Callable[..., Sessions]] = {
    "loop": open_loop,
    "isolated": open_isolated,
    "nursery": lambda folder, **more: open_isolated(folder, forks=True, **more),
    "zygote": lambda folder, **more: open_isolated(folder, forks=True, reimport=True, **more),
    "fresh": lambda folder, **more: open_isolated(folder, forks=False, **more),
}
FORKS = pytest.mark.skipif(sys.platform != "linux", reason="forks")
WORKERS = ["fresh", pytest.param("zygote", marks=FORKS), pytest.param("nursery", marks=FORKS)]

Opener = Callable[..., World]


class Student:
    """A student's repository: write files, open it in some mode, begin checks."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.write(**{name.removesuffix(".py"): text for name, text in FILES.items()})

    def write(self, **modules: str | bytes) -> None:
        """Write modules of the package: `write(tensor="…")`."""
        self.folder.mkdir(exist_ok=True)
        for name, text in modules.items():
            data = text if isinstance(text, bytes) else text.encode()
            (self.folder / f"{name}.py").write_bytes(data)

    def open(self, mode: str, **more: Any) -> Sessions:
        """The package in this mode; closed when the test is over."""
        homes = HOMES | more.pop("homes", {})
        return self.stack.enter_context(contextlib.closing(MODES[mode](self.folder, homes=homes, **more)))

    def begin(self, sessions: Sessions, *, limit: float | None = 20.0, trace: bool = False) -> World:
        """A check's world; closed when the test is over."""
        return self.stack.enter_context(contextlib.closing(sessions.begin(limit=limit, trace=trace)))

    def world(self, mode: str, *, limit: float | None = 20.0, trace: bool = False, **more: Any) -> World:
        """The world of the only check of a run."""
        return self.begin(self.open(mode, **more), limit=limit, trace=trace)


@pytest.fixture(autouse=True)
def _no_package_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `tinytorch` is imported here, whatever other tests of this process did."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tinytorch"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def student(tmp_path: Path) -> Iterator[Student]:
    """A student whose package is right, to begin with."""
    with contextlib.ExitStack() as stack:
        yield Student(tmp_path / "tinytorch", stack)


@pytest.fixture(params=["loop", "isolated"])
def mode(request: pytest.FixtureRequest) -> str:
    """Each of the modes in turn."""
    name: str = request.param
    return name


@pytest.fixture(params=WORKERS)
def worker(request: pytest.FixtureRequest) -> str:
    """Each way of starting a process in turn."""
    name: str = request.param
    return name


@pytest.fixture
def world(student: Student, mode: str) -> World:
    """A check's world in each of the modes."""
    return student.world(mode)


@pytest.fixture
def tt(world: World) -> Any:
    """The student's package in each of the modes."""
    return world.tt
