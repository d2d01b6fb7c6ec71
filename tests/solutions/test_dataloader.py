"""Module 08's solutions: PyTorch's batches where it is installed, data larger than memory, clear refusals."""

from __future__ import annotations

import collections
import gc
import itertools
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import DATALOADER, TENSOR
from tests.prose.examples import solution
from tools import SOLUTIONS

Point = collections.namedtuple("Point", "x y")


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(DATALOADER)


@pytest.fixture(scope="module")
def data() -> Any:
    pytest.importorskip("torch", reason="PyTorch, the authority of these tests, is not installed")
    return pytest.importorskip("torch.utils.data")


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def rng(seed: int = 8) -> np.random.Generator:
    return np.random.default_rng(seed)


def plain(batch: Any) -> Any:
    """A batch of either side as nested lists, with dtypes. PyTorch has float64 of Python's floats, lists of tuples."""
    if isinstance(batch, tuple | list):
        return [plain(part) for part in batch]
    if isinstance(batch, dict):
        return {key: plain(part) for key, part in batch.items()}
    if not hasattr(batch, "numpy"):
        return batch
    array = batch.numpy()
    return str(array.dtype).replace("float64", "float32"), np.float64(array).round(6).tolist()


# ---- beside PyTorch ----


@pytest.mark.parametrize(
    "items",
    [
        [3, 1, 2],
        [0.5, 1.5],
        [True, False],
        list(np.array([[1, 2], [3, 4]], np.float32)),
        list(np.array([[1, 2], [3, 4]], np.uint8)),
        list(np.array([[1, 2], [3, 4]], np.int32)),
        [np.zeros((2, 3)), np.ones((2, 3))],
        [np.float32(1.5), np.float32(2.5)],
        [np.int64(1), np.int64(2)],
        ["a", "b"],
        [b"a", b"b"],
        [(1, "a"), (2, "b")],
        [[1, 0.5], [2, 1.5]],
        [{"x": 1, "y": (2.0, "t")}, {"x": 3, "y": (4.0, "u")}],
        [Point(1, (2, np.ones(2))), Point(3, (4, np.zeros(2)))],
        [()],
        [{}],
    ],
    ids=str,
)
def test_collate(ours: Any, data: Any, items: list[Any]) -> None:
    assert plain(ours.default_collate(items)) == plain(data.default_collate(items))


def test_collate_keeps_the_type_of_a_named_tuple(ours: Any) -> None:
    batch = ours.default_collate([Point(1, 2), Point(3, 4)])
    assert type(batch) is Point
    assert batch.y.tolist() == [2, 4]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("count", "size"), [(1, 1), (7, 3), (9, 3), (2, 5), (64, 64), (65, 64)])
def test_batches_in_turn(ours: Any, tensor: Any, data: Any, count: int, size: int, drop_last: bool) -> None:
    torch = pytest.importorskip("torch")
    x, y = rng().random((count, 2), dtype=np.float32), np.arange(count)
    mine = ours.DataLoader(ours.TensorDataset(tensor(x), tensor(y)), batch_size=size, drop_last=drop_last)
    theirs = data.DataLoader(data.TensorDataset(torch.tensor(x), torch.tensor(y)), batch_size=size, drop_last=drop_last)
    assert len(mine) == len(theirs)
    assert [plain(batch) for batch in mine] == [plain(batch) for batch in theirs]


@pytest.mark.filterwarnings("ignore:Length of split at index")  # PyTorch's, of parts without items
@pytest.mark.parametrize("count", [1, 2, 3, 10, 31, 100, 1000])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.1, 0.1), (0.7, 0.2, 0.1), (1.0,), (0.0, 1.0), (0.1,) * 10])
def test_lengths_of_splits(ours: Any, data: Any, count: int, shares: tuple[float, ...]) -> None:
    mine = ours.random_split(range(count), shares)
    assert [len(part) for part in mine] == [len(part) for part in data.random_split(range(count), shares)]
    assert sorted(int(i) for part in mine for i in part) == list(range(count))


