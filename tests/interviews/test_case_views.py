"""Cards of cases: every screen of every case fits into Discord's limits, and on a phone."""

from __future__ import annotations

from datetime import UTC, datetime

import discord
import pytest
from msgspec.structs import replace

from bot.chat.messages import Message
from bot.interviews import partner_views
from bot.interviews import views as view
from bot.interviews.model import (
    AskedQuestion,
    Assessment,
    CaseRun,
    PartnerCard,
    PartnerEnding,
    PartnerInterview,
    PartnerState,
    Point,
    PointCount,
    Reply,
    Step,
    ticked_by_partner,
)
from bot.interviews.rules import case_report
from bot.questions.model import Case, Topic
from tests.banks import small_case
from tests.messages import check_limits, custom_ids, height, labels, reads, words
from tests.shipped import cases, packs

CASES = {case.id: case for case in cases()}
ROW = 10**18 - 1
ANSWER = "I would say that it depends, and then decide. " * 80
AT = datetime(2027, 1, 4, 12, tzinfo=UTC)


def step_of(case: Case, number: int, **changes: object) -> Step:
    step = Step(
        question_id=ROW,
        number=number,
        total=4,
        topic=case.steps[number - 1],
        answer=None,
        case=case,
    )
    return replace(step, **changes)  # type: ignore[arg-type]


def assessments(topic: Topic) -> list[Assessment]:
    """Grades of all sorts: nothing or half found, all in doubt, counted, and a partner's."""

    def graded(*states: str) -> Assessment:
        points = [
            Point(point.text, states[n % len(states)], ANSWER[:200], "".join(point.opposites[:1]))
            for n, point in enumerate(topic.key_points)
        ]
        return Assessment(tuple(points))

    half = graded("found", "missing")
    return [
        *(half, graded("missing"), graded("check"), graded("found")),
        *(half.with_count({0, 2}), half.with_count(frozenset())),
        replace(half, model="a-model-with-a-long-name"),
        ticked_by_partner([point.text for point in topic.key_points], [1]),
    ]


def answered(case: Case, number: int) -> list[Step]:
    topic = case.steps[number - 1]
    [follow_up] = topic.follow_ups
    replies = (None, Reply(follow_up.question, str(follow_up.hint), ANSWER))
    return [
        step_of(case, number, answer=ANSWER, assessment=graded, reply=reply)
        for graded in assessments(topic)
        for reply in replies
    ]


def pages_of(step: Step) -> list[Message]:
    count = len(view._pages(step))
    return [view.feedback_card(step, n) for n in range(count)]


@pytest.mark.parametrize("case_id", CASES)
def test_every_screen_of_a_case_fits(case_id: str) -> None:
    """Open, skipped, answered however well, told again, and reported."""
    case = CASES[case_id]
    partner = partner_views.look_on_case_button(case.id)
    for n, topic in enumerate(case.steps, start=1):
        card = view.question_card(step_of(case, n, continued=True), partner)
        check_limits(card, (case_id, n))
        assert words(topic.setting) in reads(card)
        assert words(topic.question) in reads(card)
        assert height(card) <= 36, (case_id, n)
        check_limits(view.told(case, n), (case_id, n))
        assert words(topic.setting) in reads(view.told(case, n))
        [skipped] = pages_of(step_of(case, n, skipped=True))
        check_limits(skipped, (case_id, n))
        assert words(topic.answer) in reads(skipped)
        assert words(topic.question) in reads(skipped)
        for step in answered(case, n):
            verdict, *others = pages_of(step)
            assert height(verdict) - 2 <= 12, (case_id, n, step.assessment)
            for page in (verdict, *others):
                check_limits(page, (case_id, n))
            assert words(topic.answer) in reads(*others)
            assert words(topic.question) in reads(*others)
    for asked in (
        AskedQuestion("", None),
        AskedQuestion("", PointCount(3, 6), previous=PointCount(1, 6)),
    ):
        all_asked = [replace(asked, topic_id=step.id) for step in case.steps]
        report = view.report(case_report(packs(), case, all_asked, ()))
        check_limits(report, case_id)
        assert height(report) <= 14
    modal = view.essay_modal(view.ANSWERED.id(row=ROW), case.steps[1], "")
    assert (
        sum(len(i.content) for i in modal.children if isinstance(i, discord.ui.TextDisplay)) < 4000
    )


