"""Milestones 1969 and 1986 from the command line, on courses whose checkpoints are proved, and on others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.outcome import Outcome, Result
from pytest_tinytorch.progress import Progress
from pytest_tinytorch.reports import json as json_report
from tests.conftest import REPOSITORY, CourseRepository


def prove(repository: CourseRepository) -> CourseRepository:
    """Let the course remember that every checkpoint passed."""
    progress = Progress(repository.root, repository.package)
    proved = [m for m in course.MODULES if m.built]
    progress.remember(
        [
            Result(
                check=f"checkpoint-{m.number:02}-{m.name}::test_all",
                number=m.number,
                module=m.name,
                exercise=None,
                claim="all of it",
                points=m.points,
                outcome=Outcome.PASSED,
            )
            for m in proved
        ],
        {m.number: m for m in proved},
    )
    assert progress.save() == ""
    return repository


@pytest.fixture
def proved(solved: CourseRepository) -> CourseRepository:
    """A solved course in which every checkpoint is proved."""
    return prove(solved)


def says(result: pytest.RunResult) -> str:
    """All that was printed, single-spaced."""
    return re.sub(r"\s+", " ", result.stdout.str() + result.stderr.str())


def milestones(repository: CourseRepository) -> list[dict[str, Any]]:
    """What a JSON report says of the milestones; it follows its schema."""
    jsonschema: Any = pytest.importorskip("jsonschema")
    data = json.loads((repository.root / "out.json").read_text("utf-8"))
    jsonschema.validate(data, json_report.schema(), cls=jsonschema.Draft202012Validator)
    found: list[dict[str, Any]] = data["milestone_results"]
    return found


def picture(folder: Path) -> Path:
    """A 7 as a PNG."""
    image: Any = pytest.importorskip("PIL.Image", reason="drawing needs Pillow")
    draw: Any = pytest.importorskip("PIL.ImageDraw")
    seven = image.new("L", (200, 200), 255)
    draw.Draw(seven).line([(44, 28), (148, 28), (84, 180)], fill=0, width=14)
    seven.save(folder / "seven.png")
    return Path(folder / "seven.png")


def test_the_shipped_milestones_are_reached_in_seconds(proved: CourseRepository) -> None:
    began = time.perf_counter()
    result = proved.pytest("--milestone", "1986", "--report", "out.json", "--report", "out.html", "--report", "out.md")
    assert time.perf_counter() - began < 15  # two or three on a machine that does nothing else
    assert result.ret == 0, says(result)
    (found,) = milestones(proved)
    assert [each["kind"] for each in found["exhibits"]] == ["curve", "curve", "matrix", "pictures"]
    assert (proved.root / "out.html").read_text("utf-8").count("<svg") >= 6
    assert "was 0" in (proved.root / "out.md").read_text("utf-8")
    assert "New digits read after each epoch" in says(result)
    assert '"3"' in (proved.root / ".tinytorch" / "progress.json").read_text("utf-8")


def test_both_under_xdist(proved: CourseRepository) -> None:
    pytest.importorskip("xdist", reason="runs in several processes need pytest-xdist")
    result = proved.pytest("--milestone", "2,3", "-n", "2", "--report", "out.json")
    assert result.ret == 0, says(result)
    assert sorted(each["number"] for each in milestones(proved)) == [2, 3]


def test_terse_and_without_blocks(proved: CourseRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("NO_COLOR", "1")
    out = proved.pytest("--milestone", "1969").stdout.str()
    assert "@@" in out
    assert "\x1b" not in out
    assert out.isascii()
    terse = proved.pytest("--milestone", "1969", "-q").stdout.str()
    assert "hidden layer, worst of 20 seeds" in terse
    assert "@@" not in terse


def test_a_digit_of_one_s_own(proved: CourseRepository) -> None:
    picture(proved.root)
    result = proved.pytest("--milestone", "1986", "--digit", "seven.png", "--report", "out.json")
    assert result.ret == 0, says(result)
    assert "It reads your digit as " in says(result)
    assert [each["kind"] for each in milestones(proved)[0]["exhibits"]][:2] == ["pictures", "bars"]
    assert "It reads your digit as " in says(proved.pytest("--milestone", "1986", "--digit", "seven.png", "-q"))


def test_a_picture_from_elsewhere_wants_the_equals_sign(
    proved: CourseRepository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = picture(tmp_path_factory.mktemp("desktop"))
    assert proved.pytest("--milestone", "1986", f"--digit={elsewhere}").ret == 0
    result = proved.pytest("--milestone", "1986", "--digit", str(elsewhere))
    assert result.ret == 4
    assert "write options and paths in one, as in --digit=FILE" in says(result)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--digit", "x.png"], "--digit goes with --milestone 1986: pytest --milestone 1986 --digit FILE"),
        (["--milestone", "1969", "--digit=seven.png"], "--digit goes with --milestone 1986, which reads digits"),
        (["--milestone", "1986", "--digit=x.png"], "--digit x.png: there is no such file"),
        (["--milestone", "1986", "--digit=pyproject.toml"], "pyproject.toml: the file is no PNG or JPEG picture"),
        (["--milestone", "1969", "--full"], "1969 XOR has no full benchmark: leave out --full"),
        (["--checkpoint", "1", "--digit=seven.png"], "--digit goes with --milestone 1986, which reads digits"),
    ],
)
def test_bad_options_are_one_sentence(proved: CourseRepository, options: list[str], sentence: str) -> None:
    picture(proved.root)
    result = proved.pytest(*options)
    assert result.ret == 4
    assert sentence in says(result)


@pytest.mark.parametrize("size", ["0", "1", "-4", "many", "3.5", "²"])
def test_a_batch_that_is_no_size_is_refused(
    size: str, proved: CourseRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYTORCH_BATCH", size)
    result = proved.pytest("--milestone", "1998", "--full")
    assert result.ret == 4
    assert f"TINYTORCH_BATCH={size} in the environment is no size of a batch: a whole number from 2 on is" in says(
        result
    )


def test_pictures_and_filters_in_every_report(proved: CourseRepository) -> None:
    reports = ("--report", "out.json", "--report", "out.html", "--report", "out.md")
    result = proved.pytest("--milestone", "1998", *reports)
    assert result.ret == 0, says(result)
    (found,) = milestones(proved)
    assert [each["kind"] for each in found["exhibits"]] == ["curve", "pictures", "matrix", "pictures"]
    assert "CNN, 6,186 numbers: 3 seeds together" in says(result)
    assert not (proved.root / ".tinytorch" / "unfinished").exists()


def test_without_pillow(proved: CourseRepository) -> None:
    picture(proved.root)
    (proved.root / "PIL.py").write_text("raise ImportError")
    result = proved.pytest("--milestone", "1986", "--digit", "seven.png", "-p", "no:cacheprovider")
    assert result.ret == 4
    assert 'reading pictures needs Pillow, pip install "pytest-tinytorch[digit]"' in says(result)


def test_data_that_is_missing_is_said_and_is_no_failure_of_the_student_s(
    proved: CourseRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYTORCH_OFFLINE", "1")
    monkeypatch.setenv("TINYTORCH_DATA", str(proved.root / "data"))
    result = proved.pytest("--milestone", "1986", "--full", "--report", "out.json", "--report", "out.html")
    assert result.ret == 1
    text = says(result)
    assert "1986 MLP (full): did not run, its data set is missing" in text
    assert "TINYTORCH_OFFLINE forbids downloads" in text
    assert "pytest --milestone 1986 --full" in text
    assert "1 without data" in text
    assert [each["outcome"] for each in milestones(proved)] == ["data missing"]


def test_in_full_from_the_folder_that_the_course_names(proved: CourseRepository, mnist: Path) -> None:
    configuration = proved.root / "pyproject.toml"
    text = configuration.read_text("utf-8")
    assert "[tool.pytest.ini_options]" in text
    line = f'[tool.pytest.ini_options]\ntinytorch_data = "{mnist.as_posix()}"'
    configuration.write_text(text.replace("[tool.pytest.ini_options]", line), encoding="utf-8")
    result = proved.pytest("--milestone", "mlp", "--full", "--report", "out.json")
    assert result.ret == 0, says(result)
    assert "unverified cop" in says(result)
    assert milestones(proved)[0]["full"] is True


# ---- what is not proved ---------------------------------------------------------------------------------------


def test_bare_stubs_wait(bare: CourseRepository) -> None:
    result = bare.pytest("--milestone", "1969", "--report", "out.json")
    assert result.ret == 1
    (found,) = milestones(bare)
    assert found["outcome"] == "blocked"
    for module in (*course.TRAINING.foundations, course.TRAINING):
        assert module.label in found["cause"]


@pytest.mark.parametrize("module", ["activations", "autograd", "training", "dataloader"])
def test_a_module_of_stubs_is_named(module: str, proved: CourseRepository) -> None:
    shutil.copy(REPOSITORY / "exercises" / "tinytorch" / f"{module}.py", proved.package / f"{module}.py")
    result = proved.pytest("--milestone", "1986", "--report", "out.json")
    assert result.ret == 1
    (found,) = milestones(proved)
    assert found["outcome"] == "blocked"
    assert f" {module} (" in found["cause"]
    assert " tensor (" not in found["cause"]


def test_a_module_that_is_not_there_is_named(proved: CourseRepository) -> None:
    (proved.package / "training.py").unlink()
    result = proved.pytest("--milestone", "1969", "--report", "out.json")
    assert result.ret == 1
    assert milestones(proved)[0]["outcome"] == "blocked"
    assert "07 training (" in milestones(proved)[0]["cause"]


# ---- a script by itself ---------------------------------------------------------------------------------------


def alone(repository: CourseRepository, script: str, *words: str, **variables: str) -> tuple[int, str]:
    """Run a milestone's script as a student does: its exit code, and what it said."""
    command = (sys.executable, f"milestones/{script}", *words)
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"} | variables
    run = subprocess.run(  # noqa: S603 -- our own interpreter
        command, cwd=repository.root, capture_output=True, check=False, env=environment, encoding="utf-8"
    )
    return run.returncode, re.sub(r"\s+", " ", run.stdout + run.stderr)


def test_scripts_run_alone(solved: CourseRepository) -> None:
    picture(solved.root)
    code, said = alone(solved, "1986_mlp.py", "--digit", "seven.png")
    assert code == 0, said
    assert "It reads your digit as " in said
    assert alone(solved, "1969_xor.py")[0] == 0


def test_a_script_alone_refuses_what_pytest_refuses(solved: CourseRepository) -> None:
    code, said = alone(solved, "1986_mlp.py", "--digit", "none.png")
    assert (code, said.strip()) == (4, "--digit none.png: there is no such file")
    assert alone(solved, "1969_xor.py", "--full")[0] == 2
    code, said = alone(solved, "1986_mlp.py", "--full", TINYTORCH_OFFLINE="1", TINYTORCH_DATA=str(solved.root / "data"))
    assert code == 1
    assert "its data set is missing" in said
