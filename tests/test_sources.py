"""The student's files, read but never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_tinytorch.sources import Source, Sources

if TYPE_CHECKING:
    from pathlib import Path

STUB = '''import functools


def softmax(x):
    """Scores to probabilities."""
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("activations.softmax")
    # END OF YOUR CODE (keep this line)


class Tensor:
    @property
    @functools.cache
    def shape(self):
        """The sizes."""
        return self.data.shape

    def sum(self):
        if True:
            raise NotImplementedError("tensor.Tensor.sum")
'''


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "m.py").write_text(STUB, encoding="utf-8")
    return Source(tmp_path / "m.py", "tinytorch/m.py")


def problem_of(tmp_path: Path, content: bytes) -> tuple[int, str]:
    (tmp_path / "m.py").write_bytes(content)
    problem = Source(tmp_path / "m.py", "tinytorch/m.py").problem
    assert problem is not None
    return problem.place.line, problem.sentence


def test_a_stub_is_only_a_docstring_and_the_named_error(source: Source) -> None:
    assert source.definitions["softmax"].is_stub
    assert not source.definitions["Tensor.sum"].is_stub
    assert not source.definitions["Tensor.shape"].is_stub


@pytest.mark.parametrize(
    "later",
    [
        "def softmax(x):\n    return x\n",
        "softmax = lambda x: x\n",
        "softmax, other = abs, abs\n",
        "from .mine import softmax\n",
        "from .mine import fast as softmax\n",
        "from .mine import *\n",
        "if True:\n    def softmax(x):\n        return x\n",
    ],
)
def test_what_is_written_below_a_stub_replaces_it(tmp_path: Path, later: str) -> None:
    (tmp_path / "m.py").write_text(f"{STUB}\n\n{later}", encoding="utf-8")
    source = Source(tmp_path / "m.py", "tinytorch/m.py")
    assert not source.definitions["softmax"].is_stub
    assert source.place("softmax").line == 4


def test_a_stub_that_stands_twice_is_a_stub(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(f"{STUB}\n\n{STUB}", encoding="utf-8")
    assert Source(tmp_path / "m.py", "tinytorch/m.py").definitions["softmax"].is_stub


def test_places_and_lines(source: Source) -> None:
    assert str(source.place("softmax")) == "tinytorch/m.py:4  softmax"
    assert source.place("gone").line == 1
    assert source.function_at(12) == "Tensor.shape"  # the line of its first decorator
    assert source.function_around(16) == "Tensor.shape"
    assert source.function_around(1) is None
    assert source.problem is None
    assert {"softmax", "Tensor", "functools"} <= source.names


def test_a_file_in_latin_1_is_named_with_its_line(tmp_path: Path) -> None:
    line, sentence = problem_of(tmp_path, b"x = 1\n# caf\xe9\n")
    assert (line, sentence) == (2, "the file is not UTF-8: save it as UTF-8 in your editor")


def test_merge_markers_are_named(tmp_path: Path) -> None:
    text = b"x = 1\n<<<<<<< before updating\nx = 2\n=======\nx = 3\n>>>>>>> after updating\n"
    line, sentence = problem_of(tmp_path, text)
    assert line == 2
    assert sentence.startswith("an update left merge markers")


def test_a_syntax_error_is_named(tmp_path: Path) -> None:
    assert problem_of(tmp_path, b"def f(:\n    pass\n") == (1, "SyntaxError: invalid syntax")


def test_null_bytes_are_named(tmp_path: Path) -> None:
    assert "null bytes" in problem_of(tmp_path, b"x = 1\0\n")[1]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    problem = Source(tmp_path / "gone.py", "tinytorch/gone.py").problem
    assert problem is not None
    assert "copier update" in problem.sentence


def test_windows_line_endings_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_bytes(b"\xef\xbb\xbfdef f():\r\n    return 1\r\n")
    assert Source(tmp_path / "m.py", "m.py").problem is None


def test_a_package_finds_functions_by_file_and_line(tmp_path: Path) -> None:
    package = tmp_path / "tinytorch"
    package.mkdir()
    (package / "m.py").write_text(STUB, encoding="utf-8")
    sources = Sources(package)
    assert sources.function_at("tinytorch/m.py", 4) == "m.softmax"
    assert sources.function_at("tinytorch\\m.py", 4) == "m.softmax"
    assert sources.function_at("elsewhere/m.py", 4) is None
    assert sources.function_at("tinytorch/m.py", 999) is None
    assert sources.function_around("tinytorch/m.py", 4, "softmax") == "m.softmax"
    assert sources.function_around("tinytorch/m.py", 999, "relu") == "m.relu"  # defined again below
    assert sources.function_around("elsewhere/m.py", 4, "softmax") is None
