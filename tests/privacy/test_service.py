"""A member's data, as a whole: given out, erased without a trace, with everything right for those who stay."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from bot.answers.store import CHALLENGE, DAILY, PRACTICE, ROUND
from bot.answers.totals import SUMS, rebuild
from bot.app import all_tables
from bot.bank.model import Form
from bot.boards import store as boards
from bot.boards.model import Board
from bot.challenges.model import ChallengeOptions, Person
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.core.jobs import LEASE
from bot.interviews.rules import open_follow_up
from bot.memory import store as memory_store
from bot.memory.rules import USUAL
from bot.milestones.model import Kind, Milestone
from bot.practice.model import Asking
from bot.privacy import work
from bot.rounds.model import RoundOptions
from tests.challenges import play as challenges
from tests.fakes import Crash, DailyCard, Post
from tests.interviews.test_partner import press
from tests.privacy.failing import fail_after
from tests.rows import everything
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage, starter_in

ZOE, NAME = 730_000_000_000_000_123, "Zoë Unfindable"
OTHER_GUILD = 730_000_000_000_000_999
TEAM = 71


def click(stage: Stage, post: Post, answer: str | None = None) -> Click:
    """Zoe answers a card, with her name wherever she can write."""
    card: Any = post.card
    kind = card.item.kind
    picks = () if kind == "typed" else (0,)
    text = (answer or NAME) if kind == "typed" else None
    return Click(
        post.row_id,
        post.message_id,
        GUILD,
        post.channel_id,
        ZOE,
        stage.clock(),
        picks,
        text,
        (TEAM,),
    )


async def live(stage: Stage) -> None:
    """Zoe and others do whatever the bot offers: rounds, dailies, practice, an interview, and so on."""
    bot = stage.bot
    for guild_id in (GUILD, OTHER_GUILD):
        bot.names.set(guild_id, ZOE, NAME)
    await bot.names.flush()
    await bot.teams.add(GUILD, TEAM, "Red", [TEAM])
    round_id = await stage.start(questions=12, starter_id=ZOE)
    number = 0
    while await stage.next_card(round_id):
        number += 1
        await stage.answer(BOB, right=number % 2 == 0, after=3)
        await stage.answer(ALWINA, right=number % 3 == 0, after=4)
        await bot.open_questions.answer(
            click(stage, stage.card(), "attention" if number % 2 else None)
        )
    await stage.set_up(kind="mixed")
    await stage.wait(hours=1)
    for _ in range(3):
        post = stage.card()
        if isinstance(post.card, DailyCard) and post.card.question.item is None:
            await bot.dailies.answer_openly(
                stage.written(ZOE, f"I am {NAME}, and attention weighs tokens.", post=post)
            )
        else:
            await bot.dailies.answer(click(stage, post))
            await stage.answer_daily(BOB, post=post)
        await stage.wait(days=1)
    await stage.database.write(bot.streaks.credit, ZOE, GUILD, stage.clock())
    await challenge(stage)
    await practise(stage)
    step: Any = await bot.interviews.start(ZOE, GUILD)
    await bot.interviews.answer(step.question_id, ZOE, f"My name is {NAME}.")
    graded: Any = await bot.interviews.count(step.question_id, ZOE, GUILD, {0})
    await bot.interviews.answer_follow_up(
        step.question_id, ZOE, open_follow_up(graded) or 0, f"{NAME} again."
    )
    await bot.reminders.set(ZOE, GUILD, "09:00", "Asia/Tokyo")
    await bot.plans.set(ZOE, GUILD, "in 2 days", "60", away="tomorrow")
    await bot.reports.add("t1-a", OTHER_GUILD, ZOE, f"{NAME} finds this odd.")
    await bot.suggestions.suggest(
        GUILD, ZOE, Form(f"Who is {NAME}?", NAME, "Bo", f"I am {NAME}.", NAME)
    )
    await bot.profiles.show(ZOE, True)
    await bot.milestones.add(GUILD, Milestone(Kind.STREAK, "7", TEAM))
    await stage.database.write(bot.milestones.streak_reached, ZOE, [GUILD], 7)
    await stage.database.write(memory_store.save_fit, ZOE, USUAL, 1, stage.clock())
    await interview_each_other(stage)


async def challenge(stage: Stage) -> None:
    """Zoe challenges everyone, and takes it with others; later Bob challenges her, and she begins that one too."""
    zoe = replace(starter_in(user_id=ZOE), name=NAME)
    for starter, member in ((zoe, None), (starter_in(user_id=BOB), Person(ZOE, NAME))):
        options = ChallengeOptions(6, hours=1)
        started = await stage.bot.challenges.start(starter, options, member)
        await stage.run()
        for user_id in (ZOE, BOB):
            asked = await challenges.take(stage, started.id, user_id)
            said = NAME if user_id == ZOE else "something else"
            text = said if asked.item.kind == "typed" else None
            given = Click(
                asked.question_id,
                1,
                GUILD,
                CHANNEL,
                user_id,
                stage.clock(),
                () if text else (0,),
                text,
            )
            await stage.bot.challenge_players.answer(given)
        if member is None:
            await stage.wait(hours=2)


async def interview_each_other(stage: Stage) -> None:
    """Zoe and Bob interview each other twice; then she looks for a partner once more."""
    partners = stage.bot.partners
    for number, (first, second) in enumerate(((ZOE, BOB), (BOB, ZOE)), start=1):
        await partners.look(first, GUILD, CHANNEL, None, unheard)
        await partners.join(number, second, GUILD)
        await stage.run()
        for question, (asker, other) in enumerate(((first, second), (second, first)), start=1):
            await press(stage, "show_ticks", question, asker, key=number)
            await stage.run()
            await press(stage, "confirm", question, other, "", key=number)
            await stage.run()
        await partners.end(number, ZOE)
        await stage.run()
    await partners.look(ZOE, GUILD, CHANNEL, None, unheard)


async def unheard(_: str) -> None:
    raise AssertionError("the card could not be posted")


async def practise(stage: Stage) -> None:
    """A few questions."""
    asking = await stage.bot.practices.start(ZOE, None, stage.clock())
    for _ in range(5):
        if not isinstance(asking, Asking):
            break
        text = NAME if asking.item.kind == "typed" else None
        picks = () if text else (0,)
        await stage.bot.practices.answer(
            Click(asking.question.id, 1, None, None, ZOE, stage.clock(), picks, text)
        )
        asking = await stage.bot.practices.go_on(
            asking.question.practice_id, ZOE, None, stage.clock()
        )


async def traces(stage: Stage) -> list[str]:
    """Return all columns of the database that contain Zoe's id or name."""

    def look(conn: Connection) -> list[str]:
        return [
            f"{table.name}.{column.name}: {value}"
            for table in all_tables()
            for row in conn.execute(select(table))
            for column, value in zip(table.columns, row, strict=True)
            if any(word in str(value) for word in (str(ZOE), NAME, "Unfindable"))
        ]

    return await stage.database.read(look)


