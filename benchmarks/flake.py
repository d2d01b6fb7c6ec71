"""Whether checks of time ever flake: checkpoints 14 to 19, again and again, on a machine that is busy otherwise.

    python benchmarks/flake.py                           # 100 runs in this process
    python benchmarks/flake.py --isolated --runs 30      # isolated ones
    python benchmarks/flake.py --load 4                  # four processes for every core, in place of two
    python benchmarks/flake.py --variants acceleration   # the slow and cheating variants of one module, and no runs
    python benchmarks/flake.py --json                    # the same as JSON

The load are processes that multiply matrices and go over 64 MB of memory, without a pause. Under it the solutions must
pass each check of every run, each run with a seed of its own: whatever fails is a *false failure*. Then come the
catalogue's mistakes of exercises that are about time, memory or threads: what passes all checks of its exercise *got
away*. The exit status is 1 where there was either.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from pytest_tinytorch import course  # noqa: E402 -- this repository's, whatever is installed
from pytest_tinytorch.outcome import Outcome, Result  # noqa: E402
from tests.mistakes import catalogue  # noqa: E402
from tools.trial import Trial, Verdict, below, package, run  # noqa: E402

CHECKPOINTS = "14-19"
# The exercises whose checks look at a clock, at memory or at threads: a test holds this against their sources.
MEASURED = {
    "profiling": ("measure_latency", "profile", "measure_memory", "Stopwatch.__call__", "Profiler.bottleneck"),
    "memoization": ("Memo.__call__",),
    "acceleration": (
        "matmul_tiled",
        "fused_gelu",
        "fused_softmax",
        "fused_cross_entropy",
        "fused_layer_norm",
        "parallel_map",
        "DataParallel.backward",
    ),
    "benchmarking": ("Benchmark.sample", "Benchmark.prepare", "Benchmark.run"),
}
# Slow and cheating variants that checks find by counting: calls, copies, bytes.
COUNTED = {
    "compression": ("remove_units", "compress"),
    "memoization": ("Memo.invalidate", "KVCache.append", "generate_cached"),
    "benchmarking": ("interleave",),
}
MODULES = sorted({*MEASURED, *COUNTED})
# It ends when its parent does, however that came about (Windows does not tell).
LOAD = """
import os
import numpy as np

parent, memory, a = os.getppid(), np.zeros(2**23), np.ones((256, 256), np.float32)
while os.getppid() == parent:
    memory += 1.0
    for _ in range(20):
        a = np.tanh(a @ a)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """What should not have been: a false failure of a check, or a variant that got away, and how often."""

    what: str
    times: int
    of: int
    found: str


