"""What lint says of a bank that is valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.questions.lint import lint
from bot.questions.model import Bank
from tests.shipped import bank


def findings(**changes: object) -> list[str]:
    """What lint says of the shipped bank with its first formula's item changed: field and message."""
    section, topic, item = next(
        (s, t, i) for s in bank().sections for t in s.topics for i in t.items if i.formula is not None
    )
    changed = replace(topic, items=tuple(replace(i, **changes) if i is item else i for i in topic.items))  # type: ignore[arg-type]
    topics = tuple(changed if t is topic else t for t in section.topics)
    sections = tuple(replace(s, topics=topics) if s is section else s for s in bank().sections)
    return [f"{finding.path[-1]}: {finding.message}" for finding in lint(Bank("Changed", sections))]


def test_a_formula_needs_words() -> None:
    """Who can't see the picture of a formula hears it."""
    assert findings() == []
    assert findings(spoken=None) == ["formula: a screen reader can't read this formula"]


@pytest.mark.parametrize("spoken", ["x_i", "e^x", r"\\frac a b", "the {sum}"])
def test_words_are_not_latex(spoken: str) -> None:
    """Read aloud, LaTeX is noise."""
    assert findings(spoken=spoken) == ["spoken: has LaTeX in it"]
