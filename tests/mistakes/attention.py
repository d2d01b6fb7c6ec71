"""Usual mistakes in module 12."""

from __future__ import annotations

from tests.mistakes import Mistaken

CAUSAL = "return from_numpy(np.arange(n if keys is None else keys) <= queries)  # (keys,) against (n, 1)"
PADDING = "counts: Tensor = ids != padding_id\n    return counts.unsqueeze(1).unsqueeze(1)"
SCORES = "return query * (1 / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2)"
BOOLEAN = "attn_mask = where(attn_mask, 0.0, -math.inf)"
IS_BOOLEAN = "if attn_mask.dtype == bool_:"
ADDED = "return scores + attn_mask"
CHECK_MASK = "check_mask(attn_mask, scores.shape)\n    if"
MASKED = "return softmax(scores.masked_fill(without_key, 0.0), dim=-1).masked_fill(without_key, 0.0)"
WITHOUT = "    if not without_key.any():\n        return softmax(scores, dim=-1)\n"
CAUSAL_SCORES = "attn_mask = causal_mask(*scores.shape[-2:])"
BOTH = "if attn_mask is not None:"
MASKED_WEIGHTS = "return masked_softmax(mask_scores(scores, attn_mask))"
MIXED = """\
weights = attention_weights(query, key, attn_mask, is_causal)
    check_key_and_value(key, value)
    return weights @ value"""
SPLIT = "return x.reshape(*x.shape[:-1], num_heads, size).transpose(-3, -2)  # (..., T, H, D / H) -> (..., H, T, D / H)"
JOIN = "return x.transpose(-3, -2).reshape(*front, tokens, heads * size)"
MAP = "with no_grad():\n            queries"
MAP_WEIGHTS = "return attention_weights(queries, keys, attn_mask, is_causal)\n\n    def check"
DEFAULTS = "key = query if key is None else key\n        value = key if value is None else value"
QUERY, KEY, VALUE = (f"split_heads(self.{x}({x}), self.num_heads),\n" for x in ("query", "key", "value"))
MASKS = "            attn_mask,\n            is_causal,\n        )  # (..., H, T, D / H)"