async def exported(stage: Stage) -> dict[str, Any]:
    (file,) = (await stage.bot.privacy.export(ZOE)).files()
    found: dict[str, Any] = json.loads(file)
    return {name: rows for name, rows in found.items() if isinstance(rows, list)}


async def sums(stage: Stage) -> Sequence[Any]:
    def look(conn: Connection) -> list[Any]:
        return [sorted(map(tuple, conn.execute(select(table)))) for table in SUMS]

    return await stage.database.read(look)


async def test_all_is_given_out_and_then_nothing_is_left(stage: Stage) -> None:
    """Each kind of data has entries, by item, with answers in words. Once erased, no column has her id or name."""
    await live(stage)
    found = await exported(stage)
    assert [name for name, rows in found.items() if not rows] == []
    assert [n["name"] for n in found["member_names"]] == [NAME, NAME]
    assert {n["server_id"] for n in found["member_names"]} == {str(GUILD), str(OTHER_GUILD)}
    played = [answer for answer in found["answers"] if answer["source"] == ROUND]
    assert {answer["source"] for answer in found["answers"]} == {ROUND, CHALLENGE, DAILY, PRACTICE}
    assert {answer["item_id"] for answer in played} == set(stage.bank.items)
    typed = [a for a in played if stage.bank.items[a["item_id"]].kind == "typed"]
    assert {a["answer"] for a in typed} <= {NAME, "attention"}
    texts = {choice.text for item in stage.bank.items.values() for choice in item.choices}
    assert all(set(a["answer"]) <= texts for a in played if a not in typed)
    assert NAME in found["interview_questions"][0]["answer"]
    assert found["interview_questions"][0]["grade"]["points"]
    assert NAME in found["interview_questions"][0]["follow_up"]["answer"]
    assert found["members"] == [{"shows_profile": True, "zone": "Asia/Tokyo"}]
    assert found["cards"][0].keys() >= {"item_id", "state", "due_at"}
    assert found["practice_questions"][0].keys() >= {"item_id", "expected"}
    (plan,) = found["plans"]
    tomorrow = (date.fromisoformat(plan["day"]) - timedelta(days=1)).isoformat()
    assert (plan["week"], plan["away"]) == ([60] * 7, [[tomorrow, tomorrow]])
    assert "Bob" not in json.dumps(found)
    assert len({trace.partition(".")[0] for trace in await traces(stage)}) > 12
    assert await stage.bot.privacy.erase(ZOE)
    assert await traces(stage) == []
    assert [name for name, rows in (await exported(stage)).items() if rows] == []
    assert (await stage.bot.privacy.export(ZOE)).entries == 0
    assert await stage.bot.privacy.erase(ZOE)  # once more finds nothing


