"""What is in the folder survives whatever ends the run."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tinytorch.grade.classes.roster import Entry
from pytest_tinytorch.grade.classes.store import RESULTS, Results, Run, Store, StoreError, digest
from tests.grade.classes.conftest import ASSIGNMENT, Classroom
from tests.grade.classes.fake import made
from tools import ROOT

RUN = Run.of(ASSIGNMENT, 5)


def fill(folder: Path, *students: str) -> None:
    """Keep a grade for each student."""
    with Store.open(folder, RUN) as store:
        for n, student in enumerate(students):
            store.append(entry(student), made(job(student), n, f"digest of {student}").as_dict())


def entry(student: str) -> Entry:
    """A student's submission."""
    return Entry(student=student, source=f"/class/{student}")


def job(student: str) -> dict[str, object]:
    """What grading it takes."""
    return {"student": student, "source": f"/class/{student}", "seed": 5}


def refused(folder: Path, run: Run = RUN, *, any_seed: bool = False) -> str:
    """Why a folder is not opened, without the folder's name."""
    with pytest.raises(StoreError) as caught, Store.open(folder, run, any_seed=any_seed):
        pass
    return str(caught.value).replace(str(folder), "FOLDER")


def test_grades_come_back_as_they_were(tmp_path: Path) -> None:
    fill(tmp_path, "ann", "bob")
    with Store.open(tmp_path, RUN) as store:
        assert list(store.lines) == ["ann", "bob"]
        assert store.read("bob") == made(job("bob"), 1, "digest of bob").as_dict(timing=False)
        assert set(store.timings()) == {"ann", "bob"}
        assert store.has(entry("ann"))
        assert not store.has(Entry(student="ann", source="/class/other"))


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_torn_line_is_cut_off_and_graded_again(tmp_path: Path, kept: int) -> None:
    fill(tmp_path, "ann", "bob")
    path = tmp_path / RESULTS
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + second[:kept])
    with Store.open(tmp_path, RUN) as store:
        assert list(store.lines) == ["ann"]
        assert path.read_bytes() == first + b"\n"
        store.append(entry("bob"), made(job("bob"), 1, "digest of bob").as_dict())
    assert path.read_bytes() == first + b"\n" + second + b"\n"


def test_a_damaged_line_is_counted_and_costs_no_other(tmp_path: Path) -> None:
    fill(tmp_path, "ann", "bob", "cem")
    path = tmp_path / RESULTS
    lines = path.read_bytes().splitlines()
    lines[1] = lines[1].replace(b'"score":1', b'"score":5')
    path.write_bytes(b"\n".join(lines) + b"\n")
    with Store.open(tmp_path, RUN) as store:
        assert (list(store.lines), store.damaged) == (["ann", "cem"], 1)
        assert store.read("cem")["score"] == 2


def test_a_later_line_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    fill(tmp_path, "ann", "ann")
    assert Results(tmp_path).read("ann")["score"] == 1


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with Store.open(tmp_path, RUN):
        assert refused(tmp_path) == "another run is using FOLDER: wait for it, or stop it"
    fill(tmp_path, "ann")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (replace(RUN, version="0.0.1"), f"it was begun by version 0.0.1, this is version {RUN.version}"),
        (replace(RUN, digest="x"), "it was begun for another assignment (Autumn), or for another version of it"),
        (replace(RUN, seed=6), "it was begun with seed 6, not 5"),
        (replace(RUN, at="2026-10-31"), "it was begun with --at 2026-10-31"),
        (replace(RUN, shard="1/2"), "it was begun with --shard 1/2"),
    ],
)
def test_a_folder_of_another_run_is_refused(tmp_path: Path, run: Run, said: str) -> None:
    with Store.open(tmp_path, run):
        pass
    other = "FOLDER holds another run: {}; name another folder, or start over by --fresh"
    assert refused(tmp_path) == other.format(said)


def test_a_seed_is_drawn_once_for_the_class(tmp_path: Path) -> None:
    fill(tmp_path, "ann")
    with Store.open(tmp_path, replace(RUN, seed=77), any_seed=True) as store:
        assert store.run.seed == 5


