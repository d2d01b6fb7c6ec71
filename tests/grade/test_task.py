"""One submission in, one grade out: exact points, the same every time, with the verdicts of a student's own run."""

from __future__ import annotations

import json
import pickle
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.grade.assignment import Assignment, read
from pytest_tinytorch.grade.result import NOT_RUN, Grade, GradedCheck
from pytest_tinytorch.grade.task import Task, adopted, grade, ungraded, was_graded
from pytest_tinytorch.outcome import Finding, Outcome
from tests.mistakes import catalogue
from tools import trial

from .handed_in import EXERCISES, GIT, SOLUTIONS, commit, git, repository, solution, up_to
from .handed_in import course as a_course

SAMPLE = ("tensor", "activations", "autograd", "dataloader", "attention", "quantization")  # the others: tests/course
POINTS = {module.name: module.points for module in course.MODULES}


def asked(checkpoints: str = "1-2", weights: dict[str, int] | None = None, **said: Any) -> Assignment:
    return read({"assignment": {"checkpoints": checkpoints, **said}, "weights": weights or {}})


def graded(source: Path | str, assignment: Assignment, **changed: Any) -> Grade:
    task = Task(student="ada", source=str(source), assignment=assignment, seed=7)
    return grade(replace(task, **changed))


def plain(found: Grade) -> str:
    return json.dumps(found.as_dict(timing=False))


# ---- points -------------------------------------------------------------------------------------------------------


def test_the_solutions_have_full_marks() -> None:
    found = graded(SOLUTIONS.parent, asked("all", milestones=[1957, 1969]))
    assert [part.label for part in found.parts() if part.score != part.max_score] == []
    assert (found.score, found.max_score) == (sum(POINTS.values()) + 20,) * 2
    assert (found.trouble, found.integrity, found.notes) == ("", (), ())
    assert found.hardening
    assert [len(milestone.claims) > 0 for milestone in found.milestones] == [True, True]


def test_stubs_have_nothing() -> None:
    found = graded(EXERCISES.parent, asked("all", milestones="all"))
    assert found.score == 0
    assert found.max_score == sum(POINTS.values()) + 10 * len(course.MILESTONES)
    assert {check.outcome for part in found.checkpoints for check in part.checks} <= {"not written", "blocked"}
    assert {milestone.outcome for milestone in found.milestones} == {"blocked"}
    assert was_graded(found)


def test_a_half_done_course_has_exactly_its_points(tmp_path: Path) -> None:
    root = a_course(tmp_path / "ada", solved=up_to(3))
    found = graded(root, asked("1-6", {"activations": 3, "layers": 0}, milestones=[1957]))
    earned = {part.label: part.score for part in found.parts()}
    assert earned == {
        "01 tensor": POINTS["tensor"],
        "02 activations": 3 * POINTS["activations"],
        "03 layers": 0,
        "04 losses": 0,
        "05 autograd": 0,
        "06 optimizers": 0,
        "1957 Perceptron": 0,
    }
    assert found.max_score == POINTS["tensor"] + 3 * POINTS["activations"] + 10 + sum(
        POINTS[name] for name in ("losses", "autograd", "optimizers"))  # fmt: skip


def test_a_wrong_exercise_costs_its_own_points_alone(tmp_path: Path) -> None:
    wrong = f"{solution('activations')}\n\ndef relu(x):\n    return x\n"
    root = a_course(tmp_path / "ada", solved=up_to(1), activations=wrong)
    found = graded(root, asked("2"))
    lost = {check.exercise for part in found.checkpoints for check in part.checks if not check.passed}
    assert lost == {"relu"}


def test_a_milestone_waits_for_what_it_rests_on(tmp_path: Path) -> None:
    root = a_course(tmp_path / "ada", solved=up_to(2), losses=solution("losses"))
    found = graded(root, asked("4", milestones=[1957]))
    [milestone] = found.milestones
    assert milestone.outcome == "blocked"
    assert milestone.cause.startswith("03 layers (")
    assert [part.module for part in found.checkpoints] == ["losses"]


def test_provided_modules_are_not_asked_again_for_a_milestone(tmp_path: Path) -> None:
    root = a_course(tmp_path / "ada", solved=up_to(4))
    found = graded(root, asked("4", provided=["tensor", "activations", "layers"], milestones=[1957]))
    assert found.score == POINTS["losses"] + 10
    assert {name.partition("::")[0] for name in found.timing.checks} == {"losses"}


# ---- the same every time ------------------------------------------------------------------------------------------


