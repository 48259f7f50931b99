"""A bot on the loopback Discord with two players, and the plays in which it is killed."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine

from bot.core.servers import set_zone
from bot.points.store import rebuild_sums
from bot.questions.bank import data_dir, parse_bank
from tests.crash import invariants
from tests.crash.play import (
    Players,
    cards,
    challenge_cards,
    close_challenges,
    close_dailies,
    hasten,
    host_buttons,
    query,
    revealed,
    step_in_challenge,
)
from tests.loopback.driver import Member, Result
from tests.loopback.model import Channel, Message, parts
from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.patience import PATIENCE
from tests.shipped import first_topic

SECONDS = 5
"""The shortest time for a question."""
TERM_SECONDS = 15.0
"""How long an end may take on a busy machine; that it is asked for within 5 is tried in virtual time."""
_LEASE = "3600"
"""Seconds, far more than a play takes: a claim of a dead process must be taken up by the next one, not run out."""
_HOUR_MS = 3_600_000


@dataclass
class Stage:
    """`forgetful`: whenever the bot comes back, Discord no longer knows its nonces, as after a long outage."""

    world: World
    bot: BotProcess
    channel: Channel
    annegret: Member
    bob: Member
    players: Players
    forgetful: bool = False
    ends: list[tuple[int, float]] = field(default_factory=list)
    ordered_at: float | None = None
    done: set[tuple[int, int]] = field(default_factory=set)
    pressed: dict[str, float] = field(default_factory=dict)
    """When a host's button was last pressed."""

    def terminate(self) -> None:
        """SIGTERM now; `comes_back` checks how the bot ends."""
        self.ordered_at = time.monotonic()
        self.bot.terminate()

    async def comes_back(self) -> None:
        """Wait for the bot's end, then start it again; an end that was asked for must be quick and clean."""
        code = await self.bot.dead()
        if self.ordered_at is not None:
            self.ends.append((code, self.bot.ended_at - self.ordered_at))
            self.ordered_at = None
        if self.forgetful:
            self.world.rest.forget_nonces()
        if self.bot.database.exists():
            hasten(self.bot.database, 2.0)
        await self.bot.start()

    async def stop(self) -> None:
        """SIGTERM at the end, or between two parts of a play; once, also where the trap has sent it already."""
        if not self.bot.running or self.ordered_at is not None:
            await self.comes_back()
        self.ends.append(await self.bot.stop())

    async def play(
        self, over: Callable[[], bool], moment: Callable[[], bool] | None = None
    ) -> None:
        """Answer every open card, bring the bot back whenever it ends, until the play is over.

        `moment` acts and returns True once, at a point that no request marks.
        """
        end = time.monotonic() + PATIENCE
        while not over() or moment is not None:
            if time.monotonic() > end:
                raise TimeoutError(f"the play did not end; {self.state()}\n{self.bot.log[-1500:]}")
            if not self.bot.running:
                await self.comes_back()
            if moment is not None and moment():
                moment = None
            for card in challenge_cards(self.channel):
                await self._take(card)
            for source in ("round", "daily"):
                for card in cards(self.channel, source):
                    await self._answer(card.id, source)
            await self._host(
                {"reveal"} if moment else {"reveal", "next"}
            )  # in a pause the moment may come
            await asyncio.sleep(0.03)

    async def _host(self, pressing: Container[str]) -> None:
        """Move a hosted round on once both have answered, and press again where that had no effect."""
        number = max(
            (int(str(n)) for (n,) in self.rows("SELECT number FROM rounds WHERE hosted")), default=0
        )
        for what, message, row in host_buttons(self.channel):
            answered = {
                (message.id, member.id) for member in (self.annegret, self.bob)
            } <= self.done
            custom_id, now = f"host:v1:{what}:{row}", time.monotonic()
            if (
                what in pressing
                and row == number
                and answered
                and now - self.pressed.get(custom_id, 0.0) > 1
            ):
                self.pressed[custom_id] = now
                await self.tell(self.annegret.click(message, custom_id))

    async def _answer(self, card_id: int, source: str) -> None:
        for member in (self.annegret, self.bob):
            card = next((c for c in cards(self.channel, source) if c.id == card_id), None)
            if card is None or (card_id, member.id) in self.done or not self.bot.running:
                continue
            result = await self.tell(
                self.players.answer(member, card, right=member is self.annegret)
            )
            if result is not None and result.acked:
                self.done.add((card_id, member.id))

    async def _take(self, card: Message) -> None:
        """Annegret and Bob take a step in a challenge each, until they are through."""
        for member in (self.annegret, self.bob):
            if not self.bot.running or self.is_through(member):
                continue
            with suppress(
                IndexError
            ):  # the question that is shown is not hers any more, or not stored yet
                await self.tell(
                    step_in_challenge(self.players, member, card, right=member is self.annegret)
                )

    def is_through(self, member: Member) -> bool:
        """Whether a member has answered the last question of the challenge, or their time for it is up."""
        now = int(time.time() * 1000)
        sql = f"SELECT 1 FROM challenge_takers WHERE user_id = {member.id} AND finished_at < {now}"
        return bool(self.rows(sql))

    async def tell(self, action: Coroutine[object, object, Result | None]) -> Result | None:
        """Do something to the bot; nobody waits for a bot that is dead."""
        task = asyncio.create_task(action)
        while not task.done() and self.bot.running:
            await asyncio.wait([task], timeout=0.02)
        return task.result() if task.done() or not task.cancel() else None

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return query(self.bot.database, sql) if self.bot.database.exists() else []

    def state(self) -> str:
        try:
            rounds, dailies = (
                self.rows("SELECT id, phase, number FROM rounds"),
                self.rows("SELECT id, state FROM dailies"),
            )
        except sqlite3.Error as error:
            return str(error)
        return f"rounds {rounds}, dailies {dailies}"

    def settled(self) -> bool:
        """A round was started, and every round has ended."""
        try:
            phases = [phase for (phase,) in self.rows("SELECT phase FROM rounds")]
        except sqlite3.Error:
            return False
        return bool(phases) and set(phases) == {"ended"}

    def daily_is(self, state: str) -> bool:
        found = self.rows("SELECT state FROM dailies")
        return bool(found) and found[0][0] == state

    def verdict(self) -> list[str]:
        """What is wrong after the end: broken invariants, and ends that were slow or unclean."""
        wrong = invariants.broken(self.bot.database, self.world, self.bot.log)
        for code, seconds in self.ends:
            if code or seconds > TERM_SECONDS:
                wrong.append(f"SIGTERM: exit code {code} after {seconds:.1f} s")
        return wrong


