"""A grade as JSON, for other programs: `Grade.from_dict` reads it back. `schemas/grade.json` describes it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..result import Grade


def render(grade: Grade) -> str:
    """The whole grade."""
    return dumps(grade.as_dict())


def dumps(data: Any) -> str:
    r"""JSON that every parser reads and no terminal obeys: ASCII, and `?` for a surrogate without its other half."""
    legal = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return json.dumps(legal, indent=2) + "\n"


def schema(name: str) -> dict[str, Any]:
    """A published schema: `grade`, `runner`, `classroom50` or `gradescope`."""
    found: dict[str, Any] = json.loads((files(__package__) / "schemas" / f"{name}.json").read_text("utf-8"))
    return found
