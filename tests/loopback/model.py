"""What exists in the loopback Discord: servers, channels, members, messages with all their versions, interactions."""

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
    "send_messages_in_threads": 1 << 38,
}
EVERYTHING = sum(PERMISSIONS.values())
MEMBERS_MAY = EVERYTHING & ~(PERMISSIONS["manage_guild"] | PERMISSIONS["manage_messages"])
REPLIES_MAY = sum(
    PERMISSIONS[n]
    for n in ("embed_links", "attach_files", "mention_everyone", "use_external_emojis")
)
"""The `app_permissions` of interactions where there is no bot, and in direct messages."""


class Snowflakes:
    """Ids that rise and carry their time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last = 0

    def __call__(self) -> int:
        self._last = max((int(self._clock() * 1000) - DISCORD_EPOCH_MS) << 22, self._last + 1)
        return self._last


def monotonic() -> float:
    """`time.monotonic` as it is now: a month puts another one in its place."""
    return time.monotonic()


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _empty(*names: str) -> Json:
    return {name: [] for name in names}


def parts(node: object) -> Iterator[Json]:
    """Every component in a tree of components, in order."""
    if isinstance(node, list):
        for child in node:
            yield from parts(child)
    elif isinstance(node, dict):
        if "type" in node:
            yield node
        for key in ("components", "component", "accessory"):
            yield from parts(node.get(key))


def media_of(part: Json) -> list[Json]:
    """The pictures and files that a component shows."""
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
    """The bot is not there: the app was added without it, or it was removed."""
    outage: bool = False
    """Discord has lost the server for now."""
    allowed: dict[str, dict[int, bool]] = field(default_factory=dict)
    """By command, what its settings say of roles, members, channels and, as Discord does it, of everyone (`id`)."""

    def payload(self, bot: Json) -> Json:
        """A GUILD_CREATE."""
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
    """A text channel, or a thread if it has a `parent`. `denied`: permission bits that the bot lacks here.

    `private`: a private thread, where the bot is not unless it was `invited`. `recipient`: the member with whom this is
    a direct message; its guild is none then (id 0).
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
    recipient: Json | None = None
    messages: dict[int, Message] = field(default_factory=dict)

    def bot_may(self) -> int:
        if self.guild.left or (self.private and not self.invited):
            return 0
        denied = (self.parent or self).denied
        return 0 if denied & PERMISSIONS["view_channel"] else MEMBERS_MAY & ~denied

    def app_may(self) -> int:
        """What an interaction says of the bot's permissions: in a thread those of its parent, private or not."""
        return REPLIES_MAY if self.guild.left or self.recipient else (self.parent or self).bot_may()

    def announced(self) -> Json:
        """The channel as the bot hears of it: one that it can't view has no name and shows nothing but that."""
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
    """A message as it stood from `at` (monotonic seconds) on."""

    at: float
    text: str
    custom_ids: tuple[str, ...]


@dataclass(eq=False)
class Message:
    """`audience`: the only member who sees it (an ephemeral one), or None for everybody.

    `push`: the words of the notification, which no edit changes.
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
        """All that members read: the content, then every text and label of the components."""
        shown = [self.content]
        for part in parts(self.components):
            shown += [str(part[key]) for key in ("content", "label") if part.get(key)]
        return "\n".join(line for line in shown if line)

    @property
    def custom_ids(self) -> tuple[str, ...]:
        return tuple(str(p["custom_id"]) for p in parts(self.components) if "custom_id" in p)

    def part(self, custom_id: str) -> Json:
        """The component with this id; KeyError if members don't see one."""
        for part in parts(self.components):
            if part.get("custom_id") == custom_id and not part.get("disabled"):
                return part
        raise KeyError(custom_id)

    def apply(self, body: Json, files: list[Json]) -> None:
        """Change what a create or edit request says, and remember the version."""
        self.content = str(body.get("content") or "") if "content" in body else self.content
        self.flags |= int(body.get("flags") or 0)
        if "attachments" in body:
            kept = {str(a.get("id")) for a in body["attachments"] or []}
            self.attachments = [a for a in self.attachments if a["id"] in kept]
        self.attachments += files
        if "components" in body:
            self.components = self._resolved(body["components"] or [])
        if not self.history and self.audience is None:  # no edit notifies anybody
            allowed = body.get("allowed_mentions") or {}
            self.pings = [str(r) for r in allowed.get("roles") or [] if f"<@&{r}>" in self.text]
            self.push = self.content  # the texts of Components V2 are not in it
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
        """Where the pictures and files lie that its components show."""
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
    """What a member did, and how the bot answered. `failed`: 3 seconds passed without an answer."""

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
