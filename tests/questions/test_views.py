"""Cards: every item of the shipped bank on every screen, within Discord's limits, every item of the shipped bank."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from bot.answers.model import Tally
from bot.chat.messages import ENDED, OPEN, REVEALED, Message, text_of
from bot.core.limits import MAX_TYPED
from bot.daily import views as daily_views
from bot.questions import answers as answers_module
from bot.questions import formulas
from bot.questions import views as question_view
from bot.questions.answers import Answered, Outcome, count_answers, encode_picks, is_right
from bot.questions.model import Bank, Choice, Decoy, Item, Section
from bot.rounds import rules as rounds_rules
from bot.rounds import views as rounds
from bot.rounds.model import QuestionCard, RevealCard
from tests.daily.cards import a_day, asks, closed_card, open_card, verdict_on
from tests.messages import (
    components,
    custom_ids,
    height,
    labels,
    lines,
    reads,
    sent,
    shown,
    texts,
    words,
)
from tests.shipped import bank, in_order, item, orders, typed

ITEMS = list(bank().items.values())
AT = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
ROW = 10**18 - 1
MEMBER = 10**19 - 1  # no id of Discord's is longer
NAME = "*" * 32  # no name of Discord's is longer
LETTERS = "ABCDEFGHIJ"


# ------------------------------------------------------------------ making cards


def question(one: Item, order: tuple[int, ...], **changes: Any) -> Message:
    """An open question with the widest figures it can have."""
    made = QuestionCard(
        question_id=ROW,
        item=one,
        order=order,
        number=50,
        total=50,
        seconds=300,
        ends_at=AT,
        left=None,
        answered=99_999,
    )
    return rounds.question(replace(made, **changes), bank())


def daily(one: Item, order: tuple[int, ...]) -> Message:
    return open_card(asks(one, order))


def crowd(one: Item) -> Outcome:
    """An outcome with large numbers for every choice, or three wrong texts as long as can be typed."""
    wrong = tuple((letter * 100, 33_333) for letter in "x`\\") if one.kind == "typed" else ()
    picked = {n: 33_333 + n for n in one.offered[len(one.lines) :]}
    return Outcome(answered=99_999, right=33_333, picked=picked, wrong_texts=wrong)


NOBODY = Outcome(0, 0, {})


def reveal(one: Item, order: tuple[int, ...], result: Outcome | None = None) -> Message:
    best = tuple(Tally(n, 100 - n, 1, 1, 299_999 + n) for n in range(3)) if result is None else ()
    names = dict.fromkeys(range(3), NAME)
    card = RevealCard(ROW, one, order, 45, 50, result or crowd(one), best, names, leaders=best)
    return rounds.reveal(card)


def daily_end(one: Item, order: tuple[int, ...], result: Outcome | None = None) -> Message:
    streaks = tuple((NAME, 9_999 - n) for n in range(3)) if result is None else ()
    return closed_card(asks(one, order), result or crowd(one), streaks)


def answers(one: Item) -> list[str]:
    """Stored answers to an item: right, wrong in each way, and for typed ones the longest."""
    if one.kind == "typed":
        return [one.accept[0], "x" * 100, "\\" * 100, "`*_" * 33, "<@1> # [a](b)"]
    if one.kind == "order":
        own = one.right_orders[0]
        decoy = str(len(own))
        return [*one.right_orders[:2], own[::-1], own[:-1] + decoy, decoy + own[1:]]
    every = range(len(one.choices))
    if one.kind == "choice":
        return [encode_picks([n]) for n in every]
    right = encode_picks(one.right)
    wrong = encode_picks(n for n in every if n not in one.right)
    return [right, wrong, encode_picks(every), right[:1], wrong[:1], right[:-1] + wrong[:1]]


def verdict(one: Item, order: tuple[int, ...], answer: str) -> list[Message]:
    """The private messages after an answer to the daily, as the click makes them."""
    right = is_right(one, answer)
    review = Answered(one, order, answer, 100 if right else 0)
    return daily_views.verdict(verdict_on(review), a_day())


def arranging(one: Item, order: tuple[int, ...], placed: Sequence[int] = (0, 1)) -> Message:
    """The page where lines of code are put in order."""
    at = {"source": "challenge", "row": str(ROW), "turn": "9"}
    return question_view.arranging(one, order, placed, at)


def why(one: Item, order: tuple[int, ...], answer: str | None) -> list[Message]:
    """The private messages behind "Explain", as the click makes them."""
    return question_view.explained(Answered(one, order, answer), bank())


def mine(reviews: Sequence[Answered]) -> list[Message]:
    """The private pages behind "My answers", as clicks turn them."""
    first = rounds.my_answers(ROW, reviews, 0)
    found = re.search(r"page 1 of (\d+)", text_of(first))
    return [
        first,
        *(
            rounds.my_answers(ROW, reviews, page)
            for page in range(1, int(found[1]) if found else 1)
        ),
    ]


def shown_items() -> Iterator[tuple[Item, tuple[int, ...]]]:
    """Every item of the bank, with its choices in one of three orders."""
    return ((one, orders(one)[n % 3]) for n, one in enumerate(ITEMS))


# ------------------------------------------------------------------ every item of the shipped bank


def test_open_cards() -> None:
    """An open card has the whole question: each choice on a line with its letter, and its buttons."""
    for one, order in shown_items():
        for source, view in (("round", question(one, order)), ("daily", daily(one, order))):
            text = reads(view)
            for part in (words(one.prompt), bank().section_of(one), one.level):
                assert part in text, one.id
            plain = [line.replace("**", "") for line in lines(view)]
            lettered = [shown(line) for line in plain if re.match(r"[A-J]  ", line)]
            offered = [choice.text for choice in one.choices] or one.pieces
            plain_texts = [words(text.replace("**", "")) for text in offered]  # ** is a power, too
            expected = [f"{LETTERS[n]} {plain_texts[i]}" for n, i in enumerate(order)]
            assert lettered == expected, one.id
            if one.kind == "choice":
                assert labels(view) == list(LETTERS[: len(order)]), one.id
                ids = [f"answer:v1:{source}:{ROW}:{n}" for n in range(len(order))]
            else:
                name = {"multiple": "choose", "typed": "write", "order": "arrange"}[one.kind]
                ids = [f"{name}:v1:{source}:{ROW}" + "::0" * (one.kind == "order")]
            assert custom_ids(view) == ids, one.id


def test_revealed_cards() -> None:
    """A revealed card has the verdict first, the question, the right choices with the reason, how
    often each other one was picked, and new buttons."""
    for one, order in shown_items():
        right = [LETTERS[n] for n, i in enumerate(order) if i in one.right]
        for source, view in (("round", reveal(one, order)), ("daily", daily_end(one, order))):
            text, found = reads(view), lines(view)
            verdict = " and ".join(filter(None, (", ".join(right[:-1]), *right[-1:])))
            typed_or_code = (
                answers_module.right_answer(one, order) if one.accept else "In this order"
            )
            verdict = words(verdict or typed_or_code)
            assert shown(found[0]).removeprefix("### ").removeprefix("📅 ") == (
                f"{verdict} · 33% of 99,999 had it"
            )
            assert words(one.prompt) in text, one.id
            assert words(one.gist) in text, one.id
            bold = re.findall(
                r"^✅ \*\*([A-F])  (.*)\*\*(?: · 33%)?$", "\n".join(found), re.MULTILINE
            )
            assert [(letter, shown(text)) for letter, text in bold] == [
                (LETTERS[n], words(one.choices[i].text))
                for n, i in enumerate(order)
                if i in one.right
            ], one.id
            picked = " · ".join(f"**{a}** 33%" for a in LETTERS[: len(order)] if a not in right)
            if one.kind == "order":
                assert all(line in found for line in one.lines), one.id
                picked = " · ".join(f"`{decoy.text.strip()}` 33%" for decoy in one.decoys)
            assert one.kind == "typed" or not picked or f"-# Others: {picked}" in found, one.id
            in_round = source == "round"
            assert labels(view) == ["Explain", "Report", "Next"][: 2 + in_round], one.id
            ids = [
                route.id(source=source, row=ROW)
                for route in (question_view.WHY, question_view.REPORT)
            ]
            assert custom_ids(view) == ids + [rounds.HOST.id(what="next", row=ROW)] * in_round


def test_a_reveal_and_its_explanation_say_everything_once() -> None:
    """Together they have all that the bank says of an item: each reason, the whole explanation,
    code, formula, its own source and no other; and nothing twice."""
    for number, (one, order) in enumerate(shown_items()):
        given = [*answers(one), None]
        answer = given[number % len(given)]
        card, pages = reads(reveal(one, order)), why(one, order, answer)
        more = reads(*pages)
        for n, choice in enumerate(one.choices):
            said = f"{LETTERS[order.index(n)]} {words(choice.text)} {words(choice.why)}"
            is_told = one.kind == "choice" and choice.correct
            assert (said in card, said in more) == (is_told, not is_told), (one.id, answer)
        for decoy in one.decoys:
            assert (words(decoy.why) in card, words(decoy.why) in more) == (False, True), one.id
        explained = [words(one.gist), words(one.beyond_gist)]
        if one.kind != "choice":
            assert " ".join(filter(None, explained)) == words(one.explanation), one.id
            assert explained[0] not in more, one.id
        assert explained[1] in more, one.id
        assert all(words(form) in more for form in one.accept[:3]), one.id
        shown_code = "\n".join(text_of(page) for page in pages)
        assert (one.code or "").strip("\n") in shown_code, one.id
        assert words(formulas.alt_text(one) if one.formula else "") in shown_code.replace("\n", " ")
        sources = bank().topic_of(one).references
        own = set() if one.reference is None else {sources[one.reference].url}
        assert {each.url for each in sources if each.url in card + more} == own, one.id


def test_private_pages() -> None:
    """The pages of verdicts and "My answers" fit in messages and leave nothing out."""
    for number, (one, order) in enumerate(shown_items()):
        given = [*answers(one), None]
        for answer in {given[0], given[number % len(given)]}:
            right = answer is not None and is_right(one, answer)
            picked = {int(n) for n in answer or ""} if one.kind != "typed" else set()
            reasons = [f"{words(choice.text)} {words(choice.why)}" for choice in one.choices]
            reasons += [words(line.replace("**", "")) for line in one.lines]
            reasons += [decoy.why for decoy in one.decoys]
            told = [reasons[n] for n in picked | one.right | {*range(len(one.lines))}]
            pages = mine([Answered(one, order, answer)])
            text = reads(*pages)
            if right:  # one line
                assert "✅ 1. " in text
                assert height(pages[0]) <= 6
            else:
                assert (one.code or "").strip("\n") in text_of(pages[0]), one.id
                formula = formulas.alt_text(one) if one.formula else ""
                assert words(formula) in shown(text_of(pages[0])), one.id
                assert words(one.prompt) in text, (one.id, answer)
                assert all(words(reason) in text for reason in told), (one.id, answer)
            if one.kind == "typed" and not right:
                assert words(one.accept[0]) in text, (one.id, answer)
                assert answer is None or words(one.explanation) in text, (one.id, answer)
            if answer is not None:
                text = reads(*verdict(one, order, answer))
                assert text.startswith("✅ Right" if right else "Not quite"), (one.id, answer)
                assert all(words(reason) in text for reason in told), (one.id, answer)
                assert words(one.explanation) in text, (one.id, answer)


def test_a_typed_item_names_three_ways_and_counts_the_others() -> None:
    """The reasons of a typed item name the first three accepted forms; a wall of spellings teaches nobody anything."""
    forms = ("EOS", "end token", "stop token", "EOT", "end")
    for number, said in ((5, ", stop token and 2 other ways to say it"), (2, "")):
        (page,) = question_view.explained(Answered(typed(*forms[:number]), (), None), _around())
        assert f"Accepted: EOS, end token{said}" in texts(page)[0].split("\n")


def test_an_estimate_is_asked_and_shown_with_its_unit() -> None:
    """The card names the unit and the tolerance; the answer has the unit."""
    one = replace(typed("40"), unit="GB", tolerance=10)
    opened = texts(Message(OPEN, *question_view.asked(one, ())))
    assert "-# Type a number (GB) · within 10% counts" in "".join(opened)
    assert modal_of(one, ())["components"][-1]["label"] == "Type a number (GB)"
    assert "The answer is **40 GB**." in question_view.own_result(Answered(one, (), "50"))
    assert "### Nobody answered: it's 40 GB\n" in question_view.revealed(one, (), NOBODY)
    (page,) = question_view.explained(Answered(one, (), "50"), _around())
    assert "You wrote 50. Accepted: 40 GB, and all within 10%" in reads(page).replace("`", "")


def test_code_stands_below_the_question_and_in_its_explanation() -> None:
    """Code is a block of its own: on the open card, in the modal, and behind "Explain", with the month."""
    one = replace(item(choices="YNNN"), code="x = logits / 0\n", language="python", as_of="2026-05")
    block = "```python\nx = logits / 0\n```"
    order = tuple(range(4))
    several = replace(one, kind="multiple")
    assert block in modal_of(several, order)["components"][0]["content"]
    assert sum(block in part for part in question_view.asked(one, order) if isinstance(part, str))
    assert block not in question_view.revealed(one, order, NOBODY)
    (page,) = question_view.explained(Answered(one, order, None), _around())
    assert f"{block}\n\n{one.explanation}\n-# As of May 2026" in texts(page)[0]


def test_the_verdict_on_a_practised_question_leaves_the_other_choices() -> None:
    """There "Explain" has the reasons that the verdict didn't give, and nothing else."""
    one = item(kind="multiple", choices="YNYN")
    (page,) = question_view.other_reasons(Answered(one, (0, 1, 2, 3), "01"))
    assert reads(page) == "D text 3 why 3"
    (page,) = question_view.other_reasons(Answered(one, (0, 1, 2, 3), "0123"))
    assert reads(page) == "You've read all its reasons already."


