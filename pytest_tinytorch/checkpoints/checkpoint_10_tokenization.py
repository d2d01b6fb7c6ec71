"""Checkpoint 10: tokenization."""

from __future__ import annotations

import itertools

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, named, raises, same

WORDS = ("cat", "dog", "sat", "mat", "the", "saw", "ran", "hat", "owl", "ate", "fox", "hid")
SPECIAL = ("<pad>", "<end>", "<unk>", "<sep>")
SPECIAL_LAST = "the special tokens have the last ids. They come first: their ids shall not depend on the text."
NOT_SORTED = "the tokens have their ids in the order in which they occur. Sort them: another text, the same ids."
SPECIAL_TWICE = "a special token that occurs in the text got a second id. Leave the special ones out of what is found."
UP_BY_ONE = "after a match you go on one place, and look at its second id again. Both are used up: go on two places."
LAST_LOST = "the last id is lost. It has no right neighbour, but it stays."
FIRST_SEEN = "of pairs that occur equally often you take the one seen first. Take the smallest: min(...) of them."
LARGEST = "of pairs that occur equally often you take the largest. Take the smallest."
LEFT_TO_RIGHT = "pairs are merged as they come, from left to right. Merge the pair that was learnt first, everywhere."
LARGEST_ID = "the pair that was learnt last is merged first. A small id was learnt early: min, not max."
ONE_ONLY = "only one merge was made. Look at the pairs again afterwards, until none is known."
ALONE = "each id was decoded by itself. A character may lie across several ids: join the bytes, then decode."
GIVES_ITSELF = "train gives back the tokenizer itself, so that BPETokenizer().train(text, 300) is one: return self."


def some(draw, options, count):
    """So many different ones of the options, as a list in random order."""
    return [options[i] for i in draw.permutation(len(options))[:count]]


def unsorted(draw, options, count):
    """So many different ones, whose order is not the sorted one."""
    found = sorted(some(draw, options, count))
    return [found[-1], *some(draw, found[:-1], count - 1)]


def letters(draw, alphabet, count):
    """A random string of these letters."""
    return "".join(alphabet[i] for i in draw.integers(0, len(alphabet), count))


def any_text(draw, count):
    """A random string of anything that Unicode has: letters, accents, emoji, signs, control characters."""
    ranges = ((0, 128), (128, 0x250), (0x300, 0x370), (0x3041, 0x3097), (0x4E00, 0x9FFF), (0x1F300, 0x1F600), (0, 32))
    return "".join(chr(int(draw.integers(*ranges[i]))) for i in draw.integers(0, len(ranges), count))


def plainly(pair):
    """A pair as two plain ints, in a tuple, which is how the exercises take it."""
    return int(pair[0]), int(pair[1])


# ---- byte-pair encoding, counted afresh at every step ---------------------------------------------------------


def counted(words, times):
    """How often each pair of neighbours occurs."""
    counts = {}
    for word, n in zip(words, times, strict=True):
        for pair in itertools.pairwise(word):
            counts[pair] = counts.get(pair, 0) + n
    return counts


def merged(ids, pair, new):
    """The ids, with `new` for every occurrence of the pair."""
    done = []
    for number in ids:
        done.append(number)
        if tuple(done[-2:]) == tuple(pair) and len(done) > 1:
            done[-2:] = [new]
    return done


def merged_by_one(ids, pair, new):
    """The ids as they are when a match goes on one place, so that its second id is looked at again."""
    matches = [both == tuple(pair) for both in itertools.pairwise(ids)] + [False] * (len(ids) > 0)
    return [new if match else number for match, number in zip(matches, ids, strict=True)]


def lowest(counts):
    """The most frequent pair; of equals the smallest."""
    return min(counts, key=lambda pair: (-counts[pair], pair))


def seen_first(counts):
    """The most frequent pair; of equals the first."""
    return max(counts, key=lambda pair: counts[pair])


def highest(counts):
    """The most frequent pair; of equals the largest."""
    return max(counts, key=lambda pair: (counts[pair], pair))


def rarest(counts):
    """The pair that occurs least; of equals the smallest."""
    return min(counts, key=lambda pair: (counts[pair], pair))


def learnt(texts, count, first=256, choose=lowest):
    """The merges of texts of small letters and single spaces: lists of two ids, the first merge's id being `first`."""
    words, times = [], []
    for text in texts:
        for number, word in enumerate(text.split(" ")):
            words.append(list((" " * (number > 0) + word).encode()))
            times.append(1)
    merges = []
    while len(merges) < count and (counts := counted(words, times)):
        pair = choose(counts)
        words = [merged(word, pair, first + len(merges)) for word in words]
        merges.append(list(pair))
    return merges


def ranked(chunk, merges, choose=min):
    """The ids of a word by merges in their order, the first one's id being 256."""
    ids = list(chunk)
    ranks = {tuple(pair): 256 + rank for rank, pair in enumerate(merges)}
    while known := [pair for pair in itertools.pairwise(ids) if pair in ranks]:
        pair = choose(known, key=lambda pair: ranks[pair])
        ids = merged(ids, pair, ranks[pair])
    return ids


def any_pair_first(pairs, key):
    """A choice that does not look at ranks."""
    return pairs[0]


# ---- Vocabulary -------------------------------------------------------------------------------------------------


def tables(tokens, special, again):
    """Both tables of a vocabulary, and both after other tokens were assigned."""
    vocabulary = tt.Vocabulary(tokens, special)
    first = [list(vocabulary.tokens), sorted([number, token] for token, number in dict(vocabulary.ids).items())]
    vocabulary.assign(again)
    second = [list(vocabulary.tokens), sorted([number, token] for token, number in dict(vocabulary.ids).items())]
    return [first, second]


@exercise("Vocabulary.assign", points=2)
def test_vocabulary_gives_special_tokens_the_first_ids(tt, draw):
    """a Vocabulary lists its special tokens first, then the others in their order"""
    tokens, special = unsorted(draw, WORDS, 5), unsorted(draw, SPECIAL, 3)
    same(
        tt.Vocabulary(tokens, special).tokens,
        special + tokens,
        what=f"Vocabulary({tokens}, special_tokens={special}).tokens",
        mistakes=[
            Mistake(tokens + special, SPECIAL_LAST),
            Mistake(tokens, "the special tokens are not there."),
            Mistake(special + sorted(tokens), "the order is the caller's: do not sort here."),
        ],
        smaller='Vocabulary(["cat"], ["<end>"]).tokens is ["<end>", "cat"]',
    )


