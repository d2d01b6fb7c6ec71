"""CIFAR-10: its archive and its folder, however they came to be there, and files that are something else."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import subprocess
import sys
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pytest_tinytorch import lab
from pytest_tinytorch.datasets import DamagedFile, DataError, Offline, cifar10
from pytest_tinytorch.datasets.__main__ import main
from pytest_tinytorch.datasets.cifar import CIFAR10, FOLDER, NAMES, TEST, TRAIN
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from tests.datasets.server import Mirrors

cifar_module = importlib.import_module("pytest_tinytorch.datasets.cifar")
REAL = REPOSITORY.parent / "shared" / "datasets"
FILES = (*TRAIN, TEST)


def records(name: str, count: int = 4) -> bytes:
    """Records of a file: each label, then a picture whose planes hold a number that tells it from all others."""
    rng = np.random.default_rng(FILES.index(name))
    return b"".join(bytes([rng.integers(10)]) + rng.integers(0, 256, 3072, np.uint8).tobytes() for _ in range(count))


def archive(contents: dict[str, bytes], kind: str = "gz") -> bytes:
    """A tar archive of files by their whole names, packed or not."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue()) if kind else plain.getvalue()


def whole(**others: bytes) -> dict[str, bytes]:
    """Everything that belongs into the archive, with some files replaced."""
    extra = {f"{FOLDER}/readme.html": b"<html>", f"{FOLDER}/batches.meta.txt": "\n".join(NAMES).encode()}
    return extra | {f"{FOLDER}/{name}": others.get(name.removesuffix(".bin"), records(name)) for name in FILES}


def put(data: Path, content: bytes) -> Path:
    """Put an archive where a user would."""
    path = data / "cifar10" / CIFAR10.file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def put_folder(data: Path, place: str = "cifar10") -> Path:
    """Put an unpacked folder where a user would."""
    folder = data / place / FOLDER
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(records(name))
    return folder


def complaint(data: Path) -> str:
    """What is said of files that cannot be read, in one sentence."""
    with pytest.raises(DamagedFile) as refused:
        cifar10(data, download=False)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# ---- files that are there -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gz", ""])
def test_an_archive_is_read_and_called_unverified(kind: str, tmp_path: Path) -> None:
    path = put(tmp_path, archive(whole(), kind))
    images = cifar10(tmp_path, download=False)
    assert images.train_images.shape == (20, 3, 32, 32)
    assert images.train_images.dtype == np.uint8
    assert images.train_labels.shape == (20,)
    assert images.train_labels.dtype == np.int64
    assert images.test_images.shape == (4, 3, 32, 32)
    assert images.test_labels.shape == (4,)
    assert images.names == NAMES
    assert images.note == f"unverified copies, not the published files, in {path.parent}: {path.name}"


def test_pixels_and_labels_stand_in_their_order(tmp_path: Path) -> None:
    put(tmp_path, archive(whole()))
    images = cifar10(tmp_path, download=False)
    third = records(TRAIN[1])[2 * 3073 : 3 * 3073]
    assert images.train_labels[6] == third[0]
    assert images.train_images[6].tobytes() == third[1:]
    assert images.train_images[6, 2, 1, 3] == third[1 + 2 * 1024 + 32 + 3]  # the blue plane, second row, fourth pixel
    assert images.test_images[0].tobytes() == records(TEST)[1:3073]


@pytest.mark.parametrize("place", ["cifar10", "."])
def test_an_unpacked_folder_will_do(place: str, tmp_path: Path) -> None:
    put(tmp_path, archive(whole()))
    packed = cifar10(tmp_path, download=False)
    (tmp_path / "cifar10" / CIFAR10.file).unlink()
    folder = put_folder(tmp_path, place)
    images = cifar10(tmp_path, download=False)
    np.testing.assert_equal(images[:4], packed[:4])
    assert images.note == f"unverified copies, not the published files, in {folder.parent}: {FOLDER}"


def test_files_in_the_archive_may_stand_in_any_order_and_begin_with_a_dot(tmp_path: Path) -> None:
    contents = {f"./{name}": content for name, content in reversed(whole().items())}
    put(tmp_path, archive(contents))
    assert cifar10(tmp_path, download=False).train_images[0].tobytes() == records(TRAIN[0])[1:3073]


