"""The services on an empty database; what a test can do with them is in `tests.services.stage`."""

from __future__ import annotations

import pytest

from bot.storage.database import Database
from tests.services.stage import Stage, small_bank
from tests.storage.conftest import database, migrated, postgres, url

__all__ = ["database", "migrated", "postgres", "stage", "url"]


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database, small_bank())
