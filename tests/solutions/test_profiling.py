"""Module 14: FLOPs of every layer of the course, worked out by hand; and what the profiler promises."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import CHECKPOINTS, PROFILING
from tests.prose.examples import solution


@pytest.fixture(scope="module")
def tt() -> Any:
    """The exports of the modules up to this one."""
    below = (module for module in CHECKPOINTS[1 : PROFILING.number + 1] if module.built)
    names = {name: getattr(solution(module), name) for module in below for name in module.exports}
    return SimpleNamespace(**names)


@pytest.fixture(scope="module")
def profiling() -> Any:
    return solution(PROFILING)


# ---- FLOPs, by hand -----------------------------------------------------------------------------------------


def linear(rows: int, i: int, o: int) -> int:
    """As many sums of i products as there are outputs, and a bias."""
    return rows * o * (2 * i + 1)


def norm(samples: int, n: int) -> int:
    """The steps of the docstring, one by one."""
    return samples * ((n + 1) + n + (2 * n + 1) + 3 + n + n + n)


def attention(batch: int, t: int, s: int, d: int, heads: int) -> int:
    """Scores, division, softmax, mixing, and the four layers."""
    size = d // heads
    own = sum(2 * size + 1 + 5 + 2 * size for _ in range(batch * heads * t * s))
    return own + 2 * linear(batch * t, d, d) + 2 * linear(batch * s, d, d)


def feed_forward(rows: int, d: int) -> int:
    """Two layers and a GELU between them."""
    return linear(rows, d, 4 * d) + 9 * rows * 4 * d + linear(rows, 4 * d, d)


LAYERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], list[Any]], int]] = {
    "Linear": (lambda tt: tt.Linear(3, 4), lambda tt: [tt.zeros(2, 3)], 56),
    "Linear without a bias": (lambda tt: tt.Linear(3, 4, bias=False), lambda tt: [tt.zeros(2, 3)], 48),
    "Conv2d": (lambda tt: tt.Conv2d(3, 8, 5, padding=2), lambda tt: [tt.zeros(2, 3, 7, 9)], 2 * 8 * 63 * (2 * 75 + 1)),
    "Conv2d with stride": (
        lambda tt: tt.Conv2d(3, 8, (3, 2), stride=2, bias=False),
        lambda tt: [tt.zeros(2, 3, 7, 9)],
        2 * 8 * 3 * 4 * 2 * 18,
    ),
    "MaxPool2d": (lambda tt: tt.MaxPool2d(2), lambda tt: [tt.zeros(2, 3, 6, 8)], 2 * 3 * 12 * 4),
    "AvgPool2d": (lambda tt: tt.AvgPool2d(2), lambda tt: [tt.zeros(2, 3, 6, 8)], 2 * 3 * 12 * 5),
    "BatchNorm2d": (lambda tt: tt.BatchNorm2d(3), lambda tt: [tt.zeros(2, 3, 4, 5)], 3 * 120 + 3 * 3),
    "Flatten": (lambda tt: tt.Flatten(), lambda tt: [tt.zeros(2, 3, 4, 5)], 0),
    "LayerNorm": (lambda tt: tt.LayerNorm(4), lambda tt: [tt.zeros(2, 4)], norm(2, 4)),
    "LayerNorm over two dimensions": (lambda tt: tt.LayerNorm((3, 4)), lambda tt: [tt.zeros(2, 3, 4)], norm(2, 12)),
    "Dropout": (lambda tt: tt.Dropout(0.5), lambda tt: [tt.zeros(7)], 0),
    "Identity": (lambda tt: tt.Identity(), lambda tt: [tt.zeros(7)], 0),
    "activations": (
        lambda tt: tt.Sequential(
            tt.ReLU(), tt.LeakyReLU(), tt.Sigmoid(), tt.Tanh(), tt.GELU(), tt.Softmax(), tt.LogSoftmax()
        ),
        lambda tt: [tt.zeros(2, 5)],
        10 * (1 + 2 + 4 + 1 + 9 + 5 + 5) + 2,
    ),
    "functions": (
        lambda tt: tt.Sequential(tt.relu, tt.gelu, tt.softmax, tt.log_softmax),
        lambda tt: [tt.zeros(2, 5)],
        10 * (1 + 9 + 5 + 5) + 2,
    ),
    "Embedding": (lambda tt: tt.Embedding(7, 4), lambda tt: [tt.arange(5)], 0),
    "PositionalEncoding": (lambda tt: tt.PositionalEncoding(8, 4), lambda tt: [tt.zeros(2, 5, 4)], 40),
    "LearnedPositionalEncoding": (lambda tt: tt.LearnedPositionalEncoding(8, 4), lambda tt: [tt.zeros(2, 5, 4)], 40),
    "MultiHeadAttention": (
        lambda tt: tt.MultiHeadAttention(8, 2),
        lambda tt: [tt.zeros(2, 5, 8)],
        attention(2, 5, 5, 8, 2),
    ),
    "cross-attention": (
        lambda tt: tt.MultiHeadAttention(8, 2),
        lambda tt: [tt.zeros(2, 5, 8), tt.zeros(2, 3, 8)],
        attention(2, 5, 3, 8, 2),
    ),
    "FeedForward": (lambda tt: tt.FeedForward(4), lambda tt: [tt.zeros(2, 3, 4)], feed_forward(6, 4)),
    "EncoderBlock": (
        lambda tt: tt.EncoderBlock(8, 2),
        lambda tt: [tt.zeros(2, 5, 8)],
        2 * norm(10, 8) + attention(2, 5, 5, 8, 2) + feed_forward(10, 8) + 2 * 80,
    ),
    "DecoderBlock across": (
        lambda tt: tt.DecoderBlock(8, 2, cross_attention=True),
        lambda tt: [tt.zeros(2, 5, 8), tt.zeros(2, 3, 8)],
        3 * norm(10, 8) + attention(2, 5, 5, 8, 2) + attention(2, 5, 3, 8, 2) + feed_forward(10, 8) + 3 * 80,
    ),
    "GPT": (
        lambda tt: tt.GPT(11, 8, 2, 3, 6),
        lambda tt: [tt.arange(10).reshape(2, 5)],
        80
        + 3 * (2 * norm(10, 8) + attention(2, 5, 5, 8, 2) + feed_forward(10, 8) + 2 * 80)
        + norm(10, 8)
        + 10 * 11 * 2 * 8,
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_flops_of_every_layer_by_hand(tt: Any, name: str) -> None:
    model, inputs, due = LAYERS[name]
    assert tt.count_flops(model(tt), *inputs(tt)) == due


def test_every_layer_of_the_course_has_a_rule(tt: Any, profiling: Any) -> None:
    """Whatever is a layer among the exports; losses and milestones' own are not."""
    below = (module for module in CHECKPOINTS[1 : PROFILING.number] if module.name not in ("losses", "training"))
    layers = {
        name
        for module in below
        if module.built
        for name in module.exports
        if isinstance(getattr(tt, name), type) and issubclass(getattr(tt, name), tt.Module)
    }
    assert layers - {"Module"} <= set(profiling.FLOP_RULES)


