"""What a class run leaves for people: gradebook, feedback and report, made of the stored grades one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from ..result import Grade
from . import feedback, gradebook, report
from .similar import pairs
from .store import FEEDBACK, GRADEBOOK, REPORT, Store, replace, writing
from .tally import Tally


def publish(store: Store, students: Iterable[str]) -> Tally:
    """Write all files for these students; what was counted on the way.

    Raises:
        StoreError: a file cannot be written.
    """
    names = feedback.names(students)
    folder = store.folder / FEEDBACK
    with writing(store.folder):
        folder.mkdir(exist_ok=True)
    tally, rows = Tally(), list[Grade]()
    for student in sorted(names):
        grade = Grade.from_dict(store.read(student))
        replace(folder / names[student], feedback.render(grade, store.run.assignment))
        tally.add(grade)
        rows.append(gradebook.slim(grade))
    replace(store.folder / GRADEBOOK, gradebook.render(rows))
    replace(store.folder / REPORT, report.render(tally, store.run, names, pairs(store, names, store.run.package)))
    return tally
