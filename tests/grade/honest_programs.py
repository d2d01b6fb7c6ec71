"""Unusual programs in which an instructor has nothing to look at."""

from __future__ import annotations

from tests.grade.programs import Program

LOOPS = """
    def matmul_loops(a, b):
        check_matrices(a, b)
        (n, k), m = a.shape, b.shape[1]
        out = np.zeros((n, m), {dtype})
        for i in range(n):
            for j in range(m):
                out[i, j] = {total}
        {check}
        return out
"""


def loops(dtype: str = "np.result_type(a, b)", total: str = "0", check: str = "") -> str:
    """matmul_loops in one way or another."""
    return LOOPS.format(dtype=dtype, total=total, check=check)


SUM = "sum(a[i, p] * b[p, j] for p in range(k))"

PROGRAMS = [
    Program(
        name="loops that check themselves against NumPy",
        module="acceleration",
        exercise="matmul_loops",
        code=loops(total=SUM, check="assert np.allclose(out, a @ b), np.dot(a, b)"),
    ),
    Program(
        name="the dtype asked of a small product",
        module="acceleration",
        exercise="matmul_loops",
        code=loops(dtype="(a[:1] @ b[:, :1]).dtype", total=SUM),
    ),
    Program(
        name="rows times columns, element by element",
        module="acceleration",
        exercise="matmul_loops",
        code=loops(total="(a[i] * b[:, j]).sum()"),
    ),
    Program(
        name="functional loops",
        module="acceleration",
        exercise="matmul_loops",
        top="import operator",
        code=loops(total="reduce(operator.add, map(operator.mul, a[i], b[:, j]), 0)"),
    ),
    Program(
        name="tiles by divide and conquer",
        module="acceleration",
        exercise="matmul_tiled",
        code="""
            def matmul_tiled(a, b, tile=64):
                check_matrices(a, b)
                if max(*a.shape, *b.shape) <= tile:
                    return a @ b
                half = a.shape[0] // 2
                if half >= tile:
                    return np.concatenate([matmul_tiled(a[:half], b, tile), matmul_tiled(a[half:], b, tile)])
                return _whole(a, b)
        """,
        top="def _whole(a, b):\n    return np.matmul(a, b)",
    ),
    Program(
        name="tiles by itertools, the product in a helper",
        module="acceleration",
        exercise="matmul_tiled",
        top="import itertools\n\n\ndef _add(out, a, b):\n    out += a @ b",
        code="""
            def matmul_tiled(a, b, tile=64):
                check_matrices(a, b)
                out = np.zeros((a.shape[0], b.shape[1]), np.result_type(a, b))
                for i, j, p in itertools.product(*(tiles(n, tile) for n in (*a.shape[:1], b.shape[1], a.shape[1]))):
                    _add(out[i, j], a[i, p], b[p, j])
                return out
        """,
    ),
    Program(
        name="a pool of threads from multiprocessing",
        module="acceleration",
        top="import multiprocessing\nfrom multiprocessing.pool import ThreadPool\nCORES = multiprocessing.cpu_count()",
    ),
    Program(
        name="a convolution over windows, summed element by element",
        module="spatial",
        exercise="conv2d_loops",
        top="from itertools import product",
        code="""
            def conv2d_loops(x: Array, weight: Array, bias: Array | None = None, stride: Size = 1, padding: Size = 0):
                (sh, sw), (ph, pw) = conv2d_sizes(x, weight, bias, stride, padding)
                kh, kw = weight.shape[2:]
                wide = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
                rows = output_size(x.shape[2], kh, sh, ph)
                columns = output_size(x.shape[3], kw, sw, pw)
                y = np.zeros((len(x), len(weight), rows, columns), x.dtype)
                for n, f, r, c in product(*map(range, y.shape)):
                    window = wide[n, :, r * sh : r * sh + kh, c * sw : c * sw + kw]
                    y[n, f, r, c] = (window * weight[f]).sum() + (0 if bias is None else bias[f])
                return y
        """,
    ),
    Program(
        name="einsum in the fast convolution",
        module="spatial",
        exercise="conv2d_to_weight",
        code="""
            def conv2d_to_weight(*args, **kwargs):
                patches, slopes, shape = args
                return np.einsum("nk,nf->kf", patches, slopes).reshape(shape)
        """,
    ),
    Program(
        name="a percentile with a heap",
        module="profiling",
        exercise="percentile",
        top="import heapq\nimport statistics",
        code="""
            def percentile(samples, q):
                if not samples or not 0 <= q <= 100:
                    raise ValueError(f"no percentile {q} of {len(samples)} samples")
                heap = list(samples)
                heapq.heapify(heap)
                ordered = [heapq.heappop(heap) for _ in range(len(heap))]
                place = q / 100 * (len(ordered) - 1)
                low = int(place)
                return ordered[low] + (place - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])
        """,
    ),
    Program(
        name="the mean of statistics where a mean is only needed",
        module="profiling",
        top="import statistics\n\n\ndef typical(samples):\n    return statistics.median(samples)",
    ),
    Program(
        name="no garbage collection while the clock runs",
        module="profiling",
        exercise="measure_latency",
        top="import gc\nfrom timeit import default_timer",
        code="""
            def measure_latency(function, *args, warmup=2, repeats=20, clock=default_timer):
                if repeats < 1 or warmup < 0:
                    raise ValueError(f"{repeats} repeats after {warmup}")
                gc.collect()
                gc.disable()
                try:
                    samples = []
                    for place in range(warmup + repeats):
                        start = clock()
                        function(*args)
                        samples.append(clock() - start)
                finally:
                    gc.enable()
                return Latency(tuple(samples[warmup:]))
        """,
    ),
    Program(
        name="a key that is pickled, an answer that is copied by pickle",
        module="memoization",
        exercise="private",
        top="import pickle\n\n\ndef key_of(args):\n    return pickle.dumps(args)",
        code="""
            def private(value):
                check_no_graph(value)
                return pickle.loads(pickle.dumps(value))
        """,
    ),
    Program(
        name="arguments bound by inspect, a cache that is ordered",
        module="memoization",
        top="import inspect\nfrom collections import OrderedDict\n\n\ndef bound(function, *args, **kwargs):\n"
        "    return inspect.signature(function).bind(*args, **kwargs)",
    ),
    Program(
        name="lru_cache on a helper of another module",
        module="embeddings",
        top="from functools import lru_cache\n\n\n@lru_cache(maxsize=None)\ndef places(n):\n    return np.arange(n)",
    ),
    Program(
        name="what the package knows of itself",
        module="tensor",
        top="import sys\nTHIS = sys.modules[__name__]\nLOADED = 'threadpoolctl' in sys.modules\nMOST = sys.maxsize",
    ),
    Program(
        name="PyTorch for the type checker and for a direct call",
        module="tensor",
        top="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        code="""
            if __name__ == "__main__":
                import torch
                import pytest

                assert torch.equal(torch.ones(2), torch.tensor(ones(2).data))
                raise SystemExit(pytest.main([__file__]))
        """,
    ),
    Program(
        name="an exercise in a file of its own",
        module="activations",
        exercise="relu",
        code="from .mine import relu",
        beside=(("mine.py", "import numpy as np\n\n\ndef relu(x):\n    return np.maximum(x, 0)\n"),),
    ),
    Program(
        name="an exercise made by another function",
        module="activations",
        exercise="tanh",
        code="""
            def _elementwise(function):
                def apply(x):
                    return function(x)
                return apply

            tanh = _elementwise(Tensor.tanh)
        """,
    ),
    Program(
        name="an exercise as a lambda",
        module="activations",
        exercise="tanh",
        code="tanh = lambda x: x.tanh()",
    ),
    Program(
        name="a method that is hung on later",
        module="tensor",
        exercise="Tensor.contiguous",
        code="pass",
        beside=(("extras.py", "from .tensor import Tensor\n\n\nTensor.contiguous = lambda self: self\n"),),
    ),
    Program(
        name="one definition or another",
        module="activations",
        exercise="relu",
        code="""
            if hasattr(np, "maximum"):
                def relu(x):
                    return record("relu", np.maximum(x.data, 0), (x,))
            else:
                def relu(x):
                    return record("relu", x.data * (x.data > 0), (x,))
        """,
    ),
    Program(
        name="overloads for the type checker",
        module="activations",
        exercise="relu",
        top="from typing import overload",
        code="""
            @overload
            def relu(x: Tensor) -> Tensor: ...
            @overload
            def relu(x: int) -> int: ...
            def relu(x):
                return record("relu", np.maximum(x.data, 0), (x,))
        """,
    ),
    Program(
        name="one more optional parameter",
        module="activations",
        exercise="leaky_relu",
        code="""
            def leaky_relu(x, /, negative_slope=0.01, *, out=None, _depth: int = 0):
                return record("leaky_relu", np.where(x.data > 0, x.data, x.data * negative_slope), (x,))
        """,
    ),
    Program(
        name="anything taken and handed on",
        module="activations",
        exercise="softmax",
        code="""
            @checked
            def softmax(*args, **kwargs):
                return _softmax(*args, **kwargs)
        """,
        top="import functools\n\n\ndef checked(f):\n    return functools.wraps(f)(lambda *a, **k: f(*a, **k))",
    ),
    Program(
        name="names that a frame has, on nodes of one's own",
        module="autograd",
        top="class Node:\n    def __init__(self, back):\n        self.f_back = back\n        self.f_locals = {}\n\n"
        "    def walk(self):\n        return self.f_back.f_locals",
    ),
    Program(
        name="methods called eval and compile, and regular expressions",
        module="layers",
        top="import re\nPATTERN = re.compile('a')\n\n\ndef compile(model):\n    return compile and model.eval()",
    ),
    Program(
        name="classes that know their children",
        module="layers",
        top="class Registered:\n    @classmethod\n    def kinds(cls):\n        return cls.__subclasses__()",
    ),
    Program(
        name="builtins under their full name",
        module="tensor",
        top="import builtins\n\n\ndef largest(*numbers):\n    return builtins.max(numbers)",
    ),
    Program(
        name="literals read from text",
        module="tokenization",
        top="import ast\nimport json\nimport unicodedata\n\n\ndef read(text):\n    return ast.literal_eval(text)",
    ),
    Program(
        name="the machine described",
        module="benchmarking",
        top="import os\nimport sys\nimport platform\nimport urllib.parse\nfrom http import HTTPStatus\n"
        "MACHINE = (platform.machine(), os.cpu_count(), os.environ.get('HOME'), sys.getsizeof(0), HTTPStatus.OK)",
    ),
    Program(
        name="threads, queues, contexts, enums and logs",
        module="dataloader",
        top="import asyncio\nimport contextvars\nimport dataclasses\nimport enum\nimport logging\nimport mmap\n"
        "import queue\nimport tempfile\nimport warnings\nimport weakref\n\nlog = logging.getLogger(__name__)\n\n\n"
        "class Kind(enum.Enum):\n    A = enum.auto()\n\n\n@dataclasses.dataclass\nclass Pair:\n    a: int = 0",
    ),
    Program(
        name="tests of one's own in the package",
        module="losses",
        beside=(
            (
                "test_losses.py",
                "import pytest\n\n\ndef test_one():\n    with pytest.raises(ValueError):\n        pass\n",
            ),
        ),
    ),
    Program(
        name="absolute imports of the package itself",
        module="losses",
        top="import tinytorch\nfrom tinytorch.tensor import Tensor as T\nfrom autograd import backward_rule",
        beside=(("deep/er/__init__.py", "from ...tensor import Tensor\nfrom . import other\n"),),
    ),
    Program(
        name="a package that imports its modules when they are needed",
        module="losses",
        beside=(
            (
                "__init__.py",
                """
                from importlib import import_module

                def __getattr__(name):
                    return import_module(f".{name}", __package__)

                for part in ("tensor", "losses"):
                    import_module("." + part, __name__)
                """,
            ),
        ),
    ),
]
