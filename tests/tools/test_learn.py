"""`make learn` (`tools/learn/`): laws of its learners and orders, and what it prints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import pytest

from tools.learn.__main__ import show_errors, show_gains
from tools.learn.gain import ALL_ORDERS, Job, gain
from tools.learn.orders import Scenario
from tools.learn.truths import TRUTHS, truth
from tools.learn.world import TWO_SECTIONS, Traits, world

WORLD = world(TWO_SECTIONS[:1])
SCENARIO = Scenario("a few days", TWO_SECTIONS[:1], 4, 5)


@pytest.mark.parametrize("name", TRUTHS)
def test_whoever_knows_the_truth_teaches_most(name: str) -> None:
    def held(order: str) -> float:
        gains = [gain(Job(name, SCENARIO, order, seed)) for seed in range(6)]
        return mean(g.held for g in gains if g is not None)

    assert held("oracle") > max(held("random"), held("leitner"), held("ours"))


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
