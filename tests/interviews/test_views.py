"""Cards of open questions: every topic of the bank, and the largest that a bank may have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, pairwise

import discord
import pytest

from bot.chat.messages import DAILY, OPEN, REVEALED, Message, text_of
from bot.daily import views as open_daily
from bot.daily.cards import OpenDailyCard, OpenDailyResult, OpenReview
from bot.daily.streaks import Streak
from bot.interviews import views as interview
from bot.interviews.cards import AskedQuestion, Assessment, Part, Point, PointCount, Reply, Step
from bot.interviews.report import build_report
from bot.questions.model import FollowUp, KeyPoint, Reference, Topic
from tests.daily.test_views import row_of
from tests.messages import check_limits
from tests.shipped import bank

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
ROW = 10**18 - 1
STATES = ("covered", "doubtful", "missing")
LARGEST = Topic(
    id="x" * 48,
    section_id=bank().sections[0].id,
    number=None,
    title="*" * 100,
    question="_" * 600,
    answer="*_" * 1500,
    key_points=tuple(KeyPoint(f"{n}" + "`" * 299, ("y",)) for n in range(6)),
    follow_ups=tuple(FollowUp(when, "|" * 600) for when in ("weak", "fair", "strong")),
    references=tuple(Reference("[" * 200, "https://" + "u" * 292) for _ in range(8)),
    items=(),
)
TOPICS = [*bank().topics.values(), LARGEST]


def assessed(topic: Topic, states: tuple[str, ...] = STATES, **more: object) -> Assessment:
    """Grade a topic's key points with these states in turn."""
    points = tuple(
        Point(point.text, state, "" if state == "missing" else "> # quoted *words* " * 9)
        for point, state in zip(topic.key_points, cycle(states), strict=False)
    )
    return replace(Assessment(points, 50), **more)  # type: ignore[arg-type]


def step(topic: Topic, *, answer: str | None = "#" * 4000) -> Step:
    """An open question, or an answered one with its feedback."""
    assessment = assessed(topic) if answer else None
    return Step(
        question_id=ROW, number=2, total=3, topic=topic, answer=answer, assessment=assessment
    )


def plain(text: str) -> str:
    return " ".join(text.replace("\\", "").split())


def said_on(*cards: Message) -> str:
    """Return what a reader sees on these cards."""
    return " ".join(plain(text_of(card)) for card in cards)


def feedback(shown: Step, page: int = 0, *, asking: bool = False) -> Message:
    return interview.feedback_card(shown, bank(), page, asking=asking)


def daily_result(topic: Topic, answered: int, percent: int | None, *missed: str) -> Message:
    """Build the card of a closed daily. Each answer lacked these points."""
    counts = tuple((text, answered) for text in missed)
    streaks = (("*" * 32, 900),) * 3
    found = OpenDailyResult(ROW, topic, answered, percent, counts, streaks)
    return open_daily.result(found, bank())


def report_on(*asked: AskedQuestion) -> str:
    """Return what a reader sees of the report, which must fit on one card."""
    (card,) = interview.report_pages(build_report(bank(), asked))
    return said_on(card)


def shows(cards: list[Message], words: str) -> bool:
    """Whether the cards show these words uncut. A page may break a text without spaces anywhere."""
    together = "".join(said_on(card) for card in cards)
    return plain(words) in together or plain(words) in said_on(*cards)


def pages_of(shown: Step) -> list[Message]:
    """Return every page of a question's feedback."""
    count = len(interview._pages(shown, shown.assessment, ""))
    return [feedback(shown, page) for page in range(count)]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.id[:20])
def test_every_card_is_within_discords_limits(topic: Topic) -> None:
    """Questions, all pages of feedback, and dailies keep within the limits of a message."""
    cards = [
        interview.question_card(step(topic, answer=None), bank()),
        *pages_of(step(topic)),
        open_daily.question(OpenDailyCard(ROW, topic, AT), bank()),
        daily_result(topic, 9, 50, *(p.text for p in topic.key_points[:3])),
    ]
    for number, card in enumerate(cards):
        check_limits(card, number)


