"""Usual mistakes in module 04."""

from __future__ import annotations

from tests.mistakes import Mistaken

MSE_LINE = "return self.reduce(difference * difference)"
BCE_LINE = "np.asarray(-(t * yes + (1 - t) * no), p.dtype)"
LOGITS_LINE = "losses = np.maximum(x, 0) - t * x + np.log1p(np.exp(-np.abs(x)))"
PAIR_LINE = "return self.reduce(0.5 * (similar * squared + (1 - similar) * gap * gap))"
GAP_LINE = "gap = (self.margin - squared.clamp(min=1e-24).sqrt()).clamp(min=0.0)"
# The solution tries without a shift first. What goes wrong is the simple way, so that takes its place.
POWERS = """\
scores = rows.data
        with np.errstate(all="ignore"):  # first without m, as in log_softmax: most scores need none
            powers = np.exp(scores)  # (M, C)
            logs = np.log(total := add_up(powers, 1))  # (M,)
        if not np.abs(logs).max(initial=0) < 16:
            scores = scores - scores.max(axis=1, keepdims=True)
            powers = np.exp(scores)
            logs = np.log(total := add_up(powers, 1))"""
SHIFT = "rows.data - rows.data.max(axis=1, keepdims=True)"
SIMPLE = f"""\
scores = {SHIFT}
        powers = np.exp(scores)
        total = powers.sum(axis=1)
        logs = np.log(total)"""
NLL_LINE = "losses = -rows[np.arange(len(ids)), ids]"
SMOOTH = "due = (1 - self.label_smoothing) * due + self.label_smoothing * scores.mean(axis=1)"
ENTROPY = "(logs - due)"
AVERAGE = "return losses.sum() / (count or math.nan)"
COUNT = "count = losses.numel() if counted is None else int(counted.sum())"

