"""The loader's benchmark runs on tiny sizes and tells a table or JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools import ROOT

CASES = {f"{order}, batches of {size}" for order in ("in turn", "shuffled") for size in (16, 64, 256)}
CASES |= {
    "a Subset, shuffled, 64",
    "a file, shuffled, 64",
    "items one by one, 64",
    "prefetch=2 against 0, I/O = compute",
}


def loader(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", "benchmarks/loader.py", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


def test_it_measures_every_case() -> None:
    done = loader("--quick", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {row["name"] for row in told["rows"]} == CASES
    assert all(row[number] > 0 for row in told["rows"] for number in ("ours", "plain", "rows_per_second", "ratio"))
    assert told["setting"]["threads"] == "1"


def test_it_prints_a_table() -> None:
    done = loader("--quick", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert "shuffled, batches of 64" in done.stdout
    assert "longer than the plain loop" in done.stdout


def test_a_folder_without_a_package_is_named(tmp_path: Path) -> None:
    done = loader("--package", str(tmp_path))
    assert done.returncode == 1
    assert f"no package in {tmp_path}" in done.stderr
