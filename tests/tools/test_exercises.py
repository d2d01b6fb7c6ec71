"""Exercises are the solutions without their answers, byte for byte otherwise."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tools.exercises import BEGIN, END, ExerciseError, committed, differing, generate, main, without_answers, write

if TYPE_CHECKING:
    from pathlib import Path


def strip(source: str, *names: str) -> str:
    return without_answers(dedent(source), "m", names)


def test_only_the_body_goes() -> None:
    source = '''\
        import math  # stays

        @decorated
        def area(
            radius: float,
        ) -> float:  # noqa: X1
            """π r²: the area of a circle.

            Two paragraphs."""  # also stays

            # a remark on the answer
            return math.pi * radius**2

            # another


        # a remark outside
        LAST = 1
        '''
    assert strip(source, "area") == dedent(f'''\
        import math  # stays

        @decorated
        def area(
            radius: float,
        ) -> float:  # noqa: X1
            """π r²: the area of a circle.

            Two paragraphs."""  # also stays
            {BEGIN}
            raise NotImplementedError("m.area")
            {END}


        # a remark outside
        LAST = 1
        ''')


@pytest.mark.parametrize(
    "source",
    [
        'class T:\n    @property\n    def x(self):\n        """D."""\n        return 1\n',
        'class T:\n    @staticmethod\n    def x():\n        """D."""\n        return 1\n',
        'class T:\n    async def x(self):\n        """D."""\n        return 1\n',
        'class T:\n    if True:\n        def x(self):\n            """D."""\n            return 1\n',
        'class T:\n    @overload\n    def x(self): ...\n    def x(self):\n        """D."""\n        return 1\n',
        'class T:\n    def x(self):\n        """Only a docstring."""\n',
        'class T:\n\tdef x(self):\n\t\t"""Tabs."""\n\t\treturn 1',
    ],
)
def test_methods_of_every_kind(source: str) -> None:
    stub = without_answers(source, "m", ["T.x"])
    ast.parse(stub)
    assert 'raise NotImplementedError("m.T.x")' in stub
    assert "return 1" not in stub
    assert '"""' in stub


def test_nested_functions_and_setters_have_names_of_their_own() -> None:
    source = '''\
        class T:
            @property
            def x(self):
                """Given."""
                return 1

            @x.setter
            def x(self, value):
                """D."""
                self.y = value

            class Inner:
                def run(self):
                    def step():
                        """D."""
                        return 2
                    return step
        '''
    stub = strip(source, "T.x.setter", "T.Inner.run.step")
    assert "return 1" in stub
    assert "return step" in stub
    assert "self.y" not in stub
    assert "return 2" not in stub


def test_line_ends_become_those_of_unix() -> None:
    stub = without_answers('def x():\r\n    """D."""\r\n    return 1\r\n', "m", ["x"])
    assert "\r" not in stub
    assert stub == f'def x():\n    """D."""\n    {BEGIN}\n    raise NotImplementedError("m.x")\n    {END}\n'


@pytest.mark.parametrize(
    ("source", "names", "sentence"),
    [
        ("def x():\n    return 1\n", ["x"], "m.py:1: the exercise x has no docstring"),
        ("def y():\n    pass\n", ["x"], "m.py: course.py names the exercise x, which is not defined here"),
        ('def x():\n    """D."""\ndef x():\n    """D."""\n', ["x"], "x is defined in lines 1 and 3"),
        ('def x(): """D."""\n', ["x"], "m.py:1: the docstring of x needs lines of its own"),
        ('def x():\n    """D."""; return 1\n', ["x"], "m.py:2: the docstring of x needs lines of its own"),
        ('def x():\n    """D."""\n    def y():\n        """E."""\n', ["x", "x.y"], "x.y lies inside x"),
    ],
)
def test_what_cannot_be_an_exercise_is_said_in_one_sentence(source: str, names: list[str], sentence: str) -> None:
    with pytest.raises(ExerciseError) as caught:
        without_answers(source, "m", names)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_writing_brings_a_folder_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "stale.py").write_text("old", encoding="utf-8")
    (tmp_path / "same.py").write_text("same\n", encoding="utf-8", newline="\r\n")
    wanted = {"same.py": "same\n", "new.py": "π\n"}
    assert write(wanted, tmp_path) == ["new.py", "stale.py"]
    assert committed(tmp_path) == wanted
    assert (tmp_path / "new.py").read_bytes() == "π\n".encode()
    assert write(wanted, tmp_path) == []


def test_the_committed_exercises_are_fresh() -> None:
    stale = differing(generate(), committed())
    assert not stale, f"run: python -m tools.exercises   (stale: {', '.join(stale)})"


def test_check_says_what_to_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    monkeypatch.setattr("tools.exercises.committed", dict)
    monkeypatch.setattr("tools.exercises.generate", lambda: {"a.py": ""})
    assert main(["--check"]) == 1
    stale, command = capsys.readouterr().err.splitlines()
    assert stale == "exercises/tinytorch/a.py is not what the solution gives"
    assert command == "run: python -m tools.exercises"
