"""2024: small, fast, and measured.

By 2024 the networks of the earlier milestones run on telephones. Nobody had made them better; they had been made to
fit: numbers of eight bits (B. Jacob and others, 2018), units taken out that nobody misses (H. Li and others, 2017),
keys and values kept (every server of a language model), loops handed to the processor as one product of matrices.
Three of your models enter. 1986's MLP has to become small, 1998's CNN fast against the six loops that you wrote first,
and 2017's GPT quick to answer, against generation without a cache. None of them may lose more than two points.

The times are taken here, around single calls, each with another question, and the answers that count are those that
were given while the clock ran. Bytes are those of the arrays that travel, and the judge reads the digits with them.

With --full the capstone runs: your TinyGPT learns all of TinyTalks. A cache makes it quick, eight bits make it small,
and for the extreme push a network of a fraction of its size learns its answers (Y. Kim, A. Rush, 2016) and gets both.
The judge lets the arrays that travelled answer every question by itself. Who reaches it has entries in `olympics/`.
"""

from __future__ import annotations

from contextlib import nullcontext
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

HEADS, LONG = 4, 80  # of the capstone: heads, and characters that one answer may have; all of them are computed
FULL = {"width": 128, "blocks": 3, "epochs": 10, "small width": 48, "small blocks": 1, "small epochs": 16, "timed": 16}
LR = 0.15  # divided by the width
PLAIN, CACHED, EIGHT, EXTREME = "without a cache", "with a cache", "in eight bits", "extreme push"
NETS = {PLAIN: "large", CACHED: "large", EIGHT: "in eight bits", EXTREME: "small"}  # whose arrays answer so
SIZES = {PLAIN: "", CACHED: "", EIGHT: "", EXTREME: "small "}  # which of the sizes it has
TAUGHT, FULL_FASTER, FULL_SMALLER = 0.90, 3.0, 3.0
PUSHED_FASTER, PUSHED_SMALLER = 3.0, 10.0
AGREED = 0.75  # of the answers given while the clock ran: so many must be those that the arrays give


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


def full_problems(rng, data):
    """280 questions to learn by heart, and 70 others, which nobody is taught: with these the clock runs."""
    talks = lab.tiny_talks()
    taught, others = ([talk for talk in talks if (talk.split == "train") is wanted] for wanted in (True, False))
    asked = taught + [others[n] for n in rng.permutation(len(others))]
    return {
        "capstone": lab.Problem(
            inputs=lab.codes([talk.question for talk in taught]),
            labels=lab.codes([talk.answer for talk in taught]),
            questions=lab.codes([talk.question for talk in asked]),
            answers=lab.codes([talk.answer for talk in asked]),
            sizes={**FULL, "longest": max(len(talk.question) for talk in talks)},
        )
    }


# ---- three models, before and after -----------------------------------------------------------------------------


def run(tt, problems, seed, show):
    """Train each model, make it small or fast, and let both answer. `tt` is your package."""
    if "capstone" in problems:
        return ship(tt, problems["capstone"], seed, show)
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


def timed(answer, questions, show, told, warm=()):
    """The seconds that each question took, and what was answered meanwhile; two questions come first, to warm up."""
    seconds, said = [], []
    for question in (*warm, *questions)[:2]:
        answer(question)
    for n, question in enumerate(questions):
        with lab.untraced():
            start = perf_counter()
            one = answer(question)
            seconds.append(perf_counter() - start)
        said.append(one)
        show(f"{told}, {n + 1} of {len(questions)}")
    return np.array(seconds), said if isinstance(said[0], str) else np.array(said)


# ---- the capstone ---------------------------------------------------------------------------------------------


