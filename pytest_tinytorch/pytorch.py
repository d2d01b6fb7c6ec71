"""A student's seconds beside PyTorch's: `rival.py` times the same networks in a process of its own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .exhibits import passage

if TYPE_CHECKING:
    from .exhibits import Passage

Rows: TypeAlias = Mapping[str, tuple[float, Mapping[str, Any]]]

PATIENCE = 60.0  # seconds; importing PyTorch takes two to five of them, the times three
TITLE = "Beside PyTorch"
ABSENT = "PyTorch is not installed here, so nothing stands beside these times: pip install torch"
SILENT = "PyTorch is installed, and gave no times: {}."


def compared(rows: Rows) -> list[Passage]:
    """A line for each network: the student's seconds, PyTorch's, and their ratio."""
    found = _timed([dict(wanted) for _, wanted in rows.values()])
    if isinstance(found, str):
        return passage(TITLE, found)
    seconds = found.get("seconds", [])
    if len(seconds) != len(rows) or not all(type(each) is float and 0 < each < math.inf for each in seconds):
        return passage(TITLE, SILENT.format("they are no numbers"))
    wide = max(map(len, rows))
    lines = [f"{'':<{wide}}  {'yours':>11}  {'PyTorch':>11}  {'ratio':>6}"]
    for (name, (own, _)), theirs in zip(rows.items(), seconds, strict=True):
        lines.append(f"{name:<{wide}}  {1000 * own:>8.2f} ms  {1000 * theirs:>8.2f} ms  {own / theirs:>6.1f}")
    version = str(found.get("version", ""))[:20]
    return passage(f"{TITLE} {version}: the same sizes in float32, one thread", "\n".join(lines))


def _timed(wanted: list[dict[str, Any]]) -> dict[str, Any] | str:
    """What the rival said, or a sentence about why it said nothing."""
    rival = Path(__file__).with_name("rival.py")
    command = [sys.executable, "-I", str(rival), json.dumps(wanted)]
    try:
        run = subprocess.run(  # noqa: S603 -- our own program
            command, capture_output=True, check=False, timeout=PATIENCE, encoding="utf-8", errors="replace"
        )
        said: Any = json.loads(run.stdout) if run.stdout.strip() else None
    except subprocess.TimeoutExpired:
        return SILENT.format(f"not within {PATIENCE:.0f} s")
    except (OSError, ValueError):
        return SILENT.format("it could not be run")
    if run.returncode:
        return SILENT.format("it ended with an error")
    return said if isinstance(said, dict) else ABSENT
