"""The model service at GRADER_URL: any endpoint with OpenAI's chat completions.

It is only asked if GRADER_URL is set.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.config import Settings
from bot.interviews.grading import opinion
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, Ruling

log = logging.getLogger(__name__)

TIMEOUT = 20.0
"""Seconds for a whole request: waiting for a slot, connecting, and the reply."""
MAX_REPLY = 64 * 1024
"""Bytes that are read of a reply."""
_MAX_CONCURRENT = 4
_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "key_points", "strict": True, "schema": opinion.SCHEMA},
}


class ModelService:
    """A `Verifier` over HTTP. Its key is sent in a header and appears in no message or log."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, model: str, timeout: float = TIMEOUT
    ) -> None:
        self._session = session
        self._url = url
        self._model = model
        self._timeout = timeout
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT)

    @property
    def name(self) -> str:
        return self._model

    async def verify(
        self, question: str, answer: str, points: Mapping[int, PointToCheck], server: int
    ) -> dict[int, Ruling]:
        request = opinion.build_request(question, points, answer)
        return opinion.read_reply(await self._ask(request), points)

    async def _ask(self, user: str) -> str:
        """Return the text of the service's reply."""
        body = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": opinion.SYSTEM},
                {"role": "user", "content": user},
            ],
            "response_format": _FORMAT,
        }
        try:
            async with asyncio.timeout(self._timeout), self._slots:
                reply = await self._post(body)
        except TimeoutError:
            raise NoOpinion(f"no reply within {self._timeout:g} seconds") from None
        except (
            aiohttp.ClientError,
            OSError,
            RuntimeError,
        ) as error:  # RuntimeError: the session is closed
            raise NoOpinion(f"it could not be reached ({type(error).__name__})") from None
        return _message_text(reply)

    async def _post(self, body: dict[str, Any]) -> bytes:
        async with self._session.post(self._url, json=body, allow_redirects=False) as response:
            if response.status != 200:
                raise NoOpinion(f"it answered HTTP {response.status}")
            received = bytearray()
            async for chunk in response.content.iter_chunked(8192):
                received += chunk
                if len(received) > MAX_REPLY:
                    raise NoOpinion(f"its reply is longer than {MAX_REPLY:,} bytes")
            return bytes(received)


def _message_text(reply: bytes) -> str:
    """Return the text of a chat completion's first choice."""
    try:
        content = json.loads(reply)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        content = None
    if not isinstance(content, str):
        raise NoOpinion("its reply is not a chat completion with a text")
    return content


@asynccontextmanager
async def model_service(settings: Settings) -> AsyncIterator[ModelService]:
    """Connect to the service at GRADER_URL, which must be set, while the context is open."""
    assert settings.grader_url is not None
    headers = {"Accept-Encoding": "identity"}
    if settings.grader_api_key:
        headers["Authorization"] = f"Bearer {settings.grader_api_key}"
    connector = aiohttp.TCPConnector(limit=_MAX_CONCURRENT)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        yield ModelService(session, settings.grader_url, settings.grader_model)


async def check_service(settings: Settings) -> str | None:
    """Return what is wrong with the service, if anything, after asking about a made-up sentence."""
    point = PointToCheck("Water boils at 100 degrees", ("it boils at one hundred degrees",), (), "")
    async with model_service(settings) as service:
        try:
            await service.verify("When does water boil?", "It boils at 100 degrees.", {0: point}, 0)
        except NoOpinion as error:
            return f"GRADER_URL gives no usable reply: {error}; open answers would be graded offline only"
    return None
