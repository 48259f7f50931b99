"""The message with a deck for Anki."""

from __future__ import annotations

import re

from bot.anki.cards import Deck
from bot.chat import text as t
from bot.chat.messages import REVEALED, Download, Message, separator


def exported(deck: Deck) -> Message:
    """Return the message with a deck, which says how to use it and what is not in it."""
    about = f'on "{t.one_line(deck.topic)}"' if deck.topic is not None else "of all topics"
    head = f"### Your deck for Anki\n{t.count(deck.questions, 'question')} {about}."
    notes = [
        "-# Open the file in Anki, on a computer or a phone. A later file brings the same notes up to date and "
        "keeps your progress."
    ]
    if deck.left_out:
        notes.append(
            "-# Questions that are being asked right now are left out. Use </anki export> again later to get them."
        )
    if deck.without_picture:
        n = deck.without_picture
        which, them = ("has its formula", "it") if n == 1 else ("have their formulas", "them")
        notes.append(
            f"-# {t.count(n, 'question')} {which} as LaTeX, because I couldn't draw {them} in time."
        )
    return Message(
        REVEALED, head, separator(), "\n".join(notes), Download(_name(deck), deck.content)
    )


def _name(deck: Deck) -> str:
    """Return the name of the file; Discord takes letters, digits and hyphens as they are."""
    words = re.findall("[a-z0-9]+", deck.topic.casefold()) if deck.topic is not None else []
    return "-".join(["quizformer", *words])[:60] + ".apkg"
