"""Pictures for tests: good ones, and files that are none or mean harm."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

from bot.core.limits import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def diagram(colour: str = "red", size: tuple[int, int] = (300, 200)) -> bytes:
    """Return a small PNG of one colour."""
    return encoded(Image.new("RGB", size, colour))


def noise(width: int = 1500, height: int = 1000) -> Image.Image:
    """Return a picture that no format makes small."""
    pixels = random.Random(1).randbytes(width * height * 3)
    return Image.frombytes("RGB", (width, height), pixels)


def chunk(kind: bytes, data: bytes) -> bytes:
    """https://www.w3.org/TR/png-3/#5Chunk-layout"""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int, rest: bytes = b"") -> bytes:
    """Return a PNG that says it has this size, whose pixels are all zero."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    packer = zlib.compressobj(9)
    line = bytes(1 + -(-width // 8))
    data = b"".join(packer.compress(line) for _ in range(min(height, 20_000))) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + rest + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def interlaced() -> bytes:
    """Return a PNG of 8 × 8 grey pixels in seven passes, which Pillow reads but can't write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1))
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
    data = b"".join((b"\0" + b"\x64" * width) * height for width, height in passes)
    data = zlib.compress(data)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def webp_of_size(width: int, height: int) -> bytes:
    """Return an animated WebP file that says it has this size and has no frame."""
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + sizes
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_bomb() -> bytes:
    """Return an animated GIF whose frames have billions of pixels each."""
    frames = [Image.new("P", (2, 2), n) for n in range(2)]
    whole = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    return whole[:6] + struct.pack("<HH", 65_535, 65_535) + whole[10:]


def many_scans() -> bytes:
    """Return a JPEG whose last scan is there a thousand times: each takes time."""
    whole = encoded(Image.new("L", (640, 640), 128), "JPEG", progressive=True)
    return whole[:-2] + 1000 * whole[whole.rfind(b"\xff\xda") : -2] + whole[-2:]


def with_hidden_data() -> bytes:
    """Return a PNG whose pixels are followed by 50 MB in the same stream: decoders skip them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30, 20, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(50_000_000), 9))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def with_damaged_metadata() -> bytes:
    """Return a PNG with metadata whose 5,000 entries all point outside of it."""
    entries = (struct.pack("<HHII", n, 7, 4_000_000, 8) for n in range(5000))
    metadata = b"II*\0\x08\0\0\0" + struct.pack("<H", 5000) + b"".join(entries)
    return png_of_size(30, 20, chunk(b"eXIf", metadata))


def with_archive(picture: bytes) -> bytes:
    """Return a picture that is an archive too."""
    file = io.BytesIO(picture)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("run.js", "alert(1)")
    return file.getvalue()


def with_text() -> bytes:
    """Return a PNG with a text chunk of 50 MB in a few thousand bytes."""
    text = b"Comment\0\0" + zlib.compress(b"x" * 50_000_000, 9)
    return png_of_size(30, 20, chunk(b"zTXt", text))


def with_metadata() -> bytes:
    """Return a JPEG on its side, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(Image.new("RGB", (300, 200), "blue"), "JPEG", exif=exif, comment=b"secret")


def with_small_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "secret")
    return encoded(Image.new("RGB", (30, 20), "blue"), pnginfo=info)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
_SIDE = int(MAX_PICTURE_PIXELS**0.5) + 1
HOSTILE = {
    "bomb.png": (png_of_size(60_000, 60_000), "has 60,000 × 60,000 pixels; 24 million in all"),
    "just over.png": (png_of_size(_SIDE, _SIDE), "pixels; 24 million in all are allowed"),
    "bomb.webp": (webp_of_size(16_000_000, 16_000_000), "has 16,000,000 × 16,000,000 pixels"),
    "bomb.gif": (gif_bomb(), "has 65,535 × 65,535 pixels"),
    "drawing.svg": (SVG, "is an SVG drawing, which can hold scripts. Save it as PNG"),
    "drawing.png": (SVG, "is an SVG drawing, which can hold scripts. Save it as PNG"),
    "text.png": (b"This is no picture.", "is not a picture, whatever its name says. PNG, JPEG"),
    "page.gif": (b"<html><body>Hi</body></html>", "is not a picture, whatever its name says."),
    "sound.webp": (b"RIFF\x24\0\0\0WAVEfmt ", "is not a picture, whatever its name says."),
    "phone.heic": (b"\0\0\0\x18ftypheic" + bytes(50), "is HEIC, AVIF or a video"),
    "empty.png": (b"", "is empty. PNG, JPEG, WebP and GIF pictures fit"),
    "cut.png": (diagram()[:-40], "is cut off or damaged."),
    "cut.jpg": (encoded(noise(300, 200), "JPEG")[:-4000], "is cut off or damaged."),
    "cut.webp": (encoded(noise(300, 200), "WEBP")[:-4000], "is cut off or damaged."),
    "head.png": (diagram()[:20], "is cut off or damaged."),
    "head.webp": (b"RIFF\x24\0\0\0WEBPVP8 ", "is cut off or damaged."),
    "wordy.png": (with_text(), "holds a huge text as well as its pixels."),
    "both.png": (with_archive(diagram()), "is a picture and another file in one."),
    "both.gif": (b"GIF89a%PDF-1.7" + bytes(100), "is a picture and another file in one."),
    "scans.jpg": (many_scans(), "takes too much time or memory to decode."),
    "large.png": (b"\x89PNG\r\n\x1a\n" + bytes(MAX_PICTURE_BYTES), "is larger than 8 MiB"),
}
"""Files that are refused, by name, each with the beginning of the reason."""
