"""The topic of the week: what rounds, challenges and dailies ask first, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select

from bot.challenges.model import ChallengeOptions
from bot.challenges.store import questions_of
from bot.core.database import Database
from bot.core.errors import UserError
from bot.daily.model import Daily
from bot.questions.model import Bank, Section
from bot.questions.week import topic_of_week
from bot.rounds.model import NewRound, RoundOptions
from bot.rounds.store import round_questions
from tests.banks import small_bank
from tests.stage import GUILD, Stage, starter_in

WIDE = small_bank(12)
SIZE = 3
"""The questions of a round. Each topic has one more."""


@pytest.fixture
async def stage(database: Database) -> Stage:
    return Stage(database, WIDE)


def questions_in_round(conn: Connection, round_id: int) -> list[str]:
    c = round_questions.c
    return list(conn.scalars(select(c.item_id).where(c.round_id == round_id)))


async def choose(stage: Stage, topic_id: str | None = "t5") -> None:
    await stage.bot.settings.set_topic_of_week(GUILD, topic_id)


async def start(stage: Stage, **options: object) -> tuple[NewRound, set[str]]:
    """Play a round to its end alone; return it, and the topics of its questions."""
    made = await stage.bot.rounds.start(starter_in(), RoundOptions(SIZE, **options))  # type: ignore[arg-type]
    for _ in range(SIZE):
        await stage.next_card(made.id)
    await stage.wait(minutes=9)
    asked = await stage.database.read(questions_in_round, made.id)
    return made, {WIDE.asked[item_id].topic_id for item_id in asked}


async def daily(stage: Stage, days: int = 1) -> Daily:
    await stage.wait(days=days)
    return (await stage.days())[-1]


async def test_a_round_takes_it_first_and_once(stage: Stage) -> None:
    """The rounds after the choice have its questions, of any level, and say so, until all were
    asked. The same choice, as of another manager, repeats none; another one begins again, and a
    round with a topic of its own has that."""
    assert not (await start(stage))[0].of_week
    await choose(stage)
    made, topics = await start(stage)
    assert made.of_week
    assert made.topic == WIDE.topics["t5"]
    assert topics == {"t5"}
    made, topics = await start(stage)
    assert made.of_week
    assert "t5" in topics
    assert len(topics) == SIZE
    made, topics = await start(stage)
    assert not made.of_week
    assert made.topic is None
    assert "t5" not in topics
    await stage.wait(days=1)
    until = (await stage.bot.settings.read(GUILD)).server.week_topic_until
    await choose(stage)
    assert (await stage.bot.settings.read(GUILD)).server.week_topic_until == until
    assert "t5" not in (await start(stage))[1]
    await choose(stage, None)
    await choose(stage)
    made, topics = await start(stage, topic_id="t2")
    assert (made.of_week, topics) == (False, {"t2"})
    assert (await start(stage))[1] == {"t5"}


async def test_how_long_it_holds(stage: Stage) -> None:
    """Seven days by the server's clock, the day of the choice included; then it ends by itself."""
    await stage.bot.settings.set_zone(GUILD, "Asia/Tokyo")
    await choose(stage)

    def topic(conn: Connection) -> object:
        return topic_of_week(conn, WIDE, GUILD, stage.clock())

    while await stage.database.read(topic):
        last = stage.clock()
        await stage.wait(hours=1)
    until = (await stage.bot.settings.read(GUILD)).server.week_topic_until
    assert until == (last + timedelta(hours=9)).date()
    assert not (await start(stage))[0].of_week


async def test_a_clock_that_is_set_back(stage: Stage) -> None:
    """It holds from its choice on, also where the date of that is still to come by a new zone."""
    await stage.bot.settings.set_zone(GUILD, "Pacific/Kiritimati")
    await stage.until(stage.clock().replace(hour=12))
    await choose(stage)
    found = await stage.bot.settings.set_zone(GUILD, "UTC")
    assert found.week == WIDE.topics["t5"]


async def test_a_challenge_follows_it(stage: Stage) -> None:
    """A challenge without a topic has its questions."""
    await choose(stage)
    made = await stage.bot.challenges.start(starter_in(), ChallengeOptions(SIZE))
    asked = await stage.database.read(questions_of, made.id)
    assert {WIDE.asked[question.item_id].topic_id for question in asked} == {"t5"}


async def test_dailies_follow_it(stage: Stage) -> None:
    """They take its questions that no round asked since, as long as they last and once a server is
    past its easy start; one for another area doesn't, and an open question on it comes once."""
    await stage.set_up(at="13:00")
    await stage.wait(days=12)
    await choose(stage)
    await start(stage)
    drawn = [await daily(stage) for _ in range(2)]
    assert [(one.item_id, one.of_week) for one in drawn] == [
        ("t5-c", True),
        (drawn[1].item_id, False),
    ]
    await choose(stage)
    await stage.set_up(at="13:00", asks="section:second")
    assert not (await daily(stage)).of_week
    await stage.set_up(at="13:00", asks="all", kind="open")
    opened = [await daily(stage) for _ in range(2)]
    assert [(one.topic_id == "t5", one.of_week) for one in opened] == [(True, True), (False, False)]


async def test_a_topic_that_has_gone(stage: Stage) -> None:
    """Without its questions there is no topic of the week, and none can be chosen."""
    await choose(stage)
    packs = stage.bot.context.banks.packs
    fewer = tuple(
        Section(s.id, s.title, tuple(replace(t, items=()) if t.id == "t5" else t for t in s.topics))
        for s in packs.sections
    )
    stage.bot.context.banks.packs = Bank("Fewer", fewer)
    assert (await stage.bot.settings.read(GUILD)).week is None
    assert not (await start(stage))[0].of_week
    with pytest.raises(UserError, match="no questions here now"):
        await choose(stage)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("topic 5", ["t5"]),
        ("Topic  1", ["t1"]),
        ("1", ["t1", "t11", "t10", "t12"]),
        ("tpic 7", ["t7"]),
        ("zzz", []),
    ],
)
async def test_naming_a_topic(stage: Stage, typed: str, found: list[str]) -> None:
    """A whole title is that topic; words are all topics with them; a slip finds the nearest titles."""
    topics, named = await stage.bot.settings.find_topics(GUILD, typed)
    assert [topic.id for topic in topics][: len(found)] == found
    assert bool(topics) == bool(found)
    assert named == (typed.lower().startswith("topic"))


async def test_none(stage: Stage) -> None:
    """It can be taken back at once."""
    await choose(stage)
    await choose(stage, None)
    assert (await stage.bot.settings.read(GUILD)).week is None
    assert not (await start(stage))[0].of_week
