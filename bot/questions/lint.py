"""What a careful editor would say about a bank that is valid: findings with their place and how to fix them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.core.limits import MAX_TYPED
from bot.questions import habits, numbers, variants
from bot.questions.allowed import ALLOWED
from bot.questions.answers import normal_form
from bot.questions.model import Bank, Item, Topic
from bot.questions.twins import twins

Path = tuple[str | int, ...]

LONGEST_SHARE = 0.30
"""The largest share of choice items whose right choice may be the longest one."""
_NEAR = 90
_STICKS_OUT = 1.35
_WORDS = (80, 200)
_SHORT_WHY = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` leads into the document, as in `("sections", 0, "topics", 3)`; `fix` says what to do.

    `rule` and `about`, ids of items or topics, are what an exception names; rules without a name have none.
    """

    path: Path
    message: str
    fix: str
    rule: str = ""
    about: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it was looked at and found to be in order."""
        return (self.rule, *self.about) in ALLOWED


Check = Callable[[Item], str | None]
"""Says what is wrong with an item, or None. For what only the shell knows: drawing formulas, Discord's limits."""


def lint(
    bank: Bank, checks: Sequence[tuple[Check, str]] = (), beside: Sequence[Item] = ()
) -> list[Finding]:
    """All findings but those that are allowed. `checks` are pairs of a check and its fix.

    `beside` are items of other packs that may not be asked again.
    """
    return [finding for finding in every_finding(bank, checks, beside) if not finding.allowed]


def every_finding(
    bank: Bank, checks: Sequence[tuple[Check, str]] = (), beside: Sequence[Item] = ()
) -> list[Finding]:
    """All findings, those that are allowed too."""
    findings: list[Finding] = []
    items: list[tuple[Path, Item]] = []
    for s, section in enumerate(bank.sections):
        for t, topic in enumerate(section.topics):
            path: Path = ("sections", s, "topics", t)
            findings += [*_topic(topic, path), *_habits(topic, path)]
            items += [((*path, "items", i), item) for i, item in enumerate(topic.items)]
    for path, item in items:
        findings += [*_item(item, path), *_giveaways(item, path)]
        findings += [Finding(path, wrong, fix) for check, fix in checks if (wrong := check(item))]
    findings += [*_near_duplicates(items), *_twins(items, beside), *_whole(bank)]
    return findings


def _whole(bank: Bank) -> Iterator[Finding]:
    """What is said of a pack as a whole."""
    items = list(bank.items.values())
    share = longest_share(items)
    if share > LONGEST_SHARE:
        message = f"the right choice is the longest one in {share:.0%} of the choice items"
        yield Finding((), message, f"bring it to {LONGEST_SHARE:.0%} or less")
    numeric = numbers.numeric_share(items)
    if numeric > numbers.MOST_NUMERIC:
        fix = f"bring it to {numbers.MOST_NUMERIC:.0%} or less: ask for ideas, choices and faults instead"
        yield Finding((), f"{numeric:.0%} of the items turn on a number", fix, "numbers")
    for opening, worn in habits.worn_openings(
        [choice.why for item in items for choice in item.choices]
    ):
        message = f'{worn:.0%} of the reasons begin with "{opening}"'
        yield Finding((), message, "say some of them in another way", "openings", (opening,))


def _topic(topic: Topic, path: Path) -> Iterator[Finding]:
    words = len(topic.answer.split())
    if not _WORDS[0] <= words <= _WORDS[1]:
        fix = f"bring it to {_WORDS[0]} to {_WORDS[1]} words"
        yield Finding((*path, "answer"), f"the model answer has {words} words", fix)
    missing = {"weak", "fair", "strong"} - {f.when for f in topic.follow_ups}
    if missing:
        yield Finding(
            (*path, "follow_ups"),
            f"no follow-up for a {', '.join(sorted(missing))} answer",
            "add one",
        )
    if len(topic.items) < 4:
        yield Finding((*path, "items"), f"only {len(topic.items)} items", "write four or more")
    seen: dict[str, int] = {}
    for k, point in enumerate(topic.key_points):
        where = (*path, "key_points", k, "accept")
        if len(point.accept) < 3:
            yield Finding(
                where, f"only {len(point.accept)} phrasings", "add ways that members may word it"
            )
        for a, phrase in enumerate(point.accept):
            form = normal_form(phrase)
            if len(form.split()) < 2 and len(form) < 8:
                message = f'"{phrase}" is too short to tell one point from another'
                yield Finding((*where, a), message, "write a phrase")
            if form in seen:
                yield Finding(
                    (*where, a),
                    f'"{phrase}" is in key point {seen[form] + 1} too',
                    "keep it in one",
                )
            seen.setdefault(form, k)


