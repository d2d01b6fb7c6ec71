"""Module 17's solutions: what functools does, at random and from threads; and the texts of GPT.generate."""

from __future__ import annotations

import functools
import inspect
import random
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import CHECKPOINTS, MEMOIZATION
from tests.prose.examples import solution


@pytest.fixture(scope="module")
def tt() -> Any:
    """The exports of the modules up to this one, and all of this one."""
    below = (module for module in CHECKPOINTS[1 : MEMOIZATION.number + 1] if module.built)
    names = {name: getattr(solution(module), name) for module in below for name in module.exports}
    return SimpleNamespace(**{**vars(solution(MEMOIZATION)), **names})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(17)


def shaken(tt: Any, rng: np.random.Generator, *sizes: int, dropout: float = 0.0) -> Any:
    """A GPT whose parameters matter: no zeros, no ones."""
    model = tt.GPT(*sizes, dropout=dropout)
    for parameter in model.parameters():
        parameter.data = (parameter.data + rng.normal(0, 0.2, parameter.shape)).astype(np.float32)
    return model


# ---- beside functools ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("maxsize", [None, 0, 1, 3, 7])
def test_it_does_what_functools_does(tt: Any, maxsize: int | None) -> None:
    ours: list[Any] = []
    theirs: list[Any] = []

    def work(log: list[Any], *args: Any, **kwargs: Any) -> Any:
        log.append((args, kwargs))
        if kwargs.get("k") == 2:
            raise KeyError(args)
        return None if args[0] == 1 else (args, sorted(kwargs.items()))

    mine = tt.memoize(maxsize=maxsize)(functools.partial(work, ours))
    python = functools.lru_cache(maxsize=maxsize)(functools.partial(work, theirs))
    chance = random.Random(17)  # noqa: S311 -- no secret
    for step in range(2000):
        args, kwargs = (chance.randrange(4),), {"k": chance.randrange(3)} if chance.random() < 0.4 else {}
        told = []
        for function in (mine, python):
            try:
                told.append(function(*args, **kwargs))
            except KeyError as error:
                told.append(str(error))
        assert told[0] == told[1]
        assert tuple(mine.cache_info()) == tuple(python.cache_info())
        if step % 500 == 499:
            mine.cache_clear()
            python.cache_clear()
    assert ours == theirs


def test_a_memoized_function_is_a_function(tt: Any) -> None:
    def plain(width: int, height: int = 2) -> int:
        """Width times height."""
        return width * height

    area: Any = tt.memoize(maxsize=4)(plain)
    assert type(area).__name__ == type(plain).__name__ == "function"
    assert (area.__name__, area.__doc__) == ("plain", "Width times height.")
    assert list(inspect.signature(area).parameters) == ["width", "height"]
    assert (area.__wrapped__(3), area(3), area(width=3), area(3, height=4)) == (6, 6, 6, 12)
    assert area.cache_info() == (0, 3, 4, 3)
    assert repr(area.cache_info()) == "CacheInfo(hits=0, misses=3, maxsize=4, currsize=3)"


def test_keywords_have_no_order(tt: Any) -> None:
    keep = tt.memoize()(lambda **kwargs: list(kwargs))
    assert keep(a=1, b=2) == keep(b=2, a=1)
    assert keep.cache_info().hits == 1


def test_recursion_is_cheap(tt: Any) -> None:
    def work(n: int) -> Any:
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    fibonacci: Any = tt.memoize(maxsize=None)(work)
    assert fibonacci(80) == 23416728348467685
    assert fibonacci.cache_info().misses == 81


# ---- keys and answers --------------------------------------------------------------------------------------------


def test_nothing_else_equals_an_array(tt: Any, rng: np.random.Generator) -> None:
    """Every two of these are different arguments, and each is equal to its copy."""
    a = rng.integers(1, 9, (2, 3))
    numbers = [a, a.T.copy(), a.reshape(6), a[None], a.view(np.float64), a.astype(np.int32), a.astype(">i8"), a + 1]
    things: list[Any] = [
        *numbers,
        *(tt.from_numpy(x) for x in numbers),
        a.tobytes(),
        (a.shape, a.dtype, a.tobytes()),
        (np.ndarray, a.shape, a.dtype, a.tobytes()),
        (a,),
        ((a,),),
        np.array(3),
        3,
    ]
    keys = [tt.freeze(thing) for thing in things]
    assert len(set(keys)) == len(keys)
    for thing, key in zip(things, keys, strict=True):
        twin = thing.copy() if isinstance(thing, np.ndarray) else thing
        assert tt.freeze(twin) == key
    assert tt.freeze(np.asfortranarray(a)) == keys[0] == tt.freeze(np.repeat(a, 2, axis=0)[::2])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1], "cannot look up a list"),
        ({"a": 1}, "cannot look up a dict"),
        ((1, {2}), "cannot look up a set"),
        (np.array([None, 1]), "cannot look up a ndarray"),
        (np.ma.masked_array([1, 2], [True, False]), "cannot look up a MaskedArray"),
    ],
    ids=["list", "dict", "set in a tuple", "objects", "masked"],
)
def test_what_cannot_be_known_is_refused(tt: Any, value: Any, said: str) -> None:
    def work(*_: Any, **__: Any) -> int:
        return 1

    keep: Any = tt.memoize()(work)
    calls: list[Callable[[], Any]] = [lambda: keep(value), lambda: keep(k=value), lambda: keep.invalidate(value)]
    for call in calls:
        with pytest.raises(TypeError, match=said) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert keep.cache_info() == (0, 0, 128, 0)


