"""Invariants after any fault, checked in the SQLite file, in what members saw, and in the log.

`broken` gives a sentence for each invariant that does not hold. Call it when nothing is in progress:
every round has ended, and no daily is about to be posted or closed.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from fsrs import Rating
from sqlalchemy import create_engine

from bot.answers import totals
from bot.core.snowflakes import created_at, earliest_id
from bot.core.tables import milliseconds
from bot.daily.rules import SAID
from bot.interviews.model import PointCount, decode
from bot.memory.model import Fits, MemoryCard
from bot.memory.rules import first_stabilities, review
from bot.questions.model import PIECE_LETTERS
from tests.crash.challenges import challenges
from tests.loopback.model import Interaction, Message
from tests.loopback.world import World

PLANNED = {"finished", "stopped", "idle", "left", "message"}
"""Endings of rounds that have standings; with any other, Discord refused for good."""
_ANSWER = re.compile(
    r"(?:answer|picks|typed|essay|lock):v1:(round|daily|today|challenge):(\d+)(?::\d+)*"
)
_SAVED = re.compile("Everyone sees the answer|Tick what you said|Your answer is saved")
_LOCKED = re.compile(r"(?:You already l|L)ocked in \*\*(.+)\*\*\.", re.DOTALL)
_RESULT = re.compile(
    r"✅ \*\*(.+?)\*\*\.(?: \+(\d+), |(?: \d+ in a row\.)?\Z)"
    r"|You said \*\*(.+)\*\*\. It's \*\*|Almost: .*It's \*\*",
    re.DOTALL,
)
_SHARE = re.compile(r"\*\*([A-F])\*\* (\d+%?)(?![\d.])")
_HAD_IT = re.compile(
    r"^### .* · (\d+%? of [\d,]+) had it$|^### (?:📅 )?Nobody (answered|had it)", re.MULTILINE
)
_FASTEST = re.compile(r"\*\*(\w+)\*\*(?: had it in)? ([\d.]+s)")
_OPEN_COUNT = re.compile(r"^([\d,]+) answers?$", re.MULTILINE)
_POINTS = re.compile(r" · \*\*([\d,]+) points?\*\*")
_TROUBLE = re.compile(r"^.*(?: ERROR | CRITICAL |Traceback \(most recent).*$", re.MULTILINE)
_EARLY_MS = 1500
"""The bot may know Discord's time from a date only, which has whole seconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINS = {
    "rounds": "started_at",
    "round_questions": "asked_at",
    "dailies": "scheduled_at",
    "recaps": "scheduled_at",
    "challenges": "started_at",
}
"""The columns that say when members may have seen something of a row."""
_LOG = """
    SELECT a.*, coalesce(round_id, challenge_id) AS game,
        CASE source WHEN 'round' THEN revealed_at IS NOT NULL
            WHEN 'challenge' THEN state IN ('closing', 'closed') ELSE 1 END AS is_over
    FROM answers AS a
    LEFT JOIN round_questions AS r ON source = 'round' AND r.id = question_id
    LEFT JOIN challenge_questions AS c ON source = 'challenge' AND c.id = question_id
    LEFT JOIN challenges ON challenges.id = challenge_id
    ORDER BY answered_at
"""
_RATED = """
    SELECT user_id, item_id, rating, answered_at FROM answers WHERE rating IS NOT NULL
    ORDER BY answered_at, source, question_id
"""
_FITS = (
    "SELECT user_id, holds_from, again, hard, good, easy FROM first_stabilities ORDER BY holds_from"
)
_OPENLY = """
    SELECT user_id, q.topic_id, answered_at, grade, NULL AS ticks FROM interview_questions AS q
    JOIN interviews ON interviews.id = interview_id WHERE grade IS NOT NULL AND case_id IS NULL
    UNION ALL
    SELECT user_id, topic_id, answered_at, NULL, answer FROM answers
    WHERE item_id = '' AND answer != '' AND user_id > 0
    ORDER BY answered_at
"""
_OPEN_ANSWERS = (
    "SELECT user_id, topic_id, answered_at, made, points FROM met WHERE answered_at IS NOT NULL"
)
_MEMORY_CARDS = "SELECT user_id, item_id, state, stability, due_at FROM cards"

