"""Messages with their files, and builders for their parts."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import discord
from discord import ui
from msgspec import Struct

from bot.chat import text as t
from bot.chat.pictures import LoadPicture, PendingPicture, Picture, StoredPicture
from bot.core.zones import search_zones, stored_zone

OPEN = discord.Colour(0x5865F2)
REVEALED = discord.Colour(0x248046)
DAILY = discord.Colour(0xD9A514)
CHALLENGE = discord.Colour(0x8B5CF6)
ENDED = discord.Colour(0x80848E)
ATTENTION = discord.Colour(0xE3B341)
PRIMARY = discord.ButtonStyle.primary
DANGER = discord.ButtonStyle.danger


FIRST_OWN_ID = 1_000_000_000
"""Component ids from here on are ours: the sender finds messages by them."""


class Download(Struct, frozen=True):
    """A file attached to a message for its reader to save."""

    name: str
    content: bytes


Part = ui.Item[ui.LayoutView] | Picture | PendingPicture | StoredPicture | Download | str


def _pinging(role_id: int | None, member_id: int | None = None) -> discord.AllowedMentions:
    """Allow a message to ping one role or member and nobody else."""
    roles = [discord.Object(role_id)] if role_id else False
    users = [discord.Object(member_id)] if member_id else False
    return discord.AllowedMentions(everyone=False, users=users, replied_user=False, roles=roles)


class Message(ui.LayoutView):
    """A message with one container, which shows its parts in order.

    Clicks are routed by custom id, so the view is stopped at once and discord.py doesn't keep it.
    `container_id` makes a message findable that has no buttons of its own; `ping_role` is the only
    role that it may ping.
    """

    content = None
    """Discord rejects plain text in a Components V2 message:
    https://discord.com/developers/docs/components/reference."""

    def __init__(
        self,
        colour: discord.Colour,
        *parts: Part | None,
        container_id: int | None = None,
        ping_role: int | None = None,
    ) -> None:
        super().__init__(timeout=None)
        self._colour = colour
        self._container_id = container_id
        self._ping_role = ping_role
        self._parts = [part for part in parts if part is not None]
        container: ui.Container[Message] = ui.Container(accent_colour=colour, id=container_id)
        for part in self._parts:
            container.add_item(_component(part))
        self.add_item(container)
        self.stop()

    def files(self) -> list[discord.File]:
        """Return fresh file objects, because discord.py can read each only once.

        Call `drawn` first: pictures that are still pending have no file.
        """
        return [_file(part) for part in self._parts if isinstance(part, Picture | Download)]

    def mentions(self) -> discord.AllowedMentions:
        return _pinging(self._ping_role)

    @property
    def waits_for_pictures(self) -> bool:
        """Whether one of its pictures has yet to be drawn or loaded."""
        return any(isinstance(part, PendingPicture | StoredPicture) for part in self._parts)

    async def drawn(self, load: LoadPicture) -> Message:
        """Return the message with all pictures drawn and loaded, leaving out those that fail."""
        if not self.waits_for_pictures:
            return self
        return self._with([await _drawn(part, load) for part in self._parts])

    def without_pictures(self) -> Message:
        """Return the message without pictures, for channels where Discord refuses its files."""
        return self._with(
            [part.instead if isinstance(part, Picture) else part for part in self._parts]
        )

    def with_mentions(self, mention: Callable[[str], str]) -> Message:
        """Return the message with each command like `</quiz>` replaced by `mention(name)`."""
        if not any(isinstance(part, str) and "</" in part for part in self._parts):
            return self
        return self._with(
            [t.mention_commands(p, mention) if isinstance(p, str) else p for p in self._parts]
        )

    def with_ways(self, ways_in: Callable[[str], Sequence[ui.Button[Any]]]) -> Message:
        """Return the message with buttons for the commands in it, unless it has some of its own."""
        if any(isinstance(part, ui.ActionRow) for part in self._parts):
            return self
        ways = ways_in("\n".join(part for part in self._parts if isinstance(part, str)))
        return self._with([*self._parts, row(*ways)]) if ways else self

    def _with(self, parts: Sequence[Part | None]) -> Message:
        return Message(
            self._colour, *parts, container_id=self._container_id, ping_role=self._ping_role
        )


class PlainMessage(ui.View):
    """A message of plain text, with an optional row of buttons.

    Phones show its text in notifications, which they don't do for a Message. It can be edited into
    a Message, but not back.
    """

    def __init__(
        self,
        content: str,
        *buttons: ui.Button[Any],
        ping_role: int | None = None,
        ping_member: int | None = None,
    ) -> None:
        super().__init__(timeout=None)
        self.content = content
        self._pinging = _pinging(ping_role, ping_member)
        for each in buttons:
            self.add_item(each)
        self.stop()

    def files(self) -> list[discord.File]:
        return []

    async def drawn(self, _load: LoadPicture) -> PlainMessage:
        """Return the message itself, because it has no pictures."""
        return self

    def mentions(self) -> discord.AllowedMentions:
        return self._pinging

    def with_mentions(self, mention: Callable[[str], str]) -> PlainMessage:
        """Return the message with clickable commands."""
        self.content = t.mention_commands(self.content, mention)
        return self


