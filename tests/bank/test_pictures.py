"""Uploaded pictures: what is refused and why, and what is stored of the others."""

from __future__ import annotations

import io
import math
import struct
import warnings
from typing import Any

import pytest
from PIL import Image, ImageOps, ImageStat

from bot.bank.pictures import PictureError, count_pixels, file_name, redraw
from bot.core.child_process import Limits, Process
from bot.core.limits import (
    MAX_FILE_MEMORY,
    MAX_PICTURE_HEIGHT,
    MAX_PICTURE_PIXELS,
    MAX_PICTURE_STORED,
    MAX_PICTURE_WIDTH,
    MAX_WEBP_PIXELS,
)
from tests.bank.images import (
    HOSTILE,
    diagram,
    encoded,
    interlaced,
    noise,
    with_damaged_metadata,
    with_hidden_data,
    with_metadata,
    with_small_text,
)

_FRAMES = [noise(301, 199).convert(mode) for mode in ("RGB", "RGBA", "L")]
WEBP = {
    "lossy": encoded(noise(), "WEBP"),
    "lossless": encoded(noise(301, 199), "WEBP", lossless=True),
    "animated": encoded(_FRAMES[0], "WEBP", save_all=True, append_images=_FRAMES[1:]),
}
"""One of each kind of header: VP8, VP8L and VP8X."""
GOOD = {
    "png": diagram(),
    "grey": encoded(Image.new("L", (40, 30), 90)),
    "deep": encoded(Image.new("I;16", (40, 30), 4000)),
    "palette": encoded(noise(300, 200).convert("P")),
    "jpeg": encoded(noise(), "JPEG"),
    "cmyk": encoded(Image.new("CMYK", (40, 30)), "JPEG"),
    "interlaced": interlaced(),
    **WEBP,
    "gif": encoded(noise(300, 200).convert("P"), "GIF"),
    "large": encoded(noise()),
    "high": encoded(Image.new("RGB", (100, 9000), "green")),
    "wide": encoded(Image.new("RGB", (9000, 10), "green")),
    "metadata": with_metadata(),
    "text": with_small_text(),
}


PHOTO = encoded(noise(30, 20).resize((600, 400)), "JPEG")


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


@pytest.mark.parametrize("name", HOSTILE)
def test_refusals(name: str) -> None:
    """Whatever is no picture, or a harmful one, is refused with the reason and what fits."""
    content, why = HOSTILE[name]
    with pytest.raises(PictureError) as refused:
        redraw(content)
    assert str(refused.value).startswith(why) or why in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_stored(name: str) -> None:
    """A picture becomes a PNG or JPEG of limited size without metadata, named by its content."""
    file, drawn = redraw(GOOD[name])
    shown = opened(drawn)
    assert (shown.format, file.rpartition(".")[2]) in {("PNG", "png"), ("JPEG", "jpg")}
    assert shown.width <= MAX_PICTURE_WIDTH
    assert shown.height <= MAX_PICTURE_HEIGHT
    assert len(drawn) <= MAX_PICTURE_STORED
    assert not shown.getexif()
    assert shown.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"secret" not in drawn
    assert file == file_name(drawn, file.rpartition(".")[2])
    assert count_pixels(drawn) == shown.width * shown.height
    given = ImageOps.exif_transpose(opened(GOOD[name]))
    if given.mode == "I;16":  # Pillow would make all of it white
        given = given.point(lambda grey: grey * (1 / 256))
    assert ImageStat.Stat(shown.convert("RGB")).mean == pytest.approx(
        ImageStat.Stat(given.convert("RGB")).mean, abs=3
    )