def test_a_grade_repeats_byte_for_byte(tmp_path: Path) -> None:
    noisy = "\nimport traceback, warnings\nwarnings.warn('once more')\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n"
    noisy += "    traceback.print_exc()\nprint(__file__)\n"
    root = a_course(tmp_path / "ada", solved=up_to(1), activations=solution("activations") + noisy)
    one, two = (graded(root, asked("2", {"activations": 2}, milestones=[1957])) for _ in range(2))
    assert plain(one) == plain(two)
    assert Grade.from_dict(one.as_dict()) == one
    assert {*one.timing.checks} > {f"activations::{check.name}" for check in one.checkpoints[0].checks}
    printed = one.checkpoints[0].checks[0].output
    assert "tinytorch/activations.py" in printed
    assert tempfile.gettempdir() not in printed


def test_another_seed_gives_the_same_points() -> None:
    assert graded(SOLUTIONS.parent, asked(), seed=1).score == graded(SOLUTIONS.parent, asked(), seed=2).score


# ---- the verdicts of a student's own run --------------------------------------------------------------------------


def verdicts(checks: Iterable[GradedCheck]) -> list[tuple[Any, ...]]:
    return [(c.name, c.claim, c.exercise, c.points, c.outcome, c.cause, c.where, told(c.finding)) for c in checks]


def own_verdicts(run: trial.Verdict) -> list[tuple[Any, ...]]:
    return [
        (r.name, r.claim, r.exercise, r.points, r.outcome.value, r.cause, r.where, told(r.finding)) for r in run.results
    ]


def told(finding: Finding | None) -> tuple[Any, ...]:
    """What a finding says, but for values: some mistakes draw their own random numbers."""
    return (finding.call, finding.given, finding.mistake, finding.trace) if finding else ()


def test_a_half_done_course_has_the_verdicts_of_the_students_own_run(tmp_path: Path) -> None:
    root = a_course(tmp_path / "ada", solved=("tensor", "layers", "losses"))
    files = {file.name: file.read_text("utf-8") for file in (root / "tinytorch").glob("*.py")}
    own = trial.run_all([trial.Trial(name="own", package=files, checkpoint="1-5", seed=7)])["own"]
    found = graded(root, asked("1-5"))
    assert verdicts(check for part in found.checkpoints for check in part.checks) == own_verdicts(own)


