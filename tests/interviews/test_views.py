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
from bot.interviews.model import (
    UNCOMPARED,
    AskedQuestion,
    Assessment,
    InterviewReport,
    Part,
    Point,
    PointCount,
    Reply,
    Step,
    ticked_by_partner,
)
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
    return interview.feedback_card(shown, page, checking=checking)


def tab_of(shown: Step, tab: str) -> Message:
    """Return the first page of a tab."""
    return feedback(shown, [page.tab for page in interview._pages(shown)].index(tab))


def verdict_on(*points: Point, answer: str = "x", **more: object) -> str:
    """Return the verdict on an answer with these points."""
    graded = replace(Assessment(points), **more)  # type: ignore[arg-type]
    return interview.pages(SMALL, answer, graded)[0].text


def compared(*points: Point, **more: object) -> str:
    """Return the page that compares an answer with these points."""
    graded = replace(Assessment(points), **more)  # type: ignore[arg-type]
    return interview.pages(SMALL, "x", graded)[1].text


def reviewed(graded: Assessment, page: int = 0) -> Message:
    """A page about a member's answer to an open daily."""
    found = DailyFeedback(daily_row(), SMALL, "Mine.", graded)
    return open_daily.feedback(found, a_day(), page)


def counted(topic: Topic, points: int, total: int = 10, **more: object) -> AskedQuestion:
    """A question whose points somebody has counted."""
    return replace(AskedQuestion(topic.id, PointCount(points, total)), **more)  # type: ignore[arg-type]


def report_on(*asked: AskedQuestion) -> str:
    """Return what a reader sees of the report."""
    return said_on(interview.report(build_report(bank().topics, asked)))


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
        interview.question_card(step(topic, answer=None)),
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
    hinted = interview.follow_up_card(replied_step(topic, None))
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
    """The verdict has one row: what is behind it, the ticks first, one tap to confirm, and the way on, which is marked
    once it is counted. The open tab is disabled; the last question leads to the report.
    """
    shown = step(SMALL)
    behind = ["Check my ticks", "Model answer"]
    assert labels(feedback(shown)) == [*behind, "That's right", "Next question"]
    known = step(SMALL, 0)
    assert labels(feedback(known)) == [*behind, "Follow-up", "Next question"]
    assert (primary(feedback(shown)), primary(feedback(known))) == (
        "Check my ticks",
        "Next question",
    )
    last = tab_of(replace(shown, total=2), "Model answer")
    assert labels(last) == ["Back", "Check my ticks", "Read on", "See the report"]
    waiting = feedback(replace(shown, assessment=None))
    assert labels(waiting) == ["Feedback", "Next question"]
    assert "question of the day right now" in text_of(waiting)


def primary(card: Message) -> str:
    """Return the label of the one marked button."""
    (marked,) = (
        str(part.label)
        for part in card.walk_children()
        if isinstance(part, discord.ui.Button) and part.style is discord.ButtonStyle.primary
    )
    return marked


FOLLOW_UP_BUTTONS = ["Answer", "Show a good answer"]


def lists(card: Message) -> list[discord.ui.Select[discord.ui.LayoutView]]:
    return [part for part in card.walk_children() if isinstance(part, discord.ui.Select)]


def confirming(graded: Assessment) -> list[str]:
    """Return the ticks that the button which confirms the list has, if there is one."""
    return [
        str(part.custom_id).rpartition(":")[2]
        for part in feedback(replace(step(LARGEST), assessment=graded)).walk_children()
        if isinstance(part, discord.ui.Button) and part.label == "That's right"
    ]


