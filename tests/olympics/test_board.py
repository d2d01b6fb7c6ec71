"""Ranks, ties, the front, and the files of a class."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_tinytorch.olympics import gather, rank

from .conftest import entry, record, write


def test_each_event_has_its_own_figure() -> None:
    board = rank([entry("ada", event) for event in ("latency", "memory", "accuracy", "extreme")])
    found = {ranking.event: ranking.places[0].figure for ranking in board.rankings}
    assert found == {"latency": "8.00×", "memory": "4.00×", "accuracy": "95.0 %", "extreme": "30.4"}


def test_what_is_printed_alike_shares_a_rank_and_the_next_one_counts_on() -> None:
    speeds = {"carol": 8.001, "ada": 8.0, "bob": 9.0, "dan": 7.0}
    (ranking,) = rank([entry(name, "latency", speedup=speed) for name, speed in speeds.items()]).rankings
    assert [(place.rank, place.entry.name) for place in ranking.places] == [
        (1, "bob"),
        (2, "ada"),
        (2, "carol"),
        (4, "dan"),
    ]


def test_events_without_entries_are_left_out() -> None:
    assert [ranking.event for ranking in rank([entry(event="memory")]).rankings] == ["memory"]
    assert rank([]).rankings == ()


def test_the_front_is_whom_nobody_beats_in_all_three() -> None:
    entries = [
        entry("fast", speedup=20.0, smaller=1.0),
        entry("small", speedup=1.0, smaller=20.0),
        entry("right", speedup=1.0, smaller=1.0, right=1.0),
        entry("both", speedup=10.0, smaller=10.0),
        entry("beaten", speedup=10.0, smaller=9.0),
        entry("twin", speedup=10.0, smaller=10.0),
    ]
    assert [e.name for e in rank(entries).front] == ["fast", "both", "twin", "small", "right"]


# ---- files ----------------------------------------------------------------------------------------------------


def test_files_folders_and_course_repositories_are_read(klass: Path) -> None:
    write(klass, "alan/report.json", b"{}")  # beside `olympics` nothing counts
    write(klass, "readme.txt", b"hello")
    found = gather(klass)
    assert [e.file for e in found.entries] == [
        "ada-latency.json",
        "ada.json",
        "alan/olympics/2024-extreme.json",
        "grace/2024-extreme.json",
    ]
    assert found.refused == ()


@pytest.mark.parametrize("name", ["ada", "Ada", " ada ", "a\uff44a"])
def test_a_name_counts_once_in_an_event(name: str, klass: Path) -> None:
    write(klass, "later.json", record(name))
    found = gather(klass)
    assert len(found.entries) == 4
    assert found.refused == (f'later.json: name: "{name}" has entered extreme already, with ada.json',)


def test_what_is_refused_is_named_and_the_others_are_ranked(klass: Path) -> None:
    write(klass, "bad.json", record() | {"event": "luck"})
    write(klass, "large.json", b" " * 10_000_000)
    (klass / "folder.json").mkdir()
    found = gather(klass)
    assert len(found.entries) == 4
    assert list(found.refused) == [
        'bad.json: event: "luck" is none of latency, memory, accuracy, extreme',
        "large.json: has 10,000,000 bytes, and an entry has at most 65,536",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows that users lack")
def test_links_and_pipes_are_not_followed(klass: Path, tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.json", record("eve"))
    (klass / "eve.json").symlink_to(secret)
    (klass / "mallory").symlink_to(tmp_path)
    (klass / "nobody.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(klass / "pipe.json")
    found = gather(klass)
    assert len(found.entries) == 4
    link = "is a link to somewhere else: put the file itself there"
    assert list(found.refused) == [
        f"eve.json: {link}",
        f"mallory: {link}",
        f"nobody.json: {link}",
        "pipe.json: is no ordinary file that can be read",
    ]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="who may do everything may read everything")
def test_what_may_not_be_read_is_said(klass: Path) -> None:
    (klass / "ada.json").chmod(0)
    assert gather(klass).refused == ("ada.json: cannot be read: permission denied",)
