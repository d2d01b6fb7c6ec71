"""Transformers: attention and a small network, stacked, until text comes out.

A block lets every token look at the others, then lets each one think for itself, and adds what came of it to what was
there. A `GPT` is a pile of such blocks over a table of tokens and a table of positions; asked again and again for the
token that comes next, it writes.
"""

from __future__ import annotations

import math

import numpy as np

from .activations import gelu
from .attention import MultiHeadAttention
from .autograd import no_grad
from .embeddings import Embedding, LearnedPositionalEncoding
from .layers import Dropout, LayerNorm, Linear, Module, Sequential, normal_
from .tensor import Tensor, cat, default_generator, from_numpy

# ---- The parts of a block ----


class FeedForward(Module):
    """Two layers with GELU between them, for every token by itself: wide, and back to the width that came in."""

    up: Linear
    down: Linear
    dropout: Dropout

    def __init__(self, d_model: int, d_hidden: int | None = None, dropout: float = 0.0) -> None:
        """Make the two Linear layers and the Dropout that follows them.

            self.up        d_model  -> d_hidden      both with a bias
            self.down      d_hidden -> d_model
            self.dropout   with the share `dropout`

        Where d_hidden is None, it is 4 * d_model, as in the paper (2048 over 512). The inner width is where a
        transformer keeps most of its numbers: two thirds of a block.

        >>> network = FeedForward(6)
        >>> network.up.weight.shape, network.down.weight.shape, network.dropout.p
        ((6, 24), (24, 6), 0.0)
        >>> FeedForward(6, d_hidden=10, dropout=0.25).up
        Linear(in_features=6, out_features=10, bias=True)

        About five lines.
        """
        super().__init__()
        width = 4 * d_model if d_hidden is None else d_hidden
        self.up = Linear(d_model, width)
        self.down = Linear(width, d_model)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Widen, bend, narrow, and drop out.

            x (..., d_model)  ->  (..., d_hidden)  ->  (..., d_model)

            y = dropout(down(gelu(up(x))))

        Nothing here mixes tokens: each gets what it would get alone. Without the GELU two Linear layers in a
        row would be worth one.

        By hand, with all weights 1, biases 0 and two hidden units, for x = 2: both hidden units are
        gelu(2) = 1.9546, and their sum is 3.9092.

        >>> network = FeedForward(1, d_hidden=2)
        >>> for parameter in network.parameters():
        ...     parameter.data[...] = parameter.ndim - 1
        >>> gelu(tensor([2.0])), network(tensor([[2.0]])).detach()
        (tensor([1.9546]), tensor([[3.9092]]))

        One line, or two.
        """
        y: Tensor = self.dropout(self.down(gelu(self.up(x))))
        return y


class EncoderBlock(Module):
    """Every token looks at all tokens, then thinks for itself. For text that is there as a whole.

    As torch.nn.TransformerEncoderLayer with norm_first=True and the tanh form of GELU.
    """

    def __init__(self, d_model: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, num_heads)
        self.norm2 = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, dropout=dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """Add to x what attention found, then add what the feed-forward network made of that.

            x (B, T, D)  ->  (B, T, D)      attn_mask as in module 12: True takes part

            x = x + dropout(attention(norm1(x)))
            y = x + feed_forward(norm2(x))

        The norm stands inside the branch, before what it feeds (*pre-norm*; Xiong and others, 2020). So one path,
        the residual stream, leads from the input to the output through nothing but additions, and the gradient
        comes back on it as it is. `self.feed_forward` has a dropout of its own; the branch of attention
        gets `self.dropout`.

        With nothing learnt in both branches, the block is its input:

        >>> block = EncoderBlock(4, 2)
        >>> for layer in (block.attention.out, block.feed_forward.down):
        ...     layer.weight.data[...] = layer.bias.data[...] = 0
        >>> x = randn(1, 3, 4)
        >>> bool((block(x) == x).data.all())
        True

        Two or three lines.
        """
        x = x + self.dropout(self.attention(self.norm1(x), attn_mask=attn_mask))
        y: Tensor = x + self.feed_forward(self.norm2(x))
        return y


class DecoderBlock(Module):
    """Every token looks back, perhaps across at another text, then thinks for itself. For text that is being written.

    Without cross-attention it is the block of a GPT. With it, it is the decoder of a translator; as
    torch.nn.TransformerDecoderLayer with norm_first=True and the tanh form of GELU.
    """

    cross_attention: MultiHeadAttention | None

    def __init__(self, d_model: int, num_heads: int, dropout: float = 0.0, cross_attention: bool = False) -> None:
        super().__init__()
        self.norm1 = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, num_heads)
        self.norm_cross = LayerNorm(d_model) if cross_attention else None
        self.cross_attention = MultiHeadAttention(d_model, num_heads) if cross_attention else None
        self.norm2 = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, dropout=dropout)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """An encoder block that cannot see the future, with one more branch where there is a memory.

            x (B, T, D), memory (B, S, D)  ->  (B, T, D)

            x = x + dropout(attention(norm1(x)))                     causal: token i sees 0 to i
            x = x + dropout(cross_attention(norm_cross(x), memory))  where a memory is given
            y = x + feed_forward(norm2(x))

        The memory is what an encoder made of another text, of any length S. It gives the keys and the values, the
        queries come from x. It was normalised where it was made, so it is taken as it is, and all of it may be
        seen: that text is known as a whole.

        A memory given to a block that was made without cross_attention raises ValueError with the memory's
        shape.

        >>> block = DecoderBlock(4, 2, cross_attention=True)
        >>> block(randn(1, 3, 4), randn(1, 5, 4)).shape
        (1, 3, 4)
        >>> block, x = DecoderBlock(4, 2), randn(1, 3, 4)
        >>> bool(((block(x[:, :2]) - block(x)[:, :2]).abs() < 1e-5).data.all())
        True
        >>> block(x, memory=randn(1, 5, 4))
        Traceback (most recent call last):
        ValueError: this DecoderBlock has no cross_attention for a memory (1, 5, 4): make it with cross_attention=True

        About six lines.
        """
        x = x + self.dropout(self.attention(self.norm1(x), is_causal=True))
        if memory is not None:
            if self.cross_attention is None or self.norm_cross is None:
                raise ValueError(
                    f"this DecoderBlock has no cross_attention for a memory {memory.shape}: "
                    "make it with cross_attention=True"
                )
            x = x + self.dropout(self.cross_attention(self.norm_cross(x), memory))
        y: Tensor = x + self.feed_forward(self.norm2(x))
        return y


# ---- From scores to a token ----


def keep_top_k(logits: Tensor, top_k: int) -> Tensor:
    """Forbid all tokens but the top_k likeliest ones of each row.

        logits (..., V)  ->  (..., V)      the top_k largest of each row as they are, -inf for all others

    exp(-inf) is 0, so a token with this score is never drawn. A score of 0 would not do: exp(0) is 1. Whatever
    equals the last one that stays, stays too. The input is left alone.

    top_k below 1 or above V raises ValueError with both numbers. (torch.topk raises RuntimeError, and other
    libraries take all V without a word.)

    >>> keep_top_k(tensor([[0.0, 2.0, 1.0], [3.0, -1.0, -2.0]]), 2)
    tensor([[-inf,  2.,  1.],
            [ 3., -1., -inf]])

    About five lines. `np.partition(array, -k, axis=-1)` has the k-th largest number at place -k, for less work
    than sorting all.
    """
    vocab_size = logits.shape[-1]
    if not 1 <= top_k <= vocab_size:
        raise ValueError(f"top_k is from 1 to {vocab_size}, the size of the vocabulary, not {top_k}")
    least = np.partition(logits.data, -top_k, axis=-1)[..., -top_k, None]  # (..., 1)
    return logits.masked_fill(logits < from_numpy(least), -math.inf)


def sample(logits: Tensor, temperature: float = 1.0, generator: np.random.Generator | None = None) -> Tensor:
    """Draw one token for each row, the likelier ones more often.

        logits (B, V)  ->  (B, 1), int64

    Token i comes out with the probability softmax(logits / temperature)_i, each row for itself. Below 1, the
    temperature makes large scores larger still, above 1 it brings all tokens closer together; at 0 the largest
    score wins always. Negative, infinite and nan raise ValueError with the value.

    The noise is taken from `generator`, and where that is None from `default_generator`, which `manual_seed`
    starts again.

    There is a way to draw from a softmax without working it out. To each score add noise of Gumbel's
    distribution (that of -log(-log u), with u even between 0 and 1), times the temperature. The
    place of the largest sum is the token: it comes out with exactly the probability above. A score of -inf
    never wins, and at temperature 0 there is no noise.

    >>> sample(tensor([[1.0, 3.0, 2.0], [0.5, -1.0, 0.0]]), temperature=0)
    tensor([[1],
            [0]])
    >>> scores = tensor([[0.0, math.log(3.0)]]).expand(4000, 2)
    >>> drawn = sample(scores, generator=np.random.default_rng(0))
    >>> bool(abs(drawn.data.mean() - 0.75) < 0.02)
    True

    About five lines: `generator.gumbel(size=shape)` draws such noise.
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"the temperature is a number from 0 on, not {temperature}")
    rng = default_generator if generator is None else generator
    scores = logits.data + temperature * rng.gumbel(size=logits.shape)
    return from_numpy(scores.argmax(axis=-1, keepdims=True))


