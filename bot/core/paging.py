"""Pages of a long list, counted from 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
PAGE_SIZE = 10
"""Rows on a page of a list."""


def page_in(rows: int, page: int) -> tuple[int, int]:
    """Return the page to show and how many there are; past the end it is the last one.

    An empty list has a page too.
    """
    pages = max(1, -(-rows // PAGE_SIZE))
    return min(page, pages - 1), pages


def rows_on(page: int, rows: Sequence[T]) -> Sequence[T]:
    """Return the rows of a page that there is."""
    return rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
