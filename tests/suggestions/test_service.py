"""Suggestions and reports through the review, on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import servers
from bot.core.errors import UserError
from bot.core.limits import REPORTS_OPEN, SUGGESTIONS_OPEN
from bot.questions.check import BankError
from bot.questions.store import own_items_of, reports_since, settle_report
from bot.suggestions.rules import TOPIC, Kind, Reported, State, Suggested, Written, form_of
from tests.ours import OTHER_GUILD, furnish
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

WRITTEN = Written(
    "Which optimizer decouples weight decay?", "AdamW", "Adam\nSGD", "It decays weights apart.", ""
)
TYPED = replace(WRITTEN, wrong="")


async def waiting(
    stage: Stage, kind: Kind = Kind.SUGGESTION, after: int = 0
) -> Suggested | Reported:
    found = await stage.bot.suggestions.next(GUILD, BOB, kind, after)
    assert found is not None
    return found


async def suggest(stage: Stage, user_id: int = ALWINA, written: Written = WRITTEN) -> int:
    """Suggest a question; the id of the oldest that waits."""
    await stage.bot.suggestions.suggest(GUILD, user_id, written)
    found = await waiting(stage)
    assert isinstance(found, Suggested)
    return found.row.id


async def test_accepted(stage: Stage) -> None:
    """What is accepted is asked on its server, and its author is told, once."""
    await stage.introduce()
    row_id = await suggest(stage)
    found = await waiting(stage)
    assert isinstance(found, Suggested)
    assert (found.author, form_of(found.row), found.waiting.total) == (
        "Alwina",
        form_of(WRITTEN),
        1,
    )
    saved = await stage.bot.suggestions.accept(GUILD, row_id)
    assert (saved.own.topic, saved.own.item.prompt, len(saved.own.item.choices)) == (
        TOPIC,
        WRITTEN.prompt,
        3,
    )
    assert saved.own.row.item_id in (await stage.bot.context.bank_for(ALWINA, GUILD)).asked
    assert await stage.bot.suggestions.next(GUILD, BOB) is None
    (verdict,) = await stage.bot.suggestions.verdicts(GUILD, ALWINA)
    assert (verdict.state, verdict.prompt, verdict.reason) == (State.ACCEPTED, WRITTEN.prompt, None)
    assert await stage.bot.suggestions.verdicts(GUILD, BOB) == []
    assert await stage.bot.suggestions.verdicts(OTHER_GUILD, ALWINA) == []
    await stage.bot.suggestions.told(BOB, [verdict])
    assert await stage.bot.suggestions.verdicts(GUILD, ALWINA) == [verdict]
    await stage.bot.suggestions.told(ALWINA, [verdict])
    assert await stage.bot.suggestions.verdicts(GUILD, ALWINA) == []


async def test_mended_before(stage: Stage) -> None:
    """A manager's form takes the place of what was suggested; one that is not right leaves the suggestion waiting."""
    row_id = await suggest(stage)
    form = replace(form_of(WRITTEN), prompt="Better?", topic="Optimizers", difficulty="5")
    with pytest.raises(BankError, match="difficulty"):
        await stage.bot.suggestions.accept(GUILD, row_id, replace(form, difficulty="9"))
    assert isinstance(await waiting(stage), Suggested)
    saved = await stage.bot.suggestions.accept(GUILD, row_id, form)
    assert (saved.own.topic, saved.own.item.prompt, saved.own.item.difficulty) == (
        "Optimizers",
        "Better?",
        5,
    )


async def test_rejected(stage: Stage) -> None:
    """The author reads the reason, and nothing is added."""
    row_id = await suggest(stage)
    await stage.bot.suggestions.reject(GUILD, row_id, "We have it")
    (verdict,) = await stage.bot.suggestions.verdicts(GUILD, ALWINA)
    assert (verdict.state, verdict.reason) == (State.REJECTED, "We have it")
    assert await stage.database.read(own_items_of, GUILD) == []
    for late in (
        stage.bot.suggestions.accept(GUILD, row_id),
        stage.bot.suggestions.reject(GUILD, row_id, "No"),
        stage.bot.suggestions.get(GUILD, row_id),
    ):
        with pytest.raises(UserError, match="just decided"):
            await late


