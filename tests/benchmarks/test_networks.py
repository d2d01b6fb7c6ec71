"""The benchmarks of networks and of their growth run on tiny sizes, and say so where PyTorch is absent."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools import ROOT

WITHOUT_TORCH = """
import importlib.util, runpy
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "torch" else find_spec(name, package)
import sys
sys.path.insert(0, "benchmarks")
runpy.run_path("benchmarks/{script}.py", run_name="__main__")
"""
ROWS = [
    "Conv2d",
    "Conv2d, forward",
    "MaxPool2d",
    "BatchNorm2d",
    "attention",
    "LayerNorm",
    "embedding",
    "GPT, AdamW",
    "CIFAR-10 step",
]

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def script(name: str, *arguments: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", *(python or (f"benchmarks/{name}.py",)), "--quick", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


@needs_torch
def test_networks_agree_and_are_measured() -> None:
    done = script("networks", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["operation"] for row in told["rows"]] == ROWS
    assert all(row["ours"] > 0 and row["pytorch"] > 0 and row["ratio"] > 0 for row in told["rows"])


@needs_torch
def test_rows_are_chosen_by_name() -> None:
    done = script("networks", "--only", "norm")
    assert done.returncode == 0, done.stderr
    assert "LayerNorm" in done.stdout
    assert "embedding" not in done.stdout
    assert "no row is called 'nonsense'" in script("networks", "--only", "nonsense").stderr


def test_networks_without_pytorch_say_so() -> None:
    done = script("networks", python=("-c", WITHOUT_TORCH.format(script="networks")))
    assert done.returncode == 0, done.stderr
    assert "PyTorch is not installed" in done.stdout


def test_growth_is_measured_and_drawn(tmp_path: Path) -> None:
    done = script("scaling", "--json", "--svg", str(tmp_path / "growth.svg"))
    assert done.returncode == 0, done.stderr
    attention, convolution = json.loads(done.stdout)
    assert [point["size"] for point in attention["points"]] == [4, 8]
    assert all(point["ours"] > 0 and point["memory"] > 0 for point in attention["points"] + convolution["points"])
    ElementTree.fromstring((tmp_path / "growth.svg").read_text("utf-8"))  # noqa: S314 -- our own file


def test_growth_without_pytorch_is_of_ours_alone() -> None:
    done = script("scaling", python=("-c", WITHOUT_TORCH.format(script="scaling")))
    assert done.returncode == 0, done.stderr
    assert "time grows as" in done.stdout
