"""Hints for module 20, capstone."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "encode_pair": Ladder(
        ask=(
            "Write a, b, c and END under each other for the question ab and the answer c, and beside each what "
            "comes next. Beside which of them does something stand that the model should learn to say?"
        ),
        idea=(
            "Reading stops one short of the end, and targets start one later. Three ids are read, and the first of "
            "three targets is the question's own, so it does not count: [-100, 3, 0]."
        ),
        algorithm=(
            "asked = encode_question(tokenizer, question). every = asked, then tokenizer.encode(answer), then "
            "tokenizer.special_ids[END], in one list. Read every[:-1]. Targets: [UNCOUNTED] * (len(asked) - 1) and "
            "then every[len(asked):]. Return both lists."
        ),
        smaller='encode_pair(tokenizer, "ab", "c") is ([1, 2, 3], [-100, 3, 0])',
        lesson="What counts",
        proof="""
        >>> encode_pair(CharTokenizer(["<end>"]).train("abc"), "ab", "c")
        ([1, 2, 3], [-100, 3, 0])
        """,
    ),
    "pair_batch": Ladder(
        ask=(
            "A row of 3 ids and one of 1 shall stand in one array. Which two places are left over, what may stand "
            "there, and which of the two arrays must say that nobody looks?"
        ),
        idea=(
            "Make both arrays full of what means nothing, and write the rows over it from the left. For 3 and 1 "
            "ids both have shape (2, 3), and two of the second row's targets stay -100."
        ),
        algorithm=(
            "rows = encode_pair of every pair; _require_fit(rows, max_len). longest = the largest len(ids). "
            "np.full((len(rows), longest), END's id) for ids, the same with UNCOUNTED for targets. For each row n: "
            "array[n, :len(ids)] = ids, and likewise the targets. Return tensor(...) of both."
        ),
        smaller='pair_batch(tokenizer, [("a", "")], 4) is (tensor([[1]]), tensor([[0]]))',
        lesson="What counts",
        proof="""
        >>> tokenizer = CharTokenizer(["<end>"]).train("abc")
        >>> pair_batch(tokenizer, [("a", "")], 4)
        (tensor([[1]]), tensor([[0]]))
        >>> ids, targets = pair_batch(tokenizer, [("ab", "c"), ("a", "")], 4)
        >>> ids.shape, targets.tolist()[1]
        ((2, 3), [0, -100, -100])
        """,
    ),
    "TinyGPT.loss": Ladder(
        ask=(
            "The model gives scores (N, T, V) and the loss takes scores (M, V). What is M? Which module already "
            "passes over a target of -100?"
        ),
        idea=(
            "Every place of every row is one example: M is N times T. CrossEntropyLoss has ignore_index -100 as "
            "its default, and divides by what counts. An untrained model with 4 tokens costs about log 4 = 1.386."
        ),
        algorithm=(
            "logits = self.model(ids). Return CrossEntropyLoss()(logits.reshape(-1, logits.shape[-1]), "
            "targets.reshape(-1)). Nothing else: no mask, no division."
        ),
        smaller="a new TinyGPT with 4 tokens has a loss near 1.386",
        lesson="What counts",
        proof="""
        >>> round(math.log(4), 3), -100
        (1.386, -100)
        """,
    ),
    "TinyGPT.train": Ladder(
        ask=(
            "Write the five steps of a batch in their order. Then ask of each other line whether it belongs before "
            "all epochs, before every epoch, or before every batch: optimiser, order, list of losses, training "
            "mode."
        ),
        idea=(
            "Optimiser and generator are made once, an order and an empty list for each epoch. Five pairs in "
            "batches of 2 make 3 batches, the last with one pair: range(0, 5, 2) gives their starts 0, 2, 4."
        ),
        algorithm=(
            "rng, AdamW(parameters, lr=lr, weight_decay=0.01), self.model.train(). For each epoch: order = "
            "rng.permutation(len(pairs)); for each start: the chosen pairs, self.loss(*pair_batch(self.tokenizer, "
            'chosen, self.sizes["max_len"])), zero_grad, backward, clip_grad_norm_(parameters, 1.0), step, keep '
            "loss.item(). Append the mean of the epoch. At the end self.model.eval(), return the means."
        ),
        smaller="with lr 0 every epoch has the same loss",
        lesson="Learnt by heart",
        proof="""
        >>> list(range(0, 5, 2)), 0.01, 1.0
        ([0, 2, 4], 0.01, 1.0)
        """,
    ),
    "TinyGPT.generate": Ladder(
        ask=(
            "A question of 2 ids, and 5 came back: 1, 2, 7, 0, 8, where 0 is END. Which of them are the answer? "
            "What if no 0 were there?"
        ),
        idea=(
            "Two cuts: the question goes at the front, END and what follows at the back. Of 1, 2, 7, 0, 8 only 7 "
            "is left. Both cuts are made in ids. In the text it would be too late: there END is five characters "
            "like any."
        ),
        algorithm=(
            "asked = encode_question(self.tokenizer, question); ids = tensor([asked]). written = "
            "generate_cached(self.model, ids, max_new_tokens, temperature, top_k, seed), or without cached "
            "self.model.generate(ids, and the same four). said = written.tolist()[0][len(asked):]. If END's id is "
            "in said: said = said[:said.index(it)]. Return self.tokenizer.decode(said)."
        ),
        smaller="ids 1, 2, 7, 0, 8 behind a question of two: the answer is 7 alone",
        lesson="From ids to an answer",
        proof="""
        >>> said = [1, 2, 7, 0, 8][2:]
        >>> said[:said.index(0)]
        [7]
        """,
    ),
    "TinyGPT.compress": Ladder(
        ask=(
            "Four numbers go into the report. For each of them: of which of the two models is it, and is it asked "
            "of the model, or worked out from another number?"
        ),
        idea=(
            "All four are asked: nbytes and accuracy(pairs), of self and of small. A quarter would be a guess. A "
            "Linear(100, 10) goes from 4040 bytes to 1085, since scales and biases stay."
        ),
        algorithm=(
            'ids, _ = pair_batch(self.tokenizer, pairs, self.sizes["max_len"]). small = '
            "self.with_model(quantize_model(self.model, [ids])). Return small and the dict: self.nbytes, "
            "small.nbytes, self.accuracy(pairs), small.accuracy(pairs), in the order of the docstring."
        ),
        smaller="Linear(100, 10) has 4040 bytes, and 1085 in eight bits",
        lesson="Small, and measured",
        proof="""
        >>> layer = Linear(100, 10)
        >>> model_bytes(layer), model_bytes(quantize_model(layer, rand(4, 100)))
        (4040, 1085)
        """,
    ),
    "TinyGPT.benchmark": Ladder(
        ask=(
            "Two answers of 8 tokens took 1 and 4 seconds. How many tokens per second were these? And is the mean "
            "of the two rates the rate of the mean time?"
        ),
        idea=(
            "8 and 2 tokens per second, 5 on average. Yet 16 tokens in 5 seconds are 3.2. So each sample is turned "
            "round by itself, and nothing is averaged: a Measurement keeps all of them."
        ),
        algorithm=(
            "A function without arguments that calls self.generate(question, max_new_tokens, cached=cached). "
            "seconds = Benchmark(it, warmup, repeats, clock).run(). Return Measurement([max_new_tokens / s for s "
            "in seconds.samples])."
        ),
        smaller="answers of 8 tokens in 1 and in 4 seconds: samples 8 and 2",
        lesson="Fast, and measured",
        proof="""
        >>> [8 / seconds for seconds in (1, 4)], (8 + 2) / 2, 16 / 5
        ([8.0, 2.0], 5.0, 3.2)
        """,
    ),
    "TinyGPT.save": Ladder(
        ask=(
            "Somebody gets the file and has nothing else but your package. What must be in it so that the model "
            "can be built, filled, and talked to?"
        ),
        idea=(
            "To build it: the four sizes and the bits. To fill it: the model's state. To talk to it: the "
            "tokenizer, as its kind and its state(). To know it again: kind TinyGPT. Five parts in one file."
        ),
        algorithm=(
            "kept = {'kind': type(self.tokenizer).__name__, **self.tokenizer.state()}. Then save_checkpoint(path, "
            "kind='TinyGPT', tokenizer=kept, sizes=self.sizes, bits=self.bits, model=self.model)."
        ),
        smaller="the file of a CharTokenizer says tokenizer kind CharTokenizer",
        lesson="One file",
        proof="""
        >>> type(CharTokenizer(["<end>"])).__name__
        'CharTokenizer'
        """,
    ),
    "TinyGPT.load": Ladder(
        ask=(
            "A new TinyGPT of the right sizes has random weights. What writes the saved ones into it, and what "
            "happens if one name is missing and nobody insists?"
        ),
        idea=(
            "load_checkpoint reads, made_again builds, load_state_dict fills and insists: one name too few is a "
            "RuntimeError, another shape a ValueError. Both are told as a ValueError with the file's name."
        ),
        algorithm=(
            "saved = load_checkpoint(path); bot = made_again(path, saved). try: "
            "bot.model.load_state_dict(saved['model']); except (RuntimeError, ValueError, TypeError) as error: "
            "raise ValueError(f'{os.fspath(path)} does not fit: {error}') from error. bot.model.eval(); return bot."
        ),
        smaller="load what was saved: the same logits to the last bit",
        lesson="One file",
        proof="""
        >>> bot = TinyGPT(CharTokenizer(["<end>"]).train("ab"), d_model=8)
        >>> _ = bot.model.load_state_dict(bot.model.state_dict())
        """,
    ),
    "interval_of": Ladder(
        ask=(
            "What does json.dumps say to np.float32(0.5)? And what does it write for nan, which no other program "
            "can read?"
        ),
        idea=(
            "Three numbers and a count: of the samples 3, 1, 2, 2, 4, 2 the median is 2, the interval goes from 1 "
            "to 4, and there are 6. Each goes through float() after a look whether it is finite."
        ),
        algorithm=(
            "low, high = measurement.confidence_interval(0.95). For 'median' measurement.median, 'low' and 'high': "
            "require_finite(name, number) gives the float. Add 'repeats': len(measurement.samples). In this order."
        ),
        smaller="six samples from 1 to 4 with median 2 have the interval from 1 to 4",
        lesson="An entry",
        proof="""
        >>> interval_of(Measurement([3.0, 1.0, 2.0, 2.0, 4.0, 2.0]))
        {'median': 2.0, 'low': 1.0, 'high': 4.0, 'repeats': 6}
        >>> float(np.float32(0.5)), Measurement([3.0, 1.0, 2.0, 2.0, 4.0, 2.0]).confidence_interval(0.95)
        (0.5, (1.0, 4.0))
        """,
    ),
    "require_ratio": Ladder(
        ask=(
            "Before 2 seconds, after 0.5. What is the speed-up? Somebody claims 4.02, somebody else 40. Which of "
            "the two has rounded?"
        ),
        idea=(
            "The ratio is 2 / 0.5 = 4, and the claim may differ from it by one per cent, up or down: 4.02 passes, "
            "40 and 3.9 do not. Difference as a share of the ratio, not in seconds."
        ),
        algorithm=(
            "ratio = before / after. If not math.isclose(claimed, ratio, rel_tol=0.01): raise ValueError with "
            "name, claimed, before, after, and f'{ratio:.4g}'. Return ratio."
        ),
        smaller='require_ratio("speedup", 40.0, 2.0, 0.5) is refused',
        lesson="An entry",
        proof="""
        >>> 2 / 0.5, math.isclose(4.02, 4, rel_tol=0.01), math.isclose(3.9, 4, rel_tol=0.01)
        (4.0, True, False)
        >>> require_ratio("speedup", 40.0, 2.0, 0.5)
        Traceback (most recent call last):
        ValueError: speedup 40.0 does not follow from 2.0 before and 0.5 after, which make 4
        """,
    ),
    "require_metrics": Ladder(
        ask=(
            "Eight fields, two of which follow from four others. Which two? And what do you know of the remaining "
            "two before you compare them with each other?"
        ),
        idea=(
            "First the names, then each number by itself, then what follows from what. speedup comes from the two "
            "medians, smaller from the two bytes; accuracies lie from 0 to 1, and the second at most 0.02 below "
            "the first."
        ),
        algorithm=(
            "require_fields(metrics, METRICS, 'metrics'). require_interval(metrics, name) of both times gives "
            "medians. require_number(metrics, name, 1, math.inf, int) of both bytes, (metrics, name, 0, 1) of both "
            "accuracies. For each gain: require_ratio(name, require_number(metrics, name, 0, math.inf), before, "
            "after). If after < before - LOST - 1e-9: ValueError with both."
        ),
        smaller="accuracy_before 0.9 and accuracy_after 0.7 are refused",
        lesson="An entry",
        proof="""
        >>> 0.9 - 0.7 > 0.02, 1e-9 < 0.02
        (True, True)
        """,
    ),
    "OlympicsEntry.validate": Ladder(
        ask=(
            "A stranger's file has been read. Which of its six fields may you use before you have looked at what "
            "kind of thing they are? Is True a whole number?"
        ),
        idea=(
            "None. Names of the fields first, then one field after the other, each with its kind before its value. "
            "True == 1 in Python, so a schema of True has to be refused by type(...) is int."
        ),
        algorithm=(
            "require_fields(record, FIELDS, 'the entry'). Schema: type(...) is not int or != SCHEMA: ValueError "
            "with both. Name: not isinstance(name, str), or blank, or longer than 80. Event: not in EVENTS. "
            "require_number(record, 'seed', 0, math.inf, int). require_fields(record['versions'], VERSIONS, "
            "'versions'). require_metrics(record['metrics'])."
        ),
        smaller='the event "luck" is refused',
        lesson="An entry",
        proof="""
        >>> True == 1, type(True) is int, len("x" * 80)
        (True, False, 80)
        """,
    ),
}
