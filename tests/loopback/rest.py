"""The parts of REST version 10 that the bot uses: commands, cards and private replies."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.loopback.checks import Refused, check_message, check_modal, malformed
from tests.loopback.faults import Call
from tests.loopback.limits import MESSAGE, MESSAGES
from tests.loopback.model import (
    EPHEMERAL,
    LOADING,
    PERMISSIONS,
    Channel,
    Interaction,
    Json,
    Message,
)

if TYPE_CHECKING:
    from tests.loopback.world import World

Answer = tuple[int, Any]
Handler = Callable[["Rest", Call], Awaitable[Answer]]
ROUTES: list[tuple[str, str, re.Pattern[str], Handler]] = []
RESPONSE_WINDOW = 3.0


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    pattern = re.compile(re.escape(template).replace(r"\{\}", "([^/]+)"))

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, template, pattern, handler))
        return handler

    return register


def find(method: str, path: str) -> tuple[str, tuple[str, ...], Handler] | None:
    """A route: path template, handler, and ids in the path. Routes with fewer ids win."""
    hits = [
        (t, m.groups(), h)
        for verb, t, p, h in ROUTES
        if verb == method and (m := p.fullmatch(path))
    ]
    return min(hits, key=lambda hit: len(hit[1]), default=None)


class Rest:
    """Handles requests.

    `nonce_window`: how many seconds nonces are remembered. `token_life`: how many seconds an
    interaction's responses can be edited and followed up. `dm_opens`: how many direct message
    channels may be opened within `dm_seconds`.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.nonce_window, self.token_life = 300.0, 900.0
        self.dm_opens, self.dm_seconds = 20, 60.0
        self._opened: list[float] = []
        self._nonces: dict[str, tuple[float, Message]] = {}

    def forget_nonces(self) -> None:
        """Forget all nonces, as after an outage longer than Discord remembers them."""
        self._nonces.clear()

    def channel(self, channel_id: str, *needs: str) -> Channel:
        channel = self.world.channels.get(int(channel_id))
        if channel is None or channel.deleted:
            raise Refused(404, 10003, "Unknown Channel")
        if channel.guild.outage:
            raise Refused(503, 0, "Service Unavailable")
        if not channel.bot_may() & PERMISSIONS["view_channel"]:
            raise Refused(403, 50001, "Missing Access")
        if any(not channel.bot_may() & PERMISSIONS[need] for need in needs):
            raise Refused(403, 50013, "Missing Permissions")
        return channel

    def check_direct(self, channel: Channel) -> None:
        """Refuse a direct message to a member who shares no server with the bot or doesn't want
        any.
        """
        member = self.world.members[int((channel.recipient or {})["id"])]
        if not any(member.id in guild.members for guild in self.world.guilds.values()):
            raise Refused(
                403, 50278, "Cannot send messages to this user due to having no mutual guilds"
            )
        if not member.takes_dms:
            raise Refused(403, 50007, "Cannot send messages to this user")

    def open_direct(self, member_id: int) -> Channel:
        now = time.monotonic()
        self._opened = [at for at in self._opened if now - at < self.dm_seconds]
        if len(self._opened) >= self.dm_opens:
            raise Refused(403, 40003, "You are opening direct messages too fast")
        self._opened.append(now)
        return self.world.direct(self.world.members[member_id])

    def message(self, channel: Channel, message_id: str) -> Message:
        message = channel.messages.get(int(message_id))
        if message is None or message.deleted or message.audience is not None:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def create(
        self, channel: Channel, call: Call, body: Json, audience: int | None = None
    ) -> Message:
        """Store a new message by the bot."""
        message = Message(
            self.world.snowflake(), channel, self.world.bot, audience, body.get("nonce")
        )
        self.change(message, call, body)
        channel.messages[message.id] = message
        return message

    def change(self, message: Message, call: Call, body: Json) -> None:
        """Apply a request to a message, unless Discord would refuse it."""
        check_message(message, body, {filename for _, filename, _ in call.files})
        message.edited_at = self.world.clock() if message.history else None
        message.apply(body, self.stored(call, body))

    def stored(self, call: Call, body: Json) -> list[Json]:
        """Return a request's uploaded files as attachments."""
        described = {str(a.get("id")): a for a in body.get("attachments") or []}
        files = []
        for name, filename, content in call.files:
            file_id = str(self.world.snowflake())
            info = described.get(name[name.find("[") + 1 : -1], {})
            url = f"{self.world.url}/files/{file_id}/{filename}"
            files.append(
                {
                    "id": file_id,
                    "filename": filename,
                    "size": len(content),
                    "url": url,
                    "proxy_url": url,
                }
            )
            files[-1]["description"] = info.get("description")
        return files

    def interaction(self, token: str) -> Interaction:
        """Return a webhook route's interaction, if it was answered and isn't too old."""
        found = self.world.interactions.get(token)
        if found is not None and time.monotonic() - found.sent_at > self.token_life:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if found is None or found.callback is None:
            raise Refused(404, 10015, "Unknown Webhook")
        return found


