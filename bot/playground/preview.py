"""simcord's preview of a channel for one member, updated live and without its own web server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web
from simcord import SetupError
from simcord.actors import MemberActor
from simcord.backend.errors import BackendError
from simcord.backend.models import Channel, Message
from simcord.builders import ChannelHandle, UserHandle
from simcord.enums import AppCommandType
from simcord.preview import Preview, _server, _snapshot
from simcord.preview._messages import _message_projection
from simcord.preview._server import PreviewServer
from simcord.results import ResponseMessage

from .live import LiveEnv


def _project(
    preview: LivePreview, page: Any, message: Message, *, compact: bool, channel: Channel
) -> dict[str, Any]:
    """Prepare a message for the page as simcord does, but once for each state of it.

    simcord prepares all messages of all pages after each change. With six pages that may take the
    three seconds that the bot has for an answer, because both run in one event loop.
    """
    thread = preview.env.backend.channels.get(message.id)
    state = msgspec.json.encode((message, thread, compact))
    known = preview.projected.get((page.id, message.id))
    if known is None or known[0] != state:
        others, page.referenced_assets = page.referenced_assets, set()
        value = _message_projection(preview, page, message, compact=compact, channel=channel)
        known = preview.projected[page.id, message.id] = state, value, page.referenced_assets
        page.referenced_assets = others
    page.referenced_assets |= known[2]
    return known[1]


_NO_NAVIGATION = {
    "query": "",
    "filter": "all",
    "hasPrevious": False,
    "hasNext": False,
    "previousCursor": None,
    "nextCursor": None,
}
_snapshot._message_projection = _project  # type: ignore[assignment, attr-defined]
# of a list that is hidden here
_snapshot._message_navigation = lambda *_: ([], _NO_NAVIGATION)  # type: ignore[attr-defined]


class MountedServer(PreviewServer):
    """simcord's request handlers, mounted in the playground's application instead of on a port
    each.
    """

    async def start(self) -> None:
        _server.web = web  # type: ignore[attr-defined]  # a global that the replaced start() would set
        self.port = self._requested_port

    async def close(self) -> None:
        pass  # keep the port, so that late requests are refused without an exception


class LivePreview(Preview):
    """A preview for one viewer that never reports an outcome as uncertain."""

    def __init__(
        self, env: LiveEnv, channel: ChannelHandle, viewer: MemberActor | UserHandle, port: int
    ) -> None:
        self._live = env
        self.projected: dict[tuple[str, int], tuple[bytes, dict[str, Any], set[str]]] = {}
        super().__init__(
            env,
            channel,
            (viewer,),
            layout="channel",
            display="responsive",
            width=960,
            height=720,
            locale="en-US",
            timezone="UTC",  # the browser puts its own zone in (frame.js)
            presentation_time=None,
            assets=None,
            port=port,
        )
        self._server = MountedServer(self, port)

    async def open(self) -> None:
        self._live._preview = None  # lifts simcord's limit of one preview per environment
        await self.__aenter__()
        self._live.mutation_observers.append(self._mark_action_dispatched)

    def current_revision(self, context_id: str | None) -> int | None:
        """Return the revision of an open page, or None. Asking keeps the page open."""
        try:
            return int(self._get_page(context_id).revision)
        except (SetupError, BackendError):
            return None

    def republish(self) -> None:
        """Update all open pages."""
        self._advance_presentation_time()
        self.projected = {key: it for key, it in self.projected.items() if key[0] in self._pages}
        for page in tuple(self._pages.values()):
            if page is not self._python and page.id in self._pages:
                self._publish(page, reason="refresh")

    def _page_payload(self, page: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super()._page_payload(page)
        visible = self.env.backend.visible_commands(
            user_id=page.viewer.id, channel_id=page.channel_id, type=AppCommandType.MESSAGE
        )
        payload["messageCommands"] = [command["name"] for command in visible]
        return payload

    def _prepare_action(self, page: Any, kind: str, body: Mapping[str, Any]) -> Any:
        """simcord's page has no commands on messages: here each is a button of the message."""
        _, found, name = str(body.get("control_key")).partition(":component:command:")
        if kind != "click" or not found or not isinstance(page.viewer, MemberActor):
            return super()._prepare_action(page, kind, body)
        target = ResponseMessage(self.env, self._target_message(page, int(body["target_id"])))

        async def use(action: Any, cursor: int) -> dict[str, Any]:
            using = page.viewer.context_menu(self.channel, name, target)
            return await self._run_interaction_action(page, action, cursor, using)

        return use

    def _filter_dependencies(self, page: Any, payload: dict[str, Any]) -> bool:
        # Pages are built again after each change, so nothing in them is out of date. simcord would
        # replace the names of commands that the viewer may not use, which Discord shows.
        return False

    def _open_page(self, viewer_id: Any = None, target_id: Any = None) -> Any:
        if self._python is not None:  # open at the newest message, not where the first page was
            self._python.target_id = None
            self._python.window_end_id = None
        return super()._open_page(viewer_id, target_id)

    def _on_dispatch(self, interaction: Any) -> None:
        super()._on_dispatch(interaction)
        action = self._active_action
        if (
            action is not None
            and action.command is not None
            and asyncio.current_task() is self._active_task
        ):
            interaction.command_name = action.command[
                "invocation"
            ]  # Discord says "used /quiz", simcord "/quiz"

    def _finish_action(
        self, page: Any, action: Any, settlement: str, cursor: int, *args: Any, **options: Any
    ) -> dict[str, Any]:
        # The bot logs exceptions and tells the member; the page only needs to know if there was an
        # answer. simcord would call the outcome uncertain and keep the command in the input box.
        return super()._finish_action(
            page, action, settlement, self.env.error_cursor, *args, **options
        )

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        page = self._get_page(context_id)
        if not isinstance(body, Mapping):
            return self._reject(page, "bad-envelope")
        try:
            if "published_revision" in body:
                # live pages change all the time, so an action on an older revision is accepted
                body = {**body, "published_revision": page.revision}
            return await super()._action(context_id, body)
        except (SetupError, BackendError, TimeoutError):
            # after an HTTP error the page would refuse everything until it is reloaded
            return self._reject(
                page, "busy", request_id=body.get("request_id"), sequence=body.get("sequence")
            )
