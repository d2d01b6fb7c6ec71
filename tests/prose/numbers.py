"""Which decimal numbers of a text are backed by something that was executed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DECIMAL = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?:e[+-]?\d+)?(?![\w.]*\.\d)")
NUMBER = re.compile(r"(?<![A-Za-z_])(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?")
NOT_A_NUMBER = re.compile(
    r"https?://\S+"  # addresses
    r"|arXiv:?\s*\d+\.\d+|\d{4}\.\d{5}"  # papers
    r"|(?:Python|NumPy|PyTorch|pytest|torch|CPython|version)\s*≥?\s*\d+\.\d+(?:\.\d+)?",  # versions
)


def decimals(text: str) -> list[str]:
    """The decimal numbers that a text states, as written: `0.2447`, `1.5e-3`; addresses and versions are none."""
    return DECIMAL.findall(NOT_A_NUMBER.sub(" ", text))


def unbacked(prose: str, executed: str, given: Iterable[float] = ()) -> list[str]:
    """The decimal numbers of the prose that the executed text (source and output) does not show.

    A number of two decimals or more may be a rounding of an executed one. Signs are not compared: prose writes
    many dashes.
    """
    shown = [float(found.replace("_", "")) for found in NUMBER.findall(executed)]
    shown += given
    return [number for number in decimals(prose) if not any(_is(number, value) for value in shown)]


def _is(written: str, value: float) -> bool:
    plain = written.replace(",", "")
    digits, _, exponent = plain.partition("e")
    places = len(digits.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - places)
    slack = 0.5 * unit if places >= 2 else 0.0
    return abs(float(plain) - value) <= slack + 1e-9 * abs(value)
