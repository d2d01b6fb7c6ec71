"""Where a run leaves its entries, and what it never overwrites."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.olympics import Times, parse
from pytest_tinytorch.olympics.keeping import Desk, Kept, keep

from .conftest import entry, record, write

FILE = "olympics/2024-extreme.json"


def measured(speedup: float = 8.0) -> dict[str, Any]:
    """What a script measured for one event."""
    found = asdict(entry(speedup=speedup))
    times = {name: Times(**found[name]) for name in ("seconds_before", "seconds_after")}
    return {name: found[name] for name in found if name not in ("name", "seed", "python", "numpy", "file")} | times


def kept(root: Path, speedup: float = 8.0, name: str = "ada") -> Kept:
    """An entry that a run leaves."""
    return keep(Desk.of(root, name), 2024, 7, [measured(speedup)])


def test_an_entry_is_a_file_of_the_course_repository(tmp_path: Path) -> None:
    found = kept(tmp_path)
    assert found == Kept((f"{FILE}: extreme, 30.4.",), ())
    read = parse((tmp_path / FILE).read_bytes())
    assert (read.name, read.event, read.seed, read.speedup) == ("ada", "extreme", 7, 8.0)
    assert [path.name for path in (tmp_path / "olympics").iterdir()] == ["2024-extreme.json"]


def test_a_better_one_takes_the_place_of_a_worse_one_of_the_same_name(tmp_path: Path) -> None:
    kept(tmp_path)
    found = kept(tmp_path, 10.0, "ADA ")
    assert found.notes == (f"{FILE}: extreme, 38.0, in place of 30.4.",)
    assert parse((tmp_path / FILE).read_bytes()).speedup == 10.0


def test_a_better_one_stays(tmp_path: Path) -> None:
    kept(tmp_path)
    found = kept(tmp_path, 6.0)
    assert found == Kept((f"{FILE}: extreme, 22.8 in this run; the file stays, for it says 30.4.",), ())
    assert parse((tmp_path / FILE).read_bytes()).speedup == 8.0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (record("grace"), 'what lies there is for extreme, by "grace"'),
        (record("ada", "memory"), 'what lies there is for memory, by "ada"'),
        (b"my notes", "the text is no JSON: Expecting value in line 1"),
        (b"", "the text is no JSON: Expecting value in line 1"),
        (b" " * 10_000_000, "has 10,000,000 bytes, and an entry has at most 65,536"),
    ],
)
def test_what_somebody_else_wrote_stays_and_the_entry_is_shown(content: Any, why: str, tmp_path: Path) -> None:
    path = write(tmp_path, FILE, content)
    before = path.read_bytes()
    found = kept(tmp_path)
    assert found.notes == (f"{FILE} was not written ({why}); what it would hold is below.",)
    (shown,) = found.exhibits
    assert parse("\n".join(shown.lines).encode()).speedup == 8.0
    assert path.read_bytes() == before


def test_a_file_in_the_folder_s_place_stays(tmp_path: Path) -> None:
    write(tmp_path, "olympics", b"my notes")
    found = kept(tmp_path)
    assert "was not written (file exists)" in found.notes[0]
    assert len(found.exhibits) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows that users lack")
def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "olympics").symlink_to(tmp_path / "elsewhere")
    assert "olympics is a link to somewhere else" in kept(tmp_path / "course").notes[0]
    (tmp_path / "olympics").mkdir()
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere" / "file")
    assert "is a link to somewhere else" in kept(tmp_path).notes[0]
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="who may do everything may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    found = kept(tmp_path)
    tmp_path.chmod(0o700)
    assert found.notes == (f"{FILE} was not written (permission denied); what it would hold is below.",)
    assert len(found.exhibits) == 1


def test_a_disk_that_is_full_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    found = kept(tmp_path)
    assert "was not written (no space left on device)" in found.notes[0]
    assert list((tmp_path / "olympics").iterdir()) == []


@pytest.mark.parametrize(("folder", "name"), [("my-course", "my-course"), ("a\tb", "a?b"), ("m" * 100, "m" * 80)])
def test_without_a_name_the_folder_s_counts(folder: str, name: str, tmp_path: Path) -> None:
    assert Desk.of(tmp_path / folder, "").name == name
