"""Hints for module 14: a question, the idea with one number, and the algorithm in words."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

TIME = "How long, and how long for most"
BYTES = "How many bytes"
WORK = "How many operations"
LAYERS = "Which layer"

LADDERS = {
    "percentile": Ladder(
        ask=(
            "Put 3, 1, 2 and 10 in order and number them from 0. Which number has the last one? Percentile 100 is "
            "there, percentile 0 is at number 0. Where is percentile 75, and between which two samples is that?"
        ),
        idea=(
            "Position 0.75 · 3 = 2.25: a quarter of the way from 3 to 10, so 4.75. The mean of [1, 1, 1, 1, 96] is 20, "
            "its percentile 50 is 1."
        ),
        algorithm=(
            "Refuse an empty list, and a q outside 0 to 100. ordered = sorted(samples). position = q / 100 * (n - 1). "
            "below = int(position), above = min(below + 1, n - 1). Return ordered[below] + (position - below) * "
            "(ordered[above] - ordered[below])."
        ),
        smaller="percentile([0.0, 1.0], 25) is 0.25",
        lesson=TIME,
        proof="""
        >>> Latency((0.0, 1.0)).percentile(25)
        0.25
        >>> 0.75 * 3, Latency((3, 1, 2, 10)).percentile(75)
        (2.25, 4.75)
        >>> Latency((1, 1, 1, 1, 96)).mean, Latency((1, 1, 1, 1, 96)).median
        (20.0, 1.0)
        """,
    ),
    "measure_latency": Ladder(
        ask=(
            "Three calls take 5, 1 and 1 seconds, and the first is the warm-up. How often do you look at the clock "
            "altogether, and what has to happen between two looks that belong together?"
        ),
        idea=(
            "Four looks: directly before and directly after each of the two calls that count. Samples (1, 1). One look "
            "at the start for all gives (1, 2); measuring the warm-up gives a 5."
        ),
        algorithm=(
            "Refuse repeats < 1 and warmup < 0 with ValueError. for _ in range(warmup): function(*args). Then, repeats "
            "times: start = clock(); function(*args); samples.append(clock() - start). Return Latency(tuple(samples)). "
            "Nothing is kept from one call for the next."
        ),
        smaller="a clock that shows 10.0 and 10.5 around the only call gives samples (0.5,)",
        lesson=TIME,
        proof="""
        >>> measure_latency(abs, -1, warmup=0, repeats=1, clock=iter([10.0, 10.5]).__next__).samples
        (0.5,)
        """,
    ),
    "profile": Ladder(
        ask=(
            "After step = profile(step), the name `step` is another function. What must it do with the arguments it "
            "gets, what with the value, and what happens to the clock's second look if the function raises?"
        ),
        idea=(
            "A wrapper hands on `*args` and `**kwargs`, and returns what comes back: profile(abs)(-3) is 3. "
            "In `finally`, the time is noted with an error and without. functools.wraps(function) keeps the name."
        ),
        algorithm=(
            "If function is None: return functools.partial(profile, clock=clock). samples = []. Below "
            "@functools.wraps(function): def wrapper(*args, **kwargs): start = clock(); try: return function(*args, "
            "**kwargs); finally: samples.append(clock() - start). Then wrapper.samples = samples, wrapper.latency = "
            "lambda: Latency(tuple(samples)), and return wrapper."
        ),
        smaller="profile(abs)(-3) is 3",
        lesson=TIME,
        proof="""
        >>> profile(abs)(-3)
        3
        """,
    ),
    "measure_memory": Ladder(
        ask=(
            "A function makes an array of 3 MB, then one of 2 MB, throws the first away and returns the second. How "
            "much is in use at the worst moment, and how much afterwards? And if 10 MB were in use before?"
        ),
        idea=(
            "5 MB and 2 MB, whatever was in use before: both numbers are differences from get_traced_memory()[0] "
            "before the call. An earlier peak would be reported as this one's, so forget it by reset_peak()."
        ),
        algorithm=(
            "theirs = tracemalloc.is_tracing(); start it if not. In try: reset_peak(), before = "
            "get_traced_memory()[0], result = function(*args), after, peak = get_traced_memory(). In finally: stop, "
            "unless theirs. Return Memory(peak - before, after - before). The variable result keeps the array alive."
        ),
        smaller="measure_memory(np.ones, 1000): kept is a little over 8000",
        lesson=BYTES,
        proof="""
        >>> 8000 <= measure_memory(np.ones, 1000).kept < 9000
        True
        """,
    ),
    "count_parameters": Ladder(
        ask=(
            "Linear(3, 4) has a weight and a bias. How many numbers are in the one, how many in the other? Which "
            "method of a tensor says so, and which method of a model gives each parameter once?"
        ),
        idea=(
            "12 and 4, together 16. `len(tensor)` would be the first size only, and the number of tensors is 2. "
            "`parameters()` has taken care of shared ones already."
        ),
        algorithm="The sum of parameter.numel() for every parameter in model.parameters(). One line, and no condition.",
        smaller="count_parameters(Linear(3, 4)) is 16",
        lesson=BYTES,
        proof="""
        >>> count_parameters(Linear(3, 4)), [p.numel() for p in Linear(3, 4).parameters()]
        (16, [12, 4])
        """,
    ),
    "weight_bytes": Ladder(
        ask=(
            "float32 means 32 bits. How many bytes is that, and how many does Linear(3, 4) take? What else does a "
            "BatchNorm store, besides what it learns?"
        ),
        idea=(
            "4 bytes, 16 numbers: 64. In float64 it would be 128. Running statistics are buffers, stored like "
            "parameters. Ask each tensor, since dtypes may differ within a model."
        ),
        algorithm="The sum of tensor.nbytes for every tensor in (*model.parameters(), *model.buffers()). One line.",
        smaller="weight_bytes(Linear(3, 4)) is 64",
        lesson=BYTES,
        proof="""
        >>> weight_bytes(Linear(3, 4)), weight_bytes(Linear(3, 4).to(np.float64))
        (64, 128)
        """,
    ),
    "linear_flops": Ladder(
        ask=(
            "y = x @ weight + bias with 3 features in. Write the sum for one single number of y. How many "
            "multiplications do you count, how many additions if the sum starts at 0, and what does the bias add?"
        ),
        idea=(
            "3 products, 3 additions, 1 bias: 7. Two rows of 4 outputs are 8 such numbers, so 56, and 48 without the "
            "bias. 24 would be one operation for a multiply and an add."
        ),
        algorithm=(
            "Each of y.numel() numbers takes 2 * layer.weight.shape[0], and 1 more where layer.bias is not None. "
            "Multiply the two. y.numel() has all rows in it, whatever dimensions stand in front."
        ),
        smaller="Linear(3, 4) of 2 rows: 56, without a bias 48",
        lesson=WORK,
        proof="""
        >>> count_flops(Linear(3, 4), zeros(2, 3)), count_flops(Linear(3, 4, bias=False), zeros(2, 3))
        (56, 48)
        >>> 2 * 4 * 3
        24
        """,
    ),
    "conv2d_flops": Ladder(
        ask=(
            "A filter of 3 × 3 on an image of one channel: how many products for one number of the output? The filter "
            "has moved to 4 × 5 places; how many numbers come out of 2 filters?"
        ),
        idea=(
            "9 products, so 18 operations, and 1 for the bias: 19 for each of 40 numbers, 760. With the image grows "
            "the output, and with it the work; the weight stays as it is."
        ),
        algorithm=(
            "window = math.prod(layer.weight.shape[1:]): channels times height times width. y.numel() * (2 * window "
            "+ 1), without the 1 where layer.bias is None. The input's size is not needed."
        ),
        smaller="1 channel, 2 filters of 3 × 3, output 4 × 5: 760",
        lesson=WORK,
        proof="""
        >>> 2 * 4 * 5 * (2 * 9 + 1)
        760
        """,
    ),
    "layer_norm_flops": Ladder(
        ask=(
            "Go down the list of the docstring for one sample of 4 numbers. Which steps are done for each number, and "
            "which once for the sample? What falls away where there is no bias?"
        ),
        idea=(
            "5 a number without weight and bias, 1 more for each of the two; once a sample 1 + 1 + 3 = 5. So 7 · 4 + 5 "
            "= 33, and 66 for two samples."
        ),
        algorithm=(
            "n = math.prod(layer.normalized_shape). samples = y.numel() // n. affine = how many of layer.weight and "
            "layer.bias are not None. samples * ((5 + affine) * n + 5)."
        ),
        smaller="LayerNorm(4) of 2 samples: 66",
        lesson=WORK,
        proof="""
        >>> count_flops(LayerNorm(4), zeros(2, 4))
        66
        """,
    ),
    "attention_flops": Ladder(
        ask=(
            "Three tokens, two heads: how many scores are there in all? What does one score take, if the vectors of a "
            "head have size 2? And how many operations does it cause when the values are mixed?"
        ),
        idea=(
            "2 · 3 · 3 = 18 scores. One takes 4 for its product, 1 for the division, 5 for the softmax, and 4 when its "
            "share is applied to a value: 14, together 252."
        ),
        algorithm=(
            "S = key.shape[-2], of the query where key is None. scores = query.numel() // D * H * S with D = "
            "query.shape[-1], H = layer.num_heads. size = D // H. Return scores * (2 * size + 1 + 5 + 2 * size). Masks "
            "change nothing, and the Linear layers count for themselves."
        ),
        smaller="one text, T = 3, D = 4, 2 heads: 252",
        lesson=WORK,
        proof="""
        >>> 2 * 3 * 3 * (4 + 1 + 5 + 4)
        252
        """,
    ),
    "watched": Ladder(
        ask=(
            "A with-block runs what stands before `yield`, then the block, then what stands behind. If the block "
            "raises, does the part behind `yield` run? Which word makes sure that it does?"
        ),
        idea=(
            "`try: put, yield; finally: restore`. Two watches of one model must see the same number of calls. A "
            "wrapper left behind is watched itself, and the second sees each layer twice."
        ),
        algorithm=(
            "found = places(model). try: for each place, place.put(functools.partial(around, place)); then yield. "
            "finally: for each place, place.restore(). The partial keeps its own place; a lambda would look up the "
            "loop's variable when it is called, and that is the last place by then."
        ),
        smaller="behind the with-block, a call of the model calls around no more",
        lesson=LAYERS,
    ),
    "Stopwatch.__call__": Ladder(
        ask=(
            "A block runs from 0 to 3.5, and a layer inside it from 1 to 3. How long did the block work itself? Where "
            "could the layer leave a note of its time, for the block to find when it ends?"
        ),
        idea=(
            "2.0 for the layer, 1.5 for the block, together 3.5. The note is the last number of self.inside: each "
            "layer puts a 0.0 there for its own layers to add to, and takes it away when it ends."
        ),
        algorithm=(
            "self.inside.append(0.0); start = self.clock(). try: return place.call(*args, **kwargs). finally: elapsed "
            "= self.clock() - start; take self.inside.pop() off for self.seconds[place.name] (add, from 0 with .get); "
            "1 more in self.calls; if self.inside is not empty, self.inside[-1] += elapsed, the whole of it."
        ),
        smaller="a block from 0 to 3.5 with a layer from 1 to 3: 1.5 and 2.0",
        lesson=LAYERS,
        proof="""
        >>> clock = iter([0.0, 1.0, 3.0, 3.5]).__next__
        >>> lines = Profiler(Sequential(Identity()), clock).layers(zeros(1), warmup=0, repeats=1)
        >>> [line.seconds for line in lines]
        [1.5, 2.0]
        """,
    ),
    "Profiler.bottleneck": Ladder(
        ask=(
            "Of three layers, one has the most parameters, one does the most operations, and one takes the most "
            "seconds. For which of them does a program get faster when somebody improves it?"
        ),
        idea=(
            "The one with the most seconds. A layer that takes 75 of 100 seconds can make the whole four times as "
            "fast; one that takes 1 can make it faster by 1."
        ),
        algorithm=(
            "lines = self.layers(*inputs, warmup=warmup, repeats=repeats), and max(lines, key=lambda line: "
            "line.seconds). `max` gives the first of several that are equal."
        ),
        smaller="of layers with 1, 7 and 2 seconds it is the second",
        lesson=LAYERS,
    ),
}
