"""Times beside PyTorch's: with it, without it, and with one that only pretends."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch import pytorch, rival

ROWS: Any = {
    "a digit": (0.5, {"kind": "convolutional", "channels": (1, 4, 8), "side": 8}),
    "an answer": (
        0.001,
        {"kind": "language", "width": 8, "heads": 2, "blocks": 1, "vocab": 5, "max_len": 8, "prompt": 3, "new": 5}
        | {"cached": True},
    ),
}


def compared() -> tuple[str, list[str]]:
    """Title and lines."""
    (shown,) = pytorch.compared(ROWS)
    return shown.title, list(shown.lines)


def pretend(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Another program in the rival's place."""

    def run(command: list[str], **how: Any) -> Any:
        return subprocess_run([sys.executable, "-I", "-c", text], **how)

    subprocess_run = subprocess.run
    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_line_for_each_network() -> None:
    title, (head, *lines) = compared()
    assert title.startswith("Beside PyTorch 2.")
    assert head.split() == ["yours", "PyTorch", "ratio"]
    assert [line.split("  ")[0] for line in lines] == ["a digit", "an answer"]
    assert all(line.count(" ms") == 2 for line in lines)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_cache_changes_nothing_that_is_written() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    wanted = ROWS["an answer"][1] | {"max_len": 16}
    net, ids = rival.Decoder(torch, wanted), torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        assert net.write(ids, 9, cached=True).tolist() == net.write(ids, 9, cached=False).tolist()


def test_without_pytorch_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "pass")
    assert compared() == ("Beside PyTorch", [pytorch.ABSENT])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise SystemExit(3)", "it ended with an error"),
        ("print('torch')", "it could not be run"),
        ("print('{}')", "they are no numbers"),
        ("print('{\"seconds\": [1.0]}')", "they are no numbers"),
        ("print('{\"seconds\": [1.0, -1.0]}')", "they are no numbers"),
        ("import time; time.sleep(30)", "not within 1 s"),
    ],
)
def test_a_pytorch_that_fails_is_a_sentence(text: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "sleep" in text:
        monkeypatch.setattr(pytorch, "PATIENCE", 1.0)
    pretend(monkeypatch, text)
    assert compared() == ("Beside PyTorch", [pytorch.SILENT.format(why)])


def test_a_file_called_torch_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("print('{\"seconds\": [1e-9, 1e-9]}'); raise SystemExit(0)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    _, lines = compared()
    assert " 0.00 ms" not in " ".join(lines)


def test_the_rival_runs_without_this_package() -> None:
    words = [sys.executable, "-I", "-S", str(Path(rival.__file__)), json.dumps([])]
    run = subprocess.run(words, capture_output=True, check=True, encoding="utf-8")  # noqa: S603 -- our own program
    assert (run.stdout, run.stderr) == ("", "")
