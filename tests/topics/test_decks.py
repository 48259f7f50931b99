"""Decks of the questions that a member is asked, on a real database."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable

import pytest
from fsrs import Rating

from bot.answers.model import Review
from bot.bank.model import Extras
from bot.bank.pictures import redraw
from bot.chat.pictures import PictureCache
from bot.core.errors import UserError
from bot.questions import formulas, store
from bot.topics import service
from bot.topics.model import Deck
from tests.bank import endless
from tests.bank.images import diagram
from tests.bank.test_files import document, encoded
from tests.ours import OTHER_GUILD, furnish, own_item, own_questions, own_topic
from tests.patience import PATIENCE
from tests.reviews import remember
from tests.stage import ALWINA, BOB, GUILD, Stage
from tests.topics.apkg import fields_of

STRANGER = 999


def ids(deck: Deck) -> set[str]:
    """Return the ids of the items in a deck."""
    return {fields["Id"] for fields in fields_of(deck.content)}


def pictures(deck: Deck) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(deck.content)) as packed:
        return list(json.loads(packed.read("media")).values())


async def test_all_topics_or_one(stage: Stage) -> None:
    """A deck has the packs' questions and the server's own; direct messages have those of all of
    a member's servers."""
    own = await furnish(stage.database, GUILD)
    export = export_topic = stage.bot.decks.make
    here = await export(ALWINA, GUILD)
    assert ids(here) == {*stage.bank.asked, *own}
    assert (here.questions, here.topic, here.left_out) == (len(stage.bank.asked) + 3, None, False)
    assert ids(await export(ALWINA, OTHER_GUILD)) == set(stage.bank.asked)
    assert ids(await export(ALWINA, None)) == set(stage.bank.asked)
    one = await export_topic(ALWINA, GUILD, "t2")
    assert ids(one) == {item.id for item in stage.bank.topics["t2"].items}
    assert one.topic == stage.bank.topics["t2"].title
    with pytest.raises(UserError, match="I don't know that topic"):
        await export_topic(ALWINA, GUILD, "t99")


async def test_misses(stage: Stage) -> None:
    """A deck of misses has those of its member, until they know them again."""
    for user_id, item_id, rating in (
        (ALWINA, "t1-a", Rating.Again),
        (ALWINA, "t2-a", Rating.Again),
        (ALWINA, "t2-b", Rating.Good),
        (ALWINA, "gone-from-the-bank", Rating.Again),
        (BOB, "t3-a", Rating.Again),
    ):
        await stage.database.write(remember, item_id, Review(user_id, rating, stage.clock()))
    deck = await stage.bot.decks.make(ALWINA, GUILD, missed=True)
    assert ids(deck) == {"t1-a", "t2-a"}
    assert deck.missed
    with pytest.raises(UserError, match="You missed nothing lately"):
        await stage.bot.decks.make(STRANGER, GUILD, missed=True)


async def test_nothing_that_is_in_play(stage: Stage) -> None:
    """Questions of a round are left out until their reveal, wherever a member asks who plays."""
    export = stage.bot.decks.make
    await stage.start(questions=1, topic_id="t1")
    await stage.run()
    await stage.answer(BOB, right=False)
    await stage.wait(minutes=5)
    await stage.start(questions=2, topic_id="t2")
    await stage.run()
    items = {item.id for item in stage.bank.topics["t2"].items}
    for guild_id in (GUILD, OTHER_GUILD, None):
        deck = await export(BOB, guild_id, "t2")
        assert len(items - ids(deck)) == 2
        assert deck.left_out
    assert ids(await export(STRANGER, None, "t2")) == items
    await stage.wait(minutes=5)
    after = await export(BOB, None, "t2")
    assert ids(after) == items
    assert not after.left_out


async def test_a_topic_that_is_all_in_play(stage: Stage) -> None:
    """There is no deck of nothing."""
    await stage.start(questions=4, topic_id="t2")
    await stage.run()
    with pytest.raises(UserError, match="All of these questions are being asked right now"):
        await stage.bot.decks.make(BOB, GUILD, "t2")


