"""Looking up hints."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tinytorch.hints import ladder

HOME = "tests.reports.ladders"


def test_ladder_of_an_exercise() -> None:
    found = ladder("activations.softmax", HOME)
    assert found is not None
    assert found.rungs == (found.ask, found.idea, found.algorithm)
    assert ladder("activations.Tanh.forward", HOME) is not None


@pytest.mark.parametrize("name", ["activations.nothing", "activations", "", "a sentence, with. a dot"])
def test_no_ladder(name: str) -> None:
    assert ladder(name, HOME) is None


@pytest.mark.parametrize("home", [None, "no.such.place", "pytest_tinytorch.hints.nothing"])
def test_no_home(home: str | None) -> None:
    assert ladder("nothing.f", home) is None


def test_a_home_that_needs_what_is_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_ladders.py").write_text("import no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        ladder("a.f", "broken_ladders")
