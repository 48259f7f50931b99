"""The objects of the loopback Discord: servers, channels, members, messages and interactions."""

from __future__ import annotations

import asyncio
import copy
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

DISCORD_EPOCH_MS = 1420070400000
EPHEMERAL, LOADING, COMPONENTS_V2, HAS_THREAD = 1 << 6, 1 << 7, 1 << 15, 1 << 5
PERMISSIONS: Mapping[str, int] = {
    "manage_guild": 1 << 5,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "use_external_emojis": 1 << 18,
    "create_public_threads": 1 << 35,
    "create_private_threads": 1 << 36,
    "send_messages_in_threads": 1 << 38,
}
EVERYTHING = sum(PERMISSIONS.values())
MEMBERS_MAY = EVERYTHING & ~(PERMISSIONS["manage_guild"] | PERMISSIONS["manage_messages"])
REPLIES_MAY = sum(
    PERMISSIONS[n]
    for n in ("embed_links", "attach_files", "mention_everyone", "use_external_emojis")
)
"""The `app_permissions` in direct messages, and on servers without the bot."""


class Snowflakes:
    """Generates increasing ids that contain the time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last = 0

    def __call__(self) -> int:
        self._last = max((int(self._clock() * 1000) - DISCORD_EPOCH_MS) << 22, self._last + 1)
        return self._last


def monotonic() -> float:
    """Return `time.monotonic()`, looked up at each call because the simulated month replaces it."""
    return time.monotonic()


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _empty(*names: str) -> Json:
    return {name: [] for name in names}


def parts(node: object) -> Iterator[Json]:
    """Yield every component in a tree, in order."""
    if isinstance(node, list):
        for child in node:
            yield from parts(child)
    elif isinstance(node, dict):
        if "type" in node:
            yield node
        for key in ("components", "component", "accessory"):
            yield from parts(node.get(key))


def media_of(part: Json) -> list[Json]:
    """Yield the pictures and files that a component shows."""
    single = [part[key] for key in ("media", "file") if key in part]
    return single + [item["media"] for item in part.get("items") or []]


@dataclass(eq=False)
class Guild:
    id: int
    name: str
    owner_id: int
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, str] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    left: bool = False
    """Whether the bot isn't there, because the app was added without it or it was removed."""
    outage: bool = False
    """Whether the server has an outage."""
    allowed: dict[str, dict[int, bool]] = field(default_factory=dict)
    """By command: its permissions by id of role, member, channel, or the server's id for everyone.
    """

    def payload(self, bot: Json) -> Json:
        """Return the data of GUILD_CREATE."""
        everyone = {
            "id": str(self.id),
            "name": "@everyone",
            "color": 0,
            "hoist": False,
            "position": 0,
            "flags": 0,
        }
        everyone |= {"permissions": str(MEMBERS_MAY), "managed": False, "mentionable": False}
        me = {
            "user": bot,
            "roles": [],
            "joined_at": iso(0),
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner_id),
            "unavailable": False,
            "large": False,
            "joined_at": iso(0),
            "member_count": len(self.members) + 1,
            "members": [me],
            "roles": [
                everyone,
                *(
                    {**everyone, "id": str(i), "name": n, "mentionable": True}
                    for i, n in self.roles.items()
                ),
            ],
            "channels": [
                c.announced() for c in self.channels.values() if c.parent is None and not c.deleted
            ],
            "threads": [
                c.payload()
                for c in self.channels.values()
                if c.parent and c.bot_may() and not c.deleted
            ],
            **_empty(
                "emojis", "stickers", "features", "voice_states", "presences", "stage_instances"
            ),
            **dict.fromkeys(
                ("verification_level", "default_message_notifications", "explicit_content_filter"),
                0,
            ),
            **dict.fromkeys(("mfa_level", "nsfw_level", "premium_tier", "system_channel_flags"), 0),
            "preferred_locale": "en-US",
        }


@dataclass(eq=False)
class Channel:
    """A text channel, or a thread if it has a `parent`.

    `denied`: permission bits that the bot lacks. `private`: a private thread, which the bot is not
    in unless it was `invited`. `members`: the members who were added to a thread. `recipient`: the
    member of a direct message channel, whose guild has id 0.
    """

    id: int
    guild: Guild
    name: str
    parent: Channel | None = None
    denied: int = 0
    bot_id: int = 0
    deleted: bool = False
    locked: bool = False
    private: bool = False
    invited: bool = False
    members: set[int] = field(default_factory=set)
    recipient: Json | None = None
    messages: dict[int, Message] = field(default_factory=dict)

    def bot_may(self) -> int:
        if self.guild.left or (self.private and not self.invited):
            return 0
        denied = (self.parent or self).denied
        return 0 if denied & PERMISSIONS["view_channel"] else MEMBERS_MAY & ~denied

    def app_may(self) -> int:
        """Return `app_permissions` of an interaction here; in a thread they are its parent's."""
        return REPLIES_MAY if self.guild.left or self.recipient else (self.parent or self).bot_may()

    def announced(self) -> Json:
        """Return the channel's data as the bot gets it. Without View Channel it has no name."""
        if self.bot_may():
            return self.payload()
        hidden = {
            "id": str(self.guild.id),
            "type": 0,
            "allow": "0",
            "deny": str(PERMISSIONS["view_channel"]),
        }
        return self.payload() | {
            "name": "___hidden___",
            "flags": 1 << 17,
            "permission_overwrites": [hidden],
        }

    def payload(self) -> Json:
        if self.recipient is not None:
            return {
                "id": str(self.id),
                "type": 1,
                "recipients": [self.recipient],
                "last_message_id": None,
                "flags": 0,
            }
        shown: Json = {
            "id": str(self.id),
            "guild_id": str(self.guild.id),
            "name": self.name,
            "flags": 0,
        }
        shown |= {
            "parent_id": str(self.parent.id) if self.parent else None,
            "rate_limit_per_user": 0,
        }
        if self.parent is not None:
            times = {
                "archived": False,
                "archive_timestamp": iso(0),
                "auto_archive_duration": 1440,
                "locked": self.locked,
            }
            owner = {
                "owner_id": str(self.bot_id),
                "message_count": 0,
                "member_count": 1,
                "thread_metadata": times,
            }
            return shown | owner | {"type": 12 if self.private else 11}
        overwrite = {"id": str(self.bot_id), "type": 1, "allow": "0", "deny": str(self.denied)}
        return shown | {
            "type": 0,
            "position": 0,
            "nsfw": False,
            "topic": None,
            "permission_overwrites": [overwrite],
        }


