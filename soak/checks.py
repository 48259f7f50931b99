"""What long runs check besides the invariants of the crash tests."""

from __future__ import annotations

from collections.abc import Collection

from bot.core.snowflakes import created_at
from tests.loopback.rest import RESPONSE_WINDOW
from tests.loopback.world import World


def unanswered(world: World, outages: Collection[tuple[float, float]]) -> list[str]:
    """Members who read "This interaction failed" although the bot was connected and its reply met no fault.

    `outages`: from when to when the bot was not connected, in monotonic seconds.
    """
    faulty = {call.ids[1] for call in world.calls if call.fault is not None and len(call.ids) > 1}
    return [
        f"no answer, without any fault: {act.name} at {created_at(act.id):%H:%M:%S.%f}, refused with {act.refusals}"
        for act in world.interactions.values()
        if act.callback is None
        and act.token not in faulty
        and not any(
            begin < act.sent_at + RESPONSE_WINDOW and end > act.sent_at for begin, end in outages
        )
    ]
