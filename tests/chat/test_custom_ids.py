"""Custom ids come back as they went out, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import custom_ids as ids
from bot.chat.custom_ids import Route
from tests.shipped import bank

ROUTES = sorted((value for value in vars(ids).values() if isinstance(value, Route)), key=lambda route: route.name)


@st.composite
def used(build: st.DrawFn) -> tuple[Route, dict[str, str]]:
    """A route and values for its fields."""
    route = build(st.sampled_from(ROUTES))
    return route, {name: build(st.from_regex(pattern, fullmatch=True)) for name, pattern in route.fields.items()}


def parsed(custom_id: str) -> list[tuple[str, dict[str, str]]]:
    """What every route makes of a custom id."""
    return [(route.name, fields) for route in ROUTES if (fields := route.parse(custom_id)) is not None]


def test_what_an_id_looks_like() -> None:
    """An id is the route's name, a version and the fields in their order."""
    assert ids.ANSWER.id(source="round", row=17, position=3) == "answer:v1:round:17:3"
    assert ids.ANSWER.parse("answer:v1:round:17:3") == {"source": "round", "row": "17", "position": "3"}
    assert ids.BOARD.id(slot="prev", period="week", topic="", page=0) == "board:v1:prev:week::0"
    assert ids.BOARD.parse("board:v1:prev:week::0") == {"slot": "prev", "period": "week", "topic": "", "page": "0"}


def test_each_route_has_a_name_of_its_own() -> None:
    """No two routes share a name, and a name has no separator in it."""
    assert len(ROUTES) >= 8
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(route.name.isalpha() and route.name.islower() for route in ROUTES)


@settings(max_examples=200)
@given(used())
def test_round_trip(one: tuple[Route, dict[str, str]]) -> None:
    """An id gives back the values that it was made of, to its own route alone, within Discord's 100 characters."""
    route, values = one
    custom_id = route.id(**values)
    assert parsed(custom_id) == [(route.name, values)]
    assert len(custom_id) <= 100


PIECES = [*":0159-v+ \n\t\x00AaÄ１", "", "::", "v1", "round"]


@st.composite
def mutated(build: st.DrawFn) -> tuple[str, str]:
    """An id, and the same with a few characters put in, taken out or replaced."""
    route, values = build(used())
    original = route.id(**values)
    text = original
    for _ in range(build(st.integers(1, 3))):
        at = build(st.integers(0, len(text)))
        new = build(
            st.one_of(st.sampled_from([*":0159-v+ \n\t\x00AaÄ１", "", "::", "v1", "round"]), st.text(max_size=2))
        )
        text = text[:at] + new + text[at + build(st.integers(0, 2)) :]
    return original, text


@settings(max_examples=400)
@given(mutated())
def test_a_mutated_id_is_refused_or_is_another_good_one(pair: tuple[str, str]) -> None:
    """A changed id is refused, or it is letter by letter the id of the fields that are read from it."""
    for name, fields in parsed(pair[1]):
        route = next(route for route in ROUTES if route.name == name)
        assert route.id(**fields) == pair[1]


@settings(max_examples=200)
@given(one=used(), other=used())
def test_different_fields_have_different_ids(
    one: tuple[Route, dict[str, str]], other: tuple[Route, dict[str, str]]
) -> None:
    """Two ids are the same exactly if route and values are."""
    assert (one[0].id(**one[1]) == other[0].id(**other[1])) == (one == other)


@settings(max_examples=200)
@given(used(), st.sampled_from([" ", "\n", "\r\n", ":", "\x00", "\u00a0", "\u200b", ":0", ":v1"]))
def test_nothing_may_stand_around_an_id(one: tuple[Route, dict[str, str]], extra: str) -> None:
    """Space, a line break or anything else before or after an id is refused."""
    route, values = one
    assert parsed(extra + route.id(**values)) == []
    assert parsed(route.id(**values) + extra) == []


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
        "answer:v1:weekly:17:3",
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
        "board:v1:prev:year::0",
        "board:v1:first:week::0",
        "board:v1:prev:week:LoRA:0",
        "board:v1:prev:week:lora rank:0",
        "board:v1:prev:week:" + "a" * 49 + ":0",
        "topics:v1:up:0",
        "unknown:v1:1",
    ],
)
def test_what_is_no_id(custom_id: str) -> None:
    """Another version, a missing, trailing, unknown or unusually written field: all are refused."""
    assert parsed(custom_id) == []


@pytest.mark.parametrize(
    ("route", "values"),
    [
        (ids.ANSWER, {"source": "round", "row": 0, "position": 3}),
        (ids.ANSWER, {"source": "round", "row": -1, "position": 3}),
        (ids.ANSWER, {"source": "round", "row": 10**18, "position": 3}),
        (ids.ANSWER, {"source": "round", "row": 17, "position": 6}),
        (ids.ANSWER, {"source": "other", "row": 17, "position": 3}),
        (ids.REPORT, {"source": "practice", "row": 17}),
        (ids.MINE, {"round": 17, "page": -1}),
        (ids.MINE, {"round": 17, "page": 10**6}),
        (ids.MINE, {"round": 17, "page": 0, "more": 1}),
        (ids.BOARD, {"slot": "prev", "period": "week", "topic": "a:b", "page": 0}),
        (ids.BOARD, {"slot": "prev", "period": "week", "topic": "x" * 49, "page": 0}),
        (ids.TOPICS, {"slot": "prev", "page": None}),
    ],
)
def test_ids_that_could_not_be_read_back_are_not_made(route: Route, values: dict[str, object]) -> None:
    """A value that its route would refuse is an error where the card is made, not where it is clicked."""
    with pytest.raises(ValueError, match=f"^{route.name}:v1:"):
        route.id(**values)


def test_the_largest_values() -> None:
    """The largest row, page and topic that a database or a bank can have still make an id."""
    assert ids.ANSWER.id(source="daily", row=10**18 - 1, position=5).endswith(":999999999999999999:5")
    assert len(ids.BOARD.id(slot="period", period="month", topic="x" * 48, page=999_999)) <= 100


def test_every_topic_of_the_bank_has_a_board() -> None:
    """Each topic's id fits into the id of a board's button."""
    for topic in bank().topics:
        custom_id = ids.BOARD.id(slot="next", period="month", topic=topic, page=12)
        assert (ids.BOARD.parse(custom_id) or {})["topic"] == topic