async def test_two_managers_at_once(stage: Stage) -> None:
    """However many accept at the same time, there is one question of it."""
    row_id = await suggest(stage)
    form = form_of(WRITTEN)
    work = [
        stage.bot.suggestions.accept(GUILD, row_id, replace(form, prompt=f"{n}?")) for n in range(4)
    ]
    done = await asyncio.gather(*work, return_exceptions=True)
    assert sum(isinstance(one, UserError) for one in done) == 3
    assert len(await stage.database.read(own_items_of, GUILD)) == 1


async def test_another_server_decides_nothing(stage: Stage) -> None:
    """The number of another server's suggestion or report leads nowhere."""
    row_id = await suggest(stage)
    with pytest.raises(UserError):
        await stage.bot.suggestions.accept(OTHER_GUILD, row_id)
    await stage.bot.reports.add("t1-a", GUILD, ALWINA, "odd")
    report = await waiting(stage, Kind.SUGGESTION, row_id)
    assert isinstance(report, Reported)
    await stage.bot.suggestions.settle(OTHER_GUILD, report.id)
    assert (await waiting(stage)).waiting.total == 2
    assert await stage.bot.suggestions.next(OTHER_GUILD, BOB) is None


async def test_five_a_member(stage: Stage) -> None:
    """A sixth suggestion is refused until one is decided; others have their own five, also at the same time."""
    ones = [
        stage.bot.suggestions.suggest(GUILD, ALWINA, replace(WRITTEN, prompt=f"{n}?"))
        for n in range(SUGGESTIONS_OPEN + 2)
    ]
    done = await asyncio.gather(*ones, return_exceptions=True)
    assert sum(isinstance(one, UserError) for one in done) == 2
    with pytest.raises(UserError, match="5 of your suggestions are waiting"):
        await stage.bot.suggestions.require_room(GUILD, ALWINA)
    await stage.bot.suggestions.require_room(GUILD, BOB)
    await stage.bot.suggestions.require_room(OTHER_GUILD, ALWINA)
    row_id = await suggest(stage, BOB)
    await stage.bot.suggestions.reject(GUILD, row_id, "No")
    await suggest(stage, ALWINA)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WRITTEN, prompt=" "),
        replace(WRITTEN, answer=" "),
        replace(WRITTEN, why=""),
        replace(WRITTEN, wrong="adamw\nSGD"),
        replace(WRITTEN, wrong="a\nb\nc\nd\ne\nf"),
        replace(TYPED, answer="a" * 101),
        replace(WRITTEN, prompt="a\x07b"),
    ],
)
async def test_what_could_not_be_asked(stage: Stage, wrong: Written) -> None:
    """A suggestion that could not become a question is refused at once, while its author is there to mend it."""
    with pytest.raises(BankError):
        await stage.bot.suggestions.suggest(GUILD, ALWINA, wrong)
    assert await stage.bot.suggestions.next(GUILD, BOB) is None


async def test_it_is_announced_once(stage: Stage) -> None:
    """In the channel that is set, and only when nothing else is waiting."""
    bot = stage.bot.suggestions
    assert await bot.suggest(GUILD, ALWINA, WRITTEN) is None
    await bot.reject(GUILD, (await bot.next(GUILD, BOB)).row.id, "No")  # type: ignore[union-attr]
    await stage.database.write(servers.set_suggestions_channel, GUILD, CHANNEL)
    assert await bot.announced(GUILD) is None
    assert [await bot.suggest(GUILD, ALWINA, one) for one in (WRITTEN, TYPED)] == [CHANNEL, None]
    await stage.bot.reports.add("t1-a", GUILD, ALWINA, "odd")
    assert await bot.announced(GUILD) is None


async def test_one_after_another(stage: Stage) -> None:
    """Suggestions come first, then reports, the oldest of each first; after the last comes the first again."""
    for n in range(2):
        await stage.bot.suggestions.suggest(GUILD, ALWINA, replace(WRITTEN, prompt=f"{n}?"))
        await stage.bot.reports.add("t1-a", GUILD, (ALWINA, BOB)[n], f"odd {n}")
    seen: list[str] = []
    kind, after = Kind.SUGGESTION, 0
    for _ in range(5):
        found = await waiting(stage, kind, after)
        assert (found.waiting.suggestions, found.waiting.reports) == (2, 2)
        if isinstance(found, Suggested):
            seen, kind, after = [*seen, found.row.prompt], Kind.SUGGESTION, found.row.id
        else:
            seen, kind, after = [*seen, found.text], Kind.REPORT, found.id
    assert seen == ["0?", "1?", "odd 0", "odd 1", "0?"]