def test_fresh_starts_over_and_leaves_what_others_put_there(tmp_path: Path) -> None:
    fill(tmp_path, "ann")
    (tmp_path / "feedback").mkdir()
    (tmp_path / "feedback" / "ann.md").touch()
    (tmp_path / "notes.txt").touch()
    assert refused(tmp_path, replace(RUN, version="9")).startswith("FOLDER holds another run")
    with pytest.raises(StoreError, match="not empty"), Store.open(tmp_path, replace(RUN, seed=6), fresh=True):
        pass
    (tmp_path / "notes.txt").unlink()
    with Store.open(tmp_path, replace(RUN, seed=6), fresh=True) as store:
        assert (store.run.seed, store.lines) == (6, {})


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert refused(tmp_path) == "FOLDER is not empty, and holds no run: name another folder"
    assert (tmp_path / "thesis.tex").exists()


def test_a_run_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[", encoding="utf-8")
    assert "was not written by this version: start over by --fresh" in refused(tmp_path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind root or Windows")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert refused(tmp_path) == "FOLDER cannot be written: Permission denied"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert refused(tmp_path / "out").startswith("FOLDER cannot be written: ")


def test_a_full_disk_is_told_and_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "ann")
    whole = os.write

    def half(descriptor: int, data: bytes) -> int:
        return whole(descriptor, data[: len(data) // 2])

    with Store.open(tmp_path, RUN) as store:
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            store.append(entry("bob"), made(job("bob"), 1, "").as_dict())
        monkeypatch.undo()
    with Store.open(tmp_path, RUN) as store:
        assert (list(store.lines), store.damaged) == (["ann"], 0)


def test_assignments_differ_by_what_they_say_and_not_by_their_place() -> None:
    assert digest(ASSIGNMENT) == digest(replace(ASSIGNMENT, source="elsewhere.toml"))
    assert digest(ASSIGNMENT) != digest(replace(ASSIGNMENT, weights={"tensor": 2}))


# ---- killed


def play(classroom: Classroom, into: Path) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    arguments = [str(classroom.folder), str(into), "2", "100"]
    return subprocess.Popen(  # noqa: S603 -- our own module
        [sys.executable, "-m", "tests.grade.classes.play", *arguments], cwd=ROOT
    )


def finished(into: Path) -> list[str]:
    """The students whose results are whole lines."""
    path = into / RESULTS
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line)["student"] for line in lines if line.endswith(b"\n")]


def kill_after(process: subprocess.Popen[bytes], into: Path, more: int, pause: float) -> None:
    """Wait for so many more results and a little longer, and kill the run; or let it end."""
    wanted = len(finished(into)) + more
    while process.poll() is None and len(finished(into)) < wanted:
        time.sleep(0.01)
    time.sleep(pause)
    process.kill()
    process.wait()


def test_killed_at_any_moment_a_run_loses_nothing_and_grades_nothing_twice(classroom: Classroom) -> None:
    moment = random.Random(6)  # noqa: S311 -- the same moments in every run
    classroom.hand_in(**{f"s{n:02}": f"{n % 6} {n // 2}" for n in range(24)})
    graded, kills = dict[str, int](), 0
    while len(finished(classroom.into)) < 24:
        kill_after(play(classroom, classroom.into), classroom.into, moment.randrange(4), moment.uniform(0, 0.3))
        kills += 1
        again = [student for student, times in graded.items() if classroom.times_graded(student) != times]
        assert not again, f"graded a second time: {again}"
        time.sleep(0.5)  # in which workers notice that nobody wants their answers
        graded = {student: classroom.times_graded(student) for student in finished(classroom.into)}
    assert kills > 5
    for into in (classroom.into, classroom.into.with_name("undisturbed")):
        assert play(classroom, into).wait(timeout=120) == 0
    disturbed = (classroom.into / RESULTS).read_bytes().splitlines()
    undisturbed = (classroom.into.with_name("undisturbed") / RESULTS).read_bytes().splitlines()
    assert len(disturbed) == 24
    assert sorted(disturbed) == sorted(undisturbed)
