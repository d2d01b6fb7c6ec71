"""Which submissions of a class are alike, beyond what the course hands out and what any solution has in common.

Every student's code becomes fingerprints (`fingerprints.py`); what was given is left out. A fingerprint that few
students have weighs more (its weight is that of inverse document frequency, over the class and `BACKGROUND` imagined
strangers), one that more than `COMMON` of the class have weighs nothing, and one of the course's own solution little:
whoever writes an exercise well comes close to it. The score of a pair is the share of the lighter one's weight that
both have, overall or in the module where it is largest. Work and memory grow with the class, not with its square.

A score is no proof. It says which two to read side by side.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import stubs
from .fingerprints import Unit
from .reading import Reader, Unreadable

THRESHOLD = 0.5  # from here on a pair is worth reading; tests/grade/test_similarity.py says what lies on either side
EVIDENCE = 12.0  # weight that both share; less says nothing, however large a part it is
FEW = 1.0  # weight from which on a function is named
BACKGROUND = 8  # strangers of whom none has what two students share
COMMON = 0.1  # of the class; but never fewer than
FEWEST = 30  # students
KNOWN = 0.1  # what a fingerprint of the course's solution weighs, of what it would weigh otherwise
MOST_PAIRS = 200
SECONDS = 10.0  # of CPU time for one submission
FILE_BYTES = 1 << 20
CHUNK = 4_000_000  # pairs that are added up at a time

Array: TypeAlias = NDArray[Any]
Sources: TypeAlias = "Mapping[str, str | bytes]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One function that two students have in common: `module.function`, how much of it, and the lines of each."""

    name: str
    share: float
    first: tuple[int, int]
    second: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two students whose code is alike. `score` is from 0 to 1, `evidence` the weight of all that they share.

    `where` is the module in which the score was reached, empty for all of it together.
    """

    first: str
    second: str
    score: float
    evidence: float
    where: str
    matches: tuple[Match, ...]

    @property
    def is_striking(self) -> bool:
        """Whether somebody should read both."""
        return self.score >= THRESHOLD

    @property
    def says(self) -> str:
        """Where they are alike, in one line."""
        shown = [
            f"{match.name} ({match.first[0]}–{match.first[1]}, {match.second[0]}–{match.second[1]})"
            for match in self.matches
        ]
        more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
        return f"{self.where or 'everything'}: {', '.join(shown[:5])}{more}"


@dataclass(frozen=True, slots=True)
class Student:
    """What one student wrote."""

    name: str
    units: tuple[Unit, ...]

    def rows(self) -> Iterator[tuple[str, Array]]:
        """The fingerprints of each unit, under the module's name."""
        for unit in self.units:
            yield unit.module, np.array(unit.hashes, np.int64)


def compare(submissions: Mapping[str, Sources], package: str = "tinytorch", processes: int = 0) -> list[Pair]:
    """The pairs of a class that have something in common beyond the usual, the most alike first.

    `submissions` are the files of each student by their names within the package. What cannot be read is like nothing.
    """
    return ranked(read(submissions, package, processes))


# ---- reading ---------------------------------------------------------------------------------------------


def read(submissions: Mapping[str, Sources], package: str = "tinytorch", processes: int = 0) -> list[Student]:
    """What each student wrote, read by several processes at once."""
    names = sorted(submissions)
    count = min(processes or os.cpu_count() or 1, len(names)) or 1
    with ThreadPoolExecutor(count) as pool:
        parts = pool.map(lambda part: list(_read(part, submissions, package)), [names[n::count] for n in range(count)])
    return sorted((student for part in parts for student in part), key=lambda student: student.name)


def _read(names: Sequence[str], submissions: Mapping[str, Sources], package: str) -> Iterator[Student]:
    with Reader() as reader:
        for name in names:
            yield Student(name, tuple(_units(reader, package, submissions[name])))


def _units(reader: Reader, package: str, sources: Sources) -> Iterator[Unit]:
    """The units of one student: all files at once, or one after another where one ends the reader."""
    files = {name: text.encode("utf-8", "replace") if isinstance(text, str) else text for name, text in sources.items()}
    files = {name: text for name, text in files.items() if len(text) <= FILE_BYTES}
    try:
        told = reader.ask("fingerprints", package, files, SECONDS)
    except Unreadable:
        told = []
        for name, text in files.items():
            try:
                told += reader.ask("fingerprints", package, {name: text}, SECONDS / 10)
            except Unreadable:
                continue
    yield from (Unit(*unit) for unit in told)