@pytest.mark.parametrize("topic", bank().topics.values(), ids=lambda topic: topic.id)
def test_the_banks_texts_are_uncut(topic: Topic) -> None:
    """Feedback and daily cards show every text of a topic whole."""
    shown = step(topic)
    assert shown.follow_up in topic.follow_ups
    assert shown.follow_up is not None
    key_points = [point.text for point in topic.key_points]
    whole = pages_of(shown)
    for words in (topic.question, topic.answer, shown.follow_up.question, *key_points):
        assert shows(whole, words)
    opened = open_daily.question(OpenDailyCard(ROW, topic, AT), bank())
    assert shows([opened], topic.question)
    assert not shows([opened], topic.answer)
    assert shows([daily_result(topic, 0, None)], topic.answer)
    hinted = interview.follow_up_card(replied_step(topic, None), bank())
    assert shows([hinted], topic.follow_ups[0].hint or "")
    assert "Your answer**" not in text_of(hinted)


def test_the_largest_texts_are_uncut() -> None:
    """A model answer of 3,000 escaped characters and an answer of 4,000 are not cut. They go on
    over several pages."""
    shown = step(LARGEST)
    cards = pages_of(shown)
    together = "".join(map(text_of, cards))
    assert together.count("\\*\\_") >= 1500
    assert together.count("#") >= 4000
    tabs = [page.tab for page in interview._pages(shown, shown.assessment, "")]
    goes_on = [tab == following for tab, following in pairwise(tabs)]
    assert ["Read on" in labels(card) for card in cards] == [*goes_on, False]
    assert any(goes_on)


def labels(card: Message) -> list[str]:
    """Return the labels of a card's enabled buttons."""
    return [
        str(part.label)
        for part in card.walk_children()
        if isinstance(part, discord.ui.Button) and not part.disabled
    ]


def test_enabled_buttons() -> None:
    """The open tab is disabled; the last question leads to the report."""
    shown = step(TOPICS[0])
    asked = [*FOLLOW_UP_BUTTONS, "Next question", "End"]
    assert labels(feedback(shown)) == ["Model answer", "Your answer", *asked]
    last = feedback(replace(shown, total=2), 1)
    assert labels(last) == ["Feedback", "Your answer", "See the report"]
    waiting = feedback(replace(shown, assessment=None))
    assert labels(waiting) == ["Feedback", "Next question", "End"]
    assert "question of the day right now" in text_of(waiting)


FOLLOW_UP_BUTTONS = ["Answer the follow-up", "Show what a good answer says"]


def lists(card: Message) -> list[discord.ui.Select[discord.ui.LayoutView]]:
    return [part for part in card.walk_children() if isinstance(part, discord.ui.Select)]


def test_the_list_of_points_to_claim() -> None:
    """It offers points not covered, preselects claimed ones, and appears on the feedback tab
    only."""
    claimed = replace(step(LARGEST), assessment=assessed(LARGEST).with_claims({1}))
    (select,) = lists(feedback(claimed))
    assert [(o.value, o.default) for o in select.options] == [
        ("1", True),
        *((value, False) for value in "245"),
    ]
    assert (select.min_values, select.max_values) == (0, 4)
    assert not lists(feedback(claimed, len(pages_of(claimed)) - 1))
    assert not lists(feedback(claimed, asking=True))
    assert not lists(feedback(replace(claimed, assessment=assessed(LARGEST, ("covered",)))))


HINT = "|" * 400


def replied_step(topic: Topic, answer: str | None = "#" * 4000) -> Step:
    """An answered question with a reply to its follow-up."""
    reply = Reply(topic.follow_ups[0].question, topic.follow_ups[0].hint or HINT, answer)
    if answer is not None:
        states = (
            Part("*" * 130, state, "> # said " * 40) for state in ("covered", "doubtful", "missing")
        )
        reply = replace(reply, parts=tuple(states), flags=("list",))
    return replace(step(topic), reply=reply)


def test_the_buttons_of_an_open_follow_up() -> None:
    """They appear on the feedback tab only, while the follow-up is open and has a hint."""
    follow_ups = tuple(FollowUp(when, "?", HINT) for when in ("weak", "fair", "strong"))
    hinted = replace(LARGEST, follow_ups=follow_ups)
    shown = step(hinted)
    assert labels(feedback(shown))[-4:] == [*FOLLOW_UP_BUTTONS, "Next question", "End"]
    for card in (
        feedback(shown, 5),
        feedback(shown, asking=True),
        feedback(step(LARGEST)),  # without a hint there is nothing to hold an answer to
        feedback(replied_step(hinted)),
    ):
        assert not set(FOLLOW_UP_BUTTONS) & set(labels(card))


