"""One submission in, one grade out: what the command line, a class and a cluster call."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .. import __version__
from ..outcome import MilestoneResult, Result
from . import court, judge
from .assignment import Assignment
from .integrity import screen
from .result import NOT_RUN, Grade, GradedCheck, GradedCheckpoint, GradedMilestone, Timing
from .submission import Submission, SubmissionError, fetch, without_password

NOT_HEARD = "nothing was heard of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A submission to grade: plain data, so that it travels to another process or machine.

    `student` is a name for gradebooks, `source` a folder, an archive or a repository, `ref` a branch, tag or commit of
    a repository, `at` the time whose last commit counts. `seed` decides the inputs.
    """

    student: str
    source: str
    assignment: Assignment
    seed: int
    ref: str = ""
    at: str = ""


def grade(task: Task) -> Grade:
    """What the submission is worth. Nothing in it makes this fail: what cannot be graded has earned nothing."""
    began = time.perf_counter()
    with _workplace() as folder:
        try:
            submission = _fetched(task, folder)
        except SubmissionError as error:
            return ungraded(task, str(error))
        found = _graded(task, submission, folder)
    seconds = time.perf_counter() - began
    return replace(found, timing=replace(found.timing, seconds=round(seconds, 3)))


def adopted(task: Task, known: Grade) -> Grade | None:
    """The checks of another submission's grade, where this one holds the same files; None where it does not."""
    with _workplace() as folder:
        try:
            submission = _fetched(task, folder)
        except SubmissionError:
            return None
        if submission.digest != known.digest:
            return None
        frame = _frame(task, submission)
    return replace(
        frame,
        checkpoints=tuple(_dated(part, frame.committed) for part in known.checkpoints),
        milestones=known.milestones,
        hardening=known.hardening,
        trouble=known.trouble,
    )


def ungraded(task: Task, trouble: str) -> Grade:
    """The grade of a submission of which nothing was run; every check says why."""
    return Grade(
        student=task.student,
        source=without_password(task.source),
        digest="",
        version=__version__,
        track=task.assignment.track,
        seed=task.seed,
        checkpoints=tuple(_laid_over(part, {}, trouble) for part in judge.expected(task.assignment)),
        milestones=tuple(replace(one, cause=trouble) for one in judge.expected_milestones(task.assignment)),
        trouble=trouble,
    )


def was_graded(found: Grade) -> bool:
    """Whether any check or milestone ran."""
    return any(check.outcome != NOT_RUN for part in found.checkpoints for check in part.checks) or any(
        milestone.outcome != NOT_RUN for milestone in found.milestones
    )


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder for everything that is written on the way; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="tinytorch-grade-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


def _fetched(task: Task, folder: Path) -> Submission:
    return fetch(task.source, task.assignment.package, folder / "course", task.ref, task.at)


def _graded(task: Task, submission: Submission, folder: Path) -> Grade:
    frame = _frame(task, submission)
    scratch = folder / "scratch"
    scratch.mkdir()
    heard = court.hear(_order(task, submission), scratch)
    why = heard.trouble or NOT_HEARD
    return replace(
        frame,
        checkpoints=tuple(_dated(_laid_over(part, heard.checks, why), frame.committed) for part in frame.checkpoints),
        milestones=tuple(_reached(one, heard.milestones.get(one.year), why) for one in frame.milestones),
        hardening=heard.hardening,
        trouble=heard.trouble,
        timing=Timing(checks={_timed(result): round(result.seconds, 3) for result in heard.checks.values()}),
    )


def _frame(task: Task, submission: Submission) -> Grade:
    """The grade before anything was run: where the submission comes from, and what there is to say of its files."""
    package = task.assignment.package
    files = {name: (submission.folder / name).read_bytes() for name in submission.files}
    return replace(
        ungraded(task, ""),
        digest=submission.digest,
        integrity=(*submission.integrity, *screen(submission.root, package, files, task.assignment)),
        notes=submission.notes,
        commit=submission.commit,
        committed=submission.committed,
    )


def _order(task: Task, submission: Submission) -> judge.Order:
    wanted = task.assignment
    return judge.Order(
        root=str(submission.folder.parent),
        package=wanted.package,
        checkpoints=tuple(module.number for module in wanted.modules),
        milestones=wanted.milestones,
        provided=wanted.provided,
        seed=task.seed,
        time_limit=wanted.time_limit,
        total_limit=wanted.total_limit,
    )


def _timed(result: Result) -> str:
    return f"{result.module}::{result.name}"


def _laid_over(part: GradedCheckpoint, results: dict[str, Result], why: str) -> GradedCheckpoint:
    """The expected checks with what was heard of each; `why` one was not heard of."""
    file = f"checkpoint-{part.label.replace(' ', '-')}"  # collection.node_id of the module
    checks = tuple(_with(check, results.get(f"{file}::test_{check.name}"), why) for check in part.checks)
    return replace(part, checks=checks)


def _dated(part: GradedCheckpoint, committed: str) -> GradedCheckpoint:
    """The checkpoint with a word where its commit came after it was due."""
    part = replace(part, late="")
    if not part.due or not committed:
        return part
    over = datetime.datetime.fromisoformat(committed.replace("Z", "+00:00")) - datetime.datetime.fromisoformat(part.due)
    if over <= datetime.timedelta():
        return part
    return replace(part, late=f"committed {committed}, {_duration(over)} after it was due")


def _duration(time: datetime.timedelta) -> str:
    """`2 days 3 hours`, `5 hours 10 minutes`, `1 minute`."""
    minutes = max(1, int(time.total_seconds()) // 60)
    amounts = {"day": minutes // 1440, "hour": minutes // 60 % 24, "minute": minutes % 60}
    words = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in amounts.items() if count]
    return " ".join(words[:2])


def _with(check: GradedCheck, result: Result | None, why: str) -> GradedCheck:
    if result is None:
        return replace(check, cause=why)
    return replace(
        check,
        outcome=result.outcome.value,
        cause=result.cause,
        where=result.where,
        finding=result.finding,
        output=result.output,
    )


def _reached(expected: GradedMilestone, found: MilestoneResult | None, why: str) -> GradedMilestone:
    if found is None:
        return replace(expected, cause=why)
    cause = found.cause or (found.finding.got if found.finding else "")
    return replace(expected, outcome=found.outcome.value, claims=found.claims, cause=cause)
