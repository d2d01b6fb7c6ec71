"""`tinytorch-grade class` and `merge`, as an instructor runs them."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.classes.handouts import publish
from pytest_tinytorch.grade.classes.roster import Entry
from pytest_tinytorch.grade.classes.store import Run, Store
from pytest_tinytorch.grade.cli import main
from tests.grade.classes.fake import made
from tools import ROOT

COMMAND = [sys.executable, "-I", "-m", "pytest_tinytorch.grade"]
CHECKPOINT = ("--checkpoint", "2", "--seed", "5")
KILLS = "import os, signal\nfor process in (os.getppid(), 0):\n    os.kill(process, signal.SIGTERM)\nos._exit(0)\n"


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """Solved twice, untouched, and nothing at all."""
    folder = tmp_path / "class"
    for student, flavour in (("ann", "solutions"), ("bob", "exercises"), ("cem", "solutions")):
        shutil.copytree(ROOT / flavour / "tinytorch", folder / student / "tinytorch")
    (folder / "dan").mkdir()
    return folder


def graded(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    words = [*COMMAND, *map(str, arguments)]
    return subprocess.run(  # noqa: S603 -- our own command
        words, capture_output=True, encoding="utf-8", timeout=600, check=False
    )


def gradebook(folder: Path) -> dict[str, dict[str, str]]:
    """The rows by student."""
    with (folder / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_class_is_graded(submissions: Path, tmp_path: Path) -> None:
    into = tmp_path / "out"
    done = graded("class", submissions, "--into", into, "-j", 2, *CHECKPOINT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    rows = gradebook(into)
    full = rows["ann"]["max_score"]
    assert [rows[student]["score"] for student in ("ann", "bob", "cem", "dan")] == [full, "0", full, "0"]
    assert "there is no package tinytorch/" in rows["dan"]["trouble"]
    assert sorted(path.name for path in (into / "feedback").iterdir()) == ["ann.md", "bob.md", "cem.md", "dan.md"]
    assert "the same as another's: 1" in done.stderr
    assert len((into / "results.jsonl").read_text(encoding="utf-8").splitlines()) == 4
    again = graded("class", submissions, "--into", into, *CHECKPOINT)
    assert again.returncode == 0
    assert "grading" not in again.stderr


def test_the_same_bytes_whatever_the_number_of_processes(submissions: Path, tmp_path: Path) -> None:
    kept = []
    for processes in (1, 2):
        into = tmp_path / f"out{processes}"
        done = graded("class", submissions, "--into", into, "-j", processes, *CHECKPOINT)
        assert done.returncode == 0, done.stderr
        files = {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}
        files["results.jsonl"] = b"\n".join(sorted(files["results.jsonl"].splitlines()))
        del files["timings.jsonl"]
        kept.append(files)
    assert kept[0] == kept[1]


def test_a_class_of_which_nothing_can_be_graded_is_an_error(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student,source\nann,\nbob,nowhere\n", encoding="utf-8")
    done = graded("class", roster, "--into", tmp_path / "out", *CHECKPOINT)
    assert done.returncode == 2
    rows = gradebook(tmp_path / "out")
    assert rows["ann"]["trouble"] == "no submission: roster.csv:2 names no source"
    assert rows["bob"]["trouble"].startswith("there is no ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "there is no folder and no roster at"),
        (("class", "-j", "0"), "-j 0: at least one process is needed"),
        (("class", "-j", "two"), "invalid int value"),
        (("class", "--shard", "3/2"), "--shard 3/2 is not K/N, such as 2/5"),
        (("class", "--shard", "x"), "--shard x is not K/N, such as 2/5"),
        (("class", "--shard", "2/2"), "--shard 2/2 is empty: the class has 1 submission"),
        (("class", "-j", "2", "--dask", "tcp://x:1"), "-j and --dask exclude each other"),
        (("class", "--into", "class/out"), "lies among the submissions"),
        (("class", "--seed", "-1"), "a seed is a whole number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_usage_is_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("class", "ann").mkdir(parents=True)
    try:
        code = main(["class", "--into", "out", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 4
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not Path("out").exists()


def test_a_roster_s_faults_are_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student,source\nann,a\nann,b\n,c\n", encoding="utf-8")
    assert main(["class", str(roster), "--into", str(tmp_path / "out")]) == 4
    assert capsys.readouterr().err.splitlines() == [
        "tinytorch-grade class: roster.csv:4: no student is named",
        "tinytorch-grade class: roster.csv:3: ann is already in roster.csv:2; a student has one submission",
    ]


def test_another_assignment_does_not_go_into_the_same_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "class" / "ann").mkdir(parents=True)
    words = ["class", str(tmp_path / "class"), "--into", str(tmp_path / "out")]
    assert main([*words, "--checkpoint", "1"]) == 2  # there is nothing to grade
    assert main([*words, "--checkpoint", "2"]) == 2
    assert "holds another run: it was begun for another assignment" in capsys.readouterr().err
    assert main([*words, "--checkpoint", "2", "--fresh"]) == 2
    assert "there is no package" in capsys.readouterr().err


def test_nobody_answers_for_dask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    (tmp_path / "class" / "ann").mkdir(parents=True)
    words = ["class", str(tmp_path / "class"), "--into", str(tmp_path / "out"), "--dask", "tcp://127.0.0.1:9"]
    assert main(words) == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_broken_and_hostile_submissions_cost_only_themselves(submissions: Path, tmp_path: Path) -> None:
    solved = submissions / "ann"
    shutil.make_archive(str(submissions / "zip"), "zip", solved)
    bare_repository(solved, submissions / "git.git")
    (submissions / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    for student, code in (("hangs", "while True:\n    pass\n"), ("kills", KILLS), ("syntax", "def f(:\n")):
        package = submissions / student / "tinytorch"
        shutil.copytree(solved / "tinytorch", package)
        with (package / "activations.py").open("a", encoding="utf-8") as file:
            file.write(f"\n\n{code}")
    limits = ("--time-limit", "1", "--total-limit", "30")
    done = graded("class", submissions, "--into", tmp_path / "out", "-j", 2, *CHECKPOINT, *limits)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    rows = gradebook(tmp_path / "out")
    full = rows["ann"]["max_score"]
    assert [rows[student]["score"] for student in ("ann", "cem", "git", "zip")] == [full] * 4
    assert [rows[student]["score"] for student in ("bob", "broken", "dan", "hangs", "kills", "syntax")] == ["0"] * 6
    assert rows["git"]["commit"]
    assert rows["broken"]["trouble"]
    assert not (tmp_path / "out" / "faults.log").exists()


def bare_repository(folder: Path, into: Path) -> None:
    """A bare repository with the folder as its only commit."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "all")):
        subprocess.run([git, "-C", str(folder), *words], check=True)  # noqa: S603 -- git, on our own folder
    subprocess.run([git, "clone", "-q", "--bare", str(folder), str(into)], check=True)  # noqa: S603 -- likewise
    shutil.rmtree(folder / ".git")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process on Windows")
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(submissions: Path, tmp_path: Path) -> None:
    into = tmp_path / "out"
    words = ["class", submissions, "--into", into, "--checkpoint", "1-20", "--seed", "5"]
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [*COMMAND, *map(str, words)], stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True
    )
    for _ in range(1200):
        if (into / "results.jsonl").exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "of 4 are graded and kept; the same command goes on." in told
    assert "Traceback" not in told
    assert _no_process_is_left(process.pid)


