"""The screen of a package's files: what they use that they should not, and what became of the stubs.

Runs in a process of its own (`reading.py`), on text that is never run. The result is plain: kind, sentence, file and
line of each finding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from .. import course
from . import stubs, syntax
from .screens import tampering
from .screens.delegation import delegated
from .screens.forbidden import forbidden
from .screens.package import File, Finding, Package
from .screens.tampering import tampered

MOST = 40  # findings of one kind


def screen(package: str, files: Mapping[str, bytes]) -> list[Finding]:
    """Everything that is found in the files of a package, by kind, file and line."""
    trees = {name: tree for name, source in sorted(files.items()) if (tree := _changed(name, source))}
    whole = Package(package, {name: File(name, tree) for name, tree in trees.items()})
    found = [finding for file in whole.files.values() for finding in (*forbidden(whole, file), *tampered(whole, file))]
    found += [*delegated(whole), *_hidden(files)]
    shown = {(kind, says, f"{package}/{file}", line) for kind, says, file, line in found}
    told: dict[str, list[Finding]] = {}
    for one in sorted(shown, key=lambda one: (one[2], one[3], one[0], one[1])):
        told.setdefault(one[0], []).append(one)
    return [one for kind in sorted(told) for one in told[kind][:MOST]]


def _changed(name: str, source: bytes) -> ast.Module | None:
    """The file's tree; None where it cannot be read, or is a stub of the course that nobody touched."""
    given = stubs.modules().get(name.removesuffix(".py"))
    return None if given and given.text == stubs.of_text(source) else syntax.parse(source)


def _hidden(files: Iterable[str]) -> Iterator[Finding]:
    """Folders that Python takes in place of a module's file."""
    names = set(files)
    for module in course.MODULES:
        if {module.file, f"{module.name}/__init__.py"} <= names:
            says = f"beside {module.file} there is a folder {module.name}/, which Python imports in its place"
            yield tampering.KIND, says, f"{module.name}/__init__.py", 1
