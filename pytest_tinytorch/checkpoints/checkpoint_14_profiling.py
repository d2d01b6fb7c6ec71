"""Checkpoint 14: profiling."""

from __future__ import annotations

import itertools
import math

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, named, raises, same, same_array

HALF = "a multiply and an add were counted as one. They are two operations."
BYTES_OF_A_NUMBER = "every number was taken for 8 bytes. float32 has 4: ask nbytes."
WARM_UP_MEASURED = "the calls of the warm-up were measured, too. The samples begin after it."
FROM_THE_START = "all times count from the first look at the clock. Look again before each call."
NOTHING_TIMED = "no time passed between the two looks. The call belongs between them."
LAST_PLACE = "every wrapper knows the loop's last place only. functools.partial(around, place) keeps each place."
TOO_MUCH_COUNTED = "a block was noted with its layers' time as well, so that they count twice. Its self time is due."


# ---- what runs beside the student's code -----------------------------------------------------------------


def timed_calls(durations, warmup, repeats):
    """Samples and calls of measure_latency, where call number i takes durations[i] on a clock of our own."""
    now, calls = [64.0], []

    def clock():
        return now[0]

    def work(*args):
        now[0] += durations[len(calls) % len(durations)]
        calls.append(list(args))
        return len(calls)

    latency = tt.measure_latency(work, 7, "x", warmup=warmup, repeats=repeats, clock=clock)
    return type(latency.samples)(float(sample) for sample in latency.samples), calls


def default_calls():
    """How many calls and samples there are where nobody says how many."""
    calls = []
    latency = tt.measure_latency(calls.append, 1)
    return [len(calls), len(latency.samples)]


def real_calls(pauses, decorated):
    """What was measured with the real clock; for each call, how long it really took at least, and at most."""
    import time

    starts, ends = [], []

    def work():
        starts.append(time.perf_counter())
        time.sleep(pauses[len(ends) % len(pauses)])
        ends.append(time.perf_counter())

    first = time.perf_counter()
    if decorated:
        step = tt.profile(work)
        for _ in pauses:
            step()
        samples = step.samples
    else:
        samples = tt.measure_latency(work, warmup=0, repeats=len(pauses)).samples
    last = time.perf_counter()
    inside = [end - start for start, end in zip(starts, ends, strict=True)]
    outside = [after - before for before, after in zip([first, *ends], [*starts[1:], last], strict=False)]
    return np.array([float(sample) for sample in samples]), np.array(inside), np.array(outside)


def failing_latency(number, good):
    """What becomes of an error in the call after `good` others, and how many calls were made."""
    calls = []

    def work():
        calls.append(1)
        if len(calls) > good:
            raise KeyError(number)

    try:
        tt.measure_latency(work, warmup=1, repeats=good + 3)
    except KeyError as error:
        return [int(error.args[0]), len(calls)]
    return [0, len(calls)]


def asked_latency(warmup, repeats):
    """How many samples measure_latency gives."""
    return len(tt.measure_latency(abs, -1, warmup=warmup, repeats=repeats).samples)


def decorated_calls(durations, values, name, doc):
    """Values, names and times of a decorated function."""
    now, left = [8.0], list(durations)

    def clock():
        return now[0]

    def work(a, *, b):
        now[0] += left.pop(0)
        return 10 * a + b

    work.__name__, work.__doc__ = name, doc
    step = tt.profile(clock=clock)(work)
    back = [step(a, b=b) for a, b in values]
    samples = [float(sample) for sample in step.samples]
    held = step.latency().samples
    return back, [step.__name__, step.__doc__], samples, type(held)(float(sample) for sample in held)


def decorated_bare(values):
    """What a function gives that was decorated without an argument, and how often it was noted."""
    calls = []

    def work(a, b=0):
        calls.append(a)
        return a - b

    step = tt.profile(work)
    return [step(a, b) for a, b in values], [step(a, b=b) for a, b in values], len(step.samples), len(calls)


def decorated_failure(durations, number):
    """What is noted of calls of which the middle one raises, and what became of the error."""
    now, done = [8.0], []

    def clock():
        return now[0]

    def work():
        now[0] += durations[len(done)]
        done.append(1)
        if len(done) == 2:
            raise KeyError(number)

    step, said = tt.profile(work, clock=clock), []
    for _ in durations:
        try:
            step()
        except KeyError as error:
            said.append(int(error.args[0]))
    return said, [float(sample) for sample in step.samples]


def two_decorated(first, second):
    """The samples of two functions that were called in turns."""
    now = [0.0]

    def clock():
        return now[0]

    def wait(seconds):
        now[0] += seconds

    one, two = tt.profile(wait, clock=clock), tt.profile(wait, clock=clock)
    for a, b in zip(first, second, strict=True):
        one(a)
        two(b)
    return [float(sample) for sample in one.samples], [float(sample) for sample in two.samples]


def allocated(temporary, kept, earlier, tracing):
    """Bytes that measure_memory sees of a call, in turn 'peak' and 'kept'; whether tracing is on before and after."""
    import tracemalloc

    def work(a, b):
        first = np.ones(a, np.uint8)
        second = np.ones(b, np.uint8)
        del first
        return second

    measure, theirs = tt.measure_memory, tracemalloc.is_tracing()  # importing it takes memory, too
    if tracing and not theirs:
        tracemalloc.start()
    try:
        held = np.ones(earlier, np.uint8)
        bytes(4 * (temporary + kept))
        before = tracemalloc.is_tracing()
        memory = measure(work, temporary, kept)
        after = tracemalloc.is_tracing()
        del held
    finally:
        if tracemalloc.is_tracing() and not theirs:
            tracemalloc.stop()
    return [int(memory.peak), int(memory.kept)], [before, after]


def failed_allocation(number):
    """What became of an error of the function, whether tracing went on unasked, and how often it was called."""
    import tracemalloc

    calls = []

    def work(n):
        calls.append(n)
        raise KeyError(n)

    before = tracemalloc.is_tracing()
    try:
        tt.measure_memory(work, number)
    except KeyError as error:
        said = int(error.args[0])
    else:
        said = 0
    after = tracemalloc.is_tracing()
    if after and not before:
        tracemalloc.stop()
    return [said, after == before, *calls]


def owner(parameters, frozen, buffers, dtypes):
    """A module with parameters of these sizes, frozen ones, and buffers; each with its dtype."""

    def made(size):
        return tt.zeros(size, dtype=dtypes[size % len(dtypes)])

    class Owner(tt.Module):
        def __init__(self):
            super().__init__()
            for i, size in enumerate(parameters):
                setattr(self, f"p{i}", tt.Parameter(made(size), dtype=dtypes[size % len(dtypes)]))
            for i, size in enumerate(frozen):
                setattr(self, f"f{i}", tt.Parameter(made(size), False, dtypes[size % len(dtypes)]))
            for i, size in enumerate(buffers):
                self.register_buffer(f"b{i}", made(size))

    return [int(tt.count_parameters(Owner())), int(tt.weight_bytes(Owner()))]


def shared(i, o):
    """Numbers and bytes of a model that uses one layer twice, and one weight in two layers."""
    a, b = tt.Linear(i, i), tt.Linear(i, o)
    c = tt.Linear(i, o)
    c.weight = b.weight
    model = tt.Sequential(a, a, b)
    model.other = c
    return [int(tt.count_parameters(model)), int(tt.weight_bytes(model))]


