"""Files for the review, on a real database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from bot.anki.decks import make_deck, write_deck
from bot.anki.rules import Note, note_of
from bot.bank.forms import Form
from bot.core import servers
from bot.core.database import Connection
from bot.core.errors import UserError
from bot.core.limits import MAX_DECK_BYTES, MAX_FILE_BYTES
from bot.questions.check import BankError, Problem
from bot.suggestions import service
from bot.suggestions.cards import ImportedFile, SuggestionReview
from bot.suggestions.rules import SuggestedQuestion, Suggestion, form_of
from bot.suggestions.store import suggestions
from tests.anki.decks import deck
from tests.ours import OTHER_GUILD
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

GIFT = "Who? {=a ~b ~c####Because.}\n\nWhen? {=1822}\n\nWhich two? {~%50%a ~%50%b ~c}"
QUESTION = SuggestedQuestion("Suggested?", "a", "b", "So.", "")


async def take(stage: Stage, content: str | bytes, name: str = "x.gift") -> ImportedFile:
    content = content.encode() if isinstance(content, str) else content
    found = await stage.bot.suggestions.import_file(GUILD, name, content)
    assert found is not None
    return found[0]


async def waiting(stage: Stage) -> list[Suggestion]:
    """Return all that waits for review, oldest first."""
    found: list[Suggestion] = []
    after = 0
    while isinstance(
        review := await stage.bot.suggestions.next_review(GUILD, BOB, after=after), SuggestionReview
    ):
        if review.suggestion.id <= after:
            break
        after = review.suggestion.id
        found.append(review.suggestion)
    return found


async def test_into_the_queue(stage: Stage) -> None:
    """Questions wait for review as those that members suggest; nothing is asked yet."""
    done = await take(stage, GIFT)
    assert done == ImportedFile(3, 0, 0, (), None, 0)
    prompts = [(each.prompt, each.answer, each.wrong, each.why) for each in await waiting(stage)]
    assert prompts == [
        ("Who?", "a", "b\nc", "Because."),
        ("When?", "1822", "", ""),
        ("Which two?", "a\nb", "c", ""),
    ]
    assert await stage.bot.own_bank.find(GUILD) == []
    assert await stage.bot.suggestions.verdicts(GUILD, ALWINA) == []


async def test_accepting_and_rejecting(stage: Stage) -> None:
    """A question without a reason needs one first. Decided ones are deleted, with no verdict."""
    await take(stage, GIFT)
    who, when, which = await waiting(stage)
    assert who.is_imported
    await stage.bot.suggestions.accept(GUILD, who.id)
    with pytest.raises(BankError, match="explanation"):
        await stage.bot.suggestions.accept(GUILD, when.id)
    form = replace(form_of(which), explanation="E.", answers="+ a\n> x\n+ b\n> y\n- c\n> z")
    await stage.bot.suggestions.accept(GUILD, which.id, form)
    await stage.bot.suggestions.reject(GUILD, when.id, "")
    with pytest.raises(UserError, match="Somebody else has just decided that one"):
        await stage.bot.suggestions.reject(GUILD, when.id, "")

    def rows(conn: Connection) -> int:
        return conn.execute(select(func.count()).select_from(suggestions)).scalar_one()

    assert await stage.database.read(rows) == 0
    own = await stage.bot.own_bank.find(GUILD)
    assert {(each.item.prompt, each.item.kind) for each in own} == {
        ("Who?", "choice"),
        ("Which two?", "multiple"),
    }


async def test_what_is_here_already(stage: Stage) -> None:
    """A prompt that waits, is asked here or is in the file twice is left out and counted."""
    await take(stage, GIFT)
    again = await take(stage, f"{GIFT}\n\nNew? {{=a}}\n\nNEW?  {{=b}}\n\nSuggested? {{=a ~b}}")
    assert (again.queued, again.known) == (2, 4)
    shipped = stage.bank.topics["t1"].items[0].prompt
    (first, *_) = await waiting(stage)
    await stage.bot.suggestions.accept(GUILD, first.id)
    last = await take(stage, f"{shipped} {{=a}}\n\nWho? {{=a}}")
    assert (last.queued, last.known) == (0, 2)


async def test_what_breaks_a_rule_of_the_bank(stage: Stage) -> None:
    """It is told with its place, and the rest of the file goes in."""
    done = await take(stage, f"Who? {{=a ~a}}\n\nWho? {{}}\n\n{'x' * 601} {{=a}}\n\nOk? {{=a}}")
    assert done.queued == 1
    assert [str(problem) for problem in done.problems] == [
        "line 3: asks for an essay, which nobody can check here",
        "line 1: the question two choices have the same text",
        "line 5: question has 601 characters; 600 are allowed",
    ]


async def test_so_many_may_wait(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a long file is counted; sent again after a review, it brings more."""
    monkeypatch.setattr(service, "SUGGESTIONS_IMPORTED", 3)
    text = "\n\n".join(f"Question {n}? {{=a ~b####So.}}" for n in range(5))
    done = await take(stage, text)
    assert (done.queued, done.too_many) == (3, 2)
    done = await take(stage, text)
    assert (done.queued, done.known, done.too_many) == (0, 3, 2)
    (first, *_) = await waiting(stage)
    await stage.bot.suggestions.accept(GUILD, first.id)
    done = await take(stage, text)
    assert (done.queued, done.known, done.too_many) == (1, 3, 1)
    await stage.bot.suggestions.suggest(GUILD, ALWINA, QUESTION)  # members' own limit is another


