"""Where downloaded data sets lie: one folder per user."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "TINYTORCH_DATA"


def data_folder(setting: str | Path | None = None) -> Path:
    """The data folder: `TINYTORCH_DATA`, else the setting, else the user's cache.

    The environment comes first, because it is the machine's own word and a setting is shared by a whole course.
    """
    place = os.environ.get(VARIABLE) or setting
    return Path(place).expanduser().absolute() if place else _user_cache()


def _user_cache() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 -- only where nobody has named a folder

    return user_cache_path("tinytorch", appauthor=False)
