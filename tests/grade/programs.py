"""Packages to screen: the course's solutions with one exercise written in another way, or with files beside them."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass

from pytest_tinytorch.grade import syntax
from tools import SOLUTIONS

Files = dict[str, bytes]


def solved() -> Files:
    """The solutions of all modules."""
    return {path.name: path.read_bytes() for path in sorted(SOLUTIONS.glob("*.py"))}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A module with one exercise written anew (`code`, with its `def`), and lines after the imports (`top`).

    Without an exercise `code` stands at the end of the file. `beside` are more files of the package.
    """

    name: str
    module: str
    exercise: str = ""
    code: str = ""
    top: str = ""
    beside: tuple[tuple[str, str], ...] = ()

    def files(self) -> Files:
        """The one module with what lies beside it."""
        source = (SOLUTIONS / f"{self.module}.py").read_text("utf-8")
        made = rewritten(source, self.exercise, self.code) if self.exercise else f"{source}\n\n{dedented(self.code)}"
        made = after_imports(made, dedented(self.top))
        return {f"{self.module}.py": made.encode()} | {name: dedented(text).encode() for name, text in self.beside}


def dedented(text: str) -> str:
    """A text as it stands in a test, at the left margin."""
    return textwrap.dedent(text).lstrip("\n")


def rewritten(source: str, name: str, code: str) -> str:
    """A source with one function in other words; its decorators stay where the code brings none."""
    (found,) = syntax.definitions(ast.parse(source))[name]
    decorators = [d.lineno for d in getattr(found.node, "decorator_list", ())]
    first = min([found.node.lineno, *(decorators if dedented(code).startswith("@") else [])])
    lines = source.split("\n")
    indent = " " * found.node.col_offset
    lines[first - 1 : found.node.end_lineno] = textwrap.indent(dedented(code).rstrip(), indent).split("\n")
    return "\n".join(lines)


def after_imports(source: str, top: str) -> str:
    """A source with lines after its last import at the left margin."""
    last = max(node.end_lineno or 0 for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom))
    lines = source.split("\n")
    return "\n".join([*lines[:last], *top.rstrip().split("\n"), *lines[last:]]) if top else source
