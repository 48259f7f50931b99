"""Suggestions and their review, driven as members and managers would."""

from __future__ import annotations

import re
from typing import Any

import discord

from bot.bank.suggestions_views import suggest_button
from bot.chat.messages import OPEN, Message, row
from bot.core.context import Place
from tests.bank.test_cog import prefilled
from tests.ours import own_questions
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


EDITED = {
    "topic": "Optimizers",
    "prompt": "Which one?",
    "answer": "AdamW",
    "wrong": "Adam\nSGD",
    "why": "It is AdamW.",
}


async def open_form(stage: Stage) -> Any:
    """Let Alwina press the button that other features show."""
    message = Message(OPEN, row(suggest_button()))
    posted = await stage.bot.context.sender.post(
        Place(stage.guild.id, stage.quiz.id), message, "suggest"
    )
    shown = next(each for each in stage.quiz.history() if each.id == posted)
    return await stage.alwina.click(shown, label="Suggest a question")


async def suggest(stage: Stage, **changes: str) -> Any:
    return await stage.alwina.submit_modal(await open_form(stage), {**FIELDS, **changes})


async def suggest_message(stage: Stage, content: str) -> Any:
    """Let Alwina use the message command on a message that Bob writes."""
    message = await stage.bob.send(stage.quiz, content)
    return await stage.alwina.context_menu(stage.quiz, "Suggest as question", message)


async def announce_in_daily(stage: Stage) -> None:
    await stage.services.settings.announce_suggestions(stage.guild.id, stage.daily.id)


async def review(stage: Stage) -> Any:
    panel = answer_to(await stage.manager.slash(stage.quiz, "bank"))
    return await stage.manager.click(panel, label="Review")


async def test_from_suggestion_to_question(stage: Stage) -> None:
    """The first suggestion is announced, and its author reads the verdict with the next command."""
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
    assert "Suggested by **alwina** · 2 suggestions wait for review" in reply(shown)
    assert "**A**  AdamW · ✅ right" in reply(shown)
    assert "Source: Loshchilov and Hutter, 2019" in reply(shown)
    assert labels(answer_to(shown)) == ["Accept", "Edit", "Reject", "Later"]
    accepted = reply(await stage.manager.click(answer_to(shown), label="Accept"))
    assert accepted.startswith('**Added** to "From our members". Its author will be told.')
    assert "### A second one?" in accepted
    assert [
        own.item.prompt for own in await own_questions(stage.services.own_bank, stage.guild.id)
    ] == [FIELDS["prompt"]]
    used = await stage.alwina.slash(stage.quiz, "help")
    await stage.env.settle()
    assert any(
        "Added to this server's questions, thank you: Which optimizer" in text_of(m)
        for m in messages_of(used)
    )
    assert await stage.services.suggestions.verdicts(stage.guild.id, stage.alwina.id) == []


async def test_a_message_as_a_question(stage: Stage) -> None:
    """Its text fills the form as plain text, and the suggestion is Alwina's, without a trace of Bob."""
    await announce_in_daily(stage)
    content = f"Which **optimizer** decouples weight decay, {stage.clementine.mention}?"
    shown = await suggest_message(stage, content)
    prompt = "Which optimizer decouples weight decay, @clementine?"
    assert prefilled(shown) == {"prompt": prompt}
    said = await stage.alwina.submit_modal(shown, {**FIELDS, "prompt": prompt})
    assert reply(said).startswith("Thanks. The moderators here will look at your question")
    assert len(stage.daily.history()) == 1
    found = reply(await review(stage))
    assert "Suggested by **alwina** · 1 suggestion waits for review" in found
    assert f"### {prompt}" in found
    assert "bob" not in found


async def test_messages_that_make_no_question(stage: Stage) -> None:
    """A card of the bot is refused in a sentence; a long message is cut to the form's field."""
    await stage.play(questions=1)
    (card, *_) = stage.quiz.history()[::-1]
    refused = await stage.alwina.context_menu(stage.quiz, "Suggest as question", card)
    assert refused.modal is None
    assert reply(refused).startswith("That message has no text of its own. Use this on")
    assert "</help:" in reply(refused)
    assert (await suggest_message(stage, "||\u200b||")).modal is not None
    shown = await suggest_message(stage, "word " * 399)
    assert prefilled(shown)["prompt"] == "word " * 118 + "word…"


