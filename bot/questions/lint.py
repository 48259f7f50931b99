"""What a careful editor would say about a bank that is valid: findings with their place and how to fix them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.questions.answers import MAX_TYPED, normal_form
from bot.questions.model import Bank, Item, Topic

Path = tuple[str | int, ...]

LONGEST_SHARE = 0.30
"""The largest share of choice items whose right choice may be the longest one."""
_NEAR = 90
_STICKS_OUT = 1.35
_WORDS = (80, 200)
_SHORT_WHY = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` leads into the document, as in `("sections", 0, "topics", 3)`; `fix` says what to do."""

    path: Path
    message: str
    fix: str


Check = Callable[[Item], str | None]
"""Says what is wrong with an item, or None. For what only the shell knows: drawing formulas, Discord's limits."""


def lint(bank: Bank, checks: Sequence[tuple[Check, str]] = ()) -> list[Finding]:
    """All findings. `checks` are pairs of a check and its fix."""
    findings: list[Finding] = []
    items: list[tuple[Path, Item]] = []
    for s, section in enumerate(bank.sections):
        for t, topic in enumerate(section.topics):
            path: Path = ("sections", s, "topics", t)
            findings += _topic(topic, path)
            items += [((*path, "items", i), item) for i, item in enumerate(topic.items)]
    for path, item in items:
        findings += _item(item, path)
        findings += [Finding(path, wrong, fix) for check, fix in checks if (wrong := check(item))]
    findings += _near_duplicates(items)
    share = longest_share(bank.items.values())
    if share > LONGEST_SHARE:
        message = f"the right choice is the longest one in {share:.0%} of the choice items"
        findings.append(Finding((), message, f"bring it to {LONGEST_SHARE:.0%} or less"))
    return findings


def _topic(topic: Topic, path: Path) -> Iterator[Finding]:
    words = len(topic.answer.split())
    if not _WORDS[0] <= words <= _WORDS[1]:
        fix = f"bring it to {_WORDS[0]} to {_WORDS[1]} words"
        yield Finding((*path, "answer"), f"the model answer has {words} words", fix)
    missing = {"weak", "fair", "strong"} - {f.when for f in topic.follow_ups}
    if missing:
        yield Finding((*path, "follow_ups"), f"no follow-up for a {', '.join(sorted(missing))} answer", "add one")
    if len(topic.items) < 4:
        yield Finding((*path, "items"), f"only {len(topic.items)} items", "write four or more")
    seen: dict[str, int] = {}
    for k, point in enumerate(topic.key_points):
        where = (*path, "key_points", k, "accept")
        if len(point.accept) < 3:
            yield Finding(where, f"only {len(point.accept)} phrasings", "add ways that members may word it")
        for a, phrase in enumerate(point.accept):
            form = normal_form(phrase)
            if len(form.split()) < 2 and len(form) < 8:
                message = f'"{phrase}" is too short to tell one point from another'
                yield Finding((*where, a), message, "write a phrase")
            if form in seen:
                yield Finding((*where, a), f'"{phrase}" is in key point {seen[form] + 1} too', "keep it in one")
            seen.setdefault(form, k)


def _item(item: Item, path: Path) -> Iterator[Finding]:
    if item.formula is not None and item.spoken is None:
        message = "a screen reader can't read this formula"
        yield Finding((*path, "formula"), message, "add spoken: how you would read it aloud")
    if re.search(r"[\\^_{}$]", item.spoken or ""):
        yield Finding((*path, "spoken"), "has LaTeX in it", "write words: x sub i, to the power n")
    if item.kind == "typed":
        yield from _typed(item, path)
        return
    right = [c.text for c in item.choices if c.correct]
    wrong = [c.text for c in item.choices if not c.correct]
    if item.kind == "choice" and len(wrong) < 3:
        yield Finding((*path, "choices"), f"only {len(wrong)} wrong choices", "write three or more")
    if item.kind == "choice" and len(right[0]) > 30 and len(right[0]) > _STICKS_OUT * max(map(len, wrong)):
        message = "the right choice sticks out by its length"
        yield Finding((*path, "choices"), message, "shorten it or lengthen the others")
    for c, choice in enumerate(item.choices):
        where = (*path, "choices", c)
        if re.search(r"\b(all|none|both|neither) of the (above|others)\b", choice.text, re.IGNORECASE):
            yield Finding(where, "choices are shuffled, so it can't refer to the others", "write a choice of its own")
        if re.fullmatch(r"(?:(?:[A-F]|and|or|neither|nor|both|only|then|before)[\s,]*)+", choice.text):
            yield Finding(where, "mentions letters, which are on the buttons too", "name the things X, Y and Z")
        if len(choice.why) < _SHORT_WHY or normal_form(choice.why) == normal_form(choice.text):
            yield Finding((*where, "why"), "gives no reason", "say why it is right, or which misconception it is")


