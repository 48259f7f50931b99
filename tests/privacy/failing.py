"""A database that fails during an erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stage import Stage


def fail_after(
    stage: Stage, patch: pytest.MonkeyPatch, portions: int, error: BaseException
) -> None:
    """Let the database fail once so many portions are erased."""
    write, left = stage.database.write, portions

    async def failing(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if getattr(work, "__name__", "") == "_erase_portion":
            left -= 1
            if left < 0:
                raise error
        return await write(work, *args, **kwargs)

    patch.setattr(stage.database, "write", failing)
