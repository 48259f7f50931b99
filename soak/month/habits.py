"""What members and servers do all month: drawn once from a seed, the same for the same seed.

Pure: a population, and for each of its days the acts with their times. What comes of an act is `life.py`'s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

DAY = 86_400.0
NIGHT = 3 * 3600 + 7 * 60.0
"""When the bot is deployed, in seconds of a UTC day; around it nobody starts a round."""
_QUIET = (NIGHT - 3600, NIGHT + 600)
_ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Sydney",
    "UTC",
    "America/Sao_Paulo",
)
_KINDS = ("choice", "choice", "choice", "mixed")


@dataclass(frozen=True)
class Server:
    """A server's schedule and fate. `gone`: from and until which day the bot is not there; `moves`: a day, a zone."""

    zone: str
    at: str
    hours: int
    kind: str
    thread: bool
    gone: tuple[int, int] | None
    moves: tuple[int, str] | None


@dataclass(frozen=True)
class Member:
    """A member's habits: how likely each is on a day. `hour`: when in a UTC day; `away`: days from and until."""

    server: int
    hour: float
    daily: float
    practice: float
    interview: float
    skill: float
    reminded: bool
    away: tuple[int, int] | None


@dataclass(frozen=True)
class Act:
    """Something that a member does at a time (seconds since the start), or that happens (`member` is then -1).

    `others`: who joins in. `much`: how many questions. `luck`: a number in [0, 1) for what is left open.
    """

    at: float
    kind: str
    server: int
    member: int
    others: tuple[int, ...] = ()
    much: int = 0
    luck: float = 0.0


@dataclass(frozen=True)
class Population:
    servers: tuple[Server, ...]
    members: tuple[Member, ...]

    def of(self, server: int) -> tuple[int, ...]:
        return tuple(n for n, m in enumerate(self.members) if m.server == server)

    def is_there(self, server: int, day: float) -> bool:
        """Whether the bot is on a server on a day."""
        return not _within(self.servers[server].gone, day)


def people(seed: int, servers: int, members: int, days: int) -> Population:
    """Servers, a few of which remove the bot for some days or move to another zone, and members spread over them."""
    rng = random.Random(f"people {seed}")
    made = tuple(_server(rng, n, days) for n in range(servers))
    sizes = list(accumulate(rng.paretovariate(1.5) for _ in range(servers)))  # a few are big
    homes = [
        n % servers if n < 2 * servers else rng.choices(range(servers), cum_weights=sizes)[0]
        for n in range(members)
    ]
    return Population(made, tuple(_member(rng, home, days) for home in homes))


def acts_of(population: Population, seed: int, day: int) -> list[Act]:
    """All that is done on a day (the first is 0), in order."""
    rng = random.Random(f"day {seed} {day}")
    acts = [
        *_fates(population, rng, day),
        *_rounds(population, rng, day),
        *_challenges(population, rng, day),
    ]
    for number, member in enumerate(population.members):
        if not _within(member.away, day) and population.is_there(member.server, day):
            acts += _habits(rng, number, member, day)
    return sorted(acts, key=lambda act: act.at)


def _server(rng: random.Random, number: int, days: int) -> Server:
    zone = rng.choice(_ZONES)
    at = f"{rng.choice((7, 8, 9, 9, 12, 18)):02}:{rng.choice((0, 0, 0, 30)):02}"
    gone = moves = None
    if number % 9 == 4 and days > 6:
        first = rng.randint(2, max(2, days - 5))
        gone = first, first + rng.randint(1, 4)
    elif number % 7 == 3 and days > 3:
        moves = rng.randint(2, days - 2), rng.choice([z for z in _ZONES if z != zone])
    hours = rng.choice((12, 23, 23, 23, 48))
    return Server(zone, at, hours, rng.choice(_KINDS), rng.random() < 0.3, gone, moves)