# ---- weights ---------------------------------------------------------------------------------------------


def ranked(students: Sequence[Student]) -> list[Pair]:
    """The pairs of students who were read already, the most alike first."""
    table = Table.of(students)
    best: dict[tuple[int, int], Best] = {}
    for where in ("", *table.names):
        for pair, score, evidence in table.scores(where):
            if pair not in best or score > best[pair].score:
                best[pair] = Best(score, evidence, where)
    order = sorted(best, key=lambda pair: (-best[pair].score, -best[pair].evidence, pair))[:MOST_PAIRS]
    weights = table.weights() if order else {}
    return [_pair((students[pair[0]], students[pair[1]]), weights, best[pair]) for pair in order]


@dataclass(frozen=True, slots=True)
class Best:
    """The highest score of a pair, and where it was reached (empty for all modules together)."""

    score: float
    evidence: float
    where: str


@dataclass(frozen=True, slots=True)
class Table:
    """The fingerprints of a class: a row for each hash that a student has in a module, ordered by hash and student.

    `who` and `module` are numbers, `weight` is what the hash weighs, `shared` whether it counts for a pair.
    """

    names: tuple[str, ...]
    who: Array
    module: Array
    value: Array
    weight: Array
    shared: Array

    @classmethod
    def of(cls, students: Sequence[Student]) -> Table:
        """The table of a class; what the course gave is not in it."""
        names = tuple(sorted({unit.module for student in students for unit in student.units}))
        number = {name: place for place, name in enumerate(names)}
        found = [(who, number[name], hashes) for who, student in enumerate(students) for name, hashes in student.rows()]
        value = np.concatenate([np.zeros(0, np.int64), *(hashes for _, _, hashes in found)])
        sizes = [len(hashes) for _, _, hashes in found]
        who = np.repeat(np.array([one[0] for one in found], np.int64), sizes)
        module = np.repeat(np.array([one[1] for one in found], np.int64), sizes)
        keep = ~np.isin(value, _known("given"))
        order = np.lexsort((module[keep], who[keep], value[keep]))
        value, who, module = value[keep][order], who[keep][order], module[keep][order]
        once = _new(value, who, module)
        value, who, module = value[once], who[once], module[once]
        weight, shared = _weights(value, who, len(students))
        return cls(names, who, module, value, weight, shared)

    def scores(self, where: str) -> Iterator[tuple[tuple[int, int], float, float]]:
        """Pairs of students with score and evidence, in one module or (empty) over all."""
        chosen = self.module == self.names.index(where) if where else _new(self.value, self.who)
        who, value, weight, shared = (column[chosen] for column in (self.who, self.value, self.weight, self.shared))
        if not len(who):
            return
        students = int(who.max()) + 1
        totals = np.bincount(who, weight, students)
        keys, sums = _pair_sums(who[shared], value[shared], weight[shared], students)
        first, second = np.divmod(keys, students)
        lighter = np.minimum(totals[first], totals[second])
        for row in np.flatnonzero(sums >= EVIDENCE):
            yield (int(first[row]), int(second[row])), float(min(sums[row] / lighter[row], 1.0)), float(sums[row])

    def weights(self) -> dict[int, float]:
        """What each hash weighs."""
        return dict(zip(self.value.tolist(), self.weight.tolist(), strict=True))


def _known(of: str) -> Array:
    return np.array(sorted(stubs.hashes(of)), np.int64)


def _new(*columns: Array) -> Array:
    """Whether each of some ordered rows is another one than the row before it."""
    is_new = np.ones(len(columns[0]), bool)
    is_new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return is_new


def _weights(value: Array, who: Array, students: int) -> tuple[Array, Array]:
    """What each row weighs, and whether it counts for a pair.

    A hash weighs 1 where two have it, less the more have it, little where the course's solution has it, and nothing
    where it is common.
    """
    hashes, place = np.unique(value, return_inverse=True)
    counts = np.bincount(place[_new(value, who)], minlength=len(hashes))
    weights = np.log((students + BACKGROUND) / np.maximum(counts, 2)) / math.log((students + BACKGROUND) / 2)
    weights *= np.where(np.isin(hashes, _known("solutions")), KNOWN, 1.0)
    is_common = counts > max(FEWEST, COMMON * students)
    weights[is_common] = 0
    return weights[place], ((counts > 1) & ~is_common)[place]


