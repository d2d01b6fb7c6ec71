"""A course that has begun gets every fix by `copier update` and loses no line of a student's work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_tinytorch.course import MILESTONES, MODULES
from tests.template.rendering import Template, commit, git, update
from tests.template.solving import blocks, solve, unmarked
from tools.exercises import BEGIN, END

if TYPE_CHECKING:
    from pathlib import Path

CONFLICT = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
LATER = [module for module in MODULES if module.number >= 14]  # what the first version has not built yet
OLYMPICS = MILESTONES[-1].script or ""
NOTE = "A sentence that the first version lacked."
HELPER = "def added_later(x):\n    return x\n"


@pytest.fixture
def begun(template: Template, tmp_path: Path) -> tuple[Template, Path]:
    """A template to be changed, and a course made from its tag v0.1.0, solved and committed."""
    return begin(template, tmp_path)


def begin(template: Template, tmp_path: Path) -> tuple[Template, Path]:
    source = template.clone(tmp_path / "template")
    shorten(source)
    course = source.course(tmp_path / "course")
    commit(course, "Start of the course")
    solve(course / "tinytorch", source.folder / "solutions/tinytorch")
    (course / "tests/test_more.py").write_text("def test_mine():\n    pass\n", encoding="utf-8")
    (course / "tinytorch/mine.py").write_text("ANSWER = 42\n", encoding="utf-8")
    commit(course, "All stubs written")
    return source, course


def modules(package: Path) -> list[Path]:
    return [path for path in sorted(package.glob("*.py")) if BEGIN in path.read_text(encoding="utf-8")]


def revise(path: Path) -> None:
    """Change a stub as close to the students' lines as can be: the docstring above, a helper below, a function."""
    text = path.read_text(encoding="utf-8")
    above = re.sub(rf'^( *)"""\n(?= *{re.escape(BEGIN)})', rf'\n\1{NOTE}\n\1"""\n', text, flags=re.MULTILINE)
    below = re.sub(rf"^( *){re.escape(END)}\n", rf"\g<0>\1# {NOTE}\n", above, count=1, flags=re.MULTILINE)
    path.write_text(f"{below}\n\n{HELPER}", encoding="utf-8", newline="\n")


def shorten(template: Template) -> None:
    """The version before module 14: what came later is announced, and neither it nor its milestone is there."""
    names = "|".join(module.name for module in LATER)
    for folder in (template.folder / "exercises/tinytorch", template.folder / "solutions/tinytorch"):
        for module in LATER:
            (folder / module.file).unlink()
        edit(folder / "__init__.py", rf"^from \.(?:{names}) import (?:\(.*?\n\)|[^(]*?)\n", "")
        edit(folder / "__init__.py", rf'^    "(?:{"|".join(name for m in LATER for name in m.exports)})",\n', "")
    for module in LATER:
        (template.folder / "template" / module.lesson).unlink()
    (template.folder / "milestones" / OLYMPICS).unlink()
    edit(template.folder / "copier.yml", rf"(name: (?:{names}), .*?built: )true", r"\1false")
    edit(template.folder / "copier.yml", rf"script: {OLYMPICS}", 'script: ""')
    commit(template.folder, "Thirteen modules")
    git(template.folder, "tag", "--force", "v0.1.0")


