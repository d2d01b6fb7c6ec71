"""Checkpoint 03: layers.

Random initialisation and dropout are judged by statistics. Each tolerance is 6.5 standard deviations of the statistic
or more, so that a right solution fails one of them with a probability below 1e-9.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from pytest_tinytorch.checking import (
    Mistake,
    calm,
    exercise,
    named,
    raises,
    same,
    same_array,
    tensor_data,
    unchanged,
)

WORDS = ("query", "key", "value", "gate", "scale", "shift", "first", "second", "body", "head", "skip", "norm")
A_LEAF = (
    "the result does not know where it came from: no gradient will pass. Use Tensor operations throughout, not x.data."
)
A_COPY = "the numbers went into a new tensor. Fill the one that was given, and return it."


def words(draw, count):
    """Different names, in random order."""
    return [WORDS[i] for i in draw.permutation(len(WORDS))[:count]]


def text(a):
    """An array as one types it: [[1.5, -2.0], [0.25, 3.0]]."""
    return str(np.asarray(a, np.float64).tolist())


def thing(value, what):
    """The student's object; a plain value in its place is a mismatch."""
    if value is None or isinstance(value, bool | int | float | str | tuple | list | dict | np.ndarray | np.generic):
        same(value, "an object", what=what)
    return value


def made(value, name):
    """A layer or model that the student's code made, and its name in what the student reads."""
    return named(thing(value, name), name)


def holds(value, kind, what):
    """A plain value of the due kind: anything else in its place is a mismatch."""
    if type(value) is not kind:
        same(value, kind(), what=what)
    return value


def linear(tt, weight, bias=None):
    """A Linear with the given numbers."""
    layer = made(tt.Linear(*weight.shape, bias=bias is not None), "layer")
    thing(layer.weight, "layer.weight").data = weight
    if bias is not None:
        thing(layer.bias, "layer.bias").data = bias
    return layer


def own_names(layer):
    """The names of a layer's own parameters."""
    return [name for name, _ in thing(layer.named_parameters(recurse=False), "layer.named_parameters()")]


def flags_in_and_out(call, tt, draw, shape):
    """Which inputs require a gradient, in random order, and which results do."""
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    results = [call(tt.tensor(draw(*shape), requires_grad=flag)) for flag in flags]
    return flags, [thing(result, "layer(x)").requires_grad for result in results]


def largest(a):
    """The largest size of a number."""
    return round(float(np.abs(a).max()), 6)


def deviation(a):
    """The standard deviation."""
    return round(float(a.std()), 6)


def outer_share(a, bound):
    """The share of numbers below -bound / 2: a quarter where they lie evenly in [-bound, bound]."""
    return round(float((a < -bound / 2).mean()), 6)


def wide_share(a, std):
    """The share of numbers below -std: 0.1587 where they are normally distributed."""
    return round(float((a < -std).mean()), 6)


# ---- Parameter ------------------------------------------------------------------------------------------


@exercise("Parameter.__init__", points=1)
def test_parameter_asks_for_a_gradient(tt, draw):
    """Parameter is a Tensor that asks for a gradient unless told not to"""
    a = draw(*draw.sizes(2))
    same(tt.Parameter(tt.tensor(a)), a, smaller="Parameter([1., 2.]).data is array([1., 2.])")
    asked = [bool(flag) for flag in draw.permutation(5) % 2]
    got = [thing(tt.Parameter(a, requires_grad=flag), "Parameter(a)").requires_grad for flag in asked]
    same(
        [*got, thing(tt.Parameter(a), "Parameter(a)").requires_grad, thing(tt.tensor(a), "tensor(a)").requires_grad],
        [*asked, True, False],
        what=f"requires_grad of Parameters made with {asked}, of Parameter(a), of tensor(a)",
        mistakes=[
            Mistake([False] * 6 + [False], "no Parameter asks for a gradient. Hand requires_grad on to Tensor."),
            Mistake([True] * 6 + [False], "requires_grad=False was not listened to. Hand it on to Tensor."),
        ],
    )


@exercise("Parameter.__init__", points=1)
def test_parameter_keeps_the_dtype_asked_for(tt, draw):
    """Parameter is float32 by default and float64 where that is asked for"""
    a = draw(3).astype(np.float64)
    same(tt.Parameter(a), a, smaller="Parameter([1., 2.]).dtype is float32")
    same(tt.Parameter(a, dtype=np.float64), a, dtype=np.float64)


# ---- Module: what is assigned ---------------------------------------------------------------------------


def own_parameters(names, arrays):
    """A module with parameters under these names, among attributes that are none."""

    class Net(tt.Module):
        def __init__(self):
            super().__init__()
            self.size = 3
            self.plain = tt.tensor([1.0, 2.0])
            for name, array in zip(names, arrays, strict=True):
                setattr(self, name, tt.Parameter(tt.tensor(array)))
            self.listed = [tt.Parameter(tt.tensor([0.5]))]

    pairs = Net().named_parameters(recurse=False)
    return [(name, parameter.data) for name, parameter in pairs]


@exercise("Module.__setattr__", points=2)
def test_setattr_notes_parameters_in_order(lab, draw):
    """a Module notes the Parameters that are assigned to it, in order, and nothing else"""
    names, rows = words(draw, 4), draw(4, 3)
    got = lab(own_parameters, names, list(rows))
    same(
        [name for name, _ in got],
        names,
        what="names of self.size = 3, self.plain = tensor, then " + ", ".join(names) + " = Parameter(...)",
        smaller="layer = Module(); layer.w = Parameter([1.]): layer._parameters has the key 'w'",
        mistakes=[
            Mistake([], "no parameter was noted. Each goes into self._parameters under its name."),
            Mistake(["plain", *names], "a plain Tensor was noted too. Only a Parameter is learnt."),
        ],
    )
    same_array(np.stack([array for _, array in got]), rows, what="their numbers")


def inner_modules(names, sizes):
    """The layers directly inside a module, with a number that tells them apart."""

    class Part(tt.Module):
        def __init__(self, size):
            super().__init__()
            self.size = size

    class Net(tt.Module):
        def __init__(self):
            super().__init__()
            self.weight = tt.Parameter([1.0])
            for name, size in zip(names, sizes, strict=True):
                setattr(self, name, Part(size))
            self.function = abs

    return [(name, module.size) for name, module in Net().named_children()]


@exercise("Module.__setattr__", points=2)
def test_setattr_notes_layers_in_order(lab, draw):
    """a Module notes the layers that are assigned to it, in order"""
    names, sizes = words(draw, 4), [int(n) for n in draw.permutation(9)[:4]]
    same(
        lab(inner_modules, names, sizes),
        list(zip(names, sizes, strict=True)),
        what="name and size of the layers inside, assigned as " + ", ".join(names),
        smaller="net = Module(); net.body = Module(): net._modules has the key 'body'",
        mistakes=[Mistake([], "no layer was noted. A Module goes into self._modules under its name.")],
    )


def attributes_of(numbers):
    """What is read back of attributes of each kind, assigned and assigned again."""
    module = tt.Module()
    module.weight = tt.Parameter(tt.tensor(numbers))
    module.inner = tt.Module()
    module.inner.size = len(numbers)
    module.plain = float(numbers[0])
    module.plain = module.plain + 1.0
    return module.weight.data, module.inner.size, module.plain


@exercise("Module.__setattr__", points=1)
def test_setattr_keeps_the_attribute(lab, draw):
    """a Module gives back every attribute that was assigned to it: parameter, layer or number"""
    a = draw(int(draw.integers(2, 7)))
    weight, size, plain = lab(attributes_of, a)
    same_array(weight, a, what="module.weight.data, after module.weight = Parameter(tensor(a))")
    same([size, plain], [len(a), float(a[0]) + 1.0], what="module.inner.size and module.plain")


