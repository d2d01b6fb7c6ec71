"""Training: the loop that turns a loss into a model that works, and a file from which it goes on after a crash.

Five lines train a model: zero, forward, backward, clip, step. Around them stands what makes a long run worth its
hours: a schedule for the step size, measurements on data that the model never learns from, the best weights kept
aside, and a checkpoint after every epoch, so exact that a run that was interrupted ends with the same bits as one
that was not.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import types
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .autograd import no_grad
from .layers import Module
from .optimizers import Optimizer
from .tensor import Tensor, default_generator

Array: TypeAlias = NDArray[Any]
Batch: TypeAlias = tuple[Tensor, Tensor]  # inputs and targets, one example per row
Metric: TypeAlias = Callable[[Tensor, Tensor], Any]  # outputs, targets -> one number
FilePath: TypeAlias = "str | os.PathLike[str]"


# ---- Metrics -----------------------------------------------------------------------------------------------


def accuracy(outputs: Tensor, targets: Tensor) -> float:
    """The share of examples whose largest score stands at the right class.

        outputs (..., C) scores or probabilities, targets (...) class ids  ->  a float from 0 to 1

    The classes are the last dimension; those before it say which example. Other shapes raise ValueError with
    both, and so does a batch without examples, which has no share of anything.

    Two of these three rows have their largest score where the target says:

    >>> scores = tensor([[0.1, 2.0, 0.3], [1.5, 0.2, 0.1], [0.4, 0.1, 0.2]])
    >>> accuracy(scores, tensor([1, 0, 2]))
    0.6666666666666666

    An accuracy is for people. It stands still while the weights move a little, so nothing can be learnt from
    it: what is learnt from is the loss. About four lines.
    """
    if outputs.shape[:-1] != targets.shape or not targets.numel():
        raise ValueError(
            f"accuracy takes scores (N, C) and class ids (N,), at least one; got {outputs.shape} and {targets.shape}"
        )
    hits = outputs.data.argmax(axis=-1) == targets.data
    return float(hits.mean())


def as_number(name: str, value: Any) -> float:
    """One number as a plain float, whether it comes as a Tensor, an array or a Python number (given).

    A float holds eight bytes. The tensor of a loss holds the whole graph that it was computed by.

    >>> as_number("loss", tensor(0.5))
    0.5
    >>> as_number("f1", tensor([0.5, 0.25]))
    Traceback (most recent call last):
    TypeError: 'f1' is a Tensor of shape (2,), and one number is due
    """
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if array.dtype.kind not in "biuf" or array.size != 1:
        told = f"a Tensor of shape {value.shape}" if isinstance(value, Tensor) else repr(value)
        raise TypeError(f"{name!r} is {told}, and one number is due")
    return float(array.item())


class Averages:
    """Averages over an epoch, of numbers that come batch by batch."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = {}
        self.count = 0

    def add(self, values: Mapping[str, float], size: int) -> None:
        """Count in the numbers of one batch, which are themselves averages over its `size` examples.

            self.totals  name -> sum over all examples so far
            self.count   how many examples there were so far

        The last batch of an epoch is often smaller. An average of averages would let each of its examples
        count for more than the others; here every example counts once, whatever batch it came in.

        Three examples at 1.0 and one at 5.0 make (3 * 1.0 + 1 * 5.0) / 4 on average, not (1.0 + 5.0) / 2:

        >>> averages = Averages()
        >>> averages.add({"loss": 1.0}, 3)
        >>> averages.add({"loss": 5.0}, 1)
        >>> averages.totals, averages.count, averages.result()
        ({'loss': 8.0}, 4, {'loss': 2.0})

        About three lines.
        """
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value * size
        self.count += size

    def result(self) -> dict[str, float]:
        """The averages (given)."""
        return {name: total / self.count for name, total in self.totals.items()}


# ---- Clipping ----------------------------------------------------------------------------------------------


def total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0) -> float:
    """The length of all tensors together, as if their numbers stood in one long vector.

        (sum of |x|^p over every number of every tensor)^(1/p)      p = norm_type, usually 2

    With `norm_type=math.inf` it is the largest |x|. Without any tensors it is 0.

    >>> total_norm([tensor([3.0]), tensor([4.0])])
    5.0
    >>> total_norm([tensor([3.0]), tensor([-4.0])], math.inf), total_norm([tensor([[3.0]]), tensor([-4.0])], 1)
    (4.0, 7.0)

    About three lines. `np.linalg.norm(vector, p)` is the norm of one vector, in one pass over its numbers, and the
    norm of all norms is the norm of all numbers. Older NumPys have no answer for an empty vector with p = inf.
    """
    norms = [np.linalg.norm(x.data.reshape(-1), norm_type) for x in tensors if x.numel()]
    return float(np.linalg.norm(norms, norm_type)) if norms else 0.0


