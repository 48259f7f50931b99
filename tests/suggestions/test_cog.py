"""/suggest and the review as members and managers use them, on a simulated Discord."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from simcord.backend.errors import SetupError

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

FIELDS = {
    "prompt": "Which optimizer decouples weight decay?",
    "answer": "AdamW",
    "wrong": "Adam\nSGD",
    "why": "It decays weights apart from the gradient.",
    "source": "Loshchilov and Hutter, 2019",
}


async def suggest(stage: Stage, **changes: str) -> Any:
    shown = await stage.alwina.slash(stage.quiz, "suggest")
    return await stage.alwina.submit_modal(shown, {**FIELDS, **changes})


async def announce_in_daily(stage: Stage) -> None:
    await stage.services.settings.announce_suggestions(stage.guild.id, stage.daily.id)


async def review(stage: Stage) -> Any:
    return await stage.manager.slash(stage.quiz, "bank review")


async def test_from_suggestion_to_question(stage: Stage) -> None:
    """A member suggests, the channel hears of it once, a manager accepts, the member is told with the next command."""
    await announce_in_daily(stage)
    said = await suggest(stage)
    assert answer_to(said).flags.ephemeral
    assert reply(said).startswith("Thanks. The moderators here will look at your question")
    await suggest(stage, prompt="A second one?")
    (posted,) = stage.daily.history()
    assert "**Something is waiting for review**" in text_of(posted)
    refused = await stage.alwina.click(posted, label="Review")
    assert reply(refused).startswith("Only members with Manage Server can use this button.")
    shown = await stage.manager.click(posted, label="Review")
    assert answer_to(shown).flags.ephemeral
    assert "Suggested by **alwina** · 2 suggestions waiting" in reply(shown)
    assert "**A**  AdamW · ✅ right" in reply(shown)
    assert "Source: Loshchilov and Hutter, 2019" in reply(shown)
    assert labels(answer_to(shown)) == ["Accept", "Edit", "Reject", "Later"]
    accepted = reply(await stage.manager.click(answer_to(shown), label="Accept"))
    assert accepted.startswith(
        '**Added** to "From our members" as `which-optimizer-decouples-weight-decay`.'
    )
    assert "### A second one?" in accepted
    assert [own.item.prompt for own in await stage.services.own_bank.find(stage.guild.id)] == [
        FIELDS["prompt"]
    ]
    used = await stage.alwina.slash(stage.quiz, "help")
    await stage.env.settle()
    assert any(
        "Added to this server's questions, thank you: Which optimizer" in text_of(m)
        for m in _told(used)
    )
    assert await stage.services.suggestions.verdicts(stage.guild.id, stage.alwina.id) == []


async def test_edit_and_reject(stage: Stage) -> None:
    """A manager mends one and turns the other down; nothing waits then, and the author reads why."""
    await suggest(stage)
    await suggest(stage, prompt="A second one?")
    shown = await review(stage)
    form = await stage.manager.click(answer_to(shown), label="Edit")
    mended = {
        "topic": "Optimizers",
        "prompt": "Which one?",
        "answers": "+ AdamW\n> It is\n- Adam\n> It isn't",
    }
    mended |= {"explanation": "It is AdamW.", "difficulty": "2"}
    wrong = await stage.manager.submit_modal(form, {**mended, "answers": "nonsense\n+ x"})
    assert reply(wrong).startswith("Nothing was saved")
    form = await stage.manager.click(answer_to(shown), label="Edit")
    after = await stage.manager.submit_modal(form, mended)
    assert reply(after).startswith('**Added** to "Optimizers" as `which-one`.')
    form = await stage.manager.click(answer_to(after), label="Reject")
    done = await stage.manager.submit_modal(form, {"text": "We have *one* like it"})
    assert "**Rejected**" in reply(done)
    assert "Nothing is waiting for review." in reply(done)
    said = await suggest(stage, prompt="A third one?")
    told = [text_of(message) for message in _told(said)]
    assert any(
        "Added to this server's questions, thank you: Which optimizer" in text for text in told
    )
    assert any(
        "Not added: A second one?\n-# The reason: We have \\*one\\* like it" in text
        for text in told
    )


def _told(result: Any) -> list[discord.Message]:
    """What a member was sent in answer to one interaction."""
    return [result.response.message, *(getattr(f, "message", f) for f in result.followups)]


async def test_a_form_of_a_review_that_is_old(stage: Stage) -> None:
    """Who may use the command without Manage Server has their form back, fifteen minutes after its page came."""
    await suggest(stage)
    stage.allow(stage.bob, "bank")
    page = answer_to(await stage.bob.slash(stage.quiz, "bank review"))
    mended = {
        "topic": "Optimizers",
        "prompt": "Which one?",
        "answers": "+ AdamW\n> It is\n- Adam\n> No",
    }
    mended |= {"explanation": "It is AdamW.", "difficulty": "2"}
    forms = [
        ("Edit", mended, "Which one?"),
        ("Reject", {"text": "We have one like it"}, "We have one like it"),
    ]
    shown = [await stage.bob.click(page, label=label) for label, _, _ in forms]
    await stage.wait(16 * 60)
    for form, (_, fields, words) in zip(shown, forms, strict=True):
        refused, *_, back = _told(await stage.bob.submit_modal(form, fields))
        assert "Open it again with </bank review:" in text_of(refused)
        assert words in text_of(back)
    assert "1 suggestion waiting" in reply(await stage.bob.slash(stage.quiz, "bank review"))


async def test_what_is_not_right_comes_back(stage: Stage) -> None:
    """A suggestion that can't be asked is refused in one sentence, with what its author wrote."""
    said = await suggest(stage, wrong="AdamW")
    assert reply(said).startswith("**Not added** yet: ")
    assert "two choices have the same text" in reply(said)
    assert any(FIELDS["prompt"] in text_of(message) for message in _told(said))


