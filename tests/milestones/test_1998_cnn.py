"""1998: a CNN beside the network of 1986, photographs, and runs that are interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_tinytorch import course, lab, milestones
from pytest_tinytorch.datasets import Images, cifar10
from pytest_tinytorch.datasets.cifar import NAMES
from pytest_tinytorch.exhibits import Curve, Matrix, Pictures
from pytest_tinytorch.handles import open_loop
from pytest_tinytorch.outcome import Outcome
from pytest_tinytorch.unfinished import Unfinished
from tests.conftest import REPOSITORY

from .conftest import HOMES, Player, reached, replace

if TYPE_CHECKING:
    from pytest_tinytorch.outcome import MilestoneResult

SCRIPT = REPOSITORY / "milestones" / "1998_cnn.py"
REAL = REPOSITORY.parent / "shared" / "datasets" / "unpack_cifar10.py"
CNN = next(each for each in course.MILESTONES if each.year == 1998)


class Short:
    """A full stage on few photographs, on any package."""

    def __init__(self, required: float, **sizes: int) -> None:
        self.script = milestones.load(SCRIPT)
        self.script.module.FULL.update({"epochs": 3, "batch": 32, "held": 96} | sizes)
        vars(self.script.module)["REQUIRED"] = required

    def play(self, player: Player, *, isolated: bool = False, **stage: Any) -> MilestoneResult:
        """Replay it."""
        return player.replay(self.script, CNN, isolated=isolated, **{"full": True, "limit": 300.0} | stage)

    def unfinished(self, root: Path, player: Player) -> Unfinished:
        """The place of its unfinished work."""
        return Unfinished.of(root, 1998, self.script.source, player.package)


def painted(count: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Pictures that are noise around the colour of their class."""
    colours = np.random.default_rng(0).uniform(60, 190, (10, 3, 1, 1))
    labels = rng.integers(0, 10, count)
    images = colours[labels] + rng.normal(0, 40, (count, 3, 32, 32))
    return images.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Short:
    """A full stage on 480 painted pictures, where 60 % are asked for."""
    rng = np.random.default_rng(1)
    data = Images(*painted(480, rng), *painted(128, rng), names=NAMES)
    monkeypatch.setattr(lab.Data, "cifar10", lambda self: data)
    return Short(required=0.6)


# ---- TinyDigits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_the_network_of_1986_is_beaten_from_every_seed(seed: int, solution: Player) -> None:
    result = solution.play(1998, seed=seed * 7919)
    assert result.outcome is Outcome.PASSED, result
    mlp, cnn = reached(result)
    assert mlp >= 93
    assert cnn >= 98


def test_isolated(solution: Player) -> None:
    assert solution.play(1998, isolated=True).outcome is Outcome.PASSED


def test_what_there_is_to_see(solution: Player) -> None:
    loss, filters, mistakes, digits = solution.play(1998).exhibits
    assert isinstance(loss, Curve)
    assert [line.name for line in loss.lines] == ["MLP of 1986", "CNN"]
    assert all(line.values[0] > line.values[-1] for line in loss.lines)
    assert isinstance(filters, Pictures)
    assert [len(picture.rows) for picture in filters.pictures] == [3] * 16
    assert isinstance(mistakes, Matrix)
    assert [sum(row) for row in mistakes.counts] == [20] * 10
    assert isinstance(digits, Pictures)


def count(source: str) -> dict[str, int]:
    """How many numbers each network learns; this function's text runs beside the package."""
    script: dict[str, Any] = {"__name__": "milestone"}
    exec(source, script)  # noqa: S102 -- the script's own source
    package: Any = tt  # type: ignore[name-defined]  # noqa: F821 -- tt is there
    nets = {
        script["MLP"]: script["network_of_1986"](package),
        script["CNN"]: script["network"](package, (1, 16, 32), 8),
    }
    return {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}


def test_the_numbers_that_each_network_learns_are_counted_right(solution: Player) -> None:
    script = milestones.load(SCRIPT)
    sessions = open_loop(solution.package, homes=HOMES)
    world = sessions.begin(limit=30.0, trace=False)
    try:
        assert world.lab(count, script.source) == script.module.NUMBERS
    finally:
        world.close()
        sessions.close()


