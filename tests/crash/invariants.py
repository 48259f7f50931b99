"""What must hold after any fault, read from the SQLite file, from what members saw, and from the bot's log.

`broken` gives a sentence for each invariant that does not hold. Call it when nothing is under way any more: every
round has ended, and no daily is about to be posted or closed.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import fsrs

from bot.core.snowflakes import earliest_id
from bot.points.rules import SUMS_KEPT
from tests.crash.challenges import challenges
from tests.loopback.model import Interaction, Message
from tests.loopback.world import World

PLANNED = {"finished", "stopped", "idle", "left", "message"}
"""Endings after which a round has its standings; with another one Discord refused for good."""
_ANSWER = re.compile(r"(?:answer|picks|typed|essay):v1:(round|daily|today):(\d+)(?::\d)?")
_SOURCES = {"today": "daily"}  # the same question, in private
_LOCKED = re.compile(r"Locked in \*\*(.+)\*\*\.", re.DOTALL)
_TURNED = re.compile(r"✅ \*\*(.+)\*\* · \+(\d+) · |\*\*(.+)\*\*, right is \*\*", re.DOTALL)
_EARLIER = re.compile(r"You already locked in \*\*(.+)\*\*\.", re.DOTALL)
_SHARE = re.compile(r"^\*\*([A-F])\*\* .*\n-# (\d+)%(?: · ✅ right)?$", re.MULTILINE)
_FASTEST = re.compile(r"\*\*(\w+)\*\* [\d.]+s \(\+(\d+)\)")
_FIRST = re.compile(r"^First: (.+)$", re.MULTILINE)  # in a hosted round
_STANDING = re.compile(r"\*\*(\w+)\*\*(?: · |: )\*\*([\d,]+) points?\*\*")
_DAILY_COUNT = re.compile(r"^([\d,]+) answers?(?: · (\d+)% right)?", re.MULTILINE)
_TROUBLE = re.compile(r"^.*(?: ERROR | CRITICAL |Traceback \(most recent).*$", re.MULTILINE)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = sqlite3.Row


@dataclass(frozen=True)
class Facts:
    """All tables that matter, and what members saw; what was before `since_ms` is looked at no more."""

    world: World
    tables: dict[str, list[Row]]
    since_ms: int = 0

    @property
    def late_ms(self) -> float:
        """How late an answer reaches the bot: it may be given before a reveal that knows nothing of it."""
        return 1000 * self.world.gateway.event_delay

    @property
    def since_id(self) -> int:
        """The lowest id of a message or interaction that is looked at."""
        return earliest_id(_EPOCH + timedelta(milliseconds=self.since_ms))

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]

    def public(self, *marks: str) -> list[Message]:
        """Public messages that have, or had, a component whose custom id begins with a mark."""
        return [m for m, ids in self._public if any(i.startswith(marks) for i in ids)]

    @cached_property
    def _public(self) -> list[tuple[Message, set[str]]]:
        """Public messages with every custom id that they have or had."""
        first = self.since_id
        return [
            (m, {i for version in m.history for i in version.custom_ids})
            for m in self.world.messages
            if m.audience is None and m.id >= first
        ]


_TIMES = {
    "rounds": "started_at",
    "round_questions": "asked_at",
    "dailies": "scheduled_at",
    "recaps": "scheduled_at",
    "challenges": "started_at",
}
"""When a row came to be that members have seen something of."""
_TABLES = (
    "rounds",
    "round_questions",
    "round_answers",
    "dailies",
    "daily_answers",
    "daily_schedules",
    "ledger",
    "recaps",
    "challenges",
    "challenge_questions",
    "challenge_takers",
    "challenge_answers",
    "practices",
    "practice_questions",
)


def read(database: Path, world: World, since_ms: int = 0) -> Facts:
    """The state of things, from the database file itself; of what members see, only what came to be since then."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        conn.row_factory = sqlite3.Row
        found = {}
        for name in (*_TABLES, "scores", "reviews", "cards"):
            newer = f" WHERE {_TIMES[name]} >= {since_ms}" if name in _TIMES else ""
            found[name] = conn.execute(f"SELECT * FROM {name}{newer}").fetchall()
        return Facts(world, found, since_ms)


def broken(database: Path, world: World, log: str) -> list[str]:
    """Every invariant that does not hold, as a sentence."""
    facts = read(database, world)
    return [*seen(facts), *stored(facts), *trouble(log)]


