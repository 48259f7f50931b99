"""Items in play are found in one place, whichever feature asks them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers.store import DAILY, ROUND
from bot.app import IN_PLAY
from bot.core.database import Database
from bot.daily import store as daily
from bot.daily.model import Schedule
from bot.games.model import Starter
from bot.members import store as members
from bot.rounds import store as rounds
from bot.rounds.model import RoundOptions
from tests.answers.entries import counted, store_counted

AT = datetime(2027, 1, 4, 12, 0, 0, 456_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = date(2027, 1, 4)
ALWINA, BOB = 101, 102


def schedule(guild_id: int) -> Schedule:
    return Schedule(guild_id, 10, "09:00", "UTC", AT, id=guild_id)


def start(conn: Connection, guild_id: int, *items: str) -> int:
    """A round that asks these items."""
    round_id = rounds.create(
        conn,
        Starter(guild_id=guild_id, channel_id=guild_id, user_id=1),
        RoundOptions(seconds=20),
        [(item, "0123", 20) for item in items],
        now=AT,
        first_at=AT,
    )
    assert round_id is not None
    return round_id


def play(conn: Connection, source: str, source_id: int, user_id: int, guild_id: int) -> None:
    """Let a member have answered a question that is revealed to them."""
    answer = counted(guild_id, user_id, 0, DAY, source=source)
    store_counted(conn, [replace(answer, question_id=source_id)])


async def opened(
    database: Database,
    topic_id: str | None,
    guild_id: int,
    *,
    day: int = 0,
    state: str = "open",
    closes_at: datetime | None = None,
) -> int:
    """A daily with an open question, or without."""

    def work(conn: Connection) -> int:
        values = {"state": state, "scheduled_at": AT, "opened_at": AT, "topic_id": topic_id}
        values["closes_at"] = closes_at
        daily_id = daily.create(conn, schedule(guild_id), DAY + timedelta(days=day), **values)
        assert daily_id is not None
        return daily_id

    return await database.write(work)


async def test_items_of_open_dailies_are_hidden(database: Database) -> None:
    """Hidden are the items of a server's dailies that are on their way or open, and no others."""
    states = ["posting", "threading", "open", "closing", "closed", "skipped", "missed"]

    def fill(conn: Connection) -> None:
        for n, state in enumerate(states):
            item_id = None if state == "skipped" else state
            values = {"state": state, "item_id": item_id, "scheduled_at": AT}
            daily.create(conn, schedule(1), date(2027, 1, 1 + n), **values)
        values = {"state": "open", "item_id": "another server's", "scheduled_at": AT}
        daily.create(conn, schedule(2), date(2027, 1, 1), **values)

    await database.write(fill)
    assert await database.read(IN_PLAY.items, 1, "daily") == {
        "posting",
        "threading",
        "open",
        "closing",
    }


async def test_items_of_running_rounds(database: Database) -> None:
    """In play are the questions of a server's running rounds until each is revealed."""

    def fill(conn: Connection) -> None:
        running, ended = start(conn, 1, "asked", "later"), start(conn, 2, "over")
        start(conn, 3, "elsewhere")
        question = rounds.question_of(conn, running, 1)
        assert question is not None
        rounds.change_question(conn, question.id, revealed_at=AT)
        rounds.change(conn, ended, expect="ask", phase="ended")

    await database.write(fill)
    assert await database.read(IN_PLAY.items, 1, "round") == {"later"}
    assert await database.read(IN_PLAY.items, 2, "round") == set()
    assert await database.read(IN_PLAY.items, 1, "daily") == set()
    assert await database.read(IN_PLAY.items_anywhere) == {"later", "elsewhere"}


async def test_what_is_hidden_from_a_member(database: Database) -> None:
    """Items in play where they ask or have played are hidden until they have answered; others are
    not."""

    def fill(conn: Connection) -> None:
        ids = {
            name: daily.create(
                conn, schedule(guild_id), DAY, state="open", item_id=name, scheduled_at=AT
            )
            for guild_id, name in (
                (1, "here"),
                (2, "played"),
                (3, "strange"),
                (4, "answered by others"),
            )
        }
        start(conn, 1, "round here")
        start(conn, 2, "round played")
        start(conn, 3, "round strange")
        play(conn, ROUND, 99, ALWINA, 2)
        play(conn, DAILY, ids["here"] or 0, BOB, 1)
        play(conn, DAILY, ids["answered by others"] or 0, 103, 4)

    await database.write(fill)
    assert await database.read(IN_PLAY.items_hidden_from, ALWINA, 1) == {
        "here",
        "round here",
        "played",
        "round played",
    }
    assert await database.read(IN_PLAY.items_hidden_from, ALWINA, None) == {
        "played",
        "round played",
    }
    assert await database.read(IN_PLAY.items_hidden_from, BOB, 1) == {"round here"}
    assert await database.read(IN_PLAY.items_hidden_from, BOB, 4) == {
        "round here",
        "answered by others",
    }
    assert await database.read(IN_PLAY.items_hidden_from, 103, None) == set()
    assert await database.read(IN_PLAY.items_hidden_from, 104, None) == set()
    assert await database.read(IN_PLAY.items_anywhere) >= {"strange", "round strange"}


async def test_which_topics_are_not_revealed(database: Database) -> None:
    """Open dailies that are not closed, of the server and of servers where the member has points or was seen."""
    await opened(database, "here", 1)
    await opened(database, "closed", 1, day=1, state="closed")
    await opened(database, "played", 2, state="closing")
    await opened(database, "strange", 3)
    await opened(database, None, 1, day=2)
    await database.write(play, ROUND, 1, 7, 2)
    assert (await database.read(IN_PLAY.topics, 7, 1)).keys() == {"here", "played"}
    assert (await database.read(IN_PLAY.topics, 7, None)).keys() == {"played"}
    assert await database.read(IN_PLAY.topics, 8, None) == {}
    await database.write(members.set_names, {(3, 8): "Bob"})
    assert (await database.read(IN_PLAY.topics, 8, None)).keys() == {"strange"}


async def test_when_a_topic_is_revealed(database: Database) -> None:
    """When the last of a member's servers closes it; unknown as long as one of them has not posted it."""
    await opened(database, "t1", 1, closes_at=AT + HOUR)
    await opened(database, "t1", 2, closes_at=AT + 3 * HOUR)
    await opened(database, "t1", 3, closes_at=AT + 9 * HOUR)
    await opened(database, "t2", 1, day=1, closes_at=AT + HOUR)
    await opened(database, "t2", 2, day=1, state="posting")
    await database.write(members.set_names, {(2, ALWINA): "Alwina"})
    assert await database.read(IN_PLAY.topics, ALWINA, 1) == {"t1": AT + 3 * HOUR, "t2": None}
    assert await database.read(IN_PLAY.topics, BOB, 1) == {"t1": AT + HOUR, "t2": AT + HOUR}
