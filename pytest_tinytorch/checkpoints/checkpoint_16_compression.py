"""Checkpoint 16: compression.

Nothing is believed that a compressed model says of itself: its arrays are fetched, and compared with what NumPy makes
of the same numbers. Weights that are ranked lie so far apart that rounding cannot change their order.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array, unchanged

SIGNED = "signs were not taken off: -3 was taken for smaller than 0. What counts is the distance from zero."
TURNED = "what should go stayed, and what should stay went. The smallest numbers go."
TIES = "of equal numbers all went, or none. Take exactly count_share(amount, size) of them, the earlier first."
HEAP = "each layer lost its own share. Without per_layer all weights compete with each other."
ZEROS = "the units are zero, but still there. Take their columns, and the rows behind them, out of the arrays."
MEMORY = "the new layers share memory with the old ones. Copy the numbers."


# ---- what checks have in common -----------------------------------------------------------------------------


def text(a):
    """Numbers as one types them: [[1.5, -2.0], [0.25, 3.0]]."""
    return str(np.asarray(a).tolist())


def thing(value, what):
    """The student's object; a plain value in its place is a mismatch."""
    if value is None or isinstance(value, bool | int | float | str | tuple | list | dict | np.ndarray | np.generic):
        same(value, "an object", what=what)
    return value


def numbers(model, what):
    """All arrays of a model, by name."""
    state = thing(model, what).state_dict()
    if type(state) is not dict or not all(type(array) is np.ndarray for array in state.values()):
        same(state, "a dict of arrays", what=f"{what}.state_dict()")
    return state


def compared(model, right, what, mistakes=()):
    """The arrays of a model beside those that are due: what it is called, the array, the right one, its mistakes.

    The model has arrays of these names, and no others; mistakes are (whole dict of arrays, what to say).
    """
    state = numbers(model, what)
    same(list(state), list(right), what=f"the names of the arrays of {what}")
    for name, array in right.items():
        yield f"{name} of {what}", state[name], array, [Mistake(arrays[name], says) for arrays, says in mistakes]


def pair(value, shapes, what):
    """Two plain arrays of these shapes; anything else is a mismatch."""
    if type(value) is not tuple or len(value) != 2 or not all(type(a) is np.ndarray for a in value):
        same(value, "a pair of arrays", what=what)
    same([a.shape for a in value], list(shapes), what=f"shapes of {what}")
    return value


def apart(draw, *shape):
    """Numbers of different magnitude and random sign, in random order: eighths that are never equal or opposite."""
    count = math.prod(shape)
    return np.asarray((draw.permutation(count) + 1) / 8 * draw.rng.choice([-1, 1], count), np.float32).reshape(shape)


def kept(values, gone, key=np.abs):
    """True for what stays when `gone` numbers go, the smallest first, the earlier first of equal ones."""
    mask = np.ones(values.size, bool)
    mask[np.argsort(key(values), axis=None, kind="stable")[:gone]] = False
    return mask.reshape(values.shape)


def mlp(draw, sizes, places):
    """Random numbers for the Linear layers of an MLP, which stand at these places of a Sequential."""
    shapes = zip(places, sizes, sizes[1:], strict=False)
    layers = [(place, draw.normal(n, m), draw.normal(m)) for place, n, m in shapes]
    return {k: a for place, w, b in layers for k, a in ((f"{place}.weight", w), (f"{place}.bias", b))}


def relu_mlp(tt, sizes):
    """Linear layers of these sizes with ReLU between them; the layers stand at 0, 2, 4."""
    layers = [tt.Linear(n, m) for n, m in itertools.pairwise(sizes)]
    mixed = [layer for linear in layers for layer in (linear, tt.ReLU())]
    return named(tt.Sequential(*mixed[:-1]), "model")


def scored(p, first, second):
    """The score of each unit between two layers."""
    incoming = np.square(np.float64(p[f"{first}.weight"])).sum(0) + np.square(np.float64(p[f"{first}.bias"]))
    return np.sqrt(incoming) * np.sqrt(np.square(np.float64(p[f"{second}.weight"])).sum(1))


def without(p, first, second, keep):
    """The arrays without the units that are not kept."""
    weight, bias, behind = f"{first}.weight", f"{first}.bias", f"{second}.weight"
    return p | {weight: p[weight][:, keep], bias: p[bias][keep], behind: p[behind][keep]}


def shrunk(p, places, gone, scores=None):
    """An MLP's arrays without the `gone[i]` lowest units of hidden layer i; front to back, or by ready scores."""
    for i, (first, second) in enumerate(itertools.pairwise(places)):
        found = scored(p, first, second) if scores is None else scores[i]
        p = without(p, first, second, np.sort(np.argsort(found, kind="stable")[gone[i] :]))
    return p


def shrunk_backwards(p, gone):
    """The arrays of three layers when the second hidden layer is pruned first."""
    for (first, second), n in zip(((2, 4), (0, 2)), gone, strict=False):
        p = without(p, first, second, np.sort(np.argsort(scored(p, first, second))[n:]))
    return p


def clear(values, closest=1e-3):
    """Whether numbers lie so far apart that no rounding changes their order."""
    gaps = np.diff(np.sort(np.asarray(values).ravel()))
    return gaps.size == 0 or gaps.min() > closest * np.abs(values).max()


def clear_mlp(draw, sizes, places, gone):
    """Like mlp, with scores that lie apart, at first and on the way."""
    while True:
        p = mlp(draw, sizes, places)
        second = p
        fine = True
        for i, (a, b) in enumerate(itertools.pairwise(places)):
            scores = scored(second, a, b)
            fine = fine and clear(scores) and clear(scored(p, a, b))
            second = without(second, a, b, np.sort(np.argsort(scores, kind="stable")[gone[i] :]))
        if fine:
            return p


def of_strengths(draw, m, n, strengths):
    """A random (m, n) matrix, float32, with these singular values; and the three parts of it."""
    u = np.linalg.qr(draw.rng.standard_normal((m, m)))[0][:, : len(strengths)]
    v = np.linalg.qr(draw.rng.standard_normal((n, n)))[0][:, : len(strengths)]
    return ((u * strengths) @ v.T).astype(np.float32), u, np.asarray(strengths), v.T


def strengths(draw, count):
    """Singular values that lie well apart, largest first."""
    return np.sort(draw.permutation(3 * count)[:count] + 1.0)[::-1]


def log_probabilities(x):
    """The logarithm of the softmax of each row."""
    x = np.float64(x) - np.float64(x).max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def divergence(teacher, student, temperature):
    """p * (log p - log q) of each row and class."""
    p, q = (log_probabilities(np.float64(x) / temperature) for x in (teacher, student))
    return np.exp(p) * (p - q)


def surprise(logits, targets):
    """The cross-entropy, a mean over the rows."""
    return -log_probabilities(logits)[np.arange(len(targets)), targets].mean()


# ---- sparsity -----------------------------------------------------------------------------------------------


