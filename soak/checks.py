"""Checks of long runs besides the invariants of the crash tests, and their report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from bot.core.snowflakes import created_at
from tests.loopback.rest import RESPONSE_WINDOW
from tests.loopback.world import World

_SHOWN = 25


def unanswered(world: World, outages: Collection[tuple[float, float]]) -> list[str]:
    """Return the interactions that failed although the bot was connected and no reply met a fault.

    `outages`: from when to when the bot was not connected, in monotonic seconds.
    """
    faulty = {call.ids[1] for call in world.calls if call.fault is not None and len(call.ids) > 1}
    return [
        f"no answer, without any fault: {act.name} at {created_at(act.id):%H:%M:%S}, {act.refusals}"
        for act in world.interactions.values()
        if act.callback is None
        and act.token not in faulty
        and not any(
            began < act.sent_at + RESPONSE_WINDOW and ended > act.sent_at
            for began, ended in outages
        )
    ]


def kinds_of(broken: Sequence[str]) -> list[str]:
    """Return a line with an example for each kind of broken invariant."""
    kinds = Counter(map(_kind, broken))
    examples = {_kind(line): line for line in reversed(broken)}
    shown = [f"- {times} ×: {examples[kind]}" for kind, times in kinds.most_common(_SHOWN)]
    return shown or ["None."]


def _kind(line: str) -> str:
    """Replace numbers and error ids, so that lines of one kind become equal."""
    return re.sub(r"error [0-9a-f]{6} in|\d+", "#", line)[:140]
