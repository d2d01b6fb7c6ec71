"""Hints for module 16, compression."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

PRUNING = "The smallest weights"
UNITS = "Whole units"
RANK = "Two thin matrices"
TEACHER = "A teacher's second thoughts"
PIPELINE = "One step after the other"

LADDERS = {
    "sparsity": Ladder(
        ask=(
            "A model has two layers. One has 90 weights, 9 of them zero; the other has 10, all zero. Which share of "
            "all 100 weights is zero? What would you get if you took the mean of the two layers' shares instead?"
        ),
        idea=(
            "19 of 100 are zero, so the sparsity is 0.19. The mean of 0.1 and 1 would be 0.55, because it lets the "
            "small layer say as much as the large one. Add up zeros and sizes over all arrays, and divide once, at "
            "the end."
        ),
        algorithm=(
            "arrays = [t.data for t in prunable(target).values()]. size = the sum of a.size over the arrays, left = "
            "the sum of int(np.count_nonzero(a)). Return 1 - left / size."
        ),
        smaller="sparsity(tensor([0., 1., 2., 3.])) is 0.25",
        lesson=PRUNING,
        proof="""
        >>> sparsity(tensor([0., 1., 2., 3.]))
        0.25
        >>> (9 + 10) / (90 + 10), (0.1 + 1) / 2
        (0.19, 0.55)
        """,
    ),
    "count_share": Ladder(
        ask=(
            "How many things are 0.7 of 4? You cannot take 2.8 of them. And what should happen to somebody who writes "
            "70 and means per cent? Which answer does Python give to `nan < 0`, and which to `nan > 1`?"
        ),
        idea=(
            "2.8 is nearest to 3. An amount of 70 would ask for 280 of 4 things, so it is refused with its value in "
            "the sentence. Both comparisons with nan are False: a check for what is too small or too large lets it "
            "through. Ask instead whether 0 <= amount <= 1 holds."
        ),
        algorithm=(
            "if not 0 <= amount <= 1: raise ValueError with a sentence that names amount. Otherwise return "
            "round(amount * total), which is an int."
        ),
        smaller="count_share(0.7, 4) is 3",
        lesson=PRUNING,
        proof="""
        >>> tinytorch.compression.count_share(0.7, 4), round(0.7 * 4, 1), 70 * 4
        (3, 2.8, 280)
        >>> math.nan < 0, math.nan > 1
        (False, False)
        """,
    ),
    "magnitude_mask": Ladder(
        ask=(
            "Half of the numbers 1, -3, 1, 2 shall go. Which two are nearest to zero? Now half of 1, 1, 1, 1: is "
            "there a threshold that takes exactly two of them?"
        ),
        idea=(
            "The two ones go; -3 is large. No threshold splits equal numbers, so do not look for one: sort the "
            "places. argsort of the magnitudes 1, 3, 1, 2 is 0, 2, 3, 1, and the first half of that list, places 0 "
            'and 2, goes. kind="stable" keeps equal numbers in order.'
        ),
        algorithm=(
            'order = np.argsort(np.abs(values), axis=None, kind="stable"). keep = np.ones(values.size, bool). Set '
            "keep[order[:count_share(amount, values.size)]] = False. Return keep.reshape(values.shape)."
        ),
        smaller="magnitude_mask(np.array([-3., 1.]), 0.5) is [True, False]",
        lesson=PRUNING,
        proof="""
        >>> magnitude_mask(np.array([-3., 1.]), 0.5).tolist()
        [True, False]
        >>> np.argsort(np.abs([1, -3, 1, 2]), kind="stable").tolist()
        [0, 2, 3, 1]
        """,
    ),
    "Masks.apply": Ladder(
        ask=(
            "A weight is 0 because it was pruned. Its gradient is 2, the learning rate 0.1. What is the weight after "
            "one step of SGD? Who could set it back, and where must the zero be written so that model and optimiser "
            "see it?"
        ),
        idea=(
            "It is -0.2: pruning is undone by the first step. Write zeros again after each step, into the array that "
            "the tensor has, for model and optimiser look at that one. Multiplying with the mask does nearly the "
            "same, but leaves inf * 0, which is nan."
        ),
        algorithm=(
            "for name, tensor in self.tensors.items(): tensor.data[~self.kept[name]] = 0. An array of booleans as "
            "index names the places where it is True; `~` turns it around."
        ),
        smaller="a weight [5., 7.] with mask [True, False] becomes [5., 0.]",
        lesson=PRUNING,
        proof="""
        >>> 0 - 0.1 * 2
        -0.2
        >>> weight = Parameter([5.0, 7.0])
        >>> Masks({"w": weight}, {"w": np.array([True, False])}).apply()
        >>> weight.tolist()
        [5.0, 0.0]
        """,
    ),
    "magnitude_prune": Ladder(
        ask=(
            "One layer has the weights 1 and 2, the next 3 and 4. Half of all weights shall go. Which ones, if all "
            "compete? And which, if each layer loses half of its own? For which of the two do you need all weights in "
            "one array?"
        ),
        idea=(
            "If all compete, 1 and 2 go, and the first layer is empty. Per layer, 1 and 3 go. In one array [1, 2, 3, "
            "4] a single magnitude_mask decides over all: [False, False, True, True]. Cut that mask where one layer "
            "ends and the next begins, and give each piece its layer's shape."
        ),
        algorithm=(
            "tensors = prunable(target, biases). per_layer: kept = {name: magnitude_mask(t.data, amount)}. Else: mask "
            "of np.concatenate([t.data.ravel() for each]), np.split(mask, np.cumsum(sizes)[:-1]), and each "
            "part.reshape(t.shape). masks = Masks(tensors, kept); masks.apply(); return masks."
        ),
        smaller="half of x = tensor([[3., -1.]]) leaves [[3., 0.]] in it",
        lesson=PRUNING,
        proof="""
        >>> x = tensor([[3., -1.]])
        >>> masks = magnitude_prune(x, 0.5)
        >>> x.tolist(), magnitude_mask(np.array([1, 2, 3, 4]), 0.5).tolist()
        ([[3.0, 0.0]], [False, False, True, True])
        """,
    ),
    "unit_scores": Ladder(
        ask=(
            "A ReLU unit has the weights 3 and 4 in front of it and 2 behind. Make those in front ten times as large "
            "and that behind a tenth. Does the network compute anything else? Which score would stay the same?"
        ),
        idea=(
            "Nothing changes. The size in front grows from 5 to 50, that behind falls from 2 to 0.2; the product "
            "stays 10. In front of a unit stands a column of its layer's weight (and its bias), behind it a row of "
            "the next one: sum over axis 0 for the first, over axis 1 for the second."
        ),
        algorithm=(
            "incoming = np.square(layer.weight.data).sum(axis=0); if layer.bias is not None: incoming = incoming + "
            "np.square(layer.bias.data). outgoing = np.square(following.weight.data).sum(axis=1). Return "
            "np.sqrt(incoming) * np.sqrt(outgoing)."
        ),
        smaller="weights 3 and 4 in front, no bias, and 2 behind give the score 10",
        lesson=UNITS,
        proof="""
        >>> layer, following = Linear(2, 1, bias=False), Linear(1, 1)
        >>> layer.weight.data[...], following.weight.data[...] = [[3], [4]], [[2]]
        >>> unit_scores(layer, following).tolist(), 50 * 0.2
        ([10.0], 10.0)
        """,
    ),
    "remove_units": Ladder(
        ask=(
            "Three inputs, four hidden units, two outputs: write down the shapes of both weights and both biases. Now "
            "unit 1 goes. Which of the four arrays get smaller, and along which dimension?"
        ),
        idea=(
            "(3, 4) becomes (3, 3): a column goes. The bias (4,) becomes (3,). Behind, (4, 2) becomes (3, 2): a row "
            "goes. The last bias, (2,), is about outputs and stays. keep names what stays, so it is an index: columns "
            "are weight[:, keep], rows weight[keep]."
        ),
        algorithm=(
            "smaller = linear(layer.weight.data[:, keep], layer.bias.data[keep] or None where there is no bias, "
            "layer.training). fitted = linear(following.weight.data[keep], following.bias.data or None, "
            "following.training). Return smaller, fitted."
        ),
        smaller="keep [1] of a Linear(2, 2) and a Linear(2, 3) gives a Linear(2, 1) and a Linear(1, 3)",
        lesson=UNITS,
        proof="""
        >>> [layer.weight.shape for layer in remove_units(Linear(2, 2), Linear(2, 3), np.array([1]))]
        [(2, 1), (1, 3)]
        """,
    ),
    "structured_prune": Ladder(
        ask=(
            "A hidden layer has 8 units, and 0.75 of them shall go. How many stay? If their scores are 5, 1, 7, 2, "
            "which two of these four stay at a half, and in which order do they stand afterwards?"
        ),
        idea=(
            "2 of 8 stay. Of 5, 1, 7, 2 units 0 and 2 stay, in this order. argsort gives places from the lowest score "
            "to the highest, 1, 3, 0, 2: leave out the first two and sort the others. For an amount of 1 leave out "
            "one less than all, or nothing could pass through."
        ),
        algorithm=(
            "pairs = hidden_layers(model); layers = deep copies of all layers. For first, second in pairs: scores of "
            "layers[first], layers[second]; gone = min(count_share(amount, scores.size), scores.size - 1); keep = "
            'np.sort(np.argsort(scores, kind="stable")[gone:]); both layers = remove_units(...). Return '
            "Sequential(layers)."
        ),
        smaller="half of Linear(3, 4), ReLU(), Linear(4, 2) is Linear(3, 2), ReLU(), Linear(2, 2)",
        lesson=UNITS,
        proof="""
        >>> small = structured_prune(Sequential(Linear(3, 4), ReLU(), Linear(4, 2)), 0.5)
        >>> small[0].weight.shape, small[2].weight.shape, 8 - round(0.75 * 8)
        ((3, 2), (2, 2), 2)
        >>> np.argsort([5, 1, 7, 2]).tolist()
        [1, 3, 0, 2]
        """,
    ),
    "low_rank_factors": Ladder(
        ask=(
            "A weight is (100, 50). Two matrices (100, 5) and (5, 50) shall stand in for it. How many numbers are "
            "that, and how many were there? In U S V^T, which shape has U[:, :5], and which the first five rows of "
            "V^T?"
        ),
        idea=(
            "750 in place of 5000. The columns of U and the rows of V^T that belong to the five largest singular "
            "values have exactly the shapes that you need. What is missing between them is S, once in all: with one "
            "of the two, or its root with each, which leaves both of a size."
        ),
        algorithm=(
            "check_rank(rank, weight.shape). u, s, vt = np.linalg.svd(weight, full_matrices=False). root = "
            "np.sqrt(s[:rank]). Return u[:, :rank] * root, root[:, None] * vt[:rank]. The columns of u are stretched "
            "by root lying, the rows of vt by root standing."
        ),
        smaller="rank 1 of [[2., 0.], [0., 1.]] multiplies to [[2., 0.], [0., 0.]]",
        lesson=RANK,
        proof="""
        >>> down, up = low_rank_factors(np.array([[2., 0.], [0., 1.]]), 1)
        >>> bool(np.allclose(down @ up, [[2., 0.], [0., 0.]])), 100 * 5 + 5 * 50, 100 * 50
        (True, 750, 5000)
        """,
    ),
    "low_rank_error": Ladder(
        ask=(
            "A diagonal matrix with 5, 4 and 3 has these as its singular values. Keep the largest: which matrix is "
            "left, what is the difference to the whole, and what is the root of the sum of the difference's squares?"
        ),
        idea=(
            "The difference has 4 and 3 on its diagonal, and the root of 16 + 9 is 5. It is the same for every "
            "matrix: the singular values behind the first `rank` are squared, added up, and the root is taken. Of the "
            "two thin matrices nothing is needed."
        ),
        algorithm=(
            "check_rank(rank, weight.shape). s = np.linalg.svd(weight, compute_uv=False), which comes sorted, largest "
            "first. Return float(np.sqrt(np.square(s[rank:]).sum()))."
        ),
        smaller="low_rank_error(np.diag([5., 4., 3.]), 1) is 5.0",
        lesson=RANK,
        proof="""
        >>> round(low_rank_error(np.diag([5., 4., 3.]), 1), 4)
        5.0
        """,
    ),
    "LowRankLinear.from_linear": Ladder(
        ask=(
            "x @ weight + bias shall become (x @ down) @ up + bias. Which of the two parts has the bias, and which "
            "size must it have? Which of the two parts would spoil the result if it had one of its own?"
        ),
        idea=(
            "up has it: the bias belongs to the outputs, and it is the layer's own, copied. down has none, for a "
            "random bias there would be added to everything. A layer (6, 4) with rank 2 becomes (6, 2) without bias "
            "and (2, 4) with it."
        ),
        algorithm=(
            "down, up = low_rank_factors(layer.weight.data, rank). thin = cls(layer.in_features, rank, "
            "layer.out_features). thin.down = linear(down, None, layer.training); thin.up = linear(up, the bias's "
            "data or None, layer.training). thin.training = layer.training. Return thin."
        ),
        smaller="from_linear(Linear(6, 4), 2) has the weights (6, 2) and (2, 4)",
        lesson=RANK,
        proof="""
        >>> thin = LowRankLinear.from_linear(Linear(6, 4), 2)
        >>> thin.down.weight.shape, thin.up.weight.shape, thin.down.bias is None
        ((6, 2), (2, 4), True)
        """,
    ),
    "distillation_loss": Ladder(
        ask=(
            "The teacher's logits for two classes are 4 and 0. What are its probabilities? And what are they when the "
            "logits are first divided by 4? Which of the two says more about the second class?"
        ),
        idea=(
            "At T = 1 the second class gets 0.018, at T = 4 it gets 0.2689. Divide both sides by T, take log_softmax "
            "of both, and let the teacher's probabilities weigh the difference log p - log q: sum over classes, mean "
            "over rows. Only the hard part sees the logits as they are."
        ),
        algorithm=(
            "check_distillation(...). log_p = log_softmax(teacher_logits.detach() / T), log_q = "
            "log_softmax(student_logits / T). kl = (log_p.exp() * (log_p - log_q)).sum(dim=-1).mean(). hard = "
            "CrossEntropyLoss()(student_logits, targets). Return alpha * T**2 * kl + (1 - alpha) * hard."
        ),
        smaller="with alpha 1, equal logits of student and teacher give 0",
        lesson=TEACHER,
        proof="""
        >>> round(softmax(tensor([4.0, 0.0])).tolist()[1], 3), softmax(tensor([1.0, 0.0]))
        (0.018, tensor([0.7311, 0.2689]))
        >>> logits = tensor([[1.0, 2.0]])
        >>> distillation_loss(logits, logits, tensor([0]), alpha=1.0)
        tensor(0.)
        """,
    ),
    "compress": Ladder(
        ask=(
            "A pipeline has two steps, and the model weighs 800, 400 and 100 bytes on the way. Write down before and "
            "after for each step. When do you have to weigh? And what if the first step returns nothing, because it "
            "has changed the model itself?"
        ),
        idea=(
            "(800, 400) and (400, 100): weigh right before a step runs and right after. If it returned a Module, that "
            "is the model from now on; if not, the old one is, changed or not. Because steps may change it, start "
            "with a deep copy: the caller still needs the model."
        ),
        algorithm=(
            "TypeError naming type(model).__name__ if it is no Module. current = copy.deepcopy(model), done = []. For "
            "name, step in steps.items(): before = measure(current); result = step(current); if isinstance(result, "
            "Module): current = result; append Step(name, before, measure(current)). Return Compressed(current, "
            "done)."
        ),
        smaller="compress(Linear(2, 2), {'nothing': lambda model: None}) has the one Step('nothing', 24, 24)",
        lesson=PIPELINE,
        proof="""
        >>> [tuple(step) for step in compress(Linear(2, 2), {'nothing': lambda model: None}).steps]
        [('nothing', 24, 24)]
        >>> steps = {"half": lambda m: structured_prune(m, 0.5)}
        >>> small = compress(Sequential(Linear(9, 10), Linear(10, 9)), steps)
        >>> small.steps[0].before, 4 * (90 + 10 + 90 + 9)
        (796, 796)
        """,
    ),
}
