"""The terminal's report as a picture in SVG, for a README or a slide. It loads nothing from anywhere."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from .terminal import render as render_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from ..outcome import Run

COLUMNS = 80
TITLE = "pytest-tinytorch"
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace",
    "font-family: Fira Code, Cascadia Mono, Menlo, Consolas, DejaVu Sans Mono, monospace",
)


def render(run: Run) -> str:
    """The picture as text."""
    console = Console(
        file=io.StringIO(), width=COLUMNS, record=True, force_terminal=True, color_system="standard", no_color=False
    )
    render_terminal(run, console=console, terse=False)
    return console.export_svg(title=TITLE, code_format=FORMAT)


def write(run: Run, path: Path) -> None:
    """Write the picture."""
    path.write_text(render(run), encoding="utf-8", errors="backslashreplace")
