"""Tiny Shakespeare: the text that is downloaded, and one that lies there already."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_tinytorch import lab
from pytest_tinytorch.datasets import DamagedFile, Offline, tiny_shakespeare, tiny_talks
from pytest_tinytorch.datasets.__main__ import main
from pytest_tinytorch.datasets.shakespeare import SHAKESPEARE
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from tests.datasets.server import Mirrors

module = importlib.import_module("pytest_tinytorch.datasets.shakespeare")
REAL = REPOSITORY.parent / "shared" / "datasets"
needs_real = pytest.mark.skipif(
    not (REAL / "tinyshakespeare").is_dir(), reason="the real text lies beside the repository where there is any"
)


def put(data: Path, content: bytes) -> Path:
    """Put a text where a user would."""
    path = data / "tinyshakespeare" / "input.txt"
    path.parent.mkdir()
    path.write_bytes(content)
    return path


def test_a_text_that_is_there_is_read_and_called_unverified(tmp_path: Path) -> None:
    path = put(tmp_path, b"First Citizen:\r\nSpeak, speak.\n")
    data = lab.Data(tmp_path)
    assert data.shakespeare() == "First Citizen:\nSpeak, speak.\n"
    assert data.notes == [f"unverified copies, not the published files, in {path.parent}: input.txt"]


def test_the_published_text_is_downloaded_and_says_nothing(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors.payload = b"All: Resolved.\n" * 9000
    digest = hashlib.sha256(mirrors.payload).hexdigest()
    published = replace(SHAKESPEARE, mirrors=(mirrors.url("good"),), size=len(mirrors.payload), sha256=digest)
    monkeypatch.setattr(module, "SHAKESPEARE", published)
    said: list[str] = []
    data = lab.Data(tmp_path, said.append)
    assert data.shakespeare() == "All: Resolved.\n" * 9000
    assert data.notes == []
    assert said[-1] == "downloading input.txt: 100 %"


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "it is empty"), (b" \n", "it is empty"), (b"\xff\xfeF\0", "its byte 0 is no UTF-8")],
)
def test_what_is_no_text(content: bytes, why: str, tmp_path: Path) -> None:
    path = put(tmp_path, content)
    with pytest.raises(DamagedFile) as refused:
        tiny_shakespeare(tmp_path, download=False)
    assert str(refused.value) == f"{path} cannot be used: {why}. Replace it, or remove it and have it downloaded"


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "tinyshakespeare" / "input.txt").mkdir(parents=True)
    with pytest.raises(DamagedFile, match=r"input\.txt cannot be used: "):
        tiny_shakespeare(tmp_path, download=False)


def test_a_missing_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        Offline, match=r"input\.txt of Tiny Shakespeare is not in .*tinyshakespeare, and download=False"
    ):
        tiny_shakespeare(tmp_path, download=False)


@needs_real
def test_the_real_text_is_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    data = lab.Data(REAL)
    text = data.shakespeare()
    assert len(text) == 1_115_394
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")
    assert data.notes == []
    assert main(["shakespeare", "--folder", str(REAL)]) == 0
    assert capsys.readouterr().out == f"shakespeare in {REAL}: 1,115,394 characters\n"


def test_scripts_get_the_talks_that_ship() -> None:
    assert lab.tiny_talks() == tiny_talks()