@asynccontextmanager
async def staged(
    folder: Path, *, forgetful: bool = False, whole_bank: bool = False
) -> AsyncIterator[Stage]:
    """A world and a bot that does not run yet; its bank has one topic so that it starts quickly, or all."""
    folder.mkdir(parents=True, exist_ok=True)
    bank = (
        (data_dir() / "questions.json").read_bytes()
        if whole_bank
        else json.dumps(first_topic()).encode()
    )
    bank_file = folder / "bank.json"
    bank_file.write_bytes(bank)
    async with World() as world:
        guild = world.add_guild()
        channel = world.add_channel(guild, "quiz")
        annegret, bob = (
            world.add_member(guild, "annegret", manager=True),
            world.add_member(guild, "bob"),
        )
        bot = BotProcess(world, folder, {"QUESTION_BANK": str(bank_file), "LOOPBACK_LEASE": _LEASE})
        players = Players(bot.database, parse_bank(bank), random.Random(1))
        stage = Stage(world, bot, channel, annegret, bob, players, forgetful)
        try:
            yield stage
        finally:
            await bot.close()


async def play_round(
    stage: Stage,
    arm: Callable[[], Callable[[], bool] | None],
    questions: int = 1,
    *,
    forward: bool = False,
) -> None:
    """A round from its start to its standings. `arm` sets the trap, and may return a moment for `Stage.play`.

    `forward`: the first question ends soon after its answers. That takes a stop, for the deadline is in the database.
    """
    await stage.bot.start()
    moment = arm()
    await stage.tell(
        stage.annegret.slash(stage.channel, "quiz start", questions=questions, seconds=SECONDS)
    )
    if forward:
        await stage.play(lambda: len(stage.done) == 2)
        await stage.stop()
        hasten(stage.bot.database, 0.0)
        await stage.bot.start()
    await stage.play(stage.settled, moment)
    await stage.stop()


async def play_hosted(stage: Stage, arm: Callable[[], Callable[[], bool] | None]) -> None:
    """A hosted round of two questions, with Annegret as its host, from its start to its standings."""
    await stage.bot.start()
    moment = arm()
    await stage.tell(stage.annegret.slash(stage.channel, "quiz start", questions=2, mode="hosted"))
    await stage.play(stage.settled, moment)
    await stage.stop()


async def play_daily(stage: Stage, arm: Callable[[], Callable[[], bool] | None]) -> None:
    """A daily: set up, posted at its time, answered by both, closed at its time."""
    await stage.bot.start()
    moment = arm()
    now = datetime.now(UTC) - timedelta(minutes=2)
    zone = noon_zone(now)
    for _ in range(3):
        if not stage.bot.running:
            await stage.comes_back()
        local = (now + timedelta(hours=noon_offset(now))).strftime("%H:%M")
        wanted = {"channel": stage.channel, "time": local, "timezone": zone, "thread": True}
        result = await stage.tell(stage.annegret.slash(stage.channel, "daily setup", **wanted))
        if result is not None and result.acked:
            break
    if not stage.bot.running:
        await stage.comes_back()
    await stage.stop()
    settled = int(time.time() * 1000) - _HOUR_MS
    with closing(sqlite3.connect(stage.bot.database)) as conn, conn:
        conn.execute(
            "UPDATE daily_schedules SET settled_until = ?, next_at = ?", [settled, settled]
        )
    await stage.bot.start()
    answered = "SELECT count(*) FROM daily_answers"
    await stage.play(
        lambda: stage.daily_is("open") and len(stage.done) == 2 and stage.rows(answered) == [(2,)]
    )
    await stage.stop()
    close_dailies(stage.bot.database)
    await stage.bot.start()
    await stage.play(lambda: stage.daily_is("closed"), moment)
    await stage.stop()


