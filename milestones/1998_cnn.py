"""1998: the same small filters for every place in the picture.

To the network of 1986 a digit that moves by one pixel is another digit. Yann LeCun, Léon Bottou, Yoshua Bengio and
Patrick Haffner let a network learn small filters and moved them over the whole picture: their LeNet read a tenth of
all cheques in the United States. Yours meets the network of 1986 on its own digits, from the same seeds, with a third
of its numbers to learn. With --full it sorts the photographs of CIFAR-10 (A. Krizhevsky, 2009). ReLU and BatchNorm
(S. Ioffe, C. Szegedy, 2015) are younger than LeNet, and so is the recipe: steps that grow, then shrink; a little decay;
mirrored photographs.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86 (1998), 2278-2324.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from pytest_tinytorch import lab

SEEDS, EPOCHS, INK = 3, 25, 16
MLP, CNN = "MLP of 1986", "CNN"
NUMBERS = {MLP: 17_226, CNN: 6_186}  # that each of them learns
FULL = {"epochs": 5, "batch": 128, "held": 5_000}  # so many photographs are held out, to see how the learning goes
MEAN, SPREAD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of red, green and blue in the photographs to learn
REQUIRED = 0.75


def problems(rng):
    """TinyDigits: 1,000 to learn, 200 to read."""
    return {"TinyDigits": problem(lab.tiny_digits(), rng, names=tuple("0123456789"))}


def full_problems(rng, data):
    """CIFAR-10: 50,000 photographs to learn, 10,000 to sort."""
    photographs = data.cifar10()
    return {"CIFAR-10": problem(photographs, rng, names=photographs.names, sizes=FULL)}


def problem(data, rng, **more):
    """Images to learn, and others in random order whose labels stay here."""
    order = rng.permutation(len(data.test_labels))
    return lab.Problem(
        inputs=data.train_images,
        labels=data.train_labels,
        questions=data.test_images[order],
        answers=data.test_labels[order],
        **more,
    )


def run(tt, problems, seed, show, folder):
    """Learn, then answer. `tt` is your package; in `folder` an interrupted run finds what it had learnt."""
    if "CIFAR-10" in problems:
        return sort_photographs(tt, problems["CIFAR-10"], seed, show, folder)
    return read_digits(tt, problems["TinyDigits"], seed, show)


def network(tt, channels, side):
    """Blocks of filters, each of which halves the picture, and a score for each of ten classes."""
    layers = []
    for before, after in pairwise(channels):
        layers += [tt.Conv2d(before, after, 3, padding=1), tt.MaxPool2d(2), tt.BatchNorm2d(after), tt.ReLU()]
        side //= 2
    return tt.Sequential(*layers, tt.Flatten(), tt.Linear(channels[-1] * side * side, 10))


# ---- TinyDigits: 1986 against 1998 ----------------------------------------------------------------------------


def network_of_1986(tt):
    """Every pixel has a weight of its own to every hidden unit."""
    layers = [tt.Linear(64, 128), tt.ReLU(), tt.Linear(128, 64), tt.ReLU(), tt.Linear(64, 10)]
    for layer in layers[::2]:
        tt.kaiming_normal_(layer.weight)
    return tt.Sequential(tt.Flatten(), *layers)


def read_digits(tt, task, seed, show):
    """Both networks learn in the same way, from the same seeds."""
    pictures, questions = (tt.tensor(task[p][:, None].astype(np.float32) / INK) for p in ("inputs", "questions"))
    digits = tt.TensorDataset(pictures, tt.tensor(task["labels"]))  # (1000, 1, 8, 8) and (1000,)
    answers = {}
    for name, make in {MLP: network_of_1986, CNN: lambda tt: network(tt, (1, 16, 32), 8)}.items():
        said = []
        for n in range(SEEDS):
            show(f"{name}, seed {n + 1} of {SEEDS}")
            tt.manual_seed(seed + n)
            net = make(tt)
            optimizer = tt.Adam(net.parameters(), lr=3e-3)
            decay = tt.CosineAnnealingLR(optimizer, T_max=EPOCHS)
            trainer = tt.Trainer(net, optimizer, tt.CrossEntropyLoss(), scheduler=decay)
            history = trainer.fit(tt.DataLoader(digits, batch_size=64, shuffle=True), epochs=EPOCHS)
            said.append(answer(tt, net, questions))
        answers |= {name: np.array(said), f"{name}, loss": history["loss"]}  # (3, 200), and the last seed's losses
    return answers | {"filters": net[0].weight.detach().numpy()}


def answer(tt, net, images):
    """The class with the highest score, for each image."""
    net.eval()
    with tt.no_grad():
        return net(images).argmax(dim=1).numpy()


# ---- CIFAR-10 -------------------------------------------------------------------------------------------------


def sort_photographs(tt, task, seed, show, folder):
    """Learn from all but the last photographs, which are held out, and sort those of the test once, at the end."""
    tt.manual_seed(seed)
    pair = [network(tt, (3, 32, 64, 128), 32) for _ in range(2)]
    optimizer = tt.SGD(pair[0].parameters(), lr=0.15, momentum=0.9, nesterov=True, weight_decay=5e-4)
    past, file = {"epochs": 0, "loss": [], "held": []}, Path(folder or ".", "epoch.npz")
    if folder and file.exists():
        past = tt.load_checkpoint(file, net=pair[0], optimizer=optimizer)
    losses, held = list(past["loss"]), list(past["held"])
    for epoch in range(past["epochs"], task["epochs"]):
        losses.append(learn(tt, pair, optimizer, task, np.random.default_rng([seed, epoch]), epoch, show))
        held.append(sort(tt, pair, task["inputs"][-task["held"] :]))
        if folder:
            tt.save_checkpoint(file, net=pair[0], optimizer=optimizer, epochs=epoch + 1, loss=losses, held=held)
    show("sorting the photographs of the test")
    said = sort(tt, pair, task["questions"])
    return {
        "photographs": said,
        "held out": np.array(held),
        "loss": losses,
        "filters": pair[0][0].weight.detach().numpy(),
    }


def learn(tt, pair, optimizer, task, rng, epoch, show):
    """One epoch: each network of the pair learns from half of every batch; both have the same weights."""
    count, batch, losses = len(task["labels"]) - task["held"], task["batch"], []
    order, mirrored = rng.permutation(count), rng.random(count) < 0.5
    loss_fn, steps = tt.CrossEntropyLoss(), count // batch

    def slope(net, chosen):
        net.train()
        net.zero_grad()
        images = task["inputs"][chosen]
        images[mirrored[chosen]] = images[mirrored[chosen]][..., ::-1]
        loss = loss_fn(net(photographs(tt, images)), tt.tensor(task["labels"][chosen]))
        loss.backward()
        return loss.item()

    for step in range(steps):
        done = (epoch + step / steps) / task["epochs"]
        for group in optimizer.param_groups:  # up over the first fifth, then down to nothing
            group["lr"] = 0.15 * batch / FULL["batch"] * min(5 * (done + 1e-3), 1.25 * (1 - done))
        halves = np.array_split(order[step * batch : (step + 1) * batch], 2)
        for a, b in zip(pair[0].parameters(), pair[1].parameters(), strict=True):
            b.data = a.data
        losses += lab.at_once(slope, zip(pair, halves, strict=True))  # NumPy lets both compute at once
        for a, b in zip(pair[0].parameters(), pair[1].parameters(), strict=True):
            a.grad.data[:] = (a.grad.data + b.grad.data) / 2
        optimizer.step()
        show(f"epoch {epoch + 1} of {task['epochs']}, loss {np.mean(losses[-100:]):.2f}", done)
    pair[1].load_state_dict(pair[0].state_dict())  # BatchNorm's averages are those of the first half
    return float(np.mean(losses))


def photographs(tt, images):
    """Bytes as numbers around 0."""
    return tt.Normalize(MEAN, SPREAD)(tt.tensor(images.astype(np.float32)))


def sort(tt, pair, images):
    """The class of each photograph, half of them from each network."""

    def one(net, part):
        few = (part[n : n + 250] for n in range(0, len(part), 250))
        return np.concatenate([answer(tt, net, photographs(tt, images)) for images in few])

    return np.concatenate(lab.at_once(one, zip(pair, np.array_split(images, 2), strict=True)))


# ---- what was reached -----------------------------------------------------------------------------------------


def claims(problems, answers):
    """The digits of three seeds count together; the photographs of the test were sorted once."""
    ((name, task),) = problems.items()
    if name == "CIFAR-10":
        share = lab.accuracy(answers.get("photographs"), task.answers)
        yield lab.Claim(
            what=f"CIFAR-10: {len(task.answers):,} new photographs sorted",
            required=f"at least {lab.percent(REQUIRED)}",
            reached=lab.percent(share),
            holds=share >= REQUIRED,
        )
        return
    mlp, cnn = (lab.accuracies(answers.get(net), task.answers) for net in (MLP, CNN))
    yield lab.Claim(
        what=f"{MLP}, {NUMBERS[MLP]:,} numbers: worst of {SEEDS} seeds",
        required="at least 90 %",
        reached=lab.percent(min(mlp, default=0)),
        holds=len(mlp) == SEEDS and min(mlp) >= 0.9,
    )
    yield lab.Claim(
        what=f"{CNN}, {NUMBERS[CNN]:,} numbers: {SEEDS} seeds together",
        required=f"more than the MLP's {lab.percent(np.mean(mlp or 0))}",
        reached=lab.percent(np.mean(cnn or 0)),
        holds=len(cnn) == len(mlp) == SEEDS and sum(cnn) > sum(mlp),
    )


def exhibits(problems, answers):
    """How it learnt, what its filters look for, and what it takes for what."""
    ((name, task),) = problems.items()
    if name == "CIFAR-10":
        said, ink, losses = answers.get("photographs"), 255, {"loss": answers.get("loss")}
        held = lab.accuracies(answers.get("held out"), task.labels[-task.sizes["held"] :])
        right = [100 * share for share in held]
        yield from lab.curve("Photographs sorted, of those held out, after each epoch", "epoch", {"right": right}, "%")
    else:
        every, ink, losses = answers.get(CNN), INK, {net: answers.get(f"{net}, loss") for net in (MLP, CNN)}
        said = every[-1] if lab.accuracies(every, task.answers) else None
    yield from lab.curve("Loss, as your code told it", "epoch", losses)
    yield from lab.filters("What its first filters look for", answers.get("filters"))
    yield from lab.confusion("What it takes for what", said, task.answers, task.names)
    yield from lab.examples("As it sees them", task.questions, said, task.answers, ink, names=task.names)


if __name__ == "__main__":
    lab.main(__file__)
