"""Rules of mock interviews: the next topic, the follow-up that fits, what is stored, the report."""

from __future__ import annotations

import random
from collections.abc import Collection, Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, median

from msgspec.structs import replace

from bot.interviews.model import (
    AskedQuestion,
    Assessment,
    Interview,
    InterviewReport,
    Step,
    decode,
)
from bot.questions.model import Bank, Case, FollowUp, Topic

QUESTIONS = 3
"""Questions of a mock interview."""
FAIR, STRONG = 40, 75
"""Minimum percent of a fair and of a strong answer."""
BANDS = ("weak", "fair", "strong")
OPEN_FOR = timedelta(hours=24)
"""The time that a card looks for a partner."""
IDLE_AFTER = timedelta(minutes=60)
"""The longest pause of an interview with a partner."""
QUESTIONS_EACH = 2
TURNS = 2 * QUESTIONS_EACH
"""The questions of an interview with a partner, and the steps of a case."""
_NEWCOMER = 3
"""Whoever has met fewer open questions than this gets easier ones that interviews ask much."""
_MAX_PRACTISE = 2
"""Topics to practise next, in a report."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def draw_topic(
    bank: Bank,
    last_asked: Mapping[str, datetime],
    *,
    used: Collection[str],
    hidden: Collection[str],
    wanted: str | None,
    rng: random.Random,
) -> Topic | None:
    """Return the next topic of an interview; None if no topic is left.

    `last_asked` tells when this member was last asked each topic, `used` are the topics of this
    interview, and `hidden` those that must not be shown now. The `wanted` topic comes first, then
    its section, then the rest. Among those, topics never asked or asked longest ago come first;
    ties are drawn at random. Newcomers get common ones.
    """
    left = [
        topic
        for topic in bank.open_topics.values()
        if topic.id not in used and topic.id not in hidden
    ]
    if not left:
        return None
    wanted_topic = bank.topics.get(wanted or "")

    def rank(topic: Topic) -> tuple[bool, bool, datetime]:
        elsewhere = wanted_topic is not None and topic.section_id != wanted_topic.section_id
        return topic.id != wanted, elsewhere, last_asked.get(topic.id, _NEVER)

    best = min(map(rank, left))
    found = [topic for topic in left if rank(topic) == best]
    return rng.choice(_for_newcomer(found) if len(last_asked) < _NEWCOMER else found)


def offered_cases(packs: Bank, bank: Bank) -> list[Case]:
    """Return the cases that lean on a topic which a bank asks."""
    return [case for case in packs.cases if not bank.asked_topics.keys().isdisjoint(case.topics)]


def draw_case(
    cases: Sequence[Case],
    runs: Mapping[str, Interview],
    met: Collection[str],
    rng: random.Random,
) -> Case:
    """Return the next case of a member: one that they haven't had, else had longest ago.

    Among those they haven't had, one with the most topics that they have `met` comes first.
    """

    def rank(case: Case) -> tuple[int, float]:
        run = runs.get(case.id)
        familiar = fmean(topic_id in met for topic_id in case.topics)
        return (run.id, 0) if run is not None else (0, -familiar)

    best = min(map(rank, cases))
    return rng.choice([case for case in cases if rank(case) == best])


def _for_newcomer(topics: Sequence[Topic]) -> list[Topic]:
    """Return those that interviews ask most, well-known ones if there are any, without the harder half."""

    def commonness(topic: Topic) -> tuple[int, bool]:
        return topic.weight, topic.number is not None

    def difficulty(topic: Topic) -> float:
        return fmean([item.expected_difficulty for item in topic.items] or [0])

    most = max(map(commonness, topics))
    common = [topic for topic in topics if commonness(topic) == most]
    middle = median(map(difficulty, common))
    return [topic for topic in common if difficulty(topic) <= middle]


def choose_follow_up(topic: Topic, percent: int, seed: int) -> FollowUp | None:
    """Return a follow-up for an answer with this score.

    If the bank has none for its band, the nearest band is used, easier ones first. `seed` chooses
    among several, so the same answer always gets the same one.
    """
    own = (percent >= FAIR) + (percent >= STRONG)
    for nearest in sorted(
        BANDS, key=lambda name: (abs(BANDS.index(name) - own), BANDS.index(name))
    ):
        candidates = [follow_up for follow_up in topic.follow_ups if follow_up.when == nearest]
        if candidates:
            return candidates[seed % len(candidates)]
    return None


def follow_up_of(step: Step) -> FollowUp | None:
    """Return the follow-up already handled, else the one that fits the count; None before that."""
    if step.assessment is None or step.assessment.count is None:
        return None
    if step.reply is not None:
        return FollowUp("", step.reply.question, step.reply.hint)
    return choose_follow_up(step.topic, step.assessment.count.percent, step.question_id)


def open_follow_up(step: Step) -> int | None:
    """Return the index of the follow-up that can be answered now; None if there is none."""
    follow_up = follow_up_of(step)
    if step.reply is not None or follow_up is None or not follow_up.hint:
        return None
    return step.topic.follow_ups.index(follow_up)


def merged(stored: str | None, graded: Assessment) -> Assessment:
    """Return what to store of a grade if another one, encoded, was stored in the meantime.

    A model's rulings outlive a grade without one, and the member's own count outlives any.
    """
    if stored is None:
        return graded
    earlier = decode(stored)
    if earlier.model and not graded.model:
        return earlier
    return replace(graded, counted=earlier.counted)


def build_report(topics: Mapping[str, Topic], asked: Sequence[AskedQuestion]) -> InterviewReport:
    """Report on an interview, without topics that are no longer in the bank."""
    known = tuple((topics[one.topic_id], one) for one in asked if one.topic_id in topics)
    weak = [pair for pair in known if pair[0].items and needs_practice(pair[1])]
    weak.sort(key=lambda pair: pair[1].count.percent if pair[1].count else 0)
    return InterviewReport(known, tuple(topic for topic, _ in weak[:_MAX_PRACTISE]))


def case_report(
    bank: Bank, case: Case, asked: Sequence[AskedQuestion], missed: Container[str]
) -> InterviewReport:
    """Report on a case. The topics that it leans on are to practise unless every step was strong,
    first those with most `missed` items.
    """
    found = build_report({step.id: step for step in case.steps}, asked)
    practise: list[Topic] = []
    if any(needs_practice(one) for _, one in found.asked):
        practise = [bank.topics[i] for i in case.topics if i in bank.topics]
        practise.sort(key=lambda topic: -sum(item.id in missed for item in topic.items))
    return replace(found, practise=tuple(practise[:_MAX_PRACTISE]), case=case)


def needs_practice(asked: AskedQuestion) -> bool:
    """Whether it was skipped or not strong. An answer that nobody counted is neither."""
    return not asked.answered if asked.count is None else asked.count.percent < STRONG
