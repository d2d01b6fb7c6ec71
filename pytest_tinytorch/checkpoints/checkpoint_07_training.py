"""Checkpoint 07: training."""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array

UNMOVED = (
    "the parameters did not move. The order is zero, forward, backward, clip, step: "
    "zeroed after backward, the gradients are gone before the step."
)
OLD_GRADIENTS = "gradients from an earlier batch are still in it. Call zero_grad() before backward()."
UNCLIPPED = "the gradients were not clipped. Clipping stands between backward() and step()."
PER_TENSOR = "each tensor was clipped by itself, which turns the step. One norm over all gradients, one scale for all."
PER_BATCH = "every batch counts the same. The last one is smaller: weigh each average with its number of examples."
LAST_BATCH = "only the last batch is in it. Add to the total that is there."
NOT_BEST = "these are the weights of the last epoch. Ask early_stopping.restore for the best ones."
A_REFERENCE = "the kept weights went on learning: they are no copy. model.state_dict() is one."


# ---- the judge's own network ----------------------------------------------------------------------------


def slopes(weights, x, y):
    """Loss, and the gradient of every weight, of Linear, ReLU, Linear under the mean squared error."""
    w1, b1, w2, b2 = (w.astype(np.float64) for w in weights)
    before = x @ w1 + b1
    hidden = np.maximum(before, 0)
    error = hidden @ w2 + b2 - y
    back = 2 * error / error.size
    deep = (back @ w2.T) * (before > 0)
    return (error**2).mean(), [x.T @ deep, deep.sum(0), hidden.T @ back, back.sum(0)]


def norm(grads):
    """The length of all gradients together."""
    return math.sqrt(sum((g**2).sum() for g in grads))


def moved(weights, grads, lr):
    """The weights after one step of gradient descent."""
    return [w - lr * g for w, g in zip(weights, grads, strict=True)]


def flat(arrays):
    """All numbers in one row."""
    return np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays])


def generator(draw, seed):
    """A fresh generator of NumPy's usual kind, as np.random.default_rng(seed) makes it."""
    return type(draw.rng)(type(draw.rng.bit_generator)(seed))


def network(draw, sizes):
    """Random weights of two layers."""
    n, h, m = sizes
    return [draw.normal(n, h), draw.normal(h), draw.normal(h, m), draw.normal(m)]


def examples(draw, sizes, counts):
    """A pair (inputs, targets) for each count."""
    return [(draw.normal(count, sizes[0]), draw.normal(count, sizes[-1])) for count in counts]


def loss_of(weights, batches):
    """The mean squared error over all examples of all batches."""
    return sum(slopes(weights, x, y)[0] * len(y) for x, y in batches) / sum(len(y) for _, y in batches)


def epoch_of(weights, batches, lr):
    """Weights after one epoch, and the losses that its batches had."""
    losses = []
    for x, y in batches:
        loss, grads = slopes(weights, x, y)
        losses.append(loss)
        weights = moved(weights, grads, lr)
    return weights, losses


# ---- accuracy ---------------------------------------------------------------------------------------------


@exercise("accuracy", points=2)
def test_accuracy_is_the_share_of_right_classes(tt, draw):
    """accuracy is the share of examples whose largest score stands at the right class"""
    tables = [draw.distinct(6, 6) for _ in range(5)]
    right = [np.arange(6) < draw.choice(range(1, 6)) for _ in tables]
    targets = [
        np.where(good, a.argmax(-1), (a.argmax(-1) + 1) % 6) for a, good in zip(tables, right, strict=True)
    ]  # as many wrong ones as drawn
    both = list(zip(tables, targets, strict=True))
    same(
        [tt.accuracy(tt.tensor(a), tt.tensor(t)) for a, t in both],
        [float(good.mean()) for good in right],
        what="accuracy(scores, targets) of five batches, with scores (6, 6) and targets (6,)",
        mistakes=[
            Mistake(
                [float((a.argmax(0) == t).mean()) for a, t in both],
                "the largest score was looked for along the batch. Classes are the last dimension: dim=-1.",
            ),
            Mistake(
                [float(good.sum()) for good in right], "the hits are counted. A share divides by how many there are."
            ),
            Mistake([float(100 * good.mean()) for good in right], "this is a percentage. A share goes from 0 to 1."),
            Mistake([float(1 - good.mean()) for good in right], "this is the share of wrong answers."),
        ],
        smaller="accuracy(tensor([[0., 1.], [0., 1.]]), tensor([1, 0])) is 0.5",
    )


@exercise("accuracy", points=1)
def test_accuracy_of_every_position(tt, draw):
    """accuracy takes any dimensions in front of the classes"""
    n, length, classes = (size + 3 for size in draw.sizes(3))
    a = draw.distinct(n, length, classes)
    target = (a.argmax(-1) + (draw.permutation(n * length) % 4 == 0).reshape(n, length)) % classes
    same(
        tt.accuracy(named(tt.tensor(a), "scores"), named(tt.tensor(target), "targets")),
        float((a.argmax(-1) == target).mean()),
        what=f"accuracy(scores, targets) with scores {a.shape} and targets {target.shape}",
    )


@exercise("accuracy", points=1)
def test_accuracy_refuses_other_shapes(tt, draw):
    """accuracy refuses targets of another shape and empty batches, and names both shapes"""
    n, classes = draw.sizes(2)
    a, target = draw.distinct(n, classes), draw.integers(0, classes, n)
    column = target[:, None]
    raises(ValueError, lambda: tt.accuracy(tt.tensor(a), tt.tensor(column)), mentions=[a.shape, column.shape])
    raises(ValueError, lambda: tt.accuracy(tt.tensor(a[:0]), tt.tensor(target[:0])), mentions=[(0, classes), (0,)])
    share = float((a.argmax(-1) == target).mean())
    same(tt.accuracy(tt.tensor(a), tt.tensor(target)), share, what="accuracy of shapes that fit")


# ---- Averages ---------------------------------------------------------------------------------------------


def averaged(epochs):
    """The averages of epochs, each a list of (loss, hits, size): names and numbers of each, and its count."""
    every = [tt.training.Averages() for _ in epochs]
    for batches in zip(*epochs, strict=True):  # the epochs take turns
        for averages, (loss, hits, size) in zip(every, batches, strict=True):
            averages.add({"loss": loss, "hits": hits}, size)
    results = [averages.result() for averages in every]
    return [list(each) for each in results], [[float(v) for v in each.values()] for each in results]


def batches_of(draw, count):
    """Random (loss, hits, size) of some batches, sizes all different."""
    return [(float(a), float(b), int(n)) for (a, b), n in zip(draw(count, 2), draw.sizes(count), strict=True)]


@exercise("Averages.add", points=2)
def test_averages_let_every_example_count_once(lab, draw):
    """Averages lets every example count once, whatever batch it came in"""
    batches = batches_of(draw, 4)
    losses, hits, sizes = (list(column) for column in zip(*batches, strict=True))
    totals = [float(np.dot(values, sizes)) for values in (losses, hits)]
    names, got = lab(averaged, [batches])
    what = f"loss and hits of batches with {sizes} examples, averaged"
    same(names, [["loss", "hits"]], what=f"names of the {what}")
    same(
        got,
        [[total / sum(sizes) for total in totals]],
        what=what,
        mistakes=[
            Mistake([[float(np.mean(values)) for values in (losses, hits)]], PER_BATCH),
            Mistake([[total / 4 for total in totals]], "the sum is divided by how many batches came: count += size."),
            Mistake([[total / sizes[-1] for total in totals]], "the count is that of the last batch: count += size."),
            Mistake([[losses[-1] * sizes[-1] / sum(sizes), hits[-1] * sizes[-1] / sum(sizes)]], LAST_BATCH),
            Mistake([[losses[-1], hits[-1]]], LAST_BATCH),
            Mistake(
                [[float(sum(v)) / sum(sizes) for v in (losses, hits)]],
                "the values are added as they are. Each is an average over size examples: weigh it with size.",
            ),
        ],
        smaller="add({'loss': 1.}, 3), then add({'loss': 5.}, 1): the average is 8 / 4 = 2",
    )


@exercise("Averages.add", points=1)
def test_averages_keep_epochs_apart(lab, draw):
    """Averages keeps apart what belongs to different epochs"""
    epochs = [batches_of(draw, 3) for _ in range(2)]
    _, got = lab(averaged, epochs)
    due = [np.average([b[:2] for b in batches], axis=0, weights=[b[2] for b in batches]) for batches in epochs]
    same(got, [[float(v) for v in each] for each in due], what="loss and hits of two epochs whose batches took turns")


# ---- clipping ---------------------------------------------------------------------------------------------


