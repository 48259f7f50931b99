"""From a click or a modal to its handler, by custom id.

Handlers are found by the id alone, so every card works after a restart and for a message this process never saw.
discord.py's DynamicItem does that too, but it rebuilds the whole message for each click, says nothing to the member
when a handler fails or an id is unknown, and does not cover modals.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import discord

from bot.chat.custom_ids import Route
from bot.chat.replies import HandledElsewhere, payload, report_error, say
from bot.core.snowflakes import created_at
from bot.questions.answering import Click

Fields = Mapping[str, str]
Handler = Callable[[discord.Interaction, Fields], Awaitable[None]]

ROUTED = frozenset({discord.InteractionType.component, discord.InteractionType.modal_submit})
"""The types of interaction that are handled here; commands are the command tree's."""
_UNKNOWN = "This button is from another version of me and does nothing now: use the newest message, or /help."


class Router:
    """`first` tells, by an interaction's id, whether this process is the first to take it up."""

    def __init__(self, first: Callable[[int], Awaitable[bool]]) -> None:
        self._first = first
        self._routes: dict[str, tuple[Route, Handler]] = {}

    def add(self, route: Route, handler: Handler) -> None:
        """Send ids of a route to a handler; each route has one."""
        if route.name in self._routes:
            raise ValueError(route.name)
        self._routes[route.name] = (route, handler)

    async def dispatch(self, interaction: discord.Interaction) -> None:
        """Handle a component or modal interaction; whatever happens, the member gets an answer."""
        custom_id = str(payload(interaction).get("custom_id", ""))
        route, handler = self._routes.get(custom_id.partition(":")[0], (None, None))
        fields = route.parse(custom_id) if route else None
        try:
            if route is None or fields is None or handler is None:
                await say(interaction, _UNKNOWN)
            elif route.once(fields) and not await self._first(interaction.id):
                raise HandledElsewhere
            else:
                await handler(interaction, fields)
        except Exception as error:
            await report_error(interaction, error)


def click_of(
    interaction: discord.Interaction, row: str, *, picks: tuple[int, ...] = (), text: str | None = None
) -> Click:
    """An answer as the services take it; its time is Discord's."""
    return Click(
        question_id=int(row),
        message_id=interaction.message.id if interaction.message else 0,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        at=created_at(interaction.id),
        picks=picks,
        text=text,
    )


def modal_text(interaction: discord.Interaction, limit: int) -> str:
    """The text of a modal with a single field, at most `limit` characters; NULs are dropped, as PostgreSQL has none."""
    found: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("value"), str):
                found.append(node["value"])
            walk(node.get("components"))
            walk(node.get("component"))
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(payload(interaction).get("components"))
    return found[0].replace("\x00", "")[:limit] if found else ""
