"""Module 09's solutions: PyTorch's numbers and gradients where it is installed, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import AUTOGRAD, LAYERS, SPATIAL
from tests.prose.examples import solution
from tests.solutions import agree

CHANNELS = 3


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(SPATIAL)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(9)


def close(mine: Any, theirs: Any, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Agreement of sums of many products, added up in another order."""
    agree(mine, theirs, rtol, atol)


def same_both_ways(
    mine: Any, theirs: Any, tensor: Any, torch: Any, arrays: list[Any], dtype: Any = np.float32, tolerance: float = 1e-4
) -> None:
    """Results and gradients of two functions of the same arrays; None for an input that is not there."""
    given = [a is not None for a in arrays]
    xs = [tensor(a, dtype=dtype, requires_grad=True) if some else None for a, some in zip(arrays, given, strict=True)]
    us = [torch.tensor(x.data, requires_grad=True) if x is not None else None for x in xs]
    y, u = mine(*xs), theirs(*us)
    close(y, u, tolerance, tolerance)
    grad = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    y.backward(tensor(grad, dtype=dtype))
    u.backward(torch.tensor(grad))
    for x, t in zip(xs, us, strict=True):
        if x is not None and t is not None:
            close(x.grad, t.grad, tolerance, tolerance)


# ---- the numbers of PyTorch -----------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("padding", [0, 1, (2, 0)])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 4), (6, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_conv2d(
    ours: Any, tensor: Any, torch: Any, rng: Any, dtype: Any, kernel: Any, stride: Any, padding: Any, bias: bool
) -> None:
    arrays = [
        rng.standard_normal((2, CHANNELS, 6, 7)),
        rng.standard_normal((4, CHANNELS, *kernel)),
        rng.standard_normal(4) if bias else None,
    ]
    same_both_ways(
        lambda x, w, b: ours.conv2d(x, w, b, stride, padding),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, stride, padding),
        tensor,
        torch,
        arrays,
        dtype,
        1e-4 if dtype == np.float32 else 1e-11,
    )


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), ((2, 1), (1, 2))])
def test_loops_are_conv2d(ours: Any, tensor: Any, rng: Any, stride: Any, padding: Any) -> None:
    x, w, b = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, 3, 2)), rng.standard_normal(4)
    slow = ours.conv2d_loops(x, w, b, stride, padding)
    fast = ours.conv2d(*(tensor(a, dtype=np.float64) for a in (x, w, b)), stride, padding)
    np.testing.assert_allclose(fast.data, slow, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(2, None, 0), (3, 1, 1), ((3, 2), (2, 1), (1, 0)), ((1, 4), (3, 2), (0, 2)), ((6, 7), None, 0), (2, 3, 1)],
)
@pytest.mark.parametrize("ties", [False, True])
def test_pooling(
    ours: Any, tensor: Any, torch: Any, rng: Any, name: str, kernel: Any, stride: Any, padding: Any, ties: bool
) -> None:
    x = rng.integers(-2, 1, (2, 3, 6, 7)) if ties else rng.standard_normal((2, 3, 6, 7))
    same_both_ways(
        lambda x: getattr(ours, name)(x, kernel, stride, padding),
        lambda x: getattr(torch.nn.functional, name)(x, kernel, stride, padding),
        tensor,
        torch,
        [x],
    )


def test_batch_norm_learns_as_in_pytorch(ours: Any, tensor: Any, torch: Any, rng: Any) -> None:
    mine, theirs = ours.BatchNorm2d(CHANNELS, eps=1e-3, momentum=0.3), torch.nn.BatchNorm2d(CHANNELS, 1e-3, 0.3)
    with torch.no_grad():
        for name, parameter in mine.named_parameters():
            parameter.data[...] = rng.standard_normal(CHANNELS)
            getattr(theirs, name).copy_(torch.tensor(parameter.data))
    for training, shape in itertools.product((True, False, True), ((4, CHANNELS, 5, 6), (1, CHANNELS, 2, 1))):
        mine.train(training)
        theirs.train(training)
        x = rng.standard_normal(shape) * 3 + 2
        same_both_ways(mine, theirs, tensor, torch, [x], tolerance=2e-4)
        close(mine.running_mean, theirs.running_mean)
        close(mine.running_var, theirs.running_var)
        for name, parameter in mine.named_parameters():
            close(parameter.grad, getattr(theirs, name).grad, 1e-4, 1e-4)


