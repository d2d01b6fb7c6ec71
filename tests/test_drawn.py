"""A drawn digit: whatever the picture is, the network sees what its data set would have held."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch import drawn
from pytest_tinytorch.drawn import PictureError

pytest.importorskip("PIL", reason="reading pictures needs Pillow")
from PIL import Image, ImageDraw

SEVEN = [(22, 14), (74, 14), (42, 90)]


def seven(mode: str, paper: Any, pen: Any, *, size: int = 300, breadth: int = 8, at: tuple[int, int] = (0, 0)) -> Any:
    """A 7 as somebody draws it."""
    picture = Image.new(mode, (size, size), paper)
    points = [(at[0] + x * size // 100, at[1] + y * size // 100) for x, y in SEVEN]
    ImageDraw.Draw(picture).line(points, fill=pen, width=breadth * size // 100)
    return picture


@pytest.fixture
def see(tmp_path: Path) -> Any:
    """Save a picture and read it back as MNIST has it."""

    def read(picture: Any, name: str = "digit.png", side: int = 28, **how: Any) -> Any:
        picture.save(tmp_path / name, **how)
        return drawn.fit(drawn.read(tmp_path / name), side)

    return read


def alike(a: Any, b: Any) -> float:
    """How alike two pictures are: 1 where they are equal."""
    a, b = (np.asarray(each, np.float64).ravel() for each in (a, b))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


VARIANTS = {
    "white on black": seven("L", 0, 255),
    "blue on paper": seven("RGB", (235, 232, 225), (20, 30, 120)),
    "a thin pencil": seven("L", 250, 60, breadth=1),
    "small": seven("L", 255, 0, size=60),
    "black on nothing": seven("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
    "white on nothing": seven("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)),
    "grey and transparent": seven("LA", (0, 0), (40, 255)),
    "a palette": seven("RGB", "white", "black").convert("P"),
    "one bit": seven("L", 255, 0).convert("1"),
    "16 bits": Image.fromarray(np.asarray(seven("L", 255, 0), np.uint16) * 257),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_kind_of_picture_gives_the_same_digit(name: str, see: Any) -> None:
    plain, found = see(seven("L", 255, 0)), see(VARIANTS[name])
    assert found.shape == (28, 28)
    assert found.dtype == np.uint8
    assert alike(plain, found) > 0.93


def test_a_photo_lies_on_uneven_paper_and_is_turned_by_its_note(see: Any) -> None:
    light = np.linspace(0.82, 1, 300)[:, None] * np.asarray(seven("L", 240, 40), np.float64)
    noise = np.random.default_rng(0).normal(0, 4, light.shape)
    photo = Image.fromarray(np.clip(light + noise, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    found = see(photo.rotate(90), "photo.jpg", quality=85, exif=exif)
    assert alike(see(seven("L", 255, 0)), found) > 0.93


def test_where_and_how_large_it_was_drawn_does_not_matter(see: Any) -> None:
    large = Image.new("L", (1600, 1200), 255)
    large.paste(seven("L", 255, 0), (1100, 60))
    assert alike(see(seven("L", 255, 0)), see(large)) > 0.97


def test_mnist_fits_20_pixels_and_centres_the_mass(see: Any) -> None:
    found = see(seven("L", 255, 0)).astype(np.float64)
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert found.max() == 255
    for axis in (0, 1):
        assert abs(np.average(np.arange(28) + 0.5, weights=found.sum(axis=axis)) - 14) <= 0.5


def test_tiny_digits_count_ink_in_blocks(see: Any) -> None:
    found = see(seven("L", 255, 0), side=8)
    assert found.shape == (8, 8)
    assert found.max() == 16
    assert found[:, 0].sum() == found[:, 7].sum() == 0  # three quarters of the width
    assert found[0].any()
    assert found[7].any()


def test_other_sizes_have_no_data_set() -> None:
    assert drawn.fit(np.ones((9, 9), np.float32), 32) is None


@pytest.mark.parametrize("breadth", [1, 2, 4, 8])
def test_thin_pens_are_thickened(breadth: int) -> None:
    picture = np.asarray(seven("L", 0, 255, size=400, breadth=breadth), np.float32) / 255
    ink = drawn.thickened(drawn.cut(picture.astype(np.float32)))
    assert drawn.breadth(ink) / max(ink.shape) >= 0.8 * drawn.PEN


def test_breadth_of_a_bar() -> None:
    assert drawn.breadth(np.ones((300, 3), np.float32)) == pytest.approx(3, rel=0.3)


# ---- what is no digit ---------------------------------------------------------------------------------------


def enormous(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def cut_short(path: Path) -> None:
    seven("L", 255, 0).save(path)
    path.write_bytes(path.read_bytes()[:300])


def gif(path: Path) -> None:
    seven("L", 255, 0).save(path, format="GIF")


def speck(path: Path) -> None:
    picture = Image.new("L", (300, 300), 255)
    picture.putpixel((150, 150), 0)
    picture.save(path)


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: None, "there is no such file"),
    "folder": (lambda path: path.mkdir(), "there is no such file"),
    "text": (lambda path: path.write_text("7"), "the file is no PNG or JPEG picture"),
    "empty": (lambda path: path.write_bytes(b""), "the file is no PNG or JPEG picture"),
    "gif": (gif, "the file is no PNG or JPEG picture"),
    "cut short": (cut_short, "the picture cannot be read, it is damaged or cut short"),
    "white": (
        lambda path: Image.new("L", (50, 50), 255).save(path),
        "the picture looks blank, draw a digit that stands",
    ),
    "one pixel": (lambda path: Image.new("L", (1, 1), 9).save(path), "the picture looks blank"),
    "all transparent": (lambda path: Image.new("RGBA", (50, 50)).save(path), "the picture looks blank"),
    "faint": (lambda path: seven("L", 255, 235).save(path), "the picture looks blank"),
    "a speck": (speck, "the picture looks blank"),
    "huge": (
        lambda path: path.write_bytes(enormous(9000, 9000)),
        "9000 x 9000 pixels, and at most 50,000,000 are read",
    ),
    "bomb": (
        lambda path: path.write_bytes(enormous(60000, 60000)),
        "the picture has too many pixels, at most 50,000,000",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_digit_is_one_sentence(name: str, tmp_path: Path) -> None:
    make, says = BAD[name]
    make(tmp_path / "digit.png")
    with pytest.raises(PictureError) as caught:
        drawn.read(tmp_path / "digit.png")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_too_many_bytes_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "MOST_BYTES", 10)
    (tmp_path / "digit.png").write_bytes(b"x" * 11)
    with pytest.raises(PictureError, match="the file has 11 bytes, and at most 10 are read"):
        drawn.read(tmp_path / "digit.png")


def test_without_pillow_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seven("L", 255, 0).save(tmp_path / "digit.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(PictureError, match=r'needs Pillow, pip install "pytest-tinytorch\[digit\]"'):
        drawn.read(tmp_path / "digit.png")
