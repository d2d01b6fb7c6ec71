"""Source as syntax: what a file says, without how it is laid out.

Comments, docstrings, type hints and white space are gone, so two texts that Python runs alike read alike. Nothing here
runs a student's code; but reading hostile text may end a process, so it is done in one of its own (`reading.py`).
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

Node = TypeVar("Node", bound=ast.AST)
Def: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
Part: TypeAlias = "ast.AST | str | Sequence[Part] | None"  # of a node: another node, a word, a list, or nothing

LAYOUT = frozenset({"annotation", "returns", "type_comment", "type_ignores", "type_params", "kind", "ctx", "simple"})
BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While)  # a definition in one of these is the scope's own


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, class or assigned name. `name` is dotted (`Tensor.sum`); `is_plain` unless a branch decides on it."""

    name: str
    node: Def | ast.ClassDef | ast.Assign | ast.AnnAssign
    is_plain: bool

    @property
    def function(self) -> Def | None:
        """The node, where it is a function."""
        return self.node if isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef) else None

    @property
    def line(self) -> int:
        """The line of `def`, `class` or the assignment."""
        return self.node.lineno


def parse(source: str | bytes) -> ast.Module | None:
    """The file as Python reads it, or None where it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a student's text is the student's
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, OverflowError):
            return None


def definitions(tree: ast.Module) -> dict[str, list[Definition]]:
    """What a file defines, functions within functions left out. A list, because a name may be defined twice."""
    found: dict[str, list[Definition]] = {}
    for one in _scope(tree, "", is_plain=True):
        found.setdefault(one.name, []).append(one)
    return found


def _scope(node: ast.AST, prefix: str, *, is_plain: bool) -> Iterator[Definition]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            words = [last_word(decorator) for decorator in child.decorator_list]
            suffix = "".join(f".{word}" for word in words if word in {"setter", "deleter"})
            others = {"overload", "register", "dispatch"} & set(words)  # several of one name belong together
            yield Definition(f"{prefix}{child.name}{suffix}", child, is_plain and not others)
        elif isinstance(child, ast.ClassDef):
            yield Definition(f"{prefix}{child.name}", child, is_plain)
            yield from _scope(child, f"{prefix}{child.name}.", is_plain=is_plain)
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            for name in _bound(targets):
                yield Definition(f"{prefix}{name}", child, is_plain)
        elif isinstance(child, (*BLOCKS, ast.ExceptHandler)):
            yield from _scope(child, prefix, is_plain=False)


def _bound(targets: Iterable[ast.expr]) -> Iterator[str]:
    """The plain names that an assignment binds."""
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Tuple | ast.List):
            yield from _bound(target.elts)


def last_word(node: ast.expr) -> str:
    """The last name of a decorator or a base: `setter` of `@data.setter`, `Generic` of `typing.Generic[T]`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# ---- nodes within nodes ----------------------------------------------------------------------------------


def _fields(without: Set[str]) -> dict[type[ast.AST], tuple[str, ...]]:
    """What each kind of node is made of, but for some."""
    kinds = (kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST))
    return {kind: tuple(name for name in kind._fields if name not in without) for kind in kinds}


TOLD = _fields(LAYOUT)
BRANCHES = _fields({"ctx", "op", "ops", "id", "attr", "kind"})  # all that may be nodes, but for operators and the like


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes that a node is made of, in their order, but for operators and the like."""
    made: list[ast.AST] = []
    for name in BRANCHES[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            made.append(value)
        elif value and isinstance(value, list):
            made += [item for item in value if isinstance(item, ast.AST)]
    return made


def walk(*roots: ast.AST) -> list[ast.AST]:
    """Some nodes and all that they are made of, but for operators and the like: in half the time of `ast.walk`."""
    found = [*roots]
    for node in found:
        found += children(node)
    return found


class Nodes:
    """Nodes by their kind."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self._kinds: defaultdict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        for node in nodes:
            self._kinds[type(node)].append(node)

    def of(self, kind: type[Node]) -> list[Node]:
        """All of one kind, in their order."""
        return cast("list[Node]", self._kinds.get(kind, []))


# ---- what counts of a node -------------------------------------------------------------------------------


def parts(node: ast.AST) -> list[Part]:
    """A node's kind and what it is made of; annotations, docstrings and statements without effect are left out."""
    if isinstance(node, ast.Constant):
        return ["Constant", type(node.value).__name__, _constant(node.value)]
    if isinstance(node, ast.AnnAssign):
        return ["Assign", [node.target], node.value] if node.value is not None else ["Assign"]
    if isinstance(node, ast.JoinedStr):
        return ["JoinedStr", _joined(node.values)]
    made: list[Part] = [type(node).__name__]
    for name in TOLD[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, (ast.AST, str)):
            made.append(value)
        elif isinstance(value, list):
            made += [list(statements(value)) if name in {"body", "orelse", "finalbody"} else value] if value else []
        elif value is not None:
            made.append(repr(value))
    return made


def statements(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The statements of a block that do something."""
    for node in body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_declaration = isinstance(node, ast.AnnAssign) and node.value is None
        if not (is_text or is_declaration or isinstance(node, ast.Pass)):
            yield node


def _constant(value: object) -> str:
    """A constant as a word; hexadecimal, because Python refuses to write very large numbers otherwise."""
    return f"{value:x}" if isinstance(value, int) else repr(value)


def _joined(values: Sequence[ast.expr]) -> list[Part]:
    """The pieces of an f-string, with texts that stand side by side put together: Pythons cut them differently."""
    made: list[Part] = []
    for value in values:
        text = value.value if isinstance(value, ast.Constant) else None
        if isinstance(text, str) and made and isinstance(made[-1], str):
            made[-1] += text
        elif isinstance(text, str):
            made.append(text)
        else:
            made.append(value)
    return [piece for piece in made if piece != ""]


def words(part: Part) -> list[str]:
    """A node as words that say all that Python runs. Never recursive: texts may be nested deeply."""
    said: list[str] = []
    waiting: list[Part] = [part]
    while waiting:
        item = waiting.pop()
        if item is None or isinstance(item, str):
            said.append(item or "-")
        elif isinstance(item, ast.Name):  # every third node
            said += ("(", "Name", item.id, ")")
        else:
            start, inner, end = ("(", parts(item), ")") if isinstance(item, ast.AST) else ("[", item, "]")
            said.append(start)
            waiting.append(end)
            waiting += reversed(inner)
    return said


def digest(part: Part) -> str:
    """Twelve hexadecimal digits that two parts share when Python runs them alike."""
    said = "\0".join([*words(part), ""])
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def code(function: Def) -> str:
    """The digest of a function: decorators, parameters and body."""
    return digest([function.decorator_list, function.args, list(statements(function.body))])


def prose(function: Def) -> str:
    """The digest of a function's docstring, however it is wrapped; empty where there is none."""
    text = ast.get_docstring(function)
    return digest(" ".join(text.split())) if text else ""


def parameters(function: Def) -> list[str]:
    """A function's parameters, one word each: `x`, `dim=3f2a…` with the default's digest, `*args`, `*`, `/`."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    made = [_parameter(one, default) for one, default in zip(positional, [*defaults, *given.defaults], strict=True)]
    if given.posonlyargs:
        made.insert(len(given.posonlyargs), "/")
    if given.vararg or given.kwonlyargs:
        made.append(f"*{given.vararg.arg}" if given.vararg else "*")
    made += [_parameter(one, default) for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return [*made, f"**{given.kwarg.arg}"] if given.kwarg else made


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    return argument.arg if default is None else f"{argument.arg}={digest(default)}"
