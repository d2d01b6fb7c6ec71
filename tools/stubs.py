"""Write `pytest_tinytorch/grade/stubs.json`: what the stubs of the course are, for the screen of graded submissions.

python -m tools.stubs            write it
python -m tools.stubs --check    exit 1 when it is not what the exercises give
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from typing import TYPE_CHECKING, Any

from pytest_tinytorch.course import CHECKPOINTS
from pytest_tinytorch.grade import fingerprints, stubs, syntax
from tools import EXERCISES, ROOT, SOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def module_data(source: bytes, exercises: Sequence[str]) -> dict[str, Any]:
    """One file: its digest, its functions, and the names that it assigns."""
    tree = syntax.parse(source)
    if tree is None:
        raise ValueError("an exercise file that Python cannot read")
    functions, names = {}, {}
    for name, found in syntax.definitions(tree).items():
        if len(found) > 1 or not found[0].is_plain:
            continue
        if function := found[0].function:
            code = "" if name in exercises else syntax.code(function)
            functions[name] = [syntax.parameters(function), code, syntax.prose(function)]
        elif value := getattr(found[0].node, "value", None):
            names[name] = syntax.digest(value)
    return {"text": stubs.of_text(source), "functions": functions, "names": names}


def hashes(folder: Path, *, exercises: bool) -> str:
    """The fingerprints of a folder's functions, of the exercises or of all others."""
    written = {module.name: module.exercises for module in CHECKPOINTS}
    found = {
        value
        for path in sorted(folder.glob("*.py"))
        for unit in fingerprints.of_text(path.name, path.read_bytes())
        if (unit.name in written.get(unit.module, ())) == exercises
        for value in unit.hashes
    }
    return base64.b64encode(b"".join(value.to_bytes(4, "little") for value in sorted(found))).decode()


def derive() -> dict[str, Any]:
    """What the file should hold."""
    written = [module for module in CHECKPOINTS if module.exercises]
    return {
        "fingerprints": {
            "given": hashes(EXERCISES, exercises=False),
            "solutions": hashes(SOLUTIONS, exercises=True),
        },
        "modules": {
            module.name: module_data((EXERCISES / module.file).read_bytes(), module.exercises) for module in written
        },
    }


def text(derived: Mapping[str, Any]) -> str:
    """The file's text: one function a line, so that a change of one is a change of one line."""
    return "\n".join(_lines(derived, depth=4)) + "\n"


def _lines(value: Any, depth: int, indent: str = "") -> list[str]:
    """JSON on lines, down to a depth."""
    if not depth or not isinstance(value, dict):
        return [json.dumps(value, sort_keys=True)]
    made = []
    for name in sorted(value):
        first, *rest = _lines(value[name], depth - 1, f"{indent} ")
        made += [f"{indent} {json.dumps(name)}: {first}", *rest]
        made[-1] += ","
    return ["{", *made[:-1], made[-1].removesuffix(","), f"{indent}}}"] if made else ["{}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.stubs", description="Derive the data on stubs.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something would change")
    options = parser.parse_args(arguments)
    wanted, shown = text(derive()), stubs.FILE.relative_to(ROOT).as_posix()
    if stubs.FILE.is_file() and stubs.FILE.read_text("utf-8") == wanted:
        return 0
    if options.check:
        print(f"{shown} is not what the exercises give; run: python -m tools.stubs", file=sys.stderr)
        return 1
    stubs.FILE.write_text(wanted, encoding="utf-8", newline="\n")
    print(f"wrote {shown}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
