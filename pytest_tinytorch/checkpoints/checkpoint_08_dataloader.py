"""Checkpoint 08: dataloader."""

from __future__ import annotations

import itertools

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, named, raises, same, same_array, unchanged

ROWS, COLUMNS = 2048, 512  # of a file of 4 MB
ALL, PART = "all of it", "a part"
READS_ALL = "the whole file came into memory. Slice the mapped array first, then copy the slice."
NOT_A_TUPLE = "an item is a tuple, whatever the number of tensors: tuple(x[index] for x in self.tensors)."
GLOBAL = "the order does not come from self.generator, so that nobody can repeat it."
LEFT_OVER = "what is left over at the end is not there. The last batch may be smaller, unless drop_last."
NOT_DROPPED = "drop_last is not looked at: the last batch is there although it is not full."
THREAD, LOOP = "a thread of its own", "the loop itself"
NO_THREAD = "the loop makes its batches itself, and waits meanwhile. Start a threading.Thread that makes them."


def distinct(draw, count):
    """As many different plain ints."""
    return [int(n) for n in 10 + draw.permutation(90)[:count]]


def unsorted(draw, count):
    """Four different numbers below count, never in rising order."""
    return np.sort(draw.permutation(count)[:4])[[2, 0, 3, 1]]


def words(draw, count):
    """As many different names."""
    every = ("pixels", "label", "author", "size", "month", "weight")
    return [every[i] for i in draw.permutation(len(every))[:count]]


# ---- TensorDataset ------------------------------------------------------------------------------------------


@exercise("TensorDataset.__init__", points=2)
def test_tensor_dataset_refuses_unequal_lengths(tt, draw):
    """TensorDataset refuses tensors of different lengths, and says which"""
    n, m = distinct(draw, 2)
    x, y, z = draw(n, 2), draw(n), draw(m)
    raises(
        ValueError,
        lambda: tt.TensorDataset(named(tt.tensor(x), "x"), named(tt.tensor(y), "y"), named(tt.tensor(z), "z")),
        mentions=[n, m],
    )
    raises(ValueError, tt.TensorDataset, mentions=["tensor"])
    data = tt.TensorDataset(named(tt.tensor(x), "x"), named(tt.tensor(y), "y"))
    same(data.tensors[1], y)
    same(data.tensors[0], x)


def item_of(arrays, index):
    """One item of a TensorDataset: its type, and the numbers in it."""
    item = tt.TensorDataset(*(tt.tensor(array) for array in arrays))[index]
    return type(item).__name__, [x.data for x in item] if isinstance(item, (tuple, list)) else []


@exercise("TensorDataset.__getitem__", points=2)
def test_item_is_a_tuple_of_rows(lab, draw):
    """an item of a TensorDataset is a tuple with the same row of every tensor"""
    n = draw.choice([6, 7, 8])
    x, y, i = draw.distinct(n, 3), draw.permutation(n), draw.choice(range(1, n))
    kind, rows = lab(item_of, [x, y], i)
    same(
        [kind, len(rows)],
        ["tuple", 2],
        what=f"type and length of TensorDataset(x, y)[{i}]",
        smaller="TensorDataset(tensor([1, 2]), tensor([3, 4]))[1] is (tensor(2), tensor(4))",
    )
    same_array(rows[0], x[i], what=f"TensorDataset(x, y)[{i}][0]", mistakes=[Mistake(x[0], "the index is not used.")])
    same_array(rows[1], y[i], what=f"TensorDataset(x, y)[{i}][1]")
    kind, rows = lab(item_of, [y], i)
    same(kind, "tuple", what=f"type of TensorDataset(y)[{i}]", mistakes=[Mistake("Tensor", NOT_A_TUPLE)])
    same_array(rows[0], y[i], what=f"TensorDataset(y)[{i}][0]")


def items_of(arrays, indices):
    """Several items of a TensorDataset at once: their type, how many, their columns, and the first one."""
    some = tt.TensorDataset(*(tt.tensor(array) for array in arrays)).__getitems__(indices)
    if not isinstance(some, tt.TensorDataset):
        return type(some).__name__, 0, [], []
    return "TensorDataset", len(some), [x.data for x in some.tensors], [x.data for x in some[0]]


@exercise("TensorDataset.__getitems__", points=2)
def test_several_items_at_once_are_a_tensor_dataset(lab, draw):
    """several items of a TensorDataset at once are a TensorDataset of those rows, in their order"""
    n = draw.choice([7, 8, 9])
    x, y, indices = draw.distinct(n, 2), draw.distinct(n), unsorted(draw, n)
    kind, count, columns, first = lab(items_of, [x, y], indices)
    call = f"TensorDataset(x, y).__getitems__({indices.tolist()})"
    same(
        kind,
        "TensorDataset",
        what=f"type of {call}",
        mistakes=[
            Mistake("list", "these are the items one by one. Index each tensor once, with all the numbers."),
            Mistake("tuple", "these are the tensors. Make a TensorDataset of them, so that they are items, too."),
        ],
    )
    same([count, len(columns), len(first)], [4, 2, 2], what=f"number of items, tensors, and parts of an item of {call}")
    same_array(
        columns[0], x[indices], what=f"{call}.tensors[0]", mistakes=[Mistake(x[np.sort(indices)], "the order is lost.")]
    )
    same_array(columns[1], y[indices], what=f"{call}.tensors[1]")
    same_array(first[0], x[indices[0]], what=f"{call}[0][0]")


# ---- Subset and fetch ---------------------------------------------------------------------------------------


def items_of_subset(values, indices, again):
    """Every item of a subset, and of a subset of it."""
    some = tt.Subset(values, indices)
    fewer = tt.Subset(some, again)
    return [some[i] for i in range(len(some))], [fewer[i] for i in range(len(fewer))]


@exercise("Subset.__getitem__", points=1)
def test_subset_looks_its_items_up(lab, draw):
    """a Subset looks up in its list of numbers which item of the other data set is meant"""
    values = distinct(draw, 8)
    indices = [int(i) for i in 1 + draw.permutation(7)[:5]]
    got, fewer = lab(items_of_subset, values, indices, [3, 1])
    same(
        got,
        [values[i] for i in indices],
        what=f"the items of Subset({values}, {indices})",
        mistakes=[
            Mistake(values[:5], "these are the first items of the whole data set: look the number up in self.indices."),
            Mistake(indices, "these are the numbers of the items, not the items."),
        ],
        smaller='Subset(["a", "b", "c"], [2])[0] is "c"',
    )
    same(fewer, [values[indices[3]], values[indices[1]]], what="the items of Subset(that, [3, 1])")


