"""Embeddings: numbers that mean a token, and numbers that say where it stands.

A tokenizer gives ids, and an id is a name: token 7 is not more than token 5. So every token gets a row of numbers of
its own in a table; the rows are parameters like any others, and training moves them to where they are useful. Looking a
row up is a product with a one-hot row that nobody needs to multiply out, forwards and backwards.

A row says which token it is, but not where it stands. A second table does: row 3 is added to whatever stands at place
3, computed from waves (`PositionalEncoding`) or learnt (`LearnedPositionalEncoding`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .autograd import backward_rule
from .layers import Module, Parameter, normal_
from .tensor import Tensor, from_numpy, record, zeros

Array: TypeAlias = NDArray[Any]


# ---- Ids ---------------------------------------------------------------------------------------------------


def check_ids(ids: Tensor, count: int) -> Array:
    """Look at ids before anything is looked up with them, and hand over their array.

        ids (...), a Tensor of integers from 0 to count - 1  ->  the same as an array

    NumPy would be content with less. To it -1 is the last row, so that a mistake in a tokenizer becomes the wrong
    token, without a word. What is no id is refused here:

    - what is no Tensor, and a Tensor that holds no integers: TypeError, with the type or dtype;
    - an id below 0 or beyond the last: IndexError, with that id and with `count`.

    No ids at all are fine: a Tensor of shape (0,) has neither a smallest nor a largest.

    >>> check_ids(tensor([[4, 0], [1, 1]]), 5)
    array([[4, 0],
           [1, 1]])
    >>> check_ids(tensor([2, -1]), 5)
    Traceback (most recent call last):
    IndexError: id -1 is not in the table: it has 5 rows, 0 to 4
    >>> check_ids(tensor([2.0]), 5)
    Traceback (most recent call last):
    TypeError: ids are integers, not float32

    About ten lines. `dtype.kind` is "i" or "u" for integers, with and without a sign.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.check_ids")
    # END OF YOUR CODE (keep this line)


def padding_row(padding_idx: int | None, count: int) -> int | None:
    """The row that stands for no token at all, counted from the front (given); -1 is the last one, as in PyTorch.

    >>> padding_row(0, 5), padding_row(-1, 5), padding_row(None, 5)
    (0, 4, None)
    >>> padding_row(5, 5)
    Traceback (most recent call last):
    ValueError: padding_idx 5 is no row of a table that has 5
    """
    if padding_idx is None:
        return None
    if not -count <= padding_idx < count:
        raise ValueError(f"padding_idx {padding_idx} is no row of a table that has {count}")
    return padding_idx % count


