"""The student's files, read but never run.

Answers where a function stands, whether it is still a stub, and what keeps a file from being imported at all.
Everything here works on text, so it is safe on any file.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from .outcome import Place

if TYPE_CHECKING:
    from pathlib import Path

_MERGE_MARKER = re.compile(r"^(<{7}|>{7}|\|{7})( |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A function or class as it stands in a file: `first` is the line of its first decorator or of `def`."""

    name: str
    kind: str  # "function" or "class"
    first: int
    line: int
    last: int
    is_stub: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a file cannot be imported, in one sentence that says what to do."""

    place: Place
    sentence: str


class Source:
    """One file of the student's package."""

    def __init__(self, path: Path, shown: str) -> None:
        self.path = path
        self.shown = shown

    @cached_property
    def _bytes(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def _text(self) -> str:
        return self._bytes.decode("utf-8-sig", "replace")

    @cached_property
    def problem(self) -> Problem | None:
        """The first thing that keeps the file from being imported, or None."""
        try:
            self._bytes.decode("utf-8-sig")
            ast.parse(self._text)
        except OSError as error:
            return self._problem(1, f"the file cannot be read ({error.strerror}): `copier update` brings it back")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            return self._problem(line, "the file is not UTF-8: save it as UTF-8 in your editor")
        except (SyntaxError, ValueError) as error:
            return self._syntax_problem(error)
        except RecursionError:
            return self._problem(1, "the file is nested too deeply for Python to read")
        return None

    def _syntax_problem(self, error: SyntaxError | ValueError) -> Problem:
        marker = _MERGE_MARKER.search(self._text)
        if marker:
            line = self._text.count("\n", 0, marker.start()) + 1
            return self._problem(
                line,
                "an update left merge markers (<<<<<<< … >>>>>>>): keep the lines that you want, delete the markers",
            )
        if isinstance(error, SyntaxError):
            return self._problem(error.lineno or 1, f"{type(error).__name__}: {error.msg}")
        return self._problem(1, f"Python cannot read the file: {error}")

    def _problem(self, line: int, sentence: str) -> Problem:
        return Problem(place=Place(file=self.shown, line=line, text=self._line(line)), sentence=sentence)

    def _line(self, number: int) -> str:
        try:
            return self._bytes.splitlines()[number - 1].decode("utf-8", "replace").strip()
        except (OSError, IndexError):
            return ""

    @cached_property
    def _tree(self) -> ast.Module:
        """The file as Python reads it, empty where it cannot: some Pythons run what is not quite UTF-8."""
        try:
            return ast.parse(self._text)
        except (OSError, SyntaxError, ValueError, RecursionError):
            return ast.Module(body=[], type_ignores=[])

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Every function and class by its qualified name (`Tensor.sum`); empty when the file cannot be read.

        Of several with one name it is the first, which is no stub where a later one, or an assignment, replaces it, or
        where nobody knows what a star brings.
        """
        found = _walk(self._tree, "")
        if not any(d.is_stub for d in found):
            return {d.name: d for d in reversed(found)}
        written = self._bound | {d.name for d in found if not d.is_stub}
        return {d.name: replace(d, is_stub=d.is_stub and written.isdisjoint({d.name, "*"})) for d in reversed(found)}

    @cached_property
    def _bound(self) -> set[str]:
        """Every name that the file binds by assigning or importing it: `relu`, `Tensor.sum`."""
        bound = set[str]()
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                bound.add(node.id if isinstance(node, ast.Name) else ast.unparse(node))
            elif isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        return bound

    @cached_property
    def names(self) -> set[str]:
        """Every name that the file binds."""
        return {name for name in (*self._bound, *self.definitions) if "." not in name}

    def place(self, function: str) -> Place:
        """Where a function is defined; line 1 of the file when it is not there."""
        found = self.definitions.get(function)
        return Place(file=self.shown, line=found.line if found else 1, function=function)

    def function_at(self, first: int) -> str | None:
        """The qualified name of the function whose first line (decorators included) is `first`."""
        return self._by_line.get(first)

    @cached_property
    def _by_line(self) -> dict[int, str]:
        """The name of each function by its first line."""
        return {d.first: d.name for d in reversed(self.definitions.values())}

    def function_around(self, line: int) -> str | None:
        """The qualified name of the innermost function that holds a line."""
        around = [d for d in self.definitions.values() if d.first <= line <= d.last]
        return min(around, key=lambda d: d.last - d.first).name if around else None


def _walk(node: ast.AST, prefix: str) -> list[Definition]:
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            found.append(
                Definition(
                    name=name,
                    kind="class" if isinstance(child, ast.ClassDef) else "function",
                    first=min([child.lineno, *(d.lineno for d in child.decorator_list)]),
                    line=child.lineno,
                    last=child.end_lineno or child.lineno,
                    is_stub=_is_stub(child),
                )
            )
            found += _walk(child, f"{name}.")
        elif isinstance(child, ast.If | ast.Try | ast.With):
            found += _walk(child, prefix)
    return found


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether nothing but a docstring and `raise NotImplementedError("module.function")` is there."""
    body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Raise) or not isinstance(body[0].exc, ast.Call):
        return False
    call = body[0].exc
    named = isinstance(call.func, ast.Name) and call.func.id == "NotImplementedError" and len(call.args) == 1
    argument = call.args[0] if named else None
    return isinstance(argument, ast.Constant) and str(argument.value).endswith(f".{node.name}")


class Sources:
    """The files of one student's package, each read once."""

    def __init__(self, package: Path) -> None:
        self.package = package
        self._files: dict[str, Source] = {}

    def __getitem__(self, module: str) -> Source:
        """The file of a module, by the module's name."""
        if module not in self._files:
            file = f"{module}.py"
            self._files[module] = Source(self.package / file, f"{self.package.name}/{file}")
        return self._files[module]

    def function_at(self, file: str, first: int) -> str | None:
        """`activations.softmax` for the file and the first line of a function of the package, or None."""
        module = self.module_of(file)
        name = module and self[module].function_at(first)
        return f"{module}.{name}" if name else None

    def function_around(self, file: str, line: int, name: str) -> str | None:
        """`activations.softmax` for a line in it; `name` is that of its code, and decides where it is defined twice."""
        module = self.module_of(file)
        return f"{module}.{self[module].function_around(line) or name}" if module else None

    def module_of(self, file: str) -> str | None:
        """The module of a file as reports name it: `tinytorch/tensor.py` is `tensor`."""
        package, _, name = file.replace("\\", "/").rpartition("/")
        return name[:-3] if package == self.package.name and name.endswith(".py") else None
