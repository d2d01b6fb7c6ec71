"""Two ways of doing the same as one row: both take turns, as in `forward.py`, and the ratio is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import BATCH_SECONDS, in_turn
from ratios import FASTER, SLOWER, Row, duration

# isort: split
import numpy as np  # after forward, which sets the number of threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The package, how long to measure, whether sizes are tiny, and where MNIST lies."""

    tt: ModuleType
    quick: bool
    rounds: int
    data: Path | None

    @property
    def length(self) -> float:
        """Seconds of a batch of calls."""
        return BATCH_SECONDS / (20 if self.quick else 1)


def timed(
    asked: Asked,
    about: tuple[str, str, str],
    calls: Sequence[Callable[[], Any]],
    against: str,
    *,
    reading: str = SLOWER,
    aim: str = "",
    clock: Callable[[], float] | None = None,
) -> Row:
    """A row about two functions, ours first: `about` is the module, what is measured and at which size."""
    options: dict[str, Any] = {} if clock is None else {"clock": clock}
    ours, theirs = calls
    mine, other, ratio = in_turn(ours, theirs, asked.rounds, asked.length, **options)
    module, what, size = about
    if reading == FASTER:
        ratio = 1 / max(ratio, 1e-9)
    return Row(
        module=module,
        what=what,
        size=size,
        against=against,
        ours=duration(mine),
        theirs=duration(other),
        ratio=ratio,
        reading=reading,
        aim=aim,
        source="systems.py",
    )


def alike(one: Any, other: Any, what: str) -> None:
    """Refuse to time two sides that compute different numbers."""
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3, err_msg=what)


def mlp(tt: ModuleType, *sizes: int) -> Any:
    """A multi-layer perceptron with ReLU between its layers, by Kaiming's start."""
    layers: list[Any] = []
    for before, after in itertools.pairwise(sizes):
        layers += [tt.Linear(before, after), tt.ReLU()]
        tt.kaiming_normal_(layers[-2].weight)
    return tt.Sequential(*layers[:-1])


def without_graph(tt: ModuleType, model: Any, x: Any) -> Callable[[], Any]:
    """The forward pass that records nothing."""

    def call() -> Any:
        with tt.no_grad():
            return model(x)

    return call
