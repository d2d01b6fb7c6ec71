"""The vocabulary of a check: what the files in `checkpoints/` say, and nothing else.

A check calls the student's code over handles, works out by itself what is right, and says `same(...)` or
`raises(...)`. A difference becomes a `Mismatch` that holds what the student reads: what was called, what was
expected, what came back, where they differ, and the likely mistake where the wrong value was recognised.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import layout
from .handles import Handle, World, definitions, expression, isinstance_, kind, named
from .outcome import Finding

__all__ = [
    "Draw",
    "Mismatch",
    "Mistake",
    "calm",
    "exercise",
    "named",
    "raises",
    "same",
    "same_array",
    "tensor_data",
    "unchanged",
]

Array = NDArray[Any]
Check = TypeVar("Check", bound=Callable[..., None])
Show = tuple[str, Callable[[Array], Array]]


class Mismatch(AssertionError):
    """The student's code gave something else than what is right."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.call}: expected {finding.expected}, got {finding.got}")
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Mistake:
    """The value that a usual mistake gives, and what to say to somebody whose code gives it.

    `value` is worked out by running the wrong variant; it is named only where the student's value equals it and
    it differs from the right one. A `value` that raised no number of its own (None) is never matched.
    """

    value: ArrayLike | None
    says: str


@dataclass(frozen=True, slots=True)
class About:
    """What a check is about: an exercise of its module (None: the environment), and what it is worth."""

    exercise: str | None
    points: int


def exercise(name: str | None, *, points: int) -> Callable[[Check], Check]:
    """Say which exercise a check verifies, as `course.py` names it, and how many points it is worth."""

    def mark(check: Check) -> Check:
        check.about = About(name, points)  # type: ignore[attr-defined]  # functions take attributes
        return check

    return mark


# ---- inputs ---------------------------------------------------------------------------------------------


class Draw:
    """Random inputs of one check. `draw(2, 3)` is a float32 array of eighths in [-3, 3], which print exactly."""

    def __init__(self, seed: int, salt: int) -> None:
        self.seed = seed
        self.rng = np.random.default_rng([seed, salt])

    def __call__(self, *shape: int) -> Array:
        """Multiples of 1/8 in [-3, 3], never zero, float32."""
        eighths = self.rng.integers(1, 25, shape) * self.rng.choice([-1, 1], shape)
        return np.asarray(eighths / 8, np.float32)

    def positive(self, *shape: int) -> Array:
        """Multiples of 1/8 in (0, 3], float32."""
        return np.abs(self(*shape))

    def distinct(self, *shape: int) -> Array:
        """Multiples of 1/8, all different, float32: no ties for a maximum."""
        count = int(np.prod(shape))
        return np.asarray((self.rng.permutation(2 * count + 1)[:count] - count) / 8, np.float32).reshape(shape)

    def normal(self, *shape: int) -> Array:
        """Standard normal numbers, float32."""
        return self.rng.standard_normal(shape).astype(np.float32)

    def uniform(self, low: float, high: float, *shape: int) -> Array:
        """Uniform numbers in [low, high), float32."""
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def integers(self, low: int, high: int, *shape: int) -> Array:
        """Integers in [low, high), int64."""
        return self.rng.integers(low, high, shape, dtype=np.int64)

    def sizes(self, count: int) -> tuple[int, ...]:
        """`count` (at most 5) different sizes from 2 to 6, so that a transposed shape shows."""
        return tuple(int(n) for n in self.rng.choice(np.arange(2, 7), count, replace=False))

    def permutation(self, count: int) -> Array:
        """0 to count - 1 in random order, int64."""
        return self.rng.permutation(count).astype(np.int64)

    def choice(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]


# ---- verdicts -------------------------------------------------------------------------------------------


def same(
    actual: Any,
    expected: Any,
    *,
    dtype: DTypeLike | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    mistakes: Iterable[Mistake] = (),
    smaller: str = "",
    show: Show | None = None,
    what: str = "",
) -> None:
    """The student's value is the right one.

    An `expected` array (or NumPy scalar) asks for a Tensor with this shape, dtype and these values: floating
    point is compared as float32, integers as int64, unless `dtype` says otherwise. Any other `expected` is a plain
    value: a shape, a number, a string, a list. `show` is a derived number to print beside each row, such as
    `("row sum", lambda y: y.sum(-1))`; `what` replaces the call's own text.
    """
    __tracebackhide__ = True
    story = _Story(actual, what, smaller, show)
    if isinstance(expected, np.ndarray | np.generic):
        got: Any = _tensor_data(actual, story, expected)
        _compare(got, _right(expected, dtype), story, rtol, atol, mistakes)
    else:
        _compare_plain(actual, expected, story, rtol, atol, mistakes)


def same_array(
    actual: Any,
    expected: ArrayLike,
    *,
    dtype: DTypeLike | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    mistakes: Iterable[Mistake] = (),
    smaller: str = "",
    show: Show | None = None,
    what: str = "",
) -> None:
    """Like `same`, for what must be a plain NumPy array (`x.numpy()`, an array that a probe returns)."""
    __tracebackhide__ = True
    story = _Story(actual, what, smaller, show)
    if type(actual) is not np.ndarray:
        story.fail(layout.describe(np.asarray(expected)), _nature(actual), mistake="a plain NumPy array is due here.")
    _compare(actual, _right(expected, dtype), story, rtol, atol, mistakes)


