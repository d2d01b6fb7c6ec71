"""Checkpoint 19: benchmarking."""

from __future__ import annotations

import itertools
import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, raises, same, same_array

UNSORTED = "the samples were not sorted. Places are counted in the sorted row."
WARM_UP = "the warm-up is among the samples. Those calls are for memory and caches, and are thrown away."
UPSIDE_DOWN = "the ratio is upside down. A speed-up is old time / new time: 2 when new takes half."
BELL = "this is an interval of the mean, under a bell curve. Timings have no bell curve: count samples."
TOO_NARROW = "each side misses 5 %, together 10 %. Half of what may be missed is for each side."
SPREAD = "this is where 95 % of the samples lie. The median is known better than that."
EQUALS = "equal points throw each other out. One number must be better."
PARTLY = "only points that are worse in every number went. Equal there and worse here is beaten."
SORTED = "the samples are sorted. Keep them as they came: drift shows in their order."
DRIFT = "the functions were measured one after the other, so the drift of the machine counts as their difference."


# ---- the judge's own statistics ---------------------------------------------------------------------------


def samples_of(draw, count):
    """Random samples, all above 0 and all different."""
    return [float(x) for x in np.abs(draw.distinct(count)) + draw.rng.uniform(0.01, 0.1, count)]


def rank(n, level):
    """Which smallest and largest sample end the interval of the median, counted from 1."""
    below = np.cumsum([math.comb(n, k) / 2**n for k in range(n // 2 + 1)])
    return int((below <= (1 - level) / 2).sum())


def ends(samples, k):
    """The k-th smallest and the k-th largest sample; None where there is none such."""
    ordered = sorted(samples)
    return [ordered[k - 1], ordered[-k]] if 1 <= k <= len(ordered) else None


def is_precise(samples, precision):
    """Whether half the 95 % interval is at most this share of the median."""
    if len(samples) < 6:
        return False
    low, high = ends(samples, rank(len(samples), 0.95))
    return (high - low) / 2 <= precision * float(np.median(samples))


def p_value(old, new, *, ties=True, step=0.5, sides=2, shared=True):
    """Mann and Whitney's test, and its usual wrong variants."""
    old, new = np.asarray(old, np.float64), np.asarray(new, np.float64)
    n, m = len(old), len(new)
    pairs = (old[:, None] > new).sum() + ((old[:, None] == new).sum() / 2 if shared else 0.0)
    _, counts = np.unique(np.concatenate([old, new]), return_counts=True)
    counts = counts.astype(np.float64)
    lost = float((counts**3 - counts).sum()) / ((n + m) * (n + m - 1)) if ties else 0.0
    spread = math.sqrt(n * m / 12 * (n + m + 1 - lost))
    z = max(abs(float(pairs) - n * m / 2) - step, 0.0) / spread
    return math.erfc(z / math.sqrt(2)) * sides / 2


def medians_drawn(samples):
    """The sorted samples (an odd number), and with what probability each is the median of a resample."""
    n = len(samples)
    up_to = [
        sum(math.comb(n, i) * (k / n) ** i * (1 - k / n) ** (n - i) for i in range(n // 2 + 1, n + 1))
        for k in range(n + 1)
    ]
    return np.sort(samples), np.diff(up_to)


def ratios_drawn(old, new):
    """Every ratio of two resampled medians, sorted, and the probability of each one or a smaller one."""
    (a, p), (b, q) = medians_drawn(old), medians_drawn(new)
    ratios, chances = (a[:, None] / b).reshape(-1), (p[:, None] * q).reshape(-1)
    order = np.argsort(ratios)
    return ratios[order], np.cumsum(chances[order])


def quantile(ratios, chances, share):
    """The ratio below which this share of all draws lies."""
    return float(ratios[min(int(np.searchsorted(chances, share)), len(ratios) - 1)])


def nearest(value, low, high):
    """The allowed number that is nearest to a value; the smallest one for what is no number."""
    return float(min(max(value, low), high)) if type(value) is float and not math.isnan(value) else float(low)


def unbeaten(points, signs, weak=np.less_equal, strict=np.less):
    """Rows that no other row beats, smaller numbers being better after multiplication with the signs."""
    costs = np.asarray(points, np.float64) * signs
    return [
        i
        for i, own in enumerate(costs)
        if not any(weak(c, own).all() and strict(c, own).any() for j, c in enumerate(costs) if j != i)
    ]


# ---- Measurement ------------------------------------------------------------------------------------------


@exercise("Measurement.std", points=2)
def test_std_divides_by_one_less(tt, draw):
    """std is how far samples usually lie from their mean, with n - 1 below"""
    x = samples_of(draw, int(draw.integers(3, 8)))
    n = len(x)
    same(
        tt.Measurement(x).std,
        float(np.std(x, ddof=1)),
        what=f"Measurement({[round(v, 4) for v in x]}).std",
        mistakes=[
            Mistake(float(np.std(x)), "divided by n: samples lie closer to their own mean than to the true one."),
            Mistake(float(np.var(x, ddof=1)), "this is the variance, in squared seconds. The root is missing."),
            Mistake(float(np.std(x, ddof=1)) / math.sqrt(n), "this is the error of the mean, not of one sample."),
            Mistake(
                float(np.abs(x - np.mean(x)).mean()), "this is the mean distance. Squares, and one root at the end."
            ),
        ],
        smaller="Measurement([1., 3.]).std is sqrt(2) = 1.4142",
    )


@exercise("Measurement.std", points=1)
def test_std_of_one_sample_is_refused(tt, draw):
    """std refuses a single sample, and says how many there are"""
    x = samples_of(draw, 2)
    raises(ValueError, lambda: tt.Measurement(x[:1]).std, mentions=[1])
    same(tt.Measurement(x).std, abs(x[0] - x[1]) / math.sqrt(2), what="std of two samples")


@exercise("Measurement.confidence_interval", points=3)
def test_interval_of_the_median_ends_at_two_samples(tt, draw):
    """confidence_interval goes from the k-th smallest to the k-th largest sample, as far in as 95 % allow"""
    sizes = [6, 11, *(int(n) for n in draw.permutation(30)[:3] + 8)]  # of 11, 90 % is one sample further in
    rows = [samples_of(draw, n) for n in sizes]
    ranks = [rank(n, 0.95) for n in sizes]

    def all_ends(shift):
        found = [ends(x, k + shift) for x, k in zip(rows, ranks, strict=True)]
        return None if None in found else found

    def around(width):
        return [[float(np.mean(x) - width(x)), float(np.mean(x) + width(x))] for x in rows]

    same(
        [list(tt.Measurement(x).confidence_interval()) for x in rows],
        all_ends(0),
        what=f"confidence_interval() of {', '.join(map(str, sizes))} samples",
        mistakes=[
            Mistake(
                [ends(x, max(k - 1, 1)) for x, k in zip(rows, ranks, strict=True)],
                "it is one sample too wide on each side: k counts from 1.",
            ),
            Mistake([ends(x, rank(len(x), 0.9)) for x in rows], TOO_NARROW),
            Mistake(
                [[min(x), max(x)] for x in rows], "it is the whole range. With more samples it may begin further in."
            ),
            Mistake(around(lambda x: 1.96 * np.std(x, ddof=1)), "this is where single samples lie, around their mean."),
            Mistake(around(lambda x: 1.96 * np.std(x, ddof=1) / math.sqrt(len(x))), BELL),
            Mistake([[float(np.percentile(x, q)) for q in (2.5, 97.5)] for x in rows], SPREAD),
        ],
        smaller="of 1, 2, ..., 9 it is (2.0, 8.0)",
    )


@exercise("Measurement.confidence_interval", points=1)
def test_interval_of_another_level(tt, draw):
    """confidence_interval is wider where less may be missed"""
    x = samples_of(draw, int(draw.integers(15, 25)))
    levels = [0.5, float(draw.choice([0.8, 0.9])), 0.99]
    same(
        [list(tt.Measurement(x).confidence_interval(level)) for level in levels],
        [ends(x, rank(len(x), level)) for level in levels],
        what=f"confidence_interval of {len(x)} samples, for levels {levels}",
        mistakes=[Mistake([ends(x, rank(len(x), 0.95))] * 3, "every level has the interval of 0.95.")],
    )
    few = [(x[:2], 0.5), (x[:4], 0.4)]  # what one side may miss is exactly 1/4, and a little less than 5/16
    got = [list(tt.Measurement(y).confidence_interval(level)) for y, level in few]
    same(got, [[min(y), max(y)] for y, _ in few], what="confidence_interval of two samples at 0.5, of four at 0.4")


def intervals(rows, level):
    """The interval of each row of samples."""
    return np.array([tt.Measurement(row).confidence_interval(level) for row in rows])


@exercise("Measurement.confidence_interval", points=2)
def test_interval_holds_the_true_median_as_often_as_it_says(lab, draw):
    """confidence_interval holds the true median as often as it says, however crooked the samples"""
    rows = np.exp(1.5 * draw.rng.standard_normal((400, 12)))  # the true median is 1
    found = lab(intervals, rows, 0.8)
    hits = float(((found[:, 0] <= 1) & (found[:, 1] >= 1)).sum()) if np.shape(found) == (400, 2) else -1.0
    same(
        hits,
        nearest(hits, 300, 384),  # 342 on average
        what="how many of 400 intervals of level 0.8 hold the true median (342 on average)",
    )
    same_array(
        np.sort(found, axis=-1),
        np.sort(rows, axis=-1)[:, [3, 8]],
        dtype=np.float64,
        what="intervals of level 0.8, of 12 samples each",
    )


@exercise("Measurement.confidence_interval", points=1)
def test_interval_of_very_many_samples(tt, draw):
    """confidence_interval works with numbers of cases that no float can hold"""
    n = int(draw.integers(1100, 1200))
    x = [float(v) for v in draw.permutation(n)]
    k = exact_rank(n)
    same(list(tt.Measurement(x).confidence_interval()), [float(k - 1), float(n - k)], what=f"interval of 0 to {n - 1}")


def exact_rank(n):
    """The rank at level 0.95, in whole numbers throughout."""
    below, k = 1, 0
    while 40 * below <= 2**n:
        k += 1
        below += math.comb(n, k)
    return k


@exercise("Measurement.confidence_interval", points=1)
def test_interval_of_few_samples_is_refused(tt, draw):
    """confidence_interval refuses samples too few for its level, and says how many there are"""
    n = int(draw.integers(2, 6))
    x = samples_of(draw, n)
    raises(ValueError, lambda: tt.Measurement(x).confidence_interval(), mentions=[n])
    same(
        list(tt.Measurement(x).confidence_interval(0.5)), ends(x, rank(n, 0.5)), what=f"half of {n} samples' intervals"
    )


# ---- Benchmark.sample -------------------------------------------------------------------------------------


def one_sample(costs, calls, start):
    """A sample by a clock that only the measured function moves; reads of the clock, and calls of the function."""
    now, reads, made = [start], [0], [0]

    def work():
        now[0] += costs[made[0] % len(costs)]
        made[0] += 1

    def clock():
        reads[0] += 1
        return now[0]

    benchmark = tt.Benchmark(work, clock=clock, min_time=0)
    benchmark.calls = calls
    return benchmark.sample(), [made[0], reads[0]]


@exercise("Benchmark.sample", points=2)
def test_a_sample_is_seconds_per_call(lab, draw):
    """a sample is what the clock went on by during all its calls, over the number of calls"""
    costs, calls, start = samples_of(draw, 9), int(draw.integers(3, 9)), float(draw.positive(1)[0]) + 50
    total = float(sum(costs[:calls]))
    got, seen = lab(one_sample, costs, calls, start)
    same(
        got,
        total / calls,
        what=f"sample() of {calls} calls that took {total:.4g} s together, by a clock that began at {start:g}",
        mistakes=[
            Mistake(total, "this is for all calls together. Divide by self.calls."),
            Mistake(
                (start + total) / calls, "the clock's reading is no duration. Take the difference of two readings."
            ),
            Mistake(costs[0] / calls, "the function was called once, and divided by all calls."),
            Mistake(costs[0], "the function was called once. A sample is self.calls calls."),
            Mistake(0.0, "nothing was timed: the calls stand between the two readings, and the clock is self.clock."),
            Mistake(-total / calls, "the readings are exchanged: after minus before."),
        ],
        smaller="3 calls while the clock goes from 10.0 to 16.0: 2.0",
    )
    same(seen, [calls, 2], what="calls of the function, readings of the clock")


def real_samples(lasts):
    """Samples of a function that keeps busy for a known time, by the real clock; and how long all of it took."""
    import time

    def work():
        end = time.perf_counter() + lasts
        while time.perf_counter() < end:
            pass

    benchmark = tt.Benchmark(work, warmup=0, min_time=0)
    begin = time.perf_counter()
    samples = [benchmark.sample() for _ in range(4)]
    return [float(s) for s in samples], time.perf_counter() - begin


@exercise("Benchmark.sample", points=1)
def test_a_sample_by_the_real_clock(lab, draw):
    """samples of a busy function are as long as it is busy, and together no longer than all of it took"""
    lasts = float(draw.rng.uniform(0.001, 0.003))
    samples, took = lab(real_samples, lasts)
    same(
        samples,
        [nearest(s, lasts, took) for s in samples],
        what=f"samples of a function that is busy for {lasts:.6f} s (all of it took {took:.6f} s)",
    )
    total = float(sum(samples))
    same(total, nearest(total, 4 * lasts, took), rtol=1e-9, what="the sum of four samples")


def failing(calls, number):
    """A sample of a function that fails at its last call."""
    made = [0]

    def work():
        made[0] += 1
        if made[0] == calls:
            raise ValueError(f"batch {number} is broken")

    benchmark = tt.Benchmark(work, warmup=0, clock=lambda: float(made[0]), min_time=0)
    benchmark.calls = calls
    return benchmark.sample()


@exercise("Benchmark.sample", points=1)
def test_errors_of_the_function_go_on(lab, draw):
    """what the measured function raises goes on to the caller"""
    number, calls = int(draw.integers(1000, 9999)), int(draw.integers(2, 6))
    raises(ValueError, lambda: lab(failing, calls, number), mentions=[number])
    got, _ = lab(one_sample, [float(number)], calls, 1.0)
    same(got, float(number), what=f"a sample of a function that works, and takes {number} s")


# ---- Benchmark.prepare --------------------------------------------------------------------------------------


def prepared(cost, tick, warmup, min_time, most):
    """Calls of a sample after prepare(), calls before the clock was first read, and a sample, by a clock of steps."""
    made, first = [0], [None]

    def work():
        made[0] += 1

    def clock():
        first[0] = made[0] if first[0] is None else first[0]
        return math.floor(made[0] * cost / tick) * tick

    known = tt.benchmarking.MOST_CALLS
    try:
        tt.benchmarking.MOST_CALLS = most
        benchmark = tt.Benchmark(work, warmup=warmup, clock=clock, min_time=min_time)
        benchmark.calls = 3
        benchmark.prepare()
        calls = benchmark.calls
        return calls, first[0], benchmark.sample()
    finally:
        tt.benchmarking.MOST_CALLS = known


@exercise("Benchmark.prepare", points=1)
def test_warm_up_comes_before_any_measuring(lab, draw):
    """prepare calls the function warmup times before it looks at the clock"""
    warmups = [int(w) for w in draw.permutation(7)[:3]]
    limits = [2 ** int(k) for k in draw.permutation(6)[:3]]
    found = [lab(prepared, 1.0, 1.0, w, float(limit), 2**20) for w, limit in zip(warmups, limits, strict=True)]
    same(
        [[first, calls] for calls, first, _ in found],
        [list(each) for each in zip(warmups, limits, strict=True)],
        what=f"calls before the clock was first read, and calls of a sample, for warmup = {warmups}",
        mistakes=[
            Mistake([[0, n] for n in limits], "the clock is read before any warm-up."),
            Mistake([[1, n] for n in limits], "there is one call of warm-up. There are self.warmup."),
        ],
    )


@exercise("Benchmark.prepare", points=2)
def test_calls_double_until_a_sample_is_long_enough(lab, draw):
    """prepare doubles the calls of a sample until it takes min_time"""
    cost = float(draw.positive(1)[0])
    wanted = [
        cost * (2**k + extra) for k, extra in zip(draw.permutation(5) + 1, (-0.5, 0.5, 0.0, 0.75, -0.25), strict=True)
    ]
    due = [2 ** math.ceil(math.log2(w / cost)) for w in wanted]
    same(
        [lab(prepared, cost, cost, 2, w, 2**20)[0] for w in wanted],
        due,
        what=f"calls of a sample, for calls of {cost:g} s and min_time = {wanted}",
        mistakes=[
            Mistake([1] * 5, "a sample is one call. Double self.calls as long as the sample is too short."),
            Mistake([3 * d for d in due], "the number of calls starts from what it was. It begins at 1."),
            Mistake([2 * d for d in due], "it doubles once more after the sample was long enough."),
            Mistake([2 ** (math.floor(math.log2(w / cost)) + 1) for w in wanted], "min_time itself is long enough."),
        ],
        smaller="calls of 1 s and min_time=5: 8 calls",
    )


@exercise("Benchmark.prepare", points=1)
def test_a_coarse_clock_is_good_enough(lab, draw):
    """a sample is right to a hundredth by a clock whose steps are longer than a call"""
    tick = float(draw.positive(1)[0])
    costs = [tick * float(s) for s in draw.rng.uniform(0.05, 0.9, 3)]
    got = [lab(prepared, cost, tick, 1, 150 * tick, 2**20)[2] for cost in costs]
    same(
        got,
        [nearest(g, 0.99 * cost, 1.01 * cost) for g, cost in zip(got, costs, strict=True)],
        rtol=1e-6,
        what=f"samples of calls of {[round(c, 5) for c in costs]} s, by a clock in steps of {tick:g} s",
    )


@exercise("Benchmark.prepare", points=1)
def test_a_clock_that_stands_still_is_refused(lab, draw):
    """prepare gives up on a clock that stands still, and says after how many calls"""
    most = 2 ** int(draw.integers(5, 12))
    raises(RuntimeError, lambda: lab(prepared, 0.0, 1.0, 1, 1.0, most), mentions=[most])
    same(lab(prepared, 1.0, 1.0, 1, float(most), most)[0], most, what=f"calls, where {most} are just enough")


# ---- Benchmark.run ------------------------------------------------------------------------------------------


def full_run(costs, options):
    """Samples, their name, and the costs of all calls that were made."""
    now, made = [100.0], []

    def work():
        made.append(costs[len(made) % len(costs)])
        now[0] += made[-1]

    measurement = tt.Benchmark(work, clock=lambda: now[0], min_time=0, **options).run()
    return [float(s) for s in measurement.samples], measurement.name, made


@exercise("Benchmark.run", points=2)
def test_run_keeps_as_many_samples_as_asked(lab, draw):
    """run gives the samples that it was asked for, in order, and none of the warm-up"""
    warmup, repeats = int(draw.integers(2, 6)), int(draw.integers(7, 12))
    costs = [*(50 + float(c) for c in draw.positive(warmup)), *samples_of(draw, 40)]
    name = f"model {draw.integers(10, 99)}"
    samples, called, made = lab(full_run, costs, {"warmup": warmup, "repeats": repeats, "name": name})
    skipped = max(len(made) - repeats, warmup)
    same(
        samples,
        costs[skipped : skipped + repeats],
        rtol=1e-4,
        what=f"samples of run(), warmup={warmup}, repeats={repeats}",
        mistakes=[
            Mistake(made[:repeats], WARM_UP),
            Mistake(sorted(made[-repeats:]), SORTED),
            Mistake(made[warmup:], "the sample that prepare() looked at is among them."),
        ],
    )
    same(called, name, what="the name of the measurement")
    same(int(min(made[:warmup])), int(min(costs[:warmup])), what="whole seconds of the shortest warm-up call")


@exercise("Benchmark.run", points=2)
def test_run_goes_on_until_the_median_is_known(lab, draw):
    """run takes samples until half the interval is the asked share of the median, and no more"""
    costs = [float(1 + c) for c in draw.rng.uniform(0, 0.5, 600)]
    precision, repeats = float(draw.choice([0.03, 0.04, 0.05])), int(draw.integers(2, 6))
    options = {"warmup": 1, "repeats": repeats, "precision": precision}
    samples, _, made = lab(full_run, costs, options)
    same(samples, made[-len(samples) :], rtol=1e-4, what="samples of run(), beside what the calls took")
    due = next((n for n in range(repeats, len(samples) + 1) if is_precise(samples[:n], precision)), len(samples) + 1)
    same(
        len(samples),
        due,
        what=f"number of samples with repeats={repeats}, precision={precision}",
        mistakes=[Mistake(repeats, "precision makes no difference: go on as long as relative_error() is larger.")],
    )


@exercise("Benchmark.run", points=1)
def test_run_ends_at_its_limit(lab, draw):
    """run stops at max_repeats, whether it is precise enough or not"""
    limits = [int(n) for n in draw.permutation(40)[:3] + 15]
    costs = [1.0, 3.0, float(4 + draw.positive(1)[0]), 9.0]  # the two in the middle differ, so the interval has a width
    even = lab(full_run, [4 * costs[2], 6 * costs[2]], {"repeats": 3, "precision": 0.2})[0]
    same(len(even), 6, what="samples until the interval, which is from 4 to 6 around 5, is precise to 0.2")
    counts = [
        len(lab(full_run, costs, {"repeats": 10, "precision": 1e-6, "max_repeats": limit})[0]) for limit in limits
    ]
    same(
        counts,
        limits,
        what=f"samples of a function that is never measured precisely, for max_repeats = {limits}",
        mistakes=[
            Mistake(
                [limit + 1 for limit in limits], "one sample too many: go on as long as there are fewer than that."
            ),
            Mistake([10] * 3, "precision makes no difference: go on as long as relative_error() is larger."),
        ],
    )


# ---- interleave -------------------------------------------------------------------------------------------


def side_by_side(costs, warmup, repeats, drift):
    """Who was called when, and each one's name and samples. The first calls of each take 1000 s more."""
    now, made = [0.0], []

    def working(i):
        def work():
            first = made.count(i) < warmup
            now[0] += costs[i] * (1 + drift * len(made)) + (1000 if first else 0)
            made.append(i)

        return work

    options = {"warmup": warmup, "clock": lambda: now[0], "min_time": 0}
    benchmarks = [tt.Benchmark(working(i), name=f"number {i}", **options) for i in range(len(costs))]
    found = tt.interleave(benchmarks, repeats=repeats)
    return made, [m.name for m in found], [[float(s) for s in m.samples] for m in found]


def rounds(made, repeats, count):
    """Who was called in the last rounds, one row for each; nobody where there were fewer."""
    last = made[-count * repeats :]
    return np.asarray(last if len(last) == count * repeats else [0] * (count * repeats)).reshape(repeats, count)


@exercise("interleave", points=2)
def test_rounds_have_one_sample_of_each(lab, draw):
    """interleave takes one sample of each function in every round, after all warm-ups"""
    costs, repeats = samples_of(draw, 3), int(draw.integers(7, 12))
    made, names, samples = lab(side_by_side, costs, int(draw.integers(1, 4)), repeats, 0.0)
    same(
        samples,
        [[c] * repeats for c in costs],
        rtol=1e-4,
        what=f"samples of three functions that take {[round(c, 4) for c in costs]} s",
        mistakes=[
            Mistake([[c] * repeats for c in order], "the samples went to the wrong function.")
            for order in itertools.permutations(costs)
        ],
    )
    same_array(
        np.sort(rounds(made, repeats, 3), axis=-1),
        np.tile(np.arange(3), (repeats, 1)),
        what=f"who was measured in each of {repeats} rounds, sorted",
        mistakes=[Mistake(np.repeat(np.arange(3), repeats).reshape(repeats, 3), DRIFT)],
    )
    same(names, ["number 0", "number 1", "number 2"], what="names of the measurements")


@exercise("interleave", points=1)
def test_drift_is_no_difference(lab, draw):
    """interleave finds the true ratio of two functions on a machine that gets slower all the time"""
    ratio = float(draw.rng.uniform(1.2, 2.5))
    _, _, samples = lab(side_by_side, [ratio, 1.0], 1, 40, 0.05)
    found = float(np.divide(*map(np.mean, samples))) if [len(s) for s in samples] == [40, 40] else 0.0
    after = float(np.mean(ratio * (1 + 0.05 * np.arange(3, 43))) / np.mean(1 + 0.05 * np.arange(44, 84)))
    same(
        found,
        nearest(found, 0.96 * ratio, 1.04 * ratio),
        rtol=1e-3,
        what=f"mean of old / mean of new, where old takes {ratio:.4f} times as long",
        mistakes=[Mistake(after, DRIFT)],
    )


@exercise("interleave", points=1)
def test_nobody_is_always_first(lab, draw):
    """interleave lets each function begin about as many rounds as the other"""
    costs = samples_of(draw, 2)
    made, _, samples = lab(side_by_side, costs, 0, 80, 0.0)
    first = float(rounds(made, 80, 2)[:, 0].sum())
    same(
        first,
        nearest(first, 10, 70),
        what="in how many of 80 rounds the second function came first",
        mistakes=[Mistake(0.0, "every round has the same order. Draw one for each.")],
    )
    same(samples, [[c] * 80 for c in costs], rtol=1e-4, what="samples of both")


@exercise("interleave", points=1)
def test_no_rounds_are_refused(lab, draw):
    """interleave refuses fewer rounds than one, and says how many"""
    costs, none = samples_of(draw, 2), -int(draw.integers(2, 99))
    raises(ValueError, lambda: lab(side_by_side, costs, 1, none, 0.0), mentions=[none])
    raises(ValueError, lambda: lab(side_by_side, costs, 1, 0, 0.0), mentions=[0])
    same(lab(side_by_side, costs, 1, 1, 0.0)[2], [[c] for c in costs], rtol=1e-4, what="samples of one round")


# ---- rank_test --------------------------------------------------------------------------------------------


@exercise("rank_test", points=2)
def test_rank_test_counts_pairs(tt, draw):
    """rank_test tells how often equal functions would differ as much"""
    n, m = int(draw.integers(7, 12)), int(draw.integers(12, 17))
    x = samples_of(draw, n + m)
    x[:n] = [v * 1.25 for v in x[:n]]
    old, new = x[:n], x[n:]
    due = p_value(old, new)
    same(
        tt.rank_test(tt.Measurement(old), tt.Measurement(new)),
        due,
        what=f"rank_test of {n} and {m} samples",
        mistakes=[
            Mistake(due / 2, "this is one direction only. Slower and faster both count: erfc has both."),
            Mistake(p_value(old, new, step=0.0), "the 1/2 is missing: U goes in steps, the bell curve does not."),
            Mistake(p_value(old, new, step=-0.5), "the 1/2 makes the difference smaller: |U - mean| - 1/2."),
            Mistake(1 - due, "this is 1 - p: erf where erfc is due."),
        ],
        smaller="1, ..., 6 against 7, ..., 12: 0.0051",
    )
    shuffled = [old[i] for i in draw.permutation(n)]
    same(tt.rank_test(tt.Measurement(new), tt.Measurement(shuffled)), due, what="rank_test, both exchanged")


@exercise("rank_test", points=2)
def test_rank_test_shares_places_of_ties(tt, draw):
    """rank_test lets equal samples share their places, and allows for them in the variance"""
    old = [float(v) for v in (*draw.integers(1, 5, 9), 2, 3)]
    new = [float(v) for v in (*draw.integers(2, 6, 13), 2, 3)]
    due = p_value(old, new)
    same(
        tt.rank_test(tt.Measurement(old), tt.Measurement(new)),
        due,
        what=f"rank_test of {[int(v) for v in old]} and {[int(v) for v in new]}",
        mistakes=[
            Mistake(p_value(old, new, ties=False), "the variance has no T: ties leave less to chance."),
            Mistake(
                p_value(old, new, shared=False), "ties count as if new were larger. Equal samples share: 1/2 a pair."
            ),
        ],
    )


@exercise("rank_test", points=1)
def test_rank_test_of_equal_samples(tt, draw):
    """rank_test of samples that are all equal is 1, without a division by 0"""
    value = float(draw.positive(1)[0])
    pairs = [([value] * 7, [value] * 8), ([value] * 7, [value / 2] * 8), ([value] * 3, [value, 2 * value, value])]
    with calm(tt):
        got = [tt.rank_test(tt.Measurement(a), tt.Measurement(b)) for a, b in pairs]
    same(got, [1.0, p_value(*pairs[1]), p_value(*pairs[2])], what=f"rank_test of samples that are {value:g} throughout")


# ---- bootstrap_speedup ------------------------------------------------------------------------------------


@exercise("bootstrap_speedup", points=3)
def test_bootstrap_interval_leaves_out_its_tails(tt, draw):
    """bootstrap_speedup leaves out half of what the level may miss at each end of the resampled ratios"""
    old, new = samples_of(draw, draw.choice([13, 15, 17])), samples_of(draw, draw.choice([9, 11]))
    ratios, chances = ratios_drawn(old, new)
    a, b = tt.Measurement(old), tt.Measurement(new)
    for level, slack in ((0.95, 0.007), (0.6, 0.018)):  # six standard errors of 20,000 resamples
        out = (1 - level) / 2
        got = list(tt.bootstrap_speedup(a, b, level=level, resamples=20_000))
        bands = [[quantile(ratios, chances, q + s) for s in (-slack, slack)] for q in (out, 1 - out)]
        same(
            got,
            [nearest(g, *band) for g, band in zip([*got, None, None][:2], bands, strict=True)],
            rtol=1e-6,
            what=f"bootstrap_speedup(old, new, level={level}) of {len(old)} and {len(new)} samples",
        )


@exercise("bootstrap_speedup", points=1)
def test_bootstrap_is_old_over_new(tt, draw):
    """bootstrap_speedup of samples without noise is the speed-up itself, twice"""
    old, new = (float(x + low) for x, low in zip(np.abs(draw.distinct(2)), (3.5, 1.125), strict=True))
    same(
        list(tt.bootstrap_speedup(tt.Measurement([old] * 7), tt.Measurement([new] * 9))),
        [old / new] * 2,
        what=f"bootstrap_speedup of {old:g} s, seven times, and {new:g} s, nine times",
        mistakes=[Mistake([new / old] * 2, UPSIDE_DOWN), Mistake([old - new] * 2, "this is a difference: divide.")],
    )


def drawn_again(old, new, seeds):
    """The interval for every seed, few resamples each, and again."""
    a, b = tt.Measurement(old), tt.Measurement(new)
    return [[list(tt.bootstrap_speedup(a, b, resamples=40, seed=s)) for s in seeds] for _ in range(2)]


@exercise("bootstrap_speedup", points=1)
def test_bootstrap_repeats_with_its_seed(lab, draw):
    """bootstrap_speedup gives the same interval for the same seed, and others for others"""
    old, new = samples_of(draw, 25), samples_of(draw, 25)
    seeds = [int(s) for s in draw.integers(1, 10**6, 6)]
    first, second = lab(drawn_again, old, new, seeds)
    ratios, chances = ratios_drawn(old, new)
    ends_at = [[quantile(ratios, chances, q) for q in pair] for pair in ((0.0, 0.35), (0.65, 1.0))]
    same(
        second,
        [[nearest(v, *band) for v, band in zip([*row, None, None][:2], ends_at, strict=True)] for row in first],
        what=f"intervals for seeds {seeds}, drawn twice",
    )
    different = len({str(row) for row in first})
    same(different, max(different, 2), what="how many of six seeds gave different intervals")


# ---- compare ----------------------------------------------------------------------------------------------


@exercise("compare", points=2)
def test_compare_is_old_over_new(tt, draw):
    """compare gives the ratio of the medians, its interval and its p-value"""
    old, new = samples_of(draw, 11), samples_of(draw, 14)
    level, seed = float(draw.choice([0.8, 0.9])), int(draw.integers(1, 999))
    a, b = tt.Measurement(old), tt.Measurement(new)
    result = tt.compare(a, b, level=level, resamples=300, seed=seed)
    before, after = float(np.median(old)), float(np.median(new))
    same(
        result.speedup,
        before / after,
        what=f"compare(old, new).speedup, with medians {before:.4f} and {after:.4f}",
        mistakes=[
            Mistake(after / before, UPSIDE_DOWN),
            Mistake(
                float(np.mean(old) / np.mean(new)), "this is the ratio of the means, which one slow sample can move."
            ),
            Mistake(float(min(old) / min(new)), "this is the ratio of the best samples: luck, not what is usual."),
        ],
    )
    same(result.p_value, p_value(old, new), what="compare(old, new).p_value")
    due = list(tt.bootstrap_speedup(a, b, level=level, resamples=300, seed=seed))
    same(list(result.interval), due, what=f"compare(..., level={level}, resamples=300, seed={seed}).interval")
    same(result.level, level, what="compare(...).level")


def flags(pairs, level, resamples):
    """Which pairs of samples differ significantly."""
    return [tt.compare(tt.Measurement(a), tt.Measurement(b), level, resamples).significant for a, b in pairs]


def witnesses(draw):
    """Pairs of samples on which the two witnesses agree or not, and whether the difference is significant."""
    scale, n = float(draw.positive(1)[0]), 200

    def mixed(*parts):
        return draw.rng.permutation(np.repeat([v * scale for v, _ in parts], [round(s * n) for _, s in parts])).tolist()

    ranks_only = (mixed((1, 0.1), (2, 0.5), (3, 0.4)), mixed((1, 0.4), (2, 0.5), (3, 0.1)))
    median_only = (mixed((0.5, 0.38), (2, 0.62)), mixed((1, 0.8), (5, 0.2)))
    faster = (mixed((2, 0.5), (2.25, 0.5)), mixed((1, 0.5), (1.25, 0.5)))
    equal = (mixed((1, 0.3), (2, 0.4), (3, 0.3)), mixed((1, 0.3), (2, 0.4), (3, 0.3)))
    return [(ranks_only, False), (median_only, False), (faster, True), (faster[::-1], True), (equal, False)]


@exercise("compare", points=2)
def test_significance_takes_two_witnesses(lab, draw):
    """compare calls a difference significant where p is small and 1 lies outside the interval, and nowhere else"""
    cases = witnesses(draw)
    order = [int(i) for i in draw.permutation(len(cases))]
    names = ("ranks alone", "the median alone", "faster", "slower", "equal")
    first, second = [True, False, True, True, False], [False, True, True, True, False]
    same(
        [1.0 * f if type(f) is bool else -1.0 for f in lab(flags, [cases[i][0] for i in order], 0.95, 200)],
        [1.0 * cases[i][1] for i in order],
        what=f"significant (1) or not (0): {', '.join(names[i] for i in order)}",
        mistakes=[
            Mistake([1.0 * first[i] for i in order], "only the p-value was asked. The interval must leave 1 out, too."),
            Mistake([1.0 * second[i] for i in order], "only the interval was asked. The p-value must be small, too."),
            Mistake([1.0 * (first[i] or second[i]) for i in order], "one witness is not enough: both must agree."),
            Mistake([1.0 * (i == 2) for i in order], "slower is a difference, too: the interval may lie below 1."),
            Mistake(
                [1.0 - cases[i][1] for i in order], "it is the wrong way round: a small p speaks for a difference."
            ),
        ],
    )


@exercise("compare", points=2)
def test_compare_finds_ten_per_cent_and_nothing_where_nothing_is(lab, draw):
    """compare finds a true difference of 10 %, and hardly ever one where there is none"""
    truth = draw.rng.permutation(np.repeat([1.1, 1 / 1.1, 1.0], [30, 30, 60]))
    pairs = [
        ((t * np.exp(draw.rng.gamma(2, 0.015, 20))).tolist(), np.exp(draw.rng.gamma(2, 0.015, 20)).tolist())
        for t in truth
    ]
    found = lab(flags, pairs, 0.95, 200)
    said = [f is True for f in found]
    missed = sum(not s for s, t in zip(said, truth, strict=True) if t != 1)
    alarms = sum(s for s, t in zip(said, truth, strict=True) if t == 1)
    same(missed, min(missed, 6), what="how many of 60 true differences of 10 % were missed")
    same(
        alarms,
        min(alarms, 16),
        what="false alarms among 60 pairs of equal functions (3 are due at level 0.95, 16 hardly ever)",
    )


@exercise("compare", points=1)
def test_small_is_what_the_level_says(lab, draw):
    """compare asks for a smaller p where the level is higher"""
    scale = float(draw.positive(1)[0])
    old = [scale * float(v) for v in draw.rng.permutation(np.repeat([0.5, 2.0], [60, 140]))]
    new = [scale * float(v) for v in draw.rng.permutation(np.repeat([1.0, 5.0], [160, 40]))]  # p = 0.03
    levels = [(0.9, 0.99), (0.99, 0.9)][int(draw.integers(0, 2))]
    got = [[1.0 * f if type(f) is bool else -1.0 for f in lab(flags, [(old, new)], level, 100)] for level in levels]
    same(
        got,
        [[1.0 * (level == 0.9)] for level in levels],
        what=f"significant (1) or not (0) at levels {levels}, where p is {p_value(old, new):.3f}",
        mistakes=[Mistake([[1.0], [1.0]], "p is compared with 0.05 at every level. It is 1 - level.")],
    )


@exercise("compare", points=1)
def test_compare_refuses_too_few_samples(tt, draw):
    """compare refuses samples that are too few or take no time, and says so"""
    n = int(draw.integers(2, 6))
    old, few = samples_of(draw, 8), samples_of(draw, n)
    a, b, c = (tt.Measurement(x) for x in (old, few, [0.0, *old]))
    raises(ValueError, lambda: tt.compare(a, b), mentions=[n])
    raises(ValueError, lambda: tt.compare(c, a), mentions=["0 seconds"])
    same(tt.compare(a, b, level=0.5).speedup, float(np.median(old) / np.median(few)), what="compare at level 0.5")


# ---- geometric_mean ---------------------------------------------------------------------------------------


@exercise("geometric_mean", points=2)
def test_geometric_mean_of_speedups(tt, draw):
    """geometric_mean is the n-th root of the product, so that speed-ups and slow-downs cancel"""
    r = samples_of(draw, int(draw.integers(3, 7)))
    same(
        tt.geometric_mean(r),
        math.exp(np.log(r).mean()),
        what=f"geometric_mean({[round(v, 4) for v in r]})",
        mistakes=[
            Mistake(float(np.mean(r)), "this is the usual mean: 2 and 0.5 would make 1.25."),
            Mistake(float(np.prod(r)), "the product has no root: to the power 1 / n."),
            Mistake(math.sqrt(np.prod(r)), "the root is the square one. It is the n-th, for n ratios."),
            Mistake(float(np.log(r).mean()), "this is the mean logarithm. Take exp of it."),
            Mistake(len(r) / float(sum(1 / v for v in r)), "this is the harmonic mean."),
        ],
        smaller="geometric_mean([2., 8.]) is 4.0",
    )


@exercise("geometric_mean", points=1)
def test_geometric_mean_of_very_many(tt, draw):
    """geometric_mean of very many ratios overflows nowhere on the way"""
    r = [float(v) for v in draw.rng.uniform(1, 2, 300) * np.repeat([1e6, 1e-6], 150)]
    with calm(tt):
        got = tt.geometric_mean(r)
    same(got, math.exp(np.log(r).mean()), what="geometric_mean of 150 ratios above a million and 150 below a millionth")


@exercise("geometric_mean", points=1)
def test_geometric_mean_refuses_what_has_no_logarithm(tt, draw):
    """geometric_mean refuses ratios that are not above 0, and names them"""
    r, bad = samples_of(draw, 3), -float(draw.positive(1)[0])
    raises(ValueError, lambda: tt.geometric_mean([*r, bad]), mentions=[bad])
    raises(ValueError, lambda: tt.geometric_mean([r[0], 0.0]), mentions=[r[0]])
    raises(ValueError, lambda: tt.geometric_mean([r[0], math.nan]), mentions=["nan"])
    raises(ValueError, lambda: tt.geometric_mean([]), mentions=["[]"])
    same(tt.geometric_mean(r[:1]), r[0], what="geometric_mean of one ratio")


# ---- pareto_front -----------------------------------------------------------------------------------------


@exercise("pareto_front", points=2)
def test_pareto_front_keeps_whom_nobody_beats(tt, draw):
    """pareto_front keeps the points that no other beats, equal ones too"""
    points = draw.integers(1, 7, 12, 2)
    points[draw.permutation(12)[:2]] = [[0, 2], [2, 0]]
    points = np.concatenate([points, [[0, 2], [0, 5]]]).tolist()
    right = unbeaten(points, 1)
    same(
        tt.pareto_front(points),
        right,
        what=f"pareto_front({points})",
        mistakes=[
            Mistake(unbeaten(points, -1), "less is better, unless the column is in maximize: it is turned round here."),
            Mistake(unbeaten(points, 1, strict=np.less_equal), EQUALS),
            Mistake(unbeaten(points, 1, weak=np.less), PARTLY),
            Mistake([points[i] for i in right], "these are the points. Give their row numbers."),
            Mistake([i for i in range(len(points)) if i not in right], "these are the beaten ones."),
        ],
        smaller="pareto_front([(1, 2), (2, 1), (2, 2)]) is [0, 1]",
    )


@exercise("pareto_front", points=2)
def test_pareto_front_knows_where_more_is_better(tt, draw):
    """pareto_front turns round the columns in which more is better, in any number of dimensions"""
    d = int(draw.integers(3, 5))
    points = draw.integers(0, 4, 14, d).tolist()
    more = sorted(int(i) for i in draw.permutation(d)[:2])
    signs = np.array([-1 if i in more else 1 for i in range(d)])
    alone = np.array([-1 if i == more[0] else 1 for i in range(d)])
    same(
        tt.pareto_front(points, maximize=more),
        unbeaten(points, signs),
        what=f"pareto_front(points, maximize={more}) of 14 points with {d} numbers",
        mistakes=[
            Mistake(unbeaten(points, 1), "maximize makes no difference."),
            Mistake(unbeaten(points, -signs), "minimise and maximise are exchanged."),
            Mistake(unbeaten(points, alone), "only the first of the columns was turned round."),
        ],
    )


@exercise("pareto_front", points=1)
def test_pareto_front_of_nothing_and_of_nan(tt, draw):
    """pareto_front of no points is empty, and nan is refused with the number of its row"""
    points = [[float(v) for v in row] for row in draw(4, 2)]
    row = int(draw.integers(1, 4))
    broken = [[math.nan, v[1]] if i == row else v for i, v in enumerate(points)]
    raises(ValueError, lambda: tt.pareto_front(broken), mentions=[f"point {row}"])
    same(
        [tt.pareto_front([]), tt.pareto_front(points)],
        [[], unbeaten(points, 1)],
        what="pareto_front of none and of four",
    )


# ---- plot_row ---------------------------------------------------------------------------------------------


def at(columns, low, high, width, draw):
    """Samples that lie in these columns: the first ones left of their middle, the last ones right of it."""
    off = draw.rng.uniform(0.1, 0.3, len(columns)) * np.where(np.asarray(columns) < np.median(columns), -1, 1)
    return [float(v) for v in low + (high - low) * (np.asarray(columns) + off) / (width - 1)]


def drawn(columns, width, k):
    """The row of samples in these columns, all different; k is the rank of the interval's ends."""
    row = ["." if i in columns else " " for i in range(width)]
    ordered = sorted(columns)
    if k:
        row[ordered[k - 1] : ordered[-k] + 1] = "=" * (ordered[-k] + 1 - ordered[k - 1])
    row[ordered[len(columns) // 2]] = "o"
    return "".join(row)


@exercise("plot_row", points=2)
def test_plot_row_draws_samples_interval_and_median(tt, draw):
    """plot_row draws every sample, the interval of the median over them, and the median over that"""
    n, width = draw.choice([9, 11, 13]), int(draw.integers(30, 40))
    columns = [1 + int(c) for c in draw.permutation(width - 2)[:n]]
    low, high = 1.0, 1.0 + float(draw.positive(1)[0])
    x = at(columns, low, high, width, draw)
    same(
        tt.plot_row(tt.Measurement(x), low, high, width),
        drawn(columns, width, rank(n, 0.95)),
        what=f"plot_row of {n} samples, width {width}",
        smaller="plot_row(Measurement([0., 5., 10.]), 0., 10., width=11) is '.    o    .'",
    )


@exercise("plot_row", points=1)
def test_plot_row_draws_on_the_edge_what_lies_outside(tt, draw):
    """plot_row draws on its edges what lies outside the scale, and no interval of three samples"""
    width = int(draw.integers(15, 30))
    inside = int(draw.integers(2, width - 2))
    (x,) = at([inside], 0.01, 0.02, width, draw)
    far = float(draw.positive(1)[0])
    row = tt.plot_row(tt.Measurement([0.01 / (1 + far), x, far]), 0.01, 0.02, width)
    same(row, drawn([0, inside, width - 1], width, 0), what=f"plot_row with samples on both sides, width {width}")
    flat = tt.plot_row(tt.Measurement([far] * 3), far, far, width)
    same(flat, "o" + " " * (width - 1), what="plot_row of equal samples, on a scale from there to there")
