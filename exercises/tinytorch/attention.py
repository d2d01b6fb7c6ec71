"""Attention: a table look-up made soft. Every token asks, every token answers, and each takes what it needs.

A table compares a query with its keys, and hands out the value of the key that is equal. Attention compares the query
with all keys, turns the likenesses into shares that add up to 1, and hands out the values mixed in these shares. So
there is a slope everywhere, and what to ask, how to be found and what to hand out can be learnt (Vaswani and others,
"Attention Is All You Need", 2017).

Sizes: B sequences of T queries and S keys (in self-attention the same tokens, T = S), vectors of D numbers, H heads.
"""

from __future__ import annotations

import math

import numpy as np

from .activations import softmax
from .autograd import no_grad
from .layers import Linear, Module
from .tensor import Shape, Tensor, bool_, from_numpy, where

# ---- What is refused -----------------------------------------------------------------------------------------


def check_vectors(**tensors: Tensor) -> None:
    """Refuse what is not one float vector per token, shape (..., T, D), under the name it was given (given)."""
    for name, x in tensors.items():
        if x.dtype.kind != "f":
            raise TypeError(f"attention takes float vectors, but {name} holds {x.dtype}: ids go through Embedding")
        if x.ndim < 2:
            raise ValueError(f"attention takes one vector per token, (..., T, D), but {name} has shape {x.shape}")


def check_query_and_key(query: Tensor, key: Tensor) -> None:
    """Refuse vectors that cannot be compared: their sizes D differ, or their dimensions in front (given)."""
    check_vectors(query=query, key=key)
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"query {query.shape} and key {key.shape} are compared along their last dimension: it differs")


def check_key_and_value(key: Tensor, value: Tensor) -> None:
    """Refuse values that are not one per key (given)."""
    check_vectors(value=value)
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"one value belongs to each key, but key has shape {key.shape} and value {value.shape}")


def check_mask(mask: Tensor, scores: Shape) -> None:
    """Refuse a mask that is neither boolean nor float, or that does not broadcast to the scores' shape (given)."""
    if mask.dtype.kind not in "bf":
        raise TypeError(f"a mask is boolean (True takes part) or float (added to scores), but this is {mask.dtype}")
    short = (1,) * (len(scores) - mask.ndim) + mask.shape
    if len(short) != len(scores) or any(m not in (1, s) for m, s in zip(short, scores, strict=True)):
        raise ValueError(f"a mask of shape {mask.shape} does not broadcast to scores of shape {scores}")


def head_size(embed_dim: int, num_heads: int) -> int:
    """The numbers that each head gets of a vector; ValueError where it cannot be divided among them (given).

    >>> head_size(12, 3)
    4
    """
    if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
        raise ValueError(f"embed_dim {embed_dim} cannot be divided evenly among num_heads {num_heads}")
    return embed_dim // num_heads


# ---- Who may look at whom ------------------------------------------------------------------------------------


def causal_mask(n: int, keys: int | None = None) -> Tensor:
    """The mask of a reader who knows only what came before: query i may look at key j where j is not later than i.

        n, keys  ->  (n, keys) booleans      True takes part; without `keys` the mask is square, (n, n)

    A model that is to foretell the next token must not see it. The diagonal belongs to what is seen: a token may
    look at itself, and the first one has nobody else. With more or fewer keys than queries, both are
    counted from 0 (PyTorch's `is_causal` does the same).

    >>> causal_mask(3)
    tensor([[ True, False, False],
            [ True,  True, False],
            [ True,  True,  True]])
    >>> causal_mask(2, 4)
    tensor([[ True, False, False, False],
            [ True,  True, False, False]])

    About three lines: compare `np.arange` standing with `np.arange` lying. `from_numpy(array)` makes a Tensor of it.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.causal_mask")
    # END OF YOUR CODE (keep this line)


def padding_mask(ids: Tensor, padding_id: int) -> Tensor:
    """The mask that hides padding: no query of a sequence may look at a key that only fills the row.

        ids (B, T)  ->  (B, 1, 1, T) booleans      True where the id is not `padding_id`

    Sequences of one batch differ in length, and the short ones are filled up. What the mask says of a key holds for
    every head and every query of its sequence: hence the two dimensions of size 1, which broadcast against scores
    (B, H, T, S). A mask (B, T) would broadcast as if B were queries, and where B = T nobody would notice.

    >>> ids = tensor([[7, 3, 0], [5, 0, 0]])
    >>> padding_mask(ids, 0).shape
    (2, 1, 1, 3)
    >>> padding_mask(ids, 0).tolist()
    [[[[True, True, False]]], [[[True, False, False]]]]

    Ids that are not integers raise TypeError, another number of dimensions than two ValueError. About three lines
    beside that.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.padding_mask")
    # END OF YOUR CODE (keep this line)


# ---- One look ------------------------------------------------------------------------------------------------