@exercise("sparsity", points=1)
def test_sparsity_of_a_tensor(tt, draw):
    """sparsity is the share of zeros in a tensor"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    zeros = draw.choice([z for z in range(1, n * m) if 2 * z != n * m])  # not half of them
    a.reshape(-1)[draw.permutation(n * m)[:zeros]] = 0
    right = zeros / a.size
    same(
        tt.sparsity(tt.tensor(a)),
        right,
        mistakes=[
            Mistake(1 - right, "this is the share of what is not zero. 1 means that nothing is left."),
            Mistake(zeros, "this is the number of zeros. Divide by the number of all weights."),
            Mistake(float((a <= 0).mean()), "negative numbers were counted as zeros."),
        ],
        what=f"sparsity(tensor({text(a)}))",
        smaller="sparsity(tensor([0., 1., 2., 3.])) is 0.25",
    )


@exercise("sparsity", points=2)
def test_sparsity_of_a_model(tt, draw):
    """sparsity takes all weights of a model for one heap, without the biases"""
    n, m, k = draw.sizes(3)
    p = {"0.weight": draw(n, m), "0.bias": draw(m), "2.weight": draw(m, k), "2.bias": draw(k)}
    p["0.weight"].reshape(-1)[draw.permutation(n * m)[: draw.integers(1, n * m // 2)]] = 0  # less than half of all
    p["2.bias"][0] = p["0.bias"][0] = p["2.weight"][0, 0] = 0
    model = relu_mlp(tt, (n, m, k))
    model.load_state_dict(p)
    weights = (p["0.weight"], p["2.weight"])
    zeros = [int((a == 0).sum()) for a in weights]
    right = sum(zeros) / sum(a.size for a in weights)
    everything = sum((a == 0).sum() for a in p.values()) / sum(a.size for a in p.values())
    same(
        tt.sparsity(model),
        float(right),
        what="sparsity(model)",
        mistakes=[
            Mistake(np.mean([(a == 0).mean() for a in weights]), "this is the mean of the layers' shares. A large "
                    "layer says more than a small one: add up zeros and sizes first."),
            Mistake(float(everything), "biases were counted, too. prunable(target) gives what counts as a weight."),
            Mistake(1 - right, "this is the share of what is not zero."),
        ],
    )  # fmt: skip


@exercise("sparsity", points=1)
def test_sparsity_of_nothing_is_refused(tt, draw):
    """sparsity refuses a model without weights, and what is neither Tensor nor Module"""
    a = draw(4, 6) * (draw(4, 6) > 0)
    raises(ValueError, lambda: tt.sparsity(tt.Sequential()), mentions=["Sequential"])
    raises(TypeError, lambda: tt.sparsity(a.tolist()), mentions=["list"])
    same(tt.sparsity(tt.tensor(a)), float((a == 0).mean()))


# ---- count_share --------------------------------------------------------------------------------------------


@exercise("count_share", points=2)
def test_a_share_becomes_the_nearest_whole_number(tt, draw):
    """count_share gives the whole number that is nearest to amount * total"""
    total = int(draw.integers(50, 100))
    whole = np.append(draw.integers(1, total - 1, 4), [draw.integers(1, total - 1)] * 2)
    parts = np.append(draw.uniform(0.55, 0.95, 3), draw.uniform(0.05, 0.45, 3))[draw.permutation(6)]
    amounts = [float(a) for a in (whole + parts) / total]
    right = [round(a * total) for a in amounts]
    same(
        [tt.compression.count_share(a, total) for a in amounts],
        right,
        what=f"[count_share(amount, {total}) for amount in {[round(a, 4) for a in amounts]}]",
        mistakes=[
            Mistake([int(a * total) for a in amounts], "what comes behind the point was cut off. Use round."),
            Mistake([math.ceil(a * total) for a in amounts], "every count was rounded up. Use round."),
            Mistake([a * total for a in amounts], "these are no whole numbers yet. Use round."),
        ],
        smaller="count_share(0.7, 4) is 3",
    )


@exercise("count_share", points=1)
def test_nothing_everything_and_half(tt, draw):
    """count_share gives 0 for 0 and all for 1, an int or not, and half of an odd number to the even side"""
    total, odd = int(draw.integers(10, 99)), 2 * int(draw.integers(5, 40)) + 1
    asked = [(0, total), (1, total), (0.0, total), (1.0, total), (0.5, odd), (0.5, odd + 2)]
    right = [0, total, 0, total, round(odd / 2), round((odd + 2) / 2)]
    up, one = [0, total, 0, total, odd // 2 + 1, odd // 2 + 2], [0, 1, 0, total, *right[4:]]
    same(
        [tt.compression.count_share(*pair) for pair in asked],
        right,
        what=f"[count_share(amount, total) for amount, total in {asked}]",
        mistakes=[
            Mistake(up, "halves were rounded up. Python's round takes the even neighbour."),
            Mistake(one, "1 was taken for a number of weights. It is a share here: everything."),
        ],
    )


@exercise("count_share", points=2)
def test_amounts_outside_0_to_1_are_refused(tt, draw):
    """an amount below 0, above 1, or nan raises ValueError that says it"""
    total, percent = int(draw.integers(10, 99)), int(draw.integers(2, 100))
    below = -int(draw.integers(1, 8)) / 8
    count = tt.compression.count_share
    raises(ValueError, lambda: count(percent, total), mentions=[percent])
    raises(ValueError, lambda: count(below, total), mentions=[below])
    raises(ValueError, lambda: count(1.125, total), mentions=[1.125])
    raises(ValueError, lambda: count(math.nan, total), mentions=["nan"])
    same(count(0.25, 4 * total), total)


# ---- magnitude_mask -----------------------------------------------------------------------------------------


def mask_and_values(values, amount):
    """The mask for an array, and what is in the array afterwards."""
    mask = tt.magnitude_mask(values, amount)
    return np.concatenate([np.asarray(mask).ravel().astype(float), values.ravel()])


@exercise("magnitude_mask", points=2)
def test_the_smallest_magnitudes_go(tt, draw):
    """magnitude_mask is False for the share of the numbers that is nearest to zero"""
    n, m = draw.sizes(2)
    right = signed = None
    while np.array_equal(right, signed):
        a = apart(draw, n, m)
        gone = int(draw.integers(2, a.size - 1))
        right, signed = kept(a, gone), kept(a, gone, key=np.asarray)
    same_array(
        tt.magnitude_mask(a, gone / a.size),
        right,
        mistakes=[
            Mistake(signed, SIGNED),
            Mistake(~right, TURNED),
            Mistake(kept(a, a.size - gone), "the share is what goes, not what stays."),
        ],
        what=f"magnitude_mask(np.array({text(a)}), {gone}/{a.size})",
        smaller="magnitude_mask(np.array([-3., 1.]), 0.5) is [True, False]",
    )


@exercise("magnitude_mask", points=2)
def test_equal_magnitudes_go_in_order(tt, draw):
    """magnitude_mask takes exactly its share of equal numbers, too, the earlier ones first"""
    a = draw.rng.choice([-2, -1, 1, 2], (4, 6)).astype(np.float32)
    a.reshape(-1)[draw.permutation(24)[:12]] = draw.choice([-1, 1])
    gone = int((np.abs(a) == 1).sum()) - int(draw.integers(2, 6))
    right, edge = kept(a, gone), 1
    back = kept(a[::-1, ::-1], gone)[::-1, ::-1]
    same_array(
        tt.magnitude_mask(a, gone / a.size),
        right,
        mistakes=[
            Mistake(np.abs(a) > edge, TIES),
            Mistake(np.abs(a) >= edge, TIES),
            Mistake(back, "of equal numbers the later went. The earlier goes, in reading order."),
            Mistake(kept(a.T, gone).T, "equal numbers went column by column. Reading order is row by row."),
        ],
        what=f"magnitude_mask(np.array({text(a.astype(int))}), {gone}/24)",
        smaller="magnitude_mask(np.array([1., 1.]), 0.5) is [False, True]",
    )


@exercise("magnitude_mask", points=1)
def test_masks_have_the_shape_of_their_values(tt, draw):
    """magnitude_mask takes arrays of any shape, nothing of them and everything, and no more"""
    n, m, k = draw.sizes(3)
    a, line = apart(draw, n, m, k), apart(draw, 12)
    says = f"magnitude_mask(values of shape {a.shape}, %s)"
    same_array(tt.magnitude_mask(a, 0.5), kept(a, round(0.5 * a.size)), what=says % 0.5)
    same_array(tt.magnitude_mask(line, 0.25), kept(line, 3), what=f"magnitude_mask(np.array({text(line)}), 0.25)")
    same_array(tt.magnitude_mask(a, 0), np.ones(a.shape, bool), what=says % 0)
    same_array(tt.magnitude_mask(a, 1), np.zeros(a.shape, bool), what=says % 1)
    percent = int(draw.integers(2, 100))
    raises(ValueError, lambda: tt.magnitude_mask(a, percent), mentions=[percent])


@exercise("magnitude_mask", points=1)
def test_masks_leave_their_values_alone(lab, draw):
    """magnitude_mask does not change the values that it looks at"""
    a = apart(draw, 3, 4)
    right = np.concatenate([kept(a, 6).ravel(), a.ravel()])
    gone = np.concatenate([kept(a, 6).ravel(), (a * kept(a, 6)).ravel()])
    same_array(
        lab(mask_and_values, a, 0.5),
        right,
        dtype=np.float64,
        what="magnitude_mask(values, 0.5), with values behind it",
        mistakes=[Mistake(gone, "the values were set to zero. Only say which stay.")],
    )


# ---- Masks.apply --------------------------------------------------------------------------------------------


def applied(a, b, keep_a, keep_b):
    """Two tensors after their masks were applied, as who has kept their arrays sees them."""
    first, second = tt.Parameter(a), tt.Parameter(b)
    arrays = [first.data, second.data]
    tt.Masks({"first": first, "second": second}, {"first": keep_a, "second": keep_b}).apply()
    return np.concatenate([array.ravel() for array in arrays])


def trained(start, x, target, keep, steps):
    """A weight after some steps of training, with its masks applied after each."""
    weight = tt.Parameter(start)
    masks = tt.Masks({"": weight}, {"": keep})
    optimizer = tt.SGD([weight], lr=0.125, momentum=0.5)
    for _ in range(steps):
        masks.apply()
        optimizer.zero_grad()
        difference = tt.tensor(x) @ weight - tt.tensor(target)
        (difference * difference).mean().backward()
        optimizer.step()
        masks.apply()
    return weight.data


@exercise("Masks.apply", points=2)
def test_masks_write_zeros(lab, draw):
    """Masks.apply sets what is not kept to zero, in every tensor, in the array that is there"""
    n, m, k = draw.sizes(3)
    a, b = draw(n, m), draw(k)
    keep_a, keep_b = kept(apart(draw, n, m), n * m // 2), kept(apart(draw, k), 1)
    both, masks = np.append(a, b), np.append(keep_a, keep_b)
    same_array(
        lab(applied, a, b, keep_a, keep_b),
        np.where(masks, both, 0),
        what="the arrays of two tensors after masks.apply()",
        mistakes=[
            Mistake(np.where(masks, 0, both), "what is kept went, and the rest stayed. False means zero."),
            Mistake(np.append(a * keep_a, b), "only the first tensor was masked. There is one mask for each."),
            Mistake(both, "nothing happened in the arrays. Write into tensor.data[...]: others hold that array."),
            Mistake(masks, "the masks were written in place of the weights."),
        ],
    )


@exercise("Masks.apply", points=1)
def test_masks_wipe_out_infinity(lab, draw):
    """Masks.apply writes 0 where infinity or nan stood"""
    a, b = draw(3, 4), draw(5)
    keep_a, keep_b = kept(apart(draw, 3, 4), 6), kept(apart(draw, 5), 2)
    right = np.append(np.where(keep_a, a, 0), np.where(keep_b, b, 0))
    a[~keep_a] = draw.choice([math.inf, -math.inf])
    b[~keep_b] = math.nan
    with np.errstate(invalid="ignore"):
        times = np.append(a * keep_a, b * keep_b)
    same_array(
        lab(applied, a, b, keep_a, keep_b),
        right,
        what="weights, of which those not kept were inf and nan, after masks.apply()",
        mistakes=[Mistake(times, "the weights were multiplied with the mask, and 0 * inf is nan. Write zeros.")],
    )


@exercise("Masks.apply", points=1)
def test_masks_outlive_training(lab, draw):
    """weights that are not kept are zero after training, if masks are applied after each step"""
    start, x, target = draw(4, 3), draw(6, 4) / 2, draw(6, 3)
    keep = kept(apart(draw, 4, 3), 6)
    w, v = np.float64(start) * keep, 0.0
    for _ in range(3):
        v = 0.5 * v + 2 * x.T @ (x @ w - target) / 18
        w = (w - 0.125 * v) * keep
    same_array(lab(trained, start, x, target, keep, 3), w, what="the weight after 3 steps of SGD", rtol=1e-4, atol=1e-5)


# ---- magnitude_prune ----------------------------------------------------------------------------------------


def prunes(draw):
    """Sizes, arrays and a share for an MLP whose two weights differ in size: of one heap, mostly one suffers."""
    n, m, k = 4, 6, 3
    heap = apart(draw, n * m + m * k)
    small = np.argsort(np.abs(heap), kind="stable")
    first = small[np.r_[0:16, 34:42]][draw.permutation(24)]  # mostly the smallest
    p = {"0.weight": heap[first].reshape(n, m), "0.bias": draw(m) / 32}
    p |= {"2.weight": heap[np.setdiff1d(small, first)].reshape(m, k), "2.bias": draw(k) / 32}
    return (n, m, k), p, int(draw.integers(12, 26))


def masked(p, gone, key=np.abs):
    """What is left of a model when its weights compete, and the masks."""
    together = kept(np.concatenate([p["0.weight"].ravel(), p["2.weight"].ravel()]), gone, key)
    masks = {"0.weight": together[: p["0.weight"].size].reshape(p["0.weight"].shape)}
    masks |= {"2.weight": together[p["0.weight"].size :].reshape(p["2.weight"].shape)}
    return p | {name: np.where(mask, p[name], 0) for name, mask in masks.items()}, masks


def masked_apart(p, amount):
    """What is left of a model when each layer loses its own share."""
    masks = {name: kept(a, round(amount * a.size)) for name, a in p.items() if a.ndim == 2}
    return p | {name: np.where(mask, p[name], 0) for name, mask in masks.items()}


def loaded(tt, sizes, p):
    """An MLP with these numbers."""
    model = relu_mlp(tt, sizes)
    model.load_state_dict(p)
    return model


@exercise("magnitude_prune", points=3)
def test_weights_of_all_layers_compete(tt, draw):
    """magnitude_prune sets the smallest weights of the whole model to zero, and leaves biases alone"""
    sizes, p, gone = prunes(draw)
    model = loaded(tt, sizes, p)
    tt.magnitude_prune(model, gone / 42)
    right, _ = masked(p, gone)
    for told, got, due, wrong in compared(
        model,
        right,
        f"model after magnitude_prune(model, {gone}/42)",
        mistakes=[
            (masked_apart(p, gone / 42), HEAP),
            (masked(p, gone, key=np.asarray)[0], SIGNED),
            (p, "nothing was pruned. The weights change in place: apply the masks."),
            (masked(p, 42 - gone)[0], "the share is what goes, not what stays."),
        ],
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("magnitude_prune", points=2)
def test_each_layer_loses_its_share(tt, draw):
    """magnitude_prune with per_layer sets the same share of each weight array to zero"""
    sizes, p, gone = prunes(draw)
    model = loaded(tt, sizes, p)
    tt.magnitude_prune(model, gone / 42, per_layer=True)
    says = "the layers competed with each other. With per_layer each loses its own share."
    what = f"model after magnitude_prune(model, {gone}/42, per_layer=True)"
    for told, got, due, wrong in compared(
        model, masked_apart(p, gone / 42), what, mistakes=[(masked(p, gone)[0], says)]
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("magnitude_prune", points=1)
def test_biases_are_pruned_on_request(tt, draw):
    """magnitude_prune with biases lets the biases compete, too"""
    n, m = draw.sizes(2)
    heap = apart(draw, n * m + m)
    p = {"weight": heap[: n * m].reshape(n, m), "bias": heap[n * m :]}
    model = named(tt.Linear(n, m), "layer")
    model.load_state_dict(p)
    gone = int(draw.integers(heap.size // 2, heap.size - 1))
    tt.magnitude_prune(model, gone / heap.size, biases=True)
    mask = kept(heap, gone)
    right = {"weight": np.where(mask, heap, 0)[: n * m].reshape(n, m), "bias": np.where(mask, heap, 0)[n * m :]}
    for told, got, due, wrong in compared(
        model, right, f"layer after magnitude_prune(layer, {gone}/{heap.size}, biases=True)"
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("magnitude_prune", points=1)
def test_a_tensor_is_pruned_in_place(tt, draw):
    """magnitude_prune sets the smallest numbers of a tensor to zero in place, of equal ones the earlier"""
    a = draw.rng.choice([-1, 1], (3, 4)).astype(np.float32) * draw.choice([0.5, 2.0])
    gone = int(draw.integers(3, 10))
    x = named(tt.tensor(a), "x")
    tt.magnitude_prune(x, gone / 12)
    ties = [Mistake(np.zeros_like(a), TIES), Mistake(a, TIES)]
    same(x, np.where(kept(a, gone), a, 0), what=f"x after magnitude_prune(x, {gone}/12)", mistakes=ties)


@exercise("magnitude_prune", points=2)
def test_masks_come_back(tt, draw):
    """magnitude_prune gives Masks with the names of the weights, which can be applied again"""
    sizes, p, gone = prunes(draw)
    model = loaded(tt, sizes, p)
    masks = thing(tt.magnitude_prune(model, gone / 42), "magnitude_prune(model, amount)")
    masked_at = masked(p, gone)[1]
    found = masks.kept
    if type(found) is not dict:
        same(found, "a dict of arrays", what="masks.kept")
    same(list(found), list(masked_at), what="the names in masks.kept")
    for name, mask in masked_at.items():
        wrong = [Mistake(~mask, "True is what was pruned. True stays.")]
        same_array(found[name], mask, what=f"masks.kept[{name!r}]", mistakes=wrong)
    fresh = {name: draw(*a.shape) for name, a in p.items()}
    model.load_state_dict(fresh)
    masks.apply()
    after = fresh | {name: np.where(mask, fresh[name], 0) for name, mask in masked_at.items()}
    for told, got, due, wrong in compared(model, after, "model after new weights and masks.apply()"):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("magnitude_prune", points=1)
def test_an_amount_is_a_share_of_all(tt, draw):
    """pruning again counts what is zero already: amount is a share of all weights"""
    sizes, p, gone = prunes(draw)
    model = loaded(tt, sizes, p)
    tt.magnitude_prune(model, gone / 42)
    tt.magnitude_prune(model, (gone + 8) / 42)
    for told, got, due, wrong in compared(
        model, masked(p, gone + 8)[0], f"model after pruning by {gone}/42 and by {gone + 8}/42"
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("magnitude_prune", points=1)
def test_pruning_refuses_what_is_no_share_or_no_model(tt, draw):
    """magnitude_prune refuses amounts outside 0 to 1, models without weights, and what is no model"""
    sizes, p, _ = prunes(draw)
    percent = int(draw.integers(2, 100))
    model = loaded(tt, sizes, p)
    raises(ValueError, lambda: tt.magnitude_prune(model, percent), mentions=[percent])
    raises(ValueError, lambda: tt.magnitude_prune(model, -0.5, per_layer=True), mentions=[-0.5])
    raises(ValueError, lambda: tt.magnitude_prune(tt.Sequential(), 0.5), mentions=["Sequential"])
    raises(TypeError, lambda: tt.magnitude_prune(p["0.bias"], 0.5), mentions=["ndarray"])
    for told, got, due, wrong in compared(model, p, "model after pruning was refused"):
        same_array(got, due, what=told, mistakes=wrong)
    x = named(tt.tensor(p["0.weight"]), "x")
    tt.magnitude_prune(x, 0.5)
    same(x, np.where(kept(p["0.weight"], 12), p["0.weight"], 0), what="x after magnitude_prune(x, 0.5)")


# ---- unit_scores --------------------------------------------------------------------------------------------


def two_layers(tt, p, bias=True):
    """Two Linear layers with the numbers of 0.* and 1.*."""
    made = []
    for i in (0, 1):
        w = p[f"{i}.weight"]
        layer = tt.Linear(*w.shape, bias=bias)
        layer.load_state_dict({"weight": w, "bias": p[f"{i}.bias"]} if bias else {"weight": w})
        made.append(layer)
    return made


@exercise("unit_scores", points=3)
def test_a_unit_scores_by_both_sides(tt, draw):
    """unit_scores multiplies the size of what goes into a unit with the size of what comes out of it"""
    sizes = draw.sizes(3)
    p = mlp(draw, sizes, (0, 1))
    w, b, behind = (np.float64(p[name]) for name in ("0.weight", "0.bias", "1.weight"))
    plain, incoming = np.sqrt((w**2).sum(0)), np.sqrt((w**2).sum(0) + b**2)
    outgoing = np.sqrt((behind**2).sum(1))
    sums = (np.abs(w).sum(0) + np.abs(b)) * np.abs(behind).sum(1)
    same_array(
        tt.unit_scores(*two_layers(tt, p)),
        (incoming * outgoing).astype(np.float32),
        what=f"unit_scores of Linear{sizes[:2]} and Linear{sizes[1:]}",
        mistakes=[
            Mistake(incoming, "only what goes in was looked at. A unit that nobody listens to does not matter."),
            Mistake(plain, "only the weights in front were looked at. Multiply with the size of those behind."),
            Mistake(outgoing, "only what comes out was looked at."),
            Mistake(plain * outgoing, "the bias was left out. It goes into the unit like any weight."),
            Mistake((incoming * outgoing) ** 2, "the roots are missing."),
            Mistake(incoming + outgoing, "the two sizes were added. Multiply them."),
            Mistake(sums, "absolute values were added up. Take the root of the sum of squares."),
        ],
    )  # fmt: skip


@exercise("unit_scores", points=1)
def test_units_without_bias_score(tt, draw):
    """unit_scores scores the units of a layer without bias"""
    p = mlp(draw, draw.sizes(3), (0, 1))
    w, behind = np.float64(p["0.weight"]), np.float64(p["1.weight"])
    right = np.sqrt((w**2).sum(0)) * np.sqrt((behind**2).sum(1))
    same_array(tt.unit_scores(*two_layers(tt, p, bias=False)), right, what="unit_scores of layers without bias")


# ---- remove_units -------------------------------------------------------------------------------------------


def removed(w, b, behind, rest, keep):
    """All numbers of the old layers and then of the new ones, after the old ones have moved on."""
    layer, following = tt.Linear(*w.shape), tt.Linear(*behind.shape)
    for tensor, array in ((layer.weight, w), (layer.bias, b), (following.weight, behind), (following.bias, rest)):
        tensor.data[...] = array
    smaller, fitted = tt.remove_units(layer, following, keep)
    old, new = (layer, following), (smaller, fitted)
    before = np.concatenate([p.data.ravel() for made in old for p in made.parameters()])
    for made in old:
        for p in made.parameters():
            p.data += 100
    return np.concatenate([before] + [p.data.ravel() for made in new for p in made.parameters()])


@exercise("remove_units", points=3)
def test_removed_units_are_gone_from_both_layers(tt, draw):
    """remove_units takes columns and biases out in front, and rows behind, so that the arrays get smaller"""
    sizes = (3, 6, 4)
    p = mlp(draw, sizes, (0, 1))
    keep = np.sort(draw.permutation(6)[: draw.integers(1, 5)])
    made = tt.remove_units(*two_layers(tt, p), keep)
    if type(made) is not tuple or len(made) != 2:
        same(made, "a pair of layers", what="remove_units(layer, following, keep)")
    right = without(p, 0, 1, keep)
    zeroed = p | {"0.weight": np.zeros_like(p["0.weight"]), "0.bias": np.zeros(6), "1.weight": np.zeros((6, 4))}
    for name, index in (("0.weight", np.s_[:, keep]), ("0.bias", keep), ("1.weight", keep)):
        zeroed[name][index] = p[name][index]
    others = without(p, 0, 1, np.setdiff1d(np.arange(6), keep))
    for i, name in enumerate(("smaller", "fitted")):
        cut = [{key[2:]: a for key, a in arrays.items() if key.startswith(f"{i}.")} for arrays in (right, zeroed, p)]
        turned = {key[2:]: a for key, a in others.items() if key.startswith(f"{i}.")}
        says = "these are the units that should go. `keep` stays."
        whole = "the numbers of all units are still there."
        usual = [(cut[1], ZEROS), (turned, says), (cut[2], whole)]
        for told, got, due, wrong in compared(
            made[i], cut[0], f"{name}, with units {keep.tolist()} of 6", mistakes=usual
        ):
            same_array(got, due, what=told, mistakes=wrong)


@exercise("remove_units", points=1)
def test_units_are_removed_from_layers_without_bias(tt, draw):
    """remove_units makes layers without bias of layers without bias, which compute with the units that are left"""
    p = mlp(draw, (3, 6, 4), (0, 1))
    keep = np.sort(draw.permutation(6)[:3])
    made = tt.remove_units(*two_layers(tt, p, bias=False), keep)
    if type(made) is not tuple or len(made) != 2:
        same(made, "a pair of layers", what="remove_units(layer, following, keep)")
    for told, got, due, wrong in compared(
        made[0], {"weight": p["0.weight"][:, keep]}, "smaller, of a layer without bias"
    ):
        same_array(got, due, what=told, mistakes=wrong)
    for told, got, due, wrong in compared(made[1], {"weight": p["1.weight"][keep]}, "fitted, of a layer without bias"):
        same_array(got, due, what=told, mistakes=wrong)
    x = draw(2, 3)
    same(thing(made[0], "smaller")(tt.tensor(x)), x @ np.float64(p["0.weight"])[:, keep], what="smaller(x)")


@exercise("remove_units", points=1)
def test_removing_units_leaves_the_layers_alone(lab, draw):
    """remove_units leaves the given layers as they are, and shares no memory with them"""
    p = mlp(draw, (3, 6, 4), (0, 1))
    keep = np.sort(draw.permutation(6)[:3])
    parts = [p[name] for name in ("0.weight", "0.bias", "1.weight", "1.bias")]
    smaller = [without(p, 0, 1, keep)[name] for name in ("0.weight", "0.bias", "1.weight", "1.bias")]
    right = np.concatenate([a.ravel() for a in parts + smaller])
    shared = right.copy()
    shared[-4:] += 100
    same_array(
        lab(removed, *parts, keep),
        right,
        what="all numbers of the given layers and, after those have changed, of the new ones",
        mistakes=[Mistake(shared, f"the bias behind is the given layer's own. {MEMORY}")],
    )


# ---- structured_prune ---------------------------------------------------------------------------------------


def changed(arrays, amount):
    """A small model after the one that it was made of has changed, and the large one before that."""
    shapes = [a.shape for a in arrays[::2]]
    model = tt.Sequential(tt.Linear(*shapes[0]), tt.ReLU(), tt.Linear(*shapes[1]), tt.ReLU(), tt.Linear(*shapes[2]))
    for p, array in zip(model.parameters(), arrays, strict=False):
        p.data[...] = array
    small = tt.structured_prune(model, amount)
    before = [p.data.ravel().copy() for p in model.parameters()]
    for p in model.parameters():
        p.data += 100
    return np.concatenate(before + [p.data.ravel() for p in small.parameters()])


def described(n, m, k, p, amount, training):
    """What the layers of a small model are, for one with dropout in it."""
    model = tt.Sequential(tt.Identity(), tt.Linear(n, m), tt.GELU(), tt.Dropout(p), tt.Linear(m, k), tt.Softmax())
    small = tt.structured_prune(model.train(training), amount)
    return [
        [type(layer).__name__ for layer in small],
        [list(small[i].weight.shape) for i in (1, 4)],
        [float(layer.p) for layer in small if isinstance(layer, tt.Dropout)],
        [bool(module.training) for module in small.modules()],
    ]


@exercise("structured_prune", points=3)
def test_units_go_and_arrays_shrink(tt, draw):
    """structured_prune takes the units with the lowest scores out of the arrays, and keeps the others in order"""
    n, m, k = 4, int(draw.integers(7, 12)), 3
    gone, order = int(draw.integers(2, m - 2)), np.arange(m)
    while (np.diff(order[gone:]) > 0).all():  # those that stay are not in the order of their scores
        p = clear_mlp(draw, (n, m, k), (0, 2), (gone,))
        order = np.argsort(scored(p, 0, 2))
    keep = np.isin(np.arange(m), order[gone:])
    zeroed = p | {"0.weight": p["0.weight"] * keep, "0.bias": p["0.bias"] * keep, "2.weight": p["2.weight"]}
    zeroed["2.weight"] = p["2.weight"] * keep[:, None]
    for told, got, due, wrong in compared(
        tt.structured_prune(loaded(tt, (n, m, k), p), gone / m),
        shrunk(p, (0, 2), (gone,)),
        f"structured_prune(model, {gone}/{m}), whose hidden layer has {m} units",
        mistakes=[
            (zeroed, ZEROS),
            (without(p, 0, 2, np.sort(order[: m - gone])), "the units with the highest scores went. The lowest go."),
            (without(p, 0, 2, order[gone:]), "the units come sorted by score. They keep their order."),
            (shrunk(p, (0, 2), (m - gone,)), "the share is what goes, not what stays."),
        ],
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("structured_prune", points=2)
def test_what_is_left_computes_as_before(tt, draw):
    """the small model computes what the large one does with zeros behind the missing units, under any activation"""
    n, m, k = 4, 9, 3
    gone = int(draw.integers(3, 7))
    p = clear_mlp(draw, (n, m, k), (0, 3), (gone,))
    model = tt.Sequential(tt.Linear(n, m), tt.Sigmoid(), tt.Dropout(0.5), tt.Linear(m, k)).eval()
    model.load_state_dict(p)
    x = draw(5, n)
    kept_units = np.argsort(scored(p, 0, 3))[gone:]
    hidden = 1 / (1 + np.exp(-(np.float64(x) @ p["0.weight"] + p["0.bias"])))
    behind = p["3.weight"] * np.isin(np.arange(m), kept_units)[:, None]
    small = thing(tt.structured_prune(named(model, "model"), gone / m), "structured_prune(model, amount)")
    moved = np.where(np.isin(np.arange(m), kept_units), hidden, 0.5) @ p["3.weight"] + p["3.bias"]
    same(
        small(tt.tensor(x)),
        hidden @ behind + p["3.bias"],
        what=f"structured_prune(model, {gone}/{m})(x)",
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(moved, "missing units still say sigmoid(0) = 0.5. Their rows behind must be gone."),
            Mistake(hidden @ p["3.weight"] + p["3.bias"], "this is the large model's answer. Nothing was taken out."),
        ],
    )
    same(tuple(numbers(small, "the small model")["0.weight"].shape), (n, m - gone), what="shape of the small weight")


@exercise("structured_prune", points=2)
def test_layers_are_pruned_from_front_to_back(tt, draw):
    """structured_prune scores the units of the second hidden layer by the inputs that are left"""
    sizes, places, gone = (5, 8, 8, 4), (0, 2, 4), (4, 4)
    right = early = backwards = {}
    while any(np.array_equal(right.get("4.weight"), other.get("4.weight")) for other in (early, backwards)):
        p = clear_mlp(draw, sizes, places, gone)
        right, backwards = shrunk(p, places, gone), shrunk_backwards(p, gone)
        early = shrunk(p, places, gone, [scored(p, 0, 2), scored(p, 2, 4)])
    for told, got, due, wrong in compared(
        tt.structured_prune(loaded(tt, sizes, p), 0.5),
        right,
        "structured_prune(model, 0.5), with two hidden layers of 8 units",
        mistakes=[
            (early, "all units were scored before any went. Score a layer when those in front have been pruned."),
            (backwards, "the layers were taken from back to front. The first hidden layer comes first."),
        ],
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("structured_prune", points=1)
def test_one_unit_always_stays(tt, draw):
    """structured_prune leaves the best unit of each hidden layer, and everything for 0"""
    n, m, k = draw.sizes(3)
    p = clear_mlp(draw, (n, m, k), (0, 2), (m - 1,))
    for told, got, due, wrong in compared(
        tt.structured_prune(loaded(tt, (n, m, k), p), 1), shrunk(p, (0, 2), (m - 1,)), "structured_prune(model, 1)"
    ):
        same_array(got, due, what=told, mistakes=wrong)
    for told, got, due, wrong in compared(
        tt.structured_prune(loaded(tt, (n, m, k), p), 0), p, "structured_prune(model, 0)"
    ):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("structured_prune", points=1)
def test_structured_pruning_leaves_the_model_alone(lab, draw):
    """structured_prune leaves the given model as it is, and shares no memory with it"""
    p = clear_mlp(draw, (3, 4, 6, 2), (0, 2, 4), (2, 3))
    small = shrunk(p, (0, 2, 4), (2, 3))
    right = np.concatenate([a.ravel() for arrays in (p, small) for a in arrays.values()])
    same_array(
        lab(changed, list(p.values()), 0.5),
        right,
        what="all numbers of the given model and, after those have changed, of the small one",
    )


@exercise("structured_prune", points=1)
def test_other_layers_stay_in_place(lab, draw):
    """structured_prune keeps activations, dropout and what stands in front and behind, in their places and mode"""
    n, m, k = draw.sizes(3)
    p = int(draw.integers(1, 8)) / 8
    left = m - round(0.5 * m)
    mode = bool(draw.integers(0, 2))
    for training in (mode, not mode):
        kinds = ["Identity", "Linear", "GELU", "Dropout", "Linear", "Softmax"]
        same(
            lab(described, n, m, k, p, 0.5, training),
            [kinds, [[n, left], [left, k]], [p], [training] * 5],
            what=f"layers, shapes, p, modes of structured_prune(model.train({training}), 0.5), {m} units before",
        )


@exercise("structured_prune", points=1)
def test_units_of_equal_score_go_in_order(tt, draw):
    """structured_prune takes the earlier one of units with equal scores"""
    n, m, k = 3, 40, 2
    one = mlp(draw, (n, 1, k), (0, 2))
    signs, levels = draw.rng.choice([-1, 1], (3, m)), draw.permutation(m) % 2 + 1  # half of the units count double
    p = {"0.weight": one["0.weight"] * signs[0], "0.bias": one["0.bias"] * signs[1]}
    p |= {"2.weight": (signs[2] * levels)[:, None] * one["2.weight"], "2.bias": one["2.bias"]}
    p = {name: a.astype(np.float32) for name, a in p.items()}
    gone = int(draw.integers(24, 36))
    keep = np.sort(np.argsort(levels, kind="stable")[gone:])
    later = without(p, 0, 2, np.sort(np.lexsort((-np.arange(m), levels))[gone:]))
    model = tt.Sequential(tt.Linear(n, m), tt.ReLU(), tt.Linear(m, k))
    model.load_state_dict(p)
    what = f"structured_prune(model, {gone}/40), of whose 40 units 20 have equal low scores, and 20 equal high ones"
    says = "of equal scores the later went. The earlier goes."
    small = tt.structured_prune(model, gone / m)
    for told, got, due, wrong in compared(small, without(p, 0, 2, keep), what, [(later, says)]):
        same_array(got, due, what=told, mistakes=wrong)


@exercise("structured_prune", points=1)
def test_units_that_cannot_be_told_apart_are_refused(tt, draw):
    """structured_prune refuses what mixes units, a model without hidden units, and amounts that are no share"""
    n, m, k = draw.sizes(3)
    percent = int(draw.integers(2, 100))
    p = clear_mlp(draw, (n, m, k), (0, 2), (round(0.5 * m),))
    model = loaded(tt, (n, m, k), p)
    mixed = tt.Sequential(tt.Linear(n, m), tt.LayerNorm(m), tt.Linear(m, k))
    raises(TypeError, lambda: tt.structured_prune(mixed, 0.5), mentions=["LayerNorm"])
    raises(TypeError, lambda: tt.structured_prune(tt.Linear(n, m), 0.5), mentions=["Linear"])
    raises(ValueError, lambda: tt.structured_prune(tt.Sequential(tt.Linear(n, m)), 0.5), mentions=["hidden"])
    raises(ValueError, lambda: tt.structured_prune(model, percent), mentions=[percent])
    raises(ValueError, lambda: tt.structured_prune(model, -0.25), mentions=[-0.25])
    for told, got, due, wrong in compared(
        tt.structured_prune(model, 0.5), shrunk(p, (0, 2), (round(0.5 * m),)), "structured_prune(model, 0.5)"
    ):
        same_array(got, due, what=told, mistakes=wrong)
    same(list(numbers(model, "model")), list(p), what="names of the model's arrays")


# ---- low_rank_factors ---------------------------------------------------------------------------------------


@exercise("low_rank_factors", points=3)
def test_the_product_is_the_nearest_of_its_rank(tt, draw):
    """the product of low_rank_factors is the matrix of that rank which is nearest to the weight"""
    m, n = draw.sizes(2)
    s = strengths(draw, min(m, n))
    w, u, s, vt = of_strengths(draw, m, n, s)
    rank = int(draw.integers(1, min(m, n)))
    down, up = pair(tt.low_rank_factors(w, rank), [(m, rank), (rank, n)], f"low_rank_factors(weight {w.shape}, {rank})")

    def product(t):
        """The product with other strengths."""
        return (u[:, :rank] * t) @ vt[:rank]

    last = (u[:, -rank:] * s[-rank:]) @ vt[-rank:]
    with np.errstate(all="ignore"):
        got = np.float64(down) @ up
    same_array(
        got.astype(np.float32),
        product(s[:rank]).astype(np.float32),
        rtol=1e-3,
        atol=1e-3,
        what=f"down @ up of low_rank_factors(weight {w.shape}, {rank})",
        mistakes=[
            Mistake(product(1.0), "the strengths are missing: this is U V^T. Each singular value belongs in once."),
            Mistake(product(s[:rank] ** 2), "each strength was used twice, with U and with V^T. Use it once."),
            Mistake(product(np.sqrt(s[:rank])), "only the roots of the strengths are in. Give one root to each side."),
            Mistake(last, "the weakest directions were kept. Singular values come sorted, the largest first."),
        ],
    )


@exercise("low_rank_factors", points=2)
def test_full_rank_gives_the_matrix_back(tt, draw):
    """low_rank_factors of full rank multiply to the weight itself, in its dtype, standing or lying"""
    for dtype in (np.float32, np.float64):
        for m, n in (draw.sizes(2), (5, 2), (2, 5)):
            w = draw(m, n).astype(dtype)
            what = f"low_rank_factors(weight {w.shape} {w.dtype}, {min(m, n)})"
            down, up = pair(tt.low_rank_factors(w, min(m, n)), [(m, min(m, n)), (min(m, n), n)], what)
            same([str(down.dtype), str(up.dtype)], [str(w.dtype)] * 2, what=f"dtypes of {what}")
            same_array(down @ up, w, dtype=dtype, rtol=1e-4, atol=1e-4, what=f"down @ up of {what}")


@exercise("low_rank_factors", points=1)
def test_ranks_that_do_not_fit_are_refused(tt, draw):
    """low_rank_factors refuses rank 0, and a rank larger than the matrix, with both"""
    m, n = int(draw.integers(10, 20)), int(draw.integers(21, 30))
    w = draw(m, n)
    raises(ValueError, lambda: tt.low_rank_factors(w, m + 1), mentions=[m + 1, (m, n)])
    raises(ValueError, lambda: tt.low_rank_factors(w.T, n), mentions=[n, (n, m)])
    raises(ValueError, lambda: tt.low_rank_factors(w, 0), mentions=[0, (m, n)])
    down, up = pair(tt.low_rank_factors(w, m), [(m, m), (m, n)], f"low_rank_factors(weight {w.shape}, {m})")
    same_array(down @ up, w, rtol=1e-3, atol=1e-3, what="down @ up at full rank")


# ---- low_rank_error -----------------------------------------------------------------------------------------


@exercise("low_rank_error", points=2)
def test_the_error_is_the_tail(tt, draw):
    """low_rank_error is the root of the sum of squares of the singular values that are left out"""
    m, n = draw.choice([(5, 7), (7, 5), (6, 6)])
    s = strengths(draw, min(m, n))
    w = of_strengths(draw, m, n, s)[0]
    ranks = [int(r) for r in 1 + draw.permutation(min(m, n) - 1)[:3]]
    tails = [float(np.sqrt((s[r:] ** 2).sum())) for r in ranks]
    heads = [float(np.sqrt((s[:r] ** 2).sum())) for r in ranks]
    off = [float(np.sqrt((s[r - 1 :] ** 2).sum())) for r in ranks]
    same(
        [tt.low_rank_error(w, r) for r in ranks],
        tails,
        rtol=1e-4,
        what=f"[low_rank_error(weight {w.shape}, rank) for rank in {ranks}]",
        mistakes=[
            Mistake([t**2 for t in tails], "the root is missing."),
            Mistake([float(s[r:].sum()) for r in ranks], "the values were added up, not their squares."),
            Mistake([float(s[r]) for r in ranks], "only the first value left out counts here. All of them do."),
            Mistake(heads, "these are the values that were kept. What was left out is the error."),
            Mistake(off, "one value too many was left out. The first `rank` are kept: s[rank:] is the tail."),
            Mistake([t / math.sqrt((s**2).sum()) for t in tails], "this is a share of the whole. The error is due."),
        ],
    )  # fmt: skip


@exercise("low_rank_error", points=1)
def test_full_rank_leaves_nothing_out(tt, draw):
    """low_rank_error is 0 at full rank, and refuses ranks that do not fit"""
    m, n = int(draw.integers(10, 15)), int(draw.integers(16, 20))
    w = draw(m, n)
    tail = np.linalg.svd(np.float64(w), compute_uv=False)[-1]
    same(
        [tt.low_rank_error(w, m), tt.low_rank_error(w, m - 1), tt.low_rank_error(w.T, m - 1)],
        [0.0, float(tail), float(tail)],
        rtol=1e-3,
        what=f"errors of rank {m} and {m - 1} for a weight {w.shape}, and of {m - 1} for its transpose",
    )
    raises(ValueError, lambda: tt.low_rank_error(w, m + 1), mentions=[m + 1, (m, n)])
    raises(ValueError, lambda: tt.low_rank_error(w, 0), mentions=[0, (m, n)])


# ---- LowRankLinear.from_linear ------------------------------------------------------------------------------


def layer_with(tt, w, b=None):
    """A Linear layer with these numbers."""
    layer = tt.Linear(*w.shape, bias=b is not None)
    layer.load_state_dict({"weight": w} if b is None else {"weight": w, "bias": b})
    return named(layer, "layer")


def thinned(w, b, rank):
    """A layer's numbers, and the answers of the thin one after those have changed."""
    layer = tt.Linear(*w.shape)
    layer.weight.data[...], layer.bias.data[...] = w, b
    thin = tt.LowRankLinear.from_linear(layer, rank)
    before = [layer.weight.data.ravel().copy(), layer.bias.data.copy()]
    layer.weight.data += 100
    layer.bias.data += 100
    return np.concatenate([*before, thin(tt.tensor(np.eye(w.shape[0], dtype=np.float32))).data.ravel()])


