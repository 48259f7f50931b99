"""/topics as members use it: the list, and the page of a topic."""

from __future__ import annotations

import re

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, lists, reply

__all__ = ["long_sleeps", "no_pace", "stage"]

TOPIC = BANK.topics["temperature"]


async def test_topics(stage: Stage) -> None:
    """The list shows the member's progress page by page, and starts practice of the weakest topic."""
    new = await stage.alwina.slash(stage.quiz, "topics")
    assert f"50 topics · {len(BANK.asked)} questions · page 1 of 6\n50 new" in reply(new)
    assert labels(answer_to(new)) == ["Back", "Next"]
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    await question.answer(stage.alwina, right=False)
    await stage.wait(22)  # the reveal, and the pause: then it is counted
    shown = await stage.alwina.slash(stage.quiz, "topics")
    assert "1 learning · 49 new" in reply(shown)
    assert "Your weakest topic: **Temperature**" in reply(shown)
    pages = [reply(shown)]
    message = answer_to(shown)
    for _ in range(5):
        pages.append(reply(await stage.alwina.click(message, label="Next")))
    number = BANK.topics["temperature"].number
    items = len(BANK.topics["temperature"].items)
    assert f"**{number}.** Temperature\n-# Learning · 0 of {items} learned · 1 due" in "\n".join(
        pages
    )
    assert [len(re.findall(r"^-# (New|Learning) · ", page, re.MULTILINE)) for page in pages] == [
        10,
        10,
        7,
        6,
        9,
        8,
    ]
    assert lists(answer_to(shown))[0].options[-1].value == list(BANK.topics)[-1]
    practice = reply(await stage.alwina.click(message, label="Practise it"))
    assert practice.startswith(f"-# Practice · question 1 of {len(TOPIC.items)} · ")
    assert " ".join(question.item.prompt.split()) in practice.replace("\\", "")


async def test_the_page_of_a_topic(stage: Stage) -> None:
    """The page opens from the list, has tabs, and leads to practice, an interview and the list."""
    listed = await stage.alwina.slash(stage.quiz, "topics")
    first = next(iter(BANK.topics.values()))
    await stage.alwina.select(
        answer_to(listed), values=[first.id], custom_id=lists(answer_to(listed))[0].custom_id
    )
    assert f"### {first.title}" in reply(listed)

    read = await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id)
    assert read.ephemeral
    assert TOPIC.question in reply(read).replace("\\", "")
    tabs, actions = (
        ["Question", "Model answer", "Your progress"],
        ["Practise", "Interview me", "All topics"],
    )
    assert labels(answer_to(read)) == tabs + actions
    await stage.alwina.click(answer_to(read), label="Model answer")
    assert TOPIC.answer.split("\n\n")[-1] in reply(read).replace("\\", "")
    assert TOPIC.references[0].url in reply(read)
    await stage.alwina.click(answer_to(read), label="Your progress")
    assert f"Item 1 · {TOPIC.items[0].level} · new\nItem 2" in reply(read)
    await stage.alwina.click(answer_to(read), label="All topics")
    assert f"**{TOPIC.number}.** {TOPIC.title}" in reply(read)

    read = await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id)
    await stage.alwina.click(answer_to(read), label="Interview me")
    assert "Question 1 of 1" in reply(read)
    assert TOPIC.question in reply(read).replace("\\", "")
    read = await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id)
    await stage.alwina.click(answer_to(read), label="Practise")
    assert reply(read).startswith(f"-# Practice · question 1 of {len(TOPIC.items)} · ")
    assert stage.texts() == []
