"""Functions of a source file, by the names that `course.py` uses: `softmax`, `Tensor.sum`, `Tensor.data.setter`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Def: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a file. `name` is dotted, as in `course.py`; a function inside a function is `outer.inner`."""

    name: str
    node: Def

    @property
    def docstring(self) -> ast.Expr | None:
        """The statement that is the docstring."""
        first = self.node.body[0]
        return first if isinstance(first, ast.Expr) and ast.get_docstring(self.node) is not None else None

    @property
    def code(self) -> list[ast.stmt]:
        """The body without the docstring."""
        return self.node.body[1:] if self.docstring else self.node.body


def functions(tree: ast.Module) -> dict[str, list[Function]]:
    """Every function of a file by its dotted name, overloads left out. A list, because a name may be defined twice."""
    found: dict[str, list[Function]] = {}
    for function in _walk(tree, ""):
        found.setdefault(function.name, []).append(function)
    return found


def _walk(scope: ast.AST, prefix: str) -> Iterator[Function]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            suffixes = [_suffix(decorator) for decorator in node.decorator_list]
            if "overload" in suffixes:
                continue
            name = prefix + node.name + "".join(f".{s}" for s in suffixes if s in {"setter", "deleter"})
            yield Function(name, node)
            yield from _walk(node, f"{name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _walk(node, f"{prefix}{node.name}.")
        else:
            yield from _walk(node, prefix)


def _suffix(decorator: ast.expr) -> str:
    """The last name of a decorator: `setter` of `@data.setter`, `overload` of `@typing.overload`."""
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""
