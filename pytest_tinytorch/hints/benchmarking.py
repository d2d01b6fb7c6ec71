"""Hints for module 19, benchmarking."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "Measurement.std": Ladder(
        ask=(
            "How far do 2, 4 and 9 lie from their mean? Square the three distances and add them up. What would a "
            "single sample give, and do you believe it?"
        ),
        idea=(
            "The mean is 5, the squares 9 + 1 + 16 = 26. Over n - 1 = 2 that is 13, and its root 3.61. A single "
            "sample lies at no distance from its own mean. That says nothing, so refuse it."
        ),
        algorithm=(
            "ValueError naming len(self) if len(self) < 2. away = self.samples - self.mean. Return "
            "math.sqrt(float((away**2).sum()) / (len(self) - 1)). The minus 1 stands below the fraction line, inside "
            "the root."
        ),
        smaller="Measurement([1., 3.]).std is 1.4142",
        lesson="What to say of many samples",
        proof="""
        >>> round(Measurement([2.0, 4.0, 9.0]).std, 2), round(Measurement([1.0, 3.0]).std, 4)
        (3.61, 1.4142)
        """,
    ),
    "Measurement.confidence_interval": Ladder(
        ask=(
            "Six coins are tossed. How likely is it that none shows heads? Now read *heads* as *this sample lies "
            "below the true median*. What does it mean for the smallest sample, if none does?"
        ),
        idea=(
            "1/64 = 0.0156. Then all samples, the smallest too, lie above the true median, and an interval that "
            "begins at the smallest has missed it. With 9 samples fewer than two lie below with 10/512 = 0.0195, "
            "still under 0.025, so the interval may begin at the second."
        ),
        algorithm=(
            "out = tail(level); ValueError naming n if n < fewest(level). k = 0 and below = 1, the one case without "
            "any sample below. While below / 2**n <= out: k += 1; below += math.comb(n, k). Then ordered = "
            "np.sort(self.samples), and the two ends are ordered[k - 1] and ordered[n - k], as floats."
        ),
        smaller="of 1, 2, ..., 9 the interval is (2.0, 8.0)",
        lesson="How far to trust a median",
        proof="""
        >>> Measurement(np.arange(1, 10)).confidence_interval()
        (2.0, 8.0)
        >>> round(1 / 64, 4), round(10 / 512, 4), round((1 - 0.95) / 2, 4)
        (0.0156, 0.0195, 0.025)
        """,
    ),
    "Benchmark.sample": Ladder(
        ask=(
            "Your stopwatch shows 10 when you press it and 16 after three laps. How long is a lap? What would you "
            "have measured if you had read the watch in every lap?"
        ),
        idea=(
            "(16 - 10) / 3 = 2.0. Read the clock once before all calls and once after them. Looking up self.fn and "
            "self.calls takes time as well, so do it before the first reading. The clock is self.clock, whatever that "
            "is."
        ),
        algorithm=(
            "fn, calls = self.fn, self.calls. start = self.clock(). for _ in range(calls): fn(). Return (self.clock() "
            "- start) / calls. No try: whatever fn raises is the caller's."
        ),
        smaller="3 calls while the clock goes from 10.0 to 16.0 give 2.0",
        lesson="One good sample",
        proof="""
        >>> readings = iter([10.0, 16.0])
        >>> benchmark = Benchmark(lambda: None, clock=lambda: next(readings))
        >>> benchmark.calls = 3
        >>> benchmark.sample()
        2.0
        """,
    ),
    "Benchmark.prepare": Ladder(
        ask=(
            "A clock shows whole seconds, and a call takes a third of one. What does one call seem to take? And what "
            "do 16 calls together, if the clock goes on by 5?"
        ),
        idea=(
            "One call takes 0 or 1 by that clock, both useless; 16 calls give 5/16 = 0.31. The longer the sample, the "
            "less a step of the clock counts. Double the calls until a sample takes min_time. sample() gives seconds "
            "per call, so multiply."
        ),
        algorithm=(
            "for _ in range(self.warmup): self.fn(). self.calls = 1. while self.sample() * self.calls < "
            "self.min_time: if self.calls >= MOST_CALLS, raise RuntimeError naming self.calls; otherwise self.calls "
            "*= 2."
        ),
        smaller="calls of 1 s and min_time=5 make samples of 8 calls",
        lesson="One good sample",
        proof="""
        >>> now = [0]
        >>> def work():
        ...     now[0] += 1
        >>> benchmark = Benchmark(work, clock=lambda: now[0], min_time=5)
        >>> benchmark.prepare()
        >>> benchmark.calls, round(5 / 16, 2)
        (8, 0.31)
        """,
    ),
    "Benchmark.run": Ladder(
        ask=(
            "Somebody wants the median to 2 %, and 20 samples give it to 3 %. What do you do, and when do you ask "
            "again? What if the function is so restless that 2 % are out of reach?"
        ),
        idea=(
            "Take one more sample and ask again. relative_error() of the samples so far is the 3 % of the question, "
            "and inf as long as there are too few for an interval. max_repeats ends it where precision never comes."
        ),
        algorithm=(
            "self.prepare(). samples = [self.sample() for _ in range(self.repeats)]. If self.precision is not None: "
            "while len(samples) < self.max_repeats and Measurement(samples).relative_error() > self.precision: append "
            "self.sample(). Return Measurement(samples, self.name)."
        ),
        smaller="Benchmark(work, repeats=7).run() holds 7 samples",
        lesson="How far to trust a median",
        proof="""
        >>> len(Benchmark(lambda: None, repeats=7).run())
        7
        """,
    ),
    "interleave": Ladder(
        ask=(
            "A laptop throttles down while you measure: every call takes 1 % longer than the one before it. You take "
            "20 samples of A and then 20 of an equal B. How much slower does B look? And if A and B take turns?"
        ),
        idea=(
            "20 calls later is about 20 % slower, for nothing. Taking turns, B is one call later: 1 %. And if it is "
            "drawn by lot who begins, that is gone on average, too. Keep a list of samples for each, and put every "
            "sample into its own."
        ),
        algorithm=(
            "ValueError naming repeats if it is below 1. rng = np.random.default_rng(seed). prepare() each benchmark. "
            "samples = [[] for _ in benchmarks]. In each of repeats rounds: for i in rng.permutation(len(benchmarks)): "
            "samples[i].append(benchmarks[i].sample()). Return a Measurement(own, benchmark.name) for each."
        ),
        smaller="interleave([one, two], repeats=3) gives two measurements of 3 samples",
        lesson="Side by side",
        proof="""
        >>> one, two = Benchmark(lambda: None), Benchmark(lambda: None)
        >>> [len(m) for m in interleave([one, two], repeats=3)]
        [3, 3]
        """,
    ),
    "rank_test": Ladder(
        ask=(
            "Old: 3 and 5. New: 1, 2 and 3. Sort all five and give them places from 1, the two equal ones their "
            "average. What do the places of the old ones add up to, and what is the least that two places can?"
        ),
        idea=(
            "1, 2, 3.5, 3.5, 5: the old ones have 3.5 + 5 = 8.5, the least is 1 + 2 = 3, so U = 5.5 of at most 6. By "
            "lot it would be 3. How many standard deviations that is off, and how rare that is, say z and erfc."
        ),
        algorithm=(
            "both = np.concatenate([old.samples, new.samples]). counts by np.unique(both, return_counts=True)[1]. "
            "Return 1.0 if len(counts) == 1. R = ranks(both)[:n].sum(). Then line by line as in the "
            "docstring, with max(abs(U - n * m / 2) - 0.5, 0) above the root. Return math.erfc(z / math.sqrt(2))."
        ),
        smaller="samples 1, ..., 6 against 7, ..., 12 give p = 0.0051",
        lesson="Is it luck?",
        proof="""
        >>> round(rank_test(Measurement(np.arange(1, 7)), Measurement(np.arange(7, 13))), 4)
        0.0051
        >>> tinytorch.benchmarking.ranks(np.array([3, 5, 1, 2, 3])).tolist()
        [3.5, 5.0, 1.0, 2.0, 3.5]
        >>> 3.5 + 5, 3.5 + 5 - 3, 0.5
        (8.5, 5.5, 0.5)
        """,
    ),
    "bootstrap_speedup": Ladder(
        ask=(
            "Write your eight samples of old on slips, and your six of new. Draw eight times from the old ones, each "
            "time putting the slip back. What do you get from a thousand such draws of both that one measurement does "
            "not give?"
        ),
        idea=(
            "A thousand speed-ups that might have been. Sorted, the middle 95 % of them are the interval: percentiles "
            "2.5 and 97.5. Draw whole tables at once, one row for each resample, and take the median of every row."
        ),
        algorithm=(
            "rng = np.random.default_rng(seed). before = np.median(rng.choice(old.samples, (resamples, len(old))), "
            "axis=1); after likewise from new. ratios = before / after. out = 100 * tail(level). Return "
            "the percentiles out and 100 - out of ratios.tolist()."
        ),
        smaller="of samples that are all 6.0, and all 4.0, it is (1.5, 1.5)",
        lesson="How much faster?",
        proof="""
        >>> bootstrap_speedup(Measurement([6.0] * 8), Measurement([4.0] * 6))
        (1.5, 1.5)
        >>> round(100 * tinytorch.benchmarking.tail(0.95), 1), round(100 - 2.5, 1)
        (2.5, 97.5)
        """,
    ),
    "compare": Ladder(
        ask=(
            "Old takes 6 seconds and new takes 4. Which of 6/4 and 4/6 is a speed-up? Its interval goes from 0.9 to "
            "1.9: has anything been shown? And if it went from 0.4 to 0.8?"
        ),
        idea=(
            "6/4 = 1.5. An interval with 1 in it leaves it open who is faster; one from 0.4 to 0.8 shows that new is "
            "slower, which is a difference as well. Significant is: p below 1 - level, and 1 not inside."
        ),
        algorithm=(
            "check_comparable(old, new, level). low, high = bootstrap_speedup(old, new, level, resamples, seed). "
            "p_value = rank_test(old, new). significant = p_value < 1 - level and not low <= 1 <= high. Return "
            "Comparison(old.median / new.median, (low, high), p_value, significant, level)."
        ),
        smaller="of samples that are all 6.0, and all 4.0, the speed-up is 1.5",
        lesson="How much faster?",
        proof="""
        >>> compare(Measurement([6.0] * 8), Measurement([4.0] * 6)).speedup
        1.5
        >>> [low <= 1 <= high for low, high in ((0.9, 1.9), (0.4, 0.8))]
        [True, False]
        """,
    ),
    "geometric_mean": Ladder(
        ask=(
            "A change makes one model twice as fast and another half as fast. What is the fair summary? Exchange old "
            "and new, so that 2 and 1/2 change places: what must the summary do?"
        ),
        idea=(
            "1, and stay 1. Factors are put together by multiplying: 2 * 1/2 = 1, and the root of it. log turns the "
            "product into a sum and the root into a mean: exp((log 2 + log 0.5) / 2) = 1.0."
        ),
        algorithm=(
            "array = np.asarray(ratios, dtype=np.float64). ValueError naming array.tolist() if array.size is 0, or "
            "not all of them are above 0 and finite (nan is neither: ask `array > 0` and np.isfinite). Return "
            "math.exp(float(np.log(array).mean()))."
        ),
        smaller="geometric_mean([2., 8.]) is 4.0",
        lesson="What is worth choosing",
        proof="""
        >>> round(geometric_mean([2.0, 8.0]), 6), round(math.exp((math.log(2) + math.log(0.5)) / 2), 6)
        (4.0, 1.0)
        """,
    ),
    "pareto_front": Ladder(
        ask=(
            "Three phones: 100 g for 900, 150 g for 300, 160 g for 400. Which one would nobody buy, whatever matters "
            "more to them? What if a fourth one had the numbers of the second?"
        ),
        idea=(
            "The third: the second one is lighter and cheaper. The fourth one stays with the second, for neither "
            "beats the other: not worse anywhere is not enough, it takes better somewhere. Where more is better, "
            "change the sign first."
        ),
        algorithm=(
            "[] if there are no points. costs = as_points(points); costs[:, list(maximize)] *= -1. For each row own "
            "with its number i: beats = (costs <= own).all(axis=1) & (costs < own).any(axis=1), one answer for each "
            "row; keep i if not beats.any(). The row itself is never below itself, so it needs no exception."
        ),
        smaller="pareto_front([(1, 2), (2, 1), (2, 2)]) is [0, 1]",
        lesson="What is worth choosing",
        proof="""
        >>> pareto_front([(1, 2), (2, 1), (2, 2)]), pareto_front([(100, 900), (150, 300), (160, 400), (150, 300)])
        ([0, 1], [0, 1, 3])
        """,
    ),
    "plot_row": Ladder(
        ask=(
            "A scale from 0 to 10 has 11 columns. In which column is 5.2? Which samples would be written over each "
            "other, and in which order must you draw so that the median stays to be seen?"
        ),
        idea=(
            "In column 5: eleven columns have ten steps, and round finds the nearest. Draw what matters most last: "
            "dots, then the interval, then the median. A list of characters can be written into; join makes it a "
            "string. Cut the share to 0 to 1 before rounding."
        ),
        algorithm=(
            "A helper column(x): share = (x - low) / (high - low), or 0 where that is 0 below; round(min(max(share, "
            "0), 1) * (width - 1)). row = [' '] * width. '.' at every sample. If measurement.relative_error() < "
            "math.inf: '=' from column to column of confidence_interval(), both included. 'o' at measurement.median. "
            "''.join(row)."
        ),
        smaller="plot_row(Measurement([0., 5., 10.]), 0., 10., width=11) is '.    o    .'",
        lesson="Telling it",
        proof="""
        >>> plot_row(Measurement([0.0, 5.0, 10.0]), 0.0, 10.0, width=11), round(5.2 / 10 * 10)
        ('.    o    .', 5)
        """,
    ),
}
