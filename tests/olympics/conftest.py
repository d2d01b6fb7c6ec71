"""Records of entries to be spoilt, and folders of them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.olympics import Entry
from pytest_tinytorch.olympics.entries import entry_of


def seconds(median: float) -> dict[str, Any]:
    """A time that was measured."""
    return {"median": median, "low": 0.9 * median, "high": 1.1 * median, "repeats": 24}


def record(
    name: str = "ada", event: str = "extreme", *, speedup: float = 8.0, smaller: float = 4.0, right: float = 0.95
) -> dict[str, Any]:
    """An entry with these gains."""
    metrics = {
        "seconds_before": seconds(0.4),
        "seconds_after": seconds(0.4 / speedup),
        "speedup": speedup,
        "bytes_before": 1_000_000,
        "bytes_after": round(1_000_000 / smaller),
        "smaller": smaller,
        "accuracy_before": right,
        "accuracy_after": right,
    }
    versions = {"python": "3.12.1", "numpy": "2.4.0"}
    return {"schema": 1, "name": name, "event": event, "seed": 7, "versions": versions, "metrics": metrics}


def entry(*args: Any, **gains: Any) -> Entry:
    """The same, read."""
    return entry_of(record(*args, **gains))


def changed(where: str, value: Any) -> dict[str, Any]:
    """A record with another value in one field; `...` takes the field away."""
    found = copy.deepcopy(record())
    *path, last = where.split(".")
    place = found
    for name in path:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return found


def write(folder: Path, file: str, content: Any) -> Path:
    """A file of a record, or of any bytes."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.fixture
def klass(tmp_path: Path) -> Path:
    """Three students, one of them in two events."""
    folder = tmp_path / "klass"
    write(folder, "ada.json", record("ada"))
    write(folder, "ada-latency.json", record("ada", "latency", speedup=3.0, smaller=1.0))
    write(folder, "grace/2024-extreme.json", record("grace", speedup=16.0))
    write(folder, "alan/olympics/2024-extreme.json", record("alan", speedup=2.0, smaller=40.0))
    return folder
