"""Tools of this repository: what they write is committed, what they find is tested. None is installed."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = ROOT / "solutions" / "tinytorch"
EXERCISES = ROOT / "exercises" / "tinytorch"
LESSONS = ROOT / "template" / "lessons"
