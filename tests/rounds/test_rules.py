"""What a round asks, in which order, when it reveals, what an answer is worth, and the race of a round."""

from __future__ import annotations

import random
from collections import Counter as Tally
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tables import milliseconds
from bot.play.rules import LEAST_TIME, MOST_TIME, fits, grace, points, reading_time, seconds_for
from bot.questions.bank import load_packs
from bot.questions.drawing import draw, shuffled
from bot.questions.model import Item
from bot.rounds.rules import (
    DEFAULT_QUESTIONS,
    EARLY,
    IDLE_LIMIT,
    LONGEST_PAUSE,
    MAX_QUESTIONS,
    MAX_SECONDS,
    MIN_QUESTIONS,
    MIN_SECONDS,
    SHORTEST_PAUSE,
    Counter,
    Race,
    next_refresh,
    pause_for,
    race,
    reveal_at,
    streak,
)
from tests.shipped import item, typed

START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
NEVER = -1


def after(seconds: float) -> datetime:
    """The instant so many seconds after the question came."""
    return START + timedelta(seconds=seconds)


def ago(days: int) -> int:
    return milliseconds(START - timedelta(days=days))


def test_the_numbers_of_the_specification() -> None:
    """Limits, defaults and pauses are those that the commands promise."""
    assert (MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS) == (1, 50, 10)
    assert (MIN_SECONDS, MAX_SECONDS, LEAST_TIME, MOST_TIME) == (5, 300, 15, 90)
    assert (timedelta(seconds=6), timedelta(seconds=15)) == (SHORTEST_PAUSE, LONGEST_PAUSE)
    assert (timedelta(seconds=2), 3) == (EARLY, IDLE_LIMIT)


ALL = list(load_packs().asked.values())
"""The items of both packs."""


def test_every_explanation_is_read_before_the_next_card() -> None:
    """Who reads 200 words a minute is through when the pause ends, or the pause is as long as it may be."""
    for one in ALL:
        pause = pause_for(one)
        assert SHORTEST_PAUSE <= pause <= LONGEST_PAUSE
        needed = timedelta(minutes=len(one.explanation.split()) / 200)
        assert pause >= needed or pause == LONGEST_PAUSE, one.id
    assert len({pause_for(one) for one in ALL}) > 10


def test_every_item_leaves_time_to_think() -> None:
    """Both packs: from 15 to 90 seconds in steps of five, and at least four beyond reading prompt and choices."""
    for one in ALL:
        limit = seconds_for(one)
        assert 15 <= limit <= 90
        assert limit % 5 == 0
        read = reading_time(" ".join([one.prompt, *(choice.text for choice in one.choices)]))
        assert limit - read >= 4, one.id
    assert len({seconds_for(one) for one in ALL}) > 5


def test_what_makes_an_item_take_longer() -> None:
    """More words, more difficulty, several right choices, a number to work out, and an answer to type add time."""
    plain = replace(item(difficulty=3), prompt="word " * 30)
    assert seconds_for(plain) < seconds_for(replace(plain, prompt="word " * 60))
    assert seconds_for(plain) < seconds_for(replace(plain, difficulty=5))
    assert seconds_for(plain) < seconds_for(replace(plain, kind="multiple"))
    assert seconds_for(plain) < seconds_for(replace(plain, spoken="x squared " * 9))
    said = tuple(replace(choice, text="about 4") for choice in plain.choices)
    plain = replace(plain, choices=said)
    worked_out = replace(plain, prompt="word " * 29 + "16")
    assert seconds_for(plain) < seconds_for(worked_out)
    assert seconds_for(replace(worked_out, difficulty=1)) < seconds_for(worked_out)
    short, long = (
        replace(typed(answer), prompt="word " * 20) for answer in ("bias", "reinforcement learning")
    )
    assert seconds_for(short) < seconds_for(long)
    assert seconds_for(replace(plain, prompt="word " * 999)) == MOST_TIME
    assert seconds_for(replace(typed("bias"), prompt="Why?", difficulty=1)) == LEAST_TIME


@pytest.mark.parametrize(
    ("difficulty", "asked"),
    [("easy", {1, 2}), ("medium", {3}), ("hard", {4, 5}), ("mixed", {1, 2, 3, 4, 5})],
)
def test_difficulties(difficulty: str, asked: set[int]) -> None:
    """Easy asks levels 1 and 2, medium 3, hard 4 and 5, mixed all of them."""
    found = {
        n for n in range(1, 6) if fits(item(difficulty=n), topic_id=None, difficulty=difficulty)
    }
    assert found == asked


