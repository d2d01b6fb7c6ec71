"""Usual mistakes in module 11."""

from __future__ import annotations

from tests.mistakes import Mistaken

KIND = 'if ids.dtype.kind not in "iu":'
IS_TENSOR = "if not isinstance(ids, Tensor):"
IN_RANGE = "if not 0 <= extreme < count:"
ANY = "if ids.data.size:"
GIVEN = "    return ids.data\n"
HOT = "return from_numpy((array[..., None] == np.arange(num_classes)).astype(np.int64))"
HOT_IDS = "array = check_ids(ids, num_classes)"
LOOK_UP = 'return record("embedding", weight.data[array], (weight,), ids=array, padding_idx=row)'
CHECKED = "array = check_ids(ids, weight.shape[0])"
TABLE = "if weight.ndim != 2:"
IN_ORDER = "in_order = ids[order]"
TOTAL = "total = np.zeros((count, rows.shape[1]), rows.dtype)\n"
SUMMED = "total[in_order[first]] = np.add.reduceat(rows[order], np.flatnonzero(first), axis=0)"
FLAT = "total = sum_rows(grad.reshape(ids.size, weight.shape[1]), ids.reshape(-1), weight.shape[0])"
NO_PADDING = "    if padding_idx is not None:\n        total[padding_idx] = 0\n"
START = "self.weight = normal_(Parameter(zeros(num_embeddings, embedding_dim)))"
PADDING_ROW = "        if self.padding_idx is not None:\n            self.weight.data[self.padding_idx] = 0\n"
PADDING = "self.padding_idx = padding_row(padding_idx, num_embeddings)"
FORWARD = "return embedding(ids, self.weight, self.padding_idx)"
SPEED = "speed = 10000.0 ** (-np.arange(0, d_model, 2) / d_model)"
POSITION = "position = np.arange(max_len)[:, None]"
SINES = "table[:, 0::2] = np.sin(turned)"
COSINES = "table[:, 1::2] = np.cos(turned[:, : d_model // 2])"
WIDTH = "if x.ndim < 2 or x.shape[-1] != table.shape[-1]:"
LENGTH = "if length > max_len:"
ADDED = "return x + table[:length]"
BUFFER = 'self.register_buffer("encoding", sinusoidal_encoding(max_len, d_model))'
LEARNT = "self.weight = normal_(Parameter(zeros(max_len, d_model)), std=0.02)"
LENGTHS = "lengths = [(x * x).sum(dim).clamp(min=eps * eps).sqrt() for x in (a, b)]"
SIMILAR = "return (a * b).sum(dim) / (lengths[0] * lengths[1])"

