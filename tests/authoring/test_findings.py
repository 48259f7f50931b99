"""Findings of lint in a valid bank."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.authoring.allowed import ALLOWED
from bot.authoring.commands import lint_files, stats
from bot.authoring.findings import Finding, lint
from bot.questions.model import Bank, Choice, Decoy, Topic
from tests.shipped import bank, first_topic, in_order


def findings(**changes: object) -> list[str]:
    """Return the findings (field and message) in the first section with a formula after its item is
    changed."""
    section, topic, item = next(
        (s, t, i)
        for s in bank().sections
        for t in s.topics
        for i in t.items
        if i.formula is not None
    )
    changed_item = replace(item, **changes)  # type: ignore[arg-type]
    changed = replace(topic, items=tuple(changed_item if i is item else i for i in topic.items))
    topics = tuple(changed if t is topic else t for t in section.topics)
    changed_bank = Bank("Changed", (replace(section, topics=topics),))
    return [
        f"{finding.path[-1]}: {finding.message}"
        for finding in lint(changed_bank)
        if finding.path and finding.rule != "twins"
    ]


def first() -> Topic:
    return next(iter(bank().topics.values()))


def test_a_formula_needs_words() -> None:
    """A formula needs a spoken form, for those who can't see its picture."""
    assert findings() == []
    assert findings(spoken=None) == ["formula: a screen reader can't read this formula"]


@pytest.mark.parametrize("spoken", ["x_i", "e^x", r"\\frac a b", "the {sum}"])
def test_words_are_not_latex(spoken: str) -> None:
    """Read aloud, LaTeX is noise."""
    assert findings(spoken=spoken) == ["spoken: has LaTeX in it"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("prompt", {"prompt": "The model is trained without regularization. What is seen?"}),
        ("explanation", {"explanation": "Nowadays nobody trains without regularization."}),
    ],
)
def test_habits_are_named_at_their_place(field: str, changes: dict[str, str]) -> None:
    """A choice that the prompt rules out and a word that ages are reported at their place."""
    about = (
        Choice("It fits", True, "Because it can."),
        *[Choice("Regularization bites", False, "It's off.")] * 3,
    )
    assert any(found.startswith(f"{field}: ") for found in findings(choices=about, **changes))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"lines": ("x " * 23 + "x", *in_order().lines[1:])}, ["lines: has a line of 47 columns"]),
        (
            {"lines": (*in_order().lines[:5], "else:")},
            ['5: "else:" has its place by its form alone'],
        ),
        ({"orders": ("102345",) * 12}, ["orders: 13 orders of its lines are right"]),
        (
            {"decoys": (Decoy("import numpy", "There is nothing to import."),)},
            ['0: "import numpy" is like no line of the code, so it sticks out'],
        ),
        ({"decoys": (Decoy("    a -= b", "No."),)}, ["why: gives no reason"]),
    ],
)
def test_findings_in_code_to_put_in_order(changes: dict[str, Any], found: list[str]) -> None:
    """A line that fits one place by its form, and a decoy that nobody takes for a line, teach nothing."""
    why = (Decoy("    a -= b", "Then the loop would never end."),)
    code = replace(in_order(topic=first().id), decoys=why)
    code = replace(code, **changes)
    topic = replace(first(), items=(*first().items, code))
    section = replace(bank().sections[0], topics=(topic,))
    place = ("sections", 0, "topics", 0, "items", len(first().items))
    assert [
        f"{finding.path[-1]}: {finding.message}"
        for finding in lint(Bank("Code", (section,)))
        if finding.path[: len(place)] == place
    ] == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"code": "x" * 47}, "code: has a line of 47 columns"),
        ({"explanation": "It grows, as each step adds."}, 'explanation: "as each step" sounds'),
        ({"prompt": "Which rule is it by which a head drops?"}, 'prompt: "by which" sounds'),
        ({"kind": "multiple"}, "choices: 1 of 4 choices are right"),
    ],
)
def test_habits_of_earlier_editions(changes: dict[str, object], found: str) -> None:
    """Code that no phone shows, words that nobody says, and one right choice of several are named."""
    choices = tuple(Choice(f"Choice {n}", n == 0, f"Because of {n}.") for n in range(4))
    assert any(finding.startswith(found) for finding in findings(choices=choices, **changes))


