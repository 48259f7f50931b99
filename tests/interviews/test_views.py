"""Cards of open questions: every topic of the bank, and the largest that a bank may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, pairwise

import discord
import pytest
from msgspec.structs import replace

from bot.chat.messages import DAILY, ENDED, OPEN, REVEALED, Message, text_of
from bot.daily import views as open_daily
from bot.daily.model import DailyFeedback, DailyQuestion
from bot.interviews import views as interview
from bot.interviews.grading import Flag
from bot.interviews.model import AskedQuestion, Assessment, Part, Point, PointCount, Reply, Step
from bot.interviews.rules import build_report, follow_up_of
from bot.questions.model import FollowUp, KeyPoint, Reference, Topic
from tests.banks import teaching_bank
from tests.daily.cards import a_day, closed_openly, daily_row, open_card
from tests.messages import check_limits
from tests.shipped import bank

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
ROW = 10**18 - 1
STATES = ("found", "check", "unclear", "missing")
RULED = ("said", "opposite", "missing")
MODEL = "test-model"
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
TOPICS = list(bank().topics.values())
LONGEST = max(TOPICS, key=lambda topic: len(topic.answer))
SMALL = replace(teaching_bank().topics["t1"], section_id=LARGEST.section_id)
"""Its texts have no numbers."""


def assessed(topic: Topic, states: tuple[str, ...] = STATES, **more: object) -> Assessment:
    """Grade a topic's key points with these states in turn."""
    points = tuple(
        Point(
            text=point.text,
            state=state,
            quote="" if state == "missing" else "> # quoted *words* " * 9,
            opposite="|" * 300,
            why="_" * 300 if state in {"check", "opposite"} else "",
        )
        for point, state in zip(topic.key_points, cycle(states), strict=False)
    )
    return replace(Assessment(points), **more)  # type: ignore[arg-type]


def step(topic: Topic, *own: int, answer: str | None = "#" * 4000) -> Step:
    """An open question, or an answered one with its feedback; `own` are the points that the member
    counted, if they did."""
    graded = assessed(topic)
    if own:
        graded = graded.with_count(set(own))
    assessment = graded if answer else None
    return Step(
        question_id=ROW, number=2, total=3, topic=topic, answer=answer, assessment=assessment
    )


def plain(text: str) -> str:
    return " ".join(text.replace("\\", "").split())


def said_on(*cards: Message) -> str:
    """Return what a reader sees on these cards."""
    return " ".join(plain(text_of(card)) for card in cards)


def feedback(shown: Step, page: int = 0, *, checking: str = "") -> Message:
    return interview.feedback_card(shown, bank(), page, checking=checking)


def page_with(*points: Point, answer: str = "x", **more: object) -> str:
    """Return the feedback of an answer with these points."""
    graded = replace(Assessment(points), **more)  # type: ignore[arg-type]
    return interview.pages(SMALL, answer, graded)[0].text


def reviewed(graded: Assessment, page: int = 0) -> Message:
    """A page about a member's answer to an open daily."""
    found = DailyFeedback(daily_row(), SMALL, "Mine.", graded)
    return open_daily.feedback(found, a_day(), bank(), page)


def counted(topic: Topic, points: int, total: int = 10, **more: object) -> AskedQuestion:
    """A question whose points somebody has counted."""
    return replace(AskedQuestion(topic.id, PointCount(points, total)), **more)  # type: ignore[arg-type]


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
    return [feedback(shown, page) for page in range(len(interview._pages(shown)))]


@pytest.mark.parametrize("states", [STATES, RULED])
@pytest.mark.parametrize("topic", [LONGEST, LARGEST], ids=["longest", "largest"])
def test_every_card_is_within_discords_limits(topic: Topic, states: tuple[str, ...]) -> None:
    """Questions, all pages of feedback, and dailies keep within the limits of a message."""
    graded = assessed(topic, states, model=MODEL if states == RULED else "")
    cards = [
        interview.question_card(step(topic, answer=None), bank()),
        *pages_of(replace(step(topic), assessment=graded)),
        *pages_of(replace(step(topic), assessment=graded.with_count({0, 1}))),
        open_card(DailyQuestion(topic)),
        closed_openly(topic, 9, *(p.text for p in topic.key_points[:3])),
    ]
    for number, card in enumerate(cards):
        check_limits(card, number)