def test_a_round_on_one_topic() -> None:
    """With a topic only its own items fit, and the difficulty counts as well."""
    assert fits(item(topic="lora"), topic_id="lora", difficulty="medium")
    assert not fits(item(topic="lora"), topic_id="qlora", difficulty="medium")
    assert not fits(item(topic="lora"), topic_id="lora", difficulty="hard")


def test_draw_takes_the_least_recently_asked_of_a_topic() -> None:
    """What was never asked comes first, then what was asked longest ago."""
    new, old, older = item("new"), item("old"), item("older")
    asked = {"old": ago(1), "older": ago(9)}
    for seed in range(20):
        assert draw([old, new, older], asked, 3, random.Random(seed)) == [new, older, old]
        assert draw([old, older], asked, 1, random.Random(seed)) == [older]


def test_draw_spreads_over_topics() -> None:
    """Three topics with two items each give three topics in the first three questions, and again in the next three."""
    items = [item(f"{topic}-{n}", topic=topic) for topic in "abc" for n in range(2)]
    for seed in range(20):
        drawn = draw(items, {}, 6, random.Random(seed))
        assert {i.topic_id for i in drawn[:3]} == {i.topic_id for i in drawn[3:]} == {"a", "b", "c"}


def test_a_spread_over_topics_comes_before_what_was_never_asked() -> None:
    """A topic is not asked twice for the sake of a new item while another topic waits."""
    items = [item("a-1", topic="a"), item("a-2", topic="a"), item("b-1", topic="b")]
    for seed in range(20):
        drawn = draw(items, {"b-1": ago(1)}, 2, random.Random(seed))
        assert [i.topic_id for i in drawn] == ["a", "b"]


def test_draw_prefers_the_topic_that_waited_longer() -> None:
    """Among topics that have something new, the one asked longer ago is first, and one never asked before both."""
    items = [item(f"{topic}-{n}", topic=topic) for topic in "abc" for n in range(2)]
    for seed in range(20):
        drawn = draw(items, {"a-0": ago(1), "b-0": ago(5)}, 3, random.Random(seed))
        assert [i.id for i in drawn][1:] == ["b-1", "a-1"]
        assert drawn[0].topic_id == "c"


def test_chance_decides_among_equals() -> None:
    """Among items with the same history each can come first, and the same seed draws the same."""
    items = [item(f"{topic}-{n}", topic=topic) for topic in "ab" for n in range(2)]
    firsts = {draw(items, {}, 1, random.Random(seed))[0].id for seed in range(100)}
    assert firsts == {"a-0", "a-1", "b-0", "b-1"}
    assert draw(items, {}, 4, random.Random(7)) == draw(items, {}, 4, random.Random(7))


class Counted(random.Random):
    """Counts how often chance is asked."""

    asked = 0

    def getrandbits(self, bits: int, /) -> int:
        self.asked += 1
        return super().getrandbits(bits)


def test_chance_is_asked_for_what_is_drawn() -> None:
    """Not for every item of a bank: a draw is made while others wait for the database."""
    items = [item(f"{topic}-{n}", topic=str(topic)) for topic in range(10) for n in range(100)]
    rng = Counted(1)
    assert len(draw(items, {}, 10, rng)) == 10
    assert rng.asked < 100


def test_draw_of_nothing() -> None:
    """No items, or none wanted, give an empty round."""
    assert draw([], {}, 10, random.Random(1)) == []
    assert draw([item()], {}, 0, random.Random(1)) == []


@st.composite
def banks(build: st.DrawFn) -> tuple[list[Item], dict[str, int]]:
    """Up to five topics with up to four items, and when some of them were asked."""
    items = [
        item(f"{topic}-{number}", topic=f"topic-{topic}")
        for topic, size in enumerate(build(st.lists(st.integers(1, 4), max_size=5)))
        for number in range(size)
    ]
    asked = {i.id: ago(build(st.integers(0, 4))) for i in items if build(st.booleans())}
    return build(st.permutations(items)), asked


