"""The benchmark of gradients runs on tiny sizes, tells tables or JSON, and does without the other frameworks."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import ROOT

WITHOUT_OTHERS = """
import importlib.util, runpy
find_spec = importlib.util.find_spec
absent = ("torch", "micrograd")
importlib.util.find_spec = lambda name, package=None: None if name in absent else find_spec(name, package)
import sys
sys.path.insert(0, "benchmarks")
runpy.run_path("benchmarks/autograd.py", run_name="__main__")
"""

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def autograd(*arguments: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", *(python or ("benchmarks/autograd.py",)), "--quick", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


@needs_torch
def test_it_measures_steps_operations_and_growth() -> None:
    done = autograd("--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["operation"] for row in told["steps"]] == ["step, SGD", "step, Adam"]
    assert {"tinytorch", "PyTorch"} <= {cost["framework"] for cost in told["operations"]}
    assert all(cost["record"] > 0 and cost["backward"] > 0 for cost in told["operations"] + told["growth"])


def test_growth_is_of_the_graph_alone() -> None:
    done = autograd("--json")
    assert done.returncode == 0, done.stderr
    growth = json.loads(done.stdout)["growth"]
    assert [cost["operations"] for cost in growth] == [1000, 3000]
    short, long = (cost["memory"] for cost in growth)
    assert long == pytest.approx(short, rel=0.3)  # bytes per operation stay


def test_without_the_others_it_tells_of_its_own() -> None:
    done = autograd(python=("-c", WITHOUT_OTHERS))
    assert done.returncode == 0, done.stderr
    assert "PyTorch is not installed" in done.stdout
    assert "micrograd" not in done.stdout
    assert "tinytorch" in done.stdout


def test_a_folder_without_a_package_is_named(tmp_path: Path) -> None:
    done = autograd("--package", str(tmp_path))
    assert done.returncode == 1
    assert f"no package in {tmp_path}" in done.stderr
