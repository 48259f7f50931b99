"""The messages of a daily with choices: its end, and its ping."""

from __future__ import annotations

from datetime import timedelta
from textwrap import wrap
from typing import Any

import pytest
from msgspec.structs import replace

from bot.chat.messages import Message, PlainMessage, text_of
from bot.chat.text import when
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.daily import panel_views, views
from bot.daily.model import (
    DailyKind,
    DailyQuestion,
    DailyState,
    DailyStatus,
    Schedule,
)
from bot.members.model import Streak, StreakNews
from bot.memory.model import Today
from bot.questions.answers import Answered, Outcome
from bot.questions.areas import area_of_topics
from tests.daily.cards import a_day, asks, closed_card, daily_row, done_day, verdict_on
from tests.messages import check_limits, components, custom_ids, labels, reads, sent, words
from tests.questions.test_views import (
    AT,
    MEMBER,
    NOBODY,
    ROW,
    TOPIC,
    answers,
    daily,
    daily_end,
    largest,
)
from tests.shipped import bank, item, orders


def test_the_end_of_a_daily() -> None:
    """A closed daily says how many answered, how many were right, and the longest streaks of two days or more."""
    one = item(topic=TOPIC)
    streaks = (("Alwina", 12), (None, 2), ("Clementine", 1))
    outcome = Outcome(4, 1, {0: 1, 1: 3})
    text = reads(closed_card(asks(one, (0, 1, 2, 3)), outcome, streaks))
    assert text.startswith("### 📅 A · 1 of 4 had it Question of the day · Prompt of one?")
    assert "Longest streaks: Alwina 12 days · a member 2 days" in text
    assert "Clementine" not in text
    assert "Nobody answered: it's A" in reads(daily_end(one, (0, 1, 2, 3), NOBODY))


def test_the_notification_has_words() -> None:
    """The plain message pings the role with the question, whole and on one line; the card pings nobody."""

    def announced(words: str) -> PlainMessage:
        question = asks(replace(item(topic=TOPIC), prompt=words), (0, 1, 2, 3))
        return views.announcement(daily_row(), question, MEMBER)

    words = announced("Why *not*\nscale?")
    assert words.content == f"<@&{MEMBER}> Question of the day: Why \\*not\\* scale?"
    assert words.mentions().to_dict()["roles"] == [MEMBER]
    whole = "word " * 300 + "end"
    assert announced(whole).content.endswith(whole)
    long = announced("w*rd " * 500).content
    assert 1_700 < len(long) <= 2_000
    assert long.endswith("w\\*rd …")
    shipped = bank()
    for asked in [
        *(i.prompt for i in shipped.items.values()),
        *(topic.question for topic in shipped.topics.values()),
    ]:
        assert not announced(asked).content.endswith(" …"), asked
    card = daily(item(topic=TOPIC), (0, 1, 2, 3))
    assert card.mentions().to_dict()["parse"] == []
    assert "<@&" not in reads(card)


def copy_of(question: DailyQuestion) -> Message:
    return views.copy(daily_row(), question, bank())


@pytest.mark.parametrize("kind", ["choice", "multiple", "typed"])
def test_the_largest_item_fits_on_a_copy(kind: str) -> None:
    """To answer, and answered in any way: nothing is larger than Discord takes, or left out."""
    one = largest(kind)
    order = orders(one)[1]
    view = copy_of(asks(one, order))
    check_limits(view, kind)
    assert words(one.prompt) in reads(view)
    for answer in answers(one):
        made = verdict_on(Answered(one, order, answer, 100), daily=daily_row(thread_id=ROW))
        shown = views.verdict(made, a_day(), bank())
        assert words(one.prompt) in reads(shown[0])
        assert words(one.explanation) in reads(*shown)
        assert [labels(each) for each in shown][-1] == ["Practise", "Today"]
        assert not any(map(labels, shown[:-1]))


def test_a_copy_does_not_tell_the_answer() -> None:
    """Before the member has answered, what Discord gets is the same whichever choice is right."""
    one, other = (item(choices=choices, topic=TOPIC) for choices in ("YNNN", "NNYN"))
    assert sent(copy_of(asks(one, (2, 0, 1, 3)))) == sent(copy_of(asks(other, (2, 0, 1, 3))))
    question = DailyQuestion(next(iter(bank().topics.values())))
    assert custom_ids(copy_of(question)) == [f"open:v1:daily:{ROW}", "use:v1:today"]


def ending(today: Today, *, right: bool = True, **changes: Any) -> tuple[str, list[str]]:
    """Return the text of a verdict on a card after the explanation, and its buttons."""
    one = item(topic=TOPIC)
    answer = str(min(one.right)) if right else str(min({0, 1, 2, 3} - one.right))
    given = Answered(one, (0, 1, 2, 3), answer, 100 if right else 0)
    (view,) = views.verdict(verdict_on(given, **changes), today)
    return reads(view).split(words(one.explanation))[1].strip(), labels(view)


OPEN = ((1, "*Warm-up*"), (2, "Papers"))


@pytest.mark.parametrize(
    ("today", "says", "buttons"),
    [
        (a_day(), "Today: 6 questions, about 4 minutes · 3 days in a row", ["Practise"]),
        (
            a_day(dailies=OPEN),
            "Today: 6 questions, about 4 minutes · 3 days in a row",
            ["*Warm-up*"],
        ),
        (done_day(dailies=OPEN), "Practice done ✓ · 3 days in a row", ["*Warm-up*"]),
        (done_day(), "Done for today ✓ · 3 days in a row · tomorrow: 7 questions", []),
    ],
)
def test_a_verdict_ends_in_the_next_step(today: Today, says: str, buttons: list[str]) -> None:
    """One button, or that the day is done; no number is another one than the day's."""
    said, found = ending(today)
    assert (said, found) == (
        f"+100 points · Everyone sees the answer at {when(AT, 't')} {says}",
        buttons,
    )


