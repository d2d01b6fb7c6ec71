"""The command `tinytorch-grade`: a submission, graded with pristine checks, and what goes on from there.

Exit codes: 0 graded, whatever the score; 2 not graded, or the grade could not be written (one sentence on standard
error says why); 4 the command line or the assignment cannot be used; 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from ..handles import limits
from .assignment import Assignment, AssignmentError, load, read
from .outputs import FORMATS, OutputError, Target, check, parse, write
from .outputs.words import line, quiet
from .repositories import moment_of
from .result import Grade
from .signing import KeyFileError, add_sign, read_key, signed_targets
from .submission import SubmissionError, without_password

GRADED, NOT_GRADED, BAD_USAGE, INTERRUPTED = 0, 2, 4, 130
NAME = "tinytorch-grade"
WIDTH = 80
SEED_LIMIT = 2**63


class UsageError(Exception):
    """A command line that cannot be used; the message is one sentence."""


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one sentence, and exit code 4."""

    def error(self, message: str) -> Any:
        """Say what cannot be used."""
        self.exit(BAD_USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    limits.hide_memory()
    command = COMMANDS.get(words[0] if words else "", _submission)
    with _terminated_as_interrupted():
        try:
            return command(words[1:] if command is not _submission else words)
        except (AssignmentError, KeyFileError, OutputError, UsageError) as error:
            return _refuse(str(error), BAD_USAGE)
        except KeyboardInterrupt:
            return _refuse("interrupted", INTERRUPTED)
        except OSError as error:
            return _refuse(f"the grade cannot be written: {error.strerror or error}", NOT_GRADED)


def _refuse(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{NAME}: {quiet(line(sentence, 2000))}\n")  # it may name a submission's files
    return code


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Being told to end, by a CI for example, is taken as Ctrl-C: what was started is ended, what was written goes."""

    def interrupt(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not on the main thread, where signals arrive
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ---- one submission -----------------------------------------------------------------------------------------


def _submission(words: Sequence[str]) -> int:
    """`tinytorch-grade SUBMISSION`."""
    options = _parser().parse_args(words)
    targets = [parse(text) for text in options.output]
    check(targets)
    targets = signed_targets(targets, read_key(options.sign)) if options.sign else targets
    seed = _seed(options.seed)
    _refuse_time(options.at)
    assignment = assignment_of(options)
    from .task import Task, grade  # noqa: PLC0415 -- NumPy and pytest, and a command line may be refused without them

    task = Task(
        student=options.student or name_of(options.submission),
        source=options.submission,
        assignment=assignment,
        seed=seed,
        ref=options.ref,
        at=options.at,
    )
    return _deliver(grade(task), targets)


def name_of(source: str) -> str:
    """What a submission is called where nobody says it: `ada` for `subs/ada.zip` and `https://host/ada.git`."""
    last = without_password(source).rstrip("/\\").replace("\\", "/").rpartition("/")[2].rpartition(":")[2]
    if last in {"", ".", ".."}:
        last = Path(source).resolve().name
    for ending in (".git", ".zip", ".gz", ".bz2", ".xz", ".tgz", ".txz", ".tar"):
        last = last.removesuffix(ending) or last
    return last or "submission"


def _seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbits(32)
    if not 0 <= seed < SEED_LIMIT:
        raise UsageError(f"--seed {seed}: a seed is a whole number from 0 on")
    return seed


def _refuse_time(at: str) -> None:
    if at:
        try:
            moment_of(at)
        except SubmissionError as error:
            raise UsageError(f"--at: {error}") from None


def _deliver(found: Grade, targets: Sequence[Target]) -> int:
    """Write the outputs, and tell a person; the exit code."""
    from .task import was_graded  # noqa: PLC0415 -- as above

    problems = write(found, targets)
    graded = was_graded(found)
    if graded:
        _show(found, sys.stderr if any(target.file == "-" for target in targets) else sys.stdout)
    else:
        problems.insert(0, found.trouble or "nothing was graded")
    for problem in problems:
        _refuse(problem, NOT_GRADED)
    return NOT_GRADED if problems else GRADED


def _show(found: Grade, file: TextIO) -> None:
    """The summary, in colour where somebody looks at it."""
    from ..reports.sheet import make_console  # noqa: PLC0415 -- rich
    from .terminal import render  # noqa: PLC0415 -- rich

    seen = file.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if seen else WIDTH
    color = seen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        render(found, make_console(file, width, color=color))
        file.flush()
    except OSError:
        _forget(file)
        raise


def _forget(file: TextIO) -> None:
    """Have Python not try once more, at its end, to write what could not be written."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:  # ValueError: no descriptor
        os.dup2(nowhere.fileno(), file.fileno())


# ---- the other commands -------------------------------------------------------------------------------------


def _class(words: Sequence[str]) -> int:
    """`tinytorch-grade class DIR`."""
    command = importlib.import_module("pytest_tinytorch.grade.classes.cli")
    parser = Parser(prog=f"{NAME} class", description="Grade many submissions in parallel.")
    command.add_arguments(parser)
    add_assignment(parser)
    options = parser.parse_args(words)
    if getattr(options, "seed", None) is not None:
        _seed(options.seed)
    _refuse_time(getattr(options, "at", ""))
    code: int = command.main(options, assignment_of(options))
    return code


def _other(name: str, module: str, about: str) -> Callable[[Sequence[str]], int]:
    """A command that a module brings along: `add_arguments(parser)` and `main(options)`."""

    def run(words: Sequence[str]) -> int:
        command = importlib.import_module(module)
        parser = Parser(prog=f"{NAME} {name}", description=about)
        command.add_arguments(parser)
        code: int = command.main(parser.parse_args(words))
        return code

    return run


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "class": _class,
    "merge": _other("merge", "pytest_tinytorch.grade.classes.merge", "Put the shards of a class together."),
    "keygen": _other("keygen", "pytest_tinytorch.grade.keygen", "Make a key to sign results with."),
    "verify": _other("verify", "pytest_tinytorch.grade.signing", "Say whether a result was changed."),
}


# ---- arguments ----------------------------------------------------------------------------------------------


def _parser() -> Parser:
    parser = Parser(
        prog=NAME,
        description="Grade a submission with pristine checks.",
        epilog="Other commands: tinytorch-grade class, merge, keygen, verify; each has --help. "
        "A folder that is called like one of them is ./class. "
        "Exit codes: 0 graded, 2 not graded, 4 bad usage, 130 interrupted.",
    )
    parser.add_argument("submission", metavar="SUBMISSION", help="a folder, a zip or tar file, or a git repository")
    parser.add_argument("--student", metavar="NAME", default="", help="the name in the grade")
    parser.add_argument("--ref", metavar="REF", default="", help="a branch, tag or commit of a repository")
    parser.add_argument("--at", metavar="TIME", default="", help="the last commit before this time counts")
    parser.add_argument("--seed", metavar="N", type=int, help="repeat a grade with its inputs")
    parser.add_argument(
        "--output",
        metavar="NAME:FILE",
        action="append",
        default=[],
        help=f"write the grade, - for standard output (repeatable); NAME is {', '.join(FORMATS)}",
    )
    add_sign(parser)
    add_assignment(parser)
    return parser


def add_assignment(parser: argparse.ArgumentParser) -> None:
    """The options that say what is graded; they take the place of what a file says."""
    group = parser.add_argument_group("what is graded")
    group.add_argument("--assignment", metavar="FILE", type=Path, help="a TOML file that says all this and more")
    group.add_argument("--track", metavar="NAME", help="the track through the course")
    group.add_argument("--package", metavar="NAME", help="the folder with the student's code")
    group.add_argument("--checkpoint", metavar="SPEC", action="append", help="as pytest takes them (repeatable)")
    group.add_argument("--milestone", metavar="SPEC", action="append", help="as pytest takes them (repeatable)")
    group.add_argument("--time-limit", metavar="SECONDS", type=float, help="for one check")
    group.add_argument("--total-limit", metavar="SECONDS", type=float, help="for everything")


def assignment_of(options: argparse.Namespace) -> Assignment:
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