Row = sqlite3.Row
Key = tuple[str, int, int]
"""An answer: source, question, member."""


@dataclass(frozen=True)
class Facts:
    """The database, and what members saw; both from `since_ms` on."""

    database: Path
    world: World
    since_ms: int = 0
    _tables: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def since_id(self) -> int:
        """The lowest id of a message or interaction that is checked."""
        return earliest_id(_EPOCH + timedelta(milliseconds=self.since_ms))

    def __getitem__(self, table: str) -> list[Row]:
        if table not in self._tables:
            newer = f" WHERE {_BEGINS[table]} >= {self.since_ms}" if table in _BEGINS else ""
            self._tables[table] = self.query(f"SELECT * FROM {table}{newer}")
        return self._tables[table]

    def query(self, sql: str) -> list[Row]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as conn:
            conn.row_factory = sqlite3.Row
            return conn.execute(sql).fetchall()

    @cached_property
    def log(self) -> list[Row]:
        """All answers, the oldest first, each with its round or challenge and whether that is over."""
        return self.query(_LOG)

    @cached_property
    def answers(self) -> dict[Key, Row]:
        """The rows of the log by key; a challenge's question left alone has the answer null."""
        return {(a["source"], a["question_id"], a["user_id"]): a for a in self.log}

    def points(self, source: str) -> dict[int, Counter[str]]:
        """Return the points of each player by name, in each round or challenge."""
        found: dict[int, Counter[str]] = defaultdict(Counter)
        for a in self.log:
            if a["source"] == source and a["is_over"] and a["answer"] is not None:
                found[a["game"]][self.world.names.get(a["user_id"], "?")] += a["points"]
        return found

    def answers_to(self, source: str) -> dict[int, list[Row]]:
        """Return the answers of a source by question."""
        found = defaultdict(list)
        for (kind, question, _), answer in self.answers.items():
            if kind == source:
                found[question].append(answer)
        return found

    def public(self, *marks: str) -> list[Message]:
        """Return public messages with a component, now or earlier, whose id begins with a mark."""
        return [m for m, ids in self._public if any(i.startswith(marks) for i in ids)]

    def cards(self, source: str, row: int) -> list[Message]:
        """Return the public messages that asked a question of a round or a daily."""
        mark = re.compile(
            rf"(?:answer|choose|write|arrange|why|open|own):v1:{source}:{row}(?::\d|::0)?"
        )
        return [m for m, ids in self._public if any(map(mark.fullmatch, ids))]

    @cached_property
    def _public(self) -> list[tuple[Message, set[str]]]:
        """Public messages, each with every custom id that it has or had."""
        return [
            (m, {i for version in m.history for i in version.custom_ids})
            for m in self.world.messages
            if m.audience is None and m.id >= self.since_id
        ]


def broken(database: Path, world: World, log: str) -> list[str]:
    """Return every invariant that does not hold, as a sentence."""
    return [*seen(Facts(database, world)), *stored(database, world), *trouble(log)]


def seen(facts: Facts) -> list[str]:
    """Check that what members saw is what is stored."""
    checks = (_contract, _acknowledged, _rounds, _cards, _standings, challenges, _dailies, _recaps)
    return [problem for check in checks for problem in check(facts)]


def stored(database: Path, world: World) -> list[str]:
    """Check that the log agrees with the points paid, the totals and what members know."""
    facts = Facts(database, world)
    checks = (_counted, _expected, _memory, _open_answers)
    return [*(problem for check in checks for problem in check(facts)), *_totals(database)]


def trouble(log: str) -> list[str]:
    """Return the errors in the bot's log."""
    return [f"the bot's log: {line[:300]}" for line in _TROUBLE.findall(log)]


