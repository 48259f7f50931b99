"""The invariants notice what they are for: after a good play, every kind of damage is found."""

from __future__ import annotations

import copy
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.crash.invariants import broken
from tests.crash.play import close_dailies, revealed, standings
from tests.crash.stage import Stage, play_challenge, play_round, staged
from tests.loopback.model import Message

DAMAGE = {
    "DELETE FROM round_answers WHERE user_id = (SELECT min(user_id) FROM round_answers)": "acknowledged but not stored",
    "DELETE FROM daily_answers": "acknowledged but not stored",
    "INSERT INTO round_answers SELECT question_id, 5, answer, correct, points, elapsed_ms, answered_at, NULL "
    "FROM round_answers LIMIT 1": "stored but never given",
    "UPDATE round_answers SET answer = (answer + 1) % 4 WHERE correct": "locked in",
    "UPDATE round_answers SET points = points + 1 WHERE correct": "best times",
    "UPDATE round_questions SET message_id = 5": "the stored message is",
    "UPDATE round_questions SET revealed_at = NULL": "never scored",
    "UPDATE rounds SET phase = 'open'": "never ended",
    "DELETE FROM ledger": "not in the ledger",
    "UPDATE ledger SET points = points + 1": "the ledger says",
    "UPDATE ledger SET source_id = 77 WHERE source = 'round'": "in the ledger without an answer",
    "UPDATE scores SET points = points + 1 WHERE period = 'week'": "the sums say",
    "DELETE FROM scores WHERE period = 'all'": "the sums say",
    "DELETE FROM reviews WHERE source = 'round'": "no review of",
    "UPDATE reviews SET source_id = 77 WHERE source = 'daily'": "a review without an answer",
    "UPDATE reviews SET rating = 4 - rating WHERE rating != 2": "the review of",
    "UPDATE cards SET due_at = due_at + 1": "its reviews make",
    "DELETE FROM cards": "its reviews make",
    "UPDATE dailies SET state = 'missed'": "is 'missed' with 1 messages",
    "UPDATE dailies SET state = 'closing'": "is stuck",
    "UPDATE dailies SET message_id = 5": "the stored message is",
    "INSERT INTO recaps (guild_id, week, state, channel_id, message_id, scheduled_at) "
    "VALUES (1, '2026-01-05', 'posted', 1, 5, 0)": "the recaps in channels are [], those that are noted [5]",
    "INSERT INTO recaps (guild_id, week, state, channel_id, scheduled_at) "
    "VALUES (1, '2026-01-05', 'posting', 1, 0)": "is stuck",
}


def _again(message: Message) -> None:
    """The same message once more, as a bot that forgot would send it."""
    twin = copy.copy(message)
    twin.id = message.id + 1
    message.channel.messages[twin.id] = twin


def _take_back(message: Message) -> None:
    message.history.append(message.history[0])


SIGHT: dict[str, tuple[Callable[[Stage], object], str]] = {
    "a second card": (lambda s: _again(revealed(s.channel)[0]), "has 2 cards"),
    "a second daily": (lambda s: _again(revealed(s.channel, "daily")[0]), "has 2 dailies"),
    "second standings": (lambda s: _again(standings(s.channel)[0]), "2 standings"),
    "a card turned back": (lambda s: _take_back(revealed(s.channel)[0]), "turned back"),
    "a daily turned back": (
        lambda s: _take_back(revealed(s.channel, "daily")[0]),
        "its card is not",
    ),
    "no standings": (lambda s: s.channel.messages.pop(standings(s.channel)[0].id), "0 standings"),
    "no card": (lambda s: s.channel.messages.pop(revealed(s.channel)[0].id), "has 0 cards"),
    "a malformed request": (
        lambda s: s.world.violations.append("a button too many"),
        "a button too many",
    ),
}


