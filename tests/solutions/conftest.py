"""What the tests of every module share: PyTorch where it is installed, and tensors."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tinytorch.course import TENSOR
from tests.prose.examples import solution


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch, the authority of these tests, is not installed")


@pytest.fixture(scope="module")
def tensor() -> Any:
    return solution(TENSOR).tensor
