"""Checkpoint 20: capstone."""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, named, raises, same, same_array

END = "<end>"
ASKS = (
    "the question's ids are targets, too. The model is to answer, not to ask: -100 wherever the next id is still asked."
)
UNSHIFTED = "the targets are the ids themselves. A target is what comes next: all ids but the first."
FIRST_LOST = "the first id of the answer does not count. It is the target at the last place of the question."
NO_END = "END is missing behind the answer, so the model never learns to stop."
JOINED = "question and answer were encoded as one text. When somebody asks, only the question is there."
PADDING = "the places that were filled up count. Their target is -100."
NOT_CUT = "what stands behind END belongs to no answer."
WITH_END = "END is part of the answer. It says that the answer is over."
WITH_QUESTION = "the question is part of the answer. What was written comes behind it: drop the first ids."
PRODUCT = "this is how many seconds a token takes. Tokens per second: the tokens divided by the seconds."


# ---- what the judge draws ---------------------------------------------------------------------------------


def letters_of(draw, count):
    """So many different small letters, in order."""
    return [chr(97 + int(n)) for n in sorted(draw.permutation(26)[:count])]


def word(draw, letters, low=2, high=5):
    """A random word of them."""
    return "".join(draw.choice(letters) for _ in range(int(draw.rng.integers(low, high + 1))))


def words(draw, letters, count, low=2, high=5):
    """Different random words."""
    found = []
    while len(found) < count:
        one = word(draw, letters, low, high)
        found += [] if one in found else [one]
    return found


def ids_of(letters, text):
    """The ids that a CharTokenizer with one special token gives: 0 is END's."""
    return [1 + letters.index(letter) for letter in text]


def tokenizer_of(tt, letters):
    """The student's tokenizer of these letters."""
    return tt.CharTokenizer([END]).train("".join(letters))


def rows_of(letters, question, answer):
    """Ids and targets of a pair."""
    every = [*ids_of(letters, question), *ids_of(letters, answer), 0]
    return every[:-1], [-100] * (len(question) - 1) + every[len(question) :]


def batch_of(letters, pairs, fill=0, unseen=-100):
    """Ids and targets of several, filled up."""
    rows = [rows_of(letters, *pair) for pair in pairs]
    longest = max(len(ids) for ids, _ in rows)
    ids = [row + [fill] * (longest - len(row)) for row, _ in rows]
    targets = [row + [unseen] * (longest - len(row)) for _, row in rows]
    return np.array(ids), np.array(targets)


def numbers(tokens, positions, head):
    """The parameters of a GPT with one block that adds nothing to the stream."""
    d = tokens.shape[1]
    p = {"tokens.weight": tokens, "positions.weight": positions}
    for norm in ("norm1", "norm2"):
        p |= {f"blocks.0.{norm}.weight": np.ones(d), f"blocks.0.{norm}.bias": np.zeros(d)}
    for part in ("query", "key", "value", "out"):
        p |= {f"blocks.0.attention.{part}.weight": np.zeros((d, d)), f"blocks.0.attention.{part}.bias": np.zeros(d)}
    p |= {"blocks.0.feed_forward.up.weight": np.zeros((d, 4 * d)), "blocks.0.feed_forward.up.bias": np.zeros(4 * d)}
    p |= {"blocks.0.feed_forward.down.weight": np.zeros((4 * d, d)), "blocks.0.feed_forward.down.bias": np.zeros(d)}
    p |= {"norm.weight": np.ones(d), "norm.bias": np.zeros(d), "head.weight": head}
    return {name: np.asarray(array, np.float32) for name, array in p.items()}


def quiet(draw, vocab, d, longest):
    """Such parameters at random: what a token says depends on itself and its place alone."""
    return numbers(draw.normal(vocab, d), draw.normal(longest, d), draw.normal(d, vocab))


def scripted(said, vocab, longest):
    """Such parameters that at place t the id said[t] is by far the likeliest, whatever was read."""
    head = np.zeros((longest, vocab))
    head[np.arange(len(said)), said] = 8
    return numbers(np.zeros((vocab, longest)), 4 * np.eye(longest), head)


def stream(p, ids):
    """What arrives at the head, (N, T, D)."""
    x = np.float64(p["tokens.weight"])[ids] + p["positions.weight"][: ids.shape[1]]
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)


def scores(p, ids):
    """The logits of a quiet GPT, (N, T, V)."""
    return stream(p, ids) @ np.float64(p["head.weight"])


def costs(p, ids, targets):
    """What each target that counts costs, in nats; nan where none counts."""
    y = scores(p, ids)
    y = y - y.max(-1, keepdims=True)
    logs = y - np.log(np.exp(y).sum(-1, keepdims=True))
    taken = np.take_along_axis(logs, np.maximum(targets, 0)[..., None], -1)[..., 0]
    return np.where(targets >= 0, -taken, np.nan)


def head_slope(p, ids, targets):
    """The gradient of the mean loss with respect to the head, (D, V)."""
    y = scores(p, ids)
    e = np.exp(y - y.max(-1, keepdims=True))
    slopes = e / e.sum(-1, keepdims=True)
    np.put_along_axis(slopes, np.maximum(targets, 0)[..., None], np.take_along_axis(
        slopes, np.maximum(targets, 0)[..., None], -1) - 1, -1)  # fmt: skip
    slopes = slopes * (targets >= 0)[..., None] / (targets >= 0).sum()
    return np.einsum("ntd,ntv->dv", stream(p, ids), slopes)


def generator(draw, seed):
    """As np.random.default_rng(seed) makes it."""
    return type(draw.rng)(type(draw.rng.bit_generator)(seed))


def written(p, asked, count, noise=None, keep=None):
    """The ids that a quiet GPT writes behind those asked, with noise (count, V) added to the scores."""
    ids = list(asked)
    for n in range(count):
        y = scores(p, np.array([ids]))[0, -1]
        if keep is not None:
            y = np.where(y < np.sort(y)[-keep], -np.inf, y)
        ids.append(int((y + (0 if noise is None else noise[n])).argmax()))
    return ids[len(asked) :]


def bot_of(tt, letters, p):
    """The student's TinyGPT with these letters and parameters."""
    longest, d = p["positions.weight"].shape
    bot = named(tt.TinyGPT(tokenizer_of(tt, letters), d_model=d, num_heads=1, num_layers=1, max_len=longest), "bot")
    bot.model.load_state_dict(p)
    return bot


def speaker(draw, tt, ends=True):
    """A TinyGPT that answers one random question with a random text and goes on behind END with another."""
    letters = letters_of(draw, 6)
    question, answer, more = word(draw, letters), word(draw, letters, 3, 6), word(draw, letters, 3, 6)
    behind = [0, *ids_of(letters, more)] if ends else ids_of(letters, more)
    said = [int(n) for n in draw.integers(1, 7, len(question) - 1)] + ids_of(letters, answer) + behind
    return bot_of(tt, letters, scripted(said, 7, 24)), question, answer, more


# ---- encode_pair ------------------------------------------------------------------------------------------


@exercise("encode_pair", points=3)
def test_encode_pair_counts_the_answer(tt, draw):
    """encode_pair gives the ids to read, and as targets the answer and END"""
    letters = letters_of(draw, 6)
    question, answer = words(draw, letters, 2, 3, 5)
    ids, targets = rows_of(letters, question, answer)
    every = [*ids, 0]
    asked = len(question)
    same(
        list(tt.encode_pair(tokenizer_of(tt, letters), question, answer)),
        [ids, targets],
        what=f"encode_pair(tokenizer, {question!r}, {answer!r}), as a list, where {''.join(letters)} are 1 to 6",
        mistakes=[
            Mistake([ids, every[1:]], ASKS),
            Mistake([ids, [-100] * (asked - 1) + ids[asked - 1 :]], UNSHIFTED),
            Mistake([ids, [-100] * asked + every[asked + 1 :]], FIRST_LOST),
            Mistake([ids[:-1], targets[:-1]], NO_END),
            Mistake([every, [-100] * asked + every[asked:]], UNSHIFTED),
        ],
        smaller='encode_pair(tokenizer, "ab", "c") is ([1, 2, 3], [-100, 3, 0])',
    )