def _no_process_is_left(parent: int) -> bool:
    """Whether nothing runs any more that the command started."""
    if not Path("/proc").is_dir():
        return True
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == parent:
                return False
        except (OSError, ValueError):
            continue
    return True


def test_signed_results_are_verified_also_when_they_were_merged(tmp_path: Path) -> None:
    (tmp_path / "class" / "ann").mkdir(parents=True)
    key, into, merged = (str(tmp_path / name) for name in ("class.key", "out", "merged"))
    assert main(["keygen", key]) == 0
    assert main(["class", str(tmp_path / "class"), "--into", into, "--checkpoint", "1", "--sign", key]) == 2
    assert main(["merge", into, "--into", merged]) == 0
    assert [main(["verify", folder, "--key", key]) for folder in (into, merged)] == [0, 0]
    path = Path(merged, "results.jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace('"outcome":"not run"', '"outcome":"passed"', 1), "utf-8")
    assert main(["verify", merged, "--key", key]) == 1


def test_a_key_that_is_none_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "class" / "ann").mkdir(parents=True)
    words = ["class", str(tmp_path / "class"), "--into", str(tmp_path / "out"), "--sign", str(tmp_path / "nothing")]
    assert main(words) == 4
    assert "nothing cannot be read: No such file" in capsys.readouterr().err


