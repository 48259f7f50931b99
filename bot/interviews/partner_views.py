"""The cards of an interview with a partner: in the channel, in the thread, and in private."""

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
    button,
    own_id,
    row,
    separator,
)
from bot.chat.router import ONE_TOPIC, PAGE, ROW, TOPIC, Route
from bot.chat.ways import way
from bot.interviews.model import PartnerCard, PartnerEnding, PartnerInterview, PartnerState
from bot.interviews.rules import OPEN_FOR, TURNS
from bot.interviews.views import MAX_LABEL, asked
from bot.questions.model import Topic

NUMBER = "[1-9]"
MARK = "[0-9]{1,10}"
LOOK = Route("partner", {"topic": TOPIC}, once=True)
LOOK_ON_CASE = Route("partner", {"of": "case", "case": ONE_TOPIC}, once=True)
JOIN = Route("partnerjoin", {"row": ROW}, once=True)
WITHDRAW = Route("partnerclose", {"row": ROW}, once=True)
EXCHANGE = Route("partnerexchange", {"row": ROW}, once=True)
# Only for the member who asks: their card, and its list of key points.
CARD = Route("partnercard", {"row": ROW, "number": NUMBER, "page": PAGE})
TICK = Route("partnertick", {"row": ROW, "number": NUMBER, "mark": MARK})
ASK = Route("partnerask", {"row": ROW, "number": NUMBER}, once=True)
SHOW = Route("partnershow", {"row": ROW, "number": NUMBER, "mark": MARK}, once=True)
# Only for the member who answered.
TICKS = Route("partnerticks", {"row": ROW, "number": NUMBER})
CONFIRM = Route(
    "partnerconfirm",
    {"row": ROW, "number": NUMBER, "mark": MARK, "said": "[0-5]{1,6}|none"},
    once=True,
)
# For both.
END = Route("partnerend", {"do": "ask|sure", "row": ROW}, once=True)
SWAP = Route("partnerswap", {"row": ROW}, once=True)
REPORT = Route("partnerreport", {"row": ROW})
APART = Route("partnerapart", {"do": "ask|sure", "row": ROW}, once=True)

_PAGE_LENGTH = 3300
_FOLLOW_UPS = {
    "weak": "if little was said",
    "fair": "if the core was there",
    "strong": "if nearly all was there",
}
_OVER = {
    PartnerEnding.DONE: "That was the last question. Well done, both of you.",
    PartnerEnding.STOPPED: "One of you has ended it.",
    PartnerEnding.IDLE: "Nothing happened for an hour, so I've ended it.",
    PartnerEnding.LEFT: "One of you has left or can't be in this thread.",
    PartnerEnding.NO_TOPIC: "No question is left to ask right now.",
}


def look_button(topic_id: str | None) -> ui.Button[ui.LayoutView]:
    return button("With a partner", LOOK.id(topic=topic_id or ""))


def look_on_case_button(case_id: str) -> ui.Button[ui.LayoutView]:
    return button("With a partner", LOOK_ON_CASE.id(case=case_id))


def looking(card: PartnerCard) -> Message:
    """The card in the channel that looks for a partner."""
    search = card.interview
    until = t.when(search.created_at + OPEN_FOR)
    how = "You interview each other in a private thread, two questions each."
    if search.case_id is not None:
        how = f"You interview {_first(card)} in a private thread, in four steps. I tell you what to ask."
    return Message(
        OPEN,
        f"{_first(card)} looks for a partner{_on(card)}",
        f"-# {how} Open until {until}.",
        row(button("I'm in", JOIN.id(row=search.id), PRIMARY)),
    )


def posted(search: PartnerInterview, channel_id: int | None) -> Message:
    """Tell a member where their card is. They have one at a time."""
    here = "in this channel" if search.channel_id == channel_id else f"in <#{search.channel_id}>"
    until = t.when(search.created_at + OPEN_FOR)
    return Message(
        OPEN,
        f"Your card is {here} until {until}. Whoever presses **I'm in** gets a private thread with you.",
        row(button("Take it down", WITHDRAW.id(row=search.id))),
    )


def withdrawn() -> Message:
    return Message(ENDED, "I've taken your card down.", row(way("interview")))


def taken(card: PartnerCard) -> Message:
    """The card in the channel once somebody has pressed it."""
    first, second = (t.name(card.names.get(member)) for member in card.interview.members)
    if card.interview.case_id is not None:
        return Message(ENDED, f"{second} interviews {first}{_on(card)}")
    return Message(ENDED, f"{first} and {second} interview each other{_on(card)}")


