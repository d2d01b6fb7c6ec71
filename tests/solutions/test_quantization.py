"""Module 15's solutions: beside PyTorch where it is installed, half a step, whole models on TinyDigits, refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch import lab
from pytest_tinytorch.course import QUANTIZATION
from tests.prose.examples import solution, solutions


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(QUANTIZATION)


@pytest.fixture(scope="module")
def tt() -> Any:
    return solutions()


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch, the authority of these tests, is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(15)


# ---- rulers and marks -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch is moving its quantised tensors elsewhere
@pytest.mark.parametrize("seed", range(20))
def test_marks_are_pytorchs(ours: Any, torch: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((5, 7)) * rng.uniform(0.1, 100)).astype(np.float32)
    scale, zero_point = ours.choose_grid(x.min() * rng.uniform(0.5, 1), x.max())
    due = torch.quantize_per_tensor(torch.tensor(x), float(scale), int(zero_point), torch.qint8)
    np.testing.assert_array_equal(ours.to_int8(x, scale, zero_point), due.int_repr().numpy())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # as above
@pytest.mark.parametrize("symmetric", [False, True])
def test_rulers_are_pytorchs(tt: Any, torch: Any, rng: Any, symmetric: bool) -> None:
    quantization = pytest.importorskip("torch.ao.quantization")
    scheme = torch.per_tensor_symmetric if symmetric else torch.per_tensor_affine
    theirs, mine = quantization.MinMaxObserver(dtype=torch.qint8, qscheme=scheme), tt.MinMaxObserver(symmetric)
    for _ in range(3):
        batch = rng.standard_normal((4, 6)).astype(np.float32)
        theirs(torch.tensor(batch))
        mine.observe(tt.tensor(batch))
    scale, zero_point = theirs.calculate_qparams()
    own_scale, own_zero = mine.grid()
    steps = 127.5 / 127 if symmetric else 1  # PyTorch has half a step more on a symmetric ruler: it uses -128
    assert float(own_scale) == pytest.approx(float(scale) * steps, rel=1e-6)
    assert int(own_zero) == int(zero_point)


RANGES = [(-1, 1), (0, 5), (3, 4), (-9, -8), (-1e-6, 1e-3), (-1e30, 1e30), (-0.001, 1000), (-1e-30, 1e-30)]


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("dim", [None, 0, 1])
def test_nothing_moves_by_more_than_half_a_step(
    tt: Any, rng: Any, low: float, high: float, symmetric: bool, dim: int | None
) -> None:
    x = rng.uniform(low, high, (40, 6)).astype(np.float32)
    x[0, 0], x[1, 1], x[2] = low, high, 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        q = tt.quantize(tt.tensor(x), symmetric=symmetric, dim=dim)
        back = q.dequantize().data
    assert (np.abs(back.astype(np.float64) - x) <= q.scale * 0.5001).all()
    assert (back[2] == 0).all()
    assert q.values.dtype == np.int8
    assert q.nbytes == 240 + 5 * q.scale.size
    if symmetric:
        assert q.values.min() >= -127
        assert not q.zero_point.any()


@pytest.mark.parametrize("constant", [0.0, 1e-45, -1e-45, 2.5, -2.5, 3e38, -3e38])
@pytest.mark.parametrize("symmetric", [False, True])
def test_constants_come_back(tt: Any, constant: float, symmetric: bool) -> None:
    x = np.full((3, 2), constant, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = tt.quantize(tt.tensor(x), symmetric=symmetric, dim=1).dequantize().data
    np.testing.assert_allclose(back, x, rtol=1e-6, atol=1e-40)


def test_zero_comes_back_from_every_ruler(ours: Any, rng: Any) -> None:
    low, high = rng.uniform(-9, 9, 5000), rng.uniform(-9, 9, 5000)
    scale, zero_point = ours.choose_grid(np.minimum(low, high), np.maximum(low, high))
    assert (scale > 0).all()
    marks = ours.to_int8(np.zeros(5000, np.float32), scale, zero_point)
    assert not ours.QuantizedTensor(marks, scale, zero_point).dequantize().data.any()


# ---- whole numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 8, 255, 256, 257, 513, 514, 515, 2000])
@pytest.mark.parametrize("zero_point", [0, -128, 127])
def test_products_are_exact(ours: Any, rng: Any, n: int, zero_point: int) -> None:
    a = rng.choice([-128, 127], (2, 3, n)).astype(np.int8)
    b = rng.choice([-128, 127, 126], (n, 4)).astype(np.int8)
    zeros = rng.choice([0, zero_point], (1, 4)).astype(np.int8)
    right = (a.astype(np.int64) - zero_point) @ (b.astype(np.int64) - zeros)
    got = ours.integer_matmul(ours.QuantizedTensor(a, 0.5, zero_point), ours.QuantizedTensor(b, np.ones((1, 4)), zeros))
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, right)


def test_a_quantised_layer_is_near_the_float_one(tt: Any, rng: Any) -> None:
    layer, x = tt.Linear(50, 8), tt.tensor(rng.standard_normal((30, 50)))
    small = tt.quantize_model(layer, x)
    step = small.input_scale.item()
    worst = (
        0.5 * step * np.abs(layer.weight.data).sum(0) + 0.5 * small.weight_scale.data * np.abs(x.data).sum(1)[:, None]
    )
    assert (np.abs(small(x).data - layer(x).data) <= worst + 50 * 0.25 * step * small.weight_scale.data).all()
    assert not small(x).requires_grad


# ---- whole models ---------------------------------------------------------------------------------------


def trained(tt: Any, seed: int) -> tuple[Any, Any, Any, Any]:
    """The MLP of 1986 after four epochs of TinyDigits, its calibration batches, and the digits it never saw."""
    digits = lab.tiny_digits()
    x, new = (
        tt.tensor(images.reshape(len(images), -1).astype(np.float32) / 16)
        for images in (digits.train_images, digits.test_images)
    )
    tt.manual_seed(seed)
    layers = [tt.Linear(64, 128), tt.ReLU(), tt.Linear(128, 64), tt.ReLU(), tt.Linear(64, 10)]
    for layer in layers[::2]:
        tt.kaiming_normal_(layer.weight)
    net = tt.Sequential(*layers)
    loader = tt.DataLoader(tt.TensorDataset(x, tt.tensor(digits.train_labels)), batch_size=64, shuffle=True)
    tt.Trainer(net, tt.Adam(net.parameters(), lr=3e-3), tt.CrossEntropyLoss()).fit(loader, epochs=4)
    return net, loader, new, digits.test_labels


@pytest.mark.parametrize("seed", [0, 1])
def test_the_mlp_of_1986_loses_at_most_a_point_and_three_quarters_of_its_bytes(tt: Any, seed: int) -> None:
    net, loader, new, labels = trained(tt, seed)
    before = net.state_dict()
    small = tt.quantize_model(net, loader)
    whole, eighth = ((model(new).data.argmax(1) == labels).mean() for model in (net, small))
    assert whole > 0.9
    assert eighth >= whole - 0.01
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
    # The weights themselves shrink 4 times; with scales, biases and input rulers, the bytes are those of the formula.
    weights = [name for name in before if name.endswith("weight")]
    marks = {name: value for name, value in small.state_dict().items() if name.endswith("weight_values")}
    assert sum(before[name].nbytes for name in weights) >= 3.9 * sum(value.nbytes for value in marks.values())
    assert tt.model_bytes(small) == 64 * 128 + 128 * 64 + 64 * 10 + 8 * (128 + 64 + 10) + 3 * 5
    assert tt.model_bytes(net) / tt.model_bytes(small) > 3.6
    assert tt.left_alone(small) == {}


def test_the_mlp_of_mnist_is_at_least_3_9_times_smaller_with_all_that_it_holds(tt: Any) -> None:
    net = tt.Sequential(tt.Linear(784, 128), tt.ReLU(), tt.Linear(128, 64), tt.ReLU(), tt.Linear(64, 10))
    small = tt.quantize_model(net, tt.rand(4, 784))
    assert tt.model_bytes(net) >= 3.9 * tt.model_bytes(small)


def test_a_gpt_is_quantised_and_still_speaks(tt: Any) -> None:
    tt.manual_seed(0)
    gpt = tt.GPT(vocab_size=11, max_len=8, d_model=12, num_heads=3, num_layers=2)
    ids = tt.tensor(np.random.default_rng(0).integers(0, 11, (6, 8)))
    small = tt.quantize_model(gpt, ids)
    with tt.no_grad():
        off = np.abs(small(ids).data - gpt.eval()(ids).data).max()
    assert off < 0.1 * np.ptp(gpt(ids).data)
    assert {*tt.left_alone(small).values()} == {"Embedding", "LayerNorm", "LearnedPositionalEncoding"}
    assert small.generate(ids[:1, :3], 4, seed=1).shape == (1, 7)


def test_a_quantised_model_is_saved_and_loaded(tt: Any, rng: Any) -> None:
    x = tt.tensor(rng.standard_normal((9, 5)))
    first, second = (
        tt.quantize_model(tt.Sequential(tt.Linear(5, 4), tt.ReLU(), tt.Linear(4, 2, bias=False)), batch)
        for batch in (x, x * 3)
    )
    assert not np.array_equal(first(x).data, second(x).data)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(first(x).data, second(x).data)
    assert list(first.parameters()) == []


def test_convolutions_stay_float_and_are_named(tt: Any) -> None:
    model = tt.Sequential(tt.Conv2d(1, 2, 3), tt.BatchNorm2d(2), tt.Flatten(), tt.Linear(8, 3))
    small = tt.quantize_model(model, tt.rand(5, 1, 4, 4))
    assert tt.left_alone(small) == {"0": "Conv2d", "1": "BatchNorm2d"}
    assert small(tt.rand(2, 1, 4, 4)).shape == (2, 3)


def test_a_layer_that_is_used_twice_has_the_range_of_both_inputs(tt: Any) -> None:
    class Twice(tt.Module):  # type: ignore[misc]  # the package is known at run time only
        def __init__(self) -> None:
            super().__init__()
            self.shared = tt.Linear(3, 3)

        def forward(self, x: Any) -> Any:
            return self.shared(self.shared(x) * 10)

    x = tt.rand(7, 3)
    model = Twice()
    small = tt.quantize_model(model, x)
    seen = np.concatenate([x.data, (model.shared(x) * 10).data])
    assert small.shared.input_scale.item() == pytest.approx((max(seen.max(), 0) - min(seen.min(), 0)) / 255, rel=1e-5)


# ---- refusals -------------------------------------------------------------------------------------------

BAD = [
    (lambda tt: tt.quantize(tt.tensor([1.0, np.nan])), ValueError, "1 of 2 numbers are NaN or infinite"),
    (lambda tt: tt.quantize(tt.tensor([1.0, -np.inf])), ValueError, "1 of 2 numbers are NaN or infinite"),
    (lambda tt: tt.quantize(tt.tensor([1, 2])), TypeError, "floats are quantised, not int64"),
    (lambda tt: tt.quantize(tt.zeros(0, 3)), ValueError, r"shape \(0, 3\) holds no numbers"),
    (lambda tt: tt.quantize(tt.zeros(2, 3), dim=2), IndexError, "dim 2 is out of range"),
    (lambda tt: tt.MinMaxObserver().grid(), RuntimeError, "has seen nothing knows no range"),
    (lambda tt: tt.QuantizedTensor(np.zeros(3), 1.0, 0), TypeError, "int8, not float64"),
    (lambda tt: tt.QuantizedLinear(tt.quantize(tt.rand(2, 2)), None, 1.0, 0), ValueError, "their zero point is 0"),
    (lambda tt: tt.quantize_model(tt.Sequential(), tt.rand(2, 2)), ValueError, "this Sequential has no Linear layer"),
    (lambda tt: tt.quantize_model(tt.Linear(2, 2), []), ValueError, "calibration has no batch"),
    (
        lambda tt: tt.quantize_model(tt.Sequential(tt.Linear(2, 2)), tt.tensor([[0.0, np.inf]])),
        ValueError,
        "the input of layer '0' in calibration: 1 of 2 numbers are NaN or infinite",
    ),
    (
        lambda tt: tt.quantize_model(tt.Linear(2, 2), tt.rand(3, 2))(tt.rand(3, 4)),
        ValueError,
        r"\(3, 4\) and \(2, 2\) do not meet in one",
    ),
    (
        lambda tt: tt.quantize_model(tt.Linear(2, 2), tt.rand(3, 2))(tt.tensor([[np.nan, 0.0]])),
        ValueError,
        "1 of 2 numbers are NaN",
    ),
]


@pytest.mark.parametrize(("call", "kind", "says"), BAD)
def test_a_bad_call_is_refused_in_one_sentence(tt: Any, call: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        call(tt)
