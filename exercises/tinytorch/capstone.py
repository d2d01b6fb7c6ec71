"""Capstone: a small language model, from text to a file that can be sent, and an entry for the Torch Olympics.

Nineteen modules each did one thing. Here they meet: pairs of questions and answers become ids and targets, a GPT learns
them, a cache makes it answer fast, eight bits make it small, a clock says how fast, one file holds all that it needs.
What is hard about it stands in none of the nineteen, since it lies between them: a tokenizer that was not saved, a
baseline that was timed in another mode, a gain that was multiplied and never measured.
"""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .benchmarking import Benchmark, Measurement
from .losses import CrossEntropyLoss
from .memoization import generate_cached
from .optimizers import AdamW
from .quantization import QuantizedLinear, model_bytes, quantize_model
from .tensor import Tensor, tensor
from .tokenization import BPETokenizer, CharTokenizer
from .training import clip_grad_norm_, load_checkpoint, save_checkpoint, write_atomically
from .transformers import GPT

FilePath: TypeAlias = "str | os.PathLike[str]"
Tokenizer: TypeAlias = "CharTokenizer | BPETokenizer"
Pair: TypeAlias = tuple[str, str]  # a question and its answer

END = "<end>"  # the special token behind every answer
UNCOUNTED = -100  # a target that the loss passes over
TOKENIZERS: dict[str, Any] = {"CharTokenizer": CharTokenizer, "BPETokenizer": BPETokenizer}


# ---- From pairs to ids -------------------------------------------------------------------------------------


def encode_pair(tokenizer: Tokenizer, question: str, answer: str) -> tuple[list[int], list[int]]:
    """A question and its answer as the model reads them, and what it is to say at each place.

        all the ids    those of the question, those of the answer, the id of END
        ids            all of them but the last one, after which nothing comes
        targets        what comes next: all of them but the first

    The model is to answer, not to ask. So wherever the next id is still the question's, the target is UNCOUNTED, which
    the loss passes over. At the last place of the question the target is the first id of the answer; at
    the last place of the answer it is END.

    Question and answer are encoded each by itself. When somebody asks, only the question is there, and byte-pair
    encoding may cut "ab" otherwise than "a" and "b".

    >>> tokenizer = CharTokenizer([END]).train("abc")  # END is 0, a 1, b 2, c 3
    >>> encode_pair(tokenizer, "ab", "c")
    ([1, 2, 3], [-100, 3, 0])
    >>> encode_pair(tokenizer, "", "c")
    Traceback (most recent call last):
    ValueError: a question has at least one token to go on from, and '' has none

    About five lines; `encode_question` (given) raises the error, `tokenizer.special_ids[END]` is END's id.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("capstone.encode_pair")
    # END OF YOUR CODE (keep this line)


def encode_question(tokenizer: Tokenizer, question: str) -> list[int]:
    """The ids of a question, at least one (given)."""
    ids: list[int] = tokenizer.encode(question)
    if not ids:
        raise ValueError(f"a question has at least one token to go on from, and {question!r} has none")
    return ids


def pair_batch(tokenizer: Tokenizer, pairs: Sequence[Pair], max_len: int) -> tuple[Tensor, Tensor]:
    """Several pairs as one batch: ids (N, T) and targets (N, T), with T the length of the longest.

    Shorter rows are filled up at the end, ids with END and targets with UNCOUNTED. No other place is changed by that:
    in a GPT nobody sees what comes later, and the loss passes over what is filled up.

    A pair with more than max_len ids raises ValueError with its number, its length and max_len, since cut off it would
    teach half an answer; no pairs at all raise ValueError, too.

    >>> tokenizer = CharTokenizer([END]).train("abc")
    >>> ids, targets = pair_batch(tokenizer, [("ab", "c"), ("a", "")], max_len=3)
    >>> ids.tolist(), targets.tolist()
    ([[1, 2, 3], [1, 0, 0]], [[-100, 3, 0], [0, -100, -100]])
    >>> pair_batch(tokenizer, [("a", "b"), ("abc", "ab")], max_len=4)
    Traceback (most recent call last):
    ValueError: pair 1 has 5 ids, and the model was made for max_len 4

    About eight lines. `_require_fit(rows, max_len)` (given) raises both errors.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("capstone.pair_batch")
    # END OF YOUR CODE (keep this line)


