"""Invariants of challenges: a question is seen once, and results are secret until the close."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.snowflakes import created_at
from tests.crash import invariants
from tests.loopback.model import Version

if TYPE_CHECKING:
    from tests.crash.invariants import Facts

_ASKED = re.compile(r"(?:answer|choose|write):v1:challenge:(\d+)(?::\d)?")
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
_MINE = re.compile(r"taken:v1:(\d+):\d+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ASKED_TWICE = """
    SELECT c.id, item_id FROM challenges c
    JOIN challenge_questions q ON q.challenge_id = c.id
    JOIN (
        SELECT guild_id, item_id, asked_at AS at
        FROM round_questions JOIN rounds ON rounds.id = round_id
        UNION SELECT guild_id, item_id, opened_at FROM dailies
    ) AS elsewhere USING (guild_id, item_id)
    WHERE at > started_at AND at < ifnull(closed_at, 9e15)
"""
_PRACTISED = """
    SELECT c.id, item_id FROM challenges c
    JOIN challenge_questions q ON q.challenge_id = c.id
    JOIN challenge_players t ON t.challenge_id = c.id
    JOIN practices p ON p.user_id = t.user_id
    JOIN practice_questions asked USING (item_id)
    WHERE asked.practice_id = p.id
    AND asked.asked_at > t.began_at AND asked.asked_at < ifnull(c.closed_at, 9e15)
"""
Seen = dict[tuple[int, int], list[int]]
"""By challenge and member: the numbers of the questions that were shown."""


def challenges(facts: Facts) -> Iterator[str]:
    """Yield every invariant that does not hold, as a sentence."""
    yield from _cards(facts)
    yield from _players(facts)
    yield from _secrets(facts)


def _cards(facts: Facts) -> Iterator[str]:
    """Check that a challenge has one card, which shows no points before the standings."""
    won = facts.points("challenge")
    for row in facts["challenges"]:
        what, state, taken = f"challenge {row['id']}", row["state"], f"take:v1:{row['id']}"
        if state not in {"open", "closed"}:
            yield f"{what} is stuck as {state!r}: {row['ending']}"
        found = [m for m in facts.public(taken) if any(taken in v.custom_ids for v in m.history)]
        if row["ending"]:
            continue
        if len(found) != 1:
            yield f"{what} has {len(found)} cards"
        for card in found:
            results = [v for v in card.history if taken not in v.custom_ids]
            ends = [i for v in results for i in v.custom_ids]
            yield from invariants.card_versions(what, card, row["message_id"], ends)
            for version in card.history:
                if version not in results and invariants.points_shown(version.text):
                    yield f"{what}: its open card tells how somebody did"
            if bool(results) != (state in {"closing", "closed"}):
                shows = "its card shows the end" if results else "its card is open"
                yield f"{what} is {state!r}, but {shows}"
            shown = invariants.points_shown(results[-1].text) if results else {}
            if results and not invariants.agree(shown, won[row["id"]]):
                yield f"{what}: the standings say {shown}, the answers {won[row['id']]}"


def _players(facts: Facts) -> Iterator[str]:
    """Check that a player saw each question once, and that what was locked in is stored."""
    numbers = {q["id"]: (q["challenge_id"], q["number"]) for q in facts["challenge_questions"]}
    orders = {(s["question_id"], s["user_id"]): s["choice_order"] for s in facts["challenge_shown"]}
    seen: Seen = defaultdict(list)
    for message in facts.world.messages:
        user = message.audience
        if user is None or message.id < facts.since_id:
            continue
        for version in message.history:
            asked = {int(match[1]) for i in version.custom_ids if (match := _ASKED.fullmatch(i))}
            for question in asked & numbers.keys():
                challenge_id, number = numbers[question]
                seen[challenge_id, user].append(number)
                if (question, user) not in orders:
                    yield f"{user} was shown question {question}, which is not stored"
            yield from _between_questions(facts, version, user, orders)
    for (challenge_id, user), shown in seen.items():
        if len(shown) != len(set(shown)):
            yield f"{user} saw a question of challenge {challenge_id} twice: {shown}"


def _between_questions(
    facts: Facts, version: Version, user: int, orders: Mapping[tuple[int, int], str]
) -> Iterator[str]:
    """Check that the page after a question says what is stored, and not whether it is right."""
    found = [int(m[1]) for i in version.custom_ids if (m := _BETWEEN.fullmatch(i))]
    for question in found[:1]:
        text = version.text
        if not _SAYS_NOTHING.fullmatch(text):
            yield f"{user} read more than that question {question} is locked in: {text!r}"
        locked = _LOCKED.match(text)
        stored = facts.answers.get(("challenge", question, user))
        answer = stored["answer"] if stored is not None else None
        if (locked is None) != (answer is None):
            yield f"acknowledged but not stored, or the reverse: {question} of {user}, {text!r}"
        elif locked is not None:
            shown = invariants.as_shown(str(answer), orders.get((question, user), ""))
            if invariants.plain(locked[1]) != shown:
                yield f"{user} locked in {locked[1]!r} in question {question}, not {shown!r}"


def _secrets(facts: Facts) -> Iterator[str]:
    """Check that before the close nobody read their answers, or met a question elsewhere."""
    closed = {row["id"]: row["closed_at"] or float("inf") for row in facts["challenges"]}
    for act in facts.world.interactions.values():
        match = _MINE.fullmatch(act.name)
        if match and act.reply is not None and act.reply.text.startswith("### Your"):
            at = (created_at(act.id) - _EPOCH) / timedelta(milliseconds=1)
            if at < closed.get(int(match[1]), 0):
                yield f"{act.member_id} read their answers in challenge {match[1]} before its close"
    for challenge_id, item in facts.query(_ASKED_TWICE):
        yield f"{item} of challenge {challenge_id} was asked on its server before the close"
    for challenge_id, item in facts.query(_PRACTISED):
        yield f"a player practised {item} of challenge {challenge_id} before its close"
