"""A bot on the loopback Discord with two players, and the plays that kill it."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine

from bot.answers import totals
from bot.core.servers import set_zone
from bot.core.zones import search_zones
from bot.questions.bank import data_dir, parse_bank
from tests.crash import invariants
from tests.crash.play import (
    Players,
    card_of,
    cards,
    challenge_cards,
    close_challenges,
    close_dailies,
    hasten,
    host_buttons,
    query,
    step_in_challenge,
)
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Message, parts
from tests.loopback.panel import add_daily, set_extras
from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.patience import PATIENCE
from tests.shipped import first_topic

SECONDS = 5
"""The shortest time for a question."""
TERM_SECONDS = 15.0
"""The longest end on a busy machine; a test in virtual time checks the promised 5 seconds."""
_LEASE = "3600"
"""Seconds, longer than a play: the next process must take over claims that have not expired."""
_BUSY = "1000"
"""Milliseconds that the bot waits for a lock, so that its reply comes in time on any machine."""
_HOUR_MS = 3_600_000
_SAID = "A sentence about tokens that Annegret wrote to a follow-up."

Arm = Callable[[], Callable[[], bool] | None]
"""Sets the trap; may return a moment for `Stage.play`."""


@dataclass
class Stage:
    """`forgetful`: whenever the bot comes back, Discord has forgotten the nonces.

    `ends`: exit codes and seconds after SIGTERM. `ordered_at`: when SIGTERM was sent. `done`: which
    member has answered which card. `pressed`: when a host's button was last pressed.
    """

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

    def terminate(self) -> None:
        """Send SIGTERM; `comes_back` notes how the bot ends."""
        self.ordered_at = time.monotonic()
        self.bot.terminate()

    async def comes_back(self) -> None:
        """Wait for the bot's end, and start it again."""
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
        """Send SIGTERM and wait for the end, also if the trap has ended the bot already."""
        if not self.bot.running or self.ordered_at is not None:
            await self.comes_back()
        self.ends.append(await self.bot.stop())

    async def play(
        self, over: Callable[[], bool], moment: Callable[[], bool] | None = None
    ) -> None:
        """Answer every open card, and bring the bot back whenever it ends, until it is over.

        `moment` is called until it returns True.
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
                await self._take_challenge(card)
            for source in ("round", "daily"):
                for card in cards(self.channel, source):
                    await self._answer(card.id, source)
            await self._host(may_go_on=moment is None)
            await asyncio.sleep(0.03)

    async def _host(self, *, may_go_on: bool) -> None:
        """Press the host's button once both have answered, and again where that had no effect."""
        numbers = [int(str(n)) for (n,) in self.rows("SELECT number FROM rounds WHERE hosted")]
        for what, message, row in host_buttons(self.channel):
            answered = {(message.id, m.id) for m in (self.annegret, self.bob)} <= self.done
            custom_id, now = f"host:v1:{what}:{row}", time.monotonic()
            waited = now - self.pressed.get(custom_id, 0.0) > 1
            if [row] == numbers and answered and waited and (may_go_on or what == "reveal"):
                self.pressed[custom_id] = now
                with suppress(CannotDo):  # the card has changed in the meantime
                    await self.act(self.annegret.click(message, custom_id))

    async def _answer(self, card_id: int, source: str) -> None:
        for member in (self.annegret, self.bob):
            open_cards = [card for card in cards(self.channel, source) if card.id == card_id]
            if not open_cards or (card_id, member.id) in self.done or not self.bot.running:
                continue
            right = member is self.annegret
            result = await self.act(self.players.answer(member, open_cards[0], right=right))
            if result is not None and result.acked:
                self.done.add((card_id, member.id))

    async def _take_challenge(self, card: Message) -> None:
        """Let both take a step in a challenge, unless they have finished it."""
        for member in (self.annegret, self.bob):
            if self.bot.running and not self.has_finished(member):
                right = member is self.annegret
                with suppress(IndexError, CannotDo):  # its question or card has just changed
                    await self.act(step_in_challenge(self.players, member, card, right=right))

    def has_finished(self, member: Member) -> bool:
        """Return whether a member has finished the challenge, or their time for it is up."""
        now = int(time.time() * 1000)
        sql = f"SELECT 1 FROM challenge_players WHERE user_id = {member.id} AND finished_at < {now}"
        return bool(self.rows(sql))

    async def act(self, action: Coroutine[object, object, Result | None]) -> Result | None:
        """Do something with the bot; stop waiting if it ends."""
        task = asyncio.create_task(action)
        while not task.done() and self.bot.running:
            await asyncio.wait([task], timeout=0.02)
        return task.result() if task.done() or not task.cancel() else None

    async def act_until_stored(self, table: str, command: str, **options: object) -> None:
        """Use a command, again if the bot ended before its effect was stored."""
        await self.do_until_stored(
            table, lambda: self.annegret.slash(self.channel, command, **options)
        )

    async def do_until_stored(
        self, table: str, action: Callable[[], Coroutine[object, object, Result | None]]
    ) -> None:
        """Do something, again if the bot ended before its effect was stored."""
        for _ in range(3):
            if not self.bot.running:
                await self.comes_back()
            if self.rows(f"SELECT 1 FROM {table}"):
                return
            await self.act(action())
        if not self.bot.running:
            await self.comes_back()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return query(self.bot.database, sql) if self.bot.database.exists() else []

    def execute(self, sql: str) -> None:
        """Change the database while the bot is stopped."""
        with closing(sqlite3.connect(self.bot.database)) as conn, conn:
            conn.execute(sql)

    def state(self) -> str:
        try:
            rounds = self.rows("SELECT id, phase, number FROM rounds")
            return f"rounds {rounds}, dailies {self.rows('SELECT id, state FROM dailies')}"
        except sqlite3.Error as error:
            return str(error)

    def settled(self) -> bool:
        """Return whether a round was started, and every round has ended."""
        try:
            phases = self.rows("SELECT DISTINCT phase FROM rounds")
        except sqlite3.Error:
            return False
        return phases == [("ended",)]

    def daily_is(self, state: str) -> bool:
        return self.rows("SELECT state FROM dailies LIMIT 1") == [(state,)]

    async def start_round(self, channel: Channel | None = None, **options: object) -> Result:
        """Start a round, of one question if not told otherwise; wait for its card if it begins."""
        where = channel or self.channel
        before = len(cards(where))
        options = {"questions": 1, "seconds": SECONDS, **options}
        result = await self.annegret.slash(where, "quiz", **options)
        if " starts " in result.text:
            await self.world.until(lambda: len(cards(where)) > before)
        return result

    async def answer(self) -> Result:
        """Let Annegret answer the open card."""
        result = await self.players.answer(self.annegret, cards(self.channel)[0])
        assert result is not None
        return result

    async def ends_well(self) -> None:
        """Play a round to its end without further faults, if there is one; every invariant holds."""
        if self.rows("SELECT 1 FROM rounds"):
            await self.play(self.settled)
        await self.stop()
        assert not (wrong := self.verdict()), texts(wrong)

    def verdict(self) -> list[str]:
        """Return what is wrong at the end: broken invariants, and slow or unclean ends."""
        return [
            *invariants.broken(self.bot.database, self.world, self.bot.log),
            *(
                f"SIGTERM: exit code {code} after {seconds:.1f} s"
                for code, seconds in self.ends
                if code or seconds > TERM_SECONDS
            ),
        ]


