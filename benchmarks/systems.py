"""What modules 14 to 20 gain and cost: ratios of time, bytes and shares, each beside the form without the gain.

    python benchmarks/systems.py                        # a table
    python benchmarks/systems.py --only acceleration    # one section, or several
    python benchmarks/systems.py --data FOLDER          # MNIST for the rows of modules 15 and 16, too
    python benchmarks/systems.py --json                 # the same as JSON
    python benchmarks/systems.py --package tinytorch    # another package than the solutions
    python benchmarks/systems.py --quick                # tiny sizes, few rounds: does it run at all?

Both sides take turns on one thread, and what counts is the median of the ratios of one round, in CPU time; DataParallel
is compared in wall time, and wants two quiet cores. The numbers of both sides are compared before they are timed.
What a cache of keys and values saves is measured by `generation.py`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import BATCH_SECONDS, REPOSITORY, in_turn, load, setting
from ratios import FASTER, SLOWER, SMALLER, Row, duration, text

# isort: split
import numpy as np  # after forward, which sets the number of threads

sys.path.insert(0, str(REPOSITORY))
from pytest_tinytorch.datasets import DataError, mnist, tiny_digits, tiny_talks  # this repository's

PROFILING, QUANTIZATION, COMPRESSION = "14 profiling", "15 quantization", "16 compression"
ACCELERATION, BENCHMARKING, CAPSTONE = "18 acceleration", "19 benchmarking", "20 capstone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The package, how long to measure, whether sizes are tiny, and where MNIST lies."""

    tt: ModuleType
    quick: bool
    rounds: int
    data: Path | None

    @property
    def length(self) -> float:
        """Seconds of a batch of calls."""
        return BATCH_SECONDS / (20 if self.quick else 1)


def timed(
    asked: Asked,
    about: tuple[str, str, str],
    calls: Sequence[Callable[[], Any]],
    against: str,
    *,
    reading: str = SLOWER,
    aim: str = "",
    clock: Callable[[], float] | None = None,
) -> Row:
    """A row about two functions, ours first: `about` is the module, what is measured and at which size."""
    options: dict[str, Any] = {} if clock is None else {"clock": clock}
    ours, theirs = calls
    mine, other, ratio = in_turn(ours, theirs, asked.rounds, asked.length, **options)
    module, what, size = about
    if reading == FASTER:
        ratio = 1 / max(ratio, 1e-9)
    return Row(
        module=module,
        what=what,
        size=size,
        against=against,
        ours=duration(mine),
        theirs=duration(other),
        ratio=ratio,
        reading=reading,
        aim=aim,
        source="systems.py",
    )


def alike(one: Any, other: Any, what: str) -> None:
    """Refuse to time two sides that compute different numbers."""
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3, err_msg=what)


def mlp(tt: ModuleType, *sizes: int) -> Any:
    """A multi-layer perceptron with ReLU between its layers, by Kaiming's start."""
    layers: list[Any] = []
    for before, after in itertools.pairwise(sizes):
        layers += [tt.Linear(before, after), tt.ReLU()]
        tt.kaiming_normal_(layers[-2].weight)
    return tt.Sequential(*layers[:-1])


def without_graph(tt: ModuleType, model: Any, x: Any) -> Callable[[], Any]:
    """The forward pass that records nothing."""

    def call() -> Any:
        with tt.no_grad():
            return model(x)

    return call


# ---- 14: what watching costs ------------------------------------------------------------------------------------


def profiling(asked: Asked) -> Iterator[Row]:
    """A forward pass with a stopwatch at every layer, and a function whose calls are noted."""
    tt, rng = asked.tt, np.random.default_rng(0)
    sizes, batch = ((8, 6, 4), 4) if asked.quick else ((784, 128, 64, 10), 64)
    gpt, length = (tt.GPT(9, 8, 2, 1, 5), 4) if asked.quick else (tt.GPT(65, 64, 4, 2, 64), 64)
    models = {
        f"{'-'.join(map(str, sizes))}, batch {batch}": (
            mlp(tt, *sizes),
            tt.tensor(rng.random((batch, sizes[0]), dtype=np.float32)),
        ),
        f"GPT of {len(gpt.blocks)} layers, 8 x {length} tokens": (gpt, tt.tensor(rng.integers(0, 9, (8, length)))),
    }
    for size, (model, x) in models.items():
        model.eval()
        about = (PROFILING, "each layer timed", size)
        watched = partial(in_eval_mode, tt, model, x)
        yield timed(asked, about, (watched, without_graph(tt, model, x)), "the same pass unwatched")

    def plain() -> Any:
        return rng.standard_normal(1)

    about = (PROFILING, "a call noted by `profile`", "one random number")
    yield timed(asked, about, (tt.profile(plain), plain), "the call alone")