def tensor_data(handle: Any, *, what: str = "") -> Array:
    """The array of a Tensor, for a verdict that `same` cannot state; anything else than a Tensor is a mismatch."""
    __tracebackhide__ = True
    return _tensor_data(handle, _Story(handle, what, "", None), None)


def unchanged(handle: Any, array: Array, *, what: str = "") -> None:
    """A tensor still holds the numbers that it was made from."""
    __tracebackhide__ = True
    story = _Story(handle, what, "", None)
    got = _tensor_data(handle, story, array)
    if got.shape != array.shape or not np.array_equal(got, array, equal_nan=got.dtype.kind == "f"):
        story.fail(
            layout.describe(array),
            layout.describe(got),
            mistake="the function writes into its input. Work on a new array: the caller still needs the old one.",
        )


def raises(
    kinds: type[Exception] | tuple[type[Exception], ...],
    call: Callable[[], Any],
    *,
    mentions: Iterable[Any] = (),
    smaller: str = "",
) -> None:
    """The student's code refuses a bad call with one of these exceptions, and its message says what it was given."""
    __tracebackhide__ = True
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    names = " or ".join(kind_.__name__ for kind_ in wanted)
    mentions = list(mentions)
    due = f"{names}, with {_and(mentions)} in its message" if mentions else names
    try:
        value = call()
    except Exception as error:
        remote = getattr(error, "remote", None)
        if remote is None or remote.importing or remote.bases[0] == "NotImplementedError":
            raise
        story = _Story(None, remote.expression, smaller, None, remote.definitions)
        got = f"{remote.kind}: {remote.message}"
        if not _is_one_of(wanted, remote.bases):
            story.fail(due, got)
        missing = [value for value in mentions if not _mentioned(value, remote.message)]
        if missing:
            story.fail(due, got, difference=f"the message does not say {_and(missing)}")
        return
    story = _Story(value, "", smaller, None)
    story.fail(due, f"no error; {_nature(value)} came back", mistake="nothing looks at the input before it is used.")


@contextlib.contextmanager
def calm(tt: Any) -> Iterator[None]:
    """The student's code gives no warning inside the block (`RuntimeWarning: overflow encountered in exp`)."""
    __tracebackhide__ = True
    world: World = tt._world
    before = len(world.warnings())
    yield
    fresh = [w for w in world.warnings()[before:] if w.category == "RuntimeWarning"]
    if fresh:
        first = fresh[0]
        _Story(None, f"{first.file}:{first.line}", "", None).fail(
            "no warning",
            f"{first.category}: {first.text}",
            mistake="a number left the range of float32 on the way. Rearrange the formula so that it cannot.",
        )


# ---- how a difference becomes a finding -------------------------------------------------------------------


class _Story:
    """What is told of one comparison: the call, and what the check's author wants shown with it.

    The texts are worked out when a comparison fails, which most never do.
    """

    def __init__(
        self, actual: Any, what: str, smaller: str, show: Show | None, given: dict[str, str] | None = None
    ) -> None:
        self._actual = actual
        self._what = what
        self._given = given
        self.smaller = smaller
        self.show = show

    def _call(self) -> str:
        return self._what or (expression(self._actual) if isinstance(self._actual, Handle) else "")

    def _definitions(self) -> tuple[str, ...]:
        known = self._given
        if known is None:
            known = definitions(self._actual) if isinstance(self._actual, Handle) else {}
        return tuple(f"{name} = {text}" for name, text in known.items())

    def fail(self, expected: str, got: str, *, difference: str = "", mistake: str = "") -> None:
        __tracebackhide__ = True
        raise Mismatch(
            Finding(
                call=self._call(),
                given=self._definitions(),
                expected=expected,
                got=got,
                difference=difference,
                mistake=mistake,
                smaller=self.smaller,
            )
        )


def _tensor_data(value: Any, story: _Story, expected: Any) -> Array:
    __tracebackhide__ = True
    if not isinstance(value, Handle) or not isinstance_(value, value._tinytorch.world.tt.Tensor):
        story.fail(_due(expected), _nature(value), mistake=_not_a_tensor(value))
    data = value.data
    if type(data) is not np.ndarray:
        got = f"a Tensor whose .data is {_nature(data)}"
        story.fail(_due(expected), got, mistake="a Tensor's .data is always a plain NumPy array.")
    return data  # type: ignore[no-any-return]  # just seen to be one


def _due(expected: Any) -> str:
    return "a Tensor" if expected is None else layout.describe(np.asarray(expected))


def _right(expected: ArrayLike, dtype: DTypeLike | None) -> Array:
    right = np.asarray(expected)
    if dtype is not None:
        return right.astype(dtype)
    usual = {"f": np.float32, "i": np.int64, "u": np.int64}.get(right.dtype.kind)
    return right.astype(usual) if usual else right