@asynccontextmanager
async def staged(
    folder: Path, *, forgetful: bool = False, whole_bank: bool = False
) -> AsyncIterator[Stage]:
    """Provide a world and a bot that is not started yet; unless told so, its bank has one topic."""
    bank = json.dumps(first_topic()).encode()
    if whole_bank:
        bank = (data_dir() / "questions.json").read_bytes()
    bank_file = folder / "bank.json"
    bank_file.write_bytes(bank)
    async with World() as world:
        guild = world.add_guild()
        channel = world.add_channel(guild, "quiz")
        annegret = world.add_member(guild, "annegret", manager=True)
        bob = world.add_member(guild, "bob")
        env = {
            "QUESTION_BANK": str(bank_file),
            "LOOPBACK_LEASE": _LEASE,
            "LOOPBACK_BUSY": _BUSY,
        }
        bot = BotProcess(world, folder, env)
        players = Players(bot.database, parse_bank(bank), random.Random(1))
        try:
            yield Stage(world, bot, channel, annegret, bob, players, forgetful)
        finally:
            await bot.close()


async def play_round(
    stage: Stage, arm: Arm, *, hasten_first: bool = False, **options: object
) -> None:
    """Play a round to its standings. `hasten_first`: the first question ends after its answers.

    The deadline is in the database, so that takes a stop.
    """
    await stage.bot.start()
    moment = arm()
    options = options or {"questions": 1, "seconds": SECONDS}
    await stage.act(stage.annegret.slash(stage.channel, "quiz", **options))
    if hasten_first:
        await stage.play(lambda: len(stage.done) == 2)
        await stage.stop()
        hasten(stage.bot.database, 0.0)
        await stage.bot.start()
    await stage.play(stage.settled, moment)
    await stage.stop()


