"""Cards of open questions: every topic of the bank, and the largest that a bank may have."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import discord
import pytest

from bot.chat.messages import DAILY, OPEN, REVEALED, text_of
from bot.daily import views as open_daily
from bot.daily.rules import DailyState, OpenDailyCard, OpenDailyResult, Streak
from bot.daily.service import OpenReview
from bot.daily.store import Daily
from bot.interviews import views as interview
from bot.interviews.cards import AskedQuestion, Assessment, Part, Point, PointCount, Reply, Step
from bot.interviews.report import build_report
from bot.questions.model import FollowUp, KeyPoint, Reference, Topic
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
    points = tuple(
        Point(
            p.text,
            states[n % len(states)],
            "" if states[n % len(states)] == "missing" else "> # quoted *words* " * 9,
        )
        for n, p in enumerate(topic.key_points)
    )
    return replace(Assessment(points, 50), **more)  # type: ignore[arg-type]


def step(topic: Topic, *, answer: str | None = "#" * 4000, hidden: bool = False) -> Step:
    assessment = assessed(topic) if answer and not hidden else None
    return Step(
        question_id=ROW, number=2, total=3, topic=topic, answer=answer, assessment=assessment
    )


def plain(text: str) -> str:
    return " ".join(re.sub(r"\\", "", text).split())


def shows(cards: list[discord.ui.LayoutView], words: str) -> bool:
    """Whether the cards show these words uncut. A page may break a text without spaces anywhere."""
    together = "".join(plain(text_of(card)) for card in cards)
    return plain(words) in together or plain(words) in " ".join(
        plain(text_of(card)) for card in cards
    )


def pages_of(shown: Step) -> list[discord.ui.LayoutView]:
    assert shown.assessment is not None
    count = len(
        interview.pages(
            shown.topic,
            answer=shown.answer,
            assessment=shown.assessment,
            follow_up=shown.follow_up,
        )
    )
    return [interview.feedback_card(shown, bank(), page) for page in range(count)]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.id[:20])
def test_every_card_is_within_discords_limits(topic: Topic) -> None:
    """Each message has at most 4,000 characters and 40 components."""
    cards: list[discord.ui.LayoutView] = [interview.question_card(step(topic, answer=None), bank())]
    cards += pages_of(step(topic))
    cards.append(open_daily.question(OpenDailyCard(ROW, topic, AT), bank()))
    missed = tuple((p.text, 5) for p in topic.key_points[:3])
    streaks = (("*" * 32, 900),) * 3
    cards.append(open_daily.result(OpenDailyResult(ROW, topic, 9, 50, missed, streaks), bank()))
    for card in cards:
        assert len(text_of(card)) <= 4000
        assert len(list(card.walk_children())) <= 40


@pytest.mark.parametrize("topic", bank().topics.values(), ids=lambda topic: topic.id)
def test_the_banks_texts_are_uncut(topic: Topic) -> None:
    """Feedback and daily cards show every text of a topic whole."""
    shown = step(topic)
    whole = pages_of(shown)
    assert shown.follow_up in topic.follow_ups
    assert shown.follow_up is not None
    for words in (
        topic.question,
        topic.answer,
        shown.follow_up.question,
        *(p.text for p in topic.key_points),
    ):
        assert shows(whole, words)
    opened = open_daily.question(OpenDailyCard(ROW, topic, AT), bank())
    assert shows([opened], topic.question)
    assert not shows([opened], topic.answer)
    result = OpenDailyResult(ROW, topic, 0, None, (), ())
    assert shows([open_daily.result(result, bank())], topic.answer)


def test_the_largest_texts_are_uncut() -> None:
    """Neither 3,000 escaped characters of a model answer nor an answer of 4,000 are cut."""
    together = "".join(text_of(card) for card in pages_of(step(LARGEST)))
    assert together.count("\\*\\_") >= 1500
    assert together.count("#") >= 4000


def labels(card: discord.ui.LayoutView) -> list[str]:
    return [
        str(b.label)
        for b in card.walk_children()
        if isinstance(b, discord.ui.Button) and not b.disabled
    ]


def test_enabled_buttons() -> None:
    """The open tab is disabled; the last question leads to the report."""
    topic = TOPICS[0]
    first = interview.feedback_card(step(topic), bank())
    follow_up = ["Answer the follow-up", "Show what a good answer says"]
    assert labels(first) == ["Model answer", "Your answer", *follow_up, "Next question", "End"]
    last = replace(step(topic), total=2)
    assert labels(interview.feedback_card(last, bank(), 1)) == [
        "Feedback",
        "Your answer",
        "See the report",
    ]
    waiting = interview.feedback_card(step(topic, hidden=True), bank())
    assert labels(waiting) == ["Feedback", "Next question", "End"]
    assert "question of the day right now" in text_of(waiting)


def lists(card: discord.ui.LayoutView) -> list[discord.ui.Select[discord.ui.LayoutView]]:
    return [part for part in card.walk_children() if isinstance(part, discord.ui.Select)]


def test_the_list_of_points_to_claim() -> None:
    """It offers points not covered, preselects claimed ones, and appears on the feedback tab
    only."""
    shown = step(LARGEST)
    assert shown.assessment is not None
    claimed = replace(shown, assessment=shown.assessment.with_claims({1}))
    (select,) = lists(interview.feedback_card(claimed, bank()))
    assert [(option.value, option.default) for option in select.options] == [
        ("1", True),
        ("2", False),
        ("4", False),
        ("5", False),
    ]
    assert all(len(option.label) <= 100 for option in select.options)
    assert (select.min_values, select.max_values) == (0, 4)
    count = len(pages_of(shown))
    assert not lists(interview.feedback_card(claimed, bank(), count - 1))
    assert not lists(interview.feedback_card(claimed, bank(), asking=True))
    all_said = replace(shown, assessment=assessed(LARGEST, ("covered",)))
    assert not lists(interview.feedback_card(all_said, bank()))


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
    hinted = replace(
        LARGEST, follow_ups=tuple(FollowUp(w, "?", HINT) for w in ("weak", "fair", "strong"))
    )
    asked = ["Answer the follow-up", "Show what a good answer says"]
    assert labels(interview.feedback_card(step(hinted), bank()))[-4:] == [
        *asked,
        "Next question",
        "End",
    ]
    for card in (
        interview.feedback_card(step(hinted), bank(), 5),
        interview.feedback_card(step(hinted), bank(), asking=True),
        interview.feedback_card(
            step(LARGEST), bank()
        ),  # without a hint there is nothing to hold an answer to
        interview.feedback_card(replied_step(hinted), bank()),
    ):
        assert not set(asked) & set(labels(card))


@pytest.mark.parametrize("topic", [TOPICS[0], LARGEST], ids=["first", "largest"])
def test_a_compared_follow_up(topic: Topic) -> None:
    """Its tab shows every part with its state, the member's answer, and no score, at any length."""
    shown = replied_step(topic)
    assert shown.assessment is not None
    found = interview.pages(
        shown.topic, shown.answer, shown.assessment, shown.follow_up, reply=shown.reply
    )
    cards = [interview.feedback_card(shown, bank(), n) for n in range(len(found))]
    assert all(len(text_of(card)) <= 4000 for card in cards)
    said = "\n".join(page.text for page in found if page.tab == "Follow-up")
    assert [word for word in ("covered", "unclear", "missing") if f"· **{word}**" not in said] == []
    assert "**Partly covered**" in said
    assert "list of terms" in said
    assert said.count("\\#") + said.count("#") >= 4000
    assert "%" not in said
    opened = text_of(interview.follow_up_card(shown, bank()))
    assert plain(topic.follow_ups[0].question)[:500] in plain(opened)
    assert opened == text_of(cards[[page.tab for page in found].index("Follow-up")])


