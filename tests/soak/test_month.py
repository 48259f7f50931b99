"""A month of one day: the real bot over HTTP and gateway, whose night finds nothing, and then what has been damaged."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from soak.month.__main__ import START, Month
from soak.month.clock import JumpingLoop, Machine
from soak.month.habits import people

pytestmark = pytest.mark.thorough

FAULTS = {
    "DELETE FROM daily_answers": "acknowledged but not stored",
    "UPDATE daily_answers SET streak = streak + 1": "a replay says",
    "UPDATE scores SET points = points + 1 WHERE period = 'month'": "rows are not what the ledger makes",
    "UPDATE cards SET due_at = due_at + 1": "its reviews make",
    "DELETE FROM dailies": "has no daily on",
    "UPDATE practice_questions SET answer = NULL": "the bot said that it has an answer",
}


class _Damaged(Month):
    """A month whose nights look at a database in which something is damaged; each fault is looked for in turn."""

    async def _check(self) -> None:
        await super()._check()
        assert self.broken == []
        copy = super()._copy
        for fault, sentence in FAULTS.items():

            def damaged(fault: str = fault) -> Path:
                file = copy()
                with closing(sqlite3.connect(file)) as conn, conn:
                    conn.execute("PRAGMA foreign_keys = OFF")
                    conn.execute(fault)
                return file

            self._copy = damaged  # type: ignore[method-assign]
            await super()._check()
            assert any(sentence in line for line in self.broken), (fault, self.broken)
            self.broken.clear()
        self._copy = copy  # type: ignore[method-assign]


def test_a_night_finds_damage_and_nothing_else(tmp_path: Path) -> None:
    """Two servers and forty members for a day and a night; nothing is wrong before anything is damaged."""
    loop = JumpingLoop()
    machine = Machine(loop, START)
    with machine.in_place(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        month = _Damaged(tmp_path, machine, people(1, 2, 40, 1), 1, 1, deploys=True)
        assert runner.run(month.run()) == []
        assert month.life.did["/practice"] > 0
        assert month.life.did["answers"] > 5
        assert month.bot.starts == 2
        assert "None." in month.report()
