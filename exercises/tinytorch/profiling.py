"""Profiling: where the time, the memory and the arithmetic of a model go.

Whoever makes a program faster without measuring makes the wrong part faster. This file measures: how many numbers a
model has, how many operations it does, how much memory it takes, how long it runs, and which of its layers is the one
that all wait for. `Profiler` puts these together and leaves the model as it found it.

    profiler = Profiler(model)
    print(profiler.report(x))

Nothing here knows the files in which layers are defined: a layer is known by the name of its class, and each name has a
rule that says how many operations such a layer does. A layer of your own gets its rule with `flop_rule("Name")`.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from .layers import Module
from .tensor import Tensor

Clock: TypeAlias = Callable[[], float]  # seconds, counted from anywhere
Rule: TypeAlias = Callable[..., int]  # (layer, output, *inputs) -> FLOPs of the layer's own work
Around: TypeAlias = Callable[..., Any]  # (place, *inputs) -> the layer's output

MISSING = object()  # an attribute that was not there


# ---- How long ------------------------------------------------------------------------------------------------


def percentile(samples: Sequence[float], q: float) -> float:
    """The value below which q percent of the samples lie, for q from 0 to 100.

    In order of size, the smallest sample is percentile 0 and the largest 100; the others lie evenly between them, n
    samples at the positions 0 to n - 1. Percentile q is at the position q / 100 * (n - 1). Between two samples it is
    taken from both, in proportion: at 2.25 it is the third sample and a quarter of the way to the fourth.

    Percentile 50 is the median: one slow run in a hundred moves the mean, and not the median. The samples stay as they
    are and may come in any order. None at all, or a q outside 0 to 100, raise ValueError, the latter with q.
    As numpy.percentile.

    >>> samples = [3.0, 1.0, 2.0, 10.0]
    >>> percentile(samples, 50), percentile(samples, 75), percentile(samples, 100)
    (2.5, 4.75, 10.0)
    >>> percentile([1.0, 1.0, 1.0, 1.0, 96.0], 50)
    1.0

    By hand, for 75: the position is 0.75 * 3 = 2.25, between 3 and 10, and 3 + 0.25 * 7 = 4.75. (The mean of the five
    samples at the end is 20.) About eight lines of Python, without NumPy.

    >>> 0.75 * 3, 3 + 0.25 * 7
    (2.25, 4.75)
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.percentile")
    # END OF YOUR CODE (keep this line)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long each of several runs took, in seconds.

    >>> times = Latency((0.5, 0.25, 8.0))
    >>> times.median, times.best, times.total
    (0.5, 0.25, 8.75)
    """

    samples: tuple[float, ...]

    def percentile(self, q: float) -> float:
        """The time within which q percent of the runs were done."""
        return percentile(self.samples, q)

    @property
    def median(self) -> float:
        """The time within which half of the runs were done."""
        return self.percentile(50)

    @property
    def p90(self) -> float:
        """The time within which nine runs in ten were done."""
        return self.percentile(90)

    @property
    def p99(self) -> float:
        """The time within which all but one run in a hundred were done: what an impatient user meets."""
        return self.percentile(99)

    @property
    def mean(self) -> float:
        """The average, which one slow run can move."""
        return self.total / len(self.samples)

    @property
    def best(self) -> float:
        """The shortest time."""
        return min(self.samples)

    @property
    def total(self) -> float:
        """All runs together."""
        return sum(self.samples)


def measure_latency(
    function: Callable[..., Any], *args: Any, warmup: int = 2, repeats: int = 20, clock: Clock = time.perf_counter
) -> Latency:
    """Call a function again and again, and note how long each call took.

    First `warmup` calls that are not measured: the first ones find cold caches, import what they need, ask the system
    for memory, and are slower than all that follow. Then `repeats` calls, each between two looks at the clock of its
    own. `Latency(tuple of seconds)` is the result, in the order of the calls. Every call gets `args`, and runs anew:
    nothing of an earlier call is used again.

    `clock` is a function that gives seconds. `time.perf_counter` never goes back, and counts in fractions of a
    microsecond; `time.time` follows the wall clock, which may be set while you measure.

    Fewer than 1 repeat, or a warm-up below 0, raise ValueError with the number. An error of the function comes through.

    >>> ticks = iter([10.0, 10.5, 20.0, 20.25])
    >>> measure_latency(abs, -3, warmup=1, repeats=2, clock=lambda: next(ticks)).samples
    (0.5, 0.25)

    About ten lines. Look at the clock directly before and directly after the call, with nothing between that is not
    measured.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.measure_latency")
    # END OF YOUR CODE (keep this line)


