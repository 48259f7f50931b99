"""The statistics of questions, which ignore differences that may be luck."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import exp, inf
from statistics import StatisticsError, correlation

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.bank.insights_rules import analyze, point_biserial, t_value
from bot.bank.model import Doubt, Given, Insights
from bot.questions.model import Bank, Choice, Item, Section
from tests.banks import small_bank
from tests.shipped import in_order

BANK = small_bank()
START = datetime(2026, 1, 1, tzinfo=UTC)
GOOD, WEAK = range(10), range(10, 20)


def answers(item_id: str, members: Iterable[int], answer: str, *, correct: bool) -> list[Given]:
    return [
        Given(item_id, user, answer, correct, START + timedelta(minutes=user)) for user in members
    ]


def skills() -> list[Given]:
    """Five items that tell good members from weak ones."""
    found = []
    for item_id in ("t1-a", "t1-b", "t2-a", "t2-b", "t3-a"):
        found += answers(item_id, GOOD, "0", correct=True) + answers(
            item_id, WEAK, "1", correct=False
        )
    return found


def look(given: list[Given], bank: Bank = BANK, **options: object) -> Insights:
    usual: dict[str, object] = {"reports": {}, "hidden": set()}
    return analyze(bank, given, **{**usual, **options})  # type: ignore[arg-type]


def ids(found: Iterable[object]) -> list[str]:
    return [one.item.id for one in found]  # type: ignore[attr-defined]


# ------------------------------------------------------------------ point-biserial


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=2))
def test_it_is_the_correlation_with_a_mark(pairs: list[tuple[int, bool]]) -> None:
    """It is what Pearson's formula gives for a mark of 0 or 1, and turns its sign with the mark."""
    scores, marks = [float(s) for s, _ in pairs], [m for _, m in pairs]
    found = point_biserial(scores, marks)
    try:
        expected = correlation(scores, [float(m) for m in marks])
    except StatisticsError:  # one of them is constant
        assert found is None
        return
    assert found == pytest.approx(expected, abs=1e-9)
    assert point_biserial(scores, [not m for m in marks]) == pytest.approx(-expected, abs=1e-9)


def test_how_sure_a_correlation_is() -> None:
    assert t_value(0.8783, 6) == pytest.approx(3.6742, abs=1e-3)
    assert t_value(1.0, 5) == inf
    assert t_value(-1.0, 5) == -inf


# ------------------------------------------------------------------ lists


def test_nothing_is_said_too_early() -> None:
    """Of an item something is said from twenty answers on, of a topic from five; and only if three
    members gave them, because nobody should read what one has answered."""
    nineteen = answers("t1-a", range(19), "1", correct=False)
    found = look(nineteen)
    assert found.hard == ()
    twenty = look([*nineteen, *answers("t1-a", [99], "1", correct=False)])
    assert ids(twenty.hard) == ["t1-a"]
    assert [w.topic_id for w in twenty.weakest] == ["t1"]
    four = answers("t1-a", range(4), "1", correct=False)
    assert (look(four).weakest, look(four).topics) == ((), 0)
    assert look([*four, *answers("t1-b", [9], "1", correct=False)]).weakest != ()
    for people in (1, 2, 3):
        repeated = [replace(g, user_id=g.user_id % people) for g in nineteen * 2]
        found = look(repeated)
        assert (found.topics, len(found.hard)) == ((1, 1) if people == 3 else (0, 0))


@pytest.mark.parametrize(
    ("right", "easy", "hard"),
    [
        (20, True, False),
        (18, True, False),
        (17, False, False),
        (6, False, False),
        (5, False, True),
        (0, False, True),
    ],
)
def test_too_easy_and_too_hard(right: int, easy: bool, hard: bool) -> None:
    """From nine in ten on an item is too easy, below three in ten it is too hard."""
    found = look(
        answers("t1-a", range(right), "0", correct=True)
        + answers("t1-a", range(right, 20), "1", correct=False)
    )
    assert (bool(found.easy), bool(found.hard)) == (easy, hard)


@pytest.mark.parametrize(
    ("item_id", "right", "wrong", "doubt"),
    [
        # good members choose what counts as wrong
        ("t3-b", WEAK, ("2", GOOD), Doubt(2, 10, 0)),
        # nobody chooses what counts as right
        ("t3-b", range(0), ("3", range(20)), Doubt(3, 10, 0)),
        # a typed item that only weak members know has no choice to name
        ("t3-d", WEAK, ("attn", GOOD), Doubt(None, 10, 0)),
        # a hard question: most are drawn to a wrong choice, but the good ones less
        ("t3-b", range(6), ("2", range(6, 20)), None),
    ],
)
def test_doubts(item_id: str, right: range, wrong: tuple[str, range], doubt: Doubt | None) -> None:
    """A question is doubtful if good members miss it more often than others, and it says how."""
    text, others = wrong
    given = answers(item_id, right, "0", correct=True)
    given += answers(item_id, others, text, correct=False)
    doubtful = look(skills() + given).doubtful
    assert [(j.item.id, j.doubt) for j in doubtful] == ([(item_id, doubt)] if doubt else [])


