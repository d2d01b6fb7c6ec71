"""Workflows and scripts of the template under the linters of their kind; this repository's own workflow too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.template.machines import steps
from tests.template.rendering import ROOT, Template

pytest.importorskip("yaml")
BIN = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
ANSWERS: dict[str, dict[str, Any]] = {
    "grade": {"autograding": "github", "weights": {1986: 20}, "due": {"autograd": "2026-10-31"}},
    "class": {"autograding": "github", "shards": 4},
    "gradescope": {"autograding": "gradescope"},
}


def linter(name: str) -> str:
    """Where a linter is; the test is skipped where it is not installed."""
    found = shutil.which(name, path=BIN)
    if not found:
        pytest.skip(f"{name} is not installed: pip install -e '.[test]'")
    return found


def lint(*command: str, text: str | None = None) -> str:
    """What a linter has to say; nothing where all is well."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)  # noqa: S603  # linters
    return f"{done.stdout}\n{done.stderr}" if done.returncode else ""


@pytest.mark.parametrize("kind", ["grade", "class", "ours"])
def test_workflows_are_valid_and_give_nothing_away(template: Template, tmp_path: Path, kind: str) -> None:
    """Zizmor checks the schema and, among many things: actions by SHA, permissions, kept credentials, injections."""
    folder = ROOT if kind == "ours" else template.course(tmp_path / "course", **ANSWERS[kind])
    workflows = sorted((folder / ".github/workflows").glob("*.yml"))
    assert [path.stem for path in workflows] == ["ci" if kind == "ours" else kind]
    assert not lint(linter("zizmor"), "--offline", "--strict-collection", "--quiet", *map(str, workflows))


def test_the_linter_sees_what_is_wrong(template: Template, tmp_path: Path) -> None:
    workflow = template.course(tmp_path / "course", **ANSWERS["grade"]) / ".github/workflows/grade.yml"
    text = workflow.read_text(encoding="utf-8")
    for right, wrong in (("runs-on:", "run-on:"), ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "@v6")):
        assert right in text
        workflow.write_text(text.replace(right, wrong), encoding="utf-8")
        assert lint(linter("zizmor"), "--offline", "--strict-collection", "--quiet", str(workflow))


@pytest.mark.parametrize("script", ["run_autograder", "setup.sh"])
def test_scripts_hold_before_shellcheck(template: Template, tmp_path: Path, script: str) -> None:
    course = template.course(tmp_path / "course", **ANSWERS["gradescope"])
    assert not lint(
        linter("shellcheck"), "--enable=all", "--exclude=SC2250,SC2312", str(course / "autograding" / script)
    )


@pytest.mark.parametrize(
    ("kind", "job"), [("grade", "run-autograding-tests"), ("class", "collect"), ("class", "grade"), ("class", "merge")]
)
def test_steps_hold_before_shellcheck(template: Template, tmp_path: Path, kind: str, job: str) -> None:
    workflow = template.course(tmp_path / "course", **ANSWERS[kind]) / f".github/workflows/{kind}.yml"
    scripts = [step["run"] for step in steps(workflow, job).values() if "run" in step and "shell" not in step]
    assert scripts
    for script in scripts:
        assert not lint(linter("shellcheck"), "--shell=bash", "-", text=script), script
