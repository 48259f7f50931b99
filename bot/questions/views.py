"""Cards of questions, open and revealed, and the private replies around them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import discord
from discord import ui

from bot.chat import custom_ids as ids
from bot.chat import text as t
from bot.chat.pictures import Picture
from bot.core.announcer import DailyCard, DailyResult, Outcome, QuestionCard, RevealCard, StandingsCard
from bot.daily.service import DailyVerdict
from bot.points.rules import Tally
from bot.questions.answering import Review
from bot.questions.answers import decode_picks, is_right, letters
from bot.questions.formulas import FORMULA_FILE, alt_text
from bot.questions.model import Bank, Item, Reference, letter
from bot.rounds.race_picture import caption

OPEN = discord.Colour(0x5865F2)
REVEALED = discord.Colour(0x248046)
DAILY = discord.Colour(0xD9A514)
ENDED = discord.Colour(0x80848E)
ATTENTION = discord.Colour(0xE3B341)
MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


class Message(ui.LayoutView):
    """A message of one container. Clicks on it are routed by custom id, so discord.py need not remember it."""

    def __init__(
        self, colour: discord.Colour, *items: ui.Item[ui.LayoutView] | str | None, box_id: int | None = None
    ) -> None:
        super().__init__(timeout=None)
        box: ui.Container[Message] = ui.Container(accent_colour=colour, id=box_id)
        for item in items:
            if item is not None:
                box.add_item(ui.TextDisplay(item) if isinstance(item, str) else item)
        self.add_item(box)
        self.stop()


def text_of(view: ui.LayoutView) -> str:
    """All that a card says, one component a line: what Discord counts towards its limit of 4,000 characters."""
    parts = []
    for item in view.walk_children():
        if isinstance(item, ui.TextDisplay):
            parts.append(item.content)
        elif isinstance(item, ui.MediaGallery):
            parts += [f"[{picture.description}]" for picture in item.items]
        elif isinstance(item, ui.Button):
            parts.append(f"( {item.label} )")
    return "\n".join(parts)


def line() -> ui.Separator[ui.LayoutView]:
    return ui.Separator(spacing=discord.SeparatorSpacing.small)


def row(*buttons: ui.Item[ui.LayoutView] | None) -> ui.ActionRow[ui.LayoutView] | None:
    shown = [b for b in buttons if b is not None]
    return ui.ActionRow(*shown) if shown else None


def button(
    label: str, custom_id: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary, *, disabled: bool = False
) -> ui.Button[ui.LayoutView]:
    return ui.Button(label=label, custom_id=custom_id, style=style, disabled=disabled)


def _head(number: int, total: int, item: Item, bank: Bank) -> str:
    return f"-# Question {number} of {total} · {about(item, bank)}"


def about(item: Item, bank: Bank) -> str:
    return f"{t.escape(bank.section_of(item))} · {t.dots(item.difficulty)}"


def question_card(card: QuestionCard, bank: Bank) -> Message:
    """An open question of a round."""
    answered = f" · {card.answered:,} answered" if card.answered else ""
    return Message(
        OPEN,
        _head(card.number, card.total, card.item, bank),
        t.heading(card.item.prompt),
        formula_picture(card.item),
        choice_lines(card.item, card.order),
        line(),
        f"-# Ends {t.when(card.ends_at)}{answered}",
        *answer_rows(card.item, "round", card.question_id),
    )


def daily_card(card: DailyCard, bank: Bank) -> Message:
    """The open question of the day; the role to ping stands in its first line."""
    ping = f" <@&{card.role_id}>" if card.role_id else ""
    return Message(
        DAILY,
        f"## 📅 Question of the day\n-# {about(card.item, bank)}{ping}",
        t.heading(card.item.prompt),
        formula_picture(card.item),
        choice_lines(card.item, card.order),
        line(),
        f"-# Your answer stays private · Closes {t.when(card.closes_at)}",
        *answer_rows(card.item, "daily", card.daily_id),
    )


def reveal_card(card: RevealCard, bank: Bank) -> Message:
    """A question of a round with its right answer, shares, reasons and best times."""
    if card.fastest:
        best = " · ".join(f"<@{f.user_id}> {t.seconds(f.elapsed_ms)} (+{f.points})" for f in card.fastest)
        last = f"Fastest: {best}"
    else:
        last = "Nobody answered this one." if not card.outcome.answered else "Nobody had it this time."
    return Message(
        REVEALED,
        _head(card.number, card.total, card.item, bank),
        t.heading(card.item.prompt),
        formula_picture(card.item),
        _results(card.item, card.order, card.outcome),
        line(),
        explanation(card.item, bank),
        last,
        _after_row("round", card.question_id),
    )


def daily_result(card: DailyResult, bank: Bank) -> Message:
    """The closed question of the day."""
    answered = card.outcome.answered
    last = [t.count(answered, "answer") + (f" · {t.percent(card.outcome.right, answered)} right" if answered else "")]
    last += long_streaks(card.streaks)
    return Message(
        REVEALED,
        f"## 📅 Question of the day\n-# {about(card.item, bank)} · closed",
        t.heading(card.item.prompt),
        formula_picture(card.item),
        _results(card.item, card.order, card.outcome),
        line(),
        explanation(card.item, bank),
        "\n".join(last),
        _after_row("daily", card.daily_id),
    )


def long_streaks(streaks: Sequence[tuple[int, int]]) -> list[str]:
    """A line about the streaks that are more than one day long, if there are any."""
    long = [f"<@{user}> {t.count(days, 'day')}" for user, days in streaks if days > 1]
    return ["Longest streaks: " + " · ".join(long)] if long else []


def standings_mark(round_id: int) -> str:
    """`#` and a component number by which the end of a round without players, which has no button, is found again."""
    return f"#{1_000_000_000 + round_id % 1_000_000_000}"


def standings_card(card: StandingsCard, picture: Picture | None = None) -> Message:
    """The end of a round, with the picture of its race if there was one."""
    why = {
        "stopped": "The round was stopped.",
        "idle": "Nobody answered three questions in a row, so the round ends here.",
        "message": "The question's message was deleted, so the round ends here.",
    }.get(card.ending or "")
    asked = t.count(card.questions, "question")
    if not card.standings:
        box_id = int(standings_mark(card.round_id)[1:])
        again = "-# Start another with /quiz start"
        return Message(ENDED, "### Round over", why or "Nobody answered.", again, box_id=box_id)
    if len(card.standings) == 1:
        tally = card.standings[0][1]
        own = (
            f"Well done, <@{tally.user_id}>: **{t.count(tally.points, 'point')}**, "
            f"{tally.right} of {tally.answered} right, {t.seconds(tally.average_ms)} on average."
        )
        body = [own]
    else:
        body = [
            "\n".join(_standing(place, tally) for place, tally in card.standings[:3]),
            "\n".join(_standing(place, tally) for place, tally in card.standings[3:10]),
        ]
        more = len(card.standings) - 10
        if more > 0:
            body.append(f"-# and {more:,} more")
    return Message(
        ENDED,
        f"### Final standings\n-# {asked}{' · ' + why if why else ''}",
        *[part for part in body if part],
        f"-# {caption(card.race)}" if card.race else None,
        picture.gallery() if picture else None,
        row(button("My answers", ids.MINE.id(round=card.round_id, page=0))),
    )


def _standing(place: int, tally: Tally) -> str:
    figures = f"{t.percent(tally.right, tally.answered)} right · {t.seconds(tally.average_ms)}"
    return f"{place_mark(place, tally.points)} <@{tally.user_id}> · **{t.count(tally.points, 'point')}** · {figures}"


def place_mark(place: int, points: int) -> str:
    """A medal for the first three who have points, else the number."""
    return MEDALS.get(place, f"**{place}.**") if points else f"**{place}.**"


def locked_text(shown: str, reveal_at: datetime) -> str:
    """The private acknowledgement of an answer in a round: the same for right and wrong ones."""
    return f"Locked in **{t.escape(shown)}**. Reveal {t.when(reveal_at)}."


def verdict_cards(verdict: DailyVerdict) -> list[Message]:
    """What a member reads, privately and at once, after answering the question of the day; one card if it fits."""
    item, order = verdict.item, verdict.order
    streak = f"Streak: {t.count(verdict.streak.current, 'day')}"
    if verdict.streak.best > verdict.streak.current:
        streak += f" (best: {verdict.streak.best:,})"
    points = f"+{verdict.points} points · " if verdict.points else ""
    blocks = verdict_blocks(Review(item, order, verdict.answer))
    blocks.append(
        f"{t.escape(item.explanation)}\n-# {points}{streak} · Everyone sees the answer {t.when(verdict.closes_at)}\n"
        f"-# {comes_back(verdict.back_in)}"
    )
    return [Message(REVEALED if verdict.correct else ENDED, page) for page in t.pages(blocks)]


def verdict_blocks(review: Review) -> list[str]:
    """Right or not, the reason for the member's own choice and, after a miss, for the right ones, as blocks of text."""
    item, order = review.item, review.order
    right = "\n".join(_marked_reason(item, order, p) for p in order if p in item.right)
    return [own_result(review), *([right] if right and not is_right_review(review) else [])]


