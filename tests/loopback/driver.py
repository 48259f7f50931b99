"""The humans: what a member can do with what they see, and what they get for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.loopback.model import EVERYTHING, MEMBERS_MAY, Channel, Guild, Interaction, Json, Message, iso, parts

if TYPE_CHECKING:
    from tests.loopback.world import World

COMMAND, COMPONENT, MODAL = 2, 3, 5
_WINDOW = 3.0


class CannotDo(Exception):
    """A human could not do that: no such command or option, nothing to click, message not visible."""


@dataclass(frozen=True)
class Result:
    """What came of an interaction, always as it is now."""

    interaction: Interaction

    @property
    def acked(self) -> bool:
        return self.interaction.callback is not None

    @property
    def failed(self) -> bool:
        """The member read "This interaction failed"."""
        return not self.acked

    @property
    def text(self) -> str:
        shown = [self.interaction.reply, *self.interaction.followups]
        return "\n".join(m.text for m in shown if m is not None)

    @property
    def ephemeral(self) -> bool:
        reply = self.interaction.reply
        return reply is not None and reply.audience is not None

    @property
    def modal(self) -> Json | None:
        return self.interaction.modal


class Member:
    """A human on one server; every action waits for the bot's answer, three seconds at most."""

    def __init__(self, world: World, guild: Guild, member_id: int, name: str, manager: bool) -> None:
        self._world = world
        self.guild = guild
        self.id = member_id
        self.name = name
        self.permissions = EVERYTHING if manager else MEMBERS_MAY

    def sees(self, channel: Channel) -> list[Message]:
        """The messages of a channel that this member sees, oldest first."""
        return [m for m in channel.messages.values() if m.audience in {None, self.id} and not m.deleted]

    async def slash(self, channel: Channel, command: str, /, **options: Any) -> Result:
        """Use a command as it is registered, for example `slash(channel, "quiz start", seconds=5)`."""
        name, *path = command.split()
        top = next((c for c in self._world.commands if c["name"] == name), None)
        if top is None:
            raise CannotDo(f"/{command} is not registered")
        if int(top.get("default_member_permissions") or 0) & ~self.permissions:
            raise CannotDo(f"/{command} is not shown to {self.name}")
        resolved: Json = {}
        known, wrap = top.get("options") or [], []
        for part in path:
            sub = next((o for o in known if o["name"] == part and o["type"] in {1, 2}), None)
            if sub is None:
                raise CannotDo(f"/{command} is not registered")
            known = sub.get("options") or []
            wrap.append((part, sub["type"]))
        given = [self._option(known, key, value, resolved) for key, value in options.items()]
        for part, kind in reversed(wrap):
            given = [{"name": part, "type": kind, "options": given}]
        data: Json = {"id": top["id"], "name": name, "type": 1, "options": given, "resolved": resolved}
        return await self._act(COMMAND, channel, data, None)

    async def click(self, message: Message, custom_id: str) -> Result:
        """Press a button."""
        return await self._component(message, custom_id, 2)

    async def select(self, message: Message, custom_id: str, *values: str) -> Result:
        """Choose from a list."""
        return await self._component(message, custom_id, 3, values=list(values))

    async def submit(self, opened: Result, text: str) -> Result:
        """Send the modal that an earlier action opened, with one text in its field."""
        modal = opened.modal
        if modal is None:
            raise CannotDo("no modal is open")
        fields = [{"type": 4, "custom_id": p["custom_id"], "value": text} for p in parts(modal) if p.get("type") == 4]
        data = {
            "custom_id": modal["custom_id"],
            "components": [{"type": 18, "id": 1, "component": {"id": 2, **field}} for field in fields],
        }
        earlier = opened.interaction
        return await self._act(MODAL, earlier.channel, data, earlier.message)

    def _option(self, known: list[Json], name: str, value: Any, resolved: Json) -> Json:
        option = next((o for o in known if o["name"] == name), None)
        if option is None:
            raise CannotDo(f"no option {name}")
        if isinstance(value, Channel):
            shown = {"id": str(value.id), "type": 0, "name": value.name, "permissions": str(MEMBERS_MAY)}
            resolved.setdefault("channels", {})[str(value.id)] = shown
            value = str(value.id)
        elif option["type"] == 8:
            role = next(r for r in self.guild.payload({})["roles"] if r["id"] == str(value))
            resolved.setdefault("roles", {})[str(value)] = role
            value = str(value)
        return {"name": name, "type": option["type"], "value": value}

    async def _component(self, message: Message, custom_id: str, kind: int, **more: Any) -> Result:
        if message not in self.sees(message.channel):
            raise CannotDo(f"{self.name} does not see that message")
        try:
            if message.part(custom_id)["type"] != kind:
                raise CannotDo(f"{custom_id} is something else")
        except KeyError:
            raise CannotDo(f"no {custom_id} to use") from None
        data = {"custom_id": custom_id, "component_type": kind, "id": 1, **more}
        return await self._act(COMPONENT, message.channel, data, message)

    async def _act(self, kind: int, channel: Channel, data: Json, message: Message | None) -> Result:
        world = self._world
        found = Interaction(world.snowflake(), kind, self.id, channel, data, message)
        world.interactions[found.token] = found
        user = {"id": str(self.id), "username": self.name, "discriminator": "0", "avatar": None, "global_name": None}
        member = {"user": user, "roles": [], "joined_at": iso(0), "permissions": str(self.permissions), "flags": 0}
        event: Json = {
            "id": str(found.id),
            "application_id": str(world.bot_id),
            "type": kind,
            "token": found.token,
            "version": 1,
            "guild_id": str(channel.guild.id),
            "channel_id": str(channel.id),
            "channel": channel.payload(),
            "member": member | {"deaf": False, "mute": False},
            "app_permissions": str(channel.bot_may()),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(channel.guild.id)},
            "context": 0,
            "attachment_size_limit": 10 << 20,
            "data": data,
        }
        if message is not None:
            event["message"] = message.payload()
        await world.gateway.emit("INTERACTION_CREATE", event)
        try:
            async with asyncio.timeout(_WINDOW):
                await found.answered.wait()
        except TimeoutError:
            pass
        return Result(found)
