"""What is graded and what it is worth: the instructor's file, never the student's.

[assignment]                       # every key may be left out
name = "Autumn"
track = "complete"                 # of course.py; "custom" with `modules`
provided = ["tensor"]              # modules that came solved: graded only where `checkpoints` names them
package = "tinytorch"              # the folder that holds the students' code
checkpoints = "5-8"                # as --checkpoint takes them; all of the track's modules
milestones = [1986]                # none
time_limit = 10                    # seconds for one check
total_limit = 900                  # seconds for everything

[weights]                          # whole numbers; 1 where nothing is said, 0 does not count
autograd = 2
1986 = 20                          # a milestone's points

[due]                              # dates, or dates with time; without an offset they are UTC
autograd = 2026-10-31
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import course

MILESTONE_POINTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one submission is graded for. `checkpoints` are module names in course order, `milestones` years.

    `weights` multiply a module's points, or are a milestone's points, by module name or year as text. `due` are ISO
    times with an offset, by the same names. `source` is the file that says all this, or empty.
    """

    name: str = "tinytorch"
    track: str = "complete"
    package: str = "tinytorch"
    checkpoints: tuple[str, ...] = tuple(module.name for module in course.CHECKPOINTS if module.number and module.built)
    provided: tuple[str, ...] = ()
    milestones: tuple[int, ...] = ()
    weights: dict[str, int] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    time_limit: float = 10.0
    total_limit: float = 900.0
    source: str = ""
