"""Compression: the same answers from fewer numbers.

A trained network knows less than it has numbers for. Four ways to find out how much less: set the smallest weights to
zero (magnitude pruning), take whole units out, so that the arrays really shrink (structured pruning), write a matrix
as the product of two thin ones (low rank), and let a small network learn from a large one (distillation). `compress`
runs such steps one after the other, and weighs the model before and after each.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .activations import (
    GELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Tanh,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    tanh,
)
from .autograd import no_grad
from .layers import Dropout, Identity, Linear, Module, Parameter, Sequential
from .losses import CrossEntropyLoss
from .tensor import Tensor

Array: TypeAlias = NDArray[Any]

# ---- What there is to prune --------------------------------------------------------------------------------


def prunable(target: Tensor | Module, biases: bool = False) -> dict[str, Tensor]:
    """The tensors that pruning works on, by name: the tensor itself, or the weights of a model (given).

    Of a model these are the parameters of two or more dimensions. Biases, and the scales of norms, have one: they are
    few, and each of them reaches all examples. With `biases` they count, too.

    >>> list(prunable(Sequential(Linear(3, 4), ReLU(), Linear(4, 2))))
    ['0.weight', '2.weight']

    Raises:
        TypeError: what is neither a Tensor nor a Module.
        ValueError: there are no weights.
    """
    if not isinstance(target, Tensor | Module):
        raise TypeError(f"weights are those of a Tensor or a Module, not of a {type(target).__name__}")
    tensors: dict[str, Tensor] = {"": target} if isinstance(target, Tensor) else dict(target.named_parameters())
    if isinstance(target, Module) and not biases:
        tensors = {name: tensor for name, tensor in tensors.items() if tensor.ndim >= 2}
    if not sum(tensor.numel() for tensor in tensors.values()):
        raise ValueError(f"this {type(target).__name__} has no weights")
    return tensors


def sparsity(target: Tensor | Module) -> float:
    """Say which share of the weights is zero, from 0 to 1.

    Of a model all weights count together, as one large heap: a layer of 1000 weights says a hundred times as much as
    one of 10. What counts as a weight says `prunable(target)` (given), a dict from name to Tensor, which also refuses
    what has none.

    >>> sparsity(tensor([0.0, 0.5, 0.0, -2.0]))
    0.5
    >>> layers = Linear(3, 4), Linear(4, 1)  # 12 weights and 4
    >>> layers[1].weight.data[...] = 0
    >>> sparsity(Sequential(*layers))
    0.25

    About three lines. `np.count_nonzero` counts what is not zero.
    """
    arrays = [tensor.data for tensor in prunable(target).values()]
    size = sum(array.size for array in arrays)
    return 1 - sum(int(np.count_nonzero(array)) for array in arrays) / size


def sparse_bytes(x: Tensor) -> int:
    """What a tensor takes if its zeros are not stored (given): one bit per place, then the numbers that are there.

    >>> sparse_bytes(tensor([0.0, 0.5, 0.0, -2.0, 0.0, 0.0, 0.0, 0.0])), zeros(8).nbytes
    (9, 32)
    """
    return math.ceil(x.numel() / 8) + int(np.count_nonzero(x.data)) * x.element_size()


# ---- Magnitude pruning -------------------------------------------------------------------------------------


def count_share(amount: float, total: int) -> int:
    """Work out how many of `total` things a share of `amount` is: the nearest whole number.

    `amount` is a share from 0 to 1, both included, for an int, too: 1 is everything. (In PyTorch an int is a number
    of weights, and prune(amount=1) takes away a single one.) Halfway between two numbers it is the even one, as
    Python's `round` has it.

    What is outside, and nan, raises ValueError with the amount. This one check guards all of pruning.

    >>> count_share(0.3, 9), count_share(0.5, 5), count_share(1, 5)  # 2.7 and 2.5 are rounded
    (3, 2, 5)
    >>> count_share(90, 100)
    Traceback (most recent call last):
    ValueError: an amount is a share from 0 to 1, not 90

    Three lines. nan is neither smaller nor larger than anything: ask for what is right, not for what is wrong.
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"an amount is a share from 0 to 1, not {amount}")
    return round(amount * total)


