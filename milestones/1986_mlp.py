"""1986: hidden layers learn to read.

David Rumelhart, Geoffrey Hinton and Ronald Williams showed what errors that travel backwards do to a hidden layer:
its units come to stand for features of the task that nobody had named. The idea had been found before, but now it
was heard, and networks of more than one layer were back. Yours reads handwritten digits: first TinyDigits, 1,200
pictures of 8 x 8 pixels by 43 writers (E. Alpaydin, C. Kaynak, 1998), then with --full the MNIST of Yann LeCun,
Corinna Cortes and Christopher Burges. ReLU and Adam are younger than 1986: sigmoids and plain descent take longer.

D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating errors", Nature 323
(1986), 533-536.
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch import lab

INK = {"TinyDigits": 16, "MNIST": 255}  # the darkest pixel
REQUIRED = {"TinyDigits": 0.90, "MNIST": 0.95}


def problems(rng):
    """1,000 small digits to learn, 200 to read."""
    return {"TinyDigits": problem(lab.tiny_digits(), rng)}


def full_problems(rng, data):
    """MNIST: 60,000 digits to learn, 10,000 to read."""
    return {"MNIST": problem(data.mnist(), rng)}


def problem(digits, rng):
    """Digits to learn, and others in random order whose labels stay here."""
    order = rng.permutation(len(digits.test_labels))
    return lab.Problem(
        inputs=digits.train_images,
        labels=digits.train_labels,
        questions=digits.test_images[order],
        answers=digits.test_labels[order],
    )


def run(tt, problems, seed, show):
    """Learn the digits, and read the others after every epoch. `tt` is your package."""
    tt.manual_seed(seed)
    ((name, task),) = problems.items()
    inputs, questions = (pixels(tt, task[part], INK[name]) for part in ("inputs", "questions"))  # (n, 64) or (n, 784)
    loader = tt.DataLoader(tt.TensorDataset(inputs, tt.tensor(task["labels"])), batch_size=64, shuffle=True)
    epochs = min(40, max(3, 80_000 // len(inputs)))
    net, said = network(tt, inputs.shape[1]), []
    optimizer = tt.Adam(net.parameters(), lr=3e-3)
    decay = tt.CosineAnnealingLR(optimizer, T_max=epochs)
    trainer = tt.Trainer(net, optimizer, tt.CrossEntropyLoss(), scheduler=decay)

    def read(epoch, values):
        show(f"epoch {epoch} of {epochs}, loss {values['loss']:.3f}")
        with tt.no_grad():
            said.append(net(questions).argmax(dim=1).numpy())  # (n,)

    history = trainer.fit(loader, epochs=epochs, on_epoch=read)
    answers = {"digits": said[-1], "epochs": np.array(said), "loss": history["loss"]}
    if "drawn" in task:  # your own digit, from --digit
        with tt.no_grad():
            scores = net(pixels(tt, task["drawn"][None], INK[name]))  # (1, 10)
            answers["drawn"] = tt.softmax(scores, dim=1).numpy()[0]
    return answers


def pixels(tt, images, ink):
    """Pictures as rows of numbers from 0 (paper) to 1 (ink)."""
    return tt.tensor(images.reshape(len(images), -1).astype(np.float32) / ink)


def network(tt, size):
    """Pixels to 128 hidden units to 64 to a score for each digit. Kaiming's start (2015) suits ReLU."""
    layers = [tt.Linear(size, 128), tt.ReLU(), tt.Linear(128, 64), tt.ReLU(), tt.Linear(64, 10)]
    for layer in layers[::2]:
        tt.kaiming_normal_(layer.weight)
    return tt.Sequential(*layers)


def claims(problems, answers):
    """The share of digits that it reads, of those that it never saw."""
    ((name, task),) = problems.items()
    share = lab.accuracy(answers.get("digits"), task.answers)
    yield lab.Claim(
        what=f"{name}: {len(task.answers):,} new digits read",
        required=f"at least {lab.percent(REQUIRED[name])}",
        reached=lab.percent(share),
        holds=share >= REQUIRED[name],
    )


def exhibits(problems, answers):
    """Your own digit, then how it learnt, what it mixes up, and a few digits as it sees them."""
    ((name, task),) = problems.items()
    said, names = answers.get("digits"), [str(digit) for digit in range(10)]
    yield from lab.reading(task.drawn, answers.get("drawn"), names, INK[name])
    right = [100 * share for share in lab.accuracies(answers.get("epochs"), task.answers)]
    yield from lab.curve("New digits read after each epoch", "epoch", {"right": right}, "%")
    yield from lab.curve("Loss, as your code told it", "epoch", {"loss": answers.get("loss")})
    yield from lab.confusion("What it takes for what", said, task.answers, names)
    yield from lab.examples("Digits as it sees them", task.questions, said, task.answers, INK[name])


if __name__ == "__main__":
    lab.main(__file__)
