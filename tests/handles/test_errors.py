"""The student's exceptions, as a check meets them."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.handles import Frame, Remote, StudentExit, Trouble, World, named

from .conftest import Student


def remote(error: BaseException) -> Remote:
    found: Remote = error.remote  # type: ignore[attr-defined]  # as every student's exception
    return found


def test_an_exception_tells_what_and_where(world: World) -> None:
    x = named(world.tt.tensor(np.ones((2, 3), np.float32)), "x")
    with pytest.raises(IndexError) as caught:
        world.tt.softmax(x, dim=7)
    told = remote(caught.value)
    assert (told.kind, told.bases[:2]) == ("IndexError", ("IndexError", "LookupError"))
    assert told.message == "dim 7 is out of range for shape (2, 3)"
    assert told.expression == "softmax(x, dim=7)"
    assert told.definitions == {"x": "tensor([[1., 1., 1.], [1., 1., 1.]])"}
    assert told.importing is None
    assert [(f.file, f.function) for f in told.frames] == [("tinytorch/activations.py", "softmax")]
    assert told.frames[-1].text.startswith("raise IndexError")
    assert told.frames[-1].line == 7


@pytest.mark.parametrize(
    ("raised", "kind", "builtin"),
    [
        ("np.sum(np.ones(2), axis=5)", "AxisError", ValueError),
        ("raise KeyError('a')", "KeyError", KeyError),
        ("raise type('Mine', (LookupError, ValueError), {})('m')", "Mine", LookupError),
        ("b'\\xff'.decode()", "UnicodeDecodeError", UnicodeError),
        ("raise NotImplementedError('tensor.go')", "NotImplementedError", NotImplementedError),
        ("assert False, 'no'", "AssertionError", AssertionError),
        ("raise StopIteration", "StopIteration", StopIteration),
        ("raise UserWarning('w')", "UserWarning", UserWarning),
        ("go()", "RecursionError", RecursionError),
        ("np.ones(2**45)", "MemoryError", MemoryError),
        ("raise type('E', (Exception,), {'__str__': lambda self: 1/0})()", "E", Exception),
        ("raise type('E', (Exception,), {'__str__': lambda self: 5})()", "E", Exception),
        ("raise type('E', (Exception,), {'__class__': TypeError})()", "E", Exception),
        ("raise Exception('\\x1b[31mred\\x07' + 'x' * 10000)", "Exception", Exception),
    ],
)
def test_it_is_raised_as_its_first_builtin_class(
    student: Student, mode: str, raised: str, kind: str, builtin: type[Exception]
) -> None:
    student.write(tensor=f"import numpy as np\ndef go():\n    {raised}\n", activations="", __init__="")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is what is looked at
        student.world(mode, homes={"go": "tensor"}).tt.go()
    told = remote(caught.value)
    assert type(caught.value) is builtin
    assert told.kind == kind
    assert told.bases[0] == builtin.__name__ or "Unicode" in told.kind
    assert told.frames[0].function == "go"
    assert told.message.replace("\n", "").replace("…", "").isprintable()
    assert len(told.message) < 5_000
    assert len(told.frames) <= 40


def test_an_axis_error_is_a_value_error_and_an_index_error(student: Student, mode: str) -> None:
    student.write(tensor="import numpy as np\ndef go(): np.sum(np.ones(2), axis=5)\n", activations="", __init__="")
    with pytest.raises(ValueError, match="axis 5") as caught:
        student.world(mode, homes={"go": "tensor"}).tt.go()
    assert remote(caught.value).bases[:3] == ("ValueError", "IndexError", "LookupError")


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ("raise SystemExit(0)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import pytest; pytest.skip('no')", "Skipped"),
        ("import pytest; pytest.xfail('no')", "XFailed"),
        ("raise type('Mine', (BaseException,), {})", "Mine"),
        ("from pytest_tinytorch.handles import Trouble; raise Trouble('x')", "Trouble"),
    ],
)
def test_leaving_is_no_answer(student: Student, mode: str, raised: str, kind: str) -> None:
    student.write(tensor=f"import sys\nfrom sys import exit\ndef go(): {raised}\n", activations="", __init__="")
    tt = student.world(mode, homes={"go": "tensor"}).tt
    with pytest.raises(StudentExit) as caught:
        tt.go()
    told = remote(caught.value)
    assert told.kind == kind
    assert told.frames[-1].file == "tinytorch/tensor.py"
    assert not isinstance(caught.value, Exception)


def test_in_loop_mode_the_traceback_ends_in_the_students_frame(student: Student) -> None:
    tt: Any = student.world("loop").tt
    with pytest.raises(IndexError) as caught:
        tt.softmax(tt.tensor(np.ones(2)), dim=3)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].filename == str(student.folder / "activations.py")
    assert not any(frame.filename.endswith("server.py") for frame in frames)


def test_a_call_that_does_not_fit_has_no_frames(world: World) -> None:
    with pytest.raises(TypeError, match="unexpected keyword") as caught:
        world.tt.softmax(1, axis=1)
    assert remote(caught.value).frames == ()


def test_troubles_are_no_exceptions_and_speak_in_sentences() -> None:
    for kind in Trouble.__subclasses__():
        assert not issubclass(kind, Exception)
    exit_ = StudentExit(Remote(kind="SystemExit", bases=("SystemExit", "BaseException"), message="3"))
    assert str(exit_) == "the code raised SystemExit: 3 instead of giving a result"
    assert Frame(file="a.py", line=1, function="f", text="") == Frame(file="a.py", line=1, function="f", text="")