def comes_back(days: int) -> str:
    """When an item is asked again, by the member's own days."""
    return f"Comes back in your practice {t.days_ahead(days)}"


def own_result(review: Review) -> str:
    """Right or not, with the reason for the member's own choice."""
    item, order = review.item, review.order
    if review.answer is None:
        return "You did not answer this one."
    right = is_right(item, review.answer)
    if item.kind == "typed":
        if right:
            return f"✅ **Right**: {t.escape(review.answer)}"
        return f"**Not quite**: you wrote {t.code(review.answer)}. Right is **{t.escape(item.accept[0])}**."
    picks = decode_picks(review.answer)
    reasons = "\n".join(_reason(item, order, p) for p in order if p in picks)
    if right:
        return f"✅ **Right**\n{reasons}"
    return f"**Not quite**: right is **{letters(item.right, order)}**. You picked:\n{reasons}"


def why_blocks(review: Review, bank: Bank) -> list[str]:
    """The reasons for every choice, the reader's own first, as blocks of text."""
    item, order = review.item, review.order
    blocks = [own_result(review)]
    own = decode_picks(review.answer) if review.answer and item.kind != "typed" else frozenset()
    others = [_marked_reason(item, order, p) for p in sorted(order, key=lambda p: p not in item.right) if p not in own]
    if item.kind == "typed":
        others = [f"Accepted: {t.escape(', '.join(item.accept))}"]
    blocks.append("\n".join(others))
    references = "\n".join(f"-# {source(r)}" for r in bank.topic_of(item).references)
    blocks.append(f"{t.escape(item.explanation)}\n{references}")
    return [b for b in blocks if b]