def seen(facts: Facts) -> list[str]:
    """What members saw is what is stored."""
    checks = (_contract, _acknowledged, _rounds, _cards, _standings, challenges, _dailies, _recaps)
    return [problem for check in checks for problem in check(facts)]


def stored(facts: Facts) -> list[str]:
    """What is kept twice says the same: answers, ledger and sums; reviews and cards."""
    return [problem for check in (_ledger, _scores, _memory) for problem in check(facts)]


def trouble(log: str) -> list[str]:
    """Lines of the bot's log that nobody wants to find there."""
    return [f"the bot's log: {line[:300]}" for line in _TROUBLE.findall(log)]


def _contract(facts: Facts) -> Iterator[str]:
    yield from facts.world.violations
    yield from (f"a route that Discord does not have: {r}" for r in facts.world.unknown)
    yield from (f"the loopback server: {e}" for e in facts.world.errors)


def _acknowledged(facts: Facts) -> Iterator[str]:
    """Every acknowledged answer is stored as the member gave it, and every stored one was given."""
    first = facts.since_id
    questions = {q["id"]: q["choice_order"] for q in facts["round_questions"]}
    stored = {("round", a["question_id"], a["user_id"]): a for a in facts["round_answers"]}
    stored |= {("daily", a["daily_id"], a["user_id"]): a for a in facts["daily_answers"]}
    tried = set()
    for act in facts.world.interactions.values():
        match = _ANSWER.fullmatch(act.name)
        if match is None or act.id < first:
            continue
        key = (_SOURCES.get(match[1], match[1]), int(match[2]), act.member_id)
        tried.add(key)
        said = _reply(act)
        locked = _LOCKED.match(said) or _EARLIER.match(said)
        if not locked and "Streak: " not in said:
            continue
        if key not in stored:
            yield f"acknowledged but not stored: {key}, {said!r}"
        elif locked and key[0] == "round" and key[1] in questions:
            answer, order = str(stored[key]["answer"]), questions[key[1]]
            shown = (
                ", ".join(sorted("ABCDEF"[order.index(pick)] for pick in answer))
                if order
                else answer
            )
            if _plain(locked[1]) != shown:
                yield f"{key} locked in {locked[1]!r}, stored is {shown!r}"
            yield from _turned(act, key, stored[key], shown)
    new = (key for key, answer in stored.items() if answer["answered_at"] >= facts.since_ms)
    yield from (f"stored but never given: {key}" for key in new if key not in tried)


def _turned(act: Interaction, key: tuple[str, int, int], answer: Row, shown: str) -> Iterator[str]:
    """A line that said "Locked in" has been edited once at most, into what the answer came to."""
    later = [version.text for version in act.reply.history[1:]] if act.reply is not None else []
    if not later:
        return
    match = _TURNED.match(later[0])
    given, won = (match[1] or match[3], int(match[2] or 0)) if match else ("", -1)
    if len(later) > 1 or (_plain(given), won) != (shown, answer["points"]):
        yield f"{key}: the private line became {later}, stored are {shown!r} and {answer['points']} points"


def _reply(act: Interaction) -> str:
    return "\n".join(
        m.history[0].text
        for m in (act.reply, *act.followups)
        if m is not None and act.callback == 4
    )


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _rounds(facts: Facts) -> Iterator[str]:
    for round_ in facts["rounds"]:
        if round_["phase"] != "ended":
            yield f"round {round_['id']} never ended: phase {round_['phase']}, question {round_['number']}"


def _cards(facts: Facts) -> Iterator[str]:
    """One card a question, one reveal, and the reveal counts what is stored."""
    endings = {r["id"]: r["ending"] for r in facts["rounds"]}
    given = defaultdict(list)
    for answer in facts["round_answers"]:
        given[answer["question_id"]].append(answer)
    for question in facts["round_questions"]:
        row = question["id"]
        marks = (
            f"answer:v1:round:{row}:",
            *(f"{name}:v1:round:{row}" for name in ("choose", "write", "why")),
        )
        found = [m for m in facts.public(*marks) if _about(m, row)]
        planned = endings[question["round_id"]] in PLANNED
        if len(found) > 1 or (question["revealed_at"] and not found and planned):
            yield f"question {row} has {len(found)} cards"
        if not question["revealed_at"]:
            if given[row]:
                yield f"question {row} was answered, but never scored"
            continue
        for card in found:
            if question["message_id"] != card.id:
                yield f"question {row}: the stored message is {question['message_id']}, the card {card.id}"
            late = [
                a for a in given[row] if a["answered_at"] >= question["revealed_at"] - facts.late_ms
            ]
            known = [_without(given[row], late[n:]) for n in range(len(late), -1, -1)]
            verdicts = [
                list(_reveal(card, question, answers, planned, facts.world.names))
                for answers in known
            ]
            yield from min(verdicts, key=len)


