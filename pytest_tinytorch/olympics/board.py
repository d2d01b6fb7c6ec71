"""The leaderboard as plain data: places for each event, and who is beaten in nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .entries import EVENTS, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RULES = {
    "latency": "how many times faster",
    "memory": "how many times smaller",
    "accuracy": "the share of right answers afterwards",
    "extreme": "faster × smaller × share of right answers",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's place in its event. Figures that are printed alike share a rank."""

    rank: int
    entry: Entry

    @property
    def figure(self) -> str:
        """What it is ranked by, as it is printed."""
        return figure(self.entry)


@dataclass(frozen=True, slots=True)
class Ranking:
    """One event: what it is ranked by, and its places, the best first."""

    event: str
    places: tuple[Place, ...]

    @property
    def rule(self) -> str:
        """What it is ranked by, in words."""
        return RULES[self.event]


@dataclass(frozen=True, slots=True)
class Board:
    """A class's leaderboard: an event for each ranking that has entries, the front, and what was refused."""

    folder: str
    rankings: tuple[Ranking, ...]
    front: tuple[Entry, ...]
    refused: tuple[str, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry that is ranked."""
        return tuple(place.entry for ranking in self.rankings for place in ranking.places)

    @property
    def lettered(self) -> list[tuple[str, Entry]]:
        """The front with letters to be found by; those beyond the letters have none."""
        return list(zip(LETTERS, self.front, strict=False))


def rank(entries: Sequence[Entry], refused: Sequence[str] = (), folder: str = "") -> Board:
    """Rank what was gathered."""
    rankings = (Ranking(event, _places(e for e in entries if e.event == event)) for event in EVENTS)
    return Board(folder, tuple(r for r in rankings if r.places), front(entries), tuple(refused))


def _places(entries: Iterable[Entry]) -> tuple[Place, ...]:
    """Ranks as in sport: two first ones are followed by a third."""
    ordered = sorted(entries, key=lambda e: (-e.figure, e.name))
    shown = [figure(entry) for entry in ordered]
    places = [Place(shown.index(text) + 1, entry) for text, entry in zip(shown, ordered, strict=True)]
    return tuple(sorted(places, key=lambda place: (place.rank, place.entry.name)))


def figure(entry: Entry) -> str:
    """What an entry is ranked by, as it is printed."""
    if entry.event == "accuracy":
        return percent(entry.figure)
    return times(entry.figure) if entry.event != "extreme" else short(entry.figure)


def front(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Whom nobody beats: no other is at least as good in all of faster, smaller and right, and better in one.

    The fastest comes first.
    """
    kept = [e for e in entries if not any(_beats(other, e) for other in entries)]
    return tuple(sorted(kept, key=lambda e: (-e.speedup, -e.smaller, e.name, e.event)))


def _beats(other: Entry, entry: Entry) -> bool:
    theirs, own = (
        (other.speedup, other.smaller, other.accuracy_after),
        (entry.speedup, entry.smaller, entry.accuracy_after),
    )
    return theirs != own and all(a >= b for a, b in zip(theirs, own, strict=True))


# ---- numbers as they are printed ------------------------------------------------------------------------------


def short(number: float) -> str:
    """Three digits, or all that stand before the point.

    >>> short(0.0512), short(0.951), short(12.0), short(1234.5), short(2e9)
    ('0.0512', '0.95', '12.0', '1,234', '2.0e+09')
    """
    if number >= 1e7 or 0 < number < 1e-4:
        return f"{number:.1e}"
    if number >= 99.95:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}" if number >= 0.1 else f"{number:.3g}"


def times(ratio: float) -> str:
    """A gain.

    >>> times(31.23), times(1.0)
    ('31.2×', '1.00×')
    """
    return f"{short(ratio)}×"


def percent(share: float) -> str:
    """A share of right answers.

    >>> percent(0.9821)
    '98.2 %'
    """
    return f"{100 * share:.1f} %"


def milliseconds(seconds: float) -> str:
    """A time.

    >>> milliseconds(0.0132), milliseconds(2.5)
    ('13.2 ms', '2.5 s')
    """
    return f"{short(seconds)} s" if seconds >= 1 else f"{short(1000 * seconds)} ms"
