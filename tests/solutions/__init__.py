"""The solutions beside an authority: PyTorch where it is installed, identities elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np


def agree(mine: Any, theirs: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """The same shape, dtype and numbers as PyTorch's tensor."""
    expected = theirs.detach().numpy()
    assert mine.shape == expected.shape
    assert mine.dtype == expected.dtype
    np.testing.assert_allclose(mine.data, expected, rtol=rtol, atol=atol)
