"""Fingerprints of what a student wrote, for a comparison that renaming and reordering do not fool.

Each function becomes a stream of words: kinds of syntax, operators, and names of libraries and of the course. Local
names, constants, comments, docstrings and type hints are gone, operands of commutative operators are in one order. Of
all stretches of `LENGTH` words, *winnowing* keeps the smallest hash of each `WINDOW` that follow each other, so that
two texts that share `LENGTH + WINDOW - 1` words in a row share a fingerprint (Schleimer, Wilkerson and Aiken,
"Winnowing: local algorithms for document fingerprinting", SIGMOD 2003).
"""

from __future__ import annotations

import ast
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import stubs, syntax
from .screens.package import OWN, File

LENGTH, WINDOW = 10, 5
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no word's bits are lost in a product
LOCAL, NAMED, ATTRIBUTE = "v", "f", ".a"  # a local name, a student's own function, a student's own attribute
COMMUTATIVE = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
MIRRORED = {ast.Gt: "Lt", ast.GtE: "LtE"}
SYMMETRIC = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)

Word: TypeAlias = "tuple[str, int]"  # and its line
Hashes: TypeAlias = "NDArray[np.uint32]"


@dataclass(frozen=True, slots=True)
class Unit:
    """A function that a student wrote, or what they wrote outside of any: its fingerprints and their lines."""

    module: str
    name: str
    hashes: list[int]
    lines: list[int]


def job(package: str, files: Mapping[str, bytes]) -> list[list[Any]]:
    """What the reading process answers: module, name, hashes and lines of each unit."""
    return [[unit.module, unit.name, unit.hashes, unit.lines] for unit in units(package, files)]


def units(package: str, files: Mapping[str, bytes]) -> Iterator[Unit]:
    """What a student wrote, function by function; what was given and is as it was is left out."""
    for name, source in sorted(files.items()):
        given = stubs.modules().get(name.removesuffix(".py"))
        if name == "__init__.py" or (given and given.text == stubs.of_text(source)):
            continue
        yield from of_text(name, source, leave_out=True)


def of_text(name: str, source: bytes, *, leave_out: bool = False) -> Iterator[Unit]:
    """The functions of one file; `leave_out` those that the course gave."""
    tree = syntax.parse(source)
    if tree is None:
        return
    file = File(name, tree)
    for function_name, found in file.definitions.items():
        function = found[-1].function
        if function is None or (leave_out and function_name in file.given):
            continue
        body = list(syntax.statements(function.body))
        if len(body) == 1 and isinstance(body[0], ast.Raise):  # not written yet
            continue
        yield from _unit(file, function_name, [function.args, *body], function.lineno)
    rest = [
        node
        for node in syntax.statements(file.tree.body)
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Assign | ast.AnnAssign) and _is_given(file, node))
    ]
    yield from _unit(file, "", rest)


