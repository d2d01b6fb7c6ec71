"""The judge's side: handles to the student's objects.

Operations on a handle run beside the student's code; plain results come back as copies, anything else as another
handle. A handle has no truth value: a verdict rests on fetched plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import Endless, NotEvidence, ProtocolError
from .expressions import Attribute, Binary, Call, Item, Name, Node, Unary, node

if TYPE_CHECKING:
    from .world import World

MAX_ITEMS = 10_000
END = object()  # what the world answers where an iterator has no more items

BINARY = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "and_": "&", "or_": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
}  # fmt: skip
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
UNARY = {"neg": "-", "pos": "+", "invert": "~"}
CONVERSIONS = ("abs", "round", "reversed")  # give anything
EXACT = {"float": float, "int": int}  # Python insists on the type


class Handle:
    """Stands for one object of the student's code, and does nothing with it but ask."""

    __slots__ = ("__weakref__", "_tinytorch")
    __array_ufunc__ = None  # `array @ handle` is the handle's business

    _tinytorch: Reference

    def __init__(self, world: World, number: int) -> None:
        object.__setattr__(self, "_tinytorch", Reference(world, number))

    def tinytorch_node(self) -> Node:
        """The expression that gave this object; read it with `expression`."""
        return self._tinytorch.node or Name("?")

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _ask(self, "getattr", name, node=Attribute(node(self), name))

    def __setattr__(self, name: str, value: object) -> None:
        __tracebackhide__ = True
        _ask(self, "setattr", name, value, node=Attribute(node(self), name))

    def __delattr__(self, name: str) -> None:
        __tracebackhide__ = True
        _ask(self, "delattr", name, node=Attribute(node(self), name))

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call the student's object; values travel by copy."""
        __tracebackhide__ = True
        return _ask(self, "call", args, keywords, node=Call(node(self), args, keywords))

    def __getitem__(self, index: Any) -> Any:
        __tracebackhide__ = True
        return _ask(self, "compute", index, node=Item(node(self), index), name="getitem")

    def __setitem__(self, index: Any, value: Any) -> None:
        __tracebackhide__ = True
        _ask(self, "compute", index, value, node=Item(node(self), index), name="setitem")

    def __delitem__(self, index: Any) -> None:
        __tracebackhide__ = True
        _ask(self, "compute", index, node=Item(node(self), index), name="delitem")

    def __len__(self) -> int:
        __tracebackhide__ = True
        length = _exactly(int, _ask(self, "convert", node=Call(Name("len"), (self,), {}), name="len"))
        if not 0 <= length < 1 << 62:
            raise ProtocolError("the answer is no length")
        return int(length)

    def __iter__(self) -> Iterator[Any]:
        __tracebackhide__ = True
        iterator = _handle(_ask(self, "convert", node=node(self), name="iter"))
        for index in range(MAX_ITEMS):
            found = _ask(iterator, "next", node=Item(node(self), index))
            if found is END:
                return
            yield found
        raise _endless(self)

    def __next__(self) -> Any:
        __tracebackhide__ = True
        found = _ask(self, "next", node=Call(Name("next"), (self,), {}))
        if found is END:
            raise StopIteration
        return found

    def __enter__(self) -> Any:
        __tracebackhide__ = True
        return _ask(self, "enter", node=node(self))

    def __exit__(self, *_error: object) -> None:
        """Leave the student's context; it cannot swallow an error of the check."""
        __tracebackhide__ = True
        _ask(self, "leave", node=node(self))

    def __bool__(self) -> bool:
        raise NotEvidence(f"`{expression(self)}` is a handle, and has no truth value: fetch a plain value first")

    def __contains__(self, item: object) -> bool:
        raise NotEvidence(f"`in {expression(self)}` asks a handle: fetch a plain value first")

    def __array__(self, *_args: Any, **_keywords: Any) -> NoReturn:
        raise NotEvidence(f"`{expression(self)}` is a handle, not an array: fetch its data first")

    def __repr__(self) -> str:
        return f"<handle {expression(self)}>"

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __del__(self) -> None:
        reference = getattr(self, "_tinytorch", None)
        if reference is not None:
            reference.world.release(reference.number, reference.times)


class Reference:
    """Where a handle's object is: its world, its number there, how often the number came, its expression."""

    __slots__ = ("node", "number", "times", "world")

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.times = 0
        self.node: Node | None = None


def _ask(handle: Any, verb: str, *operands: Any, node: Node, name: str | None = None) -> Any:
    __tracebackhide__ = True
    first = (handle,) if name is None else (name, handle)
    return handle._tinytorch.world.ask(verb, *first, *operands, node=node)