def test_a_stream(ours: Any, data: Any) -> None:
    def batches(library: Any, drop_last: bool) -> list[Any]:
        class Stream(library.IterableDataset):  # type: ignore[misc]  # one of two libraries
            def __iter__(self) -> Iterator[int]:
                return iter(range(7))

        loader = library.DataLoader(Stream(), batch_size=3, drop_last=drop_last)
        return [plain(batch) for batch in loader]

    for drop_last in (False, True):
        assert batches(ours, drop_last) == batches(data, drop_last)


def test_a_loader_over_a_stream_of_known_length(ours: Any) -> None:
    class Stream(ours.IterableDataset):  # type: ignore[misc]  # loaded by location
        def __iter__(self) -> Iterator[int]:
            return iter(range(7))

    with pytest.raises(TypeError, match="no len"):
        len(ours.DataLoader(Stream()))
    Stream.__len__ = lambda self: 7
    assert len(ours.DataLoader(Stream(), batch_size=2)) == 4


# ---- order ----


def labels(loader: Any) -> list[int]:
    return [int(n) for _, y in loader for n in y.data]


@pytest.fixture
def pairs(ours: Any, tensor: Any) -> Any:
    return ours.TensorDataset(tensor(np.arange(50) * 2), tensor(np.arange(50)))


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_a_pass_that_begins_in_the_same_state_is_the_same(ours: Any, pairs: Any, prefetch: int) -> None:
    loader = ours.DataLoader(pairs, batch_size=8, shuffle=True, generator=rng(), prefetch=prefetch)
    passes = [labels(loader)]
    state = loader.generator.bit_generator.state
    passes += [labels(loader), labels(loader)]
    loader.generator.bit_generator.state = state
    assert [labels(loader), labels(loader)] == passes[1:]
    assert all(sorted(each) == list(range(50)) for each in passes)
    assert len({tuple(each) for each in passes}) == 3


def test_without_a_generator_it_is_the_courses_own(ours: Any, pairs: Any) -> None:
    home = solution(TENSOR)
    loader = ours.DataLoader(pairs, batch_size=8, shuffle=True)
    assert loader.generator is home.default_generator
    home.manual_seed(3)
    first = labels(loader)
    home.manual_seed(3)
    assert labels(ours.DataLoader(pairs, batch_size=5, shuffle=True)) == first


def test_a_pass_in_turn_draws_nothing(ours: Any, pairs: Any) -> None:
    generator = rng()
    list(ours.DataLoader(pairs, generator=generator))
    assert generator.bit_generator.state == rng().bit_generator.state


def test_numpys_own_random_numbers_are_left_alone(ours: Any, pairs: Any) -> None:
    before: Any = np.random.get_state()  # noqa: NPY002 -- that nobody uses it is the point
    list(ours.DataLoader(pairs, shuffle=True))
    ours.random_split(pairs, [0.5, 0.5])
    after: Any = np.random.get_state()  # noqa: NPY002 -- as above
    assert np.array_equal(before[1], after[1])


def test_a_batch_has_memory_of_its_own(ours: Any, pairs: Any) -> None:
    for x, _ in ours.DataLoader(pairs, batch_size=50):
        x.data[...] = -1
    assert pairs.tensors[0].data[1] == 2


def test_subsets_of_subsets_keep_the_fast_way(ours: Any, pairs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours.TensorDataset, "__getitem__", None)
    part = ours.Subset(ours.Subset(pairs, range(10, 40)), [5, 1])
    ((x, y),) = ours.DataLoader(part, batch_size=2)
    assert (x.tolist(), y.tolist()) == ([30, 22], [15, 11])


def test_a_collate_function_gets_a_sequence_of_items(ours: Any, pairs: Any) -> None:
    def collate(items: Any) -> Any:
        return len(items), items[0][0].item(), [y.item() for _, y in items], len(list(zip(*items, strict=True)))

    assert next(iter(ours.DataLoader(pairs, batch_size=3, collate_fn=collate))) == (3, 0, [0, 1, 2], 2)


