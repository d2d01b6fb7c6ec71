"""Lint the files of checks: the rules that make a verdict rest on evidence, read off the source.

    python -m tools.lint_checks                     every checkpoint of the course
    python -m tools.lint_checks --module activations

A check touches the student's package through its fixtures and probes only, gives its verdict through the vocabulary
of `pytest_tinytorch.checking`, and rests on inputs drawn fresh. What no lint can see (a verdict that a liar wins),
`tests/liars` tries out.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import itertools
import symtable
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_tinytorch.course import CHECKPOINTS, Module
from tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

IMPORTS = {"__future__", "itertools", "math", "numpy", "pytest_tinytorch.checking"}
FIXTURES = {"tt", "draw", "lab"}
EVIDENCE = {"same", "same_array"}
VERDICTS = {*EVIDENCE, "raises", "unchanged", "calm"}
PROBE_NAMES = {"tt", "np", "math", *dir(builtins)}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One breach of a rule."""

    file: str
    line: int
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.says}"


@dataclass(frozen=True)
class Check:
    """One check: a `test_` function of a file of checks."""

    node: ast.FunctionDef

    @property
    def name(self) -> str:
        """The function's name."""
        return self.node.name

    @cached_property
    def exercise(self) -> ast.Call | None:
        """The `@exercise(...)` above it."""
        calls = (d for d in self.node.decorator_list if isinstance(d, ast.Call))
        return next((call for call in calls if _called(call) == "exercise"), None)

    @cached_property
    def about(self) -> str | None:
        """The exercise that it names."""
        if self.exercise and self.exercise.args and isinstance(self.exercise.args[0], ast.Constant):
            return str(self.exercise.args[0].value)
        return None

    @cached_property
    def points(self) -> int | None:
        """The points that it states, where that is an int of at least 1."""
        for keyword in self.exercise.keywords if self.exercise else ():
            if keyword.arg == "points" and isinstance(keyword.value, ast.Constant):
                value = keyword.value.value
                return value if type(value) is int and value >= 1 else None
        return None

    def calls(self, *names: str) -> list[ast.Call]:
        """The calls of a function or method with one of these names."""
        return [node for node in ast.walk(self.node) if isinstance(node, ast.Call) and _called(node) in names]

    @cached_property
    def draws(self) -> bool:
        """Whether its body uses the fixture `draw`."""
        return any(isinstance(n, ast.Name) and n.id == "draw" for s in self.node.body for n in ast.walk(s))


class CheckFile:
    """One file of checks, parsed."""

    def __init__(self, path: Path, module: Module, source: str | None = None) -> None:
        self.module = module
        self.file = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        self.source = path.read_text("utf-8") if source is None else source
        self.tree = ast.parse(self.source)
        self.checks = [
            Check(node)
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        ]

    @cached_property
    def probes(self) -> dict[str, ast.FunctionDef]:
        """The functions whose source is sent to run beside the student's code: every first argument of `lab`."""
        defined = {node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)}
        names = (first.id for first in self.probe_arguments if isinstance(first, ast.Name))
        return {name: defined[name] for name in names if name in defined}

    @cached_property
    def probe_arguments(self) -> list[ast.expr]:
        """What is given to `lab` to run."""
        calls = (call for check in self.checks for call in check.calls("lab"))
        return [call.args[0] for call in calls if call.args]

    def outside_probes(self) -> Iterator[ast.AST]:
        """Every node that runs where the verdict is made."""
        probes = set(self.probes.values())
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += [child for child in ast.iter_child_nodes(node) if child not in probes]

    def problem(self, node: ast.AST, says: str) -> Problem:
        """A problem at the node's line."""
        return Problem(self.file, getattr(node, "lineno", 1), says)


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def imports(file: CheckFile) -> Iterator[Problem]:
    """Only NumPy, a little of the standard library, and the vocabulary of checks."""
    for node in file.outside_probes():
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        else:
            continue
        for name in names:
            if name not in IMPORTS:
                yield file.problem(node, f"imports {name}; a check imports {', '.join(sorted(IMPORTS))} and no more")


