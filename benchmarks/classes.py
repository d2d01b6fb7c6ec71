"""What grading a class costs: synthetic submissions of all kinds, each against every checkpoint.

    python benchmarks/classes.py                          # 300 submissions, -j 2: about ten minutes on two cores
    python benchmarks/classes.py --submissions 10         # a sample
    python benchmarks/classes.py --scaling 20 --svg docs/classes.svg   # and -j 1, 2, 4 and Dask workers on 20 of them
    python benchmarks/classes.py --json                   # the same as JSON
    python benchmarks/classes.py --submissions 5 --checkpoints 1       # does it run at all?

Each run is the command as an instructor gives it, in a process of its own. CPU time is of everything that the run
started and waited for; memory is the most that its processes had at once, shared pages counted once (Linux). What a
machine does beside it is measured, too.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from forward import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

import synthetic

WIDTH, HEIGHT, MARGIN = 420, 260, 56  # of the plot
TOTAL = "120"  # seconds for a submission: what an import that hangs costs
SECONDS = 0.5  # between looks at the memory
LINES = {"-j": "#d9822b", "Dask workers": "#2b7bd9"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: how many submissions with how many processes or workers; seconds, CPU seconds and bytes."""

    engine: str
    workers: int
    submissions: int
    wall: float
    cpu: float
    memory: int

    @property
    def per_minute(self) -> float:
        """Submissions graded in a minute."""
        return 60 * self.submissions / self.wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The submissions of one kind: seconds each, and which part of the points they earned."""

    kind: str
    number: int
    median: float
    longest: float
    points: tuple[float, float]


# ---- one run


def grade(folder: Path, into: Path, checkpoints: str, *engine: str) -> Measured:
    """Grade a class with `-j N` or `--dask ADDRESS WORKERS`."""
    words = [str(folder), "--into", str(into), "--checkpoint", checkpoints, "--seed", "5", "--total-limit", TOTAL]
    command = [sys.executable, "-I", "-m", "pytest_tinytorch.grade", "class", *words, *engine[:2]]
    began, before = time.perf_counter(), _cpu()
    with (into.with_suffix(".log")).open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 -- our own command
        with _memory(os.getpid() if engine[0] == "--dask" else process.pid) as most:
            code = process.wait()
    wall = time.perf_counter() - began
    if code not in {0, 2}:
        raise SystemExit(
            f"{' '.join(command)} ended with {code}: {into.with_suffix('.log').read_text('utf-8')[-2000:]}"
        )
    rows = len((into / "results.jsonl").read_text(encoding="utf-8").splitlines())
    name, workers = ("-j", engine[1]) if engine[0] == "-j" else ("Dask workers", engine[2])
    return Measured(engine=name, workers=int(workers), submissions=rows, wall=wall, cpu=_cpu() - before, memory=most[0])


def _cpu() -> float:
    """CPU seconds of all processes that have ended, and whose parents have waited for them."""
    times = os.times()
    return times.children_user + times.children_system


@contextmanager
def _memory(root: int) -> Iterator[list[int]]:
    """The most bytes that a process and its descendants had at once, looked at now and then."""
    most, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(SECONDS):
            most[0] = max(most[0], sum(map(_bytes, _tree(root))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def _tree(root: int) -> list[int]:
    """The process and all below it; only the process where the system has no /proc."""
    children: dict[int, list[int]] = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            children[int(status.read_text().rpartition(")")[2].split()[1])].append(int(status.parent.name))
        except OSError:  # it has just ended
            continue
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def _bytes(pid: int) -> int:
    """Its share of the memory: a page that n processes share counts for one n-th in each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a Dask cluster of so many worker processes on this machine."""
    distributed: Any = importlib.import_module("distributed")  # an extra
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as opened:
        yield opened.scheduler_address


# ---- what is measured


def by_kind(into: Path, kinds: dict[str, str]) -> list[Kind]:
    """What each kind of submission took and earned."""
    seconds = defaultdict[str, list[float]](list)
    points = defaultdict[str, list[float]](list)
    for line in (into / "timings.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        seconds[kinds[told["student"]]].append(told["seconds"])
    with (into / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            points[kinds[row["student"]]].append(int(row["score"]) / int(row["max_score"]))
    return [
        Kind(
            kind=kind,
            number=len(found),
            median=statistics.median(found),
            longest=max(found),
            points=(min(points[kind]), max(points[kind])),
        )
        for kind, found in sorted(seconds.items())
    ]


def delay(folder: Path, work: Path, checkpoints: str) -> dict[str, float]:
    """What one endless loop costs the others: solved submissions with two processes, with it and without."""
    solved = [path for path in sorted(folder.iterdir()) if path.name.endswith("solved")][:4]
    hanging = [path for path in sorted(folder.iterdir()) if path.name.endswith("hanging")][:1]
    without = grade(_roster(work / "without.csv", solved), work / "without", checkpoints, "-j", "2")
    with_it = grade(_roster(work / "with.csv", hanging + solved), work / "with", checkpoints, "-j", "2")
    own = 0.0
    for line in (work / "with" / "timings.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        own = max(own, told["seconds"] if told["student"].endswith("hanging") else 0.0)
    return {"without": without.wall, "with": with_it.wall, "own": own}


def _roster(path: Path, submissions: Sequence[Path]) -> Path:
    rows = "".join(f"{folder.name},{folder}\n" for folder in submissions)
    path.write_text(f"student,source\n{rows}", encoding="utf-8")
    return path


def scaling(folder: Path, work: Path, checkpoints: str, number: int, counts: Sequence[int]) -> list[Measured]:
    """The same few submissions with more and more processes, and Dask workers where there is Dask."""
    roster = _roster(work / "sample.csv", sorted(folder.iterdir())[:number])
    found = [grade(roster, work / f"j{n}", checkpoints, "-j", str(n)) for n in counts]
    if importlib.util.find_spec("distributed") is None:
        return found
    for n in counts:
        with cluster(n) as address:
            found.append(grade(roster, work / f"dask{n}", checkpoints, "--dask", address, str(n)))
    return found


# ---- how it is told


def told(found: dict[str, Any]) -> str:
    """Tables."""
    lines = ["submissions                wall     CPU   CPU each    memory   a minute"]
    for run in [found["class"], *found["scaling"]]:
        name = f"{run.submissions:4} with {run.engine} {run.workers}"
        cpu = f"{run.cpu:6.0f} s  {run.cpu / run.submissions:6.1f} s" if run.engine == "-j" else f"{'-':>8}  {'-':>8}"
        lines.append(f"{name:22} {run.wall:6.0f} s {cpu} {run.memory / 1e6:6.0f} MB  {run.per_minute:8.1f}")
    lines += ["", "kind        number   median   longest   points"]
    for kind in found["kinds"]:
        low, high = (100 * share for share in kind.points)
        lines.append(
            f"{kind.kind:10} {kind.number:7} {kind.median:7.1f} s {kind.longest:7.1f} s   {low:.0f}–{high:.0f} %"
        )
    if found["delay"]:
        took = found["delay"]
        alone, together, own = (f"{took[name]:.1f} s" for name in ("without", "with", "own"))
        lines += ["", f"four solved submissions with two processes: {alone}"]
        lines += [f"and one that hangs: {together}; that one took {own} of one process"]
    return "\n".join(lines)


def svg(runs: Sequence[Measured]) -> str:
    """Submissions a minute by processes and workers, in colours that show on light and on dark."""
    most = max(run.per_minute for run in runs)
    widest = max(run.workers for run in runs)

    def at(run: Measured) -> tuple[float, float]:
        across = MARGIN + (WIDTH - MARGIN) * (run.workers - 1) / max(widest - 1, 1)
        return across, MARGIN + HEIGHT * (1 - run.per_minute / most)

    base = MARGIN + HEIGHT
    parts = [f'<text x="{MARGIN}" y="24" font-size="14">Submissions graded in a minute</text>']
    for share in (0.0, 0.5, 1.0):
        y = base - HEIGHT * share
        parts.append(f'<path d="M{MARGIN} {y:.0f}H{WIDTH}" stroke="#777" stroke-opacity="0.3"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{most * share:.3g}</text>')
    for n in sorted({run.workers for run in runs}):
        x = MARGIN + (WIDTH - MARGIN) * (n - 1) / max(widest - 1, 1)
        parts.append(f'<text x="{x:.0f}" y="{base + 18}" text-anchor="middle">{n}</text>')
    middle = (MARGIN + WIDTH) / 2
    parts.append(f'<text x="{middle:.0f}" y="{base + 38}" text-anchor="middle">processes or workers</text>')
    for n, (name, colour) in enumerate(LINES.items()):
        line = [at(run) for run in runs if run.engine == name]
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in line)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}')
        label = f'<text x="{WIDTH - 8}" y="{base - 12 - 16 * n}" text-anchor="end" fill="{colour}">'
        parts.append(f"{label}{escape(name)}</text>" if line else "")
    box = f"0 0 {WIDTH + MARGIN} {HEIGHT + 2 * MARGIN}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" font-family="sans-serif" font-size="12" '
        f'fill="#777">{"".join(parts)}</svg>\n'
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=300, metavar="N")
    parser.add_argument("-j", dest="processes", type=int, default=2, metavar="N", help="for the whole class")
    parser.add_argument("--checkpoints", default="1-20", metavar="SPEC")
    parser.add_argument("--scaling", type=int, default=0, metavar="N", help="so many with -j and Dask workers 1, 2, 4")
    parser.add_argument("--delay", action="store_true", help="five submissions, one of which hangs")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the scaling")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tinytorch-classes-") as name:
        folder, work = Path(name) / "class", Path(name) / "runs"
        work.mkdir()
        kinds = synthetic.make(folder, chosen.submissions)
        spec = chosen.checkpoints
        found: dict[str, Any] = {"class": grade(folder, work / "class", spec, "-j", str(chosen.processes))}
        found["kinds"] = by_kind(work / "class", kinds)
        found["delay"] = delay(folder, work, spec) if chosen.delay else {}
        found["scaling"] = scaling(folder, work, spec, chosen.scaling, (1, 2, 4)) if chosen.scaling else []
    if chosen.svg and found["scaling"]:
        chosen.svg.write_text(svg(found["scaling"]), encoding="utf-8")
    print(json.dumps(found, indent=1, default=asdict) if chosen.json else told(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
