"""The database of a running bot is locked, full or damaged: no acknowledged answer is lost."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.crash.play import soon
from tests.crash.stage import Stage, texts

_SECONDS = 20
Trouble = Callable[[Stage], AbstractContextManager[None]]
_SORRY = "I couldn't save that just now. Try again in a moment."


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Hold the write lock, as another process would."""
    with closing(sqlite3.connect(stage.bot.database, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            conn.execute("ROLLBACK")


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    """Let the file system refuse every byte beyond the end of the write-ahead log."""
    limits = resource.prlimit(stage.bot.pid, resource.RLIMIT_FSIZE)
    size = Path(f"{stage.bot.database}-wal").stat().st_size
    assert size > len(stage.bot.log), "the log must still be written"
    resource.prlimit(stage.bot.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(stage.bot.pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.proven
@pytest.mark.parametrize("trouble", [locked, full])
async def test_nothing_can_be_stored(stage: Stage, trouble: Trouble) -> None:
    """An answer that can't be stored is refused, and counts once it can be."""
    await stage.start_round(seconds=_SECONDS)
    with trouble(stage):
        result = await stage.answer()
        assert result.text.startswith(_SORRY)
        assert stage.rows("SELECT * FROM answers") == []
    assert (await stage.answer()).text.startswith("Locked in")
    await stage.play(stage.settled)
    await stage.stop()
    wrong = [line for line in stage.verdict() if "log:" not in line]
    assert not wrong, texts(wrong)
    assert len(stage.rows("SELECT 1 FROM answers WHERE correct")) == 1


async def test_the_reveal_waits_for_room_on_the_disk(stage: Stage) -> None:
    """A deadline that passed while nothing could be stored is revealed once it can be."""
    await stage.start_round()
    assert (await stage.answer()).acked
    with full(stage):
        assert await soon(lambda: "the database can't be used (" in stage.bot.log)
        assert stage.rows("SELECT phase FROM rounds") == [("open",)]
    await stage.play(stage.settled)
    await stage.stop()
    assert stage.rows("SELECT user_id, correct FROM answers WHERE local_date IS NOT NULL") == [
        (stage.annegret.id, 1)
    ]


async def test_the_file_is_damaged(stage: Stage) -> None:
    """The program ends with exit code 1 and one line that says what to do, instead of failing for ever."""
    await stage.start_round(seconds=_SECONDS)
    for damaged in (stage.bot.database, Path(f"{stage.bot.database}-wal")):
        size = damaged.stat().st_size
        with damaged.open("r+b") as file:  # the same file: the bot has it open
            file.write(b"\xa5" * size)
    await stage.act(stage.annegret.slash(stage.channel, "quiz"))
    assert await stage.bot.dead() == 1
    last = stage.bot.log.strip().splitlines()[-1]
    assert last.startswith("the database is damaged")
    assert "restore a backup" in last
