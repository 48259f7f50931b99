"""Steps of practices and plans compute outside of transactions, and two at once do no harm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.answers.model import Review
from bot.answers.rules import rate
from bot.answers.store import PRACTICE, answers
from bot.core.errors import UserError
from bot.members import streak_store
from bot.members.model import Streak
from bot.memory import progress
from bot.memory import store as cards
from bot.memory.progress import Knowledge
from bot.plan import service as plan_service
from bot.plan import store as plan_store
from bot.practice.model import Asking
from bot.practice.store import practice_questions
from tests.practice.test_service import (
    answer,
    asked,
    asked_on,
    click,
    end,
    go_on,
    practise,
    question_of,
    start,
)
from tests.reviews import remember
from tests.stage import ALWINA, GUILD, Stage

Held = list[str]


@pytest.fixture
def held(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Return the list of kinds of transactions that are running."""
    found: Held = []
    backend: Any = stage.database._backend

    def note(kind: str) -> None:
        run = getattr(backend, kind)

        async def noted(work: Callable[[Any], Any]) -> Any:
            def inside(conn: Any) -> Any:
                found.append(kind)
                try:
                    return work(conn)
                finally:
                    found.remove(kind)

            return await run(inside)

        monkeypatch.setattr(backend, kind, noted)

    note("read")
    note("write")
    return found