@pytest.fixture(scope="module")
def mistaken() -> dict[str, tuple[dict[str, str], trial.Verdict]]:
    """One mistake of each of some modules: the package, and what the student's own run says of it."""
    chosen = {name: mistakes[len(mistakes) // 2] for name, mistakes in catalogue().items() if name in SAMPLE}
    packages = {name: trial.package(**{name: mistake.make(solution(name))}) for name, mistake in chosen.items()}
    trials = [trial.Trial(name=name, package=files, checkpoint=name, seed=7) for name, files in packages.items()]
    found = trial.run_all(trials, jobs=2)
    return {name: (files, found[name]) for name, files in packages.items()}


@pytest.mark.parametrize("module", SAMPLE)
def test_a_mistake_has_the_verdicts_of_the_students_own_run(
    module: str, mistaken: dict[str, tuple[dict[str, str], trial.Verdict]], tmp_path: Path
) -> None:
    files, own = mistaken[module]
    (tmp_path / "tinytorch").mkdir()
    for name, text in files.items():
        (tmp_path / "tinytorch" / name).write_text(text, encoding="utf-8", newline="\n")
    found = graded(tmp_path, asked(module))
    assert verdicts(found.checkpoints[0].checks) == own_verdicts(own)
    assert found.score < found.max_score


# ---- what cannot be graded ----------------------------------------------------------------------------------------


def test_what_is_no_submission_has_earned_nothing_and_says_why(tmp_path: Path) -> None:
    found = graded(tmp_path, asked(milestones=[1957]))
    assert found.trouble == f"there is no package tinytorch/ in {tmp_path}: it is empty"
    assert (found.score, found.digest) == (0, "")
    assert found.max_score == POINTS["tensor"] + POINTS["activations"] + 10
    causes = {(check.outcome, check.cause) for part in found.checkpoints for check in part.checks}
    assert causes == {(NOT_RUN, found.trouble)}
    assert found.milestones[0].cause == found.trouble
    assert not was_graded(found)


def test_a_submission_whose_time_is_over_has_what_it_earned_by_then(tmp_path: Path) -> None:
    slow = "import time\n_quick = relu\n\ndef relu(x):\n    time.sleep(1.5)\n    return _quick(x)\n"
    root = a_course(tmp_path / "ada", solved=("tensor",), activations=f"{solution('activations')}\n{slow}")
    found = graded(root, asked("1-2", total_limit=4))
    assert found.trouble == "the checks were stopped after 4 s, the limit for all of them together"
    left = [check for part in found.checkpoints for check in part.checks if check.outcome == NOT_RUN]
    assert left
    assert {check.cause for check in left} == {found.trouble}
    assert 0 < found.score < found.max_score


def test_a_loop_without_end_costs_seconds(tmp_path: Path) -> None:
    loop = f"{solution('activations')}\n\ndef relu(x):\n    while True: pass\n"
    root = a_course(tmp_path / "ada", solved=("tensor", "layers"), activations=loop)
    found = graded(root, asked("2-3", time_limit=5))
    activations, layers = (part.checks for part in found.checkpoints)
    hung = [check for check in activations if check.exercise == "relu"]
    assert {check.outcome for check in hung} == {Outcome.TIMED_OUT.value}
    assert {check.outcome for check in activations if check not in hung} == {Outcome.PASSED.value}
    waiting = {(check.outcome, check.cause) for check in layers if not check.passed}
    assert waiting == {(Outcome.BLOCKED.value, "activations.relu")}
    if sys.platform != "win32":  # where a process can be asked in between where its code is
        assert sum(seconds > 5 for seconds in found.timing.checks.values()) == 1


def test_a_module_that_is_missing_is_a_failure_of_its_checks(tmp_path: Path) -> None:
    root = a_course(tmp_path / "ada", solved=("tensor",))
    (root / "tinytorch" / "activations.py").unlink()
    found = graded(root, asked())
    assert found.checkpoints[1].score == 0
    assert NOT_RUN not in {check.outcome for check in found.checkpoints[1].checks}


# ---- dates --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(GIT is None, reason="git is not installed")
def test_a_late_commit_gets_a_word_and_its_points(tmp_path: Path) -> None:
    root = repository(a_course(tmp_path / "ada", solved=up_to(2)))
    name = commit(root, "late", when="2026-11-03T01:30:00+00:00")
    due = {"tensor": "2026-10-31", "activations": "2026-11-03T02:30:00+01:00"}
    found = graded(root, read({"assignment": {"checkpoints": "1-2"}, "due": due}), ref="HEAD")
    assert (found.commit, found.committed) == (name, "2026-11-03T01:30:00+00:00")
    assert [part.late for part in found.checkpoints] == [
        "committed 2026-11-03T01:30:00+00:00, 2 days 1 hour after it was due", ""
    ]  # fmt: skip
    assert found.score == found.max_score
    assert git(root, "status", "--porcelain") == ""


# ---- what is left behind ------------------------------------------------------------------------------------------


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    root = a_course(tmp_path / "ada", solved=up_to(1))
    before = sorted(path for path in root.rglob("*"))
    graded(root, asked())
    graded(tmp_path / "nowhere", asked())
    assert list(place.iterdir()) == []
    assert sorted(path for path in root.rglob("*")) == before


# ---- a grade that is known ----------------------------------------------------------------------------------------


@pytest.mark.skipif(GIT is None, reason="git is not installed")
def test_the_same_files_have_the_same_checks_and_their_own_dates(tmp_path: Path) -> None:
    wanted = read({"assignment": {"checkpoints": "1"}, "due": {"tensor": "2026-10-31"}})
    root = repository(a_course(tmp_path / "ada", solved=up_to(1)))
    known = graded(root, wanted, ref="HEAD")
    commit(root, "late", when="2026-11-03T00:00:00+00:00")
    task = Task(student="bob", source=str(root), assignment=wanted, seed=7, ref="HEAD")
    taken = adopted(task, known)
    assert taken is not None
    assert plain(taken) == plain(grade(task))
    assert taken.checkpoints[0].late
    (root / "tinytorch" / "tensor.py").write_text("x = 1\n")
    commit(root, "other")
    assert adopted(task, known) is None
    assert adopted(replace(task, source=str(tmp_path / "nowhere"), ref=""), known) is None


def test_a_grade_of_nothing_names_its_source_without_a_password() -> None:
    task = Task(student="ada", source="https://token@host/x.git", assignment=asked(), seed=7)
    assert ungraded(task, "no").source == "https://host/x.git"


def test_a_task_is_plain_data() -> None:
    task = Task(student="ada", source="x", assignment=asked(milestones=[1957]), seed=7)
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301 -- our own
