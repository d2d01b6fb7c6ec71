"""A package as the screen sees it: its files, what their names stand for, and what each function uses and leads to."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TypeAlias

from ... import course
from .. import stubs, syntax
from ..syntax import Definition, Nodes

Finding: TypeAlias = "tuple[str, str, str, int]"  # kind, sentence, file, line
Use: TypeAlias = "tuple[str, int]"  # what is used, and in which line

COURSE_NAMES = {module.name: {*module.exports, *module.exercises} for module in course.MODULES}
LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ASIDE = {"dtype", "shape", "ndim"}  # asked of a product, not the product itself
OWN = "tt."
CHECKING, DIRECT = "TYPE_CHECKING", "called directly"
MOST_STEPS = 5  # modules by which a name is handed on


@dataclass(frozen=True)
class File:
    """One file of the package: its tree, without what only type checkers and a direct call of the file run."""

    name: str
    tree: ast.Module

    @cached_property
    def module(self) -> str:
        """The dotted name within the package: `helpers.fast`, or empty for the package itself."""
        parts = PurePosixPath(self.name).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def nodes(self) -> Nodes:
        """Every node that counts."""
        every = syntax.walk(self.tree)
        nodes = Nodes(every)
        asides = _asides(nodes)
        skipped = [one for one in nodes.of(ast.If) if _condition(one.test) in asides]
        unused = set(syntax.walk(*(part for one in skipped for part in (one.test, *one.body))))
        return Nodes(node for node in every if node not in unused) if unused else nodes

    @cached_property
    def definitions(self) -> dict[str, list[Definition]]:
        """What it defines, by dotted name."""
        return syntax.definitions(self.tree)

    @cached_property
    def stubs(self) -> stubs.Stubs | None:
        """The file as it was given, where the course gave it."""
        return stubs.modules().get(self.module)

    @cached_property
    def given(self) -> set[str]:
        """The functions that are the course's own, as they were given."""
        helpers = {name: stub.code for name, stub in self.stubs.functions.items() if stub.code} if self.stubs else {}
        found = {name: self.definitions[name][-1].function for name in helpers.keys() & self.definitions.keys()}
        return {name for name, function in found.items() if function and syntax.code(function) == helpers[name]}

    @cached_property
    def _imports(self) -> list[ast.Import | ast.ImportFrom]:
        """Its imports, in the order of the text."""
        imports: list[ast.Import | ast.ImportFrom] = [*self.nodes.of(ast.Import), *self.nodes.of(ast.ImportFrom)]
        return sorted(imports, key=lambda node: (node.lineno, node.col_offset))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What imported names stand for: `np` for `numpy`, `f` for `os.fork`; the package's own begin with `tt.`."""
        found: dict[str, str] = {}
        for node in self._imports:
            if isinstance(node, ast.Import):
                for name in node.names:
                    found[name.asname or name.name.partition(".")[0]] = (
                        name.name if name.asname else name.name.partition(".")[0]
                    )
            else:
                base = self._base(node)
                found.update({name.asname or name.name: f"{base}{name.name}" for name in node.names})
        return found

    @cached_property
    def stars(self) -> list[str]:
        """What `from … import *` brings names of, each with a dot at its end."""
        froms = (node for node in self._imports if isinstance(node, ast.ImportFrom))
        return list(dict.fromkeys(self._base(node) for node in froms if any(name.name == "*" for name in node.names)))

    @cached_property
    def _star(self) -> str:
        """The last of those that is another package's, or nothing."""
        return next((star for star in reversed(self.stars) if not star.startswith(OWN)), "")

    def _base(self, node: ast.ImportFrom) -> str:
        """What the names of a `from` import follow, with a dot."""
        if not node.level:
            return f"{node.module}." if node.module else ""
        within = self.module.split(".") if self.module else []
        is_package = self.name.endswith("__init__.py")
        within = within[: len(within) - node.level + is_package]
        return OWN + "".join(f"{part}." for part in [*within, *(node.module or "").split(".")] if part)

    @cached_property
    def stored(self) -> set[str]:
        """Attributes that the file gives to something: `reach` of `self.reach = 1`."""
        return {node.attr for node in self.nodes.of(ast.Attribute) if not isinstance(node.ctx, ast.Load)}

    @cached_property
    def made(self) -> set[str]:
        """Names that are the file's own and not an interpreter's: attributes that it stores, and all definitions."""
        return self.stored | {name.rpartition(".")[2] for name in self.definitions}

    @cached_property
    def bound(self) -> set[str]:
        """Every name that it binds other than by import."""
        names = {node.id for node in self.nodes.of(ast.Name) if not isinstance(node.ctx, ast.Load)}
        names |= {node.arg for node in self.nodes.of(ast.arg)} | {node.name for node in self.nodes.of(ast.ClassDef)}
        return names | {node.name for node in self.nodes.of(ast.FunctionDef)}

    def dotted(self, node: ast.AST) -> str | None:
        """What a chain of names stands for, as far as it begins with an imported name: `numpy.linalg.norm`."""
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        base = self._stands_for(node.id) if isinstance(node, ast.Name) else None
        return ".".join([base, *reversed(chain)]) if base else None

    def _stands_for(self, name: str) -> str | None:
        """What a name stands for that was imported, perhaps by a star from another package."""
        if name in self.aliases:
            return self.aliases[name]
        is_free = self._star and name not in self.bound and not hasattr(builtins, name)
        return f"{self._star}{name}" if is_free else None