async def play_daily(stage: Stage, arm: Arm) -> None:
    """Set a daily up, have it posted at its time, answered by both, and closed at its time."""
    await stage.bot.start()
    moment = arm()
    zone, local = noon_zone(), local_time(datetime.now(UTC) - timedelta(minutes=2))

    async def set_up() -> Result:
        shown = await add_daily(stage.annegret, stage.channel, time=local, zone=zone)
        await set_extras(stage.annegret, shown, thread=True)
        return shown

    await stage.do_until_stored("daily_schedules", set_up)
    await stage.stop()
    settled = int(time.time() * 1000) - _HOUR_MS
    stage.execute(f"UPDATE daily_schedules SET settled_until = {settled}, next_at = {settled}")
    await stage.bot.start()
    answered = "SELECT count(*) FROM answers WHERE source = 'daily'"
    await stage.play(
        lambda: stage.daily_is("open") and len(stage.done) == 2 and stage.rows(answered) == [(2,)]
    )
    await stage.stop()
    close_dailies(stage.bot.database)
    await stage.bot.start()
    await stage.play(lambda: stage.daily_is("closed"), moment)
    await stage.stop()


async def play_challenge(stage: Stage, arm: Arm, *, late: bool = False) -> None:
    """Play a challenge to its standings. `late`: the trap is set once both have taken it."""
    await stage.bot.start()
    moment = None if late else arm()
    await stage.act_until_stored("challenges", "challenge", questions=2, hours=1)
    members = stage.annegret, stage.bob
    await stage.play(lambda: all(map(stage.has_finished, members)), moment)
    if not late:  # the card's count of finishers comes later
        counted = "SELECT 1 FROM challenges WHERE lease_until IS NULL"
        await stage.play(
            lambda: (
                any("Done: " in m.text for m in stage.channel.messages.values())
                and bool(stage.rows(counted))
            )
        )
    await stage.stop()
    close_challenges(stage.bot.database)
    if late:
        arm()
    await stage.bot.start(ready=False)
    await stage.play(lambda: stage.rows("SELECT state FROM challenges") == [("closed",)])
    await stage.stop()


async def play_pair(stage: Stage, arm: Arm) -> None:
    """Play a challenge to a named member, which closes once both are done."""
    await stage.bot.start()
    arm()
    options = {"questions": 1, "hours": 1, "member": stage.bob}
    await stage.act_until_stored("challenges", "challenge", **options)
    await stage.play(lambda: stage.rows("SELECT state FROM challenges") == [("closed",)])
    await stage.stop()