def test_a_stop_inside_an_item_does_not_end_the_pass(ours: Any) -> None:
    class Exhausted(ours.Dataset):  # type: ignore[misc]  # loaded by location
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            return next(iter(()))

    for prefetch in (0, 2):
        with pytest.raises(RuntimeError, match="StopIteration"):
            next(iter(ours.DataLoader(Exhausted(), prefetch=prefetch)))


# ---- the thread ----


def failing(ours: Any, at: int) -> Any:
    class Damaged(ours.Dataset):  # type: ignore[misc]  # loaded by location
        def __len__(self) -> int:
            return 10

        def __getitem__(self, i: int) -> int:
            return self.read(i)

        def read(self, i: int) -> int:
            if i == at:
                raise OSError(f"item {i} is damaged")
            return i

    return Damaged()


def test_an_error_shows_the_line_that_failed(ours: Any) -> None:
    batches = iter(ours.DataLoader(failing(ours, 5), batch_size=2, prefetch=2))
    assert [next(batches).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(OSError, match="item 5 is damaged") as caught:
        next(batches)
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][-2:] == ["__getitem__", "read"]


def test_a_loop_that_fails_leaves_no_thread_even_while_its_traceback_is_kept(ours: Any) -> None:
    kept = []
    try:
        for batch in ours.DataLoader(range(100), prefetch=3):
            assert batch.item() < 5
    except AssertionError as error:
        kept.append(error)
    assert kept
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_a_pass_that_is_never_begun_starts_no_thread(ours: Any) -> None:
    iterator = iter(ours.DataLoader(range(100), prefetch=3))
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    del iterator


def test_an_iterator_that_is_put_away_ends_its_thread(ours: Any) -> None:
    iterator = iter(ours.DataLoader(range(100), prefetch=3))
    next(iterator)
    del iterator
    gc.collect()


def test_many_loops_at_once(ours: Any) -> None:
    loader = ours.DataLoader(range(40), batch_size=4, prefetch=2)
    for a, b, c in itertools.islice(zip(loader, loader, loader, strict=True), 8):
        assert a.tolist() == b.tolist() == c.tolist()


def test_reading_and_computing_overlap(ours: Any) -> None:
    class Slow(ours.Dataset):  # type: ignore[misc]  # loaded by location
        def __len__(self) -> int:
            return 10

        def __getitem__(self, i: int) -> int:
            time.sleep(0.02)
            return i

    def seconds(prefetch: int) -> float:
        began = time.perf_counter()
        for _ in ours.DataLoader(Slow(), prefetch=prefetch):
            time.sleep(0.02)
        return time.perf_counter() - began

    assert seconds(2) < 0.8 * seconds(0)


# ---- files ----


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.npy"
    np.save(path, rng().random((20, 3), dtype=np.float32))
    return path


def test_a_file_gives_the_batches_of_its_array(ours: Any, tensor: Any, rows: Path) -> None:
    on_disk, in_memory = ours.MemmapDataset(str(rows)), ours.TensorDataset(tensor(np.load(rows)))
    for shuffle in (False, True):
        mine, theirs = (
            ours.DataLoader(d, batch_size=6, shuffle=shuffle, generator=rng(), prefetch=2) for d in (on_disk, in_memory)
        )
        assert [plain(batch) for batch in mine] == [plain(batch) for batch in theirs]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_dtype_and_order(ours: Any, tmp_path: Path, dtype: str, order: Any) -> None:
    array = np.asarray(rng().integers(0, 2, (5, 2, 3)).astype(dtype), order=order)
    np.save(tmp_path / "a.npy", array)
    data = ours.MemmapDataset(tmp_path / "a.npy")
    due = "float32" if dtype == "float64" else dtype
    for got, right in ((data[-1][0], array[-1]), (data.__getitems__([3, 1]).tensors[0], array[[3, 1]])):
        assert got.dtype == due
        np.testing.assert_array_equal(got.data, right)


