"""A check after another without pytest: processes that are handed on change no verdict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch import course, running
from pytest_tinytorch.checking import same
from pytest_tinytorch.handles import Sessions, open_isolated
from pytest_tinytorch.outcome import Outcome, Result
from pytest_tinytorch.sources import Sources
from pytest_tinytorch.verdict import Check, Judge

from .conftest import REPOSITORY

ACTIVATIONS = (REPOSITORY / "solutions" / "tinytorch" / "activations.py").read_text(encoding="utf-8")
TENSOR = (REPOSITORY / "solutions" / "tinytorch" / "tensor.py").read_text(encoding="utf-8")
AGE = "\n\n_calls = []\n\ndef relu(x):\n    _calls.append(x)\n    return {what}\n"


def right(tt: Any, draw: Any) -> None:
    x = draw(2, 3)
    same(tt.relu(tt.tensor(x)), np.maximum(x, 0))


def calls(tt: Any, lab: Any) -> None:
    same(lab(count), 1)


def count() -> int:
    tt.relu(tt.tensor([1.0]))  # type: ignore[name-defined]  # noqa: F821 -- tt is there
    return len(tt.activations._calls)  # type: ignore[name-defined]  # noqa: F821 -- tt is there


class Bench:
    """A package, and checks that run on it."""

    def __init__(self, package: Path, sessions: Sessions) -> None:
        self.sessions = sessions
        self.judge = Judge(Sources(package))
        self.relay = running.Relay()

    def run(
        self, function: Callable[..., None], module: course.Module = course.ACTIVATIONS, *, relay: bool = True
    ) -> Result:
        """Run one check about relu."""
        about = f"checkpoint-{module.number:02}-{module.name}::test_{function.__name__}"
        check = Check(id=about, module=module, exercise="relu", claim="it is right", points=1)
        given = {"sessions": self.sessions, "judge": self.judge, "seed": 1, "limit": 10.0}
        return running.run(check, function, relay=self.relay if relay else None, **given)  # type: ignore[arg-type]  # by name


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    """What makes a bench of a package with this relu."""
    with contextlib.ExitStack() as stack:

        def make(what: str) -> Bench:
            package = tmp_path / "tinytorch"
            package.mkdir()
            texts = {"__init__": "", "tensor": TENSOR, "activations": ACTIVATIONS + AGE.format(what=what)}
            for name, text in texts.items():
                (package / f"{name}.py").write_text(text, encoding="utf-8")
            made = Bench(package, stack.enter_context(contextlib.closing(open_isolated(package))))
            stack.callback(made.relay.close)
            return made

        yield make


@pytest.mark.parametrize("relay", [False, True])
def test_what_is_right_passes(relay: bool, bench: Callable[[str], Bench]) -> None:
    made = bench("x.clamp(min=0)")
    assert [made.run(right, relay=relay).outcome for _ in range(3)] == [Outcome.PASSED] * 3


def test_what_fails_beside_others_counts_alone(bench: Callable[[str], Bench]) -> None:
    made = bench("x.clamp(min=0) if len(_calls) == 1 else x")
    assert [made.run(right).outcome for _ in range(4)] == [Outcome.PASSED] * 4


def test_what_is_wrong_alone_is_wrong(bench: Callable[[str], Bench]) -> None:
    made = bench("x + (len(_calls) > 0)")
    found = made.run(right)
    assert found.outcome is Outcome.WRONG
    assert found.finding


def test_checks_of_one_checkpoint_share_a_process(bench: Callable[[str], Bench]) -> None:
    made = bench("x.clamp(min=0)")
    assert made.run(right).outcome is Outcome.PASSED
    server = made.relay._server
    assert made.run(right).outcome is Outcome.PASSED
    assert made.relay._server is server


def test_those_of_another_do_not(bench: Callable[[str], Bench]) -> None:
    made = bench("x.clamp(min=0)")
    servers = set()
    for module in (course.ACTIVATIONS, course.LAYERS, course.ACTIVATIONS):
        assert made.run(right, module).outcome is Outcome.PASSED
        servers.add(made.relay._server)
    assert len(servers) == 3


def test_a_check_that_counts_gets_a_process_of_its_own(bench: Callable[[str], Bench]) -> None:
    made = bench("x.clamp(min=0)")
    assert [made.run(calls).outcome for _ in range(3)] == [Outcome.PASSED] * 3


def test_each_check_has_its_own_output(bench: Callable[[str], Bench]) -> None:
    made = bench("print('called') or x.clamp(min=0)")
    assert [made.run(right).output for _ in range(3)] == ["called\n"] * 3


def test_a_process_that_ends_costs_nothing(bench: Callable[[str], Bench]) -> None:
    made = bench("x.clamp(min=0) if len(_calls) == 1 else __import__('os')._exit(0)")
    assert [made.run(right).outcome for _ in range(3)] == [Outcome.PASSED] * 3
