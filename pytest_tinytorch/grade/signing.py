"""Signed results: `--sign KEYFILE` puts a signature into a grade, and `tinytorch-grade verify` says whether it holds.

The signature is an HMAC-SHA256 over the canonical JSON of everything else: who has no key cannot change a result
without being noticed. Whoever has the key can sign anything. It says nothing about how the grade came about, nor
whether a file or a line is missing, or is an older one that was put back.

Exit codes of `verify`: 0 every result is unchanged; 1 one was changed; 2 nothing can be said of one (no signature,
another key, no key given, or no result at all); 4 the command line cannot be used.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import enum
import hashlib
import hmac
import json
import os
import secrets
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .outputs import Target
    from .result import Grade

UNCHANGED, CHANGED, UNKNOWN, BAD_USAGE = 0, 1, 2, 4
NAME = "tinytorch-grade verify"
FIELD = "signature"
ALGORITHM = "HMAC-SHA256"
HEAD = "tinytorch-grade-key-1"
KEY_BYTES = 32
LARGEST = 64 << 20  # bytes of one result
LINES = "results.jsonl"
SHOWN = 20  # results that are told one by one


class KeyFileError(Exception):
    """A key file that cannot be used; the message is one sentence."""


class Verdict(enum.Enum):
    """What can be said of one result; the value is what a person reads."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    UNSIGNED = "unsigned"
    OTHER_KEY = "signed with another key"
    NO_KEY = "signed, and no key was given to check it with"
    UNREADABLE = "no result"


# ---- keys ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """A secret. `name` tells keys apart without giving anything away."""

    secret: bytes

    @property
    def name(self) -> str:
        """Eight hexadecimal digits that say which key it is."""
        return hashlib.sha256(b"tinytorch-grade key name\0" + self.secret).hexdigest()[:8]

    def sign(self, data: Mapping[str, Any]) -> str:
        """The signature of everything in a result but its signature."""
        return hmac.new(self.secret, canonical(data), hashlib.sha256).hexdigest()


def make_key(path: Path) -> Key:
    """A new key in a new file, which nobody else may read.

    Raises:
        KeyFileError: the file is there already, or cannot be written.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} is there already: a key that is overwritten is lost") from None
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{path} cannot be written: {_reason(error)}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{HEAD} {base64.b64encode(secret).decode()}\n")
    return Key(secret)


def read_key(path: Path) -> Key:
    """The key in a file that `make_key` wrote.

    Raises:
        KeyFileError: it cannot be read, or is no key.
    """
    try:
        with path.open("rb") as file:
            head, _, text = file.read(4096).decode("ascii").strip().partition(" ")
        secret = base64.b64decode(text, validate=True)
    except (UnicodeDecodeError, binascii.Error):
        head, secret = "", b""
    except (OSError, ValueError) as error:
        raise KeyFileError(f"the key {path} cannot be read: {_reason(error)}") from None
    if head != HEAD or len(secret) != KEY_BYTES:
        raise KeyFileError(f"{path} is no key: `tinytorch-grade keygen FILE` makes one")
    return Key(secret)


def is_open_to_others(path: Path) -> bool:
    """Whether other users of this computer may read a file (not known on Windows)."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


# ---- signing ---------------------------------------------------------------------------------------------


