"""Hints for module 12, attention."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "causal_mask": Ladder(
        ask=(
            "For n = 3 write, for each query row, yes or no under each key. Which column is yes in every row, and "
            "which cell may never be no?"
        ),
        idea=(
            "yes means True: [T F F] [T T F] [T T T]. Cell (i, j) is True when j is not later than i. The diagonal "
            "belongs to it, or row 0 has nothing to attend to. Six of the nine cells are True."
        ),
        algorithm=(
            "i = np.arange(n)[:, None] stands, shape (n, 1). j = np.arange(keys) lies, shape (keys,), with n in place "
            "of keys where that is None. j <= i broadcasts to booleans (n, keys); return from_numpy of it."
        ),
        smaller="causal_mask(2) is [[True, False], [True, True]]",
        lesson="Who may look at whom",
        proof="""
        >>> causal_mask(3).tolist()
        [[True, False, False], [True, True, False], [True, True, True]]
        >>> causal_mask(2).tolist(), int(causal_mask(3).data.sum())
        ([[True, False], [True, True]], 6)
        """,
    ),
    "padding_mask": Ladder(
        ask=(
            "Two sequences of ids, [7, 3, 0] and [5, 0, 0], where 0 is padding. Write True under each id that is a "
            "token. Scores have shape (B, H, T, S). In which of the four dimensions do these Trues stand, and what "
            "are the sizes of the others?"
        ),
        idea=(
            "A mask speaks of keys, so T goes to the last dimension, and B stays in front. Heads and queries do not "
            "matter: size 1 each, so that they broadcast. Two rows of three ids give shape (2, 1, 1, 3)."
        ),
        algorithm=(
            "Raise TypeError with ids.dtype where its kind is not in 'iu', and ValueError with ids.shape where "
            "ids.ndim is not 2. Then ids != padding_id is (B, T); unsqueeze(1) makes it (B, 1, T), and once more (B, "
            "1, 1, T)."
        ),
        smaller="padding_mask(tensor([[7, 0]]), 0) is [[[[True, False]]]]",
        lesson="Who may look at whom",
        proof="""
        >>> padding_mask(tensor([[7, 3, 0], [5, 0, 0]]), 0).shape
        (2, 1, 1, 3)
        >>> padding_mask(tensor([[7, 0]]), 0).tolist()
        [[[[True, False]]]]
        """,
    ),
    "attention_scores": Ladder(
        ask=(
            "Three queries and five keys, each a vector of four numbers. How many dot products are there, and which "
            "matrix product gives all of them? What is the root of four?"
        ),
        idea=(
            "query (3, 4) @ key transposed (4, 5) -> (3, 5). Only the last two dimensions are transposed, whatever "
            "stands before them. Then divide by the root of the size: 2 * 3 = 6 becomes 6 / 2 = 3."
        ),
        algorithm=(
            "check_query_and_key(query, key) first. Then query * (1 / math.sqrt(query.shape[-1])) @ "
            "key.transpose(-1, -2). Scaling the query costs T * D products, scaling the scores T * S."
        ),
        smaller="attention_scores(tensor([[2., 0., 0., 0.]]), tensor([[3., 0., 0., 0.]])) is 6 / 2 = 3",
        lesson="A look-up made soft",
        proof="""
        >>> attention_scores(tensor([[2.0, 0.0, 0.0, 0.0]]), tensor([[3.0, 0.0, 0.0, 0.0]]))
        tensor([[3.]])
        >>> attention_scores(ones(3, 4), ones(5, 4)).shape
        (3, 5)
        >>> 2 * 3, 6 / 2
        (6, 3.0)
        """,
    ),
    "mask_scores": Ladder(
        ask=(
            "Softmax takes exp of every score. Which score has an exp of exactly 0? And what does adding it to any "
            "other score give?"
        ),
        idea=(
            "exp(-inf) is 0, and x + -inf is -inf. So a boolean mask is a float mask in short: True is 0, False is "
            "-inf, and one addition serves both kinds. A score of 0 excludes nobody: exp(0) is 1."
        ),
        algorithm=(
            "check_mask(attn_mask, scores.shape). If attn_mask.dtype is bool_, make it where(attn_mask, 0.0, "
            "-math.inf). Return scores + attn_mask: it broadcasts, and a float mask that learns gets its gradient."
        ),
        smaller="mask_scores(tensor([[1., 2.]]), tensor([[True, False]])) is [[1., -inf]]",
        lesson="Who may look at whom",
        proof="""
        >>> math.exp(-math.inf), math.exp(0), 5 - math.inf
        (0.0, 1.0, -inf)
        >>> mask_scores(tensor([[1.0, 2.0]]), tensor([[True, False]]))
        tensor([[1., -inf]])
        """,
    ),
    "masked_softmax": Ladder(
        ask=(
            "Work out the softmax of [-inf, -inf] on paper, with the largest score subtracted first. What is -inf - "
            "-inf? Then think of the way back: the row is overwritten with 0 afterwards, so its gradient is 0. What is "
            "0 * nan?"
        ),
        idea=(
            "Both are nan, and a nan in one row of scores ends up in every weight. Give softmax a row of zeros in "
            "place of the row without keys: it makes 0.5 and 0.5 of it, harmless numbers, which you then set to 0."
        ),
        algorithm=(
            "empty = scores.data.max(axis=-1, keepdims=True, initial=-math.inf) == -math.inf. If not empty.any(): "
            "return softmax(scores, dim=-1). Else softmax(scores.masked_fill(empty, 0.0), dim=-1), and "
            ".masked_fill(empty, 0.0) once more on the result."
        ),
        smaller="masked_softmax(tensor([[-math.inf, -math.inf]])) is [[0., 0.]]",
        lesson="Who may look at whom",
        proof="""
        >>> -math.inf - -math.inf, 0 * math.nan
        (nan, nan)
        >>> softmax(zeros(1, 2))
        tensor([[0.5000, 0.5000]])
        >>> masked_softmax(tensor([[-math.inf, -math.inf]]))
        tensor([[0., 0.]])
        >>> round(0.5, 1)
        0.5
        """,
    ),
    "attention_weights": Ladder(
        ask=(
            "Name the functions of this file that stand between queries and shares, in the order in which they act. "
            "Which of them are left out when there is no mask? Where does is_causal get its mask from?"
        ),
        idea=(
            "attention_scores, mask_scores, masked_softmax. is_causal is only a shorthand for one more mask, made for "
            "the T and S of the scores. Two equal scores give 0.5 each; under the causal mask the first query gives "
            "all to the first key."
        ),
        algorithm=(
            "scores = attention_scores(query, key). If is_causal: raise RuntimeError if attn_mask is given, too; else "
            "attn_mask = causal_mask(*scores.shape[-2:]). Without a mask return softmax(scores, dim=-1); with one "
            "masked_softmax(mask_scores(scores, attn_mask))."
        ),
        smaller="attention_weights(zeros(1, 3), zeros(2, 3)) is [[0.5, 0.5]]",
        lesson="A look-up made soft",
        proof="""
        >>> attention_weights(zeros(1, 3), zeros(2, 3)).tolist()
        [[0.5, 0.5]]
        >>> attention_weights(zeros(2, 3), zeros(2, 3), is_causal=True)[0].tolist()
        [1.0, 0.0]
        """,
    ),
    "scaled_dot_product_attention": Ladder(
        ask=(
            "Shares (T, S) and values (S, E). Query 0 pays 0.75 to key 0 and 0.25 to key 1, whose values are 4 and 8. "
            "What does it get? Which matrix product does that for all queries at once?"
        ),
        idea=(
            "0.75 * 4 + 0.25 * 8 = 5. A row of shares times a column of values: weights @ values, (T, S) @ (S, E) -> "
            "(T, E). The shares are attention_weights; both masks go there."
        ),
        algorithm=(
            "weights = attention_weights(query, key, attn_mask, is_causal), then check_key_and_value(key, value), and "
            "return weights @ value. Rows without any key are zeros already, and a product with zeros gives zeros."
        ),
        smaller="scaled_dot_product_attention(zeros(1, 3), zeros(2, 3), tensor([[2.], [4.]])) is [[3.]]",
        lesson="A look-up made soft",
        proof="""
        >>> 0.75 * 4 + 0.25 * 8
        5.0
        >>> scaled_dot_product_attention(zeros(1, 3), zeros(2, 3), tensor([[2.0], [4.0]]))
        tensor([[3.]])
        """,
    ),
    "split_heads": Ladder(
        ask=(
            "Two tokens, [1, 2, 3, 4] and [5, 6, 7, 8], and two heads. Write down which numbers each head gets. Now "
            "write the eight numbers in reading order and cut them into two halves. Is that the same?"
        ),
        idea=(
            "Head 0 gets [1, 2] and [5, 6], head 1 gets [3, 4] and [7, 8]. Halves in reading order give each head one "
            "whole token instead. So cut the last dimension only, (T, H, D / H), and then exchange T and H."
        ),
        algorithm=(
            "size = head_size(x.shape[-1], num_heads). y = x.reshape(*x.shape[:-1], num_heads, size) has shape (..., "
            "T, H, D / H). Return y.transpose(-3, -2); counted from the end, it works with any dimensions in front."
        ),
        smaller="split_heads(tensor([[1., 2.], [3., 4.]]), 2) is [[[1.], [3.]], [[2.], [4.]]]",
        lesson="Several looks at once",
        proof="""
        >>> split_heads(tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), 2).tolist()
        [[[1, 2], [5, 6]], [[3, 4], [7, 8]]]
        >>> split_heads(tensor([[1.0, 2.0], [3.0, 4.0]]), 2).tolist()
        [[[1.0], [3.0]], [[2.0], [4.0]]]
        """,
    ),
    "join_heads": Ladder(
        ask=(
            "split_heads did two things: it cut a dimension in two, then exchanged two dimensions. What undoes each, "
            "and in which order do you undo them?"
        ),
        idea=(
            "Last done, first undone: exchange heads and tokens back, (..., T, H, D / H), then let reshape melt the "
            "last two dimensions into one of size D. Without the exchange the pieces of different tokens stand side by "
            "side."
        ),
        algorithm=(
            "*front, heads, tokens, size = x.shape. Return x.transpose(-3, -2).reshape(*front, tokens, heads * size)."
        ),
        smaller="join_heads(tensor([[[1.], [3.]], [[2.], [4.]]])) is [[1., 2.], [3., 4.]]",
        lesson="Several looks at once",
        proof="""
        >>> join_heads(tensor([[[1.0], [3.0]], [[2.0], [4.0]]])).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
        """,
    ),
    "MultiHeadAttention.__init__": Ladder(
        ask=(
            "Vectors of size 8 come in and go out. How many numbers does a Linear have that turns 8 into 8? How many "
            "such layers does the class docstring need, and does the number of heads change their sizes?"
        ),
        idea=(
            "A Linear of size 8 has 8 * 8 + 8 = 72 parameters, four of them 288, for one head or for eight. The heads "
            "only share out what the layers give."
        ),
        algorithm=(
            "super().__init__() first. head_size(embed_dim, num_heads) raises what must be raised. Keep the two "
            "numbers. Assign Linear(embed_dim, embed_dim) to self.query, self.key, self.value and self.out, four "
            "objects: an attribute is noted, an entry of a list is not."
        ),
        smaller="MultiHeadAttention(8, 2) has 288 parameters",
        lesson="Several looks at once",
        proof="""
        >>> 8 * 8 + 8, 4 * 72
        (72, 288)
        >>> [sum(p.numel() for p in MultiHeadAttention(8, heads).parameters()) for heads in (1, 2, 8)]
        [288, 288, 288]
        """,
    ),
    "MultiHeadAttention.forward": Ladder(
        ask=(
            "Follow a batch (5, 3, 8) through two heads, and write its shape after each step: layer, split, attention, "
            "join, out. In cross-attention, which of the three inputs has another number of tokens?"
        ),
        idea=(
            "(5, 3, 8), then (5, 2, 3, 4), the same again after attention, (5, 3, 8), (5, 3, 8). Key and value belong "
            "together: their number of tokens S may be another, and the output has as many as the query."
        ),
        algorithm=(
            "key = query if None, then value = key if None. self.check(query=query, key=key, value=value). Each of the "
            "three: split_heads(self.query(query), self.num_heads) and so on. Those and both masks go to "
            "scaled_dot_product_attention; return self.out(join_heads(heads))."
        ),
        smaller="MultiHeadAttention(8, 2)(zeros(5, 3, 8)) has shape (5, 3, 8)",
        lesson="Several looks at once",
        proof="""
        >>> split_heads(zeros(5, 3, 8), 2).shape
        (5, 2, 3, 4)
        >>> MultiHeadAttention(8, 2)(zeros(5, 3, 8)).shape
        (5, 3, 8)
        """,
    ),
    "MultiHeadAttention.attention_map": Ladder(
        ask=(
            "forward computes shares and forgets them. Which of its four layers do you need to compute them again, and "
            "which function gives them? Will anybody call backward on a picture?"
        ),
        idea=(
            "Only query and key have a say in the shares. Split both into heads, and attention_weights gives (..., H, "
            "T, S): three tokens and two heads make two pictures of 3 by 3."
        ),
        algorithm=(
            "key = query if key is None, then self.check(query=query, key=key). Inside `with no_grad():` take "
            "split_heads(self.query(query), self.num_heads), the same for the key, and return attention_weights of "
            "both with the two masks."
        ),
        smaller="MultiHeadAttention(4, 2).attention_map(zeros(3, 4)) has shape (2, 3, 3)",
        lesson="Use it",
        proof="""
        >>> MultiHeadAttention(4, 2).attention_map(zeros(3, 4)).shape
        (2, 3, 3)
        """,
    ),
}
