"""Hints for module 02, activations."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "relu": Ladder(
        ask=(
            "Write [3, -2, 0] on paper and under each number the larger of it and 0. Which NumPy function takes "
            "the larger of two, element by element? (np.max is another one: it looks for one number in the whole "
            "array.)"
        ),
        idea=(
            "np.maximum(a, 0) compares each element with 0 and returns a new array: [3, 0, 0] here. It also "
            "answers -inf with 0, which a product with the mask x > 0 would not."
        ),
        algorithm=(
            "data = np.maximum(x.data, 0, dtype=x.dtype), then return record('relu', data, (x,), result=data). "
            "The comma in (x,) makes it a tuple of one. x.data itself stays as it was."
        ),
        smaller="relu(tensor([-1., 2.])) is tensor([0., 2.])",
        lesson="A bend between two layers",
        proof="""
        >>> np.maximum(np.array([3.0, -2.0, 0.0]), 0).tolist()
        [3.0, 0.0, 0.0]
        >>> relu(tensor([-1.0, 2.0]))
        tensor([0., 2.])
        >>> relu(tensor([-math.inf])).tolist()
        [0.0]
        """,
    ),
    "leaky_relu": Ladder(
        ask=(
            "Draw the lines y = x and y = x / 2 through 0. To the right of 0, which one is the result for slope "
            "0.5, and to the left? Is it the upper or the lower one? Now draw y = 2x and ask again for slope 2."
        ),
        idea=(
            "Both lines meet at 0, so the result is the larger of x and slope · x for every slope up to 1, and "
            "the smaller of the two above 1. For slope 2, -1 must give -2 and 1 must give 1."
        ),
        algorithm=(
            "values = floats(x); scaled = np.multiply(values, negative_slope, dtype=values.dtype), so that the "
            "dtype is kept. data is np.maximum(values, scaled) if negative_slope <= 1, else np.minimum of the "
            "two. Return record('leaky_relu', data, (x,), negative_slope=negative_slope)."
        ),
        smaller="leaky_relu(tensor([-2., 2.]), 0.25) is tensor([-0.5, 2.])",
        lesson="A bend between two layers",
        proof="""
        >>> leaky_relu(tensor([-2.0, 2.0]), 0.25).tolist()
        [-0.5, 2.0]
        >>> leaky_relu(tensor([-1.0, 1.0]), 2).tolist()
        [-2.0, 1.0]
        >>> np.maximum(np.array([-1.0, 1.0]), 0.5 * np.array([-1.0, 1.0])).tolist()
        [-0.5, 1.0]
        """,
    ),
    "sigmoid": Ladder(
        ask=(
            "Put x = 1000 into 1 / (1 + exp(-x)) and into exp(x) / (1 + exp(x)): which exponential overflows? "
            "Then put in x = -1000. Which form do you want on which side of 0?"
        ),
        idea=(
            "Let e = exp(-|x|), which is never above 1. Where x is positive the result is 1 / (1 + e), elsewhere "
            "e / (1 + e). At log 3 e is a third, and the two give 0.75 and 0.25. Only the number above the line "
            "differs."
        ),
        algorithm=(
            "scores = floats(x); e = np.exp(-np.abs(scores)). Above the line stands 1 where scores >= 0, else e: "
            "as e is at most 1, that is np.maximum(e, scores >= 0). Divide it by 1 + e. Give the quotient the "
            "dtype of scores with np.asarray(..., scores.dtype), and return record('sigmoid', data, (x,), "
            "result=data)."
        ),
        smaller="sigmoid(tensor([0.])) is tensor([0.5])",
        lesson="Scores that do not fit into float32",
        proof="""
        >>> e = math.exp(-abs(math.log(3)))
        >>> round(1 / (1 + e), 2), round(e / (1 + e), 2)
        (0.75, 0.25)
        >>> sigmoid(tensor([math.log(3), -math.log(3), 0.0])).tolist()[2]
        0.5
        >>> sigmoid(tensor([1000.0, -1000.0])).tolist()
        [1.0, 0.0]
        """,
    ),
    "tanh": Ladder(
        ask="Look through the element-wise maths of your Tensor, beside exp, log and sqrt. What is there already?",
        idea="Your Tensor has the method from module 01, safe at any score: at log 2 it gives 0.6.",
        algorithm="return x.tanh()",
        smaller="tanh(tensor([0.])) is tensor([0.])",
        lesson="Scores that do not fit into float32",
        proof="""
        >>> round(tanh(tensor([math.log(2)])).item(), 4)
        0.6
        >>> tanh(tensor([0.0]))
        tensor([0.])
        """,
    ),
    "gelu": Ladder(
        ask=(
            "Work the formula out at x = 1 with a calculator, from the inside: the cube term, the bracket, times "
            "c, tanh, and the rest. Which of these steps does your Tensor not have?"
        ),
        idea=(
            "It has all of them. The steps at 1 are 0.044715, 1.044715, 0.8336, tanh 0.6824, and at the end "
            "0.8412. At 2 the result is 1.9546; it would be 1.94 with x² in place of x³. Multiply x by itself for "
            "the cube."
        ),
        algorithm=(
            "If approximate is not 'tanh', raise ValueError with its name in the sentence. inner = math.sqrt(2 / "
            "math.pi) * (x + 0.044715 * x * x * x). Return 0.5 * x * (1 + inner.tanh()). No record: each "
            "operation records itself."
        ),
        smaller="gelu(tensor([1.])) is tensor([0.8412])",
        lesson="Scores that do not fit into float32",
        proof="""
        >>> inner = math.sqrt(2 / math.pi) * (1 + 0.044715)
        >>> 1 + 0.044715, round(inner, 4), round(math.tanh(inner), 4), round(0.5 * (1 + math.tanh(inner)), 4)
        (1.044715, 0.8336, 0.6824, 0.8412)
        >>> round(0.5 * 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (2 + 0.044715 * 2**2))), 2)
        1.94
        >>> gelu(tensor([1.0, 2.0]))
        tensor([0.8412, 1.9546])
        """,
    ),
    "softmax": Ladder(
        ask=(
            "Take the two rows [0, 0] and [200, 200]. Subtract the largest number of the whole table and write "
            "down exp of the first row and its sum. Now subtract each row's own largest. What is different, and "
            "what shape do the two largest numbers have?"
        ),
        idea=(
            "Each slice loses its own maximum, so its sum is at least 1. The maxima and the sums keep the reduced "
            "dimension with size 1, (2, 1) for (2, 3), so that they line up with their rows. [0, log 2, log 5] "
            "must give 0.125, 0.25 and 0.625."
        ),
        algorithm=(
            "check_dim(x, dim) first. If x.numel() is 0, return x.clone(). m = x.amax(dim, "
            "keepdim=True).detach(). exps = (x - m).exp(). Return exps / exps.sum(dim, keepdim=True)."
        ),
        smaller="softmax(tensor([0., 0.])) is tensor([0.5, 0.5])",
        lesson="From scores to probabilities",
        proof="""
        >>> softmax(tensor([0.0, math.log(2), math.log(5)]))
        tensor([0.1250, 0.2500, 0.6250])
        >>> softmax(tensor([[0.0, 0.0], [200.0, 200.0]])).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
        """,
    ),
    "log_softmax": Ladder(
        ask=(
            "Write log(a / b) as a difference, with a = exp(x_i - m) and b the sum. Which of the two logarithms "
            "can you take on paper, and what is left for the computer? For [0, 200] work out both results."
        ),
        idea=(
            "log exp(x_i - m) is just x_i - m. From it goes the log of the sum, and the sum is at least 1. For "
            "[0, 200]: [-200, 0] minus log 1. For two equal scores: 0 minus log 2, which is -0.6931."
        ),
        algorithm=(
            "check_dim(x, dim) first. If x.numel() is 0, return x.clone(). shifted = x - x.amax(dim, "
            "keepdim=True).detach(). Return shifted minus the log of shifted.exp().sum(dim, keepdim=True); log is "
            "a method of Tensor."
        ),
        smaller="log_softmax(tensor([0., 200.])) is tensor([-200., 0.])",
        lesson="The logarithm of something that vanished",
        proof="""
        >>> log_softmax(tensor([0.0, 200.0])).tolist()
        [-200.0, 0.0]
        >>> log_softmax(tensor([7.0, 7.0]))
        tensor([-0.6931, -0.6931])
        """,
    ),
}
