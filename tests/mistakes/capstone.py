"""Usual mistakes in module 20, capstone."""

from __future__ import annotations

from tests.mistakes import Mistaken

EVERY_LINE = "every = [*asked, *tokenizer.encode(answer), tokenizer.special_ids[END]]"
PAIR_LINE = "return every[:-1], [UNCOUNTED] * (len(asked) - 1) + every[len(asked) :]"
TARGETS_LINE = "every_targets[n, : len(ids)] = targets"
FILLED_LINE = "every_targets = np.full((len(rows), longest), UNCOUNTED)"
FIT_LINE = "_require_fit(rows, max_len)\n    longest"
LOSS_LINE = (
    "loss: Tensor = CrossEntropyLoss()(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))\n        return loss"
)
OPTIMIZER_LINE = (
    "rng, optimizer = np.random.default_rng(seed), AdamW(self.model.parameters(), lr=lr, weight_decay=0.01)"
)
TRAIN_LINE = "self.model.train()\n        means = []"
CHOSEN_LINE = "chosen = [pairs[n] for n in order[start : start + batch_size]]"
ORDER_LINE = "order, losses = rng.permutation(len(pairs)), []"
ZERO_LINE = "optimizer.zero_grad()\n                loss.backward()"
CLIP_LINE = "clip_grad_norm_(self.model.parameters(), 1.0)\n"
MEANS_LINE = "means.append(sum(losses) / len(losses))"
EVAL_LINE = "self.model.eval()\n        return means"
CACHED_LINE = "written = generate_cached(self.model, ids, max_new_tokens, temperature, top_k, seed)"
PLAIN_LINE = "written = self.model.generate(ids, max_new_tokens, temperature, top_k, seed)"
SAID_LINE = "said, end = written.tolist()[0][len(asked) :], self.tokenizer.special_ids[END]"
CUT_LINE = "said = said[: said.index(end)]"
DECODE_LINE = "return self.tokenizer.decode(said)"
SMALL_LINE = "small = self.with_model(quantize_model(self.model, [ids]))"
AFTER_LINE = '"accuracy_after": small.accuracy(pairs),'
BYTES_LINE = '"bytes_after": small.nbytes,'
RATES_LINE = "return Measurement([max_new_tokens / sample for sample in seconds.samples])"
FN_LINE = "self.generate(question, max_new_tokens, cached=cached)"
RUN_LINE = "Benchmark(fn, warmup, repeats, clock).run()"
KEPT_LINE = 'kept = {"kind": type(self.tokenizer).__name__, **self.tokenizer.state()}'
WEIGHTS_LINE = 'bot.model.load_state_dict(saved["model"])'
LOADED_LINE = "bot.model.eval()\n        return bot"
ERROR_LINE = "except (RuntimeError, ValueError, TypeError) as error:\n            raise ValueError"
LEVEL_LINE = "low, high = measurement.confidence_interval(0.95)"
FINITE_LINE = "found: dict[str, float] = {name: require_finite(name, number) for name, number in numbers.items()}"
CLOSE_LINE = "if not math.isclose(claimed, ratio, rel_tol=0.01):"
RATIO_LINE = "ratio = before / after"
GAINS_LINE = "for name, (first, second) in {"
LOST_LINE = "if after < before - LOST - 1e-9:"
SIZES_LINE = 'sizes = [require_number(metrics, name, 1, math.inf, int) for name in ("bytes_before", "bytes_after")]'
METRICS_LINE = 'return require_metrics(record["metrics"])\n'
EVENT_LINE = 'if record["event"] not in EVENTS:'
SCHEMA_LINE = 'if type(record["schema"]) is not int or record["schema"] != SCHEMA:'
SEED_LINE = 'require_number(record, "seed", 0, math.inf, int)'