def profile(function: Callable[..., Any] | None = None, *, clock: Clock = time.perf_counter) -> Any:
    """Note how long every call of a function takes: a decorator, for whatever the program calls by itself.

        @profile                                @profile(clock=my_clock)
        def step(batch): ...                    def step(batch): ...

    The decorated function does what it did: it takes the same arguments, gives back the same value, and lets the same
    errors through. `functools.wraps` gives it the name and the docstring of the original. It also has

        step.samples      a list of seconds, one number for each call so far, in order
        step.latency()    the same as a `Latency`

    A call that ends in an error took time, too, and is noted like any other.

    >>> ticks = iter([1.0, 1.5, 7.0, 7.25])
    >>> @profile(clock=lambda: next(ticks))
    ... def double(x):
    ...     "Twice x."
    ...     return 2 * x
    >>> double(4), double(x=5), double.__name__
    (8, 10, 'double')
    >>> double.samples, double.latency().total
    ([0.5, 0.25], 0.75)

    Without a function, `profile(clock=...)` has been asked for a decorator, and `functools.partial(profile,
    clock=clock)` is one. About twelve lines. A function can be given attributes: `step.samples = []`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.profile")
    # END OF YOUR CODE (keep this line)


# ---- How much memory -----------------------------------------------------------------------------------------


class Memory(NamedTuple):
    """What a call took, in bytes: at its worst moment, and what was left in use behind it."""

    peak: int
    kept: int


def measure_memory(function: Callable[..., Any], *args: Any) -> Memory:
    """Call a function once, and find out how much memory it took.

    Both numbers count from what was in use before the call:

        peak    the most that was in use at any moment of the call
        kept    what is in use afterwards, while the function's result is still there

    `tracemalloc` notes all memory that Python and NumPy ask for. `tracemalloc.get_traced_memory()` is a pair (in use,
    the most so far), `tracemalloc.reset_peak()` forgets the most so far. It is started for the call alone, for it
    makes everything slower, and it is stopped again even if the function raises. Where somebody else has started it
    already (`tracemalloc.is_tracing()`), it goes on afterwards: it is theirs.

    >>> def wasteful(n):
    ...     a = np.zeros(n)              # 8 bytes a number
    ...     b = a + 1                    # and 8 more
    ...     return b
    >>> memory = measure_memory(wasteful, 100_000)
    >>> round(memory.peak / 100_000), round(memory.kept / 100_000)
    (16, 8)

    About twelve lines. Keep the result in a variable until you have looked, or nothing is left to be seen.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.measure_memory")
    # END OF YOUR CODE (keep this line)


# ---- How many numbers ----------------------------------------------------------------------------------------


def count_parameters(model: Module) -> int:
    """How many numbers a model learns.

    A parameter that stands in two places is one parameter; `parameters()` gives each once. Frozen ones
    (`requires_grad` False) are counted, too: they have to be stored and multiplied with like the others. Buffers, which
    are not learnt, are not.

    >>> count_parameters(Sequential(Linear(3, 4), ReLU(), Linear(4, 2)))    # 3·4 + 4 + 4·2 + 2
    26

    One line.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.count_parameters")
    # END OF YOUR CODE (keep this line)


def weight_bytes(model: Module) -> int:
    """How many bytes the numbers of a model take: its parameters and its buffers, each tensor once.

    How many bytes a number has is the tensor's own affair: four in float32, eight in float64, one in int8. `nbytes`
    knows it.

    >>> weight_bytes(Linear(3, 4))              # 16 numbers of 4 bytes
    64
    >>> weight_bytes(Linear(3, 4).to(np.float64))
    128

    One line: `model.parameters()` and `model.buffers()`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.weight_bytes")
    # END OF YOUR CODE (keep this line)


