"""`tinytorch-grade merge`: the folders of several shards become one, as if a single machine had graded the class."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ...reports.text import listed
from .board import LineBoard
from .cli import BAD_USAGE, GRADED, NOT_GRADED
from .handouts import publish
from .roster import Entry
from .store import Results, Run, Store, StoreError, read_run


class MergeError(Exception):
    """These folders do not belong together; the text is one sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help="what `class --shard` wrote")
    parser.add_argument("--into", metavar="FOLDER", type=Path, required=True, help="where the results go")
    parser.add_argument("--fresh", action="store_true", help="forget what that folder holds, and start over")


def main(options: argparse.Namespace) -> int:
    """Merge; the result is the exit code: 2 where a shard is missing, with everything else written."""
    try:
        runs = [read_run(folder) for folder in options.folders]
        whole = _whole(options.folders, runs)
        shards = [Results(folder) for folder in options.folders]
        _refuse_contradictions(shards)
        with Store.open(options.into, whole, fresh=options.fresh) as store:
            for shard in shards:
                _take(store, shard)
            publish(store, store.lines)
            students = len(store.lines)
    except MergeError as error:
        sys.stderr.write(f"tinytorch-grade merge: {error}\n")
        return BAD_USAGE
    except StoreError as error:
        sys.stderr.write(f"tinytorch-grade merge: {error}\n")
        return NOT_GRADED
    lines = LineBoard(Console(stderr=True, highlight=False, markup=False, emoji=False))
    lines.say(f"{students} submissions of {len(runs)} folders are in {options.into}.")
    missing = _missing(runs)
    if missing:
        lines.say(f"Shards are missing: {listed(missing)}.")
    return NOT_GRADED if missing else GRADED


def _whole(folders: Sequence[Path], runs: Sequence[Run]) -> Run:
    """The run that all of them are shares of."""
    whole = replace(runs[0], shard="")
    for folder, run in zip(folders, runs, strict=True):
        reason = replace(run, shard="").other(whole, any_seed=False)
        if reason:
            raise MergeError(f"{folder} does not go with {folders[0]}: {reason}")
    if len({_of(run) for run in runs}) > 1:
        raise MergeError(f"these are shards of different runs: {listed([run.shard or 'no shard' for run in runs])}")
    return whole


def _of(run: Run) -> str:
    return run.shard.partition("/")[2]


def _missing(runs: Sequence[Run]) -> list[str]:
    """The shards that none of the folders is."""
    of = _of(runs[0])
    there = {run.shard for run in runs}
    return [shard for n in range(int(of or 0)) if (shard := f"{n + 1}/{of}") not in there]


def _refuse_contradictions(shards: Sequence[Results]) -> None:
    """No student has one grade in one folder and another in the next."""
    first = dict[str, Results]()
    for shard in shards:
        for student in shard.lines:
            other = first.setdefault(student, shard)
            if other is not shard and other.read(student) != shard.read(student):
                raise MergeError(f"{student} has one grade in {other.folder} and another in {shard.folder}")


def _take(store: Store, shard: Results) -> None:
    """Put down what a folder has, each student once."""
    timings = shard.timings()
    for student, line in sorted(shard.lines.items()):
        entry = Entry(student=student, source=line.source, ref=line.ref)
        if not store.has(entry):
            store.append(entry, shard.read(student) | {"timing": timings.get(student, {})})
        source = shard.source(line.digest)
        if source:
            store.keep_source(line.digest, source)
