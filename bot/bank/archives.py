"""Reads and writes .zip files with questions and their pictures.

Anyone can upload a file, so `unpack` runs in a child process with limits of time and memory. It
never writes to the disk: names in a file are only compared.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection, Mapping

from bot.bank.pictures import TOO_LARGE
from bot.core.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_FILE_BYTES,
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    MAX_PROBLEMS,
)
from bot.questions.check import BankError, Problem, file_error

QUESTIONS = "questions.json"
PICTURES = "pictures/"
_LEFTOVERS = ("__MACOSX/", ".DS_Store", "Thumbs.db")
"""Files that computers add to archives by themselves."""
_MOST_ENTRIES = 2 * MAX_PICTURES + 10
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""Errors of damaged and encrypted files, and of other ways to pack than deflate."""


def is_archive(content: bytes) -> bool:
    return content.startswith(b"PK")


def unpack(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return an archive's questions, still to be read, and its pictures by the names of their files.

    Raises BankError for an archive that isn't as an export makes it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files, problems = _files_in(archive)
    except BankError:
        raise
    except _BROKEN as error:
        raise file_error("is a damaged .zip. Make it again") from error
    questions = files.pop(QUESTIONS, None)
    if questions is None and not any(problem.place == QUESTIONS for problem in problems):
        problems.append(Problem(QUESTIONS, "is missing; it belongs at the top of the .zip"))
    if problems or questions is None:
        raise BankError(problems[:MAX_PROBLEMS])
    return questions, {name.removeprefix(PICTURES): data for name, data in files.items()}


def _files_in(archive: zipfile.ZipFile) -> tuple[dict[str, bytes], list[Problem]]:
    """Return the files of an archive by their names, and what is wrong with the others."""
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise file_error(f"holds {len(entries):,} files; {MAX_PICTURES} pictures are allowed")
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    left = MAX_ARCHIVE_BYTES
    for entry in entries:
        name = entry.filename
        if entry.is_dir() or name.startswith(_LEFTOVERS) or name.endswith(_LEFTOVERS):
            continue
        wrong = _misplaced(name, files)
        if wrong is None:
            data, wrong = _read(archive, entry, left)
            left -= len(data)
            files[name] = data
        if wrong is not None:
            problems.append(Problem(_shown(name), wrong))
    return files, problems


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> tuple[bytes, str | None]:
    """Unpack a file, as far as it may be unpacked; return it and what is wrong with it."""
    most = MAX_FILE_BYTES if entry.filename == QUESTIONS else MAX_PICTURE_BYTES
    try:
        with archive.open(entry) as file:
            data = file.read(min(most, left) + 1)
    except _BROKEN:
        return b"", "is damaged or encrypted"
    if len(data) > left:
        raise file_error(
            f"has more than {MAX_ARCHIVE_BYTES >> 20} MiB of files when it is unpacked"
        )
    if len(data) <= most:
        return data, None
    return data, f"has more than {most:,} bytes" if entry.filename == QUESTIONS else TOO_LARGE


def _misplaced(name: str, files: Collection[str]) -> str | None:
    """Return why a file with this name can't be in an archive that has these already."""
    if name in files:
        return "is there twice"
    if name == QUESTIONS or name.startswith(PICTURES):
        return None
    if name.rpartition("/")[2] == QUESTIONS:
        return "belongs at the top of the .zip, not into a folder"
    return f"has no place here: a .zip holds {QUESTIONS} and a folder pictures"


def _shown(name: str) -> str:
    """Return the name of a file for a list of problems, on one line and not too long."""
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return printable if len(printable) <= 80 else printable[:77] + "..."


def pack(questions: bytes, pictures: Mapping[str, bytes]) -> bytes:
    """Return an archive that `unpack` reads; the same files always make the same one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_entry(QUESTIONS), questions, zipfile.ZIP_DEFLATED)
        for name, content in sorted(pictures.items()):
            archive.writestr(_entry(PICTURES + name), content)
    return file.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """Return the entry of a file that its owner may read and write, without a time."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o644 << 16
    return entry