def _is_given(file: File, node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether the course assigns one of these names, too."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and file.stubs and target.id in file.stubs.names for target in targets)


def _unit(file: File, name: str, nodes: Iterable[ast.AST], line: int = 1) -> Iterator[Unit]:
    chosen = list(nodes)
    every = syntax.Nodes(syntax.walk(*chosen))
    used = {node.id for node in every.of(ast.Name) if isinstance(node.ctx, ast.Load)}
    try:
        words = Words(file, _locals(every), used, line).block(chosen)
    except RecursionError:  # nobody wrote that by hand
        return
    places = winnow(hashed([word for word, _ in words]))
    if places:
        hashes, where = zip(*places, strict=True)
        yield Unit(file.module, name, list(hashes), [words[place][1] for place in where])


# ---- words -----------------------------------------------------------------------------------------------


def _locals(nodes: syntax.Nodes) -> set[str]:
    """Names that are bound within."""
    found = {node.id for node in nodes.of(ast.Name) if not isinstance(node.ctx, ast.Load)}
    found |= {node.arg for node in nodes.of(ast.arg)} | {node.name for node in nodes.of(ast.FunctionDef)}
    found |= {node.name for node in nodes.of(ast.ClassDef)}
    return found | {node.name for node in nodes.of(ast.ExceptHandler) if node.name}


@lru_cache(maxsize=1)
def _course_names() -> frozenset[str]:
    """Names of functions and methods of the course."""
    return frozenset(
        part for module in stubs.modules().values() for name in module.functions for part in name.split(".")
    )


@dataclass(slots=True)
class Words:
    """Nodes of one function as words with lines."""

    file: File
    bound: set[str]
    used: set[str]
    line: int
    _own: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._own = {name for name in self.file.definitions if "." not in name} - _course_names()

    def of(self, nodes: Iterable[ast.AST]) -> list[Word]:
        """The words of several nodes, one after another."""
        return [word for node in nodes for word in self.node(node)]

    def node(self, node: ast.AST) -> list[Word]:
        """The words of a node: its kind, then its parts."""
        self.line = getattr(node, "lineno", self.line)
        special = getattr(self, f"_{type(node).__name__.lower()}", None)
        if special is not None:
            made: list[Word] = special(node)
            return made
        return [self._word(type(node).__name__), *self._parts(node)]

    def _word(self, text: str) -> Word:
        return text, self.line

    def _parts(self, node: ast.AST) -> list[Word]:
        made: list[Word] = []
        for name in syntax.TOLD[type(node)]:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                made += self.node(value)
            elif isinstance(value, list):
                made += self.block([item for item in value if isinstance(item, ast.AST)])
        return made

    def block(self, nodes: Sequence[ast.AST]) -> list[Word]:
        """The words of the statements that do something; `y = f(x)`, `return y` is `return f(x)`."""
        made: list[ast.AST] = []
        for node in syntax.statements(nodes):
            name = _returned(node)
            if name and made and _named(made[-1]) == name:
                made[-1] = ast.copy_location(ast.Return(value=getattr(made[-1], "value", None)), made[-1])
            elif not self._is_idle(node):
                made.append(node)
        return self.of(made)

    def _is_idle(self, node: ast.AST) -> bool:
        """Whether it gives a constant to a name that nobody reads."""
        name = _named(node)
        return bool(name) and name not in self.used and isinstance(getattr(node, "value", None), ast.Constant)

    def _name(self, node: ast.Name) -> list[Word]:
        if node.id in self.bound:
            return [self._word(LOCAL)]
        if node.id in self._own:
            return [self._word(NAMED)]
        return [self._word(self.file.aliases.get(node.id, node.id).rpartition(OWN)[2].rpartition(".")[2])]

    def _attribute(self, node: ast.Attribute) -> list[Word]:
        name = self.file.dotted(node)
        if name:
            return [self._word(name.rpartition(".")[2])]
        is_own = node.attr in self.file.stored and node.attr not in _course_names()
        return [self._word(ATTRIBUTE if is_own else f".{node.attr}"), *self.node(node.value)]

    def _constant(self, node: ast.Constant) -> list[Word]:
        is_word = node.value is None or isinstance(node.value, bool)
        return [self._word(str(node.value) if is_word else type(node.value).__name__)]

    def _joinedstr(self, node: ast.JoinedStr) -> list[Word]:
        return [self._word("str")]

    def _arg(self, node: ast.arg) -> list[Word]:
        return [self._word(LOCAL)]

    def _functiondef(self, node: ast.FunctionDef) -> list[Word]:
        return [self._word("def"), *self.node(node.args), *self.block(node.body)]

    def _lambda(self, node: ast.Lambda) -> list[Word]:
        return [self._word("def"), *self.node(node.args), self._word("Return"), *self.node(node.body)]

    def _annassign(self, node: ast.AnnAssign) -> list[Word]:
        if node.value is None:
            return []
        return [self._word("Assign"), *self.node(node.target), *self.node(node.value)]

    def _augassign(self, node: ast.AugAssign) -> list[Word]:
        sum_of = ast.BinOp(left=node.target, op=node.op, right=node.value)
        return [self._word("Assign"), *self.node(node.target), *self._binop(sum_of)]

    def _binop(self, node: ast.BinOp) -> list[Word]:
        sides = [self.node(node.left), self.node(node.right)]
        if isinstance(node.op, COMMUTATIVE):
            sides.sort(key=_text)
        return [self._word(type(node.op).__name__), *sides[0], *sides[1]]

    def _boolop(self, node: ast.BoolOp) -> list[Word]:
        sides = sorted((self.node(value) for value in node.values), key=_text)
        return [self._word(type(node.op).__name__), *(word for side in sides for word in side)]

    def _compare(self, node: ast.Compare) -> list[Word]:
        sides = [self.node(side) for side in (node.left, *node.comparators)]
        kinds = [MIRRORED.get(type(op), type(op).__name__) for op in node.ops]
        if all(type(op) in MIRRORED for op in node.ops):
            sides.reverse()
        elif all(isinstance(op, SYMMETRIC) for op in node.ops):
            sides.sort(key=_text)
        return [*(self._word(kind) for kind in kinds), *(word for side in sides for word in side)]

    def _call(self, node: ast.Call) -> list[Word]:
        named = sorted(node.keywords, key=lambda keyword: keyword.arg or "")
        values = [word for keyword in named for word in self.node(keyword.value)]
        return [self._word("Call"), *self.node(node.func), *self.of(node.args), *values]


def _named(node: ast.AST) -> str:
    """The one name that an assignment binds; empty for all else."""
    is_one = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    return node.targets[0].id if is_one else ""  # type: ignore[attr-defined]  # as was asked


def _returned(node: ast.AST) -> str:
    """The name that a statement returns; empty for all else."""
    return node.value.id if isinstance(node, ast.Return) and isinstance(node.value, ast.Name) else ""


def _text(words: Iterable[Word]) -> list[str]:
    return [word for word, _ in words]


# ---- hashes ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def hashed(words: list[str]) -> Hashes:
    """The hash of every stretch of `LENGTH` words; none where there are fewer words."""
    if len(words) < LENGTH:
        return np.zeros(0, np.uint32)
    numbers = np.array([_number(word) for word in words], np.uint64)
    total = np.zeros(len(words) - LENGTH + 1, np.uint64)
    for place in range(LENGTH):
        total = (total + numbers[place : place + len(total)] + np.uint64(1)) * BASE
    total ^= total >> np.uint64(29)
    total *= BASE
    return np.asarray(total >> np.uint64(32), np.uint32)


def winnow(hashes: Hashes) -> list[tuple[int, int]]:
    """The hashes that are kept, with their places: the smallest of each window, the last one of equal ones."""
    if not len(hashes):
        return []
    width = min(WINDOW, len(hashes))
    windows = np.lib.stride_tricks.sliding_window_view(hashes, width)
    places = np.unique(np.arange(len(windows)) + width - 1 - windows[:, ::-1].argmin(axis=1))
    return [(int(hashes[place]), int(place)) for place in places]
