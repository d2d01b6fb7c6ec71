"""Module 03's solutions: the numbers, names and printed form of PyTorch where it is installed, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import ACTIVATIONS, LAYERS, TENSOR
from tests.prose.examples import solution
from tests.solutions import agree


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(LAYERS)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


# ---- the numbers of PyTorch -----------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)])
def test_linear(ours: Any, tensor: Any, torch: Any, rng: Any, shape: tuple[int, ...], bias: bool) -> None:
    mine, theirs = ours.Linear(3, 4, bias=bias), torch.nn.Linear(3, 4, bias=bias)
    with torch.no_grad():
        for name, parameter in mine.named_parameters():
            getattr(theirs, name).copy_(torch.tensor(parameter.data.T.copy()))  # PyTorch's weight is (out, in)
    x = rng.standard_normal(shape).astype(np.float32)
    agree(mine(tensor(x)), theirs(torch.tensor(x)))


@pytest.mark.parametrize("affine", [{}, {"bias": False}, {"elementwise_affine": False}])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize(
    ("shape", "normalised"),
    [((4,), 4), ((5, 4), 4), ((2, 3, 4), 4), ((2, 3, 4), (3, 4)), ((2, 3, 4), (2, 3, 4)), ((0, 4), 4), ((7, 300), 300)],
)
def test_layer_norm(
    ours: Any, tensor: Any, torch: Any, rng: Any, shape: Any, normalised: Any, eps: float, affine: Any
) -> None:
    mine = ours.LayerNorm(normalised, eps=eps, **affine)
    theirs = torch.nn.LayerNorm(normalised, eps=eps, **affine)
    with torch.no_grad():
        for name, parameter in mine.named_parameters():
            parameter.data[...] = rng.standard_normal(parameter.shape)
            getattr(theirs, name).copy_(torch.tensor(parameter.data))
    x = rng.standard_normal(shape).astype(np.float32) * 3 + 2
    agree(mine(tensor(x)), theirs(torch.tensor(x)), rtol=1e-4, atol=1e-5)


def test_layer_norm_in_float64(ours: Any, tensor: Any, torch: Any, rng: Any) -> None:
    x = rng.standard_normal((5, 8))
    mine = ours.LayerNorm(8).to(np.float64)
    agree(mine(tensor(x, dtype=np.float64)), torch.nn.LayerNorm(8, dtype=torch.float64)(torch.tensor(x)), 1e-12, 1e-12)


def test_layer_norm_far_from_zero(ours: Any, tensor: Any, torch: Any, rng: Any) -> None:
    x = (rng.standard_normal((4, 128)) + 1000).astype(np.float32)
    agree(ours.LayerNorm(128)(tensor(x)), torch.nn.LayerNorm(128)(torch.tensor(x)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains(ours: Any, torch: Any, name: str) -> None:
    assert ours.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    if name == "leaky_relu":
        assert ours.calculate_gain(name, 0.5) == pytest.approx(torch.nn.init.calculate_gain(name, 0.5))


@pytest.mark.parametrize("shape", [(300, 200), (40, 30, 5, 5)])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("xavier_uniform_", {}),
        ("xavier_normal_", {"gain": 2.0}),
        ("kaiming_uniform_", {"nonlinearity": "relu"}),
        ("kaiming_uniform_", {"a": 1.0}),
        ("kaiming_normal_", {"mode": "fan_out"}),
        ("kaiming_normal_", {"nonlinearity": "tanh"}),
    ],
)
def test_initialisation(ours: Any, torch: Any, name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    tensors = solution(TENSOR)
    tensors.manual_seed(1)
    torch.manual_seed(1)
    mine = getattr(ours, name)(tensors.zeros(shape), **options).data
    turned = shape[::-1] if len(shape) == 2 else shape  # PyTorch's matrices are (out, in)
    theirs = getattr(torch.nn.init, name)(torch.zeros(turned), **options).numpy()
    assert mine.std() == pytest.approx(theirs.std(), rel=0.03)
    if "uniform" in name:
        assert np.abs(mine).max() == pytest.approx(np.abs(theirs).max(), rel=0.002)


def test_linear_starts_as_in_pytorch(ours: Any, torch: Any) -> None:
    mine, theirs = ours.Linear(100, 900), torch.nn.Linear(100, 900)
    for name in ("weight", "bias"):
        a, b = getattr(mine, name).data, getattr(theirs, name).detach().numpy()
        assert np.abs(a).max() == pytest.approx(np.abs(b).max(), rel=0.03)
        assert a.std() == pytest.approx(b.std(), rel=0.1)


# ---- names, order and printed form ----------------------------------------------------------------------


def build(layers: Any, relu: Any) -> Any:
    """The same model from either library."""
    shared = layers.Linear(4, 4)
    return layers.Sequential(
        layers.Linear(3, 4), layers.LayerNorm(4), relu, shared, layers.Sequential(layers.Dropout(0.25), shared)
    )


@pytest.fixture
def model(ours: Any) -> Any:
    return build(ours, solution(ACTIVATIONS).ReLU())


@pytest.fixture
def peer(torch: Any) -> Any:
    return build(torch.nn, torch.nn.ReLU())


def test_names_of_parameters_and_state(model: Any, peer: Any) -> None:
    assert [name for name, _ in model.named_parameters()] == [name for name, _ in peer.named_parameters()]
    assert list(model.state_dict()) == list(peer.state_dict())
    assert [name for name, _ in model.named_parameters("net")] == [name for name, _ in peer.named_parameters("net")]
    every = {"remove_duplicate": False}
    assert [name for name, _ in model.named_parameters(**every)] == [name for name, _ in peer.named_parameters(**every)]


def test_names_of_modules(model: Any, peer: Any) -> None:
    # PyTorch's ReLU is a Module; ours comes before there are any.
    assert [name for name, _ in model.named_modules()] == [name for name, _ in peer.named_modules() if name != "2"]
    assert [name for name, _ in model.named_children()] == [name for name, _ in peer.named_children() if name != "2"]


def test_printed_form(model: Any, peer: Any) -> None:
    mine, theirs = repr(model).split("\n"), repr(peer).split("\n")
    assert [line.partition("eps")[0] for line in mine] == [
        line.partition("eps")[0].replace(", inplace=False", "") for line in theirs
    ]


def test_printed_form_of_a_parameter(ours: Any) -> None:
    assert repr(ours.Parameter([1.0, 2.0])) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"


def test_order_of_state_with_buffers(ours: Any, tensor: Any, torch: Any) -> None:
    def norm(library: Any, zero: Any) -> Any:
        module = library.Module()
        module.register_buffer("mean", zero)
        module.weight = library.Parameter(zero)
        return library.Sequential(module, library.Linear(2, 2))

    mine, theirs = norm(ours, tensor([0.0])), norm(torch.nn, torch.zeros(1))
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in mine.named_buffers()] == [name for name, _ in theirs.named_buffers()]
    assert len(list(mine.buffers())) == 1


# ---- Module ---------------------------------------------------------------------------------------------


def test_what_is_exchanged_keeps_its_place(ours: Any) -> None:
    net = ours.Module()
    net.first, net.second = ours.Linear(2, 2), ours.Linear(2, 2)
    net.first = ours.Linear(5, 5)
    assert [(name, layer.in_features) for name, layer in net.named_children()] == [("first", 5), ("second", 2)]


def test_a_name_means_one_thing(ours: Any) -> None:
    net = ours.Module()
    net.part = ours.Parameter([1.0])
    net.part = ours.Linear(2, 2)
    assert [name for name, _ in net.named_parameters()] == ["part.weight", "part.bias"]
    del net.part
    assert not list(net.named_parameters())
    with pytest.raises(AttributeError, match="no attribute 'part'"):
        net.part  # noqa: B018 (the look-up is the test)


def test_a_plain_tensor_does_not_push_a_parameter_out(ours: Any, tensor: Any) -> None:
    layer = ours.Linear(2, 2)
    with pytest.raises(TypeError, match=r"Linear\.weight is a Parameter"):
        layer.weight = layer.weight * 2
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    with pytest.raises(TypeError, match="buffer mean is a Tensor, not list"):
        layer.register_buffer("mean", [1.0])


def test_without_super_init(ours: Any) -> None:
    class Net(ours.Module):  # type: ignore[misc]  # the solutions come untyped
        def __init__(self) -> None:
            self.size = 3  # numbers may come before
            self.layer = ours.Linear(2, 2)

    with pytest.raises(AttributeError, match=r"Net\.__init__ must call super\(\)\.__init__\(\)"):
        Net()


def test_a_subclass_may_have_properties(ours: Any) -> None:
    class Net(ours.Module):  # type: ignore[misc]  # the solutions come untyped
        @property
        def size(self) -> int:
            return self._size

        @size.setter
        def size(self, size: int) -> None:
            self._size = 2 * size

    net = Net()
    net.size = 3
    assert net.size == 6


def test_copies_and_pickles(model: Any, tensor: Any) -> None:
    x = tensor([[1.0, 2.0, 3.0]])
    model.eval()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 (our own bytes)
        np.testing.assert_array_equal(twin(x).data, model(x).data)
        assert list(twin.state_dict()) == list(model.state_dict())
        next(twin.parameters()).data[...] = 0
        assert next(model.parameters()).data.any()


def test_zero_grad(ours: Any, tensor: Any) -> None:
    layer = ours.Linear(2, 2)
    for parameter in layer.parameters():
        parameter.grad = tensor(np.ones(parameter.shape))
    layer.zero_grad(set_to_none=False)
    assert [float(parameter.grad.data.sum()) for parameter in layer.parameters()] == [0.0, 0.0]
    layer.zero_grad()
    assert [parameter.grad for parameter in layer.parameters()] == [None, None]


def test_apply_and_to(ours: Any, model: Any) -> None:
    kinds: list[str] = []
    assert model.apply(lambda module: kinds.append(type(module).__name__)) is model
    assert kinds == ["Sequential", "Linear", "LayerNorm", "Linear", "Sequential", "Dropout"]
    assert {p.dtype.name for p in model.to(np.float64).parameters()} == {"float64"}


def test_a_module_without_forward(ours: Any) -> None:
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\)"):
        ours.Module()(1)


def test_state_of_another_kind(ours: Any, tensor: Any) -> None:
    layer = ours.Linear(1, 2)
    layer.load_state_dict({"weight": tensor([[1.0, 2.0]]), "bias": [3, 4]})
    assert layer.bias.tolist() == [3.0, 4.0]
    with pytest.raises(TypeError, match="a state dict holds numbers"):
        layer.load_state_dict({"weight": [[5.0, 6.0]], "bias": ["a", "b"]})
    assert layer.weight.tolist() == [[1.0, 2.0]]


# ---- containers and refusals ----------------------------------------------------------------------------


def test_sequential_as_a_list(ours: Any) -> None:
    layers = [ours.Linear(2, 3), ours.Linear(3, 4), ours.Linear(4, 5)]
    model = ours.Sequential(layers)
    assert [layer.in_features for layer in model[1:]] == [3, 4]
    assert [name for name, _ in model[1:].named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    model[-1] = ours.Identity(54, unused=True)
    assert repr(model[2]) == "Identity()"
    for index in (3, -4):
        with pytest.raises(IndexError):
            model[index]
    with pytest.raises(TypeError, match="3 cannot"):
        ours.Sequential(layers[0], 3)


def test_refusals(ours: Any, tensor: Any) -> None:
    with pytest.raises(ValueError, match=r"p is the share .* not 1\.5"):
        ours.Dropout(1.5)
    with pytest.raises(ValueError, match=r"LayerNorm\(4,\) .* the input is \(\)"):
        ours.LayerNorm(4)(tensor(1.0))
    with pytest.raises(ValueError, match=r"2 or more dimensions, not shape \(3,\)"):
        ours.kaiming_normal_(tensor([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="not 'fan_up'"):
        ours.kaiming_normal_(tensor([[1.0]]), mode="fan_up")
    with pytest.raises(ValueError, match="no gain is known for 'swish'"):
        ours.calculate_gain("swish")


def test_dropout_keeps_the_dtype(ours: Any, tensor: Any) -> None:
    for dtype in (np.float32, np.float64):
        assert ours.Dropout(0.5)(tensor([1.0, 2.0], dtype=dtype)).dtype == dtype
