"""A server with a manager, three members and the bot, and helpers to play on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import discord
import simcord
from msgspec.structs import replace
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle

from bot.app import Services, build_bot
from bot.chat.client import QuizBot
from bot.chat.messages import OPEN, Message, button, row
from bot.chat.replies import payload
from bot.chat.router import Route
from bot.config import Settings, database_url
from bot.core.context import Place
from bot.core.database import Database, open_database
from bot.playground.session import download
from bot.questions.model import Item
from tests.messages import not_odd
from tests.patience import PATIENCE
from tests.shipped import bank, cases, rubrics

SOON = 1.5
"""Timers due within this many seconds are awaited after a click; later ones need `Stage.wait`."""
BANK = bank()
RUBRICS = rubrics()
_ITEMS = {f"### {' '.join(item.prompt.split())}": item for item in BANK.items.values()}
"""By the line of a card that asks them."""
ACCEPTED_ONCE = {
    # for a round's first question: then it waits, if needlessly
    *("choose", "write", "arrange", "place"),
    *("answer", "lock", "picks", "typed", "ticks", "ticked", "confirm", "count", "followup"),
    *("partnercard", "partnertick", "partnerticks"),
}
"""Routes whose change is the same if two processes make it."""


@dataclass
class Stage:
    env: simcord.Env
    file: Path
    guild: GuildHandle
    quiz: ChannelHandle
    daily: ChannelHandle
    manager: MemberActor
    alwina: MemberActor
    bob: MemberActor
    clementine: MemberActor
    database: Database
    _open: AsyncExitStack = field(repr=False)
    expected_errors: int = 0
    """How often members read that something went wrong."""
    unanswered: int = 0
    """The interactions that the test lets fail."""

    @classmethod
    @asynccontextmanager
    async def open(cls, file: Path) -> AsyncIterator[Stage]:
        async with AsyncExitStack() as stack:
            bot, database = await _bot(file, stack)
            env = simcord.Env(bot, settle_timeout=PATIENCE)
            bot.context.clock.monotonic = lambda: env.now().timestamp()
            await env.start()
            guild = env.create_guild("Study group")
            managers = guild.create_role(
                "managers", permissions=discord.Permissions(manage_guild=True)
            )
            manager = guild.add_member(env.create_user("mechthild"), roles=[managers])
            alwina, bob, clementine = (
                guild.add_member(env.create_user(name)) for name in ("alwina", "bob", "clementine")
            )
            quiz, daily = guild.create_text_channel("quiz"), guild.create_text_channel("daily")
            await env.settle()
            stage = cls(
                env, file, guild, quiz, daily, manager, alwina, bob, clementine, database, stack
            )
            try:
                yield stage
                stage.check_answered()
            finally:
                await stage.services.close()
                await env.shutdown()

    @property
    def bot(self) -> QuizBot:
        assert isinstance(self.env.bot, QuizBot)
        return self.env.bot

    @property
    def services(self) -> Services:
        assert isinstance(self.bot.features, Services)
        return self.bot.features

    def check_answered(self) -> None:
        """Assert that no interaction was left without an answer, or with one that never came.

        A member would read "This interaction failed", or see the bot think for ever.
        """
        left = [
            (each.command_name or each.source_message_id, each.response_kind)
            for each in self.env.backend.interactions.values()
            if not each.responded or each.loading
        ]
        assert len(left) == self.unanswered, left

    async def restart(self) -> None:
        """Stop the bot and start it again on the same database."""
        await self.services.close()
        await self.database.close()
        bot, self.database = await _bot(self.file, self._open)
        await self.env.restart_bot(bot)

    async def wait(self, seconds: float) -> None:
        """Advance virtual time in steps that simcord can handle."""
        while seconds > 0:
            step = min(seconds, 3 * 3600)
            await self.env.advance_time(step)
            seconds -= step

    async def add_daily(
        self,
        *,
        channel: ChannelHandle | None = None,
        time: str = "09:00",
        zone: str = "Europe/Berlin",
        hours: int = 23,
        **more: Any,
    ) -> Any:
        """Add a daily with the forms of the panel, and return the result of the command.

        `more` are a name, for a second one, and values for its other forms.
        """
        manager = self.manager
        shown = await manager.slash(self.quiz, "daily")
        add = "Set it up" if "Set it up" in labels(answer_to(shown)) else "Add another"
        fields: dict[str, Any] = {"channel": [channel or self.daily], "time": time}
        fields |= {"days": list("0123456"), "hours": [str(hours)]}
        fields |= {"zone": [zone]} if add == "Set it up" else {"name": more.pop("name")}
        added = await manager.submit_modal(await manager.click(answer_to(shown), label=add), fields)
        assert "Next:" in text_of(answer_to(shown)), reply(added)
        if "kind" in more or "topic" in more:
            form = await manager.click(answer_to(shown), label="Questions")
            fields = {"kind": [more.pop("kind", "choice")], "asks": ["all"]}
            await manager.submit_modal(form, {**fields, "topic": more.pop("topic", "")})
        if more:
            form = await manager.click(answer_to(shown), label="Name, role, thread")
            fields = {"name": "Question of the day", "thread": ["no"], **more}
            await manager.submit_modal(form, fields)
        return shown

    def reader(self) -> tuple[ChannelHandle, MemberActor]:
        """Return a new channel, and a member who may read but not write there."""
        readers = self.guild.create_role("readers")
        denied = discord.PermissionOverwrite(send_messages=False)
        channel = self.guild.create_text_channel("quiet", overwrites={readers: denied})
        return channel, self.guild.add_member(self.env.create_user("dagobert"), roles=[readers])

    def allow(self, member: MemberActor, command: str) -> None:
        """Allow a member a command, like the server's settings under Integrations do."""
        found = self.env.backend.find_command(command, self.guild.id)
        assert found is not None
        self.guild.set_command_permissions(int(found["id"]), {member: True})

    async def play(self, **options: Any) -> Question:
        """Start a round and return its first question."""
        result = await self.alwina.slash(self.quiz, "quiz", **options)
        assert "**alwina** starts" in reply(result)
        await self.wait(8)
        return self.question()

    async def press(self, member: MemberActor, custom_id: str) -> Any:
        """Let a member press a button with this id in the quiz channel, wherever members find it."""
        message = Message(OPEN, "A button", row(button("Press", custom_id)))
        place = Place(self.guild.id, self.quiz.id)
        nonce = f"press-{len(self.quiz.history())}"
        message_id = await self.services.context.sender.post(place, message, nonce)
        shown = next(m for m in self.quiz.history() if m.id == message_id)
        return await member.click(shown, label="Press")

    def question(self, channel: ChannelHandle | None = None) -> Question:
        """Return the newest card in a channel, open or revealed."""
        message = (channel or self.quiz).last_message
        assert message is not None
        return Question(self, message)

    async def next_message(self) -> Question:
        """Advance time until another card or the standings appear, and return that message."""
        before = self.question().message.id
        for _ in range(400):
            await self.wait(1)
            if (newest := self.question()).message.id != before:
                return newest
        raise AssertionError("nothing comes")

    def texts(self, channel: ChannelHandle | None = None) -> list[str]:
        """Return the texts of all public messages in a channel, oldest first."""
        return [text_of(message) for message in (channel or self.quiz).history()]


