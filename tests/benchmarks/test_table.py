"""The table of the benchmarks, and one part that runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.table import Figure, Section, merged

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc"),
]


def section(title: str, value: float) -> Section:
    return Section(title, "As it is.", [Figure("share", "%", [value], at_least=95)])


def test_a_row_says_whether_the_goal_was_met() -> None:
    """A ratio is the median of the rounds' ratios."""
    row = Figure("slow", "ms", [2.0, 6.0, 40.0], [1.0, 2.0, 4.0], at_most=2.0).row()
    assert row == "| slow | 2.00 ms | 6.00 ms | 3.00× | 2.00 to 10.0 | ≤ 2 | **no** |"
    assert Figure("share", "%", [96.0], at_least=95).row().endswith("| ≥ 95 | yes |")


def test_a_part_takes_the_place_of_its_older_figures() -> None:
    """Other parts stay, in their order; those that no longer exist go."""
    titles = ["First", "Second"]
    old = merged("", [section("Second", 1), section("Gone", 1)], ["Second", "Gone"])
    table = merged(old, [section("First", 96)], titles)
    assert merged(table, [section("Second", 97)], titles) == merged(
        "", [section("First", 96), section("Second", 97)], titles
    )
    assert "Gone" not in table


def test_a_benchmark_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bot and the bare client start, and the figures are printed and kept."""
    table = tmp_path / "results.md"
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None)
    monkeypatch.setattr("gc.disable", lambda: None)
    arguments = ["benchmarks", "--quick", "--only", "idle", "--output", str(table)]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    assert "| start to READY, warm |" in table.read_text("utf-8")
    assert table.read_text("utf-8").strip() == capsys.readouterr().out.strip()
