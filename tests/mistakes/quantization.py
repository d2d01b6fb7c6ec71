"""Usual mistakes in module 15."""

from __future__ import annotations

from tests.mistakes import Mistaken

OTHERS = "others = tuple(axis for axis in range(array.ndim) if axis != channel)"
KEEP = "keep = dim is not None"
WRONG = "wrong = array.size - np.count_nonzero(np.isfinite(array))"
LOW = "    low = np.minimum(np.asarray(low, np.float64), 0)\n"
HIGH = "    high = np.maximum(np.asarray(high, np.float64), 0)\n"
STEPS = "steps = np.maximum(-low, high) / HIGHEST if symmetric else (high - low) / (HIGHEST - LOWEST)"
NOTHING = "    scale = np.where(scale > 0, scale, np.float32(1))\n"
ZERO_POINT = "zero_point = np.clip(np.rint(LOWEST - low / scale), LOWEST, HIGHEST)"
MARKS = "marks = np.rint(x / scale) + zero_point"
SATURATED = "    saturated: Array = np.clip(marks, LOWEST, HIGHEST)\n    return saturated.astype(np.int8)\n"
LOST = "    if lost:\n"
READ = "return from_numpy(self.centred(np.float32) * self.scale)"
QUANTIZE = "scale, zero_point = choose_grid(*value_range(x, dim), symmetric)"
SEEN = "        self.low = min(self.low, float(low))\n        self.high = max(self.high, float(high))\n"
PRODUCT = "total: Array = a.centred(exact) @ b.centred(exact)"
EXACT = "exact = np.float32 if a.shape[-1] * farthest[0] * farthest[1] <= 2**24 else np.float64"
MEET = "    if a.shape[-1] != b.shape[0]:\n"
WEIGHT = "weight = quantize(layer.weight, symmetric=True, dim=1)"
TWIN = "return cls(weight, layer.bias, *observer.grid())"
INPUT = "        marks = QuantizedTensor(to_int8(x.data, scale, zero_point), scale, zero_point)\n"
SCALED = "y = integer_matmul(marks, self.weight) * (scale * self.weight_scale.data[0])"
BIAS = "            y += self.bias.data\n"
FIND = "made = {id(layer): make(path, layer) for path, layer in everything if type(layer) is kind}"
LONE = "return made.get(id(model), model)"
COPY = "watched = replace_layers(copy.deepcopy(model).eval(), Linear, Watched)"
DONE = "return replace_layers(watched, Watched, lambda _, layer: layer.quantized()).eval()"
CALIBRATE = "        for batch in inputs_of(calibration):\n            watched(batch)\n"
FLOATS = "        if not isinstance(layer, QuantizedLinear)\n"

