"""Custom ids are parsed strictly, and each one reaches its handler."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.boards import views as boards
from bot.chat.router import Fields, Handler, Route, Router, modal_file, selected_id
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.limits import MAX_CLICKS
from bot.questions import views as questions
from bot.rounds import views as rounds
from tests.fakes import Clock
from tests.routes import ROUTES
from tests.shipped import bank


@st.composite
def routes_with_values(build: st.DrawFn) -> tuple[Route, dict[str, str]]:
    """Draw a route and values for its fields."""
    route = build(st.sampled_from(ROUTES))
    return route, {
        name: build(st.from_regex(pattern, fullmatch=True))
        for name, pattern in route.fields.items()
    }


def parsed(custom_id: str) -> list[tuple[str, dict[str, str]]]:
    """Return what every route parses from a custom id."""
    return [
        (route.name, fields) for route in ROUTES if (fields := route.parse(custom_id)) is not None
    ]


def test_a_route_can_not_be_added_twice() -> None:
    """A route can't be added twice, and its name can't contain the separator."""
    assert len(ROUTES) >= 20
    router = Router(cast(Database, None), Clock().estimate())
    for route in ROUTES:
        assert route.name.isalpha()
        assert route.name.islower()
        router.add(route, ignore)
    for route in ROUTES:
        with pytest.raises(ValueError, match=route.name):
            router.add(route, ignore)


def record_route(route: Route, seen: list[Route]) -> Handler:
    async def note(_interaction: discord.Interaction, _fields: Fields) -> None:
        seen.append(route)

    return note


async def test_the_more_specific_route_wins() -> None:
    """A more specific route wins, whichever was added first."""
    for order in ((rounds.ANSWER, questions.ANSWER), (questions.ANSWER, rounds.ANSWER)):
        seen: list[Route] = []
        router = Router(cast(Database, SimpleNamespace(shared=False)), Clock().estimate())
        for route in order:
            router.add(route, record_route(route, seen))
        for custom_id in ("answer:v1:round:7:0", "answer:v1:daily:7:0"):
            await router.dispatch(
                cast(discord.Interaction, SimpleNamespace(data={"custom_id": custom_id}))
            )
        assert seen == [rounds.ANSWER, questions.ANSWER]


async def test_a_flood_of_one_member() -> None:
    """So many of a member's clicks are answered at a time, and no more; others' are, and later ones."""
    router = Router(cast(Database, SimpleNamespace(shared=False)), Clock().estimate())
    answered, ready = Counter[int](), asyncio.Event()
    ids = itertools.count(1)

    async def answer(interaction: discord.Interaction, _fields: Fields) -> None:
        await ready.wait()
        answered[interaction.user.id] += 1

    def click(user_id: int) -> asyncio.Task[None]:
        interaction = SimpleNamespace(
            id=next(ids),
            type=discord.InteractionType.component,
            user=SimpleNamespace(id=user_id),
            data={"custom_id": "answer:v1:round:7:0"},
        )
        return asyncio.create_task(router.on_interaction(cast(discord.Interaction, interaction)))

    router.add(rounds.ANSWER, answer)
    for _ in range(2):
        ready.clear()
        clicks = [click(user_id) for user_id in [1] * (MAX_CLICKS + 5) + [2]]
        await asyncio.sleep(0)
        ready.set()
        await asyncio.gather(*clicks)
    assert answered == {1: 2 * MAX_CLICKS, 2: 2}


async def ignore(_interaction: discord.Interaction, _fields: Fields) -> None:
    pass


@settings(max_examples=80)
@given(routes_with_values())
def test_round_trip(one: tuple[Route, dict[str, str]]) -> None:
    """Parsing an id returns its values, for its own route only, and it fits into 100 characters."""
    route, values = one
    custom_id = route.id(**values)
    assert [found for found in parsed(custom_id) if found != (route.name, values)] == []
    assert len(custom_id) <= 100


@pytest.mark.parametrize(
    "custom_id",
    [
        "",
        "answer",
        "answer:",
        "answer:v1",
        "answer:v1:round:17",
        "answer:v1:round:17:",
        "answer:v1:round:17:3:",
        "answer:v1:round:17:3:3",
        "answer:v2:round:17:3",
        "answer::round:17:3",
        "answer:round:17:3",
        "Answer:v1:round:17:3",
        "answer:V1:round:17:3",
        "answer:v1:Round:17:3",
        "open:v1:weekly:17",
        "answer:v1::17:3",
        "answer:v1:round:0:3",
        "answer:v1:round:-1:3",
        "answer:v1:round:+17:3",
        "answer:v1:round:017:3",
        "answer:v1:round:1_7:3",
        "answer:v1:round:17.0:3",
        "answer:v1:round:0x11:3",
        "answer:v1:round:１７:3",
        "answer:v1:round:1７:3",
        "answer:v1:round:١٧:3",
        "answer:v1:round:17:6",
        "answer:v1:round:17:-1",
        "answer:v1:round:17:03",
        "answer:v1:round:17:3\n",
        "answer:v1:round:17\n:3",
        " answer:v1:round:17:3",
        "answer:v1:round:9999999999999999999:3",
        "answer:v1:round:" + "9" * 4000 + ":3",
        "mine:v1:3:-1",
        "mine:v1:3:00",
        "mine:v1:3:9999999",
        "board:v1:prev:members:year::0",
        "board:v1:first:members:week::0",
        "board:v1:prev:members:week:LoRA:0",
        "board:v1:prev:members:week:lora rank:0",
        "board:v1:prev:members:week:" + "a" * 49 + ":0",
        "topics:v1:up:0",
        "unknown:v1:1",
    ],
)
def test_malformed_ids(custom_id: str) -> None:
    """Other versions and missing, trailing, unknown or malformed fields are rejected."""
    assert parsed(custom_id) == []


WRONG = st.sampled_from(["0", "-1", "6", "a:b", "x" * 49, str(10**18), None]) | st.text(max_size=5)


@given(one=routes_with_values(), wrong=WRONG)
def test_invalid_ids_are_not_built(one: tuple[Route, dict[str, str]], wrong: str | None) -> None:
    """A value that the route would reject raises an error when the id is built."""
    route, values = one
    for name, pattern in route.fields.items():
        if not re.fullmatch(pattern, str(wrong)):
            with pytest.raises(ValueError, match=f"^{route.name}:v1:"):
                route.id(**values | {name: wrong})
    with pytest.raises(ValueError, match=route.name):
        route.id(**values, more="1")


def test_the_largest_values() -> None:
    """The largest row, page and topic fit into an id, and so does each topic of the bank."""
    largest = questions.ANSWER.id(source="daily", row=10**18 - 1, position=5)
    assert largest.endswith(":999999999999999999:5")
    for topic in ("x" * 48, *bank().topics):
        custom_id = boards.BOARD.id(
            slot="period", of="members", period="month", topic=topic, page=999_999
        )
        assert len(custom_id) <= 100
        assert (boards.BOARD.parse(custom_id) or {})["topic"] == topic


@pytest.mark.parametrize(
    ("values", "found"),
    [
        *((["17"], 17), ([], None), ([str(2**63 - 1)], 2**63 - 1)),
        *(([sent], UserError) for sent in (str(2**63), "9" * 4000, "0", "-1", "x", "")),
    ],
)
def test_selected_ids_are_validated(values: list[str], found: Any) -> None:
    """Anything but an id of 64 bits is refused, and isn't treated as an empty selection."""
    interaction = cast(discord.Interaction, SimpleNamespace(data={"values": values}))
    if found is UserError:
        with pytest.raises(UserError):
            selected_id(interaction)
    else:
        assert selected_id(interaction) == found


UPLOAD = [{"component": {"type": 19, "custom_id": "upload", "values": ["1"]}}]


@pytest.mark.parametrize(
    "data",
    [
        {"resolved": {"attachments": {}}},
        {"components": UPLOAD},
        {"components": UPLOAD, "resolved": {"attachments": []}},
        {"components": UPLOAD, "resolved": {"attachments": {"2": {}}}},
    ],
)
def test_a_form_without_its_file(data: dict[str, Any]) -> None:
    """Whatever a client leaves out, there is no file."""
    interaction = cast(discord.Interaction, SimpleNamespace(data=data))
    assert modal_file(interaction) is None
