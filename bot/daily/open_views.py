"""The question of the day as an open one: its card, its close, and each member's own feedback."""

from __future__ import annotations

from dataclasses import replace

from discord import ButtonStyle, ui

from bot.chat import custom_ids as ids
from bot.chat import text as t
from bot.core.announcer import OpenDailyCard, OpenDailyResult
from bot.daily.open_service import OpenReview
from bot.interviews import feedback
from bot.questions.model import Bank, Topic
from bot.questions.views import DAILY, REVEALED, Message, button, line, long_streaks, row, source, text_of


def open_card(card: OpenDailyCard, bank: Bank) -> Message:
    """The open question; the role to ping stands in its first line."""
    ping = f" <@&{card.role_id}>" if card.role_id else ""
    return Message(
        DAILY,
        f"## 📅 Question of the day\n-# {_about(card.topic, bank)} · open question{ping}",
        t.heading(card.topic.question),
        line(),
        "Answer in a few sentences, as in an interview. You see at once, in private, which key points you covered.\n"
        f"-# Your answer stays private · Closes {t.when(card.closes_at)}",
        row(button("Answer", ids.OPEN.id(source="daily", row=card.daily_id), ButtonStyle.primary)),
    )


def result_card(card: OpenDailyResult, bank: Bank) -> Message:
    """The closed question with the model answer in full. What is too long for a card is left to the button."""
    shown = _result(card, bank, t.escape(card.topic.answer))
    for fewer in (card, replace(card, missed=())):
        if len(text_of(shown)) <= t.MAX_TEXT:
            break
        shown = _result(fewer, bank, "It is longer than this card: press Why not mine? to read it.")
    return shown


def review_card(review: OpenReview, bank: Bank, page: int = 0, *, asking: bool = False) -> Message:
    """A member's own feedback, with the model answer; for who did not answer the model answer alone."""
    daily, assessment = review.daily, review.assessment
    if assessment is None:
        note = "You did not answer this one. This is what a good answer says:"
    elif asking:
        note = "A model service is being asked about the points in doubt: this changes in a moment."
    else:
        streak = t.count(review.streak.current, "day")
        closes = "" if review.closed or daily.closes_at is None else f" · Closes {t.when(daily.closes_at)}"
        note = f"+{t.count(review.points, 'point')} · Streak: {streak}{closes}"
    found = feedback.pages(
        review.topic, answer=review.text, assessment=assessment, follow_up=review.follow_up, note=note
    )
    return feedback.card(
        f"-# 📅 Question of the day · {_about(review.topic, bank)}",
        found,
        page,
        lambda n: ids.OWN.id(source="daily", row=daily.id, page=n),
        colour=feedback.colour(assessment),
    )


def _result(card: OpenDailyResult, bank: Bank, model: str) -> Message:
    missed, figures = [], t.count(card.answered, "answer")
    if card.answered > 1:  # a single answer is its member's own business
        missed = [f"▫️ {t.escape(text)} · missing in {number:,} of {card.answered:,}" for text, number in card.missed]
        figures += f" · {card.percent} % on average"
    return Message(
        REVEALED,
        f"## 📅 Question of the day\n-# {_about(card.topic, bank)} · open question · closed",
        t.heading(card.topic.question),
        f"✅ **Model answer**\n{model}",
        "\n".join(["**Most often missing**", *missed]) if missed else None,
        line(),
        "\n".join(f"-# {source(reference)}" for reference in card.topic.references[:1]),
        "\n".join([figures, *long_streaks(card.streaks)]),
        _after(card.daily_id),
    )


def _after(daily_id: int) -> ui.ActionRow[ui.LayoutView] | None:
    return row(
        button("Why not mine?", ids.OWN.id(source="daily", row=daily_id, page=0)),
        button("Report", ids.REPORT.id(source="daily", row=daily_id)),
    )


def _about(topic: Topic, bank: Bank) -> str:
    return f"{t.escape(bank.section_titles[topic.section_id])} · {t.escape(topic.title)}"
