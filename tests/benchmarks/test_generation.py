"""The benchmark of generation runs on tiny sizes and tells a table or JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools import ROOT


def generation(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", "benchmarks/generation.py", "--quick", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


def test_it_measures_every_length() -> None:
    done = generation("--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["tokens"] for row in told["rows"]] == [2, 4]
    assert all(row[number] > 0 for row in told["rows"] for number in ("generate", "cached", "ratio"))
    assert told["setting"]["threads"] == "1"


def test_it_prints_a_table() -> None:
    done = generation("--rounds", "2")
    assert done.returncode == 0, done.stderr
    assert "times as fast" in done.stdout


def test_a_folder_without_a_package_is_named(tmp_path: Path) -> None:
    done = generation("--package", str(tmp_path))
    assert done.returncode == 1
    assert f"no package in {tmp_path}" in done.stderr
