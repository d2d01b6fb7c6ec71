"""The terminal's report as a picture in SVG, for a README or a slide. It loads nothing from anywhere."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console

from .terminal import render as render_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from ..outcome import Run

COLUMNS = 80
FONTS = "Fira Code, Cascadia Mono, Menlo, Consolas, DejaVu Sans Mono, monospace"
TITLE = "pytest-tinytorch"
REMOTE_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def render(run: Run) -> str:
    """The picture as text."""
    console = Console(
        file=io.StringIO(), width=COLUMNS, record=True, force_terminal=True, color_system="standard", no_color=False
    )
    render_terminal(run, console=console, terse=False)
    head, end, picture = console.export_svg(title=TITLE).partition("</style>")
    head = REMOTE_FONTS.sub("", head).replace("<svg ", f'<svg role="img" aria-label="{TITLE} report" ', 1)
    return head.replace("Fira Code, monospace", FONTS) + end + picture


def write(run: Run, path: Path) -> None:
    """Write the picture."""
    path.write_text(render(run), encoding="utf-8", errors="backslashreplace")
