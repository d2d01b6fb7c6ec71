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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
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


def require_size(vocab_size: Any, least: int, why: str) -> int:
    """The size asked for, if it is a whole number that leaves room for what there must be (given)."""
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int):
        raise TypeError(f"vocab_size is a whole number, not {vocab_size!r}")
    if vocab_size < least:
        raise ValueError(f"vocab_size {vocab_size} is too small: {why} need {least}")
    return vocab_size


def split_special(text: str, special_tokens: Iterable[str]) -> list[str]:
    """The text in pieces, its special tokens each a piece of its own; the longest wins (given).

    >>> split_special("hi<end>you", ["<end>"])
    ['hi', '<end>', 'you']
    """
    longest_first = sorted(special_tokens, key=len, reverse=True)
    if not longest_first:
        return [text]
    return [piece for piece in re.split(f"({'|'.join(map(re.escape, longest_first))})", text) if piece]


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
        self.assign(require_tokens(tokens))

    def assign(self, tokens: Sequence[str]) -> None:
        self.tokens = require_tokens([*self.special_tokens, *tokens])
        self.ids = {token: number for number, token in enumerate(self.tokens)}

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
        found = sorted(set(tokens) - set(self.special_tokens))
        if vocab_size is not None:
            least = len(self.special_tokens) + len(found)
            require_size(vocab_size, least, f"{len(found)} tokens and {len(self.special_tokens)} special ones")
        self.assign(found)
        return self

    def encode(self, tokens: Iterable[str]) -> list[int]:
        ids = []
        for token in tokens:
            number = self.ids.get(token, self.ids.get(self.unknown))
            if number is None:
                raise ValueError(f"{token!r} is none of the {len(self)} tokens, and there is no unknown token for it")
            ids.append(number)
        return ids

    def decode(self, ids: Iterable[int]) -> list[str]:
        return [self.tokens[number] for number in require_ids(ids, len(self))]

    def state(self) -> dict[str, Any]:
        tokens = self.tokens[len(self.special_tokens) :]
        return {"tokens": tokens, "special_tokens": self.special_tokens, "unknown": self.unknown}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Vocabulary:
        return cls(state["tokens"], state["special_tokens"], state["unknown"])


class CharTokenizer(Saved):
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
        self.vocabulary.train(chain.from_iterable(texts_of(text)), vocab_size)
        return self

    def encode(self, text: str, parse_special: bool = False) -> list[int]:
        require_text(text)
        if not parse_special:
            return self.vocabulary.encode(text)
        special = self.vocabulary.special_tokens
        pieces = split_special(text, special)
        return self.vocabulary.encode(chain.from_iterable([piece] if piece in special else piece for piece in pieces))

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        tokens = self.vocabulary.decode(ids)
        if skip_special:
            tokens = [token for token in tokens if token not in self.vocabulary.special_tokens]
        return "".join(tokens)

    def state(self) -> dict[str, Any]:
        return self.vocabulary.state()

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CharTokenizer:
        made = cls()
        made.vocabulary = Vocabulary.from_state(state)
        return made


# ---- Pairs -------------------------------------------------------------------------------------------------


def count_pairs(ids: Sequence[int]) -> Counter[Pair]:
    return Counter(zip(ids, ids[1:], strict=False))


def best_pair(counts: Mapping[Pair, int]) -> Pair | None:
    if not counts:
        return None
    most = max(counts.values())
    return min(pair for pair, times in counts.items() if times == most)


def merge(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    merged, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


CHUNK = re.compile(rb" ?[\w\x80-\xff]{1,32}| ?[^\s\w\x80-\xff]{1,32}|\s{1,32}(?!\S)|\s{1,32}")


def chunks(text: str) -> list[bytes]:
    return CHUNK.findall(text.encode("utf-8"))


class Corpus:
    def __init__(self, words: Mapping[bytes, int]) -> None:
        self.words = [list(word) for word in words]
        self.times = list(words.values())
        self.counts: Counter[Pair] = Counter()
        self.where: defaultdict[Pair, set[int]] = defaultdict(set)
        for number in range(len(self.words)):
            self.enter(number)

    def enter(self, number: int) -> None:
        for pair, times in count_pairs(self.words[number]).items():
            self.counts[pair] += times * self.times[number]
            self.where[pair].add(number)

    def leave(self, number: int) -> None:
        for pair, times in count_pairs(self.words[number]).items():
            self.counts[pair] -= times * self.times[number]
            self.where[pair].discard(number)
            if not self.counts[pair]:
                del self.counts[pair], self.where[pair]

    def merge(self, pair: Pair, new: int) -> None:
        for number in sorted(self.where[pair]):
            self.leave(number)
            self.words[number] = merge(self.words[number], pair, new)
            self.enter(number)


class BPETokenizer(Saved):
    def __init__(self, special_tokens: Iterable[str] = ()) -> None:
        self.special_tokens = require_tokens(special_tokens)
        self.forget()

    def forget(self) -> None:
        self.merges: dict[Pair, int] = {}
        self.pieces = [bytes([byte]) for byte in range(256)] + [token.encode() for token in self.special_tokens]

    def learn(self, pair: Pair) -> int:
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
        require_size(vocab_size, 256 + len(self.special_tokens), f"256 bytes and {len(self.special_tokens)} special tokens")
        corpus = Corpus(Counter(chain.from_iterable(chunks(one) for one in texts_of(text))))
        self.forget()
        while self.vocab_size < vocab_size:
            pair = best_pair(corpus.counts)
            if pair is None:
                break
            corpus.merge(pair, self.learn(pair))
        return self

    def encode_chunk(self, chunk: bytes) -> list[int]:
        ids = list(chunk)
        while len(ids) > 1:
            pair = min(zip(ids, ids[1:], strict=False), key=lambda pair: self.merges.get(pair, math.inf))
            if pair not in self.merges:
                break
            ids = merge(ids, pair, self.merges[pair])
        return ids

    def encode(self, text: str, parse_special: bool = False) -> list[int]:
        require_text(text)
        special, known, ids = self.special_ids, {}, []
        for piece in split_special(text, special) if parse_special else [text]:
            if parse_special and piece in special:
                ids.append(special[piece])
                continue
            for chunk in chunks(piece):
                if chunk not in known:
                    known[chunk] = self.encode_chunk(chunk)
                ids.extend(known[chunk])
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        numbers = require_ids(ids, self.vocab_size)
        if skip_special:
            numbers = [number for number in numbers if number not in self.special_ids.values()]
        return b"".join(self.pieces[number] for number in numbers).decode("utf-8", errors="replace")

    def state(self) -> dict[str, Any]:
        return {"special_tokens": self.special_tokens, "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> BPETokenizer:
        made = cls(state["special_tokens"])
        for first, second in state["merges"]:
            made.learn((first, second))
        return made