def assigned_again(names, arrays):
    """Parameters after one of them was exchanged and one was taken away."""
    module = tt.Module()
    for name, array in zip(names, arrays, strict=True):
        setattr(module, name, tt.Parameter(tt.tensor(array)))
    setattr(module, names[0], tt.Parameter(tt.tensor(arrays[2])))
    setattr(module, names[1], None)
    return [(name, parameter.data) for name, parameter in module.named_parameters(recurse=False)]


@exercise("Module.__setattr__", points=1)
def test_setattr_again_replaces_what_was_noted(lab, draw):
    """assigning to a name again replaces the parameter that was noted, and None removes it"""
    names, rows = words(draw, 3), draw(3, 2)
    got = lab(assigned_again, names, list(rows))
    same(
        [name for name, _ in got],
        [names[0], names[2]],
        what=f"parameters {', '.join(names)}, after {names[0]} was assigned again and {names[1]} = None",
        mistakes=[Mistake(names, "what is None is still noted. Call self._forget(name, value) first.")],
    )
    same_array(np.stack([array for _, array in got]), rows[[2, 2]], what="their numbers")


def without_init(kind, call_init, array):
    """A subclass that assigns a parameter with or without calling the constructor of Module."""

    def constructor(self):
        if call_init:
            tt.Module.__init__(self)
        self.weight = tt.Parameter(tt.tensor(array))

    return type(kind, (tt.Module,), {"__init__": constructor})().weight.data


@exercise("Module.__setattr__", points=1)
def test_setattr_without_super_init_says_so(lab, draw):
    """a subclass that forgets super().__init__() is told so by name"""
    a, kind = draw(3), f"Net{int(draw.integers(100, 1000))}"
    same_array(lab(without_init, kind, True, a), a, what=f"{kind}().weight.data")
    raises(AttributeError, lambda: lab(without_init, kind, False, a), mentions=[kind, "super().__init__()"])


# ---- Module: walking through a model --------------------------------------------------------------------


def tree(names, sizes):
    """The walk through a module that holds two, one of which holds one again."""
    modules = [tt.Module() for _ in sizes]
    for module, size in zip(modules, sizes, strict=True):
        module.size = size
    root, left, right, deep = modules
    setattr(root, names[0], left)
    setattr(root, names[1], right)
    setattr(left, names[2], deep)
    return [(name, module.size) for name, module in root.named_modules()]


@exercise("Module.named_modules", points=2)
def test_named_modules_walks_the_whole_tree(lab, draw):
    """named_modules goes through a model at any depth and joins names with dots"""
    a, b, c = words(draw, 3)
    sizes = [int(n) for n in draw.permutation(9)[:4]]
    due = [("", sizes[0]), (a, sizes[1]), (f"{a}.{c}", sizes[3]), (b, sizes[2])]
    got = lab(tree, [a, b, c], sizes)
    same(
        [name for name, _ in got],
        [name for name, _ in due],
        what=f"names from root.named_modules(), with root.{a}, root.{b} and root.{a}.{c}",
        smaller="a module without layers gives one pair: ('', itself)",
        mistakes=[
            Mistake(["", a, b], "only the first level was visited. Each layer walks through its own layers in turn."),
            Mistake(["", a, c, b], "a deep layer lost its owner's name. Its walk starts from the prefix of its owner."),
            Mistake([a, f"{a}.{c}", b], "the module itself is missing. It comes first, under the prefix."),
            Mistake(["", a, b, f"{a}.{c}"], "each layer is followed by what it holds, before its neighbour comes."),
        ],
    )
    same([size for _, size in got], [size for _, size in due], what="number of the module at each of these names")


def shared_layer(names, sizes):
    """The walk through a module that holds one layer twice and another once."""
    root, twice, once = tt.Module(), tt.Module(), tt.Module()
    for module, size in zip((root, twice, once), sizes, strict=True):
        module.size = size
    setattr(root, names[0], twice)
    setattr(root, names[1], once)
    setattr(once, names[2], twice)
    walks = [root.named_modules(), root.named_modules(remove_duplicate=False)]
    return [[(name, module.size) for name, module in walk] for walk in walks]


@exercise("Module.named_modules", points=1)
def test_named_modules_gives_a_shared_layer_once(lab, draw):
    """named_modules gives a layer that is used twice once, unless asked for each of its names"""
    a, b, c = words(draw, 3)
    root, twice, once = (int(n) for n in draw.permutation(9)[:3])
    short = [("", root), (a, twice), (b, once)]
    got, every = lab(shared_layer, [a, b, c], [root, twice, once])
    full = [*short, (f"{b}.{c}", twice)]
    if got == full:
        same(
            [name for name, _ in got],
            [name for name, _ in short],
            what=f"names where root.{a} is root.{b}.{c}",
            mistakes=[
                Mistake([name for name, _ in full], "one layer came twice. Hand the same memo to every inner walk.")
            ],
        )
    same(got, short, what=f"name and number of each module, where root.{a} is root.{b}.{c}")
    same(every, full, what="the same with remove_duplicate=False")


def deep_parameters(names, arrays):
    """Parameters of a module that holds a module that holds a module."""
    root, inner, deep = tt.Module(), tt.Module(), tt.Module()
    root.weight = tt.Parameter(tt.tensor(arrays[0]))
    setattr(root, names[0], inner)
    setattr(inner, names[1], deep)
    deep.weight = tt.Parameter(tt.tensor(arrays[1]))
    inner.bias = tt.Parameter(tt.tensor(arrays[2]))
    return [(name, parameter.data) for name, parameter in root.named_parameters()]


@exercise("Module.named_tensors", points=2)
def test_named_parameters_of_the_whole_model(lab, draw):
    """named_parameters finds every parameter of a model, each under its dotted name"""
    (a, b), rows = words(draw, 2), draw(3, 2)
    got = lab(deep_parameters, [a, b], list(rows))
    due = ["weight", f"{a}.bias", f"{a}.{b}.weight"]
    same(
        [name for name, _ in got],
        due,
        what=f"names from root.named_parameters(): root has weight, root.{a} bias, root.{a}.{b} weight",
        smaller="Sequential(Linear(2, 3)) has '0.weight' and '0.bias'",
        mistakes=[
            Mistake(["weight"], "only the module's own parameters came. Walk over named_modules()."),
            Mistake(["weight", "bias", "weight"], "the owner's name is missing: _dotted(path, name)."),
        ],
    )
    same_array(np.stack([array for _, array in got]), rows[[0, 2, 1]], what="their numbers")


def tied(names, array):
    """Parameters of a model in which two layers share one weight, after each was doubled."""
    root, first, second = tt.Module(), tt.Module(), tt.Module()
    setattr(root, names[0], first)
    setattr(root, names[1], second)
    first.weight = tt.Parameter(tt.tensor(array))
    second.weight = first.weight
    second.bias = tt.Parameter(tt.tensor(array))
    pairs = list(root.named_parameters())
    for _, parameter in pairs:
        parameter.data = parameter.data * 2
    listed = [name for name, _ in root.named_tensors()]
    return [name for name, _ in pairs], listed, [parameter.data for _, parameter in pairs]


@exercise("Module.named_tensors", points=2)
def test_shared_parameter_comes_once(lab, draw):
    """parameters gives a weight that two layers share once, so that an optimiser moves it once"""
    (a, b), array = words(draw, 2), draw(3)
    got, listed, data = lab(tied, [a, b], array)
    due = [f"{a}.weight", f"{b}.bias"]
    same(
        got,
        due,
        what=f"names from root.named_parameters(), where root.{a}.weight is root.{b}.weight",
        mistakes=[
            Mistake([f"{a}.weight", f"{b}.weight", f"{b}.bias"], "one tensor came twice. Remember the id() of each."),
            Mistake([f"{a}.weight"], "two tensors with equal numbers were taken for one. Tell them apart by id()."),
        ],
    )
    same(listed, due, what="the same from root.named_tensors()")
    same_array(np.stack(data), np.stack([array, array]) * 2, what="the numbers, after each parameter was doubled once")