@exercise("Vocabulary.assign", points=2)
def test_vocabulary_knows_ids_and_tokens(lab, draw):
    """a Vocabulary's ids and tokens say the same both ways, also after it was given other tokens"""
    tokens, special = some(draw, WORDS, 6), some(draw, SPECIAL, 2)
    again = some(draw, WORDS, 3)
    first, second = lab(tables, tokens, special, again)
    for (listed, numbered), new, what in (
        (first, tokens, f"Vocabulary({tokens}, {special})"),
        (second, again, f"that Vocabulary after assign({again})"),
    ):
        same(listed, special + new, what=f"tokens of {what}")
        same(
            numbered,
            [[number, token] for number, token in enumerate(special + new)],
            what=f"ids of {what}, sorted, as [id, token]",
            mistakes=[
                Mistake(
                    [[number + 1, token] for number, token in enumerate(special + new)],
                    "the first id is 1. Ids are places in a list, and begin at 0.",
                )
            ],
        )


@exercise("Vocabulary.assign", points=1)
def test_vocabulary_refuses_a_token_twice(tt, draw):
    """a Vocabulary refuses a token that is there twice, and says which"""
    tokens = some(draw, WORDS, 5)
    special = some(draw, SPECIAL, 2)
    raises(ValueError, lambda: tt.Vocabulary([*tokens, tokens[2]]), mentions=[tokens[2]])
    raises(ValueError, lambda: tt.Vocabulary([*tokens, special[1]], special), mentions=[special[1]])
    raises(ValueError, lambda: tt.Vocabulary([*tokens, ""], special), mentions=["empty"])
    same(tt.Vocabulary(tokens, special).tokens, special + tokens, what=f"Vocabulary({tokens}, {special}).tokens")


@exercise("Vocabulary.train", points=2)
def test_vocabulary_learns_sorted_tokens(tt, draw):
    """train gives every different token one id, in sorted order"""
    different = unsorted(draw, WORDS, 6)
    tokens = [*different, *some(draw, different, 3), different[0], different[0]]
    vocabulary = tt.Vocabulary()
    vocabulary.train(tokens)
    same(
        vocabulary.tokens,
        sorted(different),
        what=f"Vocabulary().train({tokens}).tokens",
        mistakes=[
            Mistake(different, NOT_SORTED),
            Mistake(sorted(tokens), "tokens that occur several times have several ids. One is enough: a set."),
        ],
        smaller='Vocabulary().train(["b", "a", "b"]).tokens is ["a", "b"]',
    )


@exercise("Vocabulary.train", points=2)
def test_vocabulary_keeps_special_ids_in_training(tt, draw):
    """train leaves the special tokens their ids, also where they occur in the text"""
    special, different = unsorted(draw, SPECIAL, 3), unsorted(draw, WORDS, 5)
    tokens = [different[0], special[2], *different[1:], special[0]]
    vocabulary = tt.Vocabulary(special_tokens=special)
    vocabulary.train(tokens)
    same(
        vocabulary.tokens,
        special + sorted(different),
        what=f"Vocabulary(special_tokens={special}).train({tokens}).tokens",
        mistakes=[
            Mistake(sorted(different), "the special tokens are not there any more."),
            Mistake(special + sorted([*different, special[0], special[2]]), SPECIAL_TWICE),
            Mistake(special + different, NOT_SORTED),
        ],
    )


def trained_twice(special, first, second):
    """Whether train gave the vocabulary itself, and its tokens after each of two trainings."""
    vocabulary = tt.Vocabulary(special_tokens=special)
    itself = vocabulary.train(first) is vocabulary
    before = list(vocabulary.tokens)
    vocabulary.train(second)
    return ["itself" if itself else "something else", before, list(vocabulary.tokens)]


@exercise("Vocabulary.train", points=1)
def test_vocabulary_training_starts_anew(lab, draw):
    """train gives the vocabulary itself back, and forgets what it had learnt before"""
    words, special = some(draw, WORDS, 7), some(draw, SPECIAL, 2)
    itself, before, after = lab(trained_twice, special, words[:3], words[2:])
    same(before, special + sorted(words[:3]), what=f"tokens after train({words[:3]})")
    same(
        after,
        special + sorted(words[2:]),
        what=f"tokens after another train({words[2:]})",
        mistakes=[Mistake(special + sorted(words), "the tokens of the earlier training are still there.")],
    )
    same(itself, "itself", what="what train gives back", mistakes=[Mistake("something else", GIVES_ITSELF)])


@exercise("Vocabulary.train", points=2)
def test_vocabulary_refuses_a_size_too_small(tt, draw):
    """train refuses a vocab_size that is too small, with both numbers, and learns nothing then"""
    old, special = some(draw, WORDS, 2), some(draw, SPECIAL, 3)
    count = draw.choice([6, 7, 8])
    tokens = some(draw, WORDS, count)
    vocabulary = named(tt.Vocabulary(old, special), "vocabulary")
    raises(ValueError, lambda: vocabulary.train(tokens, vocab_size=count + 2), mentions=[count + 2, count + 3])
    same(vocabulary.tokens, special + old, what="the tokens after a training that was refused")
    vocabulary.train(tokens, vocab_size=count + 3)
    same(vocabulary.tokens, special + sorted(tokens), what=f"the tokens after train({tokens}, vocab_size={count + 3})")


@exercise("Vocabulary.train", points=1)
def test_vocabulary_refuses_tokens_that_are_no_strings(tt, draw):
    """train refuses a token that is no string"""
    tokens = some(draw, WORDS, 3)
    vocabulary = named(tt.Vocabulary(), "vocabulary")
    raises(TypeError, lambda: vocabulary.train([tokens[0], 7]), mentions=["int"])
    raises(TypeError, lambda: vocabulary.train([None]), mentions=["NoneType"])
    vocabulary.train(tokens)
    same(vocabulary.tokens, sorted(tokens), what=f"Vocabulary().train({tokens}).tokens")


@exercise("Vocabulary.encode", points=2)
def test_vocabulary_encodes_tokens(tt, draw):
    """encode gives the id of every token, in their order"""
    tokens, special = some(draw, WORDS, 8), some(draw, SPECIAL, 2)
    places = [int(i) for i in draw.integers(0, 8, 7)]
    wanted = [tokens[i] for i in places]
    same(
        tt.Vocabulary(tokens, special).encode(wanted),
        [2 + i for i in places],
        what=f"Vocabulary({tokens}, {special}).encode({wanted})",
        mistakes=[Mistake(places, "these are the places among the ordinary tokens. The special ones come first.")],
        smaller='Vocabulary(["a", "b"]).encode(["b", "a"]) is [1, 0]',
    )