async def test_what_takes_long_is_done_outside(
    stage: Stage, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cards are never read in a write; forecasts, abilities and the next item need no transaction."""
    called: set[str] = set()

    def outside_of(kinds: set[str], work: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that fails in these transactions."""

        def checked(*args: Any, **kwargs: Any) -> Any:
            called.add(work.__name__)
            assert kinds.isdisjoint(held), f"{work.__name__} in a transaction"
            return work(*args, **kwargs)

        return checked

    watched: list[tuple[Any, str, set[str]]] = [
        (cards, "cards_of", {"write"}),
        (plan_service, "build_outlook", {"read", "write"}),
        (progress, "ability_of", {"read", "write"}),
        (Knowledge, "unseen", {"read", "write"}),
        (Knowledge, "repeats", {"read", "write"}),
    ]
    for owner, name, kinds in watched:
        monkeypatch.setattr(owner, name, outside_of(kinds, getattr(owner, name)))
    await stage.bot.plans.set(ALWINA, GUILD, "in 3 days", "15")
    asking = await asked(stage)
    verdict = await answer(stage, asking)
    assert not verdict.question.guessed
    await stage.bot.practices.guess(asking.question.id, ALWINA)
    assert isinstance(await go_on(stage, asking.question.practice_id), Asking)
    await asked_on(stage, "t2-a")
    await end(stage, asking.question.practice_id)
    await stage.bot.plans.page(ALWINA, GUILD)
    assert called == {name for _, name, _ in watched}


def between(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[], Awaitable[Any]],
    before: str = "write",
) -> None:
    """Run something once, right before the write, or the read, of the next step."""
    of: Any = stage.database if before == "write" else stage.database._backend
    method = getattr(of, before)

    async def late(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(of, before, method)
        await meanwhile()
        return await method(*args, **kwargs)

    monkeypatch.setattr(of, before, late)


async def open_questions(stage: Stage) -> int:
    c = practice_questions.c
    given = select(answers.c.question_id).where(answers.c.source == PRACTICE)
    count = select(func.count()).where(c.left_out_at.is_(None), c.id.not_in(given))
    return int(await stage.database.read(lambda conn: conn.execute(count).scalar_one()))


@pytest.mark.parametrize("begun", [False, True])
async def test_two_presses_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """Both devices show the same question, and no other is asked."""
    shown: list[Asking] = []

    async def press() -> None:
        shown.append(question_of(await (go_on(stage, 1) if begun else start(stage))))

    if begun:
        await answer(stage, await asked(stage))
    between(stage, monkeypatch, press)
    await press()
    assert shown[0].question.id == shown[1].question.id
    assert await open_questions(stage) == 1


@pytest.mark.parametrize("step", ["start", "go on", "another topic", "end"])
async def test_an_answer_in_between_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """An answer from another device counts in whatever step follows."""
    first = await asked(stage, topic="t1")
    between(stage, monkeypatch, lambda: answer(stage, first))
    practices, practice_id = stage.bot.practices, first.question.practice_id
    if step == "end":
        summary = await end(stage, practice_id)
        assert (summary.answered, summary.right) == (1, 1)
    else:
        topic = "t2" if step == "another topic" else None
        found = question_of(
            await (go_on(stage, practice_id) if step == "go on" else start(stage, topic=topic))
        )
        assert found.item.id != first.item.id
        assert await open_questions(stage) == 1
    again = await practices.explain(stage.pressed(first.question.id, ALWINA))
    assert again.right
    assert first.item.id in await stage.database.read(cards.cards_of, ALWINA)


@pytest.mark.parametrize("is_asked", [False, True])
async def test_an_item_met_in_between_is_not_new(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, is_asked: bool
) -> None:
    """A round that ends at the same time may give the member their first card of an item; then what
    was expected of a first answer is not compared with this one."""
    met = Review(ALWINA, rate(True), stage.clock())
    write = stage.database.write
    if not is_asked:
        between(stage, monkeypatch, lambda: write(remember, "t1-a", met))
    screen = await asked_on(stage, "t1-a")
    if is_asked:
        await write(remember, "t1-a", met)
    assert screen.question.is_new is is_asked
    await answer(stage, screen)
    (given,) = await stage.answers(PRACTICE)
    assert given.expected is None


async def test_a_practice_ended_in_between(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an end, a step that had already begun asks nothing more."""
    first = await asked(stage)
    await answer(stage, first)
    practice_id = first.question.practice_id
    between(stage, monkeypatch, lambda: end(stage, practice_id))
    with pytest.raises(UserError, match="This practice has ended"):
        await go_on(stage, practice_id)
    assert await open_questions(stage) == 0


@pytest.mark.parametrize(
    ("press", "before"),
    [("answer", "write"), *product(["guess", "set aside", "go on", "end"], ["read", "write"])],
)
async def test_an_erasure_in_between(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, press: str, before: str
) -> None:
    """Whatever is under way tells its member that the practice is gone, and stores nothing."""
    asking = await asked(stage)
    if press != "answer":
        await answer(stage, asking)
    practices, question_id = stage.bot.practices, asking.question.id
    presses: dict[str, Callable[[], Awaitable[Any]]] = {
        "answer": lambda: practices.answer(click(stage, asking)),
        "guess": lambda: practices.guess(question_id, ALWINA),
        "set aside": lambda: practices.set_aside(question_id, ALWINA, aside=True),
        "go on": lambda: go_on(stage, asking.question.practice_id),
        "end": lambda: end(stage, asking.question.practice_id),
    }
    between(stage, monkeypatch, lambda: stage.bot.privacy.erase(ALWINA), before)
    with pytest.raises(UserError, match="That practice is gone"):
        await presses[press]()
    assert await stage.database.read(cards.cards_of, ALWINA) == {}
    assert await open_questions(stage) == 0


async def test_an_erasure_before_a_done_day_is_shown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its date doesn't count again."""
    await practise(stage)
    between(stage, monkeypatch, lambda: stage.bot.privacy.erase(ALWINA))
    await start(stage)
    assert await stage.database.read(streak_store.get, ALWINA) == (Streak(), None)


async def test_a_plan_changed_in_between(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changing the day on one device keeps the goal that was just set on another."""
    await stage.bot.plans.set(ALWINA, GUILD, "in 20 days", "15")
    other = plan_service.Plans(stage.bot.context, stage.bot.days)  # in another process
    between(stage, monkeypatch, lambda: other.set(ALWINA, GUILD, "in 30 days", "15", "t1"))
    shown, _ = await stage.bot.plans.set(ALWINA, GUILD, "in 40 days")
    plan = await stage.database.read(plan_store.get, ALWINA)
    assert plan is not None
    assert shown.plan == plan
    today: date = stage.clock().date()
    assert (plan.day, plan.goal) == (today + timedelta(days=40), "topics:t1")
