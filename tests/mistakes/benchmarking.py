"""Usual mistakes in module 19."""

from __future__ import annotations

from tests.mistakes import Mistaken

STD = "return math.sqrt(float((away**2).sum()) / (len(self) - 1))"
ENDS = "return float(ordered[k - 1]), float(ordered[n - k])"
MISSED = "        while below / 2**n <= out:\n"
TIMED = (
    "        start = self.clock()\n        for _ in range(calls):\n            fn()\n"
    "        return (self.clock() - start) / calls\n"
)
WARM = "        for _ in range(self.warmup):\n            self.fn()\n        self.calls = 1\n"
LONG_ENOUGH = "while self.sample() * self.calls < self.min_time:"
GIVE_UP = "            if self.calls >= MOST_CALLS:\n"
FIRST = "        samples = [self.sample() for _ in range(self.repeats)]\n"
GO_ON = "while len(samples) < self.max_repeats and Measurement(samples).relative_error() > self.precision:"
ROUNDS = (
    "    for _ in range(repeats):\n        for i in rng.permutation(len(benchmarks)):\n"
    "            samples[i].append(benchmarks[i].sample())\n"
)
PREPARED = "    for benchmark in benchmarks:\n        benchmark.prepare()\n"
Z = "z = max(abs(u - n * m / 2) - 0.5, 0.0) / math.sqrt(variance)"
TIES = "ties = float((counts**3 - counts).sum()) / ((n + m) * (n + m - 1))"
WITNESSES = "significant = p_value < 1 - level and not low <= 1 <= high"
RESAMPLED = "ratios, out = (before / after).tolist(), 100 * tail(level)"
BEATS = "beats = (costs <= own).all(axis=1) & (costs < own).any(axis=1)"
TURNED = "    costs[:, list(maximize)] *= -1\n"

