"""Hints for module 01, tensor."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "as_array": Ladder(
        ask=(
            "Three inputs: [1.5, 2.5], [1, 2] and [True]. Which dtype does np.array give each of them, and which "
            "one has to change? When `dtype` is given, does anything have to change afterwards?"
        ),
        idea=(
            "Only one dtype is wrong after np.array: float64, when nobody asked for it. Two floats must take 8 "
            "bytes together, not 16. np.array copies by default, np.asarray does not."
        ),
        algorithm=(
            'array = np.array(data, dtype=dtype, order="C"). If array.dtype.kind is not one of "fiub", raise '
            "TypeError with array.dtype in the message. If dtype is None and array.dtype == np.float64, return "
            'array.astype(np.float32). If dtype is None, the kind is "i" and data is no np.ndarray or '
            "np.generic, return array.astype(np.int64), for NumPy 1 on Windows. Else return array."
        ),
        smaller="as_array([1.5, 2.5]).nbytes is 8",
        lesson="Which numbers",
        proof="""
        >>> tensor([1.5, 2.5]).nbytes, np.array([1.5, 2.5]).nbytes
        (8, 16)
        """,
    ),
    "broadcast_shapes": Ladder(
        ask=(
            "Write (3, 1) and (2, 1, 4) below each other, aligned at the right. Go through the columns from the "
            "right: which sizes stand there, which of them count, and what comes out? What if a column holds 3 "
            "and 2, or 1 and 0?"
        ),
        idea=(
            "In each column strike out every 1. If nothing is left, the result is 1; if all that is left is the "
            "same number, it is that number; else the shapes do not fit. So 1 beside 0 gives 0: taking the "
            "larger one would be wrong."
        ),
        algorithm=(
            "for place in range(1, longest + 1): sizes = [shape[-place] for shape in shapes if len(shape) >= "
            "place and shape[-place] != 1]. If any of sizes differs from sizes[0], raise ValueError with all "
            "shapes in the message. Append sizes[0], or 1 if sizes is empty. Return the tuple reversed. longest "
            "is max(map(len, shapes), default=0)."
        ),
        smaller="broadcast_shapes((3, 1), (4,)) is (3, 4)",
        lesson="When shapes meet",
        proof="""
        >>> broadcast_shapes((3, 1), (2, 1, 4)), broadcast_shapes((3, 1), (4,)), broadcast_shapes((1,), (0,))
        ((2, 3, 4), (3, 4), (0,))
        """,
    ),
    "binary": Ladder(
        ask=(
            "In tensor([1., 2.]) + 10 one operand is a tensor and the other a number. Which function above in "
            "the file makes two tensors of one dtype out of them? And what does operator.add expect: tensors "
            "or arrays?"
        ),
        idea=(
            "promote gives two tensors, `.data` gives their arrays, `function` combines those, and record wraps "
            "the result. NumPy broadcasts by itself. tensor([1, 2]) * 0.5 must give [0.5, 1.0] in float32."
        ),
        algorithm=(
            "a, b = promote(left, right), then return record(name, function(a.data, b.data), (a, b)). The order "
            "in the tuple is the order of the operands."
        ),
        smaller="tensor([5., 3.]) - tensor([1., 1.]) is tensor([4., 2.])",
        lesson="When shapes meet",
        proof="""
        >>> (tensor([1, 2]) * 0.5).tolist(), (tensor([5.0, 3.0]) - tensor([1.0, 1.0])).tolist()
        ([0.5, 1.0], [4.0, 2.0])
        """,
    ),
    "unary": Ladder(
        ask=(
            "What is np.sqrt(np.array([4, 9])).dtype, and which dtype is due here? What has to happen to the "
            "tensor before the function sees its array?"
        ),
        idea=(
            "Integers are converted first, by x.to(float32), so that the function never sees them. The array "
            "that comes out goes into record twice: as the data, and under the name `result` for module 05."
        ),
        algorithm=(
            'If x.dtype.kind is not "f": x = x.to(float32). Then data = function(x.data), and return '
            "record(name, data, (x,), result=data). The comma makes (x,) a tuple of one."
        ),
        smaller="tensor([4, 9]).sqrt() is tensor([2., 3.]), float32",
        lesson="When shapes meet",
        proof="""
        >>> tensor([4, 9]).sqrt().tolist(), tensor([4, 9]).sqrt().dtype, np.sqrt(np.array([4, 9])).dtype
        ([2.0, 3.0], dtype('float32'), dtype('float64'))
        """,
    ),
    "reflect": Ladder(
        ask=(
            "Python computes 10 - x by calling x.__rsub__(10), which calls reflect(operator.sub, x, 10). Which of "
            "the three arguments stands on the left of the minus sign?"
        ),
        idea=(
            "`left` is the number, `right` the tensor, and function(left, right) is the answer once both are "
            "tensors. 10 - tensor([1., 2.]) must give [9, 8]; [-9, -8] means that they are exchanged."
        ),
        algorithm=(
            "a, b = promote(left, right), then return function(a, b). With two tensors operator.sub calls "
            "__sub__, so the operator that exists already does the rest."
        ),
        smaller="10 - tensor([1., 2.]) is tensor([9., 8.])",
        lesson="When shapes meet",
        proof="""
        >>> (10 - tensor([1.0, 2.0])).tolist()
        [9.0, 8.0]
        """,
    ),
    "Tensor.nbytes": Ladder(
        ask="How many numbers does a (2, 3) tensor hold, and how many bytes does each float32 take?",
        idea="6 numbers of 4 bytes: 24. numel() counts the numbers, element_size() the bytes of one.",
        algorithm="return self.numel() * self.element_size()",
        smaller="zeros(2, 3).nbytes is 24",
        lesson="One line of memory",
        proof="""
        >>> zeros(2, 3).numel(), zeros(2, 3).element_size(), zeros(2, 3).nbytes
        (6, 4, 24)
        """,
    ),
    "Tensor.stride": Ladder(
        ask=(
            "Print np.zeros((2, 3), np.float32).strides. What do the two numbers count, and what would you like "
            "to count?"
        ),
        idea="NumPy says (12, 4), in bytes. One float32 is 4 bytes, so in elements it is (3, 1). A float64 takes 8.",
        algorithm=(
            "return a tuple of step // self.element_size() for each step in self.data.strides. // keeps integers; "
            "/ would make floats."
        ),
        smaller="zeros(2, 3).stride() is (3, 1)",
        lesson="One line of memory",
        proof="""
        >>> np.zeros((2, 3), np.float32).strides, zeros(2, 3).stride()
        ((12, 4), (3, 1))
        """,
    ),
    "Tensor.is_contiguous": Ladder(
        ask=(
            "A (2, 3, 4) tensor lies in reading order. Write the stride of its last dimension, then the one "
            "before, then the first. How does each follow from the one to its right?"
        ),
        idea=(
            "1, then 4 · 1, then 3 · 4 · 1: the expected stride starts at 1 and is multiplied by each size "
            "that you pass. Compare it with the real one, except where the size is 1: no step is ever taken there."
        ),
        algorithm=(
            "expected = 1. Loop over zip(reversed(self.shape), reversed(self.stride())): if size != 1 and the "
            "stride differs from expected, return self.numel() == 0; then expected *= size. After the loop "
            "return True. Without elements there is nothing out of order, so that is True as well."
        ),
        smaller="zeros(2, 3).T.is_contiguous() is False",
        lesson="One line of memory",
        proof="""
        >>> zeros(2, 3, 4).stride(), zeros(2, 3).T.is_contiguous()
        ((12, 4, 1), False)
        """,
    ),
    "Tensor.clone": Ladder(
        ask="If somebody writes into the clone, what may happen to the original? Which method of an array copies?",
        idea=(
            "Nothing may happen to it: self.data.copy() has memory of its own. The clone knows its origin, so it "
            "goes through record."
        ),
        algorithm='return record("clone", self.data.copy(), (self,))',
        smaller="writing into x.clone() leaves x as it was",
        lesson="One line of memory",
        proof="""
        >>> x = zeros(2)
        >>> x.clone()[0] = 1
        >>> x.tolist()
        [0.0, 0.0]
        """,
    ),
    "Tensor.contiguous": Ladder(
        ask="When is a copy needed, and which method tells? Which method copies into reading order?",
        idea=(
            "is_contiguous() decides between the tensor itself and clone(). tensor.T of (2, 3) must come back "
            "with strides (2, 1)."
        ),
        algorithm="return self if self.is_contiguous() else self.clone()",
        smaller="zeros(2, 3).T.contiguous().stride() is (2, 1)",
        lesson="One line of memory",
        proof="""
        >>> zeros(2, 3).T.contiguous().stride()
        (2, 1)
        """,
    ),
    "Tensor.detach": Ladder(
        ask="What does record do with the inputs it is given? What does it do when there are none?",
        idea=(
            "Without inputs there is nothing to remember: no grad_fn, no required gradient. And record wraps the "
            "array that it is given, so the memory stays the same."
        ),
        algorithm='return record("detach", self.data, ()): the same array, and an empty tuple of inputs.',
        smaller="tensor([1.], requires_grad=True).detach().requires_grad is False",
        lesson="One line of memory",
        proof="""
        >>> tensor([1.0], requires_grad=True).detach().requires_grad
        False
        """,
    ),
    "Tensor.__truediv__": Ladder(
        ask=(
            "What is the dtype of np.array([1, 3]) / 2, and which one is due? At which moment must the integers change?"
        ),
        idea=(
            "Convert both operands to float32 before dividing, if they are no floats. After promote both have one "
            "dtype, so looking at one of them is enough. tensor([1, 3]) / 2 is [0.5, 1.5]."
        ),
        algorithm=(
            'a, b = promote(self, other). If a.dtype.kind != "f": a, b = a.to(float32), b.to(float32). Return '
            'record("div", a.data / b.data, (a, b)).'
        ),
        smaller="tensor([1, 3]) / 2 is tensor([0.5000, 1.5000])",
        lesson="Rows times columns",
        proof="""
        >>> tensor([1, 3]) / 2, (np.array([1, 3]) / 2).dtype
        (tensor([0.5000, 1.5000]), dtype('float64'))
        """,
    ),
    "Tensor.matmul": Ladder(
        ask=(
            "With a pencil: [[1, 2]] times [[3], [4]]. What is the shape of the result, and what would * have "
            "given? Now try np.zeros((2, 3)) @ np.zeros((4, 5)) and read the error: what is missing in it?"
        ),
        idea=(
            "1 · 3 + 2 · 4 = 11, shape (1, 1); * would give (2, 2). NumPy's @ knows vectors and batches. Its "
            "ValueError names no shapes: catch it with try and except, and raise one that does."
        ),
        algorithm=(
            'a, b = promote(self, other). In a try: return record("matmul", a.data @ b.data, (a, b)). In except '
            'ValueError: raise ValueError(f"... {a.shape} @ {b.shape} ...") from None.'
        ),
        smaller="tensor([[1., 2.]]) @ tensor([[3.], [4.]]) is tensor([[11.]])",
        lesson="Rows times columns",
        proof="""
        >>> (tensor([[1.0, 2.0]]) @ tensor([[3.0], [4.0]])).tolist()
        [[11.0]]
        >>> (tensor([[1.0, 2.0]]) * tensor([[3.0], [4.0]])).shape
        (2, 2)
        """,
    ),
    "Tensor.clamp": Ladder(
        ask=(
            "Write [-3, 0.5, 9] clamped to [-1, 2]. Which NumPy function does that? What do you give it for a "
            "side that is open?"
        ),
        idea=(
            "[-1, 0.5, 2], and np.clip(array, low, high) does it; None leaves a side open. `if min:` would take a "
            "limit of 0 for no limit: compare with None."
        ),
        algorithm=(
            'If min is None and max is None: raise ValueError that names both. Then return record("clamp", '
            "np.clip(self.data, min, max, dtype=self.dtype), (self,), min=min, max=max). dtype= keeps float32 "
            "also where NumPy would widen it."
        ),
        smaller="tensor([-3., 0.5, 9.]).clamp(-1, 2) is [-1, 0.5, 2]",
        lesson="Rows times columns",
        proof="""
        >>> tensor([-3.0, 0.5, 9.0]).clamp(-1, 2).tolist()
        [-1.0, 0.5, 2.0]
        """,
    ),
    "Tensor.reshape": Ladder(
        ask=(
            "x.reshape(2, 3) and x.reshape((2, 3)) mean the same. Inside, `shape` is a tuple either way: of what? "
            "Which function above makes both alike?"
        ),
        idea=(
            "unpack gives (2, 3) for both. NumPy's array.reshape takes that, with -1 too, and keeps the reading "
            "order. Its error names the number of elements, not the shapes: catch it and name both."
        ),
        algorithm=(
            'shape = unpack(shape). In a try: return record("reshape", self.data.reshape(shape), (self,)). In '
            'except ValueError: raise ValueError(f"... {self.shape} ... {shape}") from None.'
        ),
        smaller="arange(6).reshape(2, -1).shape is (2, 3)",
        lesson="The same memory in another shape",
        proof="""
        >>> arange(6).reshape(2, -1).shape, arange(6).reshape((2, 3)).shape
        ((2, 3), (2, 3))
        """,
    ),
    "Tensor.view": Ladder(
        ask=(
            "After y = x.T.reshape(6), are the numbers of y and x in the same memory? Ask "
            "np.may_share_memory(x.data, y.data)."
        ),
        idea=(
            "False means that reshape had to copy, and then view refuses. Reshape first, look second. Two tensors "
            "without elements share nothing and are fine: 0 elements, no error."
        ),
        algorithm=(
            "result = self.reshape(*shape). If self.numel() > 0 and not np.may_share_memory(self.data, "
            "result.data): raise ValueError with self.shape and result.shape in the message. Return result."
        ),
        smaller="zeros(2, 3).view(3, 2) works, zeros(2, 3).T.view(6) raises ValueError",
        lesson="The same memory in another shape",
        proof="""
        >>> zeros(2, 3).view(3, 2).shape
        (3, 2)
        >>> x = zeros(2, 3)
        >>> np.may_share_memory(x.data, x.T.reshape(6).data)
        False
        """,
    ),
    "Tensor.permute": Ladder(
        ask=(
            "A (2, 3, 4) tensor, dims (2, 0, 1): which of the old sizes stands first in the result, which second, "
            "which last?"
        ),
        idea=(
            "Size i of the result is old size dims[i]: (4, 2, 3). NumPy's array.transpose(dims) does exactly this "
            "and moves nothing. reshape(4, 2, 3) has the same shape and other numbers in it."
        ),
        algorithm='dims = unpack(dims), then return record("permute", self.data.transpose(dims), (self,), dims=dims).',
        smaller="zeros(2, 3, 4).permute(2, 0, 1).shape is (4, 2, 3)",
        lesson="The same memory in another shape",
        proof="""
        >>> zeros(2, 3, 4).permute(2, 0, 1).shape
        (4, 2, 3)
        """,
    ),
    "Tensor.transpose": Ladder(
        ask="With three dimensions, transpose(0, 2) is permute of which three numbers? And transpose(-1, -2)?",
        idea=(
            "permute(2, 1, 0), and permute(0, 2, 1). Start from the dims in order, [0, 1, 2], and exchange two "
            "entries of that list. Negative positions work in a list too."
        ),
        algorithm=(
            "dims = list(range(self.ndim)); dims[dim0], dims[dim1] = dims[dim1], dims[dim0]; return "
            "self.permute(dims). A dim out of range raises IndexError in the list already."
        ),
        smaller="tensor([[1, 2, 3], [4, 5, 6]]).transpose(0, 1) is [[1, 4], [2, 5], [3, 6]]",
        lesson="The same memory in another shape",
        proof="""
        >>> tensor([[1, 2, 3], [4, 5, 6]]).transpose(0, 1).tolist()
        [[1, 4], [2, 5], [3, 6]]
        """,
    ),
    "Tensor.unsqueeze": Ladder(
        ask=(
            "x is (2, 3). Which shapes do unsqueeze(0), unsqueeze(2) and unsqueeze(-1) have? How many positions "
            "are there?"
        ),
        idea=(
            "(1, 2, 3), (2, 3, 1), (2, 3, 1): three positions, one more than x has dimensions. So a negative dim "
            "counts among ndim + 1."
        ),
        algorithm=(
            "dim = wrap_dim(dim, self.ndim + 1), then return self.reshape(*self.shape[:dim], 1, "
            "*self.shape[dim:]). reshape copies nothing here, and records itself."
        ),
        smaller="zeros(2, 3).unsqueeze(-1).shape is (2, 3, 1)",
        lesson="The same memory in another shape",
        proof="""
        >>> zeros(2, 3).unsqueeze(0).shape, zeros(2, 3).unsqueeze(2).shape, zeros(2, 3).unsqueeze(-1).shape
        ((1, 2, 3), (2, 3, 1), (2, 3, 1))
        """,
    ),
    "Tensor.expand": Ladder(
        ask=(
            "x is (2, 1), and expand(5, -1, 3) is asked for. Write the two shapes below each other, aligned at "
            "the right. Which size does the -1 stand for, and how many new dimensions are in front?"
        ),
        idea=(
            "One is in front, and the -1 is the 2: the result is (5, 2, 3). Position i of the result is position "
            "i - front of x, where front is the difference of the two lengths. np.broadcast_to does the rest."
        ),
        algorithm=(
            "sizes = unpack(sizes); front = len(sizes) - self.ndim. shape is a list: self.shape[i - front] where "
            "the size is -1 and i >= front, else the size, for i, size in enumerate(sizes). In a try: return "
            'record("expand", np.broadcast_to(self.data, shape), (self,)); in except ValueError: raise one with '
            "self.shape and sizes in it."
        ),
        smaller="zeros(2, 1).expand(5, -1, 3).shape is (5, 2, 3)",
        lesson="The same memory in another shape",
        proof="""
        >>> zeros(2, 1).expand(5, -1, 3).shape
        (5, 2, 3)
        """,
    ),
    "Tensor.__getitem__": Ladder(
        ask=(
            "In x[i, 2:] with a tensor i, what does Python hand to __getitem__? Which part of it would NumPy not "
            "understand?"
        ),
        idea=(
            "It is the tuple (i, slice(2, None)). NumPy needs i.data in it. numpy_index replaces every tensor, and "
            "its ellipsis keeps x[0] of a vector a view."
        ),
        algorithm=(
            'index = numpy_index(index), then return record("getitem", self.data[index], (self,), index=index). '
            "Save the index that NumPy got, for the gradient goes back by it."
        ),
        smaller="arange(4)[tensor([3, 0])] is tensor([3, 0])",
        lesson="The same memory in another shape",
        proof="""
        >>> arange(4)[tensor([3, 0])].tolist(), arange(4)[2:].tolist()
        ([3, 0], [2, 3])
        """,
    ),
    "Tensor.__setitem__": Ladder(
        ask=(
            "x[0] = value shall change the memory of x. Which array do you write into, with which index? What if "
            "value is a tensor?"
        ),
        idea=(
            "Into self.data, which stays the same array, at numpy_index(index). A tensor gives its .data; a number "
            "or list goes to NumPy as it is. One case is refused before anything is written."
        ),
        algorithm=(
            "If self.requires_grad and grad_mode.enabled: raise RuntimeError with the word grad in it. Then "
            "self.data[numpy_index(index)] = value.data if isinstance(value, Tensor) else value."
        ),
        smaller="after x = arange(3); x[0] = 9, x is tensor([9, 1, 2])",
        lesson="The same memory in another shape",
        proof="""
        >>> x = arange(3)
        >>> x[0] = 9
        >>> x.tolist()
        [9, 1, 2]
        """,
    ),
    "Tensor.sum": Ladder(
        ask=(
            "[[1, 2], [3, 4]]: write the sum over dim 0 and over dim 1. What are NumPy's words for dim and "
            "keepdim? What is the dtype of the sum of a uint8 array, and which one is due?"
        ),
        idea=(
            "[4, 6] and [3, 7]. NumPy says axis and keepdims. Integers and booleans are added in int64, which is "
            "its dtype argument; floats keep the dtype of the tensor."
        ),
        algorithm=(
            'dtype = self.dtype if self.dtype.kind == "f" else int64. data = self.data.sum(axis=dim, dtype=dtype, '
            'keepdims=keepdim). Return record("sum", data, (self,), dim=dim, keepdim=keepdim).'
        ),
        smaller="tensor([[1., 2.], [3., 4.]]).sum(0) is tensor([4., 6.])",
        lesson="Folding a dimension away",
        proof="""
        >>> x = tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> x.sum(0).tolist(), x.sum(1).tolist()
        ([4.0, 6.0], [3.0, 7.0])
        """,
    ),
    "Tensor.mean": Ladder(
        ask="A (2, 3) tensor: how many numbers are added into each result of mean(0), of mean(1), of mean()?",
        idea=(
            "2, 3 and 6. reduced_count(self.shape, dim) counts them. Divide the sum by that, with Tensor "
            "operations. Only floats have a mean: TypeError, with the dtype in it, for the others."
        ),
        algorithm=(
            'If self.dtype.kind != "f": raise TypeError with self.dtype in the message. Then return '
            "self.sum(dim, keepdim) / reduced_count(self.shape, dim)."
        ),
        smaller="tensor([[1., 2.], [3., 6.]]).mean(0) is tensor([2., 4.])",
        lesson="Folding a dimension away",
        proof="""
        >>> tensor([[1.0, 2.0], [3.0, 6.0]]).mean(0).tolist()
        [2.0, 4.0]
        >>> [zeros(2, 3).numel() // zeros(2, 3).mean(dim).numel() for dim in (0, 1, None)]
        [2, 3, 6]
        """,
    ),
    "Tensor.var": Ladder(
        ask=(
            "With a pencil: the mean of [1, 3], the distances from it, their squares, the sum. By what do you "
            "divide with correction 1, and with correction 0?"
        ),
        idea=(
            "Mean 2, distances -1 and 1, sum of squares 2: variance 2 with correction 1, and 1 with correction 0. "
            "In two dimensions the mean has to keep its dimension, or the subtraction goes wrong."
        ),
        algorithm=(
            "centred = self - self.mean(dim, keepdim=True). count = reduced_count(self.shape, dim) - correction. "
            "Return (centred * centred).sum(dim, keepdim) / count."
        ),
        smaller="tensor([1., 3.]).var() is tensor(2.)",
        lesson="Folding a dimension away",
        proof="""
        >>> tensor([1.0, 3.0]).var().item(), tensor([1.0, 3.0]).var(correction=0).item()
        (2.0, 1.0)
        """,
    ),
    "Tensor.amax": Ladder(
        ask="Which method of an array gives its largest element along an axis? What if all elements are negative?",
        idea=(
            "array.max(axis=dim, keepdims=keepdim). It begins with the first element, not with 0. The result is "
            "saved as well, to find the elements that equal it."
        ),
        algorithm=(
            'data = self.data.max(axis=dim, keepdims=keepdim), then return record("amax", data, (self,), dim=dim, '
            "keepdim=keepdim, result=data)."
        ),
        smaller="tensor([[1, 5], [4, 2]]).amax(1) is tensor([5, 4])",
        lesson="Folding a dimension away",
        proof="""
        >>> tensor([[1, 5], [4, 2]]).amax(1).tolist()
        [5, 4]
        """,
    ),
    "Tensor.max": Ladder(
        ask=(
            "[[1, 5], [4, 2]], dim 1: write the largest of each row and where it stands. If you know the where, "
            "which method of the class fetches the values?"
        ),
        idea=(
            "Values [5, 4], indices [1, 0]. argmax with keepdim=True gives indices of the shape that gather needs. "
            "Fetch the values first, and squeeze both at the end unless keepdim."
        ),
        algorithm=(
            "If dim is None: return self.amax(). indices = self.argmax(dim, keepdim=True); values = "
            "self.gather(dim, indices). If keepdim, return Extremum(values, indices), else "
            "Extremum(values.squeeze(dim), indices.squeeze(dim))."
        ),
        smaller="tensor([[1, 5], [4, 2]]).max(1).indices is tensor([1, 0])",
        lesson="Folding a dimension away",
        proof="""
        >>> found = tensor([[1, 5], [4, 2]]).max(1)
        >>> found.values.tolist(), found.indices.tolist()
        ([5, 4], [1, 0])
        """,
    ),
    "arange": Ladder(
        ask="In arange(4), what is the 4: start or end? In arange(2, 5), is 5 there? Which dtype has arange(4.0)?",
        idea=(
            "With one number it is the end, and the start is 0. The end is never there: arange(2, 5) is [2, 3, 4]. "
            "One float among the three numbers makes float32."
        ),
        algorithm=(
            "If end is None: start, end = 0, start. If dtype is None: int64 if all of start, end and step are "
            "instances of int, else float32. Return Tensor(np.arange(start, end, step), requires_grad, dtype)."
        ),
        smaller="arange(4) is tensor([0, 1, 2, 3])",
        lesson="Which numbers",
        proof="""
        >>> arange(4).tolist(), arange(2, 5).tolist(), arange(4.0).dtype
        ([0, 1, 2, 3], [2, 3, 4], dtype('float32'))
        """,
    ),
    "cat": Ladder(
        ask=(
            "(2, 3) and (4, 3) are joined at dim 0: which shape comes out? Which sizes had to agree? What if one "
            "tensor is int64 and the other float32?"
        ),
        idea=(
            "(6, 3), and all sizes but that of dim agree. common_dtype(*tensors) gives the dtype, here float32, and "
            "x.to(dtype) brings each tensor there before np.concatenate joins their arrays."
        ),
        algorithm=(
            "dtype = common_dtype(*tensors); inputs = tuple(x.to(dtype) for x in tensors). In a try: return "
            'record("cat", np.concatenate([x.data for x in inputs], axis=dim), inputs, dim=dim). In except '
            "ValueError: raise ValueError with the shape of every input in the message, from None."
        ),
        smaller="cat([zeros(2, 3), zeros(4, 3)]).shape is (6, 3)",
        lesson="Use it",
        proof="""
        >>> cat([zeros(2, 3), zeros(4, 3)]).shape, cat([arange(2), ones(1)]).dtype
        ((6, 3), dtype('float32'))
        """,
    ),
    "stack": Ladder(
        ask="Three vectors of shape (2,) become (3, 2). If each of them were (1, 2), which function would join them?",
        idea=(
            "cat would, along that dimension of size 1. unsqueeze(dim) gives each tensor one, at the place where "
            "the new dimension belongs."
        ),
        algorithm="return cat([x.unsqueeze(dim) for x in tensors], dim)",
        smaller="stack([zeros(2), zeros(2), zeros(2)]).shape is (3, 2)",
        lesson="Use it",
        proof="""
        >>> stack([zeros(2), zeros(2), zeros(2)]).shape
        (3, 2)
        """,
    ),
    "where": Ladder(
        ask=(
            "where(x > 0, x, 0.0): which of the three arguments are tensors, and which must become one? Which two "
            "have to meet in one dtype, and which one must be of booleans?"
        ),
        idea=(
            "as_tensor makes the condition a tensor, promote the other two. np.where chooses and broadcasts. For "
            "x = [-1, 2] it must give [0, 2]. Multiplying by the mask would let a nan leak in: 0 · nan is nan."
        ),
        algorithm=(
            "mask = as_tensor(condition).data. If mask.dtype != bool_: raise TypeError with mask.dtype in it. a, b = "
            'promote(a, b). Return record("where", np.where(mask, a.data, b.data), (a, b), condition=mask).'
        ),
        smaller="where(tensor([True, False]), tensor([1, 2]), tensor([3, 4])) is tensor([1, 4])",
        lesson="When shapes meet",
        proof="""
        >>> x = tensor([-1.0, 2.0])
        >>> where(x > 0, x, 0.0).tolist()
        [0.0, 2.0]
        >>> where(tensor([True, False]), tensor([1, 2]), tensor([3, 4])).tolist()
        [1, 4]
        """,
    ),
}