@exercise("total_norm", points=2)
def test_total_norm_is_that_of_one_long_vector(tt, draw):
    """total_norm is the length of all tensors together"""
    arrays = [draw(*draw.sizes(2)), draw(int(draw.sizes(1)[0])), draw(2, 3, 2)]
    each = [norm([a]) for a in arrays]
    same(
        tt.training.total_norm([tt.tensor(a) for a in arrays]),
        norm(arrays),
        rtol=1e-5,
        what="total_norm of tensors whose own norms are " + ", ".join(f"{length:.4f}" for length in each),
        mistakes=[
            Mistake(sum(each), "the norms are added up. Lengths add as squares: the root of the sum of squares."),
            Mistake(norm(arrays) ** 2, "the root is missing."),
            Mistake(each[0], "only the first tensor counts."),
            Mistake(each[-1], "only the last tensor counts."),
            Mistake(max(each), "this is the largest of the norms. All numbers count, as in one long vector."),
            Mistake(float(sum(a.sum() for a in arrays)), "the numbers are added up as they are, not their squares."),
        ],
        smaller="total_norm([tensor([3.]), tensor([4.])]) is 5",
    )


@exercise("total_norm", points=1)
def test_total_norm_knows_other_norms(tt, draw):
    """total_norm takes other exponents, infinity and an empty list"""
    arrays = [draw(2, 3), draw(4)]
    tensors = [named(tt.tensor(a), name) for a, name in zip(arrays, "ab", strict=True)]
    numbers = np.abs(flat(arrays))
    same(
        [tt.training.total_norm(tensors, p) for p in (1, 3, math.inf)],
        [float(numbers.sum()), float((numbers**3).sum() ** (1 / 3)), float(numbers.max())],
        rtol=1e-5,
        what="total_norm([a, b], p) for p = 1, 3, inf",
        mistakes=[Mistake([norm(arrays)] * 3, "norm_type is not looked at.")],
    )
    same([tt.training.total_norm([], p) for p in (2, math.inf)], [0.0, 0.0], what="total_norm([], p) for p = 2, inf")


def with_gradients(tt, arrays):
    """Parameters that hold these gradients."""
    made = []
    for name, a in zip("abcd", arrays, strict=False):
        p = named(tt.tensor(np.zeros_like(a), requires_grad=True), name)
        p.grad = tt.tensor(a)
        made.append(p)
    return made


@exercise("clip_grad_norm_", points=2)
def test_clipping_keeps_the_direction(tt, draw):
    """clip_grad_norm_ scales all gradients alike, so that all together are as long as max_norm"""
    arrays, limit = [draw(2, 3), draw(4)], float(draw.choice([0.5, 1.0, 1.25]))
    params = with_gradients(tt, arrays)
    total = norm(arrays)
    same(
        tt.clip_grad_norm_(params, limit),
        np.float32(total),
        mistakes=[Mistake(limit, "this is the norm after clipping. Return the one from before.")],
    )
    scaled, alone = [a * (limit / total) for a in arrays], [a * (limit / norm([a])) for a in arrays]
    for i, p in enumerate(params):
        same(
            p.grad,
            scaled[i],
            what=f"{'ab'[i]}.grad, after clip_grad_norm_([a, b], {limit}) of gradients {total:.4f} long together",
            mistakes=[
                Mistake(alone[i], PER_TENSOR),
                Mistake(np.clip(arrays[i], -limit, limit), "each number was clipped. Scale all of them by one factor."),
                Mistake(arrays[i], "the gradients are as they were. Multiply each by the scale, in place."),
                Mistake(arrays[i] / total, "they are 1 long. The scale is max_norm / total."),
                Mistake(arrays[i] * limit, "they were multiplied by max_norm. The scale is max_norm / total."),
            ],
            smaller="gradients [3.] and [4.], max_norm 1: [0.6] and [0.8]",
        )


@exercise("clip_grad_norm_", points=1)
def test_clipping_leaves_short_gradients_alone(tt, draw):
    """clip_grad_norm_ leaves gradients alone that are short enough"""
    arrays = [draw(2, 3), draw(4)]
    total = norm(arrays)
    limit = total * draw.choice([1.5, 2.0, 10.0])
    params = with_gradients(tt, arrays)
    same(tt.clip_grad_norm_(params, limit), np.float32(total))
    for p, a in zip(params, arrays, strict=True):
        same(
            p.grad,
            a,
            what=f"a gradient, after clipping to {limit:.4f}, where all were {total:.4f} long",
            mistakes=[Mistake(a * (limit / total), "it was stretched. The scale is at most 1.")],
        )


def clipped(arrays, idle, limit):
    """Gradients after clipping the parameters of a generator, seen by who held their arrays; one has none."""
    params = [tt.tensor(a * 0, requires_grad=True) for a in arrays]
    for p, a in zip(params, arrays, strict=True):
        p.grad = tt.tensor(a)
    held = [p.grad.data for p in params]
    params.insert(idle, tt.tensor(arrays[0], requires_grad=True))
    tt.clip_grad_norm_((p for p in params), limit)
    now = [p.grad.data for p in params if p.grad is not None]
    return np.concatenate([a.reshape(-1) for a in held]), np.concatenate([a.reshape(-1) for a in now])


@exercise("clip_grad_norm_", points=2)
def test_clipping_takes_model_parameters(lab, draw):
    """clip_grad_norm_ takes what parameters() gives, passes over who has no gradient, and works in place"""
    arrays, idle = [draw(2, 3), draw(4)], int(draw.integers(0, 3))
    held, now = lab(clipped, arrays, idle, 1.0)
    due, before = flat(arrays) / norm(arrays), flat(arrays)
    again = "the parameters were gone through twice, and a generator has only one way: make a list first."
    same_array(
        now,
        np.float32(due),
        what="the gradients, after clip_grad_norm_(model.parameters(), 1.0)",
        mistakes=[Mistake(np.float32(before), again)],
    )
    in_place = "new gradients were made beside the old ones. Write into those that are there: grad.data *= scale."
    same_array(
        held,
        np.float32(due),
        what="the same, seen by somebody who held the gradients' arrays",
        mistakes=[Mistake(np.float32(before), in_place)],
    )


@exercise("clip_grad_norm_", points=1)
def test_clipping_of_tiny_gradients(tt, draw):
    """clip_grad_norm_ divides by the norm and 1e-6, so that zeros stay zeros"""
    tiny = [draw(2, 3) * np.float32(1e-6), draw(4) * np.float32(1e-6)]
    limit = norm(tiny) / 2
    a, b = with_gradients(tt, tiny)
    tt.clip_grad_norm_([a, b], limit)
    same(
        b.grad,
        tiny[1] * (limit / (norm(tiny) + 1e-6)),
        atol=1e-12,
        what=f"b.grad, clipped to {limit:.2e}, where the norm was twice that",
        mistakes=[Mistake(tiny[1] / 2, "1e-6 is missing beside the norm, as PyTorch has it.")],
    )
    (still,) = with_gradients(tt, [np.zeros(3, np.float32)])
    with calm(tt):
        tt.clip_grad_norm_([still], 1.0)
        same(still.grad, np.zeros(3, np.float32), what="gradients of zero, after clipping")


@exercise("clip_grad_norm_", points=1)
def test_clipping_refuses_a_negative_norm(tt, draw):
    """clip_grad_norm_ refuses a negative max_norm, which would turn the step round"""
    array, limit = draw(3), -float(draw.positive(1)[0])
    (p,) = with_gradients(tt, [array])
    raises(ValueError, lambda: tt.clip_grad_norm_([p], limit), mentions=[limit])
    same(tt.clip_grad_norm_([p], 0.0), np.float32(norm([array])))
    same(p.grad, array * 0, what="the gradient, after clip_grad_norm_([p], 0.0)")


# ---- schedules --------------------------------------------------------------------------------------------


def own_schedule(rates, calls):
    """What a schedule of somebody's own does to the rates of all groups, call by call."""

    class Odd(tt.training.Scheduler):
        def lr_at(self, base_lr, t):
            return base_lr * 2 + t

    groups = [{"params": [tt.tensor([1.0], requires_grad=True)], "lr": rate} for rate in rates]
    optimizer = tt.SGD(groups, lr=1.0)
    schedule = Odd(optimizer)
    seen = [[group["lr"] for group in optimizer.param_groups]]
    for t in calls:
        schedule.set_epoch(t)
        seen.append([group["lr"] for group in optimizer.param_groups])
    schedule.step()
    return seen, schedule.last_epoch


@exercise("Scheduler.set_epoch", points=2)
def test_a_schedule_sets_the_rate_of_every_group(lab, draw):
    """a schedule sets the rate of every parameter group, each from its own base rate"""
    rates = [float(r) for r in draw.distinct(3) + 10]
    calls = [int(t) for t in draw.integers(1, 9, 3)]
    seen, last = lab(own_schedule, rates, calls)
    due, times = [[rate * 2 + t for rate in rates] for t in (0, *calls)], [0, *calls]
    piled, row = [], list(rates)
    for t in times:
        row = [rate * 2 + t for rate in row]
        piled.append(row)
    same(
        seen,
        due,
        what=f"rates of three groups under lr_at(base, t) = 2 * base + t, for t = {times}",
        mistakes=[
            Mistake(piled, "the formula started from the current rate. It always starts from self.base_lrs."),
            Mistake([[row[0], *rates[1:]] for row in due], "only the first group's rate is set."),
            Mistake([[row[0]] * 3 for row in due], "all groups got the first one's rate. Each has its own base rate."),
            Mistake([rates] * 4, "the rates are as they were. Write into group['lr']."),
        ],
    )
    same(
        last,
        calls[-1] + 1,
        what=f"schedule.last_epoch, after set_epoch({calls[-1]}) and step()",
        mistakes=[Mistake(1, "last_epoch was not kept: self.last_epoch = t.")],
    )


