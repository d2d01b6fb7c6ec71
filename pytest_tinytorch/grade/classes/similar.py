"""Submissions of a class that are like each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two students whose code is alike: `share` from 0 to 1, and where."""

    first: str
    second: str
    share: float
    says: str