def convolution(weight, bias, x, y):
    """The FLOPs of a layer that looks like a convolution with a weight of this shape."""
    layer = tt.Module()
    layer.out_channels, layer.in_channels, *window = weight
    layer.kernel_size, layer.stride, layer.padding = tuple(window), (1, 1), (0, 0)
    layer.weight = tt.Parameter(tt.zeros(*weight))
    layer.bias = tt.Parameter(tt.zeros(weight[0])) if bias else None
    return int(tt.profiling.conv2d_flops(layer, tt.zeros(*y), tt.zeros(*x)))


def norm(shape, options, x):
    """The FLOPs of a LayerNorm for inputs of this shape."""
    return int(tt.profiling.layer_norm_flops(tt.LayerNorm(shape, **options), tt.zeros(*x), tt.zeros(*x)))


def attention(width, heads, query, key, masks):
    """The FLOPs of attention with these heads between inputs of these shapes."""
    layer = tt.Module()
    layer.num_heads, layer.embed_dim = heads, width
    for name in ("query", "key", "value", "out"):
        setattr(layer, name, tt.Linear(width, width))
    inputs = [tt.zeros(*query)] if key is None else [tt.zeros(*query), tt.zeros(*key)]
    return int(tt.profiling.attention_flops(layer, tt.zeros(*query), *inputs, **masks))


def seen(tree, x, factor):
    """What `around` sees in a model of nested layers, each of which multiplies; what comes out; what remains.

    A tree is a number (a layer that multiplies with it) or a list of trees (layers in a row).
    """

    class Scale(tt.Module):
        def __init__(self, by):
            super().__init__()
            self.by = by

        def forward(self, x):
            return x * self.by

    def build(tree):
        return tt.Sequential([build(part) for part in tree]) if isinstance(tree, list) else Scale(tree)

    model, story = build(tree), []

    def around(place, x):
        y = place.call(x)
        story.append([place.name, float(x.data.sum()), float(y.data.sum())])
        return y * factor

    start = tt.tensor(x)
    with tt.profiling.watched(model, around):
        inside = model(start)
    met = len(story)
    outside = model(start)
    return story[:met], inside.data, outside.data, len(story) - met


def seen_keywords(a, b):
    """What a layer gets through a wrapper when it is called with a keyword."""

    class Add(tt.Module):
        def forward(self, x, *, other):
            return x + other

    model, seen = Add(), []

    def around(place, *args, **kwargs):
        seen.extend(kwargs)
        return place.call(*args, **kwargs)

    with tt.profiling.watched(model, around):
        y = model(tt.tensor(a), other=tt.tensor(b))
    return seen, y.data


def seen_before_error(number, good, x):
    """What remains of the wrappers when a layer raises, or the block does: (what it said, calls seen later)."""

    class Fragile(tt.Module):
        def forward(self, x):
            if broken:
                raise KeyError(number)
            return x * 2

    model = tt.Sequential([tt.Identity() for _ in range(good)] + [Fragile()])
    broken, story, said = [], [], []

    def around(place, x):
        story.append(place.name)
        return place.call(x)

    for inside in (True, False):
        broken[:] = [1] * inside
        try:
            with tt.profiling.watched(model, around):
                model(tt.tensor(x))
                raise KeyError(number + 1)
        except KeyError as error:
            said.append(int(error.args[0]))
        broken.clear()
        before = len(story)
        after = model(tt.tensor(x)).data
        said.append(len(story) - before)
    return said, after


def seen_twice(x, times, name):
    """How many calls each of several watches of the same model sees; a layer that is a function is watched, too."""

    def double(x):
        return x * 2

    def around(place, x):
        story.append(place.name)
        return place.call(x)

    model, counts = tt.Sequential(tt.Identity(), double), []
    setattr(model, name, tt.Identity())
    for _ in range(times):
        story = []
        with tt.profiling.watched(model, around):
            y = model(tt.tensor(x))
        counts.append(list(story))
    return counts, y.data


def self_times(tree, x, rounds):
    """Seconds and calls by name, what is left in `inside`, and the output, for layers that take known times.

    A tree is (seconds, [trees inside]): such a layer takes half of its seconds before the layers inside it, half after.
    """
    now = [32.0]

    def clock():
        return now[0]

    class Slow(tt.Module):
        def __init__(self, seconds, inside):
            super().__init__()
            self.seconds = seconds
            for i, layer in enumerate(inside):
                setattr(self, f"part{i}", layer)

        def forward(self, x, shift=0.0):
            now[0] += self.seconds / 2
            for layer in self.children():
                x = layer(x, shift=1.0)
            now[0] += self.seconds / 2
            return x + shift

    def build(tree):
        return Slow(tree[0], [build(part) for part in tree[1]])

    model, watch = build(tree), tt.profiling.Stopwatch(clock)
    with tt.profiling.watched(model, watch):
        for _ in range(rounds):
            y = model(tt.tensor(x))
    names = [place.name for place in tt.profiling.places(model)]
    seconds = [float(watch.seconds.get(name, -1.0)) for name in names]
    return names, seconds, [int(watch.calls.get(name, 0)) for name in names], len(watch.inside), y.data


