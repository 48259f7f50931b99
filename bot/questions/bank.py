"""Loads the question bank from its files. Each file is a pack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from bot import __version__
from bot.core.errors import UserError
from bot.questions.cases import make_cases, read_cases
from bot.questions.check import BankError, Problem, checked_bank, read_bank, read_json, shared_ids
from bot.questions.model import Bank, Case, Pack

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
    others = {cases_file(), *data_dir().glob("*.schema.json")}
    shipped = sorted(set(data_dir().glob("*.json")) - others)
    return list(paths) or sorted(shipped, key=lambda path: path.name != "questions.json")


def cases_file() -> Path:
    """Return the file of the shipped cases."""
    return data_dir() / "cases.json"


def load_packs(paths: Sequence[Path] = ()) -> Bank:
    """Read and check packs (default: the shipped ones) and the shipped cases as one bank.

    Raises BankError or OSError.
    """
    bank = join_packs([(path, path.read_bytes()) for path in pack_files(paths)])
    known = None if paths else bank.topics
    return replace(bank, cases=parse_cases(cases_file().read_bytes(), known))


def check_packs(files: Sequence[tuple[Path, bytes]], cases: bytes) -> None:
    """Raise BankError if the packs in these files or the cases can't be used as one bank."""
    join_packs(files)
    parse_cases(cases)


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
    """Return a hash of packs and cases, their schemas and the program's version."""
    rules = [path.read_bytes() for path in sorted(data_dir().glob("*.schema.json"))]
    return hashlib.sha256(b"\0".join((__version__.encode(), *rules, *contents))).hexdigest()


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


def parse_cases(
    content: bytes, topics: Collection[str] | None = None, *, checked: bool = False
) -> tuple[Case, ...]:
    """Parse a file of cases; raises BankError with every problem. `checked=True` skips the checks.

    `topics` are the ids of the bank's topics; None if it may lack some that cases lean on.
    """
    data = read_json(content)
    if checked:
        return make_cases(data)
    rules = json.loads((data_dir() / "cases.schema.json").read_text("utf-8"))
    return read_cases(data, {**rules, "$defs": schema()["$defs"] | rules["$defs"]}, topics)
