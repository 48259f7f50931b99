"""Practice: the order of questions, one memory for all features, and items that stay hidden."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select

from bot.answers.model import Review
from bot.answers.rules import rate
from bot.answers.store import PRACTICE, answers
from bot.core import servers as guilds
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.members.store import zone_of
from bot.memory import store as cards
from bot.memory.today import FIRST_QUESTIONS, MINUTES, SECONDS
from bot.plan import store as plan_store
from bot.practice.model import Asking, Finished, Kind, PracticeVerdict, Screen, Unjudged
from bot.questions import store as questions_store
from bot.questions.own import OwnItem
from tests.banks import small_bank
from tests.ours import content, furnish, own_item, own_topic
from tests.reviews import remember
from tests.stage import ALWINA, BOB, GUILD, Stage


async def start(
    stage: Stage, user_id: int = ALWINA, guild_id: int | None = GUILD, topic: str | None = None
) -> Screen:
    return await stage.bot.practices.start(user_id, guild_id, stage.clock(), topic)


def question_of(screen: Screen) -> Asking:
    assert isinstance(screen, Asking)
    return screen


async def asked(
    stage: Stage, user_id: int = ALWINA, guild_id: int | None = GUILD, topic: str | None = None
) -> Asking:
    return question_of(await start(stage, user_id, guild_id, topic))


async def asked_on(stage: Stage, *items: str) -> Asking:
    """Begin a practice of these items."""
    return question_of(await stage.bot.practices.start_on(ALWINA, GUILD, stage.clock(), items))


def click(
    stage: Stage,
    asking: Asking,
    *,
    right: bool = True,
    user_id: int = ALWINA,
    guild_id: int | None = GUILD,
) -> Click:
    item = asking.item
    wanted = item.right if right else {i for i in range(len(asking.order)) if i not in item.right}
    picks = tuple(position for position, index in enumerate(asking.order) if index in wanted)
    text = None if item.kind != "typed" else item.accept[0] if right else "certainly not this"
    picks = picks[:1] if item.kind == "choice" else picks
    return Click(asking.question.id, 1, guild_id, 7, user_id, stage.clock(), picks, text)


async def answer(
    stage: Stage,
    asking: Asking,
    *,
    right: bool = True,
    user_id: int = ALWINA,
    guild_id: int | None = GUILD,
) -> PracticeVerdict:
    stage.clock.turn(seconds=5)
    verdict = await stage.bot.practices.answer(
        click(stage, asking, right=right, user_id=user_id, guild_id=guild_id)
    )
    assert isinstance(verdict, PracticeVerdict)
    assert verdict.answered.right is right
    return verdict


async def go_on(stage: Stage, practice_id: int, user_id: int = ALWINA) -> Screen:
    return await stage.bot.practices.go_on(practice_id, user_id, GUILD, stage.clock())


async def end(stage: Stage, practice_id: int, user_id: int = ALWINA) -> Finished:
    finished = await stage.bot.practices.end(practice_id, user_id, GUILD)
    assert isinstance(finished, Finished)
    return finished


async def practise(
    stage: Stage,
    screen: Screen | None = None,
    *,
    misses: Collection[int] = (),
    user_id: int = ALWINA,
    guild_id: int | None = GUILD,
) -> tuple[list[Asking], Finished]:
    """Answer until the practice is over, and return what was asked in order, and the end.

    The questions at these places are answered wrong.
    """
    practices, seen = stage.bot.practices, list[Asking]()
    screen = screen or await start(stage, user_id, guild_id)
    while isinstance(screen, Asking):
        seen.append(screen)
        right = len(seen) not in misses
        await answer(stage, screen, right=right, user_id=user_id, guild_id=guild_id)
        practice_id = screen.question.practice_id
        screen = await practices.go_on(practice_id, user_id, guild_id, stage.clock())
    assert isinstance(screen, Finished)
    return seen, screen


async def practise_all(stage: Stage, guild_id: int | None = GUILD) -> set[str]:
    """Answer everything right that can be asked now, the day's questions and more; return the items."""
    seen, _ = await practise(stage, guild_id=guild_id)
    while isinstance(
        more := await stage.bot.practices.more(ALWINA, guild_id, stage.clock()), Asking
    ):
        seen += (await practise(stage, more, guild_id=guild_id))[0]
    return {asking.item.id for asking in seen}


