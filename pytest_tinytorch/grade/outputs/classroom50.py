"""Classroom 50's `result.json`. Who submitted what is in the environment of its runner, and nowhere in a grade.

A test is an exercise: its runner makes a table of them for the student.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ...reports.text import listed
from ..result import GradedMilestone
from .errors import OutputError
from .json import dumps
from .words import block, exercises, line, told

if TYPE_CHECKING:
    from ..result import Grade, GradedCheckpoint

SCHEMA = "classroom50/result/v1"
FIELDS = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "assignment_type": "ASSIGNMENT_TYPE",
    "owner": "OWNER",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
}


def render(grade: Grade, environ: Mapping[str, str] = os.environ) -> str:
    """The result; who submitted is taken from the environment."""
    whole = {
        "schema": SCHEMA,
        **identity(environ),
        "datetime": _instant(grade.committed),
        "graded_at": _instant(""),
        "score": grade.score,
        "max-score": grade.max_score,
        "tests": [test for part in grade.parts() for test in _tests(part)],
    }
    return dumps(whole)


def identity(environ: Mapping[str, str]) -> dict[str, str]:
    """Who submitted what, as Classroom 50's runner tells its autograder.

    Raises:
        OutputError: the environment is not that of Classroom 50's runner.
    """
    missing = [name for name in FIELDS.values() if not environ.get(name)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise OutputError(f"{listed(missing)} {verb} not set, as Classroom 50's runner does for its autograder")
    if not environ["SUBMISSION_TAG"].startswith("submit/"):
        raise OutputError(f"SUBMISSION_TAG is {environ['SUBMISSION_TAG']!r} and does not begin with submit/")
    told = {field: environ[name] for field, name in FIELDS.items()}
    return told | {"review": environ.get("REVIEW_URL") or told["commit"]}


def _instant(when: str) -> str:
    """A time of ISO 8601 in UTC; now, where there is none."""
    try:
        moment = datetime.fromisoformat(when.replace("Z", "+00:00"))
    except ValueError:
        moment = datetime.now(timezone.utc)
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return zoned.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tests(part: GradedCheckpoint | GradedMilestone) -> Iterator[dict[str, Any]]:
    if isinstance(part, GradedMilestone):
        yield _test(part.label, part.passed, part.score, part.max_score, part.message())
        return
    for exercise in exercises(part):
        said = "\n\n".join(block(told(check), 500) for check in exercise.checks if not check.passed)
        yield _test(f"{part.label} · {exercise.name}", exercise.passed, exercise.score, exercise.max_score, said)


def _test(name: str, passed: bool, score: int, most: int, message: str) -> dict[str, Any]:
    """One row of its table."""
    test = {"test-name": _name(name), "passed": passed, "score": score, "max-score": most}
    return test | ({"message": block(message)} if message else {})


def _name(text: str) -> str:
    """A name for a table of Markdown, where `<tag>` and `@somebody` would mean something."""
    return re.sub(r"([<@])(?=[\w/!?])", r"\1 ", line(text)) or "unnamed"