def points_shown(text: str) -> dict[str, int]:
    """Return the points of each player on a message of standings."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        points = _POINTS.search(line)
        if points is not None or line.startswith("-# Also played: "):
            names = re.findall(r"\*\*(\w+)\*\*", line[: points.start()] if points else line)
            found |= dict.fromkeys(names, int(points[1].replace(",", "")) if points else 0)
    return found


def plain(text: str) -> str:
    """Return a text without the backslashes that keep Discord from formatting it."""
    return re.sub(r"\\(.)", r"\1", text)


def as_shown(answer: str, order: str) -> str:
    """Return an answer as its member reads it: letters in the order of the card, or the text.

    Lines of code are letters in the order of the answer; there are more of them than choices.
    """
    if not order:
        return answer
    if len(order) > 6:
        return " ".join(PIECE_LETTERS[order.index(pick)] for pick in answer)
    *most, last = sorted("ABCDEF"[order.index(pick)] for pick in answer)
    return f"{', '.join(most)} and {last}" if most else last


def card_versions(
    what: str, card: Message, message_id: int | None, ends: Iterable[str]
) -> Iterator[str]:
    """Check that a card is the stored one, ends in one way, and stays as it ended."""
    if message_id != card.id:
        yield f"{what}: the stored message is {message_id}, the card {card.id}"
    final = [v for v in card.history if set(ends) & set(v.custom_ids)]
    # a reveal that is shown again after a stop has no button for the next question any more
    texts = {re.sub("\n(Next|Finish)$", "", v.text) for v in final}
    if len(texts) > 1:
        yield f"{what} ended in {len(texts)} ways: {sorted(texts)}"
    if final and card.history[-1] is not final[-1]:
        yield f"{what}: its card was turned back"


def _contract(facts: Facts) -> Iterator[str]:
    world = facts.world
    yield from [*world.violations, *world.unknown, *world.errors]


def _acknowledged(facts: Facts) -> Iterator[str]:
    """Check that acknowledged answers are stored as given, and that stored ones were given."""
    orders = {q["id"]: q["choice_order"] for q in facts["round_questions"]}
    given = set()
    for act in facts.world.interactions.values():
        match = _ANSWER.fullmatch(act.name)
        if match is None or act.id < facts.since_id:
            continue
        key = match[1].replace("today", "daily"), int(match[2]), act.member_id
        given.add(key)
        said = _first_reply(act)
        locked = _LOCKED.match(said)
        if not locked and not _SAVED.search(said):
            continue
        if key not in facts.answers:
            yield f"acknowledged but not stored: {key}, {said!r}"
        elif locked and key[0] == "round" and key[1] in orders:
            answer = facts.answers[key]
            shown = as_shown(str(answer["answer"]), orders[key[1]])
            if plain(locked[1]) != shown:
                yield f"{key} locked in {locked[1]!r}, stored is {shown!r}"
            yield from _private_result(act, shown, answer)
    for key, answer in facts.answers.items():
        was_given = key[0] != "practice" and answer["answer"] is not None
        if was_given and answer["answered_at"] >= facts.since_ms and key not in given:
            yield f"stored but never given: {key}"


def _first_reply(act: Interaction) -> str:
    if act.callback != 4:
        return ""
    replies = [m for m in (act.reply, *act.followups) if m is not None]
    return "\n".join(m.history[0].text for m in replies)


def _private_result(act: Interaction, shown: str, answer: Row) -> Iterator[str]:
    """Check that the reply "Locked in" was edited once at most, into the result."""
    later = [version.text for version in act.reply.history[1:]] if act.reply is not None else []
    for text in later:
        match = _RESULT.match(text)
        told = plain(match[1] or match[3] or "") or shown if match else None
        # no points are named to somebody who plays alone
        points = int(match[2]) if match and match[2] else answer["points"]
        if len(later) > 1 or (told, points) != (shown, answer["points"]):
            yield f"{act.name}: the reply became {later}, stored are {shown} {answer['points']}"


def _rounds(facts: Facts) -> Iterator[str]:
    for round_ in facts["rounds"]:
        if round_["phase"] != "ended":
            yield f"round {round_['id']} never ended: {round_['phase']}"


def _cards(facts: Facts) -> Iterator[str]:
    """Check that each question has one card and one reveal, which counts what is stored."""
    planned = {r["id"] for r in facts["rounds"] if r["ending"] in PLANNED}
    answers = facts.answers_to("round")
    late_ms = 1000 * facts.world.gateway.event_delay
    for question in facts["round_questions"]:
        row = question["id"]
        what = f"question {row}"
        given = sorted(answers[row], key=lambda a: int(a["answered_at"]))
        found = facts.cards("round", row)
        is_planned = question["round_id"] in planned
        if len(found) > 1 or (question["revealed_at"] and not found and is_planned):
            yield f"{what} has {len(found)} cards"
        if not question["revealed_at"]:
            if given:
                yield f"{what} was answered, but never scored"
            continue
        for card in found:
            mark = f"why:v1:round:{row}"
            yield from card_versions(what, card, question["message_id"], [mark])
            reveals = [v for v in card.history if mark in v.custom_ids]
            if reveals:
                # an answer given in time may arrive late: it counts, but the reveal has no trace
                known = sum(a["answered_at"] < question["revealed_at"] - late_ms for a in given)
                names = facts.world.names
                verdicts = [
                    list(_reveal(reveals[-1].text, question, given[:count], names))
                    for count in range(len(given), known - 1, -1)
                ]
                yield from min(verdicts, key=len)
            elif is_planned and not card.deleted:
                yield f"{what} was scored, but its card shows no reveal"


def _reveal(text: str, question: Row, given: list[Row], names: Mapping[int, str]) -> Iterator[str]:
    yield from _verdict(f"question {question['id']}", text, given)
    order = question["choice_order"]
    picked = Counter(pick for a in given for pick in str(a["answer"])) if order else Counter()
    for letter, share in _SHARE.findall(text):
        count = picked[order["ABCDEF".index(letter)]]
        if share != _share(count, len(given)):
            yield f"question {question['id']}: {share} for {letter}, stored are {count}"
    right = [a for a in given if a["correct"] and question["seconds"]]  # no times without a clock
    right.sort(key=lambda a: (a["elapsed_ms"], a["user_id"]))
    known = [(names.get(a["user_id"], "?"), f"{a['elapsed_ms'] / 1000:.1f}s") for a in right[:3]]
    fastest = _FASTEST.findall(text)
    if fastest != (known if question["seconds"] else []):  # a hosted round has no clock
        yield f"question {question['id']}: the card's best times {fastest} are not the stored ones"


def _verdict(what: str, text: str, given: list[Row]) -> Iterator[str]:
    """Check how many had it. Of one alone the card doesn't say so, or with their name."""
    right = sum(a["correct"] for a in given)
    stored = f"{_share(right, len(given))} of {len(given):,}" if right else "had it"
    found = _HAD_IT.search(text)
    shown = (found[1] or found[2]) if found else None
    expected = {0: "answered", 1: None}.get(len(given), stored)
    if shown != expected:
        yield f"{what}: the card says {shown}, stored are {len(given)} answers, {right} right"


