"""From what a member writes to the question that comes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.bank.forms import item_from
from bot.suggestions.rules import TOPIC, Written, clean, form_of

LINES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)


def test_a_choice_question() -> None:
    """The right answer comes first with its author's reason; each wrong one says what is right."""
    written = clean(
        Written("  Which? ", " This  one ", "That\n\n  Those \n", "It is.\nSo.", " arXiv ")
    )
    assert written == Written("Which?", "This one", "That\nThose", "It is.\nSo.", "arXiv")
    form = form_of(written)
    assert (form.topic, form.explanation) == (TOPIC, "It is.\nSo.\n\nSource: arXiv")
    item = item_from(form)
    assert item["kind"] == "choice"
    assert [choice["text"] for choice in item["choices"]] == ["This one", "That", "Those"]
    assert [choice["correct"] for choice in item["choices"]] == [True, False, False]
    assert item["choices"][0]["why"] == "It is. So."
    assert item["choices"][1]["why"] == "The right answer is: This one"


def test_without_wrong_answers() -> None:
    """It is a question whose answer is typed, with nothing below the reason if no source is named."""
    form = form_of(clean(Written("Which?", "AdamW", " \n ", "It is.", "")))
    assert (item_from(form)["kind"], item_from(form)["accept"], form.explanation) == (
        "typed",
        ["AdamW"],
        "It is.",
    )


@given(answer=LINES, wrong=st.lists(LINES, min_size=1, max_size=5))
def test_signs_in_answers(answer: str, wrong: list[str]) -> None:
    """Whatever signs answers begin with, they stay what they are, in their order."""
    item = item_from(form_of(clean(Written("Which?", answer, "\n".join(wrong), "It is.", ""))))
    assert [choice["text"] for choice in item["choices"]] == [answer, *wrong]
