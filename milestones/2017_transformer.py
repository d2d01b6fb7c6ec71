"""2017: attention is all you need.

Ashish Vaswani and seven others left out what networks for language had been made of, loops from word to word, and kept
what had been a help beside them: attention. Every word looks at every other at once. First your encoder reverses words
of random letters, which layers that see one letter at a time cannot; then your GPT (A. Radford and others, 2018), a
pile of decoder blocks, learns the answers of TinyTalks. With --full it reads a million characters of Shakespeare and
writes on. Norms before the layers, GELU and AdamW are younger than 2017.

A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser, I. Polosukhin, "Attention is all you
need", Advances in Neural Information Processing Systems 30 (2017), https://arxiv.org/abs/1706.03762.
"""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch import lab

LETTERS, LENGTH, UNSEEN = "abcdefghijklmnopqrstuvwxyz", 10, 500
NAMES = ("with attention", "without")
PARTS = ("inputs", "labels", "questions")  # of a problem: what travels
SHOWN = "the cup is on the shelf. where is it?"  # the question whose answer is watched
END = "\n"
CONTEXT = 64  # characters of Shakespeare that are seen at once
SIZES = {"reversal": (32, 2, 1), "TinyTalks": (48, 4, 2), "Shakespeare": (96, 4, 3)}  # width, heads, blocks
STEPS = {"reversal": 300, "TinyTalks": 1_100, "Shakespeare": 3_000}
REQUIRED = {"with attention": 0.95, "without": 0.05, "TinyTalks": 0.90, "Shakespeare": 2.0}


# ---- what there is to learn ----------------------------------------------------------------------------------


def problems(rng):
    """Words to reverse, 500 of them unseen; and 280 questions to learn by heart, which are asked with 70 others."""
    drawn = np.unique(rng.integers(0, len(LETTERS), (4_500, LENGTH)), axis=0)
    words = ["".join(LETTERS[n] for n in word) for word in rng.permutation(drawn)]
    talks = sorted(lab.tiny_talks(), key=lambda talk: talk.split != "train")  # those to learn come first
    questions, answers = [talk.question for talk in talks], [talk.answer for talk in talks]
    taught = sum(talk.split == "train" for talk in talks)
    return {
        "reversal": problem(words, [word[::-1] for word in words], words[-UNSEEN:], len(words) - UNSEEN),
        "TinyTalks": problem(questions, answers, questions, taught),
    }


def problem(texts, answers, questions, taught):
    """The first texts with their answers, and questions whose answers are the last ones and stay here."""
    return lab.Problem(
        inputs=lab.codes(texts[:taught]),
        labels=lab.codes(answers[:taught]),
        questions=lab.codes(questions),
        answers=lab.codes(answers[-len(questions) :]),
    )


def full_problems(rng, data):
    """Nine tenths of the text to learn. The rest is cut into windows; what follows each of them stays here."""
    text = data.shakespeare()
    alphabet, cut = "".join(sorted(set(text))), len(text) * 9 // 10
    ends = range(cut + CONTEXT, len(text), CONTEXT + 1)  # no window shows what follows another one
    windows, following = [text[end - CONTEXT : end] for end in ends], [alphabet.index(text[end]) for end in ends]
    return {
        "Shakespeare": lab.Problem(
            inputs=lab.codes([text[:cut]]),
            labels=lab.codes([alphabet]),
            questions=lab.codes(windows),
            answers=np.array(following),
        )
    }


# ---- how it is learnt ----------------------------------------------------------------------------------------


def run(tt, problems, seed, show):
    """Learn whatever is asked for. `tt` is your package."""
    learn = {"reversal": reverse, "TinyTalks": talk, "Shakespeare": write}
    answers = {}
    for name, task in problems.items():
        tt.manual_seed(seed)
        texts = {part: lab.texts(codes) for part, codes in task.items()}
        answers |= learn[name](tt, texts, np.random.default_rng(seed), show)
    return answers


def train(tt, net, draw, steps, lr, show, told):
    """AdamW on the ids and targets (B, T) that are drawn: steps grow at first, then shrink. Gives the loss per cent."""
    optimizer, loss_fn, losses = tt.AdamW(net.parameters(), lr=lr, weight_decay=0.1), tt.CrossEntropyLoss(), []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * min(1, (step + 1) / 50) * (1 + math.cos(math.pi * step / steps)) / 2
        ids, targets = draw()
        logits = net(tt.tensor(ids))  # (B, T, V)
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tt.tensor(targets.reshape(-1)))
        optimizer.zero_grad()
        loss.backward()
        tt.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        show(f"{told}, step {step + 1} of {steps}, loss {losses[-1]:.2f}", (step + 1) / steps)
    return np.mean(np.reshape(losses, (100, -1)), axis=1)


