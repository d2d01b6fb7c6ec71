"""What can be wrong with an output."""

from __future__ import annotations


class OutputError(ValueError):
    """An output that cannot be had; the message is one sentence."""