def one_hot(ids: Tensor, num_classes: int) -> Tensor:
    """Write every id as a row that is 1 in one place and 0 everywhere else.

        ids (...)  ->  (..., num_classes), int64      row[id] = 1

    This is the fair way to hand names to a network: any two different rows are equally far apart, so no token is
    "more" than another. It takes num_classes numbers to say one, which is why nobody stores text like this.

    `check_ids` refuses ids that have no place in the row. As torch.nn.functional.one_hot.

    >>> one_hot(tensor([2, 0, 2]), 4)
    tensor([[0, 0, 1, 0],
            [1, 0, 0, 0],
            [0, 0, 1, 0]])

    About three lines: compare each id with `np.arange(num_classes)`. `from_numpy(array)` makes the Tensor.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.one_hot")
    # END OF YOUR CODE (keep this line)


# ---- Looking up, and the way back --------------------------------------------------------------------------


def embedding(ids: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Look up a row of the table for every id.

        ids (...), weight (num_embeddings, embedding_dim)  ->  (..., embedding_dim)      y[...] = weight[ids[...]]

    It is `one_hot(ids, num_embeddings) @ weight`: the 1 picks its row, and the zeros add nothing. Of that product
    only the row that survives is read.

    `padding_idx` names the row that fills up sentences which are too short. It is looked up like any other, but gets
    no gradient, so it stays what it is. `padding_row(padding_idx, num_embeddings)` (given) counts it from the front,
    and refuses one that is not there.

    A weight that is no table (ndim is not 2) raises ValueError with its shape; ids as in `check_ids`. As
    torch.nn.functional.embedding.

    >>> weight = tensor([[0.5, 0.25], [1.0, 2.0], [-3.0, 4.0]])
    >>> embedding(tensor([2, 0, 2]), weight)
    tensor([[-3.0000,  4.0000],
            [ 0.5000,  0.2500],
            [-3.0000,  4.0000]])
    >>> embedding(tensor([[0, 1]]), weight).shape
    (1, 2, 2)

    About five lines. The result goes through `record` as "embedding", with weight as its one input, and saves for the
    way back the array of ids as `ids` and the row as `padding_idx`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.embedding")
    # END OF YOUR CODE (keep this line)


def sum_rows(rows: Array, ids: Array, count: int) -> Array:
    """Add up the rows that bear the same id.

        rows (n, d), ids (n,)  ->  (count, d), in the dtype of rows      total[i] = sum of rows[j] where ids[j] = i

    An id that does not occur gets a row of zeros. `rows` and `ids` stay as they are; n may be 0.

    By hand, for the ids 2, 0, 2 the first and the third row are added up:

    >>> sum_rows(np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]]), np.array([2, 0, 2]), 4)
    array([[ 2., 20.],
           [ 0.,  0.],
           [ 5., 50.],
           [ 0.,  0.]])

    `total[ids] += rows` reads, adds and writes each row once, so of the ids that occur twice one is lost.
    `np.add.at` loses none, but takes its rows one by one; use it until the rest works. Many times as fast: sort the
    ids, so that equal ones stand side by side, put the rows in the same order, and let `np.add.reduceat(sorted_rows,
    starts, axis=0)` add up each stretch from one start to the next. Seven lines.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.sum_rows")
    # END OF YOUR CODE (keep this line)


