"""A month of one day: nothing is wrong after its night, and each kind of damage is found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.backup import back_up
from soak.month import __main__ as month

pytestmark = pytest.mark.thorough

FAULTS = {
    "DELETE FROM answers WHERE source = 'daily'": "acknowledged but not stored",
    "UPDATE answers SET streak = 99": "has a streak of 99",
    "UPDATE streaks SET current = best + 1": "the streak of",
    "UPDATE totals SET points = points + 1": "a repair changes",
    "UPDATE cards SET due_at = due_at + 1": "a replay makes",
    "DELETE FROM dailies": "has no daily on",
    "UPDATE dailies SET item_id = 'lora-1', topic_id = NULL": "ask lora-1 at once",
    "DELETE FROM answers WHERE source = 'practice'": "the bot said that it has an answer",
}


class DamagedMonth(month.Month):
    """A month whose night is checked again and again, each time with another damage."""

    async def _check(self) -> None:
        remembered = dict(self.world.interactions)
        await super()._check()
        assert self.broken == []
        for fault, sentence in FAULTS.items():

            def damaged(source: Path, copy: Path, fault: str = fault) -> None:
                back_up(source, copy)
                with closing(sqlite3.connect(copy)) as conn, conn:
                    conn.execute(fault)

            self.world.interactions = dict(remembered)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(month, "back_up", damaged)
                await super()._check()
            assert any(sentence in line for line in self.broken), (fault, self.broken)
            self.broken.clear()


def test_a_night_finds_damage_and_nothing_else(tmp_path: Path) -> None:
    """Two servers and forty members live for a day and a night."""
    with month.virtual_time() as (runner, clocks):
        run = DamagedMonth(tmp_path, clocks, seed=1, days=1)
        run.members.settle(servers=2, members=40)
        assert runner.run(run.run()) == []
    assert run.members.did["answers"] > 5
    assert run.members.promised
    assert run.bot.starts == 2
    assert run.report("a day").endswith("None.")
