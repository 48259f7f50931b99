"""The messages of a challenge: its card, the private questions, the standings, own answers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.challenges.model import (
    Between,
    ChallengeSummary,
    NewChallenge,
    OpenCard,
    PlayerQuestion,
    ResultCard,
)
from bot.chat import text as t
from bot.chat.messages import (
    CHALLENGE,
    ENDED,
    OPEN,
    PRIMARY,
    Message,
    button,
    link_button,
    row,
    separator,
)
from bot.chat.router import PAGE, ROW, Route
from bot.chat.ways import way
from bot.games.views import amount, fewer, finale, times
from bot.games.views import my_answers as own_answers
from bot.questions.answers import Answered
from bot.questions.views import REPORT, answer_rows, asked, misses_button
from bot.questions.views import about as about_item

TAKE = Route("take", {"challenge": ROW}, once=True)
# Private: the question after number `after`, and skipping one.
FOLLOWING = Route("takenext", {"challenge": ROW, "after": ROW}, once=True)
SKIP = Route("takeskip", {"row": ROW}, once=True)
# A closed challenge: own answers, and a rematch.
MINE = Route("taken", {"challenge": ROW, "page": PAGE})
BACK = Route("rematch", {"challenge": ROW}, once=True)

_TITLE = "## ⚔️ Challenge"


def started(found: NewChallenge) -> str:
    """Return the private reply to the member who starts a challenge."""
    who = (
        f"Only {t.name(found.member)} and you can take it."
        if found.member
        else "You can take it too."
    )
    start = (
        f"Your challenge is on its way to this channel, open until {t.when(found.closes_at)}. {who}"
    )
    return start + fewer(found.questions, found.wanted)


def open_card(card: OpenCard) -> Message:
    """Return the card of a challenge that can be taken."""
    done = f" · {card.finished:,} finished" if card.finished else ""
    sooner = ", or until both are done" if card.about.named else ""
    return Message(
        CHALLENGE,
        _head(card.about),
        f"{'You both get' if card.about.named else 'Everyone gets'} the same questions in private, at any time. "
        "Each has its own clock, which starts when you open it.",
        separator(),
        f"-# Open until {t.when(card.about.closes_at)}{sooner}{done}",
        row(button("Take it", TAKE.id(challenge=card.challenge_id), PRIMARY)),
    )


def result(card: ResultCard) -> Message:
    """Return the card of a closed challenge, with its standings."""
    if not card.played:
        return Message(
            ENDED,
            _head(card.about, closed=True),
            "Nobody took it.",
            row(way("challenge")),
        )
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
    back = (
        button("Challenge back", BACK.id(challenge=card.challenge_id)) if card.about.named else None
    )
    return Message(
        CHALLENGE,
        _head(card.about, closed=True),
        separator(),
        *body,
        row(
            misses_button("challenge", card.challenge_id),
            button("My answers", MINE.id(challenge=card.challenge_id, page=0)),
            back,
        ),
    )


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


def question(found: PlayerQuestion) -> Message:
    """Return the private message with a question."""
    last = " · last one" if found.number == found.total else ""
    return Message(
        OPEN,
        f"-# Challenge · question {found.number} of {found.total} · {about_item(found.item, found.bank)}",
        *asked(found.item, found.order),
        separator(),
        f"-# {found.seconds} s · until {t.when(found.ends_at, 'T')}{last} · only you see this",
        *answer_rows(found.item, "challenge", found.question_id),
        row(button("Skip", SKIP.id(row=found.question_id))),
    )


def between(found: Between) -> Message:
    """Return the private message after a question, which doesn't say whether it was right."""
    if found.shown is None:
        said = f"Question {found.number} has no answer from you, so it counts as a miss."
    elif found.again:
        said = f"You already locked in **{t.escape(found.shown)}**, and your first answer counts."
    else:
        said = f"Locked in **{t.escape(found.shown)}**."
    if found.next_seconds is not None:
        rest = f"-# {found.number} of {found.total} done. The next one has {found.next_seconds} s once you open it."
        onward = button(
            "Next question", FOLLOWING.id(challenge=found.challenge_id, after=found.number), PRIMARY
        )
    else:
        sooner = ", or as soon as both of you are done" if found.both else ""
        rest = f"That was the last one. The results come {t.when(found.closes_at)}{sooner}."
        onward = link_button("See the card", found.card)
    report = button("Report", REPORT.id(source="challenge", row=found.question_id))
    return Message(OPEN, said, rest, row(onward, report))


def my_answers(challenge_id: int, given: Sequence[Answered], page: int) -> Message:
    """Return a page of a member's answers in a challenge."""
    misses = misses_button("challenge", challenge_id)
    return own_answers(
        given, page, lambda number: MINE.id(challenge=challenge_id, page=number), misses
    )