def in_eval_mode(tt: ModuleType, model: Any, x: Any) -> Any:
    """A forward pass whose layers are timed."""
    return tt.profiling.timed(model, x)


# ---- 15, 16: smaller --------------------------------------------------------------------------------------------


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


# ---- 18: faster -------------------------------------------------------------------------------------------------


def acceleration(asked: Asked) -> Iterator[Row]:
    """Products of matrices in three ways, fused operations, and two threads."""
    yield from products(asked)
    yield from fused(asked)
    yield parallel(asked)


def products(asked: Asked) -> Iterator[Row]:
    """Loops over numbers against tiles, and tiles against NumPy's product of the whole."""
    tt, rng = asked.tt, np.random.default_rng(0)
    n, tile = (6, 4) if asked.quick else (64, 32)
    a, b = rng.standard_normal((2, n, n), dtype=np.float32)
    alike(tt.matmul_loops(a, b), a @ b, "matmul_loops")
    loops = partial(tt.matmul_loops, a, b)
    calls: dict[str, Callable[[], Any]] = {"tiles": partial(tt.matmul_tiled, a, b, tile)}
    calls["NumPy's product"] = lambda: a @ b
    for what, call in calls.items():
        alike(call(), a @ b, what)
        about = (ACCELERATION, what, f"({n}, {n}) @ ({n}, {n})" + f", tile {tile}" * (what == "tiles"))
        yield timed(asked, about, (call, loops), "three loops", reading=FASTER)
    n, tile = (8, 4) if asked.quick else (1024, 256)
    c, d = rng.standard_normal((2, n, n), dtype=np.float32)
    about = (ACCELERATION, "tiles", f"({n}, {n}) @ ({n}, {n}), tile {tile}")
    yield timed(asked, about, (partial(tt.matmul_tiled, c, d, tile), lambda: c @ d), "NumPy's product")


def fused(asked: Asked) -> Iterator[Row]:
    """Each operation forward and backward, as one and step by step."""
    tt, rng = asked.tt, np.random.default_rng(0)
    rows, columns = (4, 6) if asked.quick else (512, 128)
    a, grad = rng.standard_normal((2, rows, columns), dtype=np.float32)
    x, g = tt.tensor(a, requires_grad=True), tt.tensor(grad)
    weight, bias = (tt.tensor(rng.random(columns, dtype=np.float32), requires_grad=True) for _ in range(2))
    ids = tt.tensor(rng.integers(0, columns, rows))
    rest = {"gelu": (), "softmax": (), "cross_entropy": (ids,), "layer_norm": (weight, bias)}
    for name, others in rest.items():
        gradient = () if name == "cross_entropy" else (g,)
        calls = [
            partial(there_and_back, getattr(tt.acceleration, f"{how}_{name}"), (x, *others), gradient)
            for how in ("fused", "composed")
        ]
        alike(calls[0](), calls[1](), name)
        about = (ACCELERATION, f"fused {name}", f"({rows}, {columns}), forward and backward")
        yield timed(asked, about, calls, "composed", reading=FASTER, aim="above 1")


def there_and_back(function: Callable[..., Any], inputs: tuple[Any, ...], gradient: tuple[Any, ...]) -> Any:
    """A forward and a backward pass; the gradient of the first input."""
    for each in inputs:
        each.grad = None
    function(*inputs).backward(*gradient)
    return inputs[0].grad.data


