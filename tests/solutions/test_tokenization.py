"""Module 10's solutions: hand-worked cases, a naive second implementation, round trips, work as the text grows."""

from __future__ import annotations

import json
import random
import re
import stat
import sys
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tinytorch.course import TENSOR, TOKENIZATION
from tests.prose.examples import solution
from tools import ROOT

SHAKESPEARE = ROOT.parent / "shared" / "datasets" / "tinyshakespeare" / "input.txt"
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
FEW_LETTERS = st.text("ab \n!é🙂", max_size=60)
HARD = [
    "",
    " ",
    "  \n\t \r\n ",
    "\x00\x01\x1b\x7f\x80\x85",
    "🙂",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "e\u0301 \u0301",
    "\u202e\ufeff\u2028",
    "\ufffd\ufffe\uffff\U0010ffff",
    "<end><end",
    "a" * 1000,
    "日本語" * 50,
    "don't  stop,\nplease...",
]


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(TOKENIZATION)


@pytest.fixture(scope="module")
def english(ours: Any) -> Any:
    """A tokenizer that was trained on some English."""
    text = "the cat sat on the mat, and the dog sat on the cat. the end of the cat is the end of the mat! " * 3
    return ours.BPETokenizer(["<end>", "<pad>"]).train(text, 330)


# ---- a naive second implementation: everything counted afresh, on lists of pieces ----


def words(text: str) -> list[bytes]:
    """The words as the pattern of GPT-2 gives them for ASCII, cut where they are longer than 32 bytes."""
    kinds = "".join(
        " " if b in b" \t\n\r\f\v" else "w" if b > 127 or chr(b).isalnum() or b == 95 else "." for b in text.encode()
    )
    found, start = [], 0
    for match in re.finditer(r" ?w{1,32}| ?\.{1,32}|\s{1,32}(?!\S)|\s{1,32}", _lined(text.encode(), kinds)):
        assert match.start() == start
        start = match.end()
        found.append(text.encode()[match.start() : match.end()])
    assert start == len(kinds)
    return found


def _lined(data: bytes, kinds: str) -> str:
    """The kinds, where spaces that are no blanks stand as line ends: only a blank may begin a word."""
    return "".join("\n" if kind == " " and byte != 32 else kind for byte, kind in zip(data, kinds, strict=True))


def naive_merge(pieces: list[int], pair: tuple[int, int], new: int) -> list[int]:
    done: list[int] = []
    for piece in pieces:
        if done and (done[-1], piece) == pair:
            done[-1] = new
        else:
            done.append(piece)
    return done


def naive_train(texts: list[str], merges: int, first: int = 256) -> list[tuple[int, int]]:
    corpus = [list(word) for text in texts for word in words(text)]
    learnt: list[tuple[int, int]] = []
    while len(learnt) < merges:
        counts = Counter(pair for word in corpus for pair in pairwise(word))
        if not counts:
            break
        pair = sorted(counts, key=lambda pair: (-counts[pair], pair))[0]
        corpus = [naive_merge(word, pair, first + len(learnt)) for word in corpus]
        learnt.append(pair)
    return learnt


def naive_encode(text: str, merges: list[tuple[int, int]], first: int = 256) -> list[int]:
    """Every merge in turn, over every word."""
    ids = []
    for word in words(text):
        pieces = list(word)
        for number, pair in enumerate(merges):
            pieces = naive_merge(pieces, pair, first + number)
        ids += pieces
    return ids


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(FEW_LETTERS, max_size=3), merges=st.integers(0, 12), other=FEW_LETTERS)
def test_merges_and_ids_are_those_of_the_naive_way(texts: list[str], merges: int, other: str) -> None:
    tokenizer = solution(TOKENIZATION).BPETokenizer(["<end>"]).train(texts, 257 + merges)
    learnt = naive_train(texts, merges, 257)
    assert list(tokenizer.merges) == learnt
    assert list(tokenizer.merges.values()) == list(range(257, 257 + len(learnt)))
    for text in (*texts, other):
        assert tokenizer.encode(text) == naive_encode(text, learnt, 257)


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, 2), max_size=30), pair=st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_pairs_and_merges_are_those_of_the_naive_way(ids: list[int], pair: tuple[int, int]) -> None:
    ours = solution(TOKENIZATION)
    before = list(ids)
    assert ours.merge(ids, pair, 9) == naive_merge(ids, pair, 9)
    assert ids == before
    assert sum(ours.count_pairs(ids).values()) == max(0, len(ids) - 1)
    assert ours.count_pairs(ids) == {p: sum(q == p for q in pairwise(ids)) for p in set(pairwise(ids))}


