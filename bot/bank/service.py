"""What managers do with their server's own questions: files in and out, looking, retiring."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from bot.answers import pay
from bot.answers.pay import Regraded
from bot.answers.sources import Source
from bot.answers.store import CHALLENGE, ROUND
from bot.bank import rules
from bot.bank.files import (
    CardLength,
    Checked,
    Own,
    check_one,
    checked,
    read_own,
    refuse_size,
    write_own,
)
from bot.bank.forms import Form, item_from
from bot.bank.rules import Merge
from bot.bank.sheets import free_id, slug, titles_of, topic_called
from bot.core.child_process import CallEnded, Limits, Process
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_FILE_MEMORY, MAX_FILE_SECONDS, MAX_FILES, MAX_NEW_FORMULAS
from bot.memory import store as memory_store
from bot.questions import store
from bot.questions.bank import schema
from bot.questions.check import Problem, refuse
from bot.questions.formulas import FormulaError, FormulaTooSlow, prepare
from bot.questions.model import Item
from bot.questions.own import OwnItem, OwnTopic, item_of

log = logging.getLogger(__name__)
T = TypeVar("T")
PAGE_SIZE = 10
_PROCESS = Process(Limits(seconds=MAX_FILE_SECONDS, memory=MAX_FILE_MEMORY))
_WAITING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="files")
"""Waits for that process, in which files are read and written one after the other."""
_TOO_MUCH = f"more than {MAX_FILE_SECONDS} seconds or too much memory"
_HOUSE, _HOUSE_TITLE = "our-own", "Our own"
"""The section of topics that are made in a form."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many questions and topics a file added or changed.

    `rekeyed` of the questions have another key; `total` own questions are asked on the server now.
    """

    added: int
    changed: int
    same: int
    rekeyed: int
    total: int
    topics: int


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """An own item as managers see it."""

    row: OwnItem
    item: Item
    topic: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A question as it was stored. `replaced`: as a new one in place of the old; `otherwise`: how many past answers its
    key would judge otherwise than they were.
    """

    own: OwnQuestion
    replaced: bool
    otherwise: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a server's own questions that hold what was looked for."""

    page: int
    pages: int
    found: int
    shown: tuple[OwnQuestion, ...]


