"""Files: links, odd names, what is no file, too many of them and too large ones."""

from __future__ import annotations

import os
from pathlib import Path

from . import PACKAGE, TARGET, Attack


def _module_is_a_link(repository: Path, outside: Path) -> None:
    module = repository / PACKAGE / f"{TARGET}.py"
    module.unlink()
    module.symlink_to(outside / "ada" / PACKAGE / f"{TARGET}.py")


def _package_is_a_link(repository: Path, outside: Path) -> None:
    for file in (repository / PACKAGE).iterdir():
        if not (outside / "ada" / PACKAGE / file.name).exists():
            file.rename(outside / "ada" / PACKAGE / file.name)
        else:
            file.unlink()
    (repository / PACKAGE).rmdir()
    (repository / PACKAGE).symlink_to(outside / "ada" / PACKAGE)


def _another_name(repository: Path, outside: Path) -> None:
    module = repository / PACKAGE / f"{TARGET}.py"
    module.unlink()
    os.link(outside / "ada" / PACKAGE / f"{TARGET}.py", module)


def _loop(repository: Path, outside: Path) -> None:
    (repository / PACKAGE / "again").symlink_to(repository / PACKAGE)
    (repository / PACKAGE / "root").symlink_to("/")


def _pipe(repository: Path, outside: Path) -> None:
    os.mkfifo(repository / PACKAGE / "waits.py")


def _names(repository: Path, outside: Path) -> None:
    for name in (b"\xff\xfe.py", b"a\nb.py", b"..\\..\\up.py", b"-rf.py", b"a b;c.py", "\u202egnp.py".encode()):
        (repository / PACKAGE / os.fsdecode(name)).write_text("x = 1\n")


def _many(repository: Path, outside: Path) -> None:
    folder = repository / PACKAGE / "many"
    folder.mkdir()
    for number in range(5_000):
        (folder / f"m{number}.py").touch()


def _deep(repository: Path, outside: Path) -> None:
    folder = repository / PACKAGE
    for _ in range(200):
        folder /= "d"
        folder.mkdir()
    (folder / "deep.py").write_text("x = 1\n")


def _large(repository: Path, outside: Path) -> None:
    with (repository / PACKAGE / "large.py").open("wb") as file:
        file.truncate(200 << 20)


SOLVED = "it is as good as the file that it leads to"
ATTACKS = [
    Attack(name="the module is a link to somebody else's", fools=True, make=_module_is_a_link, says=r"link"),
    Attack(name="the package is a link to somebody else's", fools=True, make=_package_is_a_link, says=r"link"),
    Attack(
        name="folders that contain themselves and everything",
        fools="pytest would walk through this whole disk",
        make=_loop,
        says=r"link",
    ),
    Attack(name="a pipe that nobody writes to", fools="pytest would wait for it", make=_pipe, says=r"waits\.py"),
    Attack(name="names that no system should see", fools=False, make=_names, says=r"not written"),
    Attack(name="five thousand files", fools="it does not change what is tested", make=_many, says=r"modules"),
    Attack(
        name="two hundred folders deep", fools="it does not change what is tested", make=_deep, says=r"deep|folders"
    ),
    Attack(name="a file of 200 MB", fools="it does not change what is tested", make=_large, says=r"bytes"),
    Attack(
        name="a source in another encoding than it says",
        fools=False,
        files={"tinytorch/activations.py": b"# coding: utf-7\nx = '+AGk-'\n\xff\xfe\n"},
        says=r"SyntaxError|UTF-8|encoding",
    ),
    Attack(
        name="a source with a null byte",
        fools=False,
        files={"tinytorch/activations.py": b"def relu(x):\n    return x\n\0"},
        says=r"null byte|SyntaxError",
    ),
]
