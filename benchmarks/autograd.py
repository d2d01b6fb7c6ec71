"""What gradients cost beside PyTorch and micrograd: a training step, the graph's overhead per operation, its growth.

    python benchmarks/autograd.py                       # tables
    python benchmarks/autograd.py --json                # the same as JSON
    python benchmarks/autograd.py --package tinytorch   # another package than the solutions
    python benchmarks/autograd.py --quick               # tiny sizes, few rounds: does it run at all?

*Steps*: forward, loss, backward and the optimiser's step of a network, both sides from the same parameters on the same
batch, in turns as in `forward.py`. *Operations*: a chain of sums and products of single numbers, where nearly all the
time goes into recording and walking; memory is by how much the process grows. *Growth*: time and allocated memory of
chains from 100 to 100,000 operations. PyTorch and micrograd are measured where they are installed.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import json
import os
import statistics
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import BATCH_SECONDS, REPOSITORY, Case, clock, load, measure, setting, table

# isort: split
import itertools

import numpy as np  # after forward, which sets the number of threads

Chain = Callable[[int], tuple[Any, Any]]  # number of operations -> (leaf, result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one operation of a chain costs: microseconds to record it and to walk it, bytes to keep it."""

    framework: str
    operations: int
    record: float
    backward: float
    memory: float | None  # None: this system does not tell


# ---- a training step ----


def steps(tt: ModuleType, torch: ModuleType, quick: bool) -> Iterator[Case]:
    """A multi-layer perceptron with each of the usual optimisers; a call gives the loss."""
    sizes, batch = ((6, 5, 4, 3), 4) if quick else ((784, 128, 64, 10), 64)
    for name, options in (("SGD", {"lr": 0.01}), ("Adam", {})):
        yield step(tt, torch, sizes, batch, name, options)


def step(
    tt: ModuleType, torch: ModuleType, sizes: Sequence[int], batch: int, rule: str, options: dict[str, Any]
) -> Case:
    """A step on one batch. Both sides start from the same parameters; with Adam, equal losses stay equal."""
    rng = np.random.default_rng(0)
    images, labels = rng.random((batch, sizes[0]), dtype=np.float32), rng.integers(0, sizes[-1], batch)
    pairs = list(itertools.pairwise(sizes))
    ours = tt.Sequential(*with_relu([tt.Linear(*pair) for pair in pairs], tt.ReLU))
    theirs = torch.nn.Sequential(*with_relu([torch.nn.Linear(*pair) for pair in pairs], torch.nn.ReLU))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q.data = torch.tensor(p.data.T.copy())  # PyTorch keeps (out, in)
    x, t, u, s = tt.tensor(images), tt.tensor(labels), torch.tensor(images), torch.tensor(labels)
    loss, their_loss = tt.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    optimizer = getattr(tt, rule)(ours.parameters(), **options)
    their_optimizer = getattr(torch.optim, rule)(theirs.parameters(), **options)
    return Case(
        f"step, {rule}",
        f"{'-'.join(map(str, sizes))}, batch {batch}",
        lambda: trained(ours, loss, optimizer, x, t),
        lambda: trained(theirs, their_loss, their_optimizer, u, s),
    )


def with_relu(layers: list[Any], relu: Any) -> list[Any]:
    """The layers with an activation between each two."""
    return [each for layer in layers[:-1] for each in (layer, relu())] + [layers[-1]]


def trained(net: Any, loss_fn: Any, optimizer: Any, x: Any, t: Any) -> Any:
    """One step, in the words of either framework; the loss before it."""
    optimizer.zero_grad()
    loss = loss_fn(net(x), t)
    loss.backward()
    optimizer.step()
    return loss


# ---- one operation ----


