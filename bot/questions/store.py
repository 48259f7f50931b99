"""Tables about questions: when they were asked, members' reports, and servers' own questions."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, select, update

from bot.core.tables import (
    ROWS_IN_MEMORY,
    Instant,
    RowId,
    fetch,
    fetch_all,
    insert,
    metadata,
    prepared,
    stream,
    upsert,
    upsert_all,
    values_of,
)
from bot.questions.model import Report
from bot.questions.own import OwnItem, OwnRows, OwnTopic, Sums, size_of

# When an item was last asked on a server, in a round or a daily.
asked = sa.Table(
    "asked",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.String(48), primary_key=True),
    sa.Column("last_at", Instant, nullable=False),
)

# Members' reports of faults in an item, or in a topic's open question; item_id then has the topic's
# id. guild_id is the server whose managers review the report: if the question is a server's own,
# that server, else the one where it was reported.
reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger),  # null: a shipped question, in direct messages
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    # Whether the server's managers have dealt with it.
    sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_reports_user_id", "user_id"),
    sa.Index("ix_reports_guild_id", "guild_id", "settled", "id"),
    sqlite_autoincrement=True,  # ids of erased rows must not be reused, because buttons hold them
)

# A server's bank: the names of its packs, separated by commas (null for all), and its own
# questions. `mark` changes whenever these change; `numbers` is the last number of an own question.
server_banks = sa.Table(
    "server_banks",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("mark", sa.BigInteger, nullable=False),
    sa.Column("packs", sa.Text),
    sa.Column("numbers", sa.BigInteger, nullable=False, server_default="0"),
)

# The topics of servers' own questions.
own_topics = sa.Table(
    "own_topics",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(48), nullable=False),
    sa.Column("topic_id", sa.String(48), nullable=False),
    sa.Column("section", sa.String(48), nullable=False),
    sa.Column("section_title", sa.String(100), nullable=False),
    sa.Column("title", sa.String(100), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),  # as `size_of` counts it
    sa.Column("content", sa.Text, nullable=False),
    sa.UniqueConstraint("guild_id", "name"),
)

# Servers' own items. A retired one stays because members answered it; its name can be used again.
own_items = sa.Table(
    "own_items",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(48), nullable=False),
    sa.Column("topic_id", sa.String(48), nullable=False),
    sa.Column("retired", sa.Boolean, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),  # as `size_of` counts it
    sa.Column("picture", sa.String(60)),  # the file that its content names, if any
    sa.Column("content", sa.Text, nullable=False),
)
sa.Index(
    "uq_own_items_name",
    own_items.c.guild_id,
    own_items.c.name,
    unique=True,
    sqlite_where=~own_items.c.retired,
)

# The pictures of servers' own items, whose content names their files. A file is named by what is
# in it, so its content never changes, and items with the same picture share it.
own_pictures = sa.Table(
    "own_pictures",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("file", sa.String(60), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    info={ROWS_IN_MEMORY: 10},
)


def note_asked(conn: Connection, guild_id: int, item_id: str, now: datetime) -> None:
    """Record that an item is asked on a server."""
    upsert(conn, asked, guild_id=guild_id, item_id=item_id, last_at=now)


def asked_in(conn: Connection, guild_id: int) -> dict[str, int]:
    """Return when each item was last asked on a server, in milliseconds since 1970.

    Converting a whole bank's times to datetimes would take longer than the draw that needs them.
    """
    return {row.item_id: row.last_at for row in _asked_in(conn, guild_id)}


@prepared
def _asked_in(guild_id: int) -> Select[Any]:
    last_at = sa.type_coerce(asked.c.last_at, sa.BigInteger).label("last_at")
    return select(asked.c.item_id, last_at).where(asked.c.guild_id == guild_id)


def add_report(
    conn: Connection, *, guild_id: int | None, user_id: int, item_id: str, text: str, at: datetime
) -> None:
    conn.execute(
        reports.insert().values(
            guild_id=guild_id, user_id=user_id, item_id=item_id, text=text, at=at
        )
    )


def open_reports(conn: Connection, guild_id: int | None, user_id: int) -> list[str]:
    """Return the item or topic of each open report of a member on a server.

    None as server means reports made in direct messages.
    """
    query = select(reports.c.item_id).where(*_is_open(guild_id), reports.c.user_id == user_id)
    return list(conn.execute(query).scalars())


def reports_since(conn: Connection, since: datetime) -> list[Report]:
    """Return all reports since a moment, the newest last."""
    return fetch_all(
        conn, select(reports).where(reports.c.at >= since).order_by(reports.c.id), Report
    )


def next_report(conn: Connection, guild_id: int, after: int) -> Report | None:
    """Return a server's oldest open report with an id above `after`."""
    query = select(reports).where(*_is_open(guild_id), reports.c.id > after)
    return fetch(conn, query.order_by(reports.c.id).limit(1), Report)


def count_reports(conn: Connection, guild_id: int, most: int) -> int:
    """Count a server's open reports, up to `most`."""
    some = select(reports.c.id).where(*_is_open(guild_id)).limit(most)
    return conn.execute(select(sa.func.count()).select_from(some.subquery())).scalar_one()


