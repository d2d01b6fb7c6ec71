"""What a milestone's script may use beside NumPy and the student's package.

A script says what the problems are (`problems`, and `full_problems` on the real benchmark), how the student's code
learns them (`run`), what must have been reached (`claims`) and what there is to see (`exhibits`). `run` runs beside
the student's code and gets each problem without its answers; the others run on the judge's side.
"""

from __future__ import annotations

import inspect
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .exhibits import answered, bars, confusion, curve, examples, filters, passage, pictures, reading
from .intervals import Times, interval, speedup, times
from .outcome import Claim
from .texts import codes, exact, texts

if TYPE_CHECKING:
    from .datasets import Digits, Images, Talk
    from .decoder import Witness
    from .exhibits import Passage

__all__ = [
    "Claim",
    "Data",
    "Problem",
    "Progress",
    "Times",
    "accuracies",
    "accuracy",
    "at_once",
    "bars",
    "beside_pytorch",
    "codes",
    "confusion",
    "curve",
    "exact",
    "examples",
    "filters",
    "interval",
    "main",
    "nats",
    "passage",
    "percent",
    "pictures",
    "reading",
    "speedup",
    "texts",
    "times",
    "tiny_digits",
    "tiny_talks",
    "untraced",
    "witness",
]

Array = NDArray[Any]


# ---- problems -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something to learn: what the student's code sees, and the answers that it does not see.

    `inputs` and `labels` are to learn from, `questions` are to be answered, `answers` stay with the judge. `sizes` are
    numbers that `run` is to use, such as how many epochs; `names` are those of the classes. `drawn` is a picture of the
    student's own, of the size of the questions, where `--digit` named one.
    """

    inputs: Array
    labels: Array
    questions: Array
    answers: Array
    names: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    drawn: Array | None = None

    def public(self) -> dict[str, Any]:
        """What travels to the student's code."""
        tasks = {"inputs": self.inputs, "labels": self.labels, "questions": self.questions}
        drawn = {} if self.drawn is None else {"drawn": self.drawn}
        return {**{name: _packed(array) for name, array in (tasks | drawn).items()}, **self.sizes}


MOST_NUMBERS = 1 << 26  # of an array that travels


def _packed(array: Array) -> Any:
    """Large images as rows of wider numbers, since the number of numbers that travel at once has its limit."""
    if array.size <= MOST_NUMBERS or array[:1].nbytes % 8:
        return array
    rows = np.ascontiguousarray(array).reshape(len(array), -1).view(np.uint64)
    return {"rows": rows, "shape": array.shape, "dtype": array.dtype}


