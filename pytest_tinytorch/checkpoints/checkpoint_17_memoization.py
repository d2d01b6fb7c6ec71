"""Checkpoint 17: memoization."""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, exercise, named, raises, same, same_array

NOTHING_KEPT = "the function was asked every time: nothing was kept, or nothing was found again."
POISONED = "somebody wrote into an answer, and later answers are wrong: private(answer) goes in, and comes out."
STALE = "what was computed from the old state was kept. self.clears changed meanwhile: hand it out, keep it not."
BY_BYTES = "only the bytes were compared. Shape, dtype and type decide what they mean."
OFF_BY_ONE = "one too many is kept. It is maxsize at most when put is done."
FIRST_IN = "the one that came first was given up, although it was used since. Reading counts as use."
TOP_LEFT = "queries were counted from 0: the oldest keys only. Query i is token number cached + i."
NO_MASK = "new tokens saw the ones behind them: where there is more than one, they need the mask."
NO_PAST = "the older tokens were not looked at: attend to what cache.append gives."
RESTARTED = "positions began at 0 again. The new tokens stand behind the cached ones: from cache.length on."
READ_AGAIN = "the whole text was read for every token. Only ids[:, cache.length:] is new."


# ---- the judge's own cache ------------------------------------------------------------------------------


def remembered(keys, size, reading=True):
    """Which calls must compute, where the `size` answers used last are kept, and what is kept at the end."""
    kept, computes = [], []
    for key in keys:
        computes.append(key not in kept)
        if computes[-1] or reading:
            kept = [k for k in kept if k != key] + [key]
        if size is not None:
            kept = kept[max(len(kept) - size, 0) :]
    return computes, kept


def asks(draw, kinds, count, size):
    """Numbers to ask for, such that it shows whether what was used last is kept, and how much of it."""
    for _ in range(60):
        keys = [int(k) for k in draw.integers(1, kinds + 1, count)]
        right = remembered(keys, size)[0]
        others = [remembered(keys, size, reading=False)[0]]
        others += [remembered(keys, other)[0] for other in (size - 1, size + 1, None)]
        if all(other != right for other in others) and any(right[1:]) and not all(right):
            break
    return keys


def computed(keys, size, reading=True):
    """The numbers that the function is asked for."""
    return [key for key, computes in zip(keys, remembered(keys, size, reading)[0], strict=True) if computes]


def pattern(classes):
    """Equal numbers for equal things, counted from 0 in order of appearance."""
    found = {}
    return [found.setdefault(c, len(found)) for c in classes]


# ---- the judge's own transformer ------------------------------------------------------------------------


def below(p, prefix):
    """The parameters of one part."""
    return {name[len(prefix) + 1 :]: a for name, a in p.items() if name.startswith(f"{prefix}.")}


def put(prefix, shapes):
    """The same shapes under a longer name."""
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def attention_shapes(d):
    """Shapes of a MultiHeadAttention's parameters."""
    parts = ("query", "key", "value", "out")
    return {f"{part}.{k}": shape for part in parts for k, shape in (("weight", (d, d)), ("bias", (d,)))}


def gpt_shapes(vocab, d, layers, longest):
    """Names and shapes of the parameters of a GPT."""
    norm = {"weight": (d,), "bias": (d,)}
    block = put("norm1", norm) | put("attention", attention_shapes(d)) | put("norm2", norm)
    block |= put("feed_forward.up", {"weight": (d, 4 * d), "bias": (4 * d,)})
    block |= put("feed_forward.down", {"weight": (4 * d, d), "bias": (d,)})
    shapes = {"tokens.weight": (vocab, d), "positions.weight": (longest, d)}
    for i in range(layers):
        shapes |= put(f"blocks.{i}", block)
    return shapes | put("norm", norm) | {"head.weight": (d, vocab)}


def numbers(draw, shapes):
    """Random parameters: large enough for every branch to matter."""
    return {name: draw.normal(*shape) * np.float32(0.5) for name, shape in shapes.items()}


def dense(p, x):
    """A Linear layer."""
    return x @ np.float64(p["weight"]) + p.get("bias", 0)


def normed(p, x):
    """A LayerNorm."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p["weight"] + p["bias"]


def bent(x):
    """GELU in the tanh form."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def looked(p, x, heads, mask):
    """Multi-head attention of x (B, T, D) to itself; mask (T, T)."""
    q, k, v = (
        dense(below(p, name), x).reshape(*x.shape[:2], heads, -1).swapaxes(1, 2) for name in ("query", "key", "value")
    )
    e = np.where(mask, q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1]), -np.inf)
    e = np.exp(e - e.max(-1, keepdims=True))
    return dense(below(p, "out"), (e / e.sum(-1, keepdims=True) @ v).swapaxes(1, 2).reshape(x.shape))


def seen(steps):
    """Who sees whom in a text that is read in steps: all that is not later."""
    return np.tri(sum(steps), dtype=bool)


def seen_at_once(steps):
    """The same without a mask: all of a step see all of it."""
    step = np.repeat(np.arange(len(steps)), steps)
    return step <= step[:, None]


def seen_from_0(steps):
    """The same with queries counted from 0 in each step."""
    return np.concatenate([np.tri(n, sum(steps), dtype=bool) for n in steps])


def seen_alone(steps):
    """The same where each step sees itself only."""
    step = np.repeat(np.arange(len(steps)), steps)
    return seen(steps) & (step == step[:, None])


def gpt(draw, vocab, d, heads, layers, longest):
    """The sizes of a GPT, as its constructor takes them, and random parameters that make it listen to what it reads."""
    p = numbers(draw, gpt_shapes(vocab, d, layers, longest))
    for name, factor in (("tokens.weight", 4), ("positions.weight", 2), ("norm.weight", 2), ("norm.bias", 0.2)):
        p[name] *= np.float32(factor)
    return (vocab, d, heads, layers, longest), p


def logits(net, ids, mask=None, places=None):
    """(B, T) -> (B, T, V); with another mask or other places, if asked for."""
    (_, _, heads, layers, _), p = net
    mask = seen([ids.shape[1]]) if mask is None else mask
    places = np.arange(ids.shape[1]) if places is None else places
    x = np.float64(p["tokens.weight"])[ids] + p["positions.weight"][places]
    for i in range(layers):
        b = below(p, f"blocks.{i}")
        x = x + looked(below(b, "attention"), normed(below(b, "norm1"), x), heads, mask)
        inside = bent(dense(below(b, "feed_forward.up"), normed(below(b, "norm2"), x)))
        x = x + dense(below(b, "feed_forward.down"), inside)
    return dense(below(p, "head"), normed(below(p, "norm"), x))


def follow(net, ids, count, window=None, beyond=None, places=None):
    """The ids and the likeliest ones behind them, and the smallest lead that one of them had.

    `window` ids are shown, and `beyond` of a text longer than max_len; both are max_len, if not asked otherwise.
    """
    lead, longest = math.inf, net[0][4]
    for _ in range(count):
        shown = ids[:, -((beyond if ids.shape[1] > longest else window) or longest) :]
        at = None if places is None else places(shown.shape[1])
        scores = logits(net, shown, places=at)[:, -1]
        best = np.sort(scores, -1)
        lead = min(lead, float((best[:, -1] - best[:, -2]).min()))
        ids = np.concatenate([ids, scores.argmax(-1)[:, None]], 1)
    return ids, lead


def prompted(draw, sizes, batch, time, count, *slips):
    """A GPT and a prompt such that rounding decides nothing, and each of these slips writes something else."""
    for _ in range(60):
        net, ids = gpt(draw, *sizes), draw.integers(0, sizes[0], batch, time)
        text, lead = follow(net, ids, count)
        if lead > 0.01 and not any(np.array_equal(text, follow(net, ids, count, **slip)[0]) for slip in slips):
            break
    return net, ids, text