def test_the_list_of_points_to_tick() -> None:
    """It has all points by state, with those found ticked, within Discord's limits, on its tab only.
    Once the member has counted, it has what they ticked."""
    shown = step(LARGEST)
    own = replace(shown, assessment=assessed(LARGEST).with_count({1}))
    for one, ticked in ((shown, {"0", "4"}), (own, {"1"})):
        (select,) = lists(tab_of(one, "Check my ticks"))
        assert "".join(option.value for option in select.options) == "041523"
        assert {option.value for option in select.options if option.default} == ticked
        assert (select.min_values, select.max_values) == (0, 6)
        for option in select.options:
            assert 0 < len(option.label) <= 100
            assert 0 < len(option.description or "") <= 100
        for other in (feedback(one), feedback(one, 99), feedback(one, 1, checking=MODEL)):
            assert not lists(other)


def test_the_button_that_confirms_the_list() -> None:
    """It has the ticks that the verdict is about, and goes once somebody has counted."""
    both = assessed(LARGEST)
    assert confirming(both) == ["04"]
    assert confirming(assessed(LARGEST, ("check", "missing"))) == ["none"]
    for known in (both.with_count(set()), replace(both, model=MODEL)):
        assert confirming(known) == []
    assert "That's right" not in labels(
        feedback(replace(step(LARGEST), assessment=both), checking=MODEL)
    )


HINT = "|" * 400


def replied_step(topic: Topic, answer: str | None = "#" * 4000) -> Step:
    """An answered question with a reply to its follow-up."""
    reply = Reply(topic.follow_ups[0].question, topic.follow_ups[0].hint or HINT, answer)
    if answer is not None:
        parts = (Part("*" * 130, "> # said " * 40), Part("*" * 130))
        reply = replace(reply, parts=parts)
    return replace(step(topic, 0), reply=reply)


def test_the_buttons_of_an_open_follow_up() -> None:
    """They are on its tab, once the member has counted, while it is open and has a hint."""
    follow_ups = tuple(FollowUp(when, "?", HINT) for when in ("weak", "fair", "strong"))
    hinted = replace(LARGEST, follow_ups=follow_ups)
    shown = step(hinted, 0)
    assert labels(tab_of(shown, "Follow-up"))[-3:] == [*FOLLOW_UP_BUTTONS, "Next question"]
    assert text_of(tab_of(shown, "Follow-up")) == text_of(interview.follow_up_card(shown))
    for card in (
        feedback(shown),
        interview.follow_up_card(step(hinted)),
        # without a hint there is nothing to hold an answer to
        tab_of(step(LARGEST, 0), "Follow-up"),
        tab_of(replied_step(hinted), "Follow-up"),
    ):
        assert not set(FOLLOW_UP_BUTTONS) & set(labels(card))
    for early in (step(hinted), replace(shown, assessment=None)):
        assert "Follow-up" not in labels(feedback(early))
    assert "Follow-up" not in labels(feedback(shown, checking=MODEL))


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
    opened = text_of(interview.follow_up_card(shown))
    assert plain(LARGEST.follow_ups[0].question)[:500] in plain(opened)
    assert opened == text_of(cards[[page.tab for page in found].index("Follow-up")])


def test_an_answer_without_a_grade() -> None:
    """The member reads why, with the model answer, and isn't asked to try again."""
    shown = replace(step(TOPICS[0], answer="Mine."), assessment=None, problem="Too slow.")
    card = feedback(shown)
    for words in ("Too slow.", TOPICS[0].answer):
        assert plain(words) in said_on(card)
    assert labels(card) == ["Next question"]
    assert "Mine." in said_on(card)


def test_follow_ups_with_short_answers() -> None:
    """One that was not compared is shown without a verdict. A passage that is the whole answer isn't
    quoted again at its part."""
    shown = replace(step(TOPICS[0]), reply=Reply("And?", "So it is.", "Mine."))
    said = text_of(interview.follow_up_card(shown))
    for words in ("So it is.", "Mine.", "it takes too long to compare it"):
        assert words in said
    quotes = Part("One.", "Only this."), Part("Two.", "Only")
    shown = replace(shown, reply=Reply("Why?", "One. Two.", "Only  this.", quotes))
    said = text_of(interview.follow_up_card(shown))
    assert "- One.\n- Two.\n> Nearest: Only\n" in said
    assert said.count("this.") == 1


