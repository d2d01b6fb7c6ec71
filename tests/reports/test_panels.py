"""What is said, before it is laid out."""

from __future__ import annotations

from dataclasses import replace

from pytest_tinytorch.outcome import Outcome, Result, Run, State, Status
from pytest_tinytorch.reports.panels import every_panel, is_reference, panel, short_name
from pytest_tinytorch.reports.summary import next_step, replay, score, span
from pytest_tinytorch.reports.text import encodes, plain, spell

from . import runs


def named(name: str) -> Result:
    return replace(runs.WRONG, check=f"checkpoint_02_activations.py::test_{name}")


def test_command_selects_this_check_alone() -> None:
    first, second = named("softmax_of_two_rows"), named("softmax_of_two_columns")
    run = runs.run(first, second, named("log_softmax_of_one_row"))
    assert short_name(run, first) == "softmax_of_two_rows"
    assert short_name(run, second) == "softmax_of_two_columns"
    assert short_name(run, run.results[2]) == "log_softmax_of"
    assert short_name(runs.run(first), first) == "softmax_of_two"


def test_command_survives_parameters_and_names_within_names() -> None:
    short, longer = named("relu"), named("relu_keeps_its_shape[3-2]")
    run = runs.run(short, longer, named("relu_keeps_its_shape[1-1]"))
    assert short_name(run, short) == "relu"
    assert short_name(run, longer) == "relu_keeps_its"


def test_checks_that_wait_are_counted_over_the_whole_run() -> None:
    assert panel(runs.RUNS["unwritten"], runs.UNWRITTEN).aside == "4 checks wait for it"
    assert panel(runs.run(runs.UNWRITTEN), runs.UNWRITTEN).aside == "1 check waits for it"


def test_a_broken_check_asks_for_a_report_with_its_seed() -> None:
    shown = panel(runs.run(runs.BROKEN), runs.BROKEN)
    assert shown.label == "BROKEN"
    assert "not your code" in shown.prose
    assert "seed 77" in shown.prose
    assert [label for label, _ in shown.pointers] == ["This one"]


def test_the_command_for_a_hint_goes_where_a_hint_is_shown() -> None:
    assert "Hint" in dict(panel(runs.run(runs.WRONG), runs.WRONG).pointers)
    assert "Hint" not in dict(panel(runs.run(runs.WRONG, hint=runs.HINT), runs.WRONG).pointers)


def test_no_hint_and_no_lesson_for_the_environment() -> None:
    assert [label for label, _ in panel(runs.RUNS["environment"], runs.GIT).pointers] == ["This one"]


def test_every_failure_has_a_panel_and_stubs_only_the_first() -> None:
    labels = [shown.label for shown in every_panel(runs.RUNS["mix"])]
    assert labels == ["FAIL", "FAIL", "CRASH", "STUCK", "BROKEN"]
    assert [shown.label for shown in every_panel(runs.RUNS["unwritten"])] == ["TODO"]


def test_causes() -> None:
    assert is_reference("tensor.Tensor.__add__")
    assert not is_reference("tinytorch/losses.py, which does not import")
    assert not is_reference("softmax")


def test_what_comes_next() -> None:
    def command(run: Run) -> str:
        return next_step(run).command

    assert command(runs.RUNS["wrong"]) == "pytest --checkpoint 2"
    assert command(runs.RUNS["unlocked"]) == "pytest --milestone 1957"
    assert command(runs.RUNS["nothing yet"]) == "pytest --checkpoint 1"
    assert command(runs.RUNS["reached"]) == ""
    blocked = runs.result(Outcome.BLOCKED, number=3, module="layers", cause="tensor.Tensor.sum")
    assert command(runs.run(blocked)) == "pytest --checkpoint 1"
    assert command(runs.run(milestones=[runs.MISSED])) == "pytest --milestone 1957"


def test_replay_only_where_random_numbers_decide() -> None:
    assert replay(runs.RUNS["wrong"]) == "pytest --checkpoint 2 --tinytorch-seed 8127"
    assert replay(runs.RUNS["broken"]) == "pytest --checkpoint 2 --tinytorch-seed 77"
    assert replay(runs.RUNS["missed"]) == "pytest --milestone 1957 --tinytorch-seed 5"
    for quiet in ("unwritten", "environment", "proved", "nothing yet"):
        assert replay(runs.RUNS[quiet]) == ""


def test_score_counts_what_holds_now() -> None:
    assert score(runs.RUNS["proved"]) == "complete track: 2 of 20 modules proved, 71 points"
    stale = runs.run(states={1: State(status=Status.STALE, passed=38, total=38, points=40)})
    assert score(stale) == "complete track: 0 of 20 modules proved"


def test_span_folds_runs_and_keeps_gaps() -> None:
    m = runs.MODULES
    assert span([m[0], m[1], m[3], m[5], m[6], m[7]]) == (
        "01 tensor, 02 activations, 04 losses, 06 optimizers to 08 dataloader"
    )
    assert span([]) == ""


def test_plain_and_spelt_text() -> None:
    assert plain("a\r\nb\tc\x00") == "a\nb    c\\x00"
    assert plain("Größe ✓ 日本") == "Größe ✓ 日本"
    assert spell("β → ≤ é ✓", "ascii") == "beta -> <= e +"
    assert spell("é – ✓", "cp1252") == "é – +"
    assert spell("日", "ascii") == r"\u65e5"
    assert encodes("a", "no-such-encoding")
    assert not encodes("é", "no-such-encoding")