@exercise("encode_pair", points=1)
def test_encode_pair_takes_empty_answers(tt, draw):
    """encode_pair takes an empty answer, of which only END counts"""
    letters = letters_of(draw, 5)
    question = word(draw, letters)
    same(
        list(tt.encode_pair(tokenizer_of(tt, letters), question, "")),
        [ids_of(letters, question), [-100] * (len(question) - 1) + [0]],
        what=f"encode_pair(tokenizer, {question!r}, ''), as a list",
    )


@exercise("encode_pair", points=2)
def test_encode_pair_encodes_question_and_answer_apart(tt, draw):
    """encode_pair encodes the question by itself, as it will be when somebody asks"""
    one, other = letters_of(draw, 2)
    tokenizer = tt.BPETokenizer([END]).train(f"{one}{other} {one}{other} {one}{other}", 258)  # 257 is the two together
    asked, said = ord(one), ord(other)
    same(
        list(tt.encode_pair(tokenizer, f"{one}{other}{one}", other)),
        [[257, asked, said], [-100, said, 256]],
        what=f"encode_pair(bpe, '{one}{other}{one}', '{other}'), where '{one}{other}' is one token",
        mistakes=[Mistake([[257, 257], [-100, 256]], JOINED), Mistake([[257, 257], [257, 256]], JOINED)],
    )


@exercise("encode_pair", points=1)
def test_encode_pair_refuses_an_empty_question(tt, draw):
    """encode_pair refuses a question without tokens"""
    letters = letters_of(draw, 5)
    tokenizer = tokenizer_of(tt, letters)
    question, answer = word(draw, letters), word(draw, letters)
    raises(ValueError, lambda: tt.encode_pair(tokenizer, "", answer), mentions=["''"])
    same(
        list(tt.encode_pair(tokenizer, question, answer)), list(rows_of(letters, question, answer)), what="a fair pair"
    )


# ---- pair_batch -------------------------------------------------------------------------------------------


@exercise("pair_batch", points=2)
def test_pair_batch_fills_up_at_the_end(tt, draw):
    """pair_batch puts pairs under each other, filled up at the end with what does not count"""
    letters = letters_of(draw, 6)
    pairs = [(word(draw, letters, n, n), word(draw, letters, 2, 2)) for n in draw.sizes(3)]
    ids, targets = batch_of(letters, pairs)
    got = tt.pair_batch(tokenizer_of(tt, letters), pairs, 20)
    rows = [rows_of(letters, *pair)[1] for pair in pairs]
    left = np.array([[-100] * (ids.shape[1] - len(row)) + row for row in rows])
    same(got[0], ids, what=f"ids of {pairs}")
    same(
        got[1],
        targets,
        what=f"targets of {pairs}",
        mistakes=[
            Mistake(batch_of(letters, pairs, unseen=0)[1], PADDING),
            Mistake(left, "the rows are filled up at the start. There they move every token to another position."),
        ],
    )


@exercise("pair_batch", points=2)
def test_pair_batch_refuses_what_is_too_long(tt, draw):
    """pair_batch refuses a pair that does not fit, and says which, how long, and what would"""
    letters = letters_of(draw, 6)
    place, long = int(draw.choice([0, 1, 2])), int(draw.choice([7, 8, 9]))
    pairs = [(word(draw, letters, 2, 2), word(draw, letters, 2, 2)) for _ in range(3)]
    pairs[place] = (word(draw, letters, 4, 4), word(draw, letters, long - 4, long - 4))
    tokenizer = tokenizer_of(tt, letters)
    raises(ValueError, lambda: tt.pair_batch(tokenizer, pairs, long - 1), mentions=[place, long, long - 1])
    same(tt.pair_batch(tokenizer, pairs, long)[0], batch_of(letters, pairs)[0], what="ids of pairs that just fit")


@exercise("pair_batch", points=1)
def test_pair_batch_refuses_no_pairs(tt, draw):
    """pair_batch refuses a batch without pairs"""
    letters = letters_of(draw, 6)
    tokenizer, pairs = tokenizer_of(tt, letters), [(word(draw, letters), word(draw, letters))]
    raises(ValueError, lambda: tt.pair_batch(tokenizer, [], 12), mentions=[0])
    same(tt.pair_batch(tokenizer, pairs, 12)[1], batch_of(letters, pairs)[1], what="targets of one pair")


# ---- TinyGPT.loss -----------------------------------------------------------------------------------------


@exercise("TinyGPT.loss", points=2)
def test_loss_is_the_mean_over_what_counts(tt, draw):
    """the loss is the mean cross-entropy over the targets that count, wherever they stand"""
    letters = letters_of(draw, 6)
    pairs = [(word(draw, letters, 2, 4), word(draw, letters, n, n)) for n in draw.sizes(3)]
    ids, targets = batch_of(letters, pairs)
    p = quiet(draw, 7, 8, 16)
    each = costs(p, ids, targets)
    same(
        bot_of(tt, letters, p).loss(tt.tensor(ids), tt.tensor(targets)),
        np.array(np.nanmean(each)),
        rtol=1e-4,
        what=f"bot.loss(ids, targets) of {pairs}",
        mistakes=[
            Mistake(np.array(np.nansum(each)), "this is the sum. The mean does not grow with the batch."),
            Mistake(
                np.array(np.nansum(each) / each.size), "the mean is over all places, also those that do not count."
            ),
            Mistake(np.array(np.nanmean(np.nanmean(each, 1))), "every pair counts the same. Every target does."),
        ],
    )


@exercise("TinyGPT.loss", points=1)
def test_loss_lets_the_gradient_through(tt, draw):
    """the loss's gradient reaches the model's head"""
    letters = letters_of(draw, 6)
    pairs = [(word(draw, letters), word(draw, letters)) for _ in range(2)]
    ids, targets = batch_of(letters, pairs)
    p = quiet(draw, 7, 8, 16)
    bot = bot_of(tt, letters, p)
    bot.loss(tt.tensor(ids), tt.tensor(targets)).backward()
    same(bot.model.head.weight.grad, head_slope(p, ids, targets), rtol=1e-3, atol=1e-4)


# ---- TinyGPT.train ----------------------------------------------------------------------------------------


def watched_training(letters, p, pairs, settings):
    """Train, and write down what happened: at each loss the ids and the mode, at each step gradients and optimiser."""
    longest, d = p["positions.weight"].shape
    tokenizer = tt.CharTokenizer(["<end>"]).train("".join(letters))
    bot = tt.TinyGPT(tokenizer, d_model=d, num_heads=1, num_layers=1, max_len=longest)
    bot.model.load_state_dict(p)
    bot.model.eval()
    seen, modes, steps, loss_of, step_of = [], [], [], bot.loss, tt.AdamW.step

    def loss(ids, targets):
        seen.append([[int(n) for n in row] for row in ids.tolist()])
        modes.append(bool(bot.model.blocks[0].training))
        return loss_of(ids, targets)

    def step(self, *args, **kwargs):
        grads = [parameter.grad.data.copy() for parameter in bot.model.parameters()]
        norm = math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in grads))
        group = self.param_groups[0]
        settings = [float(group["lr"]), float(group["weight_decay"])]
        steps.append([self, norm, bot.model.head.weight.grad.data.copy(), settings])
        return step_of(self, *args, **kwargs)

    own = "step" in vars(tt.AdamW)
    bot.loss, tt.AdamW.step = loss, step
    try:
        losses = bot.train(pairs, **settings)
    finally:
        if own:
            tt.AdamW.step = step_of
        else:
            del tt.AdamW.step
    modes.append(bool(bot.model.blocks[0].training))
    optimizers = [[other[0] for other in steps].index(one[0]) for one in steps]
    return {
        "losses": [float(x) for x in losses],
        "seen": seen,
        "modes": modes,
        "optimizers": optimizers,
        "norms": [s[1] for s in steps],
        "heads": [s[2] for s in steps],
        "settings": [s[3] for s in steps],
    }


def lesson(draw, count):
    """Letters, a quiet model's parameters and pairs for it, all of one length."""
    letters = letters_of(draw, 6)
    questions = words(draw, letters, count, 3, 3)
    return letters, quiet(draw, 7, 8, 16), [[question, word(draw, letters, 2, 2)] for question in questions]