# ---- The whole ----


def gpt_parameter_count(vocab_size: int, d_model: int, num_layers: int, max_len: int) -> int:
    """How many numbers a GPT of these sizes has to learn, by arithmetic alone.

    Everything is counted: both tables, in every block two norms, four Linear layers of attention and two of the
    feed-forward network (four times as wide inside), the last norm, the head. A norm has a weight and a
    bias, a Linear layer too, except for the head, which has no bias. The number of heads does not
    matter: they share the width.

    Large models are nearly all blocks, and a block is nearly 12 * d_model ** 2.

    >>> gpt_parameter_count(vocab_size=65, d_model=64, num_layers=2, max_len=64)
    112512
    >>> sum(parameter.numel() for parameter in GPT(65, 64, 4, 2, 64).parameters())
    112512

    About four lines of arithmetic. No model is made: the count of one that fits no machine is asked for, too.
    """
    attention = 4 * (d_model * d_model + d_model)
    feed_forward = (d_model * 4 * d_model + 4 * d_model) + (4 * d_model * d_model + d_model)
    block = attention + feed_forward + 2 * 2 * d_model
    return vocab_size * d_model + max_len * d_model + num_layers * block + 2 * d_model + d_model * vocab_size


class GPT(Module):
    """A language model: ids in, and at every place the scores of the token that comes next.

    After "Improving Language Understanding by Generative Pre-Training" (Radford and others, 2018), with the pre-norm
    blocks of GPT-2. `num_heads` must divide `d_model`; more than `max_len` tokens at once it cannot read.
    """

    tokens: Embedding
    positions: LearnedPositionalEncoding
    blocks: Sequential
    norm: LayerNorm
    head: Linear

    def __init__(
        self, vocab_size: int, d_model: int, num_heads: int, num_layers: int, max_len: int, dropout: float = 0.0
    ) -> None:
        """Make the parts, in this order, and give them their first numbers.

            self.tokens      Embedding: one row of d_model numbers for each of vocab_size tokens
            self.positions   LearnedPositionalEncoding: one row for each of max_len places
            self.blocks      Sequential of num_layers DecoderBlocks, each with `dropout`
            self.norm        LayerNorm over d_model
            self.head        Linear from d_model to vocab_size, without a bias

        `self.vocab_size` and `self.max_len` keep the two sizes. At the end, `self.init_weights()`.

        Each block is made anew. One block num_layers times in a list would be one set of numbers, passed through
        several times: it learns less, and nothing complains.

        >>> model = GPT(vocab_size=65, d_model=16, num_heads=2, num_layers=3, max_len=32)
        >>> len(model.blocks), model.tokens.weight.shape, model.positions.weight.shape, model.head.weight.shape
        (3, (65, 16), (32, 16), (16, 65))
        >>> model.blocks[0] is model.blocks[1]
        False

        About nine lines.
        """
        super().__init__()
        self.vocab_size = vocab_size
        self.max_len = max_len
        self.tokens = Embedding(vocab_size, d_model)
        self.positions = LearnedPositionalEncoding(max_len, d_model)
        self.blocks = Sequential([DecoderBlock(d_model, num_heads, dropout) for _ in range(num_layers)])
        self.norm = LayerNorm(d_model)
        self.head = Linear(d_model, vocab_size, bias=False)
        self.init_weights()

    def init_weights(self) -> None:
        """Give all weights small random numbers, and all biases zero.

        Parameters with two dimensions (tables, and the weights of Linear) are drawn from the normal distribution with
        mean 0 and standard deviation 0.02, as GPT-2's. Those with one dimension are biases and the weights of the
        norms: a bias becomes 0, a norm's weight stays as it is, at 1. A bias is known by its name in
        `named_parameters()`, which ends in "bias".

        So small are the weights that all scores are nearly 0 at the start, and all V tokens nearly equally
        likely: the first loss is log V. With another first loss something is wrong before the training begins.

        >>> _ = manual_seed(0)
        >>> model, ids = GPT(65, 32, 2, 2, 16), arange(65)
        >>> logits = model(ids[:64].reshape(4, 16))  # (4, 16, 65)
        >>> loss = CrossEntropyLoss()(logits.reshape(64, 65), ids[1:])
        >>> round(math.log(65), 3), abs(loss.item() - 4.174) < 0.05
        (4.174, True)
        >>> round(float(model.tokens.weight.data.std()), 2), float(model.blocks[0].norm1.weight.data.min())
        (0.02, 1.0)

        About five lines, with `normal_(tensor, mean, std)`, which fills a tensor in place.
        """
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                normal_(parameter, 0.0, 0.02)
            elif name.endswith("bias"):
                parameter.data[...] = 0

    def forward(self, ids: Tensor) -> Tensor:
        """Say for every place what the next token might be.

            ids (B, T)  ->  logits (B, T, vocab_size)

        Token rows, with positions added, go through all blocks, the last norm and the head. The norm is needed:
        what runs through the blocks is a sum that grew with each of them. Row t of the logits has seen the
        ids 0 to t and no more, so one pass answers T questions.

        More than max_len ids in a row, or ids that have not exactly two dimensions, raise ValueError with what
        came and what is possible.

        >>> model = GPT(vocab_size=10, d_model=8, num_heads=2, num_layers=1, max_len=4)
        >>> model(tensor([[1, 2, 3], [4, 5, 6]])).shape
        (2, 3, 10)
        >>> model(tensor([[1, 2, 3, 4, 5]]))
        Traceback (most recent call last):
        ValueError: 5 ids in a row are too many: this GPT was made for max_len 4
        >>> model(tensor([1, 2, 3]))
        Traceback (most recent call last):
        ValueError: ids have the shape (batch, time), not (3,)

        Three lines: `self._check_ids(ids)` (given) raises both errors.
        """
        self._check_ids(ids)
        x = self.positions(self.tokens(ids))  # (B, T, D)
        logits: Tensor = self.head(self.norm(self.blocks(x)))
        return logits

    def generate(
        self,
        ids: Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """Write on: draw the next token from the scores at the end, append it, and ask again.

            ids (B, T)  ->  (B, T + max_new_tokens), the given ids and what follows them

        Each row of the batch goes on by itself. `temperature` is that of `sample`; with `top_k`, only so many
        tokens stand for choice. The model reads at most its last max_len ids, so a text may grow longer than
        that: what was before is forgotten.

        With a `seed`, all draws come from a `np.random.default_rng(seed)` of this call, so that the same seed
        writes the same text, whatever was drawn before. Without, they come from `default_generator`.

        Dropout is off and nothing is recorded meanwhile. Afterwards, also after an error, every module is in
        the mode in which it was before.

        Negative max_new_tokens, ids that have not two dimensions and a prompt without ids raise
        ValueError.

        >>> model = GPT(vocab_size=10, d_model=8, num_heads=2, num_layers=1, max_len=4)
        >>> model.generate(tensor([[1, 2, 3]]), max_new_tokens=5).shape
        (1, 8)
        >>> one, other = (model.generate(tensor([[1], [2]]), 6, top_k=3, seed=5) for _ in range(2))
        >>> bool((one == other).data.all())
        True
        >>> model.generate(tensor([[1]]), -2)
        Traceback (most recent call last):
        ValueError: max_new_tokens is 0 or more, not -2

        About fourteen lines. `self._check_prompt(ids, max_new_tokens)` (given) raises the errors; `keep_top_k` and
        `sample` choose; `cat` appends.
        """
        self._check_prompt(ids, max_new_tokens)
        generator = default_generator if seed is None else np.random.default_rng(seed)
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            with no_grad():
                for _ in range(max_new_tokens):
                    logits = self(ids[:, -self.max_len :])[:, -1]  # (B, T, V) -> (B, V)
                    if top_k is not None:
                        logits = keep_top_k(logits, top_k)
                    ids = cat([ids, sample(logits, temperature, generator)], dim=1)
        finally:
            for module, mode in modes:
                module.training = mode
        return ids

    def _check_ids(self, ids: Tensor) -> None:
        if ids.ndim != 2:
            raise ValueError(f"ids have the shape (batch, time), not {ids.shape}")
        if ids.shape[1] > self.max_len:
            raise ValueError(f"{ids.shape[1]} ids in a row are too many: this GPT was made for max_len {self.max_len}")

    def _check_prompt(self, ids: Tensor, max_new_tokens: int) -> None:
        if ids.ndim != 2:
            raise ValueError(f"ids have the shape (batch, time), not {ids.shape}")
        if ids.shape[1] == 0:
            raise ValueError(f"a prompt has at least one id to go on from, and {ids.shape} has none")
        if max_new_tokens < 0:
            raise ValueError(f"max_new_tokens is 0 or more, not {max_new_tokens}")