# ---- How many operations -------------------------------------------------------------------------------------
#
# A FLOP is one operation on floating-point numbers: an addition, a multiplication, a division, a comparison of two, a
# square root, an exp, a tanh. So a multiply and an add are two. To fold n numbers into one (a sum, a maximum) counts n.
# Moving and choosing numbers counts nothing: reshape, transpose, an embedding's look-up, a mask.
#
# All of it is for a model in use, not in training: Dropout does nothing, BatchNorm takes its running statistics.

FLOP_RULES: dict[str, Rule] = {}


def flop_rule(*names: str) -> Callable[[Rule], Rule]:
    """Register the FLOP rule of the layers of these names: a decorator, as `backward_rule` is in module 05.

    A rule gets the layer, its output, and what the layer was called with. It counts the layer's own work only: layers
    inside it count for themselves.

    >>> class Scale(Module):
    ...     def forward(self, x):
    ...         return x * 3.0
    >>> _ = flop_rule("Scale")(lambda layer, y, x: y.numel())
    >>> count_flops(Scale(), zeros(5, 2))
    10
    >>> del FLOP_RULES["Scale"]
    """

    def register(rule: Rule) -> Rule:
        FLOP_RULES.update(dict.fromkeys(names, rule))
        return rule

    return register


@flop_rule("Linear")
def linear_flops(layer: Any, y: Tensor, x: Tensor) -> int:
    """The FLOPs of y = x @ weight + bias.

        x (..., in_features), y (..., out_features)

    Every number of y is a sum of in_features products: as many multiplications, as many additions (the sum starts at
    0). A bias is one addition more. Where `layer.bias` is None there is none.

    By hand, for 2 rows, 3 features in and 4 out: y has 8 numbers, each 2 * 3 operations for the products and 1 for the
    bias.

    >>> x, y = zeros(2, 3), zeros(2, 4)
    >>> linear_flops(Linear(3, 4), y, x), linear_flops(Linear(3, 4, bias=False), y, x)
    (56, 48)

    One or two lines: `y.numel()`, and `layer.weight.shape`, which is (in_features, out_features).
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.linear_flops")
    # END OF YOUR CODE (keep this line)


@flop_rule("Conv2d")
def conv2d_flops(layer: Any, y: Tensor, x: Tensor) -> int:
    """The FLOPs of a convolution.

        x (N, C, H, W), y (N, O, oh, ow), layer.weight (O, C, kh, kw)

    Every number of y is a sum over one window in all C channels, and a bias, where there is one, is one addition
    more. The weight is small and is used at every place: with the image grows the work, not the weight. Products with
    padding are done like all others, and counted.

    By hand, for one image of 1 channel, 2 filters of 3 × 3 and an output of 4 × 5: 40 numbers of 2 * 9 + 1 FLOPs.

    >>> layer = Module()
    >>> layer.weight, layer.bias = Parameter(zeros(2, 1, 3, 3)), Parameter(zeros(2))
    >>> conv2d_flops(layer, zeros(1, 2, 4, 5), zeros(1, 1, 6, 7))
    760

    Two lines: `math.prod(shape)` multiplies the sizes of a window.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.conv2d_flops")
    # END OF YOUR CODE (keep this line)


