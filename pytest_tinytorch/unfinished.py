"""What an interrupted milestone has learnt, so that the next run goes on from there.

It lies in `.tinytorch/unfinished/1998` of the course repository. `run.json` says which run it belongs to: the same
code, script, versions, seed and data. The rest is what the script saved. A run that ends takes it away, and so does the
next one that differs. Two runs at once do not share it: the second keeps nothing.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from . import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .lab import Problem

RUN = "run.json"


def place(root: Path) -> Path:
    """Where the unfinished work of a repository lies."""
    return root / ".tinytorch" / "unfinished"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The place of one milestone's unfinished work; `code` is the hash of all code that the work comes from."""

    folder: Path
    code: str

    @classmethod
    def of(cls, root: Path, year: int, script: str, package: Path) -> Unfinished:
        """The place in the repository `root`, for a script's text and a package as they are now."""
        versions = f"{__version__} {np.__version__} {platform.python_version()}"
        digest = hashlib.sha256(f"{versions}\n{script}".encode())
        for path in sorted(package.rglob("*.py")):
            digest.update(f"\n{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
        return cls(place(root) / str(year), digest.hexdigest())

    def seed(self) -> int | None:
        """The seed of a run of the same code that was interrupted, where there is one."""
        run = self._read()
        return int(run["seed"]) if run.get("code") == self.code and self._begun() else None

    @contextmanager
    def open(self, seed: int, problems: Mapping[str, Problem]) -> Iterator[Workplace]:
        """The folder of a run, with what it left when it was interrupted, runs out of time or its process dies.

        Where nothing can be written there is no folder, and an interrupted run begins anew.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder.with_suffix(".lock"), timeout=0)
            lock.acquire()
        except (OSError, Timeout):
            yield Workplace(None, resumed=False)
            return
        try:
            yield self._workplace({"code": self.code, "seed": seed, "data": _told(problems)})
            self._clear()
        except Exception:  # the student's code raised it, and would do so again
            self._clear()
            raise
        finally:
            lock.release()

    def _workplace(self, run: dict[str, Any]) -> Workplace:
        if self._read() == run and self._begun():
            return Workplace(self.folder, resumed=True)
        self._clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / RUN).write_text(json.dumps(run), encoding="utf-8")
        return Workplace(self.folder, resumed=False)

    def _begun(self) -> bool:
        """Whether there is more than the note of which run it is."""
        return any(path.name != RUN for path in self.folder.iterdir())

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            run = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
            if isinstance(run, dict) and isinstance(run.get("seed"), int):
                return run
        return {}

    def _clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder for a script to save its work in, or None; `resumed`: an interrupted run's work is in it."""

    folder: Path | None
    resumed: bool


def _told(problems: Mapping[str, Problem]) -> list[str]:
    """What tells problems from others: less than a second for all of CIFAR-10."""
    return [
        f"{name} {p.inputs.shape} {dict(p.sizes)} {zlib.crc32(np.ascontiguousarray(p.inputs).data)}"
        for name, p in problems.items()
    ]