def test_a_photo_is_no_slow_png(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing one as a small PNG takes most of the time, and a file has dozens; a diagram is one."""
    save = Image.Image.save
    packed: list[str] = []

    def note_slow(picture: Image.Image, file: io.BytesIO, kind: str, **options: Any) -> None:
        if options.get("optimize"):
            packed.append(kind)
        save(picture, file, kind, **options)

    monkeypatch.setattr(Image.Image, "save", note_slow)
    assert redraw(PHOTO)[0].endswith(".jpg")
    assert packed == ["JPEG"]
    assert redraw(diagram())[0].endswith(".png")
    assert packed == ["JPEG", "JPEG", "PNG"]


@pytest.mark.parametrize(
    ("name", "at", "size"),
    [
        ("lossy", 26, struct.pack("<HH", 7000, 8001)),
        ("lossless", 21, struct.pack("<I", 6999 | 8000 << 14)),
        ("animated", 24, (6999 | 8000 << 24).to_bytes(6, "little")),
    ],
)
def test_a_webp_that_says_it_is_huge(name: str, at: int, size: bytes) -> None:
    """It is refused by its header, before Pillow takes memory for its pixels."""
    content = WEBP[name]
    assert count_pixels(content) == math.prod(opened(content).size)
    with pytest.raises(PictureError, match="has 7,000 × 8,001 pixels; 12 million"):
        count_pixels(content[:at] + size + content[at + len(size) :])


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_largest_pictures_fit_into_memory(kind: str) -> None:
    """Those that take most are drawn in the process for files: transparent, turned, in many scans."""
    turned = Image.Exif()
    turned[0x0112] = 6
    mode, pixels = {
        "PNG": ("RGBA", MAX_PICTURE_PIXELS),
        "JPEG": ("CMYK", MAX_PICTURE_PIXELS),
        "WEBP": ("RGBA", MAX_WEBP_PIXELS),
    }[kind]
    side = math.isqrt(pixels)
    process = Process(Limits(seconds=60, memory=MAX_FILE_MEMORY))
    picture = encoded(Image.new(mode, (side, side)), kind, exif=turned, progressive=True)
    _, drawn = process.call(redraw, picture)
    process.close()
    assert opened(drawn).size == (MAX_PICTURE_WIDTH, MAX_PICTURE_WIDTH)


def test_hidden_data_is_left_out() -> None:
    """Whatever its packed data holds, only the pixels are stored."""
    drawn = redraw(with_hidden_data())[1]
    assert len(drawn) < 1000
    assert opened(drawn).size == (30, 20)


def test_damaged_metadata_does_not_flood_the_log() -> None:
    """Pillow warns of each entry, and warnings of the process for files go to the bot's log."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        redraw(with_damaged_metadata())
    assert raised == []


def test_photos_are_turned_upright() -> None:
    """The camera's position is metadata, so the picture itself is turned before it goes."""
    assert opened(redraw(with_metadata())[1]).size == (200, 300)


def test_transparent_pictures_get_a_white_background() -> None:
    """Black lines on nothing would be black on Discord's dark background."""
    picture = Image.new("RGBA", (30, 20), (0, 0, 0, 0))
    picture.putpixel((3, 4), (0, 0, 0, 255))
    palette = Image.new("P", (30, 20), 0)
    for content in (encoded(picture), encoded(palette, transparency=0)):
        shown = opened(redraw(content)[1]).convert("RGB")
        assert shown.getpixel((0, 0)) == (255, 255, 255)
    assert opened(redraw(encoded(picture))[1]).convert("RGB").getpixel((3, 4)) == (0, 0, 0)


def test_of_an_animation_the_first_frame() -> None:
    """Only the first frame of an animated picture is decoded and stored."""
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        shown = opened(redraw(content)[1])
        assert getattr(shown, "n_frames", 1) == 1
        red, green, blue = shown.convert("RGB").getpixel((3, 4))  # type: ignore[misc]
        assert red > 200
        assert max(green, blue) < 60


def test_what_follows_the_end_is_left_out() -> None:
    """Phones put films after their photos; whatever it is, it is not stored."""
    for content in (encoded(noise(60, 40), "JPEG"), diagram()):
        assert b"<script>" not in redraw(content + b"<script>" * 99)[1]
        commented = content[:2] + b"\xff\xfe\x00\x08secret" + content[2:]
        if content[:2] == b"\xff\xd8":
            assert b"secret" not in redraw(commented)[1]