def reverse(tt, task, rng, show):
    """The same network with attention and without it: without, every letter sees itself alone."""
    tokenizer, answers = tt.CharTokenizer().train(LETTERS), {}
    words, backwards, asked = (np.array([tokenizer.encode(word) for word in task[part]]) for part in PARTS)
    width, heads, count = SIZES["reversal"]

    def draw():
        chosen = rng.integers(0, len(words), 64)
        return words[chosen], backwards[chosen]

    for name in NAMES:
        attends = name == "with attention"
        net = tt.Sequential(
            tt.Embedding(len(LETTERS), width),
            tt.PositionalEncoding(LENGTH, width),
            *((tt.EncoderBlock(width, heads) if attends else alone(tt, width)) for _ in range(count)),
            tt.LayerNorm(width),
            tt.Linear(width, len(LETTERS)),
        )
        answers[f"{name}, loss"] = train(tt, net, draw, STEPS["reversal"], 1e-2, show, f"reversal {name}")
        with tt.no_grad():
            said = net(tt.tensor(asked)).argmax(dim=-1).numpy()  # (500, 10)
            answers[name] = lab.codes([tokenizer.decode(word) for word in said.tolist()])
            if attends:
                block, x = net[2], net[1](net[0](tt.tensor(asked[:1])))
                answers["letters"] = block.attention.attention_map(block.norm1(x)).numpy()[0]  # (2, 10, 10)
    return answers


def alone(tt, width):
    """What is left of a block without attention."""
    return tt.Sequential(tt.LayerNorm(width), tt.FeedForward(width))


def talk(tt, task, rng, show):
    """A GPT reads questions with their answers; the loss counts what it says, not what it is asked."""
    talks, asked = list(zip(task["inputs"], task["labels"], strict=True)), task["questions"]
    tokenizer = tt.CharTokenizer().train([*task["inputs"], *task["labels"], *asked, END])
    longest = max(len(question + answer) for question, answer in talks) + 1
    rows = np.array([tokenizer.encode((question + answer).ljust(longest, END)) for question, answer in talks])
    starts, ends = np.array([(len(question), len(question + answer)) for question, answer in talks]).T[:, :, None]
    places = np.arange(longest)
    targets = np.where((starts <= places) & (places <= ends), rows, -100)  # -100 does not count

    def draw():
        chosen = rng.integers(0, len(rows), 16)
        width = ends[chosen].max() + 1
        return rows[chosen, : width - 1], targets[chosen, 1:width]

    net = tt.GPT(tokenizer.vocab_size, *SIZES["TinyTalks"], longest)
    losses = train(tt, net, draw, STEPS["TinyTalks"], 3e-3, show, "TinyTalks")
    said, most = {}, int((ends - starts).max()) + 1
    for length in sorted({len(question) for question in asked}):  # those of one length are answered at once
        alike = [question for question in asked if len(question) == length]
        ids = tt.tensor([tokenizer.encode(question) for question in alike])
        written = net.generate(ids, most, temperature=0)[:, length:].numpy().tolist()
        said |= dict(zip(alike, (tokenizer.decode(row).partition(END)[0] for row in written), strict=True))
    return {
        "TinyTalks": lab.codes([said[question] for question in asked]),
        "TinyTalks, loss": losses,
        "signs": looks(tt, net, tokenizer.encode(SHOWN + said[SHOWN]))[:, len(SHOWN) - 1 :],
    }


def looks(tt, net, ids):
    """The attention of the last block: for each head, how much each sign looks at which."""
    with tt.no_grad():
        x = net.positions(net.tokens(tt.tensor([ids])))  # (1, T, D)
        *before, last = net.blocks
        for block in before:
            x = block(x)
        return last.attention.attention_map(last.norm1(x), is_causal=True).numpy()[0]  # (heads, T, T)


def write(tt, task, rng, show):
    """A GPT learns the next character, says for every window what may follow, and writes on."""
    ((text,), (alphabet,), windows) = (task[part] for part in PARTS)
    tokenizer = tt.CharTokenizer().train(alphabet)
    ids = np.array(tokenizer.encode(text))

    def draw():
        places = rng.integers(0, len(ids) - CONTEXT, 16)[:, None] + np.arange(CONTEXT)
        return ids[places], ids[places + 1]

    net = tt.GPT(tokenizer.vocab_size, *SIZES["Shakespeare"], CONTEXT)
    losses = train(tt, net, draw, STEPS["Shakespeare"], 3e-3, show, "Shakespeare")
    show("reading what it has never seen")
    asked = tt.tensor([tokenizer.encode(window) for window in windows])
    with tt.no_grad():
        scores = tt.cat([net(asked[n : n + 64])[:, -1] for n in range(0, len(windows), 64)])  # (1716, V)
        following = tt.log_softmax(scores[:, tokenizer.encode(alphabet)], dim=-1).numpy()
    written = net.generate(asked[:1], 500, temperature=0.8, seed=int(rng.integers(2**31)))[0, CONTEXT:]
    sample = lab.codes([tokenizer.decode(written.numpy().tolist())])
    return {"Shakespeare": following, "Shakespeare, loss": losses, "sample": sample}


