"""Usual mistakes in module 08."""

from __future__ import annotations

from tests.mistakes import Mistaken

ITEM_LINE = "return tuple(x[index] for x in self.tensors)"
ITEMS_LINE = "return TensorDataset(*(x[indices] for x in self.tensors))"
LOOKUP_LINE = "return self.dataset[self.indices[index]]"
LEFT_OVER = "for i in range(total - sum(counts)):\n            counts[i] += 1"
CUT_LINE = "return [Subset(dataset, order[end - count : end]) for count, end in zip(counts, ends, strict=True)]"
ORDER_LINE = "order = generator_or_default(generator).permutation(len(dataset))"
OPEN_LINE = 'array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")'
ROW_LINE = "return tuple(Tensor(array[index]) for array in self.arrays)"
ROWS_LINE = "return TensorDataset(*(Tensor(array[indices]) for array in self.arrays))"
LENGTH_LINE = "return full + 1 if rest and not self.drop_last else full"
DRAWN_LINE = "return self.generator.permutation(count) if self.shuffle else np.arange(count)"
END_LINE = "end = len(order) - len(order) % self.batch_size if self.drop_last else len(order)"
PIECE_LINE = "yield order[start : start + self.batch_size]"
KEEP_LINE = "if len(batch) == self.batch_size or not self.drop_last:"
STREAM_LINE = "batches = (self.collate_fn(items) for items in self.item_batches())"
BATCH_LINE = "batches = (self.collate_fn(fetch(self.dataset, indices)) for indices in self.index_batches())"
AHEAD_LINE = "return prefetched(batches, self.prefetch) if self.prefetch else batches"
FINALLY = "left.set()\n        room.release()  # the thread may be waiting for room\n        thread.join()"
STACK_LINES = (
    "if isinstance(items[0], Tensor):\n        return stack([as_tensor(item) for item in items])\n"
    "    return Tensor(np.stack(items) if isinstance(items[0], np.ndarray) else items)"
)
FLIP_LINE = "return x[..., ::-1].clone()"
DRAW_LINE = "if self.generator.random() < self.p:"
PLACE_LINE = "top, left = (int(self.generator.integers(0, most + 1)) for most in room)"
PAD_LINE = "padded = np.pad(x.data, [(0, 0)] * (x.ndim - 2) + [around, around])"
SCALE_LINE = "return (x - mean) / std"

