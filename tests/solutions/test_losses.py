"""Module 04's solutions: the numbers of PyTorch where it is installed, and refusals that say what they were given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import LOSSES
from tests.prose.examples import solution
from tests.solutions import agree

REDUCTIONS = ("mean", "sum", "none")


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(LOSSES)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (2, 3, 4), (0,)])
@pytest.mark.parametrize("name", ["MSELoss", "BCELoss", "BCEWithLogitsLoss"])
def test_element_wise_losses(
    ours: Any, tensor: Any, torch: Any, rng: Any, name: str, shape: tuple[int, ...], reduction: str
) -> None:
    x = np.asarray(rng.uniform(0, 1, shape) if name == "BCELoss" else rng.normal(0, 5, shape), np.float32)
    t = np.asarray(rng.uniform(0, 1, shape), np.float32)
    theirs = getattr(torch.nn, name)(reduction=reduction)(torch.tensor(x), torch.tensor(t))
    agree(getattr(ours, name)(reduction=reduction)(tensor(x), tensor(t)), theirs)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("shape", [(7,), (6, 7), (5, 7, 3), (2, 4, 3, 5)])
def test_cross_entropy(
    ours: Any,
    tensor: Any,
    torch: Any,
    rng: Any,
    shape: tuple[int, ...],
    ignore_index: int,
    smoothing: float,
    reduction: str,
) -> None:
    scores = rng.normal(0, 3, shape).astype(np.float32)
    classes, batch = (shape[0], ()) if len(shape) == 1 else (shape[1], shape[:1] + shape[2:])
    ids = np.asarray(rng.integers(0, classes, batch), np.int64)
    if batch:
        ids.flat[0] = ignore_index
    options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": smoothing}
    theirs = torch.nn.CrossEntropyLoss(**options)(torch.tensor(scores), torch.tensor(ids))
    agree(ours.CrossEntropyLoss(**options)(tensor(scores), tensor(ids)), theirs)
    del options["label_smoothing"]
    theirs = torch.nn.NLLLoss(**options)(torch.tensor(scores), torch.tensor(ids))
    agree(ours.NLLLoss(**options)(tensor(scores), tensor(ids)), theirs)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_nothing_that_counts(ours: Any, tensor: Any, torch: Any, name: str, reduction: str) -> None:
    x, t = [[1.0, 2.0], [3.0, 4.0]], [-100, -100]
    theirs = getattr(torch.nn, name)(reduction=reduction)(torch.tensor(x), torch.tensor(t))
    agree(getattr(ours, name)(reduction=reduction)(tensor(x), tensor(t)), theirs)


def test_cross_entropy_at_extreme_scores(ours: Any, tensor: Any, torch: Any) -> None:
    x = [[1e4, 1e4], [1e4, -1e4], [-1e4, 1e4], [0.0, -math.inf], [1e38, -1e38], [20.0, 0.0]]
    t = [0, 0, 0, 0, 0, 0]
    theirs = torch.nn.CrossEntropyLoss(reduction="none")(torch.tensor(x), torch.tensor(t))
    agree(ours.CrossEntropyLoss(reduction="none")(tensor(x), tensor(t)), theirs, rtol=1e-6, atol=0)


def test_binary_losses_at_extreme_scores(ours: Any, tensor: Any, torch: Any) -> None:
    x, t = [-1e4, -1e4, 1e4, 1e4, 20.0, -20.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    doubles = torch.tensor(x, dtype=torch.float64), torch.tensor(t, dtype=torch.float64)
    theirs = torch.nn.BCEWithLogitsLoss(reduction="none")(*doubles).float()  # its float32 gives 0 for -20
    agree(ours.BCEWithLogitsLoss(reduction="none")(tensor(x), tensor(t)), theirs, rtol=1e-6, atol=0)
    p, t = [0.0, 0.0, 1.0, 1.0, 1e-30, 1e-44, 1e-8], [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    theirs = torch.nn.BCELoss(reduction="none")(torch.tensor(p), torch.tensor(t))
    agree(ours.BCELoss(reduction="none")(tensor(p), tensor(t)), theirs, rtol=1e-6, atol=0)


def test_float64_stays_float64(ours: Any, tensor: Any, torch: Any, rng: Any) -> None:
    x, ids = rng.normal(0, 3, (5, 7)), rng.integers(0, 7, 5)
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=0.2)(torch.tensor(x), torch.tensor(ids))
    agree(ours.CrossEntropyLoss(label_smoothing=0.2)(tensor(x, np.float64), tensor(ids)), theirs, 1e-12, 0)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_an_empty_batch(ours: Any, tensor: Any, torch: Any, reduction: str) -> None:
    scores, ids = np.zeros((0, 3), np.float32), np.zeros(0, np.int64)
    mine = ours.CrossEntropyLoss(reduction=reduction)(tensor(scores), tensor(ids))
    agree(mine, torch.nn.CrossEntropyLoss(reduction=reduction)(torch.tensor(scores), torch.tensor(ids)))


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
def test_cross_entropy_saves_what_its_gradient_needs(
    ours: Any, tensor: Any, torch: Any, rng: Any, smoothing: float
) -> None:
    x, ids = rng.normal(0, 3, (5, 7)).astype(np.float32), rng.integers(0, 7, 5)
    mine = ours.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)(
        tensor(x, requires_grad=True), tensor(ids)
    )
    saved = mine.grad_fn.saved
    powers, total = saved["softmax"]
    grad = powers / total[:, None] - saved["label_smoothing"] / 7
    grad[np.arange(5), saved["ids"]] -= 1 - saved["label_smoothing"]
    theirs = torch.tensor(x, requires_grad=True)
    torch.nn.CrossEntropyLoss(reduction="sum", label_smoothing=smoothing)(theirs, torch.tensor(ids)).backward()
    np.testing.assert_allclose(grad, theirs.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_contrastive(ours: Any, tensor: Any, torch: Any, rng: Any, reduction: str) -> None:
    a, b, y = rng.normal(0, 1, (9, 3)), rng.normal(0, 1, (9, 3)), rng.integers(0, 2, 9)
    distance = torch.nn.functional.pairwise_distance(torch.tensor(a), torch.tensor(b), eps=0.0)
    similar = torch.tensor(y) == 1
    losses = torch.where(similar, distance**2, (2.5 - distance).clamp(min=0) ** 2) / 2
    theirs = {"mean": losses.mean(), "sum": losses.sum(), "none": losses}[reduction].float()
    for target in (y, y.astype(np.float32), y == 1):
        agree(ours.ContrastiveLoss(2.5, reduction=reduction)(tensor(a), tensor(b), tensor(target)), theirs)


def test_contrastive_of_equal_vectors(ours: Any, tensor: Any) -> None:
    same = tensor([[1.0, 2.0], [1.0, 2.0]])
    losses = ours.ContrastiveLoss(margin=3.0, reduction="none")(same, same, tensor([1, 0]))
    assert losses.tolist() == [0.0, 4.5]


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss"])
def test_an_unknown_reduction_names_the_three(ours: Any, name: str) -> None:
    with pytest.raises(ValueError, match="mean, sum, none, not 'average'"):
        getattr(ours, name)(reduction="average")


@pytest.mark.parametrize("name", ["MSELoss", "BCELoss", "BCEWithLogitsLoss"])
def test_element_wise_losses_do_not_broadcast(ours: Any, tensor: Any, name: str) -> None:
    with pytest.raises(ValueError, match=r"\(3, 1\) and \(3,\)"):
        getattr(ours, name)()(tensor([[0.5], [0.5], [0.5]]), tensor([0.5, 0.5, 0.5]))


@pytest.mark.parametrize("name", ["BCELoss", "BCEWithLogitsLoss"])
def test_binary_losses_take_floats(ours: Any, tensor: Any, name: str) -> None:
    loss = getattr(ours, name)()
    with pytest.raises(TypeError, match="float target, not int64"):
        loss(tensor([0.5]), tensor([1]))
    with pytest.raises(TypeError, match="float input, not bool"):
        loss(tensor([True]), tensor([1.0]))


def test_bce_takes_probabilities(ours: Any, tensor: Any) -> None:
    for wrong in (-0.5, 1.5, math.nan):
        with pytest.raises(RuntimeError, match="probabilities, from 0 to 1"):
            ours.BCELoss()(tensor([0.5, wrong]), tensor([1.0, 0.0]))


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_losses_of_classes_refuse(ours: Any, tensor: Any, name: str) -> None:
    loss, scores = getattr(ours, name)(), tensor(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3,\)"):
        loss(scores, tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"got \(\) and \(\)"):
        loss(tensor(1.0), tensor(0))
    with pytest.raises(TypeError, match=r"class ids as target, .* not float32"):
        loss(scores, tensor([0.0, 1.0]))
    with pytest.raises(TypeError, match="float input, not int64"):
        loss(tensor([[1, 2]]), tensor([0]))
    for wrong in (3, -1):
        with pytest.raises(IndexError, match=f"class {wrong} in the target, but 3 classes"):
            loss(scores, tensor([0, wrong]))


def test_options_out_of_range(ours: Any) -> None:
    with pytest.raises(ValueError, match=r"not at 1\.5"):
        ours.CrossEntropyLoss(label_smoothing=1.5)
    with pytest.raises(ValueError, match="above 0, not 0"):
        ours.ContrastiveLoss(0)


def test_losses_print_what_they_are(ours: Any) -> None:
    assert repr(ours.MSELoss(reduction="sum")) == "MSELoss(reduction='sum')"
