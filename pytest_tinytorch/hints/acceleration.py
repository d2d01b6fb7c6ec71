"""Hints for module 18, acceleration."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "tiles": Ladder(
        ask=(
            "Cut seven places into pieces of three, with a pencil. Where does each piece begin? Where does the last "
            "one end, and where would it end if it were whole?"
        ),
        idea=(
            "The beginnings are the multiples of the tile below the size: 0, 3, 6. Each piece ends a tile later, but "
            "never beyond the size: 3, 6, 7. A whole last piece would end at 9."
        ),
        algorithm=(
            "Raise ValueError with the tile in it if tile < 1. Then a list: for every start in range(0, size, tile), "
            "slice(start, min(start + tile, size))."
        ),
        smaller="tiles(3, 2) is [slice(0, 2), slice(2, 3)]",
        lesson="Near",
        proof="""
        >>> from tinytorch.acceleration import tiles
        >>> [(s.start, s.stop) for s in tiles(7, 3)], 6 + 3
        ([(0, 3), (3, 6), (6, 7)], 9)
        >>> tiles(3, 2) == [slice(0, 2), slice(2, 3)]
        True
        """,
    ),
    "matmul_loops": Ladder(
        ask=(
            "Multiply [[1, 2], [3, 4]] with [[5, 6], [7, 8]] on paper. Which numbers of both did you read for the "
            "corner at the top left? How many products did you form for all four numbers?"
        ),
        idea=(
            "The corner is 1 * 5 + 2 * 7 = 19: a row of the left, a column of the right. Each of the 4 results "
            "collects 2 products, so they start from 0 and grow."
        ),
        algorithm=(
            "check_matrices(a, b). out = np.zeros((n, m), np.result_type(a, b)). Three loops, i below n, j below m, p "
            "below k, and inside them out[i, j] += a[i, p] * b[p, j]."
        ),
        smaller="matmul_loops of [[1, 2]] and [[3], [4]] is [[11]]",
        lesson="Near",
        proof="""
        >>> matmul_loops(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]])).tolist(), 1 * 5 + 2 * 7
        ([[19, 22], [43, 50]], 19)
        >>> matmul_loops(np.array([[1, 2]]), np.array([[3], [4]])).tolist()
        [[11]]
        """,
    ),
    "matmul_tiled": Ladder(
        ask=(
            "Cut two matrices of size 4 into four blocks each. Which blocks of both does the block at the top left of "
            "the product need? How many small products are that?"
        ),
        idea=(
            "out[0, 0] = a[0, 0] @ b[0, 0] + a[0, 1] @ b[1, 0]: blocks behave as numbers do, and 2 products add up. "
            "An = in place of += keeps the second one alone. Rest tiles need nothing special: slices know their ends."
        ),
        algorithm=(
            "check_matrices(a, b), out of zeros as in matmul_loops. for rows in tiles(n, tile): for columns in "
            "tiles(m, tile): for inner in tiles(k, tile): out[rows, columns] += a[rows, inner] @ b[inner, columns]."
        ),
        smaller="tiles of 1: [[1, 2]] @ [[3], [4]] is 3, and 8 on top of it: 11",
        lesson="Near",
        proof="""
        >>> from tinytorch.acceleration import tiles
        >>> a, b = np.arange(16.0).reshape(4, 4), np.eye(4)[::-1]
        >>> two = a[0:2, 0:2] @ b[0:2, 0:2] + a[0:2, 2:4] @ b[2:4, 0:2]
        >>> bool((two == matmul_tiled(a, b, 2)[0:2, 0:2]).all()), len(tiles(4, 2))
        (True, 2)
        >>> matmul_tiled(np.array([[1, 2]]), np.array([[3], [4]]), 1).tolist(), 1 * 3, 2 * 4
        ([[11]], 3, 8)
        """,
    ),
    "fused_gelu": Ladder(
        ask=(
            "Write 0.5 * x * (1 + tanh(c * (x + 0.044715 * x * x * x))) as a list of steps with one operation each. "
            "How many arrays does it make? After which step is each of them used up?"
        ),
        idea=(
            "Two arrays suffice: one becomes x², then what stands inside of tanh, then tanh itself, which is kept; the "
            "other becomes the result. For x = 1 the tanh is 0.6824 and the result 0.8412."
        ),
        algorithm=(
            "values = floats(x). t = np.multiply(values, values, out=np.empty_like(values)); t *= GELU_C * GELU_CUBE; "
            "t += GELU_C; t *= values; np.tanh(t, out=t). y = np.add(t, 1, out=np.empty_like(values)); y *= values; y "
            '*= 0.5. Return record("fused_gelu", y, (x,), tanh=t).'
        ),
        smaller="fused_gelu(tensor([1.])) is [0.8412]",
        lesson="Fewer passes",
        proof="""
        >>> fused_gelu(tensor([1.0])), round(math.tanh(math.sqrt(2 / math.pi) * (1 + 0.044715)), 4), 0.5
        (tensor([0.8412]), 0.6824, 0.5)
        """,
    ),
    "fused_gelu_backward": Ladder(
        ask=(
            "y = 0.5 * x * (1 + t) is a product of two things that depend on x. What does the product rule say? And "
            "what is the slope of t, which is a tanh of something that depends on x?"
        ),
        idea=(
            "Two terms: 0.5 * (1 + t), and 0.5 * x times the slope of t. That slope is (1 - t²) times the slope of "
            "what stands inside. At x = 0 the second term is gone and 0.5 is left; at x = 1 both give 1.0830."
        ),
        algorithm=(
            "slope = x² * 3 * GELU_CUBE * GELU_C + GELU_C, in an array of your own. slope *= x.data; slope *= 1 - tanh "
            "* tanh; slope += 1 + tanh; slope *= 0.5. Return slope * grad. Never write into tanh or grad."
        ),
        smaller="at x = 0 the slope is 0.5",
        lesson="Fewer passes",
        proof="""
        >>> x = tensor([0.0, 1.0], requires_grad=True)
        >>> fused_gelu(x).sum().backward()
        >>> x.grad
        tensor([0.5000, 1.0830])
        """,
    ),
    "fused_softmax": Ladder(
        ask=(
            "The scores are [0, 1, 2], the mask [True, True, False], the scale log 2. Write what exp gives for each "
            "after scaling and masking. What is the sum? And what is it where the mask is False three times?"
        ),
        idea=(
            "Powers 1, 2 and 0, their sum 3, shares 0.3333, 0.6667 and 0. With no score at all the largest is -inf "
            "and the sum 0: shift such a row by 0 and divide it by 1, and zeros come out without a warning."
        ),
        algorithm=(
            "data = scores times scale, a new array of the scores' float dtype. With a mask np.copyto(data, -math.inf, "
            "where=~mask.data). m = data.max(-1, keepdims=True); m[m == -math.inf] = 0; data -= m; np.exp(data, "
            "out=data). total = add_up(data, -1, keepdim=True); total[total == 0] = 1; data /= total. Record it with "
            "result and scale."
        ),
        smaller="fused_softmax(tensor([[5., 5.]])) is [[0.5, 0.5]]",
        lesson="Fewer passes",
        proof="""
        >>> fused_softmax(tensor([[0.0, 1.0, 2.0]]), tensor([[True, True, False]]), scale=math.log(2))
        tensor([[0.3333, 0.6667, 0.0000]])
        >>> fused_softmax(tensor([[5.0, 5.0]])).tolist()
        [[0.5, 0.5]]
        """,
    ),
    "fused_softmax_backward": Ladder(
        ask=(
            "Two shares are 0.5 and 0.5, and the gradient is [8, 4]. Raise both scores by the same amount: what "
            "happens to the shares? So what must the gradients of a row add up to?"
        ),
        idea=(
            "Nothing happens, so they add up to 0. The row's average, weighted by its shares, is 0.5 * 8 + 0.5 * 4 = "
            "6. What lies above it rises: 0.5 * (8 - 6) = 1, the other -1; times the scale at the end."
        ),
        algorithm=(
            "weighted = grad * result, a new array. weighted -= result * add_up(weighted, -1, keepdim=True). weighted "
            "*= scale. Return it. Masked places have result 0 and get 0 by themselves."
        ),
        smaller="shares [0.5, 0.5], gradient [8, 4], scale 2: [2, -2]",
        lesson="Fewer passes",
        proof="""
        >>> scores = tensor([[1.0, 1.0]], requires_grad=True)
        >>> (fused_softmax(scores, scale=2.0) * tensor([[8.0, 4.0]])).sum().backward()
        >>> scores.grad.tolist(), 0.5 * 8 + 0.5 * 4, 0.5 * (8 - 6)
        ([[2.0, -2.0]], 6.0, 1.0)
        """,
    ),
    "fused_cross_entropy": Ladder(
        ask=(
            "Shares are [1/4, 3/4], and the right class is the second. What does the loss cost, and in which "
            "direction would you push each score? How does a second row in the batch change your answer?"
        ),
        idea=(
            "-log(3/4) = 0.2877. The gradient is share minus target: [0.25, -0.25]. Each of N rows counts 1 / N, so in "
            "a batch of 2 it is [0.125, -0.125]. The shares are at hand while the loss is computed."
        ),
        algorithm=(
            "places = np.arange(N), target.data. slope = logits.data minus its row maximum; due = slope[places]; "
            "np.exp(slope, out=slope); total = its row sums, (N, 1). loss = (np.log(total[:, 0]) - due).mean(). slope "
            '/= total; slope[places] -= 1; slope /= N. record("fused_cross_entropy", loss, (logits,), slope=slope).'
        ),
        smaller="two equal scores cost log 2 = 0.6931",
        lesson="Fewer passes",
        proof="""
        >>> round(-math.log(3 / 4), 4), round(math.log(2), 4)
        (0.2877, 0.6931)
        >>> for rows in (1, 2):
        ...     x = tensor([[0.0, math.log(3)]] * rows, requires_grad=True)
        ...     fused_cross_entropy(x, tensor([1] * rows)).backward()
        ...     print([round(g, 4) for g in x.grad[0].tolist()])
        [0.25, -0.25]
        [0.125, -0.125]
        """,
    ),
    "fused_layer_norm": Ladder(
        ask=(
            "A row is [2, 6]. What are its mean and the distances from it? What is the mean of their squares, and the "
            "root of that? Which of your arrays can be written over?"
        ),
        idea=(
            "Mean 4, distances -2 and 2, variance 4, root 2: n is [-1, 1]. The array of distances becomes n, and the "
            "array of squares becomes the result, once its row sums are taken."
        ),
        algorithm=(
            "D = x.shape[-1]. n = x.data - add_up(x.data, -1, keepdim=True) / D. y = n * n. r = 1 / np.sqrt(add_up(y, "
            "-1, keepdim=True) / D + eps). n *= r. np.multiply(n, weight.data, out=y); y += bias.data. "
            'record("fused_layer_norm", y, (x, weight, bias), normal=n, rstd=r).'
        ),
        smaller="a row [2, 6] with scale 1 and shift 0 becomes [-1, 1]",
        lesson="Fewer passes",
        proof="""
        >>> (2 + 6) / 2, ((2 - 4) ** 2 + (6 - 4) ** 2) / 2, math.sqrt(4)
        (4.0, 4.0, 2.0)
        >>> fused_layer_norm(tensor([[2.0, 6.0]]), ones(2), zeros(2))
        tensor([[-1.0000,  1.0000]])
        """,
    ),
    "fused_layer_norm_backward": Ladder(
        ask=(
            "Which numbers did one element of weight meet, in how many rows? And one of bias? For x: what happens to n "
            "if a whole row is raised by 1, and what if its distances are doubled?"
        ),
        idea=(
            "weight met n in every row: sum over rows of grad * n. bias: sum of grad. Raising and doubling leave n as "
            "it is, so g = grad * weight loses its average and its likeness to n. For g = [5, 7] and n = [-1, 1]: "
            "averages 6 and 1, and [5, 7] - 6 - [-1, 1] * 1 = 0."
        ),
        algorithm=(
            "D = len(weight). along = grad * normal. Sum along and grad over their rows, reshape(-1, D).sum(0), for "
            "weight and bias. g = grad * weight.data. x gets rstd * (g - mean of g - normal * mean of (g * normal)), "
            "means over the last dimension with keepdims. Return (to_x, to_weight, to_bias)."
        ),
        smaller="with two features the gradient of x is 0",
        lesson="Fewer passes",
        proof="""
        >>> (5 + 7) / 2, (5 * -1 + 7 * 1) / 2, [5 - 6 - -1 * 1, 7 - 6 - 1 * 1]
        (6.0, 1.0, [0, 0])
        """,
    ),
    "parallel_map": Ladder(
        ask=(
            "Four errands, two messengers; the first errand takes longest. In which order do they come back, and in "
            "which order do you want the answers? Who tells a new messenger whether to keep a record?"
        ),
        idea=(
            "submit gives a future for each item at once. Keep the futures in a list, in the order of the items, and "
            "ask each for result(): that waits, whoever ends first. grad_mode.enabled is read in the caller, and set "
            "in the worker before the function is called. Item 1 of [2, 0, 3] fails in 6 / n."
        ),
        algorithm=(
            "check_workers(workers); items = list(items); recording = grad_mode.enabled. Define one(item): set "
            "grad_mode.enabled = recording, return function(item). with ThreadPoolExecutor(workers) as pool: futures = "
            "[pool.submit(one, item) for item in items]; collect future.result() in a try. On Exception as error: "
            "pool.shutdown(wait=False, cancel_futures=True), raise RuntimeError(f'item {place} ({item}): type: "
            "error') from error."
        ),
        smaller="parallel_map(abs, [-1, 2]) is [1, 2]",
        lesson="At once",
        proof="""
        >>> parallel_map(abs, [-1, 2])
        [1, 2]
        >>> parallel_map(lambda n: 6 / n, [2, 0, 3])
        Traceback (most recent call last):
        RuntimeError: item 1 (0): ZeroDivisionError: division by zero
        """,
    ),
    "follow": Ladder(
        ask=(
            "An optimiser changes a parameter's array in place. If the replica has a copy of the array, what does it "
            "compute with? If BatchNorm writes its running mean, and two threads share the array, what is in it?"
        ),
        idea=(
            "Read-only things are shared: own.data = the model's data, the same array, and 0 bytes more. Things that "
            "are written are copied: buffer.data = the model's data.copy()."
        ),
        algorithm=(
            "Three loops with zip(..., strict=True). parameters(): own.data = given.data, own.grad = None, "
            "own.requires_grad = given.requires_grad. buffers(): own.data = given.data.copy(). modules(): "
            "part.training = original.training."
        ),
        smaller="afterwards replica.weight.data is model.weight.data",
        lesson="At once",
        proof="""
        >>> from tinytorch.acceleration import follow
        >>> model, replica = Linear(2, 3), Linear(2, 3)
        >>> follow(replica, model)
        >>> replica.weight.data is model.weight.data, replica.weight.data.nbytes - model.weight.data.nbytes
        (True, 0)
        """,
    ),
    "DataParallel.backward": Ladder(
        ask=(
            "Five samples have slopes 1, 1, 1, 6, 6. What is their mean? Now the first three are one part and the last "
            "two another. What are the means of the parts, and how do you get the first number from them?"
        ),
        idea=(
            "The mean is 3. The parts' means are 1 and 6, and (1 + 6) / 2 = 3.5 is wrong: 3/5 * 1 + 2/5 * 6 = 3. "
            "Multiply each part's loss by its share before backward, and all gradients only have to be added up."
        ),
        algorithm=(
            "check_batch(loss_fn, inputs, target); inputs = inputs.detach(); jobs = self.parts(len(inputs)). "
            "learn(job): replica, part = job; loss = loss_fn(replica(inputs[part]), target[part]); loss = loss * "
            "((part.stop - part.start) / len(inputs)); loss.backward(); return float(loss). losses = "
            "parallel_map(learn, jobs, self.workers); self.gather(len(jobs)); return sum(losses)."
        ),
        smaller="1 sample for 2 workers gives the gradients of loss.backward()",
        lesson="At once",
        proof="""
        >>> sum([1, 1, 1, 6, 6]) / 5, (1 + 6) / 2, round(3 / 5 * 1 + 2 / 5 * 6, 6)
        (3.0, 3.5, 3.0)
        >>> layer, x, t = Linear(1, 1), ones(1, 1), zeros(1, 1)
        >>> loss = DataParallel(layer, 2).backward(MSELoss(), x, t)
        >>> round(loss - MSELoss()(layer(x), t).item(), 6)
        0.0
        """,
    ),
}