def ship(tt, task, seed, show):
    """One GPT learns all talks; it is made quick, small, and both at once in a small one that learnt from it."""
    asked, said, questions = (lab.texts(task[part]) for part in ("inputs", "labels", "questions"))
    tokenizer = tt.CharTokenizer([END]).train([*asked, *said, *questions])
    pairs = list(zip(asked, said, strict=True))
    with lab.untraced():  # the small one runs the same lines
        large = taught(tt, tokenizer, pairs, task, "", seed, show)
        show("in eight bits")
        eight, _ = large.compress(pairs)
        show("the small one asks the large one")
        told = [(question, large.generate(question, len(answer) + 2)) for question, answer in pairs]
    little = taught(tt, tokenizer, told, task, "small ", seed, show)
    show("in eight bits, too")
    small, _ = little.compress(told)
    letters = sorted(set("".join([*asked, *said, *questions])))
    answers = {
        "letters": np.array([tokenizer.encode(letter)[0] for letter in letters]),
        "end": int(tokenizer.special_ids[END]),
    }
    new, count = questions[len(asked) :], task["timed"]
    for n, (name, bot) in enumerate({PLAIN: large, CACHED: large, EIGHT: eight, EXTREME: small}.items()):
        answers[NETS[name]] = numbers(bot.model)
        seconds, texts = timed(
            lambda question, bot=bot, cached=name != PLAIN: bot.generate(question, LONG, cached=cached),
            new[n * count : (n + 1) * count],  # nobody has asked them before
            show,
            name,
            warm=new[-2:],
        )
        answers |= {f"{name}, seconds": seconds, f"{name}, said": lab.codes(texts)}
    return answers


def taught(tt, tokenizer, pairs, task, size, seed, show):
    """A TinyGPT that has learnt the pairs, in four parts with long steps and one with short ones."""
    tt.manual_seed(seed)
    sizes = {"d_model": task[f"{size}width"], "num_layers": task[f"{size}blocks"], "num_heads": HEADS}
    bot = tt.TinyGPT(tokenizer, **sizes, max_len=task["longest"] + LONG)
    lr = LR / task[f"{size}width"]
    for n, step in enumerate((lr, lr, lr, lr, lr / 3)):
        show(f"the {size or 'large '}one learns, part {n + 1} of 5", n / 5)
        with lab.untraced() if n else nullcontext():
            bot.train(pairs, epochs=task[f"{size}epochs"], batch_size=8, lr=step, seed=n)
    return bot


def numbers(net):
    """What has to be sent so that somebody else can let it answer: arrays, layer by layer."""
    return [
        layer(net.tokens),
        layer(net.positions),
        [block(each) for each in net.blocks],
        layer(net.norm),
        layer(net.head),
    ]


def block(each):
    """The layers of a block, in their order."""
    attention, thinks = each.attention, each.feed_forward
    inner = [attention.query, attention.key, attention.value, attention.out]
    return [layer(part) for part in [each.norm1, *inner, each.norm2, thinks.up, thinks.down]]


def layer(each):
    """The arrays of a layer."""
    names = ("weight_values", "weight_scale", "input_scale", "input_zero_point", "bias")
    if not hasattr(each, "weight_values"):
        names = ("weight", "bias")
    found = [getattr(each, name, None) for name in names]
    return [np.array(tensor.detach().numpy()) for tensor in found if tensor is not None]


# ---- what was reached -----------------------------------------------------------------------------------------


def claims(problems, answers):
    """Three models, each smaller or faster, and each as good as before; or the four events of the capstone."""
    if "capstone" in problems:
        yield from event_claims(problems["capstone"], answers)
        return
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
    before, after = (lab.times(answers.get(f"1998, seconds, {w}"), n) for w, n in ((BEFORE, LOOPED), (AFTER, 200)))
    gain, low, high = lab.speedup(before, after)
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
    before, after = (lab.times(answers.get(f"2017, seconds, {w}"), TALKS) for w in (BEFORE, AFTER))
    low, high = lab.interval(after)
    gain, *between = lab.speedup(before, after)
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


# ---- the four events --------------------------------------------------------------------------------------------