@backward_rule("embedding")
def embedding_backward(grad: Array, weight: Tensor, ids: Array, padding_idx: int | None) -> Array:
    """For y = weight[ids]: every row of the table collects what all of its uses report.

        grad (..., embedding_dim), ids (...)  ->  (num_embeddings, embedding_dim), the gradient of weight

    A token that stands in the text three times was read three times, and gets three gradients added up. A token that
    does not stand there gets 0. So does row `padding_idx`, whatever was reported to it (None: there is no such row).

    >>> weight = tensor([[0.5], [1.0], [-3.0]], requires_grad=True)
    >>> y = embedding(tensor([[2, 0], [2, 1]]), weight, padding_idx=0)
    >>> (y * tensor([[[1.0], [2.0]], [[4.0], [8.0]]])).sum().backward()
    >>> weight.grad
    tensor([[0.],
            [8.],
            [5.]])

    About four lines with `sum_rows`, which wants one row per id: flatten the dimensions in front.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.embedding_backward")
    # END OF YOUR CODE (keep this line)


class Embedding(Module):
    """A table with a row of numbers for every token.

    `Embedding(num_embeddings, embedding_dim)` turns ids (...) into (..., embedding_dim). As torch.nn.Embedding
    (https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html).

    >>> tokens = Embedding(65, 8)
    >>> tokens(tensor([[3, 1, 4], [1, 5, 9]])).shape
    (2, 3, 8)
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Parameter

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        """Make the table, a Parameter `weight` of shape (num_embeddings, embedding_dim).

        It starts with normally distributed numbers, mean 0 and standard deviation 1, whatever the sizes are. A
        Linear layer has to start smaller, the more inputs it sums; here nothing is summed.

        `self.num_embeddings` and `self.embedding_dim` keep the sizes, `self.padding_idx` the padding row, counted
        from the front by `padding_row` (given). That row starts at zero, and as it gets no gradient, it means nothing
        for ever.

        >>> layer = Embedding(4, 3, padding_idx=-1)
        >>> layer.weight.shape, layer.padding_idx, layer.weight[3].tolist()
        ((4, 3), 3, [0.0, 0.0, 0.0])

        About six lines: Parameter, `zeros`, and `normal_(tensor)`, which fills a tensor and returns it.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("embeddings.Embedding.__init__")
        # END OF YOUR CODE (keep this line)

    def forward(self, ids: Tensor) -> Tensor:
        """Look up a row of the layer's own table for every id.

            ids (...)  ->  (..., embedding_dim)

        >>> layer = Embedding(3, 2, padding_idx=0)
        >>> layer.weight.data[1] = [0.5, 0.25]
        >>> layer(tensor([1, 0])).tolist()
        [[0.5, 0.25], [0.0, 0.0]]

        One line. The padding row must be known on the way back.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("embeddings.Embedding.forward")
        # END OF YOUR CODE (keep this line)

    def extra_repr(self) -> str:
        """The sizes, and the padding row where there is one."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


# ---- Where a token stands ----------------------------------------------------------------------------------


def angles(max_len: int, d_model: int) -> Array:
    """How far each of the clocks has turned at each position.

        (max_len, clocks), float64      clocks = d_model / 2, rounded up

        angle[pos, k] = pos / 10000^(2 k / d_model)        pos = 0 ... max_len - 1, k = 0 ... clocks - 1

    Clock 0 turns by 1 radian a step, and comes round after six. Each further clock is slower by the same factor; in a
    wide model the last one turns by hardly more than 1 / 10000. The fast ones tell neighbours apart, the slow ones far
    places, as the hands of a watch do. k counts clocks, not columns: 2 k is the first column that clock k will fill.

    By hand, for d_model = 4 the clocks turn by 1 and by 1 / 10000^(2/4) = 0.01 radians a step:

    >>> angles(3, 4)
    array([[0.  , 0.  ],
           [1.  , 0.01],
           [2.  , 0.02]])
    >>> angles(3, 5).shape
    (3, 3)

    About three lines: positions standing (max_len, 1), times speeds lying (clocks,).
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.angles")
    # END OF YOUR CODE (keep this line)