@route("GET", "/gateway/bot")
async def gateway_bot(rest: Rest, call: Call) -> Answer:
    limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return 200, {"url": rest.world.gateway_url, "shards": 1, "session_start_limit": limit}


@route("GET", "/users/@me")
async def me(rest: Rest, call: Call) -> Answer:
    return 200, rest.world.bot


@route("GET", "/oauth2/applications/@me")
@route("GET", "/applications/@me")
async def application(rest: Rest, call: Call) -> Answer:
    shown = {
        "id": str(rest.world.bot_id),
        "name": "quizformer",
        "description": "",
        "icon": None,
        "verify_key": "",
    }
    owner = {"owner": {**rest.world.bot, "bot": False}, "team": None}
    return 200, shown | owner | {"bot_public": True, "bot_require_code_grant": False, "flags": 0}


@route("PUT", "/applications/{}/commands")
@route("PUT", "/applications/{}/guilds/{}/commands")
async def put_commands(rest: Rest, call: Call) -> Answer:
    rest.world.syncs += 1
    earlier = {c["name"]: c["id"] for c in rest.world.commands}
    rest.world.commands = [
        {
            "type": 1,
            "description": "",
            **c,
            "id": earlier.get(c["name"], str(rest.world.snowflake())),
            "version": "1",
        }
        | {"application_id": call.ids[0]}
        for c in call.body["list"]
    ]
    return 200, rest.world.commands


@route("GET", "/applications/{}/commands")
async def get_commands(rest: Rest, call: Call) -> Answer:
    return 200, rest.world.commands


@route("POST", "/users/@me/channels")
async def open_direct(rest: Rest, call: Call) -> Answer:
    return 200, rest.open_direct(int(call.body["recipient_id"])).payload()


@route("POST", MESSAGES)
async def post_message(rest: Rest, call: Call) -> Answer:
    channel = rest.channel(call.ids[0], "send_messages", *(["attach_files"] if call.files else []))
    if channel.recipient:
        rest.check_direct(channel)
    if channel.locked:
        raise Refused(403, 160005, "This thread is locked")
    nonce = call.body.get("nonce")
    if nonce and call.body.get("enforce_nonce"):
        at, first = rest._nonces.get(nonce, (float("-inf"), None))
        if first is not None and time.monotonic() - at < rest.nonce_window:
            rest.world.deduplicated += 1
            return 200, rest.message(first.channel, str(first.id)).payload()
    message = rest.create(channel, call, call.body)
    if nonce:
        rest._nonces[nonce] = (time.monotonic(), message)
    return 200, message.payload()


@route("GET", MESSAGES)
async def history(rest: Rest, call: Call) -> Answer:
    channel = rest.channel(call.ids[0])
    if not channel.bot_may() & PERMISSIONS["read_message_history"]:
        return 200, []  # like Discord: no error, but no content either
    limit = int(call.query.get("limit", 50))
    after, before = int(call.query.get("after", 0)), int(call.query.get("before", 1 << 63))
    seen = [
        m
        for m in channel.messages.values()
        if m.audience is None and not m.deleted and after < m.id < before
    ]
    page = seen[:limit] if "after" in call.query else seen[-limit:]
    return 200, [m.payload() for m in reversed(page)]


@route("GET", MESSAGE)
async def get_message(rest: Rest, call: Call) -> Answer:
    return 200, rest.message(
        rest.channel(call.ids[0], "read_message_history"), call.ids[1]
    ).payload()


@route("PATCH", MESSAGE)
async def edit_message(rest: Rest, call: Call) -> Answer:
    message = rest.message(rest.channel(call.ids[0]), call.ids[1])
    if message.author is not rest.world.bot:
        raise Refused(403, 50005, "Cannot edit a message authored by another user")
    rest.change(message, call, call.body)
    return 200, message.payload()


