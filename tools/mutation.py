"""Small wrong changes of a source file: the operators of mutation testing, as patches of the text.

A mutant differs from the source in one place inside one function. Its text is the source with that place unparsed
anew, so line numbers before it and everything around it stay as they were.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tools.functions import Function, functions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType

Change: TypeAlias = "tuple[ast.AST, ast.AST, str]"  # what stands there, what comes instead, the name of the change

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
SIGNS = {ast.Not: "not", ast.USub: "minus", ast.UAdd: "plus", ast.Invert: "~"}
NAMES = {
    "all": "any",
    "any": "all",
    "argmax": "argmin",
    "log1p": "log",
    "max": "min",
    "maximum": "minimum",
    "mean": "sum",
    "min": "max",
    "minimum": "maximum",
    "ones": "zeros",
    "ones_like": "zeros_like",
    "sum": "mean",
    "tril": "triu",
    "triu": "tril",
    "zeros": "ones",
    "zeros_like": "ones_like",
}
COMMUTATIVE = {"maximum", "minimum", "max", "min"}
NEUTRAL_CALLS = {"astype", "copy", "sorted", "list", "tuple", "abs", "ascontiguousarray", "squeeze"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong variant of a file."""

    function: str
    line: int
    kind: str
    was: str
    becomes: str
    source: str

    @property
    def key(self) -> str:
        """The change in words that outlive a change of line numbers."""
        return f"{self.function}: {self.was} => {self.becomes}"


def mutants(source: str, is_wanted: Callable[[str], bool] = bool) -> list[Mutant]:
    """Every mutant of the functions whose dotted names are wanted, without those that compile to the same code."""
    original = compile(source, "mutant", "exec")
    found: dict[str, Mutant] = {}
    for function in _innermost(ast.parse(source)):
        if not is_wanted(function.name):
            continue
        for old, new, kind in _changes(function):
            text = _patched(source, old, new)
            if text not in found and not _same_code(compile(text, "mutant", "exec"), original):
                was, becomes = _lines(source, old), _lines(text, old, grown=text.count("\n") - source.count("\n"))
                found[text] = Mutant(function.name, getattr(old, "lineno", 0), kind, was, becomes, text)
    return sorted(found.values(), key=lambda mutant: mutant.line)


def _innermost(tree: ast.Module) -> list[Function]:
    """The functions of a file that lie in no other function: an inner one is mutated with its outer one."""
    every = [function for group in functions(tree).values() for function in group]
    inside = {inner for f in every for inner in ast.walk(f.node) if inner is not f.node}
    return [function for function in every if function.node not in inside]


# ---- what is changed ------------------------------------------------------------------------------------


def _changes(function: Function) -> Iterator[Change]:
    arguments = function.node.args
    for default in (*arguments.defaults, *arguments.kw_defaults):
        if default is not None:
            yield from _of_expressions(default)
    assigned = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    for statement in function.code:
        yield from _of_statement(statement, assigned)


def _of_statement(node: ast.stmt, assigned: set[str]) -> Iterator[Change]:
    """Changes of a statement, of its expressions and of the statements in it. `assigned`: names that it may lack."""
    if isinstance(node, (ast.Raise, ast.Assert, ast.Expr, ast.AugAssign, ast.Delete)):
        yield node, ast.Pass(), "statement removed"
    if isinstance(node, ast.AugAssign):
        yield node, ast.Assign([node.target], node.value, lineno=node.lineno), "+= to ="
        if type(node.op) in ARITHMETIC:
            yield node, _with(node, op=ARITHMETIC[type(node.op)]()), "arithmetic"
    if isinstance(node, ast.Assign) and all(_may_be_skipped(target, assigned) for target in node.targets):
        yield node, ast.Pass(), "statement removed"
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield node, ast.Return(ast.Constant(None)), "return value dropped"
    if isinstance(node, (ast.If, ast.While)):
        forced = (True, False) if isinstance(node, ast.If) else (False,)
        yield from ((node.test, ast.Constant(value), f"condition always {value}") for value in forced)
    if isinstance(node, ast.For):
        yield node.iter, ast.Tuple([], ast.Load()), "loop never entered"
    if isinstance(node, (ast.Break, ast.Continue)):
        yield node, ast.Continue() if isinstance(node, ast.Break) else ast.Break(), "break and continue"
    assigned |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    if not isinstance(node, (ast.Raise, ast.Assert)):
        yield from _below(node, assigned)


def _below(node: ast.AST, assigned: set[str]) -> Iterator[Change]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from _of_statement(child, assigned)
        elif isinstance(child, ast.expr):
            yield from _of_expressions(child)
        elif not isinstance(child, ast.arguments):
            yield from _below(child, assigned)


