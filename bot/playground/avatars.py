"""Avatars: a coloured disc with an initial, drawn here because no request may leave the machine."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont

SIZE = 128


@cache
def avatar(name: str, colour: str) -> bytes:
    """A PNG for one name."""
    image = Image.new("RGB", (SIZE, SIZE), colour)
    draw = ImageDraw.Draw(image)
    draw.text((SIZE / 2, SIZE / 2), name[0], fill="white", font=ImageFont.load_default(size=72), anchor="mm")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
