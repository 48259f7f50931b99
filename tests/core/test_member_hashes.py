"""Hashes of members whose answer was erased."""

from __future__ import annotations

from bot.core.database import Connection, Database
from bot.core.member_hashes import add_hash, has_hash_of


async def test_a_hash_is_of_one_question(database: Database) -> None:
    """A member whose answer was erased may answer every other question, and others this one."""

    def found(conn: Connection) -> list[bool]:
        add_hash(conn, "round", 1, guild_id=7, user_id=5)
        wanted = (("round", 1, 5), ("round", 2, 5), ("daily", 1, 5), ("round", 1, 6))
        return [has_hash_of(conn, source, row, user_id) for source, row, user_id in wanted]

    assert await database.write(found) == [True, False, False, False]
