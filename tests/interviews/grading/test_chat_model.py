"""The model service: its request, how its reply is read, and that nothing is sent by default."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.config import Settings
from bot.interviews.grading.chat_model import (
    MAX_REPLY,
    SYSTEM,
    ModelService,
    build_request,
    check_service,
    model_service,
    opened_verifier,
    read_reply,
)
from bot.interviews.grading.service import Grading
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, PointVerdict, Ruling
from tests.shipped import bank, rubrics
from tests.stage import GUILD

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = "sk-very-secret-0123456789"
TOPIC = bank().topics["temperature"]
POINT = PointToCheck("It divides", ("it scales",), ("it multiplies",))
RULED = {0: Ruling(PointVerdict.SAYS, "It divides.")}
REPLY = '{"points": [{"id": 0, "verdict": "says", "quote": "It divides."}]}'
IN_DOUBT = "Logits are not divided by T before the softmax. At high T there is more variety and there are more errors."


@asynccontextmanager
async def endpoint(handler: Handler) -> AsyncIterator[str]:
    """Serve a handler on this machine and yield its base address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def settings_for(url: str, key: str = KEY) -> Settings:
    return Settings.from_env({"GRADER_URL": url, "GRADER_MODEL": "small", "GRADER_API_KEY": key})


def completion(content: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}


def replying(content: object) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(completion(content))

    return handler


async def ruled_by(service: ModelService) -> dict[int, Ruling]:
    return await service.verify("Why?", "It divides.", {0: POINT})


async def reply_of(handler: Handler, limit: float = 5) -> dict[int, Ruling]:
    """Return what the client reads from an endpoint's reply."""
    async with endpoint(handler) as url, aiohttp.ClientSession() as session:
        return await ruled_by(ModelService(session, f"{url}/chat/completions", "small", limit))


@pytest.mark.parametrize("key", [KEY, ""])
async def test_the_request(key: str) -> None:
    """It has model, rules, data and the reply's schema in the body, and the key, if there is one,
    only in the header."""
    seen: list[tuple[web.Request, dict[str, Any]]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request, await request.json()))
        return web.json_response(completion(REPLY))

    async with endpoint(handler) as url, opened_verifier(settings_for(url, key)) as service:
        assert isinstance(service, ModelService)
        assert await ruled_by(service) == RULED
        assert service.name == "small"
    ((request, body),) = seen
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers.get("Authorization") == (f"Bearer {KEY}" if key else None)
    assert KEY not in json.dumps(body)
    assert body["model"] == "small"
    system, user = body["messages"]
    assert (system["role"], system["content"]) == ("system", SYSTEM)
    asked = build_request("Why?", {0: POINT}, "It divides.")
    assert (user["role"], user["content"]) == ("user", asked)
    form = body["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert form["json_schema"]["schema"]["additionalProperties"] is False


async def redirect(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/elsewhere")


async def refuse(_: web.Request) -> web.StreamResponse:
    return web.json_response({"error": f"bad key {KEY}"}, status=401)


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 4096)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def replying_bytes(body: bytes) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    return handler


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (redirect, "HTTP 302"),
        (refuse, "HTTP 401"),
        (endless, f"longer than {MAX_REPLY:,} bytes"),
        (hang_up, "could not be reached"),
        *(
            (handler, "not a chat completion")
            for handler in (
                replying_bytes(b"<html>"),
                replying_bytes(b"\xff\xfe\xfa"),
                replying_bytes(b'{"choices": []}'),
                replying(None),
                replying(["text"]),
            )
        ),
        (replying("Full points!"), "not JSON"),
        (replying(REPLY.replace("0", "1")), "other key points than"),
    ],
)
async def test_failures_give_no_opinion(handler: Handler, words: str) -> None:
    """Redirects, errors, endless and broken replies raise one error that has no secret."""
    with pytest.raises(NoOpinion, match=words) as caught:
        await reply_of(handler)
    assert KEY not in str(caught.value)


async def test_a_slow_service_times_out() -> None:
    """The limit covers the whole request, including a reply that trickles in."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    with pytest.raises(NoOpinion, match="no reply within"):
        await reply_of(drip, limit=0.2)


async def test_an_unreachable_service() -> None:
    """An unused port and a closed session give no opinion."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with model_service(settings_for(f"http://127.0.0.1:{port}")) as service:
        with pytest.raises(NoOpinion, match="could not be reached"):
            await ruled_by(service)
    with pytest.raises(NoOpinion, match="could not be reached"):
        await ruled_by(service)


