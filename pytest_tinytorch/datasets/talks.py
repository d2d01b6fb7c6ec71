"""TinyTalks: 350 questions with one answer each, in five levels, written for this course."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Literal, NamedTuple, cast

Split = Literal["train", "validation", "test"]


class Talk(NamedTuple):
    """A question, its one answer, how hard it is (1 to 5), and what it is for."""

    question: str
    answer: str
    level: int
    split: Split


def tiny_talks() -> list[Talk]:
    """The whole set in its order: level by level, each with 56 talks to train on, 7 to validate and 7 to test.

    README.md beside this file says what the levels ask and what a trained model can be expected to answer.
    """
    text = files(__package__).joinpath("tiny_talks.tsv").read_text(encoding="ascii")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Talk(row["question"], row["answer"], int(row["level"]), cast("Split", row["split"])) for row in rows]
