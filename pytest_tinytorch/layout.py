"""Numbers as text that a reader can compare: aligned, short, and marked where they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Show = tuple[str, Callable[[Array], Array]]
Close = Callable[[Array, Array], bool]

ROWS, COLUMNS = 4, 6


@dataclass(frozen=True, slots=True)
class Found:
    """Two arrays laid out against each other."""

    expected: str
    got: str
    difference: str
    mistake: str


def shape(sizes: tuple[int, ...]) -> str:
    """A shape as it is typed: `(2, 3)`, `(3,)`, `()`."""
    return str(tuple(int(n) for n in sizes))


def plain(value: Any) -> str:
    """A plain value on one line, cut when it is long."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def describe(array: Array) -> str:
    """An array by its numbers, then its shape and dtype: `[1., 2.]   (2,) float32`."""
    head = f"{shape(array.shape)} {array.dtype}"
    return f"{rows(array)}   {head}" if array.size <= ROWS * COLUMNS and array.ndim < 2 else f"{head}\n{rows(array)}"


def compare(got: Array, right: Array, show: Show | None, close: Close) -> Found:
    """Lay out what came back against what is right, with the first place where they differ."""
    if got.shape != right.shape or got.dtype != right.dtype:
        return Found(*_headed(right, got), difference=_kind_difference(got, right), mistake=_kind_mistake(got, right))
    window = _window(got, right)
    digits = _digits(got, right)
    return Found(
        expected=_with_column(right, window, digits, show),
        got=_with_column(got, window, digits, show),
        difference=_difference(got, right, window),
        mistake=_relation(got, right, close),
    )


# ---- the same shape and dtype: which numbers differ -------------------------------------------------------


def _window(got: Array, right: Array) -> tuple[slice, slice]:
    """The rows and columns to print of large arrays: around the first difference."""
    if right.ndim < 1:
        return slice(0, 1), slice(0, 1)
    height, width = _flat(right).shape
    where = np.argwhere(_unequal(_flat(got), _flat(right)))
    row, column = (int(n) for n in where[0]) if len(where) else (0, 0)
    top = 0 if height <= ROWS else min(row, height - ROWS)
    left = 0 if width <= COLUMNS else min(column, width - COLUMNS)
    return slice(top, top + ROWS), slice(left, left + COLUMNS)


def _flat(array: Array) -> Array:
    """Any array as rows and columns: the last dimension is the columns."""
    return array.reshape(-1, array.shape[-1]) if array.ndim and array.size else array.reshape(1, -1)


def _unequal(a: Array, b: Array) -> Array:
    if a.dtype.kind != "f":
        return np.asarray(a != b)
    with np.errstate(all="ignore"):
        return np.asarray(~np.isclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True))


def _digits(got: Array, right: Array) -> int:
    """Decimals enough to show the difference, four where they do."""
    if right.dtype.kind != "f" or not right.size:
        return 4
    gap = _gaps(got, right)
    seen = gap[gap > 0]
    return 4 if not seen.size or seen.max() >= 2e-4 else min(9, int(np.ceil(-np.log10(seen.max()))) + 1)


def _with_column(array: Array, window: tuple[slice, slice], digits: int, show: Show | None) -> str:
    """The rows of an array, each with the derived number that a check asked to show."""
    lines = _rows(_flat(array)[window], digits).split("\n")
    if show is None or array.ndim < 1:
        return "\n".join(lines)
    label, derive = show
    with np.errstate(all="ignore"):
        column = np.asarray(derive(array)).reshape(-1)
    if len(column) != len(_flat(array)):
        return "\n".join(lines)
    numbers = [_number(n, 4) for n in column[window[0]]]
    labels = [label] + [" " * len(label)] * (len(lines) - 1)
    wide = max(len(n) for n in numbers)
    return "\n".join(
        f"{line}    {name} {n:>{wide}}" for line, name, n in zip(lines, labels, numbers, strict=False)
    ).rstrip()


def _difference(got: Array, right: Array, window: tuple[slice, slice]) -> str:
    """The first index that differs, and the largest error; nothing for a single number."""
    where = np.argwhere(_unequal(got, right))
    if not right.ndim or not len(where):
        return ""
    first = tuple(int(n) for n in where[0])
    text = f"{len(where)} of {right.size} differ, first at [{', '.join(map(str, first))}]"
    if _flat(right)[window].size < right.size:
        text += f" (shown: part of {shape(right.shape)})"
    if right.dtype.kind == "f":
        text += f"; largest error {_largest_error(got, right)}"
    return text


def _largest_error(got: Array, right: Array) -> str:
    """How far off the worst number is; inf or nan where one of the two is no finite number."""
    odd = _unequal(got, right) & ~(np.isfinite(got) & np.isfinite(right))
    if odd.any():
        return "nan" if (np.isnan(got) | np.isnan(right))[odd].any() else "inf"
    return f"{_gaps(got, right).max(initial=0.0):.3g}"


