"""Whoever may see a question that is in play gets its answer nowhere, until it is revealed."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

import bot
from bot.bank import insights_views, suggestions_views
from bot.bank.model import WaitingKind, WaitingReport
from bot.chat.messages import text_of
from bot.core.database import Database
from bot.core.errors import UserError
from bot.games.model import Starter
from bot.interviews import partner_views
from bot.interviews import views as interviews_views
from bot.interviews.model import Step
from bot.members import store as members_store
from bot.practice import store as practice_store
from bot.practice import views as practice_views
from bot.practice.model import Asking, Finished
from bot.questions.model import Bank, Item, KeyPoint, Topic
from bot.rounds import views as rounds_views
from bot.rounds.model import RoundOptions
from bot.rounds.store import round_questions
from bot.topics import views as topics_views
from tests.banks import small_bank
from tests.challenges import play
from tests.stage import CHANNEL, GUILD, Stage
from tests.topics.apkg import fields_of

OTHER = 2
"""A server of the member's own, where nothing is in play."""
STRANGER, FRIEND, BOB = 901, 902, 903
"""Members that the bot has never seen on the server that asks."""
ASKED = "t1"
"""The topic of everything that is in play."""
ITEMS = {f"{ASKED}-{letter}" for letter in "abcd"}


def item_secret(item: Item) -> Item:
    """Let every answer of an item name the item."""
    return replace(
        item,
        explanation=f"Explained {item.id}.",
        accept=(f"accepted {item.id}",) if item.accept else (),
        choices=tuple(
            replace(
                c, text=f"right in {item.id}" if c.correct else c.text, why=f"Because {item.id}."
            )
            for c in item.choices
        ),
    )


def topic_secret(topic: Topic) -> Topic:
    return replace(
        topic,
        answer=f"Model answer {topic.id}.",
        key_points=(KeyPoint(f"Point of {topic.id}.", ("the point",)),),
        follow_ups=(),
        items=tuple(map(item_secret, topic.items)),
    )


def bank() -> Bank:
    made = small_bank(4)
    return replace(
        made,
        sections=tuple(
            replace(section, topics=tuple(map(topic_secret, section.topics)))
            for section in made.sections
        ),
    )


def answers_told(told: str) -> set[str]:
    """Return the answers to questions on `ASKED` that a text tells."""
    found = {
        item_id
        for item_id in ITEMS
        if any(
            f"{word} {item_id}" in told for word in ("Explained", "accepted", "Because", "right in")
        )
    }
    of_topic = (f"Model answer {ASKED}.", f"Point of {ASKED}.")
    return found | ({ASKED} if any(words in told for words in of_topic) else set())


# ------------------------------------------------------------------ what puts a question in play


async def by_round(stage: Stage) -> set[str]:
    await stage.start(4, topic_id=ASKED, starter_id=BOB)
    await stage.run()
    return ITEMS


async def by_answered_round(stage: Stage) -> set[str]:
    """All have answered the first question, and nobody knows the result yet."""
    await by_round(stage)
    for member in MEMBERS.values():
        await stage.answer(member, right=False)
    return ITEMS


async def by_challenge(stage: Stage) -> set[str]:
    await play.start(stage, BOB, topic_id=ASKED, questions=4)
    return ITEMS


async def by_taken_challenge(stage: Stage) -> set[str]:
    await by_challenge(stage)
    for member in MEMBERS.values():
        await play.give(stage, await play.take(stage, 1, member), right=False, user_id=member)
    return ITEMS


async def by_finished_challenge(stage: Stage) -> set[str]:
    """All have finished it, and know that their answers weren't right."""
    await by_challenge(stage)
    for member in MEMBERS.values():
        await play.play(stage, 1, member, right=False)
    return ITEMS


async def by_daily(stage: Stage) -> set[str]:
    await stage.set_up(at="12:30", asks=f"topics:{ASKED}")
    await stage.wait(minutes=30)
    return {(await stage.days())[0].item_id or ""}


async def by_open_daily(stage: Stage) -> set[str]:
    await stage.set_up(at="12:30", kind="open")
    await stage.wait(minutes=30)
    while (await stage.days())[-1].topic_id != ASKED:
        await stage.wait(days=1)
    return {ASKED}


SOURCES = (
    *(by_round, by_answered_round, by_challenge, by_taken_challenge, by_finished_challenge),
    *(by_daily, by_open_daily),
)

# ------------------------------------------------------------------ ways out

Place = int | None
Way = Callable[[Stage, Place, int], Awaitable[str]]


async def deck(stage: Stage, place: Place, member: int) -> str:
    made = await stage.bot.decks.make(member, place)
    return str(fields_of(made.content))


