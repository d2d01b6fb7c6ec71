"""MNIST: its files, however they came to be there, and files that are something else."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import struct
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pytest_tinytorch.datasets import DamagedFile, DataError, Offline, data_folder, mnist
from pytest_tinytorch.datasets.__main__ import main
from pytest_tinytorch.datasets.digits import MNIST
from pytest_tinytorch.datasets.idx import read_idx
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from numpy.typing import NDArray

REAL = REPOSITORY / ".." / "shared" / "datasets"
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = (remote.file for remote in MNIST)


digits_module = importlib.import_module("pytest_tinytorch.datasets.digits")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and keeps no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
        """Keep quiet."""


def idx(array: NDArray[np.uint8]) -> bytes:
    """An array as the format has it."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with MNIST files of a few digits, as a user may have put them there."""
    rng = np.random.default_rng(3)
    home = tmp_path / "mnist"
    home.mkdir()
    for images, labels, count in ((IMAGES, LABELS, 5), (TEST_IMAGES, TEST_LABELS, 3)):
        pictures = rng.integers(0, 256, (count, 28, 28), np.uint8)
        (home / images).write_bytes(gzip.compress(idx(pictures)))
        (home / labels).write_bytes(gzip.compress(idx(rng.integers(0, 10, count, np.uint8))))
    return tmp_path


