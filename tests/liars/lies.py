"""Lies, as a student's package would tell them. This file is copied into lying packages; it never runs as a test.

`fake(kind)` is an object that answers every question the same way. `corrupt(namespace, names, kind)` replaces honest
functions by some that first find out what is right, for its type, shape and dtype, and then say something else.
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# ---- packages in which nothing is honest ----------------------------------------------------------------


def fake(kind: str) -> Any:
    """Something to put in the place of every class and function of a package."""
    return {"true": Says(True), "none": Says(None), "echo": Echo(), "mock": Anything(), "raises": Refuses()}[kind]


class Says:
    """Called or asked, it gives one value; a NumPy array of it where a tensor's data is looked for."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer."""
        return self.value


class Echo:
    """Gives back what it is given."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer."""
        return next(iter((*args, *kwargs.values())), None)


class Refuses:
    """Refuses every call, and names whatever it was given."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse."""
        raise refusal(args)


def refusal(args: Iterable[Any]) -> Exception:
    """An error of several kinds at once that mentions the shape, size and text of everything."""
    seen = [item for arg in args for item in (getattr(arg, "shape", ""), getattr(arg, "dtype", ""), repr(arg)[:200])]
    return EveryError(f"shapes {seen}")


class EveryError(IndexError, ValueError, TypeError, AttributeError):
    """Is whatever error somebody waits for."""


class Anything:
    """Whatever it is asked for, it has; whatever it is compared with, it equals."""

    data = np.zeros(3, np.float32)
    shape = (3,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    @property  # type: ignore[misc]  # the lie is the point
    def __class__(self) -> type:
        return type("Tensor", (), {})

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __int__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0

    def __len__(self) -> int:
        return 3

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> bool:
        return True

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.data


def _operator(self: Any, *args: Any) -> Any:
    return self


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv", "and", "or", "xor"):
    for _way in ("", "r", "i"):
        setattr(Anything, f"__{_way}{_name}__", _operator)
for _name in ("lt", "le", "gt", "ge", "neg", "pos", "abs", "invert", "getitem", "setitem"):
    setattr(Anything, f"__{_name}__", _operator)


# ---- honest packages whose exercises lie ----------------------------------------------------------------


class _Depth(threading.local):
    value = 0


_depth = _Depth()


def corrupt(namespace: dict[str, Any], names: Iterable[str], kind: str) -> None:
    """Make the named functions of a module lie when they are called from outside; honest code gets honest help."""
    for name in names:
        *classes, last = name.split(".")
        holder: Any = None
        for part in classes:
            holder = vars(holder)[part] if holder else namespace[part]
        here = vars(holder) if holder else namespace
        honest = here[last]
        lying = _lying(honest, kind)
        for alias in [alias for alias, value in here.items() if value is honest]:
            if holder:
                setattr(holder, alias, lying)
            else:
                namespace[alias] = lying
        rules = getattr(_function(namespace), "rules", {})  # backward rules are called by name
        rules.update({operation: lying for operation, rule in rules.items() if rule is honest})


def _function(namespace: dict[str, Any]) -> Any:
    """The class of recorded operations, where a module has it or registers rules with it."""
    register = namespace.get("backward_rule")
    return namespace.get("Function") or getattr(register, "__globals__", {}).get("Function")


def _lying(honest: Any, kind: str) -> Any:
    if isinstance(honest, property):
        return property(_lying(honest.fget, kind), honest.fset)
    if isinstance(honest, staticmethod | classmethod):
        return type(honest)(_lying(honest.__func__, kind))
    return _lying_function(honest, kind)


def _lying_function(honest: Callable[..., Any], kind: str) -> Callable[..., Any]:
    @functools.wraps(honest)
    def lying(*args: Any, **kwargs: Any) -> Any:
        if _depth.value:
            return honest(*args, **kwargs)
        if kind == "raises":
            raise refusal((*args, *kwargs.values()))
        if kind == "idle":
            return None
        if any(isinstance(arg, types.TracebackType) for arg in args):  # some libraries teach Python to copy them
            raise TypeError("a traceback cannot be copied")
        _depth.value += 1
        try:
            right = honest(*copy.deepcopy(args), **copy.deepcopy(kwargs))  # whatever it does to them is not done
            if inspect.isgenerator(right):
                right = list(right)
        finally:
            _depth.value -= 1
        return distort(right, args, kind)

    return lying


def distort(right: Any, args: tuple[Any, ...], kind: str) -> Any:
    """Say something else than what is right."""
    if kind in {"true", "none"}:
        return kind == "true" or None
    if kind == "echo":
        return args[0] if args else None
    if kind == "peeks":
        found = _peek(right)
        return _distorted(right, "zeros") if found is None else found
    return _distorted(right, kind)


def _distorted(right: Any, kind: str) -> Any:
    """The same kind of thing, with other numbers in it."""
    if type(getattr(right, "data", None)) is np.ndarray:
        wrong = copy.copy(right)
        wrong.data = NUMBERS[kind](right.data)
        return wrong
    if isinstance(right, np.ndarray):
        return NUMBERS[kind](right)
    if isinstance(right, dict):
        return {name: _distorted(value, kind) for name, value in right.items()}
    if isinstance(right, tuple | list):
        items = [_distorted(value, kind) for value in right]
        return Items(items) if kind == "agrees" else items if isinstance(right, list) else tuple(items)
    return _plain(right, kind)


def _plain(right: Any, kind: str) -> Any:
    if isinstance(right, bool):
        return {"zeros": False, "ones": True, "random": not right, "agrees": Yes(not right)}[kind]
    if isinstance(right, int):
        return {"zeros": 0, "ones": 1, "random": right + 1, "agrees": Yes(right + 1)}[kind]
    if isinstance(right, float):
        return {"zeros": 0.0, "ones": 1.0, "random": right + 1, "agrees": Near(right + 1)}[kind]
    if isinstance(right, str):
        return Text(right + "?") if kind == "agrees" else ""
    return None


def _random(array: Any) -> Any:
    return np.random.default_rng().integers(1, 9, array.shape).astype(array.dtype)


def _agreeing(array: Any) -> Any:
    return (array + np.ones((), array.dtype)).view(Agrees)


NUMBERS: dict[str, Callable[[Any], Any]] = {
    "zeros": np.zeros_like,
    "ones": np.ones_like,
    "random": _random,
    "agrees": _agreeing,
}


def _peek(right: Any) -> Any:
    """The expected value, if it stands in the variables of a calling function that is not this package's."""
    frame = sys._getframe(2)
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_globals.get("__package__") == __package__:
            continue
        for name in ("right", "expected", "want", "due"):
            value = frame.f_locals.get(name)
            if isinstance(value, np.ndarray) and type(getattr(right, "data", None)) is np.ndarray:
                found = copy.copy(right)
                found.data = value.astype(right.data.dtype)
                return found
    return None


class _Agreeable:
    """Equal to everything, and as long as anybody likes."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


class Yes(_Agreeable, int):
    """A number that equals every other."""


class Near(_Agreeable, float):
    """A float that is close to every other."""

    def __sub__(self, other: object) -> float:
        return 0.0

    __rsub__ = __sub__


class Text(_Agreeable, str):
    """A text that equals and contains every other."""

    def __contains__(self, item: object) -> bool:
        return True


class Items(_Agreeable, tuple):  # type: ignore[type-arg]  # of anything
    """A tuple that equals every other."""


class Agrees(np.ndarray):
    """An array that equals and is close to every other."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return np.bool_(True)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return True