def test_batch_norm_far_from_zero(ours: Any, tensor: Any, torch: Any, rng: Any) -> None:
    x = (rng.standard_normal((8, CHANNELS, 6, 6)) + 1000).astype(np.float32)
    close(ours.BatchNorm2d(CHANNELS)(tensor(x)), torch.nn.BatchNorm2d(CHANNELS)(torch.tensor(x)), 1e-3, 1e-3)


def test_layers_start_as_in_pytorch(ours: Any, torch: Any) -> None:
    mine, theirs = ours.Conv2d(20, 90, (3, 5)), torch.nn.Conv2d(20, 90, (3, 5))
    for name in ("weight", "bias"):
        a, b = getattr(mine, name).data, getattr(theirs, name).detach().numpy()
        assert a.shape == b.shape
        assert np.abs(a).max() == pytest.approx(np.abs(b).max(), rel=0.05)
        assert a.std() == pytest.approx(b.std(), rel=0.2)
    assert list(ours.BatchNorm2d(4).state_dict()) == ["weight", "bias", "running_mean", "running_var"]


def test_a_small_network_trains_as_in_pytorch(ours: Any, tensor: Any, torch: Any, rng: Any) -> None:
    def net(nn: Any, sequential: Any) -> Any:
        return sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.Conv2d(4, 2, 2, 2))

    mine, theirs = net(ours, solution(LAYERS).Sequential), net(torch.nn, torch.nn.Sequential)
    state = {name: torch.tensor(array) for name, array in mine.state_dict().items()}
    theirs.load_state_dict(state, strict=False)
    for _ in range(3):
        x = rng.standard_normal((6, 1, 8, 8)).astype(np.float32)
        (mine(tensor(x)) ** 2).mean().backward()
        (theirs(torch.tensor(x)) ** 2).mean().backward()
        for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-3, atol=1e-4)
            a.data -= 0.1 * a.grad.data
            b.data -= 0.1 * b.grad
        mine.zero_grad()
        theirs.zero_grad()


# ---- against measured slopes ----------------------------------------------------------------------------


def test_gradients_are_the_measured_slopes(ours: Any, tensor: Any, rng: Any) -> None:
    gradcheck = solution(AUTOGRAD).gradcheck
    x, w, b = (
        tensor(rng.standard_normal(shape), dtype=np.float64, requires_grad=True)
        for shape in ((2, 2, 5, 4), (3, 2, 3, 2), (3,))
    )
    assert gradcheck(lambda *xs: ours.conv2d(*xs, (2, 1), (1, 1)), (x, w, b))
    assert gradcheck(lambda x: ours.max_pool2d(x, (3, 2), 1, 1), x)
    assert gradcheck(lambda x: ours.avg_pool2d(x, 3, (2, 1), 1), x)
    norm = ours.BatchNorm2d(2, momentum=0.0).to(np.float64)
    norm.weight.data = rng.standard_normal(2)
    assert gradcheck(lambda x, *_: norm(x), (x, norm.weight, norm.bias))
    assert gradcheck(lambda x, *_: norm.eval()(x), (x, norm.weight, norm.bias))


def test_what_needs_no_gradient_gets_none(ours: Any, tensor: Any) -> None:
    for images, filters in ((True, False), (False, True)):
        x = tensor(np.ones((1, 1, 3, 3)), requires_grad=images)
        weight = tensor(np.ones((1, 1, 2, 2)), requires_grad=filters)
        y = ours.conv2d(x, weight)
        to_x, to_weight = y.grad_fn.backward(np.ones(y.shape, np.float32))
        assert (to_x is not None, to_weight is not None) == (images, filters)


def test_empty_batches(ours: Any, tensor: Any) -> None:
    x = tensor(np.zeros((0, CHANNELS, 6, 6)), requires_grad=True)
    y = ours.MaxPool2d(2)(ours.BatchNorm2d(4).eval()(ours.Conv2d(CHANNELS, 4, 3)(x)))
    assert ours.Flatten()(y).shape == (0, 16)
    y.sum().backward()
    assert x.grad.shape == x.shape


