"""Code that becomes faster, and what measuring it costs and finds; rows of modules 14, 18 and 19."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from ratios import FASTER, Row
from turns import Asked, alike, mlp, timed, without_graph

# isort: split
import numpy as np  # after turns, which sets the number of threads

PROFILING, ACCELERATION, BENCHMARKING = "14 profiling", "18 acceleration", "19 benchmarking"


# ---- 14: what watching costs ------------------------------------------------------------------------------------


def profiling(asked: Asked) -> Iterator[Row]:
    """A forward pass with a stopwatch at every layer, and a function whose calls are noted."""
    tt, rng = asked.tt, np.random.default_rng(0)
    sizes, batch = ((8, 6, 4), 4) if asked.quick else ((784, 128, 64, 10), 64)
    gpt, length = (tt.GPT(9, 8, 2, 1, 5), 4) if asked.quick else (tt.GPT(65, 64, 4, 2, 64), 64)
    models = {
        f"{'-'.join(map(str, sizes))}, batch {batch}": (
            mlp(tt, *sizes),
            tt.tensor(rng.random((batch, sizes[0]), dtype=np.float32)),
        ),
        f"GPT of {len(gpt.blocks)} layers, 8 x {length} tokens": (gpt, tt.tensor(rng.integers(0, 9, (8, length)))),
    }
    for size, (model, x) in models.items():
        model.eval()
        about = (PROFILING, "each layer timed", size)
        watched = partial(in_eval_mode, tt, model, x)
        yield timed(asked, about, (watched, without_graph(tt, model, x)), "the same pass unwatched")

    def plain() -> Any:
        return rng.standard_normal(1)

    about = (PROFILING, "a call noted by `profile`", "one random number")
    yield timed(asked, about, (tt.profile(plain), plain), "the call alone")


def in_eval_mode(tt: ModuleType, model: Any, x: Any) -> Any:
    """A forward pass whose layers are timed."""
    return tt.profiling.timed(model, x)


# ---- 18: faster -------------------------------------------------------------------------------------------------


def acceleration(asked: Asked) -> Iterator[Row]:
    """Products of matrices in three ways, fused operations, and two threads."""
    yield from products(asked)
    yield from fused(asked)
    yield parallel(asked)


def products(asked: Asked) -> Iterator[Row]:
    """Loops over numbers against tiles, and tiles against NumPy's product of the whole."""
    tt, rng = asked.tt, np.random.default_rng(0)
    n, tile = (6, 4) if asked.quick else (64, 32)
    a, b = rng.standard_normal((2, n, n), dtype=np.float32)
    alike(tt.matmul_loops(a, b), a @ b, "matmul_loops")
    loops = partial(tt.matmul_loops, a, b)
    calls: dict[str, Callable[[], Any]] = {"tiles": partial(tt.matmul_tiled, a, b, tile)}
    calls["NumPy's product"] = lambda: a @ b
    for what, call in calls.items():
        alike(call(), a @ b, what)
        about = (ACCELERATION, what, f"({n}, {n}) @ ({n}, {n})" + f", tile {tile}" * (what == "tiles"))
        yield timed(asked, about, (call, loops), "three loops", reading=FASTER)
    n, tile = (8, 4) if asked.quick else (1024, 256)
    c, d = rng.standard_normal((2, n, n), dtype=np.float32)
    about = (ACCELERATION, "tiles", f"({n}, {n}) @ ({n}, {n}), tile {tile}")
    yield timed(asked, about, (partial(tt.matmul_tiled, c, d, tile), lambda: c @ d), "NumPy's product")


def fused(asked: Asked) -> Iterator[Row]:
    """Each operation forward and backward, as one and step by step."""
    tt, rng = asked.tt, np.random.default_rng(0)
    rows, columns = (4, 6) if asked.quick else (512, 128)
    a, grad = rng.standard_normal((2, rows, columns), dtype=np.float32)
    x, g = tt.tensor(a, requires_grad=True), tt.tensor(grad)
    weight, bias = (tt.tensor(rng.random(columns, dtype=np.float32), requires_grad=True) for _ in range(2))
    ids = tt.tensor(rng.integers(0, columns, rows))
    rest = {"gelu": (), "softmax": (), "cross_entropy": (ids,), "layer_norm": (weight, bias)}
    for name, others in rest.items():
        gradient = () if name == "cross_entropy" else (g,)
        calls = [
            partial(there_and_back, getattr(tt.acceleration, f"{how}_{name}"), (x, *others), gradient)
            for how in ("fused", "composed")
        ]
        alike(calls[0](), calls[1](), name)
        about = (ACCELERATION, f"fused {name}", f"({rows}, {columns}), forward and backward")
        yield timed(asked, about, calls, "composed", reading=FASTER, aim="above 1")


