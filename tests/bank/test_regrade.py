"""A corrected key: verdicts, points, totals and cards as if it had been right from the start."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection, select

from bot.answers import store as answer_log
from bot.answers import totals
from bot.answers.model import Answer
from bot.answers.rules import rate, slow_in_game, slow_in_practice
from bot.answers.store import CHALLENGE, PRACTICE, ROUND
from bot.bank import forms, service
from bot.bank.model import Form, QuestionPage
from bot.bank.service import OwnBank
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.core.tables import fetch_all
from bot.memory import rules as memory
from bot.memory.model import MemoryCard
from bot.memory.store import cards_of
from bot.practice.model import Asking
from bot.questions import store as own_store
from bot.questions.answers import is_right
from bot.questions.model import Item
from bot.questions.own import OwnItem
from tests.challenges import play as challenges
from tests.ours import furnish, own_questions
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage


async def own_question(stage: Stage) -> tuple[str, str]:
    """Give the server a question of its own; return the ids of the item and its topic."""
    (item_id,) = await furnish(stage.database, GUILD, items=1)
    bank = await stage.bot.context.bank_for(ALWINA, GUILD)
    return item_id, bank.items[item_id].topic_id


async def practise(stage: Stage, user_id: int, topic: str) -> datetime:
    """Pick the second choice in practice, and return when that was."""
    screen = await stage.bot.practices.start(user_id, GUILD, stage.clock(), topic)
    assert isinstance(screen, Asking)
    stage.clock.turn(seconds=4)
    at = stage.clock()
    pick = (screen.order.index(1),)
    await stage.bot.practices.answer(Click(screen.question.id, 1, GUILD, 7, user_id, at, pick))
    return at


async def finish(stage: Stage, round_id: int) -> int:
    """Wait until a round has ended, and return its id."""
    while (await stage.round(round_id)).phase != "ended":
        await stage.wait(seconds=30)
    return round_id


async def form_of(stage: Stage) -> tuple[int, Form]:
    """Return the number of a server's question, and its form as it opens."""
    (own,) = await own_questions(stage.bot.own_bank, GUILD)
    return own.row.number, forms.form_of(json.loads(own.row.content))


def moved_key(form: Form) -> Form:
    """Make the first wrong choice the right one, instead of the one that is."""
    right, *wrong = form.wrong.splitlines()
    return replace(form, answer=right, wrong="\n".join([form.answer, *wrong]))


async def save(stage: Stage, form: Form, number: int) -> QuestionPage:
    return await stage.bot.own_bank.edit(GUILD, number, form)


async def play(stage: Stage, picks: dict[int, int], *, topic: str, seconds: int = 20) -> int:
    """Play a round of one question. `picks` are choices by their numbers in the bank."""
    round_id = await stage.start(1, topic_id=topic, seconds=seconds)
    await stage.run()
    card: Any = stage.card().card
    for n, (user_id, pick) in enumerate(picks.items()):
        click = stage.click(user_id, after=1.0 + 9 * n)
        await stage.bot.open_questions.answer(replace(click, picks=(card.order.index(pick),)))
    return await finish(stage, round_id)


async def check_cards(stage: Stage, item: Item, users: tuple[int, ...]) -> None:
    """Check that each card is a replay of the log, whose verdicts and ratings follow the key."""
    log = await stage.database.read(answer_log.with_own_item, item.id, users)
    for user_id in users:
        card: MemoryCard | None = None
        for a in (a for a in log if a.user_id == user_id):
            assert a.correct is is_right(item, a.answer or "")
            if a.source == ROUND:
                assert a.rating == rate(a.correct, a.elapsed_ms, slow_in_game(20))
            if a.source == PRACTICE:
                assert a.rating == rate(a.correct, a.elapsed_ms, slow_in_practice(item))
            card = memory.review(card, Rating(a.rating or 0), a.answered_at)
        assert (await stage.database.read(cards_of, user_id)).get(item.id) == card


