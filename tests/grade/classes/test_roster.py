"""Whatever a class is handed over as, it is read, or refused in sentences that name the line."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest

from pytest_tinytorch.grade.classes.roster import RosterError, read


def roster(folder: Path, text: str | bytes) -> Path:
    """A roster file."""
    path = folder / "roster.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path) -> tuple[str, ...]:
    """What is wrong with it."""
    with pytest.raises(RosterError) as caught:
        read(path)
    return caught.value.sentences


# ---- a roster


def test_a_roster_names_students_sources_and_refs(tmp_path: Path) -> None:
    text = "student,source,ref,note\nbob,subs/bob.zip,,x\nann,https://example.org/ann.git,v1.0,\n"
    ann, bob = read(roster(tmp_path, text)).entries
    assert (ann.student, ann.source, ann.ref) == ("ann", "https://example.org/ann.git", "v1.0")
    assert (bob.student, bob.source, bob.ref) == ("bob", str(tmp_path / "subs" / "bob.zip"), "")
    assert bob.where == "roster.csv:2"


@pytest.mark.parametrize("source", ["https://h/a.git", "ssh://git@h/a", "git@h:class/a.git", "file:///tmp/a"])
def test_a_url_stays_as_it_is(tmp_path: Path, source: str) -> None:
    (entry,) = read(roster(tmp_path, f"student,source\nann,{source}\n")).entries
    assert entry.source == source


@pytest.mark.parametrize(
    ("spelling", "data"),
    [
        ("byte order mark", "\ufeffstudent,source\nann,a\n".encode()),
        ("semicolons", b"student;source\r\nann;a\r\n"),
        ("tabs", b"student\tsource\nann\ta\n"),
        ("Excel's own line", "\ufeffsep=;\r\nstudent;source\r\nann;a\r\n".encode()),
        ("UTF-16", "student\tsource\r\nann\ta\r\n".encode("utf-16")),
        ("quotes", b'"student","source"\n"ann","a"\n'),
        ("capitals and blanks", b" Student , SOURCE \n ann , a \n"),
        ("blank lines", b"\n\nstudent,source\n\n,,\nann,a\n\n"),
        ("other order", b"group,source,student\nx,a,ann\n"),
        ("no line end", b"student,source\nann,a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_spreadsheets_spell_it_in_many_ways(tmp_path: Path, spelling: str, data: bytes) -> None:
    (entry,) = read(roster(tmp_path, data)).entries
    assert (entry.student, entry.source) == ("ann", str(tmp_path / "a")), spelling


def test_names_may_be_odd(tmp_path: Path) -> None:
    odd = ["Zoë Ångström", '"quoted, with a comma"', "=1+1", "../up", "日本", "a\tb", "O'Neil"]
    rows = "".join(f"{name},x{n}\n" for n, name in enumerate(odd))
    found = {entry.student for entry in read(roster(tmp_path, f"student,source\n{rows}")).entries}
    assert found == {"Zoë Ångström", "quoted, with a comma", "=1+1", "../up", "日本", "a b", "O'Neil"}


def test_one_name_spelt_in_two_ways_is_one_name(tmp_path: Path) -> None:
    (said,) = refused(roster(tmp_path, f"student,source\nZoë,a\n{unicodedata.normalize('NFD', 'Zoë')},b\n"))
    assert said == "roster.csv:3: Zoë is already in roster.csv:2; a student has one submission"


def test_a_student_without_a_source_stays_in_the_class(tmp_path: Path) -> None:
    (entry,) = read(roster(tmp_path, "student,source\nann,\n")).entries
    assert (entry.student, entry.source, entry.where) == ("ann", "", "roster.csv:2")


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = "student,source\nann,a\n,b\nann,c\nbob,d,e,f\ndan,x\n"
    assert refused(roster(tmp_path, text)) == (
        "roster.csv:3: no student is named",
        "roster.csv:5: 4 columns, where the first line names 2",
        "roster.csv:4: ann is already in roster.csv:2; a student has one submission",
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "roster.csv is empty: it needs a line with the columns student and source"),
        (b" \n\n", "roster.csv is empty: it needs a line with the columns student and source"),
        (b"student,source\n", "roster.csv names no student: there is nothing below its first line"),
        (b"name,url\nann,a\n", "roster.csv:1: no column student and no column source among: name, url"),
        (b"student,url\nann,a\n", "roster.csv:1: no column source among: student, url"),
        (b"student,source,student\n", "roster.csv:1: the column student stands there twice"),
        ("student,source\nann,a\nZoë,b\n".encode("cp1252"), "roster.csv:3: no UTF-8 text; save it as “CSV UTF-8”"),
        (b"student,source\nann,\0\n", "roster.csv:2: a zero byte; this is no CSV file"),
        (b'student,source\n"ann,a\n', "roster.csv:2: unexpected end of data"),
    ],
)
def test_what_is_no_roster_is_refused_in_a_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    assert refused(roster(tmp_path, data)) == (said,)


def test_there_must_be_something(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing") == (f"there is no folder and no roster at {tmp_path / 'nothing'}",)


# ---- a folder


def test_a_folder_holds_folders_archives_and_bare_repositories(tmp_path: Path) -> None:
    for name in ("ann", "bob.git", "Cem Ö"):
        (tmp_path / name).mkdir()
    for name in ("dan.zip", "eve.tar.gz", "fay.TGZ", "grades.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "link").symlink_to(tmp_path / "ann")
    found = read(tmp_path)
    assert [entry.student for entry in found.entries] == ["Cem Ö", "ann", "bob", "dan", "eve", "fay"]
    assert found.entries[2].source == str(tmp_path / "bob.git")
    assert found.notes == (
        "passed over grades.xlsx: it is no folder, archive or repository",
        "passed over link: it is no folder, archive or repository",
    )


def test_two_entries_of_one_student_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann.zip").touch()
    assert refused(tmp_path) == ("ann.zip: ann is already in ann; a student has one submission",)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == (f"{tmp_path} holds no submission: no folder, no archive, no repository",)


def test_a_single_submission_is_told_from_a_class(tmp_path: Path) -> None:
    (tmp_path / "tinytorch").mkdir()
    (tmp_path / "tinytorch" / "tensor.py").touch()
    (said,) = refused(tmp_path)
    assert said == f"{tmp_path} is one submission (it holds tinytorch/): give the folder that holds all of them"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_name_that_is_no_text_is_spelt_out(tmp_path: Path) -> None:
    Path(str(tmp_path).encode().decode() + "/ann\udcff").mkdir()
    (entry,) = read(tmp_path).entries
    assert entry.student == "ann\\xff"
    assert Path(entry.source).is_dir()


# ---- shards


def test_shards_share_out_everybody(tmp_path: Path) -> None:
    for n in range(7):
        (tmp_path / f"s{n}").mkdir()
    whole = read(tmp_path)
    shares = [[entry.student for entry in whole.shard(k, 3).entries] for k in (1, 2, 3)]
    assert shares == [["s0", "s3", "s6"], ["s1", "s4"], ["s2", "s5"]]