@given(given_bank=banks(), count=st.integers(0, 24), seed=st.integers(0, 999))
def test_draw_is_as_long_as_it_can_be(
    given_bank: tuple[list[Item], dict[str, int]], count: int, seed: int
) -> None:
    """A draw has `count` items or all that fit, never more, each of them once and none from elsewhere."""
    items, asked = given_bank
    drawn = draw(items, asked, count, random.Random(seed))
    assert len(drawn) == min(count, len(items))
    assert len({i.id for i in drawn}) == len(drawn)
    assert set(drawn) <= set(items)


@given(given_bank=banks(), count=st.integers(0, 24), seed=st.integers(0, 999))
def test_no_topic_twice_before_all_that_fit_were_used(
    given_bank: tuple[list[Item], dict[str, int]], count: int, seed: int
) -> None:
    """Whenever a topic is asked, no topic that has items left has been asked less often."""
    items, asked = given_bank
    there, used = Tally(i.topic_id for i in items), Tally[str]()
    for one in draw(items, asked, count, random.Random(seed)):
        assert used[one.topic_id] == min(used[t] for t in there if used[t] < there[t])
        used[one.topic_id] += 1


@given(given_bank=banks(), count=st.integers(0, 24), seed=st.integers(0, 999))
def test_least_recently_asked_comes_first(
    given_bank: tuple[list[Item], dict[str, int]], count: int, seed: int
) -> None:
    """At each step no topic that is as little used has an item that waited longer than the one that is asked."""
    items, asked = given_bank
    left = {i.id: i for i in items}
    used = Tally[str]()
    for one in draw(items, asked, count, random.Random(seed)):
        rivals = [
            asked.get(i.id, NEVER) for i in left.values() if used[i.topic_id] == used[one.topic_id]
        ]
        assert asked.get(one.id, NEVER) == min(rivals)
        del left[one.id]
        used[one.topic_id] += 1


