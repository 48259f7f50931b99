"""The panel of the questions of the day, used like a manager uses it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Message, parts

EVERY_DAY = tuple("0123456")


async def open_panel(manager: Member, channel: Channel) -> Result:
    return await manager.slash(channel, "daily")


def panel_of(shown: Result) -> Message:
    if shown.interaction.reply is None:
        raise CannotDo("there is no panel")
    return shown.interaction.reply


async def click(member: Member, message: Message, label: str) -> Result:
    """Press a button of a message."""
    for part in parts(message.components):
        if part.get("label") == label:
            return await member.click(message, str(part["custom_id"]))
    raise CannotDo(f"the message has no {label}")


async def press(manager: Member, shown: Result, label: str) -> Result:
    """Press a button of the panel."""
    return await click(manager, panel_of(shown), label)


async def pick(manager: Member, shown: Result, number: int) -> None:
    """Go to another daily of the server, by its place in the list; there is none for a single one."""
    panel = panel_of(shown)
    for part in parts(panel.components):
        if part.get("custom_id") == "dailies:v1":
            await manager.select(panel, "dailies:v1", part["options"][number]["value"])


async def fill_in(
    manager: Member, shown: Result, label: str, filled: Mapping[str, object]
) -> Result:
    """Open a form of the panel with a button, and submit it."""
    return await manager.submit(await press(manager, shown, label), filled)


async def add_daily(
    manager: Member,
    channel: Channel,
    *,
    posts_in: Channel | None = None,
    time: str = "00:00",
    zone: str = "UTC",
    hours: int = 23,
    name: str = "Question of the day",
) -> Result:
    """Add a daily, and return the panel. Only the first one takes the zone, and not the name."""
    shown = await open_panel(manager, channel)
    filled: dict[str, object] = {"Channel": posts_in or channel, "Time": time, "Days": EVERY_DAY}
    filled["Open for answers"] = str(hours)
    if any(part.get("label") == "Set it up" for part in parts(panel_of(shown).components)):
        await fill_in(manager, shown, "Set it up", {**filled, "Time zone": zone})
    else:
        await fill_in(manager, shown, "Add another", {**filled, "Name": name})
    return shown


async def set_extras(
    manager: Member,
    shown: Result,
    *,
    name: str = "Question of the day",
    role: int | None = None,
    thread: bool = False,
) -> None:
    """Change the name, the role and the thread of the daily that the panel shows."""
    filled: dict[str, object] = {"Name": name, "Discussion thread": "yes" if thread else "no"}
    filled |= {"Role to ping": [str(role)]} if role else {}
    await fill_in(manager, shown, "Name, role, thread", filled)


async def set_questions(
    manager: Member, shown: Result, *, kind: str = "choice", topic: str = ""
) -> Result:
    """Change what the daily that the panel shows asks."""
    filled = {"Kind": kind, "About": "all", "Or only one topic": topic}
    return await fill_in(manager, shown, "Questions", filled)
