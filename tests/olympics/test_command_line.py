"""`pytest --olympics DIR` from outside."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from .conftest import changed, record, write


def run(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    """Pytest in a process of its own, in a folder that is no course."""
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *words)


def says(result: pytest.RunResult) -> str:
    """All that was printed, single-spaced."""
    return re.sub(r"\s+", " ", result.stdout.str() + result.stderr.str())


BOARD = """\
Torch Olympics   4 entries in klass

Latency   ranked by how many times faster
              faster  smaller  right   one answer
      1  ada  3.00×   1.00×    95.0 %  133 ms

Extreme   ranked by faster × smaller × share of right answers
                product  faster  smaller  right   one answer
      1  alan   76.0     2.00×   40.0×    95.0 %  200 ms
      2  grace  60.8     16.0×   4.00×    95.0 %  25.0 ms
      3  ada    30.4     8.00×   4.00×    95.0 %  50.0 ms

Faster against smaller
      faster
      16.0× |                   A
            |
            |
            |
            |                   ·
            |
            |
            |
            |
            |·
            |
      2.00× |                                                   B
            +----------------------------------------------------
             1.00×                                  40.0× smaller
      Letters: nobody is at least as good in faster, smaller and right.
      A  grace, extreme: 16.0× faster, 4.00× smaller, 95.0 %
      B  alan, extreme: 2.00× faster, 40.0× smaller, 95.0 %

An entry is a claim. Its gains follow from its numbers, and its numbers are what
a file says: the proof is a graded run of the milestone.
"""


def test_the_board_at_eighty_columns(pytester: pytest.Pytester, klass: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    klass.rename(pytester.path / "klass")
    result = run(pytester, "--olympics=klass")
    assert result.ret == 0
    assert result.stdout.str().strip() == BOARD.strip()


def test_without_colours_and_blocks(pytester: pytest.Pytester, klass: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("NO_COLOR", "1")
    write(klass, "zoe.json", record("Zoë"))
    result = run(pytester, f"--olympics={klass}")
    assert result.ret == 0
    out = result.stdout.str()
    assert out.isascii()
    assert "\x1b" not in out
    assert "16.0x faster" in out
    assert "Zoe" in out


@pytest.mark.parametrize("columns", ["40", "200"])
def test_no_line_is_wider_than_the_terminal(
    columns: str, pytester: pytest.Pytester, klass: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    write(klass, "long.json", record("a name of " + 60 * "m"))
    write(klass, "bad.json", changed("event", "luck"))
    klass.rename(pytester.path / "klass")
    result = run(pytester, "--olympics", "klass")
    assert result.ret == 1
    assert max(len(line) for line in result.outlines) <= max(int(columns), 40)


def test_a_file_that_is_refused_is_said_and_counts(pytester: pytest.Pytester, klass: Path) -> None:
    write(klass, "bad.json", changed("metrics.speedup", 80.0))
    result = run(pytester, f"--olympics={klass}")
    assert result.ret == 1
    assert "1 file was refused. " in says(result)
    assert "bad.json: metrics.speedup: 80 does not follow from 0.4 s before and 0.05 s after, which make 8" in says(
        result
    )
    assert "4 entries" in says(result)


def test_a_folder_without_entries(pytester: pytest.Pytester, tmp_path: Path) -> None:
    result = run(pytester, f"--olympics={tmp_path}")
    assert result.ret == 5
    assert f"0 entries in {tmp_path}" in says(result)


def test_nothing_but_refused_files(pytester: pytest.Pytester, tmp_path: Path) -> None:
    write(tmp_path, "a.json", b"{}")
    result = run(pytester, f"--olympics={tmp_path}")
    assert result.ret == 1
    assert "a.json: schema: is missing" in says(result)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--olympics=nowhere"],
            "--olympics nowhere: there is no such folder; name the one with the class's entry files",
        ),
        (["--olympics="], "--olympics : there is no such folder"),
        (["--olympics=file.txt"], "--olympics file.txt: is no folder"),
        (["--olympics=.", "--checkpoint", "1"], "--olympics goes by itself or with --report: leave out --checkpoint"),
        (["--olympics=.", "--full"], "--olympics goes by itself or with --report: leave out --full"),
        (["--olympics=.", "--report=a.json"], "report a.json ends in .json: a report is written by its suffix, one of"),
        (["--olympics=.", "--report=no/a.svg"], "report no/a.svg cannot be written: there is no folder no"),
    ],
)
def test_a_bad_command_line_is_one_sentence(pytester: pytest.Pytester, words: list[str], sentence: str) -> None:
    (pytester.path / "file.txt").write_text("no folder")
    result = run(pytester, *words)
    assert result.ret == 4
    assert sentence in says(result)
    assert "Traceback" not in says(result)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="who may do everything may read every folder")
def test_a_folder_that_may_not_be_read(pytester: pytest.Pytester, klass: Path) -> None:
    klass.chmod(0)
    result = run(pytester, f"--olympics={klass}")
    klass.chmod(0o700)
    assert result.ret == 4
    assert "the folder cannot be read: permission denied" in says(result)


def test_a_configuration_among_the_entries_is_refused(pytester: pytest.Pytester, klass: Path) -> None:
    write(klass, "pytest.ini", b"[pytest]\nminversion = 9.0\n")
    result = run(pytester, "--olympics", str(klass))
    assert result.ret == 4
    assert "pytest has read pytest.ini there, which a folder of entries has not" in says(result)
    assert run(pytester, f"--olympics={klass}").ret == 0


def test_code_beside_the_entries_does_not_run(pytester: pytest.Pytester, klass: Path) -> None:
    for file in ("conftest.py", "tinytorch/__init__.py", "grace/conftest.py"):
        write(klass, file, b"raise SystemExit(99)\n")
    assert run(pytester, f"--olympics={klass}").ret == 0


def test_reports(pytester: pytest.Pytester, klass: Path) -> None:
    write(klass, "mark.json", record("<b>&mallory"))
    result = run(pytester, f"--olympics={klass}", "--report=board.html", "--report=board.svg")
    assert result.ret == 0
    assert "report written to board.html" in says(result)
    page = (pytester.path / "board.html").read_text("utf-8")
    assert "&lt;b&gt;&amp;mallory" in page
    assert "<b>" not in page
    assert page.count("<circle") == 5
    assert page.count("<table") == 3
    picture = (pytester.path / "board.svg").read_text("utf-8")
    assert "grace" in picture
    assert re.findall(r"(?:href|src|url)\W+http", picture) == []


def test_it_needs_no_course_and_no_torch(pytester: pytest.Pytester, klass: Path) -> None:
    for name in ("torch", "tinytorch"):
        (pytester.path / f"{name}.py").write_text("raise SystemExit(99)")
    assert run(pytester, f"--olympics={klass}").ret == 0