async def deck_of_topic(stage: Stage, place: Place, member: int) -> str:
    return str(fields_of((await stage.bot.decks.make(member, place, ASKED)).content))


async def study_page(stage: Stage, place: Place, member: int) -> str:
    found = await stage.bot.topics.with_topic(member, place, ASKED)
    return " ".join(text_of(topics_views.topic_page(found, ASKED, page)) for page in range(3))


async def practice(stage: Stage, place: Place, member: int, topic: str | None = None) -> str:
    """Practise to the end, and look at every verdict."""
    told, practices = "", stage.bot.practices
    screen = await practices.start(member, place, stage.clock(), topic)
    while isinstance(screen, Asking):
        told += await practised(stage, place, member, screen.question.id)
        practice_id = screen.question.practice_id
        screen = await practices.go_on(practice_id, member, place, stage.clock())
        if isinstance(screen, Finished) and topic is None:
            screen = await practices.more(member, place, stage.clock())
    return told


async def practised(stage: Stage, place: Place, member: int, question_id: int) -> str:
    """Answer a question of a practice."""
    click = replace(stage.pressed(question_id, member), guild_id=place, picks=(0,), text="no")
    screen = await stage.bot.practices.answer(click)
    shown = practice_views.messages(screen, stage.bank, on_server=place is not None)
    return " ".join(map(text_of, shown))


async def practice_of_topic(stage: Stage, place: Place, member: int) -> str:
    return await practice(stage, place, member, ASKED)


async def interview(stage: Stage, place: Place, member: int) -> str:
    """Answer all open questions, and look at the feedback."""
    interviews, told = stage.bot.interviews, ""
    found = await interviews.start(member, place, questions=4)
    while isinstance(found, Step):
        await interviews.answer(found.question_id, member, "Words.")
        step = await interviews.feedback(found.question_id, member, place)
        told += text_of(interviews_views.step_page(step))
        found = await interviews.next(found.question_id, member, place)
    return told


async def interview_on_topic(stage: Stage, place: Place, member: int) -> str:
    interviews = stage.bot.interviews
    found = await interviews.start(member, place, topic_id=ASKED, questions=1)
    assert isinstance(found, Step)
    await interviews.answer(found.question_id, member, "Words.")
    step = await interviews.feedback(found.question_id, member, place)
    return text_of(interviews_views.step_page(step))


async def begun_interview(stage: Stage, place: Place, member: int) -> str:
    """Go on with an interview on the topic, which has begun before."""
    await stage.bot.interviews.start(member, place, topic_id=ASKED, questions=4)
    return await interview(stage, place, member)


async def begun_practice(stage: Stage, place: Place, member: int) -> str:
    """Answer the question that was asked before, and go on."""
    running = await stage.database.read(practice_store.running, member)
    if running is None:
        return await practice(stage, place, member, ASKED)
    (question,) = await stage.database.read(practice_store.questions_of, running.id)
    told = await practised(stage, place, member, question.id)
    return told + await practice(stage, place, member, ASKED)


async def partner(stage: Stage, place: Place, member: int) -> str:
    """Ask a friend one question after the other, and be asked."""
    if place is None:
        raise UserError("on servers only")
    partners, told = stage.bot.partners, ""

    async def unheard(sentence: str) -> None:
        raise AssertionError(sentence)

    search = await partners.look(member, place, CHANNEL, ASKED, unheard)
    await stage.run()
    await partners.join(search.id, FRIEND, place)
    for number in range(1, 5):
        await stage.run()
        asker = (member, FRIEND)[(number + 1) % 2]
        answerer = (FRIEND, member)[(number + 1) % 2]
        card = await partners.card(search.id, number, asker)
        assert card is not None
        told += text_of(partner_views.asker_card(card, 0))
        mark = card.interview.asked_mark or 0
        await partners.show_ticks(search.id, number, mark, asker)
        await stage.run()
        await partners.confirm(search.id, number, mark, answerer, "")
    return told


async def round_elsewhere(stage: Stage, place: Place, member: int) -> str:
    """Start a round on a server, which reveals all that it asks."""
    if place is None:
        raise UserError("on servers only")
    starter = Starter(guild_id=place, channel_id=50 + place, user_id=member)
    started = await stage.bot.rounds.start(starter, RoundOptions(16, seconds=20), None)
    asked = select(round_questions.c.item_id).where(round_questions.c.round_id == started.id)
    items = await stage.database.read(lambda conn: conn.execute(asked).scalars().all())
    return " ".join(stage.bank.items[item_id].explanation for item_id in items)


