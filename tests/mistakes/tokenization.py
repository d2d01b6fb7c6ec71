"""Usual mistakes in module 10, tokenization."""

from __future__ import annotations

from tests.mistakes import Mistaken

ASSIGN_LINE = "self.tokens = require_tokens([*self.special_tokens, *tokens])"
IDS_LINE = "self.ids = {token: number for number, token in enumerate(self.tokens)}"
FOUND_LINE = "found = sorted({require_text(token) for token in tokens} - set(self.special_tokens))"
KNOWN_LINE = "known = token if token in self.ids else self.unknown"
LOOKUP_LINE = "return [self.tokens[number] for number in require_ids(ids, len(self))]"
EXTEND_LINE = "tokens.extend([piece] if special else piece)"
PIECES_LINE = "in pieces_of(text, self.vocabulary.special_tokens if parse_special else ()):"
JOIN_LINE = 'return "".join(tokens)'
PAIRS_LINE = "return dict(Counter(pairwise(ids)))"
MOST_LINE = "most = max(counts.values())"
BEST_LINE = "return min(pair for pair, times in counts.items() if times == most)"
NO_PAIR_LINES = "if not counts:\n        return None\n    most"
WHILE_LINE = "while i < len(ids):"
MATCH_LINE = "merged.append(new)\n            i += 2"
MERGED_LINE = "merged, i = [], 0"
LEAVE_LINE = "self.leave(number)\n"
ENTER_LINES = "self.words[number] = merge(self.words[number], pair, new)\n            self.enter(number)"
WORDS_LINE = "for number in list(self.where.get(pair, ())):"
SIZE_LINE = 'require_size(vocab_size, 256 + special, f"256 bytes and {special} special tokens")'
CORPUS_LINE = "corpus = Corpus(words_of(text))"
FORGET_LINE = "        self.forget()\n        while"
LOOP_LINE = "while self.vocab_size < vocab_size and (pair := best_pair(corpus.counts)):"
ROUND_LINE = "corpus.merge(pair, self.learn(pair))"
RANK_LINE = "pair = min(pairwise(ids), key=lambda pair: self.merges.get(pair, math.inf))"
RANKED_LINE = "ids = merge(ids, pair, self.merges[pair])"
SPECIAL_LINE = "numbers = [number for number in numbers if number not in special]"
DECODE_LINE = 'return b"".join(self.pieces[number] for number in numbers).decode("utf-8", errors="replace")'
STATE_LINE = 'return {"special_tokens": self.special_tokens, "merges": [list(pair) for pair in self.merges]}'

