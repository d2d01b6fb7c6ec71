"""What a cache of keys and values saves: seconds of `generate` and `generate_cached`, in the same run.

    python benchmarks/generation.py                       # a table
    python benchmarks/generation.py --json                # the same as JSON
    python benchmarks/generation.py --package tinytorch   # another package than the solutions
    python benchmarks/generation.py --quick               # tiny sizes, few rounds: does it run at all?

A GPT with four layers of width 128, one text, from one id on. Both sides must write the same tokens. They take turns,
and what counts is the median of the ratios of one round, in CPU time on one thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import REPOSITORY, clock, load, setting

# isort: split
import numpy as np  # after forward, which sets the number of threads


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured: seconds of one text, medians over the rounds, and how many times as fast the cache is."""

    tokens: int
    generate: float
    cached: float
    ratio: float


def seconds(write: Callable[[], Any]) -> float:
    """CPU time of one text."""
    began = clock()
    write()
    return clock() - began


def measure(tt: ModuleType, model: Any, tokens: int, rounds: int) -> Row:
    """Both ways of writing in turn, round by round, each round with a seed of its own."""
    prompt = tt.tensor([[1]])

    def generate(seed: int) -> Any:
        return model.generate(prompt, tokens, seed=seed).data

    def cached(seed: int) -> Any:
        return tt.generate_cached(model, prompt, tokens, seed=seed).data

    if not np.array_equal(generate(0), cached(0)):
        raise SystemExit(f"{tokens} tokens: the two sides wrote different texts")
    pairs = [(seconds(partial(generate, seed)), seconds(partial(cached, seed))) for seed in range(rounds)]
    return Row(
        tokens=tokens,
        generate=statistics.median(slow for slow, _ in pairs),
        cached=statistics.median(fast for _, fast in pairs),
        ratio=statistics.median(slow / max(fast, 1e-9) for slow, fast in pairs),
    )


def rows(tt: ModuleType, quick: bool, rounds: int) -> Iterator[Row]:
    """Texts of several lengths, all within max_len."""
    lengths = (2, 4) if quick else (64, 128, 256)
    tt.manual_seed(0)
    model = tt.GPT(9, 8, 2, 1, 5) if quick else tt.GPT(65, 128, 4, 4, 257)
    return (measure(tt, model, tokens, rounds) for tokens in lengths)


def table(found: list[Row]) -> str:
    """The rows in columns."""
    lines = [f"{'tokens':>8} {'generate, s':>12} {'cached, s':>12} {'times as fast':>14}"]
    lines += [f"{row.tokens:>8} {row.generate:>12.4f} {row.cached:>12.4f} {row.ratio:>14.1f}" for row in found]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="Generation with and without a cache of keys and values.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per length (default 5)")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    tt = load(chosen.package.resolve())
    found = list(rows(tt, chosen.quick, chosen.rounds or (1 if chosen.quick else 5)))
    if chosen.json:
        print(json.dumps({"setting": setting(), "rows": [asdict(row) for row in found]}, indent=1))
    else:
        print(", ".join(f"{key} {value}" for key, value in setting().items()))
        print(table(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