@exercise("Vocabulary.encode", points=2)
def test_vocabulary_encodes_the_unknown(tt, draw):
    """encode gives what is not in the vocabulary the id of the unknown token"""
    words, special = some(draw, WORDS, 7), some(draw, SPECIAL, 3)
    unknown = special[1]
    wanted = [words[2], words[6], words[0], words[5], words[1]]
    right = [5, 1, 3, 1, 4]
    same(
        tt.Vocabulary(words[:4], special, unknown=unknown).encode(wanted),
        right,
        what=f"Vocabulary({words[:4]}, {special}, unknown={unknown!r}).encode({wanted})",
        mistakes=[
            Mistake([5, 3, 4], "what is not known is left out, and the text is shorter than it was."),
            Mistake([0 if n == 1 else n for n in right], "the id 0 stands for the unknown. Look up self.unknown's."),
        ],
    )


@exercise("Vocabulary.encode", points=2)
def test_vocabulary_refuses_the_unknown(tt, draw):
    """encode refuses what is not in the vocabulary when there is no unknown token, and names it"""
    words = some(draw, WORDS, 6)
    vocabulary = named(tt.Vocabulary(words[:5], ["<unk>"]), "vocabulary")
    raises(ValueError, lambda: vocabulary.encode([words[1], words[5]]), mentions=[words[5]])
    same(vocabulary.encode([words[1], words[4], "<unk>"]), [2, 5, 0])


@exercise("Vocabulary.encode", points=1)
def test_vocabulary_refuses_what_is_no_token(tt, draw):
    """encode refuses a token that is no string, also where it could pass for unknown"""
    words, special = some(draw, WORDS, 4), some(draw, SPECIAL, 2)
    vocabulary = named(tt.Vocabulary(words, special, unknown=special[0]), "vocabulary")
    raises(TypeError, lambda: vocabulary.encode([words[0], 3]), mentions=["int"])
    raises(TypeError, lambda: vocabulary.encode([None]), mentions=["NoneType"])
    same(vocabulary.encode([words[3], "zebra", words[1]]), [5, 0, 3])


@exercise("Vocabulary.decode", points=2)
def test_vocabulary_decodes_ids(tt, draw):
    """decode gives the token of every id, from a list or a Tensor"""
    tokens, special = some(draw, WORDS, 7), some(draw, SPECIAL, 2)
    ids = [int(i) for i in draw.integers(0, 9, 6)]
    vocabulary = tt.Vocabulary(tokens, special)
    right = [(special + tokens)[i] for i in ids]
    what = f"Vocabulary({tokens}, {special}).decode"
    same(vocabulary.decode(ids), right, what=f"{what}({ids})", smaller='Vocabulary(["a", "b"]).decode([1]) is ["b"]')
    same(vocabulary.decode(tt.tensor(np.array(ids))), right, what=f"{what}(tensor({ids}))")


@exercise("Vocabulary.decode", points=2)
def test_vocabulary_refuses_ids_that_nobody_has(tt, draw):
    """decode refuses an id below 0 or beyond the last, and what is no whole number"""
    n = draw.choice([5, 6, 7])
    tokens = some(draw, WORDS, n)
    vocabulary = named(tt.Vocabulary(tokens), "vocabulary")
    raises(IndexError, lambda: vocabulary.decode([1, n]), mentions=[n])
    raises(IndexError, lambda: vocabulary.decode([0, -1]), mentions=[-1])
    raises(TypeError, lambda: vocabulary.decode([1.5]), mentions=["float"])
    same(vocabulary.decode([n - 1, 0]), [tokens[n - 1], tokens[0]])


# ---- CharTokenizer ----------------------------------------------------------------------------------------------


@exercise("CharTokenizer.encode", points=2)
def test_characters_have_an_id_each(tt, draw):
    """CharTokenizer.encode gives one id for every character"""
    text = letters(draw, "abcdef ", 12) + "fade"
    alphabet = sorted(set(text))
    special = some(draw, SPECIAL, 2)
    tokenizer = tt.CharTokenizer(special)
    tokenizer.train(text)
    asked = letters(draw, alphabet, 9)
    right = [2 + alphabet.index(letter) for letter in asked]
    same(
        tokenizer.encode(asked),
        right,
        what=f"CharTokenizer({special}).train({text!r}).encode({asked!r})",
        mistakes=[
            Mistake([n - 2 for n in right], "the special tokens have the first ids: ask self.vocabulary."),
            Mistake(sorted(set(right)), "every character of the text has its id, in the order of the text."),
        ],
        smaller='CharTokenizer().train("abc").encode("cab") is [2, 0, 1]',
    )


@exercise("CharTokenizer.encode", points=2)
def test_special_tokens_in_a_text_are_characters_unless_asked(tt, draw):
    """CharTokenizer.encode takes "<end>" in a text for characters, with parse_special for the special token"""
    special = some(draw, SPECIAL, 3)
    a, b = letters(draw, "abde", 4), letters(draw, "nps", 3)
    text = a + special[1] + b + special[2]
    tokenizer = tt.CharTokenizer(special)
    tokenizer.train(text)
    ids = {letter: 3 + number for number, letter in enumerate(sorted(set(text)))}
    plain = [ids[letter] for letter in text]
    parsed = [*(ids[letter] for letter in a), 1, *(ids[letter] for letter in b), 2]
    what = f"CharTokenizer({special}).train(text).encode({text!r}"
    same(
        tokenizer.encode(text),
        plain,
        what=f"{what})",
        mistakes=[Mistake(parsed, "a special token was found although parse_special is False.")],
    )
    same(
        tokenizer.encode(text, parse_special=True),
        parsed,
        what=f"{what}, parse_special=True)",
        mistakes=[
            Mistake(plain, "parse_special is not looked at."),
            Mistake([n for n in parsed if n not in {1, 2}], "the special tokens are lost."),
        ],
    )


@exercise("CharTokenizer.encode", points=2)
def test_characters_refuse_what_is_no_text(tt, draw):
    """CharTokenizer.encode refuses bytes, None, half characters, and characters that it does not know"""
    text = letters(draw, "abc", 5) + "abc"
    tokenizer = named(tt.CharTokenizer(), "tokenizer")
    tokenizer.train(text)
    raises(TypeError, lambda: tokenizer.encode(text.encode()), mentions=["bytes"])
    raises(TypeError, lambda: tokenizer.encode(None), mentions=["NoneType"])
    raises(ValueError, lambda: tokenizer.encode("ab\ud83d"), mentions=["surrogate"])
    raises(ValueError, lambda: tokenizer.encode(text + "x"), mentions=["x"])
    same(tokenizer.encode(text), ["abc".index(letter) for letter in text], what=f"encode({text!r})")