def with_buffer(names, array):
    """Parameters, buffers and state of a model with a buffer, before and after the buffer is assigned again."""
    root, inner = tt.Module(), tt.Module()
    setattr(root, names[0], inner)
    inner.register_buffer(names[1], tt.tensor(array))
    inner.weight = tt.Parameter(tt.tensor(array + 1))
    setattr(inner, names[1], tt.tensor(array + 2))
    tensors = list(root.named_tensors(buffers=True))
    learnt = [name for name, _ in root.named_parameters()]
    return learnt, [name for name, _ in tensors], [tensor.data for _, tensor in tensors]


@exercise("Module.named_tensors", points=1)
def test_buffers_are_state_and_not_parameters(lab, draw):
    """named_tensors gives buffers where they are asked for, and parameters leave them out"""
    (a, b), array = words(draw, 2), draw(3)
    learnt, kept, data = lab(with_buffer, [a, b], array)
    same(learnt, [f"{a}.weight"], what=f"names from root.named_parameters(), with the buffer root.{a}.{b}")
    same(kept, [f"{a}.weight", f"{a}.{b}"], what="names from root.named_tensors(buffers=True)")
    same_array(
        np.stack(data), np.stack([array + 1, array + 2]), what="their numbers, after the buffer was assigned again"
    )


# ---- Linear ---------------------------------------------------------------------------------------------


@exercise("Linear.__init__", points=2)
def test_linear_has_a_weight_and_a_bias(tt, draw):
    """Linear(3, 4) has a weight (3, 4) and a bias (4,), both Parameters"""
    n, m = draw.sizes(2)
    layer = made(tt.Linear(n, m), "layer")
    same(
        thing(layer.weight, "layer.weight").shape,
        (n, m),
        what=f"Linear({n}, {m}).weight.shape",
        mistakes=[Mistake((m, n), "this is PyTorch's (out, in). Here the weight is (in, out), as in x @ weight.")],
    )
    same(
        thing(layer.bias, "layer.bias").shape,
        (m,),
        what=f"Linear({n}, {m}).bias.shape",
        mistakes=[Mistake((n,), "one bias per output.")],
    )
    same(
        own_names(layer),
        ["weight", "bias"],
        what=f"names of the parameters of Linear({n}, {m})",
        mistakes=[
            Mistake([], "plain Tensors are not noted. Wrap both in Parameter."),
            Mistake(["bias", "weight"], "the order is PyTorch's: weight, then bias."),
        ],
    )
    same([layer.in_features, layer.out_features], [n, m], what=f"in_features and out_features of Linear({n}, {m})")


@exercise("Linear.__init__", points=1)
def test_linear_without_bias_has_one_parameter(tt, draw):
    """Linear(3, 4, bias=False) has a weight and no bias"""
    tt.manual_seed(draw.seed)
    n, m = draw.sizes(2)
    wanted = [bool(flag) for flag in draw.permutation(4) % 2]
    layers = [made(tt.Linear(n, m, bias=flag), "layer") for flag in wanted]
    same(
        [own_names(layer) for layer in layers],
        [["weight", "bias"] if flag else ["weight"] for flag in wanted],
        what=f"names of the parameters of Linear({n}, {m}, bias=...) with bias {wanted}",
    )
    same([layer.bias is None for layer in layers], [not flag for flag in wanted], what="where layer.bias is None")


@exercise("Linear.__init__", points=2)
def test_linear_starts_within_its_bound(tt, draw):
    """Linear starts with numbers spread evenly between -1/sqrt(in) and 1/sqrt(in)"""
    n, m = int(draw.integers(40, 60)), int(draw.integers(900, 1100))
    tt.manual_seed(draw.seed)
    layer = made(tt.Linear(n, m), "layer")
    bound = 1 / math.sqrt(n)
    for name, rtol in ("weight", 0.001), ("bias", 0.03):  # 36,000 and 900 numbers: the largest is that near the bound
        same(
            largest(tensor_data(getattr(layer, name))),
            round(bound, 6),
            rtol=rtol,
            what=f"largest |{name}| of Linear({n}, {m}), where 1 / sqrt({n}) = {bound:.4f}",
            mistakes=[
                Mistake(0.0, f"every number of the {name} is 0: all outputs would stay equal for ever."),
                Mistake(1 / math.sqrt(m), "the bound was taken from out_features. Each output sums in_features terms."),
                Mistake(
                    math.sqrt(6 / (n + m)), "this is Xavier's bound. A Linear starts within 1 / sqrt(in_features)."
                ),
                Mistake(1 / n, "the root is missing: the bound is 1 / sqrt(in_features)."),
                Mistake(1.0, "uniform_ was left at [0, 1) or [-1, 1): give it -bound and bound."),
            ],
        )
    for name, rtol in ("weight", 0.06), ("bias", 0.4):
        same(
            outer_share(tensor_data(getattr(layer, name)), bound),
            0.25,
            rtol=rtol,
            what=f"share of the {name} below -{bound / 2:.4f}",
            mistakes=[Mistake(0.0, "all numbers are positive. The range is from -bound to bound.")],
        )


@exercise("Linear.__init__", points=1)
def test_linear_starts_from_the_seed(tt, draw):
    """Linear starts with other numbers each time, and with the same ones after the same manual_seed"""
    seed, (n, m) = int(draw.integers(0, 1000)), draw.sizes(2)
    tt.manual_seed(seed)
    first, other = (tensor_data(made(tt.Linear(n, m), "layer").weight) for _ in range(2))
    tt.manual_seed(seed)
    again = tensor_data(made(tt.Linear(n, m), "layer").weight)
    same(
        [bool(np.array_equal(first, again)), bool(np.array_equal(first, other))],
        [True, False],
        what="whether two layers start alike: after the same seed, one after the other",
        mistakes=[
            Mistake([False, False], "manual_seed has no hold on these numbers. Draw them with uniform_ or rand."),
            Mistake([True, True], "every layer starts with the same numbers. Two layers need different ones."),
        ],
    )
    same(first.shape, (n, m), what=f"Linear({n}, {m}).weight.shape")


@exercise("Linear.forward", points=2)
def test_linear_is_a_weighted_sum_and_a_bias(tt, draw):
    """Linear computes x @ weight + bias for each row"""
    tt.manual_seed(draw.seed)
    n, m = 2, 3
    x, w, b = draw(2, n), draw(n, m), draw(m)
    same(
        linear(tt, w, b)(tt.tensor(x)),
        x @ w + b,
        what=f"layer({text(x)}), weight {text(w)}, bias {text(b)}",
        mistakes=[
            Mistake(x @ w, "the bias was not added."),
            Mistake(x @ w - b, "the bias was subtracted."),
            Mistake((x + 1) @ w + b, "x is changed before it is multiplied."),
            Mistake((x @ w + b).clip(0), "the negative numbers are gone: a Linear has no activation inside."),
        ],
        smaller="weight [[1., 2.]], bias [10., 20.]: layer(tensor([[3.]])) is tensor([[13., 26.]])",
    )


@exercise("Linear.forward", points=1)
def test_linear_without_bias_only_multiplies(tt, draw):
    """Linear without a bias computes x @ weight"""
    tt.manual_seed(draw.seed)
    n, m, rows = draw.sizes(3)
    x, w = draw(rows, n), draw(n, m)
    same(linear(tt, w)(tt.tensor(x)), x @ w, what=f"layer(x), x ({rows}, {n}), weight ({n}, {m}), no bias")


@exercise("Linear.forward", points=1)
def test_linear_works_on_the_last_dimension(tt, draw):
    """Linear works on the last dimension, however many stand before it"""
    tt.manual_seed(draw.seed)
    n, m, batch, time = draw.sizes(4)
    w, b = draw(n, m), draw(m)
    layer = linear(tt, w, b)
    for shape in (n,), (batch, time, n):
        x = draw(*shape)
        same(layer(tt.tensor(x)), x @ w + b, what=f"layer(x), x {shape}, weight ({n}, {m})")


