"""Mock interviews, driven as members would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from sqlalchemy.exc import OperationalError

from bot.chat.replies import defer_if_slow
from bot.core.child_process import CallStopped
from bot.interviews import rules, store
from bot.questions.model import Topic
from tests.fakes import START
from tests.interviews.test_partner_cog import forge
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, custom_ids, labels, lists, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


def topic_of(text: str) -> Topic:
    """Return the topic whose question a card shows."""
    plain = text.replace("\\", "")
    return next(
        topic
        for topic in BANK.topics.values()
        if f"### {' '.join(topic.question.split())}\n" in plain + "\n"
    )


def all_of(result: Any) -> str:
    """Return the text of all messages that answered an interaction."""
    shown = [result.response, *result.followups]
    return "\n".join(text_of(one.message) for one in shown if one is not None)


async def begin(stage: Stage, questions: int = 3, **options: object) -> discord.Message:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "QUESTIONS", questions)
        result = await stage.alwina.slash(stage.quiz, "interview", **options)
    assert result.ephemeral
    return answer_to(result)


async def press(stage: Stage, message: discord.Message, label: str) -> discord.Message:
    """Press a button and return the card that it leads to."""
    return answer_to(await stage.alwina.click(message, label=label))


async def count_none(stage: Stage) -> discord.Message:
    """Answer a question about temperature so that no point is found, and count none."""
    card = await begin(stage, topic="temperature", questions=2)
    return await press(stage, await write(stage, card, "hm"), "That's right")


async def write(stage: Stage, message: discord.Message, text: str) -> discord.Message:
    """Answer an open question and return the card with its feedback."""
    opened = await stage.alwina.click(message, label="Answer")
    assert opened.modal is not None
    return answer_to(await stage.alwina.submit_modal(opened, {"text": text}))


async def test_an_interview_from_question_to_report(stage: Stage) -> None:
    """Two answers with feedback, a skipped question, and a report that says what to practise. A count
    is changed after a restart."""
    card = await begin(stage, topic="temperature")
    assert "Question 1 of 3" in text_of(card)
    assert labels(card) == ["Answer", "Skip", "End", "With a partner"]
    first = topic_of(text_of(card))
    assert first.id == "temperature"
    text = f"{first.key_points[0].text}. {first.key_points[3].text}."
    feedback = await write(stage, card, text)
    assert f"### By your words, 2 of {len(first.key_points)}\n**Missing:** " in text_of(feedback)
    assert "Follow-up" not in labels(feedback)
    ticks = await press(stage, feedback, "Check my ticks")
    assert [option.value for option in lists(ticks)[0].options if option.default] == ["0", "3"]
    counted = await press(stage, await press(stage, ticks, "Back"), "That's right")
    assert f"### You made 2 of {len(first.key_points)} by your count" in text_of(counted)
    assert "Follow-up" in labels(counted)
    model = await press(stage, feedback, "Model answer")
    assert first.references[0].url in text_of(model)
    assert text in text_of(model)
    second = await press(stage, feedback, "Next question")
    other = topic_of(text_of(second))
    assert other.section_id == first.section_id
    assert other.id != first.id
    third = await press(stage, second, "Skip")
    assert "Question 3 of 3" in text_of(third)
    last = topic_of(text_of(third))
    words = (
        f"You should know that {point.text[0].lower()}{point.text[1:]}."
        for point in last.key_points
    )
    feedback = await write(stage, third, " ".join(words))
    await press(stage, feedback, "That's right")
    await stage.restart()
    again = await press(stage, model, "Check my ticks")
    listed = lists(again)[0].custom_id
    fewer = answer_to(await stage.alwina.select(again, values=["2"], custom_id=listed))
    assert f"### You made 1 of {len(first.key_points)} by your count" in text_of(fewer)
    report = await press(stage, feedback, "See the report")
    assert (
        text_of(report)
        .replace("\\", "")
        .startswith(
            f"### Your interview\n{first.title} · **1 of {len(first.key_points)}**\n{other.title} · skipped\n"
            f"{last.title} · **{len(last.key_points)} of {len(last.key_points)}**\n-# By your own count"
        )
    )
    assert len(labels(report)) == 3
    practised = text_of(await press(stage, report, f"Practise {first.title}")).replace("\\", "")
    assert any(" ".join(item.prompt.split()) in practised for item in first.items)
    assert stage.texts() == []


async def test_a_follow_up_is_answered(stage: Stage) -> None:
    """The comparison survives a restart, and a second answer is returned to its author.

    Each button of the old card still shows something, also after the end.
    """
    feedback = await press(stage, await count_none(stage), "Follow-up")
    old = custom_ids(feedback)
    shown = text_of(feedback).replace("\\", "")
    follow_up = next(f for f in BANK.topics["temperature"].follow_ups if f.question in shown)
    assert str(follow_up.hint) not in shown
    first, second = [await stage.alwina.click(feedback, label="Answer") for _ in range(2)]
    done = await stage.alwina.submit_modal(first, {"text": f"I'd say that {follow_up.hint}"})
    said = reply(done)
    assert "**What a good answer says**\n- " in said
    assert f"I'd say that {follow_up.hint}" in said.replace("\\", "")
    assert labels(answer_to(done)) == [*labels(feedback)[:4], "Next question"]
    late = await stage.alwina.submit_modal(second, {"text": "Another thought."})
    assert "already answered this follow-up" in all_of(late)
    assert "Another thought." in all_of(late)
    await stage.restart()
    again = await press(stage, await begin(stage), "Follow-up")
    assert text_of(again) == said
    for pressed in [*old, *old]:
        assert all_of(await forge(stage, stage.alwina, pressed))


async def test_next_leads_to_an_ungraded_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old card's button grades a later answer that a restart left ungraded, and may defer."""
    first = await write(stage, await begin(stage, questions=2), "The model learns from data.")
    second = await press(stage, first, "Next question")

    async def stopped(*_: object) -> None:
        raise CallStopped

    with monkeypatch.context() as patch:
        patch.setattr(stage.services.interviews._grading, "assess", stopped)
        opened = await stage.alwina.click(second, label="Answer")
        said = all_of(await stage.alwina.submit_modal(opened, {"text": "The model learns."}))
    assert said.startswith("Your answer is saved. See its feedback with ")
    assert said.endswith("\nI'm restarting. Try again in a minute.")
    deferrable: list[bool] = []

    async def recorded(interaction: Any, work: Any, *, edits: bool) -> Any:
        deferrable.append(edits)
        return await defer_if_slow(interaction, work, edits=edits)

    monkeypatch.setattr("bot.interviews.cog.defer_if_slow", recorded)
    later = topic_of(text_of(second))
    shown = text_of(await press(stage, first, "Next question"))
    assert shown.startswith(f"-# {later.title}\n### By your words, ")
    assert deferrable == [False]


