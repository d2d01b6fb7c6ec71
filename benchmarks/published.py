"""What upstream TinyTorch publishes of its own times, each figure with the file that it stands in.

Upstream does not say on which machine. Its networks are those of its milestones: the same data and a like task, not
the same sizes. A figure that is only a bound ("less than a minute") gives no ratio, and does not stand here.
"""

from __future__ import annotations

from dataclasses import dataclass

BOOK = "harvard-edge/cs249r_book, tinytorch/"
OLDER = "MLSysBook/TinyTorch, "
MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One figure as it is published, and the same in seconds, from `low` to `high`."""

    what: str
    figure: str
    low: float
    high: float
    source: str


CONVOLUTION = Published(
    what="Conv2d, 32 filters of 5 x 5, 128 images of 3 x 32 x 32",
    figure="97 s",
    low=97.0,
    high=97.0,
    source=f"{BOOK}paper/paper.tex at 000e8f7, “Experiencing Performance Reality”",
)
DIGITS = Published(
    what="an MLP reads TinyDigits",
    figure="3–5 min, 81–83 %",
    low=3 * MINUTE,
    high=5 * MINUTE,
    source=f"{BOOK}milestones/03_1986_mlp/README.md at 1088721",
)
MNIST = Published(
    what="an MLP reads MNIST",
    figure="10–15 min, 94–97 %, of 60,000 digits",
    low=10 * MINUTE,
    high=15 * MINUTE,
    source=f"{OLDER}milestones/03_1986_mlp/README.md at 70f03f9",
)
SMALL_IMAGES = Published(
    what="a convolutional network reads TinyDigits",
    figure="about 2 min, 86–87 %",
    low=2 * MINUTE,
    high=2 * MINUTE,
    source=f"{BOOK}milestones/04_1998_cnn/README.md at 1088721",
)
PHOTOGRAPHS = Published(
    what="a convolutional network sorts CIFAR-10",
    figure="30–60 min, 65–75 %",
    low=30 * MINUTE,
    high=60 * MINUTE,
    source=f"{BOOK}milestones/04_1998_cnn/README.md at 1088721",
)
LANGUAGE = Published(
    what="attention reverses words, and a GPT answers TinyTalks",
    figure="30 s and 3–5 min",
    low=3.5 * MINUTE,
    high=5.5 * MINUTE,
    source=f"{BOOK}milestones/05_2017_transformer/ABOUT.md at 03e7ecf",
)