async def test_edit_and_reject(stage: Stage) -> None:
    """A manager edits one suggestion and rejects the other; the author reads both verdicts."""
    await suggest(stage)
    await suggest(stage, prompt="A second one?")
    shown = await review(stage)
    form = await stage.manager.click(answer_to(shown), label="Edit")
    wrong = await stage.manager.submit_modal(form, EDITED | {"wrong": "AdamW"})
    assert reply(wrong).startswith("Nothing was saved")
    form = await stage.manager.click(answer_to(shown), label="Edit")
    after = await stage.manager.submit_modal(form, EDITED)
    assert reply(after).startswith('**Added** to "Optimizers". Its author')
    form = await stage.manager.click(answer_to(after), label="Reject")
    done = await stage.manager.submit_modal(form, {"text": "We have *one* like it"})
    assert "**Rejected**" in reply(done)
    assert "Nothing is waiting for review." in reply(done)
    said = await suggest(stage, prompt="A third one?")
    texts = "\n".join(text_of(message) for message in messages_of(said))
    assert "Added to this server's questions, thank you: Which optimizer" in texts
    assert "Not added: A second one?\n-# The reason: We have \\*one\\* like it" in texts


def messages_of(result: Any) -> list[discord.Message]:
    """Return the messages sent in response to an interaction."""
    return [result.response.message, *(getattr(f, "message", f) for f in result.followups)]


async def test_reasons_for_rejecting(stage: Stage) -> None:
    """One can be chosen, written or both; without any, nothing is rejected."""
    given = (
        {"reason": "We have one like it"},
        {"reason": "We have one like it", "text": " the 3rd "},
    )
    for _ in given:
        await suggest(stage)
    page = answer_to(await review(stage))
    form = await stage.manager.click(page, label="Reject")
    refused = await stage.manager.submit_modal(form, {"text": " "})
    assert reply(refused).startswith("Its author should know why.")
    for fields in given:
        form = await stage.manager.click(page, label="Reject")
        await stage.manager.submit_modal(form, fields)
    found = await stage.services.suggestions.verdicts(stage.guild.id, stage.alwina.id)
    assert [verdict.reason for verdict in found] == [
        "We have one like it",
        "We have one like it. the 3rd",
    ]


async def test_an_expired_review(stage: Stage) -> None:
    """After 15 minutes, a reviewer without Manage Server gets their form back."""
    await suggest(stage)
    stage.allow(stage.bob, "bank")
    panel = answer_to(await stage.bob.slash(stage.quiz, "bank"))
    page = answer_to(await stage.bob.click(panel, label="Review"))
    forms = [
        ("Edit", EDITED, "Which one?"),
        ("Reject", {"text": "We have one like it"}, "We have one like it"),
    ]
    shown = [await stage.bob.click(page, label=label) for label, _, _ in forms]
    await stage.wait(16 * 60)
    for form, (_, fields, words) in zip(shown, forms, strict=True):
        refused, *_, back = messages_of(await stage.bob.submit_modal(form, fields))
        assert "Open it again with </bank:" in text_of(refused)
        assert words in text_of(back)
    assert "1 suggestion waits for review" in reply(await stage.bob.slash(stage.quiz, "bank"))


async def test_an_invalid_suggestion_is_returned(stage: Stage) -> None:
    """It is refused in one sentence, and its author goes on in the form as they left it."""
    wrong = {**FIELDS, "wrong": "AdamW"}
    said = await suggest(stage, wrong="AdamW")
    assert '**Right answer** is also among the wrong ones: "AdamW".' in reply(said)
    (file,) = answer_to(said).attachments
    assert FIELDS["prompt"].encode() in await file.read()
    again = await stage.alwina.click(answer_to(said), label="Open the form")
    assert prefilled(again) == wrong
    await stage.alwina.submit_modal(again, FIELDS)
    assert prefilled(await open_form(stage)) == {}