async def test_damage_is_found(tmp_path: Path) -> None:
    """Nothing is found after a good round and daily; each damage to what is stored or shown is."""
    async with staged(tmp_path) as stage:
        await play_round(stage, lambda: None)
        await stage.bot.start()
        options = {"channel": stage.channel, "time": "00:00", "timezone": "UTC"}
        await stage.annegret.slash(stage.channel, "daily setup", **options)
        await stage.annegret.slash(stage.channel, "daily post")
        await stage.play(lambda: len(stage.done) == 4)
        await stage.stop()
        close_dailies(stage.bot.database)
        await stage.bot.start()
        await stage.play(lambda: stage.daily_is("closed"))
        await stage.stop()
        assert stage.verdict() == []
        for sql, sentence in DAMAGE.items():
            copied = tmp_path / "copy.db"
            shutil.copy(stage.bot.database, copied)
            with closing(sqlite3.connect(copied)) as conn, conn:
                conn.execute(sql)
            found = broken(copied, stage.world, "")
            assert any(sentence in line for line in found), (sql, found)
        for name, (damage, sentence) in SIGHT.items():
            before = dict(stage.channel.messages)
            histories = {m.id: list(m.history) for m in before.values()}
            damage(stage)
            found = broken(stage.bot.database, stage.world, "")
            assert any(sentence in line for line in found), (name, found)
            stage.channel.messages.clear()
            stage.channel.messages.update(before)
            for message in before.values():
                message.history[:] = histories[message.id]
        assert broken(stage.bot.database, stage.world, "2026 ERROR x: y")


IN_CHALLENGES = {
    "DELETE FROM challenge_answers WHERE question_id = 1": "which is not stored",
    "UPDATE challenge_answers SET answer = NULL, answered_at = NULL": "acknowledged but not stored",
    "UPDATE challenge_answers SET answer = (answer + 1) % 4 WHERE choice_order != ''": "locked in",
    "UPDATE challenge_answers SET user_id = 5 WHERE question_id = 1 AND user_id = (SELECT min(user_id) FROM "
    "challenge_answers)": "never given",
    "UPDATE challenge_answers SET points = points + 1": "the standings say",
    "UPDATE challenges SET state = 'counting'": "is stuck",
    "UPDATE challenges SET state = 'open'": "its card shows the end",
    "UPDATE challenges SET message_id = 5": "the stored message is",
    "UPDATE challenge_questions SET item_id = (SELECT item_id FROM round_questions), challenge_id = 1 WHERE id = 1;"
    "UPDATE round_questions SET asked_at = (SELECT started_at + 1 FROM challenges)": "was asked on its server",
    "DELETE FROM ledger WHERE source = 'challenge'": "not in the ledger",
    "UPDATE ledger SET points = points + 1 WHERE source = 'challenge'": "the ledger says",
    "DELETE FROM reviews WHERE source = 'challenge'": "no review of",
}


async def test_damage_to_a_challenge_is_found(tmp_path: Path) -> None:
    """The same for a challenge that two have taken, after a round on the same server."""
    async with staged(tmp_path) as stage:
        await play_round(stage, lambda: None)
        stage.done.clear()
        await play_challenge(stage, lambda: None)
        assert stage.verdict() == []
        for sql, sentence in IN_CHALLENGES.items():
            copied = tmp_path / "copy.db"
            shutil.copy(stage.bot.database, copied)
            with closing(sqlite3.connect(copied)) as conn, conn:
                conn.executescript(sql)
            found = broken(copied, stage.world, "")
            assert any(sentence in line for line in found), (sql, found)
        card = next(
            m
            for m in stage.channel.messages.values()
            if any(i.startswith("taken:") for i in m.custom_ids)
        )
        asked = next(
            m
            for m in stage.channel.messages.values()
            if m.audience == stage.annegret.id and len(m.history) > 2
        )
        for message, sentence in (
            (card, "turned back"),
            (asked, "saw a question of challenge 1 twice"),
        ):
            message.history.append(message.history[0])
            assert any(sentence in line for line in broken(stage.bot.database, stage.world, ""))
            message.history.pop()