async def _drawn(part: Part, load: LoadPicture) -> Part | None:
    match part:
        case PendingPicture():
            return await part.drawn()
        case StoredPicture():
            return await part.loaded(load)
    return part


def _component(part: Part) -> ui.Item[ui.LayoutView]:
    if isinstance(part, str):
        return ui.TextDisplay(part)
    if isinstance(part, Picture | PendingPicture | StoredPicture):
        return ui.MediaGallery(
            discord.MediaGalleryItem(f"attachment://{part.name}", description=part.alt)
        )
    if isinstance(part, Download):
        return ui.File(f"attachment://{part.name}")
    return part


def _file(part: Picture | Download) -> discord.File:
    if isinstance(part, Picture):
        return discord.File(io.BytesIO(part.content), part.name, description=part.alt)
    return discord.File(io.BytesIO(part.content), part.name)


def text_of(view: ui.LayoutView) -> str:
    """Return all text of a message, one component per line.

    Discord limits it to 4,000 characters.
    """
    parts = []
    for item in view.walk_children():
        if isinstance(item, ui.TextDisplay):
            parts.append(item.content)
        elif isinstance(item, ui.MediaGallery):
            parts += [f"[{picture.description}]" for picture in item.items]
        elif isinstance(item, ui.Button):
            parts.append(f"( {item.label} )")
    return "\n".join(parts)


def separator() -> ui.Separator[ui.LayoutView]:
    return ui.Separator(spacing=discord.SeparatorSpacing.small)


def row(*buttons: ui.Item[ui.LayoutView] | None) -> ui.ActionRow[ui.LayoutView] | None:
    shown = [b for b in buttons if b is not None]
    return ui.ActionRow(*shown) if shown else None


def button(
    label: str,
    custom_id: str,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    *,
    disabled: bool = False,
) -> ui.Button[ui.LayoutView]:
    return ui.Button(label=label, custom_id=custom_id, style=style, disabled=disabled)


def channel_list(
    channel_id: int | None, hint: str | None = None, *, optional: bool = False
) -> ui.ChannelSelect[ui.LayoutView]:
    """Build a list of text channels with the current one selected.

    `optional` allows selecting none.
    """
    return ui.ChannelSelect(
        custom_id="channel",
        channel_types=[discord.ChannelType.text, discord.ChannelType.news],
        placeholder=hint,
        required=not optional,
        min_values=0 if optional else 1,
        default_values=[discord.Object(channel_id)] if channel_id else [],
    )


def role_list(
    custom_id: str, role_id: int | None, hint: str | None = None
) -> ui.RoleSelect[ui.LayoutView]:
    """Build a list of roles with the current one selected; selecting none is allowed."""
    return ui.RoleSelect(
        custom_id=custom_id,
        placeholder=hint,
        required=False,
        min_values=0,
        default_values=[discord.Object(role_id)] if role_id else [],
    )


def select_menu(
    custom_id: str, options: Mapping[str, str], chosen: str = ""
) -> ui.Select[ui.LayoutView]:
    """Build a list for selecting one value; `options` maps values to labels."""
    listed = [
        discord.SelectOption(label=words, value=value, default=value == chosen)
        for value, words in options.items()
    ]
    return ui.Select(custom_id=custom_id, options=listed)


def zone_list(zone: str | None, now: datetime) -> ui.Select[ui.LayoutView]:
    """Build a list of common time zones and the current one, if it is known, with their times now."""
    known = [] if zone is None else [stored_zone(zone).key]
    zones = list(dict.fromkeys([*known, *search_zones("")]))[:25]
    clocks = {name: f"{name} · now {now.astimezone(stored_zone(name)):%H:%M}" for name in zones}
    menu = select_menu("zone", clocks, *known)
    menu.required = bool(known)  # else the city may be written instead
    return menu


def own_id(row_id: int) -> int:
    """Return a component id for the message of a row."""
    return FIRST_OWN_ID + row_id % FIRST_OWN_ID


def link_button(label: str, address: str) -> ui.Button[ui.LayoutView]:
    return ui.Button(label=label, url=address)


def pager(page: int, pages: int, link: Callable[[str, int], str]) -> list[ui.Button[ui.LayoutView]]:
    """Return Back and Next buttons if there are several pages; pages count from 0.

    `link` makes a custom id from "prev" or "next" and the page to open.
    """
    if pages < 2:
        return []
    return [
        button("Back", link("prev", max(page - 1, 0)), disabled=page == 0),
        button("Next", link("next", page + 1), disabled=page == pages - 1),
    ]
