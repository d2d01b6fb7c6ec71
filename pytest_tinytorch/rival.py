"""PyTorch's times for the networks of a milestone: a program of its own, which the judge runs beside a student's times.

It reads what is to be timed as JSON from its command line, and prints seconds as JSON, or nothing where PyTorch is not
installed. It is run with `python -I`, so that no file of a student's repository can stand in for PyTorch, and imports
nothing of this package. Weights are random: they change no time.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

WARM_UP, REPEATS = 1, 8
LONGEST = 1.0  # seconds for one row; at least one repetition counts


def median_seconds(answer: Callable[[], Any]) -> float:
    """Seconds of one answer, the median of a few."""
    for _ in range(WARM_UP):
        answer()
    seconds: list[float] = []
    began = time.perf_counter()
    while len(seconds) < REPEATS and (not seconds or time.perf_counter() - began < LONGEST):
        start = time.perf_counter()
        answer()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def convolutional(torch: Any, wanted: dict[str, Any]) -> Callable[[], Any]:
    """A picture through blocks of Conv2d, MaxPool2d, BatchNorm2d and ReLU, and a Linear layer."""
    nn, layers, side = torch.nn, [], wanted["side"]
    for before, after in zip(wanted["channels"], wanted["channels"][1:], strict=False):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(after), nn.ReLU()]
        side //= 2
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(wanted["channels"][-1] * side * side, 10)).eval()
    picture = torch.rand(1, wanted["channels"][0], wanted["side"], wanted["side"])
    return lambda: int(net(picture).argmax())


class Decoder:
    """A GPT as in the course: pre-norm blocks, learned positions, GELU in its tanh form."""

    def __init__(self, torch: Any, wanted: dict[str, Any]) -> None:
        nn, width = torch.nn, wanted["width"]
        self.torch, self.heads, self.longest = torch, wanted["heads"], wanted["max_len"]
        self.tokens, self.positions = nn.Embedding(wanted["vocab"], width), nn.Embedding(self.longest, width)
        self.blocks = [self.block(width) for _ in range(wanted["blocks"])]
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, wanted["vocab"], bias=False)

    def block(self, width: int) -> list[Any]:
        """The layers of a block in their order."""
        nn = self.torch.nn
        thinks = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))
        return [nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width), nn.LayerNorm(width), thinks]

    def last_scores(self, ids: Any, cache: list[tuple[Any, Any]] | None, seen: int) -> Any:
        """The scores behind the last of the new ids (1, t)."""
        t = ids.shape[1]
        x = self.tokens(ids) + self.positions.weight[seen : seen + t]
        for n, (norm1, projects, out, norm2, thinks) in enumerate(self.blocks):
            query, key, value = (self.split(part) for part in projects(norm1(x)).chunk(3, dim=-1))
            if cache is not None:
                if len(cache) > n:
                    key, value = (self.torch.cat(pair, dim=2) for pair in zip(cache[n], (key, value), strict=True))
                    cache[n] = (key, value)
                else:
                    cache.append((key, value))
            attend = self.torch.nn.functional.scaled_dot_product_attention
            found = attend(query, key, value, is_causal=t > 1)  # (1, heads, t, size)
            x = x + out(found.transpose(1, 2).reshape(1, t, -1))
            x = x + thinks(norm2(x))
        return self.head(self.norm(x[:, -1]))

    def split(self, x: Any) -> Any:
        """Heads apart: (1, t, width) becomes (1, heads, t, size)."""
        return x.reshape(1, x.shape[1], self.heads, -1).transpose(1, 2)

    def write(self, ids: Any, new: int, *, cached: bool) -> Any:
        """The ids with so many new ones behind them, the likeliest each time."""
        cache: list[tuple[Any, Any]] | None = [] if cached else None
        for n in range(new):
            seen = ids.shape[1] - 1 if cached and n else 0
            best = self.last_scores(ids[:, seen:], cache, seen).argmax(-1, keepdim=True)
            ids = self.torch.cat([ids, best], dim=1)
        return ids


def language(torch: Any, wanted: dict[str, Any]) -> Callable[[], Any]:
    """An answer of a GPT."""
    net, ids = Decoder(torch, wanted), torch.zeros(1, wanted["prompt"], dtype=torch.int64)
    return lambda: net.write(ids, wanted["new"], cached=wanted["cached"])


def main(wanted: list[dict[str, Any]]) -> None:
    """Time every row, on one thread."""
    if importlib.util.find_spec("torch") is None:
        return
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    kinds = {"convolutional": convolutional, "language": language}
    with torch.no_grad():
        seconds = [median_seconds(kinds[row["kind"]](torch, row)) for row in wanted]
    if all(math.isfinite(each) for each in seconds):
        sys.stdout.write(json.dumps({"version": str(torch.__version__), "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
