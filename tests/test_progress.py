"""What was proved so far, remembered by content."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.outcome import MilestoneResult, Outcome, Result, Status
from pytest_tinytorch.progress import Progress

TENSOR = course.Module(
    number=1, name="tensor", capability="I can", builds="", insight="", stars=1, hours=(1, 1), tier="", act="",
    level=1, checks="somewhere", points=3, exercises=("add", "sum"),
)  # fmt: skip
LAYERS = course.Module(
    number=3, name="layers", capability="I can", builds="", insight="", stars=1, hours=(1, 1), tier="", act="",
    level=1, checks="somewhere", points=1, needs=(TENSOR,),
)  # fmt: skip
MODULES = {1: TENSOR, 3: LAYERS}


def result(module: course.Module, name: str, outcome: Outcome, points: int = 1, exercise: str = "add") -> Result:
    return Result(
        check=f"checkpoint::test_{name}",
        number=module.number,
        module=module.name,
        exercise=exercise,
        claim="it works",
        points=points,
        outcome=outcome,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "tinytorch"
    folder.mkdir()
    for name in ("tensor", "layers"):
        (folder / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    return folder


def progress(package: Path) -> Progress:
    return Progress(package.parent, package)


def remember(package: Path, *results: Result) -> Progress:
    memory = progress(package)
    memory.remember(results, MODULES)
    assert memory.save() == ""
    return progress(package)


def test_a_checkpoint_is_proved_when_all_its_points_passed(package: Path) -> None:
    memory = remember(
        package, result(TENSOR, "a", Outcome.PASSED, 2), result(TENSOR, "b", Outcome.PASSED, 1, exercise="sum")
    )
    assert memory.state(TENSOR).status is Status.PROVED
    assert memory.is_proved(TENSOR)


def test_part_of_a_checkpoint_is_begun(package: Path) -> None:
    memory = remember(package, result(TENSOR, "a", Outcome.PASSED, 2))
    assert memory.state(TENSOR).status is Status.BEGUN
    assert memory.state(TENSOR).points == 2


def test_two_runs_of_parts_add_up(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.PASSED, 2))
    memory = remember(package, result(TENSOR, "b", Outcome.PASSED, 1))
    assert memory.is_proved(TENSOR)


def test_an_edit_makes_it_stale_and_everything_above_it_too(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.PASSED, 3), result(LAYERS, "c", Outcome.PASSED))
    (package / "tensor.py").write_text("x = 2\n", encoding="utf-8")
    memory = progress(package)
    assert memory.state(TENSOR).status is Status.STALE
    assert memory.state(LAYERS).status is Status.STALE


def test_other_line_endings_are_no_edit(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.PASSED, 3))
    (package / "tensor.py").write_bytes(b"x = 1\r\n")
    assert progress(package).is_proved(TENSOR)


def test_an_edit_above_leaves_what_is_below(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.PASSED, 3), result(LAYERS, "c", Outcome.PASSED))
    (package / "layers.py").write_text("x = 2\n", encoding="utf-8")
    assert progress(package).is_proved(TENSOR)
    assert not progress(package).is_proved(LAYERS)


def test_a_run_after_an_edit_forgets_what_was_known_before(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.PASSED, 2))
    (package / "tensor.py").write_text("x = 2\n", encoding="utf-8")
    memory = remember(package, result(TENSOR, "b", Outcome.PASSED, 1))
    assert memory.state(TENSOR).total == 1


def test_failing_exercises_are_known_until_the_file_changes(package: Path) -> None:
    memory = remember(package, result(TENSOR, "a", Outcome.WRONG), result(TENSOR, "b", Outcome.PASSED))
    assert memory.failing([TENSOR]) == {"tensor.add"}
    (package / "tensor.py").write_text("x = 2\n", encoding="utf-8")
    assert progress(package).failing([TENSOR]) == set()


def test_an_exercise_that_passes_now_fails_no_more(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.WRONG))
    assert remember(package, result(TENSOR, "a", Outcome.PASSED)).failing([TENSOR]) == set()


def test_what_is_not_built_or_provided_says_so(package: Path) -> None:
    later = replace(course.CAPSTONE, checks=None)
    states = progress(package).states(
        (*course.CHECKPOINTS[:-1], later), course.with_provided(course.TRACKS["complete"], [course.TENSOR])
    )
    assert states[20].status is Status.UNBUILT
    assert states[1].status is Status.PROVIDED
    assert states[2].status is Status.OPEN


def test_a_milestone_stays_reached(package: Path) -> None:
    memory = progress(package)
    memory.remember_milestone(MilestoneResult(number=1, label="1957 Perceptron", outcome=Outcome.WRONG))
    assert not memory.is_reached(course.PERCEPTRON)
    memory.remember_milestone(MilestoneResult(number=1, label="1957 Perceptron", outcome=Outcome.PASSED))
    memory.save()
    assert progress(package).is_reached(course.PERCEPTRON)


def test_hints_go_up_a_rung_each_time_and_stay_on_the_last(package: Path) -> None:
    memory = progress(package)
    assert [memory.next_hint_level("tensor.add", 3) for _ in range(4)] == [1, 2, 3, 3]


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"version": 99}', '{"version": 1, "checkpoints": 7}'])
def test_an_unreadable_memory_is_an_empty_one(package: Path, text: str) -> None:
    folder = package.parent / ".tinytorch"
    folder.mkdir()
    (folder / "progress.json").write_text(text, encoding="utf-8")
    assert progress(package).state(TENSOR).status is Status.OPEN


def test_a_damaged_entry_counts_for_nothing(package: Path) -> None:
    remember(package, result(TENSOR, "a", Outcome.PASSED, 3))
    path = package.parent / ".tinytorch" / "progress.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["checkpoints"]["1"] = "proved, honestly"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert not progress(package).is_proved(TENSOR)


def test_a_folder_that_cannot_be_written_is_named(package: Path) -> None:
    (package.parent / ".tinytorch").write_text("a file is in the way", encoding="utf-8")
    sentence = progress(package).save()
    assert sentence.startswith("progress is not remembered: ")
