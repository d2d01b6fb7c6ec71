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


def ladder(name: str, more: Mapping[str, Mapping[str, Ladder]] | None = None) -> Ladder | None:
    """The ladder of an exercise, or None where nobody wrote one.

    Args:
        name: module and exercise: `activations.softmax`, `tensor.Tensor.sum`.
        more: the ladders of modules from other packages, by module name; they come before the course's own.
    """
    module, _, exercise = name.partition(".")
    if more is not None and module in more:
        return more[module].get(exercise)
    return _of_course(module).get(exercise)


def _of_course(module: str) -> Mapping[str, Ladder]:
    """The ladders of one of the course's own modules; none when it has no file of hints."""
    if not module.isidentifier():
        return {}
    dotted = f"{__name__}.{module}"
    try:
        found = importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name != dotted:  # a file of hints that itself fails to import is a bug to be seen
            raise
        return {}
    return cast("Mapping[str, Ladder]", found.LADDERS)
