"""The judge's own GPT: it answers with the arrays that somebody sent, in NumPy, and runs nothing of theirs.

A layer is a list of arrays: a table [weight], a norm [weight, bias], a Linear layer [weight] or [weight, bias], and the
same in eight bits with [values, scales, input scale, input zero point] in front of the bias. A model is
[tokens, positions, blocks, norm, head]; a block is [norm, query, key, value, out, norm, up, down].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Layer: TypeAlias = list[Array]

LARGEST = 1 << 22  # numbers of one array
EPS = 1e-5


@dataclass(frozen=True, slots=True)
class Decoder:
    """A model whose arrays fit together."""

    tokens: Array
    positions: Array
    blocks: list[list[Layer]]
    norm: Layer
    head: Layer

    @classmethod
    def of(cls, sent: Any, width: int, count: int) -> Decoder | None:
        """The model of what was sent, with so many blocks of this width; None where that is no such model."""
        if type(sent) is not list or len(sent) != 5 or type(sent[2]) is not list or len(sent[2]) != count:
            return None
        tokens, positions, blocks, norm, head = sent
        if not _is_table(tokens, width) or not _is_table(positions, width):
            return None
        fits = [
            _is_norm(norm, width),
            _is_linear(head, width, len(tokens[0]), biased=False),
            *(_is_block(block, width) for block in blocks),
        ]
        return cls(tokens[0], positions[0], blocks, norm, head) if all(fits) else None

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays."""
        layers = [[self.tokens], [self.positions], self.norm, self.head, *(lay for b in self.blocks for lay in b)]
        return sum(array.nbytes for layer in layers for array in layer)

    def write(self, asked: Sequence[Sequence[int]], new: int, heads: int) -> list[list[int]]:
        """What follows each list of ids: so many new ones, the likeliest each time.

        All texts advance together, one place at a time: where a text is still being asked its next id is given.
        """
        width = self.tokens.shape[1]
        lengths = np.array([len(ids) for ids in asked])
        total = min(int(lengths.max()) + new, len(self.positions))
        if width % heads or lengths.min() < 1 or lengths.max() > total:
            return [[] for _ in asked]
        ids = np.zeros((len(asked), total + 1), np.int64)
        for row, given in zip(ids, asked, strict=True):
            row[: len(given)] = given
        kept = np.zeros((len(self.blocks), 2, len(asked), heads, total, width // heads), np.float32)
        with np.errstate(all="ignore"):  # numbers that are none answer something, and that is wrong
            for place in range(total):
                best = self._scores(ids[:, place], place, kept).argmax(axis=-1)
                ids[:, place + 1] = np.where(place + 1 < lengths, ids[:, place + 1], best)
        return [row[length : length + new].tolist() for row, length in zip(ids, lengths, strict=True)]

    def answers(self, texts: Sequence[str], letters: dict[str, int], end: int, new: int, heads: int) -> list[str]:
        """What a model that reads letters says to each text, up to the token that ends an answer."""
        signs = {number: letter for letter, number in letters.items()}
        said = self.write([[letters[letter] for letter in text] for text in texts], new, heads)
        ended = (ids[: ids.index(end)] if end in ids else ids for ids in said)
        return ["".join(signs.get(number, "?") for number in ids) for ids in ended]

    def _scores(self, ids: Array, place: int, kept: Array) -> Array:
        """The scores of what comes after one id of each text; keys and values are kept."""
        x = self.tokens[ids] + self.positions[place]  # (n, width)
        for block, cache in zip(self.blocks, kept, strict=True):
            norm1, query, key, value, out, norm2, up, down = block
            seen = _normal(norm1, x)
            shape = (len(ids), cache.shape[2], cache.shape[4])  # (n, heads, size)
            cache[0, :, :, place] = _linear(key, seen).reshape(shape)
            cache[1, :, :, place] = _linear(value, seen).reshape(shape)
            keys, values = cache[:, :, :, : place + 1]  # (n, heads, t, size)
            asks = _linear(query, seen).reshape(shape)[:, :, None]
            scores = asks @ keys.swapaxes(2, 3) / math.sqrt(shape[2])  # (n, heads, 1, t)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            found = (weights / weights.sum(axis=-1, keepdims=True)) @ values
            x = x + _linear(out, found.reshape(x.shape))
            x = x + _linear(down, _gelu(_linear(up, _normal(norm2, x))))
        return _linear(self.head, _normal(self.norm, x))


# ---- what the arrays must be ----------------------------------------------------------------------------------


def _arrays(layer: Any, kinds: str) -> bool:
    """A list of finite arrays of these kinds, `f` for float32 and `i` for int8."""
    wanted = {"f": np.float32, "i": np.int8}
    return (
        type(layer) is list
        and len(layer) == len(kinds)
        and all(type(a) is np.ndarray and a.dtype == wanted[kind] for a, kind in zip(layer, kinds, strict=True))
        and all(0 < array.size <= LARGEST and bool(np.isfinite(array).all()) for array in layer)
    )


def _is_table(layer: Any, width: int) -> bool:
    return _arrays(layer, "f") and layer[0].ndim == 2 and layer[0].shape[1] == width


def _is_norm(layer: Any, width: int) -> bool:
    return _arrays(layer, "ff") and all(array.shape == (width,) for array in layer)


def _is_linear(layer: Any, inputs: int, outputs: int, *, biased: bool = True) -> bool:
    bias = "f" if biased else ""
    shapes: list[tuple[int, ...]] = [(inputs, outputs)]
    if _arrays(layer, "iffi" + bias):
        shapes += [(1, outputs), (), ()]
    elif not _arrays(layer, "f" + bias):
        return False
    shapes += [(outputs,)] if biased else []
    return [array.shape for array in layer] == shapes


def _is_block(block: Any, width: int) -> bool:
    if type(block) is not list or len(block) != 8:
        return False
    norm1, query, key, value, out, norm2, up, down = block
    if type(down) is not list or not down:
        return False
    inner = down[0].size // width if _arrays(down[:1], "f") or _arrays(down[:1], "i") else 0
    return (
        _is_norm(norm1, width)
        and _is_norm(norm2, width)
        and all(_is_linear(layer, width, width) for layer in (query, key, value, out))
        and _is_linear(up, width, inner)
        and _is_linear(down, inner, width)
    )


# ---- what a layer does ----------------------------------------------------------------------------------------


def _linear(layer: Layer, x: Array) -> Array:
    """A Linear layer; in eight bits it rounds its input, and multiplies whole numbers."""
    if layer[0].dtype != np.int8:
        y: Array = x @ layer[0] + (layer[1] if len(layer) == 2 else 0)
        return y
    values, scales, scale, zero, *bias = layer
    marks = np.clip(np.round(x / scale) + zero, -128, 127) - zero
    product: Array = (marks.astype(np.float32) @ values.astype(np.float32)) * (scale * scales[0])
    return product + bias[0] if bias else product


def _normal(layer: Layer, x: Array) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    y: Array = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(EPS)) * layer[0] + layer[1]
    return y


def _gelu(x: Array) -> Array:
    """In its tanh form."""
    y: Array = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return y


# ---- what a witness can say -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Witness:
    """What the arrays that somebody sent answer by themselves, and how many bytes they have."""

    nbytes: int
    said: tuple[str, ...]


def witness(
    sent: Any, asked: Sequence[str], alphabet: Sequence[str], ids: Any, end: Any, sizes: Mapping[str, int]
) -> Witness:
    """Let arrays answer; no bytes and no answers, where they are no model of these sizes, or the ids are none.

    `ids` are those of the letters of the `alphabet`, `end` that of the token behind an answer. `sizes` are the width,
    heads and blocks of the model, and as `new` how many tokens an answer may have.
    """
    model = Decoder.of(sent, sizes["width"], sizes["blocks"])
    letters = _letters(alphabet, ids)
    if model is None or not letters or type(end) is not int or not 0 <= end < len(model.tokens):
        return Witness(0, ())
    if max(letters.values()) >= len(model.tokens):
        return Witness(0, ())
    said = model.answers(asked, letters, end, sizes["new"], sizes["heads"])
    return Witness(model.nbytes, tuple(said))


def _letters(alphabet: Sequence[str], ids: Any) -> dict[str, int]:
    """The id of each letter; nothing where two have the same."""
    if type(ids) is not np.ndarray or ids.shape != (len(alphabet),) or ids.dtype.kind != "i" or ids.min() < 0:
        return {}
    found = dict(zip(alphabet, ids.tolist(), strict=True))
    return found if len(set(found.values())) == len(alphabet) else {}
