"""Whatever a client sends, the member gets a reply and nothing unexpected is logged."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.daily import panel_views as daily
from tests.routes import ROUTES
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage

__all__ = ["long_sleeps", "no_pace", "stage"]

SNOWFLAKES = st.integers(1, 2**63 - 1)
NAMES = (*(route.name for route in ROUTES), "other")
PARTS = (
    "round challenge daily practice 1 2 0 5 9 -1 999999999999999999 today all ä prev next skip end"
)
PLAUSIBLE = st.builds(
    lambda name, fields: ":".join([name, "v1", *fields]),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from([*PARTS.split(), ""]), max_size=5),
)
GOOD = st.sampled_from(ROUTES).flatmap(
    lambda route: st.tuples(
        *(
            st.from_regex(pattern, fullmatch=True) | st.just("1")
            for pattern in route.fields.values()
        )
    ).map(lambda values: ":".join([route.name, "v1", *values]))
)
"""Valid custom ids, often for the first row."""
CUSTOM_IDS = st.one_of(GOOD, PLAUSIBLE, st.text(max_size=100))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
VALUES = st.one_of(st.lists(st.sampled_from(["0", "1", "2", "5", "9", "x", ""]), max_size=7), JSON)
TEXTS = st.text(max_size=5000).map(
    lambda text: [{"component": {"type": 4, "custom_id": "text", "value": text}}]
)
BOXES = VALUES.map(
    lambda values: [{"component": {"type": 22, "custom_id": "boxes", "values": values}}]
)
MODALS = st.one_of(TEXTS, BOXES, JSON)


class Response:
    """Records replies in place of `interaction.response` and `interaction.followup`."""

    def __init__(self) -> None:
        self.replies: list[Any] = []

    def is_done(self) -> bool:
        return bool(self.replies)

    async def send_message(self, **options: Any) -> None:
        assert options["ephemeral"]
        assert 0 < len(options.get("content", "a view")) <= 2000
        self.replies.append(options)

    send = send_message

    async def edit_message(self, **options: Any) -> None:
        self.replies.append(options)

    async def send_modal(self, modal: discord.ui.Modal) -> None:
        self.replies.append(modal)


def hostile(custom_id: str, components: Any, *, modal: bool = True) -> example:
    """Build an example of a click or modal of an old client."""
    return example(
        custom_id=custom_id,
        values=[],
        components=components,
        message_id=1,
        user_id=1,
        modal=modal,
        private=False,
    )


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    custom_id=CUSTOM_IDS,
    values=VALUES,
    components=MODALS,
    message_id=SNOWFLAKES,
    user_id=SNOWFLAKES | st.none(),
    modal=st.booleans(),
    private=st.booleans(),
)
@hostile("answer:v1:round:1:0\n", [], modal=False)
@hostile("picks:v1:round:1", None)
@hostile("picks:v1:round:1", [{"component": {"values": ["0", {}]}}])
@hostile("typed:v1:round:1", [{"component": {"value": "\x00"}}])
async def test_clicks_and_modals(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    custom_id: str,
    values: Any,
    components: Any,
    message_id: int,
    user_id: int | None,
    modal: bool,
    private: bool,
) -> None:
    """Any custom id, values and fields end in a reply, also for a member in an interview."""
    if not stage.quiz.history():
        await stage.play(questions=1, seconds=300)
        await stage.bob.slash(stage.quiz, "interview")
    kinds, response = discord.InteractionType, Response()
    interaction = SimpleNamespace(
        type=kinds.modal_submit if modal else kinds.component,
        data={"custom_id": custom_id, "values": values, "components": components},
        message=SimpleNamespace(
            id=message_id,
            flags=discord.MessageFlags(ephemeral=private),
            components=[SimpleNamespace(custom_id=daily.SET_UP.id())],
        ),
        id=message_id,
        guild_id=stage.guild.id,
        guild=stage.bot.get_guild(stage.guild.id),
        channel_id=stage.quiz.id,
        channel=None,
        locale="de",
        permissions=discord.Permissions(manage_guild=user_id is None),
        app_permissions=discord.Permissions(),
        user=SimpleNamespace(id=user_id or stage.bob.id, display_name="Bob"),
        response=response,
        followup=response,
        extras={},
        client=stage.bot,
        _state=stage.bot._connection,
    )
    with caplog.at_level(logging.WARNING):
        await stage.bot.router.dispatch(cast(discord.Interaction, interaction))
    assert response.replies
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