@route("POST", "/channels/{}/messages/{}/threads")
async def start_thread(rest: Rest, call: Call) -> Answer:
    channel = rest.channel(call.ids[0], "create_public_threads")
    message = rest.message(channel, call.ids[1])
    if message.thread is not None:
        raise Refused(400, 160004, "A thread has already been created for this message")
    message.thread = rest.world.add_channel(
        channel.guild, call.body["name"], parent=channel, channel_id=message.id
    )
    await rest.world.gateway.emit(
        "THREAD_CREATE", message.thread.payload() | {"newly_created": True}
    )
    return 201, message.thread.payload()


@route("POST", "/channels/{}/threads")
async def start_private_thread(rest: Rest, call: Call) -> Answer:
    channel = rest.channel(call.ids[0], "create_private_threads")
    thread = rest.world.add_channel(channel.guild, call.body["name"], parent=channel)
    thread.private = thread.invited = True
    await rest.world.gateway.emit("THREAD_CREATE", thread.payload() | {"newly_created": True})
    return 201, thread.payload()


@route("GET", "/guilds/{}/threads/active")
async def active_threads(rest: Rest, call: Call) -> Answer:
    threads = [
        channel
        for channel in rest.world.channels.values()
        if channel.parent and channel.guild.id == int(call.ids[0]) and not channel.deleted
    ]
    shown = [thread.payload() for thread in threads if thread.bot_may()]
    return 200, {"threads": shown, "members": []}


@route("PUT", "/channels/{}/thread-members/{}")
async def add_to_thread(rest: Rest, call: Call) -> Answer:
    thread = rest.channel(call.ids[0], "send_messages_in_threads")
    if int(call.ids[1]) not in thread.guild.members:
        raise Refused(403, 50001, "Missing Access")
    thread.members.add(int(call.ids[1]))
    return 204, None


@route("POST", "/interactions/{}/{}/callback")
async def callback(rest: Rest, call: Call) -> Answer:
    found = rest.world.interactions.get(call.ids[1])
    if found is None or str(found.id) != call.ids[0]:
        raise Refused(404, 10062, "Unknown interaction")
    if found.callback is not None:
        found.refusals.append(40060)
        raise Refused(400, 40060, "Interaction has already been acknowledged.")
    if time.monotonic() - found.sent_at > RESPONSE_WINDOW:
        found.refusals.append(10062)
        raise Refused(404, 10062, "Unknown interaction")
    kind, data = int(call.body["type"]), call.body.get("data") or {}
    message = found.message
    if kind in {4, 5}:
        hidden = int(data.get("flags") or 0) & EPHEMERAL
        body = data if kind == 4 else {"flags": LOADING | hidden}
        message = found.reply = rest.create(
            found.channel, call, body, found.member_id if hidden else None
        )
    elif kind == 7 and message is not None:
        rest.change(
            message, call, {"attachments": [], **data}
        )  # like Discord: attachments that aren't listed are removed
        found.reply = message
    elif kind == 8:
        found.choices = data.get("choices") or []
    elif kind == 9:
        check_modal(data)
        found.modal = data
    elif kind == 6:
        found.reply = message  # which the bot may edit later as its original response
    else:
        raise malformed("type", f"no type {kind}")
    found.callback, found.acked_at = kind, time.monotonic()
    found.answered.set()
    if "with_response" not in call.query:
        return 204, None
    about: Json = {"id": str(found.id), "type": found.kind, "response_message_loading": kind == 5}
    if kind not in {4, 5, 7} or message is None:
        return 200, {"interaction": about}
    about |= {
        "response_message_id": str(message.id),
        "response_message_ephemeral": message.audience is not None,
    }
    return 200, {"interaction": about, "resource": {"type": kind, "message": message.payload()}}


@route("POST", "/webhooks/{}/{}")
async def follow_up(rest: Rest, call: Call) -> Answer:
    found = rest.interaction(call.ids[1])
    hidden = int(call.body.get("flags") or 0) & EPHEMERAL
    message = rest.create(found.channel, call, call.body, found.member_id if hidden else None)
    found.followups.append(message)
    return 200, message.payload()


@route("PATCH", "/webhooks/{}/{}/messages/{}")
async def edit_reply(rest: Rest, call: Call) -> Answer:
    found = rest.interaction(call.ids[1])
    mine = [m for m in (found.reply, *found.followups) if m is not None]
    wanted = [m for m in mine if call.ids[2] in {str(m.id), "@original"}]
    if not wanted:
        raise Refused(404, 10008, "Unknown Message")
    wanted[0].flags &= ~LOADING
    rest.change(wanted[0], call, call.body)
    return 200, wanted[0].payload()
