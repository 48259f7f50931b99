"""/plan, driven as a member would."""

from __future__ import annotations

import re
from typing import Any

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = 24 * 3600


async def plan(stage: Stage, date: str = "in 30 days", minutes: str = "20", away: str = "") -> Any:
    """Use /plan without a plan, and fill its form."""
    form = await stage.alwina.slash(stage.quiz, "plan")
    filled = {"date": date, "minutes": minutes, "goal": ["all"], "away": away}
    return await stage.alwina.submit_modal(form, filled)


async def test_from_plan_to_practice(stage: Stage) -> None:
    """The page is private and has a picture and a button that starts what today holds.

    Also while the member practises one topic.
    """
    await stage.alwina.slash(stage.quiz, "practice", topic="temperature")
    shown = await plan(stage)
    assert shown.ephemeral
    said = text_of(answer_to(shown))
    assert re.match(
        r"### Your plan: everything, in .+ days\nToday you'd know .+ of new interview questions\n"
        r"By 31 Jan: .+, after about .+ more questions\n",
        said,
    )
    assert [a.filename for a in answer_to(shown).attachments] == ["plan.png"]
    today = "Today: 40 questions, about 20 minutes"
    assert today in said
    assert today in reply(await stage.alwina.slash(stage.quiz, "profile"))
    question = await stage.alwina.click(answer_to(shown), label="Practise")
    assert "Question 1 of 40" in text_of(answer_to(question))
    assert reply(await stage.alwina.slash(stage.quiz, "plan")) == said
    assert stage.quiz.history() == []
    assert (await stage.bob.slash(stage.quiz, "plan")).modal is not None


async def test_a_plan_is_changed_and_removed(stage: Stage) -> None:
    """The form refuses with a reason, and removing asks for confirmation."""
    page = answer_to(await plan(stage))
    for day, minutes, away, words in (
        ("2026-02-30", "20", "", "February 2026 has no day 30."),
        ("in 9 days", "200", "", "Minutes a day are from 5 to 120"),
        ("in 9 days", "20", "Easter", 'I don\'t know the date "Easter".'),
        ("in 9 days", "20", "today - 10 Jan", "That leaves no day to practise"),
    ):
        form = await stage.alwina.click(page, label="Edit")
        filled = {"date": day, "minutes": minutes, "goal": ["all"], "away": away}
        assert words in reply(await stage.alwina.submit_modal(form, filled))
    form = await stage.alwina.click(page, label="Edit")
    section = stage.services.context.banks.packs.sections[0]
    values = {"date": "next friday", "minutes": "25", "goal": [f"section:{section.id}"], "away": ""}
    changed = text_of(answer_to(await stage.alwina.submit_modal(form, values)))
    assert changed.startswith(f"### Your plan: {section.title}, ")
    assert "more questions" in changed
    asked = await stage.alwina.click(page, label="Remove")
    assert "### Remove your plan for 9 January 2026?" in text_of(answer_to(asked))
    kept = await stage.alwina.click(answer_to(asked), label="Keep it")
    assert text_of(answer_to(kept)) == changed
    asked = await stage.alwina.click(answer_to(kept), label="Remove")
    ended = await stage.alwina.click(answer_to(asked), label="Remove plan")
    assert "Your plan is removed." in text_of(answer_to(ended))
    assert (await stage.alwina.click(answer_to(ended), label="Plan another one")).modal is not None
    assert (await stage.alwina.slash(stage.quiz, "plan")).modal is not None


async def test_a_day_off(stage: Stage) -> None:
    """Nothing is asked then, which every screen says; a member who practises anyway gets a session."""
    shown = await plan(stage, "in 9 days", "5, weekends 10", "today, in 3 days")
    page = answer_to(shown)
    assert "more questions" in text_of(page)
    assert text_of(page).endswith("\nA day off")
    form = await stage.alwina.click(page, label="Edit")
    assert form.modal is not None
    fields = [label["component"] for label in form.modal["components"]]
    written = {field["custom_id"]: field.get("value") for field in fields}
    assert (written["minutes"], written["away"]) == ("5, weekends 10", "1 Jan, 4 Jan")
    for command in ("today", "practice"):
        said = text_of(answer_to(await stage.alwina.slash(stage.quiz, command)))
        assert said.startswith("### A day off\nTomorrow: 10 questions")
    today = answer_to(await stage.alwina.slash(stage.quiz, "today"))
    question = await stage.alwina.click(today, label="Practise anyway")
    assert "Question 1 of 5" in text_of(answer_to(question))
    await stage.wait(DAY)
    assert "10 questions" in reply(await stage.alwina.slash(stage.quiz, "today"))


async def test_a_plan_ends_after_its_day(stage: Stage) -> None:
    """The next command tells so, once, and offers another one."""
    for command in ("today", "practice", "profile"):
        await plan(stage, "in 2 days")
        await stage.wait(3 * DAY + 3600)
        (said,) = (await stage.alwina.slash(stage.quiz, command)).followups
        assert "I hope the interview went well." in text_of(said.message)
        assert (await stage.alwina.slash(stage.quiz, command)).followups == []
    await plan(stage, "in 2 days")
    await stage.wait(3 * DAY)
    told = await stage.alwina.slash(stage.quiz, "plan")
    assert "I hope the interview went well." in reply(told)
    assert (await stage.alwina.click(answer_to(told), label="Plan another one")).modal is not None
