"""Layers: functions that own the numbers a network learns.

A `Linear` is a matrix, a bias and `x @ weight + bias`. `Module` is what turns layers into a model: it notes every
parameter and every layer that is assigned to it, so that a model of any depth can list its numbers, save them, load
them, and be told whether it is training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .tensor import Tensor, add_up, ones, rand, randn, record, zeros

Array: TypeAlias = NDArray[Any]
Layer: TypeAlias = Callable[[Tensor], Tensor]
AnyTensor = TypeVar("AnyTensor", bound=Tensor)  # what comes in, a Parameter perhaps, comes back


class Parameter(Tensor):
    """A tensor that belongs to a model and is learnt."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, dtype: DTypeLike | None = None) -> None:
        """A Tensor of the same numbers that asks for a gradient.

        Nothing else sets it apart from a Tensor. Its class is the message: `Module` looks for Parameters
        among its attributes, and whatever is computed from one is a plain Tensor again, so that
        results are never mistaken for something to learn. Numbers, shape and dtype are kept as
        Tensor keeps them; `requires_grad=False` freezes it. As torch.nn.Parameter.

        >>> Parameter([0.5, -1.0]).requires_grad, tensor([0.5, -1.0]).requires_grad
        (True, False)
        >>> type(Parameter([0.5, -1.0]) * 2) is Tensor
        True

        One line: hand everything to the constructor of Tensor.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Parameter.__init__")
        # END OF YOUR CODE (keep this line)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found missing in a state dict, and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """What layers and models have in common: they know the parameters and layers that they are made of.

    A subclass calls `super().__init__()`, assigns its parameters and layers, and computes in `forward`. As
    torch.nn.Module.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = Parameter([3.0])
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(tensor([0.5])).tolist(), [name for name, _ in Scale().named_parameters()]
    ([1.5], ['factor'])
    """

    training: bool
    _parameters: dict[str, Parameter]  # name -> parameter, in order of assignment
    _modules: dict[str, Module]  # name -> layer, in order of assignment
    _buffer_names: list[str]

    def __init__(self) -> None:
        # Past __setattr__, which looks into these tables.
        vars(self).update(training=True, _parameters={}, _modules={}, _buffer_names=[])

    # ---- Registering what is assigned ----

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep an attribute as every object does, and note parameters and layers in a table as well.

        A Parameter goes into the dict `self._parameters` and a Module into `self._modules`, both under
        `name`. All else is only kept: numbers, plain tensors, a list. (A layer inside a list is
        therefore not seen. That is how layers get lost, in PyTorch too.)

        Python calls this method for each `self.name = value`. The plain way to keep an attribute is
        `object.__setattr__(self, name, value)`; `self.name = value` in here would call this method
        again, without end.

        >>> layer = Module()
        >>> layer.weight = Parameter([0.5])
        >>> layer.inner = Module()
        >>> layer.size = 3
        >>> list(layer._parameters), list(layer._modules), layer.size
        (['weight'], ['inner'], 3)

        Begin with `self._forget(name, value)` (given): it takes out what the name meant before.
        About six lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Module.__setattr__")
        # END OF YOUR CODE (keep this line)

    def _forget(self, name: str, value: Any) -> None:
        """Take a name out of the table in which a value of this kind does not belong.

        What stays keeps its place, so that a layer that is exchanged stands where the old one stood.

        Raises:
            TypeError: a plain tensor would push out a parameter, and nobody would learn it any more.
        """
        if name in vars(self).get("_parameters", ()) and not isinstance(value, Parameter):
            if isinstance(value, Tensor):
                path = f"{type(self).__name__}.{name}"
                raise TypeError(f"{path} is a Parameter: assign a Parameter, or write into {path}.data")
            del self._parameters[name]
        if name in vars(self).get("_modules", ()) and not isinstance(value, Module):
            del self._modules[name]

    def __getattr__(self, name: str) -> Any:
        # Python asks here only for what it has not found.
        kind = type(self).__name__
        if name in ("_parameters", "_modules", "_buffer_names", "training"):
            raise AttributeError(f"{kind}.__init__ must call super().__init__() before it assigns parameters or layers")
        raise AttributeError(f"{kind} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        self._forget(name, None)
        if name in self._buffer_names:
            self._buffer_names.remove(name)
        object.__delattr__(self, name)

    def register_buffer(self, name: str, tensor: Tensor) -> None:
        """Keep a tensor that is part of the model's state but is not learnt, such as a running average."""
        if not isinstance(tensor, Tensor):
            raise TypeError(f"buffer {name} is a Tensor, not {type(tensor).__name__}")
        setattr(self, name, tensor)
        if name not in self._buffer_names:
            self._buffer_names.append(name)

    def _own_tensors(self, buffers: bool) -> dict[str, Any]:
        """The parameters of this module alone, then its buffers where they are asked for."""
        kept = self._buffer_names if buffers else []
        return {**self._parameters, **{name: getattr(self, name) for name in kept}}

    # ---- Walking through a model ----

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Go through this module and all that it holds, at any depth, as pairs (dotted name, module).

        The module itself comes first under the name `prefix`, then each of its layers followed by all
        that the layer holds, in order of assignment. A layer's name is its attribute's name behind
        that of its owner: with `self.body.first`, the names are `""`, `"body"`, `"body.first"`.

        A layer that is used in two places comes once, under its first name. `memo` holds the `id()` of
        the modules that were seen; one set is handed to the whole walk. With `remove_duplicate=False`
        the layer comes under each of its names.

        >>> model = Sequential(Linear(3, 4), Sequential(Linear(4, 2)))
        >>> [name for name, _ in model.named_modules()]
        ['', '0', '1', '1.0']
        >>> shared = Linear(3, 3)
        >>> [name for name, _ in Sequential(shared, shared).named_modules()]
        ['', '0']

        About eight lines with `yield`, and `yield from` for each layer. `_dotted(prefix, name)` (given) joins
        two names.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Module.named_modules")
        # END OF YOUR CODE (keep this line)

    def named_tensors(self, buffers: bool = False, remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        """Go through all parameters of the model, as pairs (dotted name, parameter).

        The walk is that of `named_modules`. Each module gives what it owns itself:
        `module._own_tensors(buffers)` (given) is a dict name -> tensor with its parameters, and with
        its buffers too where `buffers` is true.

        A tensor that stands in two places, such as a weight that two layers share, comes once, under
        its first name: an optimiser that met it twice would move it twice. With
        `remove_duplicate=False` it comes under each of its names. Tell tensors apart by `id()`;
        `==` compares their numbers.

        >>> model = Sequential(Linear(3, 4), Sequential(Linear(4, 2, bias=False)))
        >>> [(name, p.shape) for name, p in model.named_tensors()]
        [('0.weight', (3, 4)), ('0.bias', (4,)), ('1.0.weight', (4, 2))]

        About seven lines. `parameters`, `named_parameters`, `buffers` and `state_dict` rest on it.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Module.named_tensors")
        # END OF YOUR CODE (keep this line)

    def modules(self) -> Iterator[Module]:
        """This module and all that it holds, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The layers directly in this module, with their names, each once."""
        first: dict[int, tuple[str, Module]] = {}
        for name, module in self._modules.items():
            first.setdefault(id(module), (name, module))
        return iter(first.values())

    def children(self) -> Iterator[Module]:
        """The layers directly in this module, each once."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names; without `recurse`, those that this module owns itself."""
        own = self._own_tensors(buffers=False).items()
        for name, tensor in self.named_tensors(remove_duplicate=remove_duplicate) if recurse else own:
            yield _dotted(prefix, name), tensor

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimiser moves."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names."""
        return ((name, t) for name, t in self.named_tensors(buffers=True) if not isinstance(t, Parameter))

    def buffers(self) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers())

    def apply(self, function: Callable[[Module], Any]) -> Module:
        """Call a function with every module of the model; the model itself comes back."""
        for module in self.modules():
            function(module)
        return self

    def to(self, dtype: DTypeLike) -> Module:
        """Convert all floats of the model to another dtype, in place; the model itself comes back."""
        for _, tensor in self.named_tensors(buffers=True):
            if tensor.data.dtype.kind == "f":
                tensor.data = tensor.data.astype(dtype)
        return self

    # ---- Computing ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the layer's output."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes; each subclass says it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(), where a module says what it computes")

    def train(self, mode: bool = True) -> Module:
        """Tell the whole model whether it is training.

        Sets `training` to `mode` in this module and in every module that it holds, at any depth, and
        returns the model itself, so that `model = Net().train()` can be written. Dropout acts only
        while `training` is true; `eval()` is `train(False)`.

        >>> model = Sequential(Dropout(0.5), Sequential(Dropout(0.5)))
        >>> [module.training for module in model.train(False).modules()]
        [False, False, False, False]

        Three lines: `modules()` is the walk.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Module.train")
        # END OF YOUR CODE (keep this line)

    def eval(self) -> Module:
        """Tell the whole model that it is used, not trained."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Throw the gradients away, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.data[...] = 0

    # ---- Saving and loading ----

    def state_dict(self) -> dict[str, Array]:
        """The numbers of the model: a dict from dotted name to NumPy array.

        Holds every parameter and buffer under each of its names, also a second one: whoever loads a
        model with shared weights asks for all. The arrays are copies. Training goes on after a save,
        and a saved state must not go on with it.

        >>> layer = Linear(2, 2)
        >>> state = layer.state_dict()
        >>> list(state), state["bias"].shape
        (['weight', 'bias'], (2,))
        >>> layer.bias.data[...] = 0.75
        >>> bool((state["bias"] == 0.75).any())
        False

        One or two lines: `named_tensors` has names and tensors, `data` is a tensor's array.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Module.state_dict")
        # END OF YOUR CODE (keep this line)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Write saved numbers into this model's parameters and buffers.

        The numbers go into the arrays that are there (`tensor.data[...] = array`): an optimiser that
        holds the parameters must see the new numbers in them, so no parameter is exchanged for another.

        Refuses before it writes; after an error the model is as it was:
        - RuntimeError if a name is missing or has no place here; the sentence says which. With
          `strict=False` such names are passed over.
        - ValueError if a shape differs; the sentence holds the name and both shapes.

        Returns `IncompatibleKeys(missing, unexpected)`, two lists of names.

        >>> old, new = Linear(3, 2), Linear(3, 2)
        >>> new.load_state_dict(old.state_dict())
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        >>> bool((new.weight == old.weight).data.all())
        True
        >>> Linear(4, 2).load_state_dict(old.state_dict())
        Traceback (most recent call last):
        ValueError: weight is (4, 2) in this Linear, and (3, 2) in the state dict

        About twelve lines. `_array(value)` (given) is the array of an array, a list or a Tensor.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Module.load_state_dict")
        # END OF YOUR CODE (keep this line)

    # ---- Printing ----

    def extra_repr(self) -> str:
        """What stands between the brackets of a layer that holds no others."""
        return ""

    def _shown(self) -> Iterable[tuple[str, Any]]:
        """The layers inside, as they are printed."""
        return self._modules.items()

    def __repr__(self) -> str:
        kind = type(self).__name__
        inside = [f"({name}): {layer!r}".replace("\n", "\n  ") for name, layer in self._shown()]
        if not inside:
            return f"{kind}({self.extra_repr()})"
        return "\n  ".join([f"{kind}(", *inside]) + "\n)"


def _dotted(owner: str, name: str) -> str:
    """A name behind its owner's: `body` and `weight` make `body.weight`."""
    return f"{owner}.{name}" if owner and name else owner or name


