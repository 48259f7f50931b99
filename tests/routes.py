"""All routes of buttons, lists and forms, found in the bot's views, and custom ids for each."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Sequence

import bot
from bot.chat.router import ONE_TOPIC, PAGE, ROW, TOPIC, Route

_FREE = {
    TOPIC: "temperature",
    ONE_TOPIC: "temperature",
    PAGE: "0",
    "[0-5]": "1",
    "[0-9]": "1",
    "[1-9]": "1",
    "[0-9]{1,10}": "7",
    "[0-5]{1,6}|none": "01",
    "[0-9]{0,9}": "01",
    "(?:[0-9a-f]{2}){0,30}": "61",
}
"""A value for each pattern that is neither a row nor a choice between words."""


def _routes() -> Iterator[Route]:
    for module in pkgutil.walk_packages(bot.__path__, "bot."):
        if module.name.endswith(("views", "ways")):
            found = vars(importlib.import_module(module.name)).values()
            yield from (value for value in found if isinstance(value, Route))


ROUTES = sorted(
    {id(route): route for route in _routes()}.values(),
    key=lambda route: (route.name, sorted(route.fields.items())),
)


def names_a_row(route: Route) -> bool:
    """Whether a route's ids say which row of the database they are about."""
    return any(ROW in pattern for pattern in route.fields.values())


def ids_of(route: Route, row: int, sources: Sequence[str]) -> list[str]:
    """Return custom ids of a route about a row, which have each of its fixed words at least once."""
    values = [
        [str(row)]
        if ROW in pattern
        else sources
        if field == "source" and not pattern.isalpha()
        else pattern.split("|")
        if re.fullmatch(r"[a-z|]+", pattern)
        else [_FREE[pattern]]
        for field, pattern in route.fields.items()
    ]
    return [
        route.id(**{name: of[n % len(of)] for name, of in zip(route.fields, values, strict=True)})
        for n in range(max(map(len, values), default=1))
    ]
