"""`tinytorch-grade` from outside: what it prints, what it writes, its exit codes, and that it cleans up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.grade import cli
from pytest_tinytorch.grade.cli import name_of

from .handed_in import GIT, commit, repository, small, solution
from .handed_in import course as a_course

COMMAND = (sys.executable, "-I", "-m", "pytest_tinytorch.grade")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where temporary files go; it must be empty in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def environment(place: Path, **more: str) -> dict[str, str]:
    named = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(place))
    return {**os.environ, **named, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", **more}


def run(place: Path, *words: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run the command; nothing may be left behind, and no traceback said."""
    done = subprocess.run(  # noqa: S603 -- this interpreter, and words of ours
        [*COMMAND, *map(str, words)],
        env=environment(place, **how.pop("env", {})),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        **how,
    )
    assert list(place.iterdir()) == []
    assert "Traceback" not in done.stdout + done.stderr
    return done


# ---- graded -------------------------------------------------------------------------------------------------------


def test_a_submission_is_graded_and_told_in_eighty_columns(tmp_path: Path, place: Path) -> None:
    wrong = f"{solution('activations')}\n\ndef relu(x):\n    return x\n"
    root = a_course(tmp_path / "ada", solved=("tensor",), activations=wrong)
    done = run(place, root, "--checkpoint", "1-3", "--milestone", "1957", "--seed", "5")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ada: ")
    assert any(line.split()[:3] == ["✓", "01", "tensor"] for line in lines)
    assert "wrong: 02 activations: relu keeps what is positive" in done.stdout
    assert "tinytorch/activations.py:" in done.stdout
    assert "1957 Perceptron" in done.stdout
    assert "track complete, seed 5: the checks of a checkpoint share a process" in " ".join(done.stdout.split())


def test_outputs_are_written_and_the_summary_makes_way_for_one_on_standard_output(tmp_path: Path, place: Path) -> None:
    root = a_course(tmp_path / "ada", solved=("tensor",))
    target = tmp_path / "grade.json"
    done = run(
        place, root, "--checkpoint", "1", "--output", f"json:{target}", "--output", "csv:-", "--student", "Ada L."
    )
    grade = json.loads(target.read_text("utf-8"))
    assert grade["student"] == "Ada L."
    assert grade["score"] == grade["max_score"] > 0
    assert "Ada L." in done.stdout
    assert "Ada L.: " in done.stderr
    assert done.returncode == 0


def test_an_assignment_file_says_what_is_graded(tmp_path: Path, place: Path) -> None:
    root = a_course(tmp_path / "ada", package="mytorch")
    file = tmp_path / "autumn.toml"
    file.write_text('[assignment]\npackage = "mytorch"\ncheckpoints = "1-2"\n[weights]\ntensor = 2\n')
    done = run(place, root, "--assignment", file, "--checkpoint", "1", "--output", "json:-")
    grade = json.loads(done.stdout)
    assert [(part["module"], part["weight"]) for part in grade["checkpoints"]] == [("tensor", 2)]
    assert (done.returncode, grade["score"]) == (0, 0)


@pytest.mark.skipif(GIT is None, reason="git is not installed")
def test_a_repository_is_graded_as_it_was(tmp_path: Path, place: Path) -> None:
    root = repository(a_course(tmp_path / "ada", solved=("tensor",)))
    (root / "tinytorch" / "tensor.py").write_text("x = 1\n")
    commit(root, "broken", when="2026-05-01T00:00:00+00:00")
    words = ("--checkpoint", "1", "--output", "json:-")
    now = json.loads(run(place, root, "--ref", "main", *words).stdout)
    then = json.loads(run(place, root, "--at", "2026-04-01", *words).stdout)
    assert (now["score"], then["score"]) == (0, then["max_score"])
    assert now["commit"] != then["commit"]


def test_nothing_in_the_folder_where_it_is_started_is_loaded(tmp_path: Path, place: Path) -> None:
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    root = a_course(tmp_path / "ada", solved=("tensor",))
    for name in ("conftest.py", "numpy.py", "pytest.py", "sitecustomize.py", "usercustomize.py", "json.py", "rich.py"):
        (root / name).write_text(trap)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -k nothing --collect-only\n")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntinytorch_time_limit = "0.001"\n')
    (root / "evil.dist-info").mkdir()
    (root / "evil.dist-info" / "entry_points.txt").write_text("[pytest11]\nevil = conftest\n")
    (root / "tinytorch" / "conftest.py").write_text(trap)
    done = run(place, ".", "--checkpoint", "1", "--output", "json:-", cwd=root, env={"PYTHONPATH": str(root)})
    grade = json.loads(done.stdout)
    assert grade["score"] == grade["max_score"] > 0
    assert not (tmp_path / "sprung").exists()
    assert {found["kind"] for found in grade["integrity"]} == {"tampered configuration"}
    assert grade["student"] == "ada"


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    script = shutil.which("tinytorch-grade", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("the console script is not installed beside this interpreter")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)  # noqa: S603 -- our own
    assert done.returncode == 0
    assert "Exit codes: 0 graded, 2 not graded, 4 bad usage, 130 interrupted." in " ".join(done.stdout.split())


