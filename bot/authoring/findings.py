"""Findings in a valid bank, each with its place and with advice on how to fix it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from rapidfuzz.fuzz import ratio

from bot.authoring import habits, numbers, variants
from bot.authoring.allowed import ALLOWED
from bot.authoring.twins import find_twins
from bot.core.limits import MAX_TYPED
from bot.questions.model import Bank, Case, Item, KeyPoint, Topic
from bot.questions.typed import normal_form

Path = tuple[str | int, ...]

LONGEST_SHARE = 0.30
"""The largest share of choice items whose right choice may be the longest one."""
_STICKS_OUT = 1.35
_ANSWER_WORDS = (80, 200)
_CASE_WORDS = {"opening": (60, 90), "ask": (1, 90), "answer": (120, 180)}
_SHORT_WHY = 15
_SHOWN_OPPOSITE = 90
"""Characters of the opposite that members see below its key point, on a phone."""
_CODE_COLUMNS = 46
"""The columns of code that are readable on a phone, which wraps lines after some 32."""
_MOST_ORDERS = 12
_LIKE_A_LINE = 50
"""The least likeness of a decoy and some line of the code, in percent."""
MOST_AUTHORS = 1 / 12
"""The largest share of items that may name a paper's authors in the prompt."""


class Finding(Struct, frozen=True):
    """One thing to improve.

    `path` leads into the document, for example `("sections", 0, "topics", 3)`. An exception in
    `allowed.py` names `rule` and the ids in `about`; most rules allow none and have no name.
    """

    path: Path
    message: str
    fix: str
    rule: str = ""
    about: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether an editor has accepted this finding."""
        return (self.rule, *self.about) in ALLOWED


Check = Callable[[Item], str | None]
"""Returns what is wrong with an item, or None."""


def lint(
    bank: Bank, checks: Sequence[tuple[Check, str]] = (), earlier: Sequence[Item] = ()
) -> list[Finding]:
    """Return the findings that no exception allows.

    `checks` are further checks, each with its fix. `earlier` holds the items of other packs, which
    this bank must not repeat.
    """
    return [finding for finding in every_finding(bank, checks, earlier) if not finding.allowed]


def every_finding(
    bank: Bank, checks: Sequence[tuple[Check, str]], earlier: Sequence[Item]
) -> list[Finding]:
    """Return all findings, including the allowed ones."""
    findings: list[Finding] = []
    items: list[tuple[Path, Item]] = []
    for s, section in enumerate(bank.sections):
        for t, topic in enumerate(section.topics):
            path: Path = ("sections", s, "topics", t)
            findings += _below(path, _topic_findings(topic))
            items += [((*path, "items", i), item) for i, item in enumerate(topic.items)]
    for path, item in items:
        findings += _below(path, _item_findings(item))
        findings += [Finding(path, wrong, fix) for check, fix in checks if (wrong := check(item))]
    findings += _shared_choices(items)
    return [*findings, *_twin_findings(items, earlier), *_bank_findings(bank)]


def _below(path: Path, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings about a part of the document, with the path to that part in front."""
    return (replace(finding, path=path + finding.path) for finding in findings)


def _bank_findings(bank: Bank) -> Iterator[Finding]:
    """Yield findings about the pack as a whole."""
    items = list(bank.asked.values())
    named = sum("et al" in item.prompt for item in items) / max(len(items), 1)
    if named > MOST_AUTHORS:
        fix = "ask what one expects, checks or changes, and name the study in the explanation"
        yield Finding((), f'{named:.0%} of the prompts say "et al."', fix)
    share = longest_share(items)
    if share > LONGEST_SHARE:
        message = f"the right choice is the longest one in {share:.0%} of the choice items"
        yield Finding((), message, f"bring it to {LONGEST_SHARE:.0%} or less")
    numeric = numbers.numeric_share(items)
    if numeric > numbers.MOST_NUMERIC:
        limit = f"{numbers.MOST_NUMERIC:.0%}"
        fix = f"bring it to {limit} or less: ask for ideas, choices and faults instead"
        yield Finding((), f"{numeric:.0%} of the items turn on a number", fix, "numbers")
    reasons = [choice.why for item in items for choice in item.choices]
    for opening, worn in habits.worn_openings(reasons):
        message = f'{worn:.0%} of the reasons begin with "{opening}"'
        yield Finding((), message, "say some of them in another way", "openings", (opening,))


