"""Imports and uses of what no file of the package needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from .. import rules, syntax
from .package import OWN, File, Finding, Package, Use, by_text

KIND = "forbidden import"


def forbidden(package: Package, file: File) -> Iterator[Finding]:
    """Imports and uses of what no file of the package needs, each once a file."""
    first: dict[str, int] = {}
    for name, line in sorted(_used(package, file), key=lambda use: use[1]):
        first.setdefault(name, line)
    said: set[str] = set()
    for name, line in first.items():
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
    return root if root in entry.imports else rules.within(name, entry.uses)


def _is_a_test(file: File, name: str) -> bool:
    """Whether this is a student's own file of tests, which may import pytest."""
    stem = PurePosixPath(file.name).stem
    return name == "pytest" and (stem.startswith("test_") or stem.endswith("_test"))


def _used(package: Package, file: File) -> Iterator[Use]:
    """Dotted names that a file imports or uses, imported modules included."""
    for module in file.nodes.of(ast.Import):
        yield from ((name.name, module.lineno) for name in module.names)
    for origin in file.nodes.of(ast.ImportFrom):
        if not origin.level and origin.module and not package.means_itself(origin):
            yield from ((f"{origin.module}.{name.name}", origin.lineno) for name in origin.names)
    harmless = set(_harmless(file))
    named: list[ast.Attribute | ast.Name] = [*file.nodes.of(ast.Attribute), *file.nodes.of(ast.Name)]
    for node in named:
        name = file.dotted(node)
        if name and "." in name and not (name.startswith(OWN) or isinstance(node.ctx, ast.Del) or node in harmless):
            yield name, node.lineno
    for call in file.nodes.of(ast.Call):
        yield from by_text(file, call)


def _harmless(file: File) -> Iterator[ast.AST]:
    """What looks worse than it is: `name in sys.modules`, `sys.modules[__name__]`, a pickled copy."""
    for test in file.nodes.of(ast.Compare):
        if all(isinstance(op, ast.In | ast.NotIn) for op in test.ops):
            yield from test.comparators
    for item in file.nodes.of(ast.Subscript):
        if isinstance(item.slice, ast.Name) and item.slice.id == "__name__":
            yield item.value
    for call in file.nodes.of(ast.Call):
        inner = call.args[0].func if call.args and isinstance(call.args[0], ast.Call) else None
        if isinstance(inner, ast.Attribute) and inner.attr == "dumps":
            yield call.func


def _unnamed(file: File) -> Iterator[Finding]:
    """What needs no import: `eval`, `__import__`, frames; and imports of a name that is only known when it runs."""
    says = "it runs text as code, so nobody can read what is run"
    frames = "it looks into what runs around the package, which no exercise needs"
    for name in file.nodes.of(ast.Name):
        if name.id in rules.RUNS_TEXT and name.id not in file.bound | file.aliases.keys():
            yield KIND, f"`{name.id}`: {says}", file.name, name.lineno
    for node in file.nodes.of(ast.Attribute):
        if node.attr in rules.FRAMES and node.attr not in file.made:
            yield KIND, f"`.{node.attr}`: {frames}", file.name, node.lineno
        elif node.attr == "__subclasses__" and _is_every_class(node.value):
            yield KIND, f"`.{node.attr}` of every class: {frames}", file.name, node.lineno
    for call in file.nodes.of(ast.Call):
        if _imports_anything(file, call):
            yield KIND, "`import_module` of a name that is put together: nobody can read it", file.name, call.lineno


def _is_every_class(node: ast.expr) -> bool:
    """Whether an expression is `object`, by name or by way of the bases of something else."""
    if isinstance(node, ast.Name):
        return node.id == "object"
    return any(
        isinstance(n, ast.Attribute) and n.attr in {"__base__", "__bases__", "__mro__"} for n in syntax.walk(node)
    )


def _imports_anything(file: File, call: ast.Call) -> bool:
    """Whether it is an import by a name that is neither written out nor one of the package's own."""
    if not call.args or file.dotted(call.func) != "importlib.import_module":
        return False
    name = call.args[0]
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
    first = first.left if isinstance(first, ast.BinOp) else first
    is_relative = isinstance(first, ast.Constant) and str(first.value).startswith(".")
    return not (isinstance(name, ast.Constant) or is_relative or len(call.args) > 1 or call.keywords)
