"""The table of the benchmarks, and one part that runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc"),
]


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
