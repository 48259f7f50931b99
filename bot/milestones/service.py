"""Choosing milestones, and finding out who has reached them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from bot.core import servers
from bot.core.computing import OURS
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_MILESTONES
from bot.core.nightly import do_each
from bot.members import store as members_store
from bot.members.model import MILESTONES
from bot.memory import store as memory_store
from bot.milestones import model, store
from bot.milestones.model import Kind, Milestone, MilestonePage, Reached
from bot.questions.model import Bank

log = logging.getLogger(__name__)
_SERVERS = 100
"""Servers that are looked up in one query."""
_MEMBERS = 200
"""Members who are looked through in one query, which takes some milliseconds."""


class Milestones:
    """Roles of servers for streaks and known sections."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now

    # --- for managers

    @reading
    def page(self, conn: Connection, guild_id: int) -> MilestonePage:
        return self._page(conn, guild_id)

    @writing
    def add(self, conn: Connection, guild_id: int, milestone: Milestone) -> MilestonePage:
        """Give a role for a milestone from now on; refuse an unknown one, or one too many."""
        choices: Collection[str] = [str(days) for days in MILESTONES]
        if milestone.kind is Kind.SECTION:
            choices = _sections(self._banks.of(conn, guild_id))
        if milestone.name not in choices:
            raise UserError("I don't know that milestone. Pick one from the list in </settings>.")
        servers.lock(conn, guild_id)  # two managers at once must not exceed the limit
        key = milestone.kind, milestone.name
        others = [m for m in store.of_server(conn, guild_id) if (m.kind, m.name) != key]
        if len(others) >= MAX_MILESTONES:
            raise UserError(
                f"This server has {len(others)} milestones, as many as it can. Remove one first."
            )
        store.save(conn, guild_id, milestone, self._now())
        return self._page(conn, guild_id)

    @writing
    def remove(self, conn: Connection, guild_id: int, kind: Kind, name: str) -> MilestonePage:
        """Give no role for a milestone any more. Members keep those that they have."""
        if not store.remove(conn, guild_id, kind, name):
            raise UserError(
                "That milestone is gone already. See </settings> for those that are left."
            )
        return self._page(conn, guild_id)

    def _page(self, conn: Connection, guild_id: int) -> MilestonePage:
        bank = self._banks.of(conn, guild_id)
        titles = {**self._banks.packs.section_titles, **bank.section_titles}

        def place(milestone: Milestone) -> tuple[bool, int, str]:
            """Streaks by length, then sections by title."""
            if milestone.kind is Kind.STREAK:
                return False, int(milestone.name), ""
            return True, 0, titles.get(milestone.name, milestone.name)

        return MilestonePage(
            milestones=tuple(sorted(store.of_server(conn, guild_id), key=place)),
            sections=tuple(_sections(bank)),
            titles=titles,
            problems=tuple(store.problems(conn, guild_id)),
        )

    # --- who has reached what

    def streak_reached(
        self, conn: Connection, user_id: int, guild_ids: Collection[int], days: int
    ) -> None:
        """Store which milestones of some servers a member's streak has reached."""
        for guild_id in sorted(guild_ids):
            reached = [
                each
                for each in store.not_reached(conn, guild_id, user_id)
                if each.kind is Kind.STREAK and int(each.name) <= days
            ]
            store.reach(conn, guild_id, [user_id], reached, self._now())

    async def wake(self, guild_id: int) -> None:
        """Make what could not be given on a server due now."""
        now = self._now()
        if await self._database.write(store.retry, guild_id, now):
            self._scheduler.nudge(now)

    async def check_all(self) -> int:
        """Find out who knows a section now, and retry what failed; return how many got to know one.

        It is for one process at a time, at night.
        """
        found, guild_id = 0, 0
        while page := await self._database.read(store.servers_after, guild_id, _SERVERS):
            found += await do_each("milestones of guild", page, self._check_server)
            guild_id = page[-1]
        if found:
            log.info("members reached %s milestones of known sections", found)
            self._scheduler.nudge(self._now())
        return found

    async def _check_server(self, guild_id: int) -> int:
        await self.wake(guild_id)
        return await self._check_sections(guild_id)

    async def _check_sections(self, guild_id: int) -> int:
        """Look through the members seen on a server, a page at a time."""
        milestones = await self._database.read(store.of_server, guild_id)
        sections = [each for each in milestones if each.kind is Kind.SECTION]
        found = after = 0
        while sections and (
            page := await self._database.read(members_store.seen_on, guild_id, after, _MEMBERS)
        ):
            for milestone in sections:
                knowing = await self._database.read_long(
                    OURS, self._knowing, guild_id, milestone, page
                )
                if knowing:
                    await self._database.write(self._reach_section, guild_id, milestone, knowing)
                found += len(knowing)
            after = page[-1]
        return found

    def _knowing(
        self, conn: Connection, guild_id: int, milestone: Milestone, user_ids: Sequence[int]
    ) -> list[int]:
        """Return those of these members who know a section and have not got its role."""
        items = _sections(self._banks.of(conn, guild_id)).get(milestone.name)
        if items is None:
            return []
        without = store.without(conn, guild_id, milestone, user_ids)
        needed = -(-len(items) * model.KNOWN_PERCENT // 100)
        now = self._now()
        return memory_store.who_learned(
            conn, without, items, needed, now + model.LASTS, now - model.RECENT
        )

    def _reach_section(
        self, conn: Connection, guild_id: int, milestone: Milestone, user_ids: Sequence[int]
    ) -> None:
        """Store that members know a section, unless the milestone has been changed."""
        if milestone in store.of_server(conn, guild_id):
            store.reach(conn, guild_id, user_ids, [milestone], self._now())

    # --- telling members

    @reading
    def untold(self, conn: Connection, guild_id: int, user_id: int) -> list[Reached]:
        """Return what a member got roles for on a server and has not read about.

        Sections have their title as name.
        """
        found = store.untold(conn, guild_id, user_id)
        titles = self._banks.of(conn, guild_id).section_titles if found else {}
        return [replace(row, name=titles.get(row.name, row.name)) for row in found]

    async def set_told(self, reached: Sequence[Reached]) -> None:
        await self._database.write(store.set_told, [each.id for each in reached])


def _sections(bank: Bank) -> Mapping[str, list[str]]:
    """Return the sections that can be milestones, with the ids of the items asked in each."""
    items = {
        section.id: [item.id for topic in section.topics for item in topic.items]
        for section in bank.sections
    }
    return {name: ids for name, ids in items.items() if len(ids) >= model.FEWEST_QUESTIONS}