def _pair_sums(who: Array, value: Array, weight: Array, students: int) -> tuple[Array, Array]:
    """The weight that each pair shares: keys `first * students + second`, and sums.

    Rows come sorted by hash and student. Hashes that equally many students have are laid out as one matrix, so that
    their pairs are columns.
    """
    starts = np.flatnonzero(np.r_[True, value[1:] != value[:-1]]) if len(value) else np.zeros(0, np.int64)
    counts = np.diff(np.r_[starts, len(value)])
    sums: tuple[Array, Array] = (np.zeros(0, np.int64), np.zeros(0))
    keys: list[Array] = []
    weights: list[Array] = []
    for count in np.unique(counts[counts > 1]):
        left, right = np.triu_indices(count, 1)
        rows = starts[counts == count]
        for part in np.array_split(rows, max(1, len(rows) * len(left) // CHUNK)):
            table = who[part[:, None] + np.arange(count)]
            keys.append((table[:, left] * students + table[:, right]).ravel())
            weights.append(np.repeat(weight[part], len(left)))
            if sum(map(len, keys)) > CHUNK:
                sums = _added(sums, keys, weights)
                keys, weights = [], []
    return _added(sums, keys, weights)


def _added(sums: tuple[Array, Array], keys: list[Array], weights: list[Array]) -> tuple[Array, Array]:
    """Sums by key, with more of them."""
    every, places = np.unique(np.concatenate([sums[0], *keys]), return_inverse=True)
    return every, np.bincount(places, np.concatenate([sums[1], *weights]), len(every))


# ---- what a pair shares ----------------------------------------------------------------------------------


def _pair(students: tuple[Student, Student], weights: Mapping[int, float], found: Best) -> Pair:
    """A pair with the functions that it shares, those that weigh most first."""
    first, second = students
    matches = sorted(_matches(first, second, weights, found.where), key=lambda one: (-one[0], one[1].name))
    return Pair(
        first=first.name,
        second=second.name,
        score=round(found.score, 3),
        evidence=round(found.evidence, 1),
        where=found.where,
        matches=tuple(match for _, match in matches),
    )


def _matches(
    first: Student, second: Student, weights: Mapping[int, float], where: str
) -> Iterator[tuple[float, Match]]:
    """The functions of the first that the second has too, wherever it stands there, with the weight that they share."""
    holders = _holders(second)
    for unit in first.units:
        if where and unit.module != where:
            continue
        mine = {value: line for value, line in zip(unit.hashes, unit.lines, strict=True) if weights.get(value)}
        near = sorted({place for value in mine.keys() & holders.keys() for place in holders[value]})
        weight, both, theirs = _closest(mine, [second.units[place] for place in near], weights)
        if weight >= FEW:
            here, there = [mine[value] for value in both], [theirs[value] for value in both]
            yield (
                weight,
                Match(
                    name=f"{unit.module}.{unit.name}".rstrip("."),
                    share=round(weight / sum(weights[value] for value in mine), 3),
                    first=(min(here), max(here)),
                    second=(min(there), max(there)),
                ),
            )


def _holders(student: Student) -> Mapping[int, set[int]]:
    """Which of a student's functions have a fingerprint, by their places."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for place, unit in enumerate(student.units):
        for value in unit.hashes:
            found[value].add(place)
    return found


def _closest(
    mine: Mapping[int, int], units: Iterable[Unit], weights: Mapping[int, float]
) -> tuple[float, list[int], dict[int, int]]:
    """The function that shares most with one of the first: the weight, what is shared, and its lines."""
    best: tuple[float, list[int], dict[int, int]] = (0.0, [], {})
    for unit in units:
        both = [value for value in unit.hashes if value in mine]
        weight = sum(weights[value] for value in set(both))
        if weight > best[0]:
            best = (weight, both, dict(zip(unit.hashes, unit.lines, strict=True)))
    return best
