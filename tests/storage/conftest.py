"""An empty database of every kind in `BACKENDS`, by its address or opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.storage.database import Database, open_database
from tests.storage.backends import BACKENDS, fresh_url


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    return fresh_url(str(request.param), tmp_path)


@pytest.fixture
async def database(url: URL) -> AsyncIterator[Database]:
    async with open_database(url) as opened:
        yield opened