def _share(part: int, whole: int) -> str:
    return str(part) if whole < 10 else f"{round(100 * part / whole)}%"


def agree(shown: dict[str, int], points: Mapping[str, int]) -> bool:
    """Return whether standings show these points; of somebody who played alone they name none."""
    return shown == points or len(points) > 10 or (len(points) == 1 and not shown)


def _standings(facts: Facts) -> Iterator[str]:
    """Check that a round has one message of standings, with the points of its answers."""
    points = facts.points("round")
    empty: dict[int, list[bool]] = defaultdict(list)
    for round_ in facts["rounds"]:
        row, planned = round_["id"], round_["ending"] in PLANNED
        if row not in points:
            empty[round_["channel_id"]].append(planned)
            continue
        found = facts.public(f"mine:v1:{row}:")
        if len(found) > 1 or (not found and planned):
            yield f"round {row} ended as {round_['ending']!r} with {len(found)} standings"
        for message in found:
            shown = points_shown(message.history[0].text)
            if not agree(shown, points[row]):
                yield f"round {row}: the standings say {shown}, the answers {points[row]}"
    for channel_id, ended in empty.items():
        messages = facts.world.channels[channel_id].messages.values()
        public = [m for m in messages if m.audience is None and m.id >= facts.since_id]
        over = sum(m.text.startswith("### Round over") for m in public)
        if not sum(ended) <= over <= len(ended):
            yield f"channel {channel_id}: {len(ended)} empty rounds, {over} messages about them"


