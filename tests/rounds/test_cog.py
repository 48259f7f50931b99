"""Rounds on a simulated Discord."""

from __future__ import annotations

import re
from unittest.mock import patch

from bot.core.errors import DeliveryRefused
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, alt_texts, answer_to, custom_ids, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def test_a_round_from_start_to_standings(stage: Stage) -> None:
    """Cards come by themselves, answers stay private, the standings and the board agree."""
    question = await stage.play(questions=2, seconds=10, topic="temperature")
    assert "-# Question 1 of 2 · Core concepts" in question.text
    assert question.item.id not in str(custom_ids(question.message))
    right = await question.answer(stage.alwina, right=True)
    wrong = await question.answer(stage.bob, right=False)
    assert right.startswith("Locked in **")
    assert wrong.startswith("Locked in **")
    await stage.wait(10.5)
    revealed = stage.question()
    assert revealed.message.id == question.message.id
    assert "✅" in revealed.text
    assert "Fastest: **alwina**" in revealed.text
    assert labels(revealed.message) == ["Explain", "Report", "Next"]
    refused = await stage.bob.click(revealed.message, label="Next")
    assert refused.ephemeral
    assert reply(refused).startswith("Only whoever started this round")
    assert (await stage.alwina.click(revealed.message, label="Next")).acknowledged
    await stage.wait(0.1)
    second = stage.question()
    assert "Question 2 of 2" in second.text
    await second.answer(stage.bob, right=True)
    await stage.wait(26)
    standings = stage.texts()[-1]
    assert " wins\n🥇 " in standings
    board = reply(await stage.alwina.slash(stage.quiz, "leaderboard", period="today"))
    for name in ("alwina", "bob"):
        points = re.search(rf"[🥇🥈] \*\*{name}\*\* · \*\*(.*?)\*\*", standings)
        assert points is not None
        assert f"**{name}** · **{points[1]}**" in board


async def test_a_comeback_is_drawn(stage: Stage) -> None:
    """A comeback in the second half is drawn in the standings, even after a restart."""
    question = await stage.play(questions=5, seconds=5)
    for number in range(1, 6):
        assert f"Question {number} of 5" in question.text
        await question.answer(stage.bob, right=number == 1)
        await question.answer(stage.alwina, right=number > 3)
        question = await stage.next_message() if number < 5 else question
    await stage.services.close()
    await stage.wait(20)
    await stage.restart()
    await stage.wait(17)
    (standings,) = [m for m in stage.quiz.history() if "Play again" in labels(m)]
    assert "### **alwina** wins" in text_of(standings)
    assert "**alwina** took the lead for good on question 5." in text_of(standings)
    assert [file.filename for file in standings.attachments] == ["race.png"]
    [alt] = alt_texts(standings)
    assert re.search("alwina: .*; bob: ", alt)
    assert labels(standings) == ["Play again", "Practise my misses", "My answers"]


async def test_a_round_that_could_not_start(stage: Stage) -> None:
    """If the first card can't be posted, the start line is replaced by the reason."""
    result = await stage.alwina.slash(stage.quiz, "quiz", questions=3)
    refused = DeliveryRefused("permission", "I can't post here: I need Send Messages.")
    with patch.object(stage.services.context.sender, "post", side_effect=refused):
        await stage.wait(9)
    (line,) = stage.texts()
    assert line.startswith("The round couldn't start. I can't post here: I need Send Messages.")
    assert "Once that's fixed, use </" in line
    assert not result.ephemeral
    again = await stage.alwina.slash(stage.quiz, "quiz")
    assert "**alwina** starts 2 easy, 2 medium, 1 hard" in reply(again)


async def test_private_views(stage: Stage) -> None:
    """Explain, My answers and Practise my misses are private."""
    question = await stage.play(questions=1, seconds=10, topic="temperature")
    await question.answer(stage.bob, right=False)
    await stage.wait(26)
    why = await stage.bob.click(question.message, label="Explain")
    assert why.ephemeral
    assert reply(why).startswith("You said:\n")
    for choice in question.item.choices:
        told = question.item.kind == "choice" and choice.correct
        assert (choice.why in reply(why).replace("\\", "")) != told
    standings = stage.quiz.last_message
    assert standings is not None
    mine = await stage.bob.click(standings, label="My answers")
    assert mine.ephemeral
    assert "0 of 1 right" in reply(mine)
    practice = await stage.bob.click(standings, label="Practise my misses")
    assert practice.ephemeral
    assert f"### {question.item.prompt}" in reply(practice).replace("\\", "")
    assert "-# Question 1 of 1 · " in reply(practice)
    nobody = reply(await stage.clementine.click(standings, label="Practise my misses"))
    assert nobody.startswith("You didn't play this round.")


