"""What is graded and what it is worth: the instructor's file, never the student's.

[assignment]                       # every key may be left out
name = "Autumn"
track = "complete"                 # of course.py; "custom" with `modules`
provided = ["tensor"]              # modules that came solved: graded only where `checkpoints` names them
package = "tinytorch"              # the folder that holds the students' code
checkpoints = "5-8"                # as --checkpoint takes them; all of the track's modules
milestones = [1986]                # none
time_limit = 10                    # seconds for one check
total_limit = 900                  # seconds for everything

[weights]                          # whole numbers; 1 where nothing is said, 0 does not count
autograd = 2
1986 = 20                          # a milestone's points

[due]                              # dates, or dates with time; without an offset they are UTC
autograd = 2026-10-31
"""

from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .. import course
from ..catalog import gather
from ..course import Module, Track
from ..selection import Asked, SelectionError, modules_named, select_checkpoints, select_milestones

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MILESTONE_POINTS = 10
TIME_LIMIT = 10.0
TOTAL_LIMIT = 900.0
MOST_SECONDS = 86_400.0  # a day
MOST_WEIGHT = 1_000
NOTHING: Mapping[str, Any] = MappingProxyType({})
KEYS = ("name", "track", "modules", "provided", "package", "checkpoints", "milestones", "time_limit", "total_limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one submission is graded for. `checkpoints` are module names in course order, `milestones` years.

    `weights` multiply a module's points, or are a milestone's points, by module name or year as text. `due` are ISO
    times with an offset, by the same names. `source` is the file that says all this, or empty.
    """

    name: str = "tinytorch"
    track: str = "complete"
    package: str = "tinytorch"
    checkpoints: tuple[str, ...] = tuple(module.name for module in course.CHECKPOINTS if module.number and module.built)
    provided: tuple[str, ...] = ()
    milestones: tuple[int, ...] = ()
    weights: dict[str, int] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    time_limit: float = TIME_LIMIT
    total_limit: float = TOTAL_LIMIT
    source: str = ""

    @property
    def modules(self) -> tuple[Module, ...]:
        """The checkpoints as modules of the course."""
        return tuple(module for module in course.MODULES if module.name in self.checkpoints)

    @property
    def history(self) -> tuple[course.Milestone, ...]:
        """The milestones of the course."""
        return tuple(milestone for milestone in course.MILESTONES if milestone.year in self.milestones)


class AssignmentError(ValueError):
    """An assignment that cannot be used; the message is one sentence that names the key."""


def load(path: Path, changes: Mapping[str, Any] = NOTHING) -> Assignment:
    """The assignment of a file; `changes` take the place of keys of its first table.

    Raises:
        AssignmentError: there is no such file, it is no TOML, or a key in it cannot be used.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise AssignmentError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise AssignmentError(f"{path} is not UTF-8: save it as UTF-8 in your editor") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise AssignmentError(f"{path} is no TOML file: {error}") from None
    return read(data, str(path), changes)


def read(data: Mapping[str, Any], source: str = "", changes: Mapping[str, Any] = NOTHING) -> Assignment:
    """The assignment that the tables of a file describe; each of them may be missing.

    Raises:
        AssignmentError: a key cannot be used.
    """
    try:
        return _read(data, source, changes)
    except AssignmentError as error:
        raise AssignmentError(f"{source}: {error}" if source else str(error)) from None


def _read(data: Mapping[str, Any], source: str, changes: Mapping[str, Any]) -> Assignment:
    _known(data, ("assignment", "weights", "due"), "table")
    said = {**_table(data, "assignment"), **changes}
    _known(said, KEYS, "key of [assignment]")
    track = _track(said)
    checkpoints, milestones = _checkpoints(said, track), _milestones(said, track)
    graded = (*checkpoints, *map(str, milestones))
    if not graded:
        raise AssignmentError("checkpoints and milestones name nothing that could be graded")
    weights, due = _table(data, "weights"), _table(data, "due")
    whole = _graded_by(_table(data, "assignment")) if changes else ()  # before a command line narrowed it
    here = tuple(dict.fromkeys((*graded, *whole)))
    _known(weights, here, "key of [weights]: it is not graded here")
    _known(due, here, "key of [due]: it is not graded here")
    return Assignment(
        name=_text(said, "name"),
        track=track.name,
        package=_package(said),
        checkpoints=checkpoints,
        provided=tuple(module.name for module in track.provided),
        milestones=milestones,
        weights={name: _weight(name, value) for name, value in weights.items() if name in graded},
        due={name: _moment(name, value) for name, value in due.items() if name in graded},
        time_limit=_seconds(said, "time_limit", TIME_LIMIT),
        total_limit=_seconds(said, "total_limit", TOTAL_LIMIT),
        source=source,
    )


def _graded_by(said: Mapping[str, Any]) -> Iterator[str]:
    """What a file grades by itself, as [weights] and [due] name it."""
    track = _track(said)
    yield from _checkpoints(said, track)
    yield from map(str, _milestones(said, track))


# ---- one key after another ------------------------------------------------------------------------------


def _known(given: Mapping[str, Any], names: Collection[str], kind: str) -> None:
    what, _, why = kind.partition(": ")
    for name in given:
        if name not in names:
            because = f": {why}" if why else ""
            raise AssignmentError(f"{name} is no {what}{because}; there are {', '.join(names)}")


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, Mapping):
        raise AssignmentError(f"{name} is no table: write [{name}] on a line of its own, and its keys below")
    return table