# ---- merge


def shard(folder: Path, students: dict[str, int], shard: str = "", seed: int = 5) -> Path:
    """A finished run of a few students."""
    with Store.open(folder, Run.of(Assignment(), seed, shard=shard)) as store:
        for student, points in students.items():
            job = {"student": student, "source": f"/class/{student}", "seed": seed}
            grade = made(job, points, f"digest of {student}").as_dict()
            store.append(Entry(student=student, source=f"/class/{student}"), grade)
            store.keep_source(f"digest of {student}", {"tensor.py": ""})
        publish(store, students)
    return folder


def test_merged_shards_are_the_whole_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = shard(tmp_path / "whole", {"ann": 1, "bob": 2, "cem": 3})
    one = shard(tmp_path / "one", {"ann": 1, "cem": 3}, "1/2")
    two = shard(tmp_path / "two", {"bob": 2}, "2/2")
    into = tmp_path / "merged"
    assert main(["merge", str(one), str(two), "--into", str(into)]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"3 submissions of 2 folders in {into}."
    for name in ("run.json", "gradebook.csv", "report.html", "feedback/bob.md", "sources/digest of bob.json"):
        assert (into / name).read_bytes() == (whole / name).read_bytes(), name
    lines = [sorted((folder / "results.jsonl").read_bytes().splitlines()) for folder in (into, whole)]
    assert lines[0] == lines[1]
    assert "timings" not in json.loads(lines[0][0])


def test_a_missing_or_unfinished_shard_is_told_and_the_rest_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = shard(tmp_path / "one", {"ann": 1}, "1/3")
    three = shard(tmp_path / "three", {"cem": 3}, "3/3")
    (three / "gradebook.csv").unlink()
    (tmp_path / "empty").mkdir()
    into = tmp_path / "merged"
    assert main(["merge", str(one), str(tmp_path / "empty"), str(three), "--into", str(into)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"left out: {tmp_path / 'empty'} holds no run of tinytorch-grade class: there is no run.json",
        f"{three} was not finished: some of its students may be missing",
        "missing: shard 2/3",
        f"2 submissions of 2 folders in {into}.",
    ]
    assert set(gradebook(into)) == {"ann", "cem"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"seed": 6, "shard": "2/2"}, "does not go with"),
        ({"shard": "2/3"}, "these are shards of different runs: 1/2 and 2/3"),
        ({"shard": "2/2", "students": {"ann": 4}}, "ann has one grade in"),
    ],
    ids=["seed", "number", "grade"],
)
def test_what_does_not_belong_together_is_not_merged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: dict[str, object], said: str
) -> None:
    one = shard(tmp_path / "one", {"ann": 1}, "1/2")
    two = shard(tmp_path / "two", **({"students": {"bob": 2}} | other))  # type: ignore[arg-type]  # as shard takes them
    assert main(["merge", str(one), str(two), "--into", str(tmp_path / "merged")]) == 4
    assert said in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_nothing_to_merge_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", str(tmp_path), "--into", str(tmp_path / "merged")]) == 2
    assert "holds no run of tinytorch-grade class" in capsys.readouterr().err
