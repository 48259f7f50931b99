"""What a soak found, as Markdown."""

from __future__ import annotations

import re
from collections import Counter

from soak.chaos import Tally
from soak.life import Life
from tests.crash.invariants import Facts
from tests.loopback.world import World

_SHOWN = 25


def report(
    world: World,
    facts: Facts,
    tally: Tally,
    life: Life,
    broken: list[str],
    *,
    seed: int,
    minutes: float,
) -> str:
    """The whole report; it ends with the broken invariants."""
    reveals = facts.public("why:v1:round:")
    endings = Counter(str(r["ending"]) for r in facts["rounds"])
    challenges = Counter(str(c["ending"] or c["state"]) for c in facts["challenges"])
    states = Counter(str(d["state"]) for d in facts["dailies"])
    rows = [
        ("faults", f"{sum(tally.faults.values())} of {len(tally.faults)} kinds"),
        ("rounds", f"{len(facts['rounds'])} ({_counted(endings)})"),
        (
            "question cards, revealed",
            f"{len(facts.public('answer:v1:round', 'choose:v1:round', 'write:v1:round'))}, {len(reveals)}",
        ),
        ("challenges", f"{len(facts['challenges'])} ({_counted(challenges)})"),
        ("questions shown to their takers", len(facts["challenge_answers"])),
        ("dailies", f"{len(facts['dailies'])} ({_counted(states)})"),
        (
            "answers stored",
            f"{len(facts['round_answers'])} in rounds, {len(facts['daily_answers'])} to dailies",
        ),
        ("answers acknowledged", life.did["answers acknowledged"]),
        ("interactions that failed for the member", life.did["interactions that failed"]),
        ("restarts of the bot", tally.restarts),
        ("recoveries (connected again)", len(tally.outages)),
        (
            "longest recovery",
            f"{max((end - begin for begin, end in tally.outages), default=0):.1f} s",
        ),
        ("posts that a nonce kept single", world.deduplicated),
        ("429 that the bot earned", world.limits.refused),
        ("broken invariants", len(broken)),
    ]
    lines = [f"# Soak: {minutes:g} minutes, seed {seed}", "", "| what | how many |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", "| fault | times |", "|---|---|"]
    lines += [f"| {kind} | {times} |" for kind, times in sorted(tally.faults.items())]
    return "\n".join([*lines, "", "## Broken invariants", "", *kinds_of(broken)])


def kinds_of(broken: list[str]) -> list[str]:
    """A line for each kind of broken invariant, with an example."""
    kinds = Counter(_kind(line) for line in broken)
    examples = {_kind(line): line for line in reversed(broken)}
    return [f"- {times} ×: {examples[kind]}" for kind, times in kinds.most_common(_SHOWN)] or [
        "None."
    ]


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in counter.most_common()) or "none"


def _kind(line: str) -> str:
    """Lines that differ in numbers only are of one kind; so are errors with an id of their own."""
    return re.sub(r"error [0-9a-f]{6} in|\d+", "#", line)[:140]
