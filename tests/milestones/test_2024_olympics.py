"""2024: three models made small and fast, judged by arrays, answers and times."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch import course, lab, milestones
from pytest_tinytorch.exhibits import Passage
from pytest_tinytorch.lab import Problem
from pytest_tinytorch.olympics import EVENTS, gather
from pytest_tinytorch.olympics.keeping import Desk
from pytest_tinytorch.outcome import Claim, MilestoneResult, Outcome
from tests.conftest import REPOSITORY

from .conftest import Player

SCRIPT = REPOSITORY / "milestones" / "2024_olympics.py"
BRIEF = {
    '{"1986": 30, "1998": 8, "2017": 60}': '{"1986": 12, "1998": 2, "2017": 40}',
    "TALKS, LONGEST = 32": "TALKS, LONGEST = 8",
}


@pytest.fixture(scope="module")
def script() -> milestones.Script:
    return milestones.load(SCRIPT)


@pytest.fixture(scope="module")
def module(script: milestones.Script) -> ModuleType:
    return script.module


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> milestones.Script:
    """The script with fewer epochs and talks."""
    text = SCRIPT.read_text(encoding="utf-8")
    for old, new in BRIEF.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("brief") / SCRIPT.name
    path.write_text(text, encoding="utf-8")
    return milestones.load(path)


def held(result: MilestoneResult) -> list[bool]:
    return [claim.holds for claim in result.claims]


@pytest.mark.parametrize(("seed", "isolated"), [(1, False), (2**32 - 1, True)])
def test_it_is_reached(seed: int, isolated: bool, solution: Player) -> None:
    result = solution.play(2024, seed=seed, isolated=isolated, limit=600.0)
    assert result.outcome is Outcome.PASSED, result
    assert len(result.claims) == 6
    talks, rival = result.exhibits
    assert isinstance(talks, Passage)
    assert talks.lines[0].startswith("> ")
    assert rival.title.startswith("Beside PyTorch")


# ---- what does not reach it --------------------------------------------------------------------------------------


def test_what_is_not_made_smaller_does_not_pass(student: Player, brief: milestones.Script) -> None:
    student.append("quantization", "def quantize_model(model, calibration):\n    return model\n")
    student.append("compression", "def structured_prune(model, amount):\n    return model\n")
    result = student.replay(brief, course.OLYMPICS, limit=300.0)
    smaller, *_ = held(result)
    assert result.outcome is Outcome.WRONG
    assert not smaller


def test_loops_in_place_of_the_product_do_not_pass(student: Player, brief: milestones.Script) -> None:
    student.append(
        "spatial",
        "_quick = conv2d\n"
        "def conv2d(x, weight, bias=None, stride=1, padding=0):\n"
        "    from .tensor import from_numpy, grad_mode\n"
        "    if grad_mode.enabled:\n"
        "        return _quick(x, weight, bias, stride, padding)\n"
        "    return from_numpy(conv2d_loops(x.data, weight.data, bias.data, stride, padding))\n",
    )
    result = student.replay(brief, course.OLYMPICS, limit=300.0)
    assert result.outcome is Outcome.WRONG
    assert held(result)[2] is False


def test_wrong_answers_do_not_pass(student: Player, brief: milestones.Script) -> None:
    student.append("memoization", "def generate_cached(model, ids, *rest):\n    return ids\n")
    student.append("capstone", "from .memoization import generate_cached\n")
    result = student.replay(brief, course.OLYMPICS, limit=300.0)
    assert result.outcome is Outcome.WRONG
    assert held(result)[5] is False


# ---- answers as they should not be -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tasks(script: milestones.Script) -> dict[str, Problem]:
    return script.problems(np.random.default_rng(0), None)


def perfect(tasks: dict[str, Problem], module: ModuleType) -> dict[str, Any]:
    """Answers that hold, without any model but in 1986."""
    rng = np.random.default_rng(0)
    digits, talks = tasks["TinyDigits"], tasks["TinyTalks"]
    pixels, hot = digits.questions.reshape(200, 64) / 16, np.eye(10)[digits.answers]
    fitted = np.linalg.lstsq(np.c_[pixels, np.ones(200)], hot, rcond=None)[0]
    fitted = fitted.astype(np.float32)
    eye = np.eye(64, dtype=np.float32)  # pixels are no less than 0: relu changes nothing
    none = np.zeros(64, np.float32)
    wide, back = np.tile(eye, (1, 2)), np.tile(eye, (2, 1)) / 2
    large = [[wide, np.zeros(128, np.float32)], [back, none], [fitted[:-1], fitted[-1]]]
    return {
        "1986, before": large,
        "1986, after": [*([eye.astype(np.int8), np.ones((1, 64), np.float32), none] for _ in range(2)), small(fitted)],
        "1998, seconds, before": rng.uniform(0.05, 0.06, module.LOOPED),
        "1998, said, before": digits.answers[: module.LOOPED].copy(),
        "1998, seconds, after": rng.uniform(0.001, 0.002, 200),
        "1998, said, after": digits.answers.copy(),
        "2017, seconds, before": rng.uniform(0.05, 0.06, module.TALKS),
        "2017, said, before": talks.answers.copy(),
        "2017, seconds, after": rng.uniform(0.01, 0.02, module.TALKS),
        "2017, said, after": talks.answers.copy(),
    }


def small(fitted: Any) -> list[Any]:
    """The last layer in eight bits."""
    scale = (np.abs(fitted[:-1]).max(axis=0, keepdims=True) / 127).astype(np.float32)
    return [np.round(fitted[:-1] / scale).astype(np.int8), scale, fitted[-1].astype(np.float32)]


def judged(module: ModuleType, tasks: dict[str, Problem], answers: dict[str, Any]) -> list[Claim]:
    return list(module.claims(tasks, answers))


def test_fair_answers_hold(module: ModuleType, tasks: dict[str, Problem]) -> None:
    claims = judged(module, tasks, perfect(tasks, module))
    assert [claim.holds for claim in claims] == [True] * 6, claims


@pytest.mark.parametrize("wrong", [None, [[1]], np.zeros(3), np.full(200, np.nan)])
@pytest.mark.parametrize("number", range(10))
def test_one_answer_of_another_kind_does_not_hold(
    module: ModuleType, tasks: dict[str, Problem], number: int, wrong: Any
) -> None:
    answers = perfect(tasks, module)
    answers[list(answers)[number]] = wrong
    claims = judged(module, tasks, answers)
    assert len(claims) == 6
    assert not all(claim.holds for claim in claims)


def test_nothing_holds_of_nothing(module: ModuleType, tasks: dict[str, Problem]) -> None:
    assert not any(claim.holds for claim in judged(module, tasks, {}))
    assert list(module.exhibits(tasks, {})) == []


FORGED: dict[str, tuple[int, dict[str, Any]]] = {
    "times below 0": (2, {"1998, seconds, after": -np.ones(200)}),
    "no time at all": (2, {"1998, seconds, after": np.zeros(200)}),
    "an answer that hardly took longer": (2, {"1998, seconds, before": np.full(24, 0.012)}),
    "a late answer": (4, {"2017, seconds, after": np.full(32, 0.11)}),
    "every second one late": (4, {"2017, seconds, after": np.array([0.01, 0.5] * 16)}),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_too_slow_or_impossible_does_not_hold(module: ModuleType, tasks: dict[str, Problem], name: str) -> None:
    place, change = FORGED[name]
    claims = judged(module, tasks, perfect(tasks, module) | change)
    assert [claim.holds for claim in claims][place] is False


def test_small_arrays_that_cannot_read_do_not_hold(module: ModuleType, tasks: dict[str, Problem]) -> None:
    answers = perfect(tasks, module)
    answers["1986, after"][2][0] = np.zeros_like(answers["1986, after"][2][0])
    assert [claim.holds for claim in judged(module, tasks, answers)][:2] == [True, False]


def test_three_points_are_too_many(module: ModuleType) -> None:
    assert module.as_good("digits", "1986", 0.95, 0.93).holds
    assert not module.as_good("digits", "1986", 0.95, 0.92).holds
    assert not module.as_good("digits", "1986", 0.5, 0.5).holds
    assert module.as_good("digits", "1986", 0.95, 1.0).holds


def test_the_interval_covers_the_median() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        low, high = lab.interval(rng.exponential(1.0, 40))
        hits += low <= np.log(2) <= high
    assert hits >= 50


def test_questions_are_not_those_that_are_learnt(tasks: dict[str, Problem]) -> None:
    task = tasks["TinyDigits"]
    learnt = {image.tobytes() for image in task.inputs}
    assert sum(image.tobytes() in learnt for image in task.questions) <= 2


# ---- the capstone ---------------------------------------------------------------------------------------------

SMALL = {
    '"width": 128, "blocks": 3, "epochs": 10': '"width": 48, "blocks": 1, "epochs": 16',
    '"small width": 48': '"small width": 32',
    '"small epochs": 16, "timed": 16': '"small epochs": 16, "timed": 3',
    "TAUGHT, FULL_FASTER, FULL_SMALLER = 0.90, 3.0, 3.0": "TAUGHT, FULL_FASTER, FULL_SMALLER = 0.90, 0.2, 1.5",
    "PUSHED_FASTER, PUSHED_SMALLER = 3.0, 10.0": "PUSHED_FASTER, PUSHED_SMALLER = 0.2, 2.0",
    "LATENCY = 0.02, 4.0, 10.0, 0.100": "LATENCY = 0.02, 4.0, 10.0, 2.0",
    "LR = 0.15": "LR = 0.3",
    "    talks = lab.tiny_talks()\n    taught": "    talks = lab.tiny_talks()[::5]\n    taught",
}


@pytest.fixture(scope="module")
def capstone(tmp_path_factory: pytest.TempPathFactory) -> milestones.Script:
    """The script with a small capstone on a few talks, and claims that such a one can hold."""
    text = SCRIPT.read_text(encoding="utf-8")
    for old, new in SMALL.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("capstone") / SCRIPT.name
    path.write_text(text, encoding="utf-8")
    return milestones.load(path)


def in_full(player: Player, script: milestones.Script, desk: Path | None = None, **stage: Any) -> MilestoneResult:
    """The full stage, with a desk for entries."""
    place = Desk.of(desk, "ada") if desk else None
    return player.replay(script, course.OLYMPICS, full=True, limit=600.0, desk=place, **stage)


@pytest.mark.parametrize(("seed", "isolated"), [(3, False), (2**32 - 1, True)])
def test_the_capstone_is_reached_and_entered(
    seed: int, isolated: bool, solution: Player, capstone: milestones.Script, tmp_path: Path
) -> None:
    result = in_full(solution, capstone, tmp_path, seed=seed, isolated=isolated)
    assert result.outcome is Outcome.PASSED, result
    assert len(result.claims) == 5
    assert len(result.exhibits) == 3
    assert result.exhibits[-1].title.startswith("Beside PyTorch")
    entries, refused = gather(tmp_path / "olympics").entries, gather(tmp_path / "olympics").refused
    assert (sorted(entry.event for entry in entries), refused) == (sorted(EVENTS), ())
    assert {(entry.name, entry.seed) for entry in entries} == {("ada", seed)}
    assert len(result.story) == 5
    assert all(f"olympics/2024-{event}.json: {event}, " in " ".join(result.story) for event in EVENTS)


def test_what_is_not_reached_is_not_entered(student: Player, capstone: milestones.Script, tmp_path: Path) -> None:
    student.append("quantization", "def quantize_model(model, calibration):\n    return model\n")
    student.append("capstone", "from .quantization import quantize_model\n")
    result = in_full(student, capstone, tmp_path)
    assert result.outcome is Outcome.WRONG
    assert [claim.holds for claim in result.claims][2] is False
    assert list(tmp_path.glob("olympics/*")) == []


LOOKS_UP = """
_train, _generate = TinyGPT.train, TinyGPT.generate
BOOK = {}


