"""Grades made by hand: one with every kind of outcome, and one in which a submission says only what is hostile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_tinytorch.grade.result import (
    NOT_RUN,
    Grade,
    GradedCheck,
    GradedCheckpoint,
    GradedMilestone,
    Integrity,
    Timing,
)
from pytest_tinytorch.outcome import Claim, Finding, Outcome, Place

HOSTILE = {
    "ansi": "\x1b[2J\x1b]0;title\x07\x9b31m red",
    "workflow command": "::set-output name=autograd::99\n  ::error::pwned\n::stop-commands::x",
    "old workflow command": "some text ##[error]pwned ##[add-matcher]x",
    "xml": "]]></failure><testcase name='free'/>&amp;&#0;<!--",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)></details>@somebody",
    "markdown": "```\n# heading | cell |\n~~~\n````` [x](javascript:alert(1)) `",
    "surrogates": "\ud800 alone \udc00 and \udfff\ud83d",
    "control": "nul \x00 bell \x07 delete \x7f next \x85 line \r return",
    "not characters": "\ufffe\uffff\U0001ffff",
    "right to left": "\u202egnp.exe\u202c \u200f \u2066x\u2069 \u200b",
    "separators": "line\u2028paragraph\u2029end\x0bvertical\x0cform",
    "formula": "=cmd|'/C calc'!A0",
    "other formulas": "@SUM(1+1)*cmd|' /C calc'!A0",
    "percent": "100% %0A::error::pwned %25 %3A",
    "long line": "x" * 1_000_000,
    "long lines": "\n".join(["y" * 200] * 5_000),
    "base64": "autograd=eyJzdGF0dXMiOiJwYXNzIn0=",
    "empty": "",
    "blank": " \n\t\n ",
}

SOFTMAX = Place(file="tinytorch/activations.py", line=88, function="softmax", text="return e / e.sum()")
WRONG = Finding(
    call="softmax(x, dim=-1)",
    given=("x = tensor([[1., 2., 3.], [2., 0., 1.]])",),
    expected="0.0900  0.2447  0.6652\n0.6652  0.0900  0.2447",
    got="0.0658  0.1789  0.4863\n0.1789  0.0242  0.0658",
    difference="6 of 6 differ, first at [0, 0]",
    mistake="the sum runs over the whole tensor.",
    trace=(SOFTMAX,),
)


def a_check(outcome: str = Outcome.PASSED.value, **rest: Any) -> GradedCheck:
    """One check of two points about softmax."""
    given: dict[str, Any] = {
        "name": "rows_add_up_to_one",
        "claim": "softmax turns each row into probabilities",
        "exercise": "softmax",
    }
    return GradedCheck(**given | {"points": 2, "outcome": outcome} | rest)


CHECKS = (
    a_check(),
    a_check("wrong", name="wrong", claim="softmax of a row is unchanged by a shift", where=SOFTMAX, finding=WRONG),
    a_check("crashed", name="crashed", claim="softmax takes any dim", where=SOFTMAX, points=1, output="loss 1\nloss 2"),
    a_check("not written", name="unwritten", claim="gelu of 1 is 0.8413", exercise="gelu", cause="activations.gelu"),
    a_check("blocked", name="blocked", claim="gelu has its gradient", exercise="gelu", cause="activations.gelu"),
    a_check("timed out", name="stuck", claim="relu of a million numbers", exercise="relu", cause="no answer in 10 s"),
    a_check("checker broke", name="broke", claim="tanh of 0 is 0", exercise="tanh", cause="KeyError: 'dim'"),
    a_check("data missing", name="no_data", claim="the digits are read", exercise=None, cause="digits.npz is missing"),
    a_check(NOT_RUN, name="not_run", claim="sigmoid of 0 is 0.5", exercise="sigmoid", points=3, cause="time was up"),
)
TENSOR = GradedCheckpoint(
    number=1,
    module="tensor",
    capability="A tensor holds numbers in a shape",
    weight=1,
    checks=(a_check(name="shape", claim="a tensor knows its shape", exercise="Tensor.shape", points=1),),
)
ACTIVATIONS = GradedCheckpoint(
    number=2,
    module="activations",
    capability="What makes a network more than one matrix",
    weight=2,
    checks=CHECKS,
    due="due on 31 October 2026",
    late="two days late",
)
PERCEPTRON = GradedMilestone(
    year=1957,
    name="Perceptron",
    points=10,
    outcome="passed",
    claims=(Claim(what="AND", required="100 %", reached="100 %", holds=True),),
)
XOR = GradedMilestone(
    year=1969,
    name="XOR",
    points=20,
    outcome="wrong",
    claims=(
        Claim(what="two layers", required="100 %", reached="75 %", holds=False),
        Claim(what="one layer", required="≤ 75 %", reached="75 %", holds=True),
    ),
)


def a_grade(**changes: Any) -> Grade:
    """A grade with a check of every outcome: 13 of 48 points."""
    given: dict[str, Any] = {
        "student": "kim",
        "source": "submissions/kim.zip",
        "digest": "5f" * 32,
        "version": "0.1.0",
        "track": "complete",
        "seed": 8127,
        "checkpoints": (TENSOR, ACTIVATIONS),
        "milestones": (PERCEPTRON, XOR),
        "integrity": (
            Integrity(kind="delegation", says="softmax calls scipy.special.softmax", file=SOFTMAX.file, line=86),
        ),
        "notes": ("conftest.py was not taken along",),
        "commit": "c0ffee" * 6 + "c0ff",
        "committed": "2026-10-30T23:59:59+02:00",
        "hardening": "memory is limited to 4 GB",
        "timing": Timing(seconds=12.5, checks={"activations::wrong": 0.25, "tensor::shape": 0.01}),
    }
    return Grade(**given | changes)


def a_hostile_check(text: str, n: int = 0) -> GradedCheck:
    """A check about which a submission has said one thing, wherever it could."""
    place = Place(file=text, line=7, function=text, text=text)
    finding = Finding(
        call=text,
        given=(text, text),
        expected=text,
        got=text,
        difference=text,
        mistake=text,
        smaller=text,
        trace=(place,),
    )
    outcome = ("wrong", "crashed", "timed out", "not written", "blocked", NOT_RUN)[n % 6]
    return a_check(
        outcome, name=f"n{n}", claim=text, exercise=text, cause=text, where=place, finding=finding, output=text
    )


def a_hostile_grade(text: str, **changes: Any) -> Grade:
    """A grade in which every text is this one; it has the same points as `a_grade`."""
    checks = [a_hostile_check(text, n) for n in range(6)]
    told = {check.outcome: check for check in checks}
    hostile = tuple(
        check if check.passed or check.outcome not in told else replace(told[check.outcome], points=check.points)
        for check in CHECKS
    )
    claim = Claim(what=text, required=text, reached=text, holds=False)
    found = Integrity(kind="attack", says=text, file=text, line=3)
    return a_grade(
        student=text,
        source=text,
        commit=text,
        notes=(text, text),
        trouble=text,
        hardening=text,
        checkpoints=(TENSOR, replace(ACTIVATIONS, checks=hostile, capability=text, due=text, late=text)),
        milestones=(PERCEPTRON, replace(XOR, name=text, claims=(claim,), cause=text)),
        integrity=(found,),
        **changes,
    )
