"""1986: digits, from what ships and from MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tinytorch import settings
from pytest_tinytorch.exhibits import Bars, Curve, Matrix, Pictures
from pytest_tinytorch.outcome import Outcome

from .conftest import Player, reached

if TYPE_CHECKING:
    from pytest_tinytorch.outcome import MilestoneResult


@pytest.fixture
def seven(tmp_path: Path) -> settings.Digit:
    """A 7 that somebody drew."""
    image: Any = pytest.importorskip("PIL.Image", reason="reading pictures needs Pillow")
    draw: Any = pytest.importorskip("PIL.ImageDraw")
    picture = image.new("RGB", (300, 300), "white")
    draw.Draw(picture).line([(66, 42), (222, 42), (126, 270)], fill="navy", width=16)
    picture.save(tmp_path / "seven.png")
    digit = settings.digit("seven.png", tmp_path)
    assert digit
    return digit


def kinds(result: MilestoneResult) -> list[type]:
    return [type(exhibit) for exhibit in result.exhibits]


@pytest.mark.parametrize("seed", range(20))
def test_tiny_digits_are_read_from_every_seed(seed: int, solution: Player) -> None:
    result = solution.play(1986, seed=seed * 7919)
    assert result.outcome is Outcome.PASSED, result
    assert reached(result)[0] >= 93  # well above the 90 that are required


def test_isolated(solution: Player) -> None:
    assert solution.play(1986, isolated=True).outcome is Outcome.PASSED


@pytest.mark.parametrize(("seed", "isolated"), [(0, False), (1, False), (2, True)])
def test_mnist_in_full(seed: int, isolated: bool, solution: Player, mnist: Path) -> None:
    result = solution.play(1986, full=True, data=mnist, seed=seed, isolated=isolated)
    assert result.outcome is Outcome.PASSED, result
    assert reached(result)[0] >= 95
    assert result.full


def test_what_there_is_to_see(solution: Player) -> None:
    result = solution.play(1986)
    right, loss, confusion, digits = result.exhibits
    assert isinstance(right, Curve)
    assert right.unit == "%"
    assert f"{right.lines[0].values[-1]:g} %" == result.claims[0].reached
    assert isinstance(loss, Curve)
    assert loss.lines[0].values[0] > loss.lines[0].values[-1]
    assert isinstance(confusion, Matrix)
    assert [sum(row) for row in confusion.counts] == [20] * 10
    assert isinstance(digits, Pictures)
    assert len(digits.pictures) == 4


def test_a_digit_of_one_s_own_is_read_and_shown(solution: Player, seven: settings.Digit, mnist: Path) -> None:
    result = solution.play(1986, full=True, data=mnist, digit=seven)
    seen, read = result.exhibits[:2]
    assert isinstance(seen, Pictures)
    assert len(seen.pictures[0].rows) == 28
    assert isinstance(read, Bars)
    assert read.title.startswith("It reads your digit as 7, with ")
    assert sum(read.shares) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("isolated", [False, True])
def test_a_digit_beside_tiny_digits_is_seen_at_their_size(
    solution: Player, seven: settings.Digit, isolated: bool
) -> None:
    result = solution.play(1986, digit=seven, isolated=isolated)
    assert kinds(result)[:2] == [Pictures, Bars]
    assert [len(row) for row in result.exhibits[0].pictures[0].rows] == [16] * 8  # type: ignore[union-attr]  # asserted above


# ---- what is wrong, and what lies ---------------------------------------------------------------------------

READS_MODELS = """
_right = Module.__call__
def _lie(self, *args, _right=_right):
    x = args[0]
    out = _right(self, *args)
    return out if out.ndim != 2 or out.shape[1] != 10 or grad_mode.enabled else Tensor({scores})
Module.__call__ = _lie
"""
LIARS = {
    "random": "np.random.default_rng().normal(size=out.shape)",
    "always 3": "np.eye(10)[[3] * len(x)]",
    "ones": "np.ones(out.shape)",
    "nan": "np.full(out.shape, np.nan)",
    "one row": "np.ones((1, 10))",
}


@pytest.mark.parametrize("name", LIARS)
def test_invented_answers_do_not_reach_it(name: str, student: Player) -> None:
    text = READS_MODELS.replace("{scores}", LIARS[name])
    student.append("layers", f"import numpy as np\nfrom .tensor import Tensor, grad_mode\n{text}")
    assert student.play(1986).outcome is Outcome.WRONG


@pytest.mark.parametrize("kind", ["'yes'", "[1] * 200", "None", "{}", "np.zeros(7)", "np.array(['a'] * 200)"])
def test_answers_of_another_kind_do_not_reach_it_and_are_not_shown(kind: str, student: Player) -> None:
    student.append("tensor", f"Tensor.numpy = lambda self: {kind}")
    result = student.play(1986)
    assert result.outcome in {Outcome.WRONG, Outcome.CRASHED}
    assert Matrix not in kinds(result)


SNOOP = """
import gc
_fit = Trainer.fit
def _snoop(self, *args, **kwargs):
    import sys, numpy as np
    found = [a for a in gc.get_objects() if type(a) is dict and isinstance(a.get("answers"), np.ndarray)]
    frame = sys._getframe()
    while frame is not None:
        found += [v for v in frame.f_locals.values() if type(v).__name__ in ("Problem", "Digits")]
        frame = frame.f_back
    found += [a for a in gc.get_objects() if type(a).__name__ in ("Problem", "Digits")]
    raise LookupError(f"found {len(found)}")
Trainer.fit = _snoop
"""


def test_the_labels_of_the_test_are_not_in_an_isolated_process(student: Player) -> None:
    student.append("training", SNOOP)
    result = student.play(1986, isolated=True)
    assert result.outcome is Outcome.CRASHED
    assert result.finding
    assert result.finding.got == "LookupError: found 0"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("optimizers", "Adam.step = lambda self, closure=None: None"),
        ("losses", "CrossEntropyLoss.forward = lambda self, x, t: (x * 0).sum()"),
        ("dataloader", "DataLoader.__iter__ = lambda self: iter(())"),
    ],
)
def test_without_learning_it_is_not_reached(module: str, text: str, student: Player) -> None:
    student.append(module, text)
    result = student.play(1986)
    assert result.outcome in {Outcome.WRONG, Outcome.CRASHED}
    assert all(not claim.holds for claim in result.claims)


def test_a_loss_that_is_no_number_is_not_drawn(student: Player) -> None:
    student.append(
        "training",
        "_fit = Trainer.fit\ndef fit(self, *a, **k):\n    _fit(self, *a, **k)\n"
        "    return {'loss': [float('nan')] * 10**5}\nTrainer.fit = fit",
    )
    result = student.play(1986)
    assert result.outcome is Outcome.PASSED  # what is only shown decides nothing
    assert kinds(result) == [Curve, Matrix, Pictures]
