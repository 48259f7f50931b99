"""Loads the question bank from its file."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, TypeVar

from bot import __version__
from bot.core.errors import UserError
from bot.questions.check import BankError, Problem, checked_bank, read_bank
from bot.questions.model import Bank

T = TypeVar("T")
_PACKAGED = Path(__file__).parents[1] / "data"
_CHECKOUT = Path(__file__).parents[2] / "data"


def data_dir() -> Path:
    """Where the shipped bank lies: inside an installed package, beside `bot/` in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def schema() -> dict[str, Any]:
    """The JSON Schema of a bank."""
    return dict(json.loads((data_dir() / "questions.schema.json").read_text("utf-8")))


def load_bank(path: Path | None = None) -> Bank:
    """Read and check a bank, by default the shipped one; raises BankError with every problem, OSError if unreadable."""
    return parse_bank(bank_file(path).read_bytes())


def bank_file(path: Path | None = None) -> Path:
    return path or data_dir() / "questions.json"


def mark_of(content: bytes) -> str:
    """What changes with the bytes of a bank, its schema and the program that checks it."""
    rules = (data_dir() / "questions.schema.json").read_bytes()
    return hashlib.sha256(b"\0".join((__version__.encode(), rules, content))).hexdigest()


def check_topic(bank: Bank, topic_id: str | None) -> None:
    """Refuse a topic that the bank does not have; None stands for all topics."""
    if topic_id is not None and topic_id not in bank.topics:
        raise UserError("I don't know that topic. Pick one from the list as you type, or see </topics>.")


def still_there(asked: T | None, then: str = "The next one counts.") -> T:
    """What a question asks, as looked up in the bank; refuses what the bank has no more."""
    if asked is None:
        raise UserError(f"This question was removed. {then}")
    return asked


def parse_bank(content: bytes, *, checked: bool = False) -> Bank:
    """Check the bytes of a bank file; raises BankError with every problem. `checked`: these bytes were, before."""
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BankError([Problem("the file", f"is not UTF-8 (at byte {error.start})")]) from error
    except json.JSONDecodeError as error:
        raise BankError([_not_json(error.doc, error.pos)]) from error
    except ValueError as error:  # a number with thousands of digits
        raise BankError([Problem("the file", "has a number that is far too long")]) from error
    except RecursionError as error:
        raise BankError([Problem("the file", "is nested too deeply")]) from error
    return checked_bank(data) if checked else read_bank(data, schema())


def _not_json(text: str, position: int) -> Problem:
    """What is wrong where the json module stopped, in words and at a place that no version of Python changes."""
    before, rest = text[:position].rstrip(), text[position:]
    if rest[:1] in ("}", "]") and before.endswith(","):  # before Python 3.13 it stops at the bracket
        position, rest = len(before) - 1, "," + rest
    char = rest[:1]
    if not rest.strip():
        what = "the file ends too early" if before else "the file is empty"
    elif char == "," and rest[1:].lstrip()[:1] in ("}", "]"):
        what = "nothing follows this comma"
    elif char == '"' and re.match(r'"(?:[^"\\]|\\.)*"', rest, re.DOTALL) is None:
        what = "the text that begins here is never closed"
    elif char == "\\":
        what = r"a backslash in a text is written \\"
    elif char < " ":
        what = r"a text must be on one line; write a line break as \n"
    else:
        what = f"{char if char.isprintable() else ascii(char)} can't stand here, or something is missing before it"
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    return Problem(f"line {line}, column {column}", f"is not JSON: {what}")
