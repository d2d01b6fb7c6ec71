"""Runs made by hand, one for each thing that a report has to say, on a small course that stays as it is here."""

from __future__ import annotations

from dataclasses import replace

from pytest_tinytorch import course
from pytest_tinytorch.exhibits import Bars, Curve, Line, Matrix, Passage, Picture, Pictures
from pytest_tinytorch.outcome import (
    Claim,
    Finding,
    Hint,
    MilestoneResult,
    Outcome,
    Place,
    Ran,
    Result,
    Run,
    State,
    Status,
)

POINTS = {"tensor": 40, "activations": 31, "layers": 30, "losses": 28}
MODULES = tuple(
    replace(
        module,
        points=POINTS.get(module.name, 0),
        checks="checks" if module.name in POINTS else None,
        hints="tests.reports.ladders",
    )
    for module in course.MODULES
)
PERCEPTRON = replace(course.PERCEPTRON, script="1957_perceptron.py")
MILESTONES = (PERCEPTRON, *(replace(m, script=None) for m in course.MILESTONES[1:]))
COMPLETE = course.Track(name="complete", modules=MODULES, milestones=MILESTONES, effort="60–80 h")

PROVED = {
    0: State(status=Status.PROVED, passed=6, total=6, when="2025-03-01"),
    1: State(status=Status.PROVED, passed=38, total=38, points=40, when="2025-03-02"),
}
BEGUN = State(status=Status.BEGUN, passed=9, total=14, points=18, when="2025-03-03")
CALL = "softmax(tensor([[1., 2., 3.], [2., 0., 1.]]), dim=-1)"
SOFTMAX = Place(file="tinytorch/activations.py", line=88, function="softmax")


def run(*results: Result, states: dict[int, State] | None = None, **rest: object) -> Run:
    """A run on the complete track, module 01 proved and 02 begun."""
    known = PROVED | {2: BEGUN} if states is None else states
    given = {"track": COMPLETE, "seed": 8127, "package": "tinytorch"} | rest
    return Run(results=list(results), states=known, **given)  # type: ignore[arg-type]  # whatever a test sets


def result(outcome: Outcome, claim: str = "softmax turns each row into probabilities", **rest: object) -> Result:
    """One check of 02 activations; its name is made of its claim."""
    name = claim.lower().replace(",", "").replace(" ", "_")
    given = {
        "check": f"checkpoint_02_activations.py::test_{name}",
        "number": 2,
        "module": "activations",
        "exercise": "softmax",
        "points": 2,
        "seed": 8127,
        "where": None if outcome is Outcome.PASSED else SOFTMAX,
    }
    return Result(claim=claim, outcome=outcome, **(given | rest))  # type: ignore[arg-type]  # whatever a test sets