# --- what is asked


async def test_only_what_was_named(stage: Stage) -> None:
    """A practice of named items asks each, due or not, in order, and misses once more at the end."""
    first = await asked_on(stage, "t3-c", "t1-a", "t2-b")
    seen, over = await practise(stage, first, misses=[2])
    shown = [(a.item.id, a.question.once_more, a.number, a.total) for a in seen]
    assert shown[:3] == [("t3-c", False, 1, 3), ("t1-a", False, 2, 3), ("t2-b", False, 3, 3)]
    assert shown[3:] == [("t1-a", True, 4, 1)]
    assert (over.kind, over.answered, over.right) == (Kind.MISSES, 3, 2)


async def test_named_items_go_on_where_they_were(stage: Stage) -> None:
    """The same items continue today's practice, others start one, and /practice continues any."""
    first = await asked_on(stage, "t1-a", "t1-b")
    await stage.restart()
    again = await asked_on(stage, "t1-a", "t1-b")
    assert again.question.id == first.question.id == (await asked(stage)).question.id
    other = await asked_on(stage, "t2-a")
    assert (other.item.id, other.question.number) == ("t2-a", 1)


async def test_named_items_that_are_in_play_are_left_out(stage: Stage) -> None:
    """Items in play on a server of the member are left out; if all are, the practice is refused."""
    await stage.start(1, topic_id="t1", difficulty="easy")
    await stage.run()
    hidden = stage.card().card.item.id  # type: ignore[union-attr]
    with pytest.raises(UserError, match="live on one of your servers"):
        await asked_on(stage, hidden)
    with pytest.raises(UserError, match="have been retired"):
        await asked_on(stage, "gone")
    screen = await asked_on(stage, hidden, "t2-a")
    assert (screen.item.id, screen.number, screen.total) == ("t2-a", 1, 1)


A_DAY = 60 * MINUTES // SECONDS
"""The questions of a day after the first."""


async def test_a_day_has_an_end(stage: Stage) -> None:
    """The first has five questions, the next as many as fit; misses come once more, then tomorrow."""
    stage = Stage(stage.database, small_bank(8))
    first, over = await practise(stage, misses=[2, 6])  # the sixth is the second once more
    ids = [asking.item.id for asking in first]
    assert len(set(ids)) == len({item_id[:2] for item_id in ids}) == FIRST_QUESTIONS
    assert [(a.number, a.total) for a in first] == [(n, 5) for n in range(1, 6)] + [(6, 1)]
    assert [a.question.once_more for a in first] == [False] * 5 + [True]
    assert ids[5] == ids[1]
    today = over.today
    assert (today.to_do, today.done, today.right, today.new) == (0, 5, 4, 4)
    assert (today.streak.current, today.tomorrow) == (1, A_DAY)
    assert isinstance(again := await start(stage), Finished)
    assert again.today == today
    stage.clock.turn(days=1)
    second, over = await practise(stage)
    assert second[0].item.id == ids[1]
    assert (len(second), over.today.streak.current, over.today.regained) == (A_DAY, 2, 1)


async def test_a_day_that_was_broken_off(stage: Stage) -> None:
    """After an early end it goes on with the rest of the day, and only its end counts."""
    stage = Stage(stage.database, small_bank(8))
    seen = await asked(stage)
    await answer(stage, seen, right=False)
    over = await end(stage, seen.question.practice_id)
    assert (over.today.to_do, over.today.streak.current) == (4, 0)
    rest, over = await practise(stage)
    assert [(a.number, a.total) for a in rest] == [(n, 5) for n in range(2, 6)] + [(6, 1)]
    assert rest[-1].item == seen.item
    assert (over.today.to_do, over.today.streak.current) == (0, 1)