async def test_all_follows_the_key(stage: Stage) -> None:
    """Rounds, a daily and practice: points, totals and cards are what a replay of the log gives."""
    mine, topic = await own_question(stage)
    await play(stage, {ALWINA: 0, BOB: 1}, topic=topic)
    stage.clock.turn(days=3)
    await play(stage, {BOB: 1, ALWINA: 1, CLEMENTINE: 2}, topic=topic)
    stage.clock.turn(days=3)
    await play(stage, {CLEMENTINE: 1}, topic=topic)
    await stage.set_up(asks=topic)
    await stage.wait(hours=20)
    daily: Any = stage.card()
    await stage.bot.dailies.answer(
        replace(stage.click(BOB, post=daily), picks=(daily.card.order.index(1),))
    )
    await stage.bot.schedules.pause(GUILD, 1)
    await stage.wait(hours=30)
    await practise(stage, CLEMENTINE, topic)
    await stage.check_points()

    number, form = await form_of(stage)
    done = await save(stage, moved_key(form), number)
    assert (done.replaced, done.own.row.item_id) == (False, mine)
    before = done.otherwise
    assert before == 7
    await stage.check_points()  # nothing has followed yet
    corrected = await stage.bot.own_bank.correct(GUILD, number)
    assert (corrected.answers, corrected.members) == (before, 3)
    await stage.check_points()
    await check_cards(stage, done.own.item, (ALWINA, BOB, CLEMENTINE))
    again = await stage.bot.own_bank.correct(GUILD, number)
    assert (again.answers, again.members, again.right) == (0, 0, 0)

    _, form = await form_of(stage)
    assert (await save(stage, moved_key(form), number)).otherwise == before
    await stage.bot.own_bank.correct(GUILD, number)
    await stage.check_points()


async def test_not_while_a_round_asks_it(stage: Stage) -> None:
    """Past answers are judged only after the round, because its own follow the old key."""
    _, topic = await own_question(stage)
    await stage.start(1, topic_id=topic)
    await stage.run()
    number, _ = await form_of(stage)
    with pytest.raises(UserError, match="once it's over"):
        await stage.bot.own_bank.correct(GUILD, number)


class WritesOnce:
    """Replaces a database's `write`: after one transaction the process dies."""

    def __init__(self, write: Any) -> None:
        self.write = write
        self.done = False

    async def __call__(self, *args: Any) -> Any:
        if self.done:
            raise Killed
        self.done = True
        return await self.write(*args)


async def correct_all(stage: Stage, number: int) -> int:
    """Correct past answers in processes that die; return how many did.

    Each dies after a transaction, or in the middle of one.
    """
    died = 0
    while (await stage.bot.own_bank.page(GUILD, number)).otherwise:
        for place, name, fake in (
            (answer_log, "change", Dying(answer_log.change, after=1)),
            (stage.database, "write", WritesOnce(stage.database.write)),
        ):
            with pytest.MonkeyPatch.context() as patch, suppress(Killed):
                patch.setattr(place, name, fake)
                await stage.bot.own_bank.correct(GUILD, number)
                return died
            died += 1
    return died


class Killed(Exception):
    """The process dies here."""


class Dying:
    """Calls a function some times, then dies."""

    def __init__(self, function: Any, after: int) -> None:
        self.function = function
        self.left = after

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.left:
            raise Killed
        self.left -= 1
        return self.function(*args, **kwargs)


