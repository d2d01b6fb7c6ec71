"""The command `tinytorch-grade`: a submission, graded with pristine checks.

Exit codes: 0 graded, whatever the score; 2 could not be graded (one sentence on standard error says why); 4 the
command line or the assignment cannot be used; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .assignment import Assignment, AssignmentError, load, read
from .task import Task, grade, was_graded

GRADED, NOT_GRADED, BAD_USAGE, INTERRUPTED = 0, 2, 4, 130


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one sentence, and exit code 4."""

    def error(self, message: str) -> Any:
        """Say what cannot be used."""
        self.exit(BAD_USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade one submission, and print its grade as JSON."""
    options = _parser().parse_args(arguments)
    try:
        task = Task(
            student=options.student or Path(options.submission).name,
            source=options.submission,
            assignment=_assignment(options),
            seed=secrets.randbits(32) if options.seed is None else options.seed,
            ref=options.ref,
            at=options.at,
        )
    except AssignmentError as error:
        sys.stderr.write(f"tinytorch-grade: {error}\n")
        return BAD_USAGE
    found = grade(task)
    sys.stdout.write(json.dumps(found.as_dict(), indent=1, ensure_ascii=False) + "\n")
    if found.trouble:
        sys.stderr.write(f"tinytorch-grade: {found.trouble}\n")
    return GRADED if was_graded(found) else NOT_GRADED


def _parser() -> Parser:
    parser = Parser(prog="tinytorch-grade", description="Grade a submission with pristine checks.")
    parser.add_argument("submission", metavar="SUBMISSION", help="a folder, a zip or tar file, or a git repository")
    parser.add_argument("--student", metavar="NAME", default="", help="the name in the grade")
    parser.add_argument("--ref", metavar="REF", default="", help="a branch, tag or commit of a repository")
    parser.add_argument("--at", metavar="TIME", default="", help="the last commit before this time counts")
    parser.add_argument("--seed", metavar="N", type=int, help="repeat a grade with its inputs")
    add_assignment(parser)
    return parser


def add_assignment(parser: argparse.ArgumentParser) -> None:
    """The options that say what is graded."""
    group = parser.add_argument_group("what is graded")
    group.add_argument("--assignment", metavar="FILE", type=Path, help="a TOML file")
    for name, metavar, about in (
        ("track", "NAME", "the track through the course"),
        ("package", "NAME", "the folder with the student's code"),
    ):
        group.add_argument(f"--{name}", metavar=metavar, help=about)
    group.add_argument("--checkpoint", metavar="SPEC", action="append", help="checkpoints, as pytest takes them")
    group.add_argument("--milestone", metavar="SPEC", action="append", help="milestones, as pytest takes them")
    group.add_argument("--time-limit", metavar="SECONDS", type=float, help="for one check")
    group.add_argument("--total-limit", metavar="SECONDS", type=float, help="for everything")


def _assignment(options: argparse.Namespace) -> Assignment:
    """The assignment of the file, with what the command line says otherwise."""
    given = {
        "track": options.track,
        "package": options.package,
        "checkpoints": options.checkpoint,
        "milestones": options.milestone,
        "time_limit": options.time_limit,
        "total_limit": options.total_limit,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    return load(options.assignment, changes) if options.assignment else read({}, "", changes)
