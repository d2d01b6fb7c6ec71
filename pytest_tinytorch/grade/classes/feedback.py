"""What each student gets to read: one file of Markdown, which names nobody else."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from ...reports.markdown import inline
from ..outputs import summary
from ..outputs.words import line
from ..result import Grade

LONGEST = 60
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices, on Windows


def render(grade: Grade, assignment: str) -> str:
    """The feedback as text."""
    head = f"**{inline(line(grade.student))}** · {inline(line(assignment))}"
    return f"{head}\n\n{summary.render(grade)}"


def names(students: Iterable[str]) -> dict[str, str]:
    """A file name for each student that every system takes: `ann` stays, others get a part of their hash.

    No two are the same, on a disk that does not tell capitals from small letters either.
    """
    ordered = sorted(students)
    plain = {student: _plain(student) for student in ordered}
    often = Counter(name.casefold() for name in plain.values())
    found: dict[str, str] = {}
    taken = set[str]()
    for student in sorted(ordered, key=lambda one: (not _keeps(one, plain[one], often), one)):
        name = plain[student]
        if not _keeps(student, name, often):
            name = f"{name}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        found[student] = f"{name}.md"
    return found


def _keeps(student: str, name: str, often: Counter[str]) -> bool:
    return student == name and often[name.casefold()] == 1


def _plain(student: str) -> str:
    """Letters, digits and `-_.` of the name."""
    composed = unicodedata.normalize("NFC", student)
    name = re.sub(r"[^\w.-]+", "_", composed).strip("._ ") or "student"
    while len(name.encode("utf-8", "ignore")) > 3 * LONGEST or len(name) > LONGEST:
        name = name[:-1]
    return f"_{name}" if RESERVED.fullmatch(name) else name