class OwnBank:
    """What managers do with their server's questions.

    `card_length` counts the characters of a card; `sources` are those of the answers' log.
    """

    def __init__(
        self, context: Context, card_length: CardLength, sources: Mapping[str, Source]
    ) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._card_length = card_length
        self._sources = sources
        self._under_way: Counter[int] = Counter()
        """How many files of each server are read or written, or wait for that."""
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """Servers' turns; they are forgotten once nothing waits for them."""
        self._turn = asyncio.Lock()

    async def import_file(self, guild_id: int, name: str, content: bytes) -> Imported:
        """Add a file's questions to the server's own; raises BankError with all that is wrong, and changes nothing."""
        refuse_size(len(content))
        async with self._one_at_a_time(guild_id):
            own = await self._own(guild_id)
            try:
                read = partial(read_own, schema=schema(), own=own, card_length=self._card_length)
                found = await self._apart(partial(read, name, content))
            except (CallEnded, MemoryError) as error:
                log.warning(
                    "guild %s: reading a file of %s bytes took too much", guild_id, len(content)
                )
                raise UserError(
                    f"Reading this file took {_TOO_MUCH}, so nothing was changed. "
                    "Split it and send its parts one by one."
                ) from error
            await _refuse_wrong(found)
            merged = await self._database.write(self._store, guild_id, found.document)
        log.info(
            "guild %s: %s own questions added, %s changed", guild_id, merged.added, merged.changed
        )
        return Imported(
            added=merged.added,
            changed=merged.changed,
            same=merged.same,
            rekeyed=len(merged.rekeyed),
            total=merged.total,
            topics=len(merged.topics),
        )

    @asynccontextmanager
    async def _one_at_a_time(self, guild_id: int) -> AsyncIterator[None]:
        """Let a server's imports and exports follow each other; refuses one for which too many wait."""
        if self._under_way[guild_id] >= MAX_FILES:
            raise UserError(
                f"This server has {MAX_FILES} imports and exports under way already. Try again once they are done."
            )
        self._under_way[guild_id] += 1
        turn = self._turns.setdefault(guild_id, asyncio.Lock())
        try:
            async with turn:
                yield
        finally:
            self._under_way[guild_id] -= 1
            if not self._under_way[guild_id]:
                del self._under_way[guild_id]

    async def _apart(self, work: Callable[[], T]) -> T:
        """Return what `work` returns in the process for files, where it waits for its turn.

        Raises CallEnded or MemoryError if it takes too much.
        """
        async with self._turn:
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    _WAITING, _PROCESS.call, work
                )
            except asyncio.CancelledError:  # the bot leaves, and would wait for that thread
                _PROCESS.kill()
                raise

    def _store(
        self,
        conn: Connection,
        guild_id: int,
        document: Mapping[str, Any],
        before: Callable[[Connection], None] | None = None,
        new: str | None = None,
    ) -> Merge:
        if before is not None:
            before(conn)
        first = store.take_numbers(conn, guild_id, rules.numbers_needed(document))
        topics, items = _rows(conn, guild_id)
        if any(
            row.name == new and not row.retired for row in items
        ):  # it would be taken for a change of that one
            raise UserError("A question with the same words was added just now. See </bank list>.")
        merged = rules.merge(guild_id, first, topics, items, document, self._banks.packs)
        store.save_topics(conn, merged.topics)
        store.save_items(conn, merged.items)
        return merged

    async def export(
        self, guild_id: int, title: str, *, sheet: bool = False, packs: bool = False
    ) -> bytes:
        """Return the server's own questions as a file, with its packs' if they are wanted; refuses an empty one."""
        async with self._one_at_a_time(guild_id):
            own, chosen = (
                await self._own(guild_id),
                await self._database.read(store.packs_of, guild_id),
            )
            try:
                return await self._apart(
                    partial(write_own, own, chosen, title, sheet=sheet, packs=packs)
                )
            except (CallEnded, MemoryError) as error:
                log.warning("guild %s: writing a file took too much", guild_id)
                raise UserError(
                    f"Writing this file took {_TOO_MUCH}. Try again in a few minutes."
                ) from error

    async def _own(self, guild_id: int) -> Own:
        return Own(self._banks.packs, *await self._database.read(_rows, guild_id))

    async def page_of(self, guild_id: int, search: str = "", page: int = 0) -> Listing:
        """A page of the server's own questions; `search` is looked for in id, topic and words."""
        found = await self.find(guild_id, search)
        pages = max(1, -(-len(found) // PAGE_SIZE))
        page = min(page, pages - 1)
        return Listing(
            page, pages, len(found), tuple(found[page * PAGE_SIZE : (page + 1) * PAGE_SIZE])
        )

    @reading
    def find(self, conn: Connection, guild_id: int, search: str = "") -> list[OwnQuestion]:
        """All own questions that are asked and hold every word of `search`."""
        bank, words = self._banks.of(conn, guild_id), search.casefold().split()
        found = []
        for row in store.own_items_of(conn, guild_id):
            item = bank.asked.get(row.item_id)
            if item is None or row.retired:
                continue
            topic = bank.topics[row.topic_id].title
            hay = f"{row.name} {topic} {item.prompt}".casefold()
            if all(word in hay for word in words):
                found.append(OwnQuestion(row, item, topic))
        return found

    def _named(self, conn: Connection, guild_id: int, name: str) -> OwnQuestion:
        """An own question by its id; refuses one that is not there."""
        row = next(
            (r for r in store.own_items_of(conn, guild_id) if r.name == name and not r.retired),
            None,
        )
        if row is None:
            raise UserError(
                "This server has no question of that id. Pick one from the list as you type."
            )
        return OwnQuestion(
            row, item_of(row), self._banks.of(conn, guild_id).topics[row.topic_id].title
        )

    get = reading(_named)

    async def add(
        self, guild_id: int, form: Form, before: Callable[[Connection], None] | None = None
    ) -> Saved:
        """Add a question that was written in a form; raises BankError with what is wrong with it.

        `before` is done first, in the same transaction: if it refuses, nothing is added.
        """
        found, name = self._draft(form, await self._own(guild_id))
        return await self._save(guild_id, found, name, before, new=True)

    def check(self, form: Form) -> None:
        """Raise BankError with what keeps a form from becoming a question."""
        found, _ = self._draft(form, Own(self._banks.packs, (), ()))
        refuse(found.problems)

    def _draft(self, form: Form, own: Own) -> tuple[Checked, str]:
        """Return a new question as a document with its problems, and the id that it gets."""
        title = form.topic.strip()
        topic = topic_called(title, titles_of(own.packs, own.topics)) or (
            slug(title),
            title,
            _HOUSE,
            _HOUSE_TITLE,
        )
        taken = {row.name for row in own.items if not row.retired} | own.packs.items.keys()
        item = {**item_from(form), "id": free_id(form.prompt, taken)}
        return checked(check_one(item, topic, schema()), own, self._card_length), item["id"]

    async def edit(self, guild_id: int, number: int, form: Form) -> Saved:
        """Change an own question as it was written in a form; raises BankError with what is wrong with it."""
        own = await self._own(guild_id)
        row = next((r for r in own.items if r.number == number and not r.retired), None)
        if row is None:
            raise UserError("That question was taken out or replaced meanwhile. See </bank list>.")
        before = json.loads(row.content)
        item = {**item_from(form, before), "id": row.name}
        topic = next(t for t in own.topics if t.topic_id == row.topic_id)
        place = topic.name, topic.title, topic.section, topic.section_title
        found = checked(check_one(item, place, schema()), own, self._card_length)
        return await self._save(guild_id, found, row.name)

    async def _save(
        self,
        guild_id: int,
        found: Checked,
        name: str,
        before: Callable[[Connection], None] | None = None,
        *,
        new: bool = False,
    ) -> Saved:
        await _refuse_wrong(found)
        merged = await self._database.write(
            self._store, guild_id, found.document, before, name if new else None
        )
        return await self._database.read(
            self._saved, guild_id, name, replaced=len(merged.items) > 1
        )

    def _saved(self, conn: Connection, guild_id: int, name: str, *, replaced: bool) -> Saved:
        own = self._named(conn, guild_id, name)
        return Saved(own, replaced, pay.count_changed(conn, own.item, self._sources))

    @writing
    def correct(self, conn: Connection, guild_id: int, number: int) -> Regraded:
        """Judge past answers to an own question by its key as it is now; refuses while a round or a challenge does."""
        store.take_numbers(conn, guild_id, 0)
        row = next((r for r in store.own_items_of(conn, guild_id) if r.number == number), None)
        if row is None:
            raise UserError("That question is gone. See </bank list>.")
        if row.item_id in self._in_play.items(conn, guild_id, ROUND, CHALLENGE):
            raise UserError(
                "A round or a challenge is about to ask that question, or asks it now. Press this again once it's over."
            )
        item = item_of(row)
        done = pay.judge_again(conn, item, self._sources)
        for user_id in sorted(done.members):
            memory_store.replay(conn, user_id, item.id)
        log.info(
            "guild %s: %s past answers to %s were judged anew", guild_id, done.answers, row.item_id
        )
        return done

    @writing
    def retire(self, conn: Connection, guild_id: int, number: int) -> OwnItem:
        """Take an own item out for good; refuses one that is out already. What was answered stays readable."""
        store.take_numbers(conn, guild_id, 0)
        row = next(
            (r for r in store.own_items_of(conn, guild_id) if r.number == number and not r.retired),
            None,
        )
        if row is None:
            raise UserError(
                "That question is already out. See </bank list> for those that are asked."
            )
        store.save_items(conn, [replace(row, retired=True)])
        return row


def _rows(conn: Connection, guild_id: int) -> tuple[list[OwnTopic], list[OwnItem]]:
    return store.own_topics_of(conn, guild_id), store.own_items_of(conn, guild_id)


async def _refuse_wrong(found: Checked) -> None:
    """Raise BankError with all that is wrong with a document; every new formula is drawn for that.

    The first one that takes too long is the last that is drawn.
    """
    problems, new = list(found.problems), found.formulas
    if len(new) > MAX_NEW_FORMULAS:
        words = (
            f"has {len(new):,} new formulas; {MAX_NEW_FORMULAS} are allowed at once, so split it"
        )
        problems.append(Problem("the file", words))
        new = ()
    for place, latex in new:
        try:
            await prepare(latex)
        except FormulaError as error:
            problems.append(Problem(place, f"can't be drawn ({error})"))
            if isinstance(error, FormulaTooSlow):
                break
    refuse(problems)
