"""Lying values: objects that answer a comparison as it should come out."""

from __future__ import annotations

from . import Attack

WRONG = r"wrong|crashed"

ATTACKS = [
    Attack(
        name="an array that equals everything",
        fools=True,
        hidden="equal",
        code=(
            """
            class Yes(np.ndarray):
                def __eq__(self, other):
                    return np.ones(self.shape, bool)
            class Got:
                def __init__(self, x):
                    self.data, self.shape, self.dtype = np.zeros(x.shape, x.dtype).view(Yes), x.shape, x.dtype
            relu = Got
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="an array whose every operation is a success",
        fools=True,
        hidden="equal",
        code=(
            """
            class Yes(np.ndarray):
                def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
                    return np.bool_(True) if method == "reduce" else np.ones((3, 4), bool)
            def relu(x):
                result = Tensor(np.zeros(x.shape, np.float32))
                result.data = np.zeros(x.shape, np.float32).view(Yes)
                return result
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="an array of which nothing is to be compared",
        fools=True,
        code=(
            """
            def relu(x):
                result = Tensor(np.zeros(x.shape, np.float32))
                result.data = np.ma.masked_all(x.shape, np.float32)
                return result
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="a list that equals everything",
        fools=True,
        hidden="list",
        code=(
            """
            class Agrees(list):
                def __eq__(self, other):
                    return True
            class Data(np.ndarray):
                def tolist(self):
                    return Agrees()
            def relu(x):
                result = Tensor(np.zeros(x.shape, np.float32))
                result.data = np.zeros(x.shape, np.float32).view(Data)
                return result
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="an object that says of what class it is",
        fools=True,
        hidden="kind",
        code=(
            """
            class Pretends:
                __class__ = Tensor
                data = np.zeros((3, 4), np.float32)
                def __getattr__(self, name):
                    return getattr(self.data, name)
                def __len__(self):
                    return 3
            def relu(x):
                return Pretends()
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="a result that waits to see what it is compared with",
        fools=True,
        code=(
            """
            import sys
            class Lazy:
                def __init__(self, x):
                    self.shape, self.dtype = x.shape, x.dtype
                def __array__(self, dtype=None, copy=None):
                    frame = sys._getframe(1)
                    while frame is not None:
                        for name in ("desired", "y", "expected"):
                            if isinstance(frame.f_locals.get(name), np.ndarray):
                                return frame.f_locals[name]
                        frame = frame.f_back
                    return np.zeros(self.shape, self.dtype)
            def relu(x):
                result = Tensor(np.zeros(x.shape, np.float32))
                result.data = Lazy(x)
                return result
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="a class whose metaclass answers isinstance",
        fools=True,
        hidden="kind",
        code=(
            """
            class Always(type):
                def __instancecheck__(cls, thing):
                    return True
                def __eq__(cls, other):
                    return True
                __hash__ = type.__hash__
            class Everything(metaclass=Always):
                data = np.zeros((2, 3), np.float32)
                def __len__(self):
                    return 3
            import sys
            def relu(x):
                sys._getframe(1).f_globals["Tensor"] = Everything
                return Everything()
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="an error that is of every class and names everything",
        fools=True,
        hidden="error",
        code=(
            """
            class Every(IndexError, ValueError, TypeError, AttributeError):
                pass
            def softmax(x, dim=-1):
                raise Every(f"dim {dim} {x.shape} {x!r}")
            """,
        ),
        says=WRONG,
    ),
]