@pytest.mark.parametrize("right", [True, False])
async def test_the_end_of_a_day_shortly_after_midnight(stage: Stage, right: bool) -> None:
    """The practice is over, and the page shows the questions of the new day; a day that isn't done
    gives way to them."""
    stage = Stage(stage.database, small_bank(8))
    stage.clock.at = stage.clock.at.replace(hour=23, minute=59, second=30)
    screen: Screen = await asked(stage)
    for number in range(1, 6):
        assert isinstance(screen, Asking)
        await answer(stage, screen, right=right or number < 5)
        if number == 5:
            stage.clock.turn(minutes=1)
        screen = await go_on(stage, screen.question.practice_id)
    if not right:
        screen = question_of(screen)
        assert (screen.number, screen.total, screen.question.number) == (1, A_DAY, 1)
        return
    assert isinstance(screen, Finished)
    assert (screen.today.to_do, screen.today.streak.current) == (A_DAY, 1)


async def test_a_days_size_does_not_change_by_the_hour(stage: Stage) -> None:
    """It is the same before and after the hour of the only earlier practice; it is small after a week."""
    stage = Stage(stage.database, small_bank(8))
    await practise(stage)
    at = stage.clock()
    for hours in (-1, 1):
        stage.clock.at = at + timedelta(days=7, hours=hours)
        assert (await stage.bot.days.today(ALWINA, GUILD)).size == A_DAY
        stage.clock.at = at + timedelta(days=8, hours=hours)
        back = await stage.bot.days.today(ALWINA, GUILD)
        assert (back.size, back.is_back) == (FIRST_QUESTIONS, True)


async def test_a_plan_that_is_removed_at_the_end_of_a_day(stage: Stage) -> None:
    """The question that comes once more is still one, though the day is shorter without the plan."""
    stage = Stage(stage.database, small_bank(8))
    await stage.bot.plans.set(ALWINA, GUILD, "in 20 days", "5")
    asking = await asked(stage)
    while not asking.question.once_more:
        await answer(stage, asking, right=asking.number < A_DAY)
        asking = question_of(await go_on(stage, asking.practice.id))
    await stage.bot.plans.end(ALWINA)
    again = question_of(await go_on(stage, asking.practice.id))
    assert (again.question.id, again.total) == (asking.question.id, 1)


async def test_beyond_the_day(stage: Stage) -> None:
    """More are as many again, and the first miss of these; they change neither that the day is done nor its streak."""
    stage = Stage(stage.database, small_bank(8))
    await practise(stage)
    first = await stage.bot.practices.more(ALWINA, GUILD, stage.clock())
    more, over = await practise(stage, first, misses=[1, 3])
    assert [a.question.once_more for a in more] == [False] * 5 + [True]
    assert (over.kind, over.answered, over.right) == (Kind.MORE, 5, 3)
    assert (over.today.to_do, over.today.done, over.today.streak.current) == (0, 10, 1)
    broken_off = await stage.bot.practices.more(ALWINA, GUILD, stage.clock())
    await answer(stage, question_of(broken_off), right=False)
    over = await end(stage, question_of(broken_off).question.practice_id)
    assert over.today.to_do == 0


async def test_a_newcomer_tries_three_easy_ones(stage: Stage) -> None:
    """They are part of the first day, also of a small bank; whoever has practised gets what it holds."""
    tiny = Stage(stage.database, small_bank(1))
    screen = await tiny.bot.practices.try_out(BOB, GUILD, stage.clock())
    assert (
        question_of(screen).total == sum(i.kind == "choice" for i in tiny.bank.asked.values()) == 2
    )
    stage = Stage(stage.database, small_bank(8))
    screen = await stage.bot.practices.try_out(ALWINA, GUILD, stage.clock())
    seen, over = await practise(stage, screen)
    assert {a.item.difficulty for a in seen} <= {1, 2}
    assert len({a.item.topic_id for a in seen}) == len(seen) == 3
    assert (over.kind, over.today.to_do) == (Kind.TRIAL, 2)
    again = question_of(await stage.bot.practices.try_out(ALWINA, GUILD, stage.clock()))
    assert (again.number, again.total, again.practice.kind) == (4, 5, Kind.DAY)


