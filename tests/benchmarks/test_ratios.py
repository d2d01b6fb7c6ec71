"""The one table of ratios runs on tiny sizes, as text, Markdown and JSON, and says what it left out."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tools import ROOT

SYSTEMS = {
    "14 profiling": {"each layer timed", "a call noted by `profile`"},
    "15 quantization": {"INT8", "INT8, forward"},
    "16 compression": {"60 % of the units gone, and INT8", "half of the units, forward", "rank 2, forward"},
    "18 acceleration": {"tiles", "NumPy's product", "DataParallel, two workers"}
    | {f"fused {name}" for name in ("gelu", "softmax", "cross_entropy", "layer_norm")},
    "19 benchmarking": {"false alarms", "a tenth less time found", "intervals that hold the median"},
    "20 capstone": {"TinyGPT in INT8", "an answer of 4 characters"},
}

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does."""
    command = [sys.executable, "-X", "utf8", *arguments]
    return subprocess.run(  # noqa: S603 -- our own scripts
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=600, check=False
    )


def script(name: str) -> ModuleType:
    """The functions of a file in benchmarks."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_every_module_from_14_on_has_rows() -> None:
    done = python("benchmarks/systems.py", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    found: dict[str, set[str]] = {}
    for row in told["rows"]:
        found.setdefault(row["module"], set()).add(row["what"])
        assert row["ratio"] >= 0
    assert found == SYSTEMS
    assert "MNIST was left out" in told["note"]


def test_a_folder_without_mnist_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = python("benchmarks/systems.py", "--quick", "--only", "smaller", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "MNIST cannot be read: " in done.stderr
    assert "Traceback" not in done.stderr


def test_sections_become_one_table_in_three_forms() -> None:
    forms: dict[str, list[str]] = {"text": [], "markdown": ["--markdown"], "json": ["--json"]}
    told = {
        form: python("-m", "benchmarks", "--quick", "--only", "loader", "generation", *options)
        for form, options in forms.items()
    }
    assert [done.returncode for done in told.values()] == [0, 0, 0], told
    rows = json.loads(told["json"].stdout)["rows"]
    assert {row["module"] for row in rows} == {"08 dataloader", "17 memoization"}
    assert "| module | what | size | against | ours | theirs | ratio | aim | source |" in told["markdown"].stdout
    assert told["markdown"].stdout.count("\n| ") == len(rows) + 2
    assert "× as fast" in told["text"].stdout


@needs_torch
def test_sections_that_compare_with_pytorch_fold_sizes() -> None:
    done = python("-m", "benchmarks", "--quick", "--only", "forward", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["add"]["size"].startswith("4 sizes, up to (")
    assert rows["add"]["ratio"] <= rows["add"]["high"]


def test_without_data_rows_are_left_out_with_a_sentence() -> None:
    done = python("-m", "benchmarks", "--quick", "--only", "milestones")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3–5 min, 81–83 %" in done.stdout
    assert "Rows of MNIST were left out: --data FOLDER" in done.stdout
    assert "1998 on CIFAR-10 was left out: --full runs it." in done.stdout


def test_a_section_that_fails_is_named(tmp_path: Path) -> None:
    done = python("-m", "benchmarks", "--quick", "--only", "systems", "generation", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "systems failed: systems.py --data " in done.stdout
    assert "generate_cached" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_numbers_are_told_with_the_digits_that_count() -> None:
    ratios = script("ratios")
    assert [ratios.number(x) for x in (0.914, 1.0, 11.34, 1234.5)] == ["0.91", "1.00", "11.3", "1,234"]
    assert [ratios.duration(x) for x in (2e-7, 1.5e-4, 9.996e-4, 75.0)] == ["0.20 µs", "150 µs", "1.00 ms", "75.0 s"]
    assert [ratios.between(1.0, high) for high in (None, 1.0, 2.5)] == ["1.00", "1.00", "1.00–2.50"]


def test_every_published_figure_names_its_file_and_version() -> None:
    published = script("published")
    figures = [each for each in vars(published).values() if isinstance(each, published.Published)]
    assert len(figures) == 6
    for figure in figures:
        assert 0 < figure.low <= figure.high
        assert figure.source.startswith((published.BOOK, published.OLDER))
        assert " at " in figure.source
