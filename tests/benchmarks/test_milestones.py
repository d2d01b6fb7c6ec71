"""The milestones' benchmark replays each seed by itself, and tells a table or JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tools import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def milestones(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", "benchmarks/milestones.py", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False, env=os.environ | environment
    )


def test_each_seed_is_replayed() -> None:
    done = milestones("1957", "--seeds", "3", "4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["seed"] for row in told["rows"]] == [3, 4]
    for row in told["rows"]:
        assert row["holds"]
        assert row["reached"][:3] == ["100 %"] * 3
        assert row["wall"] > 0
        assert row["cpu"] > 0
        assert row["megabytes"] is None or row["megabytes"] > 10


def test_it_prints_a_table() -> None:
    done = milestones("1957", "--seeds", "7")
    assert done.returncode == 0, done.stderr
    assert "CPU s" in done.stdout
    assert "100 %, 100 %, 100 %" in done.stdout
    assert "required: 100 %" in done.stdout


def test_what_did_not_run_says_why(tmp_path: Path) -> None:
    done = milestones(
        "1998", "--full", "--seeds", "0", "--data", str(tmp_path), TINYTORCH_OFFLINE="1", TINYTORCH_DATA=""
    )
    assert done.returncode == 1
    assert "TINYTORCH_OFFLINE forbids downloads" in done.stdout
    assert "(missed)" in done.stdout


def test_a_milestone_that_is_not_there_is_refused() -> None:
    done = milestones("1970")
    assert done.returncode == 2
    assert "invalid choice: 1970" in done.stderr