def _without(given: list[Row], late: list[Row]) -> list[Row]:
    """The answers that a reveal knew, if these came in after it: what was given in time counts all the same."""
    return [a for a in given if a not in late]


def _about(message: Message, row: int) -> bool:
    ids = {i for version in message.history for i in version.custom_ids}
    return any(re.fullmatch(rf"(?:answer|choose|write|why):v1:round:{row}(?::\d)?", i) for i in ids)


def _reveal(
    card: Message, question: Row, given: list[Row], planned: bool, names: Mapping[int, str]
) -> Iterator[str]:
    row = question["id"]
    reveals = [v for v in card.history if f"why:v1:round:{row}" in v.custom_ids]
    if card.deleted or (not reveals and not planned):
        return
    if not reveals:
        yield f"question {row} was scored, but its card shows no reveal"
        return
    if len({v.text for v in reveals}) > 1:
        yield f"question {row} was revealed in {len({v.text for v in reveals})} ways"
    if card.history[-1] is not reveals[-1]:
        yield f"question {row}: its card was turned back after the reveal"
    text = reveals[-1].text
    picked = (
        Counter(pick for a in given for pick in str(a["answer"]))
        if question["choice_order"]
        else Counter()
    )
    for letter, percent in _SHARE.findall(text):
        count = picked[question["choice_order"]["ABCDEF".index(letter)]]
        if int(percent) != (round(100 * count / len(given)) if given else 0):
            yield f"question {row}: the card says {percent} % for {letter}, stored are {count} of {len(given)}"
    right = sorted(
        (a for a in given if a["correct"]), key=lambda a: (a["elapsed_ms"], a["user_id"])
    )[:3]
    fastest = [(name, int(points)) for name, points in _FASTEST.findall(text)]
    if (first := _FIRST.search(text)) is not None:
        fastest = [(name, 100) for name in re.findall(r"\*\*(\w+)\*\*", first[1])]
    if fastest != [(names.get(a["user_id"], "?"), a["points"]) for a in right]:
        yield f"question {row}: the card's best times {fastest} are not the stored ones"


def _standings(facts: Facts) -> Iterator[str]:
    """One message of standings for a round that ended as planned, with the points of its answers."""
    rounds = {q["id"]: q["round_id"] for q in facts["round_questions"] if q["revealed_at"]}
    points: dict[int, Counter[int]] = defaultdict(Counter)
    for answer in facts["round_answers"]:
        if answer["question_id"] in rounds:
            points[rounds[answer["question_id"]]][answer["user_id"]] += answer["points"]
    empty: dict[int, list[int]] = defaultdict(list)
    for round_ in facts["rounds"]:
        row, planned = round_["id"], round_["ending"] in PLANNED
        if row not in points:
            empty[round_["channel_id"]].append(planned)
            continue
        found = facts.public(f"mine:v1:{row}:")
        if len(found) > 1 or (not found and planned):
            yield f"round {row} ended as {round_['ending']!r} with {len(found)} standings"
        for message in found:
            shown = {
                name: int(won.replace(",", ""))
                for name, won in _STANDING.findall(message.history[0].text)
            }
            won_by = {facts.world.names.get(user, "?"): won for user, won in points[row].items()}
            if shown != won_by and len(won_by) <= 10:
                yield f"round {row}: the standings say {shown}, the answers {won_by}"
    for channel_id, ended in empty.items():
        messages = facts.world.channels[channel_id].messages.values()
        over = [
            m
            for m in messages
            if m.audience is None and m.id >= facts.since_id and "### Round over" in m.text[:14]
        ]
        if not sum(ended) <= len(over) <= len(ended):
            yield f"channel {channel_id}: {len(ended)} rounds without answers, {len(over)} messages that say so"


