"""The runner: stages, data sets, what travels, and whose fault it is when something stops."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch import course, lab, milestones
from pytest_tinytorch.catalog import CourseError
from pytest_tinytorch.datasets import DataError
from pytest_tinytorch.outcome import MilestoneResult, Outcome
from pytest_tinytorch.settings import Digit

from .conftest import Player, replace

MILESTONE = replace(course.MLP, script="script.py")
SCRIPT = '''
"""A milestone of a test."""
import numpy as np
from pytest_tinytorch import lab


def problems(rng):
    return {"small": problem(3)}


def full_problems(rng, data):
    return {"large": problem(len(data.mnist().train_labels))}


def problem(n):
    images = np.zeros((n, 28, 28), np.uint8)
    return lab.Problem(inputs=images, labels=np.arange(n), questions=images, answers=np.arange(n))


def run(tt, problems, seed, show):
    show("at work")
    return {name: {part: task[part].shape for part in task} for name, task in problems.items()}


def claims(problems, answers):
    for name in problems:
        yield lab.Claim(what=name, required="", reached=str(answers.get(name)), holds=name in answers)
'''


@pytest.fixture
def script(tmp_path: Path) -> Any:
    """Write a script and load it."""

    def write(text: str = SCRIPT) -> milestones.Script:
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return milestones.load(path)

    return write


def told(result: MilestoneResult) -> str:
    (claim,) = result.claims
    return claim.reached


@pytest.mark.parametrize("isolated", [False, True])
def test_what_travels_is_all_but_the_answers(script: Any, solution: Player, isolated: bool) -> None:
    result = solution.replay(script(), MILESTONE, isolated=isolated)
    assert result.outcome is Outcome.PASSED
    assert told(result) == "{'inputs': (3, 28, 28), 'labels': (3,), 'questions': (3, 28, 28)}"
    assert (result.full, result.story) == (False, (MILESTONE.history,))


def test_a_drawn_digit_travels_in_the_size_of_the_questions(script: Any, solution: Player) -> None:
    pytest.importorskip("PIL", reason="scaling pictures needs Pillow")
    digit: Any = Digit("x.png", np.ones((9, 5), np.float32))
    assert "'drawn': (28, 28)" in told(solution.replay(script(), MILESTONE, digit=digit))
    other = SCRIPT.replace("28, 28", "32, 32")
    assert "drawn" not in told(solution.replay(script(other), MILESTONE, digit=digit))


@pytest.mark.usefixtures("small_mnist")
def test_a_full_stage_has_its_own_problems_and_says_what_its_data_is(script: Any, solution: Player) -> None:
    result = solution.replay(script(), MILESTONE, full=True)
    assert result.full
    assert told(result).startswith("{'inputs': (1000, 28, 28)")
    assert result.story == (MILESTONE.history, "an unverified copy")


@pytest.mark.parametrize("isolated", [False, True])
def test_data_that_cannot_be_had_is_nobody_s_fault(
    script: Any, solution: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: bool
) -> None:
    monkeypatch.setenv("TINYTORCH_OFFLINE", "1")
    monkeypatch.delenv("TINYTORCH_DATA", raising=False)
    result = solution.replay(script(), MILESTONE, full=True, data=tmp_path / "data", isolated=isolated)
    assert result.outcome is Outcome.NO_DATA
    assert not result.outcome.is_failure
    assert "TINYTORCH_OFFLINE forbids downloads" in result.cause
    assert "\n" not in result.cause
    assert (result.claims, result.finding) == ((), None)


def test_damaged_data_is_named(script: Any, solution: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{part}-ubyte.gz").write_bytes(b"no digits")
    result = solution.replay(script(), MILESTONE, full=True)
    assert result.outcome is Outcome.NO_DATA
    assert "train-images-idx3-ubyte.gz cannot be used" in result.cause


def test_a_script_without_a_full_stage_is_the_author_s_mistake(script: Any, solution: Player) -> None:
    short = SCRIPT[: SCRIPT.index("def full_problems")] + SCRIPT[SCRIPT.index("def problem(n)") :]
    with pytest.raises(CourseError, match=r"script\.py has no full_problems, although its milestone has a full claim"):
        solution.replay(script(short), MILESTONE, full=True)


def test_live_progress_of_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def load(folder: Path, *, progress: Any) -> Any:
        assert folder == tmp_path
        progress("train-images-idx3-ubyte.gz", 25, 100)
        raise DataError("no more")

    monkeypatch.delenv("TINYTORCH_DATA", raising=False)
    monkeypatch.setattr("pytest_tinytorch.datasets.mnist", load)
    with pytest.raises(DataError):
        lab.Data(tmp_path, said.append).mnist()
    assert said == ["downloading train-images-idx3-ubyte.gz: 25 %"]


# ---- where the student's code stops -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "module", "name"), [(1969, "optimizers", "Adam.update"), (1986, "training", "Trainer.fit")]
)
def test_a_stub_on_the_way_is_named(year: int, module: str, name: str, student: Player) -> None:
    stub = f"def stub(self, *args, **kwargs):\n    raise NotImplementedError('{module}.{name}')\n{name} = stub"
    student.append(module, stub)
    result = student.play(year)
    assert result.outcome is Outcome.UNWRITTEN
    assert result.finding
    assert result.finding.got == f"NotImplementedError: {module}.{name}"
    assert result.finding.trace[-1].file == f"tinytorch/{module}.py"


def test_a_missing_module_is_named(student: Player) -> None:
    (student.package / "optimizers.py").unlink()
    result = student.play(1969)
    assert result.outcome is Outcome.CRASHED
    assert result.finding
    assert "optimizers" in result.finding.got


@pytest.mark.parametrize("isolated", [False, True])
def test_an_endless_loop_is_stopped(student: Player, isolated: bool) -> None:
    student.append("optimizers", "def step(self, closure=None):\n    while True:\n        pass\nAdam.step = step")
    result = student.play(1969, isolated=isolated, limit=1.0)
    assert result.outcome is Outcome.TIMED_OUT
    assert result.finding
    assert result.finding.trace[-1].function == "step"


def test_a_dying_process_costs_only_the_milestone(student: Player) -> None:
    student.append("optimizers", "import os\nAdam.step = lambda self, closure=None: os._exit(0)")
    assert student.play(1969, isolated=True).outcome is Outcome.CRASHED


def test_what_came_of_it_travels_between_processes(solution: Player) -> None:
    result = solution.play(1969)
    assert MilestoneResult.from_dict(result.as_dict()) == result