@pytest.mark.parametrize(
    ("explanation", "kind", "gist"),
    [
        ("One. Two. Three.", "typed", "One. Two."),
        ("One. Two. Three.", "multiple", "One. Two."),
        (f"One {'o' * 50}. Two {'o' * 50}.", "multiple", f"One {'o' * 50}."),
        (f"One {'o' * 50}. Two {'o' * 50}.", "typed", f"One {'o' * 50}. Two {'o' * 50}."),
        (
            "It is 0.5 (Li et al. 2020), e.g. with N. Two! Three?",
            "typed",
            "It is 0.5 (Li et al. 2020), e.g. with N. Two! Three?",
        ),
        ("No end", "multiple", "No end"),
        ('He said "so." Then vs. now. Three.', "typed", 'He said "so." Then vs. now.'),
        ("why 0 is so. And more.", "choice", "why 0 is so."),
        ("Other.", "choice", "why 0"),
    ],
)
def test_the_reason_of_a_reveal_is_whole_sentences(explanation: str, kind: str, gist: str) -> None:
    """It is the right choice's own reason, unless that was cut from the explanation, or the
    explanation's first sentences."""
    one = replace(item(kind=kind), explanation=explanation)
    assert one.gist == gist


def _around() -> Bank:
    """A bank for the item that `typed` makes."""
    topic = replace(next(iter(bank().topics.values())), id="t", items=())
    return Bank("Around", (Section(topic.section_id, "Section", (topic,)),))