@given(size=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_shuffling_is_a_permutation(size: int, seed: int) -> None:
    """Every choice of an item is shown once."""
    order = shuffled(item(choices="Y" + "N" * (size - 1)), random.Random(seed))
    assert sorted(order) == list(range(size))


def test_shuffling_reaches_every_order() -> None:
    """Over many questions each of the 24 orders of four choices comes up, and the right one is in each place alike."""
    seen = Tally(shuffled(item(), random.Random(seed)) for seed in range(2_400))
    assert set(seen) == set(permutations(range(4)))
    first = Tally(order.index(0) for order in seen.elements())
    assert all(500 < times < 700 for times in first.values())


def test_typed_items_have_no_order() -> None:
    """A typed item has nothing to shuffle."""
    assert shuffled(typed("attention"), random.Random(1)) == ()


def test_the_first_question_runs_to_its_deadline() -> None:
    """Whoever has answered, question 1 waits for those who are only just reading."""
    assert reveal_at(number=1, deadline=after(20), players={7}, answered_at={7: after(3)}) == after(
        20
    )


def test_a_question_without_players_runs_to_its_deadline() -> None:
    """If nobody answered the last two questions there is nobody to wait for less long."""
    assert reveal_at(number=4, deadline=after(20), players=[], answered_at={7: after(3)}) == after(
        20
    )


def test_a_player_who_has_not_answered_holds_the_reveal() -> None:
    """One missing player is enough to run to the deadline, however many others have answered."""
    answered = {7: after(3), 8: after(4)}
    assert reveal_at(
        number=2, deadline=after(20), players={7, 8, 9}, answered_at=answered
    ) == after(20)


def test_two_seconds_after_the_last_player() -> None:
    """When all players have answered, the reveal comes two seconds after the last of them."""
    answered = {7: after(3), 8: after(4.5), 9: after(1)}
    assert reveal_at(
        number=2, deadline=after(20), players={7, 8, 9}, answered_at=answered
    ) == after(6.5)


def test_somebody_new_does_not_move_the_reveal() -> None:
    """The answer of a member who is no player yet neither holds the reveal nor starts it."""
    answered = {7: after(3), 8: after(9)}
    assert reveal_at(number=2, deadline=after(20), players={7}, answered_at=answered) == after(5)
    assert reveal_at(number=2, deadline=after(20), players={6}, answered_at=answered) == after(20)


def test_an_early_reveal_is_never_after_the_deadline() -> None:
    """An answer in the last second does not make the question longer."""
    assert reveal_at(
        number=2, deadline=after(20), players={7}, answered_at={7: after(19.2)}
    ) == after(20)


def test_grace() -> None:
    """A reveal waits as long as events take, but never less than a quarter of a second nor more than one and a half."""
    assert [grace(timedelta(seconds=s)).total_seconds() for s in (0, 0.1, 0.7, 9)] == [
        0.25,
        0.25,
        0.7,
        1.5,
    ]


def refresh(counter: Counter, *, now: float, count: int, limit: float = 20) -> datetime | None:
    return next_refresh(counter, now=after(now), count=count, opened=START, deadline=after(limit))


def test_the_counter_waits_for_news() -> None:
    """A card that shows the right number is not edited."""
    assert refresh(Counter(0), now=3, count=0) is None
    assert refresh(Counter(4, after(2)), now=3, count=4) is None


def test_the_first_refresh_collects_for_two_seconds() -> None:
    """The first answers are shown two seconds after they came, or after the question did."""
    assert refresh(Counter(0), now=3, count=1) == after(5)
    assert refresh(Counter(0), now=-0.5, count=1) == after(2)


def test_later_refreshes_wait_for_half_of_the_time() -> None:
    """After an edit the next waits for half of the question's time, for 2 seconds at least."""
    assert refresh(Counter(1, after(2)), now=3, count=2) == after(12)
    assert refresh(Counter(1, after(2)), now=3, count=2, limit=300) == after(152)
    assert refresh(Counter(1, after(0)), now=0.1, count=2, limit=3.5) == after(2)
    assert refresh(Counter(1, after(2)), now=14, count=2) == after(14)


def test_without_a_clock_refreshes_become_rare() -> None:
    """Two come in the first half minute; then each waits as long as the question had been open at the one before."""
    counter, now, edits = Counter(0), 0.0, list[float]()
    for count in range(1, 4_000):
        at = next_refresh(counter, now=after(now), count=count, opened=START, deadline=None)
        assert at is not None
        if at <= after(now):
            edits.append(now)
            counter = Counter(count, at)
        elif counter.at is None:
            edits.append(now + 2)
            counter = Counter(count, at)
        now += 1
    assert edits[:2] == [2.0, 22.0]
    assert all(later >= 2 * earlier for earlier, later in pairwise(edits[1:]))
    assert len(edits) < 12


def test_no_refresh_just_before_the_reveal() -> None:
    """In the last second the reveal does the counter's work."""
    assert refresh(Counter(0), now=17, count=1) == after(19)
    assert refresh(Counter(0), now=17.001, count=1) is None
    assert refresh(Counter(1, after(10)), now=12, count=2) is None


@given(
    limit=st.integers(5, 300),
    clicks=st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=40).map(sorted),
)
def test_edits_are_merged(limit: int, clicks: list[float]) -> None:
    """Refreshes keep two seconds' distance, end a second before the deadline, and are two at most."""
    counter, edits = Counter(0), list[datetime]()
    planned: datetime | None = None
    for count, click in enumerate((c for c in clicks if c <= limit), start=1):
        if planned is not None and planned <= after(click):
            counter = Counter(count - 1, planned)
            edits.append(planned)
            planned = None
        if planned is None:
            planned = refresh(counter, now=click, count=count, limit=limit)
    if planned is not None:
        edits.append(planned)
    assert all(later - earlier >= timedelta(seconds=2) for earlier, later in pairwise(edits))
    assert all(after(2) <= edit <= after(limit - 1) for edit in edits)
    assert len(edits) <= 2


def test_a_row_of_right_answers() -> None:
    """It ends with the question asked for, and a wrong answer or none ends it."""
    correct = {1: True, 2: True, 4: True, 5: True, 6: True, 7: False}
    assert [streak(correct, number) for number in range(1, 9)] == [1, 2, 0, 1, 2, 3, 0, 0]


A, B, C, D = 1, 2, 3, 4


def test_a_race() -> None:
    """The winner came from behind in the second half; the first three are drawn, question by question."""
    points = [{B: 90, A: 60}, {B: 80}, {A: 70, C: 60}, {A: 90, D: 50}, {A: 80, B: 60}]
    assert race(points, [A, B, C, D]) == Race(
        4, ((60, 60, 130, 220, 300), (90, 170, 170, 170, 230), (0, 0, 60, 60, 60))
    )