def mean_cost(letters, p, pairs):
    """The mean loss of batches of one pair."""
    return float(np.mean([float(np.nanmean(costs(p, *batch_of(letters, [pair])))) for pair in pairs]))


@exercise("TinyGPT.train", points=2)
def test_train_gives_the_mean_loss_of_each_epoch(lab, draw):
    """train gives one loss for each epoch, the mean over its batches"""
    letters, p, pairs = lesson(draw, 3)
    epochs = int(draw.choice([2, 3, 4]))
    each = [float(np.nanmean(costs(p, *batch_of(letters, [pair])))) for pair in pairs]
    got = lab(watched_training, letters, p, pairs, {"epochs": epochs, "batch_size": 1, "lr": 0.0})
    same(
        got["losses"],
        [float(np.mean(each))] * epochs,
        rtol=1e-4,
        what=f"bot.train(pairs, epochs={epochs}, batch_size=1, lr=0) of 3 pairs",
        mistakes=[
            Mistake([float(np.sum(each))] * epochs, "the losses of the batches are added. Their mean is due."),
            Mistake([float(np.mean(each))] * 3 * epochs, "there is a loss for each batch. One for each epoch is due."),
        ],
    )


@exercise("TinyGPT.train", points=2)
def test_train_shows_every_pair_once_an_epoch(lab, draw):
    """train shows each pair once in every epoch, in batches of the size that was asked for"""
    letters, p, pairs = lesson(draw, 5)
    size = int(draw.choice([2, 3, 4]))
    got = lab(watched_training, letters, p, pairs, {"epochs": 2, "batch_size": size, "lr": 0.0})
    seen = got["seen"]
    due = sorted(batch_of(letters, pairs)[0].tolist())
    sizes = [len(pairs[n : n + size]) for n in range(0, 5, size)]
    same(
        [len(batch) for batch in seen], sizes * 2, what=f"sizes of the batches of 2 epochs, 5 pairs, batch_size={size}"
    )
    rows = [row for batch in seen for row in batch]
    same([sorted(rows[:5]), sorted(rows[5:])], [due, due], what="the pairs that each epoch showed, sorted")
    by_ids = {str(row): pair for row, pair in zip(batch_of(letters, pairs)[0].tolist(), pairs, strict=True)}
    each = [float(np.nanmean(costs(p, *batch_of(letters, [by_ids[str(r)] for r in batch])))) for batch in seen]
    means = [float(np.mean(part)) for part in (each[: len(sizes)], each[len(sizes) :])]
    same(got["losses"], means, rtol=1e-4, what="the loss of each epoch, with lr=0")


@exercise("TinyGPT.train", points=2)
def test_train_shuffles_by_its_seed(lab, draw):
    """train draws a new order for every epoch, the same ones from the same seed"""
    letters, p, pairs = lesson(draw, 6)
    seeds = [int(n) for n in draw.permutation(1000)[:2]]
    due = batch_of(letters, pairs)[0].tolist()
    orders = []
    for seed in (seeds[0], seeds[1], seeds[0]):
        settings = {"epochs": 4, "batch_size": 1, "lr": 0.0, "seed": seed}
        got = lab(watched_training, letters, p, pairs, settings)
        same(got["losses"], [mean_cost(letters, p, pairs)] * 4, rtol=1e-4, what="the losses of 4 epochs, with lr=0")
        rows = [batch[0] for batch in got["seen"]]
        orders.append([rows[n : n + 6] for n in range(0, len(rows), 6)])
    first, other, again = orders
    same(again, first, what=f"the order of 4 epochs with seed {seeds[0]}, for the second time")
    same([sorted(order) for order in first], [sorted(due)] * 4, what="what each epoch showed, sorted")
    distinct = len({str(order) for order in [*first, *other]})
    same([distinct >= 6, len(pairs) < 6], [True, False], what="[6 of 8 orders differ, pairs are missing]")


@exercise("TinyGPT.train", points=2)
def test_train_forgets_old_gradients(lab, draw):
    """train steps along the gradient of each batch alone"""
    letters, p, pairs = lesson(draw, 2)
    got = lab(watched_training, letters, p, pairs, {"epochs": 2, "batch_size": 1, "lr": 0.0})
    order = [pairs[batch_of(letters, pairs)[0].tolist().index(batch[0])] for batch in got["seen"]]
    slopes = [head_slope(p, *batch_of(letters, [pair])) for pair in order]
    due = np.array([slope / np.linalg.norm(slope) for slope in slopes])
    sums = np.cumsum(slopes, 0)
    same_array(
        np.array([head / max(np.linalg.norm(head), 1e-30) for head in got["heads"]]),
        due,
        rtol=1e-3,
        atol=1e-3,
        what="direction of the head's gradient at each of four steps",
        mistakes=[
            Mistake(
                np.array([s / np.linalg.norm(s) for s in sums]),
                "gradients of earlier batches are in it: zero_grad() before backward().",
            )
        ],
    )


@exercise("TinyGPT.train", points=2)
def test_train_clips_gradients(lab, draw):
    """train shortens gradients to norm 1 before the step, and takes the lr that was asked for"""
    letters, p, pairs = lesson(draw, 2)
    p["head.weight"] *= np.float32(20)  # wrong answers are dear, and the gradients long
    lr = float(draw.choice([1, 2, 3])) * 1e-6
    got = lab(watched_training, letters, p, pairs, {"epochs": 2, "batch_size": 1, "lr": lr})
    same(got["norms"], [1.0] * 4, rtol=1e-3, what="norm of all gradients at each of four steps")
    same(got["settings"], [[lr, 0.01]] * 4, what="[lr, weight_decay] at each step")


