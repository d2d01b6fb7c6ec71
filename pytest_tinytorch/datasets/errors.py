"""Why a data set cannot be had. Each message is one sentence for the user, and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class DataError(Exception):
    """A data set that cannot be had."""


class Offline(DataError):
    """A file is missing and must not be downloaded."""

    def __init__(self, what: str, folder: Path, switch: str) -> None:
        super().__init__(
            f"{what} is not in {folder}, and {switch} forbids downloads: put the file there, or allow them"
        )


class MirrorsFailed(DataError):
    """No mirror gave the file; `reasons` says why, by host."""

    def __init__(self, what: str, folder: Path, reasons: Mapping[str, str], *, network: bool = True) -> None:
        self.reasons = dict(reasons)
        listed = "; ".join(f"{host} {why}" for host, why in reasons.items())
        cause = listed if network else f"there seems to be no network ({listed})"
        super().__init__(
            f"{what} was not downloaded: {cause}. Run this again when that is mended, or put the file into {folder}"
        )


class FolderUnusable(DataError):
    """The data folder cannot be made, read or written."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"the data folder {folder} cannot be used: {why}. Choose another with TINYTORCH_DATA or tinytorch_data"
        )


class DiskFull(DataError):
    """There is no room for a file; what has arrived is kept."""

    def __init__(self, what: str, folder: Path, missing: int) -> None:
        super().__init__(
            f"the disk that holds {folder} is full: {what} needs {missing / 1e6:.1f} MB more. "
            "Make room and run this again: it goes on where it stopped"
        )


class DamagedFile(DataError):
    """A file that is there cannot be read as what its name says."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be used: {why}. Replace it, or remove it and have it downloaded")
