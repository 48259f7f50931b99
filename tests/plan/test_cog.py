"""/plan, driven as a member would."""

from __future__ import annotations

import re

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = 24 * 3600


async def test_from_plan_to_practice(stage: Stage) -> None:
    """The page is private and has a picture and a button that starts today's share."""
    assert "There's no plan yet." in reply(await stage.alwina.slash(stage.quiz, "plan"))
    offered = await stage.alwina.autocomplete(stage.quiz, "plan", "date", "in 3 weeks")
    assert [(c["name"], c["value"]) for c in offered] == [
        ("Thursday 22 January 2026 · in 21 days", "2026-01-22")
    ]
    shown = await stage.alwina.slash(stage.quiz, "plan", date="in 30 days", minutes=20)
    assert shown.ephemeral
    said = text_of(answer_to(shown))
    assert re.match(r"### Your plan: \d+ of 50 topics\n\*\*0% ready\*\*", said)
    assert [a.filename for a in answer_to(shown).attachments] == ["plan.png"]
    start = labels(answer_to(shown))[0]
    left = int(re.fullmatch(r"Start today's (\d+)", start)[1])  # type: ignore[index]
    assert f"Today: **{left} new questions**" in said
    question = await stage.alwina.click(answer_to(shown), label=start)
    assert f"Up next: {left - 1} new" in text_of(answer_to(question))
    again = reply(await stage.alwina.slash(stage.quiz, "plan"))
    assert [line for line in said.splitlines() if line not in again.splitlines()] == [
        next(line for line in said.splitlines() if line.startswith("All 50 topics would take"))
    ]
    assert stage.quiz.history() == []
    assert "There's no plan yet." in reply(await stage.bob.slash(stage.quiz, "plan"))


async def test_a_plan_is_changed_and_ended(stage: Stage) -> None:
    """The form refuses what the command refuses, and ending asks for confirmation."""
    shown = await stage.alwina.slash(stage.quiz, "plan", date="in 30 days")
    page = answer_to(shown)
    for values, words in (
        ({"date": "2026-02-30", "minutes": "20"}, "February 2026 has no day 30."),
        ({"date": "in 9 days", "minutes": "200"}, "I need a number of minutes from 5 to 120"),
    ):
        form = await stage.alwina.click(page, label="Edit")
        assert words in reply(await stage.alwina.submit_modal(form, values))
    form = await stage.alwina.click(page, label="Edit")
    changed = await stage.alwina.submit_modal(form, {"date": "in 9 days", "minutes": "25"})
    assert "25 minutes a day" in text_of(answer_to(changed))
    asked = await stage.alwina.click(answer_to(changed), label="End plan")
    assert "### End your plan for" in text_of(answer_to(asked))
    kept = await stage.alwina.click(answer_to(asked), label="Keep it")
    assert "25 minutes a day" in text_of(answer_to(kept))
    asked = await stage.alwina.click(answer_to(kept), label="End plan")
    ended = await stage.alwina.click(answer_to(asked), label="End plan")
    assert "Your plan has ended." in text_of(answer_to(ended))
    assert "There's no plan yet." in reply(await stage.alwina.slash(stage.quiz, "plan"))


async def test_a_plan_ends_after_its_day(stage: Stage) -> None:
    """The next command tells so, once."""
    await stage.alwina.slash(stage.quiz, "plan", date="in 2 days")
    await stage.wait(3 * DAY + 3600)
    first = await stage.alwina.slash(stage.quiz, "practice")
    assert ["I hope the interview went well." in text_of(m.message) for m in first.followups] == [
        True
    ]
    assert (await stage.alwina.slash(stage.quiz, "practice")).followups == []
    assert "There's no plan yet." in reply(await stage.alwina.slash(stage.quiz, "plan"))


async def test_plans_are_private(stage: Stage) -> None:
    """The line in /profile is hidden when the figures are shown to others."""
    await stage.alwina.slash(stage.quiz, "plan", date="in 30 days")
    own = await stage.alwina.slash(stage.quiz, "profile")
    assert "Plan: **0% ready**" in reply(own)
    await stage.alwina.click(answer_to(own), label="Show to others")
    assert "Plan:" not in reply(await stage.bob.slash(stage.quiz, "profile", member=stage.alwina))


async def test_a_goal_is_picked_as_it_is_typed(stage: Stage) -> None:
    """The option finds sections and topics, and refuses what doesn't exist."""
    offered = await stage.alwina.autocomplete(stage.quiz, "plan", "goal", "")
    assert offered[0] == {"name": "Everything", "value": "all"}
    section = next(c for c in offered if c["name"].startswith("Section · "))
    shown = await stage.alwina.slash(stage.quiz, "plan", date="in 30 days", goal=section["value"])
    title = section["name"].removeprefix("Section · ")
    assert text_of(answer_to(shown)).startswith(f"### Your plan: {title}")
    refused = await stage.alwina.slash(stage.quiz, "plan", goal="cooking")
    assert "Pick one from the list as you type" in reply(refused)
    assert title in reply(await stage.alwina.slash(stage.quiz, "plan"))


async def test_topics_are_chosen_on_a_page(stage: Stage) -> None:
    """Each choice changes the plan at once; the last topic can't be left out."""
    shown = await stage.alwina.slash(stage.quiz, "plan", date="in 30 days")
    page = answer_to(await stage.alwina.click(answer_to(shown), label="Choose topics"))
    assert "Now: **everything**." in text_of(page)
    bank = stage.services.context.banks.packs
    first = bank.sections[0].topics[0]
    menu = f"plantopics:v1:0:{bank.sections[0].id}:0"
    picked = await stage.alwina.select(page, values=[first.id], custom_id=menu)
    page = answer_to(picked)
    assert f"Now: **{first.title}**. All of it fits into your minutes." in text_of(page)
    refused = await stage.alwina.select(page, values=[], custom_id=menu)
    assert "A plan needs at least one topic." in reply(refused)
    done = await stage.alwina.click(page, label="Done")
    assert text_of(answer_to(done)).startswith(f"### Your plan: {first.title}\n")
    page = answer_to(await stage.alwina.click(answer_to(done), label="Choose topics"))
    section = bank.sections[0]
    area = await stage.alwina.select(
        page, values=[f"section:{section.id}"], custom_id="plangoal:v1:0"
    )
    assert f"Now: **{section.title}**." in text_of(answer_to(area))


async def test_a_plan_that_no_longer_fits(stage: Stage) -> None:
    """After days off, a press takes the topics that still fit."""
    shown = await stage.alwina.slash(stage.quiz, "plan", date="in 12 days", minutes=5)
    before = text_of(answer_to(shown))
    await stage.wait(8 * DAY)
    page = answer_to(await stage.alwina.slash(stage.quiz, "plan"))
    assert "**Fit to my time** keeps those that fit." in text_of(page)
    fitted = text_of(answer_to(await stage.alwina.click(page, label="Fit to my time")))
    assert "Fit to my time" not in fitted
    assert fitted.split("\n")[0] != before.split("\n")[0]