def attention_scores(query: Tensor, key: Tensor) -> Tensor:
    """How well each key answers each query: their dot product, divided by the root of their size.

        query (..., T, D), key (..., S, D)  ->  (..., T, S)      the dimensions in front broadcast

        score[i, j] = sum_d query[i, d] * key[j, d] / sqrt(D)

    A dot product adds up D products. If each is of size 1 and they are independent, their sum is of size sqrt(D);
    softmax of such large scores is nearly one-hot, and its slope nearly 0. Divided by sqrt(D), the scores are of
    size 1 whatever D is.

    By hand, with D = 4: 2 * 3 + 1 * 2 = 8, and 8 / sqrt(4) = 4.

    >>> attention_scores(tensor([[2.0, 1.0, 0.0, 0.0]]), tensor([[3.0, 2.0, 9.0, 9.0], [0.0, 5.0, 0.0, 0.0]]))
    tensor([[4.0000, 2.5000]])

    `check_query_and_key` (given) refuses what does not fit. Two lines of Tensor operations. It costs least to divide
    where the numbers are fewest.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.attention_scores")
    # END OF YOUR CODE (keep this line)


def mask_scores(scores: Tensor, attn_mask: Tensor) -> Tensor:
    """Let the mask have its say in the scores, before softmax makes shares of them.

        scores (..., T, S), attn_mask any shape that broadcasts to it  ->  (..., T, S)

        boolean mask     True: the score stays.  False: it becomes -inf, whose share is exactly 0
        float mask       is added to the scores: 0 leaves a score alone, -inf excludes it, and all between favours

    Afterwards is too late: shares that are set to 0 leave a row that no longer adds up to 1. And 0 excludes
    nobody: it is a score like any other.

    >>> scores = tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> mask_scores(scores, tensor([[True, False], [True, True]]))
    tensor([[1., -inf],
            [3., 4.]])
    >>> mask_scores(scores, tensor([0.0, -2.0]))
    tensor([[1., 0.],
            [3., 2.]])

    `check_mask(mask, shape)` (given) refuses what is no mask for scores of that shape. About four lines. A boolean mask
    is quickest turned into the float mask that means the same.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.mask_scores")
    # END OF YOUR CODE (keep this line)


def masked_softmax(scores: Tensor) -> Tensor:
    """Turn each row of scores into shares that add up to 1; a row of nothing but -inf gives zeros.

        scores (..., T, S)  ->  (..., T, S)      softmax along the last dimension

    A query may be left without a single key, when its sequence is padding from end to end. Softmax would
    compute -inf - -inf and 0 / 0 there: nan, which then spreads into every weight of the model. No key, no
    contribution: the row gives zeros, without a warning, and hands no gradient on.

    >>> masked_softmax(tensor([[0.0, -math.inf, math.log(3)], [-math.inf, -math.inf, -math.inf]]))
    tensor([[0.2500, 0.0000, 0.7500],
            [0.0000, 0.0000, 0.0000]])

    About five lines. Find the rows whose largest score is -inf (in `scores.data`: the question has no gradient). Keep
    their -inf out of softmax: a nan that is overwritten afterwards comes back on the way back, as 0 * nan.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.masked_softmax")
    # END OF YOUR CODE (keep this line)


def attention_weights(query: Tensor, key: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
    """The share of its attention that each query pays to each key.

        query (..., T, D), key (..., S, D)  ->  (..., T, S)      each row adds up to 1, or is 0 where no key takes part

        weights = softmax(scores, masked)

    `attn_mask` is a mask as `mask_scores` takes it, `is_causal=True` the mask of `causal_mask` for T queries and S
    keys. Only one of the two may be given, or RuntimeError that names both, as in PyTorch.

    >>> query, key = tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]), zeros(2, 4)
    >>> key[0, 0] = key[1, 1] = math.log(3)
    >>> attention_weights(query, key)                   # scores: log 3 on the diagonal, 0 beside it
    tensor([[0.7500, 0.2500],
            [0.2500, 0.7500]])
    >>> attention_weights(query, key, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.2500, 0.7500]])

    About eight lines with the functions above.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.attention_weights")
    # END OF YOUR CODE (keep this line)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False
) -> Tensor:
    """Hand each query the values, mixed in the shares that it pays to their keys.

        query (..., T, D), key (..., S, D), value (..., S, E)  ->  (..., T, E)

        attention(Q, K, V) = softmax(Q K^T / sqrt(D)) V

    One value belongs to each key, and need not have the key's size. A query without any key gets zeros.

    By hand, with the shares of `attention_weights`: 0.75 * 4 = 3 and 0.25 * 8 = 2.

    >>> query, key = tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]), zeros(2, 4)
    >>> key[0, 0] = key[1, 1] = math.log(3)
    >>> value = tensor([[4.0, 0.0, 1.0], [0.0, 8.0, 1.0]])
    >>> attention_weights(query, key)[0], scaled_dot_product_attention(query, key, value)
    (tensor([0.7500, 0.2500]), tensor([[3., 2., 1.],
            [1., 6., 1.]]))

    `check_key_and_value` (given) refuses values that do not belong to the keys. About three lines. In PyTorch:
    torch.nn.functional.scaled_dot_product_attention.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.scaled_dot_product_attention")
    # END OF YOUR CODE (keep this line)


# ---- Several looks at once -----------------------------------------------------------------------------------


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Cut each token's vector into equal pieces, one for each head, and put the heads in front of the tokens.

        x (..., T, D)  ->  (..., H, T, D / H)      head h gets the numbers h * D / H up to (h + 1) * D / H

    Each head then attends by itself, as if it were a sequence of its own: the last two dimensions are tokens and their
    vectors, as attention wants them. A mere reshape to that shape would give the right sizes and the wrong numbers:
    half of the tokens in one head, half in the other.

    >>> x = tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])           # three tokens of size 4
    >>> split_heads(x, 2)
    tensor([[[ 1,  2],
             [ 5,  6],
             [ 9, 10]],
    <BLANKLINE>
            [[ 3,  4],
             [ 7,  8],
             [11, 12]]])

    `head_size(D, H)` (given) refuses what cannot be divided. Two or three lines: cut the last dimension in two, then
    exchange two dimensions.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.split_heads")
    # END OF YOUR CODE (keep this line)


def join_heads(x: Tensor) -> Tensor:
    """Put the pieces of each token's vector side by side again: what undoes `split_heads`.

        x (..., H, T, D / H)  ->  (..., T, D)

    >>> x = tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    >>> join_heads(split_heads(x, 2)).tolist() == x.tolist()
    True

    Two or three lines: the same two steps, backwards.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("attention.join_heads")
    # END OF YOUR CODE (keep this line)