@exercise("LowRankLinear.from_linear", points=2)
def test_a_thin_layer_computes_with_the_nearest_weight(tt, draw):
    """from_linear makes a layer that computes x @ (nearest weight of that rank) + bias"""
    n, m = draw.choice([(5, 7), (7, 5), (4, 6)])
    s = strengths(draw, min(n, m))
    w, u, s, vt = of_strengths(draw, n, m, s)
    b, x, rank = draw(m), draw(4, n), int(draw.integers(1, min(n, m)))
    near = (u[:, :rank] * s[:rank]) @ vt[:rank]
    thin = thing(tt.LowRankLinear.from_linear(layer_with(tt, w, b), rank), "LowRankLinear.from_linear(layer, rank)")
    same(
        thin(tt.tensor(x)),
        x @ near + b,
        rtol=1e-3,
        atol=2e-3,
        what=f"LowRankLinear.from_linear(layer {w.shape}, {rank})(x)",
        mistakes=[
            Mistake(x @ near, "the bias is missing, or zero. It belongs to the outputs: up has it."),
            Mistake(x @ w + b, "this is the answer of the layer itself. Nothing was left out."),
        ],
    )


@exercise("LowRankLinear.from_linear", points=2)
def test_a_thin_layer_has_fewer_parameters(tt, draw):
    """from_linear makes rank * (in + out) weights, and one bias where the layer has it"""
    n, m = draw.sizes(2)
    rank = int(draw.integers(1, min(n, m) + 1))
    w, b = draw(n, m), draw(m)
    due = {"down.weight": (n, rank), "up.weight": (rank, m), "up.bias": (m,)}
    for training, bias in zip((False, True), draw.choice([(b, None), (None, b)]), strict=True):
        thin = tt.LowRankLinear.from_linear(layer_with(tt, w, bias).train(training), rank)
        state = numbers(thin, "LowRankLinear.from_linear(layer, rank)")
        shapes = [f"{name} {a.shape}" for name, a in state.items()]
        wanted = [f"{name} {shape}" for name, shape in due.items() if bias is not None or name != "up.bias"]
        has = "without" if bias is None else "with"
        same(shapes, wanted, what=f"parameters of a thin layer of rank {rank}, of Linear{(n, m)} {has} bias")
        modes = [thin.training, thing(thin.down, "thin.down").training, thing(thin.up, "thin.up").training]
        same(modes, [training] * 3, what=f"[thin.training, thin.down.training, …] of a layer in train({training})")
        best = np.linalg.svd(np.float64(w), compute_uv=False)
        left = float(np.sqrt((best[rank:] ** 2).sum()))
        error = float(np.linalg.norm(w - np.float64(state["down.weight"]) @ state["up.weight"]))
        same(error < left + 1e-3, True, what=f"whether its weight is as near as rank {rank} can be")


