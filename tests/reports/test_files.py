"""The reports in files: JSON, Markdown, HTML, SVG, and how they are written."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.outcome import Finding, Result, Run
from pytest_tinytorch.reports import FORMATS, ReportError, check, html, markdown, svg, write
from pytest_tinytorch.reports import json as json_report

from . import runs
from .runs import RUNS

jsonschema: Any = pytest.importorskip("jsonschema")

SCRIPT = "</pre></code><script>alert('x')</script><img src=x onerror=alert(1)> & \" ` ``` | @somebody \x1b[2J \ud800"
INJECTED = runs.run(
    replace(
        runs.CRASHED,
        claim=SCRIPT,
        output=SCRIPT,
        cause=SCRIPT,
        where=replace(runs.SOFTMAX, file=SCRIPT, function=SCRIPT),
        finding=Finding(
            call=SCRIPT,
            given=(SCRIPT,),
            expected=SCRIPT,
            got=f"{SCRIPT}\n```\n# heading",
            difference=SCRIPT,
            mistake=SCRIPT,
            smaller=SCRIPT,
            trace=(replace(runs.SOFTMAX, text=SCRIPT), runs.SOFTMAX),
        ),
    ),
    replace(runs.WRONG, claim=SCRIPT),
    replace(runs.UNWRITTEN, cause=SCRIPT),
    milestones=[replace(runs.MISSED, story=(SCRIPT,), claims=(replace(runs.MISSED.claims[0], reached=SCRIPT),))],
    hint=replace(runs.HINT, text=SCRIPT),
    package=SCRIPT,
    hardening=SCRIPT,
)
EVERY = RUNS | {"injected": INJECTED}
each_run = pytest.mark.parametrize("run", EVERY.values(), ids=EVERY)


# ---- JSON -------------------------------------------------------------------------------------------------


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_report.schema())


@each_run
def test_json_follows_its_schema_and_keeps_every_result(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write(run, path)
    data = json.loads(path.read_text("utf-8"))
    jsonschema.validate(data, json_report.schema(), cls=jsonschema.Draft202012Validator)
    assert [Result.from_dict(entry) for entry in data["results"]] == run.results
    assert len(data["checkpoints"]) == 20


def test_json_summary() -> None:
    summary = json_report.as_dict(RUNS["mix"])["summary"]
    assert summary["checks"] == sum(summary["outcomes"].values()) == len(RUNS["mix"].results)
    assert summary["outcomes"]["passed"] == 3
    assert (summary["points"], summary["points_possible"]) == (6, 2 * summary["checks"])


# ---- HTML -------------------------------------------------------------------------------------------------

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page's text and elements; fails on anything that is closed in the wrong order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what opens."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Only the last opened element may close."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember the words."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, single-spaced."""
        return " ".join(" ".join(self.words).split())

    def named(self, *names: str) -> list[str]:
        """The elements of these names, in order."""
        return [name for name, _ in self.elements if name in names]


@each_run
def test_html_is_well_formed_and_loads_nothing(run: Run) -> None:
    source = html.render(run)
    page = Page(source)
    assert page.named("script", "link", "img", "iframe", "object") == []
    assert not any(name.startswith("on") or name in {"src", "href"} for _, given in page.elements for name in given)
    assert "url(" not in source
    assert "@import" not in source
    assert not any(ord(char) < 32 and char != "\n" for char in source)


