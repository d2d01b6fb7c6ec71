"""The Torch Olympics: what an entry is, how a class's entries are ranked, and where a run leaves its own.

An entry is a claim that somebody wrote into a file. Nothing here runs a student's code or believes a gain: whatever
follows from other numbers is worked out again.
"""

from __future__ import annotations

from ..intervals import Times
from .board import Board, Place, Ranking, rank
from .entries import EVENTS, Entry, EntryError, parse, schema
from .folder import gather

__all__ = ["EVENTS", "Board", "Entry", "EntryError", "Place", "Ranking", "Times", "gather", "parse", "rank", "schema"]