@settings(max_examples=60, deadline=None)
@given(texts=st.dictionaries(st.binary(min_size=1, max_size=8), st.integers(1, 5), max_size=8), seed=st.integers(0, 99))
def test_a_corpus_after_merges_is_one_counted_afresh(texts: dict[bytes, int], seed: int) -> None:
    ours = solution(TOKENIZATION)
    corpus = ours.Corpus(texts)
    for new in range(256, 260):
        pairs = sorted(corpus.counts)
        if pairs:
            corpus.merge(random.Random(seed).choice(pairs), new)  # noqa: S311  # a sample, no secret
        afresh = Counter(p for word, n in zip(corpus.words, corpus.times, strict=True) for p in [*pairwise(word)] * n)
        assert corpus.counts == afresh
        assert corpus.where == {p: {n for n, word in enumerate(corpus.words) if p in pairwise(word)} for p in afresh}


# ---- by hand ----


def test_banana(ours: Any) -> None:
    tokenizer = ours.BPETokenizer().train("banana", 1000)
    assert list(tokenizer.merges) == [(97, 110), (98, 256), (256, 97), (257, 258)]
    assert tokenizer.encode("banana") == [259]
    assert tokenizer.encode("bananana") == [257, 256, 258]
    assert [tokenizer.pieces[n] for n in tokenizer.encode("bandana")] == [b"ban", b"d", b"ana"]


def test_the_example_of_the_encyclopedias(ours: Any) -> None:
    """Gage's own: aaabdaaabac becomes XdXac with Z = aa, Y = ab, X = ZY."""
    tokenizer = ours.BPETokenizer().train("aaabdaaabac", 259)
    assert tokenizer.pieces[256:] == [b"aa", b"ab", b"aaab"]
    assert tokenizer.encode("aaabdaaabac") == [258, 100, 258, 97, 99]


@pytest.mark.parametrize("text", HARD)
def test_words_are_the_text(ours: Any, text: str) -> None:
    assert b"".join(ours.chunks(text)) == text.encode()
    assert ours.chunks(text) == words(text)
    assert max(map(len, ours.chunks(text)), default=0) <= 33


# ---- nothing is lost ----


@pytest.mark.parametrize("text", HARD)
def test_hard_texts_come_back(ours: Any, english: Any, text: str) -> None:
    for tokenizer in (english, ours.BPETokenizer(), ours.CharTokenizer().train(text)):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert english.decode(english.encode(text, parse_special=True)) == text


@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT, train=ANY_TEXT, vocab_size=st.integers(257, 300))
def test_every_text_comes_back(text: str, train: str, vocab_size: int) -> None:
    ours = solution(TOKENIZATION)
    tokenizer = ours.BPETokenizer(["<end>"]).train(train, vocab_size)
    assert tokenizer.vocab_size <= vocab_size
    assert tokenizer.decode(tokenizer.encode(text)) == text
    characters = ours.CharTokenizer().train([train, text])
    assert characters.decode(characters.encode(text)) == text
    assert characters.vocab_size == len(set(train + text))


def test_characters_from_all_of_unicode_come_back(ours: Any, english: Any) -> None:
    text = "".join(chr(n) for n in (*range(0xD800), *range(0xE000, 0x110000, 17)))
    assert english.decode(english.encode(text)) == text
    assert ours.CharTokenizer().train(text).vocab_size == len(text)