async def test_where_a_round_runs(stage: Stage) -> None:
    """/quiz shows how it goes, privately, and its starter can stop it."""
    await stage.play(questions=3, seconds=60)
    seen = await stage.bob.slash(stage.quiz, "quiz", questions=9)
    assert seen.ephemeral
    assert reply(seen).startswith("**Question 1 of 3**, started by **alwina**")
    assert labels(answer_to(seen)) == []
    own = await stage.alwina.slash(stage.quiz, "quiz")
    assert labels(answer_to(own)) == ["Stop"]
    stopped = await stage.alwina.click(answer_to(own), label="Stop")
    assert reply(stopped).startswith("The round ends after this question.")
    assert labels(answer_to(stopped)) == ["Stop now"]
    assert "The round ends after" in reply(await stage.bob.slash(stage.quiz, "quiz"))
    await stage.alwina.click(answer_to(stopped), label="Stop now")
    await stage.wait(1)
    assert stage.texts()[-1].startswith("### Round over\nThe round was stopped.")


async def test_the_reply_becomes_the_result(stage: Stage) -> None:
    """The reply to an answer says nothing about it until the reveal, then its result."""
    question = await stage.play(questions=1, seconds=10)
    results = {}
    for member, right in ((stage.alwina, True), (stage.bob, False)):
        results[right] = await question.respond(member, right=right)
    varies = r"\*\*.+\*\*|<t:\d+:T>"  # the second answer puts the reveal off
    assert len({re.sub(varies, "", reply(result)) for result in results.values()}) == 1
    before = len(stage.texts())
    await stage.wait(11)
    assert re.fullmatch(r"✅ \*\*.+\*\*\. \+100, 1st with 100\.", reply(results[True]))
    assert re.fullmatch(r"You said \*\*.+\*\*\. It's \*\*.+\*\*\.", reply(results[False]))
    assert len(stage.texts()) == before


async def test_a_hosted_round(stage: Stage) -> None:
    """Only the host reveals and goes on, with buttons on the card, even after a restart."""
    question = await stage.play(questions=2, mode="hosted", topic="temperature")
    assert "hosted, no clock" in stage.texts()[0]
    assert (await question.answer(stage.bob, right=True)).endswith(
        "The answer comes when the host shows it."
    )
    await stage.wait(1000)
    refused = await stage.bob.click(stage.question().message, label="Reveal")
    assert refused.ephemeral
    assert reply(refused).startswith("Only whoever started this round")
    await stage.restart()
    assert (await stage.alwina.click(stage.question().message, label="Reveal")).acknowledged
    await stage.wait(1)
    assert labels(stage.question().message) == ["Explain", "Report", "Next"]
    await stage.wait(1000)
    assert (await stage.alwina.click(stage.question().message, label="Next")).acknowledged
    await stage.wait(1)
    assert "Question 2 of 2" in stage.question().text
    for member, said in (
        (stage.alwina, "Still to answer: **bob**."),
        (stage.bob, "Only whoever started this round"),
    ):
        asked = await member.click(stage.question().message, label="Who's missing?")
        assert asked.ephemeral
        assert reply(asked).startswith(said)
    assert "Open until the host shows the answer" in reply(
        await stage.bob.slash(stage.quiz, "quiz")
    )


async def test_play_again(stage: Stage) -> None:
    """Anybody who may start a round can start one with the same options, once.

    Everyone reads who starts what, and when the first question comes.
    """
    question = await stage.play(questions=1, seconds=10, topic="temperature", difficulty="easy")
    await question.answer(stage.bob)
    await stage.wait(26)
    standings = stage.question().message
    started = await stage.clementine.click(standings, label="Play again")
    assert not started.ephemeral
    assert re.fullmatch(
        r"\*\*clementine\*\* starts 1 easy question · Temperature · 10 s each\. First one at <t:\d+:T>\.",
        reply(started),
    )
    again = await stage.bob.click(standings, label="Play again")
    assert again.ephemeral
    assert "already running in this channel" in reply(again)
    await stage.wait(7.5)
    assert stage.texts()[-1] == reply(started)
    await stage.wait(0.5)
    assert "Question 1 of 1" in stage.question().text