def _require_fit(rows: Sequence[tuple[list[int], list[int]]], max_len: int) -> None:
    if not rows:
        raise ValueError("a batch has at least one pair, not 0")
    for n, (ids, _) in enumerate(rows):
        if len(ids) > max_len:
            raise ValueError(f"pair {n} has {len(ids)} ids, and the model was made for max_len {max_len}")


# ---- The whole system --------------------------------------------------------------------------------------


class TinyGPT:
    """A GPT with its tokenizer: text in, text out.

    >>> _ = manual_seed(0)
    >>> pairs = [("hi", "yes"), ("who?", "me")]
    >>> bot = TinyGPT(CharTokenizer([END]).train("".join(q + a for q, a in pairs)), d_model=16, max_len=16)
    >>> losses = bot.train(pairs, epochs=80, lr=0.01)
    >>> bot.generate("hi"), bot.generate("who?"), losses[-1] < 0.1
    ('yes', 'me', True)
    """

    def __init__(
        self, tokenizer: Tokenizer, d_model: int = 32, num_heads: int = 2, num_layers: int = 1, max_len: int = 64
    ) -> None:
        if END not in tokenizer.special_ids:
            raise ValueError(f"the tokenizer needs the special token {END!r}, and it has {list(tokenizer.special_ids)}")
        self.tokenizer = tokenizer
        self.sizes = {"d_model": d_model, "num_heads": num_heads, "num_layers": num_layers, "max_len": max_len}
        self.model: Any = GPT(tokenizer.vocab_size, **self.sizes)

    @property
    def nbytes(self) -> int:
        """How many bytes the model's numbers take."""
        return int(model_bytes(self.model))

    @property
    def bits(self) -> int:
        """Of the numbers in its Linear layers: 8 in a compressed model, else 32."""
        return 8 if isinstance(self.model.head, QuantizedLinear) else 32

    def loss(self, ids: Tensor, targets: Tensor) -> Tensor:
        """How surprised the model is by the answers: the cross-entropy over all targets that count.

            ids (N, T), targets (N, T)  ->  a Tensor of shape ()

        The model gives logits (N, T, V); `CrossEntropyLoss` takes scores (M, V) and class ids (M,), and passes over
        UNCOUNTED by itself. Its mean is over what counts.

        >>> _ = manual_seed(0)
        >>> bot = TinyGPT(CharTokenizer([END]).train("abc"), d_model=8)
        >>> loss = bot.loss(tensor([[1, 2, 3]]), tensor([[-100, 3, 0]]))
        >>> loss.shape, abs(loss.item() - math.log(4)) < 0.1
        ((), True)

        About three lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.loss")
        # END OF YOUR CODE (keep this line)

    def train(
        self, pairs: Sequence[Pair], epochs: int = 100, batch_size: int = 16, lr: float = 3e-3, seed: int = 0
    ) -> list[float]:
        """Learn the answers by heart: gives the mean loss of each epoch, over its batches.

        In every epoch each pair comes once, in a new order that a `np.random.default_rng(seed)` of this call draws, in
        batches of batch_size, the last one maybe smaller. A batch is a `pair_batch`, one step of `AdamW`
        (weight_decay 0.01) with the gradients zeroed before, and clipped to norm 1 after, the backward pass.
        The model is in training mode meanwhile, and in evaluation mode afterwards.

        One optimiser for the whole call: Adam remembers. A new one for each batch would forget it all.

        >>> _ = manual_seed(0)
        >>> bot = TinyGPT(CharTokenizer([END]).train("hiyesno"), d_model=16)
        >>> losses = bot.train([("hi", "yes"), ("no", "no")], epochs=60, batch_size=1, lr=0.01)
        >>> len(losses), abs(losses[0] - math.log(8)) < 0.5, losses[-1] < 0.1
        (60, True, True)

        About sixteen lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.train")
        # END OF YOUR CODE (keep this line)

    def generate(
        self,
        question: str,
        max_new_tokens: int = 32,
        temperature: float = 0.0,
        top_k: int | None = None,
        seed: int | None = None,
        cached: bool = True,
    ) -> str:
        """Answer a question: the text that the model writes behind it, up to END.

        The tokens come from `generate_cached`, or without `cached` from the model's own `generate`: the same ones, only
        slower. Both take a batch of ids (1, T) and give it back with the new ids behind it. Of those, what
        stands before the first END is the answer; without any END it is all of them. END is found among the ids:
        a model may also write the five characters "<end>", and they are text.

        >>> _ = manual_seed(0)
        >>> bot = TinyGPT(CharTokenizer([END]).train("hiyes"), d_model=16)
        >>> _ = bot.train([("hi", "yes")], epochs=60, lr=0.01)
        >>> bot.generate("hi"), bot.generate("hi", cached=False), bot.generate("hi", max_new_tokens=2)
        ('yes', 'yes', 'ye')

        About nine lines; `encode_question` refuses a question without tokens.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.generate")
        # END OF YOUR CODE (keep this line)

    def accuracy(self, pairs: Sequence[Pair]) -> float:
        """The share of questions that are answered exactly as the pairs say (given)."""
        right = [self.generate(question, max_new_tokens=len(answer) + 1) == answer for question, answer in pairs]
        return sum(right) / len(right)

    def compress(self, pairs: Sequence[Pair]) -> tuple[TinyGPT, dict[str, float]]:
        """A smaller TinyGPT that answers alike, and what it gained and lost.

        The small one has the same tokenizer and sizes. Its model is `quantize_model(model, calibration)`: a copy with
        weights of eight bits, whose ranges of activations were observed while it read the calibration, a list of
        batches of ids. Here that is one: the ids of all pairs, as `pair_batch` makes them. This one stays
        as it was.

            "bytes_before"  "bytes_after"         `nbytes` of this one and of the small one
            "accuracy_before"  "accuracy_after"   the share of the pairs that each of them answers

        Both accuracies are measured, the second one on the model that will travel: what eight bits cost cannot be
        known beforehand.

        >>> _ = manual_seed(0)
        >>> bot = TinyGPT(CharTokenizer([END]).train("hiyes"), max_len=16)
        >>> _ = bot.train([("hi", "yes")], epochs=60, lr=0.01)
        >>> small, report = bot.compress([("hi", "yes")])
        >>> small.generate("hi"), report["bytes_before"] == bot.nbytes, report["bytes_after"] < 0.5 * bot.nbytes
        ('yes', True, True)

        About nine lines; `self.with_model(model)` (given) is a TinyGPT like this one around another model.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.compress")
        # END OF YOUR CODE (keep this line)

    def with_model(self, model: Any) -> TinyGPT:
        """The same tokenizer and sizes around another model (given)."""
        other = TinyGPT(self.tokenizer, **self.sizes)
        other.model = model
        return other

    def benchmark(
        self,
        question: str,
        max_new_tokens: int = 32,
        warmup: int = 1,
        repeats: int = 8,
        cached: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Measurement:
        """How many tokens per second it writes: a Measurement with one sample for each repeat.

        `Benchmark` times the whole answer, as somebody who asks would: encoding, the loop, decoding. A run that took s
        seconds makes the sample max_new_tokens / s. All these tokens are computed, also those behind END. Turn
        every sample round by itself: the mean of rates is not the rate of the mean.

        What is compared must be alike in all but one thing: the same question, the same number of tokens, both
        in evaluation mode, and only `cached` another.

        >>> ticks = iter(range(100))
        >>> bot = TinyGPT(CharTokenizer([END]).train("hiyes"), d_model=8)
        >>> speed = bot.benchmark("hi", max_new_tokens=4, repeats=3, clock=lambda: 0.5 * next(ticks))
        >>> [float(sample) for sample in speed.samples]
        [8.0, 8.0, 8.0]

        About four lines: `Benchmark(fn, warmup, repeats, clock).run()` is a Measurement of seconds, and
        `Measurement(samples)` makes one.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.benchmark")
        # END OF YOUR CODE (keep this line)

    def save(self, path: FilePath) -> int:
        """Write everything that it takes to answer into one file, with `save_checkpoint`, and give its size in bytes.

            kind        the text "TinyGPT", by which the file is known again
            tokenizer   {"kind": the name of its class, **its state()}
            sizes       self.sizes
            bits        self.bits: 8 for a compressed model, whose state has other names
            model       the model, whose state_dict `save_checkpoint` asks for

        The tokenizer is part of the model. One that is trained again on other texts gives other ids, and the
        model answers fluent nonsense.

        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "bot.npz"
        >>> size = TinyGPT(CharTokenizer([END]).train("hiyes"), d_model=8, max_len=16).save(path)
        >>> size == path.stat().st_size
        True
        >>> saved = load_checkpoint(path)
        >>> saved["kind"], saved["bits"], saved["sizes"]["max_len"], saved["tokenizer"]["tokens"]
        ('TinyGPT', 32, 16, ['e', 'h', 'i', 's', 'y'])

        About five lines. `Path(path).stat().st_size` is the size of a file.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.save")
        # END OF YOUR CODE (keep this line)

    @classmethod
    def load(cls, path: FilePath) -> TinyGPT:
        """Read what `save` wrote: a TinyGPT that gives the same answers, ready to answer.

        `load_checkpoint(path)` gives back everything by its name, and refuses what is no checkpoint or a truncated
        one. `made_again(path, saved)` (given) gives a new TinyGPT with the saved tokenizer, sizes and bits, but with
        random weights, and refuses what is no TinyGPT. The saved weights go in with `load_state_dict`, strictly: a
        name too many or too few would mean that some stay random. Its errors (RuntimeError, ValueError, TypeError)
        become a ValueError that names the file.

        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "bot.npz"
        >>> bot = TinyGPT(CharTokenizer([END]).train("hiyes"), d_model=8)
        >>> _ = bot.save(path)
        >>> other, ids = TinyGPT.load(path), tensor([[1, 2, 3]])
        >>> bool((other.model(ids) == bot.model(ids)).data.all()), other.model.training
        (True, False)

        About eight lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.TinyGPT.load")
        # END OF YOUR CODE (keep this line)


def made_again(path: FilePath, saved: Mapping[str, Any]) -> TinyGPT:
    """A TinyGPT with the saved tokenizer and sizes; ValueError with one sentence where that is impossible."""
    name = os.fspath(path)
    if saved.get("kind") != "TinyGPT" or not {"tokenizer", "sizes", "bits", "model"} <= set(saved):
        raise ValueError(f"{name} is a checkpoint, but of no TinyGPT: it holds {', '.join(sorted(saved)) or 'nothing'}")
    try:
        state = dict(saved["tokenizer"])
        tokenizer = TOKENIZERS[state.pop("kind")].from_state(state)
        bot = TinyGPT(tokenizer, **saved["sizes"])
        if saved["bits"] == 8:  # whatever it was calibrated on is in its state
            bot = bot.with_model(quantize_model(bot.model, tensor([[0, 1]])))
        return bot
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"{name} is a damaged TinyGPT file ({type(error).__name__}: {error})") from error


# ---- An entry for the Olympics -----------------------------------------------------------------------------

SCHEMA = 1  # the version of the format
EVENTS = ("latency", "memory", "accuracy", "extreme")
LARGEST = 1e300  # of all numbers; JSON has whole ones that no float can hold
LOST = 0.02  # as much accuracy an entry may lose, in any event
FIELDS = ("schema", "name", "event", "seed", "versions", "metrics")
METRICS = (
    "seconds_before",
    "seconds_after",
    "speedup",
    "bytes_before",
    "bytes_after",
    "smaller",
    "accuracy_before",
    "accuracy_after",
)


def interval_of(measurement: Measurement) -> dict[str, float]:
    """A Measurement as JSON can hold it: a dict of plain numbers, without NumPy's.

        "median"         its median
        "low" "high"     its confidence_interval(0.95)
        "repeats"        how many samples it has

    JSON knows no float32, and no nan or inf either, although Python would write them, and no other reader could
    read that. So three of the numbers go through float(), repeats through int(), and one that is not finite raises
    ValueError with its name and value.

    >>> interval_of(Measurement([3.0, 1.0, 2.0, 2.0, 4.0, 2.0]))
    {'median': 2.0, 'low': 1.0, 'high': 4.0, 'repeats': 6}
    >>> Measurement([3.0, 1.0, 2.0, 2.0, 4.0, 2.0]).confidence_interval(0.95)
    (1.0, 4.0)

    About six lines; `require_finite(name, number)` (given) raises the error, and gives the number as a float.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("capstone.interval_of")
    # END OF YOUR CODE (keep this line)


def require_finite(name: str, number: Any) -> float:
    """A number as a plain float, unless it is inf or nan (given)."""
    plain = float(number)
    if not math.isfinite(plain):
        raise ValueError(f"{name} is {plain}, and JSON holds finite numbers only")
    return plain


def require_number(fields: Mapping[str, Any], name: str, low: float, high: float, kind: Any = (int, float)) -> float:
    """The number under a name; ValueError where it is none, or not from low to high (given).

    A bool is no number here, though Python counts with it.

    >>> require_number({"bytes_after": 120}, "bytes_after", 1, math.inf, int)
    120
    >>> require_number({"bytes_after": -5}, "bytes_after", 1, math.inf, int)
    Traceback (most recent call last):
    ValueError: bytes_after is from 1 on, not -5
    """
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, kind):
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} is {wanted}, not {value!r:.60}")
    if not low <= value <= high or not abs(value) < LARGEST:
        raise ValueError(f"{name} is from {low} {'on' if high == math.inf else f'to {high}'}, not {value!r:.60}")
    return value  # type: ignore[no-any-return]  # just seen to be one