def test_what_a_card_of_a_case_says() -> None:
    """It goes on from a good answer to the last step, and leads back after a pause."""
    case = small_case("one", "t1")
    first, third = (view.question_card(step_of(case, n)) for n in (1, 3))
    assert reads(first) == (
        "### The case of one Step 1 of 4 · Step 1 of one So far one took 0 steps. "
        "What would you do in step 1? Go on any day, with </interview>."
    )
    assert labels(first) == ["Answer", "Skip", "End"]
    assert reads(third).endswith("So far one took 2 steps. What would you do in step 3?")
    assert labels(third) == ["Answer", "Skip", "End", "The case"]
    assert reads(view.told(case, 2)) == (
        "### The case of one So far one took 0 steps. So far one took 1 steps."
    )
    modal = view.essay_modal(view.ANSWERED.id(row=ROW), case.steps[2], "")
    told = [i.content for i in modal.children if isinstance(i, discord.ui.TextDisplay)]
    assert told == ["What would you do in step 3?", "-# So far one took 2 steps."]
    other = replace(step_of(case, 1), case=None, paused=case)
    assert labels(view.question_card(other))[-1] == "Go on with your case"
    assert "Your other case has ended" in reads(
        view.question_card(step_of(case, 1, ended_other=True))
    )
    graded = step_of(case, 2, answer="So.", assessment=assessments(case.steps[0])[0])
    assert labels(view.feedback_card(graded, 0))[-1] == "Next step"
    assert reads(view.feedback_card(graded, 0)).startswith("The case of one · Step 2 of one ### By")
    last = view.feedback_card(step_of(case, 4, skipped=True), 0)
    assert labels(last) == ["See the report"]


def test_the_report() -> None:
    case = small_case("one", "rag-steps", "no-more")
    asked = [AskedQuestion(f"one.{n}", PointCount(n, 4)) for n in (1, 2)]
    asked += [AskedQuestion("one.3", None), AskedQuestion("one.4", None, answered=False)]
    asked[1] = replace(asked[1], previous=PointCount(1, 4))
    report = view.report(case_report(packs(), case, asked, ()))
    assert reads(report).startswith(
        "### The case of one Step 1 of one · 1 of 4 Step 2 of one · 2 of 4, last time 1 of 4 "
        "Step 3 of one · not counted Step 4 of one · skipped By your own count"
    )
    assert labels(report) == [f"Practise {packs().topics['rag-steps'].title}", "Another case"]
    nothing = view.report(case_report(packs(), case, asked[3:], ()))
    assert "No answers this time" in reads(nothing)
    assert labels(nothing) == ["Another case"]


def test_the_list_of_cases() -> None:
    """All can be started, with what was done of each, on pages of 20 lines."""
    made = [replace(small_case(f"case-{n}", "t"), title="A title " * 5) for n in range(19)]
    states = [{"count": PointCount(14, 20)}, {"step": 3}, {}]
    runs = [CaseRun(case, **states[n % 3]) for n, case in enumerate(made)]  # type: ignore[arg-type]
    shipped = [CaseRun(case, count=PointCount(14, 20)) for case in CASES.values()]
    for listed in (runs, shipped, runs[:1]):
        values = []
        for page in range(-(-len(listed) // 6)):
            card = view.case_list(listed, page)
            check_limits(card, page)
            assert height(card) <= 20
            [menu] = [i for i in card.walk_children() if isinstance(i, discord.ui.Select)]
            values += [option.value for option in menu.options]
        assert values == [run.case.id for run in listed]
        assert reads(view.case_list(listed, 99)) == reads(card)
    first = view.case_list(runs, 0)
    assert reads(first).startswith("### Cases 19 cases in four steps · 7 done A title")
    assert "· 14 of 20" in reads(first)
    assert "· step 3 of 4" in reads(first)
    assert labels(first) == ["Back", "Next"]
    assert len({*custom_ids(first)}) == 3


@pytest.mark.parametrize("case_id", CASES)
def test_every_card_with_a_partner_fits(case_id: str) -> None:
    """The asker's has the setting of the step, its question, all key points and the follow-up."""
    case = CASES[case_id]
    names = {1: "Alwina" * 5, 2: "Bob" * 10}
    for n, topic in enumerate(case.steps, start=1):
        found = PartnerInterview(
            **dict.fromkeys(PartnerInterview.__struct_fields__, None)  # type: ignore[arg-type]
            | {"id": ROW, "guild_id": 5, "channel_id": 6, "first_id": 1, "second_id": 2}
            | {"state": PartnerState.ASKING, "turn": n, "asked_topic_id": topic.id, "ticks": "01"}
            | {"asked_at": AT, "created_at": AT, "case_id": case_id, "asked_mark": topic.mark}
            | {"ending": PartnerEnding.DONE, "first_interview_id": 3}
        )
        card = PartnerCard(found, names, topic, case.title, case)
        pages = [partner_views.asker_card(card, page) for page in range(3)]
        for message in (
            *pages,
            *(partner_views.looking(card), partner_views.taken(card), partner_views.turn(card)),
            *(partner_views.question(card), partner_views.ticks_ready(card)),
            *(partner_views.ticks(card), partner_views.over(card)),
        ):
            check_limits(message, (case_id, n))
        seen = reads(*pages)
        told = [topic.setting, topic.question, *(point.text for point in topic.key_points)]
        told += [text for each in topic.follow_ups for text in (each.question, str(each.hint))]
        assert [text for text in told if words(text) not in seen] == []
        asked = reads(partner_views.question(card))
        assert asked.endswith(f"{words(topic.setting)} {words(topic.question)}")
        assert words(topic.key_points[0].text) not in asked