@dataclass
class Question:
    stage: Stage
    message: discord.Message

    @property
    def text(self) -> str:
        return text_of(self.message)

    @property
    def item(self) -> Item:
        lines = self.text.replace("\\", "").splitlines()
        return next(_ITEMS[line] for line in lines if line in _ITEMS)

    def letter(self, *, right: bool) -> str:
        """Return the letter of a right or wrong choice on the card."""
        lines = [line.replace("\\", "") for line in self.text.splitlines()]
        wanted = {" ".join(c.text.split()) for c in self.item.choices if c.correct is right}
        found = [
            m
            for line in lines
            if (m := re.match(r"\*\*([A-F])\*\*  (.*)", line)) and m[2] in wanted
        ]
        return found[0][1]

    async def answer(self, member: MemberActor, *, right: bool = True) -> str:
        """Answer by button or modal, and return the private reply."""
        return reply(await self.respond(member, right=right))

    async def respond(self, member: MemberActor, *, right: bool = True) -> Any:
        """Answer by button or modal, and return the result, whose reply may change later."""
        item = self.item
        await self.stage.wait(0.002)  # nobody clicks twice within a millisecond
        if item.kind == "choice":
            result = await member.click(self.message, label=self.letter(right=right))
        elif item.kind == "multiple":
            shown = await member.click(self.message, label="Choose")
            if shown.modal is None:
                return shown
            picks = [str("ABCDEF".index(letter)) for letter in self.right_letters()]
            result = await member.submit_modal(shown, {"boxes": picks if right else picks[:1]})
        elif item.kind == "order":
            shown = await member.click(self.message, label="Put in order")
            if not lists(answer_to(shown)):
                return shown
            lines = item.lines if right else item.lines[::-1]
            page = await place(member, answer_to(shown), *lines)
            result = await member.click(page, label="Lock in")
        else:
            shown = await member.click(self.message, label="Answer")
            if shown.modal is None:
                return shown
            result = await member.submit_modal(
                shown, {"text": item.accept[0] if right else "certainly not this"}
            )
        assert result.response is not None
        assert result.response.ephemeral
        return result

    def right_letters(self) -> list[str]:
        lines = [line.replace("\\", "") for line in self.text.splitlines()]
        wanted = {" ".join(c.text.split()) for c in self.item.choices if c.correct}
        return [
            m[1]
            for line in lines
            if (m := re.match(r"\*\*([A-F])\*\*  (.*)", line)) and m[2] in wanted
        ]