MISTAKES = [
    # ---- vocabulary
    Mistaken(
        name="special tokens come last",
        exercise="Vocabulary.assign",
        replace=ASSIGN_LINE,
        by="self.tokens = require_tokens([*tokens, *self.special_tokens])",
        caught_by="test_vocabulary_gives_special_tokens_the_first_ids",
        says="They come first",
    ),
    Mistaken(
        name="ids begin at 1",
        exercise="Vocabulary.assign",
        replace=IDS_LINE,
        by="self.ids = {token: number for number, token in enumerate(self.tokens, 1)}",
        caught_by="test_vocabulary_knows_ids_and_tokens",
        says="begin at 0",
    ),
    Mistaken(
        name="tokens that are there twice are not noticed",
        exercise="Vocabulary.assign",
        replace=ASSIGN_LINE,
        by="self.tokens = [*self.special_tokens, *tokens]",
        caught_by="test_vocabulary_refuses_a_token_twice",
        says="nothing looks at the input",
    ),
    Mistaken(
        name="tokens in the order in which they occur",
        exercise="Vocabulary.train",
        replace=FOUND_LINE,
        by="found = list(dict.fromkeys(require_text(t) for t in tokens if t not in self.special_tokens))",
        caught_by="test_vocabulary_learns_sorted_tokens",
        says="Sort them",
    ),
    Mistaken(
        name="special tokens in the text are left in",
        exercise="Vocabulary.train",
        replace=FOUND_LINE,
        by="found = sorted({require_text(token) for token in tokens})",
        caught_by="test_vocabulary_keeps_special_ids_in_training",
    ),
    Mistaken(
        name="what is unknown is left out",
        exercise="Vocabulary.encode",
        replace=KNOWN_LINE,
        by=KNOWN_LINE + "\n            if known is not None and known != token:\n                continue",
        caught_by="test_vocabulary_encodes_the_unknown",
        says="left out",
    ),
    Mistaken(
        name="id 0 for what is unknown",
        exercise="Vocabulary.encode",
        replace=KNOWN_LINE,
        by="known = token if token in self.ids else self.unknown and self.tokens[0]",
        caught_by="test_vocabulary_encodes_the_unknown",
        says="Look up self.unknown's",
    ),
    Mistaken(
        name="ids below 0 count from the end",
        exercise="Vocabulary.decode",
        replace=LOOKUP_LINE,
        by="return [self.tokens[number] for number in (ids.tolist() if hasattr(ids, 'tolist') else ids)]",
        caught_by="test_vocabulary_refuses_ids_that_nobody_has",
    ),
    # ---- characters
    Mistaken(
        name="special tokens are always found",
        exercise="CharTokenizer.encode",
        replace=PIECES_LINE,
        by="in pieces_of(text, self.vocabulary.special_tokens):",
        caught_by="test_special_tokens_in_a_text_are_characters_unless_asked",
        says="although parse_special is False",
    ),
    Mistaken(
        name="special tokens are never found",
        exercise="CharTokenizer.encode",
        replace=PIECES_LINE,
        by="in pieces_of(text, ()):",
        caught_by="test_special_tokens_in_a_text_are_characters_unless_asked",
        says="parse_special is not looked at",
    ),
    Mistaken(
        name="characters with spaces between them",
        exercise="CharTokenizer.decode",
        replace=JOIN_LINE,
        by='return " ".join(tokens)',
        caught_by="test_characters_come_back",
        says="join them with nothing",
    ),
    # ---- pairs
    Mistaken(
        name="only every second pair",
        exercise="count_pairs",
        replace=PAIRS_LINE,
        by="return dict(Counter(zip(ids[::2], ids[1::2])))",
        caught_by="test_pairs_of_neighbours_are_counted",
        says="only every second pair",
    ),
    Mistaken(
        name="the last pair is not counted",
        exercise="count_pairs",
        replace=PAIRS_LINE,
        by="return dict(Counter((ids[i], ids[i + 1]) for i in range(len(ids) - 2)))",
        caught_by="test_pairs_of_neighbours_are_counted",
        says="the last pair is not counted",
    ),
    Mistaken(
        name="the largest pair for the most frequent",
        exercise="best_pair",
        replace=BEST_LINE,
        by="return max(counts) if most else None",
        caught_by="test_the_most_frequent_pair_is_best",
        says="max(counts) compares pairs",
    ),
    Mistaken(
        name="of equals the first seen",
        exercise="best_pair",
        replace=BEST_LINE,
        by="return max(counts, key=lambda pair: counts[pair]) if most else None",
        caught_by="test_of_equal_pairs_the_smallest_is_best",
        says="the one seen first",
    ),
    Mistaken(
        name="of equals the largest",
        exercise="best_pair",
        replace=BEST_LINE,
        by="return max(pair for pair, times in counts.items() if times == most)",
        caught_by="test_of_equal_pairs_the_smallest_is_best",
        says="Take the smallest",
    ),
    Mistaken(
        name="the largest of no numbers",
        exercise="best_pair",
        replace=NO_PAIR_LINES,
        by="most",
        caught_by="test_without_pairs_there_is_no_best",
    ),
    Mistaken(
        name="one place on after a match",
        exercise="merge",
        replace=MATCH_LINE,
        by="merged.append(new)\n            i += 1",
        caught_by="test_merge_replaces_the_pair",
        says="go on two places",
    ),
    Mistaken(
        name="one id used in two merges",
        exercise="merge",
        replace=MATCH_LINE,
        by="merged.append(new)\n            i += 1 if pair[0] == pair[1] else 2",
        caught_by="test_merge_uses_both_ids_up",
        says="go on two places",
    ),
    Mistaken(
        name="the last id is lost",
        exercise="merge",
        replace=WHILE_LINE,
        by="while i < len(ids) - 1:",
        caught_by="test_merge_replaces_the_pair",
        says="the last id is lost",
    ),
    Mistaken(
        name="merges in the caller's list",
        exercise="merge",
        replace=MERGED_LINE,
        by=(
            "for i, both in enumerate(pairwise(ids)):\n        pass\n    i = 0\n    while i < len(ids) - 1:\n"
            "        if (ids[i], ids[i + 1]) == pair:\n            ids[i : i + 2] = [new]\n        i += 1\n"
            "    return ids\n    merged, i = [], 0"
        ),
        caught_by="test_merge_leaves_its_input_alone",
        says="Fill a new one",
    ),
    # ---- corpus
    Mistaken(
        name="old pairs stay in the counts",
        exercise="Corpus.merge",
        replace=LEAVE_LINE,
        by="pass\n",
        caught_by="test_corpus_counts_stay_true",
    ),
    Mistaken(
        name="counts from before the merge",
        exercise="Corpus.merge",
        replace="            self.leave(number)\n            " + ENTER_LINES,
        by="            self.words[number] = merge(self.words[number], pair, new)",
        caught_by="test_corpus_counts_stay_true",
        says="the counts are those from before",
    ),
    Mistaken(
        name="a loop over a set that changes",
        exercise="Corpus.merge",
        replace=WORDS_LINE,
        by="for number in self.where.get(pair, ()):",
        caught_by="test_corpus_merges_in_every_word",
    ),
    # ---- byte-pair encoding
    Mistaken(
        name="special tokens do not count",
        exercise="BPETokenizer.train",
        replace=LOOP_LINE,
        by="while self.vocab_size - special < vocab_size and (pair := best_pair(corpus.counts)):",
        caught_by="test_training_counts_bytes_and_special_tokens",
        says="special tokens count, too",
    ),
    Mistaken(
        name="one merge less",
        exercise="BPETokenizer.train",
        replace=LOOP_LINE,
        by="while self.vocab_size < vocab_size - 1 and (pair := best_pair(corpus.counts)):",
        caught_by="test_training_merges_the_best_pair_again_and_again",
        says="one merge is missing",
    ),
    Mistaken(
        name="all merges from one count",
        exercise="BPETokenizer.train",
        replace=ROUND_LINE,
        by="self.learn(pair)\n            corpus.counts.pop(pair)",
        caught_by="test_training_merges_the_best_pair_again_and_again",
        says="count again",
    ),
    Mistaken(
        name="texts run into each other",
        exercise="BPETokenizer.train",
        replace=CORPUS_LINE,
        by='corpus = Corpus(words_of("".join(texts_of(text))))',
        caught_by="test_training_takes_several_texts",
    ),
    Mistaken(
        name="earlier merges are kept",
        exercise="BPETokenizer.train",
        replace=FORGET_LINE,
        by="        while",
        caught_by="test_training_starts_anew",
        says="the merges of the first training are still there",
    ),
    Mistaken(
        name="pairs are merged from left to right",
        exercise="BPETokenizer.encode_chunk",
        replace=RANK_LINE,
        by="pair = next((pair for pair in pairwise(ids) if pair in self.merges), (-1, -1))",
        caught_by="test_the_merge_that_was_learnt_first_comes_first",
        says="from left to right",
    ),
    Mistaken(
        name="the latest merge first",
        exercise="BPETokenizer.encode_chunk",
        replace=RANK_LINE,
        by="pair = max(pairwise(ids), key=lambda pair: self.merges.get(pair, -1))",
        caught_by="test_the_merge_that_was_learnt_first_comes_first",
        says="min, not max",
    ),
    Mistaken(
        name="one merge and no more",
        exercise="BPETokenizer.encode_chunk",
        replace=RANKED_LINE,
        by="return merge(ids, pair, self.merges[pair])",
        caught_by="test_the_merge_that_was_learnt_first_comes_first",
        says="only one merge was made",
    ),
    Mistaken(
        name="each id decoded alone",
        exercise="BPETokenizer.decode",
        replace=DECODE_LINE,
        by='return "".join(self.pieces[number].decode("utf-8", errors="replace") for number in numbers)',
        caught_by="test_bytes_are_joined_before_they_are_read",
        says="join the bytes, then decode",
    ),
    Mistaken(
        name="decoding stops at bytes that are no text",
        exercise="BPETokenizer.decode",
        replace=DECODE_LINE,
        by='return b"".join(self.pieces[number] for number in numbers).decode("utf-8")',
        caught_by="test_bytes_that_are_no_text_are_replaced",
    ),
    Mistaken(
        name="unreadable bytes vanish",
        exercise="BPETokenizer.decode",
        replace=DECODE_LINE,
        by='return b"".join(self.pieces[number] for number in numbers).decode("utf-8", errors="ignore")',
        caught_by="test_bytes_that_are_no_text_are_replaced",
        says="what cannot be read is left out",
    ),
    Mistaken(
        name="all ids above the bytes are left out",
        exercise="BPETokenizer.decode",
        replace=SPECIAL_LINE,
        by="numbers = [number for number in numbers if number < 256]",
        caught_by="test_special_ids_are_written_out_or_left_out",
        says="Only the special ones are",
    ),
    Mistaken(
        name="merges saved as a dict of strings",
        exercise="BPETokenizer.state",
        replace=STATE_LINE,
        by=(
            "merges = {str(pair): new for pair, new in self.merges.items()}\n"
            '        return {"special_tokens": self.special_tokens, "merges": merges}'
        ),
        caught_by="test_state_lists_the_merges_in_their_order",
        says="JSON makes strings of its keys",
    ),
    Mistaken(
        name="merges saved in sorted order",
        exercise="BPETokenizer.state",
        replace=STATE_LINE,
        by='return {"special_tokens": self.special_tokens, "merges": sorted(list(pair) for pair in self.merges)}',
        caught_by="test_state_lists_the_merges_in_their_order",
        says="the order in which they were learnt is lost",
    ),
]
