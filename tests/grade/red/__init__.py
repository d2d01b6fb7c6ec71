"""Submissions that try to get points without the work, or to do harm, as data: one file for each family.

Every attack is built on the same half-done course: `tensor.py` is solved and `activations.py` is the bare exercise,
which is worth nothing. So what an attack may earn is nothing. Beside the repository lies a folder of other people's
files, `outside`, and in it a submission by somebody else that is worth full marks.

Whether plain pytest is fooled is tried with a naive test of one exercise, copied into the repository (`naive.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from textwrap import dedent

from tools import EXERCISES, SOLUTIONS

PACKAGE = "tinytorch"
TARGET = "activations"
OUTSIDE = "{outside}"  # in an attack's files: the folder of other people's files

Make = Callable[[Path, Path], None]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One submission.

    `files` are added to the repository, the parts of `code` to the end of its `activations.py`, from which the
    functions that they write are taken.
    `fools` says whether a plain run of pytest ends with success, or is a sentence that says why it was not tried.
    `hidden` is the naive test (`naive.TESTS`). `says` is a pattern that the grade's sentences hold. `make` does what
    text cannot, to the repository and beside the folder `outside`. `reach` is what the system must keep out of reach
    for the attack to fail; `delegates` marks honest-looking work of somebody else: it is reported and not punished.
    `ref` is what is asked of its repository.
    """

    name: str
    says: str
    fools: bool | str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    hidden: str = "allclose"
    make: Make | None = None
    reach: str = ""
    delegates: bool = False
    limit: float = 1.0
    ref: str = ""

    def write(self, repository: Path, outside: Path) -> None:
        """Write the repository, and the folder of other people's files."""
        _others(outside)
        stub, code = base()[f"{TARGET}.py"], [dedent(part) for part in self.code]
        for name in ("relu", "softmax"):
            if any(f"def {name}(" in part or f"\n{name} = " in part for part in code):
                stub = without(name, stub)
        written: dict[str, str | bytes] = {f"{PACKAGE}/{name}": text for name, text in base().items()}
        written[f"{PACKAGE}/{TARGET}.py"] = "\n\n".join([stub, *code])
        for name, text in (written | dict(self.files)).items():
            path = repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else dedent(text).replace(OUTSIDE, str(outside)).encode())
        if self.make is not None:
            self.make(repository, outside)


@lru_cache(maxsize=1)
def base() -> dict[str, str]:
    """The course on which every attack is built."""
    return {
        "__init__.py": "",
        "tensor.py": (SOLUTIONS / "tensor.py").read_text("utf-8"),
        f"{TARGET}.py": (EXERCISES / f"{TARGET}.py").read_text("utf-8"),
    }


def without(name: str, source: str) -> str:
    """A source without one of its functions."""
    found = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name)
    lines = source.splitlines(keepends=True)
    del lines[found.lineno - 1 : found.end_lineno]
    return "".join(lines)


def solved() -> str:
    """The exercise, solved: what everybody would like to find."""
    return (SOLUTIONS / f"{TARGET}.py").read_text("utf-8")


def _others(outside: Path) -> None:
    for name, text in {
        "precious.txt": "a year's work\n",
        "results.json": '{"score": 0}\n',
        "home/.bashrc": "# empty\n",
        f"ada/{PACKAGE}/{TARGET}.py": solved(),
    }.items():
        path = outside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