def joined(card: PartnerCard) -> str:
    return f"You're in. In a moment I'll open a private thread for you and {_first(card)}."


def closed(card: PartnerCard) -> Message:
    """The card in the channel if it leads to no interview."""
    if card.interview.ending is PartnerEnding.REFUSED:
        return Message(
            ENDED,
            "I couldn't open a private thread in this channel. Ask a moderator to allow me Create Private Threads "
            "and Send Messages in Threads, then look again.",
            row(way("interview")),
        )
    if card.interview.second_id is None:
        words = f"{_first(card)} was looking for a partner{_on(card)}"
    elif card.interview.ending is PartnerEnding.LEFT:
        words = "One of the two has left, so there is no interview."
    else:
        words = "I couldn't open a private thread for this interview."
    return Message(ENDED, words, "-# This card is closed.", row(way("interview")))


def turn(card: PartnerCard) -> Message:
    """The card in the thread that says who asks."""
    found, topic = card.interview, card.topic
    assert topic is not None
    asker, answerer = t.name(card.asker), t.name(card.answerer)
    start = "You ask each other two questions. Talk in a voice channel, or write here."
    if found.case_id is not None:
        start = f"{asker} takes {answerer} through a case. Talk in a voice channel, or write here."
    return Message(
        OPEN,
        start if found.turn == 1 else None,
        f"{_head(card)} · {t.one_line(card.section)} · {t.one_line(topic.title)}",
        f"### {asker} asks {answerer}\n"
        f"{asker} has the question and what to listen for on **My card**.\n"
        f"{answerer} answers aloud or in writing, as in an interview.",
        row(
            button("My card", CARD.id(row=found.id, number=found.turn, page=0), PRIMARY),
            button("Exchange roles", EXCHANGE.id(row=found.id)) if found.turn == 1 else None,
            button("End", END.id(do="ask", row=found.id)),
        ),
        container_id=_mark(found, 0),
    )


def exchanged() -> Message:
    """The first card in the thread once the roles are exchanged."""
    return Message(ENDED, "You've exchanged roles. Use the newest card.")


def asker_card(card: PartnerCard, page: int) -> Message:
    """Return what only the member who asks sees."""
    found, topic = card.interview, card.topic
    assert topic is not None
    pages, first_further = _asker_pages(topic)
    page = min(page, len(pages) - 1)
    key = {"row": found.id, "number": found.turn}
    shown = found.state in {PartnerState.SHOWING, PartnerState.CONFIRMING}
    note = f"{t.name(card.answerer)} can see these ticks. " if shown else ""
    further = "Ask further" if page + 1 == first_further else "Next"
    return Message(
        OPEN,
        f"{_head(card)} for {t.name(card.answerer)} · only you see this",
        pages[page],
        separator(),
        f"-# {note}Ticked: {len(card.ticks)} of {len(topic.key_points)}.",
        row(_tick_list(card)),
        row(
            None if shown else button("Show my ticks", SHOW.id(**_points(found)), PRIMARY),
            button("Post the question", ASK.id(**key)),
        ),
        row(
            button("Back", CARD.id(**key, page=page - 1)) if page else None,
            button(further, CARD.id(**key, page=page + 1)) if page + 1 < len(pages) else None,
        ),
    )


def _asker_pages(topic: Topic) -> tuple[list[str], int]:
    """Return the pages of an asker's card, and the index of the first one with follow-ups."""
    points = "\n".join(
        f"{n}. {t.one_line(point.text)}" for n, point in enumerate(topic.key_points, start=1)
    )
    follow_ups = "\n".join(
        f"- {t.one_line(each.question)}"
        + ("" if topic.setting else f" ({_FOLLOW_UPS[each.when]})")
        + (f"\n-# A good answer: {t.one_line(each.hint)}" if each.hint else "")
        for each in topic.follow_ups
    )
    told = [t.escape(topic.setting)] if topic.setting else []
    listen = f"**What to listen for**\n{points}"
    pages = t.pages([*told, asked(topic), listen], _PAGE_LENGTH)
    further = t.pages([f"**Ask further**\n{follow_ups}"], _PAGE_LENGTH) if follow_ups else []
    return [*pages, *further], len(pages)


def _tick_list(card: PartnerCard) -> ui.Select[ui.LayoutView]:
    """Return the list of key points, to tick those that were said."""
    assert card.topic is not None
    points = card.topic.key_points
    return ui.Select(
        custom_id=TICK.id(**_points(card.interview)),
        placeholder="Tick what they say",
        min_values=0,
        max_values=len(points),
        options=[
            discord.SelectOption(
                label=t.cut(f"{n + 1}. {' '.join(point.text.split())}", MAX_LABEL),
                value=str(n),
                default=n in card.ticks,
            )
            for n, point in enumerate(points)
        ],
    )


