"""Lessons: their code runs from top to bottom on what is built so far, and every number in them is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.prose.examples import executed, run, scope
from tests.prose.numbers import unbacked
from tools.lint_checks import check_files

if TYPE_CHECKING:
    from pytest_tinytorch.course import Module
    from tests.prose.lesson import Lesson

SHORTEST, LONGEST = 1_500, 2_500  # words, code included


def play(lesson: Lesson, module: Module) -> tuple[dict[str, Any], list[str]]:
    """Run the lesson's blocks in order; the names they leave, and the failures."""
    names = scope(module)
    failures = [
        failure
        for block in lesson.blocks
        if block.runs
        for failure in run(block.text, names, f"{lesson.path.name}:{block.line}", line=block.line)
    ]
    return names, failures


def test_code_runs_from_top_to_bottom(module: Module, lesson: Lesson) -> None:
    _, failures = play(lesson, module)
    assert not failures, "\n".join(failures)


def test_every_number_is_executed(module: Module, lesson: Lesson) -> None:
    names, _ = play(lesson, module)
    ran = "\n".join(executed(block.text) for block in lesson.blocks if block.runs)
    missing = []
    for number, text, check in lesson.lines_read():
        if check and not eval(check, names):  # noqa: S307  # the lesson's own expressions
            missing.append(f"{lesson.path.name}:{number}: {check} does not hold")
        missing += [
            f"{lesson.path.name}:{number}: {found} is in no executed line"
            for found in unbacked(text, f"{ran}\n{check}", module.hours)
        ]
    assert not missing, "\n".join(missing)


def test_code_that_is_only_shown_is_python(lesson: Lesson) -> None:
    for block in lesson.blocks:
        if block.language == "python" and not block.runs:
            compile(block.text, f"{lesson.path.name}:{block.line}", "exec")


def test_a_lesson_is_one_sitting(lesson: Lesson) -> None:
    words = len(lesson.text.split())
    assert SHORTEST <= words <= LONGEST


def test_the_second_line_tells_hours_and_needs(module: Module, lesson: Lesson) -> None:
    second = next(line for line in lesson.text.split("\n")[1:] if line.strip())
    assert "–".join(f"{hours:g}" for hours in module.hours) in second
    for below in module.needs:
        assert f"{below.number:02}" in second or below.name in second


def test_commands_select_checks(module: Module, lesson: Lesson) -> None:
    names = [check.name for file in check_files([module]) for check in file.checks]
    for number, word in lesson.commands:
        if number == module.number and word:
            assert any(word in name for name in names), f"-k {word} selects nothing"
