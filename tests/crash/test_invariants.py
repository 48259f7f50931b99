"""The invariants find what they are for: each kind of damage, after a good play."""

from __future__ import annotations

import copy
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.crash.invariants import broken
from tests.crash.play import close_dailies, revealed, standings
from tests.crash.stage import Stage, play_challenge, play_round, staged
from tests.loopback.model import Message
from tests.loopback.panel import add_daily, press

IN_THE_DATABASE = """
acknowledged but not stored: DELETE FROM answers WHERE source = 'round'
acknowledged but not stored: DELETE FROM answers WHERE source = 'daily'
stored but never given: UPDATE answers SET user_id = 5 WHERE correct
locked in: UPDATE answers SET answer = (answer + 1) % 4 WHERE source = 'round' AND correct
best times: UPDATE answers SET elapsed_ms = elapsed_ms + 1000 WHERE source = 'round' AND correct
the stored message is: UPDATE round_questions SET message_id = 5
never scored: UPDATE round_questions SET revealed_at = NULL
never ended: UPDATE rounds SET phase = 'open'
counts on None: UPDATE answers SET local_date = NULL
it won: UPDATE answers SET paid = paid + 1
has the rating None: UPDATE answers SET rating = NULL WHERE source = 'round'
has the rating: UPDATE answers SET rating = 4 - rating WHERE rating != 2
a repair changes: UPDATE totals SET points = points + 1 WHERE topic_id = ''
was expected 500, asked with None: UPDATE answers SET expected = 500
a repair changes: DELETE FROM totals
a replay makes: UPDATE cards SET due_at = due_at + 1
a replay makes: DELETE FROM cards
the latest open answer is None: INSERT INTO met VALUES (5, 'lora', 1, 1, 2, 5)
is 'missed' with 1 messages: UPDATE dailies SET state = 'missed'
is stuck: UPDATE dailies SET state = 'closing'
before its time: UPDATE dailies SET scheduled_at = scheduled_at + 100000
the stored message is: UPDATE dailies SET message_id = 5
"""
IN_A_CHALLENGE = """
which is not stored: DELETE FROM challenge_shown WHERE question_id = 1
acknowledged but not stored: UPDATE answers SET answer = NULL WHERE source = 'challenge'
locked in: UPDATE answers SET answer = (answer + 1) % 4 WHERE source = 'challenge' AND NOT typed
never given: UPDATE answers SET user_id = 5 WHERE source = 'challenge' AND correct
the standings say: UPDATE answers SET points = points + 1 WHERE source = 'challenge'
is stuck: UPDATE challenges SET state = 'counting'
its card shows the end: UPDATE challenges SET state = 'open'
the stored message is: UPDATE challenges SET message_id = 5
mentions [] instead of: UPDATE challenges SET pings = 1
counts on None: UPDATE answers SET local_date = NULL WHERE source = 'challenge'
has the rating None: UPDATE answers SET rating = NULL WHERE source = 'challenge'
was asked on its server: UPDATE round_questions SET (asked_at, item_id) = (SELECT * FROM hidden)
"""
"""A line each: what is found, and the statement that does the damage."""
_HIDDEN = (
    "CREATE TEMP VIEW hidden AS SELECT started_at + 1, item_id FROM challenges, challenge_questions"
)
"""A question of a challenge, and when it must not be asked elsewhere."""


def repeat(message: Message) -> None:
    """Send a message a second time, as a bot that forgot would."""
    twin = copy.copy(message)
    twin.id = message.id + 1
    message.channel.messages[twin.id] = twin


def turn_back(message: Message) -> None:
    message.history.append(message.history[0])


IN_SIGHT: dict[str, Callable[[Stage], object]] = {
    "has 2 cards": lambda stage: repeat(revealed(stage.channel)[0]),
    "has 2 dailies on": lambda stage: repeat(revealed(stage.channel, "daily")[0]),
    "with 2 standings": lambda stage: repeat(standings(stage.channel)[0]),
    "question 1: its card was turned back": lambda stage: turn_back(revealed(stage.channel)[0]),
    "is closed, but": lambda stage: turn_back(revealed(stage.channel, "daily")[0]),
    "with 0 standings": lambda stage: stage.channel.messages.pop(standings(stage.channel)[0].id),
    "has 0 cards": lambda stage: stage.channel.messages.pop(revealed(stage.channel)[0].id),
}


def check_damage(stage: Stage, lines: str, copied: Path) -> None:
    """Damage copies of the database; each damage must be found."""
    for line in lines.strip().splitlines():
        sentence, _, sql = line.partition(": ")
        shutil.copy(stage.bot.database, copied)
        with closing(sqlite3.connect(copied)) as conn, conn:
            conn.execute(_HIDDEN)
            conn.execute(sql)
        found = broken(copied, stage.world, "")
        assert any(sentence in problem for problem in found), (sql, found)


async def test_damage_is_found(tmp_path: Path) -> None:
    """Nothing is found after a good round and daily; each damage to the database or a card is."""
    async with staged(tmp_path) as stage:
        await play_round(stage, lambda: None)
        await stage.bot.start()
        panel = await add_daily(stage.annegret, stage.channel)
        await press(stage.annegret, panel, "Post now")
        await stage.play(lambda: len(stage.done) == 4)
        await stage.stop()
        close_dailies(stage.bot.database)
        await stage.bot.start()
        await stage.play(lambda: stage.daily_is("closed"))
        await stage.stop()
        assert stage.verdict() == []
        check_damage(stage, IN_THE_DATABASE, tmp_path / "copy.db")
        for sentence, damage in IN_SIGHT.items():
            before = dict(stage.channel.messages)
            histories = {m.id: list(m.history) for m in before.values()}
            damage(stage)
            found = broken(stage.bot.database, stage.world, "")
            assert any(sentence in problem for problem in found), (sentence, found)
            stage.channel.messages.clear()
            stage.channel.messages.update(before)
            for message in before.values():
                message.history[:] = histories[message.id]
        assert broken(stage.bot.database, stage.world, "2026 ERROR x: y")


def broken_in(stage: Stage) -> list[str]:
    return broken(stage.bot.database, stage.world, "")


async def test_damage_to_a_challenge_is_found(tmp_path: Path) -> None:
    """Nothing is found after a good challenge with two players; each damage is."""
    async with staged(tmp_path) as stage:
        await play_round(stage, lambda: None)
        stage.done.clear()
        await play_challenge(stage, lambda: None)
        assert stage.verdict() == []
        check_damage(stage, IN_A_CHALLENGE, tmp_path / "copy.db")
        messages = stage.channel.messages.values()
        card = next(m for m in messages if any(i.startswith("taken:") for i in m.custom_ids))
        mine = [m for m in messages if m.audience == stage.annegret.id]
        asked = next(m for m in mine if len(m.history) > 2)
        turn_back(card)
        assert any("turned back" in problem for problem in broken_in(stage))
        card.history.pop()
        last = asked.history[-1]
        for text, sentence in (
            (last.text.replace("### 2 of", "### 1 of"), "had 2 right in challenge 1, and read"),
            (last.text.replace("**.\n", "**. Right.\n", 1), "read more than what they locked in"),
        ):
            asked.history[-1] = replace(last, text=text)
            assert any(sentence in problem for problem in broken_in(stage)), sentence