def test_graphs_are_refused_both_ways(tt: Any) -> None:
    x = tt.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"not graphs, but a tensor \(2,\) requires grad: detach"):
        tt.memoize()(lambda x: 1)(x)
    with pytest.raises(TypeError, match=r"not graphs, but a tensor \(2,\) requires grad: detach"):
        tt.memoize()(lambda: [x * 2])()
    assert tt.memoize()(lambda x: x * 2)(x.detach()).tolist() == [2.0, 4.0]


def test_sizes_are_refused(tt: Any) -> None:
    with pytest.raises(ValueError, match="maxsize is 0 or more, or None for no limit, not -1"):
        tt.memoize(-1)
    for size, said in ((1.5, "not 1.5"), (True, "not True"), ("8", "not '8'"), (len, r"@memoize\(\) or")):
        with pytest.raises(TypeError, match=said):
            tt.memoize(size)


def test_answers_are_everybodys_own(tt: Any) -> None:
    def work(n: int) -> Any:
        return {"array": np.arange(n), "list": [tt.arange(n), (np.ones(n), "text")]}

    parts: Any = tt.memoize()(work)
    for _ in range(3):
        answer = parts(3)
        assert answer["array"].tolist() == [0, 1, 2]
        assert answer["list"][0].tolist() == [0, 1, 2]
        assert answer["list"][1][0].tolist() == [1, 1, 1]
        answer["array"] += 1
        answer["list"][0].data[...] = 7
        answer["list"][1][0][...] = 7
        answer["list"].clear()
        del answer["array"]


# ---- threads -----------------------------------------------------------------------------------------------------


