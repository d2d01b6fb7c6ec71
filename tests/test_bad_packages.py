"""Packages that do not import, hang, or answer oddly: one clear sentence each, the same both ways of running."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import CourseRepository

MODES = pytest.mark.parametrize("mode", [(), ("--isolated",)], ids=["loop", "isolated"])


def prepend(course: CourseRepository, module: str, text: str) -> None:
    """Put lines at the end of a module's imports: after the `from __future__` line."""
    path = course.package / f"{module}.py"
    head, line, rest = path.read_text(encoding="utf-8").partition("from __future__ import annotations\n")
    path.write_text(f"{head}{line}{text}\n{rest}", encoding="utf-8", newline="\n")


# ---- a package that does not import ---------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def broken(:", "*SyntaxError: *"),
        ("import nosuchmodule", "*ModuleNotFoundError: No module named 'nosuchmodule'*"),
        ("import sys; sys.exit(3)", "*SystemExit: *leaves Python while it is imported*"),
        ("<<<<<<< before updating\n=======\n>>>>>>> after updating", "*an update left merge markers*"),
    ],
)
def test_what_keeps_a_file_from_being_imported(
    solved: CourseRepository, mode: tuple[str, ...], text: str, sentence: str
) -> None:
    prepend(solved, "activations", text)
    result = solved.pytest("--checkpoint", "2", *mode)
    assert result.ret == 1
    counts = result.parseoutcomes()
    assert counts["failed"] == 1
    assert counts["blocked"] > 5
    result.stdout.fnmatch_lines(["CRASH*02 activations*", "*tinytorch/activations.py:*"])
    result.stdout.fnmatch_lines([sentence])
    result.stdout.no_fnmatch_line("*Traceback*")


@MODES
def test_two_files_that_import_each_other(solved: CourseRepository, mode: tuple[str, ...]) -> None:
    prepend(solved, "tensor", "from .activations import relu")
    result = solved.pytest("--checkpoint", "1", *mode)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["CRASH*", "*tinytorch/*.py:*", "*circular import*"])


@MODES
def test_a_broken_file_leaves_the_others_alone(solved: CourseRepository, mode: tuple[str, ...]) -> None:
    prepend(solved, "losses", "def broken(:")
    assert solved.pytest("--checkpoint", "2", *mode).ret == 0


@MODES
def test_a_file_that_is_not_utf_8(solved: CourseRepository, mode: tuple[str, ...]) -> None:
    path = solved.package / "activations.py"
    path.write_bytes(path.read_bytes() + b"\n\nCOFFEE = 'caf\xe9'\n")
    result = solved.pytest("--checkpoint", "2", *mode)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the file is not UTF-8: save it as UTF-8 in your editor*"])


@MODES
def test_an_endless_loop_at_import_costs_its_time_once(solved: CourseRepository, mode: tuple[str, ...]) -> None:
    prepend(solved, "activations", "while True: pass")
    result = solved.pytest("--checkpoint", "2", "-o", "tinytorch_time_limit=1", *mode)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["STUCK*02 activations*"])
    assert result.duration < 20


@MODES
def test_a_package_of_that_name_elsewhere_does_not_win(
    solved: CourseRepository, mode: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = solved.root.parent / f"{solved.root.name}-other" / "tinytorch"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise RuntimeError('the wrong package')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    assert solved.pytest("--checkpoint", "2", *mode).ret == 0


def test_no_package_at_all(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--checkpoint", "1")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: there is no package tinytorch/ in *: run pytest in the folder of your course*"]
    )


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_a_package_that_leads_elsewhere_is_refused(solved: CourseRepository) -> None:
    elsewhere = solved.root.parent / f"{solved.root.name}-elsewhere"
    solved.package.rename(elsewhere)
    solved.package.symlink_to(elsewhere)
    result = solved.pytest("--checkpoint", "2")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *leads out of*the package must lie in the repository itself*"])


# ---- a function that answers oddly ------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def relu(x):\n    pass", "*the function ends without a return.*"),
        ("def relu(x):\n    return x.data", "*bare NumPy array*"),
        ("def relu(x):\n    return [0.0]", "*a plain list*"),
        ("def relu(x):\n    return Tensor(np.maximum(x.data, 0), dtype=np.float64)", "*float64 crept in*"),
        ("def relu():\n    pass", "*parameters differ from the exercise's*"),
        ("def relu(x):\n    return relu(x)", "*RecursionError*"),
        ("def relu(x):\n    return x.nonsense", "*AttributeError*nonsense*"),
        ("def relu(x):\n    raise SystemExit(0)", "*SystemExit*"),
        ("def relu(x):\n    import pytest\n    pytest.skip('not today')", "*Skipped*"),
        ("def relu(x):\n    raise KeyboardInterrupt", "*KeyboardInterrupt*"),
    ],
)
def test_odd_answers(solved: CourseRepository, mode: tuple[str, ...], text: str, sentence: str) -> None:
    solved.append("activations", text)
    result = solved.pytest("--checkpoint", "2", "-k", "relu and not leaky", *mode)
    assert result.ret == 1
    counts = result.parseoutcomes()
    assert "skipped" not in counts
    assert "error" not in counts
    result.stdout.fnmatch_lines(["*tinytorch/activations.py:*relu*"])
    result.stdout.fnmatch_lines([sentence])


@MODES
def test_a_renamed_function_is_named(solved: CourseRepository, mode: tuple[str, ...]) -> None:
    solved.edit("activations", "def relu(", "def rulu(")
    result = solved.pytest("--checkpoint", "2", "-k", "relu_keeps_what", *mode)
    assert result.ret == 1
    said = " ".join(result.stdout.str().split())
    assert "tinytorch/activations.py has no relu. Was it renamed to rulu?" in said


@MODES
def test_an_endless_loop_is_named(solved: CourseRepository, mode: tuple[str, ...]) -> None:
    solved.append("activations", "def relu(x):\n    while True:\n        x = x")
    result = solved.pytest(
        "--checkpoint", "2", "-k", "relu and not leaky", "-o", "tinytorch_time_limit=0.5", "-x", *mode
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["STUCK*", "*tinytorch/activations.py:*relu*"])


def test_a_process_that_dies_costs_only_its_check(solved: CourseRepository) -> None:
    solved.append("activations", "def relu(x):\n    import os\n    os._exit(0)")
    result = solved.pytest("--checkpoint", "2", "--isolated")
    assert result.ret == 1
    assert result.parseoutcomes()["passed"] > 10
    result.stdout.fnmatch_lines(["CRASH*", "*the process ended*"])
