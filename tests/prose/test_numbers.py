"""The rule that every decimal number in prose is executed."""

from __future__ import annotations

import pytest

from tests.prose.numbers import decimals, unbacked


@pytest.mark.parametrize(
    ("prose", "executed", "missing"),
    [
        ("half is 0.5", ">>> 1 / 2\n0.5", []),
        ("half is 0.5", ">>> 1 / 4\n0.25", ["0.5"]),
        ("about 0.67", "0.6667", []),
        ("about 0.7", "0.6667", ["0.7"]),
        ("−0.0900 and 1.0", "tensor([0.0900, 1.])", []),
        ("12,345.5 bytes", "12345.5", []),
        ("2.5e-3", "0.0025", []),
        ("lr of 0.001", "lr=1e-3", []),
        ("7 of 9, section 2.", "", []),
        ("3.5×", "", ["3.5"]),
        ("arXiv:1607.06450, https://x.org/1.2/3.4.html, Python 3.10", "", []),
    ],
)
def test_numbers_are_backed_by_what_was_executed(prose: str, executed: str, missing: list[str]) -> None:
    assert unbacked(prose, executed) == missing


def test_only_decimals_count() -> None:
    assert decimals("1 2. .5 3.25 v1.2 1.2.3 (0.5) [0.25,") == ["3.25", "0.5", "0.25"]
