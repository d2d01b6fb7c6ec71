"""The catalogue of mistakes: usual wrong variants of the solutions, and the check that must catch each.

Each module of the course has a file here with its `MISTAKES`. `tests/course` makes every mistake in a copy of the
solutions and looks at what the student would read.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_tinytorch.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_tinytorch.outcome import Result


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

    def not_shown(self, results: Sequence[Result], *, graded: bool = False) -> str:
        """What is wrong with the results of the exercise's checks: the first that fails must show the mistake.

        Empty where nothing is.
        """
        first = next((result for result in results if result.outcome is not Outcome.PASSED), None)
        if first is None:
            return f"no check of {self.exercise} noticed"
        if f"test_{first.name}" != self.caught_by:
            return f"test_{first.name} noticed, and {self.caught_by} had not"
        if graded and self.crashes_graded:
            return "" if first.outcome is Outcome.CRASHED else f"{first.outcome.value}, where a crash is due"
        said = first.finding.mistake if first.finding else ""
        if self.says is not None and squeezed(self.says) not in squeezed(said):
            return f"it was taken for another: {said!r}" if said else "it was not recognised"
        return ""


def squeezed(text: str) -> str:
    """The text on one line, for wrapped lines say the same."""
    return " ".join(text.split())


def catalogue() -> dict[str, list[Mistaken]]:
    """The mistakes of every module that has a file here, by the module's name."""
    names = [found.name for found in pkgutil.iter_modules(__path__)]
    return {name: list(importlib.import_module(f"{__name__}.{name}").MISTAKES) for name in names}