HUGE = """
import resource, sys, importlib.util
import numpy as np
from pathlib import Path
LIMIT = 192 << 20
folder, path = Path(sys.argv[1]), sys.argv[2]
start, places = folder / "__init__.py", [str(folder)]
spec = importlib.util.spec_from_file_location(folder.name, start, submodule_search_locations=places)
tt = sys.modules[folder.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tt)
data = tt.MemmapDataset(path)
assert Path(path).stat().st_size > 2.5 * LIMIT
resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
try:
    np.load(path)
except MemoryError:
    print("reading it all: MemoryError")
total = seen = 0
loader = tt.DataLoader(data, batch_size=8, shuffle=True, generator=np.random.default_rng(0), prefetch=int(sys.argv[3]))
for (batch,) in loader:
    seen += len(batch)
    total += int(batch.data[:, 0].sum())
print("rows", seen, "sum", total)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process and not its maps")
@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_file_larger_than_the_memory_that_a_process_may_have(tmp_path: Path, prefetch: int) -> None:
    path = tmp_path / "huge.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(2_000, 1 << 16))  # mostly holes
    array[:, 0] = np.arange(2_000)
    array.flush()
    del array
    told = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-c", HUGE, str(SOLUTIONS), str(path), str(prefetch)],
        env={"OPENBLAS_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    path.unlink()
    assert told.returncode == 0, told.stderr
    assert told.stdout.split("\n")[:2] == ["reading it all: MemoryError", "rows 2000 sum 1999000"]


def spoil(path: Path, how: str) -> None:
    """Make another file of a good one."""
    content = path.read_bytes()
    contents = {"empty": b"", "header only": content[:128], "half a header": content[:70], "cut": content[:-1],
                "text": b"hours,passed\n1,0\n", "zip": b"PK\x03\x04" + content, "shape of nonsense":
                content.replace(b"(20, 3)", b"(-5, 3"), "version 9": b"\x93NUMPY\x09" + content[7:]}  # fmt: skip
    path.write_bytes(contents[how])


@pytest.mark.parametrize(
    "how",
    ["empty", "header only", "half a header", "cut", "text", "zip", "shape of nonsense", "version 9"],
)
def test_a_damaged_or_foreign_file_is_named(ours: Any, rows: Path, how: str) -> None:
    spoil(rows, how)
    with pytest.raises(ValueError, match=r"rows\.npy is no array that can be read in parts: ."):
        ours.MemmapDataset(rows)


def test_files_damaged_at_random_never_give_another_error(ours: Any, rows: Path) -> None:
    content, generator = rows.read_bytes(), rng()
    for _ in range(300):
        damaged = bytearray(content)
        for place in generator.integers(0, 128, 3):
            damaged[place] = generator.integers(256)
        rows.write_bytes(bytes(damaged))
        try:
            ours.open_array(rows)
        except (ValueError, TypeError) as error:
            assert "rows.npy" in str(error)  # noqa: PT017 -- most of them are refused, some are read


def test_a_pickle_is_not_opened(ours: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([Trap(str(tmp_path / "trap"))], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"objects\.npy is no array"):
        ours.MemmapDataset(tmp_path / "objects.npy")
    assert not (tmp_path / "trap").exists()


class Trap:
    """An object whose pickle writes a file when it is opened."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize(
    "array", [np.array(["a", "b"]), np.zeros(2, complex), np.zeros(2, "M8[s]"), np.zeros(2, "f4,i4")]
)
def test_files_of_other_things_than_numbers(ours: Any, tmp_path: Path, array: Any) -> None:
    np.save(tmp_path / "things.npy", array)
    with pytest.raises(TypeError, match=r"things\.npy holds .*, and tensors hold numbers or booleans"):
        ours.MemmapDataset(tmp_path / "things.npy")


def test_files_that_do_not_fit(ours: Any, rows: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "number.npy", np.float32(1))
    np.save(tmp_path / "fewer.npy", np.zeros(19))
    with pytest.raises(ValueError, match=r"number\.npy holds a single number"):
        ours.MemmapDataset(rows, tmp_path / "number.npy")
    with pytest.raises(ValueError, match="same length, but there are 20 and 19"):
        ours.MemmapDataset(rows, tmp_path / "fewer.npy")
    with pytest.raises(ValueError, match=r"at least one \.npy file"):
        ours.MemmapDataset()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npy"):
        ours.MemmapDataset(tmp_path / "nowhere.npy")


