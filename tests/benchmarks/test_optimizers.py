"""The optimisers' benchmark runs on tiny sizes, tells a table or JSON, and says so where PyTorch is absent."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import ROOT

RULES = {"SGD", "SGD momentum", "SGD nesterov", "RMSprop", "Adam", "Adam amsgrad", "AdamW"}
WITHOUT_TORCH = """
import importlib.util, runpy
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "torch" else find_spec(name, package)
import sys
sys.path.insert(0, "benchmarks")
runpy.run_path("benchmarks/optimizers.py", run_name="__main__")
"""

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def optimizers(*arguments: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", *(python or ("benchmarks/optimizers.py",)), *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


@needs_torch
def test_it_measures_every_rule() -> None:
    done = optimizers("--quick", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {row["operation"] for row in told["rows"]} == RULES
    assert len(told["rows"]) == 2 * len(RULES)
    assert all(row["ours"] > 0 and row["pytorch"] > 0 and row["ratio"] > 0 for row in told["rows"])
    assert told["setting"]["threads"] == "1"


@needs_torch
def test_it_prints_a_table() -> None:
    done = optimizers("--quick", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert "Adam amsgrad   1 x 100" in done.stdout
    assert "Geometric mean" in done.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_pytorch_it_says_so(options: tuple[str, ...]) -> None:
    done = optimizers(*options, python=("-c", WITHOUT_TORCH))
    assert done.returncode == 0, done.stderr
    assert "PyTorch is not installed" in done.stdout


@needs_torch
def test_a_folder_without_a_package_is_named(tmp_path: Path) -> None:
    done = optimizers("--package", str(tmp_path))
    assert done.returncode == 1
    assert f"no package in {tmp_path}" in done.stderr
