"""What managers do with their server's own questions: files in and out, looking, retiring."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot.bank import rules
from bot.bank.files import check_one, read_file, refuse_size
from bot.bank.forms import Form, item_from
from bot.bank.regrade import Regraded, count_otherwise, regrade
from bot.bank.rules import Draft, Merge, Names
from bot.bank.sheets import free_id, slug, titles_of, topic_called, write_sheet
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_IMPORTS, MAX_NEW_FORMULAS
from bot.core.turns import Turns
from bot.questions import store
from bot.questions.bank import schema
from bot.questions.check import MOST_PROBLEMS, Problem, refuse
from bot.questions.formulas import FormulaError, FormulaTooSlow, prepare
from bot.questions.model import Bank, Item
from bot.questions.own import OwnItem, OwnTopic, bank_of, item_of

log = logging.getLogger(__name__)
PAGE_SIZE = 10
_READING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="imports")
"""Reads files, one after the other: in the event loop's own threads they would hold up the grader."""
_HOUSE, _HOUSE_TITLE = "our-own", "Our own"
"""The section of topics that are made in a form."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file did. `total`: how many own questions are asked on the server now; `rekeyed`: with another key."""

    added: int
    changed: int
    same: int
    rekeyed: int
    total: int


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
    """What managers do with their server's questions; `card_length` counts the characters of a card."""

    def __init__(self, context: Context, card_length: Callable[[Item, Bank], int]) -> None:
        self._database = context.database
        self._banks = context.banks
        self._card_length = card_length
        self._turns = Turns()
        self._reading: Counter[int] = Counter()

    async def import_file(self, guild_id: int, name: str, content: bytes) -> Imported:
        """Add a file's questions to the server's own; raises BankError with all that is wrong, and changes nothing."""
        refuse_size(len(content))
        async with self._turn(guild_id):
            topics, items = await self._database.read(_rows, guild_id)

            def read() -> Draft:
                draft = read_file(name, content, schema(), self._banks.packs, topics)
                return self._measured(draft, topics, items)

            draft = await asyncio.get_running_loop().run_in_executor(_READING, read)
        await _refuse_wrong(draft, items)
        merged = await self._database.write(self._store, guild_id, draft)
        log.info("guild %s: %s own questions added, %s changed", guild_id, merged.added, merged.changed)
        return Imported(merged.added, merged.changed, merged.same, len(merged.rekeyed), merged.total)

    @asynccontextmanager
    async def _turn(self, guild_id: int) -> AsyncIterator[None]:
        """Wait for the server's turn to have a file read; refuses where too many are under way."""
        if self._reading[guild_id] >= MAX_IMPORTS:
            raise UserError(
                f"This server has {MAX_IMPORTS} imports under way already. Send this file again once they are done."
            )
        self._reading[guild_id] += 1
        try:
            async with self._turns.of(guild_id):
                yield
        finally:
            self._reading[guild_id] -= 1
            self._reading += Counter()  # forgets servers of which nothing is left

    def _measured(self, draft: Draft, topics: Sequence[OwnTopic], items: Sequence[OwnItem]) -> Draft:
        """Return a draft with each card that Discord would refuse as a problem.

        The server has these rows. A draft that has problems already comes back as it is.
        """
        if draft.problems:
            return draft
        packs = self._banks.packs
        last = max([*(row.number for row in topics), *(row.number for row in items)], default=0)
        merged = rules.merge(0, last + 1, topics, items, draft.document, packs)
        used = {row.topic_id for row in merged.items}
        known = {row.topic_id: row for row in (*topics, *merged.topics) if row.topic_id in used}
        bank = bank_of(packs, None, list(known.values()), merged.items)
        asked = {row.name: bank.asked[row.item_id] for row in merged.items if not row.retired}
        lengths = {name: self._card_length(item, bank) for name, item in asked.items()}
        return replace(draft, problems=tuple(rules.too_long(draft, lengths)[:MOST_PROBLEMS]))

    def _store(
        self,
        conn: Connection,
        guild_id: int,
        draft: Draft,
        before: Callable[[Connection], None] | None = None,
        new: str | None = None,
    ) -> Merge:
        if before is not None:
            before(conn)
        first = store.take_numbers(conn, guild_id, rules.numbers_needed(draft.document))
        topics, items = _rows(conn, guild_id)
        if any(row.name == new and not row.retired for row in items):  # it would be taken for a change of that one
            raise UserError("A question with the same words was added just now. See </bank list>.")
        merged = rules.merge(guild_id, first, topics, items, draft.document, self._banks.packs)
        store.save_topics(conn, merged.topics)
        store.save_items(conn, merged.items)
        return merged

    async def export(self, guild_id: int, title: str, *, sheet: bool = False, packs: bool = False) -> bytes:
        """The server's own questions as a file, with those of its packs if they are wanted; refuses an empty one."""
        topics, items = await self._database.read(_rows, guild_id)
        bank = await self._database.read(self._banks.of, guild_id)

        def write() -> bytes:
            document = rules.document_of(bank, Names.of(topics, items), title, packs=packs)
            if not document["sections"]:
                raise UserError("This server has no questions of its own yet. Add some with </bank import>.")
            if sheet:
                return b"\xef\xbb\xbf" + write_sheet(document, bank).encode()  # a spreadsheet takes it for UTF-8 then
            return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"

        return await asyncio.to_thread(write)

    async def page_of(self, guild_id: int, search: str = "", page: int = 0) -> Listing:
        """A page of the server's own questions; `search` is looked for in id, topic and words."""
        found = await self.find(guild_id, search)
        pages = max(1, -(-len(found) // PAGE_SIZE))
        page = min(page, pages - 1)
        return Listing(page, pages, len(found), tuple(found[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]))

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
        row = next((r for r in store.own_items_of(conn, guild_id) if r.name == name and not r.retired), None)
        if row is None:
            raise UserError("This server has no question of that id. Pick one from the list as you type.")
        return OwnQuestion(row, item_of(row), self._banks.of(conn, guild_id).topics[row.topic_id].title)

    get = reading(_named)

    async def add(self, guild_id: int, form: Form, before: Callable[[Connection], None] | None = None) -> Saved:
        """Add a question that was written in a form; raises BankError with what is wrong with it.

        `before` is done first, in the same transaction: if it refuses, nothing is added.
        """
        topics, items = await self._database.read(_rows, guild_id)
        draft, name = self._draft(form, topics, items)
        return await self._save(guild_id, draft, items, name, before, new=True)

    def check(self, form: Form) -> None:
        """Raise BankError with what keeps a form from becoming a question."""
        draft, _ = self._draft(form, (), ())
        refuse(draft.problems)

    def _draft(self, form: Form, topics: Sequence[OwnTopic], items: Sequence[OwnItem]) -> tuple[Draft, str]:
        """Return a new question as a document with its problems, and the id that it gets."""
        packs = self._banks.packs
        title = form.topic.strip()
        topic = topic_called(title, titles_of(packs, topics)) or (slug(title), title, _HOUSE, _HOUSE_TITLE)
        taken = {row.name for row in items if not row.retired} | packs.items.keys()
        item = {**item_from(form), "id": free_id(form.prompt, taken)}
        return self._measured(check_one(item, topic, schema()), topics, items), item["id"]

    async def edit(self, guild_id: int, number: int, form: Form) -> Saved:
        """Change an own question as it was written in a form; raises BankError with what is wrong with it."""
        topics, items = await self._database.read(_rows, guild_id)
        row = next((r for r in items if r.number == number and not r.retired), None)
        if row is None:
            raise UserError("That question was taken out or replaced meanwhile. See </bank list>.")
        before = json.loads(row.content)
        item = {**item_from(form, before), "id": row.name}
        topic = next(t for t in topics if t.topic_id == row.topic_id)
        place = topic.name, topic.title, topic.section, topic.section_title
        draft = self._measured(check_one(item, place, schema()), topics, items)
        return await self._save(guild_id, draft, items, row.name)

    async def _save(
        self,
        guild_id: int,
        draft: Draft,
        items: Sequence[OwnItem],
        name: str,
        before: Callable[[Connection], None] | None = None,
        *,
        new: bool = False,
    ) -> Saved:
        await _refuse_wrong(draft, items)
        merged = await self._database.write(self._store, guild_id, draft, before, name if new else None)
        return await self._database.read(self._saved, guild_id, name, replaced=len(merged.items) > 1)

    def _saved(self, conn: Connection, guild_id: int, name: str, *, replaced: bool) -> Saved:
        own = self._named(conn, guild_id, name)
        return Saved(own, replaced, count_otherwise(conn, own.item))

    @writing
    def correct(self, conn: Connection, guild_id: int, number: int) -> Regraded:
        """Judge past answers to an own question by its key as it is now; refuses while a round or a challenge does."""
        store.take_numbers(conn, guild_id, 0)
        row = next((r for r in store.own_items_of(conn, guild_id) if r.number == number), None)
        if row is None:
            raise UserError("That question is gone. See </bank list>.")
        if row.item_id in store.items_in_play(conn, guild_id, "round", "challenge"):
            raise UserError(
                "A round or a challenge is about to ask that question, or asks it now. Press this again once it's over."
            )
        done = regrade(conn, guild_id, item_of(row))
        log.info("guild %s: %s past answers to %s were judged anew", guild_id, done.answers, row.item_id)
        return done

    @writing
    def retire(self, conn: Connection, guild_id: int, number: int) -> OwnItem:
        """Take an own item out for good; refuses one that is out already. What was answered stays readable."""
        store.take_numbers(conn, guild_id, 0)
        row = next((r for r in store.own_items_of(conn, guild_id) if r.number == number and not r.retired), None)
        if row is None:
            raise UserError("That question is already out. See </bank list> for those that are asked.")
        store.save_items(conn, [replace(row, retired=True)])
        return row


def _rows(conn: Connection, guild_id: int) -> tuple[list[OwnTopic], list[OwnItem]]:
    return store.own_topics_of(conn, guild_id), store.own_items_of(conn, guild_id)


async def _refuse_wrong(draft: Draft, items: Sequence[OwnItem]) -> None:
    """Raise BankError with all that is wrong with a draft; every new formula is drawn for that.

    The first one that takes too long is the last that is drawn.
    """
    problems = list(draft.problems)
    new = rules.formulas_of(draft, items)
    if len(new) > MAX_NEW_FORMULAS:
        words = f"has {len(new):,} new formulas; {MAX_NEW_FORMULAS} are allowed at once, so split it"
        problems.append(Problem("the file", words))
        new = []
    for place, latex in new:
        try:
            await prepare(latex)
        except FormulaError as error:
            problems.append(Problem(place, f"can't be drawn ({error})"))
            if isinstance(error, FormulaTooSlow):
                break
    refuse(problems)