def review_block(number: int, review: Review) -> str:
    """One question of "My answers"."""
    head = f"**{number}.** {' '.join(t.escape(review.item.prompt).split())}"
    figures = f"\n-# {t.count(review.points, 'point')} · {t.seconds(review.elapsed_ms)}" if review.answer else ""
    result = own_result(review)
    if review.answer is None or not is_right_review(review):
        item, order = review.item, review.order
        right = "\n".join(_marked_reason(item, order, p) for p in order if p in item.right)
        if review.answer is None and item.kind == "typed":
            right = f"Right is **{t.escape(item.accept[0])}**."
        result += "\n" + (right or t.escape(item.explanation))
    return f"{head}\n{result}{figures}"


def page_card(colour: discord.Colour, title: str, body: str, *buttons: ui.Item[ui.LayoutView] | None) -> Message:
    """A private page of text with its buttons."""
    return Message(colour, title, body, row(*buttons))


def is_right_review(review: Review) -> bool:
    return review.answer is not None and is_right(review.item, review.answer)


def _reason(item: Item, order: Sequence[int], index: int) -> str:
    choice = item.choices[index]
    return f"**{letter(list(order).index(index))}**  {_one_line(choice.text)}\n-# {_one_line(choice.why)}"


def _one_line(text: str) -> str:
    return t.escape(" ".join(text.split()))


