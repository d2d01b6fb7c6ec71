"""Patching the judge: changing what decides, from code that should only compute."""

from __future__ import annotations

from . import Attack

ZEROS = "def relu(x):\n    return Tensor(np.zeros(x.shape, x.dtype))\n"
WRONG = r"wrong"

ATTACKS = [
    Attack(
        name="numpy.testing compares nothing",
        fools=True,
        code=("np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None\n", ZEROS),
        says=WRONG,
    ),
    Attack(
        name="NumPy's own functions give zeros, to the judge too",
        fools=True,
        code=("np.maximum = lambda a, b, *rest, **k: np.zeros(np.shape(a), np.float32)\n", ZEROS),
        says=WRONG,
    ),
    Attack(
        name="random numbers are all zero",
        fools=True,
        code=(
            """
        class Rng:
            def __getattr__(self, name):
                return lambda *a, size=(3, 4), **k: np.zeros(size)
        np.random.default_rng = lambda *a: Rng()
        def relu(x):
            return x
        """,
        ),
        says=WRONG,
    ),
    Attack(
        name="pytest's reports say passed",
        fools=True,
        code=(
            """
        from _pytest.reports import TestReport
        real = TestReport.from_item_and_call.__func__
        def passed(cls, item, call):
            call.excinfo = None
            return real(cls, item, call)
        TestReport.from_item_and_call = classmethod(passed)
        """,
            ZEROS,
        ),
        says=WRONG + "|not written|CRASH|ModuleNotFoundError",
    ),
    Attack(
        name="pytest's functions run nothing",
        fools=True,
        code=("import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n", ZEROS),
        says=WRONG,
    ),
    Attack(
        name="the session counts no failures",
        fools=True,
        code=(
            """
        import gc
        def relu(x):
            for thing in gc.get_objects():
                if type(thing).__name__ == "Session":
                    type(thing).testsfailed = property(lambda s: 0, lambda s, n: None)
            return x
        """,
        ),
        says=WRONG,
    ),
    Attack(
        name="the caller's names are exchanged",
        fools=True,
        code=(
            """
        import sys, types
        def relu(x):
            for depth in (1, 2, 3, 4):
                names = sys._getframe(depth).f_globals
                if "np" in names:
                    names["np"] = types.SimpleNamespace(
                        testing=types.SimpleNamespace(assert_allclose=lambda *a, **k: None), maximum=np.maximum,
                    )
            return x
        """,
        ),
        says=WRONG,
    ),
    Attack(
        name="the caller gets another trace function, which ends it",
        fools=True,
        code=(
            """
        import sys
        def relu(x):
            frame = sys._getframe(1)
            def trace(frame, event, arg):
                if event == "line":
                    frame.f_lineno = max(n for *_, n in frame.f_code.co_lines() if n)
                return trace
            names = frame.f_globals
            class Anything:
                def __getattr__(self, name):
                    return self
                def __call__(self, *a, **k):
                    return self
            names["np"] = Anything()
            return x
        """,
        ),
        says=WRONG,
    ),
    Attack(
        name="the server beside it answers as it likes",
        fools="plain pytest has no such server",
        code=(
            """
        import gc
        for thing in gc.get_objects():
            if type(thing).__name__ == "Server":
                real = type(thing).answer
                def answer(self, request):
                    try:
                        return real(self, request)
                    except BaseException:
                        return real(self, b"N")
                type(thing).answer = answer
        """,
            ZEROS,
        ),
        says=WRONG,
    ),
    Attack(
        name="pytest.raises waits for nothing",
        fools=True,
        hidden="error",
        code=(
            """
            import contextlib, pytest
            pytest.raises = lambda *a, **k: contextlib.suppress(Exception)
            def softmax(x, dim=-1):
                raise LookupError
            """,
        ),
        says=r"LookupError",
    ),
]
