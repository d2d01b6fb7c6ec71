"""What a run leaves for people: one row, one file and one page that say what the grades say, whatever is in them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pytest_tinytorch.grade.classes import feedback, gradebook, report
from pytest_tinytorch.grade.classes.handouts import publish
from pytest_tinytorch.grade.classes.roster import Entry
from pytest_tinytorch.grade.classes.store import Run, Store
from pytest_tinytorch.grade.classes.tally import Tally
from pytest_tinytorch.grade.result import Grade, GradedCheck, GradedCheckpoint, GradedMilestone, Integrity
from pytest_tinytorch.grade.similarity import Match, Pair
from pytest_tinytorch.outcome import Finding
from tests.grade.classes.conftest import ASSIGNMENT
from tools import ROOT

HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"
RUN = Run.of(ASSIGNMENT, 5)


def grade(student: str, outcomes: str, trouble: str = "", **fields: object) -> Grade:
    """A grade of checks of two points each: `p`assed, `w`rong, `u`nwritten."""
    names = {"p": "passed", "w": "wrong", "u": "not written"}
    found = Finding(call="softmax(x)", got="nan", mistake="the largest value is not subtracted")
    checks = tuple(
        GradedCheck(
            name=f"check_{n}",
            claim=f"claim {n} holds",
            exercise="softmax",
            points=2,
            outcome=names[letter],
            finding=found if letter == "w" else None,
        )
        for n, letter in enumerate(outcomes)
    )
    part = GradedCheckpoint(number=2, module="activations", capability="I can bend lines", weight=1, checks=checks)
    whole = Grade(
        student=student,
        source="/class/x",
        digest="d",
        version="0",
        track="complete",
        seed=5,
        checkpoints=(part,),
        milestones=(GradedMilestone(year=1957, name="Perceptron", points=10, outcome="passed"),),
        trouble=trouble,
    )
    return replace(whole, **fields)  # type: ignore[arg-type]  # fields of a grade


def tallied(*grades: Grade) -> Tally:
    """What they have in common."""
    tally = Tally()
    for one in grades:
        tally.add(one)
    return tally


def page(*grades: Grade, pairs: tuple[Pair, ...] = ()) -> str:
    """The report of a class."""
    return report.render(tallied(*grades), RUN, feedback.names(one.student for one in grades), pairs)


class Tags(HTMLParser):
    """Every tag and attribute of a page, and its text; whether each tag is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one that needs no end."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Its turn."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather the text."""
        self.text += data + " "


# ---- the gradebook


def test_the_gradebook_has_a_row_for_each_student_and_a_column_for_each_part() -> None:
    grades = [grade("ann", "ppw"), grade("bob", "uuu", trouble="out of time")]
    rows = list(csv.DictReader(io.StringIO(gradebook.render(grades))))
    assert [(row["student"], row["score"], row["max_score"], row["trouble"]) for row in rows] == [
        ("ann", "14", "16", ""),
        ("bob", "10", "16", "out of time"),
    ]
    assert [row["02 activations"] for row in rows] == ["4", "0"]


def test_a_slim_grade_has_the_same_row() -> None:
    whole = grade("ann", "pwupw", integrity=(Integrity(kind="delegation", says="x"),))
    assert gradebook.render([gradebook.slim(whole)]) == gradebook.render([whole])


def test_a_name_is_no_formula() -> None:
    (row,) = csv.DictReader(io.StringIO(gradebook.render([grade('=HYPERLINK("http://x")', "p")])))
    assert row["student"].startswith("'=")


# ---- feedback


@pytest.mark.parametrize(
    "students",
    [
        ["ann", "Ann", "ANN"],
        ["../../etc/passwd", "..", ".", "/", "\\", "a/b", "a\\b", "a:b"],
        ["con", "NUL", "com1", "lpt9.txt", "aux."],
        ["x" * 500, "x" * 501, "é" * 300],
        ["ß", "ss", "SS"],
        ["a b", "a_b", "a  b", "a\tb", "a\nb"],
        ["", " ", "\u202e", "\ud800", "日本", "=1+1"],
        ["a b", f"a_b-{__import__('hashlib').sha256(b'a b').hexdigest()[:8]}"],
    ],
    ids=["capitals", "paths", "devices", "long", "casefold", "blanks", "nothing", "aimed at a hash"],
)
def test_file_names_are_safe_and_differ(tmp_path: Path, students: list[str]) -> None:
    names = feedback.names(students)
    assert set(names) == set(students)
    assert len({name.casefold() for name in names.values()}) == len(students)
    for name in names.values():
        assert re.fullmatch(r"[\w-][\w.-]*\.md", name), name
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)\.", name, re.IGNORECASE), name
        assert len(name.encode()) < 250
        (tmp_path / name).touch()
    assert len(list(tmp_path.iterdir())) == len(students)


def test_an_ordinary_name_is_kept() -> None:
    assert feedback.names(["ann", "bob-2", "Zoë"]) == {"ann": "ann.md", "bob-2": "bob-2.md", "Zoë": "Zoë.md"}


def test_feedback_says_what_is_open() -> None:
    text = feedback.render(grade("ann", "pw"), "Autumn")
    assert "**ann** · Autumn" in text
    assert "claim 1 holds" in text


# ---- the report


def test_the_report_counts_the_class() -> None:
    found = Tags(page(grade("ann", "pp"), grade("bob", "pw"), grade("cem", "uu", trouble="nothing to grade")))
    assert not found.open
    for said in ("3  submissions", "86 %", "nothing to grade", "claim 1 holds", "not subtracted (1)", "Perceptron"):
        assert said in found.text, said


def test_what_fails_most_comes_first() -> None:
    tally = tallied(grade("ann", "pww"), grade("bob", "ppw"), grade("cem", "uuu"))
    assert [(check.claim, check.failed) for check in tally.failing(9)] == [("claim 2 holds", 2), ("claim 1 holds", 1)]
    assert tally.failing(9)[0].mistakes == {"the largest value is not subtracted": 2}


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    hostile = grade(
        HOSTILE, "pw", trouble=HOSTILE, integrity=(Integrity(kind=HOSTILE, says=HOSTILE, file=HOSTILE, line=3),)
    )
    pair = Pair(
        first=HOSTILE,
        second=HOSTILE,
        score=0.9,
        evidence=50.0,
        where=HOSTILE,
        matches=(Match(name=HOSTILE, share=1.0, first=(1, 2), second=(3, 4)),),
    )
    text = page(hostile, grade("ann", "pp"), pairs=(pair,))
    found = Tags(text)
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert not [name for name in found.attributes if name.startswith("on") or name == "src"]
    assert HOSTILE in found.text
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|url\(|@import", text)


@pytest.mark.parametrize("students", [1, 2, 40])
def test_a_class_of_any_size_has_a_report(students: int) -> None:
    grades = [grade(f"s{n}", "p" * (n % 3) + "w" * (2 - n % 3)) for n in range(students)]
    found = Tags(page(*grades))
    assert not found.open
    assert f"{students}  submission" in found.text


def test_a_report_is_made_where_nothing_could_be_graded() -> None:
    assert "nothing there" in Tags(page(grade("ann", "uu", trouble="nothing there"))).text


# ---- all of them


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An open folder with two grades."""
    with Store.open(tmp_path / "out", RUN) as opened:
        for one in (grade("bob", "pw"), grade("an/n", "uu", trouble="nothing there")):
            opened.append(Entry(student=one.student, source=one.source), one.as_dict())
        yield opened