def fetched(values, indices):
    """Items of a list, of a class with two methods, and of one that gives several at once; and what was asked."""
    asked = []

    class Slow:
        def __len__(self):
            return len(values)

        def __getitem__(self, i):
            asked.append(type(i).__name__)
            return values[i]

    class Fast(Slow):
        def __getitems__(self, several):
            asked.append(len(several))
            return [values[i] for i in several]

    fetch = tt.dataloader.fetch
    return [list(fetch(data, np.array(indices))) for data in (values, Slow(), Fast())], asked


@exercise("fetch", points=2)
def test_fetch_takes_the_fast_way_where_there_is_one(lab, draw):
    """fetch asks a data set once if it has __getitems__, otherwise for one item after another"""
    values, indices = distinct(draw, 9), [int(i) for i in draw.permutation(9)[:4]]
    got, asked = lab(fetched, values, indices)
    due = [values[i] for i in indices]
    same(got[0], due, what=f"fetch({values}, {indices})", mistakes=[Mistake(indices, "these are the numbers.")])
    same(got, [due] * 3, what="the same from a list, from a class with __getitem__, from one with __getitems__")
    same(
        asked,
        ["int"] * 4 + [4],
        what="what __getitem__ was asked for, then by how many numbers __getitems__ was",
        mistakes=[
            Mistake(["int"] * 8, "__getitems__ was not called. hasattr(dataset, name) says whether it is there."),
            Mistake(["int64"] * 4 + [4], "NumPy's integers were handed on. indices.tolist() makes plain ones."),
        ],
    )


# ---- Splits -------------------------------------------------------------------------------------------------


def shares_of(shares, total):
    """Each share rounded down, and what is left over."""
    floors = [int(total * share) for share in shares]
    return floors, total - sum(floors)


@exercise("split_lengths", points=2)
def test_fractions_become_whole_numbers(tt, draw):
    """split_lengths rounds fractions down and gives what is left over to the first parts"""
    shares = [(0.5, 0.3, 0.2)[i] for i in draw.permutation(3)]
    total = draw.choice([n for n in range(11, 60) if shares_of(shares, n)[1] == 2])
    floors, _ = shares_of(shares, total)
    same(
        tt.dataloader.split_lengths(shares, total),
        [floors[0] + 1, floors[1] + 1, floors[2]],
        mistakes=[
            Mistake(floors, f"these add up to {total - 2} of {total} items: what is left over belongs to somebody."),
            Mistake([floors[0] + 2, *floors[1:]], "the first part gets all that is left over. One item each."),
            Mistake([*floors[:2], floors[2] + 2], "the last part gets what is left over. The first ones, one each."),
            Mistake([floors[0], floors[1] + 1, floors[2] + 1], "the first parts get what is left over, not the last."),
            Mistake([round(total * share) for share in shares], "rounding to the nearest can lose or invent an item."),
        ],
        smaller="split_lengths([0.5, 0.5], 3) is [2, 1]",
    )


@exercise("split_lengths", points=2)
def test_lengths_that_do_not_split_are_refused(tt, draw):
    """split_lengths takes whole numbers that add up, and refuses all others"""
    parts = distinct(draw, 3)
    total = sum(parts)
    split = tt.dataloader.split_lengths
    same(split((*parts, 0), total), [*parts, 0])
    same(split([0.0, 1.0], total), [0, total])
    raises(ValueError, lambda: split(parts, total + 1), mentions=[parts[0], total + 1])
    raises(ValueError, lambda: split([*parts, -3], total - 3), mentions=[-3, total - 3])
    raises(ValueError, lambda: split([0.5, 0.25], total), mentions=[0.25, total])
    raises(ValueError, lambda: split([-0.5, 1.5], total), mentions=[1.5, total])
    raises(ValueError, lambda: split([0.5, 1.5, total - 2], total), mentions=[1.5, total])


def parts_of(values, lengths, seeds):
    """The parts of a split for each seed, as lists."""
    splits = [tt.random_split(values, lengths, np.random.default_rng(seed)) for seed in seeds]
    return [[[part[i] for i in range(len(part))] for part in parts] for parts in splits]


@exercise("random_split", points=3)
def test_random_split_loses_and_shares_nothing(lab, draw):
    """random_split gives every item to exactly one part, at random"""
    values = distinct(draw, 31)
    (parts,) = lab(parts_of, values, [0.7, 0.3], [draw.choice(range(1000))])
    same([len(part) for part in parts], [22, 9], what="lengths of random_split(31 items, [0.7, 0.3])",
         mistakes=[Mistake([21, 9], "one item is in no part: take the lengths from split_lengths.")])  # fmt: skip
    train, test = parts
    same(
        [len({*train} & {*test}), len({*values} - {*train, *test})],
        [0, 0],
        what="how many items are in both parts, and how many in none",
        smaller="random_split([1, 2, 3], [2, 1]): the parts together hold 1, 2 and 3 once each",
    )
    same(sorted([*train, *test]), sorted(values), what="all items of both parts, sorted")
    same(
        "old" if train == values[:22] else "new",
        "new",
        what="the order of the items",
        mistakes=[Mistake("old", "nothing was shuffled: data often come sorted by class.")],
    )


def parts_by_default(values, seed):
    """Two splits without a generator, each after the course's default was started from a seed."""
    found = []
    for each in (seed, seed + 1, seed):
        tt.manual_seed(each)
        found.append([list(part.indices) for part in tt.random_split(values, [0.5, 0.5])])
    return [[[int(i) for i in part] for part in parts] for parts in found]


@exercise("random_split", points=1)
def test_random_split_can_be_repeated(lab, draw):
    """random_split gives the same parts again for a generator in the same state, and others for another"""
    values, seed = distinct(draw, 20), draw.choice(range(1000))
    first, other, again = lab(parts_of, values, [12, 8], [seed, seed + 1, seed])
    same(again, first, what=f"the parts, with default_rng({seed}) once more", mistakes=[Mistake(other, GLOBAL)])
    same("same" if other == first else "others", "others", what=f"the parts with default_rng({seed + 1})")
    same(sorted(itertools.chain(*other)), sorted(values), what="all items of both parts, sorted")
    first, other, again = lab(parts_by_default, values, seed)
    same(again, first, what=f"the parts without a generator, after manual_seed({seed}) once more")
    same("same" if other == first else "others", "others", what=f"the parts after manual_seed({seed + 1})")


# ---- Data on disk -------------------------------------------------------------------------------------------


def opened(x, y, index):
    """A large file opened: one row of it, whether it can be written into, and the memory that this took."""
    import pathlib
    import tempfile
    import tracemalloc

    open_array = tt.dataloader.open_array
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = str(pathlib.Path(folder, "rows.npy"))
        np.save(path, np.outer(x, y))
        tracemalloc.start()
        try:
            rows = open_array(path)
            row, peak = np.array(rows[index]), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        writeable = bool(rows.flags.writeable)
        del rows
    return row, writeable, peak


