"""`--output NAME:FILE`: what is refused before anything is graded, and what a failing write leaves behind."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pytest_tinytorch.grade.outputs import FORMATS, Format, OutputError, Target, check, parse, write
from pytest_tinytorch.grade.result import Grade

from ..grades import a_grade
from .reading import CLASSROOM50

as_root = getattr(os, "geteuid", lambda: 1)() == 0
not_as_root = pytest.mark.skipif(as_root, reason="root may write everywhere")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="links and limits on files are POSIX's")


def refusal(*texts: str, environ: dict[str, str] | None = None) -> str:
    """The sentence that refuses these outputs."""
    with pytest.raises(OutputError) as caught:
        check([parse(text) for text in texts], environ or {})
    return str(caught.value)


@pytest.mark.parametrize("text", ["html:x.html", "html", ":x", "", "JSON:x"])
def test_an_unknown_name_lists_those_that_exist(text: str) -> None:
    with pytest.raises(OutputError, match=re.escape(", ".join(FORMATS))):
        parse(text)


@pytest.mark.parametrize("text", ["json", "json:"])
def test_a_format_without_a_file(text: str) -> None:
    with pytest.raises(OutputError, match="output json has no file: give json:FILE, or json:- for standard output"):
        parse(text)


def test_a_file_is_all_after_the_first_colon() -> None:
    assert parse(r"json:C:\grades\kim.json").file == r"C:\grades\kim.json"


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    assert f"cannot be written: there is no folder {tmp_path / 'none'}" in refusal(f"json:{tmp_path / 'none' / 'x'}")


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert refusal(f"json:{tmp_path}").endswith("is a folder: give the name of a file in it")


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert "cannot be written" in refusal(f"json:{tmp_path / ('x' * 5000) / 'y'}")


@not_as_root
def test_a_file_or_folder_that_is_read_only(tmp_path: Path) -> None:
    file = tmp_path / "grade.json"
    file.touch()
    file.chmod(0o444)
    assert refusal(f"json:{file}").endswith("cannot be written: permission denied")
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o555)
    assert refusal(f"json:{folder / 'grade.json'}").endswith("cannot be written: permission denied")


def test_permissions_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    assert refusal(f"json:{tmp_path / 'x'}").endswith("cannot be written: permission denied")


def test_the_same_file_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "output csv:./x would overwrite output json:x" in refusal("json:x", "csv:./x")


@on_posix
def test_the_same_file_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("x")
    assert "would overwrite" in refusal(f"json:{tmp_path / 'x'}", f"csv:{tmp_path / 'link'}")


def test_classroom_50_needs_its_environment() -> None:
    said = refusal("classroom50:-", environ={**CLASSROOM50, "OWNER": ""})
    assert said.endswith("OWNER is not set, as Classroom 50's runner does for its autograder")
    assert "CLASSROOM, ASSIGNMENT, ASSIGNMENT_TYPE, OWNER, SUBMISSION_TAG, COMMIT_URL and" in refusal("classroom50:-")
    assert "does not begin with submit/" in refusal("classroom50:-", environ={**CLASSROOM50, "SUBMISSION_TAG": "v1"})
    check([parse("classroom50:-")], CLASSROOM50)


def test_several_outputs_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["json", "github", "gradescope", "summary", "annotations", "junit", "csv"]
    targets = [parse(f"{name}:{tmp_path / name}") for name in names] + [parse("csv:-"), parse("annotations:-")]
    check(targets)
    assert write(a_grade(), targets) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert json.loads((tmp_path / "json").read_text("utf-8"))["score"] == 13
    printed = capsys.readouterr().out
    assert printed.startswith("student,score,max_score")
    assert "\n::error file=tinytorch/activations.py,line=88" in printed


def test_a_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "grade.csv"
    file.write_text("old", encoding="utf-8")
    assert write(a_grade(), [parse(f"csv:{file}")]) == []
    assert file.read_text("utf-8").startswith("student")


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_a_file_that_a_step_shares_is_added_to(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shared"
    file.write_text("before=1\n", encoding="utf-8")
    monkeypatch.setenv(name, str(file))
    target = parse(f"github:{tmp_path / '.' / 'shared'}")
    check([target])
    assert write(a_grade(), [target]) == []
    assert file.read_text("utf-8").startswith("before=1\ntensor=")


def test_a_device_is_written_to_and_not_replaced() -> None:
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("there is no /dev/full here")
    target = parse("json:/dev/full")
    check([target])
    assert write(a_grade(), [target]) == ["output json:/dev/full cannot be written: no space left on device"]
    assert full.is_char_device()


def broken(grade: Grade) -> str:
    """A format with a fault."""
    raise KeyError(grade.student)


def test_a_failing_output_takes_no_other_with_it(tmp_path: Path) -> None:
    fault = Target(format=Format(name="new", about="", render=broken), file=str(tmp_path / "new"))
    gone = parse(f"csv:{tmp_path / 'gone' / 'x'}")
    problems = write(a_grade(), [fault, gone, parse(f"json:{tmp_path / 'json'}")])
    assert problems == [
        f"{fault} cannot be written: KeyError: 'kim'",
        f"{gone} cannot be written: no such file or directory",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["json"]


@on_posix
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: the write fails half way."""
    (tmp_path / "grade.json").write_text("old", encoding="utf-8")
    script = """
        import resource, signal, sys
        from pytest_tinytorch.grade.outputs import parse, write
        from tests.grade.grades import a_grade

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        targets = [parse(f"{name}:{sys.argv[1]}/grade.{name}") for name in ("json", "csv")]
        sys.stdout.write("\\n".join(write(a_grade(), targets)))
    """
    told = subprocess.run(  # noqa: S603  # our script
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"output json:{tmp_path}/grade.json cannot be written: file too large"
    assert (tmp_path / "grade.json").read_text("utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grade.csv", "grade.json"]


def test_what_a_killed_run_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".x.{os.getpid()}").write_text("half", encoding="utf-8")
    assert write(a_grade(), [parse(f"csv:{tmp_path / 'x'}")]) == []
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


PACKAGE = """
def short(grade):
    return f"{grade.student} {grade.score}\\n"
"""


@pytest.fixture
def another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with formats of its own, one of them broken and one with a name of ours."""
    site = tmp_path / "site"
    info = site / "shortly-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "shortly.py").write_text(PACKAGE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shortly\nVersion: 1.0\n", encoding="utf-8")
    points = "[pytest_tinytorch.grade_formats]\nshort = shortly:short\ngone = shortly:gone\njson = shortly:short\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.usefixtures("another_package")
def test_another_package_adds_a_format(capsys: pytest.CaptureFixture[str]) -> None:
    targets = [parse("short:-"), parse("json:-")]
    check(targets)
    assert write(a_grade(), targets) == []
    assert capsys.readouterr().out.startswith("kim 13\n{")
    assert "output gone:- cannot be written: shortly:gone cannot be loaded: AttributeError" in refusal("gone:-")
    with pytest.raises(OutputError, match="one of short, gone, json, github"):
        parse("html:x")


def test_standard_output_of_few_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert write(a_grade(student="Ω ✓"), [parse("csv:-"), parse("json:-"), parse("summary:-")]) == []
