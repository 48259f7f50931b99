"""Routes clicks and modal submissions to their handlers by custom id.

A custom id is `name:v1:field:field…`, at most 100 characters. It holds ids and displayed positions
only, never anything that gives away the right answer. It must match its pattern in full, because a
client may send anything.

The id alone determines the handler, so buttons keep working after a restart and on messages from
other processes. discord.py's DynamicItem does that too, but it rebuilds the whole message for each
click, doesn't tell the member when a handler fails or an id is unknown, and doesn't cover modals.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import discord

from bot.chat.replies import HandledElsewhere, payload, report_error, say
from bot.core.clicks import AlreadyAnswered, Click
from bot.core.clock import DiscordClock
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.limits import MAX_CLICKS
from bot.core.notes import claim_interaction
from bot.core.snowflakes import created_at
from bot.core.zones import meant_zone

log = logging.getLogger(__name__)

VERSION = "v1"
ROW = "[1-9][0-9]{0,17}"
PAGE = "0|[1-9][0-9]{0,5}"
TOPIC = "[a-z0-9-]{0,48}"
"""A topic's id; empty for all topics."""
ONE_TOPIC = "[a-z0-9-]{1,48}"
UNKNOWN = "This button is out of date. Use the newest message, or </help>."

Fields = Mapping[str, str]
Handler = Callable[[discord.Interaction, Fields], Awaitable[None]]

_ROUTED = frozenset({discord.InteractionType.component, discord.InteractionType.modal_submit})
"""The interaction types handled here. The command tree handles commands."""
_REMEMBERED = 5000
"""The number of recent interaction ids kept to recognise repeated events."""
_GRACE_SECONDS = 2.5
_GRACE_STEPS = 50


class Route:
    """A kind of custom id: a name, and a pattern for each field.

    A field whose pattern is a plain word is fixed: `id` fills it in, and routes with the same name
    may differ in it.
    `once`: only one of several processes that receive the same click may handle it. Answers don't
    need this, because the database accepts only one per member.
    `command`: for managers' buttons and forms, the mention of the command that opens their page.
    """

    def __init__(
        self, name: str, fields: Mapping[str, str], *, once: bool = False, command: str = ""
    ) -> None:
        self.name = name
        self.fields = fields
        self.once = once
        self.command = command
        self.group = command.strip("</>").partition(" ")[0]
        """The command's first word. Servers allow or deny all commands that share it together."""
        self.fixed = {field: pattern for field, pattern in fields.items() if pattern.isalpha()}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """The pattern of a whole custom id, compiled at its first use: all take 13 ms of a start."""
        fields = "".join(f":(?P<{field}>{pattern})" for field, pattern in self.fields.items())
        return re.compile(f"{self.name}:{VERSION}{fields}")

    def id(self, **values: object) -> str:
        """Build a custom id from field values. Raises ValueError if `parse` would reject it."""
        values = {**self.fixed, **values}
        custom_id = ":".join([self.name, VERSION, *(str(values[field]) for field in self.fields)])
        if set(values) != set(self.fields) or self.parse(custom_id) is None or len(custom_id) > 100:
            raise ValueError(custom_id)
        return custom_id

    def parse(self, custom_id: str) -> dict[str, str] | None:
        """Return the fields of a custom id, or None if it doesn't belong to this route."""
        found = self._pattern.fullmatch(custom_id)
        return found.groupdict() if found else None