def _endless(handle: Handle) -> Endless:
    trouble = Endless(MAX_ITEMS)
    trouble.expression, trouble.definitions = expression(handle), definitions(handle)
    return trouble


def _binary(verb: str, name: str, symbol: str) -> Callable[[Handle, Any], Any]:
    def operation(self: Handle, other: Any) -> Any:
        __tracebackhide__ = True
        return self._tinytorch.world.ask(verb, name, self, other, node=Binary(symbol, self, other))

    return operation


def _reflected(name: str, symbol: str) -> Callable[[Handle, Any], Any]:
    def operation(self: Handle, other: Any) -> Any:
        __tracebackhide__ = True
        return self._tinytorch.world.ask("compute", name, other, self, node=Binary(symbol, other, self))

    return operation


def _unary(name: str, symbol: str) -> Callable[[Handle], Any]:
    def operation(self: Handle) -> Any:
        __tracebackhide__ = True
        return self._tinytorch.world.ask("compute", name, self, node=Unary(symbol, node(self)))

    return operation


def _conversion(name: str) -> Callable[..., Any]:
    def operation(self: Handle, *args: Any) -> Any:
        __tracebackhide__ = True
        call = Call(Name(name), (self, *args), {})
        return self._tinytorch.world.ask("convert", name, self, *args, node=call)

    return operation


def _exact_conversion(name: str, kind: type) -> Callable[[Handle], Any]:
    def operation(self: Handle) -> Any:
        __tracebackhide__ = True
        call = Call(Name(name), (self,), {})
        return _exactly(kind, self._tinytorch.world.ask("convert", name, self, node=call))

    return operation


def _exactly(kind: type, answer: Any) -> Any:
    """An answer whose type Python or the server vouches for; anything else comes from no honest process."""
    if type(answer) is not kind:
        raise ProtocolError(f"the answer is no {kind.__name__}")
    return answer


def _handle(answer: Any) -> Handle:
    if type(answer) is not Handle:
        raise ProtocolError("the answer is no handle")
    return answer


def _give_operators() -> None:
    """Every operator of Python asks the student's object, from the left, from the right and in place."""
    for name, symbol in BINARY.items():
        method = name.rstrip("_")
        setattr(Handle, f"__{method}__", _binary("compute", name, symbol))
        setattr(Handle, f"__r{method}__", _reflected(name, symbol))
        setattr(Handle, f"__i{method}__", _binary("compute", f"i{method}", symbol))
    for name, symbol in COMPARISONS.items():
        setattr(Handle, f"__{name}__", _binary("compare", name, symbol))
    for name, symbol in UNARY.items():
        setattr(Handle, f"__{name}__", _unary(name, symbol))
    for name in CONVERSIONS:
        setattr(Handle, f"__{name}__", _conversion(name))
    for name, kind in EXACT.items():
        setattr(Handle, f"__{name}__", _exact_conversion(name, kind))


_give_operators()


# ---- what a check asks about a handle


def expression(value: object) -> str:
    """How the value came about, as source to paste: `softmax(tensor([1., 2.]), dim=0)`."""
    return node(value).text


def definitions(value: object) -> dict[str, str]:
    """What the names in its expression stand for: `{"x": "tensor(<float32 (8, 16)>)"}`."""
    return node(value).definitions()


def named(handle: Any, name: str) -> Any:
    """The same handle, called `name` in its own and in later expressions."""
    reference = _handle(handle)._tinytorch
    reference.node = Name(name, node(handle))
    return handle


def fetch(value: Any) -> Any:
    """A copy of what the handle stands for, where it is a plain value; else the handle itself."""
    __tracebackhide__ = True
    return _ask(value, "fetch", node=node(value)) if type(value) is Handle else value


def shown(value: Any) -> str:
    """What the object's own `repr` says."""
    __tracebackhide__ = True
    if type(value) is not Handle:
        return repr(value)
    text: str = _exactly(str, _ask(value, "convert", node=Call(Name("repr"), (value,), {}), name="repr"))
    return text


def kind(value: Any) -> str:
    """The name of the value's type."""
    __tracebackhide__ = True
    if type(value) is not Handle:
        return type(value).__name__
    name: str = _exactly(str, _ask(value, "kind", node=Call(Name("type"), (value,), {})))
    return name


def isinstance_(value: Any, kind: Any) -> bool:
    """Whether the class is in the MRO of the value's own type, whatever the value claims to be."""
    __tracebackhide__ = True
    asked = kind if type(kind) is Handle else value
    if type(asked) is not Handle:
        return kind in type(value).__mro__
    call = Call(Name("isinstance"), (value, kind), {})
    answer: bool = _exactly(bool, asked._tinytorch.world.ask("is_instance", value, kind, node=call))
    return answer
