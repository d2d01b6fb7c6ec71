"""A process that reads hostile texts: what ends it costs one question."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pytest_tinytorch.grade.reading import Reader, Unreadable

BAD = {"bad.py": b"import torch\n"}
SLOW = {"slow.py": b"f(x)\n" * 200_000}


def test_one_process_answers_many_questions() -> None:
    with Reader() as reader:
        first = reader.ask("screen", "tinytorch", BAD, 5)
        process = reader._process
        assert first == reader.ask("screen", "tinytorch", BAD, 5)
        assert process is reader._process
        assert [one[0] for one in first] == ["forbidden import"]
    assert process is not None
    assert process.poll() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="CPU time is not limited there")
def test_too_much_time_is_no_answer_and_the_next_question_has_one() -> None:
    with Reader() as reader:
        with pytest.raises(Unreadable):
            reader.ask("screen", "tinytorch", SLOW, 0.1)
        assert reader.ask("screen", "tinytorch", BAD, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is not limited there")
def test_too_much_memory_is_no_answer_and_the_next_question_has_one() -> None:
    with Reader(memory=100 << 20) as reader:
        with pytest.raises(Unreadable):
            reader.ask("screen", "tinytorch", SLOW, 30)
        assert reader.ask("screen", "tinytorch", BAD, 5)


def test_a_process_that_is_gone_is_replaced() -> None:
    with Reader() as reader:
        reader.ask("screen", "tinytorch", BAD, 5)
        assert reader._process is not None
        reader._process.kill()
        reader._process.wait()
        with pytest.raises(Unreadable):
            reader.ask("screen", "tinytorch", BAD, 5)
        assert reader.ask("screen", "tinytorch", BAD, 5)


def test_the_callers_environment_and_folder_do_not_reach_it(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("evil")
    (folder / "ast.py").write_text("raise SystemExit('the wrong ast')", encoding="utf-8")
    (folder / "sitecustomize.py").write_text("raise SystemExit('not mine')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(folder)
    with Reader() as reader:
        assert reader.ask("screen", "tinytorch", BAD, 5)


def test_nothing_heavy_is_loaded_for_the_screen() -> None:
    code = "import sys, pytest_tinytorch.grade.screening; print(sorted({'numpy', 'pytest', 'rich'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))  # noqa: S603 (this interpreter)
    assert run.stdout.strip() == "[]"
