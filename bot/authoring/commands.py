"""The commands `python -m bot bank lint`, `show` and `stats`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.authoring.findings import (
    Check,
    Finding,
    case_findings,
    line_numbers,
    lint,
    longest_share,
    statistics,
)
from bot.authoring.habits import outdated
from bot.authoring.numbers import numeric_share
from bot.chat.messages import OPEN, REVEALED, Message, separator, text_of
from bot.chat.text import MAX_TEXT
from bot.config import SettingsError
from bot.questions import views as questions_views
from bot.questions.answers import Answered, Outcome
from bot.questions.bank import (
    cases_file,
    join_packs,
    load_packs,
    pack_files,
    parse_bank,
    parse_cases,
)
from bot.questions.check import BankError, place
from bot.questions.formulas import FormulaError, draw
from bot.questions.model import Bank, Item


def lint_files(paths: Sequence[Path]) -> int:
    """Print every finding in these packs and cases with its line and fix; return the exit code.

    A pack must not repeat a question of the packs before it.
    """
    worst = 0
    earlier: list[Item] = []
    for path in paths:
        try:
            content = path.read_bytes()
            if path.name == cases_file().name:
                worst = max(worst, _lint_cases(path, content))
                continue
            bank = parse_bank(content)
        except OSError as error:
            raise SettingsError(f"{path} can't be read: {error.strerror}") from error
        except BankError as error:
            for problem in error.problems:
                print(f"{path}: {problem}")
            print(f"{len(error.problems)} problems; fix them first")
            worst = 1
            continue
        worst = max(worst, _lint_pack(path, content, bank, earlier))
        earlier += bank.asked.values()
    return worst


def _lint_cases(path: Path, content: bytes) -> int:
    packs = join_packs([(pack, pack.read_bytes()) for pack in pack_files()], checked=True)
    cases = parse_cases(content, packs.topics)
    return _print_findings(path, content, case_findings(cases), f"{len(cases)} cases")


def _lint_pack(path: Path, content: bytes, bank: Bank, earlier: Sequence[Item]) -> int:
    checks: list[tuple[Check, str]] = [
        (_undrawable, "write LaTeX that ziamath knows"),
        (partial(_overlong, bank), "shorten it"),
        (
            partial(outdated, datetime.now(UTC).date()),
            "look it up, and write this month or take the question out",
        ),
    ]
    size = f"{len(bank.topics)} topics, {len(bank.asked)} items"
    return _print_findings(path, content, lint(bank, checks, earlier), size)


def _print_findings(path: Path, content: bytes, findings: Sequence[Finding], size: str) -> int:
    text = content.decode("utf-8-sig")
    data = json.loads(text)
    numbers = line_numbers(text)
    for finding in findings:
        number = numbers.get(finding.path, 1)
        where = place(data, finding.path)
        print(f"{path}:{number}: {where}: {finding.message}. Fix: {finding.fix}.")
    print(
        f"{len(findings)} findings in {path.name}" if findings else f"{path.name} is clean: {size}"
    )
    return 1 if findings else 0


def show(paths: Sequence[Path], item_id: str) -> None:
    """Print an item as its cards show it: open, revealed, and with the reasons; or a whole case."""
    bank = _bank(paths)
    if case := bank.case(item_id):
        for step in case.steps:
            points = "\n".join(f"- {point.text}" for point in step.key_points)
            further = [f"{each.question}\n> {each.hint}" for each in step.follow_ups]
            parts = [step.setting, f"### {step.question}", points, step.answer, *further]
            print(f"--- {case.title} · {step.title}", *parts, "", sep="\n\n")
        return
    item = bank.items.get(item_id)
    if item is None:
        raise SettingsError(
            f"the bank has no item or case {item_id!r}: python -m bot bank lint lists a file's items by place"
        )
    for title, message in _messages(item, bank):
        print(f"--- {title}\n{text_of(message)}\n")


def stats(paths: Sequence[Path]) -> None:
    """Print the numbers of items by kind, difficulty and so on, for each pack and for all packs."""
    bank = _bank(paths)
    parts = [(f"pack {pack.name} ({pack.bank.title})", pack.bank) for pack in bank.packs]
    if len(parts) > 1:
        parts.append(("all packs", bank))
    for name, part in parts:
        print(name)
        for heading, counts in statistics(part).items():
            listed = ", ".join(f"{what} {number:,}" for what, number in counts.items())
            print(f"  {heading}: {listed}")
        items = list(part.asked.values())
        print(f"  turning on a number: {numeric_share(items):.0%} of the items")
        print(f"  right choice is the longest: {longest_share(items):.0%} of the choice items")


def _messages(item: Item, bank: Bank) -> list[tuple[str, Message]]:
    order = tuple(item.offered)
    head = f"-# {questions_views.about(item, bank)}"
    rows = questions_views.answer_rows(item, "round", 1)
    revealed = questions_views.revealed(item, order, Outcome(0, 0, {}))
    reasons = questions_views.explained(Answered(item, order, None), bank)
    return [
        ("open", Message(OPEN, head, *questions_views.asked(item, order), separator(), *rows)),
        ("revealed", Message(REVEALED, revealed, questions_views.after_row("round", 1))),
        *(("why", page) for page in reasons),
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
