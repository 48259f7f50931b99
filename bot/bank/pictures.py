"""Checks pictures for a server's own questions, and draws them small enough for cards.

Anyone can upload a file, so `redraw` runs in a child process with limits of time and memory.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

from bot.core.limits import (
    MAX_PICTURE_BYTES,
    MAX_PICTURE_HEIGHT,
    MAX_PICTURE_PIXELS,
    MAX_PICTURE_STORED,
    MAX_PICTURE_WIDTH,
    MAX_WEBP_PIXELS,
)

if TYPE_CHECKING:
    from PIL.Image import Image

FITTING = "PNG, JPEG, WebP and GIF pictures fit"
_MEBIBYTES = MAX_PICTURE_BYTES >> 20
TOO_LARGE = (
    f"is larger than {_MEBIBYTES} MiB, the most that fits. Save it smaller, as JPEG for example"
)
TOO_MUCH_WORK = (
    "takes too much time or memory to decode. Save it smaller, or take a screenshot of it"
)
_BROKEN = "is cut off or damaged. Save or take it again and send the new file"
_TYPES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "WEBP": (b"RIFF",),
}
_JPEG_QUALITY = 85
_SMALLER = 0.8
"""The scale of each next try, as long as a picture has too many bytes."""
_PAPER = "white"
"""The background of transparent pictures: diagrams are mostly drawn in black."""
_STRIP_ROWS = 64
_START_OF_SCAN = b"\xff\xda"
_MOST_SCANS = 64
"""Scans of a JPEG: each is decoded for the whole picture. Usual ones have at most ten."""


class PictureError(ValueError):
    """A picture that can't be used; the message says what is wrong with it and what fits."""


def redraw(content: bytes) -> tuple[str, bytes]:
    """Return a picture as it is stored, without anything but its pixels: its file, and its content.

    Raises PictureError for a file that can't be used.
    """
    # Pillow warns of each damaged entry, and a file can have enough of them to flood the log
    with warnings.catch_warnings(action="ignore"), _opened(content, _kind_of(content)) as picture:
        ending, drawn = _smallest(_flat(_decoded(picture)))
    return file_name(drawn, ending), drawn


def file_name(content: bytes, ending: str) -> str:
    """Return the name of a stored picture's file, which tells its content from all others."""
    return f"{hashlib.sha256(content).hexdigest()[:32]}.{ending}"


def count_pixels(content: bytes) -> int:
    """Return how many pixels a picture says it has; raises PictureError if it can't be used."""
    with warnings.catch_warnings(action="ignore"), _opened(content, _kind_of(content)) as picture:
        width, height = picture.size
    return width * height


def _kind_of(content: bytes) -> str:
    """Return the type of a picture by its first bytes; the name of a file may say anything."""
    if len(content) > MAX_PICTURE_BYTES:
        raise PictureError(TOO_LARGE)
    if not content:
        raise PictureError(f"is empty. {FITTING}")
    kind = next((kind for kind, starts in _TYPES.items() if content.startswith(starts)), None)
    if kind == "WEBP" and content[8:12] != b"WEBP":
        kind = None
    if kind is None:
        start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")) or b"<svg" in start:
            raise PictureError("is an SVG drawing, which can hold scripts. Save it as PNG")
        if content[4:8] == b"ftyp":
            raise PictureError(f"is HEIC, AVIF or a video, whatever its name says. {FITTING}")
        raise PictureError(f"is not a picture, whatever its name says. {FITTING}")
    if zipfile.is_zipfile(io.BytesIO(content)) or b"%PDF-" in content[:1024]:
        raise PictureError("is a picture and another file in one. Take a screenshot of it instead")
    if kind == "JPEG" and content.count(_START_OF_SCAN) > _MOST_SCANS:
        raise PictureError(TOO_MUCH_WORK)
    return kind


