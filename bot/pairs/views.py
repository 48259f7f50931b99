"""The messages of pairs: the search, the proposal, the interview's cards, and its end."""

from __future__ import annotations

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    DANGER,
    ENDED,
    OPEN,
    PRIMARY,
    REVEALED,
    Message,
    Part,
    PlainMessage,
    button,
    link_button,
    own_id,
    pager,
    row,
    separator,
)
from bot.chat.router import PAGE, ROW, Route
from bot.core.servers import DEFAULT_ZONE
from bot.pairs.cards import AskerCard, PairMessage, PairStatus, Status
from bot.pairs.rules import TURNS, WEEK, Ending, MessageKind, PairState, Search, feedback
from bot.questions.model import Topic

NUMBER = "[1-9]"
STOP = Route("pairstop", {}, once=True)
ANSWER = Route("pairanswer", {"do": "accept|decline", "pair": ROW}, once=True)
HERE = Route("pairhere", {"pair": ROW}, once=True)
# Only for the member who asks: their card, the list of key points, and the posts.
CARD = Route("paircard", {"pair": ROW, "number": NUMBER, "page": PAGE})
TICK = Route("pairtick", {"pair": ROW, "number": NUMBER})
SHOW = Route(
    "pairshow", {"what": "question|result|nothing", "pair": ROW, "number": NUMBER}, once=True
)
# For both members.
MODEL = Route("pairmodel", {"pair": ROW, "number": NUMBER, "page": PAGE})
END = Route("pairend", {"do": "ask|sure", "pair": ROW}, once=True)
REPORT = Route("pairreport", {"pair": ROW})

_PAGE_LENGTH = 3300
_MAX_LABEL = 100
"""Characters of an option in a select menu; Discord takes no more.
https://discord.com/developers/docs/components/reference#string-select-select-option-structure"""
_FOLLOW_UPS = {
    "weak": "if little was said",
    "fair": "if the core was there",
    "strong": "if nearly all was there",
}
_PRESS = "Press **My card** for the question and what to listen for."
_HOW = "Answer aloud or in writing, as in an interview."
_TALK = {
    True: "Talk in a voice channel, or write here.",
    False: "Call each other, or write to each other in your own direct messages.",
}
_OVER = {
    Ending.DONE: "That was the last question. Well done, both of you.",
    Ending.STOPPED: "One of you has ended it.",
    Ending.IDLE: "Nothing happened for an hour, so I've ended it.",
    Ending.ABSENT: "Ten minutes are over, and not everybody came.",
    Ending.LEFT: "One of you has left.",
    Ending.LOST: "I can no longer write to one of you, so I've ended it.",
    Ending.NO_TOPIC: "No question is left to ask right now.",
}
_FREED = {
    Ending.DECLINED: "{} can't take part this time.",
    Ending.SILENT: "{} didn't answer.",
    Ending.ABSENT: "{} didn't come.",
    Ending.LEFT: "{} has stopped looking.",
}


def welcome(search: Search) -> PlainMessage:
    """Return the first direct message, which proves that later ones arrive."""
    return PlainMessage(
        "I'll write to you here when I've found a partner for a mock interview. "
        f"I keep looking until {t.when(search.ends_at)}.",
        button("Stop looking", STOP.id()),
    )


def stopped() -> Message:
    return Message(ENDED, "I've stopped looking. Start again with </pair>.")


def status(found: Status, problem: str | None = None) -> Message:
    """Return the state of a member's search, with its buttons.

    `problem` tells why there will be no private thread.
    """
    if found.pair is not None:
        return _pair_status(found.pair)
    if not found.reached:
        return Message(
            OPEN,
            "### Looking for a partner\nDiscord is slow with my direct message to you. "
            "I start as soon as it has arrived.",
            row(button("Stop looking", STOP.id())),
        )
    where = " on another server" if found.elsewhere else ""
    again = "You're already looking" + where + ". " if found.continued else ""
    zone = f" ({found.zone})" if found.hours != "any" else ""
    notes = []
    if found.hours != "any" and found.zone == DEFAULT_ZONE:
        notes.append("-# Is that not your time zone? Set yours with </remind>, then look again.")
    if problem:
        notes.append(f"-# {problem} Your interview will run in direct messages.")
    return Message(
        OPEN,
        f"### Looking for a partner\n{t.one_line(found.topic or 'Any topic')} · {WEEK[found.hours].words}{zone}",
        f"{again}I'll send you a direct message when I've found somebody. "
        f"I keep looking until {t.when(found.ends_at)}.",
        *notes,
        row(button("Stop looking", STOP.id())),
    )


