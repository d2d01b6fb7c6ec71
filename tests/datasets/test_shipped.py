"""TinyDigits and TinyTalks are what their pages say, and nothing of the data sets is loaded before it is needed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from importlib.util import find_spec

import numpy as np
import pytest

from pytest_tinytorch.datasets import Talk, tiny_digits, tiny_talks
from tests.conftest import REPOSITORY

SIGNS = set("abcdefghijklmnopqrstuvwxyz0123456789 .,:!?")


# ---- TinyDigits -----------------------------------------------------------------------------------------


def test_tiny_digits_is_balanced() -> None:
    digits = tiny_digits()
    assert digits.train_images.shape == (1000, 8, 8)
    assert digits.test_images.shape == (200, 8, 8)
    assert digits.train_images.dtype == digits.test_images.dtype == np.uint8
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
    assert np.bincount(digits.train_labels).tolist() == [100] * 10
    assert np.bincount(digits.test_labels).tolist() == [20] * 10
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 16)
    assert digits.note == ""


def test_no_tiny_digit_occurs_twice() -> None:
    digits = tiny_digits()
    images = np.concatenate([digits.train_images, digits.test_images]).reshape(1200, 64)
    assert len(np.unique(images, axis=0)) == 1200


def test_the_classes_of_tiny_digits_are_mixed() -> None:
    labels = tiny_digits().train_labels
    assert all(len(set(labels[start : start + 100].tolist())) == 10 for start in range(0, 1000, 100))


def test_the_nearest_training_digit_is_mostly_right() -> None:
    digits = tiny_digits()
    train, test = (a.reshape(-1, 64).astype(float) for a in (digits.train_images, digits.test_images))
    nearest = ((test[:, None] - train[None]) ** 2).sum(-1).argmin(1)
    assert (digits.train_labels[nearest] == digits.test_labels).mean() > 0.95


@pytest.mark.skipif(find_spec("sklearn") is None, reason="the tool needs scikit-learn")
def test_tiny_digits_is_what_the_tool_chooses() -> None:
    command = [sys.executable, "-m", "tools.tiny_digits", "--check"]
    subprocess.run(command, cwd=REPOSITORY, check=True)  # noqa: S603 -- our own tool


# ---- TinyTalks ------------------------------------------------------------------------------------------


def words(talks: list[Talk]) -> set[str]:
    return {word for talk in talks for word in re.findall(r"\w+", f"{talk.question} {talk.answer}")}


def test_tiny_talks_has_five_levels_and_three_splits() -> None:
    counts = Counter((talk.level, talk.split) for talk in tiny_talks())
    assert counts == {
        (level, split): count
        for level in range(1, 6)
        for split, count in {"train": 56, "validation": 7, "test": 7}.items()
    }


def test_a_question_is_asked_once() -> None:
    assert len({talk.question for talk in tiny_talks()}) == 350


def test_talks_are_short_and_written_with_few_signs() -> None:
    talks = tiny_talks()
    assert set("".join(talk.question + talk.answer for talk in talks)) == SIGNS
    assert max(len(talk.question + talk.answer) for talk in talks) <= 60
    assert max(len(talk.answer.split()) for talk in talks) <= 4
    assert all(text == text.strip() != "" for talk in talks for text in (talk.question, talk.answer))


def test_what_is_held_out_can_be_answered_from_what_is_trained_on() -> None:
    talks = tiny_talks()
    trained = [talk for talk in talks if talk.split == "train"]
    for talk in talks:
        known = words([t for t in trained if t.level == talk.level]) | words([Talk(talk.question, "", 1, "test")])
        assert words([Talk("", talk.answer, 1, "test")]) <= known, talk


def test_sums_and_comparisons_are_right() -> None:
    checked = 0
    for talk in tiny_talks():
        if found := re.fullmatch(r"what is (\d) (plus|minus) (\d)(?: minus (\d))?\?", talk.question):
            a, sign, b, c = found.groups(default="0")
            assert int(talk.answer) == int(a) + (int(b) if sign == "plus" else -int(b)) - int(c), talk
        elif found := re.fullmatch(r"which is (larger|smaller), (\d) or (\d)\?", talk.question):
            kind, *numbers = found.groups()
            assert talk.answer == (max if kind == "larger" else min)(numbers), talk
        elif found := re.fullmatch(r"\w+ has (\d) \w+ and (eats|finds) (\d)\. how many .*", talk.question):
            a, verb, b = found.groups()
            assert int(talk.answer) == int(a) + (int(b) if verb == "finds" else -int(b)), talk
        else:
            continue
        checked += 1
    assert checked == 74


def test_rows_lead_from_easy_to_hard() -> None:
    levels = [talk.level for talk in tiny_talks()]
    assert levels == sorted(levels)


def test_no_answer_gives_a_level_away() -> None:
    common: dict[int, Counter[str]] = defaultdict(Counter)
    for talk in tiny_talks():
        common[talk.level][talk.answer] += 1
    assert all(answers.most_common(1)[0][1] <= 14 for answers in common.values())


# ---- what is loaded when --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import pytest_tinytorch.plugin", "pytest_tinytorch.datasets"),
        ("from pytest_tinytorch.datasets import tiny_digits; tiny_digits()", "requests"),
        ("from pytest_tinytorch.datasets import tiny_digits; tiny_digits()", "rich"),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(code: str, absent: str) -> None:
    check = f"{code}\nimport sys\nassert {absent!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", check], cwd=REPOSITORY, check=True)  # noqa: S603 -- our own code
