"""Tokenization: from text to numbers that a model can learn from, and back.

A model knows no letters, only ids from 0 to the size of its vocabulary. Two tokenizers make them. One gives every
character an id: a small vocabulary and long sequences. The other starts from bytes and gives ids to the pairs that
occur most often, again and again (byte-pair encoding, as in GPT): as large a vocabulary as one likes, the shorter the
sequences. Both give back what they were given, character for character.
"""

from __future__ import annotations

import json
import math
import os
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from operator import index as whole
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

FilePath: TypeAlias = str | PathLike[str]
Pair: TypeAlias = tuple[int, int]
Kind = TypeVar("Kind", bound="Saved")


# ---- What may come in (given) ------------------------------------------------------------------------------


def require_text(text: Any) -> str:
    r"""The text, if it is a str of whole characters (given).

    A lone surrogate, half of a pair that only UTF-16 uses, is no character and has no bytes in UTF-8: it is refused,
    not replaced, since nothing could give it back.

    >>> require_text(b"abc")
    Traceback (most recent call last):
    TypeError: text is a str, not bytes: make one of it with data.decode("utf-8")
    >>> require_text("ab\ud83d")
    Traceback (most recent call last):
    ValueError: the text has a lone surrogate, '\ud83d', at position 2: it is half a character, and UTF-8 cannot hold it
    """
    if not isinstance(text, str):
        hint = ': make one of it with data.decode("utf-8")' if isinstance(text, bytes | bytearray) else ""
        raise TypeError(f"text is a str, not {type(text).__name__}{hint}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])
        raise ValueError(
            f"the text has a lone surrogate, {half}, at position {error.start}: it is half a character, "
            "and UTF-8 cannot hold it"
        ) from None
    return text


def texts_of(text: Any) -> Iterator[str]:
    """The texts to train on: one str is one text, and anything else gives several (given).

    >>> list(texts_of("abc")), list(texts_of(["ab", "c"]))
    (['abc'], ['ab', 'c'])
    """
    if isinstance(text, str | bytes | bytearray) or not isinstance(text, Iterable):
        text = [text]
    return (require_text(one) for one in text)


def require_ids(ids: Any, size: int) -> list[int]:
    """The ids as a list of ints, each from 0 to size - 1; a Tensor or an array of them will do (given).

    >>> require_ids([0, 5], size=5)
    Traceback (most recent call last):
    IndexError: id 5 at position 1 is none of this vocabulary's, which has 5
    """
    numbers = ids.tolist() if hasattr(ids, "tolist") else ids
    if isinstance(numbers, str | bytes) or not isinstance(numbers, Iterable):
        raise TypeError(f"ids are a sequence of whole numbers, not {type(ids).__name__}")
    try:
        listed = [whole(number) for number in numbers]
    except TypeError as error:
        raise TypeError(f"ids are a sequence of whole numbers, and here {error}") from None
    for position, number in enumerate(listed):
        if not 0 <= number < size:
            raise IndexError(f"id {number} at position {position} is none of this vocabulary's, which has {size}")
    return listed


def require_tokens(tokens: Iterable[Any]) -> list[str]:
    """The tokens as a list, if they are strings with something in them, and all different (given)."""
    if isinstance(tokens, str):
        raise TypeError(f"tokens are a sequence of strings, not one string, {tokens!r}")
    found = [require_text(token) for token in tokens]
    for token, times in Counter(found).items():
        if not token:
            raise ValueError("a token has at least one character, and one of these is empty")
        if times > 1:
            raise ValueError(f"every token has one id, but {token!r} is there {times} times")
    return found


def require_size(vocab_size: Any, least: int, why: str) -> None:
    """Refuse a size that is no whole number, or too small for what there must be (given).

    >>> require_size(3, 4, "a, b, c and d")
    Traceback (most recent call last):
    ValueError: vocab_size 3 is too small: a, b, c and d need 4
    """
    if isinstance(vocab_size, bool) or not hasattr(vocab_size, "__index__"):
        raise TypeError(f"vocab_size is a whole number, not {vocab_size!r}")
    if whole(vocab_size) < least:
        raise ValueError(f"vocab_size {vocab_size} is too small: {why} need {least}")


def pieces_of(text: str, special_tokens: Iterable[str]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is one of the special tokens (given).

    Where two of them fit, the longer one wins. Without special tokens there is one piece, the text.

    >>> pieces_of("hi<end>you", ["<end>"])
    [('hi', False), ('<end>', True), ('you', False)]
    >>> pieces_of("hi<end>you", [])
    [('hi<end>you', False)]
    """
    longest_first = sorted(special_tokens, key=len, reverse=True)
    if not longest_first:
        return [(require_text(text), False)]
    found = re.split(f"({'|'.join(map(re.escape, longest_first))})", require_text(text))
    return [(piece, number % 2 == 1) for number, piece in enumerate(found) if piece]


# ---- Files (given) -----------------------------------------------------------------------------------------

VERSION = 1  # of the format


class Saved:
    """What can be written to a file and read from it: one JSON object with its kind and version (given).

    A subclass says what it is in plain lists, strings and numbers (`state`), and makes itself from that
    (`from_state`).
    """

    def state(self) -> dict[str, Any]:
        """All that makes this one what it is."""
        raise NotImplementedError(f"{type(self).__name__} must have a method state")

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""
        raise NotImplementedError(f"{type(self).__name__} must have a property vocab_size")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size})"

    @classmethod
    def from_state(cls: type[Kind], state: Mapping[str, Any]) -> Kind:
        """Make one from what `state` gave."""
        raise NotImplementedError(f"{cls.__name__} must have a method from_state")

    def save(self, path: FilePath) -> None:
        """Write to a file, atomically: after an error (OSError names the file) the old one is still there.

        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "tokenizer.json"
        >>> CharTokenizer().train("banana").save(path)
        >>> CharTokenizer.load(path).encode("nab")
        [2, 0, 1]
        """
        text = json.dumps({"kind": type(self).__name__, "version": VERSION, **self.state()})
        target = Path(path).resolve()
        beside = target.with_name(f"{target.name[:100]}.{uuid.uuid4().hex[:12]}.tmp")
        try:
            try:
                with beside.open("x", encoding="ascii") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(target)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            # named for the file that was asked for: nobody knows the second one
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error

    @classmethod
    def load(cls: type[Kind], path: FilePath) -> Kind:
        """Read what `save` wrote: it gives the same ids.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ValueError: the file is truncated, of another version, or something else; the sentence says which.
        """
        name, data = os.fspath(path), Path(path).read_bytes()
        try:
            state = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name} is no {cls.__name__} file, or a truncated one ({error})") from error
        if not isinstance(state, dict) or state.get("kind") != cls.__name__:
            kind = state.get("kind") if isinstance(state, dict) else type(state).__name__
            raise ValueError(f"{name} is no {cls.__name__} file: its kind is {kind!r:.80}")
        if state.get("version") != VERSION:
            raise ValueError(f"{name} is of version {state.get('version')!r:.80}, and this tinytorch reads {VERSION}")
        try:
            return cls.from_state(state)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"{name} is a damaged {cls.__name__} file ({type(error).__name__}: {error})") from error


# ---- A vocabulary: tokens with their ids -------------------------------------------------------------------


class Vocabulary(Saved):
    """Tokens with their ids, both ways: `ids["cat"]` is a number, `tokens[number]` is "cat".

    Special tokens ("<pad>", "<end>") stand for no piece of text. They have the first ids, whatever else the
    vocabulary learns. `unknown` is the one of them that stands for every token that is not in the vocabulary; without
    it such a token is an error.

    >>> vocabulary = Vocabulary(["cat", "sat"], special_tokens=["<pad>", "<unk>"], unknown="<unk>")
    >>> vocabulary.encode(["cat", "dog", "sat"])
    [2, 1, 3]
    >>> vocabulary.decode([3, 2, 0])
    ['sat', 'cat', '<pad>']
    """

    def __init__(
        self, tokens: Iterable[str] = (), special_tokens: Iterable[str] = (), unknown: str | None = None
    ) -> None:
        self.special_tokens = require_tokens(special_tokens)
        self.unknown = unknown
        if unknown is not None and unknown not in self.special_tokens:
            raise ValueError(f"unknown is one of the special tokens {self.special_tokens}, not {unknown!r}")
        self.assign(tokens)

    def assign(self, tokens: Iterable[str]) -> None:
        """Give every token its id: the special ones first, then the others, both in the order in which they come.

        Afterwards `self.tokens` is the list of all of them, and `self.ids` a dict from token to id. They say the same
        both ways: `self.tokens[self.ids[token]]` is the token. What was there before is forgotten.

            special tokens <pad> <end>, tokens cat sat   ->   <pad> 0, <end> 1, cat 2, sat 3

        Tokens that are no strings, empty, or there twice are refused by `require_tokens` (above), which gives the list
        back when all is well. One that is both special and ordinary is there twice.

        >>> vocabulary = Vocabulary(special_tokens=["<pad>", "<end>"])
        >>> vocabulary.assign(["cat", "sat"])
        >>> vocabulary.tokens, vocabulary.ids["sat"]
        (['<pad>', '<end>', 'cat', 'sat'], 3)
        >>> vocabulary.assign(["cat", "<pad>"])
        Traceback (most recent call last):
        ValueError: every token has one id, but '<pad>' is there 2 times

        Two lines; `enumerate` counts.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.Vocabulary.assign")
        # END OF YOUR CODE (keep this line)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.ids

    @property
    def vocab_size(self) -> int:
        """How many ids there are, those of the special tokens included."""
        return len(self.tokens)

    @property
    def special_ids(self) -> dict[str, int]:
        """The id of every special token."""
        return {token: self.ids[token] for token in self.special_tokens}

    def train(self, tokens: Iterable[str], vocab_size: int | None = None) -> Vocabulary:
        """Learn which tokens there are: each different one gets an id, in sorted order. Returns `self`.

        Sorted, so that the same tokens have the same ids however the text was shuffled: a model knows nothing but ids,
        and one that was trained with others is worthless. The special tokens keep the first ids, also where one of
        them occurs in the text.

        `vocab_size`, where it is given, is the most that there may be, special tokens included. If the tokens need
        more, ValueError with both numbers, and nothing has changed.

        >>> vocabulary = Vocabulary(special_tokens=["<end>"]).train(["the", "cat", "saw", "the", "dog", "<end>"])
        >>> vocabulary.tokens
        ['<end>', 'cat', 'dog', 'saw', 'the']
        >>> vocabulary.train(["a", "b", "c"], vocab_size=3)
        Traceback (most recent call last):
        ValueError: vocab_size 3 is too small: 3 tokens and 1 special ones need 4

        About six lines: a set of what `require_text` (above) lets through, `sorted`, `require_size`, and `assign`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.Vocabulary.train")
        # END OF YOUR CODE (keep this line)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of every token, in their order.

        A token that is not in the vocabulary gets the id of `self.unknown`. Where that is None, it is a ValueError that
        names the token: a wrong id would be learnt without a word. What is no string at all is a mistake of the
        caller's and never just unknown: `require_text` refuses it.

        >>> Vocabulary(["cat", "sat"], ["<unk>"], unknown="<unk>").encode(["sat", "dog", "sat"])
        [2, 0, 2]
        >>> Vocabulary(["cat", "sat"]).encode(["sat", "dog"])
        Traceback (most recent call last):
        ValueError: 'dog' is none of the 2 tokens, and there is no unknown token to stand for it

        About eight lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.Vocabulary.encode")
        # END OF YOUR CODE (keep this line)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The token of every id, in their order.

        Ids may come in a list, an array or a Tensor. One that nobody has, a negative one too, is an IndexError; what is
        no whole number a TypeError: `require_ids` (above) says so, and gives a list of ints otherwise.

        >>> vocabulary = Vocabulary(["cat", "sat"], ["<end>"])
        >>> vocabulary.decode([2, 1, 1, 0])
        ['sat', 'cat', 'cat', '<end>']
        >>> vocabulary.decode([1, -1])
        Traceback (most recent call last):
        IndexError: id -1 at position 1 is none of this vocabulary's, which has 3

        One line.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.Vocabulary.decode")
        # END OF YOUR CODE (keep this line)

    def state(self) -> dict[str, Any]:
        """What goes into its file (given)."""
        ordinary = self.tokens[len(self.special_tokens) :]
        return {"tokens": ordinary, "special_tokens": self.special_tokens, "unknown": self.unknown}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Vocabulary:
        """Make one from what was in a file (given)."""
        return cls(state["tokens"], state["special_tokens"], state["unknown"])


# ---- Characters --------------------------------------------------------------------------------------------


class CharTokenizer(Saved):
    """One id per character: a small vocabulary, and sequences as long as the text.

    What a character is, Unicode says: a letter with a combining accent is two, an emoji is one or several. `unknown`,
    one of the special tokens, stands for characters that were not in the training text; without it they are an error.

    >>> tokenizer = CharTokenizer(special_tokens=["<end>"]).train("banana")
    >>> tokenizer.vocabulary.tokens, tokenizer.vocab_size
    (['<end>', 'a', 'b', 'n'], 4)
    >>> tokenizer.encode("nab"), tokenizer.decode([2, 1, 3])
    ([3, 1, 2], 'ban')
    """

    def __init__(self, special_tokens: Iterable[str] = (), unknown: str | None = None) -> None:
        self.vocabulary = Vocabulary((), special_tokens, unknown)

    @property
    def vocab_size(self) -> int:
        """How many ids there are, those of the special tokens included."""
        return len(self.vocabulary)

    @property
    def special_ids(self) -> dict[str, int]:
        """The id of every special token."""
        return self.vocabulary.special_ids

    def train(self, text: str | Iterable[str], vocab_size: int | None = None) -> CharTokenizer:
        """Learn the characters of a text, or of several, in sorted order (given). Returns `self`.

        A `vocab_size` that is too small for them is a ValueError, as in `Vocabulary.train`.
        """
        self.vocabulary.train(chain.from_iterable(set(one) for one in texts_of(text)), vocab_size)
        return self

    def encode(self, text: str, parse_special: bool = False) -> list[int]:
        """The id of every character.

        With `parse_special`, a special token that is written out in the text becomes its one id. Without, the
        characters of "<end>" are five characters like any others: a text from a stranger shall not end a conversation
        because it says so.

        >>> tokenizer = CharTokenizer(special_tokens=["<end>"]).train("abc<end>")
        >>> tokenizer.encode("ab<end>", parse_special=True)
        [3, 4, 0]
        >>> tokenizer.encode("ab<end>")
        [3, 4, 1, 7, 8, 6, 2]

        `pieces_of(text, special_tokens)` (above) cuts a text into pieces, and says of each whether it is a special
        token; without special tokens it gives the whole text as one piece. It also refuses what is no text. A piece
        that is special is one token, and any other as many as it has characters. About five lines, with
        `self.vocabulary`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.CharTokenizer.encode")
        # END OF YOUR CODE (keep this line)

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text that the ids stand for: `decode(encode(text)) == text` for every text without unknowns.

        Special tokens are written out, or left out with `skip_special`. An unknown character cannot be had back: all
        that is left of it is the name of the unknown token.

        >>> tokenizer = CharTokenizer(["<end>", "?"], unknown="?").train("banana")
        >>> tokenizer.decode(tokenizer.encode("bandana"))
        'ban?ana'
        >>> tokenizer.decode([3, 2, 4, 0]), tokenizer.decode([3, 2, 4, 0], skip_special=True)
        ('ban<end>', 'ban')

        About four lines.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.CharTokenizer.decode")
        # END OF YOUR CODE (keep this line)

    def state(self) -> dict[str, Any]:
        """What goes into its file (given)."""
        return self.vocabulary.state()

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CharTokenizer:
        """Make one from what was in a file (given)."""
        tokenizer = cls()
        tokenizer.vocabulary = Vocabulary.from_state(state)
        return tokenizer


# ---- Pairs of neighbours -----------------------------------------------------------------------------------


def count_pairs(ids: Sequence[int]) -> dict[Pair, int]:
    """How often each pair of neighbours occurs.

    Pairs may overlap: three equal ids in a row are two pairs, the first with the second and the second with the third.
    n ids have n - 1 pairs, so one id has none.

    >>> count_pairs([5, 7, 7, 7, 5])
    {(5, 7): 1, (7, 7): 2, (7, 5): 1}
    >>> count_pairs([5])
    {}

    About four lines; `pairwise(ids)` (from itertools) gives the neighbours, each two as a tuple. Or one line, with
    `Counter`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tokenization.count_pairs")
    # END OF YOUR CODE (keep this line)


def best_pair(counts: Mapping[Pair, int]) -> Pair | None:
    """The pair to merge next: the one that occurs most often; of equals, the smallest. None if there is no pair.

    Pairs are compared as Python compares tuples, by the first id and then by the second. Any rule would do, as long
    as it is one: without it the same text could give two tokenizers, and a model knows nothing but ids.

    >>> best_pair({(98, 97): 1, (97, 110): 2, (110, 97): 2})
    (97, 110)
    >>> best_pair({(7, 9): 3, (7, 8): 3}), best_pair({})
    ((7, 8), None)

    About four lines.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tokenization.best_pair")
    # END OF YOUR CODE (keep this line)


def merge(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Put `new` in the place of every occurrence of the pair, from left to right, in a new list.

    An id that has become part of one merge is used up: it cannot be part of the next.

        ids 7 7 7 5,  pair (7, 7),  new 9   ->   9 7 5

    >>> merge([7, 7, 7, 5], (7, 7), 9)
    [9, 7, 5]
    >>> merge([5, 6, 5, 6, 5], (5, 6), 9)
    [9, 9, 5]

    About nine lines.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("tokenization.merge")
    # END OF YOUR CODE (keep this line)


# ---- A text as words, and its pairs ------------------------------------------------------------------------

LONGEST = 32  # bytes of a word, without the space before it
WORD = rb" ?[\w\x80-\xff]{1,%d}" % LONGEST  # letters, digits, and all that is not ASCII
SIGNS = rb" ?[^\s\w\x80-\xff]{1,%d}" % LONGEST
SPACES = rb"\s{1,%d}(?!\S)|\s{1,%d}" % (LONGEST, LONGEST)  # the last space before a word is the word's
CHUNK = re.compile(b"|".join([WORD, SIGNS, SPACES]))


def chunks(text: str) -> list[bytes]:
    r"""The bytes of a text in pieces: words with the space before them, signs, spaces (given).

    No merge goes across the border of two pieces. That keeps "dog", "dog." and "dog!" one word with different signs,
    as GPT-2 does it, and it makes training fast: a text of a million words has only some ten thousand different ones.
    A piece is at most 33 bytes long, so that the work for one is bounded, whatever the text. All pieces together are
    the text, byte for byte.

    >>> chunks("the dog, the café!")
    [b'the', b' dog', b',', b' the', b' caf\xc3\xa9', b'!']
    """
    return CHUNK.findall(text.encode("utf-8"))


def words_of(text: str | Iterable[str]) -> dict[bytes, int]:
    """How often each word occurs in a text, or in several (given).

    >>> words_of(["the dog", "the dog and the cat"])
    {b'the': 2, b' dog': 2, b' and': 1, b' the': 1, b' cat': 1}
    """
    return dict(Counter(chain.from_iterable(chunks(one) for one in texts_of(text))))


class Corpus:
    """The different words of a text, as ids, with how often each occurs and where each pair is.

        words[n]       word n, a list of ids
        times[n]       how often it occurs in the text
        counts[pair]   how often the pair occurs in the whole text; pairs that do not occur are not there
        where[pair]    the numbers n of the words that hold the pair

    >>> corpus = Corpus({b"ban": 2, b"an": 5})
    >>> corpus.words, corpus.counts
    ([[98, 97, 110], [97, 110]], {(98, 97): 2, (97, 110): 7})
    >>> corpus.where
    {(98, 97): {0}, (97, 110): {0, 1}}
    """

    def __init__(self, words: Mapping[bytes, int]) -> None:
        self.words = [list(word) for word in words]
        self.times = list(words.values())
        self.counts: dict[Pair, int] = {}
        self.where: dict[Pair, set[int]] = {}
        for number in range(len(self.words)):
            self.enter(number)

    def enter(self, number: int) -> None:
        """Add the pairs of word `number` to `counts` and `where` (given)."""
        for pair, times in count_pairs(self.words[number]).items():
            self.counts[pair] = self.counts.get(pair, 0) + times * self.times[number]
            self.where.setdefault(pair, set()).add(number)

    def leave(self, number: int) -> None:
        """Take the pairs of word `number`, as it is now, out of `counts` and `where` (given)."""
        for pair, times in count_pairs(self.words[number]).items():
            self.counts[pair] -= times * self.times[number]
            self.where[pair].remove(number)
            if not self.where[pair]:
                del self.counts[pair], self.where[pair]

    def merge(self, pair: Pair, new: int) -> None:
        """Merge a pair in every word that holds it, and bring `counts` and `where` up to date.

        Afterwards all four are what they would be if the merged words were counted afresh. But a merge touches few of
        the words, and the pairs of the others have not changed: counting all of them again, a thousand times over, is
        what makes byte-pair encoding slow. So each word that holds the pair leaves, is merged, and enters again.

        >>> corpus = Corpus({b"ban": 2, b"an": 5, b"bab": 1})
        >>> corpus.merge((97, 110), 256)
        >>> corpus.words
        [[98, 256], [256], [98, 97, 98]]
        >>> corpus.counts
        {(98, 97): 1, (97, 98): 1, (98, 256): 2}

        A pair that no word holds changes nothing. About four lines, with `leave`, `enter` and the function `merge`.
        Python refuses a loop over a set that changes meanwhile: loop over a list of it.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.Corpus.merge")
        # END OF YOUR CODE (keep this line)


# ---- Byte-pair encoding ------------------------------------------------------------------------------------


class BPETokenizer(Saved):
    """Byte-pair encoding: the bytes of a text, and ids for those that often stand side by side.

        ids 0 to 255            the bytes: id 65 is the byte 65, "A"
        the next ones           the special tokens
        all that follow         one for each merge of two earlier ids, in the order in which they were learnt

    Every text is bytes, so there is no unknown: `decode(encode(text)) == text` for every str. (Lone surrogates are no
    characters, and refused.) An untrained tokenizer works, too. It just gives bytes.

        merges[pair]    the id of the two ids
        pieces[id]      the bytes that it stands for

    Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; on bytes in GPT-2.

    >>> tokenizer = BPETokenizer(special_tokens=["<end>"]).train("banana", vocab_size=259)
    >>> tokenizer.merges, tokenizer.pieces[256:]
    ({(97, 110): 257, (98, 257): 258}, [b'<end>', b'an', b'ban'])
    >>> tokenizer.encode("bandana"), tokenizer.decode([258, 257, 97, 256])
    ([258, 100, 257, 97], 'banana<end>')
    """

    def __init__(self, special_tokens: Iterable[str] = ()) -> None:
        self.special_tokens = require_tokens(special_tokens)
        self.forget()

    def forget(self) -> None:
        """Begin again: bytes and special tokens, and no merges (given)."""
        self.merges: dict[Pair, int] = {}
        self.pieces = [bytes([byte]) for byte in range(256)] + [token.encode() for token in self.special_tokens]

    def learn(self, pair: Pair) -> int:
        """Give a pair the next free id, and return it (given).

        >>> tokenizer = BPETokenizer()
        >>> tokenizer.learn((97, 110)), tokenizer.learn((98, 256)), tokenizer.pieces[257]
        (256, 257, b'ban')
        """
        new = len(self.pieces)
        self.pieces.append(self.pieces[pair[0]] + self.pieces[pair[1]])
        self.merges[pair] = new
        return new

    @property
    def vocab_size(self) -> int:
        """How many ids there are: 256 bytes, the special tokens, and one for each merge."""
        return len(self.pieces)

    @property
    def special_ids(self) -> dict[str, int]:
        """The id of every special token: 256 and what follows."""
        return {token: 256 + number for number, token in enumerate(self.special_tokens)}

    def train(self, text: str | Iterable[str], vocab_size: int) -> BPETokenizer:
        """Learn merges from a text, or from several, until there are `vocab_size` ids. Returns `self`.

        Each merge is of the pair that `best_pair` finds in what the merges before it have left: so the next ones may
        be made of it. Earlier training is forgotten. A text with fewer pairs gives fewer ids: training stops when every
        word is one id. A `vocab_size` that does not leave room for the bytes and special tokens is a ValueError with
        both numbers, and nothing has changed.

            "banana"      98 97 110 97 110 97     an and na twice each; (97, 110) is smaller     -> 256
            b an an a     98 256 256 97           three pairs, once each; (98, 256) is smallest  -> 257

        >>> BPETokenizer().train("banana", vocab_size=258).merges
        {(97, 110): 256, (98, 256): 257}
        >>> BPETokenizer().train("banana", vocab_size=1000).vocab_size
        260
        >>> BPETokenizer(["<end>"]).train("banana", vocab_size=256)
        Traceback (most recent call last):
        ValueError: vocab_size 256 is too small: 256 bytes and 1 special tokens need 257

        `words_of(text)` (above) counts the words of a text for `Corpus`, and `learn` gives a pair its id. About eight
        lines; the sentence is `require_size`'s.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.BPETokenizer.train")
        # END OF YOUR CODE (keep this line)

    def encode_chunk(self, chunk: bytes) -> list[int]:
        """The ids of one word: its bytes, merged as far as the tokenizer has learnt.

        Merges are made in the order in which they were learnt. Of all pairs in the word, the one learnt first is merged
        everywhere in it; then the pairs that there are now are looked at, until none of them is known. That is what
        happened to the word in training, so a word that was there gets the ids that it had there.

            learnt: (117, 103) -> 256, (104, 117) -> 257          the word "hug": 104 117 103
            ->  104 256, that is h ug: (104, 117) was there as well, but learnt later

        >>> tokenizer = BPETokenizer()
        >>> tokenizer.learn((117, 103)), tokenizer.learn((104, 117)), tokenizer.encode_chunk(b"hug")
        (256, 257, [104, 256])

        An earlier merge has a smaller id. `list(chunk)` are the bytes as ids. About eight lines, with `merge`, `min`
        and `self.merges`; a word may be empty.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.BPETokenizer.encode_chunk")
        # END OF YOUR CODE (keep this line)

    def encode(self, text: str, parse_special: bool = False) -> list[int]:
        """The ids of a text: those of its words, one after the other, each worked out once (given).

        With `parse_special`, a special token that is written out in the text becomes its one id. Without, it is text.

        >>> tokenizer = BPETokenizer(["<end>"])
        >>> tokenizer.encode("é!<end>", parse_special=True), tokenizer.encode("<end>")
        ([195, 169, 33, 256], [60, 101, 110, 100, 62])
        """
        ids: list[int] = []
        known: dict[bytes, list[int]] = {}
        for piece, special in pieces_of(text, self.special_tokens if parse_special else ()):
            if special:
                ids.append(self.special_ids[piece])
                continue
            for chunk in chunks(piece):
                if chunk not in known:
                    known[chunk] = self.encode_chunk(chunk)
                ids.extend(known[chunk])
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text that the ids stand for.

        The bytes of all ids together are the text in UTF-8. A character may take up to four bytes, and they may belong
        to different ids, so one id alone may be no text: join first, then decode. A model may also write bytes that
        are no UTF-8 at all. They become "�", one sign for what cannot be read, and no error.

        Special tokens are written out, or left out with `skip_special`.

        >>> tokenizer = BPETokenizer(["<end>"])
        >>> tokenizer.decode([195, 169, 256]), tokenizer.decode([195, 169, 256], skip_special=True)
        ('é<end>', 'é')
        >>> tokenizer.decode([97, 195, 98])
        'a�b'

        About five lines: `require_ids`, `self.pieces`, `self.special_ids`, and `bytes.decode` with
        `errors="replace"`.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.BPETokenizer.decode")
        # END OF YOUR CODE (keep this line)

    def state(self) -> dict[str, Any]:
        """What goes into its file, in lists, strings and numbers, which is all that JSON has.

        A dict with two keys: "special_tokens", the list of them; "merges", a list with the two ids of every merge, in
        the order in which they were learnt. The new ids need not be said: they follow from the order. (JSON's keys are
        strings. A dict of merges would come back with keys like "(97, 110)", which are no pairs.)

        >>> BPETokenizer(["<end>"]).train("banana", vocab_size=259).state()
        {'special_tokens': ['<end>'], 'merges': [[97, 110], [98, 257]]}

        One line. What reads it is below.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("tokenization.BPETokenizer.state")
        # END OF YOUR CODE (keep this line)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> BPETokenizer:
        """Make one from what was in a file: the merges are learnt again, in their order (given)."""
        tokenizer = cls(state["special_tokens"])
        special = tokenizer.special_ids.values()
        for number, ids in enumerate(state["merges"]):
            first, second = require_ids(ids, tokenizer.vocab_size)
            if {first, second}.intersection(special) or (first, second) in tokenizer.merges:
                raise ValueError(f"merge {number} is of {[first, second]}, special or there already")
            if len(tokenizer.pieces[tokenizer.learn((first, second))]) > LONGEST + 1:
                raise ValueError(f"merge {number} makes a piece that is longer than any word")
        return tokenizer