@exercise("Linear.forward", points=1)
def test_linear_refuses_the_wrong_number_of_features(tt, draw):
    """Linear refuses inputs with the wrong number of features and names both shapes"""
    n, m, rows = draw.sizes(3)
    x, w, b = draw(rows, n), draw(n, m), draw(m)
    layer = linear(tt, w, b)
    same(layer(tt.tensor(x)), x @ w + b)
    raises((ValueError, RuntimeError), lambda: layer(tt.tensor(draw(rows, n + 1))), mentions=[(rows, n + 1), (n, m)])


@exercise("Linear.forward", points=1)
def test_linear_is_recorded(tt, draw):
    """Linear records what it does, so that a gradient can pass through it later"""
    tt.manual_seed(draw.seed)
    n, m = draw.sizes(2)
    w = draw(n, m)
    layer = linear(tt, w)
    x = draw(2, n)
    same(layer(tt.tensor(x)), x @ w)
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    got = []
    for flag in flags:
        layer.weight.requires_grad = flag
        got.append(thing(layer(tt.tensor(x)), "layer(x)").requires_grad)
    same(
        got,
        flags,
        what="layer(x).requires_grad, with weight.requires_grad set to these",
        mistakes=[Mistake([False] * 6, A_LEAF)],
    )


# ---- Sequential -----------------------------------------------------------------------------------------


@exercise("Sequential.append", points=2)
def test_sequential_registers_its_layers(tt, draw):
    """Sequential registers its layers under their numbers, one by one or from one list"""
    tt.manual_seed(draw.seed)
    sizes = draw.sizes(4)
    layers = [tt.Linear(n, m) for n, m in itertools.pairwise(sizes)]
    due = [(str(i), n) for i, n in enumerate(sizes[:-1])]
    for call, model in ("a, b, c", tt.Sequential(*layers)), ("[a, b, c]", tt.Sequential(layers)):
        same(
            [(name, layer.in_features) for name, layer in made(model, "model").named_children()],
            due,
            what=f"name and in_features of each child of Sequential({call})",
            smaller="Sequential(Linear(2, 3)) has the parameters '0.weight' and '0.bias'",
            mistakes=[Mistake([], "the layers are kept and not registered. Assign each as an attribute, by setattr.")],
        )


@exercise("Sequential.append", points=1)
def test_sequential_holds_its_layers_in_order(tt, draw):
    """Sequential has a length and gives its layers by number, from either end, and in a loop"""
    tt.manual_seed(draw.seed)
    sizes = draw.sizes(4)
    model = made(tt.Sequential(), "model")
    for n, m in itertools.pairwise(sizes):
        model.append(tt.Linear(n, m))
    layers = [made(layer, "layer") for layer in (model[0], model[-1], *model)]
    got = [len(model), *(layer.in_features for layer in layers)]
    same(
        got,
        [3, sizes[0], sizes[2], *sizes[:3]],
        what=f"len(model), in_features of model[0], of model[-1], of each; sizes {list(sizes[:3])}",
        mistakes=[Mistake([0, sizes[0]], "len(model) is 0: append counts in self._length.")],
    )


@exercise("Sequential.append", points=1)
def test_append_returns_the_model_and_takes_functions(tt, draw):
    """append takes anything that can be called, and returns the model"""
    tt.manual_seed(draw.seed)
    a, w = draw(2, 3), draw(3, 2)
    model = made(made(tt.Sequential(), "Sequential()").append(tt.relu), "Sequential().append(relu)")
    model = made(model.append(linear(tt, w)), "model")
    same(model(tt.tensor(a)), np.maximum(a, 0) @ w, what="Sequential().append(relu).append(layer)(x)")
    number = int(draw.integers(10, 99))
    raises(TypeError, lambda: made(tt.Sequential(), "Sequential()").append(number), mentions=[number])


@exercise("Sequential.forward", points=2)
def test_sequential_feeds_each_layer_with_the_last_output(tt, draw):
    """Sequential feeds each layer with the output of the one before it"""
    tt.manual_seed(draw.seed)
    n = draw.sizes(1)[0]
    x, w, v, b = draw(2, n), draw(n, n), draw(n, n), draw(n)
    model = made(tt.Sequential(linear(tt, w, b), tt.relu, linear(tt, v)), "model")
    hidden = np.maximum(x @ w + b, 0)
    same(
        model(tt.tensor(x)),
        hidden @ v,
        what=f"Sequential(a, relu, b)(x), a and b Linear({n}, {n}), x (2, {n})",
        mistakes=[
            Mistake(x @ v, "only the last layer counts: each one was given the first x. Feed it the last output."),
            Mistake(x @ w + b, "only the first layer was applied: the return stands inside the loop."),
            Mistake(np.maximum(x @ v, 0) @ w + b, "the layers run from last to first. The first one comes first."),
            Mistake(x, "x came back unchanged: keep what each layer returns."),
        ],
        smaller="Sequential(f, g)(x) is g(f(x))",
    )


@exercise("Sequential.forward", points=1)
def test_sequential_without_layers_changes_nothing(tt, draw):
    """Sequential without layers gives x back, and one inside another is one layer"""
    tt.manual_seed(draw.seed)
    x, w = draw(2, 3), draw(3, 2)
    empty = made(tt.Sequential(), "empty")
    same(empty(tt.tensor(x)), x)
    nested = made(tt.Sequential(tt.Sequential(linear(tt, w)), empty), "nested")
    same(nested(tt.tensor(x)), x @ w, what="Sequential(Sequential(layer), Sequential())(x)")


# ---- state_dict -----------------------------------------------------------------------------------------


def stack_of(tt, sizes):
    """Sequential of Linear layers with a relu between them."""
    first, *rest = [tt.Linear(n, m) for n, m in itertools.pairwise(sizes)]
    return made(tt.Sequential(first, *(part for layer in rest for part in (tt.relu, layer))), "model")


@exercise("Module.state_dict", points=2)
def test_state_dict_has_every_number_under_its_name(tt, draw):
    """state_dict has the numbers of every parameter under its dotted name"""
    tt.manual_seed(draw.seed)
    sizes = draw.sizes(3)
    model = stack_of(tt, sizes)
    state = holds(model.state_dict(), dict, "model.state_dict()")
    due = ["0.weight", "0.bias", "2.weight", "2.bias"]
    same(
        list(state),
        due,
        what="names in Sequential(Linear, relu, Linear).state_dict()",
        mistakes=[Mistake([], "the dict is empty.")],
    )
    for name, place in zip(due, ((0, "weight"), (0, "bias"), (2, "weight"), (2, "bias")), strict=True):
        own = tensor_data(getattr(model[place[0]], place[1]))
        same_array(state[name], own, what=f"state[{name!r}], beside model[{place[0]}].{place[1]}.data")


def saved_before(array, change):
    """A saved state, after the parameter that it was taken from has changed."""
    module = tt.Module()
    module.weight = tt.Parameter(tt.tensor(array))
    state = module.state_dict()
    module.weight.data[...] += change
    return state["weight"], module.weight.data


@exercise("Module.state_dict", points=2)
def test_state_dict_does_not_change_with_the_model(lab, draw):
    """a saved state keeps its numbers while the model goes on training"""
    a, change = draw(2, 3), draw.positive(2, 3)
    saved, now = lab(saved_before, a, change)
    same_array(now, a + change, what="the parameter, after weight.data += change")
    same_array(
        saved,
        a,
        what='state["weight"], saved before weight.data += change',
        mistakes=[Mistake(a + change, "the dict holds the model's own array, so it changed as well. Store a copy.")],
    )