def _opened(content: bytes, kind: str) -> Image:
    """Read a picture's header; refuse it if it has too many pixels."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our limit is lower, and its refusal says what fits
    if kind == "WEBP":  # Pillow takes memory for all pixels before it says how many there are
        _refuse_pixels(*_webp_size(content), most=MAX_WEBP_PIXELS)
    try:
        picture = Image.open(io.BytesIO(content), formats=[kind])
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        raise PictureError(_why(error)) from error
    _refuse_pixels(*picture.size)
    return picture


def _why(error: Exception) -> str:
    """Say what is wrong with a file that Pillow can't read."""
    if "MAX_TEXT" in str(error):
        return "holds a huge text as well as its pixels. Take a screenshot of it instead"
    return _BROKEN


def _refuse_pixels(width: int, height: int, most: int = MAX_PICTURE_PIXELS) -> None:
    if width * height > most:
        raise PictureError(
            f"has {width:,} × {height:,} pixels; {most // 1_000_000} million in all "
            "are allowed. Save it smaller"
        )
    if not width or not height:
        raise PictureError(_BROKEN)


def _webp_size(content: bytes) -> tuple[int, int]:
    """Return the size in a WebP file's header.

    https://developers.google.com/speed/webp/docs/riff_container
    """
    chunk, data = content[12:16], content[20:30]
    if len(data) == 10 and chunk == b"VP8X":
        return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    if len(data) == 10 and chunk == b"VP8 ":
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if len(data) == 10 and chunk == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise PictureError(_BROKEN)


def _decoded(picture: Image) -> Image:
    """Decode a picture's first frame, upright."""
    from PIL import ImageOps

    width, height = picture.size
    twice = min(1.0, 2 * _scale(picture))
    try:
        if picture.format == "JPEG":  # decodes large photos at a fraction of their size
            picture.draft("RGB", (math.ceil(width * twice), math.ceil(height * twice)))
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever its decoders stumble over
        raise PictureError(_why(error)) from error
    return picture


def _scale(picture: Image) -> float:
    """Return the factor that makes a picture fit a card; 1 if it fits already."""
    width, height = picture.size
    return min(1.0, MAX_PICTURE_WIDTH / width, MAX_PICTURE_HEIGHT / height)


def _flat(picture: Image) -> Image:
    """Return a picture without transparency, and smaller if it is more than twice what fits a card.

    Each step is a copy, so it is done strip by strip: the whole picture takes a lot of memory.
    """
    from PIL import Image

    width, height = picture.size
    times = max(1, int(0.5 / _scale(picture)))
    rows = _STRIP_ROWS * times
    flat = Image.new("RGB", (math.ceil(width / times), math.ceil(height / times)))
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        if strip.mode.startswith("I"):  # Pillow would cut 16 bits of grey off at white
            strip = strip.point(lambda grey: grey * (1 / 256)).convert("L")
            strip.info.clear()
        if strip.has_transparency_data:
            paper = Image.new("RGBA", strip.size, _PAPER)
            paper.alpha_composite(strip.convert("RGBA"))
            strip = paper
        flat.paste(strip.convert("RGB").reduce(times), (0, top // times))
    return flat


def _smallest(pixels: Image) -> tuple[str, bytes]:
    """Return a picture as PNG or JPEG, scaled down until it has few enough bytes."""
    from PIL.Image import Resampling

    width, height = pixels.size
    scale = _scale(pixels)
    while True:
        size = max(1, int(width * scale)), max(1, int(height * scale))
        small = pixels if scale == 1 else pixels.resize(size, Resampling.LANCZOS)
        ending, drawn = _encoded(small)
        if len(drawn) <= MAX_PICTURE_STORED:
            return ending, drawn
        scale *= _SMALLER


def _encoded(pixels: Image) -> tuple[str, bytes]:
    """Return a picture as PNG or as JPEG, whichever is smaller, with the ending of its name."""
    jpeg = _saved(pixels, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    # A photo as PNG is far larger, and to make it as small as can be takes most of the time.
    if len(_saved(pixels, "PNG", compress_level=1)) > 2 * len(jpeg):
        return "jpg", jpeg
    png = _saved(pixels, "PNG", optimize=True)
    return ("png", png) if len(png) <= len(jpeg) else ("jpg", jpeg)


def _saved(pixels: Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    plain = pixels.copy()
    plain.info.clear()
    plain.save(file, kind, **options)
    return file.getvalue()
