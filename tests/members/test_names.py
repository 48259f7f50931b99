"""Names are stored when they are new or have changed, and at no other time."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from bot.members.store import Member, names_of
from tests.stage import ALWINA, BOB, GUILD, Stage


async def known(stage: Stage, guild_id: int = GUILD) -> dict[int, str]:
    await stage.bot.names.flush()
    return await stage.database.read(names_of, guild_id, [ALWINA, BOB, 999])


async def test_names_differ_by_server(stage: Stage) -> None:
    """A member may have another name on each server, and none where they were never seen."""
    stage.bot.names.set(GUILD, ALWINA, "Alwina L.")
    stage.bot.names.set(GUILD + 1, ALWINA, "countess")
    assert await known(stage) == {ALWINA: "Alwina L.", BOB: "Bob"}
    assert await known(stage, GUILD + 1) == {ALWINA: "countess"}


async def test_a_known_name_costs_no_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged name is not written, and new names of one moment share a write."""
    writes = []
    write = stage.database.write

    async def counted(*args: object) -> object:
        writes.append(args)
        return await write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.database, "write", counted)
    for name in ("Alwina", "Alwina", "Countess", "Countess"):
        stage.bot.names.set(GUILD, ALWINA, name)
        stage.bot.names.set(GUILD, BOB, "Bobby")
    assert await known(stage) == {ALWINA: "Countess", BOB: "Bobby"}
    stage.bot.names.set(GUILD, ALWINA, "Countess")
    await stage.bot.names.flush()
    assert len(writes) == 1


async def test_names_are_stored_without_being_asked_for(stage: Stage) -> None:
    """A name is stored after a moment, and at the latest when the bot closes."""
    stage.bot.names.set(GUILD, ALWINA, "Countess")
    assert stage.bot.names._storing is not None
    await stage.bot.names._storing
    assert (await stage.database.read(names_of, GUILD, [ALWINA])) == {ALWINA: "Countess"}
    stage.bot.names.set(GUILD, ALWINA, "Alwina")
    await stage.bot.names.close()
    assert (await stage.database.read(names_of, GUILD, [ALWINA])) == {ALWINA: "Alwina"}


async def test_a_name_that_was_not_stored_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed write the next interaction stores the name."""

    async def fail(*_: object) -> None:
        raise OperationalError("write", None, OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(stage.database, "write", fail)
        stage.bot.names.set(GUILD, ALWINA, "Countess")
        await stage.bot.names.flush()
    assert (await known(stage))[ALWINA] == "Alwina"
    stage.bot.names.set(GUILD, ALWINA, "Countess")
    assert (await known(stage))[ALWINA] == "Countess"


async def test_names_that_were_erased_come_back(stage: Stage) -> None:
    """Erased names leave the cache, so the next interaction stores them; others stay."""
    names = stage.bot.names
    for guild_id, user_id in ((GUILD, ALWINA), (GUILD + 1, ALWINA), (GUILD + 1, BOB)):
        names.set(guild_id, user_id, "x")

    def cached() -> list[Member]:
        return sorted(member for member in names._known if member[1] in {ALWINA, BOB})

    names.forget_member(ALWINA)
    assert cached() == [(GUILD, BOB), (GUILD + 1, BOB)]
    names.forget_server(GUILD + 1)
    assert cached() == [(GUILD, BOB)]


async def test_any_name_can_be_stored(stage: Stage) -> None:
    """Null characters are dropped and long names are cut; everything else is stored as it is."""
    stage.bot.names.set(GUILD, ALWINA, "a\x00b" + "😀" * 100)
    assert (await known(stage))[ALWINA] == "ab" + "😀" * 62


async def test_the_cache_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache drops the oldest name; it is stored again later, which changes nothing."""
    monkeypatch.setattr("bot.members.names._CACHE_SIZE", 6)
    for n in range(5):
        stage.bot.names.set(GUILD, 1000 + n, f"m{n}")
    assert len(stage.bot.names._known) == 6
