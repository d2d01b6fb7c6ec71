"""Texts as arrays, so that they travel as numbers do: a row of code points for each, filled up with zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGEST = 0x10FFFF  # the last code point
STRANGE = "\ufffd"


def codes(texts: Sequence[str]) -> Array:
    """The code points of each text; the shorter ones are filled up with zeros.

    >>> codes(["abc", "d"])
    array([[ 97,  98,  99],
           [100,   0,   0]], dtype=int32)
    """
    rows = np.zeros((len(texts), max(map(len, texts), default=0)), np.int32)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    return rows


def texts(rows: Any) -> list[str]:
    """The texts that rows of code points spell, each up to its first zero; none where these are no such rows.

    >>> texts(codes(["abc", "", "d"])), texts(np.array([[97, -1]])), texts(np.zeros(3)), texts("abc")
    (['abc', '', 'd'], ['a\ufffd'], [], [])
    """
    if type(rows) is not np.ndarray or rows.ndim != 2 or rows.dtype.kind not in "iu":
        return []
    return ["".join(_sign(code) for code in row).partition("\0")[0] for row in rows.tolist()]


def _sign(code: int) -> str:
    return chr(code) if 0 <= code <= LARGEST and not 0xD800 <= code <= 0xDFFF else STRANGE


def exact(said: Any, answers: Array) -> float:
    """The share of texts that were said exactly; anything but as many texts is all wrong.

    >>> exact(codes(["yes", "now"]), codes(["yes", "no"])), exact(codes(["yes"]), codes(["yes", "no"]))
    (0.5, 0.0)
    """
    told, right = texts(said), texts(answers)
    return sum(map(str.__eq__, told, right)) / len(right) if right and len(told) == len(right) else 0.0