def made(tt, net):
    """The student's model with the same parameters."""
    model = named(tt.GPT(*net[0]), "model")
    model.load_state_dict(net[1])
    return model


def width(draw):
    """A width and a number of heads that divides it."""
    heads = int(draw.choice([2, 3]))
    return heads * int(draw.choice([2, 4])), heads


# ---- freeze -----------------------------------------------------------------------------------------------


def alike(a, order):
    """Which of several things with the same bytes are the same key, in this order."""
    things = [a, a.copy(), np.asfortranarray(a), a.reshape(-1), a.view(np.int32), tt.tensor(a), tt.tensor(a), a + 1]
    found = {}
    return [found.setdefault(tt.memoization.freeze(things[i]), len(found)) for i in order]


@exercise("freeze", points=3)
def test_freeze_knows_arrays_by_their_content(lab, draw):
    """freeze makes equal keys of equal arrays: the same type, shape, dtype and numbers"""
    n, m = draw.sizes(2)
    order = draw.permutation(8)

    def keys(*classes):
        return pattern([classes[i] for i in order])

    same(
        lab(alike, draw(n, m), order.tolist()),
        keys(0, 0, 0, 1, 2, 3, 3, 4),
        what=f"which keys are equal, of {n} x {m} numbers as array, copy, in columns, flat, as int32, as two Tensors, "
        f"plus 1; in the order {order.tolist()}",
        mistakes=[
            Mistake(keys(0, 0, 0, 0, 0, 0, 0, 4), BY_BYTES),
            Mistake(keys(0, 0, 0, 0, 2, 3, 3, 4), "the shape is not part of the key."),
            Mistake(
                keys(0, 0, 0, 1, 0, 3, 3, 4), "the dtype is not part of the key: the same bytes are other numbers."
            ),
            Mistake(keys(0, 0, 0, 1, 2, 0, 0, 4), "an array and a Tensor of the same numbers are different arguments."),
            Mistake(keys(0, 0, 0, 1, 2, 3, 5, 4), "a Tensor was known by its identity. Take its numbers: x.data."),
        ],
        smaller="freeze(np.zeros(6)) and freeze(np.zeros((2, 3))) differ",
    )


def written_into(a, other):
    """Whether keys from before are found for what was written into an array and a tensor, and for what was there."""
    x, y = a.copy(), tt.tensor(a)
    kept = {tt.memoization.freeze(x): 1, tt.memoization.freeze(y): 2}
    x[...] = other
    y.data[...] = other
    return [kept.get(tt.memoization.freeze(thing), 0) for thing in (x, a, y, tt.tensor(a))]


@exercise("freeze", points=2)
def test_freeze_copies_the_numbers(lab, draw):
    """a key does not change when somebody writes into the array that it was made of"""
    n, m = draw.sizes(2)
    a = draw.distinct(n, m)
    same(
        lab(written_into, a, a[::-1, ::-1].copy()),
        [0, 1, 0, 2],
        what="what is found for: the array written into, one as before, the Tensor written into, one as before",
        mistakes=[Mistake([1, 0, 2, 0], "the key follows what is written into the array: copy the numbers.")],
    )


def nested(a, plain):
    """Whether tuples with arrays meet, what becomes of plain values, and of a tuple of them."""
    freeze = tt.memoization.freeze
    things = [(1, a), (1, a.copy()), (1, (a,)), (2, a), ((1, a),), (1, a.copy())]
    found = {}
    return [found.setdefault(freeze(thing), len(found)) for thing in things], [freeze(value) for value in plain]


@exercise("freeze", points=2)
def test_freeze_goes_into_tuples(lab, draw):
    """freeze freezes what is inside tuples, and leaves everything hashable as it is"""
    number, word = int(draw.integers(10, 99)), "abc"[: int(draw.integers(1, 4))]
    plain = [number, word, None, number / 8, (number, word), (word, (number, ()))]
    met, values = lab(nested, draw(*draw.sizes(2)), plain)
    same(
        met,
        [0, 0, 1, 2, 3, 0],
        what="which keys are equal of (1, a), (1, copy), (1, (a,)), (2, a), ((1, a),), (1, copy)",
    )
    same(values, plain, what=f"[freeze(value) for value in {plain}]")


def told_of_objects(n):
    """What is said of an array of n Python objects."""
    try:
        return ["nothing", str(tt.memoization.freeze(np.array([object()] * n)))]
    except TypeError as error:
        return ["TypeError", "ndarray" if "ndarray" in str(error) else str(error)]


@exercise("freeze", points=2)
def test_freeze_refuses_what_it_cannot_know(tt, lab, draw):
    """freeze refuses lists, dicts, arrays of objects and tensors with a graph, and names them"""
    n, m = draw.sizes(2)
    a = draw(n, m)
    freeze = tt.memoization.freeze
    for value in ([n, m], {"n": n}):
        raises(TypeError, lambda v=value: freeze(v), mentions=[type(value).__name__])
    raises(TypeError, lambda: freeze((n, [m])), mentions=["list"])
    raises(TypeError, lambda: freeze(tt.tensor(a, requires_grad=True)), mentions=[a.shape])
    same(lab(told_of_objects, n), ["TypeError", "ndarray"], what="freeze(an array of objects)")
    same(
        lab(alike, a, [0, 3, 1, 7]),
        [0, 1, 0, 2],
        what="which keys are equal of an array, it flat, its copy, and plus 1",
    )


# ---- private ----------------------------------------------------------------------------------------------


def parted(a, swap):
    """What is left of private copies after the original was written into; with swap, the other way round."""
    inside, flat = a[0].copy(), a.reshape(-1)[:3].copy()
    for value in (a.copy(), tt.tensor(a), (a.copy(), 3), [tt.tensor(a)], {"x": {"y": [a.copy()]}}):
        kept = tt.memoization.private(value)
        yield_from = [value, kept] if swap else [kept, value]
        found = []
        for thing in reversed(yield_from):
            waiting = [thing]
            while waiting:
                part = waiting.pop()
                if isinstance(part, tt.Tensor):
                    part = part.data
                if isinstance(part, np.ndarray):
                    found.append(part.copy())
                    part[...] = 0
                elif isinstance(part, dict):
                    waiting += part.values()
                elif isinstance(part, tuple | list):
                    waiting += part
        inside = np.concatenate([inside.reshape(-1), *[part.reshape(-1) for part in found]])
    return np.concatenate([inside, flat])


@exercise("private", points=3)
def test_private_shares_no_memory(lab, draw):
    """private copies arrays and tensors, also inside tuples, lists and dicts"""
    a = draw(*draw.sizes(2))
    right = np.concatenate([a[0], *[a.reshape(-1)] * 10, a.reshape(-1)[:3]])
    shared = np.concatenate([a[0], *[a.reshape(-1), 0 * a.reshape(-1)] * 5, a.reshape(-1)[:3]])
    for swap in (False, True):
        same_array(
            lab(parted, a, swap),
            right,
            what="the numbers of array, Tensor, (array,), [Tensor] and {dict of lists}, first as they were, then of "
            f"{'the originals after the copies' if swap else 'the copies after the originals'} were set to 0",
            mistakes=[Mistake(shared, "nothing was copied: both share their memory.")],
        )


