"""Data: from arrays, files and streams to a sequence of shuffled mini-batches.

A data set says how many items it has and gives the one that it is asked for. A loader decides which items, in which
order, how many at a time, and makes tensors of them. Between the two stands nothing but numbers of items, so every
data set works with every loader, also one that does not fit into memory.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from queue import SimpleQueue
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .tensor import Tensor, as_tensor, default_generator, from_numpy, stack

Generator: TypeAlias = np.random.Generator
Indices: TypeAlias = NDArray[np.int64]


def generator_or_default(generator: Generator | None) -> Generator:
    """The generator that was given, or the course's own, which `manual_seed` starts again (given)."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"generator is an np.random.Generator, as np.random.default_rng(0) makes, not {generator!r}")
    return generator


# ---- Data sets ---------------------------------------------------------------------------------------------


class Dataset:
    """Items that are known by number: `len(dataset)` says how many, `dataset[i]` gives one (given).

    A data set of your own is a subclass with these two methods. A third one is optional: `__getitems__(indices)` gives
    several items at once, where that is faster than one by one.

    PyTorch: https://pytorch.org/docs/stable/data.html
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must have a method __getitem__")


class IterableDataset(Dataset):
    """Items that come one after another, such as lines of a log: `iter(dataset)` is all there is (given).

    How many there are nobody knows, and none can be asked for by number. A subclass has the method `__iter__`.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must have a method __iter__")


def require_equal(what: str, values: Sequence[Any]) -> None:
    """Raise ValueError, with the first two that differ, unless all values are equal (given).

    >>> require_equal("length", [4, 4, 5])
    Traceback (most recent call last):
    ValueError: all must have the same length, but there are 4 and 5
    """
    for value in values:
        if value != values[0]:
            raise ValueError(f"all must have the same {what}, but there are {values[0]} and {value}")


class TensorDataset(Dataset):
    """Tensors side by side: item i is row i of each, such as an image and its label.

    >>> pairs = TensorDataset(Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), Tensor([10, 20, 30]))
    >>> len(pairs), pairs[1]
    (3, (tensor([3., 4.]), tensor(20)))
    """

    def __init__(self, *tensors: Tensor) -> None:
        """Keep the tensors, as a tuple, in `self.tensors`.

        Item i consists of one row of each, so all have the same length (size of the first dimension): otherwise
        ValueError that names two lengths. No tensor at all is a ValueError, too.

        >>> TensorDataset(Tensor([[1.0], [2.0], [3.0]]), Tensor([10, 20]))
        Traceback (most recent call last):
        ValueError: all must have the same length, but there are 3 and 2

        About four lines, with `require_equal` (above).
        """
        if not tensors:
            raise ValueError("a TensorDataset needs at least one tensor")
        require_equal("length", [len(x) for x in tensors])
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """One item: a tuple with the row `index` of every tensor.

        Always a tuple, also if there is one tensor only. Rows with the same number belong together, and no shuffling
        will ever part them: it moves numbers, not rows.

        >>> TensorDataset(Tensor([[1, 2], [3, 4]]), Tensor([10, 20]))[1]
        (tensor([3, 4]), tensor(20))
        >>> TensorDataset(Tensor([[1, 2], [3, 4]]))[0]
        (tensor([1, 2]),)

        One line. As `torch.utils.data.TensorDataset`.
        """
        return tuple(x[index] for x in self.tensors)

    def __getitems__(self, indices: Indices) -> TensorDataset:
        """Several items at once: a smaller TensorDataset, whose tensors hold the rows `indices`, in that order.

        A TensorDataset *is* a sequence of items, but it stores them column by column, as the batch that becomes of
        them. For 64 items that is one index with 64 numbers per tensor, where `[self[i] for i in indices]` would cut
        out 64 rows, only to stack them again.

        >>> some = TensorDataset(Tensor([[1, 2], [3, 4], [5, 6]]), Tensor([10, 20, 30])).__getitems__([2, 0])
        >>> len(some), some[0]
        (2, (tensor([5, 6]), tensor(30)))
        >>> some.tensors[0]
        tensor([[5, 6],
                [1, 2]])

        One line.
        """
        return TensorDataset(*(x[indices] for x in self.tensors))