async def play_challenge(
    stage: Stage, arm: Callable[[], Callable[[], bool] | None], *, forward: bool = False
) -> None:
    """A challenge from its card to its standings. `arm` sets the trap; `forward`: only once both have taken it."""
    await stage.bot.start()
    moment = None if forward else arm()
    for _ in range(3):
        if not stage.bot.running:
            await stage.comes_back()
        if stage.rows("SELECT 1 FROM challenges"):
            break
        await stage.tell(stage.annegret.slash(stage.channel, "challenge", questions=2, hours=1))
    await stage.play(
        lambda: stage.is_through(stage.annegret) and stage.is_through(stage.bob), moment
    )
    shown = "SELECT 1 FROM challenges WHERE shown > 0 OR state != 'open'"  # the second one's count takes a while
    if not forward:
        await stage.play(lambda: bool(stage.rows(shown)))
    await stage.stop()
    close_challenges(stage.bot.database)
    if forward:
        arm()
    await stage.bot.start(ready=False)
    await stage.play(lambda: stage.rows("SELECT state FROM challenges") == [("closed",)])
    await stage.stop()


async def play_recap(stage: Stage, arm: Callable[[], Callable[[], bool] | None]) -> None:
    """The recap of a week in which a round was played; the round moves to last week while the bot is stopped."""
    await play_round(stage, lambda: None)
    now = datetime.now(UTC)
    settled = int(now.timestamp() * 1000) - 24 * _HOUR_MS
    engine = create_engine(f"sqlite:///{stage.bot.database}")
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE ledger SET local_date = date(local_date, '-7 days')")
        rebuild_sums(conn)
        guild_id = conn.exec_driver_sql("SELECT guild_id FROM rounds").scalar_one()
        set_zone(conn, guild_id, noon_zone(now))
        values = (guild_id, stage.channel.id, now.weekday(), settled, settled)
        columns = "guild_id, channel_id, weekday, settled_until, next_at"
        conn.exec_driver_sql(
            f"INSERT INTO recap_schedules ({columns}) VALUES (?, ?, ?, ?, ?)", values
        )
    engine.dispose()
    moment = arm()
    await stage.bot.start()
    await stage.play(lambda: stage.rows("SELECT state FROM recaps") == [("posted",)], moment)
    await stage.stop()


SAID = "A sentence about tokens that Annegret wrote to a follow-up."


async def play_interview(stage: Stage, arm: Callable[[], Callable[[], bool] | None]) -> None:
    """An interview of one question whose follow-up is answered, and looked at again with the process of then."""
    annegret, channel = stage.annegret, stage.channel
    await stage.bot.start()
    await annegret.slash(channel, "interview", questions=1)
    card = annegret.sees(channel)[-1]
    await annegret.submit(
        await annegret.click(card, labelled(card, "Answer")), "Subwords are tokens."
    )
    await stage.world.until(lambda: "key point" in annegret.sees(channel)[-1].text)
    card = annegret.sees(channel)[-1]
    opened = await annegret.click(card, labelled(card, "Answer the follow-up"))
    arm()
    await stage.tell(annegret.submit(opened, SAID))
    await stage.comes_back()
    await annegret.slash(channel, "interview")
    await stage.world.until(
        lambda: (
            annegret.sees(channel)[-1] is not card
            and "key point" in annegret.sees(channel)[-1].text
        )
    )
    shown = annegret.sees(channel)[-1]
    await annegret.click(shown, labelled(shown, "Follow-up"))
    await stage.world.until(lambda: SAID in shown.text)
    await annegret.click(shown, labelled(shown, "See the report"))
    await stage.stop()


def labelled(message: Message, label: str) -> str:
    """The custom id of a button."""
    return next(
        str(part["custom_id"]) for part in parts(message.components) if part.get("label") == label
    )


def noon_offset(now: datetime) -> int:
    """Hours to add to UTC so that it is around noon, and no date changes during a test."""
    return 12 - now.hour


def noon_zone(now: datetime) -> str:
    offset = noon_offset(now)
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def reveals(stage: Stage) -> int:
    return len(revealed(stage.channel))


def texts(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