def test_the_banks_texts_are_uncut() -> None:
    """Feedback and daily cards show every text of a topic whole."""
    topic = LONGEST
    shown = step(topic, 0)
    follow_up = follow_up_of(shown)
    assert follow_up is not None
    key_points = [point.text for point in topic.key_points]
    whole = pages_of(shown)
    for words in (topic.question, topic.answer, follow_up.question, *key_points):
        assert shows(whole, words)
    opened = open_card(DailyQuestion(topic))
    assert shows([opened], topic.question)
    assert not shows([opened], topic.answer)
    assert shows([closed_openly(topic, 0)], topic.answer)
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
    tabs = [page.tab for page in interview._pages(shown)]
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
    shown = step(SMALL)
    tabs = ["Model answer", "Your answer"]
    assert labels(feedback(shown)) == [*tabs, "Yes, I said it", "Next question", "End"]
    asked = [*FOLLOW_UP_BUTTONS, "Next question", "End"]
    assert labels(feedback(step(SMALL, 0))) == [*tabs, *asked]
    last = feedback(replace(shown, total=2), 1)
    assert labels(last) == ["Feedback", "Your answer", "See the report"]
    waiting = feedback(replace(shown, assessment=None))
    assert labels(waiting) == ["Feedback", "Next question", "End"]
    assert "question of the day right now" in text_of(waiting)


FOLLOW_UP_BUTTONS = ["Answer the follow-up", "Show what a good answer says"]


def lists(card: Message) -> list[discord.ui.Select[discord.ui.LayoutView]]:
    return [part for part in card.walk_children() if isinstance(part, discord.ui.Select)]


def confirming(graded: Assessment) -> list[str]:
    """Return the label of the button that confirms the list as it is, if there is one."""
    said = labels(feedback(replace(step(LARGEST), assessment=graded)))
    return [label for label in said if "I said" in label]


def test_the_list_of_points_to_tick() -> None:
    """It has all points by state, with those found ticked, within Discord's limits, on the feedback
    tab only. Once the member has counted, it has what they ticked."""
    shown = step(LARGEST)
    own = replace(shown, assessment=assessed(LARGEST).with_count({1}))
    for one, ticked in ((shown, {"0", "4"}), (own, {"1"})):
        (select,) = lists(feedback(one))
        assert "".join(option.value for option in select.options) == "041523"
        assert {option.value for option in select.options if option.default} == ticked
        assert (select.min_values, select.max_values) == (0, 6)
        for option in select.options:
            assert 0 < len(option.label) <= 100
            assert 0 < len(option.description or "") <= 100
        for other in (feedback(one, len(pages_of(one)) - 1), feedback(one, checking=MODEL)):
            assert not lists(other)


def test_the_button_that_confirms_the_list() -> None:
    """It says what it counts, and goes once somebody has counted."""
    both = assessed(LARGEST)
    assert confirming(both) == ["Yes, I said those 2"]
    assert confirming(assessed(LARGEST, ("found", *RULED[2:] * 5))) == ["Yes, I said it"]
    assert confirming(assessed(LARGEST, ("check", "missing"))) == ["I said none of these"]
    for known in (both.with_count(set()), replace(both, model=MODEL)):
        assert confirming(known) == []


HINT = "|" * 400


def replied_step(topic: Topic, answer: str | None = "#" * 4000) -> Step:
    """An answered question with a reply to its follow-up."""
    reply = Reply(topic.follow_ups[0].question, topic.follow_ups[0].hint or HINT, answer)
    if answer is not None:
        parts = (Part("*" * 130, "> # said " * 40), Part("*" * 130))
        reply = replace(reply, parts=parts)
    return replace(step(topic, 0), reply=reply)


def test_the_buttons_of_an_open_follow_up() -> None:
    """They appear on the feedback tab only, once the member has counted, while the follow-up is open
    and has a hint."""
    follow_ups = tuple(FollowUp(when, "?", HINT) for when in ("weak", "fair", "strong"))
    hinted = replace(LARGEST, follow_ups=follow_ups)
    shown = step(hinted, 0)
    assert labels(feedback(shown))[-4:] == [*FOLLOW_UP_BUTTONS, "Next question", "End"]
    for card in (
        feedback(shown, 5),
        feedback(shown, checking=MODEL),
        feedback(step(hinted)),
        feedback(step(LARGEST, 0)),  # without a hint there is nothing to hold an answer to
        feedback(replied_step(hinted)),
    ):
        assert not set(FOLLOW_UP_BUTTONS) & set(labels(card))


