"""`tinytorch-grade merge`: the folders of several shards become one, as if a single machine had graded the class."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from ...reports.text import count, listed
from ..cli import BAD_USAGE, GRADED, NOT_GRADED
from .board import LineBoard
from .handouts import publish
from .roster import Entry
from .store import GRADEBOOK, Results, Run, Store, StoreError, read_run


class MergeError(Exception):
    """These folders do not belong together; the text is one sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help="what `class --shard` wrote")
    parser.add_argument("--into", metavar="FOLDER", type=Path, required=True, help="where the results go")
    parser.add_argument("--fresh", action="store_true", help="forget what that folder holds, and start over")


def main(options: argparse.Namespace) -> int:
    """Merge; the result is the exit code: 2 where a shard is missing or not whole, with everything else written."""
    lines = LineBoard(Console(stderr=True, highlight=False, markup=False, emoji=False))
    try:
        shares, faults = _shares(options.folders)
        whole = _whole(shares)
        _refuse_contradictions(list(shares.values()))
        with Store.open(options.into, whole, fresh=options.fresh) as store:
            for share in shares.values():
                _take(store, share.results)
            publish(store, store.lines)
            students = len(store.lines)
    except MergeError as error:
        sys.stderr.write(f"tinytorch-grade merge: {error}\n")
        return BAD_USAGE
    except StoreError as error:
        sys.stderr.write(f"tinytorch-grade merge: {error}\n")
        return NOT_GRADED
    for fault in [*faults, *_missing(shares)]:
        lines.say(fault)
    lines.say(f"{count(students, 'submission')} of {count(len(shares), 'folder')} in {options.into}.")
    return NOT_GRADED if faults or _missing(shares) else GRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a folder holds."""

    folder: Path
    run: Run
    results: Results


def _shares(folders: Sequence[Path]) -> tuple[dict[Path, Share], list[str]]:
    """The folders that hold a run, and what is to be said of the others."""
    found, faults = dict[Path, Share](), list[str]()
    for folder in folders:
        try:
            found[folder] = Share(folder=folder, run=read_run(folder), results=Results(folder))
        except StoreError as error:
            faults.append(f"left out: {error}")
            continue
        if not (folder / GRADEBOOK).exists():
            faults.append(f"{folder} was not finished: some of its students may be missing")
    if not found:
        raise StoreError("; ".join(faults))
    return found, faults


def _whole(shares: Mapping[Path, Share]) -> Run:
    """The run that all of them are shares of."""
    first, *others = shares.values()
    whole = replace(first.run, shard="")
    for other in others:
        reason = replace(other.run, shard="").other(whole, any_seed=False)
        if reason:
            raise MergeError(f"{other.folder} does not go with {first.folder}: {reason}")
    if len({_of(share.run) for share in shares.values()}) > 1:
        told = listed([share.run.shard or "no shard" for share in shares.values()])
        raise MergeError(f"these are shards of different runs: {told}")
    return whole


def _of(run: Run) -> str:
    return run.shard.partition("/")[2]


def _missing(shares: Mapping[Path, Share]) -> list[str]:
    """The shards that none of the folders is."""
    there = {share.run.shard for share in shares.values()}
    of = next(_of(share.run) for share in shares.values())
    absent = [shard for n in range(int(of or 0)) if (shard := f"{n + 1}/{of}") not in there]
    return [f"missing: shard {shard}" for shard in absent]


def _refuse_contradictions(shares: Sequence[Share]) -> None:
    """No student has one grade in one folder and another in the next."""
    first = dict[str, Share]()
    for share in shares:
        for student in share.results.lines:
            other = first.setdefault(student, share)
            if other is not share and other.results.read(student) != share.results.read(student):
                raise MergeError(f"{student} has one grade in {other.folder} and another in {share.folder}")


def _take(store: Store, found: Results) -> None:
    """Put down what a folder has, each student once."""
    timings = found.timings()
    for student, line in sorted(found.lines.items()):
        entry = Entry(student=student, source=line.source, ref=line.ref)
        if not store.has(entry):
            store.append_line(found.read_line(student), timings.get(student, {}))
        source = found.source(line.digest)
        if source:
            store.keep_source(line.digest, source)
