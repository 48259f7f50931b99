"""Suggestions and reports in the review, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.bank.model import (
    Form,
    QuestionPage,
    WaitingKind,
    WaitingReport,
    WaitingSuggestion,
)
from bot.core import servers
from bot.core.errors import UserError
from bot.core.limits import REPORTS_OPEN, SUGGESTIONS_OPEN
from bot.questions.store import reports_since, settle_report
from tests.ours import OTHER_GUILD, furnish, rows_of
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

QUESTION = Form(
    "Which optimizer decouples weight decay?", "AdamW", "Adam\nSGD", "It decays weights apart."
)
TYPED = replace(QUESTION, wrong="")


async def waiting(
    stage: Stage, kind: WaitingKind = WaitingKind.SUGGESTION, after: int = 0
) -> WaitingSuggestion | WaitingReport:
    found = await stage.bot.suggestions.next_waiting(GUILD, BOB, kind, after)
    assert found is not None
    return found


async def next_suggestion(stage: Stage) -> WaitingSuggestion:
    found = await waiting(stage)
    assert isinstance(found, WaitingSuggestion)
    return found


async def next_report(
    stage: Stage, kind: WaitingKind = WaitingKind.SUGGESTION, after: int = 0
) -> WaitingReport:
    found = await waiting(stage, kind, after)
    assert isinstance(found, WaitingReport)
    return found


async def suggest(stage: Stage, user_id: int = ALWINA, question: Form = QUESTION) -> int:
    """Suggest a question and return the id of the oldest one waiting."""
    await stage.bot.suggestions.suggest(GUILD, user_id, question)
    return (await next_suggestion(stage)).suggestion.id


async def test_a_decision_is_made_once(stage: Stage) -> None:
    row_id = await suggest(stage)
    await stage.bot.suggestions.reject(GUILD, row_id, "We have it")
    for late in (
        stage.bot.suggestions.accept(GUILD, row_id),
        stage.bot.suggestions.reject(GUILD, row_id, "No"),
        stage.bot.suggestions.waiting_suggestion(GUILD, row_id),
    ):
        with pytest.raises(UserError, match="just decided"):
            await late


async def test_two_managers_at_once(stage: Stage) -> None:
    """Simultaneous managers add one question, which has no Undo: its author is told of it."""
    row_id = await suggest(stage)
    form = replace(QUESTION, topic="Ours")
    work = [
        stage.bot.suggestions.accept(GUILD, row_id, replace(form, prompt=f"{n}?")) for n in range(4)
    ]
    done = await asyncio.gather(*work, return_exceptions=True)
    assert [one.change for one in done if isinstance(one, QuestionPage)] == [None]
    assert sum(isinstance(one, UserError) for one in done) == 3
    assert len(await stage.database.read(rows_of, GUILD)) == 1


async def test_ids_of_another_server(stage: Stage) -> None:
    """Another server's suggestions and reports can't be decided."""
    row_id = await suggest(stage)
    with pytest.raises(UserError):
        await stage.bot.suggestions.accept(OTHER_GUILD, row_id)
    await stage.bot.reports.add("t1-a", GUILD, ALWINA, "odd")
    report = await next_report(stage, WaitingKind.SUGGESTION, row_id)
    await stage.bot.suggestions.settle_report(OTHER_GUILD, report.id)
    assert (await waiting(stage)).waiting.total == 2
    assert await stage.bot.suggestions.next_waiting(OTHER_GUILD, BOB) is None


async def test_members_have_a_limit(stage: Stage) -> None:
    """Beyond five, suggestions are refused until one is decided, simultaneous ones too."""
    work = [
        stage.bot.suggestions.suggest(GUILD, ALWINA, replace(QUESTION, prompt=f"{n}?"))
        for n in range(SUGGESTIONS_OPEN + 2)
    ]
    done = await asyncio.gather(*work, return_exceptions=True)
    assert sum(isinstance(one, UserError) for one in done) == 2
    with pytest.raises(UserError, match="5 of your suggestions are waiting"):
        await stage.bot.suggestions.check_limit(GUILD, ALWINA)
    await stage.bot.suggestions.check_limit(GUILD, BOB)
    await stage.bot.suggestions.check_limit(OTHER_GUILD, ALWINA)
    row_id = await suggest(stage, BOB)
    await stage.bot.suggestions.reject(GUILD, row_id, "No")
    await suggest(stage, ALWINA)


async def test_announcements(stage: Stage) -> None:
    """They go to the chosen channel, and only if nothing else is waiting."""
    bot = stage.bot.suggestions
    assert await bot.suggest(GUILD, ALWINA, QUESTION) is None
    await bot.reject(GUILD, (await next_suggestion(stage)).suggestion.id, "No")
    await stage.database.write(servers.set_suggestions_channel, GUILD, CHANNEL)
    assert await bot.announcement_channel(GUILD) is None
    assert [await bot.suggest(GUILD, ALWINA, one) for one in (QUESTION, TYPED)] == [CHANNEL, None]
    await stage.bot.reports.add("t1-a", GUILD, ALWINA, "odd")
    assert await bot.announcement_channel(GUILD) is None


async def test_the_order_of_the_review(stage: Stage) -> None:
    """Suggestions come before reports, oldest first; after the last it starts again."""
    for n in range(2):
        await stage.bot.suggestions.suggest(GUILD, ALWINA, replace(QUESTION, prompt=f"{n}?"))
        await stage.bot.reports.add("t1-a", GUILD, (ALWINA, BOB)[n], f"odd {n}")
    seen: list[str] = []
    kind, after = WaitingKind.SUGGESTION, 0
    for _ in range(5):
        found = await waiting(stage, kind, after)
        assert (found.waiting.suggestions, found.waiting.reports) == (2, 2)
        if isinstance(found, WaitingSuggestion):
            kind, after = WaitingKind.SUGGESTION, found.suggestion.id
            seen.append(found.suggestion.prompt)
        else:
            kind, after = WaitingKind.REPORT, found.id
            seen.append(found.text)
    assert seen == ["0?", "1?", "odd 0", "odd 1", "0?"]


async def test_which_reports_a_server_reviews(stage: Stage) -> None:
    """Those on its own questions, and on shipped ones if made there; the operator reads all."""
    (own_id, *_) = await furnish(stage.database, GUILD)
    assert await stage.bot.reports.add(own_id, None, ALWINA, "wrong key") == GUILD
    shipped = next(iter(stage.bank.items))
    assert await stage.bot.reports.add(shipped, GUILD, ALWINA, "a typo") == GUILD
    assert await stage.bot.reports.add(shipped, None, ALWINA, "in private") is None
    read = await stage.database.read(reports_since, stage.clock() - timedelta(days=1))
    assert [report.text for report in read] == ["wrong key", "a typo", "in private"]
    first = await next_report(stage)
    assert first.own is not None
    assert (first.text, first.own.item_id, first.shipped) == ("wrong key", own_id, False)
    assert first.waiting.reports == 2
    await stage.bot.suggestions.settle_report(GUILD, first.id)
    second = await next_report(stage)
    assert (second.text, second.own, second.shipped) == ("a typo", None, True)
    await stage.bot.suggestions.settle_report(GUILD, second.id)
    assert await stage.bot.suggestions.next_waiting(GUILD, BOB) is None
    assert len(await stage.database.read(reports_since, stage.clock() - timedelta(days=1))) == 3


async def test_reports_on_removed_questions(stage: Stage) -> None:
    """A retired question can't be edited, and an unknown one has no text."""
    (own_id, *_) = await furnish(stage.database, GUILD)
    await stage.bot.own_bank.retire(GUILD, 2)
    await stage.bot.reports.add(own_id, GUILD, ALWINA, "wrong key")
    await stage.bot.reports.add("never-known", GUILD, ALWINA, "odd")
    first = await next_report(stage)
    assert (first.own, first.shipped, bool(first.prompt)) == (None, False, True)
    second = await next_report(stage, WaitingKind.REPORT, first.id)
    assert (second.prompt, second.item, second.shipped) == ("", None, False)