MISTAKES = [
    # ---- data sets
    Mistaken(
        name="lengths are not compared",
        exercise="TensorDataset.__init__",
        replace='require_equal("length", [len(x) for x in tensors])',
        by="pass",
        caught_by="test_tensor_dataset_refuses_unequal_lengths",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="one tensor, no tuple",
        exercise="TensorDataset.__getitem__",
        replace=ITEM_LINE,
        by="rows = tuple(x[index] for x in self.tensors)\n        return rows if len(rows) > 1 else rows[0]",
        caught_by="test_item_is_a_tuple_of_rows",
        says="an item is a tuple, whatever the number of tensors",
    ),
    Mistaken(
        name="a list for a tuple",
        exercise="TensorDataset.__getitem__",
        replace=ITEM_LINE,
        by="return [x[index] for x in self.tensors]",
        caught_by="test_item_is_a_tuple_of_rows",
    ),
    Mistaken(
        name="several items one by one",
        exercise="TensorDataset.__getitems__",
        replace=ITEMS_LINE,
        by="return [self[i] for i in indices]",
        caught_by="test_several_items_at_once_are_a_tensor_dataset",
        says="Index each tensor once",
    ),
    Mistaken(
        name="several items as bare tensors",
        exercise="TensorDataset.__getitems__",
        replace=ITEMS_LINE,
        by="return tuple(x[indices] for x in self.tensors)",
        caught_by="test_several_items_at_once_are_a_tensor_dataset",
        says="Make a TensorDataset of them",
    ),
    Mistaken(
        name="several items in rising order",
        exercise="TensorDataset.__getitems__",
        replace=ITEMS_LINE,
        by="return TensorDataset(*(x[sorted(indices)] for x in self.tensors))",
        caught_by="test_several_items_at_once_are_a_tensor_dataset",
        says="the order is lost",
    ),
    Mistaken(
        name="the subset does not look up",
        exercise="Subset.__getitem__",
        replace=LOOKUP_LINE,
        by="return self.dataset[index]",
        caught_by="test_subset_looks_its_items_up",
        says="look the number up in self.indices",
    ),
    Mistaken(
        name="the subset gives numbers",
        exercise="Subset.__getitem__",
        replace=LOOKUP_LINE,
        by="return int(self.indices[index])",
        caught_by="test_subset_looks_its_items_up",
        says="the numbers of the items, not the items",
    ),
    Mistaken(
        name="the fast way is not taken",
        exercise="fetch",
        replace='if hasattr(dataset, "__getitems__"):',
        by="if False:",
        caught_by="test_fetch_takes_the_fast_way_where_there_is_one",
        says="__getitems__ was not called",
    ),
    Mistaken(
        name="NumPy's integers handed on",
        exercise="fetch",
        replace="return [dataset[i] for i in indices.tolist()]",
        by="return [dataset[i] for i in indices]",
        caught_by="test_fetch_takes_the_fast_way_where_there_is_one",
        says="indices.tolist() makes plain ones",
    ),
    # ---- splits
    Mistaken(
        name="the remainder is dropped",
        exercise="split_lengths",
        replace=LEFT_OVER,
        by="pass",
        caught_by="test_fractions_become_whole_numbers",
        says="what is left over belongs to somebody",
    ),
    Mistaken(
        name="the remainder goes to the last part",
        exercise="split_lengths",
        replace=LEFT_OVER,
        by="counts[-1] += total - sum(counts)",
        caught_by="test_fractions_become_whole_numbers",
        says="the last part gets what is left over",
    ),
    Mistaken(
        name="lengths that do not add up",
        exercise="split_lengths",
        replace="if not possible or sum(lengths) != total or any(part != int(part) for part in lengths):",
        by="if not possible:",
        caught_by="test_lengths_that_do_not_split_are_refused",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="parts that overlap",
        exercise="random_split",
        replace=CUT_LINE,
        by="rng = generator_or_default(generator)\n"
        "    return [Subset(dataset, rng.permutation(len(dataset))[:count]) for count in counts]",
        caught_by="test_random_split_loses_and_shares_nothing",
    ),
    Mistaken(
        name="a split in the old order",
        exercise="random_split",
        replace=ORDER_LINE,
        by="order = np.arange(len(dataset))",
        caught_by="test_random_split_loses_and_shares_nothing",
        says="nothing was shuffled",
    ),
    Mistaken(
        name="rounded fractions in the split",
        exercise="random_split",
        replace="counts = split_lengths(lengths, len(dataset))",
        by="counts = [int(len(dataset) * part) if part < 1 else part for part in lengths]",
        caught_by="test_random_split_loses_and_shares_nothing",
        says="take the lengths from split_lengths",
    ),
    Mistaken(
        name="global randomness in the split",
        exercise="random_split",
        replace=ORDER_LINE,
        by="order = np.random.permutation(len(dataset))",
        caught_by="test_random_split_can_be_repeated",
    ),
    # ---- data on disk
    Mistaken(
        name="the whole file is read",
        exercise="open_array",
        replace=OPEN_LINE,
        by="array: NDArray[Any] = np.load(path)",
        caught_by="test_open_array_leaves_the_numbers_on_disk",
        says="np.load reads the whole file",
    ),
    Mistaken(
        name="a map that writes",
        exercise="open_array",
        replace=OPEN_LINE,
        by='array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r+")',
        caught_by="test_open_array_leaves_the_numbers_on_disk",
        says="a write would change the file",
    ),
    Mistaken(
        name="a missing file is called damaged",
        exercise="open_array",
        replace="except OSError:\n        raise\n    except",
        by="except",
        caught_by="test_open_array_refuses_what_is_no_array_of_numbers",
    ),
    Mistaken(
        name="one item reads the file",
        exercise="MemmapDataset.__getitem__",
        replace=ROW_LINE,
        by="return tuple(Tensor(array)[index].clone() for array in self.arrays)",
        caught_by="test_memmap_item_is_a_copy_of_one_row",
        says="Slice the mapped array first",
    ),
    Mistaken(
        name="an item that is still the file",
        exercise="MemmapDataset.__getitem__",
        replace=ROW_LINE,
        by="return tuple(from_numpy(np.asarray(array[index, ...])) for array in self.arrays)",
        caught_by="test_memmap_item_is_a_copy_of_one_row",
        says="windows onto the file",
    ),
    Mistaken(
        name="several items read the file",
        exercise="MemmapDataset.__getitems__",
        replace=ROWS_LINE,
        by="return TensorDataset(*(Tensor(array)[indices] for array in self.arrays))",
        caught_by="test_memmap_items_are_read_together",
        says="Slice the mapped array first",
    ),
    # ---- batches
    Mistaken(
        name="cat for stack",
        exercise="stack_items",
        replace=STACK_LINES,
        by="from .tensor import cat\n\n    return cat([as_tensor(item) for item in items])",
        caught_by="test_stack_items_makes_a_new_first_dimension",
        says="stack, not cat",
    ),
    Mistaken(
        name="the batch in the last dimension",
        exercise="stack_items",
        replace=STACK_LINES,
        by="return stack([as_tensor(item) for item in items], dim=-1)",
        caught_by="test_stack_items_makes_a_new_first_dimension",
        says="the new dimension stands at the end",
    ),
    Mistaken(
        name="pairs are not taken apart",
        exercise="default_collate",
        replace="batch = [default_collate(field) for field in zip(*items, strict=True)]\n"
        "        return same_kind(first, batch)",
        by="return list(items)",
        caught_by="test_collate_turns_pairs_into_a_pair_of_batches",
    ),
    Mistaken(
        name="a batch of a tuple is a list",
        exercise="default_collate",
        replace="return same_kind(first, batch)",
        by="return batch",
        caught_by="test_collate_turns_pairs_into_a_pair_of_batches",
    ),
    Mistaken(
        name="missing keys go unseen",
        exercise="default_collate",
        replace='require_equal("keys", [set(item) for item in items])',
        by="pass",
        caught_by="test_collate_refuses_items_that_do_not_fit",
    ),
    # ---- the loader
    Mistaken(
        name="length by floor",
        exercise="DataLoader.__len__",
        replace=LENGTH_LINE,
        by="return full",
        caught_by="test_length_counts_the_batches",
        says="what is left over is a batch, too",
    ),
    Mistaken(
        name="one batch too many",
        exercise="DataLoader.__len__",
        replace=LENGTH_LINE,
        by="return full if self.drop_last else full + 1",
        caught_by="test_length_counts_the_batches",
        says="one too many where the items fill all batches",
    ),
    Mistaken(
        name="length without drop_last",
        exercise="DataLoader.__len__",
        replace=LENGTH_LINE,
        by="return full + 1 if rest else full",
        caught_by="test_length_counts_the_batches",
        says="drop_last is not looked at",
    ),
    Mistaken(
        name="no shuffling",
        exercise="DataLoader.order",
        replace=DRAWN_LINE,
        by="return np.arange(count)",
        caught_by="test_order_is_a_new_permutation_every_time",
        says="shuffle is not looked at",
    ),
    Mistaken(
        name="the same order every pass",
        exercise="DataLoader.order",
        replace=DRAWN_LINE,
        by="if not hasattr(self, 'kept'):\n"
        "            self.kept = self.generator.permutation(count)\n"
        "        return self.kept if self.shuffle else np.arange(count)",
        caught_by="test_order_is_a_new_permutation_every_time",
        says="the order is drawn once and kept",
    ),
    Mistaken(
        name="drawn with replacement",
        exercise="DataLoader.order",
        replace=DRAWN_LINE,
        by="return self.generator.integers(0, count, count) if self.shuffle else np.arange(count)",
        caught_by="test_order_is_a_new_permutation_every_time",
    ),
    Mistaken(
        name="global randomness",
        exercise="DataLoader.order",
        replace=DRAWN_LINE,
        by="return np.random.permutation(count) if self.shuffle else np.arange(count)",
        caught_by="test_order_comes_from_the_generator",
        says="does not come from self.generator",
    ),
    Mistaken(
        name="the ragged batch is lost",
        exercise="DataLoader.index_batches",
        replace=END_LINE,
        by="end = len(order) - len(order) % self.batch_size",
        caught_by="test_index_batches_cut_the_order",
        says="The last batch may be smaller",
    ),
    Mistaken(
        name="the ragged batch is kept",
        exercise="DataLoader.index_batches",
        replace=END_LINE,
        by="end = len(order)",
        caught_by="test_index_batches_cut_the_order",
        says="drop_last is not looked at",
    ),
    Mistaken(
        name="a full last batch is dropped",
        exercise="DataLoader.index_batches",
        replace=END_LINE,
        by="end = (len(order) - 1) // self.batch_size * self.batch_size if self.drop_last else len(order)",
        caught_by="test_index_batches_cut_the_order",
        says="the last batch is full, and dropped all the same",
    ),
    Mistaken(
        name="a new order for every piece",
        exercise="DataLoader.index_batches",
        replace=PIECE_LINE,
        by="yield self.order()[start : start + self.batch_size]",
        caught_by="test_index_batches_of_a_shuffled_pass_hold_everything_once",
    ),
    Mistaken(
        name="the stream's ragged list is kept",
        exercise="DataLoader.item_batches",
        replace=KEEP_LINE,
        by="if batch:",
        caught_by="test_item_batches_group_a_stream",
        says="drop_last is not looked at",
    ),
    Mistaken(
        name="the stream's ragged list is lost",
        exercise="DataLoader.item_batches",
        replace=KEEP_LINE,
        by="if len(batch) == self.batch_size:",
        caught_by="test_item_batches_group_a_stream",
        says="The last batch may be smaller",
    ),
    Mistaken(
        name="the whole stream first",
        exercise="DataLoader.item_batches",
        replace="items = iter(self.dataset)",
        by="items = iter(list(self.dataset))",
        caught_by="test_item_batches_take_no_more_than_they_need",
        says="the whole stream was read first",
    ),
    Mistaken(
        name="one iterator for all passes",
        exercise="DataLoader.__iter__",
        replace=AHEAD_LINE,
        by="if not hasattr(self, 'running'):\n            self.running = batches\n        return self.running",
        caught_by="test_every_pass_gives_every_pair_once",
        says="Start a new one at every call",
    ),
    Mistaken(
        name="everything is a stream",
        exercise="DataLoader.__iter__",
        replace=BATCH_LINE,
        by=STREAM_LINE,
        caught_by="test_every_pass_gives_every_pair_once",
        says="is taken as a stream",
    ),
    Mistaken(
        name="collate_fn is not used",
        exercise="DataLoader.__iter__",
        replace=BATCH_LINE,
        by="batches = (default_collate(fetch(self.dataset, indices)) for indices in self.index_batches())",
        caught_by="test_loops_over_one_loader_do_not_disturb_each_other",
    ),
    Mistaken(
        name="all batches before the first",
        exercise="DataLoader.__iter__",
        replace=BATCH_LINE,
        by="batches = iter([self.collate_fn(fetch(self.dataset, indices)) for indices in self.index_batches()])",
        caught_by="test_a_batch_is_made_when_it_is_due",
        says="all batches were made before the first came",
    ),
    Mistaken(
        name="prefetch is not looked at",
        exercise="DataLoader.__iter__",
        replace=AHEAD_LINE,
        by="return batches",
        caught_by="test_prefetch_works_ahead_of_the_loop",
        says="prefetch is not looked at",
    ),
    # ---- the thread
    Mistaken(
        name="no thread at all",
        exercise="prefetched",
        replace="room, ready, left = threading.Semaphore(ahead), SimpleQueue[Any](), threading.Event()\n",
        by="yield from batches\n    return\n"
        "    room, ready, left = threading.Semaphore(ahead), SimpleQueue[Any](), threading.Event()\n",
        caught_by="test_prefetched_is_a_little_ahead",
        says="nothing is made ahead",
    ),
    Mistaken(
        name="no bound",
        exercise="prefetched",
        replace="while room.acquire() and not left.is_set():",
        by="while not left.is_set():",
        caught_by="test_prefetched_is_a_little_ahead",
        says="all batches are made at once",
    ),
    Mistaken(
        name="the error dies with the thread",
        exercise="prefetched",
        replace="if isinstance(error, StopIteration):\n                return\n            if error is not None:\n"
        "                raise error",
        by="if error is not None:\n                return",
        caught_by="test_prefetched_hands_errors_on",
        says="the error died with the thread",
    ),
    Mistaken(
        name="a new error for the old one",
        exercise="prefetched",
        replace="raise error",
        by="raise type(error)(*error.args)",
        caught_by="test_prefetched_hands_errors_on",
        says="raise the same exception object",
    ),
    Mistaken(
        name="the thread is left behind",
        exercise="prefetched",
        replace=FINALLY,
        by="pass",
        caught_by="test_prefetched_leaves_no_thread_behind",
        says="the thread is still there",
    ),
    Mistaken(
        name="the thread is told, but waits for room",
        exercise="prefetched",
        replace=FINALLY,
        by="left.set()\n        thread.join(0.05)",
        caught_by="test_prefetched_leaves_no_thread_behind",
        says="make room for it",
    ),
    # ---- transforms
    Mistaken(
        name="flipped upside down",
        exercise="RandomHorizontalFlip.__call__",
        replace=FLIP_LINE,
        by="return x[..., ::-1, :].clone()",
        caught_by="test_flip_exchanges_left_and_right",
        says="top and bottom are exchanged",
    ),
    Mistaken(
        name="flipped channels",
        exercise="RandomHorizontalFlip.__call__",
        replace=FLIP_LINE,
        by="return x[:, ::-1].clone()",
        caught_by="test_flip_exchanges_left_and_right",
        says="the channels are exchanged",
    ),
    Mistaken(
        name="flipped in place",
        exercise="RandomHorizontalFlip.__call__",
        replace=FLIP_LINE,
        by="x.data[...] = x.data[..., ::-1].copy()\n            return x",
        caught_by="test_flip_exchanges_left_and_right",
    ),
    Mistaken(
        name="flipped with the other probability",
        exercise="RandomHorizontalFlip.__call__",
        replace=DRAW_LINE,
        by="if self.p in (0, 1) and self.p or self.p not in (0, 1) and self.generator.random() > self.p:",
        caught_by="test_flip_happens_with_its_probability",
        says="1 - p of all calls",
    ),
    Mistaken(
        name="always flipped",
        exercise="RandomHorizontalFlip.__call__",
        replace=DRAW_LINE,
        by="if self.p > 0:",
        caught_by="test_flip_happens_with_its_probability",
        says="every call flipped",
    ),
    Mistaken(
        name="the last place is never reached",
        exercise="RandomCrop.__call__",
        replace=PLACE_LINE,
        by="top, left = (int(self.generator.integers(0, max(most, 1))) for most in room)",
        caught_by="test_crop_reaches_every_place",
        says="the last place is never reached",
    ),
    Mistaken(
        name="always the corner",
        exercise="RandomCrop.__call__",
        replace=PLACE_LINE,
        by="top, left = 0, 0",
        caught_by="test_crop_reaches_every_place",
        says="every window begins at the corner",
    ),
    Mistaken(
        name="one number for row and column",
        exercise="RandomCrop.__call__",
        replace=PLACE_LINE,
        by="top = left = int(self.generator.integers(0, min(room) + 1))",
        caught_by="test_crop_reaches_every_place",
        says="one number decides row and column",
    ),
    Mistaken(
        name="the edge as padding",
        exercise="RandomCrop.__call__",
        replace=PAD_LINE,
        by='padded = np.pad(x.data, [(0, 0)] * (x.ndim - 2) + [around, around], mode="edge")',
        caught_by="test_crop_pads_with_zeros_all_around",
        says="Zeros are due",
    ),
    Mistaken(
        name="padding on one side",
        exercise="RandomCrop.__call__",
        replace=PAD_LINE,
        by="padded = np.pad(x.data, [(0, 0)] * (x.ndim - 2) + [(2 * self.padding, 0)] * 2)",
        caught_by="test_crop_pads_with_zeros_all_around",
        says="They go all around",
    ),
    Mistaken(
        name="a window that does not fit is cut short",
        exercise="RandomCrop.__call__",
        replace="if min(room) < 0:",
        by="room = [max(most, 0) for most in room]\n        if min(room) < 0:",
        caught_by="test_crop_refuses_a_window_that_does_not_fit",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="means along the width",
        exercise="Normalize.__call__",
        replace="reshape(-1, 1, 1)",
        by="reshape(-1)",
        caught_by="test_normalize_by_channel",
        says="Channels stand third from the end",
    ),
    Mistaken(
        name="divided by the variance",
        exercise="Normalize.__call__",
        replace=SCALE_LINE,
        by="return (x - mean) / (std * std)",
        caught_by="test_normalize_by_channel",
        says="divided by the variance",
    ),
    Mistaken(
        name="the mean is taken away last",
        exercise="Normalize.__call__",
        replace=SCALE_LINE,
        by="return x / std - mean",
        caught_by="test_normalize_by_channel",
        says="divide what is left",
    ),
    Mistaken(
        name="multiplied by the deviation",
        exercise="Normalize.__call__",
        replace=SCALE_LINE,
        by="return (x - mean) * std",
        caught_by="test_normalize_by_channel",
        says="multiplied by the standard deviation",
    ),
    Mistaken(
        name="one channel for many means",
        exercise="Normalize.__call__",
        replace="if len(self.mean) not in (1, x.shape[-3]):",
        by="if len(self.mean) != 1 and x.shape[-3] not in (1, len(self.mean)):",
        caught_by="test_normalize_refuses_what_does_not_fit",
    ),
]