@exercise("LowRankLinear.from_linear", points=1)
def test_a_thin_layer_stands_alone(lab, draw):
    """from_linear leaves the layer as it is, and shares no memory with it; at full rank both compute the same"""
    n, m = draw.sizes(2)
    w, b = draw(n, m), draw(m)
    right = np.concatenate([w.ravel(), b, (w + b).ravel()])
    shared = np.concatenate([w.ravel(), b, (w + b + 100).ravel()])
    same_array(
        lab(thinned, w, b, min(n, m)),
        right,
        rtol=1e-3,
        atol=1e-3,
        what="weight and bias of the layer, and then what the thin one makes of eye, after the layer has changed",
        mistakes=[Mistake(shared, f"the bias is the given layer's own. {MEMORY}")],
    )


@exercise("LowRankLinear.from_linear", points=1)
def test_thin_layers_refuse_ranks_that_do_not_fit(tt, draw):
    """from_linear refuses a rank larger than the matrix"""
    n, m = int(draw.integers(10, 20)), int(draw.integers(21, 30))
    w, b, x = draw(n, m), draw(m), draw(3, n)
    layer = layer_with(tt, w, b)
    raises(ValueError, lambda: tt.LowRankLinear.from_linear(layer, n + 1), mentions=[n + 1, (n, m)])
    raises(ValueError, lambda: tt.LowRankLinear.from_linear(layer, 0), mentions=[0, (n, m)])
    thin = thing(tt.LowRankLinear.from_linear(layer, n), "LowRankLinear.from_linear(layer, rank)")
    same(thin(tt.tensor(x)), np.float64(x) @ w + b, rtol=1e-3, atol=2e-3, what="a thin layer of full rank, of x")


