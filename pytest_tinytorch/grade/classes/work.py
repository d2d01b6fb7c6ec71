"""What is done with one submission, as functions of plain values: a worker calls them by name.

A job is a dict: `student`, `source`, `ref`, `at`, `seed`, `assignment` and, where a submission of the same content has
been graded, `known`, its grade.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import __version__
from .. import judge
from ..assignment import Assignment
from ..result import Grade, Timing
from ..submission import Submission, SubmissionError, fetch, without_password
from ..task import Task
from ..task import grade as grade_task

OF_THE_CODE = ("attack",)  # kinds of findings that come of the checks, and go with the content


def identify(job: dict[str, Any]) -> dict[str, Any] | None:
    """What would be graded: its files and their digest; nothing where there is nothing to grade."""
    task = _task(job)
    with tempfile.TemporaryDirectory(prefix="tinytorch-class-", ignore_cleanup_errors=True) as folder:
        found = _fetched(task, Path(folder))
        if found is None:
            return None
        files = {name: (found.folder / name).read_bytes().decode("utf-8", "surrogateescape") for name in found.files}
    return {"digest": found.digest, "files": files}


def grade(job: dict[str, Any]) -> dict[str, Any]:
    """The grade: of the checks, or, where the same content was graded, of those with this submission's own data."""
    task = _task(job)
    known = Grade.from_dict(job["known"]) if job.get("known") else None
    adopted = _adopted(task, known) if known else None
    return (adopted or grade_task(task)).as_dict()


def blank(job: dict[str, Any], trouble: str) -> dict[str, Any]:
    """The grade of a submission that could not be graded: nothing is earned, and each check says why."""
    task = _task(job)
    return Grade(
        student=task.student,
        source=without_password(task.source),
        digest="",
        version=__version__,
        track=task.assignment.track,
        seed=task.seed,
        checkpoints=tuple(
            replace(part, checks=tuple(replace(check, cause=trouble) for check in part.checks))
            for part in judge.expected(task.assignment)
        ),
        milestones=tuple(replace(part, cause=trouble) for part in judge.expected_milestones(task.assignment)),
        trouble=trouble,
    ).as_dict()


def _task(job: dict[str, Any]) -> Task:
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in job["assignment"].items()
    }
    names = ("student", "source", "ref", "at", "seed")
    return Task(assignment=Assignment(**said), **{name: job[name] for name in names})


def _fetched(task: Task, folder: Path) -> Submission | None:
    try:
        return fetch(task.source, task.assignment.package, folder / "course", task.ref, task.at)
    except SubmissionError:
        return None


def _adopted(task: Task, known: Grade) -> Grade | None:
    """The checks of a grade of the same content, beside what is this submission's own; None where it has another."""
    with tempfile.TemporaryDirectory(prefix="tinytorch-class-", ignore_cleanup_errors=True) as folder:
        found = _fetched(task, Path(folder))
    if found is None or found.digest != known.digest:
        return None
    attacks = tuple(one for one in known.integrity if one.kind in OF_THE_CODE)
    return replace(
        known,
        student=task.student,
        source=without_password(task.source),
        integrity=(*found.integrity, *attacks),
        notes=found.notes,
        commit=found.commit,
        committed=found.committed,
        timing=Timing(),
    )
