"""Text that is safe to show: no control characters, and only what the output's encoding holds.

Whatever comes from the student's code (messages, source lines, values) passes through `plain` before any report
writes it; `spell` makes it fit an encoding that lacks some characters, such as the cp1252 of a Windows pipe.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

TAB = "    "
INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # control, format (bidi overrides!), private, surrogate, separators
IN_ASCII = {
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "−": "-", "–": "-", "—": "-", "…": "...",
    "×": "x", "·": "*", "∞": "inf", "√": "sqrt", "∂": "d", "ᵀ": "^T", "²": "^2", "³": "^3", "⊙": "*", "∈": "in",
    "α": "alpha", "β": "beta", "γ": "gamma", "ε": "eps", "λ": "lambda", "μ": "mu", "π": "pi", "σ": "sigma",
    "θ": "theta", "Σ": "sum", "∑": "sum", "Δ": "delta", "’": "'", "\u2018": "'", "“": '"', "”": '"', "±": "+-",
    "✓": "+", "✗": "x", "★": "*", "▸": ">", "\u00a0": " ",
}  # fmt: skip


def plain(text: str) -> str:
    r"""The text with every control character spelt out: an escape becomes `\x1b`; lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\t", TAB)
    return "".join(map(_visible, text))


@lru_cache(maxsize=4096)  # a submission may print a megabyte of them
def _visible(char: str) -> str:
    if char == "\n" or not (unicodedata.category(char) in INVISIBLE or _is_none(ord(char))):
        return char
    return char.encode("unicode_escape").decode("ascii")


def _is_none(code: int) -> bool:
    """Whether Unicode says that this is no character and never will be: XML refuses U+FFFE and U+FFFF."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def spell(text: str, encoding: str) -> str:
    """The text in characters that the encoding holds: `→` becomes `->` where there is no arrow."""
    if encodes(text, encoding):
        return text
    return "".join(_spelt(char, encoding) for char in text)


def encodes(text: str, encoding: str) -> bool:
    """Whether the encoding holds every character; an encoding that Python does not know holds ASCII."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    except LookupError:
        return text.isascii()
    return True


def _spelt(char: str, encoding: str) -> str:
    if encodes(char, encoding):
        return char
    if char in IN_ASCII:
        return IN_ASCII[char]
    base = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode("ascii")
    return base or char.encode("ascii", "backslashreplace").decode("ascii")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs of a report, in whatever the encoding holds."""

    done: str
    failed: str
    here: str
    star: str
    none: str
    more: str

    @classmethod
    def of(cls, encoding: str) -> Glyphs:
        """The signs for an encoding: `✓ ✗ ▸ ★ – …`, or `+ x > * - ...`."""
        return cls(*(spell(sign, encoding) for sign in "✓✗▸★–…"))


def count(number: int, noun: str) -> str:
    """`1 check`, `4 checks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def sentence(text: str) -> str:
    """The words with a capital letter in front and a full stop behind."""
    return f"{text[:1].upper()}{text[1:]}."