@exercise("open_array", points=3)
def test_open_array_leaves_the_numbers_on_disk(lab, draw):
    """open_array gives the array of a file without reading it into memory"""
    x, y, i = draw(ROWS), draw(COLUMNS), draw.choice(range(ROWS))
    row, writeable, peak = lab(opened, x, y, i)
    right = np.outer(x, y)
    same_array(row, right[i], what=f"row {i} of the file")
    same(
        ALL if peak > right.nbytes / 4 else PART,
        PART,
        what=f"how much of a file of {right.nbytes} bytes is in memory after one row of it",
        mistakes=[Mistake(ALL, 'np.load reads the whole file. A map (mode="r") reads what is touched.')],
    )
    same(
        "both" if writeable else "read",
        "read",
        what="what can be done with the array",
        mistakes=[Mistake("both", 'a write would change the file, and with it the data set: mode="r".')],
    )


def first_row(how, name, array):
    """The first row of a file that is whole, or spoilt in one of several ways."""
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = pathlib.Path(folder, name)
        if how != "missing":
            kinds = {"objects": object, "text": str, "swapped": array.dtype.newbyteorder()}
            np.save(path, array.astype(kinds.get(how, array.dtype)), allow_pickle=True)
            content = path.read_bytes()
            cut = {"cut": content[:-1], "header": content[:60], "foreign": content[8:], "empty": b""}
            path.write_bytes(cut.get(how, content))
        return np.array(tt.dataloader.open_array(path)[0])


@exercise("open_array", points=2)
def test_open_array_refuses_what_is_no_array_of_numbers(lab, draw):
    """open_array refuses files that are cut off, foreign, pickled or missing, and names them"""
    array, name = draw(3, 4), f"{words(draw, 1)[0]}{distinct(draw, 1)[0]}.npy"
    same_array(lab(first_row, "whole", name, array), array[0], what="the first row of a whole file")
    for how in ("cut", "header", "foreign", "empty", "objects"):
        raises(ValueError, lambda: lab(first_row, how, name, array), mentions=[name])  # noqa: B023  # called at once
    raises(TypeError, lambda: lab(first_row, "text", name, array), mentions=[name])
    raises(TypeError, lambda: lab(first_row, "swapped", name, array), mentions=[name])
    raises(FileNotFoundError, lambda: lab(first_row, "missing", name, array), mentions=[name])


def rows_from_disk(x, y, labels, index, several):
    """Rows of a large file and their labels: what came, whether it has memory of its own, and how much it took."""
    import pathlib
    import tempfile
    import tracemalloc

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        paths = [str(pathlib.Path(folder, name)) for name in ("rows.npy", "labels.npy")]
        np.save(paths[0], np.outer(x, y))
        np.save(paths[1], labels)
        data = tt.MemmapDataset(*paths)
        tracemalloc.start()
        try:
            got = data.__getitems__(index) if several else data[index]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        kind = type(got).__name__
        tensors = getattr(got, "tensors", got)
        own = ["own" if x.data.flags.writeable else "file's" for x in tensors]
        numbers = [np.array(x.data) for x in tensors]
        del got, data, tensors
    return kind, own, numbers, peak


@exercise("MemmapDataset.__getitem__", points=3)
def test_memmap_item_is_a_copy_of_one_row(lab, draw):
    """an item of a MemmapDataset is one row of each file, in memory of its own, and nothing else is read"""
    x, y, labels, i = draw(ROWS), draw(COLUMNS), draw.integers(0, 10, ROWS), draw.choice(range(ROWS))
    right = np.outer(x, y)
    kind, own, rows, peak = lab(rows_from_disk, x, y, labels, i, False)
    same([kind, len(rows)], ["tuple", 2], what=f"type and length of MemmapDataset(rows, labels)[{i}]")
    same_array(rows[0], right[i], what=f"MemmapDataset(rows, labels)[{i}][0]")
    same_array(rows[1], labels[i], what=f"MemmapDataset(rows, labels)[{i}][1]")
    same(
        own,
        ["own", "own"],
        what="whose memory the two tensors are in",
        mistakes=[
            Mistake(["file's", "file's"], "these are still windows onto the file. Tensor(...) copies."),
            Mistake(["file's", "own"], "these are still windows onto the file. Tensor(...) copies."),
        ],
    )
    used = ALL if peak > right.nbytes / 4 else PART
    same(used, PART, what="how much of the file one item read", mistakes=[Mistake(ALL, READS_ALL)])


@exercise("MemmapDataset.__getitems__", points=2)
def test_memmap_items_are_read_together(lab, draw):
    """several items of a MemmapDataset at once are those rows, as a TensorDataset, and nothing else is read"""
    x, y, labels, indices = draw(ROWS), draw(COLUMNS), draw.integers(0, 10, ROWS), unsorted(draw, ROWS)
    right = np.outer(x, y)
    kind, _, rows, peak = lab(rows_from_disk, x, y, labels, indices, True)
    call = f"MemmapDataset(rows, labels).__getitems__({indices.tolist()})"
    same([kind, len(rows)], ["TensorDataset", 2], what=f"type of {call}, and how many tensors it has")
    same_array(rows[0], right[indices], what=call, mistakes=[Mistake(right[np.sort(indices)], "the order is lost.")])
    same_array(rows[1], labels[indices], what="their labels")
    used = ALL if peak > right.nbytes / 4 else PART
    same(used, PART, what="how much of the file four items read", mistakes=[Mistake(ALL, READS_ALL)])


# ---- From items to a batch ----------------------------------------------------------------------------------


@exercise("stack_items", points=2)
def test_stack_items_makes_a_new_first_dimension(tt, draw):
    """stack_items puts tensors or arrays of one shape behind each other along a new first dimension"""
    count, rows, columns = draw.sizes(3)
    a = draw(count, rows, columns)
    mistakes = [
        Mistake(a.reshape(-1, columns), "the items were joined along a dimension that they had: stack, not cat."),
        Mistake(np.moveaxis(a, 0, -1), "the new dimension stands at the end. A batch has its items first."),
    ]
    same(tt.dataloader.stack_items([tt.tensor(x) for x in a]), a, mistakes=mistakes)
    same(tt.dataloader.stack_items(list(a)), a, mistakes=mistakes)
    pixels = draw.integers(0, 255, count, rows).astype(np.uint8)
    same(tt.dataloader.stack_items(list(pixels)), pixels, dtype=np.uint8)
    double = [tt.tensor(x, dtype=np.float64) for x in a]
    same(tt.dataloader.stack_items(double), a, dtype=np.float64)
    small = draw.integers(0, 255, count).astype(np.int32)
    same(tt.dataloader.stack_items([np.array(x) for x in small]), small, dtype=np.int32)


