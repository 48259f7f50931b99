"""Open questions as this process knows them: what can't change while they are open, and who has answered so far."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.questions.model import Item
from bot.rounds import rules as rounds

MOST = 10_000
"""How many are remembered; a question that was dropped is loaded again with its next answer."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """An open question of a round. `players` as for `rounds.reveal_at`; `answered`: who answered when, grows."""

    question_id: int
    round_id: int
    number: int
    guild_id: int
    channel_id: int
    message_id: int
    seconds: int
    item: Item
    order: tuple[int, ...]
    opened_at: datetime
    deadline_at: datetime
    players: Collection[int]
    answered: dict[int, datetime]

    @property
    def reveal_at(self) -> datetime:
        return rounds.reveal_at(
            number=self.number, deadline=self.deadline_at, players=self.players, answered_at=self.answered
        )


class OpenQuestions:
    """Only what is committed goes in here; the database decides whether a question is still open."""

    def __init__(self) -> None:
        self._known: dict[int, OpenQuestion] = {}

    def get(self, question_id: int) -> OpenQuestion | None:
        return self._known.get(question_id)

    def add(self, question: OpenQuestion) -> OpenQuestion:
        """Remember a question; returns the one that is known, if somebody was faster."""
        known = self._known.setdefault(question.question_id, question)
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return known

    def drop_round(self, round_id: int) -> None:
        for question_id in [known.question_id for known in self._known.values() if known.round_id == round_id]:
            self.drop(question_id)

    def drop(self, question_id: int) -> None:
        self._known.pop(question_id, None)