# ---- distillation_loss --------------------------------------------------------------------------------------


def logits_of(draw):
    """Logits of a student and a teacher who disagree, and targets."""
    n, c = int(draw.integers(3, 6)), int(draw.integers(7, 9))
    return draw(n, c), draw(n, c), draw.integers(0, c, n)


def learnt(student, teacher, targets, temperature, alpha):
    """The gradients of the student's logits and of the teacher's (zeros for none)."""
    s, t = tt.tensor(student, requires_grad=True), tt.tensor(teacher, requires_grad=True)
    (2 * tt.distillation_loss(s, t, tt.tensor(targets), temperature, alpha)).backward()
    grads = [np.zeros(student.shape) if x.grad is None else x.grad.data for x in (s, t)]
    return np.stack(grads).astype(np.float32)


@exercise("distillation_loss", points=3)
def test_the_soft_part_compares_with_the_teacher(tt, draw):
    """with alpha 1 the loss is T^2 times the divergence of the student from the teacher, a mean over the rows"""
    student, teacher, targets = logits_of(draw)
    t = draw.choice([1.5, 2.0, 3.0, 4.0])
    terms = divergence(teacher, student, t)
    soft = terms.sum(1).mean()
    q = log_probabilities(student / t)
    crossed = -(np.exp(log_probabilities(teacher / t)) * q).sum(1).mean()
    cold_teacher = (np.exp(log_probabilities(teacher)) * (log_probabilities(teacher) - q)).sum(1).mean()
    same(
        tt.distillation_loss(tt.tensor(student), tt.tensor(teacher), tt.tensor(targets), temperature=t, alpha=1.0),
        np.float64(t * t * soft),
        rtol=1e-4,
        mistakes=[
            Mistake(soft, "T^2 is missing. Without it the teacher falls silent as the temperature rises."),
            Mistake(t * soft, "the factor is T, and T^2 is due."),
            Mistake(t * t * terms.mean(), "the mean also runs over the classes. Sum over classes, mean over rows."),
            Mistake(t * t * terms.sum(), "the rows were added up. Sum over classes, mean over rows."),
            Mistake(t * t * divergence(student, teacher, t).sum(1).mean(), "student and teacher have changed places: "
                    "this is KL(q || p)."),
            Mistake(t * t * divergence(teacher, student, 1).sum(1).mean(), "the logits were not divided by T."),
            Mistake(t * t * divergence(teacher, student, 1 / t).sum(1).mean(), "the logits were multiplied with T."),
            Mistake(t * t * cold_teacher, "the teacher's logits were not divided by T. Both are."),
            Mistake(t * t * crossed, "this is a cross-entropy. log p_c is missing: it is log p_c - log q_c."),
            Mistake(-t * t * soft, "the sign is wrong: log p_c - log q_c, the teacher first."),
            Mistake(0.0, "the teacher's logits stand on both sides."),
        ],
    )  # fmt: skip


