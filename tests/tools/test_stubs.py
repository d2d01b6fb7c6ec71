"""The data on stubs is what the exercises give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_tinytorch.course import MODULES
from pytest_tinytorch.grade import stubs
from tools.stubs import derive, main, text

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_committed_is_fresh() -> None:
    assert stubs.FILE.read_text("utf-8") == text(derive())
    assert main(["--check"]) == 0


def test_every_exercise_is_there_and_nothing_given_passes_for_one() -> None:
    exercises = {
        module: {name for name, stub in given.functions.items() if stub.is_exercise}
        for module, given in stubs.modules().items()
    }
    assert exercises == {module.name: set(module.exercises) for module in MODULES if module.exercises}


def test_a_stale_file_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stubs, "FILE", tmp_path / "stubs.json")
    monkeypatch.setattr("tools.stubs.ROOT", tmp_path)
    assert main(["--check"]) == 1
    assert "run: python -m tools.stubs" in capsys.readouterr().err
    assert main([]) == 0
    assert json.loads((tmp_path / "stubs.json").read_text("utf-8")) == derive()
    assert main(["--check"]) == 0


def test_the_text_is_json_with_a_function_a_line() -> None:
    derived = derive()
    assert json.loads(text(derived)) == derived
    assert text({"a": {}}) == '{\n "a": {}\n}\n'