def self_times_with_errors(outer, inner, number):
    """Seconds of a block that overcomes an error of its layer, then fails itself; what `inside` holds at last."""
    now = [32.0]

    class Inner(tt.Module):
        def forward(self, x):
            now[0] += inner
            raise KeyError(number)

    class Outer(tt.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            now[0] += outer
            try:
                self.inner(x)
            except KeyError as error:
                raise IndexError(error.args[0] + 1) from None

    model, watch, said = Outer(), tt.profiling.Stopwatch(lambda: now[0]), 0
    try:
        with tt.profiling.watched(model, watch):
            model(tt.zeros(1))
    except IndexError as error:
        said = int(error.args[0])
    return [float(watch.seconds.get(name, -1.0)) for name in ("", "inner")], [said, len(watch.inside)]


def waiting(sizes, seconds, how, warmup, repeats):
    """What a Profiler says of Linear layers that take these times: one line of its table, or all of it.

    Returns what was asked for and how many times the model ran.
    """
    now, runs = [16.0], []

    class Slow(tt.Linear):
        def forward(self, x):
            now[0] += seconds[self.place]
            runs.append(self.place)
            return super().forward(x)

    layers = [Slow(sizes[n], sizes[n + 1]) for n in range(len(sizes) - 1)]
    for place, layer in enumerate(layers):
        layer.place = place
    profiler = tt.Profiler(tt.Sequential(layers), clock=lambda: now[0])
    x, options = tt.zeros(3, sizes[0]), {} if repeats is None else {"warmup": warmup, "repeats": repeats}
    if how == "bottleneck":
        line = profiler.bottleneck(x, **options)
        told = [line.name, line.kind, float(line.seconds), int(line.parameters), int(line.flops)]
    elif how == "report":
        told = profiler.report(x, **options).splitlines()[-1]
    else:
        told = [[line.name, float(line.seconds), int(line.flops)] for line in profiler.layers(x, **options)]
    return told, runs.count(0)


# ---- what the judge works out ------------------------------------------------------------------------------


def eighths(draw, count, low=1, high=25):
    """Times that add up exactly: multiples of 1/8, all different."""
    return [float(n) / 8 for n in draw.rng.permutation(np.arange(low, high))[:count]]


def some_of(draw, low, high):
    """The whole numbers from low on and below high, in random order."""
    return [int(n) for n in draw.rng.permutation(np.arange(low, high))]


def within(samples, pauses, low, high):
    """The samples, moved between what each call took at least and at most; the pauses, where one is missing."""
    complete = samples.shape == low.shape == high.shape == (len(pauses),)
    return np.clip(samples, low, high) if complete else np.array(pauses)


def flat(tree, name=""):
    """Names, own seconds and full seconds of a tree of (seconds, parts), parents first."""
    seconds, parts = tree
    inside = [line for i, part in enumerate(parts) for line in flat(part, f"{name}.part{i}" if name else f"part{i}")]
    direct = sum(whole for path, _, whole in inside if path.count(".") == (name.count(".") + 1 if name else 0))
    return [(name, seconds, seconds + direct), *inside]


def tracked(tree, x, factor, name=""):
    """What `around` sees of a tree of numbers, in order, and what comes out in the end."""
    story, y = [], x
    if isinstance(tree, list):
        for i, part in enumerate(tree):
            more, y = tracked(part, y, factor, f"{name}.{i}" if name else f"{i}")
            story += more
    else:
        y = x * tree
    return [*story, [name, float(x.sum()), float(y.sum())]], y * factor


# ---- percentile --------------------------------------------------------------------------------------------


@exercise("percentile", points=2)
def test_percentile_goes_on_towards_the_next_sample(tt, draw):
    """a percentile lies between the two samples around its position, in proportion"""
    n = int(draw.integers(4, 8))
    samples = eighths(draw, n)
    while samples == sorted(samples) or np.mean(samples) in samples:
        samples = eighths(draw, n)
    q = float(draw.choice([q for q in (10, 15, 35, 45, 60, 70) if q * (n - 1) % 100 and q * n % 100]))
    ordered, position = np.sort(samples), q / 100 * (n - 1)
    same(
        tt.profiling.percentile(samples, q),
        float(np.percentile(samples, q)),
        mistakes=[
            Mistake(float(np.interp(position, np.arange(n), samples)), "the samples were not sorted first."),
            Mistake(float(ordered[int(position)]), "the sample below was taken as it is. Go on towards the next one."),
            Mistake(float(ordered[min(int(position) + 1, n - 1)]), "the sample above was taken as it is."),
            Mistake(float(ordered[round(position)]), "the nearest sample was taken. Take from both, in proportion."),
            Mistake(float(np.interp(q / 100 * n, np.arange(n), ordered)), "n samples have the positions 0 to n - 1."),
            Mistake(float(np.interp(q / 100 * n - 1, np.arange(n), ordered)), "the position is q / 100 * (n - 1)."),
            Mistake(float(np.mean(samples)), "this is the mean."),
        ],
        smaller="percentile([0.0, 1.0], 25) is 0.25",
    )


@exercise("percentile", points=1)
def test_percentile_fifty_is_the_median(tt, draw):
    """percentile 50 is the median, which one slow run does not move"""
    usual, slow = eighths(draw, 2)
    samples = [usual] * 4
    samples.insert(int(draw.integers(0, 5)), slow + 96)
    same(
        tt.profiling.percentile(samples, 50),
        usual,
        mistakes=[Mistake(float(np.mean(samples)), "this is the mean. Sort, and take the one in the middle.")],
        smaller="percentile([1.0, 1.0, 1.0, 1.0, 96.0], 50) is 1.0",
    )
    even = eighths(draw, 4)
    same(tt.profiling.percentile(even, 50), float(np.median(even)))


@exercise("percentile", points=1)
def test_percentile_reaches_both_ends(tt, draw):
    """percentile 0 is the smallest sample and 100 the largest; one sample is every percentile"""
    samples, q = eighths(draw, int(draw.integers(3, 7))), float(draw.integers(1, 100))
    same(tt.profiling.percentile(samples, 0), min(samples))
    same(tt.profiling.percentile(samples, 100), max(samples))
    same(tt.profiling.percentile(samples[:1], q), samples[0])


def kept_samples(samples, q):
    """The percentile of a list, and the list afterwards."""
    given = list(samples)
    return float(tt.profiling.percentile(given, q)), given


def percentiles_or_errors(lists):
    """The median of each list, or the kind of error."""
    told = []
    for samples in lists:
        try:
            told.append(float(tt.profiling.percentile(samples, 50)))
        except ValueError:
            told.append("ValueError")
    return told


@exercise("percentile", points=1)
def test_percentile_leaves_the_samples_alone(lab, draw):
    """percentile changes nothing in the samples"""
    samples = sorted(eighths(draw, 5), reverse=True)
    value, after = lab(kept_samples, samples, 25)
    same(value, float(np.percentile(samples, 25)), what=f"percentile({samples}, 25)")
    same(
        after,
        samples,
        what="the samples afterwards",
        mistakes=[Mistake(sorted(samples), "the caller's list was sorted: sorted(samples) makes a new one.")],
    )


@exercise("percentile", points=1)
def test_percentile_refuses_what_has_none(tt, lab, draw):
    """percentile refuses an empty list, and a q outside 0 to 100"""
    samples, more = eighths(draw, 3), 100 + eighths(draw, 1, high=8)[0]
    raises(ValueError, lambda: tt.profiling.percentile(samples, more), mentions=[more])
    raises(ValueError, lambda: tt.profiling.percentile(samples, -more), mentions=[-more])
    same(
        lab(percentiles_or_errors, [samples, [], samples[1:]]),
        [float(np.median(samples)), "ValueError", float(np.median(samples[1:]))],
        what="the medians of three samples, of none, and of two",
    )


# ---- measure_latency ---------------------------------------------------------------------------------------


@exercise("measure_latency", points=3)
def test_latency_is_measured_call_by_call(lab, draw):
    """measure_latency notes how long each call takes, after the warm-up"""
    warmup, repeats = (int(n) for n in draw.sizes(2))
    durations = eighths(draw, warmup + repeats)
    samples, _ = lab(timed_calls, durations, warmup, repeats)
    due = durations[warmup:]
    same(
        samples,
        tuple(due),
        what=f"samples with warmup={warmup}, repeats={repeats}, where the calls take {durations}",
        mistakes=[
            Mistake(durations[:repeats], WARM_UP_MEASURED),
            Mistake(durations, WARM_UP_MEASURED),
            Mistake(list(np.cumsum(due)), FROM_THE_START),
            Mistake(list(np.cumsum(durations)), FROM_THE_START),
            Mistake([sum(due) / repeats] * repeats, "the mean stands for every call. Each call has its own time."),
            Mistake([sum(due) / repeats], "this is the mean. The samples themselves are asked for."),
            Mistake([sum(due)], "this is the sum of all calls."),
            Mistake([0.0] * repeats, NOTHING_TIMED),
            Mistake([-seconds for seconds in due], "the start was taken less the end."),
            Mistake(sorted(due), "the samples were sorted. Their order is that of the calls."),
        ],
        smaller="a clock that shows 10.0 and 10.5 around the only call gives samples (0.5,)",
    )


@exercise("measure_latency", points=2)
def test_latency_calls_anew_each_time(lab, draw):
    """measure_latency calls the function for each warm-up and each repeat, with the arguments"""
    warmup, repeats = (int(n) for n in draw.sizes(2))
    _, calls = lab(timed_calls, eighths(draw, 4), warmup, repeats)
    same(
        len(calls),
        warmup + repeats,
        what=f"calls with warmup={warmup}, repeats={repeats}",
        mistakes=[
            Mistake(repeats, "there was no warm-up."),
            Mistake(repeats + 1, "the warm-up was one call. It has a number of its own."),
            Mistake(warmup + 1, "one call was measured. There are as many as repeats."),
        ],
    )
    same(calls, [[7, "x"]] * (warmup + repeats), what="the arguments of each call")
    same(lab(default_calls), [22, 20], what="[calls, samples] of measure_latency(function)")


@exercise("measure_latency", points=2)
def test_latency_is_true_on_the_real_clock(lab, draw):
    """by the real clock, a call takes as long as it does"""
    pauses = [float(ms) / 1000 for ms in draw.rng.permutation(np.arange(2, 20, 4))[:3]]
    samples, inside, outside = lab(real_calls, pauses, False)
    same_array(
        samples,
        within(samples, pauses, inside, outside),
        dtype=np.float64,
        what=f"seconds measured, where the calls pause for {pauses}",
    )


@exercise("measure_latency", points=1)
def test_latency_lets_errors_through(lab, draw):
    """an error of the function ends the measurement and comes through"""
    number, good = int(draw.integers(10, 99)), int(draw.integers(2, 6))
    same(
        lab(failing_latency, number, good),
        [number, good + 1],
        what="[what the error said, calls made]",
        mistakes=[Mistake([0, good + 4], "the error was swallowed, and the failing call measured.")],
    )
    durations = eighths(draw, good)
    same(lab(timed_calls, durations, 0, good)[0], tuple(durations), what="samples of as many calls without an error")


@exercise("measure_latency", points=1)
def test_latency_refuses_no_repeats(lab, draw):
    """measure_latency refuses fewer than one repeat, and a warm-up below 0"""
    count = int(draw.integers(2, 9))
    raises(ValueError, lambda: lab(asked_latency, 0, -count), mentions=[-count])
    raises(ValueError, lambda: lab(asked_latency, -count, 1), mentions=[-count])
    raises(ValueError, lambda: lab(asked_latency, 0, 0), mentions=[0])
    same(lab(asked_latency, 0, count), count, what=f"samples with warmup=0, repeats={count}")


# ---- profile -----------------------------------------------------------------------------------------------


def decorated(lab, draw, count=4):
    """A decorated function at work: what was asked, what came back."""
    values = [[int(a), int(b)] for a, b in draw.integers(1, 9, count, 2)]
    durations = eighths(draw, count)
    name, doc = f"step_{draw.integers(10, 99)}", f"Text {draw.integers(10, 99)}."
    return values, durations, [name, doc], lab(decorated_calls, durations, values, name, doc)


@exercise("profile", points=2)
def test_profile_gives_the_value_back(lab, draw):
    """a decorated function gives back what it gave, for positional and keyword arguments"""
    values, _, _, (back, _, _, _) = decorated(lab, draw)
    same(
        back,
        [10 * a + b for a, b in values],
        what="the values of a decorated function",
        mistakes=[Mistake([None] * 4, "the decorated function gives None: return what the function returned.")],
        smaller="profile(abs)(-3) is 3",
    )
    first, second, _, calls = lab(decorated_bare, values)
    right = [a - b for a, b in values]
    same([first, second, calls], [right, right, 2 * len(values)], what="[f(a, b), f(a, b=b), calls], decorated bare")


@exercise("profile", points=2)
def test_profile_notes_each_call(lab, draw):
    """a decorated function notes how long each of its calls took"""
    _, durations, _, (_, _, samples, latency) = decorated(lab, draw)
    same(
        samples,
        durations,
        what=f"step.samples, where the calls take {durations}",
        mistakes=[
            Mistake(durations[-1:], "the last call pushed out those before it. Append to a list."),
            Mistake(list(np.cumsum(durations)), "the times were added up. Each call has its own."),
            Mistake([0.0] * len(durations), NOTHING_TIMED),
            Mistake([-seconds for seconds in durations], "the start was taken less the end."),
            Mistake([sum(durations)], "the times were added up. Each call has its own."),
        ],
        smaller="a clock that shows 10.0 and 10.5 around the only call gives [0.5]",
    )
    same(latency, tuple(durations), what="step.latency().samples")


@exercise("profile", points=1)
def test_profile_keeps_name_and_text(lab, draw):
    """a decorated function keeps its name and its docstring"""
    _, _, texts, (_, kept, _, _) = decorated(lab, draw)
    same(
        kept,
        texts,
        what="[step.__name__, step.__doc__]",
        mistakes=[
            Mistake([kept[0], None], "the wrapper shows its own name. functools.wraps(function) hands on the old one.")
        ],
    )


@exercise("profile", points=2)
def test_profile_notes_calls_that_raise(lab, draw):
    """a call that ends in an error is noted, too, and the error comes through"""
    durations, number = eighths(draw, 3), int(draw.integers(10, 99))
    said, samples = lab(decorated_failure, durations, number)
    same(said, [number], what="what came of the second call, which raises")
    same(
        samples,
        durations,
        what="step.samples, where the second of three calls raises",
        mistakes=[
            Mistake([durations[0], durations[2]], "the call that raised is missing. Note its time in `finally`.")
        ],
    )


@exercise("profile", points=1)
def test_profile_keeps_functions_apart(lab, draw):
    """two decorated functions do not share their samples"""
    first, second = eighths(draw, 3), eighths(draw, 3)
    mixed = [seconds for pair in zip(first, second, strict=True) for seconds in pair]
    same(
        list(lab(two_decorated, first, second)),
        [first, second],
        what="[one.samples, two.samples]",
        mistakes=[Mistake([mixed, mixed], "both functions share one list. Make one for each function.")],
    )


@exercise("profile", points=1)
def test_profile_is_true_on_the_real_clock(lab, draw):
    """by the real clock, a decorated call is noted with the time that it took"""
    pauses = [float(ms) / 1000 for ms in draw.rng.permutation(np.arange(2, 20, 4))[:2]]
    samples, inside, outside = lab(real_calls, pauses, True)
    same_array(
        samples,
        within(samples, pauses, inside, outside),
        dtype=np.float64,
        what=f"step.samples, where the calls pause for {pauses}",
    )


# ---- measure_memory ----------------------------------------------------------------------------------------


def two_sizes(draw):
    """Sizes in bytes that cannot be mistaken for each other: 1 to 2 MB, and 3 to 5 MB."""
    return int(draw.integers(1_000_000, 2_000_000)), int(draw.integers(3_000_000, 5_000_000))


@exercise("measure_memory", points=3)
def test_memory_is_what_a_call_allocates(lab, draw):
    """measure_memory finds the most that was in use, and what is left in use"""
    temporary, kept = two_sizes(draw)
    seen, tracing = lab(allocated, temporary, kept, 0, False)
    both = temporary + kept
    same_array(
        np.float64(seen),
        np.array([both, kept]),
        dtype=np.float64,
        rtol=0.03,
        atol=30_000,
        what=f"[peak, kept] of a call that makes {temporary:,} bytes, then {kept:,}, and gives back the latter",
        mistakes=[
            Mistake(
                np.float64([kept, kept]), "the peak is the second number of get_traced_memory(), not what is in use."
            ),
            Mistake(
                np.float64([both, both]), "kept is what is in use afterwards: the first number of get_traced_memory()."
            ),
            Mistake(np.float64([kept, both]), "the two numbers are exchanged."),
            Mistake(np.float64([both, 0]), "the result was gone before you looked. Keep it in a variable until then."),
            Mistake(np.float64([0, 0]), "nothing was traced: tracemalloc.start() before the call."),
        ],
    )
    before = tracing[0]
    same(
        tracing,
        [before, before],
        what="whether tracemalloc is on before and after",
        mistakes=[Mistake([False, True], "tracemalloc goes on, and makes all slower: stop what you started.")],
    )


@exercise("measure_memory", points=2)
def test_memory_counts_from_before_the_call(lab, draw):
    """what was in use before the call, and an earlier peak, do not count; who traces already goes on"""
    temporary, kept = two_sizes(draw)
    earlier = int(draw.integers(6_000_000, 9_000_000))
    seen, tracing = lab(allocated, temporary, kept, earlier, True)
    both = temporary + kept
    same_array(
        np.float64(seen),
        np.array([both, kept]),
        dtype=np.float64,
        rtol=0.03,
        atol=30_000,
        what=f"[peak, kept] where {earlier:,} bytes were in use before",
        mistakes=[
            Mistake(
                np.float64([both + earlier, kept + earlier]), "what was in use before the call was not subtracted."
            ),
            Mistake(
                np.float64([both + earlier, kept]), "what was in use before the call was not subtracted from the peak."
            ),
            Mistake(
                np.float64([both, kept + earlier]),
                "what was in use before the call was not subtracted from what is kept.",
            ),
            Mistake(np.float64([4 * both, kept]), "this is an earlier peak: tracemalloc.reset_peak() before the call."),
        ],
    )
    same(
        tracing,
        [True, True],
        what="whether tracemalloc is on before and after, where somebody else had started it",
        mistakes=[Mistake([True, False], "tracemalloc was stopped, though somebody else had started it.")],
    )


@exercise("measure_memory", points=2)
def test_memory_stops_tracing_after_an_error(lab, draw):
    """an error of the function comes through, and tracing is as it was"""
    number = int(draw.integers(10, 99))
    same(
        lab(failed_allocation, number),
        [number, True, number],
        what="[what the error said, tracing as before, arguments of the calls]",
        mistakes=[
            Mistake([number, False, number], "tracing goes on after the error: stop it in `finally`."),
            Mistake([0, True, number], "the error was swallowed."),
        ],
    )
    temporary, kept = two_sizes(draw)
    seen, _ = lab(allocated, temporary, kept, 0, False)
    due = np.array([temporary + kept, kept])
    same_array(np.float64(seen), due, dtype=np.float64, rtol=0.03, atol=30_000, what="[peak, kept] of the next call")


# ---- count_parameters, weight_bytes ------------------------------------------------------------------------


def network(tt, sizes):
    """A network of Linear layers, how many numbers its weights have, and its biases."""
    model = named(tt.Sequential(*[tt.Linear(i, o) for i, o in itertools.pairwise(sizes)]), "model")
    return model, sum(i * o for i, o in itertools.pairwise(sizes)), sum(sizes[1:])


@exercise("count_parameters", points=2)
def test_parameters_are_counted_number_by_number(tt, draw):
    """count_parameters counts the numbers of all weights and biases"""
    sizes = draw.sizes(4)
    model, weights, biases = network(tt, sizes)
    same(
        tt.count_parameters(model),
        weights + biases,
        what=f"count_parameters of Linear layers with the sizes {sizes}",
        mistakes=[
            Mistake(6, "these are the tensors. Add up their numbers: numel()."),
            Mistake(weights, "the biases are missing."),
            Mistake(4 * (weights + biases), "these are bytes."),
            Mistake(
                sizes[0] + sizes[1] + sizes[1] + sizes[2] + sizes[2] + sizes[3], "len() is the first size: numel()."
            ),
            Mistake(sizes[0] * sizes[1] + sizes[1], "this is the first layer alone."),
        ],
        smaller="count_parameters(Linear(3, 4)) is 16",
    )


@exercise("count_parameters", points=1)
def test_a_shared_parameter_is_one(lab, draw):
    """a layer that is used twice is counted once, and so is a weight that two layers share"""
    i, o = draw.sizes(2)
    once = i * i + i + i * o + 2 * o
    same(
        lab(shared, i, o)[0],
        once,
        what=f"count_parameters where Linear({i}, {i}) and a weight ({i}, {o}) stand in two places",
        mistakes=[
            Mistake(once + i * i + i + i * o, "each place was counted. parameters() gives every parameter once."),
            Mistake(once + i * o, "the shared weight was counted twice. parameters() gives every parameter once."),
        ],
    )


@exercise("count_parameters", points=1)
def test_frozen_parameters_count_and_buffers_do_not(lab, draw):
    """frozen parameters are counted, buffers are not"""
    a, b, c = draw.sizes(3)
    same(
        lab(owner, [a], [b], [c], ["float32"])[0],
        a + b,
        what=f"count_parameters with {a} numbers, {b} frozen ones and a buffer of {c}",
        mistakes=[
            Mistake(a, "frozen parameters are missing. They are stored and used like the others."),
            Mistake(a + b + c, "a buffer is not learnt: parameters() alone."),
        ],
    )


@exercise("weight_bytes", points=2)
def test_bytes_of_float32(tt, draw):
    """weight_bytes counts four bytes for every number in float32"""
    model, weights, biases = network(tt, draw.sizes(4))
    count = weights + biases
    same(
        tt.weight_bytes(model),
        4 * count,
        mistakes=[Mistake(8 * count, BYTES_OF_A_NUMBER), Mistake(count, "these are numbers. Each has 4 bytes.")],
        smaller="weight_bytes(Linear(3, 4)) is 64",
    )


@exercise("weight_bytes", points=2)
def test_bytes_are_the_tensors_own_affair(lab, draw):
    """weight_bytes takes every tensor's own dtype, buffers as well"""
    dtypes, sums = ["float64", "float32"], ()
    while len({*sums}) < 5:  # until no two mistakes give the same
        sizes = some_of(draw, 2, 12)[:6]
        each = [n * (8 if n % 2 == 0 else 4) for n in sizes]
        learnt, idle, kept = (sum(each[k : k + 2]) for k in (0, 2, 4))
        sums = (sum(each), 4 * sum(sizes), 8 * sum(sizes), learnt + idle, learnt + kept)
    same(
        lab(owner, sizes[:2], sizes[2:4], sizes[4:], dtypes)[1],
        sum(each),
        what="weight_bytes of parameters and buffers in float32 and float64",
        mistakes=[
            Mistake(4 * sum(sizes), "every number was taken for 4 bytes. nbytes knows how many there are."),
            Mistake(8 * sum(sizes), BYTES_OF_A_NUMBER),
            Mistake(learnt + idle, "the buffers are missing. They are stored, too: model.buffers()."),
            Mistake(learnt + kept, "frozen parameters are missing."),
        ],
    )


@exercise("weight_bytes", points=1)
def test_shared_bytes_are_there_once(lab, draw):
    """weight_bytes counts a tensor that stands in two places once"""
    i, o = draw.sizes(2)
    same(
        lab(shared, i, o)[1],
        4 * (i * i + i + i * o + 2 * o),
        what=f"weight_bytes where Linear({i}, {i}) and a weight ({i}, {o}) stand in two places",
    )


# ---- FLOPs -------------------------------------------------------------------------------------------------


@exercise("linear_flops", points=2)
def test_linear_flops(tt, draw):
    """a Linear layer multiplies and adds for every number of its output, and adds the bias"""
    rows, i, o = some_of(draw, 4, 8)[:3]
    same(
        tt.profiling.linear_flops(tt.Linear(i, o), tt.zeros(rows, o), tt.zeros(rows, i)),
        2 * rows * i * o + rows * o,
        mistakes=[
            Mistake(rows * i * o, HALF),
            Mistake(rows * i * o + rows * o, HALF),
            Mistake(2 * rows * i * o, "the bias is missing: one addition for every number of the output."),
            Mistake(2 * rows * i * o + o, "the bias is added in every row, not once."),
            Mistake(2 * i * o + o, "one row was counted. Each row takes as many."),
            Mistake(2 * i * o, "one row was counted. Each row takes as many."),
            Mistake(2 * rows * o * o + rows * o, "each sum has as many products as there are features coming in."),
        ],
        smaller="Linear(3, 4) of 2 rows: 56, without a bias 48",
    )


@exercise("linear_flops", points=1)
def test_linear_flops_without_a_bias(tt, draw):
    """without a bias, a Linear layer takes no addition for it"""
    rows, i, o = draw.sizes(3)
    same(
        tt.profiling.linear_flops(tt.Linear(i, o, bias=False), tt.zeros(rows, o), tt.zeros(rows, i)),
        2 * rows * i * o,
        mistakes=[Mistake(2 * rows * i * o + rows * o, "a bias was counted, and layer.bias is None.")],
    )


@exercise("linear_flops", points=1)
def test_linear_flops_of_all_dimensions(tt, draw):
    """every row counts, however many dimensions stand in front"""
    batch, time, i, o = draw.sizes(4)
    each = 2 * i * o + o
    same(
        tt.profiling.linear_flops(tt.Linear(i, o), tt.zeros(batch, time, o), tt.zeros(batch, time, i)),
        batch * time * each,
        mistakes=[
            Mistake(batch * each, "only the first dimension was counted. There are rows in all but the last."),
            Mistake(time * each, "only the last but one was counted. There are rows in all dimensions but the last."),
        ],
    )
    same(tt.profiling.linear_flops(tt.Linear(i, o), tt.zeros(o), tt.zeros(i)), each)


@exercise("conv2d_flops", points=3)
def test_conv2d_flops(lab, draw):
    """a convolution multiplies and adds a window in all channels for every number of its output"""
    n, c, o, kh, kw = some_of(draw, 3, 8)
    oh, ow = some_of(draw, 7, 12)[:2]
    h, w = oh + kh - 1, ow + kw - 1
    places, window = n * o * oh * ow, c * kh * kw
    due = places * (2 * window + 1)
    same(
        lab(convolution, [o, c, kh, kw], True, [n, c, h, w], [n, o, oh, ow]),
        due,
        what=f"conv2d_flops, weight {(o, c, kh, kw)}, a bias, images {(n, c, h, w)}, output {(n, o, oh, ow)}",
        mistakes=[
            Mistake(places * window, HALF),
            Mistake(places * (window + 1), HALF),
            Mistake(2 * places * window, "the bias is missing: one addition for every number of the output."),
            Mistake(n * o * (2 * window + 1), "the size of the output is missing: the weight is used at every place."),
            Mistake(
                n * o * h * w * (2 * window + 1),
                "places were counted in the input. Each number of the output takes a window.",
            ),
            Mistake(places // n * (2 * window + 1), "one image was counted. There is a batch of them."),
            Mistake(places * (2 * kh * kw + 1), "one channel was counted. A window goes through all of them."),
            Mistake(
                places * (2 * o * window + 1), "the filters were counted twice: the output has their channels already."
            ),
            Mistake(2 * places * window + o, "the bias is added at every place, not once."),
        ],
        smaller="1 channel, 2 filters of 3 × 3, output 4 × 5: 760",
    )


@exercise("conv2d_flops", points=1)
def test_conv2d_flops_without_a_bias(lab, draw):
    """without a bias, a convolution takes no addition for it; its stride and padding show in the output alone"""
    n, c, o, kh, kw = draw.sizes(5)
    places, window = n * o * 3 * 2, c * kh * kw
    same(
        lab(convolution, [o, c, kh, kw], False, [n, c, 13, 12], [n, o, 3, 2]),
        2 * places * window,
        what=f"conv2d_flops, weight {(o, c, kh, kw)}, no bias, images {(n, c, 13, 12)}, output {(n, o, 3, 2)}",
        mistakes=[Mistake(places * (2 * window + 1), "a bias was counted, and layer.bias is None.")],
    )


@exercise("layer_norm_flops", points=2)
def test_layer_norm_flops(lab, draw):
    """a LayerNorm takes seven operations for each number and five for each sample"""
    batch, time, n = some_of(draw, 6, 12)[:3]
    samples = batch * time
    same(
        lab(norm, [n], {}, [batch, time, n]),
        samples * (7 * n + 5),
        what=f"layer_norm_flops of LayerNorm({n}) for {(batch, time, n)}",
        mistakes=[
            Mistake(samples * 7 * n, "what is done once for each sample is missing: 5 operations."),
            Mistake(samples * (5 * n + 5), "weight and bias are missing: a product and an addition for each number."),
            Mistake(samples * 7 * n + 5, "the 5 were counted once. Each sample takes them."),
            Mistake(7 * n + 5, "one sample was counted."),
            Mistake(
                batch * (7 * n + 5), "only the first dimension was counted. There are samples in all but the last."
            ),
            Mistake(samples * (6 * n + 5), "a square and its sum are two operations for each number."),
        ],
        smaller="LayerNorm(4) of 2 samples: 66",
    )


@exercise("layer_norm_flops", points=2)
def test_layer_norm_flops_of_what_is_there(lab, draw):
    """weight and bias count where they are, and all dimensions of a sample are one"""
    batch, a, b = some_of(draw, 6, 12)[:3]
    n = a * b
    same(
        lab(norm, [a, b], {"bias": False}, [batch, a, b]),
        batch * (6 * n + 5),
        what=f"layer_norm_flops of LayerNorm(({a}, {b}), bias=False) for {(batch, a, b)}",
        mistakes=[
            Mistake(batch * (7 * n + 5), "a bias was counted, and layer.bias is None."),
            Mistake(batch * a * (6 * b + 5), "a sample has all of normalized_shape, not the last dimension only."),
        ],
    )
    same(
        lab(norm, [b], {"elementwise_affine": False}, [batch, a, b]),
        batch * a * (5 * b + 5),
        what=f"layer_norm_flops of LayerNorm({b}, elementwise_affine=False) for {(batch, a, b)}",
        mistakes=[Mistake(batch * a * (7 * b + 5), "weight and bias were counted, and both are None.")],
    )


def attention_sizes(draw):
    """Batch, queries, keys, heads, size of a head."""
    batch, queries, keys = some_of(draw, 3, 9)[:3]
    return batch, queries, keys, int(draw.integers(2, 4)), int(draw.integers(4, 8))


@exercise("attention_flops", points=3)
def test_attention_flops(lab, draw):
    """attention takes two products for every head, query and key, and a softmax"""
    batch, t, _, heads, size = attention_sizes(draw)
    d, scores = heads * size, batch * heads * t * t
    due = scores * (4 * size + 6)
    same(
        lab(attention, d, heads, [batch, t, d], None, {}),
        due,
        what=f"attention_flops of {heads} heads, width {d}, for {(batch, t, d)}",
        mistakes=[
            Mistake(scores * 4 * size, "division and softmax are missing: 6 operations for every score."),
            Mistake(scores * (2 * size + 6), HALF),
            Mistake(scores * (4 * size + 5), "the division by sqrt(D / H) is missing."),
            Mistake(scores * (4 * size + 1), "the softmax is missing: 5 operations for every score."),
            Mistake(scores // heads * (4 * d + 6), "each head has scores and a softmax of its own."),
            Mistake(scores * (4 * d + 6), "a head works with vectors of size D / H, not D."),
            Mistake(scores // heads * (4 * size + 6), "one head was counted."),
            Mistake(due // batch, "one text was counted. There is a batch of them."),
            Mistake(due // t, "every query meets every key: T times S."),
            Mistake(due + 4 * batch * t * (2 * d * d + d), "the four Linear layers count for themselves."),
        ],
        smaller="one text, T = 3, D = 4, 2 heads: 252",
    )


@exercise("attention_flops", points=2)
def test_attention_flops_across(lab, draw):
    """queries and keys may be of different number; a mask saves nothing"""
    batch, t, s, heads, size = attention_sizes(draw)
    d = heads * size
    due = batch * heads * t * s * (4 * size + 6)
    mistakes = [
        Mistake(due // s * t, "the keys come from the second input: their number is key.shape[-2]."),
        Mistake(due // t * s, "the queries come from the first input: their number is query.shape[-2]."),
    ]
    story = f"attention_flops of {heads} heads, width {d}, from {(batch, t, d)} to {(batch, s, d)}"
    same(lab(attention, d, heads, [batch, t, d], [batch, s, d], {}), due, what=story, mistakes=mistakes)
    same(
        lab(attention, d, heads, [t, d], None, {"is_causal": True}),
        heads * t * t * (4 * size + 6),
        what=f"attention_flops of {heads} heads, width {d}, for {(t, d)}, is_causal=True",
        mistakes=[
            Mistake(
                heads * t * (t + 1) // 2 * (4 * size + 6),
                "only what the mask allows was counted. All is worked out, and part of it thrown away.",
            )
        ],
    )


# ---- watched -----------------------------------------------------------------------------------------------


def forest(draw):
    """Layers in layers: numbers to multiply with."""
    a, b, c, d = (float(n) for n in draw.rng.permutation(np.arange(2, 8))[:4])
    return draw.choice([[a, [b, c], d], [[a, b], c, d], [a, b, [c, d]]])


@exercise("watched", points=2)
def test_watched_sees_every_layer(lab, draw):
    """while a model is watched, `around` is called for each layer with its place and its input"""
    tree, x = forest(draw), draw.positive(3)
    story, y = tracked(tree, np.float64(x), 1)
    got, inside, _, _ = lab(seen, tree, x, 1.0)
    names = [line[0] for line in story]
    last = [path for path, _, _ in sorted(story)][-1]
    same(
        [line[0] for line in got],
        names,
        what="place.name of each call, in the order in which layers end",
        mistakes=[
            Mistake([last] * len(names), LAST_PLACE),
            Mistake([name for name in names if name], "the model itself is a place, too: its name is empty."),
            Mistake(
                [name for name in names if "." not in name], "layers inside layers are missing: places(model) has all."
            ),
            Mistake([], "nothing was put in the places."),
        ],
    )
    same([line[1:] for line in got], [line[1:] for line in story], what="sum of each layer's input and output")
    same_array(inside, y, what="what the model gives")


@exercise("watched", points=1)
def test_watched_lets_around_decide(lab, draw):
    """what `around` returns is the layer's output"""
    tree, x = forest(draw), draw.positive(3)
    story, y = tracked(tree, np.float64(x), 2)
    got, inside, _, _ = lab(seen, tree, x, 2.0)
    plain = tracked(tree, np.float64(x), 1)[1]
    same_array(
        inside,
        y,
        what="what the model gives where `around` doubles every output",
        mistakes=[Mistake(plain, "the layer's own output went on. What around returns takes its place.")],
    )
    same(
        [line[2] for line in got], [line[2] for line in story], what="sum of each layer's output, before it is doubled"
    )


@exercise("watched", points=2)
def test_watched_restores_the_layers(lab, draw):
    """behind the block the model is as it was, and `around` is not called any more"""
    tree, x = forest(draw), draw.positive(3)
    got, _, outside, late = lab(seen, tree, x, 1.0)
    count = len(tracked(tree, np.float64(x), 1)[0])
    same(
        [len(got), late],
        [count, 0],
        what="[calls of around inside the block, calls behind it]",
        mistakes=[
            Mistake([count, count], "the wrappers stayed behind: place.restore() for each, in `finally`."),
            Mistake([0, 0], "nothing was put in the places."),
            Mistake([count, count - 1], "one place was restored, the others were not."),
        ],
    )
    same_array(outside, tracked(tree, np.float64(x), 1)[1], what="what the model gives afterwards")


@exercise("watched", points=2)
def test_watched_restores_after_an_error(lab, draw):
    """an error ends the block and comes through, and the model is as it was"""
    number, good, x = int(draw.integers(10, 99)), int(draw.integers(1, 5)), draw(3)
    said, after = lab(seen_before_error, number, good, x)
    same(
        said,
        [number, 0, number + 1, 0],
        what="[what a layer's error said, calls of around later; what the block's error said, calls later]",
        mistakes=[
            Mistake(
                [number, good + 2, number + 1, good + 2],
                "after an error the wrappers stayed behind: restore in `finally`.",
            ),
            Mistake(
                [number, good + 2, number + 1, 2 * (good + 2)],
                "after an error the wrappers stayed behind: restore in `finally`.",
            ),
        ],
    )
    same_array(after, 2 * x, what="what the model gives afterwards")


@exercise("watched", points=1)
def test_watched_again_counts_once(lab, draw):
    """a model can be watched again and again; layers that are functions are seen, idle ones are not"""
    times, x = int(draw.integers(2, 5)), draw(3)
    counts, y = lab(seen_twice, x, times, f"spare{draw.integers(10, 99)}")
    same(
        counts,
        [["", "0", "1"]] * times,
        what=f"calls that {times} watches saw",
        mistakes=[Mistake([["", "0"]] * times, "a layer that is no Module was left out: places(model) has it.")],
    )
    same_array(y, 2 * x, what="what the model gives")


@exercise("watched", points=1)
def test_watched_hands_keywords_on(lab, draw):
    """keyword arguments of a layer reach `around`"""
    a, b = draw(3), draw(3)
    names, y = lab(seen_keywords, a, b)
    same_array(y, a + b, what="what a watched layer gives that is called with other=b")
    same(names, ["other"], what="keywords that around got")


# ---- Stopwatch ---------------------------------------------------------------------------------------------


def shrub(draw):
    """Layers in layers, with times: two in the model, two more in one of these."""
    a, b, c, d, e = eighths(draw, 5)
    first, second = [(b, []), (c, [(d, []), (e, [])])][:: int(draw.choice([1, -1]))]
    return (a, [first, second])


@exercise("Stopwatch.__call__", points=3)
def test_stopwatch_takes_self_times(lab, draw):
    """the stopwatch notes for each layer the time that it takes itself, without the layers inside it"""
    tree, x = shrub(draw), draw(2)
    lines = flat(tree)
    names, seconds, _, _, _ = lab(self_times, tree, x, 1)
    same(names, [name for name, _, _ in lines], what="the places of the model")
    inner = [whole if "." in name else own for name, own, whole in lines]
    direct = [own if name else whole - sum(own for path, own, _ in lines if path) for name, own, whole in lines]
    blind = [
        whole
        - sum(
            own
            for path, own, _ in lines
            if path.startswith(name) and path.count(".") == name.count(".") + bool(name) and path != name
        )
        for name, own, whole in lines
    ]
    same(
        seconds,
        [own for _, own, _ in lines],
        what=f"seconds of {names}",
        mistakes=[
            Mistake([whole for _, _, whole in lines], TOO_MUCH_COUNTED),
            Mistake(blind, "a parent needs the whole time of each layer inside it, not its self time."),
            Mistake(inner, TOO_MUCH_COUNTED),
            Mistake(
                direct, "a parent takes off what is directly inside it; the layers further in are in that already."
            ),
            Mistake([0.0] * len(lines), NOTHING_TIMED),
            Mistake([-1.0] * len(lines), "nothing was noted in self.seconds."),
        ],
        smaller="a block from 0 to 3.5 with a layer from 1 to 3: 1.5 and 2.0",
    )


@exercise("Stopwatch.__call__", points=2)
def test_stopwatch_adds_up_calls(lab, draw):
    """several calls of a layer add up, in seconds and in calls"""
    tree, x, rounds = shrub(draw), draw(2), int(draw.integers(2, 5))
    lines = flat(tree)
    _, seconds, calls, _, _ = lab(self_times, tree, x, rounds)
    same(
        seconds,
        [rounds * own for _, own, _ in lines],
        what=f"seconds after {rounds} runs",
        mistakes=[Mistake([own for _, own, _ in lines], "the last call alone is there. Calls add up.")],
    )
    same(calls, [rounds] * len(lines), what=f"calls after {rounds} runs")


@exercise("Stopwatch.__call__", points=2)
def test_stopwatch_is_transparent(lab, draw):
    """a layer's output comes back through the stopwatch, keyword arguments reach the layer, and nothing stays inside"""
    tree, x = shrub(draw), draw(2)
    _, _, _, inside, y = lab(self_times, tree, x, 1)
    same_array(y, x + 4, what="what the watched model gives, each of whose four layers adds 1")
    same(inside, 0, what="len(inside) afterwards")


@exercise("Stopwatch.__call__", points=2)
def test_stopwatch_survives_errors(lab, draw):
    """a layer that raises took time, too; the error comes through, and nothing stays inside"""
    (outer, inner), number = eighths(draw, 2), int(draw.integers(10, 99))
    seconds, rest = lab(self_times_with_errors, outer, inner, number)
    same(
        seconds,
        [outer, inner],
        what="self times of a block and of a layer in it that raises",
        mistakes=[
            Mistake([outer + inner, inner], "what the layer took that raised was not taken off its parent: `finally`."),
            Mistake([-1.0, -1.0], "the layers that raised were not noted: do it in `finally`."),
        ],
    )
    same(
        rest,
        [number + 1, 0],
        what="[what the error said, len(inside) afterwards]",
        mistakes=[Mistake([0, 0], "the error was swallowed."), Mistake([number + 1, 2], "pop in `finally`.")],
    )


@exercise("Stopwatch.__call__", points=2)
def test_the_table_adds_up(lab, draw):
    """the lines of a Profiler's table add up to the whole run"""
    sizes, seconds = list(draw.sizes(4)), eighths(draw, 3)
    lines, _ = lab(waiting, sizes, seconds, "layers", 0, 1)
    flops = [3 * (2 * i * o + o) for i, o in itertools.pairwise(sizes)]
    due = [["", 0.0, 0], *([f"{n}", s, f] for n, (s, f) in enumerate(zip(seconds, flops, strict=True)))]
    same(lines, due, what="[name, seconds, FLOPs] of each layer of three Linear layers in a row")


# ---- Profiler.bottleneck -----------------------------------------------------------------------------------


def layered(draw):
    """Sizes of four Linear layers and their times: the first is the fastest, the last does most, a middle one waits."""
    sizes = [2, 3, 4, *sorted(some_of(draw, 5, 9)[:2])]
    slowest = int(draw.integers(1, 3))
    seconds = [0.125, *eighths(draw, 3, low=2, high=16)]
    seconds[slowest] = max(seconds) + 1
    return sizes, seconds, slowest


@exercise("Profiler.bottleneck", points=3)
def test_bottleneck_is_the_slowest_layer(lab, draw):
    """the bottleneck is the layer that takes the most time"""
    sizes, seconds, slowest = layered(draw)
    names = [f"{i}" for i in range(4)]
    counts = [i * o + o for i, o in itertools.pairwise(sizes)]
    flops = [3 * (2 * i * o + o) for i, o in itertools.pairwise(sizes)]
    told, _ = lab(waiting, sizes, seconds, "bottleneck", 0, 1)
    lines = [[names[i], "Slow", seconds[i], counts[i], flops[i]] for i in range(4)]
    most = int(np.argmax(flops))
    same(
        told,
        lines[slowest],
        what=f"[name, kind, seconds, parameters, FLOPs] of the bottleneck, where the layers take {seconds} seconds",
        mistakes=[
            Mistake(lines[most], "this layer does the most operations. The one that takes the most time is asked for."),
            Mistake(lines[int(np.argmin(seconds))], "this is the fastest layer."),
            Mistake(["", "Sequential", 0.0, 0, 0], "this is the model itself, the first line of the table."),
            Mistake(lines[3], "this is the last line of the table."),
        ],
    )


@exercise("Profiler.bottleneck", points=2)
def test_bottleneck_hands_warmup_and_repeats_on(lab, draw):
    """bottleneck measures as often as it is told"""
    sizes, seconds, slowest = layered(draw)
    warmup, repeats = int(draw.integers(7, 10)), int(draw.integers(2, 5))  # together never as many as by default
    told, runs = lab(waiting, sizes, seconds, "bottleneck", warmup, repeats)
    same(told[0], f"{slowest}", what=f"name of the bottleneck with warmup={warmup}, repeats={repeats}")
    same(
        runs,
        1 + warmup + repeats,
        what=f"runs of the model with warmup={warmup}, repeats={repeats}, and one to count FLOPs",
        mistakes=[
            Mistake(7, "warmup and repeats were not handed on to self.layers."),
            Mistake(6 + warmup, "repeats was not handed on to self.layers."),
            Mistake(2 + repeats, "warmup was not handed on to self.layers."),
        ],
    )
    _, usual = lab(waiting, sizes, seconds, "bottleneck", None, None)
    same(usual, 7, what="runs where nobody says how many: one to count, one to warm up, five to measure")


@exercise("Profiler.bottleneck", points=1)
def test_bottleneck_is_named_in_the_report(lab, draw):
    """a report ends with the bottleneck, its share of the time and of the FLOPs"""
    sizes, seconds, slowest = layered(draw)
    flops = [2 * i * o + o for i, o in itertools.pairwise(sizes)]
    time, work = (100 * part[slowest] / math.fsum(part) for part in (seconds, flops))
    told, _ = lab(waiting, sizes, seconds, "bottleneck", 0, 1)
    last, _ = lab(waiting, sizes, seconds, "report", 0, 1)
    same(told[0], f"{slowest}", what="name of the bottleneck")
    same(
        last,
        f"bottleneck: {slowest} (Slow) takes {time:.0f} % of the time and does {work:.0f} % of the FLOPs",
        what="the last line of the report",
    )