def _dailies(facts: Facts) -> Iterator[str]:
    """Check that a schedule has one daily a date, with its thread, and a result that is stored."""
    answers = facts.answers_to("daily")
    per_date: Counter[tuple[int, str]] = Counter()
    for daily in facts["dailies"]:
        row, state = daily["id"], daily["state"]
        what = f"daily {row}"
        found = facts.cards("daily", row)
        per_date[daily["schedule_id"], daily["local_date"]] += len(found)
        if state in {"posting", "threading", "closing"}:
            yield f"{what} is stuck as {state!r}: {daily['problem']}"
        if (state in {"open", "closed"}) != bool(found):
            yield f"{what} is {state!r} with {len(found)} messages"
        for card in found:
            marks = {f"why:v1:daily:{row}", f"own:v1:daily:{row}:0"}
            yield from card_versions(what, card, daily["message_id"], marks)
            if milliseconds(created_at(card.id)) < daily["scheduled_at"] - _EARLY_MS:
                yield f"{what} was posted before its time"
            if daily["problem"]:
                continue
            if daily["thread"] and card.thread is None:
                yield f"{what} has no thread"
            if state == "closed" and not marks & set(card.history[-1].custom_ids):
                yield f"{what} is closed, but its card is not"
            elif state == "closed":
                yield from _daily_result(what, card.history[-1].text, answers[row])
    yield from (
        f"schedule {schedule_id} has {n} dailies on {day}"
        for (schedule_id, day), n in per_date.items()
        if n > 1
    )


def _daily_result(what: str, text: str, given: list[Row]) -> Iterator[str]:
    if (count := _OPEN_COUNT.search(text)) is None:
        yield from _verdict(what, text, given)
    elif int(count[1].replace(",", "")) != len(given):
        yield f"{what}: the card says {count[1]} answers, stored are {len(given)}"


def _recaps(facts: Facts) -> Iterator[str]:
    """Check that each recap is one message, which is the stored one."""
    public = [m for m in facts.world.messages if m.audience is None and m.id >= facts.since_id]
    heads = ("### The week in review", "### A quiet week")
    found = {m.id for m in public if m.text.startswith(heads)}
    posted = {r["message_id"] for r in facts["recaps"] if r["state"] == "posted"}
    if found != posted:
        yield f"the recaps in channels are {sorted(found)}, those stored {sorted(posted)}"
    for recap in facts["recaps"]:
        if recap["state"] == "posting":
            yield f"recap {recap['id']} is stuck: {recap['problem']}"