def _dailies(facts: Facts) -> Iterator[str]:
    """One message a server and local date, one close, its thread, and a result that counts what is stored."""
    given = defaultdict(list)
    for answer in facts["daily_answers"]:
        given[answer["daily_id"]].append(answer)
    per_date: Counter[tuple[int, str]] = Counter()
    threads = {s["guild_id"] for s in facts["daily_schedules"] if s["thread"]}
    for daily in facts["dailies"]:
        row, state = daily["id"], daily["state"]
        found = [
            m
            for m in facts.public("answer:", "choose:", "write:", "why:", "open:", "own:")
            if any(f":daily:{row}:" in f"{i}:" for v in m.history for i in v.custom_ids)
        ]
        per_date[daily["guild_id"], daily["local_date"]] += len(found)
        if state in {"posting", "threading", "closing"}:
            yield f"daily {row} is stuck as {state!r}: {daily['problem']}"
        if (state in {"open", "closed"}) != bool(found):
            yield f"daily {row} is {state!r} with {len(found)} messages"
        for card in found:
            if daily["message_id"] != card.id:
                yield f"daily {row}: the stored message is {daily['message_id']}, the card {card.id}"
            if daily["guild_id"] in threads and card.thread is None and not daily["problem"]:
                yield f"daily {row} has no thread"
            if state == "closed" and not daily["problem"]:
                yield from _result(card, row, given[row])
    yield from (f"server {g} has {n} dailies on {day}" for (g, day), n in per_date.items() if n > 1)


def _recaps(facts: Facts) -> Iterator[str]:
    """One message a server and week, which is the one that is noted, and none without a row."""
    found = {
        m.id
        for m in facts.world.messages
        if m.audience is None
        and m.id >= facts.since_id
        and m.text.startswith("### The week in review")
    }
    posted = {r["message_id"] for r in facts["recaps"] if r["state"] == "posted"}
    if found != posted:
        yield f"the recaps in channels are {sorted(found)}, those that are noted {sorted(posted)}"
    yield from (
        f"recap {r['id']} is stuck: {r['problem']}"
        for r in facts["recaps"]
        if r["state"] == "posting"
    )


def _result(card: Message, row: int, given: list[Row]) -> Iterator[str]:
    marks = {f"why:v1:daily:{row}", f"own:v1:daily:{row}:0"}
    results = [v for v in card.history if marks & set(v.custom_ids)]
    if not results or card.history[-1] is not results[-1]:
        yield f"daily {row} is closed, but its card is not"
        return
    if len({v.text for v in results}) > 1:
        yield f"daily {row} was closed in {len({v.text for v in results})} ways"
    count = _DAILY_COUNT.search(results[-1].text)
    if count is not None and any(
        a["text"] for a in given
    ):  # an open question: the card says the mean of its grades
        if int(count[1].replace(",", "")) != len(given):
            yield f"daily {row}: the card says {count[1]} answers, stored are {len(given)}"
        return
    right = sum(a["correct"] for a in given)
    shown = (int(count[1].replace(",", "")), int(count[2] or 0)) if count else None
    if shown != (len(given), round(100 * right / len(given)) if given else 0):
        yield f"daily {row}: the card says {shown}, stored are {len(given)} answers, {right} right"


def _ledger(facts: Facts) -> Iterator[str]:
    """The ledger holds each answer that counts, once, with the points that it wins on the boards."""
    revealed = {q["id"]: q for q in facts["round_questions"] if q["revealed_at"]}
    players: dict[int, set[int]] = defaultdict(set)
    wanted: dict[tuple[str, int, int], Row] = {}
    for a in facts["round_answers"]:
        if (question := revealed.get(a["question_id"])) is not None:
            wanted["round", a["question_id"], a["user_id"]] = a
            players[question["round_id"]].add(a["user_id"])
    wanted |= {("daily", a["daily_id"], a["user_id"]): a for a in facts["daily_answers"]}
    in_challenges = _counted_in_challenges(facts)
    wanted |= {
        ("challenge", a["question_id"], a["user_id"]): a
        for a in in_challenges
        if a["answer"] is not None
    }
    takers: dict[int, set[int]] = defaultdict(set)
    of = {q["id"]: q["challenge_id"] for q in facts["challenge_questions"]}
    for _, question_id, user in (key for key in wanted if key[0] == "challenge"):
        takers[of[question_id]].add(user)
    booked = {(e["source"], e["source_id"], e["user_id"]): e for e in facts["ledger"]}
    yield from (f"not in the ledger: {key}" for key in wanted.keys() - booked.keys())
    yield from (f"in the ledger without an answer: {key}" for key in booked.keys() - wanted.keys())
    paid: dict[tuple[int, int, str], int] = {}
    for key, entry in sorted(booked.items(), key=lambda one: one[1]["at"]):
        points = wanted[key]["points"] if key in wanted else entry["points"]
        item = entry["user_id"], entry["guild_id"], entry["item_id"]
        if key[0] != "daily" and key in wanted:
            again = item in paid and entry["at"] - paid[item] < 30 * 86_400_000
            together = (
                players[revealed[key[1]]["round_id"]] if key[0] == "round" else takers[of[key[1]]]
            )
            alone = len(together) < 2
            points = 0 if again or alone else points
        if key in wanted and (entry["points"], entry["correct"]) != (
            points,
            wanted[key]["correct"],
        ):
            yield f"the ledger says {entry['points']} for {key}, it won {points}"
        if entry["points"]:
            paid[item] = entry["at"]