def test_a_compared_follow_up() -> None:
    """Its tab shows every part with the nearest words, the member's answer, and no verdict, at any
    length."""
    shown = replied_step(LARGEST)
    cards, found = pages_of(shown), interview._pages(shown)
    for number, card in enumerate(cards):
        check_limits(card, number)
    said = "\n".join(page.text for page in found if page.tab == "Follow-up")
    part = "- " + "\\*" * 130
    assert re.search(rf"{re.escape(part)}\n> Nearest: .{{0,9}}said", said)
    assert f"{part}\n\n" in said
    assert said.count("#") >= 4000
    opened = text_of(interview.follow_up_card(shown, bank()))
    assert plain(LARGEST.follow_ups[0].question)[:500] in plain(opened)
    assert opened == text_of(cards[[page.tab for page in found].index("Follow-up")])


def test_an_answer_without_a_grade() -> None:
    """The member reads why, with the model answer, and isn't asked to try again."""
    shown = replace(step(TOPICS[0], answer="Mine."), assessment=None, problem="Too slow.")
    card = feedback(shown)
    for words in ("Too slow.", TOPICS[0].answer):
        assert plain(words) in said_on(card)
    assert labels(card) == ["Your answer", "Next question", "End"]
    assert "Mine." in said_on(feedback(shown, 1))


def test_follow_ups_with_short_answers() -> None:
    """One that was not compared is shown without a verdict. A passage that is the whole answer isn't
    quoted again at its part."""
    shown = replace(step(TOPICS[0]), reply=Reply("And?", "So it is.", "Mine."))
    said = text_of(interview.follow_up_card(shown, bank()))
    for words in ("So it is.", "Mine.", "it takes too long to compare it"):
        assert words in said
    quotes = Part("One.", "Only this."), Part("Two.", "Only")
    shown = replace(shown, reply=Reply("Why?", "One. Two.", "Only  this.", quotes))
    said = text_of(interview.follow_up_card(shown, bank()))
    assert "- One.\n- Two.\n> Nearest: Only\n" in said
    assert said.count("this.") == 1


def test_points_are_compared_with_their_opposites() -> None:
    """Each point has its opposite below it, or the right statement, and the nearest words. A point
    that was not found has neither."""
    said = page_with(
        Point("One", "missing", "Far.", "Not one"),
        Point("Two", "found", "So.", "Not two"),
        Point("Three", "check", "Three not.", "Not three", "It is three."),
        Point("Four", "unclear", "Perhaps."),
    )
    for words in (
        "**Found in your words**\n- Two\n-# Wrong version: Not two\n> You wrote: So.\n",
        "**Careful: you may have said the opposite**\n- Three\n-# It is three.\n> You wrote: Three not.\n",
        "**Unclear**\n- Four\n> Nearest: Perhaps.\n",
        "**Not found**\n- One\n\n",
    ):
        assert words in f"{said}\n\n"
    ruled = page_with(Point("One", "said", "So."), Point("Two", "opposite", "No.", "Not two"))
    assert "**Said**\n- One\n> You wrote: So.\n" in ruled
    wrong = "**Careful: the model reads the opposite**\n- Two\n-# Wrong version: Not two\n> You wrote: No."
    assert wrong in ruled
    assert "**Missing**\n- One" in page_with(Point("One", "missing"), model="test-model")


def test_the_members_count_decides_what_is_listed() -> None:
    """Points are short then. Only what may say the opposite stays to be compared."""
    points = Point("One", "found", "So.", "Not one"), Point("Two", "missing")
    check = Point("Three", "check", "Thus.", "Not three")
    said = page_with(*points, check, counted=(1,))
    assert "**What you said**\n- Two\n" in said
    left = (
        "**What you didn't say**\n- One\n- Three\n-# Wrong version: Not three\n> You wrote: Thus."
    )
    assert left in said
    assert "Found in your words" not in said
    assert "didn't say" not in page_with(Point("One", "missing"), counted=(0,))
    assert "**What you said**" not in page_with(Point("One", "found"), counted=())


