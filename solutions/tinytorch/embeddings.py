"""Embeddings: a row of learnt numbers for every token, and a way to say where it stands."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .autograd import backward_rule
from .layers import Module, Parameter, normal_
from .tensor import Tensor, from_numpy, record, zeros

Array: TypeAlias = NDArray[Any]


def embedding(ids: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Look up a row of `weight` for every id: ids (...) -> (..., embedding_dim)."""
    if ids.dtype.kind not in "iu":
        raise TypeError(f"an embedding looks up integer ids, not {ids.dtype}")
    if ids.numel() and not 0 <= ids.data.min() <= ids.data.max() < weight.shape[0]:
        raise IndexError(f"ids go from {ids.data.min()} to {ids.data.max()}, the table has rows 0 to {len(weight) - 1}")
    return record("embedding", weight.data[ids.data], (weight,), ids=ids.data, padding_idx=padding_idx)


@backward_rule("embedding")
def embedding_backward(grad: Array, weight: Tensor, ids: Array, padding_idx: int | None) -> Array:
    rows, flat = grad.reshape(-1, weight.shape[1]), ids.reshape(-1)
    total = np.zeros(weight.shape, grad.dtype)
    if weight.shape[0] <= 512:  # a small table: one-hot rows and one matrix product
        hot = np.zeros((weight.shape[0], len(flat)), grad.dtype)
        hot[flat, np.arange(len(flat))] = 1
        np.matmul(hot, rows, out=total)
    elif len(flat):
        order = np.argsort(flat, kind="stable")
        found, starts = np.unique(flat[order], return_index=True)
        total[found] = np.add.reduceat(rows[order], starts, axis=0)
    if padding_idx is not None:
        total[padding_idx] = 0
    return total


class Embedding(Module):
    weight: Parameter

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        self.weight = normal_(Parameter(zeros(num_embeddings, embedding_dim)))
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0

    def forward(self, ids: Tensor) -> Tensor:
        return embedding(ids, self.weight, self.padding_idx)


def sinusoidal_encoding(max_len: int, d_model: int) -> Tensor:
    """(max_len, d_model): sines in even columns, cosines in odd ones, from fast to slow."""
    position = np.arange(max_len)[:, None]
    speed = np.exp(-math.log(10000.0) * np.arange(0, d_model, 2) / d_model)
    table = np.zeros((max_len, d_model), np.float32)
    table[:, 0::2] = np.sin(position * speed)
    table[:, 1::2] = np.cos(position * speed)[:, : d_model // 2]
    return from_numpy(table)


class PositionalEncoding(Module):
    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        self.max_len = max_len
        self.register_buffer("encoding", sinusoidal_encoding(max_len, d_model))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.encoding[: x.shape[-2]]


class LearnedPositionalEncoding(Module):
    weight: Parameter

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        self.max_len = max_len
        self.weight = normal_(Parameter(zeros(max_len, d_model)), std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[: x.shape[-2]]
