"""Importing the student's package: which files count, and what one broken module costs."""

from __future__ import annotations

import compileall
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.handles import Interrupted, StudentExit, TimedOut, WorkerDied

from .conftest import Student
from .test_errors import remote

LOSSES = {"losses_of_nothing": "losses"}


def one() -> Any:
    """A probe that does nothing."""
    return 1


def test_a_package_of_the_same_name_elsewhere_never_wins(
    student: Student, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "site"
    (other / "tinytorch").mkdir(parents=True)
    (other / "tinytorch" / "__init__.py").write_text("stranger = True\n")
    (other / "tinytorch" / "extra.py").write_text("")
    monkeypatch.syspath_prepend(str(other))
    stranger = importlib.import_module("tinytorch")

    path = list(sys.path)
    world = student.world(mode)
    assert world.tt.softmax is not None
    with pytest.raises(ModuleNotFoundError, match=r"tinytorch\.extra"):
        world.lab(_extra)
    world.close()
    world.sessions.close()
    assert sys.path == path
    assert sys.modules["tinytorch"] is stranger
    assert stranger.stranger
    for name in [name for name in sys.modules if name.partition(".")[0] == "tinytorch"]:
        del sys.modules[name]


def _extra() -> None:
    import tinytorch.extra  # type: ignore[import-not-found]  # noqa: F401, PLC0415 - beside the student's code


def test_nothing_stays_in_sys_modules_or_the_finders(student: Student) -> None:
    finders = list(sys.meta_path)
    world = student.world("loop")
    assert world.tt.tensor is not None
    assert "tinytorch.tensor" in sys.modules
    world.sessions.close()
    assert not [name for name in sys.modules if name.partition(".")[0] == "tinytorch"]
    assert sys.meta_path == finders


def test_stale_bytecode_is_never_read_nor_written(student: Student, mode: str) -> None:
    student.write(tensor="WHO = 'old!'\n", activations="", __init__="")
    compileall.compile_dir(student.folder, quiet=2)
    cached = Path(importlib.util.cache_from_source(str(student.folder / "tensor.py")))
    times = (student.folder / "tensor.py").stat()
    student.write(tensor="WHO = 'new!'\n")
    os.utime(student.folder / "tensor.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    before = cached.read_bytes()
    assert student.world(mode, homes={"WHO": "tensor"}).tt.WHO == "new!"
    assert cached.read_bytes() == before
    (student.folder / "tensor.py").unlink()
    cached.rename(student.folder / "tensor.pyc")
    with pytest.raises(ModuleNotFoundError):
        _ = student.world(mode, homes={"WHO": "tensor"}).tt.WHO


def test_helper_files_and_sub_packages_are_found(student: Student, mode: str) -> None:
    (student.folder / "parts").mkdir()
    (student.folder / "parts" / "__init__.py").write_text("from .deep import DEEP\n")
    (student.folder / "parts" / "deep.py").write_text("from ..helpers import TEN\nDEEP = TEN\n")
    student.write(
        helpers="import tinytorch\nTEN = 10\n", tensor="from tinytorch.parts import DEEP\nclass Tensor: d = DEEP\n"
    )
    student.write(activations="", __init__="")
    tt = student.world(mode).tt
    assert tt.Tensor.d == 10
    assert tt.parts.DEEP == 10


def test_names_are_found_flat_by_module_and_on_the_package(student: Student, mode: str) -> None:
    student.write(__init__="from .tensor import *\nVERSION = '1'\n")
    tt = student.world(mode).tt
    assert tt.softmax is tt.activations.softmax
    assert tt.VERSION == "1"
    with pytest.raises(AttributeError, match="nothing"):
        _ = tt.nothing


BROKEN: dict[str, tuple[str | bytes, type[BaseException]]] = {
    "syntax": ("def f(:\n", SyntaxError),
    "not utf-8": (b"x = '\xff'\n", SyntaxError),
    "null byte": (b"x = 1\0\n", SyntaxError),
    "raises": ("x = 1 / 0\n", ZeroDivisionError),
    "exits": ("import sys\nsys.exit(0)\n", StudentExit),
    "interrupts": ("raise KeyboardInterrupt\n", StudentExit),
    "skips": ("import pytest\npytest.skip('no', allow_module_level=True)\n", StudentExit),
    "missing": ("from .tensor import nonsense\n", ImportError),
    "circular": ("from .other import b\na = 1\n", ImportError),
}


@pytest.mark.parametrize("how", BROKEN)
def test_one_broken_module_costs_only_what_needs_it(student: Student, mode: str, how: str) -> None:
    text, kind = BROKEN[how]
    student.write(losses=text, other="from .losses import a\nb = 1\n")
    student.write(__init__="from .tensor import *\nfrom .losses import *\nfrom .activations import softmax\n")
    sessions = student.open(mode, homes=LOSSES)
    for _ in range(2):
        world = student.begin(sessions)
        assert world.tt.softmax(world.tt.tensor([[0.0]])).shape == (1, 1)
        assert world.lab(one) == 1
        with pytest.raises(kind) as caught:
            _ = world.tt.losses_of_nothing
        told = remote(caught.value)
        assert told.importing in ("tinytorch.losses", "tinytorch.other")
        assert told.frames[-1].file in ("tinytorch/losses.py", "tinytorch/other.py")
        world.close()


def test_a_syntax_error_shows_the_bad_line(student: Student, mode: str) -> None:
    student.write(tensor="x = 1\nif x\n    y = 2\n")
    with pytest.raises(SyntaxError) as caught:
        _ = student.world(mode).tt.Tensor
    frame = remote(caught.value).frames[-1]
    assert (frame.file, frame.line, frame.text) == ("tinytorch/tensor.py", 2, "if x")
    assert remote(caught.value).message == "expected ':'"


def test_a_broken_init_fails_everything(student: Student, mode: str) -> None:
    student.write(__init__="from .tensor import *\nx = 1 / 0\n")
    sessions = student.open(mode)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError) as caught:
            _ = student.begin(sessions).tt.softmax
        assert remote(caught.value).importing == "tinytorch"
        assert remote(caught.value).frames[-1].text == "x = 1 / 0"


def test_a_name_that_init_does_not_find_is_its_modules_fault(student: Student, mode: str) -> None:
    student.write(activations="def softmaks(x): return x\n")
    tt = student.world(mode).tt
    assert tt.tensor([1]).shape == (1,)
    with pytest.raises(AttributeError, match="softmax"):
        _ = tt.softmax


@pytest.mark.parametrize("loop", ["while True: pass\n", "import time\ntime.sleep(600)\n"], ids=["busy", "asleep"])
def test_a_module_that_does_not_come_back_is_tried_once(student: Student, mode: str, loop: str) -> None:
    student.write(losses=loop, layers="from .losses import *\n")
    student.write(__init__="from .tensor import *\nfrom .losses import *\n")
    sessions = student.open(mode, homes=LOSSES | {"Linear": "layers"})

    def fetch(name: str) -> Any:
        return getattr(student.begin(sessions, limit=1.0).tt, name)

    assert fetch("softmax") is not None
    assert set(sessions.failures) == {"__init__", "losses"}
    for name in ("losses_of_nothing", "Linear", "losses_of_nothing"):
        with pytest.raises(TimedOut) as caught:
            fetch(name)
        assert caught.value.importing == "tinytorch.losses"
        assert caught.value.frames[-1].file == "tinytorch/losses.py"


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.closerange(3, 200)"])
def test_a_module_that_ends_the_process_costs_only_what_needs_it(student: Student, worker: str, end: str) -> None:
    student.write(losses=f"import os\n{end}\n", __init__="from .tensor import *\nfrom .losses import *\n")
    sessions = student.open(worker, homes=LOSSES)
    for _ in range(2):
        world = student.begin(sessions)
        assert world.tt.softmax is not None
        with pytest.raises(Interrupted) as caught:
            _ = world.tt.losses_of_nothing
        assert isinstance(caught.value, WorkerDied)
        assert caught.value.importing == "tinytorch.losses"
        assert str(caught.value).endswith("while importing tinytorch.losses")


def test_a_missing_module_says_so(student: Student, mode: str) -> None:
    (student.folder / "activations.py").unlink()
    student.write(__init__="from .tensor import *\n")
    tt = student.world(mode).tt
    assert tt.Tensor is not None
    with pytest.raises(ModuleNotFoundError, match=r"tinytorch\.activations"):
        _ = tt.softmax


def test_odd_files_do_no_harm(student: Student, worker: str) -> None:
    (student.folder / "deep.py").write_text("x = " + "(" * 5_000 + ")" * 5_000)
    (student.folder / "long.py").write_text("x = 1\n" * 200_000)
    (student.folder / "link.py").symlink_to("nowhere")
    (student.folder / "folder.py").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(student.folder / "pipe.py")
    assert student.world(worker).tt.softmax is not None