def state_of_tied(array):
    """The state of a model with a shared weight and a buffer."""
    root, inner = tt.Module(), tt.Module()
    root.weight = tt.Parameter(tt.tensor(array))
    root.inner, root.again = inner, inner
    inner.weight = root.weight
    inner.register_buffer("mean", tt.tensor(array + 1))
    return root.state_dict()


@exercise("Module.state_dict", points=1)
def test_state_dict_has_buffers_and_every_name(lab, draw):
    """state_dict has buffers too, and a shared weight under each of its names"""
    a = draw(3)
    state = holds(lab(state_of_tied, a), dict, "root.state_dict()")
    same(
        list(state),
        ["weight", "inner.weight", "inner.mean", "again.weight", "again.mean"],
        what="names in state_dict(): inner.weight is weight, again is inner, inner.mean is a buffer",
        mistakes=[
            Mistake(["weight", "inner.weight", "again.weight"], "buffers are missing: ask for buffers=True."),
            Mistake(["weight", "inner.mean"], "the second names are missing: ask for remove_duplicate=False."),
            Mistake(["weight"], "buffers and second names are missing: see the arguments of named_tensors."),
        ],
    )
    same_array(np.stack(list(state.values())), np.stack([a, a, a + 1, a, a + 1]), what="their numbers")


# ---- load_state_dict ------------------------------------------------------------------------------------


