"""`make learn` (`tools/learn/`): laws of its learners and orders, and what it prints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import pytest

from tools.learn.__main__ import show_errors, show_gains
from tools.learn.gain import ALL_ORDERS, Job, gain
from tools.learn.orders import Member, Scenario
from tools.learn.truths import TRUTHS, Learner, Routes, Simulated, Traces, truth
from tools.learn.world import TWO_SECTIONS, Traits, world

WORLD = world(TWO_SECTIONS[:1])
SCENARIO = Scenario("a few days", TWO_SECTIONS[:1], 4, 5)


def average(learner: Learner, day: float, *, held: bool) -> float:
    """Return the share known of the held-out items, or of the others."""
    return mean(
        p
        for topic_id, ids in WORLD.topic_items.items()
        for p, item_id in zip(learner.p(topic_id, day), ids, strict=True)
        if (item_id in WORLD.held) is held
    )


@pytest.mark.parametrize("name", TRUTHS)
def test_learners_learn_and_forget(name: str) -> None:
    """Answers teach the items that are asked, and those that never are a little; all of it fades, and faster
    in those who forget faster; whoever doesn't practise stays as they are."""
    learner, forgetful = (TRUTHS[name](WORLD, Traits(0, fade=fade), 1) for fade in (1, 2))
    for held in (False, True):
        assert 0.3 < average(learner, 0, held=held) == average(learner, 30, held=held) < 0.7
    before = [average(learner, 0, held=held) for held in (False, True)]
    right = {}
    for each in (learner, forgetful):
        right[each] = [each.encounter(item_id, 0.5) for item_id in WORLD.pool.asked]
    for n, held in enumerate((False, True)):
        soon, later = (average(learner, day, held=held) - before[n] for day in (1, 30))
        assert soon > later > 0
        assert later > average(forgetful, 30, held=held) - before[n]
    asked, unasked = (average(learner, 1, held=held) for held in (False, True))
    assert asked - before[0] > unasked - before[1]
    assert any(ok and not knew for ok, knew in right[learner])  # guessed
    assert any(knew and not ok for ok, knew in right[learner])  # slipped


@pytest.mark.parametrize("name", TRUTHS)
def test_what_would_be_learned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask what an answer would add changes nothing; without transfer it adds nothing elsewhere, and
    what was answered fades, faster in those who forget faster."""
    learner = TRUTHS[name](WORLD, Traits(0), 1)
    assert isinstance(learner, Simulated)
    item_id = next(iter(WORLD.pool.asked))
    before = average(learner, 9, held=True)
    assert learner.adds(item_id, 1, 9) > 0
    assert average(learner, 9, held=True) == before
    for kind, what in ((Traces, "CONCEPT"), (Traces, "TOPIC"), (Routes, "NEW")):
        monkeypatch.setattr(kind, what, 0)
    assert learner.adds(item_id, 1, 9) == pytest.approx(0)
    forgetful = TRUTHS[name](WORLD, Traits(0, fade=2), 1)
    for each in (learner, forgetful):
        each.encounter(item_id, 1)
    known = [learner.p_item(item_id, 2), learner.p_item(item_id, 9), forgetful.p_item(item_id, 9)]
    assert known == sorted(known, reverse=True)
    assert len(set(known)) == 3


@pytest.mark.parametrize("order", ALL_ORDERS)
def test_orders(order: str) -> None:
    """Practice fills its minutes, asks nothing that is held out, and doesn't change with equal seeds."""
    asked = []
    for _ in range(2):
        quick = Traits(0, speed=0.5)
        learner = TRUTHS["routes"](WORLD, quick, 1)
        member = Member(learner, quick, ALL_ORDERS[order](WORLD, learner, SCENARIO, 1), 1)
        for day in range(SCENARIO.days):
            member.practise(day, SCENARIO.minutes)
        assert SCENARIO.minutes <= member.minutes / SCENARIO.days < SCENARIO.minutes + 1.5
        assert not WORLD.held & set(member.asked)
        asked.append(member.asked)
    assert asked[0] == asked[1]
    first, again, other = (gain(Job("routes", SCENARIO, order, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert first is not None
    assert first.asked > first.held > first.held_later > 0
    assert first.asked > first.asked_later


@pytest.mark.parametrize("name", TRUTHS)
def test_whoever_knows_the_truth_teaches_most(name: str) -> None:
    def held(order: str) -> float:
        gains = [gain(Job(name, SCENARIO, order, seed)) for seed in range(6)]
        return mean(g.held for g in gains if g is not None)

    assert held("oracle") > max(held("random"), held("leitner"), held("ours"))


def test_learners_keep_their_habits() -> None:
    """Some practise on some days only, and not while they are away."""
    learner = TRUTHS["routes"](WORLD, Traits(0), 1)
    for who, days in ((Traits(0, kept=0.5), 20), (Traits(0, brk=(5, 25)), 20)):
        member = Member(learner, who, ALL_ORDERS["random"](WORLD, learner, SCENARIO, 1), 1)
        practised = []
        for day in range(40):
            before = len(member.asked)
            member.practise(day, 2)
            practised += [day] * (len(member.asked) > before)
        assert len(practised) == pytest.approx(days, abs=6 if who.kept < 1 else 0)
        assert who.brk is None or not set(range(*who.brk)) & set(practised)


def test_tables_with_a_truth_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file can bring a truth, without an oracle; in this one everybody knows nothing, and learns nothing."""
    (tmp_path / "beside.py").write_text("KNOWN = 0.0")
    path = tmp_path / "blank.py"
    path.write_text(
        """
from beside import KNOWN

class Blank:
    def __init__(self, world): self.world = world
    def encounter(self, item_id, day): return False, False
    def seconds(self, item_id, right): return 30.0
    def p(self, topic_id, day): return [KNOWN] * len(self.world.topic_items[topic_id])
    def p_item(self, item_id, day): return KNOWN

def make(world, traits, seed): return Blank(world)
"""
    )
    learner = truth(str(path))(WORLD, Traits(0), 1)
    assert learner.p_item(next(iter(WORLD.items)), 1) == 0
    with ThreadPoolExecutor(1) as pool:
        show_gains(pool, [str(path), "routes"], [SCENARIO], [1, 2])
        show_errors(pool, [str(path)], [SCENARIO, SCENARIO], [1, 2])
    printed = capsys.readouterr().out
    blank, routes, summary, errors = printed.split("\n\n")[:4]
    rows = {line.split()[0]: line for line in routes.splitlines()}
    assert set(ALL_ORDERS) <= set(rows)
    assert "  1.00  " in rows["shuffled"]
    assert "  oracle   " not in blank.replace("× oracle", "")
    assert "0.0 ± 0.0" in blank
    assert rows["ours"].split()[7] in summary
    assert "halfway" in errors
    lines = [line for line in errors.splitlines() if line.startswith("unseen")]
    assert len(lines) == 2
    assert not any("–" in line for line in lines)
    assert all(kind in errors for kind in ("steady", "strong", "guesser"))
