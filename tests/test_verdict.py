"""From how a check ended to its outcome: one cause, one failure, and never our own fault on the student."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.checking import Mismatch
from pytest_tinytorch.handles import Frame, NotEvidence, ProtocolError, Remote, StudentExit, TimedOut, WorkerDied
from pytest_tinytorch.outcome import Finding, Outcome
from pytest_tinytorch.sources import Sources
from pytest_tinytorch.verdict import Check, Judge, Unwritten

TENSOR = '''
class Tensor:
    def sum(self):
        """Add up."""
        raise NotImplementedError("tensor.Tensor.sum")

    def mean(self):
        return self.sum() / 2
'''
ACTIVATIONS = """
def relu(x):
    return x


def sofmax(x):
    return x
"""


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    package = tmp_path / "tinytorch"
    package.mkdir()
    (package / "tensor.py").write_text(TENSOR, encoding="utf-8")
    (package / "activations.py").write_text(ACTIVATIONS, encoding="utf-8")
    return Sources(package)


@pytest.fixture
def judge(sources: Sources) -> Judge:
    return Judge(sources)


def check(exercise: str | None, module: course.Module = course.ACTIVATIONS) -> Check:
    return Check(id=f"c::test_{exercise}", module=module, exercise=exercise, claim="it works", points=1)


def remote(kind: str, message: str = "", *frames: Frame, importing: str | None = None) -> Remote:
    return Remote(
        kind=kind,
        bases=(kind, "Exception"),
        message=message,
        frames=frames,
        expression="relu(x)",
        definitions={},
        importing=importing,
    )


def raised(kind: type[Exception], message: str = "", *frames: Frame, importing: str | None = None) -> Exception:
    error = kind(message)
    error.remote = remote(kind.__name__, message, *frames, importing=importing)  # type: ignore[attr-defined]  # as handles do
    return error


def frame(file: str, line: int, function: str) -> Frame:
    return Frame(file=f"tinytorch/{file}.py", line=line, function=function, text="")


def test_no_error_is_passed(judge: Judge) -> None:
    assert judge.verdict(check("relu"), None).outcome is Outcome.PASSED


def test_a_stub_is_seen_without_running_it(judge: Judge) -> None:
    assert judge.is_stub(check("Tensor.sum", course.TENSOR))
    assert not judge.is_stub(check("Tensor.mean", course.TENSOR))
    assert not judge.is_stub(check(None))
    found = judge.verdict(check("Tensor.sum", course.TENSOR), Unwritten("tensor.Tensor.sum"))
    assert (found.outcome, found.cause) == (Outcome.UNWRITTEN, "tensor.Tensor.sum")


def test_a_wrong_value_points_at_the_exercise(judge: Judge) -> None:
    found = judge.verdict(check("relu"), Mismatch(Finding(got="1")))
    assert found.outcome is Outcome.WRONG
    assert str(found.where) == "tinytorch/activations.py:2  relu"


def test_another_stub_blocks(judge: Judge) -> None:
    error = raised(NotImplementedError, "tensor.Tensor.sum", frame("activations", 3, "relu"), frame("tensor", 5, "sum"))
    found = judge.verdict(check("relu"), error)
    assert (found.outcome, found.cause) == (Outcome.BLOCKED, "tensor.Tensor.sum")


def test_an_error_in_the_students_code_is_a_crash_at_its_line(judge: Judge) -> None:
    found = judge.verdict(check("relu"), raised(KeyError, "'x'", frame("activations", 3, "relu")))
    assert found.outcome is Outcome.CRASHED
    assert str(found.where) == "tinytorch/activations.py:3  relu"


def test_a_renamed_function_is_named(judge: Judge) -> None:
    found = judge.verdict(check("softmax"), raised(AttributeError, "module has no attribute 'softmax'"))
    assert found.outcome is Outcome.WRONG
    assert found.finding is not None
    assert "has no softmax. Was it renamed to sofmax?" in found.finding.mistake


def test_another_signature_is_named(judge: Judge) -> None:
    error = raised(TypeError, "relu() got an unexpected keyword argument 'dim'")
    finding = judge.verdict(check("relu"), error).finding
    assert finding is not None
    assert "Keep the signature" in finding.mistake


def test_what_fails_by_a_known_wrong_function_is_blocked_by_it(judge: Judge) -> None:
    mean = check("Tensor.mean", course.TENSOR)
    assert judge.verdict(mean, Mismatch(Finding(got="1"))).outcome is Outcome.WRONG
    assert judge.has_failing
    ran = {("tinytorch/tensor.py", 7), ("tinytorch/activations.py", 2)}
    found = judge.verdict(check("relu"), Mismatch(Finding(got="1")), ran)
    assert (found.outcome, found.cause) == (Outcome.BLOCKED, "tensor.Tensor.mean")
    assert judge.verdict(mean, Mismatch(Finding(got="1")), ran).outcome is Outcome.WRONG  # its own second failure
    assert judge.verdict(check("relu"), Mismatch(Finding(got="1")), ()).outcome is Outcome.WRONG  # it did not run mean


def test_what_hangs_in_a_known_wrong_function_is_blocked_by_it(judge: Judge) -> None:
    hung = TimedOut(10.0)
    hung.frames = (frame("activations", 3, "relu"), frame("tensor", 8, "mean"))
    assert judge.verdict(check("relu"), hung).outcome is Outcome.TIMED_OUT  # nothing is known of mean yet
    judge = Judge(judge._sources, {"tensor.Tensor.mean"})
    found = judge.verdict(check("relu"), hung)
    assert (found.outcome, found.cause) == (Outcome.BLOCKED, "tensor.Tensor.mean")
    assert judge.verdict(check("Tensor.mean", course.TENSOR), hung).outcome is Outcome.TIMED_OUT  # its own


def test_what_passes_is_not_blocked(judge: Judge) -> None:
    judge.verdict(check("Tensor.mean", course.TENSOR), Mismatch(Finding(got="1")))
    assert judge.verdict(check("relu"), None, {("tinytorch/tensor.py", 7)}).outcome is Outcome.PASSED


def test_failing_exercises_are_also_known_from_before(sources: Sources) -> None:
    judge = Judge(sources, {"tensor.Tensor.mean"})
    found = judge.verdict(check("relu"), Mismatch(Finding(got="1")), {("tinytorch/tensor.py", 7)})
    assert found.outcome is Outcome.BLOCKED


def test_a_failed_import_is_told_once(judge: Judge) -> None:
    error = raised(SyntaxError, "invalid", frame("tensor", 1, "<module>"), importing="tinytorch.tensor")
    first, second = judge.verdict(check("relu"), error), judge.verdict(check("softmax"), error)
    assert first.outcome is Outcome.CRASHED
    assert first.where is not None
    assert first.where.file == "tinytorch/tensor.py"
    assert (second.outcome, second.cause) == (Outcome.BLOCKED, "tinytorch/tensor.py, which does not import")


def test_an_import_that_never_ends_is_told_once(judge: Judge) -> None:
    error = TimedOut(10.0)
    error.importing = "tinytorch.tensor"
    outcomes = [judge.verdict(check(name), error).outcome for name in ("relu", "softmax")]
    assert outcomes == [Outcome.TIMED_OUT, Outcome.BLOCKED]


def test_time_and_death(judge: Judge) -> None:
    assert judge.verdict(check("relu"), TimedOut(10.0)).outcome is Outcome.TIMED_OUT
    assert judge.verdict(check("relu"), WorkerDied("killed")).outcome is Outcome.CRASHED
    assert judge.verdict(check("relu"), ProtocolError("garbage")).outcome is Outcome.CRASHED
    assert judge.verdict(check("relu"), NotEvidence("a handle")).outcome is Outcome.WRONG


def test_leaving_python_is_a_crash(judge: Judge) -> None:
    found = judge.verdict(check("relu"), StudentExit(remote("SystemExit", "0", frame("activations", 3, "relu"))))
    assert found.outcome is Outcome.CRASHED
    assert found.finding is not None
    assert "leaves Python" in found.finding.mistake


@pytest.mark.parametrize("error", [NameError("x"), ValueError("shapes"), AssertionError(), KeyError(1)])
def test_our_own_error_is_never_put_on_the_student(judge: Judge, error: Exception) -> None:
    assert judge.verdict(check("relu"), error).outcome is Outcome.BROKEN


def test_a_plain_value_where_an_object_was_due_is_wrong_not_broken(judge: Judge) -> None:
    with pytest.raises(AttributeError) as caught:
        None.shape  # type: ignore[attr-defined]  # noqa: B018 -- what a check runs into
    found = judge.verdict(check("relu"), caught.value, (), {"NoneType": "relu(x)"})
    assert found.outcome is Outcome.WRONG
    assert found.finding is not None
    assert found.finding.call == "relu(x)"
    assert judge.verdict(check("relu"), caught.value, (), {"int": "relu(x)"}).outcome is Outcome.BROKEN
