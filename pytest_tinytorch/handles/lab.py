"""Probes: functions of the judge whose *source* runs beside the student's code.

A probe sees its arguments, `tt`, `np`, `math` and the builtins; it has no closure, decides nothing and knows no
expected value.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import inspect
import linecache
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from .errors import Trouble

NAMES = frozenset({"tt", "np", "math", *vars(builtins)})


def source(fn: Callable[..., Any]) -> str:
    """The function's source, ready to be sent; a function that is no probe is the check's mistake."""
    if not isinstance(fn, types.FunctionType) or fn.__name__ == "<lambda>":
        raise Trouble(f"a probe is a `def`, not {fn!r}")
    return _checked(fn.__code__)


@functools.lru_cache(maxsize=1024)
def _checked(code: types.CodeType) -> str:
    text = _text(code)
    tree = ast.parse(text).body[0]
    if not isinstance(tree, ast.FunctionDef) or tree.decorator_list:
        raise Trouble(f"the probe {code.co_name!r} must be a `def` without decorators")
    if any(isinstance(part, ast.Assert) for part in ast.walk(tree)):
        raise Trouble(f"the probe {code.co_name!r} asserts: verdicts belong in the check")
    unknown = sorted({*code.co_freevars, *_globals(code)} - NAMES - {code.co_name})
    if unknown:
        raise Trouble(f"the probe {code.co_name!r} uses {', '.join(unknown)}: pass it as an argument")
    return text


def _text(code: types.CodeType) -> str:
    """The function's lines. One at the left margin ends before the next line that begins there: no need to tokenize."""
    lines, first = linecache.getlines(code.co_filename), code.co_firstlineno - 1
    if not lines:
        raise Trouble(f"the source of the probe {code.co_name!r} is not at hand")
    if lines[first][:1].isspace():
        return textwrap.dedent(inspect.getsource(code))
    after = (n for n, line in enumerate(lines[first + 1 :], first + 1) if line[:1].strip() and line[0] != ")")
    return "".join(lines[first : next(after, len(lines))])


def _globals(code: types.CodeType) -> Iterator[str]:
    """The global names that a function and the functions in it read."""
    yield from (step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals(constant)
