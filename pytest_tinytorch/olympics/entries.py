"""An entry: read from a file that nobody trusts, or made of what a milestone measured.

`schema.json` beside this file describes the same format for other programs. It cannot say that one number follows from
others, nor that a name can be printed; what is accepted here is always valid there.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..intervals import Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = 1  # the version of the format, as in the course's module 20
EVENTS = ("latency", "memory", "accuracy", "extreme")
LOST = 0.02  # as much accuracy an entry may lose, in any event
LEAST_SECONDS, MOST_SECONDS = 1e-9, 1e9
MOST_BYTES = 10**15
MOST_DIGITS = 19  # of a whole number in a file
LONGEST_NAME = 80

FIELDS = ("schema", "name", "event", "seed", "versions", "metrics")
VERSIONS = ("python", "numpy")
TIMES = ("median", "low", "high", "repeats")
METRICS = (
    "seconds_before",
    "seconds_after",
    "speedup",
    "bytes_before",
    "bytes_after",
    "smaller",
    "accuracy_before",
    "accuracy_after",
)


class EntryError(Exception):
    """What is no entry; the message is one sentence that begins with the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody says to have measured, before and after. The gains are worked out from it."""

    name: str
    event: str
    seed: int
    python: str
    numpy: str
    seconds_before: Times
    seconds_after: Times
    bytes_before: int
    bytes_after: int
    accuracy_before: float
    accuracy_after: float
    file: str = ""

    @property
    def speedup(self) -> float:
        """How many times faster."""
        return self.seconds_before.median / self.seconds_after.median

    @property
    def smaller(self) -> float:
        """How many times smaller."""
        return self.bytes_before / self.bytes_after

    @property
    def figure(self) -> float:
        """What the event is ranked by: a number that does not depend on the machine as seconds do."""
        product = self.speedup * self.smaller * self.accuracy_after
        figures = {"latency": self.speedup, "memory": self.smaller, "accuracy": self.accuracy_after}
        return figures.get(self.event, product)

    def record(self) -> dict[str, Any]:
        """The entry as its file holds it."""
        metrics = {
            "seconds_before": asdict(self.seconds_before),
            "seconds_after": asdict(self.seconds_after),
            "speedup": self.speedup,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "smaller": self.smaller,
            "accuracy_before": self.accuracy_before,
            "accuracy_after": self.accuracy_after,
        }
        return {
            "schema": SCHEMA,
            "name": self.name,
            "event": self.event,
            "seed": self.seed,
            "versions": {"python": self.python, "numpy": self.numpy},
            "metrics": metrics,
        }

    def text(self) -> str:
        """The file's text: JSON in ASCII."""
        return json.dumps(self.record(), indent=2, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of an entry."""
    found: dict[str, Any] = json.loads(files(__package__).joinpath("schema.json").read_text(encoding="utf-8"))
    return found


# ---- reading --------------------------------------------------------------------------------------------------


def parse(content: bytes, file: str = "") -> Entry:
    """The entry that the bytes of a file hold.

    Raises:
        EntryError: they hold none; the sentence says which field is wrong, and why.
    """
    try:
        record = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_once, parse_int=_whole, parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        raise EntryError(f"the text is not UTF-8, from byte {error.start} on") from None
    except json.JSONDecodeError as error:
        raise EntryError(f"the text is no JSON: {error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise EntryError("the text is no entry: it is nested too deeply") from None
    return entry_of(record, file)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name stands twice: readers differ in which one they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise EntryError(f"{_told(next(name for name in names if names.count(name) > 1))}: stands twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise EntryError(f"a whole number of {len(digits)} digits: no number of an entry has more than {MOST_DIGITS}")
    return int(digits)


def _no_number(word: str) -> Any:
    raise EntryError(f"{word}: is no number that JSON has")


def entry_of(record: Any, file: str = "") -> Entry:
    """The entry in a record, with every field looked at.

    Raises:
        EntryError: the first field that is missing, too much, of another kind, or that does not follow.
    """
    fields = _object(record, FIELDS, "")
    if type(fields["schema"]) is not int or fields["schema"] != SCHEMA:
        raise EntryError(f"schema: {_told(fields['schema'])} is not the version that is read here, which is {SCHEMA}")
    if fields["event"] not in EVENTS:
        raise EntryError(f"event: {_told(fields['event'])} is none of {', '.join(EVENTS)}")
    versions = _object(fields["versions"], VERSIONS, "versions")
    metrics = _object(fields["metrics"], METRICS, "metrics")
    entry = Entry(
        name=_name(fields["name"]),
        event=fields["event"],
        seed=_number(fields, "seed", 0, 10**MOST_DIGITS, whole=True),
        python=_version(versions, "python"),
        numpy=_version(versions, "numpy"),
        seconds_before=_times(metrics, "seconds_before"),
        seconds_after=_times(metrics, "seconds_after"),
        bytes_before=_number(metrics, "metrics.bytes_before", 1, MOST_BYTES, whole=True),
        bytes_after=_number(metrics, "metrics.bytes_after", 1, MOST_BYTES, whole=True),
        accuracy_before=_number(metrics, "metrics.accuracy_before", 0, 1),
        accuracy_after=_number(metrics, "metrics.accuracy_after", 0, 1),
        file=file,
    )
    _require_gains(entry, metrics)
    return entry


def _require_gains(entry: Entry, metrics: Mapping[str, Any]) -> None:
    """Refuse gains that do not follow, and a gain that cost too many right answers."""
    seconds = f"{entry.seconds_before.median:.4g} s before and {entry.seconds_after.median:.4g} s after"
    _follows(metrics, "speedup", entry.speedup, seconds)
    _follows(metrics, "smaller", entry.smaller, f"{entry.bytes_before} bytes before and {entry.bytes_after} after")
    if entry.accuracy_after < entry.accuracy_before - LOST - 1e-9:
        raise EntryError(
            f"metrics.accuracy_after: fell from {entry.accuracy_before:.4g} to {entry.accuracy_after:.4g}, "
            f"and an entry may lose {LOST}"
        )


def _follows(metrics: Mapping[str, Any], name: str, ratio: float, numbers: str) -> None:
    claimed = _number(metrics, f"metrics.{name}", 0, math.inf)
    if not math.isclose(claimed, ratio, rel_tol=0.01):
        raise EntryError(f"metrics.{name}: {claimed:.4g} does not follow from {numbers}, which make {ratio:.4g}")


def _object(value: Any, names: Iterable[str], where: str) -> dict[str, Any]:
    """An object with exactly these names."""
    head = f"{where}: " if where else ""
    if type(value) is not dict:
        raise EntryError(f"{head}{_told(value)} is no object with {', '.join(names)}")
    missing = [name for name in names if name not in value]
    unknown = [name for name in value if name not in names]
    if missing:
        raise EntryError(f"{where + '.' if where else ''}{missing[0]}: is missing")
    if unknown:
        raise EntryError(f"{where + '.' if where else ''}{_told(unknown[0])}: no entry has such a field")
    return value


def _name(value: Any) -> str:
    if type(value) is not str or not 1 <= len(value.strip()) <= len(value) <= LONGEST_NAME or not value.isprintable():
        raise EntryError(f"name: {_told(value)} is no text of 1 to {LONGEST_NAME} characters that can be printed")
    return value


def _version(versions: Mapping[str, Any], name: str) -> str:
    value = versions[name]
    if type(value) is not str or not value.isprintable() or not 1 <= len(value) <= LONGEST_NAME:
        raise EntryError(f"versions.{name}: {_told(value)} is no text of 1 to {LONGEST_NAME} characters")
    return value


def _times(metrics: Mapping[str, Any], name: str) -> Times:
    where = f"metrics.{name}"
    found = _object(metrics[name], TIMES, where)
    low, median, high = (_number(found, f"{where}.{part}", 0, MOST_SECONDS) for part in ("low", "median", "high"))
    repeats = _number(found, f"{where}.repeats", 3, 10**9, whole=True)
    if not low <= median <= high:
        raise EntryError(f"{where}.median: {median:.4g} does not lie between low {low:.4g} and high {high:.4g}")
    if median < LEAST_SECONDS:
        raise EntryError(f"{where}.median: {median:.4g} s is less than any clock can tell")
    return Times(median=median, low=low, high=high, repeats=repeats)


def _number(fields: Mapping[str, Any], where: str, low: float, high: float, *, whole: bool = False) -> Any:
    """The number in a field. A bool is none, though Python counts with it."""
    value = fields[where.rpartition(".")[2]]
    if type(value) is not int and (whole or type(value) is not float):
        raise EntryError(f"{where}: {_told(value)} is no {'whole number' if whole else 'number'}")
    if not low <= value <= high or not math.isfinite(value):
        limits = f"from {low} on" if high == math.inf else f"from {low} to {high:g}"
        raise EntryError(f"{where}: {_told(value)} is not {limits}")
    return value if whole else float(value)


def _told(value: Any) -> str:
    """A value as JSON writes it, on one line, cut where it is long."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}…"