async def test_one_export_at_a_time(stage: Stage) -> None:
    """A second one while the first is made is refused; a member can have it again later."""
    first, second = await asyncio.gather(
        *(stage.bot.privacy.export(ZOE) for _ in range(2)), return_exceptions=True
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, UserError)
    assert [*(await stage.bot.privacy.export(ZOE)).files()] == [*first.files()]


async def test_others_keep_what_is_theirs(stage: Stage) -> None:
    """Boards close the gap as a repair would; old results count her answers as nobody's; no row of others changes."""
    await live(stage)
    rows, given = await stage.database.read(everything), await stage.answers()
    typed = {item.id for item in stage.bank.items.values() if item.kind == "typed"}
    for source in (ROUND, CHALLENGE, DAILY, PRACTICE):
        for each in await stage.answers(source):
            assert each.typed == (each.item_id in typed), source
    assert ZOE in {row.user_id for row in (await board(stage)).rows}
    await stage.bot.privacy.erase(ZOE)
    check_others(rows, await stage.database.read(everything))
    after = await board(stage)
    assert [(row.place, row.user_id) for row in after.rows] == [(1, BOB), (2, ALWINA)]
    assert after.size == 2
    assert after.own is not None
    assert after.own.place == 1
    kept = await sums(stage)
    await stage.database.write(rebuild)
    assert await sums(stage) == kept
    left = await stage.answers()
    assert sorted((a.question_id, a.correct) for a in left) == sorted(
        (a.question_id, a.correct) for a in given
    )
    nobodys = [a for a in left if a.user_id < 0]
    assert len(nobodys) == len(stage.bank.items)
    assert len({a.user_id for a in nobodys}) == len(nobodys)
    assert sum(not a.answer for a in nobodys) == len(typed)
    dailies = [a for a in await stage.answers(DAILY) if a.user_id < 0]
    assert len(dailies) == 3
    for a in (*nobodys, *dailies):
        assert (a.team_id, a.paid, a.rating, a.streak) == (None, None, None, None)
    assert (await stage.round(1)).starter_id == 0
    partners = (await stage.database.read(everything))["partner_interviews"]
    assert [(row[4], row[5]) for row in partners] == [(0, BOB), (BOB, 0), (0, None)]


async def board(stage: Stage) -> Board:
    """The members of all time as Bob sees them."""
    day = stage.clock().date()
    return await stage.database.read(
        boards.board, GUILD, "all", day, user_id=BOB, topic_id=None, page=0
    )