def kinds(a, extra):
    """The types that come back, whether they are the things themselves, plain values, and an array's numbers."""
    private = tt.memoization.private
    thing = object()
    values = [a, tt.tensor(a), (a, extra), [a], {"x": extra}, extra, "text", None]
    names = [type(private(v)).__name__ for v in values]
    themselves = [private(v) is v for v in (thing, a, extra, values[1], values[3])]
    return names, themselves, private((extra, {"x": [extra]})), private(a)


@exercise("private", points=2)
def test_private_keeps_types_and_values(lab, draw):
    """private gives the same type with the same values, and everything else as it is"""
    a, extra = draw(*draw.sizes(2)), int(draw.integers(10, 99))
    names, themselves, values, copy = lab(kinds, a, extra)
    same(
        names, ["ndarray", "Tensor", "tuple", "list", "dict", "int", "str", "NoneType"], what="types of private copies"
    )
    same(values, (extra, {"x": [extra]}), what=f'private(({extra}, {{"x": [{extra}]}}))')
    same(
        themselves,
        [True, False, True, False, False],
        what="[private(v) is v for v in (an object, an array, a number, a Tensor, a list)]",
    )
    same_array(copy, a, what="private(array)")


def after_detach(a, other):
    """A private copy of a detached tensor, after the tensor was written into."""
    x = tt.tensor(a, requires_grad=True)
    kept = tt.memoization.private(x.detach())
    x.data[...] = other
    return kept.data


@exercise("private", points=1)
def test_private_refuses_a_graph(tt, lab, draw):
    """private refuses a tensor with a graph, and names its shape"""
    a = draw(*draw.sizes(3))
    raises(TypeError, lambda: tt.memoization.private(tt.tensor(a, requires_grad=True)), mentions=[a.shape])
    raises(TypeError, lambda: tt.memoization.private([tt.tensor(a, requires_grad=True) * 2]), mentions=[a.shape])
    same_array(lab(after_detach, a, 9), a, what="private(x.detach()), after x was filled with 9")


# ---- LRUCache ---------------------------------------------------------------------------------------------


def got(kept, keys, default):
    """What get gives for keys, of a cache that holds this; and what it holds then."""
    cache = tt.LRUCache(len(kept))
    cache.data = dict(kept)
    return [cache.get(key, default) for key in keys], list(cache.data.items())


@exercise("LRUCache.get", points=2)
def test_get_makes_a_key_the_last_used(lab, draw):
    """get gives a key's value and makes it the one used last; without the key, the default"""
    values = draw.permutation(90)[:5].tolist()
    kept = list(zip("abcde", [None, *values[1:]], strict=True))
    default = int(draw.integers(100, 200))
    keys = [str(k) for k in draw.rng.permutation(list("abcxz"))]
    right, order = [dict(kept).get(k, default) for k in keys], [k for k in keys if k in "abc"]
    moved = [(k, v) for k, v in kept if k not in order] + [(k, dict(kept)[k]) for k in order]
    found, left = lab(got, kept, keys, default)
    same(found, right, what=f"[cache.get(key, {default}) for key in {keys}], where cache.data is {dict(kept)}")
    same(
        [key for key, _ in left],
        [key for key, _ in moved],
        what=f"the keys of cache.data after {keys} were read, the one used last at the end",
        mistakes=[
            Mistake([k for k, _ in kept], FIRST_IN),
            Mistake([*order[::-1], *[k for k, _ in kept if k not in order]], "the key went to the front."),
        ],
        smaller="with {'a': 1, 'b': 2}, get('a') leaves {'b': 2, 'a': 1}",
    )
    same(left, moved, what="list(cache.data.items()) then")


def stored(size, pairs):
    """What a cache of this size holds after these puts."""
    cache = tt.LRUCache(size)
    for key, value in pairs:
        cache.put(key, value)
    return list(cache.data.items())


def puts(pairs, size, again="moves", more=0, newest=False):
    """What must be kept; or what is kept with one of the slips."""
    kept = {}
    for key, value in pairs:
        if again == "moves":
            kept.pop(key, None)
        early = again == "gives up" and len(kept) >= size
        if early:
            del kept[next(iter(kept))]
        kept[key] = value
        if len(kept) > size + more:
            del kept[list(kept)[-2 if newest else 0]]
    return list(kept.items())


@exercise("LRUCache.put", points=3)
def test_put_gives_up_what_was_used_first(lab, draw):
    """put keeps maxsize values, gives up the one used first, and a new value makes a key the last used"""
    size = int(draw.integers(3, 5))
    slips = ({"again": "stays"}, {"again": "gives up"}, {"more": 1}, {"more": -1}, {"newest": True})
    for _ in range(99):
        pairs = [("abcdef"[k], i) for i, k in enumerate(draw.integers(0, 6, 12))]
        right = puts(pairs, size)
        if all(puts(pairs, size, **slip) != right for slip in slips):
            break
    texts = [[f"{key}{value}" for key, value in puts(pairs, size, **slip)] for slip in ({}, *slips)]
    same(
        [f"{key}{value}" for key, value in lab(stored, size, pairs)],
        texts[0],
        what=f"what LRUCache({size}) holds after put of {' '.join(f'{k}{v}' for k, v in pairs)}",
        mistakes=[
            Mistake(texts[1], "a key with a new value stays where it was. It is the one used last: take it out first."),
            Mistake(texts[2], "something was given up for a key that was there already."),
            Mistake(texts[3], OFF_BY_ONE),
            Mistake(texts[4], "one too few is kept."),
            Mistake(texts[5], "the newest of the others was given up. The first of the dict was not used for longest."),
        ],
        smaller="in a cache of 1, put('a', 1) and put('b', 2) leave {'b': 2}",
    )


@exercise("LRUCache.put", points=1)
def test_put_with_no_limit_and_no_room(lab, draw):
    """put keeps everything where maxsize is None, nothing where it is 0"""
    pairs = [("abcdef"[k], int(v)) for k, v in zip(draw.permutation(6), draw.permutation(99), strict=False)]
    same(
        [lab(stored, size, pairs) for size in (None, 0, 1)],
        [pairs, [], pairs[-1:]],
        what="what is kept with maxsize None, 0 and 1",
    )


# ---- Memo.__call__ ----------------------------------------------------------------------------------------


def asked(keys, size, offset):
    """What a memo answers, what its function was asked, and how it counted."""
    log = []

    def work(n):
        log.append(n)
        return n * n + offset if n % 3 else None

    memo = tt.memoization.Memo(work, size)
    return [memo(n) for n in keys], log, [memo.hits, memo.misses]


@exercise("Memo.__call__", points=3)
def test_memo_computes_each_answer_once(lab, draw):
    """a memo asks its function once for each argument, also where the answer is None"""
    offset = int(draw.integers(100, 900))
    keys = [3, *(int(k) for k in draw.integers(1, 6, 9)), 3]
    answers, log, counts = lab(asked, keys, 8, offset)
    once = computed(keys, None)
    without_none = [k for i, k in enumerate(keys) if k == 3 or k not in keys[:i]]
    same(answers, [k * k + offset if k % 3 else None for k in keys], what=f"answers to {keys}, 3 gives None")
    same(
        log,
        once,
        what=f"what the function was asked, when its memo was asked for {keys}",
        mistakes=[
            Mistake(keys, NOTHING_KEPT),
            Mistake(without_none, "None was taken for no answer. Ask the cache with a default that no answer equals."),
        ],
    )
    same(
        counts,
        [len(keys) - len(once), len(once)],
        what="[hits, misses]",
        mistakes=[Mistake([len(once), len(keys) - len(once)], "hits and misses are exchanged.")],
    )


