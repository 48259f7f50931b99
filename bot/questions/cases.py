"""Makes cases of a parsed JSON document, or lists everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import convert

from bot.questions.check import Place, Violation, entries, place, problems_in, refuse
from bot.questions.model import Case, Topic


def read_cases(
    data: Any, schema: Mapping[str, Any], topics: Collection[str] | None
) -> tuple[Case, ...]:
    """Check a document by the schema and by rules that no schema can express; raises BankError.

    `topics` are the ids of the bank's topics; None if it may lack some that cases lean on.
    """
    rules = partial(_violations, topics=topics)
    refuse(problems_in(data, schema, partial(place, data), rules))
    return make_cases(data)


def _violations(data: Any, where: Place, topics: Collection[str] | None) -> Iterator[Violation]:
    """Yield where a possibly invalid document breaks the rules of cases."""
    first: dict[str, int] = {}
    for c, case in entries(data, "cases"):
        case_id, leans_on = case.get("id"), case.get("topics")
        if isinstance(case_id, str):
            if first.setdefault(case_id, c) != c:
                path = ("cases", first[case_id])
                yield ("cases", c), f"case id {case_id!r} is already used by {where(path)}"
            if case_id in (topics or ()):
                yield ("cases", c), f"case id {case_id!r} is that of a topic"
        for n, topic_id in enumerate(leans_on if isinstance(leans_on, list) else ()):
            if topics is not None and isinstance(topic_id, str) and topic_id not in topics:
                yield ("cases", c, "topics", n), f"is {topic_id!r}, which no pack has"
        steps = list(entries(case, "steps"))
        for n, step in steps:
            if (n + 1 < len(steps)) != ("after" in step):
                wrong = (
                    '"after" is missing' if n + 1 < len(steps) else 'the last step has no "after"'
                )
                yield ("cases", c, "steps", n), wrong


def make_cases(data: Mapping[str, Any]) -> tuple[Case, ...]:
    """Make the cases of a document that `read_cases` accepts."""
    return tuple(_case(each) for each in data["cases"])


def _case(data: Mapping[str, Any]) -> Case:
    steps, setting = [], data["opening"]
    for n, step in enumerate(data["steps"], start=1):
        topic = {
            "id": f"{data['id']}.{n}",
            "section_id": data["area"],
            "number": None,
            "title": step["title"],
            "setting": setting,
            "question": step["ask"],
            "answer": step["answer"],
            "key_points": step["key_points"],
            "follow_ups": [{"when": "fair", **step["follow_up"]}],
            "references": data["references"],
        }
        steps.append(convert(topic, Topic))
        setting = step.get("after", "")
    return Case(data["id"], data["title"], data["area"], tuple(data["topics"]), tuple(steps))