def chains(tt: ModuleType) -> dict[str, Chain]:
    """A chain of sums and products of single numbers in every framework that is here."""
    found: dict[str, Chain] = {"tinytorch": lambda length: chain(tt.tensor(1.0, requires_grad=True), length)}
    if importlib.util.find_spec("torch") is not None:
        torch = importlib.import_module("torch")
        found["PyTorch"] = lambda length: chain(torch.tensor(1.0, requires_grad=True), length)
    if importlib.util.find_spec("micrograd") is not None:
        value = importlib.import_module("micrograd.engine").Value
        found["micrograd"] = lambda length: chain(value(1.0), length)
    return found


def chain(x: Any, length: int) -> tuple[Any, Any]:
    """`length` operations one after the other, half of them products with the leaf."""
    y = x
    for _ in range(length // 2):
        y = y * x
        y = y + x
    return x, y


def cost(name: str, make: Chain, length: int, rounds: int, memory: float | None) -> Cost:
    """The medians of a few chains, with the collector of cycles at rest."""
    records, walks = [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            began = clock()
            _, y = make(length)
            recorded = clock()
            y.backward()
            records.append((recorded - began) / length)
            walks.append((clock() - recorded) / length)
            del y
    finally:
        gc.enable()
    return Cost(
        framework=name,
        operations=length,
        record=1e6 * statistics.median(records),
        backward=1e6 * statistics.median(walks),
        memory=memory,
    )


def resident(make: Chain, length: int) -> float | None:
    """By how much a chain lets this process grow, in C as in Python; None where the system does not say."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return None
    before = int(statm.read_text("ascii").split()[1])
    kept = make(length)
    pages = int(statm.read_text("ascii").split()[1]) - before
    del kept
    return pages * os.sysconf("SC_PAGE_SIZE") / length


def allocated(make: Chain, length: int) -> float:
    """What Python and NumPy allocated for a chain and did not give back."""
    tracemalloc.start()
    try:
        kept = make(length)
        now, _ = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return now / length


# ---- the command line ----


def told(costs: Sequence[Cost]) -> str:
    """Costs in columns."""
    lines = [f"{'framework':<12} {'operations':>10} {'record, µs':>11} {'backward, µs':>13} {'bytes':>7}"]
    for c in costs:
        memory = "-" if c.memory is None else f"{c.memory:.0f}"
        lines.append(f"{c.framework:<12} {c.operations:>10,} {c.record:>11.2f} {c.backward:>13.2f} {memory:>7}")
    return "\n".join([*lines, "per operation of a chain of single numbers"])


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="Gradients beside PyTorch and micrograd, on one thread.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    tt = load(chosen.package.resolve())
    rounds, length = (3, BATCH_SECONDS / 20) if chosen.quick else (31, BATCH_SECONDS)
    rows, about = [], {}
    if importlib.util.find_spec("torch") is not None:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        rows, about = [measure(case, rounds, length) for case in steps(tt, torch, chosen.quick)], setting(torch)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))  # micrograd walks by calling itself
    longest = 200 if chosen.quick else 2_000  # and gives up beyond
    kept = {name: resident(make, 50 * longest) for name, make in chains(tt).items()}
    operations = [cost(name, make, longest, 3 * rounds, kept[name]) for name, make in chains(tt).items()]
    lengths = (1_000, 3_000) if chosen.quick else (100, 1_000, 10_000, 100_000)
    ours = chains(tt)["tinytorch"]
    growth = [cost("tinytorch", ours, n, max(3, 30_000 // n), allocated(ours, n)) for n in lengths]
    if chosen.json:
        told_of = {
            "setting": about,
            "steps": [asdict(row) for row in rows],
            "operations": [asdict(each) for each in operations],
            "growth": [asdict(each) for each in growth],
        }
        print(json.dumps(told_of, indent=1))
        return 0
    if rows:
        print(", ".join(f"{key} {value}" for key, value in about.items()))
        print(table(rows), "\n")
    else:
        print("PyTorch is not installed, so there are no steps to compare: pip install torch\n")
    print(told(operations), told(growth), sep="\n\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
