"""Progress of downloads: a bar where a person looks on, nothing where output goes to a file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

    from .remote import Watch


@contextmanager
def watching(watch: Watch | None, console: Console | None = None) -> Iterator[Watch]:
    """The given watcher, or a bar on standard error."""
    if watch is not None:
        yield watch
        return
    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def show(file: str, arrived: int, size: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file, total=size)
            progress.update(tasks[file], completed=arrived)

        yield show
