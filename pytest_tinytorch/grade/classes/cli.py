"""`tinytorch-grade class`: a folder or a roster of submissions, graded in parallel."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from rich.console import Console

from ...reports.text import count
from ..assignment import Assignment
from ..cli import BAD_USAGE, GRADED, INTERRUPTED, NOT_GRADED
from ..signing import KeyFileError, add_sign, read_key
from .board import LineBoard, board
from .engines import Engine, EngineError, Local
from .handouts import publish
from .roster import Class, RosterError, read
from .run import MODULE, ClassRun
from .store import FEEDBACK, GRADEBOOK, REPORT, Run, Store, StoreError
from .tally import Tally

TOLD = 10  # troubles that are listed at the end


class UsageError(Exception):
    """The command line cannot be used; each line is a sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes, beside what says what is graded."""
    parser.add_argument("submissions", metavar="DIR|ROSTER.csv", type=Path, help="one entry or row for each submission")
    parser.add_argument("--into", metavar="FOLDER", type=Path, required=True, help="where the results go")
    parser.add_argument("-j", dest="processes", metavar="N", type=int, default=1, help="so many at once (1)")
    parser.add_argument("--dask", metavar="ADDRESS", default="", help="on the workers of a Dask cluster")
    parser.add_argument("--shard", metavar="K/N", default="", help="every N-th student, from the K-th on; see merge")
    parser.add_argument("--seed", metavar="N", type=int, help="the inputs of an earlier run, or of other shards")
    parser.add_argument("--at", metavar="TIME", default="", help="the last commit before this time counts")
    add_sign(parser)
    parser.add_argument(
        "--update", action="store_true", help="look again at what is graded, and grade what has changed"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what FOLDER holds, and start over")


def main(options: argparse.Namespace, assignment: Assignment) -> int:
    """Grade a class; the result is the exit code."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    try:
        return _main(options, assignment, console)
    except (UsageError, RosterError, KeyFileError) as error:
        return _refuse(error, BAD_USAGE)
    except (StoreError, EngineError) as error:
        return _refuse(error, NOT_GRADED)


def _refuse(error: Exception, code: int) -> int:
    for line in str(error).splitlines():
        sys.stderr.write(f"tinytorch-grade class: {line}\n")
    return code


def _main(options: argparse.Namespace, assignment: Assignment, console: Console) -> int:
    found = _class(options, assignment)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    run = Run.of(assignment, seed, options.at, options.shard)
    key = read_key(options.sign) if options.sign else None
    store_open = Store.open(options.into, run, any_seed=options.seed is None, fresh=options.fresh)
    with store_open as store:
        store.key = key
        lines = LineBoard(console)
        for note in found.notes:
            lines.say(note)
        if store.damaged:
            lines.say(f"{count(store.damaged, 'damaged line')} in results.jsonl: graded again")
        try:
            with _engine(options) as engine, board(console) as shown:
                work = ClassRun(store=store, assignment=assignment, engine=engine, board=shown, module=MODULE)
                work.grade(found.entries, update=options.update)
        except KeyboardInterrupt:
            done = sum(store.has(entry) for entry in found.entries)
            lines.say(f"Interrupted: {done} of {len(found.entries)} are graded and kept; the same command goes on.")
            return INTERRUPTED
        tally = publish(store, [entry.student for entry in found.entries])
    _tell(lines, tally, options.into)
    return GRADED if any(row.graded for row in tally.rows) else NOT_GRADED


def _engine(options: argparse.Namespace) -> Engine:
    if options.dask:
        from .cluster import Dask  # noqa: PLC0415 -- only where it is asked for

        return Dask(options.dask)
    return Local(options.processes)


def _class(options: argparse.Namespace, assignment: Assignment) -> Class:
    """The share of the class that is to be graded here."""
    if options.processes < 1:
        raise UsageError(f"-j {options.processes}: at least one process is needed")
    if options.dask and options.processes != 1:
        raise UsageError("-j and --dask exclude each other: the cluster has its own number of workers")
    submissions, into = options.submissions.resolve(), options.into.resolve()
    if submissions.is_dir() and into.is_relative_to(submissions):
        raise UsageError(f"--into {options.into} lies among the submissions: name a folder beside them")
    number, of = _shard(options.shard)
    found = read(options.submissions, assignment.package)
    mine = found.shard(number, of)
    if not mine.entries:
        raise UsageError(f"--shard {options.shard} is empty: the class has {count(len(found.entries), 'submission')}")
    return mine


def _shard(text: str) -> tuple[int, int]:
    if not text:
        return 1, 1
    number, _, of = text.partition("/")
    if not (number.isascii() and number.isdigit() and of.isascii() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise UsageError(f"--shard {text} is not K/N, such as 2/5")
    return int(number), int(of)


def _tell(lines: LineBoard, tally: Tally, folder: Path) -> None:
    """What came of it, in a few lines."""
    troubled = [row for row in tally.rows if row.trouble]
    lines.say(f"{count(len(tally.rows), 'submission')}, median {100 * tally.median():.0f} % of the points.")
    for row in troubled[:TOLD]:
        lines.say(f"not graded whole: {row.student}: {row.trouble}")
    if len(troubled) > TOLD:
        lines.say(f"and {len(troubled) - TOLD} more, in {GRADEBOOK}")
    lines.say(f"{GRADEBOOK}, {FEEDBACK} and {REPORT} are in {folder}.")