def test_reasons_begin_with_the_readers_own_choice() -> None:
    """ "Explain" gives the reader's own picks first, then the right ones, then the others, each once."""
    one = item(topic=TOPIC, kind="multiple", choices="NYNYNN")
    (page,) = why(one, (5, 4, 3, 2, 1, 0), encode_picks([0, 3]))
    # right are 1 and 3; the picks 0 and 3 come in the order of the card, which is turned round
    assert re.findall(r"why (\d)", reads(page)) == ["3", "0", "1", "5", "4", "2"]


# ------------------------------------------------------------------ modals


def modal_of(one: Item, order: tuple[int, ...]) -> dict[str, Any]:
    """The modal of an item as it goes to Discord, within its documented limits."""
    modal: dict[str, Any] = question_view.answer_modal(one, order, "round", ROW).to_dict()
    assert len(modal["title"]) <= 45
    assert len(modal["components"]) <= 5
    assert sum(len(c.get("content", "")) for c in modal["components"]) <= 4_000, one.id
    assert len(modal["components"][-1]["label"]) <= 45
    return modal


def test_a_multiple_item_is_answered_by_boxes_in_full_text() -> None:
    """The modal has the question and a box for each line of the card, with its letter, in the card's order."""
    for one, order in shown_items():
        if one.kind != "multiple":
            continue
        modal = modal_of(one, order)
        text, label = modal["components"]
        assert words(one.prompt) in shown(text["content"]), one.id
        assert modal["custom_id"] == question_view.PICKS.id(source="round", row=ROW)
        boxes = label["component"]
        expected = [
            (f"{LETTERS[n]} · {words(one.choices[i].text)}", str(n)) for n, i in enumerate(order)
        ]
        assert [(o["label"], o["value"]) for o in boxes["options"]] == expected, one.id
        assert (boxes["min_values"], boxes["max_values"], boxes["required"]) == (
            1,
            len(order),
            True,
        )