MISTAKES = [
    # ---- Loss.reduce
    Mistaken(
        name="sum for mean",
        exercise="Loss.reduce",
        replace=AVERAGE,
        by="return losses.sum()",
        caught_by="test_reduce_mean_averages_over_everything",
        says="the losses are added up, not averaged",
    ),
    Mistaken(
        name="an array instead of a number",
        exercise="Loss.reduce",
        replace=AVERAGE,
        by="return losses.mean(0) if counted is None else losses.sum() / (count or math.nan)",
        caught_by="test_reduce_mean_averages_over_everything",
        says="only the first dimension is reduced",
    ),
    Mistaken(
        name="divided by the batch size",
        exercise="Loss.reduce",
        replace=COUNT,
        by="count = len(losses) if counted is None else int(counted.sum())",
        caught_by="test_reduce_mean_averages_over_everything",
        says="divided by the number of rows",
    ),
    Mistaken(
        name="none averages",
        exercise="Loss.reduce",
        replace='if self.reduction == "none":\n            return losses\n',
        by='if self.reduction == "none":\n            return losses.mean()\n',
        caught_by="test_reduce_sum_and_none",
        says="reduction='none' still averages",
    ),
    Mistaken(
        name="what is ignored is still counted",
        exercise="Loss.reduce",
        replace=COUNT,
        by="count = losses.numel()",
        caught_by="test_reduce_averages_over_those_that_count",
        says="not by those that count",
    ),
    Mistaken(
        name="the mask the wrong way round",
        exercise="Loss.reduce",
        replace="losses = losses.masked_fill(~counted, 0.0)",
        by="losses, counted = losses.masked_fill(counted, 0.0), ~counted",
        caught_by="test_reduce_averages_over_those_that_count",
        says="the wrong way round",
    ),
    Mistaken(
        name="what is ignored stays in the sum",
        exercise="Loss.reduce",
        replace="losses = losses.masked_fill(~counted, 0.0)",
        by="pass",
        caught_by="test_reduce_averages_over_those_that_count",
        says="still in the sum",
    ),
    Mistaken(
        name="an average over nothing is 0",
        exercise="Loss.reduce",
        replace=AVERAGE,
        by="return losses.sum() / max(count, 1)",
        caught_by="test_reduce_of_nothing_is_nan",
        says="0 / 0: nan",
    ),
    # ---- MSELoss
    Mistaken(
        name="absolute for squared",
        exercise="MSELoss.forward",
        replace=MSE_LINE,
        by="return self.reduce(difference.abs())",
        caught_by="test_mse_averages_the_squared_distances",
        says="distances, not their squares",
    ),
    Mistaken(
        name="square of the mean",
        exercise="MSELoss.forward",
        replace=MSE_LINE,
        by="return self.reduce(difference) ** 2",
        caught_by="test_mse_averages_the_squared_distances",
        says="Square first, then average",
    ),
    Mistaken(
        name="root of the mean square",
        exercise="MSELoss.forward",
        replace=MSE_LINE,
        by="return self.reduce(difference * difference).sqrt()",
        caught_by="test_mse_averages_the_squared_distances",
        says="takes no root",
    ),
    Mistaken(
        name="half the square",
        exercise="MSELoss.forward",
        replace=MSE_LINE,
        by="return self.reduce(0.5 * difference * difference)",
        caught_by="test_mse_averages_the_squared_distances",
        says="no factor 1/2",
    ),
    Mistaken(
        name="the target is changed in place",
        exercise="MSELoss.forward",
        replace="difference = input - target",
        by="difference = input - target\n        target.data -= input.data",
        caught_by="test_mse_averages_the_squared_distances",
        says="writes into its input",
    ),
    Mistaken(
        name="MSE always averages",
        exercise="MSELoss.forward",
        replace=MSE_LINE,
        by="return (difference * difference).mean()",
        caught_by="test_mse_follows_its_reduction",
        says="whatever self.reduction says",
    ),
    Mistaken(
        name="predictions (n, 1) broadcast against targets (n,)",
        exercise="MSELoss.forward",
        replace="self.check_same_shape(input, target)\n        difference",
        by="difference",
        caught_by="test_mse_refuses_to_broadcast",
        says="nothing looks at the input",
    ),
    # ---- NLLLoss
    Mistaken(
        name="minus forgotten in NLL",
        exercise="NLLLoss.forward",
        replace=NLL_LINE,
        by="losses = rows[np.arange(len(ids)), ids]",
        caught_by="test_nll_reads_one_number_per_row",
        says="the minus is missing",
    ),
    Mistaken(
        name="every row read at every target",
        exercise="NLLLoss.forward",
        replace=NLL_LINE + "\n        return self.reduce(losses.reshape(target.shape), counted)",
        by="losses = -rows[:, ids]\n        return self.reduce(losses, counted)",
        caught_by="test_nll_reads_one_number_per_row",
        says="two index arrays",
    ),
    Mistaken(
        name="NLL of the whole row",
        exercise="NLLLoss.forward",
        replace=NLL_LINE,
        by="losses = -rows.mean(dim=1)",
        caught_by="test_nll_reads_one_number_per_row",
        says="the whole row is averaged",
    ),
    Mistaken(
        name="an ignored target is class 0",
        exercise="NLLLoss.forward",
        replace="return self.reduce(losses.reshape(target.shape), counted)",
        by="return self.reduce(losses.reshape(target.shape))",
        caught_by="test_nll_leaves_out_what_is_ignored",
        says="is read as class 0",
    ),
    Mistaken(
        name="losses of pixels in one row",
        exercise="NLLLoss.forward",
        replace="return self.reduce(losses.reshape(target.shape), counted)",
        by="return self.reduce(losses, counted)",
        caught_by="test_nll_of_every_pixel",
        says="the target's shape",
    ),
    # ---- CrossEntropyLoss
    Mistaken(
        name="softmax before cross-entropy",
        exercise="CrossEntropyLoss.forward",
        replace=POWERS,
        by=SIMPLE.replace(SHIFT, f"np.exp({SHIFT})\n        scores /= scores.sum(axis=1, keepdims=True)"),
        caught_by="test_cross_entropy_is_the_surprise_at_the_right_class",
        says="through a softmax twice",
    ),
    Mistaken(
        name="minus forgotten in cross-entropy",
        exercise="CrossEntropyLoss.forward",
        replace=ENTROPY,
        by="(due - logs)",
        caught_by="test_cross_entropy_is_the_surprise_at_the_right_class",
        says="the minus is missing",
    ),
    Mistaken(
        name="softmax over the batch",
        exercise="CrossEntropyLoss.forward",
        replace=POWERS,
        by=SIMPLE.replace("powers.sum(axis=1)", "powers.sum(axis=0)[ids]"),
        caught_by="test_cross_entropy_is_the_surprise_at_the_right_class",
        says=None,
    ),
    Mistaken(
        name="logarithm to base 2",
        exercise="CrossEntropyLoss.forward",
        replace=ENTROPY,
        by="((logs - due) / np.log(2)).astype(np.float32)",
        caught_by="test_cross_entropy_is_the_surprise_at_the_right_class",
        says="logarithm to base 2",
    ),
    Mistaken(
        name="no shift before exp",
        exercise="CrossEntropyLoss.forward",
        replace=POWERS,
        by=SIMPLE.replace(SHIFT, "rows.data"),
        caught_by="test_cross_entropy_survives_large_scores",
        says="exp(89) is already inf",
    ),
    Mistaken(
        name="one shift for the whole batch",
        exercise="CrossEntropyLoss.forward",
        replace=POWERS,
        by=SIMPLE.replace(SHIFT, "rows.data - rows.data.max()"),
        caught_by="test_cross_entropy_survives_large_scores",
        says="one maximum is taken for the whole batch",
    ),
    Mistaken(
        name="log of the softmax",
        exercise="CrossEntropyLoss.forward",
        replace=ENTROPY,
        by="-np.log(np.maximum(np.exp(due) / total, 1e-12))",
        caught_by="test_cross_entropy_of_a_hopeless_class_is_its_distance",
        says="rounded to 0 before its logarithm",
    ),
    Mistaken(
        name="ignored targets of cross-entropy counted",
        exercise="CrossEntropyLoss.forward",
        replace="softmax=(powers, total),\n        )\n        return self.reduce(losses, counted)",
        by="softmax=(powers, total),\n        )\n"
        "        return self.reduce(losses if counted is None else losses * counted)",
        caught_by="test_cross_entropy_leaves_out_what_is_ignored",
        says="divide by those that count",
    ),
    Mistaken(
        name="smoothing forgotten",
        exercise="CrossEntropyLoss.forward",
        replace=SMOOTH,
        by="due = 1.0 * due",
        caught_by="test_cross_entropy_smooths_labels",
        says="label_smoothing is not looked at",
    ),
    Mistaken(
        name="smoothing by the sum",
        exercise="CrossEntropyLoss.forward",
        replace=SMOOTH,
        by="e = self.label_smoothing\n"
        "            due = (1 - e) * due + e * logs + e * (scores - logs[:, None]).sum(axis=1)",
        caught_by="test_cross_entropy_smooths_labels",
        says="mean, not sum",
    ),
    Mistaken(
        name="share and remainder exchanged",
        exercise="CrossEntropyLoss.forward",
        replace=SMOOTH,
        by="due = self.label_smoothing * due + (1 - self.label_smoothing) * scores.mean(axis=1)",
        caught_by="test_cross_entropy_smooths_labels",
        says="changed places",
    ),
    Mistaken(
        name="losses of tokens in one row",
        exercise="CrossEntropyLoss.forward",
        replace="(logs - due).reshape(target.shape)",
        by="(logs - due)",
        caught_by="test_cross_entropy_of_every_token",
        says="the target's shape",
    ),
    Mistaken(
        name="cross-entropy without a history",
        exercise="CrossEntropyLoss.forward",
        replace="(rows,),\n            ids=ids",
        by="(),\n            ids=ids",
        caught_by="test_cross_entropy_remembers_where_it_came_from",
        says="does not know where it came from",
    ),
    # ---- BCELoss
    Mistaken(
        name="minus forgotten in BCE",
        exercise="BCELoss.forward",
        replace=BCE_LINE,
        by="np.asarray(t * yes + (1 - t) * no, p.dtype)",
        caught_by="test_bce_prices_yes_and_no",
        says="the minus is missing",
    ),
    Mistaken(
        name="a no costs nothing",
        exercise="BCELoss.forward",
        replace=BCE_LINE,
        by="np.asarray(-t * yes, p.dtype)",
        caught_by="test_bce_prices_yes_and_no",
        says="a no costs nothing",
    ),
    Mistaken(
        name="yes and no exchanged",
        exercise="BCELoss.forward",
        replace=BCE_LINE,
        by="np.asarray(-(t * no + (1 - t) * yes), p.dtype)",
        caught_by="test_bce_prices_yes_and_no",
        says="yes and no have changed places",
    ),
    Mistaken(
        name="targets rounded to yes or no",
        exercise="BCELoss.forward",
        replace=BCE_LINE,
        by="np.asarray(-np.where(t > 0.5, yes, no), p.dtype)",
        caught_by="test_bce_takes_shares_of_yes",
        says="Weigh both terms",
    ),
    Mistaken(
        name="no floor under the logarithm",
        exercise="BCELoss.forward",
        replace="yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)",
        by="yes, no = np.where(t > 0, np.log(p), 0), np.where(t < 1, np.log1p(-p), 0)",
        caught_by="test_bce_stops_at_one_hundred",
        says="may fall below -100",
    ),
    Mistaken(
        name="the floor under the probability",
        exercise="BCELoss.forward",
        replace="yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)",
        by="yes, no = np.log(np.maximum(p, 1e-12)), np.log(np.maximum(1 - p, 1e-12))",
        caught_by="test_bce_stops_at_one_hundred",
        says="the floor lies under the probability",
    ),
    Mistaken(
        name="scores taken for probabilities",
        exercise="BCELoss.forward",
        replace="if not ((p >= 0) & (p <= 1)).all():",
        by="if False:",
        caught_by="test_bce_refuses_what_is_no_probability",
    ),
    # ---- BCEWithLogitsLoss
    Mistaken(
        name="the score's sign",
        exercise="BCEWithLogitsLoss.forward",
        replace=LOGITS_LINE,
        by="losses = np.maximum(x, 0) + t * x + np.log1p(np.exp(-np.abs(x)))",
        caught_by="test_bce_with_logits_is_bce_of_the_sigmoid",
        says="t * x has the wrong sign",
    ),
    Mistaken(
        name="the target is not looked at",
        exercise="BCEWithLogitsLoss.forward",
        replace=LOGITS_LINE,
        by="losses = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))",
        caught_by="test_bce_with_logits_is_bce_of_the_sigmoid",
        says="the target is not looked at",
    ),
    Mistaken(
        name="BCE on sigmoid output",
        exercise="BCEWithLogitsLoss.forward",
        replace=LOGITS_LINE,
        by="p = np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))\n"
        "        with np.errstate(divide='ignore'):\n"
        "            losses = -(t * np.maximum(np.log(p), -100) + (1 - t) * np.maximum(np.log1p(-p), -100))",
        caught_by="test_bce_with_logits_survives_large_scores",
        says="the loss stops at 100",
    ),
    Mistaken(
        name="exp of a large score",
        exercise="BCEWithLogitsLoss.forward",
        replace=LOGITS_LINE,
        by="losses = np.log1p(np.exp(x)) - t * x",
        caught_by="test_bce_with_logits_survives_large_scores",
        says="exp(x) overflows",
    ),
    Mistaken(
        name="1 + y formed before its logarithm",
        exercise="BCEWithLogitsLoss.forward",
        replace=LOGITS_LINE,
        by="losses = np.maximum(x, 0) - t * x + np.log(1 + np.exp(-np.abs(x)))",
        caught_by="test_bce_with_logits_keeps_small_losses",
        says="np.log1p(y) does not form the sum",
    ),
    # ---- ContrastiveLoss
    Mistaken(
        name="0 for similar",
        exercise="ContrastiveLoss.forward",
        replace="similar = target.to(input1.dtype)",
        by="similar = 1 - target.to(input1.dtype)",
        caught_by="test_contrastive_draws_similar_pairs_together",
        says="Here y = 1 means similar",
    ),
    Mistaken(
        name="no factor one half",
        exercise="ContrastiveLoss.forward",
        replace=PAIR_LINE,
        by="return self.reduce(similar * squared + (1 - similar) * gap * gap)",
        caught_by="test_contrastive_draws_similar_pairs_together",
        says="the factor 1/2 is missing",
    ),
    Mistaken(
        name="the distance averaged over the vector",
        exercise="ContrastiveLoss.forward",
        replace="squared = (difference * difference).sum(dim=-1)",
        by="squared = (difference * difference).mean(dim=-1)",
        caught_by="test_contrastive_draws_similar_pairs_together",
        says="A distance adds them up",
    ),
    Mistaken(
        name="pairs beyond the margin still pay",
        exercise="ContrastiveLoss.forward",
        replace=GAP_LINE,
        by="gap = self.margin - squared.clamp(min=1e-24).sqrt()",
        caught_by="test_contrastive_pushes_strangers_to_the_margin",
        says="Beyond it the loss is zero",
    ),
    Mistaken(
        name="the squared distance against the margin",
        exercise="ContrastiveLoss.forward",
        replace=GAP_LINE,
        by="gap = (self.margin - squared).clamp(min=0.0)",
        caught_by="test_contrastive_pushes_strangers_to_the_margin",
        says="the distance: its root",
    ),
    Mistaken(
        name="what is missing is not squared",
        exercise="ContrastiveLoss.forward",
        replace=PAIR_LINE,
        by="return self.reduce(0.5 * (similar * squared + (1 - similar) * gap))",
        caught_by="test_contrastive_pushes_strangers_to_the_margin",
        says="is not squared",
    ),
    Mistaken(
        name="one target for all pairs",
        exercise="ContrastiveLoss.forward",
        replace="if target.shape != input1.shape[:-1]:",
        by="if False:",
        caught_by="test_contrastive_refuses_unequal_pairs",
    ),
]