async def test_reports(stage: Stage) -> None:
    """A server reviews reports on its own questions, and those on shipped ones made there; the operator reads all."""
    (mine, *_) = await furnish(stage.database, GUILD)
    assert await stage.bot.reports.add(mine, None, ALWINA, "wrong key") == GUILD
    shipped = next(iter(stage.bank.items))
    assert await stage.bot.reports.add(shipped, GUILD, ALWINA, "a typo") == GUILD
    assert await stage.bot.reports.add(shipped, None, ALWINA, "in private") is None
    read = await stage.database.read(reports_since, stage.clock() - timedelta(days=1))
    assert [report.text for report in read] == ["wrong key", "a typo", "in private"]
    first = await waiting(stage)
    assert isinstance(first, Reported)
    assert first.own is not None
    assert (first.text, first.own.item_id, first.shipped, first.waiting.reports) == (
        "wrong key",
        mine,
        False,
        2,
    )
    await stage.bot.suggestions.settle(GUILD, first.id)
    second = await waiting(stage)
    assert isinstance(second, Reported)
    assert (second.text, second.own, second.shipped) == ("a typo", None, True)
    await stage.bot.suggestions.settle(GUILD, second.id)
    assert await stage.bot.suggestions.next(GUILD, BOB) is None
    assert len(await stage.database.read(reports_since, stage.clock() - timedelta(days=1))) == 3


async def test_a_report_on_what_is_gone(stage: Stage) -> None:
    """A report outlives its question: one that was taken out can't be edited, one that nobody knows has no words."""
    (mine, *_) = await furnish(stage.database, GUILD)
    await stage.bot.own_bank.retire(GUILD, 2)
    await stage.bot.reports.add(mine, GUILD, ALWINA, "wrong key")
    await stage.bot.reports.add("never-known", GUILD, ALWINA, "odd")
    first = await waiting(stage)
    assert isinstance(first, Reported)
    assert (first.own, first.shipped, bool(first.prompt)) == (None, False, True)
    second = await waiting(stage, Kind.REPORT, first.id)
    assert isinstance(second, Reported)
    assert (second.prompt, second.item, second.shipped) == ("", None, False)


async def test_a_report_shows_no_answer_before_the_reveal(stage: Stage) -> None:
    """Who reviews a report on what is being asked, and has not answered it, does not learn the answer there."""
    await stage.start(questions=1)
    await stage.run()
    item_id = stage.card().card.item.id  # type: ignore[union-attr]
    await stage.bot.reports.add(item_id, GUILD, ALWINA, "odd")
    found = await waiting(stage)
    assert isinstance(found, Reported)
    assert found.hidden
    await stage.wait(minutes=5)
    found = await waiting(stage)
    assert isinstance(found, Reported)
    assert not found.hidden


async def test_one_report_of_a_member_on_a_question_waits(stage: Stage) -> None:
    """A second one is refused until managers have read the first; others report what they like."""
    report = stage.bot.reports.add
    await report("t1-a", GUILD, ALWINA, "odd")
    with pytest.raises(UserError, match="reported this question already"):
        await report("t1-a", GUILD, ALWINA, "odd")
    await report("t1-b", GUILD, ALWINA, "odd")
    await report("t1-a", GUILD, BOB, "odd")
    await report("t1-a", None, ALWINA, "in private")
    with pytest.raises(UserError, match="reported this question already"):
        await report("t1-a", None, ALWINA, "in private")
    first = await waiting(stage)
    assert isinstance(first, Reported)
    await stage.database.write(settle_report, GUILD, first.id)
    await report("t1-a", GUILD, ALWINA, "still odd")


async def test_five_reports_of_a_member_wait_on_a_server(stage: Stage) -> None:
    """A sixth is refused there, and neither on another server nor in direct messages."""
    for n in range(REPORTS_OPEN):
        await stage.bot.reports.add(f"t{n}", GUILD, ALWINA, "odd")
        await stage.bot.reports.add(f"t{n}", None, ALWINA, "odd")
    with pytest.raises(UserError, match="5 of your reports"):
        await stage.bot.reports.add("t9", GUILD, ALWINA, "odd")
    await stage.bot.reports.add("t9", GUILD + 1, ALWINA, "odd")
    await stage.bot.reports.add("t9", None, ALWINA, "odd")