def edit(path: Path, pattern: str, new: str) -> None:
    """Replace a pattern in a file; one that is not there is a mistake of the test."""
    text, found = re.subn(pattern, new, path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert found, f"{pattern} in {path.name}"
    path.write_text(text, encoding="utf-8", newline="\n")


def release(template: Template, tag: str) -> None:
    """A new version: the modules and the milestone that were missing, every stub and lesson revised, another pin."""
    git(template.folder, "checkout", "-q", "HEAD^", "--", ".")  # what `shorten` took away
    for path in modules(template.folder / "exercises/tinytorch"):
        revise(path)
    for path in (template.folder / "template/lessons").glob("*.md"):
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{NOTE}\n", encoding="utf-8", newline="\n")
    edit(template.folder / "copier.yml", 'default: "0.1.0"', 'default: "0.2.0"')
    commit(template.folder, "The next version", tag=tag)


def test_solving_gives_the_solution(template: Template, tmp_path: Path) -> None:
    package = tmp_path / "tinytorch"
    shutil.copytree(template.folder / "exercises/tinytorch", package)
    for module in solve(package, template.folder / "solutions/tinytorch"):
        written = (package / module.file).read_text(encoding="utf-8")
        assert unmarked(written).encode() == template.bytes(f"solutions/tinytorch/{module.file}")


def test_an_update_brings_every_change_and_keeps_every_line(begun: tuple[Template, Path]) -> None:
    template, course = begun
    package = course / "tinytorch"
    assert not (package / LATER[0].file).exists()
    assert not (course / "milestones" / OLYMPICS).exists()
    before = {path: blocks(path.read_text(encoding="utf-8")) for path in modules(package)}
    assert before
    release(template, "v0.2.0")
    update(course)
    for path, written in before.items():
        text = path.read_text(encoding="utf-8")
        assert not CONFLICT.search(text), path.name
        assert blocks(text) == written, path.name
        assert text.count(f"    {NOTE}") >= 1, path.name
        assert text.endswith(HELPER), path.name
    for module in LATER:
        assert (package / module.file).read_bytes() == template.bytes(f"exercises/tinytorch/{module.file}")
        assert f"[lesson]({module.lesson})" in (course / "README.md").read_text(encoding="utf-8")
    assert (package / "__init__.py").read_bytes() == template.bytes("exercises/tinytorch/__init__.py")
    assert (course / "milestones" / OLYMPICS).read_bytes() == template.bytes(f"milestones/{OLYMPICS}")
    assert (package / "mine.py").read_text(encoding="utf-8") == "ANSWER = 42\n"
    subprocess.run((sys.executable, "-c", "import tinytorch"), cwd=course, check=True)
    assert (course / "tests/test_more.py").exists()
    assert "pytest-tinytorch==0.2.0" in (course / "pyproject.toml").read_text(encoding="utf-8")
    assert NOTE in (course / "lessons/01-tensor.md").read_text(encoding="utf-8")


def test_an_updated_stub_is_the_new_stub_around_the_student_s_lines(begun: tuple[Template, Path]) -> None:
    release_and_compare(*begun)


@pytest.mark.usefixtures("as_on_windows")
def test_an_update_on_windows_does_the_same(template: Template, tmp_path: Path) -> None:
    release_and_compare(*begin(template, tmp_path))


def release_and_compare(template: Template, course: Path) -> None:
    release(template, "v0.2.0")
    update(course)
    for stub in modules(template.folder / "exercises/tinytorch"):
        ours, theirs = (folder.read_text(encoding="utf-8") for folder in (stub, course / "tinytorch" / stub.name))
        assert outside(theirs) == outside(ours), stub.name


def outside(source: str) -> str:
    """A file without what stands between its marker lines."""
    return re.sub(rf"({re.escape(BEGIN)}\n).*?( *{re.escape(END)})", r"\1\2", source, flags=re.DOTALL)


def test_where_both_changed_a_line_both_are_shown(begun: tuple[Template, Path]) -> None:
    template, course = begun
    stub = modules(template.folder / "exercises/tinytorch")[0]
    first = stub.read_text(encoding="utf-8").split("\n")[0]
    for path, line in ((stub, '"""Ours."""'), (course / "tinytorch" / stub.name, '"""The student\'s."""')):
        path.write_text(path.read_text(encoding="utf-8").replace(first, line, 1), encoding="utf-8", newline="\n")
    commit(course, "Another first line")
    commit(template.folder, "Another first line", tag="v0.2.0")
    update(course)
    text = (course / "tinytorch" / stub.name).read_text(encoding="utf-8")
    assert CONFLICT.search(text)
    assert '"""Ours."""' in text
    assert '"""The student\'s."""' in text


def test_narrowing_the_track_deletes_nothing(begun: tuple[Template, Path]) -> None:
    template, course = begun
    files = git(course, "ls-files")
    release(template, "v0.2.0")
    update(course, track="foundation")
    assert {*files.split()} <= {*git(course, "ls-files").split()}
    assert 'tinytorch_track = "foundation"' in (course / "pyproject.toml").read_text(encoding="utf-8")


def test_a_second_update_changes_nothing(begun: tuple[Template, Path]) -> None:
    template, course = begun
    release(template, "v0.2.0")
    update(course)
    commit(course, "Updated")
    update(course)
    assert git(course, "status", "--porcelain") == ""
