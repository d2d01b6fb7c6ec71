"""What every student was given: the stubs of the course, as digests.

The stubs themselves are not installed. `python -m tools.stubs` derives `stubs.json` from them: for every function its
parameters and, where it is given and no exercise, the digest of its code. Given code and solutions appear as
fingerprints, from which no code can be read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("stubs.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """One function as it was given. `code` is the digest of a helper, and empty for an exercise."""

    parameters: tuple[str, ...]
    code: str
    prose: str

    @property
    def is_exercise(self) -> bool:
        """Whether the student writes it."""
        return not self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Stubs:
    """One file as it was given: its functions, and the names that it assigns outside of them with their digests."""

    text: str
    functions: dict[str, Stub]
    names: dict[str, str]


def of_text(source: bytes) -> str:
    """The digest of a file's bytes; line ends and a byte-order mark do not count."""
    plain = source.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    return hashlib.sha256(plain).hexdigest()[:24]


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    """The file as it stands."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


@lru_cache(maxsize=1)
def modules() -> dict[str, Stubs]:
    """Every module of the course by its name."""
    return {
        name: Stubs(
            text=module["text"],
            functions={
                function: Stub(parameters=tuple(parameters), code=code, prose=prose)
                for function, (parameters, code, prose) in module["functions"].items()
            },
            names=module["names"],
        )
        for name, module in data()["modules"].items()
    }


@lru_cache(maxsize=2)
def hashes(of: str) -> frozenset[int]:
    """The fingerprints of all that is `given`, or of the `solutions`."""
    raw = base64.b64decode(data()["fingerprints"][of])
    return frozenset(int.from_bytes(raw[place : place + 4], "little") for place in range(0, len(raw), 4))