def test_code_in_order_is_never_doubtful() -> None:
    """Many wrong orders are not one wrong key; but it may be too hard."""
    code = in_order("t3-d", topic="t3")
    topic = replace(BANK.topics["t3"], items=(*BANK.topics["t3"].items[:3], code))
    topics = (BANK.topics["t1"], BANK.topics["t2"], topic)
    bank = Bank("Small", (Section("first", "First", topics),))
    given = answers("t3-d", GOOD, "543210", correct=False)
    given += answers("t3-d", range(10, 13), "012345", correct=True)
    given += answers("t3-d", range(13, 20), "543210", correct=False)
    found = look(skills() + given, bank)
    assert (found.doubtful, ids(found.hard)) == ((), ["t3-d"])


def test_first_answers_tell() -> None:
    """Answers after the reveal say nothing about the key."""
    given = (
        skills()
        + answers("t3-b", GOOD, "0", correct=True)
        + answers("t3-b", WEAK, "1", correct=False)
    )
    again = [
        replace(g, at=g.at + timedelta(days=n))
        for n in (1, 2)
        for g in answers("t3-b", GOOD, "2", correct=False)
    ]
    assert look(given + again).doubtful == ()


def test_members_nobody_knows() -> None:
    """Without other answers of its members nothing is said about an item's key."""
    found = look(answers("t3-b", range(30), "2", correct=False))
    assert ids(found.hard) == ["t3-b"]
    assert found.doubtful == ()


def test_what_is_in_play_is_left_out() -> None:
    """An item that is being asked now is on no list of how it was answered."""
    given = skills() + answers("t3-b", range(20), "3", correct=False)
    found = look(given, hidden={"t3-b"})
    assert "t3-b" not in ids((*found.hard, *found.doubtful))
    assert all(w.topic_id != "t3" or w.answers == 20 for w in found.weakest)


def test_reports() -> None:
    """Most reported first, open questions by topic; what is not asked here is on no list."""
    found = look([], reports={"t1-a": 1, "t2": 4, "gone": 9})
    assert found.reported == (("t2", 4), ("t1-a", 1))


def test_weakest_topics() -> None:
    """The topics with the smallest shares of right answers come first; those that go well are not among them."""
    given = []
    for topic, right in (("t1", 5), ("t2", 14), ("t3", 16)):
        given += answers(f"{topic}-a", range(right), "0", correct=True)
        given += answers(f"{topic}-a", range(right, 20), "1", correct=False)
    assert [(w.topic_id, w.right, w.answers) for w in look(given).weakest] == [
        ("t1", 5, 20),
        ("t2", 14, 20),
    ]


def test_a_wrong_key_makes_no_topic_weak() -> None:
    """Misses of a doubtful item are not held against the group."""
    given = answers("t1-b", range(40), "0", correct=True) + answers("t2-b", GOOD, "0", correct=True)
    given += answers("t3-b", range(40), "2", correct=False)
    found = look(given + skills())
    assert ids(found.doubtful) == ["t3-b"]
    assert [(w.topic_id, w.right, w.answers) for w in found.weakest] == [
        ("t3", 10, 20),
        ("t2", 30, 50),
    ]


# ------------------------------------------------------------------ a group that is made up


def group(
    seed: int, items: int = 150, members: int = 40, wrong_keys: int = 5
) -> tuple[Bank, list[Given]]:
    """Members and items as the Rasch model has them; the first few items have a wrong key."""
    luck = random.Random(seed)
    choices = tuple(Choice(f"choice {n}", n == 0, "so") for n in range(4))
    made = tuple(Item(f"i{n}", "t1", "choice", 3, "Which?", "This.", choices) for n in range(items))
    topic = replace(BANK.topics["t1"], items=made)
    skill = [luck.gauss(0, 1) for _ in range(members)]
    given = []
    for n, item in enumerate(made):
        difficulty, key = luck.gauss(0, 1), 1 if n < wrong_keys else 0
        for user in range(members):
            knows = luck.random() < 1 / (1 + exp(difficulty - 1.5 * skill[user]))
            pick = key if knows else luck.randrange(4)
            given.append(Given(item.id, user, str(pick), pick == 0, START + timedelta(minutes=n)))
    return Bank("Made up", (Section("first", "First", (topic,)),)), given


def test_wrong_keys_are_found_and_little_else() -> None:
    """In groups of forty most wrong keys are found, and hardly one question in a hundred is doubted by luck."""
    found = alarms = 0
    for seed in range(4):
        bank, given = group(seed)
        doubtful = ids(look(given, bank).doubtful)
        wrong = sum(int(item_id[1:]) < 5 for item_id in doubtful)
        found, alarms = found + wrong, alarms + len(doubtful) - wrong
    assert found >= 16
    assert alarms <= 6
