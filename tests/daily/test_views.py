"""The messages of a daily with choices: its end, and its ping."""

from __future__ import annotations

from datetime import timedelta
from textwrap import wrap

import pytest
from msgspec.structs import replace

from bot.chat.messages import Message, PlainMessage, text_of
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.daily import panel_views, views
from bot.daily.model import (
    DailyKind,
    DailyQuestion,
    DailyState,
    DailyStatus,
    DailyVerdict,
    Schedule,
    TodaysDailies,
    TodaysDaily,
)
from bot.members.model import Streak
from bot.questions.answers import Answered, Outcome
from bot.questions.areas import area_of_topics
from tests.daily.cards import asks, closed_card, daily_row, verdict_on
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
    assert "4 answers · 25% right" in text
    assert "Longest streaks: Alwina 12 days · a member 2 days" in text
    assert "Clementine" not in text
    assert "0 answers" in reads(daily_end(one, (0, 1, 2, 3), NOBODY))


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


def of_today(
    question: DailyQuestion,
    verdict: DailyVerdict | None = None,
    *,
    answered: bool = False,
    **changes: object,
) -> TodaysDailies:
    shown = TodaysDaily(daily_row(**changes), question, answered or verdict is not None, verdict)
    coming = (("Q" * MAX_DAILY_NAME, AT),) * 2
    return TodaysDailies((shown,), coming, False, Streak(9_998, 9_999, 2))


@pytest.mark.parametrize("kind", ["choice", "multiple", "typed"])
def test_the_largest_item_fits_in_today(kind: str) -> None:
    """Open, answered in any way, and closed: no message is larger than Discord takes, and nothing is left out."""
    one = largest(kind)
    order = orders(one)[1]
    soon, late = AT - timedelta(hours=1), AT + timedelta(hours=1)
    (view,) = views.today(of_today(asks(one, order)), bank(), soon)
    check_limits(view, kind)
    (view,) = views.today(of_today(asks(one, order), state=DailyState.CLOSED), bank(), late)
    check_limits(view, kind)
    for answer in answers(one):
        row = daily_row(thread_id=ROW, state=DailyState.CLOSED)
        made = verdict_on(Answered(one, order, answer, 100), daily=row)
        shown = views.today(of_today(asks(one, order), made, state=DailyState.CLOSED), bank(), late)
        assert words(one.explanation) in reads(*shown)
        for message in views.verdict(made, whole=True):
            check_limits(message, kind)


def test_today_does_not_tell_the_answer() -> None:
    """Before the member has answered, what Discord gets is the same whichever choice is right."""
    one, other = (item(choices=choices, topic=TOPIC) for choices in ("YNNN", "NNYN"))
    shown = [
        views.today(of_today(asks(each, (2, 0, 1, 3))), bank(), AT - timedelta(hours=1))
        for each in (one, other)
    ]
    assert sent(shown[0][0]) == sent(shown[1][0])


def test_today_with_an_open_question() -> None:
    """To be answered, answered, and closed: each has its own button."""
    question = DailyQuestion(next(iter(bank().topics.values())))
    soon, late = AT - timedelta(hours=1), AT + timedelta(hours=1)
    (view,) = views.today(of_today(question), bank(), soon)
    assert custom_ids(view) == [f"open:v1:today:{ROW}"]
    (view,) = views.today(of_today(question, answered=True), bank(), soon)
    assert "You answered this one." in reads(view)
    assert custom_ids(view) == [f"own:v1:daily:{ROW}:0"]
    (view,) = views.today(of_today(question, state=DailyState.CLOSED), bank(), late)
    assert labels(view) == ["Model answer"]


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


def test_today_with_the_most_open_questions_fits() -> None:
    """Two dates of five dailies with the longest names, and the most next times."""
    one = largest("choice")
    question = asks(one, (0, 1, 2, 3))
    shown = tuple(
        TodaysDaily(daily_row(id=ROW - n, name="*" * MAX_DAILY_NAME), question, False, None)
        for n in range(2 * MAX_DAILIES + 1)
    )
    coming = (("*" * MAX_DAILY_NAME, AT),) * MAX_DAILIES
    today = TodaysDailies(shown, coming, False, Streak(9_998, 9_999, 2))
    [message] = views.today(today, bank(), AT - timedelta(hours=1))
    check_limits(message, "today")
    assert labels(message) == ["Answer"] * 2 * MAX_DAILIES
    assert "1 more question open: answer on its card" in reads(message)
    whole = sent(message)
    other = asks(replace(one, choices=tuple(reversed(one.choices))), (3, 2, 1, 0))
    others = [replace(each, question=other) for each in shown]
    again = replace(today, dailies=tuple(others))
    assert sent(views.today(again, bank(), AT - timedelta(hours=1))[0]) == whole


def test_lines_for_what_is_missing() -> None:
    """A question that the bank lost, a pause, and no post yet are said; a post is linked."""
    question = asks(item(topic=TOPIC), (0, 1, 2, 3))
    found = of_today(question, answered=True)
    lost = TodaysDaily(daily_row(name="Warm-up"), None, False, None)
    [listed] = views.today(replace(found, dailies=(*found.dailies, lost)), bank(), AT)
    assert "· answered Warm-up This question was removed." in reads(listed)
    [paused] = views.today(replace(found, coming=(), paused=True), bank(), AT)
    assert "The question of the day is paused." in reads(paused)
    assert "paused" not in reads(*views.today(found, bank(), AT))

    def last_post(status: DailyStatus) -> str:
        return text_of(panel_views.panel([status], None, bank(), {1: None}))

    posted = DailyStatus(usual_schedule(1), AT, daily_row(), None)
    assert f"[Last question]({views.link(daily_row())}): <t:" in last_post(posted)
    assert "Nothing has been posted yet." in last_post(replace(posted, last=None))
