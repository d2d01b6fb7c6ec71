"""A student who has finished: the solutions' bodies pasted between the marker lines of the stubs."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from pytest_tinytorch.course import MODULES, Module
from tools.exercises import BEGIN, END
from tools.functions import functions

if TYPE_CHECKING:
    from pathlib import Path


def bodies(solution: str, exercises: tuple[str, ...]) -> list[list[str]]:
    """The lines below the docstring of each exercise, in the order in which the file has them."""
    lines = solution.split("\n")
    found = functions(ast.parse(solution))
    chosen = sorted((found[name][0] for name in exercises), key=lambda each: each.node.lineno)
    return [lines[(f.docstring or f.node).end_lineno : f.node.end_lineno] for f in chosen]


def solved(stub: str, solution: str, exercises: tuple[str, ...]) -> str:
    """A stub whose blocks between the marker lines hold what the solution has there."""
    written = iter(bodies(solution, exercises))
    kept: list[str] = []
    inside = False
    for line in stub.split("\n"):
        if line.strip() == END:
            inside = False
        if not inside:
            kept.append(line)
        if line.strip() == BEGIN:
            inside = True
            kept += next(written)
    assert not list(written), "as many blocks as exercises"
    return "\n".join(kept)


def unmarked(source: str) -> str:
    """A solved file without the marker lines."""
    return "\n".join(line for line in source.split("\n") if line.strip() not in {BEGIN, END})


def blocks(source: str) -> list[list[str]]:
    """What stands between each pair of marker lines."""
    lines = iter(source.split("\n"))
    return [[*itertools.takewhile(lambda each: each.strip() != END, lines)] for line in lines if line.strip() == BEGIN]


def is_stub(path: Path) -> bool:
    """Whether a file is there, and is a student's to write."""
    return path.exists() and BEGIN in path.read_text(encoding="utf-8")


def solve(package: Path, solutions: Path) -> list[Module]:
    """Solve every module that a package has as a stub, and say which."""
    modules = [module for module in MODULES if is_stub(package / module.file)]
    for module in modules:
        path = package / module.file
        solution = (solutions / module.file).read_text(encoding="utf-8")
        stub = path.read_text(encoding="utf-8")
        path.write_text(solved(stub, solution, module.exercises), encoding="utf-8", newline="\n")
    return modules