MISTAKES = [
    # ---- causal_mask
    Mistaken(
        name="the mask inverted",
        exercise="causal_mask",
        replace=CAUSAL,
        by=CAUSAL.replace("<=", ">"),
        caught_by="test_causal_mask_lets_each_token_look_back",
        says="the wrong way round",
    ),
    Mistaken(
        name="each token sees the future",
        exercise="causal_mask",
        replace=CAUSAL,
        by=CAUSAL.replace("<=", ">="),
        caught_by="test_causal_mask_lets_each_token_look_back",
        says="what comes after it",
    ),
    Mistaken(
        name="the diagonal excluded",
        exercise="causal_mask",
        replace=CAUSAL,
        by=CAUSAL.replace("<=", "<"),
        caught_by="test_causal_mask_lets_each_token_look_back",
        says="The diagonal belongs to the mask",
    ),
    Mistaken(
        name="aligned at the lower right",
        exercise="causal_mask",
        replace=CAUSAL,
        by="m = n if keys is None else keys\n    return from_numpy(np.arange(m) - (m - n) <= queries)",
        caught_by="test_causal_mask_for_more_or_fewer_keys",
        says="the lower right corner",
    ),
    # ---- padding_mask
    Mistaken(
        name="a padding mask of shape (B, T)",
        exercise="padding_mask",
        replace=PADDING,
        by="return ids != padding_id",
        caught_by="test_padding_mask_hides_what_fills_the_row",
        says="the shape is still (B, T)",
    ),
    Mistaken(
        name="PyTorch's key_padding_mask, True where padding is",
        exercise="padding_mask",
        replace=PADDING,
        by=PADDING.replace("!=", "=="),
        caught_by="test_padding_mask_hides_what_fills_the_row",
        says="True takes part",
    ),
    Mistaken(
        name="queries hidden instead of keys",
        exercise="padding_mask",
        replace=PADDING,
        by="return (ids != padding_id).unsqueeze(1).unsqueeze(-1)",
        caught_by="test_padding_mask_hides_what_fills_the_row",
        says="this hides queries",
    ),
    Mistaken(
        name="the padding is always 0",
        exercise="padding_mask",
        replace=PADDING,
        by=PADDING.replace("padding_id", "0"),
        caught_by="test_padding_mask_hides_what_fills_the_row",
        says="whatever padding_id says",
    ),
    # ---- attention_scores
    Mistaken(
        name="scores not scaled",
        exercise="attention_scores",
        replace=SCORES,
        by="return query @ key.transpose(-1, -2)",
        caught_by="test_scores_are_dot_products_over_the_root_of_the_size",
        says="the scores are not divided",
    ),
    Mistaken(
        name="divided by the size, not its root",
        exercise="attention_scores",
        replace=SCORES,
        by="return query @ key.transpose(-1, -2) / query.shape[-1]",
        caught_by="test_scores_are_dot_products_over_the_root_of_the_size",
        says="not by its root",
    ),
    Mistaken(
        name="keys in the rows",
        exercise="attention_scores",
        replace=SCORES,
        by=SCORES.replace("query *", "key *").replace("@ key", "@ query"),
        caught_by="test_scores_are_dot_products_over_the_root_of_the_size",
        says="queries stand in the rows",
    ),
    Mistaken(
        name="divided by the number of keys",
        exercise="attention_scores",
        replace=SCORES,
        by=SCORES.replace("query.shape[-1]", "key.shape[-2]"),
        caught_by="test_scores_are_dot_products_over_the_root_of_the_size",
        says="root of the number of keys",
    ),
    Mistaken(
        name="all dimensions of the key turned round",
        exercise="attention_scores",
        replace=SCORES,
        by="return query * (1 / math.sqrt(query.shape[-1])) @ key.T",
        caught_by="test_scores_of_batches_and_heads",
    ),
    Mistaken(
        name="arrays in place of tensors",
        exercise="attention_scores",
        replace=SCORES,
        by="scale = query.dtype.type(query.shape[-1] ** -0.5)\n"
        "    return from_numpy(query.data * scale @ key.data.swapaxes(-1, -2))",
        caught_by="test_scores_hand_gradients_to_both",
    ),
    Mistaken(
        name="ids taken for vectors",
        exercise="attention_scores",
        replace="check_query_and_key(query, key)\n    return query *",
        by="return query *",
        caught_by="test_scores_refuse_what_cannot_be_compared",
    ),
    # ---- mask_scores
    Mistaken(
        name="False takes part",
        exercise="mask_scores",
        replace=BOOLEAN,
        by="attn_mask = where(attn_mask, -math.inf, 0.0)",
        caught_by="test_a_boolean_mask_excludes_where_it_is_false",
        says="the wrong way round",
    ),
    Mistaken(
        name="an excluded score is 0",
        exercise="mask_scores",
        replace=BOOLEAN,
        by="return where(attn_mask, scores, 0.0)",
        caught_by="test_a_boolean_mask_excludes_where_it_is_false",
        says="its share is not 0",
    ),
    Mistaken(
        name="an excluded score is the highest",
        exercise="mask_scores",
        replace=BOOLEAN,
        by="attn_mask = where(attn_mask, 0.0, math.inf)",
        caught_by="test_a_boolean_mask_excludes_where_it_is_false",
        says="the highest of all",
    ),
    Mistaken(
        name="a large number for infinity",
        exercise="mask_scores",
        replace=BOOLEAN,
        by="attn_mask = where(attn_mask, 0.0, -1e9)",
        caught_by="test_a_boolean_mask_excludes_where_it_is_false",
        says="a large number is not -inf",
    ),
    Mistaken(
        name="booleans added as 0 and 1",
        exercise="mask_scores",
        replace=IS_BOOLEAN,
        by="if False:",
        caught_by="test_a_boolean_mask_excludes_where_it_is_false",
        says="added as 0 and 1",
    ),
    Mistaken(
        name="every mask taken for booleans",
        exercise="mask_scores",
        replace=IS_BOOLEAN,
        by="attn_mask = attn_mask != 0\n    if True:",
        caught_by="test_a_float_mask_is_added",
        says="taken for booleans",
    ),
    Mistaken(
        name="a float mask multiplied",
        exercise="mask_scores",
        replace=ADDED,
        by="return scores * attn_mask if attn_mask.data.max() > 0 else scores + attn_mask",
        caught_by="test_a_float_mask_is_added",
        says="multiplied with the scores",
    ),
    Mistaken(
        name="a mask of integers taken as it comes",
        exercise="mask_scores",
        replace=CHECK_MASK,
        by="if",
        caught_by="test_what_is_no_mask_is_refused",
        says="nothing looks at the input",
    ),
    # ---- masked_softmax
    Mistaken(
        name="softmax over the queries",
        exercise="masked_softmax",
        replace=WITHOUT,
        by=WITHOUT.replace("dim=-1", "dim=-2"),
        caught_by="test_masked_softmax_shares_among_those_that_take_part",
        says="the columns add up to 1",
    ),
    Mistaken(
        name="nan where no key takes part",
        exercise="masked_softmax",
        replace=MASKED,
        by="with np.errstate(all='ignore'):\n        return softmax(scores, dim=-1)",
        caught_by="test_a_row_without_keys_gives_zeros",
        says="gives nan",
    ),
    Mistaken(
        name="equal shares where no key takes part",
        exercise="masked_softmax",
        replace=MASKED,
        by="return softmax(scores.masked_fill(without_key, 0.0), dim=-1)",
        caught_by="test_a_row_without_keys_gives_zeros",
        says="No key, no contribution",
    ),
    Mistaken(
        name="one row without keys empties all",
        exercise="masked_softmax",
        replace=MASKED,
        by="return softmax(scores.masked_fill(without_key, 0.0), dim=-1) * 0.0",
        caught_by="test_a_row_without_keys_gives_zeros",
        says="all rows give zeros",
    ),
    Mistaken(
        name="nan overwritten after softmax",
        exercise="masked_softmax",
        replace=MASKED,
        by="with np.errstate(all='ignore'):\n        return softmax(scores, dim=-1).masked_fill(without_key, 0.0)",
        caught_by="test_a_row_without_keys_hands_no_gradient_on",
        says="0 * nan is nan",
    ),
    # ---- attention_weights
    Mistaken(
        name="scores for shares",
        exercise="attention_weights",
        replace="    if attn_mask is None:\n        return softmax(scores, dim=-1)",
        by="    if attn_mask is None:\n        return scores",
        caught_by="test_weights_share_out_each_querys_attention",
        says="these are the scores",
    ),
    Mistaken(
        name="shares along the queries",
        exercise="attention_weights",
        replace="    if attn_mask is None:\n        return softmax(scores, dim=-1)",
        by="    if attn_mask is None:\n        return softmax(scores, dim=-2)",
        caught_by="test_weights_share_out_each_querys_attention",
        says="the columns add up to 1",
    ),
    Mistaken(
        name="masked after softmax",
        exercise="attention_weights",
        replace=MASKED_WEIGHTS,
        by="return softmax(scores, dim=-1) * attn_mask",
        caught_by="test_causal_weights_do_not_look_ahead",
        says="masked after softmax",
    ),
    Mistaken(
        name="a square causal mask for any number of keys",
        exercise="attention_weights",
        replace=CAUSAL_SCORES,
        by="t, s = scores.shape[-2:]\n        attn_mask = causal_mask(max(t, s))[max(t, s) - t :, :s]",
        caught_by="test_causal_weights_do_not_look_ahead",
        says="the lower right corner",
    ),
    Mistaken(
        name="is_causal forgotten",
        exercise="attention_weights",
        replace="    if is_causal:\n        if attn",
        by="    if False:\n        if attn",
        caught_by="test_causal_weights_do_not_look_ahead",
        says="is_causal is not looked at",
    ),
    Mistaken(
        name="plain softmax of masked scores",
        exercise="attention_weights",
        replace=MASKED_WEIGHTS,
        by="with np.errstate(all='ignore'):\n        return softmax(mask_scores(scores, attn_mask), dim=-1)",
        caught_by="test_weights_of_a_query_without_keys",
        says="gives nan",
    ),
    Mistaken(
        name="one of two masks is dropped",
        exercise="attention_weights",
        replace=BOTH,
        by="if False:",
        caught_by="test_weights_take_one_mask_only",
        says="nothing looks at the input",
    ),
    # ---- scaled_dot_product_attention
    Mistaken(
        name="values mixed by scores",
        exercise="scaled_dot_product_attention",
        replace=MIXED,
        by="return attention_scores(query, key) @ value",
        caught_by="test_attention_mixes_the_values",
        says="mixed by scores",
    ),
    Mistaken(
        name="masks not handed on",
        exercise="scaled_dot_product_attention",
        replace=MIXED,
        by="return attention_weights(query, key) @ value",
        caught_by="test_attention_obeys_its_masks",
        says="the mask is not looked at",
    ),
    Mistaken(
        name="more values than keys",
        exercise="scaled_dot_product_attention",
        replace="    check_key_and_value(key, value)\n    return",
        by="    return",
        caught_by="test_attention_wants_one_value_per_key",
    ),
    # ---- split_heads, join_heads
    Mistaken(
        name="heads split by a reshape alone",
        exercise="split_heads",
        replace=SPLIT,
        by="return x.reshape(*x.shape[:-2], num_heads, x.shape[-2], size)",
        caught_by="test_split_heads_gives_each_head_a_piece_of_every_token",
        says="of different tokens are mixed",
    ),
    Mistaken(
        name="heads behind the tokens",
        exercise="split_heads",
        replace=SPLIT,
        by="return x.reshape(*x.shape[:-1], num_heads, size)",
        caught_by="test_split_heads_gives_each_head_a_piece_of_every_token",
        says="in the wrong order",
    ),
    Mistaken(
        name="heads interlaced",
        exercise="split_heads",
        replace=SPLIT,
        by="return x.reshape(*x.shape[:-1], size, num_heads).transpose(-3, -2).transpose(-3, -1)[:].transpose(-2, -1)",
        caught_by="test_split_heads_gives_each_head_a_piece_of_every_token",
    ),
    Mistaken(
        name="heads joined by a reshape alone",
        exercise="join_heads",
        replace=JOIN,
        by="return x.reshape(*front, tokens, heads * size)",
        caught_by="test_join_heads_puts_the_pieces_side_by_side",
        says="which mixes tokens",
    ),
    Mistaken(
        name="pieces not side by side",
        exercise="join_heads",
        replace=JOIN,
        by="return x.transpose(-3, -2)",
        caught_by="test_join_heads_puts_the_pieces_side_by_side",
        says="not side by side yet",
    ),
    # ---- MultiHeadAttention
    Mistaken(
        name="layers without biases",
        exercise="MultiHeadAttention.__init__",
        replace="        self.query = Linear(embed_dim, embed_dim)\n        self.key = Linear(embed_dim, embed_dim)\n"
        "        self.value = Linear(embed_dim, embed_dim)\n        self.out = Linear(embed_dim, embed_dim)\n",
        by="        for name in ('query', 'key', 'value', 'out'):\n"
        "            setattr(self, name, Linear(embed_dim, embed_dim, bias=False))\n",
        caught_by="test_multi_head_attention_has_four_layers",
        says="the biases are missing",
    ),
    Mistaken(
        name="one layer for key and value",
        exercise="MultiHeadAttention.__init__",
        replace="self.value = Linear(embed_dim, embed_dim)",
        by="self.value = self.key",
        caught_by="test_multi_head_attention_has_four_layers",
    ),
    Mistaken(
        name="heads that do not divide are accepted",
        exercise="MultiHeadAttention.__init__",
        replace="head_size(embed_dim, num_heads)\n        self.embed",
        by="self.embed",
        caught_by="test_multi_head_attention_refuses_heads_that_do_not_divide",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="scores divided by the root of embed_dim",
        exercise="MultiHeadAttention.forward",
        replace=QUERY + "            split_heads(self.key(key), self.num_heads),\n            split_heads(self.value",
        by="split_heads(self.query(query), self.num_heads) * self.num_heads**-0.5,\n"
        "            split_heads(self.key(key), self.num_heads),\n            split_heads(self.value",
        caught_by="test_heads_attend_each_by_itself",
        says="not of a head's size",
    ),
    Mistaken(
        name="out forgotten",
        exercise="MultiHeadAttention.forward",
        replace="mixed: Tensor = self.out(join_heads(heads))",
        by="mixed = join_heads(heads)",
        caught_by="test_heads_attend_each_by_itself",
        says="does not go through self.out",
    ),
    Mistaken(
        name="query and key confused",
        exercise="MultiHeadAttention.forward",
        replace=QUERY + "            " + KEY + "            split_heads(self.value",
        by="split_heads(self.key(query), self.num_heads),\n"
        "            split_heads(self.query(key), self.num_heads),\n            split_heads(self.value",
        caught_by="test_heads_attend_each_by_itself",
        says="query and key are confused",
    ),
    Mistaken(
        name="one head for all",
        exercise="MultiHeadAttention.forward",
        replace=QUERY + "            " + KEY + "            " + VALUE,
        by=(QUERY + "            " + KEY + "            " + VALUE).replace("self.num_heads", "1"),
        caught_by="test_heads_attend_each_by_itself",
        says="one head for all",
    ),
    Mistaken(
        name="the value is the query",
        exercise="MultiHeadAttention.forward",
        replace=DEFAULTS,
        by="value = query if value is None else value\n        key = query",
        caught_by="test_cross_attention_looks_at_other_tokens",
        says="the key is not looked at",
    ),
    Mistaken(
        name="the third tensor forgotten",
        exercise="MultiHeadAttention.forward",
        replace=DEFAULTS,
        by="key = query if key is None else key\n        value = key",
        caught_by="test_cross_attention_looks_at_other_tokens",
        says="the value is not looked at",
    ),
    Mistaken(
        name="masks stay outside",
        exercise="MultiHeadAttention.forward",
        replace=MASKS,
        by="        )",
        caught_by="test_heads_obey_the_masks",
        says="attn_mask is not looked at",
    ),
    Mistaken(
        name="ids taken by the layers",
        exercise="MultiHeadAttention.forward",
        replace="self.check(query=query, key=key, value=value)",
        by="pass",
        caught_by="test_heads_refuse_what_does_not_fit",
    ),
    Mistaken(
        name="the map averages its heads",
        exercise="MultiHeadAttention.attention_map",
        replace=MAP_WEIGHTS,
        by=MAP_WEIGHTS.replace("is_causal)", "is_causal).mean(-3)"),
        caught_by="test_attention_map_shows_every_heads_shares",
        says="the heads are averaged",
    ),
    Mistaken(
        name="the map without its masks",
        exercise="MultiHeadAttention.attention_map",
        replace=MAP_WEIGHTS,
        by=MAP_WEIGHTS.replace(", attn_mask, is_causal)", ")"),
        caught_by="test_attention_map_obeys_the_masks",
        says="is not looked at",
    ),
    Mistaken(
        name="the map is recorded",
        exercise="MultiHeadAttention.attention_map",
        replace=MAP,
        by=MAP.replace("with no_grad()", "if True"),
        caught_by="test_attention_map_has_no_gradient",
        says="recorded for a gradient",
    ),
]
