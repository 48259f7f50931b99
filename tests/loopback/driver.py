"""Members: what they can do with what they see, and what they get for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.loopback.checks import (
    BUTTON,
    CHECKBOX,
    CHECKBOXES,
    FILE_UPLOAD,
    LABEL,
    RADIO,
    SELECT,
    SELECTS,
    TEXT,
    TEXT_INPUT,
)
from tests.loopback.model import (
    EVERYTHING,
    MEMBERS_MAY,
    Channel,
    Guild,
    Interaction,
    Json,
    Message,
    iso,
    parts,
)

if TYPE_CHECKING:
    from tests.loopback.world import World

COMMAND, COMPONENT, MODAL = 2, 3, 5
_ROLE = 8
"""The option type for a role."""
_WINDOW = 3.0


class CannotDo(Exception):
    """A member could not do this: no such command or button, or a hidden message."""


@dataclass(frozen=True)
class Result:
    """The current outcome of an interaction."""

    interaction: Interaction

    @property
    def acked(self) -> bool:
        return self.interaction.callback is not None

    @property
    def failed(self) -> bool:
        """Whether the member read "This interaction failed"."""
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
    """A member of one server. Every action waits up to three seconds for the bot's response.

    `takes_dms`: whether the bot may send them direct messages.
    """

    def __init__(
        self,
        world: World,
        guild: Guild,
        member_id: int,
        name: str,
        manager: bool,
        roles: Collection[int],
    ) -> None:
        self._world = world
        self.guild = guild
        self.id = member_id
        self.name = name
        self.roles = set(roles)
        self.permissions = EVERYTHING if manager else MEMBERS_MAY
        self.takes_dms = True

    @property
    def user(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name,
            "discriminator": "0",
            "avatar": None,
            "global_name": None,
        }

    def sees(self, channel: Channel) -> list[Message]:
        """Return the messages in a channel that this member sees, oldest first."""
        return [
            m for m in channel.messages.values() if m.audience in {None, self.id} and not m.deleted
        ]

    async def slash(self, channel: Channel, command: str, /, **options: Any) -> Result:
        """Use a registered command, for example `slash(channel, "quiz", seconds=5)`.

        A file is given as its name and content.
        """
        name, *path = command.split()
        top = next((c for c in self._world.commands if c["name"] == name), None)
        if top is None:
            raise CannotDo(f"/{command} is not registered")
        if not self.may(top, channel):
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
        data: Json = {
            "id": top["id"],
            "name": name,
            "type": 1,
            "options": given,
            "resolved": resolved,
        }
        return await self._act(COMMAND, channel, data, None)

    def may(self, command: Json, channel: Channel) -> bool:
        """Whether a command is shown, by the server's settings for channel, member and roles or by
        default.
        """
        if channel.recipient:
            return 1 in (command.get("contexts") or [0, 1])
        said = channel.guild.allowed.get(command["name"], {})
        if said.get((channel.parent or channel).id) is False:
            return False
        if self.id in said:
            return said[self.id]
        if of_roles := [said[role] for role in self.roles & set(said)]:
            return any(of_roles)
        needs = int(command.get("default_member_permissions") or 0)
        return said.get(channel.guild.id, True) and not needs & ~self.permissions

    async def click(self, message: Message, custom_id: str) -> Result:
        """Press a button."""
        return await self._component(message, custom_id, {BUTTON})

    async def select(self, message: Message, custom_id: str, *chosen: str | Channel) -> Result:
        """Select options by label or value, channels, or roles by id."""
        return await self._component(message, custom_id, SELECTS, chosen)

    async def submit(self, opened: Result, filled: str | Mapping[str, object]) -> Result:
        """Submit the modal that an earlier action opened.

        `filled` is one text for all that is written, or maps labels to values: a text, the labels
        or values of options, whether a checkbox is ticked, or the name and content of a file.
        """
        modal, earlier = opened.modal, opened.interaction
        if modal is None:
            raise CannotDo("no modal is open")
        fields = {str(p["label"]): p["component"] for p in parts(modal) if p["type"] == LABEL}
        written = (label for label, field in fields.items() if field["type"] == TEXT_INPUT)
        given = dict(filled) if isinstance(filled, Mapping) else dict.fromkeys(written, filled)
        if set(given) - set(fields):
            raise CannotDo(f"no field {set(given) - set(fields)}, only {list(fields)}")
        resolved: Json = {}
        shown: list[Json] = [
            {"type": TEXT, "id": n}
            for n, p in enumerate(modal["components"], 1)
            if p["type"] == TEXT
        ]
        for number, (label, field) in enumerate(fields.items(), 10):
            content = self._fill(field, given.get(label), resolved)
            shown.append({"type": LABEL, "id": number, "component": {"id": 10 * number, **content}})
        data = {"custom_id": modal["custom_id"], "components": shown, "resolved": resolved}
        return await self._act(MODAL, earlier.channel, data, earlier.message)

    def _fill(self, field: Json, value: Any, resolved: Json) -> Json:
        """Return a modal's field as it is submitted, if a member could fill it in like that."""
        content = {"type": field["type"], "custom_id": field["custom_id"]}
        if field["type"] == CHECKBOX:
            return content | {"value": bool(value)}
        if field["type"] == FILE_UPLOAD:
            return content | {"values": [] if value is None else [self._upload(value, resolved)]}
        if field["type"] == TEXT_INPUT:
            text = str(field.get("value") or "") if value is None else str(value)
            low, high = (
                field.get("min_length") or int(field.get("required", True)),
                field.get("max_length") or 4000,
            )
            if not (low <= len(text) <= high or (not text and not field.get("required", True))):
                raise CannotDo(
                    f"{len(text)} characters, not {low} to {high}, for {field['custom_id']}"
                )
            return content | {"value": text}
        chosen = (
            [] if value is None else [value] if isinstance(value, str | Channel) else list(value)
        )
        values = self._choose(field, chosen, resolved)
        return content | (
            {"value": values[0] if values else None}
            if field["type"] == RADIO
            else {"values": values}
        )

    def _choose(self, field: Json, chosen: Sequence[str | Channel], resolved: Json) -> list[str]:
        """Return the values of the selected options, within the number that may be selected."""
        options = field.get("options") or []
        high = field.get("max_values", len(options) if field["type"] == CHECKBOXES else 1)
        if not field.get("min_values", 1) <= len(chosen) <= high and (
            chosen or field.get("required", True)
        ):
            raise CannotDo(f"{len(chosen)} chosen of {field}")
        if field["type"] not in {SELECT, RADIO, CHECKBOXES}:
            return [self._resolve(value, resolved) for value in chosen]
        values = {o["label"]: o["value"] for o in options} | {
            o["value"]: o["value"] for o in options
        }
        try:
            return [values[name] for name in chosen]
        except KeyError as error:
            raise CannotDo(f"no option {error}") from None

    def _resolve(self, value: Channel | Member | str | int, resolved: Json) -> str:
        """Return the id of a channel, member or role, and describe it in `resolved`."""
        if isinstance(value, Member):
            roles = [str(role) for role in value.roles]
            described = {
                "roles": roles,
                "joined_at": iso(0),
                "permissions": str(value.permissions),
                "flags": 0,
            }
            resolved.setdefault("users", {})[str(value.id)] = value.user
            resolved.setdefault("members", {})[str(value.id)] = described | {
                "deaf": False,
                "mute": False,
            }
            return str(value.id)
        if isinstance(value, Channel):
            shown = {
                "id": str(value.id),
                "type": 0,
                "name": value.name,
                "permissions": str(MEMBERS_MAY),
            }
            resolved.setdefault("channels", {})[str(value.id)] = shown
            return str(value.id)
        role = next(r for r in self.guild.payload({})["roles"] if r["id"] == str(value))
        resolved.setdefault("roles", {})[str(value)] = role
        return str(value)

    def _upload(self, file: tuple[str, bytes], resolved: Json) -> str:
        """Upload a file; return its id, and describe it in `resolved`."""
        added = self._world.add_file(*file)
        resolved.setdefault("attachments", {})[added["id"]] = added
        return str(added["id"])

    def _option(self, known: list[Json], name: str, value: Any, resolved: Json) -> Json:
        option = next((o for o in known if o["name"] == name), None)
        if option is None:
            raise CannotDo(f"no option {name}")
        if isinstance(value, tuple):
            value = self._upload(value, resolved)
        elif isinstance(value, Channel | Member) or option["type"] == _ROLE:
            value = self._resolve(value, resolved)
        return {"name": name, "type": option["type"], "value": value}

    async def _component(
        self,
        message: Message,
        custom_id: str,
        kinds: set[int],
        chosen: Sequence[str | Channel] = (),
    ) -> Result:
        if message not in self.sees(message.channel):
            raise CannotDo(f"{self.name} does not see that message")
        try:
            part = message.part(custom_id)
        except KeyError:
            raise CannotDo(f"no {custom_id} to use") from None
        if part["type"] not in kinds:
            raise CannotDo(f"{custom_id} is something else")
        data: Json = {"custom_id": custom_id, "component_type": part["type"], "id": 1}
        if part["type"] in SELECTS:
            resolved: Json = {}
            data |= {"values": self._choose(part, chosen, resolved), "resolved": resolved}
        return await self._act(COMPONENT, message.channel, data, message)

    async def _act(
        self, kind: int, channel: Channel, data: Json, message: Message | None
    ) -> Result:
        world = self._world
        found = Interaction(world.snowflake(), kind, self.id, channel, data, message)
        world.interactions[found.token] = found
        roles = [str(role) for role in self.roles]
        member = {
            "user": self.user,
            "roles": roles,
            "joined_at": iso(0),
            "permissions": str(self.permissions),
        }
        where = {
            "guild_id": str(channel.guild.id),
            "member": member | {"deaf": False, "mute": False, "flags": 0},
        }
        event: Json = {
            "id": str(found.id),
            "application_id": str(world.bot_id),
            "type": kind,
            "token": found.token,
            "version": 1,
            **({"user": self.user} if channel.recipient else where),
            "channel_id": str(channel.id),
            "channel": channel.payload(),
            "app_permissions": str(channel.app_may()),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(channel.guild.id)},
            "context": 1 if channel.recipient else 0,
            "attachment_size_limit": 10 << 20,
            "data": data,
        }
        if message is not None:
            event["message"] = message.payload()
        await world.gateway.emit("INTERACTION_CREATE", event)
        try:
            async with asyncio.timeout(found.sent_at + _WINDOW - time.monotonic()):
                await found.answered.wait()
        except TimeoutError:
            pass
        return Result(found)
