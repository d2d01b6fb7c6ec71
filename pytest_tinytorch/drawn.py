"""A digit that somebody drew: from a PNG or JPEG file to a picture as the data sets hold them.

A photo of paper, a screenshot, chalk on a board, a transparent PNG: each becomes *ink*, 0 where the paper is and 1
where the pen was, and ink becomes what MNIST or TinyDigits would have made of it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

    Grey = NDArray[np.float32]  # (height, width), from 0 to 1

MOST_BYTES = 50_000_000
MOST_PIXELS = 50_000_000  # a small file can claim an enormous picture, which would be unpacked into memory
SIDE = 400  # pixels that are looked at along the longer side
CONTRAST = 0.15  # ink and paper differ by this share of the way from black to white
FAINT = 0.25  # what has less of the darkest ink is paper: its grain, a shadow
PEN = 0.12  # how broad a pen is beside the digit's longer side; in the middle, of MNIST's 2.4 of 20 pixels


class PictureError(ValueError):
    """A picture in which there is no digit to read; the message is one sentence."""


# ---- from a file to ink -----------------------------------------------------------------------------------


def read(path: Path) -> Grey:
    """The ink of a picture, cut to what is drawn.

    Raises:
        PictureError: the file is no picture that can be read, or nothing is drawn in it.
    """
    if not path.is_file():
        raise PictureError("there is no such file")
    if path.stat().st_size > MOST_BYTES:
        raise PictureError(f"the file has {path.stat().st_size:,} bytes, and at most {MOST_BYTES:,} are read")
    grey = _grey(path)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = np.median(edge)
    ink = np.maximum(paper - grey if paper > 0.5 else grey - paper, 0)  # data sets are white on black: so is ink
    darkest = float(np.mean(np.sort(ink, axis=None)[-max(5, ink.size // 1000) :]))  # one speck of dust is no pen
    if darkest < CONTRAST:
        raise PictureError("the picture looks blank, draw a digit that stands out from its paper")
    return cut(np.clip((ink / darkest - FAINT) / (1 - FAINT), 0, 1).astype(np.float32))


def cut(ink: Grey) -> Grey:
    """The smallest part of a picture that holds all ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _grey(path: Path) -> Grey:
    """The picture from 0 (black) to 1 (white)."""
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 -- an extra that only --digit needs
    except ImportError:
        raise PictureError('reading pictures needs Pillow, pip install "pytest-tinytorch[digit]"') from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we are stricter
            with Image.open(path, formats=("PNG", "JPEG")) as picture:
                return _light(_unpacked(picture))
    except UnidentifiedImageError:
        raise PictureError("the file is no PNG or JPEG picture") from None
    except Image.DecompressionBombError:
        raise PictureError(f"the picture has too many pixels, at most {MOST_PIXELS:,} are read") from None
    except PictureError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:  # as Pillow does on damaged files
        why = getattr(error, "strerror", None) or "it is damaged or cut short"
        raise PictureError(f"the picture cannot be read, {why.lower()}") from None


def _unpacked(picture: Image) -> Image:
    """The picture upright, and no larger than we look at."""
    from PIL import ImageOps  # noqa: PLC0415 -- as above

    width, height = picture.size  # from the header: nothing is unpacked yet
    if width * height > MOST_PIXELS:
        raise PictureError(f"the picture has {width} x {height} pixels, and at most {MOST_PIXELS:,} are read")
    picture.draft("RGB", (SIDE, SIDE))  # a JPEG can be unpacked at a fraction of its size
    if picture.mode.startswith("I"):  # 16 bits a pixel
        picture = picture.convert("F").point(lambda value: value / 257).convert("L")
    if picture.mode not in ("L", "LA", "RGB", "RGBA"):  # a palette cannot be averaged
        picture = picture.convert("RGBA")
    picture.thumbnail((SIDE, SIDE))
    return ImageOps.exif_transpose(picture).convert("RGBA")  # phones turn the picture by a note beside it


