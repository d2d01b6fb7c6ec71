"""GitHub Classroom's runners: a line `autograd=BASE64` for each checkpoint, `milestone1986=BASE64` for each milestone.

The lines are outputs of a workflow step. The reporter action is given each as `AUTOGRAD_RESULTS` and works out points
twice: its table takes the share of a runner's items that passed, its notice the sum of their scores. Both come to the
same where the items of a runner are worth the same. So a check that is worth three points is three items of one point;
only the first has something to say. What divides all the points of a runner is an item's worth, so that weights make
no more items.
"""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

from ..result import NOT_RUN, GradedCheckpoint, GradedMilestone
from .errors import OutputError
from .words import block, called, line, quiet, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..result import Grade, GradedCheck

VERSION = 3
RUNNER_BYTES = 90_000  # as base64 it must fit in one environment variable: 128 KiB on Linux
TOTAL_BYTES = 1_200_000  # and all of them in a process's environment: 2 MiB
SHORTER = (2000, 500, 120, 0)  # how much a message may say, until the runner is small enough

NOTHING = {  # for a part without checks: the reporter divides by the number of items
    "name": "nothing is checked here",
    "status": "pass",
    "score": 0,
    "test_code": "",
    "filename": "",
    "line_no": 0,
    "duration": 0,
}

Part = GradedCheckpoint | GradedMilestone


def render(grade: Grade) -> str:
    """Lines for $GITHUB_OUTPUT."""
    lines = [f"{runner_id(part)}={base64.b64encode(data).decode('ascii')}\n" for part, data in runners(grade)]
    return "".join(lines)


def runner_id(part: Part) -> str:
    """What the reporter's `runners:` calls it, in letters and digits alone, since its error messages ask for that."""
    if isinstance(part, GradedMilestone):
        return f"milestone{part.year}"
    fits = part.module.isascii() and part.module.isalnum() and part.module[0].isalpha()
    return part.module if fits else f"checkpoint{part.number:02}"


def runners(grade: Grade) -> Iterator[tuple[Part, bytes]]:
    """Each part with its runner's JSON.

    Raises:
        OutputError: a runner is too large even without a word.
    """
    parts = list(grade.parts())
    room = min(RUNNER_BYTES, TOTAL_BYTES // max(len(parts), 1))
    for part in parts:
        yield part, _fitted(grade, part, room)


def _fitted(grade: Grade, part: Part, room: int) -> bytes:
    """A runner's JSON with as much to say as there is room for; no item is ever left out."""
    data = b""
    for limit in SHORTER:
        data = json.dumps(runner(grade, part, limit), ensure_ascii=False, separators=(",", ":")).encode()
        if len(data) < room:
            return data
    if len(data) < RUNNER_BYTES:
        return data
    raise OutputError(f"{part.label} is worth {part.max_score:,} points, more than a runner can hold one by one")


def runner(grade: Grade, part: Part, limit: int = SHORTER[0]) -> dict[str, Any]:
    """One runner; messages have at most `limit` characters."""
    if isinstance(part, GradedMilestone):
        status = "error" if grade.trouble and part.outcome == NOT_RUN else "pass" if part.passed else "fail"
        items = [_milestone(part, status, limit)]
    else:
        items = _items(grade, part, limit)
        unheard = grade.trouble and any(check.outcome == NOT_RUN for check in part.checks)
        status = "error" if unheard else "pass" if part.score == part.max_score else "fail"
    return {"version": VERSION, "status": status, "max_score": part.max_score, "tests": items or [NOTHING]}


def _items(grade: Grade, part: GradedCheckpoint, limit: int) -> list[dict[str, Any]]:
    """A checkpoint's items, all worth the same; in a checkpoint that counts nothing, one for each check."""
    worth = math.gcd(*(check.points for check in part.checks))
    items = []
    for check in part.checks:
        status = "pass" if check.passed else "error" if grade.trouble and check.outcome == NOT_RUN else "fail"
        seconds = grade.timing.checks.get(f"{part.module}::{check.name}", 0)
        shares = _shares(check, check.points // worth if worth else 1, limit)
        score = worth if check.passed else 0
        items += [{"duration": 0, **item, "status": status, "score": score} for item in shares]
        if shares:
            items[-len(shares)]["duration"] = seconds
    return items


def _shares(check: GradedCheck, count: int, limit: int) -> list[dict[str, Any]]:
    """What a check's items say: the first all of it, those after it their name."""
    name = quiet(line(check.claim, max(limit, 40)))
    empty = {"name": "", "test_code": "", "filename": "", "line_no": 0}
    first: dict[str, Any] = empty | {"name": name}
    if check.where:
        first |= {"filename": line(check.where.file), "line_no": check.where.line}
    if limit and not check.passed:
        first |= {"message": quiet(block(told(check), limit)), "test_code": _code(check, limit)}
    rest = [empty | {"name": f"{name if limit else ''} ({n} of {count})".strip()} for n in range(2, count + 1)]
    return [first, *rest][:count]


def _milestone(part: GradedMilestone, status: str, limit: int) -> dict[str, Any]:
    message = quiet(block(part.message(), limit)) if limit else ""
    return {
        "name": quiet(line(part.label, max(limit, 40))),
        "status": status,
        "score": part.score,
        **({"message": message} if message else {}),
        "test_code": "\n".join([f"pytest --milestone {part.year}", *_comments(message)]) if message else "",
        "filename": "",
        "line_no": 0,
        "duration": 0,
    }


def _code(check: GradedCheck, limit: int) -> str:
    """What was called, to paste, and beneath it as comments what came of it: the reporter shows this of a failure."""
    found = check.finding
    code = called(found) if found else []
    rest = [text for text in told(check).split("\n") if text not in code]
    shown = [quiet(block("\n".join(code), limit))] if code else []
    return "\n".join([*shown, *_comments(quiet(block("\n".join(rest), limit)))])


def _comments(text: str) -> list[str]:
    return [f"# {said}" for said in text.split("\n") if said]
