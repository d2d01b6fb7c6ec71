"""Usual mistakes of module 14, and the check that must catch each of them."""

from __future__ import annotations

from tests.mistakes import Mistaken

BETWEEN = "test_percentile_goes_on_towards_the_next_sample"
LATENCY = "test_latency_is_measured_call_by_call"
ANEW = "test_latency_calls_anew_each_time"
VALUE = "test_profile_gives_the_value_back"
MEMORY = "test_memory_is_what_a_call_allocates"
BEFORE = "test_memory_counts_from_before_the_call"
NUMBERS = "test_parameters_are_counted_number_by_number"
LAYERS = "test_watched_sees_every_layer"
SELF_TIMES = "test_stopwatch_takes_self_times"
SLOWEST = "test_bottleneck_is_the_slowest_layer"

MISTAKES = [
    Mistaken(
        name="the mean called median",
        exercise="percentile",
        replace="    return ordered[below] + (position - below) * (ordered[above] - ordered[below])",
        by="    return sum(ordered) / len(ordered)",
        caught_by=BETWEEN,
        says="this is the mean",
    ),
    Mistaken(
        name="samples not sorted",
        exercise="percentile",
        replace="ordered = sorted(samples)",
        by="ordered = list(samples)",
        caught_by=BETWEEN,
        says="the samples were not sorted first",
    ),
    Mistaken(
        name="n samples at the positions 1 to n",
        exercise="percentile",
        replace="q / 100 * (len(ordered) - 1)",
        by="min(q / 100 * len(ordered), len(ordered) - 1)",
        caught_by=BETWEEN,
        says="n samples have the positions 0 to n - 1",
    ),
    Mistaken(
        name="the sample below",
        exercise="percentile",
        replace="    return ordered[below] + (position - below) * (ordered[above] - ordered[below])",
        by="    return ordered[below]",
        caught_by=BETWEEN,
        says="the sample below was taken as it is",
    ),
    Mistaken(
        name="the caller's samples sorted",
        exercise="percentile",
        replace="ordered = sorted(samples)",
        by="ordered = samples\n    ordered.sort()",
        caught_by="test_percentile_leaves_the_samples_alone",
        says="the caller's list was sorted",
    ),
    Mistaken(
        name="the warm-up measured",
        exercise="measure_latency",
        replace="    for _ in range(repeats):\n        start = clock()",
        by="    for _ in range(warmup + repeats):\n        start = clock()",
        caught_by=LATENCY,
    ),
    Mistaken(
        name="no warm-up",
        exercise="measure_latency",
        replace="    for _ in range(warmup):\n        function(*args)\n",
        by="",
        caught_by=LATENCY,
        says="the calls of the warm-up were measured, too",
    ),
    Mistaken(
        name="all times from the start",
        exercise="measure_latency",
        replace="    samples = []\n    for _ in range(repeats):\n        start = clock()\n",
        by="    samples = []\n    start = clock()\n    for _ in range(repeats):\n",
        caught_by=LATENCY,
        says="all times count from the first look at the clock",
    ),
    Mistaken(
        name="nothing timed",
        exercise="measure_latency",
        replace="        start = clock()\n        function(*args)\n        samples.append(clock() - start)",
        by="        function(*args)\n        start = clock()\n        samples.append(clock() - start)",
        caught_by=LATENCY,
        says="no time passed between the two looks",
    ),
    Mistaken(
        name="the wall clock in place of the one that was handed in",
        exercise="measure_latency",
        replace="        start = clock()\n        function(*args)\n        samples.append(clock() - start)",
        by="        start = time.time()\n        function(*args)\n        samples.append(time.time() - start)",
        caught_by=LATENCY,
    ),
    Mistaken(
        name="the answer kept, one call measured again and again",
        exercise="measure_latency",
        replace="        start = clock()\n        function(*args)\n        samples.append(clock() - start)",
        by=(
            "        start = clock()\n        if not samples:\n            function(*args)\n"
            "        samples.append(clock() - start)"
        ),
        caught_by=LATENCY,
    ),
    Mistaken(
        name="the mean for every call",
        exercise="measure_latency",
        replace="    return Latency(tuple(samples))\n\n\ndef profile",
        by="    return Latency((sum(samples) / repeats,) * repeats)\n\n\ndef profile",
        caught_by=LATENCY,
        says="the mean stands for every call",
    ),
    Mistaken(
        name="one warm-up call, whatever the number",
        exercise="measure_latency",
        replace="    for _ in range(warmup):\n        function",
        by="    for _ in range(1 if warmup else 0):\n        function",
        caught_by=LATENCY,
    ),
    Mistaken(
        name="arguments forgotten",
        exercise="measure_latency",
        replace="        start = clock()\n        function(*args)\n",
        by="        start = clock()\n        function()\n",
        caught_by=ANEW,
    ),
    Mistaken(
        name="the decorated function gives nothing back",
        exercise="profile",
        replace="            return function(*args, **kwargs)\n        finally:\n            samples",
        by="            function(*args, **kwargs)\n        finally:\n            samples",
        caught_by=VALUE,
        says="the decorated function gives None",
    ),
    Mistaken(
        name="the wrapper's own name",
        exercise="profile",
        replace="    @functools.wraps(function)\n",
        by="",
        caught_by="test_profile_keeps_name_and_text",
        says="functools.wraps(function) hands on the old one",
    ),
    Mistaken(
        name="calls that raise not noted",
        exercise="profile",
        replace=(
            "        try:\n            return function(*args, **kwargs)\n        finally:\n"
            "            samples.append(clock() - start)"
        ),
        by="        value = function(*args, **kwargs)\n        samples.append(clock() - start)\n        return value",
        caught_by="test_profile_notes_calls_that_raise",
        says="the call that raised is missing",
    ),
    Mistaken(
        name="memory in use in place of the peak",
        exercise="measure_memory",
        replace="return Memory(peak - before, after - before)",
        by="return Memory(after - before, after - before)",
        caught_by=MEMORY,
        says="the peak is the second number",
    ),
    Mistaken(
        name="the result gone before anybody looked",
        exercise="measure_memory",
        replace="        result = function(*args)\n",
        by="        result = None\n        function(*args)\n",
        caught_by=MEMORY,
        says="the result was gone before you looked",
    ),
    Mistaken(
        name="what was in use before not subtracted",
        exercise="measure_memory",
        replace="return Memory(peak - before, after - before)",
        by="return Memory(peak, after)",
        caught_by=BEFORE,
        says="what was in use before the call was not subtracted",
    ),
    Mistaken(
        name="an earlier peak",
        exercise="measure_memory",
        replace="        tracemalloc.reset_peak()\n",
        by="",
        caught_by=BEFORE,
    ),
    Mistaken(
        name="somebody else's tracing stopped",
        exercise="measure_memory",
        replace="    finally:\n        if not theirs:\n            tracemalloc.stop()",
        by="    finally:\n        tracemalloc.stop()",
        caught_by=BEFORE,
        says="tracemalloc was stopped, though somebody else had started it",
    ),
    Mistaken(
        name="tracing goes on after an error",
        exercise="measure_memory",
        replace="        del result\n    finally:\n        if not theirs:\n            tracemalloc.stop()",
        by=(
            "        del result\n    except ZeroDivisionError:\n        pass\n"
            "    if not theirs:\n        tracemalloc.stop()"
        ),
        caught_by="test_memory_stops_tracing_after_an_error",
        says="tracing goes on after the error",
    ),
    Mistaken(
        name="tensors counted in place of numbers",
        exercise="count_parameters",
        replace="return sum(parameter.numel() for parameter in model.parameters())",
        by="return len(list(model.parameters()))",
        caught_by=NUMBERS,
        says="these are the tensors",
    ),
    Mistaken(
        name="shared weights counted at each place",
        exercise="count_parameters",
        replace="return sum(parameter.numel() for parameter in model.parameters())",
        by="return sum(parameter.numel() for _, parameter in model.named_parameters(remove_duplicate=False))",
        caught_by="test_a_shared_parameter_is_one",
        says="each place was counted",
    ),
    Mistaken(
        name="frozen parameters left out",
        exercise="count_parameters",
        replace="return sum(parameter.numel() for parameter in model.parameters())",
        by="return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)",
        caught_by="test_frozen_parameters_count_and_buffers_do_not",
        says="frozen parameters are missing",
    ),
    Mistaken(
        name="8 bytes a number",
        exercise="weight_bytes",
        replace="sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))",
        by="sum(8 * tensor.numel() for tensor in (*model.parameters(), *model.buffers()))",
        caught_by="test_bytes_of_float32",
        says="every number was taken for 8 bytes",
    ),
    Mistaken(
        name="buffers left out of the bytes",
        exercise="weight_bytes",
        replace="(*model.parameters(), *model.buffers())",
        by="model.parameters()",
        caught_by="test_bytes_are_the_tensors_own_affair",
        says="the buffers are missing",
    ),
    Mistaken(
        name="multiply and add as one",
        exercise="linear_flops",
        replace="(2 * products + (layer.bias is not None))",
        by="(products + (layer.bias is not None))",
        caught_by="test_linear_flops",
        says="a multiply and an add were counted as one",
    ),
    Mistaken(
        name="no addition for the bias",
        exercise="linear_flops",
        replace="(2 * products + (layer.bias is not None))",
        by="2 * products",
        caught_by="test_linear_flops",
        says="the bias is missing",
    ),
    Mistaken(
        name="the size of the output forgotten",
        exercise="conv2d_flops",
        replace="return y.numel() * (2 * window + (layer.bias is not None))",
        by="return y.shape[0] * y.shape[1] * (2 * window + (layer.bias is not None))",
        caught_by="test_conv2d_flops",
        says="the size of the output is missing",
    ),
    Mistaken(
        name="one channel of the window",
        exercise="conv2d_flops",
        replace="window: int = math.prod(layer.weight.shape[1:])",
        by="window: int = math.prod(layer.weight.shape[2:])",
        caught_by="test_conv2d_flops",
        says="one channel was counted",
    ),
    Mistaken(
        name="places counted in the input",
        exercise="conv2d_flops",
        replace="return y.numel() * (2 * window + (layer.bias is not None))",
        by=("return y.shape[0] * y.shape[1] * x.shape[2] * x.shape[3] * (2 * window + (layer.bias is not None))"),
        caught_by="test_conv2d_flops",
        says="places were counted in the input",
    ),
    Mistaken(
        name="what a sample takes once forgotten",
        exercise="layer_norm_flops",
        replace="((5 + affine) * n + 5)",
        by="((5 + affine) * n)",
        caught_by="test_layer_norm_flops",
        says="what is done once for each sample is missing",
    ),
    Mistaken(
        name="the last dimension alone is a sample",
        exercise="layer_norm_flops",
        replace="n: int = math.prod(layer.normalized_shape)",
        by="n: int = layer.normalized_shape[-1]",
        caught_by="test_layer_norm_flops_of_what_is_there",
        says="a sample has all of normalized_shape",
    ),
    Mistaken(
        name="every head as wide as all of them",
        exercise="attention_flops",
        replace="size: int = query.shape[-1] // layer.num_heads",
        by="size: int = query.shape[-1]",
        caught_by="test_attention_flops",
        says="a head works with vectors of size D / H",
    ),
    Mistaken(
        name="softmax and division forgotten",
        exercise="attention_flops",
        replace="(2 * size + 1 + 5 + 2 * size)",
        by="(4 * size)",
        caught_by="test_attention_flops",
        says="division and softmax are missing",
    ),
    Mistaken(
        name="keys counted in the query",
        exercise="attention_flops",
        replace="keys = (query if key is None else key).shape[-2]",
        by="keys = query.shape[-2]",
        caught_by="test_attention_flops_across",
        says="the keys come from the second input",
    ),
    Mistaken(
        name="a lambda in a loop",
        exercise="watched",
        replace="place.put(functools.partial(around, place))",
        by="place.put(lambda *args, **kwargs: around(place, *args, **kwargs))",
        caught_by=LAYERS,
    ),
    Mistaken(
        name="wrappers left behind",
        exercise="watched",
        replace="    finally:\n        for place in found:\n            place.restore()",
        by="    finally:\n        pass",
        caught_by="test_watched_restores_the_layers",
        says="the wrappers stayed behind",
    ),
    Mistaken(
        name="wrappers left behind by an error",
        exercise="watched",
        replace="        yield\n    finally:\n        for place in found:\n            place.restore()",
        by=(
            "        yield\n    except ZeroDivisionError:\n        pass\n"
            "    for place in found:\n        place.restore()"
        ),
        caught_by="test_watched_restores_after_an_error",
        says="after an error the wrappers stayed behind",
    ),
    Mistaken(
        name="parent and child both summed",
        exercise="Stopwatch.__call__",
        replace="+ elapsed - self.inside.pop()",
        by="+ elapsed + 0 * self.inside.pop()",
        caught_by=SELF_TIMES,
        says="so that they count twice",
    ),
    Mistaken(
        name="the parent told of the self time",
        exercise="Stopwatch.__call__",
        replace=(
            "            self.seconds[place.name] = self.seconds.get(place.name, 0.0) + elapsed - self.inside.pop()\n"
        ),
        by=(
            "            elapsed -= self.inside.pop()\n"
            "            self.seconds[place.name] = self.seconds.get(place.name, 0.0) + elapsed\n"
        ),
        caught_by=SELF_TIMES,
        says="a parent needs the whole time of each layer inside it",
    ),
    Mistaken(
        name="the last call alone",
        exercise="Stopwatch.__call__",
        replace="= self.seconds.get(place.name, 0.0) + elapsed",
        by="= elapsed",
        caught_by="test_stopwatch_adds_up_calls",
        says="the last call alone is there",
    ),
    Mistaken(
        name="the layer with the most operations",
        exercise="Profiler.bottleneck",
        replace="return max(lines, key=lambda line: line.seconds)\n\n    def report",
        by="return max(lines, key=lambda line: line.flops or 0)\n\n    def report",
        caught_by=SLOWEST,
    ),
    Mistaken(
        name="the fastest layer",
        exercise="Profiler.bottleneck",
        replace="return max(lines, key=lambda line: line.seconds)\n\n    def report",
        by="return min(lines[1:], key=lambda line: line.seconds)\n\n    def report",
        caught_by=SLOWEST,
        says="this is the fastest layer",
    ),
    Mistaken(
        name="warm-up and repeats not handed on",
        exercise="Profiler.bottleneck",
        replace=("        lines = self.layers(*inputs, warmup=warmup, repeats=repeats)\n        return max(lines"),
        by="        lines = self.layers(*inputs)\n        return max(lines",
        caught_by="test_bottleneck_hands_warmup_and_repeats_on",
        says="warmup and repeats were not handed on",
    ),
]
