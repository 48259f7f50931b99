"""Small banks for tests."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bot.questions.model import (
    Bank,
    Case,
    Choice,
    FollowUp,
    Item,
    KeyPoint,
    Reference,
    Section,
    Topic,
)


def small_bank(topics: int = 3) -> Bank:
    """Two sections with topics `t1`, `t2`, ... of four items each: two choices, one multiple, one typed."""
    made = [_topic(n) for n in range(1, topics + 1)]
    return Bank(
        "Small",
        (
            Section("first", "First", tuple(made[::2])),
            Section("second", "Second", tuple(made[1::2])),
        ),
    )


SPLIT_BY_TIME = "Train on the past and test on what came later. Leave a gap between both, so that no window overlaps."


def teaching_bank() -> Bank:
    """Like `small_bank`, but the open questions have key points that sentences can be told apart by."""
    bank = small_bank(4)
    return Bank(
        bank.title, tuple(replace(s, topics=tuple(map(_taught, s.topics))) for s in bank.sections)
    )


def small_case(case_id: str, *topic_ids: str) -> Case:
    """A case whose steps have the key points of `teaching_bank`, and that leans on these topics."""
    taught = _taught(_topic(1))
    steps = tuple(
        replace(
            taught,
            id=f"{case_id}.{n}",
            title=f"Step {n} of {case_id}",
            setting=f"So far {case_id} took {n - 1} steps.",
            question=f"What would you do in step {n}?",
            items=(),
        )
        for n in range(1, 5)
    )
    return Case(case_id, f"The case of {case_id}", "search", topic_ids, steps)


def _taught(topic: Topic) -> Topic:
    return replace(
        topic,
        question="Why does a learner split its data?",
        answer="So that it is tested on what it has not seen.",
        key_points=(
            KeyPoint(
                "Held-out rows estimate the error on unseen cases",
                ("a test set measures generalisation",),
            ),
            KeyPoint(
                "Tuning on the test set leaks its labels",
                ("choose settings on a validation part instead",),
            ),
            KeyPoint(
                "Groups must not be spread over both sides", ("the same patient stays on one side",)
            ),
        ),
        follow_ups=(
            FollowUp(
                "weak",
                "What does a test tell?",
                "How a model does on cases that it has never seen.",
            ),
            FollowUp(
                "fair",
                "What may be tuned on what?",
                "Settings on a validation part; nothing on the test set.",
            ),
            FollowUp("strong", "How would you split a time series?", SPLIT_BY_TIME),
        ),
    )


def _topic(n: int) -> Topic:
    topic_id = f"t{n}"

    def choices(right: int) -> tuple[Choice, ...]:
        return tuple(Choice(f"choice {i}", i < right, f"because {i}") for i in range(4))

    items = (
        Item(f"{topic_id}-a", topic_id, "choice", 1, "Which?", "This.", choices(1)),
        Item(f"{topic_id}-b", topic_id, "choice", 3, "Which then?", "That.", choices(1)),
        Item(f"{topic_id}-c", topic_id, "multiple", 4 + n % 2, "Which ones?", "These.", choices(2)),
        Item(
            f"{topic_id}-d",
            topic_id,
            "typed",
            2,
            "What is it called?",
            "So.",
            accept=("attention",),
        ),
    )
    return Topic(
        id=topic_id,
        section_id="first" if n % 2 else "second",
        number=n,
        title=f"Topic {n}",
        question="Why?",
        answer="Therefore.",
        key_points=(KeyPoint("a point", ("the point",)),),
        follow_ups=(FollowUp("weak", "Really?", "It is so because of that."),),
        references=(Reference("A paper", "https://example.org"),),
        items=items,
    )


def tiny_document() -> dict[str, Any]:
    """A valid document with one topic, one choice item and one typed item."""
    choice = {
        "id": "one-choice",
        "kind": "choice",
        "difficulty": 2,
        "prompt": "Which?",
        "choices": [
            {"text": "This", "correct": True, "why": "Because."},
            {"text": "That", "correct": False, "why": "No."},
        ],
        "explanation": "So it is.",
        "formula": "x^2",
        "spoken": "x squared",
        "code": "y = x * x",
        "language": "python",
        "as_of": "2026-05",
    }
    typed = {
        "id": "one-typed",
        "kind": "typed",
        "difficulty": 5,
        "prompt": "How many?",
        "accept": ["2", "two"],
        "unit": "GB",
        "tolerance": 10,
        "explanation": "Count.",
    }
    topic = {
        "id": "one-topic",
        "title": "One topic",
        "weight": 3,
        "question": "What is it?",
        "answer": "This.",
        "key_points": [{"text": f"Point {n}", "accept": [f"p{n}", f"q{n}"]} for n in range(3)],
        "follow_ups": [{"when": "weak", "question": "And why?"}],
        "references": [{"title": "A page", "url": "https://example.org/x"}],
        "items": [choice, typed],
    }
    sections = [{"id": "one-section", "title": "One section", "topics": [topic]}]
    return {"version": 1, "title": "Tiny", "sections": sections}
