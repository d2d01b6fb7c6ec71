"""pytest's hooks, in the order in which pytest calls them. Dormant until an option asks for a course.

This file imports nothing but pytest: in any other project the plugin adds its options to `pytest --help`, and no
more. The object that does the work is `verifier.Verifier`.
"""

from __future__ import annotations

import gc
import importlib.util
from typing import Any

import pytest

OPTIONS = ("checkpoint", "milestone", "capabilities", "hint")
PAUSED = pytest.StashKey[bool]()  # whether the garbage collector waits until all is loaded


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Other packages may add modules, milestones and report formats."""
    from . import hookspecs  # noqa: PLC0415 -- dormant: nothing is imported that a run does not need

    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The command line and the ini keys."""
    group = parser.getgroup("tinytorch", "tinytorch: a machine-learning course verified by pytest")
    say = _adder(group)
    say("checkpoint", metavar="SPEC", action="append", default=[], help=(
        "verify modules: 5, 1-7, 1,3, attention, a tier, an act, all, next (repeatable)"))  # fmt: skip
    say("milestone", metavar="SPEC", action="append", default=[], help=(
        "replay history on your code: 1, 1957, perceptron, all, next (repeatable)"))  # fmt: skip
    say("full", action="store_true", help="with --milestone: on the full benchmark")
    say("digit", metavar="FILE", help="with --milestone 1986: classify a digit that you drew, a PNG or JPEG picture")
    say("capabilities", action="store_true", help="what you have proved so far; runs nothing")
    say("olympics", metavar="DIR", help="rank the Torch Olympics entries of a class; runs no student's code")
    say("hint", action="store_true", help="the next hint for the first exercise that fails")
    say("report", metavar="FILE", action="append", default=[], help=(
        "write a report: .json .md .html .svg by suffix (repeatable)"))  # fmt: skip
    say("isolated", action="store_true", help="run your code in a process of its own for each check")
    group.addoption("--tinytorch-seed", dest="tinytorch_seed", metavar="N", type=int, default=None, help=(
        "repeat a run with the inputs of that seed"))  # fmt: skip
    parser.addini("tinytorch_package", "the student's package (default: tinytorch)", default="tinytorch")
    parser.addini("tinytorch_track", "the track through the course (default: complete)", default="complete")
    parser.addini("tinytorch_modules", "the modules of track custom", type="args", default=[])
    parser.addini("tinytorch_provided", "modules that the course provides solved", type="args", default=[])
    parser.addini("tinytorch_time_limit", "seconds of the student's time per check (default: 10)", default="10")
    parser.addini("tinytorch_data", "folder for downloaded data sets", default="")
    _explain_missing_xdist(parser)


def _adder(group: Any) -> Any:
    """`--name`, or `--tinytorch-name` alone where another plugin has taken the short one."""

    def add(name: str, **how: Any) -> None:
        dest = f"tinytorch_{name}"
        try:
            group.addoption(f"--{name}", f"--tinytorch-{name}", dest=dest, **how)
        except ValueError:
            group.addoption(f"--tinytorch-{name}", dest=dest, **how)

    return add


def _explain_missing_xdist(parser: pytest.Parser) -> None:
    """Take `-n` where pytest-xdist is absent, to say what is missing instead of "unrecognized arguments"."""
    if importlib.util.find_spec("xdist") is None:
        group: Any = parser.getgroup("tinytorch")
        group._addoption("-n", dest="tinytorch_workers", metavar="N", default=None, help="needs pytest-xdist")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """`--olympics` ranks what others measured, `--capabilities` prints what is remembered; both run nothing."""
    if config.getoption("tinytorch_olympics") is not None:
        from .olympics.command import show_board  # noqa: PLC0415 -- dormant

        return show_board(config)
    if not config.getoption("tinytorch_capabilities") or _asked(config, "checkpoint", "milestone", "hint"):
        return None
    from .verifier import show_capabilities  # noqa: PLC0415 -- dormant

    return show_capabilities(config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the working plugin where an option asks for it."""
    if config.getoption("tinytorch_workers", None) is not None:
        raise pytest.UsageError("-n runs checks in parallel and needs pytest-xdist: pip install pytest-xdist")
    if not _asked(config, "checkpoint", "milestone", "hint"):
        _refuse_lonely_options(config)
        return
    _pause_garbage_collection(config)
    from .verifier import Verifier  # noqa: PLC0415 -- dormant

    config.pluginmanager.register(Verifier(config), "tinytorch-verifier")


def _pause_garbage_collection(config: pytest.Config) -> None:
    """Loading and collecting make what stays for the run: looking through it for garbage costs, and finds none."""
    config.stash[PAUSED] = gc.isenabled()
    if config.stash[PAUSED]:
        gc.disable()
        config.add_cleanup(gc.enable)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage again, but not in what is loaded now."""
    if session.config.stash.get(PAUSED, False):
        gc.freeze()
        gc.enable()


def _asked(config: pytest.Config, *options: str) -> bool:
    return any(config.getoption(f"tinytorch_{name}") for name in options)


def _refuse_lonely_options(config: pytest.Config) -> None:
    if config.getoption("tinytorch_digit") is not None:
        raise pytest.UsageError("--digit goes with --milestone 1986: pytest --milestone 1986 --digit FILE")
    lonely = [f"--{name}" for name in ("full", "isolated", "report") if config.getoption(f"tinytorch_{name}")]
    alone = config.getoption("tinytorch_capabilities") or config.getoption("tinytorch_olympics") is not None
    if lonely and not alone:
        raise pytest.UsageError(
            f"{lonely[0]} goes with --checkpoint or --milestone: pytest --checkpoint next {lonely[0]}"
        )


def pytest_tinytorch_modules() -> tuple[()]:
    """The course's own modules stand in `course.py`; this hook is for those of other packages."""
    return ()


def pytest_tinytorch_milestones() -> tuple[()]:
    """The course's own milestones stand in `course.py`."""
    return ()


def pytest_tinytorch_report_formats() -> Any:
    """The course's own report formats."""
    from .reports import FORMATS  # noqa: PLC0415 -- dormant

    return FORMATS
