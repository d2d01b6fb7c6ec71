"""Resources: time, memory, processes, threads, output, disk. One hostile submission costs only itself."""

from __future__ import annotations

from . import Attack

HANGS = "it hangs: plain pytest has no limit of its own"
COSTS = "it costs this machine too much without limits"
STUCK = r"no result after|timed out"

ATTACKS = [
    Attack(
        name="a loop that swallows whatever should end it",
        fools=HANGS,
        limit=0.4,
        code=(
            """
            import signal
            def relu(x):
                while True:
                    try:
                        signal.setitimer(signal.ITIMER_REAL, 0)
                        signal.signal(signal.SIGALRM, signal.SIG_IGN)
                    except BaseException:
                        pass
            """,
        ),
        says=STUCK,
    ),
    Attack(
        name="an import that never ends",
        fools=HANGS,
        limit=0.4,
        code=("import time\ntime.sleep(600)\n", "def relu(x):\n    return x\n"),
        says=STUCK,
    ),
    Attack(
        name="it stops its own process",
        fools=HANGS,
        limit=0.4,
        code=("import os, signal\ndef relu(x):\n    os.kill(os.getpid(), signal.SIGSTOP)\n",),
        says=STUCK,
    ),
    Attack(
        name="all memory",
        fools=COSTS,
        code=("def relu(x):\n    return [np.zeros(1 << 28) for _ in range(100)]\n",),
        says=r"MemoryError|memory runs out",
    ),
    Attack(
        name="hundreds of processes in sessions of their own",
        fools=COSTS,
        code=(
            """
            import os, time
            def relu(x):
                for _ in range(100):
                    if os.fork() == 0:
                        os.setsid()
                        if os.fork() == 0:
                            time.sleep(600)
                        os._exit(0)
                return x
            """,
        ),
        says=r"wrong",
    ),
    Attack(
        name="processes that start each other when they are killed",
        fools=COSTS,
        code=(
            """
            import os, signal, time
            def chain(left):
                if left and os.fork() == 0:
                    os.setsid()
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    chain(left - 1)
                    time.sleep(600)
            def relu(x):
                chain(20)
                return x
            """,
        ),
        says=r"wrong",
    ),
    Attack(
        name="threads that never end",
        fools=HANGS,
        code=(
            """
            import threading, time
            def relu(x):
                for _ in range(100):
                    threading.Thread(target=time.sleep, args=(600,)).start()
                return x
            """,
        ),
        says=r"wrong",
    ),
    Attack(
        name="output without end",
        fools=HANGS,
        limit=0.4,
        code=("def relu(x):\n    while True:\n        print('48 points ' * 10000)\n",),
        says=STUCK,
    ),
    Attack(
        name="an answer of a million million numbers",
        fools=COSTS,
        code=(
            """
            def relu(x):
                x.data = np.broadcast_to(np.float32(0), (10**6, 10**6))
                return x
            """,
        ),
        says=r"wrong|crashed",
    ),
    Attack(
        name="a file as large as the disk",
        fools=COSTS,
        code=(
            """
            def relu(x):
                with open("large", "wb") as file:
                    file.truncate(1 << 40)
                    file.write(b"x" * (1 << 29))
                return x
            """,
        ),
        says=r"File too large|SIGXFSZ|OSError",
    ),
    Attack(
        name="limits on the judge's process",
        fools="it would end the tests that try it",
        code=(
            """
            import os, resource
            def relu(x):
                for pid in (os.getppid(), os.getsid(os.getppid()), os.getpgid(os.getppid())):
                    resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))
                return x
            """,
        ),
        says=r"PermissionError|wrong|the process ended",
        reach="memory",
    ),
    Attack(
        name="a source of brackets in brackets",
        fools=False,
        code=(f"x = {'(' * 5000}{')' * 5000}\n",),
        says=r"SyntaxError|MemoryError|nested",
    ),
    Attack(
        name="a sum that the compiler cannot hold",
        fools="it ends some versions of Python",
        code=(f"x = {'1 + ' * 200_000}1\n",),
        says=r"RecursionError|MemoryError|the process ended|SyntaxError|too",
    ),
    Attack(
        name="the registers of the system",
        fools=COSTS,
        code=(
            """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            def relu(x):
                made = [libc.shmget(0, 4096, 0o1600), libc.semget(0, 1, 0o1600), libc.msgget(0, 0o1600)]
                raise LookupError(f"made {max(made)}")
            """,
        ),
        says=r"made -1",
        reach="memory",
    ),
]