def sinusoidal_encoding(max_len: int, d_model: int) -> Tensor:
    """The table of positions of "Attention Is All You Need": a sine and a cosine of every angle.

        (max_len, d_model), float32      table[pos, 2 k]     = sin(angle[pos, k])
                                         table[pos, 2 k + 1] = cos(angle[pos, k])

    Both, because together they are the hand of a clock: a sine alone is the same at two places of the dial. Where
    d_model is odd, the last clock has a sine only.

    By hand, position 1 with d_model = 4: sin 1, cos 1, sin 0.01, cos 0.01.

    >>> sinusoidal_encoding(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    >>> math.sin(0.01), round(math.cos(1), 4)
    (0.009999833334166664, 0.5403)

    About five lines with `angles` and NumPy: an empty float32 table, and two assignments to every second column.
    `from_numpy(array)` makes the Tensor. (Vaswani and others, 2017, arXiv:1706.03762.)
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.sinusoidal_encoding")
    # END OF YOUR CODE (keep this line)


def add_positions(x: Tensor, table: Tensor) -> Tensor:
    """Add to every token the row of the place where it stands.

        x (..., T, D), table (max_len, D)  ->  (..., T, D)      y[..., t, :] = x[..., t, :] + table[t]

    Every sequence of a batch starts at place 0. A sequence shorter than the table uses its first T rows.

    Three things are refused with ValueError, before broadcasting can make something of them: x with fewer than two
    dimensions (its shape is said), a last dimension that is not the table's (both shapes are said), and a sequence
    longer than the table (both lengths are said).

    >>> table = tensor([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    >>> add_positions(tensor([[[0.5, 0.0], [0.0, 0.5]]]), table).tolist()
    [[[1.5, 2.0], [10.0, 20.5]]]
    >>> add_positions(zeros(4, 2), table)
    Traceback (most recent call last):
    ValueError: a sequence of 4 tokens is too long: there are 3 positions

    About seven lines of Tensor operations, so that the gradient comes for free.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.add_positions")
    # END OF YOUR CODE (keep this line)


class PositionalEncoding(Module):
    """Adds the fixed table of sines and cosines to (..., T, d_model), for T up to max_len."""

    max_len: int
    encoding: Tensor

    def __init__(self, max_len: int, d_model: int) -> None:
        """Keep `sinusoidal_encoding(max_len, d_model)` as the buffer "encoding".

        A buffer belongs to the model, and is saved and converted with it, but it is no parameter: it follows from a
        formula, and no optimiser shall move it. `self.max_len` keeps the length.

        >>> layer = PositionalEncoding(16, 8)
        >>> [name for name, _ in layer.named_parameters()], list(layer.state_dict())
        ([], ['encoding'])

        Three lines; `register_buffer(name, tensor)` is a method of Module.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("embeddings.PositionalEncoding.__init__")
        # END OF YOUR CODE (keep this line)

    def forward(self, x: Tensor) -> Tensor:
        """Add the first T rows to (..., T, d_model) (given)."""
        return add_positions(x, self.encoding)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.max_len}, {self.encoding.shape[-1]}"


class LearnedPositionalEncoding(Module):
    """Adds a learnt row for every place to (..., T, d_model), for T up to max_len. GPT-2 has its positions so."""

    max_len: int
    weight: Parameter

    def __init__(self, max_len: int, d_model: int) -> None:
        """Make the table of positions, a Parameter `weight` of shape (max_len, d_model).

        It starts with normally distributed numbers, mean 0 and standard deviation 0.02: small beside the tokens, so
        that at first a token means the same wherever it stands. `self.max_len` keeps the length.

        >>> layer = LearnedPositionalEncoding(16, 8)
        >>> [(name, p.shape) for name, p in layer.named_parameters()]
        [('weight', (16, 8))]
        >>> bool(layer.weight.abs().max() < 8 * 0.02)
        True

        Three lines: Parameter, `zeros`, and `normal_(tensor, std=...)`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("embeddings.LearnedPositionalEncoding.__init__")
        # END OF YOUR CODE (keep this line)

    def forward(self, x: Tensor) -> Tensor:
        """Add the first T rows to (..., T, d_model) (given)."""
        return add_positions(x, self.weight)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.max_len}, {self.weight.shape[-1]}"


# ---- Which tokens are alike --------------------------------------------------------------------------------


def cosine_similarity(a: Tensor, b: Tensor, dim: int = -1, eps: float = 1e-8) -> Tensor:
    """How much two rows of numbers point the same way, whatever their lengths.

        a, b (..., n, ...)  ->  (...)      n stands at position dim, and is gone; other sizes broadcast

        a · b / (max(|a|, eps) max(|b|, eps))        |a| = sqrt(sum of a_i^2)

    1 is the same direction, 0 a right angle, -1 the opposite. `eps` keeps a row of zeros, which has no direction, from
    0 / 0: it is similar to nothing, 0. As torch.nn.functional.cosine_similarity.

    By hand, [3, 4] and [4, 3] have length 5 both: (12 + 12) / (5 · 5) = 0.96.

    >>> cosine_similarity(tensor([3.0, 4.0]), tensor([[4.0, 3.0], [-6.0, -8.0], [0.0, 0.0]]))
    tensor([ 0.9600, -1.0000,  0.0000])

    About three lines of Tensor operations. Take the larger one *before* the root, of the sum of squares and eps^2:
    at 0 the root has no gradient.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("embeddings.cosine_similarity")
    # END OF YOUR CODE (keep this line)
