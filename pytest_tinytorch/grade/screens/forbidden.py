"""Imports and uses of what no file of the package needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from .. import rules
from .package import OWN, File, Finding, Package, Use, by_text

KIND = "forbidden import"


def forbidden(package: Package, file: File) -> Iterator[Finding]:
    """Imports and uses of what no file of the package needs, each once a file."""
    said: set[str] = set()
    for name, line in sorted(_used(package, file), key=lambda use: use[1]):
        for entry in rules.FORBIDDEN:
            if hit := _hit(name, entry):
                if hit not in said and not _is_a_test(file, hit):
                    said.add(hit)
                    yield KIND, f"`{hit}`: {entry.says}", file.name, line
                break
    yield from _unnamed(file)


def _hit(name: str, entry: rules.Forbidden) -> str:
    """The part of a dotted name that the entry forbids, or nothing."""
    root = name.partition(".")[0]
    if root in entry.imports:
        return root
    return next((use for use in entry.uses if name == use or name.startswith(f"{use}.")), "")


def _is_a_test(file: File, name: str) -> bool:
    """Whether this is a student's own file of tests, which may import pytest."""
    stem = PurePosixPath(file.name).stem
    return name == "pytest" and (stem.startswith("test_") or stem.endswith("_test"))


def _used(package: Package, file: File) -> Iterator[Use]:
    """Dotted names that a file imports or uses, imported modules included."""
    harmless = {id(node) for parent in file.nodes for node in _harmless(parent)}
    for node in file.nodes:
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if not package.means_itself(node):
                yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)
        elif isinstance(node, ast.Attribute | ast.Name) and id(node) not in harmless:
            name = file.dotted(node)
            if name and not name.startswith(OWN) and not isinstance(getattr(node, "ctx", None), ast.Del):
                yield from ((name, node.lineno),) if "." in name else ()
        elif isinstance(node, ast.Call):
            yield from by_text(file, node)


def _harmless(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node that look worse than they are: `name in sys.modules`, `sys.modules[__name__]`, a pickled copy."""
    if isinstance(node, ast.Compare) and all(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
        yield from node.comparators
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name) and node.slice.id == "__name__":
        yield node.value
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Call):
        inner = node.args[0].func
        if isinstance(inner, ast.Attribute) and inner.attr == "dumps":
            yield node.func


def _unnamed(file: File) -> Iterator[Finding]:
    """What needs no import: `eval`, `__import__`, frames; and imports of a name that is only known when it runs."""
    says = "it runs text as code, so nobody can read what is run"
    frames = "it looks into what runs around the package, which no exercise needs"
    for node in file.nodes:
        line = getattr(node, "lineno", 1)
        if (
            isinstance(node, ast.Name)
            and node.id in rules.RUNS_TEXT
            and node.id not in file.bound | file.aliases.keys()
        ):
            yield KIND, f"`{node.id}`: {says}", file.name, line
        elif isinstance(node, ast.Attribute) and node.attr in rules.FRAMES - file.made:
            yield KIND, f"`.{node.attr}`: {frames}", file.name, line
        elif isinstance(node, ast.Attribute) and node.attr == "__subclasses__" and _is_every_class(node.value):
            yield KIND, f"`.{node.attr}` of every class: {frames}", file.name, line
        elif isinstance(node, ast.Call) and _imports_anything(file, node):
            yield KIND, "`import_module` of a name that is put together: nobody can read it", file.name, line


def _is_every_class(node: ast.expr) -> bool:
    """Whether an expression is `object`, by name or by way of the bases of something else."""
    if isinstance(node, ast.Name):
        return node.id == "object"
    return any(isinstance(n, ast.Attribute) and n.attr in {"__base__", "__bases__", "__mro__"} for n in ast.walk(node))


def _imports_anything(file: File, call: ast.Call) -> bool:
    """Whether it is an import by a name that is neither written out nor one of the package's own."""
    if file.dotted(call.func) != "importlib.import_module" or not call.args:
        return False
    name = call.args[0]
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
    first = first.left if isinstance(first, ast.BinOp) else first
    is_relative = isinstance(first, ast.Constant) and str(first.value).startswith(".")
    return not (isinstance(name, ast.Constant) or is_relative or len(call.args) > 1 or call.keywords)
