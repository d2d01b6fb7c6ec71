"""The report as JSON, for other programs. `schema.json` beside this file describes it."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..outcome import Outcome
from .summary import next_step, state_of, status_of

if TYPE_CHECKING:
    from pathlib import Path

    from ..course import Milestone, Module
    from ..outcome import Run

SCHEMA_VERSION = 1  # raised when a field changes its meaning or goes; a new field does not raise it


def as_dict(run: Run) -> dict[str, Any]:
    """Everything that a run found out, in plain types."""
    step = next_step(run)
    members = {m.number: m for m in (*run.track.provided, *run.track.modules)}
    return {
        "schema_version": SCHEMA_VERSION,
        "track": run.track.name,
        "mode": run.mode,
        "hardening": run.hardening,
        "package": run.package,
        "seed": run.seed,
        "summary": _summary(run),
        "checkpoints": [_checkpoint(run, members[number]) for number in sorted(members)],
        "milestones": [_milestone(run, milestone) for milestone in run.track.milestones],
        "results": [result.as_dict() for result in run.results],
        "milestone_results": [result.as_dict() for result in run.milestones],
        "hint": run.hint and {"exercise": run.hint.exercise, "level": run.hint.level, "text": run.hint.text},
        "next": {"text": step.text, "command": step.command},
    }


def _summary(run: Run) -> dict[str, Any]:
    counts = Counter(result.outcome for result in run.results)
    right = (result.points for result in run.results if result.outcome is Outcome.PASSED)
    return {
        "checks": len(run.results),
        "outcomes": {outcome.value: counts[outcome] for outcome in Outcome},
        "points": sum(right),
        "points_possible": sum(result.points for result in run.results),
    }


def _checkpoint(run: Run, module: Module) -> dict[str, Any]:
    state = state_of(run, module)
    return {
        "number": module.number,
        "name": module.name,
        "capability": module.capability,
        "tier": module.tier,
        "stars": module.stars,
        "hours": list(module.hours),
        "status": status_of(run, module).value,
        "passed": state.passed,
        "total": state.total,
        "points": state.points,
        "points_possible": module.points,
        "when": state.when,
    }


def _milestone(run: Run, milestone: Milestone) -> dict[str, Any]:
    return {
        "number": milestone.number,
        "year": milestone.year,
        "name": milestone.name,
        "claim": milestone.claim,
        "built": milestone.built,
        "unlocked": run.is_unlocked(milestone),
        "reached": run.reached.get(milestone.number),
    }


def render(run: Run) -> str:
    """The report as text."""
    return json.dumps(as_dict(run), ensure_ascii=False, indent=2) + "\n"


def write(run: Run, path: Path) -> None:
    """Write the report; what UTF-8 cannot hold becomes an escape that JSON reads back."""
    path.write_text(render(run), encoding="utf-8", errors="backslashreplace")


def schema() -> dict[str, Any]:
    """The JSON schema of the report."""
    found: dict[str, Any] = json.loads(files(__package__).joinpath("schema.json").read_text(encoding="utf-8"))
    return found
