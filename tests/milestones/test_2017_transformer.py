"""2017: words reversed, TinyTalks answered, and Shakespeare in full."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_tinytorch import course, lab, milestones
from pytest_tinytorch.exhibits import Curve, Passage, Pictures
from pytest_tinytorch.outcome import Outcome
from tests.conftest import REPOSITORY

from .conftest import MNIST, Player, reached

if TYPE_CHECKING:
    from pytest_tinytorch.outcome import MilestoneResult

SCRIPT = REPOSITORY / "milestones" / "2017_transformer.py"
STEPS = '"reversal": 300, "TinyTalks": 1_100, "Shakespeare": 3_000'
HARDLY = {STEPS: '"reversal": 100, "TinyTalks": 100, "Shakespeare": 100'}
SHORT = {  # what every commit plays: fewer steps, and looser bounds, which they reach
    STEPS: '"reversal": 200, "TinyTalks": 100, "Shakespeare": 200',
    '"TinyTalks": 0.90': '"TinyTalks": 0.0',
    '"Shakespeare": 2.0': '"Shakespeare": 2.6',
}


@pytest.fixture(scope="session")
def shakespeare() -> Path:
    """A data folder that holds Tiny Shakespeare."""
    if not (MNIST / "tinyshakespeare").is_dir():
        pytest.skip(f"no Tiny Shakespeare in {MNIST}")
    return MNIST


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> milestones.Script:
    """The script with fewer steps; TinyTalks are learnt no more than a little, and asked for nothing."""
    return changed(tmp_path_factory.mktemp("short"), SHORT)


def changed(folder: Path, changes: dict[str, str]) -> milestones.Script:
    """The script with other numbers."""
    text = SCRIPT.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old} stands {text.count(old)} times in {SCRIPT.name}"
        text = text.replace(old, new)
    path = folder / SCRIPT.name
    path.write_text(text, encoding="utf-8")
    return milestones.load(path)


def play(player: Player, script: milestones.Script, **stage: Any) -> MilestoneResult:
    return player.replay(script, course.TRANSFORMER, **{"limit": 600.0} | stage)


def held(result: MilestoneResult) -> list[bool]:
    return [claim.holds for claim in result.claims]


def kinds(result: MilestoneResult) -> list[type]:
    return [type(exhibit) for exhibit in result.exhibits]


@pytest.mark.parametrize(("seed", "isolated"), [(1, False), (2**32 - 1, True)])
def test_it_is_reached(seed: int, isolated: bool, solution: Player) -> None:
    result = solution.play(2017, seed=seed, isolated=isolated, limit=600.0)
    assert result.outcome is Outcome.PASSED, result
    with_attention, without, talks = reached(result)
    assert with_attention >= 97
    assert without <= 1
    assert talks >= 94
    shows_everything(result)


def shows_everything(result: MilestoneResult) -> None:
    reversal, letters, loss, taught, new, signs = result.exhibits
    assert isinstance(reversal, Curve)
    assert [line.name for line in reversal.lines] == ["with attention", "without"]
    assert reversal.lines[0].values[-1] < 0.5
    assert reversal.lines[1].values[-1] > 3
    assert isinstance(letters, Pictures)
    maps = [np.array(picture.pixels) for picture in letters.pictures]
    assert [each.shape for each in maps] == [(10, 10)] * 2
    assert (np.max(maps, axis=0)[:, ::-1].argmax(axis=1) == np.arange(10)).mean() >= 0.8  # the other diagonal
    assert isinstance(loss, Curve)
    assert isinstance(taught, Passage)
    assert taught.lines[:2] == ("> are you there?", "  yes, i am here")
    assert isinstance(new, Passage)
    assert "of 70" in new.title
    assert isinstance(signs, Pictures)
    assert len(signs.pictures) == 4


@pytest.mark.parametrize("seed", range(2))
def test_only_attention_reverses_whatever_the_seed(seed: int, solution: Player, short: milestones.Script) -> None:
    with_attention, without, _ = reached(play(solution, short, seed=seed * 7919))
    assert with_attention >= 95
    assert without <= 1


def test_shakespeare_in_short(solution: Player, short: milestones.Script, shakespeare: Path) -> None:
    result = play(solution, short, full=True, data=shakespeare, isolated=True)
    assert result.outcome is Outcome.PASSED, result
    (claim,) = result.claims
    assert claim.what == "Shakespeare: the next character, 1,716 times"
    assert 1.5 < float(claim.reached.removesuffix(" nats")) < 2.6
    loss, sample = result.exhibits
    assert isinstance(loss, Curve)
    assert isinstance(sample, Passage)
    assert len("".join(sample.lines)) > 300


def test_no_window_shows_what_follows_another(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(chr(33 + n % 80) for n in range(3_000))
    monkeypatch.setattr(lab.Data, "shakespeare", lambda self: text)
    (task,) = milestones.load(SCRIPT).problems(np.random.default_rng(0), lab.Data(None)).values()
    (read,), (alphabet,), windows = lab.texts(task.inputs), lab.texts(task.labels), lab.texts(task.questions)
    following = [alphabet[n] for n in task.answers]
    assert read + "".join(map("".join, zip(windows, following, strict=True))) == text[: 2_700 + 65 * len(windows)]
    assert len(windows) == 4


def test_words_to_reverse_are_not_those_that_are_learnt() -> None:
    task = milestones.load(SCRIPT).problems(np.random.default_rng(0), None)["reversal"]
    learnt, asked = lab.texts(task.inputs), lab.texts(task.questions)
    assert len(asked) == 500
    assert not set(learnt) & set(asked)
    assert [word[::-1] for word in asked] == lab.texts(task.answers)
    assert [word[::-1] for word in learnt] == lab.texts(task.labels)


# ---- what is wrong, and what lies ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> milestones.Script:
    """The script with hardly any steps, for code that does not learn from them anyway; nothing less is required."""
    return changed(tmp_path_factory.mktemp("asked"), HARDLY)


LIARS = {
    "random": "rng.integers(0, 26, shape)",
    "constant": "np.full(shape, 3)",
    "echo": "np.broadcast_to(given, shape)",
    "too many": "np.zeros((9, *shape), int)",
    "nothing": "np.zeros((0, 0), int)",
}
LIE = """
import numpy as np
from .layers import Sequential
from .tensor import Tensor, grad_mode
_right, rng = Sequential.__call__, np.random.default_rng()
def _lie(self, ids, *args):
    out = _right(self, ids, *args)
    if grad_mode.enabled or out.ndim != 3 or out.shape[-1] != 26:
        return out
    shape, given = out.shape[:2], ids.data
    return Tensor(np.eye(26)[{said}])