def _light(picture: Image) -> Grey:
    """How light each pixel is. What is transparent shows a paper from which the drawing stands out."""
    colours = np.asarray(picture, np.float32) / 255
    light, alpha = colours[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32), colours[..., 3]
    drawn = float(np.sum(light * alpha) / max(float(np.sum(alpha)), 1.0))
    paper = np.float32(0 if drawn > 0.5 else 1)
    return np.asarray(light * alpha + paper * (1 - alpha), np.float32)


# ---- from ink to a picture of the data set -----------------------------------------------------------------


def fit(ink: Grey, side: int) -> NDArray[np.uint8] | None:
    """The ink as a data set with pictures of this side would hold it; None where there is no such data set."""
    known = {28: as_mnist, 8: as_tiny}
    return known[side](thickened(ink)) if side in known else None


def as_mnist(ink: Grey) -> NDArray[np.uint8]:
    """28 x 28 pixels from 0 to 255, as MNIST: scaled to 20 x 20 with its proportions, centred by its mass."""
    height, width = (max(1, round(20 * size / max(ink.shape))) for size in ink.shape)
    small = scaled(ink, height, width)
    small = np.minimum(small / small.max(), 1)
    y, x = (_middle(small.sum(axis=axis), size) for axis, size in ((1, height), (0, width)))
    field = np.zeros((28, 28), np.float32)
    field[y : y + height, x : x + width] = small
    return np.asarray(np.round(field * 255), np.uint8)


def _middle(mass: NDArray[np.float32], size: int) -> int:
    """Where a picture of this size begins in 28 pixels, so that its centre of mass lies in their middle."""
    centre = float(np.average(np.arange(size) + 0.5, weights=mass))
    return min(max(round(14 - centre), 0), 28 - size)


def as_tiny(ink: Grey) -> NDArray[np.uint8]:
    """8 x 8 numbers from 0 to 16, as the UCI digits behind TinyDigits.

    Those were bitmaps of 32 x 32, black or white, and each number counts the ink in a block of 4 x 4. Every digit
    fills the bitmap from top to bottom, and three quarters of its width.
    """
    width = min(24, max(1, round(32 * ink.shape[1] / ink.shape[0])))
    small = scaled(ink, 32, width)
    bitmap = np.zeros((32, 32), np.uint8)
    left = (32 - width) // 2
    bitmap[:, left : left + width] = small > small.max() / 2
    return np.asarray(bitmap.reshape(8, 4, 8, 4).sum(axis=(1, 3)), np.uint8)


def scaled(ink: Grey, height: int, width: int) -> Grey:
    """The ink at another size; where it gets smaller, pixels are averaged."""
    from PIL import Image  # noqa: PLC0415 -- as above

    picture = Image.fromarray(np.ascontiguousarray(ink))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def thickened(ink: Grey) -> Grey:
    """A line that is thinner than the data sets' made as broad as theirs; others stay as they are."""
    length = max(ink.shape)
    if length < SIDE // 2:  # too coarse to see how broad a line is
        ink = scaled(ink, *(max(1, round(size * SIDE / length)) for size in ink.shape))
    missing = PEN * max(ink.shape) - breadth(ink)
    for _ in range(round(missing / 2)):
        ink = _spread(ink)
    return ink


def breadth(ink: Grey) -> float:
    """How broad a drawn line is, in pixels: twice its area by its outline (a long bar of breadth 3 gives nearly 3)."""
    drawn = np.pad(ink > 0.5, 1)
    steps = np.sum(drawn[1:] != drawn[:-1]) + np.sum(drawn[:, 1:] != drawn[:, :-1])
    return float(2 * drawn.sum() / max(steps * np.pi / 4, 1))  # slanted outlines make more steps than their length


def _spread(ink: Grey) -> Grey:
    """The ink one pixel further to every side."""
    wide = np.pad(ink, 1)
    return np.asarray(np.maximum.reduce(list(_moved(np.pad(wide, 1), *wide.shape))), np.float32)


def _moved(ink: Grey, height: int, width: int) -> Iterator[Grey]:
    for down, right in ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1)):
        yield ink[down : down + height, right : right + width]
