"""Members of a month who look for a partner and interview each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.loopback.model import Message
from tests.loopback.world import World

if TYPE_CHECKING:
    from soak.members import Player
    from soak.month.habits import Habits

_STEPS = 30
"""How often a member looks for something to press; after that they are away."""
_CHANCES = {
    "partnerjoin:": 0.3,
    "partnerexchange:": 0.1,
    "partnercard:": 0.9,
    "partnerask:": 0.5,
    "partnershow:": 0.9,
    "partnerticks:": 0.9,
    "partnerconfirm:": 0.9,
    "partnerend:v1:ask": 0.01,
    "partnerend:v1:sure": 0.9,
    "partnerreport:": 0.5,
    "partnerapart:v1:ask": 0.05,
    "partnerapart:v1:sure": 0.9,
}
"""By the beginning of a button's id, how likely it is to be pressed at a look."""


async def interview_each_other(habits: Habits, player: Player, *, looks: bool) -> None:
    """Look for a partner or wait for somebody who does, and press what comes, for half an hour.

    Some never press the card, and some go away in the middle.
    """
    member, server, rng = player.member, player.server, habits.rng
    since = max(server.quiz.messages, default=0)
    if looks:
        begun = await habits.command(member, server.quiz, "interview")
        if begun is None or begun.interaction.reply is None:
            return
        card = begun.interaction.reply
        partner = [i for i in card.custom_ids if i.startswith("partner:")]
        if partner and await habits._try(lambda: member.click(card, partner[0])):
            habits.did["looked for a partner"] += 1
    pressed: set[str] = set()
    for _ in range(rng.randint(_STEPS // 3, _STEPS)):
        await habits._pause(20, 90)
        for message in _messages(habits.world, player, since):
            for custom_id in _wanted(message, pressed):
                if rng.random() < _CHANCES[_kind(custom_id)]:
                    pressed.add(custom_id)
                    await _press(habits, player, message, custom_id)


async def _press(habits: Habits, player: Player, message: Message, custom_id: str) -> None:
    """Press a button. An asker ticks some points before the ticks are shown."""
    ticks = [i for i in message.custom_ids if i.startswith("partnertick:")]
    if ticks and custom_id.startswith("partnershow:"):
        await habits._pause(60, 240)
        said = [str(n) for n in range(3) if habits.rng.random() < player.skill]
        await habits._try(lambda: player.member.select(message, ticks[0], *said))
    done = await habits._try(lambda: player.member.click(message, custom_id))
    if done and custom_id.startswith("partnerconfirm:"):
        habits.did["asked by a partner"] += 1


def _messages(world: World, player: Player, since: int) -> Iterator[Message]:
    """Yield what a member sees in their threads and the channel since a moment, and open cards."""
    own = [player.server.quiz]
    own += [c for c in player.server.guild.channels.values() if player.member.id in c.members]
    for channel in own:
        for message in [*channel.messages.values()]:
            shown = message.audience in {None, player.member.id} and not message.deleted
            if shown and (message.id > since or "partnerjoin:" in "".join(message.custom_ids)):
                yield message


def _wanted(message: Message, pressed: set[str]) -> list[str]:
    return [i for i in message.custom_ids if _kind(i) and i not in pressed]


def _kind(custom_id: str) -> str:
    return next((kind for kind in _CHANCES if custom_id.startswith(kind)), "")