def test_all_files_are_written_and_the_same_each_time(store: Store) -> None:
    publish(store, ["bob", "an/n"])
    first = {path.name: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    assert {"gradebook.csv", "report.html", "bob.md"} < set(first)
    assert len(list((store.folder / "feedback").iterdir())) == 2
    publish(store, ["bob", "an/n"])
    assert {path.name: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()} == first


def test_who_is_no_longer_in_the_class_is_in_no_file(store: Store) -> None:
    tally = publish(store, ["bob"])
    assert [row.student for row in tally.rows] == ["bob"]
    assert "an/n" not in (store.folder / "gradebook.csv").read_text(encoding="utf-8")


def test_the_page_links_to_the_feedback(store: Store) -> None:
    publish(store, ["bob", "an/n"])
    for link in re.findall(r'href="([^"]+)"', (store.folder / "report.html").read_text(encoding="utf-8")):
        assert (store.folder / link).is_file()


def test_submissions_that_are_alike_stand_in_the_report_and_in_no_feedback(tmp_path: Path) -> None:
    with Store.open(tmp_path / "out", RUN) as store:
        source = (ROOT / "solutions" / "tinytorch" / "tokenization.py").read_text(encoding="utf-8")
        own = source.replace("counts", "how_often").replace("def merge", "def merge")
        for student, text in (("ann", own), ("bob", own + "# mine"), ("cem", "x = 1\n")):
            one = grade(student, "pp", digest=f"digest of {student}")
            store.append(Entry(student=student, source=one.source), one.as_dict())
            store.keep_source(one.digest, {"tokenization.py": text})
        publish(store, ["ann", "bob", "cem"])
        found = Tags((store.folder / "report.html").read_text(encoding="utf-8"))
        assert "Most similar" in found.text
        assert "bob" not in (store.folder / "feedback" / "ann.md").read_text(encoding="utf-8")
