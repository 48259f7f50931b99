"""Choosing milestones, and finding out who has reached them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_MILESTONES
from bot.members import store as members_store
from bot.memory import store as memory_store
from bot.milestones import rules, store
from bot.milestones.cards import KnownSection, MilestonePage, SectionChoice
from bot.milestones.rules import Kind, Milestone
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
    def add(
        self, conn: Connection, guild_id: int, kind: Kind, name: str, role_id: int
    ) -> MilestonePage:
        """Give a role for a milestone from now on; refuse an unknown one, or one too many.

        `name` may also be the title of a section.
        """
        choices = self._choices(conn, guild_id, kind)
        chosen = choices.get(name) or choices.get(name.strip().casefold())
        if chosen is None:
            raise UserError("I don't know that milestone. Pick one from the list in </settings>.")
        servers.lock(conn, guild_id)  # two managers at once must not exceed the limit
        milestones = store.of_server(conn, guild_id)
        others = [each for each in milestones if (each.kind, each.name) != (kind, chosen)]
        if len(others) >= MAX_MILESTONES:
            raise UserError(
                f"This server has {len(others)} milestones, as many as it can. Remove one first."
            )
        store.save(conn, guild_id, Milestone(kind, chosen, role_id), self._now())
        return self._page(conn, guild_id)

    def _choices(self, conn: Connection, guild_id: int, kind: Kind) -> dict[str, str]:
        """Return the names of possible milestones, by these and by their titles in lower case."""
        if kind is Kind.STREAK:
            return {str(days): str(days) for days in rules.STREAKS}
        sections = _sections(self._banks.of(conn, guild_id))
        by_title = {each.title.casefold(): each.section_id for each in sections}
        return by_title | {each.section_id: each.section_id for each in sections}

    @writing
    def remove(self, conn: Connection, guild_id: int, kind: Kind, name: str) -> MilestonePage:
        """Give no role for a milestone any more. Members keep those that they have."""
        if not store.remove(conn, guild_id, kind, name):
            raise UserError(
                "That milestone is gone already. See </settings> for those that are left."
            )
        return self._page(conn, guild_id)

    async def retry(self, guild_id: int) -> MilestonePage:
        """Try again to give the roles that could not be given on a server."""
        await self.wake(guild_id)
        return await self.page(guild_id)

    async def wake(self, guild_id: int) -> None:
        """Make what could not be given on a server due now."""
        now = self._now()
        if await self._database.write(store.retry, guild_id, now):
            self._scheduler.nudge(now)

    def _page(self, conn: Connection, guild_id: int) -> MilestonePage:
        bank = self._banks.of(conn, guild_id)
        milestones = store.of_server(conn, guild_id)
        titles = {**self._banks.packs.section_titles, **bank.section_titles}
        return MilestonePage(
            milestones=tuple(sorted(milestones, key=lambda each: _order(bank, each))),
            titles={
                each.name: titles.get(each.name, each.name)
                for each in milestones
                if each.kind is Kind.SECTION
            },
            sections=tuple(_sections(bank)),
            problems=tuple(store.problems(conn, guild_id)),
        )

    # --- who has reached what

    def streak_reached(
        self, conn: Connection, guild_id: int, user_id: int, days: int
    ) -> tuple[int, ...]:
        """Store which milestones a member's streak has reached; return their new roles."""
        if days < rules.SHORTEST_STREAK:
            return ()
        reached = rules.streaks_reached(store.not_reached(conn, guild_id, user_id), days)
        store.reach(conn, guild_id, [user_id], reached, self._now(), told=True)
        return tuple(dict.fromkeys(each.role_id for each in reached))

    async def check_all(self) -> int:
        """Find out who knows a section now, and retry what failed; return how many got to know one.

        It is for one process at a time, at night.
        """
        found, guild_id = 0, 0
        while page := await self._database.read(store.servers_after, guild_id, _SERVERS):
            for guild_id in page:
                await self.wake(guild_id)
                found += await self._check_sections(guild_id)
        if found:
            log.info("members reached %s milestones of known sections", found)
            self._scheduler.nudge(self._now())
        return found

    async def _check_sections(self, guild_id: int) -> int:
        """Look through the members seen on a server, a page at a time."""
        milestones = await self._database.read(store.of_server, guild_id)
        sections = [each for each in milestones if each.kind is Kind.SECTION]
        found = after = 0
        while sections and (
            page := await self._database.read(members_store.seen_on, guild_id, after, _MEMBERS)
        ):
            for milestone in sections:
                knowing = await self._database.read_long(self._knowing, guild_id, milestone, page)
                if knowing:
                    await self._database.write(self._reach_section, guild_id, milestone, knowing)
                found += len(knowing)
            after = page[-1]
        return found

    def _knowing(
        self, conn: Connection, guild_id: int, milestone: Milestone, user_ids: Sequence[int]
    ) -> list[int]:
        """Return those of these members who know a section and have not got its role."""
        items = _items(self._banks.of(conn, guild_id)).get(milestone.name, [])
        if len(items) < rules.FEWEST_QUESTIONS:
            return []
        without = store.without(conn, guild_id, milestone, user_ids)
        since = self._now() - rules.RECENT
        return memory_store.who_learned(
            conn, without, items, at_least=rules.needed(len(items)), since=since
        )

    def _reach_section(
        self, conn: Connection, guild_id: int, milestone: Milestone, user_ids: Sequence[int]
    ) -> None:
        """Store that members know a section, unless the milestone has been changed."""
        if milestone in store.of_server(conn, guild_id):
            store.reach(conn, guild_id, user_ids, [milestone], self._now(), told=False)

    # --- telling members

    @reading
    def untold(self, conn: Connection, guild_id: int, user_id: int) -> list[KnownSection]:
        """Return the sections that a member got roles for on a server, and has not read about."""
        found = store.untold(conn, guild_id, user_id)
        titles = self._banks.of(conn, guild_id).section_titles if found else {}
        return [KnownSection(row.id, titles.get(row.name, row.name), row.role_id) for row in found]

    @writing
    def set_told(self, conn: Connection, sections: Sequence[KnownSection]) -> None:
        store.set_told(conn, [section.id for section in sections])


def _items(bank: Bank) -> dict[str, list[str]]:
    """Return the ids of the items that are asked in each section."""
    return {
        section.id: [item.id for topic in section.topics for item in topic.items]
        for section in bank.sections
    }


def _sections(bank: Bank) -> list[SectionChoice]:
    """Return the sections that can be milestones."""
    return [
        SectionChoice(section_id, bank.section_titles[section_id], len(items))
        for section_id, items in _items(bank).items()
        if len(items) >= rules.FEWEST_QUESTIONS
    ]


def _order(bank: Bank, milestone: Milestone) -> tuple[bool, int, str]:
    """Return a key for sorting: streaks by length, then sections by title."""
    if milestone.kind is Kind.STREAK:
        return False, int(milestone.name), ""
    return True, 0, bank.section_titles.get(milestone.name, milestone.name)
