"""What a report says beside the panels: what was proved, what else is open, where the course stands, what is next."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..course import ENVIRONMENT
from ..outcome import Outcome, State, Status
from .panels import LABELS, claim_of, is_import_failure, is_reference, modules, passes, seed_of, waits_for
from .text import count, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..course import Milestone, Module
    from ..outcome import MilestoneResult, Ran, Result, Run

MOST_CLAIMS = 12  # more than these are counted, not listed, unless somebody asks
MOST_FAILURES = 12  # more than these are folded by exercise


# ---- what was proved --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What passed of one checkpoint in this run: its sentence, and its claims where they are to be listed."""

    sentence: str
    proved: bool
    claims: tuple[str, ...] = ()


def passed(run: Run, *, every_claim: bool = False) -> list[Passed]:
    """A line for each checkpoint that was run and of which something passed."""
    numbers = sorted({r.number for r in run.results})
    found = {n: [r for r in run.results if r.number == n] for n in numbers}
    claims = sum(len(results) for n, results in found.items() if is_proved(run, n))
    listing = every_claim or claims <= MOST_CLAIMS
    lines = [_passed(run, number, results, listing) for number, results in found.items()]
    return [line for line in lines if line is not None]


def is_proved(run: Run, number: int) -> bool:
    """Whether this run leaves the checkpoint proved."""
    return number in run.states and run.states[number].status is Status.PROVED


def _passed(run: Run, number: int, results: list[Result], listing: bool) -> Passed | None:
    right = [r for r in results if r.outcome is Outcome.PASSED]
    if not right:
        return None
    label = f"{number:02} {right[0].module}"
    module = modules(run).get(right[0].module)
    if module and is_proved(run, number) and len(right) == len(results):
        claims = tuple(r.claim for r in right) if listing else ()
        return Passed(sentence=f"{module.capability}.  ({label}, {passes(len(right))})", proved=True, claims=claims)
    return Passed(sentence=f"{label}: {len(right)} of {passes(len(results))}", proved=False)


# ---- what else is open ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One line for one or more open checks: `FAIL  02 activations: …  tinytorch/activations.py:88`."""

    label: str
    text: str
    place: str = ""
    checks: int = 1


def others(run: Run) -> list[Open]:
    """Every open result but the one that is shown in full, grouped by cause."""
    first = run.first
    shown = waits_for(first) if first and first.outcome is Outcome.UNWRITTEN else None
    rest = [r for r in run.results if r.outcome is not Outcome.PASSED and r is not first]
    waiting = [r for r in rest if r.outcome in {Outcome.UNWRITTEN, Outcome.BLOCKED} and waits_for(r) != shown]
    return [
        *_failures([r for r in rest if r.outcome.is_failure]),
        *_unwritten([r for r in waiting if r.outcome is Outcome.UNWRITTEN]),
        *_blocked([r for r in waiting if r.outcome is Outcome.BLOCKED]),
        *(_line(r) for r in rest if r.outcome is Outcome.BROKEN),
    ]


def waiting(run: Run) -> list[Open]:
    """What is not written yet or blocked, beside the result that is shown in full."""
    return [line for line in others(run) if line.label in {LABELS[Outcome.UNWRITTEN], LABELS[Outcome.BLOCKED]}]


def _failures(results: list[Result]) -> list[Open]:
    results = sorted(results, key=lambda r: r.number)
    if len(results) <= MOST_FAILURES:
        return [_line(r) for r in results]
    folded: dict[tuple[str, str], list[Result]] = {}
    for r in results:
        folded.setdefault((r.module, r.exercise or r.name), []).append(r)
    return [_line(group[0]) if len(group) == 1 else _folded(group) for group in folded.values()]


def _line(result: Result) -> Open:
    return Open(label=LABELS[result.outcome], text=f"{result.number:02} {claim_of(result)}", place=_spot(result))


def _spot(result: Result) -> str:
    return f"{result.where.file}:{result.where.line}" if result.where else ""


def _folded(group: list[Result]) -> Open:
    """Many failures of one exercise on one line; the label is the commonest outcome's."""
    first = group[0]
    outcome = Counter(r.outcome for r in group).most_common(1)[0][0]
    text = f"{first.number:02} {first.exercise or first.module}: {count(len(group), 'check')}"
    return Open(label=LABELS[outcome], text=text, place=_spot(first), checks=len(group))


def _unwritten(results: list[Result]) -> list[Open]:
    by_module: dict[tuple[int, str], list[Result]] = {}
    for r in results:
        by_module.setdefault((r.number, r.module), []).append(r)
    lines = []
    for (number, module), group in sorted(by_module.items()):
        names = list(dict.fromkeys(waits_for(r).removeprefix(f"{module}.") for r in group))
        text = f"{number:02} {module}: {listed(names)} ({count(len(group), 'check')})"
        lines.append(Open(label=LABELS[Outcome.UNWRITTEN], text=text, checks=len(group)))
    return lines


