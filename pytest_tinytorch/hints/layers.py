"""Hints for module 03, layers."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LISTS = "Who keeps the list"
SUMS = "A weighted sum for every output"
NAMES = "Names for everything"
SIZES = "Signals that keep their size"
MODES = "One model, two modes"

LADDERS = {
    "Parameter.__init__": Ladder(
        ask=(
            "Tensor([0.5, 1.0], requires_grad=True) holds numbers that will get a gradient. What should "
            "Parameter([0.5, 1.0]) do in addition? And which value of requires_grad does the signature give it?"
        ),
        idea=(
            "Nothing in addition: a Parameter is a Tensor whose requires_grad starts as True. The constructor of "
            "Tensor does all the work; Parameter([0.5, 1.0]).requires_grad comes out True."
        ),
        algorithm=(
            "super().__init__(data, requires_grad=requires_grad, dtype=dtype). All three go on: a frozen "
            "parameter hands on False, a float64 one its dtype."
        ),
        smaller="Parameter([0.5]).requires_grad is True",
        lesson=LISTS,
        proof="""
        >>> Parameter([0.5, 1.0]).requires_grad, Parameter([0.5], requires_grad=False).requires_grad
        (True, False)
        """,
    ),
    "Module.__setattr__": Ladder(
        ask=(
            "For net.weight = Parameter([0.5]), net.inner = Linear(3, 4) and net.size = 64: what must be in "
            "self._parameters, what in self._modules, and which of the three must net.weight, net.inner, net.size"
            " give back afterwards?"
        ),
        idea=(
            "The type decides about the table: isinstance(value, Parameter), isinstance(value, Module), or "
            "neither. All three are kept as attributes as well. So the tables are an addition to what every "
            "object does, never a replacement."
        ),
        algorithm=(
            "First self._forget(name, value). Then: if value is a Parameter, self._parameters[name] = value; elif"
            " it is a Module, self._modules[name] = value. Last, in every case and outside the if: "
            "object.__setattr__(self, name, value)."
        ),
        smaller="layer = Module(); layer.w = Parameter([0.5]): list(layer._parameters) is ['w']",
        lesson=LISTS,
        proof="""
        >>> net = Module()
        >>> net.weight, net.inner, net.size = Parameter([0.5]), Linear(3, 4), 64
        >>> list(net._parameters), list(net._modules), net.size
        (['weight'], ['inner'], 64)
        """,
    ),
    "Module.named_modules": Ladder(
        ask=(
            "Draw Sequential(Linear(2, 3), Sequential(Linear(3, 1))) as a tree, owner on top. Write the dotted "
            "name at each box. Which box has the name '1.0', and which part of that name does its owner know?"
        ),
        idea=(
            "Each module yields itself under the prefix it was given, then asks each of its layers for that "
            "layer's own walk, with a longer prefix. The names of the tree come out as '', '0', '1', '1.0'. One "
            "memo goes through the whole walk, so that a layer seen before yields nothing."
        ),
        algorithm=(
            "If memo is None, make it set(). If remove_duplicate and id(self) in memo: return. Add id(self). "
            "yield prefix, self. For each name and module in self._modules.items(): yield from "
            "module.named_modules(memo, _dotted(prefix, name), remove_duplicate)."
        ),
        smaller="[name for name, _ in Sequential(Linear(2, 3)).named_modules()] is ['', '0']",
        lesson=NAMES,
        proof="""
        >>> [name for name, _ in Sequential(Linear(2, 3), Sequential(Linear(3, 1))).named_modules()]
        ['', '0', '1', '1.0']
        >>> [name for name, _ in Sequential(Linear(2, 3)).named_modules()]
        ['', '0']
        """,
    ),
    "Module.named_tensors": Ladder(
        ask=(
            "named_modules gives the pairs ('', model), ('0', first), ('1', second). Each of the two layers owns "
            "a weight and a bias. From which two texts do you make the name '1.bias'? And how often may a weight "
            "come that both layers share?"
        ),
        idea=(
            "Two loops: over the modules, and in each over what it owns. The names join path and name. Shared "
            "tensors are the same object, so their id() is the same; equal numbers prove nothing, for all fresh "
            "biases could be zero."
        ),
        algorithm=(
            "seen = set(). For path, module in self.named_modules(remove_duplicate=remove_duplicate), and in it "
            "for name, tensor in module._own_tensors(buffers).items(): if remove_duplicate and id(tensor) in "
            "seen: continue; add id(tensor); yield _dotted(path, name), tensor."
        ),
        smaller="[name for name, _ in Sequential(Linear(2, 3)).named_tensors()] is ['0.weight', '0.bias']",
        lesson=NAMES,
        proof="""
        >>> [name for name, _ in Sequential(Linear(2, 3)).named_tensors()]
        ['0.weight', '0.bias']
        """,
    ),
    "Module.state_dict": Ladder(
        ask=(
            "You save model.weight, then training subtracts 0.5 from each of its numbers in place. Which numbers "
            "must the saved array hold, the old or the new? What does tensor.data give you, the array itself or a"
            " copy?"
        ),
        idea=(
            "tensor.data is the array that training writes into, so the dict needs tensor.data.copy(). And the "
            "walk must give everything: buffers, and a shared tensor under each of its names. named_tensors has "
            "an argument for each of the two."
        ),
        algorithm=(
            "Return a dict: for each name, tensor in self.named_tensors(buffers=True, remove_duplicate=False), "
            "name -> tensor.data.copy()."
        ),
        smaller="list(Linear(2, 3).state_dict()) is ['weight', 'bias']",
        lesson=NAMES,
        proof="""
        >>> layer = Linear(2, 3)
        >>> layer.weight.data[...] = 2
        >>> state = layer.state_dict()
        >>> layer.weight.data[...] -= 0.5
        >>> float(state["weight"][0, 0]), list(state)
        (2.0, ['weight', 'bias'])
        """,
    ),
    "Module.load_state_dict": Ladder(
        ask=(
            "A dict has the right weight and a bias of the wrong shape. When the error comes, may the weight "
            "already have changed? List what has to be compared before the first number is written: names in both"
            " directions, and what else?"
        ),
        idea=(
            "Three passes. Names: missing are those of the model that the dict lacks, unexpected the other way "
            "round. Shapes: all of them. Then write into the arrays that are there; a bias (1,) would broadcast "
            "into (3,) without an error, which is why shapes are compared."
        ),
        algorithm=(
            "own = dict(self.named_tensors(buffers=True, remove_duplicate=False)). Lists missing, unexpected; if "
            "strict and either: RuntimeError with both. arrays = name -> _array(state_dict[name]) for names in "
            "both. Loop: shape differs from own[name].shape: ValueError with name and both shapes. Second loop: "
            "own[name].data[...] = array. Return IncompatibleKeys(missing, unexpected)."
        ),
        smaller="Linear(2, 3).load_state_dict(Linear(2, 3).state_dict()) has two empty lists",
        lesson=NAMES,
        proof="""
        >>> Linear(2, 3).load_state_dict(Linear(2, 3).state_dict())
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        """,
    ),
    "xavier_uniform_": Ladder(
        ask=(
            "Numbers spread evenly over [-1, 1] have the variance 1/3. What variance have they over [-b, b]? "
            "Which b gives a weight (4, 8) the variance 2 / (4 + 8)?"
        ),
        idea=(
            "b² / 3 = 2 / (in + out), so b = √(6 / (in + out)): for (4, 8) √(6 / 12) = 0.7071. The 0.4082 that "
            "√(2 / 12) gives is the standard deviation. gain multiplies b."
        ),
        algorithm=(
            "fan_in, fan_out = fans(tensor); bound = gain * math.sqrt(6 / (fan_in + fan_out)); return "
            "uniform_(tensor, -bound, bound)."
        ),
        smaller="xavier_uniform_(zeros(4, 8)) lies within 0.7071 of 0",
        lesson=SIZES,
        proof="""
        >>> round(math.sqrt(6 / 12), 4), round(math.sqrt(2 / 12), 4)
        (0.7071, 0.4082)
        >>> bool((xavier_uniform_(zeros(4, 8)).abs() <= math.sqrt(0.5)).data.all())
        True
        """,
    ),
    "xavier_normal_": Ladder(
        ask=(
            "Xavier asks for the variance 2 / (in + out). normal_(tensor, mean, std) takes a standard deviation. "
            "What is it for a weight (4, 8)?"
        ),
        idea=(
            "The root of the variance: √(2 / 12) = 0.4082. The 6 of the uniform form belongs to a bound, and a "
            "normal distribution has none. gain multiplies the standard deviation."
        ),
        algorithm=(
            "fan_in, fan_out = fans(tensor); return normal_(tensor, 0, gain * math.sqrt(2 / (fan_in + fan_out)))."
        ),
        smaller="xavier_normal_(zeros(4, 8)) has the standard deviation 0.4082",
        lesson=SIZES,
        proof="""
        >>> round(math.sqrt(2 / 12), 4)
        0.4082
        """,
    ),
    "kaiming_uniform_": Ladder(
        ask=(
            "For ReLU the gain is √2, and the standard deviation gain / √fan. How wide must an even spread [-b, "
            "b] be to have that deviation, if its variance is b² / 3? Work out b for a weight (24, 8)."
        ),
        idea=(
            "b is √3 standard deviations. With fan_in = 24: √3 · √2 / √24 = 0.5. With mode='fan_out' the 8 takes "
            "the place of the 24. calculate_gain turns nonlinearity and a into the gain."
        ),
        algorithm=(
            "bound = math.sqrt(3) * calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode)); return "
            "uniform_(tensor, -bound, bound)."
        ),
        smaller="kaiming_uniform_(zeros(24, 8)) lies within 0.5 of 0",
        lesson=SIZES,
        proof="""
        >>> round(math.sqrt(3) * math.sqrt(2) / math.sqrt(24), 4)
        0.5
        >>> bool((kaiming_uniform_(zeros(24, 8)).abs() <= 0.5).data.all())
        True
        """,
    ),
    "kaiming_normal_": Ladder(
        ask=(
            "An output sums 8 products of a weight and an input of variance 1. ReLU halves the mean square. Which"
            " variance of the weights keeps the signal's size, and which standard deviation is that?"
        ),
        idea=(
            "8 · variance · 1/2 = 1, so the variance is 2 / 8 and the standard deviation √(2 / 8) = 0.5: gain √2 "
            "over √fan. No √3 here, that belongs to the uniform bound."
        ),
        algorithm="return normal_(tensor, 0, calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode))).",
        smaller="kaiming_normal_(zeros(8, 4)) has the standard deviation 0.5",
        lesson=SIZES,
        proof="""
        >>> math.sqrt(2 / 8)
        0.5
        """,
    ),
    "Linear.__init__": Ladder(
        ask=(
            "x has the shape (5, 3) and y must have the shape (5, 4). Which shape makes x @ weight possible, and "
            "which shape has the bias that is added to each row? How large may a number be at the start if three "
            "are summed?"
        ),
        idea=(
            "weight (3, 4), bias (4,): inputs down, outputs across. Both lie within 1 / √3 = 0.5774, taken from "
            "in_features, for the bias as well. And both must be Parameters, or no optimiser will see them."
        ),
        algorithm=(
            "super().__init__() first. Keep in_features and out_features. bound = 1 / math.sqrt(in_features). "
            "self.weight = uniform_(Parameter(zeros(in_features, out_features)), -bound, bound). self.bias the "
            "same with zeros(out_features) if bias, else None."
        ),
        smaller="Linear(3, 4).weight.shape is (3, 4), and no number of it exceeds 0.5774",
        lesson=SUMS,
        proof="""
        >>> Linear(3, 4).weight.shape, Linear(3, 4).bias.shape, round(1 / math.sqrt(3), 4)
        ((3, 4), (4,), 0.5774)
        >>> bool((Linear(3, 4).weight.abs() <= 0.5774).data.all())
        True
        """,
    ),
    "Linear.forward": Ladder(
        ask=(
            "x = [[3]], weight = [[1, 2]], bias = [10, 20]. What are the two outputs? And what, if self.bias is None?"
        ),
        idea=(
            "3·1 + 10 = 13 and 3·2 + 20 = 26. x @ self.weight is the sum for all rows at once; adding the bias "
            "(out,) broadcasts it over the rows. Without a bias the product is all."
        ),
        algorithm=(
            "y = x @ self.weight; return y if self.bias is None else y + self.bias. Use the Tensors themselves "
            "and not their .data, or no gradient will find its way back."
        ),
        smaller="with weight [[1., 2.]] and bias [10., 20.], layer(tensor([[3.]])) is tensor([[13., 26.]])",
        lesson=SUMS,
        proof="""
        >>> layer = Linear(1, 2)
        >>> layer.weight.data[...], layer.bias.data[...] = [[1.0, 2.0]], [10.0, 20.0]
        >>> layer(tensor([[3.0]])).tolist()
        [[13.0, 26.0]]
        """,
    ),
    "Sequential.append": Ladder(
        ask=(
            "After Sequential(Linear(2, 3), Linear(3, 1)) the parameters are called '0.weight', '0.bias', "
            "'1.weight', '1.bias'. As which attributes must the two layers have been assigned? Who counts?"
        ),
        idea=(
            "Attributes named '0' and '1'. self.0 is no Python, but setattr(self, '0', layer) is, and it goes "
            "through your __setattr__, which registers. self._length is the next free number and must grow by 1."
        ),
        algorithm=(
            "If not callable(layer): raise TypeError with repr(layer) in the message. setattr(self, "
            "str(self._length), layer). self._length += 1. return self."
        ),
        smaller="len(Sequential().append(Linear(2, 3))) is 1",
        lesson=SUMS,
        proof="""
        >>> [name for name, _ in Sequential(Linear(2, 3), Linear(3, 1)).named_parameters()]
        ['0.weight', '0.bias', '1.weight', '1.bias']
        >>> len(Sequential().append(Linear(2, 3)))
        1
        """,
    ),
    "Sequential.forward": Ladder(
        ask=(
            "Three functions in a row: add 1, double, add 1. What comes out for 3? What would come out if each "
            "were given the 3, and the last answer counted?"
        ),
        idea=(
            "((3 + 1) · 2) + 1 = 9, and not 4. The output of each layer takes the place of x before the next one "
            "runs; the return waits until the loop is over."
        ),
        algorithm="for layer in self: x = layer(x). After the loop, return x.",
        smaller="Sequential()(x) is x",
        lesson=SUMS,
        proof="""
        >>> Sequential(lambda x: x + 1, lambda x: x * 2, lambda x: x + 1)(tensor([3.0])).tolist()
        [9.0]
        """,
    ),
    "Module.train": Ladder(
        ask=(
            "A model holds a block, and the block holds a Dropout. model.eval() calls train(False) on the model "
            "alone. Whose training must be False afterwards, and which walk reaches all of them?"
        ),
        idea=(
            "All three. self.modules() gives the model itself, the block and the Dropout; children() would stop "
            "at the block. The model comes back, so that model.eval()(x) can be written."
        ),
        algorithm="for module in self.modules(): module.training = mode. Then return self.",
        smaller="Sequential(Dropout(0.5)).train(False)[0].training is False",
        lesson=MODES,
        proof="""
        >>> Sequential(Dropout(0.5)).train(False)[0].training
        False
        """,
    ),
    "Dropout.forward": Ladder(
        ask=(
            "p = 0.25, x = [3, 3, 3, 3], and the second element is dropped. What must the other three become, so "
            "that the sum is 12 again? And what comes out if training is False?"
        ),
        idea=(
            "They become 4: 3 / (1 - 0.25). rand(x.shape) is uniform in [0, 1), so it is at or above p with "
            "probability 1 - p, element by element: that is the mask of what stays. In eval x is the result, "
            "unscaled."
        ),
        algorithm=(
            "If not self.training: return x. keep = rand(x.shape) >= self.p. scale = 1 / (1 - self.p) if self.p <"
            " 1 else 0.0. return x * (keep.to(x.dtype) * scale)."
        ),
        smaller="each element of Dropout(0.5)(ones(8)) is 0 or 2",
        lesson=MODES,
        proof="""
        >>> 3 / (1 - 0.25)
        4.0
        >>> sorted({*Dropout(0.5)(ones(500)).tolist()})
        [0.0, 2.0]
        >>> 0.0 <= rand(1).item() < 1
        True
        """,
    ),
    "LayerNorm.forward": Ladder(
        ask=(
            "For the row [1, 3]: what is the mean, what are the two distances from it, what is the mean of their "
            "squares? Divide the distances by its root. What changes for the row [10, 30]?"
        ),
        idea=(
            "Mean 2, distances -1 and 1, variance 1, result [-1, 1], and the same for [10, 30]. With eps = 3 the "
            "root is √(1 + 3) and the result [-0.5, 0.5]. The mean keeps its dimension, so that each row has its "
            "own."
        ),
        algorithm=(
            "dims = self._dims(x). centred = x - x.mean(dims, keepdim=True). variance = (centred * "
            "centred).mean(dims, keepdim=True). y = centred / (variance + self.eps).sqrt(). If self.weight is not"
            " None: y = y * self.weight. If self.bias is not None: y = y + self.bias. return y."
        ),
        smaller="LayerNorm(2, eps=3.0)(tensor([[-1., 1.]])) is [[-0.5, 0.5]]",
        lesson=MODES,
        proof="""
        >>> LayerNorm(2, eps=3.0)(tensor([[-1.0, 1.0], [1.0, 3.0]])).tolist()
        [[-0.5, 0.5], [-0.5, 0.5]]
        >>> LayerNorm(2)(tensor([[1.0, 3.0], [10.0, 30.0]])).detach()
        tensor([[-1.0000,  1.0000],
                [-1.0000,  1.0000]])
        """,
    ),
}
