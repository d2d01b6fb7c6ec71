"""Module 20: TinyTalks learnt, compressed, sent and answered; files and entries that nobody wrote by the rules."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import CHECKPOINTS
from pytest_tinytorch.datasets import tiny_talks
from tests.prose.examples import solution

END = "<end>"


@pytest.fixture(scope="module")
def tt() -> Any:
    """The exports of all modules."""
    built = (module for module in CHECKPOINTS[1:] if module.built)
    return SimpleNamespace(**{name: getattr(solution(module), name) for module in built for name in module.exports})


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    """A dozen short TinyTalks."""
    short = [talk for talk in tiny_talks() if talk.split == "train" and len(talk.question) + len(talk.answer) < 30]
    return [(talk.question, talk.answer) for talk in short[:12]]


@pytest.fixture(scope="module")
def bot(tt: Any, pairs: list[tuple[str, str]]) -> Any:
    """A TinyGPT that has learnt them."""
    tt.manual_seed(0)
    tokenizer = tt.CharTokenizer([END]).train([text for pair in pairs for text in pair])
    made = tt.TinyGPT(tokenizer, d_model=48, num_heads=4, num_layers=2, max_len=48)
    made.train(pairs, epochs=80, batch_size=4)
    return made


def test_it_answers_what_it_learnt(bot: Any, pairs: list[tuple[str, str]]) -> None:
    assert bot.accuracy(pairs) == 1.0
    assert [bot.generate(q, cached=False) for q, _ in pairs] == [bot.generate(q) for q, _ in pairs]


def test_eight_bits_answer_alike_and_travel(bot: Any, pairs: list[tuple[str, str]], tt: Any, tmp_path: Path) -> None:
    small, report = bot.compress(pairs)
    assert report["accuracy_after"] >= report["accuracy_before"] - 0.1
    assert report["bytes_before"] == 4 * sum(p.numel() for p in bot.model.parameters())
    assert report["bytes_before"] / report["bytes_after"] > 2.7
    for one, name in ((bot, "large.npz"), (small, "small.npz")):
        one.save(tmp_path / name)
        other = tt.TinyGPT.load(tmp_path / name)
        assert [other.generate(q) for q, _ in pairs] == [one.generate(q) for q, _ in pairs]
        assert (other.bits, other.nbytes) == (one.bits, one.nbytes)
    assert (tmp_path / "small.npz").stat().st_size < 0.6 * (tmp_path / "large.npz").stat().st_size


def test_bytes_of_any_language(tt: Any, tmp_path: Path) -> None:
    pairs = [("¿qué?", "nada ☂"), ("你好", "hi")]
    tokenizer = tt.BPETokenizer([END]).train([text for pair in pairs for text in pair], 270)
    tt.manual_seed(1)
    made = tt.TinyGPT(tokenizer, d_model=32, max_len=32)
    made.train(pairs, epochs=150, lr=0.01)
    made.save(tmp_path / "bot.npz")
    other = tt.TinyGPT.load(tmp_path / "bot.npz")
    assert [other.generate(q, 20) for q, _ in pairs] == [answer for _, answer in pairs]


def test_a_tokenizer_without_end_is_refused(tt: Any) -> None:
    with pytest.raises(ValueError, match="needs the special token '<end>', and it has \\['<pad>'\\]"):
        tt.TinyGPT(tt.CharTokenizer(["<pad>"]).train("abc"))


def test_what_it_cannot_read_is_refused(bot: Any, tt: Any) -> None:
    with pytest.raises(ValueError, match="is none of the"):
        bot.generate("ß")
    with pytest.raises(ValueError, match="pair 0 has 50 ids, and the model was made for max_len 48"):
        tt.pair_batch(bot.tokenizer, [("a" * 30, "a" * 20)], 48)


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_files_are_refused_in_a_sentence(bot: Any, tt: Any, tmp_path: Path, share: float) -> None:
    path = tmp_path / "bot.npz"
    bot.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=r"bot\.npz is no checkpoint, or a damaged one"):
        tt.TinyGPT.load(path)


FOREIGN: dict[str, dict[str, Any]] = {
    "another kind": {"kind": "GPT"},
    "no tokenizer": {"tokenizer": None},
    "a tokenizer of no kind": {"tokenizer": {"kind": "Words", "tokens": []}},
    "a tokenizer without tokens": {"tokenizer": {"kind": "CharTokenizer"}},
    "a tokenizer without END": {
        "tokenizer": {"kind": "CharTokenizer", "tokens": ["a"], "special_tokens": [], "unknown": None}
    },
    "sizes in words": {"sizes": {"d_model": "wide"}},
    "sizes that do not fit": {"sizes": {"d_model": 7, "num_heads": 4, "num_layers": 1, "max_len": 8}},
    "other sizes": {"sizes": {"d_model": 8, "num_heads": 1, "num_layers": 1, "max_len": 8}},
    "sizes as a list": {"sizes": [48, 4]},
    "no model": {"model": {}},
    "a model as a list": {"model": [1, 2]},
    "other bits": {"bits": 8},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_refused_in_a_sentence(bot: Any, tt: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bot.npz"
    bot.save(path)
    save_checkpoint, load_checkpoint = tt.save_checkpoint, tt.load_checkpoint
    save_checkpoint(path, **(load_checkpoint(path) | FOREIGN[name]))
    with pytest.raises(ValueError, match=r"bot\.npz"):
        tt.TinyGPT.load(path)


def test_a_missing_file_is_named(tt: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        tt.TinyGPT.load(tmp_path / "none.npz")


# ---- entries --------------------------------------------------------------------------------------------------------


@pytest.fixture
def entry(tt: Any) -> Any:
    rng = np.random.default_rng(0)
    return tt.OlympicsEntry(
        name="Ada",
        event="extreme",
        seconds_before=tt.Measurement(rng.uniform(1.0, 1.2, 20)),
        seconds_after=tt.Measurement(rng.uniform(0.1, 0.12, 20)),
        bytes_before=np.int64(68_904),
        bytes_after=7_312,
        accuracy_before=np.float32(0.95),
        accuracy_after=0.94,
        seed=np.int64(7),
    )


def test_an_entry_comes_back_as_it_was(entry: Any, tt: Any, tmp_path: Path) -> None:
    entry.save(tmp_path / "ada.json")
    record = tt.OlympicsEntry.load(tmp_path / "ada.json")
    assert record == entry.record()
    assert json.loads(json.dumps(record)) == record
    assert record["metrics"]["speedup"] == pytest.approx(10, rel=0.1)
    assert record["metrics"]["smaller"] == pytest.approx(68_904 / 7_312)


def test_an_entry_that_is_none_is_not_written(entry: Any, tmp_path: Path) -> None:
    object.__setattr__(entry, "event", "luck")
    with pytest.raises(ValueError, match="'luck'"):
        entry.save(tmp_path / "ada.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"entry"', "[" * 100_000, "{}", "NaN", "\ufeff{}"])
def test_files_that_hold_no_entry_are_refused(tt: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "ada.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"ada\.json is no entry: "):
        tt.OlympicsEntry.load(tmp_path / "ada.json")


JUNK: list[Any] = [None, True, -1, 0, 10**400, 1e308, math.nan, math.inf, "", "x" * 1000, [], [[]], {}, {"median": {}}]


@pytest.mark.parametrize("junk", JUNK, ids=[f"{value!r:.20}" for value in JUNK])
def test_whatever_stands_in_a_field_is_refused_in_a_sentence(entry: Any, tt: Any, junk: Any) -> None:
    record = entry.record()
    for name in record:
        if name != "seed" or type(junk) is not int or junk < 0:
            refused(tt, {**record, name: junk})
    for name in record["metrics"]:
        if not (name == "accuracy_before" and type(junk) is int and junk == 0):  # that may be: it got better
            refused(tt, {**record, "metrics": {**record["metrics"], name: junk}})
    for name in record["metrics"]["seconds_after"]:
        if not (name == "low" and type(junk) is int and junk == 0) and not (name == "high" and junk == 1e308):
            times = {**record["metrics"]["seconds_after"], name: junk}
            refused(tt, {**record, "metrics": {**record["metrics"], "seconds_after": times}})


def refused(tt: Any, record: Any) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- what it says is looked at below
        tt.OlympicsEntry.validate(record)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
