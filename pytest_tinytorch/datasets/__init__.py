"""Data to learn from: small sets that come with the plugin, and larger ones downloaded once per user."""

from .digits import Digits, mnist, tiny_digits
from .errors import DamagedFile, DataError, DiskFull, FolderUnusable, MirrorsFailed, Offline
from .folder import data_folder
from .talks import Talk, tiny_talks

__all__ = [
    "DamagedFile",
    "DataError",
    "Digits",
    "DiskFull",
    "FolderUnusable",
    "MirrorsFailed",
    "Offline",
    "Talk",
    "data_folder",
    "mnist",
    "tiny_digits",
    "tiny_talks",
]