def test_the_lead_for_good_counts() -> None:
    """Who led, lost the lead and won it again took it with the later question; to draw level is not to lead."""
    points = [{A: 90}, {B: 100}, {A: 80, B: 10}, {B: 60}, {A: 10}, {A: 70}]
    found = race(points, [A, B])
    assert found is not None
    assert found.lead_at == 5


def test_members_without_points_are_not_drawn() -> None:
    found = race([{B: 50}, {B: 50}, {B: 50}, {A: 90}, {A: 90}], [A, B, C])
    assert found is not None
    assert found.totals == ((0, 0, 0, 90, 180), (50, 100, 150, 150, 150))


@pytest.mark.parametrize(
    ("points", "order"),
    [
        ([], []),
        ([{}] * 5, [A, B]),
        ([{A: 90}, {A: 90}, {A: 90, B: 50}, {B: 50}, {}], [A, B]),  # led all along
        ([{B: 90}, {A: 95}, {A: 10}, {}, {}, {B: 5}], [A, B]),  # led since the second of six
        ([{B: 90}, {}, {}, {A: 95}], [A, B]),  # too short
        ([{}, {}, {}, {}, {A: 95}], [A, B]),  # alone
        ([{B: 90}, {}, {}, {}, {A: 90}], [A, B]),  # nobody alone in front
    ],
)
def test_no_race(points: list[dict[int, int]], order: list[int]) -> None:
    """Without a turn in the second half, rivals, or a single winner, the standings say it all."""
    assert race(points, order) is None


limits = st.integers(5_000, 300_000)


@pytest.mark.parametrize(
    ("elapsed_ms", "expected"),
    [
        (0, 100),
        (1, 100),
        (99, 100),
        (101, 99),
        (2_000, 90),
        (5_000, 75),
        (10_000, 50),
        (9_999, 50),
        (6_667, 67),
    ],
)
def test_points_of_a_right_answer_in_ten_seconds(elapsed_ms: int, expected: int) -> None:
    """A right answer earns 100 at once, falling evenly to 50 at the deadline, rounded to whole points."""
    assert points(True, elapsed_ms, 10_000) == expected


def test_a_wrong_answer_earns_nothing() -> None:
    """However fast, a wrong answer has no points."""
    assert points(False, 0, 20_000) == 0
    assert points(False, 20_000, 20_000) == 0


def test_without_a_clock_a_right_answer_is_worth_all() -> None:
    """A right answer earns 100 whenever it comes, a wrong one nothing."""
    assert [points(right, 9_999_999, None) for right in (True, False)] == [100, 0]


def test_a_late_answer_earns_nothing() -> None:
    """One millisecond after the deadline a right answer has no points."""
    assert points(True, 20_000, 20_000) == 50
    assert points(True, 20_001, 20_000) == 0


def test_an_answer_before_its_question_counts_as_at_once() -> None:
    """Snowflakes of different machines may be out of order by a few milliseconds: that is worth 100, not more."""
    assert points(True, -7, 20_000) == 100


@given(limit=limits, share=st.fractions(0, 1))
def test_points_are_the_formula_of_the_specification(limit: int, share: Fraction) -> None:
    """Points are the whole number nearest to 100 * (1 - t / (2 * T)), counted in exact fractions."""
    elapsed = int(share * limit)
    exact = 100 * (1 - Fraction(elapsed, 2 * limit))
    assert abs(points(True, elapsed, limit) - exact) <= Fraction(1, 2)


@given(limit=limits, elapsed=st.integers(-1_000, 400_000), right=st.booleans())
def test_points_stay_within_bounds(limit: int, elapsed: int, right: bool) -> None:
    """An answer has no points, or from 50 to 100, and it has some exactly when it is right and in time."""
    won = points(right, elapsed, limit)
    assert won == 0 or 50 <= won <= 100
    assert (won > 0) == (right and elapsed <= limit)


@given(limit=limits, first=st.integers(-1_000, 400_000), second=st.integers(-1_000, 400_000))
def test_a_faster_answer_never_earns_less(limit: int, first: int, second: int) -> None:
    """Points never rise with time."""
    assert points(True, min(first, second), limit) >= points(True, max(first, second), limit)


@given(limit=limits)
def test_the_deadline_halves_the_points(limit: int) -> None:
    """At the deadline exactly half of the full points are left, whatever the time limit is."""
    assert 2 * points(True, limit, limit) == points(True, 0, limit) == 100
