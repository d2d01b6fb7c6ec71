"""The workers of a Dask cluster that runs already, on this machine or on many."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import logging
import threading
import time
from collections.abc import Generator, Iterable
from concurrent.futures import CancelledError
from typing import Any

from ... import __version__
from .engines import BROKE, DIED, Begun, Call, Ended, Engine, EngineError, Worker

CONNECT_SECONDS = 10
LOOK_SECONDS = 5  # between looks at a cluster from which nothing comes
ALONE_SECONDS = 60  # in which a cluster without workers may get new ones


class Dask(Engine):
    """The workers of a cluster that runs already. Each task has a process of its own there, with its limit."""

    def __init__(self, address: str, paths: tuple[str, ...] = ()) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError:
            raise EngineError("--dask needs an extra: pip install 'pytest-tinytorch[dask]'") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._distributed, self._paths = distributed, paths
        try:
            asyncio.run(_reach(address))
            self._client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(f"no Dask scheduler answers at {address}: {_line(error)}") from None
        try:
            self._check(address)
        except BaseException:
            self.close()
            raise

    def _check(self, address: str) -> None:
        """All workers have this version."""
        try:
            found = self._client.run(version)
        except Exception as error:  # noqa: BLE001 -- whatever a worker raises that cannot import this
            raise EngineError(f"the workers of {address} cannot run pytest-tinytorch: {_line(error)}") from None
        if not found:
            raise EngineError(f"the Dask scheduler at {address} has no workers")
        others = sorted(set(found.values()) - {__version__})
        if others:
            raise EngineError(f"{address} has workers with version {others[0]}, this is version {__version__}")

    def run(self, calls: Iterable[Call]) -> Generator[Begun | Ended, None, None]:
        """Twice as many calls as there are threads are with the cluster at any moment."""
        waiting, running = iter(calls), dict[Any, Call]()
        try:
            while True:
                for call in itertools.islice(waiting, max(2 * self._threads() - len(running), 0)):
                    running[self._client.submit(remote, call, self._paths, pure=False)] = call
                    yield Begun(key=call.key)
                if not running:
                    return
                for future in self._done(running):
                    yield _outcome(running.pop(future), future)
        except (OSError, CancelledError) as error:
            raise EngineError(f"the connection to the cluster is lost: {_line(error)}") from None
        finally:
            with contextlib.suppress(Exception):  # a cluster that is gone has nothing to cancel
                self._client.cancel(list(running))

    def _threads(self) -> int:
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def _done(self, running: dict[Any, Call]) -> list[Any]:
        """The calls that are over, at least one."""
        last_seen = time.monotonic()
        while True:
            try:
                with self._client.as_current():
                    found = self._distributed.wait(list(running), LOOK_SECONDS, return_when="FIRST_COMPLETED")
                return sorted(found.done, key=list(running).index)
            except (TimeoutError, asyncio.TimeoutError):
                if self._client.nthreads():
                    last_seen = time.monotonic()
                elif time.monotonic() - last_seen > ALONE_SECONDS:
                    raise EngineError("the cluster has lost all its workers") from None

    def close(self) -> None:
        """Leave the cluster as it is."""
        with contextlib.suppress(OSError):
            self._client.close()


def version() -> str:
    """The version of this package, asked of each worker."""
    return __version__


class _Here(threading.local):
    """The process that works for this thread of a Dask worker."""

    worker: Worker | None = None


_here = _Here()


def remote(call: Call, paths: tuple[str, ...]) -> Ended:
    """On a Dask worker: have the call done by a process that can be ended."""
    if _here.worker is None:
        _here.worker = Worker(paths)
    return _here.worker.do(call)


def _outcome(call: Call, future: Any) -> Ended:
    """What a future holds. The scheduler gives up a task after several workers have died of it."""
    error = future.exception()
    if error is None:
        ended: Ended = future.result()
        return ended
    if type(error).__name__ == "KilledWorker":
        return Ended(key=call.key, failure=DIED)
    return Ended(key=call.key, failure=BROKE.format(f"{type(error).__name__}: {_line(error)}"))


async def _reach(address: str) -> None:
    """Connect once, and hang up. A client that fails to leaves a thread, and hangs the one that collects it later."""
    distributed: Any = importlib.import_module("distributed")
    keys = distributed.Security().get_connection_args("client")
    connection = await distributed.comm.connect(address, timeout=CONNECT_SECONDS, **keys)
    await connection.close()


def _line(error: BaseException) -> str:
    """The first line of what an exception says."""
    return next(iter(str(error).splitlines()), type(error).__name__)
