"""From a click or a modal to its handler, by custom id.

A custom id is `name:v1:field:field…`, under 100 characters: ids and shown positions only, never anything that tells the
right answer. It is parsed whole and strictly: what Discord sends back was chosen by a client, which may send anything.

Handlers are found by the id alone, so every card works after a restart and for a message this process never saw.
discord.py's DynamicItem does that too, but it rebuilds the whole message for each click, says nothing to the member
when a handler fails or an id is unknown, and does not cover modals.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import discord

from bot.chat.replies import HandledElsewhere, payload, report_error, say
from bot.core.clicks import AlreadyAnswered, Click
from bot.core.clock import DiscordClock
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.notes import claim_interaction
from bot.core.snowflakes import created_at

log = logging.getLogger(__name__)

VERSION = "v1"
ROW = "[1-9][0-9]{0,17}"
PAGE = "0|[1-9][0-9]{0,5}"
TOPIC = "[a-z0-9-]{0,48}"
"""Nothing stands for all topics."""
ONE_TOPIC = "[a-z0-9-]{1,48}"
UNKNOWN = "This button is out of date. Use the newest message, or </help>."

Fields = Mapping[str, str]
Handler = Callable[[discord.Interaction, Fields], Awaitable[None]]

_ROUTED = frozenset({discord.InteractionType.component, discord.InteractionType.modal_submit})
"""The types of interaction that are handled here; commands are the command tree's."""
_REMEMBERED = 5000
_GRACE_SECONDS, _GRACE_STEPS = 2.5, 50


class Route:
    """A kind of custom id: its name, and for each field a pattern that must match in full.

    A field whose pattern is a plain word is fixed: `id` fills it in, and routes of one name may differ in it.
    `once`: what it asks for must not be done by two processes that receive the same click. Answers to rounds and
    dailies need no such care, as the database takes only one a member.
    `command`: for a button or form of managers, the mention of the command that opens its page.
    """

    def __init__(
        self, name: str, fields: Mapping[str, str], *, once: bool = False, command: str = ""
    ) -> None:
        self.name = name
        self.fields = fields
        self.once = once
        self.command = command
        self.group = command.strip("</>").partition(" ")[0]
        """The command's first word: servers allow or deny all commands that share it together."""
        self.fixed = {field: pattern for field, pattern in fields.items() if pattern.isalpha()}
        patterns = "".join(f":(?P<{field}>{pattern})" for field, pattern in fields.items())
        self._whole = re.compile(f"{name}:{VERSION}{patterns}")

    def id(self, **values: object) -> str:
        """The custom id with these values; raises ValueError if it could not be read back."""
        values = {**self.fixed, **values}
        custom_id = ":".join([self.name, VERSION, *(str(values[field]) for field in self.fields)])
        if set(values) != set(self.fields) or self.parse(custom_id) is None or len(custom_id) > 100:
            raise ValueError(custom_id)
        return custom_id

    def parse(self, custom_id: str) -> dict[str, str] | None:
        """The fields of a custom id, or None if it is not one of this route."""
        found = self._whole.fullmatch(custom_id)
        return found.groupdict() if found else None


class Router:
    """Hands interactions to their handlers, each once, and waits for them when the program ends."""

    def __init__(self, database: Database, clock: DiscordClock) -> None:
        self._database = database
        self._clock = clock
        self._routes: dict[str, list[tuple[Route, Handler]]] = {}
        self._seen: dict[int, None] = {}
        self.watchers: list[Callable[[discord.Interaction], None]] = []
        """Told of every interaction that is taken up. A listener of discord.py would be a task for each."""
        self._in_flight = 0
        self._leaving = False

    def add(self, route: Route, handler: Handler) -> None:
        """Send ids of a route to a handler. Of several routes that fit an id the one with more fixed fields has it."""
        others = self._routes.setdefault(route.name, [])
        if any(route.fields == other.fields for other, _ in others):
            raise ValueError(route.name)
        others.append((route, handler))
        others.sort(key=lambda pair: -len(pair[0].fixed))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Discord's event; commands are none of the router's business."""
        if interaction.type in _ROUTED and self.first_time(interaction):
            with self.in_flight():
                await self.dispatch(interaction)

    async def dispatch(self, interaction: discord.Interaction) -> None:
        """Handle a component or modal interaction; whatever happens, the member gets an answer."""
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
            same = self._database.shared and earlier.at == created_at(interaction.id)
            await report_error(interaction, HandledElsewhere() if same else earlier)
        except Exception as error:
            await report_error(interaction, error)

    def route_of(self, custom_id: str) -> Route | None:
        """Return the route of a custom id, None for an unknown one."""
        found = self._find(custom_id)
        return found[0] if found else None

    def _find(self, custom_id: str) -> tuple[Route, Handler, Fields] | None:
        for route, handler in self._routes.get(custom_id.partition(":")[0], ()):
            fields = route.parse(custom_id)
            if fields is not None:
                return route, handler, fields
        return None

    async def claim(self, interaction: discord.Interaction) -> None:
        """Take an interaction up; raises HandledElsewhere if another process has.

        Two processes that have the same shard by mistake, or while one replaces the other, both receive it. A SQLite
        database is one process's own.
        """
        if self._database.shared and not await self._database.write(
            claim_interaction, interaction.id
        ):
            raise HandledElsewhere

    def first_time(self, interaction: discord.Interaction) -> bool:
        """Whether to handle this interaction: Discord may repeat events, and while we leave nobody can be answered.

        Its id also tells Discord's time.
        """
        if interaction.id in self._seen or self._leaving:
            return False
        self._clock.record_event(interaction.id)
        self._seen[interaction.id] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        for watcher in self.watchers:
            watcher(interaction)
        return True

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Marks an interaction that is being answered, so that `drain` waits for it."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    async def drain(self) -> None:
        """Wait until every interaction in flight is answered, for a few seconds at most."""
        for _ in range(_GRACE_STEPS):
            if not self._in_flight:
                return
            await asyncio.sleep(_GRACE_SECONDS / _GRACE_STEPS)
        log.warning("closing with %s interactions unanswered", self._in_flight)

    def leave(self) -> None:
        """Take up nothing more."""
        self._leaving = True


def click_of(
    interaction: discord.Interaction,
    fields: Fields,
    *,
    picks: tuple[int, ...] = (),
    text: str | None = None,
) -> Click:
    """An answer as the services take it; its time is Discord's."""
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
    """The message whose button was clicked; 0 where there is none."""
    return interaction.message.id if interaction.message else 0


