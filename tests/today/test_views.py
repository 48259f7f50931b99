"""The page of a member's day, in each of its states."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import discord
import pytest
from msgspec.structs import replace

from bot.chat.messages import PRIMARY, Message, text_of
from bot.chat.text import when
from bot.daily.model import OtherDailies
from bot.interviews.views import BEGIN
from bot.members.model import Streak
from bot.memory.model import Today
from bot.today.views import page
from tests.banks import small_bank
from tests.daily.cards import AT, a_day, done_day
from tests.messages import height, labels, lines, reads

NAMES = ("Question of the day", "*Warm-up*", "Papers", "Evening", "Deep dive")
DAILIES = tuple(enumerate(NAMES, start=1))
ANSWERED = tuple((row + 10, name) for row, name in DAILIES)
TOPIC = replace(small_bank().topics["t1"], title="*Attention*")
DAYS = {
    "new": a_day(streak=Streak()),
    "to do": a_day(),
    "misses": a_day(done=6, ahead=0, again=("a", "b")),
    "done": done_day(more=True, may_remind=True),
    "all done": done_day(tomorrow=0),
    "asked openly": done_day(open_topic=TOPIC, more=True, may_remind=True),
    "nothing": a_day(ahead=0, tomorrow=0, streak=Streak()),
    "the last day": a_day(ahead=0, more=True),
    "a freeze used": a_day(streak=Streak(8, 8, 1, 0, 1)),
}


def styles(view: Message) -> dict[str, discord.ButtonStyle]:
    """Each button's style by its label."""
    found = (part for part in view.walk_children() if isinstance(part, discord.ui.Button))
    return {str(part.label): part.style for part in found}


@pytest.mark.parametrize("state", DAYS)
@pytest.mark.parametrize("dailies", [0, 1, 3, 5])
def test_every_page_goes_on(state: str, dailies: int) -> None:
    """It has one next step at the most, which is the first button, and is no dead end; it is short."""
    today = DAYS[state]
    for answered, at, sets_up in product((0, 1, 5), (None, AT), (False, True)):
        others = OtherDailies(ANSWERED[:answered], at, scheduled=not sets_up)
        shown = page(replaced(today, dailies=DAILIES[:dailies]), others=others, sets_up=sets_up)
        found = [*styles(shown).values()]
        assert found
        assert PRIMARY not in found[1:]
        assert (found[0] is PRIMARY) or (today.more and not today.to_do and not dailies)
        assert height(shown) <= 12


def replaced(today: Today, **changes: Any) -> Today:
    return a_day(**{name: getattr(today, name) for name in today.__struct_fields__} | changes)


@pytest.mark.parametrize(
    ("shown", "says", "buttons"),
    [
        (page(a_day(more=True)), "6 questions, about 4 minutes|3 days in a row", "Practise"),
        (
            page(a_day(dailies=DAILIES[1:2])),
            "6 questions, about 4 minutes|📅 *Warm-up*: open|3 days in a row",
            "Answer|Practise",
        ),
        (
            page(a_day(dailies=DAILIES[:4], streak=Streak())),
            "6 questions, about 4 minutes|📅 Question of the day: open|📅 *Warm-up*: open"
            "|📅 Papers: open|And 1 more",
            "Question of the day|*Warm-up*|Papers|Practise",
        ),
        (
            page(done_day(more=True, may_remind=True)),
            "Done for today ✓|3 days in a row · tomorrow: 7 questions"
            "|8 of 10 right, 2 more on the second try|4 new, 2 you had missed",
            "Remind me tomorrow at this time|More",
        ),
        (
            page(DAYS["asked openly"]),
            "Done for today ✓|3 days in a row · tomorrow: 7 questions"
            "|8 of 10 right, 2 more on the second try|4 new, 2 you had missed",
            "Open question: *Attention*|Remind me tomorrow at this time|More",
        ),
        (
            page(done_day(open_topic=TOPIC, dailies=DAILIES[:1])),
            "Practice done ✓|📅 Question of the day: open|3 days in a row"
            "|8 of 10 right, 2 more on the second try",
            "Answer",
        ),
        (
            page(done_day(dailies=DAILIES[:1], more=True, may_remind=True)),
            "Practice done ✓|📅 Question of the day: open|3 days in a row"
            "|8 of 10 right, 2 more on the second try",
            "Answer|More",
        ),
        (
            page(done_day(right=10, retried=0, new=10, regained=0)),
            "Done for today ✓|3 days in a row · tomorrow: 7 questions|All 10 right|10 new",
            "Mock interview",
        ),
        (
            page(done_day(elsewhere=(("*Warm-up*", "https://discord.com/channels/1/2/3"),))),
            "Practice done ✓|📅 *Warm-up*: open|3 days in a row"
            "|8 of 10 right, 2 more on the second try",
            "*Warm-up*",
        ),
        (
            page(a_day(is_back=True, streak=Streak())),
            "6 questions, about 4 minutes|Good to see you again.",
            "Practise",
        ),
        (
            page(a_day(ahead=0, streak=Streak(), tomorrow=0, may_remind=True)),
            "Nothing to practise today",
            "Mock interview",
        ),
        (
            page(a_day(ahead=0, streak=Streak(), dailies=DAILIES[:1])),
            "1 question of the day|📅 Question of the day: open",
            "Answer",
        ),
        (
            page(a_day(ahead=0, streak=Streak()), "**1 of 2 right**"),
            "Nothing to practise today|1 of 2 right|Tomorrow: 7 questions",
            "Mock interview",
        ),
        (
            page(DAYS["a freeze used"]),
            "6 questions, about 4 minutes|8 days in a row"
            "|You missed a day, and a freeze kept your streak. 1 freeze left.",
            "Practise",
        ),
    ],
)
def test_what_a_page_says(shown: Message, says: str, buttons: str) -> None:
    """The news first; names of dailies as they are, in text and on buttons."""
    assert "*Warm-up*: open" not in text_of(shown)
    assert [line.removeprefix("### ") for line in plain(shown)] == says.split("|")
    assert labels(shown) == buttons.split("|")


def test_the_open_question_is_that_of_its_topic() -> None:
    """Its button begins an interview on the topic, at once."""
    shown = page(DAYS["asked openly"])
    ids = [part.custom_id for part in shown.walk_children() if isinstance(part, discord.ui.Button)]
    assert ids[0] == BEGIN.id(topic="t1")


def plain(view: Message) -> list[str]:
    """A message's lines as they read."""
    return [line.replace("\\", "").replace("**", "").removeprefix("-# ") for line in lines(view)]


def test_a_servers_other_dailies() -> None:
    """Answered ones can be read again. The next one's time is there once none is to answer, with the
    date if it is another one."""
    for ahead, style in ((timedelta(hours=2), "t"), (timedelta(days=2), "f")):
        others = OtherDailies(ANSWERED[1:2], AT + ahead, scheduled=True)
        shown = page(a_day(), others=others)
        assert plain(shown)[-1] == f"Next question of the day: {when(AT + ahead, style)}"
        assert labels(shown) == ["Practise", "✅ *Warm-up*"]
        assert "Next" not in reads(page(a_day(dailies=DAILIES[:1]), others=others))