async def play_recap(stage: Stage, arm: Arm) -> None:
    """Play a round, move it to last week while the bot is stopped, and have the recap posted.

    Two members are too few for a recap, so ten others have answered too until it is posted.
    """
    await play_round(stage, lambda: None)
    now = datetime.now(UTC)
    there = now.astimezone(ZoneInfo(noon_zone()))  # its date may be another one
    past = int(now.timestamp() * 1000) - 24 * _HOUR_MS
    guild_id, channel_id = stage.channel.guild.id, stage.channel.id
    stage.execute("UPDATE answers SET local_date = date(local_date, '-7 days')")
    made_up = {"question_id": "question_id + 1000 * n.value", "user_id": "user_id + n.value"}
    columns = [str(row[1]) for row in stage.rows("PRAGMA table_info(answers)")]
    values = ", ".join(made_up.get(column, column) for column in columns)
    stage.execute(
        f"INSERT INTO answers SELECT {values} FROM answers, json_each('[1, 2, 3, 4, 5]') AS n"
    )
    stage.execute(
        "INSERT INTO recap_schedules (guild_id, channel_id, weekday, first_week, next_at, due_at) "
        f"VALUES ({guild_id}, {channel_id}, {there.weekday()}, '2000-01-03', {past}, {past})"
    )
    engine = create_engine(f"sqlite:///{stage.bot.database}")
    with engine.begin() as conn:
        totals.rebuild(conn)
        set_zone(conn, guild_id, noon_zone())
    moment = arm()
    await stage.bot.start()
    await stage.play(lambda: ("posted",) in stage.rows("SELECT state FROM recaps"), moment)
    await stage.stop()
    stage.execute("DELETE FROM answers WHERE question_id > 1000")
    with engine.begin() as conn:
        totals.rebuild(conn)
    engine.dispose()


async def play_interview(stage: Stage, arm: Arm, *, counts: bool = False) -> None:
    """Answer a question of an interview, count its points and answer the follow-up.

    The crash comes with the follow-up, or with the count if `counts`. Either is read again after a
    restart.
    """
    annegret, channel = stage.annegret, stage.channel

    def card() -> Message:
        return annegret.sees(channel)[-1]

    async def press(sign: str) -> Result:
        """Press the button with this label or custom id."""
        found = next(
            str(part["custom_id"])
            for part in parts(card().components)
            if part.get("label") == sign or str(part.get("custom_id")).startswith(sign)
        )
        return await annegret.click(card(), found)

    async def read_again(text: str) -> None:
        await stage.comes_back()
        before = card()
        await annegret.slash(channel, "interview")
        await stage.world.until(lambda: card() is not before and text in card().text)

    await stage.bot.start()
    await annegret.slash(channel, "interview")
    await annegret.submit(await press("Answer"), "Subwords are tokens.")
    await stage.world.until(lambda: "By your words" in card().text)
    if counts:
        arm()
        await stage.act(press("confirm:"))
        await read_again("by your count")
    else:
        await press("confirm:")
        await stage.world.until(lambda: "by your count" in card().text)
    await press("Follow-up")
    opened = await press("Answer")
    if counts:
        await annegret.submit(opened, _SAID)
    else:
        arm()
        await stage.act(annegret.submit(opened, _SAID))
        await read_again("by your count")
        await press("Follow-up")
    await stage.world.until(lambda: _SAID in card().text)
    await press("See the report")
    await stage.stop()


async def play_practice(stage: Stage, arm: Arm) -> None:
    """Practise until the day is done, with a miss; /practice says so then, and the date counts once."""
    annegret, channel, answered = stage.annegret, stage.channel, 0
    await stage.bot.start()
    arm()
    while True:
        if not stage.bot.running:
            await stage.comes_back()
        await stage.act(annegret.slash(channel, "practice"))
        while stage.bot.running and "Done for today" not in annegret.sees(channel)[-1].text:
            card = annegret.sees(channel)[-1]
            if card_of(card) is not None:
                answered += 1
                await stage.act(stage.players.answer(annegret, card, right=answered != 2))
            elif following := next((i for i in card.custom_ids if i.startswith("next:")), None):
                await stage.act(annegret.click(card, following))
            await asyncio.sleep(0.03)
        if stage.bot.running:
            break
    await stage.stop()
    await stage.bot.start()
    await annegret.slash(channel, "practice")
    shown = annegret.sees(channel)[-1].text
    assert "Done for today" in shown, shown
    assert "1 day so far" in shown, shown
    assert stage.rows("SELECT count(*) FROM streak_days WHERE counts") == [(1,)]
    await stage.stop()


def noon_zone() -> str:
    """Return a zone where it is around noon, so that no date changes in a test."""
    now = datetime.now(UTC)
    return min(search_zones(""), key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - 12))


def local_time(at: datetime) -> str:
    """Return the time of day in that zone."""
    return at.astimezone(ZoneInfo(noon_zone())).strftime("%H:%M")


def texts(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
