"""`python -m tests.reports` writes the expected terminal texts anew; read the difference before you commit it."""

from __future__ import annotations

from .runs import RUNS
from .test_terminal import EXPECTED, printed

EXPECTED.mkdir(exist_ok=True)
for name, run in RUNS.items():
    (EXPECTED / f"{name}.txt").write_text(printed(run), encoding="utf-8", newline="\n")
for name in ("mix", "exhibits"):
    terse = printed(RUNS[name], terse=True)
    (EXPECTED / f"{name}, terse.txt").write_text(terse, encoding="utf-8", newline="\n")
