"""How a class run is going: a live table on a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...reports.text import Glyphs, plain, spell

WIDEST = 80
LONGEST = 50  # columns of a name
LAST = 8  # finished submissions that stay in sight
SHOWN = 12  # and begun ones


def board(console: Console) -> LiveBoard | LineBoard:
    """A board for this console."""
    return LiveBoard(console) if console.is_terminal and not console.is_dumb_terminal else LineBoard(console)


class LineBoard:
    """A line for each grade, and nothing that moves."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.done = self.total = 0
        self._began: dict[str, float] = {}

    def __enter__(self) -> LineBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to tidy up."""

    def phase(self, name: str, total: int) -> None:
        """Say what begins."""
        self.done, self.total = 0, total
        self.say(f"{name}: {total}")

    def begun(self, student: str) -> None:
        """Look at the clock."""
        self._began[student] = time.monotonic()

    def ended(self, student: str, grade: Mapping[str, Any] | None = None) -> None:
        """One line, where there is a grade."""
        self.done += 1
        now = time.monotonic()
        seconds = now - self._began.pop(student, now)
        if grade is not None:
            width = len(str(self.total))
            self.say(f"{self.done:{width}}/{self.total}  {_told(student, grade)}  {seconds:.0f} s")

    def say(self, text: str) -> None:
        """One line of text that fits the console's encoding."""
        self.console.print(Text(spell(plain(text), self.console.encoding)), soft_wrap=True)


class LiveBoard(LineBoard):
    """A table that is drawn anew: the last that ended, and those that are being graded."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.name = ""
        self._last: deque[tuple[str, Mapping[str, Any], float]] = deque(maxlen=LAST)
        self._started = time.monotonic()
        self._live = Live(get_renderable=self._drawn, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> LiveBoard:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def phase(self, name: str, total: int) -> None:
        """Begin to count."""
        self.name, self.done, self.total, self._started = name, 0, total, time.monotonic()

    def ended(self, student: str, grade: Mapping[str, Any] | None = None) -> None:
        """Count, and keep it in sight for a while."""
        self.done += 1
        now = time.monotonic()
        seconds = now - self._began.pop(student, now)
        if grade is not None:
            self._last.append((student, grade, seconds))

    def _drawn(self) -> Group:
        glyphs, width = Glyphs.of(self.console.encoding), min(self.console.width, WIDEST)
        rows = Table(box=None, pad_edge=False, width=width, show_header=False)
        rows.add_column(width=1)
        rows.add_column(ratio=1, no_wrap=True, overflow="crop")
        rows.add_column(justify="right", no_wrap=True)
        rows.add_column(justify="right", no_wrap=True, width=7)
        for student, grade, seconds in list(self._last):
            sign = Text(glyphs.failed, "red") if grade["trouble"] else Text(glyphs.done, "green")
            score = f"{grade['score']} of {grade['max_score']}"
            rows.add_row(sign, self._safe(student), score, f"{seconds:.0f} s")
        now = time.monotonic()
        begun = sorted(self._began.copy().items(), key=lambda one: one[1])
        for student, since in begun[:SHOWN]:
            rows.add_row(Text(glyphs.here, "yellow"), self._safe(student), "", f"{now - since:.0f} s")
        return Group(self._head(now), rows)

    def _safe(self, text: str) -> Text:
        """One line that fits beside the numbers."""
        shown = Text(spell(" ".join(plain(text[:WIDEST]).split()), self.console.encoding))
        if shown.cell_len > LONGEST:
            shown.truncate(LONGEST - 3)
            shown.append(Glyphs.of(self.console.encoding).more)
        return shown

    def _head(self, now: float) -> Text:
        """`grading: 12 of 300 · 4 min · 86 min to go`."""
        spent = now - self._started
        left = f" · {_span(spent / self.done * (self.total - self.done))} to go" if self.done else ""
        told = f"{self.name}: {self.done} of {self.total} · {_span(spent)}{left}"
        return Text(spell(told, self.console.encoding))


def _told(student: str, grade: Mapping[str, Any]) -> str:
    """`ann  310 of 1658`, and why not more where it could not be graded."""
    score = f"{' '.join(student.split())}  {grade['score']} of {grade['max_score']}"
    return f"{score}  {' '.join(grade['trouble'].split())}" if grade["trouble"] else score


def _span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