def there_and_back(function: Callable[..., Any], inputs: tuple[Any, ...], gradient: tuple[Any, ...]) -> Any:
    """A forward and a backward pass; the gradient of the first input."""
    for each in inputs:
        each.grad = None
    function(*inputs).backward(*gradient)
    return inputs[0].grad.data


def parallel(asked: Asked) -> Row:
    """Gradients of a batch on two threads, in wall time."""
    tt, rng = asked.tt, np.random.default_rng(0)
    sizes, batch = ((8, 6, 4), 6) if asked.quick else ((784, 512, 256, 10), 2048)
    tt.manual_seed(0)
    model, loss_fn = mlp(tt, *sizes), tt.CrossEntropyLoss()
    x, t = tt.tensor(rng.random((batch, sizes[0]), dtype=np.float32)), tt.tensor(rng.integers(0, sizes[-1], batch))
    two = tt.DataParallel(model, workers=2)

    def single() -> Any:
        model.zero_grad()
        loss_fn(model(x), t).backward()
        return [p.grad.data for p in model.parameters()]

    def double() -> Any:
        model.zero_grad()
        two.backward(loss_fn, x, t)
        return [p.grad.data for p in model.parameters()]

    for one, other in zip(single(), double(), strict=True):
        alike(one, other, "DataParallel")
    about = (ACCELERATION, "DataParallel, two workers", f"{'-'.join(map(str, sizes))}, batch {batch}")
    return timed(asked, about, (double, single), "the single run", reading=FASTER, clock=time.perf_counter)


# ---- 19: how often a comparison is wrong --------------------------------------------------------------------------


def benchmarking(asked: Asked) -> Iterator[Row]:
    """Differences that are none, differences of a tenth, and intervals, over many simulated measurements."""
    tt, rng = asked.tt, np.random.default_rng(0)
    trials, samples = (20, 20) if asked.quick else (1000, 30)

    def measured(scale: float) -> Any:
        return tt.Measurement(scale * noisy(rng, samples))

    size = f"{trials:,} comparisons of {samples} samples"
    alarms = sum(tt.compare(measured(1.0), measured(1.0)).significant for _ in range(trials)) / trials
    yield share(BENCHMARKING, "false alarms", size, alarms, 0.05, "allowed", "at most 1")
    found = sum(tt.compare(measured(1.1), measured(1.0)).verdict == "faster" for _ in range(trials)) / trials
    yield share(BENCHMARKING, "a tenth less time found", size, found, 1.0, "there to be found", "1")
    true = float(np.median(noisy(np.random.default_rng(1), 1_000_000)))
    held = [low <= true <= high for low, high in (measured(1.0).confidence_interval() for _ in range(trials))]
    size = f"{trials:,} intervals of {samples} samples"
    yield share(
        BENCHMARKING, "intervals that hold the median", size, float(np.mean(held)), 0.95, "stated", "at least 1"
    )


def noisy(rng: np.random.Generator, count: int) -> Any:
    """Times as a machine gives them: never below what the work takes, skewed, one in twenty far out."""
    times = 1.0 + 0.05 * rng.lognormal(0.0, 0.5, count)
    times[rng.random(count) < 0.05] *= 1.5
    return times


def share(module: str, what: str, size: str, found: float, due: float, against: str, aim: str) -> Row:
    """A row about how often something happened."""
    told = [f"{100 * each:.1f} %" for each in (found, due)]
    return Row(
        module=module,
        what=what,
        size=size,
        against=against,
        ours=told[0],
        theirs=told[1],
        ratio=found / due,
        reading="as many",
        aim=aim,
        source="systems.py",
    )