def check_others(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Rows that are not hers are as they were, but for sums with hers, what she started, and parts of her things."""
    for name in before.keys() - {
        "erased_answers",
        "rounds",
        "challenges",
        "practice_questions",
        "interview_questions",
        "partner_interviews",
    }:
        left = [row for row in after[name] if not any(isinstance(v, int) and v < 0 for v in row)]
        assert left == [row for row in before[name] if ZOE not in row], name


class Reply:
    """A fake of the interaction that updates a member's reply."""

    async def show(self, _: object) -> None:
        raise AssertionError("nobody is told")


async def test_no_reply_is_kept_in_memory(stage: Stage) -> None:
    """Not of what she started and is not posted yet, nor of her answer to a question that is open."""
    replies = [Reply() for _ in range(3)]
    kept = [weakref.ref(reply) for reply in replies]
    tell_of_round, tell_of_challenge, result = (reply.show for reply in replies)
    starter = replace(starter_in(user_id=ZOE), name=NAME)
    await stage.bot.rounds.start(starter, RoundOptions(1), tell_of_round)
    await stage.bot.challenges.start(starter, ChallengeOptions(1), notify=tell_of_challenge)
    stage.bot.private_results.add(1, ZOE, result)
    del replies, tell_of_round, tell_of_challenge, result
    gc.collect()
    assert all(reply() for reply in kept)
    await stage.bot.privacy.erase(ZOE)
    gc.collect()
    assert not any(reply() for reply in kept)


async def test_who_plays_on_meanwhile(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that come between two portions are erased like all others, and none of them fails."""
    await live(stage)
    daily = stage.card()
    monkeypatch.setattr(work, "PORTION", 7)
    write = stage.database.write
    portions = 0

    async def and_play(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal portions
        done = await write(work, *args, **kwargs)
        if getattr(work, "__name__", "") == "_erase_portion":
            portions += 1
            if portions in {2, 5, 8, 11}:
                stage.bot.names.set(GUILD, ZOE, f"{NAME} {portions}")
                await practise(stage)
                if isinstance(daily.card, DailyCard) and daily.card.question.item is None:
                    await _again(
                        stage.bot.dailies.answer_openly(
                            stage.written(ZOE, f"{NAME} again", post=daily)
                        )
                    )
                else:
                    await _again(stage.bot.dailies.answer(click(stage, daily)))
        return done

    monkeypatch.setattr(stage.database, "write", and_play)
    assert await stage.bot.privacy.erase(ZOE)
    assert portions > 11
    assert await traces(stage) == []
    kept = await sums(stage)
    await write(rebuild)
    assert await sums(stage) == kept
    stage.bot.names.set(GUILD, ZOE, NAME)  # a member who comes back is new again
    await stage.bot.names.flush()
    assert [trace for trace in await traces(stage) if NAME in trace] == [
        f"member_names.name: {NAME}"
    ]


async def _again(answering: Awaitable[Any]) -> None:
    """An answer, or that there is one already, or was one."""
    try:
        await answering
    except UserError as error:
        if "already" not in str(error) and "before you deleted your data" not in str(error):
            raise


async def test_crashes_in_between(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time the next process goes on by itself, at once if it is the only one."""
    await practise(stage)
    monkeypatch.setattr(work, "PORTION", 1)
    before = len(await traces(stage))
    for portions, crashing in ((4, lambda: stage.bot.privacy.erase(ZOE)), (6, stage.run)):
        with monkeypatch.context() as patch:
            fail_after(stage, patch, portions, Crash())
            with pytest.raises(Crash):
                await crashing()
        left = len(await traces(stage))
        assert 0 < left < before
        before = left
        await stage.restart(seconds=1)
    await stage.run()
    assert await traces(stage) == []


async def test_a_database_that_fails_in_between(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure that has begun continues once its lease ends, without the member."""
    await practise(stage)
    monkeypatch.setattr(work, "PORTION", 2)
    with monkeypatch.context() as patch:
        fail_after(stage, patch, 3, OperationalError("write", None, OSError("disk full")))
        assert not await stage.bot.privacy.erase(ZOE)
    assert await traces(stage) != []
    await stage.wait(seconds=LEASE.total_seconds() + 1)
    assert await traces(stage) == []


async def test_what_was_erased_leaves_the_log_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once nothing is left in the tables, and not before, the database's log is cut off."""
    await practise(stage)
    left: list[list[str]] = []

    async def look() -> None:
        left.append(sorted(await traces(stage)))

    monkeypatch.setattr(stage.database, "overwrite_erased", look)
    assert await stage.bot.privacy.erase(ZOE)
    assert left == [[]]


async def test_no_file_tells_a_verdict_before_the_reveal(stage: Stage) -> None:
    """While a hosted round or a challenge is open, files of two who answered differ in nothing but the answer."""
    await stage.start(questions=1, starter_id=BOB, topic_id="t1", hosted=True, seconds=None)
    await stage.run()
    challenge_id = await challenges.start(stage, BOB, questions=1, topic_id="t2")
    (question, *_) = stage.sender.of_kind("question")
    for user_id, right in ((ALWINA, True), (CLEMENTINE, False)):
        await stage.bot.open_questions.answer(
            stage.click(user_id, right=right, post=question, after=60)
        )
        asked = await challenges.take(stage, challenge_id, user_id)
        await challenges.give(stage, asked, right=right)
    one, other = [await told_of(stage, user_id) for user_id in (ALWINA, CLEMENTINE)]
    assert one == other
    assert [row["source"] for row in one["answers"]] == [CHALLENGE, ROUND]
    assert {row["correct"] for row in one["answers"]} == {None}
    await stage.bot.rounds.show_answer(question.row_id, question.message_id, BOB, may_manage=False)
    await stage.wait(days=2)
    one, other = [await told_of(stage, user_id) for user_id in (ALWINA, CLEMENTINE)]
    assert [row["correct"] for row in one["answers"]] == [True, True]
    assert [row["correct"] for row in other["answers"]] == [False, False]


async def told_of(stage: Stage, user_id: int) -> dict[str, Any]:
    """Return a member's file without their name, their answers and the times."""
    (file,) = (await stage.bot.privacy.export(user_id)).files()
    sections = {name: rows for name, rows in json.loads(file).items() if isinstance(rows, list)}
    own = {
        "name",
        "answer",
        "elapsed_ms",
        "answered_at",
        "shown_at",
        "deadline_at",
        "began_at",
        "finished_at",
    }
    return {
        name: [{key: value for key, value in row.items() if key not in own} for row in rows]
        for name, rows in sections.items()
    }
