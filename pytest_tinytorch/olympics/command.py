"""`pytest --olympics DIR`: gather, rank, print, and say by the exit code whether every file was an entry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .. import reports
from ..reports.sheet import make_console
from .board import rank
from .folder import gather
from .page import FORMATS
from .terminal import render

if TYPE_CHECKING:
    from .board import Board

ALONE = ("checkpoint", "milestone", "capabilities", "hint", "full", "digit", "isolated")


def show_board(config: pytest.Config) -> int:
    """Print the leaderboard of the folder that the command line names, and write the reports that it asks for."""
    folder = _folder(config)
    paths = [Path(name) for name in config.getoption("tinytorch_report")]
    try:
        for path in paths:
            reports.check(path, FORMATS)
        found = gather(folder)
    except reports.ReportError as error:
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise pytest.UsageError(f"--olympics {folder}: the folder cannot be read: {why}") from None
    board = rank(found.entries, found.refused, config.getoption("tinytorch_olympics"))
    config._do_configure()  # as pytest's own --markers does: the terminal's writer is ready then
    try:
        writer = config.get_terminal_writer()
        render(board, console=make_console(writer._file, writer.fullwidth, color=writer.hasmarkup))
        for path in paths:
            writer.line(f"tinytorch: {_written(board, path)}")
    finally:
        config._ensure_unconfigure()
    return _exit_code(board)


def _written(board: Board, path: Path) -> str:
    try:
        reports.write(board, path, FORMATS)
    except reports.ReportError as error:
        return str(error)
    return f"report written to {path}"


def _exit_code(board: Board) -> int:
    if board.refused:
        return int(pytest.ExitCode.TESTS_FAILED)
    return int(pytest.ExitCode.OK if board.entries else pytest.ExitCode.NO_TESTS_COLLECTED)


def _folder(config: pytest.Config) -> Path:
    """The folder of the entries, from the place where the command was given."""
    name = str(config.getoption("tinytorch_olympics"))
    others = [f"--{option}" for option in ALONE if config.getoption(f"tinytorch_{option}")]
    if others:
        raise pytest.UsageError(f"--olympics goes by itself or with --report: leave out {others[0]}")
    folder = config.invocation_params.dir / Path(name).expanduser()
    if not name or not folder.is_dir():
        what = "is no folder" if name and folder.exists() else "there is no such folder"
        raise pytest.UsageError(f"--olympics {name}: {what}; name the one with the class's entry files")
    _refuse_code_of(config, folder.resolve(), name)
    return folder


def _refuse_code_of(config: pytest.Config, folder: Path, name: str) -> None:
    """Refuse entries that came with a configuration or plugins, which pytest has read on its own account by now."""
    files = [config.inipath, *(getattr(plugin, "__file__", None) for plugin in config.pluginmanager.get_plugins())]
    for file in files:
        if file is not None and folder in Path(file).resolve().parents:
            raise pytest.UsageError(
                f"--olympics {name}: pytest has read {Path(file).name} there, which a folder of entries has not: "
                "look at it, then write --olympics=DIR, with the equals sign, in another folder"
            )