@exercise("Module.load_state_dict", points=2)
def test_load_state_dict_makes_two_models_equal(tt, draw):
    """load_state_dict makes a second model compute what the first one does"""
    tt.manual_seed(draw.seed)
    sizes = draw.sizes(3)
    old, new = stack_of(tt, sizes), made(stack_of(tt, sizes), "new")
    x = draw(4, sizes[0])
    state = holds(old.state_dict(), dict, "old.state_dict()")
    same(sorted(state), ["0.bias", "0.weight", "2.bias", "2.weight"], what="names in old.state_dict()")
    mixed = {name: state[name] for name in (list(state)[i] for i in draw.permutation(4))}
    before = tensor_data(new(tt.tensor(x)))
    new.load_state_dict(mixed)
    w, b, v, c = (state[name] for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
    same(
        new(tt.tensor(x)),
        np.maximum(x @ w + b, 0) @ v + c,
        what="new(x), after new.load_state_dict(old.state_dict())",
        mistakes=[Mistake(before, "nothing was loaded: new computes what it did before.")],
        atol=1e-4,
    )


def loaded(array, number):
    """What of a load is seen in the parameter held from before, and in the state after the parameter changes."""
    module = tt.Module()
    module.weight = tt.Parameter(tt.tensor(array))
    held = module.weight
    state = {"weight": np.full_like(array, number)}
    module.load_state_dict(state)
    seen = held.data.copy()
    module.weight.data[...] += 1
    return seen, module.weight.data, state["weight"]


@exercise("Module.load_state_dict", points=2)
def test_load_state_dict_writes_into_the_parameters(lab, draw):
    """load_state_dict writes into the parameters that are there, and leaves the saved numbers alone"""
    a, number = draw(2, 3), float(draw(1)[0]) + 4
    due = np.full_like(a, number)
    seen, now, state = lab(loaded, a, number)
    same_array(now, due + 1, what="module.weight.data, after a load and weight.data += 1")
    same_array(
        seen,
        due,
        what="the parameter that an optimiser held since before the load",
        mistakes=[Mistake(a, "the parameter was exchanged for another. Write into its data: data[...] = array.")],
    )
    same_array(
        state,
        due,
        what='state["weight"], after the load and weight.data += 1',
        mistakes=[Mistake(due + 1, "the model now holds the dict's own array. Copy the numbers: data[...] = array.")],
    )


def loaded_buffer(array):
    """A buffer and a shared weight, held from before a load, after it."""
    models = [tt.Module(), tt.Module()]
    for model, start in zip(models, (array, array * 0), strict=True):
        model.weight = tt.Parameter(tt.tensor(start))
        model.inner = tt.Module()
        model.inner.weight = model.weight
        model.inner.register_buffer("mean", tt.tensor(start * 2))
    models[1].load_state_dict(models[0].state_dict())
    return models[1].weight.data, models[1].inner.mean.data


@exercise("Module.load_state_dict", points=1)
def test_load_state_dict_loads_buffers_and_shared_weights(lab, draw):
    """load_state_dict loads buffers too, and a shared weight under each of its names"""
    a = draw(3)
    same_array(
        np.stack(lab(loaded_buffer, a)),
        np.stack([a, a * 2]),
        what="shared weight and buffer, after a load",
        mistakes=[Mistake(np.stack([a, a * 0]), "the buffer was not loaded: ask for buffers=True.")],
    )


def keys(state, strict):
    """Load a state into a small model; its numbers after that, and what the load returned."""
    model = tt.Sequential(tt.Linear(2, 3), tt.Linear(3, 2))
    for parameter in model.parameters():
        parameter.data[...] = 0.5
    answer = model.load_state_dict(state, strict=strict)
    sums = [float(parameter.data.sum()) for parameter in model.parameters()]
    return sums, answer.missing_keys, answer.unexpected_keys


@exercise("Module.load_state_dict", points=1)
def test_load_state_dict_refuses_names_that_do_not_fit(lab, draw):
    """load_state_dict refuses missing and unknown names, and passes over them with strict=False"""
    full = {"0.weight": draw(2, 3), "0.bias": draw(3), "1.weight": draw(3, 2), "1.bias": draw(2)}
    gone, stranger = draw.choice(list(full)), f"9.{words(draw, 1)[0]}"
    less = {name: array for name, array in full.items() if name != gone}
    more = {**full, stranger: draw(2)}
    refusals = (RuntimeError, KeyError, ValueError)
    raises(refusals, lambda: lab(keys, less, True), mentions=[gone])
    raises(refusals, lambda: lab(keys, more, True), mentions=[stranger])
    due = [float(full[name].sum()) if name != gone else 0.5 * full[name].size for name in full]
    sums, missing, unexpected = lab(keys, {**less, stranger: draw(2)}, False)
    same(sums, due, what=f"sum of each parameter, loaded with strict=False, {gone} missing, {stranger} unknown")
    same([missing, unexpected], [[gone], [stranger]], what="missing_keys, unexpected_keys")


def load_or_refuse(state):
    """Load a state into a Linear; the numbers afterwards, and the message of a refusal."""
    layer = tt.Linear(2, 3)
    layer.weight.data[...] = 0.5
    layer.bias.data[...] = 0.25
    said = ""
    try:
        layer.load_state_dict(state)
    except NotImplementedError:  # a stub refuses nothing
        raise
    except (ValueError, RuntimeError) as error:
        said = str(error)
    return layer.weight.data, layer.bias.data, said


@exercise("Module.load_state_dict", points=2)
def test_load_state_dict_refuses_other_shapes(tt, draw):
    """load_state_dict refuses a wrong shape, and names the parameter and both shapes"""
    tt.manual_seed(draw.seed)
    n, m, wrong = draw.sizes(3)
    layer = made(tt.Linear(n, m), "layer")
    fits = {"weight": draw(n, m), "bias": draw(m)}
    layer.load_state_dict(fits)
    same(layer.weight, fits["weight"], what="layer.weight, after load_state_dict")
    raises(
        (ValueError, RuntimeError),
        lambda: layer.load_state_dict({"weight": draw(n, m), "bias": draw(wrong)}),
        mentions=["bias", (wrong,), (m,)],
    )
    raises(  # would broadcast, if nobody looked
        (ValueError, RuntimeError),
        lambda: layer.load_state_dict({"weight": draw(1, m), "bias": draw(m)}),
        mentions=["weight", (1, m), (n, m)],
    )


@exercise("Module.load_state_dict", points=1)
def test_load_state_dict_changes_nothing_when_it_refuses(lab, draw):
    """load_state_dict leaves the model as it was when it refuses"""
    w, b = draw(2, 3), draw(3)
    weight, bias, _ = lab(load_or_refuse, {"weight": w, "bias": b})
    same_array(np.vstack([weight, bias]), np.vstack([w, b]), what="weight and bias, after a load that fits")
    for bad in {"weight": w, "bias": draw(4)}, {"weight": w}:
        weight, bias, _ = lab(load_or_refuse, bad)
        same_array(
            np.vstack([weight, bias]),
            np.float32([[0.5] * 3, [0.5] * 3, [0.25] * 3]),
            what=f"weight of 0.5 and bias of 0.25, after a refused load of {', '.join(bad)}",
            mistakes=[
                Mistake(
                    np.float32([*w, [0.25] * 3]),
                    "the weight was written before the error was found. Look at all first, then write.",
                )
            ],
        )


# ---- initialisation -------------------------------------------------------------------------------------


@exercise("xavier_uniform_", points=2)
def test_xavier_uniform_has_its_bound(tt, draw):
    """xavier_uniform_ spreads numbers evenly within sqrt(6 / (in + out))"""
    tt.manual_seed(draw.seed)
    n, m = int(draw.integers(80, 120)), int(draw.integers(300, 400))
    w = tensor_data(tt.xavier_uniform_(tt.zeros(n, m)))
    total = n + m
    bound = math.sqrt(6 / total)
    same(
        largest(w),
        round(bound, 6),
        rtol=0.001,  # 24,000 numbers or more: the largest is that near the bound
        what=f"largest |w| of xavier_uniform_(zeros({n}, {m})), where sqrt(6 / {total}) = {bound:.4f}",
        mistakes=[
            Mistake(
                math.sqrt(2 / total), "this is the standard deviation. A uniform range needs sqrt(6 / (in + out))."
            ),
            Mistake(math.sqrt(3 / total), "the bound belongs to 1 / (in + out). Xavier's variance is 2 / (in + out)."),
            Mistake(math.sqrt(6 / n), "only fan_in was counted. Both fans are in the sum."),
            Mistake(6 / total, "the root is missing."),
            Mistake(0.0, A_COPY),
        ],
    )
    same(outer_share(w, bound), 0.25, rtol=0.08, what=f"share of w below -{bound / 2:.4f}")


@exercise("xavier_uniform_", points=1)
def test_xavier_uniform_fills_in_place_with_gain(tt, draw):
    """xavier_uniform_ fills the tensor that it is given, and gain widens the range"""
    tt.manual_seed(draw.seed)
    n, m = int(draw.integers(80, 120)), int(draw.integers(300, 400))
    gain = float(draw.choice([0.5, 2.0, 3.0]))
    w = named(tt.zeros(n, m), "w")
    filled = tensor_data(tt.xavier_uniform_(w, gain))
    same(w, filled, what="w, after xavier_uniform_(w, gain)", mistakes=[Mistake(np.zeros((n, m)), A_COPY)])
    bound = gain * math.sqrt(6 / (n + m))
    same(
        largest(filled),
        round(bound, 6),
        rtol=0.001,
        what=f"largest |w| with gain {gain}",
        mistakes=[Mistake(bound / gain, "gain was not used: it multiplies the bound.")],
    )


@exercise("xavier_normal_", points=2)
def test_xavier_normal_has_its_spread(tt, draw):
    """xavier_normal_ gives normal numbers with the standard deviation sqrt(2 / (in + out))"""
    tt.manual_seed(draw.seed)
    n, m = int(draw.integers(80, 120)), int(draw.integers(300, 400))
    gain = float(draw.choice([1.0, 2.0]))
    x = named(tt.zeros(n, m), "w")
    w = tensor_data(tt.xavier_normal_(x) if gain == 1 else tt.xavier_normal_(x, gain=gain))
    total = n + m
    std = gain * math.sqrt(2 / total)
    same(
        deviation(w),
        round(std, 6),
        rtol=0.035,  # 24,000 numbers: the deviation of their own is off by 0.0046 of itself at most times
        what=f"standard deviation of xavier_normal_(zeros({n}, {m}), gain={gain})",
        mistakes=[
            Mistake(gain * math.sqrt(6 / total), "this is the uniform bound. A normal needs sqrt(2 / (in + out))."),
            Mistake(gain * 2 / total, "this is the variance. normal_ takes the standard deviation, its root."),
            Mistake(std / gain, "gain was not used: it multiplies the standard deviation."),
            Mistake(0.0, A_COPY),
        ],
    )
    same(wide_share(w, std), 0.15866, rtol=0.12, what=f"share of w below -{std:.4f}, 0.1587 if w is normal")
    same(x, w, what="w, after xavier_normal_(w)", mistakes=[Mistake(np.zeros((n, m)), A_COPY)])


@exercise("kaiming_uniform_", points=2)
def test_kaiming_uniform_has_its_bound(tt, draw):
    """kaiming_uniform_ spreads numbers evenly within sqrt(3) · gain / sqrt(fan)"""
    tt.manual_seed(draw.seed)
    n, m = int(draw.integers(80, 120)), int(draw.integers(300, 400))
    a = float(draw.choice([0.0, 0.5, 1.0]))
    mode = draw.choice(["fan_in", "fan_out"])
    fan, other = (n, m) if mode == "fan_in" else (m, n)
    x = named(tt.zeros(n, m), "w")
    w = tensor_data(tt.kaiming_uniform_(x, mode=mode) if a == 0 else tt.kaiming_uniform_(x, a=a, mode=mode))
    std = math.sqrt(2 / (1 + a * a) / fan)
    bound = math.sqrt(3) * std
    same(
        largest(w),
        round(bound, 6),
        rtol=0.001,
        what=f"largest |w| of kaiming_uniform_(zeros({n}, {m}), a={a}, mode={mode!r})",
        mistakes=[
            Mistake(std, "this is the standard deviation. The bound is sqrt(3) times as wide."),
            Mistake(
                bound * math.sqrt(fan / other), f"the other fan was counted: {mode} of a weight ({n}, {m}) is {fan}."
            ),
            Mistake(math.sqrt(6 / fan), "the slope a was not used: calculate_gain(nonlinearity, a)."),
            Mistake(0.0, A_COPY),
        ],
    )
    same(outer_share(w, bound), 0.25, rtol=0.08, what=f"share of w below -{bound / 2:.4f}")
    same(x, w, what="w, after kaiming_uniform_(w)", mistakes=[Mistake(np.zeros((n, m)), A_COPY)])


@exercise("kaiming_normal_", points=2)
def test_kaiming_normal_has_its_spread(tt, draw):
    """kaiming_normal_ gives normal numbers with the standard deviation gain / sqrt(fan)"""
    tt.manual_seed(draw.seed)
    n, m = int(draw.integers(80, 100)), int(draw.integers(400, 500))
    a = float(draw.choice([0.0, 0.5, 1.0]))
    mode = draw.choice(["fan_in", "fan_out"])
    fan, other = (n, m) if mode == "fan_in" else (m, n)
    x = named(tt.zeros(n, m), "w")
    w = tensor_data(tt.kaiming_normal_(x, mode=mode) if a == 0 else tt.kaiming_normal_(x, a=a, mode=mode))
    std = math.sqrt(2 / (1 + a * a) / fan)
    same(
        deviation(w),
        round(std, 6),
        rtol=0.035,
        what=f"standard deviation of kaiming_normal_(zeros({n}, {m}), a={a}, mode={mode!r})",
        mistakes=[
            Mistake(std * math.sqrt(3), "this is the uniform bound. A normal takes the standard deviation itself."),
            Mistake(
                std * math.sqrt(fan / other), f"the other fan was counted: {mode} of a weight ({n}, {m}) is {fan}."
            ),
            Mistake(math.sqrt(2 / fan), "the slope a was not used: calculate_gain(nonlinearity, a)."),
            Mistake(std * std, "this is the variance. normal_ takes the standard deviation, its root."),
            Mistake(0.0, A_COPY),
        ],
    )
    same(wide_share(w, std), 0.15866, rtol=0.12, what=f"share of w below -{std:.4f}, 0.1587 if w is normal")
    same(x, w, what="w, after kaiming_normal_(w)", mistakes=[Mistake(np.zeros((n, m)), A_COPY)])


# ---- train and eval -------------------------------------------------------------------------------------


def switched(modes):
    """`training` of a module, of one inside it and of one inside that, after each switch; and what train returned."""
    root, inner, deep = tt.Module(), tt.Module(), tt.Module()
    root.inner, inner.deep, deep.size = inner, deep, len(modes)
    seen = []
    for mode in modes:
        same_one = root.train(mode) if mode else root.eval()
        seen.append([root.training, inner.training, deep.training])
    deep.eval()
    inner.train()
    return seen, same_one.inner.deep.size, [root.training, inner.training, deep.training]


@exercise("Module.train", points=2)
def test_train_and_eval_reach_every_layer(lab, draw):
    """train and eval reach every layer at any depth, and return the model"""
    modes = [bool(flag) for flag in draw.permutation(5) % 2]
    seen, size, last = lab(switched, modes)
    same(
        seen,
        [[mode] * 3 for mode in modes],
        what=f"training of model, model.inner and model.inner.deep, after switching to {modes}",
        mistakes=[
            Mistake([[m, True, True] for m in modes], "only the model itself was switched. Go through modules()."),
            Mistake([[m, m, True] for m in modes], "only the first level was switched. Go through modules()."),
            Mistake([[True] * 3 for _ in modes], "mode was not listened to."),
        ],
    )
    same(size, 5, what="model.train(mode).inner.deep.size: train returns the model")
    same(last, [modes[-1], True, True], what="the same three, after deep.eval() and then inner.train()")


# ---- Dropout --------------------------------------------------------------------------------------------


@exercise("Dropout.forward", points=1)
def test_dropout_draws_each_element_anew(tt, draw):
    """Dropout draws each element for itself, and anew in each call"""
    tt.manual_seed(draw.seed)
    p = float(draw.choice([0.375, 0.5, 0.625]))
    layer, x = made(tt.Dropout(p), "layer"), tt.ones(64, 64)
    first, second = (tensor_data(layer(x)) != 0 for _ in range(2))
    same(
        [len(np.unique(first, axis=0)), len(np.unique(first, axis=1)), int((first != second).any())],
        [64, 64 if first.shape[1:] else 0, 1],
        what="different rows, different columns of Dropout(p)(ones(64, 64)); whether a second call differs",
        mistakes=[
            Mistake([1, 1, 0], "nothing was dropped while training is true, or everything."),
            Mistake([1, 64, 1], "all rows lose the same columns. Draw one number for each element."),
            Mistake([64, 1, 1], "whole rows are dropped. Draw one number for each element."),
            Mistake([64, 64, 0], "each call drops the same elements. Draw anew in forward."),
        ],
    )


@exercise("Dropout.forward", points=2)
def test_dropout_drops_the_share_p(tt, draw):
    """Dropout sets the share p of its inputs to zero"""
    tt.manual_seed(draw.seed)
    p = float(draw.choice([0.1, 0.2, 0.3, 0.4]))
    dropped = float((tensor_data(made(tt.Dropout(p), "layer")(tt.ones(200, 250))) == 0).mean())
    same(
        dropped,
        p,
        rtol=6.5 * math.sqrt((1 - p) / p / 50_000),  # 6.5 standard deviations of the share of 50,000
        what=f"share of zeros in Dropout({p})(ones(200, 250))",
        mistakes=[
            Mistake(1 - p, "p was taken for the share that stays. It is the share that is dropped."),
        ],
    )


@exercise("Dropout.forward", points=2)
def test_dropout_scales_what_stays(tt, draw):
    """Dropout divides what stays by 1 - p, so that the expected sum is unchanged"""
    tt.manual_seed(draw.seed)
    p = float(draw.choice([0.125, 0.25, 0.375]))
    x = draw(16, 16)
    y = made(tt.Dropout(p), f"Dropout({p})")(named(tt.tensor(x), "x"))
    stays = tensor_data(y) != 0
    stays = stays if stays.any() else np.ones_like(stays)
    same(
        y,
        np.where(stays, x / (1 - p), 0),
        mistakes=[
            Mistake(np.where(stays, x, 0), "what stays was not rescaled: the sum shrinks. Divide it by 1 - p."),
            Mistake(np.where(stays, x / p, 0), "what stays was divided by p. Its share is 1 - p."),
            Mistake(np.where(stays, x * (1 - p), 0), "what stays was multiplied by 1 - p. Divide by it."),
            Mistake(np.where(stays, 1 / (1 - p), 0), "this is the mask. Multiply x by it."),
        ],
        smaller="with p = 0.5 each 1 becomes 0 or 2",
    )


@exercise("Dropout.forward", points=2)
def test_dropout_does_nothing_in_eval(tt, draw):
    """Dropout gives x back unchanged after eval, and drops again after train"""
    tt.manual_seed(draw.seed)
    x = draw(16, 16)
    layer = made(made(tt.Dropout(0.5), "Dropout(0.5)").eval(), "layer")
    same(
        layer(tt.tensor(x)),
        x,
        what="Dropout(0.5).eval()(x)",
        mistakes=[
            Mistake(x * 0.5, "in eval nothing is scaled: the division by 1 - p while training did that already.")
        ],
    )
    zeros = float((tensor_data(made(layer.train(), "layer")(tt.tensor(x))) == 0).mean())
    same(zeros, 0.5, rtol=0.41, what="share of zeros after train() again")  # 256 numbers: 6.5 deviations


@exercise("Dropout.forward", points=1)
def test_dropout_is_repeatable(tt, draw):
    """Dropout drops the same elements after the same manual_seed, and others after another"""
    seed, x = int(draw.integers(0, 1000)), draw(16, 16)
    layer = made(tt.Dropout(0.5), "layer")
    got = []
    for number in (seed, seed, seed + 1):
        tt.manual_seed(number)
        got.append(tensor_data(layer(tt.tensor(x))))
    same(
        [bool(np.array_equal(got[0], got[1])), bool(np.array_equal(got[0], got[2]))],
        [True, False],
        what="whether two calls give the same: after the same seed, after another seed",
        mistakes=[
            Mistake([False, False], "manual_seed has no hold on the mask. Draw it with rand from module 01."),
            Mistake([True, True], "the mask is always the same. Draw it with rand in each call."),
        ],
    )


@exercise("Dropout.forward", points=1)
def test_dropout_of_nothing_and_of_everything(tt, draw):
    """Dropout(0) keeps everything and Dropout(1) drops everything, without a warning"""
    x = draw(*draw.sizes(2))
    with calm(tt):
        same(made(tt.Dropout(0.0), "Dropout(0.0)")(tt.tensor(x)), x)
        same(
            made(tt.Dropout(1.0), "Dropout(1.0)")(tt.tensor(x)),
            np.zeros_like(x),
            mistakes=[Mistake(np.full_like(x, np.nan), "1 - p is 0 where p is 1: do not divide by it.")],
        )


@exercise("Dropout.forward", points=1)
def test_dropout_is_recorded_and_spares_its_input(tt, draw):
    """Dropout records what it does, and leaves its input alone"""
    tt.manual_seed(draw.seed)
    flags, got = flags_in_and_out(made(tt.Dropout(0.25), "layer"), tt, draw, (4, 4))
    same(
        got,
        flags,
        what="[Dropout(0.25)(x).requires_grad for x in xs]",
        mistakes=[Mistake([False] * 6, A_LEAF)],
    )
    a = draw(6, 6)
    x = named(tt.tensor(a), "x")
    y = tensor_data(made(tt.Dropout(0.5), "layer")(x))
    same_array(y, np.where(y != 0, 2 * a, 0), what="layer(x)")
    same(bool((y != 0).any()), bool(a.any()), what="whether something stays of 36 numbers")
    unchanged(x, a, what="x, after Dropout(0.5)(x)")


# ---- LayerNorm ------------------------------------------------------------------------------------------


def normalised(a, dims=1, eps=1e-5, correction=0):
    """Samples with mean 0 and variance 1 over the last dimensions, in float64."""
    axes = tuple(range(-dims, 0))
    a = a.astype(np.float64)
    n = math.prod(a.shape[-dims:])
    centred = a - a.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).sum(axes, keepdims=True) / (n - correction) + eps)