def parallel(asked: Asked) -> Row:
    """Gradients of a batch on two threads, in wall time."""
    tt, rng = asked.tt, np.random.default_rng(0)
    sizes, batch = ((8, 6, 4), 6) if asked.quick else ((784, 512, 256, 10), 2048)
    tt.manual_seed(0)
    model, loss_fn = mlp(tt, *sizes), tt.CrossEntropyLoss()
    x, t = tt.tensor(rng.random((batch, sizes[0]), dtype=np.float32)), tt.tensor(rng.integers(0, sizes[-1], batch))
    two = tt.DataParallel(model, workers=2)

    def single() -> Any:
        model.zero_grad()
        loss_fn(model(x), t).backward()
        return [p.grad.data for p in model.parameters()]

    def double() -> Any:
        model.zero_grad()
        two.backward(loss_fn, x, t)
        return [p.grad.data for p in model.parameters()]

    for one, other in zip(single(), double(), strict=True):
        alike(one, other, "DataParallel")
    about = (ACCELERATION, "DataParallel, two workers", f"{'-'.join(map(str, sizes))}, batch {batch}")
    return timed(asked, about, (double, single), "the single run", reading=FASTER, clock=time.perf_counter)


# ---- 19: how often a comparison is wrong --------------------------------------------------------------------------


def benchmarking(asked: Asked) -> Iterator[Row]:
    """Differences that are none, differences of a tenth, and intervals, over many simulated measurements."""
    tt, rng = asked.tt, np.random.default_rng(0)
    trials, samples = (20, 20) if asked.quick else (1000, 30)

    def measured(scale: float) -> Any:
        return tt.Measurement(scale * noisy(rng, samples))

    size = f"{trials:,} comparisons of {samples} samples"
    alarms = sum(tt.compare(measured(1.0), measured(1.0)).significant for _ in range(trials)) / trials
    yield share(BENCHMARKING, "false alarms", size, alarms, 0.05, "allowed", "at most 1")
    found = sum(tt.compare(measured(1.1), measured(1.0)).verdict == "faster" for _ in range(trials)) / trials
    yield share(BENCHMARKING, "a tenth less time found", size, found, 1.0, "there to be found", "1")
    true = float(np.median(noisy(np.random.default_rng(1), 1_000_000)))
    held = [low <= true <= high for low, high in (measured(1.0).confidence_interval() for _ in range(trials))]
    size = f"{trials:,} intervals of {samples} samples"
    yield share(
        BENCHMARKING, "intervals that hold the median", size, float(np.mean(held)), 0.95, "stated", "at least 1"
    )


def noisy(rng: np.random.Generator, count: int) -> Any:
    """Times as a machine gives them: never below what the work takes, skewed, one in twenty far out."""
    times = 1.0 + 0.05 * rng.lognormal(0.0, 0.5, count)
    times[rng.random(count) < 0.05] *= 1.5
    return times


def share(module: str, what: str, size: str, found: float, due: float, against: str, aim: str) -> Row:
    """A row about how often something happened."""
    told = [f"{100 * each:.1f} %" for each in (found, due)]
    return Row(
        module=module,
        what=what,
        size=size,
        against=against,
        ours=told[0],
        theirs=told[1],
        ratio=found / due,
        reading="as many",
        aim=aim,
        source="systems.py",
    )


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


SECTIONS = (profiling, smaller, acceleration, benchmarking, capstone)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="What modules 14 to 20 gain and cost.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few rounds")
    names = [section.__name__ for section in SECTIONS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these sections")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per row (default 15)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder that holds mnist/")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    tt = load(chosen.package.resolve())
    rounds = chosen.rounds or (3 if chosen.quick else 15)
    asked = Asked(tt=tt, quick=chosen.quick, rounds=rounds, data=chosen.data)
    note = (
        ""
        if chosen.data or "smaller" not in chosen.only
        else "MNIST was left out: --data FOLDER names the folder that holds mnist/."
    )
    try:
        rows = [row for section in SECTIONS if section.__name__ in chosen.only for row in section(asked)]
    except DataError as error:
        raise SystemExit(f"MNIST cannot be read: {error}") from None
    if chosen.json:
        print(json.dumps({"setting": setting(), "note": note, "rows": [asdict(row) for row in rows]}, indent=1))
        return 0
    print(", ".join(f"{key} {value}" for key, value in setting().items()))
    print(text(rows))
    if note:
        print(f"\n{note}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
