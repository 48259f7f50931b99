"""Downloads of attachments, from a real web server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.chat.client import download
from bot.core.errors import UserError

LIMIT = 1 << 20
PART = bytes(1 << 16)


class Files:
    """A web server with files of any size, which counts the bytes that it could send."""

    def __init__(self) -> None:
        self.sent = 0
        self.asked = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        size = int(request.query["size"])
        if size < 0:
            raise web.HTTPNotFound
        response = web.StreamResponse()
        await response.prepare(request)
        while self.sent < size:
            part = PART[: size - self.sent]
            await response.write(part)
            self.sent += len(part)
        return response


@pytest.fixture
async def files() -> AsyncIterator[Any]:
    made = Files()
    app = web.Application()
    app.router.add_get("/", made.serve)
    async with TestServer(app) as server:

        def attachment(size: int, *, declared: int | None = None) -> Any:
            url = str(server.make_url(f"/?size={size}"))
            return SimpleNamespace(url=url, size=size if declared is None else declared)

        yield SimpleNamespace(attachment=attachment, server=made)


async def test_a_file_of_allowed_size(files: Any) -> None:
    """The limit itself is allowed, whatever size was declared."""
    for declared in (None, 0):
        files.server.sent = 0
        content = await download(files.attachment(LIMIT, declared=declared), LIMIT)
        assert content == bytes(LIMIT)


async def test_a_declared_size_is_enough_to_refuse(files: Any) -> None:
    """A file that is said to be too large is not asked for."""
    assert await download(files.attachment(LIMIT + 1), LIMIT) is None
    assert files.server.asked == 0


async def test_a_file_larger_than_declared(files: Any) -> None:
    """The download stops at the limit, and most of the file is never sent."""
    assert await download(files.attachment(500 << 20, declared=5), LIMIT) is None
    assert files.server.sent < 50 << 20


async def test_a_file_that_is_gone(files: Any) -> None:
    """An error of the web server is a refusal in words."""
    with pytest.raises(UserError, match="couldn't download that file from Discord"):
        await download(files.attachment(-1), LIMIT)
