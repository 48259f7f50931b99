"""Which answers are right, and how answers are stored."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.limits import MAX_TYPED
from bot.questions.answers import (
    Outcome,
    almost,
    count_answers,
    decode_order,
    decode_picks,
    encode_order,
    encode_picks,
    is_right,
    letters,
    nearest_order,
    right_up_to,
)
from bot.questions.model import Item
from bot.questions.typed import matches, normal_form, quantity
from tests.questions.terms import OPPOSITES, SAME, WRONG
from tests.shipped import bank, in_order, item, typed

TYPED = [i for i in bank().items.values() if i.kind == "typed"]


# ------------------------------------------------------------------ picks and orders


@given(st.sets(st.integers(0, 5)), st.permutations(range(6)))
def test_what_is_stored_comes_back(picks: set[int], order: list[int]) -> None:
    """Picks and orders survive storing; picks are stored once each, in rising order."""
    assert encode_picks([*sorted(picks, reverse=True), *picks]) == "".join(map(str, sorted(picks)))
    assert decode_picks(encode_picks(picks)) == picks
    assert decode_order(encode_order(order)) == tuple(order)


def test_letters_are_those_on_the_card() -> None:
    """A member reads the letters under which the choices were shown, in the order of the card."""
    assert letters([0], (2, 0, 3, 1)) == "B"
    assert letters([1, 2], (2, 0, 3, 1)) == "A and D"
    assert letters([1, 2, 0], (2, 0, 3, 1)) == "A, B and D"
    assert letters([], (0, 1)) == ""


@given(picks=st.sets(st.integers(0, 4), min_size=1), right=st.sets(st.integers(0, 4), min_size=1))
def test_almost_is_one_tick_away(picks: set[int], right: set[int]) -> None:
    """An answer with some of the right choices was close if one tick more or less had made it right."""
    marks = "".join("Y" if n in right else "N" for n in range(5))
    found = almost(item(kind="multiple", choices=marks), encode_picks(picks))
    one_off = any(picks ^ {n} == right for n in range(5))
    assert found == ((len(picks & right), len(right)) if one_off and picks & right else None)
    assert almost(item(choices="YNNN"), "1") is None


def test_all_right_choices_and_no_other() -> None:
    """A multiple item needs exactly the right choices: neither some of them nor one too many."""
    one = item(kind="multiple", choices="YNYN")
    assert is_right(one, "02")
    assert not any(
        is_right(one, wrong) for wrong in ("0", "2", "1", "012", "023", "0123", "13", "")
    )


@given(st.permutations(range(7)).map(lambda order: encode_order(order[:6])))
@example("012345")
@example("102345")
@example("102346")
def test_code_is_right_in_a_right_order(answer: str) -> None:
    """It is the bank's own or another one; else it is right as far as the nearest one goes, which the
    member reads as the right one."""
    one = in_order()
    assert is_right(one, answer) is (answer in {"012345", "102345"})
    number = right_up_to(one, answer)
    assert any(order.startswith(answer[:number]) for order in one.right_orders)
    assert not any(order.startswith(answer[: number + 1]) for order in one.right_orders) or (
        number == 6
    )
    lines = [one.pieces[int(n)] for n in answer]
    assert nearest_order(one, answer)[:number] == lines[:number]


def test_decoys_are_counted() -> None:
    """Of all answers the ones with a line that doesn't belong are counted, and no other line."""
    given = [("012345", True), ("612345", False), ("016345", False)]
    assert count_answers(in_order(), given) == Outcome(3, 1, {6: 2})


def estimate(accept: str, unit: str | None, tolerance: int, prompt: str = "How much?") -> Item:
    return replace(typed(accept), unit=unit, tolerance=tolerance, prompt=prompt)