def _compare(
    got: Array, right: Array, story: _Story, rtol: float | None, atol: float | None, mistakes: Iterable[Mistake]
) -> None:
    __tracebackhide__ = True
    if got.dtype == right.dtype and _close(got, right, rtol, atol):
        return
    found = layout.compare(got, right, story.show, lambda a, b: _close(a, b, rtol, atol))
    story.fail(
        found.expected,
        found.got,
        difference=found.difference,
        mistake=_recognise(got, right, mistakes, rtol, atol) or found.mistake,
    )


def _close(a: Array, b: Array, rtol: float | None, atol: float | None) -> bool:
    if a.shape != b.shape:
        return False
    equal = bool(np.array_equal(a, b))
    if equal or a.dtype.kind not in "fc" or b.dtype.kind not in "fc":
        return equal
    double = a.dtype == np.float64 and b.dtype == np.float64
    rtol = (1e-10 if double else 1e-5) if rtol is None else rtol
    if atol is None:
        finite = np.abs(b[np.isfinite(b)])
        atol = (1e-12 if double else 1e-6) * max(1.0, float(finite.max(initial=0.0)))
    with np.errstate(all="ignore"):  # what overflows here is just not close
        return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))


def _recognise(
    got: Any, right: Any, mistakes: Iterable[Mistake], rtol: float | None = None, atol: float | None = None
) -> str:
    """What to say when the student's value is the one that a usual mistake gives."""
    for mistake in mistakes:
        if mistake.value is None:
            continue
        wrong = np.asarray(mistake.value)
        if wrong.dtype.kind == "f":
            wrong = wrong.astype(np.result_type(np.asarray(right).dtype, np.float32))
        if _close(np.asarray(got), wrong, rtol, atol) and not _close(np.asarray(right), wrong, rtol, atol):
            return mistake.says
    return ""


def _compare_plain(
    actual: Any, expected: Any, story: _Story, rtol: float | None, atol: float | None, mistakes: Iterable[Mistake]
) -> None:
    __tracebackhide__ = True
    if _plainly_equal(actual, expected, rtol, atol):
        return
    recognised = ""
    if isinstance(actual, bool | int | float | tuple | list | str):
        with contextlib.suppress(ValueError, TypeError):  # ragged lists and mixed tuples match no mistake
            recognised = _recognise(actual, expected, mistakes, rtol, atol)
    story.fail(layout.plain(expected), _nature(actual) if isinstance(actual, Handle) else layout.plain(actual),
               mistake=recognised)  # fmt: skip


def _plainly_equal(actual: Any, expected: Any, rtol: float | None, atol: float | None) -> bool:
    """Equal in value and family of type; a NumPy number counts as the number it is. Floats are close one by one."""
    if isinstance(actual, np.generic):
        actual = actual.item()
    if isinstance(expected, tuple | list):
        return (
            type(actual) is type(expected)
            and len(actual) == len(expected)
            and all(_plainly_equal(a, e, rtol, atol) for a, e in zip(actual, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            type(actual) is dict
            and list(actual) == list(expected)
            and all(_plainly_equal(actual[k], expected[k], rtol, atol) for k in expected)
        )
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, float):
        return _close(np.asarray(actual, np.float32), np.asarray(expected, np.float32), rtol, atol)
    return bool(actual == expected)


def _nature(value: Any) -> str:
    """What came back, for a reader: `None`, `a list`, `a NumPy array (2, 3) float32`, `a Tensor`."""
    if isinstance(value, Handle):
        return f"an object of type {kind(value)}" if kind(value) != "Tensor" else "a Tensor"
    if isinstance(value, np.ndarray):
        return f"a NumPy array {layout.shape(value.shape)} {value.dtype}"
    if value is None:
        return "None"
    return f"{layout.plain(value)}, a plain {type(value).__name__}"


def _not_a_tensor(value: Any) -> str:
    if value is None:
        return "the function ends without a return."
    if isinstance(value, np.ndarray):
        return "the result is a bare NumPy array. Wrap it in a Tensor, or compute with Tensors throughout."
    return "a Tensor is due here."


def _is_one_of(wanted: Iterable[type[Exception]], bases: Sequence[str]) -> bool:
    names = {kind_.__name__ for kind_ in wanted}
    accidents = {"RecursionError", "NotImplementedError", "UnicodeError", "UnicodeDecodeError", "UnicodeEncodeError"}
    return bool(names & set(bases)) and (bases[0] not in accidents or bases[0] in names)


def _mentioned(value: Any, message: str) -> bool:
    """Whether a message holds a value; a shape counts in round or square brackets, with any spacing."""
    squeezed = message.replace(" ", "")
    if isinstance(value, tuple):
        inside = ",".join(str(n) for n in value)
        return any(form in squeezed for form in (f"({inside})", f"({inside},)", f"[{inside}]"))
    return str(value).replace(" ", "") in squeezed


def _and(values: Sequence[Any]) -> str:
    texts = [layout.shape(v) if isinstance(v, tuple) else str(v) for v in values]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
