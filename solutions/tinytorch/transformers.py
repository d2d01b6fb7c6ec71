"""Transformers: attention and a small network, stacked, until text comes out."""

from __future__ import annotations

import numpy as np

from .activations import gelu
from .attention import MultiHeadAttention
from .autograd import no_grad
from .embeddings import Embedding, LearnedPositionalEncoding
from .layers import Dropout, LayerNorm, Linear, Module, Sequential
from .tensor import Tensor, cat, default_generator, from_numpy


class FeedForward(Module):
    def __init__(self, d_model: int, d_hidden: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        self.up, self.down = Linear(d_model, d_hidden or 4 * d_model), Linear(d_hidden or 4 * d_model, d_model)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.down(gelu(self.up(x))))


class EncoderBlock(Module):
    def __init__(self, d_model: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1, self.attention = LayerNorm(d_model), MultiHeadAttention(d_model, num_heads)
        self.norm2, self.feed_forward = LayerNorm(d_model), FeedForward(d_model, dropout=dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x), attn_mask=attn_mask))
        return x + self.feed_forward(self.norm2(x))


class DecoderBlock(Module):
    def __init__(self, d_model: int, num_heads: int, dropout: float = 0.0, cross_attention: bool = False) -> None:
        super().__init__()
        self.norm1, self.attention = LayerNorm(d_model), MultiHeadAttention(d_model, num_heads)
        if cross_attention:
            self.norm_memory, self.cross_attention = LayerNorm(d_model), MultiHeadAttention(d_model, num_heads)
        self.norm2, self.feed_forward = LayerNorm(d_model), FeedForward(d_model, dropout=dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x), is_causal=True))
        if memory is not None:
            x = x + self.dropout(self.cross_attention(self.norm_memory(x), memory))
        return x + self.feed_forward(self.norm2(x))


class GPT(Module):
    def __init__(
        self, vocab_size: int, d_model: int, num_heads: int, num_layers: int, max_len: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.max_len = max_len
        self.tokens, self.positions = Embedding(vocab_size, d_model), LearnedPositionalEncoding(max_len, d_model)
        self.blocks = Sequential([DecoderBlock(d_model, num_heads, dropout) for _ in range(num_layers)])
        self.norm, self.head = LayerNorm(d_model), Linear(d_model, vocab_size, bias=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                p.data[...] = default_generator.normal(0, 0.02, p.shape)
            elif name.endswith("bias"):
                p.data[...] = 0

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, V)."""
        return self.head(self.norm(self.blocks(self.positions(self.tokens(ids)))))

    def generate(
        self,
        ids: Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int | None = None,
    ) -> Tensor:
        rng = default_generator if seed is None else np.random.default_rng(seed)
        was_training = self.training
        self.eval()
        with no_grad():
            for _ in range(max_new_tokens):
                logits = self(ids[:, -self.max_len :])[:, -1].data  # (B, V)
                ids = cat([ids, from_numpy(sample(logits, temperature, top_k, rng))], dim=1)
        self.train(was_training)
        return ids


def sample(logits, temperature, top_k, rng):
    if temperature == 0:
        return logits.argmax(-1)[:, None]
    scores = logits / temperature
    if top_k is not None:
        least = np.sort(scores, -1)[:, -top_k][:, None]
        scores = np.where(scores < least, -np.inf, scores)
    noise = -np.log(-np.log(rng.random(scores.shape)))
    return (scores + noise).argmax(-1)[:, None]
