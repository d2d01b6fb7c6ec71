"""The machines that grade, as far as a test needs them: where pip finds the checks, what runs a workflow's steps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import textwrap
import zipfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.template.rendering import ROOT

HERE = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
BASH = ["bash", "--noprofile", "--norc", "-e", "-c"]  # as GitHub runs a step that names no shell
RECORDER = """
    import json, os, sys
    from pathlib import Path
    Path({record!r}).write_text(json.dumps({{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}))
    for name, value in zip(sys.argv, sys.argv[1:]):
        if name == "--output" and {writes}:
            Path(value.partition(":")[2]).write_text("ours")
    sys.exit({code})
"""


def wheelhouse(folder: Path, files: dict[str, str]) -> dict[str, str]:
    """Let pip find `pytest-tinytorch==0.1.0` with these files and nothing else: the environment that says so."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "pytest_tinytorch-0.1.0.dist-info"
    meta = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: pytest-tinytorch\nVersion: 0.1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / "pytest_tinytorch-0.1.0-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, **meta}.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, *meta, f"{info}/RECORD"]))
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def checkout() -> dict[str, str]:
    """A wheel's files that lead to this checkout, and to what it needs."""
    return {"checkout.pth": "".join(f"{path}\n" for path in (ROOT, *{*sysconfig.get_paths().values()} & {*sys.path}))}


def recorder(record: Path, *, writes: bool = True, code: int = 0) -> dict[str, str]:
    """A wheel's files with a grader that only notes how it was called."""
    source = textwrap.dedent(RECORDER).format(record=str(record), writes=writes, code=code)
    return {"pytest_tinytorch/__init__.py": "", "pytest_tinytorch/grade/__main__.py": source}


def environment(**more: str) -> dict[str, str]:
    """Little more than where commands are."""
    kept = ("HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
    return {"PATH": HERE, **{name: os.environ[name] for name in kept if name in os.environ}, **more}


@dataclass(frozen=True, kw_only=True)
class Runner:
    """What runs the `run:` steps of a workflow's job, one after another, and never its actions."""

    folder: Path
    environ: dict[str, str]
    contexts: dict[str, str]  # what stands for `${{ … }}`

    def run(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run one step as its shell does, and give back how it ended."""
        added = {name: self.filled(value) for name, value in step.get("env", {}).items()}
        shell = [*step["shell"].removesuffix("{0}").split(), "-c"] if "shell" in step else BASH
        return subprocess.run(  # noqa: S603  # a step of our own template
            (*shell, self.filled(step["run"])),
            cwd=self.filled(step.get("working-directory", str(self.folder))),
            env={**self.environ, **added},
            capture_output=True,
            text=True,
            check=False,
        )

    def filled(self, text: str) -> str:
        """A text with its expressions worked out; an unknown one is a KeyError."""
        return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: self.contexts[found[1]], str(text))


def steps(workflow: Path, job: str) -> dict[str, dict[str, Any]]:
    """The steps of a job by name, or by action where they have none."""
    yaml: Any = import_module("yaml")
    found = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"][job]["steps"]
    return {step.get("name") or step["uses"].split("@")[0]: step for step in found}
