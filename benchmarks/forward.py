"""What a forward pass costs beside PyTorch: each operation on one thread, both in the same run.

    python benchmarks/forward.py                       # a table
    python benchmarks/forward.py --json                # the same as JSON
    python benchmarks/forward.py --package tinytorch   # another package than the solutions
    python benchmarks/forward.py --quick               # tiny sizes, few rounds: does it run at all?

Both sides get the same numbers and must give the same result before anything is timed. Then they take turns, a batch of
calls each, and what counts is the median of the ratios of one round, in CPU time: a busy neighbour disturbs both.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_variable] = "1"  # read once, when NumPy loads its BLAS

import numpy as np  # noqa: E402 -- after the number of threads is set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Clock = Callable[[], float]

REPOSITORY = Path(__file__).resolve().parent.parent
BATCH_SECONDS = 0.02  # long enough to warm caches and memory up again after the other side's turn
COARSE = time.get_clock_info("process_time").resolution > 1e-5  # Windows counts CPU time in steps of 15 ms
clock = time.perf_counter if COARSE else time.process_time


@dataclass(frozen=True, slots=True)
class Case:
    """One operation at one size, ready to be called on both sides."""

    operation: str
    size: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured: microseconds of one call, medians over the rounds, and the median ratio."""

    operation: str
    size: str
    ours: float
    pytorch: float
    ratio: float


