"""Models that become smaller: INT8, fewer units, lower rank, and a TinyGPT; rows of modules 15, 16 and 20."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from forward import REPOSITORY
from ratios import FASTER, SMALLER, Row
from turns import Asked, mlp, timed, without_graph

# isort: split
import numpy as np  # after forward, which sets the number of threads

sys.path.insert(0, str(REPOSITORY))
from pytest_tinytorch.datasets import mnist, tiny_digits, tiny_talks  # this repository's

QUANTIZATION, COMPRESSION, CAPSTONE = "15 quantization", "16 compression", "20 capstone"


class Digits:
    """Digits as rows of numbers between 0 and 1, a network that reads them, and how many it reads."""

    def __init__(self, asked: Asked, name: str, digits: Any) -> None:
        self.tt, self.name = asked.tt, name
        pixels, top = digits.train_images[0].size, float(digits.train_images.max())
        self.x, self.new = (
            (images.reshape(-1, pixels) / top).astype(np.float32)
            for images in (digits.train_images, digits.test_images)
        )
        self.y, self.answers = digits.train_labels.astype(np.int64), digits.test_labels
        self.epochs = 1 if asked.quick else max(8, 40_000 // len(self.x))
        self.tt.manual_seed(0)
        self.net = self.train(mlp(self.tt, pixels, 128, 64, 10), self.epochs)
        self.size = f"{pixels}-128-64-10, {name}"

    def train(self, model: Any, epochs: int, lr: float = 3e-3) -> Any:
        """Learn all digits, with a rate that falls to nothing."""
        tt, rng = self.tt, np.random.default_rng(1)
        model.train()
        optimizer, loss_fn = tt.Adam(model.parameters(), lr=lr), tt.CrossEntropyLoss()
        decay = tt.CosineAnnealingLR(optimizer, T_max=epochs)
        for _ in range(epochs):
            for ids in np.array_split(rng.permutation(len(self.x)), max(1, len(self.x) // 64)):
                optimizer.zero_grad()
                loss_fn(model(tt.tensor(self.x[ids])), tt.tensor(self.y[ids])).backward()
                optimizer.step()
            decay.step()
        return model.eval()

    def right(self, model: Any) -> float:
        """The share of new digits that a model reads."""
        with self.tt.no_grad():
            return float((model.eval()(self.tt.tensor(self.new)).data.argmax(1) == self.answers).mean())

    def smaller(self, module: str, what: str, model: Any, aim: str) -> Row:
        """A row about a model that has become smaller."""
        before, after = (int(self.tt.model_bytes(each)) for each in (self.net, model))
        told = [f"{size:,} bytes, {100 * self.right(m):.1f} %" for size, m in ((after, model), (before, self.net))]
        return Row(
            module=module,
            what=what,
            size=self.size,
            against="float32, all units",
            ours=told[0],
            theirs=told[1],
            ratio=before / after,
            reading=SMALLER,
            aim=aim,
            source="systems.py",
        )


def readers(asked: Asked) -> Iterator[Digits]:
    """The network of 1986 on TinyDigits, and on MNIST where it is."""
    yield Digits(asked, "TinyDigits", tiny_digits())
    if asked.data is not None:
        yield Digits(asked, "MNIST", mnist(asked.data, download=False))


def smaller(asked: Asked) -> Iterator[Row]:
    """Eight bits; half of the units; both; and what each does to the time."""
    for digits in readers(asked):
        yield from quantized(asked, digits)
        yield from compressed(asked, digits)
    yield low_rank(asked)


def quantized(asked: Asked, digits: Digits) -> Iterator[Row]:
    """INT8: bytes, digits read, and the time that NumPy takes for whole numbers."""
    tt = asked.tt
    small = tt.quantize_model(digits.net, tt.tensor(digits.x[:256]))
    yield digits.smaller(QUANTIZATION, "INT8", small, "at least 3.9, at most 1 point lost")
    x = tt.tensor(digits.x[:64])
    calls = [without_graph(tt, model, x) for model in (small, digits.net)]
    about = (QUANTIZATION, "INT8, forward", f"{digits.size}, batch 64")
    yield timed(asked, about, calls, "float32")


def compressed(asked: Asked, digits: Digits) -> Iterator[Row]:
    """Fewer units, which learn on, in eight bits; and half of the units, timed."""
    tt = asked.tt
    found = tt.compress(
        digits.net,
        {
            "units": lambda model: tt.structured_prune(model, 0.6),
            "train on": lambda model: digits.train(model, digits.epochs, lr=1e-3),
            "int8": lambda model: tt.quantize_model(model.eval(), tt.tensor(digits.x[:256])),
        },
    )
    aim = "at least 10, at most 2 points lost"
    yield digits.smaller(COMPRESSION, "60 % of the units gone, and INT8", found.model, aim)
    half, x = tt.structured_prune(digits.net, 0.5).eval(), tt.tensor(digits.x[:64])
    calls = [without_graph(tt, model, x) for model in (half, digits.net)]
    about = (COMPRESSION, "half of the units, forward", f"{digits.size}, batch 64")
    yield timed(asked, about, calls, "all units", reading=FASTER)


def low_rank(asked: Asked) -> Row:
    """Two thin matrices in place of a thick one."""
    tt, rng = asked.tt, np.random.default_rng(0)
    width, rank = (16, 2) if asked.quick else (1024, 64)
    thick = tt.Linear(width, width)
    thin, x = tt.LowRankLinear.from_linear(thick, rank), tt.tensor(rng.random((64, width), dtype=np.float32))
    about = (COMPRESSION, f"rank {rank}, forward", f"64 x {width} -> {width}")
    calls = [without_graph(tt, layer, x) for layer in (thin, thick)]
    return timed(asked, about, calls, "full rank", reading=FASTER)


# ---- 20: a model that answers -----------------------------------------------------------------------------------


def capstone(asked: Asked) -> Iterator[Row]:
    """TinyGPT after it learnt some answers by heart: its bytes in eight bits, and an answer with a cache."""
    tt = asked.tt
    pairs = [(talk.question, talk.answer) for talk in tiny_talks() if len(talk.question) < 32 > 2 * len(talk.answer)]
    pairs = pairs[: 2 if asked.quick else 24]
    tokenizer = tt.CharTokenizer([tt.capstone.END]).train("".join(question + answer for question, answer in pairs))
    tt.manual_seed(0)
    bot = tt.TinyGPT(tokenizer, d_model=48, num_heads=4, num_layers=2, max_len=64)
    bot.train(pairs, epochs=1 if asked.quick else 60, batch_size=8)
    _, report = bot.compress(pairs)
    told = [
        f"{report[f'bytes_{when}']:,} bytes, {100 * report[f'accuracy_{when}']:.0f} %" for when in ("after", "before")
    ]
    size = f"2 layers of 48, {len(pairs)} pairs of TinyTalks"
    yield Row(
        module=CAPSTONE,
        what="TinyGPT in INT8",
        size=size,
        against="float32",
        ours=told[0],
        theirs=told[1],
        ratio=report["bytes_before"] / report["bytes_after"],
        reading=SMALLER,
        source="systems.py",
    )
    count, question = 4 if asked.quick else 32, pairs[0][0]
    about = (CAPSTONE, f"an answer of {count} characters", "2 layers of 48")
    answers = (lambda: bot.generate(question, count), lambda: bot.generate(question, count, cached=False))
    yield timed(asked, about, answers, "no cache", reading=FASTER)
