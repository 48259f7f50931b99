"""Words on screens: escaping above all, then numbers, times, bars and pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import text as t
from tests.shipped import bank

# ------------------------------------------------------------------ what Discord makes of a text

_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
"""A backslash takes the meaning from the sign after it (Discord's own rule)."""

_ACTIVE = {
    "a mention": r"<(@[!&]?|#)\d+>",
    "a timestamp": r"<t:-?\d+(:\w)?>",
    "an emoji": r"<a?:\w+:\d+>",
    "a command": r"</[^>]*:\d+>",
    "a page of the server": r"<id:\w+>",
    "a heading": r"^\s*#{1,3}\s",
    "small print": r"^\s*-#\s",
    "a list": r"^\s*([-*+]|\d+[.)])\s",
    "a quote": r"^\s*>",
    "a link with other words": r"\[[^\n]*\]\(",
    "bold, italics, code or a spoiler": r"[*_~`|]",
    "a link in angle brackets": r"<https?:",
}


def shown(text: str) -> str:
    """What a reader sees of an escaped text: the backslashes that escape are gone."""
    return _ESCAPED.sub(r"\1", text)


def active(text: str) -> list[str]:
    """The kinds of markup that Discord would find in a text; escaped signs are no markup."""
    plain = _ESCAPED.sub("\N{MIDDLE DOT}", text)
    return [kind for kind, pattern in _ACTIVE.items() if re.search(pattern, plain, re.MULTILINE)]


@pytest.mark.parametrize(
    ("text", "harmless", "kind"),
    [
        ("<@123>", r"\<@123>", "a mention"),
        ("<@&123>", r"\<@&123>", "a mention"),
        ("<#123>", r"\<#123>", "a mention"),
        ("<t:1:R>", r"\<t:1:R>", "a timestamp"),
        ("<a:b:1>", r"\<a:b:1>", "an emoji"),
        ("</quiz start:1>", r"\</quiz start:1>", "a command"),
        ("# a", r"\# a", "a heading"),
        ("-# a", r"\-# a", "small print"),
        ("x\n - a", "x\n \\- a", "a list"),
        ("1. a", r"1\. a", "a list"),
        ("> a", r"\> a", "a quote"),
        ("[a](https://b.c)", r"\[a](https://b.c)", "a link with other words"),
        ("a*b*", r"a\*b\*", "bold, italics, code or a spoiler"),
        (r"\\*a*", r"\\\*a\*", "bold, italics, code or a spoiler"),
    ],
)
def test_the_eyes_of_these_tests(text: str, harmless: str, kind: str) -> None:
    """`active` sees each kind of markup, and sees none where the signs have their backslash."""
    assert kind in active(text)
    assert active(harmless) == []


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain words, 2 < 3 - 1; a+b", "plain words, 2 < 3 - 1; a+b"),
        ("snake_case and 2*3", r"snake\_case and 2\*3"),
        (
            "**bold** ~~gone~~ ||spoiler|| `code`",
            r"\*\*bold\*\* \~\~gone\~\~ \|\|spoiler\|\| \`code\`",
        ),
        ("# Heading", r"\# Heading"),
        ("- item\n  + item", "\\- item\n  \\+ item"),
        ("-# small", r"\-# small"),
        ("1. first\n12) second", "1\\. first\n12\\) second"),
        ("3.5 is a number", "3.5 is a number"),
        ("> quote", r"\> quote"),
        ("<@1> <@&2> <#3> <t:4:R> </x:5>", r"\<@1> \<@&2> \<#3> \<t:4:R> \</x:5>"),
        ("[words](https://x.y)", r"\[words\](https://x.y)"),
        ("back\\slash", r"back\\slash"),
        ("\\*", r"\\\*"),
        ("</s> and <pad>", r"\</s> and \<pad>"),
        ("", ""),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    """Signs that would be markup get a backslash, all others stay alone."""
    assert t.escape(text) == escaped


snippets = st.sampled_from(
    [
        *"<>@#&:/!-+*_~`|[]()\\. \n\t19aR",
        *(
            "<@1>",
            "<@&22>",
            "<#3>",
            "<t:1700000000:R>",
            "<a:b:4>",
            "</quiz:5>",
            "<id:guide>",
            "<https://x.y>",
        ),
        *(
            "# ",
            "## ",
            "-# ",
            "- ",
            "* ",
            "+ ",
            "1. ",
            "23) ",
            "> ",
            ">>> ",
            "**",
            "__",
            "~~",
            "||",
            "```",
            "\\\\",
        ),
        *("[a](https://x.y)", "[a](<https://x.y>)", "words", "Ä", "\u2028", "\u00a0"),
    ]
)
markup = st.one_of(st.lists(snippets, max_size=14).map("".join), st.text(max_size=60))


@settings(max_examples=400)
@given(markup)
def test_escaped_text_reads_as_written(text: str) -> None:
    """Whatever is escaped reads, without the backslashes that escape, as it was written."""
    assert shown(t.escape(text)) == text


@settings(max_examples=400)
@given(markup)
def test_nothing_survives_escaping(text: str) -> None:
    """No mention, timestamp, heading, list, quote, masked link or other markup is left in an escaped text."""
    assert active(t.escape(text)) == []


@given(before=st.sampled_from(["", "**A**  ", "✅ **", "-# "]), text=markup)
def test_escaping_holds_inside_a_sentence(before: str, text: str) -> None:
    """An escaped text adds no markup to what stands before it."""
    plain = t.escape(text)
    assert set(active(before + plain)) <= set(active(before + "x"))


def test_headings_are_one_line() -> None:
    """A heading of several lines would lose all but the first: it is joined, and its words stay escaped."""
    assert t.heading("What is\n  2*3?") == r"### What is 2\*3?"
    assert t.heading("# a\n- b") == r"### \# a \- b"


@given(markup)
def test_a_heading_holds_its_text(text: str) -> None:
    """A heading is one line and holds every word of its text."""
    line = t.heading(text)
    assert "\n" not in line
    assert shown(line).split() == ["###", *text.split()]


# ------------------------------------------------------------------ what members typed


def test_code_quotes_what_somebody_typed() -> None:
    """Backticks become apostrophes, lines and spaces are joined, and a long text is cut with a sign."""
    assert t.code("two words") == "`two words`"
    assert t.code("a `b`\n c") == "`a 'b' c`"
    assert t.code("x" * 60) == f"`{'x' * 60}`"
    assert t.code("x" * 61) == f"`{'x' * 59}…`"
    assert t.code("abcdef", limit=3) == "`ab…`"


@given(markup)
def test_code_stays_within_its_quotes(text: str) -> None:
    """Nothing that was typed ends the quotation or makes it longer than its limit."""
    quoted = t.code(text)
    assert (quoted[0], quoted[-1]) == ("`", "`")
    assert "`" not in quoted[1:-1]
    assert "\n" not in quoted
    assert len(quoted) <= 62


# ------------------------------------------------------------------ figures


def test_times() -> None:
    """A time is Discord's timestamp, so that each reader sees it in their own zone and language."""
    at = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
    assert t.when(at) == "<t:1714564800:f>"
    assert t.when(at, "F") == "<t:1714564800:F>"


def test_counts() -> None:
    """One is singular, everything else plural, and thousands are separated."""
    assert t.count(1, "answer") == "1 answer"
    assert t.count(0, "answer") == "0 answers"
    assert t.count(2500, "answer") == "2,500 answers"
    assert t.count(2, "reply", "replies") == "2 replies"
    assert t.count(1, "reply", "replies") == "1 reply"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        *(
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (10, "10th"),
            (11, "11th"),
            (12, "12th"),
            (13, "13th"),
        ),
        *(
            (21, "21st"),
            (22, "22nd"),
            (101, "101st"),
            (111, "111th"),
            (112, "112th"),
            (1_013, "1,013th"),
        ),
        *((1_021, "1,021st"), (0, "0th")),
    ],
)
def test_ordinals(number: int, words: str) -> None:
    """English ordinals, with their exceptions from 11 to 13 in every hundred."""
    assert t.ordinal(number) == words