def test_boxes_of_long_choices() -> None:
    """If a choice is longer than a box's label may be, all are shown above in full, with their
    letters."""
    one = replace(item(topic=TOPIC, kind="multiple", choices="YYN"), prompt="Which?")
    long = "a" * 97  # letter, dot and blanks take four
    one = replace(one, choices=(replace(one.choices[0], text=long), *one.choices[1:]))
    text, label = modal_of(one, (1, 0, 2))["components"]
    assert text["content"].split("\n") == [
        "### Which?",
        "**A**  text 1",
        f"**B**  {long}",
        "**C**  text 2",
    ]
    assert label["component"]["options"][1]["label"] == f"B · {'a' * 95}…"
    fits = replace(one, choices=(replace(one.choices[0], text="a" * 96), *one.choices[1:]))
    text, label = modal_of(fits, (1, 0, 2))["components"]
    assert text["content"] == "### Which?"
    assert label["component"]["options"][1]["label"] == f"B · {'a' * 96}"


def test_a_typed_item_is_answered_under_its_question() -> None:
    """The modal holds the whole question, since it hides the card, and takes as much text as is stored."""
    for one, order in shown_items():
        if one.kind == "typed":
            text, label = modal_of(one, order)["components"]
            assert words(one.prompt) in shown(text["content"]), one.id
            assert label["component"]["max_length"] == MAX_TYPED


