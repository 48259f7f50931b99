"""Invariants of challenges: what is acknowledged is stored, and results are secret until the close."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.snowflakes import created_at
from tests.crash import invariants

if TYPE_CHECKING:
    from tests.crash.invariants import Facts

_ASKED = re.compile(r"(?:answer|choose|write|arrange):v1:challenge:(\d+)(?::\d|::0)?")
_PLACING = "place:v1:", "lock:v1:"
"""The ids on a page where lines of code are put in order: it tells nothing of an answer."""
_SAID = re.compile(
    r"(?:Locked in|You had already locked in) \*\*(?P<locked>.+?)\*\*(?: for question \d+)?\.\n"
    r"|Time was up for question \d+, so it counts as a miss\.\n",
    re.DOTALL,
)
_NEXT = "-# Challenge · question "
_ENDS = re.compile(r"### (\d+) of \d+(?: this time)?(?:\.|, the same as )")
_VERDICT = re.compile(r"(✅ )?\*\*(\d+)\. (Right|Not right|No answer)\*\* · ")
_ALL = re.compile(r"### \d+ of \d+ right")
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
            mentioned = [f"<@{row['member_id']}>"] if row["pings"] else []
            if card.pings != mentioned:
                yield f"{what} mentions {card.pings} instead of {mentioned}"
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
    """Check that what a player reads of a question, and of what they said, is what is stored."""
    numbers = {q["id"]: (q["challenge_id"], q["number"]) for q in facts["challenge_questions"]}
    ids = {place: question for question, place in numbers.items()}
    orders = {(s["question_id"], s["user_id"]): s["choice_order"] for s in facts["challenge_shown"]}
    for message in facts.world.messages:
        user = message.audience
        if user is None or message.id < facts.since_id:
            continue
        before: tuple[int, int] | None = None
        for version in message.history:
            asked = {int(match[1]) for i in version.custom_ids if (match := _ASKED.fullmatch(i))}
            shown = next(iter(asked & numbers.keys()), None)
            if shown is not None and (shown, user) not in orders:
                yield f"{user} was shown question {shown}, which is not stored"
            if any(i.startswith(_PLACING) for i in version.custom_ids):
                continue
            said = _SAID.match(version.text)
            rest = version.text[said.end() :] if said else version.text
            ends = before is not None and shown is None
            if (shown is not None or ends) and not rest.startswith("### " if ends else _NEXT):
                yield f"{user} read more than what they locked in: {version.text!r}"
            if said and said["locked"] and before is not None:
                yield from _locked(facts, ids.get(before), user, said["locked"], orders)
            if shown is not None:
                before = numbers[shown]
            elif before is not None:
                yield from _end_of_run(facts, before[0], user, rest)


def _locked(
    facts: Facts,
    question: int | None,
    user: int,
    locked: str,
    orders: Mapping[tuple[int, int], str],
) -> Iterator[str]:
    """Check that an acknowledged answer is stored as it was given."""
    stored = facts.answers.get(("challenge", question or 0, user))
    if stored is None or stored["answer"] is None:
        yield f"acknowledged but not stored: {question} of {user}, {locked!r}"
        return
    shown = invariants.as_shown(str(stored["answer"]), orders.get((question or 0, user), ""))
    if invariants.plain(locked) != shown:
        yield f"{user} locked in {locked!r} in question {question}, not {shown!r}"


def _end_of_run(facts: Facts, challenge_id: int, user: int, text: str) -> Iterator[str]:
    """Check the verdicts at the end of a player's run against the log."""
    questions = [q for q in facts["challenge_questions"] if q["challenge_id"] == challenge_id]
    stored = [facts.answers.get(("challenge", q["id"], user)) for q in questions]
    right = sum(bool(answer and answer["correct"]) for answer in stored)
    found = _ENDS.match(text)
    if found is None or int(found[1]) != right:
        yield f"{user} had {right} right in challenge {challenge_id}, and read {text!r}"
    verdicts = [match[3] for match in _VERDICT.finditer(text)]
    if verdicts.count("Right") > right:
        yield f"{user} read more right answers than there are: {text!r}"


def _secrets(facts: Facts) -> Iterator[str]:
    """Check that before the close nobody read their answers, or met a question elsewhere."""
    closed = {row["id"]: row["closed_at"] or float("inf") for row in facts["challenges"]}
    for act in facts.world.interactions.values():
        match = _MINE.fullmatch(act.name)
        if match and act.reply is not None and _ALL.match(act.reply.text):
            at = (created_at(act.id) - _EPOCH) / timedelta(milliseconds=1)
            if at < closed.get(int(match[1]), 0):
                yield f"{act.member_id} read their answers in challenge {match[1]} before its close"
    for challenge_id, item in facts.query(_ASKED_TWICE):
        yield f"{item} of challenge {challenge_id} was asked on its server before the close"
    for challenge_id, item in facts.query(_PRACTISED):
        yield f"a player practised {item} of challenge {challenge_id} before its close"