def _array(value: Any) -> Array:
    """The array of numbers in an array, a list or a Tensor."""
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a state dict holds numbers, not {array.dtype}")
    return array


# ---- Initialisation ----


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight: how many inputs one output sums, and how many outputs one input feeds.

    A matrix is (in, out) in this course, so its shape is the answer. PyTorch keeps (out, in) and reads the two the
    other way round. With more dimensions the weight is a convolution's, (out, in, height, width) as in PyTorch,
    and each output sums a whole window.

    >>> fans(zeros(784, 128)), fans(zeros(6, 3, 5, 5))
    ((784, 128), (75, 150))
    """
    if tensor.ndim < 2:
        raise ValueError(f"fan in and fan out need a weight of 2 or more dimensions, not shape {tensor.shape}")
    if tensor.ndim == 2:
        return tensor.shape[0], tensor.shape[1]
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def fan(tensor: Tensor, mode: str) -> int:
    """The fan that `mode` asks for, "fan_in" or "fan_out"."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    return fans(tensor)[mode == "fan_out"]


def calculate_gain(nonlinearity: str, param: float = 0.01) -> float:
    """The factor that makes up for what an activation does to the spread of its inputs, as PyTorch has it.

    >>> calculate_gain("relu") == math.sqrt(2), calculate_gain("linear")
    (True, 1.0)
    """
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    gains["leaky_relu"] = math.sqrt(2 / (1 + param**2))
    if nonlinearity not in gains:
        raise ValueError(f"no gain is known for {nonlinearity!r}; there are {', '.join(gains)}")
    return gains[nonlinearity]