def _topic_findings(topic: Topic) -> Iterator[Finding]:
    words = len(topic.answer.split())
    fewest, most = _ANSWER_WORDS
    if not fewest <= words <= most:
        fix = f"bring it to {fewest} to {most} words"
        yield Finding(("answer",), f"the model answer has {words} words", fix)
    if missing := {"weak", "fair", "strong"} - {f.when for f in topic.follow_ups}:
        message = f"no follow-up for a {', '.join(sorted(missing))} answer"
        yield Finding(("follow_ups",), message, "add one")
    if len(topic.items) < 4:
        yield Finding(("items",), f"only {len(topic.items)} items", "write four or more")
    yield from _key_point_findings(topic)
    for place, text in habits.texts_of(topic):
        if word := habits.undated(text):
            about = topic.items[int(place[1])].id if place[0] == "items" else topic.id
            fix = 'name the year, as in "as of 2025", or leave the word out'
            yield Finding(place, f'"{word}" will be wrong one day', fix, "undated", (about,))
    for reference in habits.unused_references(topic):
        place = ("references", topic.references.index(reference))
        message = "no item names this source, and no text speaks of it"
        fix = "let an item name it, or take it out"
        yield Finding(place, message, fix, "references", (topic.id,))


def case_findings(cases: Sequence[Case]) -> list[Finding]:
    """Return all findings in cases, whose topics all packs have."""
    findings: list[Finding] = []
    for c, case in enumerate(cases):
        path: Path = ("cases", c)
        findings += _below(path, _length_findings("opening", case.steps[0].setting))
        for n, step in enumerate(case.steps):
            findings += _below((*path, "steps", n), _step_findings(step))
    return findings


def _step_findings(step: Topic) -> Iterator[Finding]:
    yield from _length_findings("ask", step.question)
    yield from _length_findings("answer", step.answer)
    yield from _key_point_findings(step)
    for place, text in (("ask", step.question), ("answer", step.answer)):
        if word := habits.stilted(text):
            yield Finding((place,), f'"{word}" sounds translated', "say it as you would aloud")


def _length_findings(field: str, text: str) -> Iterator[Finding]:
    words, (fewest, most) = len(text.split()), _CASE_WORDS[field]
    if not fewest <= words <= most:
        yield Finding((field,), f"has {words} words", f"bring it to {fewest} to {most} words")


def _opposite_findings(number: int, point: KeyPoint) -> Iterator[Finding]:
    place: Path = ("key_points", number, "opposites") if point.opposites else ("key_points", number)
    if len(point.opposites) < 2:
        message = f"only {len(point.opposites)} opposites"
        yield Finding(place, message, "add sentences of somebody who has it the wrong way round")
    if point.opposites and len(point.opposites[0]) > _SHOWN_OPPOSITE:
        message = f"the first opposite has {len(point.opposites[0])} characters"
        yield Finding((*place, 0), message, f"put one of at most {_SHOWN_OPPOSITE} first")
    forms = {normal_form(text) for text in (point.text, *point.accept)}
    for n, opposite in enumerate(point.opposites):
        if normal_form(opposite) in forms:
            yield Finding((*place, n), f'"{opposite}" is a right wording too', "take one out")


def _key_point_findings(topic: Topic) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for k, point in enumerate(topic.key_points):
        place = ("key_points", k, "accept")
        if len(point.accept) < 3:
            message = f"only {len(point.accept)} phrasings"
            yield Finding(place, message, "add ways that members may word it")
        yield from _opposite_findings(k, point)
        for a, phrase in enumerate(point.accept):
            form = normal_form(phrase)
            if len(form.split()) < 2 and len(form) < 8:
                message = f'"{phrase}" is too short to tell one point from another'
                yield Finding((*place, a), message, "write a phrase")
            if form in seen:
                message = f'"{phrase}" is in key point {seen[form] + 1} too'
                yield Finding((*place, a), message, "keep it in one")
            seen.setdefault(form, k)