def test_matrix_products_are_what_is_recorded(tt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The products that a GPT counts are those that its tensors do."""
    done = []
    real = tt.Tensor.matmul

    def noted(self: Any, other: Any) -> Any:
        y = real(self, other)
        done.append(2 * y.numel() * self.shape[-1])
        return y

    monkeypatch.setattr(tt.Tensor, "matmul", noted)
    model, ids = tt.GPT(11, 8, 2, 3, 6), tt.arange(10).reshape(2, 5)
    total = tt.count_flops(model, ids)
    biases = sum(10 * p.numel() for name, p in model.named_parameters() if name.endswith("bias") and "norm" not in name)
    scores = 3 * 2 * 2 * 5 * 5 * 6
    rest = 80 + 7 * norm(10, 8) + 3 * (9 * 10 * 32 + 160)
    assert sum(done) == total - biases - scores - rest


# ---- what is not known, or not there ------------------------------------------------------------------------


def test_an_unknown_layer_is_named(tt: Any) -> None:
    class Mystery(tt.Module):  # type: ignore[misc]  # the base is looked up when the test runs
        def forward(self, x: Any) -> Any:
            return x

    model = tt.Sequential(tt.Linear(2, 2), Mystery())
    with pytest.raises(ValueError, match=r"no FLOP rule for 1 \(Mystery\)"):
        tt.count_flops(model, tt.zeros(1, 2))
    lines = tt.Profiler(model).layers(tt.zeros(1, 2))
    assert [line.flops for line in lines] == [0, 10, None]
    report = tt.Profiler(model).report(tt.zeros(1, 2))
    assert "? no FLOP rule for Mystery" in report
    assert "bottleneck: " in report


def test_a_model_of_ones_own_counts_its_layers(tt: Any) -> None:
    class Net(tt.Module):  # type: ignore[misc]  # the base is looked up when the test runs
        def __init__(self) -> None:
            super().__init__()
            self.layer = tt.Linear(3, 4)
            self.bend = tt.relu

        def forward(self, x: Any) -> Any:
            return self.bend(self.layer(x))

    assert tt.count_flops(Net(), tt.zeros(2, 3)) == 64


def test_an_empty_model_gets_a_sentence(tt: Any) -> None:
    profiler = tt.Profiler(tt.Sequential())
    assert (profiler.parameters(), profiler.flops(tt.zeros(1))) == (0, 0)
    for ask in (profiler.layers, profiler.bottleneck, profiler.report):
        with pytest.raises(ValueError, match="Sequential\\(\\) has no layers: there is nothing to profile"):
            ask(tt.zeros(1))


def test_what_is_no_model_is_refused(tt: Any) -> None:
    for call in (tt.Profiler, lambda model: tt.count_flops(model, tt.zeros(1))):
        with pytest.raises(TypeError, match="a profiler looks at a Module, not at function"):
            call(tt.relu)
    with pytest.raises(ValueError, match="at least 1 repeat, not 0"):
        tt.Profiler(tt.Linear(1, 1)).layers(tt.zeros(1, 1), repeats=0)


# ---- the model stays as it was ------------------------------------------------------------------------------


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """The model's attributes, modes and numbers are the same behind the block."""
    before = [(module, dict(vars(module)), module.training) for module in model.modules()]
    state = model.state_dict()
    yield
    for module, attributes, training in before:
        assert vars(module) == attributes
        assert list(vars(module)) == list(attributes)
        assert module.training == training
    assert all(np.array_equal(state[name], array) for name, array in model.state_dict().items())


def network(tt: Any) -> Any:
    """Training, but for one frozen part; with running statistics, dropout, and a function among its layers."""
    body = tt.Sequential(tt.Conv2d(3, 4, 3), tt.BatchNorm2d(4), tt.relu, tt.Dropout(0.5))
    model = tt.Sequential(body, tt.MaxPool2d(2), tt.Flatten(), tt.Linear(16, 5))
    body[1].eval()
    return model


def test_profiling_changes_nothing(tt: Any) -> None:
    model, x = network(tt), tt.randn(2, 3, 6, 6)
    profiler = tt.Profiler(model)
    with untouched(model):
        for ask in (profiler.flops, profiler.memory, profiler.latency, profiler.layers, profiler.report):
            ask(x)
    with untouched(model), pytest.raises(ValueError, match="channels"):
        profiler.report(tt.zeros(2, 7, 6, 6))


def test_random_numbers_are_left_for_others(tt: Any) -> None:
    model, x = network(tt), tt.randn(2, 3, 6, 6)
    tt.manual_seed(5)
    due = tt.rand(3).tolist()
    tt.manual_seed(5)
    tt.Profiler(model).report(x)
    assert tt.rand(3).tolist() == due


# ---- tables -------------------------------------------------------------------------------------------------


def test_columns_add_up_to_the_whole(tt: Any) -> None:
    model, ids = tt.GPT(11, 8, 2, 3, 6), tt.arange(10).reshape(2, 5)
    now = iter(np.cumsum(np.random.default_rng(0).integers(1, 9, 10_000)) / 8)
    looks: list[float] = []

    def clock() -> float:
        looks.append(float(next(now)))
        return looks[-1]

    lines = tt.Profiler(model, clock=clock).layers(ids, warmup=0, repeats=1)
    assert math.fsum(line.seconds for line in lines) == looks[-1] - looks[0]
    assert sum(line.parameters for line in lines) == tt.count_parameters(model)
    assert sum(line.flops for line in lines) == tt.count_flops(model, ids)
    assert [line.name for line in lines][:5] == ["", "tokens", "positions", "blocks", "blocks.0"]


def test_a_shared_layer_is_one_line_with_two_calls(tt: Any) -> None:
    layer = tt.Linear(4, 4)
    lines = tt.Profiler(tt.Sequential(layer, tt.relu, layer)).layers(tt.zeros(2, 4))
    assert [(line.name, line.calls, line.parameters, line.flops) for line in lines] == [
        ("", 1, 0, 0),
        ("0", 2, 20, 144),
        ("1", 1, 0, 8),
    ]


def test_a_tied_weight_is_counted_in_its_first_line(tt: Any) -> None:
    model = tt.Sequential(tt.Linear(4, 4), tt.Linear(4, 4))
    model[1].weight = model[0].weight
    lines = tt.Profiler(model).layers(tt.zeros(2, 4))
    assert [line.parameters for line in lines] == [0, 20, 4]
    assert tt.count_parameters(model) == 24


def test_the_run_in_the_middle_is_shown(tt: Any) -> None:
    """Of runs that take 9, 1 and 4 seconds, the table is that of 4."""
    lasts = iter([9.0, 1.0, 4.0])
    now = [0.0]

    class Slow(tt.Module):  # type: ignore[misc]  # the base is looked up when the test runs
        def forward(self, x: Any) -> Any:
            if counting:
                return x
            now[0] += next(lasts)
            return x

    counting = [1]

    def clock() -> float:
        counting.clear()
        return now[0]

    line = tt.Profiler(tt.Sequential(Slow()), clock=clock).layers(tt.zeros(1), warmup=0, repeats=3)[1]
    assert line.seconds == 4.0


# ---- measurements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0, 1, 12.5, 50, 90, 99, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_percentiles_are_numpys(tt: Any, q: float, count: int) -> None:
    samples = tuple(np.random.default_rng(count).normal(size=count).tolist())
    assert tt.Latency(samples).percentile(q) == pytest.approx(np.percentile(samples, q), rel=1e-12)


def test_a_sleep_takes_at_least_its_time(tt: Any) -> None:
    latency = tt.measure_latency(time.sleep, 0.005, warmup=1, repeats=3)
    assert latency.best >= 0.9 * 0.005
    assert latency.best <= latency.median <= latency.p90 <= latency.p99 <= latency.total


def test_memory_of_a_failing_call_leaves_no_trace(tt: Any) -> None:
    assert not tracemalloc.is_tracing()
    with pytest.raises(ZeroDivisionError):
        tt.measure_memory(lambda: 1 / 0)
    assert not tracemalloc.is_tracing()


def test_methods_can_be_decorated(tt: Any) -> None:
    class Worker:
        @tt.profile  # type: ignore[untyped-decorator]  # it is looked up when the test runs
        def double(self, x: int) -> int:
            """Twice x."""
            return 2 * x

    assert Worker().double(21) == 42
    assert (Worker.double.__doc__, len(Worker.double.samples)) == ("Twice x.", 1)


def test_watching_costs_microseconds(tt: Any, profiling: Any) -> None:
    """Loose on purpose: what a wrapper adds to a layer is far below a tenth of a millisecond."""
    model, x, watch = tt.Sequential([tt.Identity() for _ in range(100)]), tt.zeros(1), profiling.Stopwatch()
    bare = min(tt.measure_latency(model, x).best for _ in range(5))
    with profiling.watched(model, watch):
        seen = min(tt.measure_latency(model, x).best for _ in range(5))
    assert (seen - bare) / 100 < 1e-4


def test_durations_read_well(profiling: Any) -> None:
    assert [profiling.duration(s) for s in (0, 1e-6, 0.00123, 0.5, 12)] == [
        "0.0 µs",
        "1.0 µs",
        "1.2 ms",
        "500.0 ms",
        "12.00 s",
    ]
