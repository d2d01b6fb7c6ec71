"""Downloads, against a server that stalls, truncates, corrupts, redirects and refuses."""

from __future__ import annotations

import errno
import io
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from pytest_tinytorch.datasets.bar import watching
from pytest_tinytorch.datasets.errors import DataError, DiskFull, FolderUnusable, MirrorsFailed, Offline
from pytest_tinytorch.datasets.mirrors import bring
from pytest_tinytorch.datasets.remote import fetch
from tests.conftest import REPOSITORY
from tests.datasets.server import HASTE

if TYPE_CHECKING:
    from pytest_tinytorch.datasets.remote import Remote
    from tests.datasets.server import Mirrors


def seen(file: str, arrived: int, size: int) -> None:
    """Look on without showing anything."""
    assert 0 < arrived <= size, file


def litter(data: Path) -> set[str]:
    """What lies in the folder, besides the lock."""
    return {path.name for path in (data / "numbers").iterdir()} - {".lock"}


def assert_brought(remote: Remote, mirrors: Mirrors, data: Path) -> None:
    bring([remote], data, seen, HASTE)
    assert (data / "numbers" / "numbers.bin").read_bytes() == mirrors.payload
    assert litter(data) == {"numbers.bin"}


def refusal(remote: Remote, data: Path) -> str:
    """The sentence about mirrors that all failed."""
    with pytest.raises(MirrorsFailed) as failed:
        bring([remote], data, seen, HASTE)
    assert not (data / "numbers" / "numbers.bin").exists()
    assert "numbers.bin of Numbers was not downloaded" in str(failed.value)
    assert str(data / "numbers") in str(failed.value)
    (why,) = set(failed.value.reasons.values())
    return why


# ---- what succeeds in the end ---------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["good", "plain", "redirect", "onceill"])
def test_a_file_arrives_whole(behaviour: str, mirrors: Mirrors, tmp_path: Path) -> None:
    assert_brought(mirrors.remote(behaviour), mirrors, tmp_path)


@pytest.mark.parametrize(
    "behaviour", ["403", "404", "500", "cut", "stall", "mute", "corrupt", "corruptcut", "page", "endless", "circle"]
)
def test_the_next_mirror_is_asked(behaviour: str, mirrors: Mirrors, tmp_path: Path) -> None:
    assert_brought(mirrors.remote(behaviour, "good"), mirrors, tmp_path)


@pytest.mark.parametrize("behaviour", ["cut", "stall"])
def test_a_broken_download_goes_on_where_it_stopped(behaviour: str, mirrors: Mirrors, tmp_path: Path) -> None:
    refusal(mirrors.remote(behaviour), tmp_path)
    assert litter(tmp_path) == {"numbers.bin.part"}
    half = (tmp_path / "numbers" / "numbers.bin.part").stat().st_size
    assert half >= 100_000
    assert_brought(mirrors.remote("good"), mirrors, tmp_path)
    assert mirrors.asked[-1] == ("good", f"bytes={half}-")


def test_a_mirror_that_knows_no_ranges_sends_all_anew(mirrors: Mirrors, tmp_path: Path) -> None:
    assert_brought(mirrors.remote("cut", "plain"), mirrors, tmp_path)
    assert [name for name, _ in mirrors.asked] == ["cut", "plain"]


def test_a_file_that_changed_since_is_brought_anew(mirrors: Mirrors, tmp_path: Path) -> None:
    assert_brought(mirrors.remote("corruptcut", "good"), mirrors, tmp_path)
    (_, nothing), (_, rest), (_, anew) = mirrors.asked
    assert (nothing, anew) == (None, None)
    assert rest is not None


@pytest.mark.parametrize("left", [b"", b"?" * 300_000, b"?" * 300_001, b"?"])
def test_strange_leftovers_do_no_harm(left: bytes, mirrors: Mirrors, tmp_path: Path) -> None:
    part = tmp_path / "numbers" / "numbers.bin.part"
    part.parent.mkdir()
    part.write_bytes(left)
    assert_brought(mirrors.remote("good"), mirrors, tmp_path)


