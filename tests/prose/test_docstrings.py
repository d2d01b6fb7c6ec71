"""The solutions' docstrings are the exercises' texts: their examples run and their numbers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.prose.examples import docstrings, executed, prose, run, scope, solution
from tests.prose.numbers import unbacked

if TYPE_CHECKING:
    from pytest_tinytorch.course import Module


def test_examples_run(module: Module) -> None:
    home = solution(module)
    failures = [
        failure
        for name, text in docstrings(home)
        for failure in run(text, scope(module) | vars(home), f"{module.name}.{name}")
    ]
    assert not failures, "\n".join(failures)


def test_numbers_are_executed(module: Module) -> None:
    missing = {
        f"{module.name}.{name}": numbers
        for name, text in docstrings(solution(module))
        if (numbers := unbacked(prose(text), executed(text)))
    }
    assert not missing, "stated in prose, in no example of the same docstring"