def _counted_in_challenges(facts: Facts) -> list[Row]:
    """What takers were shown, and answered, in challenges that are closed."""
    closed = {c["id"] for c in facts["challenges"] if c["state"] == "closed"}
    questions = {q["id"] for q in facts["challenge_questions"] if q["challenge_id"] in closed}
    return [a for a in facts["challenge_answers"] if a["question_id"] in questions]


def _scores(facts: Facts) -> Iterator[str]:
    """The sums by period and topic are those of the ledger."""
    sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry in facts["ledger"]:
        day = date.fromisoformat(entry["local_date"])
        starts = {"today": day, "week": day - timedelta(day.weekday()), "month": day.replace(day=1)}
        for period, start in {**starts, "all": date(1970, 1, 1)}.items():
            for topic in ("", entry["topic_id"]):
                total = sums[entry["guild_id"], period, start.isoformat(), topic, entry["user_id"]]
                for index, value in enumerate((entry["points"], 1, entry["correct"])):
                    total[index] += value
    kept = {
        (s["guild_id"], s["period"], s["start"], s["topic_id"], s["user_id"]): [
            s["points"],
            s["answers"],
            s["right"],
        ]
        for s in facts["scores"]
    }
    newest = max(
        (date.fromisoformat(entry["local_date"]) for entry in facts["ledger"]), default=date.max
    )
    for key in sums.keys() | kept.keys():
        passed = (
            key[1] != "all" and date.fromisoformat(key[2]) < newest - SUMS_KEPT
        )  # may have been dropped
        if sums.get(key) != kept.get(key) and not (passed and key not in kept):
            yield f"the sums say {kept.get(key)} for {key}, the ledger {sums.get(key)}"


def _memory(facts: Facts) -> Iterator[str]:
    """Each answer in the ledger is one review, rated by whether it is right, and each card is what its reviews make."""
    asked = [
        entry for entry in facts["ledger"] if entry["item_id"]
    ]  # an open question is no card to remember
    booked = {(e["source"], e["source_id"], e["user_id"]): e["correct"] for e in asked}
    left_alone = [
        a for a in _counted_in_challenges(facts) if a["answer"] is None
    ]  # which is a miss, and no entry
    booked |= {("challenge", a["question_id"], a["user_id"]): False for a in left_alone}
    logged = {
        (r["source"], r["source_id"], r["user_id"]): r["rating"] > 1 for r in facts["reviews"]
    }
    yield from (f"no review of {key}" for key in booked.keys() - logged.keys())
    yield from (
        f"a review without an answer: {key}"
        for key in logged.keys() - booked.keys()
        if key[0] != "practice"
    )
    yield from (
        f"the review of {k} says {logged[k]}"
        for k in booked.keys() & logged.keys()
        if booked[k] != logged[k]
    )
    scheduler = fsrs.Scheduler(
        learning_steps=[timedelta(minutes=10)],
        relearning_steps=[timedelta(minutes=10)],
        enable_fuzzing=False,
    )
    made: dict[tuple[int, str], fsrs.Card] = {}
    for review in sorted(facts["reviews"], key=lambda r: int(r["at"])):
        key = review["user_id"], review["item_id"]
        at = _EPOCH + timedelta(milliseconds=review["at"])
        card = made.get(key) or fsrs.Card(card_id=1, step=1)
        made[key], _ = scheduler.review_card(card, fsrs.Rating(review["rating"]), at)
    wanted = {
        key: (card.state, card.stability, (card.due - _EPOCH) // timedelta(milliseconds=1))
        for key, card in made.items()
    }
    kept = {
        (c["user_id"], c["item_id"]): (c["state"], c["stability"], c["due_at"])
        for c in facts["cards"]
    }
    for pair in wanted.keys() | kept.keys():
        if wanted.get(pair) != kept.get(pair):
            yield f"the card of {pair} is {kept.get(pair)}, its reviews make {wanted.get(pair)}"