# ---- not graded ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_graded_is_one_sentence_and_exit_code_2(tmp_path: Path, place: Path) -> None:
    (tmp_path / "ada").mkdir()
    target = tmp_path / "grade.json"
    done = run(place, tmp_path / "ada", "--output", f"json:{target}")
    assert done.returncode == 2
    assert done.stderr == f"tinytorch-grade: there is no package tinytorch/ in {tmp_path / 'ada'}: it is empty\n"
    assert done.stdout == ""
    assert json.loads(target.read_text("utf-8"))["score"] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [(), ("--output", "json:-"), ("--output", "json:/dev/full")])
def test_a_disk_that_is_full_is_one_sentence_and_exit_code_2(
    words: tuple[str, ...], tmp_path: Path, place: Path
) -> None:
    root = a_course(tmp_path / "ada")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 -- this interpreter, and words of ours
            [*COMMAND, str(root), "--checkpoint", "1", *words],
            env=environment(place),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    said = [line for line in done.stderr.splitlines() if line.startswith("tinytorch-grade: ")]
    assert "no space left on device" in "".join(said).lower()
    assert "Exception" not in done.stderr
    assert done.returncode == 2
    assert list(place.iterdir()) == []


# ---- not usable ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "the following arguments are required: SUBMISSION"),
        (("ada", "--sed", "1"), "unrecognized arguments: --sed 1"),
        (("ada", "--seed", "x"), "argument --seed: invalid int value: 'x'"),
        (("ada", "--seed", "-1"), "--seed -1: a seed is a whole number from 0 on"),
        (("ada", "--at", "noon"), "--at: noon is no time, such as 2026-10-31T18:00:00Z"),
        (("ada", "--track", "short"), "track = 'short' is no track; there are complete,"),
        (("ada", "--checkpoint", "21"), "checkpoints: 21: checkpoints are numbered 0 to 20"),
        (("ada", "--milestone", "next"), "milestones: next depends on what a student has proved"),
        (("ada", "--package", "my-torch"), "package = 'my-torch' is no name of a Python package"),
        (("ada", "--time-limit", "0"), "time_limit = 0.0 is no number of seconds above 0"),
        (("ada", "--total-limit", "nan"), "total_limit = nan is no number of seconds"),
        (("ada", "--assignment", "no.toml"), "no.toml cannot be read: No such file"),
        (("ada", "--output", "xml:x"), "output 'xml' is not known: it is one of json,"),
        (("ada", "--output", "json"), "output json has no file"),
        (("ada", "--output", "json:no/where.json"), "cannot be written: there is no folder no"),
        (("class",), "the following arguments are required: DIR|ROSTER.csv, --into"),
        (("merge",), "the following arguments are required: FOLDER, --into"),
    ],
)
def test_a_command_line_that_cannot_be_used_is_one_sentence_and_exit_code_4(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(small(tmp_path))
    try:
        code = cli.main(words)
    except SystemExit as left:
        code = int(left.code or 0)
    out, said = capsys.readouterr()
    assert (code, out) == (4, "")
    assert said.startswith("tinytorch-grade")
    assert sentence in said
    assert said.count("\n") == 1


# ---- interrupted --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
@pytest.mark.parametrize("moment", [0.4, 3.0], ids=["early", "while it grades"])
def test_interrupted_it_leaves_nothing_and_says_130(number: int, moment: float, tmp_path: Path, place: Path) -> None:
    hang = f"{solution('activations')}\n\ndef relu(x):\n    while True: pass\n"
    root = a_course(tmp_path / "ada", solved=("tensor",), activations=hang)
    mark = f"--student=mark-{os.getpid()}"
    process = subprocess.Popen(  # noqa: S603 -- this interpreter, and words of ours
        [*COMMAND, str(root), "--checkpoint", "2", mark],
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(moment)
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    if process.returncode != -number:  # so it ends where Python itself was still starting
        assert (process.returncode, out, said) == (130, "", "tinytorch-grade: interrupted\n")
    assert list(place.iterdir()) == []
    assert not _processes_in(place)


def _processes_in(place: Path) -> list[str]:
    """Processes whose environment names the folder: judges and workers are told where to write."""
    time.sleep(0.5)
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(place).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text())
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return found


# ---- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("subs/ada", "ada"),
        ("subs/ada/", "ada"),
        ("subs\\ada.zip", "ada"),
        ("ada.tar.gz", "ada"),
        ("https://token@host/class/ada.git", "ada"),
        ("git@host:ada", "ada"),
        (".zip", ".zip"),
    ],
)
def test_a_submission_is_called_by_the_last_of_its_source(source: str, name: str) -> None:
    assert name_of(source) == name