def test_points_are_compared_with_the_members_sentences() -> None:
    """Each point has the nearest words below it. Only one whose opposite they may say has that, too."""
    said = compared(
        Point("One", "missing", "Far.", "Not one"),
        Point("Two", "found", "So.", "Not two"),
        Point("Three", "check", "Three not.", "Not three", "It is three."),
        Point("Four", "unclear", "Perhaps.", "Not four"),
        Point("Five", "check", "Five not.", "Not five"),
    )
    for words in (
        "**Found in your words**\n- Two\n> You wrote: So.\n\n",
        "**Check this: you may have said the opposite**\n- Three\n-# It is three.\n> You wrote: Three not.\n"
        "- Five\n-# Wrong version: Not five\n> You wrote: Five not.\n\n",
        "**Unclear**\n- Four\n> Nearest: Perhaps.\n\n",
        "**Not found**\n- One\n\n",
    ):
        assert words in f"{said}\n\n"
    ruled = compared(Point("One", "said", "So."), Point("Two", "opposite", "No.", "Not two"))
    assert "**Said**\n- One\n> You wrote: So.\n" in ruled
    wrong = "**Check this: the model reads the opposite**\n- Two\n-# Wrong version: Not two\n> You wrote: No."
    assert wrong in ruled


def test_a_verdict_says_what_is_missing() -> None:
    """Doubts come first, until the member's ticks decide. No wrong version is there."""
    points = Point("One", "found", "So.", "Not one"), Point("Two", "missing")
    check = Point("Three", "check", "Thus.", "Not three")
    said = '**Careful:** you may have said the opposite of "Three"\n**Missing:** Two'
    assert verdict_on(*points, check) == f"### By your words, 1 of 3\n{said}"
    assert verdict_on(*points, check, counted=(1,)).endswith("count\n**Missing:** One · Three")
    assert verdict_on(*points, check, counted=(0, 1, 2)) == "### You made 3 of 3 by your count"
    assert verdict_on(*points, Point("Four", "unclear")).endswith("**Missing:** Two · Four")
    assert verdict_on(Point("Longer", "missing"), Point("One", "missing")).endswith("One · Longer")
    both = verdict_on(check, Point("Four", "opposite", "No."))
    assert both.endswith('the opposite of "Four" · "Three"')


@pytest.mark.parametrize("state", ["missing", "check"])
def test_a_verdict_has_whole_points_as_far_as_there_is_room(state: str) -> None:
    """The first is whole at any length, and the others are counted."""
    short, long = ([Point(letter * n, state) for letter in "abcdef"] for n in (20, 200))
    said = verdict_on(*short)
    shown = [letter * 20 in said for letter in "abcdef"]
    assert shown == sorted(shown, reverse=True)
    assert said.endswith(f" · {6 - sum(shown)} more")
    assert 0 < sum(shown) < 6
    said = verdict_on(*long)
    assert "a" * 200 in said
    assert "bb" not in said
    assert said.endswith(" · 5 more")