class Judged:
    """What the judge found out by itself about one way to answer: bytes, right answers, times, and whether they fit.

    The arrays that travelled answer every question here. `agreed` is the share of the answers given while the clock ran
    that are those of the arrays: times of another model than the one that was sent count for nothing.
    """

    def __init__(self, task, answers, name):
        asked, right, count = lab.texts(task.questions), lab.texts(task.answers), len(task.labels)
        sizes = {part: task.sizes[f"{SIZES[name]}{part}"] for part in ("width", "blocks")}
        sizes |= {"heads": HEADS, "new": task.answers.shape[1] + 2}
        heard = lab.witness(
            answers.get(NETS[name]), asked, alphabet(task), answers.get("letters"), answers.get("end"), sizes
        )
        self.nbytes, self.said = heard.nbytes, list(heard.said) or [None] * len(asked)
        hits = [a == b for a, b in zip(self.said, right, strict=True)]
        self.right, self.new = float(np.mean(hits[:count])), float(np.mean(hits[count:]))
        self.seconds = lab.times(answers.get(f"{name}, seconds"), task.sizes["timed"])
        first = count + list(NETS).index(name) * task.sizes["timed"]
        timed, heard = lab.texts(answers.get(f"{name}, said")), self.said[first : first + task.sizes["timed"]]
        begun = [a[: sizes["new"]] == b for a, b in zip(timed, heard, strict=False)]  # what is new may never end
        self.agreed = float(np.mean(begun or 0))
        self.agreed *= len(timed) == len(heard)


def alphabet(task):
    """Every letter that there is."""
    return sorted({letter for part in (task.questions, task.labels) for text in lab.texts(part) for letter in text})


def judged(task, answers):
    """Every way to answer, by its name. It takes seconds, so it is kept, under a key that no answer can have."""
    if Judged not in answers:
        answers[Judged] = {name: Judged(task, answers, name) for name in NETS}
    return answers[Judged]


def event_claims(task, answers):
    """The GPT has learnt its lesson; then one claim for each event."""
    found = judged(task, answers)
    plain = found[PLAIN]
    yield lab.Claim(
        what=f"TinyTalks: {len(task.labels)} questions that it was taught",
        required=f"at least {lab.percent(TAUGHT)}",
        reached=lab.percent(plain.right),
        holds=plain.right >= TAUGHT,
    )
    yield event("latency: one answer, with a cache", plain, found[CACHED], faster=FULL_FASTER)
    yield event("memory: the same network in eight bits", plain, found[EIGHT], smaller=FULL_SMALLER)
    yield event("accuracy: in eight bits, with a cache", plain, found[EIGHT])
    yield event(
        "extreme push: a small network that learnt from the large one",
        plain,
        found[EXTREME],
        faster=PUSHED_FASTER,
        smaller=PUSHED_SMALLER,
        below=LATENCY,
    )


def event(what, before, after, *, faster=0.0, smaller=0.0, below=np.inf):
    """What one event asks for; right answers are asked for in each."""
    gain, low, high = lab.speedup(before.seconds, after.seconds)
    ratio = before.nbytes / after.nbytes if after.nbytes else 0.0
    late = lab.interval(after.seconds)[1]
    required = [
        *([f"{faster:g}× faster"] if faster else []),
        *([f"{smaller:g}× smaller"] if smaller else []),
        *([f"below {1000 * below:.0f} ms"] if below < np.inf else []),
        "within two points",
    ]
    reached = [
        *([f"{gain:.1f}× [{low:.1f}, {high:.1f}]"] if faster else []),
        *([f"{ratio:.1f}× ({before.nbytes:,} to {after.nbytes:,} bytes)"] if smaller else []),
        *([f"{1000 * np.median(after.seconds):.1f} ms"] if below < np.inf else []),
        f"{lab.percent(before.right)} before, {lab.percent(after.right)} after",
    ]
    fits = [each for each in (before, after) if each.agreed < AGREED]
    if fits:
        reached.append(f"{lab.percent(fits[-1].agreed)} of the timed answers are those of the arrays sent")
    holds = low >= faster and ratio >= smaller and late < below and gain > 0 and ratio > 0 and not fits
    learnt = before.right >= TAUGHT and after.right >= before.right - LOST - 1e-9
    return lab.Claim(what=what, required=", ".join(required), reached=", ".join(reached), holds=bool(holds and learnt))