MISTAKES = [
    # ---- ranges and rulers
    Mistaken(
        name="the channels searched, not the rest",
        exercise="value_range",
        replace=OTHERS,
        by="others = tuple(axis for axis in range(array.ndim) if channel is None or axis == channel)",
        caught_by="test_range_of_each_channel",
        says="dim was searched",
    ),
    Mistaken(
        name="searched dimensions dropped",
        exercise="value_range",
        replace=KEEP,
        by="keep = False",
        caught_by="test_range_of_each_channel",
        says="keepdims leaves them",
    ),
    Mistaken(
        name="infinity let through",
        exercise="value_range",
        replace=WRONG,
        by="wrong = np.count_nonzero(np.isnan(array))",
        caught_by="test_range_refuses_nan_and_infinity",
    ),
    Mistaken(
        name="a range without 0",
        exercise="choose_grid",
        replace=LOW + HIGH,
        by="    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)\n",
        caught_by="test_the_grid_always_holds_zero",
        says="the range does not hold 0",
    ),
    Mistaken(
        name="the zero point of unsigned bytes",
        exercise="choose_grid",
        replace=ZERO_POINT,
        by="zero_point = np.clip(np.rint(-low / scale), LOWEST, HIGHEST)",
        caught_by="test_the_grid_covers_the_range",
    ),
    Mistaken(
        name="a zero point of the wrong sign",
        exercise="choose_grid",
        replace=ZERO_POINT,
        by="zero_point = np.clip(-np.rint(LOWEST - low / scale), LOWEST, HIGHEST)",
        caught_by="test_the_grid_covers_the_range",
        says="the zero point has the wrong sign",
    ),
    Mistaken(
        name="256 steps",
        exercise="choose_grid",
        replace=STEPS,
        by="steps = np.maximum(-low, high) / HIGHEST if symmetric else (high - low) / 256",
        caught_by="test_the_grid_covers_the_range",
        says="256 marks are 255 steps apart",
    ),
    Mistaken(
        name="a zero point cut off",
        exercise="choose_grid",
        replace=ZERO_POINT,
        by="zero_point = np.clip(np.floor(LOWEST - low / scale), LOWEST, HIGHEST)",
        caught_by="test_the_grid_covers_the_range",
    ),
    Mistaken(
        name="symmetric with 128",
        exercise="choose_grid",
        replace=STEPS,
        by="steps = np.maximum(-low, high) / 128 if symmetric else (high - low) / (HIGHEST - LOWEST)",
        caught_by="test_the_symmetric_grid",
        says="with 128 the largest number has no mark",
    ),
    Mistaken(
        name="symmetric by the upper end only",
        exercise="choose_grid",
        replace=STEPS,
        by="steps = high / HIGHEST if symmetric else (high - low) / (HIGHEST - LOWEST)",
        caught_by="test_the_symmetric_grid",
    ),
    Mistaken(
        name="a scale of 0 for a range of nothing",
        exercise="choose_grid",
        replace=NOTHING,
        by="",
        caught_by="test_a_range_of_nothing_has_a_grid",
    ),
    Mistaken(
        name="a zero point that is no int8",
        exercise="choose_grid",
        replace="    return scale, zero_point.astype(np.int8)\n",
        by="    return scale, zero_point\n",
        caught_by="test_a_grid_for_each_channel",
    ),
    # ---- marks
    Mistaken(
        name="cast without rounding",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.trunc(x / scale) + zero_point",
        caught_by="test_numbers_go_to_the_nearest_mark",
        says="digits were cut off",
    ),
    Mistaken(
        name="zero point left out",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.rint(x / scale)",
        caught_by="test_numbers_go_to_the_nearest_mark",
        says="the zero point was left out",
    ),
    Mistaken(
        name="zero point taken off",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.rint(x / scale) - zero_point",
        caught_by="test_numbers_go_to_the_nearest_mark",
        says="the zero point is added",
    ),
    Mistaken(
        name="multiplied by the scale",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.rint(x * scale) + zero_point",
        caught_by="test_numbers_go_to_the_nearest_mark",
        says="divide by scale",
    ),
    Mistaken(
        name="ties rounded up",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.floor(x / scale + 0.5) + zero_point",
        caught_by="test_ties_go_to_the_even_mark",
        says="every tie went up",
    ),
    Mistaken(
        name="ties rounded away from 0",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.sign(x) * np.floor(np.abs(x / scale) + 0.5) + zero_point",
        caught_by="test_ties_go_to_the_even_mark",
        says="ties went away from 0",
    ),
    Mistaken(
        name="cast before clip",
        exercise="to_int8",
        replace=SATURATED,
        by="    return np.clip(np.nan_to_num(marks).astype(np.int64).astype(np.int8), LOWEST, HIGHEST)\n",
        caught_by="test_what_lies_beyond_saturates",
        says="the cast came before the clip",
    ),
    Mistaken(
        name="clipped before the zero point",
        exercise="to_int8",
        replace=MARKS,
        by="marks = np.clip(np.rint(x / scale), LOWEST, HIGHEST) + zero_point",
        caught_by="test_numbers_go_to_the_nearest_mark",
        says="the clip came before the zero point",
    ),
    Mistaken(
        name="the first mark unused",
        exercise="to_int8",
        replace=SATURATED,
        by="    return np.clip(marks, -HIGHEST, HIGHEST).astype(np.int8)\n",
        caught_by="test_numbers_go_to_the_nearest_mark",
    ),
    Mistaken(
        name="NaN rounded to something",
        exercise="to_int8",
        replace=LOST,
        by="    if False:\n",
        caught_by="test_nan_has_no_mark",
    ),
    Mistaken(
        name="q * s - z",
        exercise="QuantizedTensor.dequantize",
        replace=READ,
        by="return from_numpy(self.values.astype(np.float32) * self.scale - self.zero_point)",
        caught_by="test_marks_are_read_off",
        says="the zero point is a mark",
    ),
    Mistaken(
        name="zero point added twice",
        exercise="QuantizedTensor.dequantize",
        replace=READ,
        by="return from_numpy((self.values.astype(np.float32) + self.zero_point) * self.scale)",
        caught_by="test_marks_are_read_off",
        says="the zero point was added",
    ),
    Mistaken(
        name="int8 minus int8",
        exercise="QuantizedTensor.dequantize",
        replace=READ,
        by="return from_numpy((self.values - self.zero_point) * self.scale)",
        caught_by="test_marks_are_read_off",
        says="wraps round",
    ),
    Mistaken(
        name="symmetric forgotten",
        exercise="quantize",
        replace=QUANTIZE,
        by="scale, zero_point = choose_grid(*value_range(x, dim))",
        caught_by="test_quantize_one_ruler",
        says="hand `symmetric` on",
    ),
    Mistaken(
        name="dim forgotten",
        exercise="quantize",
        replace=QUANTIZE,
        by="scale, zero_point = choose_grid(*value_range(x), symmetric)",
        caught_by="test_quantize_a_ruler_for_each_channel",
        says="all channels share one ruler",
    ),
    # ---- calibration
    Mistaken(
        name="the last batch only",
        exercise="MinMaxObserver.observe",
        replace=SEEN,
        by="        self.low, self.high = float(low), float(high)\n",
        caught_by="test_an_observer_remembers_all_batches",
        says="only the last batch is remembered",
    ),
    Mistaken(
        name="a range that shrinks",
        exercise="MinMaxObserver.observe",
        replace=SEEN,
        by="        first = self.low > self.high\n"
        "        self.low = float(low) if first else max(self.low, float(low))\n"
        "        self.high = float(high) if first else min(self.high, float(high))\n",
        caught_by="test_an_observer_remembers_all_batches",
        says="the range shrinks",
    ),
    Mistaken(
        name="a range that begins at 0",
        exercise="MinMaxObserver.observe",
        replace=SEEN,
        by="        self.low = min(0.0, self.low, float(low))\n        self.high = max(0.0, self.high, float(high))\n",
        caught_by="test_an_observer_hands_the_batch_on",
    ),
    Mistaken(
        name="NaN passed over by the observer",
        exercise="MinMaxObserver.observe",
        replace="        low, high = value_range(x)\n        self.low",
        by="        low, high = np.nanmin(x.data), np.nanmax(x.data)\n        self.low",
        caught_by="test_an_observer_refuses_nan_and_stays_as_it_was",
    ),
    # ---- whole numbers
    Mistaken(
        name="zero points left in the product",
        exercise="integer_matmul",
        replace=PRODUCT,
        by="total: Array = a.values.astype(exact) @ b.values.astype(exact)",
        caught_by="test_whole_numbers_are_multiplied",
        says="the zero points still count",
    ),
    Mistaken(
        name="int8 times int8",
        exercise="integer_matmul",
        replace=PRODUCT,
        by="total = a.centred(np.int16).astype(np.int8) @ b.centred(np.int16).astype(np.int8)",
        caught_by="test_sums_have_room",
        says="int8 times int8 is an int8",
    ),
    Mistaken(
        name="sums in float32",
        exercise="integer_matmul",
        replace=EXACT,
        by="exact = np.float32",
        caught_by="test_sums_have_room",
    ),
    Mistaken(
        name="sizes that do not meet",
        exercise="integer_matmul",
        replace=MEET,
        by="    if False:\n",
        caught_by="test_products_of_batches_and_columns",
    ),
    # ---- the layer
    Mistaken(
        name="a ruler for each input",
        exercise="QuantizedLinear.from_linear",
        replace=WEIGHT,
        by="weight = quantize(layer.weight, symmetric=True, dim=0)",
        caught_by="test_weights_have_a_ruler_for_each_output",
        says="each row of the weight has a ruler",
    ),
    Mistaken(
        name="one ruler for all outputs",
        exercise="QuantizedLinear.from_linear",
        replace=WEIGHT,
        by="weight = quantize(layer.weight, symmetric=True)",
        caught_by="test_weights_have_a_ruler_for_each_output",
        says="the outputs share one ruler",
    ),
    Mistaken(
        name="a quantised bias",
        exercise="QuantizedLinear.from_linear",
        replace=TWIN,
        by="bias = None if layer.bias is None else quantize(layer.bias).dequantize()\n"
        "        return cls(weight, bias, *observer.grid())",
        caught_by="test_the_bias_stays_float_and_nothing_is_shared",
    ),
    Mistaken(
        name="a ruler chosen anew for each input",
        exercise="QuantizedLinear.forward",
        replace=INPUT,
        by="        marks = quantize(x)\n        scale = marks.scale\n",
        caught_by="test_the_layer_rounds_multiplies_and_scales",
    ),
    Mistaken(
        name="the scale of the input missing",
        exercise="QuantizedLinear.forward",
        replace=SCALED,
        by="y = integer_matmul(marks, self.weight) * self.weight_scale.data[0]",
        caught_by="test_the_layer_rounds_multiplies_and_scales",
        says="the scale of the input is missing",
    ),
    Mistaken(
        name="the bias scaled",
        exercise="QuantizedLinear.forward",
        replace=BIAS,
        by="            y += self.bias.data * scale * self.weight_scale.data[0]\n",
        caught_by="test_the_layer_rounds_multiplies_and_scales",
        says="the bias was scaled",
    ),
    Mistaken(
        name="the bias forgotten",
        exercise="QuantizedLinear.forward",
        replace=BIAS,
        by="            pass\n",
        caught_by="test_the_layer_rounds_multiplies_and_scales",
        says="the bias is missing",
    ),
    Mistaken(
        name="nothing rounded",
        exercise="QuantizedLinear.forward",
        replace=SCALED,
        by="y = x.data @ self.weight.dequantize().data",
        caught_by="test_the_layer_rounds_multiplies_and_scales",
    ),
    # ---- models
    Mistaken(
        name="float weights kept beside",
        exercise="quantize_model",
        replace=DONE,
        by="small = replace_layers(watched, Watched, lambda _, layer: keep(layer))\n"
        "    return small.eval()\n\n\n"
        "def keep(watched: Watched) -> QuantizedLinear:\n"
        "    small = watched.quantized()\n"
        '    small.register_buffer("float_weight", from_numpy(watched.layer.weight.data.copy()))\n'
        "    return small",
        caught_by="test_bytes_of_a_quantised_model",
        says="the float weights are still there",
    ),
    Mistaken(
        name="only the outermost layers",
        exercise="replace_layers",
        replace=FIND,
        by=FIND.replace("in everything if", "in model.named_children() if"),
        caught_by="test_layers_are_replaced_at_any_depth",
        says="only the outermost layers",
    ),
    Mistaken(
        name="subclasses taken too",
        exercise="replace_layers",
        replace=FIND,
        by=FIND.replace("type(layer) is kind", "isinstance(layer, kind)"),
        caught_by="test_shared_layers_stay_shared",
    ),
    Mistaken(
        name="a lone layer passed over",
        exercise="replace_layers",
        replace=LONE,
        by="return model",
        caught_by="test_shared_layers_stay_shared",
    ),
    Mistaken(
        name="the model itself changed",
        exercise="quantize_model",
        replace=COPY,
        by=COPY.replace("copy.deepcopy(model)", "model"),
        caught_by="test_the_model_itself_is_left_alone",
        says="the model itself was changed",
    ),
    Mistaken(
        name="calibration with dropout",
        exercise="quantize_model",
        replace=COPY,
        by=COPY.replace(".eval()", ".train()"),
        caught_by="test_every_layer_gets_the_ruler_of_its_own_inputs",
    ),
    Mistaken(
        name="new layers left in training mode",
        exercise="quantize_model",
        replace=DONE,
        by=DONE.removesuffix(".eval()"),
        caught_by="test_the_model_itself_is_left_alone",
    ),
    Mistaken(
        name="one batch of calibration",
        exercise="quantize_model",
        replace=CALIBRATE,
        by="        watched(next(inputs_of(calibration)))\n",
        caught_by="test_every_layer_gets_the_ruler_of_its_own_inputs",
    ),
    Mistaken(
        name="quantised layers named as float",
        exercise="left_alone",
        replace=FLOATS,
        by="        if True\n",
        caught_by="test_layers_that_stay_float_are_named",
    ),
    Mistaken(
        name="layers of buffers not named",
        exercise="left_alone",
        replace="for tensor in layer._own_tensors(buffers=True).values())",
        by="for tensor in layer._own_tensors(buffers=False).values())",
        caught_by="test_layers_that_stay_float_are_named",
        says="buffers of floats count, too",
    ),
]
