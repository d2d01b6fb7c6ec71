"""Hints for module 05, autograd."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

ONE = "One operation at a time"
WALK = "Who may report, and when"
TWICE = "One number, used twice"
RULES = "A rule for everything"
OFF = "Switching the record off"
CHECK = "Is it right?"

LADDERS = {
    "add_backward": Ladder(
        ask=(
            "y = a + b with a = 2 and b = 5. Raise a by a tiny h: by how much does y rise? And if the final result "
            "rises by 3 for each 1 that y rises, by how much for each 1 of a?"
        ),
        idea=(
            "Both slopes are 1, so grad = 3 goes to a and to b, whole: it is not split. Only where one of them was "
            "broadcast does its share need summing, and `share` does that."
        ),
        algorithm="return share(grad, a), share(grad, b)",
        smaller="((a + b) * 3).backward() gives 3 to a and 3 to b",
        lesson=ONE,
        proof="""
        >>> a, b = tensor(2.0, requires_grad=True), tensor(5.0, requires_grad=True)
        >>> ((a + b) * 3).backward()
        >>> a.grad, b.grad
        (tensor(3.), tensor(3.))
        """,
    ),
    "mul_backward": Ladder(
        ask=(
            "y = a · b with a = 2 and b = 5. Write down y for a = 2 and for a = 3. By how much did it rise, and "
            "which of the two numbers is that?"
        ),
        idea=(
            "It rose from 10 to 15, by 5, which is b. So a gets grad · b and b gets grad · a: each is multiplied "
            "with the other. a and b are Tensors here and grad is an array, so take the arrays, a.data and b.data."
        ),
        algorithm=(
            "return share(grad * b.data, a), share(grad * a.data, b). To save the work where an input requires no "
            "gradient, write None in its place: ... if a.requires_grad else None."
        ),
        smaller="(a * b).backward() at 2 and 5 gives 5 to a and 2 to b",
        lesson=ONE,
        proof="""
        >>> a, b = tensor(2.0, requires_grad=True), tensor(5.0, requires_grad=True)
        >>> (a * b).backward()
        >>> a.grad, b.grad
        (tensor(5.), tensor(2.))
        """,
    ),
    "div_backward": Ladder(
        ask=(
            "6 / 3 = 2. Make the denominator 4: does the quotient rise or fall, and by how much? Make it 30, then "
            "31: is the effect as large?"
        ),
        idea=(
            "The slope of a / b along b is -a / b^2: negative, and weaker the larger b is. At 6 and 3 it is -6/9 = "
            "-0.6667. Along a it is 1 / b, here 0.3333."
        ),
        algorithm=(
            "grad = grad / b.data serves both. a gets share(grad, a). b gets share(-grad * (a.data / b.data), b), "
            "which is -grad · a / b^2, because grad has been divided by b once already."
        ),
        smaller="(a / b).backward() at 6 and 3 gives 1/3 to a and -2/3 to b",
        lesson=ONE,
        proof="""
        >>> a, b = tensor(6.0, requires_grad=True), tensor(3.0, requires_grad=True)
        >>> (a / b).backward()
        >>> a.grad, b.grad
        (tensor(0.3333), tensor(-0.6667))
        """,
    ),
    "topological_order": Ladder(
        ask=(
            "Draw b = a + x with a = x · x, an arrow from each tensor to what it was computed from. In which orders "
            "can you list the three so that every arrow points to the left?"
        ),
        idea=(
            "Only x, a, b. Go down from the result, and put a tensor on the list when all its inputs are on it. So "
            "a tensor is met twice: once to be opened, when its inputs are to be visited first, and once to be put "
            "down."
        ),
        algorithm=(
            "order = [], seen = set(), waiting = [(root, False)]. While waiting: x, done = waiting.pop(). If done: "
            "order.append(x). Else, if x.requires_grad and id(x) is not in seen: add id(x) to seen, append (x, "
            "True) to waiting, then, unless x.grad_fn is None, (source, False) for every source in "
            "x.grad_fn.inputs. The last one in is the first one out, so the inputs come before (x, True)."
        ),
        smaller="x = tensor(2., requires_grad=True): topological_order(x * x + x) is x, x * x, and the sum",
        lesson=WALK,
        proof="""
        >>> x = tensor(2.0, requires_grad=True)
        >>> a = x * x
        >>> b = a + x
        >>> [{id(x): "x", id(a): "a", id(b): "b"}[id(t)] for t in tinytorch.autograd.topological_order(b)]
        ['x', 'a', 'b']
        """,
    ),
    "backward": Ladder(
        ask=(
            "y = x · x + x at x = 3. Walk from y to x with a pencil, and keep a note of the gradient at every "
            "tensor. How often do you write something at x, and when may you read it?"
        ),
        idea=(
            "x gets 1 from the sum and 3 + 3 from the product: 7. Keep a dict from id(tensor) to an array. A report "
            "to a tensor that has one already is added. Read a tensor's entry when its turn comes in the reversed "
            "order: by then everybody has reported."
        ),
        algorithm=(
            "start, order, check as in the docstring. grads = {id(tensor): start}, leaves = []. While order: x = "
            "order.pop(); grad = grads.pop(id(x), None); if None, continue. If x.grad_fn is None: leaves.append((x, "
            "grad)), continue. For source, part in input_gradients(x.grad_fn, grad): before = "
            "grads.get(id(source)); store part, or np.asarray(before + part) if there was one. Unless retain_graph: "
            "free(x.grad_fn). After the loop, accumulate(leaves)."
        ),
        smaller="(x * x + x).backward() at 3 gives 7",
        lesson=WALK,
        proof="""
        >>> x = tensor(3.0, requires_grad=True)
        >>> (x * x + x).backward()
        >>> x.grad
        tensor(7.)
        """,
    ),
    "accumulate": Ladder(
        ask=(
            "x.grad holds 6, and another walk brings 6 more. What should x.grad hold? Somebody has kept a reference "
            "to the old x.grad: what should they see?"
        ),
        idea=(
            "12, in the same Tensor: add to its array in place. The first time there is none yet, so make one from "
            "a copy. Without the copy, both inputs of a sum would hold one array, and whoever changes one gradient "
            "changes the other."
        ),
        algorithm=(
            "For leaf, grad in leaves: if leaf.grad is None: leaf.grad = from_numpy(grad.copy()); else "
            "leaf.grad.data += grad."
        ),
        smaller="(3 * x).backward() twice: x.grad is 6",
        lesson=WALK,
        proof="""
        >>> x = tensor(1.0, requires_grad=True)
        >>> for _ in range(4):
        ...     (3 * x).backward()
        >>> x.grad
        tensor(12.)
        """,
    ),
    "unbroadcast": Ladder(
        ask=(
            "grad is [[1, 2, 3], [4, 5, 6]]. Which sums belong to a tensor of shape (3,), and which to one of shape "
            "(2, 1)? Write the shapes below each other, aligned at the right: which columns differ?"
        ),
        idea=(
            "[5, 7, 9] and [[6], [15]]. A dimension that the tensor does not have is summed and vanishes. One where "
            "the tensor has size 1 and grad has more is summed and stays, with size 1."
        ),
        algorithm=(
            "front = grad.ndim - len(shape). Sum over range(front) without keepdims: grad = "
            "grad.sum(axis=tuple(range(front))). Then stretched = tuple(i for i, size in enumerate(shape) if size "
            "== 1 and grad.shape[i] != 1), and grad.sum(axis=stretched, keepdims=True) if there are any. Return "
            "np.asarray of it."
        ),
        smaller="unbroadcast([[1, 2, 3], [4, 5, 6]], (2, 1)) is [[6], [15]]",
        lesson=TWICE,
        proof="""
        >>> grad = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> unbroadcast(grad, (3,)).tolist(), unbroadcast(grad, (2, 1)).tolist()
        ([5.0, 7.0, 9.0], [[6.0], [15.0]])
        """,
    ),
    "sqrt_backward": Ladder(
        ask="√4 is 2, and √4.04 is about 2.01. What is the slope? Which simple fraction of the root 2 is it?",
        idea="0.01 for 0.04 is 1/4, that is 1 / (2 · √4): one over twice the root. The root is saved, as `result`.",
        algorithm="return grad / (2 * result)",
        smaller="x.sqrt().backward() at 4 gives 1 / (2 * 2) = 0.25",
        lesson=RULES,
        proof="""
        >>> round(math.sqrt(4.04), 2), round(2.01 - 2, 2), round(4.04 - 4, 2), 1 / (2 * 2)
        (2.01, 0.01, 0.04, 0.25)
        """,
    ),
    "tanh_backward": Ladder(
        ask=(
            "tanh runs from -1 to 1. Where is it steepest, and what is its slope where it is nearly 1? Which y is that?"
        ),
        idea="Steepest at 0, with slope 1; flat where y is -1 or 1. That is 1 - y²: at y = 0.6 the slope is 0.64.",
        algorithm="return grad * (1 - result * result)",
        smaller="tanh(x) at 0 has the slope 1",
        lesson=RULES,
        proof="""
        >>> x = tensor(math.log(2), requires_grad=True)
        >>> tanh(x).backward()
        >>> tanh(x).detach(), x.grad
        (tensor(0.6000), tensor(0.6400))
        """,
    ),
    "sigmoid_backward": Ladder(
        ask=(
            "sigmoid runs from 0 to 1. At which y is it flat, and at which y is it steepest? Which product has "
            "these zeros?"
        ),
        idea="Flat at y = 0 and at y = 1, steepest between: y · (1 - y), which is 0.25 at y = 0.5.",
        algorithm="return grad * result * (1 - result)",
        smaller="sigmoid(x) at 0 is 0.5 and has the slope 0.25",
        lesson=RULES,
        proof="""
        >>> x = tensor(0.0, requires_grad=True)
        >>> sigmoid(x).backward()
        >>> sigmoid(x).item(), x.grad.item()
        (0.5, 0.25)
        """,
    ),
    "relu_backward": Ladder(
        ask="relu of -2 is 0. Raise -2 by a little: by how much does the result move? And for 3?",
        idea=(
            "By nothing, and by as much. The gradient passes where the result is positive: [5, 0, 0] for x = 3, -2, 0."
        ),
        algorithm="return masked(grad, result > 0)",
        smaller="relu at 3, -2 and 0 has the slopes 1, 0 and 0",
        lesson=RULES,
        proof="""
        >>> x = tensor([3.0, -2.0, 0.0], requires_grad=True)
        >>> (5 * relu(x)).sum().backward()
        >>> x.grad.tolist()
        [5.0, 0.0, 0.0]
        """,
    ),
    "clamp_backward": Ladder(
        ask=(
            "x.clamp(-1, 2): which of -3, -1, 0, 2, 9 still move the result when they move? What does PyTorch say "
            "of the edges?"
        ),
        idea=(
            "-1, 0 and 2: inside, and the bounds themselves. Those that were cut off have the slope 0. A bound that "
            "is None limits nothing, just as an infinite one."
        ),
        algorithm=(
            "low = -math.inf if min is None else min, high = math.inf if max is None else max; return masked(grad, "
            "(x.data >= low) & (x.data <= high))."
        ),
        smaller="x.clamp(0, 1) at 0.5, 1 and 2 has the slopes 1, 1 and 0",
        lesson=RULES,
        proof="""
        >>> x = tensor([0.5, 1.0, 2.0], requires_grad=True)
        >>> x.clamp(0, 1).sum().backward()
        >>> x.grad
        tensor([1., 1., 0.])
        """,
    ),
    "pow_backward": Ladder(
        ask=(
            "x³ at 2: the slope is 3 · 2². Write it for any exponent p. Now hold x = 2 and move p from 3: is 2^p "
            "steeper or flatter than e^p would be?"
        ),
        idea=(
            "p · x^(p - 1), and x^p · log(x): 12, and 8 · log 2 = 5.5452. At x = 0 the first needs care where p = 0 "
            "(x^0 is constant: 0), the second where p >= 0 (0^p stays 0)."
        ),
        algorithm=(
            "x, p = base.data, exponent.data. If base.requires_grad: share(grad * (p * x ** np.where(p == 0, 0, p - "
            "1)), base): for p = 0 that is 0 · x^0 = 0. If exponent.requires_grad: share(np.where((x == 0) & (p >= "
            "0), 0, grad * x**p * np.log(x)), exponent). Return both, None for what was not computed."
        ),
        smaller="x ** 3 at 2 has the slope 3 * 2 ** 2 = 12",
        lesson=RULES,
        proof="""
        >>> x, p = tensor(2.0, requires_grad=True), tensor(3.0, requires_grad=True)
        >>> (x ** p).backward()
        >>> x.grad, p.grad
        (tensor(12.), tensor(5.5452))
        """,
    ),
    "maximum_backward": Ladder(
        ask="maximum of 5 and 3: which of the two moves the result? And of 2 and 2, if both move, or only one?",
        idea=(
            "The larger one gets all of grad. At a tie half goes to each: with grad 8, 4 and 4. One half where a >= "
            "b and another half where a > b give 8, 4 or 0."
        ),
        algorithm=(
            "half = grad / 2. To a: masked(half, a.data >= b.data) + masked(half, a.data > b.data). To b: the same "
            "with a and b exchanged. Send both through share."
        ),
        smaller="maximum(a, b).backward() at 2 and 2 gives 0.5 to each",
        lesson=RULES,
        proof="""
        >>> a, b = tensor(2.0, requires_grad=True), tensor(2.0, requires_grad=True)
        >>> maximum(a, b).backward()
        >>> a.grad.item(), b.grad.item()
        (0.5, 0.5)
        """,
    ),
    "where_backward": Ladder(
        ask=(
            "where([True, False], a, b): from which input did each of the two results come? Where does its gradient go?"
        ),
        idea=(
            "Back to where it came from: a gets grad where the condition is True and 0 elsewhere, b the other way "
            "round."
        ),
        algorithm="return share(masked(grad, condition), a), share(masked(grad, ~condition), b)",
        smaller="where([True, False], a, b) gives the first gradient to a and the second to b",
        lesson=RULES,
        proof="""
        >>> a, b = zeros(2, requires_grad=True), zeros(2, requires_grad=True)
        >>> where(tensor([True, False]), a, b).sum().backward()
        >>> a.grad, b.grad
        (tensor([1., 0.]), tensor([0., 1.]))
        """,
    ),
    "matmul_backward": Ladder(
        ask=(
            "a is (3, 2), b is (2, 4), grad is (3, 4). Which product of grad with b or bᵀ has the shape of a? Which "
            "product of a or aᵀ with grad has the shape of b?"
        ),
        idea=(
            "grad @ bᵀ and aᵀ @ grad: no other order fits. Make every case a case of matrices: (k,) on the left is "
            "one row (1, k), on the right one column (k, 1), and grad gets that dimension back as size 1. Batches: "
            "transpose the last two dimensions, and let unbroadcast sum the rest."
        ),
        algorithm=(
            "left = a.data, or a.data[None, :] if a.ndim == 1; right = b.data, or b.data[:, None]. If both are "
            "vectors grad = grad.reshape(1, 1); else if a is one, np.expand_dims(grad, -2); else if b is, grad[..., "
            "None]. to_a = grad @ np.swapaxes(right, -1, -2), to_b = np.swapaxes(left, -1, -2) @ grad. Return "
            "unbroadcast(to_a, left.shape).reshape(a.shape), and the same for b."
        ),
        smaller="(a @ b).sum().backward() with a (1, 2) and b = [[5], [7]]: a.grad is [[5, 7]]",
        lesson=RULES,
        proof="""
        >>> a = zeros(1, 2, requires_grad=True)
        >>> (a @ tensor([[5.0], [7.0]])).sum().backward()
        >>> a.grad
        tensor([[5., 7.]])
        """,
    ),
    "permute_backward": Ladder(
        ask=(
            "x is (2, 3, 4) and x.permute(1, 2, 0) is (3, 4, 2). Which permute brings (3, 4, 2) back to (2, 3, 4)? "
            "Find it dimension by dimension: where does the 2 stand, the 3, the 4?"
        ),
        idea=(
            "The 2 stands at place 2, the 3 at place 0, the 4 at place 1: permute(2, 0, 1). It is the list of "
            "places of 0, 1, 2 in dims, and sorting dims visits these places in that order: np.argsort((1, 2, 0)) "
            "is [2, 0, 1]."
        ),
        algorithm=(
            "return grad.transpose(np.argsort([dim % x.ndim for dim in dims])), where % makes negative dims positive."
        ),
        smaller="x.permute(1, 2, 0) is undone by permute(2, 0, 1)",
        lesson=RULES,
        proof="""
        >>> np.argsort((1, 2, 0)).tolist()
        [2, 0, 1]
        >>> zeros(2, 3, 4).permute(1, 2, 0).permute(2, 0, 1).shape
        (2, 3, 4)
        """,
    ),
    "getitem_backward": Ladder(
        ask=(
            "x has three elements and y = x[[2, 0, 2]] with grad [1, 2, 4]. Write the gradient of each element of "
            "x. What would it be if the second 2 overwrote the first?"
        ),
        idea=(
            "[2, 0, 5]: element 2 was picked twice, and 1 + 4 = 5. Overwriting gives 4 there. Start from zeros in "
            "the shape of x. np.add.at(total, index, grad) adds at every place, also at the same place twice."
        ),
        algorithm=(
            "total = np.zeros(x.shape, grad.dtype). If can_repeat(index): np.add.at(total, index, grad), else "
            "total[index] = grad, which is faster. Return total."
        ),
        smaller="x[[0, 0]].sum().backward() with x of shape (2,): x.grad is [2, 0]",
        lesson=RULES,
        proof="""
        >>> x = zeros(3, requires_grad=True)
        >>> (x[[2, 0, 2]] * tensor([1.0, 2.0, 4.0])).sum().backward()
        >>> x.grad
        tensor([2., 0., 5.])
        """,
    ),
    "cat_backward": Ladder(
        ask=(
            "Shapes (2,), (1,) and (4,) are joined. Before which places of the seven do you cut to get the pieces back?"
        ),
        idea=(
            "Before 2 and before 3: the running sum of the sizes is 2, 3, 7, and the last one is the end. "
            "np.split(array, places, axis=dim) takes such places."
        ),
        algorithm=(
            "ends = np.cumsum([x.shape[dim] for x in inputs]); return tuple(np.split(grad, ends[:-1], axis=dim))."
        ),
        smaller="cat of shapes (2,) and (1,) with grad [5, 6, 7] gives [5, 6] and [7]",
        lesson=RULES,
        proof="""
        >>> np.cumsum([2, 1, 4]).tolist(), [piece.tolist() for piece in np.split(np.array([5, 6, 7]), [2])]
        ([2, 3, 7], [[5, 6], [7]])
        """,
    ),
    "sum_backward": Ladder(
        ask=(
            "x is (2, 3), y = x.sum(1) is (2,), grad is [10, 20]. Raise x[0, 2] by h: which sum rises, and what is "
            "the gradient of x[0, 2]? Fill in the other five."
        ),
        idea=(
            "Rows of 10 and of 20: every element of a row gets its sum's gradient. As (2,), grad would line up with "
            "the columns; as (2, 1) it lines up with the rows, and broadcasts."
        ),
        algorithm="return np.broadcast_to(restore_dims(grad, dim, keepdim), x.shape)",
        smaller="x.sum(1) of shape (2, 3) with grad [10, 20] gives rows of 10 and of 20",
        lesson=RULES,
        proof="""
        >>> x = zeros(2, 3, requires_grad=True)
        >>> (x.sum(1) * tensor([10.0, 20.0])).sum().backward()
        >>> x.grad.tolist()
        [[10.0, 10.0, 10.0], [20.0, 20.0, 20.0]]
        """,
    ),
    "amax_backward": Ladder(
        ask=(
            "The largest of [1, 5, 5] is 5, and its gradient is 8. Who gets how much, if the two largest share equally?"
        ),
        idea=(
            "[0, 4, 4]. Where x equals the result (its dimension restored) there is a winner; count the winners "
            "along dim, and divide the gradient among them."
        ),
        algorithm=(
            "winners = x.data == restore_dims(result, dim, keepdim). each = restore_dims(grad, dim, keepdim) / "
            "winners.sum(axis=dim, keepdims=True, dtype=grad.dtype). Return masked(each, winners)."
        ),
        smaller="x.amax() of [1, 5, 5] with grad 8 gives [0, 4, 4]",
        lesson=RULES,
        proof="""
        >>> x = tensor([1.0, 5.0, 5.0], requires_grad=True)
        >>> (8 * x.amax()).backward()
        >>> x.grad
        tensor([0., 4., 4.])
        """,
    ),
    "softmax_backward": Ladder(
        ask=(
            "Two equal scores give y = [0.5, 0.5]. Raise the first score a little: which way does each probability "
            "go? With grad [8, 4], is that a gain or a loss?"
        ),
        idea=(
            "The first rises, the second falls by as much: a gain of 8 against a loss of 4. In general y · (grad - "
            "average), the average of grad weighted by y. Here it is 6: 0.5 · (8 - 6) = 1, and 0.5 · (4 - 6) = -1."
        ),
        algorithm=(
            "weighted = grad * result; return weighted - result * weighted.sum(axis=dim, keepdims=True). The second "
            "term is y · sum(grad · y), with one sum per slice."
        ),
        smaller="softmax([0, 0]) with grad [8, 4] gives 0.5 * (8 - 6) = 1 and -1",
        lesson=RULES,
        proof="""
        >>> x = zeros(2, requires_grad=True)
        >>> (softmax(x) * tensor([8.0, 4.0])).sum().backward()
        >>> x.grad, 0.5 * (8 - 6), 0.5 * (4 - 6)
        (tensor([ 1., -1.]), 1.0, -1.0)
        """,
    ),
    "log_softmax_backward": Ladder(
        ask=(
            "log_softmax(x)_i = x_i - log(sum_j exp(x_j)). Raise x_i: what does the first term do to output i, and "
            "what does the logarithm do to all outputs? Its slope along x_i is a probability: which?"
        ),
        idea=(
            "Output i rises by 1, and every output falls by softmax_i. So x_i gets grad_i minus softmax_i times the "
            "sum of all grads: for two equal scores and grad [8, 4], 8 - 0.5 · 12 = 2 and -2."
        ),
        algorithm="return grad - np.exp(result) * grad.sum(axis=dim, keepdims=True)",
        smaller="log_softmax([0, 0]) with grad [8, 4] gives 8 - 0.5 * 12 = 2 and -2",
        lesson=RULES,
        proof="""
        >>> 8 - 0.5 * 12, 4 - 0.5 * 12
        (2.0, -2.0)
        """,
    ),
    "cross_entropy_backward": Ladder(
        ask=(
            "A row's softmax is [0.5, 0.5], and class 1 is right. In which direction should each score move, and by "
            "how much is each probability off?"
        ),
        idea=(
            "[0.5, 0.5] - [0, 1] = [0.5, -0.5]: softmax minus target is the gradient, times the row's grad. With "
            "label_smoothing e the target is 1 - e at the right class, plus e / C everywhere."
        ),
        algorithm=(
            "powers, totals = softmax; weight = grad.reshape(-1). slope = powers * (weight / totals)[:, None]. "
            "slope[np.arange(len(ids)), ids] -= (1 - label_smoothing) * weight. If label_smoothing: slope -= "
            "label_smoothing / powers.shape[1] * weight[:, None]. Return slope."
        ),
        smaller="two equal scores and the right class 1: [0.5, 0.5] - [0, 1] = [0.5, -0.5]",
        lesson=RULES,
        proof="""
        >>> x = zeros(1, 2, requires_grad=True)
        >>> CrossEntropyLoss()(x, tensor([1])).backward()
        >>> x.grad.tolist()
        [[0.5, -0.5]]
        """,
    ),
    "binary_cross_entropy_with_logits_backward": Ladder(
        ask=(
            "The loss is log(1 + exp(x)) - t · x. What is the slope of the first term at x = 0, where exp(x) is 1? "
            "Which function of module 02 is exp(x) / (1 + exp(x))? And what is the slope along t?"
        ),
        idea=(
            "sigmoid(x) - t: at x = 0 and t = 1 it is 0.5 - 1 = -0.5. Along t it is -x. Both times grad. A sigmoid "
            "that is 0 or 1 does no harm here: nothing is divided by it."
        ),
        algorithm=(
            "p = 1 / (1 + np.exp(-x.data)); return grad * (p - t.data), -grad * x.data. The second may be None "
            "where t requires no gradient."
        ),
        smaller="score 0, target 1: 0.5 - 1 = -0.5",
        lesson=RULES,
        proof="""
        >>> x = zeros(1, requires_grad=True)
        >>> BCEWithLogitsLoss()(x, ones(1)).backward()
        >>> x.grad.item(), 1 / (1 + math.exp(-0))
        (-0.5, 0.5)
        """,
    ),
    "layer_norm_backward": Ladder(
        ask=(
            "A row is [1, 3]; normalised it is [-1, 1]. Add 5 to both, or double both: what becomes of the "
            "normalised row? So which parts of a gradient can never reach x?"
        ),
        idea=(
            "It stays [-1, 1]. So whatever would raise all features, or stretch them, is taken out: the average of "
            "g, and n times the average of g · n, with g = grad · weight. What is left is multiplied by rstd. "
            "Weight and bias collect grad · n and grad over the samples."
        ),
        algorithm=(
            "rows = x.data.reshape(len(mean), feature_count(x, affine, mean)); grad = grad.reshape(rows.shape); n = "
            "(rows - mean) * rstd. For weight (grad * n).sum(0), for bias grad.sum(0), each in its tensor's shape, "
            "as many as affine has. If affine: grad = grad * affine[0].data.reshape(-1). to_x = rstd * (grad - "
            "grad.mean(1, keepdims=True) - n * (grad * n).mean(1, keepdims=True)), reshaped to x.shape. Return "
            "(to_x, *to_affine)."
        ),
        smaller="LayerNorm(2) of [[1, 3]] gives [[-1, 1]] for any row of two: its x.grad is 0",
        lesson=RULES,
        proof="""
        >>> norm = LayerNorm(2)
        >>> [[round(n, 2) for n in norm(tensor([row])).tolist()[0]] for row in ([1.0, 3.0], [6.0, 8.0], [2.0, 6.0])]
        [[-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]
        """,
    ),
    "no_grad.__enter__": Ladder(
        ask=(
            "grad_mode.enabled is True. Inside no_grad it should be False, and afterwards what it was. What must be "
            "noted before you change it, and where can __exit__ find it?"
        ),
        idea=(
            "Note the old value on self, then set the switch to self.recording: that is False for no_grad and True "
            "for enable_grad, so one method serves both."
        ),
        algorithm="self._before = grad_mode.enabled, then grad_mode.enabled = self.recording.",
        smaller="with no_grad(): (x * x).requires_grad is False",
        lesson=OFF,
        proof="""
        >>> x = ones(1, requires_grad=True)
        >>> with no_grad():
        ...     (x * x).requires_grad
        False
        """,
    ),
    "no_grad.__exit__": Ladder(
        ask=(
            "Two no_grad blocks, one inside the other. The inner one ends: should operations be recorded now? And "
            "when the outer one has ended?"
        ),
        idea=(
            "No, then yes. So the end does not switch on; it restores what was noted at the beginning. Return "
            "nothing: True would tell Python to forget the error that ended the block."
        ),
        algorithm="grad_mode.enabled = self._before",
        smaller="with no_grad(): with no_grad(): pass; here it must still be off",
        lesson=OFF,
        proof="""
        >>> x = ones(1, requires_grad=True)
        >>> with no_grad():
        ...     with no_grad():
        ...         pass
        ...     inside = (x * x).requires_grad
        >>> inside, (x * x).requires_grad
        (False, True)
        """,
    ),
    "numerical_gradient": Ladder(
        ask=(
            "fn is x² and x is 3. Compute fn at 3.1 and at 2.9, and the slope between the two points. How far apart "
            "are they? What does x hold afterwards?"
        ),
        idea=(
            "(9.61 - 8.41) / 0.2 = 6: the two points lie 2 · eps apart. For an array, do this for one element at a "
            "time, and put the old number back before the next. Put back what you noted; adding and taking away eps "
            "rounds."
        ),
        algorithm=(
            "slopes = np.zeros_like(x). For place in np.ndindex(x.shape): before = x[place]; x[place] = before + "
            "eps; up = fn(); x[place] = before - eps; down = fn(); x[place] = before; slopes[place] = (up - down) / "
            "(2 * eps). Return slopes."
        ),
        smaller="x * x at 3: ((3 + eps)^2 - (3 - eps)^2) / (2 * eps) = 6",
        lesson=CHECK,
        proof="""
        >>> round(3.1 ** 2, 2), round(2.9 ** 2, 2), round((9.61 - 8.41) / 0.2, 6)
        (9.61, 8.41, 6.0)
        """,
    ),
    "gradcheck": Ladder(
        ask=(
            "fn gives a tensor of shape (3,), and a slope belongs to one number. How do you make one number of "
            "three so that exchanging two of them is noticed?"
        ),
        idea=(
            "A weighted sum with unequal weights. With the weights as gradient, backward gives its slopes; "
            "numerical_gradient of the weighted sum measures them. Compare with <= and refuse everything that is "
            "not, so that nan does not pass."
        ),
        algorithm=(
            "Make inputs a tuple, check_inputs(inputs, eps). outputs() is fn(*inputs).data inside no_grad. weights "
            "= np.random.default_rng(0).uniform(0.5, 1.5, outputs().shape). For each x that requires a gradient, "
            "with its array of computed_gradients(fn, inputs, weights): measured = numerical_gradient(lambda: "
            "float((outputs() * weights).sum()), x.data, eps). Where not np.abs(computed - measured) <= atol + rtol "
            "* np.abs(measured): RuntimeError with position, place and both numbers. At the end return True."
        ),
        smaller="gradcheck(lambda x: x * x, tensor([3.], dtype=float64, requires_grad=True)) is True",
        lesson=CHECK,
        proof="""
        >>> gradcheck(lambda x: x * x, tensor([3.0], dtype=float64, requires_grad=True))
        True
        >>> weights = np.random.default_rng(0).uniform(0.5, 1.5, 3)
        >>> bool((weights >= 0.5).all() and (weights <= 1.5).all())
        True
        """,
    ),
}