def _pair_status(pair: PairStatus) -> Message:
    partner = t.name(pair.partner)
    match pair.state:
        case PairState.PROPOSED if pair.ready:
            return Message(
                OPEN,
                f"### Accepted\nI'll write to you when {partner} has answered.",
                row(_decline(pair.pair_id, "Can't make it"), button("Stop looking", STOP.id())),
            )
        case PairState.PROPOSED:
            return Message(
                OPEN,
                f"### A partner for you: {partner}\n{_offer(pair.topics, pair)}",
                row(*_answers(pair.pair_id)),
            )
        case PairState.AGREED if not pair.now:
            return Message(
                OPEN,
                f"### You meet {partner}\n{t.when(pair.starts_at, 'F')}. "
                "I'll send you a direct message when it begins.",
                row(_decline(pair.pair_id, "Can't make it")),
            )
        case PairState.AGREED | PairState.OPENING:
            return Message(
                OPEN,
                f"### You and {partner} are set\nYour interview begins in a moment. I'll send you a direct message.",
            )
    here = button("I'm here", HERE.id(pair=pair.pair_id), PRIMARY)
    card = None
    begun = "It has begun."
    if pair.number is not None:
        begun = f"Question {pair.number} of {TURNS}: you ask. Press **My card** for the question."
        card = button("My card", CARD.id(pair=pair.pair_id, number=pair.number, page=0), PRIMARY)
    return Message(
        OPEN,
        f"### Your interview with {partner}\n{begun}",
        row(
            here if pair.state is PairState.GATHERING and not pair.ready else None,
            card,
            link_button("Open the thread", pair.thread) if pair.thread else None,
            button("End", END.id(do="ask", pair=pair.pair_id)),
        ),
    )


def _offer(topics: tuple[str, ...], card: PairStatus | PairMessage) -> str:
    on = f" on {' and '.join(map(t.one_line, topics))}" if topics else ""
    when = "as soon as you both accept" if card.now else f"on {t.when(card.starts_at, 'F')}"
    by = f" Answer by {t.when(card.answer_by)}." if card.answer_by else ""
    return f"A mock interview{on}, {when}. Each of you asks the other two questions.{by}"


def _answers(pair_id: int) -> list[ui.Button[ui.LayoutView]]:
    return [
        button("Accept", ANSWER.id(do="accept", pair=pair_id), PRIMARY),
        _decline(pair_id, "Decline"),
        button("Stop looking", STOP.id()),
    ]


def _decline(pair_id: int, label: str) -> ui.Button[ui.LayoutView]:
    return button(label, ANSWER.id(do="decline", pair=pair_id))


def message(card: PairMessage) -> Message | PlainMessage:
    """Return a message in the thread or in direct messages."""
    match card.kind:
        case MessageKind.GATHER:
            return _gather(card)
        case MessageKind.TURN:
            return _turn(card)
        case MessageKind.QUESTION:
            assert card.topic is not None
            return _marked(card, OPEN, t.heading(card.topic.question))
        case MessageKind.RESULT:
            return _result(card)
        case MessageKind.MODEL:
            return _model(card)
        case MessageKind.OVER:
            return _over(card)
    return _notice(card)


def _notice(card: PairMessage) -> PlainMessage:
    """Return a direct message in plain text, so that a phone's notification shows it."""
    partner = t.name(card.partner)
    again = "Look again with `/pair` on the server."
    match card.kind:
        case MessageKind.PROPOSED:
            offer = _offer(card.wanted, card)
            return _plain(
                card,
                f"I've found a partner for you: {partner}. {offer}",
                *_answers(card.pair_id),
            )
        case MessageKind.AGREED:
            return _plain(
                card,
                f"You meet {partner} on {t.when(card.starts_at, 'F')}. I'll write to you here when it begins.",
                _decline(card.pair_id, "Can't make it"),
            )
        case MessageKind.BEGINS:
            return _plain(
                card,
                f"Your mock interview with {partner} begins now. Press **I'm here** in its thread within ten minutes.",
                link_button("Open the thread", card.thread or "https://discord.com"),
            )
        case MessageKind.FREED:
            until = f", until {t.when(card.looks_until)}" if card.looks_until else ""
            return _plain(
                card,
                f"{_why_freed(card)} I go on looking for you{until}.",
                button("Stop looking", STOP.id()),
            )
        case MessageKind.STOPPED:
            what = {
                Ending.SILENT: f"Your answer to {partner} didn't come in time",
                Ending.ABSENT: f"Your interview with {partner} has ended because you weren't there",
            }
            why = what.get(card.ending or Ending.LOST, "Your interview couldn't take place")
            return PlainMessage(f"{why}, so I've stopped looking. {again}")
    if card.ending is None:
        return PlainMessage(
            f"Your search has ended, because nobody fitted in its 48 hours. {again}"
        )
    return PlainMessage(f"{_why_freed(card)} The 48 hours of your search are over too. {again}")


