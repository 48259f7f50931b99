"""The table of the benchmarks, as a whole and in parts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS, main, minutes
from benchmarks.options import Options
from benchmarks.table import Section, absolute, compared, markdown, merged

pytestmark = pytest.mark.thorough


def section(title: str, value: float, taken: str = "2027-01-04, 2 cores.") -> Section:
    return Section(
        title, "As it is.", [absolute("share", [value], "%", goal=95, sense=">=")], taken
    )


def test_the_table_says_what_was_met() -> None:
    """A ratio is the median of the rounds' ratios; a goal that was missed stands out."""
    things = Section("Things")
    things.figures = [
        compared("slow", ([1.0, 2.0, 4.0], [2.0, 6.0, 40.0]), "ms", goal=2.0),
        absolute("share", [96.0], "%", goal=95, sense=">="),
    ]
    lines = markdown([things]).splitlines()
    assert "| slow | 2.00 ms | 6.00 ms | 3.00× | 2.00 to 10.0 | ≤ 2 | **no** |" in lines
    assert "| share | – | 96.0 % | 96.0 % | – | ≥ 95 | yes |" in lines
    assert Options(quick=True).rounds == 1


def test_parts_add_up_to_the_same_table() -> None:
    """Whether parts were run together or one after the other, and again, the table is the one of the last figures."""
    first, second, third = (
        section("First", 96),
        section("Second", 97),
        section("Third", 98, "2027-02-01, 4 cores."),
    )
    whole = markdown([first, second, third])
    old = section("Second", 1, "2026-01-01, 1 core.")
    assert merged(merged(merged("", [first]), [old, third]), [second]) == whole
    assert merged(whole, []) == whole
    assert "2027-02-01, 4 cores." in whole


def test_a_full_run_takes_less_than_an_hour() -> None:
    """As estimated, part by part."""
    assert minutes(PARTS) < 60


@pytest.mark.skipif(
    sys.platform != "linux", reason="the benchmarks read /proc and pin processes to cores"
)
def test_a_part_is_kept_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run alone, a part takes its place in the table and says when it was run; what it printed is the part alone."""
    table = tmp_path / "results.md"
    table.write_text(markdown([section("Clicks", 1), section("Bank and pictures", 2)]), "utf-8")
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None)
    monkeypatch.setattr(
        "sys.argv", ["benchmarks", "--quick", "--only", "bank", "--output", str(table)]
    )
    assert main() == 0
    text = table.read_text("utf-8")
    assert text.index("## Clicks") < text.index("## Bank and pictures")
    assert "load the shipped bank" in text
    assert text.count("2027-01-04, 2 cores.") == 1
    assert "## Clicks" not in capsys.readouterr().out
