"""Module 19's solutions: intervals that hold what they say, comparisons without false alarms, refusals."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tinytorch.course import BENCHMARKING
from tests.prose.examples import solution

if TYPE_CHECKING:
    from collections.abc import Callable

tt: Any = solution(BENCHMARKING)

TRIALS = 1000
SKEWED: dict[str, tuple[Callable[[np.random.Generator, Any], Any], float]] = {
    "exponential": (lambda rng, shape: 1 + 0.1 * rng.exponential(size=shape), 1 + 0.1 * math.log(2)),
    "log-normal": (lambda rng, shape: np.exp(1.5 * rng.standard_normal(shape)), 1.0),
    "uniform": (lambda rng, shape: rng.uniform(1, 2, shape), 1.5),
}
times = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30)
each_noise = pytest.mark.parametrize("noise", SKEWED)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(19)


def slack(share: float, trials: int = TRIALS) -> float:
    """Four standard errors of a share that was counted in so many trials."""
    return 4 * math.sqrt(share * (1 - share) / trials)


class Machine:
    """A clock that only the measured function moves, by costs that are known."""

    def __init__(self, cost: Callable[[int], float]) -> None:
        self.cost = cost
        self.now = 0.0
        self.made = 0

    def clock(self) -> float:
        """What the clock shows."""
        return self.now

    def work(self) -> None:
        """One call."""
        self.now += self.cost(self.made)
        self.made += 1

    def benchmark(self, **options: Any) -> Any:
        """A benchmark of it, one call a sample."""
        return tt.Benchmark(self.work, clock=self.clock, **{"min_time": 0, **options})


# ---- samples ----------------------------------------------------------------------------------------------


@given(times, st.floats(0, 100))
def test_percentiles_are_those_of_numpy(samples: list[float], q: float) -> None:
    assert tt.Measurement(samples).percentile(q) == pytest.approx(np.percentile(samples, q), rel=1e-9, abs=1e-9)


@given(times)
def test_median_mean_and_deviation_are_those_of_the_standard_library(samples: list[float]) -> None:
    measurement = tt.Measurement(samples)
    assert measurement.median == pytest.approx(statistics.median(samples))
    assert measurement.mean == pytest.approx(statistics.fmean(samples))
    if len(samples) > 1:
        assert measurement.std == pytest.approx(statistics.stdev(samples), rel=1e-6, abs=1e-6)


@each_noise
@pytest.mark.parametrize("count", [6, 11, 30])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_holds_the_true_median_as_often_as_it_says(
    rng: np.random.Generator, noise: str, count: int, level: float
) -> None:
    draw, median = SKEWED[noise]
    found = np.array([tt.Measurement(row).confidence_interval(level) for row in draw(rng, (TRIALS, count))])
    share = float(((found[:, 0] <= median) & (median <= found[:, 1])).mean())
    assert share >= level - slack(level)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
def test_the_interval_is_as_narrow_as_its_level_allows(level: float) -> None:
    for count in range(tt.fewest(level), 60):
        low, high = tt.Measurement(np.arange(1, count + 1)).confidence_interval(level)
        assert low + high == count + 1
        missed = [2 * sum(math.comb(count, i) for i in range(int(k))) / 2**count for k in (low, low + 1)]
        assert missed[0] <= 1 - level + 1e-12 < missed[1]


def test_samples_that_measure_nothing_are_refused() -> None:
    for samples, says in (
        ([], r"one sample or more, not an array of shape \(0,\)"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
        ([1.0, math.nan], "not nan"),
        ([1.0, math.inf], "not inf"),
        ([1.0, -0.5], "not -0.5"),
    ):
        with pytest.raises(ValueError, match=says):
            tt.Measurement(samples)
    with pytest.raises(ValueError, match="at least 2 samples, not 1"):
        _ = tt.Measurement([1.0]).std
    with pytest.raises(ValueError, match=r"a 0\.95 interval of the median takes at least 6 samples, not 5"):
        tt.Measurement([1.0] * 5).confidence_interval()
    for level in (0, 1, -0.5, 1.5, math.nan):
        with pytest.raises(ValueError, match="level lies between 0 and 1"):
            tt.Measurement([1.0] * 9).confidence_interval(level)


def test_samples_are_a_copy_and_keep_their_order() -> None:
    given_samples = np.array([3.0, 1.0, 2.0])
    measurement = tt.Measurement(given_samples)
    measurement.confidence_interval(0.5), measurement.percentile(10)
    given_samples[0] = 9
    assert measurement.samples.tolist() == [3.0, 1.0, 2.0]


def test_relative_error_of_what_takes_no_time() -> None:
    assert tt.Measurement([0.0] * 9).relative_error() == 0.0
    assert tt.Measurement([0.0] * 8 + [1.0] * 2).relative_error() == math.inf


# ---- taking samples ---------------------------------------------------------------------------------------


def test_slow_first_calls_are_not_measured() -> None:
    machine = Machine(lambda call: 100.0 if call < 3 else 1.0)
    assert machine.benchmark(warmup=3, repeats=8).run().samples.tolist() == [1.0] * 8


@pytest.mark.parametrize("tick", [0.0157, 0.25])
def test_a_coarse_clock_is_right_within_its_step(tick: float) -> None:
    machine = Machine(lambda call: 0.001)
    coarse = tt.Benchmark(machine.work, repeats=5, clock=lambda: machine.now // tick * tick, min_time=100 * tick)
    assert coarse.run().median == pytest.approx(0.001, rel=0.011)


def test_a_function_that_returns_at_once_has_a_time() -> None:
    measurement = tt.Benchmark(lambda: None, repeats=9).run()
    assert 0 < measurement.median < 1e-4


def test_a_function_that_sleeps_takes_at_least_that_long() -> None:
    measurement = tt.Benchmark(lambda: time.sleep(0.02), warmup=1, repeats=3).run()
    assert measurement.percentile(0) > 0.0195  # the clocks of sleeping and measuring may differ a little


def test_precision_is_reached_or_the_limit(rng: np.random.Generator) -> None:
    machine = Machine(lambda call: 1 + 0.1 * rng.exponential())
    measurement = machine.benchmark(repeats=6, precision=0.02).run()
    assert measurement.relative_error() <= 0.02
    assert tt.Measurement(measurement.samples[:-1]).relative_error() > 0.02
    assert len(machine.benchmark(repeats=6, precision=1e-9, max_repeats=30).run()) == 30
    assert len(machine.benchmark(repeats=9, precision=1e-9, max_repeats=4).run()) == 9


def test_stopping_at_a_precision_costs_the_interval_little(rng: np.random.Generator) -> None:
    machine, median = Machine(lambda call: 1 + 0.1 * rng.exponential()), 1 + 0.1 * math.log(2)
    runs = [machine.benchmark(repeats=10, precision=0.03).run().confidence_interval() for _ in range(300)]
    assert sum(low <= median <= high for low, high in runs) / 300 >= 0.9 - slack(0.9, 300)


def test_what_the_function_raises_goes_on() -> None:
    def broken() -> None:
        raise KeyError("weights")

    for measure in (tt.Benchmark(broken).run, tt.Benchmark(broken, warmup=0).run, tt.Benchmark(broken).sample):
        with pytest.raises(KeyError, match="weights"):
            measure()
    with pytest.raises(KeyError, match="weights"):
        tt.interleave([tt.Benchmark(lambda: None), tt.Benchmark(broken)])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"warmup": -1}, "warmup is a whole number of at least 0, not -1"),
        ({"repeats": 0}, "repeats is a whole number of at least 1, not 0"),
        ({"repeats": 2.5}, r"not 2\.5"),
        ({"repeats": True}, "not True"),
        ({"max_repeats": 0}, "max_repeats is a whole number"),
        ({"min_time": -1.0}, "min_time is a number of seconds"),
        ({"min_time": math.nan}, "not nan"),
        ({"precision": 0.0}, "precision is a share"),
        ({"precision": math.nan}, "not nan"),
    ],
)
def test_settings_that_measure_nothing_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tt.Benchmark(lambda: None, **options)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="a float cannot be called"):
        tt.Benchmark(1.5)


def test_a_clock_that_stands_still_is_found_out() -> None:
    with pytest.raises(RuntimeError, match=f"{tt.MOST_CALLS} calls of <lambda>"):
        tt.Benchmark(lambda: None, clock=lambda: 5.0).run()


def test_drift_does_not_decide_between_equals() -> None:
    def drifting() -> Machine:
        return Machine(lambda call: 1 + 0.002 * call)

    machine = drifting()
    one, two = (machine.benchmark(repeats=50).run() for _ in range(2))
    assert tt.compare(one, two).verdict == "slower"
    machine = drifting()
    one, two = tt.interleave([machine.benchmark(), machine.benchmark()], repeats=50)
    assert tt.compare(one, two).verdict == "no difference shown"


def test_rounds_of_nothing() -> None:
    assert tt.interleave([]) == []
    with pytest.raises(ValueError, match="at least one round, not 0"):
        tt.interleave([tt.Benchmark(lambda: None)], repeats=0)


# ---- comparisons ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(3, 8))
@pytest.mark.parametrize("m", range(3, 7))
def test_the_rank_test_keeps_its_level_in_small_samples(n: int, m: int) -> None:
    """By enumeration: of all ways to give places to old, at most 5 % have p below 0.05."""
    places = np.arange(1.0, n + m + 1)
    splits = [list(chosen) for chosen in itertools.combinations(range(n + m), n)]
    small = sum(
        tt.rank_test(tt.Measurement(places[chosen]), tt.Measurement(np.delete(places, chosen))) < 0.05
        for chosen in splits
    )
    assert small <= 0.05 * len(splits)


def test_the_rank_test_is_the_published_one() -> None:
    old = tt.Measurement([19, 22, 16, 29, 24])
    new = tt.Measurement([20, 11, 17, 12])
    z = (17 - 10 - 0.5) / math.sqrt(5 * 4 * 10 / 12)  # U = 17, as in SciPy's manual
    assert tt.rank_test(old, new) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-12)
    assert tt.rank_test(old, new) == pytest.approx(0.11134688653314041)


@each_noise
@pytest.mark.parametrize("count", [6, 20])
def test_false_alarms_are_at_most_one_in_twenty(rng: np.random.Generator, noise: str, count: int) -> None:
    draw, _ = SKEWED[noise]
    rows = draw(rng, (TRIALS, 2, count))
    alarms = sum(tt.compare(*map(tt.Measurement, pair), resamples=200).significant for pair in rows)
    assert alarms / TRIALS <= 0.05 + slack(0.05) / 4


def test_coarse_samples_raise_no_more_alarms(rng: np.random.Generator) -> None:
    rows = rng.integers(8, 13, (TRIALS, 2, 20))
    alarms = sum(tt.compare(*map(tt.Measurement, pair), resamples=200).significant for pair in rows)
    assert alarms / TRIALS <= 0.05 + slack(0.05) / 4


def test_more_noise_is_not_slower(rng: np.random.Generator) -> None:
    calm, restless = rng.normal(10, 0.1, (TRIALS, 20)), rng.normal(10, 1.0, (TRIALS, 20))
    pairs = zip(map(tt.Measurement, calm), map(tt.Measurement, restless), strict=True)
    alarms = sum(tt.compare(a, b, resamples=200).significant for a, b in pairs)
    assert alarms / TRIALS <= 0.05 + slack(0.05)


def test_ten_per_cent_are_found(rng: np.random.Generator) -> None:
    draw, _ = SKEWED["exponential"]
    results = [
        tt.compare(tt.Measurement(1.1 * draw(rng, 30)), tt.Measurement(draw(rng, 30)), resamples=200)
        for _ in range(300)
    ]
    assert sum(result.verdict == "faster" for result in results) / 300 > 0.85
    assert not any(result.verdict == "slower" for result in results)


@each_noise
def test_the_interval_of_the_speedup_holds_the_true_one(rng: np.random.Generator, noise: str) -> None:
    draw, _ = SKEWED[noise]
    found = [
        tt.bootstrap_speedup(tt.Measurement(2 * draw(rng, 25)), tt.Measurement(draw(rng, 20)), resamples=400)
        for _ in range(500)
    ]
    assert 0.92 < sum(low <= 2 <= high for low, high in found) / 500 < 0.995


def test_comparisons_say_what_they_found() -> None:
    old, new = tt.Measurement([2.0, 2.1, 2.2] * 4), tt.Measurement([1.0, 1.1, 1.05] * 4)
    assert str(tt.compare(old, new)).endswith(": faster")
    assert str(tt.compare(old, new)).startswith("2.00x [")
    assert tt.compare(new, old).verdict == "slower"
    assert str(tt.compare(old, old)) == "1.00x [0.95, 1.05], p = 1: no difference shown"


def test_comparisons_of_too_little_are_refused() -> None:
    many, few = tt.Measurement([1.0] * 6), tt.Measurement([1.0] * 5)
    for pair in ((many, few), (few, many)):
        with pytest.raises(ValueError, match=r"a comparison at 0\.95 takes at least 6 samples of each, not 5"):
            tt.compare(*pair)
    with pytest.raises(ValueError, match="loops has samples of 0 seconds: take a larger min_time"):
        tt.compare(many, tt.Measurement([0.0] * 6, "loops"))


# ---- choosing and telling ---------------------------------------------------------------------------------


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20))
def test_slow_downs_cancel_speedups(ratios: list[float]) -> None:
    assert tt.geometric_mean(ratios) == pytest.approx(statistics.geometric_mean(ratios))
    assert tt.geometric_mean([*ratios, *(1 / r for r in ratios)]) == pytest.approx(1.0)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=25), st.sets(st.integers(0, 2)))
def test_whoever_is_not_on_the_front_is_beaten_by_somebody_on_it(
    points: list[tuple[int, int, int]], more: set[int]
) -> None:
    front = tt.pareto_front(points, maximize=more)
    costs = [tuple(-v if i in more else v for i, v in enumerate(point)) for point in points]

    def beats(a: int, b: int) -> bool:
        return costs[a] != costs[b] and all(x <= y for x, y in zip(costs[a], costs[b], strict=True))

    assert front == sorted(set(front))
    assert not any(beats(a, b) for a in range(len(points)) for b in front)
    assert all(any(beats(a, b) for a in front) for b in set(range(len(points))) - {*front})


def test_points_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="point 1 holds nan"):
        tt.pareto_front([(1.0, 2.0), (math.nan, 1.0)])
    with pytest.raises(ValueError, match=r"not an array of shape \(3,\)"):
        tt.pareto_front([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"\(2, 3\) and 2"):
        tt.scatter([(1, 2, 3), (4, 5, 6)], ["a", "b"])


def test_infinite_costs_are_beaten() -> None:
    assert tt.pareto_front([(math.inf, 1.0), (5.0, 1.0)]) == [1]


def test_a_picture_of_one_point_and_of_none() -> None:
    assert tt.scatter([(3, 3)], ["only"], width=4, height=2) == "|\n|A\n+----\nA only"


def test_reports_of_single_samples_and_of_nothing() -> None:
    told = tt.report([tt.Measurement([2.0], "once"), tt.Measurement([1.0] * 9, "often")], width=10)
    assert [line.split() for line in told.split("\n")[1:]] == [
        ["once", "1", "2", "s", "-", "2", "s", "1", "o"],
        ["often", "9", "1", "s", "1", "s", "to", "1", "s", "1", "s", "-", "o"],
    ]
    assert tt.report([]) == "nothing was measured"


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.9999, "1 s"), (0.99951, "1 s"), (0.0999, "99.9 ms"), (1e-3, "1 ms"), (4.5e-7, "450 ns"), (125.0, "125 s")],
)
def test_times_have_the_unit_that_suits_them(value: float, told: str) -> None:
    assert tt.seconds(value) == told