async def test_a_process_that_dies_again_and_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few answers are corrected in a transaction; the rest follows when it is done again, and then all
    is as if no process had died."""
    monkeypatch.setattr(service, "_PORTION", 2)
    _, topic = await own_question(stage)
    users = (ALWINA, BOB, CLEMENTINE)
    for picks in ({ALWINA: 0, BOB: 1}, {BOB: 1, ALWINA: 1}, {ALWINA: 1, BOB: 0, CLEMENTINE: 2}):
        await play(stage, picks, topic=topic)
        stage.clock.turn(days=3)
    for user_id in users:
        await practise(stage, user_id, topic)
    number, form = await form_of(stage)
    done = await save(stage, moved_key(form), number)
    assert done.otherwise == 9
    assert await correct_all(stage, number) > 3
    await stage.check_points()
    await check_cards(stage, done.own.item, users)
    won = await stage.board_points()
    log = await stage.answers()
    # the points that a correction in one go leaves
    for _ in range(2):
        _, form = await form_of(stage)
        await save(stage, moved_key(form), number)
        monkeypatch.setattr(service, "_PORTION", 200)
        await stage.bot.own_bank.correct(GUILD, number)
    assert await stage.board_points() == won
    assert await stage.answers() == log


async def test_pay_follows_wherever_the_process_dies(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that stays right pays nothing once an earlier one turns right, even if only one of
    them is corrected before the process dies."""
    monkeypatch.setattr(service, "_PORTION", 1)
    form = Form("What?", "attention", "", "So.", topic="Ours")
    row = (await stage.bot.own_bank.add(GUILD, form)).own.row
    for right in (False, True):
        round_id = await stage.start(1, topic_id=row.topic_id)
        await stage.run()
        for user_id in (ALWINA, BOB):
            await stage.answer(user_id, right=right, after=1)
        await finish(stage, round_id)
        stage.clock.turn(days=3)
    content = {**json.loads(row.content), "accept": ["attention", "certainly not this"]}
    await stage.database.write(own_store.save_items, [replace(row, content=json.dumps(content))])
    await stage.database.write(own_store.change_bank, GUILD)
    assert (await stage.bot.own_bank.page(GUILD, row.number)).otherwise == 2
    assert await correct_all(stage, row.number) > 2
    await stage.check_points()


async def test_an_answer_that_changes_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is stored between the read and the write of a correction counts too."""
    _, topic = await own_question(stage)
    await play(stage, {ALWINA: 0, BOB: 1}, topic=topic)
    number, form = await form_of(stage)
    done = await save(stage, moved_key(form), number)
    store = OwnBank._store_corrections
    met: list[bool] = []

    def play_first(bank: OwnBank, conn: Connection, *args: Any) -> Any:
        if not met:
            met.append(True)
            (a,) = [
                a for a in fetch_all(conn, select(answer_log.answers), Answer) if a.user_id == BOB
            ]
            answer_log.change(conn, a.source, a.question_id, BOB, elapsed_ms=1, paid=5)
            totals.correct(conn, a, 5)
        return store(bank, conn, *args)

    monkeypatch.setattr(OwnBank, "_store_corrections", play_first)
    assert (await stage.bot.own_bank.correct(GUILD, number)).answers == 2
    await stage.check_points()
    assert all(a.correct is is_right(done.own.item, a.answer or "") for a in await stage.answers())


async def test_a_question_that_changes_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is judged by a key that has been replaced."""
    _, topic = await own_question(stage)
    await play(stage, {ALWINA: 0, BOB: 1}, topic=topic)
    number, form = await form_of(stage)
    await save(stage, moved_key(form), number)
    before = await stage.answers()
    store = OwnBank._store_corrections

    def edit_first(bank: OwnBank, conn: Connection, row: OwnItem, *args: Any) -> Any:
        own_store.save_items(conn, [replace(row, content=row.content.replace("Ours", "Yours"))])
        return store(bank, conn, row, *args)

    monkeypatch.setattr(OwnBank, "_store_corrections", edit_first)
    with pytest.raises(UserError, match="has just changed that"):
        await stage.bot.own_bank.correct(GUILD, number)
    assert await stage.answers() == before


