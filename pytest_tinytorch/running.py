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

    from .course import Module
    from .handles import Sessions, World
    from .handles.world import Transport
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


RELAYED_SECONDS = 1.0  # for a check beside others; it has its whole time by itself


class Relay:
    """Hands a process on, from a check that passed to the next one of the same checkpoint.

    A process for itself costs as much as a whole check. What passes beside others has passed, as it would in a
    student's own run, in which all checks share an import; what does not is run again in a process that nobody else has
    used, and only that counts.
    """

    def __init__(self) -> None:
        self._module: Module | None = None
        self._server: Transport | None = None

    def take(self, check: Check) -> Transport | None:
        """The process in which checks of the same checkpoint have passed, where there is one."""
        if check.module is not self._module:
            self.close()
        self._module = check.module
        server, self._server = self._server, None
        return server

    def keep(self, world: World) -> None:
        """End a check that passed, and keep its process."""
        self._server = world.hand_over()

    def close(self) -> None:
        """End the process."""
        if self._server is not None:
            self._server.close()
            self._server = None


def run(
    check: Check,
    function: Callable[..., Any],
    *,
    sessions: Sessions,
    judge: Judge,
    seed: int,
    limit: float,
    relay: Relay | None = None,
) -> Result:
    """Run one check to its result. Only who asked for the run may interrupt it."""
    if judge.is_stub(check):
        return conclude(judge, check, Unwritten(check.about), None, seconds=0.0, seed=seed)
    server = relay.take(check) if relay is not None else None
    for used in (server, None) if server is not None else (None,):
        began = time.perf_counter()
        if used is not None:
            world = sessions.begin(limit=min(limit, RELAYED_SECONDS), trace=False, server=used)
        else:
            world = sessions.begin(limit=limit, trace=judge.has_failing)
        error: BaseException | None = None
        try:
            error = _ended_by(function, world, inputs(check, seed))
            if error is None or used is None:
                found = conclude(judge, check, error, world, seconds=time.perf_counter() - began, seed=seed)
                if error is None and relay is not None:
                    relay.keep(world)
                return found
        finally:
            error = None  # it leads here, and would keep the world
            world.close()
    raise AssertionError("the last process is nobody else's")


def _ended_by(function: Callable[..., Any], world: World, draw: Draw) -> BaseException | None:
    """What ended a check; None where it passed."""
    given = {"tt": world.tt, "lab": world.lab, "draw": draw}
    try:
        function(**{name: given[name] for name in inspect.signature(function).parameters})
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001 -- whatever ends a check is its verdict
        return raised
    return None