def uniform_(tensor: AnyTensor, a: float = 0.0, b: float = 1.0) -> AnyTensor:
    """Fill a tensor with numbers spread evenly over [a, b), in place, and return it."""
    tensor.data[...] = a + (b - a) * rand(tensor.shape).data
    return tensor


def normal_(tensor: AnyTensor, mean: float = 0.0, std: float = 1.0) -> AnyTensor:
    """Fill a tensor with normally distributed numbers, in place, and return it."""
    tensor.data[...] = mean + std * randn(tensor.shape).data
    return tensor


def xavier_uniform_(tensor: AnyTensor, gain: float = 1.0) -> AnyTensor:
    """Fill a weight evenly over [-b, b], so wide that signals keep their size in both directions.

        b = gain * sqrt(6 / (fan_in + fan_out))

    An output that sums n inputs grows in variance n-fold. Forward n is fan_in, backward it is
    fan_out, and 2 / (fan_in + fan_out) is the variance between what the two ask for. Numbers spread
    evenly over [-b, b] have the variance b**2 / 3: therefore 6 and not 2.

    The tensor is filled in place and returned. As torch.nn.init.xavier_uniform_ (Glorot and Bengio, 2010).

    >>> w = xavier_uniform_(zeros(4, 8))
    >>> w.shape, bool((w.abs() <= math.sqrt(6 / (4 + 8))).data.all())
    ((4, 8), True)
    >>> round(math.sqrt(6 / (4 + 8)), 4)
    0.7071

    Three lines: `fans(tensor)` and `uniform_(tensor, a, b)` are given.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("layers.xavier_uniform_")
    # END OF YOUR CODE (keep this line)


def xavier_normal_(tensor: AnyTensor, gain: float = 1.0) -> AnyTensor:
    """Fill a weight with normal numbers of the spread that Xavier initialisation asks for.

        std = gain * sqrt(2 / (fan_in + fan_out))

    The variance is that of `xavier_uniform_`; only the form of the distribution differs. A normal
    distribution has no bound, its width is the standard deviation itself.

    The tensor is filled in place and returned. As torch.nn.init.xavier_normal_.

    >>> manual_seed(0) is not None
    True
    >>> w = xavier_normal_(zeros(400, 800))
    >>> abs(float(w.data.std()) / math.sqrt(2 / (400 + 800)) - 1) < 0.01
    True

    Three lines: `fans(tensor)` and `normal_(tensor, mean, std)` are given.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("layers.xavier_normal_")
    # END OF YOUR CODE (keep this line)


