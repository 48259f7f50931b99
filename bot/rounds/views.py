"""The messages of rounds: questions, reveals, standings, and replies to members."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from discord import ui

from bot.answers.rules import places
from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, REVEALED, Message, Part, button, row, separator
from bot.chat.pictures import (
    INK,
    MUTED,
    TRACK,
    Picture,
    draw_picture,
    fit_label,
    panel,
    stroke,
    words,
)
from bot.chat.router import PAGE, ROW, Route
from bot.core.errors import UserError
from bot.games.rules import SHOWN
from bot.games.views import amount, fewer, finale, times
from bot.games.views import my_answers as own_answers
from bot.questions.answers import Answered
from bot.questions.model import Bank, Item
from bot.questions.views import about, after_row, answer_rows, asked, misses_button, revealed
from bot.rounds.model import (
    Locked,
    NewRound,
    OwnResult,
    Phase,
    QuestionCard,
    Race,
    RevealCard,
    RoundStatus,
    StandingsCard,
)

log = logging.getLogger(__name__)

ANSWER = Route("answer", {"source": "round", "row": ROW, "position": "[0-5]"})
HOST = Route("host", {"what": "reveal|next", "row": ROW}, once=True)
AGAIN = Route("again", {"round": ROW}, once=True)
MINE = Route("mine", {"round": ROW, "page": PAGE})
STOP = Route("stop", {"round": ROW}, once=True)
MISSING = Route("missing", {"row": ROW})

_LEFT, _RIGHT, _TOP, _BOTTOM = 20, 230, 68, 198
_COLOURS = ("#7983f5", INK, MUTED)
_STYLES = ('stroke-width="4"', 'stroke-width="2.5"', 'stroke-width="2.5" stroke-dasharray="2 6"')
_APART = 22
_LONGEST_NAME = 13


def start_line(starter: str, started: NewRound) -> str:
    """Return the public reply to a start."""
    topic = t.one_line(started.topic.title) if started.topic else ""
    about = [
        amount(started.levels),
        f"this week: {topic}" if started.of_week else topic,
        times(*started.seconds) if started.seconds else "hosted, no clock",
    ]
    first = f"First one at {t.when(started.first_at, 'T')}."
    only = fewer(len(started.levels), started.wanted)
    return f"{t.name(starter)} starts {' · '.join(filter(None, about))}. {first}{only}"


def acknowledgement(answer: Locked) -> str:
    """Return the reply to an answer, which doesn't say whether it is right."""
    locked = f"Locked in **{t.escape(answer.shown)}**."
    if answer.reveal_at is None:
        return f"{locked} You were in time, so it counts."
    if answer.hosted:
        return f"{locked} The answer comes when the host shows it."
    return f"{locked} Reveal by {t.when(answer.reveal_at, 'T')}."


def stopped(round_id: int, *, reveal_follows: bool) -> Message:
    """Return what "Stop" shows. While a question is open, a second press ends the round at once."""
    where = "after this question" if reveal_follows else "here"
    return Message(
        ENDED,
        f"The round ends {where}. The final standings follow.",
        row(button("Stop now", STOP.id(round=round_id))) if reveal_follows else None,
    )


def question(card: QuestionCard, bank: Bank) -> Message:
    """Return the card of an open question."""
    answered = f" · {card.answered:,} answered" if card.answered else ""
    buttons = answer_rows(card.item, "round", card.question_id)
    if card.ends_at is None:
        missing = button("Who's missing?", MISSING.id(row=card.question_id))
        host = row(_host_button("reveal", card.question_id, "Reveal"), missing)
        end = [*buttons, separator(), f"-# No clock: the host goes on{answered}", host]
    else:
        time = f"{card.seconds} s" if card.left is None else f"{card.left} s left"
        end = [f"-# {time} · until {t.when(card.ends_at, 'T')}{answered}", *buttons]
    return Message(
        OPEN,
        _head(card.number, card.total, card.item, bank),
        *asked(card.item, card.order),
        separator(),
        *end,
    )


def missing(waited_for: Sequence[str | None] | None, answered: int) -> str:
    """Return the private reply to a host who asks which players haven't answered yet.

    They are None before anybody is a player.
    """
    if waited_for is None:
        so_far = f"{answered:,} answered so far" if answered else "Nobody has answered yet"
        return f"{so_far}. From the next question on, I can say who is missing."
    if not waited_for:
        return "Everyone who plays has answered."
    names = [t.name(name) for name in waited_for[:SHOWN]]
    more = [f"{len(waited_for) - SHOWN:,} more"] if len(waited_for) > SHOWN else []
    return f"Still to answer: {t.listed(names + more)}."


