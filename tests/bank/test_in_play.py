"""A question that is changed or taken out while members are being asked, in each feature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers.store import CHALLENGE, DAILY
from bot.core.errors import UserError
from bot.daily import store as daily_store
from bot.daily.model import DailyVerdict
from bot.interviews import partner_store
from bot.interviews.model import PartnerState
from bot.questions import store
from bot.questions.model import Item
from bot.questions.own import OwnItem, OwnTopic
from bot.rounds.model import RevealCard
from tests.bank.test_files import document, encoded
from tests.bank.test_regrade import form_of, moved_key
from tests.challenges import play as challenges
from tests.ours import furnish, rows_of
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

TOPIC = "1--1"
REFUSED = (
    r'Members are asked "(?i:ours).*" right now, or are about to be, .*\. Nothing was saved\. '
    r"Do this again once that's over\."
)


async def in_round(stage: Stage) -> None:
    await stage.start(1, topic_id=TOPIC)
    await stage.run()


async def in_pause(stage: Stage) -> None:
    """Show the answer of a hosted round. A click from before that still counts."""
    round_id = await stage.start(1, topic_id=TOPIC, hosted=True, seconds=None)
    await stage.run()
    card = stage.card()
    await stage.bot.rounds.show_answer(card.row_id, card.message_id, ALWINA, may_manage=False)
    await stage.wait(seconds=2)
    assert (await stage.round(round_id)).phase == "pause"


async def in_challenge(stage: Stage) -> None:
    await challenges.start(stage, topic_id=TOPIC, questions=1, hours=1)


async def in_daily(stage: Stage) -> None:
    await stage.set_up("12:30", asks=TOPIC)
    await stage.wait(hours=1)
    await stage.bot.schedules.pause(GUILD, 1)


async def in_open_daily(stage: Stage) -> None:
    """Ask the open question of the server's own topic, whatever would be drawn."""
    await in_daily(stage)
    (daily,) = await stage.days()
    asked = {"item_id": None, "topic_id": TOPIC}
    await stage.database.write(daily_store.change, daily.id, expect=daily.state, **asked)


async def with_partner(stage: Stage) -> None:
    """Let two members interview each other for an hour."""

    def ask(conn: Connection) -> None:
        values = {"first_id": ALWINA, "second_id": BOB, "turn": 1, "asked_topic_id": TOPIC}
        values |= {"guild_id": GUILD, "channel_id": CHANNEL, "thread_id": 7}
        times = {"created_at": stage.clock(), "due_at": stage.clock() + timedelta(hours=1)}
        partner_store.create(conn, state=PartnerState.CONFIRMING, **values, **times)

    await stage.database.write(ask)


async def by_form(stage: Stage) -> int | None:
    """Move the key; return the change."""
    number, form = await form_of(stage)
    return (await stage.bot.own_bank.edit(GUILD, number, moved_key(form))).change


async def by_file(stage: Stage) -> None:
    await import_(stage, key=1)


async def by_undo(stage: Stage) -> None:
    """Undo the first change."""
    await stage.bot.own_bank.undo(GUILD, 1)


async def by_file_of_topics(stage: Stage) -> None:
    await import_(stage, turned=True)


async def import_(
    stage: Stage, *, key: int = 0, turned: bool = False, words: str = "Ours?"
) -> None:
    """Import the server's question and its topic, with another key, key points in another order, or other words."""
    data = document(3)
    data["sections"] = data["sections"][1:]
    topic = data["sections"][0]["topics"][0]
    data["sections"][0]["topics"] = [topic]
    if turned:
        topic["key_points"].reverse()
    topic["items"] = [{**topic["items"][0], "id": "ours-2", "prompt": words}]
    for n, choice in enumerate(topic["items"][0]["choices"]):
        choice |= {"text": f"{words} {n}", "correct": n == key}
    await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(data))


BY_FILE = {by_file, by_file_of_topics}
PUBLIC = [in_round, in_pause, in_challenge, in_daily]
Work = Callable[[Stage], Awaitable[object]]


