"""Memoization: what was computed once is looked up the next time.

Two memories. `memoize` puts one in front of any function: the same arguments, the same answer, without the work. A
`KVCache` is one inside a GPT: the keys and values of tokens that were read already. With it a token costs one row of
work where it cost a whole text.

Both must answer the question that makes caches hard: when is what lies there no longer true?
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from .attention import MultiHeadAttention
from .autograd import no_grad
from .tensor import Array, Shape, Tensor, cat, default_generator, from_numpy
from .transformers import GPT, DecoderBlock, keep_top_k, sample

# ---- What was asked ----


@dataclass(frozen=True, slots=True)
class Content:
    """What an array or tensor holds, as one hashable thing: equal where kind, shape, dtype and numbers are (given)."""

    kind: type
    shape: Shape
    dtype: np.dtype[Any]
    numbers: bytes


def check_no_graph(x: Tensor) -> None:
    """Refuse a tensor that gradients pass: they would go to another tensor with the same numbers (given)."""
    if x.requires_grad:
        raise TypeError(f"memoize keeps numbers, not graphs, but a tensor {x.shape} requires grad: detach() it first")


def freeze(value: Any) -> Any:
    """Turn an argument into something that can be looked up in a dict, by content.

        NumPy array, Tensor    ->  Content(type, shape, dtype, numbers as bytes)
        tuple                  ->  a tuple of its frozen elements
        anything hashable      ->  itself

    A dict asks each key for a hash, a number that is the same for equal things. Arrays have none, since somebody may
    write into them. A Tensor's hash says *which* tensor it is, not what it holds: two of the same numbers would never
    meet, and one that was written into would still be found. So a copy of the numbers, as bytes, stands for them.
    The bytes alone are not enough: six numbers may be (2, 3) or (3, 2).

    Everything else that has no hash raises TypeError that names its type, as `functools.lru_cache` does: a list or
    a dict could be frozen too, but its caller would pay for that at every call. So do arrays of Python objects, whose
    bytes are addresses. `check_no_graph(x)` (given) refuses tensors that require grad.

    >>> a, b, c = np.array([[1, 2]]), np.array([[1, 2]]), np.array([[1], [2]])
    >>> freeze(a) == freeze(b), freeze(a) == freeze(c), freeze(a) == freeze(from_numpy(a))
    (True, False, False)
    >>> freeze((3, "same", (np.array([0.5]),)))[:2]
    (3, 'same')
    >>> freeze([3])
    Traceback (most recent call last):
    TypeError: memoize cannot look up a list: it has no hash. Give a tuple or an array

    About ten lines. `array.tobytes()` is such a copy, `array.dtype.hasobject` tells arrays of objects, and
    `hash(value)` raises TypeError where there is no hash.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.freeze")
    # END OF YOUR CODE (keep this line)


def make_key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One key for all arguments of a call; the order in which keywords are written does not matter (given).

    >>> make_key((1,), {"b": 2, "a": 3}) == make_key((1,), {"a": 3, "b": 2})
    True
    """
    return freeze(args), tuple((name, freeze(kwargs[name])) for name in sorted(kwargs))


def private(value: Any) -> Any:
    """A copy that nobody else can write into, of what can be written into and is made of numbers.

        NumPy array, Tensor    ->  a copy with memory of its own
        tuple, list, dict      ->  the same with private elements (of a dict: values)
        anything else          ->  itself

    Whoever is handed an array may work in place: `x -= x.mean()`. If that is the array in the cache, all later answers
    are wrong, and the error shows far from its cause. (`functools.lru_cache` hands out the very object, and
    leaves this to you.)

    `check_no_graph(x)` (given) refuses tensors that require grad.

    >>> answer = np.array([1.0, 2.0])
    >>> kept = private(answer)
    >>> answer += 10
    >>> kept
    array([1., 2.])

    About eight lines. `from_numpy(array)` makes a Tensor of an array.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.private")
    # END OF YOUR CODE (keep this line)


# ---- What is remembered ----