def test_the_published_archive_is_downloaded_and_says_nothing(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors.payload = archive(whole())
    digest = hashlib.sha256(mirrors.payload).hexdigest()
    here = (mirrors.url("cut"), mirrors.url("good"))
    monkeypatch.setattr(
        cifar_module, "CIFAR10", replace(CIFAR10, mirrors=here, size=len(mirrors.payload), sha256=digest)
    )
    said: list[str] = []
    data = lab.Data(tmp_path, said.append)
    assert data.cifar10().note == ""
    assert data.notes == []
    assert [name for name, _ in mirrors.asked] == ["cut", "good"]
    assert mirrors.asked[1][1] is not None, "the second mirror goes on where the first broke off"
    assert said[-1] == f"downloading {CIFAR10.file}: 100 %"


def test_a_copy_that_is_not_verified_is_noted(tmp_path: Path) -> None:
    put(tmp_path, archive(whole()))
    data = lab.Data(tmp_path)
    data.cifar10()
    assert data.notes[0].startswith("unverified copies")


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(Offline, match=r"cifar-10-binary\.tar\.gz of CIFAR-10 is not in .*cifar10, and download=False"):
        cifar10(tmp_path, download=False)


def test_the_command_says_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_folder(tmp_path)
    assert main(["cifar10", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(
        f"cifar10 in {tmp_path}: 20 images for training, 4 for the test\nunverified copies"
    )


def test_no_two_copies_of_all_images_lie_in_memory(tmp_path: Path) -> None:
    put(tmp_path, archive(whole(**{name.removesuffix(".bin"): records(name, 500) for name in TRAIN})))
    images = 5 * 500 * 3072
    tracemalloc.start()
    try:
        cifar10(tmp_path, download=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * images


@pytest.mark.skipif(not (REAL / "cifar10-jpeg.tar.xz").is_file(), reason="the real images lie beside the repository")
def test_the_real_images_are_read(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="unpacking the real images needs Pillow")
    command = [sys.executable, str(REAL / "unpack_cifar10.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- unpacks the images beside the repository
    images = cifar10(tmp_path, download=False)
    assert images.train_images.shape == (50_000, 3, 32, 32)
    assert np.bincount(images.train_labels).tolist() == [5000] * 10
    assert np.bincount(images.test_labels).tolist() == [1000] * 10
    assert "unverified" in images.note


# ---- files that are something else ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is no tar archive, or corrupt"),
        (b"<html>Please log in</html>", "it is no tar archive, or corrupt"),
        (gzip.compress(b"<html>" * 500), "it is no tar archive, or corrupt"),
        (archive({}), f"it has no {FOLDER}/data_batch_1.bin"),
        (
            archive({name: data for name, data in whole().items() if "batch_3" not in name}),
            f"{FOLDER}/data_batch_3.bin",
        ),
        (archive({f"elsewhere/{name}": records(name) for name in FILES}), f"it has no {FOLDER}/data_batch_1.bin"),
        (archive({f"../{name}": data for name, data in whole().items()}), f"it has no {FOLDER}/data_batch_1.bin"),
        (archive(whole(data_batch_2=b"")), "data_batch_2.bin has 0 bytes, which are no records of 3,073"),
        (archive(whole(test_batch=b"x" * 3072)), "test_batch.bin has 3,072 bytes, which are no records of 3,073"),
        (archive(whole(test_batch=b"\x0a" * 3073)), "test_batch.bin has the label 10, and classes end at 9"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else None,  # gzip writes down the time
)
def test_a_foreign_archive(content: bytes, why: str, tmp_path: Path) -> None:
    path = put(tmp_path, content)
    said = complaint(tmp_path)
    assert said.startswith(f"{path} cannot be used: ")
    assert why in said
    assert said.endswith(". Replace it, or remove it and have it downloaded")


@pytest.mark.parametrize("kind", ["gz", ""])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.8])
def test_a_truncated_archive(share: float, kind: str, tmp_path: Path) -> None:
    content = archive(whole(), kind)
    path = put(tmp_path, content[: int(len(content) * share)])
    assert complaint(tmp_path).startswith(f"{path} cannot be used: it ")


def test_the_last_bytes_of_a_packed_archive_count(tmp_path: Path) -> None:
    put(tmp_path, archive(whole())[:-1])
    assert "cannot be used: it is cut short. " in complaint(tmp_path)


@pytest.mark.parametrize("place", [2, 10, 5000, -30_000, -5])
def test_a_corrupt_archive(place: int, tmp_path: Path) -> None:
    content = bytearray(archive(whole()))
    content[place] ^= 0x55
    put(tmp_path, bytes(content))
    assert "cannot be used: it " in complaint(tmp_path)


def test_nothing_breaks_the_reader(tmp_path: Path) -> None:
    rng = np.random.default_rng()
    for kind in ("gz", ""):
        good = archive(whole(), kind)
        for _ in range(40):
            bad = bytearray(good)
            for place in rng.integers(0, 3000 if kind else 600, 3):
                bad[place] = rng.integers(256)
            put(tmp_path, bytes(bad))
            try:
                cifar10(tmp_path, download=False)
            except DataError as error:
                assert "\n" not in str(error)  # noqa: PT017 -- what is spoilt may be read all the same


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_only_files_are_read(kind: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(records(TEST))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in FILES:
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.type, member.linkname = kind, str(tmp_path / "secret")
            tar.addfile(member)
    put(tmp_path, packed.getvalue())
    assert f"it has no {FOLDER}/data_batch_1.bin" in complaint(tmp_path)


def test_an_archive_writes_nothing(tmp_path: Path) -> None:
    path = put(tmp_path, archive({"../../escaped": b"!", "/tmp/escaped": b"!"} | whole()))  # noqa: S108 -- not written
    cifar10(tmp_path, download=False)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]


def test_a_folder_with_a_file_missing(tmp_path: Path) -> None:
    folder = put_folder(tmp_path)
    (folder / TRAIN[3]).unlink()
    assert complaint(tmp_path).startswith(f"{folder / TRAIN[3]} cannot be used: ")


def test_a_folder_with_a_truncated_file(tmp_path: Path) -> None:
    folder = put_folder(tmp_path)
    (folder / TEST).write_bytes(records(TEST)[:-7])
    assert "it has 12,285 bytes, which are no records of 3,073" in complaint(tmp_path)