def require_fields(fields: Any, names: Sequence[str], what: str) -> None:
    """A dict with exactly these names; ValueError that names what is missing or too much (given).

    >>> require_fields({"name": "ada", "gold": 1}, ["name", "event"], "the entry")
    Traceback (most recent call last):
    ValueError: the entry lacks event and has gold, which nobody knows
    """
    if not isinstance(fields, dict):
        raise ValueError(f"{what} is a dict of {', '.join(names)}, not {fields!r:.60}")
    missing, unknown = [n for n in names if n not in fields], [str(n)[:40] for n in fields if n not in names]
    lacks = f"lacks {', '.join(missing)}" if missing else ""
    has = f"has {', '.join(unknown)}, which nobody knows" if unknown else ""
    if lacks or has:
        raise ValueError(f"{what} {' and '.join(part for part in (lacks, has) if part)}")


def require_interval(metrics: Mapping[str, Any], name: str) -> float:
    """The median of a time that was measured; ValueError where its numbers cannot be an interval's (given).

    >>> require_interval({"t": {"median": 0.5, "low": 0.6, "high": 0.7, "repeats": 5}}, "t")
    Traceback (most recent call last):
    ValueError: t: the median 0.5 does not lie between low 0.6 and high 0.7
    """
    found = metrics[name]
    require_fields(found, ("median", "low", "high", "repeats"), name)
    try:
        low, median, high = (require_number(found, part, 0, math.inf) for part in ("low", "median", "high"))
        require_number(found, "repeats", 3, math.inf, int)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not low <= median <= high:
        raise ValueError(f"{name}: the median {median} does not lie between low {low} and high {high}")
    if not median > 0:
        raise ValueError(f"{name}: a time is above 0")
    return median


