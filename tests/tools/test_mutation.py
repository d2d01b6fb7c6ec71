"""Mutants: one small wrong change each, none that compiles to the same code, nothing outside functions."""

from __future__ import annotations

from textwrap import dedent

import pytest

from pytest_tinytorch.course import CHECKPOINTS
from tools import SOLUTIONS
from tools.mutants import listed
from tools.mutation import mutants


def changes(source: str) -> list[str]:
    return [f"{mutant.kind}: {mutant.becomes}" for mutant in mutants(dedent(source))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return a < b", ["return value dropped: return None", "comparison: return (a <= b)"]),
        ("return a - b", ["arithmetic: return (a + b)", "operands exchanged: return (b - a)"]),
        ("return not a", ["not removed: return a"]),
        ("return a and b", ["and and or: return (a or b)", "condition removed: return b"]),
        ("return a[1]", ["constant: return a[2]", "constant: return a[0]"]),
        ("return f(a, b)", ["arguments exchanged: return f(b, a)"]),
        ("return a.sum(dim=a, keepdim=True)", [
            "dim dropped: return a.sum(keepdim=True)",
            "dim changed: return a.sum(dim=None, keepdim=True)",
            "dim changed: return a.sum(dim=0, keepdim=True)",
            "dim changed: return a.sum(dim=-1, keepdim=True)",
            "keepdim dropped: return a.sum(dim=a)",
            "constant: return a.sum(dim=a, keepdim=False)",
            "function: return a.mean(dim=a, keepdim=True)",
        ]),
        ("return a.astype(b)", ["astype left out: return a"]),
        ("return np.zeros(a, dtype=b)", ["dtype dropped: return np.zeros(a)", "function: return np.ones(a, dtype=b)"]),
        ("if a: return b", ["condition always True: if True: return b", "condition always False: if False: return b"]),
        ("if a: raise ValueError(f'{a + 1}' + b)", ["statement removed: if a: pass"]),
        ("a += b", ["statement removed: pass", "+= to =: a = b", "arithmetic: a -= b"]),
        ("for a in b: break", ["loop never entered: for a in (): break", "break and continue: for a in b: continue"]),
    ],
)  # fmt: skip
def test_each_kind_of_change(line: str, expected: list[str]) -> None:
    found = changes(f"def f(a, b):\n    {line}\n")
    assert [change for change in expected if change not in found] == []


def test_defaults_are_changed_and_annotations_are_not() -> None:
    assert changes("def f(a: int = 1 + 1, *, keepdim: bool = False) -> None: ...\n") == [
        "arithmetic: def f(a: int = (1 - 1), *, keepdim: bool = False) -> None: ...",
        "constant: def f(a: int = 2 + 1, *, keepdim: bool = False) -> None: ...",
        "constant: def f(a: int = 0 + 1, *, keepdim: bool = False) -> None: ...",
        "constant: def f(a: int = 1 + 2, *, keepdim: bool = False) -> None: ...",
        "constant: def f(a: int = 1 + 0, *, keepdim: bool = False) -> None: ...",
        "constant: def f(a: int = 1 + 1, *, keepdim: bool = True) -> None: ...",
    ]


def test_nothing_outside_functions_and_no_text_is_changed() -> None:
    assert changes('X = 1\nclass A:\n    y = 2\n    def f(self):\n        """1 + 1"""\n') == []


def test_only_the_changed_place_is_written_anew() -> None:
    source = 'def f(a):\n    x = {  # π, kept\n        "é": 1+1,\n    }\n    return x\n'
    texts = [mutant.source for mutant in mutants(source) if mutant.kind == "arithmetic"]
    assert texts == [source.replace("1+1", "(1 - 1)")]


def test_a_mutant_is_of_the_outer_function() -> None:
    found = mutants("class A:\n    def f(self):\n        def g():\n            return 1\n        return g\n")
    assert {mutant.function for mutant in found} == {"A.f"}
    assert len(found) == len({mutant.source for mutant in found}) == 4


def test_known_survivors_are_mutants() -> None:
    gone = []
    for module in CHECKPOINTS:
        names = {key.partition(":")[0] for key in listed(module)}
        source = (SOLUTIONS / module.file).read_text("utf-8") if names else ""
        keys = {mutant.key for mutant in mutants(source, names.__contains__)}
        gone += [f"{module.name}: {key}" for key in listed(module) if key not in keys]
    assert gone == [], "listed in tools/survivors, but the solution has no such line"