@exercise("CharTokenizer.decode", points=2)
def test_characters_come_back(tt, draw):
    """CharTokenizer.decode gives the text back, whatever characters it has"""
    text = any_text(draw, 14)
    tokenizer = tt.CharTokenizer()
    tokenizer.train([text, "e\u0301", "\U0001f600"])
    alphabet = sorted({*text, "e", "\u0301", "\U0001f600"})
    ids = [int(n) for n in draw.integers(0, len(alphabet), 12)]
    right = "".join(alphabet[n] for n in ids)
    same(
        tokenizer.decode(ids),
        right,
        what=f"CharTokenizer().train({text!r}).decode({ids})",
        mistakes=[
            Mistake(list(right), "these are the characters in a list. A text is one str: join them."),
            Mistake(" ".join(right), "there are spaces between the characters: join them with nothing."),
        ],
        smaller='CharTokenizer().train("ab").decode([1, 0]) is "ba"',
    )
    same(tokenizer.decode([]), "", what="CharTokenizer().train(...).decode([])")


@exercise("CharTokenizer.decode", points=2)
def test_special_characters_are_written_out_or_left_out(tt, draw):
    """CharTokenizer.decode writes special tokens out, and leaves them out with skip_special"""
    special = some(draw, SPECIAL, 3)
    letters_ = unsorted(draw, "acdefg", 4)
    tokenizer = tt.CharTokenizer(special, unknown=special[2])
    tokenizer.train("".join(letters_))
    ids = [2, *(int(n) for n in 3 + draw.permutation(4)), 0, 4, 1]
    tokens = special + sorted(letters_)
    what = f"CharTokenizer({special}).train({''.join(letters_)!r}).decode({ids}"
    whole, kept = "".join(tokens[n] for n in ids), "".join(tokens[n] for n in ids if n > 2)
    same(
        tokenizer.decode(ids),
        whole,
        what=f"{what})",
        mistakes=[Mistake(kept, "the special tokens are left out although skip_special is False.")],
    )
    same(
        tokenizer.decode(ids, skip_special=True),
        kept,
        what=f"{what}, skip_special=True)",
        mistakes=[
            Mistake(whole, "skip_special is not looked at."),
            Mistake(
                "".join(tokens[n] for n in ids if n <= 2), "the wrong ones are left out: keep what is not special."
            ),
        ],
    )


# ---- pairs ------------------------------------------------------------------------------------------------------


def pairs_of(ids):
    """The counts as a sorted list of [first, second, times]."""
    return sorted([int(a), int(b), int(times)] for (a, b), times in dict(tt.tokenization.count_pairs(ids)).items())


def as_list(counts):
    """Counts as a sorted list of [first, second, times]."""
    return sorted([*pair, times] for pair, times in counts.items())


@exercise("count_pairs", points=2)
def test_pairs_of_neighbours_are_counted(lab, draw):
    """count_pairs says how often each pair of neighbours occurs"""
    ids = [int(n) for n in draw.integers(3, 6, 12)]
    right = as_list(counted([ids], [1]))
    apart = as_list(counted([ids[i : i + 2] for i in range(0, 12, 2)], [1] * 6))
    same(
        lab(pairs_of, ids),
        right,
        what=f"count_pairs({ids}), sorted, as [first, second, times]",
        mistakes=[
            Mistake(apart, "only every second pair is counted. Every id but the last begins a pair."),
            Mistake(as_list(counted([ids[:-1]], [1])), "the last pair is not counted."),
            Mistake([[a, b, 1] for a, b, _ in right], "each pair is counted once only."),
        ],
        smaller="count_pairs([1, 2, 1, 2]) is {(1, 2): 2, (2, 1): 1}",
    )


@exercise("count_pairs", points=1)
def test_pairs_may_overlap(lab, draw):
    """count_pairs counts overlapping pairs, and none where there is one id or no id"""
    n, times = int(draw.integers(0, 300)), int(draw.integers(4, 9))
    same(
        [lab(pairs_of, [n] * times), lab(pairs_of, [n]), lab(pairs_of, [])],
        [[[n, n, times - 1]], [], []],
        what=f"count_pairs of {times} times {n}, of one {n}, and of nothing, as [first, second, times]",
    )


@exercise("best_pair", points=2)
def test_the_most_frequent_pair_is_best(tt, draw):
    """best_pair finds the pair that occurs most often"""
    numbers = [int(n) for n in 97 + draw.permutation(20)[:8]]
    pairs = list(zip(numbers, numbers[::-1], strict=True))
    times = [int(n) for n in 1 + np.sort(draw.permutation(30)[:8])]
    most, rest = draw.choice(sorted(pairs)[1:-1]), times[:-1]  # neither the smallest pair nor the largest
    counts = {pair: times[-1] if pair == most else rest.pop() for pair in pairs}
    same(
        tt.tokenization.best_pair(counts),
        most,
        what=f"best_pair({counts})",
        mistakes=[
            Mistake(min(counts), "this is the smallest pair. How often it occurs comes first."),
            Mistake(max(counts), "this is the largest pair: max(counts) compares pairs, not how often they occur."),
            Mistake(rarest(counts), "this pair occurs least."),
            Mistake(max(times), "this is how often the best pair occurs, not the pair."),
        ],
        smaller="best_pair({(1, 2): 3, (2, 1): 4}) is (2, 1)",
    )


@exercise("best_pair", points=2)
def test_of_equal_pairs_the_smallest_is_best(tt, draw):
    """best_pair takes the smallest of the pairs that occur equally often"""
    a, b, c, d = (int(n) for n in sorted(97 + draw.permutation(40)[:4]))
    times = int(draw.integers(3, 9))
    counts = {(d, a): times, (b, d): times, (c, a): times, (b, c): times, (a, b): times - 1, (d, b): times}
    same(
        tt.tokenization.best_pair(counts),
        (b, c),
        what=f"best_pair({counts})",
        mistakes=[
            Mistake(seen_first(counts), FIRST_SEEN),
            Mistake(highest(counts), LARGEST),
            Mistake((d, b), "of pairs that occur equally often you take the one seen last. Take the smallest."),
            Mistake((c, a), "pairs are compared by their second id, or by the sum. Compare them as tuples."),
            Mistake((a, b), "this pair is smaller, but it occurs less often."),
        ],
        smaller="best_pair({(2, 1): 3, (1, 2): 3}) is (1, 2)",
    )


