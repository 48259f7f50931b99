"""Measures the difficulty of items each night, and loads what another process has measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.nightly import Nightly
from bot.insights.difficulties import Difficulties

_LOAD = 1


class DifficultyWork(Nightly):
    def __init__(self, context: Context, difficulties: Difficulties) -> None:
        super().__init__(context, "difficulties", difficulties.measure)
        self._difficulties = difficulties

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        load = [_LOAD] if self._difficulties.outdated(conn) else []
        return [*super().due(conn, now, limit), *load]

    async def work(self, key: int) -> None:
        if key == _LOAD:
            await self._difficulties.load()
        else:
            await super().work(key)