class Router:
    """Dispatches each interaction to its handler once, and waits for handlers at shutdown."""

    def __init__(self, database: Database, clock: DiscordClock) -> None:
        self._database = database
        self._clock = clock
        self._routes: dict[str, list[tuple[Route, Handler]]] = {}
        self._seen: dict[int, None] = {}
        self.watchers: list[Callable[[discord.Interaction], None]] = []
        """Called with every accepted interaction.

        A discord.py listener would start a task each time.
        """
        self._in_flight: Counter[int] = Counter()
        """Interactions that are being answered, by member."""
        self._closing = False

    def add(self, route: Route, handler: Handler) -> None:
        """Send a route's custom ids to a handler.

        If several routes match, the one with most fixed fields wins.
        """
        others = self._routes.setdefault(route.name, [])
        if any(route.fields == other.fields for other, _ in others):
            raise ValueError(route.name)
        others.append((route, handler))
        others.sort(key=lambda pair: -len(pair[0].fixed))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Handle a component or modal event from Discord; ignore commands."""
        if interaction.type in _ROUTED and self.accept(interaction):
            with self.in_flight(interaction):
                await self.dispatch(interaction)

    async def dispatch(self, interaction: discord.Interaction) -> None:
        """Call the handler of an interaction. The member gets an answer even if it fails."""
        custom_id = str(payload(interaction).get("custom_id", ""))
        try:
            found = self._find(custom_id)
            if found is None:
                await say(interaction, UNKNOWN)
                return
            route, handler, fields = found
            if route.once:
                await self.claim(interaction)
            await handler(interaction, fields)
        except AlreadyAnswered as earlier:
            same_click = self._database.shared and earlier.at == created_at(interaction.id)
            await report_error(interaction, HandledElsewhere() if same_click else earlier)
        except Exception as error:
            await report_error(interaction, error)

    def route_of(self, custom_id: str) -> Route | None:
        """Return the route of a custom id, or None if it is unknown."""
        found = self._find(custom_id)
        return found[0] if found else None

    def _find(self, custom_id: str) -> tuple[Route, Handler, Fields] | None:
        for route, handler in self._routes.get(custom_id.partition(":")[0], ()):
            fields = route.parse(custom_id)
            if fields is not None:
                return route, handler, fields
        return None

    async def claim(self, interaction: discord.Interaction) -> None:
        """Claim an interaction for this process. Raises HandledElsewhere if another one has it.

        Two processes with the same shard both receive it, by mistake or while one replaces the
        other. A SQLite database is used by one process only, so nothing is written there.
        """
        if self._database.shared and not await self._database.write(
            claim_interaction, interaction.id
        ):
            raise HandledElsewhere

    def accept(self, interaction: discord.Interaction) -> bool:
        """Record an interaction; return False for one that came before, or once the bot is closing.

        Also if too many of the same member are being answered: only a program sends that many, and
        a reply to each would take others' time. An id also sets the clock, because it holds
        Discord's time.
        """
        if interaction.id in self._seen or self._closing:
            return False
        if self._in_flight[interaction.user.id] >= MAX_CLICKS:
            return False
        self._clock.record_event(interaction.id)
        self._seen[interaction.id] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        for watcher in self.watchers:
            watcher(interaction)
        return True

    @contextmanager
    def in_flight(self, interaction: discord.Interaction) -> Iterator[None]:
        """Count an interaction as being answered, so that `drain` waits for it."""
        user_id = interaction.user.id
        self._in_flight[user_id] += 1
        try:
            yield
        finally:
            self._in_flight[user_id] -= 1
            if not self._in_flight[user_id]:
                del self._in_flight[user_id]

    async def drain(self) -> None:
        """Wait a few seconds at most until every interaction in flight is answered."""
        for _ in range(_GRACE_STEPS):
            if not self._in_flight:
                return
            await asyncio.sleep(_GRACE_SECONDS / _GRACE_STEPS)
        log.warning("closing with %s interactions unanswered", self._in_flight.total())

    def stop_accepting(self) -> None:
        """Ignore all further interactions."""
        self._closing = True


def click_of(
    interaction: discord.Interaction,
    fields: Fields,
    *,
    picks: tuple[int, ...] = (),
    text: str | None = None,
) -> Click:
    """Build the services' value for an answer. Its time is Discord's."""
    return Click(
        question_id=int(fields["row"]),
        message_id=message_id_of(interaction),
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        at=created_at(interaction.id),
        picks=picks,
        text=text,
        roles=roles_of(interaction),
    )


def message_id_of(interaction: discord.Interaction) -> int:
    """Return the id of the message whose button was clicked, or 0."""
    return interaction.message.id if interaction.message else 0


def guild_id_of(interaction: discord.Interaction) -> int:
    """Return the server's id; refuses a click in direct messages, which is forged."""
    if interaction.guild_id is None:
        raise UserError("This only works on a server. Try it in a channel there.")
    return interaction.guild_id


def roles_of(interaction: discord.Interaction) -> tuple[int, ...]:
    """Return the ids of the roles that came with the interaction, highest first."""
    if not isinstance(interaction.user, discord.Member):
        return ()
    known = [role.id for role in reversed(interaction.user.roles)]
    # until the server's data has arrived, discord.py doesn't know its roles or their order
    return (*known, *(role_id for role_id in interaction.user._roles if role_id not in known))


