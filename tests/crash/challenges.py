"""What must hold of challenges after any fault: a question is seen once, nothing is told before the close."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.core.snowflakes import created_at
from tests.loopback.model import Message

if TYPE_CHECKING:
    from tests.crash.invariants import Facts

_ASKED = re.compile(r"(?:answer|choose|write):v1:challenge:(\d+)(?::\d)?")
_GIVEN = re.compile(r"(?:answer|picks|typed):v1:challenge:(\d+)(?::\d)?")
_BETWEEN = re.compile(r"report:v1:challenge:(\d+)")
_LOCKED = re.compile(r"(?:L|You already l)ocked in \*\*(.+?)\*\*[.,]", re.DOTALL)
_SAYS_NOTHING = re.compile(
    r"(Locked in \*\*.+?\*\*\."
    r"|You already locked in \*\*.+?\*\*, and your first answer counts\."
    r"|Question \d+ has no answer from you, so it counts as a miss\.)\n"
    r"(-# \d+ of \d+ done\. The next one has \d+ s once you open it\.\nNext question"
    r"|That was the last one\. The results come <t:\d+:f>(, or as soon as both of you are done)?\.\nSee the card)"
    r"\nReport",
    re.DOTALL,
)
_STANDING = re.compile(r"\*\*(\w+)\*\*(?: · |: )\*\*([\d,]+) points?\*\*")
_MINE = re.compile(r"taken:v1:(\d+):\d+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def challenges(facts: Facts) -> Iterator[str]:
    """Every invariant that does not hold, as a sentence."""
    yield from _cards(facts)
    yield from _takers(facts)
    yield from _secrets(facts)


def _cards(facts: Facts) -> Iterator[str]:
    """One card a challenge, which says nothing of how anyone did until it shows the standings, and then for good."""
    won = _points(facts)
    for row in facts["challenges"]:
        number, state = row["id"], row["state"]
        if state not in {"open", "closed"}:
            yield f"challenge {number} is stuck as {state!r}: {row['detail']}"
        found = facts.public(f"take:v1:{number}")
        found = [m for m in found if any(f"take:v1:{number}" in v.custom_ids for v in m.history)]
        if len(found) != 1 and not (row["ending"] and not found):
            yield f"challenge {number} has {len(found)} cards"
        for card in found:
            if row["message_id"] != card.id and not row["ending"]:
                yield f"challenge {number}: the stored message is {row['message_id']}, the card {card.id}"
            yield from _card(
                card, row, {facts.world.names.get(u, "?"): p for u, p in won[number].items()}
            )


def _card(card: Message, row: Any, won: dict[str, int]) -> Iterator[str]:
    number = row["id"]
    results = [v for v in card.history if f"take:v1:{number}" not in v.custom_ids]
    yield from (
        f"challenge {number}: its open card tells how somebody did"
        for v in card.history
        if v not in results and _STANDING.search(v.text)
    )
    if results and row["state"] not in {"closing", "closed"}:
        yield f"challenge {number} is {row['state']!r}, but its card shows the end"
    if not results and row["state"] == "closed" and not row["ending"]:
        yield f"challenge {number} is closed, but its card is open"
    if results and (len({v.text for v in results}) > 1 or card.history[-1] is not results[-1]):
        yield f"challenge {number} ended in several ways, or its card was turned back"
    if results and len(won) <= 10:
        shown = {
            name: int(points.replace(",", ""))
            for name, points in _STANDING.findall(results[-1].text)
        }
        if shown != won:
            yield f"challenge {number}: the standings say {shown}, the answers {won}"


def _points(facts: Facts) -> dict[int, dict[int, int]]:
    """By challenge: what each member won who answered anything."""
    of = {q["id"]: q["challenge_id"] for q in facts["challenge_questions"]}
    won: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for answer in facts["challenge_answers"]:
        if answer["answer"] is not None:
            won[of[answer["question_id"]]][answer["user_id"]] += answer["points"]
    return won


def _takers(facts: Facts) -> Iterator[str]:
    """Each taker saw each question once at most, in order; what they read was locked in is what is stored."""
    numbers = {q["id"]: (q["challenge_id"], q["number"]) for q in facts["challenge_questions"]}
    stored = {(a["question_id"], a["user_id"]): a for a in facts["challenge_answers"]}
    seen: dict[tuple[int, int], list[int]] = defaultdict(list)
    for message in (
        m for m in facts.world.messages if m.audience is not None and m.id >= facts.since_id
    ):
        for version in message.history:
            asked = {int(match[1]) for i in version.custom_ids if (match := _ASKED.fullmatch(i))}
            for question in asked & numbers.keys():
                challenge_id, number = numbers[question]
                seen[challenge_id, message.audience or 0].append(number)
                if (question, message.audience) not in stored:
                    yield f"{message.audience} was shown question {question}, which is not stored"
            yield from _between(version.text, version.custom_ids, message.audience or 0, stored)
    for (challenge_id, user), shown in seen.items():
        if len(shown) != len(set(shown)):
            yield f"{user} saw a question of challenge {challenge_id} twice: {shown}"
    given = {
        (int(match[1]), act.member_id)
        for act in facts.world.interactions.values()
        if (match := _GIVEN.fullmatch(act.name))
    }
    for key, answer in stored.items():
        if (
            answer["answer"] is not None
            and answer["answered_at"] >= facts.since_ms
            and key not in given
        ):
            yield f"stored but never given: {key} in a challenge"


def _between(
    text: str, custom_ids: tuple[str, ...], user: int, stored: dict[tuple[int, int], Any]
) -> Iterator[str]:
    """A page between two questions says what is stored, and nothing of whether it is right."""
    question = next((int(match[1]) for i in custom_ids if (match := _BETWEEN.fullmatch(i))), None)
    if question is None:
        return
    if not _SAYS_NOTHING.fullmatch(text):
        yield f"{user} read more than that question {question} is locked in: {text!r}"
    locked, answer = _LOCKED.match(text), stored.get((question, user))
    if answer is None or (locked is not None) != (answer["answer"] is not None):
        yield f"acknowledged but not stored, or the other way round: question {question} of {user}, {text!r}"
    elif locked is not None:
        order, given = answer["choice_order"], str(answer["answer"])
        shown = ", ".join(sorted("ABCDEF"[order.index(pick)] for pick in given)) if order else given
        if re.sub(r"\\(.)", r"\1", locked[1]) != shown:
            yield f"{user} locked in {locked[1]!r} in question {question}, stored is {shown!r}"


def _secrets(facts: Facts) -> Iterator[str]:
    """Before the close nobody reads their answers, and nothing else on the server asks the same."""
    closed = {row["id"]: row["closed_at"] or float("inf") for row in facts["challenges"]}
    for act in facts.world.interactions.values():
        if (
            (match := _MINE.fullmatch(act.name))
            and act.reply is not None
            and act.reply.text.startswith("### Your")
        ):
            at = (created_at(act.id) - _EPOCH) / timedelta(milliseconds=1)
            if at < closed.get(int(match[1]), 0):
                yield f"{act.member_id} read their answers in challenge {match[1]} before its close"
    rows = {row["id"]: row for row in facts["challenges"]}
    elsewhere, practised = _asked_on_servers(facts), _practised(facts)
    takers: dict[int, list[Any]] = defaultdict(list)
    for taker in facts["challenge_takers"]:
        takers[taker["challenge_id"]].append(taker)
    for question in (q for q in facts["challenge_questions"] if q["challenge_id"] in rows):
        row, item, end = (
            rows[question["challenge_id"]],
            question["item_id"],
            closed[question["challenge_id"]],
        )
        if any(row["started_at"] < at < end for at in elsewhere[row["guild_id"], item]):
            yield f"{item} of challenge {row['id']} was asked on its server before the close"
        for taker in takers[row["id"]]:
            if any(taker["began_at"] < at < end for at in practised[taker["user_id"], item]):
                yield f"{taker['user_id']} practised {item} of challenge {row['id']} before its close"


def _asked_on_servers(facts: Facts) -> dict[tuple[int, str], list[int]]:
    """When rounds and dailies asked what, by server and item."""
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    servers = {row["id"]: row["guild_id"] for row in facts["rounds"]}
    for question in facts["round_questions"]:
        if question["asked_at"] and question["round_id"] in servers:
            found[servers[question["round_id"]], question["item_id"]].append(question["asked_at"])
    for daily in facts["dailies"]:
        if daily["opened_at"]:
            found[daily["guild_id"], daily["item_id"]].append(daily["opened_at"])
    return found


def _practised(facts: Facts) -> dict[tuple[int, str], list[int]]:
    """When members practised what, by member and item."""
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    members = {row["id"]: row["user_id"] for row in facts["practices"]}
    for question in facts["practice_questions"]:
        found[members[question["practice_id"]], question["item_id"]].append(question["asked_at"])
    return found
