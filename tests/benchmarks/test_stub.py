"""What the stub of the benchmarks does not forgive."""

from __future__ import annotations

import aiohttp
import pytest

from benchmarks.stub.server import Stub, UnknownRequest

pytestmark = pytest.mark.thorough


async def test_a_request_that_the_stub_does_not_know_fails_the_run() -> None:
    """Figures that were taken beside errors are none."""

    async def ask(times: int) -> None:
        async with Stub() as stub, aiohttp.ClientSession() as session:
            for _ in range(times):
                async with session.delete(f"{stub.api_url}/channels/1") as answer:
                    assert answer.status == 404

    await ask(0)
    with pytest.raises(UnknownRequest, match=r"DELETE /channels/1 \(and 1 more\)"):
        await ask(2)


async def test_a_reply_can_be_brought_up_to_date() -> None:
    """As the private lines of a round are after its reveal."""
    async with Stub() as stub, aiohttp.ClientSession() as session:
        path = f"{stub.api_url}/webhooks/1/token/messages/@original"
        async with session.patch(path, json={"content": "Right"}) as answer:
            assert answer.status == 200
            assert (await answer.json())["content"] == "Right"