WRONG = result(
    Outcome.WRONG,
    finding=Finding(
        call=CALL,
        expected="0.0900  0.2447  0.6652    row sum 1.0000\n0.6652  0.0900  0.2447            1.0000",
        got="0.0658  0.1789  0.4863    row sum 0.7311\n0.1789  0.0242  0.0658            0.2689",
        difference="6 of 6 differ, first at [0, 0]; largest error 0.486",
        mistake="the sum runs over the whole tensor. Your six numbers add up to 1 together, so the two rows compete "
        "with each other. dim=-1 asks for one distribution per row: take the maximum and the sum along dim, and keep "
        "that dimension so that the division lines up.",
        smaller="softmax(tensor([[0., 0.], [0., 0.]])) has 0.5 everywhere",
    ),
)
NAMED = result(
    Outcome.WRONG,
    "log_softmax keeps its numbers finite at scores of 10,000",
    exercise="log_softmax",
    where=Place(file="tinytorch/activations.py", line=110, function="log_softmax"),
    finding=Finding(
        call="log_softmax(x, dim=0)",
        given=("x = tensor(<float32 (3, 40)>)", "y = x.exp()"),
        expected="(3,) float32   -1.1972  -0.0010  -3.2000",
        got="(3, 1) float32   -1.1972\n                 -0.0010\n                 -3.2000",
        difference="shape (3, 1), due (3,)",
        mistake="a dimension of size 1 is left over: without keepdim it goes.",
    ),
)
CROWDED = replace(
    NAMED,
    finding=Finding(
        call="cross_entropy(scores, targets, reduction='none')",
        given=(
            "scores = tensor([[0.125, -2.25, 1.5], [2.875, 0.25, -1.125], [-0.5, 0.75, 3.], [1., 2.5, -0.125]])",
            "targets = tensor([0, 2, 1, 1])",
        ),
        expected="(5, 4) float32\n" + "\n".join("-1.1972  -0.0010  -3.2000   2.1000" for _ in range(4)) + "\n… 5 rows",
        got="(5, 4) float32\n" + "\n".join("-1.1972  -0.0010  -3.2000   7.1000" for _ in range(4)) + "\n… 5 rows",
        difference="5 of 20 differ, first at [0, 3] (shown: part of (5, 4)); largest error 5",
        mistake=WRONG.finding.mistake if WRONG.finding else "",
        smaller="log_softmax(tensor([0., 0.])) = [-0.6931, -0.6931]",
    ),
)
UNWRITTEN = result(Outcome.UNWRITTEN, cause="activations.softmax")
CRASHED = result(
    Outcome.CRASHED,
    where=Place(file="tinytorch/tensor.py", line=212, function="Tensor.__truediv__", text="return self.data / other"),
    finding=Finding(
        call=CALL,
        got="ValueError: operands could not be broadcast together with shapes (2,3) (2,)",
        trace=(
            Place(file="tinytorch/activations.py", line=93, function="softmax", text="    return e / e.sum(dim)"),
            Place(file="tinytorch/tensor.py", line=212, function="Tensor.__truediv__", text="return self.data / other"),
        ),
    ),
)
STUCK = result(
    Outcome.TIMED_OUT,
    where=Place(file="tinytorch/activations.py", line=91, function="softmax", text="while total != 1:"),
    finding=Finding(
        call=CALL,
        expected="an answer",
        got="none after 10 s",
        mistake="a loop whose condition never becomes false, or work that grows much faster than its input.",
        trace=(Place(file="tinytorch/activations.py", line=91, function="softmax", text="while total != 1:"),),
    ),
)
BROKEN = result(
    Outcome.BROKEN,
    finding=Finding(got="KeyError: 'dim'"),
    seed=77,
)
SYNTAX = result(
    Outcome.CRASHED,
    where=Place(file="tinytorch/activations.py", line=91, text="return e / (e.sum(dim)"),
    finding=Finding(
        call="import tinytorch.activations",
        got="SyntaxError: '(' was never closed",
        trace=(Place(file="tinytorch/activations.py", line=91, function="<module>", text="return e / (e.sum(dim)"),),
    ),
)
GIT = Result(
    check="checkpoint_00_environment.py::test_git_is_installed",
    number=0,
    module="environment",
    exercise=None,
    claim="git is installed",
    points=0,
    outcome=Outcome.WRONG,
    finding=Finding(
        call="git --version",
        expected="git version 2.30 or later",
        got="no program called git",
        mistake="git is not installed, or not on PATH. Install it from https://git-scm.com and open a new terminal.",
    ),
)

