"""Patterns that no text of the bot has, and names that all of them share."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable

import pytest
from discord import app_commands

from tests.test_architecture import MODULES, kind_of
from tests.texts import Text, all_texts, texts_in

RULES = {
    r"\d %|\{\} %": "60 % right",
    r"\d\.\d s\b|\{\} s on average": "2.1 s",
    r"\b(any more|hang together|in doubt|the bank since)\b": "I don't know this question any more.",
    r"if you don't say": "How many (3 if you don't say)",
    r"\b[Mm]anagers?\b": "Ask a manager to allow it.",
    r"\b([Tt]oday's question|(the|each|its|this) daily|dailies)\b": "Today's question is posted.",
    r"\b[Tt]imezone\b(?!-)": "I need a timezone.",
    r"!": "Wrong!",
    r": (answer|ask|choose|go on|pick|press|see|start|try|use|write)\b.*\.$": "It is closed: see the next one.",
    r"\b[Yy]ou (did not|have|will)\b|\bHere is\b": "You did not answer.",
    r"[\u2580-\u25ff]": "A ▇▇▇▁",
}
"""Patterns that sound translated or cold, or name one thing twice, each with an example."""
RELATIVE = re.compile(r":R>|'R'\)")
PRIVATE = re.compile(r"bot/(plan|practice|privacy|reminders|today|topics)/")
"""The folders of features that members use in direct messages too."""
PLAIN = {
    "Not listed? Set it with /settings",  # in a form, where Discord shows no mentions
    "Rounds: /quiz, at any time",  # nor in a channel's topic
}


def bare(text: Text) -> str:
    """The words alone: without values, mentions and what is quoted."""
    return re.sub(r"</[a-z ]+>|`[^`]*`", "", re.sub(r"\{[^{}]*\}", "{}", text.words))


def names(*, dms: bool = False) -> set[str]:
    """Every command as a mention names it, or those that direct messages have too."""
    cogs = [importlib.import_module(name) for name in MODULES if kind_of(name) == "cog"]
    return {
        c.name
        for cog in cogs
        for value in vars(cog).values()
        for c in getattr(value, "__cog_app_commands__", ())
        if isinstance(c, app_commands.Command)
        and (not dms or (c.allowed_contexts and c.allowed_contexts.dm_channel))
    }


def named_in(texts: Iterable[Text]) -> set[str]:
    """The commands that texts mention."""
    return {name for text in texts for name in re.findall(r"</([a-z ]+)>", text.words)}


@pytest.mark.parametrize(("pattern", "example"), RULES.items())
def test_how_the_bot_speaks(pattern: str, example: str) -> None:
    """No text has the pattern, which its example has."""
    assert re.search(pattern, example)
    assert [text for text in all_texts() if re.search(pattern, bare(text))] == []


def test_no_time_counts_down() -> None:
    """Times are times of day, because a relative time does not move on phones."""
    assert RELATIVE.search("Ends {t.when(card.ends_at, 'R')}")
    assert [text for text in all_texts() if RELATIVE.search(text.words)] == []


def test_commands_are_mentions() -> None:
    """Each command in a text is a mention of one that exists where the text is read, but where
    Discord shows no mentions."""
    known, all_of_them = names(), all_texts()
    named = named_in(all_of_them)
    assert {"quiz", "daily", "help"} <= named
    assert named <= known
    assert named_in(each for each in all_of_them if PRIVATE.match(each.file)) <= names(dms=True)
    tops = "|".join({name.split()[0] for name in known})
    typed = re.compile(rf"(?<![\w.:/])/({tops})\b")
    assert {text.words for text in all_of_them if typed.search(bare(text))} == PLAIN


def test_what_is_a_text() -> None:
    """Labels, sentences with values and descriptions are found; docstrings, logs, patterns, keys and ids are not."""
    source = '''
"""A docstring of a module."""
log.info("the bot is up")
NAME: "Some Type" = re.compile("a pattern")
KEYS = {"a key here": button("Next", "next:v1")}
raise UserError(f"{count} answers are in. See {link(a)}." if count else "No answers.")
'''
    assert [text.words for text in texts_in(source)] == [
        "Next",
        "{count} answers are in. See {link(a)}.",
        "No answers.",
    ]
    assert len(all_texts()) > 500