def lines_of(text: str) -> float:
    """Return about how high a text is on a phone of 390 pixels, in lines of 22 pixels.

    A heading has 26, small letters 20, and a line about 34 letters, or 40 small ones.
    """
    return sum(
        (20 * -(-len(line) // 40) if line[0] == "-" else 22 * -(-len(line) // 34)) / 22
        for line in re.sub(r"\*\*|(?<=-)# ", "", text).split("\n")
    )


def test_verdicts_fit_a_phone() -> None:
    """Of nearly all shipped topics, it takes at most 12 lines with its buttons, whatever is missing."""
    heights = []
    for topic in TOPICS:
        for states in (STATES, ("found", *["missing"] * 5), ("check",), ("found", "check")):
            graded = assessed(topic, states)
            for own, back in ((graded, (0, 0)), (graded.with_count({0}), (3, 1))):
                shown = replace(step(topic), assessment=own, brought_back=back)
                words = text_of(feedback(shown)).partition("\n( ")[0]
                heights.append(lines_of(words) + 0.2 + 5.7)
    assert sum(height <= 12 for height in heights) / len(heights) > 0.9
    assert max(heights) < 13


@pytest.mark.parametrize(
    ("back", "said"),
    [
        ((3, 1), "-# 3 questions on this come tomorrow"),
        ((1, 0), "-# 1 question on this comes today"),
        ((0, 1), ""),
    ],
)
def test_what_missed_points_bring_back(back: tuple[int, int], said: str) -> None:
    """It comes with the count, in an interview and in an open daily; not if nothing comes back."""
    shown = replace(step(SMALL, 0), brought_back=back)
    daily = DailyFeedback(daily_row(), SMALL, "Mine.", shown.assessment, back)
    for card in (feedback(shown), open_daily.feedback(daily, a_day(), 0)):
        assert said in text_of(card)
        assert ("on this" in text_of(card)) == bool(said)
    everything = replace(step(SMALL, 0, 1, 2), brought_back=(3, 1))
    uncounted = replace(step(SMALL), brought_back=(3, 1))
    for shown in (everything, uncounted):
        assert "on this" not in text_of(feedback(shown))


def test_the_one_number_says_who_counted() -> None:
    """The member's own count comes before the model's."""
    graded = assessed(SMALL, ("found", "check", "found"))
    ruled = assessed(SMALL, RULED, model=MODEL)

    def head(graded: Assessment) -> str:
        return text_of(feedback(replace(step(SMALL), assessment=graded))).split("\n")[1]

    assert head(graded) == "### By your words, 2 of 3"
    assert head(assessed(SMALL, ("missing",) * 3)) == "### By your words, none of 3"
    assert head(graded.with_count({1})) == "### You made 1 of 3 by your count"
    assert head(ruled) == "### test-model counts 1 of 3"
    assert head(ruled.with_count(set())) == "### You made none of 3 by your count"
    assert head(ticked_by_partner(["a", "b"], {1})) == "### Your partner ticked 1 of 2"
    assert head(assessed(SMALL, ("missing",) * 3, flags=(UNCOMPARED,))) == (
        "### Which points did you make?"
    )


def test_an_answer_that_nothing_was_compared_with() -> None:
    """Nothing is missing and nothing can be confirmed before the member has ticked what they said."""
    graded = assessed(SMALL, ("missing",) * 3, flags=(UNCOMPARED,))
    assert not re.search("Missing|onfirm", text_of(reviewed(graded)))
    assert labels(reviewed(graded)) == ["Check my ticks"]
    assert labels(reviewed(graded, 1))[-1] == "I said none of these"
    assert "**Missing:**" in text_of(reviewed(graded.with_count({0})))


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
def test_nothing_is_credited_before_anybody_counts(graded: Assessment) -> None:
    """Words found are called that, and there is no colour of success; with all of them found, too."""
    for card in screens(graded):
        assert not re.search("%|You made|your count", text_of(card))
        assert accent(card) == OPEN


def test_no_screen_passes_off_an_estimate_as_a_verdict() -> None:
    """Nothing is called covered or ticked off, and nothing has a percentage. A text asks to tick only
    above the list."""
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
        interview.report(build_report(bank().topics, asked)),
        open_card(DailyQuestion(SMALL)),
        closed_openly(SMALL, 9, *(point.text for point in SMALL.key_points)),
        open_daily.copy(daily_row(), DailyQuestion(SMALL), bank()),
    ]
    for card in cards:
        assert not re.search("covered|✅|%", text_of(card), re.IGNORECASE)


def test_quotes_are_escaped() -> None:
    """Markup and mentions in a quote are shown as text."""
    quoted = "# **So** <@1> [x](http://y)"
    page = compared(Point("A point", "check", quoted, why=quoted))
    assert page.count("\\# \\*\\*So\\*\\* \\<@1> \\[x\\](http://y)") == 2
    assert "\\*m\\* counts" in verdict_on(Point("A point", "said"), model="*m*")
    own = interview.pages(SMALL, "<@1>", Assessment((Point("A point", "found"),)))[-1].text
    assert own.endswith("\n\\<@1>")


def test_feedback_tells_how_points_were_found() -> None:
    """By words, by a model, or why not by a model, until somebody counts. A model at work is named."""
    point = Point("One", "found", "So.")
    assert "I match words and can't tell whether you're right." in compared(point)
    assert "I match words" not in compared(point, model=MODEL)
    for more, words in (
        ({"model_failed": "failed"}, "didn't reply, so I only matched words."),
        ({"model_failed": "spent"}, "reads again after midnight UTC."),
    ):
        assert words in verdict_on(point, **more)
        assert words not in verdict_on(point, **more, counted=(0,))
    card = feedback(step(SMALL), checking=MODEL)
    assert "test-model is checking your answer. This updates in a moment." in text_of(card)


def test_hints() -> None:
    """A flag adds one line. Several add the one that helps most, and none says what is said already."""
    plain_one = verdict_on()
    said = {verdict_on(flags=(str(flag),)) for flag in Flag}
    assert len(said) == len(Flag)
    assert {len(one.split("\n")) for one in said} == {1 + len(plain_one.split("\n"))}
    assert verdict_on(flags=("empty", "terse")) == verdict_on(flags=("empty",))
    doubted = Point("One", "check", "Not one.")
    assert verdict_on(doubted, flags=("negated",)) == verdict_on(doubted)


def test_the_report() -> None:
    """It lists answers in their order, with who counted, and ends in what to practise."""
    first, skipped, other, uncounted = (TOPICS[n] for n in (0, 1, 12, 2))
    asked = [
        counted(first, 9),
        counted(other, 3, model="*m*"),
        AskedQuestion(skipped.id, None, answered=False),
        AskedQuestion(uncounted.id, None),
        counted(TOPICS[3], 2, by_partner=True),
    ]
    said = report_on(*asked)
    lines = [
        f"{first.title} · **9 of 10**",
        f"{other.title} · **3 of 10**, as *m* reads it",
        f"{skipped.title} · skipped",
        f"{uncounted.title} · not counted",
        f"{TOPICS[3].title} · **2 of 10**, ticked by your partner",
    ]
    assert said.startswith(f"### Your interview {' '.join(lines)} -# By your own count ( ")
    assert f"( Practise {skipped.title[:10]}" in said
    assert said.count("( Practise ") == 2
    assert said.endswith(" ( Another question )")
    assert "own count" not in report_on(*asked[1:])


def test_reports_without_figures() -> None:
    """Without a count there is neither praise nor something to practise; without an answer nothing."""
    said = report_on(*(AskedQuestion(topic.id, None) for topic in TOPICS[:2]))
    assert said.endswith("· not counted ( Another question )")
    assert "Strong" not in said
    assert report_on().endswith("No answers this time, so no report. ( Another question )")
    assert report_on(counted(TOPICS[0], 10)).endswith("Strong all the way. ( Another question )")
    without_items = replace(TOPICS[0], items=())
    weak = interview.report(InterviewReport(((without_items, counted(TOPICS[0], 2)),), ()))
    assert "Strong" not in text_of(weak)


def test_the_report_compares_with_earlier_answers() -> None:
    """A topic asked before shows its earlier count."""
    first, other = TOPICS[:2]
    said = report_on(counted(first, 3, 5, previous=PointCount(2, 5)), counted(other, 5, 5))
    assert f"{first.title} · **3 of 5**, last time 2 of 5 {other.title} · **5 of 5** -#" in said


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
    assert accent(interview.question_card(step(topic, answer=None))) == OPEN
    assert accent(open_card(DailyQuestion(topic))) == DAILY
    graded = assessed(topic)
    for own, colour in (({0}, REVEALED), (set(), ENDED)):
        assert accent(reviewed(graded.with_count(own))) == colour
    assert interview.colour(replace(graded, model=MODEL)) == REVEALED