async def test_a_file_of_mistakes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many problems the rest is not looked at, because each check takes time."""
    monkeypatch.setattr(service, "MAX_PROBLEMS", 2)
    text = "\n\n".join(f"Question {n}? {{=a ~a}}" for n in range(5))
    done = await take(stage, f"Fine? {{=a}}\n\n{text}\n\nFine too? {{=a}}")
    assert (done.queued, len(done.problems), done.too_many) == (1, 2, 4)


async def test_it_is_announced_once(stage: Stage) -> None:
    """The channel is told of the first questions that wait, however many come at once."""
    await stage.database.write(servers.set_suggestions_channel, GUILD, CHANNEL)
    import_file = stage.bot.suggestions.import_file
    first = await import_file(GUILD, "x.gift", GIFT.encode())
    second = await import_file(GUILD, "x.gift", b"Other? {=a}")
    assert first is not None
    assert second is not None
    assert (first[1], second[1]) == (CHANNEL, None)


async def test_a_deck_for_review(stage: Stage) -> None:
    """Notes with a front and a short back wait; the others are told."""
    done = await take(stage, deck(("Who?", "me"), ("Long?", "b" * 101)), "x.apkg")
    assert (done.queued, len(done.problems)) == (1, 1)
    assert [(each.prompt, each.answer) for each in await waiting(stage)] == [("Who?", "me")]


async def test_other_files_are_for_the_bank(stage: Stage) -> None:
    """CSV, JSON and texts of no known format are left to the import into the bank."""
    for name in ("x.csv", "x.json", "x.txt"):
        assert await stage.bot.suggestions.import_file(GUILD, name, b"words") is None


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("x.apkg", MAX_DECK_BYTES + 1, "has 8,388,609 bytes; 8,388,608 are allowed"),
        ("x.gift", MAX_FILE_BYTES + 1, "has 1,048,577 bytes; 1,048,576 are allowed"),
    ],
)
async def test_files_that_are_not_read(stage: Stage, name: str, size: int, why: str) -> None:
    """Their size is looked at first."""
    with pytest.raises(BankError) as error:
        await take(stage, b" " * size, name)
    assert str(error.value) == f"the file: {why}"


# --- decks that /anki export made


async def full(stage: Stage) -> dict[str, Any]:
    """Give the server questions of each kind, and return their content by id."""
    form = Form("Mine?", "+ a\n> x\n- b\n> y\n- c\n> z", "E.", "2", "My topic")
    await stage.bot.own_bank.add(GUILD, form)
    await stage.bot.own_bank.add(GUILD, Form("Typed?", "one\n1", "E.", "4", "Topic 1"))
    return await contents(stage, GUILD)


async def contents(stage: Stage, guild_id: int) -> dict[str, Any]:
    own = await stage.bot.own_bank.find(guild_id)
    return {each.row.name: (each.row.content, each.topic) for each in own}


async def exported(stage: Stage) -> bytes:
    bank = await stage.bot.context.bank_for(ALWINA, GUILD)
    return make_deck(bank, list(bank.asked.values()), {}, stage.clock())


async def test_a_deck_there_and_back(stage: Stage) -> None:
    """Questions come back complete, here as they were and on another server as new ones."""
    before = await full(stage)
    content = await exported(stage)
    done = await take(stage, content, "x.apkg")
    assert done.merged is not None
    assert (done.merged.added, done.merged.changed, done.merged.same) == (0, 0, 2)
    assert (done.queued, done.problems, done.shipped) == (0, (), len(stage.bank.asked))
    assert await contents(stage, GUILD) == before
    for added, same in ((2, 0), (0, 2)):
        found = await stage.bot.suggestions.import_file(OTHER_GUILD, "x.apkg", content)
        assert found is not None
        assert found[0].merged is not None
        assert (found[0].merged.added, found[0].merged.same) == (added, same)
    assert await contents(stage, OTHER_GUILD) == before


async def notes(stage: Stage) -> list[Note]:
    """Return the notes of the server's own questions."""
    bank = await stage.bot.context.bank_for(ALWINA, GUILD)
    return [note_of(item, bank, {}) for item in bank.asked.values() if "--" in item.id]


