"""The values of interviews: their rows, a question with its feedback, and the report at the end.

Key points, follow-ups and their good answers are copied in the words they had when the answer was
graded, so that feedback can be shown again after the bank has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bot.core.personal import NOBODY
from bot.interviews.grading import PointState
from bot.members.model import Streak, StreakNews
from bot.questions.model import Case, Topic

SAID, OPPOSITE = "said", "opposite"
"""States of a point that a model has checked, besides `PointState.MISSING`."""
UNCOMPARED = "uncompared"
"""The flag of an answer whose points nothing was compared with."""
COUNTED = frozenset({str(PointState.FOUND), SAID})


class Interview(Struct, frozen=True):
    """The columns of `interviews` that the bot reads."""

    id: int
    user_id: int
    topic_id: str | None
    total: int
    ended_at: datetime | None
    case_id: str | None = None


class InterviewQuestion(Struct, frozen=True):
    """The columns of `interview_questions` that the bot reads.

    A skipped question has a time but no answer.
    """

    id: int
    interview_id: int
    number: int
    topic_id: str
    answer: str | None
    grade: str | None
    answered_at: datetime | None
    follow_up: str | None = None

    @property
    def open(self) -> bool:
        return self.answered_at is None

    @property
    def skipped(self) -> bool:
        return self.answered_at is not None and self.answer is None


class PointCount(Struct, frozen=True):
    """The number of a question's key points that an answer says, and of all."""

    said: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.said / max(1, self.total))


class Point(Struct, frozen=True):
    """A key point, its state, and the passage of the answer that is closest to it.

    `quote` is empty if no passage is close. `opposite` is a sentence that says the opposite, to
    compare the passage with; empty if the bank has none. `why` tells what is right if the answer
    states a known misconception.
    """

    text: str
    state: str
    quote: str = ""
    opposite: str = ""
    why: str = ""

    @property
    def is_doubted(self) -> bool:
        """Whether the answer may say the opposite."""
        return self.state in {PointState.CHECK, OPPOSITE}


class Assessment(Struct, frozen=True):
    """The key points found in an answer.

    Without a model, words decide. They show that an answer speaks of a point, not that it says it,
    so there is no number before the member has compared the points and counted their own.

    `flags` are the grader's hints on the form of the answer. `model` names the model that checked
    the points, if one did; `model_failed` tells why one that is set up did not: "failed", or "spent"
    (daily limit reached). `counted` are the points, by index, that the member says they said; None
    until they count. With `by_partner`, another member ticked them in a pair.
    """

    points: tuple[Point, ...]
    flags: tuple[str, ...] = ()
    model: str = ""
    model_failed: str = ""
    counted: tuple[int, ...] | None = None
    by_partner: bool = False

    @property
    def start_ticked(self) -> frozenset[int]:
        """The points, by index, that were found or that a model says are said."""
        return frozenset(n for n, point in enumerate(self.points) if point.state in COUNTED)

    @property
    def found(self) -> PointCount:
        """The number of points that were found or that a model says are said."""
        return PointCount(len(self.start_ticked), len(self.points))

    @property
    def count(self) -> PointCount | None:
        """The member's own count, else the model's; None if nobody has counted."""
        if self.counted is not None:
            return PointCount(len(self.counted), len(self.points))
        return self.found if self.model else None

    @property
    def counted_by(self) -> str:
        """The name of the model whose count is `count`; empty if it is the member's own, or none."""
        return self.model if self.counted is None else ""

    @property
    def ticked(self) -> frozenset[int]:
        """The points, by index, that the list shows as said."""
        return self.start_ticked if self.counted is None else frozenset(self.counted)

    @property
    def unticked(self) -> list[Point]:
        """The points that the list doesn't show as said."""
        return [point for n, point in enumerate(self.points) if n not in self.ticked]

    def with_count(self, numbers: Set[int]) -> Assessment:
        """Return a copy with exactly these points, by index, as the member's own count."""
        own = tuple(sorted(n for n in numbers if n < len(self.points)))
        return replace(self, counted=own, by_partner=False)


class Part(Struct, frozen=True):
    """A part of a good answer, and the closest passage of the member's answer, if any."""

    text: str
    quote: str = ""


