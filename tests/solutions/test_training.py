"""Module 07's solutions: the numbers of PyTorch where it is installed, runs that go on bit for bit, files that hold."""

from __future__ import annotations

import errno
import importlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tinytorch.course import TRAINING
from tests.prose.examples import solution, solutions
from tools import SOLUTIONS


def everything() -> Any:
    """The names of the modules that a training run takes, in one place."""
    solutions()
    modules = ("tensor", "activations", "layers", "losses", "optimizers", "autograd", "training")
    return SimpleNamespace(
        **{k: v for m in modules for k, v in vars(importlib.import_module(f"tinytorch.{m}")).items()}
    )


@pytest.fixture(scope="module")
def tt() -> Any:
    return everything()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


# ---- the numbers of PyTorch -----------------------------------------------------------------------------


def schedules(rng: Any) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """Random settings of a schedule: ours, PyTorch's, and both names."""
    kind = int(rng.integers(3))
    if kind == 0:
        options = {"step_size": int(rng.integers(1, 9)), "gamma": float(rng.uniform(0.05, 1.2))}
        return options, options, "StepLR", "StepLR"
    if kind == 1:
        options = {"T_max": int(rng.integers(1, 30)), "eta_min": float(rng.choice([0, rng.uniform(0, 0.5)]))}
        return options, options, "CosineAnnealingLR", "CosineAnnealingLR"
    options = {"total_iters": int(rng.integers(1, 30)), "start_factor": float(rng.uniform(0.01, 1))}
    return options, {**options, "end_factor": 1.0}, "LinearWarmup", "LinearLR"


@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
def test_schedules(tt: Any, torch: Any, rng: Any) -> None:
    for _ in range(150):
        rates = [float(r) for r in rng.uniform(0.001, 2, rng.integers(1, 4))]
        mine = tt.SGD([{"params": [tt.zeros(1, requires_grad=True)], "lr": lr} for lr in rates], lr=1.0)
        theirs = torch.optim.SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in rates], lr=1.0)
        my_options, their_options, my_name, their_name = schedules(rng)
        ours = getattr(tt, my_name)(mine, **my_options)
        other = getattr(torch.optim.lr_scheduler, their_name)(theirs, **their_options)
        for _ in range(50):
            np.testing.assert_allclose(
                [group["lr"] for group in mine.param_groups],
                [group["lr"] for group in theirs.param_groups],
                rtol=1e-9,
                atol=1e-12,
                err_msg=f"{my_name} {my_options}",
            )
            assert ours.get_last_lr() == [group["lr"] for group in mine.param_groups]
            ours.step()
            other.step()
        assert ours.last_epoch == other.last_epoch == 50


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.5, math.inf])
def test_clipping(tt: Any, torch: Any, rng: Any, norm_type: float) -> None:
    for _ in range(40):
        shapes = [tuple(rng.integers(1, 5, rng.integers(0, 4))) for _ in range(rng.integers(1, 5))]
        size, limit = 10.0 ** rng.integers(-4, 4), float(10.0 ** rng.integers(-3, 3))
        arrays = [np.asarray(rng.normal(0, size, shape), np.float32) for shape in shapes]
        mine = [tt.zeros(*shape, requires_grad=True) for shape in shapes]
        theirs = [torch.zeros(shape, requires_grad=True) for shape in shapes]
        for p, q, array in zip(mine[1:], theirs[1:], arrays[1:], strict=True):  # the first has no gradient
            p.grad, q.grad = tt.tensor(array), torch.tensor(array)
        norm = tt.clip_grad_norm_(iter(mine), limit, norm_type)
        due = torch.nn.utils.clip_grad_norm_(theirs, limit, norm_type)
        np.testing.assert_allclose(norm.data, due.numpy(), rtol=1e-5)
        assert (norm.shape, norm.dtype, norm.requires_grad) == ((), np.float32, False)
        for p, q in zip(mine[1:], theirs[1:], strict=True):
            np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=1e-5, atol=0)
        assert mine[0].grad is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_clipping_what_is_not_finite(tt: Any, torch: Any, bad: float) -> None:
    p, q = tt.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    p.grad, q.grad = tt.tensor([1.0, bad]), torch.tensor([1.0, bad])
    with np.errstate(invalid="ignore"):
        tt.clip_grad_norm_([p], 1.0)
    torch.nn.utils.clip_grad_norm_([q], 1.0)
    np.testing.assert_array_equal(p.grad.data, q.grad.numpy())


