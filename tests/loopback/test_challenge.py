"""A challenge end to end: two members take it in private messages, with a restart in between."""

from __future__ import annotations

import json
import random
from pathlib import Path

from bot.questions.bank import parse_bank
from tests.crash.play import Players, challenge_cards, close_challenges, step_in_challenge
from tests.loopback.driver import COMPONENT, Member
from tests.loopback.faults import Fault
from tests.loopback.model import Message
from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.shipped import first_topic


async def test_two_members_take_a_challenge(tmp_path: Path) -> None:
    """Forged ids are refused, progress survives a crash, and the card shows the standings once.

    The confirmation of the first reply is lost: its question stays the player's.
    """
    file = tmp_path / "bank.json"
    file.write_text(json.dumps(first_topic()), "utf-8")
    async with World() as world, BotProcess(world, tmp_path, {"QUESTION_BANK": str(file)}) as bot:
        channel = await world.opened()
        annegret, bob = [world.add_member(channel.guild, name) for name in ("annegret", "bob")]
        players = Players(bot.database, parse_bank(file.read_bytes()), random.Random(1))
        started = await annegret.slash(channel, "challenge", questions=2, hours=1)
        assert started.ephemeral
        await world.until(lambda: challenge_cards(channel))
        (card,) = challenge_cards(channel)

        async def step(member: Member) -> Message:
            result = await step_in_challenge(players, member, card, right=member is annegret)
            assert result is not None
            assert result.interaction.reply is not None
            return result.interaction.reply

        path = "/interactions/{}/{}/callback"
        world.faults.add(Fault("status", "POST", path, "after", status=500))
        taken = await step_in_challenge(players, annegret, card, right=True)
        assert taken is not None
        await world.until(lambda: taken.interaction.refusals)  # discord.py sends the reply again
        first = taken.interaction.reply
        assert first is not None
        assert "question 1 of 2" in first.text
        forged = {
            "custom_id": next(i for i in first.custom_ids if "skip" in i),
            "component_type": 2,
            "id": 1,
        }
        refused = await bob._act(COMPONENT, channel, forged, card)
        assert refused.text.startswith("That question isn't one of yours.")
        assert await step(annegret) is first  # the same message, edited
        assert first.text.startswith("Locked in **")
        await step(bob)
        await bot.restart()
        for member in (annegret, bob):
            for _ in range(4):
                last = await step(member)
                if "The right answers and the standings come" in last.text:
                    break
            assert last.audience == member.id
        assert {m.audience for m in world.messages if m.id != card.id} == {annegret.id, bob.id}
        assert (await bot.stop())[0] == 0
        close_challenges(bot.database)
        await bot.start()
        await world.until(lambda: any(i.startswith("taken:") for i in card.custom_ids))
        assert "**annegret** · **" in card.text
        assert "2 of 2 right" in card.text
        assert "Also played: **bob**" in card.text
        posts = [c for c in world.calls if c.method == "POST" and "/messages" in c.template]
        assert len(posts) == 1  # the card; everything else responds to interactions or edits
        assert (await bot.stop())[0] == 0
    assert world.wrong == []
