"""The values of the panel of settings."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from bot.core.servers import Server
from bot.daily.model import DailyStatus
from bot.questions.model import Topic
from bot.recap.model import RecapStatus


class PackChoice(Struct, frozen=True):
    """A pack of questions, and whether it is asked on a server."""

    name: str
    title: str
    questions: int
    asked: bool


class SettingsPanel(Struct, frozen=True):
    """The settings of a server, with its dailies and numbers of teams and milestones, as of `now`.

    `week` is the topic of the week, if any.
    """

    server: Server
    dailies: tuple[DailyStatus, ...]
    recap: RecapStatus
    packs: tuple[PackChoice, ...]
    teams: int
    milestones: int
    now: datetime
    week: Topic | None = None