class LRUCache:
    """A dict that holds at most `maxsize` things, and gives up the one that was not used for the longest time.

    `data` keeps them in the order of their last use, the latest at the end: a dict remembers in which order its keys
    were put in. `maxsize` None means that nothing is ever given up.
    """

    maxsize: int | None
    data: dict[Any, Any]

    def __init__(self, maxsize: int | None) -> None:
        self.maxsize = maxsize
        self.data = {}

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, which is then the one used last; `default` where there is none.

        >>> cache = LRUCache(3)
        >>> cache.data = {"a": 1, "b": 2, "c": 3}
        >>> cache.get("a"), cache.get("z", default=0), list(cache.data)
        (1, 0, ['b', 'c', 'a'])

        About four lines. Writing over a key leaves it where it stands; a key that was taken out comes in at the end.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("memoization.LRUCache.get")
        # END OF YOUR CODE (keep this line)

    def put(self, key: Any, value: Any) -> None:
        """Keep a value, as the one used last; where more than `maxsize` would be kept, give up the one used first.

        A key that is there already gets the new value, and nothing is given up for it. With maxsize 0 nothing is kept,
        with None everything.

        >>> cache = LRUCache(2)
        >>> for key in "abac":
        ...     cache.put(key, key.upper())
        >>> cache.data
        {'a': 'A', 'c': 'C'}

        About four lines. `next(iter(d))` is a dict's first key.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("memoization.LRUCache.put")
        # END OF YOUR CODE (keep this line)

    def remove(self, key: Any) -> bool:
        """Forget one key; whether it was there (given)."""
        return self.data.pop(key, MISSING) is not MISSING

    def clear(self) -> None:
        """Forget everything (given)."""
        self.data.clear()

    def __len__(self) -> int:
        return len(self.data)


MISSING = object()  # equal to nothing that a function can return: None may be an answer


class CacheInfo(NamedTuple):
    """How well a cache did: as `functools.lru_cache` tells it."""

    hits: int
    misses: int
    maxsize: int | None
    currsize: int


class Memo:
    """One function with its cache. `memoize` makes a function of it again.

    `lock` is held while the cache or a count is looked at or changed. `clears` counts how often something was
    declared out of date.
    """

    def __init__(self, function: Callable[..., Any], maxsize: int | None) -> None:
        self.function = function
        self.cache = LRUCache(maxsize)
        self.hits = self.misses = self.clears = 0
        self.lock = threading.RLock()  # the same thread may take it again: comparing keys may run anybody's code

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's answer: from the cache, or else computed and kept.

        A hit and a miss count as soon as it is known which it is. What raises an exception is a miss, and nothing is
        kept: the next call tries again. None is an answer like any other.

        Several threads may call at once. Whatever touches `self.cache`, `self.hits`, `self.misses` or `self.clears`
        stands in a `with self.lock:`, since two threads that reorder one dict lose entries. The function
        itself runs without the lock: it may take long, and may call itself. So two threads that ask for the same
        new thing at once both compute it, as with `functools.lru_cache`.

        And while it computes, somebody may declare what it read out of date: `invalidate`, `cache_clear`. Then
        `self.clears` has changed when the answer is there, and the answer goes to the caller, but not into the cache.

        Nobody shares memory with the cache: `private(answer)` goes in, and comes out.

        >>> square = Memo(lambda x: print("working") or x * x, maxsize=8)
        >>> square(3), square(3)
        working
        (9, 9)
        >>> square.hits, square.misses
        (1, 1)

        About fourteen lines. `make_key(args, kwargs)` (given) comes first; `self.cache.get(key, MISSING)` tells a
        kept None from nothing.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("memoization.Memo.__call__")
        # END OF YOUR CODE (keep this line)

    def invalidate(self, *args: Any, **kwargs: Any) -> bool:
        """Forget the answer to one call, for what it was computed from has changed. Whether there was one.

        All other answers stay, and so do the counts of hits and misses. A call that is still computing may have read
        what was there before: `self.clears` grows by 1, kept answer or not.

        >>> square = Memo(lambda x: x * x, maxsize=8)
        >>> square(3), square(4), square.invalidate(3), square.invalidate(3), len(square.cache)
        (9, 16, True, False, 1)

        Three or four lines, with the lock.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("memoization.Memo.invalidate")
        # END OF YOUR CODE (keep this line)

    def cache_clear(self) -> None:
        """Forget all answers and start counting from 0 (given)."""
        with self.lock:
            self.clears += 1
            self.hits = self.misses = 0
            self.cache.clear()

    def cache_info(self) -> CacheInfo:
        """Hits, misses, maxsize and current size, all at one moment (given)."""
        with self.lock:
            return CacheInfo(self.hits, self.misses, self.cache.maxsize, len(self.cache))


def check_maxsize(maxsize: Any) -> None:
    """Refuse what is no number of answers to keep, such as the function itself in `@memoize` (given)."""
    if callable(maxsize):
        raise TypeError("memoize is called with a size before it gets the function: @memoize() or @memoize(maxsize=8)")
    if maxsize is not None and (isinstance(maxsize, bool) or not isinstance(maxsize, int)):
        raise TypeError(f"maxsize is a number of answers, or None for no limit, not {maxsize!r}")
    if maxsize is not None and maxsize < 0:
        raise ValueError(f"maxsize is 0 or more, or None for no limit, not {maxsize}")