# ---- photographs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolated", [False, True])
def test_painted_pictures_are_sorted(isolated: bool, short: Short, solution: Player) -> None:
    result = short.play(solution, isolated=isolated)
    assert result.outcome is Outcome.PASSED, result
    held, loss, filters, mistakes, photographs = result.exhibits
    assert isinstance(held, Curve)
    assert len(held.lines[0].values) == 3
    assert isinstance(loss, Curve)
    assert isinstance(filters, Pictures)
    assert filters.pictures[0].coloured
    assert isinstance(mistakes, Matrix)
    assert mistakes.names == NAMES
    assert isinstance(photographs, Pictures)
    assert photographs.pictures[0].coloured


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """The first photographs of CIFAR-10."""
    if not REAL.is_file():
        pytest.skip("the real images lie beside the repository where there are any")
    pytest.importorskip("PIL", reason="unpacking the real images needs Pillow")
    folder = tmp_path_factory.mktemp("cifar")
    subprocess.run([sys.executable, str(REAL), str(folder)], check=True, capture_output=True)  # noqa: S603 -- unpacks
    data = cifar10(folder, download=False)
    return data._replace(
        train_images=data.train_images[:6000].copy(),
        train_labels=data.train_labels[:6000],
        test_images=data.test_images[:1000].copy(),
        test_labels=data.test_labels[:1000],
    )