@pytest.mark.parametrize(
    ("back", "said"),
    [
        ((3, 1), "2 points missed: 3 questions on this topic come tomorrow."),
        ((1, 0), "2 points missed: 1 question on this topic comes today."),
        ((0, 1), None),
    ],
)
def test_what_missed_points_bring_back(back: tuple[int, int], said: str | None) -> None:
    """It comes with the count, in an interview and in an open daily; not if nothing comes back."""
    shown = replace(step(SMALL, 0), brought_back=back)
    daily = DailyFeedback(daily_row(), SMALL, "Mine.", shown.assessment, back)
    for card in (feedback(shown), open_daily.feedback(daily, a_day(), bank(), 0)):
        assert (said or "missed") in text_of(card) or said is None
        assert ("missed" in text_of(card)) == (said is not None)
    everything = replace(step(SMALL, 0, 1, 2), brought_back=(3, 1))
    assert "missed" not in text_of(feedback(everything))


def test_who_counted_stands_above_the_figure() -> None:
    """Before anybody counts there is a question and no figure. The member's own count comes
    before the model's."""
    graded = assessed(SMALL, ("found", "check", "found"))
    ruled = assessed(SMALL, RULED, model=MODEL)

    def head(graded: Assessment) -> str:
        return text_of(feedback(replace(step(SMALL), assessment=graded))).partition("**Found")[0]

    assert "### Which of these did you say?" in head(graded)
    assert "I've ticked 2 of the 3 key points" in head(graded)
    assert "I've ticked none of the 3 key points" in head(assessed(SMALL, ("missing",) * 3))
    own = "### By your own count: 1 of 3 key points\n**33%**, an estimate"
    assert own in head(graded.with_count({1}))
    assert "counts" not in head(graded.with_count({1}))
    said = f"### As {MODEL} reads it: 1 of 3 key points\n**33%**, an estimate by a model"
    assert said in head(ruled)
    both = "### By your own count: 2 of 3 key points\n**67%**, an estimate. test-model counts 1.\n"
    assert both in head(ruled.with_count({1, 2}))


def screens(graded: Assessment) -> Iterator[Message]:
    """Every screen with feedback on an answer, in an interview and as an open daily."""
    reply = Reply("And?", "So it is. And so on.", "Mine.")
    parts = Part("So it is.", "Mine."), Part("And so on.")
    shown = replace(step(SMALL, answer="Mine."), assessment=graded)
    for each in (None, replace(reply, answer=None), reply, replace(reply, parts=parts)):
        yield from pages_of(replace(shown, reply=each))
    yield feedback(shown, checking=MODEL)
    yield reviewed(graded)


UNCOUNTED = [
    assessed(SMALL),
    assessed(SMALL, ("found",)),
    assessed(SMALL, model_failed="failed"),
    assessed(SMALL, model_failed="spent", flags=("list", "cut")),
]


@pytest.mark.parametrize("graded", UNCOUNTED)
def test_nothing_has_a_figure_before_anybody_counts(graded: Assessment) -> None:
    """There is no percentage and no colour of success; an answer with all words found, too."""
    for card in screens(graded):
        assert not re.search("%|an estimate|own count", text_of(card))
        assert accent(card) == OPEN


def test_no_screen_passes_off_an_estimate_as_a_verdict() -> None:
    """Nothing is called covered or ticked off. A percentage is called an estimate. A text
    asks to tick only above the list."""
    known = [assessed(SMALL, RULED, model=MODEL)]
    known += [graded.with_count(own) for graded in (*UNCOUNTED, *known) for own in (set(), {0, 2})]
    cards = [card for graded in (*UNCOUNTED, *known) for card in screens(graded)]
    for card in cards:
        assert bool(lists(card)) or not re.search(r"\btick\b", text_of(card), re.IGNORECASE)
    first, second, third, other = (TOPICS[n] for n in (0, 1, 2, 12))
    asked = [
        counted(first, 9),
        counted(second, 2, previous=PointCount(1, 5)),
        counted(other, 5, model=MODEL),
        AskedQuestion(third.id, None),
    ]
    cards += [
        *interview.report_pages(build_report(bank(), asked)),
        open_card(DailyQuestion(SMALL)),
        closed_openly(SMALL, 9, *(point.text for point in SMALL.key_points)),
        open_daily.copy(daily_row(), DailyQuestion(SMALL), bank()),
    ]
    texts = [text_of(card) for card in cards]
    assert [text for text in texts if re.search("covered|✅", text, re.IGNORECASE)] == []
    figures = [text[found.end() :] for text in texts for found in re.finditer(r"%(\*\*)?", text)]
    assert len(figures) > len(known)
    assert [after for after in figures if not after.startswith(", an estimate")] == []