async def test_a_topic_without_items(stage: Stage) -> None:
    """A topic of open questions only has no deck."""
    await furnish(stage.database, GUILD, items=0, question="Why ours?")
    (topic,) = set((await stage.bot.context.bank_for(BOB, GUILD)).asked_topics) - set(
        stage.bank.topics
    )
    with pytest.raises(UserError, match="There are no practice questions on that topic yet"):
        await stage.bot.decks.make(BOB, GUILD, topic)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget all pictures."""
    monkeypatch.setattr(formulas, "_CACHE", PictureCache(1 << 20))


async def with_formulas(stage: Stage, *latex: str) -> None:
    """Give the server one item for each formula."""
    await furnish(stage.database, GUILD, items=0)
    topic_id = own_topic(GUILD, 1).topic_id
    rows = [own_item(GUILD, n, topic_id, formula=each) for n, each in enumerate(latex, 2)]
    await stage.database.write(store.save_items, rows)


async def drawn_deck(stage: Stage) -> Deck:
    await stage.bot.decks.draw(ALWINA, GUILD)
    return await stage.bot.decks.make(ALWINA, GUILD)


@pytest.mark.usefixtures("undrawn")
async def test_pictures_of_formulas(stage: Stage) -> None:
    """Each formula has one picture, however many questions have it."""
    await with_formulas(stage, "a^2", "b^2", "a^2")
    deck = await drawn_deck(stage)
    assert len(pictures(deck)) == 2
    assert deck.without_picture == 0
    shown = [fields["Formula"] for fields in fields_of(deck.content) if fields["Formula"]]
    used = Counter(html.split('"')[1] for html in shown)
    assert (set(used), sorted(used.values())) == (set(pictures(deck)), [1, 2])


async def test_own_pictures(stage: Stage) -> None:
    """A server's pictures come along."""
    await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(document(3)))
    for own in (await own_questions(stage.bot.own_bank, GUILD))[1:3]:
        form = Extras(code="", language="", formula="", alt="Red", upload=diagram())
        await stage.bot.own_bank.illustrate(GUILD, own.row.number, form)
    deck = await stage.bot.decks.make(ALWINA, GUILD, own.row.topic_id)
    with zipfile.ZipFile(io.BytesIO(deck.content)) as packed:
        assert redraw(diagram())[1] in [packed.read(name) for name in packed.namelist()]
    (name,) = pictures(deck)
    assert [name in fields["Formula"] for fields in fields_of(deck.content)].count(True) == 2


@pytest.mark.usefixtures("undrawn")
async def test_formulas_that_would_take_long(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deck has new drawings up to a number and a time, and what is drawn already."""
    await with_formulas(stage, "a^2", "b^2", "c^2")
    await formulas.prepare("c^2", GUILD)
    for most, wait, without in ((1, PATIENCE, 1), (9, 0, 1), (9, PATIENCE, 0)):
        monkeypatch.setattr(service, "MAX_DECK_FORMULAS", most)
        monkeypatch.setattr(service, "MAX_DECK_WAIT", wait)
        deck = await drawn_deck(stage)
        assert (len(pictures(deck)), deck.without_picture) == (3 - without, without)


@pytest.mark.usefixtures("undrawn")
async def test_too_large(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank that is too large is refused, before the pictures are packed too."""
    await with_formulas(stage, "a^2")
    for limit in (100, 3_000):
        monkeypatch.setattr(service, "MAX_DECK_BYTES", limit)
        with pytest.raises(UserError, match="These questions don't fit in one file"):
            await drawn_deck(stage)


async def test_one_at_a_time(stage: Stage) -> None:
    """A member who asks again is told to wait; others are not, and later it works again."""
    export = stage.bot.decks.make
    first, second, other = await asyncio.gather(
        export(ALWINA, GUILD),
        export(ALWINA, GUILD),
        export(BOB, GUILD),
        return_exceptions=True,
    )
    assert isinstance(first, Deck)
    assert isinstance(other, Deck)
    assert isinstance(second, UserError)
    assert "I'm still making your last deck" in str(second)
    assert isinstance(await export(ALWINA, GUILD), Deck)


@pytest.mark.parametrize("fault", [endless.end, endless.run_out])
async def test_a_deck_that_takes_too_much(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    """A deck that ends its process is refused with a sentence; another server's is made."""
    export = stage.bot.decks.make
    with monkeypatch.context() as patch:
        patch.setattr(service, "make_deck", fault)
        with pytest.raises(
            UserError,
            match=r"^Making this deck took more than 20 seconds .* Take one topic .* in 10 minutes",
        ):
            await export(ALWINA, GUILD)
    assert isinstance(await export(ALWINA, OTHER_GUILD), Deck)