def test_modals_tell_nothing_of_the_answer() -> None:
    """Which choices are right, why, and what is accepted changes nothing of the modal."""
    for one, order in shown_items():
        if one.kind in {"multiple", "typed"}:
            turned = tuple(replace(c, correct=not c.correct, why="another") for c in one.choices)
            other = replace(one, choices=turned, accept=("another",), explanation="Another.")
            assert modal_of(one, order) == modal_of(other, order), one.id


# ------------------------------------------------------------------ nothing leaks


def test_open_cards_tell_nothing_of_the_answer() -> None:
    """Which choices are right, why, and what is accepted changes nothing of what an open card sends to clients."""
    for one, order in shown_items():
        turned = tuple(replace(c, correct=not c.correct, why="another reason") for c in one.choices)
        other = replace(
            one, id="another-id", choices=turned, accept=("another",), explanation="Another."
        )
        if one.kind in {"typed", "order"}:
            other = replace(other, choices=())
        other_order = order
        if one.kind == "order":  # the last lines become those that don't belong
            number, texts = len(one.lines), one.pieces[::-1]
            decoys = tuple(Decoy(text, "another reason") for text in texts[number:])
            other = replace(other, lines=texts[:number], decoys=decoys, orders=())
            other_order = tuple(len(texts) - 1 - n for n in order)
        for make in (question, daily, arranging):
            if make is not arranging or one.kind == "order":
                assert sent(make(one, order)) == sent(make(other, other_order)), one.id


# ------------------------------------------------------------------ pictures


