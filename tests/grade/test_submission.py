"""Submissions of every kind become the same few files; what is none is refused in one sentence."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.grade import archives, repositories, submission, unpacked
from pytest_tinytorch.grade.submission import Submission, SubmissionError, fetch, without_password

from .handed_in import GIT, commit, course, git, repository, small

needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege on Windows")


def got(source: Path | str, into: Path, ref: str = "", at: str = "", package: str = "tinytorch") -> Submission:
    return fetch(str(source), package, into / "course", ref, at)


def refused(source: Path | str, into: Path, ref: str = "", at: str = "") -> str:
    """The sentence with which a submission is refused."""
    with pytest.raises(SubmissionError) as error:
        got(source, into, ref, at)
    assert "\n" not in str(error.value)
    assert str(error.value).isprintable()
    return str(error.value)


# ---- the same files from everywhere -----------------------------------------------------------------------------


def zipped(folder: Path, to: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return to


def tarred(folder: Path, to: Path, mode: str, prefix: str = ".") -> Path:
    with tarfile.open(to, f"w:{mode}") as archive:  # type: ignore[call-overload]  # one of its modes
        archive.add(folder, prefix)
    return to


SHAPES: dict[str, Callable[[Path, Path], Path]] = {
    "folder": lambda root, to: root,
    "nested folder": lambda root, to: Path(shutil.copytree(root, to / "nested" / "ada-v2")).parent,
    "zip": lambda root, to: zipped(root, to / "ada.zip"),
    "zip with one folder": lambda root, to: zipped(root, to / "ada.zip", "ada-main/"),
    "tar": lambda root, to: tarred(root, to / "ada.tar", ""),
    "tar.gz": lambda root, to: tarred(root, to / "ada.tar.gz", "gz", "ada-main"),
    "tar.bz2": lambda root, to: tarred(root, to / "ada.tar.bz2", "bz2"),
    "tar.xz": lambda root, to: tarred(root, to / "ada.tar.xz", "xz"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_holds_the_same_files(shape: str, tmp_path: Path) -> None:
    root = course(tmp_path / "ada")
    plain = got(root, tmp_path / "plain")
    found = got(SHAPES[shape](root, tmp_path), tmp_path / "into")
    assert (found.files, found.digest) == (plain.files, plain.digest)
    assert {"__init__.py", "tensor.py", "capstone.py"} < {*found.files}
    copied = sorted(path.relative_to(found.folder).as_posix() for path in found.folder.rglob("*") if path.is_file())
    assert copied == list(found.files)
    assert (found.root / "tinytorch" / "tensor.py").is_file()


@needs_git
@pytest.mark.parametrize("kind", ["folder", "bare", "url", "branch", "tag", "commit", "short commit"])
def test_every_way_to_a_repository_leads_to_the_same_files(kind: str, tmp_path: Path) -> None:
    root = repository(course(tmp_path / "ada"))
    plain = got(root, tmp_path / "plain")
    name = git(root, "rev-parse", "HEAD")
    git(root, "tag", "v1")
    source, ref = {
        "folder": (str(root), "HEAD"),
        "bare": (str(tmp_path / "ada.git"), ""),
        "url": (root.as_uri(), ""),
        "branch": (str(root), "main"),
        "tag": (str(root), "v1"),
        "commit": (str(root), name),
        "short commit": (str(root), name[:8]),
    }[kind]
    git(tmp_path, "clone", "-q", "--bare", str(root), "ada.git")
    found = got(source, tmp_path / "into", ref)
    assert (found.files, found.digest) == (plain.files, plain.digest)
    assert (found.commit, found.committed) == (name, "2026-01-01T00:00:00+00:00")


@needs_git
def test_the_last_commit_before_a_time_counts(tmp_path: Path) -> None:
    root = repository(small(tmp_path / "ada", text="first = 1\n"))
    (root / "tinytorch" / "tensor.py").write_text("second = 2\n")
    commit(root, "second", when="2026-02-01T12:00:00+00:00")
    (root / "tinytorch" / "tensor.py").write_text("third = 3\n")
    commit(root, "third", when="2026-03-01T12:00:00+00:00")
    (root / "tinytorch" / "tensor.py").write_text("not committed\n")

    def text(at: str, into: str) -> str:
        return (got(root, tmp_path / into, "", at).folder / "tensor.py").read_text()

    assert text("2026-02-01", "a") == "second = 2\n"
    assert text("2026-02-01T11:59:00Z", "b") == "first = 1\n"
    assert text("2026-02-01T13:30:00+02:00", "c") == "first = 1\n"
    assert text("2027-01-01", "d") == "third = 3\n"
    assert refused(root, tmp_path / "e", at="2025-12-31") == f"{root} has no commit from before 2025-12-31"


def test_a_folder_of_another_name_is_graded_where_it_is_named(tmp_path: Path) -> None:
    small(tmp_path / "ada", package="mytorch")
    assert got(tmp_path / "ada", tmp_path, package="mytorch").files == ("__init__.py", "tensor.py")


def test_helper_files_and_folders_come_along_and_nothing_else(tmp_path: Path) -> None:
    package = small(tmp_path / "ada") / "tinytorch"
    for name in ("blocks/gated.py", "été.py", "my-notes.py", "data.json", "fast.so", "__pycache__/tensor.py", "x.pyc"):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text("")
    (package / "conftest.py").write_text("")
    (package.parent / "conftest.py").write_text("")
    found = got(package.parent, tmp_path)
    assert found.files == ("__init__.py", "blocks/gated.py", "conftest.py", "tensor.py", "été.py")


def test_line_ends_and_odd_bytes_stay_as_they_are(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    content = b"# caf\xe9\r\nx = 1\x1a\r\n"
    (root / "tinytorch" / "tensor.py").write_bytes(content)
    assert (got(root, tmp_path).folder / "tensor.py").read_bytes() == content


def test_the_digest_is_that_of_names_and_contents(tmp_path: Path) -> None:
    one = got(small(tmp_path / "a"), tmp_path / "1").digest
    assert got(small(tmp_path / "b"), tmp_path / "2").digest == one
    assert got(small(tmp_path / "c", text="x = 2\n"), tmp_path / "3").digest != one
    renamed = small(tmp_path / "d")
    (renamed / "tinytorch" / "tensor.py").rename(renamed / "tinytorch" / "sensor.py")
    assert got(renamed, tmp_path / "4").digest != one


@pytest.mark.skipif(sys.platform == "win32" or not os.geteuid(), reason="whoever is root may write anywhere")
def test_a_folder_that_may_only_be_read_is_graded(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    for path in (root, root / "tinytorch"):
        path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert got(root, tmp_path / "into").files == ("__init__.py", "tensor.py")


# ---- where the package is -----------------------------------------------------------------------------------------


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    assert refused(tmp_path / "ada", tmp_path).endswith("there is no package tinytorch/ in {}: it is empty".format(
        tmp_path / "ada"))  # fmt: skip


def test_a_package_of_another_name_is_pointed_at(tmp_path: Path) -> None:
    root = course(tmp_path / "ada", package="mytorch")
    assert refused(root, tmp_path).endswith("; mytorch/ looks like it")
    shutil.copytree(root / "mytorch", root / "src" / "torch2")
    assert refused(root, tmp_path).endswith("; mytorch/ and src/torch2/ look like it")


def test_files_without_their_folder_are_recognised(tmp_path: Path) -> None:
    root = course(tmp_path / "ada") / "tinytorch"
    assert refused(root, tmp_path).endswith(
        "the files of the course lie in it directly, and belong in a folder of that name"
    )


def test_two_packages_are_one_too_many(tmp_path: Path) -> None:
    small(tmp_path / "ada" / "old")
    small(tmp_path / "ada" / "new")
    assert refused(tmp_path / "ada", tmp_path).endswith("several packages tinytorch/: new/tinytorch/, old/tinytorch/")


def test_a_package_without_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada" / "tinytorch").mkdir(parents=True)
    assert refused(tmp_path / "ada", tmp_path) == "tinytorch/ holds no Python file"


@pytest.mark.parametrize("source", ["nowhere", "no\0where", ""])
def test_what_is_not_there_is_refused(source: str, tmp_path: Path) -> None:
    assert refused(str(tmp_path / source) if source else "/nowhere/at/all", tmp_path)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "essay.docx.txt").write_text("My essay")
    assert "essay.docx.txt is no zip file and no tar file" in refused(tmp_path / "essay.docx.txt", tmp_path)


def test_only_a_repository_has_commits(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    assert refused(root, tmp_path, ref="main") == f"{root} is no repository: only one has commits to choose from"


# ---- links and other things that are no files ---------------------------------------------------------------------


@needs_links
def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("secret = 1\n")
    root = small(tmp_path / "ada")
    (root / "tinytorch" / "layers.py").symlink_to(tmp_path / "secret.py")
    (root / "tinytorch" / "blocks").symlink_to(tmp_path)
    (root / "tinytorch" / "loop").symlink_to(root / "tinytorch")
    found = got(root, tmp_path)
    assert found.files == ("__init__.py", "tensor.py")
    assert "tinytorch/layers.py is a link, and was left out" in found.notes


@needs_links
def test_a_package_that_is_a_link_is_refused(tmp_path: Path) -> None:
    small(tmp_path / "elsewhere")
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "tinytorch").symlink_to(tmp_path / "elsewhere" / "tinytorch")
    assert refused(tmp_path / "ada", tmp_path).endswith("is a link, and links are not followed")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_module(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    os.mkfifo(root / "tinytorch" / "layers.py")
    assert got(root, tmp_path).files == ("__init__.py", "tensor.py")


@needs_links
@needs_git
def test_a_link_in_a_repository_is_a_note(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    (root / "tinytorch" / "layers.py").symlink_to("/etc/passwd")
    found = got(repository(root), tmp_path, "HEAD")
    assert found.files == ("__init__.py", "tensor.py")
    assert found.notes == ("tinytorch/layers.py is a link, and was left out",)


def tar_of(to: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(to, "w:gz") as archive:
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return to


def entry(name: str, content: bytes = b"x = 1\n", kind: bytes = tarfile.REGTYPE, link: str = "") -> Any:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, content if kind == tarfile.REGTYPE else b""


KINDS = {"symbolic": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "pipe": tarfile.FIFOTYPE}


@pytest.mark.parametrize("kind", KINDS)
def test_links_and_devices_in_a_tar_file_are_left_out(kind: str, tmp_path: Path) -> None:
    odd = entry("tinytorch/layers.py", kind=KINDS[kind], link="/etc/passwd")
    found = got(tar_of(tmp_path / "ada.tgz", entry("tinytorch/tensor.py"), odd), tmp_path)
    assert found.files == ("tensor.py",)
    assert bool(found.notes) == (kind in {"symbolic", "hard"})


def test_a_link_in_a_zip_file_is_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ada.zip", "w") as archive:
        archive.writestr("tinytorch/tensor.py", "x = 1\n")
        link = zipfile.ZipInfo("tinytorch/layers.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    found = got(tmp_path / "ada.zip", tmp_path)
    assert (found.files, found.notes) == (("tensor.py",), ("tinytorch/layers.py is a link, and was left out",))


# ---- archives that are none of a student's ------------------------------------------------------------------------

WAYS_OUT = [
    "../../evil.py",
    "/etc/evil.py",
    "tinytorch/../../evil.py",
    "..\\evil.py",
    "C:\\evil.py",
    "\\\\host\\evil.py",
]


@pytest.mark.parametrize("name", WAYS_OUT)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_path_that_leads_out_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "ada.zip", "w") as archive:
            archive.writestr("tinytorch/tensor.py", "x = 1\n")
            archive.writestr(zipfile.ZipInfo(name), "evil = 1\n")
    else:
        tar_of(tmp_path / "ada.tar", entry("tinytorch/tensor.py"), entry(name))
    assert "holds a path that leads out of it" in refused(tmp_path / f"ada.{kind}", tmp_path / "into")
    assert not list(tmp_path.rglob("evil.py"))


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ada.zip", "w") as archive:
        archive.writestr("tinytorch/tensor.py", "x = 1\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("tinytorch/tensor.py", "x = 2\n")
    assert refused(tmp_path / "ada.zip", tmp_path) == "ada.zip holds tinytorch/tensor.py twice"


def test_names_that_differ_in_capitals_alone_are_refused(tmp_path: Path) -> None:
    tar_of(tmp_path / "ada.tar", entry("tinytorch/tensor.py"), entry("tinytorch/Tensor.py"))
    assert refused(tmp_path / "ada.tar", tmp_path) == "ada.tar holds tinytorch/Tensor.py twice"


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    tar_of(tmp_path / "ada.tar", entry("tinytorch/a.py"), entry("tinytorch/a.py/b.py"))
    assert refused(tmp_path / "ada.tar", tmp_path) == "ada.tar holds tinytorch/a.py/b.py as a file and as a folder"


def test_names_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    odd = tarfile.TarInfo("tinytorch/caf\udce9.py")
    tar_of(tmp_path / "ada.tar", entry("tinytorch/tensor.py"), (odd, b"x = 1\n"), entry("tinytorch/a\nb.py"))
    assert got(tmp_path / "ada.tar", tmp_path).files == ("tensor.py",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_text_are_left_out_of_a_folder(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    Path(os.fsdecode(bytes(root / "tinytorch") + b"/caf\xe9.py")).write_text("")
    assert got(root, tmp_path).files == ("__init__.py", "tensor.py")


def bomb(to: Path, size: int, name: str) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tinytorch/tensor.py", "x = 1\n")
        with archive.open(name, "w", force_zip64=True) as file:
            for _ in range(size >> 20):
                file.write(bytes(1 << 20))
    return to


def test_a_bomb_beside_the_package_is_not_opened(tmp_path: Path) -> None:
    assert got(bomb(tmp_path / "ada.zip", 64 << 20, "data/zeros.bin"), tmp_path).files == ("tensor.py",)


def test_a_bomb_in_the_package_is_refused_by_its_size(tmp_path: Path) -> None:
    said = refused(bomb(tmp_path / "ada.zip", 64 << 20, "tinytorch/zeros.py"), tmp_path)
    assert said == "tinytorch/zeros.py has 67,108,864 bytes: a module has 1,048,576 at most"


def test_a_bomb_that_says_it_is_small_is_refused(tmp_path: Path) -> None:
    file = bomb(tmp_path / "ada.zip", 8 << 20, "tinytorch/zeros.py")
    said_size = struct.pack("<L", 8 << 20)
    content = file.read_bytes()
    at = content.rindex(said_size)
    file.write_bytes(content[:at] + struct.pack("<L", 100) + content[at + 4 :])
    assert "ada.zip is damaged" in refused(file, tmp_path)


def test_a_tar_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1 << 20)
    large = tarfile.TarInfo("data/zeros.bin")
    tar_of(tmp_path / "ada.tgz", (large, bytes(4 << 20)), entry("tinytorch/tensor.py"))
    assert refused(tmp_path / "ada.tgz", tmp_path) == "ada.tgz unpacks to more than 1 MB"


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_of_many_megabytes_is_not_read(kind: bytes, tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 300 << 20
    with gzip.open(tmp_path / "ada.tgz", "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    assert "a header of 314,572,800 bytes" in refused(tmp_path / "ada.tgz", tmp_path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz", "tar.bz2", "tar"])
def test_an_archive_that_is_cut_off_is_refused(kind: str, tmp_path: Path) -> None:
    root = course(tmp_path / "ada")
    mode = kind.partition(".")[2]
    whole = zipped(root, tmp_path / "ada.zip") if kind == "zip" else tarred(root, tmp_path / f"ada.{kind}", mode)
    content = whole.read_bytes()
    for part in (len(content) // 2, 100, 7):
        whole.write_bytes(content[:part])
        assert f"ada.{kind} is " in refused(whole, tmp_path / f"into-{part}")


@pytest.fixture
def two_files(tmp_path: Path) -> bytes:
    """A tar file: a header and a block of content, the same again, and zeros."""
    whole = tar_of(tmp_path / "two.tgz", entry("tinytorch/tensor.py"), entry("tinytorch/layers.py"))
    return gzip.decompress(whole.read_bytes())


@pytest.mark.parametrize("end", [2 * tarfile.BLOCKSIZE, 2 * tarfile.BLOCKSIZE + 100])
def test_a_tar_file_that_ends_before_its_second_file_is_refused(two_files: bytes, end: int, tmp_path: Path) -> None:
    (tmp_path / "ada.tar").write_bytes(two_files[:end])
    assert refused(tmp_path / "ada.tar", tmp_path / "into") == "ada.tar is damaged: it is cut off"


def test_a_tar_file_with_a_damaged_header_is_refused(two_files: bytes, tmp_path: Path) -> None:
    changed = two_files.replace(b"tinytorch/layers.py", b"tinytorch/losses.py")
    (tmp_path / "ada.tar").write_bytes(changed)
    assert refused(tmp_path / "ada.tar", tmp_path / "into") == "ada.tar is damaged: bad checksum"


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    file = zipped(small(tmp_path / "ada"), tmp_path / "ada.zip")
    content = bytearray(file.read_bytes())
    at = -1
    while (at := content.find(b"PK\1\2", at + 1)) >= 0:
        content[at + 8] |= 1
    file.write_bytes(content)
    assert refused(file, tmp_path) == "ada.zip is encrypted"


def test_an_archive_with_a_lengthy_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped(small(tmp_path / "ada"), tmp_path / "ada.zip")
    monkeypatch.setattr(archives, "MOST_DIRECTORY", 10)
    assert refused(file, tmp_path) == "ada.zip holds too many files"


def test_an_archive_of_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tarred(course(tmp_path / "ada"), tmp_path / "ada.tar", "")
    monkeypatch.setattr(unpacked, "MOST_ENTRIES", 10)
    assert refused(file, tmp_path) == "ada.tar holds more than 10 files"


def test_an_archive_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "ada.zip").open("wb") as file:
        file.truncate(archives.MOST_ARCHIVE + 1)
    assert refused(tmp_path / "ada.zip", tmp_path) == "ada.zip has more than 256 MB"


# ---- folders that are none of a student's -------------------------------------------------------------------------


def test_a_module_of_a_gigabyte_is_refused(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    with (root / "tinytorch" / "data.py").open("wb") as file:
        file.truncate(1 << 30)
    assert refused(root, tmp_path) == "tinytorch/data.py has 1,073,741,824 bytes: a module has 1,048,576 at most"


def test_a_gigabyte_beside_the_modules_is_nobodys_business(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    for name in ("weights.bin", "tinytorch/weights.bin"):
        with (root / name).open("wb") as file:
            file.truncate(1 << 30)
    assert got(root, tmp_path).files == ("__init__.py", "tensor.py")


def test_ten_thousand_modules_are_refused(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    for number in range(10_000):
        (root / "tinytorch" / f"m{number}.py").touch()
    assert (
        refused(root, tmp_path)
        == "tinytorch/ holds 10,002 modules with 6 bytes: the most are 500 modules, and 16,777,216 bytes"
    )


def test_more_files_than_anybody_looks_at_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "MOST_ENTRIES", 100)
    root = small(tmp_path / "ada")
    for number in range(200):
        (root / "tinytorch" / f"{number}.txt").touch()
    assert refused(root, tmp_path) == "tinytorch/ holds more than 100 files"


def test_folders_in_folders_without_end_are_refused(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    (root / "tinytorch").joinpath(*["deep"] * 40).mkdir(parents=True)
    assert "tinytorch/ holds folders more than 10 deep" in refused(root, tmp_path)


def test_folders_beside_the_package_are_not_walked_through(tmp_path: Path) -> None:
    root = small(tmp_path / "ada")
    root.joinpath(*["deep"] * 60).mkdir(parents=True)
    assert got(root, tmp_path).files == ("__init__.py", "tensor.py")


# ---- repositories that are none of a student's --------------------------------------------------------------------


@needs_git
def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    git(tmp_path / "ada", "init", "-q")
    assert refused(tmp_path / "ada", tmp_path, "HEAD") == f"{tmp_path / 'ada'} is a repository without a commit"


@needs_git
def test_a_repository_without_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    repository(tmp_path / "ada")
    assert refused(tmp_path / "ada", tmp_path, "HEAD") == f"{tmp_path / 'ada'} is empty"


@needs_git
@pytest.mark.parametrize("ref", ["nope", "deadbeef", "deadbeef" * 5])
def test_a_commit_that_is_not_there_is_refused(ref: str, tmp_path: Path) -> None:
    root = repository(small(tmp_path / "ada"))
    assert ref in refused(root, tmp_path, ref) or "cannot be fetched" in refused(root, tmp_path / "again", ref)


@needs_git
@pytest.mark.parametrize("ref", ["--upload-pack=touch evil", "-x"])
def test_a_ref_is_no_option(ref: str, tmp_path: Path) -> None:
    root = repository(small(tmp_path / "ada"))
    assert refused(root, tmp_path, ref) == f"{ref} is no name of a repository or commit"


@needs_git
@pytest.mark.parametrize("source", ["ext::sh -c 'touch evil'", "ftp://host/x.git", "fd::7"])
def test_odd_ways_to_a_repository_are_not_gone(source: str, tmp_path: Path) -> None:
    assert refused(source, tmp_path)
    assert not Path("evil").exists()


@needs_git
def test_an_address_that_cannot_be_reached_is_refused_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = refused(f"http://user:secret@127.0.0.1:{port}/ada.git", tmp_path)
    assert f"http://127.0.0.1:{port}/ada.git cannot be fetched" in said
    assert "secret" not in said


@needs_git
def test_a_repository_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repositories, "SECONDS", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        said = refused(f"http://127.0.0.1:{silent.getsockname()[1]}/ada.git", tmp_path)
    assert said.endswith("could not be fetched within 0.5 seconds")


@needs_git
def test_a_repository_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repositories, "MOST_BYTES", 1)
    root = repository(small(tmp_path / "ada"))
    assert refused(root, tmp_path, "HEAD").endswith("has more than 0 MB")


def test_without_git_a_repository_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused("https://host/ada.git", tmp_path) == (
        "git is not installed, and without it https://host/ada.git cannot be fetched"
    )


@needs_git
@pytest.mark.skipif(sys.platform == "win32", reason="the traps are shell scripts")
def test_nothing_of_a_repository_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small(tmp_path / "ada")
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    (root / ".gitattributes").write_text("*.py filter=evil diff=evil export-subst\n")
    (root / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% sprung\n')
    repository(root)
    for name in ("post-checkout", "pre-upload", "reference-transaction", "post-merge"):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        shutil.copy(trap, hook)
    for key in ("filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "core.fsmonitor", "core.sshCommand"):
        git(root, "config", key, str(trap))
    git(root, "config", "uploadpack.packObjectsHook", str(trap))
    (tmp_path / "sprung").unlink(missing_ok=True)
    assert got(root, tmp_path / "into", "HEAD").files == ("__init__.py", "tensor.py")
    assert not (tmp_path / "sprung").exists()


@needs_git
def test_a_tree_of_trees_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten names for one tree, ten levels deep: ten thousand million files in a few hundred bytes."""
    monkeypatch.setattr(unpacked, "MOST_ENTRIES", 1_000)
    root = tmp_path / "ada"
    root.mkdir()
    git(root, "init", "-q")
    (root / "x.py").write_text("x = 1\n")
    kind, name = "100644 blob", git(root, "hash-object", "-w", "x.py")
    for _ in range(10):
        kind, name = "040000 tree", _tree(root, "".join(f"{kind} {name}\td{number}\n" for number in range(10)))
    git(root, "update-ref", "refs/heads/main", git(root, "commit-tree", name, "-m", "bomb"))
    assert refused(root, tmp_path, "main").endswith("holds more than 1,000 files")


def _tree(root: Path, listing: str) -> str:
    done = subprocess.run(  # noqa: S603 -- git, with words of ours
        [GIT or "git", "mktree"], cwd=root, input=listing, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# ---- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://token@host/x.git", "https://host/x.git"),
        ("https://user:token@host/x.git", "https://host/x.git"),
        ("git@host:x.git", "git@host:x.git"),
        ("subs/ada@home", "subs/ada@home"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
    ],
)
def test_a_source_is_shown_without_its_password(source: str, shown: str) -> None:
    assert without_password(source) == shown
