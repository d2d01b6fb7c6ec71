"""What a step of each optimiser costs beside PyTorch: on one thread, both in the same run.

    python benchmarks/optimizers.py                       # a table
    python benchmarks/optimizers.py --json                # the same as JSON
    python benchmarks/optimizers.py --package tinytorch   # another package than the solutions
    python benchmarks/optimizers.py --quick               # tiny sizes, few rounds: does it run at all?

Both sides get the same parameters and gradients, and after one step the parameters must agree. Then they take turns as
in `forward.py`. PyTorch runs as it does by default on a CPU, operation by operation; it has a fused Adam on request.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from forward import Case, compare

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


if __name__ == "__main__":
    raise SystemExit(compare("Optimiser steps beside PyTorch, on one thread.", cases, rounds=31))