MISTAKES = [
    # ---- Measurement.std
    Mistaken(
        name="divided by n",
        exercise="Measurement.std",
        replace=STD,
        by="return math.sqrt(float((away**2).sum()) / len(self))",
        caught_by="test_std_divides_by_one_less",
        says="divided by n",
    ),
    Mistaken(
        name="variance for deviation",
        exercise="Measurement.std",
        replace=STD,
        by="return float((away**2).sum()) / (len(self) - 1)",
        caught_by="test_std_divides_by_one_less",
        says="this is the variance",
    ),
    Mistaken(
        name="error of the mean",
        exercise="Measurement.std",
        replace=STD,
        by="return math.sqrt(float((away**2).sum()) / (len(self) - 1) / len(self))",
        caught_by="test_std_divides_by_one_less",
        says="error of the mean",
    ),
    Mistaken(
        name="deviation of one sample",
        exercise="Measurement.std",
        replace="        if len(self) < 2:\n            raise",
        by="        if len(self) < 1:\n            raise",
        caught_by="test_std_of_one_sample_is_refused",
    ),
    # ---- Measurement.confidence_interval
    Mistaken(
        name="interval of single samples",
        exercise="Measurement.confidence_interval",
        replace=ENDS,
        by="return self.mean - 1.96 * self.std, self.mean + 1.96 * self.std",
        caught_by="test_interval_of_the_median_ends_at_two_samples",
        says="this is where single samples lie",
    ),
    Mistaken(
        name="interval of the mean",
        exercise="Measurement.confidence_interval",
        replace=ENDS,
        by="return self.mean - 1.96 * self.std / n**0.5, self.mean + 1.96 * self.std / n**0.5",
        caught_by="test_interval_of_the_median_ends_at_two_samples",
        says="this is an interval of the mean",
    ),
    Mistaken(
        name="both tails on each side",
        exercise="Measurement.confidence_interval",
        replace=MISSED,
        by="        while below / 2**n <= 2 * out:\n",
        caught_by="test_interval_of_the_median_ends_at_two_samples",
        says="Half of what may be missed",
    ),
    Mistaken(
        name="percentiles for an interval",
        exercise="Measurement.confidence_interval",
        replace=ENDS,
        by="return self.percentile(100 * out), self.percentile(100 - 100 * out)",
        caught_by="test_interval_of_the_median_ends_at_two_samples",
        says="95 % of the samples lie",
    ),
    Mistaken(
        name="ends counted from nought",
        exercise="Measurement.confidence_interval",
        replace=ENDS,
        by="return float(ordered[max(k - 2, 0)]), float(ordered[min(n - k + 1, n - 1)])",
        caught_by="test_interval_of_the_median_ends_at_two_samples",
        says="one sample too wide",
    ),
    Mistaken(
        name="one level for all",
        exercise="Measurement.confidence_interval",
        replace=MISSED,
        by="        while below / 2**n <= 0.025:\n",
        caught_by="test_interval_of_another_level",
        says="every level has the interval of 0.95",
    ),
    Mistaken(
        name="cases that no float holds",
        exercise="Measurement.confidence_interval",
        replace=MISSED,
        by="        while float(below) / 2.0**n <= out:\n",
        caught_by="test_interval_of_very_many_samples",
    ),
    # ---- Benchmark.sample
    Mistaken(
        name="one call, divided by all",
        exercise="Benchmark.sample",
        replace=TIMED,
        by="        start = self.clock()\n        fn()\n        return (self.clock() - start) / calls\n",
        caught_by="test_a_sample_is_seconds_per_call",
        says="called once, and divided by all calls",
    ),
    Mistaken(
        name="seconds of the whole batch",
        exercise="Benchmark.sample",
        replace="        return (self.clock() - start) / calls\n",
        by="        return self.clock() - start\n",
        caught_by="test_a_sample_is_seconds_per_call",
        says="Divide by self.calls",
    ),
    Mistaken(
        name="nothing timed",
        exercise="Benchmark.sample",
        replace=TIMED,
        by="        for _ in range(calls):\n            fn()\n        start = self.clock()\n"
        "        return (self.clock() - start) / calls\n",
        caught_by="test_a_sample_is_seconds_per_call",
        says="nothing was timed",
    ),
    Mistaken(
        name="a clock of its own",
        exercise="Benchmark.sample",
        replace=TIMED,
        by=TIMED.replace("self.clock", "time.perf_counter"),
        caught_by="test_a_sample_is_seconds_per_call",
    ),
    Mistaken(
        name="clock read for every call",
        exercise="Benchmark.sample",
        replace=TIMED,
        by="        took = 0.0\n        for _ in range(calls):\n            start = self.clock()\n            fn()\n"
        "            took += self.clock() - start\n        return took / calls\n",
        caught_by="test_a_sample_is_seconds_per_call",
    ),
    Mistaken(
        name="errors swallowed",
        exercise="Benchmark.sample",
        replace="        for _ in range(calls):\n            fn()\n",
        by="        for _ in range(calls):\n            try:\n                fn()\n            except Exception:\n"
        "                break\n",
        caught_by="test_errors_of_the_function_go_on",
    ),
    Mistaken(
        name="a result that is cached",
        exercise="Benchmark.sample",
        replace=TIMED,
        by='        if not hasattr(self, "known"):\n'
        "            start = self.clock()\n            for _ in range(calls):\n                fn()\n"
        "            self.known = (self.clock() - start) / calls\n"
        "        return self.known\n",
        caught_by="test_a_sample_by_the_real_clock",
    ),
    # ---- Benchmark.prepare
    Mistaken(
        name="no warm-up",
        exercise="Benchmark.prepare",
        replace=WARM,
        by="        self.calls = 1\n",
        caught_by="test_warm_up_comes_before_any_measuring",
        says="the clock is read before any warm-up",
    ),
    Mistaken(
        name="one call is a sample",
        exercise="Benchmark.prepare",
        replace=f"        {LONG_ENOUGH}\n",
        by="        while False:\n",
        caught_by="test_warm_up_comes_before_any_measuring",
    ),
    Mistaken(
        name="calls go on from what they were",
        exercise="Benchmark.prepare",
        replace=WARM,
        by=WARM.replace("        self.calls = 1\n", ""),
        caught_by="test_warm_up_comes_before_any_measuring",
    ),
    Mistaken(
        name="seconds of one call against min_time",
        exercise="Benchmark.prepare",
        replace=LONG_ENOUGH,
        by="while self.calls < 64 and self.sample() < self.min_time:",
        caught_by="test_warm_up_comes_before_any_measuring",
    ),
    Mistaken(
        name="a clock that stands still is asked for ever",
        exercise="Benchmark.prepare",
        replace=GIVE_UP,
        by="            if self.calls >= 2**14:\n                break\n            if False:\n",
        caught_by="test_a_clock_that_stands_still_is_refused",
    ),
    # ---- Benchmark.run
    Mistaken(
        name="warm-up among the samples",
        exercise="Benchmark.run",
        replace="        self.prepare()\n" + FIRST,
        by="        samples = [self.sample() for _ in range(self.repeats)]\n",
        caught_by="test_run_keeps_as_many_samples_as_asked",
        says="the warm-up is among the samples",
    ),
    Mistaken(
        name="samples sorted",
        exercise="Benchmark.run",
        replace="return Measurement(samples, self.name)",
        by="return Measurement(sorted(samples), self.name)",
        caught_by="test_run_keeps_as_many_samples_as_asked",
        says="the samples are sorted",
    ),
    Mistaken(
        name="precision that makes no difference",
        exercise="Benchmark.run",
        replace="        if self.precision is not None:\n            while",
        by="        if False:\n            while",
        caught_by="test_run_goes_on_until_the_median_is_known",
        says="precision makes no difference",
    ),
    Mistaken(
        name="one sample beyond the limit",
        exercise="Benchmark.run",
        replace=GO_ON,
        by=GO_ON.replace("< self.max", "<= self.max"),
        caught_by="test_run_ends_at_its_limit",
        says="one sample too many",
    ),
    Mistaken(
        name="the whole interval for half of it",
        exercise="Benchmark.run",
        replace=GO_ON,
        by=GO_ON.replace("relative_error()", "relative_error() * 2"),
        caught_by="test_run_goes_on_until_the_median_is_known",
    ),
    # ---- interleave
    Mistaken(
        name="measured in blocks",
        exercise="interleave",
        replace=ROUNDS,
        by="    for i in range(len(benchmarks)):\n        for _ in range(repeats):\n"
        "            samples[i].append(benchmarks[i].sample())\n",
        caught_by="test_rounds_have_one_sample_of_each",
        says="one after the other",
    ),
    Mistaken(
        name="always the same order",
        exercise="interleave",
        replace="for i in rng.permutation(len(benchmarks)):",
        by="for i in range(len(benchmarks)):",
        caught_by="test_nobody_is_always_first",
        says="every round has the same order",
    ),
    Mistaken(
        name="samples in the order drawn",
        exercise="interleave",
        replace=ROUNDS,
        by="    order = [2, 0, 1] if len(benchmarks) == 3 else [1, 0]\n    for _ in range(repeats):\n"
        "        for place, i in enumerate(order):\n            samples[place].append(benchmarks[i].sample())\n",
        caught_by="test_rounds_have_one_sample_of_each",
        says="to the wrong function",
    ),
    Mistaken(
        name="nobody prepared",
        exercise="interleave",
        replace=PREPARED,
        by="",
        caught_by="test_rounds_have_one_sample_of_each",
    ),
    # ---- rank_test
    Mistaken(
        name="one direction",
        exercise="rank_test",
        replace="return math.erfc(z / math.sqrt(2))",
        by="return math.erfc(z / math.sqrt(2)) / 2",
        caught_by="test_rank_test_counts_pairs",
        says="one direction only",
    ),
    Mistaken(
        name="no step of one half",
        exercise="rank_test",
        replace=Z,
        by="z = abs(u - n * m / 2) / math.sqrt(variance)",
        caught_by="test_rank_test_counts_pairs",
        says="the 1/2 is missing",
    ),
    Mistaken(
        name="erf for erfc",
        exercise="rank_test",
        replace="return math.erfc(z / math.sqrt(2))",
        by="return math.erf(z / math.sqrt(2))",
        caught_by="test_rank_test_counts_pairs",
        says="this is 1 - p",
    ),
    Mistaken(
        name="ties forgotten",
        exercise="rank_test",
        replace=TIES,
        by="ties = 0.0",
        caught_by="test_rank_test_shares_places_of_ties",
        says="the variance has no T",
    ),
    Mistaken(
        name="nothing to sort",
        exercise="rank_test",
        replace="    if len(counts) == 1:\n        return 1.0\n",
        by="",
        caught_by="test_rank_test_of_equal_samples",
    ),
    # ---- bootstrap_speedup
    Mistaken(
        name="both tails of the bootstrap on each side",
        exercise="bootstrap_speedup",
        replace=RESAMPLED,
        by="ratios, out = (before / after).tolist(), 100 * (1 - level)",
        caught_by="test_bootstrap_interval_leaves_out_its_tails",
    ),
    Mistaken(
        name="new over old, resampled",
        exercise="bootstrap_speedup",
        replace=RESAMPLED,
        by="ratios, out = (after / before).tolist(), 100 * tail(level)",
        caught_by="test_bootstrap_interval_leaves_out_its_tails",
    ),
    Mistaken(
        name="drawn without putting back",
        exercise="bootstrap_speedup",
        replace="rng.choice(m.samples, (resamples, len(m)))",
        by="rng.permuted(np.tile(m.samples, (resamples, 1)), axis=1)",
        caught_by="test_bootstrap_interval_leaves_out_its_tails",
    ),
    Mistaken(
        name="means for medians",
        exercise="bootstrap_speedup",
        replace="(np.median(rng.choice(m.samples, (resamples, len(m))), axis=1) for m in (old, new))",
        by="(rng.choice(m.samples, (resamples, len(m))).mean(axis=1) for m in (old, new))",
        caught_by="test_bootstrap_interval_leaves_out_its_tails",
    ),
    Mistaken(
        name="a seed that makes no difference",
        exercise="bootstrap_speedup",
        replace="    rng = np.random.default_rng(seed)\n    before, after",
        by="    rng = np.random.default_rng(0)\n    before, after",
        caught_by="test_bootstrap_repeats_with_its_seed",
    ),
    # ---- compare
    Mistaken(
        name="new over old",
        exercise="compare",
        replace="Comparison(old.median / new.median,",
        by="Comparison(new.median / old.median,",
        caught_by="test_compare_is_old_over_new",
        says="the ratio is upside down",
    ),
    Mistaken(
        name="ratio of means",
        exercise="compare",
        replace="Comparison(old.median / new.median,",
        by="Comparison(old.mean / new.mean,",
        caught_by="test_compare_is_old_over_new",
        says="ratio of the means",
    ),
    Mistaken(
        name="the p-value alone",
        exercise="compare",
        replace=WITNESSES,
        by="significant = p_value < 1 - level",
        caught_by="test_significance_takes_two_witnesses",
        says="only the p-value was asked",
    ),
    Mistaken(
        name="the interval alone",
        exercise="compare",
        replace=WITNESSES,
        by="significant = not low <= 1 <= high",
        caught_by="test_significance_takes_two_witnesses",
        says="only the interval was asked",
    ),
    Mistaken(
        name="slower is no difference",
        exercise="compare",
        replace=WITNESSES,
        by="significant = p_value < 1 - level and low > 1",
        caught_by="test_significance_takes_two_witnesses",
        says="slower is a difference",
    ),
    Mistaken(
        name="five per cent at every level",
        exercise="compare",
        replace=WITNESSES,
        by="significant = p_value < 0.05 and not low <= 1 <= high",
        caught_by="test_small_is_what_the_level_says",
        says="compared with 0.05 at every level",
    ),
    Mistaken(
        name="a difference is whatever the medians say",
        exercise="compare",
        replace=WITNESSES,
        by="significant = abs(old.median / new.median - 1) > 0.01",
        caught_by="test_significance_takes_two_witnesses",
    ),
    # ---- geometric_mean
    Mistaken(
        name="arithmetic mean of speed-ups",
        exercise="geometric_mean",
        replace="return math.exp(float(np.log(array).mean()))",
        by="return float(array.mean())",
        caught_by="test_geometric_mean_of_speedups",
        says="this is the usual mean",
    ),
    Mistaken(
        name="square root for n-th",
        exercise="geometric_mean",
        replace="return math.exp(float(np.log(array).mean()))",
        by="return math.sqrt(array.prod())",
        caught_by="test_geometric_mean_of_speedups",
        says="the root is the square one",
    ),
    Mistaken(
        name="the product itself",
        exercise="geometric_mean",
        replace="return math.exp(float(np.log(array).mean()))",
        by="return float(array.prod() ** (1 / array.size))",
        caught_by="test_geometric_mean_of_very_many",
    ),
    # ---- pareto_front
    Mistaken(
        name="the worst points",
        exercise="pareto_front",
        replace=BEATS,
        by="beats = (costs >= own).all(axis=1) & (costs > own).any(axis=1)",
        caught_by="test_pareto_front_keeps_whom_nobody_beats",
        says="it is turned round here",
    ),
    Mistaken(
        name="equal points throw each other out",
        exercise="pareto_front",
        replace=BEATS,
        by="beats = (costs <= own).all(axis=1) & (np.arange(len(costs)) != i)",
        caught_by="test_pareto_front_keeps_whom_nobody_beats",
        says="equal points throw each other out",
    ),
    Mistaken(
        name="better in everything",
        exercise="pareto_front",
        replace=BEATS,
        by="beats = (costs < own).all(axis=1)",
        caught_by="test_pareto_front_keeps_whom_nobody_beats",
        says="worse in every number",
    ),
    Mistaken(
        name="maximize ignored",
        exercise="pareto_front",
        replace=TURNED,
        by="",
        caught_by="test_pareto_front_knows_where_more_is_better",
        says="maximize makes no difference",
    ),
    Mistaken(
        name="minimise and maximise exchanged",
        exercise="pareto_front",
        replace=TURNED,
        by="    chosen = list(maximize)\n    if chosen:\n        costs *= -1\n        costs[:, chosen] *= -1\n",
        caught_by="test_pareto_front_knows_where_more_is_better",
        says="minimise and maximise are exchanged",
    ),
    # ---- plot_row
    Mistaken(
        name="columns cut off",
        exercise="plot_row",
        replace="return round(min(max(share, 0.0), 1.0) * (width - 1))",
        by="return int(min(max(share, 0.0), 1.0) * (width - 1))",
        caught_by="test_plot_row_draws_samples_interval_and_median",
    ),
    Mistaken(
        name="interval without its last column",
        exercise="plot_row",
        replace='row[first : last + 1] = "=" * (last + 1 - first)',
        by='row[first:last] = "=" * (last - first)',
        caught_by="test_plot_row_draws_samples_interval_and_median",
    ),
    Mistaken(
        name="beyond the edge",
        exercise="plot_row",
        replace="return round(min(max(share, 0.0), 1.0) * (width - 1))",
        by="return round(share * (width - 1)) % width",
        caught_by="test_plot_row_draws_on_the_edge_what_lies_outside",
    ),
]