@exercise("TinyGPT.train", points=1)
def test_train_keeps_its_optimizer(lab, draw):
    """train makes one optimiser, which remembers all batches"""
    letters, p, pairs = lesson(draw, 3)
    epochs = int(draw.choice([2, 3]))
    got = lab(watched_training, letters, p, pairs, {"epochs": epochs, "batch_size": 1, "lr": 0.0})
    rows = sorted(batch[0] for batch in got["seen"])
    same(rows, sorted(batch_of(letters, pairs)[0].tolist() * epochs), what="what was shown, sorted")
    same(got["losses"], [mean_cost(letters, p, pairs)] * epochs, rtol=1e-4, what="the loss of each epoch, with lr=0")
    same(
        got["optimizers"],
        [0] * 3 * epochs,
        what="the number of the optimiser that took each step",
        mistakes=[
            Mistake(
                list(range(3 * epochs)), "every batch has a new optimiser. Adam's memory is lost with the old one."
            ),
            Mistake([3 * (n // 3) for n in range(3 * epochs)], "every epoch has a new optimiser, without its memory."),
        ],
    )


@exercise("TinyGPT.train", points=1)
def test_train_switches_modes(lab, draw):
    """train learns in training mode and leaves the model ready to answer"""
    letters, p, pairs = lesson(draw, int(draw.choice([2, 3, 4])))
    got = lab(watched_training, letters, p, pairs, {"epochs": 2, "batch_size": 1, "lr": 0.0})
    rows = sorted(batch[0] for batch in got["seen"])
    same(rows, sorted(batch_of(letters, pairs)[0].tolist() * 2), what="what was shown, sorted")
    same(
        got["modes"],
        [True] * 2 * len(pairs) + [False],
        what="the model's training flag at each batch, and afterwards; it came in evaluation mode",
        mistakes=[
            Mistake([False] * 2 * len(pairs) + [False], "it was never switched to training mode: model.train()."),
            Mistake([True] * 2 * len(pairs) + [True], "it is left in training mode: model.eval() at the end."),
        ],
    )


@exercise("TinyGPT.train", points=4)
def test_train_learns_answers_by_heart(lab, draw):
    """train teaches a TinyGPT random answers to random questions"""
    letters = letters_of(draw, 6)
    questions, answers = words(draw, letters, 2, 2, 3), words(draw, letters, 2, 2, 4)
    pairs = [list(pair) for pair in zip(questions, answers, strict=True)]
    same(lab(learnt, letters, pairs), answers, what=f"what it answers {questions}, after 100 epochs on {pairs}")


def learnt(letters, pairs):
    """Train a small TinyGPT and ask it."""
    tt.manual_seed(0)
    bot = tt.TinyGPT(tt.CharTokenizer(["<end>"]).train("".join(letters)), d_model=32, max_len=12)
    bot.train(pairs, epochs=100, lr=0.01)
    return [bot.generate(question, 6) for question, _ in pairs]


# ---- TinyGPT.generate -------------------------------------------------------------------------------------


@exercise("TinyGPT.generate", points=3)
def test_generate_answers_up_to_the_end(tt, draw):
    """generate gives what the model writes behind the question, up to END"""
    bot, question, answer, more = speaker(draw, tt)
    count = len(answer) + 1 + len(more)
    same(
        [bot.generate(question, count, cached=cached) for cached in (True, False)],
        [answer, answer],
        what=f"bot.generate({question!r}, {count}), cached and not",
        mistakes=[
            Mistake([answer + END + more] * 2, NOT_CUT),
            Mistake([answer + more] * 2, NOT_CUT),
            Mistake([answer + END] * 2, WITH_END),
            Mistake([question + answer] * 2, WITH_QUESTION),
        ],
    )


@exercise("TinyGPT.generate", points=2)
def test_generate_writes_as_much_as_it_may(tt, draw):
    """generate writes max_new_tokens where no END comes"""
    bot, question, answer, more = speaker(draw, tt, ends=False)
    text = answer + more
    counts = [int(n) for n in 1 + draw.permutation(len(text))[:3]]
    same(
        [bot.generate(question, n) for n in counts],
        [text[:n] for n in counts],
        what=f"bot.generate({question!r}, n) for n in {counts}",
        mistakes=[Mistake([text[: n - 1] for n in counts], "the last token is cut off, but it is no END.")],
    )


@exercise("TinyGPT.generate", points=2)
def test_generate_reads_the_question(tt, draw):
    """generate reads the question: another one has another answer"""
    letters = letters_of(draw, 6)
    p = quiet(draw, 7, 8, 16)
    p["head.weight"][:, 0] = 0
    p["head.weight"] *= np.float32(4)
    bot = bot_of(tt, letters, p)
    questions = words(draw, letters, 4, 3, 3)
    every = [written(p, ids_of(letters, question), 4) for question in questions]
    cut = [ids[: ids.index(0)] if 0 in ids else ids for ids in every]
    due = ["".join(letters[n - 1] for n in ids) for ids in cut]
    same([bot.generate(question, 4) for question in questions], due, what=f"answers to {questions}")


@exercise("TinyGPT.generate", points=2)
def test_generate_hands_on_temperature_and_seed(tt, draw):
    """generate draws with the temperature, top_k and seed that it is given, cached and not"""
    letters = letters_of(draw, 6)
    keep, heat = int(draw.choice([2, 3])), float(draw.choice([1.5, 2.0, 3.0]))
    due = []
    while len("".join(due)) < 16:  # of answers that are shorter, chance might write the same
        p, question = quiet(draw, 7, 8, 16), word(draw, letters)
        seeds = [int(seed) for seed in draw.permutation(1000)[:3]]
        due = [answered(draw, p, letters, question, keep, heat, seed) for seed in seeds]
    bot = bot_of(tt, letters, p)
    for seed, answer in zip(seeds, due, strict=True):
        got = [bot.generate(question, 8, heat, keep, seed, cached=cached) for cached in (True, False)]
        same(got, [answer] * 2, what=f"bot.generate({question!r}, 8, {heat}, {keep}, seed={seed}), cached and not")


def answered(draw, p, letters, question, keep, heat, seed):
    """The answer of a quiet GPT of at most 8 letters that are drawn by this seed."""
    ids = written(p, ids_of(letters, question), 8, heat * generator(draw, seed).gumbel(size=(8, 7)), keep)
    return "".join(letters[n - 1] for n in ids[: ids.index(0) if 0 in ids else None])


@exercise("TinyGPT.generate", points=1)
def test_generate_knows_end_from_its_letters(tt, draw):
    """generate stops at the token END, not at the five characters"""
    letters = sorted({*"<end>", *letters_of(draw, 3)})
    question, before, after = word(draw, letters[2:]), word(draw, letters[2:]), word(draw, letters[2:])
    text = before + END + after
    said = ids_of(letters, (question[1:] + text))
    bot = bot_of(tt, letters, scripted([*said, 0, 1], len(letters) + 1, 32))
    same(
        bot.generate(question, len(text) + 2),
        text,
        what=f"bot.generate({question!r}, {len(text) + 2})",
        mistakes=[Mistake(before, "the text was cut at the characters '<end>'. Look for END's id, then decode.")],
    )


@exercise("TinyGPT.generate", points=2)
def test_generate_reads_each_token_once(lab, draw):
    """generate with the cache reads each token once, and without it all of them again and again"""
    letters = letters_of(draw, 5)
    question, count = word(draw, letters, 3, 5), int(draw.choice([4, 5, 6]))
    asked = len(question)
    text = [int(n) for n in draw.integers(1, 6, asked - 1 + count)]
    read, said = lab(tokens_read, letters, question, count, scripted(text, 6, 16))
    same(said, ["".join(letters[n - 1] for n in text[asked - 1 :])] * 3, what="what it writes, whichever way")
    once, plain = asked + count - 1, sum(asked + n for n in range(count))
    same(
        read,
        [once, plain, once],
        what=f"ids that the model reads to write {count} behind {asked}: [cached=True, cached=False, neither said]",
        mistakes=[
            Mistake([plain] * 3, "the cache is never used: generate_cached where cached is true."),
            Mistake([once] * 3, "cached=False uses the cache, too: model.generate."),
            Mistake([plain, once, plain], "cached=True and cached=False have changed places."),
        ],
    )


def tokens_read(letters, question, count, p):
    """How many ids go through the table of tokens, with the cache and without it."""
    bot = tt.TinyGPT(tt.CharTokenizer(["<end>"]).train("".join(letters)), 16, 1, 1, 16)
    bot.model.load_state_dict(p)
    read, forward = [0], bot.model.tokens.forward

    def counted(ids):
        read[0] += ids.numel()
        return forward(ids)

    bot.model.tokens.forward = counted
    found, said = [], []
    for options in ({"cached": True}, {"cached": False}, {}):
        read[0] = 0
        said.append(bot.generate(question, count, **options))
        found.append(read[0])
    return found, said


@exercise("TinyGPT.generate", points=1)
def test_generate_refuses_an_empty_question(tt, draw):
    """generate refuses a question without tokens"""
    bot, question, answer, more = speaker(draw, tt)
    raises(ValueError, lambda: bot.generate("", 3), mentions=["''"])
    same(bot.generate(question, len(answer) + 1 + len(more)), answer, what="the answer to a fair question")


# ---- TinyGPT.compress -------------------------------------------------------------------------------------


def taught(draw):
    """Letters, a scripted model's parameters, and pairs of which it answers some: with their share."""
    letters = letters_of(draw, 6)
    answer = word(draw, letters, 2, 4)
    questions = words(draw, letters, 4, 3, 3)
    said = [1, 1, *ids_of(letters, answer), 0]
    right = draw.permutation(4) < draw.choice([1, 2, 3])
    pairs = [(q, answer if good else answer[::-1] + answer) for q, good in zip(questions, right, strict=True)]
    return letters, scripted(said, 7, 24), pairs, float(right.mean())


@exercise("TinyGPT.compress", points=2)
def test_compress_answers_alike(tt, draw):
    """compress gives a TinyGPT that answers alike, in eight bits"""
    letters, p, pairs, _ = taught(draw)
    bot = bot_of(tt, letters, p)
    small = bot.compress(pairs)[0]
    answers = [bot.generate(q, 6) for q, _ in pairs]
    due = min((answer for _, answer in pairs), key=len)
    same(answers + [small.generate(q, 6) for q, _ in pairs], [due] * 8, what="what both answer to four questions")
    kinds = [str(one.model.head.weight_values.data.dtype) for one in [small]]
    same(kinds, ["int8"], what="the dtype of the small model's head")


@exercise("TinyGPT.compress", points=2)
def test_compress_weighs_before_and_after(tt, draw):
    """compress says how many bytes the model had, and has"""
    letters, p, pairs, _ = taught(draw)
    report = bot_of(tt, letters, p).compress(pairs)[1]
    d, inside, floats = 24, 24 * 24, 4
    before = sum(array.nbytes for array in p.values())
    widths = [d] * 4 + [4 * d, d, 7]  # of the outputs of all Linear layers
    whole = 4 * inside + 2 * 4 * inside + d * 7  # weights, now of one byte
    after = before - 3 * whole + floats * sum(widths) + 7 * 5  # a scale for each output, a ruler for each input
    same(
        [report["bytes_before"], report["bytes_after"]],
        [before, after],
        what="[bytes_before, bytes_after] of the report",
        mistakes=[
            Mistake([before, before], "the small model was not weighed, or it is not small."),
            Mistake([before, before // 4], "this is a quarter. What it is has to be measured: small.nbytes."),
            Mistake([after, after], "the large model was changed on the way."),
        ],
    )


@exercise("TinyGPT.compress", points=2)
def test_compress_measures_both_accuracies(tt, draw):
    """compress measures the accuracy before and after, each on its own model"""
    letters, p, pairs, share = taught(draw)
    p["head.weight"][23] = 8000  # a place that nobody reaches: beside it, 8 is nothing in eight bits
    silent = [("".join(reversed(q)), "") for q, _ in pairs]
    report = bot_of(tt, letters, p).compress([*pairs, *silent])[1]
    before, after = share / 2, 0.5
    same(
        [report["accuracy_before"], report["accuracy_after"]],
        [before, after],
        what="[accuracy_before, accuracy_after] of a model that eight bits make silent",
        mistakes=[
            Mistake([before, before], "the accuracy afterwards is that of the large model. Ask the small one."),
            Mistake([after, after], "the accuracy before is that of the small model."),
            Mistake([after, before], "before and after have changed places."),
        ],
    )


@exercise("TinyGPT.compress", points=1)
def test_compress_leaves_the_model_alone(tt, draw):
    """compress leaves the TinyGPT that it is made of as it was"""
    letters, _, pairs, _ = taught(draw)
    p = quiet(draw, 7, 8, 16)
    bot = bot_of(tt, letters, p)
    report = bot.compress(pairs)[1]
    same(report["bytes_before"], sum(array.nbytes for array in p.values()), what="bytes_before of the report")
    ids = draw.integers(0, 7, 2, 5)
    same(
        bot.model(tt.tensor(ids)),
        scores(p, ids),
        rtol=1e-3,
        atol=1e-3,
        what="bot.model(ids), after bot.compress(pairs)",
    )


# ---- TinyGPT.benchmark ------------------------------------------------------------------------------------


def scripted_clock(letters, question, count, repeats, warmup, durations, cached):
    """Samples by a clock that goes on by durations[n] in answer number n; and how many answers there were."""
    bot = tt.TinyGPT(tt.CharTokenizer(["<end>"]).train("".join(letters)), d_model=8, max_len=24)
    now, answers, read, forward, generate = [0.0], [0], [0], bot.model.tokens.forward, bot.generate

    def counted(ids):
        read[0] += ids.numel()
        return forward(ids)

    def answer(*args, **kwargs):
        text = generate(*args, **kwargs)
        now[0] += durations[answers[0] % len(durations)]
        answers[0] += 1
        return text

    bot.model.tokens.forward, bot.generate = counted, answer
    options = {"warmup": warmup, "repeats": repeats, "clock": lambda: now[0]}
    options |= {} if cached is None else {"cached": cached}
    speed = bot.benchmark(question, count, **options)
    return [float(x) for x in speed.samples], answers[0], read[0] / max(answers[0], 1)


@exercise("TinyGPT.benchmark", points=3)
def test_benchmark_counts_tokens_per_second(lab, draw):
    """benchmark gives the tokens per second of each answer"""
    letters, count, repeats = letters_of(draw, 5), int(draw.choice([3, 5, 6])), int(draw.choice([6, 7, 8]))
    question = word(draw, letters)
    pace = draw.choice([0.25, 0.5, 2.0])
    samples, _, _ = lab(scripted_clock, letters, question, count, repeats, 1, [pace], True)
    same(
        samples,
        [count / pace] * repeats,
        what=f"samples of bot.benchmark(question, {count}, repeats={repeats}), each answer {pace} seconds long",
        mistakes=[
            Mistake([pace / count] * repeats, PRODUCT),
            Mistake([pace] * repeats, "these are the seconds of an answer. How many tokens is that in one second?"),
            Mistake([1 / pace] * repeats, "these are answers per second. An answer has max_new_tokens tokens."),
        ],
    )


@exercise("TinyGPT.benchmark", points=2)
def test_benchmark_turns_each_sample_round(lab, draw):
    """benchmark turns every sample into a rate by itself"""
    letters, count = letters_of(draw, 5), int(draw.choice([3, 4, 5]))
    paces = [float(x) for x in draw.distinct(12) + 3]
    samples, answers, _ = lab(scripted_clock, letters, word(draw, letters), count, 6, 2, paces, True)
    last = paces[answers - 6 : answers]
    same([len(last), len(samples)], [6, 6], what="[answers timed, samples] with repeats=6")
    same(
        samples,
        [count / pace for pace in last],
        what=f"samples where the answers took {last} seconds and had {count} tokens",
        mistakes=[
            Mistake([count / float(np.mean(last))] * 6, "every sample is that of the mean time. Keep them apart."),
            Mistake([count / float(np.median(last))] * 6, "every sample is that of the median. Keep them apart."),
        ],
    )


@exercise("TinyGPT.benchmark", points=2)
def test_benchmark_times_what_was_asked_for(lab, draw):
    """benchmark times answers with the cache or, if asked to, without it, and warms up before"""
    letters, count, warmup = letters_of(draw, 5), int(draw.choice([5, 6])), int(draw.choice([3, 4]))
    question = word(draw, letters, 3, 5)
    asked = len(question)
    found = [lab(scripted_clock, letters, question, count, 6, warmup, [0.5], cached) for cached in (True, None, False)]
    once, again = float(asked + count - 1), float(sum(asked + n for n in range(count)))
    same(
        [float(read) for _, _, read in found],
        [once, once, again],
        what=f"ids read for each answer of {count} tokens to a question of {asked}: [cached=True, not said, False]",
    )
    enough = [[len(samples), answers >= 6 + warmup] for samples, answers, _ in found]
    same(enough, [[6, True]] * 3, what=f"[samples, warm-up and all] with repeats=6, warmup={warmup}")


# ---- TinyGPT.save and TinyGPT.load ------------------------------------------------------------------------


def in_a_folder(letters, p, ids, question, kind, small):
    """Save, load, and ask both: logits, ids and answers of both, and what lies in the folder."""
    import pathlib
    import tempfile

    longest, d = p["positions.weight"].shape
    text = "".join(letters)
    tokenizer = getattr(tt, kind)(["<end>"]).train(text, 260)
    bot = tt.TinyGPT(tokenizer, d_model=d, num_heads=1, num_layers=1, max_len=longest)
    if kind == "CharTokenizer":
        bot.model.load_state_dict(p)
    if small:
        bot, _ = bot.compress([[question, ""]])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bot.npz"
        size = [bot.save(path), path.stat().st_size]
        files = [file.name for file in pathlib.Path(folder).iterdir()]
        saved = {name: part for name, part in tt.load_checkpoint(path).items() if name in ("kind", "sizes", "bits")}
        tt.manual_seed(7)
        other = tt.TinyGPT.load(path)
    logits = [one.model(tt.tensor(ids)).data for one in (bot, other)]
    encoded = [list(one.tokenizer.encode(text)) for one in (bot, other)]
    modes = [bool(one.model.blocks[0].training) for one in (tt.TinyGPT(tokenizer), other)]
    answers = [one.generate(question, 6) for one in (bot, other)]
    return {"logits": logits, "encoded": encoded, "files": files, "saved": saved, "modes": modes, "answers": answers,
            "size": size, "bytes": [int(bot.nbytes), int(other.nbytes)]}  # fmt: skip


def sizes_of(p):
    """The sizes that go into the file."""
    longest, d = p["positions.weight"].shape
    return {"d_model": d, "num_heads": 1, "num_layers": 1, "max_len": longest}


@exercise("TinyGPT.save", points=2)
def test_save_writes_one_file_with_everything(lab, draw):
    """save writes one file that says what it is, how large the model is, and in how many bits"""
    letters, (d, longest) = letters_of(draw, 6), (int(draw.choice([8, 12])), int(draw.choice([16, 20])))
    p = quiet(draw, 7, d, longest)
    found = lab(in_a_folder, letters, p, draw.integers(0, 7, 1, 4), word(draw, letters), "CharTokenizer", small=False)
    same(found["files"], ["bot.npz"], what="the files in the folder")
    same(found["size"][0], found["size"][1], what="what save gives, compared with the size of the file")
    saved = found["saved"]
    same(
        [saved.get(n) for n in ("kind", "sizes", "bits")],
        ["TinyGPT", sizes_of(p), 32],
        what="kind, sizes and bits in it",
    )


@exercise("TinyGPT.load", points=3)
def test_load_gives_the_same_scores(lab, draw):
    """load gives a TinyGPT with the very numbers that were saved"""
    letters = letters_of(draw, 6)
    p, ids = quiet(draw, 7, 8, 16), draw.integers(0, 7, 2, 5)
    found = lab(in_a_folder, letters, p, ids, word(draw, letters), "CharTokenizer", small=False)
    for who, logits in zip(("saved", "loaded"), found["logits"], strict=True):
        same_array(logits, scores(p, ids), rtol=1e-3, atol=1e-3, what=f"logits of the one that was {who}")


@exercise("TinyGPT.load", points=2)
def test_load_answers_as_before(lab, draw):
    """load gives a TinyGPT that answers as before, and is ready to"""
    letters = letters_of(draw, 6)
    question, answer = word(draw, letters), word(draw, letters, 3, 5)
    said = [1] * (len(question) - 1) + ids_of(letters, answer) + [0, 1, 1, 1]
    found = lab(
        in_a_folder, letters, scripted(said, 7, 24), np.ones((1, 3), int), question, "CharTokenizer", small=False
    )
    same(found["answers"], [answer, answer], what=f"answers to {question!r} before and after")
    same(
        [len(found["files"]), *found["modes"]],
        [1, True, False],
        what="[files, training flag of a new TinyGPT, of a loaded one]",
    )


@exercise("TinyGPT.save", points=2)
def test_the_tokenizer_travels(lab, draw):
    """the tokenizer travels in the file, whichever it is"""
    letters = sorted(letters_of(draw, 6))
    p, ids = quiet(draw, 7, 8, 16), draw.integers(0, 7, 1, 3)
    text = "".join(letters)
    for kind, due in (("CharTokenizer", [1, 2, 3, 4, 5, 6]), ("BPETokenizer", [257, 258, 259])):  # three merges
        found = lab(in_a_folder, letters, p, ids, word(draw, letters), kind, small=False)
        same(found["size"][0], found["size"][1], what="what save gives, compared with the size of the file")
        same(found["encoded"], [due, due], what=f"ids of {text!r} before and after, with a {kind}")


@exercise("TinyGPT.load", points=2)
def test_load_brings_back_eight_bits(lab, draw):
    """load brings back a compressed TinyGPT as it was, in eight bits"""
    letters = letters_of(draw, 6)
    question, answer = word(draw, letters), word(draw, letters, 3, 5)
    said = [1] * (len(question) - 1) + ids_of(letters, answer) + [0, 1, 1, 1]
    found = lab(
        in_a_folder, letters, scripted(said, 7, 24), np.ones((1, 3), int), question, "CharTokenizer", small=True
    )
    before, after = found["bytes"]
    same([found["answers"], found["saved"].get("bits")], [[answer] * 2, 8], what="[answers before and after, bits]")
    same(after, before, what="bytes of the loaded one, compared with the saved one")
    same_array(found["logits"][1], found["logits"][0], what="its logits, compared with those before")


def refusals(letters, p, kinds, cut):
    """What load says to files that are none of its own, and to one that is: kinds of errors, texts, and logits."""
    import pathlib
    import tempfile

    longest, d = p["positions.weight"].shape
    bot = tt.TinyGPT(tt.CharTokenizer(["<end>"]).train("".join(letters)), d, 1, 1, longest)
    bot.model.load_state_dict(p)
    told = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bot.npz"
        for kind in kinds:
            bot.save(path)
            saved = tt.load_checkpoint(path)
            if kind == "a text":
                path.write_text("hello " * 50)
            elif kind == "truncated":
                data = path.read_bytes()
                path.write_bytes(data[: int(len(data) * cut)])
            elif kind == "another model":
                tt.save_checkpoint(path, model=tt.Linear(3, 2))
            elif kind == "a weight too few":
                saved["model"].pop("norm.bias")
                tt.save_checkpoint(path, **saved)
            elif kind == "another width":
                saved["model"]["head.weight"] = np.zeros((d + 1, len(letters) + 1))
                tt.save_checkpoint(path, **saved)
            try:
                other = tt.TinyGPT.load(path)
                told.append([kind, "loaded", True])
            except (ValueError, RuntimeError, KeyError, TypeError, OSError) as error:
                told.append([kind, type(error).__name__, "bot.npz" in str(error)])
        bot.save(path)
        other = tt.TinyGPT.load(path)
    return told, other.model(tt.tensor([[1, 2, 3]])).data


@exercise("TinyGPT.load", points=2)
def test_load_refuses_what_is_no_tiny_gpt(lab, draw):
    """load refuses files that hold something else, or not enough, with a ValueError that names the file"""
    letters, p = letters_of(draw, 6), quiet(draw, 7, 8, 16)
    every = ["a text", "truncated", "another model", "a weight too few", "another width", "its own"]
    kinds = [every[n] for n in draw.permutation(6)]
    told, logits = lab(refusals, letters, p, kinds, float(draw.choice([0.3, 0.5, 0.8])))
    due = [[kind, "loaded" if kind == "its own" else "ValueError", True] for kind in kinds]
    same(told, due, what="[file, what came of it, whether the file is named]")
    same_array(logits, scores(p, np.array([[1, 2, 3]])), rtol=1e-3, atol=1e-3, what="logits of a fair one, afterwards")


# ---- interval_of ------------------------------------------------------------------------------------------


def told_of(values, kind, count):
    """What interval_of makes of a measurement whose numbers are NumPy's, and the types of these."""

    class Given:
        median, samples = getattr(np, kind)(values[1]), np.zeros(count)

        def confidence_interval(self, level=0.5):
            return (getattr(np, kind)(values[0]), getattr(np, kind)(values[2] + 100 * (level != 0.95)))

    found = tt.interval_of(Given())
    return list(found), [type(value).__name__ for value in found.values()], [float(v) for v in found.values()]


@exercise("interval_of", points=2)
def test_interval_of_has_plain_numbers(lab, draw):
    """interval_of gives the median, its 95 % interval and the count, as plain numbers"""
    low, median, high = (float(x) for x in np.sort(draw.distinct(3)) + 4)
    count = int(draw.integers(6, 30))
    for kind in ("float32", "float64"):
        names, types, values = lab(told_of, [low, median, high], kind, count)
        same(names, ["median", "low", "high", "repeats"], what="the names that interval_of gives")
        same(
            values,
            [median, low, high, float(count)],
            what="their values",
            mistakes=[
                Mistake([median, low, high + 100, float(count)], "this is another level. 0.95 is asked for."),
                Mistake([median, high, low, float(count)], "low and high have changed places."),
            ],
        )
        same(types, ["float", "float", "float", "int"], what=f"their types, where the measurement has {kind}")


@exercise("interval_of", points=1)
def test_interval_of_measures_itself(tt, draw):
    """interval_of takes its numbers from the samples"""
    samples = [float(x) for x in draw.distinct(9) + 4]
    got = tt.interval_of(tt.Measurement(samples))
    ordered = sorted(samples)
    same([got["median"], got["repeats"]], [ordered[4], 9], what=f"[median, repeats] of {samples}")
    same([got["low"], got["high"]], [ordered[1], ordered[7]], what="[low, high] of them, by nine tossed coins")


@exercise("interval_of", points=1)
def test_interval_of_refuses_what_json_cannot_hold(lab, draw):
    """interval_of refuses nan and inf, and says which of the numbers it is"""
    places = [int(n) for n in draw.permutation(3)]
    values = [float(x) for x in np.sort(draw.distinct(3)) + 4]
    bad = [draw.choice([math.inf, math.nan]) for _ in places]
    told = lab(refused, values, places, bad)
    names = ("low", "median", "high")
    due = [["ValueError", True] if place < 3 else ["", False] for place in places]
    same([[kind, names[n] in text and str(b) in text] for (kind, text), n, b in zip(told, places, bad, strict=True)],
         due, what=f"[error, whether it names number and value] for {[names[n] for n in places]} = {bad}")  # fmt: skip
    same(lab(told_of, values, "float64", 6)[2], [values[1], values[0], values[2], 6.0], what="of fair numbers")


def refused(values, places, bad):
    """The errors of interval_of where one number is no number."""
    told = []
    for place, value in zip(places, bad, strict=True):
        given = [*values]
        given[place] = value

        class Given:
            median, samples, both = given[1], np.zeros(8), (given[0], given[2])

            def confidence_interval(self, level=0.95):
                return self.both

        try:
            tt.interval_of(Given())
            told.append(["", ""])
        except (ValueError, TypeError) as error:
            told.append([type(error).__name__, str(error)])
    return told


# ---- require_ratio, require_metrics, OlympicsEntry.validate -------------------------------------------------


def verdicts(function, things):
    """What a function says to each of several things: nothing, or its error."""
    check = tt.OlympicsEntry.validate if function == "validate" else getattr(tt, function)
    told = []
    for thing in things:
        try:
            gains = check(*thing) if function == "require_ratio" else check(thing)
            told.append(["", "", gains])
        except (ValueError, TypeError, KeyError, ZeroDivisionError, OverflowError, AttributeError) as error:
            told.append([type(error).__name__, str(error), None])
    return told


def follows(thing):
    """The gains that follow from a thing's numbers."""
    if isinstance(thing, list):
        return thing[2] / thing[3]
    m = thing.get("metrics", thing)
    return [m["seconds_before"]["median"] / m["seconds_after"]["median"], m["bytes_before"] / m["bytes_after"]]


def shuffled(draw, fair, bad):
    """Cases (name, thing, texts) in random order: fair things, and bad ones with what the sentence must hold."""
    cases = [(name, thing, None) for name, thing in fair] + list(bad)
    return [cases[n] for n in draw.permutation(len(cases))]


def things(cases):
    """What is to be judged."""
    return [thing for _, thing, _ in cases]


def heard(cases, told):
    """What came and what is due, as lists: of the first case where they differ, or of all."""
    both = []
    for (name, thing, texts), (kind, text, gains) in zip(cases, told, strict=True):
        got, due = [name, kind], [name, "" if texts is None else "ValueError"]
        if texts is None and got == due:
            got, due = [name, gains], [name, follows(thing)]
        if texts is not None and got == due:
            got, due = [name, *(each for each in texts if each in text)], [name, *texts]
        if got != due:
            return got, due
        both.append(due)
    return both, both


def not_checked():
    """What lets through which of the cases."""
    return [
        Mistake(
            ["two gains multiplied", ""], "gains that were measured apart do not multiply. Compare with before / after."
        ),
        Mistake(["speedup times smaller", ""], "the gain is taken as it is claimed. It has to follow: before / after."),
        Mistake(["smaller, forged", ""], "only the speed-up is worked out again. The bytes make a gain, too."),
        Mistake(["ten times as fast", ""], "the metrics of an entry are not looked into: require_metrics."),
        Mistake(["unknown event", ""], "any event passes. EVENTS are all there are."),
        Mistake(
            ["two per cent too little", ""], "a gain that is too small passes. It follows no more than one too large."
        ),
        Mistake(
            ["the other way round", ""], "after / before passes as a gain. Ten times faster is before / after = 10."
        ),
        Mistake(["rounded", "ValueError"], "a gain that was rounded is refused. One per cent is allowed."),
        Mistake(["better", "ValueError"], "an entry that gained accuracy is refused."),
        Mistake(["two points", "ValueError"], "a loss of exactly LOST is allowed, and a rounding of 1e-9 with it."),
        Mistake(["a true seed", ""], "True is taken for a seed: a bool is no number here. require_number knows."),
        Mistake(["a later schema", ""], "a later schema passes. What its fields mean, nobody here knows."),
    ]


def shown(value):
    """A number as a sentence may hold it."""
    return f"{value:.4g}"


@exercise("require_ratio", points=2)
def test_require_ratio_refuses_what_does_not_follow(lab, draw):
    """require_ratio refuses a gain that does not follow from before and after"""
    before, after = float(draw.choice([6, 7, 9])), float(draw.choice([0.25, 0.5, 2]))
    gain = before / after
    fair = [("exact", ["speedup", gain, before, after]), ("rounded", ["smaller", gain * 1.004, before, after])]
    bad = [
        ("two gains multiplied", ["speedup", gain * 4, before, after], ["speedup", str(gain * 4)]),
        ("the other way round", ["smaller", after / before, before, after], ["smaller", shown(gain)]),
        ("two per cent too much", ["speedup", gain * 1.02, before, after], ["speedup", shown(gain)]),
        ("two per cent too little", ["speedup", gain * 0.98, before, after], ["speedup", shown(gain)]),
        ("a difference", ["speedup", before - after, before, after], ["speedup", shown(gain)]),
        ("nothing", ["speedup", 0.0, before, after], ["speedup", shown(gain)]),
    ]
    cases = shuffled(draw, fair, bad)
    got, due = heard(cases, lab(verdicts, "require_ratio", things(cases)))
    same(
        got, due, what=f"[case, error] of require_ratio with {before} before and {after} after", mistakes=not_checked()
    )


@exercise("require_ratio", points=1)
def test_require_ratio_takes_what_follows(lab, draw):
    """require_ratio takes every gain that follows, also one below 1"""
    pairs = [(float(a), float(b)) for a, b in draw.positive(5, 2)]
    fair = [(f"{a} / {b}", ["speedup", a / b, a, b]) for a, b in pairs]
    bad = [(f"3 * {a} / {b}", ["speedup", 3 * a / b, a, b], [shown(a / b)]) for a, b in pairs]
    cases = shuffled(draw, fair, bad)
    got, due = heard(cases, lab(verdicts, "require_ratio", things(cases)))
    same(got, due, what="[case, error] of require_ratio", mistakes=not_checked())


def timed(draw, median):
    """A time as an entry has it."""
    return {"median": median, "low": median * 0.75, "high": median * 1.5, "repeats": int(draw.integers(6, 30))}


def metrics_of(draw):
    """Metrics that somebody may have measured: from 4 times as fast, and less than 3.5 times smaller."""
    before, after = float(draw.choice([2, 3, 5])), float(draw.choice([0.125, 0.25, 0.5]))
    least = int(draw.integers(1000, 3000))
    most = int(draw.integers(5 * least // 2, 7 * least // 2))
    return {
        "seconds_before": timed(draw, before),
        "seconds_after": timed(draw, after),
        "speedup": before / after,
        "bytes_before": most,
        "bytes_after": least,
        "smaller": most / least,
        "accuracy_before": 0.875,
        "accuracy_after": 0.8625,
    }


@exercise("require_metrics", points=3)
def test_require_metrics_refuses_forged_gains(lab, draw):
    """metrics whose gains do not follow from times and bytes are refused"""
    fair = metrics_of(draw)
    fast, small = fair["speedup"], fair["smaller"]
    wider = {**fair, "seconds_after": {**fair["seconds_after"], "median": fair["seconds_after"]["median"] * 1.25}}
    bad = [
        ("speedup times smaller", {**fair, "speedup": fast * small}, ["speedup", shown(fast)]),
        ("smaller, forged", {**fair, "smaller": small * 2}, ["smaller", shown(small)]),
        ("speedup of another time", wider, ["speedup", shown(fast / 1.25)]),
        ("gains exchanged", {**fair, "speedup": small, "smaller": fast}, ["speedup"]),
        ("a speedup in words", {**fair, "speedup": "ten"}, ["speedup", "ten"]),
    ]
    cases = shuffled(draw, [("fair", fair)], bad)
    got, due = heard(cases, lab(verdicts, "require_metrics", things(cases)))
    same(got, due, what="[case, error] of require_metrics", mistakes=not_checked())


@exercise("require_metrics", points=2)
def test_require_metrics_refuses_impossible_numbers(lab, draw):
    """metrics with bytes, accuracies or intervals that cannot be are refused; odd ones that can be are not"""
    fair = metrics_of(draw)
    after, size = fair["seconds_after"], fair["bytes_after"]
    bad = [
        ("negative bytes", {**fair, "bytes_after": -size, "smaller": -fair["smaller"]}, ["bytes_after", str(-size)]),
        ("half bytes", {**fair, "bytes_before": fair["bytes_before"] + 0.5}, ["bytes_before"]),
        ("no bytes", {**fair, "bytes_after": 0}, ["bytes_after", "0"]),
        ("true bytes", {**fair, "bytes_before": True}, ["bytes_before", "True"]),
        ("accuracy above 1", {**fair, "accuracy_after": 1.5}, ["accuracy_after", "1.5"]),
        ("accuracy below 0", {**fair, "accuracy_before": -0.5}, ["accuracy_before", "-0.5"]),
        ("accuracy nan", {**fair, "accuracy_after": math.nan}, ["accuracy_after", "nan"]),
        ("median outside", {**fair, "seconds_after": {**after, "low": after["high"]}}, ["seconds_after"]),
        ("one time only", {**fair, "seconds_before": 2.0}, ["seconds_before", "2.0"]),
        ("endless", {**fair, "seconds_before": {**after, "high": math.inf}}, ["seconds_before", "inf"]),
    ]
    odd = [
        ("one byte", {**fair, "bytes_after": 1, "smaller": float(fair["bytes_before"])}),
        ("slower", {**fair, "seconds_before": timed(draw, after["median"] / 2), "speedup": 0.5}),
    ]
    cases = shuffled(draw, [("fair", fair), *odd], bad)
    got, due = heard(cases, lab(verdicts, "require_metrics", things(cases)))
    same(got, due, what="[case, error] of require_metrics", mistakes=not_checked())


@exercise("require_metrics", points=2)
def test_require_metrics_refuses_other_fields(lab, draw):
    """metrics that lack a field or have one too many are refused, and the field is named"""
    fair = metrics_of(draw)
    lost = [draw.choice(list(fair)) for _ in range(3)]
    bad = [(f"without {name}", {k: v for k, v in fair.items() if k != name}, [name]) for name in lost]
    bad += [("with medals", {**fair, "medals": 3}, ["medals"]), ("a list", list(fair.values())[:2], ["metrics"])]
    cases = shuffled(draw, [("fair", fair)], bad)
    got, due = heard(cases, lab(verdicts, "require_metrics", things(cases)))
    same(got, due, what="[case, error] of require_metrics", mistakes=not_checked())


@exercise("require_metrics", points=2)
def test_require_metrics_limits_what_is_lost(lab, draw):
    """metrics that lost more than two points of accuracy are refused; two points, and any gain, are not"""
    fair = metrics_of(draw)
    before = float(draw.choice([0.5, 0.75, 0.875]))
    cases = [("two points", before - 0.02), ("the same", before), ("better", 1.0)]
    passed = [(name, {**fair, "accuracy_before": before, "accuracy_after": after}) for name, after in cases]
    bad = [
        (f"{lost} lost", {**fair, "accuracy_before": before, "accuracy_after": before - lost}, [str(before)])
        for lost in (0.03125, 0.25, before)
    ]
    cases = shuffled(draw, passed, bad)
    got, due = heard(cases, lab(verdicts, "require_metrics", things(cases)))
    same(got, due, what=f"[case, error] of require_metrics with accuracy_before {before}", mistakes=not_checked())


def entry_of(draw):
    """An entry as it may stand in a file."""
    return {
        "schema": 1,
        "name": word(draw, letters_of(draw, 8), 3, 9),
        "event": draw.choice(["latency", "memory", "accuracy", "extreme"]),
        "seed": int(draw.integers(0, 1000)),
        "versions": {"python": "3.12.1", "numpy": "2.1.0"},
        "metrics": metrics_of(draw),
    }


@exercise("OlympicsEntry.validate", points=2)
def test_validate_takes_fair_entries(lab, draw):
    """validate takes entries of all four events, and none of a fifth"""
    fair = [(event, {**entry_of(draw), "event": event}) for event in ("latency", "memory", "accuracy", "extreme")]
    fair += [("seed 0", {**entry_of(draw), "seed": 0})]
    bad = [
        ("unknown event", {**entry_of(draw), "event": "luck"}, ["event", "luck"]),
        ("a list of events", {**entry_of(draw), "event": ["latency"]}, ["event"]),
        ("no event", {**entry_of(draw), "event": ""}, ["event"]),
        ("a shouted event", {**entry_of(draw), "event": "LATENCY"}, ["event", "LATENCY"]),
    ]
    cases = shuffled(draw, fair, bad)
    got, due = heard(cases, lab(verdicts, "validate", things(cases)))
    same(got, due, what="[case, error] of OlympicsEntry.validate", mistakes=not_checked())


@exercise("OlympicsEntry.validate", points=2)
def test_validate_refuses_other_fields(lab, draw):
    """validate refuses entries that lack a field or have one too many, and names it"""
    fair = entry_of(draw)
    bad = [(f"without {name}", {k: v for k, v in fair.items() if k != name}, [name]) for name in fair]
    bad += [
        ("with a score", {**fair, "score": 9}, ["score"]),
        ("no dict", [1, 2], ["[1, 2]"]),
        ("nothing", None, ["None"]),
        ("versions without numpy", {**fair, "versions": {"python": "3.12.1"}}, ["numpy"]),
        ("metrics without bytes", {**fair, "metrics": {"speedup": 2}}, ["bytes_before"]),
    ]
    cases = shuffled(draw, [("fair", fair)], bad)
    got, due = heard(cases, lab(verdicts, "validate", things(cases)))
    same(got, due, what="[case, error] of OlympicsEntry.validate", mistakes=not_checked())


@exercise("OlympicsEntry.validate", points=2)
def test_validate_refuses_wrong_values(lab, draw):
    """validate refuses names, seeds and schemas that are none, with their values"""
    fair, later = entry_of(draw), int(draw.integers(2, 9))
    bad = [
        ("a later schema", {**fair, "schema": later}, [str(later), "1"]),
        ("a schema in words", {**fair, "schema": "1"}, ["schema"]),
        ("a true schema", {**fair, "schema": True}, ["True"]),
        ("a blank name", {**fair, "name": "  "}, ["name"]),
        ("a number for a name", {**fair, "name": 7}, ["name", "7"]),
        ("a long name", {**fair, "name": "x" * 81}, ["name", "80"]),
        ("a negative seed", {**fair, "seed": -3}, ["seed", "-3"]),
        ("half a seed", {**fair, "seed": 0.5}, ["seed", "0.5"]),
        ("a true seed", {**fair, "seed": True}, ["seed", "True"]),
        ("versions in words", {**fair, "versions": "3.12"}, ["versions", "3.12"]),
    ]
    cases = shuffled(draw, [("fair", fair), ("long", {**fair, "name": "x" * 80})], bad)
    got, due = heard(cases, lab(verdicts, "validate", things(cases)))
    same(got, due, what="[case, error] of OlympicsEntry.validate", mistakes=not_checked())


@exercise("OlympicsEntry.validate", points=2)
def test_validate_refuses_forged_metrics(lab, draw):
    """validate looks into the metrics: forged gains are refused in an entry, too"""
    fair = entry_of(draw)
    metrics = fair["metrics"]
    fast, size = metrics["speedup"], metrics["bytes_after"]
    bad = [
        ("ten times as fast", {**fair, "metrics": {**metrics, "speedup": fast * 10}}, ["speedup", shown(fast)]),
        ("negative bytes", {**fair, "metrics": {**metrics, "bytes_after": -size}}, ["bytes_after", str(-size)]),
        ("nothing right", {**fair, "metrics": {**metrics, "accuracy_after": 0.0}}, ["0.875", "0.0"]),
    ]
    cases = shuffled(draw, [("fair", fair)], bad)
    got, due = heard(cases, lab(verdicts, "validate", things(cases)))
    same(got, due, what="[case, error] of OlympicsEntry.validate", mistakes=not_checked())