def test_threads_lose_nothing(tt: Any) -> None:
    square: Any = tt.memoize(maxsize=5)(lambda n: n * n)
    wrong: list[Any] = []

    def ask(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 -- no secret
        for _ in range(500):
            n = chance.randrange(9)
            if square(n) != n * n:
                wrong.append(n)
            if chance.random() < 0.1:
                square.invalidate(n)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = square.cache_info()
    assert not wrong
    assert info.hits + info.misses == 3000
    assert info.currsize <= 5


def test_what_another_thread_clears_is_not_kept(tt: Any) -> None:
    begun, cleared = threading.Event(), threading.Event()

    def work(n: int) -> int:
        begun.set()
        cleared.wait(10)
        return n

    slow: Any = tt.memoize()(work)
    thread = threading.Thread(target=slow, args=(3,))
    thread.start()
    assert begun.wait(10)
    slow.invalidate(4)  # another one: nobody can tell whether the answer on its way rests on it
    cleared.set()
    thread.join()
    assert slow.cache_info().currsize == 0
    assert (slow(3), slow.cache_info().currsize) == (3, 1)


# ---- keys and values -------------------------------------------------------------------------------------------


def test_the_formula_is_the_memory(tt: Any, rng: np.random.Generator) -> None:
    for dtype, itemsize in ((np.float32, 4), (np.float64, 8), (np.float16, 2)):
        sizes = [int(n) for n in rng.integers(1, 7, 5)]
        assert tt.KVCache(*sizes, dtype=dtype).nbytes == tt.kv_cache_bytes(*sizes, itemsize=itemsize)


def test_a_cache_refuses_what_does_not_fit(tt: Any) -> None:
    cache = tt.KVCache(1, 2, 3, 4, 5)
    good = np.zeros((2, 3, 3, 5))
    for keys, values, said in (
        (good[0], good[0], r"takes keys of shape \(2, 3, t, 5\), not \(3, 3, 5\)"),
        (good, good[:, :2], r"takes values of shape \(2, 3, t, 5\), not \(2, 2, 3, 5\)"),
        (good, good[:, :, :2], r"keys have shape \(2, 3, 3, 5\) and values \(2, 3, 2, 5\)"),
        (np.zeros((2, 3, 5, 5)), np.zeros((2, 3, 5, 5)), "holds 0 tokens, and 5 more are over max_len 4"),
    ):
        with pytest.raises(ValueError, match=said):
            cache.append(0, keys, values)
    cache.append(0, good, good)
    cache.advance(3)
    with pytest.raises(ValueError, match="holds 3 tokens, and 2 more are over max_len 4"):
        cache.advance(2)
    with pytest.raises(ValueError, match="holds 3 tokens, and 3 more are over max_len 4"):
        cache.append(0, good, good)
    cache.reset()
    assert cache.append(0, good, good)[0].shape == (2, 3, 3, 5)


@pytest.mark.parametrize("steps", [[6], [1] * 6, [3, 1, 2], [2, 4]])
def test_any_steps_give_the_same_scores(tt: Any, rng: np.random.Generator, steps: list[int]) -> None:
    model, ids = shaken(tt, rng, 11, 12, 3, 3, 7), rng.integers(0, 11, (2, 6))
    cache, start = tt.KVCache.of(model, 2, 6), 0
    for step in steps:
        end = start + step
        ours = tt.cached_logits(model, tt.tensor(ids[:, start:end]), cache)
        np.testing.assert_allclose(ours.data, model(tt.tensor(ids[:, :end]))[:, -1].data, rtol=1e-4, atol=1e-5)
        start = end
    assert cache.length == 6


# ---- the same texts ----------------------------------------------------------------------------------------------

HOW: list[dict[str, Any]] = [
    {"temperature": 0},
    {},
    {"temperature": 0.7, "top_k": 3},
    {"top_k": 1},
    {"temperature": 3.0},
]


@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize(("time", "count"), [(1, 7), (3, 5), (8, 1), (5, 9), (11, 4), (2, 0)])
def test_the_same_tokens(tt: Any, rng: np.random.Generator, time: int, count: int, how: dict[str, Any]) -> None:
    """Within max_len 8, up to it, beyond it, and from beyond it; several rows, several seeds, dropout in the model."""
    model = shaken(tt, rng, 13, 12, 3, 2, 8, dropout=0.3)
    for seed in range(4):
        ids = tt.tensor(rng.integers(0, 13, (3, time)))
        ours = tt.generate_cached(model, ids, count, seed=seed, **how)
        np.testing.assert_array_equal(ours.data, model.generate(ids, count, seed=seed, **how).data)
        assert ours.dtype == np.int64
    assert all(module.training for module in model.modules())


def test_without_a_seed_the_default_generator_draws(tt: Any, rng: np.random.Generator) -> None:
    model, ids = shaken(tt, rng, 13, 12, 3, 2, 8), tt.tensor([[1, 2], [3, 4]])
    texts, after = [], []
    for write in (model.generate, functools.partial(tt.generate_cached, model)):
        tt.manual_seed(5)
        texts.append(write(ids, 9).tolist())
        after.append(tt.rand(3).tolist())
    assert texts[0] == texts[1]
    assert after[0] == after[1]


def test_double_precision_and_no_blocks(tt: Any, rng: np.random.Generator) -> None:
    model = shaken(tt, rng, 13, 12, 3, 2, 8)
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    ids = tt.tensor([[1, 2]])
    assert tt.KVCache.of(model, 1, 4).keys.dtype == np.float64
    assert tt.generate_cached(model, ids, 6, seed=1).tolist() == model.generate(ids, 6, seed=1).tolist()
    empty = shaken(tt, rng, 13, 12, 3, 0, 8)
    assert tt.generate_cached(empty, ids, 9, seed=1).tolist() == empty.generate(ids, 9, seed=1).tolist()


def test_an_error_leaves_everything_as_it_was(tt: Any, rng: np.random.Generator) -> None:
    model = shaken(tt, rng, 13, 12, 3, 2, 8)
    model.blocks[0].eval()
    before = [module.training for module in model.modules()]
    with pytest.raises(ValueError, match="top_k is from 1 to 13"):
        tt.generate_cached(model, tt.tensor([[1]]), 2, top_k=14)
    assert [module.training for module in model.modules()] == before
    assert model(tt.tensor([[1]])).requires_grad


@pytest.mark.parametrize(
    ("ids", "count", "said"),
    [
        ([1, 2], 1, r"ids have the shape \(batch, time\), not \(2,\)"),
        ([[1]], -1, "max_new_tokens is 0 or more, not -1"),
    ],
)
def test_what_cannot_be_continued(tt: Any, rng: np.random.Generator, ids: Any, count: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tt.generate_cached(shaken(tt, rng, 13, 12, 3, 1, 8), tt.tensor(ids), count)
    with pytest.raises(ValueError, match=r"at least one id to go on from, and \(1, 0\) has none"):
        tt.generate_cached(shaken(tt, rng, 13, 12, 3, 1, 8), tt.tensor([[1]])[:, :0], 1)