@pytest.mark.parametrize(
    "sizes",
    [
        "1000 ns = 1 us, 1000 microseconds = 1 ms, 1000 ms = 1 second, 60 s = 1 min, 60 minutes = 1 h",
        "24 hours = 1 day, 7 d = 1 week, 12 months = 1 year, 365.25 days = 1 year",
        "1000 bytes = 1 kB, 1000 kB = 1 MB, 1000 MB = 1 GB, 1000 GB = 1 TB, 1000 TB = 1 PB",
        "1024 bytes = 1 KiB, 1024 KiB = 1 MiB, 1024 MiB = 1 GiB, 1024 GiB = 1 TiB",
    ],
)
def test_sizes_of_units(sizes: str) -> None:
    """A number may be given in another unit of the same measure."""
    for one in sizes.split(", "):
        given, wanted = one.split(" = ")
        number, unit = wanted.split()
        assert is_right(estimate(number, unit, 0), given), one
        assert not is_right(estimate(number, unit, 1), f"2{given}"), one


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("40", True), ("42", True), ("44 GB", True), ("about 38 gigabytes", True), ("40,000 MB", True),
        ("0.04 TB", True), ("4e10 bytes", True), ("45", False), ("40 MB", False), ("40 seconds", False),
        ("40 layers", False), ("-40", False), ("forty-ish", False), ("", False),
    ],
)  # fmt: skip
def test_a_number_may_be_near_and_in_a_related_unit(text: str, right: bool) -> None:
    """Within the tolerance, and in any unit that measures the same, an estimate is right."""
    assert is_right(estimate("40", "GB", 10), text) is right


def test_counted_things_may_be_named() -> None:
    """A count may come with the word that the question or the unit has, and with no other."""
    asked = estimate("300", "tokens", 5, "How many tokens per second does a GPU give?")
    assert all(is_right(asked, text) for text in ("300", "310 tokens", "290 tokens per second"))
    assert not any(is_right(asked, text) for text in ("300 GPU hours", "300 ms", "400 tokens"))
    billions = estimate("9.5", "billion", 5, "How many billion parameters?")
    given = ("9.5", "9.4B", "9.5 billion", "9.5 billion parameters", "9,500,000,000", "9.6e9")
    assert all(is_right(billions, text) for text in given)
    assert not any(is_right(billions, text) for text in ("9.5 million", "9.5 GB", "9.5 trillion"))
    assert is_right(estimate("300", "GB/s", 5), "0.3 TB per second")
    assert not is_right(estimate("300", "GB/s", 5), "300 GB")
    assert is_right(estimate("16", "times", 5), "16x")
    assert is_right(estimate("25", "%", 4), "26 percent")
    assert not is_right(estimate("25", "%", 4), "0.25")


def test_without_tolerance_a_number_with_a_unit_is_exact() -> None:
    """The unit may be left out or be another one; the number may not differ."""
    assert is_right(estimate("2", "hours", 0), "120 min")
    assert not is_right(estimate("2", "hours", 0), "121 min")
    assert not is_right(typed("2"), "2 hours")


# ------------------------------------------------------------------ words


def test_right_answers() -> None:
    """Answers that mean an accepted form are right, however they are written."""
    pairs = [*SAME, ("  multi-query   ATTENTION ", "multi-query attention"), (" 17 ", "17")]
    assert [pair for pair in pairs if not matches(pair[0], [pair[1]])] == []


def test_wrong_answers() -> None:
    """Answers that mean something else are wrong, however few letters differ; so is an empty one."""
    opposites = [*OPPOSITES, *((other, one) for one, other in OPPOSITES)]
    pairs = [*opposites, *WRONG, ("", "attention"), ("   ", "attention")]
    assert [pair for pair in pairs if matches(pair[0], [pair[1]])] == []


def test_one_of_several_forms_is_enough() -> None:
    """An answer needs to be one of the accepted forms; without any form nothing is right."""
    assert matches("MQA", ["multi-query attention", "MQA"])
    assert not matches("MQA", ["multi-query attention"])
    assert not matches("MQA", [])


