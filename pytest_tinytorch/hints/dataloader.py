"""Hints for module 08, dataloader."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "TensorDataset.__init__": Ladder(
        ask=(
            "Ten images and nine labels: which label belongs to the last image? At which moment would you like to "
            "hear of it, when the data set is made or in the middle of a training?"
        ),
        idea=(
            "Look at the length of each tensor, the size of its first dimension. All must be equal; and without "
            "any tensor there are no items at all."
        ),
        algorithm=(
            "If not tensors, raise ValueError that says that at least one tensor is needed. Then "
            'require_equal("length", [len(x) for x in tensors]), and self.tensors = tensors, which is a tuple '
            "already."
        ),
        smaller="TensorDataset(tensor([1, 2]), tensor([3, 4])).tensors has two tensors",
        lesson="Items by number",
    ),
    "TensorDataset.__getitem__": Ladder(
        ask=(
            "Two tensors, images and labels. You are asked for item 3. Which row do you take from the first, and "
            "which from the second? What do you put them into, so that `image, label = dataset[3]` works?"
        ),
        idea="Row `index` of each tensor, in a tuple. With one tensor it is a tuple of one: callers can rely on it.",
        algorithm=(
            "Return tuple(x[index] for x in self.tensors). The word tuple is needed: parentheses alone make a "
            "generator."
        ),
        smaller="TensorDataset(tensor([1, 2]), tensor([3, 4]))[1] is (tensor(2), tensor(4))",
        lesson="Items by number",
        proof="""
        >>> TensorDataset(tensor([1, 2]), tensor([3, 4]))[1]
        (tensor(2), tensor(4))
        """,
    ),
    "TensorDataset.__getitems__": Ladder(
        ask=(
            "x[[2, 0]] of a tensor: which rows come, in which order, and how many calls of NumPy did it take? What "
            "would you have to do afterwards with the list [x[2], x[0]] to have the same?"
        ),
        idea=(
            "A tensor takes a list or an array of numbers as index and gives those rows at once. Do that with each "
            "tensor. Rows side by side are a TensorDataset again, only smaller."
        ),
        algorithm=(
            "Return TensorDataset(*(x[indices] for x in self.tensors)). The star hands the tensors over one by one."
        ),
        smaller="TensorDataset(tensor([1, 2, 3])).__getitems__([2, 0]).tensors is (tensor([3, 1]),)",
        lesson="Items by number",
        proof="""
        >>> TensorDataset(tensor([1, 2, 3])).__getitems__([2, 0]).tensors
        (tensor([3, 1]),)
        """,
    ),
    "Subset.__getitem__": Ladder(
        ask=(
            "A subset of a b c d with the numbers [3, 1]. What is its item 0, and its item 1? Which two lookups "
            "did you make to find out?"
        ),
        idea="First the list of numbers, then the other data set: item 0 stands at number 3 there, which is d.",
        algorithm="Return self.dataset[self.indices[index]].",
        smaller='Subset(["a", "b", "c"], [2])[0] is "c"',
        lesson="A split is one permutation",
        proof="""
        >>> Subset(["a", "b", "c", "d"], [3, 1])[0]
        'd'
        """,
    ),
    "fetch": Ladder(
        ask=(
            "Somebody's data set is a plain list. Yours can give 64 items by one call. How can one function serve "
            "both without knowing them?"
        ),
        idea=(
            "Ask the data set whether it has the method: hasattr(dataset, '__getitems__'). If so, one call with "
            "all numbers. If not, one lookup per number, with plain ints, for not every class takes NumPy's."
        ),
        algorithm=(
            "If hasattr(dataset, '__getitems__'): return dataset.__getitems__(indices). Otherwise return "
            "[dataset[i] for i in indices.tolist()]."
        ),
        smaller='fetch(["a", "b", "c"], np.array([2, 0])) is ["c", "a"]',
        lesson="Items by number",
    ),
    "split_lengths": Ladder(
        ask=(
            "Share 9 items by 0.5, 0.3 and 0.2. Write down the three exact shares, round each one down, and add "
            "up. How many items are left, and who gets them?"
        ),
        idea=(
            "Exact 4.5, 2.7 and 1.8, rounded down 4, 2 and 1, together 7. Two are left: one for the first part, "
            "one for the second, 5, 3 and 1. A sum of fractions may be a hair off 1, so compare with math.isclose."
        ),
        algorithm=(
            "possible = all(part >= 0 for part in lengths). If possible and math.isclose(sum(lengths), 1): counts "
            "= [int(total * share) ...], then add 1 to counts[i] for i in range(total - sum(counts)), return "
            "counts. Otherwise raise ValueError if not possible, or sum(lengths) != total, or any part != "
            "int(part); name the lengths and the total. Return [int(part) for part in lengths]."
        ),
        smaller="split_lengths([0.5, 0.5], 3) is [2, 1]",
        lesson="A split is one permutation",
        proof="""
        >>> [round(9 * share, 1) for share in (0.5, 0.3, 0.2)]
        [4.5, 2.7, 1.8]
        >>> [len(part) for part in random_split(range(9), [0.5, 0.3, 0.2])]
        [5, 3, 1]
        >>> [len(part) for part in random_split(range(3), [0.5, 0.5])]
        [2, 1]
        """,
    ),
    "random_split": Ladder(
        ask=(
            "A pack of 10 cards, shuffled once. Deal the first 7 to one player and the next 3 to the other. Can a "
            "card be with both? Can one be missing? And what if you shuffle again before the second player?"
        ),
        idea=(
            "One permutation of all numbers, cut into consecutive pieces. For the lengths 7 and 3 the pieces end "
            "at 7 and at 10: cumulative sums. Each piece becomes a Subset."
        ),
        algorithm=(
            "counts = split_lengths(lengths, len(dataset)); order = "
            "generator_or_default(generator).permutation(len(dataset)); ends = np.cumsum(counts). Return a list "
            "with Subset(dataset, order[end - count : end]) for each count and its end."
        ),
        smaller="the parts of random_split([1, 2, 3], [2, 1]) together hold 1, 2 and 3 once each",
        lesson="A split is one permutation",
    ),
    "open_array": Ladder(
        ask=(
            "A file of 100 GB, a laptop with 8 GB, and you need row 5. What do you have to know to find its first "
            "byte? Where does that stand in the file?"
        ),
        idea=(
            "The header says shape and dtype, so row 5 begins at a place that can be computed. A memory map does "
            "that: array[5] touches those bytes, and no others are read. Mode r forbids writing."
        ),
        algorithm=(
            "try: array = np.lib.format.open_memmap(path, mode='r'). except OSError: raise. except Exception as "
            "error: raise ValueError(f'{path} is no array ...: {error}') from error. Then TypeError with the path "
            "and the dtype if array.dtype.kind not in 'fiub' or not array.dtype.isnative (foreign byte order). "
            "Return the array."
        ),
        smaller="np.save('x.npy', np.arange(3)); open_array('x.npy')[1] is 1",
        lesson="Larger than memory",
    ),
    "MemmapDataset.__getitem__": Ladder(
        ask=(
            "array is a map of 100 GB. How many bytes does array[5] read, and how many does np.array(array)[5]? "
            "The same brackets: why does their place matter?"
        ),
        idea=(
            "array[5] is a window that has read nothing. Copy it, and one row is read, into memory of its own. "
            "Copy first, and everything is."
        ),
        algorithm="Return tuple(Tensor(array[index]) for array in self.arrays). Tensor(...) copies what it is given.",
        smaller="MemmapDataset(path)[0] is a tuple with one tensor",
        lesson="Larger than memory",
    ),
    "MemmapDataset.__getitems__": Ladder(
        ask=(
            "array[[7, 2]] of a mapped array: which rows does NumPy read, and is the result a window or a copy? "
            "You know the rule from module 01."
        ),
        idea="A list as index copies those rows and no others. From there on it is a TensorDataset, as in memory.",
        algorithm="Return TensorDataset(*(Tensor(array[indices]) for array in self.arrays)).",
        smaller="MemmapDataset(path).__getitems__([1, 0]) is a TensorDataset with two items",
        lesson="Larger than memory",
    ),
    "stack_items": Ladder(
        ask=(
            "Three images of shape (28, 28). Which shape has the batch, and at which place does the 3 stand? What "
            "would `cat` give instead?"
        ),
        idea=(
            "(3, 28, 28): a new dimension in front, that is stack. cat would give (84, 28). Tensors have their "
            "stack in module 01, arrays theirs in NumPy, and a list of numbers is a row already."
        ),
        algorithm=(
            'require_equal("shape", [np.shape(item) for item in items]). If isinstance(items[0], Tensor): return '
            "stack(items). If it is an np.ndarray: return Tensor(np.stack(items)). Otherwise return Tensor(items)."
        ),
        smaller="stack_items([3, 1, 2]) is tensor([3, 1, 2])",
        lesson="From items to a batch",
        proof="""
        >>> images = [zeros(28, 28) for _ in range(3)]
        >>> stack(images).shape, cat(images).shape
        ((3, 28, 28), (84, 28))
        """,
    ),
    "default_collate": Ladder(
        ask=(
            "The items are (1, 'a') and (2, 'b'). Write down what zip(*items) gives. Which function makes a batch "
            "of (1, 2), and which one of ('a', 'b')?"
        ),
        idea=(
            "Columns: (1, 2) and ('a', 'b'). Each column is again several items of one kind, so the same function "
            "makes its batch: it calls itself. It stops at tensors and numbers (stack_items) and at texts (a "
            "list)."
        ),
        algorithm=(
            "first = items[0]. A TensorDataset: return items.tensors. Then isinstance of first: Tensor, "
            "np.ndarray, np.number, np.bool_, int, float: stack_items. str, bytes: list(items). Mapping: "
            "require_equal of the key sets, then {key: default_collate([item[key] for item in items]) for key in "
            "first}. tuple, list: require_equal of the lengths, then same_kind(first, [default_collate(column) for "
            "column in zip(*items)]). Otherwise TypeError with type(first)."
        ),
        smaller="default_collate([(1, 2), (3, 4)]) is (tensor([1, 3]), tensor([2, 4]))",
        lesson="From items to a batch",
        proof="""
        >>> default_collate([(1, 2), (3, 4)])
        (tensor([1, 3]), tensor([2, 4]))
        >>> list(zip(*[(1, "a"), (2, "b")]))
        [(1, 2), ('a', 'b')]
        """,
    ),
    "DataLoader.__len__": Ladder(
        ask="Ten eggs in boxes of three. How many boxes do you need? How many are full? And with nine eggs?",
        idea=(
            "4 boxes, 3 of them full; with nine eggs 3 and 3. So the rest decides: if there is one, one more box, "
            "unless drop_last."
        ),
        algorithm=(
            "full, rest = divmod(len(self.dataset), self.batch_size). Return full + 1 if rest and not "
            "self.drop_last, else full."
        ),
        smaller="len(DataLoader(range(10), batch_size=3)) is 4",
        lesson="One pass",
        proof="""
        >>> len(DataLoader(range(10), batch_size=3)), divmod(10, 3), divmod(9, 3)
        (4, (3, 1), (3, 0))
        """,
    ),
    "DataLoader.order": Ladder(
        ask=(
            "Images in one list, labels in another, and both shall be shuffled. What goes wrong if you shuffle "
            "each list? What could you shuffle instead, once, and use for both?"
        ),
        idea=(
            "Shuffle the numbers 0 to n - 1: a permutation. Draw it from the loader's own generator, anew at every "
            "call. Without shuffle the numbers come in turn."
        ),
        algorithm=(
            "count = len(self.dataset). Return self.generator.permutation(count) if self.shuffle, else "
            "np.arange(count)."
        ),
        smaller="DataLoader(range(3)).order() is array([0, 1, 2])",
        lesson="One pass",
    ),
    "DataLoader.index_batches": Ladder(
        ask=(
            "Seven numbers in a row, pieces of three. At which places does each piece begin? Which is the last "
            "place where a piece may begin if every piece must be full?"
        ),
        idea=(
            "They begin at 0, 3 and 6: range(0, 7, 3). Full pieces begin below 6 only, which is 7 less its rest of "
            "1: range(0, 6, 3). A slice that reaches beyond the end is cut short by itself."
        ),
        algorithm=(
            "order = self.order(), once. end = len(order), less len(order) % self.batch_size if self.drop_last. "
            "For start in range(0, end, self.batch_size): yield order[start : start + self.batch_size]."
        ),
        smaller="the pieces of DataLoader(range(5), batch_size=2) are [0, 1], [2, 3] and [4]",
        lesson="One pass",
        proof="""
        >>> list(range(0, 7, 3)), list(range(0, 6, 3))
        ([0, 3, 6], [0, 3])
        """,
    ),
    "DataLoader.item_batches": Ladder(
        ask=(
            "Items come along a conveyor belt that may never stop. You fill boxes of three. When do you hand a box "
            "on? What do you have in your hands when the belt does stop?"
        ),
        idea=(
            "Take three, hand them on, take the next three. list(islice(items, 3)) takes up to three from an "
            "iterator and remembers nothing else; an empty list means that the belt has stopped."
        ),
        algorithm=(
            "items = iter(self.dataset). while batch := list(itertools.islice(items, self.batch_size)): yield "
            "batch if len(batch) == self.batch_size or not self.drop_last."
        ),
        smaller="a stream of 5, 4, 3 in lists of 2 is [5, 4] and [3]",
        lesson="One pass",
    ),
    "DataLoader.__iter__": Ladder(
        ask=(
            "Which three functions lie between a data set with numbers and a batch, and in which order? Which of "
            "them does a stream not need? What must not happen before the first batch is asked for?"
        ),
        idea=(
            "index_batches, fetch, collate_fn; a stream has item_batches and collate_fn. A generator expression "
            "chains them and computes nothing until somebody asks. Make a new one at each call, so that each pass "
            "is complete."
        ),
        algorithm=(
            "If isinstance(self.dataset, IterableDataset): batches = (self.collate_fn(items) for items in "
            "self.item_batches()). Otherwise (self.collate_fn(fetch(self.dataset, indices)) for indices in "
            "self.index_batches()). Return prefetched(batches, self.prefetch) if self.prefetch, else batches."
        ),
        smaller="[sum for sum in DataLoader([1, 2, 4], batch_size=2, collate_fn=sum)] is [3, 4]",
        lesson="One pass",
        proof="""
        >>> [batch for batch in DataLoader([1, 2, 4], batch_size=2, collate_fn=sum)]
        [3, 4]
        """,
    ),
    "prefetched": Ladder(
        ask=(
            "A cook and a guest, and room for two plates between them. When must the cook wait, and when the "
            "guest? What does the cook do if the kitchen burns? And how does he learn that the guest has gone "
            "home?"
        ),
        idea=(
            "The cook takes a free place before cooking (semaphore), puts the plate on a queue, and puts an error "
            "there as well. The guest takes from the queue and frees a place. Whoever leaves says so (event) and "
            "frees a place once more, or the cook would wait for ever."
        ),
        algorithm=(
            "work(): try: while room.acquire() and not left.is_set(): ready.put((next(batches), None)). except "
            "BaseException as error: ready.put((None, error)). Start the thread. try: while True: batch, error = "
            "ready.get(); return on StopIteration; raise any other error; room.release(); yield batch. finally: "
            "left.set(); room.release(); thread.join()."
        ),
        smaller="list(prefetched(iter([1, 2, 3]), ahead=2)) is [1, 2, 3]",
        lesson="While the loop computes",
    ),
    "RandomHorizontalFlip.__call__": Ladder(
        ask=(
            "A mirror image of [[1, 2], [3, 4]]: write it down. Which index runs backwards, the first or the last? "
            "What does the slice [::-1] do to a list?"
        ),
        idea=(
            "[[2, 1], [4, 3]]: the last dimension runs backwards, x[..., ::-1], whatever stands before it. A "
            "number in [0, 1) lies below p in a share p of all draws."
        ),
        algorithm=(
            "require_image(x, 2). If self.generator.random() < self.p: return x[..., ::-1].clone(). Otherwise return x."
        ),
        smaller="RandomHorizontalFlip(1.0)(tensor([[1, 2]])) is tensor([[2, 1]])",
        lesson="New pictures from old",
        proof="""
        >>> RandomHorizontalFlip(1.0)(tensor([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
        """,
    ),
    "RandomCrop.__call__": Ladder(
        ask=(
            "A row of five pixels and a window of three. At which places can it begin? How many are there, and "
            "which two numbers give that count?"
        ),
        idea=(
            "0, 1 and 2: there are 5 - 3 + 1 = 3 places. generator.integers(0, 3) draws from 0 to 2. Rows and "
            "columns have a draw each. Padding adds 2p to both sizes first."
        ),
        algorithm=(
            "require_image(x, 2). padded = np.pad(x.data, [(0, 0)] * (x.ndim - 2) + [(p, p), (p, p)]). For each of "
            "the last two sizes: room = size there - size wanted; below 0: ValueError with self.size and the "
            "padded sizes. top = generator.integers(0, room + 1) for the rows, left likewise. Return "
            "from_numpy(padded[..., top : top + height, left : left + width])."
        ),
        smaller="RandomCrop(1)(tensor([[1, 2]])) is tensor([[1]]) or tensor([[2]])",
        lesson="New pictures from old",
    ),
    "Normalize.__call__": Ladder(
        ask=(
            "An image of shape (3, 32, 32) and three means. Broadcasting aligns shapes at the right: with which "
            "dimension do the three line up? With which one should they?"
        ),
        idea=(
            "(3,) lines up with the width. In shape (3, 1, 1) the means line up with the channels and stretch over "
            "the pixels. For one pixel of 5, mean 1 and std 2 the result is (5 - 1) / 2 = 2."
        ),
        algorithm=(
            "require_image(x, 3). TypeError with the dtype unless x.dtype.kind == 'f'. ValueError with "
            "len(self.mean) and x.shape unless len(self.mean) is 1 or x.shape[-3]. mean = Tensor(self.mean, "
            "dtype=x.dtype).reshape(-1, 1, 1), std likewise; return (x - mean) / std."
        ),
        smaller="Normalize([1.], [2.])(tensor([[[5.]]])) is tensor([[[2.]]])",
        lesson="New pictures from old",
        proof="""
        >>> Normalize([1.0], [2.0])(tensor([[[5.0]]]))
        tensor([[[2.]]])
        """,
    ),
}