def _item_findings(item: Item) -> Iterator[Finding]:
    yield from _giveaways(item)
    yield from _code_findings(item)
    for place, text in habits.texts_of_item(item):
        if word := habits.stilted(text):
            yield Finding(place, f'"{word}" sounds translated', "say it as you would aloud")
    if item.formula is not None and item.spoken is None:
        message = "a screen reader can't read this formula"
        yield Finding(("formula",), message, "add spoken: how you would read it aloud")
    if re.search(r"[\\^_{}$]", item.spoken or ""):
        yield Finding(("spoken",), "has LaTeX in it", "write words: x sub i, to the power n")
    of_kind = {"typed": _typed_findings, "order": _order_findings}
    yield from of_kind.get(item.kind, _choice_findings)(item)


def _code_findings(item: Item) -> Iterator[Finding]:
    lines = [*(item.code or "").splitlines(), *item.pieces]
    if (columns := max(map(len, lines), default=0)) > _CODE_COLUMNS:
        fix = f"a phone wraps after some 32; break it, at the latest after {_CODE_COLUMNS}"
        yield Finding(("lines" if item.lines else "code",), f"has a line of {columns} columns", fix)


def _order_findings(item: Item) -> Iterator[Finding]:
    for n, line in enumerate(item.lines):
        if len(re.findall(r"\w+", line)) < 2:
            message = f'"{line.strip()}" has its place by its form alone'
            yield Finding(
                ("lines", n), message, "join it with the next line, or write it otherwise"
            )
    if len(item.right_orders) > _MOST_ORDERS:
        message = f"{len(item.right_orders)} orders of its lines are right"
        yield Finding(("orders",), message, "join lines that don't depend on one another")
    for n, decoy in enumerate(item.decoys):
        if max(ratio(decoy.text.strip(), line.strip()) for line in item.lines) < _LIKE_A_LINE:
            message = f'"{decoy.text.strip()}" is like no line of the code, so it sticks out'
            yield Finding(("decoys", n), message, "write what one might take for a line of it")
        if len(decoy.why) < _SHORT_WHY:
            yield Finding(("decoys", n, "why"), "gives no reason", "say which mistake it would be")


def _giveaways(item: Item) -> Iterator[Finding]:
    """Yield findings about prompts that give the answer away, and about refused right answers."""
    about = (item.id,)
    if choice := habits.ruled_out_choice(item):
        message = f'the prompt rules out what "{choice}" speaks of'
        fix = "write a wrong choice that it leaves open"
        yield Finding(("prompt",), message, fix, "struck out", about)
    if wrong := numbers.plugged_in(item):
        fix = "ask what to count, or which change helps"
        yield Finding(("prompt",), wrong, fix, "plug-in", about)
    if forms := variants.refused(item):
        message = f"counts {variants.listed(forms)} as wrong"
        yield Finding(("accept",), message, "accept them too", "refused", about)


def _choice_findings(item: Item) -> Iterator[Finding]:
    right = [len(c.text) for c in item.choices if c.correct]
    wrong = [len(c.text) for c in item.choices if not c.correct]
    if item.kind == "choice" and len(wrong) < 3:
        yield Finding(("choices",), f"only {len(wrong)} wrong choices", "write three or more")
    if item.kind == "choice" and right[0] > max(30, _STICKS_OUT * max(wrong)):
        message = "the right choice sticks out by its length"
        yield Finding(("choices",), message, "shorten it or lengthen the others")
    if item.kind == "multiple" and min(len(right), len(wrong)) < 2:
        message = f"{len(right)} of {len(item.choices)} choices are right"
        yield Finding(("choices",), message, "have two or more right and two or more wrong")
    for c, choice in enumerate(item.choices):
        place = ("choices", c)
        if _OTHER_CHOICES.search(choice.text):
            message = "choices are shuffled, so it can't refer to the others"
            yield Finding(place, message, "write a choice of its own")
        if _LETTERS_ONLY.fullmatch(choice.text):
            message = "mentions letters, which are on the buttons too"
            yield Finding(place, message, "name the things X, Y and Z")
        if len(choice.why) < _SHORT_WHY or normal_form(choice.why) == normal_form(choice.text):
            fix = "say why it is right, or which misconception it is"
            yield Finding((*place, "why"), "gives no reason", fix)


_OTHER_CHOICES = re.compile(
    r"\b(all|none|both|neither|any) of (the above|these|the others)\b|\ball answers\b",
    re.IGNORECASE,
)
_LETTERS_ONLY = re.compile(r"(?:(?:[A-F]|and|or|neither|nor|both|only|then|before)[\s,]*)+")


