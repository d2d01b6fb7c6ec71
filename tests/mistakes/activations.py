"""Usual mistakes of module 02, activations."""

from __future__ import annotations

from tests.mistakes import Mistaken

# The solutions of these two save passes over the data. What goes wrong is the simple way, so that takes their place.
SOFTMAX = """\
scores = floats(x)
    # Any m cancels, and most scores are so small that 0 will do: two passes fewer. Where a sum says that it did not
    # (too small, too large, or nan), each slice gets its own m after all.
    with np.errstate(all="ignore"):
        data = np.exp(scores)
        sums = add_up(data, dim, keepdim=True)
    if not (sums.min() > 1e-3 and sums.max() < 1e30):
        data = np.exp(scores - scores.max(axis=dim, keepdims=True))
        sums = add_up(data, dim, keepdim=True)
    data *= np.reciprocal(sums)
    return record("softmax", data, (x,), dim=dim, result=data)"""
LOG_SOFTMAX = """\
scores = floats(x)
    data = np.empty_like(scores)
    # First without m, as in softmax. A large logarithm would cost digits in the difference, and inf or nan all of them.
    with np.errstate(all="ignore"):
        logs = np.log(add_up(np.exp(scores, out=data), dim, keepdim=True))
    if not np.abs(logs).max() < 16:
        scores = scores - scores.max(axis=dim, keepdims=True)
        logs = np.log(add_up(np.exp(scores, out=data), dim, keepdim=True))
    np.subtract(scores, logs, out=data)
    return record("log_softmax", data, (x,), dim=dim, result=data)"""
EXPS = "exps = (x - x.amax(dim, keepdim=True).detach()).exp()"
SHARE = "return exps / exps.sum(dim, keepdim=True)"
SHIFT = "shifted = x - x.amax(dim, keepdim=True).detach()"
LOGS = "return shifted - shifted.exp().sum(dim, keepdim=True).log()"
EMPTY = "if x.numel() == 0:\n        return x.clone()\n    "

RELU = """\
data = np.zeros(x.shape, x.dtype)
    np.maximum(x.data, data, out=data)  # beside the number 0 NumPy would take them one by one: four times as long"""
LEAKY = """\
choose = np.maximum if negative_slope <= 1 else np.minimum
    choose(values, data, out=data)"""
SIGMOID = """\
data = np.empty_like(scores)  # every pass writes here: new memory for a large array costs more than arithmetic
    # tanh is the faster curve on most processors, but 0.5 + ... would round small probabilities off.
    if scores.min(initial=0) > -5:
        np.tanh(np.multiply(scores, 0.5, out=data), out=data)
        data *= 0.5
        data += 0.5
    else:
        with np.errstate(over="ignore"):  # 1 / inf is 0, and that is right
            np.exp(np.negative(scores, out=data), out=data)
        data += 1
        np.divide(1, data, out=data)"""
SMALL = "small = np.exp(-np.abs(scores))\n    "
INNER = "inner = x * (c + 0.044715 * c * x * x)"
HALF = "return x * (0.5 + 0.5 * inner.tanh())"

SIMPLE = {  # what a student writes who follows the hints, in place of what saves passes
    RELU: "data = np.maximum(x.data, 0, dtype=x.dtype)",
    SIGMOID: f"{SMALL}data = np.asarray(np.maximum(small, scores >= 0) / (1 + small), scores.dtype)",
    SOFTMAX: f"{EXPS}\n    {SHARE}",
    LOG_SOFTMAX: f"{SHIFT}\n    {LOGS}",
}