def _remember(self, pairs, *rest, **more):
    BOOK.update(pairs)
    return [0.0]


TinyGPT.train = _remember
TinyGPT.generate = lambda self, question, *rest, **more: BOOK.get(question, "")
"""
DELEGATES = """
_compress, _generate = TinyGPT.compress, TinyGPT.generate


def _emptied(self, pairs):
    small, report = _compress(self, pairs)
    for layer in small.model.modules():
        if hasattr(layer, "weight_values"):
            layer.weight_values.data[...] = 0
    small.large = self
    return small, report


TinyGPT.compress = _emptied
TinyGPT.generate = lambda self, *rest, **more: _generate(getattr(self, "large", self), *rest, **more)
"""
HOSTILE: dict[str, tuple[str, list[bool | None]]] = {
    "answers from a book": (LOOKS_UP, [False] * 5),
    "answers of the large model in the small one's name": (DELEGATES, [True, None, False, False, False]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_answers_that_the_arrays_do_not_give_do_not_hold(
    name: str, student: Player, capstone: milestones.Script
) -> None:
    text, expected = HOSTILE[name]
    student.append("capstone", text)
    holds = held(in_full(student, capstone))
    assert [found for found, wanted in zip(holds, expected, strict=True) if wanted is not None] == [
        wanted for wanted in expected if wanted is not None
    ]


@pytest.fixture(scope="module")
def talked(capstone: milestones.Script) -> tuple[dict[str, Problem], dict[str, Any]]:
    """The small capstone's problems, and what the solutions answer."""
    found = capstone.problems(np.random.default_rng(5), lab.Data(None))
    tasks = {name: {**problem.public(), **problem.sizes} for name, problem in found.items()}
    asked: list[tuple[str, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "solutions"))
        tt = importlib.import_module("tinytorch")
        generate = tt.TinyGPT.generate

        def noted(self: Any, question: str, max_new_tokens: int = 32, **more: Any) -> Any:
            asked.append((question, max_new_tokens))
            return generate(self, question, max_new_tokens, **more)

        patch.setattr(tt.TinyGPT, "generate", noted)
        with lab.one_blas_thread():
            answers = capstone.module.run(tt, tasks, 5, lab.Progress(None))
    answers["asked"] = asked
    rng = np.random.default_rng(0)
    slow = {"without a cache": 0.1}
    for name in ("without a cache", "with a cache", "in eight bits", "extreme push"):
        answers[f"{name}, seconds"] = slow.get(name, 0.01) * rng.uniform(1, 1.1, 3)
    return found, answers


