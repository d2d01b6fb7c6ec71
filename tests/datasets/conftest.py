"""A local server, and an environment that says nothing about data."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from tests.datasets.server import Mirrors

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither switches of ours nor a proxy between us and ourselves."""
    monkeypatch.delenv("TINYTORCH_OFFLINE", raising=False)
    monkeypatch.delenv("TINYTORCH_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def mirrors() -> Iterator[Mirrors]:
    """Mirrors of a file of 300 kB, which comes in several pieces."""
    server = Mirrors(random.Random(5).randbytes(300_000))  # noqa: S311 -- bytes to send, no secret
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()