def _typed_findings(item: Item) -> Iterator[Finding]:
    forms: dict[str, str] = {}
    for a, accepted in enumerate(item.accept):
        form = normal_form(accepted)
        if not form or len(accepted) > MAX_TYPED:
            message = f'"{accepted}" can\'t be typed so that it matches'
            yield Finding(("accept", a), message, "write letters or digits, fewer than 100")
        elif form in forms:
            message = f'"{accepted}" is the same as "{forms[form]}" once written plainly'
            yield Finding(("accept", a), message, "leave it out")
        forms.setdefault(form, accepted)


def _twin_findings(
    items: Sequence[tuple[Path, Item]], earlier: Sequence[Item]
) -> Iterator[Finding]:
    """Yield a finding about the later item of each pair that asks the same question."""
    asking = [(path, item) for path, item in items if not item.lines]  # code shares its words
    before = [item for item in earlier if not item.lines]
    everything = [*before, *(item for _, item in asking)]
    for pair in find_twins(everything):
        if pair.later >= len(before):
            path, later = asking[pair.later - len(before)]
            first = everything[pair.first].id
            message = f'asks much the same as "{first}": {", ".join(pair.shared)}'
            fix = "ask something else in one of them"
            yield Finding((*path, "prompt"), message, fix, "twins", (first, later.id))


def _shared_choices(items: Sequence[tuple[Path, Item]]) -> Iterator[Finding]:
    """Yield the items that share their choices with two others, or as a topic's second pair."""
    sharing: defaultdict[frozenset[str], list[tuple[Path, Item]]] = defaultdict(list)
    for path, item in items:
        if item.choices:
            sharing[frozenset(choice.text.casefold() for choice in item.choices)].append(
                (path, item)
            )
    fix = "write choices of its own, rivals for this prompt"
    pairs: Counter[str] = Counter()
    for first, *others in sharing.values():
        for n, (path, item) in enumerate(others):
            pairs[item.topic_id] += n == 0
            if n > 0 or pairs[item.topic_id] > 1:
                message = f'has the choices of "{first[1].id}"'
                yield Finding((*path, "choices"), message, fix)


def longest_share(items: Iterable[Item]) -> float:
    """Return the share of choice items whose right choice is the longest.

    A tie counts as much as a guess among the tied choices would win.
    """
    wins = []
    for item in items:
        if item.kind == "choice":
            longest = max(len(choice.text) for choice in item.choices)
            tied = [choice.correct for choice in item.choices if len(choice.text) == longest]
            wins.append(any(tied) / len(tied))
    return sum(wins) / max(len(wins), 1)


def statistics(bank: Bank) -> Mapping[str, Mapping[str, int]]:
    """Count a bank's topics and items, also by section, kind and difficulty."""
    items = list(bank.asked.values())
    opposites = Counter(
        len(point.opposites) for topic in bank.topics.values() for point in topic.key_points
    )
    areas = {"cases by area": Counter(case.area for case in bank.cases)} if bank.cases else {}
    return areas | {
        "total": {
            "sections": len(bank.sections),
            "topics": len(bank.topics),
            "items": len(items),
            "with code": sum(item.code is not None for item in items),
            "with a formula": sum(item.formula is not None for item in items),
            "typed with a tolerance": sum(item.tolerance > 0 for item in items),
            "with a date": sum(item.as_of is not None for item in items),
            'with "et al." in the prompt': sum("et al" in item.prompt for item in items),
            "with a source of their own": sum(item.reference is not None for item in items),
            "that turn on a number": sum(numbers.turns_on_a_number(item) for item in items),
            "fewest items in a topic": min((len(t.items) for t in bank.topics.values()), default=0),
        },
        "section": Counter(bank.section_of(item) for item in items),
        "kind": Counter(item.kind for item in items),
        "difficulty": Counter(str(n) for n in sorted(item.difficulty for item in items)),
        "opposites of a key point": {str(n): opposites[n] for n in sorted(opposites)},
        "weight of a topic": Counter(
            str(n) for n in sorted(t.weight for t in bank.topics.values())
        ),
    }


def line_numbers(text: str) -> dict[Path, int]:
    """Return the line, from 1, where each value of a valid JSON text begins, by path."""
    found: dict[Path, int] = {}
    # For each open object its current key, for each open list its current index.
    stack: list[list[str | int]] = []
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
