"""What verifying costs: whole processes, beside a bare pytest run that imports NumPy.

    python benchmarks/startup.py            # a table
    python benchmarks/startup.py --all      # `--checkpoint all` in place of checkpoint 1: some minutes
    python benchmarks/startup.py --json     # the same as JSON

Runs are interleaved (A B C, A B C, …) and compared round by round, so that a busy moment of the machine hits all of
them alike. The course is the solved one: every check runs and passes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
BARE = "import numpy\n\n\ndef test_numpy():\n    assert numpy.arange(3).sum() == 3\n"
# Compiled files are kept between runs, as on any user's machine.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
TARGETS = {"in this process": 2.0, "isolated": 4.0}  # times a bare run
ALL_TARGETS = {"in this process": 60.0, "isolated": 120.0}  # seconds on two cores


def prepare(folder: Path, checkpoint: str) -> dict[str, list[str]]:
    """A solved course and a bare project; the command lines to compare."""
    course, bare = folder / "course", folder / "bare"
    shutil.copytree(REPOSITORY / "solutions" / "tinytorch", course / "tinytorch")
    (course / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntinytorch_track = "complete"\n', "utf-8")
    git = shutil.which("git")
    if git:  # checkpoint 0 asks for a work tree
        subprocess.run([git, "init", "-q", str(course)], check=True)  # noqa: S603 -- a folder of ours
    elif checkpoint == "all":
        raise SystemExit("checkpoint 0 asks for a git work tree, and git is not installed")
    bare.mkdir()
    (bare / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", "utf-8")
    (bare / "test_numpy.py").write_text(BARE, "utf-8")
    pytest = [sys.executable, "-m", "pytest", "-q", "--rootdir"]
    asked = [*pytest, str(course), "-c", str(course / "pyproject.toml"), "--checkpoint", checkpoint]
    return {
        "bare pytest": [*pytest, str(bare), str(bare)],
        "in this process": asked,
        "isolated": [*asked, "--isolated"],
    }


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of one whole process that must succeed."""
    settings: dict[str, Any] = {"cwd": folder, "env": ENVIRONMENT, "capture_output": True, "text": True}
    began = time.perf_counter()
    done = subprocess.run(command, check=False, **settings)  # noqa: S603 -- our own pytest
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - began


def measure(rounds: int, checkpoint: str) -> dict[str, dict[str, float]]:
    """Median seconds of each command, and the median of its ratio to the bare run of the same round."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        commands = prepare(folder, checkpoint)
        for command in list(commands.values())[: 1 if checkpoint == "all" else None]:
            seconds(command, folder)  # fills the caches of compiled files
        rows = [{label: seconds(command, folder) for label, command in commands.items()} for _ in range(rounds)]
    return {
        label: {
            "seconds": statistics.median(row[label] for row in rows),
            "ratio": statistics.median(row[label] / row["bare pytest"] for row in rows),
        }
        for label in commands
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="time `--checkpoint all`")
    parser.add_argument("--rounds", type=int, default=None, help="of each command (default 7, with --all 1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    checkpoint = "all" if options.all else "1"
    found = measure(options.rounds or (1 if options.all else 7), checkpoint)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    asked = f"pytest --checkpoint {checkpoint}"
    print(f"{asked:24}  seconds   ratio   target")
    targets = (
        {label: f"<= {n:g} s" for label, n in ALL_TARGETS.items()}
        if options.all
        else {label: f"<= {n:g}" for label, n in TARGETS.items()}
    )
    for label, numbers in found.items():
        print(f"{label:24}  {numbers['seconds']:7.2f}  {numbers['ratio']:6.2f}   {targets.get(label, '')}".rstrip())


if __name__ == "__main__":
    main()