@pytest.mark.parametrize("topic", [TOPICS[0], LARGEST], ids=["first", "largest"])
def test_a_compared_follow_up(topic: Topic) -> None:
    """Its tab shows every part with its state, the member's answer, and no score, at any length."""
    shown = replied_step(topic)
    cards = pages_of(shown)
    for card in cards:
        check_limits(card, topic.id)
    found = interview._pages(shown, shown.assessment, "")
    said = "\n".join(page.text for page in found if page.tab == "Follow-up")
    for word in ("· **covered**", "· **unclear**", "· **missing**", "**Partly covered**"):
        assert word in said
    assert "list of terms" in said
    assert said.count("#") >= 4000
    assert "%" not in said
    opened = text_of(interview.follow_up_card(shown, bank()))
    assert plain(topic.follow_ups[0].question)[:500] in plain(opened)
    assert opened == text_of(cards[[page.tab for page in found].index("Follow-up")])


def test_an_answer_without_a_grade() -> None:
    """The member reads why, with the model answer, and isn't asked to try again."""
    shown = replace(step(TOPICS[0], answer="Mine."), assessment=None, problem="Too slow.")
    card = feedback(shown)
    for words in ("Too slow.", TOPICS[0].answer):
        assert plain(words) in said_on(card)
    assert labels(card) == ["Your answer", "Next question", "End"]
    assert "Mine." in said_on(feedback(shown, 1))


def test_a_follow_up_that_was_not_compared() -> None:
    """The good answer and the member's are shown without a verdict."""
    shown = replace(step(TOPICS[0]), reply=Reply("And?", "So it is.", "Mine."))
    card = interview.follow_up_card(shown, bank())
    for words in ("So it is.", "Mine.", "it takes too long to compare it"):
        assert words in text_of(card)
    assert "Missing" not in text_of(card)


def test_a_short_answer_is_shown_once() -> None:
    """A passage that is the whole answer isn't quoted again at its part."""
    quotes = Part("One.", "covered", "Only  this."), Part("Two.", "doubtful", "Only")
    shown = replace(step(TOPICS[0]), reply=Reply("Why?", "One. Two.", "Only this.", quotes))
    said = text_of(interview.follow_up_card(shown, bank()))
    assert "- ✅ One. · **covered**\n- Two. · **unclear**\n> Only\n" in said
    assert said.count("Only this.") == 1


def test_claimed_points_have_their_own_heading() -> None:
    """They show their closest passage and both scores; a missing point shows no passage."""
    points = (
        Point("One", "doubtful", "So.", 0.3),
        Point("Two", "missing", "Near."),
        Point("Three", "missing", "Far."),
    )
    page = interview.pages(
        TOPICS[0], answer="x", assessment=Assessment(points, 10).with_claims({0, 1})
    )[0].text
    assert "2 of 3 key points\n**67%** · 10% without what you marked" in page
    assert "**Self-marked**\n- One\n> So.\n- Two\n> Near." in page
    assert page.index("Self-marked") < page.index("**Missing**\n- Three")
    assert "Far." not in page
    asked = AskedQuestion(TOPICS[0].id, 80, claimed=2)
    (card,) = interview.report_pages(build_report(bank(), [asked]))
    assert "80% · 2 self-marked" in text_of(card)


def test_quotes_are_escaped() -> None:
    """Markup and mentions in a quote are shown as text."""
    topic = TOPICS[0]
    point = Point("A point", "covered", "# **So** <@1> [x](http://y)")
    card = interview.pages(topic, answer="<@1>", assessment=Assessment((point,), 100))
    assert "> \\# \\*\\*So\\*\\* \\<@1> \\[x\\](http://y)" in card[0].text
    assert card[-1].text == "\\<@1>"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("", "not a verdict."),
        ("asked", "model service read your answer to check"),
        ("failed", "on my own"),
        ("spent", "for one day"),
    ],
)
def test_feedback_mentions_the_model_service(model: str, words: str) -> None:
    """Feedback says whether a model service read the answer, or why it didn't."""
    page = interview.pages(TOPICS[0], answer="x", assessment=assessed(TOPICS[0], model=model))[0]
    assert words in page.text
    assert ("model service" in page.text) is bool(model)