# ---- what was reached, and what there is to see -----------------------------------------------------------------


def claims(problems, answers):
    """What was said exactly, or how likely the true next character was held to be."""
    if "Shakespeare" in problems:
        task = problems["Shakespeare"]
        cost = lab.nats(answers.get("Shakespeare"), task.answers)
        yield lab.Claim(
            what=f"Shakespeare: the next character, {len(task.answers):,} times",
            required=f"below {REQUIRED['Shakespeare']:.1f} nats",
            reached=f"{cost:.2f} nats",
            holds=cost < REQUIRED["Shakespeare"],
        )
        return
    words, talks = problems["reversal"].answers, problems["TinyTalks"]
    reversed_with, reversed_without = (lab.exact(answers.get(name), words) for name in NAMES)
    yield at_least(f"{UNSEEN} unseen words reversed", reversed_with, REQUIRED["with attention"])
    yield lab.Claim(
        what="the same without attention",
        required=f"at most {lab.percent(REQUIRED['without'])}",
        reached=lab.percent(reversed_without),
        holds=reversed_without <= REQUIRED["without"] and len(lab.texts(answers.get("without"))) == UNSEEN,
    )
    taught = len(talks.labels)
    share = lab.exact(answered(answers)[:taught], talks.answers[:taught])
    yield at_least(f"TinyTalks: {taught} questions that it was taught", share, REQUIRED["TinyTalks"])


def at_least(what, share, required):
    """A claim to a share of right answers."""
    return lab.Claim(
        what=what, required=f"at least {lab.percent(required)}", reached=lab.percent(share), holds=share >= required
    )


def answered(answers):
    """What it said to the questions, as an array whatever came."""
    said = answers.get("TinyTalks")
    return said if type(said) is np.ndarray and said.ndim == 2 else np.zeros((0, 0), int)


def exhibits(problems, answers):
    """Losses, attention, and what it says."""
    if "Shakespeare" in problems:
        losses = {"loss": answers.get("Shakespeare, loss")}
        yield from lab.curve("Loss, as your code told it", "% of the steps,", losses)
        yield from lab.passage("What it writes", "\n".join(lab.texts(answers.get("sample"))[:1]))
        return
    losses = {name: answers.get(f"{name}, loss") for name in NAMES}
    yield from lab.curve("Reversal: loss, as your code told it", "% of the steps,", losses)
    word = lab.texts(problems["reversal"].questions[:1])[0]
    yield from heads(f"Where it finds each letter of {word[::-1]} in {word}", answers.get("letters"), 1)
    losses = {"loss": answers.get("TinyTalks, loss")}
    yield from lab.curve("TinyTalks: loss, as your code told it", "% of the steps,", losses)
    yield from dialogue(problems["TinyTalks"], answers)
    yield from heads(f"What it looks at for each sign of its answer: {SHOWN}", answers.get("signs"), 0.5)


def heads(title, maps, ink):
    """A picture for every head: a row for each sign that is said, a column for each that is seen."""
    yield from lab.pictures(title, maps, [f"head {n + 1}" for n in range(8)], ink)


def dialogue(task, answers):
    """A question of each level that it was taught, then some that it never saw."""
    said, taught = lab.texts(answered(answers)), len(task.labels)
    asked, right = lab.texts(task.questions), lab.texts(task.answers)
    if len(said) == len(asked):
        learnt = range(taught // 10, taught, taught // 5)
        yield from lab.passage("What it was taught to say", talked(asked, said, right, learnt))
        new = range(taught, len(asked))
        share = f"{sum(said[n] == right[n] for n in new)} of {len(new)}"
        few = talked(asked, said, right, new[3::14])
        yield from lab.passage(f"What it was not taught, with the right answers ({share} were right)", few)


def talked(asked, said, right, chosen):
    """Questions and answers, with the right ones where others were given."""
    noted = (f"> {asked[n]}\n  {said[n]}" + ("" if said[n] == right[n] else f"   ({right[n]})") for n in chosen)
    return "\n".join(noted)


if __name__ == "__main__":
    lab.main(__file__)