def _text(said: Mapping[str, Any], key: str) -> str:
    text = said.get(key, "tinytorch")
    if not isinstance(text, str) or not text.strip() or not text.isprintable():
        raise AssignmentError(f"{key} = {text!r} is no name: one line of text is")
    return text.strip()


def _package(said: Mapping[str, Any]) -> str:
    name = _text(said, "package")
    if not name.isidentifier():
        raise AssignmentError(f"package = {name!r} is no name of a Python package")
    return name


def _track(said: Mapping[str, Any]) -> Track:
    name, provided = said.get("track", "complete"), _modules(said, "provided")
    if "modules" in said and name != "custom":
        raise AssignmentError('modules goes with track = "custom"')
    if name == "custom":
        try:
            return course.custom_track(_modules(said, "modules"), provided)
        except ValueError as error:
            raise AssignmentError(f"modules: {error}") from None
    if not isinstance(name, str) or name not in course.TRACKS:
        raise AssignmentError(f"track = {name!r} is no track; there are {', '.join([*course.TRACKS, 'custom'])}")
    return course.with_provided(course.TRACKS[name], provided)


def _modules(said: Mapping[str, Any], key: str) -> tuple[Module, ...]:
    try:
        return modules_named(_words(said, key, []))
    except SelectionError as error:
        raise AssignmentError(f"{key}: {error}") from None


def _checkpoints(said: Mapping[str, Any], track: Track) -> tuple[str, ...]:
    """Module names in course order; the environment is nobody's work, and is never among them."""
    words = _words(said, "checkpoints", ["all"])
    try:
        chosen, _left_out = select_checkpoints(words, Asked(gather((), (), track)))
    except SelectionError as error:
        raise AssignmentError(f"checkpoints: {_without_option(error)}") from None
    return tuple(module.name for module in chosen if module.number)


def _milestones(said: Mapping[str, Any], track: Track) -> tuple[int, ...]:
    words = _words(said, "milestones", [])
    try:
        chosen, _left_out = select_milestones(words, Asked(gather((), (), track)))
    except SelectionError as error:
        raise AssignmentError(f"milestones: {_without_option(error)}") from None
    return tuple(milestone.year for milestone in chosen)


def _without_option(error: SelectionError) -> str:
    """A selection's sentence, which speaks of options of pytest's command line."""
    return str(error).removeprefix("--checkpoint ").removeprefix("--milestone ")


def _words(said: Mapping[str, Any], key: str, otherwise: list[str]) -> list[str]:
    value = said.get(key, otherwise)
    given: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    words = []
    for word in given:
        if isinstance(word, bool) or not isinstance(word, str | int):
            raise AssignmentError(f"{key} = {value!r} is no list of names and numbers")
        if str(word).strip().lower() == "next":
            raise AssignmentError(f"{key}: next depends on what a student has proved, and a grade must not")
        words.append(str(word))
    return words


def _weight(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_WEIGHT:
        raise AssignmentError(f"weights: {name} = {value!r} is no whole number from 0 to {MOST_WEIGHT}")
    return value


def _seconds(said: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = said.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AssignmentError(f"{key} = {value!r} is no number of seconds")
    if not 0 < value <= MOST_SECONDS:
        raise AssignmentError(f"{key} = {value!r} is no number of seconds above 0, and at most {MOST_SECONDS:g}")
    return float(value)


def _moment(name: str, value: Any) -> str:
    """An ISO time with an offset: a day without a time lasts until its end, a time without an offset is UTC."""
    if isinstance(value, str):
        value = _read_moment(value)
    if not isinstance(value, datetime.date):
        raise AssignmentError(f"due: {name} is no date, such as 2026-10-31, or date and time: 2026-10-31T18:00:00Z")
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time(23, 59, 59))
    moment = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    return str(moment.isoformat())


def _read_moment(text: str) -> datetime.date | None:
    for kind in (datetime.date, datetime.datetime):  # a date alone is a datetime's text as well
        try:
            return kind.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            continue
    return None
