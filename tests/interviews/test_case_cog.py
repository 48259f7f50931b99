"""Cases, driven as members would."""

from __future__ import annotations

from msgspec.structs import replace

from bot.interviews import rules
from bot.interviews import views as view
from tests.interviews.test_cog import all_of, begin, press, write
from tests.interviews.test_partner_cog import forge
from tests.interviews.test_partner_cog import press as press_as
from tests.messages import words
from tests.shipped import cases
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, custom_ids, labels, lists, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

OFFERED = rules.offered_cases(replace(BANK, cases=cases()), BANK)
CASE = OFFERED[0]


def plain(text: str) -> str:
    return words(text.replace("\\", ""))


async def test_a_case_from_the_command_to_the_report(stage: Stage) -> None:
    """Answered, skipped and paused, over restarts; the other buttons lead on."""
    card = await begin(stage, kind="case", topic=CASE.id)
    for number, step in enumerate(CASE.steps, start=1):
        shown = plain(text_of(card))
        assert (
            f"### {CASE.title} -# Step {number} of 4 · {step.title} {words(step.setting)}" in shown
        )
        assert words(step.question) in shown
        await stage.restart()
        if number == 2:
            told = await press(stage, card, "The case")
            assert words(CASE.steps[0].setting) in plain(text_of(told))
            skipped = await press(stage, card, "Skip")
            assert words(step.answer[:60]) in plain(text_of(skipped))
            card = await press(stage, skipped, "Next step")
            continue
        points = " ".join(f"You should know that {p.text}." for p in step.key_points)
        feedback = await write(stage, card, points)
        assert f"-# {CASE.title} · {step.title}" in plain(text_of(feedback))
        feedback = await press(stage, feedback, "That's right")
        card = await press(stage, feedback, "See the report" if number == 4 else "Next step")
        if number == 3:
            again = await begin(stage)
            assert text_of(again).startswith("Your case continues here.\n")
            asked = await begin(stage, kind="question")
            assert "Go on with your case" in labels(asked)
            card = await press(stage, asked, "Go on with your case")
            assert text_of(card).startswith("Your case continues here.\n")
    assert plain(text_of(card)).startswith(f"### {CASE.title} {CASE.steps[0].title} · **")
    assert f"{CASE.steps[1].title} · skipped" in plain(text_of(card))
    assert labels(card)[-1] == "Another case"
    other = await press(stage, card, "Another case")
    assert "Step 1 of 4" in text_of(other)


async def test_cases_in_topics(stage: Stage) -> None:
    """All that can be started are listed, with how the last one went, and one is picked."""
    card = await begin(stage, topic=CASE.id)
    feedback = await press(stage, await write(stage, card, CASE.steps[0].answer), "That's right")
    await press(stage, await press(stage, feedback, "Next step"), "End")
    sections = answer_to(await stage.alwina.slash(stage.quiz, "topics"))
    listed = await press(stage, sections, "Cases")
    assert plain(text_of(listed)).startswith(f"### Cases -# {len(OFFERED)} case")
    assert f"{CASE.title} · " in plain(text_of(listed))
    [menu] = lists(listed)
    assert [option.value for option in menu.options] == [case.id for case in OFFERED[:6]]
    picked = await stage.alwina.select(listed, values=[CASE.id], custom_id=menu.custom_id)
    assert f"### {CASE.title}\n-# Step 1 of 4" in text_of(answer_to(picked)).replace("\\", "")
    for number, kind in ((1, "picked values"), (99, "page")):
        again = await forge(stage, stage.alwina, view.CASES.id(page=number))
        assert "### Cases" in all_of(again), kind


async def test_what_is_suggested(stage: Stage) -> None:
    """Topics and then cases, or only what is of the chosen kind."""

    async def values(text: str, **options: str) -> list[str]:
        found = await stage.alwina.autocomplete(stage.quiz, "interview", "topic", text, **options)
        assert len(found) <= 25
        return [str(choice["value"]) for choice in found]

    assert await values("", kind="case") == [case.id for case in OFFERED]
    assert CASE.id not in await values(CASE.title[:12], kind="question")
    assert (await values(CASE.title[:12]))[-1] == CASE.id
    assert await values("case " + CASE.title[:12].lower()) == [CASE.id]
    assert await values("no such words", kind="case") == []


async def test_a_topic_names_a_case(stage: Stage) -> None:
    """With the kind chosen, it is one that leans on the topic; an unknown name is refused."""
    topic = next(i for i in CASE.topics if i in BANK.topics)
    shown = text_of(await begin(stage, kind="case", topic=topic)).replace("\\", "")
    case = next(case for case in OFFERED if f"### {case.title}\n" in shown)
    assert topic in case.topics
    refused = await stage.alwina.slash(stage.quiz, "interview", kind="case", topic="nothing")
    assert "I don't know that case" in reply(refused)
    refused = await stage.alwina.slash(stage.quiz, "interview", kind="question", topic=CASE.id)
    assert "I don't know that topic" in reply(refused)


async def test_somebody_elses_case(stage: Stage) -> None:
    """Its buttons and its modal do nothing for others."""
    card = await begin(stage, kind="case", topic=CASE.id)
    for custom_id in custom_ids(card):
        if not custom_id.startswith("partner"):
            said = all_of(await forge(stage, stage.bob, custom_id))
            assert "That question is gone" in said


async def test_a_case_with_a_partner(stage: Stage) -> None:
    """From the first card to the swap; the key points are in no public message."""
    card = await begin(stage, kind="case", topic=CASE.id)
    await press_as(stage, stage.alwina, card, "With a partner")
    search = stage.quiz.last_message
    assert search is not None
    assert f"looks for a partner on a case: {CASE.title}" in text_of(search)
    await press_as(stage, stage.bob, search, "I'm in")
    (thread,) = stage.quiz.threads
    for step in CASE.steps:
        shown = answer_to(await press_as(stage, stage.bob, thread.history()[-1], "My card"))
        assert words(step.key_points[0].text) in plain(text_of(shown))
        await press_as(stage, stage.bob, shown, "Post the question")
        public = plain("\n".join(map(text_of, thread.history())))
        assert words(step.setting) in public
        assert words(step.question) in public
        assert words(step.key_points[0].text) not in public
        ticked = answer_to(await stage.bob.select(shown, values=["0"]))
        await press_as(stage, stage.bob, ticked, "Show my ticks")
        await stage.restart()
        page = await press_as(stage, stage.alwina, thread.history()[-1], "See the ticks")
        await press_as(stage, stage.alwina, answer_to(page), "Confirm")
    over = thread.history()[-1]
    report = reply(await stage.alwina.click(over, label="My report"))
    assert report.count("ticked by your partner") == 4
    await press_as(stage, stage.bob, over, "Another case, the other way round")
    assert "**alwina** takes **bob** through a case" in text_of(thread.history()[-1])
