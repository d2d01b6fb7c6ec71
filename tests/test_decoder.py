"""The judge's own GPT says what the reference solution's says, and takes nothing that is no GPT."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch import milestones
from pytest_tinytorch.decoder import Decoder, witness
from tests.conftest import REPOSITORY

WIDTH, HEADS, BLOCKS, LETTERS = 16, 2, 2, "abcdefgh"
SIZES = {"width": WIDTH, "heads": HEADS, "blocks": BLOCKS, "new": 12}


@pytest.fixture(scope="module")
def tt() -> Any:
    """The solutions, imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "solutions"))
        return importlib.import_module("tinytorch")


@pytest.fixture(scope="module")
def bot(tt: Any) -> Any:
    """A TinyGPT that is not trained, with weights large enough to say different things."""
    tt.manual_seed(3)
    bot = tt.TinyGPT(
        tt.CharTokenizer(["<end>"]).train(LETTERS), d_model=WIDTH, num_heads=HEADS, num_layers=BLOCKS, max_len=32
    )
    rng = np.random.default_rng(3)
    for parameter in bot.model.parameters():
        parameter.data[...] += rng.normal(0, 0.3 if parameter.ndim == 1 else 1.0, parameter.shape)
    bot.model.head.weight.data[:, 0] = 0  # an answer ends only where no letter has a score above 0
    return bot


@pytest.fixture(scope="module")
def sent(bot: Any) -> Any:
    """Its arrays, as the script sends them."""
    return numbers()(bot.model)


def numbers() -> Any:
    """The function of the script that takes a model apart."""
    return milestones.load(REPOSITORY / "milestones" / "2024_olympics.py").module.numbers


QUESTIONS = ["a", "hgf", "abcdefgh", "ddddd", "eh"]
IDS = np.arange(1, 9)


@pytest.mark.parametrize("bits", [32, 8])
def test_it_says_what_the_solution_says(bits: int, bot: Any) -> None:
    if bits == 8:
        bot, _ = bot.compress([(question, "a") for question in QUESTIONS])
    heard = witness(numbers()(bot.model), QUESTIONS, LETTERS, IDS, 0, SIZES)
    assert list(heard.said) == [bot.generate(question, 12) for question in QUESTIONS]
    assert len(set(heard.said)) > 2
    assert heard.nbytes == bot.nbytes


def test_answers_end_where_the_places_end(bot: Any, sent: Any) -> None:
    model = Decoder.of(sent, WIDTH, BLOCKS)
    assert model is not None
    assert [len(ids) for ids in model.write([[1, 2], [1] * 30], 100, HEADS)] == [31, 3]


def spoilt(sent: Any, spoil: Any) -> Any:
    """The arrays after something was done to a copy of them."""
    found = copy.deepcopy(sent)
    made = spoil(found)
    return found if made is None else made


def put(place: list[Any], n: int, value: Any) -> None:
    place[n] = value


SPOILT: dict[str, Any] = {
    "nothing": lambda _: [],
    "None": lambda _: 7,
    "a dict": lambda s: dict(enumerate(s)),
    "too few parts": lambda s: s[:4],
    "no blocks": lambda s: put(s, 2, []),
    "a block too many": lambda s: s[2].append(s[2][0]),
    "blocks that are an array": lambda s: put(s, 2, np.zeros(2)),
    "a block with a layer less": lambda s: s[2][0].pop(),
    "a layer that is an array": lambda s: put(s[2][0], 1, s[2][0][1][0]),
    "an empty layer": lambda s: put(s[2][0], 7, []),
    "a number for an array": lambda s: put(s[2][0][7], 0, np.float32(3)),
    "an array without dimensions": lambda s: put(s[2][0][7], 0, np.zeros((), np.float32)),
    "float64": lambda s: put(s[0], 0, s[0][0].astype(np.float64)),
    "objects": lambda s: put(s[0], 0, s[0][0].astype(object)),
    "nan": lambda s: put(s[0], 0, s[0][0] * np.float32(np.nan)),
    "another width": lambda s: put(s[0], 0, s[0][0][:, :8]),
    "a head with a bias": lambda s: s[4].append(np.zeros(9, np.float32)),
    "a norm without a bias": lambda s: s[3].pop(),
    "scales in a row": lambda s: put(
        s[2][0], 1, [np.zeros((16, 16), np.int8), np.ones(16, np.float32), np.float32(1), np.int8(0), s[2][0][1][1]]
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_no_model_says_nothing(name: str, sent: Any) -> None:
    heard = witness(spoilt(sent, SPOILT[name]), QUESTIONS, LETTERS, IDS, 0, SIZES)
    assert (heard.nbytes, heard.said) == (0, ())


@pytest.mark.parametrize(
    "ids", [None, [1, 2], np.ones(8, int), np.arange(8.0), np.arange(7), np.arange(8) - 1, np.arange(8) + 9]
)
@pytest.mark.parametrize("end", [0, None, -1, 9, True, 0.0])
def test_ids_that_are_none_say_nothing(ids: Any, end: Any, sent: Any) -> None:
    assert witness(sent, QUESTIONS, LETTERS, ids, end, SIZES).said == ()


def test_numbers_beyond_all_bounds_are_wrong_and_no_error(sent: Any) -> None:
    huge = spoilt(sent, lambda s: put(s[0], 0, np.full_like(s[0][0], 3e38)))
    assert len(witness(huge, QUESTIONS, LETTERS, IDS, 0, SIZES).said) == len(QUESTIONS)


def test_the_judge_imports_no_package_of_a_student() -> None:
    text = Path(milestones.__file__).with_name("decoder.py").read_text("utf-8")
    assert "tinytorch" not in text
