"""/topics as members use it: sections, topics, the page of one, and decks."""

from __future__ import annotations

import pytest

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, lists, reply, text_of
from tests.topics.apkg import fields_of

__all__ = ["long_sleeps", "no_pace", "stage"]

TOPIC = BANK.topics["temperature"]
SECTION = BANK.section_titles[TOPIC.section_id]


async def test_from_the_sections_to_a_topic(stage: Stage) -> None:
    """The sections show the member's progress, lead to topics and start practice of the weakest."""
    new = await stage.alwina.slash(stage.quiz, "topics")
    assert reply(new) == f"### Topics\n-# {len(BANK.asked)} questions"
    assert SECTION not in reply(new)
    assert labels(answer_to(new)) == ["Practise", "Cases"]
    question = await stage.play(questions=1, seconds=5, topic=TOPIC.id)
    await question.answer(stage.alwina, right=False)
    await stage.wait(22)  # the reveal, and the pause: then it is counted
    shown = await stage.alwina.slash(stage.quiz, "topics")
    assert "· 1 met · 0 known" in reply(shown)
    assert f"{SECTION} · 1/" in reply(shown)
    assert "Weakest: **Temperature**" in reply(shown)
    message = answer_to(shown)
    (sections,) = lists(message)
    value = next(option.value for option in sections.options if option.label == SECTION)
    await stage.alwina.select(message, values=[value], custom_id=sections.custom_id)
    page = text_of(answer_to(shown))
    assert page.startswith(f"### {SECTION}\n")
    while "Temperature · learning" not in page:
        page = reply(await stage.alwina.click(message, label="Next"))
    (topics,) = lists(answer_to(shown))
    await stage.alwina.select(message, values=[TOPIC.id], custom_id=topics.custom_id)
    assert (
        f"### {TOPIC.title}\n-# {SECTION} · Learning · {len(TOPIC.items)} questions · 1 met · 0 known"
        in text_of(answer_to(shown))
    )
    await stage.alwina.click(message, label="All topics")
    await stage.alwina.click(message, label="All sections")
    practice = reply(await stage.alwina.click(message, label="Practise the weakest"))
    prompts = [" ".join(item.prompt.split()) for item in TOPIC.items]
    assert any(prompt in practice.replace("\\", "") for prompt in prompts)


async def test_the_page_of_a_topic(stage: Stage) -> None:
    """It has tabs, and leads to practice, an interview and the list."""
    read = await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id)
    assert read.ephemeral
    assert TOPIC.question in reply(read).replace("\\", "")
    tabs = ["Question", "Key points", "Model answer"]
    assert labels(answer_to(read)) == [
        *tabs,
        *("Practise", "Interview me", "Anki", "Suggest a question", "All topics"),
    ]
    await stage.alwina.click(answer_to(read), label="Model answer")
    assert TOPIC.answer.split("\n\n")[-1] in reply(read).replace("\\", "")
    assert TOPIC.references[0].url in reply(read)
    await stage.alwina.click(answer_to(read), label="All topics")
    assert TOPIC.title in reply(read)

    read = await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id)
    await stage.alwina.click(answer_to(read), label="Interview me")
    assert TOPIC.question in reply(read).replace("\\", "")
    read = await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id)
    await stage.alwina.click(answer_to(read), label="Practise")
    assert reply(read).startswith("-# Question 1 of 5 · ")
    assert stage.texts() == []


async def test_a_deck_of_a_topic(stage: Stage) -> None:
    """A member gets the file in private."""
    page = answer_to(await stage.alwina.slash(stage.quiz, "topics", topic=TOPIC.id))
    got = await stage.alwina.click(page, label="Anki")
    message = answer_to(got)
    assert message.flags.ephemeral
    assert f'{len(TOPIC.items)} questions on "Temperature".' in reply(got)
    (file,) = message.attachments
    assert file.filename == "quizformer-temperature.apkg"
    notes = fields_of(await file.read())
    assert {note["Id"] for note in notes} == {item.id for item in TOPIC.items}


@pytest.mark.parametrize(
    ("label", "said"),
    [("My misses", "1 question that you missed."), ("All questions", "questions of all topics.")],
)
async def test_the_choice_of_a_deck(stage: Stage, label: str, said: str) -> None:
    """The choice gives the misses or everything, each as a file."""
    question = await stage.play(questions=1, seconds=5)
    await question.answer(stage.alwina, right=False)
    await stage.wait(22)
    choice = await stage.press(stage.alwina, "decks:v1")
    got = await stage.alwina.click(answer_to(choice), label=label)
    assert said in reply(got)
    assert len(answer_to(got).attachments) == 1
