"""A round with a hundred players stays inside Discord's rate limits by design, not by waiting them out."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.crash.play import card_of, cards, revealed
from tests.crash.stage import staged, texts

_PLAYERS, _QUESTIONS, _SECONDS = 100, 10, 15


async def test_a_hundred_players_and_ten_questions(tmp_path: Path) -> None:
    """No 429, and per question at most four requests besides the replies: the card, two counts, the reveal."""
    async with staged(tmp_path, whole_bank=True) as stage:
        world, players = stage.world, stage.players
        crowd = [world.add_member(stage.channel.guild, f"player{n}") for n in range(_PLAYERS)]
        await stage.bot.start()
        await stage.annegret.slash(
            stage.channel, "quiz start", questions=_QUESTIONS, seconds=_SECONDS
        )
        acked = 0
        for number in range(_QUESTIONS):
            await world.until(
                lambda n=number: cards(stage.channel) and len(revealed(stage.channel)) == n
            )
            card = cards(stage.channel)[0]
            assert card_of(card) is not None
            for start in range(0, _PLAYERS, 10):  # spread over the question's time, as people are
                slice_ = crowd[start : start + 10]
                results = await asyncio.gather(
                    *(players.answer(m, card, right=m.id % 2 == 0) for m in slice_)
                )
                acked += sum(r is not None and r.text.startswith("Locked in") for r in results)
                await asyncio.sleep(0.2)
        await stage.play(stage.settled)
        await stage.stop()
        assert not (wrong := stage.verdict()), texts(wrong)
    assert acked == _PLAYERS * _QUESTIONS
    public = [c for c in world.calls if c.template.startswith("/channels")]
    assert world.limits.refused == 0
    assert not [c for c in world.calls if c.status == 429]
    assert len(public) <= 4 * _QUESTIONS + 1, Counter((c.method, c.template) for c in public)