GELU = Place(file="tinytorch/activations.py", line=60, function="gelu")
OTHERS = (
    result(Outcome.WRONG, "gelu of 1 is 0.8413, as the normal distribution has it", exercise="gelu", where=GELU),
    result(Outcome.CRASHED, "gelu takes a tensor of any shape", exercise="gelu", where=GELU),
    result(Outcome.TIMED_OUT, "relu of a million numbers takes no longer than a second", exercise="relu", where=GELU),
    *(result(Outcome.UNWRITTEN, f"tanh {n}", exercise="Tanh.forward", cause="activations.Tanh.forward") for n in "ab"),
    result(Outcome.UNWRITTEN, "sigmoid c", exercise="Sigmoid.forward", cause="activations.Sigmoid.forward"),
    result(Outcome.UNWRITTEN, "log_softmax d", exercise="log_softmax", cause="activations.log_softmax"),
    *(
        result(Outcome.BLOCKED, f"linear {n}", number=3, module="layers", exercise="Linear", cause="tensor.matmul")
        for n in range(4)
    ),
    result(
        Outcome.BLOCKED,
        "losses",
        number=4,
        module="losses",
        exercise="MSELoss",
        cause="tinytorch/losses.py, which does not import",
    ),
    replace(BROKEN, claim="sigmoid of 0 is 0.5", check="checkpoint_02_activations.py::test_sigmoid_of_0_is_0_5"),
)
PASSED = tuple(
    result(Outcome.PASSED, claim, exercise="relu")
    for claim in ("relu keeps what is positive", "relu turns the rest into 0", "relu leaves its input as it was")
)

REACHED = MilestoneResult(
    number=1,
    label="1957 Perceptron",
    outcome=Outcome.PASSED,
    story=(
        "In 1957 Frank Rosenblatt showed a machine that learnt: when it was wrong it moved its weights a little.",
        "Separable points were learnt in 4 rounds.",
    ),
    claims=(
        Claim(what="separable points", required="100 %", reached="100 %", holds=True),
        Claim(what="AND", required="100 %", reached="100 %", holds=True),
        Claim(what="OR", required="100 %", reached="100 %", holds=True),
        Claim(what="XOR cannot be learnt", required="≤ 75 %", reached="50 %", holds=True),
    ),
    ran=(
        Ran(file="tinytorch/tensor.py", line=120, function="Tensor.__matmul__", used=9, lines=12),
        Ran(file="tinytorch/layers.py", line=80, function="Linear.forward", used=3, lines=3),
        Ran(file="tinytorch/tensor.py", line=300, function="Tensor.__gt__", used=2, lines=2),
    ),
    seconds=0.42,
    seed=5,
)
MISSED = replace(
    REACHED,
    outcome=Outcome.WRONG,
    claims=(*REACHED.claims[:3], Claim(what="XOR cannot be learnt", required="≤ 75 %", reached="100 %", holds=False)),
    story=REACHED.story[1:],
)
LOCKED = MilestoneResult(number=1, label="1957 Perceptron", outcome=Outcome.BLOCKED, cause="03 layers")
FELL = MilestoneResult(
    number=1, label="1957 Perceptron", outcome=Outcome.CRASHED, finding=CRASHED.finding, seconds=0.1, seed=5
)
LEARNT = (51.0, 72.5, 80.0, 86.5, 90.0, 92.5, 94.0, 95.0, 95.0, 96.5)
RING = ("0000ffff0000", "00ff0000ff00", "ff00000000ff", "ff00000000ff", "00ff0000ff00", "00008080ff00")
LARGE = tuple("00" * n + "60a0ff" + "00" * (25 - n) for n in range(14) for _ in range(2))
EXHIBITED = MilestoneResult(
    number=3,
    label="1986 MLP",
    outcome=Outcome.PASSED,
    full=True,
    story=("Rumelhart, Hinton and Williams make hidden layers learn",),
    claims=(Claim(what="MNIST: 10,000 new digits read", required="at least 95 %", reached="96.5 %", holds=True),),
    exhibits=(
        Pictures(title="Your digit, as your network sees it", pictures=(Picture(rows=LARGE),)),
        Bars(title="It reads your digit as 1, with 90.5 %", names=("0", "1", "2"), shares=(0.07, 0.905, 0.025)),
        Curve(
            title="New digits read after each epoch",
            across="epoch",
            lines=(Line(name="right", values=LEARNT),),
            unit="%",
        ),
        Curve(
            title="Loss, as your code told it",
            across="step",
            lines=(
                Line(name="one layer", values=(0.71, 0.7, 0.695, 0.693)),
                Line(name="hidden layer", values=tuple(0.72 * 0.9**n for n in range(90))),
            ),
        ),
        Curve(title="One step, and nothing to see", across="step", lines=(Line(name="loss", values=(0.5,)),)),
        Matrix(
            title="What it takes for what",
            down="was",
            across="taken for",
            names=("0", "1", "2"),
            counts=((980, 0, 2), (0, 1130, 5), (12, 0, 1001)),
        ),
        Pictures(
            title="Digits as it sees them",
            pictures=tuple(Picture(rows=RING, caption=f"0, read as {n}") for n in (0, 0, 6, 9, 3)),
        ),
        Passage(title="What it says", lines=("> who are you?", "  a small model", "", "> " + "why? " * 20)),
    ),
    seconds=1.6,
    seed=5,
)
NO_DATA = MilestoneResult(
    number=3,
    label="1986 MLP",
    outcome=Outcome.NO_DATA,
    full=True,
    cause="train-images-idx3-ubyte.gz of MNIST is not in /home/kim/.cache/tinytorch, and TINYTORCH_OFFLINE forbids "
    "downloads: put the file there, or allow them",
    seed=5,
)
BROKE = replace(NO_DATA, outcome=Outcome.BROKEN, cause="1986_mlp.py has no full_problems", full=False)
HINT = Hint(
    exercise="activations.softmax",
    level=2,
    text="Every row adds up to 1. For [0, log 2, log 5] you get [0.125, 0.25, 0.625].",
)
EVERY_DONE = PROVED | {
    n: State(status=Status.PROVED, passed=20, total=20, points=MODULES[n - 1].points, when="2025-03-03")
    for n in (2, 3, 4)
}