# ---- refusals ----

REFUSED: list[tuple[str, type[Exception], str]] = [
    ("DataLoader(TensorDataset(tensor([])))", ValueError, "nothing to load: the TensorDataset is empty"),
    ("DataLoader([], shuffle=True)", ValueError, "nothing to load: the list is empty"),
    ("DataLoader([1], batch_size=0)", ValueError, "batch_size is a whole number of at least 1, not 0"),
    ("DataLoader([1], batch_size=-2)", ValueError, "batch_size is a whole number of at least 1, not -2"),
    ("DataLoader([1], batch_size=2.0)", ValueError, r"batch_size is a whole number of at least 1, not 2\.0"),
    ("DataLoader([1], batch_size=True)", ValueError, "batch_size is a whole number of at least 1, not True"),
    ("DataLoader([1], batch_size=None)", ValueError, "batch_size is a whole number of at least 1, not None"),
    ("DataLoader([1], prefetch=-1)", ValueError, "prefetch is a whole number of at least 0, not -1"),
    ("DataLoader([1], prefetch=True)", ValueError, "prefetch is a whole number of at least 0, not True"),
    ("DataLoader([1], generator=7)", TypeError, r"generator is an np\.random\.Generator.*, not 7"),
    ("DataLoader(IterableDataset(), shuffle=True)", ValueError, "shuffle=True needs items with numbers"),
    ("DataLoader(iter([1]))", TypeError, "no len"),
    ("TensorDataset()", ValueError, "at least one tensor"),
    ("TensorDataset(tensor([1, 2]), tensor([1]))", ValueError, "same length, but there are 2 and 1"),
    ("TensorDataset(tensor(1.0))", TypeError, "without dimensions has no length"),
    ("TensorDataset(tensor([1, 2]))[2]", IndexError, "2 is out of bounds"),
    ("Subset([1, 2], [0.5])", TypeError, "indices of a subset are integers, not float64"),
    ("Subset([1, 2], [True, False])", TypeError, "indices of a subset are integers, not bool"),
    ("Subset([1, 2], [0])[1]", IndexError, "1 is out of bounds"),
    ("Dataset()[0]", NotImplementedError, "Dataset must have a method __getitem__"),
    ("iter(IterableDataset())", NotImplementedError, "IterableDataset must have a method __iter__"),
    ("random_split([1, 2, 3], [1, 1])", ValueError, r"\[1, 1\] does not split 3 items"),
    ("random_split([1, 2, 3], [5, -2])", ValueError, r"\[5, -2\] does not split 3 items"),
    ("random_split([1, 2, 3], [0.5, 0.4])", ValueError, r"\[0\.5, 0\.4\] does not split 3 items"),
    ("random_split([1, 2, 3], [float('nan'), 1.0])", ValueError, r"\[nan, 1\.0\] does not split 3 items"),
    ("random_split([1, 2, 3], [float('inf')])", ValueError, r"\[inf\] does not split 3 items"),
    ("random_split([1, 2, 3], [])", ValueError, r"\[\] does not split 3 items"),
    ("random_split([1, 2, 3], [2, 1], generator=0)", TypeError, r"generator is an np\.random\.Generator"),
    ("default_collate([tensor([1, 2]), tensor([1])])", ValueError, r"same shape, but there are \(2,\) and \(1,\)"),
    ("default_collate([np.zeros(2), np.zeros(3)])", ValueError, r"same shape, but there are \(2,\) and \(3,\)"),
    ("next(iter(DataLoader([[1], [1, 2]], batch_size=2)))", ValueError, "same length, but there are 1 and 2"),
    ("default_collate([None])", TypeError, "numbers, text, dicts, tuples and lists, not <class 'NoneType'>"),
    ("default_collate([{1}])", TypeError, "not <class 'set'>"),
    ("RandomHorizontalFlip(1.5)", ValueError, r"between 0 and 1, not at 1\.5"),
    ("RandomHorizontalFlip()(np.zeros((2, 2)))", TypeError, "take a Tensor, not ndarray"),
    ("RandomHorizontalFlip()(tensor([1]))", ValueError, r"\(\.\.\., H, W\), and this is \(1,\)"),
    ("RandomCrop(0)", ValueError, "size is a whole number of at least 1, not 0"),
    ("RandomCrop((2, 2.5))", ValueError, r"size is a whole number of at least 1, not 2\.5"),
    ("RandomCrop(2, padding=-1)", ValueError, "padding is a whole number of at least 0, not -1"),
    ("RandomCrop(3)(tensor([[1, 2]]))", ValueError, r"window \(3, 3\) does not fit into an image of \(1, 2\)"),
    ("Normalize([1.0], [0.0])", ValueError, r"every std must be above 0, and these are \[0\.0\]"),
    ("Normalize([1.0, 2.0], [1.0])", ValueError, r"not shapes \(2,\) and \(1,\)"),
    ("Normalize([1.0], [1.0])(tensor([[1.0]]))", ValueError, r"\(\.\.\., C, H, W\), and this is \(1, 1\)"),
    ("Normalize([1.0, 2.0], [1.0, 1.0])(tensor([[[1.0]]]))", ValueError, r"2 means do not fit \(1, 1, 1\)"),
    ("Normalize([1.0], [1.0])(tensor([[[1]]]))", TypeError, "takes floats, not int64"),
]