@exercise("stack_items", points=1)
def test_stack_items_takes_numbers(tt, draw):
    """stack_items makes a row of plain numbers, in the dtype that a tensor of them has"""
    ints, floats, flags = distinct(draw, 5), draw(4), draw.permutation(6) % 2 == 0
    same(tt.dataloader.stack_items(ints), np.array(ints, np.int64))
    same(tt.dataloader.stack_items([float(x) for x in floats]), floats)
    same(tt.dataloader.stack_items([bool(x) for x in flags]), flags)


@exercise("stack_items", points=1)
def test_stack_items_refuses_different_shapes(tt, draw):
    """stack_items refuses items of different shapes, and says which"""
    n, m = draw.sizes(2)
    a, b = draw(n, m), draw(n, m + 1)
    raises(ValueError, lambda: tt.dataloader.stack_items([a, a, b]), mentions=[a.shape, b.shape])
    raises(
        ValueError,
        lambda: tt.dataloader.stack_items([tt.tensor(b), tt.tensor(a)]),
        mentions=[a.shape, b.shape],
    )
    same(tt.dataloader.stack_items([a, a + 1]), np.stack([a, a + 1]))


def collated(arrays, labels, how):
    """What a batch of pairs is: its type, and the numbers in it."""
    items = list(zip((tt.tensor(array) for array in arrays), labels, strict=True))
    if how == "list":
        items = [list(item) for item in items]
    if how == "TensorDataset":
        items = tt.TensorDataset(tt.tensor(arrays), tt.tensor(labels))
    batch = tt.default_collate(items)
    return type(batch).__name__, [x.data for x in batch]


@exercise("default_collate", points=2)
def test_collate_turns_pairs_into_a_pair_of_batches(lab, draw):
    """default_collate makes of pairs (image, label) one pair (images, labels)"""
    count, rows, columns = draw.sizes(3)
    images, labels = draw(count, rows, columns), distinct(draw, count)
    for how, due in (("tuple", "tuple"), ("list", "list"), ("TensorDataset", "tuple")):
        kind, fields = lab(collated, images, labels, how)
        same(
            [kind, len(fields)],
            [due, 2],
            what=f"type and length of a batch of {count} pairs, each a {how}",
            mistakes=[Mistake(["list", count], "these are still the items. zip(*items) makes columns of them.")],
        )
        same_array(fields[0], images, what="the images of the batch")
        same_array(fields[1], np.array(labels, np.int64), what="the labels of the batch")


def collated_deep(keys, arrays, numbers, texts):
    """A batch of dicts that hold a tuple, which holds a dict, and texts."""
    items = [{keys[0]: (a, {keys[1]: n}, t), keys[2]: t} for a, n, t in zip(arrays, numbers, texts, strict=True)]
    batch = tt.default_collate(items)
    inner = batch[keys[0]]
    return list(batch), type(inner).__name__, inner[0].data, inner[1][keys[1]].data, [inner[2], batch[keys[2]]]


def collated_sets(values):
    """A batch of sets, which have no order to go by."""
    return tt.default_collate([{value} for value in values])


@exercise("default_collate", points=2)
def test_collate_keeps_the_structure(lab, draw):
    """default_collate keeps dicts, tuples and what is nested in them, and leaves texts alone"""
    keys, count = words(draw, 3), draw.choice([3, 4, 5])
    arrays, numbers, texts = draw(count, 2), draw(count), words(draw, count)
    names, kind, rows, row, strings = lab(collated_deep, keys, list(arrays), [float(n) for n in numbers], texts)
    same(names, [keys[0], keys[2]], what="the keys of the batch")
    same(kind, "tuple", what=f"type of batch[{keys[0]!r}]")
    same_array(rows, arrays, what=f"batch[{keys[0]!r}][0]")
    same_array(row, numbers, what=f"batch[{keys[0]!r}][1][{keys[1]!r}]")
    same(strings, [texts, texts], what=f"batch[{keys[0]!r}][2] and batch[{keys[2]!r}]")


@exercise("default_collate", points=1)
def test_collate_refuses_items_that_do_not_fit(tt, lab, draw):
    """default_collate refuses items of unlike structure, and types that no batch is made of"""
    a, b, c = words(draw, 3)
    n, m = distinct(draw, 2)
    raises(ValueError, lambda: tt.default_collate([{a: n, b: m}, {a: n, c: m}]), mentions=[b, c])
    raises(ValueError, lambda: tt.default_collate([(n, m), (n, m, n, n, n)]), mentions=[2, 5])
    raises(TypeError, lambda: tt.default_collate([None, n]), mentions=["NoneType"])
    raises(TypeError, lambda: lab(collated_sets, [n, m]), mentions=["set"])
    same(tt.default_collate([{a: n}, {a: m}])[a], np.array([n, m], np.int64))


# ---- DataLoader: how many, and which -------------------------------------------------------------------------


def lengths_of(sizes, drop_last):
    """The lengths of loaders over so many items in batches of so many."""
    return [len(tt.DataLoader(range(n), batch_size=b, drop_last=drop_last)) for n, b in sizes]