def guild_id_of(interaction: discord.Interaction) -> int:
    """The server of a command or button that exists on servers only."""
    assert interaction.guild_id is not None
    return interaction.guild_id


def what_is_used(interaction: discord.Interaction) -> str:
    """The name of the command, or with which the custom id of a button or modal begins."""
    data = payload(interaction)
    return str(data.get("custom_id") or data.get("name") or "").partition(":")[0]


def roles_of(interaction: discord.Interaction) -> tuple[int, ...]:
    """The roles that a member had when they used this, the highest first, as they came with the interaction."""
    if not isinstance(interaction.user, discord.Member):
        return ()
    known = [role.id for role in reversed(interaction.user.roles)]
    # while a server is still on its way to us its roles have no order yet, and discord.py names none of them
    return (*known, *(role_id for role_id in interaction.user._roles if role_id not in known))


def picked_in(interaction: discord.Interaction) -> list[str]:
    """What was chosen in a list on a message, as the client sent it."""
    return _texts(payload(interaction).get("values"))


def picked_id(interaction: discord.Interaction) -> int | None:
    """Return the id of the channel or role that was picked in a list, None for nothing; refuses what can't be one."""
    picked = picked_in(interaction)
    if picked and not number_in(picked):
        raise UserError("I can't use that here. Pick one from the list.")
    return number_in(picked) or None


def custom_ids(components: Sequence[Any]) -> Iterator[str]:
    """The custom ids of a message's buttons and lists."""
    for component in components:
        if isinstance(custom_id := getattr(component, "custom_id", None), str):
            yield custom_id
        yield from custom_ids(getattr(component, "children", ()))


def modal_text(interaction: discord.Interaction, limit: int) -> str:
    """The text of a modal with a single field, at most `limit` characters; NULs are dropped, as PostgreSQL has none."""
    texts = (
        node["value"] for node in _modal_nodes(interaction) if isinstance(node.get("value"), str)
    )
    return str(next(texts, "")).replace("\x00", "")[:limit]


def modal_values(interaction: discord.Interaction) -> list[Any]:
    """What was chosen in a modal with a single group of boxes, as the client sent it."""
    chosen = (
        node["values"] for node in _modal_nodes(interaction) if isinstance(node.get("values"), list)
    )
    return list(next(chosen, ()))


def entered(interaction: discord.Interaction) -> dict[str, list[str]]:
    """What was written or chosen in a modal of several fields, by their custom ids, as the client sent it."""
    nodes = [node for node in _modal_nodes(interaction) if isinstance(node.get("custom_id"), str)]
    return {node["custom_id"]: _texts(node.get("values", [node.get("value")])) for node in nodes}


def written_in(interaction: discord.Interaction) -> dict[str, str]:
    """What was written in a modal of several fields, as the client sent it: it may be longer than the fields are."""
    return {name: "".join(values)[:4000] for name, values in entered(interaction).items()}


def number_in(values: Sequence[str]) -> int:
    """The number that a client sent; 0, which nothing has, for anything else, and for what no database holds."""
    number = int(values[0]) if values and values[0].isdecimal() and len(values[0]) < 20 else 0
    return number if number < 2**63 else 0


def _texts(values: Any) -> list[str]:
    """The texts in what should be a list of texts, without NULs."""
    return (
        [v.replace("\x00", "") for v in values if isinstance(v, str)]
        if isinstance(values, list)
        else []
    )


def _modal_nodes(interaction: discord.Interaction) -> Iterator[dict[str, Any]]:
    """The components of a modal that was sent, and those inside of them."""
    nodes: list[Any] = [payload(interaction).get("components")]
    for node in nodes:  # which grows by what is inside
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            yield node
            nodes += [node.get("components"), node.get("component")]