def best_of(many):
    """The best pair of each, as a list; of None the word."""
    best = (tt.tokenization.best_pair(dict(counts)) for counts in many)
    return ["None" if pair is None else [int(n) for n in pair] for pair in best]


@exercise("best_pair", points=1)
def test_without_pairs_there_is_no_best(lab, draw):
    """best_pair gives None where there is no pair, and a pair where there is one"""
    a, b = (int(n) for n in draw.permutation(300)[:2])
    same(
        lab(best_of, [[], [((a, b), 1)], []]),
        ["None", [a, b], "None"],
        what=f"best_pair of {{}}, {{({a}, {b}): 1}}, {{}}",
    )


@exercise("merge", points=2)
def test_merge_replaces_the_pair(tt, draw):
    """merge puts the new id in the place of every occurrence of the pair"""
    a, b, c = (int(n) for n in draw.permutation(90)[:3])
    new = int(draw.integers(256, 400))
    parts = [[a, b], [c], [b, a], [a, b], [c], [a, b], [b], [a]]
    ids = [n for i in draw.permutation(8) for n in parts[i]] + [c, a, b, c]
    right = merged(ids, (a, b), new)
    first = right.index(new)
    same(
        tt.tokenization.merge(ids, (a, b), new),
        right,
        what=f"merge({ids}, ({a}, {b}), {new})",
        mistakes=[
            Mistake(merged_by_one(ids, (a, b), new), UP_BY_ONE),
            Mistake([*ids[:first], new, *ids[first + 2 :]], "only the first occurrence is merged."),
            Mistake(right[:-1], LAST_LOST),
        ],
        smaller="merge([1, 2, 3, 1, 2], (1, 2), 9) is [9, 3, 9]",
    )


@exercise("merge", points=2)
def test_merge_uses_both_ids_up(tt, draw):
    """merge uses both ids of a pair up: three equal ones are one merge and one left over"""
    a, b = (int(n) for n in draw.permutation(90)[:2])
    count, new = draw.choice([3, 5, 7]), int(draw.integers(256, 400))
    ids = [a] * count + [b]
    half = count // 2
    same(
        tt.tokenization.merge(ids, (a, a), new),
        [new] * half + [a, b],
        what=f"merge({ids}, ({a}, {a}), {new})",
        mistakes=[
            Mistake(merged_by_one(ids, (a, a), new), UP_BY_ONE),
            Mistake([new] * (count - 1) + [b], UP_BY_ONE),
            Mistake([a] + [new] * half + [b], "merges go from left to right; these began at the right end."),
            Mistake([new] * half + [a], LAST_LOST),
        ],
        smaller="merge([7, 7, 7, 5], (7, 7), 9) is [9, 7, 5]",
    )


@exercise("merge", points=2)
def test_merge_keeps_the_last_id(tt, draw):
    """merge keeps the last id, which has no right neighbour, and a list without the pair as it is"""
    a, b, c = (int(n) for n in draw.permutation(90)[:3])
    new = int(draw.integers(256, 400))
    for ids, right in (
        ([a, b, a], [new, a]),
        ([c, b, a, c], [c, b, a, c]),
        ([a], [a]),
        ([c, a, b], [c, new]),
        ([], []),
    ):
        same(
            tt.tokenization.merge(ids, (a, b), new),
            right,
            what=f"merge({ids}, ({a}, {b}), {new})",
            mistakes=[Mistake(right[:-1], LAST_LOST)],
        )


def merged_and_kept(ids, pair, new):
    """The merged ids, and what was given, afterwards."""
    return [list(tt.tokenization.merge(ids, pair, new)), ids]


@exercise("merge", points=1)
def test_merge_leaves_its_input_alone(lab, draw):
    """merge gives a new list, and the old one stays as it was"""
    ids = [int(n) for n in draw.integers(3, 5, 9)] + [3, 4]
    got, kept = lab(merged_and_kept, list(ids), (3, 4), 300)
    same(got, merged(ids, (3, 4), 300), what=f"merge({ids}, (3, 4), 300)")
    same(
        kept,
        ids,
        what="the list that was given, afterwards",
        mistakes=[Mistake(got, "the merges are made in the caller's list. Fill a new one.")],
    )


# ---- Corpus -----------------------------------------------------------------------------------------------------


def corpus_after(words, times, merges):
    """A corpus after merges: words, counts as [first, second, times], and where as [first, second, numbers]."""
    corpus = tt.tokenization.Corpus({word.encode(): n for word, n in zip(words, times, strict=True)})
    for number, pair in enumerate(merges):
        corpus.merge(tuple(pair), 256 + number)
    counts = sorted([int(a), int(b), int(n)] for (a, b), n in dict(corpus.counts).items())
    where = sorted([int(a), int(b), sorted(numbers)] for (a, b), numbers in dict(corpus.where).items())
    return [[list(word) for word in corpus.words], counts, where]


def several_words(draw, count):
    """So many different short words of few letters, and how often each occurs."""
    words = []
    while len(words) < count:
        word = letters(draw, "abn", int(draw.integers(2, 6)))
        if word not in words:
            words.append(word)
    return [*words, "banana"], [int(n) for n in draw.integers(1, 9, count + 1)]


@exercise("Corpus.merge", points=2)
def test_corpus_merges_in_every_word(lab, draw):
    """Corpus.merge merges the pair in every word that holds it"""
    words, times = several_words(draw, 5)
    pair = draw.choice([(97, 110), (110, 97)])
    right = [merged(word.encode(), pair, 256) for word in words]
    got, _, _ = lab(corpus_after, words, times, [pair])
    same(
        got,
        right,
        what=f"words of Corpus({dict(zip(words, times, strict=True))}) after merge({pair}, 256)",
        smaller="Corpus({b'ab': 1, b'b': 1}) after merge((97, 98), 256) has words [[256], [98]]",
    )


