"""The attacks of strangers get as far as they are meant to."""

from __future__ import annotations

import sys

import pytest

from bot.bank.files import most_bytes

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc"),
]


def test_files_are_read() -> None:
    """No file is refused for its size alone, and the largest kinds are almost as large as allowed."""
    from benchmarks.attacks import files

    sizes = {name: len(content) for name, content in files()}
    assert {name: size for name, size in sizes.items() if size > most_bytes(name)} == {}
    for name in ("deep.json", "rows.csv", "wide.json"):
        assert sizes[name] > 0.9 * most_bytes(name), name


def test_an_attack_that_misses_its_aim_is_noticed() -> None:
    """Otherwise a changed button would make the figures good."""
    from benchmarks.strangers import check_aim

    check_aim("forms", ["Too many forms are waiting.", "**Saved**: a question"])
    with pytest.raises(RuntimeError, match="forms: nobody read"):
        check_aim("forms", ["Unknown button."])