async def test_no_sixth(stage: Stage) -> None:
    """Who has five that wait opens no form for another one."""
    for n in range(5):
        await suggest(stage, prompt=f"Number {n}?")
    refused = await stage.alwina.slash(stage.quiz, "suggest")
    assert refused.modal is None
    assert reply(refused).startswith("5 of your suggestions are waiting for review already.")


async def test_a_report_comes_to_the_review(stage: Stage) -> None:
    """A report on a shipped question is announced, shown without its author, and leaves the list with Done."""
    await announce_in_daily(stage)
    await stage.play(questions=1, seconds=20)
    await stage.wait(30)
    question = next(m for m in stage.quiz.history() if "Report" in labels(m))
    shown = await stage.alwina.click(question, label="Report")
    await stage.alwina.submit_modal(shown, {"text": "Two are right"})
    await stage.env.settle()
    assert len(stage.daily.history()) == 1
    found = await review(stage)
    assert "Reported by a member · 1 report waiting" in reply(found)
    assert "**What they said**: Two are right" in reply(found)
    assert not re.search(r"\bada\b", reply(found))
    assert labels(answer_to(found)) == ["Done"]
    done = reply(await stage.manager.click(answer_to(found), label="Done"))
    assert done == "**Done**. That report is off the list.\nNothing is waiting for review."


async def test_an_own_question_that_was_reported(stage: Stage) -> None:
    """It can be edited from the review."""
    await suggest(stage)
    await stage.manager.click(answer_to(await review(stage)), label="Accept")
    (own,) = await stage.services.own_bank.find(stage.guild.id)
    await stage.services.reports.add(own.row.item_id, None, stage.alwina.id, "It's L2 too")
    found = await review(stage)
    assert labels(answer_to(found)) == ["Done", "Edit"]
    form = await stage.manager.click(answer_to(found), label="Edit")
    assert form.modal is not None
    fields = {
        "prompt": "Which one, then?",
        "answers": "+ AdamW\n> It is\n- Adam\n> No\n- SGD\n> No",
    }
    saved = await stage.manager.submit_modal(
        form, {**fields, "explanation": "So.", "difficulty": "2", "formula": ""}
    )
    assert reply(saved).startswith("**Saved**\n### Which one, then?")


async def test_nobody_else_reviews(stage: Stage) -> None:
    """Members without Manage Server don't see the command."""
    await suggest(stage)
    with pytest.raises(SetupError):
        await stage.alwina.slash(stage.quiz, "bank review")