def test_what_a_verdict_says_of_its_question() -> None:
    """That a miss comes back, news of the streak, where to talk; and no end that is over."""
    news = StreakNews(saved=1)
    said, _ = ending(a_day(streak=Streak(8, 8, 1)), right=False, news=news)
    assert said.startswith("Comes back in your practice · Everyone sees the answer at <t:")
    assert "You missed a day, and a freeze kept your streak. 1 freeze left." in said
    assert "Comes back" not in ending(a_day())[0]
    the_day_before = a_day(day=AT.date() - timedelta(days=1))
    assert f"Everyone sees the answer {when(AT)}" in ending(the_day_before)[0]
    closed = daily_row(thread_id=ROW, state=DailyState.CLOSED)
    said, _ = ending(a_day(), right=False, daily=closed)
    assert said.startswith(f"Comes back in your practice Talk about it in <#{ROW}> Today: ")


def longest_schedule(number: int) -> Schedule:
    """A schedule with the longest name, to be escaped, and everything set."""
    return Schedule(
        guild_id=ROW,
        channel_id=ROW,
        at="23:59",
        zone="America/Argentina/Buenos_Aires",
        asks="section:gone",
        kind=DailyKind.MIXED,
        answer_hours=48,
        role_id=ROW,
        thread=True,
        settled_until=AT,
        next_at=AT,
        weekdays="013456",
        name=f"{number}" + "*" * (MAX_DAILY_NAME - 1),
        id=ROW - number,
    )


def longest_status(number: int) -> DailyStatus:
    last = daily_row(state=DailyState.MISSED, opened_at=None, problem="It failed. " * 12)
    posting = replace(last, problem="I can't. " * 12)
    return DailyStatus(longest_schedule(number), AT, last, posting)


def test_the_panel_of_five_dailies_fits() -> None:
    """With the longest names and every problem; the list names all, and those with problems."""
    found = [longest_status(number) for number in range(1, MAX_DAILIES + 1)]
    problem = "I need Send Messages and Embed Links in that channel. " * 3
    problems = {status.schedule.id: problem for status in found}
    panel = panel_views.panel(found, found[1].schedule.id, bank(), problems, "Done.")
    assert "2*****" in reads(panel)
    assert "no longer in the question bank" in reads(panel)
    [picks] = (part for part in components(panel) if part["type"] == 3)
    assert [option["label"][:2] for option in picks["options"]] == ["1*", "2*", "3*", "4*", "5*"]
    assert {option["description"] for option in picks["options"]} == {"⚠️ Needs attention"}
    assert "Add another" not in labels(panel)


def test_the_panel_opens_with_what_needs_attention() -> None:
    """Otherwise with the first; and it is short enough for a phone."""
    one, two = (DailyStatus(usual_schedule(n), AT, daily_row(), None) for n in (1, 2))
    problems: dict[int, str | None] = {one.schedule.id: None, two.schedule.id: None}
    shown = panel_views.panel([one, two], None, bank(), problems)
    assert "No. 1" in reads(shown)
    assert len(texts_of_rows(shown)) <= 20
    problems[two.schedule.id] = "Wrong."
    assert "No. 2" in reads(panel_views.panel([one, two], None, bank(), problems))


def usual_schedule(number: int) -> Schedule:
    at, zone = "09:00", "Europe/Berlin"
    return Schedule(ROW, ROW, at, zone, AT, AT, name=f"No. {number}", id=number)


def texts_of_rows(panel: Message) -> list[str]:
    """A line for each 45 characters of text, for each list and for each two buttons."""
    lines = [line for text in text_of(panel).splitlines() for line in wrap(text, 45)]
    return [line for line in lines if not line.startswith("(")] + labels(panel)[::2] + ["list"]


def test_the_next_of_several() -> None:
    """A paused one is passed over, unless all are paused."""
    paused = DailyStatus(replace(usual_schedule(1), paused=True), None, None, None)
    going_on = DailyStatus(usual_schedule(2), AT, None, None)
    assert panel_views.next_posts([paused, going_on]).startswith("Next: **")
    assert panel_views.next_posts([paused, paused]).startswith("Paused.")


def test_forms_fit() -> None:
    """Each form has the settings filled in, whatever they are."""
    schedule = longest_schedule(1)
    for form in (
        panel_views.new_form(ROW, "UTC", AT, first=True),
        panel_views.new_form(None, "UTC", AT, first=False),
        panel_views.when_form(schedule, AT),
        panel_views.asks_form(schedule, bank()),
        panel_views.asks_form(replace(schedule, asks=area_of_topics([TOPIC])), bank()),
        panel_views.more_form(schedule),
    ):
        assert len(form.to_dict()["components"]) <= 5


def test_the_last_post() -> None:
    """The panel links it, and says if there was none yet."""

    def last_post(status: DailyStatus) -> str:
        return text_of(panel_views.panel([status], None, bank(), {1: None}))

    posted = DailyStatus(usual_schedule(1), AT, daily_row(), None)
    assert f"[Last question]({views.link(daily_row())}): <t:" in last_post(posted)
    assert "Nothing has been posted yet." in last_post(replace(posted, last=None))