# ---- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("conv2d(x, w[0])", "filters are (out, in, height, width), and these have shape (3, 3, 3)"),
        ("conv2d(x[0], w)", "images are (N, C, H, W), and these have shape (3, 6, 7)"),
        (
            "conv2d(x, w[:, :2])",
            "images of shape (2, 3, 6, 7) have 3 channels, and filters of shape (4, 2, 3, 3) read 2",
        ),
        ("conv2d(x, w, b[:3])", "filters of shape (4, 3, 3, 3) need a bias of (4,), not (3,)"),
        ("conv2d(x, w, b, 0)", "stride is at least 1, not 0"),
        ("conv2d(x, w, b, (1, -2))", "stride is at least 1, not (1, -2)"),
        ("conv2d(x, w, b, 1, -1)", "padding is at least 0, not -1"),
        ("conv2d(x, w, b, 1, 'same')", "padding is a whole number, or two of them for height and width, not 'same'"),
        ("conv2d(x, w, b, (1, 2, 3))", "stride is a whole number, or two of them for height and width, not (1, 2, 3)"),
        (
            "conv2d(x[:, :, :2], w)",
            "a window of (3, 3) is larger than images of shape (2, 3, 2, 7) with padding (0, 0)",
        ),
        ("conv2d(x > 0, w)", "images are floating point, and these are bool: x / 255 makes bytes floating point"),
        ("conv2d(x.to('float64'), w)", "images are float64 and filters float32: to(dtype) makes them the same"),
        ("max_pool2d(x, 0)", "kernel_size is at least 1, not 0"),
        ("max_pool2d(x, 7)", "a window of (7, 7) is larger than images of shape (2, 3, 6, 7) with padding (0, 0)"),
        ("avg_pool2d(x, 2, 1, 2)", "padding is at most half of a window, and (2, 2) is more than half of (2, 2)"),
        ("avg_pool2d(x.flatten(), 2)", "images are (N, C, H, W), and these have shape (252,)"),
        ("BatchNorm2d(4)(x)", "BatchNorm2d(4) got 3 channels, in images of (2, 3, 6, 7)"),
        ("BatchNorm2d(3)(x[:1, :, :1, :1])", "a batch of shape (1, 3, 1, 1) has 1 values per channel"),
        ("BatchNorm2d(3)(x.to('float64'))", "images are float64 and BatchNorm2d is float32"),
        ("BatchNorm2d(0)", "BatchNorm2d needs at least one channel, not 0"),
        ("Conv2d(0, 4, 3)", "Conv2d needs at least one channel on either side, not 0 and 4"),
        ("Conv2d(3, 4, 2.5)", "kernel_size is a whole number, or two of them for height and width, not 2.5"),
        ("MaxPool2d(2, stride=0)", "stride is at least 1, not 0"),
    ],
)
def test_one_sentence_for_what_does_not_fit(ours: Any, tensor: Any, rng: Any, call: str, says: str) -> None:
    names = {
        "x": tensor(rng.standard_normal((2, 3, 6, 7))),
        "w": tensor(rng.standard_normal((4, 3, 3, 3))),
        "b": tensor(rng.standard_normal(4)),
    }
    with pytest.raises((ValueError, TypeError)) as error:
        eval(call, dict(vars(ours)), names)  # noqa: S307 -- our own calls
    assert str(error.value).startswith(says)


def test_layers_print_as_in_pytorch(ours: Any, torch: Any) -> None:
    assert repr(ours.MaxPool2d(2, 1)).startswith("MaxPool2d(kernel_size=")
    assert repr(ours.Conv2d(3, 8, 5, padding=2)).startswith(
        "Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2)"
    )
    assert repr(torch.nn.Conv2d(3, 8, 5, padding=2)).startswith("Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1)")
    assert repr(ours.Flatten()) == repr(torch.nn.Flatten())
    assert repr(ours.BatchNorm2d(8)) == "BatchNorm2d(8, eps=1e-05, momentum=0.1)"
