"""A class run with the fake work, as a process that a test can kill: `play.py CLASS FOLDER PROCESSES MILLISECONDS`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from pytest_tinytorch.grade.classes.engines import Local
from pytest_tinytorch.grade.classes.roster import read
from pytest_tinytorch.grade.classes.run import ClassRun
from pytest_tinytorch.grade.classes.store import Run, Store
from tests.grade.classes.conftest import ASSIGNMENT, FAKE, PATHS, SilentBoard

if __name__ == "__main__":
    folder, into, processes, milliseconds = sys.argv[1:]
    assignment = replace(ASSIGNMENT, time_limit=float(milliseconds))
    with Store.open(Path(into), Run.of(assignment, 5)) as store, Local(int(processes), PATHS) as engine:
        work = ClassRun(store=store, assignment=assignment, engine=engine, board=SilentBoard(), module=FAKE)
        work.grade(read(Path(folder)).entries)
