"""Another package adds checkpoint 21, a milestone and a report format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import CourseRepository

PLUGIN = """
from pathlib import Path

from pytest_tinytorch import course

FOURIER = course.Module(
    number=21,
    name="fourier",
    capability="I can hear the frequencies in a signal",
    builds="the discrete Fourier transform",
    insight="n log n",
    stars=3,
    hours=(2, 3),
    tier="Extra",
    act="VII Signals",
    level=4,
    needs=(course.TENSOR,),
    exports=("dft",),
    exercises=("dft",),
    checks="fourier_course.checkpoint_21_fourier",
    hints="fourier_course.hints",
    points=2,
)
FFT = course.Milestone(
    number=7,
    year=1965,
    name="FFT",
    after=FOURIER,
    history="Cooley and Tukey",
    claim="the strongest frequency is found",
    script=str(Path(__file__).parent / "1965_fft.py"),
)


def pytest_tinytorch_modules():
    return [FOURIER]


def pytest_tinytorch_milestones():
    return [FFT]


def pytest_tinytorch_report_formats():
    return {".txt": lambda run, path: path.write_text(f"{len(run.results)} checks\\n")}
"""

CHECKS = '''
"""Checkpoint 21: Fourier."""

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, same


@exercise("dft", points=2)
def test_dft_finds_the_frequencies(tt, draw):
    """dft gives the strength of every frequency"""
    a = draw(8)
    same(tt.dft(tt.tensor(a)), np.abs(np.fft.fft(a)), mistakes=[Mistake(np.fft.fft(a).real, "the size is lost.")])
'''

HINTS = """
from pytest_tinytorch.hints import Ladder

LADDERS = {"dft": Ladder(ask="Which wave fits?", idea="Multiply and sum.", algorithm="Use np.fft.")}
"""

MILESTONE = '''
"""1965: the fast Fourier transform."""

import numpy as np

from pytest_tinytorch import lab


def problems(rng):
    k = int(rng.integers(1, 4))
    wave = np.sin(2 * np.pi * k * np.arange(8) / 8).astype(np.float32)
    return {"wave": lab.Problem(inputs=wave, labels=wave, questions=wave, answers=np.array(k))}


def run(tt, problems, seed, show):
    wave = tt.tensor(problems["wave"]["questions"])
    return {"wave": tt.dft(wave).numpy()[:5].argmax()}


def claims(problems, answers):
    found = answers.get("wave")
    yield lab.Claim(what="frequency", required="found", reached=str(found), holds=found == problems["wave"].answers)
'''

SOLUTION = '''
import numpy as np

from .tensor import Tensor, tensor


def dft(x: Tensor) -> Tensor:
    """The strength of every frequency."""
    return tensor(np.abs(np.fft.fft(x.data)))
'''


@pytest.fixture
def extended(solved: CourseRepository, monkeypatch: pytest.MonkeyPatch) -> CourseRepository:
    """A course with a package beside it that extends the course."""
    extension = solved.pytester.mkpydir("fourier_course")
    files = {"plugin": PLUGIN, "checkpoint_21_fourier": CHECKS, "hints": HINTS, "1965_fft": MILESTONE}
    for name, text in files.items():
        (extension / f"{name}.py").write_text(text, encoding="utf-8")
    (solved.package / "fourier.py").write_text(SOLUTION, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(solved.root))
    return solved


def run(course: CourseRepository, *args: str) -> pytest.RunResult:
    return course.pytest("-p", "fourier_course.plugin", *args)


def test_an_added_checkpoint_runs(extended: CourseRepository) -> None:
    result = run(extended, "--checkpoint", "fourier")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["checkpoint-21-fourier*"])


def test_an_added_checkpoint_fails_where_it_should(extended: CourseRepository) -> None:
    extended.edit("fourier", "np.abs(np.fft.fft(x.data))", "np.fft.fft(x.data).real")
    result = run(extended, "--checkpoint", "21")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Likely mistake: the size is lost.*"])


def test_added_hints_are_found(extended: CourseRepository) -> None:
    extended.edit("fourier", "return tensor(np.abs(np.fft.fft(x.data)))", 'raise NotImplementedError("fourier.dft")')
    run(extended, "--checkpoint", "21", "--hint").stdout.fnmatch_lines(["*Which wave fits?*"])


def test_an_added_milestone_verifies_its_checkpoints_first(extended: CourseRepository) -> None:
    result = run(extended, "--milestone", "1965")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["checkpoint-01-tensor*", "checkpoint-21-fourier*", "milestone-1965*"])


def test_an_added_report_format_is_written(extended: CourseRepository) -> None:
    assert run(extended, "--checkpoint", "21", "--report", "out.txt").ret == 0
    assert (extended.root / "out.txt").read_text() == "1 checks\n"


def test_a_number_that_is_taken_is_refused(extended: CourseRepository) -> None:
    plugin = extended.root / "fourier_course" / "plugin.py"
    plugin.write_text(plugin.read_text().replace("number=21", "number=2"))
    result = run(extended, "--checkpoint", "1")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*checkpoint 2 is both activations and fourier: choose a free number*"])
