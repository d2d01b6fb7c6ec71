"""The journey page is what the course gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tinytorch.course import MILESTONES, MODULES
from pytest_tinytorch.reports.journey import picture
from tools import journey

if TYPE_CHECKING:
    import pytest


def test_the_page_is_fresh() -> None:
    assert journey.FILE.read_text("utf-8") == journey.page(), "run: python -m tools.journey"
    assert journey.PICTURE.read_text("utf-8") == picture(), "run: python -m tools.journey"


def test_check_says_what_to_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert journey.main(["--check"]) == 0
    monkeypatch.setattr(journey, "page", lambda: "another course")
    assert journey.main(["--check"]) == 1
    assert "run: python -m tools.journey" in capsys.readouterr().err


def test_every_module_and_milestone_is_drawn() -> None:
    flow, needs, years = "\n".join(journey.flow()), "\n".join(journey.needs()), "\n".join(journey.timeline())
    for module in MODULES:
        assert f'["{module.label}"]' in flow
        assert f'["{module.label}"]' in needs
    for milestone in MILESTONES:
        assert f'"{milestone.label}"' in flow
        assert f"{milestone.year} : {milestone.name}" in years


def test_arrows_that_follow_from_others_are_not_drawn() -> None:
    attention = next(module for module in MODULES if module.name == "attention")
    assert [below.name for below in attention.nearest] == ["embeddings"]
