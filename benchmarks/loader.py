"""What a DataLoader costs beside a plain slicing loop, and what prefetching saves: both in the same run.

    python benchmarks/loader.py                       # a table
    python benchmarks/loader.py --json                # the same as JSON
    python benchmarks/loader.py --package tinytorch   # another package than the solutions
    python benchmarks/loader.py --quick               # tiny sizes, few rounds: does it run at all?

The plain loop cuts the same rows out of the same NumPy arrays, in the same order, and copies them as often. Both sides
take turns, one pass over the data each, and what counts is the median of the ratios of one round.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import REPOSITORY, load  # first: it sets the number of threads, which NumPy reads when it is loaded

# isort: split
import numpy as np

Pass = Callable[[], int]  # goes over the data once and says how many rows it saw


@dataclass(frozen=True, slots=True)
class Case:
    """Two ways of going over the same data."""

    name: str
    ours: Pass
    plain: Pass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured: milliseconds of one pass, medians over the rounds, rows per second, and the median ratio."""

    name: str
    ours: float
    plain: float
    rows_per_second: float
    ratio: float


# ---- what is compared ----


def cases(tt: ModuleType, folder: Path, quick: bool) -> Iterator[Case]:
    """The same rows from memory, from disk, one by one, and made ahead by a thread."""
    count, width = (200, 16) if quick else (20_000, 784)
    rng = np.random.default_rng(0)
    x, y = rng.random((count, width), dtype=np.float32), rng.integers(0, 10, count)
    data = tt.TensorDataset(tt.tensor(x), tt.tensor(y))
    for size in (16, 64, 256):
        yield in_turn(tt, data, x, y, size)
        yield shuffled(tt, data, x, y, size)
    yield part_of(tt, data, x, y)
    yield from_disk(tt, folder, x, y)
    yield item_by_item(tt, x[: count // 10], y[: count // 10])
    yield made_ahead(tt, x[: max(count // 10, 128)], quick)


def in_turn(tt: ModuleType, data: Any, x: Any, y: Any, size: int) -> Case:
    """Batches in the order of the data, copied."""
    loader = tt.DataLoader(data, batch_size=size)
    starts = range(0, len(x), size)
    return Case(
        f"in turn, batches of {size}",
        lambda: sum(len(a) for a, _ in loader),
        lambda: sum(len(a) for a, _ in ((x[i : i + size].copy(), y[i : i + size].copy()) for i in starts)),
    )


def shuffled(tt: ModuleType, data: Any, x: Any, y: Any, size: int) -> Case:
    """Batches in a new order every pass."""
    ours, plain = np.random.default_rng(1), np.random.default_rng(1)
    loader = tt.DataLoader(data, batch_size=size, shuffle=True, generator=ours)
    return Case(
        f"shuffled, batches of {size}", lambda: sum(len(a) for a, _ in loader), lambda: shuffled_rows(plain, x, y, size)
    )


def shuffled_rows(rng: np.random.Generator, x: Any, y: Any, size: int) -> int:
    """The plain loop over a permutation."""
    order = rng.permutation(len(x))
    pieces = (order[start : start + size] for start in range(0, len(x), size))
    return sum(len(a) for a, _ in ((x[piece], y[piece]) for piece in pieces))


def part_of(tt: ModuleType, data: Any, x: Any, y: Any) -> Case:
    """The training part of a split: numbers are looked up once more."""
    train, _ = tt.random_split(data, [0.8, 0.2], np.random.default_rng(2))
    loader = tt.DataLoader(train, batch_size=64, shuffle=True, generator=np.random.default_rng(1))
    plain = np.random.default_rng(1)
    mine, labels = x[train.indices], y[train.indices]
    return Case(
        "a Subset, shuffled, 64", lambda: sum(len(a) for a, _ in loader), lambda: shuffled_rows(plain, mine, labels, 64)
    )


def from_disk(tt: ModuleType, folder: Path, x: Any, y: Any) -> Case:
    """Shuffled rows of a file that the system has in its cache, against the same from memory."""
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    data = tt.MemmapDataset(folder / "x.npy", folder / "y.npy")
    loader = tt.DataLoader(data, batch_size=64, shuffle=True, generator=np.random.default_rng(1))
    plain = np.random.default_rng(1)
    return Case("a file, shuffled, 64", lambda: sum(len(a) for a, _ in loader), lambda: shuffled_rows(plain, x, y, 64))


def item_by_item(tt: ModuleType, x: Any, y: Any) -> Case:
    """A data set with two methods: items come one by one and are stacked."""
    loader = tt.DataLoader(list(zip(x, y.tolist(), strict=True)), batch_size=64)
    starts = range(0, len(x), 64)
    pairs = list(zip(x, y.tolist(), strict=True))
    return Case(
        "items one by one, 64",
        lambda: sum(len(a) for a, _ in loader),
        lambda: sum(len(stacked(pairs[start : start + 64])) for start in starts),
    )


def stacked(pairs: list[tuple[Any, int]]) -> Any:
    """A batch of pairs by NumPy alone."""
    np.array([label for _, label in pairs])
    return np.stack([row for row, _ in pairs])


def made_ahead(tt: ModuleType, x: Any, quick: bool) -> Case:
    """Packed batches and a computation that takes as long as unpacking: prefetch=2 against prefetch=0."""
    side = 16 if quick else 784
    packed = [zlib.compress(x[start : start + 64].tobytes(), 1) for start in range(0, len(x) - 63, 64)]

    class Unpacked(tt.Dataset):  # type: ignore[misc,name-defined]  # the package is chosen on the command line
        def __len__(self) -> int:
            return len(packed)

        def __getitem__(self, i: int) -> Any:
            return np.frombuffer(zlib.decompress(packed[i]), np.float32).reshape(64, -1)

    weight = np.random.default_rng(3).random((x.shape[1], side), dtype=np.float32)
    ahead, in_turn = (tt.DataLoader(Unpacked(), prefetch=prefetch) for prefetch in (2, 0))
    repeats = repeats_as_long_as(lambda: Unpacked()[0], lambda: x[:64] @ weight)

    def work(loader: Any) -> int:
        for batch in loader:
            for _ in range(repeats):
                batch.data[0] @ weight
        return len(packed)

    return Case("prefetch=2 against 0, I/O = compute", lambda: work(ahead), lambda: work(in_turn))


def repeats_as_long_as(load_one: Callable[[], Any], compute: Callable[[], Any]) -> int:
    """How often to compute so that it takes as long as loading."""
    times = [statistics.median(wall(call) for _ in range(5)) for call in (load_one, compute)]
    return max(1, round(times[0] / max(times[1], 1e-9)))


# ---- how it is measured ----


def wall(call: Callable[[], Any]) -> float:
    """Seconds of one call. Wall time: a thread that works meanwhile is the point."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(case: Case, rounds: int) -> Row:
    """Both sides in turn, round by round."""
    count = case.ours()
    if count != case.plain():
        raise SystemExit(f"{case.name}: the two sides saw different numbers of rows")
    pairs = [(wall(case.ours), wall(case.plain)) for _ in range(rounds)]
    mine = statistics.median(ours for ours, _ in pairs)
    return Row(
        name=case.name,
        ours=1e3 * mine,
        plain=1e3 * statistics.median(plain for _, plain in pairs),
        rows_per_second=count / max(mine, 1e-9),
        ratio=statistics.median(ours / max(plain, 1e-9) for ours, plain in pairs),
    )


# ---- how it is told ----


def table(rows: list[Row]) -> str:
    """The rows in columns."""
    lines = [f"{'one pass':<36} {'ours, ms':>10} {'plain, ms':>10} {'rows/s':>12} {'ratio':>7}"]
    lines += [
        f"{r.name:<36} {r.ours:>10.2f} {r.plain:>10.2f} {r.rows_per_second:>12,.0f} {r.ratio:>7.2f}" for r in rows
    ]
    lines.append("\nAbove 1 the loader takes longer than the plain loop.")
    return "\n".join(lines)


def setting() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "clock": "wall clock",
        "threads": "1",
    }


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="A DataLoader beside a plain slicing loop.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per case (default 15)")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    tt = load(chosen.package.resolve())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rounds = chosen.rounds or (3 if chosen.quick else 15)
        rows = [measure(case, rounds) for case in cases(tt, Path(folder), chosen.quick)]
    if chosen.json:
        print(json.dumps({"setting": setting(), "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print(", ".join(f"{key} {value}" for key, value in setting().items()))
        print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