def ruled(script: milestones.Script, talked: Any, change: dict[str, Any]) -> list[bool]:
    """Which claims hold after a change of the answers."""
    found, answers = talked
    return [claim.holds for claim in script.module.claims(found, copy.deepcopy(answers) | change)]


def test_while_the_clock_runs_nothing_is_asked_for_the_second_time(capstone: milestones.Script, talked: Any) -> None:
    asked, count = talked[1]["asked"], 3
    long = [question for question, most in asked if most == capstone.module.LONG]
    timed = [question for n in range(4) for question in long[n * (count + 2) + 2 : (n + 1) * (count + 2)]]
    assert len(set(timed)) == 4 * count
    assert all([question for question, _ in asked].count(question) == 1 for question in timed)


def test_fair_answers_of_the_capstone_hold(capstone: milestones.Script, talked: Any) -> None:
    assert ruled(capstone, talked, {}) == [True] * 5


FAKED: dict[str, Any] = {
    "below 0": -np.ones(3),
    "nothing": np.zeros(3),
    "no number": np.full(3, np.nan),
    "without end": np.full(3, np.inf),
    "whole numbers": np.ones(3, int),
    "too many": np.full(5, 0.001),
    "a list": [0.001] * 3,
    "a sum": np.float64(0.001),
    "None": None,
}


