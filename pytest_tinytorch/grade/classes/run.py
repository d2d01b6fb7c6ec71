"""A class, graded: what is still to do, in which order, and what is kept of it.

First every submission is identified by its content. Then one of each content is graded, and at last its checks are put
down for the others of the same content, each with its own repository and integrity findings.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from ..assignment import Assignment
from .engines import Begun, Call, Ended, Engine
from .roster import Entry
from .store import Store

GRACE = 120.0  # seconds beyond an assignment's own limits, in which a submission is fetched and a grade put together
FETCH_LIMIT = 600.0
MISSING = "no submission: {} names no source"
MODULE = f"{__package__}.work"


class Board(Protocol):
    """Who is told how the run goes on."""

    def phase(self, name: str, total: int) -> None:
        """Something begins that is done for so many."""

    def begun(self, student: str) -> None:
        """A process works for this student."""

    def ended(self, student: str, grade: Mapping[str, Any] | None = None) -> None:
        """And no longer; with the grade that came of it, where it was grading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRun:
    """One run of one folder. `module` has the functions of work.py."""

    store: Store
    assignment: Assignment
    engine: Engine
    board: Board
    module: str = MODULE

    def grade(self, entries: Iterable[Entry], *, update: bool = False) -> None:
        """Grade what is not graded yet.

        With `update`, look at everything once more, and grade again what has changed or could not be graded.
        """
        wanted = [entry for entry in entries if update or not self.store.has(entry)]
        for entry in wanted:
            if not entry.source:
                self._keep(entry, self._blank(entry, MISSING.format(entry.where)))
        there = [entry for entry in wanted if entry.source]
        digests = self._identify(there)
        to_do = [entry for entry in there if not self._stands(entry, digests[entry.student])]
        alone, others = self._sorted_out(to_do, digests)
        self._work("grading", alone, {})
        self._work("the same as another's", list(others), others)

    # ---- what is to be done

    def _identify(self, entries: list[Entry]) -> dict[str, str]:
        """The digest of each submission, by student; empty where that could not be found out."""
        found = dict.fromkeys((entry.student for entry in entries), "")
        calls = (self._call(entry, "identify", FETCH_LIMIT) for entry in entries)
        for ended in self._events("reading", len(entries), calls):
            if ended.answer:
                self.store.keep_source(ended.answer["digest"], ended.answer["files"])
                found[ended.key] = ended.answer["digest"]
            self.board.ended(ended.key)
        return found

    def _stands(self, entry: Entry, digest: str) -> bool:
        """Whether the grade that is kept is of just this content, or of a submission that cannot be had any more."""
        if not self.store.has(entry):
            return False
        line = self.store.lines[entry.student]
        return bool(line.digest) and (not digest or (line.digest == digest and not line.trouble))

    def _sorted_out(self, entries: list[Entry], digests: dict[str, str]) -> tuple[list[Entry], dict[Entry, str]]:
        """Those to grade, and those whose content another student's grade is of, with that student."""
        again = {entry.student for entry in entries}
        owners = {
            line.digest: student
            for student, line in sorted(self.store.lines.items(), reverse=True)
            if student not in again and not line.trouble
        }
        alone, others = list[Entry](), dict[Entry, str]()
        for entry in entries:
            digest = digests[entry.student]
            owner = owners.setdefault(digest, entry.student) if digest else entry.student
            if owner == entry.student:
                alone.append(entry)
            else:
                others[entry] = owner
        return alone, others

    # ---- doing it

    def _work(self, phase: str, entries: list[Entry], owners: Mapping[Entry, str]) -> None:
        """Grade the entries and keep each grade as soon as it is there."""
        by_name = {entry.student: entry for entry in entries}
        limit = self.assignment.total_limit + self.assignment.time_limit + GRACE
        calls = (self._call(entry, "grade", limit, owners.get(entry)) for entry in entries)
        for ended in self._events(phase, len(entries), calls):
            entry = by_name[ended.key]
            if ended.failure:
                self.store.note_fault(entry.student, ended.failure, ended.trace)
            self._keep(entry, self._blank(entry, ended.failure) if ended.failure else ended.answer)

    def _events(self, phase: str, total: int, calls: Iterator[Call]) -> Iterator[Ended]:
        """What ends; what begins is told to the board."""
        if not total:
            return
        self.board.phase(phase, total)
        with closing(self.engine.run(calls)) as events:
            for event in events:
                if isinstance(event, Begun):
                    self.board.begun(event.key)
                else:
                    yield event

    def _keep(self, entry: Entry, grade: dict[str, Any]) -> None:
        self.store.append(entry, grade)
        self.board.ended(entry.student, grade)

    def _call(self, entry: Entry, operation: str, limit: float, owner: str | None = None) -> Call:
        known = {"known": self.store.read(owner)} if owner else {}
        job = self._job(entry) | known
        return Call(key=entry.student, module=self.module, operation=operation, job=job, limit=limit)

    def _job(self, entry: Entry) -> dict[str, Any]:
        run = self.store.run
        return {
            "student": entry.student,
            "source": entry.source,
            "ref": entry.ref,
            "at": run.at,
            "seed": run.seed,
            "assignment": asdict(self.assignment),
        }

    def _blank(self, entry: Entry, trouble: str) -> dict[str, Any]:
        """The grade of a submission that no check was run on."""
        blank: dict[str, Any] = importlib.import_module(self.module).blank(self._job(entry), trouble)
        return blank