def test_total_norm_of_nothing(tt: Any) -> None:
    assert [tt.total_norm([], p) for p in (1, 2, math.inf)] == [0, 0, 0]
    assert [tt.total_norm([tt.zeros(0, 3)], p) for p in (1, 2, math.inf)] == [0, 0, 0]


def their_run(
    torch: Any, net: Any, optimizer: Any, schedule: Any, batches: Any, epochs: int, clip: float
) -> list[float]:
    """A training loop as PyTorch's tutorials write it; the loss of every epoch."""
    losses = []
    for _ in range(epochs):
        total = count = 0.0
        for x, y in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(y))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        schedule.step()
        losses.append(total / count)
    return losses


@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {"lr": 0.3, "momentum": 0.9}), ("Adam", {"lr": 0.02}), ("AdamW", {"lr": 0.02, "weight_decay": 0.1})],
)
def test_whole_runs(tt: Any, torch: Any, rng: Any, name: str, options: dict[str, float]) -> None:
    batches = [
        (rng.normal(0, 1, (n, 4)).astype(np.float32), rng.integers(0, 3, n).astype(np.int64)) for n in (8, 8, 8, 3)
    ]
    model = tt.Sequential(tt.Linear(4, 16), tt.Tanh(), tt.Linear(16, 3))
    net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    with torch.no_grad():
        for (key, p), q in zip(model.named_parameters(), net.parameters(), strict=True):
            q.copy_(torch.tensor(p.data.T if "weight" in key else p.data))
    optimizer = getattr(tt, name)(model.parameters(), **options)
    trainer = tt.Trainer(
        model, optimizer, tt.CrossEntropyLoss(), tt.StepLR(optimizer, 4, 0.5), {"accuracy": tt.accuracy}, clip_norm=0.5
    )
    history = trainer.fit([(tt.tensor(x), tt.tensor(y)) for x, y in batches], epochs=12)
    other = getattr(torch.optim, name)(net.parameters(), **options)
    losses = their_run(torch, net, other, torch.optim.lr_scheduler.StepLR(other, 4, 0.5), batches, 12, 0.5)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-4)
    for (key, p), q in zip(model.named_parameters(), net.parameters(), strict=True):
        mine = p.data.T if "weight" in key else p.data
        np.testing.assert_allclose(mine, q.detach().numpy(), rtol=1e-3, atol=1e-4)
    assert history["lr"] == [options["lr"] * 0.5 ** (t // 4) for t in range(12)]


# ---- a run that goes on -----------------------------------------------------------------------------------


class Shuffled:
    """A loader as the next module has one: a fresh order for every epoch, from a generator of its own."""

    def __init__(self, tt: Any, x: Any, y: Any, seed: int, stop_at: int | None = None, error: Any = None) -> None:
        self.tt, self.x, self.y, self.generator = tt, x, y, np.random.default_rng(seed)
        self.stop_at, self.error, self.given = stop_at, error, 0

    def __iter__(self) -> Iterator[Any]:
        order = self.generator.permutation(len(self.x))
        for i in range(0, len(order), 4):
            if self.given == self.stop_at:
                self.stop_at = None  # the next time it goes well
                raise self.error
            self.given += 1
            yield self.tt.tensor(self.x[order[i : i + 4]]), self.tt.tensor(self.y[order[i : i + 4]])


class Run:
    """Everything of one run, made anew as a script would after a crash."""

    def __init__(self, tt: Any, optimizer: str, by: str, stop_at: int | None = None, error: Any = None) -> None:
        rng = np.random.default_rng(3)
        x, y = rng.normal(0, 1, (10, 3)).astype(np.float32), rng.integers(0, 2, 10)
        tt.manual_seed(11)
        self.model = tt.Sequential(tt.Linear(3, 8), tt.ReLU(), tt.Dropout(0.5), tt.Linear(8, 2))
        self.optimizer = getattr(tt, optimizer)(self.model.parameters(), lr=0.05)
        schedule = tt.LinearWarmup(self.optimizer, 7, 0.1) if by == "batch" else tt.StepLR(self.optimizer, 2, 0.5)
        self.loader = Shuffled(tt, x, y, seed=5, stop_at=stop_at, error=error)
        self.validation = [(tt.tensor(x), tt.tensor(y))]
        self.stopping = tt.EarlyStopping(patience=3)
        self.trainer = tt.Trainer(
            self.model,
            self.optimizer,
            tt.CrossEntropyLoss(),
            schedule,
            {"accuracy": tt.accuracy},
            clip_norm=0.7,
            schedule_by=by,
        )

    def fit(self, epochs: int = 6, **more: Any) -> None:
        """The call that a script makes."""
        self.trainer.fit(self.loader, epochs, self.validation, early_stopping=self.stopping, **{"resume": True, **more})

    def state(self) -> str:
        """All that there is, as text: equal texts are equal bits."""
        tt = self.loader.tt
        parts = self.trainer.parts(self.stopping, self.loader)
        arrays: dict[str, Any] = {}
        text = tt.pack({name: part.state_dict() for name, part in parts.items()}, "", arrays)
        return repr((text, {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}))


class Crash(Exception):
    """Whatever a loader may run into."""


BATCHES = 6 * 3


@pytest.mark.parametrize("by", ["epoch", "batch"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_an_interrupted_run_ends_as_the_other(tt: Any, tmp_path: Path, optimizer: str, by: str) -> None:
    whole = Run(tt, optimizer, by)
    whole.fit(checkpoint=tmp_path / "whole.npz")
    for stop_at in range(0, BATCHES, 2):
        error = KeyboardInterrupt() if stop_at % 4 else Crash("no more data")
        path = tmp_path / f"{stop_at}.npz"
        first = Run(tt, optimizer, by, stop_at, error)
        if whole.loader.given > stop_at:
            with pytest.raises(type(error)):
                first.fit(checkpoint=path)
            assert tt.load_checkpoint(path)["trainer"]["epoch"] == stop_at // 3
        else:
            first.fit(checkpoint=path)
        second = Run(tt, optimizer, by)
        tt.manual_seed(99)  # whatever the new process drew
        second.loader.generator.random(3)
        second.fit(checkpoint=path)
        assert second.state() == whole.state()
        assert [file.name for file in tmp_path.glob("*.tmp")] == []


def test_without_a_checkpoint_the_run_is_the_same(tt: Any, tmp_path: Path) -> None:
    one, other = Run(tt, "Adam", "epoch"), None
    one.fit(resume=False)
    other = Run(tt, "Adam", "epoch")
    other.fit(checkpoint=tmp_path / "run.npz")
    assert one.state() == other.state()


def test_the_same_trainer_goes_on_after_an_interruption(tt: Any, tmp_path: Path) -> None:
    whole, run = Run(tt, "Adam", "epoch"), None
    whole.fit(resume=False)
    for stop_at in (1, 4):
        run = Run(tt, "Adam", "epoch", stop_at, KeyboardInterrupt())
        path = tmp_path / f"{stop_at}.npz"
        with pytest.raises(KeyboardInterrupt):
            run.fit(checkpoint=path)
        run.fit(checkpoint=path)
        assert run.state() == whole.state()


def test_an_interruption_after_any_epoch(tt: Any, tmp_path: Path) -> None:
    whole = Run(tt, "SGD", "epoch")
    whole.fit(resume=False)

    def interrupt(epoch: int, values: dict[str, float]) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    for _ in range(whole.trainer.epoch):  # one epoch a process
        with pytest.raises(KeyboardInterrupt):
            Run(tt, "SGD", "epoch").fit(checkpoint=path, on_epoch=interrupt)
    last = Run(tt, "SGD", "epoch")
    last.fit(checkpoint=path, on_epoch=interrupt)
    assert last.state() == whole.state()


def test_more_epochs_go_on_from_the_last_weights(tt: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    Run(tt, "Adam", "epoch").fit(2, checkpoint=path)
    more = Run(tt, "Adam", "epoch")
    more.fit(4, checkpoint=path)
    whole = Run(tt, "Adam", "epoch")
    whole.fit(4, resume=False)
    assert more.state() == whole.state()


def test_a_second_fit_does_its_own_epochs(tt: Any) -> None:
    run = Run(tt, "SGD", "epoch")
    run.fit(2, resume=False)
    run.fit(3, resume=False)
    assert [len(numbers) for numbers in run.trainer.history.values()] == [5] * 5
    assert run.trainer.first_epoch == 2


def test_a_save_that_fails_leaves_the_epoch_before(tt: Any, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "run.npz"
    whole = Run(tt, "SGD", "epoch")
    whole.fit(3, resume=False)
    synced, real = [0], os.fsync

    def full_disk(number: int) -> None:
        synced[0] += 1
        if synced[0] == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: .*run\.npz'$"):
        Run(tt, "SGD", "epoch").fit(3, checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]
    assert tt.load_checkpoint(path)["trainer"]["epoch"] == 1
    again = Run(tt, "SGD", "epoch")
    again.fit(3, checkpoint=path)
    assert again.state() == whole.state()


SCRIPT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("tinytorch", {package!r}, submodule_search_locations=[{folder!r}])
sys.modules["tinytorch"] = importlib.util.module_from_spec(spec)
import tinytorch.training as training, tinytorch.layers as layers, numpy as np
model = layers.Linear(300, 300)
print("ready", flush=True)
number = 0
while True:
    number += 1
    model.weight.data[...] = number
    model.bias.data[...] = number
    training.save_checkpoint(sys.argv[1], model=model, number=number)
"""


@pytest.mark.skipif(os.name == "nt", reason="the signal that cannot be caught is Unix's")
def test_a_killed_process_leaves_a_whole_file(tt: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    script = SCRIPT.format(package=str(SOLUTIONS / "__init__.py"), folder=str(SOLUTIONS))
    numbers = []
    for wait in (0.02, 0.05, 0.08):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)  # noqa: S603
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 20
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        saved = tt.load_checkpoint(path)
        assert {float(n) for array in saved["model"].values() for n in array.reshape(-1)} == {float(saved["number"])}
        numbers.append(saved["number"])
    assert min(numbers) >= 1


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import importlib.util, sys
spec = importlib.util.spec_from_file_location("tinytorch", {package!r}, submodule_search_locations=[{folder!r}])
sys.modules["tinytorch"] = importlib.util.module_from_spec(spec)
import tinytorch.training as training, tinytorch.layers as layers
training.save_checkpoint(sys.argv[1], model=layers.Linear(2, 2))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    training.save_checkpoint(sys.argv[1], model=layers.Linear(200, 200))
except OSError as error:
    print(error)
print(training.load_checkpoint(sys.argv[1])["model"]["weight"].shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on the size of files is Unix's")
def test_a_disk_that_is_full_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    script = FULL.format(package=str(SOLUTIONS / "__init__.py"), folder=str(SOLUTIONS))
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout == f"[Errno {errno.EFBIG}] File too large: '{path}'\n(2, 2)\n", done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


# ---- files --------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(-(2**130), 2**130), st.floats(), st.text(max_size=5))
ARRAYS = st.sampled_from(
    [np.arange(6, dtype=np.float32).reshape(2, 3).T, np.zeros((0, 3)), np.array(7), np.array(True), np.float32(0.1)]
)
VALUES = st.recursive(
    st.one_of(NUMBERS, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.integers(), st.text(max_size=4), st.sampled_from("a.b")), inner, max_size=3),
    ),
    max_leaves=8,
)


def equal(a: Any, b: Any) -> bool:
    """Equal in type and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return repr(a) == repr(b)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "a.b", "b", "file", "self", "path", "checkpoint"]), VALUES, max_size=3))
def test_what_is_saved_comes_back(tmp_path_factory: Any, parts: dict[str, Any]) -> None:
    training = solution(TRAINING)
    path = tmp_path_factory.getbasetemp() / "round.npz"
    training.save_checkpoint(path, **parts)
    assert equal(training.load_checkpoint(path), parts)


def test_tensors_are_saved_as_arrays(tt: Any, tmp_path: Path) -> None:
    tt.save_checkpoint(tmp_path / "x.npz", x=tt.tensor([1.0, 2.0]))
    assert equal(tt.load_checkpoint(tmp_path / "x.npz"), {"x": np.array([1, 2], np.float32)})


def test_equal_states_make_equal_files(tt: Any, tmp_path: Path) -> None:
    model = tt.Linear(3, 2)
    for name in "ab":
        tt.save_checkpoint(tmp_path / name, model=model, history=[0.1, math.nan, math.inf])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_numpy_opens_a_checkpoint_without_pickle(tt: Any, tmp_path: Path) -> None:
    model = tt.Linear(3, 2)
    tt.save_checkpoint(tmp_path / "run.npz", model=model, epoch=3)
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["model.weight"], model.weight.data)
        assert json.loads(file["checkpoint.json"])["version"] == 1


def test_what_a_checkpoint_cannot_hold(tt: Any, tmp_path: Path) -> None:
    for value, kind in ((object(), "object"), ({1, 2}, "set"), (b"x", "bytes"), (len, "builtin_function_or_method")):
        with pytest.raises(TypeError, match=f"part.inner is a {kind}: a checkpoint holds numbers"):
            tt.save_checkpoint(tmp_path / "run.npz", part={"inner": value})
    with pytest.raises(TypeError, match="part is an array of Python objects"):
        tt.save_checkpoint(tmp_path / "run.npz", part=np.array([object()]))
    assert list(tmp_path.iterdir()) == []


def damaged(data: bytes) -> Iterator[bytes]:
    """Truncated files, and files with a few wrong bytes."""
    rng = np.random.default_rng(1)
    yield from (data[:n] for n in (0, 1, 10, len(data) // 2, len(data) - 30, len(data) - 1))
    yield from (b"", b"PK", b"hello", b"\x93NUMPY", os.urandom(500))
    for _ in range(400):
        wrong = bytearray(data)
        wrong[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
        yield bytes(wrong)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_are_refused(tt: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    model = tt.Linear(30, 2)
    tt.save_checkpoint(path, model=model, epoch=3)
    right, refused = tt.load_checkpoint(path), []
    for data in damaged(path.read_bytes()):
        path.write_bytes(data)
        try:
            assert equal(tt.load_checkpoint(path), right)  # a byte that says nothing, such as a file's date
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 300
    assert {text[: len(str(path)) + 37] for text in refused} == {f"{path} is no checkpoint, or a damaged one ("}


def test_foreign_files(tt: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    np.savez(path, weight=np.zeros(3))
    with pytest.raises(ValueError, match=r"checkpoint\.json is missing, so something else wrote it"):
        tt.load_checkpoint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("checkpoint.json", json.dumps({"version": 2, "parts": {}}))
    with pytest.raises(ValueError, match="it has format 2, and this version reads formats up to 1"):
        tt.load_checkpoint(path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    with pytest.raises(ValueError, match="is no checkpoint, or a damaged one"):
        tt.load_checkpoint(path.with_suffix(".npy"))


def test_files_that_are_not_there(tt: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        tt.load_checkpoint(tmp_path / "gone.npz")
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: '.*no.folder.run\.npz'$"):
        tt.save_checkpoint(tmp_path / "no" / "folder" / "run.npz", epoch=1)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"folder'$"):
        tt.save_checkpoint(tmp_path / "folder", epoch=1)
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_may_not_be_written_to(tt: Any, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match=r"run\.npz'$"):
        tt.save_checkpoint(tmp_path / "run.npz", epoch=1)


def test_a_run_finds_a_bad_folder_before_its_first_epoch(tt: Any, tmp_path: Path) -> None:
    run = Run(tt, "SGD", "epoch")
    with pytest.raises(FileNotFoundError, match=r"run\.npz"):
        run.fit(checkpoint=tmp_path / "no" / "run.npz")
    assert run.loader.given == 0


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_a_link(tt: Any, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "run.npz"
    link.symlink_to(tmp_path / "disk" / "run.npz")
    tt.save_checkpoint(link, epoch=1)
    assert link.is_symlink()
    assert tt.load_checkpoint(link) == {"epoch": 1}


def refuses(tt: Any, path: Path, match: str, **parts: Any) -> None:
    """A checkpoint is refused with a sentence, and every part is as it was."""
    before = {name: repr(part.state_dict()) for name, part in parts.items()}
    with pytest.raises(ValueError, match=match) as caught:
        tt.load_checkpoint(path, **parts)
    assert re.match(rf"{re.escape(str(path))} (does not fit|holds)", str(caught.value))
    assert {name: repr(part.state_dict()) for name, part in parts.items()} == before


def test_a_checkpoint_of_another_model(tt: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    saved = tt.Sequential(tt.Linear(3, 2))
    optimizer = tt.Adam(saved.parameters())
    tt.save_checkpoint(path, model=saved, optimizer=optimizer, schedule=tt.StepLR(optimizer, 3))
    fits = tt.Sequential(tt.Linear(3, 2))
    other = tt.Sequential(tt.Linear(4, 2))
    deeper = tt.Sequential(tt.Linear(3, 2), tt.Linear(2, 2))
    refuses(tt, path, r"model: 0\.weight is \(4, 2\) in this Sequential, and \(3, 2\)", model=other)
    refuses(tt, path, r"model: .*missing \['1\.weight', '1\.bias'\]", model=deeper)
    refuses(tt, path, "optimizer: .*groups of", model=fits, optimizer=tt.Adam(deeper.parameters()))
    refuses(tt, path, "optimizer: these are not the options of SGD", model=fits, optimizer=tt.SGD(fits.parameters()))
    here = tt.SGD(fits.parameters())
    refuses(tt, path, "schedule: this CosineAnnealingLR is made of", schedule=tt.CosineAnnealingLR(here, 3))
    two = tt.SGD([{"params": [p]} for p in fits.parameters()])
    refuses(tt, path, "schedule: .* rates of 2 parameter groups, and the state dict of 1", schedule=tt.StepLR(two, 3))
    refuses(tt, path, "schedule: early stopping watches", schedule=tt.EarlyStopping())
    refuses(tt, path, "holds model, optimizer, schedule, and no stopping", model=fits, stopping=tt.EarlyStopping())
    assert list(tt.load_checkpoint(path, model=fits)) == ["model", "optimizer", "schedule"]
    np.testing.assert_array_equal(fits[0].weight.data, saved[0].weight.data)


def test_a_run_with_other_settings_does_not_go_on(tt: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    Run(tt, "SGD", "epoch").fit(1, checkpoint=path)
    run = Run(tt, "SGD", "epoch")
    before = run.state()
    with pytest.raises(ValueError, match="go on with the settings that it was saved with"):
        run.trainer.fit(run.loader, 2, checkpoint=path, resume=True)
    run.loader.generator = np.random.Generator(np.random.MT19937(1))
    with pytest.raises(ValueError, match="random: the run draws from MT19937, PCG64, and the saved one drew from"):
        run.fit(2, checkpoint=path)
    run.loader.generator = np.random.default_rng(5)
    assert run.state() == before


def test_generators_of_other_kinds(tt: Any, tmp_path: Path) -> None:
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        loader = SimpleNamespace(generator=np.random.Generator(kind(1)))
        tt.save_checkpoint(tmp_path / "r.npz", random=tt.Generators(loader, None, loader))
        due = loader.generator.random(5)
        tt.load_checkpoint(tmp_path / "r.npz", random=tt.Generators(loader, None, loader))
        np.testing.assert_array_equal(loader.generator.random(5), due)


# ---- what is refused ------------------------------------------------------------------------------------------


def small(tt: Any, **options: Any) -> Any:
    """A trainer of one weight."""
    model = tt.Linear(1, 1, bias=False)
    model.weight.data[...] = 1
    options.setdefault("loss_fn", tt.MSELoss())
    return tt.Trainer(model, tt.SGD(model.parameters(), lr=0.5), **options)


def batch(tt: Any, x: float = 1.0, n: int = 2) -> Any:
    return tt.tensor(np.full((n, 1), x, np.float32)), tt.tensor(np.zeros((n, 1), np.float32))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"clip_norm": 0}, "clip_norm is above 0, or None for no limit, not 0"),
        ({"clip_norm": -1.5}, r"not -1\.5"),
        ({"clip_norm": math.nan}, "not nan"),
        ({"schedule_by": "step"}, "schedule_by is 'epoch' or 'batch', not 'step'"),
        ({"metrics": {"loss": len}}, "'loss' is a name of the history's own"),
        ({"metrics": {"validation_f1": len}}, "'validation_f1' is a name"),
    ],
)
def test_a_trainer_refuses(tt: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        small(tt, **options)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda tt, o: tt.StepLR(o, 0), "step_size counts the steps of a schedule, at least 1, not 0"),
        (lambda tt, o: tt.CosineAnnealingLR(o, 0), "T_max counts .* not 0"),
        (lambda tt, o: tt.LinearWarmup(o, 0), "total_iters counts .* not 0"),
        (lambda tt, o: tt.LinearWarmup(o, 3, 0.0), r"start_factor .* not at 0\.0"),
        (lambda tt, o: tt.LinearWarmup(o, 3, 1.5), r"start_factor .* not at 1\.5"),
        (lambda tt, o: tt.EarlyStopping(0), "patience is at least 1"),
        (lambda tt, o: tt.EarlyStopping(min_delta=-1.0), r"min_delta at least 0, not 5 and -1\.0"),
        (lambda tt, o: tt.EarlyStopping(mode="less"), "mode is 'min' or 'max', not 'less'"),
        (lambda tt, o: tt.clip_grad_norm_([], -1.0), r"max_norm is at least 0, not -1\.0"),
        (lambda tt, o: tt.clip_grad_norm_([], math.nan), "not nan"),
    ],
)
def test_settings_that_make_no_sense(tt: Any, make: Callable[[Any, Any], Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make(tt, tt.SGD([tt.zeros(1, requires_grad=True)], lr=0.1))


def test_fit_refuses(tt: Any) -> None:
    trainer, good = small(tt), [batch(tt)]
    with pytest.raises(ValueError, match="epochs is at least 0, not -1"):
        trainer.fit(good, -1)
    with pytest.raises(ValueError, match="resume=True needs a checkpoint"):
        trainer.fit(good, 1, resume=True)
    with pytest.raises(TypeError, match="a generator can be gone through only once"):
        trainer.fit((each for each in good), 1)
    with pytest.raises(ValueError, match="watches 'validation_loss', and fit measures lr, loss"):
        trainer.fit(good, 1, early_stopping=tt.EarlyStopping())
    with pytest.raises(ValueError, match="there are no batches"):
        trainer.fit([], 1)
    with pytest.raises(ValueError, match=r"there are no batches: .* a generator that was gone through before"):
        trainer.fit(iter(good), 2)
    with pytest.raises(ValueError, match=r"batch 2 holds no examples: its targets have shape \(0, 1\)"):
        trainer.fit([*good, batch(tt, n=0)], 1)
    with pytest.raises(TypeError, match="batch 1 is a Tensor, and a pair"):
        trainer.fit([good[0][0]], 1)
    with pytest.raises(TypeError, match=r"'loss' is a Tensor of shape \(2, 1\), and one number is due"):
        small(tt, loss_fn=tt.MSELoss(reduction="none")).fit(good, 1)
    assert trainer.fit(good, 0) == trainer.history


@pytest.mark.parametrize("value", ["high", None, [1.0, 2.0]])
def test_a_metric_gives_one_number(tt: Any, value: Any) -> None:
    trainer = small(tt, metrics={"f1": lambda outputs, targets: value})
    with pytest.raises(TypeError, match=re.escape(f"'f1' is {value!r}, and one number is due")):
        trainer.fit([batch(tt)], 1)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_run(tt: Any, bad: float) -> None:
    trainer = small(tt)
    good = batch(tt)
    trainer.fit([good], 2)
    weight = trainer.model.weight.data.copy()
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf) in epoch 3: the weights are as they were"):
        trainer.fit([batch(tt, bad), good], 1)
    np.testing.assert_array_equal(trainer.model.weight.data, weight)


def test_a_validation_loss_of_nan_is_only_not_better(tt: Any) -> None:
    trainer, stopping = small(tt), tt.EarlyStopping(patience=2)
    history = trainer.fit([batch(tt)], 9, [batch(tt, math.nan)], early_stopping=stopping)
    assert [math.isnan(loss) for loss in history["validation_loss"]] == [True, True]


def test_an_error_in_evaluation_leaves_every_mode(tt: Any) -> None:
    model = tt.Sequential(tt.Linear(1, 1), tt.Dropout(0.5), tt.Dropout(0.5))
    model[1].eval()
    trainer = tt.Trainer(model, tt.SGD(model.parameters()), tt.MSELoss())
    with pytest.raises(ValueError, match="no examples"):
        trainer.evaluate([batch(tt), batch(tt, n=0)])
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert model(tt.ones(1, 1)).requires_grad


def test_accuracy_refuses(tt: Any) -> None:
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(2, 1\)"):
        tt.accuracy(tt.zeros(2, 3), tt.zeros(2, 1))
    with pytest.raises(ValueError, match=r"at least one; got \(0, 3\) and \(0,\)"):
        tt.accuracy(tt.zeros(0, 3), tt.zeros(0))


def test_a_metric_that_gives_a_tensor_is_a_float_in_the_history(tt: Any) -> None:
    trainer = small(tt, metrics={"error": lambda outputs, targets: (outputs - targets).abs().mean()})
    history = trainer.fit([batch(tt)], 2)
    assert {type(number) for numbers in history.values() for number in numbers} == {float}