def settle_report(conn: Connection, guild_id: int, report_id: int) -> None:
    """Record that a server's managers have dealt with a report."""
    this_report = reports.c.id == report_id, reports.c.guild_id == guild_id
    conn.execute(update(reports).where(*this_report).values(settled=True))


def _is_open(guild_id: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    return reports.c.guild_id == guild_id, reports.c.settled == sa.false()


def bank_mark(conn: Connection, guild_id: int) -> int | None:
    """Return a number that changes with a server's bank; None for the bank of all packs."""
    return _bank_mark(conn, guild_id).scalar()


@prepared
def _bank_mark(guild_id: int) -> Select[Any]:
    return select(server_banks.c.mark).where(server_banks.c.guild_id == guild_id)


def bank_marks(
    conn: Connection, servers: Collection[int], limit: int
) -> tuple[tuple[int, int], ...]:
    """Return id and mark of those of these servers that have a bank of their own.

    The newest servers come first: https://discord.com/developers/docs/reference#snowflakes
    """
    query = (
        select(server_banks.c.guild_id, server_banks.c.mark)
        .where(server_banks.c.guild_id.in_(sorted(servers)))
        .order_by(server_banks.c.guild_id.desc())
    )
    return tuple((row.guild_id, row.mark) for row in conn.execute(query.limit(limit)))


def packs_of(conn: Connection, guild_id: int) -> list[str] | None:
    """Return the names of a server's packs; None for all."""
    names = conn.execute(
        select(server_banks.c.packs).where(server_banks.c.guild_id == guild_id)
    ).scalar()
    return None if names is None else names.split(",")


def set_packs(conn: Connection, guild_id: int, names: Collection[str] | None) -> None:
    """Set a server's packs; None for all, including later ones."""
    change_bank(conn, guild_id, packs=None if names is None else ",".join(sorted(names)))


def change_bank(conn: Connection, guild_id: int, /, **values: object) -> None:
    """Record a change of a server's bank, so that every process loads it again."""
    upsert(conn, server_banks, guild_id=guild_id, mark=_new_mark(), **values)


def _new_mark() -> int:
    return secrets.randbits(62)


def lock_bank(conn: Connection, guild_id: int) -> None:
    """Keep others from changing a server's bank until this transaction ends."""
    c = server_banks.c
    conn.execute(update(server_banks).where(c.guild_id == guild_id).values(mark=c.mark))


def last_number(conn: Connection, guild_id: int) -> int:
    """Return the last number of a server's own questions; 0 if there were none yet."""
    query = select(server_banks.c.numbers).where(server_banks.c.guild_id == guild_id)
    return conn.execute(query).scalar() or 0


def change_bank_since(conn: Connection, guild_id: int, mark: int | None, numbers: int) -> bool:
    """Change a server's bank and set its last number; False if its mark isn't this one any more.

    Nobody else can change the server's bank until this transaction ends.
    """
    c = server_banks.c
    changed = {"mark": _new_mark(), "numbers": numbers}
    if mark is None:
        fresh = insert(conn, server_banks).on_conflict_do_nothing()
        return conn.execute(fresh, {"guild_id": guild_id, **changed}).rowcount == 1
    same = update(server_banks).where(c.guild_id == guild_id, c.mark == mark)
    return conn.execute(same.values(changed)).rowcount == 1


def own_rows_of(conn: Connection, guild_id: int) -> OwnRows:
    """Return a server's own topics and items, including retired ones, the oldest first."""
    topics, items = _rows_of(own_topics, guild_id), _rows_of(own_items, guild_id)
    return OwnRows.of(stream(conn, topics, OwnTopic), stream(conn, items, OwnItem))


def own_items_of(conn: Connection, guild_id: int) -> Iterator[OwnItem]:
    """Yield a server's own items that are asked, the oldest first, reading a few at a time."""
    return stream(conn, _rows_of(own_items, guild_id).where(~own_items.c.retired), OwnItem)


def _rows_of(table: sa.Table, guild_id: int) -> Select[Any]:
    return select(table).where(table.c.guild_id == guild_id).order_by(table.c.number)


def topic_titles(conn: Connection, guild_id: int) -> list[OwnTopic]:
    """Return a server's own topics without their content."""
    left_out = sa.literal("{}").label("content")
    columns = [column for column in own_topics.c if column.name != "content"]
    query = select(*columns, left_out).where(own_topics.c.guild_id == guild_id)
    return fetch_all(conn, query.order_by(own_topics.c.number), OwnTopic)


def own_topics_named(conn: Connection, guild_id: int, names: Collection[str]) -> list[OwnTopic]:
    """Return a server's own topics with these names."""
    c = own_topics.c
    query = select(own_topics).where(c.guild_id == guild_id, c.name.in_(sorted(names)))
    return fetch_all(conn, query, OwnTopic)


def names_like(conn: Connection, guild_id: int, start: str) -> set[str]:
    """Return the names of a server's own items that are asked and begin with `start`."""
    c = own_items.c
    query = select(c.name).where(c.guild_id == guild_id, ~c.retired)
    return set(conn.execute(query.where(c.name.startswith(start, autoescape=True))).scalars())


def own_numbers(conn: Connection, guild_id: int, offset: int, limit: int) -> list[int]:
    """Return some numbers of a server's own items that are asked, the oldest first."""
    c = own_items.c
    query = select(c.number).where(c.guild_id == guild_id, ~c.retired).order_by(c.number)
    return list(conn.execute(query.offset(offset).limit(limit)).scalars())


def own_items_numbered(conn: Connection, guild_id: int, numbers: Collection[int]) -> list[OwnItem]:
    """Return a server's own items with these numbers, including retired ones, the oldest first."""
    query = _rows_of(own_items, guild_id).where(own_items.c.number.in_(sorted(numbers)))
    return fetch_all(conn, query, OwnItem)


def own_topics_with(
    conn: Connection, guild_id: int, numbers: Collection[int], topic_ids: Collection[str]
) -> list[OwnTopic]:
    """Return the topics of a server's own questions with one of these numbers or ids."""
    c = own_topics.c
    wanted = sa.or_(c.number.in_(sorted(numbers)), c.topic_id.in_(sorted(topic_ids)))
    return fetch_all(conn, select(own_topics).where(c.guild_id == guild_id, wanted), OwnTopic)


def own_sums(conn: Connection, guild_id: int) -> Sums:
    """Return the sums of a server's own topics and items, including retired ones."""
    items, topics = own_items.c, own_topics.c
    asked = sa.func.count().filter(~items.retired)
    of_items = select(asked, sa.func.sum(items.size)).where(items.guild_id == guild_id)
    of_topics = select(sa.func.count(), sa.func.sum(topics.size))
    number, size = conn.execute(of_items).one()
    count, more = conn.execute(of_topics.where(topics.guild_id == guild_id)).one()
    return Sums(number, count, (size or 0) + (more or 0))


def own_sizes(conn: Connection, guild_ids: Sequence[int]) -> dict[int, int]:
    """Return the bytes of servers' own topics and items, in the order given."""
    sizes = dict.fromkeys(guild_ids, 0)
    for table in (own_topics, own_items):
        query = select(table.c.guild_id, sa.func.sum(table.c.size).label("bytes"))
        of_these = query.where(table.c.guild_id.in_(guild_ids)).group_by(table.c.guild_id)
        for row in conn.execute(of_these):
            sizes[row.guild_id] += row.bytes
    return sizes


def save_topics(conn: Connection, rows: Sequence[OwnTopic]) -> None:
    """Store new or changed topics of a server."""
    upsert_all(conn, own_topics, [{**values_of(row), "size": size_of(row)} for row in rows])


def save_items(conn: Connection, rows: Sequence[OwnItem]) -> None:
    """Store new or changed items of a server."""
    values = [{**values_of(row), "size": size_of(row), "picture": row.picture} for row in rows]
    upsert_all(conn, own_items, values)


def retire_items(conn: Connection, guild_id: int, numbers: Collection[int]) -> None:
    """Retire own items, by their numbers."""
    c = own_items.c
    these = c.guild_id == guild_id, c.number.in_(sorted(numbers))
    if numbers:
        conn.execute(update(own_items).where(*these).values(retired=True))


def picture_files(conn: Connection, guild_id: int) -> tuple[set[str], list[str]]:
    """Return the files of pictures that a server's items name: of those that are asked, and others.

    The others are in the order of their latest items, the oldest first.
    """
    c = own_items.c
    last = sa.func.max(c.number)
    query = select(c.picture, c.retired).where(c.guild_id == guild_id, c.picture.is_not(None))
    rows = conn.execute(query.group_by(c.picture, c.retired).order_by(last)).all()
    asked = {row.picture for row in rows if not row.retired}
    return asked, [row.picture for row in rows if row.retired and row.picture not in asked]


def own_pictures_of(conn: Connection, guild_id: int, files: Collection[str]) -> dict[str, bytes]:
    """Return some pictures of a server's own items, by file."""
    c = own_pictures.c
    query = select(c.file, c.content).where(c.guild_id == guild_id, c.file.in_(sorted(files)))
    return {row.file: row.content for row in conn.execute(query)}


def picture_sizes(conn: Connection, guild_id: int) -> dict[str, int]:
    """Return the bytes of each picture of a server's own items, by file."""
    c = own_pictures.c
    query = select(c.file, sa.func.length(c.content).label("bytes")).where(c.guild_id == guild_id)
    return {row.file: row.bytes for row in conn.execute(query)}


def add_pictures(conn: Connection, guild_id: int, pictures: Mapping[str, bytes]) -> None:
    """Store pictures of a server's own items, by file. Those that are there already stay."""
    if pictures:
        rows = [
            {"guild_id": guild_id, "file": file, "content": content}
            for file, content in pictures.items()
        ]
        conn.execute(insert(conn, own_pictures).on_conflict_do_nothing(), rows)


def delete_pictures(conn: Connection, guild_id: int, files: Collection[str]) -> None:
    c = own_pictures.c
    if files:
        conn.execute(own_pictures.delete().where(c.guild_id == guild_id, c.file.in_(sorted(files))))