@exercise("distillation_loss", points=2)
def test_the_hard_part_is_a_cross_entropy(tt, draw):
    """with alpha 0 the loss is the cross-entropy of the student's logits, without temperature"""
    student, teacher, targets = logits_of(draw)
    t = draw.choice([2.0, 3.0, 4.0])
    same(
        tt.distillation_loss(tt.tensor(student), tt.tensor(teacher), tt.tensor(targets), temperature=t, alpha=0.0),
        np.float64(surprise(student, targets)),
        rtol=1e-4,
        mistakes=[
            Mistake(surprise(student / t, targets), "the logits were divided by T. The hard part is taken without."),
            Mistake(surprise(teacher, targets), "this is the teacher's cross-entropy. The student learns."),
            Mistake(t * t * divergence(teacher, student, t).sum(1).mean(), "alpha belongs to the soft part, 1 - alpha "
                    "to the hard one."),
            Mistake(0.0, "nothing is left at alpha 0. The hard part counts by 1 - alpha."),
        ],
    )  # fmt: skip


@exercise("distillation_loss", points=1)
def test_alpha_mixes_both_parts(tt, draw):
    """distillation_loss takes alpha of the soft part and 1 - alpha of the hard one"""
    student, teacher, targets = logits_of(draw)
    t, alpha = draw.choice([1.5, 2.0, 3.0]), draw.choice([0.125, 0.25, 0.75, 0.875])
    soft, hard = t * t * divergence(teacher, student, t).sum(1).mean(), surprise(student, targets)
    same(
        tt.distillation_loss(tt.tensor(student), tt.tensor(teacher), tt.tensor(targets), t, alpha),
        np.float64(alpha * soft + (1 - alpha) * hard),
        rtol=1e-4,
        mistakes=[
            Mistake((1 - alpha) * soft + alpha * hard, "alpha and 1 - alpha have changed places."),
            Mistake(soft + hard, "alpha is not used."),
            Mistake(alpha * soft + hard, "the hard part counts by 1 - alpha."),
        ],
    )


