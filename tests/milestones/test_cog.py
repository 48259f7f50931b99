"""The page of milestones in /settings, as managers use it, and what members read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import RoleHandle
from sqlalchemy import update

from bot.chat.permissions import unfit_role_problem
from bot.milestones.model import Kind, Milestone
from bot.milestones.store import member_milestones
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, lists, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


class Page:
    """The page of milestones, open for a manager who may give roles."""

    def __init__(self, stage: Stage, manager: MemberActor, shown: Any) -> None:
        self.stage = stage
        self.manager = manager
        self.shown = shown

    @property
    def message(self) -> discord.Message:
        return answer_to(self.shown)

    @property
    def text(self) -> str:
        return text_of(self.message)

    async def add(self, label: str, name: str, role: RoleHandle) -> Any:
        """Add a milestone by its form."""
        form = await self.manager.click(self.message, label=label)
        value: Any = [name] if label == "Role for a section" else name
        return await self.manager.submit_modal(form, {"name": value, "role": [role]})


async def opened(stage: Stage, manager: MemberActor | None = None, *, position: int = 60) -> Page:
    """Open the page as somebody who may manage the server and give roles."""
    if manager is None:
        power = discord.Permissions(manage_guild=True, manage_roles=True)
        admins = stage.guild.create_role("admins", permissions=power)
        stage.env.backend.edit_role(stage.guild.id, admins.id, {"position": 50})
        manager = stage.guild.add_member(stage.env.create_user("edeltraud"), roles=[admins])
    stage.env.backend.edit_role(stage.guild.id, own_role(stage).id, {"position": position})
    await stage.env.settle()
    panel = await manager.slash(stage.quiz, "settings")
    shown = await manager.click(answer_to(panel), label="Milestones")
    return Page(stage, manager, shown)


def own_role(stage: Stage) -> discord.Role:
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    return guild.me.top_role


async def test_the_page(stage: Stage) -> None:
    """Each milestone is on a line, streaks first; one can be removed from the list."""
    page = await opened(stage)
    assert "No milestones yet." in page.text
    assert labels(page.message) == ["Role for a streak", "Role for a section"]
    week, known = (stage.guild.create_role(name) for name in ("Week", "Trainer"))
    await page.add("Role for a section", "training", known)
    said = await page.add("Role for a streak", "7", week)
    assert answer_to(said).id == page.message.id
    lines = page.text.splitlines()
    assert f"**7 days in a row**: {week.mention}" in lines
    assert f"**Knows Training and techniques**: {known.mention}" in lines
    assert f"**Added**: {week.mention}. Members who have that streak already" in page.text
    assert "-# 2 milestones of 10" in lines
    assert "⚠️" not in page.text
    (removal,) = lists(page.message)
    assert [option.label for option in removal.options] == [
        "7 days in a row",
        "Knows Training and techniques",
    ]
    await page.manager.select(page.message, values=["streak:7"], custom_id="milestones:v1:remove")
    assert "**Removed**. Members keep the roles that they have." in page.text
    assert "7 days in a row" not in page.text
    panel = reply(await page.manager.slash(stage.quiz, "settings"))
    assert "Milestones: **1**" in panel


async def refusal(page: Page, role: RoleHandle) -> str:
    """Try to add a role; nothing is stored."""
    said = await page.add("Role for a streak", "7", role)
    assert answer_to(said).flags.ephemeral
    assert (await page.stage.services.milestones.page(page.stage.guild.id)).milestones == ()
    return reply(said)


async def test_roles_that_are_refused(stage: Stage) -> None:
    """Each refusal says why, and what to do."""
    page = await opened(stage)
    make = stage.guild.create_role
    power = discord.Permissions(kick_members=True, manage_guild=True, moderate_members=True)
    assert await refusal(page, make("mods", permissions=power)) == (
        f"I don't give {stage.guild.roles['mods'].mention}: its members have Kick Members, Manage Server and "
        "Time Out Members. Pick a role without power over the server."
    )
    assert "have Administrator." in await refusal(
        page, make("gods", permissions=discord.Permissions(administrator=True))
    )
    voice = discord.Permissions(mute_members=True, move_members=True, deafen_members=True)
    assert "have Mute Members, Deafen Members and Move Members." in await refusal(
        page, make("voice", permissions=voice)
    )
    everyone = await refusal(page, stage.guild.default_role)
    assert everyone == "Everyone has that role already. Pick another one."
    own = next(r for r in stage.guild.roles.values() if r.id == own_role(stage).id)
    assert "it belongs to an app, or to Server Boosts." in await refusal(page, own)
    high = make("high", position=70)
    stage.env.backend.edit_role(stage.guild.id, high.id, {"position": 70})
    assert "it's above my own role. In Server Settings, under Roles, drag my role above it" in (
        await refusal(page, high)
    )
    stage.env.backend.edit_role(stage.guild.id, high.id, {"position": 55})
    for _ in range(2):  # above their highest role, then it is that
        assert (await refusal(page, high)).startswith(f"You can't give {high.mention} yourself")
        stage.env.backend.add_member_role(stage.guild.id, page.manager.id, high.id)


@pytest.mark.parametrize(
    "power",
    [
        *("pin_messages", "bypass_slowmode", "view_guild_insights", "create_expressions"),
        *("create_events", "administrator", "manage_webhooks", "mention_everyone"),
        1 << 60,
    ],
)
def test_only_what_is_known_as_harmless_may_be_given(power: str | int) -> None:
    """A role may allow what members usually may, and no permission besides, also none yet unknown."""
    usual = discord.Permissions(send_messages=True, attach_files=True, speak=True)
    more = (
        discord.Permissions(power)
        if isinstance(power, int)
        else discord.Permissions(**{power: True})
    )
    role = Mock(permissions=usual, managed=False, mention="@Week", guild=Mock(me=None))
    role.is_default.return_value = False
    assert unfit_role_problem(role) is None
    role.permissions = usual | more
    words = "a permission that I don't know" if isinstance(power, int) else "its members have "
    assert words in (unfit_role_problem(role) or "")


async def test_who_may_not_give_roles_may_not_choose_them(stage: Stage) -> None:
    """Manage Server alone is not enough, because the bot would give what the member can't."""
    page = await opened(stage, stage.manager)
    role = stage.guild.create_role("staff")
    said = await refusal(page, role)
    assert said == (
        f"You can't give {role.mention} yourself, so I won't either. Ask somebody with Manage Roles and a role "
        "above it to choose it."
    )