def _unpacked(task: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `_packed`, for everything that has arrived."""
    return {
        name: part["rows"].view(part["dtype"]).reshape(part["shape"]) if type(part) is dict else part
        for name, part in task.items()
    }


class Data:
    """The data sets of a full stage: taken from the data folder, or downloaded into it.

    `notes` are sentences about files that are not the published ones. A data set that cannot be had is a `DataError`.
    """

    def __init__(self, folder: Path | None, progress: Callable[[str], None] = lambda line: None) -> None:
        self._folder = folder
        self._progress = progress
        self.notes: list[str] = []

    def mnist(self) -> Digits:
        """MNIST: images of 28 x 28 pixels from 0 (paper) to 255 (ink)."""
        from .datasets import data_folder, mnist  # noqa: PLC0415 -- what downloads is loaded when it is needed

        digits = mnist(data_folder(self._folder), progress=self._arrives)
        self.notes += [digits.note] if digits.note else []
        return digits

    def cifar10(self) -> Images:
        """CIFAR-10: colour photographs of 32 x 32 pixels, red, green and blue from 0 to 255, of ten kinds of things."""
        from .datasets import cifar10, data_folder  # noqa: PLC0415 -- likewise

        images = cifar10(data_folder(self._folder), progress=self._arrives)
        self.notes += [images.note] if images.note else []
        return images

    def shakespeare(self) -> str:
        """Tiny Shakespeare: a million characters of plays."""
        from .datasets import data_folder, shakespeare_note, tiny_shakespeare  # noqa: PLC0415 -- likewise

        folder = data_folder(self._folder)
        text, note = tiny_shakespeare(folder, progress=self._arrives), shakespeare_note(folder)
        self.notes += [note] if note else []
        return text

    def _arrives(self, file: str, arrived: int, total: int) -> None:
        self._progress(f"downloading {file}: {100 * arrived // max(total, 1)} %")


def tiny_digits() -> Digits:
    """TinyDigits, which comes with the plugin: images of 8 x 8 pixels from 0 (paper) to 16 (ink)."""
    from .datasets import tiny_digits as load  # noqa: PLC0415 -- only scripts on the judge's side ask

    return load()


def tiny_talks() -> list[Talk]:
    """TinyTalks, which come with the plugin: 350 questions with their answers, in five levels and three splits."""
    from .datasets import tiny_talks as load  # noqa: PLC0415 -- likewise

    return load()


class Progress:
    """Live progress of a milestone: the latest line, in a file that the judge's side reads while we work."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._last = 0.0
        self._first: tuple[float, float] | None = None

    def __call__(self, line: str, done: float | None = None) -> None:
        """Show a line; at most ten a second are kept. `done`, a share of the work, adds how long the rest will take."""
        now = time.monotonic()
        if done is not None:
            self._first = self._first or (now, done)
            line += _time_left(now - self._first[0], done - self._first[1], 1 - done)
        if self._path is not None and now - self._last >= 0.1:
            self._last = now
            self._path.write_text(line[:200] + "\n", encoding="utf-8", errors="replace")


def _time_left(seconds: float, done: float, left: float) -> str:
    """What a share took tells what the rest will take.

    >>> _time_left(10, 0.25, 0.75), _time_left(100, 0.25, 0.75), _time_left(0, 0, 1)
    (', 30 s left', ', 5 min left', '')
    """
    if seconds <= 0 or done <= 0:
        return ""
    rest = seconds * left / done
    return f", {rest:.0f} s left" if rest < 120 else f", {rest / 60:.0f} min left"


# ---- claims -------------------------------------------------------------------------------------------------


def accuracy(said: Any, answers: Array) -> float:
    """The share of answers that are right; what has not the answers' shape, or is no number, is all wrong.

    >>> accuracy(np.array([1.0, 0.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0]))
    0.75
    """
    return float(np.mean(said == answers)) if answered(said, answers.shape) else 0.0


def accuracies(said: Any, answers: Array) -> list[float]:
    """The accuracy of each row, where the same questions were answered again and again; none of any other shape.

    >>> accuracies(np.array([[0, 1], [1, 1], [1, 0]]), np.array([1, 1]))
    [0.5, 1.0, 0.5]
    """
    several = type(said) is np.ndarray and said.ndim == answers.ndim + 1
    return [accuracy(row, answers) for row in said] if several and said.shape[1:] == answers.shape else []


def nats(said: Any, answers: Array) -> float:
    """The cross-entropy of log-probabilities (n, classes): what the right classes cost on average, in nats.

    It is infinite unless every row is a distribution, that is, unless the probabilities add up to 1.

    >>> round(nats(np.log([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]), np.array([1, 1])) / math.log(2), 4)
    1.5
    >>> nats(np.zeros((2, 3)), np.array([1, 0])), nats(None, np.array([1, 0]))
    (inf, inf)
    """
    if type(said) is not np.ndarray or said.ndim != 2 or said.dtype.kind != "f" or len(said) != len(answers):
        return math.inf
    rows = said.astype(np.float64)
    with np.errstate(all="ignore"):
        distributions = bool(np.all(np.abs(np.exp(rows).sum(axis=1) - 1) < 1e-3))
    fits = distributions and len(answers) > 0 and answers.max() < rows.shape[1]
    return float(-rows[np.arange(len(answers)), answers].mean()) if fits else math.inf


def percent(share: float) -> str:
    """A share as reports print it: 0.755 is `75.5 %`.

    >>> percent(0.755), percent(1.0)
    ('75.5 %', '100 %')
    """
    return f"{100 * share:.1f} %".replace(".0 %", " %")


# ---- the Olympics -------------------------------------------------------------------------------------------


def witness(sent: Any, asked: list[str], alphabet: list[str], ids: Any, end: Any, sizes: Mapping[str, int]) -> Witness:
    """What a GPT's arrays that travelled answer in the judge's own hands; see `decoder.witness`."""
    from .decoder import witness as hear  # noqa: PLC0415 -- the student's side has no use for it

    with one_blas_thread():
        return hear(sent, asked, alphabet, ids, end, sizes)


def beside_pytorch(rows: Mapping[str, tuple[float, Mapping[str, Any]]]) -> list[Passage]:
    """The student's seconds and PyTorch's, for each network by name; one sentence where PyTorch is not installed."""
    from .pytorch import compared  # noqa: PLC0415 -- likewise

    return compared(rows)


# ---- beside the student's code --------------------------------------------------------------------------------


def at_once(work: Callable[..., Any], parts: Iterable[tuple[Any, ...]]) -> list[Any]:
    """What `work` makes of each part, in their order: the first here, each other in a thread of its own.

    NumPy lets other threads go on while it computes. An error of any part is raised here.
    """
    first, *others = parts
    made: dict[int, Any] = {}
    errors: list[BaseException] = []

    def one(n: int, part: tuple[Any, ...]) -> None:
        try:
            made[n] = work(*part)
        except BaseException as error:  # noqa: BLE001 -- raised again where the parts come together
            errors.append(error)

    threads = [threading.Thread(target=one, args=numbered, daemon=True) for numbered in enumerate(others, start=1)]
    for thread in threads:
        thread.start()
    made[0] = work(*first)
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [made[n] for n in range(len(made))]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products on one thread each: those of a course are small, and several threads wait for each other.

    Where two programs share the cores, they wait a hundred times as long as they compute.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 -- looks through all libraries that are loaded

    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def untraced() -> Iterator[None]:
    """No note is taken of which lines run meanwhile: it makes Python slower, and NumPy not.

    Times that are to be compared, and long learning whose lines have run before, are to be had without it.
    """
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(trace)


def main(script: str) -> None:
    """Run a milestone's script by itself, on the package beside it, and leave with 0 or 1.

    This is for trying things out: the script may have been edited, so nothing is remembered. What counts is
    `pytest --milestone`.
    """
    from .milestones import run_script  # noqa: PLC0415 -- the student's side of a run needs no judge

    raise SystemExit(run_script(Path(script).resolve(), sys.argv[1:]))


def beside(
    tt: Any,
    source: str,
    tasks: Mapping[str, Any],
    seed: int,
    live: str | None,
    measure: str | None,
    folder: str | None = None,
) -> dict[str, Any]:
    """Run a script's `run` beside the student's code; this is what travels to the student's side.

    Gives back its answers and, where `measure` names the package's folder, which lines of it ran. A `run` that takes
    one is given the `folder` for what an interrupted run is to find again; it is None where nothing can be kept.
    """
    namespace: dict[str, Any] = {"__name__": "milestone"}
    exec(compile(source, "<milestone>", "exec"), namespace)  # noqa: S102 -- the installed script's own source
    play: Callable[..., dict[str, Any]] = namespace["run"]
    tasks = {name: _unpacked(task) for name, task in tasks.items()}
    keep = {"folder": folder} if "folder" in inspect.signature(play).parameters else {}
    cover = _coverage(measure)
    try:
        with one_blas_thread():
            answers = play(tt, tasks, seed, Progress(live), **keep)
    finally:
        if cover is not None:
            cover.stop()
    return {"answers": answers, "lines": _lines(cover, measure)}


def _coverage(folder: str | None) -> Any:
    """A running measurement of one folder, in memory; None where somebody else measures already."""
    import coverage  # noqa: PLC0415 -- slow to import, and only milestones measure

    if folder is None or coverage.Coverage.current() is not None:
        return None
    cover = coverage.Coverage(data_file=None, include=[f"{folder}/*"], config_file=False, messages=False)
    cover.start()
    return cover


def _lines(cover: Any, folder: str | None) -> dict[str, list[list[int]]]:
    """For each file that ran: its statements, and those of them that ran."""
    if cover is None:
        return {}
    found = {}
    for file in sorted(cover.get_data().measured_files()):
        _, statements, _, missing, _ = cover.analysis2(file)
        found[Path(file).name] = [statements, sorted(set(statements) - set(missing))]
    return found