class Subset(Dataset):
    """Some items of another data set: item i of the subset is item `indices[i]` of the other."""

    def __init__(self, dataset: Any, indices: Sequence[int] | Indices) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices)
        if self.indices.size and self.indices.dtype.kind not in "iu":
            raise TypeError(f"the indices of a subset are integers, not {self.indices.dtype}")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        """One item of the other data set: the one that stands at `index` in the list `self.indices`.

        Nothing is copied: a subset of a terabyte is as small as its list of numbers.

        >>> some = Subset(["a", "b", "c", "d"], [3, 1])
        >>> some[0], some[1], len(some)
        ('d', 'b', 2)
        >>> Subset(some, [1])[0]
        'b'

        One line. As `torch.utils.data.Subset`.
        """
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Indices) -> Any:
        """Several items at once, by the other data set's own fast way if it has one (given)."""
        return fetch(self.dataset, self.indices[indices])


def fetch(dataset: Any, indices: Indices) -> Any:
    """Several items of a data set, as a sequence.

    Where the data set has a method `__getitems__`, it is asked once, for all of them; it may be much faster. Anything
    else (a list, somebody's class with two methods) is asked for one item after another, with plain ints.

    >>> fetch(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    >>> type(fetch(TensorDataset(Tensor([1, 2, 3])), np.array([2, 0]))).__name__
    'TensorDataset'

    About three lines; `indices.tolist()` makes plain ints of NumPy's. See `__getitems__` in PyTorch's data sets.
    """
    if hasattr(dataset, "__getitems__"):
        return dataset.__getitems__(indices)
    return [dataset[i] for i in indices.tolist()]


# ---- Splits ------------------------------------------------------------------------------------------------