def _blocked(results: list[Result]) -> list[Open]:
    causes: dict[tuple[int, str, str], int] = {}
    for r in results:
        key = (r.number, r.module, waits_for(r))
        causes[key] = causes.get(key, 0) + 1
    return [
        Open(
            label=LABELS[Outcome.BLOCKED],
            text=f"{number:02} {module}: {count(n, 'check')} {'waits' if n == 1 else 'wait'} for {cause}",
            checks=n,
        )
        for (number, module, cause), n in sorted(causes.items())
    ]


# ---- where the course stands ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One checkpoint in the capability map. `mark` is `done`, `here` or empty."""

    module: Module
    state: State
    mark: str
    effort: str = ""
    note: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One tier of the map: its rows, and what is provided or not built, folded into a line each."""

    name: str
    rows: tuple[Row, ...]
    provided: str = ""
    unbuilt: str = ""


def tiers(run: Run) -> list[Tier]:
    """The capability map of the run's track, tier by tier."""
    here = run.next_module()
    start = [ENVIRONMENT] if ENVIRONMENT.number in run.states else []
    every = [*start, *run.track.provided, *run.track.modules]
    return [
        _tier(run, name, [m for m in every if m.tier == name], here) for name in dict.fromkeys(m.tier for m in every)
    ]


def _tier(run: Run, name: str, members: list[Module], here: Module | None) -> Tier:
    statuses = {m: status_of(run, m) for m in members}
    folded = {Status.PROVIDED, Status.UNBUILT}
    return Tier(
        name=name,
        rows=tuple(_row(run, m, here) for m in members if statuses[m] not in folded),
        provided=span([m for m in members if statuses[m] is Status.PROVIDED]),
        unbuilt=span([m for m in members if statuses[m] is Status.UNBUILT]),
    )


def state_of(run: Run, module: Module) -> State:
    """What the run knows of a module; open where it knows nothing."""
    return run.states.get(module.number, State(status=Status.OPEN))


def status_of(run: Run, module: Module) -> Status:
    """The module's status; what is provided or not built needs no state."""
    if module in run.track.provided:
        return Status.PROVIDED
    return state_of(run, module).status if module.built else Status.UNBUILT


def _row(run: Run, module: Module, here: Module | None) -> Row:
    state = state_of(run, module)
    mark = "here" if module is here else "done" if state.status is Status.PROVED else ""
    effort = "" if state.status is Status.PROVED else hours(module)
    note = count(state.points, "point") if state.status is Status.PROVED and state.points else ""
    detail = ""
    if state.status is Status.STALE:
        detail = f"changed since it was proved: run pytest --checkpoint {module.number} again"
    elif state.status is Status.BEGUN:
        detail = f"{state.passed} of {passes(state.total)}" + _points(state, module)
    return Row(module=module, state=state, mark=mark, effort=effort, note=note, detail=detail)


def _points(state: State, module: Module) -> str:
    return f", {state.points} of {module.points} points" if module.points else ""


def hours(module: Module) -> str:
    """`1.5–2 h`."""
    return "–".join(f"{h:g}" for h in module.hours) + " h"


def span(members: Iterable[Module | Milestone]) -> str:
    """Labels with runs of three and more shortened: `01 tensor, 03 layers to 07 training`."""
    runs: list[list[Module | Milestone]] = []
    for m in members:
        if runs and m.number == runs[-1][-1].number + 1:
            runs[-1].append(m)
        else:
            runs.append([m])
    return ", ".join(
        f"{run[0].label} to {run[-1].label}" if len(run) > 2 else ", ".join(m.label for m in run) for run in runs
    )


def score(run: Run) -> str:
    """`complete track: 2 of 20 modules proved, 55 points`."""
    proved = [m for m in run.track.modules if state_of(run, m).status is Status.PROVED]
    counting = {Status.PROVED, Status.BEGUN}
    points = sum(state_of(run, m).points for m in run.track.modules if state_of(run, m).status in counting)
    text = f"{run.track.name} track: {len(proved)} of {len(run.track.modules)} modules proved"
    return f"{text}, {count(points, 'point')}" if points else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One milestone in the map. `mark` is `done`, `here` (unlocked) or empty."""

    milestone: Milestone
    mark: str
    text: str
    command: str = ""


def goals(run: Run) -> list[Goal]:
    """The track's milestones that this version has."""
    return [_goal(run, m) for m in run.track.milestones if m.built]


def _goal(run: Run, milestone: Milestone) -> Goal:
    if milestone.number in run.reached:
        when = run.reached[milestone.number]
        return Goal(milestone=milestone, mark="done", text=f"reached on {when}" if when else "reached")
    if run.is_unlocked(milestone):
        command = f"pytest --milestone {milestone.year}"
        return Goal(milestone=milestone, mark="here", text="unlocked", command=command)
    open_ones = [m for m in milestone.needs if status_of(run, m) not in {Status.PROVED, Status.PROVIDED}]
    if milestone.after in open_ones:
        return Goal(milestone=milestone, mark="", text=f"after {milestone.after.label}: {milestone.history}")
    return Goal(milestone=milestone, mark="", text=f"waits for {span(open_ones)}")


def unbuilt_goals(run: Run) -> str:
    """The track's milestones that this version does not have, on one line."""
    return span([m for m in run.track.milestones if not m.built])


