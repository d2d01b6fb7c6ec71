"""Losses: one number that says how wrong a model is.

Each loss compares what a model answered with what was due, gives every answer a price, and reduces the prices to
one number. Training is nothing but making that number smaller, so what a model learns is decided here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layers import Module
from .tensor import Tensor, add_up, record

REDUCTIONS = ("mean", "sum", "none")


class Loss(Module):
    """What all losses share: the reduction, and the refusal of what cannot be compared.

    `reduction` is "mean" (PyTorch's default), "sum" or "none".
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction is one of {', '.join(REDUCTIONS)}, not {reduction!r}")
        self.reduction = reduction

    def reduce(self, losses: Tensor, counted: NDArray[np.bool_] | None = None) -> Tensor:
        """Turn many losses into what ``reduction`` asks for.

            "none"   the losses as they are, (...)  ->  (...)
            "sum"    their sum,              (...)  ->  ()
            "mean"   their average,          (...)  ->  ()

        Every dimension is reduced, however many there are. ``counted`` is a boolean array of the same
        shape: where it is False, the loss is 0 and does not count. None means that all of them count.
        So the average divides by how many count, not by how many there are: padding must not make a
        model look better. An average over nothing is nan, as in PyTorch.

        >>> losses = Tensor([1.0, 2.0, 6.0])
        >>> Loss(reduction="sum").reduce(losses), Loss(reduction="mean").reduce(losses)
        (tensor(9.), tensor(3.))
        >>> some = np.array([True, False, True])
        >>> Loss(reduction="none").reduce(losses, some)
        tensor([1., 0., 6.])
        >>> Loss(reduction="mean").reduce(losses, some)
        tensor(3.5000)

        Write it with Tensor operations (`masked_fill`, `sum`). About eight lines.
        """
        if counted is not None:
            losses = losses.masked_fill(~counted, 0.0)
        if self.reduction == "none":
            return losses
        if self.reduction == "sum":
            return losses.sum()
        count = losses.numel() if counted is None else int(counted.sum())
        return losses.sum() / (count or math.nan)

    def check_same_shape(self, input: Tensor, target: Tensor) -> None:  # noqa: A002 (PyTorch's name)
        """Refuse what broadcasting would turn into a comparison of everything with everything (given)."""
        if input.shape != target.shape:
            raise ValueError(
                f"{type(self).__name__} needs input and target of one shape, got {input.shape} and {target.shape}"
            )

    def check_float(self, input: Tensor, target: Tensor) -> None:  # noqa: A002 (PyTorch's name)
        """Refuse integers and booleans where probabilities are due (given)."""
        for name, x in (("input", input), ("target", target)):
            if x.dtype.kind != "f":
                raise TypeError(f"{type(self).__name__} takes a float {name}, not {x.dtype}: convert it with to()")

    def extra_repr(self) -> str:
        """The reduction."""
        return f"reduction={self.reduction!r}"


class MSELoss(Loss):
    """Mean squared error: for targets that are quantities, such as a price or a temperature.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 (PyTorch's name)
        """Price each prediction at the square of its distance from the target.

            input (...), target (...)  ->  () or, with reduction="none", (...)

            loss_i = (input_i - target_i)^2

        The shapes must be equal. Targets (N,) against predictions (N, 1) would broadcast to (N, N), every
        prediction compared with every target, and the average of that looks quite plausible: it raises
        ValueError instead (`check_same_shape` does it).

        By hand, for two predictions of three quantities:

        >>> prediction = Tensor([[2.0, 0.0, 1.0], [1.0, 3.0, 2.0]])
        >>> target = Tensor([[1.0, 0.0, 3.0], [1.0, 1.0, 2.0]])
        >>> MSELoss(reduction="none")(prediction, target)
        tensor([[1., 0., 4.],
                [0., 4., 0.]])
        >>> MSELoss(reduction="sum")(prediction, target), MSELoss()(prediction, target)
        (tensor(9.), tensor(1.5000))

        Write it with Tensor operations and `reduce`. About three lines.
        """
        self.check_same_shape(input, target)
        difference = input - target
        return self.reduce(difference * difference)


class ClassLoss(Loss):
    """What the losses for class ids share: `ignore_index`, and bringing scores and ids side by side."""

    def __init__(self, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.ignore_index = ignore_index

    def rows(
        self,
        input: Tensor,  # noqa: A002 (PyTorch's name)
        target: Tensor,
    ) -> tuple[Tensor, NDArray[Any], NDArray[np.bool_] | None]:
        """One row of scores per target, the class id of each row, and which targets count (given).

            input (N, C)            target (N,)            ->  rows (N, C)  ids (N,)
            input (N, C, d1, ...)   target (N, d1, ...)    ->  rows (M, C)  ids (M,)    M = N * d1 * ...
            input (C,)              target ()              ->  rows (1, C)  ids (1,)

        Where the target is `ignore_index`, the id becomes 0, so that it can be looked up, and `counted`,
        in the target's shape, is False. `counted` is None where all of them count.

        >>> scores, target = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), Tensor([2, -100])
        >>> rows, ids, counted = NLLLoss().rows(scores, target)
        >>> ids, counted
        (array([2, 0]), array([ True, False]))
        """
        self._check_classes(input, target)
        classes = input.shape[1] if input.ndim > 1 else input.shape[0]
        rows = input
        if input.ndim != 2:  # the classes move to the end, everything else becomes rows
            rows = input.permute(0, *range(2, input.ndim), 1) if input.ndim > 2 else input
            rows = rows.reshape(-1, classes)
        ids = target.data.reshape(-1)
        counted = ids != self.ignore_index
        outside = ids[counted & ((ids < 0) | (ids >= classes))]
        if outside.size:
            raise IndexError(f"class {outside[0]} in the target, but {classes} classes have ids 0 to {classes - 1}")
        if counted.all():
            return rows, ids, None
        return rows, np.where(counted, ids, 0), counted.reshape(target.shape)

    def _check_classes(self, input: Tensor, target: Tensor) -> None:  # noqa: A002 (PyTorch's name)
        name = type(self).__name__
        if target.dtype.kind not in "iu":
            raise TypeError(f"{name} takes class ids as target, integers such as int64, not {target.dtype}")
        if input.dtype.kind != "f":
            raise TypeError(f"{name} takes a float input, not {input.dtype}")
        due = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
        if input.ndim == 0 or target.shape != due:
            raise ValueError(
                f"{name} takes an input (N, C) and one class id per row, (N,); got {input.shape} and {target.shape}"
            )


class NLLLoss(ClassLoss):
    """Negative log-likelihood: the surprise at the right class, given log-probabilities.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 (PyTorch's name)
        """Price each answer at how surprised the model is by the right class.

            input (N, C) log-probabilities, target (N,) class ids  ->  () or, with "none", (N,)

            loss_i = -input[i, target_i]

        One number per row is read, the one at the target; the others do not matter here. A logarithm of a
        probability is at most 0, so the minus makes a loss of it: 0 for certainty, and more the less the
        right class was expected. A probability of 0.5 costs log 2.

        By hand, with targets 2 and 0, whose probabilities are 0.625 and 0.5:

        >>> log_probs = Tensor([[0.125, 0.25, 0.625], [0.5, 0.25, 0.25]]).log()
        >>> NLLLoss(reduction="none")(log_probs, Tensor([2, 0]))
        tensor([0.4700, 0.6931])
        >>> NLLLoss()(log_probs, Tensor([2, 0]))
        tensor(0.5816)

        `rows` (given) brings any legal input to rows (M, C) and ids (M,), and refuses the others. Two index
        arrays side by side, `x[[0, 1], [2, 0]]`, read one element per pair. Give the losses the target's
        shape before you reduce them. About four lines.
        """
        rows, ids, counted = self.rows(input, target)
        losses = -rows[np.arange(len(ids)), ids]
        return self.reduce(losses.reshape(target.shape), counted)


class CrossEntropyLoss(ClassLoss):
    """Cross-entropy: the surprise at the right class, given raw scores (logits).

    PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """

    def __init__(self, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"label_smoothing lies between 0 and 1, not at {label_smoothing}")
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 (PyTorch's name)
        """Price each row of scores at how surprised its softmax is by the right class.

            input (N, C) logits, target (N,) class ids  ->  () or, with "none", (N,)

        With m the largest score of a row, and t its target:

            loss = log(sum_j exp(x_j - m)) - (x_t - m)

        which is -log softmax(x)[t] with the logarithm taken on paper. The shift by m cancels there, too; in
        float32 it keeps exp from overflowing, and since the softmax itself is never formed, a probability of 0
        is never put into a logarithm. With ``label_smoothing`` e, x_t - m gives way to

            (1 - e) * (x_t - m)  +  e * mean_j (x_j - m)

        so that a share e of the target is spread evenly over all classes, as in PyTorch.

        >>> scores = Tensor([[0.0, math.log(2), math.log(5)]])  # softmax gives 1/8, 2/8 and 5/8
        >>> CrossEntropyLoss()(scores, Tensor([2])), CrossEntropyLoss(label_smoothing=0.3)(scores, Tensor([2]))
        (tensor(0.4700), tensor(0.7226))
        >>> CrossEntropyLoss()(Tensor([[1000.0, 0.0]]), Tensor([1]))
        tensor(1000.)

        Compute with the arrays (`rows.data`) and make one operation of it: `record("cross_entropy", losses,
        (rows,), ...)`. About ten lines; `add_up` of module 01 is the fastest sum along rows.
        """
        rows, ids, counted = self.rows(input, target)
        scores = rows.data
        with np.errstate(all="ignore"):  # first without m, as in log_softmax: most scores need none
            powers = np.exp(scores)  # (M, C)
            logs = np.log(total := add_up(powers, 1))  # (M,)
        if not np.abs(logs).max(initial=0) < 16:
            scores = scores - scores.max(axis=1, keepdims=True)
            powers = np.exp(scores)
            logs = np.log(total := add_up(powers, 1))
        due = scores[np.arange(len(ids)), ids]  # (M,)
        if self.label_smoothing:
            due = (1 - self.label_smoothing) * due + self.label_smoothing * scores.mean(axis=1)
        losses = record(
            "cross_entropy",
            (logs - due).reshape(target.shape),
            (rows,),
            ids=ids,
            label_smoothing=self.label_smoothing,
            softmax=(powers, total),
        )
        return self.reduce(losses, counted)


class BCELoss(Loss):
    """Binary cross-entropy: the surprise at a yes or a no, given the probability of yes.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 (PyTorch's name)
        """Price each probability p of yes at how surprised it is by the target t (1 for yes, 0 for no).

            input (...) in [0, 1], target (...) of the same shape, both float  ->  () or, with "none", (...)

            loss = -(t * log p + (1 - t) * log(1 - p))

        One of the two terms is gone where t is 0 or 1; between them, t is the share of yes. A certain and
        wrong answer would cost infinity, and one such example would drown all others: both logarithms stop
        at -100, as in PyTorch. Unequal shapes raise ValueError, integers TypeError (`check_same_shape`,
        `check_float`), and an input outside [0, 1] RuntimeError: most often it is a score, whose loss is
        `BCEWithLogitsLoss`.

        >>> BCELoss(reduction="none")(Tensor([0.9, 0.2, 0.0]), Tensor([1.0, 0.0, 1.0]))
        tensor([  0.1054,   0.2231, 100.0000])
        >>> BCELoss()(Tensor([0.9, 0.2]), Tensor([1.0, 0.0]))
        tensor(0.1643)

        Compute with the arrays and make one operation of it, `record("binary_cross_entropy", losses,
        (input, target))`: its rule can keep the gradient finite where log p has none. NumPy warns of log(0);
        `np.errstate(divide="ignore")` says that it is meant. About eight lines.
        """
        self.check_same_shape(input, target)
        self.check_float(input, target)
        p, t = input.data, target.data
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError(f"BCELoss takes probabilities, from 0 to 1, but these go from {p.min()} to {p.max()}")
        with np.errstate(divide="ignore"):
            yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
        losses = np.asarray(-(t * yes + (1 - t) * no), p.dtype)  # NumPy 1 widens an array without dimensions
        return self.reduce(record("binary_cross_entropy", losses, (input, target)))


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy from raw scores: a sigmoid and `BCELoss` in one, without their overflow.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 (PyTorch's name)
        """Price each score x at how surprised sigmoid(x) is by the target t (1 for yes, 0 for no).

            input (...) any scores, target (...) of the same shape, both float  ->  () or, with "none", (...)

        Yes or no is a choice between two classes with the scores x and 0, so its loss is a cross-entropy:

            loss = log(exp(x) + exp(0)) - t * x  =  max(x, 0) - t * x + log(1 + exp(-|x|))

        The right-hand side has taken the larger of x and 0 out of the logarithm. Its exponent is never
        positive, so nothing overflows at any x, and a score of 200 for a no costs 200, not 100 and not inf.
        Unequal shapes raise ValueError, integers TypeError (`check_same_shape`, `check_float`).

        >>> BCEWithLogitsLoss(reduction="none")(Tensor([0.0, 2.0, 200.0]), Tensor([1.0, 0.0, 0.0]))
        tensor([  0.6931,   2.1269, 200.0000])

        Compute with the arrays and make one operation of it, `record("binary_cross_entropy_with_logits",
        losses, (input, target))`. `np.log1p(y)` is log(1 + y) and keeps a y too small to show beside 1.
        About five lines.
        """
        self.check_same_shape(input, target)
        self.check_float(input, target)
        x, t = input.data, target.data
        losses = np.maximum(x, 0) - t * x + np.log1p(np.exp(-np.abs(x)))
        losses = np.asarray(losses, x.dtype)  # NumPy 1 widens an array without dimensions
        return self.reduce(record("binary_cross_entropy_with_logits", losses, (input, target)))


class ContrastiveLoss(Loss):
    """Contrastive loss: similar things belong together, different ones at least `margin` apart.

    Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006. Their Y is 0 for
    similar pairs; here the target is 1 for similar pairs, as most code has it. PyTorch has no such class.
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        if not margin > 0:
            raise ValueError(f"margin is a distance above 0, not {margin}")
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Price each pair of vectors by their distance and by whether they belong together.

            input1 (..., D), input2 (..., D), target (...)  ->  () or, with "none", (...)

        With d the Euclidean distance of a pair, m the margin, and y the target (1 similar, 0 different):

            loss = y * d^2 / 2  +  (1 - y) * max(0, m - d)^2 / 2

        Similar pairs pay for every distance. Different ones pay only while they are closer than m; beyond it
        they are left in peace, or pushing the strangers apart would be all that is learnt.

        By hand, for two pairs at distance 5 and one at distance 10, with a margin of 6:

        >>> a = Tensor([[3.0, 4.0], [3.0, 4.0], [6.0, 8.0]])
        >>> b = Tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
        >>> ContrastiveLoss(margin=6.0, reduction="none")(a, b, Tensor([1, 0, 0]))
        tensor([12.5000,  0.5000,  0.0000])

        The square root has an infinite slope at 0, and two equal vectors would poison module 05's gradients with
        nan: take the root of d^2 clamped to at least 1e-24. Unequal shapes raise ValueError; so does a target
        that is not one number per pair. Write it with Tensor operations. About nine lines.
        """
        self.check_same_shape(input1, input2)
        if target.shape != input1.shape[:-1]:
            raise ValueError(f"one target per pair: pairs of shape {input1.shape} and targets {target.shape}")
        similar = target.to(input1.dtype)
        difference = input1 - input2
        squared = (difference * difference).sum(dim=-1)  # (..., D) -> (...)
        gap = (self.margin - squared.clamp(min=1e-24).sqrt()).clamp(min=0.0)
        return self.reduce(0.5 * (similar * squared + (1 - similar) * gap * gap))
