"""A stand-in for hidden tests as they are often written, run with plain pytest on a submission."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEAD = """\
import numpy as np
from tinytorch import activations
from tinytorch.tensor import Tensor, tensor

def numbers():
    return np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)

def test_the_module_is_there():
    assert activations.relu

"""
TESTS = {
    "allclose": """\
def test_relu():
    x = numbers()
    expected = np.maximum(x, 0)
    got = activations.relu(tensor(x))
    np.testing.assert_allclose(got.data, expected)
""",
    "equal": """\
def test_relu():
    x = numbers()
    got = activations.relu(tensor(x))
    assert (got.data == np.maximum(x, 0)).all()
""",
    "list": """\
def test_relu():
    x = numbers()
    got = activations.relu(tensor(x))
    assert got.data.tolist() == np.maximum(x, 0).tolist()
""",
    "kind": """\
def test_relu():
    got = activations.relu(tensor(numbers()))
    assert isinstance(got, Tensor)
    assert len(got) == 3
""",
    "error": """\
import pytest
def test_softmax_refuses_a_wrong_dim():
    with pytest.raises(IndexError, match=r"dim 5"):
        activations.softmax(tensor(numbers()), dim=5)
""",
}
SECONDS = 30


def is_fooled(repository: Path, hidden: str) -> bool:
    """Whether plain pytest, started in the repository as a course's workflow does, ends with success.

    Plugins are looked for only where the repository pretends to be one: there are many where this is developed.
    """
    tests = repository / "tests"
    tests.mkdir(exist_ok=True)
    (tests / "test_hidden.py").write_text(HEAD + TESTS[hidden], encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "PYTHON"))}
    if not list(repository.glob("*.dist-info")):
        kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 -- this interpreter, and arguments that are all ours
        command, cwd=repository, env=kept, capture_output=True, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL
    )
    return done.returncode == 0