Sequential.__call__ = _lie
def _generate(self, ids, n, *args, **kwargs):
    shape, given = (len(ids.data), n), ids.data[:, :1]
    return Tensor(np.concatenate([ids.data, ({said}) % self.vocab_size], axis=-1))
GPT.generate = _generate
"""


@pytest.mark.parametrize("name", LIARS)
def test_invented_answers_do_not_reach_it(name: str, student: Player, asked: milestones.Script) -> None:
    student.append("transformers", LIE.replace("{said}", LIARS[name]))
    result = play(student, asked)
    assert result.outcome in {Outcome.WRONG, Outcome.CRASHED}
    assert not any(held(result)[::2])


@pytest.mark.parametrize("kind", ["'yes'", "[1] * 500", "None", "{}", "np.zeros(7)", "np.array(['a'] * 500)"])
def test_answers_of_another_kind_do_not_reach_it(kind: str, student: Player, asked: milestones.Script) -> None:
    student.append("tensor", f"Tensor.numpy = lambda self: {kind}")
    result = play(student, asked)
    assert result.outcome in {Outcome.WRONG, Outcome.CRASHED}
    assert not any(held(result))


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"with attention": "yes", "without": None, "TinyTalks": [1], "letters": 3, "signs": "x"},
        {name: np.zeros((500, 10)) for name in ("with attention", "without", "TinyTalks", "letters", "signs")},
        {name: np.full((350, 4), -7) for name in ("with attention", "without", "TinyTalks", "letters", "signs")},
        {name: np.zeros((0, 0), int) for name in ("with attention", "without", "TinyTalks")},
        {"letters": np.full((2, 3, 3), np.nan), "signs": np.zeros((0, 2, 2)), "TinyTalks": np.zeros((350, 0), int)},
        {"Shakespeare": np.zeros((1716, 65)), "sample": np.zeros((0, 5), int), "Shakespeare, loss": "low"},
        {"Shakespeare": np.full((4, 80), -np.inf), "sample": np.zeros(5)},
        {"Shakespeare": np.log(np.full((4, 80), 1 / 80)), "sample": "To be"},
    ],
)
def test_whatever_was_sent_is_judged_and_shown(sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    script, rng = milestones.load(SCRIPT), np.random.default_rng(0)
    monkeypatch.setattr(lab.Data, "shakespeare", lambda self: "".join(chr(33 + n % 80) for n in range(3_000)))
    for data in (None, lab.Data(None)):
        problems = script.problems(rng, data)
        assert not all(claim.holds for claim in script.module.claims(problems, sent))
        script.exhibits(problems, sent)


SNOOP = """
import gc
_generate = GPT.generate
def _snoop(self, *args, **kwargs):
    import sys, numpy as np
    found = [a for a in gc.get_objects() if type(a) is dict and isinstance(a.get("answers"), np.ndarray)]
    frame = sys._getframe()
    while frame is not None:
        found += [v for v in frame.f_locals.values() if type(v).__name__ == "Problem"]
        frame = frame.f_back
    found += [a for a in gc.get_objects() if type(a).__name__ in ("Problem", "Talk")]
    raise LookupError(f"found {len(found)}")
GPT.generate = _snoop
"""


def test_answers_are_not_in_an_isolated_process(student: Player, asked: milestones.Script) -> None:
    student.append("transformers", SNOOP)
    result = play(student, asked, isolated=True)
    assert result.outcome is Outcome.CRASHED
    assert result.finding
    assert result.finding.got == "LookupError: found 0"


WRONG = {
    "nothing is learnt": ("optimizers", "AdamW.step = lambda self, closure=None: None"),
    "no positions": ("embeddings", "PositionalEncoding.forward = lambda self, x: x"),
    "attention sees itself alone": (
        "attention",
        "scaled_dot_product_attention = lambda query, key, value, *rest, **more: value + 0 * (query + key)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_without_attention_or_learning_it_is_not_reached(name: str, student: Player, asked: milestones.Script) -> None:
    module, text = WRONG[name]
    student.append(module, text)
    result = play(student, asked)
    assert result.outcome is Outcome.WRONG
    assert not held(result)[0]


def test_layers_that_reverse_by_themselves_are_no_evidence_for_attention(
    student: Player, asked: milestones.Script
) -> None:
    text = "_right = FeedForward.forward\nFeedForward.forward = lambda self, x: _right(self, x[:, ::-1])"
    student.append("transformers", text)
    result = play(student, asked)
    assert result.outcome is Outcome.WRONG
    assert not held(result)[1]
