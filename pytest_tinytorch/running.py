"""One check after another without pytest, for a grader: the same worlds, inputs and verdicts as in pytest's own run."""

from __future__ import annotations

import inspect
import time
import zlib
from typing import TYPE_CHECKING, Any

from .checking import Draw
from .verdict import Unwritten, as_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from .handles import Sessions, World
    from .outcome import Result
    from .verdict import Check, Judge


def inputs(check: Check, seed: int) -> Draw:
    """The random inputs of a check in a run."""
    return Draw(seed, zlib.crc32(check.id.encode()))


def conclude(
    judge: Judge, check: Check, error: BaseException | None, world: World | None, *, seconds: float, seed: int
) -> Result:
    """What the end of a check means, with what its world tells."""
    if error is None or world is None:
        verdict = judge.verdict(check, error)
    else:
        verdict = judge.verdict(check, error, world.called(), world.plain())
    output = world.output() if world is not None else ""
    return as_result(check, verdict, seconds=seconds, seed=seed, output=output)


def run(
    check: Check, function: Callable[..., Any], *, sessions: Sessions, judge: Judge, seed: int, limit: float
) -> Result:
    """Run one check to its result. Only who asked for the run may interrupt it."""
    if judge.is_stub(check):
        return conclude(judge, check, Unwritten(check.about), None, seconds=0.0, seed=seed)
    began = time.perf_counter()
    world = sessions.begin(limit=limit, trace=judge.has_failing)
    given = {"tt": world.tt, "lab": world.lab, "draw": inputs(check, seed)}
    error: BaseException | None = None
    try:
        try:
            function(**{name: given[name] for name in inspect.signature(function).parameters})
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 -- whatever ends a check is its verdict
            error = raised
        return conclude(judge, check, error, world, seconds=time.perf_counter() - began, seed=seed)
    finally:
        error = None  # it leads here, and would keep the world
        world.close()
