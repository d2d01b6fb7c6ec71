"""What a report says of one open check, before anybody lays it out.

A `Panel` is the failure message as plain data, in the order in which it is told: which claim, where, the call,
expected and yours, the likely mistake, and what to try next. The terminal, Markdown and HTML draw the same one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..course import CHECKPOINTS
from ..hints import ladder
from ..outcome import Finding, Outcome
from .text import count, listed

if TYPE_CHECKING:
    from ..course import Module
    from ..hints import Ladder
    from ..outcome import Hint, MilestoneResult, Place, Result, Run

LABELS = {
    Outcome.WRONG: "FAIL",
    Outcome.CRASHED: "CRASH",
    Outcome.TIMED_OUT: "STUCK",
    Outcome.UNWRITTEN: "TODO",
    Outcome.BLOCKED: "WAIT",
    Outcome.BROKEN: "BROKEN",
    Outcome.PASSED: "PASS",
    Outcome.NO_DATA: "DATA",
}
STUB = "This is a stub, not a mistake: its docstring is the exercise."
STUCK = "Your code did not come back in time and was stopped."
RAISED = re.compile(r"\w*(Error|Exception|Exit|Interrupt|Warning|Iteration)\b")
BROKEN = "The check itself broke, not your code. Please report it, with these lines and the seed {seed}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One open check, told in order.

    `aside` stands behind the place, `call` holds the definitions and then the call, `sides` are labelled blocks
    (`expected`, `yours`), `pointers` are labelled lines at the end; those in `COMMANDS` are commands.
    """

    label: str
    title: str
    place: str = ""
    aside: str = ""
    call: tuple[str, ...] = ()
    sides: tuple[tuple[str, str], ...] = ()
    difference: str = ""
    prose: str = ""
    trace: tuple[Place, ...] = ()
    mistake: str = ""
    pointers: tuple[tuple[str, str], ...] = ()


COMMANDS = {"This one", "Hint", "Next hint"}


def panel(run: Run, result: Result) -> Panel:
    """The panel of one open result."""
    if result.outcome is Outcome.UNWRITTEN:
        return _stub(run, result)
    found = result.finding or Finding()
    return Panel(
        label=LABELS[result.outcome],
        title=f"{result.number:02} {result.module}: {claim_of(result)}",
        place=str(result.where or ""),
        call=(*found.given, *([found.call] if found.call else [])),
        sides=_sides(result.outcome, found),
        difference=found.difference,
        prose=_prose(run, result),
        trace=found.trace,
        mistake=found.mistake,
        pointers=tuple(_pointers(run, result, found)),
    )


def is_import_failure(result: Result) -> bool:
    """Whether a file of the student's cannot even be imported, so that the check's own claim was never tried."""
    call = result.finding.call if result.finding else ""
    return result.outcome is Outcome.CRASHED and result.where is not None and call.startswith("import ")


def claim_of(result: Result) -> str:
    """The check's sentence; where a file does not import, that."""
    if is_import_failure(result) and result.where:
        return f"{result.where.file} does not import"
    return result.claim


def every_panel(run: Run) -> list[Panel]:
    """The panel of the first open result, then one for each further failure; stubs beside the first have none."""
    first = run.first
    told = [r for r in run.results if r is not first and (r.outcome.is_failure or r.outcome is Outcome.BROKEN)]
    told.sort(key=lambda r: r.number)
    return [panel(run, r) for r in ([first] if first else []) + told]


def waits_for(result: Result) -> str:
    """What an unwritten or blocked check waits for: `activations.softmax`, or a sentence."""
    return result.cause or f"{result.module}.{result.exercise or result.name}"


def is_reference(cause: str) -> bool:
    """Whether a cause names an exercise (`tensor.Tensor.sum`) and is no sentence."""
    return re.fullmatch(r"\w+(\.\w+)+", cause) is not None


def modules(run: Run) -> dict[str, Module]:
    """Every module that a report may name, by name; a track's own modules win."""
    return {module.name: module for module in (*CHECKPOINTS, *run.track.provided, *run.track.modules)}


def _stub(run: Run, result: Result) -> Panel:
    cause = waits_for(result)
    exercise = cause.partition(".")[2] if is_reference(cause) else cause
    waiting = sum(
        waits_for(other) == cause for other in run.results if other.outcome in {Outcome.UNWRITTEN, Outcome.BLOCKED}
    )
    return Panel(
        label=LABELS[Outcome.UNWRITTEN],
        title=f"{result.number:02} {result.module}: {exercise} is not written yet",
        place=str(result.where or ""),
        aside="1 check waits for it" if waiting == 1 else f"{waiting} checks wait for it",
        prose=STUB,
        pointers=tuple(_ways_in(run, result, cause)),
    )


