"""A database of every kind in `BACKENDS`: by the address of one that holds nothing, or opened, with empty tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.storage.database import Database, open_database
from tests.storage.backends import BACKENDS, fresh_url, make_tables, migrated_file


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    return fresh_url(str(request.param), tmp_path)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated_file(tmp_path_factory.mktemp("database"))


@pytest.fixture
async def database(url: URL, migrated: Path) -> AsyncIterator[Database]:
    make_tables(url, migrated)
    async with open_database(url) as opened:
        yield opened