def complaint(folder: Path) -> str:
    """What is said of a folder that cannot be read; nothing in it is touched."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(DamagedFile) as refused:
        mnist(folder, download=False)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return str(refused.value)


# ---- files that are there -------------------------------------------------------------------------------


def test_a_users_files_are_read_and_called_unverified(folder: Path) -> None:
    digits = mnist(folder, download=False)
    assert digits.train_images.shape == (5, 28, 28)
    assert digits.train_images.dtype == np.uint8
    assert digits.train_labels.shape == (5,)
    assert digits.train_labels.dtype == np.int64
    assert digits.test_images.shape == (3, 28, 28)
    assert digits.note == (
        f"unverified copies, not the published files, in {folder / 'mnist'}: "
        f"{IMAGES}, {LABELS}, {TEST_IMAGES}, {TEST_LABELS}"
    )


def test_unpacked_files_will_do(folder: Path) -> None:
    packed = mnist(folder, download=False)
    for path in (folder / "mnist").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    np.testing.assert_equal(mnist(folder, download=False)[:4], packed[:4])


def test_a_browser_may_have_unpacked_and_kept_the_name(folder: Path) -> None:
    packed = mnist(folder, download=False)
    path = folder / "mnist" / IMAGES
    path.write_bytes(gzip.decompress(path.read_bytes()))
    np.testing.assert_equal(mnist(folder, download=False)[:4], packed[:4])


def test_files_may_lie_straight_in_the_folder(folder: Path) -> None:
    assert len(mnist(folder / "mnist", download=False).train_labels) == 5


def test_published_files_are_downloaded_and_say_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder / "mnist"))) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        contents = [(remote, (folder / "mnist" / remote.file).read_bytes()) for remote in MNIST]
        published = [
            replace(remote, mirrors=(url,), size=len(data), sha256=hashlib.sha256(data).hexdigest())
            for remote, data in contents
        ]
        monkeypatch.setattr(digits_module, "MNIST", published)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        progress: list[tuple[str, int, int]] = []
        digits = mnist(tmp_path / "empty", progress=lambda *step: progress.append(step))
        server.shutdown()
    assert digits.note == ""
    np.testing.assert_equal(digits[:4], mnist(folder, download=False)[:4])
    assert progress == [(remote.file, len(data), len(data)) for remote, data in contents]


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "mnist" / LABELS).unlink()
    with pytest.raises(Offline, match=f"{LABELS} of MNIST is not in "):
        mnist(folder, download=False)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files lie beside the repository where there are any")
def test_the_real_files_are_read() -> None:
    digits = mnist(REAL, download=False)
    assert digits.train_images.shape[1:] == (28, 28)
    assert len(digits.test_labels) == 10_000
    assert np.bincount(digits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.test_labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files lie beside the repository where there are any")
def test_the_published_checksums_are_those_of_the_real_test_files() -> None:
    assert [remote.file for remote in MNIST if remote.matches(REAL / "mnist" / remote.file)][-2:] == [
        TEST_IMAGES,
        TEST_LABELS,
    ]


# ---- files that are something else ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (IMAGES, b"", "an IDX file of 3 dimensions begins with 00 00 08 03, this one ends at once"),
        (IMAGES, b"<html>", "an IDX file of 3 dimensions begins with 00 00 08 03, this one with 3c 68 74 6d"),
        (IMAGES, idx(np.zeros(5, np.uint8)), "begins with 00 00 08 03, this one with 00 00 08 01"),
        (LABELS, idx(np.zeros((5, 28, 28), np.uint8)), "begins with 00 00 08 01, this one with 00 00 08 03"),
        (LABELS, b"\0\0\x08\x01\0\0", "it ends within its header"),
        (LABELS, idx(np.zeros(5, np.uint8))[:-1], "its header promises 5 bytes, and 4 follow"),
        (LABELS, idx(np.zeros(5, np.uint8)) + b"!", "its header promises 5 bytes, and 6 follow"),
        (LABELS, idx(np.zeros(4, np.uint8)), f"it has 4 labels, and {IMAGES} 5 images"),
        (LABELS, idx(np.full(5, 10, np.uint8)), "it has the label 10, and digits end at 9"),
        (IMAGES, idx(np.zeros((5, 32, 32), np.uint8)), "its shape is (5, 32, 32), where (N, 28, 28) is due"),
        (IMAGES, idx(np.zeros((0, 28, 28), np.uint8)), "its shape is (0, 28, 28), where (N, 28, 28) is due"),
        (IMAGES, b"\0\0\x08\x03" + b"\xff" * 12, "and 0 follow"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_foreign_files(packed: bool, name: str, content: bytes, why: str, folder: Path) -> None:
    path = folder / "mnist" / name
    path.write_bytes(gzip.compress(content) if packed else content)
    assert complaint(folder).startswith(f"{path} cannot be used: ")
    assert why in complaint(folder)


def test_a_truncated_archive(folder: Path) -> None:
    path = folder / "mnist" / IMAGES
    path.write_bytes(path.read_bytes()[:-20])
    assert complaint(folder) == (
        f"{path} cannot be used: it is cut short. Replace it, or remove it and have it downloaded"
    )


@pytest.mark.parametrize("place", [2, 40, -1])
def test_a_corrupt_archive(place: int, folder: Path) -> None:
    path = folder / "mnist" / IMAGES
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    assert "its gzip data is corrupt" in complaint(folder)


def test_a_folder_in_a_files_place(folder: Path) -> None:
    path = folder / "mnist" / IMAGES
    path.unlink()
    path.mkdir()
    assert complaint(folder).startswith(f"{path} cannot be used: ")


@given(array=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, array: NDArray[np.uint8]) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(idx(array))
    read = read_idx(path, array.ndim)
    np.testing.assert_array_equal(read, array)
    assert read.flags.writeable


@given(data=st.binary(max_size=40) | st.binary(max_size=30).map(lambda tail: b"\x1f\x8b\x08" + tail))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(data)
    try:
        read_idx(path, 1)
    except DataError as error:
        assert "\n" not in str(error).replace(str(path), "")  # noqa: PT017 -- most bytes are no IDX file, a few are


# ---- where it lies, and the command ---------------------------------------------------------------------


def test_the_environment_names_the_data_folder_before_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_folder().name.lower() in {"tinytorch", "cache"}
    assert data_folder(tmp_path) == tmp_path
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "mine"))
    assert data_folder(tmp_path) == data_folder() == tmp_path / "mine"
    monkeypatch.setenv("TINYTORCH_DATA", "~/mine")
    assert data_folder() == Path.home() / "mine"


def test_the_command_says_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mnist", "--folder", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"mnist in {folder}: 5 images for training, 3 for the test\nunverified copies")


def test_the_command_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYTORCH_OFFLINE", "1")
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    assert main(["mnist"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{IMAGES} of MNIST is not in {tmp_path / 'mnist'}, and TINYTORCH_OFFLINE forbids downloads")
    assert said.count("\n") == 1


def test_the_command_refuses_other_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["emnist"])
    assert left.value.code == 2
    assert "invalid choice: 'emnist'" in capsys.readouterr().err