@flop_rule("LayerNorm")
def layer_norm_flops(layer: Any, y: Tensor, x: Tensor) -> int:
    """The FLOPs of a normalisation over the last dimensions, n numbers to a sample.

        m = sum(x) / n              n + 1 for each sample
        c = x - m                   n
        v = sum(c * c) / n          2 n + 1
        s = 1 / sqrt(v + eps)       3
        y = c * s                   n
        y = y * weight              n, where there is a weight
        y = y + bias                n, where there is a bias

    By hand, for 2 samples of 4 numbers with weight and bias: 7 * 4 + 5 = 33 for each.

    >>> layer_norm_flops(LayerNorm(4), zeros(2, 4), zeros(2, 4))
    66

    About four lines. n is the product of `layer.normalized_shape`; `layer.weight` and `layer.bias` may be None.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.layer_norm_flops")
    # END OF YOUR CODE (keep this line)


@flop_rule("MultiHeadAttention")
def attention_flops(layer: Any, y: Tensor, query: Tensor, key: Tensor | None = None, *rest: Any, **masks: Any) -> int:
    """The FLOPs of attention itself, without its four Linear layers: they count for themselves.

        query (..., T, D), key (..., S, D), H heads of size D / H      key None: the query is the key

    For every head, every query and every key: a product of two vectors of size D / H, its division by
    sqrt(D / H), and the softmax of T rows of S numbers, which is 5 operations a number (largest, minus, exp, sum,
    division). Then every query takes the sum of S values of size D / H, each times its share. What a mask
    forbids is worked out nevertheless, and thrown away.

    By hand, for T = S = 3, D = 4, H = 2, one text: the scores are 2 · 3 · 3 = 18 numbers. Each takes 2 · 2 operations
    for the product, 1 for the division, 5 for the softmax, and 2 · 2 for its share of the values. 18 · 14 = 252.

    >>> class Heads(Module):
    ...     num_heads = 2
    >>> attention_flops(Heads(), zeros(1, 3, 4), zeros(1, 3, 4))
    252
    >>> 2 * 3 * 3 * (2 * 2 + 1 + 5 + 2 * 2)
    252

    About four lines: `layer.num_heads` is H. T² is in here: a text of twice the length takes four times as many.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.attention_flops")
    # END OF YOUR CODE (keep this line)


PER_NUMBER = {  # how many operations one number of the output takes (given)
    "Identity Dropout Flatten Embedding Sequential GPT": 0,
    "ReLU relu": 1,  # max(x, 0)
    "LeakyReLU leaky_relu": 2,  # a comparison, and a product with the slope
    "Sigmoid sigmoid": 4,  # 1 / (1 + exp(-x))
    "Tanh tanh": 1,
    "GELU gelu": 9,  # 0.5 * x * (1 + tanh(c * (x + 0.044715 * x * x * x)))
    "Softmax softmax": 5,  # largest, minus, exp, sum, division
    "PositionalEncoding LearnedPositionalEncoding": 1,
    "EncoderBlock": 2,  # two branches are added to the stream
}


def per_number(count: int) -> Rule:
    """The rule of a layer that does `count` operations for each number of its output (given)."""
    return lambda layer, y, *args, **kwargs: count * y.numel()


for _names, _count in PER_NUMBER.items():
    flop_rule(*_names.split())(per_number(_count))


@flop_rule("LogSoftmax", "log_softmax")
def log_softmax_flops(layer: Any, y: Tensor, x: Tensor, *rest: Any) -> int:
    """Largest, minus, exp, sum, minus for each number, and one logarithm for each slice (given)."""
    return 5 * y.numel() + y.numel() // max(1, y.shape[getattr(layer, "dim", -1)])


@flop_rule("MaxPool2d", "AvgPool2d")
def pool_flops(layer: Any, y: Tensor, x: Tensor) -> int:
    """The pixels of a window for each number of the output, and a division where it is a mean (given)."""
    window: int = math.prod(layer.kernel_size)
    return y.numel() * (window + (type(layer).__name__ == "AvgPool2d"))


@flop_rule("BatchNorm2d")
def batch_norm_flops(layer: Any, y: Tensor, x: Tensor) -> int:
    """(x - mean) * scale + bias for each number, and scale = weight / sqrt(var + eps) for each channel (given)."""
    return 3 * y.numel() + 3 * int(layer.num_features)


