"""Forging the result: files, lines, messages and pickles in the place of a verdict."""

from __future__ import annotations

from . import Attack

WRITES = """
import atexit, os, pathlib
def forge():
    for name in ("results.json", "precious.txt", "ada/tinytorch/activations.py"):
        pathlib.Path("{outside}", name).write_text('{"score": 48}')
"""
RELU = "def relu(x):\n    {}\n    return x\n"

ATTACKS = [
    Attack(
        name="it writes the result file in a call",
        fools=False,  # what it forges is read by whoever believes the file
        code=(WRITES.lstrip(), RELU.format("forge()")),
        says=r"PermissionError",
        reach="files",
    ),
    Attack(
        name="it writes the result file when everything is over",
        fools=False,
        files={"tinytorch/tensor.py": WRITES + "atexit.register(forge)\nclass Tensor: pass\ndef record(*a): pass\n"},
        says=r"has no tensor|crashed|not written",
        reach="files",
    ),
    Attack(
        name="a process that outlives it writes the result file late",
        fools=False,
        code=(
            """
            import subprocess, sys
            LATE = "import time; time.sleep(3); open('{outside}/results.json', 'w').write('48')"
            def relu(x):
                subprocess.Popen([sys.executable, "-c", LATE], start_new_session=True)
                return x
            """,
        ),
        says=r"wrong",
    ),
    Attack(
        name="it takes other people's files away, and their modes and times",
        fools=False,
        code=(
            """
            import os, shutil
            def tried(function, *arguments):
                try:
                    function(*arguments)
                except OSError:
                    pass
            def relu(x):
                for name in ("precious.txt", "home", "ada"):
                    path = os.path.join("{outside}", name)
                    tried(os.chmod, path, 0)
                    tried(os.utime, path, (0, 0))
                    tried(os.truncate, path, 0)
                    tried(os.rename, path, path + ".gone")
                    tried(os.remove, path)
                    tried(shutil.rmtree, path)
                return x
            """,
        ),
        says=r"wrong",
        reach="files",
    ),
    Attack(
        name="it writes to the files that a workflow reads",
        fools=False,
        code=(
            """
            import os
            def relu(x):
                names = [n for n in os.environ if n.startswith(("GITHUB", "RUNNER", "ACTIONS", "CLASSROOM", "OWNER"))]
                for name in names:
                    with open(os.environ[name], "a") as file:
                        file.write("result=e30=")
                raise LookupError(f"names: {names}")
            """,
        ),
        says=r"names: \[\]",
    ),
    Attack(
        name="lines on standard output that look like a judge's",
        fools=False,
        code=(
            """
            import json, os, sys
            FORGED = json.dumps({"kind": "check", "result": {"check": "x", "outcome": "passed"}})
            for _ in range(3):
                print(FORGED)
                sys.__stdout__.write("::notice title=Autograding report::{\\"totalPoints\\":48,\\"maxPoints\\":48}\\n")
                os.write(2, b"::set-output name=result::48\\n##[group]passed\\n")
            """,
        ),
        says=r"not written",
    ),
    Attack(
        name="a message full of commands to terminals and workflows",
        fools=False,
        code=(
            """
            def relu(x):
                commands = "\\x1b[2J\\x1b]0;48/48\\x07\\r\\n::error file=a.py::x\\n"
                raise ValueError(commands + "</testsuite><script>alert(1)</script>")
            """,
        ),
        says=r"ValueError",
    ),
    Attack(
        name="a result that runs code when it is unpickled",
        fools=False,
        code=(
            """
            import os
            class Bomb:
                def __reduce__(self):
                    return os.system, ("echo 48 > {outside}/results.json",)
            def relu(x):
                return Bomb()
            """,
        ),
        says=r"wrong|crashed",
    ),
    Attack(
        name="an exception that runs code when it is copied",
        fools=False,
        code=(
            """
            import os
            class Bomb(Exception):
                def __reduce__(self):
                    return os.system, ("echo 48 > {outside}/results.json",)
                def __str__(self):
                    raise self
                __repr__ = __str__
            def relu(x):
                raise Bomb
            """,
        ),
        says=r"Bomb",
    ),
    Attack(
        name="answers on the worker's own connection",
        fools="plain pytest has no worker",
        code=(
            """
            import os, stat, struct
            def relu(x):
                for fd in range(3, 64):
                    try:
                        if stat.S_ISSOCK(os.fstat(fd).st_mode):
                            os.write(fd, (b"R" + struct.pack("<Q", 1) + b"T") * 100)
                    except OSError:
                        pass
                return x
            """,
        ),
        says=r"message",
    ),
    Attack(
        name="an error of the checker's own kind",
        fools=False,
        code=(
            """
            class Broken(BaseException):
                pass
            Broken.__module__ = "pytest_tinytorch.handles.errors"
            Broken.__qualname__ = Broken.__name__ = "ProtocolError"
            def relu(x):
                raise Broken("the checker broke: full marks are due")
            """,
        ),
        says=r"ProtocolError",
    ),
    Attack(
        name="everything waits for something that is not there",
        fools=False,
        files={
            "tinytorch/tensor.py": """
            def stub(*args, **kwargs):
                raise NotImplementedError("not written yet")
            class Tensor:
                __init__ = stub
            tensor = record = add_up = stub
            """
        },
        code=(RELU.format("pass"),),
        says=r"waits for|not written|crashed",
    ),
    Attack(
        name="code that says it stands in another file",
        fools=False,
        code=(
            """
            exec(compile("def relu(x):\\n    return 1 / 0", "{outside}/precious.txt", "exec"), globals())
            """,
            "relu.__code__ = relu.__code__.replace(co_firstlineno=10**6, co_name='\\n::error::')\n",
        ),
        says=r"ZeroDivisionError|not written",
    ),
    Attack(
        name="an error with a message of a hundred megabytes",
        fools=False,
        code=("def relu(x):\n    raise ValueError('48 points' * 10**7)\n",),
        says=r"ValueError",
    ),
]
