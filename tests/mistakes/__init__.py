"""The catalogue of mistakes: usual wrong variants of the solutions, and the check that must catch each.

Each module of the course has a file here with its `MISTAKES`. `tests/course` makes every mistake in a copy of the
solutions and looks at what the student would read.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistaken:
    """One mistake: `replace`, exact text that the solution holds once, becomes `by`.

    `caught_by` is the check that must fail, before every other check of the exercise; `says` is what its report must
    say where the wrong value is recognised (None: the value is not distinctive). One that `crashes_graded` leaves the
    folders that a grader's worker may use, and comes to its end there.
    """

    name: str
    exercise: str
    replace: str
    by: str
    caught_by: str
    says: str | None = None
    crashes_graded: bool = False

    def make(self, source: str) -> str:
        """The solution's source with the mistake in it.

        Raises:
            ValueError: the text to replace is not there, or more than once.
        """
        count = source.count(self.replace)
        if count != 1:
            raise ValueError(f"{self.name}: the text to replace occurs {count} times in the solution, must occur once")
        return source.replace(self.replace, self.by)


def catalogue() -> dict[str, list[Mistaken]]:
    """The mistakes of every module that has a file here, by the module's name."""
    names = [found.name for found in pkgutil.iter_modules(__path__)]
    return {name: list(importlib.import_module(f"{__name__}.{name}").MISTAKES) for name in names}