@flop_rule("FeedForward")
def feed_forward_flops(layer: Any, y: Tensor, x: Tensor) -> int:
    """The GELU between its two layers (given)."""
    return 9 * (x.numel() // x.shape[-1]) * int(layer.up.weight.shape[1])


@flop_rule("DecoderBlock")
def decoder_block_flops(layer: Any, y: Tensor, x: Tensor, memory: Tensor | None = None) -> int:
    """Two branches that are added to the stream, and a third where there is a memory (given)."""
    return (2 if memory is None else 3) * y.numel()


def kind(layer: Any) -> str:
    """The name by which a layer's rule is found: that of its class, or of the function (given)."""
    return str(getattr(layer, "__name__", type(layer).__name__))


def rule_of(layer: Any) -> Rule | None:
    """The FLOP rule of a layer, its class's own or that of the class it is made from; None where there is none (given).

    A module that holds layers and has no rule is a model of somebody's own. Its layers count for themselves; what its
    `forward` does between them nobody sees.
    """
    names = [kind(layer), *(base.__name__ for base in type(layer).__mro__)]
    for name in names:
        if name in FLOP_RULES:
            return FLOP_RULES[name]
    return per_number(0) if isinstance(layer, Module) and len(places(layer)) > 1 else None


# ---- Watching a model at work --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer stands in a model: there, something else can be put for a while (given).

    `name` is the layer's dotted name, "" for the model itself. `call` is what runs the layer.
    """

    name: str
    layer: Any
    call: Callable[..., Any]
    attributes: dict[str, Any]  # of the object that `key` belongs to
    key: str
    before: Any  # what stands there by right

    def put(self, call: Callable[..., Any]) -> None:
        """Let `call` run whenever the layer is due."""
        self.attributes[self.key] = call

    def restore(self) -> None:
        """Make it as it was."""
        if self.before is MISSING:
            self.attributes.pop(self.key, None)
        else:
            self.attributes[self.key] = self.before


def places(model: Module, name: str = "", seen: set[int] | None = None) -> list[Place]:
    """All places of a model where a layer stands, the model itself first (given).

    A Module runs by its `forward`; an attribute of that name in the object itself takes precedence over the class's. A
    layer that is no Module, such as `ReLU()` or a function, is an attribute of the module that holds it. A Module that
    stands in two places comes once.
    """
    if not isinstance(model, Module):
        raise TypeError(f"a profiler looks at a Module, not at {type(model).__name__}")
    seen = set() if seen is None else seen
    seen.add(id(model))
    own = vars(model)
    found = [Place(name, model, model.forward, own, "forward", own.get("forward", MISSING))]
    for key, value in own.items():
        path = f"{name}.{key}" if name else key
        if isinstance(value, Module):
            found += places(value, path, seen) if id(value) not in seen else []
        elif callable(value) and not isinstance(value, type) and key != "forward":
            found.append(Place(path, value, value, own, key, value))
    return found


@contextlib.contextmanager
def watched(model: Module, around: Around) -> Iterator[None]:
    """Inside the `with`, let `around` run in place of every layer of the model; afterwards all is as it was.

    Whenever the layer at a place is due with some inputs, `around(place, *inputs)` is called instead, keyword
    arguments as well. It may run the layer by `place.call(*inputs)`, and what it returns is the layer's output. So it
    sees what goes in, what comes out, and when.

    `places(model)` (given) lists the places; `place.put(function)` puts a function there, `place.restore()` takes it
    away. The places are restored however the block ends: with an error, too. A wrapper that stays behind would be
    watched itself the next time, and everything would count twice.

    >>> model = Sequential(Linear(3, 4), ReLU())
    >>> def around(place, x):
    ...     y = place.call(x)
    ...     print(repr(place.name), x.shape, y.shape)
    ...     return y
    >>> with watched(model, around):
    ...     _ = model(zeros(2, 3))
    '0' (2, 3) (2, 4)
    '1' (2, 4) (2, 4)
    '' (2, 3) (2, 4)
    >>> _ = model(zeros(2, 3))                          # nothing is printed any more

    About eight lines, with one `yield` inside `try`. Each place needs a function that knows its place:
    `functools.partial(around, place)` is one. (A lambda in a loop sees the loop's last place only.)
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("profiling.watched")
    # END OF YOUR CODE (keep this line)


@contextlib.contextmanager
def resting(model: Module) -> Iterator[None]:
    """Inside the `with`, no module of the model is in training; afterwards each is as it was (given).

    A measurement must not move a BatchNorm's running statistics, nor draw a Dropout's random numbers.
    """
    if not isinstance(model, Module):
        raise TypeError(f"a profiler looks at a Module, not at {type(model).__name__}")
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


class FlopCounter:
    """Counts the FLOPs of every layer's own work while a model is watched (given).

    >>> counter, model = FlopCounter(), Sequential(Linear(3, 4), ReLU())
    >>> with watched(model, counter):
    ...     _ = model(zeros(2, 3))
    >>> counter.flops
    {'0': 56, '1': 8, '': 0}
    """

    def __init__(self) -> None:
        self.flops: dict[str, int] = {}
        self.unknown: dict[str, Any] = {}  # layers without a rule

    def __call__(self, place: Place, *args: Any, **kwargs: Any) -> Any:
        """Run the layer, and count."""
        y = place.call(*args, **kwargs)
        rule = rule_of(place.layer)
        if rule is None:
            self.unknown[place.name] = place.layer
        else:
            self.flops[place.name] = self.flops.get(place.name, 0) + rule(place.layer, y, *args, **kwargs)
        return y

    @property
    def complaint(self) -> str:
        """One sentence on the layers that nobody can count; "" where there are none."""
        which = ", ".join(f"{name or 'the model'} ({kind(layer)})" for name, layer in self.unknown.items())
        return f"no FLOP rule for {which}: flop_rule(name) registers one" if which else ""


class Stopwatch:
    """Times every layer while a model is watched, each moment counted for one layer only.

    `seconds` and `calls` go by the names of places. `inside` is one number for each layer that is running at the
    moment, the outermost first: how long the layers inside it have taken so far.
    """

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self.inside: list[float] = []

    def __call__(self, place: Place, *args: Any, **kwargs: Any) -> Any:
        """Run the layer, note the time that it took itself, and return its output.

        A block takes as long as its layers and a little more. If the block and its layers were all noted with their
        full times, every layer would count twice, and shares would add up to more than the whole. So the block
        gets its *self time*: from start to end, less what the layers directly inside it took from start to end.

        Add it to `self.seconds[place.name]` (0 at first), and 1 to `self.calls[place.name]`. For the layers inside to
        tell how long they took, there is the list `self.inside`: a layer appends 0.0 when it starts and pops it
        when it ends, and then adds the whole of its time to the last number of the list, which is its parent's.
        An error of the layer comes through, and the list is left as it was found.

        >>> watch, model = Stopwatch(iter([0.0, 1.0, 3.0, 3.5]).__next__), Sequential(Identity())
        >>> with watched(model, watch):
        ...     _ = model(zeros(1))
        >>> watch.seconds                       # the Identity from 1 to 3, Sequential from 0 to 3.5
        {'0': 2.0, '': 1.5}

        About twelve lines with `try` and `finally`. Look at `self.clock()` twice, directly around
        `place.call(*args, **kwargs)`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("profiling.Stopwatch.__call__")
        # END OF YOUR CODE (keep this line)


def counted(model: Module, *inputs: Any) -> FlopCounter:
    """A counter that has watched the model at work on these inputs (given)."""
    counter = FlopCounter()
    with resting(model), watched(model, counter):
        model(*inputs)
    return counter


def timed(model: Module, *inputs: Any, clock: Clock = time.perf_counter) -> Stopwatch:
    """A stopwatch that has watched the model at work on these inputs (given)."""
    stopwatch = Stopwatch(clock)
    with resting(model), watched(model, stopwatch):
        model(*inputs)
    return stopwatch


def count_flops(model: Module, *inputs: Any) -> int:
    """How many FLOPs a model does on these inputs, all layers together (given).

    A layer without a rule raises ValueError and is named.

    >>> count_flops(Sequential(Linear(3, 4), ReLU(), Linear(4, 2)), zeros(2, 3))     # 56 + 8 + 36
    100
    """
    counter = counted(model, *inputs)
    if counter.complaint:
        raise ValueError(counter.complaint)
    return sum(counter.flops.values())


# ---- The profiler --------------------------------------------------------------------------------------------


class ModelMemory(NamedTuple):
    """Bytes: the model's numbers, and what one run of it takes beside them."""

    weights: int
    peak: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerProfile:
    """One line of the table: what one layer is, has, and does by itself, without the layers inside it.

    `name` is "" for the model itself. `flops` is None where the layer has no rule.
    """

    name: str
    kind: str
    calls: int
    parameters: int
    flops: int | None
    seconds: float


class Profiler:
    """Says where the numbers, the operations, the bytes and the seconds of a model are. The model stays as it is.

    `clock` is looked at wherever time is measured. As torch.profiler, in small.

    >>> model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    >>> profiler, x = Profiler(model), zeros(2, 3)
    >>> profiler.parameters(), profiler.flops(x), profiler.memory(x).weights
    (26, 100, 104)
    >>> [(layer.name, layer.kind, layer.flops) for layer in profiler.layers(x)]
    [('', 'Sequential', 0), ('0', 'Linear', 56), ('1', 'ReLU', 8), ('2', 'Linear', 36)]
    """

    def __init__(self, model: Module, clock: Clock = time.perf_counter) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"a profiler looks at a Module, not at {type(model).__name__}")
        self.model = model
        self.clock = clock

    def parameters(self) -> int:
        """How many numbers the model learns."""
        return count_parameters(self.model)

    def flops(self, *inputs: Any) -> int:
        """How many operations it does on these inputs."""
        return count_flops(self.model, *inputs)

    def memory(self, *inputs: Any) -> ModelMemory:
        """The bytes of its numbers, and of one run on these inputs: the most at any moment, and what is left."""
        with resting(self.model):
            run = measure_memory(self.model, *inputs)
        return ModelMemory(weight_bytes(self.model), run.peak, run.kept)

    def latency(self, *inputs: Any, warmup: int = 2, repeats: int = 20) -> Latency:
        """How long it takes on these inputs, again and again, without anything that watches its layers."""
        with resting(self.model):
            return measure_latency(self.model, *inputs, warmup=warmup, repeats=repeats, clock=self.clock)

    def layers(self, *inputs: Any, warmup: int = 1, repeats: int = 5) -> list[LayerProfile]:
        """The table: a line for every layer, in the order of the model; each column adds up to the whole.

        The times are those of one run, the one of `repeats` that lies in the middle. Times of several runs would not
        add up to the time of any.
        """
        if repeats < 1:
            raise ValueError(f"a measurement needs at least 1 repeat, not {repeats}")
        flops = counted(self.model, *inputs).flops
        for _ in range(warmup):
            timed(self.model, *inputs, clock=self.clock)
        runs = [timed(self.model, *inputs, clock=self.clock) for _ in range(repeats)]
        run = sorted(runs, key=lambda run: sum(run.seconds.values()))[(repeats - 1) // 2]
        seen: set[int] = set()
        lines = [self._line(place, run, flops, seen) for place in places(self.model)]
        lines = [line for line in lines if line.calls or line.parameters]
        if all(line.kind == "Sequential" for line in lines):
            raise ValueError(f"{kind(self.model)}() has no layers: there is nothing to profile")
        return lines

    def _line(self, place: Place, run: Stopwatch, flops: dict[str, int], seen: set[int]) -> LayerProfile:
        """One line of the table; a parameter that was seen in an earlier one is not counted again."""
        own = place.layer.parameters(recurse=False) if isinstance(place.layer, Module) else ()
        fresh = [parameter for parameter in own if id(parameter) not in seen]
        seen.update(map(id, fresh))
        calls = run.calls.get(place.name, 0)
        return LayerProfile(
            name=place.name,
            kind=kind(place.layer),
            calls=calls,
            parameters=sum(parameter.numel() for parameter in fresh),
            flops=flops.get(place.name) if calls else 0,
            seconds=run.seconds.get(place.name, 0.0),
        )

    def bottleneck(self, *inputs: Any, warmup: int = 1, repeats: int = 5) -> LayerProfile:
        """The line of the table that takes the most time: whoever wants a faster model begins there.

        Not the one with the most parameters, and not the one with the most operations: a layer may do little and wait
        long, for memory or for Python. Of several lines with the same time it is the first.

        With a clock that says when the model started, then started and ended each layer, then ended:

        >>> ticks = iter([0.0, 0.5, 1.5, 1.5, 8.5, 9.0])
        >>> model = Sequential(Linear(64, 64), GELU())
        >>> worst = Profiler(model, clock=lambda: next(ticks)).bottleneck(zeros(1, 64), warmup=0, repeats=1)
        >>> worst.name, worst.kind, worst.seconds, worst.flops
        ('1', 'GELU', 7.0, 576)

        Two lines: `self.layers(*inputs, warmup=warmup, repeats=repeats)` is the table.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("profiling.Profiler.bottleneck")
        # END OF YOUR CODE (keep this line)

    def report(self, *inputs: Any, warmup: int = 1, repeats: int = 5) -> str:
        """The table as text, its sums, and a sentence on the bottleneck (given)."""
        lines = self.layers(*inputs, warmup=warmup, repeats=repeats)
        return table(lines, kind(self.model))


# ---- The report (given) --------------------------------------------------------------------------------------


def table(lines: Sequence[LayerProfile], model: str) -> str:
    """Lines as text, below them their sums, and the sentence that names the bottleneck."""
    seconds = sum(line.seconds for line in lines)
    flops = sum(line.flops or 0 for line in lines)
    parameters = sum(line.parameters for line in lines)
    rows = [("layer", "kind", "calls", "parameters", "FLOPs", "time", "share")]
    rows += [
        (line.name or f"({model} itself)", line.kind, f"{line.calls}", f"{line.parameters:,}",
         "?" if line.flops is None else f"{line.flops:,}", duration(line.seconds), share(line.seconds, seconds))
        for line in lines
    ]  # fmt: skip
    rows.append(("total", "", "", f"{parameters:,}", f"{flops:,}", duration(seconds), share(seconds, seconds)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = [aligned(row, widths) for row in rows]
    unknown = sorted({line.kind for line in lines if line.flops is None})
    if unknown:
        text.append(f"? no FLOP rule for {', '.join(unknown)}: flop_rule(name) registers one")
    return "\n".join([*text, verdict(lines, seconds, flops, model)])


def aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """A line of the table: two names at the left, numbers at the right."""
    cells = [cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(cells).rstrip()


def verdict(lines: Sequence[LayerProfile], seconds: float, flops: int, model: str) -> str:
    """The sentence that names the bottleneck.

    >>> slow = LayerProfile(name="1", kind="GELU", calls=1, parameters=0, flops=9, seconds=0.75)
    >>> fast = LayerProfile(name="0", kind="Linear", calls=1, parameters=12, flops=91, seconds=0.25)
    >>> verdict([fast, slow], 1.0, 100, "Sequential")
    'bottleneck: 1 (GELU) takes 75 % of the time and does 9 % of the FLOPs'
    """
    worst = max(lines, key=lambda line: line.seconds)
    name = f"{worst.name} ({worst.kind})" if worst.name else f"{model} itself"
    work = "" if worst.flops is None else f" and does {share(worst.flops, flops)} of the FLOPs"
    return f"bottleneck: {name} takes {share(worst.seconds, seconds)} of the time{work}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; of nothing, everything is 0 %."""
    return f"{100 * part / whole if whole else 0:.0f} %"


def duration(seconds: float) -> str:
    """Seconds in a unit that fits.

    >>> duration(0.0000125), duration(0.25), duration(2)
    ('12.5 µs', '250.0 ms', '2.00 s')
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
