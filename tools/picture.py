"""Draw the report that README.md shows: tensor solved, softmax with a usual mistake, the rest still stubs.

Run `python -m tools.picture`; it writes `docs/report.svg`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import EXERCISES, ROOT, SOLUTIONS

PICTURE = ROOT / "docs" / "report.svg"
SLIP = {
    "exps = (x - x.amax(dim, keepdim=True).detach()).exp()": "exps = (x - x.amax()).exp()",
    "return exps / exps.sum(dim, keepdim=True)": "return exps / exps.sum()",
}


def main() -> int:
    """Make such a course, run two checkpoints in it, and keep the picture."""
    with tempfile.TemporaryDirectory() as folder:
        course(Path(folder) / "tinytorch")
        Path(folder, "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
        options = ("--checkpoint", "1-2", "--tinytorch-seed", "1957", f"--report={PICTURE}")
        run = subprocess.run((sys.executable, "-m", "pytest", *options), cwd=folder, check=False)  # noqa: S603  # our own command
    return 0 if run.returncode == 1 else 1


def course(package: Path) -> None:
    """A package in which the student has come as far as softmax."""
    shutil.copytree(EXERCISES, package)
    for name in ("tensor.py", "activations.py"):
        shutil.copy(SOLUTIONS / name, package)
    path = package / "activations.py"
    text = path.read_text(encoding="utf-8")
    for right, wrong in SLIP.items():
        if text.count(right) != 1:
            raise SystemExit(f"activations.py holds {right!r} {text.count(right)} times: choose another slip")
        text = text.replace(right, wrong)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
