"""The message with a deck."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.anki.cards import Deck
from bot.anki.views import exported
from tests.messages import texts

PLAIN = Deck(b"deck", questions=2, topic=None, without_picture=0, left_out=False)


def test_what_is_said() -> None:
    """The message says what is in the deck and how to use it, and nothing about what isn't so."""
    words = "\n".join(texts(exported(PLAIN)))
    assert "2 questions of all topics." in words
    assert "A later file brings the same notes up to date" in words
    assert "left out" not in words
    assert "LaTeX" not in words


def test_what_is_not_in_it() -> None:
    """It says that questions in play and pictures are missing."""
    deck = Deck(b"deck", questions=1, topic="A *b*", without_picture=1, left_out=True)
    words = "\n".join(texts(exported(deck)))
    assert '1 question on "A \\*b\\*".' in words
    assert "Questions that are being asked right now are left out." in words
    assert "1 question has its formula as LaTeX, because I couldn't draw it in time." in words
    words = "\n".join(texts(exported(replace(deck, without_picture=2))))
    assert (
        "2 questions have their formulas as LaTeX, because I couldn't draw them in time." in words
    )


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        (None, "quizformer.apkg"),
        ("KV cache & co.", "quizformer-kv-cache-co.apkg"),
        ("Größe", "quizformer-gr-sse.apkg"),
        ("ω", "quizformer.apkg"),
        ("a" * 100, f"quizformer-{'a' * 49}.apkg"),
    ],
)
def test_the_name_of_the_file(topic: str | None, name: str) -> None:
    """It names the topic, in letters that every system takes."""
    deck = Deck(b"deck", questions=1, topic=topic, without_picture=0, left_out=False)
    (file,) = exported(deck).files()
    assert file.filename == name
