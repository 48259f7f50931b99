""".zip files with questions and pictures: reading, and files that mean harm."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Any

import pytest

from bot.bank.archives import pack, unpack
from bot.core.limits import MAX_ARCHIVE_BYTES, MAX_FILE_BYTES, MAX_PICTURE_BYTES, MAX_PICTURES
from bot.questions.check import BankError


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a name that is there twice
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


QUESTIONS: tuple[str, bytes] = ("questions.json", b"{}")
GOOD = zipped(QUESTIONS, ("pictures/a.png", b"png" * 100))


def encrypted(content: bytes) -> bytes:
    """Set the flags that say that the first file is encrypted."""
    changed = bytearray(content)
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


REFUSED: dict[str, tuple[bytes, dict[str, str]]] = {
    "no questions": (zipped(("pictures/a.png", b"png")), {"questions.json": "is missing"}),
    "in a folder": (
        zipped(("export/questions.json", b"{}")),
        {"export/questions.json": "belongs at the top", "questions.json": "is missing"},
    ),
    "twice": (zipped(QUESTIONS, QUESTIONS), {"questions.json": "is there twice"}),
    "a picture twice": (
        zipped(QUESTIONS, ("pictures/a.png", b"1"), ("pictures/a.png", b"2")),
        {"pictures/a.png": "is there twice"},
    ),
    "elsewhere": (
        zipped(QUESTIONS, ("../../etc/passwd", b"x"), ("/root/a.png", b"x"), ("a\nb", b"x")),
        {
            "../../etc/passwd": "has no place here",
            "/root/a.png": "has no place here",
            "a?b": "has no place here",
        },
    ),
    "large questions": (
        zipped(("questions.json", b" " * (MAX_FILE_BYTES + 1))),
        {"questions.json": f"has more than {MAX_FILE_BYTES:,} bytes"},
    ),
    "a large picture": (
        zipped(QUESTIONS, ("pictures/a.png", bytes(MAX_PICTURE_BYTES + 1))),
        {"pictures/a.png": "is larger than 8 MiB"},
    ),
    "a bomb": (
        zipped(QUESTIONS, *((f"pictures/{n}.png", bytes(MAX_PICTURE_BYTES)) for n in range(9))),
        {"the file": "has more than 10 MiB of files when it is unpacked"},
    ),
    "many files": (
        zipped(QUESTIONS, *((f"pictures/{n}.png", b"") for n in range(2 * MAX_PICTURES + 20))),
        {"the file": "holds 621 files; 300 pictures are allowed"},
    ),
    "encrypted": (encrypted(GOOD), {"questions.json": "is damaged or encrypted"}),
    "damaged": (
        GOOD.replace(b"PK\x03\x04", b"PK\x03\x05", 1),
        {"questions.json": "is damaged or encrypted"},
    ),
    "cut": (GOOD[:-30], {"the file": "is a damaged .zip. Make it again"}),
    "only its start": (b"PK\x03\x04", {"the file": "is a damaged .zip. Make it again"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    """Every problem is named with the file that has it."""
    content, wanted = REFUSED[name]
    with pytest.raises(BankError) as refused:
        unpack(content)
    found = {problem.place: problem.message for problem in refused.value.problems}
    assert found.keys() == wanted.keys()
    assert all(found[place].startswith(wrong) for place, wrong in wanted.items())


def test_what_computers_add_is_skipped() -> None:
    """Folders and the hidden files of desktops are no problem."""
    more: list[Any] = [("__MACOSX/._a.png", b""), ("pictures/.DS_Store", b""), ("pictures/", b"")]
    unpacked = unpack(zipped(QUESTIONS, ("pictures/a.png", b"png"), *more))
    assert unpacked == (b"{}", {"a.png": b"png"})


def test_there_and_back() -> None:
    """`unpack` reads what `pack` writes, up to the largest that a server can have."""
    pictures = {"a.png": b"a" * 9, "b.jpg": b"b" * (MAX_PICTURE_BYTES - 9)}
    packed = pack(b"{} ", pictures)
    assert len(packed) <= MAX_ARCHIVE_BYTES
    assert unpack(packed) == (b"{} ", pictures)