def canonical(data: Mapping[str, Any]) -> bytes:
    """The same bytes for the same result, however its JSON is laid out: what is signed."""
    rest = {name: value for name, value in data.items() if name != FIELD}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def signed(data: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """A result with its signature."""
    plain = json.loads(json.dumps(data))
    return {**plain, FIELD: {"algorithm": ALGORITHM, "key": key.name, "value": key.sign(plain)}}


def signed_targets(targets: Iterable[Target], key: Key) -> list[Target]:
    """The outputs of a run, those in our own JSON with a signature; other formats have no place for one."""
    return [_signed_target(target, key) if target.format.name == "json" else target for target in targets]


def _signed_target(target: Target, key: Key) -> Target:
    render = target.format.render

    def render_signed(grade: Grade) -> str:
        return json.dumps(signed(json.loads(render(grade)), key), indent=2) + "\n"

    return replace(target, format=replace(target.format, render=render_signed))


# ---- verifying -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one result. `line` is 0 where the file is one result."""

    line: int
    student: str
    verdict: Verdict


def verify(data: object, key: Key | None) -> Verdict:
    """What can be said of a result, as it was read from JSON."""
    if not isinstance(data, dict) or not data:
        return Verdict.UNREADABLE
    found = data.get(FIELD)
    if found is None:
        return Verdict.UNSIGNED
    is_one = isinstance(found, dict) and set(found) == {"algorithm", "key", "value"}
    if not is_one or found["algorithm"] != ALGORITHM:
        return Verdict.CHANGED
    return _compared(data, found, key) if key else Verdict.NO_KEY


def _compared(data: Mapping[str, Any], found: Mapping[str, Any], key: Key) -> Verdict:
    try:
        due = key.sign(data)
    except ValueError:  # nan and inf are no JSON
        return Verdict.CHANGED
    holds = hmac.compare_digest(due.encode(), str(found["value"]).encode("utf-8", "replace"))
    if found["key"] != key.name:
        return Verdict.CHANGED if holds else Verdict.OTHER_KEY
    return Verdict.UNCHANGED if holds else Verdict.CHANGED


def verify_file(path: Path, key: Key | None) -> Iterator[Checked]:
    """What can be said of each result in a file: the file's one, or one a line of `results.jsonl`.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        path = path / LINES
    if path.suffix == ".jsonl":
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LARGEST), b""), start=1):
                yield _checked(number, line, key)
        return
    with path.open("rb") as file:
        yield _checked(0, file.read(LARGEST + 1), key)


def _checked(number: int, text: bytes, key: Key | None) -> Checked:
    try:
        data = _read(text)
    except _TwiceError as error:
        return Checked(number, _student(error.data), Verdict.CHANGED)
    except (ValueError, RecursionError, MemoryError):
        return Checked(number, "", Verdict.UNREADABLE)
    return Checked(number, _student(data), verify(data, key))


class _TwiceError(Exception):
    """A name stands twice in one object: which of the two counts depends on who reads it."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__()
        self.data = data


def _read(text: bytes) -> Any:
    if len(text) > LARGEST:
        raise ValueError("too large")
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError(found)
    return found


def _student(data: object) -> str:
    """Whose result it is, on one line that any terminal can show."""
    name = data.get("student") if isinstance(data, dict) else None
    return ascii(name)[1:-1][:60] if isinstance(name, str) else ""


# ---- the command -----------------------------------------------------------------------------------------


def add_sign(parser: argparse.ArgumentParser) -> None:
    """The option that asks for signatures."""
    parser.add_argument("--sign", metavar="KEYFILE", type=Path, help="sign the JSON, with a key that keygen made")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `verify` takes."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a grade in JSON, a results.jsonl, or its folder")
    parser.add_argument("--key", metavar="KEYFILE", type=Path, help="the key that it was signed with")


def main(options: argparse.Namespace) -> int:
    """Say of each result whether it was changed; the exit code."""
    try:
        key = read_key(options.key) if options.key else None
    except KeyFileError as error:
        return _refuse(str(error), BAD_USAGE)
    if options.key and is_open_to_others(options.key):
        _refuse(f"others may read {options.key}, and so sign what they like: chmod 600 {options.key}", UNKNOWN)
    try:
        checked = list(verify_file(options.file, key))
    except (OSError, ValueError) as error:
        return _refuse(f"{options.file} cannot be read: {_reason(error)}", UNKNOWN)
    for line in _told(str(options.file), checked):
        sys.stdout.write(line.encode("ascii", "backslashreplace").decode() + "\n")
    verdicts = {one.verdict for one in checked}
    if Verdict.CHANGED in verdicts:
        return CHANGED
    return UNCHANGED if verdicts == {Verdict.UNCHANGED} else UNKNOWN


def _refuse(sentence: str, code: int) -> int:
    sys.stderr.write(f"{NAME}: {sentence}\n")
    return code


def _told(file: str, checked: Sequence[Checked]) -> Iterator[str]:
    """One line for one result; for many their numbers, and those that are not as they should be."""
    if not checked:
        yield f"{file}: {Verdict.UNREADABLE.value}"
    elif len(checked) == 1 and not checked[0].line:
        yield f"{file}: {checked[0].verdict.value}"
    else:
        counts = Counter(one.verdict for one in checked)
        yield f"{file}: " + ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
        bad = [one for one in checked if one.verdict is not Verdict.UNCHANGED]
        yield from (f"line {one.line} ({one.student or 'nobody'}): {one.verdict.value}" for one in bad[:SHOWN])
        yield from [f"and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
