"""A stage whose sections have enough questions to be milestones."""

from __future__ import annotations

import pytest

from bot.core.database import Database
from tests.banks import small_bank
from tests.stage import Stage


@pytest.fixture
async def stage(database: Database) -> Stage:
    """Twelve questions in each of two sections: ten of them are 80%."""
    made = Stage(database, small_bank(6))
    await made.introduce()
    return made