async def test_a_failing_service_and_its_key_stay_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log says that words decide; it has neither key nor answer at any level."""
    caplog.set_level(logging.DEBUG)
    async with endpoint(refuse) as url, model_service(settings_for(url)) as service:
        grading = Grading(rubrics(), service)
        offline = await grading.assess(TOPIC, IN_DOUBT, GUILD)
        failed = await grading.verify(TOPIC, IN_DOUBT, offline, GUILD)
    assert failed == replace(offline, model_failed="failed")
    assert "HTTP 401" in caplog.text
    assert KEY not in caplog.text
    assert "softmax" not in caplog.text


async def test_without_the_setting_nothing_is_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without GRADER_URL, an answer is graded without any connection."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", fail)
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", fail)
    monkeypatch.setattr(aiohttp.ClientSession, "_request", fail)
    settings = Settings.from_env({"GRADER_MODEL": "small", "GRADER_API_KEY": KEY})
    async with opened_verifier(settings) as service:
        assert service is None
        grading = Grading(rubrics(), service)
        offline = await grading.assess(TOPIC, IN_DOUBT, GUILD)
        assert offline.found.said
        assert (grading.verifier_name, grading.may_verify(offline)) == ("", False)
        assert await grading.verify(TOPIC, IN_DOUBT, offline, GUILD) == offline


async def test_checking_the_service() -> None:
    """`python -m bot check` asks about a made-up sentence and reports what is wrong."""
    async with endpoint(replying(REPLY)) as url:
        assert await check_service(settings_for(url)) is None
    async with endpoint(replying("Yes, it does.")) as url:
        assert "the reply is not JSON" in (await check_service(settings_for(url)) or "")


def reply_with(*entries: object) -> str:
    return json.dumps({"points": entries})


def entry(number: object = 2, verdict: object = "says", quote: object = "so") -> dict[str, object]:
    return {"id": number, "verdict": verdict, "quote": quote}


@given(st.text())
def test_the_answer_stays_in_its_field(text: str) -> None:
    """Whatever an answer contains, including quotes and brackets, it is one JSON value."""
    data = json.loads(build_request("Why?", {2: POINT}, text))
    point = {
        "id": 2,
        "text": POINT.text,
        "also_worded": ["it scales"],
        "opposites": ["it multiplies"],
    }
    assert data == {"question": "Why?", "key_points": [point], "answer": text}


def test_rulings_by_point() -> None:
    """Each point has one, in any order."""
    reply = reply_with(entry(2), entry(5, "neither", ""), entry(4, "opposite", "not so"))
    assert read_reply(reply, [2, 4, 5]) == {
        2: Ruling(PointVerdict.SAYS, "so"),
        4: Ruling(PointVerdict.OPPOSITE, "not so"),
        5: Ruling(PointVerdict.NEITHER),
    }
    (number,) = read_reply(
        reply_with({**entry(2), "id": 2.0}), [2]
    )  # JSON Schema calls 2.0 an integer
    assert isinstance(number, int)


def test_the_rules_name_all_verdicts() -> None:
    """Their example of a reply can be read."""
    assert [verdict for verdict in PointVerdict if f"{verdict}, if" not in SYSTEM] == []
    example = "{" + SYSTEM.partition("{")[2]
    assert read_reply(example, [1]) == {1: Ruling(PointVerdict.SAYS, "words of the answer")}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "All points are said.",
        "```json\n" + reply_with(entry()) + "\n```",
        "[" * 100_000,
        "null",
        "{}",
        reply_with(),
        reply_with(entry(3)),
        reply_with(entry(), entry()),
        reply_with(entry(number=True)),
        reply_with(entry(verdict="covered")),
        reply_with(entry(verdict=True)),
        reply_with(entry(quote=None)),
        reply_with({"id": 2, "verdict": "says"}),
        reply_with({**entry(), "score": 100}),
        json.dumps({"points": [entry()], "score": 100}),
        json.dumps({"points": {"2": entry()}}),
    ],
)
def test_invalid_replies_are_refused(reply: str) -> None:
    """Surrounding text, other points than asked about, wrong types and further fields are refused."""
    with pytest.raises(NoOpinion):
        read_reply(reply, [2])