def selected_values(interaction: discord.Interaction) -> list[str]:
    """Return the values selected in a list on a message, as sent by the client."""
    return _texts(payload(interaction).get("values"))


def selected_points(interaction: discord.Interaction) -> frozenset[int]:
    """Return the key points, by index, that are ticked in a list; refuse what no list has."""
    picked = selected_values(interaction)
    if not set(picked) <= set("012345"):
        raise UserError(UNKNOWN)
    return frozenset(map(int, picked))


def selected_id(interaction: discord.Interaction) -> int | None:
    """Return the id of the selected channel or role, or None if nothing is selected."""
    selected = selected_values(interaction)
    if selected and not parse_number(selected):
        raise UserError("I can't use that here. Pick one from the list.")
    return parse_number(selected) or None


def custom_ids(components: Sequence[Any]) -> Iterator[str]:
    """Yield the custom ids of a message's buttons and lists."""
    for component in components:
        if isinstance(custom_id := getattr(component, "custom_id", None), str):
            yield custom_id
        yield from custom_ids(getattr(component, "children", ()))


def modal_text(interaction: discord.Interaction, limit: int) -> str:
    """Return the text of a modal with one field, cut to `limit` characters.

    NULs are removed because PostgreSQL can't store them:
    https://www.postgresql.org/docs/current/datatype-character.html
    """
    texts = (
        node["value"] for node in _modal_nodes(interaction) if isinstance(node.get("value"), str)
    )
    return str(next(texts, "")).replace("\x00", "")[:limit]


def modal_reason(interaction: discord.Interaction, reasons: Sequence[str], limit: int) -> str:
    """Return what was chosen and written in a `reason_modal` as one text; empty if nothing was."""
    given = modal_texts(interaction)
    chosen = given.get("reason", "")
    parts = [chosen if chosen in reasons else "", given.get("text", "")[:limit].strip()]
    return ". ".join(filter(None, parts))


def checked_values(interaction: discord.Interaction) -> list[Any]:
    """Return the checked values of a modal with one group of checkboxes, as sent by the client."""
    groups = (
        node["values"] for node in _modal_nodes(interaction) if isinstance(node.get("values"), list)
    )
    return list(next(groups, ()))


def modal_fields(interaction: discord.Interaction) -> dict[str, list[str]]:
    """Return the values of a modal's fields by custom id, as sent by the client."""
    nodes = [node for node in _modal_nodes(interaction) if isinstance(node.get("custom_id"), str)]
    return {node["custom_id"]: _texts(node.get("values", [node.get("value")])) for node in nodes}


def modal_texts(interaction: discord.Interaction) -> dict[str, str]:
    """Return the texts of a modal's fields by custom id.

    They may exceed the limits of the fields.
    """
    return {name: "".join(values)[:4000] for name, values in modal_fields(interaction).items()}


def modal_zone(interaction: discord.Interaction) -> str:
    """Return the time zone that was written or picked in `zone_fields`; refuses an unknown one."""
    given = modal_texts(interaction)
    return meant_zone(given.get("other", "").strip() or given.get("zone", ""))


def modal_file(interaction: discord.Interaction) -> discord.Attachment | None:
    """Return the first file that was uploaded in a `file_field`, if any."""
    ids = modal_fields(interaction).get("upload", [])
    resolved = payload(interaction).get("resolved")
    files = resolved.get("attachments") if isinstance(resolved, dict) else None
    found = files.get(ids[0]) if isinstance(files, dict) and ids else None
    return None if found is None else discord.Attachment(data=found, state=interaction._state)


def parse_number(values: Sequence[str]) -> int:
    """Return the first value as a 64-bit number, or 0, which is no row's id, if it isn't one."""
    number = int(values[0]) if values and values[0].isdecimal() and len(values[0]) < 20 else 0
    return number if number < 2**63 else 0


def _texts(values: Any) -> list[str]:
    """Return the strings in a client's list of values, without NULs."""
    return (
        [v.replace("\x00", "") for v in values if isinstance(v, str)]
        if isinstance(values, list)
        else []
    )


def _modal_nodes(interaction: discord.Interaction) -> Iterator[dict[str, Any]]:
    """Yield the components of a submitted modal, including nested ones."""
    nodes: list[Any] = [payload(interaction).get("components")]
    for node in nodes:  # the list grows while it is read
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            yield node
            nodes += [node.get("components"), node.get("component")]