@pytest.mark.parametrize("plans", [False, True])
async def test_what_is_in_play_elsewhere_comes_last(stage: Stage, plans: bool) -> None:
    """A new item that others can still answer is asked only if nothing else is new."""
    stranger = 999
    await stage.start(1, topic_id="t1", difficulty="easy")
    await stage.run()
    live = stage.card().card.item.id  # type: ignore[union-attr]
    if plans:
        outlook, _ = await stage.bot.plans.set(stranger, GUILD + 1, "in 20 days", "15")
        await stage.database.write(plan_store.save, replace(outlook.plan, checks=()))
    order, _ = await practise(stage, user_id=stranger, guild_id=GUILD + 1)
    while isinstance(
        more := await stage.bot.practices.more(stranger, GUILD + 1, stage.clock()), Asking
    ):
        order += (await practise(stage, more, user_id=stranger, guild_id=GUILD + 1))[0]
    assert len(order) == len(stage.bank.asked)
    assert order[-1].item.id == live


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("America/Havana", datetime(2027, 3, 14, 5)),  # it begins at 01:00
        ("Pacific/Kiritimati", datetime(2027, 3, 27, 10)),
    ],
)
async def test_a_day_begins_at_the_members_midnight(
    stage: Stage, zone: str, midnight: datetime
) -> None:
    """Questions are counted from then on, also in a practice that began before."""
    stage = Stage(stage.database, small_bank(8))
    start_of_day = midnight.replace(tzinfo=UTC)
    stage.clock.at = start_of_day - timedelta(seconds=7)
    await stage.bot.reminders.set(ALWINA, GUILD, "09:00", zone)
    first = await asked(stage)
    await answer(stage, first)  # five seconds later
    second = question_of(await go_on(stage, first.question.practice_id))
    assert (second.number, second.total) == (2, FIRST_QUESTIONS)
    await answer(stage, second)
    third = question_of(await go_on(stage, first.question.practice_id))
    assert (third.number, third.total) == (2, A_DAY)
    assert third.practice.id != first.practice.id


async def test_one_topic(stage: Stage) -> None:
    """Only items of the topic are asked; another topic starts a new practice, none continues it."""
    first = await asked(stage, topic="t2")
    assert (first.item.topic_id, first.total) == ("t2", 4)
    assert (await asked(stage)).question.id == first.question.id
    other = await asked(stage, topic="t1")
    assert other.item.topic_id == "t1"
    with pytest.raises(UserError, match="This practice has ended"):
        await go_on(stage, first.question.practice_id)
    with pytest.raises(UserError, match="I don't know that topic"):
        await start(stage, topic="cooking")


# --- one question at a time


async def test_reasons_come_with_the_answer(stage: Stage) -> None:
    asking = await asked(stage)
    with pytest.raises(UserError, match="You haven't answered this one yet"):
        await stage.bot.practices.explain(stage.pressed(asking.question.id, ALWINA))
    first = await answer(stage, asking)
    pressed = stage.pressed(asking.question.id, ALWINA)
    assert await stage.bot.practices.explain(pressed) == first.answered


# --- guesses, and what is set aside


async def test_a_guess_is_a_miss(stage: Stage) -> None:
    """A guess leaves card and log as a wrong answer would, for new and known items, only once."""
    one, two = ALWINA, BOB
    for days in (0, 3):
        stage.clock.turn(days=days)
        made = {}
        for user_id, right in ((one, True), (two, False)):
            asking = await asked(stage, user_id)
            at = stage.clock()
            verdict = await answer(stage, asking, right=right, user_id=user_id)
            if right:
                verdict = await stage.bot.practices.guess(asking.question.id, one)
                assert verdict.question.guessed
                assert verdict.answered.right
                assert await stage.bot.practices.guess(asking.question.id, one) == verdict
            made[user_id] = (await stage.database.read(cards.cards_of, user_id))[asking.item.id]
            await end(stage, asking.question.practice_id, user_id)
            stage.clock.at = at
        assert made[one] == made[two]
        stage.clock.turn(seconds=5)
    assert [rating for user_id, *_, rating, _ in await log(stage) if user_id == one] == [1, 1]