@exercise("Memo.__call__", points=2)
def test_memo_keeps_what_was_used_last(lab, draw):
    """a memo of maxsize answers keeps those used last"""
    size = int(draw.integers(2, 4))
    keys = asks(draw, size + 2, 14, size)
    answers, log, _ = lab(asked, keys, size, size)
    same(answers, [k * k + size if k % 3 else None for k in keys], what=f"answers to {keys}")
    same(
        log,
        computed(keys, size),
        what=f"what the function was asked, when its memo with maxsize {size} was asked for {keys}",
        mistakes=[
            Mistake(computed(keys, size, reading=False), FIRST_IN),
            Mistake(computed(keys, size + 1), OFF_BY_ONE),
            Mistake(computed(keys, None), "nothing was ever given up."),
        ],
    )


def called_with(calls):
    """What a memo answers to calls (args, kwargs), and how often its function was asked."""
    log = []

    def work(*args, **kwargs):
        log.append(1)
        return [list(args), sorted(kwargs.items())]

    memo = tt.memoization.Memo(work, None)
    return [memo(*args, **kwargs) for args, kwargs in calls], len(log)


@exercise("Memo.__call__", points=2)
def test_memo_listens_to_keywords(lab, draw):
    """a memo hands all arguments on, and tells calls apart by their keywords, too"""
    a, b = (int(v) for v in draw.permutation(90)[:2])
    calls = [((a,), {}), ((a,), {"k": b}), ((a,), {"k": a}), ((a,), {"j": b}), ((a, b), {}), ((), {"k": b, "j": a})]
    calls += [calls[i] for i in draw.permutation(6)]
    right = [[list(args), sorted(kwargs.items())] for args, kwargs in calls]
    answers, count = lab(called_with, calls)
    same(
        [str(answer) for answer in answers],
        [str(answer) for answer in right],
        what=f"answers to the calls {calls}",
        mistakes=[
            Mistake(
                [str(right[[args for args, _ in calls].index(args)]) for args, _ in calls],
                "calls with other keywords got the same answer: make_key(args, kwargs).",
            )
        ],
    )
    same(count, 6, what="how often the function was asked: six different calls, each twice")


def handed_out(a, wrap):
    """An answer's numbers each time it is handed out, and written into afterwards."""
    memo = tt.memoization.Memo(lambda n: tt.tensor(a * n) if wrap else a * n, 4)
    found = []
    for _ in range(4):
        answer = memo(2)
        array = answer.data if wrap else answer
        found.append(array.copy())
        array += len(found)
    return np.stack(found)


@exercise("Memo.__call__", points=2)
def test_memo_hands_out_copies(lab, draw):
    """writing into a memo's answer changes no later answer, for the first caller and for all others"""
    a = draw(*draw.sizes(2))
    twice = 2 * a
    for wrap in (False, True):
        same_array(
            lab(handed_out, a, wrap),
            np.stack([twice] * 4),
            what=f"four answers of the same call, {'Tensors' if wrap else 'arrays'}, each written into by its caller",
            mistakes=[
                Mistake(np.stack([twice, twice + 1, twice + 3, twice + 6]), POISONED),
                Mistake(np.stack([twice, twice, twice + 2, twice + 5]), POISONED),
                Mistake(np.stack([twice, twice + 1, twice + 1, twice + 1]), "the first caller shares the kept answer."),
            ],
        )


def stumbling(fails, n):
    """What is told by calls of a function that raises at first, how often it was asked, and the counts."""
    log, told = [], []

    def work(n):
        log.append(n)
        if len(log) <= fails:
            raise KeyError(len(log))
        return n * len(log)

    memo = tt.memoization.Memo(work, 4)
    for _ in range(fails + 3):
        try:
            told.append(str(memo(n)))
        except KeyError as error:
            told.append(f"error {error}")
    return told, len(log), [memo.hits, memo.misses]


@exercise("Memo.__call__", points=2)
def test_memo_keeps_no_exceptions(lab, draw):
    """what raises an exception is asked again, until there is an answer"""
    fails, n = int(draw.integers(1, 4)), int(draw.integers(10, 99))
    told, count, counts = lab(stumbling, fails, n)
    answer = str(n * (fails + 1))
    errors = [f"error {i + 1}" for i in range(fails)]
    same(
        told,
        [*errors, answer, answer, answer],
        what=f"calls of a function that raises KeyError {fails} times",
        mistakes=[
            Mistake(["error 1"] * (fails + 3), "the exception was kept. The next call tries again."),
            Mistake(["None"] * (fails + 3), "the exception was swallowed."),
        ],
    )
    same([count, *counts], [fails + 1, 2, fails + 1], what="[times asked, hits, misses]")