def _may_be_skipped(target: ast.expr, assigned: set[str]) -> bool:
    return isinstance(target, (ast.Attribute, ast.Subscript)) or (
        isinstance(target, ast.Name) and target.id in assigned
    )


def _of_expressions(node: ast.expr) -> Iterator[Change]:
    """Changes of an expression and of those in it; texts, and the parts of f-strings, are left alone."""
    if isinstance(node, ast.JoinedStr):
        return
    for change in OPERATORS:
        for new, kind in change(node):
            yield node, new, kind
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _of_expressions(child)
        elif isinstance(child, (ast.keyword, ast.comprehension)):
            yield from (c for e in ast.iter_child_nodes(child) if isinstance(e, ast.expr) for c in _of_expressions(e))


def _comparison(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for other in COMPARISONS[type(operator)]:
                yield _with(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]]), "comparison"


def _arithmetic(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not _is_text(node.left):
        yield _with(node, op=ARITHMETIC[type(node.op)]()), "arithmetic"
        if isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
            yield _with(node, left=node.right, right=node.left), "operands exchanged"
    if isinstance(node, ast.UnaryOp):
        yield node.operand, f"{SIGNS[type(node.op)]} removed"


def _boolean(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()), "and and or"
        for i in range(len(node.values)):
            rest = [*node.values[:i], *node.values[i + 1 :]]
            yield rest[0] if len(rest) == 1 else _with(node, values=rest), "condition removed"
    if isinstance(node, ast.IfExp):
        yield node.body, "condition always True"
        yield node.orelse, "condition always False"


def _constant(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value), "constant"
    elif isinstance(value, int):
        yield ast.Constant(value + 1), "constant"
        if value > 0:
            yield ast.Constant(value - 1), "constant"
    elif isinstance(value, float):
        yield ast.Constant(2 * value or 1.0), "constant"


def _call(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if not isinstance(node, ast.Call):
        return
    starred = any(isinstance(argument, ast.Starred) for argument in node.args[:2])
    if len(node.args) >= 2 and not starred and _last_name(node.func) not in COMMUTATIVE:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]]), "arguments exchanged"
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "strict":  # zip's own assertion
            continue
        yield _with(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]]), f"{keyword.arg} dropped"
        if keyword.arg in {"dim", "axis"}:
            for value in (ast.Constant(None), ast.Constant(0), ast.UnaryOp(ast.USub(), ast.Constant(1))):
                other = [*node.keywords[:i], ast.keyword(keyword.arg, value), *node.keywords[i + 1 :]]
                yield _with(node, keywords=other), f"{keyword.arg} changed"
    if isinstance(node.func, ast.Attribute) and node.func.attr in NEUTRAL_CALLS and not _is_name(node.func.value, "np"):
        yield node.func.value, f"{node.func.attr} left out"
    elif _last_name(node.func) in NEUTRAL_CALLS and node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0], f"{_last_name(node.func)} left out"


def _name(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Call) and _last_name(node.func) in NAMES:
        other = NAMES[_last_name(node.func)]
        function = _with(node.func, attr=other) if isinstance(node.func, ast.Attribute) else ast.Name(other, ast.Load())
        yield _with(node, func=function), "function"


OPERATORS: tuple[Callable[[ast.expr], Iterable[tuple[ast.expr, str]]], ...] = (
    _comparison,
    _arithmetic,
    _boolean,
    _constant,
    _call,
    _name,
)


def _with(node: ast.AST, **fields: object) -> ast.expr:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed  # type: ignore[return-value]  # a copy is what it was


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


# ---- how it is written ----------------------------------------------------------------------------------


def _patched(source: str, old: ast.AST, new: ast.AST) -> str:
    """The source with the text of one node exchanged."""
    lines = source.encode().split(b"\n")
    first, last, start, end = old.lineno - 1, old.end_lineno - 1, old.col_offset, old.end_col_offset  # type: ignore[attr-defined]  # every node that is changed has a place
    text = ast.unparse(ast.fix_missing_locations(new))
    if isinstance(new, (ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp)):
        text = f"({text})"
    lines[first : last + 1] = [lines[first][:start] + text.encode() + lines[last][end:]]
    return b"\n".join(lines).decode()


def _lines(source: str, node: ast.AST, *, grown: int = 0) -> str:
    """The lines of a node as one line."""
    first, last = node.lineno, node.end_lineno + grown  # type: ignore[attr-defined]  # as above
    return " ".join(" ".join(source.split("\n")[first - 1 : last]).split())


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, whatever their line numbers are."""
    if (one.co_code, one.co_names, one.co_varnames) != (other.co_code, other.co_names, other.co_varnames):
        return False
    return len(one.co_consts) == len(other.co_consts) and all(
        _same_code(a, b) if hasattr(a, "co_code") and hasattr(b, "co_code") else repr(a) == repr(b)
        for a, b in zip(one.co_consts, other.co_consts, strict=True)
    )