def require_ratio(name: str, claimed: float, before: float, after: float) -> float:
    """Refuse a gain that does not follow from the two numbers that it is made of; give the one that does.

    A gain is before / after: 10 means ten times faster, or ten times smaller. One that differs from it by more than
    one per cent is a ValueError with name, claim and what follows from the numbers. So a gain cannot be invented
    by itself, and two gains that were measured apart and multiplied do not get through.

    >>> require_ratio("speedup", 4.02, before=2.0, after=0.5)
    4.0
    >>> require_ratio("speedup", 40.0, before=2.0, after=0.5)
    Traceback (most recent call last):
    ValueError: speedup 40.0 does not follow from 2.0 before and 0.5 after, which make 4

    Four lines. `math.isclose` has a relative tolerance; `f"{ratio:.4g}"` is a short text of a number.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("capstone.require_ratio")
    # END OF YOUR CODE (keep this line)


def require_metrics(metrics: Any) -> list[float]:
    """Refuse metrics that nobody can have measured.

    In this order, all of them ValueErrors:
    - exactly the fields of METRICS: `require_fields(metrics, METRICS, "metrics")`;
    - seconds_before and seconds_after are intervals: `require_interval`, which gives the medians;
    - bytes_before and bytes_after are whole numbers from 1 on: `require_number(metrics, name, 1, math.inf, int)`;
    - accuracy_before and accuracy_after are from 0 to 1;
    - speedup and smaller are numbers from 0 on that follow: `require_ratio`, from the medians and from the bytes;
    - at most LOST of the accuracy is gone (and a rounding of 1e-9): nothing is fast that is wrong. The sentence has
      both accuracies.

    Returns the two gains as `require_ratio` gives them: [speedup, smaller].

    >>> second = {"median": 1.0, "low": 0.9, "high": 1.1, "repeats": 5}
    >>> tenth = {"median": 0.1, "low": 0.1, "high": 0.1, "repeats": 5}
    >>> fair = {"seconds_before": second, "seconds_after": tenth, "speedup": 10.0, "bytes_before": 400,
    ...         "bytes_after": 100, "smaller": 4.0, "accuracy_before": 0.9, "accuracy_after": 0.89}
    >>> require_metrics(fair)
    [10.0, 4.0]
    >>> require_metrics({**fair, "speedup": 40.0})
    Traceback (most recent call last):
    ValueError: speedup 40.0 does not follow from 1.0 before and 0.1 after, which make 10
    >>> require_metrics({**fair, "accuracy_after": 0.7})
    Traceback (most recent call last):
    ValueError: accuracy fell from 0.9 to 0.7, and an entry may lose 0.02

    About twelve lines.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("capstone.require_metrics")
    # END OF YOUR CODE (keep this line)


