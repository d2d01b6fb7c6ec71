"""A class is graded once each, whatever a submission or a process does."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

import pytest

from pytest_tinytorch.grade.classes import run
from pytest_tinytorch.grade.classes.engines import BROKE, DIED, LATE, Call, Local
from tests.grade.classes.conftest import ASSIGNMENT, FAKE, PATHS, Classroom


def test_each_submission_has_one_line(classroom: Classroom) -> None:
    classroom.hand_in(ann="3", bob="5", cem="0")
    board = classroom.run()
    assert [(line["student"], line["grade"]["score"]) for line in classroom.lines()] == [
        ("ann", 3),
        ("bob", 5),
        ("cem", 0),
    ]
    assert board.phases == [("reading", 3), ("grading", 3)]
    assert "timing" not in classroom.lines()[0]["grade"]


def test_what_is_graded_is_not_graded_again(classroom: Classroom) -> None:
    classroom.hand_in(ann="3")
    classroom.run()
    classroom.hand_in(bob="4")
    board = classroom.run()
    assert list(board.grades) == ["bob"]
    assert (classroom.times_graded("ann"), classroom.times_graded("bob")) == (1, 1)


def test_the_same_content_is_graded_once(classroom: Classroom) -> None:
    classroom.hand_in(ann="3 same", bob="3 same", cem="3 other")
    board = classroom.run()
    assert board.phases[1:] == [("grading", 2), ("the same as another's", 1)]
    assert [classroom.times_graded(student) for student in ("ann", "bob", "cem")] == [1, 0, 1]
    ann, bob, _ = classroom.lines()
    assert bob["grade"] == ann["grade"] | {"student": "bob", "source": bob["source"], "notes": ["adopted"]}


def test_a_later_run_knows_the_content_of_an_earlier_one(classroom: Classroom) -> None:
    classroom.hand_in(ann="3 same")
    classroom.run()
    classroom.hand_in(bob="3 same")
    classroom.run()
    assert classroom.times_graded("bob") == 0
    assert [line["grade"]["score"] for line in classroom.lines()] == [3, 3]


def test_update_grades_what_has_changed_or_failed(classroom: Classroom) -> None:
    classroom.hand_in(ann="1", bob="2")
    (classroom.folder / "cem").mkdir()
    classroom.run()
    classroom.hand_in(ann="4", cem="5")
    board = classroom.run(update=True)
    assert {student: grade["score"] for student, grade in board.grades.items()} == {"ann": 4, "cem": 5}
    assert [classroom.times_graded(student) for student in ("ann", "bob", "cem")] == [2, 1, 1]


def test_update_keeps_the_grade_of_what_cannot_be_had_any_more(classroom: Classroom) -> None:
    classroom.hand_in(ann="3")
    classroom.run()
    (classroom.folder / "ann" / "points").unlink()
    assert not classroom.run(update=True).grades


def test_a_changed_submission_is_left_alone_without_update(classroom: Classroom) -> None:
    classroom.hand_in(ann="1")
    classroom.run()
    classroom.hand_in(ann="4")
    assert not classroom.run().grades


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself SIGKILL on Windows")
def test_a_process_that_dies_costs_its_submission_alone(classroom: Classroom) -> None:
    classroom.hand_in(ann="3", bob="die", cem="4", dan="die once", eve="raise", fay="2")
    classroom.run()
    found = {line["student"]: (line["grade"]["score"], line["grade"]["trouble"]) for line in classroom.lines()}
    assert found == {
        "ann": (3, ""),
        "bob": (0, DIED),
        "cem": (4, ""),
        "dan": (1, ""),
        "eve": (0, BROKE.format("RuntimeError: a fault of ours")),
        "fay": (2, ""),
    }
    assert classroom.times_graded("bob") == 2
    faults = (classroom.into / "faults.log").read_text(encoding="utf-8")
    assert "eve" in faults
    assert "Traceback" in faults


def test_a_submission_that_hangs_is_ended(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GRACE", 1.0)
    short = replace(ASSIGNMENT, time_limit=1.0, total_limit=1.0)
    classroom.hand_in(ann="3", bob="hang", cem="4", dan="1")
    began = time.monotonic()
    classroom.run(assignment=short)
    assert time.monotonic() - began < 60
    found = {line["student"]: (line["grade"]["score"], line["grade"]["trouble"]) for line in classroom.lines()}
    assert found == {"ann": (3, ""), "bob": (0, LATE.format(3.0)), "cem": (4, ""), "dan": (1, "")}


def test_results_do_not_depend_on_the_number_of_processes(classroom: Classroom) -> None:
    classroom.hand_in(**{f"s{n}": f"{n % 6} {n // 2}" for n in range(12)}, raising="raise")
    texts = []
    for processes in (1, 2, 3):
        into = classroom.into.with_name(f"out{processes}")
        classroom.run(Local(processes, PATHS), into=into)
        texts.append(sorted((into / "results.jsonl").read_bytes().splitlines()))
    assert texts[0] == texts[1] == texts[2]
    assert len(texts[0]) == 13


@pytest.mark.skipif(sys.platform != "linux", reason="processes are bound to cores on Linux alone")
def test_as_many_processes_as_cores_have_one_each(classroom: Classroom) -> None:
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        pytest.skip("one core is everybody's")
    classroom.hand_in(ann="cores", ben="cores ")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        boards = [classroom.run(Local(n, PATHS), into=classroom.into.with_name(f"out{n}")) for n in (1, 2, 3)]
    finally:
        os.sched_setaffinity(0, before)
    assert [{grade["score"] for grade in board.grades.values()} for board in boards] == [{2}, {1}, {2}]


def test_an_engine_that_is_left_early_ends_its_processes(classroom: Classroom) -> None:
    classroom.hand_in(ann="hang")
    job = {"source": str(classroom.folder / "ann")}
    began = time.monotonic()
    with Local(1, PATHS) as engine:
        events = engine.run([Call(key="ann", module=FAKE, operation="grade", job=job, limit=500.0)])
        next(events)
        while not classroom.times_graded("ann"):
            time.sleep(0.1)
        events.close()
    assert time.monotonic() - began < 60
