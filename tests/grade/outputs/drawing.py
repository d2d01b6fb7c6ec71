"""Grades drawn at random, with texts of all kinds in all places."""

from __future__ import annotations

from hypothesis import strategies as st

from pytest_tinytorch.grade.result import NOT_RUN, Grade, GradedCheck, GradedCheckpoint, GradedMilestone, Integrity
from pytest_tinytorch.outcome import Claim, Finding, Outcome, Place

from ..grades import HOSTILE

TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.sampled_from([text for text in HOSTILE.values() if len(text) < 1000]),
)
POINTS = st.integers(0, 12)
OUTCOMES = st.sampled_from([*(outcome.value for outcome in Outcome), NOT_RUN])
PLACES = st.builds(Place, file=TEXTS, line=st.integers(-1, 10**6), function=TEXTS, text=TEXTS)
FINDINGS = st.builds(
    Finding,
    call=TEXTS,
    given=st.lists(TEXTS, max_size=2).map(tuple),
    expected=TEXTS,
    got=TEXTS,
    difference=TEXTS,
    mistake=TEXTS,
    smaller=TEXTS,
    trace=st.lists(PLACES, max_size=1).map(tuple),
)
CHECKS = st.builds(
    GradedCheck,
    name=TEXTS,
    claim=TEXTS,
    exercise=st.none() | TEXTS,
    points=POINTS,
    outcome=OUTCOMES,
    cause=TEXTS,
    where=st.none() | PLACES,
    finding=st.none() | FINDINGS,
    output=TEXTS,
)
CLAIMS = st.builds(Claim, what=TEXTS, required=TEXTS, reached=TEXTS, holds=st.booleans())
MILESTONES = st.builds(
    GradedMilestone,
    year=st.integers(1950, 2030),
    name=TEXTS,
    points=POINTS,
    outcome=OUTCOMES,
    claims=st.lists(CLAIMS, max_size=2).map(tuple),
    cause=TEXTS,
)
INTEGRITY = st.builds(Integrity, kind=TEXTS, says=TEXTS, file=TEXTS, line=st.integers(0, 10**6))


@st.composite
def checkpoints(draw: st.DrawFn) -> tuple[GradedCheckpoint, ...]:
    """A few checkpoints, each with its own number and module."""
    parts = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        checks = tuple(draw(st.lists(CHECKS, max_size=4)))
        module = draw(st.sampled_from(["tensor", "a module", "2nd", "módulo", "under_score"]))
        texts = {name: draw(TEXTS) for name in ("capability", "due", "late")}
        parts.append(
            GradedCheckpoint(number=number, module=f"{module}{number}", weight=draw(POINTS), checks=checks, **texts)
        )
    return tuple(parts)


GRADES = st.builds(
    Grade,
    student=TEXTS,
    source=TEXTS,
    digest=TEXTS,
    version=TEXTS,
    track=TEXTS,
    seed=st.integers(0, 2**63),
    checkpoints=checkpoints(),
    milestones=st.lists(MILESTONES, max_size=2, unique_by=lambda each: each.year).map(tuple),
    integrity=st.lists(INTEGRITY, max_size=2).map(tuple),
    notes=st.lists(TEXTS, max_size=2).map(tuple),
    commit=TEXTS,
    committed=TEXTS,
    hardening=TEXTS,
    trouble=TEXTS,
)