def _habits(topic: Topic, path: Path) -> Iterator[Finding]:
    for place, text in habits.said(topic):
        if word := habits.undated(text):
            about = (topic.items[int(place[1])].id,) if place[0] == "items" else (topic.id,)
            fix = 'name the year, as in "as of 2025", or leave the word out'
            yield Finding((*path, *place), f'"{word}" will be wrong one day', fix, "undated", about)
    for reference in habits.unused_references(topic):
        where = (*path, "references", topic.references.index(reference))
        message = "no item names this source, and no text speaks of it"
        yield Finding(
            where, message, "let an item name it, or take it out", "references", (topic.id,)
        )


def _giveaways(item: Item, path: Path) -> Iterator[Finding]:
    """What gives an answer away or refuses a right one."""
    if choice := habits.struck_out(item):
        message = f'the prompt rules out what "{choice}" speaks of'
        yield Finding(
            (*path, "prompt"),
            message,
            "write a wrong choice that it leaves open",
            "struck out",
            (item.id,),
        )
    if wrong := numbers.plugged_in(item):
        fix = "ask what to count, or which change helps"
        yield Finding((*path, "prompt"), wrong, fix, "plug-in", (item.id,))
    if forms := variants.refused(item):
        message = f"counts {variants.listed(forms)} as wrong"
        yield Finding((*path, "accept"), message, "accept them too", "refused", (item.id,))


def _twins(items: Sequence[tuple[Path, Item]], beside: Sequence[Item]) -> Iterator[Finding]:
    everything = [*beside, *(item for _, item in items)]
    for pair in twins(everything):
        if pair.other >= len(beside):
            path, about = (
                items[pair.other - len(beside)][0],
                (everything[pair.one].id, everything[pair.other].id),
            )
            message = f'asks much the same as "{about[0]}": {", ".join(pair.shared)}'
            yield Finding(
                (*path, "prompt"), message, "ask something else in one of them", "twins", about
            )


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
    if (
        item.kind == "choice"
        and len(right[0]) > 30
        and len(right[0]) > _STICKS_OUT * max(map(len, wrong))
    ):
        message = "the right choice sticks out by its length"
        yield Finding((*path, "choices"), message, "shorten it or lengthen the others")
    for c, choice in enumerate(item.choices):
        where = (*path, "choices", c)
        if re.search(
            r"\b(all|none|both|neither) of the (above|others)\b", choice.text, re.IGNORECASE
        ):
            yield Finding(
                where,
                "choices are shuffled, so it can't refer to the others",
                "write a choice of its own",
            )
        if re.fullmatch(
            r"(?:(?:[A-F]|and|or|neither|nor|both|only|then|before)[\s,]*)+", choice.text
        ):
            yield Finding(
                where,
                "mentions letters, which are on the buttons too",
                "name the things X, Y and Z",
            )
        if len(choice.why) < _SHORT_WHY or normal_form(choice.why) == normal_form(choice.text):
            yield Finding(
                (*where, "why"),
                "gives no reason",
                "say why it is right, or which misconception it is",
            )


def _typed(item: Item, path: Path) -> Iterator[Finding]:
    forms: dict[str, str] = {}
    for a, accepted in enumerate(item.accept):
        form, where = normal_form(accepted), (*path, "accept", a)
        if not form or len(accepted) > MAX_TYPED:
            message = f'"{accepted}" can\'t be typed so that it matches'
            yield Finding(where, message, "write letters or digits, fewer than 100")
        elif form in forms:
            yield Finding(
                where,
                f'"{accepted}" is the same as "{forms[form]}" once written plainly',
                "leave it out",
            )
        forms.setdefault(form, accepted)


def _near_duplicates(items: Sequence[tuple[Path, Item]]) -> Iterator[Finding]:
    prompts = [normal_form(item.prompt) for _, item in items]
    for n, (path, _) in enumerate(items):
        later = prompts[n + 1 :]
        near = process.extract(
            prompts[n], later, scorer=fuzz.token_sort_ratio, score_cutoff=_NEAR, limit=None
        )
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
    """Counts of a bank's topics and items by section, kind and difficulty, and of what else they have."""
    items = list(bank.items.values())
    return {
        "total": {
            "sections": len(bank.sections),
            "topics": len(bank.topics),
            "items": len(items),
            "with a formula": sum(item.formula is not None for item in items),
            "with a source of their own": sum(item.reference is not None for item in items),
            "that turn on a number": sum(numbers.turns_on_a_number(item) for item in items),
            "fewest items in a topic": min((len(t.items) for t in bank.topics.values()), default=0),
        },
        "section": Counter(bank.section_of(item) for item in items),
        "kind": Counter(item.kind for item in items),
        "difficulty": Counter(
            str(item.difficulty) for item in sorted(items, key=lambda i: i.difficulty)
        ),
    }


def lines(text: str) -> dict[Path, int]:
    """For each value of a valid JSON text, the line (from 1) on which it begins, by its path."""
    found: dict[Path, int] = {}
    stack: list[
        list[str | int]
    ] = []  # for each open object its current key, for each open list its current index
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
