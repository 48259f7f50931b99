"""The private lines in which members read that an answer is stored: at the reveal they turn into their own results.

Nothing waits for them, neither an answer nor a reveal. They are known to this process only, so after a restart a line
stays as it is. Each is edited by the token of its own interaction, which Discord counts by itself and which does not
count towards the bot's requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

from bot.rounds.rules import OwnResult

log = logging.getLogger(__name__)

Show = Callable[[OwnResult], Awaitable[None]]
MOST_LINES = 50
"""Of one question: who answered later sees the card and the standings."""
MOST_KEPT = 5_000
"""Of all questions; those of the oldest go first."""
KEPT_FOR = timedelta(minutes=14)
"""Discord takes edits for a quarter of an hour."""
LATE = 10.0
"""Seconds after a reveal, when the next question is what matters."""
AFTER = 0.2
"""Seconds for which lines wait, so that other rounds' reveals of the same moment come first."""
_REMEMBERED = 300
_AT_ONCE = 8
"""Edits under way at a time, so that clicks are not held up by them."""


class PrivateLines:
    """`results(question_id, user_ids)` gives what each member's answer came to."""

    def __init__(
        self,
        now: Callable[[], datetime],
        results: Callable[[int, Collection[int]], Awaitable[Mapping[int, OwnResult]]],
    ) -> None:
        self._now = now
        self._results = results
        self._kept: dict[int, dict[int, tuple[datetime, Show]]] = {}
        self._count = 0
        self._revealed: dict[int, None] = {}
        """The last questions that were revealed."""
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._telling: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return self._count

    def keep(self, question_id: int, user_id: int, show: Show) -> None:
        """A member has read that their answer is stored; `show` turns that line into a result."""
        if question_id in self._revealed:  # the line was on its way for longer than the reveal
            self._begin(question_id, {user_id: show})
            return
        lines = self._kept.setdefault(question_id, {})
        if len(lines) >= MOST_LINES and user_id not in lines:
            return
        self._count += user_id not in lines  # who presses again has a newer line, not a second one
        lines[user_id] = (self._now(), show)
        while self._count > MOST_KEPT:
            self._take(next(iter(self._kept)))

    def reveal(self, question_id: int) -> None:
        """The question is revealed: begin to tell its members, and return at once."""
        fresh = self._now() - KEPT_FOR
        lines = {
            user_id: show for user_id, (at, show) in self._take(question_id).items() if at > fresh
        }
        if lines:
            self._begin(question_id, lines, after=AFTER)
        self._revealed[question_id] = None
        if len(self._revealed) > _REMEMBERED:
            del self._revealed[next(iter(self._revealed))]

    def forget_member(self, user_id: int) -> None:
        """Forget the lines of a member who wants everything erased."""
        self._keep(lambda member, _: member != user_id)

    def forget_server(self, _guild_id: int) -> None:
        """Forget a server that was erased, with all lines that are as old: Discord takes no edits of them."""
        fresh = self._now() - KEPT_FOR
        self._keep(lambda _, at: at > fresh)

    def _keep(self, wanted: Callable[[int, datetime], bool]) -> None:
        left = (
            (
                question_id,
                {member: line for member, line in lines.items() if wanted(member, line[0])},
            )
            for question_id, lines in self._kept.items()
        )
        self._kept = {question_id: lines for question_id, lines in left if lines}
        self._count = sum(map(len, self._kept.values()))

    async def close(self) -> None:
        """Tell nobody any more."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _take(self, question_id: int) -> dict[int, tuple[datetime, Show]]:
        lines = self._kept.pop(question_id, {})
        self._count -= len(lines)
        return lines

    def _begin(self, question_id: int, lines: Mapping[int, Show], after: float = 0) -> None:
        task = asyncio.create_task(self._tell(question_id, lines, after))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, question_id: int, lines: Mapping[int, Show], after: float) -> None:
        try:
            async with asyncio.timeout(LATE):
                await asyncio.sleep(after)
                results = await self._results(question_id, lines.keys())
                await asyncio.gather(
                    *(self._show(lines[user_id], result) for user_id, result in results.items())
                )
        except TimeoutError:
            log.info(
                "question %s: not all private lines were brought up to date in time", question_id
            )
        except Exception:
            log.exception("question %s: the private lines were not brought up to date", question_id)

    async def _show(self, show: Show, result: OwnResult) -> None:
        async with self._room:
            await show(result)