async def test_what_cannot_be_a_guess(stage: Stage) -> None:
    """A guess is refused for missed, unanswered or earlier questions."""
    asking = await asked(stage)
    with pytest.raises(UserError, match="Only your last answer"):
        await stage.bot.practices.guess(asking.question.id, ALWINA)
    await answer(stage, asking)
    following = await go_on(stage, asking.question.practice_id)
    with pytest.raises(UserError, match="Only your last answer"):
        await stage.bot.practices.guess(asking.question.id, ALWINA)
    assert isinstance(following, Asking)
    await answer(stage, following, right=False)
    with pytest.raises(UserError, match="was a miss already"):
        await stage.bot.practices.guess(following.question.id, ALWINA)


async def test_what_is_set_aside(stage: Stage) -> None:
    """An item set aside is neither asked nor due, until it is put back, by its member only."""
    stage = Stage(stage.database, small_bank(1))
    asking = await asked(stage)
    with pytest.raises(UserError, match="That practice is gone"):
        await stage.bot.practices.set_aside(asking.question.id, BOB, aside=True)
    with pytest.raises(UserError, match="You haven't answered this one yet"):
        await stage.bot.practices.set_aside(asking.question.id, ALWINA, aside=True)
    await answer(stage, asking, right=False)
    await stage.bot.practices.set_aside(asking.question.id, ALWINA, aside=True)
    over = await end(stage, asking.question.practice_id)
    assert (over.answered, over.today.to_do, over.today.again) == (1, 3, ())
    seen, _ = await practise(stage)
    assert asking.item not in [a.item for a in seen]
    stage.clock.turn(days=1)
    assert asking.item not in [a.item for a in (await practise(stage))[0]]
    assert await stage.bot.practices.ask_again(ALWINA, ["t1-unknown"]) == 0
    assert await stage.bot.practices.ask_again(ALWINA, [asking.item.id]) == 1


# --- what must stay hidden


async def test_a_question_that_was_replaced_stays_left_out(stage: Stage) -> None:
    """It is not judged later either, once it is no longer in play."""
    asking = await asked(stage)
    await stage.start(4, topic_id=asking.item.topic_id)
    other = await stage.bot.practices.answer(click(stage, asking))
    assert question_of(other).unjudged is Unjudged.IN_PLAY
    await stage.wait(hours=1)
    again = await stage.bot.practices.answer(click(stage, asking))
    assert question_of(again).question.id == question_of(other).question.id
    assert question_of(again).unjudged is Unjudged.LEFT_OUT
    assert await log(stage) == []


def rekeyed(conn: Connection) -> None:
    """Make another choice of the server's own item the right one."""
    choices = content()["choices"]
    for n, choice in enumerate(choices):
        choice["correct"] = n == 1
    change_own(conn, own_item(GUILD, 2, own_topic(GUILD, 1).topic_id, choices=choices))


def reworded(conn: Connection) -> None:
    change_own(conn, own_item(GUILD, 2, own_topic(GUILD, 1).topic_id, prompt="Otherwise?"))


def shortened(conn: Connection) -> None:
    """Leave two choices, as a new version of a shipped bank could."""
    choices = content()["choices"][:2]
    change_own(conn, own_item(GUILD, 2, own_topic(GUILD, 1).topic_id, choices=choices))


def retired(conn: Connection) -> None:
    change_own(conn, own_item(GUILD, 2, own_topic(GUILD, 1).topic_id, retired=True))


def taken_out(conn: Connection) -> None:
    conn.execute(questions_store.own_items.delete())
    questions_store.change_bank(conn, GUILD)


def change_own(conn: Connection, item: OwnItem) -> None:
    questions_store.save_items(conn, [item])
    questions_store.change_bank(conn, GUILD)


async def own_question(stage: Stage) -> Asking:
    """Ask an item of the server's own, and then another one."""
    (item_id,) = await furnish(stage.database, GUILD, items=1)
    return await asked_on(stage, item_id, "t1-a")