def test_a_whole_leftover_needs_no_network(mirrors: Mirrors, tmp_path: Path) -> None:
    part = tmp_path / "numbers" / "numbers.bin.part"
    part.parent.mkdir()
    part.write_bytes(mirrors.payload)
    assert_brought(mirrors.remote("good"), mirrors, tmp_path)
    assert mirrors.asked == []


def test_an_interrupted_download_can_be_taken_up(mirrors: Mirrors, tmp_path: Path) -> None:
    def interrupt(file: str, arrived: int, size: int) -> None:
        if arrived > size // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring([mirrors.remote("good")], tmp_path, interrupt, HASTE)
    assert litter(tmp_path) == {"numbers.bin.part"}
    assert_brought(mirrors.remote("good"), mirrors, tmp_path)
    assert mirrors.asked[-1][1] is not None


# ---- what does not --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "why", "times"),
    [
        ("403", "answered 403 Forbidden", 1),
        ("404", "answered 404 Not Found", 1),
        ("500", "answered 500 Internal Server Error", 3),
        ("mute", "sent nothing for 0.5 s", 3),
        ("page", "has a file of another size", 1),
        ("corrupt", "sent something else than the published file: the checksum differs", 1),
        ("circle", "redirects without end", None),
        ("strangerange", "has a file of another size", 2),
    ],
)
def test_a_mirror_is_blamed_for_what_it_did(
    behaviour: str, why: str, times: int | None, mirrors: Mirrors, tmp_path: Path
) -> None:
    assert refusal(mirrors.remote(behaviour), tmp_path) == why
    assert times in {None, len(mirrors.asked)}


def test_a_stalled_download_says_so(mirrors: Mirrors, tmp_path: Path) -> None:
    assert refusal(mirrors.remote("stall"), tmp_path) == "sent nothing more for 0.5 s"


def test_a_truncated_download_says_how_far_it_came(mirrors: Mirrors, tmp_path: Path) -> None:
    why = refusal(mirrors.remote("cut"), tmp_path)
    assert why.startswith("broke off after ")
    assert why.endswith(" of 300,000 bytes")


@pytest.mark.parametrize("behaviour", ["corrupt", "endless"])
def test_nothing_wrong_is_left_behind(behaviour: str, mirrors: Mirrors, tmp_path: Path) -> None:
    refusal(mirrors.remote(behaviour), tmp_path)
    assert litter(tmp_path) == set()


def test_every_mirror_is_named_with_its_reason(mirrors: Mirrors, tmp_path: Path) -> None:
    other = mirrors.url("403").replace("127.0.0.1", "localhost")
    remote = replace(mirrors.remote("404"), mirrors=(mirrors.url("404"), other))
    with pytest.raises(MirrorsFailed, match=r"127\.0\.0\.1:\d+ answered 404 .*; localhost:\d+ answered 403 "):
        bring([remote], tmp_path, seen, HASTE)