def _ways_in(run: Run, result: Result, cause: str) -> list[tuple[str, str]]:
    """Where to begin with an exercise that is not written yet."""
    rungs = _rungs(run, cause)
    smaller = (result.finding and result.finding.smaller) or (rungs and rungs.smaller)
    ways = [("Aim at", smaller)] if smaller else []
    ways += _reading(run, result, "Read", cause)
    ways += _hinting(run, result, cause)
    later = [f"{m.name} ({m.number:02})" for m in run.track.modules if result.module in {n.name for n in m.needs}]
    return [*ways, ("Later", f"{listed(later[:3])} build on this module")] if later else ways


def _sides(outcome: Outcome, found: Finding) -> tuple[tuple[str, str], ...]:
    yours = "yours" if found.expected else "raised" if RAISED.match(found.got) else "got"
    yours = "error" if outcome is Outcome.BROKEN else yours
    return tuple((label, block) for label, block in (("expected", found.expected), (yours, found.got)) if block)


def _prose(run: Run, result: Result) -> str:
    if result.outcome is Outcome.TIMED_OUT and not (result.finding and result.finding.got):
        return STUCK
    if result.outcome is Outcome.BROKEN:
        return BROKEN.format(seed=seed_of(run, result))
    return ""


def seed_of(run: Run, result: Result) -> int:
    """The seed that brings the check's random numbers back."""
    return run.seed if result.seed is None else result.seed


def _pointers(run: Run, result: Result, found: Finding) -> list[tuple[str, str]]:
    this_one = ("This one", f"pytest --checkpoint {result.number} -k {short_name(run, result)}")
    if is_import_failure(result):
        return [("This one", f"pytest --checkpoint {result.number}")]
    if result.outcome is Outcome.BROKEN:
        return [this_one]
    smaller = [("Smaller", found.smaller)] if found.smaller else []
    exercise = f"{result.module}.{result.exercise}" if result.exercise else ""
    return [*smaller, this_one, *_reading(run, result, "The idea", exercise), *_hinting(run, result, exercise)]


def _rungs(run: Run, exercise: str) -> Ladder | None:
    module = modules(run).get(exercise.partition(".")[0])
    return ladder(exercise, module.hints if module else None)


def _reading(run: Run, result: Result, label: str, exercise: str) -> list[tuple[str, str]]:
    """The heading in the lesson that explains the exercise."""
    rungs = _rungs(run, exercise)
    module = modules(run).get(result.module)
    if rungs is None or not rungs.lesson or module is None:
        return []
    return [(label, f'{module.lesson}, "{rungs.lesson}"')]


def _hinting(run: Run, result: Result, exercise: str) -> list[tuple[str, str]]:
    """The command for a hint, unless the report shows one already."""
    if not exercise or run.hint is not None:
        return []
    return [("Hint", f"pytest --checkpoint {result.number} --hint")]


def short_name(run: Run, result: Result) -> str:
    """The first words of the check's name (three at least) that `-k` needs to select it alone."""
    name = result.name.partition("[")[0]
    words = name.split("_")
    others = {other.name.partition("[")[0].lower() for other in run.results if other.number == result.number} - {
        name.lower()
    }
    for length in range(3, len(words)):
        start = "_".join(words[:length])
        if not any(start.lower() in other for other in others):
            return start
    return name


def hint_panel(run: Run, hint: Hint) -> Panel:
    """One rung of a hint ladder, and how to climb on."""
    module = modules(run).get(hint.exercise.partition(".")[0])
    following = f"pytest --checkpoint {module.number} --hint" if module else "the same command again"
    return Panel(
        label="HINT",
        title=f"{hint.exercise}, {hint.level} of 3" + (", the last" if hint.level == 3 else ""),
        prose=hint.text,
        pointers=(("Next hint", following),) if hint.level < 3 else (),
    )


def milestone_panel(result: MilestoneResult) -> Panel | None:
    """What went wrong on the way to a milestone; None where its claims tell everything."""
    found = result.finding
    if found is None:
        return None
    return Panel(
        label=LABELS[result.outcome],
        title=f"{result.label} stopped on the way",
        place=str(found.trace[-1]) if found.trace else "",
        call=(*found.given, *([found.call] if found.call else [])),
        sides=_sides(result.outcome, found),
        difference=found.difference,
        prose=BROKEN.format(seed=result.seed) if result.outcome is Outcome.BROKEN else "",
        trace=found.trace,
        mistake=found.mistake,
        pointers=(("Smaller", found.smaller),) if found.smaller else (),
    )


def shown_trace(trace: tuple[Place, ...], most: int) -> tuple[list[tuple[Place, int]], int]:
    """The innermost places with how often each came in a row, and how many outer calls are left out."""
    runs: list[tuple[Place, int]] = []
    for place in trace:
        if runs and runs[-1][0] == place:
            runs[-1] = (place, runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    kept = runs[max(0, len(runs) - most) :]
    return kept, len(trace) - sum(times for _, times in kept)


def passes(number: int) -> str:
    """`1 check passes`, `4 checks pass`."""
    return f"{count(number, 'check')} {'passes' if number == 1 else 'pass'}"