def load(folder: Path) -> ModuleType:
    """The package in a folder, by its location."""
    spec = importlib.util.spec_from_file_location(
        folder.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
        raise SystemExit(f"no package in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[folder.name] = package
    spec.loader.exec_module(package)
    return package


# ---- what is compared ----


def cases(tt: ModuleType, torch: ModuleType, quick: bool) -> Iterator[Case]:
    """Every operation at several sizes; tiny ones for a quick run."""
    rng = np.random.default_rng(0)
    small, middle, large = ((4, 8), (4, 16), (8, 16)) if quick else ((64, 128), (64, 1024), (512, 1024))
    few, heads, many = ((4, 5), (2, 2, 3, 3), (6, 9)) if quick else ((64, 10), (8, 4, 64, 64), (512, 1000))
    for shape in (small, middle, heads, large):
        yield from element_wise(tt, torch, rng, shape)
    for rows, columns in (small, large):
        yield from layers(tt, torch, rng, rows, columns)
    for shape in (few, middle, heads, many):
        yield from shares(tt, torch, rng, shape)
    for rows, classes in (few, many):
        yield from losses(tt, torch, rng, rows, classes)


def element_wise(tt: ModuleType, torch: ModuleType, rng: Any, shape: tuple[int, ...]) -> Iterator[Case]:
    """Operations on each element."""
    a, b = rng.standard_normal((2, *shape), dtype=np.float32)
    x, y, u, v = tt.tensor(a), tt.tensor(b), torch.tensor(a), torch.tensor(b)
    functional = torch.nn.functional
    yield Case("add", str(shape), lambda: x + y, lambda: u + v)
    yield Case("mul", str(shape), lambda: x * y, lambda: u * v)
    yield Case("exp", str(shape), x.exp, u.exp)
    yield Case("tanh", str(shape), lambda: tt.tanh(x), u.tanh)
    yield Case("relu", str(shape), lambda: tt.relu(x), lambda: functional.relu(u))
    yield Case("leaky_relu", str(shape), lambda: tt.leaky_relu(x), lambda: functional.leaky_relu(u))
    yield Case("sigmoid", str(shape), lambda: tt.sigmoid(x), lambda: torch.sigmoid(u))
    yield Case("gelu", str(shape), lambda: tt.gelu(x), lambda: functional.gelu(u, approximate="tanh"))


def layers(tt: ModuleType, torch: ModuleType, rng: Any, rows: int, columns: int) -> Iterator[Case]:
    """A reduction, the matrix product, and layers with the same parameters on both sides."""
    a, b = rng.standard_normal((2, rows, columns), dtype=np.float32)
    size = f"({rows}, {columns})"
    x, u = tt.tensor(a), torch.tensor(a)
    z, w = tt.tensor(b.T.copy()), torch.tensor(b.T.copy())
    yield Case("sum", size, lambda: x.sum(1), lambda: u.sum(1))
    yield Case("matmul", f"{size} @ ({columns}, {rows})", lambda: x @ z, lambda: u @ w)
    ours, theirs = tt.Linear(columns, columns), torch.nn.Linear(columns, columns)
    theirs.weight.data = torch.tensor(ours.weight.data.T.copy())  # PyTorch keeps (out, in)
    theirs.bias.data = torch.tensor(ours.bias.data)
    yield Case("Linear", f"{size} -> {columns}", lambda: ours(x), lambda: theirs(u))
    norm, their_norm = tt.LayerNorm(columns), torch.nn.LayerNorm(columns)
    yield Case("LayerNorm", size, lambda: norm(x), lambda: their_norm(u))


def shares(tt: ModuleType, torch: ModuleType, rng: Any, shape: tuple[int, ...]) -> Iterator[Case]:
    """Probabilities along the last dimension; four dimensions as in attention."""
    a = rng.standard_normal(shape, dtype=np.float32)
    x, u = tt.tensor(a), torch.tensor(a)
    yield Case("softmax", str(shape), lambda: tt.softmax(x, dim=-1), lambda: torch.softmax(u, -1))
    yield Case("log_softmax", str(shape), lambda: tt.log_softmax(x, dim=-1), lambda: torch.log_softmax(u, -1))


def losses(tt: ModuleType, torch: ModuleType, rng: Any, rows: int, classes: int) -> Iterator[Case]:
    """What ends a classifier."""
    a, ids = rng.standard_normal((rows, classes), dtype=np.float32), rng.integers(0, classes, rows)
    x, t, u, s = tt.tensor(a), tt.tensor(ids), torch.tensor(a), torch.tensor(ids)
    loss, their_loss = tt.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    yield Case("cross-entropy", f"({rows}, {classes})", lambda: loss(x, t), lambda: their_loss(u, s))


# ---- how it is measured ----


def seconds(call: Callable[[], Any], calls: int, clock: Clock = clock) -> float:
    """The time of one call, averaged over a batch: CPU time, where no other clock is given."""
    began = clock()
    for _ in range(calls):
        call()
    return (clock() - began) / calls


def batch(call: Callable[[], Any], length: float) -> int:
    """How many calls make a batch of that length in seconds."""
    call()
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < length:
        call()
        calls += 1
    return max(calls, 1)


def in_turn(
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    rounds: int,
    length: float = BATCH_SECONDS,
    clock: Clock = clock,
) -> tuple[float, float, float]:
    """Seconds of a call of each, medians over the rounds, and the median ratio: both in turn, batch by batch."""
    our_calls, their_calls = batch(ours, length), batch(theirs, length)
    pairs = [(seconds(ours, our_calls, clock), seconds(theirs, their_calls, clock)) for _ in range(rounds)]
    return (
        statistics.median(mine for mine, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(mine / max(other, 1e-9) for mine, other in pairs),
    )


def measure(case: Case, rounds: int, length: float = BATCH_SECONDS) -> Row:
    """Both sides in turn, round by round."""
    ours, theirs = case.ours().data, case.theirs().detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4, err_msg=case.operation)
    mine, other, ratio = in_turn(case.ours, case.theirs, rounds, length)
    return Row(operation=case.operation, size=case.size, ours=1e6 * mine, pytorch=1e6 * other, ratio=ratio)


# ---- how it is told ----


def table(rows: list[Row]) -> str:
    """The rows in columns, and what they come to."""
    lines = [f"{'operation':<14} {'size':<28} {'ours, µs':>10} {'PyTorch, µs':>12} {'ratio':>7}"]
    lines += [f"{r.operation:<14} {r.size:<28} {r.ours:>10.1f} {r.pytorch:>12.1f} {r.ratio:>7.2f}" for r in rows]
    worst = max(rows, key=lambda row: row.ratio)
    lines.append(f"\nBelow 1 is faster than PyTorch. Geometric mean {mean(rows):.2f},")
    lines.append(f"highest {worst.ratio:.2f} ({worst.operation} {worst.size}).")
    return "\n".join(lines)


def mean(rows: list[Row]) -> float:
    """The geometric mean of the ratios."""
    return math.exp(sum(math.log(max(row.ratio, 1e-9)) for row in rows) / len(rows))


def setting(torch: ModuleType | None = None) -> dict[str, str]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        **({"torch": str(torch.__version__)} if torch else {}),
        "machine": f"{platform.system()} {platform.machine()}",
        "clock": "wall clock" if COARSE else "CPU time",
        "threads": "1",
    }


def compare(
    description: str,
    cases: Callable[[ModuleType, ModuleType, bool], Iterator[Case]],
    rounds: int,
    arguments: list[str] | None = None,
) -> int:
    """The command line of a comparison with PyTorch; the result is the exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    parser.add_argument("--only", default="", metavar="NAME", help="the rows whose name holds this")
    parser.add_argument("--rounds", type=int, default=None, help=f"rounds per row (default {rounds})")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    if importlib.util.find_spec("torch") is None:
        says = "PyTorch is not installed, so there is nothing to compare with: pip install torch"
        print(json.dumps({"skipped": says}) if chosen.json else says)
        return 0
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    tt = load(chosen.package.resolve())
    wanted = [case for case in cases(tt, torch, chosen.quick) if chosen.only.lower() in case.operation.lower()]
    if not wanted:
        raise SystemExit(f"no row is called {chosen.only!r}")
    times, length = chosen.rounds or (3 if chosen.quick else rounds), BATCH_SECONDS / (20 if chosen.quick else 1)
    rows = [measure(case, times, length) for case in wanted]
    if chosen.json:
        told = {"setting": setting(torch), "mean": mean(rows), "rows": [asdict(row) for row in rows]}
        print(json.dumps(told, indent=1))
    else:
        print(", ".join(f"{key} {value}" for key, value in setting(torch).items()))
        print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(compare("Forward passes beside PyTorch, on one thread.", cases, rounds=15))