def _marked_reason(item: Item, order: Sequence[int], index: int) -> str:
    return f"{'✅' if index in item.right else '▫️'} {_reason(item, order, index)}"


def choice_lines(item: Item, order: Sequence[int]) -> str | None:
    lines = [f"**{letter(n)}**  {_one_line(item.choices[i].text)}" for n, i in enumerate(order)]
    if item.kind == "multiple":
        lines.append("-# More than one is right: pick all that are")
    return "\n".join(lines) or "-# Write your answer: a word, a short phrase or a number"


def _results(item: Item, order: Sequence[int], outcome: Outcome) -> str:
    if item.kind == "typed":
        lines = [f"✅ **{t.escape(item.accept[0])}**", _share(outcome.right, outcome.answered)]
        lines += [f"▫️ {t.code(text)} · {number:,}" for text, number in outcome.wrong_texts]
        return "\n".join(lines)
    lines = []
    for index in sorted(order, key=lambda i: i not in item.right):
        shown = f"**{letter(list(order).index(index))}**  "
        text = _one_line(item.choices[index].text)
        right = index in item.right
        lines.append(f"{shown}**{text}**" if right else f"{shown}{text}")
        lines.append(_share(outcome.picked.get(index, 0), outcome.answered, "✅ right · " if right else "▫️ "))
    return "\n".join(lines)


def _share(part: int, whole: int, mark: str = "") -> str:
    return f"-# {mark}{t.bar(part, whole)}  {t.percent(part, whole)}"


def explanation(item: Item, bank: Bank) -> str:
    return f"{t.escape(item.explanation)}\n-# {source(bank.topic_of(item).references[0])}"


def source(reference: Reference) -> str:
    return f"Source: [{t.escape(reference.title)}](<{reference.url}>)"


def formula_picture(item: Item) -> ui.MediaGallery[ui.LayoutView] | None:
    if item.formula is None:
        return None
    return ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{FORMULA_FILE}", description=alt_text(item.formula)))


def answer_rows(item: Item, source: str, row_id: int) -> list[ui.ActionRow[ui.LayoutView]]:
    if item.kind == "typed":
        return [ui.ActionRow(button("Answer", ids.WRITE.id(source=source, row=row_id), discord.ButtonStyle.primary))]
    if item.kind == "multiple":
        options = [discord.SelectOption(label=letter(n), value=str(n)) for n in range(len(item.choices))]
        picks: ui.Select[ui.LayoutView] = ui.Select(
            custom_id=ids.PICKS.id(source=source, row=row_id),
            placeholder="Pick all that are right",
            min_values=1,
            max_values=len(options),
            options=options,
        )
        return [ui.ActionRow(picks)]
    letters_ = [
        button(letter(n), ids.ANSWER.id(source=source, row=row_id, position=n)) for n in range(len(item.choices))
    ]
    a_row = 5 if len(letters_) <= 5 else 3  # a row holds five; six look better as three and three
    return [ui.ActionRow(*letters_[n : n + a_row]) for n in range(0, len(letters_), a_row)]


def _after_row(source: str, row_id: int) -> ui.ActionRow[ui.LayoutView] | None:
    return row(
        button("Why not mine?", ids.WHY.id(source=source, row=row_id)),
        button("Report", ids.REPORT.id(source=source, row=row_id)),
    )