def memoize(maxsize: int | None = 128) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: the function computes each answer once, and remembers the `maxsize` answers that were used last.

        @memoize(maxsize=8)
        def table(n, width): ...

    The decorated function is a function again, with the name, docstring and signature of the first one, so that it
    works as a method, too. And it has these:

        table.cache_info()             hits, misses, maxsize, currsize
        table.cache_clear()            forget everything, count from 0
        table.invalidate(64, width=8)  forget one answer; whether there was one
        table.__wrapped__              the function without a cache

    As `functools.lru_cache`, but for arguments that are arrays or Tensors, known by their content, and answers that
    are such, of which everybody gets a copy. `table(64, 8)` and `table(64, width=8)` are two calls to it; 1 and
    True are one argument. It fits only what depends on nothing but its arguments: not on a model's weights, not
    on a random generator.

    >>> @memoize(maxsize=2)
    ... def mean(x):
    ...     print("working")
    ...     return float(x.data.mean())
    >>> mean(tensor([1.0, 2.0])), mean(tensor([1.0, 2.0]))
    working
    (1.5, 1.5)
    >>> mean.cache_info()
    CacheInfo(hits=1, misses=1, maxsize=2, currsize=1)

    About ten lines: `check_maxsize(maxsize)` (given), then a function that takes the function. Each decorated function
    has a `Memo` of its own. `functools.wraps(function)` copies the name and the rest, and sets `__wrapped__`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.memoize")
    # END OF YOUR CODE (keep this line)


# ---- Keys and values of what was read ----


def kv_cache_bytes(num_layers: int, batch: int, num_heads: int, max_len: int, head_size: int, itemsize: int = 4) -> int:
    """The memory of a KVCache, by arithmetic alone.

    One key and one value, of head_size numbers each, for every token of every text, in every head of every layer.
    `itemsize` is the size of a number in bytes: 4 for float32, 2 for float16.

    Weights are there once; this grows with every text that is written at the same time. It is what fills the
    memory where language models are served.

    >>> kv_cache_bytes(num_layers=4, batch=1, num_heads=4, max_len=256, head_size=32)
    1048576
    >>> kv_cache_bytes(32, 1, 32, 4096, 128, itemsize=2) / 2**30    # Llama 2 7B, one text of full length: gibibytes
    2.0

    One line.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.kv_cache_bytes")
    # END OF YOUR CODE (keep this line)


class KVCache:
    """The keys and values of all tokens read so far, for every layer of a model.

    `keys` and `values` are arrays (num_layers, batch, num_heads, max_len, head_size), made once, at full size: to
    make them longer by one token each time would copy all of them each time. `length` says how many tokens are in
    them; what lies behind is rubbish. Every layer appends at `length`; when all have, `advance` moves it.

    >>> cache = KVCache(num_layers=2, batch=1, num_heads=2, max_len=8, head_size=3)
    >>> cache.keys.shape, cache.length, cache.nbytes
    ((2, 1, 2, 8, 3), 0, 768)
    """

    def __init__(
        self,
        num_layers: int,
        batch: int,
        num_heads: int,
        max_len: int,
        head_size: int,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.max_len = max_len
        self.length = 0
        shape = (num_layers, batch, num_heads, max_len, head_size)
        self.keys = np.empty(shape, dtype)
        self.values = np.empty(shape, dtype)

    @classmethod
    def of(cls, model: GPT, batch: int, max_len: int) -> KVCache:
        """An empty cache for a model (given)."""
        weight = model.tokens.weight
        heads = model.blocks[0].attention.num_heads if len(model.blocks) else 1
        return cls(len(model.blocks), batch, heads, max_len, weight.shape[1] // heads, weight.dtype)

    @property
    def nbytes(self) -> int:
        """The memory of both arrays, used or not."""
        return int(self.keys.nbytes + self.values.nbytes)

    def append(self, layer: int, keys: Array, values: Array) -> tuple[Array, Array]:
        """Write the keys and values of new tokens behind those that a layer has, and give all of that layer's.

            keys, values (B, H, t, head_size)  ->  two arrays (B, H, length + t, head_size)

        Nothing that was written before is copied: the results share the cache's memory. `length` stays as it is, for
        the other layers have these tokens still before them.

        `self.check_fits(keys, values)` (given) raises ValueError where the shapes are not this cache's, or the new
        tokens are more than there is room for.

        >>> cache = KVCache(num_layers=1, batch=1, num_heads=1, max_len=4, head_size=2)
        >>> _ = cache.append(0, np.array([[[[1.0, 2.0]]]]), np.array([[[[5.0, 6.0]]]]))
        >>> cache.advance(1)
        >>> keys, values = cache.append(0, np.array([[[[3.0, 4.0]]]]), np.array([[[[7.0, 8.0]]]]))
        >>> keys.tolist(), values.tolist(), cache.length
        ([[[[1.0, 2.0], [3.0, 4.0]]]], [[[[5.0, 6.0], [7.0, 8.0]]]], 1)

        About five lines, of slices.
        """
        # YOUR CODE HERE (keep this line)
        raise NotImplementedError("memoization.KVCache.append")
        # END OF YOUR CODE (keep this line)

    def advance(self, count: int) -> None:
        """All layers have appended `count` tokens: from now on they count (given)."""
        self.check_room(count)
        self.length += count

    def reset(self) -> None:
        """Forget all tokens, and keep the memory for the next text (given)."""
        self.length = 0

    def check_room(self, count: int) -> None:
        """Refuse more tokens than there is room for (given)."""
        if self.length + count > self.max_len:
            raise ValueError(
                f"this KVCache is full: it holds {self.length} tokens, and {count} more are over max_len {self.max_len}"
            )

    def check_fits(self, keys: Array, values: Array) -> None:
        """Refuse keys and values that are not those of new tokens for this cache (given)."""
        _, batch, heads, _, size = self.keys.shape
        for name, x in (("keys", keys), ("values", values)):
            if x.ndim != 4 or (x.shape[0], x.shape[1], x.shape[3]) != (batch, heads, size):
                raise ValueError(f"this KVCache takes {name} of shape ({batch}, {heads}, t, {size}), not {x.shape}")
        if keys.shape != values.shape:
            raise ValueError(
                f"one value belongs to each key, but keys have shape {keys.shape} and values {values.shape}"
            )
        self.check_room(keys.shape[2])


# ---- A GPT that reads every token once ----
#
# With one new token the arrays are so small that the time goes into calls. So what lies between the layers is plain
# NumPy here; nothing is recorded anyway.


def to_heads(x: Tensor, num_heads: int) -> Array:
    """As `split_heads`, (B, t, D) -> (B, H, t, D / H), but of a Tensor's array (given)."""
    heads: Array = x.data.reshape(*x.shape[:2], num_heads, -1).swapaxes(1, 2)
    return heads


