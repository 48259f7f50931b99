"""Claims of interactions in the table `meta`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import URL, select

from bot.core.database import open_database
from bot.core.notes import claim_interaction, meta
from bot.core.snowflakes import earliest_id

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)


async def test_an_interaction_is_claimed_once(url: URL) -> None:
    """Of several processes one gets the claim; claims are deleted after an hour."""
    async with open_database(url) as one, open_database(url, visiting=True) as two:
        new = earliest_id(AT)
        firsts = await asyncio.gather(
            *(db.write(claim_interaction, new + n) for db in (one, two) for n in range(5))
        )
        assert sum(firsts) == 5
        assert not await one.write(claim_interaction, new)
        await one.write(claim_interaction, earliest_id(AT + timedelta(minutes=59)))
        assert not await two.write(claim_interaction, new)
        await one.write(claim_interaction, earliest_id(AT + timedelta(minutes=61)))
        kept = await one.read(lambda conn: conn.execute(select(meta.c.key)).scalars().all())
        assert len(kept) == 2