def magnitude_mask(values: Array, amount: float) -> Array:
    """Choose which numbers stay when a share of `amount` goes, the smallest ones first.

        values (...)  ->  (...), bool      True stays, False goes

    Small is what is near zero, on either side of it: -3 is large. Exactly `count_share(amount, values.size)` numbers
    go. Of equal ones the earlier goes, in reading order (row by row), so that even among weights that are all alike
    the share is exact. `values` stay as they are.

    By hand, half of six numbers: 0 goes, then -0.5, and of the two ones the first.

    >>> magnitude_mask(np.array([[1.0, -3.0, 0.0], [-0.5, 2.0, -1.0]]), 0.5)
    array([[False,  True, False],
           [False,  True,  True]])

    About four lines. No threshold is needed: `np.argsort(x, axis=None, kind="stable")` gives the places of all
    numbers, counted in reading order, from the smallest to the largest; equal ones stay in order.
    """
    order = np.argsort(np.abs(values), axis=None, kind="stable")
    keep = np.ones(values.size, bool)
    keep[order[: count_share(amount, values.size)]] = False
    return keep.reshape(values.shape)


class Masks:
    """Which weights were kept: what `magnitude_prune` leaves, so that training cannot undo it.

    `tensors` are the pruned tensors by name, `kept` an array of booleans for each, True where the weight stays.
    """

    def __init__(self, tensors: Mapping[str, Tensor], kept: Mapping[str, Array]) -> None:
        self.tensors = dict(tensors)
        self.kept = dict(kept)

    def apply(self) -> None:
        """Set all weights to zero that are not kept.

        An optimiser knows nothing of masks. Its first step moves all weights, the zeros as well, and the sparsity is
        gone. Whoever trains a pruned model calls `apply()` after each `optimizer.step()`.

        The numbers are written into the arrays that are there (`tensor.data[...]`). Where a mask says False, 0 is
        written, whatever stood there: 0 * inf would be nan.

        >>> weight = Parameter([[1.0, -3.0, 0.25]])
        >>> masks = magnitude_prune(weight, 2 / 3)
        >>> weight.data += 5
        >>> masks.apply()
        >>> weight.tolist()
        [[0.0, 2.0, 0.0]]

        Two lines. `~mask` turns True and False around.
        """
        for name, tensor in self.tensors.items():
            tensor.data[~self.kept[name]] = 0


def magnitude_prune(target: Tensor | Module, amount: float, *, per_layer: bool = False, biases: bool = False) -> Masks:
    """Set the smallest weights of a tensor or a model to zero, in place.

    A share of `amount` of all weights is zero afterwards. It is a share of all there are: pruning by a half and then
    by three quarters leaves a quarter, since the zeros are the first to go. The arrays keep their sizes, and so the
    model its time and its bytes.

    The weights of a model compete with each other, over all layers: one that is of little use may lose nearly
    everything. (Equal ones go in the order of the layers.) With `per_layer` each weight array loses that share of its
    own. Biases stay as they are, unless `biases` is true: `prunable(target, biases)` (given) gives the tensors, by
    name.

    Returns the `Masks`, by the same names, after they were applied. As torch.nn.utils.prune.global_unstructured and
    l1_unstructured (https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.global_unstructured.html).

    By hand, half of four weights:

    >>> model = Sequential(Linear(2, 1), Linear(1, 2))
    >>> model[0].weight.data[...] = [[1.0], [-2.0]]
    >>> model[1].weight.data[...] = [[3.0, 4.0]]
    >>> masks = magnitude_prune(model, 0.5)
    >>> model[0].weight.tolist(), model[1].weight.tolist()
    ([[0.0], [0.0]], [[3.0, 4.0]])
    >>> masks.kept["0.weight"].tolist(), sparsity(model)
    ([[False], [False]], 0.5)

    With `per_layer`, 1 and 3 would have gone. About eleven lines with `magnitude_mask`. `np.concatenate` puts flat
    arrays behind each other, and `np.split(array, places)` cuts them apart again.
    """
    tensors = prunable(target, biases)
    if per_layer:
        kept = {name: magnitude_mask(tensor.data, amount) for name, tensor in tensors.items()}
    else:
        together = magnitude_mask(np.concatenate([tensor.data.ravel() for tensor in tensors.values()]), amount)
        ends = np.cumsum([tensor.numel() for tensor in tensors.values()])
        parts = zip(tensors.items(), np.split(together, ends[:-1]), strict=True)
        kept = {name: part.reshape(tensor.shape) for (name, tensor), part in parts}
    masks = Masks(tensors, kept)
    masks.apply()
    return masks