@exercise("LayerNorm.forward", points=2)
def test_layer_norm_gives_each_row_mean_0_and_variance_1(tt, draw):
    """LayerNorm gives each sample mean 0 and variance 1 over its features"""
    rows, n = 3, 4
    a = draw.distinct(rows, n) * 2 + 1
    centred = a - a.mean(-1, keepdims=True)
    whole = (a - a.mean()) / np.sqrt(a.var() + 1e-5)
    same(
        made(tt.LayerNorm(n), f"LayerNorm({n})")(tt.tensor(a)),
        normalised(a),
        mistakes=[
            Mistake(normalised(a, correction=1), "the variance was divided by n - 1. Normalising divides by n."),
            Mistake(normalised(a.T).T, "each feature was normalised over the batch. Each sample has its own mean."),
            Mistake(whole, "the whole batch has one mean and variance. Each sample has its own."),
            Mistake(centred / (a.var(-1, keepdims=True) + 1e-5), "divided by the variance. Divide by its root."),
            Mistake(a / np.sqrt(a.var(-1, keepdims=True) + 1e-5), "the mean was not subtracted."),
            Mistake(centred, "the mean is 0 now. The division by the spread is missing."),
        ],
        show=("variance", lambda y: y.var(-1)),
        smaller="LayerNorm(2)(tensor([[1., 3.]])) is close to [[-1., 1.]]",
    )


