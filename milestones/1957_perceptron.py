"""1957: the perceptron, the first network that learnt from its own mistakes.

Frank Rosenblatt's perceptron is one layer and a threshold. Its rule needs no calculus: show it a point; where the
answer is right, leave everything as it is; where it is wrong, add the point to the weights if it should have fired,
and take it away if it should not. If any line separates the two classes, the rule finds one after finitely many
mistakes. The New York Times of 8 July 1958 wrote of a machine expected to walk, talk and be conscious of its
existence. Then somebody tried XOR.

F. Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
Psychological Review 65 (1958).
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch import lab

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TABLES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}


def problems(rng):
    """Two clouds that a line separates, and three truth tables."""
    angle = rng.uniform(0, 2 * np.pi)
    across = np.array([np.cos(angle), np.sin(angle)])
    points = rng.uniform(-3, 3, (400, 2))
    side = points @ across - rng.uniform(-1, 1)
    points, labels = points[abs(side) > 0.4][:120], (side > 0)[abs(side) > 0.4][:120]
    # New points between old ones of one class: whatever line separates the old ones is right about them.
    pairs = [(rng.choice(points[labels == kind], (2, 60)), kind) for kind in (False, True)]
    mixed = np.concatenate([a + rng.uniform(0, 1, (60, 1)) * (b - a) for (a, b), _ in pairs])
    kinds = np.repeat([kind for _, kind in pairs], 60)
    tasks = {"two clouds": problem(points, labels, mixed, kinds, rng.permutation(120))}
    for name, table in TABLES.items():
        tasks[name] = problem(CORNERS, table, CORNERS, table, rng.permutation(4))
    return tasks


def problem(inputs, labels, questions, answers, order):
    """One problem in float32, its questions in random order; labels and answers are columns of 0 and 1."""
    column = np.array(answers, np.float32).reshape(-1, 1)
    return lab.Problem(
        inputs=np.array(inputs, np.float32),
        labels=np.array(labels, np.float32).reshape(-1, 1),
        questions=np.array(questions, np.float32)[order],
        answers=column[order],
    )


def run(tt, problems, seed, show):
    """Learn every problem with a fresh perceptron, and answer its questions. `tt` is your package."""
    tt.manual_seed(seed)
    answers = {}
    for name, task in problems.items():
        show(f"learning {name}")
        perceptron = learn(tt, tt.tensor(task["inputs"]), tt.tensor(task["labels"]))
        answers[name] = fires(tt, perceptron(tt.tensor(task["questions"]))).numpy()
    return answers


def learn(tt, points, labels, passes=100):
    """Rosenblatt's rule, point by point, until a whole pass goes by without a mistake."""
    perceptron, share_wrong = tt.Linear(2, 1), tt.MSELoss()
    for _ in range(passes):
        for i in range(len(points)):
            point, label = points[i : i + 1], labels[i : i + 1]  # (1, 2), (1, 1)
            error = label - fires(tt, perceptron(point))  # (1, 1): -1, 0 or 1
            perceptron.weight.data += (point.T @ error).data  # (2, 1)
            perceptron.bias.data += error.sum(dim=0).data  # (1,)
        if share_wrong(fires(tt, perceptron(points)), labels).item() == 0:
            break
    return perceptron


def fires(tt, x):
    """The threshold: 1 where x is above 0, else 0."""
    return tt.where(x > 0, tt.ones_like(x), tt.zeros_like(x))


def claims(problems, answers):
    """What Rosenblatt's theorem promises, and what no line can do."""
    reached = {name: lab.accuracy(answers.get(name), task.answers) for name, task in problems.items()}
    for name in ("two clouds", "AND", "OR"):
        share = reached[name]
        yield lab.Claim(what=f"{name}: right answers", required="100 %", reached=lab.percent(share), holds=share == 1)
    share = reached["XOR"]
    yield lab.Claim(
        what="XOR: no line separates it",
        required="25 % to 75 %",
        reached=lab.percent(share),
        holds=0.25 <= share <= 0.75,
    )


if __name__ == "__main__":
    lab.main(__file__)
