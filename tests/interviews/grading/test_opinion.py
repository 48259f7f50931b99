"""The request to a chat model, and how its reply is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interviews.grading.opinion import SYSTEM, build_request, read_reply
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, Ruling, Verdict

POINT = PointToCheck(
    "Logits are divided by T", ("scales the scores",), ("Logits are multiplied by T",), "Well."
)


def reply_with(*entries: object) -> str:
    return json.dumps({"points": entries})


def entry(number: object = 2, verdict: object = "says", quote: object = "so") -> dict[str, object]:
    return {"id": number, "verdict": verdict, "quote": quote}


@given(st.text())
def test_the_answer_stays_in_its_field(text: str) -> None:
    """Whatever an answer contains, including quotes and brackets, it is one JSON value."""
    data = json.loads(build_request("Why?", {2: POINT}, text))
    point = {
        "id": 2,
        "text": POINT.text,
        "also_worded": ["scales the scores"],
        "opposites": ["Logits are multiplied by T"],
    }
    assert data == {"question": "Why?", "key_points": [point], "answer": text}


def test_rulings_by_point() -> None:
    """Each point has one, in any order."""
    reply = reply_with(entry(2), entry(5, "neither", ""), entry(4, "opposite", "not so"))
    assert read_reply(reply, [2, 4, 5]) == {
        2: Ruling(Verdict.SAYS, "so"),
        4: Ruling(Verdict.OPPOSITE, "not so"),
        5: Ruling(Verdict.NEITHER),
    }
    (number,) = read_reply(
        reply_with({**entry(2), "id": 2.0}), [2]
    )  # JSON Schema calls 2.0 an integer
    assert isinstance(number, int)


def test_the_rules_name_all_verdicts() -> None:
    """Their example of a reply can be read."""
    assert [verdict for verdict in Verdict if f"{verdict}, if" not in SYSTEM] == []
    example = "{" + SYSTEM.partition("{")[2]
    assert read_reply(example, [1]) == {1: Ruling(Verdict.SAYS, "words of the answer")}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "All points are said.",
        "```json\n" + reply_with(entry()) + "\n```",
        "[" * 100_000,
        "null",
        "{}",
        reply_with(),
        reply_with(entry(3)),
        reply_with(entry(), entry()),
        reply_with(entry(number=True)),
        reply_with(entry(verdict="covered")),
        reply_with(entry(verdict=True)),
        reply_with(entry(quote=None)),
        reply_with({"id": 2, "verdict": "says"}),
        reply_with({**entry(), "score": 100}),
        json.dumps({"points": [entry()], "score": 100}),
        json.dumps({"points": {"2": entry()}}),
    ],
)
def test_invalid_replies_are_refused(reply: str) -> None:
    """Surrounding text, other points than asked about, wrong types and further fields are refused."""
    with pytest.raises(NoOpinion):
        read_reply(reply, [2])