def _typed(item: Item, path: Path) -> Iterator[Finding]:
    forms: dict[str, str] = {}
    for a, accepted in enumerate(item.accept):
        form, where = normal_form(accepted), (*path, "accept", a)
        if not form or len(accepted) > MAX_TYPED:
            message = f'"{accepted}" can\'t be typed so that it matches'
            yield Finding(where, message, "write letters or digits, fewer than 100")
        elif form in forms:
            yield Finding(where, f'"{accepted}" is the same as "{forms[form]}" once written plainly', "leave it out")
        forms.setdefault(form, accepted)


def _near_duplicates(items: Sequence[tuple[Path, Item]]) -> Iterator[Finding]:
    prompts = [normal_form(item.prompt) for _, item in items]
    for n, (path, _) in enumerate(items):
        later = prompts[n + 1 :]
        near = process.extract(prompts[n], later, scorer=fuzz.token_sort_ratio, score_cutoff=_NEAR, limit=None)
        for _, score, offset in near:
            message = f'is {score:.0f}% like the prompt of "{items[n + 1 + offset][1].id}"'
            yield Finding((*path, "prompt"), message, "ask something else in one of them")


def longest_share(items: Iterable[Item]) -> float:
    """Share of choice items whose right choice is the longest; ties count as much as a guess among them would win."""
    wins = []
    for item in items:
        if item.kind == "choice":
            longest = max(len(choice.text) for choice in item.choices)
            tied = [choice.correct for choice in item.choices if len(choice.text) == longest]
            wins.append(any(tied) / len(tied))
    return sum(wins) / max(len(wins), 1)


def statistics(bank: Bank) -> Mapping[str, Mapping[str, int]]:
    """Counts of the bank's topics and items by section, kind and difficulty, and of those with a formula."""
    items = list(bank.items.values())
    return {
        "total": {
            "sections": len(bank.sections),
            "topics": len(bank.topics),
            "items": len(items),
            "with a formula": sum(item.formula is not None for item in items),
            "fewest items in a topic": min((len(t.items) for t in bank.topics.values()), default=0),
        },
        "section": Counter(bank.section_of(item) for item in items),
        "kind": Counter(item.kind for item in items),
        "difficulty": Counter(str(item.difficulty) for item in sorted(items, key=lambda i: i.difficulty)),
    }


def lines(text: str) -> dict[Path, int]:
    """For each value of a valid JSON text, the line (from 1) on which it begins, by its path."""
    found: dict[Path, int] = {}
    stack: list[list[str | int]] = []  # for each open object its current key, for each open list its current index
    line, end, key = 1, 0, None
    for match in _TOKEN.finditer(text):
        line += text.count("\n", end, match.start())
        end = match.start()
        token = match[0]
        if token in "}]":
            stack.pop()
        elif token == ",":
            if isinstance(stack[-1][0], int):
                stack[-1][0] += 1
            else:
                key = None
        elif token != ":":
            if stack and isinstance(stack[-1][0], str) and key is None:
                key = stack[-1][0] = token[1:-1]
                continue
            found.setdefault(tuple(level[0] for level in stack), line)
            if token in "{[":
                stack.append([0 if token == "[" else ""])
                key = None
    return found


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
