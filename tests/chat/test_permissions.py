"""Access to managers' buttons and forms."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import discord
import pytest
from simcord.actors import MemberActor

from bot.bank import suggestions_views as suggestions
from bot.bank import views as bank
from bot.chat.permissions import require_may_play, require_may_post, require_page
from bot.chat.router import Route, Router
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.snowflakes import earliest_id
from tests.bank.test_cog import IS_IT_SO, ours, take
from tests.fakes import START, Clock
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

TOO_LONG = "This has been open too long for me to know if you may still use it. Open it again with "
NOT_THEIRS = "Only members with Manage Server can use this button."


IN_TIME, TOO_LATE = timedelta(minutes=15), timedelta(minutes=15, milliseconds=1)
REVIEW, OTHER = suggestions.REVIEW, Route("other", {}, command="</daily>")


@pytest.mark.parametrize(
    ("route", "after", "given", "refusal"),
    [
        *((route, IN_TIME, {}, "") for route in (REVIEW, suggestions.REJECTED, bank.EDITED)),
        *((route, TOO_LATE, {}, f"{TOO_LONG}{route.command}.") for route in (REVIEW, bank.EDITED)),
        (REVIEW, IN_TIME, {"private": False}, NOT_THEIRS),
        (OTHER, IN_TIME, {}, NOT_THEIRS),
        (REVIEW, timedelta(days=9), {"manages": True}, ""),
        (REVIEW, timedelta(days=9), {"manages": True, "private": False}, ""),
    ],
)
def test_what_a_page_proves(
    route: Route, after: timedelta, given: dict[str, bool], refusal: str
) -> None:
    """A private page is valid for fifteen minutes, for all routes of its command group. A public
    page or another command's is no proof, and members with Manage Server need none.
    """
    router = Router(cast(Database, None), Clock().estimate())
    router.add(REVIEW, AsyncMock())
    interaction: Any = SimpleNamespace(
        id=earliest_id(START + after),
        permissions=discord.Permissions(manage_guild=given.get("manages", False)),
        message=SimpleNamespace(
            id=earliest_id(START),
            flags=discord.MessageFlags(ephemeral=given.get("private", True)),
            components=[SimpleNamespace(custom_id="review:v1:accept:suggestion:1")],
        ),
        client=SimpleNamespace(router=router),
    )
    with pytest.raises(UserError) if refusal else nullcontext() as refused:
        require_page(interaction, route)
    assert refused is None or str(refused.value).startswith(refusal)


ALL, NONE = discord.Permissions.all(), discord.Permissions.none()
WRITERS = discord.Permissions(view_channel=True, send_messages=True)
READERS = discord.Permissions(view_channel=True)
CHATTERS = discord.Permissions(view_channel=True, send_messages_in_threads=True)


def thread(*, known: bool = False, **state: Any) -> Any:
    """Build a private thread that the cache may know."""
    made = Mock(spec=discord.Thread, archived=False)
    made.is_private.return_value = True
    made.guild = Mock(unavailable=False)
    made.guild.get_thread.return_value = made if known else None
    made.configure_mock(**state)
    return made


OUTSIDE = "I'm not in this private thread, so I can't post here."


@pytest.mark.parametrize(
    ("to_play", "to_post", "given"),
    [
        ("", "", {}),
        ("My commands are on this server, but I'm not", "the same", {"there": None}),
        ("", "", {"there": None, "guild_id": None}),
        ("need Attach Files and Read Message History here", "", {"app_permissions": WRITERS}),
        ("I can't post in <#5>: I need View Channel here", "the same", {"app_permissions": NONE}),
        (
            "You can't post in <#5>: you need Send Messages here",
            "the same",
            {"permissions": READERS},
        ),
        ("", "", {"permissions": CHATTERS, "channel": thread(known=True)}),
        (
            "Send Messages in Threads",
            "the same",
            {"permissions": WRITERS, "channel": thread(known=True)},
        ),
        (OUTSIDE, "the same", {"app_permissions": WRITERS | CHATTERS, "channel": thread()}),
        ("Attach", "", {"app_permissions": CHATTERS, "channel": thread(archived=True)}),
        ("", "", {"channel": thread()}),  # with Manage Threads the bot sees every thread
    ],
)
def test_who_may_post_here(to_play: str, to_post: str, given: dict[str, Any]) -> None:
    """A refusal names the permissions that the bot or the member lacks. Playing needs more of them."""
    there = given.get("there", object())
    client = SimpleNamespace(get_guild=lambda _: there)
    usual: dict[str, Any] = {
        "guild_id": 1,
        "guild": None,
        "channel_id": 5,
        "channel": None,
        "application_id": 7,
    }
    usual |= {"permissions": ALL, "app_permissions": ALL, "client": client}
    interaction = cast(discord.Interaction, SimpleNamespace(**usual | given))
    for require, words in (
        (require_may_play, to_play),
        (require_may_post, to_post.replace("the same", to_play)),
    ):
        with pytest.raises(UserError) if words else nullcontext() as refused:
            require(interaction)
        assert refused is None or words in str(refused.value)


async def test_a_member_allowed_by_the_server(stage: Stage) -> None:
    """Without Manage Server they can use a new page, and must repeat the command for an old one."""
    await take(stage, ours(3))
    stage.allow(stage.alwina, "bank")

    async def open_page(member: MemberActor) -> discord.Message:
        return answer_to(await member.slash(stage.quiz, "bank"))

    async def press(member: MemberActor, page: discord.Message) -> str:
        return reply(await member.click(page, label="Find a question"))

    old, managers = [await open_page(one) for one in (stage.alwina, stage.manager)]
    await stage.wait(16 * 60)
    assert (await press(stage.alwina, old)).startswith(f"{TOO_LONG}</bank:")
    for member, page in ((stage.manager, managers), (stage.alwina, await open_page(stage.alwina))):
        assert "3 questions" in await press(member, page)


async def test_a_form_that_was_open_too_long(stage: Stage) -> None:
    """The text of a form that was open too long is returned, and the panel opens a new form."""
    stage.allow(stage.alwina, "bank")
    fields = IS_IT_SO | {"topic": "Habits"}

    async def open_form() -> Any:
        panel = answer_to(await stage.alwina.slash(stage.quiz, "bank"))
        return await stage.alwina.click(panel, label="Add a question")

    form = await open_form()
    await stage.wait(16 * 60)
    refused = await stage.alwina.submit_modal(form, fields)
    assert reply(refused).startswith(f"{TOO_LONG}</bank:")
    assert "Is it so?\n\nYes" in text_of(refused.followups[-1].message)
    again = await stage.alwina.submit_modal(await open_form(), fields)
    assert reply(again).startswith("**Saved**")