def _copied(number: int, **changes: object) -> Bank:
    """Make a bank of the first topic, with the same choices for some of its choice items."""
    section = bank().sections[0]
    topic = section.topics[0]
    some = [item for item in topic.items if item.kind == "choice"][:number]
    items = tuple(
        replace(item, choices=some[0].choices, **changes)  # type: ignore[arg-type]
        if item in some
        else item
        for item in topic.items
    )
    return Bank("Copied", (replace(section, topics=(replace(topic, items=items),)),))


@pytest.mark.parametrize(("number", "named"), [(1, 0), (2, 0), (3, 1), (4, 2)])
def test_a_set_of_choices_serves_a_pair_at_most(number: int, named: int) -> None:
    """The third item with the same choices is named, and each one after it."""
    found = [f for f in lint(_copied(number)) if f.message.startswith("has the choices of")]
    assert len(found) == named


def test_few_prompts_name_authors() -> None:
    """At most one prompt in twelve says "et al."."""
    named = lint(_copied(2, prompt="What do Smith et al. find?"))
    assert any('of the prompts say "et al."' in finding.message for finding in named)


def test_what_another_pack_asks_may_not_be_asked_again() -> None:
    """A pack's item that is like one of a pack before it is a finding of the later pack."""
    early, late = (
        Bank(name, (section,)) for name, section in zip("ab", bank().sections[:2], strict=True)
    )
    copied = replace(next(iter(early.items.values())), id="copy")
    found = lint(late, earlier=[*early.items.values(), copied])
    assert found == []  # problems of other packs are not this pack's fault
    topic = late.sections[0].topics[0]
    topics = (replace(topic, items=(*topic.items, copied)), *late.sections[0].topics[1:])
    again = Bank("again", (replace(late.sections[0], topics=topics),))
    (twin,) = (f for f in lint(again, earlier=list(early.items.values())) if f.rule == "twins")
    assert twin.path == ("sections", 0, "topics", 0, "items", len(topic.items), "prompt")
    assert twin.about[1] == "copy"


def test_only_what_is_listed_is_allowed() -> None:
    """An exception names the rule and all ids; another item's finding of the same rule stays."""
    rule, *about = next(iter(ALLOWED))
    assert Finding((), "", "", rule, tuple(about)).allowed
    assert not Finding((), "", "", rule, ("another",)).allowed
    assert not Finding((), "", "").allowed


def test_the_commands_go_through_all_packs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`bank lint` compares a file with those before it, and `bank stats` counts each pack and all of them."""
    first, second = first_topic(), first_topic()
    topic = second["sections"][0]["topics"][0]
    topic["id"], topic["title"] = "copied", "Copied"
    del topic["number"]
    for one in topic["items"]:
        one["id"] = f"copied-{one['id']}"
    paths = [tmp_path / "first.json", tmp_path / "second.json"]
    for path, document in zip(paths, (first, second), strict=True):
        path.write_text(json.dumps(document), "utf-8")
    lint_files(paths[:1])
    assert "asks much the same" not in capsys.readouterr().out
    assert lint_files(paths) == 1
    twins = [
        line for line in capsys.readouterr().out.splitlines() if "asks much the same as" in line
    ]
    assert len(twins) >= sum(one["kind"] != "order" for one in topic["items"])
    assert all(line.startswith(f"{paths[1]}:") for line in twins)
    stats(paths)
    heads = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert [head.split(" (")[0] for head in heads] == ["pack first", "pack second", "all packs"]


@pytest.mark.parametrize(
    ("opposites", "message"),
    [
        (("It is fast.", "It is slow."), None),
        (("It is fast.",), "only 1 opposites"),
        (("It is fast. " * 9, "It is slow."), "the first opposite has 108 characters"),
        (("{text}", "It is slow."), '"{text}" is a right wording too'),
    ],
)
def test_opposites_of_key_points(opposites: tuple[str, ...], message: str | None) -> None:
    """Two or more, the first one short, and none of them a wording of the point itself."""
    section = bank().sections[0]
    topic = section.topics[0]
    text = topic.key_points[0].accept[0]
    point = replace(
        topic.key_points[0], opposites=tuple(one.format(text=text) for one in opposites)
    )
    changed = replace(topic, key_points=(point, *topic.key_points[1:]))
    made = Bank("Changed", (replace(section, topics=(changed, *section.topics[1:])),))
    found = [one.message for one in lint(made) if "opposites" in one.path]
    assert found == ([message.format(text=text)] if message else [])