def test_an_answer_without_a_grade() -> None:
    """The member reads why, with the model answer, and isn't asked to try again."""
    shown = replace(step(TOPICS[0], answer="Mine.", hidden=True), problem="Too slow.")
    card, own = (interview.feedback_card(shown, bank(), page) for page in (0, 1))
    for words in ("Too slow.", TOPICS[0].answer):
        assert plain(words) in plain(text_of(card))
    assert labels(card) == ["Your answer", "Next question", "End"]
    assert "Mine." in text_of(own)


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


def test_a_good_answer_is_shown_whole() -> None:
    """A follow-up that was only shown has its whole hint and no answer of the member."""
    for topic in bank().topics.values():
        card = text_of(interview.follow_up_card(replied_step(topic, None), bank()))
        assert plain(topic.follow_ups[0].hint or "") in plain(card)
        assert "Your answer**" not in card


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
    topics = list(bank().topics.values())
    asked = [
        AskedQuestion(topics[0].id, 90),
        AskedQuestion(topics[12].id, 30),
        AskedQuestion(topics[1].id, None, answered=False),
    ]
    (card,) = interview.report_pages(build_report(bank(), asked))
    said = text_of(card)
    assert "**60%** · 2 answers · 1 skipped" in said
    assert f"✅ {topics[0].title} · 90%" in plain(said)
    assert f"{topics[1].title} · skipped" in plain(said)
    practise = plain(said).partition("Practise next")[2]
    assert f"1. {topics[1].title}" in practise
    assert "</practice>" in practise
    assert topics[0].title not in practise


