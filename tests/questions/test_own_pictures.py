"""Pictures of servers' own items, from the database to cards."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bot.chat.messages import OPEN, Message, text_of
from bot.core.database import Connection, Database
from bot.games.rules import seconds_for
from bot.questions import store
from bot.questions.answers import Answered
from bot.questions.banks import OwnPictures
from bot.questions.model import ItemPicture
from bot.questions.own import own_id
from bot.questions.views import asked, card_length, explained
from tests.banks import small_bank
from tests.stage import GUILD

BANK = small_bank()
PLAIN = BANK.items["t1-a"]
OWN = replace(PLAIN, id=own_id(GUILD, 3), picture=ItemPicture("A curve", "0123.jpg"))
BOTH = replace(OWN, formula="a^2", spoken="a squared", code="x = 1")


@pytest.fixture
def loads(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The pictures that are read from the database."""
    found: list[Any] = []
    read = store.own_pictures_of

    def noted(conn: Connection, guild_id: int, files: list[str]) -> dict[str, bytes]:
        found.append((guild_id, *files))
        return read(conn, guild_id, files)

    monkeypatch.setattr(store, "own_pictures_of", noted)
    return found


async def test_a_picture_is_read_once(database: Database, loads: list[Any]) -> None:
    """It stays in the cache, for its server only; one that is missing is looked for again."""
    await database.write(store.add_pictures, GUILD, {"a.png": b"png"})
    pictures = OwnPictures(database)
    assert [await pictures.load(GUILD, "a.png") for _ in range(3)] == [b"png"] * 3
    assert [await pictures.load(GUILD + 1, "a.png") for _ in range(2)] == [None, None]
    assert loads == [(GUILD, "a.png")] + [(GUILD + 1, "a.png")] * 2


async def test_cards_with_formula_and_picture(database: Database) -> None:
    """The open card has code, formula and picture, in this order, and so has "Explain"."""
    await database.write(store.add_pictures, GUILD, {"0123.jpg": b"jpg"})
    load = OwnPictures(database).load
    order = (0, 1, 2, 3)
    (explanation,) = explained(Answered(BOTH, order, None), BANK)
    for card in (Message(OPEN, *asked(BOTH, order)), explanation):
        message = await card.drawn(load)
        assert [file.filename for file in message.files()] == ["formula.png", "picture.jpg"]
        text = text_of(message)
        places = [text.index(shown) for shown in ("x = 1", "[Formula: a squared]", "[A curve]")]
        assert places == sorted(places)


def test_a_picture_takes_time_and_room() -> None:
    """Its words count for the length of a card, and looking at it for the time."""
    coded = replace(OWN, code="x" * 700)
    assert card_length(coded, BANK) > card_length(replace(coded, picture=None), BANK)
    hard = [replace(item, difficulty=5, kind="multiple") for item in (PLAIN, OWN)]
    assert seconds_for(hard[1]) - seconds_for(hard[0]) >= 5