def field_of(opened: Any) -> dict[str, Any]:
    """Return the text field of an opened modal."""
    return dict(opened.modal["components"][-1]["component"])


@pytest.mark.parametrize("follow_up", [False, True])
async def test_an_answer_that_cannot_be_stored_is_returned(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, follow_up: bool
) -> None:
    """If the database fails, the member gets the text back, and the next modal has it filled in."""
    if follow_up:
        card = await press(stage, await count_none(stage), "Follow-up")
    else:
        card = await begin(stage, questions=1)
    method = "answer_follow_up" if follow_up else "answer"
    opened = await stage.alwina.click(card, label="Answer")
    assert "value" not in field_of(opened)

    async def fails(*_: object) -> None:
        raise OperationalError("insert", None, OSError("disk full"))

    stage.expected_errors = 1
    with monkeypatch.context() as patch:
        patch.setattr(stage.services.interviews, method, fails)
        said = all_of(await stage.alwina.submit_modal(opened, {"text": "A long *text* of mine."}))
    assert said.startswith("I couldn't save that just now")
    assert "A long \\*text\\* of mine." in said
    going_on = await begin(stage)
    assert ("continues here" in text_of(going_on)) is not follow_up
    if follow_up:
        going_on = await press(stage, going_on, "Follow-up")
    again = await stage.alwina.click(going_on, label="Answer")
    assert field_of(again)["value"] == "A long *text* of mine."
    done = await stage.alwina.submit_modal(again, {"text": "A long *text* of mine."})
    assert "What a good answer says" in reply(done) if follow_up else "By your words" in reply(done)
    assert not stage.bot.context.drafts.get(
        stage.alwina.id, str(again.modal and again.modal["custom_id"])
    )


async def test_every_way_to_a_report(stage: Stage) -> None:
    async def none_left() -> None:
        """Leave an interview as a crash after a skip does."""
        question_id = int(custom_ids(await begin(stage, questions=1))[0].rpartition(":")[2])
        await stage.database.write(store.skip, question_id, START)

    alwina = stage.alwina
    answered = await write(stage, await begin(stage, questions=1), "Hm.")
    shown = [
        await alwina.click(answered, label="See the report"),
        await alwina.click(await begin(stage, questions=2), label="End"),
        await alwina.click(await begin(stage, questions=1), label="Skip"),
    ]
    await none_left()
    shown.append(await alwina.slash(stage.quiz, "interview"))
    await none_left()
    shown.append(await forge(stage, alwina, "begin:v1:"))
    assert "### Your interview" in all_of(shown.pop(0))
    assert ["### Interview over" in all_of(one) for one in shown] == [True] * 4


async def test_a_topics_button_asks_about_it(stage: Stage) -> None:
    """Whatever else runs, and says if that has ended."""
    await write(stage, await begin(stage), "Hm.")
    asked = await forge(stage, stage.alwina, "begin:v1:temperature")
    assert topic_of(all_of(asked)).id == "temperature"
    assert "Your other interview has ended. Its answers are kept." in all_of(asked)


async def test_a_streak_that_an_answer_makes_long(stage: Stage) -> None:
    """Its length and the freeze are told after the feedback, once a date."""
    now = datetime(2026, 1, 1, tzinfo=UTC)  # in simcord
    credit = stage.services.streaks.credit
    for days in range(6, 0, -1):
        await stage.database.write(credit, stage.alwina.id, None, now - timedelta(days=days))
    card = await begin(stage, questions=2)
    opened = await stage.alwina.click(card, label="Answer")
    answered = await stage.alwina.submit_modal(opened, {"text": "It depends."})
    await stage.env.settle()
    assert "**7 days in a row.** Well done.\nYou've earned a freeze" in all_of(answered)
