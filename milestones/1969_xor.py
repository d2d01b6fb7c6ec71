"""1969: XOR, the problem that one layer cannot learn, and the hidden layer that can.

Marvin Minsky and Seymour Papert proved what perceptrons of one layer cannot compute. XOR is the smallest case: no
straight line has (0, 1) and (1, 0) on one side and (0, 0) and (1, 1) on the other. They knew that more layers could
do it, but nobody knew how to train them, and they doubted that it would lead far. Money and people left the field.
The answer is in your module 05: a hidden layer learns when each of its weights is told its share of the error.

M. Minsky, S. Papert: Perceptrons, MIT Press (1969).
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch import lab

SEEDS, STEPS = 20, 120
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR = np.array([0, 1, 1, 0])
NAMES = ("one layer", "hidden layer")
SIDE = 24  # points along each side of the square that is mapped


def problems(rng):
    """The four corners, to learn and to be asked in any order; and a square around them, to be mapped."""
    order, across = rng.permutation(4), np.linspace(-0.25, 1.25, SIDE, dtype=np.float32)
    square = np.stack(np.meshgrid(across, across[::-1]), axis=-1).reshape(-1, 2)
    learn = {"inputs": CORNERS, "labels": XOR.astype(np.float32).reshape(4, 1)}
    return {
        "corners": lab.Problem(**learn, questions=CORNERS[order], answers=XOR[order]),
        "square": lab.Problem(**learn, questions=square, answers=np.zeros(SIDE * SIDE)),
    }


def run(tt, problems, seed, show):
    """Train both networks from every seed. `tt` is your package."""
    task, square = problems["corners"], tt.tensor(problems["square"]["questions"])
    corners, questions, labels = (tt.tensor(task[part]) for part in ("inputs", "questions", "labels"))
    nets = {
        "one layer": lambda: tt.Linear(2, 1),
        "hidden layer": lambda: tt.Sequential(tt.Linear(2, 8), tt.Tanh(), tt.Linear(8, 1)),
    }
    answers = {}
    for name, make in nets.items():
        said = []
        for n in range(SEEDS):
            show(f"{name}, seed {n + 1} of {SEEDS}")
            tt.manual_seed(seed + n)
            net = make()
            losses = train(tt, net, corners, labels)
            with tt.no_grad():
                said.append(net(questions).numpy()[:, 0] > 0)  # (4,): where it says 1
                square_of_last = tt.sigmoid(net(square)).numpy()[:, 0]  # (576,)
        answers |= {name: np.array(said), f"{name}, loss": losses, f"{name}, square": square_of_last}
    return answers


def train(tt, net, points, labels):
    """Forward, backward, step: all that was missing in 1969."""
    loss_fn, optimizer, losses = tt.BCEWithLogitsLoss(), tt.Adam(net.parameters(), lr=0.1), []
    for _ in range(STEPS):
        loss = loss_fn(net(points), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def claims(problems, answers):
    """Every seed counts: the best of the single layers, and the worst of the networks with a hidden one."""
    right = problems["corners"].answers
    one, hidden = (lab.accuracies(answers.get(name), right) for name in NAMES)
    yield lab.Claim(
        what=f"one layer, best of {SEEDS} seeds",
        required="25 % to 75 %",
        reached=lab.percent(max(one, default=0)),
        holds=len(one) == SEEDS and all(0.25 <= share <= 0.75 for share in one),
    )
    yield lab.Claim(
        what=f"hidden layer, worst of {SEEDS} seeds",
        required="100 %",
        reached=lab.percent(min(hidden, default=0)),
        holds=len(hidden) == SEEDS and min(hidden) == 1,
    )


def exhibits(problems, answers):
    """Where each network says 1 in the square around the corners, and how its loss went."""
    squares = [answers.get(f"{name}, square") for name in NAMES]
    if all(type(square) is np.ndarray and square.size == SIDE * SIDE for square in squares):
        maps = np.array([square.reshape(SIDE, SIDE) for square in squares])
        yield from lab.pictures("Where it says 1 (right would be: top left and bottom right)", maps, NAMES, ink=1)
    losses = {name: answers.get(f"{name}, loss") for name in NAMES}
    yield from lab.curve("Loss from the last seed, as your code told it", "step", losses)


if __name__ == "__main__":
    lab.main(__file__)