@dataclass(frozen=True, kw_only=True)
class OlympicsEntry:
    """What somebody measured, for one of the events: latency, memory, accuracy, or extreme, all three at once."""

    name: str
    event: str
    seconds_before: Measurement
    seconds_after: Measurement
    bytes_before: int
    bytes_after: int
    accuracy_before: float
    accuracy_after: float
    seed: int

    def record(self) -> dict[str, Any]:
        """The entry as JSON holds it: a dict with the FIELDS, in their order (given).

            "schema" SCHEMA, "name" "event" "seed" as they are, "versions" `versions()` (given), "metrics" with METRICS:
            "seconds_before" "seconds_after"     `interval_of` the two measurements
            "speedup"                            the median before, divided by the median after
            "bytes_before" "bytes_after"         plain ints
            "smaller"                            bytes before, divided by bytes after
            "accuracy_before" "accuracy_after"   plain floats

        Both gains are worked out here, from what was measured: nobody can say them.

        >>> slow, fast = Measurement([2.0] * 6), Measurement([0.5] * 6)
        >>> entry = OlympicsEntry(
        ...     name="ada", event="latency", seconds_before=slow, seconds_after=fast, bytes_before=400, bytes_after=100,
        ...     accuracy_before=0.9, accuracy_after=0.9, seed=7)
        >>> record = entry.record()
        >>> list(record), record["metrics"]["speedup"], record["metrics"]["smaller"]
        (['schema', 'name', 'event', 'seed', 'versions', 'metrics'], 4.0, 4.0)
        >>> OlympicsEntry.validate(record)
        [4.0, 4.0]
        """
        before, after = interval_of(self.seconds_before), interval_of(self.seconds_after)
        metrics = {
            "seconds_before": before,
            "seconds_after": after,
            "speedup": before["median"] / after["median"],
            "bytes_before": int(self.bytes_before),
            "bytes_after": int(self.bytes_after),
            "smaller": float(self.bytes_before / self.bytes_after),
            "accuracy_before": float(self.accuracy_before),
            "accuracy_after": float(self.accuracy_after),
        }
        return {
            "schema": SCHEMA,
            "name": self.name,
            "event": self.event,
            "seed": int(self.seed),
            "versions": versions(),
            "metrics": metrics,
        }

    @staticmethod
    def validate(record: Any) -> list[float]:
        """Refuse what is no entry: missing, wrong or forged fields, each with one sentence, as a ValueError.

        In this order:
        - exactly the FIELDS: `require_fields(record, FIELDS, "the entry")`;
        - schema is SCHEMA: a reader does not guess at what a later version means. The sentence has both numbers;
        - name is a text that is not blank, at most 80 characters; event one of EVENTS. The sentences have the value;
        - seed is a whole number from 0 on;
        - versions are a dict with "python" and "numpy": `require_fields(record["versions"], VERSIONS, "versions")`;
        - metrics: `require_metrics`, whose two gains are what comes back.

        The file comes from somebody else, so nothing in it is trusted to be of its kind: a name may be a
        number, an event a list.

        >>> OlympicsEntry.validate({"schema": 1, "name": "ada"})
        Traceback (most recent call last):
        ValueError: the entry lacks event, seed, versions, metrics
        >>> metrics = dict.fromkeys(METRICS, 0)
        >>> entry = {"schema": 1, "name": "ada", "event": "luck", "seed": 0, "versions": {}, "metrics": metrics}
        >>> OlympicsEntry.validate(entry)
        Traceback (most recent call last):
        ValueError: event is one of latency, memory, accuracy, extreme, not 'luck'

        About twelve lines. `f"{value!r:.60}"` is a value as Python writes it, cut to 60 characters.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("capstone.OlympicsEntry.validate")
        # END OF YOUR CODE (keep this line)

    def save(self, path: FilePath) -> None:
        """Write the entry to a JSON file, if it is a valid one (given)."""
        record = self.record()
        self.validate(record)
        text = json.dumps(record, indent=2, allow_nan=False) + "\n"
        write_atomically(Path(path).resolve(), lambda file: file.write(text.encode("ascii")))

    @classmethod
    def load(cls, path: FilePath) -> dict[str, Any]:
        """The record in a JSON file; ValueError with one sentence where it is no valid entry (given)."""
        try:
            record: dict[str, Any] = json.loads(Path(path).read_bytes())
            cls.validate(record)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{os.fspath(path)} is no entry: {error}") from error
        return record


VERSIONS = ("python", "numpy")


def versions() -> dict[str, str]:
    """What the numbers were measured with (given)."""
    return {"python": platform.python_version(), "numpy": np.__version__}
