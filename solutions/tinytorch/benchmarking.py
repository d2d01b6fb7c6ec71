"""Benchmarking: how fast a function is, how far to trust that number, and whether another one is really faster.

A clock gives a different answer each time it is asked. This file turns such answers into statements that hold: a
`Benchmark` collects samples under fair conditions, a `Measurement` says how far the median can be trusted, and
`compare` says how much faster one function is than another, or that nothing has been shown. `pareto_front` keeps
what is worth choosing when speed is not all that counts, and `report` prints it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .profiling import percentile

Array: TypeAlias = NDArray[np.float64]
Interval: TypeAlias = tuple[float, float]
Clock: TypeAlias = Callable[[], float]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_CALLS = 2**20  # in one sample; a clock that has not moved by then is no clock


# ---- Samples -------------------------------------------------------------------------------------------------


def as_samples(samples: ArrayLike) -> Array:
    """Samples as a row of float64, refused where they measure nothing (given).

    >>> as_samples([1, 2])
    array([1., 2.])
    >>> as_samples([1.0, math.nan])
    Traceback (most recent call last):
    ValueError: a sample is a number of at least 0, not nan
    """
    array = np.array(samples, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"a measurement is a row of one sample or more, not an array of shape {array.shape}")
    bad = array[~(np.isfinite(array) & (array >= 0))]
    if bad.size:
        raise ValueError(f"a sample is a number of at least 0, not {bad[0]:g}")
    return array


def tail(level: float) -> float:
    """What an interval of this level leaves out on each side (given).

    >>> tail(0.5)
    0.25
    """
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1, both excluded, not at {level}")
    return (1 - level) / 2


def fewest(level: float) -> int:
    """How many samples an interval of the median takes at least (given).

    Of n samples all lie on one side of the median with probability 2 * (1/2)^n. That must not be more than the
    interval may miss.

    >>> fewest(0.5), fewest(0.95)
    (2, 6)
    """
    out, count = 2 * tail(level), 1
    while 2 * 0.5**count > out:
        count += 1
    return count


class Measurement:
    """What was measured: samples (seconds per call, as a rule) in the order in which they were taken.

    `samples` is a float64 array, `name` what reports call it. Empty samples, samples that are no numbers of at least
    0 and arrays of more than one dimension raise ValueError.
    """

    def __init__(self, samples: ArrayLike, name: str = "") -> None:
        self.samples = as_samples(samples)
        self.name = name

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        return f"Measurement({self.name!r}, median {seconds(self.median)}, {len(self)} samples)"

    @property
    def median(self) -> float:
        """The middle sample; half way between the two middle ones of an even number (given)."""
        return self.percentile(50)

    @property
    def mean(self) -> float:
        """The average, which one slow sample can move as far as it likes (given)."""
        return float(self.samples.mean())

    @property
    def std(self) -> float:
        """How far a single sample usually lies from the mean.

            sqrt( sum_i (x_i - mean)^2 / (n - 1) )

        One less than n, since the mean was fitted to these very samples: they lie closer to it than to the true
        one, and dividing by n would come out too small. One sample alone says nothing about how far samples lie
        apart, and raises ValueError.

        For 2, 4 and 9 the mean is 5, and the squares are 9, 1 and 16, together 26, over 2:

        >>> round(Measurement([2.0, 4.0, 9.0]).std, 4), round(math.sqrt(13), 4)
        (3.6056, 3.6056)

        About three lines. A plain float.
        """
        if len(self) < 2:
            raise ValueError(f"a standard deviation takes at least 2 samples, not {len(self)}")
        away = self.samples - self.mean
        return math.sqrt(float((away**2).sum()) / (len(self) - 1))

    def percentile(self, q: float) -> float:
        """The number below which q per cent of the samples lie (given)."""
        return percentile(self.samples.tolist(), q)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """Two samples between which the true median lies, in at least `level` of all measurements.

        The true median is the number that a single sample exceeds with probability 1/2, as a tossed coin shows
        heads. So of n samples fewer than k lie below it with a probability that needs no clock and no bell curve:

            P(fewer than k below) = ( C(n, 0) + C(n, 1) + ... + C(n, k - 1) ) / 2^n

        The interval goes from the k-th smallest to the k-th largest sample, where k, counted from 1, is the
        largest for which this P is at most `tail(level)`: what it may miss on either side. Not even k = 1 will do
        where there are fewer than `fewest(level)` samples: ValueError, with how many there are.

        Of 6 samples none lies below with probability 1/64 = 0.015625, at most 0.025, and fewer than two with
        7/64, which is more: k = 1, from the smallest to the largest. Of 9, fewer than two with 10/512 = 0.01953125:

        >>> Measurement([5.0, 3.0, 9.0, 4.0, 8.0, 6.0]).confidence_interval()
        (3.0, 9.0)
        >>> Measurement([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 90.0]).confidence_interval()
        (2.0, 8.0)
        >>> 1 / 64, 10 / 512, round(tail(0.95), 3)
        (0.015625, 0.01953125, 0.025)

        Two plain floats, about nine lines; `math.comb(n, k)` is C(n, k). As numbers grow to hundreds of digits, keep
        them whole and divide last, or multiply 2^n to the other side. Nothing is assumed about how samples spread.
        """
        out, n = tail(level), len(self)
        if n < fewest(level):
            raise ValueError(f"a {level:.6g} interval of the median takes at least {fewest(level)} samples, not {n}")
        k, below = 0, 1  # below: in how many of the 2**n cases at most k samples lie under the median
        while below / 2**n <= out:
            k += 1
            below += math.comb(n, k)
        ordered = np.sort(self.samples)
        return float(ordered[k - 1]), float(ordered[n - k])

    def relative_error(self, level: float = 0.95) -> float:
        """Half the interval's width as a share of the median; inf where there is no interval yet (given).

        >>> Measurement([95.0, 100.0, 105.0]).relative_error()
        inf
        >>> Measurement([95.0, 98.0, 99.0, 101.0, 102.0, 105.0]).relative_error()
        0.05
        """
        if len(self) < fewest(level):
            return math.inf
        low, high = self.confidence_interval(level)
        if low == high:
            return 0.0
        return (high - low) / 2 / self.median if self.median else math.inf


# ---- Taking samples ------------------------------------------------------------------------------------------


class Benchmark:
    """A function, and how it is to be measured.

        fn           called without arguments; what it raises goes on to the caller
        warmup       calls before anything is measured
        repeats      samples, at least
        clock        gives seconds when called; only differences count
        min_time     seconds that one sample takes at least; a sample is as many calls as that needs
        precision    None: `repeats` samples. 0.02: more of them, until half the interval of the median is at most
                     2 % of it
        max_repeats  the end of that, reached or not

    `calls` is the number of calls that make one sample.

    A sample of one call is worth nothing where the clock ticks in steps as long as the call. 0.0001 seconds are a
    thousand steps of the coarsest clock that Python's `perf_counter` has anywhere.

    >>> benchmark = Benchmark(math.factorial, precision=0.02)
    >>> benchmark.name, benchmark.min_time
    ('factorial', 0.0001)
    """

    def __init__(
        self,
        fn: Callable[[], Any],
        warmup: int = 2,
        repeats: int = 20,
        clock: Clock = time.perf_counter,
        *,
        name: str = "",
        min_time: float = 1e-4,
        precision: float | None = None,
        max_repeats: int = 500,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"a benchmark calls its function, and a {type(fn).__name__} cannot be called")
        self.fn = fn
        self.warmup = _at_least("warmup", warmup, 0)
        self.repeats = _at_least("repeats", repeats, 1)
        self.max_repeats = _at_least("max_repeats", max_repeats, 1)
        self.clock = clock
        self.name = name or getattr(fn, "__name__", type(fn).__name__)
        self.min_time = float(min_time)
        self.precision = precision
        self.calls = 1
        if not 0 <= self.min_time < math.inf:
            raise ValueError(f"min_time is a number of seconds, not {min_time}")
        if precision is not None and not 0 < precision < math.inf:
            raise ValueError(f"precision is a share of the median above 0, or None, not {precision}")

    def sample(self) -> float:
        """Seconds per call, over one sample of `self.calls` calls.

            (clock after - clock before) / calls

        The clock is read twice, whatever the number of calls. Between the two readings stands nothing but the
        calls: what else stands there is measured along with them.

        A clock that goes on by 6 from one reading to the next, and three calls between them:

        >>> readings = iter([10.0, 16.0])
        >>> benchmark = Benchmark(lambda: None, clock=lambda: next(readings))
        >>> benchmark.calls = 3
        >>> benchmark.sample()
        2.0

        About five lines.
        """
        fn, calls = self.fn, self.calls
        start = self.clock()
        for _ in range(calls):
            fn()
        return (self.clock() - start) / calls

    def prepare(self) -> None:
        """Call the function `self.warmup` times, then find how many calls make one sample.

        The first calls pay for what later ones find ready: memory, caches, files, imports. They are not measured.
        Then `self.calls` begins at 1 and doubles as long as one sample, which takes `self.sample() * self.calls`
        seconds, is shorter than `self.min_time`.

        A clock that stands still would be asked for ever: where `self.calls` has come to MOST_CALLS and the sample
        is still too short, RuntimeError says how many calls there were.

        Every call takes one tick here, and a sample must take five. 1, 2 and 4 calls are too short, 8 are not:

        >>> ticks = [0]
        >>> def work():
        ...     ticks[0] += 1
        >>> benchmark = Benchmark(work, warmup=3, clock=lambda: ticks[0], min_time=5)
        >>> benchmark.prepare()
        >>> benchmark.calls, ticks[0] == 3 + 1 + 2 + 4 + 8
        (8, True)

        About eight lines.
        """
        for _ in range(self.warmup):
            self.fn()
        self.calls = 1
        while self.sample() * self.calls < self.min_time:
            if self.calls >= MOST_CALLS:
                raise RuntimeError(f"the clock hardly moved during {self.calls} calls of {self.name}: is it a clock?")
            self.calls *= 2

    def run(self) -> Measurement:
        """Prepare, then take samples until there are enough.

        First `self.repeats` of them. That is all where `self.precision` is None. Otherwise one more, and one more, as
        long as their `relative_error()` is larger than `self.precision` and there are fewer than
        `self.max_repeats`. Nothing of what `prepare` measured is among them.

        The result is a Measurement of the samples, in their order, with `self.name`.

        Calls of 4 and 6 ticks take turns. With six samples the interval goes from 4 to 6, half of it is 1 / 5 of
        the median, and more samples cannot narrow it:

        >>> ticks = [0]
        >>> def work():
        ...     ticks[0] += 4 if ticks[0] % 10 == 0 else 6
        >>> options = {"warmup": 1, "clock": lambda: ticks[0], "min_time": 0}
        >>> Benchmark(work, repeats=3, **options).run()
        Measurement('work', median 4 s, 3 samples)
        >>> len(Benchmark(work, repeats=3, precision=0.2, **options).run())
        6
        >>> len(Benchmark(work, repeats=3, precision=0.1, max_repeats=50, **options).run())
        50

        About six lines.
        """
        self.prepare()
        samples = [self.sample() for _ in range(self.repeats)]
        if self.precision is not None:
            while len(samples) < self.max_repeats and Measurement(samples).relative_error() > self.precision:
                samples.append(self.sample())
        return Measurement(samples, self.name)


def interleave(benchmarks: Sequence[Benchmark], repeats: int = 20, seed: int = 0) -> list[Measurement]:
    """Measure several functions side by side: round by round, one sample of each.

    A machine gets warm, its clock rate falls, another program wakes up. Measured one after the other, the second
    function pays for all that, and looks slower. In rounds everybody pays the same. Within a round nobody should
    always be the first one either: the order is drawn anew for every round.

    Each benchmark is prepared first. Then there are `repeats` rounds. The result has one Measurement for each
    benchmark, in the order in which they were given, with the benchmark's name. Fewer than one round raises
    ValueError with the number.

    Both functions are equal, and every call takes one tick more than the one before it. One after the other, the
    second seems slower; in rounds they are within one tick of each other:

    >>> ticks, calls = [0], [0]
    >>> def work():
    ...     calls[0] += 1
    ...     ticks[0] += calls[0]
    >>> def fresh():
    ...     return [Benchmark(work, warmup=0, repeats=50, clock=lambda: ticks[0], min_time=0) for _ in range(2)]
    >>> one, two = [benchmark.run() for benchmark in fresh()]
    >>> two.mean - one.mean
    51.0
    >>> one, two = interleave(fresh(), repeats=50)
    >>> abs(two.mean - one.mean) <= 1
    True

    About ten lines; `np.random.default_rng(seed).permutation(n)` draws an order.
    """
    if repeats < 1:
        raise ValueError(f"functions are compared in at least one round, not {repeats}")
    rng = np.random.default_rng(seed)
    for benchmark in benchmarks:
        benchmark.prepare()
    samples: list[list[float]] = [[] for _ in benchmarks]
    for _ in range(repeats):
        for i in rng.permutation(len(benchmarks)):
            samples[i].append(benchmarks[i].sample())
    return [Measurement(own, benchmark.name) for own, benchmark in zip(samples, benchmarks, strict=True)]


# ---- Is it faster? -------------------------------------------------------------------------------------------


def ranks(values: Array) -> Array:
    """The place of each value in the sorted row, from 1; equal ones share the average of their places (given).

    >>> ranks(np.array([30.0, 10.0, 30.0, 20.0]))
    array([3.5, 1. , 3.5, 2. ])
    """
    ordered = np.sort(values)
    before, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((before + 1 + upto) / 2)


def rank_test(old: Measurement, new: Measurement) -> float:
    """How often two equal functions would differ by this much or more: the p-value of the test of Mann and Whitney.

    Throw the n samples of old and the m of new together, N = n + m, and sort them. If the functions are equal,
    the places of the old ones are drawn by lot. With R the sum of their `ranks`:

        U = R - n (n + 1) / 2                   in how many of the n m pairs the old one is larger; a tie is 1/2
        mean = n m / 2                          of U, by lot
        var = n m / 12 * (N + 1 - T)            of U, by lot
        T = sum of (t^3 - t) / (N (N - 1))      t: how often each different value occurs
        z = (|U - mean| - 1/2) / sqrt(var)      at least 0; the 1/2 is for U that goes in steps
        p = erfc(z / sqrt(2))                   in both directions together, as `math.erfc` has it

    Where all samples are equal there is nothing to sort, var is 0 and p is 1.

    Six samples all smaller than six others have U = 0, mean 18, var = 39, so z = 17.5 / 6.245 = 2.8022:

    >>> low, high = Measurement([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), Measurement([7.0, 8.0, 9.0, 10.0, 11.0, 12.0])
    >>> round(rank_test(low, high), 4), round(rank_test(high, low), 4)
    (0.0051, 0.0051)
    >>> round(17.5 / math.sqrt(39), 4), round(math.sqrt(39), 3), rank_test(low, low)
    (2.8022, 6.245, 1.0)

    Only the order counts, so one sample of ten seconds weighs no more than another. A plain float, about ten lines;
    `np.unique(values, return_counts=True)` counts. Mann and Whitney (1947), https://doi.org/10.1214/aoms/1177730491.
    """
    n, m = len(old), len(new)
    both = np.concatenate([old.samples, new.samples])
    counts = np.unique(both, return_counts=True)[1]
    ties = float((counts**3 - counts).sum()) / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - ties)
    if len(counts) == 1:
        return 1.0
    u = float(ranks(both)[:n].sum()) - n * (n + 1) / 2
    z = max(abs(u - n * m / 2) - 0.5, 0.0) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def bootstrap_speedup(
    old: Measurement, new: Measurement, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """An interval of the speed-up `old.median / new.median`, found by measuring again without a clock.

    What would the speed-up have been on another day? The samples are all that is known about days. So draw n
    samples from the n of old, with replacement: some come twice, some not at all. Draw m of new's m likewise, and
    take the ratio of the two medians. Do it `resamples` times. The interval leaves out `tail(level)` of these
    ratios on each side: it goes from one `percentile` (of module 14) to another.

    The same seed gives the same interval. When every sample is the same, nothing can vary:

    >>> old, new = Measurement([6.0] * 8), Measurement([4.0, 4.0, 4.0, 4.0, 4.0, 4.0])
    >>> bootstrap_speedup(old, new)
    (1.5, 1.5)
    >>> noisy = Measurement([5.0, 5.5, 6.0, 6.0, 6.0, 6.5, 7.0, 9.0])
    >>> bootstrap_speedup(noisy, new)
    (1.375, 1.75)

    Two plain floats, about six lines; `np.random.default_rng(seed)` has `choice(values, (rows, columns))`, which draws
    with replacement, `np.median(..., axis=1)` is fast, and `percentile` takes a list: `ratios.tolist()`. After Efron
    (1979), https://doi.org/10.1214/aos/1176344552.
    """
    rng = np.random.default_rng(seed)
    before, after = (np.median(rng.choice(m.samples, (resamples, len(m))), axis=1) for m in (old, new))
    ratios, out = (before / after).tolist(), 100 * tail(level)
    return percentile(ratios, out), percentile(ratios, 100 - out)


@dataclass(frozen=True)
class Comparison:
    """How much faster new is than old, as `compare` found it (given)."""

    speedup: float
    interval: Interval
    p_value: float
    significant: bool
    level: float = 0.95

    @property
    def verdict(self) -> str:
        """In words: `faster`, `slower`, or that nothing was shown."""
        if not self.significant:
            return "no difference shown"
        return "faster" if self.speedup > 1 else "slower"

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.speedup:.2f}x [{low:.2f}, {high:.2f}], p = {self.p_value:.2g}: {self.verdict}"


def check_comparable(old: Measurement, new: Measurement, level: float) -> None:
    """Refuse what no comparison can be made of (given)."""
    least = min(len(old), len(new))
    if least < fewest(level):
        raise ValueError(f"a comparison at {level:.6g} takes at least {fewest(level)} samples of each, not {least}")
    for measurement in (old, new):
        if not measurement.samples.all():
            raise ValueError(f"{measurement.name or 'a measurement'} has samples of 0 seconds: take a larger min_time")


def compare(
    old: Measurement, new: Measurement, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """How much faster new is than old, and whether that has been shown.

    The speed-up is `old.median / new.median`: 2 when new takes half the time, below 1 when it takes longer. With its
    `bootstrap_speedup` interval and the p-value of `rank_test` it makes a `Comparison`, whose difference is
    significant when two witnesses agree:

        p-value < 1 - level      the order of the samples is hardly luck
        1 outside the interval   and it is the median that moved

    If the functions are equal, the first happens in one of 20 comparisons at level 0.95, and both in no more. The
    ranks alone can be moved by samples that spread further without being slower, and an interval of few samples
    is a little too narrow.

    `check_comparable(old, new, level)` refuses too few samples and samples of 0 seconds.

    >>> old = Measurement([2.0, 2.25, 2.125, 2.0, 2.375, 2.125, 2.25, 2.0])
    >>> new = Measurement([1.0, 1.125, 1.0, 1.0, 1.25, 1.0, 1.125, 1.0])
    >>> result = compare(old, new)
    >>> result.speedup, result.level, result.significant
    (2.125, 0.95, True)
    >>> compare(new, old).verdict, compare(old, old).verdict
    ('slower', 'no difference shown')

    About six lines. `level`, `resamples` and `seed` go on to the interval, and the level to the Comparison.
    """
    check_comparable(old, new, level)
    low, high = bootstrap_speedup(old, new, level, resamples, seed)
    p_value = rank_test(old, new)
    significant = p_value < 1 - level and not low <= 1 <= high
    return Comparison(old.median / new.median, (low, high), p_value, significant, level)


def geometric_mean(ratios: ArrayLike) -> float:
    """One number for several speed-ups.

        (r_1 * r_2 * ... * r_n)^(1/n) = exp( mean of log r_i )

    Twice as fast here and half as fast there is no gain: 2 and 1/2 make 1. The usual mean would say 1.25, and 1.25
    once more when old and new change places. Written with logarithms, since the product of a thousand ratios has no
    place in a float. No ratios at all, and ratios that are not above 0, raise ValueError with what was given.

    >>> round(geometric_mean([2.0, 0.5]), 6), round(geometric_mean([2.0, 8.0]), 6), (2 + 0.5) / 2
    (1.0, 4.0, 1.25)

    A plain float, about four lines.
    """
    array = np.asarray(ratios, dtype=np.float64)
    if not array.size or not ((array > 0) & np.isfinite(array)).all():
        raise ValueError(f"a geometric mean takes one number above 0 or more, not {array.tolist()}")
    return math.exp(float(np.log(array).mean()))


# ---- What is worth choosing ----------------------------------------------------------------------------------


def as_points(points: ArrayLike) -> Array:
    """Points as an array (n, d), one row each; a copy (given).

    >>> as_points([(1, 2), (3, 4)]).shape
    (2, 2)
    """
    array = np.array(points, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"points are rows of equally many numbers (n, d), not an array of shape {array.shape}")
    bad = np.isnan(array).any(axis=1)
    if bad.any():
        raise ValueError(f"point {int(bad.argmax())} holds nan, which is neither better nor worse than anything")
    return array


def pareto_front(points: ArrayLike, maximize: Iterable[int] = ()) -> list[int]:
    """Which points nobody beats: the ones worth choosing from.

        points    (n, d): n candidates, d numbers each, such as seconds, bytes, errors. Less is better,
        maximize  except in these columns, where more is better (accuracy).

    A point is beaten by another that is at least as good in every column and better in at least one. Equal points
    do not beat each other. The result is the row numbers of the unbeaten ones, in rising order; `[]` without points.

    (3, 3) is beaten by (2, 2), and (1, 5) by nobody, for nobody else is so good in the first column:

    >>> pareto_front([(1, 5), (2, 2), (3, 3), (5, 1)])
    [0, 1, 3]
    >>> pareto_front([(1, 5), (2, 2), (3, 3), (5, 1)], maximize=[1])
    [0]

    About eight lines; `as_points` gives a copy of the array. Comparing all pairs is quick enough here.
    """
    if len(np.asarray(points)) == 0:
        return []
    costs = as_points(points)
    costs[:, list(maximize)] *= -1
    front = []
    for i, own in enumerate(costs):
        beats = (costs <= own).all(axis=1) & (costs < own).any(axis=1)
        if not beats.any():
            front.append(i)
    return front


# ---- Telling it ----------------------------------------------------------------------------------------------


def seconds(value: float) -> str:
    """A time with three digits and a unit that suits it (given).

    >>> seconds(0.00123456), seconds(12.5), seconds(3e-8), seconds(0.0)
    ('1.23 ms', '12.5 s', '30 ns', '0 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= 0.9995 * size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns" if value else "0 s"


def plot_row(measurement: Measurement, low: float, high: float, width: int = 40) -> str:
    """A measurement as one row of characters, on a scale from low (first column) to high (last column).

        column of x = round((x - low) / (high - low) * (width - 1))

    and what lies outside the scale is drawn on its edge. First a `.` for every sample; over it `=` from one end of
    the 95 % interval of the median to the other, where there are samples enough for one; over that an `o` for the
    median. Everything else is a space, and the row has exactly `width` characters. A scale without length
    (low == high) has its first column only.

    >>> plot_row(Measurement([0.0, 4.0, 4.0, 5.0, 5.0, 6.0, 7.0, 7.0, 10.0]), 0.0, 10.0, width=11)
    '.   =o==  .'
    >>> plot_row(Measurement([2.0, 4.0, 20.0]), 0.0, 10.0, width=11)
    '  . o     .'

    About twelve lines. `relative_error()` is inf where there is no interval.
    """
    span = high - low

    def column(x: float) -> int:
        share = (x - low) / span if span > 0 else 0.0
        return round(min(max(share, 0.0), 1.0) * (width - 1))

    row = [" "] * width
    for x in measurement.samples:
        row[column(float(x))] = "."
    if measurement.relative_error() < math.inf:
        first, last = (column(end) for end in measurement.confidence_interval())
        row[first : last + 1] = "=" * (last + 1 - first)
    row[column(measurement.median)] = "o"
    return "".join(row)


def report(measurements: Sequence[Measurement], level: float = 0.95, width: int = 40) -> str:
    """A table of measurements, each compared with the first, and their plots on one scale (given).

    The scale goes from the smallest 5th percentile to the largest 95th: one slow sample must not squeeze all others
    into one column. A `?` behind a speed-up says that no difference was shown.

    >>> old = Measurement([2.0, 2.25, 2.125, 2.0, 2.375, 2.125, 2.25, 2.0], "loops")
    >>> new = Measurement([1.0, 1.125, 1.0, 1.0, 1.25, 1.0, 1.125, 1.0], "vectorised")
    >>> print(report([old, new], width=12))
                samples  median  95 % interval  p95     speed-up           1 s to 2.33 s
    loops       8        2.12 s  2 s to 2.38 s  2.33 s  1                          =o==
    vectorised  8        1 s     1 s to 1.25 s  1.21 s  2.12 [1.83, 2.25]  o==
    """
    if not measurements:
        return "nothing was measured"
    low = min(m.percentile(5) for m in measurements)
    high = max(m.percentile(95) for m in measurements)
    title = f"{100 * level:.6g} % interval"
    rows = [("", "samples", "median", title, "p95", "speed-up", f"{seconds(low)} to {seconds(high)}")]
    for m in measurements:
        numbers = (m.name, str(len(m)), seconds(m.median), _interval(m, level), seconds(m.percentile(95)))
        rows.append((*numbers, _speedup(measurements[0], m, level), plot_row(m, low, high, width)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def scatter(
    points: ArrayLike, names: Sequence[str], maximize: Iterable[int] = (), width: int = 40, height: int = 10
) -> str:
    """Points of two numbers as a picture, the first to the right, the second upwards (given).

    The points of the Pareto front are letters, and stand with their names below; the others are dots.

    >>> print(scatter([(1, 5), (2, 2), (3, 3), (5, 1)], ["small", "middling", "beaten", "fast"], width=9, height=5))
    |A
    |
    |    .
    |  B
    |        C
    +---------
    A small, B middling, C fast
    """
    array = as_points(points)
    if array.shape != (len(names), 2):
        raise ValueError(f"a picture takes two numbers and a name for each point, not {array.shape} and {len(names)}")
    rows = [[" "] * width for _ in range(height)]
    front = dict(zip(pareto_front(array, maximize), LETTERS, strict=False))
    across = [_place(x, array[:, 0], width) for x in array[:, 0]]
    up = [_place(y, array[:, 1], height) for y in array[:, 1]]
    for i in sorted(range(len(array)), key=front.__contains__):  # letters are written over dots
        rows[height - 1 - up[i]][across[i]] = front.get(i, ".")
    legend = ", ".join(f"{letter} {names[i]}" for i, letter in front.items())
    return "\n".join([*(f"|{''.join(row)}".rstrip() for row in rows), "+" + "-" * width, legend])


def _place(value: float, values: Array, size: int) -> int:
    """Where a value stands among `size` places from the smallest to the largest."""
    low, span = values.min(), values.max() - values.min()
    return round(float((value - low) / span * (size - 1))) if span > 0 else 0


def _interval(measurement: Measurement, level: float) -> str:
    if len(measurement) < fewest(level):
        return "-"
    low, high = measurement.confidence_interval(level)
    return f"{seconds(low)} to {seconds(high)}"


def _speedup(old: Measurement, new: Measurement, level: float) -> str:
    if new is old:
        return "1"
    if min(len(old), len(new)) < fewest(level) or not (old.samples.all() and new.samples.all()):
        return "-"
    result = compare(old, new, level)
    low, high = result.interval
    return f"{result.speedup:.2f} [{low:.2f}, {high:.2f}]" + ("" if result.significant else " ?")


def _at_least(name: str, value: int, least: int) -> int:
    """The setting, refused where it is no whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")
    return int(value)
