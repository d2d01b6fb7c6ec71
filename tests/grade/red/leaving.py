"""Exits and skips: leaving the process, or telling the runner that nothing is to be judged."""

from __future__ import annotations

from . import Attack

ENDED = r"the process ended"

RELU = "def relu(x):\n    return x\n"


def call(body: str, top: str = "") -> str:
    """A relu that does something."""
    return f"{top}\ndef relu(x):\n    {body}\n"


ATTACKS = [
    Attack(
        name="it leaves while it is imported",
        fools=True,
        code=("import os\nos._exit(0)\n", RELU),
        says=ENDED,
    ),
    Attack(
        name="it leaves Python while it is imported",
        fools=False,  # pytest notices an exit that it did not cause
        code=("import sys\nsys.exit(0)\n", RELU),
        says=r"leaves Python while it is imported",
    ),
    Attack(
        name="it skips the module that imports it",
        fools=False,  # nothing was collected, which pytest does not call a success
        code=("import pytest\npytest.skip('not today', allow_module_level=True)\n", RELU),
        says=r"Skipped",
    ),
    Attack(name="it leaves in a call", fools=True, code=(call("os._exit(0)", "import os"),), says=ENDED),
    Attack(
        name="it becomes another program",
        fools=True,
        code=(call("os.execv(sys.executable, [sys.executable, '-c', ''])", "import os, sys"),),
        says=ENDED,
    ),
    Attack(
        name="it skips in a call",
        fools=True,
        code=(call("pytest.skip('not today')", "import pytest"),),
        says=r"Skipped",
    ),
    Attack(
        name="it skips as unittest does",
        fools=True,
        code=(call("raise unittest.SkipTest('not today')", "import unittest"),),
        says=r"SkipTest",
    ),
    Attack(
        name="it expects to fail",
        fools=True,
        code=(call("pytest.xfail('never mind')", "import pytest"),),
        says=r"XFailed",
    ),
    Attack(
        name="it ends the session with success",
        fools=True,
        code=(call("pytest.exit('done', returncode=0)", "import pytest"),),
        says=r"Exit",
    ),
    Attack(
        name="it interrupts the judge", fools=False, code=(call("raise KeyboardInterrupt"),), says=r"KeyboardInterrupt"
    ),
    Attack(
        name="it leaves when everything else has",
        fools=True,
        code=("import atexit, os\natexit.register(os._exit, 0)\n",),
        says=r"not written",
    ),
    Attack(
        name="a thread leaves while the main one waits",
        fools=True,
        code=(call("time.sleep(5)", "import os, threading, time\nthreading.Timer(0.2, os._exit, (0,)).start()"),),
        says=ENDED,
    ),
    Attack(
        name="an alarm leaves in the middle of a check",
        fools=True,
        code=(
            """
        import os, signal
        def relu(x):
            signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            while True:
                pass
        """,
        ),
        says=ENDED,
    ),
    Attack(
        name="it kills its parent and whoever else it may",
        fools="it would end the tests that try it",
        code=(
            """
        import os, signal
        def relu(x):
            for pid in (os.getppid(), os.getpgid(os.getppid()), os.getsid(os.getppid())):
                if pid > 1:
                    os.kill(pid, signal.SIGKILL)
        """,
        ),
        says=r"PermissionError|the process ended",
        reach="signals",
    ),
]