# ---- Structured pruning: whole units -----------------------------------------------------------------------

# What may stand between two Linear layers of which units are taken out: it treats each unit for itself.
PER_UNIT = (ReLU, LeakyReLU, Sigmoid, Tanh, GELU, Dropout, Identity)
PER_UNIT_FUNCTIONS = (relu, leaky_relu, sigmoid, tanh, gelu)


def hidden_layers(model: Sequential) -> list[tuple[int, int]]:
    """Where the hidden units of an MLP are (given): pairs of places of two Linear layers that follow each other.

    >>> hidden_layers(Sequential(Linear(3, 8), ReLU(), Dropout(0.1), Linear(8, 4), Tanh(), Linear(4, 2)))
    [(0, 3), (3, 5)]

    Raises:
        TypeError: the model is no Sequential, or something else than an activation stands between two Linear layers.
        ValueError: there are no hidden units, two layers do not fit together, or one stands in two places.
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"units are taken out of a Sequential, not of a {type(model).__name__}")
    places = [place for place, layer in enumerate(model) if isinstance(layer, Linear)]
    if len(places) < 2:
        raise ValueError("hidden units lie between two Linear layers, and this model has fewer")
    if len({id(model[place]) for place in places}) < len(places):
        raise ValueError("a Linear layer stands in two places of this model: units of one are inputs of the other")
    pairs = list(itertools.pairwise(places))
    for first, second in pairs:
        for layer in model[first + 1 : second]:
            if not isinstance(layer, PER_UNIT) and layer not in PER_UNIT_FUNCTIONS:
                kind = getattr(layer, "__name__", type(layer).__name__)
                raise TypeError(f"{kind} stands between two Linear layers, and may mix units: none can be taken out")
        units, inputs = model[first].out_features, model[second].in_features
        if units != inputs:
            raise ValueError(f"layer {first} has {units} units, but layer {second} takes {inputs}")
    return pairs


def linear(weight: Array, bias: Array | None, training: bool = True) -> Linear:
    """A Linear layer with these numbers, of which it keeps copies (given).

    >>> linear(np.ones((3, 2)), None)
    Linear(in_features=3, out_features=2, bias=False)
    """
    layer = Linear(weight.shape[0], weight.shape[1], bias=bias is not None)
    layer.weight = Parameter(weight.copy(), dtype=weight.dtype)
    layer.bias = None if bias is None else Parameter(bias.copy(), dtype=bias.dtype)
    layer.training = training
    return layer


def unit_scores(layer: Linear, following: Linear) -> Array:
    """Say for every unit of a hidden layer how much it may matter.

        layer (in, units), following (units, out)  ->  (units,)

        score_j = sqrt(sum_i layer.weight[i, j]^2 + layer.bias[j]^2)  *  sqrt(sum_k following.weight[j, k]^2)

    The first root is the size of what goes into the unit, its bias included (where the layer has one), the second the
    size of what goes out. Neither is enough alone. A ReLU unit with ten times the weights in front of it and a tenth
    of them behind computes the same function, so it must have the same score: the product has it.

    By hand, unit 0 has 3 and 4 in front (5 together), and 0 and 2 behind; unit 1 has 0 and 1 in front, 6 and 8 behind:

    >>> layer, following = Linear(2, 2, bias=False), Linear(2, 2)
    >>> layer.weight.data[...] = [[3, 0], [4, 1]]
    >>> following.weight.data[...] = [[0, 2], [6, 8]]
    >>> unit_scores(layer, following).tolist()
    [10.0, 10.0]

    About five lines of NumPy.
    """
    incoming = np.square(layer.weight.data).sum(axis=0)  # (in, units) -> (units,)
    if layer.bias is not None:
        incoming = incoming + np.square(layer.bias.data)
    outgoing = np.square(following.weight.data).sum(axis=1)  # (units, out) -> (units,)
    scores: Array = np.sqrt(incoming) * np.sqrt(outgoing)
    return scores


def remove_units(layer: Linear, following: Linear, keep: Array) -> tuple[Linear, Linear]:
    """Make two smaller layers, which have only the units `keep` between them.

        layer (in, units), following (units, out), keep (n,) ids  ->  (in, n) and (n, out)

    A unit is a column of the weight in front of it, a number of that bias, and a row of the weight behind. All three
    go together. The bias behind belongs to the outputs, and stays whole. The given layers stay as they are; the new
    ones share no memory with them.

    >>> layer, following = Linear(2, 3), Linear(3, 2)
    >>> layer.weight.data[...] = [[1, 2, 3], [4, 5, 6]]
    >>> following.weight.data[...] = [[1, 10], [2, 20], [3, 30]]
    >>> smaller, fitted = remove_units(layer, following, np.array([0, 2]))
    >>> smaller.weight.tolist(), fitted.weight.tolist()
    ([[1.0, 3.0], [4.0, 6.0]], [[1.0, 10.0], [3.0, 30.0]])
    >>> smaller.bias.shape, fitted.bias.shape
    ((2,), (2,))

    About five lines. `linear(weight, bias, training)` (given) makes a layer of two arrays, or of one and None.
    """
    bias = None if layer.bias is None else layer.bias.data[keep]
    smaller = linear(layer.weight.data[:, keep], bias, layer.training)
    rest = None if following.bias is None else following.bias.data
    return smaller, linear(following.weight.data[keep], rest, following.training)


def structured_prune(model: Sequential, amount: float) -> Sequential:
    """Take whole hidden units out of an MLP; a smaller model comes back, and the given one stays as it is.

    Of every hidden layer a share of `amount` goes, `count_share(amount, units)` units, those with the lowest score
    first (of equal ones the earlier). At least one always stays. Inputs and outputs of the model keep their sizes.
    The remaining units keep their order, and what they compute: the small model equals the large one in which the
    rows behind the missing units are zero.

    The layers are taken from front to back: a unit whose inputs have just gone is scored by those that are left.
    `hidden_layers(model)` (given) gives the places of each layer with hidden units and of the one behind it, and
    refuses models whose units cannot be told apart. The small model is in the mode, training or not, of the given one.

    >>> model = Sequential(Linear(64, 128), ReLU(), Linear(128, 32), ReLU(), Linear(32, 10))
    >>> structured_prune(model, 0.75)
    Sequential(
      (0): Linear(in_features=64, out_features=32, bias=True)
      (1): ReLU()
      (2): Linear(in_features=32, out_features=8, bias=True)
      (3): ReLU()
      (4): Linear(in_features=8, out_features=10, bias=True)
    )

    About eight lines. `copy.deepcopy(layer)` copies any layer; `Sequential(list)` makes a model of a list.
    """
    pairs = hidden_layers(model)
    layers = [copy.deepcopy(layer) for layer in model]
    for first, second in pairs:
        scores = unit_scores(layers[first], layers[second])
        gone = min(count_share(amount, scores.size), scores.size - 1)
        keep = np.sort(np.argsort(scores, kind="stable")[gone:])
        layers[first], layers[second] = remove_units(layers[first], layers[second], keep)
    smaller = Sequential(layers)
    smaller.training = model.training
    return smaller


# ---- Low rank: two thin matrices for a thick one ------------------------------------------------------------


def check_rank(rank: int, shape: tuple[int, ...]) -> None:
    """Refuse a rank that a matrix of this shape cannot have (given).

    >>> check_rank(5, (8, 4))
    Traceback (most recent call last):
    ValueError: rank 5 does not fit a matrix of shape (8, 4): it is from 1 to 4
    """
    if len(shape) != 2:
        raise ValueError(f"rank is that of a matrix, not of an array of shape {shape}")
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer):
        raise TypeError(f"a rank is an integer, not {rank!r}")
    if not 1 <= rank <= min(shape):
        raise ValueError(f"rank {rank} does not fit a matrix of shape {shape}: it is from 1 to {min(shape)}")


def low_rank_factors(weight: Array, rank: int) -> tuple[Array, Array]:
    """Find two thin matrices whose product is as near to a matrix as any product of this rank can be.

        weight (m, n)  ->  down (m, rank), up (rank, n), in weight's dtype      down @ up is nearly weight

    The singular value decomposition writes every matrix as U S V^T: directions in, strengths (the singular values,
    from large to small), directions out. Keep the `rank` strongest. Eckart and Young proved in 1936 that nothing of
    this rank comes closer, in the sum of the squared differences. Each strength must be in the product once: with U,
    with V^T, or its root with both. `check_rank(rank, weight.shape)` (given) refuses other ranks.

    By hand, a diagonal matrix shows its singular values, 3 and 2. Of the two directions the stronger stays:

    >>> down, up = low_rank_factors(np.array([[3.0, 0.0], [0.0, -2.0]]), 1)
    >>> down.shape, up.shape, (down @ up).round(4).tolist() == [[3, 0], [0, 0]]
    ((2, 1), (1, 2), True)

    Four lines. `np.linalg.svd(weight, full_matrices=False)` gives U, the strengths as a vector, and V^T, whose rows
    are directions.
    """
    check_rank(rank, weight.shape)
    u, strengths, vt = np.linalg.svd(weight, full_matrices=False)
    root = np.sqrt(strengths[:rank])
    return u[:, :rank] * root, root[:, None] * vt[:rank]


def low_rank_error(weight: Array, rank: int) -> float:
    """Say how far the best matrix of this rank is from a matrix, without making it.

        error = sqrt(s_(rank + 1)^2 + s_(rank + 2)^2 + ...)      s_1, s_2, ... the singular values, largest first

    This is the Frobenius norm of weight - down @ up, the root of the sum of all squared differences: what was left
    out is all that is missing, and singular directions stand at right angles, so their squares add up. At full rank
    nothing is left out. `check_rank` refuses other ranks.

    >>> weight = np.array([[5.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 3.0]])
    >>> [round(low_rank_error(weight, rank), 4) for rank in (1, 2, 3)]
    [5.0, 3.0, 0.0]

    Three lines. `np.linalg.svd(weight, compute_uv=False)` gives the singular values alone.
    """
    check_rank(rank, weight.shape)
    strengths = np.linalg.svd(weight, compute_uv=False)
    return float(np.sqrt(np.square(strengths[rank:]).sum()))


class LowRankLinear(Module):
    """A Linear layer through a narrow passage: `x @ down.weight @ up.weight + up.bias`.

    `LowRankLinear(in_features, rank, out_features)` has rank * (in + out) weights in place of in * out. Its two parts
    are Linear layers, so that whatever counts or quantises those works here, too.

    >>> layer = LowRankLinear(100, 5, 40)
    >>> [(name, p.shape) for name, p in layer.named_parameters()]
    [('down.weight', (100, 5)), ('up.weight', (5, 40)), ('up.bias', (40,))]
    """

    down: Linear
    up: Linear

    def __init__(self, in_features: int, rank: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        check_rank(rank, (in_features, out_features))
        self.down = Linear(in_features, rank, bias=False)
        self.up = Linear(rank, out_features, bias=bias)

    @classmethod
    def from_linear(cls, layer: Linear, rank: int) -> LowRankLinear:
        """Make the low-rank layer that comes nearest to a Linear layer.

        Its weights are `low_rank_factors` of the layer's weight, its bias is the layer's, or None. The given layer
        stays as it is, and shares no memory with the new one, which has its dtype. At full rank both compute the same.

        >>> layer = Linear(6, 4)
        >>> thin = LowRankLinear.from_linear(layer, 4)
        >>> x = randn(3, 6)
        >>> bool(np.allclose(thin(x).data, layer(x).data, atol=1e-5)), thin.down.weight.shape
        (True, (6, 4))

        All of it is in the mode, training or not, of the given layer. About six lines. `cls(in_features, rank,
        out_features)` makes a layer, and `linear(weight, bias, training)` (given) the two parts to put into it.
        """
        down, up = low_rank_factors(layer.weight.data, rank)
        thin = cls(layer.in_features, rank, layer.out_features)
        thin.down = linear(down, None, layer.training)
        thin.up = linear(up, None if layer.bias is None else layer.bias.data, layer.training)
        thin.training = layer.training
        return thin

    def forward(self, x: Tensor) -> Tensor:
        """Send x through the passage: (..., in_features) -> (..., rank) -> (..., out_features) (given)."""
        return self.up(self.down(x))  # type: ignore[no-any-return]  # a layer gives a Tensor


def low_rank(model: Module, rank: int) -> Module:
    """A copy of a model with LowRankLinear in place of every Linear layer that gets smaller by it (given).

    That is where rank * (in + out) < in * out. The others stay as they are.

    >>> low_rank(Sequential(Linear(64, 32), ReLU(), Linear(32, 10)), 8)
    Sequential(
      (0): LowRankLinear(
        (down): Linear(in_features=64, out_features=8, bias=False)
        (up): Linear(in_features=8, out_features=32, bias=True)
      )
      (1): ReLU()
      (2): Linear(in_features=32, out_features=10, bias=True)
    )
    """
    top = Module()
    top.model = copy.deepcopy(model)
    made: dict[int, LowRankLinear] = {}  # a layer that stands in two places becomes one that stands in two places
    for module in list(top.modules()):
        for name, layer in list(module._modules.items()):
            if type(layer) is Linear and rank * (layer.in_features + layer.out_features) < layer.weight.numel():
                if id(layer) not in made:
                    made[id(layer)] = LowRankLinear.from_linear(layer, rank)
                setattr(module, name, made[id(layer)])
    return top.model  # type: ignore[no-any-return]  # assigned above, a Module


# ---- Distillation: a small network learns from a large one ----------------------------------------------------


def check_distillation(student: Tensor, teacher: Tensor, temperature: float, alpha: float) -> None:
    """Refuse what `distillation_loss` cannot work with (given).

    >>> check_distillation(zeros(2, 3), zeros(2, 4), 2.0, 0.5)
    Traceback (most recent call last):
    ValueError: student and teacher give logits of one shape (N, C), not (2, 3) and (2, 4)
    >>> check_distillation(zeros(2, 3), zeros(2, 3), 0.0, 0.5)
    Traceback (most recent call last):
    ValueError: a temperature is a finite number above 0, not 0.0
    """
    if student.shape != teacher.shape or student.ndim != 2:
        raise ValueError(
            f"student and teacher give logits of one shape (N, C), not {student.shape} and {teacher.shape}"
        )
    if not 0 < temperature < math.inf:
        raise ValueError(f"a temperature is a finite number above 0, not {temperature}")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is a share from 0 to 1, not {alpha}")


def distillation_loss(
    student_logits: Tensor, teacher_logits: Tensor, targets: Tensor, temperature: float = 2.0, alpha: float = 0.5
) -> Tensor:
    """Price a student's answers by what the teacher thinks of each class, and by the right class.

        student_logits (N, C), teacher_logits (N, C), targets (N,) class ids  ->  ()

        loss = alpha * T^2 * KL(p || q)  +  (1 - alpha) * cross-entropy(student_logits, targets)

        p = softmax(teacher_logits / T),  q = softmax(student_logits / T)
        KL(p || q) = mean over the rows of  sum_c p_c * (log p_c - log q_c)

    A teacher that says "3, perhaps 8, surely no 1" tells more than the label 3. A temperature T above 1 makes the
    small probabilities large enough to be heard. It also makes the gradient of KL smaller, by about T^2; the factor
    T^2 makes up for that, so that alpha means the same at any T.

    The teacher does not learn here: no gradient reaches its logits. The cross-entropy is taken without T.
    `check_distillation` (given) refuses other shapes, temperatures and alphas. (Hinton, Vinyals and Dean, 2015,
    arXiv:1503.02531.)

    By hand, with T = 2: the teacher says [3/4, 1/4], the student [1/2, 1/2], so KL is
    0.75 * log 1.5 + 0.25 * log 0.5 = 0.1308, and the cross-entropy of the student is log 2 = 0.6931.

    >>> teacher, student = tensor([[2 * math.log(3), 0.0]]), tensor([[0.0, 0.0]])
    >>> distillation_loss(student, teacher, tensor([0]), temperature=2.0, alpha=1.0)  # 4 * 0.1308
    tensor(0.5232)
    >>> distillation_loss(student, teacher, tensor([0]), temperature=2.0, alpha=0.0)
    tensor(0.6931)
    >>> round(0.75 * math.log(1.5) + 0.25 * math.log(0.5), 4)
    0.1308

    About seven lines of Tensor operations: `log_softmax`, `exp`, `detach()`, and `CrossEntropyLoss()` of module 04.
    """
    check_distillation(student_logits, teacher_logits, temperature, alpha)
    log_p = log_softmax(teacher_logits.detach() / temperature)
    log_q = log_softmax(student_logits / temperature)
    divergence = (log_p.exp() * (log_p - log_q)).sum(dim=-1).mean()
    hard = CrossEntropyLoss()(student_logits, targets)
    return alpha * temperature**2 * divergence + (1 - alpha) * hard  # type: ignore[no-any-return]  # a Tensor


def distill_step(
    student: Module,
    teacher: Module,
    batch: tuple[Tensor, Tensor],
    optimizer: Any,
    temperature: float = 2.0,
    alpha: float = 0.5,
) -> float:
    """One step in which a student learns from a batch and its teacher (given); the loss comes back.

    The teacher is set to `eval()`, and stays so: it only answers.
    """
    x, targets = batch
    teacher.eval()
    with no_grad():
        advice = teacher(x)
    optimizer.zero_grad()
    loss = distillation_loss(student.train()(x), advice, targets, temperature, alpha)
    loss.backward()
    optimizer.step()
    return float(loss.item())


# ---- One step after the other --------------------------------------------------------------------------------


def stored_bytes(model: Module) -> int:
    """What the numbers of a model take in memory (given): all that its modules keep and that has bytes, each once.

    >>> stored_bytes(Sequential(Linear(3, 4), ReLU(), Linear(4, 2)))  # 12 + 4 + 8 + 2 numbers of 4 bytes
    104
    """
    kept = {id(value): value for module in model.modules() for value in vars(module).values()}
    return sum(int(value.nbytes) for value in kept.values() if hasattr(value, "nbytes"))


class Step(NamedTuple):
    """One step of `compress`: its name, and the bytes of the model before and after it."""

    name: str
    before: int
    after: int


class Compressed(NamedTuple):
    """What `compress` gives: the small model, and what each step did.

    >>> steps = [Step("units", 800, 400), Step("int8", 400, 100)]
    >>> print(Compressed(Linear(1, 1), steps))
    units      800 ->    400 bytes   2.0x
    int8       400 ->    100 bytes   4.0x
    total      800 ->    100 bytes   8.0x
    """

    model: Module
    steps: list[Step]

    @property
    def ratio(self) -> float:
        """How many times smaller the model has become."""
        return self.steps[0].before / max(1, self.steps[-1].after) if self.steps else 1.0

    def __str__(self) -> str:
        lines = list(self.steps)
        if lines:
            lines.append(Step("total", lines[0].before, lines[-1].after))
        width = max((len(step.name) for step in lines), default=0)
        return "\n".join(
            f"{step.name:{width}}  {step.before:>7} -> {step.after:>6} bytes  {step.before / max(1, step.after):4.1f}x"
            for step in lines
        )


def compress(
    model: Module,
    steps: Mapping[str, Callable[[Any], Any]],
    measure: Callable[[Module], int] = stored_bytes,
) -> Compressed:
    """Send a copy of a model through a row of steps, and weigh it before and after each.

    `steps` maps names to functions of a model, which run in their order. A function that returns a Module hands over
    a new model, with which it goes on. One that returns anything else, such as the Masks of `magnitude_prune`, has
    changed the model in place. Whatever the steps do, the model that was given stays as it is.

    Nothing is predicted: before and after each step `measure(model)` says how many bytes there are. Returns
    `Compressed(model, steps)`, with a `Step(name, before, after)` for each step. What no Module is raises TypeError.

    >>> model = Sequential(Linear(8, 16), ReLU(), Linear(16, 4))
    >>> small = compress(model, {
    ...     "half of the units": lambda model: structured_prune(model, 0.5),
    ...     "smallest weights": lambda model: magnitude_prune(model, 0.5),
    ... })
    >>> print(small)
    half of the units      848 ->    432 bytes   2.0x
    smallest weights       432 ->    432 bytes   1.0x
    total                  848 ->    432 bytes   2.0x
    >>> sparsity(small.model), sparsity(model)
    (0.5, 0.0)

    About ten lines. `copy.deepcopy(model)` copies a model with all that belongs to it.
    """
    if not isinstance(model, Module):
        raise TypeError(f"compress takes a Module, not a {type(model).__name__}")
    current = copy.deepcopy(model)
    done = []
    for name, step in steps.items():
        before = measure(current)
        result = step(current)
        if isinstance(result, Module):
            current = result
        done.append(Step(name, before, measure(current)))
    return Compressed(current, done)
