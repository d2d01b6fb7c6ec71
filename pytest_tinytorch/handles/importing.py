"""Imports the student's package from its folder, whatever else bears its name.

The sources are compiled here: a `.pyc` is neither read nor written, and `sys.path` is left alone. Only `.py` files
count, so that no other file of the folder can stand in for a module.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

MAX_WARM_FILES = 100
MAX_WARM_BYTES = 500_000


INIT = "__init__"


class Broken(BaseException):
    """A module that is not imported again, because it did not come back the last time."""


class Importer(importlib.abc.MetaPathFinder):
    """Finds and runs the modules of one package folder: `/home/ada/course/tinytorch`.

    `codes` are compiled sources by path; `running` are the modules that are being imported, outermost
    first; `tell` is told the innermost, whenever that changes.
    """

    def __init__(
        self,
        folder: Path,
        homes: Mapping[str, str],
        codes: Mapping[str, types.CodeType] | None = None,
        tell: Callable[[str | None], None] = lambda module: None,
    ) -> None:
        self.folder = folder
        self.name = folder.name
        self.homes = homes
        self.codes = codes or {}
        self.tell = tell
        self.running: list[str] = []
        self.broken: frozenset[str] = frozenset()
        self._aside: dict[str, types.ModuleType] = {}

    def install(self) -> None:
        """Take over the package's name; modules of that name from elsewhere are set aside."""
        self._aside = self._forget()
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Give the name back."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._forget()
        sys.modules.update(self._aside)

    def load(self) -> None:
        """Run the package's `__init__`, as `import tinytorch` does."""
        importlib.import_module(self.name)

    def load_bare(self, broken: Sequence[str] = ()) -> None:
        """Make the package without its `__init__`, so that one broken module leaves the others usable."""
        self.broken = frozenset(broken)
        self._forget()
        package = types.ModuleType(self.name)
        package.__path__ = [str(self.folder)]
        package.__file__ = str(self.folder / "__init__.py")
        package.__package__ = self.name
        sys.modules[self.name] = package

    def module(self, name: str) -> types.ModuleType:
        """The package's module of this name: `activations`."""
        if self.name not in sys.modules:
            self._load_or_bare()
        return importlib.import_module(f"{self.name}.{name}")

    def find(self, name: str) -> object:
        """What `tinytorch.NAME` is: an export, from its home module; a module; else an attribute of the package."""
        if name in self.homes:
            return getattr(self.module(self.homes[name]), name)
        if self._file(f"{self.name}.{name}") is not None:
            return self.module(name)
        return getattr(importlib.import_module(self.name), name)

    def _load_or_bare(self) -> None:
        try:
            self.load()
        except Exception:  # noqa: BLE001 - whatever the student's package raises; its home module raises it again
            self.load_bare()

    def _forget(self) -> dict[str, types.ModuleType]:
        """Take the package's modules out of `sys.modules`."""
        names = [name for name in sys.modules if name == self.name or name.startswith(f"{self.name}.")]
        return {name: sys.modules.pop(name) for name in names}

    def _file(self, name: str) -> Path | None:
        """The source of a module of this package, if there is one."""
        stem = self.folder.joinpath(*name.split(".")[1:])
        for file in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
            if file.is_file():
                return file
        return None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Python's hook: how a module of the package is loaded; no other finder is asked for one."""
        if fullname != self.name and not fullname.startswith(f"{self.name}."):
            return None
        file = self._file(fullname)
        if file is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return importlib.util.spec_from_file_location(
            fullname,
            file,
            loader=_Loader(fullname, str(file), self),
            submodule_search_locations=[str(file.parent)] if file.name == "__init__.py" else None,
        )


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs a module from its source, and notes which one is running."""

    def __init__(self, name: str, path: str, importer: Importer) -> None:
        super().__init__(name, path)
        self.importer = importer

    def get_code(self, fullname: str) -> types.CodeType:
        return self.importer.codes.get(self.path) or compiled(self.path)

    def exec_module(self, module: types.ModuleType) -> None:
        importer = self.importer
        name = self.name.removeprefix(f"{importer.name}.")
        if name in importer.broken:
            raise Broken(name)
        importer.running.append(self.name)
        importer.tell(self.name)
        try:
            super().exec_module(module)
        finally:
            importer.running.pop()
            importer.tell(importer.running[-1] if importer.running else None)


def broken_import(frames: Sequence[types.FrameType]) -> str | None:
    """The innermost module of the package that was being imported on this stack."""
    loaders = [frame.f_locals["self"] for frame in frames if frame.f_code is _Loader.exec_module.__code__]
    return loaders[-1].name if loaders else None


def compiled(path: str) -> types.CodeType:
    """The code of a source file; what cannot be read as Python raises a SyntaxError that names the file."""
    source = Path(path).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            if getattr(error, "filename", None) is not None:
                raise
            raise SyntaxError(str(error), (path, 1, 1, "")) from None  # a null byte: Python names no file


def warm(folder: Path) -> dict[str, types.CodeType]:
    """The compiled modules of a folder, by path; a file that does not compile is left to its import."""
    codes = {}
    for file in sorted(folder.glob("*.py"))[:MAX_WARM_FILES]:
        try:
            if file.is_file() and file.stat().st_size <= MAX_WARM_BYTES:
                codes[str(file)] = compiled(str(file))
        except (OSError, SyntaxError, MemoryError, RecursionError):
            continue
    return codes
