"""Mutation testing of the course: do the checks notice every small wrong change of a solution?

    python -m tools.mutants                                  the exercises of every module
    python -m tools.mutants --module activations --given     and the code that students are given
    python -m tools.mutants --sample 100 --seed 3            a random hundred

Each mutant takes the place of its module and the module's checkpoint runs until the first check that does not pass.
A survivor that no test can tell from the original stands in `tools/survivors/MODULE.txt` with the reason why. Exit
status 1: fewer than 95 in 100 of the others were noticed.
"""

from __future__ import annotations

import argparse
import difflib
import random
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_tinytorch.course import CHECKPOINTS, Module
from tools import ROOT, SOLUTIONS
from tools.mutation import Mutant, mutants
from tools.trial import Trial, below, package, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SURVIVORS = ROOT / "tools" / "survivors"
DUE = 95.0
LISTED = re.compile(r"^(?P<key>\S+: .+ => .+?)  # (?P<reason>.+)$")


@dataclass(frozen=True, slots=True)
class Task:
    """A mutant of a module's solution."""

    module: Module
    mutant: Mutant

    @property
    def exercise(self) -> str | None:
        """The exercise that the mutant lies in; None for code that students are given."""
        return self.mutant.function if self.mutant.function in self.module.exercises else None

    def trial(self, name: str) -> Trial:
        """The module's checkpoint, asked of the mutant."""
        return trial(name, self.module, self.mutant.source, self.exercise)


def trial(name: str, module: Module, source: str, exercise: str | None = None) -> Trial:
    """The module's checkpoint, asked of a variant."""
    return Trial(
        name=name,
        package=below(module, source),
        checkpoint=str(module.number),
        first=exercise,
        stops=True,
        limit=2.0,
        by="loop",
    )


def require_honest_solutions(modules: Sequence[Module]) -> None:
    """Stop where an unchanged solution does not pass: every mutant would seem to be noticed."""
    for verdict in run([trial(module.name, module, package()[module.file]) for module in modules]):
        if verdict.status != 0:
            raise SystemExit(f"the solution of {verdict.name} does not pass its checkpoint:\n{verdict.output}")


def tasks(modules: Sequence[Module], *, given: bool) -> list[Task]:
    """Every mutant of the modules' exercises, and of their other functions where asked; exercises first."""
    found = []
    for module in modules:
        wanted = (lambda name: True) if given else module.exercises.__contains__
        source = (SOLUTIONS / module.file).read_text("utf-8")
        found += [Task(module, mutant) for mutant in mutants(source, wanted)]
    return sorted(found, key=lambda task: task.exercise is None)


def listed(module: Module) -> dict[str, str]:
    """The known survivors of a module: the change, and why no check can see it."""
    path = SURVIVORS / f"{module.name}.txt"
    if not path.exists():
        return {}
    lines = [line for line in path.read_text("utf-8").split("\n") if line.strip() and not line.startswith("#")]
    matches = [(line, LISTED.match(line)) for line in lines]
    for line, match in matches:
        if match is None:
            raise SystemExit(f"{path.name}: not of the form `function: was => becomes  # reason`: {line}")
    return {match["key"]: match["reason"] for _, match in matches if match}


def survivors(chosen: Sequence[Task], jobs: int | None) -> Iterator[Task]:
    """Run mutants and give those that passed every check."""
    trials = (task.trial(str(number)) for number, task in enumerate(chosen))
    for done, verdict in enumerate(run(trials, jobs=jobs, deadline=60.0), start=1):
        if verdict.status == 0:
            yield chosen[int(verdict.name)]
        if sys.stderr.isatty():
            print(f"\r{done} of {len(chosen)}", end="", file=sys.stderr)


def show(task: Task) -> str:
    """Where a survivor is, what it changes, and the line that would list it."""
    path = SOLUTIONS / task.module.file
    diff = difflib.unified_diff(
        path.read_text("utf-8").split("\n"), task.mutant.source.split("\n"), n=0, lineterm="", fromfile="", tofile=""
    )
    changed = "\n".join(f"    {line}" for line in diff if not line.startswith(("---", "+++", "@@")))
    where = f"{path.relative_to(ROOT).as_posix()}:{task.mutant.line}"
    return f"{where}  {task.mutant.kind}\n{changed}\n    {task.mutant.key}  # "


def report(module: Module, chosen: Sequence[Task], alive: Sequence[Task]) -> bool:
    """Print what became of a module's mutants; whether enough were noticed."""
    mine, known = [task for task in chosen if task.module is module], listed(module)
    left = [task for task in alive if task.module is module and task.mutant.key not in known]
    counted = len(mine) - sum(task.mutant.key in known for task in mine)
    share = 100.0 * (counted - len(left)) / counted if counted else 100.0
    for task in sorted(left, key=lambda task: task.mutant.line):
        print(show(task))
    for key in {task.mutant.key for task in mine} & {*known} - {task.mutant.key for task in alive}:
        print(f"{module.name}: listed as a survivor, but noticed: {key}")
    print(f"{module.label}: {share:.1f} % of {counted} mutants noticed, {len(mine) - counted} known survivors")
    return share >= DUE


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description="Mutate the solutions.")
    built = [module for module in CHECKPOINTS if module.number and (SOLUTIONS / module.file).exists()]
    parser.add_argument("--module", action="append", choices=[module.name for module in built])
    parser.add_argument("--given", action="store_true", help="also the functions that students are given")
    parser.add_argument("--function", help="only this function, such as Tensor.sum")
    parser.add_argument("--sample", type=int, metavar="N", help="only N of the mutants, at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--jobs", type=int, help="processes at a time (default: one a core)")
    options = parser.parse_args(arguments)
    modules = [module for module in built if not options.module or module.name in options.module]
    chosen = tasks(modules, given=options.given or options.function is not None)
    chosen = [task for task in chosen if options.function in {None, task.mutant.function}]
    if options.sample is not None and options.sample < len(chosen):
        chosen = random.Random(options.seed).sample(chosen, options.sample)  # noqa: S311  # a sample, no secret
    require_honest_solutions(modules)
    start = time.monotonic()
    alive = list(survivors(chosen, options.jobs))
    enough = [report(module, chosen, alive) for module in modules]
    print(f"{len(chosen)} mutants in {time.monotonic() - start:.0f} s")
    return 0 if all(enough) else 1


if __name__ == "__main__":
    raise SystemExit(main())
