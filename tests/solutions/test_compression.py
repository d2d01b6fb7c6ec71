"""Module 16's solutions: refusals, pruning and low rank of whole models, and what is left of the digits."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import COMPRESSION
from pytest_tinytorch.datasets import tiny_digits
from tests.prose.examples import solution, solutions


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(COMPRESSION)


@pytest.fixture(scope="module")
def tt() -> Any:
    return solutions()


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch, the authority of these tests, is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(16)


def mlp(tt: Any, *sizes: int) -> Any:
    """Linear layers of these sizes, with ReLU between them."""
    layers = [layer for n, m in itertools.pairwise(sizes) for layer in (tt.Linear(n, m), tt.ReLU())]
    return tt.Sequential(layers[:-1])


# ---- pruning --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [0, 0.1, 0.37, 0.5, 0.9, 1])
def test_the_share_is_exact(tt: Any, rng: Any, amount: float) -> None:
    for values in (rng.standard_normal((7, 9)), np.ones((7, 9)), rng.integers(-2, 3, (7, 9)).astype(float)):
        mask = tt.magnitude_mask(values, amount)
        assert (~mask).sum() == round(amount * 63)
        assert np.abs(values[~mask]).max(initial=0) <= np.abs(values[mask]).min(initial=9)


@pytest.mark.parametrize("amount", [0.25, 0.5, 0.8])
def test_pruning_is_pytorchs(tt: Any, torch: Any, amount: float) -> None:
    tt.manual_seed(3)
    model = mlp(tt, 20, 30, 10)
    theirs = [torch.nn.Linear(20, 30), torch.nn.Linear(30, 10)]
    for mine, other in zip(list(model)[::2], theirs, strict=True):
        other.weight.data = torch.tensor(mine.weight.data)
    prune = pytest.importorskip("torch.nn.utils.prune")
    prune.global_unstructured([(t, "weight") for t in theirs], prune.L1Unstructured, amount=amount)
    tt.magnitude_prune(model, amount)
    for mine, other in zip(list(model)[::2], theirs, strict=True):
        np.testing.assert_array_equal(mine.weight.data, other.weight.detach().numpy())


def test_a_gpt_is_pruned_and_thinned(tt: Any) -> None:
    model = tt.GPT(30, 16, 2, 2, 8)
    ids = tt.tensor([[1, 2, 3]])
    full = tt.low_rank(model, 7)  # smaller where the matrix is (16, 64)
    assert tt.stored_bytes(full) < tt.stored_bytes(model)
    assert full(ids).shape == model(ids).shape
    tt.magnitude_prune(model, 0.5)
    assert tt.sparsity(model) == pytest.approx(0.5, abs=1e-3)


def test_a_mask_holds_through_training(tt: Any, rng: Any) -> None:
    model = mlp(tt, 6, 8, 3)
    masks = tt.magnitude_prune(model, 0.75)
    optimizer = tt.Adam(model.parameters(), lr=0.1)
    x, y = tt.tensor(rng.standard_normal((9, 6))), tt.tensor(rng.integers(0, 3, 9))
    for _ in range(3):
        optimizer.zero_grad()
        tt.CrossEntropyLoss()(model(x), y).backward()
        optimizer.step()
        assert tt.sparsity(model) < 0.75
        masks.apply()
        assert tt.sparsity(model) == pytest.approx(0.75, abs=0.01)


def test_a_smaller_model_is_the_masked_one(tt: Any, rng: Any) -> None:
    for between in (tt.ReLU(), tt.Sigmoid(), tt.GELU(), tt.tanh, tt.Identity()):
        model = tt.Sequential(tt.Linear(5, 40), between, tt.Linear(40, 4))
        small = tt.structured_prune(model, 0.5)
        kept = np.isin(model[0].bias.data, small[0].bias.data)
        assert kept.sum() == 20
        masked = copy.deepcopy(model)
        masked[2].weight.data[~kept] = 0
        x = tt.tensor(rng.standard_normal((7, 5)))
        np.testing.assert_allclose(small(x).data, masked(x).data, rtol=1e-4, atol=1e-5)


def test_models_whose_units_hang_together_are_refused(tt: Any) -> None:
    shared = tt.Linear(4, 4)
    with pytest.raises(ValueError, match="two places"):
        tt.structured_prune(tt.Sequential(shared, tt.ReLU(), shared), 0.5)
    with pytest.raises(ValueError, match="layer 0 has 4 units, but layer 1 takes 5"):
        tt.structured_prune(tt.Sequential(tt.Linear(3, 4), tt.Linear(5, 2)), 0.5)
    with pytest.raises(TypeError, match="softmax stands between"):
        tt.structured_prune(tt.Sequential(tt.Linear(3, 4), tt.softmax, tt.Linear(4, 2)), 0.5)
    with pytest.raises(ValueError, match="has no weights"):
        tt.sparsity(tt.tensor(np.zeros((0, 3))))


@pytest.mark.parametrize("amount", [-0.1, 1.1, 50, math.nan, math.inf, -math.inf])
def test_every_way_of_pruning_refuses_what_is_no_share(tt: Any, amount: float) -> None:
    model = mlp(tt, 3, 4, 2)
    before = model.state_dict()
    for prune in (tt.magnitude_prune, tt.structured_prune):
        with pytest.raises(ValueError, match="an amount is a share from 0 to 1, not"):
            prune(model, amount)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# ---- low rank -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(12, 7), (7, 12), (9, 9)])
def test_the_error_is_optimal(tt: Any, rng: Any, shape: tuple[int, int]) -> None:
    weight = rng.standard_normal(shape)
    for rank in range(1, min(shape) + 1):
        down, up = tt.low_rank_factors(weight, rank)
        error = np.linalg.norm(weight - down @ up)
        assert error == pytest.approx(tt.low_rank_error(weight, rank), abs=1e-10)
        for _ in range(5):  # no other pair comes closer, also none nearby
            other = (down + 0.1 * rng.standard_normal(down.shape)) @ (up + 0.1 * rng.standard_normal(up.shape))
            assert np.linalg.norm(weight - other) >= error


def test_ranks_that_are_none(tt: Any) -> None:
    for rank, kind in ((0, ValueError), (-1, ValueError), (6, ValueError), (2.0, TypeError), (True, TypeError)):
        with pytest.raises(kind, match="rank"):
            tt.low_rank_factors(np.ones((5, 8)), rank)
        with pytest.raises(kind, match="rank"):
            tt.LowRankLinear(5, rank, 8)
    with pytest.raises(ValueError, match="matrix"):
        tt.low_rank_error(np.ones(5), 1)


def test_a_shared_layer_stays_shared(tt: Any) -> None:
    layer = tt.Linear(20, 20)
    thin = tt.low_rank(tt.Sequential(layer, tt.Sequential(layer)), 3)
    assert thin[0] is thin[1][0]
    assert type(tt.low_rank(layer, 3)) is tt.LowRankLinear
    assert type(tt.low_rank(layer, 10)) is tt.Linear  # would not get smaller


# ---- distillation ---------------------------------------------------------------------------------------


def test_the_loss_is_pytorchs(tt: Any, torch: Any, rng: Any) -> None:
    for temperature, alpha in ((1.0, 0.5), (4.0, 0.9), (0.5, 0.1)):
        s, t = (rng.standard_normal((6, 5)).astype(np.float32) * 3 for _ in range(2))
        y = rng.integers(0, 5, 6)
        mine, theirs = tt.tensor(s, requires_grad=True), torch.tensor(s, requires_grad=True)
        loss = tt.distillation_loss(mine, tt.tensor(t), tt.tensor(y), temperature, alpha)
        f = torch.nn.functional
        log_q, p = f.log_softmax(theirs / temperature, -1), f.softmax(torch.tensor(t) / temperature, -1)
        due = alpha * temperature**2 * f.kl_div(log_q, p, reduction="batchmean")
        due = due + (1 - alpha) * f.cross_entropy(theirs, torch.tensor(y))
        assert loss.item() == pytest.approx(due.item(), rel=1e-5)
        loss.backward()
        due.backward()
        np.testing.assert_allclose(mine.grad.data, theirs.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_the_gradient_agrees_with_differences(tt: Any, rng: Any) -> None:
    teacher, y = tt.tensor(rng.standard_normal((3, 4)), dtype=np.float64), tt.tensor(rng.integers(0, 4, 3))
    x = tt.tensor(rng.standard_normal((3, 4)), requires_grad=True, dtype=np.float64)
    assert tt.gradcheck(lambda s: tt.distillation_loss(s, teacher, y, 3.0, 0.7), [x])


# ---- digits ---------------------------------------------------------------------------------------------


class Digits:
    """TinyDigits as rows of numbers between 0 and 1."""

    def __init__(self, tt: Any) -> None:
        digits = tiny_digits()
        top = digits.train_images.max()
        self.tt = tt
        self.x = (digits.train_images.reshape(-1, 64) / top).astype(np.float32)
        self.y = digits.train_labels.astype(np.int64)
        self.new = tt.tensor((digits.test_images.reshape(-1, 64) / top).astype(np.float32))
        self.answers = digits.test_labels

    def right(self, model: Any) -> float:
        """The share of new digits that a model reads."""
        with self.tt.no_grad():
            return float((model.eval()(self.new).data.argmax(1) == self.answers).mean())

    def train(self, model: Any, count: int, epochs: int, lr: float, seed: int, teacher: Any = None) -> Any:
        """Train on the first digits, alone or with a teacher."""
        tt, rng = self.tt, np.random.default_rng(seed)
        optimizer, loss_fn = tt.Adam(model.parameters(), lr=lr), tt.CrossEntropyLoss()
        for _ in range(epochs):
            for ids in np.array_split(rng.permutation(count), max(1, count // 50)):
                x, y = tt.tensor(self.x[ids]), tt.tensor(self.y[ids])
                if teacher is not None:
                    tt.distill_step(model, teacher, (x, y), optimizer, temperature=4.0, alpha=0.9)
                    continue
                optimizer.zero_grad()
                loss_fn(model(x), y).backward()
                optimizer.step()
        return model


@pytest.fixture(scope="module")
def digits(tt: Any) -> Digits:
    return Digits(tt)


@pytest.fixture(scope="module")
def reader(tt: Any, digits: Digits) -> Any:
    """The network of 1986."""
    tt.manual_seed(1986)
    return digits.train(mlp(tt, 64, 128, 64, 10), 1000, epochs=20, lr=3e-3, seed=0)


def test_a_student_with_a_teacher_beats_one_alone(tt: Any, digits: Digits, reader: Any) -> None:
    """8 hidden units and 100 labels; the teacher has seen more. Five seeds, 7 points on average."""
    gains = []
    for seed in range(5):
        shares = []
        for teacher in (None, reader):
            tt.manual_seed(seed)
            shares.append(digits.right(digits.train(mlp(tt, 64, 8, 10), 100, 120, 1e-2, seed, teacher)))
        gains.append(shares[1] - shares[0])
    assert np.mean(gains) > 0.02, gains


def test_the_reader_of_1986_is_ten_times_smaller(tt: Any, digits: Digits, reader: Any) -> None:
    """More than half of the units go, the rest settles in, and INT8 takes a quarter: at most 2 points are lost."""
    small = tt.compress(
        reader,
        {
            "units": lambda model: tt.structured_prune(model, 0.55),
            "train on": lambda model: digits.train(model, 1000, 20, 3e-3, 1, reader),
            "int8": lambda model: tt.quantize_model(model.eval(), tt.tensor(digits.x[:200])),
        },
    )
    assert [step.after < step.before for step in small.steps] == [True, False, True]
    assert small.ratio >= 10
    assert tt.model_bytes(reader) >= 10 * tt.model_bytes(small.model)
    assert digits.right(small.model) >= digits.right(reader) - 0.02


def test_most_weights_of_the_reader_are_not_needed(tt: Any, digits: Digits, reader: Any) -> None:
    small = tt.compress(reader, {"weights": lambda model: tt.magnitude_prune(model, 0.6)})
    assert small.ratio == 1
    assert tt.sparsity(small.model) == pytest.approx(0.6, abs=1e-3)
    assert tt.sparsity(reader) < 0.01
    assert digits.right(small.model) >= digits.right(reader) - 0.03


# ---- the pipeline ---------------------------------------------------------------------------------------


def test_a_pipeline_without_steps(tt: Any) -> None:
    model = tt.Linear(2, 2)
    small = tt.compress(model, {})
    assert (small.ratio, str(small), small.steps) == (1.0, "", [])
    assert small.model is not model


def test_shared_arrays_are_weighed_once(tt: Any) -> None:
    layer = tt.Linear(3, 3)
    assert tt.stored_bytes(tt.Sequential(layer, layer)) == tt.stored_bytes(layer) == 4 * 12


def test_smaller_arrays_save_arithmetic_and_zeros_do_not(tt: Any) -> None:
    model, x = mlp(tt, 64, 128, 64), tt.randn(8, 64)
    whole = tt.count_flops(model, x)
    zeros = copy.deepcopy(model)
    tt.magnitude_prune(zeros, 0.9)
    assert tt.count_flops(zeros, x) == whole
    assert tt.count_flops(tt.structured_prune(model, 0.5), x) < 0.55 * whole
    assert tt.count_flops(tt.low_rank(model, 8), x) < 0.25 * whole


def test_both_scales_agree_on_quantised_models(tt: Any) -> None:
    model = mlp(tt, 64, 128, 64)
    small = tt.quantize_model(tt.low_rank(model, 8), tt.randn(8, 64))
    for each in (model, small):
        assert tt.stored_bytes(each) == tt.model_bytes(each)