def test_seconds() -> None:
    """Answer times have one decimal."""
    assert t.seconds(0) == "0.0s"
    assert t.seconds(3_449) == "3.4s"
    assert t.seconds(12_000) == "12.0s"


def test_percent() -> None:
    """A share is a whole number of percent, and of nothing it is 0."""
    assert t.percent(1, 3) == "33%"
    assert t.percent(2, 3) == "67%"
    assert t.percent(3, 3) == "100%"
    assert t.percent(0, 0) == "0%"


# ------------------------------------------------------------------ pages


def test_blocks_share_a_page_while_they_fit() -> None:
    """Blocks are joined by an empty line as long as the limit allows, and keep their order."""
    assert t.pages(["one", "two", "three"]) == ["one\n\ntwo\n\nthree"]
    assert t.pages(["one", "two", "three"], limit=8) == ["one\n\ntwo", "three"]
    assert t.pages(["one", "two", "three"], limit=7) == ["one", "two", "three"]
    assert t.pages([]) == []


def test_a_long_block_goes_on_over_the_page() -> None:
    """A block that is too long for one page is cut at a line break or a space, and nothing is lost."""
    assert t.pages(["one two three"], limit=8) == ["one two", "three"]
    assert t.pages(["one\ntwo\nthree"], limit=8) == ["one\ntwo", "three"]
    assert t.pages(["x" * 10], limit=4) == ["xxxx", "xxxx", "xx"]