async def review(stage: Stage, place: Place, member: int) -> str:
    """Review reports of all these questions, as a manager."""
    if place is None:
        raise UserError("on servers only")
    told, after = "", 0
    for n, letter in enumerate("abcd"):
        await stage.bot.reports.add(f"{ASKED}-{letter}", place, 2000 + n, "odd")
    await stage.bot.reports.add(ASKED, place, 2009, "odd")
    for _ in range(5):
        found = await stage.bot.suggestions.next_waiting(place, member, WaitingKind.REPORT, after)
        assert isinstance(found, WaitingReport)
        told, after = told + text_of(suggestions_views.review_page(found)), found.id
    return told


async def insights(stage: Stage, place: Place, member: int) -> str:
    if place is None:
        raise UserError("on servers only")
    found, of = await stage.bot.insights.analyze(place, member)
    return " ".join(
        text_of(insights_views.list_page(found, of, name, 0)) for name in insights_views.LISTS
    )


async def export(stage: Stage, _place: Place, member: int) -> str:
    return b"".join((await stage.bot.privacy.export(member)).files()).decode()


async def own_answers(stage: Stage, _place: Place, member: int) -> str:
    """Press "My answers" and "Explain" on whatever was played."""
    told = ""
    for games in (stage.bot.rounds, stage.bot.challenges):
        with suppress(UserError):
            given = await games.own_answers(1, member)
            told += text_of(rounds_views.my_answers(1, given, 0))
        for question_id in range(1, 5):
            for message_id in {post.message_id for post in stage.sender.posts}:
                with suppress(UserError):
                    click = stage.pressed(question_id, member, message_id=message_id)
                    told += str(await games.explain(click))
    return told


WAYS: Mapping[Way, str] = {
    deck: "items",
    deck_of_topic: "items",
    practice: "items",
    practice_of_topic: "items",
    round_elsewhere: "items",
    review: "items",
    study_page: "topic",
    interview: "topic",
    interview_on_topic: "topic",
    begun_interview: "topic",
    begun_practice: "items",
    partner: "topic",
    insights: "",
    export: "",
    own_answers: "",
}
"""By way: the answers that it tells when nothing is in play."""


PLACES: Sequence[Place] = (GUILD, OTHER, None)
MEMBERS = {tried: 101 + n for n, tried in enumerate(product(WAYS, PLACES))}
"""A member for each way and place, because most ways can be gone once. The bot has seen them on the
server that asks."""


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, bank())
    names = {(GUILD, member): "A member" for member in MEMBERS.values()}
    await made.database.write(members_store.set_names, names)
    return made


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
async def test_no_way_leads_to_the_answer(
    stage: Stage, source: Callable[[Stage], Awaitable[set[str]]]
) -> None:
    """On the server that asks, on another one and in direct messages."""
    for place in PLACES:
        member = MEMBERS[begun_interview, place]
        await stage.bot.interviews.start(member, place, topic_id=ASKED, questions=4)
        member = MEMBERS[begun_practice, place]
        await stage.bot.practices.start(member, place, stage.clock(), ASKED)
    hidden = await source(stage)
    assert hidden <= {*ITEMS, ASKED}
    told = {}
    for (way, place), member in MEMBERS.items():
        with suppress(UserError):
            told[way.__name__, place] = answers_told(await way(stage, place, member)) & hidden
    assert {tried for tried, answers in told.items() if answers} == set()
    assert len(told) > len(PLACES)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_each_way_tells_other_answers(stage: Stage, way: Way) -> None:
    """So the test above would find what is told there."""
    told = answers_told(await way(stage, OTHER, STRANGER))
    assert told == {"items": ITEMS, "topic": {ASKED}, "": set()}[WAYS[way]]


# ------------------------------------------------------------------ services

UNHIDDEN = {
    "answers to what they ask, after the reveal or the member's own": {
        "bot.challenges.players",
        "bot.daily.service",
        "bot.rounds.answering",
        "bot.rounds.messages",
        "bot.rounds.results",
    },
    "only titles and numbers": {
        "bot.boards.service",
        "bot.milestones.service",
        "bot.plan.service",
        "bot.privacy.work",
        "bot.settings.service",
    },
    "what all workers have": {"bot.core.jobs"},
}
"""The modules that read questions without asking what is in play, by the reason."""


def test_whoever_reads_questions_asks_what_is_in_play() -> None:
    """A new service that shows answers needs a way above, or a reason."""
    root = Path(bot.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        assigned = {
            ast.unparse(target)
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        if "self._banks" in assigned and "self._in_play" not in assigned:
            found.add(".".join(path.relative_to(root.parent).with_suffix("").parts))
    assert found == set().union(*UNHIDDEN.values())