def sentences(file: CheckFile) -> Iterator[Problem]:
    """Each check says in one sentence what right code does."""
    known = {*file.module.exports, *(name.partition(".")[0] for name in file.module.exercises)}
    for check in file.checks:
        text = ast.get_docstring(check.node)
        if text is None:
            yield file.problem(check.node, f"{check.name} has no docstring: it is the sentence that the student reads")
            continue
        first = text.split()[0] if text else ""
        if len(text.split()) < 3 or "\n\n" in text:
            yield file.problem(check.node, f"{check.name}: the docstring is one sentence")
        elif text.endswith("."):
            yield file.problem(
                check.node, f"{check.name}: the docstring ends without a full stop, reports go on after it"
            )
        elif first[0].isupper() and first[1:].islower() and not {first, first.split(".")[0].split("(")[0]} & known:
            yield file.problem(check.node, f"{check.name}: the docstring starts with a lower-case letter or a name")


def exercises(file: CheckFile) -> Iterator[Problem]:
    """Each check is about one exercise of its module and worth something."""
    for check in file.checks:
        if check.exercise is None:
            yield file.problem(check.node, f"{check.name} has no @exercise(...)")
            continue
        if check.about not in file.module.exercises:
            yield file.problem(
                check.node, f"{check.name}: course.py names no exercise {check.about} of {file.module.name}"
            )
        if check.points is None:
            yield file.problem(check.node, f"{check.name}: points is a whole number of at least 1")


def fixtures(file: CheckFile) -> Iterator[Problem]:
    """The package comes through fixtures."""
    for check in file.checks:
        arguments = check.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg not in FIXTURES:
                yield file.problem(argument, f"{check.name} takes {argument.arg}; a check takes tt, draw and lab")


def verdicts(file: CheckFile) -> Iterator[Problem]:
    """The vocabulary gives the verdict, on fetched values, and never on True, False or None alone."""
    for check in file.checks:
        if not check.calls(*VERDICTS):
            yield file.problem(check.node, f"{check.name} gives no verdict: use same, raises, unchanged or calm")
        expected = [call.args[1] for call in check.calls(*EVIDENCE) if len(call.args) > 1]
        if expected and all(isinstance(e, ast.Constant) and isinstance(e.value, bool | None) for e in expected):
            yield file.problem(expected[0], f"{check.name} rests on True, False or None alone; pair it with a decoy")
    for node in file.outside_probes():
        if isinstance(node, ast.Assert):
            yield file.problem(node, "assert asks a handle, whose answer is no evidence; use same")
        elif isinstance(node, ast.Try):
            yield file.problem(node, "try may swallow a verdict; use raises")
        elif isinstance(node, ast.Attribute) and node.attr == "random" and _is_name(node.value, "np"):
            yield file.problem(node, "np.random is shared with the student's code; draw is fresh and shown for replay")


def refusals(file: CheckFile) -> Iterator[Problem]:
    """An error proves nothing alone: the message names shapes, and a legal twin gives right data."""
    for check in file.checks:
        for call in check.calls("raises"):
            mentions = next((k.value for k in call.keywords if k.arg == "mentions"), None)
            if mentions is None or (isinstance(mentions, (ast.List, ast.Tuple)) and not mentions.elts):
                yield file.problem(
                    call, f"{check.name}: raises needs mentions=[...], values that the message must name"
                )
            if not check.calls(*EVIDENCE):
                yield file.problem(call, f"{check.name}: raises needs a legal twin by same in the same check")


