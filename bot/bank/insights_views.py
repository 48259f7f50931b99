"""The pages of insights: an overview with a picture, and lists of questions."""

from __future__ import annotations

from collections.abc import Iterable

from bot.bank.insights_rules import EASY, FEWEST_ANSWERS, HARD
from bot.bank.model import Insights, Judged, WeakTopic
from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, button, pager, row, separator
from bot.chat.pictures import (
    ACCENT,
    INK,
    INNER,
    MARGIN,
    MUTED,
    TRACK,
    WIDTH,
    Picture,
    box,
    draw_picture,
    fit_label,
    headline,
    labelled_bar,
    panel,
    right_aligned,
    words,
)
from bot.chat.router import PAGE, Route
from bot.questions.model import Bank, Item

LISTS = {
    "doubtful": "Doubtful",
    "hard": "Too hard",
    "easy": "Too easy",
    "reported": "Reported",
    "unasked": "Never asked",
}
INSIGHTS = Route(
    "insights",
    {"list": "|".join(["all", *LISTS]), "slot": "open|prev|next", "page": PAGE},
    command="</bank>",
)
OVERVIEW = INSIGHTS.id(list="all", slot="open", page=0)
WEAKEST = Route("weakest", {"topic": "[a-z0-9-]{1,48}"}, command="</bank>")
"""Starts a round on a topic."""

_PAGE_LENGTH = 1600
"""The number of characters on one page of a list."""
_BARS = 90
_TITLE = 26
_MEANING = {
    "doubtful": "Among those who do well otherwise, a wrong answer beats the right one. Check the key and the wording.",
    "hard": f"Less than {HARD}% of the answers are right.",
    "easy": f"At least {EASY}% of the answers are right.",
    "reported": "Members said that something is wrong with them.",
    "unasked": "No round and no question of the day has asked them here.",
}


async def overview(found: Insights) -> Message:
    """Return the overview, with a button for each non-empty list and each weak topic."""
    sizes = {name: len(getattr(found, name)) for name in LISTS}
    lists = [
        button(f"{LISTS[n]} ({size:,})", _link(n, "open", 0)) for n, size in sizes.items() if size
    ]
    starts = [
        button(f"Round on {t.cut(w.title, 60)}", WEAKEST.id(topic=w.topic_id), PRIMARY)
        for w in found.weakest
    ]
    weak = "\n".join(
        f"- {t.one_line(w.title)} · {_right(w.right, w.answers)}" for w in found.weakest
    )
    return Message(
        OPEN if found.judged or found.weakest else ENDED,
        f"### What the answers say\n-# {t.count(found.answers, 'answer')} here in the last year",
        _too_few(found),
        await picture(found),
        "\n".join(
            f"**{LISTS[n]}: {size:,}**\n-# {_MEANING[n]}" for n, size in sizes.items() if size
        )
        or None,
        row(*lists),
        separator() if weak else None,
        f"**Weakest topics**\n{weak}" if weak else None,
        *(row(start) for start in starts),
    )


def _too_few(found: Insights) -> str | None:
    if found.judged:
        return None
    most = f" The most so far: {found.most}." if found.most else ""
    return f"A question shows up here once it has {FEWEST_ANSWERS} answers.{most}"


def list_page(found: Insights, bank: Bank, name: str, page: int) -> Message:
    """Return a page of one list of questions."""
    blocks = _blocks(found, bank, name)
    back = button("Overview", OVERVIEW)
    if not blocks:
        return Message(ENDED, f"### {LISTS[name]}\nNothing is on this list now.", row(back))
    pages = t.pages(blocks, _PAGE_LENGTH)
    page = min(page, len(pages) - 1)
    head = f"### {LISTS[name]}\n-# {t.count(len(blocks), 'question')}"
    head += t.page_note(page, len(pages))
    turn = pager(page, len(pages), lambda slot, number: _link(name, slot, number))
    return Message(
        OPEN, head, _MEANING[name], separator(), pages[page], separator(), row(*turn, back)
    )


def _link(name: str, slot: str, page: int) -> str:
    return INSIGHTS.id(list=name, slot=slot, page=page)


def _judged(judged: Judged, bank: Bank) -> str:
    here = "" if judged.level in {None, judged.item.level} else f", {judged.level} for members here"
    return f"{_asked(judged.item, bank)}{here} · {_right(judged.right, judged.answers)}"


def _doubted(judged: Judged, bank: Bank) -> str:
    doubt, item = judged.doubt, judged.item
    assert doubt is not None
    said = f"**{doubt.wrong:,}** of them got it wrong, **{doubt.right:,}** right"
    if doubt.choice is not None:
        wrong, right = (
            t.one_line(choice.text)
            for choice in (item.choices[doubt.choice], item.choices[min(item.right)])
        )
        said = f"**{doubt.wrong:,}** of them chose: {wrong}\n**{doubt.right:,}** chose what counts as right: {right}"
    return f"{_judged(judged, bank)}\n{said}"


