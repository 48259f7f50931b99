"""Text on cards: escaping, numbers, times and pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import text as t

# ------------------------------------------------------------------ what Discord makes of a text

_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
"""Matches a backslash and the character that it escapes."""

_ACTIVE = {
    "a mention": (r"<(@[!&]?|#)\d+>", "<@&1>"),
    "a timestamp": (r"<t:-?\d+(:\w)?>", "<t:1:R>"),
    "an emoji": (r"<a?:\w+:\d+>", "<a:b:1>"),
    "a command": (r"</[^>]*:\d+>", "</quiz:1>"),
    "a page of the server": (r"<id:\w+>", "<id:guide>"),
    "a heading": (r"^\s*#{1,3}\s", "# a"),
    "small print": (r"^\s*-#\s", "-# a"),
    "a list": (r"^\s*([-*+]|\d+[.)])\s", "x\n - a"),
    "a quote": (r"^\s*>", "> a"),
    "a link with other words": (r"\[[^\n]*\]\(", "[a](https://b.c)"),
    "bold, italics, code or a spoiler": (r"[*_~`|]", r"\\*a*"),
    "a link in angle brackets": (r"<https?:", "<https://b.c>"),
}
"""Each kind of markup, with an example."""


def as_displayed(text: str) -> str:
    """Return what a reader sees of an escaped text."""
    return _ESCAPED.sub(r"\1", text)


def markup_in(text: str) -> list[str]:
    """Return the kinds of markup that Discord would find in a text."""
    plain = _ESCAPED.sub("\N{MIDDLE DOT}", text)
    return [
        kind for kind, (pattern, _) in _ACTIVE.items() if re.search(pattern, plain, re.MULTILINE)
    ]


@pytest.mark.parametrize(("kind", "example"), [(kind, of) for kind, (_, of) in _ACTIVE.items()])
def test_markup_in(kind: str, example: str) -> None:
    """`markup_in` recognises each kind of markup, and none where it is escaped."""
    assert kind in markup_in(example)
    assert markup_in(t.escape(example)) == []


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain words, 2 < 3 - 1; a+b", "plain words, 2 < 3 - 1; a+b"),
        ("snake_case and 2*3", r"snake\_case and 2\*3"),
        ("**a** ~~b~~ ||c|| `d`", r"\*\*a\*\* \~\~b\~\~ \|\|c\|\| \`d\`"),
        ("- item\n  + item", "\\- item\n  \\+ item"),
        ("1. first\n12) second", "1\\. first\n12\\) second"),
        ("3.5 is a number", "3.5 is a number"),
        ("<@1> <@&2> <#3> <t:4:R> </x:5>", r"\<@1> \<@&2> \<#3> \<t:4:R> \</x:5>"),
        ("[words](https://x.y)", r"\[words\](https://x.y)"),
        ("\\*", r"\\\*"),
        ("</s> and <pad>", r"\</s> and \<pad>"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    """Only characters that would be markup get a backslash."""
    assert t.escape(text) == escaped


snippets = st.sampled_from(
    [
        *"<>@#&:/!-+*_~`|[]()\\. \n\t19aRÄ\u2028\u00a0",
        *(example for _, example in _ACTIVE.values()),
        *["**", "__", "~~", "||", "```", "\\\\", "[a](<https://x.y>)", "words", "<@1>", "<#3>"],
        *["# ", "## ", "-# ", "- ", "* ", "+ ", "1. ", "23) ", "> ", ">>> "],
    ]
)
markup = st.one_of(st.lists(snippets, max_size=14).map("".join), st.text(max_size=60))


@settings(max_examples=400)
@given(markup)
def test_escaped_text_reads_as_written(text: str) -> None:
    """An escaped text reads as it was written."""
    assert as_displayed(t.escape(text)) == text


@settings(max_examples=400)
@given(before=st.sampled_from(["", "**A**  ", "✅ **", "-# "]), text=markup)
def test_escaping_holds_inside_a_sentence(before: str, text: str) -> None:
    """An escaped text has no markup of any kind, and adds none to the text before it."""
    plain = t.escape(text)
    assert set(markup_in(before + plain)) <= set(markup_in(before + "x"))


@given(markup)
def test_a_heading_holds_its_text(text: str) -> None:
    """A heading is one line with every word of its text."""
    line = t.heading(text)
    assert "\n" not in line
    assert as_displayed(line).split() == ["###", *text.split()]


# ------------------------------------------------------------------ what members typed


@given(markup)
def test_code_stays_within_its_quotes(text: str) -> None:
    """Nothing typed can end the quotation or exceed its limit."""
    quoted = t.code(text)
    assert (quoted[0], quoted[-1]) == ("`", "`")
    assert "`" not in quoted[1:-1]
    assert "\n" not in quoted
    assert len(quoted) <= 62


# ------------------------------------------------------------------ figures


AT = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (t.when(AT), "<t:1714564800:f>"),  # shown in each reader's zone and language
        (t.when(AT, "F"), "<t:1714564800:F>"),
        (t.count(1, "answer"), "1 answer"),
        (t.count(0, "answer"), "0 answers"),
        (t.count(2500, "answer"), "2,500 answers"),
        (t.count(2, "reply", "replies"), "2 replies"),
        (t.seconds(0), "0.0s"),
        (t.seconds(3_449), "3.4s"),
        (t.percent(1, 3), "33%"),
        (t.percent(2, 3), "67%"),
        (t.percent(0, 0), "0%"),
        (t.code("a `b`\n c"), "`a 'b' c`"),
        (t.code("x" * 60), f"`{'x' * 60}`"),
        (t.code("x" * 61), f"`{'x' * 59}…`"),
        (t.heading("# a\n- b"), r"### \# a \- b"),
        (t.one_line(" a\n\n*b*  c\n"), r"a \*b\* c"),
        (t.name("*Alwina*\n<@1>"), r"**\*Alwina\* \<@1>**"),
        (t.name(None), "a member"),
    ],
)
def test_small_texts(made: str, text: str) -> None:
    """Times, counts, answer times, shares, typed words, headings, lines and names."""
    assert made == text


ORDINALS = "0th 1st 2nd 3rd 4th 10th 11th 12th 13th 21st 22nd 101st 111th 112th 1,013th 1,021st"


@pytest.mark.parametrize("words", ORDINALS.split())
def test_ordinals(words: str) -> None:
    """English ordinals, with the exceptions from 11 to 13 in every hundred."""
    assert t.ordinal(int(words[:-2].replace(",", ""))) == words


# ------------------------------------------------------------------ pages


@pytest.mark.parametrize(
    ("blocks", "limit", "pages"),
    [
        (["one", "two", "three"], 8, ["one\n\ntwo", "three"]),
        (["one", "two", "three"], 7, ["one", "two", "three"]),
        (["one two three"], 8, ["one two", "three"]),
        (["one\ntwo\nthree"], 8, ["one\ntwo", "three"]),
        (["x" * 10], 4, ["xxxx", "xxxx", "xx"]),
    ],
)
def test_blocks_share_a_page_while_they_fit(
    blocks: list[str], limit: int, pages: list[str]
) -> None:
    """Blocks are joined by an empty line within the limit. One over the limit is cut at a line
    break or a space."""
    assert t.pages(blocks, limit) == pages


def test_a_page_leaves_room_below_discords_limit() -> None:
    """Pages stay below Discord's limit of 4,000 characters."""
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
    """Pages keep to the limit, aren't empty, and contain everything."""
    result = t.pages(texts, limit)
    assert all(0 < len(page) <= limit for page in result)
    assert all(page.strip() for page in result)
    assert "".join("".join(result).split()) == "".join("".join(texts).split())