def entries(problems, answers):
    """What is entered for each event: two ways to answer, before and after."""
    found = judged(problems["capstone"], answers)
    events = {"latency": (PLAIN, CACHED), "memory": (CACHED, EIGHT), "accuracy": (PLAIN, EIGHT)}
    for name, (first, second) in {**events, "extreme": (PLAIN, EXTREME)}.items():
        before, after = found[first], found[second]
        yield {
            "event": name,
            "seconds_before": measured(before.seconds),
            "seconds_after": measured(after.seconds),
            "bytes_before": before.nbytes,
            "bytes_after": after.nbytes,
            "accuracy_before": before.right,
            "accuracy_after": after.right,
        }


def measured(seconds):
    """Times as an entry has them."""
    low, high = lab.interval(seconds)
    return lab.Times(median=float(np.median(seconds)), low=float(low), high=float(high), repeats=len(seconds))


# ---- what there is to see ---------------------------------------------------------------------------------------


def exhibits(problems, answers):
    """What the small one says, and how long PyTorch takes for the same."""
    if "capstone" in problems:
        yield from capstone_exhibits(problems["capstone"], answers)
        return
    task = problems["TinyTalks"]
    said = lab.texts(texts(answers.get(f"2017, said, {AFTER}")))
    digit, answer = (
        lab.times(answers.get(f"{what}, seconds, {AFTER}"), n) for what, n in (("1998", 200), ("2017", TALKS))
    )
    if len(said) == TALKS:
        asked = lab.texts(task.questions)
        yield from lab.passage("What the small one says", "\n".join(f"> {asked[n]}\n  {said[n]}" for n in range(5)))
    if np.isfinite([*digit, *answer]).all():
        length = int(np.median([len(question) for question in lab.texts(task.questions)]))
        yield from lab.beside_pytorch(
            {
                "1998: one digit": (np.median(digit), {"kind": "convolutional", "channels": (1, 16, 32), "side": 8}),
                "2017: one answer": (np.median(answer), gpt(48, 2, length, LONGEST + 1)),
            }
        )


def capstone_exhibits(task, answers):
    """What the small one says to what it was taught and to what not, and PyTorch's times."""
    found = judged(task, answers)
    if not all(np.isfinite(each.seconds).all() and each.nbytes for each in found.values()):
        return
    asked, right, count = lab.texts(task.questions), lab.texts(task.answers), len(task.labels)
    said = found[EXTREME].said
    lines = "\n".join(f"> {asked[n]}\n  {said[n]}" for n in range(5))
    yield from lab.passage("What the small one says", lines)
    shares = f"{lab.percent(found[PLAIN].new)} right, the small one {lab.percent(found[EXTREME].new)}"
    lines = "\n".join(f"> {asked[n]}\n  {said[n]}   ({right[n]})" for n in range(count, len(asked), 15))
    yield from lab.passage(f"What neither was taught: the large one has {shares}", lines)
    length = int(np.median([len(question) for question in asked]))
    sizes = {name: [task.sizes[f"{size}{part}"] for part in ("width", "blocks")] for name, size in SIZES.items()}
    yield from lab.beside_pytorch(
        {
            f"one answer, {name}": (
                np.median(found[name].seconds),
                gpt(*sizes[name], length, LONG, cached=name != PLAIN),
            )
            for name in NETS
        }
    )


def gpt(width, blocks, prompt, new, *, cached=True):
    """A GPT as PyTorch is to time it."""
    sizes = {"width": width, "heads": HEADS, "blocks": blocks, "vocab": 43, "max_len": prompt + new}
    return {"kind": "language", "prompt": prompt, "new": new, "cached": cached, **sizes}


if __name__ == "__main__":
    lab.main(__file__)