words = st.text(string.ascii_lowercase, min_size=9, max_size=14)


@given(word=words, place=st.integers(1, 8), letter=st.sampled_from(string.ascii_lowercase))
def test_one_wrong_letter_inside_a_long_word(word: str, place: int, letter: str) -> None:
    """Any letter after the first of a word of nine or more may be wrong, if that makes or unmakes no negation."""
    slip = word[:place] + letter + word[place + 1 :]
    assume(
        not re.match("un|no[nt]|never|without", word)
        and not re.match("un|no[nt]|never|without", slip)
    )
    assume(not re.search("teen|hundred|thousand|illion", word + slip))  # number words are exact
    assert matches(slip, [word])


@given(
    word=words,
    prefix=st.sampled_from(["not ", "no ", "un", "non-", "a", "anti", "never ", "without "]),
)
def test_a_prefix_never_passes(word: str, prefix: str) -> None:
    """Whatever is put before a word to turn it round makes it another answer, in both directions."""
    assume(normal_form(prefix + word) != normal_form(word))
    assert not matches(prefix + word, [word])
    assert not matches(word, [prefix + word])


@given(word=words, rest=words)
def test_more_words_never_pass(word: str, rest: str) -> None:
    """The accepted word among others is not the accepted word."""
    assert not matches(f"{word} {rest}", [word])
    assert not matches(f"{rest} {word}", [word])


@given(st.text(max_size=2 * MAX_TYPED))
def test_any_text_can_be_judged(text: str) -> None:
    """Nothing that a member can type is an error, and any text is right where the bank accepts just that."""
    assume(text.strip())
    assert matches(f" {text}\n", ["attention", text])
    assert matches(text, ["attention"]) <= (normal_form(text)[:1] == "a")


@given(st.text(alphabet="aàA .,-+%0123'’()[]/−", max_size=30))
def test_the_normal_form_is_its_own(text: str) -> None:
    """A normal form has no case, no accents and no double spaces."""
    form = normal_form(text)
    assert form == form.casefold() == " ".join(form.split())
    assert not set(form) & set("àA,()[]'’−%")


# ------------------------------------------------------------------ numbers


@given(first=st.integers(0, 99_999), second=st.integers(0, 99_999))
def test_whole_numbers_match_only_themselves(first: int, second: int) -> None:
    """Of two whole numbers one is right for the other exactly if they are the same."""
    assert matches(str(first), [str(second)]) == (first == second)
    assert matches(f"{first:,}", [str(second)]) == (first == second)


decimals = st.decimals(0, 1000, places=2).map(str)


@given(first=decimals, second=decimals, unit=st.sampled_from(["", "%", " bits"]))
def test_decimals_match_only_themselves(first: str, second: str, unit: str) -> None:
    """Of two decimals with the same unit one is right for the other exactly if they are the same."""
    assert matches(first + unit, [second + unit]) == (first == second)


# ------------------------------------------------------------------ the shipped bank


def test_every_accepted_answer_of_the_bank_is_accepted() -> None:
    """Each form that an item lists is right, in upper case and between spaces as well."""
    for one in TYPED:
        for form in one.accept:
            assert is_right(one, form), (one.id, form)
            assert is_right(one, f"  {form.upper()} "), (one.id, form)


@pytest.mark.parametrize("most", [3, pytest.param(None, marks=pytest.mark.thorough)])
def test_no_answer_of_one_item_is_right_for_an_unrelated_one(most: int | None) -> None:
    """A word that answers one item of the bank is right for another only if both list it."""
    forms = {one.id: {normal_form(form) for form in one.accept} for one in TYPED}
    for one in TYPED:
        unrelated = [other for other in TYPED if not forms[one.id] & forms[other.id]]
        accepted = [form for other in unrelated for form in other.accept]
        for form in one.accept[:most]:
            assert quantity(form) or not matches(form, accepted), (one.id, form)
