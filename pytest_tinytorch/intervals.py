"""Seconds that somebody else measured: whether they can be times at all, and how far to trust their medians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL, RESAMPLES = 0.95, 2_000

Seconds = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds that were measured so often: their median, and between which two it lies at 95 %."""

    median: float
    low: float
    high: float
    repeats: int


def times(seconds: Any, count: int) -> Seconds:
    """So many seconds above 0; a time without end, where something else came.

    >>> times(np.array([0.5, 0.25]), 2), times(np.array([0.5, -1.0]), 2), times([1, 2], 2)
    (array([0.5 , 0.25]), array([inf]), array([inf]))
    """
    good = type(seconds) is np.ndarray and seconds.shape == (count,) and seconds.dtype.kind == "f"
    return seconds if good and np.isfinite(seconds).all() and (seconds > 0).all() else np.array([np.inf])


def interval(seconds: Seconds) -> tuple[float, float]:
    """Between which two numbers the median lies."""
    return _between(_medians(seconds, np.random.default_rng(0)))


def speedup(before: Seconds, after: Seconds) -> tuple[float, float, float]:
    """How many times faster, and between which two numbers that lies; nothing, without two times."""
    if not np.isfinite(before[0]) or not np.isfinite(after[0]):
        return 0.0, 0.0, 0.0
    rng = np.random.default_rng(0)
    low, high = _between(_medians(before, rng) / _medians(after, rng))
    return float(np.median(before) / np.median(after)), low, high


def _medians(seconds: Seconds, rng: np.random.Generator) -> Seconds:
    """The medians that other days might have had: samples drawn from the samples."""
    found: Seconds = np.median(rng.choice(seconds, (RESAMPLES, len(seconds))), axis=1)
    return found


def _between(values: Seconds) -> tuple[float, float]:
    """What is left when the outer ones are cut off on both sides."""
    values, out = np.sort(values), int((1 - LEVEL) / 2 * len(values))
    return float(values[out]), float(values[len(values) - 1 - out])
