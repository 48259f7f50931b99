"""Members of a month who look for a partner and interview each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.loopback.model import Channel, Message
from tests.loopback.world import World

if TYPE_CHECKING:
    from soak.members import Player
    from soak.month.habits import Habits

_STEPS = 30
"""How often a member looks for something to press; after that they are away."""
_CHANCES = {
    "pairanswer:v1:accept": 0.8,
    "pairanswer:v1:decline": 0.05,
    "pairhere:": 0.9,
    "paircard:": 0.9,
    "pairshow:v1:nothing": 0.9,
    "pairreport:": 0.5,
}
"""By the beginning of a button's id, how likely it is to be pressed at a look."""


async def interview_each_other(habits: Habits, player: Player) -> None:
    """Look for a partner, and do what the messages ask for, for about half an hour.

    Some decline, some never answer, and some go away in the middle.
    """
    member, server, rng = player.member, player.server, habits.rng
    options: dict[str, Any] = {}
    if rng.random() < 0.3:
        options["when"] = rng.choice(("evenings", "mornings", "weekends"))
    begun = await habits.command(member, server.quiz, "pair", **options)
    if begun is None:
        return
    pressed: set[str] = set()
    for _ in range(rng.randint(_STEPS // 3, _STEPS)):
        await habits._pause(20, 90)
        for message in _messages(habits.world, player, begun.interaction.id):
            for custom_id in _wanted(message, pressed):
                if rng.random() < _CHANCES[_kind(custom_id)]:
                    pressed.add(custom_id)
                    result = await habits._try(
                        lambda m=message, i=custom_id: member.click(m, i)  # type: ignore[misc]
                    )
                    shown = result.interaction.reply if result is not None else None
                    if shown is not None and custom_id.startswith("paircard:"):
                        await _tick_and_show(habits, player, shown)


async def _tick_and_show(habits: Habits, player: Player, card: Message) -> None:
    """Tick some points on an asker's card, and mostly show them."""
    ticks = [i for i in card.custom_ids if i.startswith("pairtick:")]
    show = [i for i in card.custom_ids if i.startswith("pairshow:v1:result")]
    if not ticks or not show:
        return  # it is the other one's turn, or the question is done
    await habits._pause(60, 240)
    said = [str(n) for n in range(3) if habits.rng.random() < player.skill]
    await habits._try(lambda: player.member.select(card, ticks[0], *said))
    if habits.rng.random() < 0.9 and await habits._try(lambda: player.member.click(card, show[0])):
        habits.did["asked a partner"] += 1


def _messages(world: World, player: Player, since: int) -> Iterator[Message]:
    """Yield a member's private replies, direct messages and those in their threads, since a moment."""
    own: list[Channel] = [world.direct(player.member), player.server.quiz]
    own += [c for c in player.server.guild.channels.values() if player.member.id in c.members]
    for channel in own:
        for message in [*channel.messages.values()]:
            shown = message.audience in {None, player.member.id} and not message.deleted
            if message.id > since and shown:
                yield message


def _wanted(message: Message, pressed: set[str]) -> list[str]:
    return [i for i in message.custom_ids if _kind(i) and i not in pressed]


def _kind(custom_id: str) -> str:
    return next((kind for kind in _CHANCES if custom_id.startswith(kind)), "")