@exercise("DataLoader.__len__", points=2)
def test_length_counts_the_batches(lab, draw):
    """the length of a DataLoader is its number of batches, the last of which may not be full"""
    sizes = [(int(b * k + r), int(b)) for b, k, r in zip((2, 3, 5, 7), draw.permutation(4), (1, 0, 4, 2), strict=True)]
    sizes = [(n or b, b) for n, b in sizes]
    floors, ceilings = [n // b for n, b in sizes], [-(-n // b) for n, b in sizes]
    text = ", ".join(f"{n} by {b}" for n, b in sizes)
    same(
        lab(lengths_of, sizes, False),
        ceilings,
        what=f"len of loaders over {text}",
        mistakes=[
            Mistake(floors, "rounded down: what is left over is a batch, too, unless drop_last."),
            Mistake([n // b + 1 for n, b in sizes], "one too many where the items fill all batches."),
            Mistake([n for n, _ in sizes], "this is the number of items, not that of batches."),
        ],
        smaller="len(DataLoader(range(10), batch_size=3)) is 4",
    )
    same(
        lab(lengths_of, sizes, True),
        floors,
        what=f"len of loaders over {text}, with drop_last",
        mistakes=[Mistake(ceilings, NOT_DROPPED)],
    )


def orders_of(count, shuffle, seeds):
    """Two passes' orders for each seed; None stands for the course's default generator, started from 5."""
    found = []
    for seed in seeds:
        if seed is None:
            tt.manual_seed(5)
        generator = None if seed is None else np.random.default_rng(seed)
        loader = tt.DataLoader(range(count), shuffle=shuffle, generator=generator)
        found.append([[int(i) for i in loader.order()] for _ in range(2)])
    return found


@exercise("DataLoader.order", points=2)
def test_order_is_a_new_permutation_every_time(lab, draw):
    """the order of a pass holds every number once: in turn, or with shuffle anew for every pass"""
    count, seed = draw.choice(range(20, 30)), draw.choice(range(1000))
    turn = list(range(count))
    ((first, second),) = lab(orders_of, count, True, [seed])
    same(sorted(first), turn, what=f"the order of {count} items with shuffle, sorted")
    same(sorted(second), turn, what=f"the second order of {count} items with shuffle, sorted")
    same(
        ["in turn" if first == turn else "mixed", "the same" if first == second else "another"],
        ["mixed", "another"],
        what="the first order, and the second one",
        mistakes=[
            Mistake(["in turn", "the same"], "shuffle is not looked at."),
            Mistake(["mixed", "the same"], "the order is drawn once and kept: draw at every call."),
        ],
    )
    ((first, second),) = lab(orders_of, count, False, [seed])
    same([first, second], [turn, turn], what=f"two orders of {count} items without shuffle")


@exercise("DataLoader.order", points=2)
def test_order_comes_from_the_generator(lab, draw):
    """the order comes from the loader's own generator, so that the same seed gives the same passes"""
    count, seed = draw.choice(range(20, 30)), draw.choice(range(1000))
    first, again, other = lab(orders_of, count, True, [seed, seed, seed + 1])
    same(
        again,
        first,
        what=f"two passes of another loader with default_rng({seed})",
        smaller="DataLoader(data, shuffle=True, generator=np.random.default_rng(0)) begins alike every day",
        mistakes=[Mistake(again if sorted(again[0]) == sorted(first[0]) else None, GLOBAL)],
    )
    same("same" if other == first else "others", "others", what=f"two passes with default_rng({seed + 1})")
    one, two = lab(orders_of, count, True, [None, None])
    same(two, one, what="two passes without a generator, after manual_seed(5) once more")
    same(sorted(two[0]), list(range(count)), what="one of them, sorted")


def index_pieces(count, size, drop_last, seed):
    """The pieces of a shuffled pass, or of one in turn where there is no seed."""
    generator = None if seed is None else np.random.default_rng(seed)
    loader = tt.DataLoader(
        range(count), batch_size=size, drop_last=drop_last, shuffle=seed is not None, generator=generator
    )
    return [[int(i) for i in piece] for piece in loader.index_batches()]


@exercise("DataLoader.index_batches", points=2)
def test_index_batches_cut_the_order(lab, draw):
    """the numbers of a pass come in pieces of batch_size, the last of which may be shorter"""
    size, rest = draw.choice([3, 4]), draw.choice([1, 2])
    full = size + rest
    count = size * full + rest
    pieces = [list(range(start, min(start + size, count))) for start in range(0, count, size)]
    got = lab(index_pieces, count, size, False, None)
    same([len(piece) for piece in got], [size] * full + [rest], what=f"lengths of the pieces, {count} by {size}",
         mistakes=[Mistake([size] * full, LEFT_OVER)])  # fmt: skip
    same(got, pieces, what=f"the pieces, {count} by {size}")
    got = lab(index_pieces, count, size, True, None)
    same(len(got), full, what=f"number of pieces, {count} by {size}, with drop_last",
         mistakes=[Mistake(full + 1, NOT_DROPPED)])  # fmt: skip
    same(got, pieces[:full], what=f"the pieces, {count} by {size}, with drop_last")
    same(
        lab(index_pieces, size * full, size, True, None),
        pieces[:full],
        what=f"the pieces, {size * full} by {size}, with drop_last",
        mistakes=[Mistake(pieces[: full - 1], "the last batch is full, and dropped all the same.")],
    )


@exercise("DataLoader.index_batches", points=1)
def test_index_batches_of_a_shuffled_pass_hold_everything_once(lab, draw):
    """the pieces of a shuffled pass hold every number exactly once"""
    count, seed = draw.choice(range(21, 30)), draw.choice(range(1000))
    got = lab(index_pieces, count, 4, False, seed)
    same(len(got), -(-count // 4), what=f"number of pieces, {count} by 4")
    same(
        sorted(itertools.chain(*got)),
        list(range(count)),
        what="all numbers of one pass, sorted",
        smaller="order() is asked once per pass, not once per piece",
    )


# ---- DataLoader: streams ------------------------------------------------------------------------------------


def stream_lists(values, size, drop_last):
    """The lists of a stream's items, and how many items had been taken when the first list was there."""
    taken = []

    class Stream(tt.IterableDataset):
        def __iter__(self):
            for value in values:
                taken.append(value)
                yield value

    lists = iter(tt.DataLoader(Stream(), batch_size=size, drop_last=drop_last).item_batches())
    first = next(lists)
    early = len(taken)
    return early, [list(first), *(list(rest) for rest in lists)]


@exercise("DataLoader.item_batches", points=2)
def test_item_batches_group_a_stream(lab, draw):
    """the items of a stream come in lists of batch_size, in their order"""
    size, full, rest = draw.choice([4, 5, 6]), draw.choice([2, 3]), draw.choice([1, 2, 3])
    values = distinct(draw, size * full + rest)
    lists = [values[start : start + size] for start in range(0, len(values), size)]
    _, got = lab(stream_lists, values, size, False)
    same(
        [len(each) for each in got],
        [size] * full + [rest],
        what=f"lengths of the lists of {len(values)} items, {size} at a time",
        mistakes=[Mistake([size] * full, LEFT_OVER)],
    )
    same(got, lists, what=f"the lists of {len(values)} items, {size} at a time")
    _, got = lab(stream_lists, values, size, True)
    same(len(got), full, what="number of lists with drop_last", mistakes=[Mistake(full + 1, NOT_DROPPED)])
    same(got, lists[:full], what="the lists with drop_last")
    _, got = lab(stream_lists, values[: size * full], size, False)
    same(got, lists[:full], what=f"the lists of {size * full} items, {size} at a time")


@exercise("DataLoader.item_batches", points=1)
def test_item_batches_take_no_more_than_they_need(lab, draw):
    """a list of a stream's items is there as soon as its last item is, for a stream may never end"""
    size, values = draw.choice([3, 4, 5]), distinct(draw, 40)
    early, got = lab(stream_lists, values, size, False)
    same(
        early,
        size,
        what=f"items taken for the first list of {size}",
        mistakes=[Mistake(40, "the whole stream was read first. Take what the next list needs, then yield it.")],
    )
    same(got[0], values[:size], what="the first list")


# ---- DataLoader: the loop -----------------------------------------------------------------------------------


def passes(x, y, size, seed, prefetch, count):
    """Batches of several passes over pairs, shuffled."""
    data = tt.TensorDataset(tt.tensor(x), tt.tensor(y))
    loader = tt.DataLoader(
        data, batch_size=size, shuffle=True, generator=np.random.default_rng(seed), prefetch=prefetch
    )
    return [[[part.data for part in batch] for batch in loader] for _ in range(count)]


@exercise("DataLoader.__iter__", points=3)
def test_every_pass_gives_every_pair_once(lab, draw):
    """every loop over a DataLoader gives all items once, each with its own label"""
    n, seed = draw.choice([10, 11, 13]), draw.choice(range(1000))
    x, y = draw.distinct(n, 2), draw.permutation(n)
    for number, batches in enumerate(lab(passes, x, y, 3, seed, 0, 2), start=1):
        same(
            [len(batch[0]) for batch in batches],
            [3] * (n // 3) + ([n % 3] if n % 3 else []),
            what=f"sizes of the batches of pass {number}, {n} items by 3",
            mistakes=[Mistake([], "nothing came: the pass was over before it began. Start a new one at every call.")],
        )
        labels = np.concatenate([batch[1] for batch in batches])
        same(sorted(labels.tolist()), list(range(n)), what=f"all labels of pass {number}, sorted")
        same(
            "in turn" if labels.tolist() == y.tolist() else "mixed",
            "mixed",
            what=f"the order of pass {number}, with shuffle=True",
            mistakes=[
                Mistake("in turn", "a data set with numbers is taken as a stream: ask index_batches for numbers.")
            ],
        )
        place = np.argsort(y)[labels]
        same_array(np.concatenate([batch[0] for batch in batches]), x[place], what="the rows that belong to the labels")


def nested_loops(values, size):
    """What an inner loop over the same loader sees, for every batch of the outer one."""
    loader = tt.DataLoader(values, batch_size=size, collate_fn=sum)
    return [[int(outer), [int(inner) for inner in loader]] for outer in loader]


@exercise("DataLoader.__iter__", points=2)
def test_loops_over_one_loader_do_not_disturb_each_other(lab, draw):
    """two loops over one DataLoader, one inside the other, both see everything, through collate_fn"""
    values = distinct(draw, 7)
    sums = [sum(values[start : start + 3]) for start in (0, 3, 6)]
    same(
        lab(nested_loops, values, 3),
        [[outer, sums] for outer in sums],
        what=f"sums of {values} by 3 with collate_fn=sum, and for each of them those of an inner loop",
        smaller="for a in loader: for b in loader: both begin at the first batch",
    )


def made_when_due(values, size):
    """How many items were asked for when the first batch was there, and all batches."""
    asked = []

    class Data(tt.Dataset):
        def __len__(self):
            return len(values)

        def __getitem__(self, i):
            asked.append(i)
            return values[i]

    batches = iter(tt.DataLoader(Data(), batch_size=size))
    first = next(batches)
    early = len(asked)
    return early, [int(n) for batch in (first, *batches) for n in batch.data]


@exercise("DataLoader.__iter__", points=1)
def test_a_batch_is_made_when_it_is_due(lab, draw):
    """a batch is made when the loop asks for it, and not before"""
    values = distinct(draw, 12)
    early, got = lab(made_when_due, values, 3)
    same(got, values, what="the items of all batches")
    same(
        early,
        3,
        what="items asked for when the first batch of 3 came",
        mistakes=[
            Mistake(12, "all batches were made before the first came: a data set larger than memory would not fit.")
        ],
    )


def stream_batches(values, size, prefetch):
    """Batches of pairs from a stream."""

    class Stream(tt.IterableDataset):
        def __iter__(self):
            return ((value, float(value) / 8) for value in values)

    loader = tt.DataLoader(Stream(), batch_size=size, prefetch=prefetch)
    return [[part.data for part in batch] for batch in loader]


@exercise("DataLoader.__iter__", points=2)
def test_a_stream_is_batched_as_it_comes(lab, draw):
    """a DataLoader over an IterableDataset makes batches of the items as they come"""
    values = distinct(draw, 8)
    for prefetch in (0, 2):
        got = lab(stream_batches, values, 3, prefetch)
        same([len(batch[0]) for batch in got], [3, 3, 2], what="sizes of the batches of 8 items by 3")
        numbers = np.concatenate([batch[0] for batch in got])
        same_array(numbers, np.array(values), what="the first part of all pairs")
        same_array(np.concatenate([batch[1] for batch in got]), np.float32(values) / 8, what="the second part")


def ahead_of_the_loop(values, size, prefetch):
    """How many items were asked for while the loop still held the first batch, and all batches."""
    import time

    asked = []

    class Data(tt.Dataset):
        def __len__(self):
            return len(values)

        def __getitem__(self, i):
            asked.append(i)
            return values[i]

    batches = iter(tt.DataLoader(Data(), batch_size=size, prefetch=prefetch))
    first = next(batches)
    patience = time.monotonic() + 1.0
    while len(asked) < size * (1 + prefetch) and time.monotonic() < patience:
        time.sleep(0.001)
    early = len(asked)
    return early, [int(n) for batch in (first, *batches) for n in batch.data]


@exercise("DataLoader.__iter__", points=1)
def test_prefetch_works_ahead_of_the_loop(lab, draw):
    """with prefetch=n the next batches are made while the loop still has the first"""
    values = distinct(draw, 21)
    early, got = lab(ahead_of_the_loop, values, 2, 3)
    same(got, values, what="the items of all batches")
    same(
        min(early, 8),
        8,
        what="items asked for while the loop has the first batch of 2, with prefetch=3",
        mistakes=[Mistake(2, "prefetch is not looked at: hand the batches to prefetched(batches, self.prefetch).")],
    )


# ---- prefetched ---------------------------------------------------------------------------------------------


def made_ahead(values, ahead):
    """The batches through a thread, and how many were made while the loop had the first."""
    import time

    made = []

    def source():
        for value in values:
            made.append(value)
            yield value

    batches = iter(tt.dataloader.prefetched(source(), ahead))
    first = next(batches)
    patience = time.monotonic() + 1.0
    while len(made) < 1 + ahead and time.monotonic() < patience:
        time.sleep(0.001)
    time.sleep(0.02)
    early = len(made)
    return early, [first, *batches]


@exercise("prefetched", points=3)
def test_prefetched_is_a_little_ahead(lab, draw):
    """prefetched gives every batch once, in order, and is `ahead` of the loop but not further"""
    values, ahead = distinct(draw, 30), draw.choice([2, 3, 4])
    early, got = lab(made_ahead, values, ahead)
    same(
        got,
        values,
        what=f"what comes out of prefetched(batches, {ahead})",
        mistakes=[Mistake(values[:-1], "the last batch is lost: it came together with the end.")],
    )
    same(
        early,
        ahead + 2 if early == ahead + 2 else ahead + 1,  # a bounded queue holds `ahead`, and its filler one more
        what=f"batches made while the loop has the first, with ahead={ahead}",
        mistakes=[
            Mistake(1, "nothing is made ahead: batches must come from a thread of their own."),
            Mistake(30, "all batches are made at once: a data set larger than memory would fill it."),
        ],
        smaller="the thread acquires a place before each batch, the loop releases one after each",
    )


def failing_source(values, text):
    """What comes before an error, the error, where it happened, and the threads that are left."""
    import threading

    before = set(threading.enumerate())

    def read_line_of_data():
        raise ValueError(text)

    def source():
        makers.add(threading.current_thread())
        yield from values
        read_line_of_data()

    makers, got, kind, says, names = set(), [], "nothing", "", []
    try:
        for batch in tt.dataloader.prefetched(source(), 2):
            got += [batch]
    except ValueError as error:
        kind, says, trace = type(error).__name__, str(error), error.__traceback__
        while trace is not None:
            names.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
    left = len(set(threading.enumerate()) - before)
    return got, kind, says, "read_line_of_data" in names, left, threading.current_thread() in makers


@exercise("prefetched", points=3)
def test_prefetched_hands_errors_on(lab, draw):
    """prefetched raises an error of the thread in the loop, after the batches before it"""
    values, text = distinct(draw, 5), f"line {distinct(draw, 1)[0]} is damaged"
    got, kind, says, traced, left, alone = lab(failing_source, values, text)
    same(
        kind,
        "ValueError",
        what="what the loop gets when `batches` raises ValueError",
        mistakes=[Mistake("nothing", "the error died with the thread. Hand it over and raise it in the loop.")],
    )
    same(got, values, what="batches that came before the error")
    same(says, text, what="the error's text")
    same(LOOP if alone else THREAD, THREAD, what="who made the batches", mistakes=[Mistake(LOOP, NO_THREAD)])
    same(
        ["the line that failed" if traced else "only the loop", left],
        ["the line that failed", 0],
        what="what its traceback shows, and the number of threads that are left",
        mistakes=[
            Mistake(["only the loop", 0], "the traceback is lost: raise the same exception object that was caught.")
        ],
    )


def left_early(count, how, stop):
    """A loop that is left in one way: its last batch, the threads that are left, and whether it had one at all."""
    import threading
    import time

    def source():
        makers.add(threading.current_thread())
        yield from range(count)

    before, makers, last = set(threading.enumerate()), set(), None
    try:
        for batch in tt.dataloader.prefetched(source(), 2):
            last = batch
            if batch == stop and how != "end":
                time.sleep(0.02)  # the thread goes as far as it may
                if how == "error":
                    raise KeyError(stop)
                break
    except KeyError:
        pass
    return last, len(set(threading.enumerate()) - before), threading.current_thread() in makers


@exercise("prefetched", points=3)
def test_prefetched_leaves_no_thread_behind(lab, draw):
    """prefetched has ended its thread when the loop is left: at its end, by break or by an error"""
    count, stop = draw.choice(range(50, 90)), draw.choice(range(5, 40))
    for how, last in (("end", count - 1), ("break", stop), ("error", stop)):
        got, left, alone = lab(left_early, count, how, stop)
        same(LOOP if alone else THREAD, THREAD, what="who made the batches", mistakes=[Mistake(LOOP, NO_THREAD)])
        same(
            [got, left],
            [last, 0],
            what=f"last batch of a loop left by {how}, and threads left afterwards",
            mistakes=[
                Mistake([last, 1], "the thread is still there. In `finally`: tell it, make room for it, then join it.")
            ],
        )


# ---- Transforms ---------------------------------------------------------------------------------------------


def flips(array, p, seed, count):
    """Several calls of one RandomHorizontalFlip."""
    flip = tt.RandomHorizontalFlip(p, generator=np.random.default_rng(seed))
    return np.stack([flip(tt.tensor(array)).data for _ in range(count)])


@exercise("RandomHorizontalFlip.__call__", points=2)
def test_flip_exchanges_left_and_right(tt, draw):
    """RandomHorizontalFlip exchanges left and right, the last dimension, and leaves its input alone"""
    a = draw.distinct(*draw.sizes(4))
    x = named(tt.tensor(a), "x")
    flipped = tt.RandomHorizontalFlip(1.0)(x)
    same(
        flipped,
        a[..., ::-1],
        mistakes=[
            Mistake(a[..., ::-1, :], "top and bottom are exchanged. Width is the last dimension."),
            Mistake(a[:, ::-1], "the channels are exchanged. Width is the last dimension."),
            Mistake(a[::-1], "the images are exchanged. Width is the last dimension."),
            Mistake(a, "nothing is exchanged, and p is 1."),
        ],
        smaller="RandomHorizontalFlip(1.0)(tensor([[1, 2]])) is [[2, 1]]",
    )
    flipped += 1
    same(tt.RandomHorizontalFlip(0.0)(x), a)
    unchanged(x, a)
    raises(ValueError, lambda: tt.RandomHorizontalFlip(1.0)(tt.tensor(a[0, 0, 0])), mentions=[a[0, 0, 0].shape])
    raises(TypeError, lambda: tt.RandomHorizontalFlip(1.0)(a), mentions=["ndarray"])


@exercise("RandomHorizontalFlip.__call__", points=2)
def test_flip_happens_with_its_probability(lab, draw):
    """RandomHorizontalFlip flips the share p of all calls, as its generator decides"""
    a, p, seed = draw.distinct(2, 3), draw.choice([0.2, 0.8]), draw.choice(range(1000))
    got = lab(flips, a, p, seed, 200)
    flipped = [bool(np.array_equal(each, a[:, ::-1])) for each in got]
    same_array(got, np.where(np.array(flipped)[:, None, None], a[:, ::-1], a), what="200 calls")
    low, high = (15, 70) if p < 0.5 else (130, 185)
    count = sum(flipped)
    same(
        count,
        count if low <= count <= high else int(200 * p),
        what=f"how often 200 calls flipped, with p={p}",
        mistakes=[
            Mistake(count if 200 - high <= count <= 200 - low else None, "flipped in 1 - p of all calls, not in p."),
            Mistake(0, "no call flipped."),
            Mistake(200, "every call flipped. Draw a number and compare it with p."),
        ],
    )
    same_array(lab(flips, a, p, seed, 200), got, what=f"200 calls with another default_rng({seed})")


def crops(array, size, padding, seed, count):
    """Several calls of one RandomCrop."""
    crop = tt.RandomCrop(size, padding=padding, generator=np.random.default_rng(seed))
    return [crop(tt.tensor(array)).data for _ in range(count)]


def place_of(window, image):
    """Where a window was cut out of an image; None where it does not occur."""
    height, width = window.shape[-2:]
    tops, lefts = range(image.shape[-2] - height + 1), range(image.shape[-1] - width + 1)
    for top, left in itertools.product(tops, lefts):
        if np.array_equal(image[..., top : top + height, left : left + width], window):
            return top, left
    return None


@exercise("RandomCrop.__call__", points=3)
def test_crop_reaches_every_place(lab, draw):
    """RandomCrop cuts a window out of the image, and every place is reached, the last one too"""
    a, seed = draw.distinct(2, 4, 6), draw.choice(range(1000))
    got = lab(crops, a, (3, 4), 0, seed, 120)
    same(
        sorted({np.shape(window) for window in got}),
        [(2, 3, 4)],
        what="shapes of windows (3, 4) of images (2, 4, 6)",
        mistakes=[Mistake([(2, 4, 3)], "height and width have changed places.")],
    )
    places = [place_of(window, a) for window in got]
    every = [(top, left) for top in range(2) for left in range(3)]
    same(sum(place is None for place in places), 0, what="windows that are not a piece of the image")
    same(
        sorted({*places}),
        every,
        what="rows and columns at which 120 windows began",
        mistakes=[
            Mistake([(0, 0), (0, 1)], "the last place is never reached: integers(0, n) draws from 0 to n - 1."),
            Mistake([(0, 0)], "every window begins at the corner."),
            Mistake([(0, 0), (1, 1)], "one number decides row and column. Draw two."),
            Mistake([(0, 0), (0, 1), (0, 2)], "the row is always the first."),
        ],
        smaller="RandomCrop(1)(tensor([[1, 2]])) is [[1]] or [[2]], equally often",
    )
    same_array(np.stack(lab(crops, a, (3, 4), 0, seed, 120)), np.stack(got), what=f"with another default_rng({seed})")


@exercise("RandomCrop.__call__", points=2)
def test_crop_pads_with_zeros_all_around(lab, draw):
    """RandomCrop with padding puts zeros around height and width first"""
    a, seed = draw.distinct(2, 3, 2), draw.choice(range(1000))
    a = np.where(a == 0, np.float32(20), a)  # zeros are the padding's own
    padded = np.pad(a, [(0, 0), (1, 1), (1, 1)])
    (whole,) = lab(crops, a, (5, 4), 1, seed, 1)
    same_array(
        whole,
        padded,
        what="RandomCrop((5, 4), padding=1)(x), x of shape (2, 3, 2)",
        mistakes=[
            Mistake(np.pad(a, [(0, 0), (1, 1), (1, 1)], mode="edge"), "the border repeats the edge. Zeros are due."),
            Mistake(np.pad(a, [(0, 0), (2, 0), (2, 0)]), "the zeros stand on one side. They go all around."),
        ],
    )
    got = lab(crops, a, 3, 1, seed, 60)
    same([np.shape(window) for window in got], [(2, 3, 3)] * 60, what="shapes of 60 windows of size 3")
    same(sum(place_of(window, padded) is None for window in got), 0, what="windows that are no piece of it")


@exercise("RandomCrop.__call__", points=1)
def test_crop_refuses_a_window_that_does_not_fit(tt, draw):
    """RandomCrop refuses a window larger than the padded image, and names both sizes"""
    height, width = draw.sizes(2)
    a = draw(2, height, width)
    crop = tt.RandomCrop
    raises(
        ValueError,
        lambda: crop((height + 3, width), padding=1)(tt.tensor(a)),
        mentions=[(height + 3, width), (height + 2, width + 2)],
    )
    raises(ValueError, lambda: crop((height, width + 1))(tt.tensor(a)), mentions=[(height, width + 1), (height, width)])
    raises(ValueError, lambda: crop(1)(tt.tensor(a[0, 0])), mentions=[(width,)])
    raises(TypeError, lambda: crop(1)(a), mentions=["ndarray"])
    same(crop((height, width))(tt.tensor(a)), a)
    same(crop((height, width))(tt.tensor(a[0])), a[0])


@exercise("Normalize.__call__", points=3)
def test_normalize_by_channel(tt, draw):
    """Normalize takes each channel's mean away and divides by its standard deviation"""
    n, size, height = draw.sizes(3)
    a, mean, std = draw(n, size, height, size), draw(size), draw.positive(size) / 2
    mean = mean.astype(np.float64) / 3  # no multiple of 1/8: float32 rounds it
    m, s = mean[:, None, None], std[:, None, None]
    x = named(tt.tensor(a), "x")
    same(
        tt.Normalize(mean.tolist(), std.tolist())(x),
        (a - m) / s,
        mistakes=[
            Mistake((a - mean) / std, "these line up with the last dimension. Channels stand third from the end."),
            Mistake((a - m) * s, "multiplied by the standard deviation: divide."),
            Mistake((a - m) / s**2, "divided by the variance. std is the standard deviation already."),
            Mistake(a / s - m, "divide what is left after the mean is taken away."),
            Mistake(a - m, "the standard deviation is not used."),
            Mistake(a / s, "the mean is not used."),
        ],
        smaller="Normalize([1.], [2.])(tensor([[[5.]]])) is (5 - 1) / 2 = 2",
    )
    unchanged(x, a)
    same(tt.Normalize([float(mean[0])], [float(std[0])])(x), (a - mean[0]) / std[0])
    double = tt.tensor(a[0], dtype=np.float64)
    same(tt.Normalize(mean.tolist(), std.tolist())(double), (a[0].astype(np.float64) - m) / s, dtype=np.float64)


@exercise("Normalize.__call__", points=1)
def test_normalize_refuses_what_does_not_fit(tt, draw):
    """Normalize refuses another number of channels, and anything but floats"""
    channels, size = draw.sizes(2)
    mean, std = draw(channels).tolist(), draw.positive(channels).tolist()
    a = draw(channels, size, size)
    more = draw(channels + 1, size, size)
    raises(ValueError, lambda: tt.Normalize(mean, std)(tt.tensor(more)), mentions=[channels, more.shape])
    raises(ValueError, lambda: tt.Normalize(mean, std)(tt.tensor(a[:1])), mentions=[channels, (1, size, size)])
    raises(ValueError, lambda: tt.Normalize(mean, std)(tt.tensor(a[0])), mentions=[(size, size)])
    raises(TypeError, lambda: tt.Normalize(mean, std)(a), mentions=["ndarray"])
    ints = draw.integers(0, 255, channels, size, size)
    raises(TypeError, lambda: tt.Normalize(mean, std)(tt.tensor(ints)), mentions=["int64"])
    same(
        tt.Normalize(mean, std)(tt.tensor(a)),
        (a - np.float32(mean)[:, None, None]) / np.float32(std)[:, None, None],
    )
