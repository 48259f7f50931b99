"""Names are stored when they are new or have changed, and at no other time."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from bot.members.store import names_of
from tests.stage import ALWINA, BOB, GUILD, Stage


async def known(stage: Stage, guild_id: int = GUILD) -> dict[int, str]:
    await stage.bot.names.flush()
    return await stage.database.read(names_of, guild_id, [ALWINA, BOB, 999])


async def test_the_latest_name_counts_on_each_server(stage: Stage) -> None:
    """A member may be called differently on two servers; whoever was never seen there has no name."""
    stage.bot.names.note(GUILD, ALWINA, "Alwina L.")
    stage.bot.names.note(GUILD + 1, ALWINA, "countess")
    assert await known(stage) == {ALWINA: "Alwina L.", BOB: "Bob"}
    assert await known(stage, GUILD + 1) == {ALWINA: "countess"}


async def test_a_known_name_costs_no_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name again is not written; what is new in one moment is written at once."""
    writes = []
    write = stage.database.write_one

    async def counted(*args: object) -> object:
        writes.append(args)
        return await write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.database, "write_one", counted)
    for name in ("Alwina", "Alwina", "Countess", "Countess"):
        stage.bot.names.note(GUILD, ALWINA, name)
        stage.bot.names.note(GUILD, BOB, "Bobby")
    assert await known(stage) == {ALWINA: "Countess", BOB: "Bobby"}
    stage.bot.names.note(GUILD, ALWINA, "Countess")
    await stage.bot.names.flush()
    assert len(writes) == 1


async def test_names_are_stored_though_nobody_asks(stage: Stage) -> None:
    """After a moment, and at the latest when the bot closes."""
    stage.bot.names.note(GUILD, ALWINA, "Countess")
    assert stage.bot.names._storing is not None
    await stage.bot.names._storing
    assert (await stage.database.read(names_of, GUILD, [ALWINA])) == {ALWINA: "Countess"}
    stage.bot.names.note(GUILD, ALWINA, "Alwina")
    await stage.bot.names.close()
    assert (await stage.database.read(names_of, GUILD, [ALWINA])) == {ALWINA: "Alwina"}


async def test_a_name_that_was_not_stored_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed write the next interaction brings it."""

    async def fail(*_: object) -> None:
        raise OperationalError("write", None, OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(stage.database, "write_one", fail)
        stage.bot.names.note(GUILD, ALWINA, "Countess")
        await stage.bot.names.flush()
    assert (await known(stage))[ALWINA] == "Alwina"
    stage.bot.names.note(GUILD, ALWINA, "Countess")
    assert (await known(stage))[ALWINA] == "Countess"


async def test_names_that_were_erased_come_back(stage: Stage) -> None:
    """A member's or a server's names are forgotten, and stored with the next interaction; others' are still known."""
    notes, writes = stage.bot.names, []
    for guild_id, user_id in ((GUILD, ALWINA), (GUILD + 1, ALWINA), (GUILD + 1, BOB)):
        notes.note(guild_id, user_id, "x")
    notes.forget_member(ALWINA)
    writes.append(sorted(notes._known))
    notes.forget_server(GUILD + 1)
    writes.append(sorted(notes._known))
    assert [[member for member in known if member[1] in {ALWINA, BOB}] for known in writes] == [
        [(GUILD, BOB), (GUILD + 1, BOB)],
        [(GUILD, BOB)],
    ]


async def test_any_name_can_be_stored(stage: Stage) -> None:
    """Names are kept as they are, but for what a database can't hold and for more than a name's length."""
    stage.bot.names.note(GUILD, ALWINA, "a\x00b" + "😀" * 100)
    assert (await known(stage))[ALWINA] == "ab" + "😀" * 62


async def test_what_is_remembered_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd pushes out who came first; their name is then written again, which changes nothing."""
    monkeypatch.setattr("bot.members.service._REMEMBERED", 6)
    for n in range(5):
        stage.bot.names.note(GUILD, 1000 + n, f"m{n}")
    assert len(stage.bot.names._known) == 6
