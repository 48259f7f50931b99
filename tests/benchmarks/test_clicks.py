"""The benchmarks still run: a short one of clicks, through the stub, for both clients. No figure is checked."""

from __future__ import annotations

import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import clicks
from benchmarks.play import Clicks, Unanswered
from benchmarks.stub.server import Stub

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        sys.platform != "linux", reason="the benchmarks read /proc and pin processes to cores"
    ),
]
PLAN = clicks.Plan(rates=(100,), seconds=0.5, saturated=0.5, warm_up=0.2)


async def test_clicks_on_the_bot_and_on_the_bare_client(tmp_path: Path) -> None:
    """The bot acknowledges and stores every click on its cards; the bare client acknowledges clicks on them."""
    bot, cards = await clicks.run("bot", tmp_path, PLAN, [], seed=1)
    bare, again = await clicks.run("bare", tmp_path, PLAN, cards, seed=1)
    assert cards == again
    assert len(cards) == clicks.CHANNELS
    for result in (bot, bare):
        assert 0 < result.at[100].p50 <= result.at[100].p99
        assert min(result.per_second, result.cpu, result.stub_cpu) > 0


async def test_an_answer_that_is_not_stored_fails_the_run(tmp_path: Path) -> None:
    """A client that acknowledges what it has not committed gives no figures."""
    async with Stub() as stub:
        clicker = Clicks(stub, [], rng=random.Random(1))
        clicker.acknowledged = 1
        database = tmp_path / "bot.db"
        with closing(sqlite3.connect(database)) as conn:
            conn.execute("CREATE TABLE round_answers (question_id INTEGER)")
        with pytest.raises(Unanswered):
            await clicks.check_durable(database, clicker, 0.01)
