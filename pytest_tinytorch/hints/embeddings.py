"""Hints for module 11, embeddings."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "check_ids": Ladder(
        ask=(
            "A table has rows 0, 1 and 2. Which of the ids -1, 0, 2 and 3 are in it? Which two numbers of a whole "
            "array of ids do you have to look at, to know about all of them? And what are they for an empty array?"
        ),
        idea=(
            "0 and 2 are in it. The smallest and the largest id tell about all others, and an empty array has "
            "neither: ids.data.min() would raise, so ask for the size first. NumPy accepts -1 and means row 2, which "
            "is why you have to refuse it."
        ),
        algorithm=(
            "TypeError naming type(ids).__name__ if not isinstance(ids, Tensor). TypeError naming ids.dtype if "
            "ids.dtype.kind not in 'iu'. If ids.data.size: for each of ids.data.min() and ids.data.max(), IndexError "
            "naming it and count if not 0 <= it < count. Return ids.data."
        ),
        smaller="check_ids(tensor([1, 0]), 2) gives array([1, 0])",
        lesson="A row for every token",
        proof="""
        >>> tinytorch.embeddings.check_ids(tensor([1, 0]), 2)
        array([1, 0])
        >>> int(np.array([10, 20, 30])[-1])
        30
        """,
    ),
    "one_hot": Ladder(
        ask=(
            "There are four classes. Write the row for id 2. Now write the numbers 0 1 2 3 above it: in which column "
            "is the number above equal to the id?"
        ),
        idea=(
            "Only in the column of the 1: [0, 0, 1, 0] is the answer to `[0, 1, 2, 3] == 2`. For many ids, stand each "
            "of them up in a dimension of its own, (..., 1), and compare it with the lying row (num_classes,). "
            "Broadcasting makes (..., num_classes)."
        ),
        algorithm=(
            "array = check_ids(ids, num_classes). hot = array[..., None] == np.arange(num_classes), which is boolean. "
            "Return from_numpy(hot.astype(np.int64))."
        ),
        smaller="one_hot(tensor([1, 0]), 2) is [[0, 1], [1, 0]]",
        lesson="A row for every token",
        proof="""
        >>> one_hot(tensor([1, 0]), 2).tolist(), (np.arange(4) == 2).astype(int).tolist()
        ([[0, 1], [1, 0]], [0, 0, 1, 0])
        """,
    ),
    "embedding": Ladder(
        ask=(
            "weight has the rows [5, 6], [7, 8], [9, 10]. Multiply the one-hot row [0, 0, 1] with it by hand. Which "
            "numbers of the weight reached the result, and what would you have had to read to know them?"
        ),
        idea=(
            "[9, 10], row 2, and nothing else. NumPy reads it with weight.data[2], and for an array of ids of any "
            "shape weight.data[array] puts the row's dimension behind theirs. What comes out must know its way back to "
            "the table: it goes through record."
        ),
        algorithm=(
            "ValueError naming weight.shape if weight.ndim != 2. array = check_ids(ids, weight.shape[0]). row = "
            "padding_row(padding_idx, weight.shape[0]). Return record('embedding', weight.data[array], (weight,), "
            "ids=array, padding_idx=row). Only weight is an input, for ids have no gradient."
        ),
        smaller="embedding(tensor([1, 0]), tensor([[5.], [6.]])) is [[6.], [5.]]",
        lesson="A row for every token",
        proof="""
        >>> embedding(tensor([1, 0]), tensor([[5.0], [6.0]])).tolist()
        [[6.0], [5.0]]
        >>> np.array([0, 0, 1]) @ np.array([[5, 6], [7, 8], [9, 10]])
        array([ 9, 10])
        """,
    ),
    "sum_rows": Ladder(
        ask=(
            "The ids are 2, 0, 2 and the rows [1], [2], [4]. Sort the ids and write each row beside its id. Where does "
            "a new id begin? What does `total[ids] += rows` put into row 2?"
        ),
        idea=(
            "Sorted, 0 2 2 stand beside [2], [1], [4]. New ids begin at places 0 and 1, so the stretches sum to 2 and "
            "1 + 4 = 5. `+=` with the index [2, 0, 2] puts 4 into row 2: it computes all three sums from the old "
            "zeros, then writes, and the last one stays."
        ),
        algorithm=(
            "order = np.argsort(ids, kind='stable'); in_order = ids[order]. first = np.ones(len(ids), bool); first[1:] "
            "= in_order[1:] != in_order[:-1]. starts = np.flatnonzero(first). total = np.zeros((count, rows.shape[1]), "
            "rows.dtype). total[in_order[first]] = np.add.reduceat(rows[order], starts, axis=0). Return total."
        ),
        smaller="sum_rows of rows [[1.], [2.]] with ids [0, 0] and count 2 is [[3.], [0.]]",
        lesson="A row that is used twice",
        proof="""
        >>> sum_rows = tinytorch.embeddings.sum_rows
        >>> sum_rows(np.array([[1.0], [2.0]]), np.array([0, 0]), 2).tolist()
        [[3.0], [0.0]]
        >>> sum_rows(np.array([[1], [2], [4]]), np.array([2, 0, 2]), 3).tolist()
        [[2], [0], [5]]
        >>> total = np.zeros(3)
        >>> total[[2, 0, 2]] += [1, 2, 4]
        >>> total
        array([2., 0., 4.])
        """,
    ),
    "embedding_backward": Ladder(
        ask=(
            "A batch has the ids [[1, 1], [0, 1]]. How often was row 1 of the table read? If the loss rises by 1 with "
            "every number that was looked up, by how much does it rise with a number of row 1?"
        ),
        idea=(
            "Three times, so by 3. Every place reports its gradient to the row that it read, and the reports add up. "
            "The dimensions of the batch make no difference: four places, four rows of grad, four ids. The padding "
            "row is set to zero at the end; it may be row 0."
        ),
        algorithm=(
            "Flatten: rows = grad.reshape(ids.size, weight.shape[1]). total = sum_rows(rows, ids.reshape(-1), "
            "weight.shape[0]). If padding_idx is not None, total[padding_idx] = 0. Return total. (`if padding_idx:` "
            "would pass over row 0.)"
        ),
        smaller="ids [1, 1, 0] and grad [[1.], [1.], [1.]] give [[1.], [2.]]",
        lesson="A row that is used twice",
        proof="""
        >>> weight = zeros(2, 1)
        >>> weight.requires_grad = True
        >>> embedding(tensor([1, 1, 0]), weight).sum().backward()
        >>> weight.grad.tolist()
        [[1.0], [2.0]]
        """,
    ),
    "Embedding.__init__": Ladder(
        ask=(
            "65 characters shall get 32 numbers each. What is the table's shape, and how many parameters is that? If "
            "all rows started at zero, what could the next layer tell apart?"
        ),
        idea=(
            "(65, 32), 2080 parameters. Equal rows are equal names: nothing could be told apart, so the rows start "
            "at random, each number normal with standard deviation 1. Only the padding row is zero."
        ),
        algorithm=(
            "super().__init__(). Keep the two sizes. self.padding_idx = padding_row(padding_idx, num_embeddings). "
            "self.weight = normal_(Parameter(zeros(num_embeddings, embedding_dim))). If self.padding_idx is not None: "
            "self.weight.data[self.padding_idx] = 0, through .data, for a Parameter cannot be written into."
        ),
        smaller="Embedding(4, 3).weight has shape (4, 3)",
        lesson="A row for every token",
        proof="""
        >>> Embedding(4, 3).weight.shape, 65 * 32
        ((4, 3), 2080)
        """,
    ),
    "Embedding.forward": Ladder(
        ask=(
            "A layer has a table and a padding row; `embedding` wants ids, a table and a padding row. Which of the "
            "three does the caller bring? What happens to the padding row in training if it is not handed on?"
        ),
        idea=(
            "Only the ids. Without padding_idx the backward rule takes the padding row for a token: it gets a "
            "gradient, an optimiser moves it away from zero, and fillers begin to mean something."
        ),
        algorithm="Return embedding(ids, self.weight, self.padding_idx).",
        smaller="Embedding(3, 2)(tensor([1, 0])) has shape (2, 2)",
        lesson="A row for every token",
        proof="""
        >>> Embedding(3, 2)(tensor([1, 0])).shape
        (2, 2)
        """,
    ),
    "angles": Ladder(
        ask=(
            "d_model is 4, so there are two clocks, k = 0 and k = 1. What is 2 k / d_model for each? What is 10000 to "
            "that power? By how much does each clock turn in one step, and in three?"
        ),
        idea=(
            "0 and a half; 1 and 100; so clock 0 turns by 1 a step and clock 1 by 0.01, in three steps by 3 and by "
            "0.03. np.arange(0, d_model, 2) counts 0, 2, 4, ...: it is 2 k already, and for an odd d_model it has the "
            "one more that is due."
        ),
        algorithm=(
            "position = np.arange(max_len)[:, None], shape (max_len, 1). speed = 10000.0 ** (-np.arange(0, d_model, 2) "
            "/ d_model), shape (clocks,). Return position * speed, which broadcasts to (max_len, clocks)."
        ),
        smaller="angles(2, 2) is [[0.], [1.]]",
        lesson="Where it stands",
        proof="""
        >>> tinytorch.embeddings.angles(2, 2).tolist()
        [[0.0], [1.0]]
        >>> tinytorch.embeddings.angles(4, 4)[[1, 3]].tolist(), 10000**0.5
        ([[1.0, 0.01], [3.0, 0.03]], 100.0)
        """,
    ),
    "sinusoidal_encoding": Ladder(
        ask=(
            "Row 0 of the table has only angles of 0. What are its first four numbers? Which columns of a row of five "
            "are sines, which cosines, and how many of each are there?"
        ),
        idea=(
            "0, 1, 0, 1. Columns 0, 2, 4 are sines and 1, 3 cosines: three and two, so the last angle has no cosine. "
            "A slice with step 2 names every second column: table[:, 0::2] and table[:, 1::2]. Row 1 begins with sin 1 "
            "= 0.8415 and cos 1 = 0.5403."
        ),
        algorithm=(
            "turned = angles(max_len, d_model). table = np.empty((max_len, d_model), np.float32). table[:, 0::2] = "
            "np.sin(turned). table[:, 1::2] = np.cos(turned[:, : d_model // 2]), which leaves the last angle out where "
            "d_model is odd. Return from_numpy(table)."
        ),
        smaller="sinusoidal_encoding(2, 2) is [[0, 1], [0.8415, 0.5403]]",
        lesson="Where it stands",
        proof="""
        >>> sinusoidal_encoding(2, 2)
        tensor([[0.0000, 1.0000],
                [0.8415, 0.5403]])
        """,
    ),
    "add_positions": Ladder(
        ask=(
            "x is (8, 5, 4): eight sequences of five tokens. The table is (16, 4). Which rows are added to the third "
            "sequence? What would `x + table` say, and what would it do, quietly, if x were (8, 16, 1)?"
        ),
        idea=(
            "Rows 0 to 4, as to every sequence. (8, 5, 4) + (16, 4) is an error; table[:5] is (5, 4) and broadcasts "
            "over the eight. (8, 16, 1) + (16, 4) is (8, 16, 4) without a word, so compare the last dimensions "
            "yourself."
        ),
        algorithm=(
            "If x.ndim < 2 or x.shape[-1] != table.shape[-1]: ValueError naming table.shape and x.shape. length = "
            "x.shape[-2]; max_len = table.shape[0]. If length > max_len: ValueError naming both. Return x + "
            "table[:length]."
        ),
        smaller="add_positions(zeros(1, 2), table) is table[:1]",
        lesson="Where it stands",
        proof="""
        >>> table = ones(16, 4)
        >>> tinytorch.embeddings.add_positions(zeros(8, 5, 4), table).shape, (zeros(8, 16, 1) + table).shape
        ((8, 5, 4), (8, 16, 4))
        """,
    ),
    "PositionalEncoding.__init__": Ladder(
        ask=(
            "The table follows from two numbers. Should an optimiser move it? Should it be in the file when the model "
            "is saved, and become float64 when the model does? Which of parameter, buffer and plain attribute is that?"
        ),
        idea=(
            "No, yes, yes: a buffer. `self.register_buffer(name, tensor)` keeps it as an attribute, too, so forward "
            "finds it as self.encoding."
        ),
        algorithm=(
            "super().__init__(). self.max_len = max_len. self.register_buffer('encoding', sinusoidal_encoding(max_len, "
            "d_model))."
        ),
        smaller="list(PositionalEncoding(4, 2).state_dict()) is ['encoding']",
        lesson="Where it stands",
        proof="""
        >>> list(PositionalEncoding(4, 2).state_dict())
        ['encoding']
        """,
    ),
    "LearnedPositionalEncoding.__init__": Ladder(
        ask=(
            "There are max_len places and each has d_model numbers that are learnt. Of which class must the table be, "
            "so that model.parameters() has it? How large is 0.02 beside a token's numbers, which start around 1?"
        ),
        idea=(
            "A Parameter, of shape (max_len, d_model). It starts fifty times smaller than tokens: what a token is "
            "drowns out where it stands, until training finds out what places are good for."
        ),
        algorithm=(
            "super().__init__(). self.max_len = max_len. self.weight = normal_(Parameter(zeros(max_len, d_model)), "
            "std=0.02)."
        ),
        smaller="LearnedPositionalEncoding(4, 2).weight has shape (4, 2)",
        lesson="Fixed or learnt",
        proof="""
        >>> LearnedPositionalEncoding(4, 2).weight.shape, 1 / 0.02
        ((4, 2), 50.0)
        """,
    ),
    "cosine_similarity": Ladder(
        ask=(
            "a = [3, 4] and b = [4, 3]. How long is each? What is their product, summed? Double a: which of these "
            "numbers change, and which quotient of them does not?"
        ),
        idea=(
            "Both are 5 long and the product is 24, so 24 / (5 * 5) = 0.96. With 2 a it is 48 / (10 * 5), the same. A "
            "row of zeros has length 0: let the sum of squares be at least eps * eps, and only then take the root."
        ),
        algorithm=(
            "For each x of a and b: length = (x * x).sum(dim).clamp(min=eps * eps).sqrt(). Return (a * b).sum(dim) / "
            "(length_a * length_b). All of these are Tensor operations, so there is nothing to record."
        ),
        smaller="cosine_similarity(tensor([3., 4.]), tensor([4., 3.])) is 0.96",
        lesson="Use it",
        proof="""
        >>> round(cosine_similarity(tensor([3.0, 4.0]), tensor([4.0, 3.0])).item(), 4), 24 / (5 * 5), 48 / (10 * 5)
        (0.96, 0.96, 0.96)
        """,
    ),
}