async def test_a_deleted_role(stage: Stage) -> None:
    """The page says that another one is needed."""
    page = await opened(stage)
    week = stage.guild.create_role("Week")
    await page.add("Role for a streak", "7", week)
    stage.env.backend.delete_role(stage.guild.id, week.id)
    page = await opened(stage, page.manager)
    assert "⚠️ A role that I should give was deleted. Pick another one for it" in page.text


@pytest.mark.parametrize(
    ("hindrance", "mended", "problem"),
    [
        (
            {"permissions": discord.Permissions.none().value},
            {"permissions": discord.Permissions.all().value},
            "⚠️ I can't give roles yet: I need Manage Roles. Allow it for my role in Server",
        ),
        ({"position": 1}, {"position": 60}, "it's above my own role."),
    ],
)
async def test_a_role_that_can_not_be_given(
    stage: Stage, hindrance: dict[str, Any], mended: dict[str, Any], problem: str
) -> None:
    """It waits without a request, the page says once what to do, and doing that is enough."""
    page = await opened(stage)
    week = stage.guild.create_role("Week")
    stage.env.backend.edit_role(stage.guild.id, week.id, {"position": 40})
    await page.add("Role for a streak", "7", week)
    own = own_role(stage).id
    stage.env.backend.edit_role(stage.guild.id, own, hindrance)
    await stage.env.settle()
    await reach_week(stage)
    assert not has(stage, week)
    assert not [r for r in stage.env.http_requests if "/roles/" in r.path and r.method == "PUT"]
    page = await opened(stage, page.manager, position=hindrance.get("position", 60))
    assert problem in page.text
    assert page.text.count("⚠️") == 1
    assert labels(page.message) == ["Role for a streak", "Role for a section"]
    stage.env.backend.edit_role(stage.guild.id, own, mended)
    await stage.env.settle()
    await stage.wait(60)
    assert has(stage, week)
    assert "⚠️" not in (await opened(stage, page.manager)).text


async def reach_week(stage: Stage) -> None:
    """Let Alwina's streak reach a week."""
    reached = stage.services.milestones.streak_reached
    await stage.database.write(reached, stage.alwina.id, [stage.guild.id], 7)
    await make_due(stage)


async def make_due(stage: Stage) -> None:
    """Let what was stored outside of simcord's time be due in it."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await stage.database.write(
        lambda conn: conn.execute(update(member_milestones).values(due_at=long_ago))
    )
    await stage.wait(2 * 3600)  # the scheduler was not told, and sleeps long in these tests


def has(stage: Stage, role: RoleHandle) -> bool:
    """Whether Alwina has a role."""
    member = stage.env.backend.get_member(stage.guild.id, stage.alwina.id)
    return role.id in member.role_ids


async def test_a_known_section_is_told_with_the_next_command(stage: Stage) -> None:
    """The role is given; with any command the member reads once why, privately."""
    page = await opened(stage)
    trainer = stage.guild.create_role("Trainer")
    await page.add("Role for a section", "core-concepts", trainer)
    reach = stage.services.milestones._reach_section
    section = Milestone(Kind.SECTION, "core-concepts", trainer.id)
    await stage.database.write(reach, stage.guild.id, section, [stage.alwina.id])
    await make_due(stage)
    assert has(stage, trainer)
    before = len(stage.quiz.history())
    used = await stage.alwina.slash(stage.quiz, "help")
    await stage.env.settle()
    told = f"You know **Core concepts**: you got {trainer.mention} here."
    messages: list[Any] = [getattr(f, "message", f) for f in used.followups]
    assert [text_of(message) for message in messages] == [told]
    assert messages[0].flags.ephemeral
    assert len(stage.quiz.history()) == before
    again = await stage.alwina.slash(stage.quiz, "help")
    await stage.env.settle()
    assert again.followups == []