def test_a_tenth_of_the_photographs_teaches_something(
    photographs: Images, solution: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 epochs on 5,000 photographs are to sort 40 %; the full stage, on 45,000, is to sort 75 %."""
    monkeypatch.setattr(lab.Data, "cifar10", lambda self: photographs)
    result = Short(required=0.4, epochs=4, batch=64, held=1000).play(solution)
    assert result.outcome is Outcome.PASSED, result


def test_large_arrays_travel_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "MOST_NUMBERS", 100)
    images, labels = painted(5, np.random.default_rng(2))
    problem = lab.Problem(inputs=images, labels=labels, questions=images[:1], answers=labels[:1], sizes={"epochs": 2})
    public = problem.public()
    assert public["inputs"]["rows"].shape == (5, 384)
    arrived = lab._unpacked(public)
    assert set(arrived) == {"inputs", "labels", "questions", "epochs"}
    np.testing.assert_array_equal(arrived["inputs"], images)
    assert arrived["inputs"].dtype == np.uint8


def test_arrays_as_large_as_all_of_cifar_10_travel(solution: Player, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(LARGE, encoding="utf-8")
    result = solution.replay(milestones.load(path), CNN, isolated=True)
    assert result.outcome is Outcome.PASSED, result


LARGE = """
import numpy as np
from pytest_tinytorch import lab

def problems(rng):
    images = np.zeros((50_000, 3, 32, 32), np.uint8)
    images[-1, 2, 31, 31] = 7
    few = np.zeros(2, np.int64)
    return {"all": lab.Problem(inputs=images, labels=few, questions=few, answers=few)}

def run(tt, problems, seed, show):
    images = problems["all"]["inputs"]
    return {"shape": images.shape, "last": int(images[-1, 2, 31, 31])}

def claims(problems, answers):
    right = answers == {"shape": (50_000, 3, 32, 32), "last": 7}
    yield lab.Claim(what="", required="", reached="", holds=right)
"""


# ---- liars, and what the student's side may see -----------------------------------------------------------------

LIE = """
_right = Module.__call__
def _lie(self, *args, _right=_right):
    out = _right(self, *args)
    return out if out.ndim != 2 or out.shape[1] != 10 or grad_mode.enabled else Tensor({scores})
Module.__call__ = _lie
"""
LIARS = {
    "random": "np.random.default_rng(1).normal(size=out.shape)",
    "always 3": "np.eye(10)[[3] * len(out.data)]",
    "nan": "np.full(out.shape, np.nan)",
}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", LIARS)
def test_invented_answers_do_not_reach_it(name: str, full: bool, student: Player, short: Short) -> None:
    lie = LIE.replace("{scores}", LIARS[name])
    student.append("layers", f"import numpy as np\nfrom .tensor import Tensor, grad_mode\n{lie}")
    result = short.play(student) if full else student.play(1998)
    assert result.outcome is Outcome.WRONG
    assert not any(claim.holds for claim in result.claims)


@pytest.mark.parametrize("kind", ["'yes'", "[1] * 200", "None", "np.zeros(7)", "np.array(['a'] * 200)"])
def test_answers_of_another_kind_do_not_reach_it(kind: str, student: Player, short: Short) -> None:
    student.append("tensor", f"Tensor.numpy = lambda self: {kind}")
    result = short.play(student)
    assert result.outcome in {Outcome.WRONG, Outcome.CRASHED}


@pytest.mark.parametrize("full", [False, True])
def test_the_labels_of_the_test_are_not_in_an_isolated_process(full: bool, student: Player, short: Short) -> None:
    student.append(
        "losses",
        """
def _snoop(self, *args):
    import gc
    kinds = ("Problem", "Digits", "Images")
    found = [a for a in gc.get_objects() if type(a).__name__ in kinds or type(a) is dict and "answers" in a]
    raise LookupError(f"found {len([a for a in found if type(a) is not dict or hasattr(a['answers'], 'dtype')])}")
CrossEntropyLoss.__call__ = _snoop
""",
    )
    result = short.play(student, isolated=True) if full else student.play(1998, isolated=True)
    assert result.finding
    assert result.finding.got == "LookupError: found 0"


# ---- runs that stop on the way ----------------------------------------------------------------------------------


def curves(result: MilestoneResult) -> list[Any]:
    """What a run shows of its learning, and of its answers: equal only if every step was."""
    return [exhibit for exhibit in result.exhibits if isinstance(exhibit, (Curve, Matrix, Pictures))]


def interrupt(monkeypatch: pytest.MonkeyPatch, call: int) -> pytest.MonkeyPatch:
    """Ctrl-C at some step."""
    calls, right = [0], lab.at_once

    def at_once(work: Any, parts: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            signal.raise_signal(signal.SIGINT)
        return right(work, parts)

    monkeypatch.setattr(lab, "at_once", at_once)
    return monkeypatch


STEPS = (480 - 96) // 32  # of an epoch; at its end the photographs that are held out are sorted


def test_an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened(
    short: Short, solution: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = short.unfinished(tmp_path, solution)
    whole = short.play(solution, seed=5)
    with monkeypatch.context() as patch:
        interrupt(patch, 2 * (STEPS + 1) + 4)
        with pytest.raises(KeyboardInterrupt):
            short.play(solution, seed=5, unfinished=place)
    assert place.seed() == 5
    again = short.play(solution, seed=5, unfinished=place)
    assert again.story[-1] == milestones.RESUMED.format(5)
    assert curves(again) == curves(whole)
    assert reached(again) == reached(whole)
    assert place.seed() is None, "a run that ended leaves nothing"
    assert short.play(solution, seed=5, unfinished=place).story == whole.story


def test_what_was_interrupted_before_its_first_epoch_begins_anew(
    short: Short, solution: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = short.unfinished(tmp_path, solution)
    with monkeypatch.context() as patch:
        interrupt(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            short.play(solution, unfinished=place)
    assert place.seed() is None


def test_an_isolated_process_that_dies_leaves_its_work(short: Short, student: Player, tmp_path: Path) -> None:
    flag = tmp_path / "die"
    flag.touch()
    student.append(
        "optimizers",
        f"""
_step, _steps = SGD.step, []
def _die(self, closure=None):
    import os
    _steps.append(1)
    if len(_steps) == {STEPS + 5} and os.path.exists({str(flag)!r}):
        os._exit(7)
    return _step(self)
SGD.step = _die
""",
    )
    place = short.unfinished(tmp_path, student)
    assert short.play(student, isolated=True, unfinished=place).outcome is Outcome.CRASHED
    flag.unlink()
    again = short.play(student, isolated=True, unfinished=place)
    assert again.outcome is Outcome.PASSED
    assert again.story[-1] == milestones.RESUMED.format(1)
    assert curves(again) == curves(short.play(student, isolated=True))


def left_behind(short: Short, place: Unfinished) -> Unfinished:
    """The place of a run whose work is there, as if it had been interrupted."""
    problems = short.script.problems(np.random.default_rng([1, 1998]), lab.Data(None))
    with suppress(KeyboardInterrupt), place.open(1, problems) as work:
        assert work.folder
        (work.folder / "epoch.npz").touch()
        raise KeyboardInterrupt
    return place


def test_other_code_another_seed_or_other_data_begin_anew(short: Short, student: Player, tmp_path: Path) -> None:
    place = left_behind(short, short.unfinished(tmp_path, student))
    problems = short.script.problems(np.random.default_rng([1, 1998]), lab.Data(None))
    larger = {name: milestones._with_batch(problem, 64) for name, problem in problems.items()}
    other = {name: replace(problem, inputs=problem.inputs[::-1]) for name, problem in problems.items()}
    assert place.seed() == 1
    student.append("tensor", "EDITED = True")
    edited = short.unfinished(tmp_path, student)
    assert edited.seed() is None
    for unfinished, seed, data in ((edited, 1, problems), (place, 2, problems), (place, 1, larger), (place, 1, other)):
        left_behind(short, place)
        with unfinished.open(seed, data) as work:
            assert not work.resumed
            assert [path.name for path in (work.folder or tmp_path).iterdir()] == ["run.json"]


def test_the_next_run_takes_the_seed_of_the_interrupted_one(short: Short, solution: Player, tmp_path: Path) -> None:
    place = short.unfinished(tmp_path, solution)
    stage = milestones.Stage(seed=99, full=True, unfinished=place)
    assert milestones._taken_up(stage).seed == 99
    left_behind(short, place)
    assert milestones._taken_up(stage).seed == 1
    assert milestones._taken_up(milestones.Stage(seed=99)).seed == 99


@pytest.mark.parametrize("note", ["{", "[1]", '{"seed": "x"}', "{}", "\x00"])
def test_a_note_that_says_nothing_is_no_interrupted_run(
    note: str, short: Short, solution: Player, tmp_path: Path
) -> None:
    place = left_behind(short, short.unfinished(tmp_path, solution))
    (place.folder / "run.json").write_text(note, encoding="utf-8")
    assert place.seed() is None


def test_a_checkpoint_that_cannot_be_read_is_in_the_way_only_once(
    short: Short, solution: Player, tmp_path: Path
) -> None:
    place = left_behind(short, short.unfinished(tmp_path, solution))
    assert short.play(solution, unfinished=place).outcome is Outcome.CRASHED
    assert short.play(solution, unfinished=place).outcome is Outcome.PASSED


def test_two_runs_at_once_do_not_share_their_work(short: Short, solution: Player, tmp_path: Path) -> None:
    place = short.unfinished(tmp_path, solution)
    with place.open(1, {}) as first, place.open(1, {}) as second:
        assert first.folder is not None
        assert second.folder is None


def test_where_nothing_can_be_written_nothing_is_kept(short: Short, solution: Player, tmp_path: Path) -> None:
    (tmp_path / ".tinytorch").write_text("in the way", encoding="utf-8")
    with short.unfinished(tmp_path, solution).open(1, {}) as work:
        assert (work.folder, work.resumed) == (None, False)
    assert short.play(solution, unfinished=short.unfinished(tmp_path, solution)).outcome is Outcome.PASSED


@pytest.mark.parametrize("isolated", [False, True])
def test_scarce_memory_is_said_with_what_to_try(isolated: bool, short: Short, student: Player) -> None:
    student.append("spatial", "def _large(self, x):\n    return np.ones((10**7, 10**7))\nConv2d.forward = _large")
    result = short.play(student, isolated=isolated)
    assert result.outcome is Outcome.CRASHED
    assert result.finding
    assert "MemoryError" in result.finding.got
    assert result.finding.mistake == (
        "memory ran out with batches of 32: try half of that, with TINYTORCH_BATCH=16 in the environment."
    )
    assert result.finding.trace[-1].file == "tinytorch/spatial.py"


def test_the_batch_that_was_asked_for_is_taken(short: Short, student: Player) -> None:
    student.append(
        "losses",
        "def _tell(self, x, y):\n    raise LookupError(f'half a batch is {len(x)}')\nCrossEntropyLoss.__call__ = _tell",
    )
    finding = short.play(student, batch=16).finding
    assert finding
    assert finding.got == "LookupError: half a batch is 8"


def test_a_mistake_in_the_other_thread_is_the_student_s(short: Short, student: Player) -> None:
    student.append(
        "losses",
        """
_right = Module.__call__
def _fail(self, x, y):
    import threading
    if threading.current_thread() is not threading.main_thread():
        raise LookupError("in the other half")
    return _right(self, x, y)
CrossEntropyLoss.__call__ = _fail
""",
    )
    result = short.play(student)
    assert result.outcome is Outcome.CRASHED
    assert result.finding
    assert result.finding.got == "LookupError: in the other half"
    assert result.finding.trace[-1].function == "_fail"


def test_an_endless_loop_in_the_other_thread_is_stopped(short: Short, student: Player) -> None:
    student.append(
        "losses",
        """
_right = Module.__call__
def _hang(self, x, y):
    import threading, time
    while threading.current_thread() is not threading.main_thread():
        time.sleep(0.01)
    return _right(self, x, y)
CrossEntropyLoss.__call__ = _hang
""",
    )
    assert short.play(student, limit=3.0, isolated=True).outcome is Outcome.TIMED_OUT
