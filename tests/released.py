"""The ids of all that releases have asked. `python -m tests.released` adds those of a new release.

Members' answers, memory cards and plans name them, so an id keeps its kind and its number of
choices, and one that is gone is never used again.
"""

from __future__ import annotations

import json
from pathlib import Path

from bot import __version__
from bot.questions.model import Item
from tests.shipped import cases, packs

FILE = Path(__file__).with_suffix(".json")
GONE = "gone"


def shapes() -> dict[str, str]:
    """Return what today's packs and cases ask: the shape of each by its kind and id."""
    bank = packs()
    return {
        **{f"pack {pack.name}": "pack" for pack in bank.packs},
        **{f"section {section}": "section" for section in bank.section_titles},
        **{f"topic {topic}": "topic" for topic in bank.topics},
        **{f"item {item.id}": _shape(item) for item in bank.items.values()},
        **{f"case {case.id}": f"{len(case.steps)} steps" for case in cases()},
    }


def _shape(item: Item) -> str:
    return f"{item.kind} of {len(item.lines) or len(item.choices)}" if item.offered else item.kind


def released() -> tuple[str, dict[str, str]]:
    """Return the newest release, and the shapes of all that releases have asked."""
    version, ids = json.loads(FILE.read_text("utf-8")).values()
    return version, ids


def main() -> None:
    before = released()[1] if FILE.exists() else {}
    ids = {**dict.fromkeys(before, GONE), **shapes()}
    made = {"version": __version__, "ids": dict(sorted(ids.items()))}
    FILE.write_text(json.dumps(made, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
