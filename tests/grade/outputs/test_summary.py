"""The step summary, read by a Markdown parser: what is code stays code, and nothing of a submission is HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.result import Grade

from ..grades import ACTIVATIONS, HOSTILE, a_check, a_grade, a_hostile_check, a_hostile_grade
from .drawing import GRADES

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
OURS = re.compile(r"(<details(?: open)?><summary>[^<>]*</summary>|</details>)\n?")
MIB = 1_048_576


def summary(grade: Grade) -> str:
    """The Markdown."""
    return FORMATS["summary"].render(grade)


def tokens(text: str) -> Iterator[Token]:
    """Every token, those within lines too."""
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def is_safe(text: str) -> bool:
    """Whether there is no HTML but our folds, no link and no picture."""
    every = list(tokens(text))
    foreign = [each for each in every if each.type.startswith("html") and not OURS.fullmatch(each.content)]
    return not foreign and not {each.type for each in every} & {"link_open", "image"}


def test_what_stands_in_it() -> None:
    text = summary(a_grade())
    assert text.startswith("# 13 of 49 points\n")
    row = "| ✗ | 02 activations | What makes a network more than one matrix | 1 of 9 | 2 of 18 |"
    assert row in text
    assert "- **delegation** softmax calls scipy.special.softmax `tinytorch/activations.py:86`" in text
    assert "<details open><summary>02 activations · softmax: 2 of 3 checks</summary>" in text
    assert "```python\nx = tensor([[1., 2., 3.], [2., 0., 1.]])\nsoftmax(x, dim=-1)\n```" in text
    assert "- **02 activations** 1 check waits for activations.gelu" in text
    assert "- **02 activations** 1 check not run: time was up" in text
    assert "| ✗ | two layers | 100 % | 75 % |" in text
    assert "seed 8127" in text
    assert is_safe(text)


def test_a_full_score_has_nothing_open() -> None:
    text = summary(a_grade(checkpoints=a_grade().checkpoints[:1], milestones=()))
    assert text.startswith("# 1 of 1 point\n")
    assert "What fails" not in text
    assert "Also open" not in text


def test_trouble_stands_above_the_table() -> None:
    text = summary(a_grade(trouble="the time was up"))
    assert text.index("> **Not graded whole.** the time was up") < text.index("| ✓ | 01 tensor")


def test_checks_that_wait_for_the_same_share_a_line() -> None:
    checks = tuple(a_check("blocked", name=f"n{n}", cause=f"losses.py {n % 2}") for n in range(50))
    text = summary(a_grade(checkpoints=(replace(ACTIVATIONS, checks=checks),)))
    assert "- **02 activations** 25 checks wait for losses.py 0\n" in text
    many = tuple(replace(check, cause=f"reason {n}") for n, check in enumerate(checks))
    assert "- and 10 more reasons\n" in summary(a_grade(checkpoints=(replace(ACTIVATIONS, checks=many),)))


def test_output_is_fenced_by_more_backticks_than_it_holds() -> None:
    check = a_check("wrong", output="a\n``````\n# b\n`````````")
    text = summary(a_grade(checkpoints=(replace(ACTIVATIONS, checks=(check,)),)))
    fence = next(token for token in tokens(text) if token.type == "fence")
    assert fence.content == "a\n``````\n# b\n`````````\n"


def test_what_is_too_long_for_github_is_told_as_far_as_there_is_room() -> None:
    checks = tuple(
        replace(a_hostile_check("word " * 400, n), outcome="wrong", exercise=f"exercise {n}") for n in range(400)
    )
    text = summary(a_grade(checkpoints=(replace(ACTIVATIONS, checks=checks),)))
    assert 800_000 < len(text.encode()) < MIB
    assert re.search(r"There is no room here for \d+ more exercises with checks that fail\.", text)
    assert is_safe(text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_submission_writes_no_html_link_or_heading(text: str) -> None:
    found = summary(a_hostile_grade(text))
    assert is_safe(found)
    headings = [token for token in MARKDOWN.parse(found) if token.type == "heading_open"]
    assert len(headings) == 5
    assert len(found.encode()) < MIB


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_is_safe(grade: Grade) -> None:
    assert is_safe(summary(grade))
