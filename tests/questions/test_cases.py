"""Cases are read whole, and a bad file is refused with every problem at its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.authoring.commands import lint_files, show
from bot.authoring.findings import case_findings
from bot.questions.bank import cases_file, data_dir, parse_cases
from bot.questions.check import BankError
from bot.questions.model import Bank
from tests.shipped import packs


def document() -> Any:
    """The shipped cases as parsed JSON, without all but the first; each call gives a new one."""
    whole = json.loads(cases_file().read_text("utf-8"))
    return {**whole, "cases": whole["cases"][:1]}


def problems(data: Any) -> str:
    """Return the problems of a document with cases, one a line; nothing if it is valid."""
    try:
        parse_cases(json.dumps(data).encode(), packs().topics)
    except BankError as error:
        return str(error)
    return ""


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(json.loads((data_dir() / "cases.schema.json").read_text()))


def test_the_shipped_cases() -> None:
    """They have no problem. A step is a topic of its own, whose setting carries on from the last one."""
    found = parse_cases(cases_file().read_bytes(), packs().topics)
    bank = Bank("", (), cases=found)
    for case, data in zip(found, json.loads(cases_file().read_text("utf-8"))["cases"], strict=True):
        told = [data["opening"], *(step["after"] for step in data["steps"][:3])]
        assert [step.setting for step in case.steps] == told
        assert [step.question for step in case.steps] == [step["ask"] for step in data["steps"]]
        assert [bank.step(f"{case.id}.{n}") for n in (1, 2, 3, 4)] == list(case.steps)
        assert bank.case(case.id) == case
    assert (bank.step("none.1"), bank.step(f"{found[0].id}.5"), bank.case(None)) == (None,) * 3


def _first(data: Any) -> Any:
    return data["cases"][0]


def _step(data: Any, number: int) -> Any:
    return _first(data)["steps"][number - 1]


BROKEN: dict[str, Callable[[Any], object]] = {
    '"opening" is missing': lambda data: _first(data).pop("opening"),
    "steps: has 3 entries; at least 4": lambda data: _first(data)["steps"].pop(1),
    'step 2: "after" is missing': lambda data: _step(data, 2).pop("after"),
    'step 4: the last step has no "after"': lambda data: _step(data, 4).update(after="So."),
    "step 1, key_points: has 3 entries; at least 4": lambda data: _step(data, 1).update(
        key_points=_step(data, 1)["key_points"][:3]
    ),
    "topic 2: is 'nowhere'": lambda data: _first(data).update(topics=["rag-steps", "nowhere"]),
    "is that of a topic": lambda data: _first(data).update(id="rag-steps"),
    "id: must be lower-case words": lambda data: _first(data).update(id="a-case.1"),
    "id: has 41 characters; 40 are": lambda data: _first(data).update(id="x" * 41),
    "is already used by case": lambda data: data["cases"].append(_first(data)),
    "area: is 'sports' but must be one of": lambda data: _first(data).update(area="sports"),
    'key point 1: "points" is not known': lambda data: _step(data, 3)["key_points"][0].update(
        points=1
    ),
    "must be an object, not a text": lambda data: _first(data)["steps"].__setitem__(0, "text"),
}


@pytest.mark.parametrize("words", BROKEN)
def test_what_is_wrong_is_named_at_its_place(words: str) -> None:
    data = document()
    assert problems(data) == ""
    BROKEN[words](data)
    assert words in problems(data)


def test_topics_that_an_operators_bank_lacks() -> None:
    """They keep nobody's bot from starting: such a case is only not offered."""
    data = document()
    _first(data)["topics"] = ["nowhere"]
    assert parse_cases(json.dumps(data).encode())[0].topics == ("nowhere",)


SHORTENED: dict[str, Callable[[Any], object]] = {
    "opening: has 1 words": lambda data: _first(data).update(opening="So."),
    "step 2, ask: has 91 words": lambda data: _step(data, 2).update(ask="word " * 91),
    "step 3, answer: has 1 words": lambda data: _step(data, 3).update(answer="So."),
    "key point 2: only 0 opposites": lambda data: _step(data, 4)["key_points"][1].pop("opposites"),
    'ask: "by which" sounds translated': lambda data: _step(data, 1).update(
        ask="Name the way by which it works."
    ),
}


@pytest.mark.parametrize("words", SHORTENED)
def test_what_an_editor_would_change(
    words: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is listed with its line."""
    data = document()
    SHORTENED[words](data)
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(data, indent=2), "utf-8")
    assert lint_files([path]) == 1
    shown = capsys.readouterr().out
    assert words in shown
    assert shown.endswith("1 findings in cases.json\n")
    assert case_findings(parse_cases(json.dumps(document()).encode())) == []


def test_a_case_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    case = _first(document())
    show([], case["id"])
    shown = capsys.readouterr().out
    for step in case["steps"]:
        for text in (
            step["ask"],
            step["answer"],
            step.get("after", ""),
            step["key_points"][3]["text"],
        ):
            assert text in shown