def test_code_stays_on_one_page() -> None:
    """The letters of a part would lose their fixed width."""
    code = t.code_block("\n".join(f"    line = {n}" for n in range(40)), "python")
    assert t.pages(["before", f"Said\n{code}", "after"], 300) == [
        "before",
        f"Said\n{code}",
        "after",
    ]
    assert len(t.pages([f"```\n{'x ' * 3000}\n```"], 300)) > 1


@given(texts=blocks, limit=st.integers(30, 80))
def test_pages_are_as_few_as_their_order_allows(texts: list[str], limit: int) -> None:
    """No page has room for the first block of the next one."""
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
def test_cutting_creates_no_markup(text: str, limit: int) -> None:
    """A dash or a number doesn't become a list because a page begins with it."""
    for page in t.pages([t.escape(text)], limit):
        assert markup_in(page) == [], page


# ------------------------------------------------------------------ the shipped bank


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see </quiz>, </help>", "see [quiz], [help]"),
        ("`</quiz>` and `a` </help> `b`", "`</quiz>` and `a` [help] `b`"),
        (t.escape("</help>") + " </help>", "\\</help> [help]"),
        ("</help:12> </Help> </a  b> < /help>", "</help:12> </Help> </a  b> < /help>"),
        ("</", "</"),
    ],
)
def test_commands_become_mentions(text: str, expected: str) -> None:
    """Commands named by the bot become clickable, but not those that a member wrote."""
    assert t.mention_commands(text, lambda name: f"[{name}]") == expected


def test_the_direction_of_a_name() -> None:
    """A name doesn't turn what follows it, or the points of two members would seem exchanged."""
    assert t.name("\u0639\u0644\u064a") == "\u2068**\u0639\u0644\u064a**\u2069"
    assert t.name("\u202eAda\u2069") == "**Ada**"
    assert t.name("\u202e") == "a member"


def test_a_name_is_no_link() -> None:
    """A name that is a URL reads as written but isn't a link."""
    named = t.name("https://evil.example/win")
    assert "://" not in named
    assert as_displayed(named) == "**https://evil.example/win**"
