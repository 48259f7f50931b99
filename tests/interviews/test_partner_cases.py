"""A case with a partner: one is asked all four steps, the other asks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.member_hashes import remember
from bot.interviews import partner_store
from bot.interviews import store as interview_store
from bot.interviews.model import Confirmed, PartnerCard, PartnerEnding, PartnerState, PointCount
from bot.memory.store import topics_met
from bot.questions.model import Case
from tests.banks import small_bank, small_case
from tests.interviews.test_partner import THREAD, asked_card, press, row, texts, unheard
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

ONE, TWO = small_case("one", "t1"), small_case("two", "t2")


@pytest.fixture
async def stage(database: Database) -> Stage:
    stage = Stage(database, replace(small_bank(8), cases=(ONE, TWO)))
    await stage.introduce()
    return stage


async def begin(stage: Stage) -> None:
    """Bring Alwina, who is asked a case, and Bob into their thread; the first step is asked."""
    await stage.bot.interviews.start_case(ALWINA, GUILD, "one")
    await stage.bot.partners.look(ALWINA, GUILD, CHANNEL, None, unheard, "one")
    await stage.run()
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.run()


async def answer(stage: Stage, number: int, *, asker: int = BOB, key: int = 1) -> None:
    """Have a step asked, its first key point ticked, and that confirmed."""
    answerer = ALWINA if asker == BOB else BOB
    await press(stage, "tick", number, asker, {0}, key=key)
    await press(stage, "show_ticks", number, asker, key=key)
    await stage.restart(minutes=1)
    await stage.run()
    done = await press(stage, "confirm", number, answerer, "0", key=key)
    assert isinstance(done, Confirmed)
    await stage.run()


async def test_a_whole_case(stage: Stage) -> None:
    """Bob asks all four steps, also after restarts; it counts as Alwina's and tells nothing of topics."""
    await begin(stage)
    public, private = texts(stage, CHANNEL), texts(stage)
    assert "**Alwina** looks for a partner on a case: The case of one" in public[0]
    assert "You interview **Alwina** in a private thread, in four steps." in public[0]
    assert "**Bob** takes **Alwina** through a case." in private[-1]
    for number, step in enumerate(ONE.steps, start=1):
        card = await asked_card(stage, number)
        assert (card.asker, card.answerer, card.topic) == ("Bob", "Alwina", step)
        assert f"Step {number} of 4 · The case of one · Step {number} of one" in texts(stage)[-1]
        with pytest.raises(UserError, match="Only the one who asks"):
            await stage.bot.partners.card(1, number, ALWINA)
        await answer(stage, number)
    assert (await row(stage)).ending is PartnerEnding.DONE
    over = texts(stage)[-1]
    assert "( Another case, the other way round )" in over
    key = (await row(stage)).interview_of(ALWINA)
    assert (await row(stage)).interview_of(BOB) is None
    assert key is not None
    report = await stage.bot.interviews.report(key, ALWINA)
    assert report.case == ONE
    assert [asked.count for _, asked in report.asked] == [PointCount(1, 3)] * 4
    assert await stage.database.read(topics_met, ALWINA) == {}
    runs = {run.case.id: run for run in await stage.bot.interviews.cases(ALWINA, GUILD)}
    assert (runs["one"].step, runs["one"].count) == (None, PointCount(4, 12))


async def test_the_case_begun_alone_ends(stage: Stage) -> None:
    """Without an answer in it, it would only wait; with one, it goes on some day."""
    await begin(stage)
    running = interview_store.running
    assert await stage.database.read(running, ALWINA, on_case=True) is None


async def test_a_case_begun_alone_with_answers_stays(stage: Stage) -> None:
    alone = await stage.bot.interviews.start_case(ALWINA, GUILD, "one")
    await stage.bot.interviews.answer(alone.question_id, ALWINA, "So.")  # type: ignore[union-attr]
    await begin(stage)
    assert await stage.database.read(interview_store.running, ALWINA, on_case=True) is not None


