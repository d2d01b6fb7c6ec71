"""Hints: for every exercise a ladder of three rungs, so that nobody stays stuck.

Each module of the course has a file here with its `LADDERS`. It is imported when somebody asks for a hint, and
not before.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ladder", "ladder"]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The hints for one exercise.

    `ask` is a question small enough for paper, `idea` states the idea with one number to hit, `algorithm` gets a
    stuck student through. `smaller` is the first case to aim at, `lesson` the heading in the lesson that explains
    it, `proof` a doctest that holds every number of the ladder.
    """

    ask: str
    idea: str
    algorithm: str
    smaller: str = ""
    lesson: str = ""
    proof: str = ""

    @property
    def rungs(self) -> tuple[str, str, str]:
        """The three hints, gentlest first."""
        return self.ask, self.idea, self.algorithm


def ladder(name: str, home: str | None = None) -> Ladder | None:
    """The ladder of an exercise, or None where nobody wrote one.

    Args:
        name: module and exercise: `activations.softmax`, `tensor.Tensor.sum`.
        home: the dotted name of the module that holds `LADDERS` (`Module.hints`); the course's own place without.
    """
    module, _, exercise = name.partition(".")
    if not (module.isidentifier() and exercise):
        return None
    return _ladders(home or f"{__name__}.{module}").get(exercise)


def _ladders(home: str) -> Mapping[str, Ladder]:
    """The ladders that a module holds; none where there is no such module."""
    try:
        found = importlib.import_module(home)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{home}.".startswith(f"{error.name}."):
            raise  # the file of hints is there and needs something that is not
        return {}
    return cast("Mapping[str, Ladder]", found.LADDERS)