@pytest.mark.parametrize("change", [rekeyed, reworded, shortened, retired, taken_out])
async def test_a_question_that_changes_before_it_is_answered(
    stage: Stage, change: Callable[[Connection], None]
) -> None:
    """A member is never judged by words that they haven't seen, however often they press; a changed
    question is asked again on a new card."""
    asking = await own_question(stage)
    await stage.database.write(change)
    with pytest.raises(UserError, match=r"is closed|was removed"):
        await stage.bot.practices.check_open(click(stage, asking))
    seen = question_of(await stage.bot.practices.answer(click(stage, asking)))
    again = question_of(await stage.bot.practices.answer(click(stage, asking)))
    assert await log(stage) == []
    assert (again.question.id, again.unjudged) == (seen.question.id, Unjudged.LEFT_OUT)
    changed = change in {rekeyed, reworded, shortened}
    assert seen.unjudged is (Unjudged.CHANGED if changed else Unjudged.GONE)
    assert seen.item.id == (asking.item.id if changed else "t1-a")
    assert sorted(seen.order) == list(range(len(seen.item.choices)))
    await answer(stage, seen)
    following = await go_on(stage, seen.question.practice_id)
    assert isinstance(following, Asking if changed else Finished)


@pytest.mark.parametrize("change", [rekeyed, reworded, retired, taken_out])
async def test_a_question_that_changes_after_it_was_answered(
    stage: Stage, change: Callable[[Connection], None]
) -> None:
    """The answer counts as it was judged, the member reads so, and the practice goes on."""
    asking = await own_question(stage)
    await answer(stage, asking)
    await stage.database.write(change)
    presses = [
        stage.bot.practices.answer(click(stage, asking, right=False)),
        stage.bot.practices.set_aside(asking.question.id, ALWINA, aside=False),
    ]
    for press in presses:
        if change is taken_out:
            with pytest.raises(UserError, match=r"This question was removed\. Go on with"):
                await press
        else:
            verdict = await press
            assert isinstance(verdict, PracticeVerdict)
            assert (verdict.question.correct, verdict.rekeyed) == (True, change is rekeyed)
    assert isinstance(await go_on(stage, asking.question.practice_id), Asking)
    summary = await end(stage, asking.question.practice_id)
    assert (summary.answered, summary.right) == (1, 1)


# --- one memory


async def log(stage: Stage) -> list[tuple[int, str, int, str, int, datetime]]:
    names = "user_id", "source", "question_id", "item_id", "rating", "answered_at"
    query = select(*(answers.c[name] for name in names)).where(answers.c.rating.is_not(None))
    return await stage.database.read(
        lambda conn: [tuple(row) for row in conn.execute(query.order_by(answers.c.answered_at))]
    )


async def test_what_was_expected_goes_with_the_answer(stage: Stage) -> None:
    """It is what the member's answers before let expect, stored when a new item is asked; a guess
    changes nothing, and nothing is expected of an answer that isn't the first."""
    expected: list[int | None] = []
    screen = await start(stage)
    while isinstance(screen, Asking):
        facts = await stage.database.read(stage.bot.days.facts, ALWINA, GUILD)
        chance = round(1000 * facts.known.expects(screen.item))
        expected.append(None if screen.question.once_more else chance)
        await answer(stage, screen, right=len(expected) > 1)
        if len(expected) == 2:
            await stage.bot.practices.guess(screen.question.id, ALWINA)
        screen = await go_on(stage, screen.question.practice_id)
    given = sorted(await stage.answers(PRACTICE), key=lambda one: one.question_id)
    assert [one.expected for one in given] == expected
    assert None in expected
    assert len(set(expected)) > 3
    assert [one.correct for one in given[:2]] == [False, True]


# --- one day everywhere


async def test_a_member_has_one_day_everywhere(stage: Stage) -> None:
    """Their first practice stores the zone of a server where they were before."""
    await stage.database.write(guilds.set_zone, GUILD, "Pacific/Auckland")
    await stage.database.write(remember, "t1-a", Review(ALWINA, rate(True, 9, 1), stage.clock()))
    await asked(stage, guild_id=None)
    await stage.database.write(guilds.set_zone, GUILD, "UTC")
    for place in (GUILD, GUILD + 1, None):
        assert await stage.database.read(zone_of, ALWINA, place) == "Pacific/Auckland"