def _gaps(got: Array, right: Array) -> Array:
    """How far each number is off, where that is a number."""
    with np.errstate(all="ignore"):  # inf - inf
        gap = np.abs(got.astype(np.float64) - right.astype(np.float64))
    return np.asarray(gap[np.isfinite(gap)])


def _relation(got: Array, right: Array, close: Close) -> str:
    """What a wrong result has to do with the right one, where it is that simple; else nothing."""
    if right.dtype.kind not in "fi" or right.size < 2:
        return ""
    if close(got, -right):
        return "every sign is reversed: the numbers are right but for the minus."
    if right.ndim == 2 and right.shape[0] == right.shape[1] and close(got, right.T):
        return "this is the transpose of the right result: rows and columns are exchanged."
    if right.dtype.kind == "f" and np.isnan(got).all() and not np.isnan(right).any():
        return "every number is nan: somewhere 0 was divided by 0, or inf met inf."
    factor = _factor(got, right)
    with np.errstate(all="ignore"):
        scaled = np.asarray(right * right.dtype.type(factor or 1), right.dtype)
    if factor and close(got, scaled):
        return f"every number is {factor:.4g} times the right one: a factor is missing or too much."
    return ""


def _factor(got: Array, right: Array) -> float | None:
    """The one ratio of all elements, where there is one other than 0 and 1."""
    if right.dtype.kind != "f":
        return None
    g, r = got.astype(np.float64).ravel(), right.astype(np.float64).ravel()
    usable = np.isfinite(r) & np.isfinite(g) & (np.abs(r) > 1e-6)
    if usable.sum() < 2:
        return None
    ratio = float(np.median(g[usable] / r[usable]))
    return ratio if abs(ratio) > 1e-6 and abs(ratio - 1) > 1e-3 else None


# ---- another shape or dtype -----------------------------------------------------------------------------


def _headed(right: Array, got: Array) -> tuple[str, str]:
    """Both arrays with shape and dtype in front, in columns of one width."""
    heads = [f"{shape(a.shape)} {a.dtype}" for a in (right, got)]
    wide = max(map(len, heads))
    return (_beside(heads[0], wide, right), _beside(heads[1], wide, got))


def _beside(head: str, wide: int, array: Array) -> str:
    lines = rows(array).split("\n")
    rest = [" " * (wide + 3) + line for line in lines[1:]]
    return "\n".join([f"{head:<{wide}}   {lines[0]}".rstrip(), *rest])


def _kind_difference(got: Array, right: Array) -> str:
    if got.shape != right.shape:
        return f"shape {shape(got.shape)}, due {shape(right.shape)}"
    return f"dtype {got.dtype}, due {right.dtype}"


def _kind_mistake(got: Array, right: Array) -> str:
    if got.shape == right.shape:
        return _DTYPES.get((got.dtype.name, right.dtype.name), "")
    squeezed = [n for n in got.shape if n != 1] == [n for n in right.shape if n != 1]
    if squeezed and got.ndim < right.ndim:
        return "a dimension of size 1 is gone: keepdim=True leaves it in place."
    if squeezed and got.ndim > right.ndim:
        return "a dimension of size 1 is left over: without keepdim it goes."
    if got.ndim == right.ndim and got.ndim >= 2 and got.shape == right.shape[:-2] + right.shape[-2:][::-1]:
        return "the last two dimensions are exchanged."
    return ""


_DTYPES = {
    ("float64", "float32"): "float64 crept in. Data is float32 by default: convert once, where it enters.",
    ("float32", "int64"): "integers became floating point. Whole numbers keep their dtype.",
    ("float32", "bool"): "a truth value became a number. A comparison gives booleans.",
    ("float32", "float64"): "float64 was asked for and lost on the way: keep the dtype of the input.",
}


# ---- rows of numbers ------------------------------------------------------------------------------------


def rows(array: Array, digits: int = 4) -> str:
    """An array as aligned rows, cut to a few; leading dimensions run on below each other."""
    if not array.size:
        return "(empty)"
    return _rows(_flat(array) if array.ndim else array.reshape(1, 1), digits, cut=True)


def _rows(table: Array, digits: int, *, cut: bool = False) -> str:
    short = table[:ROWS, :COLUMNS]
    cells = [[_number(n, digits) for n in row] for row in short]
    wide = max((len(c) for row in cells for c in row), default=0)
    more = "  …" if cut and table.shape[1] > COLUMNS else ""
    lines = ["  ".join(f"{c:>{wide}}" for c in row) + more for row in cells]
    if cut and table.shape[0] > ROWS:
        lines.append(f"… {table.shape[0]} rows")
    return "\n".join(lines)


def _number(value: Any, digits: int) -> str:
    if isinstance(value, np.bool_):
        return str(bool(value))
    if not isinstance(value, np.floating):
        return str(value)
    if not np.isfinite(value):
        return str(float(value))
    size = abs(float(value))
    if size and (size >= 1e6 or size < 10.0**-digits):
        return f"{float(value):.3e}"
    return f"{float(value):.{digits}f}"