@exercise("distillation_loss", points=2)
def test_only_the_student_learns(lab, draw):
    """gradients of distillation_loss reach the student's logits, and none the teacher's"""
    student, teacher, targets = logits_of(draw)
    t, alpha = draw.choice([2.0, 3.0]), draw.choice([0.25, 0.5, 0.75])
    p, q, hard = (np.exp(log_probabilities(x)) for x in (teacher / t, student / t, student))
    one = np.eye(student.shape[1])[targets]
    grad = 2 * (alpha * t * (q - p) + (1 - alpha) * (hard - one)) / len(targets)
    terms = divergence(teacher, student, t)
    log_ratio = log_probabilities(teacher / t) - log_probabilities(student / t)
    back = 2 * alpha * t * (terms - p * (p * log_ratio).sum(1, keepdims=True)) / len(targets)
    only_hard = 2 * (1 - alpha) * (hard - one) / len(targets)
    same_array(
        lab(learnt, student, teacher, targets, t, alpha),
        np.stack([grad, np.zeros_like(grad)]),
        rtol=1e-3,
        atol=1e-5,
        what="gradients of 2 * distillation_loss: for the student's logits, and for the teacher's",
        mistakes=[
            Mistake(np.stack([grad, back]), "a gradient reached the teacher. detach() its logits."),
            Mistake(np.stack([only_hard, 0 * grad]), "the soft part gives the student no gradient: it was detached, or "
                    "worked out with bare arrays."),
            Mistake(np.stack([only_hard, back]), "the student was detached in the soft part, and the teacher learns."),
        ],
    )  # fmt: skip


