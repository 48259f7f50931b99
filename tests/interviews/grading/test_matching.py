"""How alike two words are, and two sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interviews.grading.matching import MISSPELT, ROOT, similarity
from bot.interviews.grading.opposites import Statement
from bot.interviews.grading.words import parse_sentences


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("gradient", "gradient", 1.0),
        ("generaliz", "generat", ROOT),
        ("generaliz", "genetic", 0.0),
        ("gradient", "gradeint", MISSPELT),
        ("gradient", "grdaeint", MISSPELT),
        ("gradient", "gadeitn", 0.0),
        ("gradient", "gradi3nt", 0.0),
        ("tensor", "tesnor", MISSPELT),
        ("tensor", "tesnro", 0.0),
        ("tensor", "censor", 0.0),
    ],
)
def test_words(one: str, other: str, alike: float) -> None:
    """Words with the same root, and misspelt ones of letters that begin with the same one."""
    assert (similarity(one, other), similarity(other, one)) == (alike, alike)


WORDS = st.lists(
    st.sampled_from(["the", "model", "not", "overfits", "test", "data", "never", "leaks", "rows"])
)


@given(one=WORDS, other=WORDS)
def test_sentences(one: list[str], other: list[str]) -> None:
    """Both likenesses are shares, make no difference which comes first, and are whole with itself."""
    a, b = (
        Statement.of([w for s in parse_sentences(" ".join(words)) for w in s.words], len)
        for words in (one, other)
    )
    for alike, some in ((a.overlap, b.weights), (a.order, b.pairs)):
        back = getattr(b, alike.__name__)
        assert alike(b) == pytest.approx(back(a))
        assert -1e-9 <= alike(b) <= 1 + 1e-9
        assert back(b) == pytest.approx(1.0 if some else 0.0)
