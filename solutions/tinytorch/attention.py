"""Attention: every token looks at every other, and takes what it needs."""

from __future__ import annotations

import math

import numpy as np

from .activations import softmax
from .layers import Linear, Module
from .tensor import Tensor, from_numpy, where


def causal_mask(n: int) -> Tensor:
    """(n, n) booleans: True where key j is not later than query i."""
    return from_numpy(np.arange(n)[None, :] <= np.arange(n)[:, None])


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False
) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V."""
    return attention_weights(query, key, attn_mask, is_causal) @ value


def attention_weights(query: Tensor, key: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
    scores = query @ key.transpose(-1, -2) * (1 / math.sqrt(query.shape[-1]))  # (..., T, S)
    if is_causal:
        mask = from_numpy(np.arange(key.shape[-2])[None, :] <= np.arange(query.shape[-2])[:, None])
        attn_mask = mask
    if attn_mask is None:
        return softmax(scores, -1)
    if attn_mask.dtype.kind == "f":
        return softmax(scores + attn_mask, -1)
    weights = softmax(where(attn_mask, scores, -1e30), -1)  # exp of it is 0, and a row without keys has no inf - inf
    return weights if attn_mask.data.any(-1).all() else where(attn_mask, weights, 0.0)


class MultiHeadAttention(Module):
    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim {embed_dim} cannot be divided into {num_heads} heads")
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.query, self.key, self.value = (Linear(embed_dim, embed_dim) for _ in range(3))
        self.out = Linear(embed_dim, embed_dim)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, E) -> (B, H, T, E / H)."""
        b, t, e = x.shape
        return x.reshape(b, t, self.num_heads, e // self.num_heads).transpose(1, 2)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        attn_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        key = query if key is None else key
        value = key if value is None else value
        heads = scaled_dot_product_attention(
            self.split(self.query(query)),
            self.split(self.key(key)),
            self.split(self.value(value)),
            attn_mask,
            is_causal,
        )  # (B, H, T, E / H)
        b, t, e = query.shape
        return self.out(heads.transpose(1, 2).reshape(b, t, e))
