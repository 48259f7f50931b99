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
    assert "**0% ready**" in said
    assert [a.filename for a in answer_to(shown).attachments] == ["plan.png"]
    start = labels(answer_to(shown))[0]
    left = int(re.fullmatch(r"Start today's (\d+)", start)[1])  # type: ignore[index]
    assert f"Today: **{left} new questions** left" in said
    question = await stage.alwina.click(answer_to(shown), label=start)
    assert f"Up next: {left - 1} new" in text_of(answer_to(question))
    assert reply(await stage.alwina.slash(stage.quiz, "plan")) == said
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
        form = await stage.alwina.click(page, label="Change")
        assert words in reply(await stage.alwina.submit_modal(form, values))
    form = await stage.alwina.click(page, label="Change")
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
    """The line in /stats is hidden when the figures are shown to others."""
    await stage.alwina.slash(stage.quiz, "plan", date="in 30 days")
    own = await stage.alwina.slash(stage.quiz, "stats")
    assert "Plan: **0% ready**" in reply(own)
    await stage.alwina.click(answer_to(own), label="Show to others")
    assert "Plan:" not in reply(await stage.bob.slash(stage.quiz, "stats", member=stage.alwina))


async def test_plans_in_direct_messages(stage: Stage) -> None:
    """The same plan is shown without a server."""
    await stage.alwina.slash(stage.quiz, "plan", date="in 30 days", minutes=25)
    shown = await stage.alwina.user.slash("plan")
    assert "25 minutes a day" in text_of(answer_to(shown))