async def test_erased_words_keep_their_verdict(stage: Stage) -> None:
    """An erased text can't be judged by another key, so it stays right or wrong."""
    added = (
        await stage.bot.own_bank.add(GUILD, Form("What?", "attention", "", "So.", topic="Ours"))
    ).own
    topic = added.row.topic_id
    round_id = await stage.start(1, topic_id=topic)
    await stage.run()
    await stage.answer(ALWINA, after=1)
    await stage.answer(BOB, right=False, after=2)
    await finish(stage, round_id)
    challenge_id = await challenges.start(stage, topic_id=topic, questions=1, hours=1)
    await challenges.play(stage, challenge_id, ALWINA)
    await stage.wait(hours=2)
    await stage.set_up(asks=topic)
    await stage.wait(hours=23)
    await stage.answer_daily(ALWINA)
    await stage.bot.schedules.pause(GUILD, 1)
    await stage.wait(hours=30)
    await stage.bot.privacy.erase(ALWINA)
    form = Form("What?", "focus", "", "So.")
    assert (await save(stage, form, added.row.number)).otherwise == 0
    assert (await stage.bot.own_bank.correct(GUILD, added.row.number)).answers == 0
    assert {a.user_id == BOB: a.correct for a in await stage.answers()} == {
        True: False,
        False: True,
    }


async def test_a_question_from_a_form(stage: Stage) -> None:
    """It is asked at once, in an existing topic or a new one, under an unused id."""
    bank = stage.bot.own_bank
    form = Form("Which?", "This", "That", "So.", topic="Habits")
    rows: list[OwnItem] = [(await bank.add(GUILD, form)).own.row for _ in range(2)]
    assert [row.name for row in rows] == ["which", "which-2"]
    assert rows[0].topic_id == rows[1].topic_id
    again = await bank.add(GUILD, replace(form, topic="Habits!"))
    assert (again.own.row.topic_id, again.own.topic) == (rows[0].topic_id, "Habits")
    shipped = await bank.add(GUILD, replace(form, topic="topic 2"))
    assert shipped.own.row.topic_id == "t2"
    asked = (await stage.bot.context.bank_for(ALWINA, GUILD)).asked
    assert {rows[0].item_id, rows[1].item_id, shipped.own.row.item_id} <= set(asked)


async def test_two_with_the_same_words_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If two processes check forms before either stores one, the second is refused."""
    save = OwnBank._save
    both_read = asyncio.Barrier(2)

    async def save_together(*args: Any, **more: Any) -> Any:
        await both_read.wait()
        return await save(*args, **more)

    form = Form("Which?", "This", "That", "So.", topic="Habits")
    banks = (stage.bot.own_bank, stage.process().own_bank)
    with monkeypatch.context() as patch:
        patch.setattr(OwnBank, "_save", save_together)
        adding = (bank.add(GUILD, form) for bank in banks)
        done = await asyncio.gather(*adding, return_exceptions=True)
    (kept,) = [result for result in done if isinstance(result, QuestionPage)]
    (refused,) = [result for result in done if isinstance(result, UserError)]
    assert "just now" in str(refused)
    assert [own.row for own in await own_questions(banks[0], GUILD)] == [kept.own.row]


async def test_a_challenge_follows_the_key(stage: Stage) -> None:
    """Answers in a closed challenge are judged by the new key; an open challenge must close first."""
    _, topic = await own_question(stage)
    challenge_id = await challenges.start(stage, topic_id=topic, questions=1, hours=1)
    for user_id, pick in ((ALWINA, 0), (BOB, 1), (CLEMENTINE, 1)):
        asked = await challenges.take(stage, challenge_id, user_id)
        await challenges.give(stage, asked, picks=(asked.order.index(pick),))
    number, form = await form_of(stage)
    with pytest.raises(UserError, match="A round or a challenge"):
        await stage.bot.own_bank.correct(GUILD, number)
    await stage.wait(hours=2)
    assert (await save(stage, moved_key(form), number)).otherwise == 3
    assert {user for user, won in (await stage.check_points()).items() if won} == {ALWINA}
    corrected = await stage.bot.own_bank.correct(GUILD, number)
    assert (corrected.answers, corrected.members, corrected.right) == (3, 3, 2)
    assert {user for user, won in (await stage.check_points()).items() if won} == {BOB, CLEMENTINE}
    right = rate(True, 2000, slow_in_game(20))
    wanted = {ALWINA: Rating.Again, BOB: right, CLEMENTINE: right}
    assert {a.user_id: a.rating for a in await stage.answers(CHALLENGE)} == wanted
