"""The plain text of a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bank.message_text import plain_text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("**Why** does *attention* scale by ~~d~~ ||sqrt(d)||?", "Why does attention scale by d sqrt(d)?"),
        ("***both*** and **_both_** and __under__", "both and both and under"),
        ("# Heading\n> quoted\n-# small\n>>> rest\nof it", "Heading\nquoted\nsmall\nrest\nof it"),
        ("> ## nested", "nested"),
        ("2 * 3 * 4, x**2 + y**2, a*b*c, snake_case_name", "2 * 3 * 4, x**2 + y**2, a*b*c, snake_case_name"),
        ("1 > 0 and #hashtag", "1 > 0 and #hashtag"),
        (r"\*not bold\* and \_this\_", "*not bold* and _this_"),
        ("What does `**kwargs` do in ``a ` b``?", "What does **kwargs do in a ` b?"),
        ("What is [Adam](https://arxiv.org/abs/1412.6980)?", "What is Adam (https://arxiv.org/abs/1412.6980)?"),
        ("See <https://arxiv.org>", "See https://arxiv.org"),
        ("<a:party:123456789> <:ok:1> </quiz:77>", ":party: :ok: /quiz"),
        ("due <t:1800000000:R>", "due 2027-01-15 08:00 UTC"),
        ("What does this print?```py\nx = 1\n  y = **x**\n```Why?", "What does this print?\nx = 1\n  y = **x**\nWhy?"),
        ("```one line```", "one line"),
        ("@\u200beveryone\x00", "@everyone"),
        ("  \n \u200b ", ""),
        ("a\n\n\n\n\nb  \n", "a\n\nb"),
    ],
)  # fmt: skip
def test_markup_becomes_plain(content: str, expected: str) -> None:
    """Marks of formatting go, their words stay; code and escaped characters stay as they are."""
    assert plain_text(content, 600) == expected


def test_a_long_message_is_cut_between_words() -> None:
    """The end is marked, and a text without spaces is cut all the same."""
    assert plain_text("one two three four", 12) == "one two…"
    assert plain_text("x" * 13, 12) == "x" * 11 + "…"
    assert plain_text("x" * 12, 12) == "x" * 12


@given(st.text(alphabet="ab *_~|`\\#>-[]()<:t1>\n", max_size=300), st.integers(2, 60))
def test_any_message_becomes_a_text(content: str, limit: int) -> None:
    """Whatever is written, the result fits and has no spaces around it."""
    text = plain_text(content, limit)
    assert len(text) <= limit
    assert text == text.strip()
