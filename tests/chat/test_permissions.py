"""Access to managers' buttons and forms."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

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


def click_on_page(
    after: timedelta, *, manages: bool = False, private: bool = True
) -> discord.Interaction:
    """Build a click on a page of the review that was posted `after` ago."""

    async def unused(*_: object) -> None:
        raise AssertionError

    router = Router(cast(Database, None), Clock().estimate())
    router.add(suggestions.REVIEW, unused)
    interaction = SimpleNamespace(
        id=earliest_id(START + after),
        permissions=discord.Permissions(manage_guild=manages),
        message=SimpleNamespace(
            id=earliest_id(START),
            flags=discord.MessageFlags(ephemeral=private),
            components=[SimpleNamespace(custom_id="review:v1:accept:suggestion:1")],
        ),
        client=SimpleNamespace(router=router),
    )
    return cast(discord.Interaction, interaction)


IN_TIME, TOO_LATE = timedelta(minutes=15), timedelta(minutes=15, milliseconds=1)


def test_a_page_is_valid_for_fifteen_minutes() -> None:
    """A private page is valid for fifteen minutes, for all routes of its command group."""
    for route in (suggestions.REVIEW, suggestions.REJECTED, bank.EDITED):
        require_page(click_on_page(IN_TIME), route)
        with pytest.raises(UserError) as refused:
            require_page(click_on_page(TOO_LATE), route)
        assert str(refused.value) == f"{TOO_LONG}{route.command}."


def test_pages_that_prove_nothing() -> None:
    """A public page is no proof, and neither is another command's page."""
    other = Route("other", {}, command="</daily>")
    for interaction, route in (
        (click_on_page(IN_TIME, private=False), suggestions.REVIEW),
        (click_on_page(IN_TIME), other),
    ):
        with pytest.raises(UserError, match=NOT_THEIRS):
            require_page(interaction, route)


def test_manage_server_needs_no_page() -> None:
    """Members with Manage Server can use a page of any age, even a public one."""
    for private in (True, False):
        page = click_on_page(timedelta(days=9), manages=True, private=private)
        require_page(page, suggestions.REVIEW)


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