async def place(member: MemberActor, page: discord.Message, *lines: str) -> discord.Message:
    """Pick lines of code from the list of a page, one after the other; return the page then."""
    for line in lines:
        (menu,) = lists(page)
        (value,) = [o.value for o in menu.options if o.label.partition(" · ")[2] == line.strip()]
        page = answer_to(await member.select(page, [value]))
    return page


def reply(result: Any) -> str:
    """Return the text of the reply to an interaction."""
    return text_of(answer_to(result))


def answer_to(result: Any) -> discord.Message:
    """Return the current message that answers an interaction."""
    assert result.response is not None
    message: discord.Message = result.response.message
    return message


def text_of(message: discord.Message) -> str:
    """Return a message's content and the texts of its components; nothing in it reads odd."""
    options = [o for menu in lists(message) for o in menu.options]
    chosen = [f"{o.label}\n{o.description or ''}" for o in options]
    not_odd("\n".join([*labels(message), *alt_texts(message), *chosen]))
    return not_odd("\n".join([message.content, *_texts(message.components)]).strip())


def buttons(message: discord.Message) -> list[discord.Button]:
    return [c for c in _walk(message.components) if isinstance(c, discord.Button)]


def lists(message: discord.Message) -> list[discord.SelectMenu]:
    return [c for c in _walk(message.components) if isinstance(c, discord.SelectMenu)]


def labels(message: discord.Message) -> list[str]:
    """Return the labels of a message's buttons."""
    return [button.label for button in buttons(message) if button.label]


def alt_texts(message: discord.Message) -> list[str]:
    """Return the alt texts of a message's pictures."""
    galleries = [
        c for c in _walk(message.components) if isinstance(c, discord.MediaGalleryComponent)
    ]
    return [item.description or "" for gallery in galleries for item in gallery.items]


def custom_ids(message: discord.Message) -> list[str]:
    return [
        i for c in _walk(message.components) if isinstance(i := getattr(c, "custom_id", None), str)
    ]


def _texts(components: Any) -> Iterator[str]:
    return (c.content for c in _walk(components) if isinstance(c, discord.TextDisplay))


def _walk(components: Any) -> Iterator[Any]:
    for component in components:
        yield component
        yield from _walk(getattr(component, "children", ()))


async def _bot(file: Path, stack: AsyncExitStack) -> tuple[QuizBot, Database]:
    settings = Settings(token="test", database=database_url(f"sqlite:///{file}"), shard_count=1)
    database = await stack.enter_async_context(open_database(settings.database))
    bot = build_bot(settings, replace(BANK, cases=cases()), database)
    bot.download = download
    _watch(bot)
    assert isinstance(bot.features, Services)
    bot.features.grading._rubrics = RUBRICS
    return bot, database


def _watch(bot: QuizBot) -> None:
    """Let a write fail that two processes would make, because the click's route has no `once`."""
    database = bot.context.database
    write = database._write
    routes: WeakKeyDictionary[Any, Route | None] = WeakKeyDictionary()  # by the task of a handler

    def note(interaction: discord.Interaction) -> None:
        custom_id = str(payload(interaction).get("custom_id", ""))
        routes[asyncio.current_task()] = bot.router.route_of(custom_id)

    async def checked(work: Any) -> Any:
        route = routes.get(asyncio.current_task())
        assert route is None or route.once or route.name in ACCEPTED_ONCE, route.name
        return await write(work)

    bot.router.watchers.append(note)
    database._write = checked  # type: ignore[method-assign]