def test_nothing_is_normalised_on_the_way(english: Any) -> None:
    assert unicodedata.normalize("NFC", "e\u0301") == "é"
    assert english.encode("e\u0301") != english.encode("é")


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, 299), max_size=30))
def test_any_ids_give_a_text(ids: list[int]) -> None:
    tokenizer = (
        solution(TOKENIZATION).BPETokenizer().train("banana bandana " * 2 + "".join(map(chr, range(32, 300))), 300)
    )
    assert tokenizer.vocab_size == 300
    data = b"".join(tokenizer.pieces[n] for n in ids)
    assert tokenizer.decode(ids) == data.decode(errors="replace")


# ---- special tokens and the unknown ----


def test_special_tokens_have_reserved_ids(ours: Any, english: Any) -> None:
    assert english.special_ids == {"<end>": 256, "<pad>": 257}
    assert ours.BPETokenizer(["<end>", "<pad>"]).special_ids == english.special_ids
    characters = ours.CharTokenizer(["<pad>", "."]).train("a.b.c")
    assert characters.special_ids == {"<pad>": 0, ".": 1}
    assert characters.encode("a.") == [2, 1]
    assert characters.vocab_size == 5
    assert "a" in characters.vocabulary
    assert "." in characters.vocabulary
    assert "<end>" not in characters.vocabulary


def test_special_tokens_are_found_only_where_asked(ours: Any, english: Any) -> None:
    assert english.encode("cat<end><pad>", parse_special=True)[-2:] == [256, 257]
    assert not {256, 257} & set(english.encode("cat<end><pad>"))
    longer = ours.BPETokenizer(["<e>", "<e><e>"])
    assert longer.encode("<e><e><e>", parse_special=True) == [257, 256]
    assert longer.decode([97, 257, 98], skip_special=True) == "ab"


def test_the_unknown_stands_for_all_that_is_not_there(ours: Any) -> None:
    tokenizer = ours.CharTokenizer(["<pad>", "<unk>"], unknown="<unk>").train("abc")
    assert tokenizer.encode("a🙂c") == [2, 1, 4]
    assert tokenizer.decode([2, 1, 4]) == "a<unk>c"
    assert ours.CharTokenizer(["?"], unknown="?").encode("ab") == [0, 0]
    with pytest.raises(ValueError, match=r"^'d' is none of the 3 tokens, and there is no unknown token"):
        ours.CharTokenizer().train("abc").encode("abcd")


def test_ids_come_from_tensors_and_arrays(ours: Any, english: Any) -> None:
    ids = english.encode("the cat")
    assert english.decode(np.array(ids)) == english.decode(solution(TENSOR).tensor(ids)) == "the cat"
    assert english.decode(iter(ids)) == english.decode([np.int64(n) for n in ids]) == "the cat"
    assert ours.Vocabulary(["a", "b"]).decode(np.array([1, 0])) == ["b", "a"]


# ---- the same text, the same ids ----


def test_training_does_not_depend_on_the_order_of_texts(ours: Any) -> None:
    texts = ["the cat sat", "on the mat", "a cat, a mat, a hat", "that hat"]
    wanted = ours.BPETokenizer().train(texts, 300).merges
    for seed in range(5):
        random.Random(seed).shuffle(texts)  # noqa: S311  # a sample, no secret
        assert list(ours.BPETokenizer().train(iter(texts), 300).merges) == list(wanted)
    letters = ours.CharTokenizer().train("cab").vocabulary.tokens
    assert letters == ours.CharTokenizer().train(["b", "ac"]).vocabulary.tokens == ["a", "b", "c"]


def test_a_larger_vocabulary_begins_like_a_smaller_one(ours: Any) -> None:
    text = "the cat sat on the mat that the hat had"
    small, large = (ours.BPETokenizer().train(text, size) for size in (262, 280))
    assert list(large.merges)[:6] == list(small.merges)
    assert len(large.encode(text)) < len(small.encode(text)) < len(text)


# ---- bad input ----


