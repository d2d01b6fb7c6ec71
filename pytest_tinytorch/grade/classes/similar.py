"""Submissions of a class that are like each other, found in the sources that the store has kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..similarity import Pair, compare
from .store import Results


def pairs(results: Results, students: Iterable[str], package: str) -> list[Pair]:
    """The pairs of which somebody should read both, the most alike first."""
    return [pair for pair in compare(Sources(results, students), package) if pair.is_striking]


class Sources(Mapping[str, dict[str, bytes]]):
    """The files of each student, read from the disk when they are asked for."""

    def __init__(self, results: Results, students: Iterable[str]) -> None:
        self._results, self._students = results, list(students)

    def __getitem__(self, student: str) -> dict[str, bytes]:
        found = self._results.source(self._results.lines[student].digest)
        return {name: text.encode("utf-8", "surrogateescape") for name, text in found.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._students)

    def __len__(self) -> int:
        return len(self._students)