def from_heads(found: Array) -> Tensor:
    """As `join_heads`, (B, H, t, D / H) -> (B, t, D), but from an array (given)."""
    batch, _, time, _ = found.shape
    return from_numpy(found.swapaxes(1, 2).reshape(batch, time, -1))


def attend(query: Array, keys: Array, values: Array, mask: Array | None = None) -> Array:
    """As `scaled_dot_product_attention`, but of arrays (given); a mask (T, S) is True where a key takes part."""
    scores = query * (1 / math.sqrt(query.shape[-1])) @ keys.swapaxes(-1, -2)  # (B, H, T, S)
    if mask is not None:
        scores[..., ~mask] = -math.inf
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    found: Array = scores @ values
    return found


def offset_causal_mask(new: int, cached: int) -> Array:
    """The causal mask of tokens that are not the first ones: query i is token number cached + i.

        a NumPy array (new, cached + new)      True where key j is not later than the query: j <= cached + i

    `causal_mask(new, cached + new)` counts queries and keys from 0 and would let the first new token see one key
    only, the oldest.

    >>> offset_causal_mask(2, 3)
    array([[ True,  True,  True,  True, False],
           [ True,  True,  True,  True,  True]])

    About two lines, as in `causal_mask`.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.offset_causal_mask")
    # END OF YOUR CODE (keep this line)


def cached_attention(attention: MultiHeadAttention, x: Tensor, cache: KVCache, layer: int) -> Tensor:
    """What `attention(x, is_causal=True)` gives for new tokens, where the older ones are in the cache.

        x (B, t, D), the new tokens only  ->  (B, t, D)

    Queries, keys and values are needed of the new tokens alone; the keys and values go into the cache, and the
    queries look at all that come out of it. That is what makes the cache exact: nothing about an old token depends
    on what comes after it.

    Fed token by token, it gives what attention gives at once:

    >>> attention, x = MultiHeadAttention(4, 2), randn(1, 3, 4)
    >>> cache = KVCache(num_layers=1, batch=1, num_heads=2, max_len=3, head_size=2)
    >>> parts = []
    >>> for t in range(3):
    ...     parts.append(cached_attention(attention, x[:, t : t + 1], cache, layer=0))
    ...     cache.advance(1)
    >>> np.allclose(cat(parts, dim=1).data, attention(x, is_causal=True).data, atol=1e-5)
    True

    About eight lines, after `MultiHeadAttention.forward`: the same four layers, and `to_heads`, `attend`, `from_heads`
    (given). One new token alone is the last there is, and may look at everything: it needs no mask, which saves time.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.cached_attention")
    # END OF YOUR CODE (keep this line)