@pytest.mark.parametrize("kind", ["CharTokenizer", "BPETokenizer"])
@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (b"abc", TypeError, r'^text is a str, not bytes: make one of it with data\.decode\("utf-8"\)$'),
        (None, TypeError, r"^text is a str, not NoneType$"),
        (7, TypeError, r"^text is a str, not int$"),
        ("ab\ud83d", ValueError, r"^the text has a lone surrogate, '\\ud83d', at position 2: it is half a character"),
        ("\udc80", ValueError, r"^the text has a lone surrogate, '\\udc80', at position 0"),
    ],
)
def test_what_is_no_text_is_refused(ours: Any, kind: str, text: Any, error: type[Exception], says: str) -> None:
    tokenizer = getattr(ours, kind)().train("abc", 256)
    for call in (
        tokenizer.encode,
        lambda text: tokenizer.train(text, 300),
        lambda text: tokenizer.train(["a", text], 300),
    ):
        with pytest.raises(error, match=says) as caught:
            call(text)
        assert "\n" not in str(caught.value)
        str(caught.value).encode()  # can be printed anywhere
    assert tokenizer.decode(tokenizer.encode("abc")) == "abc"
    assert tokenizer.encode("abc") == ([97, 98, 99] if kind == "BPETokenizer" else [0, 1, 2])