def test_no_network(mirrors: Mirrors, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        remote = replace(mirrors.remote(), mirrors=(f"http://127.0.0.1:{nobody.getsockname()[1]}/",))
        with pytest.raises(MirrorsFailed, match=r"there seems to be no network \(127.* could not be reached\)"):
            bring([remote], tmp_path, seen, HASTE)


@pytest.mark.parametrize("value", ["1", "yes", "true", "on"])
def test_offline(value: str, mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYTORCH_OFFLINE", value)
    with pytest.raises(Offline, match=r"numbers\.bin of Numbers is not in .*, and TINYTORCH_OFFLINE forbids downloads"):
        fetch([mirrors.remote("good")], tmp_path, watch=seen)
    assert mirrors.asked == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["", "0", "no", "False"])
def test_not_offline(value: str, mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYTORCH_OFFLINE", value)
    assert fetch([mirrors.remote("good")], tmp_path, watch=seen) == [tmp_path / "numbers" / "numbers.bin"]


def test_download_can_be_forbidden_by_the_caller(mirrors: Mirrors, tmp_path: Path) -> None:
    with pytest.raises(Offline, match="download=False forbids downloads"):
        fetch([mirrors.remote("good")], tmp_path, download=False)


@pytest.mark.parametrize("place", ["numbers", ""])
def test_what_is_there_is_taken_as_it_is(place: str, mirrors: Mirrors, tmp_path: Path) -> None:
    own = tmp_path / place / "numbers.bin"
    own.parent.mkdir(exist_ok=True)
    own.write_bytes(b"my own")
    assert fetch([mirrors.remote("good")], tmp_path, watch=seen) == [own]
    assert own.read_bytes() == b"my own"
    assert mirrors.asked == []


# ---- the data folder ------------------------------------------------------------------------------------


class FullDisk(io.FileIO):
    """A file on a disk with room for 100 kB."""

    def write(self, data: Any) -> int:
        """Write while there is room."""
        if self.tell() + len(data) > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data) or 0


def test_a_full_disk_keeps_what_fits(mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode: FullDisk(path, mode.replace("b", "")))
        with pytest.raises(DiskFull, match=r"is full: numbers\.bin of Numbers needs 0\.2 MB more"):
            bring([mirrors.remote("good")], tmp_path, seen, HASTE)
    assert litter(tmp_path) == {"numbers.bin.part"}
    assert_brought(mirrors.remote("good"), mirrors, tmp_path)
    assert mirrors.asked[-1] == ("good", "bytes=65536-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_is_full_for_real(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "numbers.bin.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match=r"Make room and run this again"):
        bring([mirrors.remote("good")], tmp_path, seen, HASTE)


def test_a_folder_that_cannot_be_written(mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(
        FolderUnusable, match=r"numbers cannot be used: Permission denied\. Choose another with TINYTOR"
    ):
        bring([mirrors.remote("good")], tmp_path, seen, HASTE)
    assert mirrors.asked == []


@pytest.mark.parametrize("inner", [False, True])
def test_a_read_only_folder(mirrors: Mirrors, tmp_path: Path, inner: bool) -> None:
    folder = tmp_path / "numbers" if inner else tmp_path
    folder.mkdir(exist_ok=True)
    folder.chmod(0o500)
    try:
        if os.access(folder, os.W_OK) or os.name == "nt":
            pytest.skip("permissions do not bind this user (root), or are no permissions of folders (Windows)")
        with pytest.raises(FolderUnusable, match="Permission denied"):
            bring([mirrors.remote("good")], tmp_path, seen, HASTE)
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("place", ["data", "data/numbers"])
def test_a_folder_that_is_a_file(place: str, mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine", encoding="utf-8")
    with pytest.raises(FolderUnusable, match="a file stands in its place"):
        fetch([mirrors.remote("good")], tmp_path / "data", watch=seen)
    assert (tmp_path / place).read_text(encoding="utf-8") == "mine"


# ---- two at once, and the bar ---------------------------------------------------------------------------

BRING = """
import sys
from pathlib import Path
from pytest_tinytorch.datasets.remote import Remote, fetch
remote = Remote(name="Numbers", folder="numbers", file="numbers.bin",
                sha256={0.sha256!r}, size={0.size}, mirrors={0.mirrors})
print(fetch([remote], Path(sys.argv[1]))[0].stat().st_size)
"""


def test_two_processes_bring_a_file_once(mirrors: Mirrors, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BRING.format(mirrors.remote("slow")), str(tmp_path)]
    both = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own code
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == ["300000", "300000"]
    assert mirrors.asked == [("slow", None)]
    assert litter(tmp_path) == {"numbers.bin"}


def test_a_terminal_shows_a_bar() -> None:
    screen = io.StringIO()
    with watching(None, Console(file=screen, force_terminal=True, width=100)) as report:
        report("numbers.bin", 150_000, 300_000)
    assert "numbers.bin" in screen.getvalue()
    assert "150.0/300.0 kB" in screen.getvalue()


def test_a_file_gets_no_bar() -> None:
    log = io.StringIO()
    with watching(None, Console(file=log, force_terminal=False)) as report:
        report("numbers.bin", 150_000, 300_000)
    assert log.getvalue() == ""


def test_every_error_is_a_data_error_of_one_line(tmp_path: Path) -> None:
    errors = [
        Offline("a", tmp_path, "b"),
        MirrorsFailed("a", tmp_path, {"b": "c"}),
        FolderUnusable(tmp_path, "a"),
        DiskFull("a", tmp_path, 5),
    ]
    assert all(isinstance(error, DataError) and "\n" not in str(error) for error in errors)