@exercise("Corpus.merge", points=2)
def test_corpus_counts_stay_true(lab, draw):
    """after Corpus.merge the counts are those of the merged words, each as often as it occurs"""
    words, times = several_words(draw, 6)
    merges = learnt(words, 2)
    ids = [list(word.encode()) for word in words]
    before = as_list(counted(ids, times))
    for number, pair in enumerate(merges):
        ids = [merged(word, pair, 256 + number) for word in ids]
    _, counts, _ = lab(corpus_after, words, times, merges)
    right = counted(ids, times)
    zero = {tuple(pair[:2]): 0 for pair in before} | right
    same(
        counts,
        as_list(right),
        what=f"counts of Corpus({dict(zip(words, times, strict=True))}) after merging {merges}, sorted",
        mistakes=[
            Mistake(before, "the counts are those from before: the old pairs must leave, the new ones enter."),
            Mistake(as_list(counted(ids, [1] * len(ids))), "each word counts once. It counts as often as it occurs."),
            Mistake(as_list(zero), "pairs that do not occur any more are there with 0."),
        ],
    )


@exercise("Corpus.merge", points=2)
def test_corpus_knows_where_pairs_are(lab, draw):
    """after Corpus.merge the corpus knows in which words each pair is"""
    words, times = several_words(draw, 6)
    merges = [[97, 110], [256, 97]] if draw.choice([0, 1]) else [[110, 97], [97, 256], [98, 257]]
    ids = [list(word.encode()) for word in words]
    for number, pair in enumerate(merges):
        ids = [merged(word, pair, 256 + number) for word in ids]
    pairs = counted(ids, times)
    right = [[*pair, [n for n, word in enumerate(ids) if pair in itertools.pairwise(word)]] for pair in pairs]
    _, _, where = lab(corpus_after, words, times, merges)
    same(where, sorted(right), what=f"where of Corpus({dict(zip(words, times, strict=True))}) after merging {merges}")


@exercise("Corpus.merge", points=1)
def test_corpus_takes_a_pair_that_is_not_there(lab, draw):
    """Corpus.merge of a pair that no word holds changes nothing, and a later merge works"""
    words, times = several_words(draw, 4)
    ids = [merged(word.encode(), (97, 110), 257) for word in words]
    got, counts, _ = lab(corpus_after, words, times, [(120, 121), (97, 110)])
    what = f"Corpus({dict(zip(words, times, strict=True))}) after merging (120, 121) and (97, 110)"
    same(got, ids, what=f"words of {what}")
    same(counts, as_list(counted(ids, times)), what=f"counts of {what}")


# ---- BPETokenizer -----------------------------------------------------------------------------------------------


def trained(texts, vocab_size, special):
    """The merges that a tokenizer learns, as lists of two ids, and their new ids."""
    tokenizer = tt.BPETokenizer(special)
    tokenizer.train(texts, vocab_size)
    merges = dict(tokenizer.merges)
    return [[[int(a), int(b)] for a, b in merges], [int(n) for n in merges.values()]]


def sentence(draw, count):
    """So many words of few letters, with single spaces between them."""
    return " ".join(letters(draw, "abn", int(draw.integers(2, 7))) for _ in range(count))


@exercise("BPETokenizer.train", points=3)
def test_training_merges_the_best_pair_again_and_again(lab, draw):
    """train learns the most frequent pair of what the merges before it have left, again and again"""
    text = sentence(draw, 8) + " banana"
    count = draw.choice([4, 5, 6])
    merges, _ = lab(trained, text, 256 + count, [])
    bytes_ = counted([(" " * (n > 0) + word).encode() for n, word in enumerate(text.split(" "))], [1] * 9)
    same(
        merges,
        learnt([text], count),
        what=f"merges of BPETokenizer().train({text!r}, {256 + count})",
        mistakes=[
            Mistake(learnt([text], count - 1), "one merge is missing: there are vocab_size - 256 of them."),
            Mistake(learnt([text], count, choose=seen_first), FIRST_SEEN),
            Mistake(learnt([text], count, choose=highest), LARGEST),
            Mistake(
                [list(pair) for pair in sorted(bytes_, key=lambda pair: (-bytes_[pair], pair))[:count]],
                "these are the most frequent pairs of bytes. After each merge there are other pairs: count again.",
            ),
        ],
        smaller='BPETokenizer().train("banana", 257).merges is {(97, 110): 256}',
    )


@exercise("BPETokenizer.train", points=2)
def test_training_counts_bytes_and_special_tokens(lab, draw):
    """train learns as many merges as bytes and special tokens leave room for, and their ids come after those"""
    text = "banana bandana " + sentence(draw, 6)
    special = some(draw, SPECIAL, draw.choice([1, 2, 3]))
    count, first = draw.choice([3, 4]), 256 + len(special)
    merges, ids = lab(trained, text, first + count, special)
    what = f"BPETokenizer({special}).train({text!r}, {first + count})"
    too_many = Mistake(count + len(special), "there are more ids than vocab_size: special tokens count, too.")
    same(len(merges), count, what=f"number of merges of {what}", mistakes=[too_many])
    same(ids, list(range(first, first + count)), what=f"ids of the merges of {what}")
    same(merges, learnt([text], count, first), what=f"merges of {what}")


@exercise("BPETokenizer.train", points=2)
def test_training_stops_when_no_pair_is_left(tt, draw):
    """train stops when every word is one id, however large vocab_size is"""
    word = "".join(some(draw, "abcdefgh", draw.choice([4, 5, 6])))
    tokenizer = tt.BPETokenizer()
    tokenizer.train(word, 1000)
    same(tokenizer.vocab_size, 255 + len(word), what=f"vocab_size of BPETokenizer().train({word!r}, 1000)")
    same(tokenizer.encode(word), [254 + len(word)], what=f"BPETokenizer().train({word!r}, 1000).encode({word!r})")
    empty = tt.BPETokenizer()
    empty.train("", 300)
    same(empty.vocab_size, 256, what='vocab_size of BPETokenizer().train("", 300)')


@exercise("BPETokenizer.train", points=1)
def test_training_takes_several_texts(lab, draw):
    """train takes several texts, in any order, and no pair goes from one into the next"""
    texts = [letters(draw, "abn", 5) for _ in range(6)]
    right = learnt(texts, 5)
    for some_order in (texts, some(draw, texts, 6)):
        merges, _ = lab(trained, some_order, 261, [])
        same(
            merges,
            right,
            what=f"merges of BPETokenizer().train({some_order}, 261)",
            mistakes=[
                Mistake(learnt(["".join(some_order)], 5), "pairs are counted from the end of one text into the next."),
                Mistake(learnt(some_order[:1], 5), "only the first text is looked at."),
                Mistake(learnt(some_order, 5, choose=seen_first), FIRST_SEEN),
            ],
        )


