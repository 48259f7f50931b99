"""Use cases of managers with their server's own questions."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from msgspec.structs import replace

from bot.answers import pay
from bot.answers.pay import Regraded
from bot.answers.sources import Source
from bot.answers.store import CHALLENGE, ROUND
from bot.bank import rules
from bot.bank.cards import Listing, OwnQuestion, Saved
from bot.bank.files import (
    CardLength,
    Checked,
    Export,
    Own,
    check_one,
    checked,
    most_bytes,
    read_own,
    refuse_size,
    write_own,
)
from bot.bank.forms import PICTURE, Extras, Form, item_from, with_extras
from bot.bank.pictures import TOO_MUCH_WORK, PictureError, redraw
from bot.bank.rules import Merge, PictureFiles
from bot.bank.sheets import TopicNames, free_id, slug, titles_of, topic_called
from bot.core.computing import TOO_MUCH, FileTooMuch
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_ARCHIVE_BYTES, MAX_FILES, MAX_NEW_FORMULAS
from bot.memory import store as memory_store
from bot.questions import store as questions_store
from bot.questions.bank import schema
from bot.questions.check import BankError, Problem, refuse
from bot.questions.formulas import FormulaError, FormulaTooSlow, prepare
from bot.questions.own import OwnItem, OwnTopic, item_of

log = logging.getLogger(__name__)
PAGE_SIZE = 10
_FORM_SECTION = ("our-own", "Our own")
"""Id and title of the section for topics that are made in a form."""


class OwnBank:
    """Imports, exports, edits and retires own questions.


    `card_length` counts the characters of a card; `sources` are those of the answers' log.
    """

    def __init__(
        self, context: Context, card_length: CardLength, sources: Mapping[str, Source]
    ) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._files = context.files
        self._card_length = card_length
        self._sources = sources
        self._pending: Counter[int] = Counter()
        """The number of imports and exports by server, running or waiting."""
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """A lock for each server with pending files."""

    async def import_file(self, guild_id: int, name: str, content: bytes) -> Merge:
        """Add a file's questions to the server's own; raises BankError with all its problems."""
        refuse_size(len(content), most_bytes(name))
        async with self._file_lock(guild_id):
            own = await self._own(guild_id)
            read = partial(read_own, schema=schema(), own=own, card_length=self._card_length)
            try:
                found = await self._files.run(partial(read, name, content))
            except FileTooMuch as error:
                size = len(content)
                log.warning("guild %s: reading a file of %s bytes took too much", guild_id, size)
                raise UserError(
                    f"Reading this file took {TOO_MUCH}, so nothing was changed. "
                    "Split it and send its parts one by one."
                ) from error
            await _refuse_problems(found)
            merged = await self._database.write(self._store, guild_id, found)
        log.info(
            "guild %s: %s own questions added, %s changed", guild_id, merged.added, merged.changed
        )
        return merged

    @asynccontextmanager
    async def _file_lock(self, guild_id: int) -> AsyncIterator[None]:
        """Run a server's imports and exports one at a time; refuse if too many are waiting."""
        if self._pending[guild_id] >= MAX_FILES:
            raise UserError(
                f"This server has {MAX_FILES} imports and exports under way already. Try again once they are done."
            )
        self._pending[guild_id] += 1
        lock = self._locks.setdefault(guild_id, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._pending[guild_id] -= 1
            if not self._pending[guild_id]:
                del self._pending[guild_id]

    def _store(
        self,
        conn: Connection,
        guild_id: int,
        found: Checked,
        before: Callable[[Connection], None] | None = None,
        new: str | None = None,
    ) -> Merge:
        if before is not None:
            before(conn)
        document = found.document
        first = questions_store.reserve_numbers(conn, guild_id, rules.numbers_needed(document))
        topics, items = _rows(conn, guild_id)
        # Without this check, the new question would overwrite one with the same id.
        if any(row.name == new and not row.retired for row in items):
            raise UserError("A question with the same words was added just now. See </bank list>.")
        merged = rules.merge(
            guild_id,
            first,
            topics,
            items,
            document,
            self._banks.packs,
            keep_pictures=found.pictures is None,
        )
        questions_store.save_topics(conn, merged.topics)
        questions_store.save_items(conn, merged.items)
        after = {row.number: row for row in (*items, *merged.items)}
        _store_pictures(conn, guild_id, list(after.values()), found.pictures or {})
        return merged

    async def export(
        self, guild_id: int, title: str, *, sheet: bool = False, packs: bool = False
    ) -> Export:
        """Return the server's own questions as a file; refuse if there are none.

        `sheet=True` writes CSV instead of JSON; `packs=True` adds the questions of its packs.
        """
        async with self._file_lock(guild_id):
            own = await self._own(guild_id)
            chosen = await self._database.read(questions_store.packs_of, guild_id)
            pictures: Mapping[str, bytes] = {}
            if not sheet:
                files = PictureFiles.of(own.items).asked
                pictures = await self._database.read(
                    questions_store.own_pictures_of, guild_id, files
                )
            write = partial(write_own, own, chosen, title, pictures, sheet=sheet, packs=packs)
            try:
                found = await self._files.run(write)
            except FileTooMuch as error:
                log.warning("guild %s: writing a file took too much", guild_id)
                raise UserError(
                    f"Writing this file took {TOO_MUCH}. Try again in a few minutes."
                ) from error
            if len(found.content) > MAX_ARCHIVE_BYTES:
                raise UserError(
                    f"This file would be larger than {MAX_ARCHIVE_BYTES >> 20} MiB, the most that Discord takes. "
                    "Export CSV, which has no pictures, or take out pictures first."
                )
            return found

    async def _own(self, guild_id: int) -> Own:
        return Own(self._banks.packs, *await self._database.read(_rows, guild_id))

    async def page_of(self, guild_id: int, search: str = "", page: int = 0) -> Listing:
        """Return a page of the own questions that `find` returns."""
        found = await self.find(guild_id, search)
        pages = max(1, -(-len(found) // PAGE_SIZE))
        page = min(page, pages - 1)
        shown = found[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        return Listing(page=page, pages=pages, found=len(found), shown=tuple(shown))

    @reading
    def find(self, conn: Connection, guild_id: int, search: str = "") -> list[OwnQuestion]:
        """Return the own questions with every word of `search` in id, topic or prompt."""
        bank = self._banks.of(conn, guild_id)
        words = search.casefold().split()
        found = []
        for row in questions_store.own_items_of(conn, guild_id):
            item = bank.asked.get(row.item_id)
            if item is None or row.retired:
                continue
            topic = bank.topics[row.topic_id].title
            searched = f"{row.name} {topic} {item.prompt}".casefold()
            if all(word in searched for word in words):
                found.append(OwnQuestion(row, item, topic))
        return found

    def _named(self, conn: Connection, guild_id: int, name: str) -> OwnQuestion:
        """Return an own question by its name; refuse if there is none."""
        rows = questions_store.own_items_of(conn, guild_id)
        row = next((row for row in rows if row.name == name and not row.retired), None)
        if row is None:
            raise UserError(
                "This server has no question of that id. Pick one from the list as you type."
            )
        bank = self._banks.of(conn, guild_id)
        return OwnQuestion(row, item_of(row), bank.topics[row.topic_id].title)

    get = reading(_named)

    async def add(
        self, guild_id: int, form: Form, before: Callable[[Connection], None] | None = None
    ) -> Saved:
        """Add a question from a form; raises BankError with its problems.

        `before` runs first, in the same transaction: if it refuses, nothing is added.
        """
        found, name = self._draft(form, await self._own(guild_id))
        return await self._save(guild_id, found, name, before, new=True)

    def check(self, form: Form) -> None:
        """Raise BankError with a form's problems, if it has any."""
        found, _ = self._draft(form, Own(self._banks.packs, (), ()))
        refuse(found.problems)

    def _draft(self, form: Form, own: Own) -> tuple[Checked, str]:
        """Return a form's new question as a checked document, and its id."""
        title = form.topic.strip()
        known = topic_called(title, titles_of(own.packs, own.topics))
        topic = known or TopicNames(slug(title), title, *_FORM_SECTION)
        taken = {row.name for row in own.items if not row.retired} | own.packs.items.keys()
        name = free_id(form.prompt, taken)
        draft = check_one({**item_from(form), "id": name}, topic, schema())
        return checked(draft, own, self._card_length), name

    async def edit(self, guild_id: int, number: int, form: Form) -> Saved:
        """Change an own question as edited in a form; raises BankError with its problems."""
        own = await self._own(guild_id)
        row = _asked_row(own.items, number)
        item = item_from(form, json.loads(row.content))
        return await self._save(guild_id, self._changed(own, row, item), row.name)

    async def illustrate(self, guild_id: int, number: int, form: Extras) -> Saved:
        """Change the code and the picture of an own question; raises BankError with its problems.

        Only one process at a time decodes a picture, so a server's pictures are drawn in turn.
        """
        own = await self._own(guild_id)
        row = _asked_row(own.items, number)
        drawn: dict[str, bytes] = {}
        if form.upload is not None:
            file, content = await self._redraw(guild_id, form.upload)
            drawn[file] = content
        item = with_extras(json.loads(row.content), form, next(iter(drawn), None))
        found = replace(self._changed(own, row, item), pictures=drawn)
        return await self._save(guild_id, found, row.name)

    async def _redraw(self, guild_id: int, upload: bytes) -> tuple[str, bytes]:
        """Draw an uploaded picture in the child process; raises BankError if it can't be used."""
        try:
            async with self._file_lock(guild_id):
                return await self._files.run(partial(redraw, upload))
        except PictureError as error:
            message = str(error)
        except FileTooMuch:
            log.warning("guild %s: a picture of %s bytes took too much", guild_id, len(upload))
            message = TOO_MUCH_WORK
        raise BankError([Problem(PICTURE, message)])

    def _changed(self, own: Own, row: OwnItem, item: Mapping[str, Any]) -> Checked:
        """Check the new content of an own item."""
        topic = next(t for t in own.topics if t.topic_id == row.topic_id)
        names = TopicNames(topic.name, topic.title, topic.section, topic.section_title)
        draft = check_one({**item, "id": row.name}, names, schema())
        return checked(draft, own, self._card_length)

    async def numbered(self, guild_id: int, number: int) -> OwnItem:
        """Return an own item that is asked; refuse if there is none with that number."""
        found = await self._database.read(questions_store.own_items_numbered, guild_id, [number])
        return _asked_row(found, number)

    async def _save(
        self,
        guild_id: int,
        found: Checked,
        name: str,
        before: Callable[[Connection], None] | None = None,
        *,
        new: bool = False,
    ) -> Saved:
        await _refuse_problems(found)
        merged = await self._database.write(
            self._store, guild_id, found, before, name if new else None
        )
        return await self._database.read(
            self._saved, guild_id, name, replaced=len(merged.items) > 1
        )

    def _saved(self, conn: Connection, guild_id: int, name: str, *, replaced: bool) -> Saved:
        own = self._named(conn, guild_id, name)
        return Saved(own, replaced, pay.count_changed(conn, own.item, self._sources))

    @writing
    def correct(self, conn: Connection, guild_id: int, number: int) -> Regraded:
        """Regrade past answers to an own question by its current key.

        Refuses while a round or a challenge has the question in play.
        """
        questions_store.reserve_numbers(conn, guild_id, 0)
        found = questions_store.own_items_numbered(conn, guild_id, [number])
        if not found:
            raise UserError("That question is gone. See </bank list>.")
        row = found[0]
        if row.item_id in self._in_play.items(conn, guild_id, ROUND, CHALLENGE):
            raise UserError(
                "A round or a challenge is about to ask that question, or asks it now. Press this again once it's over."
            )
        item = item_of(row)
        done = pay.judge_again(conn, item, self._sources)
        for user_id in sorted(done.members):
            memory_store.replay(conn, user_id, item.id)
        log.info(
            "guild %s: %s past answers to %s were judged again", guild_id, done.answers, row.item_id
        )
        return done

    @writing
    def retire(self, conn: Connection, guild_id: int, number: int) -> OwnItem:
        """Retire an own item for good; refuse if it is retired already."""
        questions_store.reserve_numbers(conn, guild_id, 0)
        found = questions_store.own_items_numbered(conn, guild_id, [number])
        if not found or found[0].retired:
            raise UserError(
                "That question is already out. See </bank list> for those that are asked."
            )
        row = found[0]
        questions_store.save_items(conn, [replace(row, retired=True)])
        return row


def _rows(conn: Connection, guild_id: int) -> tuple[list[OwnTopic], list[OwnItem]]:
    return questions_store.own_topics_of(conn, guild_id), questions_store.own_items_of(
        conn, guild_id
    )


def _asked_row(rows: Sequence[OwnItem], number: int) -> OwnItem:
    row = next((row for row in rows if row.number == number and not row.retired), None)
    if row is None:
        raise UserError("That question was taken out or replaced meanwhile. See </bank list>.")
    return row


def _store_pictures(
    conn: Connection, guild_id: int, items: Sequence[OwnItem], new: Mapping[str, bytes]
) -> None:
    """Store a server's new pictures, and delete those that its items don't need any more."""
    files = PictureFiles.of(items)
    sizes = questions_store.picture_sizes(conn, guild_id)
    sizes |= {file: len(content) for file, content in new.items()}
    if files.asked - sizes.keys():
        raise UserError("That question was changed meanwhile. Open it again with </bank edit>.")
    unneeded = rules.unneeded_pictures(files, sizes)
    questions_store.delete_pictures(conn, guild_id, unneeded)
    questions_store.add_pictures(
        conn, guild_id, {file: new[file] for file in new.keys() & files.asked}
    )


async def _refuse_problems(found: Checked) -> None:
    """Draw a document's new formulas; raise BankError if they or the document have problems.

    Drawing stops at the first formula that takes too long.
    """
    problems = list(found.problems)
    new = found.formulas
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