@pytest.mark.parametrize(
    ("ids", "error", "says"),
    [
        ([0, 4], IndexError, r"^id 4 at position 1 is none of this vocabulary's, which has 4$"),
        ([-1], IndexError, r"^id -1 at position 0"),
        ([1.0], TypeError, r"whole numbers, and here 'float'"),
        (["a"], TypeError, r"whole numbers, and here 'str'"),
        ([[1, 2]], TypeError, r"whole numbers, and here 'list'"),
        (3, TypeError, r"^ids are a sequence of whole numbers, not int$"),
        ("12", TypeError, r"^ids are a sequence of whole numbers, not str$"),
        (None, TypeError, r"^ids are a sequence of whole numbers, not NoneType$"),
        (np.array([0.5]), TypeError, r"whole numbers, and here 'float'"),
    ],
)
def test_ids_that_are_none_are_refused(ours: Any, ids: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ours.CharTokenizer(["<end>"]).train("abc").decode(ids)


def test_a_vocabulary_smaller_than_the_alphabet_is_refused(ours: Any) -> None:
    with pytest.raises(ValueError, match=r"^vocab_size 256 is too small: 256 bytes and 1 special tokens need 257$"):
        ours.BPETokenizer(["<end>"]).train("abc", 256)
    with pytest.raises(ValueError, match=r"^vocab_size 3 is too small: 3 tokens and 1 special ones need 4$"):
        ours.CharTokenizer(["<end>"]).train("abc", 3)
    assert ours.CharTokenizer(["<end>"]).train("abc", np.int64(4)).vocab_size == 4
    for size in (300.0, "300", True, None):
        with pytest.raises(TypeError, match=r"^vocab_size is a whole number, not"):
            ours.BPETokenizer().train("abc", size)


def test_tokens_that_cannot_be_told_apart_are_refused(ours: Any) -> None:
    with pytest.raises(ValueError, match=r"^every token has one id, but '<end>' is there 2 times$"):
        ours.BPETokenizer(["<end>", "<pad>", "<end>"])
    with pytest.raises(ValueError, match=r"^a token has at least one character"):
        ours.CharTokenizer([""])
    with pytest.raises(TypeError, match=r"^tokens are a sequence of strings, not one string, '<end>'$"):
        ours.CharTokenizer("<end>")
    with pytest.raises(ValueError, match=r"^unknown is one of the special tokens \['<end>'\], not '\?'$"):
        ours.Vocabulary(["a"], ["<end>"], unknown="?")


def test_a_training_that_was_refused_changes_nothing(ours: Any) -> None:
    tokenizer = ours.BPETokenizer().train("banana", 258)
    for text, size in (("other", 10), (["other", b"x"], 300), ("\ud800", 300)):
        with pytest.raises((TypeError, ValueError)):
            tokenizer.train(text, size)
    assert list(tokenizer.merges) == [(97, 110), (98, 256)]


def test_nothing_to_learn_from(ours: Any) -> None:
    for text in ("", [], ["", ""], "a", ["a", "b"]):
        assert ours.BPETokenizer().train(text, 300).vocab_size == 256
    empty = ours.CharTokenizer().train("")
    assert (empty.vocab_size, empty.encode(""), empty.decode([])) == (0, [], "")


# ---- files ----


def examples(ours: Any) -> list[Any]:
    return [
        ours.Vocabulary(["cat", "é", "🙂"], ["<unk>", "<pad>"], unknown="<pad>"),
        ours.CharTokenizer(["<unk>"], unknown="<unk>").train("naïve\x00\u2028🙂"),
        ours.CharTokenizer().train(""),
        ours.BPETokenizer(["<end>", "☃"]).train("banana bandana, the banana!", 270),
        ours.BPETokenizer(),
    ]


def test_a_file_gives_the_same_tokenizer(ours: Any, tmp_path: Path) -> None:
    for tokenizer in examples(ours):
        path = tmp_path / "tokenizer.json"
        tokenizer.save(path)
        loaded = type(tokenizer).load(str(path))
        assert type(loaded) is type(tokenizer)
        assert loaded.vocab_size == tokenizer.vocab_size
        assert loaded.special_ids == tokenizer.special_ids
        assert loaded.state() == tokenizer.state()
        again = tmp_path / "again.json"
        loaded.save(again)
        assert again.read_bytes() == path.read_bytes()
    for text in HARD:
        tokenizer = ours.BPETokenizer(["<end>"]).train([*HARD, text], 300)
        tokenizer.save(path)
        assert ours.BPETokenizer.load(path).encode(text) == tokenizer.encode(text)


def test_a_file_says_what_it_is(ours: Any, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    ours.BPETokenizer(["<end>"]).train("banana", 259).save(path)
    assert json.loads(path.read_text("ascii")) == {
        "kind": "BPETokenizer",
        "version": 1,
        "special_tokens": ["<end>"],
        "merges": [[97, 110], [98, 257]],
    }


def test_truncated_files_are_refused(ours: Any, tmp_path: Path) -> None:
    for tokenizer in examples(ours):
        path = tmp_path / "tokenizer.json"
        tokenizer.save(path)
        whole = path.read_bytes()
        for length in {*range(0, len(whole), 7), len(whole) - 1}:
            path.write_bytes(whole[:length])
            with pytest.raises(
                ValueError, match=r"tokenizer\.json is no \w+ file, or a truncated one \(.+\)$"
            ) as caught:
                type(tokenizer).load(path)
            assert "\n" not in str(caught.value)


GOOD = {"kind": "BPETokenizer", "version": 1, "special_tokens": ["<end>"], "merges": [[97, 110], [98, 257]]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 2}, "is of version 2, and this tinytorch reads 1$"),
        ({"version": None}, "is of version None"),
        ({"kind": "CharTokenizer"}, "is no BPETokenizer file: its kind is 'CharTokenizer'$"),
        ({"kind": None}, "is no BPETokenizer file: its kind is None$"),
        ({"merges": None}, "is a damaged BPETokenizer file"),
        ({"merges": {"(97, 110)": 257}}, "is a damaged BPETokenizer file"),
        ({"merges": [[97]]}, "is a damaged BPETokenizer file"),
        ({"merges": [[97, 98, 99]]}, "is a damaged BPETokenizer file"),
        ({"merges": ["ab"]}, "is a damaged BPETokenizer file"),
        ({"merges": [[97.0, 98]]}, "is a damaged BPETokenizer file"),
        ({"merges": [[97, 257]]}, "is a damaged BPETokenizer file"),
        ({"merges": [[97, -1]]}, "is a damaged BPETokenizer file"),
        ({"merges": [[97, 256]]}, "is a damaged BPETokenizer file .*special or there already"),
        ({"merges": [[97, 98], [97, 98]]}, "is a damaged BPETokenizer file .*special or there already"),
        (
            {"merges": [[97, 97], *([n, n] for n in range(257, 400))]},
            "merge 5 makes a piece that is longer than any word",
        ),
        ({"special_tokens": ["<end>", "<end>"]}, "is a damaged BPETokenizer file"),
        ({"special_tokens": "<end>"}, "is a damaged BPETokenizer file"),
        ({"special_tokens": [7]}, "is a damaged BPETokenizer file"),
    ],
)
def test_other_files_are_refused(ours: Any, tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(GOOD | changes), "ascii")
    with pytest.raises(ValueError, match=says) as caught:
        ours.BPETokenizer.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    path.write_text(json.dumps(GOOD), "ascii")
    assert ours.BPETokenizer.load(path).encode("banana") == [258, 257, 97]


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n", b"[1, 2]", b'"BPETokenizer"', b"{}", b"[" * 100_000, b"\xff\xfe\x00"]
)
def test_foreign_files_are_refused(ours: Any, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(data)
    for kind in (ours.Vocabulary, ours.CharTokenizer, ours.BPETokenizer):
        with pytest.raises(ValueError, match=f"foreign is no {kind.__name__} file"):
            kind.load(path)


def test_a_file_that_is_not_there_is_named(ours: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        ours.BPETokenizer.load(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ours.BPETokenizer().save(tmp_path / "nowhere" / "file")


def test_saving_is_atomic(ours: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tokenizer.json"
    ours.BPETokenizer().train("banana", 258).save(path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ours.os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device.*tokenizer\.json"):
            ours.BPETokenizer().train("other text", 260).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links without special rights")
def test_a_link_stays_a_link(ours: Any, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real.json")
    ours.BPETokenizer().save(link)
    assert link.is_symlink()
    assert stat.S_ISREG((tmp_path / "real.json").lstat().st_mode)


# ---- work ----


def work(ours: Any, monkeypatch: pytest.MonkeyPatch, text: str, vocab_size: int) -> int:
    """How many ids training looks at in merges."""
    seen = 0
    honest = ours.merge

    def counting(ids: Any, pair: Any, new: int) -> Any:
        nonlocal seen
        seen += len(ids)
        return honest(ids, pair, new)

    with monkeypatch.context() as patch:
        patch.setattr(ours, "merge", counting)
        ours.BPETokenizer().train(text, vocab_size)
    return seen


def babble(words_: int, seed: int) -> str:
    """Words of random letters: nearly all different, the worst there is for counting words."""
    rng = random.Random(seed)  # noqa: S311  # a sample, no secret
    return " ".join("".join(rng.choices("abcdefghijklmnop", k=rng.randint(3, 9))) for _ in range(words_))


def test_work_grows_with_the_different_words_and_no_faster(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = (work(ours, monkeypatch, babble(count, 10), 500) for count in (500, 4000))
    assert large <= 8 * 1.5 * small
    text = babble(500, 10) + " "
    assert work(ours, monkeypatch, text * 8, 500) <= 1.1 * work(ours, monkeypatch, text, 500)


def test_work_is_bounded_by_the_text_whatever_the_vocabulary(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time that a word is looked at it becomes shorter."""
    text = babble(400, 11)
    assert work(ours, monkeypatch, text, 100_000) <= sum(len(word) ** 2 for word in set(ours.chunks(text)))


@pytest.mark.parametrize("text", ["a" * 100_000, "日本" * 20_000, "!" * 100_000, " " * 100_000, "\x00" * 100_000])
def test_texts_without_words_are_no_trap(ours: Any, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert work(ours, monkeypatch, text, 1000) < 40_000
    tokenizer = ours.BPETokenizer().train(text, 300)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.skipif(not SHAKESPEARE.exists(), reason="Tiny Shakespeare does not lie beside the repository")
def test_shakespeare(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SHAKESPEARE.read_text("utf-8")
    tokenizer = ours.BPETokenizer().train(text, 1000)
    ids = tokenizer.encode(text)
    assert tokenizer.vocab_size == 1000
    assert tokenizer.decode(ids) == text
    assert len(ids) < len(text) / 2.3
    assert ours.CharTokenizer().train(text).vocab_size == 65
    part = text[: len(text) // 8]
    assert list(ours.BPETokenizer().train(part[:20_000], 280).merges) == naive_train([part[:20_000]], 24)
    assert work(ours, monkeypatch, text, 1000) <= 8 * work(ours, monkeypatch, part, 1000)