@contextlib.contextmanager
def load(processes: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep so many processes busy, each on one thread, for as long as the block lasts."""
    alone = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    started = [subprocess.Popen([sys.executable, "-c", LOAD], env=alone) for _ in range(processes)]  # noqa: S603 -- ours
    try:
        yield started
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


# ---- what is tried ----


def runs(count: int, checkpoint: str, modes: dict[str, tuple[str, ...]], first: int) -> list[Trial]:
    """The solutions again and again, in every mode, each time with another seed."""
    return [
        Trial(name=f"{mode}, seed {seed}", package=package(), checkpoint=checkpoint, arguments=(*options,), seed=seed)
        for seed in range(first, first + count)
        for mode, options in modes.items()
    ]


def variants(times: int, modes: dict[str, tuple[str, ...]], only: str = "") -> list[Trial]:
    """The catalogue's mistakes of exercises that measure, some times each, in every mode."""
    modules = {module.name: module for module in course.MODULES}
    return [
        Trial(
            name=f"{module}: {mistake.name} ({mode}, {n + 1} of {times})",
            package=below(modules[module], mistake.make(package()[modules[module].file])),
            checkpoint=str(modules[module].number),
            arguments=options,
            only=mistake.exercise,
            seed=n + 1,
        )
        for module, mistakes in catalogue().items()
        if only in {"", module}
        for mistake in mistakes
        if mistake.exercise in (*MEASURED.get(module, ()), *COUNTED.get(module, ()))
        for n in range(times)
        for mode, options in modes.items()
    ]


def tried(trials: list[Trial], jobs: int, told: bool) -> list[Verdict]:
    """The verdicts, each told in a line as it comes in."""
    found = []
    for n, verdict in enumerate(run(trials, jobs=jobs, deadline=900.0), 1):
        found.append(verdict)
        if told:
            clock = time.strftime("%H:%M:%S")
            passed = len(verdict.results) - len(verdict.not_passed)
            failed = [f"{result.name} {result.outcome.value}" for result in verdict.not_passed]
            also = [*failed[:2], *(["…"] if failed[2:] else [])]
            came = ", ".join([f"{passed} passed", *also, f"{verdict.seconds:.1f} s"])
            line = f"{clock}  {n} of {len(trials)}: {verdict.name}: {came}"
            print(line, file=sys.stderr, flush=True)
    return found


# ---- what was wrong ----


def false_failures(verdicts: list[Verdict]) -> list[Flaw]:
    """Checks of the solutions that did not pass, most frequent first, each with the first thing that it found."""
    failed = [result for verdict in verdicts for result in verdict.not_passed]
    died = [verdict for verdict in verdicts if not verdict.results or verdict.status not in {0, 1}]
    times = Counter(f"{result.module}: {result.name}" for result in failed)
    told = {f"{result.module}: {result.name}": said(result) for result in reversed(failed)}
    flaws = [Flaw(what=what, times=n, of=len(verdicts), found=told[what]) for what, n in times.most_common()]
    if died:
        found = died[0].output.strip()[-300:] or f"no result after {died[0].seconds:.0f} s"
        flaws.append(Flaw(what="runs that came to no end", times=len(died), of=len(verdicts), found=found))
    return flaws


def said(result: Result) -> str:
    """What a check found, on one line."""
    found = result.finding
    parts = (found.call, found.expected, found.got, found.difference, found.mistake) if found else (result.cause,)
    return " ".join(f"{result.outcome.value}: {' | '.join(filter(None, parts))} (seed {result.seed})".split())


def got_away(verdicts: list[Verdict]) -> list[Flaw]:
    """Variants that no check of their exercise failed: they passed, or the checker broke."""
    caught = {Outcome.WRONG, Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.UNWRITTEN}
    names = [verdict.name.partition(" (")[0] for verdict in verdicts]
    missed = [name for name, verdict in zip(names, verdicts, strict=True) if not caught & verdict.outcomes()]
    all_of = Counter(names)
    return [
        Flaw(what=name, times=n, of=all_of[name], found="no check failed") for name, n in Counter(missed).most_common()
    ]


# ---- the command line ----


def table(title: str, flaws: list[Flaw], tries: int) -> str:
    """A heading and a line for each flaw."""
    lines = [f"{title}: {sum(flaw.times for flaw in flaws)} in {tries} trials"]
    lines += [f"  {flaw.times:>4} of {flaw.of:<4} {flaw.what}\n       {flaw.found}" for flaw in flaws]
    return "\n".join(lines)


def count(text: str) -> int:
    """A whole number, 0 or more."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status: 1 where a check failed falsely or a variant got away."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description="Checkpoints again and again on a busy machine.")
    parser.add_argument("--runs", type=count, default=100, help="of the solutions (default 100)")
    parser.add_argument(
        "--times", type=count, default=3, help="that each slow or cheating variant is tried (default 3)"
    )
    parser.add_argument("--load", type=count, default=2, metavar="N", help="busy processes per core (default 2)")
    parser.add_argument("--isolated", action="store_true", help="isolated runs in place of those in this process")
    parser.add_argument("--both", action="store_true", help="every run in this process, then isolated")
    parser.add_argument("--checkpoint", default=CHECKPOINTS, metavar="N", help=f"default {CHECKPOINTS}")
    parser.add_argument("--variants", choices=MODULES, help="the variants of this module, and no runs")
    parser.add_argument("--seed", type=count, default=1, help="of the first run (default 1)")
    parser.add_argument("--jobs", type=count, default=1, help="trials at a time (default 1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(arguments)
    modes: dict[str, tuple[str, ...]] = {"in this process": (), "isolated": ("--isolated",)}
    if not asked.both:
        del modes["in this process" if asked.isolated else "isolated"]
    told, jobs = not asked.json, asked.jobs or cores
    repeated = [] if asked.variants else runs(asked.runs, asked.checkpoint, modes, asked.seed)
    cheating = variants(asked.times, modes, asked.variants or "")
    with load(asked.load * cores):
        began = time.perf_counter()
        false = false_failures(tried(repeated, jobs, told))
        away = got_away(tried(cheating, jobs, told))
        took = time.perf_counter() - began
    if asked.json:
        report = {
            "load": asked.load * cores,
            "runs": len(repeated),
            "variants": len(cheating),
            "false failures": [asdict(flaw) for flaw in false],
            "got away": [asdict(flaw) for flaw in away],
            "seconds": took,
        }
        print(json.dumps(report, indent=1))
    else:
        print(f"{asked.load * cores} busy processes on {cores} cores, {took:.0f} s")
        print(table(f"false failures of --checkpoint {asked.checkpoint}", false, len(repeated)))
        print(table("slow or cheating variants that got away", away, len(cheating)))
    return 1 if false or away else 0


if __name__ == "__main__":
    raise SystemExit(main())