async def test_a_deck_that_was_changed_in_anki(stage: Stage) -> None:
    """Changes come back; what breaks a rule is told by its note, and the rest goes in."""
    await full(stage)
    first, second = await notes(stage)
    mended = replace(first, fields={**first.fields, "Explanation": "Better &amp; longer."})
    broken = replace(second, fields={**second.fields, "Question": "x" * 601, "Difficulty": "9"})
    content = write_deck([mended, broken], {}, datetime(2027, 1, 4, tzinfo=UTC))
    done = await take(stage, content, "x.apkg")
    assert done.merged is not None
    assert done.merged.changed == 1
    place = f'note "{"x" * 39}…"'
    assert [str(problem) for problem in done.problems] == [
        f"{place}, difficulty: is 9 but must be at most 5",
        f"{place}, prompt: has 601 characters; 600 are allowed",
    ]
    own = {each.item.explanation for each in await stage.bot.own_bank.find(GUILD)}
    assert own == {"Better & longer.", "E."}


async def test_a_deck_of_nothing_but_mistakes(stage: Stage) -> None:
    """Nothing is imported, and every mistake is told."""
    await full(stage)
    wrong = [replace(n, fields={**n.fields, "Difficulty": "9"}) for n in await notes(stage)]
    content = write_deck(wrong, {}, datetime(2027, 1, 4, tzinfo=UTC))
    done = await take(stage, content, "x.apkg")
    assert (done.merged, len(done.problems)) == (None, 2)


async def test_a_problem_of_the_whole_deck(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused like any other file, with what was found before."""
    await full(stage)
    content = await exported(stage)
    whole = BankError([Problem("row 2, id", "is wrong"), Problem("the file", "is too large")])
    monkeypatch.setattr(stage.bot.own_bank, "import_file", AsyncMock(side_effect=whole))
    with pytest.raises(BankError) as error:
        await take(stage, content, "x.apkg")
    assert [problem.place.partition(",")[2] for problem in error.value.problems] == [" id", ""]
    assert "row 2" not in str(error.value)
    assert error.value.problems[1].place == "the file"
