"""Usual mistakes in module 18."""

from __future__ import annotations

from tests.mistakes import Mistaken

TILES = "return [slice(start, min(start + tile, size)) for start in range(0, size, tile)]"
LOOPS = "out[i, j] += a[i, p] * b[p, j]"
LOOPS_DTYPE = "out = np.zeros((n, m), np.result_type(a, b))\n    for i in range(n):"
TILED = "out[rows, columns] += a[rows, inner] @ b[inner, columns]"
TILED_LOOPS = """\
    for rows in tiles(n, tile):
        for columns in tiles(m, tile):
            for inner in tiles(k, tile):
                out[rows, columns] += a[rows, inner] @ b[inner, columns]
"""
GELU = "tanh = np.multiply(values, values, out=np.empty_like(values))"
GELU_HALF = "    data *= values\n    data *= 0.5\n"
GELU_RECORD = 'return record("fused_gelu", data, (x,), tanh=tanh)'
GELU_SLOPE = (
    "    slope *= 3 * GELU_CUBE * GELU_C\n    slope += GELU_C\n    slope *= x.data\n    slope *= 1 - tanh * tanh\n"
)
GELU_REST = "    slope += tanh\n    slope += 1\n    slope *= 0.5\n    return slope * grad"
SCALED = "data = np.asarray(floats(scores) * scale, floats(scores).dtype)"
MASKED = "np.copyto(data, -math.inf, where=~mask.data)"
SHIFT = "    data -= largest\n    np.exp"
SHARED = "total = add_up(data, -1, keepdim=True)\n    total[total == 0] = 1\n"
TO_SCORES = (
    "    weighted = grad * result\n    weighted -= result * add_up(weighted, -1, keepdim=True)\n    weighted *= scale\n"
)
LOSS = "loss = (np.log(total[:, 0]) - due).mean()"
DUE = "    slope[places] -= 1\n    slope /= len(due)\n"
NORMAL = "rstd = 1 / np.sqrt(add_up(data, -1, keepdim=True) / size + eps)"
SHIFTED = "    data += bias.data\n"
TO_X = "    to_x = g - add_up(g, -1, keepdim=True) / size\n"
ALONG = "    to_x -= np.multiply(normal, add_up(along, -1, keepdim=True) / size, out=along)\n"
THREE = "return to_x, to_weight, to_bias"
COLLECTED = """\
        return function(item)

    made = []
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(one, item) for item in items]
        for place, future in enumerate(futures):
            try:
                made.append(future.result())
"""
RECORDING = "        grad_mode.enabled = recording\n        return function(item)"
RAISED = 'raise RuntimeError(f"item {place} ({reprlib.repr(items[place])}): {what}") from error'
OWN = "own.data, own.grad, own.requires_grad = given.data, None, given.requires_grad"
KEPT = "kept.data = told.data.copy()"
TRAINING = "        part.training = original.training"
LEARN = """\
            loss = loss_fn(replica(inputs[part]), target[part])
            loss = loss * ((part.stop - part.start) / len(inputs))
"""
GATHER = "self.gather(len(jobs))"