def replaced() -> Message:
    return Message(
        ENDED,
        "That question was changed or can't be asked right now, so I'm moving on. "
        "See the newest card in the thread.",
    )


def question(card: PartnerCard) -> Message:
    """The question in the thread, for the member who answers."""
    assert card.topic is not None
    setting = t.escape(card.topic.setting)
    return Message(OPEN, setting or None, separator() if setting else None, asked(card.topic))


def ticks_ready(card: PartnerCard) -> Message:
    """The card in the thread that lets the member who answered see the ticks."""
    found = card.interview
    asker, answerer = t.name(card.asker), t.name(card.answerer)
    return Message(
        OPEN,
        _head(card),
        f"{answerer}, {asker} has ticked what you said. Have a look, and confirm it.",
        row(
            button("See the ticks", TICKS.id(row=found.id, number=found.turn), PRIMARY),
            button("End", END.id(do="ask", row=found.id)),
        ),
        container_id=_mark(found, 1),
    )


def ticks(card: PartnerCard) -> Message:
    """The ticks, for the member who answered to confirm."""
    found, topic, asker = card.interview, card.topic, t.name(card.asker)
    assert topic is not None
    missing = [t.one_line(p.text) for n, p in enumerate(topic.key_points) if n not in card.ticks]
    confirm = CONFIRM.id(**_points(found), said=found.ticks or "none")
    return Message(
        REVEALED if card.ticks else ENDED,
        f"{_head(card)} · {t.one_line(topic.title)}",
        f"### {asker} ticked {len(card.ticks) or 'none'} of {len(topic.key_points)}",
        "\n- ".join(["**Missing**", *missing]) if missing else None,
        f"-# Not quite? Tell {asker}, who can change the ticks until you confirm.",
        row(button("Confirm", confirm, PRIMARY)),
    )


def over(card: PartnerCard) -> Message:
    """The last card in the thread."""
    found = card.interview
    words = _OVER.get(found.ending or PartnerEnding.LOST, "It can't go on.")
    answered = found.first_interview_id or found.second_interview_id
    swaps = found.case_id is not None and found.ending is PartnerEnding.DONE
    counts = "-# What you answered counts as an interview and for your streak."
    return Message(
        ENDED,
        f"### Interview over\n{words}",
        counts if answered else None,
        row(
            button("My report", REPORT.id(row=found.id), PRIMARY) if answered else None,
            button("Another case, the other way round", SWAP.id(row=found.id)) if swaps else None,
            button("Not with them again", APART.id(do="ask", row=found.id)),
            way("interview"),
        ),
    )


def swapped() -> Message:
    return Message(ENDED, "Another case begins in this thread. Use the newest card.")


def confirm_end(key: int) -> Message:
    return Message(
        ENDED,
        "End this interview for both of you? What was confirmed counts.",
        row(button("End the interview", END.id(do="sure", row=key), DANGER)),
    )


def ended() -> Message:
    return Message(ENDED, "I've ended the interview.")


def confirm_apart(key: int) -> Message:
    return Message(
        ENDED,
        "Never be put together with them again? They aren't told, and it stays so even if you delete your data.",
        row(button("Not with them again", APART.id(do="sure", row=key), DANGER)),
    )


def apart() -> Message:
    words = "Done. Neither of you can take the other's card."
    return Message(ENDED, words, row(way("interview")))


def _head(card: PartnerCard) -> str:
    kind = "Question" if card.interview.case_id is None else "Step"
    return f"-# {kind} {card.interview.turn} of {TURNS}"


def _mark(found: PartnerInterview, kind: int) -> int:
    """Return an id that tells a card of the question from others, whose End button is the same."""
    asked_at = found.asked_at or found.created_at
    return own_id(2 * int(1000 * asked_at.timestamp()) + kind)


def _points(found: PartnerInterview) -> dict[str, int]:
    """Return the fields of a button that is about the key points which are ticked now."""
    return {"row": found.id, "number": found.turn, "mark": found.asked_mark or 0}


def _first(card: PartnerCard) -> str:
    return t.name(card.names.get(card.interview.first_id))


def _on(card: PartnerCard) -> str:
    """Name the topic that is wanted, if any, or the case."""
    if card.case is not None:
        return f" on a case: {t.one_line(card.case.title)}"
    if card.interview.topic_id is None or card.topic is None:
        return " for a mock interview" if card.interview.second_id is None else ""
    return f" on {t.one_line(card.topic.title)}"
