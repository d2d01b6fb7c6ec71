"""Hints for module 04, losses."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "Loss.reduce": Ladder(
        ask=(
            "Three losses: 1, 2, 6. Write down what each of the three reductions makes of them. Now the second "
            "one is padding and does not count. Which number does the sum lose, and by how many do you divide for "
            "the average?"
        ),
        idea=(
            "What does not count becomes 0, and is not counted either: losses 1, 0, 6, sum 7, average 7 / 2 = "
            "3.5. With 7 / 3 a batch would look better the more padding it has. If nothing counts, the average is "
            "0 / 0: nan."
        ),
        algorithm=(
            "If counted is given: losses = losses.masked_fill(~counted, 0.0). 'none' returns losses, 'sum' "
            "returns losses.sum(). For 'mean' the count is losses.numel(), or int(counted.sum()) where counted is "
            "given; return losses.sum() / (count or math.nan), which divides by nan, without a warning, where the "
            "count is 0."
        ),
        smaller="Loss().reduce(tensor([1., 2., 6.])) is 3",
        lesson="One price each, one number",
        proof="""
        >>> (1 + 6) / 2
        3.5
        >>> tensor([1.0, 2.0, 6.0]).masked_fill(np.array([False, True, False]), 0.0).sum()
        tensor(7.)
        >>> MSELoss()(tensor([1.0, 2.0]), tensor([1.0, 2.0])).item()
        0.0
        """,
    ),
    "MSELoss.forward": Ladder(
        ask=(
            "Predictions 2 and 0, targets 1 and 3. Write down the two differences, then their prices. Which "
            "method of the class makes one number of them, or leaves them alone, as the user wished?"
        ),
        idea=(
            "The differences are 1 and -3, the prices 1 and 9, their average is 5. Square first, then reduce: the "
            "other way round too high and too low would cancel."
        ),
        algorithm=(
            "Call self.check_same_shape(input, target), then difference = input - target, and return "
            "self.reduce(difference * difference). A product is faster than a power, and module 05 knows its "
            "gradient."
        ),
        smaller="MSELoss()(tensor([2., 0.]), tensor([1., 3.])) is (1 + 9) / 2 = 5",
        lesson="One price each, one number",
        proof="""
        >>> MSELoss()(tensor([2.0, 0.0]), tensor([1.0, 3.0]))
        tensor(5.)
        """,
    ),
    "NLLLoss.forward": Ladder(
        ask=(
            "A table with three rows and four columns, and one column number per row: 2, 0, 3. Put a ring around "
            "the cells that are meant. How many are there? Write their row numbers and their column numbers as "
            "two lists."
        ),
        idea=(
            "The lists are [0, 1, 2] and [2, 0, 3], and x[[0, 1, 2], [2, 0, 3]] reads exactly those three cells. "
            "The loss is minus what stands there: a log-probability of log 0.5 costs 0.6931."
        ),
        algorithm=(
            "rows, ids, counted = self.rows(input, target). Pick rows[np.arange(len(ids)), ids], a Tensor with "
            "one element per row, and put a minus before it. Return self.reduce(losses.reshape(target.shape), "
            "counted)."
        ),
        smaller="NLLLoss()(tensor([[0.5, 0.5]]).log(), tensor([1])) is -log 0.5 = 0.6931",
        lesson="Surprise",
        proof="""
        >>> np.arange(12).reshape(3, 4)[[0, 1, 2], [2, 0, 3]].tolist()
        [2, 4, 11]
        >>> NLLLoss()(tensor([[0.5, 0.5]]).log(), tensor([1]))
        tensor(0.6931)
        """,
    ),
    "CrossEntropyLoss.forward": Ladder(
        ask=(
            "Scores 0 and 1000, and the right class is the first. Subtract the larger score from both. What is "
            "the sum of their exponentials, what is its logarithm, and how far below the best score does the "
            "right one lie?"
        ),
        idea=(
            "loss = log(sum of exp(x - m)) - (x_t - m). Here x - m is -1000 and 0, the sum is 1, its logarithm 0, "
            "the loss 0 + 1000. For two equal scores it is log 2 = 0.6931. Each row has its own m, and the "
            "probabilities themselves are never needed."
        ),
        algorithm=(
            "rows, ids, counted = self.rows(input, target); x = rows.data (M, C). shifted = x - x.max(axis=1, "
            "keepdims=True); due = shifted[np.arange(len(ids)), ids]; with label_smoothing e, due = (1 - e) * due "
            "+ e * shifted.mean(axis=1). powers = np.exp(shifted); total = powers.sum(axis=1). The losses are "
            "np.log(total) - due, reshaped to target.shape, handed to record('cross_entropy', losses, (rows,), "
            "ids=ids, label_smoothing=e, softmax=(powers, total)), then to self.reduce(..., counted)."
        ),
        smaller="CrossEntropyLoss()(tensor([[0., 0.]]), tensor([1])) is log 2 = 0.6931",
        lesson="The logarithm, taken on paper",
        proof="""
        >>> CrossEntropyLoss()(tensor([[0.0, 0.0]]), tensor([1]))
        tensor(0.6931)
        >>> CrossEntropyLoss()(tensor([[0.0, 1000.0]]), tensor([0]))
        tensor(1000.)
        """,
    ),
    "BCELoss.forward": Ladder(
        ask=(
            "A model says yes with probability 0.9. What should it pay if yes was right, and what if no was "
            "right? Write both as minus a logarithm. Then write one formula with t that is the first for t = 1 "
            "and the second for t = 0."
        ),
        idea=(
            "-(t · log p + (1 - t) · log(1 - p)): for p = 0.9 a yes costs 0.1054 and a no 2.3026. At p = 0 a yes "
            "would cost infinity; both logarithms stop at -100, so it costs 100. The floor is for the logarithm, "
            "not for p."
        ),
        algorithm=(
            "Call the two checks. p = input.data, t = target.data; if not ((p >= 0) & (p <= 1)).all(), raise "
            "RuntimeError that names p.min() and p.max(). Inside np.errstate(divide='ignore'): yes = "
            "np.maximum(np.log(p), -100), no = np.maximum(np.log1p(-p), -100). losses = -(t * yes + (1 - t) * "
            "no); return self.reduce(record('binary_cross_entropy', losses, (input, target)))."
        ),
        smaller="BCELoss()(tensor([0.9]), tensor([1.])) is -log 0.9 = 0.1054",
        lesson="Yes or no",
        proof="""
        >>> BCELoss(reduction="none")(tensor([0.9, 0.9]), tensor([1.0, 0.0]))
        tensor([0.1054, 2.3026])
        >>> BCELoss()(tensor([0.0]), tensor([1.0]))
        tensor(100.)
        """,
    ),
    "BCEWithLogitsLoss.forward": Ladder(
        ask=(
            "The scores of two classes are x and 0, and the cross-entropy of a row is log-sum-exp minus the right "
            "score. Write it for yes and for no. Which is the larger of the two scores when x = 200, and when x = "
            "-200?"
        ),
        idea=(
            "log(exp(x) + exp(0)) - t · x. With the larger score taken out it is max(x, 0) + log(1 + exp(-|x|)) - "
            "t · x: 200 for a no at x = 200, 0 for a no at x = -200, and log 2 = 0.6931 at x = 0."
        ),
        algorithm=(
            "Call the two checks. x = input.data, t = target.data; losses = np.maximum(x, 0) - t * x + "
            "np.log1p(np.exp(-np.abs(x))). Return self.reduce(record('binary_cross_entropy_with_logits', losses, "
            "(input, target)))."
        ),
        smaller="BCEWithLogitsLoss()(tensor([0.]), tensor([1.])) is log 2 = 0.6931",
        lesson="Yes or no",
        proof="""
        >>> BCEWithLogitsLoss(reduction="none")(tensor([200.0, -200.0, 0.0]), tensor([0.0, 0.0, 1.0]))
        tensor([200.0000,   0.0000,   0.6931])
        """,
    ),
    "ContrastiveLoss.forward": Ladder(
        ask=(
            "Two vectors differ by (3, 4). What is their distance? With a margin of 6, how far are they from "
            "being far enough apart? What if the margin were 4?"
        ),
        idea=(
            "The distance is 5. A similar pair pays 25 / 2 = 12.5. A different one lacks 1 to the margin of 6 and "
            "pays 1 / 2 = 0.5; with a margin of 4 it lacks nothing and pays 0. y and 1 - y choose between the two "
            "prices."
        ),
        algorithm=(
            "Check the shapes: self.check_same_shape(input1, input2), and ValueError unless target.shape is "
            "input1.shape[:-1]. y = target.to(input1.dtype); difference = input1 - input2; squared = (difference "
            "* difference).sum(dim=-1); d = squared.clamp(min=1e-24).sqrt(); gap = (self.margin - "
            "d).clamp(min=0.0). Return self.reduce(0.5 * (y * squared + (1 - y) * gap * gap))."
        ),
        smaller="ContrastiveLoss()(tensor([[3., 4.]]), tensor([[0., 0.]]), tensor([1])) is 25 / 2 = 12.5",
        lesson="Near and far",
        proof="""
        >>> a, b = tensor([[3.0, 4.0]]), tensor([[0.0, 0.0]])
        >>> ContrastiveLoss()(a, b, tensor([1])), ContrastiveLoss(margin=6.0)(a, b, tensor([0]))
        (tensor(12.5000), tensor(0.5000))
        >>> ContrastiveLoss(margin=4.0)(a, b, tensor([0])).item()
        0.0
        """,
    ),
}
