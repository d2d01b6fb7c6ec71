"""Usual mistakes in module 16."""

from __future__ import annotations

from tests.mistakes import Mistaken

SHARE = "return 1 - sum(int(np.count_nonzero(array)) for array in arrays) / size"
WEIGHTS = "arrays = [tensor.data for tensor in prunable(target).values()]"
INSIDE = "if not 0 <= amount <= 1:"
ROUNDED = "return round(amount * total)"
ORDER = 'order = np.argsort(np.abs(values), axis=None, kind="stable")'
GONE = "keep[order[: count_share(amount, values.size)]] = False"
APPLY = "tensor.data[~self.kept[name]] = 0"
PER_LAYER = "if per_layer:"
TENSORS = "tensors = prunable(target, biases)\n"
PRUNED = "masks = Masks(tensors, kept)\n    masks.apply()\n"
BIAS_IN = "incoming = incoming + np.square(layer.bias.data)"
SCORES = "scores: Array = np.sqrt(incoming) * np.sqrt(outgoing)"
SMALLER = "smaller = linear(layer.weight.data[:, keep], bias, layer.training)"
BIAS_KEPT = "bias = None if layer.bias is None else layer.bias.data[keep]"
REMOVED = "return smaller, linear(following.weight.data[keep], rest, following.training)"
LOWEST = 'keep = np.sort(np.argsort(scores, kind="stable")[gone:])'
LAST_UNIT = "gone = min(count_share(amount, scores.size), scores.size - 1)"
COPIES = "layers = [copy.deepcopy(layer) for layer in model]"
SCORED = "scores = unit_scores(layers[first], layers[second])"
FACTORS = "return u[:, :rank] * root, root[:, None] * vt[:rank]"
FITS = "check_rank(rank, weight.shape)\n    u, strengths"
TAIL = "return float(np.sqrt(np.square(strengths[rank:]).sum()))"
UP = "thin.up = linear(up, None if layer.bias is None else layer.bias.data, layer.training)"
LOG_P = "log_p = log_softmax(teacher_logits.detach() / temperature)"
LOG_Q = "log_q = log_softmax(student_logits / temperature)"
DIVERGENCE = "divergence = (log_p.exp() * (log_p - log_q)).sum(dim=-1).mean()"
HARD = "hard = CrossEntropyLoss()(student_logits, targets)"
LOSS = "return alpha * temperature**2 * divergence + (1 - alpha) * hard"
CURRENT = "current = copy.deepcopy(model)\n    done"
WEIGHED = "done.append(Step(name, before, measure(current)))"
HANDED_ON = "if isinstance(result, Module):\n            current = result"

