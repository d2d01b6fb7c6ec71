"""The terminal's report as a picture in SVG, for a README or a slide. It loads nothing from anywhere."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console

from .terminal import render as render_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..outcome import Run

COLUMNS = 80
FONTS = "Fira Code, Cascadia Mono, Menlo, Consolas, DejaVu Sans Mono, monospace"
TITLE = "pytest-tinytorch"
REMOTE_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def render(run: Run) -> str:
    """The picture as text."""
    return picture(lambda console: render_terminal(run, console=console, terse=False), TITLE)


def picture(print_on: Callable[[Console], None], title: str) -> str:
    """What is printed on a console, as a picture."""
    console = Console(
        file=io.StringIO(), width=COLUMNS, record=True, force_terminal=True, color_system="standard", no_color=False
    )
    print_on(console)
    head, end, drawn = console.export_svg(title=title).partition("</style>")
    head = REMOTE_FONTS.sub("", head).replace("<svg ", f'<svg role="img" aria-label="{title} report" ', 1)
    return head.replace("Fira Code, monospace", FONTS) + end + drawn


def write(run: Run, path: Path) -> None:
    """Write the picture."""
    path.write_text(render(run), encoding="utf-8", errors="backslashreplace")