def trained_again(first, second, vocab_size):
    """Whether train gave the tokenizer itself; its merges and vocab_size after a second training."""
    tokenizer = tt.BPETokenizer(["<end>"])
    itself = tokenizer.train(first, vocab_size) is tokenizer
    tokenizer.train(second, vocab_size)
    merges = [[int(a), int(b)] for a, b in dict(tokenizer.merges)]
    return ["itself" if itself else "something else", merges, int(tokenizer.vocab_size)]


@exercise("BPETokenizer.train", points=1)
def test_training_starts_anew(lab, draw):
    """train gives the tokenizer itself back, and forgets what it had learnt before"""
    first, second = sentence(draw, 5), "nab " + sentence(draw, 6)
    itself, merges, size = lab(trained_again, first, second, 260)
    what = f"train({first!r}, 260) and then train({second!r}, 260)"
    same(
        merges,
        learnt([second], 3, 257),
        what=f"merges after {what}",
        mistakes=[Mistake(learnt([first], 3, 257), "the merges of the first training are still there: forget them.")],
    )
    same(size, 260, what=f"vocab_size after {what}")
    same(itself, "itself", what="what train gives back", mistakes=[Mistake("something else", GIVES_ITSELF)])


@exercise("BPETokenizer.train", points=2)
def test_training_refuses_a_size_too_small(lab, tt, draw):
    """train refuses a vocab_size that bytes and special tokens do not fit into, and learns nothing then"""
    special = some(draw, SPECIAL, draw.choice([2, 3]))
    text, least = "banana " + sentence(draw, 4), 256 + len(special)
    tokenizer = named(tt.BPETokenizer(special), "tokenizer")
    tokenizer.train(text, least + 2)
    raises(ValueError, lambda: tokenizer.train("other", least - 1), mentions=[least - 1, least])
    raises(TypeError, lambda: tokenizer.train(None, least + 1), mentions=["NoneType"])
    same(tokenizer.vocab_size, least + 2, what="vocab_size after trainings that were refused")
    tokenizer.train(text, least)
    same(tokenizer.vocab_size, least, what=f"vocab_size after train(text, {least}), with {len(special)} special tokens")
    same(
        lab(trained, text, least + 2, special)[0],
        learnt([text], 2, least),
        what=f"merges of train({text!r}, {least + 2})",
    )


def encoded(word, merges):
    """The ids of a word by these merges."""
    tokenizer = tt.BPETokenizer()
    for pair in merges:
        tokenizer.learn(tuple(pair))
    ids = tokenizer.encode_chunk(word)
    return "bytes" if isinstance(ids, bytes) else [int(n) for n in ids]


@exercise("BPETokenizer.encode_chunk", points=3)
def test_the_merge_that_was_learnt_first_comes_first(lab, draw):
    """encode_chunk merges the pair that was learnt first, wherever it stands"""
    a, b, c, d, e, f = (int(n) for n in 97 + draw.permutation(20)[:6])
    merges = [[b, c], [a, b], [d, e], [e, f], [a, 256]]
    word = bytes([a, b, c, d, e, f, a, b])
    same(
        lab(encoded, word, merges),
        [260, 258, f, 257],
        what=f"encode_chunk({word!r}) with the merges {merges}, the first one's id being 256",
        mistakes=[
            Mistake(ranked(word, merges, any_pair_first), LEFT_TO_RIGHT),
            Mistake(ranked(word, merges, max), LARGEST_ID),
            Mistake(merged(word, (b, c), 256), ONE_ONLY),
            Mistake(list(word), "nothing was merged: these are the bytes."),
        ],
        smaller="with merges (117, 103), then (104, 117): encode_chunk(b'hug') is [104, 256]",
    )


@exercise("BPETokenizer.encode_chunk", points=2)
def test_a_word_is_encoded_as_in_training(lab, draw):
    """encode_chunk gives a word the ids that its merges lead to, also a word that was not in training"""
    merges = learnt([sentence(draw, 12) + " banana nab"], 9)
    for word in (letters(draw, "abn", 9), "banana" + letters(draw, "abnx", 5)):
        right = ranked(word.encode(), merges)
        same(
            lab(encoded, word.encode(), merges),
            right,
            what=f"encode_chunk({word.encode()!r}) with the merges {merges}",
            mistakes=[
                Mistake(ranked(word.encode(), merges, any_pair_first), LEFT_TO_RIGHT),
                Mistake(ranked(word.encode(), merges, max), LARGEST_ID),
            ],
        )


@exercise("BPETokenizer.encode_chunk", points=1)
def test_bytes_that_no_merge_knows_stay_bytes(lab, draw):
    """encode_chunk leaves bytes alone that no merge knows, and takes words of one byte or none"""
    a, b, c = (int(n) for n in draw.permutation(256)[:3])
    for word, right in ((bytes([c, b, a]), [c, b, a]), (bytes([a]), [a]), (b"", []), (bytes([a, b]), [256])):
        same(lab(encoded, word, [[a, b]]), right, what=f"encode_chunk({word!r}) with the merge {[a, b]}")


@exercise("BPETokenizer.decode", points=2)
def test_bytes_are_joined_before_they_are_read(tt, draw):
    """BPETokenizer.decode gives every text back: it joins the bytes of all ids, then reads them"""
    text = any_text(draw, 10) + draw.choice(["\U0001f600", "e\u0301", "日本", "\x00\x1b"]) + "é"
    ids = list(text.encode())
    same(
        tt.BPETokenizer().decode(ids),
        text,
        what=f"BPETokenizer().decode({ids})",
        mistakes=[
            Mistake("".join(bytes([n]).decode(errors="replace") for n in ids), ALONE),
            Mistake(
                "".join(chr(n) for n in ids), "each byte was taken for a character. UTF-8 may need several for one."
            ),
            Mistake(text.encode("ascii", "ignore").decode(), "what is not ASCII is lost: decode as UTF-8."),
        ],
        smaller='BPETokenizer().decode([195, 169]) is "é"',
    )


def decoded(merges, special, ids, skip_special):
    """The text of ids, by a tokenizer with these merges and special tokens."""
    tokenizer = tt.BPETokenizer(special)
    for pair in merges:
        tokenizer.learn(tuple(pair))
    return tokenizer.decode(ids, skip_special=skip_special)