def test_formulas_have_a_picture_and_others_none() -> None:
    """An item with a formula shows its picture with alt text on open cards and behind "Explain"."""
    for one in [*ITEMS[:20], *(one for one in ITEMS if one.formula)]:
        order = orders(one)[0]
        for view in (question(one, order), daily(one, order), why(one, order, None)[0]):
            galleries = [c for c in components(view) if "items" in c]
            if one.formula is None:
                assert galleries == [], one.id
                continue
            (picture,) = galleries[0]["items"]
            assert picture["media"]["url"] == "attachment://formula.png", one.id
            assert picture["description"] == f"Formula: {one.spoken}", one.id


# ------------------------------------------------------------------ the largest items that a bank may have

TOPIC = next(iter(bank().topics))


def filled(length: int, mark: str = "") -> str:
    """Words of just so many characters."""
    return (f"{mark} words " + "and more words " * 50)[: length - 1].strip().ljust(
        length - 1, "x"
    ) + "."


def largest(kind: str) -> Item:
    """An item that is as long as the schema allows in every field."""
    right = {"choice": [0], "multiple": [0, 1, 2, 3, 4], "typed": [], "order": []}[kind]
    code = range(9 if kind == "order" else 0)
    choices = tuple(
        Choice(filled(200, f"choice {n}"), n in right, filled(300, f"why {n}")) for n in range(6)
    )
    return Item(
        id="largest",
        topic_id=TOPIC,
        kind=kind,
        difficulty=5,
        prompt=filled(600, "prompt"),
        explanation=filled(600, "explanation"),
        choices=() if kind in {"typed", "order"} else choices,
        accept=tuple(filled(100, f"accept {n}") for n in range(20)) if kind == "typed" else (),
        formula=None if code else "x" * 400,
        spoken=None if code else "x" * 300,
        lines=tuple(filled(60, f"line {n}") for n in code),
        decoys=tuple(Decoy(filled(60, "decoy"), filled(300, "why")) for _ in code[:1]),
        orders=("102345678",) if code else (),
    )


@pytest.mark.parametrize("kind", ["choice", "multiple", "typed", "order"])
@pytest.mark.parametrize("make", [question, daily, reveal, daily_end])
def test_the_largest_item_has_its_public_cards(
    make: Callable[[Item, tuple[int, ...]], Message], kind: str
) -> None:
    """An item with six choices and every text as long as the schema allows fits on each public card, uncut."""
    one = largest(kind)
    view = make(one, orders(one)[1])
    text = reads(view)
    assert words(one.prompt) in text
    is_open = make in (question, daily)
    assert all(words(choice.text) in text for choice in one.choices if is_open or choice.correct)
    assert is_open or words(one.gist) in text


@pytest.mark.parametrize("kind", ["choice", "multiple", "typed", "order"])
def test_the_largest_item_has_its_pages(kind: str) -> None:
    """Reasons and "My answers" of an item as long as the schema allows go on over pages, and nothing is lost."""
    one = largest(kind)
    for answer in (*answers(one), None):
        text = reads(*why(one, orders(one)[1], answer))
        assert all(
            words(choice.text) in text and words(choice.why) in text
            for choice in one.choices
            if kind == "multiple" or not choice.correct
        )
        own = reads(*mine([Answered(one, orders(one)[1], answer)]))
        assert words(one.prompt) in own or (answer and is_right(one, answer))
        if answer is not None:
            assert words(one.explanation) in reads(*verdict(one, orders(one)[1], answer))


TWO_LINES = replace(
    item(topic=TOPIC),
    choices=(Choice("first\nB  second", True, "why\nnot"), Choice("other", False, "no\nway")),
)


def test_choices_of_several_lines_on_public_cards() -> None:
    """A choice of several lines is shown on one, so that each line has its letter."""
    lettered = [line for line in lines(question(TWO_LINES, (0, 1))) if line.startswith("**")]
    assert lettered == ["**A**  first B second", "**B**  other"]
    assert "✅ **A  first B second**" in lines(reveal(TWO_LINES, (0, 1)))