MISTAKES = [
    # ---- relu
    Mistaken(
        name="relu writes into its input",
        exercise="relu",
        replace=RELU,
        by="data = np.maximum(x.data, 0, out=x.data)",
        caught_by="test_relu_leaves_its_input_alone",
        says="writes into its input",
    ),
    Mistaken(
        name="relu returns the mask",
        exercise="relu",
        replace=RELU,
        by="data = x.data > 0",
        caught_by="test_relu_keeps_what_is_positive",
        says="the mask x > 0",
    ),
    Mistaken(
        name="relu takes the smaller",
        exercise="relu",
        replace=RELU,
        by="data = np.minimum(x.data, 0)",
        caught_by="test_relu_keeps_what_is_positive",
        says="the negative scores were kept",
    ),
    Mistaken(
        name="relu drops the negative elements",
        exercise="relu",
        replace=RELU,
        by="data = x.data[x.data > 0]",
        caught_by="test_relu_keeps_what_is_positive",
        says="drops the other elements",
    ),
    Mistaken(
        name="relu multiplies by the mask",
        exercise="relu",
        replace=RELU,
        by="data = x.data * (x.data > 0)",
        caught_by="test_relu_has_an_answer_at_infinity",
        says="inf · 0 is nan",
    ),
    Mistaken(
        name="relu turns integers into floats",
        exercise="relu",
        replace=RELU,
        by="data = np.maximum(x.data, 0.0)",
        caught_by="test_relu_keeps_the_dtype",
    ),
    Mistaken(
        name="relu forgets where its result came from",
        exercise="relu",
        replace='return record("relu", data, (x,), result=data)',
        by="return Tensor(data, dtype=data.dtype)",
        caught_by="test_relu_is_recorded_and_has_an_object",
        says="does not know where it came from",
    ),
    Mistaken(
        name="relu returns an array",
        exercise="relu",
        replace='return record("relu", data, (x,), result=data)',
        by="return data",
        caught_by="test_relu_keeps_what_is_positive",
        says="a bare NumPy array",
    ),
    Mistaken(
        name="relu returns nothing",
        exercise="relu",
        replace='return record("relu", data, (x,), result=data)',
        by='record("relu", data, (x,), result=data)',
        caught_by="test_relu_keeps_what_is_positive",
        says="without a return",
    ),
    # ---- leaky_relu
    Mistaken(
        name="leaky_relu scales the positive side",
        exercise="leaky_relu",
        replace=LEAKY,
        by="data = np.where(values > 0, data, values)",
        caught_by="test_leaky_relu_scales_the_negative_side",
        says="the slope went to the positive side",
    ),
    Mistaken(
        name="leaky_relu ignores its slope",
        exercise="leaky_relu",
        replace="np.multiply(values, negative_slope, ",
        by="np.multiply(values, 0.01, ",
        caught_by="test_leaky_relu_scales_the_negative_side",
        says="the slope is always 0.01",
    ),
    Mistaken(
        name="leaky_relu puts the slope in place of the score",
        exercise="leaky_relu",
        replace=LEAKY,
        by="data = np.where(values > 0, values, np.float32(negative_slope))",
        caught_by="test_leaky_relu_scales_the_negative_side",
        says="became the slope itself",
    ),
    Mistaken(
        name="leaky_relu takes the larger for every slope",
        exercise="leaky_relu",
        replace=LEAKY,
        by="data = np.maximum(values, data)",
        caught_by="test_leaky_relu_takes_a_slope_above_one",
        says="right for slopes up to 1",
    ),
    Mistaken(
        name="leaky_relu has another default",
        exercise="leaky_relu",
        replace="def leaky_relu(x: Tensor, negative_slope: float = 0.01)",
        by="def leaky_relu(x: Tensor, negative_slope: float = 0.1)",
        caught_by="test_leaky_relu_has_a_default_and_an_object",
        says="0.01, not 0.1",
    ),
    Mistaken(
        name="leaky_relu scales in place",
        exercise="leaky_relu",
        replace=LEAKY,
        by="values[values < 0] *= np.float32(negative_slope)\n    data = values.copy()",
        caught_by="test_leaky_relu_leaves_its_input_alone",
        says="writes into its input",
    ),
    # ---- sigmoid
    Mistaken(
        name="sigmoid in the form with exp(-x)",
        exercise="sigmoid",
        replace=SIGMOID,
        by="data = 1 / (1 + np.exp(-scores))",
        caught_by="test_sigmoid_stays_calm_at_large_scores",
        says="left the range of float32",
    ),
    Mistaken(
        name="sigmoid in the form with exp(x)",
        exercise="sigmoid",
        replace=SIGMOID,
        by="data = np.exp(scores) / (1 + np.exp(scores))",
        caught_by="test_sigmoid_stays_calm_at_large_scores",
        says="inf / inf",
    ),
    Mistaken(
        name="sigmoid computes both branches of np.where",
        exercise="sigmoid",
        replace=SIGMOID,
        by="data = np.where(scores >= 0, 1 / (1 + np.exp(-scores)), np.exp(scores) / (1 + np.exp(scores)))",
        caught_by="test_sigmoid_stays_calm_at_large_scores",
        says="left the range of float32",
    ),
    Mistaken(
        name="sigmoid with the sign turned",
        exercise="sigmoid",
        replace=SIGMOID,
        by=f"{SMALL}data = np.maximum(small, scores < 0) / (1 + small)",
        caught_by="test_sigmoid_turns_each_score_into_a_probability",
        says="the sign of the exponent",
    ),
    Mistaken(
        name="sigmoid without the 1 below the line",
        exercise="sigmoid",
        replace=SIGMOID,
        by="data = 1 / np.exp(-scores)",
        caught_by="test_sigmoid_turns_each_score_into_a_probability",
        says="the 1 in 1 + exp(-x) is missing",
    ),
    Mistaken(
        name="sigmoid of a negative score as 1 minus the other",
        exercise="sigmoid",
        replace=SIGMOID,
        by=f"{SMALL}data = np.where(scores >= 0, 1 / (1 + small), 1 - 1 / (1 + small))",
        caught_by="test_sigmoid_keeps_small_probabilities",
        says="a small number was taken from 1",
    ),
    Mistaken(
        name="sigmoid by way of tanh",
        exercise="sigmoid",
        replace=SIGMOID,
        by="data = 0.5 * (1 + np.tanh(scores / 2))",
        caught_by="test_sigmoid_keeps_small_probabilities",
        says="added to -1",
    ),
    Mistaken(
        name="sigmoid of integers in float64",
        exercise="sigmoid",
        replace="scores = floats(x)\n    data = np.empty_like(scores)  # every",
        by="scores = x.data * 1.0\n    data = np.empty_like(scores)  # every",
        caught_by="test_sigmoid_of_integers_is_float32",
    ),
    # ---- tanh
    Mistaken(
        name="tanh is sigmoid",
        exercise="tanh",
        replace="return x.tanh()",
        by="return sigmoid(x)",
        caught_by="test_tanh_squashes_scores_around_zero",
        says="this is sigmoid",
    ),
    Mistaken(
        name="tanh without the inner 2",
        exercise="tanh",
        replace="return x.tanh()",
        by="return 2 * sigmoid(x) - 1",
        caught_by="test_tanh_squashes_scores_around_zero",
        says="the 2 inside sigmoid(2x)",
    ),
    Mistaken(
        name="tanh as a quotient of exponentials",
        exercise="tanh",
        replace="return x.tanh()",
        by="return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())",
        caught_by="test_tanh_stays_calm_at_large_scores",
        says="inf / inf",
    ),
    # ---- gelu
    Mistaken(
        name="gelu with x² for x³",
        exercise="gelu",
        replace=INNER,
        by="inner = x * (c + 0.044715 * c * x)",
        caught_by="test_gelu_lets_a_score_pass_by_its_size",
        says="x² stands where x³ is due",
    ),
    Mistaken(
        name="gelu without the root",
        exercise="gelu",
        replace=INNER,
        by="inner = 2 / math.pi * (x + 0.044715 * x * x * x)",
        caught_by="test_gelu_lets_a_score_pass_by_its_size",
        says="the square root of 2 / π",
    ),
    Mistaken(
        name="gelu with c on one term only",
        exercise="gelu",
        replace=INNER,
        by="inner = c * x + 0.044715 * x * x * x",
        caught_by="test_gelu_lets_a_score_pass_by_its_size",
        says="c multiplies the whole bracket",
    ),
    Mistaken(
        name="gelu without the half",
        exercise="gelu",
        replace=HALF,
        by="return x * (1 + inner.tanh())",
        caught_by="test_gelu_lets_a_score_pass_by_its_size",
        says="the factor 0.5 is missing",
    ),
    Mistaken(
        name="gelu by sigmoid(1.702x)",
        exercise="gelu",
        replace=HALF,
        by="return x * sigmoid(1.702 * x)",
        caught_by="test_gelu_lets_a_score_pass_by_its_size",
        says="x · sigmoid(1.702x)",
    ),
    Mistaken(
        name="gelu takes any form and computes one",
        exercise="gelu",
        replace='if approximate != "tanh":',
        by="if False:",
        caught_by="test_gelu_knows_the_tanh_form_only",
    ),
    # ---- softmax
    Mistaken(
        name="softmax over the whole tensor",
        exercise="softmax",
        replace=SOFTMAX,
        by=f"{EXPS}\n    return exps / exps.sum()",
        caught_by="test_softmax_turns_each_row_into_probabilities",
    ),
    Mistaken(
        name="softmax over the whole tensor, maximum too",
        exercise="softmax",
        replace=SOFTMAX,
        by="exps = (x - x.amax()).exp()\n    return exps / exps.sum()",
        caught_by="test_softmax_turns_each_row_into_probabilities",
        says="the sum runs over the whole tensor",
    ),
    Mistaken(
        name="softmax along dimension 0",
        exercise="softmax",
        replace=SOFTMAX,
        by="exps = (x - x.amax(0, keepdim=True)).exp()\n    return exps / exps.sum(0, keepdim=True)",
        caught_by="test_softmax_turns_each_row_into_probabilities",
        says="each column sums to 1",
    ),
    Mistaken(
        name="softmax along the last dimension",
        exercise="softmax",
        replace=SOFTMAX,
        by="exps = (x - x.amax(-1, keepdim=True)).exp()\n    return exps / exps.sum(-1, keepdim=True)",
        caught_by="test_softmax_works_along_any_dim",
        says="the last dimension was used",
    ),
    Mistaken(
        name="softmax without a maximum",
        exercise="softmax",
        replace=SOFTMAX,
        by=f"exps = x.exp()\n    {SHARE}",
        caught_by="test_softmax_stays_calm_at_large_scores",
        says="exp(89) is inf",
    ),
    Mistaken(
        name="softmax with one maximum for all",
        exercise="softmax",
        replace=SOFTMAX,
        by=f"exps = (x - x.amax()).exp()\n    {SHARE}",
        caught_by="test_softmax_stays_calm_at_large_scores",
        says="one maximum served all rows",
    ),
    Mistaken(
        name="softmax loses the dimension of its sum",
        exercise="softmax",
        replace=SOFTMAX,
        by=f"{EXPS}\n    return exps / exps.sum(dim)",
        caught_by="test_softmax_turns_each_row_into_probabilities",
    ),
    Mistaken(
        name="softmax divides the scores",
        exercise="softmax",
        replace=SOFTMAX,
        by="return x / x.sum(dim, keepdim=True)",
        caught_by="test_softmax_turns_each_row_into_probabilities",
        says="the scores themselves were divided",
    ),
    Mistaken(
        name="softmax shifts its input",
        exercise="softmax",
        replace=SOFTMAX,
        by=f"x.data -= x.data.max(dim, keepdims=True)\n    exps = x.exp()\n    {SHARE}",
        caught_by="test_softmax_leaves_its_input_alone",
        says="writes into its input",
    ),
    Mistaken(
        name="softmax takes a dim modulo the number of dimensions",
        exercise="softmax",
        replace=f"check_dim(x, dim)\n    {EMPTY}{SOFTMAX}",
        by=f"dim %= x.ndim\n    {EMPTY}{EXPS}\n    {SHARE}",
        caught_by="test_softmax_refuses_a_dim_out_of_range",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="softmax fails on an empty batch",
        exercise="softmax",
        replace=f"{EMPTY}{SOFTMAX}",
        by=f"{EXPS}\n    {SHARE}",
        caught_by="test_softmax_of_an_empty_batch_is_empty",
    ),
    # ---- log_softmax
    Mistaken(
        name="log of softmax",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by="return softmax(x, dim).log()",
        caught_by="test_log_softmax_survives_probabilities_of_zero",
        says="the probability was 0 before its log was taken",
    ),
    Mistaken(
        name="log of softmax and a small number",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by="return (softmax(x, dim) + 1e-8).log()",
        caught_by="test_log_softmax_survives_probabilities_of_zero",
        says="a small number was added under the log",
    ),
    Mistaken(
        name="log_softmax without the log of its sum",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by=f"{SHIFT}\n    return shifted - shifted.exp().sum(dim, keepdim=True)",
        caught_by="test_log_softmax_gives_the_logs_of_softmax",
        says="lacks its logarithm",
    ),
    Mistaken(
        name="log_softmax shifts under exp only",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by=f"{SHIFT}\n    return x - shifted.exp().sum(dim, keepdim=True).log()",
        caught_by="test_log_softmax_gives_the_logs_of_softmax",
        says="m was subtracted under exp only",
    ),
    Mistaken(
        name="log_softmax with one maximum for all",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by=f"shifted = x - x.amax().detach()\n    {LOGS}",
        caught_by="test_log_softmax_works_along_any_dim",
    ),
    Mistaken(
        name="log_softmax along dimension 0",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by="shifted = x - x.amax(0, keepdim=True)\n    return shifted - shifted.exp().sum(0, keepdim=True).log()",
        caught_by="test_log_softmax_gives_the_logs_of_softmax",
        says="each column was normalised",
    ),
    Mistaken(
        name="log_softmax shifts its input",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by=f"x.data -= x.data.max(dim, keepdims=True)\n    shifted = x\n    {LOGS}",
        caught_by="test_log_softmax_leaves_masked_scores_at_minus_infinity",
        says="writes into its input",
    ),
    Mistaken(
        name="log_softmax cuts the graph",
        exercise="log_softmax",
        replace=LOG_SOFTMAX,
        by=f"{SHIFT}\n    shifted = shifted.detach()\n    return shifted - shifted.exp().sum(dim, keepdim=True).log()",
        caught_by="test_log_softmax_is_recorded_and_has_an_object",
        says="does not know where it came from",
    ),
]
