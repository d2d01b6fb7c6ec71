"""Data to learn from: small sets that come with the plugin, and larger ones downloaded once per user."""

from .cifar import Images, cifar10
from .digits import Digits, mnist, tiny_digits
from .errors import DamagedFile, DataError, DiskFull, FolderUnusable, MirrorsFailed, Offline
from .folder import data_folder
from .shakespeare import shakespeare_note, tiny_shakespeare
from .talks import Talk, tiny_talks

__all__ = [
    "DamagedFile",
    "DataError",
    "Digits",
    "DiskFull",
    "FolderUnusable",
    "Images",
    "MirrorsFailed",
    "Offline",
    "Talk",
    "cifar10",
    "data_folder",
    "mnist",
    "shakespeare_note",
    "tiny_digits",
    "tiny_shakespeare",
    "tiny_talks",
]
