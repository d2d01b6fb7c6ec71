"""What is done with one submission, as functions of plain values: a worker calls them by name.

A job is a dict: `student`, `source`, `ref`, `at`, `seed`, `assignment` and, where a submission of the same content has
been graded, `known`, its grade.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .. import task
from ..assignment import Assignment
from ..result import Grade
from ..submission import SubmissionError, fetch


def identify(job: dict[str, Any]) -> dict[str, Any] | None:
    """What would be graded: its files and their digest; nothing where there is nothing to grade."""
    package = job["assignment"]["package"]
    with tempfile.TemporaryDirectory(prefix="tinytorch-class-", ignore_cleanup_errors=True) as folder:
        try:
            found = fetch(job["source"], package, Path(folder).resolve() / "course", job["ref"], job["at"])
        except SubmissionError:
            return None
        files = {name: (found.folder / name).read_bytes().decode("utf-8", "surrogateescape") for name in found.files}
    return {"digest": found.digest, "files": files}


def grade(job: dict[str, Any]) -> dict[str, Any]:
    """The grade: of the checks, or, where the same content was graded, of those with this submission's own data."""
    wanted = _task(job)
    known = job.get("known")
    adopted = task.adopted(wanted, Grade.from_dict(known)) if known else None
    return (adopted or task.grade(wanted)).as_dict()


def blank(job: dict[str, Any], trouble: str) -> dict[str, Any]:
    """The grade of a submission that could not be graded: nothing is earned, and each check says why."""
    return task.ungraded(_task(job), trouble).as_dict()


def _task(job: dict[str, Any]) -> task.Task:
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in job["assignment"].items()
    }
    names = ("student", "source", "ref", "at", "seed")
    return task.Task(assignment=Assignment(**said), **{name: job[name] for name in names})