class Reply(Struct, frozen=True):
    """A follow-up that the member has answered, or whose good answer they have been shown.

    `answer` is None if it was only shown. `parts` are empty until the answer is compared.
    """

    question: str
    hint: str
    answer: str | None = None
    parts: tuple[Part, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether it is answered but not compared yet."""
        return self.answer is not None and not self.parts


def ticked_by_partner(points: Sequence[str], ticks: Collection[int]) -> Assessment:
    """Return the assessment of an answer to another member, who ticked these points, by index."""
    said = tuple(sorted(ticks))
    found = tuple(
        Point(text, SAID if n in ticks else str(PointState.MISSING))
        for n, text in enumerate(points)
    )
    return Assessment(found, counted=said, by_partner=True)


def encode(value: Assessment | Reply) -> str:
    return msgspec.json.encode(value).decode()


def decode(text: str) -> Assessment:
    """Return the assessment that `encode` made."""
    return msgspec.json.decode(text, type=Assessment)


def decode_reply(text: str) -> Reply:
    """Return the follow-up that `encode` made."""
    return msgspec.json.decode(text, type=Reply)


class Step(Struct, frozen=True):
    """A question of an interview or a step of a case: open, or answered and with its feedback.

    `assessment` is None while the question is open, if the answer can't be graded, and while the
    topic is an open question of the day that others can still answer.
    """

    question_id: int
    number: int
    total: int
    topic: Topic
    answer: str | None
    assessment: Assessment | None = None
    continued: bool = False
    ended_other: bool = False
    """Whether an interview with answers was ended for this one."""
    problem: str = ""
    """Tells the member why their answer can't be graded; empty if it can."""
    reply: Reply | None = None
    """The follow-up once it is answered or shown; None while feedback is held back."""
    brought_back: tuple[int, int] = (0, 0)
    """The number of the topic's items that missed points bring back, and that of days until then."""
    case: Case | None = None
    """The case whose step this is."""
    skipped: bool = False
    """Whether the member has skipped the step, so that they may see the model answer."""
    paused: Case | None = None
    """The case that the member could go on with instead of starting this interview."""

    @property
    def last(self) -> bool:
        return self.number >= self.total


class AskedQuestion(Struct, frozen=True):
    """A question of a finished interview, for its report.

    `count` is None for a skipped question, and for an answer whose points nobody counted. `model`
    names the model that counted, and is empty if the member or, with `by_partner`, their partner in
    a pair did. `previous` is the count of the
    latest earlier answer to the same topic, if it has the same source.
    """

    topic_id: str
    count: PointCount | None
    answered: bool = True
    model: str = ""
    previous: PointCount | None = None
    by_partner: bool = False


class InterviewReport(Struct, frozen=True):
    """A finished interview: what was asked, in order, and topics to practise, the weakest first."""

    asked: tuple[tuple[Topic, AskedQuestion], ...]
    practise: tuple[Topic, ...]
    case: Case | None = None


class CaseRun(Struct, frozen=True):
    """A case, and of a member's latest interview on it: the step where it is, and what it made.

    `step` is None if none is going on, and `count` if no points were counted.
    """

    case: Case
    step: int | None = None
    count: PointCount | None = None


class PartnerState(StrEnum):
    """The states of an interview with a partner; the table `partner_interviews` describes them."""

    POSTING = "posting"
    OPEN = "open"
    OPENING = "opening"
    CALLING = "calling"
    ASKING = "asking"
    SHOWING = "showing"
    CONFIRMING = "confirming"
    CLOSING = "closing"
    ENDED = "ended"


class PartnerEnding(StrEnum):
    """Why an interview with a partner, or the search for one, ended."""

    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    DONE = "done"
    STOPPED = "stopped"
    IDLE = "idle"
    LEFT = "left"
    LOST = "lost"
    NO_TOPIC = "no topic"


class PartnerInterview(Struct, frozen=True):
    """A row of `partner_interviews`. The first member asks the odd questions, and is asked a case."""

    id: int
    guild_id: int
    channel_id: int
    message_id: int | None
    first_id: int
    second_id: int | None
    pair: str | None
    topic_id: str | None
    state: PartnerState
    thread_id: int | None
    turn: int
    asked_topic_id: str | None
    asked_mark: int | None
    ticks: str
    asked_at: datetime | None
    first_interview_id: int | None
    second_interview_id: int | None
    tried_at: datetime | None
    created_at: datetime
    due_at: datetime | None
    ending: PartnerEnding | None
    case_id: str | None = None

    @property
    def members(self) -> tuple[int, int]:
        """The two members; 0 for one who was erased or is not there yet."""
        return self.first_id, self.second_id or 0

    @property
    def is_deserted(self) -> bool:
        """Whether one of the two has deleted their data."""
        return NOBODY in (self.first_id, self.second_id)

    def asker(self, number: int) -> int:
        """Return who asks the question with this number, from 1."""
        return self.members[1 if self.case_id else (number + 1) % 2]

    def answerer(self, number: int) -> int:
        return self.members[0 if self.case_id else number % 2]

    def interview_of(self, user_id: int) -> int | None:
        """Return the interview that holds what a member was asked."""
        return self.first_interview_id if user_id == self.first_id else self.second_interview_id


class Confirmed(Struct, frozen=True):
    """A question of the member's own interview, and the streak once their answer counts."""

    question_id: int
    streak: Streak
    news: StreakNews


class PartnerCard(Struct, frozen=True):
    """The values that the cards of an interview with a partner show.

    `topic` is the one that is asked or, before the first question, the one that is wanted, if any.
    Of a case, it is a step. `case` is None if it has left the bank.
    """

    interview: PartnerInterview
    names: Mapping[int, str]
    topic: Topic | None
    section: str
    case: Case | None = None

    @property
    def asker(self) -> str | None:
        return self.names.get(self.interview.asker(self.interview.turn))

    @property
    def answerer(self) -> str | None:
        return self.names.get(self.interview.answerer(self.interview.turn))

    @property
    def ticks(self) -> frozenset[int]:
        """The ticked key points, without those that the topic has lost since."""
        points = self.topic.key_points if self.topic else ()
        return frozenset(map(int, self.interview.ticks)) & frozenset(range(len(points)))
