"""Runs the pieces of code that members put in order, to find every order of their lines that works.

A harness runs a piece on inputs of its own and asserts what comes out. The search begins at the
orders that the bank lists, moves one line anywhere, and goes on from every order that works.
`python -m tests.bank.harnesses [--all] [ID ...]` prints what is wrong; `--all` tries all orders.
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import permutations
from types import FrameType
from typing import Any

import numpy as np

from bot.questions.model import Item
from tests.shipped import packs

Run = Callable[..., dict[str, Any]]
"""Executes a piece with these variables, and returns all variables that there are then."""
Harness = Callable[[Run], None]
HARNESSES: dict[str, Harness] = {}

_MOST_STEPS = 3_000
"""Lines that a piece may execute for a harness: a loop whose step is out of place never ends."""
_MOST_BYTES = 2 << 30
_MOST_FOUND = 100
_SAMPLE = 200
"""Random orders that are tried, too: none that works need be a move away from another."""
_FILE = "<piece>"


class TooManyStepsError(Exception):
    """A piece has executed so many lines that it will not end."""


def harness(item_id: str) -> Callable[[Harness], Harness]:
    """Register the harness of an item."""

    def add(function: Harness) -> Harness:
        HARNESSES[item_id] = function
        return function

    return add


def works(lines: Iterable[str], check: Harness) -> bool:
    """Return whether a harness accepts these lines of code. Any error in them is a no."""
    steps = 0

    def count(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal steps
        if frame.f_code.co_filename != _FILE:
            return None
        steps += event == "line"
        if steps > _MOST_STEPS:
            raise TooManyStepsError
        return count

    def run(**variables: Any) -> dict[str, Any]:
        space = {"np": np, **variables}
        exec(code, space)
        return space

    tracer = sys.gettrace()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            code = compile("\n".join(lines), _FILE, "exec")
            sys.settrace(count)
            check(run)
        except Exception:
            return False
        finally:
            sys.settrace(tracer)
    return True


def faults_of(item: Item, check: Harness, *, every: bool = False) -> Iterator[str]:
    """Yield what is wrong with an item's orders and decoys; `every`: try all orders there are."""
    tried: dict[str, bool] = {}

    def is_right(order: str) -> bool:
        if order not in tried:
            tried[order] = works([item.pieces[int(n)] for n in order], check)
        return tried[order]

    yield from (
        f"{order} is listed, but fails" for order in item.right_orders if not is_right(order)
    )
    own = item.right_orders[0]
    rng = random.Random(item.id)
    others = permutations(own) if every else (rng.sample(own, len(own)) for _ in range(_SAMPLE))
    left = [*item.right_orders, *("".join(order) for order in others if is_right("".join(order)))]
    found: set[str] = set()
    while left and len(found) < _MOST_FOUND:
        order = left.pop()
        if order not in found:
            found.add(order)
            left += [moved for moved in _moved(order) if is_right(moved)]
    missing = sorted(found - {*item.right_orders})
    if missing:
        yield f"these work, too: {json.dumps(missing)}"
    for n, decoy in enumerate(item.decoys, start=len(item.lines)):
        with_it = [f"{own[:at]}{n}{own[at:]}" for at in range(len(own) + 1)]
        for dropped, line in zip(own, item.lines, strict=True):
            if any(is_right(order.replace(dropped, "")) for order in with_it):
                yield f'"{decoy.text.strip()}" will do in place of "{line.strip()}"'


def _moved(order: str) -> Iterator[str]:
    """Yield the orders with one line at another place."""
    for line in order:
        rest = order.replace(line, "")
        yield from (rest[:at] + line + rest[at:] for at in range(len(order)))


def all_faults(ids: Sequence[str] = (), *, every: bool = False) -> Iterator[str]:
    """Yield what is wrong with the pieces of the packs, or those with these ids."""
    pieces = {item.id: item for item in packs().asked.values() if item.kind == "order"}
    for item_id in ids or sorted(pieces.keys() | HARNESSES.keys()):
        if item_id not in pieces or item_id not in HARNESSES:
            yield f"{item_id}: has no {'harness' if item_id in pieces else 'item'}"
            continue
        for fault in faults_of(pieces[item_id], HARNESSES[item_id], every=every):
            yield f"{item_id}: {fault}"


def same(value: Any, wanted: Any) -> None:
    """Assert that numbers, lists or arrays have the same shape and nearly the same values."""
    assert np.shape(value) == np.shape(wanted)
    assert np.allclose(value, wanted, rtol=1e-6, atol=1e-9)


def main(arguments: Sequence[str]) -> int:
    """Print the faults; return whether there are any."""
    with suppress(ImportError, ValueError):  # Windows has no limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    found = list(all_faults([a for a in arguments if a != "--all"], every="--all" in arguments))
    print(*found, sep="\n", end="\n" if found else "")
    return bool(found)