@dataclass(frozen=True)
class Version:
    """A version of a message, valid from `at` (monotonic seconds)."""

    at: float
    text: str
    custom_ids: tuple[str, ...]


@dataclass(eq=False)
class Message:
    """A message with all its versions.

    `audience`: the only member who sees it, or None for everybody. `push`: the text of its
    notification, which edits don't change.
    """

    id: int
    channel: Channel
    author: Json
    audience: int | None = None
    nonce: str | None = None
    content: str = ""
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    flags: int = 0
    pings: list[str] = field(default_factory=list)
    push: str = ""
    history: list[Version] = field(default_factory=list)
    edited_at: float | None = None
    deleted: bool = False
    thread: Channel | None = None

    @property
    def text(self) -> str:
        """Return all that members read: the content, then the components' texts and labels."""
        shown = [self.content]
        for part in parts(self.components):
            shown += [str(part[key]) for key in ("content", "label") if part.get(key)]
        return "\n".join(line for line in shown if line)

    @property
    def custom_ids(self) -> tuple[str, ...]:
        return tuple(str(p["custom_id"]) for p in parts(self.components) if "custom_id" in p)

    def part(self, custom_id: str) -> Json:
        """Return the component with this id. Raises KeyError if members don't see one."""
        for part in parts(self.components):
            if part.get("custom_id") == custom_id and not part.get("disabled"):
                return part
        raise KeyError(custom_id)

    def apply(self, body: Json, files: list[Json]) -> None:
        """Apply a create or edit request and store the new version."""
        self.content = str(body.get("content") or "") if "content" in body else self.content
        self.flags |= int(body.get("flags") or 0)
        if "attachments" in body:
            kept = {str(a.get("id")) for a in body["attachments"] or []}
            self.attachments = [a for a in self.attachments if a["id"] in kept]
        self.attachments += files
        if "components" in body:
            self.components = self._resolved(body["components"] or [])
        if not self.history and self.audience is None:  # edits cause no notification
            allowed = body.get("allowed_mentions") or {}
            marks = [f"<@&{role}>" for role in allowed.get("roles") or []]
            marks += [f"<@{user}>" for user in allowed.get("users") or []]
            self.pings = [mark for mark in marks if mark in self.text]
            self.push = self.content  # it doesn't include the texts of components
        self.history.append(Version(time.monotonic(), self.text, self.custom_ids))

    def _resolved(self, components: list[Json]) -> list[Json]:
        components = copy.deepcopy(components)
        urls = {f"attachment://{a['filename']}": a["url"] for a in self.attachments}
        for number, part in enumerate(parts(components), start=1):
            part.setdefault("id", number)
            for media in media_of(part):
                url = urls.get(media["url"], media["url"])
                media |= {
                    "url": url,
                    "proxy_url": url,
                    "width": 1,
                    "height": 1,
                    "content_type": "image/png",
                }
        return components

    @property
    def pictures(self) -> set[str]:
        """Return the URLs of the pictures and files that its components show."""
        return {str(media["url"]) for part in parts(self.components) for media in media_of(part)}

    def payload(self) -> Json:
        shown: Json = {
            "id": str(self.id),
            "type": 0,
            "channel_id": str(self.channel.id),
            "author": self.author,
            "content": self.content,
            "components": self.components,
            "attachments": [a for a in self.attachments if a["url"] not in self.pictures],
            "flags": self.flags | (HAS_THREAD if self.thread else 0),
            "timestamp": iso(((self.id >> 22) + DISCORD_EPOCH_MS) / 1000),
            "edited_timestamp": iso(self.edited_at) if self.edited_at else None,
            **_empty("embeds", "mentions", "mention_roles"),
            **dict.fromkeys(("tts", "mention_everyone", "pinned"), False),
        }
        return shown | ({"nonce": self.nonce} if self.nonce else {})


@dataclass(eq=False)
class Interaction:
    """A member's interaction and the bot's responses.

    `failed`: no response came within 3 seconds.
    """

    id: int
    kind: int
    member_id: int
    channel: Channel
    data: Json
    message: Message | None
    token: str = field(default_factory=lambda: secrets.token_hex(24))
    sent_at: float = field(default_factory=monotonic)
    acked_at: float | None = None
    callback: int | None = None
    reply: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return str(self.data.get("custom_id") or self.data.get("name"))