def _member(rng: random.Random, home: int, days: int) -> Member:
    keen = rng.betavariate(1.6, 1.4)
    away = None
    if rng.random() < 0.15 and days > 4:
        first = rng.randint(1, days - 2)
        away = first, first + rng.randint(2, days)  # some never return
    return Member(
        server=home,
        hour=rng.uniform(0, 24),
        daily=0.9 * keen,
        practice=rng.choice((0, 0, 0.1, 0.4 * keen)),
        interview=rng.choice((0, 0, 0.03, 0.08)),
        skill=rng.uniform(0.4, 0.9),
        reminded=rng.random() < 0.15,
        away=away,
    )


def _fates(population: Population, rng: random.Random, day: int) -> list[Act]:
    """What happens to servers and members, and to the bot's connection."""
    start, acts = day * DAY, []
    for number, server in enumerate(population.servers):
        for which, kind in enumerate(("remove", "add")):
            if server.gone is not None and server.gone[which] == day:
                acts.append(Act(start + 7 + 60 * number, kind, number, -1))
        if server.moves is not None and server.moves[0] == day:
            acts.append(Act(start + rng.uniform(4, 23) * 3600, "move", number, -1))
    for number, member in enumerate(population.members):
        for which, kind in enumerate(("leave", "return")):
            if member.away is not None and member.away[which] == day:
                acts.append(Act(start + 1.0 + which, kind, member.server, number))
    for kind in ("re-identify", "resume", "reconnect", "twice"):
        acts.append(Act(start + rng.uniform(4, 23) * 3600, kind, -1, -1))
    return acts


def _rounds(population: Population, rng: random.Random, day: int) -> list[Act]:
    acts = []
    for server in range(len(population.servers)):
        here = [n for n in population.of(server) if not _within(population.members[n].away, day)]
        if len(here) < 2 or rng.random() > 0.4 or not population.is_there(server, day):
            continue
        players = rng.sample(here, min(len(here), rng.randint(2, 12)))
        at = day * DAY + _awake(rng, population.members[players[0]].hour)
        acts.append(
            Act(at, "round", server, players[0], tuple(players), rng.randint(3, 8), rng.random())
        )
    return acts


def _challenges(population: Population, rng: random.Random, day: int) -> list[Act]:
    """Somebody challenges everyone, or one other, and those who take it do so later on the day."""
    acts = []
    for server in range(len(population.servers)):
        here = [n for n in population.of(server) if not _within(population.members[n].away, day)]
        if len(here) < 2 or rng.random() > 0.3 or not population.is_there(server, day):
            continue
        takers = rng.sample(here, min(len(here), rng.randint(2, 8)))
        at = day * DAY + _awake(rng, population.members[takers[0]].hour)
        acts.append(
            Act(at, "challenge", server, takers[0], tuple(takers), rng.randint(2, 6), rng.random())
        )
        for taker in takers:
            later = at + 60 + rng.random() * ((day + 1) * DAY - at)
            if not _QUIET[0] < later % DAY < _QUIET[1]:
                acts.append(Act(later, "take", server, taker, luck=rng.random()))
    return acts


def _habits(rng: random.Random, number: int, member: Member, day: int) -> list[Act]:
    def act(kind: str, much: int = 0) -> Act:
        at = day * DAY + _awake(rng, member.hour)
        return Act(at, kind, member.server, number, much=much, luck=rng.random())

    acts = []
    if rng.random() < member.daily:
        acts.append(act("daily"))
        if rng.random() < 0.15:
            acts.append(
                act(rng.choice(("board", "board", "stats", "topics", "today", "help", "look back")))
            )
    if rng.random() < member.practice:
        acts.append(act("practice", rng.randint(2, 10)))
    if rng.random() < member.interview:
        acts.append(act("interview", rng.randint(1, 2)))
    if member.reminded and day == 1:
        acts.append(act("remind"))
    return acts


def _awake(rng: random.Random, hour: float) -> float:
    """Seconds into a day, around an hour, and not while the bot is about to be deployed."""
    at = (hour * 3600 + rng.gauss(0, 3600)) % DAY
    return at if not _QUIET[0] < at < _QUIET[1] else _QUIET[1] + rng.uniform(0, 3600)


def _within(span: tuple[int, int] | None, day: float) -> bool:
    return span is not None and span[0] <= day < span[1]