def test_a_page_leaves_room_below_discords_limit() -> None:
    """Pages are below the 4,000 characters that Discord takes."""
    assert t.MAX_TEXT <= 4_000
    assert max(len(page) for page in t.pages(["word " * 3_000])) <= t.MAX_TEXT


blocks = st.lists(
    st.lists(
        st.text("ab ", min_size=1, max_size=15).map(str.strip).filter(bool), min_size=1, max_size=3
    ).map("\n".join),
    max_size=8,
)


@given(texts=blocks, limit=st.integers(4, 30))
def test_pages_lose_nothing(texts: list[str], limit: int) -> None:
    """Every page keeps to the limit and has something on it, and together they hold all that was written."""
    result = t.pages(texts, limit)
    assert all(0 < len(page) <= limit for page in result)
    assert all(page.strip() for page in result)
    assert "".join("".join(result).split()) == "".join("".join(texts).split())


@given(texts=blocks, limit=st.integers(30, 80))
def test_pages_are_as_few_as_their_order_allows(texts: list[str], limit: int) -> None:
    """Where whole blocks fit, no page could have taken the first block of the next one as well."""
    result = t.pages([text[:30].strip() for text in texts], limit)
    for page, following in pairwise(result):
        assert len(page) + 2 + len(following.split("\n\n")[0]) > limit


lines = st.lists(
    st.lists(
        st.sampled_from(["word", "-", "#", ">", "1.", "2*3", "<@1>", "a_b"]), min_size=1, max_size=9
    ).map(" ".join),
    min_size=1,
    max_size=6,
).map("\n".join)


@given(text=lines, limit=st.integers(12, 40))
def test_a_cut_makes_no_markup(text: str, limit: int) -> None:
    """A dash or a number in the middle of a line does not become a list because a page begins with it."""
    for page in t.pages([t.escape(text)], limit):
        assert active(page) == [], page


# ------------------------------------------------------------------ the shipped bank


def test_every_text_of_the_bank_survives() -> None:
    """All that the bank says is shown as it is written there, and none of it is markup."""
    texts = [
        text
        for topic in bank().topics.values()
        for text in (
            *(topic.title, topic.question, topic.answer),
            *(point.text for point in topic.key_points),
            *(follow.question for follow in topic.follow_ups),
            *(reference.title for reference in topic.references),
            *(
                words
                for item in topic.items
                for words in (item.prompt, item.explanation, *item.accept)
            ),
            *(
                words
                for item in topic.items
                for choice in item.choices
                for words in (choice.text, choice.why)
            ),
        )
    ]
    assert len(texts) > 4_000
    for text in texts:
        assert shown(t.escape(text)) == text
        assert active(t.escape(text)) == [], text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see </quiz start>, </help>", "see [quiz start], [help]"),
        ("`</quiz start>` and `a` </help> `b`", "`</quiz start>` and `a` [help] `b`"),
        (t.escape("</help>") + " </help>", "\\</help> [help]"),
        ("</help:12> </Help> </a  b> < /help>", "</help:12> </Help> </a  b> < /help>"),
        ("</", "</"),
    ],
)
def test_commands_become_mentions(text: str, expected: str) -> None:
    """Commands that the bot names are made clickable, not what a member wrote, whether escaped or quoted."""
    assert t.mention_commands(text, lambda name: f"[{name}]") == expected


def test_a_text_on_one_line() -> None:
    """Line breaks are blanks, and signs are escaped."""
    assert t.one_line(" a\n\n*b*  c\n") == r"a \*b\* c"


def test_names() -> None:
    """A name stands in bold, as it is and on one line; nobody is shown as a number."""
    assert t.name("Alwina") == "**Alwina**"
    assert t.name("*Alwina*\n<@1>") == r"**\*Alwina\* \<@1>**"
    assert t.name(None) == "a member"


def test_a_name_is_no_link() -> None:
    """A name that is an address reads as written, and Discord finds no address in it."""
    named = t.name("https://evil.example/win")
    assert "://" not in named
    assert shown(named) == "**https://evil.example/win**"
