"""Write `exercises/tinytorch/` from `solutions/tinytorch/`: the same files without the bodies of the exercises.

`course.py` names the exercises. Each keeps its signature, decorators and docstring; in place of its body stand two
marker lines around `raise NotImplementedError("activations.softmax")`. Everything else stays as it is.

    python -m tools.exercises            write
    python -m tools.exercises --check    say whether what is committed is what would be written
"""

from __future__ import annotations

import argparse
import ast
import itertools
import sys
from typing import TYPE_CHECKING

from pytest_tinytorch.course import CHECKPOINTS
from tools import EXERCISES, ROOT, SOLUTIONS
from tools.functions import Function, functions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

BEGIN = "# YOUR CODE HERE (keep this line)"
END = "# END OF YOUR CODE (keep this line)"


class ExerciseError(Exception):
    """An exercise that cannot be made; the sentence says which, and why."""


def without_answers(source: str, module: str, names: Collection[str]) -> str:
    """The source of a solution with the bodies of the named exercises replaced by the marker lines.

    Raises:
        ExerciseError: the file lacks a named function, or the function lacks a docstring of its own lines.
    """
    source = source.replace("\r\n", "\n")
    lines = source.split("\n")
    found = functions(ast.parse(source))
    chosen = [_only(found, module, name) for name in names]
    for inner, outer in itertools.permutations(chosen, 2):
        if inner.node in ast.walk(outer.node):
            raise ExerciseError(f"{module}.py: {inner.name} lies inside {outer.name}, which is an exercise itself")
    for function in sorted(chosen, key=lambda each: each.node.lineno, reverse=True):
        _cut(lines, function, module)
    return "\n".join(lines)


def _only(found: Mapping[str, list[Function]], module: str, name: str) -> Function:
    matches = found.get(name, [])
    if not matches:
        raise ExerciseError(f"{module}.py: course.py names the exercise {name}, which is not defined here")
    if len(matches) > 1:
        lines = " and ".join(str(function.node.lineno) for function in matches)
        raise ExerciseError(f"{module}.py: {name} is defined in lines {lines}; an exercise needs a name of its own")
    return matches[0]


def _cut(lines: list[str], function: Function, module: str) -> None:
    """Replace the lines between the docstring and the function's end by the three lines of a stub."""
    docstring = function.docstring
    if docstring is None:
        raise ExerciseError(f"{module}.py:{function.node.lineno}: the exercise {function.name} has no docstring")
    first, last = docstring.end_lineno or 0, function.node.end_lineno or 0
    code = function.code
    if docstring.lineno == function.node.lineno or (code and code[0].lineno <= first):
        raise ExerciseError(f"{module}.py:{first}: the docstring of {function.name} needs lines of its own")
    opening = lines[docstring.lineno - 1]
    indent = opening[: len(opening) - len(opening.lstrip())]
    stub = (BEGIN, f'raise NotImplementedError("{module}.{function.name}")', END)
    lines[first : _end(lines, last, indent)] = [indent + line for line in stub]


def _end(lines: Sequence[str], last: int, indent: str) -> int:
    """The function's last line, counting comments that follow its last statement at the body's depth."""
    end = last
    for number, line in enumerate(lines[last:], start=last + 1):
        if line.startswith(indent) and line.lstrip().startswith("#"):
            end = number
        elif line.strip():
            break
    return end


def generate(solutions: Path = SOLUTIONS) -> dict[str, str]:
    """What `exercises/tinytorch/` holds: file name to text, for every Python file of the solutions."""
    exercises = {module.name: module.exercises for module in CHECKPOINTS}
    texts = {
        path.relative_to(solutions).as_posix(): without_answers(
            path.read_text("utf-8"), path.stem, exercises.pop(path.stem, ())
        )
        for path in sorted(solutions.rglob("*.py"))
    }
    for name, left in exercises.items():
        if left:
            raise ExerciseError(f"course.py names exercises of {name}, but there is no {solutions.name}/{name}.py")
    return texts


def committed(folder: Path = EXERCISES) -> dict[str, str]:
    """What stands there now, line ends as on Unix."""
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}


def differing(wanted: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """The names of the files that are missing, different, or too many."""
    return [name for name in sorted({*wanted, *present}) if wanted.get(name) != present.get(name)]


def write(wanted: Mapping[str, str], folder: Path = EXERCISES) -> list[str]:
    """Bring the folder up to date and return the names of the files that changed."""
    changed = differing(wanted, committed(folder))
    for name in changed:
        path = folder / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return changed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description="Derive exercises from solutions.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something would change")
    options = parser.parse_args(arguments)
    folder = EXERCISES.relative_to(ROOT).as_posix()
    try:
        wanted = generate()
    except ExerciseError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        stale = differing(wanted, committed())
        for name in stale:
            print(f"{folder}/{name} is not what the solution gives", file=sys.stderr)
        if stale:
            print("run: python -m tools.exercises", file=sys.stderr)
        return 1 if stale else 0
    for name in write(wanted):
        print(f"{'wrote' if name in wanted else 'removed'} {folder}/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
