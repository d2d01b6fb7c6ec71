"""Tiny Shakespeare: a million characters of plays, gathered by Andrej Karpathy for char-rnn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DamagedFile
from .folder import data_folder
from .remote import Remote, fetch, unverified

if TYPE_CHECKING:
    from .remote import Watch

SHAKESPEARE = Remote(
    name="Tiny Shakespeare",
    folder="tinyshakespeare",
    file="input.txt",
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    size=1_115_394,
    mirrors=(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",
        "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@master/data/tinyshakespeare/",
    ),
)


def tiny_shakespeare(folder: str | Path | None = None, *, download: bool = True, progress: Watch | None = None) -> str:
    """1,115,394 characters of Shakespeare's plays: names of speakers, and what they say.

    A text that lies in the data folder already is read, whatever it says. `progress` is called as for `mnist`.

    Raises:
        DataError: the text cannot be had or read.
    """
    data = data_folder() if folder is None else Path(folder).expanduser()
    (path,) = fetch([SHAKESPEARE], data, download=download, watch=progress)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DamagedFile(path, f"its byte {error.start:,} is no UTF-8") from None
    except OSError as error:
        raise DamagedFile(path, error.strerror or str(error)) from None
    if not text.strip():
        raise DamagedFile(path, "it is empty")
    return text


def shakespeare_note(folder: Path) -> str:
    """A sentence where the text in a data folder is not the published one; empty where it is, or is not there."""
    path = SHAKESPEARE.find(folder)
    return unverified([SHAKESPEARE], [path]) if path else ""
