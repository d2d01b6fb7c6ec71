"""What a milestone reaches from several seeds, and its cost in seconds and memory: each seed in a process of its own.

    python benchmarks/milestones.py 1998                        # the shipped stage, seeds 0 to 2, on the solutions
    python benchmarks/milestones.py 1998 --full --data FOLDER   # the full benchmark
    python benchmarks/milestones.py 1998 --seeds 5 6 7 8        # other seeds
    python benchmarks/milestones.py 1998 --full --set epochs=1  # another size than the script's FULL
    python benchmarks/milestones.py 1998 --json                 # the same as JSON
    python benchmarks/milestones.py 1998 --package tinytorch    # another package than the solutions

Memory is that of the whole process, with the judge and all data. A busy machine changes the wall seconds, and no more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from pytest_tinytorch import course, milestones  # noqa: E402 -- this repository's, whatever is installed
from pytest_tinytorch.handles import open_loop  # noqa: E402
from pytest_tinytorch.outcome import Outcome  # noqa: E402
from pytest_tinytorch.sources import Sources  # noqa: E402


def one(asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Replay the milestone once, in this process."""
    milestone = next(each for each in course.MILESTONES if each.year == asked.year)
    script = milestones.load(REPOSITORY / "milestones" / str(milestone.script))
    if asked.set:
        script.module.FULL.update(dict(asked.set))
    homes = {name: module.name for module in course.MODULES for name in module.exports}
    sessions = open_loop(asked.package.resolve(), homes=homes)
    live = sys.stderr if sys.stderr.isatty() else None
    stage = milestones.Stage(seed=seed, full=asked.full, data=asked.data, live=live)
    began, cpu = time.perf_counter(), time.process_time()
    try:
        result = milestones.replay(script, milestone, sessions, Sources(asked.package.resolve()), stage)
    finally:
        sessions.close()
    return {
        "seed": seed,
        "reached": [claim.reached for claim in result.claims],
        "required": [claim.required for claim in result.claims],
        "holds": result.outcome is Outcome.PASSED,
        "outcome": result.outcome.value,
        "why": result.cause or (result.finding.got if result.finding else ""),
        "notes": list(result.story[1:]),
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "megabytes": peak(),
    }


def peak() -> float | None:
    """The most memory that this process ever held, in MB; None where the system does not say."""
    try:
        import resource  # noqa: PLC0415 -- Windows has none
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit / 1e6


def each_by_itself(arguments: list[str], seeds: list[int]) -> list[dict[str, Any]]:
    """One process after the other, with the arguments of this one."""
    rows = []
    for seed in seeds:
        command = [sys.executable, str(Path(__file__).resolve()), *arguments, "--alone", str(seed)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, encoding="utf-8")  # noqa: S603 -- ourselves
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """A line for each seed."""
    lines = [f"{'seed':>12}  {'wall s':>8}  {'CPU s':>8}  {'MB':>6}  reached"]
    for row in rows:
        memory = "–" if row["megabytes"] is None else f"{row['megabytes']:.0f}"
        told = ", ".join(row["reached"]) or f"{row['outcome']}: {row['why']}"
        missed = "" if row["holds"] else "  (missed)"
        lines.append(f"{row['seed']:>12}  {row['wall']:>8.1f}  {row['cpu']:>8.1f}  {memory:>6}  {told}{missed}")
    asked = "; ".join(rows[0]["required"])
    return "\n".join(
        [*lines, *([f"required: {asked}"] if asked else []), *sorted({n for r in rows for n in r["notes"]})]
    )


def size(text: str) -> tuple[str, int]:
    """`epochs=1` as a name and a number."""
    name, _, number = text.partition("=")
    return name, int(number)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status: 1 where a seed missed a claim."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(description="Milestones from several seeds: what they reach, and what it costs.")
    years = [each.year for each in course.MILESTONES if each.script]
    parser.add_argument("year", type=int, choices=years)
    parser.add_argument("--full", action="store_true", help="the full benchmark")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N")
    parser.add_argument("--data", type=Path, help="the data folder (default: TINYTORCH_DATA, else your cache)")
    parser.add_argument("--set", type=size, nargs="+", metavar="NAME=NUMBER", help="a number of the script's FULL")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.alone is not None:
        print(json.dumps(one(asked, asked.alone)))
        return 0
    rows = each_by_itself(arguments, asked.seeds)
    print(json.dumps({"year": asked.year, "full": asked.full, "rows": rows}, indent=1) if asked.json else table(rows))
    return 0 if all(row["holds"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