def test_quotes_are_escaped() -> None:
    """Markup and mentions in a quote are shown as text."""
    quoted = "# **So** <@1> [x](http://y)"
    point = Point("A point", "check", quoted, why=quoted)
    (page, *_, own) = interview.pages(SMALL, "<@1>", Assessment((point,), model="*m*"))
    assert page.text.count("\\# \\*\\*So\\*\\* \\<@1> \\[x\\](http://y)") == 2
    assert "As \\*m\\* reads it" in page.text
    assert own.text == "\\<@1>"


def test_feedback_tells_how_points_were_found() -> None:
    """By words, by a model, or why not by a model. A model at work is named."""
    for more, words in (
        ({}, "I match words and can't tell whether you're right."),
        ({"model": MODEL}, "an estimate by a model, and models make mistakes."),
        ({"model_failed": "failed"}, "didn't reply, so I only matched words."),
        ({"model_failed": "spent"}, "so many answers a day, so I only matched words."),
    ):
        assert words in page_with(Point("One", "found", "So."), **more)
    card = feedback(step(SMALL), checking=MODEL)
    assert "test-model is checking your answer. This updates in a moment." in text_of(card)


def test_hints() -> None:
    """Each flag adds a sentence to the feedback."""
    said = {page_with(flags=(str(flag),)) for flag in Flag}
    assert len(said) == len(Flag)
    assert page_with() not in said


def test_the_report() -> None:
    """It lists answers by section, with who counted, and then topics to practise."""
    first, skipped, other, uncounted = (TOPICS[n] for n in (0, 1, 12, 2))
    asked = [
        counted(first, 9),
        counted(other, 3, model="*m*"),
        AskedQuestion(skipped.id, None, answered=False),
    ]
    said = report_on(*asked, AskedQuestion(uncounted.id, None))
    assert "**60%**, an estimate · 3 answers · 1 skipped" in said
    assert f"{first.title} · 9 of 10 key points -# by your own count" in said
    assert f"{other.title} · 3 of 10 key points -# as *m* reads it" in said
    assert f"{skipped.title} · skipped" in said
    assert f"{uncounted.title} · not counted" in said
    assert "-# The points of 1 answer aren't counted" in said
    assert "aren't counted" not in report_on(*asked)
    practise = said.partition("Practise next")[2]
    assert f"1. {skipped.title} 2. {other.title} -#" in practise
    assert practise.endswith("( Practise 1 ) ( Practise 2 ) ( Another question )")


def test_reports_without_figures() -> None:
    """Without a count there is neither praise nor topics to practise; without an answer nothing. If
    all were strong, it suggests other topics."""
    said = report_on(*(AskedQuestion(topic.id, None) for topic in TOPICS[:2]))
    assert "### Your interview 2 answers **" in said
    assert "-# The points of 2 answers aren't counted" in said
    assert not re.search("%|Practise|Strong", said)
    assert report_on().endswith("No answers this time, so no report. ( Another question )")
    assert report_on(counted(TOPICS[0], 10)).endswith("Strong all the way. ( Another question )")


def test_the_report_compares_with_earlier_answers() -> None:
    """Topics asked before show their earlier count; without any there is no comparison."""
    first, other = TOPICS[:2]
    new = counted(other, 5, 5)
    said = report_on(counted(first, 3, 5, previous=PointCount(2, 5)), new)
    assert f"{first.title} · 3 of 5 key points -# by your own count, last time 2 of 5" in said
    assert "Against last time: 1 better" in said
    assert "the same" not in said
    assert "last time" not in report_on(new)


def test_the_results_of_a_daily() -> None:
    """With the ticks of one member, what they missed is not shown."""
    one, two = (said_on(closed_openly(TOPICS[0], n, "A point")) for n in (1, 2))
    assert "1 answer" in one
    assert "missed" not in one
    assert "**Most often missed, by members' own ticks** - A point · missed in 2 of 2" in two
    assert "%" not in one + two


def accent(card: Message) -> object:
    (box,) = card.children
    assert isinstance(box, discord.ui.Container)
    return box.accent_colour


def test_colours() -> None:
    """Open is blurple, a daily gold; counted feedback is green, and grey without a point."""
    topic = TOPICS[0]
    assert accent(interview.question_card(step(topic, answer=None), bank())) == OPEN
    assert accent(open_card(DailyQuestion(topic))) == DAILY
    graded = assessed(topic)
    for own, colour in (({0}, REVEALED), (set(), ENDED)):
        assert accent(reviewed(graded.with_count(own))) == colour
    assert interview.colour(replace(graded, model=MODEL)) == REVEALED
