"""The authors' rules hold for every checkpoint, and the lint sees each breach of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from pytest_tinytorch.course import Module
from tools.lint_checks import CheckFile, check_files, problems

GOOD = '''\
    """Checkpoint 01: m."""

    import numpy as np

    from pytest_tinytorch.checking import exercise, raises, same

    SIZES = (2, 3, -1.5)


    @exercise("double", points=2)
    def test_double_doubles(tt, draw, lab):
        """doubles every number"""
        a = draw(3)
        same(tt.double(tt.tensor(a)), 2 * a)
        raises(ValueError, lambda: tt.double(tt.tensor(a), 3), mentions=[a.shape])
        same(lab(probe, a), 2 * a)


    def probe(a):
        class Twice:
            def __call__(self, x):
                return np.asarray([tt.double(y) for y in x])

        return Twice()(a)
    '''


def lint(source: str, *more: str, points: int = 2) -> list[str]:
    module = Module(
        number=1, name="m", capability="", builds="", insight="", stars=1, hours=(0, 1), tier="", act="", level=1,
        exports=("double", "Linear"), exercises=("double",), points=points,
    )  # fmt: skip
    files = [CheckFile(Path("checkpoint_01_m.py"), module, dedent(text)) for text in (source, *more)]
    return [str(problem) for problem in problems(files)]


def test_checks_that_keep_the_rules_pass() -> None:
    assert lint(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("import numpy as np", "import tinytorch", ":3: imports tinytorch"),
        ("import numpy as np", "from os import path", ":3: imports os"),
        ('"""doubles every number"""', "", ":11: test_double_doubles has no docstring"),
        ('"""doubles every number"""', '"""Doubles every number"""', "starts with a lower-case letter"),
        ('"""doubles every number"""', '"""doubles every number."""', "without a full stop"),
        ('"""doubles every number"""', '"""doubles"""', "is one sentence"),
        ('@exercise("double", points=2)', "", "test_double_doubles has no @exercise(...)"),
        ('@exercise("double", points=2)', '@exercise("triple", points=2)', "names no exercise triple of m"),
        ('@exercise("double", points=2)', '@exercise("double", points=0)', "whole number of at least 1"),
        ("tt, draw, lab", "tt, draw, tmp_path", "takes tmp_path"),
        ("same(tt.double(tt.tensor(a)), 2 * a)", "assert tt.double(tt.tensor(a)) == 2 * a", ":14: assert asks"),
        ("a = draw(3)", "a = np.random.rand(3)", ":13: np.random is shared"),
        ("a = draw(3)", "try: a = draw(3)\n        except ValueError: pass", ":13: try may swallow"),
        (", mentions=[a.shape]", "", ":15: test_double_doubles: raises needs mentions"),
        ("[a.shape]", "[]", ":15: test_double_doubles: raises needs mentions"),
        ("same(", "str(", ":15: test_double_doubles: raises needs a legal twin"),
        ("2 * a)", "True)", ":14: test_double_doubles rests on True, False or None alone"),
        ("lab(probe, a)", "lab(lambda: a)", ":16: lab runs a plain function"),
        ("return Twice()(a)", "assert a\n        return a", ":19: the probe probe asserts"[3:]),
        ("return Twice()(a)", "return SIZES", ":19: the probe probe uses SIZES"),
        ("def probe", "@exercise\n    def probe", "the probe probe has a decorator"),
        ("(2, 3, -1.5)", "[2, 3]", ":7: can change"),
        ("(2, 3, -1.5)", "np.zeros(3)", ":7: can change"),
        ("SIZES = (2, 3, -1.5)", "for i in range(3): pass", ":7: only imports, constants and functions"),
        ("a = draw(3)", "global a\n        a = draw(3)", ":13: global shares state"),
        ("a = draw(3)", "a = np.ones(3)", ":1: no check of the exercise double uses draw"),
    ],
)  # fmt: skip
def test_each_breach_is_seen(old: str, new: str, says: str) -> None:
    found = lint(GOOD.replace(old, new))
    assert any(says in problem for problem in found), found


def test_points_add_up_to_what_the_course_says() -> None:
    assert lint(GOOD, points=5) == [
        "checkpoint_01_m.py:1: the checks are worth 2 points together, course.py says points=5"
    ]


def test_a_name_is_given_once() -> None:
    assert lint(GOOD, GOOD)[0].endswith("the name test_double_doubles is given 2 times")


def test_the_course_keeps_the_rules() -> None:
    assert "\n".join(map(str, problems(check_files()))) == ""
