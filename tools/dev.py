"""Try out and test pytest-tinytorch on a fresh clone, with nothing but Python and pip.

    python tools/dev.py course [DEST]    make a course repository and run its first checkpoint on the bare stubs
    python tools/dev.py test             everything that CI runs

Both make an environment in `.venv` (or `--venv DIR`) and install into it what they need. The first step that fails
ends the run with its exit code.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKED = ("pytest_tinytorch", "solutions", "tools", "tests", "benchmarks")
NOT_WRITTEN = "not written"


class Failed(Exception):
    """A step did not end as it should."""

    def __init__(self, says: str, code: int = 1) -> None:
        super().__init__(says)
        self.code = code or 1


def main() -> int:
    """Run one of the two commands; 0 when every step went well."""
    options = arguments().parse_args()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams of the interpreter
    try:
        python = environment(Path(options.venv).resolve())
        if options.command == "course":
            try_course(python, Path(options.dest).resolve())
        else:
            test(python)
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return failure.code
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Try out and test pytest-tinytorch.")
    parser.add_argument("--venv", default=str(ROOT / ".venv"), metavar="DIR", help="the environment (default: .venv)")
    commands = parser.add_subparsers(dest="command", required=True)
    course = commands.add_parser("course", help="make a course and run its first checkpoint")
    course.add_argument("dest", nargs="?", default="my-course", help="where (default: my-course)")
    commands.add_parser("test", help="run everything that CI runs")
    return parser


# ---- the two commands -----------------------------------------------------------------------------------


def try_course(python: Path, dest: Path) -> None:
    """A course repository in `dest`, and the report on its bare stubs."""
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise Failed(f"{dest} is there already: give another folder, as in `python tools/dev.py course DEST`", 2)
    step("Install pytest-tinytorch", pip(python, "-e", f"{ROOT}[course]"))
    first_report(python, dest)
    activate = r"Scripts\activate" if os.name == "nt" else "bin/activate"
    source = "" if os.name == "nt" else "source "
    print(
        f"\nAs expected: every exercise is still a stub. The course is in {dest}. Next:\n\n"
        f"    cd {dest}\n"
        f"    {source}{python.parent.parent / activate}\n"
        "    read lessons/01-tensor.md and write in tinytorch/tensor.py\n"
        "    pytest --checkpoint 1\n"
    )


def test(python: Path) -> None:
    """Linters, types, the course's own checks, the built wheel, and the tests."""
    run = (str(python), "-m")
    step("Install with what the tests need", pip(python, "-e", f"{ROOT}[test]"))
    step("Lint", (*run, "ruff", "check", "."))
    step("Formatting", (*run, "ruff", "format", "--check", "."))
    step("Types", (*run, "mypy", *CHECKED))
    step("The exercises are those of the solutions", (*run, "tools.exercises", "--check"))
    step("The data on stubs is that of the exercises", (*run, "tools.stubs", "--check"))
    step("The journey is that of the course", (*run, "tools.journey", "--check"))
    step("The checks keep the authors' rules", (*run, "tools.lint_checks"))
    with tempfile.TemporaryDirectory() as folder:
        from_wheel(python, Path(folder))
    spread = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")  # a file's fixtures are made once
    step("Tests", (*run, "pytest", *spread, "--durations=20", "--durations-min=5"))


def from_wheel(python: Path, folder: Path) -> None:
    """What `course` does, from a built wheel in an environment of its own."""
    step("Build the wheel", (str(python), "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)))
    (wheel,) = folder.glob("*.whl")
    fresh = environment(folder / "venv")
    step("Install the wheel", pip(fresh, f"{wheel}[course]"))
    first_report(fresh, folder / "course")


# ---- steps ----------------------------------------------------------------------------------------------


def first_report(python: Path, dest: Path) -> None:
    """Make a course with the default answers and run checkpoint 1: exit 1, nothing but stubs."""
    answers = ("plugin_source=path", f"plugin_location={ROOT}")
    data = [word for answer in answers for word in ("--data", answer)]
    copier = (str(python), "-W", "ignore", "-m", "copier", "copy", "--defaults", "--quiet", "--vcs-ref", "HEAD", *data)
    step(f"Make a course in {dest}", (*copier, str(ROOT), str(dest)))
    report = dest / ".tinytorch" / "first.json"
    report.parent.mkdir(exist_ok=True)
    command = (str(python), "-m", "pytest", "--checkpoint", "1", f"--report={report}")
    step("pytest --checkpoint 1, on the bare stubs", command, folder=dest, expect=1)
    outcomes = {check["outcome"] for check in json.loads(report.read_text(encoding="utf-8"))["results"]}
    if outcomes - {"passed", "blocked"} != {NOT_WRITTEN}:
        raise Failed(f"Bare stubs should all be {NOT_WRITTEN!r}, and these outcomes came: {sorted(outcomes)}")


def environment(folder: Path) -> Path:
    """The Python of an environment, which is made where there is none."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        title(f"Make an environment in {folder}")
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    return python


def pip(python: Path, *what: str) -> tuple[str, ...]:
    """The command that installs something."""
    return (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *what)


def step(name: str, command: tuple[str, ...], *, folder: Path = ROOT, expect: int = 0) -> None:
    """Run one command, without input; another exit code than the expected one ends the run."""
    title(name)
    clean = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(command, cwd=folder, env=clean, stdin=subprocess.DEVNULL, check=False)  # noqa: S603  # our own commands
    if done.returncode != expect:
        raise Failed(f"Failed with exit code {done.returncode} (expected {expect}): {name}", done.returncode)


def title(name: str) -> None:
    """Say what is done next."""
    print(f"\n== {name}", flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036  # whoever has an older Python shall read why nothing works
        sys.exit(f"pytest-tinytorch needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
    sys.exit(main())
