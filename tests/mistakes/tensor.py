"""Usual mistakes of module 01, tensor."""

from __future__ import annotations

from tests.mistakes import Mistaken

COPY = 'array = np.array(data, dtype=dtype, order="C")'
TO_FLOAT32 = """    if dtype is None and array.dtype == np.float64:
        return array.astype(np.float32)
"""
ONES_STRETCH = "if len(shape) >= place and shape[-place] != 1]"
COMBINE = "return record(name, function(a.data, b.data), (a, b))"
MEET = "left, right = promote(left, right)"
FLOAT_FIRST = 'x = x if x.dtype.kind == "f" else x.to(float32)\n    data = function(x.data)'
STRIDE = "return tuple(step // self.element_size() for step in self.data.strides)"
CONTIGUOUS_STEP = "if size != 1 and step != expected:"
CLONE = 'return record("clone", self.data.copy(), (self,))'
DETACH = 'return record("detach", self.data, ())'
DIVIDE = 'return record("div", a.data / b.data, (a, b))'
NO_PRODUCT = 'raise ValueError(f"cannot multiply shapes {a.shape} @ {b.shape}: the inner sizes must agree") from None'
MATMUL = 'return record("matmul", a.data @ b.data, (a, b))'
OPEN_SIDES = "low, high = -math.inf if min is None else min, math.inf if max is None else max"
RESHAPE = 'return record("reshape", self.data.reshape(shape), (self,))'
PERMUTE = 'return record("permute", self.data.transpose(dims), (self,), dims=dims)'
TRANSPOSE = """        dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
        return self.permute(dims)
"""
UNSQUEEZE = "dim = wrap_dim(dim, self.ndim + 1)"
EXPAND = 'return record("expand", np.broadcast_to(self.data, shape), (self,))'
GETITEM = """        index = numpy_index(index)
        return record("getitem", self.data[index], (self,), index=index)
"""
SUM = "data = add_up(self.data, dim, dtype, keepdim)"
AVERAGE = "return self.sum(dim, keepdim) / reduced_count(self.shape, dim)"
SPREAD = "return (centred * centred).sum(dim, keepdim) / count"
LARGEST = "data = self.data.max(axis=dim, keepdims=keepdim)"
SQUEEZED = "return Extremum(values.squeeze(dim), indices.squeeze(dim))"
COUNT_UP = "return Tensor(np.arange(start, end, step), requires_grad, dtype)"
JOIN = "np.concatenate([x.data for x in inputs], axis=dim)"
STACK = "return cat([x.unsqueeze(dim) for x in tensors], dim)"
CHOOSE = "np.where(mask, a.data, b.data)"