def at_once(names, threads):
    """What threads get that ask at once for what is there, by keys whose hash takes its time; and the counts."""
    import threading
    import time

    class Slow:
        def __init__(self, name):
            self.name = name

        def __hash__(self):
            time.sleep(0.0004)
            return hash(self.name)

        def __eq__(self, other):
            return isinstance(other, Slow) and self.name == other.name

    memo = tt.memoization.Memo(lambda key: key.name * 2, None)
    keys = [Slow(name) for name in names]
    for key in keys:
        memo(key)
    told, ready = [], threading.Barrier(threads)

    def ask():
        try:
            ready.wait(5)
            told.extend(memo(key) for key in keys for _ in range(2))
        except Exception as error:  # noqa: BLE001 -- whatever it is, a thread must tell it
            told.append(f"{type(error).__name__} {error}")

    workers = [threading.Thread(target=ask, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(told), [memo.hits, memo.misses]


@exercise("Memo.__call__", points=2)
def test_memo_may_be_asked_by_threads(lab, draw):
    """threads that ask a memo at the same time lose nothing of it"""
    names = [f"{word}{int(draw.integers(10, 99))}" for word in "abc"]
    told, counts = lab(at_once, names, 4)
    same(
        told,
        sorted([name * 2 for name in names] * 8),
        what="answers that four threads got, of what was in the cache already",
    )
    same(
        counts,
        [24, 3],
        what="[hits, misses]: three computed, then 24 found by four threads",
        mistakes=[Mistake([0, 27], NOTHING_KEPT)],
    )


def meeting(a, b):
    """What two threads get whose computations wait for each other, then what was computed for two questions more."""
    import threading

    meet, told, errors, log = threading.Barrier(2), {}, [], []

    def work(n):
        log.append(n)
        if len(log) < 3:
            meet.wait(2)
        return n * n

    memo = tt.memoization.Memo(work, None)

    def ask(n):
        try:
            told[n] = memo(n)
        except threading.BrokenBarrierError:
            told[n] = "waited in vain"
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is raised again below
            errors.append(error)

    workers = [threading.Thread(target=ask, args=(n,), daemon=True) for n in (a, b)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for error in errors:
        raise error
    if told.get(a) == a * a:
        memo(a), memo(b)
    return [told.get(a), told.get(b)], len(log)


@exercise("Memo.__call__", points=2)
def test_memo_computes_without_its_lock(lab, draw):
    """two threads may compute different answers of one memo at the same time"""
    a, b = (int(v) + 2 for v in draw.permutation(90)[:2])
    told, count = lab(meeting, a, b)
    if told != [a * a, b * b]:  # a machine may be busy
        told, count = lab(meeting, a, b)
    same(
        told,
        [a * a, b * b],
        what=f"memo({a}) and memo({b}) in two threads; each computation waits until the other has begun",
        mistakes=[
            Mistake(
                ["waited in vain"] * 2,
                "the function ran with the lock held, so the other thread waited. Compute between two with-blocks.",
            )
        ],
    )
    same(count, 2, what="computations in all, when both are asked once more", mistakes=[Mistake(4, NOTHING_KEPT)])


def outdated(before, after, how):
    """Three answers of a memo, where what they are computed from changes while the first is computed; times asked."""
    world, log = [before], []

    def work(n):
        log.append(n)
        found = world[0] * n
        if len(log) == 1:
            world[0] = after
            memo.cache_clear() if how == "cache_clear" else memo.invalidate(n)
        return found

    memo = tt.memoization.Memo(work, 8)
    memo.invalidate(1)
    return [memo(2) for _ in range(3)], len(log)


@exercise("Memo.__call__", points=2)
def test_memo_keeps_nothing_out_of_date(lab, draw):
    """an answer that was cleared while it was computed is handed out, but not kept"""
    before, after = (int(v) + 1 for v in draw.permutation(90)[:2])
    answers, count = lab(outdated, before, after, "cache_clear")
    same(
        answers,
        [2 * before, 2 * after, 2 * after],
        what=f"three answers, computed from {before}, which becomes {after} during the first; then cache_clear",
        mistakes=[Mistake([2 * before] * 3, STALE)],
    )
    same(count, 2, what="how often the function was asked", mistakes=[Mistake(3, NOTHING_KEPT)])


# ---- Memo.invalidate --------------------------------------------------------------------------------------


def forgetting(keys, gone):
    """What invalidate says, what is asked again afterwards, and the counts."""
    log = []

    def work(n, k=0):
        log.append(n)
        return n + k

    memo = tt.memoization.Memo(work, None)
    for n in keys:
        memo(n, k=1)
    said = [memo.invalidate(n, k=1) for n in gone]
    counts = [memo.hits, memo.misses]
    log.clear()
    return said, [memo(n, k=1) for n in keys], list(log), counts


@exercise("Memo.invalidate", points=3)
def test_invalidate_forgets_one_answer(lab, draw):
    """invalidate forgets the answer to one call, says whether there was one, and leaves the others"""
    keys = (draw.permutation(9) + 1).tolist()
    gone = [keys[i] for i in draw.permutation(9)[:3]]
    wanted = [keys[0], *gone, gone[0], 77, keys[0]]
    said, answers, log, counts = lab(forgetting, keys, wanted)
    there = [n in keys and n not in wanted[:i] for i, n in enumerate(wanted)]
    again = [n for n in keys if n in wanted]
    same(said, there, what=f"[memo.invalidate(n, k=1) for n in {wanted}], after {keys} were computed")
    same(answers, [n + 1 for n in keys], what="the answers afterwards")
    same(
        log,
        again,
        what=f"what the function was asked again, of {keys}, after {wanted} were invalidated",
        mistakes=[
            Mistake(keys, "everything was forgotten. Only this one call is out of date."),
            Mistake([], "nothing was forgotten."),
        ],
    )
    same(counts, [0, len(keys)], what="[hits, misses] after invalidate")


@exercise("Memo.invalidate", points=2)
def test_invalidate_reaches_what_is_being_computed(lab, draw):
    """an answer that was invalidated while it was computed is not kept"""
    before, after = (int(v) + 1 for v in draw.permutation(90)[:2])
    answers, count = lab(outdated, before, after, "invalidate")
    same(
        answers,
        [2 * before, 2 * after, 2 * after],
        what=f"three answers, computed from {before}, which becomes {after} during the first; then invalidate",
        mistakes=[Mistake([2 * before] * 3, "the answer still being computed was kept: count self.clears up.")],
    )
    same(count, 2, what="how often the function was asked")


# ---- memoize ----------------------------------------------------------------------------------------------


def dressed(name, text, n):
    """Name, docstring and parameters of a decorated function, and what the one inside answers."""
    import inspect

    def work(count, *, factor=3):
        return count * factor

    work.__name__, work.__doc__ = name, text
    table = tt.memoize(maxsize=4)(work)
    return [table.__name__, table.__doc__, list(inspect.signature(table).parameters)], table.__wrapped__(n), table(n)


@exercise("memoize", points=2)
def test_memoize_leaves_a_function_its_name(lab, draw):
    """a memoized function has the name, docstring and signature of the one that was decorated"""
    n = int(draw.integers(10, 99))
    about, inside, answer = lab(dressed, f"table_{n}", f"Makes {n}.", n)
    same(
        about,
        [f"table_{n}", f"Makes {n}.", ["count", "factor"]],
        what="[__name__, __doc__, parameters]",
        mistakes=[Mistake(["wrapper", None, ["args", "kwargs"]], "use functools.wraps(function).")],
    )
    same([inside, answer], [3 * n, 3 * n], what=f"[table.__wrapped__({n}), table({n})]")


def informed(keys, size):
    """cache_info after each call, after invalidating the last, and after cache_clear; and what was asked."""
    log = []

    @tt.memoize(maxsize=size)
    def work(n):
        log.append(n)
        return -n

    infos = [(work(n), tuple(work.cache_info()))[1] for n in keys]
    said = [work.invalidate(keys[-1]), work.invalidate(keys[-1])]
    infos.append(tuple(work.cache_info()))
    work.cache_clear()
    infos.append(tuple(work.cache_info()))
    return infos, said, log, work(keys[0])


@exercise("memoize", points=3)
def test_memoize_tells_how_it_does(lab, draw):
    """a memoized function has cache_info, invalidate and cache_clear"""
    size = int(draw.integers(2, 4))
    keys = asks(draw, size + 2, 12, size)
    infos, said, log, answer = lab(informed, keys, size)
    right = []
    for i in range(1, len(keys) + 1):
        computes, kept = remembered(keys[:i], size)
        right.append((i - sum(computes), sum(computes), size, len(kept)))
    hits, misses, _, now = right[-1]
    same(
        infos,
        [*right, (hits, misses, size, now - 1), (0, 0, size, 0)],
        what=f"(hits, misses, maxsize, currsize) after each of {keys}, after invalidate, after cache_clear",
    )
    same(
        [said, log, answer],
        [[True, False], [*computed(keys, size), keys[0]], -keys[0]],
        what="[what invalidate said twice, what the function was asked, its answer after cache_clear]",
    )


def apart(n, k):
    """Two functions from one decorator, and a method of two objects."""
    keep = tt.memoize(maxsize=4)
    more, less = keep(lambda x: x + k), keep(lambda x: x - k)

    class Box:
        def __init__(self, size):
            self.size = size

        @tt.memoize()
        def times(self, x):
            return self.size * x

    one, other = Box(k), Box(k + 1)
    answers = [more(n), less(n), more(n), less(n), one.times(n), other.times(n), one.times(n)]
    return answers, list(more.cache_info()), list(less.cache_info()), list(Box.times.cache_info())


@exercise("memoize", points=2)
def test_memoize_keeps_functions_apart(lab, draw):
    """each memoized function has a cache of its own, and methods tell objects apart"""
    n, k = (int(v) + 2 for v in draw.permutation(90)[:2])
    answers, more, less, times = lab(apart, n, k)
    same(
        answers,
        [n + k, n - k, n + k, n - k, k * n, (k + 1) * n, k * n],
        what=f"more({n}), less({n}), both again, and a method of three calls",
        mistakes=[
            Mistake(
                [n + k, n + k, n + k, n + k, k * n, (k + 1) * n, k * n],
                "two functions share one cache: make the Memo where the function is known.",
            )
        ],
    )
    same([more, less, times], [[1, 1, 4, 1], [1, 1, 4, 1], [1, 2, 128, 2]], what="their cache_info()")


def by_content(arrays):
    """What a memoized mean of tensors answers, with a scale, and how often it works; one tensor is written into."""
    log = []

    @tt.memoize(maxsize=8)
    def mean(x, scale=1.0):
        log.append(1)
        return float(x.data.mean()) * scale

    shared = tt.tensor(arrays[0])
    answers = [mean(shared), mean(tt.tensor(arrays[0])), mean(shared, scale=2.0)]
    shared.data[...] = arrays[1]
    answers += [mean(shared), mean(tt.tensor(arrays[1])), mean(tt.tensor(arrays[1]), scale=2.0)]
    return np.array(answers), len(log)


@exercise("memoize", points=2)
def test_memoize_knows_tensors_by_content(lab, draw):
    """a memoized function knows Tensors by their numbers, also after somebody wrote into them"""
    a, b = draw.distinct(2, *draw.sizes(2))
    found, count = lab(by_content, [a, b])
    m, n = np.float64(a).mean(), np.float64(b).mean()
    same_array(
        found,
        np.array([m, m, 2 * m, n, n, 2 * n]),
        dtype=np.float64,
        rtol=1e-5,
        atol=1e-5,
        what="means of a tensor, its twin, the same doubled; and after other numbers were written into it",
        mistakes=[Mistake([m, m, 2 * m, m, n, 2 * n], "a tensor was known by its identity, and not by its numbers.")],
    )
    same(count, 4, what="how often the function worked: two means, each with two scales")


@exercise("memoize", points=1)
def test_memoize_refuses_odd_sizes(tt, lab, draw):
    """memoize refuses sizes below 0 and what is no size, and names them"""
    less, half = -int(draw.integers(1, 90)), int(draw.integers(1, 90)) + 0.5
    raises(ValueError, lambda: tt.memoize(less), mentions=[less])
    raises(TypeError, lambda: tt.memoize(half), mentions=[half])
    keys = asks(draw, 4, 8, 2)
    infos, *_ = lab(informed, keys, None)
    same(infos[-1], (0, 0, None, 0), what="cache_info() with maxsize None, after cache_clear()")
    same(infos[len(keys) - 1], (len(keys) - len(set(keys)), len(set(keys)), None, len(set(keys))), what="and before")


# ---- KVCache ----------------------------------------------------------------------------------------------


@exercise("kv_cache_bytes", points=2)
def test_kv_cache_bytes_counts_keys_and_values(tt, draw):
    """kv_cache_bytes counts a key and a value for every token, head, text and layer"""
    layers, batch, heads, size = (int(n) * k for n, k in zip(draw.permutation(7)[:4] + 3, (7, 3, 5, 16), strict=True))
    longest, itemsize = 128 * int(draw.integers(3, 99)), int(draw.choice([8, 16]))
    one = layers * batch * heads * longest * size
    what = f"kv_cache_bytes({layers}, {batch}, {heads}, {longest}, {size}, itemsize={itemsize})"
    same(
        tt.kv_cache_bytes(layers, batch, heads, longest, size, itemsize=itemsize),
        2 * one * itemsize,
        what=what,
        mistakes=[
            Mistake(one * itemsize, "there are keys and values: twice as much."),
            Mistake(2 * one, "this is how many numbers, not how many bytes: times itemsize."),
            Mistake(2 * one * 4, "itemsize was not listened to."),
            Mistake(2 * one * itemsize // layers, "every layer has keys and values of its own."),
            Mistake(2 * one * itemsize // batch, "every text of the batch has its own."),
        ],
    )
    same(tt.kv_cache_bytes(layers, batch, heads, longest, size), 8 * one, what="the same for float32")


@exercise("kv_cache_bytes", points=1)
def test_kv_cache_bytes_is_that_of_a_cache(tt, draw):
    """kv_cache_bytes is what a KVCache takes from the start"""
    sizes = draw.sizes(5)
    same(
        tt.kv_cache_bytes(*sizes),
        tt.KVCache(*sizes).nbytes,
        what=f"kv_cache_bytes{sizes}, beside KVCache{sizes}.nbytes",
    )


@exercise("KVCache.append", points=3)
def test_append_gives_all_of_a_layer(tt, draw):
    """append writes behind what a layer has and gives all of it, for each layer by itself"""
    layers, batch, heads, size = draw.sizes(4)
    steps = [int(n) for n in draw.permutation(3) + 1]
    a = draw(2, layers, batch, heads, sum(steps), size)
    cache = named(tt.KVCache(layers, batch, heads, sum(steps) + 1, size), "cache")
    start = 0
    for step in steps:
        end = start + step
        for layer in draw.permutation(layers).tolist():
            found = cache.append(layer, *a[:, layer, :, :, start:end])
            for n, name in enumerate(("keys", "values")):
                right = a[n, layer]
                same_array(
                    found[n],
                    right[:, :, :end],
                    what=f"the {name} of layer {layer} when {step} are appended to {start}",
                    mistakes=[
                        Mistake(right[:, :, start:end], "only the new ones came back. Attention needs all of them."),
                        Mistake(a[0, layer][:, :, :end], "these are the keys."),
                        Mistake(np.zeros_like(right[:, :, :end]), "nothing was written."),
                    ],
                )
        cache.advance(step)
        start = end
    same(cache.length, start, what="cache.length at the end, after advance")


def poked(sizes, a, value):
    """What a result shows when the cache's memory is written into; lengths before advance; the arrays stay the same."""
    cache = tt.KVCache(*sizes)
    arrays = cache.keys, cache.values
    keys, values = cache.append(0, a[0], a[1])
    cache.keys[0, 0, 0, 0, 0] = value
    cache.values[0, 0, 0, 0, 0] = value + 1
    kept = cache.keys is arrays[0] and cache.values is arrays[1]
    return [float(keys[0, 0, 0, 0]), float(values[0, 0, 0, 0]), float(a[0][0, 0, 0, 0])], cache.length, kept


@exercise("KVCache.append", points=2)
def test_append_copies_nothing(lab, draw):
    """what append gives shares the cache's memory, which is made once"""
    layers, batch, heads, longest, size = draw.sizes(5)
    a = draw(2, batch, heads, 2, size)
    shown, length, kept = lab(poked, [layers, batch, heads, longest, size], a, 50)
    same(
        shown,
        [50.0, 51.0, float(a[0, 0, 0, 0, 0])],
        what="first key and value that append gave, after 50 and 51 were written into the cache; the key that came",
        mistakes=[
            Mistake(
                [float(a[0, 0, 0, 0, 0]), float(a[1, 0, 0, 0, 0]), float(a[0, 0, 0, 0, 0])],
                "everything was copied, for one token more. Slices share their memory.",
            )
        ],
    )
    same([length, kept], [0, True], what="[cache.length before advance, whether the arrays are the same ones]")


@exercise("KVCache.append", points=2)
def test_append_refuses_what_does_not_fit(tt, draw):
    """a KVCache refuses more tokens than it has room for, and other shapes, and starts again after reset"""
    batch, heads, size = draw.sizes(3)
    longest = int(draw.integers(13, 30))
    more = longest + int(draw.integers(1, 9))
    cache = tt.KVCache(1, batch, heads, longest, size)
    a, long = draw(2, batch, heads, 4, size), draw(2, batch, heads, more, size)
    turned = a.swapaxes(2, 3)
    raises(ValueError, lambda: cache.append(0, *long), mentions=[more, longest])
    raises(ValueError, lambda: cache.append(0, *turned[:, :, :, :, :1]), mentions=[turned[0, :, :, :, :1].shape])
    raises(ValueError, lambda: cache.append(0, a[0], a[1][:, :, :3]), mentions=[a[0].shape, a[1][:, :, :3].shape])
    cache.append(0, *long[:, :, :, :longest])
    cache.advance(longest - 1)
    raises(ValueError, lambda: cache.append(0, *a), mentions=[longest - 1, longest])
    cache.reset()
    same_array(cache.append(0, *a)[1], a[1], what="the values of the first four tokens after reset()")


@exercise("offset_causal_mask", points=2)
def test_offset_mask_counts_what_is_cached(tt, draw):
    """offset_causal_mask lets each new token see all cached ones, those before it, and itself"""
    new, cached = draw.sizes(2)
    right = np.tri(new, new + cached, cached, dtype=bool)
    same_array(
        tt.memoization.offset_causal_mask(new, cached),
        right,
        mistakes=[
            Mistake(np.tri(new, new + cached, dtype=bool), TOP_LEFT),
            Mistake(np.tri(new, new + cached, cached - 1, dtype=bool), "a token may look at itself, too."),
            Mistake(np.tri(new, new + cached, cached + 1, dtype=bool), "each token sees one of the future."),
            Mistake(np.tri(new, dtype=bool), "the cached keys have no columns: (new, cached + new)."),
            Mistake(~right, "True takes part."),
            Mistake(np.ones_like(right), "nothing is hidden: the new tokens see each other's future."),
        ],
        smaller="offset_causal_mask(1, 2) is [[True, True, True]]",
    )
    same_array(tt.memoization.offset_causal_mask(new, 0), np.tri(new, dtype=bool), what=f"offset_causal_mask({new}, 0)")


# ---- a GPT that reads every token once ----------------------------------------------------------------------


@exercise("cached_attention", points=3)
def test_cached_attention_is_attention(tt, draw):
    """cached_attention gives new tokens what attention over the whole text gives them"""
    d, heads = width(draw)
    batch, layer = draw.sizes(2)
    steps = [3, 1, 2]
    p, x = numbers(draw, attention_shapes(d)), draw(batch, sum(steps), d)
    attention = named(tt.MultiHeadAttention(d, heads), "attention")
    attention.load_state_dict(p)
    cache = named(tt.KVCache(layer + 1, batch, heads, sum(steps), d // heads), "cache")
    start = 0
    for step in steps:
        end = start + step

        def part(see, a=start, b=end):
            return looked(p, x, heads, see(steps))[:, a:b]

        same(
            tt.memoization.cached_attention(attention, named(tt.tensor(x[:, start:end]), "x"), cache, layer),
            part(seen),
            rtol=1e-4,
            atol=1e-4,
            what=f"cached_attention(attention, x, cache, {layer}), x {(batch, step, d)} behind {start} cached tokens",
            mistakes=[
                Mistake(part(seen_from_0), TOP_LEFT),
                Mistake(part(seen_at_once), NO_MASK),
                Mistake(part(seen_alone), NO_PAST),
            ],
            smaller="with an empty cache, cached_attention(attention, x, cache, 0) is attention(x, is_causal=True)",
        )
        cache.advance(step)
        start = end


@exercise("cached_attention", points=2)
def test_cached_attention_uses_its_layer(tt, draw):
    """cached_attention writes keys and values of the new tokens into its layer, and leaves the length to others"""
    d, heads = width(draw)
    p, x = numbers(draw, attention_shapes(d)), draw(2, 3, d)
    attention = tt.MultiHeadAttention(d, heads)
    attention.load_state_dict(p)
    cache = tt.KVCache(3, 2, heads, 4, d // heads)
    layer = int(draw.integers(0, 3))
    tt.memoization.cached_attention(attention, tt.tensor(x), cache, layer)
    for name, found in (("key", cache.keys), ("value", cache.values)):
        right = dense(below(p, name), np.float64(x)).reshape(2, 3, heads, -1).swapaxes(1, 2)
        flat = dense(below(p, name), np.float64(x)).reshape(2, heads, 3, -1)
        same_array(
            found[layer][:, :, :3],
            right,
            rtol=1e-4,
            atol=1e-5,
            what=f"cache.{name}s[{layer}] of the three tokens",
            mistakes=[Mistake(flat, "a mere reshape mixes tokens and heads: to_heads(x, num_heads).")],
        )
    same(cache.length, 0, what="cache.length after one layer", mistakes=[Mistake(3, "other layers still need it.")])


@exercise("cached_logits", points=3)
def test_cached_logits_are_those_of_the_whole_text(tt, draw):
    """cached_logits of the new ids are the model's scores for the whole text, at its last place"""
    vocab, batch = draw.sizes(2)
    steps = [3, 1, 1, 2]
    net = gpt(draw, vocab, *width(draw), 2, sum(steps) + 1)
    ids = draw.integers(0, vocab, batch, sum(steps))
    model, (_, d, heads, _, _) = made(tt, net), net[0]
    cache = named(tt.KVCache(2, batch, heads, sum(steps), d // heads), "cache")
    start = 0
    for i, step in enumerate(steps):
        end, so_far = start + step, steps[: i + 1]
        text = ids[:, :end]
        restarted = np.concatenate([np.arange(n) for n in so_far])
        places = np.concatenate([np.arange(start), np.arange(step)])
        same(
            tt.memoization.cached_logits(model, named(tt.tensor(ids[:, start:end]), "ids"), cache),
            logits(net, text)[:, -1],
            rtol=1e-3,
            atol=1e-3,
            what=f"cached_logits(model, ids, cache), ids {(batch, step)} behind {start} cached ones",
            mistakes=[
                Mistake(logits(net, text, places=restarted)[:, -1], RESTARTED),
                Mistake(logits(net, text, places=places)[:, -1], RESTARTED),
                Mistake(logits(net, text[:, start:])[:, -1], "the cached tokens were forgotten: cache.advance(...)."),
                Mistake(logits(net, text)[:, start], "these are the scores behind the first new token. Take the last."),
                Mistake(logits(net, text)[:, start:], "all new places came back. Nobody asks but the last."),
            ],
        )
        same(
            cache.length,
            end,
            what=f"cache.length after {end} tokens",
            mistakes=[
                Mistake(start, "the tokens were not counted as read: cache.advance(...)."),
                Mistake(start + 2 * step, "every block counted the tokens. They count once, when all are through."),
            ],
        )
        start = end


@exercise("cached_logits", points=1)
def test_cached_logits_refuse_what_is_too_long(tt, draw):
    """cached_logits refuses more ids than the cache has room for, and the cache stays as it was"""
    net = gpt(draw, 6, *width(draw), 1, 9)
    room, more = int(draw.integers(3, 6)), int(draw.integers(7, 10))
    model, (_, d, heads, _, _) = made(tt, net), net[0]
    ids = draw.integers(0, 6, 2, 9)
    cache = tt.KVCache(1, 2, heads, room, d // heads)
    score = tt.memoization.cached_logits
    raises(ValueError, lambda: score(model, tt.tensor(ids[:, :more]), cache), mentions=[more, room])
    same(score(model, tt.tensor(ids[:, :room]), cache), logits(net, ids[:, :room])[:, -1], rtol=1e-3, atol=1e-3)


@exercise("generate_cached", points=3)
def test_generate_cached_writes_what_is_likeliest(tt, draw):
    """generate_cached at temperature 0 writes the likeliest token again and again, for each row"""
    time, count = int(draw.integers(2, 5)), int(draw.integers(3, 5))
    alone, first = {"window": 1}, {"places": lambda n: np.array([*range(n - 1), 0])}
    net, ids, right = prompted(draw, (7, *width(draw), 2, 9), 3, time, count, alone, first)
    same(
        tt.generate_cached(made(tt, net), named(tt.tensor(ids), "ids"), count, temperature=0),
        right,
        mistakes=[
            Mistake(right[:, time:], "only the new tokens came back. They are appended to the given ids."),
            Mistake(right[:, :-1], "one token too few was written."),
            Mistake(follow(net, ids, count, **alone)[0], "the model was shown the last id alone, without the cache."),
        ],
    )


@exercise("generate_cached", points=3)
def test_generate_cached_goes_on_beyond_max_len(tt, draw):
    """generate_cached reads the last max_len ids anew for every token, once the text is longer"""
    longest = int(draw.integers(3, 6))
    short = {"beyond": longest - 1}
    for time in (1, longest, longest + 3):
        net, ids, right = prompted(draw, (7, *width(draw), 1, longest), 2, time, longest + 2, short)
        same(
            tt.generate_cached(made(tt, net), named(tt.tensor(ids), "ids"), longest + 2, temperature=0),
            right,
            what=f"generate_cached(model, ids, {longest + 2}, temperature=0), ids {(2, time)}, max_len {longest}",
            mistakes=[Mistake(follow(net, ids, longest + 2, **short)[0], "one id too few was shown.")],
        )


def both(sizes, p, ids, count, seeds, how):
    """What generate_cached and generate write for each seed, then after manual_seed; numbers are drawn in between."""
    model = tt.GPT(*sizes, dropout=0.5)
    model.load_state_dict(p)
    mine, theirs = [], []
    for seed in seeds:
        for texts, write in ((mine, lambda *a, **k: tt.generate_cached(model, *a, **k)), (theirs, model.generate)):
            tt.rand(3)
            texts.append(write(tt.tensor(ids), count, seed=seed, **how).data)
            tt.manual_seed(seed)
            texts.append(write(tt.tensor(ids), count, **how).data)
            texts.append(tt.rand(1, ids.shape[1] + count).data)
    return mine, theirs


@exercise("generate_cached", points=3)
def test_generate_cached_follows_the_seed(lab, draw):
    """generate_cached writes what generate writes for the same seed, temperature and top_k, and draws as often"""
    net = gpt(draw, 9, *width(draw), 2, 8)
    p = {name: a * np.float32(0.6) for name, a in net[1].items()}
    seeds = [int(s) for s in draw.permutation(1000)[:2]]
    ids = draw.integers(0, 9, 3, 2)
    for how in ({}, {"temperature": 0.5, "top_k": 4}, {"top_k": 2}):
        mine, theirs = lab(both, list(net[0]), p, ids, 9, seeds, how)
        for i, (text, other) in enumerate(zip(mine, theirs, strict=True)):
            seed, way = seeds[i // 3], ("seed=", "manual_seed ", "random numbers after manual_seed ")[i % 3]
            options = "".join(f", {k}={v}" for k, v in how.items())
            what = f"generate_cached(model, ids, 9{options}), {way}{seed}, beside model.generate"
            same_array(text, other, what=what)
            if i % 3 < 2:
                prompt = text[:, :2] if np.ndim(text) == 2 else text
                same_array(prompt, ids, what="the prompt at the beginning of that text")


def counted(sizes, p, ids, count):
    """(tokens, training, recorded) of each call of the first block's query layer, and the text."""
    calls = []

    class Counting(tt.Linear):
        def forward(self, x):
            y = tt.Linear.forward(self, x)
            calls.append((int(x.shape[1]), bool(self.training), bool(y.requires_grad)))
            return y

    model = tt.GPT(*sizes)
    model.load_state_dict(p)
    counting = Counting(sizes[1], sizes[1])
    counting.load_state_dict(model.blocks[0].attention.query.state_dict())
    model.blocks[0].attention.query = counting
    text = tt.generate_cached(model, tt.tensor(ids), count, temperature=0)
    model(tt.tensor(ids[:, :1]))
    return calls, text.data


@exercise("generate_cached", points=3)
def test_generate_cached_reads_every_token_once(lab, draw):
    """generate_cached reads the prompt, then one token at a time up to max_len, without dropout and without a graph"""
    time, count = int(draw.integers(5, 8)), int(draw.integers(3, 5))
    net, ids, right = prompted(draw, (5, 4, 2, 2, time + count - 1), 2, time, count)
    calls, text = lab(counted, list(net[0]), net[1], ids, count)
    end = [(1, True, True)]
    once = [time, *[1] * (count - 1)]
    again = [time + i for i in range(count)]
    same(
        calls,
        [*[(n, False, False) for n in once], *end],
        what="(tokens read, training, recorded) of each pass; the last one is a call of the model afterwards",
        mistakes=[
            Mistake([*[(n, False, False) for n in again], *end], READ_AGAIN),
            Mistake([*[(n, False, False) for n in [*once[:-1], again[-1]]], *end], "max_len ids still fit the cache."),
            Mistake([*[(n, False, False) for n in [1] * (time + count - 1)], *end], "the prompt may be read at once."),
            Mistake([*[(n, True, False) for n in once], *end], "dropout was on while the model wrote: eval()."),
            Mistake([*[(n, False, True) for n in once], *end], "a graph was recorded: no_grad() is missing."),
            Mistake([*[(n, False, False) for n in once], (1, False, True)], "the model stays in evaluation mode."),
        ],
    )
    same_array(text, right, what="what was written")


def modes_after(sizes, p, ids, flags, top_k):
    """Each module's mode before and after a generation, and what it wrote or said."""
    model = tt.GPT(*sizes)
    model.load_state_dict(p)
    modules = list(model.modules())
    for module, flag in zip(modules, flags * len(modules), strict=False):
        module.training = flag
    before = [module.training for module in modules]
    try:
        came = tt.generate_cached(model, tt.tensor(ids), 2, temperature=0, top_k=top_k).data
    except ValueError as error:
        came = str(error)
    return before, [module.training for module in modules], came


@exercise("generate_cached", points=2)
def test_generate_cached_gives_every_mode_back(lab, draw):
    """generate_cached leaves every module in the mode in which it was, also after an error"""
    net, ids, right = prompted(draw, (5, 4, 2, 1, 6), 2, 3, 2)
    for top_k in (None, 6):
        flags = [True, False, *(bool(v) for v in draw.permutation(6) % 2)]
        before, after, came = lab(modes_after, list(net[0]), net[1], ids, flags, top_k)
        same(
            after,
            [*(flags * len(before))[: len(before)]],
            what=f"training of every module after generate_cached{' raised an error' if top_k else ''}",
            mistakes=[
                Mistake([False] * len(before), "the model stays in evaluation mode: dropout is off for good."),
                Mistake([True] * len(before), "modules that somebody had set to evaluation mode train again."),
                Mistake([flags[0]] * len(before), "all modules got the model's mode. Each gets back its own."),
            ],
        )
        if top_k is None:
            same_array(came, right, what="what was written")


@exercise("generate_cached", points=1)
def test_generate_cached_refuses_what_it_cannot_continue(tt, draw):
    """generate_cached refuses prompts of other shapes, empty ones and negative counts, and names them"""
    rows, time = draw.sizes(2)
    net = gpt(draw, 5, *width(draw), 1, 8)
    model, ids = made(tt, net), draw.integers(0, 5, rows, time)
    fewer = -int(draw.integers(1, 90))
    raises(ValueError, lambda: tt.generate_cached(model, tt.tensor(ids[0]), 2), mentions=[(time,)])
    raises(ValueError, lambda: tt.generate_cached(model, tt.tensor(ids[:, :0]), 2), mentions=[(rows, 0)])
    raises(ValueError, lambda: tt.generate_cached(model, tt.tensor(ids), fewer), mentions=[fewer])
    same(tt.generate_cached(model, tt.tensor(ids), 0), ids, what="generate_cached(model, ids, 0)")
