"""The messages of a challenge: its card, the private questions, the standings, own answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from discord import ui

from bot.challenges.model import (
    ChallengeOutcome,
    ChallengeSummary,
    Invitation,
    LastAnswer,
    NewChallenge,
    OpenCard,
    PlayerQuestion,
    ResultCard,
    RunResult,
    Step,
)
from bot.chat import text as t
from bot.chat.messages import (
    CHALLENGE,
    ENDED,
    OPEN,
    PRIMARY,
    Message,
    Part,
    PlainMessage,
    button,
    link_button,
    pager,
    row,
    separator,
)
from bot.chat.router import PAGE, ROW, Route
from bot.chat.ways import way
from bot.games.views import amount, fewer, finale, times
from bot.games.views import my_answers as own_answers
from bot.questions.answers import Answered
from bot.questions.views import (
    REPORT,
    answer_rows,
    asked,
    misses_button,
    own_block,
)
from bot.questions.views import about as about_item

TAKE = Route("take", {"challenge": ROW}, once=True)
SKIP = Route("takeskip", {"row": ROW}, once=True)
# Own answers, of a closed challenge or after one's own run; and a rematch.
MINE = Route("taken", {"challenge": ROW, "page": PAGE})
BACK = Route("rematch", {"challenge": ROW}, once=True)

_TITLE = "## ⚔️ Challenge"
_PAGE = 400
"""Characters of a page of the end of a player's run, which takes about 20 lines of a phone."""


def started(found: NewChallenge) -> str:
    """Return the private reply to the member who starts a challenge."""
    who = (
        f"Only {t.name(found.member)} and you can take it."
        if found.member
        else "You can take it too."
    )
    if found.member and not found.pings:
        who += " They have had enough mentions from you today, so this one only names them."
    start = f"Your challenge is on its way to this channel, open until {t.when(found.closes_at)}."
    return f"{start} {who}" + fewer(found.questions, found.wanted)


def announcement(challenge_id: int, about: ChallengeSummary, member_id: int) -> PlainMessage:
    """Return the words that mention the challenged member, before they are edited to the card.

    A notification shows them, but nothing of a card. They have the name too, because some clients
    show a mention as a number.
    """
    topic = f" on {t.one_line(about.topic)}" if about.topic else ""
    return PlainMessage(
        f"<@{member_id}> {t.name(about.starter)} challenges {t.name(about.member)} to "
        f"{t.count(about.questions, 'question')}{topic}. Open until {t.when(about.closes_at)}.",
        _take(challenge_id),
        ping_member=member_id,
    )


def open_card(card: OpenCard) -> Message:
    """Return the card of a challenge that can be taken. It names its finished players, without results."""
    sooner = ", or until both are done" if card.about.named else ""
    names = [t.name(name) for name in card.names]
    more = card.finished - len(names)
    done = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
    return Message(
        CHALLENGE,
        _head(card.about),
        f"{'You both get' if card.about.named else 'Everyone gets'} the same questions in private, at any time. "
        "Each has its own clock, which starts when you see it.",
        separator(),
        f"Done: {done}" if done else None,
        f"-# Open until {t.when(card.about.closes_at)}{sooner}",
        row(_take(card.challenge_id)),
    )


def _take(challenge_id: int) -> ui.Button[ui.LayoutView]:
    return button("Take it", TAKE.id(challenge=challenge_id), PRIMARY)


def result(card: ResultCard) -> Message:
    """Return the card of a closed challenge, with its standings."""
    back = BACK.id(challenge=card.challenge_id)
    if not card.played:
        about = card.about
        said = "Nobody got to it in time. A longer one, or a shorter one, may find its moment."
        if about.named:
            said = "You two didn't get to it in time. Another day?"
        again = button("Try again", back, PRIMARY) if about.named else way("challenge", PRIMARY)
        return Message(ENDED, _head(about, closed=True), said, row(again))
    if not card.standings:
        body = ["Nobody answered."]
    else:
        body = finale(
            card.standings,
            card.names,
            questions=card.about.questions,
            game="challenge",
            repeats=card.repeats,
            alone=card.alone,
        )
    return Message(
        CHALLENGE,
        _head(card.about, closed=True),
        separator(),
        *body,
        row(*_own(card.challenge_id), button("Challenge back", back) if card.about.named else None),
    )


def _own(challenge_id: int) -> tuple[ui.Button[ui.LayoutView], ui.Button[ui.LayoutView]]:
    mine = button("My answers", MINE.id(challenge=challenge_id, page=0))
    return misses_button("challenge", challenge_id), mine


