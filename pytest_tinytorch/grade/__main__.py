"""`python -I -m pytest_tinytorch.grade` is `tinytorch-grade`."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def run() -> int:
    """Load the command and run it; also who interrupts it while it loads is told so in a word."""
    try:
        from .cli import main  # noqa: PLC0415 -- loading takes its time

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("tinytorch-grade: interrupted\n")
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(run())
