"""What a milestone shows beside its claims: curves, tables of mistakes, pictures, bars. Plain data; reports draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_STEPS = 200  # of a curve: longer ones are thinned
MOST_PIXELS = 64  # along a side of a picture
MOST_LINES = 60  # of a passage
MOST_SIGNS = 400  # of one of its lines
LARGEST = 1e12  # a number beyond it is drawn as this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a curve: its name, and a value for each step."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How something changed, step by step. `across` names the steps (`epoch`), `unit` stands behind the values."""

    kind: ClassVar[str] = "curve"
    title: str
    across: str
    lines: tuple[Line, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """What was taken for what: `counts[i][j]` things of class `names[i]` were said to be `names[j]`."""

    kind: ClassVar[str] = "matrix"
    title: str
    down: str
    across: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture. Each row is a string of hexadecimal digits.

    A pixel of a grey picture has two, `00` paper to `ff` ink; one of a coloured picture six, for red, green and blue.
    """

    rows: tuple[str, ...]
    caption: str = ""
    coloured: bool = False

    @property
    def pixels(self) -> list[list[int]]:
        """The rows as numbers from 0 to 255: of colours, how bright they are."""
        rows = [bytes.fromhex(row) for row in self.rows]
        return [_brightness(row) for row in rows] if self.coloured else [list(row) for row in rows]


def _brightness(row: bytes) -> list[int]:
    """How bright an eye takes each pixel to be (ITU-R BT.601)."""
    return [
        (299 * red + 587 * green + 114 * blue) // 1000
        for red, green, blue in zip(row[::3], row[1::3], row[2::3], strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A few pictures of one size, side by side."""

    kind: ClassVar[str] = "pictures"
    title: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """How something is shared among a few names, in parts of 1."""

    kind: ClassVar[str] = "bars"
    title: str
    names: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Lines of text: a dialogue, or what a model wrote."""

    kind: ClassVar[str] = "passage"
    title: str
    lines: tuple[str, ...]


Exhibit = Curve | Matrix | Pictures | Bars | Passage


def as_dict(exhibit: Exhibit) -> dict[str, Any]:
    """Plain types only; `kind` says which exhibit it is."""
    return {"kind": exhibit.kind, **asdict(exhibit)}


def from_dict(data: dict[str, Any]) -> Exhibit:
    """The inverse of `as_dict`, also after a journey through JSON."""
    kind, title = data["kind"], data["title"]
    if kind == Curve.kind:
        lines = tuple(Line(name=line["name"], values=tuple(line["values"])) for line in data["lines"])
        return Curve(title=title, across=data["across"], lines=lines, unit=data["unit"])
    if kind == Matrix.kind:
        counts = tuple(tuple(row) for row in data["counts"])
        return Matrix(title=title, down=data["down"], across=data["across"], names=tuple(data["names"]), counts=counts)
    if kind == Pictures.kind:
        pictures = tuple(Picture(**{**each, "rows": tuple(each["rows"])}) for each in data["pictures"])
        return Pictures(title=title, pictures=pictures)
    if kind == Passage.kind:
        return Passage(title=title, lines=tuple(data["lines"]))
    return Bars(title=title, names=tuple(data["names"]), shares=tuple(data["shares"]))


# ---- making them: whatever the student's code sent becomes plain and bounded, or nothing ----------------------


def answered(said: Any, shape: tuple[int, ...]) -> bool:
    """Whether these are numbers in the shape of the answers."""
    return type(said) is np.ndarray and said.shape == shape and said.dtype.kind in "fiub"


def curve(title: str, across: str, lines: Mapping[str, Any], unit: str = "") -> list[Curve]:
    """A curve with a line for each series of numbers; none where no series can be drawn."""
    found = tuple(Line(name=name, values=values) for name, said in lines.items() if (values := _series(said)))
    return [Curve(title=title, across=across, lines=found, unit=unit)] if found else []


def _series(said: Any) -> tuple[float, ...]:
    """A list or array of numbers up to the first that is not finite, thinned to what can be seen.

    >>> _series([3, 2.5, float("nan"), 1]), _series(["no"]), _series([])
    ((3.0, 2.5), (), ())
    """
    values = said.tolist() if type(said) is np.ndarray and said.ndim == 1 and said.dtype.kind in "fiub" else said
    if type(values) not in (list, tuple) or len(values) > 1_000_000 or not all(type(v) in (int, float) for v in values):
        return ()
    series = np.array([min(max(v, -LARGEST), LARGEST) for v in values], np.float64)  # max and min keep a nan
    strange = np.flatnonzero(np.isnan(series))
    series = series[: strange[0]] if len(strange) else series
    chosen = np.linspace(0, len(series) - 1, min(len(series), MOST_STEPS)).round().astype(int)
    return tuple(float(v) for v in series[chosen])


def confusion(title: str, said: Any, answers: Array, names: Sequence[str]) -> list[Matrix]:
    """How many things of each class were taken for which; none where the answers have not the right shape.

    >>> confusion("mistakes", np.array([1, 1, 0]), np.array([0, 1, 0]), ["0", "1"])[0].counts
    ((1, 1), (0, 1))
    """
    if not answered(said, answers.shape):
        return []
    kinds = range(len(names))
    counts = tuple(tuple(int(np.sum((answers == i) & (said == j))) for j in kinds) for i in kinds)
    return [Matrix(title=title, down="was", across="taken for", names=tuple(names), counts=counts)]


def pictures(title: str, images: Array, captions: Sequence[str], ink: float) -> list[Pictures]:
    """Pictures of numbers from 0 to `ink`; none where there is nothing to draw.

    Grey ones are (n, height, width) or (n, 1, height, width), coloured ones (n, 3, height, width) for red, green, blue.
    """
    if type(images) is not np.ndarray or images.dtype.kind not in "fiub" or not images.size:
        return []
    images = images[:, None] if images.ndim == 3 else images  # (n, channels, height, width)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        return []
    small = np.nan_to_num(images[..., :MOST_PIXELS, :MOST_PIXELS].astype(np.float64), posinf=ink, neginf=0.0)
    bright = np.clip(small / ink * 255, 0, 255).round().astype(np.uint8).transpose(0, 2, 3, 1)
    coloured = images.shape[1] == 3
    shown = tuple(
        Picture(rows=tuple(row.tobytes().hex() for row in image), caption=says, coloured=coloured)
        for image, says in zip(bright, captions, strict=False)
    )
    return [Pictures(title=title, pictures=shown)] if shown else []


def filters(title: str, weights: Any, most: int = 16) -> list[Pictures]:
    """The first filters (n, 1 or 3, height, width) of a convolution, each stretched from its least to its largest."""
    if type(weights) is not np.ndarray or weights.ndim != 4 or weights.dtype.kind != "f" or not weights.size:
        return []
    few = np.nan_to_num(weights[:most].astype(np.float64), posinf=LARGEST, neginf=-LARGEST)
    least, largest = (edge(few, axis=(1, 2, 3), keepdims=True) for edge in (np.min, np.max))
    return pictures(title, (few - least) / np.maximum(largest - least, 1e-12), [""] * most, ink=1)


def bars(title: str, names: Sequence[str], shares: Any) -> list[Bars]:
    """A share for each name; none where these are not that many numbers from 0 to 1."""
    values = _series(shares)
    if len(values) != len(names) or not all(0 <= value <= 1 for value in values):
        return []
    return [Bars(title=title, names=tuple(names), shares=values)]


def passage(title: str, text: str) -> list[Passage]:
    r"""The lines of a text, as many and as long as can be read; none where nothing is written.

    >>> passage("verse", "one\ntwo\n")[0].lines, passage("nothing", " \n")
    (('one', 'two'), [])
    """
    lines = tuple(line.rstrip()[:MOST_SIGNS] for line in text.strip("\n").split("\n", MOST_LINES)[:MOST_LINES])
    return [Passage(title=title, lines=lines)] if any(lines) else []


def examples(
    title: str,
    images: Array,
    said: Any,
    answers: Array,
    ink: float,
    most: int = 4,
    names: Sequence[str] = (),
) -> list[Pictures]:
    """A few pictures with what they are and what they were taken for: half of them mistakes, where there are any.

    `names` are those of the classes, where numbers say nothing.
    """
    if not answered(said, answers.shape):
        return []
    wrong = np.flatnonzero(said != answers)[: most // 2]
    few = [*np.flatnonzero(said == answers)[: most - len(wrong)], *wrong]
    return pictures(title, images[few], [_reading(answers[i], said[i], names) for i in few], ink)


def _reading(right: float, said: float, names: Sequence[str]) -> str:
    """What a picture shows, and what it was taken for.

    >>> _reading(3, 5, ()), _reading(0, 1, ["cat", "dog"]), _reading(0, 0, ["cat", "dog"])
    ('3, read as 5', 'cat, not dog', 'cat')
    """
    if not names:
        return f"{right:g}, read as {said:g}"
    taken = names[int(said)] if said in range(len(names)) else f"{said:g}"
    return names[int(right)] if said == right else f"{names[int(right)]}, not {taken}"


def reading(picture: Array | None, shares: Any, names: Sequence[str], ink: float) -> list[Pictures | Bars]:
    """The student's own picture as the network sees it, and what it takes it for; nothing where there is none."""
    if picture is None:
        return []
    seen = pictures("Your digit, as your network sees it", picture[None], [""], ink)
    share, best = max(zip(_series(shares), names, strict=False), default=(0.0, ""))
    return [*seen, *bars(f"It reads your digit as {best}, with {100 * share:.1f} %", names, shares)]