def _asides(nodes: Nodes) -> set[str]:
    """Conditions that never hold in a package that is imported, as far as the file leaves them alone."""
    if any(node.attr == CHECKING and not isinstance(node.ctx, ast.Load) for node in nodes.of(ast.Attribute)):
        return set()
    froms = (name for node in nodes.of(ast.ImportFrom) if node.module == "typing" for name in node.names)
    typing = (name for node in nodes.of(ast.Import) for name in node.names if name.name == "typing")
    found = {DIRECT} | {name.asname or name.name for name in froms if name.name == CHECKING}
    found |= {f"{name.asname or name.name}.{CHECKING}" for name in typing}
    stored = {node.id for node in nodes.of(ast.Name) if not isinstance(node.ctx, ast.Load)}
    return found - stored - ({DIRECT} if "__name__" in stored else set())


def _condition(test: ast.expr) -> str:
    """`TYPE_CHECKING`, `typing.TYPE_CHECKING`, or that the file is called directly; empty for all else."""
    if isinstance(test, ast.Name):
        return test.id
    if isinstance(test, ast.Attribute) and isinstance(test.value, ast.Name):
        return f"{test.value.id}.{test.attr}"
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and isinstance(test.ops[0], ast.Eq):
        right = test.comparators[0]
        is_direct = test.left.id == "__name__" and isinstance(right, ast.Constant) and right.value == "__main__"
        return DIRECT if is_direct and len(test.ops) == 1 else ""
    return ""


@dataclass(frozen=True)
class Work:
    """What one function, class or value of the package uses by itself, and what of the package it leads to."""

    uses: list[Use]
    leads_to: list[str]
    has_loop: bool