@exercise("BPETokenizer.decode", points=2)
def test_merged_ids_are_all_their_bytes(lab, draw):
    """BPETokenizer.decode gives merged ids all their bytes, also where a character lies across two ids"""
    a, b = (int(n) for n in 97 + draw.permutation(20)[:2])
    merges = [[a, 195], [169, b], [256, 257], [258, 258]]
    ids = [int(n) for n in draw.permutation(3)[[0, 1]] + 258] + [256, 257, b]
    ids = [n if n < 260 else 259 for n in ids]
    pieces = {256: bytes([a, 195]), 257: bytes([169, b]), b: bytes([b])}
    pieces[258] = pieces[256] + pieces[257]
    pieces[259] = pieces[258] * 2
    same(
        lab(decoded, merges, [], ids, False),
        b"".join(pieces[n] for n in ids).decode(),
        what=f"decode({ids}) with the merges {merges}",
        mistakes=[Mistake("".join(pieces[n].decode(errors="replace") for n in ids), ALONE)],
    )


@exercise("BPETokenizer.decode", points=2)
def test_bytes_that_are_no_text_are_replaced(tt, draw):
    """BPETokenizer.decode puts the replacement sign for bytes that are no UTF-8, and does not fail"""
    a, b = letters(draw, "abcdef", 3), letters(draw, "uvwxyz", 2)
    broken = draw.choice([b"\xff", b"\xc3", b"\x80", b"\xf0\x9f\x98"])
    ids = [*a.encode(), *broken, *b.encode(), 0xC3]
    same(
        tt.BPETokenizer().decode(ids),
        f"{a}\ufffd{b}\ufffd",
        what=f"BPETokenizer().decode({ids})",
        mistakes=[
            Mistake(a + b, 'what cannot be read is left out. Show that something was there: errors="replace".'),
        ],
        smaller='BPETokenizer().decode([97, 255]) is "a\ufffd"',
    )


@exercise("BPETokenizer.decode", points=2)
def test_special_ids_are_written_out_or_left_out(lab, draw):
    """BPETokenizer.decode writes special tokens out, and leaves them out with skip_special"""
    special = some(draw, SPECIAL, 3)
    a, b = letters(draw, "abcdef", 3), letters(draw, "uvwxyz", 2)
    x, y = (int(n) for n in draw.permutation(3)[:2])
    ids = [*a.encode(), 256 + x, 259, *b.encode(), 256 + y]
    what = f"BPETokenizer({special}), with the merge (110, 97), .decode({ids}"
    whole, kept = f"{a}{special[x]}na{b}{special[y]}", f"{a}na{b}"
    same(
        lab(decoded, [[110, 97]], special, ids, False),
        whole,
        what=f"{what})",
        mistakes=[Mistake(kept, "the special tokens are left out although skip_special is False.")],
    )
    same(
        lab(decoded, [[110, 97]], special, ids, True),
        kept,
        what=f"{what}, skip_special=True)",
        mistakes=[
            Mistake(whole, "skip_special is not looked at."),
            Mistake(a + b, "all ids from 256 on are left out. Only the special ones are: self.special_ids."),
        ],
    )


@exercise("BPETokenizer.decode", points=1)
def test_bpe_refuses_ids_that_nobody_has(tt, draw):
    """BPETokenizer.decode refuses an id below 0 or beyond the last, and what is no whole number"""
    special = some(draw, SPECIAL, draw.choice([1, 2, 3]))
    size = 256 + len(special)
    tokenizer = named(tt.BPETokenizer(special), "tokenizer")
    raises(IndexError, lambda: tokenizer.decode([97, size]), mentions=[size])
    raises(IndexError, lambda: tokenizer.decode([-1]), mentions=[-1])
    raises(TypeError, lambda: tokenizer.decode(["a"]), mentions=["str"])
    text = letters(draw, "abc", 4)
    same(tokenizer.decode(tt.tensor(np.array([*text.encode(), size - 1]))), text + special[-1])


def said(merges, special):
    """What a tokenizer says of itself: its keys, special tokens, and merges."""
    tokenizer = tt.BPETokenizer(special)
    for pair in merges:
        tokenizer.learn(tuple(pair))
    state = tokenizer.state()
    merges = state["merges"]
    listed = merges if isinstance(merges, dict) else [list(pair) for pair in merges]
    return [sorted(state), list(state["special_tokens"]), listed if isinstance(listed, list) else "a dict"]


@exercise("BPETokenizer.state", points=2)
def test_state_lists_the_merges_in_their_order(lab, draw):
    """state lists the two ids of every merge, in the order in which they were learnt"""
    special = some(draw, SPECIAL, 2)
    a, b, c = (int(n) for n in 97 + draw.permutation(20)[:3])
    merges = [[c, a], [b, 258], [a, b]] if a < c else [[c, a], [258, 258], [a, b], [b, 259]]
    keys, tokens, listed = lab(said, merges, special)
    same(keys, ["merges", "special_tokens"], what="the keys of state(), sorted")
    same(tokens, special, what='state()["special_tokens"]')
    same(
        listed,
        merges,
        what=f'state()["merges"] after learning {merges}',
        mistakes=[
            Mistake("a dict", "the merges are a dict, and JSON makes strings of its keys. Make a list of pairs."),
            Mistake(sorted(merges), "the order in which they were learnt is lost."),
            Mistake(
                [[*pair, 258 + n] for n, pair in enumerate(merges)], "the new ids are there, too: two ids are due."
            ),
        ],
        smaller="after learn((97, 110)): [[97, 110]]",
    )


def saved_and_loaded(text, vocab_size, asked):
    """The ids of a text before a tokenizer was saved, and those of the one that was loaded."""
    import pathlib
    import tempfile

    tokenizer = tt.BPETokenizer(["<end>"])
    tokenizer.train(text, vocab_size)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "tokenizer.json")
        tokenizer.save(path)
        loaded = tt.BPETokenizer.load(path)
    ids = [[int(n) for n in each.encode(asked, parse_special=True)] for each in (tokenizer, loaded)]
    return [*ids, loaded.decode(ids[1])]


@exercise("BPETokenizer.state", points=2)
def test_a_saved_tokenizer_gives_the_same_ids(lab, draw):
    """a tokenizer that was saved and loaded gives the same ids"""
    text = "banana bandana " + sentence(draw, 5)
    asked = letters(draw, "abn", 8) + "é<end>banana \U0001f600"
    before, after, back = lab(saved_and_loaded, text, 264, asked)
    merges = learnt([text], 7, 257)
    same(
        after,
        before,
        what=f"encode({asked!r}) by the tokenizer that was loaded, trained with {text!r}",
        mistakes=[Mistake(list(asked.encode()), "all merges are lost: these are the bytes.")],
    )
    same(back, asked, what="that text, decoded again")
    same(lab(said, merges, ["<end>"])[2], merges, what='state()["merges"]')