async def test_they_exchange_roles(stage: Stage) -> None:
    """Before anything is ticked, Bob may be asked another case: he has seen this one's key points."""
    await begin(stage)
    await stage.bot.partners.exchange(1, BOB)
    await stage.run()
    card = await asked_card(stage)
    assert (card.asker, card.answerer, card.topic) == ("Alwina", "Bob", TWO.steps[0])
    await answer(stage, 1, asker=ALWINA)
    assert (await asked_card(stage, 2)).asker == "Alwina"


async def test_the_other_way_round(stage: Stage) -> None:
    """Once, in the same thread, and with a case whose key points the next one to answer hasn't just
    ticked, even if they have had all others."""
    alone = await stage.bot.interviews.start_case(BOB, GUILD, "two")
    await stage.bot.interviews.end(alone.question_id, BOB)  # type: ignore[union-attr]
    await begin(stage)
    with pytest.raises(UserError, match="That is over"):
        await stage.bot.partners.swap(1, BOB)
    for number in range(1, 5):
        await answer(stage, number)
    await stage.bot.partners.swap(1, ALWINA)
    await stage.run()
    found = await row(stage, 2)
    assert (found.state, found.thread_id, found.members) == (
        PartnerState.ASKING,
        THREAD,
        (BOB, ALWINA),
    )
    with pytest.raises(UserError, match="in an interview with a partner right now"):
        await stage.bot.partners.swap(1, BOB)
    card = await stage.bot.partners.card(2, 1, ALWINA)
    assert isinstance(card, PartnerCard)
    assert (card.asker, card.answerer, card.case) == ("Alwina", "Bob", TWO)
    await answer(stage, 1, asker=ALWINA, key=2)
    assert (await row(stage, 2)).interview_of(BOB) is not None


async def test_no_other_case(stage: Stage) -> None:
    """Then roles stay as they are."""
    stage.bank = replace(stage.bank, cases=(ONE,))
    await stage.restart()
    await begin(stage)
    with pytest.raises(UserError, match="There is no other case"):
        await stage.bot.partners.exchange(1, BOB)
    assert (await asked_card(stage)).asker == "Bob"


async def test_who_can_not_go_on(stage: Stage) -> None:
    """Nobody else can, and no pair that is kept apart."""
    await begin(stage)
    for number in range(1, 5):
        await answer(stage, number)
    with pytest.raises(UserError, match="for two other members"):
        await stage.bot.partners.swap(1, 999)
    pair = (await row(stage)).pair
    assert pair is not None
    await stage.database.write(remember, pair)
    with pytest.raises(UserError, match="doesn't want to be put together"):
        await stage.bot.partners.swap(1, BOB)
    assert await stage.database.read(partner_store.get, 2) is None


@pytest.mark.parametrize("left", [(), (replace(ONE, steps=(*ONE.steps[:1], *TWO.steps[1:])), TWO)])
async def test_a_case_that_changes_under_way(stage: Stage, left: tuple[Case, ...]) -> None:
    """It ends for both once there is no next step."""
    await begin(stage)
    await answer(stage, 1)
    stage.bank = replace(stage.bank, cases=left)
    await stage.restart()
    assert await stage.bot.partners.card(1, 2, BOB) is None
    await stage.run()
    assert (await row(stage)).ending is PartnerEnding.NO_TOPIC
    assert "No question is left" in texts(stage)[-1]


async def test_a_changed_step_is_asked_again(stage: Stage) -> None:
    """Ticks are about the key points that the card showed."""
    await begin(stage)
    await press(stage, "tick", 1, BOB, {0})
    point = replace(ONE.steps[0].key_points[0], text="Otherwise")
    changed = replace(ONE.steps[0], key_points=(point,))
    stage.bank = replace(stage.bank, cases=(replace(ONE, steps=(changed, *ONE.steps[1:])),))
    await stage.restart()
    assert await stage.bot.partners.card(1, 1, BOB) is None
    await stage.run()
    card = await asked_card(stage)
    assert (card.topic, card.ticks, card.asker) == (changed, frozenset(), "Bob")


async def test_an_unknown_case_is_refused(stage: Stage) -> None:
    with pytest.raises(UserError, match="I don't know that case"):
        await stage.bot.partners.look(ALWINA, GUILD, CHANNEL, None, unheard, "three")