MISTAKES = [
    # ---- pairs
    Mistaken(
        name="the question is learnt, too",
        exercise="encode_pair",
        replace=PAIR_LINE,
        by="return every[:-1], every[1:]",
        caught_by="test_encode_pair_counts_the_answer",
        says="The model is to answer, not to ask",
    ),
    Mistaken(
        name="the first id of the answer does not count",
        exercise="encode_pair",
        replace=PAIR_LINE,
        by="return every[:-1], [UNCOUNTED] * len(asked) + every[len(asked) + 1 :]",
        caught_by="test_encode_pair_counts_the_answer",
        says="last place of the question",
    ),
    Mistaken(
        name="no END behind the answer",
        exercise="encode_pair",
        replace=EVERY_LINE,
        by="every = [*asked, *tokenizer.encode(answer)]",
        caught_by="test_encode_pair_counts_the_answer",
        says="never learns to stop",
    ),
    Mistaken(
        name="question and answer encoded as one text",
        exercise="encode_pair",
        replace=EVERY_LINE,
        by="every = [*tokenizer.encode(question + answer), tokenizer.special_ids[END]]",
        caught_by="test_encode_pair_encodes_question_and_answer_apart",
    ),
    Mistaken(
        name="what is filled up counts",
        exercise="pair_batch",
        replace=FILLED_LINE,
        by="every_targets = np.full((len(rows), longest), tokenizer.special_ids[END])",
        caught_by="test_pair_batch_fills_up_at_the_end",
        says="Their target is -100",
    ),
    Mistaken(
        name="long pairs are cut off without a word",
        exercise="pair_batch",
        replace=FIT_LINE,
        by="rows = [(ids[:max_len], targets[:max_len]) for ids, targets in rows]\n    longest",
        caught_by="test_pair_batch_refuses_what_is_too_long",
        says="nothing looks at the input",
    ),
    # ---- loss and training
    Mistaken(
        name="the mean is over all places",
        exercise="TinyGPT.loss",
        replace=LOSS_LINE,
        by=LOSS_LINE.replace("CrossEntropyLoss()", 'CrossEntropyLoss(reduction="sum")').replace(
            "return loss", "return loss / targets.numel()"
        ),
        caught_by="test_loss_is_the_mean_over_what_counts",
        says="also those that do not count",
    ),
    Mistaken(
        name="the sum and not the mean",
        exercise="TinyGPT.loss",
        replace=LOSS_LINE,
        by=LOSS_LINE.replace("CrossEntropyLoss()", 'CrossEntropyLoss(reduction="sum")'),
        caught_by="test_loss_is_the_mean_over_what_counts",
        says="this is the sum",
    ),
    Mistaken(
        name="gradients are never zeroed",
        exercise="TinyGPT.train",
        replace=ZERO_LINE,
        by="loss.backward()",
        caught_by="test_train_forgets_old_gradients",
    ),
    Mistaken(
        name="gradients are not clipped",
        exercise="TinyGPT.train",
        replace=CLIP_LINE,
        by="\n",
        caught_by="test_train_clips_gradients",
    ),
    Mistaken(
        name="a new optimiser for every batch",
        exercise="TinyGPT.train",
        replace="optimizer.zero_grad()\n",
        by="optimizer = AdamW(self.model.parameters(), lr=lr)\n                optimizer.zero_grad()\n",
        caught_by="test_train_keeps_its_optimizer",
        says="Adam's memory is lost",
    ),
    Mistaken(
        name="never in training mode",
        exercise="TinyGPT.train",
        replace=TRAIN_LINE,
        by="means = []",
        caught_by="test_train_switches_modes",
        says="model.train()",
    ),
    Mistaken(
        name="left in training mode",
        exercise="TinyGPT.train",
        replace=EVAL_LINE,
        by="return means",
        caught_by="test_train_switches_modes",
        says="model.eval() at the end",
    ),
    Mistaken(
        name="the same order in every epoch",
        exercise="TinyGPT.train",
        replace=ORDER_LINE,
        by="order, losses = np.random.default_rng(seed).permutation(len(pairs)), []",
        caught_by="test_train_shuffles_by_its_seed",
    ),
    Mistaken(
        name="the last, smaller batch is left out",
        exercise="TinyGPT.train",
        replace="for start in range(0, len(pairs), batch_size):",
        by="for start in range(0, max(len(pairs) - batch_size, 0) + 1, batch_size):",
        caught_by="test_train_shows_every_pair_once_an_epoch",
    ),
    Mistaken(
        name="the sum of the losses of an epoch",
        exercise="TinyGPT.train",
        replace=MEANS_LINE,
        by="means.append(sum(losses))",
        caught_by="test_train_gives_the_mean_loss_of_each_epoch",
        says="Their mean is due",
    ),
    # ---- answers
    Mistaken(
        name="the answer goes on behind END",
        exercise="TinyGPT.generate",
        replace=CUT_LINE,
        by="said = [number for number in said if number != end]",
        caught_by="test_generate_answers_up_to_the_end",
        says="belongs to no answer",
    ),
    Mistaken(
        name="END is part of the answer",
        exercise="TinyGPT.generate",
        replace=CUT_LINE,
        by="said = said[: said.index(end) + 1]",
        caught_by="test_generate_answers_up_to_the_end",
        says="the answer is over",
    ),
    Mistaken(
        name="the question is part of the answer",
        exercise="TinyGPT.generate",
        replace=SAID_LINE,
        by="said, end = written.tolist()[0], self.tokenizer.special_ids[END]",
        caught_by="test_generate_answers_up_to_the_end",
        says="drop the first ids",
    ),
    Mistaken(
        name="cut at the characters of END",
        exercise="TinyGPT.generate",
        replace=DECODE_LINE,
        by="return self.tokenizer.decode(said).partition(END)[0]",
        caught_by="test_generate_knows_end_from_its_letters",
        says="Look for END's id",
    ),
    Mistaken(
        name="the cache is never used",
        exercise="TinyGPT.generate",
        replace=CACHED_LINE,
        by=PLAIN_LINE,
        caught_by="test_generate_reads_each_token_once",
        says="never used",
    ),
    Mistaken(
        name="the seed is not handed on",
        exercise="TinyGPT.generate",
        replace=CACHED_LINE,
        by="written = generate_cached(self.model, ids, max_new_tokens, temperature, top_k)",
        caught_by="test_generate_hands_on_temperature_and_seed",
    ),
    # ---- small, fast, kept
    Mistaken(
        name="the accuracy afterwards is that of the large model",
        exercise="TinyGPT.compress",
        replace=AFTER_LINE,
        by='"accuracy_after": self.accuracy(pairs),',
        caught_by="test_compress_measures_both_accuracies",
        says="Ask the small one",
    ),
    Mistaken(
        name="a quarter of the bytes, not weighed",
        exercise="TinyGPT.compress",
        replace=BYTES_LINE,
        by='"bytes_after": self.nbytes // 4,',
        caught_by="test_compress_weighs_before_and_after",
        says="has to be measured",
    ),
    Mistaken(
        name="the model itself is replaced",
        exercise="TinyGPT.compress",
        replace=SMALL_LINE,
        by="self.model = quantize_model(self.model, [ids])\n        small = self.with_model(self.model)",
        caught_by="test_compress_weighs_before_and_after",
        says="changed on the way",
    ),
    Mistaken(
        name="seconds per token",
        exercise="TinyGPT.benchmark",
        replace=RATES_LINE,
        by=RATES_LINE.replace("max_new_tokens / sample", "sample / max_new_tokens"),
        caught_by="test_benchmark_counts_tokens_per_second",
        says="the tokens divided by the seconds",
    ),
    Mistaken(
        name="answers per second",
        exercise="TinyGPT.benchmark",
        replace=RATES_LINE,
        by=RATES_LINE.replace("max_new_tokens / sample", "1 / sample"),
        caught_by="test_benchmark_counts_tokens_per_second",
        says="answers per second",
    ),
    Mistaken(
        name="one rate, that of the mean time",
        exercise="TinyGPT.benchmark",
        replace=RATES_LINE,
        by="return Measurement([max_new_tokens / seconds.mean] * len(seconds))",
        caught_by="test_benchmark_turns_each_sample_round",
        says="Keep them apart",
    ),
    Mistaken(
        name="the baseline is cached, too",
        exercise="TinyGPT.benchmark",
        replace=FN_LINE,
        by="self.generate(question, max_new_tokens)",
        caught_by="test_benchmark_times_what_was_asked_for",
    ),
    Mistaken(
        name="the answer is made once and remembered",
        exercise="TinyGPT.benchmark",
        replace="seconds = Benchmark(fn",
        by="text = fn()\n        seconds = Benchmark(lambda: text",
        caught_by="test_benchmark_counts_tokens_per_second",
    ),
    Mistaken(
        name="the tokenizer does not travel",
        exercise="TinyGPT.save",
        replace=KEPT_LINE,
        by='kept = {"kind": "CharTokenizer", "tokens": [], "special_tokens": [END], "unknown": None}',
        caught_by="test_save_writes_one_file_with_everything",
    ),
    Mistaken(
        name="the weights are not loaded",
        exercise="TinyGPT.load",
        replace=WEIGHTS_LINE,
        by="pass",
        caught_by="test_load_gives_the_same_scores",
    ),
    Mistaken(
        name="names that do not fit are passed over",
        exercise="TinyGPT.load",
        replace=WEIGHTS_LINE,
        by='bot.model.load_state_dict(saved["model"], strict=False)',
        caught_by="test_load_refuses_what_is_no_tiny_gpt",
    ),
    Mistaken(
        name="loaded in training mode",
        exercise="TinyGPT.load",
        replace=LOADED_LINE,
        by="return bot",
        caught_by="test_load_answers_as_before",
    ),
    # ---- the entry
    Mistaken(
        name="another level",
        exercise="interval_of",
        replace=LEVEL_LINE,
        by="low, high = measurement.confidence_interval(0.99)",
        caught_by="test_interval_of_has_plain_numbers",
        says="another level",
    ),
    Mistaken(
        name="NumPy's numbers go into JSON",
        exercise="interval_of",
        replace=FINITE_LINE,
        by="found: dict[str, float] = numbers",
        caught_by="test_interval_of_has_plain_numbers",
    ),
    Mistaken(
        name="nan goes into JSON",
        exercise="interval_of",
        replace=FINITE_LINE,
        by="found: dict[str, float] = {name: float(number) for name, number in numbers.items()}",
        caught_by="test_interval_of_refuses_what_json_cannot_hold",
    ),
    Mistaken(
        name="the gain the other way round",
        exercise="require_ratio",
        replace=RATIO_LINE,
        by="ratio = after / before",
        caught_by="test_require_ratio_refuses_what_does_not_follow",
    ),
    Mistaken(
        name="only gains that are too large are refused",
        exercise="require_ratio",
        replace=CLOSE_LINE,
        by="if claimed > 1.01 * ratio:",
        caught_by="test_require_ratio_refuses_what_does_not_follow",
    ),
    Mistaken(
        name="gains must be exact to the last digit",
        exercise="require_ratio",
        replace=CLOSE_LINE,
        by="if claimed != ratio:",
        caught_by="test_require_ratio_refuses_what_does_not_follow",
        says="One per cent is allowed",
    ),
    Mistaken(
        name="the bytes are not worked out again",
        exercise="require_metrics",
        replace='{"speedup": times, "smaller": sizes}',
        by='{"speedup": times, "smaller": (float(metrics["smaller"]), 1)}',
        caught_by="test_require_metrics_refuses_forged_gains",
    ),
    Mistaken(
        name="negative bytes pass",
        exercise="require_metrics",
        replace=SIZES_LINE,
        by='sizes = [metrics["bytes_before"], metrics["bytes_after"]]',
        caught_by="test_require_metrics_refuses_impossible_numbers",
    ),
    Mistaken(
        name="accuracy may change by two points, up or down",
        exercise="require_metrics",
        replace=LOST_LINE,
        by="if abs(after - before) > LOST + 1e-9:",
        caught_by="test_require_metrics_limits_what_is_lost",
    ),
    Mistaken(
        name="nobody looks into the metrics",
        exercise="OlympicsEntry.validate",
        replace=METRICS_LINE,
        by=(
            'require_fields(record["metrics"], METRICS, "metrics")\n'
            '        return [record["metrics"][name] for name in ("speedup", "smaller")]\n'
        ),
        caught_by="test_validate_refuses_forged_metrics",
    ),
    Mistaken(
        name="any text is an event",
        exercise="OlympicsEntry.validate",
        replace=EVENT_LINE,
        by='if not isinstance(record["event"], str):',
        caught_by="test_validate_takes_fair_entries",
    ),
    Mistaken(
        name="later schemas are guessed at",
        exercise="OlympicsEntry.validate",
        replace=SCHEMA_LINE,
        by='if type(record["schema"]) is not int or record["schema"] < SCHEMA:',
        caught_by="test_validate_refuses_wrong_values",
    ),
    Mistaken(
        name="a seed of any kind",
        exercise="OlympicsEntry.validate",
        replace=SEED_LINE,
        by='int(record["seed"])',
        caught_by="test_validate_refuses_wrong_values",
    ),
]