@pytest.mark.parametrize(("call", "kind", "says"), REFUSED, ids=[call for call, _, _ in REFUSED])
def test_what_is_refused_is_named(ours: Any, tensor: Any, call: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        eval(call, {**vars(ours), "tensor": tensor, "np": np})  # noqa: S307 -- our own calls


@pytest.mark.parametrize("size", [0, -1, 2.0, True])
def test_pytorch_refuses_these_batch_sizes_too(data: Any, size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        data.DataLoader([1], batch_size=size)


# ---- transforms ----


def test_normalize_is_torchvisions_formula(ours: Any, tensor: Any) -> None:
    image = rng().random((4, 3, 5, 6), dtype=np.float32)
    mean, std = [0.4914, 0.4822, 0.4465], [0.247, 0.243, 0.261]
    got = ours.Normalize(mean, std)(tensor(image))
    due = (image - np.array(mean, np.float32)[:, None, None]) / np.array(std, np.float32)[:, None, None]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.data, due, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours.Normalize(0.5, 0.25)(tensor(image)).data, (image - 0.5) / 0.25, rtol=1e-6)


def test_transforms_leave_bytes_as_bytes(ours: Any, tensor: Any) -> None:
    image = rng().integers(0, 255, (3, 8, 8)).astype(np.uint8)
    both = ours.Compose([ours.RandomCrop(8, padding=2, generator=rng()), ours.RandomHorizontalFlip(generator=rng())])
    got = both(tensor(image))
    assert (got.dtype, got.shape) == (np.dtype(np.uint8), (3, 8, 8))


def test_an_augmented_pass_can_be_repeated(ours: Any, tensor: Any) -> None:
    images = rng().random((30, 1, 8, 8), dtype=np.float32)

    class Augmented(ours.Dataset):  # type: ignore[misc]  # loaded by location
        def __init__(self) -> None:
            random = rng(5)
            self.transform = ours.Compose([ours.RandomCrop(8, 2, random), ours.RandomHorizontalFlip(0.5, random)])

        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, i: int) -> Any:
            return self.transform(tensor(images[i])), i

    def one_pass(prefetch: int) -> list[Any]:
        loader = ours.DataLoader(Augmented(), 7, shuffle=True, generator=rng(), prefetch=prefetch)
        return [plain(batch) for batch in loader]

    assert one_pass(0) == one_pass(0) == one_pass(2)