@exercise("LayerNorm.forward", points=1)
def test_layer_norm_puts_eps_under_the_root(tt, draw):
    """LayerNorm adds eps to the variance, under the root"""
    n = 4
    a = draw.distinct(2, n)
    eps = float(draw.choice([0.5, 1.0, 2.0]))
    centred = a - a.mean(-1, keepdims=True)
    same(
        made(tt.LayerNorm(n, eps=eps), f"LayerNorm({n}, eps={eps})")(tt.tensor(a)),
        normalised(a, eps=eps),
        mistakes=[
            Mistake(centred / (a.std(-1, keepdims=True) + eps), "eps was added to the root. It belongs under it."),
            Mistake(normalised(a), "eps is 1e-5 whatever was asked for. Use self.eps."),
            Mistake(normalised(a, eps=0.0), "eps is missing."),
            Mistake(normalised(a, eps=eps * eps), "eps was squared."),
        ],
        smaller="LayerNorm(2, eps=3.0)(tensor([[-1., 1.]])) is [[-0.5, 0.5]]",
    )
    with calm(tt):
        same(made(tt.LayerNorm(n), f"LayerNorm({n})")(tt.tensor(np.full((2, n), a[0, 0]))), np.zeros((2, n)))


@exercise("LayerNorm.forward", points=2)
def test_layer_norm_scales_and_shifts_each_feature(tt, draw):
    """LayerNorm multiplies by weight and adds bias, feature by feature"""
    n = draw.sizes(1)[0]
    a, w, b = draw.distinct(n, n), draw(n), draw(n)
    layer = made(tt.LayerNorm(n), "layer")
    thing(layer.weight, "layer.weight").data, thing(layer.bias, "layer.bias").data = w, b
    y = normalised(a)
    same(
        layer(tt.tensor(a)),
        y * w + b,
        what=f"layer(x), x ({n}, {n}), layer = LayerNorm({n}) with weight {text(w)}, bias {text(b)}",
        mistakes=[
            Mistake(y, "weight and bias were not used."),
            Mistake(y * w, "the bias was not added."),
            Mistake(y + b, "the weight was not used."),
            Mistake((y + b) * w, "scale first, then shift: y * weight + bias."),
            Mistake(y * w[:, None] + b[:, None], "weight and bias went to the samples. They belong to the features."),
        ],
    )


@exercise("LayerNorm.forward", points=1)
def test_layer_norm_without_scale_or_shift(tt, draw):
    """LayerNorm works without a weight, and without a bias"""
    n = 4
    a, w = draw.distinct(3, n), draw(n)
    same(
        made(tt.LayerNorm(n, elementwise_affine=False), f"LayerNorm({n}, elementwise_affine=False)")(tt.tensor(a)),
        normalised(a),
    )
    layer = made(tt.LayerNorm(n, bias=False), "layer")
    thing(layer.weight, "layer.weight").data = w
    same(layer(tt.tensor(a)), normalised(a) * w, what=f"LayerNorm({n}, bias=False)(x), weight {text(w)}")


@exercise("LayerNorm.forward", points=1)
def test_layer_norm_over_several_dimensions(tt, draw):
    """LayerNorm normalises over as many last dimensions as it was given sizes"""
    b, t, n = draw.sizes(3)
    a = draw.distinct(b, t, n)
    same(
        made(tt.LayerNorm((t, n)), f"LayerNorm(({t}, {n}))")(tt.tensor(a)),
        normalised(a, dims=2),
        mistakes=[Mistake(normalised(a), "only the last dimension was normalised. There are two sizes.")],
    )
    same(made(tt.LayerNorm(n), f"LayerNorm({n})")(tt.tensor(a)), normalised(a))


@exercise("LayerNorm.forward", points=1)
def test_layer_norm_far_from_zero(tt, draw):
    """LayerNorm keeps its precision where the numbers lie far from zero"""
    a = draw.distinct(3, 4)
    far = a + 4096
    squares = (far * far).mean(-1, keepdims=True) - far.mean(-1, keepdims=True) ** 2
    with np.errstate(all="ignore"):
        wrong = (far - far.mean(-1, keepdims=True)) / np.sqrt(squares + np.float32(1e-5))
    same(
        made(tt.LayerNorm(4), "LayerNorm(4)")(tt.tensor(far)),
        normalised(a),
        rtol=1e-3,
        atol=1e-3,
        mistakes=[Mistake(wrong, "mean of squares minus squared mean loses all digits here. Subtract the mean first.")],
        smaller="LayerNorm(2)(tensor([[4096., 4098.]])) is close to [[-1., 1.]]",
    )


@exercise("LayerNorm.forward", points=1)
def test_layer_norm_refuses_other_features(tt, draw):
    """LayerNorm refuses an input whose last sizes are others, and names both"""
    n, wrong, rows = draw.sizes(3)
    a = draw.distinct(rows, n)
    layer = made(tt.LayerNorm(n), "layer")
    same(layer(tt.tensor(a)), normalised(a))
    raises(
        (ValueError, RuntimeError),
        lambda: layer(tt.tensor(draw(rows, wrong))),
        mentions=[(rows, wrong), (n,)],
    )


@exercise("LayerNorm.forward", points=1)
def test_layer_norm_is_recorded_and_spares_its_input(tt, draw):
    """LayerNorm records what it does, and leaves its input alone"""
    layer = made(tt.LayerNorm(4, elementwise_affine=False), "layer")
    flags, got = flags_in_and_out(layer, tt, draw, (2, 4))
    same(got, flags, what="[layer(x).requires_grad for x in xs]", mistakes=[Mistake([False] * 6, A_LEAF)])
    y = thing(made(tt.LayerNorm(4), "LayerNorm(4)")(tt.tensor(draw(2, 4))), "y")
    same(y.requires_grad, True, what="requires_grad, with a weight to learn")
    a = draw.distinct(3, 4)
    x = named(tt.tensor(a), "x")
    same(layer(x), normalised(a))
    unchanged(x, a, what="x, after layer(x)")