MISTAKES = [
    # ---- as_array
    Mistaken(
        name="data left in float64",
        exercise="as_array",
        replace=TO_FLOAT32,
        by="",
        caught_by="test_as_array_makes_floats_float32",
        says="float32",
    ),
    Mistaken(
        name="everything becomes float32",
        exercise="as_array",
        replace=TO_FLOAT32,
        by="    if dtype is None:\n        return array.astype(np.float32)\n",
        caught_by="test_as_array_keeps_integers_and_booleans",
    ),
    Mistaken(
        name="the array outside is shared",
        exercise="as_array",
        replace=COPY,
        by='array = np.asarray(data, dtype=dtype, order="C")',
        caught_by="test_as_array_owns_its_numbers",
        says="A copy has memory of its own",
    ),
    Mistaken(
        name="the dtype asked for is taken after float32",
        exercise="as_array",
        replace=COPY,
        by="array = np.array(np.asarray(data, dtype and np.float32), dtype=dtype)",
        caught_by="test_as_array_takes_the_dtype_asked_for",
    ),
    # ---- broadcast_shapes
    Mistaken(
        name="shapes are aligned at the left",
        exercise="broadcast_shapes",
        replace="""        sizes = [shape[-place] for shape in shapes if len(shape) >= place and shape[-place] != 1]
""",
        by="""        longest = max(map(len, shapes))
        padded = [shape + (1,) * (longest - len(shape)) for shape in shapes]
        sizes = [shape[-place] for shape in padded if shape[-place] != 1]
""",
        caught_by="test_broadcast_shapes_stretches_ones",
    ),
    Mistaken(
        name="the larger size wins",
        exercise="broadcast_shapes",
        replace="result.append(sizes[0] if sizes else 1)",
        by="result.append(max([*sizes, 1]))",
        caught_by="test_broadcast_shapes_stretches_to_nothing",
        says="1 beside 0 gives 0",
    ),
    # ---- binary, unary, reflect
    Mistaken(
        name="operands exchanged",
        exercise="binary",
        replace=COMBINE,
        by="return record(name, function(b.data, a.data), (a, b))",
        caught_by="test_binary_combines_elements",
        says="the left one comes first",
    ),
    Mistaken(
        name="NumPy promotes",
        exercise="binary",
        replace="    a, b = promote(left, right)\n    return record(name",
        by="    a, b = as_tensor(left), as_tensor(right)\n    return record(name",
        caught_by="test_binary_meets_in_one_dtype",
    ),
    Mistaken(
        name="only the left operand is recorded",
        exercise="binary",
        replace=COMBINE,
        by="return record(name, function(a.data, b.data), (a,))",
        caught_by="test_binary_records_both_operands",
    ),
    Mistaken(
        name="element-wise maths of integers in float64",
        exercise="unary",
        replace=FLOAT_FIRST,
        by="data = function(x.data)",
        caught_by="test_unary_makes_floats_of_integers",
    ),
    Mistaken(
        name="a function written into its input",
        exercise="unary",
        replace="data = function(x.data)\n",
        by="data = x.data\n    data[...] = function(data)\n",
        caught_by="test_unary_takes_any_shape",
        says="writes into its input",
    ),
    Mistaken(
        name="2 - x is x - 2",
        exercise="reflect",
        replace=MEET,
        by="right, left = promote(left, right)",
        caught_by="test_reflect_puts_the_other_operand_first",
        says="In __rsub__ self stands on the right",
    ),
    # ---- memory
    Mistaken(
        name="elements counted for bytes",
        exercise="Tensor.nbytes",
        replace="return self.numel() * self.element_size()",
        by="return self.numel()",
        caught_by="test_nbytes_counts_bytes",
        says="this is the number of elements",
    ),
    Mistaken(
        name="strides in bytes",
        exercise="Tensor.stride",
        replace=STRIDE,
        by="return self.data.strides",
        caught_by="test_stride_counts_elements",
        says="these are bytes",
    ),
    Mistaken(
        name="strides worked out from the shape",
        exercise="Tensor.stride",
        replace=STRIDE,
        by="return tuple(math.prod(self.shape[i + 1 :]) for i in range(self.ndim))",
        caught_by="test_stride_counts_elements",
    ),
    Mistaken(
        name="a stride of a size 1 counts",
        exercise="Tensor.is_contiguous",
        replace=CONTIGUOUS_STEP,
        by="if step != expected:",
        caught_by="test_is_contiguous_compares_strides",
    ),
    Mistaken(
        name="contiguous copies always",
        exercise="Tensor.contiguous",
        replace="return self if self.is_contiguous() else self.clone()",
        by="return self.clone()",
        caught_by="test_contiguous_leaves_contiguous_tensors_alone",
        says="the numbers were copied",
    ),
    Mistaken(
        name="clone shares memory",
        exercise="Tensor.clone",
        replace=CLONE,
        by='return record("clone", self.data, (self,))',
        caught_by="test_clone_has_its_own_memory",
        says="A copy has memory of its own",
    ),
    Mistaken(
        name="clone forgets",
        exercise="Tensor.clone",
        replace=CLONE,
        by="return Tensor(self.data)",
        caught_by="test_clone_remembers_its_origin",
        says="does not know where it came from",
    ),
    Mistaken(
        name="detach copies",
        exercise="Tensor.detach",
        replace=DETACH,
        by="return Tensor(self.data)",
        caught_by="test_detach_shares_memory",
        says="Hand on the same memory",
    ),
    Mistaken(
        name="detach keeps the history",
        exercise="Tensor.detach",
        replace=DETACH,
        by='return record("detach", self.data, (self,))',
        caught_by="test_detach_shares_memory",
    ),
    # ---- arithmetic
    Mistaken(
        name="integers are divided as float64",
        exercise="Tensor.__truediv__",
        replace='        if a.dtype.kind != "f":\n            a, b = a.to(float32), b.to(float32)\n',
        by="",
        caught_by="test_truediv_of_integers_is_float32",
        says="float32",
    ),
    Mistaken(
        name="the quotient is rounded down",
        exercise="Tensor.__truediv__",
        replace=DIVIDE,
        by='return record("div", a.data // b.data, (a, b))',
        caught_by="test_truediv_divides_elements",
        says="rounded down",
    ),
    Mistaken(
        name="@ written as *",
        exercise="Tensor.matmul",
        replace=MATMUL,
        by='return record("matmul", a.data * b.data, (a, b))',
        caught_by="test_matmul_multiplies_matrices",
        says="A matrix product sums over the shared dimension",
    ),
    Mistaken(
        name="dot for matmul",
        exercise="Tensor.matmul",
        replace=MATMUL,
        by='return record("matmul", np.dot(a.data, b.data), (a, b))',
        caught_by="test_matmul_takes_vectors_and_batches",
    ),
    Mistaken(
        name="NumPy's error without shapes",
        exercise="Tensor.matmul",
        replace=NO_PRODUCT,
        by="raise",
        caught_by="test_matmul_refuses_sizes_that_differ",
    ),
    Mistaken(
        name="a limit of 0 is no limit",
        exercise="Tensor.clamp",
        replace=OPEN_SIDES,
        by="low, high = min or -math.inf, max or math.inf",
        caught_by="test_clamp_leaves_a_side_open",
        says="a limit of 0 was taken for no limit",
    ),
    # ---- shape
    Mistaken(
        name="elements read column by column",
        exercise="Tensor.reshape",
        replace=RESHAPE,
        by='return record("reshape", self.data.reshape(shape, order="F"), (self,))',
        caught_by="test_reshape_keeps_the_reading_order",
        says="column by column",
    ),
    Mistaken(
        name="elements read as they lie in memory",
        exercise="Tensor.reshape",
        replace=RESHAPE,
        by='return record("reshape", self.data.ravel(order="K").reshape(shape), (self,))',
        caught_by="test_reshape_reads_any_memory_layout",
        says="in the order of the memory",
    ),
    Mistaken(
        name="reshape copies",
        exercise="Tensor.reshape",
        replace=RESHAPE,
        by='return record("reshape", self.data.copy().reshape(shape), (self,))',
        caught_by="test_reshape_shares_memory",
        says="the numbers were copied",
    ),
    Mistaken(
        name="view copies silently",
        exercise="Tensor.view",
        replace="if self.numel() > 0 and not np.may_share_memory(self.data, result.data):",
        by="if False:",
        caught_by="test_view_refuses_what_needs_a_copy",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="permute by reshape",
        exercise="Tensor.permute",
        replace=PERMUTE,
        by='return record("permute", self.data.reshape([self.shape[d] for d in dims]), (self,), dims=dims)',
        caught_by="test_permute_reorders_dimensions",
        says="this is a reshape",
    ),
    Mistaken(
        name="permute backwards",
        exercise="Tensor.permute",
        replace=PERMUTE,
        by='return record("permute", self.data.transpose(np.argsort(np.array(dims) % self.ndim)), (self,), dims=dims)',
        caught_by="test_permute_reorders_dimensions",
        says="the dimensions went the other way",
    ),
    Mistaken(
        name="transpose by reshape",
        exercise="Tensor.transpose",
        replace=TRANSPOSE,
        by="""        dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
        return self.reshape([self.shape[d] for d in dims])
""",
        caught_by="test_transpose_exchanges_two_dimensions",
        says="this is a reshape",
    ),
    Mistaken(
        name="transpose reverses all dimensions",
        exercise="Tensor.transpose",
        replace=TRANSPOSE,
        by="        return self.permute(dims[::-1])\n",
        caught_by="test_transpose_exchanges_two_dimensions",
        says="all dimensions were reversed",
    ),
    Mistaken(
        name="unsqueeze counts from the end of the input",
        exercise="Tensor.unsqueeze",
        replace=UNSQUEEZE,
        by="dim = dim if dim >= 0 else wrap_dim(dim, max(self.ndim, 1))",
        caught_by="test_unsqueeze_inserts_a_size_of_one",
        says="a negative dim counts from the end of the result",
    ),
    Mistaken(
        name="expand copies",
        exercise="Tensor.expand",
        replace=EXPAND,
        by='return record("expand", np.broadcast_to(self.data, shape).copy(), (self,))',
        caught_by="test_expand_takes_no_memory",
        says="the numbers were copied",
    ),
    # ---- indexing
    Mistaken(
        name="tensors given to NumPy as they are",
        exercise="Tensor.__getitem__",
        replace=GETITEM,
        by='        return record("getitem", self.data[index], (self,), index=index)\n',
        caught_by="test_getitem_of_slices_is_a_view",
        says="one element was copied out",
    ),
    Mistaken(
        name="getitem copies",
        exercise="Tensor.__getitem__",
        replace=GETITEM,
        by="""        index = numpy_index(index)
        return record("getitem", self.data[index].copy(), (self,), index=index)
""",
        caught_by="test_getitem_of_slices_is_a_view",
        says="the numbers were copied",
    ),
    Mistaken(
        name="pairs of indices read as a block",
        exercise="Tensor.__getitem__",
        replace=GETITEM,
        by="""        index = numpy_index(index)
        if sum(isinstance(part, np.ndarray) for part in index) == 2:
            index = np.ix_(*index[:2])
        return record("getitem", self.data[index], (self,), index=index)
""",
        caught_by="test_getitem_takes_arrays_and_tensors",
        says="every row was combined with every column",
    ),
    Mistaken(
        name="setitem makes a new array",
        exercise="Tensor.__setitem__",
        replace="        self.data[numpy_index(index)] = value.data",
        by="        self.data = self.data.copy()\n        self.data[numpy_index(index)] = value.data",
        caught_by="test_setitem_reaches_every_view",
        says="Write into the old one",
    ),
    # ---- reductions
    Mistaken(
        name="keepdim dropped",
        exercise="Tensor.sum",
        replace=SUM,
        by="data = self.data.sum(axis=dim, dtype=dtype)",
        caught_by="test_sum_keeps_the_dimension",
        says="keepdim was ignored",
    ),
    Mistaken(
        name="the dimension always kept",
        exercise="Tensor.sum",
        replace=SUM,
        by="data = self.data.sum(axis=dim, dtype=dtype, keepdims=dim is not None)",
        caught_by="test_sum_adds_over_a_dimension",
        says="the reduced dimension is still there",
    ),
    Mistaken(
        name="uint8 summed in NumPy's dtype",
        exercise="Tensor.sum",
        replace=SUM,
        by="data = self.data.sum(axis=dim, keepdims=keepdim)",
        caught_by="test_sum_counts_in_int64",
    ),
    Mistaken(
        name="mean divides by all elements",
        exercise="Tensor.mean",
        replace=AVERAGE,
        by="return self.sum(dim, keepdim) / self.numel()",
        caught_by="test_mean_divides_by_what_was_added",
        says="by the number of all elements",
    ),
    Mistaken(
        name="mean made with NumPy",
        exercise="Tensor.mean",
        replace=AVERAGE,
        by='return record("mean", self.data.mean(axis=dim, keepdims=keepdim), (self,), dim=dim, keepdim=keepdim)',
        caught_by="test_mean_is_made_of_recorded_operations",
        says="Write it with sum and /",
    ),
    Mistaken(
        name="var divides by n",
        exercise="Tensor.var",
        replace=SPREAD,
        by="return (centred * centred).sum(dim, keepdim) / (count + correction)",
        caught_by="test_var_measures_the_spread",
        says="this divides by n",
    ),
    Mistaken(
        name="standard deviation for variance",
        exercise="Tensor.var",
        replace=SPREAD,
        by="return ((centred * centred).sum(dim, keepdim) / count).sqrt()",
        caught_by="test_var_measures_the_spread",
        says="the standard deviation",
    ),
    Mistaken(
        name="var as mean of squares minus square of mean",
        exercise="Tensor.var",
        replace=SPREAD,
        by="""n = count + correction
        return ((self * self).mean(dim, keepdim) - self.mean(dim, keepdim) ** 2) * (n / count)""",
        caught_by="test_var_far_from_zero",
        says="Subtract the mean first",
    ),
    Mistaken(
        name="the largest element searched from 0",
        exercise="Tensor.amax",
        replace=LARGEST,
        by="data = self.data.max(axis=dim, keepdims=keepdim, initial=0)",
        caught_by="test_amax_finds_the_largest",
        says="the search began at 0",
    ),
    Mistaken(
        name="the last of several largest",
        exercise="Tensor.max",
        replace="indices = self.argmax(dim, keepdim=True)",
        by="""flipped = np.flip(self.data, dim).argmax(axis=dim, keepdims=True)
        indices = Tensor(self.shape[dim] - 1 - flipped)""",
        caught_by="test_max_counts_the_first_of_several",
        says="these are the last ones",
    ),
    Mistaken(
        name="max keeps the dimension",
        exercise="Tensor.max",
        replace=SQUEEZED,
        by="return Extremum(values, indices)",
        caught_by="test_max_gives_values_and_indices",
    ),
    # ---- functions
    Mistaken(
        name="arange includes the end",
        exercise="arange",
        replace=COUNT_UP,
        by="return Tensor(np.arange(start, end + step, step), requires_grad, dtype)",
        caught_by="test_arange_stops_before_the_end",
        says="the end itself is there too",
    ),
    Mistaken(
        name="arange is always float32",
        exercise="arange",
        replace="dtype = int64 if all(isinstance(x, int) for x in (start, end, step)) else float32",
        by="dtype = float32",
        caught_by="test_arange_stops_before_the_end",
    ),
    Mistaken(
        name="cat ignores dim",
        exercise="cat",
        replace=JOIN,
        by="np.concatenate([x.data for x in inputs])",
        caught_by="test_cat_joins_along_a_dimension",
    ),
    Mistaken(
        name="stack joins along an old dimension",
        exercise="stack",
        replace=STACK,
        by="return cat(tensors, min(dim, tensors[0].ndim - 1))",
        caught_by="test_stack_makes_a_new_dimension",
        says="as cat does",
    ),
    Mistaken(
        name="where exchanges its arguments",
        exercise="where",
        replace=CHOOSE,
        by="np.where(mask, b.data, a.data)",
        caught_by="test_where_chooses_elements",
        says="a and b are exchanged",
    ),
    Mistaken(
        name="where multiplies by the mask",
        exercise="where",
        replace=CHOOSE,
        by="mask * a.data + ~mask * b.data",
        caught_by="test_where_chooses_elements",
        says="Choose, do not multiply",
    ),
]
