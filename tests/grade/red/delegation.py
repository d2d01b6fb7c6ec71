"""Delegation: the work is done, but by somebody else. It is reported with its line, and the score stands.

Where the work cannot be reached from the grader at all, nothing is earned.
"""

from __future__ import annotations

from . import PACKAGE, Attack, solved

ATTACKS = [
    Attack(
        name="another Python does the work",
        fools=True,
        delegates=True,
        code=(
            """
            import subprocess, sys
            def relu(x):
                text = "import sys; print([max(float(n), 0.0) for n in sys.argv[1:]])"
                given = [repr(float(n)) for n in x.data.ravel()]
                done = subprocess.run([sys.executable, "-S", "-c", text, *given], capture_output=True, check=True)
                return Tensor(np.array(eval(done.stdout), x.dtype).reshape(x.shape))
            """,
        ),
        says=r"forbidden import.*subprocess",
    ),
    Attack(
        name="a finished library does the work",
        fools="such a library need not be installed here",
        delegates=True,
        code=(
            """
            def relu(x):
                import scipy.special
                return Tensor(scipy.special.relu(x.data))
            """,
        ),
        says=r"forbidden import.*scipy",
    ),
    Attack(
        name="the solution lies in a file that is no Python",
        fools=True,
        files={
            f"{PACKAGE}/solution.txt": solved(),
            f"{PACKAGE}/activations.py": """
            from pathlib import Path
            exec(Path(__file__).with_name("solution.txt").read_text(), globals())
            """,
        },
        says=r"FileNotFoundError",
    ),
    Attack(
        name="the solution is fetched from the network",
        fools="there is no such server",
        code=(
            """
            import urllib.request
            def relu(x):
                exec(urllib.request.urlopen("http://127.0.0.1:9/solution", timeout=1).read(), globals())
                return relu(x)
            """,
        ),
        says=r"URLError|forbidden import",
    ),
    Attack(
        name="another process has the solution, on a socket of this machine",
        fools="there is no such process",
        code=(
            """
            import socket
            def relu(x):
                with socket.socket(socket.AF_UNIX) as end:
                    end.connect("{outside}/socket")
                return x
            """,
        ),
        says=r"PermissionError|FileNotFoundError",
    ),
]
