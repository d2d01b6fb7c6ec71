"""Running worked examples against the solutions: doctests of docstrings, proofs of hints, blocks of lessons."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import math
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_tinytorch.course import CHECKPOINTS, Module
from tools import SOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@lru_cache(maxsize=1)
def solutions() -> ModuleType:
    """The solutions' package, imported once from where it lies."""
    spec = importlib.util.spec_from_file_location(
        "tinytorch", SOLUTIONS / "__init__.py", submodule_search_locations=[str(SOLUTIONS)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["tinytorch"] = package
    spec.loader.exec_module(package)
    return package


def solution(module: Module) -> ModuleType:
    """One module of the solutions."""
    solutions()
    return importlib.import_module(f"tinytorch.{module.name}")


def built() -> list[Module]:
    """The modules that students write and that are built."""
    return [module for module in CHECKPOINTS if module.number and module.built]


def scope(module: Module) -> dict[str, Any]:
    """What an example of a module may use: the exports of the modules up to it, np and math. Nothing later."""
    names: dict[str, Any] = {"np": np, "math": math, "tinytorch": solutions()}
    for earlier in CHECKPOINTS[1 : module.number + 1]:
        if earlier.built:
            names |= {name: getattr(solution(earlier), name) for name in earlier.exports}
    return names


def run(text: str, names: dict[str, Any], name: str, *, line: int = 0) -> list[str]:
    """Run the `>>>` lines of a text; the names that it defines stay in `names`. The failures, as doctest tells them."""
    test = doctest.DocTestParser().get_doctest(text, names, name, name, line)
    told: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    runner.run(test, out=told.append, clear_globs=False)
    names.update(test.globs)
    return ["".join(told)] if told else []


def executed(text: str) -> str:
    """The part of a text that a doctest runs or compares: sources and outputs."""
    examples = doctest.DocTestParser().get_examples(text)
    return "\n".join(f"{example.source}{example.want}" for example in examples)


def prose(text: str) -> str:
    """The other part: what only a reader sees."""
    pieces = doctest.DocTestParser().parse(text)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def docstrings(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Every docstring of a module with the dotted name of what it documents."""
    yield "", inspect.getdoc(module) or ""
    yield from _docstrings(module, module, "")


def _docstrings(holder: Any, module: ModuleType, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in vars(holder).items():
        thing = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        thing = thing.fget if isinstance(thing, property) else thing
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if thing.__doc__ and callable(thing):
            yield f"{prefix}{name}", inspect.cleandoc(thing.__doc__)
        if inspect.isclass(thing) and thing.__qualname__ == f"{prefix}{name}":
            yield from _docstrings(thing, module, f"{prefix}{name}.")