@dataclass(frozen=True)
class Package:
    """All files that could be read."""

    name: str
    files: dict[str, File]
    _work: dict[str, Work] = field(default_factory=dict)

    @cached_property
    def modules(self) -> dict[str, File]:
        """The files by dotted name."""
        return {file.module: file for file in self.files.values()}

    @cached_property
    def places(self) -> dict[str, tuple[File, list[Definition]]]:
        """Every definition of the package, as `module.name`."""
        return {
            f"{file.module}.{name}": (file, found)
            for file in self.files.values()
            for name, found in file.definitions.items()
        }

    @cached_property
    def own_methods(self) -> dict[str, list[str]]:
        """Methods that are not the course's, by their last name: `obj.fast(…)` may be any of them."""
        found: dict[str, list[str]] = {}
        for place, (file, _) in self.places.items():
            name = place.removeprefix(f"{file.module}.")
            if "." in name and not (file.stubs and name in file.stubs.functions):
                found.setdefault(name.rpartition(".")[2], []).append(place)
        return found

    def means_itself(self, node: ast.ImportFrom) -> bool:
        """Whether `from autograd import backward` is one of the package's own modules, as from within its folder."""
        root = (node.module or "").partition(".")[0]
        file, names = self.modules.get(root), {name.name for name in node.names}
        known = COURSE_NAMES.get(root, set()) | set(file.definitions if file else ())
        return root == self.name or (root == node.module and root in COURSE_NAMES and names <= known)

    def is_given(self, place: str) -> bool:
        """Whether a definition is the course's own, as it was given."""
        file, _ = self.places[place]
        return place.removeprefix(f"{file.module}.") in file.given

    def work(self, place: str) -> Work:
        """What a definition uses and leads to."""
        if place not in self._work:
            file, found = self.places[place]
            uses: list[Use] = []
            leads: list[str] = []
            has_loop = False
            for one in found:
                nodes = list(_counted(one.node))
                uses += [use for node in nodes for use in _events(file, node)]
                leads += [to for node in nodes for to in self._leads(file, place, node)]
                has_loop |= any(isinstance(node, LOOPS) for node in nodes)
                has_loop |= any(isinstance(node, ast.Name) and node.id in {"map", "reduce"} for node in nodes)
            self._work[place] = Work(uses, leads, has_loop)
        return self._work[place]

    def _leads(self, file: File, place: str, node: ast.AST) -> Iterator[str]:
        """The package's own definitions that a node names."""
        if isinstance(node, ast.Name):
            yield from self.origin(f"{OWN}{file.module}.{node.id}")
        elif isinstance(node, ast.Attribute):
            owner = place.rpartition(".")[0]
            if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
                yield from self._with_methods(f"{owner}.{node.attr}")
            elif (name := file.dotted(node)) and name.startswith((OWN, f"{self.name}.")):
                yield from self.origin(name)
            else:
                yield from self.own_methods.get(node.attr, ())

    def origin(self, name: str, steps: int = 0) -> Iterator[str]:
        """Where a dotted name of the package is defined, by way of modules that only hand it on."""
        prefix = next((start for start in (OWN, f"{self.name}.") if name.startswith(start)), None)
        rest = name.removeprefix(prefix) if prefix else ""
        yield from self._with_methods(rest)
        module, _, last = rest.rpartition(".")
        file = self.modules.get(module)
        if file is None or not rest or steps > MOST_STEPS:
            return
        handed_on = [file.aliases[last]] if last in file.aliases else []
        if rest not in self.places:
            handed_on = handed_on or [f"{star}{last}" for star in file.stars]
        for other in handed_on:
            yield from self.origin(other, steps + 1)

    def _with_methods(self, place: str) -> Iterator[str]:
        """A place, and the methods of a class that the student added."""
        if place in self.places:
            yield place
            file, found = self.places[place]
            if isinstance(found[-1].node, ast.ClassDef) and not _is_of_the_course(file, place):
                yield from (other for other in self.places if other.startswith(f"{place}."))


def _is_of_the_course(file: File, place: str) -> bool:
    """Whether a class is one that the stubs have."""
    name = place.removeprefix(f"{file.module}.")
    return bool(file.stubs and any(function.startswith(f"{name}.") for function in file.stubs.functions))


def _counted(root: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a definition that do its work: no assertions, annotations, or products asked for their dtype."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Assert) and not any(isinstance(n, ast.NamedExpr) for n in syntax.walk(node)):
            continue
        if isinstance(node, ast.Attribute) and node.attr in ASIDE and isinstance(node.value, ast.BinOp | ast.Call):
            continue
        yield node
        hints = (getattr(node, "annotation", None), getattr(node, "returns", None))
        waiting += [child for child in syntax.children(node) if child not in hints]


def _events(file: File, node: ast.AST) -> Iterator[Use]:
    """What a node uses, in the words of `rules.DELEGATION`."""
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
        yield "@", line
    elif isinstance(node, ast.Name):
        own = f"{OWN}{file.module}.{node.id}" if node.id in file.definitions else None
        if name := own or file.dotted(node):
            yield name, line
    elif isinstance(node, ast.Attribute):
        yield f".{node.attr}", line
        if isinstance(node.value, ast.Attribute):
            yield f".{node.value.attr}.{node.attr}", line
        if name := file.dotted(node):
            yield name, line
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from ((f"{node.module}.{name.name}", line) for name in node.names)
    elif isinstance(node, ast.Call):
        yield from by_text(file, node)


def by_text(file: File, call: ast.Call) -> Iterator[Use]:
    """Modules and attributes that a call names by a text: `import_module("torch")`, `getattr(os, "fork")`."""
    texts = [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)]
    if not texts:
        return
    if file.dotted(call.func) == "importlib.import_module" and not texts[0].startswith("."):
        yield texts[0], call.lineno
    elif isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) >= 2:
        base = file.dotted(call.args[0])
        yield from [(f"{base}.{texts[0]}", call.lineno)] if base else []