async def test_a_report_shows_no_answer_before_the_reveal(stage: Stage) -> None:
    """A reviewer who has not answered a question being asked doesn't see its answer."""
    await stage.start(questions=1)
    await stage.run()
    item_id = stage.card().card.item.id  # type: ignore[union-attr]
    await stage.bot.reports.add(item_id, GUILD, ALWINA, "odd")
    found = await next_report(stage)
    assert found.hidden
    await stage.wait(minutes=5)
    found = await next_report(stage)
    assert not found.hidden


async def test_one_report_per_member_and_question(stage: Stage) -> None:
    """A second one is refused until the first is done; other members can report it."""
    report = stage.bot.reports.add
    await report("t1-a", GUILD, ALWINA, "odd")
    with pytest.raises(UserError, match="reported this question already"):
        await report("t1-a", GUILD, ALWINA, "odd")
    await report("t1-b", GUILD, ALWINA, "odd")
    await report("t1-a", GUILD, BOB, "odd")
    await report("t1-a", None, ALWINA, "in private")
    with pytest.raises(UserError, match="reported this question already"):
        await report("t1-a", None, ALWINA, "in private")
    first = await next_report(stage)
    await stage.database.write(settle_report, GUILD, first.id)
    await report("t1-a", GUILD, ALWINA, "still odd")


async def test_reports_have_a_limit_per_server(stage: Stage) -> None:
    """The limit doesn't apply to other servers or direct messages."""
    for n in range(REPORTS_OPEN):
        await stage.bot.reports.add(f"t{n}", GUILD, ALWINA, "odd")
        await stage.bot.reports.add(f"t{n}", None, ALWINA, "odd")
    with pytest.raises(UserError, match="5 of your reports"):
        await stage.bot.reports.add("t9", GUILD, ALWINA, "odd")
    await stage.bot.reports.add("t9", GUILD + 1, ALWINA, "odd")
    await stage.bot.reports.add("t9", None, ALWINA, "odd")