def split_lengths(lengths: Sequence[float], total: int) -> list[int]:
    """How many items each part of a split gets, given whole numbers or fractions.

    Whole numbers that add up to `total` are what they are. Fractions that add up to 1 become whole numbers: each part
    gets its share rounded down, and what is left over goes to the first parts, one item each. So no item is lost:

        0.8 and 0.2 of 9 items     7.2 and 1.8     ->  7 and 1, one is left  ->  8 and 1

    >>> split_lengths([0.8, 0.2], 9), 9 * 0.8, round(9 * 0.2, 1)
    ([8, 1], 7.2, 1.8)
    >>> split_lengths([7, 2], 9)
    [7, 2]

    Anything else (a sum that fits neither, a negative part) is a ValueError that names the lengths and the total.
    Fractions are rarely exact, so their sum is only nearly 1: `math.isclose`. About ten lines.
    """
    possible = all(part >= 0 for part in lengths)
    if possible and math.isclose(sum(lengths), 1):
        counts = [int(total * share) for share in lengths]
        for i in range(total - sum(counts)):
            counts[i] += 1
        return counts
    if not possible or sum(lengths) != total or any(part != int(part) for part in lengths):
        raise ValueError(
            f"{list(lengths)} does not split {total} items: give whole numbers that add up to {total}, "
            "or fractions that add up to 1"
        )
    return [int(part) for part in lengths]


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Split a data set at random into parts that do not overlap and leave nothing out.

    `lengths` are whole numbers or fractions, as in `split_lengths`. Every item goes to exactly one part: a test set
    that shares items with the training set measures memory, not learning. The same generator state gives the same
    split, so that tomorrow's test set is today's; None means the course's default.

    >>> parts = random_split(["a", "b", "c", "d", "e"], [0.6, 0.4], np.random.default_rng(1))
    >>> [len(part) for part in parts]
    [3, 2]
    >>> sorted(item for part in parts for item in part)
    ['a', 'b', 'c', 'd', 'e']

    Shuffle once, then cut: one permutation of all numbers (`generator.permutation`), and each part takes the next
    piece of it as a `Subset`. About four lines, with `generator_or_default`. As `torch.utils.data.random_split`.
    """
    counts = split_lengths(lengths, len(dataset))
    order = generator_or_default(generator).permutation(len(dataset))
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count : end]) for count, end in zip(counts, ends, strict=True)]


# ---- Data on disk ------------------------------------------------------------------------------------------


def open_array(path: str | PathLike[str]) -> NDArray[Any]:
    """The array in a .npy file, left where it is: read-only, and nothing of it read yet but the header.

    A memory map is a promise of the operating system: here are the file's bytes, at these addresses. When somebody
    touches one of them, the page around it (4 kB, as a rule) is fetched from disk, and pages that nobody uses are given
    up again when memory runs short. So the array may be larger than memory.

    Refused are files that are no array that NumPy wrote, cut off or damaged ones, and pickled objects, which would run
    code of whoever made the file: ValueError that names the path. Numbers of other kinds, such as text or complex ones,
    are a TypeError. What the system refuses (no such file) stays the OSError that it is.

    `np.lib.format.open_memmap(path, mode="r")` maps, and never unpickles; damaged files make it raise whatever they
    happen to hit. About nine lines, with `array.dtype.kind` in "fiub" (floats, integers, unsigned ones, booleans).
    """
    try:
        array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is no array that can be read in parts: {error}") from error
    if array.dtype.kind not in "fiub" or not array.dtype.isnative:
        raise TypeError(f"{path} holds {array.dtype}, and tensors hold numbers or booleans of this machine")
    return array


class MemmapDataset(Dataset):
    """Arrays in .npy files side by side, which may be larger than memory: item i is row i of each.

    As a `TensorDataset`, but the rows stay on disk until they are asked for.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    ...     rows, labels = pathlib.Path(folder, "rows.npy"), pathlib.Path(folder, "labels.npy")
    ...     np.save(rows, np.float32([[1, 2], [3, 4], [5, 6]]))
    ...     np.save(labels, np.int64([10, 20, 30]))
    ...     on_disk = MemmapDataset(rows, labels)
    ...     print(len(on_disk), on_disk[1], on_disk.__getitems__([2, 0]).tensors[1])
    ...     del on_disk
    3 (tensor([3., 4.]), tensor(20)) tensor([30, 10])
    """

    def __init__(self, *paths: str | PathLike[str]) -> None:
        if not paths:
            raise ValueError("a MemmapDataset needs at least one .npy file")
        self.arrays = [open_array(path) for path in paths]
        for path, array in zip(paths, self.arrays, strict=True):
            if array.ndim == 0:
                raise ValueError(f"{path} holds a single number: there are no rows to load")
        require_equal("length", [len(array) for array in self.arrays])

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """One item: a tuple with the row `index` of every array, as tensors with memory of their own.

        Slice first, then copy the slice: `array[index]` is still a window onto the file, from which nothing has been
        read and into which nobody may write. The copy is what fetches the row, and only the row.

        The dtype follows the course's rule: float64 becomes float32, everything else stays.

        One line; `Tensor(...)` copies.
        """
        return tuple(Tensor(array[index]) for array in self.arrays)

    def __getitems__(self, indices: Indices) -> TensorDataset:
        """Several items at once: a TensorDataset, in memory, of the rows `indices` of every array, in that order.

        One line; an index with several numbers reads those rows and no others.
        """
        return TensorDataset(*(Tensor(array[indices]) for array in self.arrays))


# ---- From items to a batch ---------------------------------------------------------------------------------


def stack_items(items: Sequence[Any]) -> Tensor:
    """Make one tensor of several numbers, arrays or tensors of one shape, along a new first dimension.

        64 items of shape (28, 28)  ->  (64, 28, 28)          64 numbers  ->  (64,)

    >>> stack_items([3, 1, 2]), stack_items([0.5, 1.0])
    (tensor([3, 1, 2]), tensor([0.5000, 1.0000]))
    >>> stack_items([np.array([1, 2]), np.array([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    >>> stack_items([Tensor([1.0, 2.0]), Tensor([3.0])])
    Traceback (most recent call last):
    ValueError: all must have the same shape, but there are (2,) and (1,)

    Items of different shapes cannot be a tensor: ValueError with two of the shapes. The dtype is that of the tensors;
    arrays and numbers get theirs from `Tensor(...)`.

    About six lines: `require_equal` and `np.shape`, then, by what the first item is, `stack` of module 01 for tensors,
    `np.stack` for arrays (64 tensors on the way to one would take longer), and `Tensor` takes a list of numbers.
    """
    require_equal("shape", [np.shape(item) for item in items])
    if isinstance(items[0], Tensor):
        return stack([as_tensor(item) for item in items])
    return Tensor(np.stack(items) if isinstance(items[0], np.ndarray) else items)


def default_collate(items: Any) -> Any:
    """Make a batch of several items: the structure of an item stays, and its numbers become tensors.

        [(image, label), (image, label), ...]   ->  (images, labels)
        [{"x": 1, "y": 2}, {"x": 3, "y": 4}]    ->  {"x": tensor([1, 3]), "y": tensor([2, 4])}

    The rule in full, by what the first item is:

        a Tensor, NumPy array, number or bool    one tensor, by `stack_items`
        text or bytes                            the list of them, as they are
        a dict                                   a dict: for each key the batch of its values
        a tuple, or a list                       a tuple, or a list: for each place the batch of what stands there
        anything else                            TypeError that names its type

    So it calls itself, and whatever items are nested of, the batch is nested of, too. Items of a batch must have the
    same keys, or the same length: ValueError. One case is ready made: a TensorDataset is the items column by column,
    and its `tensors` are the batch.

    >>> default_collate([(1, "one"), (2, "two")])
    (tensor([1, 2]), ['one', 'two'])
    >>> default_collate([{"x": [1, 0.5]}, {"x": [2, 1.5]}])
    {'x': [tensor([1, 2]), tensor([0.5000, 1.5000])]}

    `zip(*items)` turns a list of pairs into a pair of lists. About fifteen lines, with `require_equal`. Floats become
    float32, as everywhere here. As `torch.utils.data.default_collate`.
    """
    if isinstance(items, TensorDataset):
        return items.tensors
    first = items[0]
    if isinstance(first, Tensor | np.ndarray | np.number | np.bool_ | int | float):
        return stack_items(items)
    if isinstance(first, str | bytes):
        return list(items)
    if isinstance(first, Mapping):
        require_equal("keys", [set(item) for item in items])
        return {key: default_collate([item[key] for item in items]) for key in first}
    if isinstance(first, tuple | list):
        require_equal("length", [len(item) for item in items])
        batch = [default_collate(field) for field in zip(*items, strict=True)]
        return same_kind(first, batch)
    raise TypeError(f"a batch is made of tensors, arrays, numbers, text, dicts, tuples and lists, not {type(first)}")


def same_kind(sample: tuple[Any, ...] | list[Any], fields: list[Any]) -> Any:
    """The fields as what `sample` is: a list, a tuple, or a named tuple of its own type (given)."""
    if isinstance(sample, list):
        return fields
    return type(sample)(*fields) if hasattr(sample, "_fields") else tuple(fields)


# ---- The loader --------------------------------------------------------------------------------------------


class DataLoader:
    """The batches of a data set, once through for every `for` loop.

    `dataset` has a length and gives items by number, or it is an IterableDataset, whose items are taken as they come.
    `shuffle` draws a new order for every pass from `generator` (None: the course's default). `drop_last` leaves out a
    last batch that is not full. `collate_fn` makes a batch of a sequence of items. With `prefetch=n` a thread makes
    up to n batches ahead, while the loop works on the one that it has.

    >>> loader = DataLoader(TensorDataset(Tensor([1, 2, 3, 4, 5]), Tensor([10, 20, 30, 40, 50])), batch_size=2)
    >>> for x, y in loader:
    ...     print(x, y)
    tensor([1, 2]) tensor([10, 20])
    tensor([3, 4]) tensor([30, 40])
    tensor([5]) tensor([50])

    A transform that draws random numbers runs in that thread. Give it a generator of its own, for two threads that
    draw from one generator take turns in an order that no seed decides.

    PyTorch: https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        collate_fn: Callable[[Any], Any] | None = None,
        generator: Generator | None = None,
        prefetch: int = 0,
    ) -> None:
        require_whole("batch_size", batch_size, 1)
        require_whole("prefetch", prefetch, 0)
        if isinstance(dataset, IterableDataset):
            if shuffle:
                raise ValueError("shuffle=True needs items with numbers, and an IterableDataset has none")
        elif len(dataset) == 0:
            raise ValueError(f"there is nothing to load: the {type(dataset).__name__} is empty")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        self.generator = generator_or_default(generator)
        self.prefetch = prefetch

    def __len__(self) -> int:
        """How many batches one pass gives.

        With n items in batches of b, n / b rounded up: what is left over makes a last, smaller batch. With
        `drop_last` rounded down.

        >>> len(DataLoader(range(10), batch_size=3)), len(DataLoader(range(10), batch_size=3, drop_last=True))
        (4, 3)
        >>> len(DataLoader(range(9), batch_size=3)), len(DataLoader(range(9), batch_size=3, drop_last=True))
        (3, 3)

        Two lines; `divmod` gives quotient and remainder in whole numbers. A stream has no `len`, and neither has its
        loader: the TypeError that `len(self.dataset)` raises is right.
        """
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + 1 if rest and not self.drop_last else full

    def order(self) -> Indices:
        """The numbers of all items, as an array, in the order of one pass.

        That is 0, 1, 2, ... or, with `shuffle`, a new permutation of them at every call, drawn from
        `self.generator`. So every pass sees every item once, each pass in another order, and a generator in the same
        state gives the same one: that is how a training that was interrupted goes on as if nothing had happened.

        >>> DataLoader(["a", "b", "c"]).order()
        array([0, 1, 2])
        >>> loader = DataLoader(range(100), shuffle=True, generator=np.random.default_rng(7))
        >>> first, second = loader.order(), loader.order()
        >>> sorted(first) == list(range(100)), list(first) == list(second)
        (True, False)

        Why shuffle numbers, and not the data? Because an image and its label, or a terabyte on disk, stay where they
        are. About three lines.
        """
        count = len(self.dataset)
        return self.generator.permutation(count) if self.shuffle else np.arange(count)

    def index_batches(self) -> Iterator[Indices]:
        """The order of one pass, cut into pieces of `batch_size` numbers.

        The last piece may be shorter; `drop_last` leaves it out then (a full one stays).

        >>> [piece.tolist() for piece in DataLoader(range(5), batch_size=2).index_batches()]
        [[0, 1], [2, 3], [4]]
        >>> [piece.tolist() for piece in DataLoader(range(5), batch_size=2, drop_last=True).index_batches()]
        [[0, 1], [2, 3]]

        Ask `order` once. About five lines, with `range(start, stop, step)` and `yield`.
        """
        order = self.order()
        end = len(order) - len(order) % self.batch_size if self.drop_last else len(order)
        for start in range(0, end, self.batch_size):
            yield order[start : start + self.batch_size]

    def item_batches(self) -> Iterator[list[Any]]:
        """The items of a stream (`self.dataset`) in lists of `batch_size`, as they come.

        The last list may be shorter; `drop_last` leaves it out then. No more items are taken than the next list
        needs: a stream may never end.

        >>> class Countdown(IterableDataset):
        ...     def __iter__(self):
        ...         yield from (5, 4, 3, 2, 1)
        >>> list(DataLoader(Countdown(), batch_size=2).item_batches())
        [[5, 4], [3, 2], [1]]
        >>> list(DataLoader(Countdown(), batch_size=2, drop_last=True).item_batches())
        [[5, 4], [3, 2]]

        About four lines. `list(itertools.islice(iterator, n))` takes the next n items, or fewer, or none.
        """
        items = iter(self.dataset)
        while batch := list(itertools.islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __iter__(self) -> Iterator[Any]:
        """One pass over the data, from its beginning: an iterator over batches.

        Every call starts a new pass with a state of its own. Two loops over one loader, one after the other or one
        inside the other, both see everything.

        A batch is what `self.collate_fn` makes of several items: of a list from `item_batches` if the data set is an
        IterableDataset, otherwise of what `fetch` gives for the numbers from `index_batches`. Each is made when it is
        due and not before. With `prefetch`, `prefetched` (below) makes them ahead.

        >>> loader = DataLoader([1.0, 2.0, 4.0], batch_size=2, collate_fn=sum)
        >>> [batch for batch in loader], [batch for batch in loader]
        ([3.0, 4.0], [3.0, 4.0])

        About six lines. `(f(x) for x in xs)` is an iterator that calls f when it is asked for the next.
        """
        if isinstance(self.dataset, IterableDataset):
            batches = (self.collate_fn(items) for items in self.item_batches())
        else:
            batches = (self.collate_fn(fetch(self.dataset, indices)) for indices in self.index_batches())
        return prefetched(batches, self.prefetch) if self.prefetch else batches


def require_whole(name: str, value: Any, least: int) -> None:
    """Raise ValueError unless the value is an int, and no bool, of at least `least` (given)."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")


def prefetched(batches: Iterator[Any], ahead: int) -> Iterator[Any]:
    """The same batches in the same order, made by a thread that is up to `ahead` of them in front.

    While the loop computes with one batch, the thread reads the next ones. Where both take equally long, a pass takes
    half the time. (Python runs one thread at a time, but reading, unpacking and matrix products let the other run.)

    The contract is what makes threads hard:

        in order       every batch comes once, in the order of `batches`
        bounded        beyond the batch that the loop has, at most `ahead` are made
        errors         what `batches` raises is raised here, after the batches before it: the same exception object,
                       so that its traceback shows the line that failed
        no leftovers   however the loop ends (at the end, by `break`, by an error), the thread has ended, too

    >>> list(prefetched(iter([1, 2, 3]), ahead=2))
    [1, 2, 3]
    >>> for batch in prefetched(iter(range(1_000_000)), ahead=2):
    ...     break
    >>> [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]
    []

    The parts: a `threading.Semaphore(ahead)` counts free places, the thread acquires one before each batch, and the
    loop releases one for each that it takes. A `SimpleQueue` hands batches over. A `threading.Event` tells the thread
    that nobody wants more. `yield` inside `try`, and `finally` runs when the loop is left. Name the thread
    "prefetch" and make it a daemon. About twenty lines.
    """
    room, ready, left = threading.Semaphore(ahead), SimpleQueue[Any](), threading.Event()

    def work() -> None:
        try:
            while room.acquire() and not left.is_set():
                ready.put((next(batches), None))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the loop must hear of it; StopIteration is the end
            ready.put((None, error))

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            batch, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            room.release()
            yield batch
    finally:
        left.set()
        room.release()  # the thread may be waiting for room
        thread.join()


# ---- Transforms: images (..., C, H, W) in, images out ------------------------------------------------------


def require_image(x: Any, fewest: int) -> None:
    """Refuse what is no tensor with at least so many dimensions (given)."""
    if not isinstance(x, Tensor):
        raise TypeError(f"transforms take a Tensor, not {type(x).__name__}")
    if x.ndim < fewest:
        raise ValueError(f"an image is {'(..., C, H, W)' if fewest == 3 else '(..., H, W)'}, and this is {x.shape}")


class Compose:
    """Several transforms as one, first to last (given). As `torchvision.transforms.Compose`.

    >>> Compose([lambda x: x + 1, lambda x: x * 10])(Tensor([1.0]))
    tensor([20.])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, x: Any) -> Any:
        """Apply each transform to what the one before it gave."""
        for transform in self.transforms:
            x = transform(x)
        return x


class RandomHorizontalFlip:
    """Mirrors an image, with probability p. As `torchvision.transforms.RandomHorizontalFlip`."""

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"a probability lies between 0 and 1, not at {p}")
        self.p = p
        self.generator = generator_or_default(generator)

    def __call__(self, x: Tensor) -> Tensor:
        """Exchange left and right in `self.p` of all calls; otherwise the image comes back as it is.

            x (..., H, W)  ->  (..., H, W)      the width is the last dimension

        One number is drawn from `self.generator` per call, and it decides for all that is in x: a batch is flipped
        whole or not at all. x itself is never changed, and the mirrored image has memory of its own.

        >>> RandomHorizontalFlip(p=1.0)(Tensor([[1, 2, 3], [4, 5, 6]]))
        tensor([[3, 2, 1],
                [6, 5, 4]])

        About four lines: `require_image(x, 2)`, a number in [0, 1) from `self.generator.random()`, a slice with step
        -1, and `clone`.
        """
        require_image(x, 2)
        if self.generator.random() < self.p:
            return x[..., ::-1].clone()
        return x


class RandomCrop:
    """Cuts a window out of an image at a random place. As `torchvision.transforms.RandomCrop`.

    `size` is one number, for a square, or (height, width). `padding` puts so many zeros around the image first.
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 0, generator: Generator | None = None) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        for number in self.size:
            require_whole("size", number, 1)
        require_whole("padding", padding, 0)
        self.padding = padding
        self.generator = generator_or_default(generator)

    def __call__(self, x: Tensor) -> Tensor:
        """Pad height and width with zeros, then cut out a window of `self.size`.

            x (..., H, W)  ->  (..., h, w)      with self.size = (h, w)

        Every place is equally likely, the last one included: after padding p there are H + 2p - h + 1 rows at which
        the window can begin. The same window is cut from everything in x. Where it does not fit, ValueError with the
        window and the padded size.

        >>> x = Tensor([[1, 2], [3, 4]])
        >>> crop = RandomCrop(2, padding=1, generator=np.random.default_rng(3))
        >>> crop(x), crop(x)
        (tensor([[0, 3],
                [0, 0]]), tensor([[0, 0],
                [0, 1]]))
        >>> RandomCrop((2, 3))(x)
        Traceback (most recent call last):
        ValueError: a window (2, 3) does not fit into an image of (2, 2)

        About nine lines: `require_image(x, 2)`, `np.pad` of `x.data` with a pair of widths per dimension, two numbers
        from `self.generator.integers(0, places)`, and `from_numpy`. (`np.pad` always makes a new array.)
        """
        require_image(x, 2)
        around = (self.padding, self.padding)
        padded = np.pad(x.data, [(0, 0)] * (x.ndim - 2) + [around, around])
        room = [there - wanted for there, wanted in zip(padded.shape[-2:], self.size, strict=True)]
        if min(room) < 0:
            raise ValueError(f"a window {self.size} does not fit into an image of {padded.shape[-2:]}")
        top, left = (int(self.generator.integers(0, most + 1)) for most in room)
        height, width = self.size
        return from_numpy(padded[..., top : top + height, left : left + width])


class Normalize:
    """Brings every channel to mean 0 and standard deviation 1. As `torchvision.transforms.Normalize`.

    `mean` and `std` are one number per channel, measured on the training set.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean, self.std = np.atleast_1d(mean), np.atleast_1d(std)
        if self.mean.ndim > 1 or self.mean.shape != self.std.shape:
            raise ValueError(f"one mean and one std per channel, not shapes {self.mean.shape} and {self.std.shape}")
        if not (self.std > 0).all():
            raise ValueError(f"every std must be above 0, and these are {self.std.tolist()}")

    def __call__(self, x: Tensor) -> Tensor:
        """Take each channel's mean away, then divide by its standard deviation.

            x (..., C, H, W)  ->  (..., C, H, W)      y = (x - mean[c]) / std[c] in channel c

        The same numbers serve training and test data: they belong to the model as much as its weights do. A number of
        channels that is not that of `mean` (or 1) is a ValueError with both; anything but floats is a TypeError, since
        whole numbers would be rounded (convert images of bytes with `to`, and divide by 255).

        >>> Normalize([1.0, 10.0], [0.5, 5.0])(Tensor([[[1.0, 2.0]], [[10.0, 20.0]]]))
        tensor([[[0., 2.]],
        <BLANKLINE>
                [[0., 2.]]])

        About eight lines: `require_image(x, 3)`, the two refusals, and Tensor arithmetic with `self.mean` and
        `self.std` in shape (C, 1, 1) and the dtype of x, so that they line up with the channels.
        """
        require_image(x, 3)
        if x.dtype.kind != "f":
            raise TypeError(f"Normalize takes floats, not {x.dtype}: convert them with to()")
        if len(self.mean) not in (1, x.shape[-3]):
            raise ValueError(f"{len(self.mean)} means do not fit {x.shape}, an image with {x.shape[-3]} channels")
        mean, std = (Tensor(numbers, dtype=x.dtype).reshape(-1, 1, 1) for numbers in (self.mean, self.std))
        return (x - mean) / std