def _head(about: ChallengeSummary, *, closed: bool = False) -> str:
    whom = t.name(about.member) if about.named else "everyone here"
    facts = [
        amount(about.levels),
        t.one_line(about.topic or ""),
        "closed" if closed else times(*about.seconds),
    ]
    return (
        f"{_TITLE}\n{t.name(about.starter)} challenges {whom}\n-# {' · '.join(filter(None, facts))}"
    )


def step(found: Step) -> Message:
    """Return the private message for what a player sees next."""
    return question(found) if isinstance(found, PlayerQuestion) else run_result(found)


def question(found: PlayerQuestion) -> Message:
    """Return the private message with a question, below what the player did with the last one."""
    last = " · last one" if found.is_last else ""
    return Message(
        OPEN,
        _said(found.said),
        f"-# Challenge · question {found.number} of {found.total} · {about_item(found.item, found.bank)}",
        *asked(found.item, found.order),
        separator(),
        f"-# {found.seconds} s · until {t.when(found.ends_at, 'T')}{last} · only you see this",
        *answer_rows(found.item, "challenge", found.question_id),
        row(
            button("Skip", SKIP.id(row=found.question_id)),
            button("Report", REPORT.id(source="challenge", row=found.question_id)),
        ),
    )


def below(question_id: int, ends_at: datetime) -> tuple[Part | None, ...]:
    """Return the parts below the page where a player puts lines of code in order."""
    skip = button("Skip", SKIP.id(row=question_id))
    return f"-# Until {t.when(ends_at, 'T')} · only you see this", row(skip)


def run_result(found: RunResult, page: int = 0) -> Message:
    """Return a page of the end of a player's run.

    Before the close it tells nothing about a question but whether what they said was right, and
    the reason for just that.
    """
    secret = found.theirs is None
    numbered = enumerate(found.given, start=1)
    texts = t.pages([own_block(n, given, secret=secret) for n, given in numbered], _PAGE)
    page = min(page, max(len(texts) - 1, 0))
    note = t.page_note(page, len(texts))
    if secret:
        sooner = f", or as soon as {t.name(found.other)} is done" if found.named else ""
        note = f"The right answers and the standings come {t.when(found.closes_at)}{sooner}.{note}"
    return Message(
        CHALLENGE,
        _said(found.said),
        f"### {_score(found)}",
        texts[page] if texts else None,
        f"-# {note.removeprefix(' · ')}" if note else None,
        row(
            *pager(page, len(texts), lambda _, n: MINE.id(challenge=found.challenge_id, page=n)),
            None if secret else misses_button("challenge", found.challenge_id),
            link_button("See the card", found.card),
        ),
    )


def _said(said: LastAnswer | None) -> str | None:
    """Say what a player did with a question; it reads the same whether it was right or not."""
    if said is None:
        return None
    if said.shown is None:
        return f"Time was up for question {said.number}, so it counts as a miss."
    locked = f"ocked in **{t.escape(said.shown)}**"
    return f"You had already l{locked} for question {said.number}." if said.again else f"L{locked}."


def _score(found: RunResult) -> str:
    score, other = f"{found.right} of {found.total}", t.name(found.other)
    if found.theirs is None:
        if not found.right:
            return f"{score} this time."
        if found.named:
            return f"{score}. Beat that, {other}."
        return f"{score}. Who beats that?" if 2 * found.right >= found.total else f"{score}."
    if found.right == found.theirs:
        return f"{score}, the same as {other}."
    beaten = "You beat" if found.right > found.theirs else "Next time you beat"
    return f"{score}. {beaten} {other}'s {found.theirs}."


def news(found: Invitation | ChallengeOutcome) -> Message:
    """Return the line that tells a member of a challenge with another private reply."""
    see = link_button("See the card", found.card)
    if isinstance(found, Invitation):
        about = found.about
        topic = f" on {t.one_line(about.topic)}" if about.topic else ""
        return Message(
            CHALLENGE,
            f"⚔️ {t.name(about.starter)} challenged you to {t.count(about.questions, 'question')}{topic}, "
            f"open until {t.when(about.closes_at)}.",
            row(_take(found.challenge_id), see),
        )
    said = f"{t.name(found.other)} is done: {found.theirs} against your {found.right}."
    if not found.named:
        said = (
            f"A challenge you took is over: you're {t.ordinal(found.place)} of {found.players:,}."
        )
    return Message(CHALLENGE, f"⚔️ {said}", row(*_own(found.challenge_id), see))


def my_answers(challenge_id: int, given: Sequence[Answered], page: int) -> Message:
    """Return a page of a member's answers in a challenge."""
    misses = misses_button("challenge", challenge_id)
    return own_answers(
        given, page, lambda number: MINE.id(challenge=challenge_id, page=number), misses
    )
