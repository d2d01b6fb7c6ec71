"""What modules 14 to 20 gain and cost: ratios of time, bytes and shares, each beside the form without the gain.

    python benchmarks/systems.py                        # a table
    python benchmarks/systems.py --only acceleration    # one section, or several
    python benchmarks/systems.py --data FOLDER          # MNIST for the rows of modules 15 and 16, too
    python benchmarks/systems.py --json                 # the same as JSON
    python benchmarks/systems.py --package tinytorch    # another package than the solutions
    python benchmarks/systems.py --quick                # tiny sizes, few rounds: does it run at all?

Both sides take turns on one thread, and what counts is the median of the ratios of one round, in CPU time; DataParallel
is compared in wall time, and wants two quiet cores. The numbers of both sides are compared before they are timed.
What a cache of keys and values saves is measured by `generation.py`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from faster import acceleration, benchmarking, profiling
from forward import REPOSITORY, load, setting
from ratios import text
from smaller import capstone, smaller
from turns import Asked

# isort: split
from pytest_tinytorch.datasets import DataError  # after smaller, which finds this repository's

SECTIONS = (profiling, smaller, acceleration, benchmarking, capstone)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="What modules 14 to 20 gain and cost.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    names = [section.__name__ for section in SECTIONS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these sections")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per row (default 15)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder that holds mnist/")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    tt = load(chosen.package.resolve())
    rounds = chosen.rounds or (3 if chosen.quick else 15)
    asked = Asked(tt=tt, quick=chosen.quick, rounds=rounds, data=chosen.data)
    note = (
        ""
        if chosen.data or "smaller" not in chosen.only
        else "MNIST was left out: --data FOLDER names the folder that holds mnist/."
    )
    try:
        rows = [row for section in SECTIONS if section.__name__ in chosen.only for row in section(asked)]
    except DataError as error:
        raise SystemExit(f"MNIST cannot be read: {error}") from None
    if chosen.json:
        print(json.dumps({"setting": setting(), "note": note, "rows": [asdict(row) for row in rows]}, indent=1))
        return 0
    print(", ".join(f"{key} {value}" for key, value in setting().items()))
    print(text(rows))
    if note:
        print(f"\n{note}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
