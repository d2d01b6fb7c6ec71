"""Attention agrees with PyTorch, forwards and backwards, and refuses what PyTorch refuses."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import ATTENTION, TENSOR
from tests.prose.examples import solution
from tests.solutions import agree


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(ATTENTION)


@pytest.fixture(scope="module")
def tt() -> Any:
    return solution(TENSOR)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", "2.5", reason="PyTorch 2.5, the authority of these tests, is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(12)


def close(mine: Any, theirs: Any, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Agreement of sums of many products, added up in another order."""
    agree(mine, theirs, rtol, atol)


def masks(rng: np.random.Generator, t: int, s: int) -> dict[str, Any]:
    """One mask of every kind; "nobody" leaves some queries without a key."""
    some = rng.random((2, 1, t, s)) < 0.6
    some[..., 0] = True
    nobody = some.copy()
    nobody[0, :, -1] = False
    return {
        "no": None,
        "boolean": some,
        "keys": some[:, :, :1],
        "nobody": nobody,
        "float": rng.normal(size=(t, s)).astype(np.float32),
        "float with nobody": np.where(nobody, 0, -np.inf).astype(np.float32),
    }


@pytest.mark.parametrize("sizes", [(5, 5), (3, 6), (6, 3), (1, 4)])
@pytest.mark.parametrize("kind", ["no", "causal", "boolean", "keys", "nobody", "float", "float with nobody"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_attention_and_its_gradients(
    ours: Any, tt: Any, torch: Any, rng: Any, sizes: tuple[int, int], kind: str, dtype: Any
) -> None:
    t, s = sizes
    arrays = [rng.normal(size=(2, 4, n, d)).astype(dtype) for n, d in ((t, 3), (s, 3), (s, 5))]
    grad = rng.normal(size=(2, 4, t, 5)).astype(dtype)
    mask = masks(rng, t, s).get(kind)
    mask = mask.astype(dtype) if mask is not None and mask.dtype != bool else mask
    mine = [tt.Tensor(a, requires_grad=True, dtype=dtype) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    options = {"is_causal": kind == "causal"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        y = ours.scaled_dot_product_attention(
            *mine, attn_mask=None if mask is None else tt.Tensor(mask, dtype=mask.dtype), **options
        )
        y.backward(tt.Tensor(grad, dtype=dtype))
    z = torch.nn.functional.scaled_dot_product_attention(
        *theirs, attn_mask=None if mask is None else torch.tensor(mask), **options
    )
    z.backward(torch.tensor(grad))
    tolerance = (1e-4, 1e-5) if dtype is np.float32 else (1e-10, 1e-12)
    close(y, z, *tolerance)
    for a, b in zip(mine, theirs, strict=True):
        close(a.grad, b.grad, *tolerance)


def pair(ours: Any, torch: Any, size: int, heads: int) -> tuple[Any, Any]:
    """Our heads and PyTorch's, with the same parameters: it keeps (out, in), and the first three in one."""
    mine = ours.MultiHeadAttention(size, heads)
    theirs = torch.nn.MultiheadAttention(size, heads, batch_first=True)
    layers = (mine.query, mine.key, mine.value)
    theirs.in_proj_weight.data = torch.tensor(np.concatenate([layer.weight.data.T for layer in layers]))
    for layer in (*layers, mine.out):  # PyTorch's biases start at 0
        layer.bias.data[...] = np.linspace(-1, 1, size)
    theirs.in_proj_bias.data = torch.tensor(np.concatenate([layer.bias.data for layer in layers]))
    theirs.out_proj.weight.data = torch.tensor(mine.out.weight.data.T.copy())
    theirs.out_proj.bias.data = torch.tensor(mine.out.bias.data.copy())
    return mine, theirs


@pytest.mark.parametrize("heads", [1, 2, 6])
@pytest.mark.parametrize("kind", ["self", "cross", "three"])
@pytest.mark.parametrize("masked", ["no", "causal", "padding"])
def test_heads_and_their_gradients(
    ours: Any, tt: Any, torch: Any, rng: Any, heads: int, kind: str, masked: str
) -> None:
    mine, theirs = pair(ours, torch, 12, heads)
    t, s = 4, 4 if kind == "self" else 7
    arrays = [rng.normal(size=(3, n, 12)).astype(np.float32) for n in (t, s, s)]
    arrays = arrays[: {"self": 1, "cross": 2, "three": 3}[kind]]
    grad = rng.normal(size=(3, t, 12)).astype(np.float32)
    x, u = [tt.tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    lengths = np.arange(s) < np.array([[2], [s], [1]])
    my_options = {"no": {}, "causal": {"is_causal": True}, "padding": {"attn_mask": tt.tensor(lengths[:, None, None])}}
    later = torch.tensor(~np.tri(t, s, dtype=bool))  # in this class of PyTorch's, True is what is left out
    their_options = {"no": {}, "causal": {"attn_mask": later}, "padding": {"key_padding_mask": torch.tensor(~lengths)}}
    y = mine(*x, **my_options[masked])
    z, shares = theirs(
        *([*u, *[u[-1]] * 2][:3] if kind != "self" else u * 3), **their_options[masked], average_attn_weights=False
    )
    close(y, z)
    close(mine.attention_map(*x[:2], **my_options[masked]), shares)
    y.backward(tt.tensor(grad))
    z.backward(torch.tensor(grad))
    for a, b in zip(x, u, strict=True):
        close(a.grad, b.grad)
    rows = theirs.in_proj_weight.grad.split(12)
    biases = theirs.in_proj_bias.grad.split(12)
    for layer, weight, bias in zip((mine.query, mine.key, mine.value), rows, biases, strict=True):
        close(layer.weight.grad, weight.T)
        close(layer.bias.grad, bias)
    close(mine.out.weight.grad, theirs.out_proj.weight.grad.T)
    close(mine.out.bias.grad, theirs.out_proj.bias.grad)


def test_a_batch_may_be_missing(ours: Any, tt: Any, torch: Any, rng: Any) -> None:
    mine, theirs = pair(ours, torch, 8, 2)
    a = rng.normal(size=(5, 8)).astype(np.float32)
    u = torch.tensor(a)
    close(mine(tt.tensor(a)), theirs(u, u, u)[0])


def test_without_keys_at_all(ours: Any, tt: Any) -> None:
    q, none = tt.zeros(2, 3, 4), tt.zeros(2, 0, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for options in ({}, {"is_causal": True}, {"attn_mask": tt.zeros(3, 0)}):
            y = ours.scaled_dot_product_attention(q, none, none, **options)
            assert (y.shape, y.data.any()) == ((2, 3, 4), False)


def test_masks_of_padding(ours: Any, tt: Any) -> None:
    mask = ours.padding_mask(tt.tensor([[5, 0, 0], [0, 0, 0]]), 0)
    y = ours.scaled_dot_product_attention(*[tt.ones(2, 2, 3, 4)] * 3, attn_mask=mask)
    assert y[0].data.tolist() == np.ones((2, 3, 4)).tolist()
    assert not y[1].data.any()
    for wrong, kind in (([0.5], TypeError), ([1, 2], ValueError)):
        with pytest.raises(kind, match="padding_mask takes"):
            ours.padding_mask(tt.tensor(wrong), 0)


def test_what_is_refused(ours: Any, tt: Any) -> None:
    q, k, v = tt.zeros(2, 3, 4), tt.zeros(2, 5, 4), tt.zeros(2, 5, 6)
    attention = ours.scaled_dot_product_attention
    with pytest.raises(ValueError, match=r"query \(2, 3, 4\) and key \(2, 5, 6\)"):
        attention(q, v, v)
    with pytest.raises(ValueError, match=r"key has shape \(2, 5, 4\) and value \(2, 3, 4\)"):
        attention(q, k, q)
    with pytest.raises(TypeError, match="value holds int64"):
        attention(q, k, tt.tensor(np.zeros((2, 5, 6), np.int64)))
    with pytest.raises(ValueError, match=r"\(\.\.\., T, D\), but query has shape \(4,\)"):
        attention(q[0, 0], k, v)
    with pytest.raises(RuntimeError, match="not both"):
        attention(q, k, v, attn_mask=tt.zeros(3, 5), is_causal=True)
    for shape in ((5, 3), (2, 2, 3, 5), (4,)):
        with pytest.raises(ValueError, match=r"does not broadcast to scores of shape \(2, 3, 5\)"):
            attention(q, k, v, attn_mask=tt.zeros(*shape))
    with pytest.raises(TypeError, match="this is int64"):
        attention(q, k, v, attn_mask=tt.tensor(np.ones((3, 5), np.int64)))


def test_what_the_heads_refuse(ours: Any, tt: Any) -> None:
    for size, heads in ((10, 4), (8, 0), (8, -2), (0, 1)):
        with pytest.raises(ValueError, match=f"embed_dim {size} cannot be divided evenly among num_heads {heads}"):
            ours.MultiHeadAttention(size, heads)
    attention = ours.MultiHeadAttention(8, 2)
    with pytest.raises(ValueError, match=r"key has shape \(1, 3, 6\), but its last dimension is due to be 8"):
        attention(tt.zeros(1, 3, 8), tt.zeros(1, 3, 6))
    with pytest.raises(TypeError, match="query holds int64: ids go through Embedding"):
        attention(tt.tensor(np.zeros((8, 8), np.int64)))
    with pytest.raises(ValueError, match="one value belongs to each key"):
        attention(tt.zeros(1, 3, 8), tt.zeros(1, 4, 8), tt.zeros(1, 5, 8))
