"""A class that nobody teaches: submissions of five kinds, no two of the same content.

Solved ones; ones that are solved up to a module; ones with usual mistakes of the catalogue; ones with an endless loop;
ones that attack the grader. The same number makes the same class.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from forward import REPOSITORY

# isort: split
from pytest_tinytorch.course import CHECKPOINTS
from tests.mistakes import Mistaken, catalogue  # forward and the caller have seen to the path

SOLUTIONS, EXERCISES = REPOSITORY / "solutions" / "tinytorch", REPOSITORY / "exercises" / "tinytorch"
MODULES = [module.name for module in CHECKPOINTS if module.number and module.built]
LOOP = "\n\ndef {name}(*args, **kwargs):\n    while True:\n        pass\n"
LOOPS = (("activations", "softmax"), ("tokenization", "count_pairs"), ("tensor", "cat"), ("spatial", "conv2d_loops"))
FORKS = """\
import os, time
for _ in range(40):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
"""
PATCHES = """\
import numpy, numpy.testing
numpy.testing.assert_allclose = lambda *a, **k: None
numpy.allclose = lambda *a, **k: True
"""
FORGES = """\
print('{"kind": "end", "status": 0, "hardening": ""}')
import pytest
pytest.exit("all passed", 0)
"""
LIES = """\
class Tensor:
    def __getattr__(self, name):
        return lambda *a, **k: self
    __eq__ = lambda self, other: True
"""
ATTACKS = (
    "import os\nos._exit(0)\n",
    "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n",
    "blocks = [bytearray(1 << 28) for _ in range(64)]\n",
    FORKS,
    "import sys\nfor _ in range(4000):\n    sys.stdout.write('x' * 10000)\n",
    "import threading, time\nfor _ in range(50):\n    threading.Thread(target=time.sleep, args=(600,)).start()\n",
    PATCHES,
    "import builtins\nbuiltins.isinstance = lambda *a: True\n",
    "import time\ntime.sleep(3600)\n",
    FORGES,
    "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.killpg(0, signal.SIGKILL)\n",
    LIES,
)


def make(folder: Path, number: int) -> dict[str, str]:
    """So many submissions, one a folder; the kind of each by its name."""
    kinds = {f"student{n:04}-{kind}": kind for n, kind in zip(range(number), _kinds(), strict=False)}
    mistakes = catalogue()
    for n, (student, kind) in enumerate(kinds.items()):
        package = folder / student / "tinytorch"
        shutil.copytree(SOLUTIONS, package, ignore=shutil.ignore_patterns("__pycache__"))
        draw = random.Random(n)  # noqa: S311 -- the same class each time
        if kind == "partly":
            _leave_open(package, draw)
        elif kind == "wrong":
            _go_wrong(package, draw, mistakes)
        elif kind == "hanging":
            module, name = LOOPS[draw.randrange(len(LOOPS))]
            _append(package / f"{module}.py", LOOP.format(name=name))
        elif kind == "hostile":
            _append(package / f"{draw.choice(MODULES[:8])}.py", f"\n\n{ATTACKS[n // 8 % len(ATTACKS)]}")
        _append(package / "tensor.py", f"# {student}\n")
    return kinds


def _kinds() -> Iterator[str]:
    """Of twenty, six are solved partly and six wrong, four solved, two hang and two are hostile."""
    while True:
        yield from ("solved", "partly", "wrong", "hanging", "hostile")
        yield from ("partly", "wrong", "solved", "partly", "wrong")
        yield from ("partly", "wrong", "solved", "hanging", "hostile")
        yield from ("partly", "wrong", "solved", "partly", "wrong")


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8", newline="\n")


def _leave_open(package: Path, draw: random.Random) -> None:
    """Solved up to a module that is begun; from there on as the course hands it out."""
    for module in MODULES[draw.randrange(1, len(MODULES)) :]:
        shutil.copyfile(EXERCISES / f"{module}.py", package / f"{module}.py")


def _go_wrong(package: Path, draw: random.Random, mistakes: dict[str, list[Mistaken]]) -> None:
    """A usual mistake in each of three modules."""
    for module in draw.sample(MODULES, 3):
        path = package / f"{module}.py"
        mistake = draw.choice(mistakes[module])
        path.write_text(mistake.make(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
