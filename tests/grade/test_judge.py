"""The judge: what there is to judge, how long it takes at most, and that it ends with whoever asked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.grade import court, judge
from pytest_tinytorch.grade.assignment import read
from pytest_tinytorch.grade.judge import Clock, Order, expected, expected_milestones
from pytest_tinytorch.grade.result import NOT_RUN
from pytest_tinytorch.outcome import Outcome, Result

from .handed_in import course as a_course
from .handed_in import solution


def order(root: Path, *numbers: int, **changed: object) -> Order:
    said: dict[str, object] = {"milestones": (), "provided": (), "seed": 1, "time_limit": 10.0, "total_limit": 300.0}
    return Order(root=str(root), package="tinytorch", checkpoints=numbers, **said | changed)  # type: ignore[arg-type]


# ---- what there is to judge ---------------------------------------------------------------------------------


def test_what_is_expected_is_what_pytest_collects(pytester: pytest.Pytester) -> None:
    a_course(pytester.path)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    out = pytester.runpytest_subprocess("--checkpoint", "1-20", "--collect-only", "-q").stdout.lines
    collected = [line for line in out if line.startswith("checkpoint-")]
    known = [
        f"checkpoint-{part.label.replace(' ', '-')}::test_{check.name}"
        for part in expected(read({}))
        for check in part.checks
    ]
    assert known == collected


def test_the_points_are_those_of_the_course() -> None:
    for part, module in zip(expected(read({})), course.MODULES, strict=True):
        assert (part.label, part.max_score, part.score) == (module.label, module.points, 0)
        assert {check.outcome for check in part.checks} == {NOT_RUN}


def test_weights_multiply_a_checkpoint_and_are_a_milestones_points() -> None:
    asked = read({"assignment": {"milestones": [1957, 1986]}, "weights": {"tensor": 3, "losses": 0, "1986": 25}})
    scores = {part.module: part.max_score for part in expected(asked)}
    assert scores["tensor"] == 3 * course.MODULES[0].points
    assert scores["losses"] == 0
    assert [milestone.max_score for milestone in expected_milestones(asked)] == [10, 25]


def test_a_milestone_brings_what_it_rests_on() -> None:
    names = [module.name for module in order(Path(), milestones=(1957,)).modules]
    assert names == ["tensor", "activations", "layers", "losses"]
    given = order(Path(), 2, milestones=(1957,), provided=("tensor", "layers", "losses"))
    assert [module.name for module in given.modules] == ["activations"]


def test_an_order_travels_in_a_line(tmp_path: Path) -> None:
    asked = order(tmp_path / "a\nb", 1, 2, milestones=(1957,))
    assert asked.as_line().count(b"\n") == 1
    assert judge.read_order(asked.as_line()) == asked


# ---- time -----------------------------------------------------------------------------------------------------


def result(exercise: str, outcome: Outcome, seconds: float) -> Result:
    about = {"check": f"checkpoint-01-tensor::test_{exercise}", "number": 1, "module": "tensor", "exercise": exercise}
    return Result(**about, claim="", points=1, outcome=outcome, seconds=seconds)  # type: ignore[arg-type]


def test_an_exercise_that_hung_has_less_time_for_its_other_checks() -> None:
    clock = Clock(10.0)
    assert clock.limit_of("tensor.sum") == 10.0
    clock.note(result("sum", Outcome.TIMED_OUT, 10.0))
    assert (clock.limit_of("tensor.sum"), clock.limit_of("tensor.mean")) == (2.0, 10.0)


def test_when_check_after_check_hangs_every_check_has_less_time() -> None:
    clock = Clock(10.0)
    given = []
    for number in range(12):
        given.append(clock.limit_of(f"tensor.f{number}"))
        clock.note(result(f"f{number}", Outcome.BLOCKED, given[-1]))
    assert given == [10.0] * 3 + [2.0] * 7 + [1.0] * 2


def test_a_look_is_taken_sooner_when_more_has_timed_out() -> None:
    clock = Clock(10.0)
    looks = []
    for number in range(11):
        looks.append(clock.look)
        clock.note(result(f"f{number}", Outcome.BLOCKED if number % 2 else Outcome.TIMED_OUT, 1.0))
    assert looks == [0.5] * 3 + [0.1] * 7 + [0.05]
    assert clock.limit_of("tensor.sum") == 10.0
    assert Clock(1.0).look == 0.05


def test_a_costly_crash_is_looked_at_like_a_loop() -> None:
    clock = Clock(10.0)
    clock.note(result("sum", Outcome.CRASHED, 0.9))
    assert not clock.slow
    clock.note(result("mean", Outcome.CRASHED, 1.1))
    assert clock.slow == {"tensor.mean"}


def test_what_fails_or_waits_at_once_takes_nobodys_time() -> None:
    clock = Clock(10.0)
    for number in range(20):
        clock.limit_of(f"tensor.f{number}")
        clock.note(result(f"f{number}", Outcome.WRONG if number % 2 else Outcome.BLOCKED, 0.1))
    assert clock.limit_of("tensor.sum") == 10.0


def test_a_short_limit_stays_as_it_is() -> None:
    clock = Clock(0.5)
    clock.note(result("sum", Outcome.TIMED_OUT, 0.5))
    assert clock.limit_of("tensor.sum") == 0.5


def test_when_time_is_over_no_check_is_begun(tmp_path: Path) -> None:
    root = a_course(tmp_path / "course", solved=("tensor",))
    (tmp_path / "scratch").mkdir()
    heard = court.hear(order(root, 1, total_limit=0.3), tmp_path / "scratch")
    assert heard.trouble == "the checks were stopped after 0.3 s, the limit for all of them together"
    assert len(heard.checks) < len(expected(read({"assignment": {"checkpoints": "1"}}))[0].checks)


# ---- its process ----------------------------------------------------------------------------------------------


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_a_fresh_judge_says_what_a_forked_one_says(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("judges are forked on Linux alone")
    root = a_course(tmp_path / "course", solved=("tensor",), activations=solution("activations").replace("exp", "sin"))
    forked = court.hear(order(root, 2), scratch)
    monkeypatch.setattr(court, "_court", _no_court)
    started = court.hear(order(root, 2), scratch)
    assert {name: one.outcome for name, one in forked.checks.items()} == {
        name: one.outcome for name, one in started.checks.items()
    }
    assert (forked.trouble, started.trouble) == ("", "")
    assert forked.hardening == started.hardening


def _no_court() -> court.Court:
    raise OSError("no process")


def test_a_judge_that_cannot_work_says_so(tmp_path: Path, scratch: Path) -> None:
    heard = court.hear(order(tmp_path / "nowhere", 1, milestones=(1,)), scratch)
    assert all(one.outcome is not Outcome.PASSED for one in heard.checks.values())


def test_a_judge_that_is_killed_has_told_what_it_knew(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = a_course(tmp_path / "course", solved=("tensor",))
    take = court.Heard.take

    def take_and_kill(heard: court.Heard, line: bytes, limit: float) -> None:
        take(heard, line, limit)
        if len(heard.checks) == 3:
            judges[0].kill()

    judges: list[court.Judge] = []
    start = court._start

    def start_and_keep(asked: Order, environment: dict[str, str]) -> court.Judge:
        judges.append(start(asked, environment))
        return judges[0]

    monkeypatch.setattr(court, "_start", start_and_keep)
    monkeypatch.setattr(court.Heard, "take", take_and_kill)
    heard = court.hear(order(root, 1), scratch)
    assert 3 <= len(heard.checks) < 100
    assert heard.trouble == "the checks came to an end before all had run"


def test_a_court_that_was_killed_is_replaced(tmp_path: Path, scratch: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("judges are forked on Linux alone")
    root = a_course(tmp_path / "course")
    assert court.hear(order(root, 1), scratch).trouble == ""
    killed = court._court()._process
    killed.kill()
    killed.wait()
    assert court.hear(order(root, 1), scratch).trouble == ""


def test_a_judge_ends_with_whoever_asked(tmp_path: Path) -> None:
    root = a_course(tmp_path / "course", tensor=f"{solution('tensor')}\nwhile True: pass\n")
    ignoring = "import signal, subprocess, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    ignoring += "raise SystemExit(subprocess.call(sys.argv[1:]))"  # as a shell starts its background jobs
    process = subprocess.Popen(  # noqa: S603 -- this interpreter, and words of ours
        [sys.executable, "-c", ignoring, *court.command("main")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(order(root, 1, time_limit=60.0).as_line())
    process.stdin.flush()
    time.sleep(2)
    process.stdin.close()
    said = [json.loads(line) for line in process.stdout]
    assert process.wait(timeout=20) is not None
    assert not any(one["kind"] == "end" for one in said)
    if sys.platform != "win32":  # where a signal wakes it
        assert process.returncode == 0
    process.stdout.close()


def test_of_two_results_for_a_check_the_worse_counts() -> None:
    heard = court.Heard()
    for outcome in (Outcome.PASSED, Outcome.WRONG, Outcome.PASSED):
        said = {"kind": "check", "result": result("sum", outcome, 0.1).as_dict()}
        heard.take(json.dumps(said).encode(), 1.0)
    assert [one.outcome for one in heard.checks.values()] == [Outcome.WRONG]


def test_a_judge_knows_nothing_of_the_graders_environment(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "RUNNER_TEMP", "PYTHONPATH", "PYTEST_ADDOPTS")
    for name in secrets:
        monkeypatch.setenv(name, "secret")
    told = court._environment(scratch)
    assert not {*secrets} & {*told}
    assert "secret" not in told.values()
    leak = "\nimport os\nprint(sorted(os.environ), os.getcwd())\n"
    root = a_course(tmp_path / "course", tensor=solution("tensor") + leak)
    heard = court.hear(order(root, 1), scratch)
    said = next(iter(heard.checks.values())).output
    assert "HOME" in said
    assert "GITHUB_TOKEN" not in said
    assert str(tmp_path) not in said