def _why_freed(card: PairMessage) -> str:
    words = _FREED.get(card.ending or Ending.LOST, "Your interview couldn't take place.")
    return words.format(t.name(card.partner))


def _plain(card: PairMessage, words: str, *buttons: ui.Button[ui.LayoutView]) -> PlainMessage:
    """Return a direct message that can be told from others with the same buttons."""
    buttons[0].id = own_id(card.message_id)
    return PlainMessage(words, *buttons)


def _marked(card: PairMessage, colour: discord.Colour, *parts: Part | None) -> Message:
    """Return a message that can be told from others, whatever its buttons are."""
    return Message(colour, *parts, container_id=own_id(card.message_id))


def _gather(card: PairMessage) -> Message:
    first, second = map(t.name, card.names)
    return _marked(
        card,
        OPEN,
        f"### Mock interview: {first} and {second}\n"
        f"Two questions each. {first} asks first. {_TALK[card.thread is not None]}",
        "-# Press **I'm here**, both of you, within ten minutes.",
        row(
            button("I'm here", HERE.id(pair=card.pair_id), PRIMARY),
            button("End", END.id(do="ask", pair=card.pair_id)),
        ),
    )


def _turn(card: PairMessage) -> Message:
    assert card.topic is not None
    asker, answerer = t.name(card.asker), t.name(card.answerer)
    key = {"pair": card.pair_id, "number": card.number}
    lines = {
        True: f"### You ask {answerer}\n{_PRESS}",
        False: f"### {asker} asks you\n{_HOW}",
        None: (
            f"### {asker} asks {answerer}\n{asker}: {_PRESS[0].lower()}{_PRESS[1:]}\n"
            f"{answerer}: {_HOW[0].lower()}{_HOW[1:]}"
        ),
    }
    for_asker = card.asks is not False
    return _marked(
        card,
        OPEN,
        f"-# Question {card.number} of {TURNS} · {t.one_line(card.section)} · {t.one_line(card.topic.title)}",
        lines[card.asks],
        row(
            button("My card", CARD.id(**key, page=0), PRIMARY) if for_asker else None,
            button("Show the question", SHOW.id(what="question", **key)) if for_asker else None,
            button("End", END.id(do="ask", pair=card.pair_id)),
        ),
    )


def asker_card(card: AskerCard, page: int = 0) -> Message:
    """Return what only the member who asks sees. `page` is ignored for a question just exchanged."""
    points = card.topic.key_points
    pages, first_further = _asker_pages(card.topic)
    page = 0 if card.exchanged else min(page, len(pages) - 1)
    shown = "They have the question in writing." if card.shown else "Read the question aloud."
    key = {"pair": card.pair_id, "number": card.number}
    return Message(
        OPEN,
        f"-# Question {card.number} of {TURNS} for {t.name(card.partner)} · only you see this",
        _EXCHANGED if card.exchanged else None,
        pages[page],
        separator(),
        f"-# {shown} Ticked: {len(card.ticks)} of {len(points)}.",
        row(_tick_list(card)),
        row(
            button("Done, show the result", SHOW.id(what="result", **key), PRIMARY),
            None if card.shown else button("Show the question", SHOW.id(what="question", **key)),
        ),
        row(
            button("Back", CARD.id(**key, page=page - 1)) if page else None,
            button(
                "Ask further" if page + 1 == first_further else "Next",
                CARD.id(**key, page=page + 1),
            )
            if page + 1 < len(pages)
            else None,
        ),
    )


_EXCHANGED = "-# The question before is a question of the day now, so ask this one."


def _asker_pages(topic: Topic) -> tuple[list[str], int]:
    """Return the pages of an asker's card, and the index of the first one with follow-ups."""
    points = "\n".join(
        f"{n}. {t.one_line(point.text)}" for n, point in enumerate(topic.key_points, start=1)
    )
    follow_ups = "\n".join(
        f"- {t.one_line(each.question)} ({_FOLLOW_UPS[each.when]})"
        + (f"\n-# A good answer: {t.one_line(each.hint)}" if each.hint else "")
        for each in topic.follow_ups
    )
    pages = t.pages([t.heading(topic.question), f"**What to listen for**\n{points}"], _PAGE_LENGTH)
    further = t.pages([f"**Ask further**\n{follow_ups}"], _PAGE_LENGTH) if follow_ups else []
    return [*pages, *further], len(pages)


