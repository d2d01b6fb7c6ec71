"""Gradescope's `results.json`: a test for each exercise and each milestone.

A student sees one box for each test, a thousand of them if each were a check. An exercise is what a student works on:
its box says how many of its checks hold, then what is wrong. Everything is plain text, which Gradescope escapes.
Findings about integrity are for the instructor: they are in `extra_data`, since a hidden test would hide the total too.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...reports.text import count
from ..result import SCHEMA_VERSION, GradedMilestone
from .json import dumps
from .words import block, exercises, line, told

if TYPE_CHECKING:
    from ..result import Grade, GradedCheck, GradedCheckpoint
    from .words import Exercise

TEST = 20_000  # characters that one test may say
CHECK = 3_000


def render(grade: Grade) -> str:
    """The results."""
    tests = [test for part in grade.parts() for test in _tests(part)]
    done = sum(bool(part.checks) and part.passed == len(part.checks) for part in grade.checkpoints)
    reached = sum(milestone.passed for milestone in grade.milestones)
    results = {
        "score": grade.score,
        "execution_time": round(grade.timing.seconds),
        "output": _overview(grade),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "leaderboard": [
            {"name": "Points", "value": grade.score},
            {"name": "Checkpoints passed", "value": done},
            {"name": "Milestones reached", "value": reached},
        ],
        "extra_data": {
            "schema_version": SCHEMA_VERSION,
            **{name: getattr(grade, name) for name in ("version", "track", "seed", "digest", "commit", "trouble")},
            "max_score": grade.max_score,
            "integrity": [asdict(found) for found in grade.integrity],
        },
    }
    return dumps(results)


def _overview(grade: Grade) -> str:
    dates = [f"{part.label}: {said}" for part in grade.checkpoints for said in (part.due, part.late) if said]
    lines = [f"{grade.score} of {count(grade.max_score, 'point')}", grade.trouble, *grade.notes, *dates]
    return "\n".join(line(text, 500) for text in lines if text)


def _tests(part: GradedCheckpoint | GradedMilestone) -> list[dict[str, Any]]:
    if isinstance(part, GradedMilestone):
        output = block(part.message(), CHECK) or _claims(part)
        return [_test(part.label, str(part.year), part.score, part.max_score, part.passed, output, ["milestone"])]
    return [
        _test(
            f"{part.label} · {exercise.name}",
            f"{part.number}.{n}",
            exercise.score,
            exercise.max_score,
            exercise.passed,
            _told(exercise),
            [part.module],
        )
        for n, exercise in enumerate(exercises(part), 1)
    ]


def _test(name: str, number: str, score: int, most: int, passed: bool, output: str, tags: list[str]) -> dict[str, Any]:
    return {
        "name": line(name),
        "number": number,
        "score": score,
        "max_score": most,
        "status": "passed" if passed else "failed",
        "output": block(output, TEST),
        "output_format": "text",
        "tags": [line(tag) for tag in tags],
        "visibility": "visible",
    }


def _claims(part: GradedMilestone) -> str:
    return "\n".join(f"✓ {line(claim.what)}: {line(claim.reached)}" for claim in part.claims)


def _told(exercise: Exercise) -> str:
    """How many checks hold, what is wrong with the others, and what holds."""
    holds = [check for check in exercise.checks if check.passed]
    open_checks = [check for check in exercise.checks if not check.passed]
    parts = [f"{len(holds)} of {count(len(exercise.checks), 'check')} passed."]
    parts += [_failure(check) for check in open_checks]
    parts += ["\n".join(f"✓ {line(check.claim)}" for check in holds)] if holds else []
    return "\n\n".join(parts)


def _failure(check: GradedCheck) -> str:
    said = [f"✗ {_indented(block(told(check), CHECK))}"]
    printed = block(check.output.strip(), CHECK)
    said += ["  It printed:", f"  | {_indented(printed, '  | ')}"] if printed else []
    return "\n".join(said)


def _indented(text: str, by: str = "  ") -> str:
    return text.replace("\n", f"\n{by}")