def kaiming_uniform_(
    tensor: AnyTensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> AnyTensor:
    """Fill a weight evenly over [-b, b], so wide that a ReLU network keeps the size of its signals.

        b = sqrt(3) * gain / sqrt(fan)

    A ReLU throws half of the signal away; `gain` makes up for it and is sqrt(2) for ReLU
    (`calculate_gain(nonlinearity, a)`, given, where `a` is the slope of a leaky ReLU). Only one direction can
    be kept: `mode` says which fan counts. The variance is gain**2 / fan, and evenly spread
    numbers need sqrt(3) times the standard deviation as their bound.

    The tensor is filled in place and returned. As torch.nn.init.kaiming_uniform_ (He and others, 2015).

    >>> w = kaiming_uniform_(zeros(24, 8))
    >>> bool((w.abs() <= 0.5).data.all()), round(math.sqrt(3) * math.sqrt(2) / math.sqrt(24), 4)
    (True, 0.5)

    Two lines: `fan(tensor, mode)` (given) is the fan that counts.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("layers.kaiming_uniform_")
    # END OF YOUR CODE (keep this line)


def kaiming_normal_(
    tensor: AnyTensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> AnyTensor:
    """Fill a weight with normal numbers, so wide that a ReLU network keeps the size of its signals.

        std = gain / sqrt(fan)

    `gain` and `fan` are those of `kaiming_uniform_`: `calculate_gain(nonlinearity, a)` and
    `fan(tensor, mode)`, both given. The distribution has no bound.

    The tensor is filled in place and returned. As torch.nn.init.kaiming_normal_.

    >>> manual_seed(0) is not None
    True
    >>> w = kaiming_normal_(zeros(800, 400))
    >>> abs(float(w.data.std()) / math.sqrt(2 / 800) - 1) < 0.01
    True

    Two lines.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("layers.kaiming_normal_")
    # END OF YOUR CODE (keep this line)


# ---- Layers ----


class Linear(Module):
    """A weighted sum for every output: `y = x @ weight + bias`."""

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        """Make the two parameters, weight (in_features, out_features) and bias (out_features,).

        Column j of the weight holds what output j makes of the inputs, so that `x @ weight` needs no
        transpose. (PyTorch keeps the transpose, (out, in).) Without `bias`, `self.bias` is None and the
        layer has one parameter. `self.in_features` and `self.out_features` keep the two sizes.

        Both start evenly spread over [-b, b] with b = 1 / sqrt(in_features), as in torch.nn.Linear. With
        zeros instead, all outputs would be the same, get the same gradient, and stay the same for ever.

        >>> layer = Linear(4, 3)
        >>> layer.weight.shape, layer.bias.shape, Linear(4, 3, bias=False).bias
        ((4, 3), (3,), None)
        >>> bool((layer.weight.abs() <= 0.5).data.all())
        True

        About six lines: Parameter, `zeros`, and `uniform_(tensor, a, b)`, which returns the tensor.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Linear.__init__")
        # END OF YOUR CODE (keep this line)

    def forward(self, x: Tensor) -> Tensor:
        """Compute x @ weight + bias for every row of x.

            x (..., in_features)  ->  (..., out_features)      the dimensions in front never mix

        The bias is added to every row. Where there is none, the product is the result. A last
        dimension other than in_features raises ValueError with both shapes, as `@` does already.

        By hand, with x = [1, 2]: 1 * 1 + 2 * 10 = 21, and 0.5 makes it 21.5.

        >>> layer = Linear(2, 3)
        >>> layer.weight.data[...] = [[1, 2, 3], [10, 20, 30]]
        >>> layer.bias.data[...] = [0.5, 0, -0.5]
        >>> layer(tensor([[1.0, 2.0], [0.0, 1.0]])).tolist()
        [[21.5, 42.0, 62.5], [10.5, 20.0, 29.5]]

        Two lines of Tensor operations, so that the gradient comes for free in module 05.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Linear.forward")
        # END OF YOUR CODE (keep this line)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """A layer that changes nothing: it stands where a layer may be and none is wanted. Arguments are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """Return x."""
        return x


class Sequential(Module):
    """Layers in a row, each fed with what the one before it gave: `Sequential(a, b)(x)` is `b(a(x))`.

    Takes layers one by one or in one list. A layer is anything that can be called with a tensor: a Module, an
    activation such as `ReLU()`, a function. `model[0]`, `model[-1]`, `model[1:]`, `len(model)` and iteration give
    the layers. As torch.nn.Sequential.

    >>> model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    >>> len(model), [name for name, _ in model.named_parameters()]
    (3, ['0.weight', '0.bias', '2.weight', '2.bias'])
    """

    _length: int

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self._length = 0
        if len(layers) == 1 and isinstance(layers[0], list | tuple):
            layers = tuple(layers[0])
        for layer in layers:
            self.append(layer)

    def append(self, layer: Layer) -> Sequential:
        """Put a layer behind the others, and return the model.

        Layer number i is kept as the attribute that is named `str(i)`: then a Module is registered, with
        all its parameters, under the name that PyTorch gives it too (`"0.weight"`), and a callable that is
        no Module is merely kept. A list would keep the layers just as well, and hide every parameter.

        What cannot be called raises TypeError.

        >>> model = Sequential().append(Linear(3, 4)).append(Linear(4, 2))
        >>> [name for name, _ in model.named_parameters()]
        ['0.weight', '0.bias', '1.weight', '1.bias']

        About five lines. `setattr(object, name, value)` assigns to an attribute whose name is a string;
        `self._length` counts the layers and starts at 0.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Sequential.append")
        # END OF YOUR CODE (keep this line)

    def forward(self, x: Tensor) -> Tensor:
        """Send x through the layers, from the first to the last.

        The output of each is the input of the next; without layers, x itself comes back.

        >>> def double(x): return x * 2
        >>> def add_one(x): return x + 1
        >>> Sequential(double, add_one)(tensor([0.25])).tolist()
        [1.5]

        Three lines: the model can be iterated over.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Sequential.forward")
        # END OF YOUR CODE (keep this line)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Sequential([self[i] for i in range(len(self))[index]])
        return getattr(self, str(range(len(self))[index]))  # a range counts -1 from the end, and refuses 3 of 3

    def __setitem__(self, index: int, layer: Layer) -> None:
        setattr(self, str(range(len(self))[index]), layer)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _shown(self) -> Iterable[tuple[str, Any]]:
        return ((str(i), layer) for i, layer in enumerate(self))


class Dropout(Module):
    """Throws away each input with probability p while the model trains, so that no output relies on one of them."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p is the share of inputs that is dropped, from 0 to 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Set a random share p of the elements to zero, and divide the others by 1 - p.

            x (...)  ->  (...)      each element is drawn for itself, anew in each call

        Where `training` is false, x comes back as it is. Dividing keeps the expected value:
        (1 - p) * x / (1 - p) + p * 0 = x, so the next layer meets the same sums while the model trains
        and when it is used. With p = 1 everything is zero.

        With p = 1/2 a 1 becomes 0 or 2; with p = 0.2 it becomes 0 or 1.25:

        >>> sorted({*Dropout(0.2)(ones(1000)).tolist()})
        [0.0, 1.25]
        >>> Dropout(0.2).eval()(ones(3)).tolist()
        [1.0, 1.0, 1.0]

        About four lines, with `rand(x.shape)` from module 01, so that `manual_seed` makes a run repeatable.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.Dropout.forward")
        # END OF YOUR CODE (keep this line)

    def extra_repr(self) -> str:
        """The share that is dropped."""
        return f"p={self.p}"


class LayerNorm(Module):
    """Gives every sample mean 0 and variance 1, then a learnt scale and shift for every feature.

    `normalized_shape` is the size of the last dimension, or of the last few: LayerNorm(4), LayerNorm((3, 4)). Scale and
    shift start at 1 and 0; `elementwise_affine=False` leaves both out, `bias=False` the shift. As
    torch.nn.LayerNorm (Ba, Kiros and Hinton, 2016).
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Iterable[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(sizes)
        self.eps = eps
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(self.normalized_shape)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the last dimensions, then scale and shift.

            x (..., *normalized_shape)  ->  the same shape

        With mean m and variance v of one sample, over its last dimensions only:

            y = (x - m) / sqrt(v + eps) * weight + bias

        v is the mean of the squared distances: divided by n, not by n - 1, since nothing is
        estimated here. eps stands under the root, where it keeps a constant sample from 0 / 0 and
        leaves all others nearly alone. `weight` and `bias` may be None.

        By hand, for [1, 2, 3, 4]: m = 2.5, v = (2.25 + 0.25 + 0.25 + 2.25) / 4 = 1.25, and
        (1 - 2.5) / sqrt(1.25) = -1.3416.

        >>> LayerNorm(4)(tensor([[1.0, 2.0, 3.0, 4.0]])).detach()
        tensor([[-1.3416, -0.4472,  0.4472,  1.3416]])
        >>> ((1 - 2.5) ** 2 + (2 - 2.5) ** 2 + (3 - 2.5) ** 2 + (4 - 2.5) ** 2) / 4
        1.25
        >>> (1 - 2.5) ** 2, (2 - 2.5) ** 2
        (2.25, 0.25)

        `self._dims(x)` (given) is the tuple of dimensions to normalise over, and raises ValueError where
        the shapes do not fit. About seven lines of Tensor operations, and the gradient comes
        for free in module 05. Or NumPy on x.data and one `record("layer_norm", ...)` at the end: faster, and
        then module 05 has to know a rule of that name.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("layers.LayerNorm.forward")
        # END OF YOUR CODE (keep this line)

    def _dims(self, x: Tensor) -> tuple[int, ...]:
        """The dimensions to normalise over, counted from the end: (-1,), (-2, -1)."""
        count = len(self.normalized_shape)
        if x.shape[max(x.ndim - count, 0) :] != self.normalized_shape:
            raise ValueError(f"LayerNorm{self.normalized_shape} needs these last dimensions; the input is {x.shape}")
        return tuple(range(-count, 0))

    def _affine(self, rows: Array) -> Array:
        """Scale and shift (samples, features) in place."""
        features = rows.shape[1]
        # NumPy pays for each row that it starts: of a large batch, many samples side by side make one long row.
        together = math.gcd(len(rows), max(8192 // features, 1)) if rows.size > 65_536 else 1
        wide = rows.reshape(-1, together * features)
        for parameter, apply in ((self.weight, np.multiply), (self.bias, np.add)):
            if parameter is not None:
                row = parameter.data.reshape(-1)
                apply(wide, np.tile(row, together) if together > 1 else row, out=wide)
        return rows

    def extra_repr(self) -> str:
        """The shape, eps, and whether there are scale and shift."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.weight is not None}"
