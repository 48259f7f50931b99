"""Loads the question bank from its files, each of which is a pack."""

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
    """Where the shipped bank lies: inside an installed package, beside `bot/` in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def schema() -> dict[str, Any]:
    """The JSON Schema of a bank."""
    return dict(json.loads((data_dir() / "questions.schema.json").read_text("utf-8")))


def pack_files(paths: Sequence[Path] = ()) -> list[Path]:
    """The files of these packs, by default of all shipped ones, that of the seed topics first."""
    shipped = sorted(
        path for path in data_dir().glob("*.json") if not path.name.endswith(".schema.json")
    )
    return list(paths) or sorted(shipped, key=lambda path: path.name != "questions.json")


def load_packs(paths: Sequence[Path] = ()) -> Bank:
    """Read and check these packs, by default the shipped ones, as one bank; raises BankError and OSError."""
    return join_packs([(path, path.read_bytes()) for path in pack_files(paths)])


def join_packs(files: Sequence[tuple[Path, bytes]], *, checked: bool = False) -> Bank:
    """The packs in files of these bytes as one bank; raises BankError for what is wrong in one, or with them together.

    A problem of one of several files begins with the file's name.
    """
    packs, problems = [], []
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
    return Bank.of(packs)


def mark_of(*contents: bytes) -> str:
    """What changes with the bytes of packs, their schema and the program that checks them."""
    rules = (data_dir() / "questions.schema.json").read_bytes()
    return hashlib.sha256(b"\0".join((__version__.encode(), rules, *contents))).hexdigest()


def check_topic(bank: Bank, topic_id: str | None) -> None:
    """Refuse a topic that the bank does not have; None stands for all topics."""
    if topic_id is not None and topic_id not in bank.asked_topics:
        raise UserError(
            "I don't know that topic. Pick one from the list as you type, or see </topics>."
        )


def still_there(asked: T | None, then: str = "The next one counts.") -> T:
    """What a question asks, as looked up in the bank; refuses what the bank has no more."""
    if asked is None:
        raise UserError(f"This question was removed. {then}")
    return asked


def parse_bank(content: bytes, *, checked: bool = False) -> Bank:
    """Check the bytes of a bank file; raises BankError with every problem. `checked`: these bytes were, before."""
    data = read_json(content)
    return checked_bank(data) if checked else read_bank(data, schema())
