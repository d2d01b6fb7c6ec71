"""The benchmark of flaky checks runs in small, counts what went wrong, and tries what it must."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from types import ModuleType

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.outcome import Finding, Outcome, Result
from tests.mistakes import catalogue
from tools import ROOT
from tools.trial import Verdict

CLOCKS = {"clock", "perf_counter", "sleep", "threading", "tracemalloc"}  # words of a check that depends on the machine
MEASURING = [module for module in course.MODULES if 14 <= module.number <= 19]


def flake(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", "benchmarks/flake.py", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=600, check=False
    )


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The benchmark's own functions."""
    spec = importlib.util.spec_from_file_location("flake", ROOT / "benchmarks" / "flake.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["flake"] = module
    spec.loader.exec_module(module)
    return module


def result(outcome: Outcome, name: str = "sleeps", finding: Finding | None = None) -> Result:
    """What came of a check of module 14."""
    return Result(
        check=f"checkpoint_14_profiling.py::test_{name}",
        number=14,
        module="profiling",
        exercise="measure_latency",
        claim="it sleeps",
        points=1,
        outcome=outcome,
        finding=finding,
    )


def test_the_solutions_pass_in_both_modes_on_a_busy_machine() -> None:
    done = flake("--runs", "1", "--times", "0", "--checkpoint", "14", "--load", "1", "--both", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["runs"] == 2
    assert told["load"] == (os.cpu_count() or 1)
    assert told["false failures"] == told["got away"] == []


def test_variants_of_a_module_are_caught_and_told() -> None:
    done = flake("--variants", "compression", "--times", "1", "--load", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "compression: zeros in place of smaller arrays (in this process, 1 of 1): " in done.stderr
    assert "false failures of --checkpoint 14-19: 0 in 0 trials" in done.stdout
    assert "that got away: 0 in" in done.stdout


def test_a_check_that_fails_is_counted_with_its_finding(script: ModuleType) -> None:
    late = result(Outcome.WRONG, finding=Finding(expected="0.02", got="0.31"))
    verdicts = [
        Verdict(name=f"seed {n}", status=n % 2, results=(late,)[: n % 2] or (result(Outcome.PASSED),)) for n in range(4)
    ]
    (flaw,) = script.false_failures(verdicts)
    assert (flaw.what, flaw.times, flaw.of) == ("profiling: sleeps", 2, 4)
    assert "wrong: 0.02 | 0.31" in flaw.found


def test_a_run_without_a_result_is_a_failure(script: ModuleType) -> None:
    (flaw,) = script.false_failures([Verdict(name="seed 1", status=None, seconds=900.0)])
    assert flaw.what == "runs that came to no end"
    assert "900 s" in flaw.found


def test_what_no_check_failed_got_away(script: ModuleType) -> None:
    outcomes = [Outcome.WRONG, Outcome.PASSED, Outcome.BROKEN]
    names = [f"profiling: sleeps less (isolated, {n + 1} of 3)" for n in range(3)]
    verdicts = [
        Verdict(name=name, status=0, results=(result(outcome),)) for name, outcome in zip(names, outcomes, strict=True)
    ]
    (flaw,) = script.got_away(verdicts)
    assert (flaw.what, flaw.times, flaw.of) == ("profiling: sleeps less", 2, 3)


def test_the_load_ends_with_its_block(script: ModuleType) -> None:
    with script.load(2) as started:
        assert [one.poll() for one in started] == [None, None]
    assert all(one.poll() is not None for one in started)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process that its parent ended")
@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
def test_the_load_ends_with_its_parent(script: ModuleType) -> None:
    orphan = (
        "import subprocess, sys, time\n"
        f"print(subprocess.Popen([sys.executable, '-c', {script.LOAD!r}]).pid, flush=True)\n"
        "time.sleep(1)\n"
    )
    done = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-c", orphan], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    deadline = time.monotonic() + 30
    while running(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running(int(done.stdout))


def running(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], stdout=subprocess.PIPE, encoding="utf-8", check=False)  # noqa: S603, S607 -- a number of ours
    return bool(told.stdout.strip()) and not told.stdout.startswith("Z")


@pytest.mark.parametrize("module", MEASURING, ids=lambda module: module.name)
def test_every_exercise_whose_checks_look_at_the_machine_is_tried(script: ModuleType, module: course.Module) -> None:
    assert set(script.MEASURED.get(module.name, ())) == timed_exercises(module)


def test_what_is_tried_exists(script: ModuleType) -> None:
    modules = {module.name: module for module in course.MODULES}
    for table in (script.MEASURED, script.COUNTED):
        for name, exercises in table.items():
            assert set(exercises) <= set(modules[name].exercises)
            assert set(exercises) <= {mistake.exercise for mistake in catalogue()[name]}


def timed_exercises(module: course.Module) -> set[str]:
    """The exercises of which a check, or a function of the file that it uses, holds one of the words."""
    path = ROOT / "pytest_tinytorch" / "checkpoints" / f"checkpoint_{module.number:02d}_{module.name}.py"
    nodes = ast.parse(path.read_text("utf-8")).body
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    found = set()
    for name, node in functions.items():
        if name.startswith("test_") and reached(functions, name) & CLOCKS:
            decorator = node.decorator_list[0]
            assert isinstance(decorator, ast.Call)
            assert isinstance(decorator.args[0], ast.Constant)
            found.add(str(decorator.args[0].value))
    return found


def reached(functions: dict[str, ast.FunctionDef], name: str) -> set[str]:
    """All words of a function and of those of its file that it names, directly or not."""
    found, waiting, seen = set[str](), [name], set[str]()
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            new = words(functions[current])
            found |= new
            waiting += new & functions.keys()
    return found


def words(node: ast.AST) -> set[str]:
    """Names, attributes, keywords, parameters and imports of a function."""
    found = set[str]()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
        elif isinstance(each, ast.arg | ast.keyword) and each.arg:
            found.add(each.arg)
        elif isinstance(each, ast.alias):
            found.add(each.name)
    return found