# ---- what is next -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next: a few words, then a command; either may be empty."""

    text: str
    command: str = ""


def next_step(run: Run) -> Step:
    """The one thing to do now."""
    first = run.first
    if first is not None and first.outcome is not Outcome.BROKEN:
        return _fix(first)
    blocked = [r for r in run.results if r.outcome is Outcome.BLOCKED]
    if blocked:
        return _unblock(run, blocked[0])
    missed = next((m for m in run.milestones if m.outcome is not Outcome.PASSED), None)
    if missed is not None:
        return _again(missed)
    return _go_on(run)


def _fix(first: Result) -> Step:
    verb = "write" if first.outcome is Outcome.UNWRITTEN else "fix"
    what = waits_for(first).removeprefix(f"{first.module}.") if verb == "write" else first.exercise or "this"
    if is_import_failure(first) and first.where:
        what = first.where.file
    return Step(f"{verb} {what}, then", f"pytest --checkpoint {first.number}")


def _unblock(run: Run, result: Result) -> Step:
    cause = waits_for(result)
    module = modules(run).get(cause.partition(".")[0]) if is_reference(cause) else None
    number = result.number if module is None else module.number
    return Step(f"{cause} comes first:", f"pytest --checkpoint {number}")


def _again(missed: MilestoneResult) -> Step:
    waits = f"{missed.cause}." if missed.outcome is Outcome.BLOCKED else ""
    return Step(waits or "run it again when something has changed:", milestone_command(missed))


def milestone_command(result: MilestoneResult) -> str:
    """The command that plays a milestone again, on the same data."""
    year = re.match(r"\d+", result.label)
    return f"pytest --milestone {year[0]}{' --full' if result.full else ''}" if year else ""


def _go_on(run: Run) -> Step:
    goal = next((g for g in goals(run) if g.command), None)
    if goal is not None:
        return Step(f"{goal.milestone.label} is unlocked:", goal.command)
    module = run.next_module()
    if module is None:
        return Step("nothing is left: all that this version has of your track is proved.")
    state = state_of(run, module)
    if state.status is Status.OPEN:
        return Step(f"read {module.lesson}, then", f"pytest --checkpoint {module.number}")
    return Step(f"go on with {module.label}:", f"pytest --checkpoint {module.number}")


def replay(run: Run) -> str:
    """The command that brings the same random numbers back, where something failed."""
    first = run.first
    if first is not None and _is_random(first):
        return f"pytest --checkpoint {first.number} --tinytorch-seed {seed_of(run, first)}"
    failed = next((m for m in run.milestones if m.outcome.is_failure and m.seed is not None), None)
    if failed is None:
        return ""
    return f"{milestone_command(failed)} --tinytorch-seed {failed.seed}"


def _is_random(result: Result) -> bool:
    """Whether other random numbers could give another result."""
    return bool(result.exercise) and result.outcome is not Outcome.UNWRITTEN and not is_import_failure(result)


# ---- milestones of this run -------------------------------------------------------------------------------


def milestone_sentence(result: MilestoneResult) -> str:
    """`1957 Perceptron: reached in 0.4 s`."""
    stage = " (full)" if result.full else ""
    if result.outcome is Outcome.PASSED:
        return f"{result.label}{stage}: reached in {result.seconds:.1f} s, on your own code"
    if result.outcome is Outcome.WRONG and result.claims:
        missed = sum(not claim.holds for claim in result.claims)
        return f"{result.label}{stage}: not reached, {missed} of {count(len(result.claims), 'claim')} missed"
    if result.outcome is Outcome.NO_DATA:
        return f"{result.label}{stage}: did not run, its data set is missing"
    if result.cause and result.outcome is Outcome.BLOCKED:
        return f"{result.label}{stage}: did not run, it waits for {result.cause}"
    return f"{result.label}{stage}: not reached, {_STOPPED.get(result.outcome, 'it did not run')}"


_STOPPED = {
    Outcome.WRONG: "its claims do not hold",
    Outcome.CRASHED: "your code crashed on the way",
    Outcome.TIMED_OUT: "it ran out of time",
    Outcome.UNWRITTEN: "something that it calls is not written yet",
    Outcome.BROKEN: "the checker broke, not your code",
}


def reason(result: MilestoneResult) -> str:
    """What stopped a milestone that is no fault of the student's code: no data, or the checker; else nothing."""
    ours = result.outcome in {Outcome.NO_DATA, Outcome.BROKEN}
    return f"{result.cause.rstrip('.')}." if ours and result.cause else ""


def ran_sentence(result: MilestoneResult) -> str:
    """`It ran 14 functions of yours, 103 of their 120 lines.`; empty where that is not known."""
    if not result.ran:
        return ""
    used, lines = sum(r.used for r in result.ran), sum(r.lines for r in result.ran)
    return f"It ran {count(len(result.ran), 'function')} of yours, {used} of their {count(lines, 'line')}:"


def most_used(result: MilestoneResult) -> list[Ran]:
    """The functions that ran, those with the most lines first."""
    return sorted(result.ran, key=lambda r: -r.used)