def _tick_list(card: AskerCard) -> ui.Select[ui.LayoutView]:
    """Return the list of key points, to tick those that were said."""
    points = card.topic.key_points
    return ui.Select(
        custom_id=TICK.id(pair=card.pair_id, number=card.number),
        placeholder="Tick what they say",
        min_values=0,
        max_values=len(points),
        options=[
            discord.SelectOption(
                label=t.cut(f"{n + 1}. {' '.join(point.text.split())}", _MAX_LABEL),
                value=str(n),
                default=n in card.ticks,
            )
            for n, point in enumerate(points)
        ],
    )


def confirm_nothing(card: AskerCard) -> Message:
    """Ask once more before a result without a ticked point, which ends the question."""
    key = {"pair": card.pair_id, "number": card.number}
    return Message(
        OPEN,
        f"You haven't ticked anything. Show {t.name(card.partner)} 0 of "
        f"{t.count(len(card.topic.key_points), 'key point')}?",
        row(
            button("Yes, show that", SHOW.id(what="nothing", **key)),
            button("Back to my card", CARD.id(**key, page=0), PRIMARY),
        ),
    )


def _result(card: PairMessage) -> Message:
    assert card.topic is not None
    points = [t.one_line(point.text) for point in card.topic.key_points]
    groups = (
        ("**Covered**", [p for n, p in enumerate(points) if n in card.ticks]),
        ("**Missing**", [p for n, p in enumerate(points) if n not in card.ticks]),
    )
    said = "You" if card.asks is False else t.name(card.answerer)
    return _marked(
        card,
        REVEALED if card.ticks else ENDED,
        f"-# Question {card.number} of {TURNS} · {t.one_line(card.topic.title)}",
        f"### {said} covered {len(card.ticks)} of {t.count(len(points), 'key point')}\n"
        f"-# As {t.name(card.asker)} ticked",
        *("\n".join([title, *(f"- {p}" for p in listed)]) for title, listed in groups if listed),
        feedback(len(card.ticks), len(points)),
    )


def _model(card: PairMessage) -> Message:
    assert card.topic is not None
    first, *rest = t.pages([t.escape(card.topic.answer)], _PAGE_LENGTH)
    more = None
    if rest:
        more = row(
            button("Read on", MODEL.id(pair=card.pair_id, number=card.number, page=1)),
        )
    return _marked(card, REVEALED, "**A good answer**", first, more)


def model_page(topic: Topic, pair_id: int, number: int, page: int) -> Message:
    """Return a page of a long model answer."""
    found = t.pages([t.escape(topic.answer)], _PAGE_LENGTH)
    page = min(page, len(found) - 1)
    link = pager(page, len(found), lambda _, n: MODEL.id(pair=pair_id, number=number, page=n))
    return Message(REVEALED, "**A good answer**", found[page], row(*link))


def _over(card: PairMessage) -> Message:
    report = None
    find = "`/pair` on the server" if card.thread is None else "</pair>"
    counts = f"-# Find another partner with {find}."
    if card.answered:
        report = row(button("My report", REPORT.id(pair=card.pair_id), PRIMARY))
        counts = f"-# What you answered counts as an interview and for your streak. Find another partner with {find}."
    words = _OVER.get(card.ending or Ending.LOST, _OVER[Ending.LOST])
    return _marked(card, ENDED, f"### Interview over\n{words}", counts, report)


def confirm_end(pair_id: int) -> Message:
    return Message(
        ENDED,
        "End this interview for both of you? What was answered counts.",
        row(button("End the interview", END.id(do="sure", pair=pair_id), DANGER)),
    )


def ended() -> Message:
    return Message(ENDED, "I've ended the interview.")


def result_shown(status: Status | None) -> Message:
    """Return what replaces the asker's card once its ticks are shown."""
    if status is None or status.pair is None:
        return Message(ENDED, "Shown to both of you. That was the last question.")
    return Message(ENDED, f"Shown to both of you. {t.name(status.pair.partner)} asks you next.")


def waiting_for(status: Status | None) -> str:
    """Tell a member who has come that the other one is still missing."""
    partner = t.name(status.pair.partner if status and status.pair else None)
    return f"Good. It begins as soon as {partner} presses **I'm here** too."
