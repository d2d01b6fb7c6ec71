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
EACH = 50  # submissions in which each kind comes up
MODULES = [module.name for module in CHECKPOINTS if module.number and module.built]
FUNCTION = "\n\ndef {name}(*args, **kwargs):\n{body}"
LOOP = "    while True:\n        pass\n"
LOOPS = (("activations", "softmax"), ("tokenization", "count_pairs"), ("tensor", "cat"), ("spatial", "conv2d_loops"))
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
FORKS = """\
    import os, time
    for _ in range(40):
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
"""
MEMORY = "    return [bytearray(1 << 28) for _ in range(64)]\n"
FLOOD = "    import sys\n    for _ in range(4000):\n        sys.stdout.write('x' * 10000)\n"
AT_IMPORT = (  # what attacks when it is imported
    "import os\nos._exit(0)\n",
    "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n",
    FORGES,
    PATCHES,
    "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.killpg(0, signal.SIGKILL)\n",
    LIES,
)
IN_SOFTMAX = (FORKS, MEMORY, FLOOD, "    import time\n    time.sleep(3600)\n")  # and when it is called


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
            module, name = LOOPS[n // EACH % len(LOOPS)]
            _append(package / f"{module}.py", FUNCTION.format(name=name, body=LOOP))
        elif kind == "hostile":
            _attack(package, n // EACH)
        _append(package / "tensor.py", f"# {student}\n")
    return kinds


def _kinds() -> Iterator[str]:
    """Of fifty, one hangs and one is hostile; of the others a third each is solved, solved partly and wrong."""
    while True:
        yield from ("solved", "partly", "wrong", "hanging", "hostile")
        yield from ("solved", "partly", "wrong") * (EACH // 3 - 1)


def _attack(package: Path, number: int) -> None:
    """One attack after the other, in turns when it is imported and when softmax is called."""
    turn, called = divmod(number, 2)
    if called:
        body = IN_SOFTMAX[turn % len(IN_SOFTMAX)]
        _append(package / "activations.py", FUNCTION.format(name="softmax", body=body))
    else:
        _append(package / "layers.py", f"\n\n{AT_IMPORT[turn % len(AT_IMPORT)]}")


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