def cached_block(block: DecoderBlock, x: Tensor, cache: KVCache, layer: int) -> Tensor:
    """A decoder block for new tokens, (B, t, D) -> (B, t, D): its two branches, with `cached_attention` (given)."""
    x = x + block.dropout(cached_attention(block.attention, block.norm1(x), cache, layer))
    y: Tensor = x + block.feed_forward(block.norm2(x))
    return y


def cached_logits(model: GPT, ids: Tensor, cache: KVCache) -> Tensor:
    """The scores of the token that comes next, from the new ids alone: the cache knows the older ones.

        ids (B, t), new ones only  ->  (B, vocab_size)      what model(all ids)[:, -1] is

    The new tokens stand behind those in the cache, and get the positions from `cache.length` on. Through all blocks
    they go with `cached_block` (given), block number i with layer i of the cache; then they count as read. Norm and
    head are asked about the last token only, for nobody wants the scores of the others.

    >>> model, ids = GPT(10, 8, 2, 2, 6), tensor([[3, 1, 4, 1, 5]])
    >>> cache = KVCache.of(model, batch=1, max_len=6)
    >>> first = cached_logits(model, ids[:, :3], cache)             # the prompt at once
    >>> last = cached_logits(model, ids[:, 3:], cache)
    >>> np.allclose(last.data, model(ids)[:, -1].data, atol=1e-5), cache.length
    (True, 5)

    About seven lines. `model.positions.weight` is the table of positions, (max_len, D).
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.cached_logits")
    # END OF YOUR CODE (keep this line)


def check_prompt(ids: Tensor, max_new_tokens: int) -> None:
    """Refuse what cannot be continued (given)."""
    if ids.ndim != 2:
        raise ValueError(f"ids have the shape (batch, time), not {ids.shape}")
    if ids.shape[1] == 0:
        raise ValueError(f"a prompt has at least one id to go on from, and {ids.shape} has none")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is 0 or more, not {max_new_tokens}")


def choose(logits: Tensor, temperature: float, top_k: int | None, generator: np.random.Generator) -> Tensor:
    """One token for each row, (B, V) -> (B, 1), as `GPT.generate` chooses (given)."""
    return sample(logits if top_k is None else keep_top_k(logits, top_k), temperature, generator)


def generate_cached(
    model: GPT,
    ids: Tensor,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int | None = None,
) -> Tensor:
    """Write what `model.generate` writes, several times as fast: every token is read once.

        ids (B, T)  ->  (B, T + max_new_tokens), the given ids and what follows them

    The first pass reads the prompt, each later one the token that was drawn last. `choose` (given) draws from the same
    generator in the same order as `generate` does, so that the same seed writes the same text: the scores
    differ in the last bit, which decides only where two tokens are equal but for rounding.

    Beyond max_len the cache is worth nothing. `generate` shows the model its last max_len ids then: all of them
    move one place forward, get other positions, and with these other keys and values. So the window is
    read as a whole for every such token, as `generate` does it: right, and as slow.

    Dropout is off and nothing is recorded meanwhile. Afterwards, also after an error, every module is in the mode in
    which it was before.

    >>> model = GPT(vocab_size=10, d_model=8, num_heads=2, num_layers=2, max_len=6)
    >>> ids = tensor([[1, 2], [3, 4]])
    >>> for count in (4, 9):
    ...     same = generate_cached(model, ids, count, top_k=3, seed=5) == model.generate(ids, count, top_k=3, seed=5)
    ...     print(same.shape, bool(same.data.all()))
    (2, 6) True
    (2, 11) True

    About sixteen lines, after `GPT.generate`. `check_prompt` (given) comes first; `KVCache.of(model, batch, max_len)`
    makes the cache; `ids[:, cache.length:]` is what it has not seen.
    """
    # YOUR CODE HERE (keep this line)
    raise NotImplementedError("memoization.generate_cached")
    # END OF YOUR CODE (keep this line)
