"""What was proved so far, remembered in `.tinytorch/progress.json` of the student's repository.

A checkpoint is remembered with a hash of its module, of every module below it and of this plugin's version. Edit
one of these files and the checkpoint shows as stale. Grades never read this file: a student can write it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .outcome import Outcome, State, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .course import Milestone, Module, Track
    from .outcome import MilestoneResult, Result

VERSION = 1


class Progress:
    """The memory of one course repository."""

    def __init__(self, root: Path, package: Path) -> None:
        self.path = root / ".tinytorch" / "progress.json"
        self._package = package
        self._hashes: dict[str, str] = {}
        self._data = self._read()

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"version": VERSION, "checkpoints": {}, "milestones": {}, "hints": {}}
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return empty
        known = isinstance(data, dict) and data.get("version") == VERSION
        return (
            empty | data if known and all(isinstance(data.get(k, {}), dict) for k in empty if k != "version") else empty
        )

    def save(self) -> str:
        """Write the memory in one step; the sentence that says why it could not, or nothing."""
        fresh = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(exist_ok=True)
            fresh.write_text(json.dumps(self._data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            return f"progress is not remembered: {self.path} cannot be written ({error.strerror})"
        return ""

    # ---- what is known --------------------------------------------------------------------------------------

    def is_proved(self, module: Module) -> bool:
        """Whether every check of the module's checkpoint passed on the files as they are now."""
        return self.state(module).status is Status.PROVED

    def is_reached(self, milestone: Milestone) -> bool:
        """Whether the milestone was reached at some time."""
        return str(milestone.number) in self._data["milestones"]

    def reached(self) -> dict[int, str]:
        """The milestones reached so far, by number, with the day."""
        return {int(number): str(when) for number, when in self._data["milestones"].items() if str(number).isdigit()}

    def states(self, modules: Iterable[Module], track: Track) -> dict[int, State]:
        """The state of every checkpoint by its number."""
        given = {module.number for module in track.provided}
        return {m.number: State(status=Status.PROVIDED) if m.number in given else self.state(m) for m in modules}

    def state(self, module: Module) -> State:
        """What is known of one checkpoint."""
        if not module.built:
            return State(status=Status.UNBUILT)
        entry = self._entry(module)
        checks = entry.get("checks", {})
        passed = [points for outcome, points in checks.values() if outcome == Outcome.PASSED.value]
        fresh = entry.get("hash") == self._hash(module)
        complete = bool(checks) and len(passed) == len(checks) and sum(passed) >= module.points
        status = Status.OPEN
        if complete:
            status = Status.PROVED if fresh else Status.STALE
        elif passed and fresh:
            status = Status.BEGUN
        if status is Status.OPEN:
            return State(status=status)
        return State(
            status=status, passed=len(passed), total=len(checks), points=sum(passed), when=str(entry.get("when", ""))
        )

    def failing(self, modules: Iterable[Module]) -> set[str]:
        """Exercises (`tensor.Tensor.sum`) whose checks failed when last run on the files as they are now."""
        return {
            f"{module.name}.{exercise}"
            for module in modules
            if self._entry(module).get("hash") == self._hash(module)
            for exercise in self._entry(module).get("failing", [])
        }

    def _entry(self, module: Module) -> dict[str, Any]:
        entry = self._data["checkpoints"].get(str(module.number), {})
        return entry if isinstance(entry, dict) else {}

    # ---- what a run adds ------------------------------------------------------------------------------------

    def remember(self, results: Iterable[Result], modules: dict[int, Module]) -> None:
        """Take in the results of a run; what was known of a module that was edited since is dropped."""
        for result in results:
            module = modules[result.number]
            entry = self._entry(module)
            if entry.get("hash") != self._hash(module):
                entry = {"hash": self._hash(module), "checks": {}, "failing": []}
            entry["checks"][result.name] = [result.outcome.value, result.points]
            entry["when"] = _today()
            failing = set(entry["failing"]) - {result.exercise}
            entry["failing"] = sorted(failing | ({result.exercise} if _any_fails(result, results) else set()))
            self._data["checkpoints"][str(module.number)] = entry

    def remember_milestone(self, result: MilestoneResult) -> None:
        """A milestone that was reached stays reached: history is not undone by an edit."""
        if result.outcome is Outcome.PASSED:
            self._data["milestones"].setdefault(str(result.number), _today())

    def next_hint_level(self, exercise: str, levels: int) -> int:
        """The next rung (1 to `levels`) of an exercise's ladder; the last one again when all were shown."""
        shown = self._data["hints"].get(exercise, 0)
        level = min(levels, (shown if isinstance(shown, int) else 0) + 1)
        self._data["hints"][exercise] = level
        return level

    # ---- hashes ---------------------------------------------------------------------------------------------

    def _hash(self, module: Module) -> str:
        """One hash over the module's file, those below it, the plugin's version and the Python version."""
        digest = hashlib.sha256(f"{__version__} {platform.python_version()}".encode())
        for part in (*module.foundations, module):
            digest.update(self._file_hash(part.file).encode())
        return digest.hexdigest()

    def _file_hash(self, file: str) -> str:
        if file not in self._hashes:
            path = self._package / file
            text = path.read_bytes() if path.is_file() else b""
            self._hashes[file] = hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()
        return self._hashes[file]


def _any_fails(result: Result, results: Iterable[Result]) -> bool:
    same = (r for r in results if r.number == result.number and r.exercise == result.exercise)
    return result.exercise is not None and any(r.outcome.is_failure for r in same)


def _today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()
