"""The pages of insights: an overview, and lists of questions."""

from __future__ import annotations

from bot.bank.insights_rules import EASY, FEWEST_OF_TOPIC, FEWEST_PEOPLE, HARD, WEAK
from bot.bank.model import Insights, Judged, TopicResult
from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, button, pager, row, separator
from bot.chat.router import PAGE, Route
from bot.chat.ways import way
from bot.questions.model import Bank, Item
from bot.questions.views import week_button

LISTS = {
    "doubtful": "Doubtful",
    "hard": "Too hard",
    "easy": "Too easy",
    "reported": "Reported",
}
INSIGHTS = Route(
    "insights",
    {"list": "|".join(["all", *LISTS]), "slot": "open|prev|next", "page": PAGE},
    command="</bank>",
)
OVERVIEW = INSIGHTS.id(list="all", slot="open", page=0)
WEAKEST = Route("weakest", {"topic": "[a-z0-9-]{1,48}"}, once=True, command="</bank>")
"""Starts a round on a topic."""

_PAGE_LENGTH = 1600
"""The number of characters on one page of a list."""
_MEANING = {
    "doubtful": "Among those who do well otherwise, a wrong answer beats the right one. Check the key and the wording.",
    "hard": f"Less than {HARD}% of the answers are right.",
    "easy": f"At least {EASY}% of the answers are right.",
    "reported": "Members said that something is wrong with them.",
}


def overview(found: Insights) -> Message:
    """Return the overview: where the server is weak, what to do about it, and the lists."""
    sizes = {name: len(getattr(found, name)) for name in LISTS}
    lists = [
        button(f"{LISTS[n]} ({size:,})", _link(n, "open", 0)) for n, size in sizes.items() if size
    ]
    weakest = found.weakest[0] if found.weakest else None
    steps = [way("quiz", PRIMARY)]
    if weakest is not None:
        start = WEAKEST.id(topic=weakest.topic_id)
        steps = [week_button(weakest.topic_id), button("Start a round on it", start, PRIMARY)]
    return Message(
        OPEN if found.topics else ENDED,
        f"### What the answers say\n-# {t.count(found.answers, 'answer')} here in the last year",
        _weak(found),
        row(*lists),
        row(*steps),
    )


def _weak(found: Insights) -> str:
    """Say on what a server is weak, if that is known."""
    if not found.topics:
        return (
            f"Where you're weak shows here once {FEWEST_PEOPLE} members have given "
            f"{FEWEST_OF_TOPIC} answers on a topic."
        )
    if not found.weakest:
        return f"No topic stands out: at least {WEAK}% of the answers on each are right."
    first, *others = found.weakest
    head = f"This server is weakest on **{t.one_line(first.title)}**: {result(first)}."
    more = [f"- {t.one_line(w.title)}: {result(w)}" for w in others]
    return "\n".join([head, *(["Then:", *more] if more else [])])


def result(found: TopicResult) -> str:
    """For example `2 of 7 right`."""
    return f"{found.right:,} of {found.answers:,} right"


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
    right = t.percent(judged.right, judged.answers)
    return f"{_asked(judged.item, bank)} · {right} of {t.count(judged.answers, 'answer')} right"


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


def _reported(asked_id: str, count: int, bank: Bank) -> str:
    times = t.count(count, "report")
    if asked_id in bank.asked:
        return f"{_asked(bank.asked[asked_id], bank)} · {times}"
    topic = bank.open_topics[asked_id]
    return f"{t.one_line(topic.question)}\n-# {t.one_line(topic.title)} · open question · {times}"


def _asked(item: Item, bank: Bank) -> str:
    return f"{t.one_line(item.prompt)}\n-# {t.one_line(bank.topic_of(item).title)} · {item.level}"


def _blocks(found: Insights, bank: Bank, name: str) -> list[str]:
    """Return the entries of a list."""
    match name:
        case "doubtful":
            return [_doubted(j, bank) for j in found.doubtful]
        case "hard":
            return [_judged(j, bank) for j in found.hard]
        case "easy":
            return [_judged(j, bank) for j in found.easy]
        case _:
            return [_reported(asked_id, count, bank) for asked_id, count in found.reported]
