"""Questions of releases keep their ids, so that members' answers stay what they were."""

from __future__ import annotations

from bot import __version__
from tests.released import released, shapes


def test_released_ids_keep_their_shape() -> None:
    """An id stands for as many choices as before, and that of something gone is not used again."""
    _, before = released()
    assert len(before) > 1000
    now = shapes()
    assert [(key, was, now[key]) for key, was in before.items() if now.get(key, was) != was] == []


def test_each_release_adds_its_ids() -> None:
    """Whoever writes a new version runs `python -m tests.released` as well."""
    assert released()[0] == __version__
