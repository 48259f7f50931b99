"""Loads the question bank from its files. Each file is a pack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot import __version__
from bot.core.errors import UserError
from bot.questions.check import BankError, Problem, checked_bank, read_bank, read_json, shared_ids
from bot.questions.model import Bank, Pack

T = TypeVar("T")
_PACKAGED = Path(__file__).parents[1] / "data"
_CHECKOUT = Path(__file__).parents[2] / "data"


def data_dir() -> Path:
    """Return the folder of the shipped bank, in an installed package or in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a bank."""
    return dict(json.loads((data_dir() / "questions.schema.json").read_text("utf-8")))


def pack_files(paths: Sequence[Path] = ()) -> list[Path]:
    """Return the given files, or those of all shipped packs, questions.json first."""
    shipped = sorted(
        path for path in data_dir().glob("*.json") if not path.name.endswith(".schema.json")
    )
    return list(paths) or sorted(shipped, key=lambda path: path.name != "questions.json")


def load_packs(paths: Sequence[Path] = ()) -> Bank:
    """Read and check packs (default: the shipped ones) as one bank; raises BankError or OSError."""
    return join_packs([(path, path.read_bytes()) for path in pack_files(paths)])


def check_packs(files: Sequence[tuple[Path, bytes]]) -> None:
    """Raise BankError if the packs in these files can't be used as one bank."""
    join_packs(files)


def join_packs(files: Sequence[tuple[Path, bytes]], *, checked: bool = False) -> Bank:
    """Join the packs in these files to one bank; raises BankError with all problems.

    If there are several files, each problem names its file.
    """
    packs: list[Pack] = []
    problems: list[Problem] = []
    for path, content in files:
        try:
            packs.append(Pack(path.stem, parse_bank(content, checked=checked)))
        except BankError as error:
            problems += [
                Problem(f"{path.name}, {p.place}" if len(files) > 1 else p.place, p.message)
                for p in error.problems
            ]
    problems = problems or list(shared_ids(packs))
    if problems:
        raise BankError(problems)
    return Bank.join(packs)


def mark_of(*contents: bytes) -> str:
    """Return a hash of packs, their schema and the program's version."""
    rules = (data_dir() / "questions.schema.json").read_bytes()
    return hashlib.sha256(b"\0".join((__version__.encode(), rules, *contents))).hexdigest()


def check_topic(bank: Bank, topic_id: str | None) -> None:
    """Refuse a topic that the bank does not ask; None means all topics."""
    if topic_id is not None and topic_id not in bank.asked_topics:
        raise UserError(
            "I don't know that topic. Pick one from the list as you type, or see </topics>."
        )


def still_there(asked: T | None, then: str = "Go on with the next one.") -> T:
    """Return a question that was looked up in the bank; refuse if it is no longer there."""
    if asked is None:
        raise UserError(f"This question was removed. {then}")
    return asked


def parse_bank(content: bytes, *, checked: bool = False) -> Bank:
    """Parse a bank file; raises BankError with every problem. `checked=True` skips the checks."""
    data = read_json(content)
    return checked_bank(data) if checked else read_bank(data, schema())