def rates_of(kind, options, base_lrs, steps):
    """The rates of each group at every step of a schedule."""
    groups = [{"params": [tt.tensor([1.0], requires_grad=True)], "lr": base_lr} for base_lr in base_lrs]
    optimizer = tt.SGD(groups, lr=1.0)
    schedule = getattr(tt, kind)(optimizer, **options)
    seen = []
    for _ in range(steps):
        seen.append([float(group["lr"]) for group in optimizer.param_groups])
        schedule.step()
    return np.array(seen)


def curve(formula, base_lrs, steps):
    """A formula of base rate and step, for every step and group."""
    return np.array([[formula(base, t) for base in base_lrs] for t in range(steps)], np.float64)


@exercise("StepLR.lr_at", points=2)
def test_step_schedule_is_a_staircase(lab, draw):
    """StepLR multiplies the rate by gamma after every step_size steps"""
    size, gamma = int(draw.integers(2, 5)), float(draw.choice([0.1, 0.25, 0.5]))
    bases = [float(r) for r in draw.positive(2)]

    def right(base, t):
        return base * gamma ** (t // size)

    same_array(
        lab(rates_of, "StepLR", {"step_size": size, "gamma": gamma}, bases, 3 * size + 1),
        curve(right, bases, 3 * size + 1),
        dtype=np.float64,
        what=f"rates from {bases} under StepLR(step_size={size}, gamma={gamma}), one row per step",
        mistakes=[
            Mistake(
                curve(lambda base, t: base * gamma**t, bases, 3 * size + 1),
                "the rate falls with every step. gamma counts once per step_size: t // step_size.",
            ),
            Mistake(
                curve(lambda base, t: base * gamma ** (t / size), bases, 3 * size + 1),
                "the stairs are a ramp. Only whole stairs count: t // step_size.",
            ),
            Mistake(
                curve(lambda base, t: base * gamma ** ((t + 1) // size), bases, 3 * size + 1),
                "the stairs come one step early. After step_size steps, t is step_size.",
            ),
            Mistake(
                curve(lambda base, t: base * gamma if t >= size else base, bases, 3 * size + 1),
                "there is one stair only. gamma is taken to a power.",
            ),
        ],
        smaller="StepLR(step_size=2, gamma=0.5) from 8: 8, 8, 4, 4, 2",
    )


@exercise("CosineAnnealingLR.lr_at", points=2)
def test_cosine_schedule_is_half_a_wave(lab, draw):
    """CosineAnnealingLR falls along half a cosine from the base rate to eta_min at T_max"""
    top, low = int(draw.integers(4, 8)), float(draw.choice([0.0, 0.125, 0.25]))
    bases = [float(r) + 1 for r in draw.positive(2)]

    def wave(base, angle):
        return low + (base - low) * (1 + math.cos(angle)) / 2

    steps = top + 1
    same_array(
        lab(rates_of, "CosineAnnealingLR", {"T_max": top, "eta_min": low}, bases, steps),
        curve(lambda base, t: wave(base, math.pi * t / top), bases, steps),
        dtype=np.float64,
        rtol=1e-9,
        atol=1e-12,
        what=f"rates from {bases} under CosineAnnealingLR(T_max={top}, eta_min={low}), one row per step",
        mistakes=[
            Mistake(
                curve(lambda base, t: low + base * (1 + math.cos(math.pi * t / top)) / 2, bases, steps),
                "the rate falls from base_lr + eta_min. Only the part above eta_min falls: base_lr - eta_min.",
            ),
            Mistake(
                curve(lambda base, t: wave(base, 2 * math.pi * t / top), bases, steps),
                "this is a whole wave. Half of it is due: pi * t / T_max.",
            ),
            Mistake(
                curve(lambda base, t: low + (base - low) * math.cos(math.pi * t / top), bases, steps),
                "the cosine goes from 1 to -1. (1 + cos) / 2 goes from 1 to 0.",
            ),
            Mistake(
                curve(lambda base, t: wave(base, math.pi * t / (top - 1)), bases, steps),
                "eta_min comes a step early: it is due at t = T_max.",
            ),
        ],
        smaller="CosineAnnealingLR(T_max=4) from 1: 1, 0.8536, 0.5, 0.1464, 0",
    )


@exercise("LinearWarmup.lr_at", points=2)
def test_warmup_schedule_is_a_ramp_and_then_level(lab, draw):
    """LinearWarmup rises evenly from start_factor times the base rate, reaches it and stays"""
    count, start = int(draw.integers(3, 6)), float(draw.choice([0.1, 0.25, 0.5]))
    bases = [float(r) for r in draw.positive(2)]
    steps = count + 3

    def ramp(base, t):
        return base * (start + (1 - start) * t / count)

    same_array(
        lab(rates_of, "LinearWarmup", {"total_iters": count, "start_factor": start}, bases, steps),
        curve(lambda base, t: ramp(base, min(t, count)), bases, steps),
        dtype=np.float64,
        rtol=1e-9,
        what=f"rates from {bases} under LinearWarmup(total_iters={count}, start_factor={start}), one row per step",
        mistakes=[
            Mistake(curve(ramp, bases, steps), "the rate goes on rising. From total_iters on it is the base rate."),
            Mistake(
                curve(lambda base, t: base * min(t / count, 1), bases, steps),
                "the ramp starts at 0. It starts at start_factor * base_lr.",
            ),
            Mistake(
                curve(lambda base, t: ramp(base, min(t + 1, count)), bases, steps),
                "the ramp comes a step early: at t = 0 the rate is start_factor * base_lr.",
            ),
            Mistake(
                curve(lambda base, t: base * min(start + t / count, 1), bases, steps),
                "the ramp is too steep: it rises by 1 - start_factor in total_iters steps.",
            ),
        ],
        smaller="LinearWarmup(total_iters=2, start_factor=0.5) from 8: 4, 6, 8, 8",
    )


# ---- files ------------------------------------------------------------------------------------------------


def rewritten(old, new):
    """A file that is written anew: what stood there meanwhile, what stands there now, and beside it."""
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "run.npz"
        if old:
            path.write_bytes(bytes.fromhex(old))
        meanwhile, beside = [], []

        def write(file):
            file.write(bytes.fromhex(new))
            meanwhile.append(path.read_bytes().hex() if path.exists() else "no file")
            beside.append(len([each for each in folder.iterdir() if each != path]))

        size = tt.training.write_atomically(path, write)
        now = path.read_bytes().hex() if path.exists() else "no file"
        return meanwhile, beside, now, sorted(each.name for each in folder.iterdir()), size


@exercise("write_atomically", points=2)
def test_a_file_is_exchanged_whole(lab, draw):
    """write_atomically writes a second file in the same folder, which then takes the first one's place"""
    lengths = [int(n) for n in draw.integers(8, 30, 2)]
    old, new = (draw.integers(0, 256, n).astype(np.uint8).tobytes().hex() for n in lengths)
    for before in (old, ""):
        meanwhile, beside, now, names, size = lab(rewritten, before, new)
        same(
            meanwhile,
            [before or "no file"],
            what="bytes under the file's name while the new ones are written",
            mistakes=[
                Mistake([new], "the file itself is written to: whoever reads it now finds half of it."),
                Mistake([""], "the file itself is opened for writing, which empties it. Write a second one."),
            ],
        )
        same(
            beside,
            [1],
            what="files beside it meanwhile, in its folder",
            mistakes=[Mistake([0], "the second file is elsewhere. Renaming is one step only in the same folder.")],
        )
        same(
            now,
            new,
            what="bytes under the file's name afterwards",
            mistakes=[Mistake(before, "the new file never took the old one's place: os.replace(new, old).")],
        )
        same(names, ["run.npz"], what="files in the folder afterwards")
        same(size, lengths[1], what="what write_atomically returned: the size of the new file in bytes")


def interrupted_write(old, new, kind):
    """A file whose writing breaks off: the error that came out, what stands there, and beside it."""
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "run.npz"
        path.write_bytes(bytes.fromhex(old))

        def write(file):
            file.write(bytes.fromhex(new))
            raise KeyboardInterrupt("interrupted") if kind == "KeyboardInterrupt" else OSError(28, "the disk is full")

        said = "nothing"
        try:
            tt.training.write_atomically(path, write)
        except (OSError, KeyboardInterrupt) as error:
            said = type(error).__name__
        now, files = path.read_bytes().hex(), len(list(folder.iterdir()))
        return said, now, files, tt.training.write_atomically(path, lambda file: file.write(bytes.fromhex(new)))


@exercise("write_atomically", points=2)
def test_a_write_that_fails_leaves_the_old_file(lab, draw):
    """write_atomically leaves the old file, and nothing else, when writing fails or is interrupted"""
    for kind in ("OSError", "KeyboardInterrupt"):
        length = int(draw.integers(8, 30))
        old, new = (draw.integers(0, 256, n).astype(np.uint8).tobytes().hex() for n in (12, length))
        said, now, files, size = lab(interrupted_write, old, new, kind)
        same(
            now,
            old,
            what=f"bytes of the old file, after a {kind} while the new one was written",
            mistakes=[Mistake(new, "half a file took the old one's place. Replace only when all went well.")],
        )
        same(
            files,
            1,
            what=f"files in the folder, after a {kind}",
            mistakes=[
                Mistake(
                    2,
                    "the second file was left behind. Remove it whatever went wrong: except BaseException, then raise.",
                )
            ],
        )
        same(
            said,
            kind,
            what=f"the error that the caller sees, where write raised {kind}",
            mistakes=[Mistake("nothing", "the error was swallowed. Clean up, then `raise` it again.")],
        )
        same(size, length, what="what write_atomically returned for the next attempt, which went well")


def synced(old, new):
    """How many bytes had left Python when the disk was asked to keep them, with the old file still in its place."""
    import os
    import pathlib
    import tempfile

    sizes, real = [], os.fsync
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "run.npz"
        path.write_bytes(bytes.fromhex(old))

        def noted(number):
            if path.read_bytes().hex() == old:
                sizes.append(os.fstat(number).st_size)
            return real(number)

        os.fsync = noted
        try:
            size = tt.training.write_atomically(path, lambda file: file.write(bytes.fromhex(new)))
        finally:
            os.fsync = real
        return max(sizes, default=-1), path.read_bytes().hex(), size


@exercise("write_atomically", points=2)
def test_a_file_is_on_the_disk_before_it_is_renamed(lab, draw):
    """write_atomically waits until the disk has the whole file, and only then renames it"""
    length = int(draw.integers(20, 90))
    old, new = (draw.integers(0, 256, n).astype(np.uint8).tobytes().hex() for n in (8, length))
    asked, now, size = lab(synced, old, new)
    same(now, new, what="bytes under the file's name afterwards")
    same(size, length, what="what write_atomically returned: the size of the new file in bytes")
    same(
        asked,
        length,
        what="bytes that the disk was asked to keep before the file was renamed",
        mistakes=[
            Mistake(
                -1, "the disk was not asked before the file was renamed: os.fsync(file.fileno()), then os.replace."
            ),
            Mistake(0, "Python still held all of them. file.flush() comes before os.fsync."),
        ],
    )


# ---- early stopping ---------------------------------------------------------------------------------------


def watched(values, options):
    """What early stopping remembers after each value, and whether it would stop."""
    stopping, model, seen = tt.EarlyStopping(**options), tt.Linear(1, 1), []
    for value in values:
        stopping.update(value, model)
        seen.append([float(stopping.best), int(stopping.waited), int(stopping.stopped)])
    return np.array(seen)


def remembered(values, sign, delta, patience, compare_with_last=False, reset=True):
    """The same, worked out; and as two usual mistakes have it."""
    best, last, waited, rows = sign * math.inf, sign * math.inf, 0, []
    for value in values:
        gain = sign * ((last if compare_with_last else best) - value)
        if gain > delta:
            best, waited = value, 0 if reset else waited
        else:
            waited += 1
        last = value
        rows.append([best, waited, int(waited >= patience)])
    return np.array(rows, np.float64)


@exercise("EarlyStopping.update", points=2)
def test_early_stopping_counts_epochs_since_the_best(lab, draw):
    """EarlyStopping counts the epochs since the best one, and a better one starts the count again"""
    shift = float(draw(1)[0])
    values = [shift + v for v in (8, 5, 7, 6, 3, math.nan, 3, 3.5)]
    patience = int(draw.integers(2, 4))
    same_array(
        lab(watched, values, {"patience": patience}),
        remembered(values, 1, 0.0, patience),
        dtype=np.float64,
        what=f"best, waited, stopped after each of {[round(v, 4) for v in values]}, patience {patience}",
        mistakes=[
            Mistake(
                remembered(values, 1, 0.0, patience, compare_with_last=True),
                "each epoch is compared with the one before. Better means better than the best so far.",
            ),
            Mistake(
                remembered(values, 1, 0.0, patience, reset=False),
                "a better epoch does not start the count again: waited = 0.",
            ),
            Mistake(remembered(values, -1, 0.0, patience), "larger counts as better. With mode 'min' less is better."),
        ],
        smaller="values 3, 1, 2: best 1, waited 1",
    )


@exercise("EarlyStopping.update", points=1)
def test_early_stopping_asks_for_more_than_min_delta(lab, draw):
    """EarlyStopping knows mode "max", and takes only what beats the best by more than min_delta for better"""
    delta = float(draw.choice([0.5, 0.75]))
    shift = float(draw(1)[0])
    values = [shift + v for v in (0, 0.25, delta, delta + 0.25, delta + 0.125, 2 * delta + 0.25, 3, 2.5)]
    same_array(
        lab(watched, values, {"patience": 3, "min_delta": delta, "mode": "max"}),
        remembered(values, -1, delta, 3),
        dtype=np.float64,
        what=f"best, waited, stopped after each of {values}, min_delta {delta}, mode 'max'",
        mistakes=[
            Mistake(remembered(values, -1, 0.0, 3), "min_delta is not looked at."),
            Mistake(
                remembered(values, -1, delta - 1e-9, 3),
                "better by just min_delta is not better: it takes more than that.",
            ),
            Mistake(remembered(values, 1, delta, 3), "less counts as better, whatever self.mode says."),
        ],
    )


def kept(arrays, values):
    """A model's weights after a run of epochs that each write other ones, and a restore."""
    model = tt.Linear(2, 3, bias=False)
    stopping = tt.EarlyStopping(patience=9)
    for array, value in zip(arrays, values, strict=True):
        model.weight.data[...] = array
        stopping.update(value, model)
    held = model.weight
    stopping.restore(model)
    return model.weight.data, held.data


@exercise("EarlyStopping.update", points=2)
def test_early_stopping_keeps_a_copy_of_the_best_weights(lab, draw):
    """EarlyStopping keeps a copy of the best weights, which later epochs do not change"""
    arrays, best = [draw(2, 3) for _ in range(4)], int(draw.integers(0, 3))
    values = [float(v) for v in np.abs(np.arange(4) - best)]
    now, held = lab(kept, arrays, values)
    for array in (now, held):
        same_array(
            array,
            arrays[best],
            what=f"weight after epochs with losses {values} and restore(model)",
            mistakes=[
                Mistake(arrays[-1], A_REFERENCE),
                Mistake(arrays[0], "the first epoch's weights were kept. A better epoch takes their place."),
            ],
        )


# ---- evaluating -------------------------------------------------------------------------------------------


def modes_around(flags, fails):
    """Modes of all modules, and whether the model's output is recorded: within the block, and after it."""

    class Snag(Exception):
        pass

    model = tt.Sequential(*(tt.Linear(2, 2) for _ in flags))
    for module, flag in zip(model, flags, strict=True):
        module.train(flag)
    x, within, said = tt.ones(1, 2), [], False
    try:
        with tt.training.evaluating(model):
            within = [module.training for module in model.modules()] + [model(x).requires_grad]
            if fails:
                raise Snag
    except Snag:
        said = True
    return within, [module.training for module in model.modules()] + [model(x).requires_grad], said


@exercise("evaluating", points=2)
def test_evaluating_puts_every_module_back(lab, draw):
    """evaluating puts a model into evaluation mode, records nothing, and then puts every module back"""
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    within, after, _ = lab(modes_around, flags, False)
    same(
        after,
        [True, *flags, True],
        what=f"training of a model and its layers {flags}, and whether its output is recorded, after the block",
        mistakes=[
            Mistake([False] * 7 + [True], "the model stays in evaluation mode, and Dropout is dead from now on."),
            Mistake([True] * 8, "every module is in training mode now. Remember each one's own mode before eval()."),
            Mistake([True, *flags, False], "the record stays off. no_grad() ends with its with-block."),
        ],
    )
    same(
        within,
        [False] * 8,
        what="the same, within the block",
        mistakes=[
            Mistake([True, *flags, False], "the model is still in its old mode: model.eval()."),
            Mistake([False] * 7 + [True], "operations are still recorded: with no_grad():"),
            Mistake([True, *flags, True], "nothing is different within the block: model.eval(), no_grad()."),
        ],
    )


@exercise("evaluating", points=1)
def test_evaluating_puts_back_after_an_error(lab, draw):
    """evaluating puts every module back after an error, too, and lets the error through"""
    flags = [bool(flag) for flag in draw.permutation(6) % 2]
    _, after, said = lab(modes_around, flags, True)
    same(
        after,
        [True, *flags, True],
        what=f"training of a model and its layers {flags}, and whether its output is recorded, after an error",
        mistakes=[Mistake([False] * 7 + [True], "the way back is skipped by an error. Put it under `finally:`.")],
    )
    same([said, *flags], [True, *flags], what="whether the error came out of the block, and the flags")


# ---- Trainer: one batch -----------------------------------------------------------------------------------


def measured(loss, table):
    """The numbers of a batch, their types, and whether a metric's own operations were recorded."""
    model = tt.Linear(2, 2)
    outputs = tt.tensor(table, requires_grad=True) * 1.0
    recorded = []

    def total(outputs, targets):
        recorded.append(int((outputs * 2.0).requires_grad))
        return (outputs - targets).sum()

    metrics = {"total": total, "first": lambda outputs, targets: outputs.data[0, 0], "rows": lambda o, t: len(t)}
    trainer = tt.Trainer(model, tt.SGD(model.parameters(), lr=0.1), tt.MSELoss(), metrics=metrics)
    values = trainer.measure(outputs, tt.ones(*table.shape), tt.tensor(loss, requires_grad=True) * 1.0)
    kinds = [type(value).__name__ for value in values.values()]
    return list(values), kinds, [float(value) for value in values.values()], recorded


@exercise("Trainer.measure", points=2)
def test_measure_gives_plain_numbers(lab, draw):
    """measure gives the loss and every metric as floats, which keep no graph alive"""
    table, loss = draw(*draw.sizes(2)), float(draw(1)[0])
    names, kinds, values, recorded = lab(measured, loss, table)
    same(
        names,
        ["loss", "total", "first", "rows"],
        what="names from measure(outputs, targets, loss), with the metrics total, first and rows",
        mistakes=[
            Mistake(["loss"], "the metrics are missing."),
            Mistake(["total", "first", "rows"], "the loss is missing. It comes first, under 'loss'."),
            Mistake(["total", "first", "rows", "loss"], "the loss comes first."),
        ],
    )
    same(
        kinds,
        ["float"] * 4,
        what="types of the numbers",
        mistakes=[
            Mistake(
                ["Tensor", "Tensor", "float32", "int"], "tensors keep their whole graph alive: as_number makes floats."
            ),
            Mistake(["Tensor", "float", "float", "float"], "the loss is a Tensor, with its graph behind it."),
        ],
    )
    same(values, [loss, float(table.sum() - table.size), float(table[0, 0]), float(len(table))], what="the numbers")
    same(
        [*recorded, len(table)],
        [0, len(table)],
        what="whether a metric's operations were recorded (0 or 1), and the batch size",
        mistakes=[Mistake([1, len(table)], "nobody goes back from a metric. Call them inside no_grad().")],
    )


def learned(weights, batches, lr, clip, how, stale):
    """Two layers that learn by one of the trainer's methods: what it returned, and the weights afterwards."""
    model = tt.Sequential(tt.Linear(*weights[0].shape), tt.ReLU(), tt.Linear(*weights[2].shape))
    for p, w in zip(model.parameters(), weights, strict=True):
        p.data[...] = w
        p.grad = tt.tensor(np.full(w.shape, stale, np.float32)) if stale else None
    trainer = tt.Trainer(model, tt.SGD(model.parameters(), lr=lr), tt.MSELoss(), clip_norm=clip)
    pairs = [(tt.tensor(x), tt.tensor(y)) for x, y in batches]
    returned = trainer.train_step(*pairs[0]) if how == "step" else trainer.train_epoch(pairs)
    return returned, np.concatenate([p.data.reshape(-1) for p in model.parameters()])


@exercise("Trainer.train_step", points=3)
def test_train_step_takes_one_step_downhill(lab, draw):
    """train_step moves every parameter by its gradient on this batch, and on no other"""
    sizes = draw.sizes(3)
    weights, batches, lr = network(draw, sizes), examples(draw, sizes, [5]), float(draw.choice([0.125, 0.25]))
    loss, grads = slopes(weights, *batches[0])
    returned, now = lab(learned, weights, batches, lr, None, "step", 0.5)
    right = moved(weights, grads, lr)
    same_array(
        now,
        np.float32(flat(right)),
        rtol=1e-4,
        atol=1e-5,
        what="the weights of two layers after train_step(inputs, targets), in one row",
        mistakes=[
            Mistake(np.float32(flat(weights)), UNMOVED),
            Mistake(np.float32(flat(moved(weights, [g + 0.5 for g in grads], lr))), OLD_GRADIENTS),
            Mistake(
                np.float32(flat(moved(weights, [g * 0 + 0.5 for g in grads], lr))),
                "the step went along the gradients of an earlier batch: backward() comes before step().",
            ),
            Mistake(np.float32(flat(moved(weights, grads, -lr))), "the step goes uphill."),
        ],
    )
    same(
        returned,
        {"loss": float(loss)},
        rtol=1e-4,
        what="train_step(inputs, targets)",
        mistakes=[Mistake(float(slopes(right, *batches[0])[0]), "this is the loss after the step.")],
    )


@exercise("Trainer.train_step", points=2)
def test_train_step_clips_before_it_steps(lab, draw):
    """train_step clips the gradients of all parameters together, between backward and step"""
    sizes = draw.sizes(3)
    weights, batches = network(draw, sizes), examples(draw, sizes, [4])
    _, grads = slopes(weights, *batches[0])
    limit = norm(grads) * float(draw.choice([0.25, 0.5]))
    _, now = lab(learned, weights, batches, 0.5, limit, "step", 0.0)
    scale = limit / (norm(grads) + 1e-6)
    same_array(
        now,
        np.float32(flat(moved(weights, [g * scale for g in grads], 0.5))),
        rtol=1e-4,
        atol=1e-5,
        what=f"the weights of two layers after train_step with clip_norm={limit:.4f}, in one row",
        mistakes=[
            Mistake(np.float32(flat(moved(weights, grads, 0.5))), UNCLIPPED),
            Mistake(np.float32(flat(weights)), UNMOVED),
            Mistake(
                np.float32(flat(moved(weights, [g * min(1, limit / (norm([g]) + 1e-6)) for g in grads], 0.5))),
                PER_TENSOR,
            ),
        ],
    )


def classified(weight, x, target, lr):
    """The weight of a linear classifier after a step, and its accuracy as the step returned it."""
    model = tt.Linear(*weight.shape, bias=False)
    model.weight.data[...] = weight
    trainer = tt.Trainer(
        model, tt.SGD(model.parameters(), lr=lr), tt.CrossEntropyLoss(), metrics={"accuracy": tt.accuracy}
    )
    returned = trainer.train_step(tt.tensor(x), tt.tensor(target))
    return model.weight.data, returned


@exercise("Trainer.train_step", points=1)
def test_train_step_learns_classes(lab, draw):
    """train_step hands outputs and targets to the loss, in this order, and returns the metrics from before the step"""
    (n, classes), lr = draw.sizes(2), float(draw.choice([0.25, 0.5]))
    weight, x, target = draw.normal(n, classes), draw.normal(6, n), draw.integers(0, classes, 6)
    now, returned = lab(classified, weight, x, target, lr)
    scores = x.astype(np.float64) @ weight
    share = np.exp(scores - scores.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    due = np.eye(classes)[target]
    same_array(
        now,
        np.float32(weight - lr * x.T @ (share - due) / 6),
        rtol=1e-4,
        atol=1e-5,
        what="the weight of a linear classifier after train_step under CrossEntropyLoss",
        mistakes=[Mistake(weight, UNMOVED)],
    )
    loss, hits = float(-np.log((share * due).sum(1)).mean()), float((scores.argmax(1) == target).mean())
    same(
        returned,
        {"loss": loss, "accuracy": hits},
        rtol=1e-4,
        what="train_step(inputs, targets), with the metric accuracy",
    )


def met(weight, bad):
    """The weight after a batch whose target may be nan, and what was said of it."""
    model = tt.Linear(1, 1, bias=False)
    model.weight.data[...] = weight
    trainer = tt.Trainer(model, tt.SGD(model.parameters(), lr=0.5), tt.MSELoss())
    said = ""
    try:
        trainer.train_step(tt.ones(1, 1), tt.tensor([[math.nan if bad else 0.0]]))
    except FloatingPointError as error:
        said = str(error)
    return model.weight.data, "nan" in said


@exercise("Trainer.train_step", points=1)
def test_train_step_stops_at_nan(lab, draw):
    """train_step stops at a loss of nan before it gets into the weights"""
    weight = float(draw(1)[0])
    for bad in (False, True) if draw.rng.integers(2) else (True, False):
        now, said = lab(met, weight, bad)
        same_array(
            now,
            np.float32([[weight if bad else 0.0]]),
            what=f"a weight of {weight} after a batch whose loss is {'nan' if bad else 'a number'}",
            mistakes=[
                Mistake(np.float32([[math.nan]]), "nan is in the weights. Call require_finite before backward().")
            ],
        )
        same([said, weight], [bad, weight], what="whether a FloatingPointError spoke of nan, and the weight before")


# ---- Trainer: one epoch -----------------------------------------------------------------------------------


@exercise("Trainer.train_epoch", points=2)
def test_train_epoch_learns_from_every_batch_in_order(lab, draw):
    """train_epoch learns from every batch once, in order, and averages over the examples"""
    sizes = draw.sizes(3)
    weights, batches = network(draw, sizes), examples(draw, sizes, [6, 6, 2])
    right, losses = epoch_of(weights, batches, 0.125)
    returned, now = lab(learned, weights, batches, 0.125, None, "epoch", 0.0)
    same_array(
        now,
        np.float32(flat(right)),
        rtol=1e-3,
        atol=1e-4,
        what="the weights of two layers after train_epoch over batches of 6, 6 and 2, in one row",
        mistakes=[
            Mistake(np.float32(flat(epoch_of(weights, batches[:1], 0.125)[0])), "only the first batch was used."),
            Mistake(np.float32(flat(epoch_of(weights, batches[-1:], 0.125)[0])), "only the last batch was used."),
        ],
    )
    wrong = {"the numbers of the last batch came back": losses[-1], PER_BATCH: float(np.mean(losses))}
    names = list(returned) if isinstance(returned, dict) else returned
    same(names, ["loss"], what="names in what train_epoch returned")
    same(
        returned["loss"],
        float(np.average(losses, weights=[6, 6, 2])),
        rtol=1e-3,
        what="the loss that train_epoch returned, of batches of 6, 6 and 2",
        mistakes=[Mistake(value, says) for says, value in wrong.items()],
    )


def modes_of_batches(flag, counts, unit, gamma):
    """The model's mode in each batch of an epoch, and the rate after it."""

    class Noting(tt.Module):
        def __init__(self):
            super().__init__()
            self.inner = tt.Linear(1, 1)
            self.seen = []

        def forward(self, x):
            self.seen.append(self.training and self.inner.training)
            return self.inner(x)

    model = Noting()
    model.train(flag)
    optimizer = tt.SGD(model.parameters(), lr=1.0)
    schedule = tt.StepLR(optimizer, step_size=1, gamma=gamma)
    trainer = tt.Trainer(model, optimizer, tt.MSELoss(), schedule, schedule_by=unit)
    trainer.train_epoch([(tt.zeros(n, 1), tt.zeros(n, 1)) for n in counts])
    return model.seen, float(optimizer.param_groups[0]["lr"])


@exercise("Trainer.train_epoch", points=1)
def test_train_epoch_trains(lab, draw):
    """train_epoch puts the model into training mode, whatever mode it was in"""
    counts = [int(n) for n in draw.integers(1, 4, draw.choice([3, 4, 5]))]
    for flag in [bool(f) for f in draw.permutation(2)]:
        seen, _ = lab(modes_of_batches, flag, counts, "epoch", 0.5)
        same(
            seen,
            [True] * len(counts),
            what=f"model.training in each of {len(counts)} batches, where it was {flag} before",
            mistakes=[Mistake([False] * len(counts), "the model is in evaluation mode: Dropout does nothing.")],
        )


@exercise("Trainer.train_epoch", points=1)
def test_train_epoch_steps_a_schedule_that_goes_by_batches(lab, draw):
    """train_epoch steps the schedule after every batch with schedule_by="batch", and else not at all"""
    counts, gamma = [1] * int(draw.integers(3, 6)), float(draw.choice([0.5, 0.75]))
    rates = [lab(modes_of_batches, True, counts, unit, gamma)[1] for unit in ("batch", "epoch")]
    once = [gamma, 1.0]
    same(
        rates,
        [gamma ** len(counts), 1.0],
        what=f"rate after an epoch of {len(counts)} batches, from 1 with gamma {gamma} a step: by batch, by epoch",
        mistakes=[
            Mistake(once, "one step per epoch was taken. With schedule_by='batch' it is one per batch."),
            Mistake([1.0, 1.0], "the schedule never moved: call self.step_schedule('batch') after each batch."),
            Mistake([gamma ** len(counts)] * 2, "it moves by batches whatever schedule_by says: use step_schedule."),
        ],
    )


def evaluated(weight, factor, batches, flag):
    """Two evaluations of a model that answers otherwise while it trains: numbers, weight, mode, what was recorded."""

    class Moody(tt.Module):
        def __init__(self):
            super().__init__()
            self.weight = tt.Parameter(tt.tensor(weight))

        def forward(self, x):
            return x @ self.weight * (factor if self.training else 1.0)

    model, recorded = Moody(), []
    model.train(flag)

    def loss(outputs, targets):
        recorded.append(outputs.requires_grad)
        return tt.MSELoss()(outputs, targets) + outputs.mean()  # so that it matters which comes first

    metrics = {"sum": lambda outputs, targets: outputs.sum()}
    trainer = tt.Trainer(model, tt.SGD(model.parameters(), lr=0.5), loss, metrics=metrics)
    pairs = [(tt.tensor(x), tt.tensor(y)) for x, y in batches]
    values = [trainer.evaluate(pairs) for _ in range(2)]
    numbers = np.array([[each["loss"], each["sum"]] for each in values])
    return numbers, model.weight.data, [model.training, any(recorded)]


@exercise("Trainer.evaluate", points=3)
def test_evaluate_measures_the_model_as_it_is_used(lab, draw):
    """evaluate measures a model in evaluation mode, averaged over examples, and changes nothing"""
    (n, m), factor, flag = draw.sizes(2), float(draw.choice([2.0, 3.0])), bool(draw.rng.integers(2))
    weight, batches = draw(n, m), [(draw(count, n), draw(count, m)) for count in (5, 5, 2)]

    def numbers(scale, counts, exchanged=False):
        rows = []
        for x, y in batches:
            outputs = x.astype(np.float64) @ weight * scale
            rows.append((((outputs - y) ** 2).mean() + (y if exchanged else outputs).mean(), outputs.sum()))
        return np.array([np.average(rows, axis=0, weights=counts)] * 2)

    got, now, state = lab(evaluated, weight, factor, batches, flag)
    same_array(
        got,
        numbers(1, [5, 5, 2]),
        dtype=np.float64,
        rtol=1e-5,
        atol=1e-4,
        what=f"loss and metric of two evaluations, of a model that answers {factor} times as much in training mode",
        mistakes=[
            Mistake(numbers(factor, [5, 5, 2]), "the model was in training mode. Use evaluating(self.model)."),
            Mistake(numbers(1, [1, 1, 1]), PER_BATCH),
            Mistake(numbers(1, [5, 5, 2], exchanged=True), "loss_fn takes the outputs first, then the targets."),
        ],
    )
    same_array(now, weight, what="the weight afterwards")
    same(
        state,
        [flag, False],
        what=f"model.training afterwards (before: {flag}), and whether outputs were recorded",
        mistakes=[Mistake([flag, True], "the outputs were recorded. Use evaluating(self.model).")],
    )


def one_epoch(weight, batches, validation, lr, gamma):
    """One epoch of a linear model: its numbers, the weight and the rate afterwards."""
    model = tt.Linear(*weight.shape, bias=False)
    model.weight.data[...] = weight
    optimizer = tt.SGD(model.parameters(), lr=lr)
    schedule = tt.StepLR(optimizer, step_size=1, gamma=gamma) if gamma else None
    metrics = {"sum": lambda outputs, targets: outputs.sum()}
    trainer = tt.Trainer(model, optimizer, tt.MSELoss(), schedule, metrics)
    batches, validation = ([(tt.tensor(x), tt.tensor(y)) for x, y in each] for each in (batches, validation))
    values = trainer.run_epoch(batches, validation or None)
    return list(values), [float(value) for value in values.values()], float(optimizer.param_groups[0]["lr"])


def line(weight, x, y, lr):
    """Loss, sum of outputs, and the next weight of a linear model without bias."""
    error = x @ weight.astype(np.float64) - y
    return (error**2).mean(), (x @ weight.astype(np.float64)).sum(), weight - lr * x.T @ (2 * error / error.size)


@exercise("Trainer.run_epoch", points=2)
def test_run_epoch_measures_after_it_has_learnt(lab, draw):
    """run_epoch learns, then measures on the validation data, and gives every number its name"""
    n, m = draw.sizes(2)
    weight, x, y, lr = draw(n, m), draw(4, n), draw(4, m), float(draw.choice([0.125, 0.25]))
    vx, vy = draw(3, n), draw(3, m)
    names, values, _ = lab(one_epoch, weight, [(x, y)], [(vx, vy)], lr, 0.0)
    due = ["lr", "loss", "sum", "validation_loss", "validation_sum"]
    same(
        names,
        due,
        what="names from run_epoch(batches, validation), with the metric sum",
        mistakes=[
            Mistake(["lr", "loss", "sum"], "the validation data was not measured, or has overwritten the rest."),
            Mistake(["loss", "sum", "validation_loss", "validation_sum"], "the rate is missing: 'lr' comes first."),
        ],
    )
    loss, total, after = line(weight, x, y, lr)
    same(
        values,
        [float(v) for v in (lr, loss, total, *line(after, vx, vy, lr)[:2])],
        rtol=1e-4,
        atol=1e-3,  # large outputs may add up to little
        what=", ".join(due),
        mistakes=[
            Mistake(
                [float(v) for v in (lr, loss, total, *line(weight, vx, vy, lr)[:2])],
                "the validation data was measured before the model learnt. It comes after.",
            )
        ],
    )


@exercise("Trainer.run_epoch", points=2)
def test_run_epoch_moves_the_schedule_last(lab, draw):
    """run_epoch notes the rate that the epoch had, and then lets the schedule take one step"""
    weight, x, y = draw(2, 3), draw(4, 2), draw(4, 3)
    lr, gamma = float(draw.choice([0.125, 0.25])), float(draw.choice([0.5, 0.75]))
    names, values, now = lab(one_epoch, weight, [(x, y), (x, y)], [], lr, gamma)
    same(names, ["lr", "loss", "sum"], what="names from run_epoch(batches, None), with the metric sum")
    first, _, after = line(weight, x, y, lr)
    second = line(after, x, y, lr)[0]
    early = line(line(weight, x, y, lr * gamma)[2], x, y, lr)[0]
    twice = "the schedule moved once per batch. With schedule_by='epoch' it is once per epoch."
    what = f"lr and loss of the epoch, and the rate after it, from {lr} with gamma {gamma}"
    same(
        [*values[:2], now],
        [float(v) for v in (lr, (first + second) / 2, lr * gamma)],
        rtol=1e-4,
        what=what,
        mistakes=[
            Mistake([lr * gamma, (first + second) / 2, lr * gamma], "this is the next epoch's rate: note it before."),
            Mistake([lr, (first + early) / 2, lr * gamma], "the schedule moved before the epoch had learnt."),
            Mistake(
                [lr * gamma, (first + early) / 2, lr * gamma], "the schedule moved before the epoch. It moves last."
            ),
            Mistake([lr, (first + second) / 2, lr], "the schedule did not move: self.step_schedule('epoch')."),
            Mistake([lr, (first + second) / 2, lr * gamma**2], twice),
        ],
    )


# ---- Trainer: one run -------------------------------------------------------------------------------------


def saved_parts(weight, lr, best, scheduled, stopping):
    """What the parts of a run hold: their names, and a number of each."""
    model = tt.Linear(*weight.shape, bias=False)
    model.weight.data[...] = weight
    optimizer = tt.SGD(model.parameters(), lr=lr)
    schedule = tt.StepLR(optimizer, step_size=3, gamma=0.5) if scheduled else None
    early = tt.EarlyStopping() if stopping else None
    if early is not None:
        early.best = best
    trainer = tt.Trainer(model, optimizer, tt.MSELoss(), schedule)
    trainer.remember({"loss": best + 1})
    states = {name: part.state_dict() for name, part in trainer.parts(early).items()}
    numbers = [states["trainer"]["history"]["loss"][0], states["optimizer"]["param_groups"][0]["lr"]]
    numbers += states["scheduler"]["base_lrs"] if "scheduler" in states else []
    numbers += [states["early_stopping"]["best"]] if "early_stopping" in states else []
    return sorted(states), numbers, states["model"]["weight"]


@exercise("Trainer.parts", points=2)
def test_parts_are_all_that_a_run_must_find_again(lab, draw):
    """parts names everything that a run must find again, schedule and early stopping where they are used"""
    for number in draw.permutation(4):
        scheduled, stopping = bool(number % 2), bool(number // 2)
        weight, (lr, best) = draw(2, 3), (float(v) for v in draw.positive(2))
        names, numbers, saved = lab(saved_parts, weight, lr, best, scheduled, stopping)
        extra = ["early_stopping"] * stopping, ["scheduler"] * scheduled
        due = sorted(["model", "optimizer", "random", "trainer", *extra[0], *extra[1]])
        same(
            names,
            due,
            what=f"names in parts, {'with' if scheduled else 'without'} a schedule, "
            f"{'with' if stopping else 'without'} early stopping",
        )
        same(
            numbers,
            [best + 1, lr, *([lr] if scheduled else []), *([best] if stopping else [])],
            what="the loss in the history, the rate, and those of schedule and early stopping, as saved",
        )
        same_array(saved, weight, what="the weight, as saved")


def drawn_again(seeds, count):
    """Numbers drawn by the course's generator and by a loader's own: first, and after the parts were put back."""

    class Loader:
        generator = np.random.default_rng(seeds[1])

    tt.manual_seed(seeds[0])
    model = tt.Linear(1, 1, bias=False)
    model.weight.data[...] = 0.0
    loader = Loader()
    tt.manual_seed(seeds[0])
    random = tt.Trainer(model, tt.SGD(model.parameters(), lr=0.1), tt.MSELoss()).parts(None, loader, None)["random"]
    state = random.state_dict()
    draws = []
    for _ in range(2):
        draws.append(np.concatenate([tt.rand(count).data, loader.generator.random(count)]))
        random.load_state_dict(state)
    return np.stack(draws)


@exercise("Trainer.parts", points=1)
def test_parts_hold_every_generator(lab, draw):
    """parts holds the random state of the course and of the loaders, so that the same numbers come again"""
    seeds, count = [int(s) for s in draw.integers(0, 10**6, 2)], int(draw.integers(3, 6))
    course, loader = (generator(draw, seed) for seed in seeds)
    once = np.concatenate([course.random(count, dtype=np.float32), loader.random(count)])
    same_array(
        lab(drawn_again, seeds, count),
        np.stack([once, once]),
        dtype=np.float64,
        rtol=1e-6,
        what="numbers of the course's generator, then of the loader's: drawn, and drawn again after loading",
    )


def fitted(weight, batches, epochs, lr):
    """A linear model after fit: history, what on_epoch was told, and the weight."""
    model = tt.Linear(*weight.shape, bias=False)
    model.weight.data[...] = weight
    trainer = tt.Trainer(model, tt.SGD(model.parameters(), lr=lr), tt.MSELoss())
    told = []
    pairs = [(tt.tensor(x), tt.tensor(y)) for x, y in batches]
    history = trainer.fit(pairs, epochs, on_epoch=lambda epoch, values: told.append([epoch, values["loss"]]))
    return history, told, model.weight.data, trainer.history


def course_of(weight, batches, epochs, lr):
    """The weights after each epoch of a linear model, and the losses."""
    weights, losses = [weight], []
    for _ in range(epochs):
        total = 0.0
        for x, y in batches:
            loss, _, weight = line(weight, x, y, lr)
            total += loss * len(y)
        weights.append(weight)
        losses.append(float(total / sum(len(y) for _, y in batches)))
    return weights, losses


@exercise("Trainer.fit", points=3)
def test_fit_trains_for_so_many_epochs(lab, draw):
    """fit goes through the batches so many times, keeps the history and reports every epoch"""
    n, m = draw.sizes(2)
    weight, batches = draw(n, m) / 2, [(draw(4, n) / 2, draw(4, m) / 2), (draw(2, n) / 2, draw(2, m) / 2)]
    epochs, lr = int(draw.integers(3, 6)), float(draw.choice([0.125, 0.25]))
    weights, losses = course_of(weight, batches, epochs + 1, lr)
    history, told, now, record = lab(fitted, weight, batches, epochs, lr)
    same_array(
        now,
        np.float32(weights[epochs]),
        rtol=1e-4,
        atol=1e-5,
        what=f"the weight of a linear model after fit(batches, epochs={epochs})",
        mistakes=[
            Mistake(np.float32(weights[epochs - 1]), "one epoch is missing."),
            Mistake(np.float32(weights[epochs + 1]), "there was one epoch too many."),
            Mistake(np.float32(weight), "nothing was learnt."),
        ],
    )
    due = {"lr": [lr] * epochs, "loss": losses[:epochs]}
    same(history, due, rtol=1e-4, what=f"fit(batches, epochs={epochs})")
    same(record, due, rtol=1e-4, what="trainer.history afterwards")
    same(
        told,
        [[i + 1, loss] for i, loss in enumerate(losses[:epochs])],
        rtol=1e-4,
        what="[epoch, values['loss']] as on_epoch was told",
        mistakes=[
            Mistake(
                [[i, loss] for i, loss in enumerate(losses[:epochs])], "epochs are counted before they are finished."
            ),
            Mistake([], "on_epoch was never called."),
        ],
    )


def stopped_early(weight, x, y, lr, scores, patience, epochs):
    """A run whose epochs are scored by a list: how many there were, and the weight at its end."""
    model = tt.Linear(*weight.shape, bias=False)
    model.weight.data[...] = weight
    left = list(scores)
    trainer = tt.Trainer(
        model, tt.SGD(model.parameters(), lr=lr), tt.MSELoss(), metrics={"score": lambda outputs, targets: left.pop(0)}
    )
    stopping = tt.EarlyStopping(patience=patience, monitor="score", mode="max")
    history = trainer.fit([(tt.tensor(x), tt.tensor(y))], epochs, early_stopping=stopping)
    return history["score"], model.weight.data


@exercise("Trainer.fit", points=2)
def test_fit_stops_early_and_brings_back_the_best_weights(lab, draw):
    """fit ends when early stopping has waited enough, and brings back the weights of the best epoch"""
    weight, x, y, patience = draw(2, 3) / 2, draw(4, 2) / 2, draw(4, 3) / 2, int(draw.integers(2, 4))
    best = int(draw.integers(1, 4))
    scores = [float(v) for v in [*np.arange(best), 100, *(50 - np.arange(12))]]  # the best one is number best + 1
    weights, _ = course_of(weight, [(x, y)], 12, 0.25)
    for epochs in (12, best + 2):  # ended by early stopping, and by the number of epochs
        reached = min(best + 1 + patience, epochs)
        seen, now = lab(stopped_early, weight, x, y, 0.25, scores[:epochs], patience, epochs)
        same(
            seen,
            scores[:reached],
            what=f"scores in the history, of at most {epochs} epochs, with patience {patience}",
            mistakes=[
                Mistake(
                    scores[:epochs], "the run went on to its end. Look at early_stopping.stopped after each epoch."
                ),
                Mistake(scores[: reached + 1], "the run went on for one epoch too many."),
            ],
        )
        same_array(
            now,
            np.float32(weights[best + 1]),
            rtol=1e-4,
            atol=1e-5,
            what=f"the weight after fit, where epoch {best + 1} of {reached} was the best",
            mistakes=[Mistake(np.float32(weights[reached]), NOT_BEST)],
        )


def checkpoints_of(weight, x, y, lr, scores):
    """What the checkpoint held after each epoch: the epoch, the count of early stopping, the weight."""
    import pathlib
    import tempfile

    model = tt.Linear(*weight.shape, bias=False)
    model.weight.data[...] = weight
    left, seen, kept = list(scores), [], []
    trainer = tt.Trainer(
        model, tt.SGD(model.parameters(), lr=lr), tt.MSELoss(), metrics={"score": lambda outputs, targets: left.pop(0)}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "run.npz"

        def look(epoch, values):
            saved = tt.load_checkpoint(path)
            seen.append([saved["trainer"]["epoch"], saved["early_stopping"]["waited"]])
            kept.append(saved["model"]["weight"])

        stopping = tt.EarlyStopping(patience=99, monitor="score", mode="max")
        history = trainer.fit(
            [(tt.tensor(x), tt.tensor(y))], len(scores), early_stopping=stopping, checkpoint=path, on_epoch=look
        )
    return seen, np.stack(kept), history["score"]


@exercise("Trainer.fit", points=2)
def test_fit_saves_every_finished_epoch(lab, draw):
    """fit saves a checkpoint after every epoch, which holds all of that epoch"""
    weight, x, y = draw(2, 3) / 2, draw(4, 2) / 2, draw(4, 3) / 2
    scores = [0.0]
    while scores == sorted(scores):  # some epoch is no better than the one before
        scores = [float(v) for v in draw.permutation(5)]
    weights, _ = course_of(weight, [(x, y)], 5, 0.25)
    seen, kept, history = lab(checkpoints_of, weight, x, y, 0.25, scores)
    same(history, scores, what="the scores in the history that fit returned")
    waited = [i - int(np.argmax(scores[: i + 1])) for i in range(5)]
    same(
        seen,
        [[i + 1, waited[i]] for i in range(5)],
        what=f"[epochs finished, epochs since the best] in the checkpoint after each epoch, with scores {scores}",
        mistakes=[
            Mistake([[i, ([0, *waited])[i]] for i in range(5)], "the file was written before the epoch was finished."),
            Mistake(
                [[i + 1, ([0, *waited])[i]] for i in range(5)],
                "early stopping must be told before the file is written.",
            ),
            Mistake([[0, 0]] * 5, "the file is only written at the start. Save after every epoch."),
        ],
    )
    same_array(
        kept,
        np.float32(weights[1:]),
        rtol=1e-4,
        atol=1e-5,
        what="the weight in the checkpoint after each epoch",
        mistakes=[Mistake(np.float32(weights[:-1]), "the file holds the weights from before the epoch.")],
    )


def gone_on(weight, x, y, seeds, epochs, stop_at, kind):
    """Runs with shuffled data and noise: one whole, one interrupted and gone on with. Weights, losses, files."""
    import pathlib
    import tempfile

    class Noisy(tt.Module):
        def __init__(self):
            super().__init__()
            self.inner = tt.Linear(*weight.shape, bias=False)
            self.inner.weight.data[...] = weight

        def forward(self, x):
            return self.inner(x * tt.rand(x.shape)) if self.training else self.inner(x)

    class Loader:
        def __init__(self, stop_at):
            self.generator, self.left = np.random.default_rng(seeds[1]), stop_at

        def __iter__(self):
            order = self.generator.permutation(len(x))
            for rows in (order[:3], order[3:]):
                if self.left == 0:
                    raise KeyboardInterrupt("interrupted") if kind == "KeyboardInterrupt" else OSError("no more data")
                self.left -= 1
                yield tt.tensor(x[rows]), tt.tensor(y[rows])

    def run(path, stop_at, seed, resume):
        model = Noisy()
        optimizer = tt.SGD(model.parameters(), lr=0.25, momentum=0.5)
        trainer = tt.Trainer(model, optimizer, tt.MSELoss(), tt.StepLR(optimizer, step_size=2, gamma=0.5))
        tt.manual_seed(seed)
        try:
            trainer.fit(Loader(stop_at), epochs, checkpoint=path, resume=resume)
        except (KeyboardInterrupt, OSError):
            return None
        return np.concatenate([model.inner.weight.data.reshape(-1), trainer.history["loss"], trainer.history["lr"]])

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = run(folder / "whole.npz", -1, seeds[0], False)
        run(folder / "run.npz", stop_at, seeds[0], True)
        again = run(folder / "run.npz", -1, seeds[0] + 1, True)
        return whole, again


def noisy_run(weight, x, y, noise, order, epochs, anew=None):
    """The same run, worked out: momentum, schedule, order of the data and noise.

    `anew` is a pair (epoch, order): from this epoch on the data come in that order.
    """
    speed, losses, rates = 0.0, [], []
    for epoch in range(epochs):
        order = anew[1] if anew is not None and epoch == anew[0] else order
        rate, total, rows = 0.25 * 0.5 ** (epoch // 2), 0.0, order.permutation(len(x))
        for part in (rows[:3], rows[3:]):
            blurred = x[part] * noise.random(x[part].shape, dtype=np.float32)
            error = blurred @ weight - y[part]
            speed = 0.5 * speed + blurred.T @ (2 * error / error.size)
            weight = weight - rate * speed
            total += (error**2).mean() * len(part)
        losses.append(total / len(x))
        rates.append(rate)
    return np.concatenate([weight.reshape(-1), losses, rates])


@exercise("Trainer.fit", points=3)
def test_fit_goes_on_as_if_nothing_had_happened(lab, draw):
    """fit goes on after an interruption, and ends with the same bits as a run without one"""
    weight, x, y = draw(2, 3) / 2, draw(5, 2) / 2, draw(5, 3) / 2
    seeds, epochs = [int(s) for s in draw.integers(0, 10**6, 2)], 5
    stop_at, kind = int(draw.integers(3, 10)), draw.choice(["KeyboardInterrupt", "OSError"])
    whole, again = lab(gone_on, weight, x, y, seeds, epochs, stop_at, kind)

    def worked_out(seed, **more):
        start = weight.astype(np.float64)
        return noisy_run(start, x, y, generator(draw, seed), generator(draw, seeds[1]), epochs, **more)

    what = "weight, losses and rates of a run of 5 epochs with shuffled data and noise"
    right, same_order = worked_out(seeds[0]), (stop_at // 2, generator(draw, seeds[1]))
    same_array(whole, right, dtype=np.float64, rtol=1e-3, atol=1e-4, what=what)
    same_array(
        again,
        right,
        dtype=np.float64,
        rtol=1e-3,
        atol=1e-4,
        what=f"the same, interrupted in batch {stop_at + 1} and gone on with",
        mistakes=[
            Mistake(worked_out(seeds[0] + 1), "the run has begun anew. Hand resume on to self.begin."),
            Mistake(
                worked_out(seeds[0], anew=same_order),
                "the data came in another order: hand the loaders to self.parts, which saves their generators.",
            ),
        ],
    )
    same_array(again, whole, dtype=np.float64, rtol=0, atol=0, what="the run that went on, bit for bit as the other")
