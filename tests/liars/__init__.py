"""Lying packages: they implement nothing, and yet have an answer for every check.

Two families, both built from `course.py` alone, so that they cover every module that is added. In a *fake* package
every name is one object that answers in one way. In a *corrupt* one the solutions stand, but every exercise says
something else than what is right: zeros of the right shape, its own input, an object that equals everything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tinytorch.course import CHECKPOINTS, Module
from tools.trial import package

if TYPE_CHECKING:
    from collections.abc import Sequence

FAKE = ("true", "none", "echo", "mock", "raises")
CORRUPT = ("true", "none", "echo", "raises", "idle", "zeros", "ones", "random", "agrees", "peeks")
LIES = Path(__file__).with_name("lies.py").read_text("utf-8")


def written() -> list[Module]:
    """The modules that students write and that are built."""
    return [module for module in CHECKPOINTS if module.number and module.built]


FAKE_MODULE = """\
from ._lies import fake

_lie = fake({kind!r})
{exports}

def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _lie
"""


def fake_package(kind: str) -> dict[str, str]:
    """A package in which every export of every module is a lie, and every other name too."""
    exports = {module.file: module.exports for module in written()}
    exports["__init__.py"] = tuple(name for names in exports.values() for name in names)
    modules = {
        file: FAKE_MODULE.format(kind=kind, exports="".join(f"{name} = _lie\n" for name in names))
        for file, names in exports.items()
    }
    return modules | {"_lies.py": LIES}


def corrupt_package(kind: str, exercises: Sequence[str] | None = None, *, of: Module | None = None) -> dict[str, str]:
    """The solutions with lying exercises: all of them, or some of one module."""
    texts = package()
    for module in written():
        names = module.exercises if of is None else exercises or () if module is of else ()
        if names:
            texts[module.file] += (
                f"\n\nfrom ._lies import corrupt as _corrupt\n\n_corrupt(globals(), {list(names)!r}, {kind!r})\n"
            )
    return texts | {"_lies.py": LIES}