RUNS = {
    "wrong": run(WRONG),
    "wrong, with names": run(NAMED),
    "wrong, with a lot to say": run(CROWDED),
    "unwritten": run(
        UNWRITTEN,
        *(result(Outcome.UNWRITTEN, f"more {n}", cause="activations.softmax") for n in range(2)),
        result(Outcome.BLOCKED, "later", cause="activations.softmax", number=3, module="layers"),
        states=PROVED,
    ),
    "crashed": run(CRASHED),
    "stuck": run(STUCK),
    "broken": run(BROKEN),
    "syntax error": run(SYNTAX),
    "environment": run(GIT, states={}),
    "mix": run(*PASSED, WRONG, *OTHERS),
    "hint": run(UNWRITTEN, hint=HINT),
    "printed": run(replace(WRONG, output="\n".join(f"loss {n}" for n in range(11)))),
    "proved": run(*PASSED, states=PROVED | {2: replace(BEGUN, status=Status.PROVED, points=31)}),
    "stale": run(states=PROVED | {1: State(status=Status.STALE, passed=38, total=38, points=40)}),
    "stale below": run(states=EVERY_DONE | {1: State(status=Status.STALE, passed=38, total=38, points=40)}),
    "nothing yet": run(states={}),
    "unlocked": run(states=EVERY_DONE),
    "reached": run(milestones=[REACHED], states=EVERY_DONE, reached={1: "2025-03-04"}),
    "missed": run(milestones=[MISSED], states=EVERY_DONE),
    "locked": run(UNWRITTEN, milestones=[LOCKED], states=PROVED),
    "fell": run(milestones=[FELL], states=EVERY_DONE),
    "exhibits": run(milestones=[EXHIBITED], states=EVERY_DONE),
    "no data": run(milestones=[NO_DATA], states=EVERY_DONE),
    "milestone broke": run(milestones=[BROKE], states=EVERY_DONE),
    "provided": run(
        states={},
        mode="isolated",
        hardening="memory is limited to 4 GB and the network is not.",
        track=course.Track(
            name="optimization",
            modules=MODULES[13:],
            milestones=MILESTONES[5:],
            effort="4–6 weeks",
            provided=MODULES[:13],
        ),
    ),
}
