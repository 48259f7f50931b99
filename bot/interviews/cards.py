"""The values that interview views show: a question with its feedback, and the report at the end.

Key points, follow-ups and their good answers are copied in the words they had when the answer was
graded, so that feedback can be shown again after the bank has changed.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from bot.interviews.grading import Error, State
from bot.interviews.rules import STRONG, choose_follow_up
from bot.questions.model import FollowUp, Topic


@dataclass(frozen=True, slots=True)
class PointCount:
    """The number of a question's key points in an answer, including self-marked ones, and in
    total."""

    points: int
    total: int

    def compare(self, earlier: PointCount) -> int:
        """Return 1 for a larger share than an earlier answer had, -1 for a smaller one, else 0."""
        now = self.points * earlier.total
        then = earlier.points * self.total
        return (now > then) - (now < then)


@dataclass(frozen=True, slots=True)
class Point:
    """A key point, its state, and the passage of the answer that is closest to it.

    `quote` is empty if no passage is close. `credit`, from 0 to 1, is the point's share of the
    score. `claimed` means that the grader did not find the point but the member says it is there.
    """

    text: str
    state: str
    quote: str = ""
    credit: float = 0.0
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """A graded answer. `percent` is the grader's estimate; claimed points don't change it.

    `flags` are the grader's hints on the form of the answer. `model` tells whether a model service
    checked doubtful points: "" (no), "asked", "failed", or "spent" (daily limit reached).
    """

    points: tuple[Point, ...]
    percent: int
    flags: tuple[str, ...] = ()
    model: str = ""
    errors: tuple[Error, ...] = ()

    @property
    def states(self) -> str:
        """One letter per key point, in the bank's order: c covered, d doubtful, m missing."""
        return "".join(point.state[0] for point in self.points)

    @property
    def passed(self) -> bool:
        """Whether the answer counts as correct in tallies: at least half."""
        return self.percent >= 50

    @property
    def claimed(self) -> tuple[Point, ...]:
        """The points that the member marked as said."""
        return tuple(point for point in self.points if point.claimed)

    @property
    def own_percent(self) -> int:
        """The estimate with claimed points counted in full. Only the member's own report uses it."""
        if not self.claimed:
            return self.percent
        return _percent([1.0 if p.claimed else p.credit for p in self.points])

    @property
    def point_count(self) -> PointCount:
        """The number of points that are covered or claimed."""
        return PointCount(len(self.in_state(State.COVERED)) + len(self.claimed), len(self.points))

    def in_state(self, state: str) -> tuple[Point, ...]:
        """Return the points in a state, without claimed ones."""
        return tuple(point for point in self.points if point.state == state and not point.claimed)

    def with_claims(self, numbers: Set[int]) -> Assessment:
        """Return a copy with exactly these points claimed, by index. Covered points can't be."""
        points = (
            replace(p, claimed=n in numbers and p.state != State.COVERED)
            for n, p in enumerate(self.points)
        )
        return replace(self, points=tuple(points))

    def with_claims_of(self, earlier: Assessment) -> Assessment:
        """Return a copy with the claims of an earlier grade, except for points now covered."""
        claimed = {point.text for point in earlier.claimed}
        return self.with_claims({n for n, point in enumerate(self.points) if point.text in claimed})

    def with_confirmed(self, quotes: dict[int, str]) -> Assessment:
        """Return a copy with these doubtful points, by index, covered by a quote."""
        points = list(self.points)
        for index, quote in quotes.items():
            if points[index].state == State.DOUBTFUL:
                points[index] = replace(points[index], state=State.COVERED, quote=quote, credit=1.0)
        return replace(
            self, points=tuple(points), percent=_percent([point.credit for point in points])
        )


def _percent(credits: Sequence[float]) -> int:
    return round(100 * sum(credits) / len(credits))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a good answer, its state, and the closest passage of the member's answer, if any."""

    text: str
    state: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A follow-up that the member has answered, or whose good answer they have been shown.

    `answer` is None if it was only shown. `parts` are empty until the answer is compared; `flags`
    are the grader's hints on its form.
    """

    question: str
    hint: str
    answer: str | None = None
    parts: tuple[Part, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether it is answered but not compared yet."""
        return self.answer is not None and not self.parts

    @property
    def outcome(self) -> str:
        """The overall result: covered, partly covered, unclear or missing."""
        states = [part.state for part in self.parts]
        if State.COVERED in states:
            return "covered" if set(states) == {State.COVERED} else "partly covered"
        return "unclear" if State.DOUBTFUL in states else "missing"


@dataclass(frozen=True, slots=True)
class Step:
    """A question of an interview: open, or answered and with its feedback.

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
    problem: str = ""
    """Tells the member why their answer can't be graded; empty if it can."""
    reply: Reply | None = None
    """The follow-up once it is answered or shown; None while feedback is held back."""

    @property
    def last(self) -> bool:
        return self.number >= self.total

    @property
    def follow_up(self) -> FollowUp | None:
        """The follow-up already handled, else the one that fits the answer; None without feedback."""
        if self.assessment is None:
            return None
        if self.reply is not None:
            return FollowUp("", self.reply.question, self.reply.hint)
        return choose_follow_up(self.topic, self.assessment.percent, self.question_id)

    @property
    def follow_up_number(self) -> int | None:
        """The index of the follow-up that can be answered now; None if there is none."""
        follow_up = self.follow_up
        if self.reply is not None or follow_up is None or not follow_up.hint:
            return None
        return self.topic.follow_ups.index(follow_up)


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question of a finished interview, for its report.

    `percent` and `points` are None for a skipped or ungraded question. Both include the `claimed`
    points. `previous` is the count of the latest earlier answer to the same topic.
    """

    topic_id: str
    percent: int | None
    answered: bool = True
    claimed: int = 0
    points: PointCount | None = None
    previous: PointCount | None = None

    @property
    def needs_practice(self) -> bool:
        """Whether it was skipped or not strong. An answer without a grade yet doesn't count."""
        return not self.answered if self.percent is None else self.percent < STRONG


@dataclass(frozen=True, slots=True)
class SectionReport:
    """A section's questions as (topic, question), and their mean percent."""

    title: str
    percent: int | None
    asked: tuple[tuple[Topic, AskedQuestion], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A finished interview. `practise` lists the weakest topics first and no strong ones.

    `better`, `same` and `worse` count the topics that were answered in an earlier interview too.
    """

    percent: int | None
    answered: int
    skipped: int
    sections: tuple[SectionReport, ...]
    practise: tuple[Topic, ...]
    better: int = 0
    same: int = 0
    worse: int = 0