MISTAKES = [
    # ---- ids
    Mistaken(
        name="negative ids taken as NumPy takes them",
        exercise="check_ids",
        replace=IN_RANGE,
        by="if not extreme < count:",
        caught_by="test_ids_outside_the_table_are_refused",
    ),
    Mistaken(
        name="one id too many",
        exercise="check_ids",
        replace=IN_RANGE,
        by="if not 0 <= extreme <= count:",
        caught_by="test_ids_that_are_in_the_table_pass",
    ),
    Mistaken(
        name="floats cut to integers",
        exercise="check_ids",
        replace=KIND,
        by="ids = Tensor(ids.data.astype(np.int64))\n    if False:",
        caught_by="test_what_is_no_id_is_refused",
    ),
    Mistaken(
        name="the smallest of no ids",
        exercise="check_ids",
        replace=ANY,
        by="if True:",
        caught_by="test_no_ids_at_all_pass",
    ),
    Mistaken(
        name="ids flattened",
        exercise="check_ids",
        replace=GIVEN,
        by="    return ids.data.reshape(-1)\n",
        caught_by="test_ids_that_are_in_the_table_pass",
        says="the shape is lost",
    ),
    # ---- one-hot
    Mistaken(
        name="one-hot rows lying down",
        exercise="one_hot",
        replace=HOT,
        by="return from_numpy((array == np.arange(num_classes).reshape(-1, *[1] * array.ndim)).astype(np.int64))",
        caught_by="test_one_hot_has_its_one_at_the_id",
        says="ids and classes have changed places",
    ),
    Mistaken(
        name="one-hot rows counted from 1",
        exercise="one_hot",
        replace=HOT,
        by="return from_numpy(np.eye(num_classes, dtype=np.int64)[array - 1])",
        caught_by="test_one_hot_has_its_one_at_the_id",
        says="every row is one off",
    ),
    Mistaken(
        name="one-hot ids not looked at",
        exercise="one_hot",
        replace=HOT_IDS,
        by="array = ids.data",
        caught_by="test_one_hot_refuses_ids_without_a_place",
    ),
    # ---- looking up
    Mistaken(
        name="columns looked up",
        exercise="embedding",
        replace=LOOK_UP,
        by=LOOK_UP.replace("weight.data[array]", "weight.data[:, array % weight.shape[1]].swapaxes(0, -1)"),
        caught_by="test_embedding_looks_up_a_row_for_every_id",
    ),
    Mistaken(
        name="ids counted from 1",
        exercise="embedding",
        replace=LOOK_UP,
        by=LOOK_UP.replace("weight.data[array]", "weight.data[array - 1]"),
        caught_by="test_embedding_looks_up_a_row_for_every_id",
        says="every row is one off",
    ),
    Mistaken(
        name="a new tensor, not recorded",
        exercise="embedding",
        replace=LOOK_UP,
        by="return from_numpy(weight.data[array])",
        caught_by="test_embedding_is_recorded",
        says="no gradient reaches the table",
    ),
    Mistaken(
        name="ids of the look-up not looked at",
        exercise="embedding",
        replace=CHECKED,
        by="array = ids.data",
        caught_by="test_embedding_refuses_what_it_cannot_look_up",
    ),
    Mistaken(
        name="the padding row looked up as zeros",
        exercise="embedding",
        replace=LOOK_UP,
        by="rows = weight.data[array]\n    rows[array == row] = 0\n    "
        'return record("embedding", rows, (weight,), ids=array, padding_idx=row)',
        caught_by="test_embedding_reads_the_padding_row_like_any_other",
        says="the padding row was set to zero",
    ),
    # ---- the way back
    Mistaken(
        name="+= on repeated ids",
        exercise="sum_rows",
        replace=SUMMED,
        by="total[ids] += rows",
        caught_by="test_sum_rows_adds_up_rows_of_one_id",
        says="only one is left",
    ),
    Mistaken(
        name="= on repeated ids",
        exercise="sum_rows",
        replace=SUMMED,
        by="total[ids] = rows",
        caught_by="test_sum_rows_adds_up_rows_of_one_id",
        says="only one is left",
    ),
    Mistaken(
        name="ids sorted, rows not",
        exercise="sum_rows",
        replace=SUMMED,
        by=SUMMED.replace("rows[order]", "rows"),
        caught_by="test_sum_rows_adds_up_rows_of_one_id",
        says="the rows were not",
    ),
    Mistaken(
        name="only the ids that occur",
        exercise="sum_rows",
        replace=SUMMED,
        by="return np.asarray(np.add.reduceat(rows[order], np.flatnonzero(first), axis=0))",
        caught_by="test_sum_rows_adds_up_rows_of_one_id",
        says="ids that do not occur have no row",
    ),
    Mistaken(
        name="a table as long as the largest id",
        exercise="sum_rows",
        replace=TOTAL,
        by="total = np.zeros((int(ids.max()) + 1 if len(ids) else count, rows.shape[1]), rows.dtype)\n",
        caught_by="test_sum_rows_gives_zeros_to_ids_that_do_not_occur",
        says="the table ends with the largest id",
    ),
    Mistaken(
        name="sums in float64",
        exercise="sum_rows",
        replace=TOTAL,
        by="total = np.zeros((count, rows.shape[1]))\n",
        caught_by="test_sum_rows_adds_up_rows_of_one_id",
    ),
    Mistaken(
        name="the gradient handed on",
        exercise="embedding_backward",
        replace=FLAT,
        by="total = grad.copy()",
        caught_by="test_a_row_collects_from_all_its_uses",
        says="The table's is due",
    ),
    Mistaken(
        name="the rule overwrites",
        exercise="embedding_backward",
        replace=FLAT,
        by="total = np.zeros(weight.shape, grad.dtype)\n    total[ids] += grad",
        caught_by="test_a_row_collects_from_all_its_uses",
        says="only one is left",
    ),
    Mistaken(
        name="padding 0 taken for none",
        exercise="embedding_backward",
        replace=NO_PADDING,
        by="    if padding_idx:\n        total[padding_idx] = 0\n",
        caught_by="test_the_padding_row_gets_no_gradient",
        says="padding_idx 0 was taken for none",
    ),
    Mistaken(
        name="padding learns",
        exercise="embedding_backward",
        replace=NO_PADDING,
        by="",
        caught_by="test_the_padding_row_gets_no_gradient",
        says="the padding row got a gradient",
    ),
    # ---- the layer
    Mistaken(
        name="the table is no Parameter",
        exercise="Embedding.__init__",
        replace=START,
        by="self.table = normal_(zeros(num_embeddings, embedding_dim))\n"
        '        object.__setattr__(self, "weight", self.table)',
        caught_by="test_embedding_has_one_table_to_learn",
        says="nobody learns or saves it",
    ),
    Mistaken(
        name="the table is turned",
        exercise="Embedding.__init__",
        replace=START,
        by=START.replace("num_embeddings, embedding_dim", "embedding_dim, num_embeddings"),
        caught_by="test_embedding_has_one_table_to_learn",
        says="the table is turned",
    ),
    Mistaken(
        name="a table of zeros",
        exercise="Embedding.__init__",
        replace=START,
        by="self.weight = Parameter(zeros(num_embeddings, embedding_dim))",
        caught_by="test_embedding_starts_with_normal_numbers",
        says="every token starts with the same row",
    ),
    Mistaken(
        name="a table that starts like a Linear",
        exercise="Embedding.__init__",
        replace=START,
        by=START.replace(")))", ")), std=embedding_dim**-0.5)"),
        caught_by="test_embedding_starts_with_normal_numbers",
        says="this shrinks with embedding_dim",
    ),
    Mistaken(
        name="the padding row starts like the others",
        exercise="Embedding.__init__",
        replace=PADDING_ROW,
        by="",
        caught_by="test_the_padding_row_starts_at_zero",
        says="the padding row started like any other",
    ),
    Mistaken(
        name="padding forgotten in forward",
        exercise="Embedding.forward",
        replace=FORWARD,
        by="return embedding(ids, self.weight)",
        caught_by="test_an_embedding_learns_but_for_its_padding",
        says="the padding row got a gradient",
    ),
    # ---- positions
    Mistaken(
        name="the exponent not doubled",
        exercise="angles",
        replace=SPEED,
        by="speed = 10000.0 ** (-np.arange((d_model + 1) // 2) / d_model)",
        caught_by="test_angles_of_every_clock",
        says="the exponent is k / d_model",
    ),
    Mistaken(
        name="the exponent doubled twice",
        exercise="angles",
        replace=SPEED,
        by="speed = 10000.0 ** (-2 * np.arange(0, d_model, 2) / d_model)",
        caught_by="test_angles_of_every_clock",
        says="doubled twice",
    ),
    Mistaken(
        name="an angle for every column",
        exercise="angles",
        replace=SPEED,
        by="speed = 10000.0 ** (-(np.arange(d_model) // 2 * 2) / d_model)",
        caught_by="test_angles_of_every_clock",
        says="A clock has two columns",
    ),
    Mistaken(
        name="no clock for the column left over",
        exercise="angles",
        replace=SPEED,
        by="speed = 10000.0 ** (-np.arange(0, d_model - 1, 2) / d_model)",
        caught_by="test_angles_of_an_odd_d_model",
        says="d_model / 2 is rounded up",
    ),
    Mistaken(
        name="positions from 1",
        exercise="angles",
        replace=POSITION,
        by="position = np.arange(1, max_len + 1)[:, None]",
        caught_by="test_angles_of_every_clock",
        says="positions start at 1",
    ),
    Mistaken(
        name="halves, not in turn",
        exercise="sinusoidal_encoding",
        replace=f"{SINES}\n    {COSINES}",
        by="half = (d_model + 1) // 2\n    table[:, :half] = np.sin(turned)\n"
        "    table[:, half:] = np.cos(turned[:, : d_model // 2])",
        caught_by="test_encoding_has_sines_and_cosines_in_turn",
        says="all sines stand in front",
    ),
    Mistaken(
        name="the cosine of the sine",
        exercise="sinusoidal_encoding",
        replace=COSINES,
        by="table[:, 1::2] = np.cos(table[:, 0::2])[:, : d_model // 2]",
        caught_by="test_encoding_has_sines_and_cosines_in_turn",
        says="the cosine is taken of the sine",
    ),
    Mistaken(
        name="cosines first",
        exercise="sinusoidal_encoding",
        replace=f"{SINES}\n    {COSINES}",
        by="table[:, 0::2] = np.cos(turned)\n    table[:, 1::2] = np.sin(turned[:, : d_model // 2])",
        caught_by="test_encoding_has_sines_and_cosines_in_turn",
        says="sines and cosines have changed places",
    ),
    Mistaken(
        name="a cosine too many",
        exercise="sinusoidal_encoding",
        replace=COSINES,
        by="table[:, 1::2] = np.cos(turned)",
        caught_by="test_encoding_of_an_odd_d_model",
    ),
    Mistaken(
        name="all positions added",
        exercise="add_positions",
        replace=ADDED,
        by="return x + table",
        caught_by="test_every_token_gets_the_row_of_its_place",
    ),
    Mistaken(
        name="the last positions added",
        exercise="add_positions",
        replace=ADDED,
        by="return x + table[max_len - length :]",
        caught_by="test_every_token_gets_the_row_of_its_place",
        says="the last rows of the table were taken",
    ),
    Mistaken(
        name="the batch counted for the length",
        exercise="add_positions",
        replace="length, max_len = x.shape[-2], table.shape[0]",
        by="length, max_len = x.shape[0], table.shape[0]",
        caught_by="test_every_token_gets_the_row_of_its_place",
    ),
    Mistaken(
        name="a table of width 1 broadcasts",
        exercise="add_positions",
        replace=WIDTH,
        by="if x.ndim < 2 or table.shape[-1] not in (1, x.shape[-1]):",
        caught_by="test_positions_of_another_width_are_refused",
    ),
    Mistaken(
        name="too long is NumPy's problem",
        exercise="add_positions",
        replace=LENGTH,
        by="if False:",
        caught_by="test_a_sequence_without_a_place_is_refused",
    ),
    Mistaken(
        name="fixed positions learnt",
        exercise="PositionalEncoding.__init__",
        replace=BUFFER,
        by="self.encoding = Parameter(sinusoidal_encoding(max_len, d_model))",
        caught_by="test_fixed_positions_are_a_buffer",
    ),
    Mistaken(
        name="fixed positions not saved",
        exercise="PositionalEncoding.__init__",
        replace=BUFFER,
        by="self.encoding = sinusoidal_encoding(max_len, d_model)",
        caught_by="test_fixed_positions_are_a_buffer",
    ),
    Mistaken(
        name="learned positions are no Parameter",
        exercise="LearnedPositionalEncoding.__init__",
        replace=LEARNT,
        by="object.__setattr__(self, 'weight', normal_(zeros(max_len, d_model), std=0.02))",
        caught_by="test_learned_positions_are_a_parameter",
        says="nobody learns or saves it",
    ),
    Mistaken(
        name="learned positions as loud as tokens",
        exercise="LearnedPositionalEncoding.__init__",
        replace=LEARNT,
        by="self.weight = normal_(Parameter(zeros(max_len, d_model)))",
        caught_by="test_learned_positions_start_small",
        says="places start as loud as tokens",
    ),
    # ---- similarity
    Mistaken(
        name="a bare product",
        exercise="cosine_similarity",
        replace=SIMILAR,
        by="return (a * b).sum(dim)",
        caught_by="test_cosine_similarity_of_rows",
        says="lengths still count",
    ),
    Mistaken(
        name="squares for lengths",
        exercise="cosine_similarity",
        replace=LENGTHS,
        by="lengths = [(x * x).sum(dim).clamp(min=eps * eps) for x in (a, b)]",
        caught_by="test_cosine_similarity_of_rows",
        says="the roots are missing",
    ),
    Mistaken(
        name="nothing against 0 / 0",
        exercise="cosine_similarity",
        replace=LENGTHS,
        by="lengths = [(x * x).sum(dim).sqrt() for x in (a, b)]",
        caught_by="test_cosine_similarity_of_nothing",
    ),
    Mistaken(
        name="the root before the larger one",
        exercise="cosine_similarity",
        replace=LENGTHS,
        by="lengths = [(x * x).sum(dim).sqrt().clamp(min=eps) for x in (a, b)]",
        caught_by="test_cosine_similarity_turns_rows",
    ),
]