@each_run
def test_html_headings_and_tables_are_accessible(run: Run) -> None:
    page = Page(html.render(run))
    levels = [int(name[1]) for name in page.named("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(given.get("scope") in {"col", "row"} for name, given in page.elements if name == "th")
    assert ("html", {"lang": "en"}) in page.elements


def test_html_tells_what_the_panel_tells() -> None:
    text = Page(html.render(RUNS["mix"])).text
    for words in (
        "FAIL 02 activations: softmax turns",
        "row sum 0.7311",
        "Likely mistake:",
        "tinytorch/activations.py:88",
    ):
        assert words in text
    assert "pytest --checkpoint 2 -k softmax_turns_each" in text


def test_html_shows_a_script_as_text() -> None:
    text = Page(html.render(INJECTED)).text
    assert "<script>alert('x')</script>" in text
    assert r"\x1b[2J \ud800" in text


# ---- Markdown ---------------------------------------------------------------------------------------------


def without_code(source: str) -> str:
    """Markdown without fenced blocks and code spans; every fence is closed by one of its own length."""
    source = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", source, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<![`\\])(`+)(?!`).+?(?<!`)\1(?!`)", "", source)


@each_run
def test_markdown_tables_have_equal_rows(run: Run) -> None:
    blocks = [b.split("\n") for b in without_code(markdown.render(run)).split("\n\n") if b.lstrip().startswith("|")]
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1


@each_run
def test_markdown_holds_no_html_but_folds(run: Run) -> None:
    tags = set(re.findall(r"</?[a-z]+", without_code(markdown.render(run))))
    assert tags <= {"<details", "</details", "<summary", "</summary"}


def test_markdown_fences_are_longer_than_what_they_hold() -> None:
    source = without_code(markdown.render(INJECTED))
    assert "# heading" not in source
    assert "`" not in source.replace("\\`", "").partition("<details>")[0]
    assert "@somebody" not in source.partition("<details>")[0]


def test_markdown_keeps_the_columns_of_numbers() -> None:
    source = markdown.render(RUNS["wrong"])
    assert "```text\nexpected   0.0900  0.2447  0.6652    row sum 1.0000\n           0.6652" in source


# ---- SVG --------------------------------------------------------------------------------------------------


@each_run
def test_svg_is_well_formed_and_loads_nothing(run: Run) -> None:
    source = svg.render(run)
    root = ET.fromstring(source)  # noqa: S314 -- our own output
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "@font-face" not in source.partition("</style>")[0]
    assert not re.search(r"url\((?!#)|xlink|href|<script|<image", source)


def test_svg_is_the_terminals_report() -> None:
    words = " ".join(ET.fromstring(svg.render(RUNS["wrong"])).itertext())  # noqa: S314 -- our own output
    assert "softmax\xa0turns\xa0each\xa0row\xa0into\xa0probabilities" in words
    assert "✓" in words


# ---- writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_writes_one_file(suffix: str, tmp_path: Path) -> None:
    write(INJECTED, tmp_path / f"report{suffix}")
    write(RUNS["mix"], tmp_path / f"report{suffix}")  # and again, over the first
    assert [p.name for p in tmp_path.iterdir()] == [f"report{suffix}"]
    assert (tmp_path / f"report{suffix}").read_text("utf-8").endswith("\n")


def test_suffix_in_capitals(tmp_path: Path) -> None:
    write(RUNS["wrong"], tmp_path / "REPORT.HTML")
    assert (tmp_path / "REPORT.HTML").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_formats_of_other_packages(tmp_path: Path) -> None:
    formats = {**FORMATS, ".txt": lambda run, path: path.write_text(run.track.name)}
    write(RUNS["wrong"], tmp_path / "a.txt", formats)
    assert (tmp_path / "a.txt").read_text() == "complete"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("report.pdf", "ends in .pdf: a report is written by its suffix, one of .html, .json, .md, .svg"),
        ("report", "has no suffix: a report is written by its suffix"),
        ("nowhere/report.md", "cannot be written: there is no folder "),
        ("folder.md", "is a folder: give the name of a file in it"),
    ],
)
def test_a_bad_path_is_one_sentence(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(ReportError) as caught:
        check(tmp_path / name)
    assert str(caught.value).startswith(f"report {tmp_path / name} ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_goes_wrong_on_the_way_leaves_the_old_report(tmp_path: Path) -> None:
    def full(run: Run, path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.md"
    path.write_text("old")
    with pytest.raises(ReportError, match="cannot be written: no space left on device"):
        write(RUNS["wrong"], path, {".md": full})
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.md"]


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ReportError, match="cannot be written: permission denied"):
        write(RUNS["wrong"], tmp_path / "report.md")
