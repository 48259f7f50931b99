"""Private results: at the reveal, "Locked in" replies become the members' own results.

No answer or reveal waits for them. They are kept in memory only, so after a restart a reply stays
as it is. Each is edited with the token of its own interaction, and such edits don't count towards
the bot's global rate limit:
https://discord.com/developers/docs/topics/rate-limits#global-rate-limit
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.answers import store as answers_store
from bot.answers.store import ROUND
from bot.core.computing import FairQueue
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.questions.answers import almost, decode_order, right_answer, shown_answer
from bot.rounds import rules, store
from bot.rounds.messages import standings_of
from bot.rounds.model import OwnResult

log = logging.getLogger(__name__)

Show = Callable[[OwnResult], Awaitable[None]]
MAX_REPLIES = 50
"""Per question. Members who answer later see the card and the standings."""
MAX_KEPT = 5_000
"""Replies of all questions; the oldest question's are dropped first."""
KEPT_FOR = timedelta(minutes=14)
"""Discord accepts edits of a reply for 15 minutes.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""
TIMEOUT = 10.0
"""Seconds after a reveal; later the next question is what matters."""
DELAY = 0.2
"""Seconds before the edits, so that other rounds' reveals of the same moment come first."""
_MAX_REVEALED = 300
_EDITS = FairQueue("results", most=MAX_KEPT, each=MAX_REPLIES, at_once=8)
"""Edits under way, few at a time, so that they don't hold up clicks. The key is the question."""


class PrivateResults:
    """Replies that become results."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._kept: dict[int, dict[int, tuple[datetime, Show]]] = {}
        """By question id and member: when the reply was sent, and how to edit it."""
        self._revealed: dict[int, None] = {}
        """The latest revealed questions, the oldest first."""
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, question_id: int, user_id: int, show: Show) -> None:
        """Keep a member's reply until the reveal; `show` edits it to show a result."""
        if question_id in self._revealed:  # the reveal was faster than the reply
            self._start(question_id, {user_id: show})
            return
        replies = self._kept.setdefault(question_id, {})
        if len(replies) < MAX_REPLIES or user_id in replies:
            replies[user_id] = (self._now(), show)
        while sum(map(len, self._kept.values())) > MAX_KEPT:
            _drop_oldest(self._kept)

    def show(self, question_id: int) -> None:
        """Start to show the results of a question that was just revealed, and return at once."""
        oldest = self._now() - KEPT_FOR
        kept = self._kept.pop(question_id, {})
        replies = {user_id: show for user_id, (at, show) in kept.items() if at > oldest}
        if replies:
            self._start(question_id, replies, delay=DELAY)
        self._revealed[question_id] = None
        if len(self._revealed) > _MAX_REVEALED:
            _drop_oldest(self._revealed)

    def forget_member(self, user_id: int) -> None:
        """Drop the replies to a member who wants everything erased."""
        for replies in self._kept.values():
            replies.pop(user_id, None)

    def forget_server(self, _guild_id: int) -> None:
        """Do nothing: a server is erased days after the last reply there could be edited."""

    async def close(self) -> None:
        """Stop showing results."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, question_id: int, replies: Mapping[int, Show], delay: float = 0) -> None:
        task = asyncio.create_task(self._show_all(question_id, replies, delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show_all(self, question_id: int, replies: Mapping[int, Show], delay: float) -> None:
        async def show_one(user_id: int, result: OwnResult) -> None:
            async with _EDITS.turn(question_id):
                await replies[user_id](result)

        try:
            async with asyncio.timeout(TIMEOUT):
                await asyncio.sleep(delay)
                results = await self.load(question_id, replies.keys())
                await asyncio.gather(*(show_one(*found) for found in results.items()))
        except TimeoutError:
            log.info("question %s: not all private results were shown in time", question_id)
        except Exception:
            log.exception("question %s: the private results were not shown", question_id)

    @reading
    def load(
        self, conn: Connection, question_id: int, user_ids: Collection[int]
    ) -> dict[int, OwnResult]:
        """Return the results of those of these members who answered a revealed question."""
        found = store.question_and_round(conn, question_id)
        if found is None or found[0].revealed_at is None:
            return {}
        question, round_ = found
        item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
        if item is None:
            return {}
        order = decode_order(question.choice_order)
        right = right_answer(item, order)
        ranked = {tally.user_id: (place, tally) for place, tally in standings_of(conn, round_.id)}
        numbers = {key: number for number, key in store.question_ids(conn, round_.id).items()}
        verdicts: dict[int, dict[int, bool]] = {user_id: {} for user_id in user_ids}
        for a in answers_store.results_of(conn, ROUND, numbers, user_ids):
            verdicts[a.user_id][numbers[a.question_id]] = a.correct
        given = answers_store.to_question(conn, ROUND, question.id)
        won = {a.user_id: a.points for a in given}
        before = [tally.points - won.get(user_id, 0) for user_id, (_, tally) in ranked.items()]
        return {
            a.user_id: OwnResult(
                shown=shown_answer(item, order, a.answer or ""),
                right=None if a.correct else right,
                points=a.points,
                place=ranked[a.user_id][0] if round_.two_played else 0,
                total=ranked[a.user_id][1].points,
                streak=rules.streak(verdicts[a.user_id], question.number),
                stays=ranked[a.user_id][0]
                == 1 + sum(other > ranked[a.user_id][1].points - a.points for other in before),
                almost=almost(item, a.answer or ""),
            )
            for a in given
            if a.user_id in user_ids
        }


def _drop_oldest(kept: dict[int, Any]) -> None:
    del kept[next(iter(kept))]
