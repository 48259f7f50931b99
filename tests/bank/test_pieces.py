"""Every shipped piece of code runs in the orders that are listed for it, and in no others."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from msgspec.structs import replace

from bot.questions.model import Decoy, Item
from tests.bank.pieces import Run, faults_of, works


def test_every_piece() -> None:
    """They run in a child process: code that goes wrong must not take the tests with it."""
    command = [sys.executable, "-m", "tests.bank.harnesses"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


COUNTING = Item(
    id="counting",
    topic_id="t",
    kind="order",
    difficulty=3,
    prompt="?",
    explanation=".",
    lines=("a, b = 1, 2", "n, total = 0, 0", "while n < a + b:", "    total += n", "    n += 1"),
    decoys=(Decoy("    n -= 1", "It never ends."),),
    orders=("10234",),
)


def count(run: Run) -> None:
    assert run()["total"] == 3


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"orders": ()}, 'these work, too: ["10234"]'),
        ({"orders": ("10234", "10243")}, "10243 is listed, but fails"),
        (
            {"decoys": (Decoy("    n = n + 1", ""),)},
            '"n = n + 1" will do in place of "n += 1"',
        ),
    ],
)
def test_planted_faults(changes: dict[str, Any], fault: str) -> None:
    """The search finds each of them, and an endless loop is just wrong."""
    assert "\n".join(faults_of(replace(COUNTING, **changes), count)) == fault
    assert "\n".join(faults_of(replace(COUNTING, **changes), count, every=True)) == fault


def test_an_order_apart_from_all_others_is_found() -> None:
    """Two blocks that change places as a whole are several moves apart; trying all orders finds it."""
    lines = ("x = 1", "x += 1", "a = x", "x = 3", "x += 3", "b = x")
    item = replace(COUNTING, lines=lines, decoys=(), orders=())

    def check(run: Run) -> None:
        space = run()
        assert (space["a"], space["b"]) == (2, 6)

    assert list(faults_of(item, check, every=True)) == ['these work, too: ["345012"]']
    assert not works(lines[::-1], check)
