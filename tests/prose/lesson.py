"""A lesson's Markdown, taken apart: blocks that run, blocks and lines that are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FENCE = re.compile(r"^\s*```(\w*)\s*$")
CHECK = re.compile(r"<!--\s*check:\s*(.+?)\s*-->")
HEADING = re.compile(r"^#+\s+(.*?)\s*$")
COMMAND = re.compile(r"pytest --checkpoint (\d+)(?: -k (\w+))?")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of lines. `language` is None for lines outside every fence; `line` is the first one's number."""

    language: str | None
    line: int
    text: str

    @property
    def runs(self) -> bool:
        """Whether its `>>>` lines are executed."""
        return self.language == "python" and ">>>" in self.text

    @property
    def is_read(self) -> bool:
        """Whether a reader takes its numbers for facts; a console shows one machine's own."""
        return not self.runs and self.language != "console"


@dataclass(frozen=True)
class Lesson:
    """One lesson."""

    path: Path

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text("utf-8")

    @cached_property
    def blocks(self) -> list[Block]:
        """The lesson from top to bottom."""
        return list(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        language: str | None = None
        start, held = 1, list[str]()
        for number, line in enumerate(self.text.split("\n"), start=1):
            fence = FENCE.match(line)
            if fence is None:
                held.append(line)
                continue
            yield Block(language, start, "\n".join(held))
            language = fence[1] if language is None else None
            start, held = number + 1, []
        yield Block(language, start, "\n".join(held))

    @cached_property
    def headings(self) -> list[str]:
        """The headings, without their marks."""
        outside = (block.text for block in self.blocks if block.language is None)
        return [found[1] for text in outside for line in text.split("\n") if (found := HEADING.match(line))]

    @cached_property
    def commands(self) -> list[tuple[int, str]]:
        """Every `pytest --checkpoint N -k NAME` that the lesson tells to run; NAME may be empty."""
        return [(int(number), name) for number, name in COMMAND.findall(self.text)]

    def lines_read(self) -> Iterator[tuple[int, str, str]]:
        """Number, text and check (an expression, or nothing) of every line that is read."""
        lines = self.text.split("\n")
        for block in self.blocks:
            if not block.is_read:
                continue
            for number in range(block.line, block.line + block.text.count("\n") + 1):
                nearby = " ".join(lines[number - 1 : number + 1])
                yield number, CHECK.sub("", lines[number - 1]), " and ".join(f"({e})" for e in CHECK.findall(nearby))