def test_choices_of_several_lines_on_private_cards() -> None:
    """Where reasons are given, a choice and its reason have a line each as well, the reason in small print."""
    for view in (
        why(replace(TWO_LINES, kind="multiple"), (0, 1), None)[0],
        verdict(TWO_LINES, (0, 1), "1")[0],
        mine([Answered(TWO_LINES, (0, 1), "1")])[0],
    ):
        assert "✅ **A**  first B second\n-# why not" in "\n".join(texts(view))


def test_texts_of_a_bank_can_do_no_harm() -> None:
    """Mentions, headings and links in a server's own questions are shown as typed on every card."""
    bad = "# <@1> @everyone [a](https://x.y) **b** ||c|| <t:1:R>\n- d"
    one = replace(
        item(topic=TOPIC),
        prompt=bad,
        explanation=bad,
        choices=tuple(Choice(f"{bad} {n}", n == 0, bad) for n in range(4)),
    )
    order = (3, 2, 1, 0)
    reviewed = [Answered(one, order, answer) for answer in ("0", "1", None)]
    views = [
        question(one, order),
        daily(one, order),
        reveal(one, order),
        daily_end(one, order),
        *mine(reviewed),
    ]
    for view in (
        *views,
        *why(one, order, "1"),
        *why(one, order, None),
        *verdict(one, order, "0"),
        *verdict(one, order, "1"),
    ):
        for text in texts(view):
            plain = re.sub(r"\\([^0-9A-Za-z\s])", "·", text)
            assert "<@1>" not in plain
            assert "<t:1:R>" not in plain
            assert "](https://x.y)" not in plain
            assert "||" not in plain
            assert "**b**" not in plain
            assert not re.search(r"^(#{1,3} <|- d)", plain, re.MULTILINE)


# ------------------------------------------------------------------ figures on revealed cards


@pytest.mark.parametrize(
    ("right", "wrong", "verdict", "others"),
    [
        (0, 0, "Nobody answered: it's A", ""),
        (1, 0, "A · Bob had it in 300.0s", ""),
        (0, 1, "It's A", ""),
        (0, 2, "Nobody had it: it's A", "2"),
        (3, 0, "A · 3 of 3 had it", ""),
        (6, 3, "A · 6 of 9 had it", "3"),
        (6, 4, "A · 60% of 10 had it", "40%"),
    ],
)
def test_the_verdict_of_a_reveal(right: int, wrong: int, verdict: str, others: str) -> None:
    """It says how many had it, as a percentage from ten answers on, and of one alone only that they
    had it. Choices that nobody picked aren't named; a card is green only if somebody had it."""
    one = item(topic=TOPIC, choices="YNNN")
    result = count_answers(one, [("0", True)] * right + [("1", False)] * wrong)
    best = tuple(Tally(n, 100, 1, 1, 299_999 + n) for n in range(min(right, 3)))
    card = RevealCard(ROW, one, (0, 1, 2, 3), 1, 5, result, best, dict.fromkeys(range(3), "Bob"))
    view = rounds.reveal(card)
    assert reads(view).startswith(f"### {verdict} Prompt of one? ✅ A text 0 why 0")
    assert (
        [line for line in lines(view) if "**B**" in line] == [f"-# Others: **B** {others}"]
    ) == bool(others)
    colour = REVEALED if right else ENDED
    assert sent(view)[0]["accent_color"] == colour.value
    asked = replace(typed("attention", topic=TOPIC), topic_id=TOPIC)
    given = [("attention", True)] * right + [("no", False)] * wrong
    told = lines(
        rounds.reveal(replace(card, item=asked, order=(), outcome=count_answers(asked, given)))
    )
    assert shown(told[0]).replace("**", "") == f"### {verdict}".replace("A", "attention", 1)
    assert (f"-# Others: `no` {others}" in told) == bool(others)


