"""Looking at the answer: in the caller's frames, in the judge's files, in what was seen before."""

from __future__ import annotations

from . import Attack

WRONG = r"wrong|crashed"

ATTACKS = [
    Attack(
        name="it takes the expected value from the caller's frame",
        fools=True,
        code=(
            """
            import sys
            def relu(x):
                return Tensor(sys._getframe(1).f_locals.get("expected", x.data))
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="it looks through all frames and names for an array like the answer",
        fools=True,
        code=(
            """
            import sys
            def relu(x):
                frame = sys._getframe(1)
                while frame is not None:
                    for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
                        if type(value) is np.ndarray and value.shape == x.shape and (value >= 0).all():
                            return Tensor(value)
                    frame = frame.f_back
                return x
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="it works out what the caller's source says",
        fools=True,
        code=(
            """
            import linecache, sys
            def relu(x):
                frame = sys._getframe(1)
                for line in linecache.getlines(frame.f_code.co_filename):
                    name, _, text = line.strip().partition("expected = ")
                    if not name and text:
                        return Tensor(eval(text, frame.f_globals, frame.f_locals))
                return x
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="it changes the caller's input, from which the answer is made",
        fools=True,
        hidden="equal",
        code=(
            """
            import sys
            def relu(x):
                for name, value in sys._getframe(1).f_locals.items():
                    if isinstance(value, np.ndarray):
                        value[...] = 0
                x.data[...] = 0
                return x
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="it remembers the numbers of a fixed seed",
        fools=True,
        code=(
            """
            KNOWN = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
            ANSWER = [max(float(number), 0.0) for number in KNOWN.ravel()]
            def relu(x):
                if x.shape == KNOWN.shape and np.array_equal(x.data, KNOWN):
                    return Tensor(np.array(ANSWER, np.float32).reshape(KNOWN.shape))
                return x
            """,
        ),
        says=WRONG,
    ),
    Attack(
        name="it looks for the seed on command lines and in the environment",
        fools="plain pytest has no seed",
        code=(
            """
            import os, pathlib, re
            def said():
                yield str(dict(os.environ))
                for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        yield file.read_bytes().decode("utf-8", "replace")
                    except OSError:
                        pass
            def relu(x):
                found = re.findall("seed[^0-9]{0,5}([0-9]+)", " ".join(said()))
                raise LookupError(f"seeds: {found}")
            """,
        ),
        says=r"seeds: \[(?!.*7351924)",
    ),
    Attack(
        name="it reads the installed checks",
        fools="plain pytest has no installed checks",
        code=(
            """
            import pathlib, sys
            def relu(x):
                for place in sys.path:
                    for file in pathlib.Path(place, "pytest_tinytorch", "checkpoints").glob("*.py"):
                        raise LookupError("read: " + file.read_text()[:20])
                raise LookupError("there is nothing to read")
            """,
        ),
        says=r"PermissionError|there is nothing to read",
        reach="files",
    ),
    Attack(
        name="it runs the installed checks' own arithmetic",
        fools="plain pytest has no installed checks",
        code=(
            """
            from pytest_tinytorch.checkpoints import checkpoint_02_activations as checks
            def relu(x):
                return Tensor(np.maximum(x.data, 0))
            """,
        ),
        says=r"PermissionError|ModuleNotFoundError|cannot be imported|ImportError",
        reach="files",
    ),
    Attack(
        name="it takes another student's solution from the disk",
        fools=True,
        files={
            "tinytorch/activations.py": """
            from pathlib import Path
            exec(Path("{outside}/ada/tinytorch/activations.py").read_text(), globals())
            """
        },
        says=r"PermissionError",
        reach="files",
    ),
    Attack(
        name="it looks for solutions all over the disk",
        fools="it would read this disk",
        code=(
            """
            import itertools, os, pathlib
            def relu(x):
                here = pathlib.Path(__file__).resolve()
                roots = [pathlib.Path("{outside}"), *here.parents[2:5], pathlib.Path("/work"), pathlib.Path("/home")]
                for root in roots:
                    for folder, _, names in itertools.islice(os.walk(root), 500):
                        file = pathlib.Path(folder, "activations.py")
                        if "activations.py" in names and file != here:
                            names = {"__package__": __package__, "__name__": "found"}
                            exec(file.read_text(), names)
                            return names["relu"](x)
                raise LookupError("nobody's solution is to be seen")
            """,
        ),
        says=r"nobody's solution is to be seen|PermissionError",
        reach="files",
    ),
    Attack(
        name="it looks through everything that is in memory",
        fools="the answer is not tracked where plain tests keep it",
        code=(
            """
            import gc
            def relu(x):
                for thing in gc.get_objects():
                    for value in list(thing.values())[:50] if type(thing) is dict else ():
                        if type(value) is np.ndarray and value is not x.data and value.shape == x.shape:
                            return Tensor(value)
                return x
            """,
        ),
        says=WRONG,
    ),
]