def reveal(card: RevealCard) -> Message:
    """Return the reveal of a question: the verdict, the answers, the reason and the best times."""
    timed = [
        (t.name(card.names.get(tally.user_id)), t.seconds(tally.total_ms)) for tally in card.fastest
    ]
    who, lines = "", []
    if timed and card.outcome.answered == 1:
        who = " had it in ".join(timed[0])
    elif timed:
        lines.append("Fastest: " + " · ".join(f"{name} {time}" for name, time in timed))
    if card.leaders:
        ahead = (f"{t.name(card.names.get(a.user_id))} {a.points:,}" for a in card.leaders)
        lines.append("Leading: " + " · ".join(ahead))
    label = "Finish" if card.number == card.total else "Next"
    onward = _host_button("next", card.question_id, label) if card.goes_on else None
    return Message(
        REVEALED if card.outcome.right else ENDED,
        revealed(card.item, card.order, card.outcome, who=who),
        "\n".join(f"-# {line}" for line in lines) or None,
        after_row("round", card.question_id, None if card.hosted else onward),
        row(onward if card.hosted else None),
    )


async def standings(card: StandingsCard) -> Message:
    """Return the standings of a round, with the picture of its race if there was one."""
    why = {
        "stopped": "The round was stopped.",
        "left": "Nobody went on for a day, so the round ends here.",
        "idle": "Nobody answered the last three questions, so the round ends here.",
        "message": "The question's message was deleted, so the round ends here.",
        "permission": "I'm missing a permission here now, so the round ends.",
        "refused": "Discord refused my last message, so the round ends here.",
        "error": "Something kept going wrong, so the round ends here.",
    }.get(card.ending or "")
    again = button("Play again", AGAIN.id(round=card.round_id), PRIMARY)
    if not card.standings:
        return Message(ENDED, "### Round over", why or "Nobody answered.", row(again))
    news, *places = finale(
        card.standings,
        card.names,
        questions=card.questions,
        game="round",
        hosted=card.hosted,
        repeats=card.repeats,
        alone=card.alone,
    )
    return Message(
        ENDED,
        f"{news}\n-# {why}" if why else news,
        *places,
        *(await _race(card, card.race) if card.race else ()),
        _next_daily(*card.next_daily) if card.next_daily else None,
        row(
            again,
            misses_button("round", card.round_id),
            button("My answers", MINE.id(round=card.round_id, page=0)),
        ),
    )


def _next_daily(at: datetime, channel_id: int) -> str:
    return f"-# Next question of the day: {t.when(at)} in <#{channel_id}>"


def my_answers(round_id: int, given: Sequence[Answered], page: int) -> Message:
    """Return a page of a member's own answers in a round."""
    misses = misses_button("round", round_id)
    return own_answers(given, page, lambda number: MINE.id(round=round_id, page=number), misses)


def own_result(result: OwnResult) -> str:
    """Return a member's result, which replaces the acknowledgement of their answer."""
    shown, place = f"**{t.escape(result.shown)}**", t.ordinal(result.place)
    if result.right is None:
        parts = [f"✅ {shown}."]
        if result.place:
            parts.append(f"+{result.points}, {place} with {result.total:,}.")
        if result.streak > 1:
            parts.append(f"{result.streak} in a row.")
        return " ".join(parts)
    said = f"You said {shown}."
    if result.almost is not None:
        found, number = result.almost
        said = "Almost: " + (f"{found} of {number}." if found < number else "one too many.")
    parts = [said, f"It's **{t.escape(result.right)}**."]
    if result.place and result.total:
        parts.append(f"{'Still' if result.stays else 'Now'} {place}, with {result.total:,}.")
    return " ".join(parts)


