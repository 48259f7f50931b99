"""The messages of a daily with choices: its end, and its ping."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.daily import panel_views, views
from bot.daily.cards import (
    Announcement,
    DailyResult,
    DailyStatus,
    DailyVerdict,
    OpenReview,
    Today,
    TodaysDaily,
)
from bot.daily.rules import Daily, DailyState, Schedule
from bot.members.model import Streak
from bot.questions.answers import Shown
from bot.questions.cards import Outcome, Review
from bot.questions.model import Topic
from tests.messages import check_limits, custom_ids, labels, reads, sent, words
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
    made = DailyResult(
        1,
        one,
        (0, 1, 2, 3),
        Outcome(4, 1, {0: 1, 1: 3}),
        (("Alwina", 12), (None, 2), ("Clementine", 1)),
    )
    text = reads(views.result(made, bank()))
    assert "4 answers · 25% right" in text
    assert "Longest streaks: Alwina 12 days · a member 2 days Why" not in text
    assert "Longest streaks: Alwina 12 days · a member 2 days" in text
    assert "Clementine" not in text
    assert "0 answers" in reads(daily_end(one, (0, 1, 2, 3), NOBODY))


def test_the_notification_has_words() -> None:
    """The plain message pings the role with the question, whole and on one line; the card pings nobody."""
    words = views.announcement(Announcement(1, "Why *not*\nscale?", MEMBER))
    assert words.content == f"<@&{MEMBER}> Question of the day: Why \\*not\\* scale?"
    assert words.mentions().to_dict()["roles"] == [MEMBER]
    whole = "word " * 300 + "end"
    assert views.announcement(Announcement(1, whole, MEMBER)).content.endswith(whole)
    long = views.announcement(Announcement(1, "w*rd " * 500, MEMBER)).content
    assert 1_700 < len(long) <= 2_000
    assert long.endswith("w\\*rd …")
    shipped = bank()
    for asked in [
        *(i.prompt for i in shipped.items.values()),
        *(topic.question for topic in shipped.topics.values()),
    ]:
        assert not views.announcement(Announcement(1, asked, MEMBER)).content.endswith(" …"), asked
    card = daily(item(topic=TOPIC), (0, 1, 2, 3))
    assert card.mentions().to_dict()["parse"] == []
    assert "<@&" not in reads(card)


def test_the_thread_is_linked_from_verdicts_only() -> None:
    """After answering, members read where it is discussed; the card does not link there."""
    one, order = item(topic=TOPIC), (0, 1, 2, 3)
    made = DailyVerdict(Review(one, order, "0", 0), AT, Streak(3, 5), 1, thread_id=77)
    assert "Talk about it in <#77>" in text_of(views.verdict(made)[-1])
    assert "<#" not in text_of(views.verdict(replace(made, thread_id=None))[-1])


def row_of(**changes: object) -> Daily:
    """A daily that is open until AT."""
    made = Daily(
        id=ROW,
        guild_id=ROW,
        local_date=AT.date(),
        state=DailyState.OPEN,
        item_id="an-item",
        choice_order="",
        channel_id=ROW,
        message_id=ROW,
        role_id=None,
        thread_id=None,
        scheduled_at=AT,
        tried_at=None,
        opened_at=AT,
        closes_at=AT,
        due_at=AT,
        problem=None,
        topic_id=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def of_today(
    asks: Shown | Topic, given: DailyVerdict | OpenReview | None = None, **changes: object
) -> Today:
    shown = TodaysDaily(row_of(**changes), asks, given)
    return Today((shown,), (("Q" * MAX_DAILY_NAME, AT),) * 2, False, Streak(9_998, 9_999, 2))


@pytest.mark.parametrize("kind", ["choice", "multiple", "typed"])
def test_the_largest_item_fits_in_today(kind: str) -> None:
    """Open, answered in any way, and closed: no message is larger than Discord takes, and nothing is left out."""
    one = largest(kind)
    order = orders(one)[1]
    soon, late = AT - timedelta(hours=1), AT + timedelta(hours=1)
    (view,) = views.today(of_today((one, order)), bank(), soon)
    check_limits(view, kind)
    (view,) = views.today(of_today((one, order), state=DailyState.CLOSED), bank(), late)
    check_limits(view, kind)
    for answer in answers(one):
        made = DailyVerdict(Review(one, order, answer, 100), AT, Streak(1, 1), 1, thread_id=ROW)
        shown = views.today(of_today((one, order), made, state=DailyState.CLOSED), bank(), late)
        for message in shown:
            check_limits(message, kind)
        assert words(one.explanation) in reads(*shown)
        for message in views.verdict(made, whole=True):
            check_limits(message, kind)


def test_today_does_not_tell_the_answer() -> None:
    """Before the member has answered, what Discord gets is the same whichever choice is right."""
    one, other = (item(choices=choices, topic=TOPIC) for choices in ("YNNN", "NNYN"))
    shown = [
        views.today(of_today((each, (2, 0, 1, 3))), bank(), AT - timedelta(hours=1))
        for each in (one, other)
    ]
    assert sent(shown[0][0]) == sent(shown[1][0])


def test_today_with_an_open_question() -> None:
    """To be answered, answered, and closed: each has its own button."""
    topic = next(iter(bank().topics.values()))
    soon, late = AT - timedelta(hours=1), AT + timedelta(hours=1)
    (view,) = views.today(of_today(topic), bank(), soon)
    assert custom_ids(view) == [f"open:v1:today:{ROW}"]
    review = OpenReview(row_of(), topic, "So.", 60, Streak(1, 1))
    (view,) = views.today(of_today(topic, review), bank(), soon)
    assert "You answered: +60 points" in reads(view)
    assert custom_ids(view) == [f"own:v1:daily:{ROW}:0"]
    (view,) = views.today(of_today(topic, state=DailyState.CLOSED), bank(), late)
    assert labels(view) == ["Model answer"]


def longest_schedule(number: int) -> Schedule:
    """A schedule with the longest name, to be escaped, and everything set."""
    return Schedule(
        guild_id=ROW,
        channel_id=ROW,
        at="23:59",
        zone="America/Argentina/Buenos_Aires",
        asks="section:gone",
        kind="mixed",
        answer_hours=48,
        role_id=ROW,
        thread=True,
        settled_until=AT,
        next_at=AT,
        weekdays="013456",
        number=number,
        name=f"{number}" + "*" * (MAX_DAILY_NAME - 1),
        id=ROW - number,
    )


def longest_status(number: int) -> DailyStatus:
    schedules = [longest_schedule(n) for n in range(1, MAX_DAILIES + 1)]
    last = row_of(state=DailyState.MISSED, opened_at=None, problem="It failed. " * 12)
    own = schedules[number - 1]
    others = tuple(s for s in schedules if s is not own)
    return DailyStatus(own, AT, last, replace(last, problem="I can't. " * 12), others, is_new=True)


def test_panel_and_overview_of_five_dailies_fit() -> None:
    """With the longest names and every problem, and all is named."""
    found = [longest_status(number) for number in range(1, MAX_DAILIES + 1)]
    problem = "I need Send Messages and Embed Links in that channel. " * 3
    panel = panel_views.panel(found[0], bank(), problem, "Done.")
    check_limits(panel, "panel")
    assert "no longer in the question bank" in reads(panel)
    whole = panel_views.overview(found, bank(), {s.schedule.id: problem for s in found})
    check_limits(whole, "overview")
    for status in found:
        assert f"{status.schedule.number}*****" in reads(whole)
    check_limits(panel_views.which([status.schedule for status in found], "pause"), "which")


def test_one_of_several_is_paused() -> None:
    """Its sentence doesn't say that nothing is posted, because the others are."""
    one, other = (replace(longest_schedule(n), name=f"No. {n}") for n in (1, 2))
    alone = DailyStatus(replace(one, paused=True), None, None, None)
    among = replace(alone, others=(other,))
    assert panel_views.next_post(alone).startswith("Paused. Nothing is posted")
    assert panel_views.next_post(among) == "**No. 1** is paused until you use </daily resume>."
    going_on = DailyStatus(other, AT, None, None, (alone.schedule,))
    assert panel_views.next_posts([among, going_on]) == panel_views.next_post(going_on)
    assert panel_views.next_posts([among, among]) == panel_views.next_post(alone)


def test_today_with_the_most_open_questions_fits() -> None:
    """Two dates of five dailies with the longest names, and the most next times."""
    one = largest("choice")
    shown = tuple(
        TodaysDaily(row_of(id=ROW - n, name="*" * MAX_DAILY_NAME), (one, (0, 1, 2, 3)), None)
        for n in range(2 * MAX_DAILIES + 1)
    )
    coming = (("*" * MAX_DAILY_NAME, AT),) * MAX_DAILIES
    today = Today(shown, coming, False, Streak(9_998, 9_999, 2))
    [message] = views.today(today, bank(), AT - timedelta(hours=1))
    check_limits(message, "today")
    assert labels(message) == ["Answer"] * 2 * MAX_DAILIES
    assert "1 more question open: answer on its card" in reads(message)
    whole = sent(message)
    others = [
        replace(each, asks=(replace(one, choices=tuple(reversed(one.choices))), (3, 2, 1, 0)))
        for each in shown
    ]
    again = replace(today, dailies=tuple(others))
    assert sent(views.today(again, bank(), AT - timedelta(hours=1))[0]) == whole
