"""Turning suggestions into questions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.bank.forms import item_from
from bot.suggestions.rules import DEFAULT_TOPIC, SuggestedQuestion, form_of, normalized

LINES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)


def test_a_choice_question() -> None:
    """The right answer comes first with the author's reason; wrong ones name the right answer."""
    question = normalized(
        SuggestedQuestion(
            "  Which? ", " This  one ", "That\n\n  Those \n", "It is.\nSo.", " arXiv "
        )
    )
    assert question == SuggestedQuestion(
        "Which?", "This one", "That\nThose", "It is.\nSo.", "arXiv"
    )
    form = form_of(question)
    assert (form.topic, form.explanation) == (DEFAULT_TOPIC, "It is.\nSo.\n\nSource: arXiv")
    item = item_from(form)
    assert item["kind"] == "choice"
    assert [choice["text"] for choice in item["choices"]] == ["This one", "That", "Those"]
    assert [choice["correct"] for choice in item["choices"]] == [True, False, False]
    assert item["choices"][0]["why"] == "It is. So."
    assert item["choices"][1]["why"] == "The right answer is: This one"


def test_a_typed_question() -> None:
    """Without wrong answers the answer is typed; without a source the explanation has none."""
    form = form_of(normalized(SuggestedQuestion("Which?", "AdamW", " \n ", "It is.", "")))
    assert (item_from(form)["kind"], item_from(form)["accept"], form.explanation) == (
        "typed",
        ["AdamW"],
        "It is.",
    )


@given(answer=LINES, wrong=st.lists(LINES, min_size=1, max_size=5))
def test_answers_with_special_characters(answer: str, wrong: list[str]) -> None:
    """Whatever answers begin with, their text and order stay."""
    item = item_from(
        form_of(normalized(SuggestedQuestion("Which?", answer, "\n".join(wrong), "It is.", "")))
    )
    assert [choice["text"] for choice in item["choices"]] == [answer, *wrong]