@pytest.mark.parametrize("flag", ["empty", "copied", "list", "terse", "negated", "strays", "cut"])
def test_hints(flag: str) -> None:
    """Each flag adds a sentence to the feedback."""
    plain_page, flagged = (
        interview.pages(TOPICS[0], answer="x", assessment=assessed(TOPICS[0], flags=flags))[0].text
        for flags in ((), (flag,))
    )
    assert len(flagged) > len(plain_page)


def test_the_report() -> None:
    """It lists answers by section, skipped ones included, and then topics to practise."""
    first, skipped, other = (TOPICS[n] for n in (0, 1, 12))
    said = report_on(
        AskedQuestion(first.id, 90),
        AskedQuestion(other.id, 30),
        AskedQuestion(skipped.id, None, answered=False),
    )
    assert "**60%** · 2 answers · 1 skipped" in said
    assert f"✅ {first.title} · 90%" in said
    assert f"{skipped.title} · skipped" in said
    practise = said.partition("Practise next")[2]
    assert f"1. {skipped.title}" in practise
    assert "</practice>" in practise
    assert first.title not in practise


def test_the_report_compares_with_earlier_answers() -> None:
    """Topics asked before show their earlier count; without any there is no comparison."""
    first, other = TOPICS[:2]
    five, three = PointCount(5, 5), PointCount(3, 5)
    compared = AskedQuestion(first.id, 60, claimed=1, points=three, previous=PointCount(2, 5))
    new = AskedQuestion(other.id, 90, points=five)
    said = report_on(compared, new)
    assert f"{first.title} · 60% · 1 self-marked -# 3 of 5 key points, last time 2 of 5" in said
    assert f"✅ {other.title} · 90% **" in f"{said} **"
    assert "Against last time: 1 better" in said
    assert "the same" not in said
    assert "last time" not in report_on(new)


def test_empty_and_strong_reports() -> None:
    """Without an answer the report says so; if all were strong it suggests other topics."""
    assert "No answers this time" in report_on()
    assert "</interview>" in report_on(AskedQuestion(TOPICS[0].id, 100))
    assert report_on(*(AskedQuestion(topic.id, 10) for topic in TOPICS[:10]))


def test_a_daily_without_an_own_answer() -> None:
    """After the close, its reader sees the model answer alone, without tabs."""
    card = open_daily.review(OpenReview(row_of(), TOPICS[0], None, 0, Streak(0, 0)), bank())
    assert "You didn't answer this one" in text_of(card)
    assert labels(card) == []


def test_a_daily_without_an_own_grade() -> None:
    """The streak counts, and the reason is above the model answer."""
    review = OpenReview(row_of(), TOPICS[0], "Mine.", 0, Streak(3, 3), problem="Too slow.")
    card = open_daily.review(review, bank())
    for words in ("Too slow.", "Streak: 3 days", TOPICS[0].answer):
        assert plain(words) in said_on(card)
    assert "You didn't answer" not in said_on(card)
    assert labels(card) == ["Your answer"]


def test_the_results_of_a_daily() -> None:
    """Without grades there is no average. With one answer, neither its score nor what it missed is
    shown."""
    none = said_on(daily_result(TOPICS[0], 2, None))
    assert "2 answers" in none
    assert "on average" not in none
    one, two = (said_on(daily_result(TOPICS[0], n, 33, "A point")) for n in (1, 2))
    assert "1 answer" in one
    assert "33%" not in one
    assert "Most often missing" not in one
    assert "2 answers · 33% on average" in two
    assert "missed by 2 of 2" in two


def test_colours() -> None:
    """Open is blurple, a daily gold, feedback green, and grey without a covered point; never
    red."""

    def accent(card: Message) -> object:
        (box,) = card.children
        assert isinstance(box, discord.ui.Container)
        return box.accent_colour

    topic = TOPICS[0]
    assert accent(interview.question_card(step(topic, answer=None), bank())) == OPEN
    assert accent(open_daily.question(OpenDailyCard(ROW, topic, AT), bank())) == DAILY
    assert interview.colour(assessed(topic)) == REVEALED
    assert interview.colour(assessed(topic, ("missing",))) not in {REVEALED, discord.Colour.red()}
