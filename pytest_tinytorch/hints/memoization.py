"""Hints for module 17: a question, the idea with one number, and the algorithm in words."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

ASKED = "The same question"
LAST = "What to give up"
MEMO = "An answer, once"
ROOM = "Room for keys and values"
ONCE = "Every token once"

LADDERS = {
    "freeze": Ladder(
        ask=(
            "Somebody asks for the mean of [1, 2], writes 9 into that array and asks again. What does a dict find if "
            "its key is the array's address? And what if it is the array's bytes, when the next one asks for "
            "[[1], [2]]?"
        ),
        idea=(
            "The old mean, 1.5, which is wrong; and with bytes alone, two shapes are one. So the key has four parts: "
            "type, shape, dtype, bytes. A Tensor is known by the array in it. Tuples are frozen inside; the rest must "
            "have a hash."
        ),
        algorithm=(
            "If it is a Tensor: check_no_graph(value). array = value.data for a Tensor, else value. If type(array) is "
            "np.ndarray and not array.dtype.hasobject: return Content(type(value), array.shape, array.dtype, "
            "array.tobytes()). If type(value) is tuple: a tuple of freeze(each). try: hash(value); except TypeError: "
            "raise TypeError with type(value).__name__. Return value."
        ),
        smaller="freeze(np.zeros(6)) and freeze(np.zeros((2, 3))) differ",
        lesson=ASKED,
        proof="""
        >>> from tinytorch.memoization import freeze
        >>> float(np.array([1, 2]).mean())
        1.5
        >>> freeze(np.zeros(6)) == freeze(np.zeros((2, 3)))
        False
        """,
    ),
    "private": Ladder(
        ask=(
            "An answer is kept and handed out. Its new owner adds 10 to it in place. Who else has it now? Which kinds "
            "of values can be written into at all?"
        ),
        idea=(
            "The cache has it, and everybody who asks later: [11, 12] for [1, 2]. Arrays and Tensors are copied, lists "
            "and dicts are made anew around private elements, tuples too. Numbers, strings and None cannot change."
        ),
        algorithm=(
            "Tensor: check_no_graph(value), return from_numpy(value.data.copy()). type(value) is np.ndarray: "
            "value.copy(). tuple or list: type(value)(private(e) for e in value). dict: {name: private(e) for name, e "
            "in value.items()}. Anything else: value."
        ),
        smaller="private(np.array([1., 2.])) is [1., 2.], in memory of its own",
        lesson=MEMO,
        proof="""
        >>> from tinytorch.memoization import private
        >>> answer = np.array([1.0, 2.0])
        >>> kept = private(answer)
        >>> answer += 10
        >>> answer.tolist(), kept.tolist()
        ([11.0, 12.0], [1.0, 2.0])
        """,
    ),
    "LRUCache.get": Ladder(
        ask=(
            "A dict holds a, b, c in this order, and the first one is given up next. Now a is read. Which should be "
            "given up next, and what must happen to the order?"
        ),
        idea=(
            "b. So a goes to the end: b, c, a. Assigning to a key that is there leaves its place; pop takes it out, "
            "and "
            "then it comes in last."
        ),
        algorithm=(
            "If key not in self.data: return default. value = self.data.pop(key). self.data[key] = value. Return it."
        ),
        smaller="with {'a': 1, 'b': 2}, get('a') leaves {'b': 2, 'a': 1}",
        lesson=LAST,
        proof="""
        >>> cache = LRUCache(2)
        >>> cache.data = {"a": 1, "b": 2}
        >>> cache.get("a"), cache.data
        (1, {'b': 2, 'a': 1})
        """,
    ),
    "LRUCache.put": Ladder(
        ask=(
            "maxsize is 2 and the cache holds a and b. What does it hold after c is put, and what after b gets a new "
            "value instead? When exactly is there one too many?"
        ),
        idea=(
            "b and c; and a, b. Something is given up only if more than maxsize are there when the new one is in: the "
            "first of the dict. A key with a new value is taken out before, so that it stands at the end."
        ),
        algorithm=(
            "self.data.pop(key, None). self.data[key] = value. If self.maxsize is not None and len(self.data) > "
            "self.maxsize: del self.data[next(iter(self.data))]."
        ),
        smaller="in a cache of 1, put('a', 1) and put('b', 2) leave {'b': 2}",
        lesson=LAST,
        proof="""
        >>> cache = LRUCache(1)
        >>> cache.put("a", 1)
        >>> cache.put("b", 2)
        >>> cache.data
        {'b': 2}
        """,
    ),
    "Memo.__call__": Ladder(
        ask=(
            "Write a time line of one call that finds nothing: look, count, work, keep. Two threads make it at the "
            "same "
            "time. At which of the four may they not meet, and at which may they? And what if the answer was declared "
            "out of date while the work went on?"
        ),
        idea=(
            "They may meet at work only: one with-block before it, one behind it. The first one counts, and notes "
            "self.clears; the second keeps the answer only if clears is still the same. Three calls for 3 are 1 miss "
            "and 2 hits. MISSING as default tells None, an answer, from nothing."
        ),
        algorithm=(
            "key = make_key(args, kwargs). with self.lock: found = self.cache.get(key, MISSING); if found is not "
            "MISSING: hits += 1, return private(found); misses += 1; clears = self.clears. answer = "
            "self.function(*args, **kwargs); kept = private(answer). with self.lock: if self.clears == clears: "
            "self.cache.put(key, kept). return answer."
        ),
        smaller="Memo(f, 8) called with 3 twice asks f once",
        lesson=MEMO,
        proof="""
        >>> from tinytorch.memoization import Memo
        >>> square = Memo(lambda x: x * x, 8)
        >>> square(3), square(3), square(3), square.hits, square.misses
        (9, 9, 9, 2, 1)
        """,
    ),
    "Memo.invalidate": Ladder(
        ask=(
            "A file has changed, and what was read from it is kept. Which answers are wrong now: all, or one? And a "
            "call that began to read before the change: where is its answer?"
        ),
        idea=(
            "One, and it is removed by its key. The answer still on its way is in nobody's cache yet, so nothing can "
            "be removed: self.clears tells it. clears grows by 1, whether something was there or not."
        ),
        algorithm="key = make_key(args, kwargs). with self.lock: self.clears += 1; return self.cache.remove(key).",
        smaller="Memo(f, 8).invalidate(3) is False before anybody asked",
        lesson=MEMO,
        proof="""
        >>> from tinytorch.memoization import Memo
        >>> Memo(abs, 8).invalidate(3)
        False
        """,
    ),
    "memoize": Ladder(
        ask=(
            "@memoize(maxsize=8) above a def calls two things, one after the other: what does memoize(maxsize=8) give "
            "back, what is it called with, and how many caches are there for two functions below such lines?"
        ),
        idea=(
            "It gives a function that takes the function and gives a third, the wrapper. Three nested ones. The Memo "
            "is made in the second, one for each function: 2 caches."
        ),
        algorithm=(
            "check_maxsize(maxsize). def decorate(function): memo = Memo(function, maxsize); "
            "@functools.wraps(function) "
            "def wrapper(*args, **kwargs): return memo(*args, **kwargs); wrapper.cache_info = memo.cache_info, the "
            "same "
            "for cache_clear and invalidate; return wrapper. return decorate."
        ),
        smaller="memoize()(abs)(-3) is 3",
        lesson=MEMO,
        proof="""
        >>> memoize()(abs)(-3)
        3
        """,
    ),
    "kv_cache_bytes": Ladder(
        ask=(
            "One token, one layer, 4 heads of 32 numbers: how many numbers does attention need of it later? How many "
            "for 256 tokens in 4 layers?"
        ),
        idea="256: 128 in keys and 128 in values. Times 256 tokens times 4 layers: 262144 numbers of 4 bytes, one MiB.",
        algorithm="return 2 * num_layers * batch * num_heads * max_len * head_size * itemsize.",
        smaller="kv_cache_bytes(1, 1, 1, 1, 1) is 8",
        lesson=ROOM,
        proof="""
        >>> kv_cache_bytes(4, 1, 4, 256, 32), 4 * 262144, 2**20, kv_cache_bytes(1, 1, 1, 1, 1)
        (1048576, 1048576, 1048576, 8)
        """,
    ),
    "KVCache.append": Ladder(
        ask=(
            "3 tokens are in the cache and 2 come. Into which places do they go, and which places does attention get? "
            "Where is 3 written down, and may this layer change it?"
        ),
        idea=(
            "Into 3 and 4, as the slice 3 : 5; attention gets : 5. A slice is a view, so nothing is copied. length "
            "stays 3, for the layers behind have the same 2 tokens still before them."
        ),
        algorithm=(
            "self.check_fits(keys, values). end = self.length + keys.shape[2]. self.keys[layer, :, :, self.length:end] "
            "= keys, values likewise. Return self.keys[layer, :, :, :end] and self.values[layer, :, :, :end]."
        ),
        smaller="the first append gives what came",
        lesson=ROOM,
        proof="""
        >>> cache = KVCache(1, 1, 1, 8, 1)
        >>> cache.advance(3)
        >>> cache.append(0, np.ones((1, 1, 2, 1)), np.ones((1, 1, 2, 1)))[0].shape, cache.length
        ((1, 1, 5, 1), 3)
        """,
    ),
    "offset_causal_mask": Ladder(
        ask=(
            "3 tokens are cached, 2 are new. Which numbers have the two new ones in the whole text? Write yes or no "
            "under each of the five keys, for both."
        ),
        idea=(
            "3 and 4: yes yes yes yes no, and five times yes. Row i is token cached + i; key j is seen if j <= cached "
            "+ i."
        ),
        algorithm=(
            "queries = np.arange(cached, cached + new)[:, None], standing; return np.arange(cached + new) <= queries."
        ),
        smaller="offset_causal_mask(1, 2) is [[True, True, True]]",
        lesson=ONCE,
        proof="""
        >>> from tinytorch.memoization import offset_causal_mask
        >>> offset_causal_mask(2, 3).sum(1).tolist(), offset_causal_mask(1, 2).tolist()
        ([4, 5], [[True, True, True]])
        """,
    ),
    "cached_attention": Ladder(
        ask=(
            "Of a text, 6 tokens were read, and one is new. Whose query is needed, whose key and value, and how many "
            "of "
            "these must be computed now?"
        ),
        idea=(
            "One query, 7 keys, 7 values; one of each is computed, 6 come out of the cache. The scores are (1, 7) and "
            "not (7, 7). cache.append takes the new ones and gives all."
        ),
        algorithm=(
            "For each of attention.query, .key, .value: to_heads(layer(x), attention.num_heads). keys, values = "
            "cache.append(layer, keys, values). mask = offset_causal_mask(new, cache.length) if x.shape[1] > 1, else "
            "None. Return attention.out(from_heads(attend(query, keys, values, mask)))."
        ),
        smaller="with an empty cache, cached_attention(attention, x, cache, 0) is attention(x, is_causal=True)",
        lesson=ONCE,
        proof="""
        >>> from tinytorch.memoization import cached_attention
        >>> attention, cache, x = MultiHeadAttention(4, 2), KVCache(1, 1, 2, 7, 2), randn(1, 3, 4)
        >>> np.allclose(cached_attention(attention, x, cache, 0).data, attention(x, is_causal=True).data, atol=1e-5)
        True
        """,
    ),
    "cached_logits": Ladder(
        ask=(
            "5 ids are cached, one is new. Which row of the table of positions does it get? When may cache.length "
            "become 6: before the blocks, in each, or behind them?"
        ),
        idea=(
            "Row 5, counted from 0: positions.weight[5:6]. Behind all blocks, once: each of them appends at the same "
            "place. Norm and head see the last token only, x[:, -1]."
        ),
        algorithm=(
            "start, end = cache.length, cache.length + ids.shape[1]; cache.check_room(ids.shape[1]). x = "
            "model.tokens(ids) + model.positions.weight[start:end]. for layer, block in enumerate(model.blocks): x = "
            "cached_block(block, x, cache, layer). cache.advance(ids.shape[1]). return model.head(model.norm(x[:, "
            "-1]))."
        ),
        smaller="with an empty cache, cached_logits(model, ids, cache) is model(ids)[:, -1]",
        lesson=ONCE,
        proof="""
        >>> from tinytorch.memoization import cached_logits
        >>> model, ids = GPT(5, 4, 2, 1, 6), tensor([[1, 2, 3]])
        >>> cache = KVCache.of(model, 1, 6)
        >>> np.allclose(cached_logits(model, ids, cache).data, model(ids)[:, -1].data, atol=1e-5), cache.length
        (True, 3)
        """,
    ),
    "generate_cached": Ladder(
        ask=(
            "max_len is 4. Beside each length of the text, 2 to 6, write what the model reads next: how many ids, from "
            "which position? Where does a token change its position, and what are its old key and value worth then?"
        ),
        idea=(
            "At 2 both, then 1 each time up to 4. From 5 on the last 4, all one place further than before: nothing of "
            "the cache is true any more, and the window is read as a whole."
        ),
        algorithm=(
            "As in generate: check_prompt, generator, modes, eval, try, no_grad. cache = KVCache.of(model, "
            "ids.shape[0], min(ids.shape[1] + max_new_tokens, model.max_len)). In the loop: if ids.shape[1] <= "
            "model.max_len: logits = cached_logits(model, ids[:, cache.length:], cache), else model(ids[:, "
            "-model.max_len:])[:, -1]. ids = cat([ids, choose(logits, temperature, top_k, generator)], dim=1). "
            "finally: "
            "the modes."
        ),
        smaller="generate_cached(GPT(5, 4, 2, 1, 8), tensor([[3]]), 2).shape is (1, 3)",
        lesson=ONCE,
        proof="""
        >>> generate_cached(GPT(5, 4, 2, 1, 8), tensor([[3]]), 2).shape
        (1, 3)
        """,
    ),
}