def status(found: RoundStatus, *, may_stop: bool) -> Message:
    """Return the private reply to /quiz where a round runs."""
    round_, question = found.round, found.question
    starter = t.name(found.names.get(round_.starter_id))
    lines = [f"**Question {round_.number} of {round_.total}**, started by {starter}"]
    if question is not None and question.deadline_at is not None:
        link = t.message_link(round_.guild_id, round_.channel_id, question.message_id)
        ends_at = (
            "the host shows the answer" if round_.hosted else t.when(question.deadline_at, "T")
        )
        lines.append(
            f"Open until {ends_at} · {t.count(found.answered, 'answer')} · [See its card](<{link}>)"
        )
    elif round_.phase is Phase.PAUSE and round_.hosted:
        lines.append("The next question comes when the host presses Next.")
    elif round_.phase in {Phase.ASK, Phase.PAUSE} and round_.due_at is not None:
        lines.append(f"The next question comes at {t.when(round_.due_at, 'T')}.")
    if round_.ending:
        lines.append("The round ends after this question.")
    lines += [
        f"{place}. {t.name(found.names.get(leader.user_id))} · {t.count(leader.points, 'point')}"
        for place, leader in found.leaders
    ]
    stop = button("Stop now" if round_.ending else "Stop", STOP.id(round=round_.id))
    return Message(OPEN, "\n".join(lines), row(stop) if may_stop else None)


def _host_button(what: str, question_id: int, label: str) -> ui.Button[ui.LayoutView]:
    """Return a grey button for the host. Everyone sees it, so the handler checks the member."""
    return button(label, HOST.id(what=what, row=question_id))


def _head(number: int, total: int, item: Item, bank: Bank) -> str:
    return f"-# Question {number} of {total} · {about(item, bank)}"


async def _race(card: StandingsCard, race: Race) -> tuple[Part | None, ...]:
    """Return a sentence about a race, and its picture."""
    leaders = [card.names.get(tally.user_id) for _, tally in card.standings]
    names = [name and " ".join(name.split()) for name in leaders[: len(race.totals)]]
    picture = await race_picture(race, names, card.round_id)
    return f"{t.name(names[0])} took the lead for good on question {race.lead_at}.", picture


async def race_picture(race: Race, names: Sequence[str | None], round_id: int) -> Picture | None:
    """Return a picture with a line for each leader, or None if it can't be drawn.

    A round has only one, so its id is the key for the queue.
    """
    try:
        return await draw_picture(
            "race.png", alt_text(race, names), lambda: svg(race, names), round_id
        )
    except UserError as error:
        log.info("round %s: its standings go without the race: %s", round_id, error)
        return None
    except Exception:
        log.exception("the race of a round could not be drawn")
        return None


def alt_text(race: Race, names: Sequence[str | None]) -> str:
    """Return the points of each line, question by question."""
    courses = "; ".join(
        f"{name or 'a member'}: {', '.join(f'{points:,}' for points in course)}"
        for name, course in zip(names, race.totals, strict=True)
    )
    return f"Points after each question, up to {len(race.totals[0])}. {courses}."


def svg(race: Race, names: Sequence[str | None]) -> str:
    """Draw the line of each leader, with their name at its end."""
    questions = len(race.totals[0])
    most = max(max(course) for course in race.totals)

    def x(question: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * question / questions

    def y(points: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * points / most

    parts = [
        words(_LEFT, 36, "Points after each question", size=18, bold=True),
        stroke([(_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], TRACK),
        stroke([(x(race.lead_at), _TOP - 10), (x(race.lead_at), _BOTTOM)], TRACK),
        words(x(race.lead_at), _BOTTOM + 24, str(race.lead_at), colour=MUTED, anchor="middle"),
        words(_LEFT, _BOTTOM + 24, "Start", colour=MUTED),
    ]
    if _RIGHT - x(race.lead_at) > 30:
        parts.append(words(_RIGHT, _BOTTOM + 24, str(questions), colour=MUTED, anchor="middle"))
    ends = [y(course[-1]) for course in race.totals]
    for n in range(1, len(ends)):
        ends[n] = max(ends[n], ends[n - 1] + _APART)
    shown = list(zip(race.totals, _COLOURS, _STYLES, ends, strict=False))
    for course, colour, style, _ in reversed(shown):  # so the winner's line is drawn on top
        points = [(_LEFT, _BOTTOM), *((x(n), y(total)) for n, total in enumerate(course, 1))]
        parts.append(stroke(points, colour, style))
    places_ = places([course[-1] for course in race.totals])
    for place, name, (course, colour, _, end) in zip(places_, names, shown, strict=True):
        label = fit_label(name, _letters(name or ""), t.ordinal(place))
        is_first = course is race.totals[0]
        parts.append(words(_RIGHT + 8, end + 6, label, colour=colour, bold=is_first))
    return panel(_BOTTOM + 42, *parts)


def _letters(name: str) -> int:
    """Return how many letters of a name fit at the end of a line. A wide one takes two thirds
    more than a usual one."""
    wide = sum(c.isupper() or c in "mw@%" or c > "~" for c in name[:_LONGEST_NAME])
    return _LONGEST_NAME - wide // 2