async def test_the_limit_is_checked_before_the_form(stage: Stage) -> None:
    """A member with five waiting suggestions can't open the form, nor by a message."""
    for n in range(5):
        await suggest(stage, prompt=f"Number {n}?")
    for refused in (
        await open_form(stage),
        await suggest_message(stage, "A sixth one?"),
    ):
        assert refused.modal is None
        assert reply(refused).startswith("5 of your suggestions are waiting for review already.")


async def test_reviewing_a_report(stage: Stage) -> None:
    """It is announced, shown without its author, and gone after Done. A refused one comes back."""
    await announce_in_daily(stage)
    await stage.play(questions=1, seconds=20)
    await stage.wait(30)
    question = next(m for m in stage.quiz.history() if "Report" in labels(m))
    shown = await stage.alwina.click(question, label="Report")
    empty = await stage.alwina.submit_modal(shown, {})
    assert reply(empty).startswith("Your report was empty.")
    shown = await stage.alwina.click(question, label="Report")
    reason = "Another answer is right too"
    await stage.alwina.submit_modal(shown, {"reason": reason, "text": "Two are right"})
    shown = await stage.alwina.click(question, label="Report")
    refused = messages_of(await stage.alwina.submit_modal(shown, {"text": "And B too"}))
    texts = " ".join(map(text_of, refused))
    assert "reported this question already" in texts
    assert "And B too" in texts
    await stage.env.settle()
    assert len(stage.daily.history()) == 1
    found = await review(stage)
    assert "Reported by a member · 1 report waits for review" in reply(found)
    assert "**What they said**: Another answer is right too. Two are right" in reply(found)
    assert not re.search(r"\bada\b", reply(found))
    assert labels(answer_to(found)) == ["Done"]
    done = reply(await stage.manager.click(answer_to(found), label="Done"))
    assert done == "**Done**. That report is off the list.\nNothing is waiting for review."


async def test_a_reported_own_question(stage: Stage) -> None:
    """It can be edited from the review."""
    await suggest(stage)
    await stage.manager.click(answer_to(await review(stage)), label="Accept")
    (own,) = await own_questions(stage.services.own_bank, stage.guild.id)
    await stage.services.reports.add(own.row.item_id, None, stage.alwina.id, "It's L2 too")
    found = await review(stage)
    assert labels(answer_to(found)) == ["Done", "Edit"]
    form = await stage.manager.click(answer_to(found), label="Edit")
    assert form.modal is not None
    fields = {key: value for key, value in EDITED.items() if key != "topic"}
    saved = await stage.manager.submit_modal(form, fields)
    assert reply(saved).startswith("**Saved**\n### Which one?")


async def test_help_says_what_waits(stage: Stage) -> None:
    """It is a moderator's first button there, and nobody else's."""
    await suggest(stage)
    for member in (stage.bob, stage.manager):
        result = await member.slash(stage.quiz, "help")
        await stage.env.settle()
        first = labels(answer_to(result))[0]
        assert (first == "Review what waits") is (member is stage.manager)
        assert len(messages_of(result)) == 1
    page = await stage.manager.click(answer_to(result), label="Review what waits")
    await stage.manager.click(answer_to(page), label="Accept")
    result = await stage.manager.slash(stage.quiz, "help")
    assert "Review what waits" not in labels(answer_to(result))


async def test_moderators_are_reminded(stage: Stage) -> None:
    """After another command, members who may manage the server are told once a day."""
    await suggest(stage)
    for member, told in ((stage.bob, False), (stage.manager, True), (stage.manager, False)):
        said = messages_of(await member.slash(stage.quiz, "leaderboard"))
        await stage.env.settle()
        assert any("1 suggestion waits for review" in text_of(each) for each in said) is told
    await stage.wait(24 * 3600)
    result = await stage.manager.slash(stage.quiz, "leaderboard")
    page = await stage.manager.click(messages_of(result)[-1], label="Review")
    assert "Suggested by **alwina**" in reply(page)
