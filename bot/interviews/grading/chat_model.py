"""The model service that GRADER_URL names: any endpoint that speaks OpenAI's chat completions.

It is asked about key points in doubt only, see `bot.interviews.grading.opinion`, and nothing here is reached unless
GRADER_URL is set.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.config import Settings
from bot.interviews.grading import opinion
from bot.interviews.grading.opinion import NoOpinion
from bot.questions.model import KeyPoint

log = logging.getLogger(__name__)

TIMEOUT = 20.0
"""Seconds for everything: waiting for a free place, connecting, the whole reply."""
MAX_REPLY = 64 * 1024
"""Bytes of a reply that are read at most."""
_AT_ONCE = 4
_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "key_points", "strict": True, "schema": opinion.SCHEMA},
}


class ModelService:
    """The services' `ChatModel` over HTTP. The key goes into a header and nowhere else: no message here holds it."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, model: str, timeout: float = TIMEOUT
    ) -> None:
        self._session = session
        self._url = url
        self._model = model
        self._timeout = timeout
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, system: str, user: str) -> str:
        body = {
            "model": self._model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "response_format": _FORMAT,
        }
        try:
            async with asyncio.timeout(self._timeout), self._places:
                reply = await self._post(body)
        except TimeoutError:
            raise NoOpinion(f"no reply within {self._timeout:g} seconds") from None
        except (
            aiohttp.ClientError,
            OSError,
            RuntimeError,
        ) as error:  # RuntimeError: the session is closed
            raise NoOpinion(f"it could not be reached ({type(error).__name__})") from None
        return _content(reply)

    async def _post(self, body: dict[str, Any]) -> bytes:
        async with self._session.post(self._url, json=body, allow_redirects=False) as response:
            if response.status != 200:
                raise NoOpinion(f"it answered HTTP {response.status}")
            read = bytearray()
            async for chunk in response.content.iter_chunked(8192):
                read += chunk
                if len(read) > MAX_REPLY:
                    raise NoOpinion(f"its reply is longer than {MAX_REPLY:,} bytes")
            return bytes(read)


def _content(reply: bytes) -> str:
    """The text of the first choice of a chat completion."""
    try:
        content = json.loads(reply)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        content = None
    if not isinstance(content, str):
        raise NoOpinion("its reply is not a chat completion with a text")
    return content


@asynccontextmanager
async def model_service(settings: Settings) -> AsyncIterator[ModelService | None]:
    """The service of the settings, or None if GRADER_URL is not set; its connections end with the block."""
    if settings.grader_url is None:
        yield None
        return
    headers = {"Accept-Encoding": "identity"}
    if settings.grader_api_key:
        headers["Authorization"] = f"Bearer {settings.grader_api_key}"
    connector = aiohttp.TCPConnector(limit=_AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        yield ModelService(session, settings.grader_url, settings.grader_model)


async def trial(settings: Settings) -> str | None:
    """Ask the service about a made-up sentence; what is wrong with it, or None. For `python -m bot check`."""
    point = KeyPoint("Water boils at 100 degrees", ("it boils at one hundred degrees",))
    async with model_service(settings) as service:
        if service is None:
            return None
        try:
            request = opinion.request(
                "When does water boil?", {0: point}, "It boils at 100 degrees."
            )
            opinion.read_reply(await service.ask(opinion.SYSTEM, request), [0])
        except NoOpinion as error:
            return f"GRADER_URL gives no usable reply: {error}; open answers would be graded offline only"
    return None