@pytest.mark.parametrize("name", FAKED)
@pytest.mark.parametrize(
    ("series", "lost"), [("without a cache", 4), ("with a cache", 1), ("in eight bits", 2), ("extreme push", 1)]
)
def test_seconds_that_are_none_hold_nothing(
    name: str, series: str, lost: int, capstone: milestones.Script, talked: Any
) -> None:
    assert ruled(capstone, talked, {f"{series}, seconds": FAKED[name]}).count(False) == lost


def test_too_slow_does_not_hold(capstone: milestones.Script, talked: Any) -> None:
    every_second = np.array([5.0, 0.01, 5.0])
    assert ruled(capstone, talked, {"extreme push, seconds": every_second})[-1] is False
    assert ruled(capstone, talked, {"with a cache, seconds": np.full(3, 1.0)})[1] is False


@pytest.mark.parametrize("wrong", [None, [], [[]], np.zeros(3), {"large": 1}, "large"])
@pytest.mark.parametrize("key", ["large", "in eight bits", "small", "letters", "end"])
def test_arrays_of_another_kind_hold_nothing(key: str, wrong: Any, capstone: milestones.Script, talked: Any) -> None:
    assert not all(ruled(capstone, talked, {key: wrong}))


def test_the_large_arrays_are_not_small_ones(capstone: milestones.Script, talked: Any) -> None:
    large = talked[1]["large"]
    assert ruled(capstone, talked, {"in eight bits": large, "small": large}) == [True, True, False, True, False]


def test_timed_answers_must_be_those_of_the_arrays(capstone: milestones.Script, talked: Any) -> None:
    other = lab.codes(["what else?"] * 3)
    assert ruled(capstone, talked, {"extreme push, said": other}) == [True, True, True, True, False]
    assert ruled(capstone, talked, {"without a cache, said": other}) == [True, False, False, False, False]
    assert ruled(capstone, talked, {"in eight bits, said": None}) == [True, True, False, False, True]


def test_nothing_of_the_capstone_holds_of_nothing(capstone: milestones.Script, talked: Any) -> None:
    assert [claim.holds for claim in capstone.module.claims(talked[0], {})] == [False] * 5
    assert list(capstone.module.exhibits(talked[0], {})) == []


def test_the_claims_of_the_course_are_those_of_the_script(module: ModuleType) -> None:
    assert course.OLYMPICS.full_claim is not None
    assert f"{module.FULL_FASTER:g}× faster, {module.FULL_SMALLER:g}× smaller" in course.OLYMPICS.full_claim
    assert Path(str(course.OLYMPICS.script)).name == SCRIPT.name
