"""What Discord sends, as bytes that are prepared once and filled in quickly.

Servers are numbered from 0. All ids of server n begin with the same digits, so that one template makes all of them.
"""

from __future__ import annotations

from typing import Any

import orjson

from tests.loopback.model import EVERYTHING, MEMBERS_MAY, iso, parts

Json = dict[str, Any]
BOT_ID = 1_000_000_000_000_000_001
BOT: Json = {
    "id": str(BOT_ID),
    "username": "quizformer",
    "discriminator": "0000",
    "bot": True,
    "avatar": None,
    "global_name": None,
    "public_flags": 0,
}
_SERVER = "@server@"


def guild_id(server: int) -> int:
    return 100_000_000_000_000_000 + server * 1_000_000_000


def channel_id(server: int, channel: int = 0) -> int:
    return guild_id(server) + 1000 + channel


def _id(number: int) -> str:
    """An id of a template's server: `_SERVER` stands for the digits that tell servers apart."""
    return f"1{_SERVER}{number:09d}"


def channel_payload(id_: str, guild: str, bot_id: str, number: int) -> Json:
    return {
        "id": id_,
        "guild_id": guild,
        "type": 0,
        "name": f"channel-{number}",
        "topic": "Where we learn together" if number % 3 == 0 else None,
        "position": number,
        "parent_id": None,
        "nsfw": False,
        "rate_limit_per_user": 0,
        "last_message_id": id_,
        "flags": 0,
        "permission_overwrites": [
            {"id": guild, "type": 0, "allow": "0", "deny": "2048"},
            {"id": bot_id, "type": 1, "allow": "2048", "deny": "0"},
        ],
    }


def guild_template(channels: int = 25, roles: int = 15) -> bytes:
    """A GUILD_CREATE of a server with one member, the bot; `fill_guild` makes it some server's."""
    guild = _id(0)
    role: Json = {
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
    }
    role |= {
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    made: Json = {
        "id": guild,
        "name": f"Study group {_SERVER}",
        "icon": "0123456789abcdef0123456789abcdef",
        "owner_id": _id(7),
        "unavailable": False,
        "large": False,
        "joined_at": iso(0),
        "member_count": 150,
        "members": [
            {
                "user": BOT,
                "roles": [],
                "joined_at": iso(0),
                "deaf": False,
                "mute": False,
                "flags": 0,
            }
        ],
        "roles": [
            role
            | {
                "id": _id(n),
                "name": f"role {n}" if n else "@everyone",
                "position": n,
                "permissions": str(EVERYTHING),
            }
            for n in range(roles)
        ],
        "channels": [
            channel_payload(_id(1000 + n), guild, str(BOT_ID), n) for n in range(channels)
        ],
        "preferred_locale": "en-US",
        "description": None,
        "vanity_url_code": None,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": _id(1000),
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "premium_subscription_count": 0,
    }
    for name in ("threads", "emojis", "stickers", "voice_states", "presences", "stage_instances"):
        made[name] = []
    made["features"] = ["COMMUNITY", "NEWS"]
    for name in (
        "verification_level",
        "default_message_notifications",
        "explicit_content_filter",
        "mfa_level",
    ):
        made[name] = 0
    for name in ("nsfw_level", "premium_tier", "system_channel_flags"):
        made[name] = 0
    return orjson.dumps(made)


def fill_guild(template: bytes, server: int) -> bytes:
    return template.replace(_SERVER.encode(), b"%08d" % server)


def ready(shard: int, shards: int, guild_ids: list[int], gateway_url: str) -> Json:
    return {
        "v": 10,
        "user": BOT,
        "session_id": f"session-{shard}",
        "resume_gateway_url": gateway_url,
        "guilds": [{"id": str(i), "unavailable": True} for i in guild_ids],
        "application": {"id": str(BOT_ID), "flags": 0},
        "shard": [shard, shards],
    }


def message(message_id: int, channel: int, body: Json, *, ephemeral: bool = False) -> Json:
    """A message of the bot's, as Discord shows it after a request with this body."""
    components = body.get("components") or []
    for number, part in enumerate(parts(components), start=1):
        part.setdefault("id", number)
        for item in part.get("items") or []:
            url = "https://cdn.example/attachments/1/2/formula.png"
            item["media"] = {
                "url": url,
                "proxy_url": url,
                "width": 960,
                "height": 120,
                "content_type": "image/png",
            }
    return {
        "id": str(message_id),
        "type": 0,
        "channel_id": str(channel),
        "author": BOT,
        "content": body.get("content") or "",
        "components": components,
        "attachments": [],
        "embeds": [],
        "mentions": [],
        "mention_roles": [],
        "flags": int(body.get("flags") or 0) | (64 if ephemeral else 0),
        "timestamp": iso(0),
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "pinned": False,
    } | ({"nonce": body["nonce"]} if body.get("nonce") else {})


def custom_ids(shown: Json) -> list[str]:
    """The custom ids on a message, in order."""
    return [str(part["custom_id"]) for part in parts(shown["components"]) if "custom_id" in part]


class InteractionTemplate:
    """An INTERACTION_CREATE in a channel; `fill` makes it one member's."""

    def __init__(
        self, kind: int, server: int, channel: int, data: Json, shown: Json | None = None
    ) -> None:
        user: Json = {
            "id": "@user@",
            "username": "member_@user@",
            "discriminator": "0",
            "global_name": "Member @user@",
        }
        user |= {
            "avatar": "0123456789abcdef0123456789abcdef",
            "public_flags": 0,
            "avatar_decoration_data": None,
        }
        member = {
            "user": user,
            "roles": [str(guild_id(server) + 3)],
            "joined_at": iso(0),
            "nick": None,
            "flags": 0,
        }
        member |= {
            "permissions": str(MEMBERS_MAY),
            "deaf": False,
            "mute": False,
            "pending": False,
            "avatar": None,
        }
        event: Json = {
            "id": "@id@",
            "application_id": str(BOT_ID),
            "type": kind,
            "token": "@token@",
            "version": 1,
            "guild_id": str(guild_id(server)),
            "guild": {"id": str(guild_id(server)), "locale": "en-US", "features": []},
            "channel_id": str(channel),
            "channel": channel_payload(str(channel), str(guild_id(server)), str(BOT_ID), 0)
            | {"permissions": str(MEMBERS_MAY)},
            "member": member,
            "app_permissions": str(EVERYTHING),
            "locale": "en-US",
            "guild_locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild_id(server))},
            "context": 0,
            "attachment_size_limit": 10 << 20,
            "data": data,
        }
        if shown is not None:
            event["message"] = shown
        template = orjson.dumps(event).replace(b"%", b"%%")
        for name in (b"id", b"token", b"user", b"choice"):
            template = template.replace(b"@%b@" % name, b"%%(%b)b" % name)
        self._template = template

    def fill(self, interaction_id: int, user_id: int, choice: str = "") -> bytes:
        """`choice` is the custom id that the data says "@choice@" for."""
        number = b"%d" % interaction_id
        values = {
            b"id": number,
            b"token": token(number),
            b"user": b"%d" % user_id,
            b"choice": choice.encode(),
        }
        return self._template % values


def token(number: bytes) -> bytes:
    """As long as a real one."""
    return b"aW50ZXJhY3Rpb246" + number * 9