def probes(file: CheckFile) -> Iterator[Problem]:
    """A probe is a plain function: its source alone is sent."""
    for argument in file.probe_arguments:
        if not isinstance(argument, ast.Name) or argument.id not in file.probes:
            yield file.problem(argument, "lab runs a plain function defined in this file, given by name")
    tables = {table.get_lineno(): table for table in _tables(symtable.symtable(file.source, file.file, "exec"))}
    for name, node in file.probes.items():
        if node.decorator_list:
            yield file.problem(node, f"the probe {name} has a decorator; its source alone is sent")
        yield from (
            file.problem(inner, f"the probe {name} asserts; it returns what it saw, and the check judges")
            for inner in ast.walk(node)
            if isinstance(inner, ast.Assert)
        )
        strangers = _strangers(tables[node.lineno]) - PROBE_NAMES
        if strangers:
            yield file.problem(node, f"the probe {name} uses {', '.join(sorted(strangers))}, which is not sent with it")


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        if child.get_type() == "function":
            yield child
        yield from _tables(child)


def _strangers(table: symtable.SymbolTable, *, inner: bool = False) -> set[str]:
    """Names that a function takes from outside itself."""
    names = {s.get_name() for s in table.get_symbols() if s.is_global() or (s.is_free() and not inner)}
    return names.union(*(_strangers(child, inner=True) for child in table.get_children()))


def state(file: CheckFile) -> Iterator[Problem]:
    """Nothing in a file of checks can change, so no check can depend on another."""
    for node in file.tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            changeable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
            for inner in ast.walk(node.value) if node.value else ():
                if isinstance(inner, changeable) or (
                    isinstance(inner, ast.Call) and _called(inner) not in {"frozenset"}
                ):
                    yield file.problem(node, "can change: build it inside the check, or use a tuple")
                    break
        elif not isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom)) and not _is_docstring(node, file):
            yield file.problem(node, "only imports, constants and functions stand at the top of a file of checks")
    for inner in ast.walk(file.tree):
        if isinstance(inner, ast.Global):
            yield file.problem(inner, "global shares state between checks")


def _is_docstring(node: ast.stmt, file: CheckFile) -> bool:
    return node is file.tree.body[0] and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def coverage(file: CheckFile) -> Iterator[Problem]:
    """Every exercise is checked on fresh inputs, and the points add up."""
    drawn = {check.about for check in file.checks if check.draws}
    for name in file.module.exercises:
        if name not in drawn:
            yield file.problem(file.tree, f"no check of the exercise {name} uses draw")
    total = sum(check.points or 0 for check in file.checks)
    if total != file.module.points:
        yield file.problem(
            file.tree, f"the checks are worth {total} points together, course.py says points={file.module.points}"
        )


def unique(files: Sequence[CheckFile]) -> Iterator[Problem]:
    """`-k name` finds one check."""
    seen = Counter(check.name for file in files for check in file.checks)
    for file in files:
        for check in file.checks:
            if seen[check.name] > 1:
                yield file.problem(check.node, f"the name {check.name} is given {seen[check.name]} times")


RULES: tuple[Callable[[CheckFile], Iterable[Problem]], ...] = (
    imports,
    sentences,
    exercises,
    fixtures,
    verdicts,
    refusals,
    probes,
    state,
    coverage,
)


def check_files(modules: Iterable[Module] = CHECKPOINTS) -> list[CheckFile]:
    """The files of checks of the modules that have exercises and whose checks are written."""
    paths = ((module, ROOT / f"{(module.checks or '').replace('.', '/')}.py") for module in modules)
    return [CheckFile(path, module) for module, path in paths if module.number and module.built and path.exists()]


def problems(files: Sequence[CheckFile]) -> list[Problem]:
    """Every breach of every rule."""
    found = itertools.chain.from_iterable(rule(file) for file in files for rule in RULES)
    return sorted({*found, *unique(files)})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.lint_checks", description="Lint the files of checks.")
    parser.add_argument("--module", action="append", help="only this module, by name")
    chosen = parser.parse_args(arguments).module
    found = problems(check_files(m for m in CHECKPOINTS if not chosen or m.name in chosen))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