async def stored(stage: Stage) -> list[OwnItem | OwnTopic]:
    rows = await stage.database.read(rows_of, GUILD)
    return [*rows, *(await stage.database.read(store.own_rows_of, GUILD)).topics]


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        *((ask, change) for ask in PUBLIC for change in (by_form, by_file)),
        *(
            (ask, by_undo) for ask in PUBLIC if ask is not in_daily
        ),  # after minutes, none can be undone
        (in_open_daily, by_file_of_topics),
        (with_partner, by_file_of_topics),
    ],
)
async def test_no_other_key_while_it_is_asked(stage: Stage, ask: Work, change: Work) -> None:
    """Every way to change the key is refused until all answers were judged; other changes are not."""
    await furnish(stage.database, GUILD, items=1, question="Why ours?")
    await import_(stage)
    if change is by_undo:
        await by_form(stage)
    await ask(stage)
    before = await stored(stage)
    for _ in range(2):
        with pytest.raises(UserError, match=REFUSED) as refused:
            await change(stage)
        assert ("leave that out of the file" in str(refused.value)) == (change in BY_FILE)
        assert await stored(stage) == before
    if change is not by_undo:
        await import_(stage, words="Other words?")
        assert await stored(stage) != before
        await stage.wait(hours=25)
        await change(stage)


async def taken_out(stage: Stage) -> None:
    number, _ = await form_of(stage)
    await stage.bot.own_bank.retire(GUILD, number)


async def replaced(stage: Stage) -> None:
    number, form = await form_of(stage)
    fewer = replace(form, answer="ours 3", wrong="ours 0")
    assert (await stage.bot.own_bank.edit(GUILD, number, fewer)).replaced


OUT = pytest.mark.parametrize("change", [taken_out, replaced])


async def own_item(stage: Stage) -> Item:
    (item_id,) = await furnish(stage.database, GUILD, items=1)
    return (await stage.bot.context.bank_for(ALWINA, GUILD)).items[item_id]


@OUT
@pytest.mark.parametrize("posted", [False, True])
async def test_a_round_goes_on_with_what_was_drawn(
    stage: Stage, change: Work, posted: bool
) -> None:
    """It is asked, judged and revealed as it was, whether it was taken out or replaced."""
    item = await own_item(stage)
    await stage.start(1, topic_id=TOPIC)
    if posted:
        await stage.run()
    await change(stage)
    await stage.run()
    await stage.answer(ALWINA, after=1)
    await stage.answer(BOB, after=2, right=False)
    await stage.wait(minutes=2)
    (card,) = [edit.card for edit in stage.sender.edits_of("reveal")]
    assert isinstance(card, RevealCard)
    assert (card.item, card.outcome.answered, card.outcome.right) == (item, 2, 1)


@OUT
async def test_a_challenge_goes_on_with_what_was_drawn(stage: Stage, change: Work) -> None:
    """Players who took it before and players who take it later meet the same question."""
    item = await own_item(stage)
    challenge_id = await challenges.start(stage, topic_id=TOPIC, questions=1, hours=1)
    asked = await challenges.take(stage, challenge_id, ALWINA)
    await change(stage)
    await challenges.give(stage, asked)
    await challenges.play(stage, challenge_id, BOB, right=False)
    await stage.wait(hours=2)
    for member, right in ((ALWINA, True), (BOB, False)):
        (shown,) = await stage.bot.challenges.own_answers(challenge_id, member)
        assert (shown.item, shown.right) == (item, right)
    assert {a.user_id: a.correct for a in await stage.answers(CHALLENGE)} == {
        ALWINA: True,
        BOB: False,
    }


@OUT
async def test_a_daily_goes_on_with_what_was_drawn(stage: Stage, change: Work) -> None:
    """Answers before and after are judged by it, and /today shows it."""
    item = await own_item(stage)
    await in_daily(stage)
    await stage.answer_daily(ALWINA)
    await change(stage)
    verdict = await stage.answer_daily(BOB, right=False)
    assert (verdict.answered.item, verdict.answered.right) == (item, False)
    shown = await stage.bot.dailies.copy(verdict.daily.id, GUILD, ALWINA)
    assert isinstance(shown, DailyVerdict)
    assert (shown.answered.item, shown.answered.right) == (item, True)
    await stage.wait(hours=25)
    assert {a.user_id: a.correct for a in await stage.answers(DAILY)} == {ALWINA: True, BOB: False}