def test_a_reveal_takes_fourteen_lines() -> None:
    """At 390 px, where a line of 22 px has 31 characters and one of small print, 19.4 px, has 38:
    half of the bank's questions within 14.5, nine in ten within 17. Screenshots had a little less."""
    heights = []
    for one, order in shown_items():
        wrong = [str(n) for n in range(len(one.choices)) if n not in one.right] or ["no"]
        given = [("".join(map(str, sorted(one.right))) or "yes", True)] * 2
        if one.kind == "order":
            given, wrong = [(one.right_orders[0], True)] * 2, answers(one)[-2:]
        result = count_answers(one, [*given, *((text, False) for text in wrong[:2])])
        best = tuple(Tally(n, 98, 1, 1, 2_100) for n in range(2))
        card = RevealCard(ROW, one, order, 3, 5, result, best, {0: "Ada", 1: "Blaise"})
        pixels = 42 + 55.0  # the verdict with the card's upper edge, the buttons with its lower one
        for line in lines(rounds.reveal(card))[1:]:
            text, small = shown(line.replace("**", "").removeprefix("-# ")), line.startswith("-# ")
            pixels += 19.4 * -(-len(text) // 38) if small else 22 * -(-len(text) // 31)
        heights.append(pixels / 22)
    heights.sort()
    assert heights[len(heights) // 2] <= 14.5
    assert heights[len(heights) * 9 // 10] <= 17


def test_the_close_of_a_daily_with_one_answer() -> None:
    """The card doesn't say whether that member had it."""
    one = item(topic=TOPIC)
    cards = [daily_end(one, (0, 1, 2, 3), count_answers(one, [(a, a == "0")])) for a in "01"]
    assert sent(cards[0]) == sent(cards[1])
    assert lines(cards[0])[0] == "### 📅 It's A"


def test_wrong_texts_of_a_typed_item() -> None:
    """The most frequent wrong texts that several members gave are quoted with their numbers, under the right answer."""
    one = replace(typed("attention", topic=TOPIC), topic_id=TOPIC)
    wrong = ("memory", "loss", "Bob cheats", "Memory", "loss", "memory")
    found = lines(
        reveal(
            one, (), count_answers(one, [("attention", True), *((text, False) for text in wrong)])
        )
    )
    assert found[0] == "### attention · 1 of 7 had it"
    assert found[3] == "-# Others: `memory` 3 · `loss` 2"
    assert "bob cheats" not in "\n".join(found).casefold()


def test_what_one_member_adds_to_a_wrong_text_is_not_quoted() -> None:
    """Signs that don't count are shown only if two members wrote them: one alone could draw anything there."""
    one = typed("attention", topic=TOPIC)
    wrong = ("memory (╯°□°)╯ ┻━┻", "Memory", "loss!", "loss!", "loss")
    found = lines(reveal(one, (), count_answers(one, [(text, False) for text in wrong])))
    assert "-# Others: `loss!` 3 · `memory` 2" in found


@pytest.mark.parametrize("shape", ["1/8", "-3", "x^2", "???"])
def test_a_wrong_text_is_quoted_as_typed(shape: str) -> None:
    """A wrong answer is shown as members typed it, not as the words that are compared."""
    one = typed("17", topic=TOPIC)
    assert f"-# Others: `{shape}` 2" in lines(
        reveal(one, (), count_answers(one, [(shape, False)] * 2))
    )


def test_no_card_is_longer_than_measured() -> None:
    """The measured length of a question is enough for each card, with the longest names."""
    fastest = tuple(Tally(n, 100, 1, 1, 299_999) for n in range(rounds_rules.FASTEST))
    leaders = tuple(Tally(n, 99_999, 50, 50, 9) for n in range(rounds_rules.LEADERS))
    names = dict.fromkeys(range(3), NAME)
    for one in ITEMS:
        order = orders(one)[0]
        full = RevealCard(ROW, one, order, 50, 50, crowd(one), fastest, names, leaders=leaders)
        shown = [
            question(one, order),
            rounds.reveal(full),
            daily(one, order),
            daily_end(one, order),
        ]
        lengths = [len(text_of(message)) for message in shown]
        assert max(lengths) <= question_view.card_length(one, bank()) <= max(lengths) + 150, one.id


def test_an_order_of_fewer_lines() -> None:
    """A bank may have got another line since the answer, which is read all the same."""
    longer = replace(in_order(), lines=(*in_order().lines, "c = 3"))
    told = question_view.own_result(Answered(longer, tuple(range(8)), "012345"))
    assert told == "**Not quite**: right up to line 6 of 7."