def test_the_report_compares_with_earlier_answers() -> None:
    """Topics asked before show their earlier count; without any there is no comparison."""
    first, other = list(bank().topics.values())[:2]
    asked = [
        AskedQuestion(first.id, 60, claimed=1, points=PointCount(3, 5), previous=PointCount(2, 5)),
        AskedQuestion(other.id, 90, points=PointCount(5, 5)),
    ]
    said = plain(text_of(interview.report_pages(build_report(bank(), asked))[0]))
    assert f"{first.title} · 60% · 1 self-marked -# 3 of 5 key points, last time 2 of 5" in said
    assert f"✅ {other.title} · 90% **" in said + " **"
    assert "Against last time: 1 better" in said
    assert "the same" not in said
    assert "last time" not in text_of(interview.report_pages(build_report(bank(), asked[1:]))[0])


def test_empty_and_strong_reports() -> None:
    """Without an answer the report says so; if all were strong it suggests other topics."""
    (nothing,) = interview.report_pages(build_report(bank(), []))
    assert "No answers this time" in text_of(nothing)
    (strong,) = interview.report_pages(build_report(bank(), [AskedQuestion(TOPICS[0].id, 100)]))
    assert "</interview>" in text_of(strong)
    many = build_report(
        bank(), [AskedQuestion(topic.id, 10) for topic in list(bank().topics.values())[:10]]
    )
    assert all(len(text_of(card)) <= 4000 for card in interview.report_pages(many))


def closed_daily(topic: Topic) -> Daily:
    return Daily(
        1,
        1,
        date(2027, 1, 4),
        DailyState.CLOSED,
        None,
        "",
        1,
        1,
        None,
        None,
        AT,
        None,
        AT,
        AT,
        None,
        None,
        topic.id,
    )


def test_a_daily_without_an_own_answer() -> None:
    """After the close, its reader sees the model answer alone, without tabs."""
    topic = TOPICS[0]
    review = OpenReview(closed_daily(topic), topic, None, 0, Streak(0, 0))
    card = open_daily.review(review, bank())
    assert "You didn't answer this one" in text_of(card)
    assert labels(card) == []


def test_a_daily_without_an_own_grade() -> None:
    """The streak counts, and the reason is above the model answer."""
    topic = TOPICS[0]
    review = OpenReview(closed_daily(topic), topic, "Mine.", 0, Streak(3, 3), problem="Too slow.")
    card = open_daily.review(review, bank())
    for words in ("Too slow.", "Streak: 3 days", topic.answer):
        assert plain(words) in plain(text_of(card))
    assert "You didn't answer" not in text_of(card)
    assert labels(card) == ["Your answer"]


def test_a_daily_result_without_grades() -> None:
    """The card has the number of answers and no average."""
    card = text_of(open_daily.result(OpenDailyResult(ROW, TOPICS[0], 2, None, (), ()), bank()))
    assert "2 answers" in card
    assert "on average" not in card


def test_the_result_of_a_single_answer_stays_private() -> None:
    """With one answer, the result shows neither its score nor what it missed."""
    missed = ((TOPICS[0].key_points[0].text, 1),)
    one, two = (
        plain(text_of(open_daily.result(OpenDailyResult(1, TOPICS[0], n, 33, missed, ()), bank())))
        for n in (1, 2)
    )
    assert "1 answer" in one
    assert "33%" not in one
    assert "Most often missing" not in one
    assert "2 answers · 33% on average" in two
    assert "missed by 1 of 2" in two


def test_colours() -> None:
    """Open is blurple, a daily gold, feedback green, and grey without a covered point; never
    red."""
    topic = TOPICS[0]

    def accent(card: discord.ui.LayoutView) -> object:
        box = card.children[0]
        assert isinstance(box, discord.ui.Container)
        return box.accent_colour

    assert accent(interview.question_card(step(topic, answer=None), bank())) == OPEN
    opened = OpenDailyCard(ROW, topic, AT)
    assert accent(open_daily.question(opened, bank())) == DAILY
    assert interview.colour(assessed(topic)) == REVEALED
    assert interview.colour(assessed(topic, ("missing",))) not in {REVEALED, discord.Colour.red()}