@exercise("distillation_loss", points=1)
def test_large_logits_do_no_harm(tt, draw):
    """distillation_loss is finite for logits in the hundreds"""
    student, teacher, targets = logits_of(draw)
    student, teacher = 200 * student, 200 * teacher
    soft, hard = 4 * divergence(teacher, student, 2.0).sum(1).mean(), surprise(student, targets)
    with calm(tt):
        loss = tt.distillation_loss(tt.tensor(student), tt.tensor(teacher), tt.tensor(targets), 2.0, 0.5)
        same(
            loss,
            np.float64(0.5 * soft + 0.5 * hard),
            rtol=1e-3,
            mistakes=[Mistake(math.nan, "a probability became 0, and its logarithm -inf. Use log_softmax.")],
        )


@exercise("distillation_loss", points=1)
def test_distillation_refuses_what_does_not_fit(tt, draw):
    """distillation_loss refuses other shapes, temperatures not above 0, and alphas that are no share"""
    student, teacher, targets = logits_of(draw)
    n, c = student.shape
    s, t, y = tt.tensor(student), tt.tensor(teacher), tt.tensor(targets)
    other = tt.tensor(draw(n, c + 1))
    alpha, cold = float(draw.integers(9, 90)) / 8, -float(draw.integers(1, 9)) / 8
    raises(ValueError, lambda: tt.distillation_loss(s, other, y), mentions=[(n, c), (n, c + 1)])
    raises(ValueError, lambda: tt.distillation_loss(s, t, y, 2.0, alpha), mentions=[alpha])
    raises(ValueError, lambda: tt.distillation_loss(s, t, y, cold, 0.5), mentions=[cold])
    raises(ValueError, lambda: tt.distillation_loss(s, t, y, 0.0, 0.5), mentions=[0.0])
    due = 2 * divergence(teacher, student, 2.0).sum(1).mean() + surprise(student, targets) / 2
    same(tt.distillation_loss(s, t, y), np.float64(due), rtol=1e-4, what="distillation_loss(student, teacher, targets)")


# ---- compress -----------------------------------------------------------------------------------------------


def piped(sizes, names):
    """Bytes before and after each step, and what each step met: one cuts to a half, one sets to 7, one does nothing."""
    model = tt.Sequential(tt.Linear(*sizes[:2]), tt.ReLU(), tt.Linear(*sizes[1:]))
    met = []

    def halved(model):
        met.append(int(model[0].out_features))
        layers = tt.Linear(sizes[0], sizes[1] // 2), tt.ReLU(), tt.Linear(sizes[1] // 2, sizes[2])
        return tt.Sequential(*layers)

    def sevens(model):
        met.append(int(model[0].out_features))
        for p in model.parameters():
            p.data[...] = 7
        return {"not": "a model"}

    def widened(model):
        met.append(int(model[0].weight.data.flat[0]))
        return tt.Sequential(tt.Linear(sizes[0], 2 * sizes[1]), tt.ReLU(), tt.Linear(2 * sizes[1], sizes[2]))

    small = tt.compress(model, dict(zip(names, [halved, sevens, widened], strict=False)))
    rows = [[str(step.name), int(step.before), int(step.after)] for step in small.steps]
    return [rows, met, int(small.model[0].out_features), int(model[0].out_features)]


def in_place(w, b):
    """The weight of a compressed layer and of the layer that was given, both from a step that works in place."""
    model = tt.Linear(*w.shape)
    model.weight.data[...], model.bias.data[...] = w, b

    def doubled(model):
        model.weight.data *= 2
        model.bias.data += 1

    small = tt.compress(model, {"once": doubled, "twice": doubled})
    parts = (small.model.weight, small.model.bias, model.weight, model.bias)
    return np.concatenate([p.data.ravel() for p in parts])


def weighed(weights):
    """What a pipeline says with a scale of its own, which shows what the model's weight says, and what it showed."""
    model = tt.Linear(1, 1)
    model.weight.data[...] = weights[0]
    shown = []

    def scale(model):
        shown.append(int(model.weight.data.flat[0]))
        return shown[-1]

    def to(weight):
        def step(model):
            model.weight.data[...] = weight

        return step

    small = tt.compress(model, {f"to {w}": to(w) for w in weights[1:]}, measure=scale)
    return [[str(s.name), int(s.before), int(s.after)] for s in small.steps], sorted(set(shown)) == sorted(set(weights))


@exercise("compress", points=3)
def test_each_step_is_weighed_before_and_after(lab, draw):
    """compress runs its steps in their order, each on what the last one left, and gives bytes before and after each"""
    n, m, k = int(draw.integers(3, 9)), 2 * int(draw.integers(2, 6)), int(draw.integers(3, 9))
    names = [f"step {word}" for word in draw.permutation(90)[:3]]

    def size(units):
        """Bytes of the model with so many hidden units."""
        return 4 * (n * units + units + units * k + k)

    whole, half, wide = size(m), size(m // 2), size(2 * m)
    rows = [[names[0], whole, half], [names[1], half, half], [names[2], half, wide]]
    result = lab(piped, [n, m, k], names)
    if type(result) is not list or len(result) != 4:
        same(result, "a list", what="compress(model, steps)")
    same(
        result[0],
        rows,
        what=f"[name, before, after] of the steps of a model {n} -> {m} -> {k}: hidden units halved, weights set, "
        "units made four times as many",
    )
    same(
        result[1:],
        [[m, m // 2, 7], 2 * m, m],
        what="what each step met, and the hidden units of the compressed model and of the given one",
    )


@exercise("compress", points=2)
def test_steps_in_place_change_a_copy(lab, draw):
    """compress goes on with a model that a step has changed in place, and leaves the given one as it is"""
    n, m = draw.sizes(2)
    w, b = draw(n, m), draw(m)
    right = np.concatenate([4 * w.ravel(), b + 2, w.ravel(), b])
    same_array(
        lab(in_place, w, b),
        right,
        what="numbers of the compressed layer and then of the given one, after two steps that work in place",
        mistakes=[
            Mistake(np.concatenate([4 * w.ravel(), b + 2] * 2), "the given model was changed. Work on a deep copy."),
            Mistake(np.concatenate([w.ravel(), b] * 2), "the steps' changes are lost. A step that returns no Module "
                    "has changed the model in place."),
            Mistake(np.concatenate([2 * w.ravel(), b + 1, w.ravel(), b]), "each step got a fresh copy of the model."),
        ],
    )  # fmt: skip


@exercise("compress", points=1)
def test_bytes_are_what_the_scale_shows(lab, draw):
    """compress weighs with the function that it is given, before and after each step"""
    weights = [int(w) for w in 100 + draw.permutation(900)[:4]]
    result = lab(weighed, weights)
    if type(result) is not tuple or len(result) != 2:
        same(result, "a pair", what="compress(model, steps, measure=scale)")
    rows = [[f"to {b}", a, b] for a, b in itertools.pairwise(weights)]
    swapped = [[name, b, a] for name, a, b in rows]
    same(
        result[0],
        rows,
        what=f"[name, before, after] of steps that make a model weigh {weights[1:]}, from {weights[0]}",
        mistakes=[Mistake(swapped, "before and after have changed places.")],
    )
    same([result[1], len(result[0])], [True, 3], what="[whether the scale saw all four weights, number of steps]")


@exercise("compress", points=1)
def test_what_is_no_model_is_not_compressed(tt, lab, draw):
    """compress refuses what is no Module, and gives a copy where there are no steps"""
    n, m = draw.sizes(2)
    w, b = draw(n, m), draw(m)
    raises(TypeError, lambda: tt.compress(w, {}), mentions=["ndarray"])
    raises(TypeError, lambda: tt.compress(tt.tensor(w), {}), mentions=["Tensor"])
    layer = layer_with(tt, w, b)
    small = thing(tt.compress(layer, {}), "compress(layer, {})")
    for told, got, due, wrong in compared(small.model, {"weight": w, "bias": b}, "compress(layer, {}).model"):
        same_array(got, due, what=told, mistakes=wrong)
    unchanged(layer.weight, w, what="layer.weight after compress(layer, {})")
