"""Unusual programs that are right: two modules solved in ways that no course would think of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from tests.grade.programs import after_imports, rewritten
from tools import EXERCISES, SOLUTIONS

MODULE = "activations"


def source(name: str = MODULE) -> str:
    """A solved module."""
    return (SOLUTIONS / f"{name}.py").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class Honest:
    """A solved course of two modules with something odd in it.

    `top` stands after the imports of `activations.py`, `end` at its end; `exercises` are written anew, by name;
    `change` makes the file's bytes from its text; `files` lie in the package, those that start with `../` beside it.
    """

    name: str
    top: str = ""
    end: str = ""
    exercises: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[str], bytes] = str.encode
    files: Mapping[str, str] = field(default_factory=dict)

    def write(self, repository: Path) -> None:
        """Write the repository."""
        text = source()
        for name, code in self.exercises.items():
            text = rewritten(text, name, code)
        text = after_imports(text, dedent(self.top).strip("\n")) + dedent(self.end)
        package = repository / "tinytorch"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('"""A course."""\n', encoding="utf-8")
        (package / "tensor.py").write_text(source("tensor"), encoding="utf-8")
        (package / f"{MODULE}.py").write_bytes(self.change(text))
        for name, added in self.files.items():
            path = package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(added).lstrip("\n"), encoding="utf-8")


def relu(body: str) -> dict[str, str]:
    """A relu of these lines."""
    return {"relu": f"def relu(x):\n{_indented(dedent(body).strip())}\n"}


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.split("\n"))


USUAL = 'return record("relu", data, (x,), result=data)'
MAXIMUM = "data = np.maximum(x.data, np.zeros((), x.dtype))"


def tabs(text: str) -> bytes:
    """The text with a tab for every four blanks that a line begins with."""
    return re.sub(r"(?m)^(?: {4})+", lambda found: "\t" * (len(found[0]) // 4), text).encode()


PROGRAMS = [
    Honest(
        name="a namedtuple and a NamedTuple carry what is between",
        top="""
            import collections
            from typing import NamedTuple
            Part = collections.namedtuple('Part', 'data dim')
            class Row(NamedTuple):
                part: Part
                n: int = 0
        """,
        exercises=relu(
            f"""
            row = Row(Part(x.data, 0))
            data = np.maximum(row.part.data, row.part.data.dtype.type(0))
            {USUAL}
            """
        ),
    ),
    Honest(
        name="dataclasses, frozen, slotted and ordered",
        top="""
            from dataclasses import dataclass, field
            @dataclass(frozen=True, slots=True, order=True)
            class Bend:
                at: float = 0.0
                notes: list = field(default_factory=list, compare=False)
        """,
        exercises=relu(f"""
            bend = Bend()
            data = np.maximum(x.data, x.dtype.type(bend.at))
            {USUAL}
            """),
    ),
    Honest(
        name="enums choose the function",
        top="""
            import enum
            class Side(enum.Enum):
                LEFT = enum.auto()
                RIGHT = enum.auto()
            class Flags(enum.IntFlag):
                A = 1
                B = 2
            class Name(str, enum.Enum):
                RELU = 'relu'
        """,
        exercises=relu(f"""
            {MAXIMUM}
            return record(Name.RELU.value, data, (x,), result=data)
            """),
    ),
    Honest(
        name="logging at import and in every call",
        top="""
            import logging
            logging.basicConfig(level=logging.DEBUG)
            log = logging.getLogger(__name__)
            log.info('here')
        """,
        exercises=relu(f"""
            log.debug('relu of %s', x.shape)
            {MAXIMUM}
            {USUAL}
            """),
    ),
    Honest(
        name="a log file in the folder for temporary files",
        top="""
            import logging, tempfile, os
            _place = os.path.join(tempfile.mkdtemp(), 'run.log')
            logging.getLogger('mine').addHandler(logging.FileHandler(_place, encoding='utf-8'))
        """,
    ),
    Honest(
        name="functools caches",
        top="""
            import functools
            @functools.lru_cache(maxsize=None)
            def zero(kind):
                return np.zeros((), kind)
            @functools.cache
            def names():
                return ('relu',)
        """,
        exercises=relu("""
            data = np.maximum(x.data, zero(x.dtype))
            return record(names()[0], data, (x,), result=data)
            """),
    ),
    Honest(
        name="singledispatch and partial",
        top="""
            import functools
            @functools.singledispatch
            def clip(data, least):
                return np.maximum(data, least)
            at_zero = functools.partial(lambda least, data: clip(data, data.dtype.type(least)), 0)
        """,
        exercises=relu(f"""
            data = np.asarray(at_zero(x.data))
            {USUAL}
            """),
    ),
    Honest(
        name="threads work out the halves",
        top="import threading",
        exercises=relu(
            f"""
            data = np.empty_like(x.data)
            flat, given = data.reshape(-1), np.ascontiguousarray(x.data).reshape(-1)
            def half(part):
                flat[part] = np.maximum(given[part], x.dtype.type(0))
            threads = [threading.Thread(target=half, args=(part,)) for part in (slice(None, 2), slice(2, None))]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            {USUAL}
            """
        ),
    ),
    Honest(
        name="a pool of threads that is made at import",
        top="""
            from concurrent.futures import ThreadPoolExecutor
            POOL = ThreadPoolExecutor(2)
        """,
        exercises=relu(
            f"""
            data = POOL.submit(np.maximum, x.data, x.dtype.type(0)).result()
            data = np.asarray(data)
            {USUAL}
            """
        ),
    ),
    Honest(
        name="a daemon thread that is started at import",
        top="""
            import threading, time
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        """,
    ),
    Honest(
        name="subclasses of Tensor",
        top="""
            class Named(Tensor):
                name = ''
                def __repr__(self):
                    return f'{self.name}{super().__repr__()}'
        """,
    ),
    Honest(
        name="a helper file and a package of helpers",
        top="""
            from .helping import least
            from .parts.deep.inner import bend
        """,
        exercises=relu(f"""
            data = bend(x.data, least(x))
            {USUAL}
            """),
        files={
            "helping.py": "def least(x):\n    return x.dtype.type(0)\n",
            "parts/__init__.py": "",
            "parts/deep/__init__.py": "from .inner import bend\n__all__ = ['bend']\n",
            "parts/deep/inner.py": "import numpy as np\nfrom ...helping import least as _least\n\n"
            "def bend(data, least):\n    return np.asarray(np.maximum(data, least))\n",
        },
    ),
    Honest(
        name="absolute imports of its own package",
        top="""
            import tinytorch.tensor
            import tinytorch.tensor as own
            from tinytorch import tensor as again
        """,
        exercises=relu(
            f"""
            {MAXIMUM}
            assert tinytorch.tensor is own is again
            return own.record('relu', data, (x,), result=data)
            """
        ),
    ),
    Honest(
        name="star imports and __all__",
        top="""
            from .helping import *
            from math import *
        """,
        files={"helping.py": "__all__ = ['lowest']\nlowest = 0\nhidden = 1\n"},
        exercises=relu(f"""
            data = np.maximum(x.data, x.dtype.type(lowest))
            {USUAL}
            """),
        end="\n\n__all__ = ['relu', 'leaky_relu', 'sigmoid', 'tanh', 'gelu', 'softmax', 'log_softmax', 'ReLU']\n",
    ),
    Honest(
        name="slots, properties and descriptors",
        top="""
            class Slotted:
                __slots__ = ('_x', '__weakref__')
                def __init__(self, x):
                    self._x = x
                @property
                def data(self):
                    return self._x.data
                @data.setter
                def data(self, new):
                    self._x.data = new
        """,
        exercises=relu(f"""
            held = Slotted(x)
            data = np.maximum(held.data, x.dtype.type(0))
            {USUAL}
            """),
    ),
    Honest(
        name="a metaclass that registers classes",
        top="""
            class Registry(type):
                known = {}
                def __new__(mcls, name, bases, space, **more):
                    cls = super().__new__(mcls, name, bases, space)
                    mcls.known[name] = cls
                    return cls
            class Base(metaclass=Registry, kind='x'):
                def __init_subclass__(cls, **more):
                    super().__init_subclass__()
        """,
    ),
    Honest(
        name="type hints of every kind",
        top="""
            from typing import Generic, Literal, Protocol, TypeVar, cast, overload, TYPE_CHECKING
            if TYPE_CHECKING:
                from nowhere import Nothing
            T = TypeVar('T', bound=Tensor)
            class Bends(Protocol[T]):
                def __call__(self, x: T) -> T: ...
        """,
        exercises={
            "relu": f"""
            def relu(x: 'Tensor | Nothing') -> Tensor:
                data: Array = cast(Array, np.maximum(x.data, x.dtype.type(0)))
                {USUAL}
            """
        },
    ),
    Honest(
        name="names and remarks in other scripts",
        top="""
            # 入力を曲げる · Приветствие · ελληνικά · 🎈
            π = math.pi
            def größter(α, β):
                return np.maximum(α, β)
            ŭ = 'naïve café'
        """,
        exercises=relu(f"""
            # ноль
            data = größter(x.data, x.dtype.type(0))
            {USUAL}
            """),
    ),
    Honest(
        name="a source in latin-1 that says so",
        top="CAFE = 'café'",
        change=lambda text: (
            b"# -*- coding: latin-1 -*-\n"
            + text.encode("ascii", "replace").replace(b"'caf?'", "'café'".encode("latin-1"))
        ),
    ),
    Honest(name="a byte-order mark", change=lambda text: b"\xef\xbb\xbf" + text.encode()),
    Honest(name="line ends of Windows", change=lambda text: text.replace("\n", "\r\n").encode()),
    Honest(name="tabs", change=tabs),
    Honest(name="no line end at the end", change=lambda text: text.rstrip("\n").encode()),
    Honest(
        name="form feeds and trailing blanks", change=lambda text: text.replace("\n\n\n", "  \n\x0c\n   \n").encode()
    ),
    Honest(
        name="very long lines",
        top=f"LONG = '{'x' * 20_000}'\nNUMBERS = [{', '.join(map(str, range(5_000)))}]",
    ),
    Honest(
        name="prints and warnings, at import and in calls",
        top="""
            import sys, warnings
            print('loading', __name__)
            print('to the side', file=sys.stderr)
            warnings.warn('it is early', UserWarning)
        """,
        exercises=relu(f"""
            print('relu', x.shape, flush=True)
            {MAXIMUM}
            {USUAL}
            """),
    ),
    Honest(
        name="atexit handlers, finalizers and __del__",
        top="""
            import atexit, weakref
            atexit.register(print, 'goodbye')
            class Held:
                def __del__(self):
                    HELD.clear()
            HELD = [1]
            held = Held()
            weakref.finalize(held, HELD.append, 2)
        """,
    ),
    Honest(
        name="a main part, a command line and doctests",
        end="""

        def main(argv=None):
            import argparse
            parser = argparse.ArgumentParser()
            parser.add_argument('--n', type=int, default=3)
            print(relu(Tensor(np.arange(parser.parse_args(argv).n) - 1.0)))

        if __name__ == '__main__':
            import doctest
            doctest.testmod()
            raise SystemExit(main())
        """,
    ),
    Honest(
        name="a walrus, a match statement and unpacking",
        exercises=relu(
            f"""
            match (kind := x.dtype).kind, x.shape:
                case "f" | "i", [*_, int()] | []:
                    least, *_ = kind.type(0), 1
                case _:
                    least = kind.type(0)
            data = np.maximum(x.data, least)
            {USUAL}
            """
        ),
    ),
    Honest(
        name="imports inside functions",
        exercises=relu(
            f"""
            import collections.abc
            from importlib import import_module
            numpy = import_module('numpy')
            data = numpy.maximum(x.data, x.dtype.type(0))
            from .tensor import record as keep
            {USUAL.replace("record", "keep")}
            """
        ),
    ),
    Honest(
        name="options for printing numbers",
        top="np.set_printoptions(precision=2, suppress=True, threshold=3, linewidth=20)",
    ),
    Honest(
        name="errors of NumPy are raised",
        top="np.seterr(invalid='warn')",
        exercises=relu(f"""
            with np.errstate(all='ignore'):
                {MAXIMUM}
            {USUAL}
            """),
    ),
    Honest(
        name="seeds at import",
        top="""
            import random
            random.seed(0)
            np.random.seed(0)
            RNG = np.random.default_rng(42)
            FIRST = RNG.normal(size=3)
        """,
        exercises=relu(f"""
            np.random.rand(3), random.random(), RNG.random()
            {MAXIMUM}
            {USUAL}
            """),
    ),
    Honest(
        name="global state that counts and grows",
        top="""
            CALLS = 0
            SEEN = []
        """,
        exercises=relu(f"""
            global CALLS
            CALLS += 1
            SEEN.append(x)
            {MAXIMUM}
            {USUAL}
            """),
    ),
    Honest(
        name="recursion and a higher limit for it",
        top="""
            import sys
            sys.setrecursionlimit(5_000)
            def down(n):
                return 0 if n == 0 else down(n - 1)
        """,
        exercises=relu(f"""
            data = np.maximum(x.data, x.dtype.type(down(1_500)))
            {USUAL}
            """),
    ),
    Honest(
        name="generators, coroutines and an event loop",
        top="""
            import asyncio
            async def bent(data):
                await asyncio.sleep(0)
                return np.maximum(data, data.dtype.type(0))
            def once(value):
                got = yield value
                return got
        """,
        exercises=relu(f"""
            data = np.asarray(asyncio.run(bent(next(once(x.data)))))
            {USUAL}
            """),
    ),
    Honest(
        name="context managers and exit stacks",
        top="""
            import contextlib
            @contextlib.contextmanager
            def quiet():
                with np.errstate(all='ignore'), contextlib.ExitStack() as stack:
                    stack.callback(int)
                    yield stack
        """,
        exercises=relu(
            f"""
            with quiet() as stack, contextlib.suppress(ZeroDivisionError):
                {MAXIMUM}
                1 / 0
            {USUAL}
            """
        ),
    ),
    Honest(
        name="exceptions of its own with causes, one of them a ValueError too",
        top="""
            class OutOfReach(ValueError, LookupError):
                '''Carries a shape.'''
                def __init__(self, text, shape):
                    super().__init__(text)
                    self.shape = shape
        """,
        exercises=relu(
            f"""
            try:
                try:
                    [].index(x.shape)
                except ValueError as error:
                    raise OutOfReach("nowhere", x.shape) from error
            except LookupError as error:
                assert error.shape == x.shape
            data = np.maximum(x.data, x.dtype.type(0))
            {USUAL}
            """
        ),
    ),
    Honest(
        name="stubs left in modules that are not graded",
        files={name: (EXERCISES / name).read_text("utf-8") for name in ("layers.py", "losses.py", "attention.py")},
    ),
    Honest(
        name="a syntax error in a module that is not graded",
        files={"losses.py": "def broken(:\n"},
    ),
    Honest(
        name="libraries that may be missing",
        top="""
            try:
                import matplotlib.pyplot as plt
            except ImportError:
                plt = None
            try:
                import no_such_library
            except ModuleNotFoundError:
                no_such_library = None
            try:
                from tqdm import tqdm
            except Exception:
                tqdm = iter
        """,
    ),
    Honest(
        name="decorators that wrap every exercise",
        top="""
            import functools, time
            TIMES = {}
            def timed(function):
                @functools.wraps(function)
                def inner(*args, **kwargs):
                    start = time.perf_counter()
                    try:
                        return function(*args, **kwargs)
                    finally:
                        TIMES[function.__name__] = time.perf_counter() - start
                return inner
        """,
        exercises={"relu": f"@timed\ndef relu(x):\n    {MAXIMUM}\n    {USUAL}\n"},
    ),
    Honest(
        name="functions that are lambdas and operators",
        top="""
            import operator
            from operator import methodcaller
            bend = lambda data: np.maximum(data, data.dtype.type(0))
            get = operator.attrgetter('data')
        """,
        exercises=relu(f"""
            data = np.asarray(bend(get(x)))
            {USUAL}
            """),
    ),
    Honest(
        name="a module of the standard library that nobody expects",
        top="""
            import decimal, fractions, sqlite3, statistics, zlib, uuid, platform, locale
            BASE = sqlite3.connect(':memory:')
            TEXT = platform.python_version(), str(uuid.uuid4()), fractions.Fraction(1, 3)
        """,
    ),
    Honest(
        name="files that are written and read again",
        top="import json, os, pathlib, shutil, tempfile",
        exercises=relu(
            f"""
            with tempfile.TemporaryDirectory() as folder:
                first, second = pathlib.Path(folder, 'a.npy'), pathlib.Path(folder, 'b.npy')
                np.save(first, x.data)
                shutil.copy2(first, second)
                os.chmod(second, 0o600)
                os.replace(second, first)
                data = np.load(first)
            np.maximum(data, data.dtype.type(0), out=data)
            {USUAL}
            """
        ),
    ),
    Honest(
        name="a profile of its own memory and time",
        top="import cProfile, gc, os, time, tracemalloc",
        exercises=relu(
            f"""
            tracemalloc.start()
            {MAXIMUM}
            tracemalloc.get_traced_memory()
            tracemalloc.stop()
            gc.collect(0)
            {USUAL}
            """
        ),
    ),
    Honest(
        name="tests, notebooks and settings of its own beside the package",
        files={
            "../tests/test_mine.py": "from tinytorch.activations import relu\n\ndef test_relu():\n    assert relu\n",
            "../conftest.py": "import pytest\n\n@pytest.fixture\ndef numbers():\n    return [1.0, -1.0]\n",
            "../setup.cfg": "[flake8]\nmax-line-length = 100\n",
            "../play.py": "from tinytorch.activations import relu\nprint(relu)\n",
        },
    ),
]