def _reported(subject: str, count: int, bank: Bank) -> str:
    times = t.count(count, "report")
    if subject in bank.asked:
        return f"{_asked(bank.asked[subject], bank)} · {times}"
    topic = bank.open_topics[subject]
    return f"{t.one_line(topic.question)}\n-# {t.one_line(topic.title)} · open question · {times}"


def _asked(item: Item, bank: Bank) -> str:
    return f"{t.one_line(item.prompt)}\n-# {t.one_line(bank.topic_of(item).title)} · {item.level}"


def _right(right: int, answers: int) -> str:
    return f"{t.percent(right, answers)} of {t.count(answers, 'answer')} right"


def _blocks(found: Insights, bank: Bank, name: str) -> list[str]:
    """Return the entries of a list."""
    match name:
        case "doubtful":
            return [_doubted(j, bank) for j in found.doubtful]
        case "hard":
            return [_judged(j, bank) for j in found.hard]
        case "easy":
            return [_judged(j, bank) for j in found.easy]
        case "reported":
            return [_reported(subject, count, bank) for subject, count in found.reported]
        case _:
            return [_asked(item, bank) for item in found.unasked]


async def picture(found: Insights) -> Picture | None:
    """Draw how hard the questions are, and the weakest topics; None if there is nothing to draw."""
    if not (found.judged or found.weakest):
        return None
    return await draw_picture("insights.png", alt_text(found), lambda: svg(found))


def alt_text(found: Insights) -> str:
    """Return everything that the picture shows, in words."""
    said = []
    if found.judged:
        spans = (
            f"{10 * n} to {10 * n + (10 if n == 9 else 9)}%: {count:,}"
            for n, count in enumerate(_count_by_tenth(found.judged))
            if count
        )
        said.append(f"{_with_enough(found)}, by share of right answers: {', '.join(spans)}")
    if found.weakest:
        topics = (f"{w.title} {t.percent(w.right, w.answers)}" for w in found.weakest)
        said.append(f"Weakest topics, by right answers: {', '.join(topics)}")
    return ". ".join(said) + "."


def _with_enough(found: Insights) -> str:
    return f"{t.count(len(found.judged), 'question')} with {FEWEST_ANSWERS} answers or more"


def svg(found: Insights) -> str:
    """Draw a column for each tenth of the share of right answers, and a bar for each weak topic."""
    shares, below = _shares(found, 40)
    topics, bottom = _topics(found.weakest, below)
    return panel(bottom + MARGIN, shares, topics)


def _shares(found: Insights, top: float) -> tuple[str, float]:
    if not found.judged:
        return "", top
    counts = _count_by_tenth(found.judged)
    most, step, base = max(counts), INNER / len(counts), top + 74 + _BARS
    parts = [
        headline(top, "Questions by right answers"),
        words(MARGIN, top + 26, _with_enough(found), colour=MUTED),
    ]
    for n, count in enumerate(counts):
        height = max(4, _BARS * count / most)
        left = MARGIN + step * n
        parts.append(box(left + 3, base - height, step - 6, height, ACCENT if count else TRACK))
        if count:
            parts.append(
                words(left + step / 2, base - height - 7, f"{count:,}", colour=INK, anchor="middle")
            )
    hard, easy = (MARGIN + INNER * percent / 100 for percent in (HARD, EASY))
    parts += [
        box(MARGIN + 3, base + 6, hard - MARGIN - 6, 3, MUTED, radius=1),
        box(easy + 3, base + 6, WIDTH - MARGIN - easy - 6, 3, MUTED, radius=1),
        words(MARGIN, base + 30, f"under {HARD}%: too hard", colour=MUTED),
        right_aligned(base + 30, f"from {EASY}%: too easy"),
    ]
    return "".join(parts), base + 36 + (40 if found.weakest else 0)


def _topics(weakest: tuple[WeakTopic, ...], top: float) -> tuple[str, float]:
    if not weakest:
        return "", top
    parts = [headline(top, "Weakest topics")]
    y = top + 32
    for place, w in enumerate(weakest, start=1):
        title = fit_label(w.title, _TITLE, f"Topic {place}")
        parts.append(
            labelled_bar(
                y, title, f"{t.percent(w.right, w.answers)} right", w.answers, (w.right, ACCENT)
            )
        )
        y += 47
    return "".join(parts), y - 28


def _count_by_tenth(judged: Iterable[Judged]) -> tuple[int, ...]:
    """Count the items in each tenth of the share of right answers, from none to all."""
    counts = [0] * 10
    for j in judged:
        counts[min(9, 10 * j.right // j.answers)] += 1
    return tuple(counts)
