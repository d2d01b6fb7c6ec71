"""Every exercise has a ladder of hints, each short enough to read, and every number in it is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tinytorch.hints import Ladder, ladder
from tests.prose.examples import executed, run, scope
from tests.prose.numbers import unbacked

if TYPE_CHECKING:
    from pytest_tinytorch.course import Module
    from tests.prose.lesson import Lesson

LONGEST = 90  # words of one rung


def ladders(module: Module) -> dict[str, Ladder]:
    """The ladders of a module's exercises."""
    found = {name: ladder(f"{module.name}.{name}") for name in module.exercises}
    return {name: each for name, each in found.items() if each is not None}


def test_every_exercise_has_a_ladder_of_three_rungs(module: Module) -> None:
    found = ladders(module)
    assert not set(module.exercises) - set(found), "exercises without hints"
    words = {name: [len(rung.split()) for rung in each.rungs] for name, each in found.items()}
    assert not {name: counts for name, counts in words.items() if min(counts) < 1 or max(counts) > LONGEST}


def test_proofs_hold(module: Module) -> None:
    failures = [
        failure
        for name, each in ladders(module).items()
        for failure in run(each.proof, scope(module), f"hints of {module.name}.{name}")
    ]
    assert not failures, "\n".join(failures)


def test_numbers_are_proved(module: Module) -> None:
    missing = {
        name: numbers
        for name, each in ladders(module).items()
        if (numbers := unbacked(" ".join((*each.rungs, each.smaller)), executed(each.proof)))
    }
    assert not missing, "stated in a hint, in no line of its proof"


def test_a_ladder_names_a_heading_of_the_lesson(module: Module, lesson: Lesson) -> None:
    wrong = {name: each.lesson for name, each in ladders(module).items() if each.lesson not in lesson.headings}
    assert not wrong, f"the lesson has: {', '.join(lesson.headings)}"