def clip_grad_norm_(parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2.0) -> Tensor:
    """Shorten the gradients, in place, where all of them together are longer than max_norm.

    With `total` the `total_norm` of all gradients that there are (a parameter without one is passed over), every
    gradient is multiplied by the same

        scale = min(1, max_norm / (total + 1e-6))

    so that the step keeps its direction and loses only length. Tensor by tensor, each with a norm of its
    own, the direction would be another. The 1e-6 is PyTorch's, and keeps 0 / 0 away.

    Returns the norm before clipping, as a Tensor of shape (). Gradients that hold nan become nan throughout: no
    length helps them. A negative max_norm raises ValueError: it would turn the step round.

    >>> a, b = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    >>> a.grad, b.grad = tensor([3.0]), tensor([4.0])
    >>> clip_grad_norm_([a, b], max_norm=1.0)
    tensor(5.)
    >>> a.grad, b.grad
    (tensor([0.6000]), tensor([0.8000]))

    PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html. About eight lines.
    """
    if not max_norm >= 0:
        raise ValueError(f"max_norm is at least 0, not {max_norm}")
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = total_norm(grads, norm_type)
    scale = min(max_norm / (norm + 1e-6), 1.0)
    for grad in grads:
        grad.data *= scale
    return Tensor(norm)


# ---- Schedules ---------------------------------------------------------------------------------------------