MISTAKES = [
    # ---- shares
    Mistaken(
        name="the share of what is left",
        exercise="sparsity",
        replace=SHARE,
        by="return sum(int(np.count_nonzero(array)) for array in arrays) / size",
        caught_by="test_sparsity_of_a_tensor",
        says="1 means that nothing is left",
    ),
    Mistaken(
        name="biases counted as weights",
        exercise="sparsity",
        replace=WEIGHTS,
        by="arrays = [tensor.data for tensor in prunable(target, True).values()]",
        caught_by="test_sparsity_of_a_model",
        says="biases were counted, too",
    ),
    Mistaken(
        name="the mean of the layers' shares",
        exercise="sparsity",
        replace=SHARE,
        by="return float(np.mean([(array == 0).mean() for array in arrays]))",
        caught_by="test_sparsity_of_a_model",
        says="mean of the layers' shares",
    ),
    Mistaken(
        name="shares rounded down",
        exercise="count_share",
        replace=ROUNDED,
        by="return int(amount * total)",
        caught_by="test_a_share_becomes_the_nearest_whole_number",
        says="behind the point was cut off",
    ),
    Mistaken(
        name="1 taken for a single weight",
        exercise="count_share",
        replace=ROUNDED,
        by="return amount if isinstance(amount, int) else round(amount * total)",
        caught_by="test_nothing_everything_and_half",
        says="1 was taken for a number of weights",
    ),
    Mistaken(
        name="nan passes the check",
        exercise="count_share",
        replace=INSIDE,
        by="if amount < 0 or amount > 1:",
        caught_by="test_amounts_outside_0_to_1_are_refused",
    ),
    # ---- masks
    Mistaken(
        name="the most negative go, not the smallest",
        exercise="magnitude_mask",
        replace=ORDER,
        by='order = np.argsort(values, axis=None, kind="stable")',
        caught_by="test_the_smallest_magnitudes_go",
        says="signs were not taken off",
    ),
    Mistaken(
        name="a threshold, and <=",
        exercise="magnitude_mask",
        replace=GONE,
        by="size = np.abs(values).ravel()\n"
        "    keep[size <= size[order][max(count_share(amount, values.size) - 1, 0)]] = False",
        caught_by="test_equal_magnitudes_go_in_order",
        says="of equal numbers all went, or none",
    ),
    Mistaken(
        name="a threshold, and <",
        exercise="magnitude_mask",
        replace=GONE,
        by="size = np.abs(values).ravel()\n"
        "    keep[size < size[order][min(count_share(amount, values.size), values.size - 1)]] = False",
        caught_by="test_equal_magnitudes_go_in_order",
        says="of equal numbers all went, or none",
    ),
    Mistaken(
        name="mask turned around",
        exercise="magnitude_mask",
        replace="return keep.reshape(values.shape)",
        by="return ~keep.reshape(values.shape)",
        caught_by="test_the_smallest_magnitudes_go",
        says="what should go stayed",
    ),
    Mistaken(
        name="weights multiplied with the mask",
        exercise="Masks.apply",
        replace=APPLY,
        by="tensor.data *= self.kept[name]",
        caught_by="test_masks_wipe_out_infinity",
        says="0 * inf is nan",
    ),
    Mistaken(
        name="a new array in the tensor",
        exercise="Masks.apply",
        replace=APPLY,
        by="tensor.data = np.where(self.kept[name], tensor.data, np.zeros_like(tensor.data))",
        caught_by="test_masks_write_zeros",
        says="others hold that array",
    ),
    # ---- magnitude pruning
    Mistaken(
        name="every layer loses the same share",
        exercise="magnitude_prune",
        replace=PER_LAYER,
        by="if True:",
        caught_by="test_weights_of_all_layers_compete",
        says="each layer lost its own share",
    ),
    Mistaken(
        name="per_layer ignored",
        exercise="magnitude_prune",
        replace=PER_LAYER,
        by="if False:",
        caught_by="test_each_layer_loses_its_share",
        says="the layers competed with each other",
    ),
    Mistaken(
        name="masks made and not applied",
        exercise="magnitude_prune",
        replace=PRUNED,
        by="masks = Masks(tensors, kept)\n",
        caught_by="test_weights_of_all_layers_compete",
        says="nothing was pruned",
    ),
    Mistaken(
        name="biases pruned unasked",
        exercise="magnitude_prune",
        replace=TENSORS,
        by="tensors = prunable(target, True)\n",
        caught_by="test_weights_of_all_layers_compete",
    ),
    # ---- units
    Mistaken(
        name="a unit scored by what goes in",
        exercise="unit_scores",
        replace=SCORES,
        by="scores: Array = np.sqrt(incoming)",
        caught_by="test_a_unit_scores_by_both_sides",
        says="only what goes in was looked at",
    ),
    Mistaken(
        name="bias not scored",
        exercise="unit_scores",
        replace=BIAS_IN,
        by="incoming = incoming + 0",
        caught_by="test_a_unit_scores_by_both_sides",
        says="the bias was left out",
    ),
    Mistaken(
        name="zeros in place of smaller arrays",
        exercise="remove_units",
        replace=SMALLER,
        by="there = np.isin(np.arange(layer.out_features), keep)\n"
        "    smaller = linear(layer.weight.data * there, None if layer.bias is None else layer.bias.data * there)\n"
        "    rest = None if following.bias is None else following.bias.data\n"
        "    return smaller, linear(following.weight.data * there[:, None], rest)",
        caught_by="test_removed_units_are_gone_from_both_layers",
        says="the units are zero, but still there",
    ),
    Mistaken(
        name="the rows behind stay",
        exercise="remove_units",
        replace=REMOVED,
        by="return smaller, linear(following.weight.data, rest, following.training)",
        caught_by="test_removed_units_are_gone_from_both_layers",
        says="the numbers of all units are still there",
    ),
    Mistaken(
        name="the bias in front stays whole",
        exercise="remove_units",
        replace=BIAS_KEPT,
        by="bias = None if layer.bias is None else layer.bias.data",
        caught_by="test_removed_units_are_gone_from_both_layers",
        says="the numbers of all units are still there",
    ),
    Mistaken(
        name="the best units go",
        exercise="structured_prune",
        replace=LOWEST,
        by='keep = np.sort(np.argsort(scores, kind="stable")[: len(scores) - gone])',
        caught_by="test_units_go_and_arrays_shrink",
        says="the units with the highest scores went",
    ),
    Mistaken(
        name="units sorted by score",
        exercise="structured_prune",
        replace=LOWEST,
        by='keep = np.argsort(scores, kind="stable")[gone:]',
        caught_by="test_units_go_and_arrays_shrink",
        says="the units come sorted by score",
    ),
    Mistaken(
        name="the last unit goes, too",
        exercise="structured_prune",
        replace=LAST_UNIT,
        by="gone = count_share(amount, scores.size)",
        caught_by="test_one_unit_always_stays",
    ),
    Mistaken(
        name="all layers scored at the start",
        exercise="structured_prune",
        replace=SCORED,
        by="scores = unit_scores(model[first], model[second])",
        caught_by="test_layers_are_pruned_from_front_to_back",
        says="all units were scored before any went",
    ),
    # ---- low rank
    Mistaken(
        name="singular values dropped",
        exercise="low_rank_factors",
        replace=FACTORS,
        by="return u[:, :rank] + 0 * root, vt[:rank]",
        caught_by="test_the_product_is_the_nearest_of_its_rank",
        says="the strengths are missing",
    ),
    Mistaken(
        name="singular values used twice",
        exercise="low_rank_factors",
        replace=FACTORS,
        by="return u[:, :rank] * root**2, (root**2)[:, None] * vt[:rank]",
        caught_by="test_the_product_is_the_nearest_of_its_rank",
        says="each strength was used twice",
    ),
    Mistaken(
        name="a rank larger than the matrix is cut",
        exercise="low_rank_factors",
        replace=FITS,
        by="u, strengths",
        caught_by="test_ranks_that_do_not_fit_are_refused",
    ),
    Mistaken(
        name="the root of the error forgotten",
        exercise="low_rank_error",
        replace=TAIL,
        by="return float(np.square(strengths[rank:]).sum())",
        caught_by="test_the_error_is_the_tail",
        says="the root is missing",
    ),
    Mistaken(
        name="the kept part taken for the error",
        exercise="low_rank_error",
        replace=TAIL,
        by="return float(np.sqrt(np.square(strengths[:rank]).sum()))",
        caught_by="test_the_error_is_the_tail",
        says="these are the values that were kept",
    ),
    Mistaken(
        name="the bias of the thin layer left at zero",
        exercise="LowRankLinear.from_linear",
        replace=UP,
        by="thin.up = linear(up, None if layer.bias is None else 0 * layer.bias.data, layer.training)",
        caught_by="test_a_thin_layer_computes_with_the_nearest_weight",
        says="the bias is missing, or zero",
    ),
    # ---- distillation
    Mistaken(
        name="T squared forgotten",
        exercise="distillation_loss",
        replace=LOSS,
        by="return alpha * divergence + (1 - alpha) * hard",
        caught_by="test_the_soft_part_compares_with_the_teacher",
        says="T^2 is missing",
    ),
    Mistaken(
        name="mean over the classes",
        exercise="distillation_loss",
        replace=DIVERGENCE,
        by="divergence = (log_p.exp() * (log_p - log_q)).mean()",
        caught_by="test_the_soft_part_compares_with_the_teacher",
        says="the mean also runs over the classes",
    ),
    Mistaken(
        name="the teacher on both sides",
        exercise="distillation_loss",
        replace=LOG_Q,
        by="log_q = log_softmax(teacher_logits / temperature)",
        caught_by="test_the_soft_part_compares_with_the_teacher",
        says="stand on both sides",
    ),
    Mistaken(
        name="KL the other way round",
        exercise="distillation_loss",
        replace=DIVERGENCE,
        by="divergence = (log_q.exp() * (log_q - log_p)).sum(dim=-1).mean()",
        caught_by="test_the_soft_part_compares_with_the_teacher",
        says="student and teacher have changed places",
    ),
    Mistaken(
        name="the hard part at the temperature of the soft one",
        exercise="distillation_loss",
        replace=HARD,
        by="hard = CrossEntropyLoss()(student_logits / temperature, targets)",
        caught_by="test_the_hard_part_is_a_cross_entropy",
        says="The hard part is taken without",
    ),
    Mistaken(
        name="the teacher learns",
        exercise="distillation_loss",
        replace=LOG_P,
        by="log_p = log_softmax(teacher_logits / temperature)",
        caught_by="test_only_the_student_learns",
        says="a gradient reached the teacher",
    ),
    # ---- the pipeline
    Mistaken(
        name="bytes told, not measured",
        exercise="compress",
        replace=WEIGHED,
        by="done.append(Step(name, before, before // 2))",
        caught_by="test_each_step_is_weighed_before_and_after",
    ),
    Mistaken(
        name="what a step returns is dropped",
        exercise="compress",
        replace=HANDED_ON,
        by="pass",
        caught_by="test_each_step_is_weighed_before_and_after",
    ),
    Mistaken(
        name="the given model is changed",
        exercise="compress",
        replace=CURRENT,
        by="current = model\n    done",
        caught_by="test_steps_in_place_change_a_copy",
        says="the given model was changed",
    ),
]
