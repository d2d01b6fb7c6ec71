"""Hints for module 15, quantization."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "value_range": Ladder(
        ask=(
            "x has the rows [1, 5] and [2, -3]. What is the smallest number of all, and what is the smallest of each "
            "column? If dim=1 counts the columns, which dimension did you run along to find the second answer?"
        ),
        idea=(
            "-3; and 1 and -3, found by running along dimension 0. So the channel's own dimension is the one that is "
            "*not* searched, and all others are. With keepdims the answer is [[1, -3]], of shape (1, 2), and lies "
            "over x column for column. Without dim nothing is spared."
        ),
        algorithm=(
            "TypeError if x.data.dtype.kind is not 'f', ValueError if there are no numbers. wrong = size minus "
            "np.count_nonzero(np.isfinite(array)); ValueError naming wrong and size if there are any. channel = None, "
            "or wrap_dim(dim, ndim). others = tuple of all axes that are not channel. Return array.min(axis=others, "
            "keepdims=dim is not None) and the same with max, both through np.asarray."
        ),
        smaller="value_range(tensor([1., -2., 4.])) is (-2.0, 4.0)",
        lesson="A ruler with 256 marks",
        proof="""
        >>> low, high = tinytorch.quantization.value_range(tensor([1.0, -2.0, 4.0]))
        >>> float(low), float(high)
        (-2.0, 4.0)
        >>> x = np.array([[1, 5], [2, -3]])
        >>> int(x.min()), x.min(axis=0, keepdims=True).tolist(), x.min(axis=0, keepdims=True).shape
        (-3, [[1, -3]], (1, 2))
        """,
    ),
    "choose_grid": Ladder(
        ask=(
            "The numbers run from -1 to 4. 256 marks lie evenly between these ends: how far apart are neighbours? "
            "Mark -128 stands at -1; how many marks further does 0 stand? And where would 0 stand if they ran from 2 "
            "to 4?"
        ),
        idea=(
            "5 / 255 = 0.0196, since 256 marks have 255 gaps. 0 stands 1 / 0.0196 = 51 marks further, at -77. From 2 "
            "to 4 no mark is 0, so the range is widened to 0 ... 4 first. Symmetric, 0 is mark 0 by decree, and 127 "
            "steps must reach the farther end."
        ),
        algorithm=(
            "low = np.minimum(np.float64(low), 0), high = np.maximum(np.float64(high), 0). steps = np.maximum(-low, "
            "high) / 127 if symmetric, else (high - low) / 255. scale = np.asarray(steps, np.float32), then "
            "np.where(scale > 0, scale, np.float32(1)). Symmetric: zero points np.zeros(scale.shape, np.int8). Else "
            "np.clip(np.rint(-128 - low / scale), -128, 127).astype(np.int8)."
        ),
        smaller="choose_grid(-128.0, 127.0) is (1.0, 0)",
        lesson="A ruler with 256 marks",
        proof="""
        >>> [float(number) for number in tinytorch.quantization.choose_grid(-128.0, 127.0)]
        [1.0, 0.0]
        >>> scale, zero_point = tinytorch.quantization.choose_grid(-1.0, 4.0)
        >>> round(float(scale), 4), int(zero_point), round(5 / 255, 4)
        (0.0196, -77, 0.0196)
        """,
    ),
    "to_int8": Ladder(
        ask=(
            "scale is 0.5 and the zero point 3. How many steps is 1.2 from 0, and which mark is nearest? Which mark "
            "is nearest to 100? What does np.array(203).astype(np.int8) say to that?"
        ),
        idea=(
            "2.4 steps, so 2, and counted from the zero point it is mark 5. 100 is 200 steps, mark 203, which does "
            "not exist: the last one is 127. The cast alone makes -53 of 203, because it keeps the last 8 bits. So "
            "the clip comes before the cast, and after the zero point was added."
        ),
        algorithm=(
            "Count np.isnan(x); if there are any, ValueError naming how many of x.size. marks = np.rint(x / scale) + "
            "zero_point. Return np.clip(marks, -128, 127).astype(np.int8). np.rint takes the even one of two equally "
            "near marks, and np.clip brings infinity back."
        ),
        smaller="to_int8(np.array([2.7, -2.7]), 1.0, 0) is [3, -3]",
        lesson="A ruler with 256 marks",
        proof="""
        >>> tinytorch.quantization.to_int8(np.array([2.7, -2.7]), 1.0, 0)
        array([ 3, -3], dtype=int8)
        >>> tinytorch.quantization.to_int8(np.array([1.2, 100.0]), 0.5, 3)
        array([  5, 127], dtype=int8)
        >>> int(np.array(203).astype(np.int8)), 1.2 / 0.5, 100 / 0.5
        (-53, 2.4, 200.0)
        """,
    ),
    "QuantizedTensor.dequantize": Ladder(
        ask=(
            "On a ruler with scale 0.5 and zero point 3, what number does mark 5 stand for? And mark 3? What is 127 - "
            "-128, and which numbers can an int8 hold?"
        ),
        idea=(
            "Mark 3 is 0 by definition, and mark 5 is two steps further: 1.0. Subtract first, scale afterwards; 5 * "
            "0.5 - 3 is something else. The difference can be 255, more than an int8 holds, so widen before "
            "subtracting."
        ),
        algorithm=(
            "Return from_numpy(self.centred(np.float32) * self.scale). centred, which is given, casts the values to a "
            "dtype and subtracts the zero point."
        ),
        smaller="QuantizedTensor(np.array([3], np.int8), 0.5, 1).dequantize() is [1.0]",
        lesson="A ruler with 256 marks",
        proof="""
        >>> QuantizedTensor(np.array([3], np.int8), 0.5, 1).dequantize().tolist()
        [1.0]
        >>> QuantizedTensor(np.array([3, 5], np.int8), 0.5, 3).dequantize().tolist(), 5 * 0.5 - 3
        ([0.0, 1.0], -0.5)
        """,
    ),
    "quantize": Ladder(
        ask=(
            "You can find a range, choose a ruler for it, and round to a ruler. In which order, and what does each "
            "hand to the next? Which of the three must know `dim`, and which `symmetric`?"
        ),
        idea=(
            "Range, ruler, rounding. Only the range knows about channels: with dim=1 its ends have shape (1, out), so "
            "the scales come out in that shape, and broadcasting does the rest. Only the ruler knows symmetric."
        ),
        algorithm=(
            "low, high = value_range(x, dim). scale, zero_point = choose_grid(low, high, symmetric). Return "
            "QuantizedTensor(to_int8(x.data, scale, zero_point), scale, zero_point)."
        ),
        smaller="quantize(tensor([-128., 0., 127.])).values is [-128, 0, 127]",
        lesson="A ruler with 256 marks",
        proof="""
        >>> quantize(tensor([-128.0, 0.0, 127.0])).values.tolist()
        [-128, 0, 127]
        >>> quantize(ones(3, 2), dim=1).scale.shape
        (1, 2)
        """,
    ),
    "MinMaxObserver.observe": Ladder(
        ask=(
            "Batches [1, 5], [2, 3] and [-4, 0] come by, one after the other. What is the range after each of them? "
            "Which two numbers have to be remembered between two batches, and is there anything else?"
        ),
        idea=(
            "1 ... 5, again 1 ... 5, then -4 ... 5. Two numbers are enough: the smaller of two minima is the minimum "
            "of all. inf and -inf are what to start from, because any number is smaller than inf, and larger than "
            "-inf."
        ),
        algorithm=(
            "low, high = value_range(x), which also refuses NaN before anything is changed. self.low = min(self.low, "
            "float(low)). self.high = max(self.high, float(high)). Return x."
        ),
        smaller="after tensor([1., 5.]) and tensor([2., 3.]), low is 1.0 and high is 5.0",
        lesson="Ranges that depend on data",
        proof="""
        >>> observer = MinMaxObserver()
        >>> for batch in ([1.0, 5.0], [2.0, 3.0]):
        ...     _ = observer.observe(tensor(batch))
        >>> observer
        MinMaxObserver(low=1, high=5)
        >>> observer.low, observer.high
        (1.0, 5.0)
        """,
    ),
    "integer_matmul": Ladder(
        ask=(
            "Row a has the marks 100 and 50, column b the marks 2 and 4, both zero points are 0. What is their "
            "product? Which of the two products and which sum fit into an int8? What changes if a's zero point is 10?"
        ),
        idea=(
            "200 + 200 = 400, and none of them fits: an int8 ends at 127. With zero point 10 the row means 90 and 40, "
            "and the product is 340. Widen and subtract before the product; that is what centred(dtype) does."
        ),
        algorithm=(
            "ValueError naming both shapes if a.shape[-1] != b.shape[0]. total = a.centred(np.float64) @ "
            "b.centred(np.float64), in which whole numbers are exact far beyond what these sums reach. Return "
            "total.astype(np.int32). With np.int32 in place of np.float64 it is as right, and many times slower."
        ),
        smaller="marks [[2]] and [[3]] with zero points 1 and 0 give [[3]]",
        lesson="Sums of whole numbers",
        proof="""
        >>> two, three = (QuantizedTensor(np.array([[n]], np.int8), 1.0, z) for n, z in ((2, 1), (3, 0)))
        >>> integer_matmul(two, three).tolist()
        [[3]]
        >>> row = np.array([[100, 50]], np.int8)
        >>> column = QuantizedTensor(np.array([[2], [4]], np.int8), 1.0, 0)
        >>> [integer_matmul(QuantizedTensor(row, 1.0, z), column).item() for z in (0, 10)]
        [400, 340]
        """,
    ),
    "QuantizedLinear.from_linear": Ladder(
        ask=(
            "A weight (in, out) = (3, 2) has one column with numbers near 100 and one with numbers near 0.1. With one "
            "symmetric ruler for both, which marks do the small ones get? Which dim gives every output its own?"
        ),
        idea=(
            "The step would be about 0.8, so 0.1 becomes mark 0: the second output would be dead. dim=1 counts "
            "columns, the outputs, and each gets its own scale. A scale per row would have to change within one sum, "
            "and could not be taken out of it."
        ),
        algorithm=(
            "TypeError naming type(layer).__name__ if not isinstance(layer, Linear). weight = quantize(layer.weight, "
            "symmetric=True, dim=1). Return cls(weight, layer.bias, *observer.grid())."
        ),
        smaller="of Linear(3, 2) the new layer has weight_scale of shape (1, 2)",
        lesson="Sums of whole numbers",
        proof="""
        >>> observer = MinMaxObserver()
        >>> _ = observer.observe(rand(4, 3))
        >>> QuantizedLinear.from_linear(Linear(3, 2), observer).weight_scale.shape
        (1, 2)
        >>> both = tensor([[100.0, 0.1]])
        >>> quantize(both, symmetric=True).values.tolist(), round(quantize(both, symmetric=True).scale.item(), 1)
        ([[127, 0]], 0.8)
        >>> quantize(both, symmetric=True, dim=1).values.tolist()
        [[127, 127]]
        """,
    ),
    "QuantizedLinear.forward": Ladder(
        ask=(
            "An input mark stands for (q - z) * 0.1, a weight mark for w * 0.5. Write out a sum of two products. "
            "Which factor do all its terms share? What is left in the sum?"
        ),
        idea=(
            "0.1 * 0.5 = 0.05, and what is left are whole numbers, which integer_matmul sums. So one multiplication "
            "per output is all the arithmetic with fractions. The bias is no mark: it is added afterwards. The ruler "
            "of the input was stored by calibration, and is used as it is."
        ),
        algorithm=(
            "scale, zero_point = the data of self.input_scale and self.input_zero_point. marks = "
            "QuantizedTensor(to_int8(x.data, scale, zero_point), scale, zero_point). y = integer_matmul(marks, "
            "self.weight) * (scale * self.weight_scale.data[0]); add self.bias.data if there is a bias. Return "
            "from_numpy(y.astype(np.float32))."
        ),
        smaller="marks [[10]] and [[20]] on scales 0.1 and 0.5 give 200 * 0.05 = 10.0",
        lesson="Sums of whole numbers",
        proof="""
        >>> layer = QuantizedLinear(QuantizedTensor(np.array([[20]], np.int8), [[0.5]], 0), None, 0.1, 0)
        >>> round(layer(tensor([[1.0]])).item(), 4), round(0.1 * 0.5, 4), round(200 * 0.05, 4)
        (10.0, 0.05, 10.0)
        """,
    ),
    "replace_layers": Ladder(
        ask=(
            "A model holds a Linear, and a Sequential with another Linear inside. Whose attribute has to be set to "
            "exchange each of them? If one layer stands in two places, how often may `make` be called?"
        ),
        idea=(
            "The model's own for the first, the inner Sequential's for the second: so go through all modules, and "
            "through the children of each. Once: make the new layers first, in a dict by id(layer), since "
            "named_modules gives every layer once, with its path. Then look up every child in that dict."
        ),
        algorithm=(
            "everything = list(model.named_modules()). made = {id(layer): make(path, layer) for path, layer in "
            "everything if type(layer) is kind}. For each module of everything, for name, child in "
            "list(module._modules.items()): if id(child) in made, setattr(module, name, made[id(child)]). Return "
            "made.get(id(model), model), for the model itself may be such a layer."
        ),
        smaller="in Sequential(Linear(2, 3)) the call is make('0', layer)",
        lesson="A whole model",
        proof="""
        >>> paths = []
        >>> model = Sequential(Linear(2, 3))
        >>> replace_layers = tinytorch.quantization.replace_layers
        >>> _ = replace_layers(model, Linear, lambda path, layer: paths.append(path) or Identity())
        >>> paths, model[0]
        (['0'], Identity())
        """,
    ),
    "quantize_model": Ladder(
        ask=(
            "Each Linear needs the range of its own inputs, which only flow while the model runs. What has to stand "
            "in the place of a Linear while the batches go through, and what afterwards? What would dropout do to the "
            "ranges?"
        ),
        idea=(
            "First a Watched, which computes the same and has an observer; then the QuantizedLinear that its "
            "quantized() makes. So replace_layers is called twice, on a deep copy. Dropout with p = 0.5 doubles what "
            "it keeps, so the copy is in eval mode throughout; layers that are new begin in training mode, so say it "
            "at the end as well."
        ),
        algorithm=(
            "ValueError if no module of model.modules() has type Linear. watched = "
            "replace_layers(copy.deepcopy(model).eval(), Linear, Watched). Within no_grad(): for batch in "
            "inputs_of(calibration): watched(batch). Return replace_layers(watched, Watched, lambda path, layer: "
            "layer.quantized()).eval()."
        ),
        smaller="type(quantize_model(Linear(2, 1), rand(3, 2))) is QuantizedLinear",
        lesson="A whole model",
        proof="""
        >>> type(quantize_model(Linear(2, 1), rand(3, 2))) is QuantizedLinear
        True
        >>> sorted({*Dropout(0.5)(ones(100)).tolist()})
        [0.0, 2.0]
        """,
    ),
    "left_alone": Ladder(
        ask=(
            "A model holds LayerNorm, ReLU, Sequential, QuantizedLinear and Linear. Which of them own float numbers "
            "themselves? Which own none? Which owns some and still should not be named?"
        ),
        idea=(
            "LayerNorm and Linear own theirs. ReLU owns nothing, and a Sequential only holds others. A "
            "QuantizedLinear has scales and a bias in float, but it is what we wanted. named_modules gives paths and "
            "layers, _own_tensors what each owns without its children."
        ),
        algorithm=(
            "Return a dict {path: type(layer).__name__} over model.named_modules(), of the layers that are no "
            "QuantizedLinear and for which any tensor of layer._own_tensors(buffers=True).values() has dtype.kind "
            "'f'."
        ),
        smaller="left_alone(Sequential(LayerNorm(4))) is {'0': 'LayerNorm'}",
        lesson="A whole model",
        proof="""
        >>> left_alone(Sequential(LayerNorm(4)))
        {'0': 'LayerNorm'}
        """,
    ),
}