class Scheduler:
    """What all schedules share: they set the step size `lr` of every parameter group, from epoch to epoch.

    `base_lrs` are the rates that the groups had when the schedule was made, `last_epoch` how many steps it has taken.
    A subclass says in `lr_at` what becomes of a base rate. A schedule does not know what an epoch is: one `step()` is
    one step, and `Trainer` calls it once per epoch unless told otherwise. As torch.optim.lr_scheduler.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self.set_epoch(0)

    def lr_at(self, base_lr: float, t: int) -> float:
        """The rate after t steps of a group that began with base_lr; each subclass says it."""
        raise NotImplementedError(f"{type(self).__name__} has no lr_at(), where a schedule says what a rate becomes")

    def set_epoch(self, t: int) -> None:
        """Give every parameter group the rate that is due after t steps.

        Keeps t in `self.last_epoch`, and writes into `group["lr"]` of each of `self.optimizer.param_groups` what
        `self.lr_at(base_lr, t)` says for that group's own rate in `self.base_lrs`: the rates may differ, and
        each follows the same curve from where it began. The formula always starts from the base rate, never
        from the current one, so that nothing adds up however often it is called.

        >>> slow, fast = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
        >>> optimizer = SGD([{"params": [slow], "lr": 0.25}, {"params": [fast]}], lr=0.5)
        >>> schedule = StepLR(optimizer, step_size=1, gamma=0.5)
        >>> schedule.set_epoch(2)
        >>> [group["lr"] for group in optimizer.param_groups], schedule.last_epoch
        ([0.0625, 0.125], 2)

        About three lines; `zip` pairs groups and base rates.
        """
        self.last_epoch = t
        for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self.lr_at(base_lr, t)

    def step(self) -> None:
        """Go one step further (given)."""
        self.set_epoch(self.last_epoch + 1)

    def get_last_lr(self) -> list[float]:
        """The rates that the groups have now (given)."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser: the settings, the base rates, and how far it has come (given)."""
        kept = {name: value for name, value in vars(self).items() if name != "optimizer"}
        return {**kept, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a saved schedule stopped, with its settings (given).

        Raises:
            ValueError: the state is another schedule's, or is for another number of parameter groups.
        """
        kind, own = type(self).__name__, self.state_dict()
        if set(state_dict) != set(own):
            raise ValueError(f"this {kind} is made of {_names(own)}, and the state dict has {_names(state_dict)}")
        here, there = len(self.optimizer.param_groups), len(state_dict["base_lrs"])
        if here != there:
            raise ValueError(f"this {kind} sets the rates of {here} parameter groups, and the state dict of {there}")
        vars(self).update(state_dict, base_lrs=list(state_dict["base_lrs"]))
        self.set_epoch(self.last_epoch)


class StepLR(Scheduler):
    """A staircase: after every `step_size` steps the rate is multiplied by gamma.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _at_least_one("step_size", step_size)
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_at(self, base_lr: float, t: int) -> float:
        """The rate after t steps.

            lr = base_lr * gamma^k      k: how many times step_size fits into t as a whole

        With step_size 3 the steps 0, 1 and 2 have the base rate, 3 is the first of the next three.

        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=8.0)
        >>> schedule = StepLR(optimizer, step_size=3, gamma=0.5)
        >>> [schedule.lr_at(8.0, t) for t in range(8)]
        [8.0, 8.0, 8.0, 4.0, 4.0, 4.0, 2.0, 2.0]

        One line.
        """
        return float(base_lr * self.gamma ** (t // self.step_size))


class CosineAnnealingLR(Scheduler):
    """Half a wave of the cosine: slow at first, fast in the middle, slow again towards eta_min at T_max.

    PyTorch: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html, after
    Loshchilov and Hutter (2017), https://arxiv.org/abs/1608.03983.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # noqa: N803 (PyTorch's name)
        self.T_max = _at_least_one("T_max", T_max)
        self.eta_min = eta_min
        super().__init__(optimizer)

    def lr_at(self, base_lr: float, t: int) -> float:
        """The rate after t steps.

            lr = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2

        The fraction goes from 1 at t = 0 to 0 at T_max. Beyond T_max the wave rises again, in PyTorch too: T_max
        counts the steps of the whole run, in the unit in which step() is called.

        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> schedule = CosineAnnealingLR(optimizer, T_max=4)
        >>> [round(schedule.lr_at(1.0, t), 4) for t in range(6)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.1464]

        One or two lines, with `math.cos` and `math.pi`.
        """
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class LinearWarmup(Scheduler):
    """A ramp: from a small rate up to the base rate, which then stays.

    The first gradients of a fresh model are the least reliable ones, and Adam's averages know them only. As PyTorch's
    LinearLR with end_factor=1: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, start_factor: float = 1 / 3) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor lies above 0 and not above 1, not at {start_factor}")
        self.total_iters = _at_least_one("total_iters", total_iters)
        self.start_factor = start_factor
        super().__init__(optimizer)

    def lr_at(self, base_lr: float, t: int) -> float:
        """The rate after t steps.

            lr = base_lr * (s + (1 - s) * t / n)      s = start_factor, n = total_iters, as long as t < n
            lr = base_lr                              from then on

        It is s * base_lr at t = 0, before the first step, and grows by the same amount with every step.

        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=8.0)
        >>> schedule = LinearWarmup(optimizer, total_iters=3, start_factor=0.25)
        >>> [schedule.lr_at(8.0, t) for t in range(5)], optimizer.param_groups[0]["lr"]
        ([2.0, 4.0, 6.0, 8.0, 8.0], 2.0)

        About two lines.
        """
        share = min(t / self.total_iters, 1.0)
        return base_lr * (self.start_factor + (1 - self.start_factor) * share)


def _at_least_one(name: str, value: int) -> int:
    if not value >= 1:
        raise ValueError(f"{name} counts the steps of a schedule, at least 1, not {value}")
    return value


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


# ---- Files -------------------------------------------------------------------------------------------------


def write_atomically(path: Path, write: Callable[[BinaryIO], Any]) -> int:
    """Write a file so that whoever looks at `path`, at any moment, finds the old file or the new one, whole.

    `write(file)` writes the content into a file that is open for bytes. What may happen meanwhile: an error in
    `write`, a full disk, Ctrl-C, a power cut. So the new content goes into a second file, and only when all of
    it has arrived on the disk does that file take the name of the old one:
    - the second file lies in the same folder, since renaming is one step only within a file system:
      `temporary_path(path)` (given) is a name that nobody uses;
    - after `write`, `file.flush()` hands over what Python still holds, and `os.fsync(file.fileno())` waits until
      the disk has it. Otherwise a power cut could leave the new name with nothing behind it;
    - `os.replace(old, new)` renames, and overwrites what was there.

    Whatever goes wrong (KeyboardInterrupt is no Exception, only a BaseException), the second file is removed and
    the error goes on to the caller. Nobody needs half a file. Returns how many bytes the new file has.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "note", lambda file: file.write(b"first"))
    5
    >>> write_atomically(folder / "note", lambda file: file.write(1 / 0))
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    >>> [(file.name, file.read_bytes()) for file in folder.iterdir()]
    [('note', b'first')]

    About twelve lines. Mode "xb" opens a new file for bytes; `Path.unlink(missing_ok=True)` removes one, and
    `Path.stat().st_size` is the size of one.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        size = temporary.stat().st_size
        os.replace(temporary, path)  # noqa: PTH105 (the system call that this is about)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return size


def temporary_path(path: Path) -> Path:
    """A name in the same folder that nobody uses, and that tells what it was for (given)."""
    return path.with_name(f"{path.name[:100]}.{uuid.uuid4().hex[:12]}.tmp")


def save_checkpoint(path: FilePath, /, **parts: Any) -> None:
    """Save everything that has a state, under the names that it is given (given).

    A part is an object with `state_dict()`, such as a model, an optimiser or a schedule, or a plain value: numbers,
    strings, arrays, and lists, tuples and dicts of them. The file is an .npz that NumPy can open, one array per entry
    and everything else in checkpoint.json. There is no pickle in it, so that a file from a stranger cannot run
    anything. Numbers come back bit for bit.

    The file is written atomically: after an error (OSError names the file) the old one is still there.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.npz"
    >>> save_checkpoint(path, model=Linear(2, 1), epoch=3, betas=(0.9, 0.999))
    >>> sorted(np.load(path).files)
    ['checkpoint.json', 'model.bias', 'model.weight']
    >>> saved = load_checkpoint(path)
    >>> saved["epoch"], saved["betas"], saved["model"]["weight"].shape
    (3, (0.9, 0.999), (2, 1))
    """
    arrays: dict[str, Array] = {}
    states = {name: part.state_dict() if hasattr(part, "state_dict") else part for name, part in parts.items()}
    text = json.dumps({"version": VERSION, "parts": pack(states, "", arrays)})
    try:
        write_atomically(Path(path).resolve(), lambda file: _write_archive(file, text, arrays))
    except OSError as error:
        # named for the file that was asked for: nobody knows the second one
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def load_checkpoint(path: FilePath, /, **parts: Any) -> dict[str, Any]:
    """Read a checkpoint, and write what it holds into the parts that are given (given).

    Returns everything in the file by the names that it was saved under. `load_checkpoint(path, model=model)` also
    calls `model.load_state_dict(...)`; if one part refuses, all parts are as they were.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: the file is no checkpoint or a damaged one, or does not fit the parts; the sentence says why.
    """
    data = Path(path).read_bytes()
    try:
        saved = _read_archive(data)
    except Exception as error:  # a damaged file can make a reader stumble in any way
        told = f"{type(error).__name__}: {error}"
        raise ValueError(f"{os.fspath(path)} is no checkpoint, or a damaged one ({told})") from error
    _load_parts(path, saved, parts)
    return saved


VERSION = 1  # of the format
CONTENTS = "checkpoint.json"


def pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """A value as JSON can hold it; its arrays go into `arrays` and leave their names (given).

    JSON knows no tuples, and no keys but strings: so every container says what it is.

    >>> arrays = {}
    >>> pack({"step": 3, 0: (np.zeros(2), 0.5)}, "adam", arrays)
    {'dict': [['step', 3], [0, {'tuple': [{'array': 'adam.0.0'}, 0.5]}]]}
    >>> list(arrays)
    ['adam.0.0']
    """
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.ndarray | np.generic):
        kind = "array" if isinstance(value, np.ndarray) else "number"
        return {kind: _put(np.asarray(value), name, arrays)}
    if isinstance(value, Mapping):
        return {"dict": [[pack(k, name, arrays), pack(v, f"{name}.{k}", arrays)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [pack(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name.strip('.')} is a {type(value).__name__}: a checkpoint holds numbers, strings and arrays")


def unpack(tree: Any, arrays: Mapping[str, Array]) -> Any:
    """The value that `pack` was given (given)."""
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    if kind == "dict":
        return {unpack(key, arrays): unpack(value, arrays) for key, value in content}
    if kind in ("array", "number"):
        return arrays[content] if kind == "array" else arrays[content][()]
    items = [unpack(item, arrays) for item in content]
    return {"list": items, "tuple": tuple(items)}[kind]


def _put(array: Array, name: str, arrays: dict[str, Array]) -> str:
    """Keep an array under a name that can stand in a file, and that no other array has."""
    if array.dtype.hasobject:
        raise TypeError(f"{name.strip('.')} is an array of Python objects: a checkpoint holds numbers and strings")
    name = re.sub(r"[^\w.-]", "_", name).strip(".")
    name = f"{name}.{len(arrays)}" if name in arrays else name
    arrays[name] = array
    return name


def _write_archive(file: BinaryIO, text: str, arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
        with archive.open(CONTENTS, "w") as entry:
            entry.write(text.encode())


def _read_archive(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if CONTENTS not in names:
            raise ValueError(f"{CONTENTS} is missing, so something else wrote it")
        damaged = archive.testzip()
        if damaged:
            raise ValueError(f"{damaged} is damaged")
        contents = json.loads(archive.read(CONTENTS))
        if contents["version"] > VERSION:
            raise ValueError(f"it has format {contents['version']}, and this version reads formats up to {VERSION}")
        arrays = {name[:-4]: _read_array(archive, name) for name in names - {CONTENTS}}
    saved: dict[str, Any] = unpack(contents["parts"], arrays)
    return saved


def _read_array(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(name) as entry:
        array: Array = np.lib.format.read_array(entry, allow_pickle=False)
        return array


def _load_parts(path: FilePath, saved: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Write saved states into the parts: into all of them, or into none."""
    missing = [name for name in parts if name not in saved]
    if missing:
        raise ValueError(f"{os.fspath(path)} holds {_names(saved)}, and no {_names(missing)}")
    before = {name: part.state_dict() for name, part in parts.items()}
    tried: list[str] = []
    try:
        for name, part in parts.items():
            tried.append(name)
            part.load_state_dict(saved[name])
    except BaseException as error:
        for name in tried:
            parts[name].load_state_dict(before[name])
        if isinstance(error, ValueError | RuntimeError | TypeError | KeyError | AttributeError | IndexError):
            raise ValueError(f"{os.fspath(path)} does not fit: {tried[-1]}: {error}") from error
        raise


class Generators:
    """The random generators that a run draws from, as one part of its checkpoint (given).

    These are the course's own, `default_generator`, from which Dropout draws, and the attribute `generator` of each
    loader that has one.
    """

    def __init__(self, *loaders: Any) -> None:
        found = [default_generator, *(getattr(loader, "generator", None) for loader in loaders)]
        self.generators = list({id(g): g for g in found if isinstance(g, np.random.Generator)}.values())

    def state_dict(self) -> dict[str, Any]:
        """Where in its sequence of numbers each generator stands."""
        return {"states": [generator.bit_generator.state for generator in self.generators]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to where the generators stood.

        Raises:
            ValueError: there are other generators now.
        """
        states = state_dict["states"]
        here = [generator.bit_generator.state["bit_generator"] for generator in self.generators]
        there = [state["bit_generator"] for state in states]
        if here != there:
            raise ValueError(f"the run draws from {_names(here)}, and the saved one drew from {_names(there)}")
        for generator, state in zip(self.generators, states, strict=True):
            generator.bit_generator.state = state


# ---- Early stopping ----------------------------------------------------------------------------------------


class EarlyStopping:
    """Ends a run that no longer improves, and keeps the weights of its best epoch.

    `monitor` is the name of the number to watch, as `Trainer.history` has it; `mode` is "min" where less is better, or
    "max". After `patience` epochs in a row that were not better than the best by more than `min_delta`, it is enough.
    """

    def __init__(
        self, patience: int = 5, min_delta: float = 0.0, monitor: str = "validation_loss", mode: str = "min"
    ) -> None:
        if patience < 1 or not min_delta >= 0:
            raise ValueError(f"patience is at least 1 and min_delta at least 0, not {patience} and {min_delta}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode is 'min' or 'max', not {mode!r}")
        self.patience, self.min_delta, self.monitor, self.mode = patience, min_delta, monitor, mode
        self.reset()

    def reset(self) -> None:
        """Begin anew (given)."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.waited = 0
        self.best_state: dict[str, Array] | None = None

    def update(self, value: float, model: Module) -> None:
        """Take note of one more epoch: its value of what is watched, and the model as the epoch left it.

            self.best        the best value so far; before the first epoch inf (mode "min") or -inf ("max")
            self.best_state  the weights that had it, a copy: the model goes on learning
            self.waited      how many epochs have gone by since then

        Better is only what beats `self.best` by more than `self.min_delta`, in the direction that `self.mode`
        says. A nan is never better.

        >>> model, stopping = Linear(1, 1), EarlyStopping(patience=2)
        >>> for epoch, value in enumerate([3.0, 1.0, 2.0]):
        ...     model.bias.data[...] = epoch
        ...     stopping.update(value, model)
        >>> stopping.best, stopping.waited, stopping.best_state["bias"].tolist(), stopping.stopped
        (1.0, 1, [1.0], False)

        About six lines. `model.state_dict()` is such a copy.
        """
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_state, self.waited = value, model.state_dict(), 0
        else:
            self.waited += 1

    @property
    def stopped(self) -> bool:
        """Whether it is enough (given)."""
        return self.waited >= self.patience

    def restore(self, model: Module) -> None:
        """Give the model the weights of the best epoch (given)."""
        if self.best_state is not None:
            model.load_state_dict(self.best_state)

    def state_dict(self) -> dict[str, Any]:
        """What it remembers (given)."""
        return {"monitor": self.monitor, "best": self.best, "waited": self.waited, "best_state": self.best_state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a saved one stopped (given).

        Raises:
            ValueError: the state is another thing's, or watched another number.
        """
        if set(state_dict) != set(self.state_dict()) or state_dict["monitor"] != self.monitor:
            there = state_dict.get("monitor", _names(state_dict))
            raise ValueError(f"early stopping watches {self.monitor!r}, and the state dict is about {there!r}")
        vars(self).update(state_dict)


# ---- The loop ----------------------------------------------------------------------------------------------


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """A with-block in which a model is used, not trained: in evaluation mode, and nothing is recorded.

    `model.eval()` switches Dropout off, and `with no_grad():` the record, which costs time and memory that nobody
    will ask for. Afterwards, also after an error, every module is back in the mode that it was in before: in
    training mode, or in evaluation mode where somebody had frozen it.

    >>> model = Sequential(Linear(2, 2), Dropout(0.5).eval())
    >>> with evaluating(model):
    ...     print([module.training for module in model.modules()], model(ones(1, 2)).requires_grad)
    [False, False, False] False
    >>> [module.training for module in model.modules()]
    [True, True, False]

    About seven lines. `@contextmanager` makes a with-block of a function: what stands before its one `yield` runs
    on the way in, what stands after it on the way out, and an error in the block comes up at the `yield`, so
    `try: yield` and `finally:` take care of both.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def pairs(batches: Iterable[Any]) -> Iterator[Batch]:
    """The batches one by one, each looked at before it is used (given).

    Raises:
        TypeError: something is no pair of inputs and targets.
        ValueError: a batch holds no examples, or there are no batches.
    """
    number = 0
    for number, batch in enumerate(batches, start=1):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise TypeError(f"batch {number} is a {type(batch).__name__}, and a pair (inputs, targets) is due")
        inputs, targets = batch
        if not len(targets):
            raise ValueError(f"batch {number} holds no examples: its targets have shape {targets.shape}")
        yield inputs, targets
    if not number:
        raise ValueError("there are no batches: the list is empty, or a generator that was gone through before")


class Trainer:
    """Trains a model, measures it, and keeps the record.

    `loss_fn(outputs, targets)` is what the model learns from. `metrics` is a dict name -> function(outputs, targets) ->
    one number, for people. `clip_norm` limits the length of each step's gradient; None leaves it alone. The
    `scheduler` takes a step after every epoch, or after every batch with `schedule_by="batch"`.

    `history` is a dict name -> list of floats, one per epoch: "lr" (of the first parameter group, as the epoch began),
    "loss", every metric, and with validation data the same under "validation_loss" and so on.

    >>> trainer = Trainer(model := Linear(1, 1), SGD(model.parameters(), lr=0.125), MSELoss())
    >>> model.weight.data[...], model.bias.data[...] = 0, 0
    >>> batches = [(tensor([[1.0], [2.0]]), tensor([[3.0], [5.0]])), (tensor([[0.0]]), tensor([[1.0]]))]
    >>> history = trainer.fit(batches, epochs=40)
    >>> len(history["loss"]), round(model.weight.item(), 2), round(model.bias.item(), 2)
    (40, 2.0, 1.0)
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss_fn: Metric,
        scheduler: Scheduler | None = None,
        metrics: Mapping[str, Metric] | None = None,
        clip_norm: float | None = None,
        *,
        schedule_by: str = "epoch",
    ) -> None:
        if clip_norm is not None and not clip_norm > 0:
            raise ValueError(f"clip_norm is above 0, or None for no limit, not {clip_norm}")
        if schedule_by not in ("epoch", "batch"):
            raise ValueError(f"schedule_by is 'epoch' or 'batch', not {schedule_by!r}")
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self.scheduler, self.schedule_by = scheduler, schedule_by
        self.metrics, self.clip_norm = dict(metrics or {}), clip_norm
        for name in self.metrics:
            if name in ("loss", "lr") or name.startswith("validation_"):
                raise ValueError(f"{name!r} is a name of the history's own: call the metric something else")
        self.history: dict[str, list[float]] = {}
        self.epoch = 0  # how many are finished
        self.first_epoch = 0  # how many were, when the run began

    # ---- One batch ----

    def measure(self, outputs: Tensor, targets: Tensor, loss: Tensor) -> dict[str, float]:
        """The numbers of one batch: a dict with "loss" and every metric of `self.metrics`, in this order.

        All of them are floats: `as_number(name, value)` (given) makes one of whatever a metric returns. A
        tensor in the record would keep the graph behind it alive, batch after batch.

        The metrics compute inside `no_grad()`: nobody goes back from them.

        >>> trainer = Trainer(model := Linear(2, 3), SGD(model.parameters()), MSELoss(), metrics={"accuracy": accuracy})
        >>> scores, targets = tensor([[0.5, 2.0, 1.0], [3.0, 1.0, 0.5]]), tensor([1, 2])
        >>> trainer.measure(scores, targets, tensor(0.75))
        {'loss': 0.75, 'accuracy': 0.5}

        About four lines.
        """
        with no_grad():
            values = {"loss": loss, **{name: metric(outputs, targets) for name, metric in self.metrics.items()}}
        return {name: as_number(name, value) for name, value in values.items()}

    def require_finite(self, loss: Tensor) -> None:
        """Stop the run where the loss is inf or nan, before it gets into the weights (given).

        Raises:
            FloatingPointError: the loss is no finite number.
        """
        value = as_number("loss", loss)
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value} in epoch {self.epoch + 1}: the weights are as they were before this batch. "
                "Try a smaller lr, or clip_norm"
            )

    def train_step(self, inputs: Tensor, targets: Tensor) -> dict[str, float]:
        """Learn from one batch, and return its numbers as `measure` gives them.

            zero      forget the gradients of the batch before: `self.optimizer.zero_grad()`
            forward   outputs = model(inputs), loss = loss_fn(outputs, targets)
            backward  the gradient of the loss with respect to every parameter
            clip      where `self.clip_norm` is not None: `clip_grad_norm_` over the model's parameters
            step      `self.optimizer.step()`

        The order is all there is to it. Clipping has to come when the gradients are there and not yet used,
        zeroing when they are no longer needed. Between forward and backward, `self.require_finite(loss)` (given)
        stops a run whose loss is nan. The numbers are those from before the step.

        With y = w x, x = 2, target 7 and w = 3: loss (6 - 7)^2 = 1, gradient 2 (6 - 7) 2 = -4, w = 3 + 0.5 * 4.

        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 3
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.5), MSELoss())
        >>> trainer.train_step(tensor([[2.0]]), tensor([[7.0]])), model.weight.item()
        ({'loss': 1.0}, 5.0)

        About nine lines.
        """
        self.optimizer.zero_grad()
        outputs = self.model(inputs)
        loss = self.loss_fn(outputs, targets)
        self.require_finite(loss)
        loss.backward()
        if self.clip_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        return self.measure(outputs, targets, loss)

    # ---- One epoch ----

    def train_epoch(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Learn from every batch once, in the order in which they come, and return the averages of their numbers.

        The model is in training mode: `self.model.train()`. Each batch is a `train_step`, then
        `self.step_schedule("batch")` (given) moves the schedule where it goes by batches. The numbers are averaged
        over examples with `Averages`; `len(targets)` is how many a batch has. `pairs(batches)` (given) goes
        through the batches and refuses what is none.

        The model gets better from batch to batch, so these averages mix many models, most of them worse than the
        last: that is why a training loss may lie above the validation loss of the same epoch.

        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 3
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.5), MSELoss())
        >>> trainer.train_epoch([(tensor([[2.0]]), tensor([[7.0]])), (tensor([[1.0], [1.0]]), tensor([[5.0], [5.0]]))])
        {'loss': 0.3333333333333333}

        About seven lines.
        """
        self.model.train()
        averages = Averages()
        for inputs, targets in pairs(batches):
            averages.add(self.train_step(inputs, targets), len(targets))
            self.step_schedule("batch")
        return averages.result()

    def step_schedule(self, unit: str) -> None:
        """Step the schedule, if there is one and `unit` is what it goes by (given)."""
        if self.scheduler is not None and self.schedule_by == unit:
            self.scheduler.step()

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The averages of loss and metrics over all batches, for the model as it is.

        Nothing is learnt and nothing changes: the model computes inside `evaluating(self.model)`, so asking twice
        gives the same answer twice. Averages, `measure` and `pairs` as in `train_epoch`.

        >>> model = Sequential(Linear(1, 1, bias=False), Dropout(0.5))
        >>> model[0].weight.data[...] = 3
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.5), MSELoss())
        >>> trainer.evaluate([(tensor([[2.0]]), tensor([[7.0]])), (tensor([[1.0], [1.0]]), tensor([[5.0], [5.0]]))])
        {'loss': 3.0}
        >>> model.training
        True

        About seven lines.
        """
        averages = Averages()
        with evaluating(self.model):
            for inputs, targets in pairs(batches):
                outputs = self.model(inputs)
                loss = self.loss_fn(outputs, targets)
                averages.add(self.measure(outputs, targets, loss), len(targets))
        return averages.result()

    def run_epoch(self, batches: Iterable[Batch], validation: Iterable[Batch] | None) -> dict[str, float]:
        """One whole epoch: learn, measure, and let the schedule take its step. Returns the epoch's numbers.

            {"lr": ..., "loss": ..., metrics ..., "validation_loss": ..., "validation_" metrics ...}

        "lr" is the rate of the first parameter group as the epoch began, the rest comes from `train_epoch` and,
        where there is validation data, from `evaluate`, with "validation_" before every name. The schedule moves
        last, by `self.step_schedule("epoch")` (given): its new rate is for the next epoch.

        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 3
        >>> optimizer = SGD(model.parameters(), lr=0.5)
        >>> trainer = Trainer(model, optimizer, MSELoss(), StepLR(optimizer, step_size=1, gamma=0.5))
        >>> trainer.run_epoch([(tensor([[2.0]]), tensor([[7.0]]))], [(tensor([[1.0]]), tensor([[5.0]]))])
        {'lr': 0.5, 'loss': 1.0, 'validation_loss': 0.0}
        >>> optimizer.param_groups[0]["lr"]
        0.25

        About six lines.
        """
        values = {"lr": float(self.optimizer.param_groups[0]["lr"]), **self.train_epoch(batches)}
        if validation is not None:
            values |= {f"validation_{name}": value for name, value in self.evaluate(validation).items()}
        self.step_schedule("epoch")
        return values

    # ---- One run ----

    def parts(self, early_stopping: EarlyStopping | None, *loaders: Any) -> dict[str, Any]:
        """Everything that a run must find again to go on as if nothing had happened: name -> object with a state.

            "trainer"         this trainer: its history, and how many epochs are finished
            "model"           the weights
            "optimizer"       what it remembers of every parameter, and the rates
            "scheduler"       where it stands on its curve; only where there is one
            "early_stopping"  the best weights so far, and how long ago; only where it is used
            "random"          `Generators(*loaders)` (given): which numbers Dropout and shuffling draw next

        Whatever is left out starts anew after an interruption, and the run becomes another run: without the
        optimiser Adam counts from 1 again, without the random state the same examples come in another order.

        >>> trainer = Trainer(model := Linear(1, 1), SGD(model.parameters()), MSELoss())
        >>> sorted(trainer.parts(None))
        ['model', 'optimizer', 'random', 'trainer']

        About seven lines.
        """
        found = {"trainer": self, "model": self.model, "optimizer": self.optimizer, "random": Generators(*loaders)}
        if self.scheduler is not None:
            found["scheduler"] = self.scheduler
        if early_stopping is not None:
            found["early_stopping"] = early_stopping
        return found

    def fit(
        self,
        batches: Iterable[Batch],
        epochs: int,
        validation: Iterable[Batch] | None = None,
        *,
        early_stopping: EarlyStopping | None = None,
        checkpoint: FilePath | None = None,
        resume: bool = False,
        on_epoch: Callable[[int, dict[str, float]], Any] | None = None,
    ) -> dict[str, list[float]]:
        """Train for a number of epochs, and return the history.

        `batches` and `validation` are gone through once per epoch: a list of pairs (inputs, targets), or a
        DataLoader. After each `run_epoch`, in this order:
        - `self.remember(values)` (given) writes its numbers into the history and counts the epoch as finished;
        - `early_stopping`, where it is used, is told its number: `values[early_stopping.monitor]`;
        - where `checkpoint` names a file, `save_checkpoint(checkpoint, **parts)` saves all parts, so that the file
          always holds the last finished epoch, and that epoch is all of it;
        - `on_epoch(epoch, values)`, where it is given, is called with the number of finished epochs.

        The run ends after `epochs` epochs, or as soon as `early_stopping.stopped`. Then
        `early_stopping.restore(model)` brings back the best weights, however the run ended.

        With `resume=True` a run goes on where its checkpoint stands, and does the epochs that are left; without
        such a file it begins. So the same script can be started again and again until it is through. All of
        this, with the look at the arguments, is in `self.begin(...)` (given), which returns at how many finished
        epochs the run ends.

        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 4
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.25), MSELoss())
        >>> trainer.fit([(tensor([[1.0]]), tensor([[0.0]]))], epochs=3)
        {'lr': [0.25, 0.25, 0.25], 'loss': [16.0, 4.0, 1.0]}

        About fourteen lines.
        """
        parts = self.parts(early_stopping, batches, validation)
        last = self.begin(batches, epochs, validation, early_stopping, checkpoint, resume, parts)
        while self.epoch < last and not (early_stopping is not None and early_stopping.stopped):
            values = self.run_epoch(batches, validation)
            self.remember(values)
            if early_stopping is not None:
                early_stopping.update(values[early_stopping.monitor], self.model)
            if checkpoint is not None:
                save_checkpoint(checkpoint, **parts)
            if on_epoch is not None:
                on_epoch(self.epoch, values)
        if early_stopping is not None:
            early_stopping.restore(self.model)
        return self.history

    def begin(
        self,
        batches: Any,
        epochs: int,
        validation: Any,
        early_stopping: EarlyStopping | None,
        checkpoint: FilePath | None,
        resume: bool,
        parts: Mapping[str, Any],
    ) -> int:
        """Look at what `fit` was given, then begin a run or go on with one; at how many epochs it ends (given).

        A run that begins saves its parts at once: a folder that cannot be written to is found before the first
        epoch, and an interruption during it can go back to the start.
        """
        if epochs < 0:
            raise ValueError(f"epochs is at least 0, not {epochs}")
        if resume and checkpoint is None:
            raise ValueError("resume=True needs a checkpoint, the file to go on from")
        if any(isinstance(each, types.GeneratorType) for each in (batches, validation)):
            raise TypeError("a generator can be gone through only once: give fit a list of batches, or a DataLoader")
        measured = ["loss", *self.metrics]
        names = ["lr", *measured, *(f"validation_{name}" for name in measured if validation is not None)]
        if early_stopping is not None and early_stopping.monitor not in names:
            raise ValueError(f"early stopping watches {early_stopping.monitor!r}, and fit measures {', '.join(names)}")
        if checkpoint is not None and resume and Path(checkpoint).exists():
            self._go_on(checkpoint, parts)
        else:
            self.first_epoch = self.epoch
            if early_stopping is not None:
                early_stopping.reset()
            if checkpoint is not None:
                save_checkpoint(checkpoint, **parts)
        return self.first_epoch + epochs

    def _go_on(self, checkpoint: FilePath, parts: Mapping[str, Any]) -> None:
        saved = load_checkpoint(checkpoint)
        if set(saved) != set(parts):
            told = f"holds {_names(saved)}, and this run has {_names(parts)}"
            raise ValueError(f"{os.fspath(checkpoint)} {told}: go on with the settings that it was saved with")
        _load_parts(checkpoint, saved, parts)

    def remember(self, values: Mapping[str, float]) -> None:
        """Write the numbers of a finished epoch into the history (given)."""
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)
        self.epoch += 1

    def state_dict(self) -> dict[str, Any]:
        """How far the run has come, and its record (given)."""
        history = {name: list(numbers) for name, numbers in self.history.items()}
        return {"epoch": self.epoch, "first_epoch": self.first_epoch, "history": history}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a saved run stopped (given).

        Raises:
            ValueError: the state is no trainer's.
        """
        if set(state_dict) != set(self.state_dict()):
            raise ValueError(f"not the state of a Trainer: it has {_names(state_dict)}")
        self.epoch, self.first_epoch = state_dict["epoch"], state_dict["first_epoch"]
        self.history = {name: list(numbers) for name, numbers in state_dict["history"].items()}