MISTAKES = [
    # ---- tiles
    Mistaken(
        name="the last tile goes on beyond the end",
        exercise="tiles",
        replace=TILES,
        by=TILES.replace("min(start + tile, size)", "start + tile"),
        caught_by="test_tiles_follow_each_other_to_the_end",
        says="beyond the end",
    ),
    Mistaken(
        name="the rest is dropped",
        exercise="tiles",
        replace=TILES,
        by="return [slice(n * tile, (n + 1) * tile) for n in range(size // tile)]",
        caught_by="test_tiles_follow_each_other_to_the_end",
        says="is dropped",
    ),
    Mistaken(
        name="no look at the size of a tile",
        exercise="tiles",
        replace="if tile < 1:",
        by="if tile == 0:",
        caught_by="test_tiles_that_fit_and_tiles_that_are_too_large",
    ),
    # ---- matmul_loops
    Mistaken(
        name="products assigned, not added",
        exercise="matmul_loops",
        replace=LOOPS,
        by=LOOPS.replace("+=", "="),
        caught_by="test_matmul_loops_sums_rows_times_columns",
        says="the last product",
    ),
    Mistaken(
        name="the second matrix read by rows",
        exercise="matmul_loops",
        replace=LOOPS,
        by=LOOPS.replace("b[p, j]", "b[j, p]"),
        caught_by="test_matmul_loops_sums_rows_times_columns",
        says="by rows",
    ),
    Mistaken(
        name="float64 whatever comes in",
        exercise="matmul_loops",
        replace=LOOPS_DTYPE,
        by=LOOPS_DTYPE.replace(", np.result_type(a, b)", ""),
        caught_by="test_matmul_loops_sums_rows_times_columns",
    ),
    # ---- matmul_tiled
    Mistaken(
        name="tiles assigned, not added",
        exercise="matmul_tiled",
        replace=TILED,
        by=TILED.replace("+=", "="),
        caught_by="test_matmul_tiled_adds_up_the_products_of_tiles",
        says="the last tile alone",
    ),
    Mistaken(
        name="only whole tiles",
        exercise="matmul_tiled",
        replace="(n, k), m = a.shape, b.shape[1]\n    out = np.zeros((n, m), np.result_type(a, b))\n    for rows in",
        by=(
            "(n, k), m = a.shape, b.shape[1]\n    out = np.zeros((n, m), np.result_type(a, b))\n"
            "    n, k, m = (size // tile * tile for size in (n, k, m))\n    for rows in"
        ),
        caught_by="test_matmul_tiled_adds_up_the_products_of_tiles",
        says="is dropped",
    ),
    Mistaken(
        name="NumPy's product of the whole",
        exercise="matmul_tiled",
        replace=TILED_LOOPS,
        by="    tiles(n, tile)\n    out[...] = a @ b\n",
        caught_by="test_matmul_tiled_works_on_one_tile_at_a_time",
        says="more than a tile",
    ),
    Mistaken(
        name="the inner size is not cut",
        exercise="matmul_tiled",
        replace="for inner in tiles(k, tile):",
        by="for inner in [slice(0, k)]:",
        caught_by="test_matmul_tiled_works_on_one_tile_at_a_time",
        says="more than a tile",
    ),
    Mistaken(
        name="tiles multiplied by three more loops",
        exercise="matmul_tiled",
        replace=TILED,
        by="out[rows, columns] += matmul_loops(a[rows, inner], b[inner, columns])",
        caught_by="test_matmul_tiled_is_faster_than_loops",
    ),
    # ---- fused_gelu
    Mistaken(
        name="a square in place of the cube",
        exercise="fused_gelu",
        replace="    tanh += GELU_C\n    tanh *= values\n",
        by="    tanh += GELU_C * values\n",
        caught_by="test_fused_gelu_gives_the_numbers_of_gelu",
        says="x² stands",
    ),
    Mistaken(
        name="the half forgotten",
        exercise="fused_gelu",
        replace=GELU_HALF,
        by="    data *= values\n",
        caught_by="test_fused_gelu_gives_the_numbers_of_gelu",
        says="the factor 0.5",
    ),
    Mistaken(
        name="written over the input",
        exercise="fused_gelu",
        replace=GELU_RECORD,
        by="x.data = data\n    " + GELU_RECORD,
        caught_by="test_fused_gelu_takes_any_shape_and_dtype",
    ),
    Mistaken(
        name="the composed formula",
        exercise="fused_gelu",
        replace=GELU_RECORD,
        by="return composed_gelu(x if x.dtype.kind == 'f' else x.to(np.float32))",
        caught_by="test_fused_gelu_is_one_operation_and_faster",
        says="made of several operations",
    ),
    Mistaken(
        name="one operation, number by number",
        exercise="fused_gelu",
        replace=GELU_RECORD,
        by="data = np.vectorize(lambda y, t: y * t / t, [data.dtype])(data, tanh - 2)\n    " + GELU_RECORD,
        caught_by="test_fused_gelu_is_one_operation_and_faster",
        says="longer than its steps",
    ),
    # ---- fused_gelu_backward
    Mistaken(
        name="one term of the product rule",
        exercise="fused_gelu_backward",
        replace=GELU_REST,
        by="    slope *= 0.5\n    return slope * grad",
        caught_by="test_fused_gelu_hands_back_the_slope_of_gelu",
        says="two terms",
    ),
    Mistaken(
        name="the inner slope forgotten",
        exercise="fused_gelu_backward",
        replace=GELU_SLOPE,
        by="    slope = x.data * (1 - tanh * tanh)\n",
        caught_by="test_fused_gelu_hands_back_the_slope_of_gelu",
        says="inside of tanh is missing",
    ),
    Mistaken(
        name="the incoming gradient ignored",
        exercise="fused_gelu_backward",
        replace="return slope * grad\n\n\ndef fused_softmax",
        by="return slope\n\n\ndef fused_softmax",
        caught_by="test_fused_gelu_hands_back_the_slope_of_gelu",
        says="is not looked at",
    ),
    Mistaken(
        name="written into what was saved",
        exercise="fused_gelu_backward",
        replace="    slope += tanh\n    slope += 1\n",
        by="    tanh += 1\n    slope += tanh\n",
        caught_by="test_fused_gelu_hands_back_the_slope_of_gelu",
    ),
    Mistaken(
        name="written into the gradient",
        exercise="fused_gelu_backward",
        replace=GELU_REST,
        by="    slope += tanh\n    slope += 1\n    slope *= 0.5\n    grad *= slope\n    return grad",
        caught_by="test_fused_gelu_hands_back_the_slope_of_gelu",
    ),
    # ---- fused_softmax
    Mistaken(
        name="softmax over the whole tensor",
        exercise="fused_softmax",
        replace=SHARED,
        by="total = np.full((*data.shape[:-1], 1), data.sum(), data.dtype)\n",
        caught_by="test_fused_softmax_scales_and_shares",
    ),
    Mistaken(
        name="no scale",
        exercise="fused_softmax",
        replace=SCALED,
        by=SCALED.replace(" * scale", " * 1"),
        caught_by="test_fused_softmax_scales_and_shares",
        says="the scale is not looked at",
    ),
    Mistaken(
        name="the mask inverted",
        exercise="fused_softmax",
        replace=MASKED,
        by=MASKED.replace("~", ""),
        caught_by="test_fused_softmax_masks_the_scores",
        says="the wrong way round",
    ),
    Mistaken(
        name="no shift",
        exercise="fused_softmax",
        replace=SHIFT,
        by="    np.exp",
        caught_by="test_fused_softmax_holds_at_large_scores",
    ),
    Mistaken(
        name="nan in a row without scores",
        exercise="fused_softmax",
        replace="    largest[largest == -math.inf] = 0\n",
        by="",
        caught_by="test_fused_softmax_gives_zeros_where_nothing_takes_part",
        says="0 / 0 is nan",
    ),
    # ---- fused_softmax_backward
    Mistaken(
        name="each share by itself",
        exercise="fused_softmax_backward",
        replace=TO_SCORES,
        by="    weighted = grad * result * (1 - result) * scale\n",
        caught_by="test_fused_softmax_hands_back_what_the_others_share",
        says="The others share too",
    ),
    Mistaken(
        name="the common part forgotten",
        exercise="fused_softmax_backward",
        replace=TO_SCORES,
        by="    weighted = grad * result * scale\n",
        caught_by="test_fused_softmax_hands_back_what_the_others_share",
        says="common part",
    ),
    Mistaken(
        name="the scale forgotten on the way back",
        exercise="fused_softmax_backward",
        replace="    weighted *= scale\n",
        by="",
        caught_by="test_fused_softmax_hands_back_what_the_others_share",
        says="multiplies their gradients too",
    ),
    # ---- fused_cross_entropy
    Mistaken(
        name="a sum of losses",
        exercise="fused_cross_entropy",
        replace=LOSS,
        by=LOSS.replace(".mean()", ".sum()"),
        caught_by="test_fused_cross_entropy_is_the_mean_surprise",
        says="are added up",
    ),
    Mistaken(
        name="the scores read after they were written over",
        exercise="fused_cross_entropy",
        replace="    due = slope[places]\n    np.exp(slope, out=slope)\n",
        by="    np.exp(slope, out=slope)\n    due = slope[places]\n",
        caught_by="test_fused_cross_entropy_is_the_mean_surprise",
    ),
    Mistaken(
        name="the shift on one side only",
        exercise="fused_cross_entropy",
        replace="due = slope[places]\n",
        by="due = logits.data[places]\n",
        caught_by="test_fused_cross_entropy_is_the_mean_surprise",
        says="from one side only",
    ),
    Mistaken(
        name="not divided by N on the way back",
        exercise="fused_cross_entropy",
        replace=DUE,
        by="    slope[places] -= 1\n",
        caught_by="test_fused_cross_entropy_finds_its_gradient_on_the_way",
        says="each counts 1 / N",
    ),
    Mistaken(
        name="softmax without its target",
        exercise="fused_cross_entropy",
        replace=DUE,
        by="    slope /= len(due)\n",
        caught_by="test_fused_cross_entropy_finds_its_gradient_on_the_way",
        says="at the right class",
    ),
    # ---- fused_layer_norm
    Mistaken(
        name="an estimate of the variance",
        exercise="fused_layer_norm",
        replace=NORMAL,
        by=NORMAL.replace("/ size", "/ (size - 1)"),
        caught_by="test_fused_layer_norm_normalises_each_row",
        says="divide by D",
    ),
    Mistaken(
        name="eps outside of the root",
        exercise="fused_layer_norm",
        replace=NORMAL,
        by="rstd = 1 / (np.sqrt(add_up(data, -1, keepdim=True) / size) + eps)",
        caught_by="test_fused_layer_norm_normalises_each_row",
        says="stands under it",
    ),
    Mistaken(
        name="no shift by the bias",
        exercise="fused_layer_norm",
        replace=SHIFTED,
        by="",
        caught_by="test_fused_layer_norm_normalises_each_row",
        says="the shift is missing",
    ),
    # ---- fused_layer_norm_backward
    Mistaken(
        name="no gradients for scale and shift",
        exercise="fused_layer_norm_backward",
        replace=THREE,
        by="return to_x, None, None",
        caught_by="test_fused_layer_norm_hands_back_three_gradients",
        says="Three inputs, three gradients",
    ),
    Mistaken(
        name="mean and variance taken for fixed",
        exercise="fused_layer_norm_backward",
        replace=TO_X + ALONG,
        by="    to_x = g.copy()\n",
        caught_by="test_fused_layer_norm_hands_back_three_gradients",
        says="count as fixed",
    ),
    Mistaken(
        name="the variance taken for fixed",
        exercise="fused_layer_norm_backward",
        replace=ALONG,
        by="",
        caught_by="test_fused_layer_norm_hands_back_three_gradients",
        says="count as fixed",
    ),
    Mistaken(
        name="the shift's gradient for the scale",
        exercise="fused_layer_norm_backward",
        replace=THREE,
        by="return to_x, to_bias, to_bias",
        caught_by="test_fused_layer_norm_hands_back_three_gradients",
        says="the scale met n",
    ),
    # ---- parallel_map
    Mistaken(
        name="results as they come in",
        exercise="parallel_map",
        replace=COLLECTED,
        by=COLLECTED.replace("made.append(future.result())", "future.result()").replace(
            "return function(item)", "made.append(function(item))"
        ),
        caught_by="test_parallel_map_keeps_the_order",
        says="in the order of the items",
    ),
    Mistaken(
        name="one item after the other",
        exercise="parallel_map",
        replace="futures = [pool.submit(one, item) for item in items]",
        by="futures = []\n        made = [one(item) for item in items]",
        caught_by="test_parallel_map_works_on_several_items_at_once",
        says="one is done after the other",
    ),
    Mistaken(
        name="a thread for every item",
        exercise="parallel_map",
        replace="with ThreadPoolExecutor(workers) as pool:",
        by="with ThreadPoolExecutor(max(len(items), 1)) as pool:",
        caught_by="test_parallel_map_works_on_several_items_at_once",
        says="than there are workers",
    ),
    Mistaken(
        name="the item is not named",
        exercise="parallel_map",
        replace=RAISED,
        by="raise RuntimeError(what) from error",
        caught_by="test_parallel_map_says_which_item_failed",
    ),
    Mistaken(
        name="items begun after an error",
        exercise="parallel_map",
        replace="                pool.shutdown(wait=False, cancel_futures=True)\n",
        by="",
        caught_by="test_parallel_map_begins_nothing_after_an_error",
        says="cancel them before you raise",
    ),
    Mistaken(
        name="workers record whatever the caller says",
        exercise="parallel_map",
        replace=RECORDING,
        by="        return function(item)",
        caught_by="test_parallel_map_records_as_its_caller_does",
        says="a new thread records",
    ),
    # ---- follow
    Mistaken(
        name="parameters copied",
        exercise="follow",
        replace=OWN,
        by=OWN.replace("given.data,", "given.data.copy(),"),
        caught_by="test_follow_shares_the_parameters",
        says="the replica has a copy",
    ),
    Mistaken(
        name="buffers shared",
        exercise="follow",
        replace=KEPT,
        by="kept.data = told.data",
        caught_by="test_follow_copies_the_buffers",
        says="threads write into it",
    ),
    Mistaken(
        name="training not taken over",
        exercise="follow",
        replace=TRAINING,
        by="        part.training = part.training",
        caught_by="test_follow_takes_over_what_is_training_and_learnt",
    ),
    # ---- DataParallel.backward
    Mistaken(
        name="unequal parts count equally",
        exercise="DataParallel.backward",
        replace="loss = loss * ((part.stop - part.start) / len(inputs))",
        by="loss = loss * (1 / len(jobs))",
        caught_by="test_data_parallel_equals_the_single_run",
        says="count equally",
    ),
    Mistaken(
        name="the parts added up",
        exercise="DataParallel.backward",
        replace=LEARN,
        by="            loss = loss_fn(replica(inputs[part]), target[part])\n",
        caught_by="test_data_parallel_equals_the_single_run",
        says="are added up",
    ),
    Mistaken(
        name="gradients of the first part only",
        exercise="DataParallel.backward",
        replace="self.gather(len(jobs))\n        return sum(losses)",
        by="self.gather(1)\n        return sum(losses)",
        caught_by="test_data_parallel_equals_the_single_run",
    ),
    Mistaken(
        name="one part after the other",
        exercise="DataParallel.backward",
        replace="losses = parallel_map(learn, jobs, self.workers)",
        by="losses = [learn(job) for job in jobs]",
        caught_by="test_data_parallel_works_on_its_parts_at_once",
        says="one part is done after the other",
    ),
    Mistaken(
        name="the model's gradients thrown away",
        exercise="DataParallel.backward",
        replace=GATHER + "\n        return",
        by="self.module.zero_grad()\n        " + GATHER + "\n        return",
        caught_by="test_data_parallel_adds_to_the_gradients",
        says="replace those",
    ),
]