class MultiHeadAttention(Module):
    """Several heads that attend at once, each to what it has learnt to look for.

    `embed_dim` is the size D of the vectors that come in and go out, `num_heads` must divide it. As
    torch.nn.MultiheadAttention(embed_dim, num_heads, batch_first=True), but for its masks: there, True is what is left
    out. Here True takes part, as everywhere else.
    """

    embed_dim: int
    num_heads: int
    query: Linear
    key: Linear
    value: Linear
    out: Linear

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        """Make the four layers: `query`, `key` and `value` before the heads, `out` behind them.

        Each is a Linear(embed_dim, embed_dim) with a bias. The first three decide what a token asks for, what it is
        found by, and what it hands out; their outputs are cut into heads. The last mixes what the heads found.
        `self.embed_dim` and `self.num_heads` keep the two numbers. Heads that do not divide embed_dim
        raise ValueError (`head_size` does it).

        >>> attention = MultiHeadAttention(8, 2)
        >>> [name for name, _ in attention.named_parameters()][:4]
        ['query.weight', 'query.bias', 'key.weight', 'key.bias']
        >>> sum(p.numel() for p in attention.parameters()), 4 * (8 * 8 + 8)
        (288, 288)

        About eight lines. The number of heads changes no shape, so it costs no parameter.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("attention.MultiHeadAttention.__init__")
        # END OF YOUR CODE (keep this line)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        attn_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Attend with every head at once, and mix what they found.

            query (..., T, D), key (..., S, D), value (..., S, D)  ->  (..., T, D)

        Self-attention, `attention(x)`: the tokens look at each other, key and value are the query. Cross-attention,
        `attention(x, memory)`: they look at other tokens, and the value is the key. Each of the three goes through
        its layer, and is split into heads; the heads attend (..., H, T, D / H); joined, they go through
        `out`. `attn_mask` broadcasts to (..., H, T, S).

        >>> attention = MultiHeadAttention(4, 2)
        >>> x, memory = randn(5, 3, 4), randn(5, 6, 4)
        >>> attention(x).shape, attention(x, memory).shape
        ((5, 3, 4), (5, 3, 4))
        >>> first = attention(x, is_causal=True)
        >>> x[:, 2] = 9.0                                            # the first two tokens do not see the third
        >>> np.array_equal(attention(x, is_causal=True).data[:, :2], first.data[:, :2])
        True

        `self.check(query, key, value)` (given) refuses what does not fit the layers. About eight lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("attention.MultiHeadAttention.forward")
        # END OF YOUR CODE (keep this line)

    def attention_map(
        self, query: Tensor, key: Tensor | None = None, attn_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """The shares that each head pays, for pictures: which token looked at which.

            query (..., T, D), key (..., S, D)  ->  (..., H, T, S)      without a gradient

        These are the weights that `forward` uses for the same arguments; no values are needed.

        >>> attention = MultiHeadAttention(4, 2)
        >>> shares = attention.attention_map(randn(5, 3, 4), is_causal=True)
        >>> shares.shape, shares.requires_grad, shares[0, 1, 0].tolist()
        ((5, 2, 3, 3), False, [1.0, 0.0, 0.0])

        About six lines, under `no_grad()`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("attention.MultiHeadAttention.attention_map")
        # END OF YOUR CODE (keep this line)

    def check(self, **tensors: Tensor) -> None:
        """Refuse what is not one float vector of size embed_dim per token (given)."""
        check_vectors(**tensors)
        for name, x in tensors.items():
            if x.shape[-1] != self.embed_dim:
                raise ValueError(f"{name} has shape {x.shape}, but its last dimension is due to be {self.embed_dim}")
