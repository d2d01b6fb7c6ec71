"""The text of what a check computed, short and ready to paste: `softmax(tensor([1., 2.]), dim=0)`.

Every handle has a node of the tree below. A node's text is made when somebody asks for it, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL = 16  # elements of an array, or items of a list, that are written out
LONG = 240  # characters of an operand that are written out
DEEP = 24  # operations within operations that are written out
ELIDED = "…"

ATOM, POWER, UNARY = 16, 14, 13
LEVELS = {
    "**": POWER, "@": 12, "*": 12, "/": 12, "//": 12, "%": 12, "+": 11, "-": 11, "<<": 10, ">>": 10, "&": 9,
    "^": 8, "|": 7, "==": 6, "!=": 6, "<": 6, "<=": 6, ">": 6, ">=": 6,
}  # fmt: skip


class Node:
    """An expression: its operands, and how tightly its text binds (`level`, as in Python's grammar)."""

    __slots__ = ("_text", "depth", "level", "operands")

    depth: int

    def __init__(self, *operands: Node, level: int = ATOM) -> None:
        depth = 1 + max((operand.depth for operand in operands), default=0)
        self.depth = min(depth, DEEP)
        self.operands = operands if depth < DEEP else tuple(Name(ELIDED) for _ in operands)
        self.level = level
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The expression as Python source."""
        if self._text is None:
            self._text = self._write(*(operand.text for operand in self.operands))
        return self._text

    def definitions(self) -> dict[str, str]:
        """What the names in it stand for, in the order in which they can be pasted."""
        found: dict[str, str] = {}
        for operand in self.operands:
            found |= operand.definitions()
        return found

    def _write(self, *operands: str) -> str:
        raise NotImplementedError

    def _operand(self, index: int, text: str, loosest: int) -> str:
        """An operand's text, in parentheses where it binds looser than `loosest`, cut where it is long."""
        if len(text) > LONG:
            return ELIDED
        return text if self.operands[index].level >= loosest else f"({text})"


class Name(Node):
    """A name, and what it stands for where that is not plain from the name."""

    __slots__ = ("meaning", "name")

    def __init__(self, name: str, meaning: Node | None = None) -> None:
        super().__init__()
        self.name = name
        self.meaning = meaning

    def _write(self, *operands: str) -> str:
        return self.name

    def definitions(self) -> dict[str, str]:
        """The name's own meaning, after what that needs."""
        if self.meaning is None:
            return {}
        return {**self.meaning.definitions(), self.name: self.meaning.text}


class Value(Node):
    """A plain value, as it was when the expression was made."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        text = _plain(value)
        super().__init__(level=UNARY if text.startswith("-") else ATOM)
        self._text = text


class Array(Node):
    """A small array, written as nested lists."""

    __slots__ = ("array",)

    def __init__(self, array: NDArray[Any]) -> None:
        super().__init__(level=ATOM if array.ndim or array.dtype.kind != "f" or array >= 0 else UNARY)
        self.array = array.copy()

    def _write(self, *operands: str) -> str:
        text = _nested(self.array)
        if self.array.dtype.str[1:] in ("f4", "f8", "i8", "b1"):
            return text
        return f"array({text}, dtype={self.array.dtype.name})"


class Items(Node):
    """A list, tuple or dict of values and handles."""

    __slots__ = ("brackets", "keys")

    def __init__(self, brackets: str, items: list[Node], keys: list[str] | None = None) -> None:
        super().__init__(*items)
        self.brackets = brackets
        self.keys = keys

    def _write(self, *operands: str) -> str:
        texts = [self._operand(index, text, 0) for index, text in enumerate(operands)]
        if self.keys is not None:
            texts = [f"{key}: {text}" for key, text in zip(self.keys, texts, strict=True)]
        comma = "," if self.brackets == "()" and len(texts) == 1 else ""
        return f"{self.brackets[0]}{', '.join(texts)}{comma}{self.brackets[1]}"


class Attribute(Node):
    """`x.shape`."""

    __slots__ = ("name",)

    def __init__(self, of: Node, name: str) -> None:
        super().__init__(of)
        self.name = name

    def _write(self, *operands: str) -> str:
        return f"{self._operand(0, operands[0], ATOM)}.{self.name}"


class Call(Node):
    """`softmax(x, dim=0)`."""

    __slots__ = ("keywords",)

    def __init__(self, function: Node, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        super().__init__(function, *map(node, args), *map(node, keywords.values()))
        self.keywords = tuple(keywords)

    def _write(self, *operands: str) -> str:
        texts = [self._operand(index, text, 0) for index, text in enumerate(operands)]
        first = len(texts) - len(self.keywords)
        named = [f"{name}={text}" for name, text in zip(self.keywords, texts[first:], strict=True)]
        return f"{self._operand(0, operands[0], ATOM)}({', '.join(texts[1:first] + named)})"


class Item(Node):
    """`x[1:, 0]`."""

    __slots__ = ("bare",)

    def __init__(self, of: Node, index: object) -> None:
        super().__init__(of, node(index))
        self.bare = type(index) is tuple and len(index) > 1

    def _write(self, *operands: str) -> str:
        index = self._operand(1, operands[1], 0)
        return f"{self._operand(0, operands[0], ATOM)}[{index[1:-1] if self.bare and index != ELIDED else index}]"


class Binary(Node):
    """`x + y`, with parentheses only where Python needs them."""

    __slots__ = ("symbol",)

    def __init__(self, symbol: str, left: object, right: object) -> None:
        super().__init__(node(left), node(right), level=LEVELS[symbol])
        self.symbol = symbol

    def _write(self, *operands: str) -> str:
        left, right = self.level, self.level + 1
        if self.symbol == "**":
            left, right = POWER + 1, UNARY
        elif self.level == LEVELS["=="]:
            left = right
        return f"{self._operand(0, operands[0], left)} {self.symbol} {self._operand(1, operands[1], right)}"


class Unary(Node):
    """`-x`."""

    __slots__ = ("symbol",)

    def __init__(self, symbol: str, of: Node) -> None:
        super().__init__(of, level=UNARY)
        self.symbol = symbol

    def _write(self, *operands: str) -> str:
        return f"{self.symbol}{self._operand(0, operands[0], UNARY)}"


def node(value: Any) -> Node:
    """The node of an operand: a handle's own, or a picture of the plain value as it is now."""
    known = getattr(type(value), "tinytorch_node", None)
    if known is not None:
        found: Node = known(value)
        return found
    if type(value) is np.ndarray:
        small = value.size <= FULL and (value.size or value.ndim == 1)
        return Array(value) if small else Name(f"<{value.dtype.name} {value.shape}>")
    if type(value) in (list, tuple, dict):
        return _items(value)
    return Value(value)


def _items(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Node:
    if len(value) > FULL:
        return Name(f"<{type(value).__name__} of {len(value)}>")
    if isinstance(value, dict):
        return Items("{}", [node(item) for item in value.values()], [_plain(key) for key in value])
    return Items("[]" if type(value) is list else "()", [node(item) for item in value])


def _plain(value: Any) -> str:
    """A plain value as Python source: `float32`, `1:3`, `-0.25`."""
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    text = repr(value)
    return text if len(text) <= LONG // 2 else f"{text[: LONG // 2]}{ELIDED}"


def _slice(value: slice) -> str:
    start, stop, step = ("" if part is None else _plain(part) for part in (value.start, value.stop, value.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _nested(array: NDArray[Any]) -> str:
    """An array as nested lists: `[[1., -0.25], [0.5, 2.]]`."""
    if array.ndim:
        return f"[{', '.join(map(_nested, array))}]"
    return _short(array[()]) if array.dtype.kind == "f" else repr(array.item())


def _short(number: Any) -> str:
    """The shortest text that gives the number back in its own precision: `1.`, `-0.25`, `1e-05`."""
    size = abs(number)
    if size and (size < 1e-4 or size >= 1e16) and np.isfinite(number):
        return np.format_float_scientific(number, trim="-")
    return np.format_float_positional(number, trim=".")


_WRITERS: dict[type, Callable[[Any], str]] = {
    slice: _slice,
    type(Ellipsis): lambda _value: "...",
    type: lambda value: str(value.__name__),
    np.dtype: lambda value: str(value.name),
    np.floating: _short,
    np.generic: lambda value: repr(value.item()),
}
