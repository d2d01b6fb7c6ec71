"""What a step of each optimiser costs beside PyTorch: on one thread, both in the same run.

    python benchmarks/optimizers.py                       # a table
    python benchmarks/optimizers.py --json                # the same as JSON
    python benchmarks/optimizers.py --package tinytorch   # another package than the solutions
    python benchmarks/optimizers.py --quick               # tiny sizes, few rounds: does it run at all?

Both sides get the same parameters and gradients, and after one step the parameters must agree. Then they take turns as
in `forward.py`. PyTorch runs as it does by default on a CPU, operation by operation; it has a fused Adam on request.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import BATCH_SECONDS, REPOSITORY, Case, load, mean, measure, setting, table

# isort: split
import numpy as np  # after forward, which sets the number of threads

RULES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("SGD", "SGD", {}),
    ("SGD momentum", "SGD", {"momentum": 0.9}),
    ("SGD nesterov", "SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}),
    ("RMSprop", "RMSprop", {}),
    ("Adam", "Adam", {}),
    ("Adam amsgrad", "Adam", {"amsgrad": True}),
    ("AdamW", "AdamW", {}),
)
MLP = ((784, 128), (128,), (128, 64), (64,), (64, 10), (10,))


def cases(tt: ModuleType, torch: ModuleType, quick: bool) -> Iterator[Case]:
    """Every rule on one large parameter and on those of a small network; tiny ones for a quick run."""
    sizes = {"1 x 100": ((100,),), "2, 40 together": ((5, 7), (5,))}
    if not quick:
        sizes = {"1 x 1,000,000": ((1_000_000,),), "6, 109,386 together": MLP}
    for size, shapes in sizes.items():
        for name, kind, options in RULES:
            yield case(tt, torch, name, size, shapes, kind, options)


def case(
    tt: ModuleType,
    torch: ModuleType,
    name: str,
    size: str,
    shapes: tuple[tuple[int, ...], ...],
    kind: str,
    options: dict[str, Any],
) -> Case:
    """Steps of one rule; a call gives the first parameter."""
    rng = np.random.default_rng(0)
    mine, theirs = [], []
    for shape in shapes:
        a, grad = rng.standard_normal((2, *shape), dtype=np.float32)
        mine.append(tt.Parameter(a))
        theirs.append(torch.nn.Parameter(torch.tensor(a)))
        mine[-1].grad, theirs[-1].grad = tt.tensor(grad), torch.tensor(grad)
    ours, reference = getattr(tt, kind)(mine, **options), getattr(torch.optim, kind)(theirs, **options)

    def step() -> Any:
        ours.step()
        return mine[0]

    def their_step() -> Any:
        reference.step()
        return theirs[0]

    return Case(name, size, step, their_step)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="Optimiser steps beside PyTorch, on one thread.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per rule (default 31)")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    if importlib.util.find_spec("torch") is None:
        says = "PyTorch is not installed, so there is nothing to compare with: pip install torch"
        print(json.dumps({"skipped": says}) if chosen.json else says)
        return 0
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    rounds, length = chosen.rounds or (3 if chosen.quick else 31), BATCH_SECONDS / (20 if chosen.quick else 1)
    rows = [measure(each, rounds, length) for each in cases(load(chosen.package.resolve()), torch, chosen.quick)]
    if chosen.json:
        told = {"setting": setting(torch), "mean": mean(rows), "rows": [asdict(row) for row in rows]}
        print(json.dumps(told, indent=1))
    else:
        print(", ".join(f"{key} {value}" for key, value in setting(torch).items()))
        print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