def _counted(facts: Facts) -> Iterator[str]:
    """Check that answers count once their question is over, and what they pay on the boards.

    In a round or challenge an answer pays nothing without a second player, nor if its item has paid
    the member something in the thirty days before.
    """
    players: dict[tuple[str, int], set[int]] = defaultdict(set)
    for answer in facts.log:
        if answer["answer"] is not None:
            players[answer["source"], answer["game"]].add(answer["user_id"])
    paid: dict[tuple[int, int, str], int] = {}
    for answer in facts.log:
        source, user, rating = answer["source"], answer["user_id"], answer["rating"]
        what = f"answer {source, answer['question_id'], user} to {answer['item_id']!r}"
        is_private = source == "practice"
        is_rated = answer["is_over"] and answer["item_id"] != ""
        if (rating is not None) != is_rated:
            yield f"{what} has the rating {rating}"
        elif is_rated and not is_private and (rating > 1) != answer["correct"]:
            yield f"{what} has the rating {rating}, and is {answer['correct']=}"
        is_open_question = answer["item_id"] == ""  # it counts for the streak only
        counts = answer["is_over"] and answer["answer"] is not None
        counts = counts and not is_private and not is_open_question
        if (answer["local_date"] is not None) != counts:
            yield f"{what} counts on {answer['local_date']}"
        item = user, answer["guild_id"], answer["item_id"]
        again = answer["answered_at"] - paid.get(item, -(10**12)) < 30 * 86_400_000
        alone = len(players[source, answer["game"]]) < 2
        points = 0 if source != "daily" and (again or alone) else answer["points"]
        if counts and answer["paid"] != points:
            yield f"{what} paid {answer['paid']}, it won {points}"
        if answer["paid"]:
            paid[item] = answer["answered_at"]


def _expected(facts: Facts) -> Iterator[str]:
    """Check that first answers to items in practice have what was expected of them, and no others."""
    asked = {question["id"]: question["expected"] for question in facts["practice_questions"]}
    met = set()
    for answer in facts.log:
        item = answer["user_id"], answer["item_id"]
        is_first = answer["source"] == "practice" and item not in met
        wanted = asked.get(answer["question_id"]) if is_first else None
        if answer["expected"] != wanted or (wanted is None and is_first):
            key = answer["source"], answer["question_id"]
            yield f"of answer {key} was expected {answer['expected']}, asked with {wanted}"
        if answer["rating"] is not None:
            met.add(item)


def _totals(database: Path) -> Iterator[str]:
    """Check that `python -m bot repair` changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "repaired.db"
        shutil.copy(database, copy)
        before = _content(copy)
        engine = create_engine(f"sqlite:///{copy}")
        with engine.begin() as conn:
            totals.rebuild(conn)
        engine.dispose()
        for row in sorted(before ^ _content(copy))[:5]:
            yield f"a repair changes the totals: {row}"


def _content(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as conn:
        return set(conn.iterdump())


def _memory(facts: Facts) -> Iterator[str]:
    """Check that each memory card is what a replay of the log makes, with the member's stabilities."""
    fits: dict[int, Fits] = {}
    for user, since, again, hard, good, easy in facts.query(_FITS):
        holds_from = _EPOCH + timedelta(milliseconds=since)
        fits.setdefault(user, []).append((holds_from, (again, hard, good, easy)))
    replayed: dict[tuple[int, str], MemoryCard] = {}
    for user, item, rating, at in facts.query(_RATED):
        before = replayed.get((user, item))
        answered_at = _EPOCH + timedelta(milliseconds=at)
        first = first_stabilities(fits.get(user, []), answered_at)
        replayed[user, item] = review(before, Rating(rating), answered_at, first)
    wanted = {
        key: (card.state, card.stability, milliseconds(card.due_at))
        for key, card in replayed.items()
    }
    stored = {(user, item): tuple(card) for user, item, *card in facts.query(_MEMORY_CARDS)}
    for key in wanted.keys() | stored.keys():
        if wanted.get(key) != stored.get(key):
            yield f"the card of {key} is {stored.get(key)}, a replay makes {wanted.get(key)}"


def _open_answers(facts: Facts) -> Iterator[str]:
    """Check that the latest counted answer to each open question counts for what a member knows."""
    latest: dict[tuple[int, str], tuple[int, int, int]] = {}
    for user, topic, at, grade, ticks in facts.query(_OPENLY):
        count = decode(grade).count if grade else PointCount(ticks.count(SAID), len(ticks))
        if count is not None:
            latest[user, topic] = at, count.said, count.total
    stored = {(user, topic): tuple(rest) for user, topic, *rest in facts.query(_OPEN_ANSWERS)}
    for key in latest.keys() | stored.keys():
        if latest.get(key) != stored.get(key):
            yield f"of {key} counts {stored.get(key)}, the latest open answer is {latest.get(key)}"
