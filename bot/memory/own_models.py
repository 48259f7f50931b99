"""Fits FSRS parameters to members who have enough reviews, and computes their cards again.

Each step can be repeated, so a run that is interrupted is completed by the next one: a fit is
stored together with a mark that the member's cards must be computed again. That locks each card
and reads the log, so an answer given at the same time is neither lost nor counted twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.answers import store as answers_store
from bot.core.child_process import CallEnded, Limits, Process
from bot.core.computing import SingleThread
from bot.core.context import Context
from bot.core.database import Connection
from bot.core.limits import MAX_FITTING_MEMORY, MAX_FITTING_SECONDS
from bot.core.notes import read_note, set_note
from bot.memory import fitting, store
from bot.memory.fitting import Fit

log = logging.getLogger(__name__)

MAX_FITS = 50
"""Fits of one run; members beyond that have theirs in the next."""
_PAGE = 500
"""Answers that are looked through in one query for members who practised."""
_BATCH = 20
"""Cards that are computed again in one transaction, which takes some milliseconds."""
_NOTE = "own models"
"""The note with the id of the last practice question whose member was considered."""
_PROCESS = Process(Limits(seconds=MAX_FITTING_SECONDS, memory=MAX_FITTING_MEMORY))
_WAITING = SingleThread("own models")


class OwnModels:
    """FSRS parameters of members' own. `run` is for one process at a time, at night."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._now = context.now

    async def run(self) -> int:
        """Fit parameters to members who have practised since the last run; return to how many.

        A member is due at `fitting.FIRST_FIT` reviews, and again when they have doubled. Without
        the optional library there are no fits. Raises CallStopped if the bot stops.
        """
        for user_id in await self._database.read(store.unfinished, MAX_FITS):
            await self._recompute(user_id)
        if not fitting.is_available():
            return 0
        try:
            fits = await self._fit_due()
        except asyncio.CancelledError:
            _PROCESS.kill()
            raise
        if fits:
            log.info("fitted FSRS parameters to the reviews of %s members", fits)
        return fits

    async def _fit_due(self) -> int:
        """Go through the answers in practice since the last run, a page at a time.

        The first run begins at the end: whoever has practised before is found when they go on.
        """
        note = await self._database.read(read_note, _NOTE)
        if note is None:
            newest = await self._database.read(answers_store.newest_practised)
            await self._database.write(set_note, _NOTE, str(newest))
            return 0
        fits = 0
        after = int(note)
        while page := await self._database.read(answers_store.practised_after, after, _PAGE):
            members = sorted({user_id for _, user_id in page})
            for user_id in await self._database.read_long(_due_members, members):
                if fits == MAX_FITS:
                    return fits  # the next run begins with this page
                await self._fit(user_id)
                fits += 1
            after = page[-1][0]
            await self._database.write(set_note, _NOTE, str(after))
        return fits

    async def _fit(self, user_id: int) -> None:
        history = await self._database.read_long(answers_store.all_reviews_of, user_id)
        try:
            fit = await _WAITING.run(_PROCESS.call, fitting.fit, history)
        except (CallEnded, RuntimeError, ValueError) as error:
            # It is stored as a fit without a result, so that it isn't repeated every night.
            log.warning("no FSRS parameters could be fitted to a member's reviews: %s", error)
            fit = Fit()
        reviews = sum(map(len, history.values()))
        if await self._database.write(store.save_fit, user_id, fit, reviews, self._now()):
            await self._recompute(user_id)

    async def _recompute(self, user_id: int) -> None:
        """Compute all cards of a member again from the log, with their present parameters."""
        item_ids = sorted(await self._database.read(store.cards_of, user_id))
        for start in range(0, len(item_ids), _BATCH):
            batch = item_ids[start : start + _BATCH]
            await self._database.write(store.recompute, user_id, batch)
        await self._database.write(store.end_recomputing, user_id)


def _due_members(conn: Connection, user_ids: Sequence[int]) -> list[int]:
    """Return those of these members who have enough reviews for a fit."""
    fitted_with = store.fitted_with(conn, user_ids)
    due = []
    for user_id in user_ids:
        needed = fitting.reviews_needed(fitted_with.get(user_id))
        if answers_store.count_reviews(conn, user_id, needed) >= needed:
            due.append(user_id)
    return due
