"""`python -m bot bank` and `reports`: look after a bank file, and read what members say is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bot.chat.messages import OPEN, REVEALED, Message, separator, text_of
from bot.chat.text import MAX_TEXT
from bot.config import SettingsError
from bot.questions import lint
from bot.questions import views as view
from bot.questions.answers import Outcome, Review
from bot.questions.bank import load_packs, parse_bank
from bot.questions.check import BankError, place
from bot.questions.formulas import FormulaError, draw
from bot.questions.model import Bank, Item
from bot.questions.numbers import numeric_share
from bot.questions.store import Report


def lint_files(paths: Sequence[Path]) -> int:
    """Print every finding in these packs with its line and fix; 0 if there is none, 1 otherwise.

    What a pack asks may not be asked again by those after it.
    """
    worst, asked = 0, list[Item]()
    for path in paths:
        try:
            content = path.read_bytes()
            bank = parse_bank(content)
        except OSError as error:
            raise SettingsError(f"{path} can't be read: {error.strerror}") from error
        except BankError as error:
            for problem in error.problems:
                print(f"{path}: {problem}")
            print(f"{len(error.problems)} problems; fix them first")
            worst = 1
            continue
        worst = max(worst, _lint(path, content, bank, asked))
        asked += bank.items.values()
    return worst


def _lint(path: Path, content: bytes, bank: Bank, beside: Sequence[Item]) -> int:
    text = content.decode("utf-8-sig")
    where, data = lint.lines(text), json.loads(text)
    checks: list[tuple[lint.Check, str]] = [
        (_undrawable, "write LaTeX that ziamath knows"),
        (partial(_overlong, bank), "shorten it"),
    ]
    findings = lint.lint(bank, checks, beside)
    for finding in findings:
        line = where.get(finding.path, 1)
        print(f"{path}:{line}: {place(data, finding.path)}: {finding.message}. Fix: {finding.fix}.")
    clean = f"{path.name} is clean: {len(bank.topics)} topics, {len(bank.items)} items"
    print(f"{len(findings)} findings in {path.name}" if findings else clean)
    return 1 if findings else 0


def show(paths: Sequence[Path], item_id: str) -> None:
    """Print an item as its card shows it: open, revealed, and the reasons."""
    bank = _bank(paths)
    item = bank.items.get(item_id)
    if item is None:
        raise SettingsError(
            f"the bank has no item {item_id!r}: python -m bot bank lint lists a file's items by place"
        )
    for title, message in _messages(item, bank):
        print(f"--- {title}\n{text_of(message)}\n")


def stats(paths: Sequence[Path]) -> None:
    """Print how many items there are of what: for each pack by itself, and for all together if they are several."""
    bank = _bank(paths)
    whole = [("all packs", bank)] if len(bank.packs) > 1 else []
    for name, part in [
        *((f"pack {pack.name} ({pack.bank.title})", pack.bank) for pack in bank.packs),
        *whole,
    ]:
        print(name)
        for heading, counts in lint.statistics(part).items():
            print(
                f"  {heading}: "
                + ", ".join(f"{what} {number:,}" for what, number in counts.items())
            )
        items = list(part.items.values())
        print(f"  turning on a number: {numeric_share(items):.0%} of the items")
        print(f"  right choice is the longest: {lint.longest_share(items):.0%} of the choice items")


def print_reports(bank: Bank, reports: Sequence[Report]) -> None:
    """Print what members reported, each with what was asked and what is right."""
    for report in reports:
        print(f"{report.at:%Y-%m-%d %H:%M} UTC  {report.item_id}")
        for name, text in (*_reported(bank, report.item_id), ("report", report.text)):
            printable = "".join(
                c if c.isprintable() else "\N{REPLACEMENT CHARACTER}"
                for c in " ".join(text.split())
            )
            print(f"  {name}: {printable}")
    print(f"{len(reports)} reports" if reports else "no reports")


def _reported(bank: Bank, item_id: str) -> list[tuple[str, str]]:
    """What was asked under an id, and what is right, by name."""
    if item_id in bank.topics:
        return [("open question", bank.topics[item_id].question)]
    if item_id not in bank.items:
        return [("question", "not in this bank")]
    item = bank.items[item_id]
    right = [choice.text for choice in item.choices if choice.correct] or item.accept[:1]
    return [("question", item.prompt), ("right answer", " · ".join(right))]


def _messages(item: Item, bank: Bank) -> list[tuple[str, Message]]:
    order, head = tuple(range(len(item.choices))), f"-# {view.about(item, bank)}"
    rows, after = view.answer_rows(item, "round", 1), view.after_row("round", 1)
    return [
        ("open", Message(OPEN, head, *view.asked(item, order), separator(), *rows)),
        (
            "revealed",
            Message(REVEALED, head, *view.revealed(item, order, Outcome(0, 0, {}), bank), after),
        ),
        ("why", Message(REVEALED, *view.why_blocks(Review(item, order, None), bank))),
    ]


def _overlong(bank: Bank, item: Item) -> str | None:
    for title, message in _messages(item, bank):
        length = len(text_of(message))
        if length > MAX_TEXT:
            shown = "Discord shows 4,000, so the rest goes to a second page"
            return f"the {title} card has {length:,} characters, and {shown}"
    return None


def _undrawable(item: Item) -> str | None:
    try:
        if item.formula is not None:
            draw(item.formula)
    except FormulaError as error:
        return f"the formula can't be drawn ({error})"
    return None


def _bank(paths: Sequence[Path]) -> Bank:
    try:
        return load_packs(paths)
    except (BankError, OSError) as error:
        raise SettingsError(f"the bank can't be used: {error}") from error
