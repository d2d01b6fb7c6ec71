"""2024: small, fast, and measured.

By 2024 the networks of the earlier milestones run on telephones. Nobody had made them better; they had been made to
fit: numbers of eight bits (B. Jacob and others, 2018), units taken out that nobody misses (H. Li and others, 2017),
keys and values kept (every server of a language model), loops handed to the processor as one product of matrices.
Three of your models enter. 1986's MLP has to become small, 1998's CNN fast against the six loops that you wrote first,
and 2017's GPT quick to answer, against generation without a cache. None of them may lose more than two points.

The times are taken here, around single calls, each with another question, and the answers that count are those that
were given while the clock ran. Bytes are those of the arrays that travel, and the judge reads the digits with them.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from pytest_tinytorch import lab

INK, END = 16, "<end>"
BEFORE, AFTER = "before", "after"
LOOPED = 24  # digits that are read by loops, too
TALKS, LONGEST = 32, 16  # pairs to learn, with answers of at most so many characters
EPOCHS = {"1986": 30, "1998": 8, "2017": 60}
AT_LEAST = {"1986": 0.88, "1998": 0.80, "2017": 0.90}  # right before anything was taken away
LOST, SMALLER, FASTER, LATENCY = 0.02, 4.0, 10.0, 0.100
LEVEL, RESAMPLES = 0.95, 2_000


# ---- what there is to learn ----------------------------------------------------------------------------------


def problems(rng):
    """1,000 small digits to learn and 200 to read; 32 questions with short answers to learn by heart."""
    digits, order = lab.tiny_digits(), rng.permutation(200)
    talks = [t for t in lab.tiny_talks() if t.split == "train" and len(t.question) <= 2 * LONGEST >= 2 * len(t.answer)]
    chosen = [talks[n] for n in rng.permutation(len(talks))[:TALKS]]
    asked, said = lab.codes([talk.question for talk in chosen]), lab.codes([talk.answer for talk in chosen])
    return {
        "TinyDigits": lab.Problem(
            inputs=digits.train_images,
            labels=digits.train_labels,
            questions=digits.test_images[order],
            answers=digits.test_labels[order],
        ),
        "TinyTalks": lab.Problem(inputs=asked, labels=said, questions=asked, answers=said),
    }


# ---- three models, before and after -----------------------------------------------------------------------------


def run(tt, problems, seed, show):
    """Train each model, make it small or fast, and let both answer. `tt` is your package."""
    answers = {}
    for year, enter in {"1986": shrink, "1998": speed_up, "2017": hurry}.items():
        show(f"the model of {year} learns")
        tt.manual_seed(seed)
        answers |= enter(tt, problems["TinyTalks" if year == "2017" else "TinyDigits"], seed, show)
    return answers


def fit(tt, net, task, epochs, lr=3e-3):
    """Learn the digits."""
    pictures = tt.tensor(task["inputs"][:, None].astype(np.float32) / INK)  # (1000, 1, 8, 8)
    digits = tt.TensorDataset(pictures, tt.tensor(task["labels"]))
    trainer = tt.Trainer(net, tt.Adam(net.parameters(), lr=lr), tt.CrossEntropyLoss())
    trainer.fit(tt.DataLoader(digits, batch_size=64, shuffle=True), epochs=epochs)
    net.eval()


def shrink(tt, task, seed, show):
    """1986: half of the hidden units go, the others learn on, and eight bits are left of each weight."""
    pixels = task["inputs"].reshape(-1, 64).astype(np.float32) / INK
    layers = [tt.Linear(64, 128), tt.ReLU(), tt.Linear(128, 64), tt.ReLU(), tt.Linear(64, 10)]
    net = tt.Sequential(*layers)
    fit(tt, flat(tt, net), task, EPOCHS["1986"])
    half = tt.structured_prune(net, 0.5)
    fit(tt, flat(tt, half), task, EPOCHS["1986"] // 3, lr=1e-3)
    small = tt.quantize_model(half, tt.tensor(pixels[:256]))
    return {f"1986, {BEFORE}": arrays_of(net), f"1986, {AFTER}": arrays_of(small)}


def flat(tt, net):
    """The same network for pictures."""
    return tt.Sequential(tt.Flatten(), net)


def arrays_of(net):
    """What has to be sent so that somebody else can read digits: for each layer its weight, scale and bias."""
    sent = []
    for layer in list(net)[::2]:
        if hasattr(layer, "weight_values"):
            numbers = (layer.weight_values, layer.weight_scale, layer.bias)
        else:
            numbers = (layer.weight, layer.bias)
        sent.append([np.array(tensor.detach().numpy()) for tensor in numbers])
    return sent


def speed_up(tt, task, seed, show):
    """1998: the same network with the loops of module 09 and with the product of matrices that took their place."""
    layers = []
    for before, after in ((1, 16), (16, 32)):
        layers += [tt.Conv2d(before, after, 3, padding=1), tt.MaxPool2d(2), tt.BatchNorm2d(after), tt.ReLU()]
    net = tt.Sequential(*layers, tt.Flatten(), tt.Linear(128, 10))
    fit(tt, net, task, EPOCHS["1998"])
    pictures = task["questions"][:, None, None].astype(np.float32) / INK  # (200, 1, 1, 8, 8)

    def look(picture):
        return int(net(tt.tensor(picture)).argmax(dim=1).numpy()[0])

    with tt.no_grad():
        after = timed(look, pictures, show, "1998, fast")
        for layer in list(net)[:8:4]:
            layer.forward = looped(tt, layer)
        before = timed(look, pictures[:LOOPED], show, "1998, with loops")
    return named("1998", before, after)


def looped(tt, layer):
    """A convolution as it was written first."""
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    return lambda x: tt.tensor(tt.conv2d_loops(x.numpy(), weight, bias, stride=1, padding=1))


def hurry(tt, task, seed, show):
    """2017: answers without a cache, and with one in eight bits."""
    asked, said = lab.texts(task["inputs"]), lab.texts(task["labels"])
    pairs = list(zip(asked, said, strict=True))
    tokenizer = tt.CharTokenizer([END]).train([*asked, *said])
    bot = tt.TinyGPT(tokenizer, d_model=48, num_heads=4, num_layers=2, max_len=3 * LONGEST + 2)
    bot.train(pairs, epochs=EPOCHS["2017"], batch_size=8, lr=3e-3, seed=seed)
    small, _ = bot.compress(pairs)
    questions = lab.texts(task["questions"])
    before = timed(lambda q: bot.generate(q, LONGEST + 1, cached=False), questions, show, "2017, without a cache")
    after = timed(lambda q: small.generate(q, LONGEST + 1), questions, show, "2017, with a cache")
    return named("2017", *((seconds, lab.codes(texts)) for seconds, texts in (before, after)))


def named(year, before, after):
    """Seconds and answers, by name."""
    both = {BEFORE: before, AFTER: after}
    return {
        f"{year}, {what}, {when}": pair[n] for when, pair in both.items() for n, what in enumerate(("seconds", "said"))
    }


def timed(answer, questions, show, told):
    """The seconds that each question took, and what was answered meanwhile; two questions come first, to warm up."""
    seconds, said = [], []
    for question in questions[:2]:
        answer(question)
    for n, question in enumerate(questions):
        start = perf_counter()
        one = answer(question)
        seconds.append(perf_counter() - start)
        said.append(one)
        show(f"{told}, {n + 1} of {len(questions)}")
    return np.array(seconds), said if isinstance(said[0], str) else np.array(said)


# ---- what was reached -----------------------------------------------------------------------------------------


def claims(problems, answers):
    """Three models, each smaller or faster, and each as good as before."""
    yield from small_claims(problems["TinyDigits"], answers)
    yield from fast_claims(problems["TinyDigits"], answers)
    yield from quick_claims(problems["TinyTalks"], answers)


def small_claims(task, answers):
    """The judge weighs the arrays that travelled, and reads the digits with them."""
    sent = [layers(answers.get(f"1986, {when}")) for when in (BEFORE, AFTER)]
    most, least = (sum(array.nbytes for layer in each for array in layer) for each in sent)
    ratio = most / least if least else 0.0
    yield lab.Claim(
        what="1986: arrays of half the units, in eight bits",
        required=f"at least {SMALLER:g}× smaller",
        reached=f"{ratio:.1f}× ({most:,} to {least:,} bytes)",
        holds=ratio >= SMALLER,
    )
    yield as_good(
        "1986: digits read with these arrays", "1986", *(lab.accuracy(read(each, task), task.answers) for each in sent)
    )


def layers(sent):
    """Three layers as they must be, weight (in, out), perhaps a scale (1, out), bias (out,); none of anything else."""
    if type(sent) is not list or len(sent) != 3:
        return []
    inputs = 64
    for layer in sent:
        if type(layer) is not list or len(layer) not in (2, 3) or any(type(a) is not np.ndarray for a in layer):
            return []
        weight, *scale, bias = layer
        if weight.ndim != 2 or weight.shape[0] != inputs or bias.shape != weight.shape[1:] or not weight.size:
            return []
        kinds = "i" if scale else "f"
        if weight.dtype.kind != kinds or bias.dtype.kind != "f" or any(s.shape != (1, bias.size) for s in scale):
            return []
        inputs = bias.size
    return sent if inputs == 10 else []


def read(sent, task):
    """The digits, read in NumPy."""
    x = task.questions.reshape(len(task.questions), 64) / INK
    for n, (weight, *scale, bias) in enumerate(sent):
        x = (np.maximum(x, 0) if n else x) @ (weight * np.float64(scale[0] if scale else 1)) + bias
    return x.argmax(axis=1) if sent else None


def fast_claims(task, answers):
    """One digit after the other, with loops and without."""
    before, after = (times(answers.get(f"1998, seconds, {w}"), n) for w, n in ((BEFORE, LOOPED), (AFTER, 200)))
    gain, low, high = speedup(before, after)
    yield lab.Claim(
        what="1998: one digit, against your six loops",
        required=f"at least {FASTER:g}× faster",
        reached=f"{gain:.0f}× [{low:.0f}, {high:.0f}]",
        holds=bool(low >= FASTER),
    )
    same = [lab.accuracy(cut(answers.get(f"1998, said, {w}")), task.answers[:LOOPED]) for w in (BEFORE, AFTER)]
    every = lab.accuracy(answers.get(f"1998, said, {AFTER}"), task.answers)
    good = as_good(f"1998: the same {LOOPED} digits, then all 200", "1998", *same)
    holds = good.holds and every >= AT_LEAST["1998"]
    yield lab.Claim(
        what=good.what, required=good.required, reached=f"{good.reached}, {lab.percent(every)}", holds=holds
    )


def cut(said):
    """The answers to the digits that were read by loops, too."""
    return said[:LOOPED] if type(said) is np.ndarray else said


def quick_claims(task, answers):
    """One answer after the other."""
    before, after = (times(answers.get(f"2017, seconds, {w}"), TALKS) for w in (BEFORE, AFTER))
    low, high = interval(after)
    gain, *between = speedup(before, after)
    yield lab.Claim(
        what="2017: one answer, in eight bits, from a cache",
        required=f"below {1000 * LATENCY:.0f} ms",
        reached=f"{1000 * np.median(after):.1f} ms [{1000 * low:.1f}, {1000 * high:.1f}]; "
        f"{gain:.1f}× [{between[0]:.1f}, {between[1]:.1f}] against no cache",
        holds=bool(high < LATENCY and gain > 0),
    )
    right = [lab.exact(texts(answers.get(f"2017, said, {w}")), task.answers) for w in (BEFORE, AFTER)]
    yield as_good(f"2017: {TALKS} questions answered", "2017", *right)


def texts(said):
    """Answers as an array, whatever came."""
    return said if type(said) is np.ndarray and said.ndim == 2 else np.zeros((0, 0), int)


def as_good(what, year, before, after):
    """A claim to have learnt something, and to have lost at most two points of it."""
    return lab.Claim(
        what=what,
        required=f"at least {lab.percent(AT_LEAST[year])}, and then within two points",
        reached=f"{lab.percent(before)} before, {lab.percent(after)} after",
        holds=before >= AT_LEAST[year] and after >= before - LOST - 1e-9,
    )


# ---- intervals ------------------------------------------------------------------------------------------------


def times(seconds, count):
    """So many seconds above 0; a time without end, where something else came."""
    good = type(seconds) is np.ndarray and seconds.shape == (count,) and seconds.dtype.kind == "f"
    return seconds if good and np.isfinite(seconds).all() and (seconds > 0).all() else np.array([np.inf])


def medians(seconds, rng):
    """The medians that other days might have had: samples drawn from the samples."""
    return np.median(rng.choice(seconds, (RESAMPLES, len(seconds))), axis=1)


def interval(seconds):
    """Between which two numbers the median lies."""
    return between(medians(seconds, np.random.default_rng(0)))


def between(values):
    """What is left when the outer ones are cut off on both sides."""
    values, out = np.sort(values), int((1 - LEVEL) / 2 * len(values))
    return values[out], values[len(values) - 1 - out]


def speedup(before, after):
    """How many times faster, and between which two numbers that lies; nothing, without two times."""
    if not np.isfinite(before[0]) or not np.isfinite(after[0]):
        return 0.0, 0.0, 0.0
    rng = np.random.default_rng(0)
    return np.median(before) / np.median(after), *between(medians(before, rng) / medians(after, rng))


def exhibits(problems, answers):
    """How long everything took, and what the small one says."""
    task = problems["TinyTalks"]
    said = lab.texts(texts(answers.get(f"2017, said, {AFTER}")))
    if len(said) == TALKS:
        asked = lab.texts(task.questions)
        yield from lab.passage("What the small one says", "\n".join(f"> {asked[n]}\n  {said[n]}" for n in range(5)))


if __name__ == "__main__":
    lab.main(__file__)
