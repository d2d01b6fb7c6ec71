"""What became of the stubs: exercises that are gone, doubled or take other arguments, and helpers that were changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from .. import stubs, syntax
from ..syntax import Def, Definition
from .package import File, Finding, Package

KIND = "tampered stub"
SHOWN = 5  # names in one sentence
CHANGED = "`{}`, which the course gave, was changed"


def tampered(package: Package, file: File) -> Iterator[Finding]:
    """Exercises that are gone, doubled or take other arguments, and helpers of the course that were changed."""
    if file.stubs is None:
        return
    yield from _gone(package, file, file.stubs)
    for name, stub in file.stubs.functions.items():
        found = file.definitions.get(name, [])
        if not found:
            continue
        if found[-1].function is None or not all(one.is_plain for one in found):
            continue  # another way to define it, or a branch that decides
        elif stub.is_exercise and len(found) > 1 and len(_different(found)) > 1:
            lines = " and ".join(str(one.line) for one in found)
            yield KIND, f"`{name}` is defined in lines {lines}: Python takes the last", file.name, found[-1].line
        else:
            yield from _altered(file, name, stub, found[-1])
    yield from _other_values(file, file.stubs)


def _different(found: list[Definition]) -> set[str]:
    """The definitions that differ, by their digests; a stub that was left above its answer is none."""
    return {
        syntax.code(one.function)
        for one in found
        if one.function and not all(isinstance(node, ast.Raise) for node in syntax.statements(one.function.body))
    }


def _gone(package: Package, file: File, given: stubs.Stubs) -> Iterator[Finding]:
    """Functions that are bound in no way that the screen can see: the renamed ones each, all others together."""
    missing = []
    for name in given.functions.keys() - file.definitions.keys():
        last = name.rpartition(".")[2]
        is_set = last in file.aliases or any(last in other.stored for other in package.files.values())
        if is_set or _may_inherit(file, name):
            continue
        if under := _renamed(file, given.functions[name]):
            says = f"`{name}` is not there; `{under.name}` in line {under.line} has its docstring"
            yield KIND, says, file.name, under.line
        else:
            missing.append(name)
    if missing:
        shown = [f"`{name}`" for name in sorted(missing)[:SHOWN]]
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        yield KIND, f"what the course gave is not there: {', '.join(shown)}{more}", file.name, 1


def _may_inherit(file: File, name: str) -> bool:
    """Whether names may come from elsewhere: a star import, other bases of a class, or a class that is gone itself."""
    owner = name.rpartition(".")[0]
    if not owner:
        return "*" in file.aliases or "__getattr__" in file.definitions
    found = [one.node for one in file.definitions.get(owner, []) if isinstance(one.node, ast.ClassDef)]
    if not found or found[-1].keywords:
        return True
    return any(syntax.last_word(base) not in _classes() for base in found[-1].bases)


@lru_cache(maxsize=1)
def _classes() -> frozenset[str]:
    """The classes of the course by name: what they hand down is known."""
    names = (name for module in stubs.modules().values() for name in module.functions)
    return frozenset(name.partition(".")[0] for name in names if "." in name)


def _renamed(file: File, stub: stubs.Stub) -> Definition | None:
    """The function that has the docstring of one that is gone."""
    known = file.stubs.functions if file.stubs else {}
    for name, found in file.definitions.items():
        if name not in known and found[-1].function and stub.prose and syntax.prose(found[-1].function) == stub.prose:
            return found[-1]
    return None


def _altered(file: File, name: str, stub: stubs.Stub, found: Definition) -> Iterator[Finding]:
    """Other parameters of an exercise, or other code of a helper."""
    function = found.function
    if function is None:
        return
    if stub.is_exercise:
        takes = syntax.parameters(function)
        due, now = ([word.partition("=")[0] for word in words] for words in (stub.parameters, takes))
        if not (_is_open(function) or _takes_the_same(due, takes)):
            change = f"takes ({', '.join(now)}), and ({', '.join(due)}) as the course gave it"
            yield KIND, f"the exercise `{name}` {change}", file.name, found.line
    elif name not in file.given:
        yield KIND, CHANGED.format(name), file.name, found.line


def _takes_the_same(due: list[str], now: list[str]) -> bool:
    """Whether every call that the stub takes is taken: the same parameters in their order, and optional ones behind."""
    names = [word.partition("=")[0] for word in now]
    kept = [name for name in names if name in due]
    added = [place for place, name in enumerate(names) if name not in due]
    keyword_only = next((place for place, name in enumerate(names) if name.startswith("*")), len(names))
    last = max((names.index(name) for name in due if name in names[:keyword_only]), default=-1)
    is_optional = all("=" in now[place] or names[place][0] in "*/" for place in added)
    return kept == due and is_optional and all(place > last for place in added if names[place] != "/")


def _is_open(function: Def) -> bool:
    """Whether it takes anything, as a wrapper does: `(*args, **kwargs)`."""
    return bool(function.args.vararg and function.args.kwarg)


def _other_values(file: File, given: stubs.Stubs) -> Iterator[Finding]:
    """Names that the course assigned, and that hold something else now."""
    for name, digest in given.names.items():
        found = file.definitions.get(name, [])
        if len(found) == 1 and found[0].is_plain and (value := getattr(found[0].node, "value", None)):
            changed = syntax.digest(value) != digest and not _is_type(name)
            yield from [(KIND, CHANGED.format(name), file.name, found[0].line)] if changed else []


def _is_type(name: str) -> bool:
    """Whether a name stands for a type, which changes nothing that runs."""
    return bool(re.fullmatch(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*", name.rpartition(".")[2])) or name.endswith("__slots__")
