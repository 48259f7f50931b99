"""Whoever reads of a command goes on with one tap: the buttons of refusals and empty pages."""

from __future__ import annotations

import ast
import re
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from bot.chat import text as t
from bot.chat.messages import OPEN, Message, button, row
from bot.chat.replies import report_error, say, show
from bot.chat.router import UNKNOWN
from bot.chat.ways import LABELS, USE
from bot.core.errors import UserError
from bot.daily import panel_views
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, custom_ids, labels, reply
from tests.test_architecture import FILES, tree
from tests.texts import all_texts, words

__all__ = ["long_sleeps", "no_pace", "stage"]

ASKS = re.compile(
    r"(?:^|[.?}] |, (?:and )?)"
    r"(?:add|answer|ask|check|choose|compare|do|export|find|give|go|join|leave|make|mention|name|open"
    r"|pick|press|remove|report|see|set|split|start|suggest|take|try|type|use|wait)\b",
    re.IGNORECASE,
)
"""Verbs that ask the reader of a refusal for something."""
BEGINS = {
    "quiz": "**mechthild** starts",
    "challenge": "Your challenge is on its way",
    "interview": "-# Question 1",
}
"""How the commands begin that say something else when they are used again."""


class Recorder:
    """An interaction of a member or manager with the real commands, which records its replies."""

    def __init__(self, stage: Stage, *, manages: bool = False, on_server: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self.client, self.extras = stage.bot, dict[str, Any]()
        self.guild_id = stage.guild.id if on_server else None
        self.permissions = discord.Permissions(manage_guild=manages)
        self.message: Any = None
        self.response = SimpleNamespace(
            is_done=lambda: False, send_message=self._record, edit_message=self._record
        )

    async def _record(self, **options: Any) -> None:
        assert "allowed_mentions" not in options or not options["allowed_mentions"].users
        self.sent.append(options)

    async def told(self, words: str) -> list[str]:
        """Return the custom ids of the buttons of a refusal."""
        await report_error(self, UserError(words))  # type: ignore[arg-type]
        assert self.sent[-1]["ephemeral"]
        return self.offered()

    def offered(self) -> list[str]:
        """Return the custom ids of the buttons of the last reply."""
        view = self.sent[-1].get("view")
        shown = () if view is None else view.walk_children()
        return [str(each.custom_id) for each in shown if isinstance(each, ui.Button)]


def ids(*commands: str) -> list[str]:
    return [USE.id(command=command) for command in commands]


async def test_each_command_has_a_button_and_works_without_options(stage: Stage) -> None:
    """No command is without a label or needs an option."""
    commands = stage.bot.tree.get_commands(type=discord.AppCommandType.chat_input)
    assert {command.name for command in commands} == set(LABELS)
    assert len(set(LABELS.values())) == len(LABELS)
    for command in commands:
        assert isinstance(command, app_commands.Command)
        assert not any(parameter.required for parameter in command.parameters)


@pytest.mark.parametrize("manages", [False, True])
async def test_every_sentence_that_names_a_command_has_its_button(
    stage: Stage, manages: bool
) -> None:
    """Two at most, in order; managers' only for managers, and none for what is to be used elsewhere."""
    for_managers = {"daily", "bank", "settings"}
    recorder, seen = Recorder(stage, manages=manages), set[str]()
    for text in all_texts():
        named = dict.fromkeys(t.commands_in(text.words))
        fitting = [name for name in named if manages or name not in for_managers]
        assert await recorder.told(text.words) == ids(*fitting[:2]), text
        seen |= set(fitting)
    assert {"practice", "quiz", "today", "interview", "help"} <= seen
    assert ("bank" in seen) is manages
    assert await recorder.told("Use </quiz> there, and `</help>` is quoted.") == []
    member_wrote = t.escape("</quiz>")
    assert await recorder.told(member_wrote) == []


async def test_direct_messages_have_buttons_for_what_works_there(stage: Stage) -> None:
    """A command of servers alone has no button elsewhere."""
    recorder = Recorder(stage, on_server=False)
    assert await recorder.told("See </quiz>, </leaderboard> and </practice>.") == ids("practice")


async def test_a_page_has_them_unless_it_has_buttons(stage: Stage) -> None:
    """A private page without buttons ends in those of its commands, also one that replaces another.

    Public ones, and those that have buttons, stay as they are.
    """
    recorder: Any = Recorder(stage)
    words = "Nothing yet. Start with </quiz>."
    found = []
    for own in ([], [row(button("Press", "x"))]):
        for private in (True, False):
            page = Message(OPEN, words, *own)
            flags = discord.MessageFlags(ephemeral=private)
            recorder.message = SimpleNamespace(flags=flags)
            await say(recorder, page, public=not private)
            found.append(recorder.offered())
            await show(recorder, page)
            found.append(recorder.offered())
    assert found == [ids("quiz")] * 2 + [[]] * 2 + [["x"]] * 4
    await say(recorder, words, public=True)
    assert recorder.offered() == []


async def test_a_forged_button_leads_to_help(stage: Stage) -> None:
    """The refusal of an unknown button is a sentence with one button, which shows /help."""
    refused = answer_to(await stage.press(stage.alwina, "whatever:v1"))
    assert refused.content.startswith(UNKNOWN[:20])
    assert (labels(refused), custom_ids(refused)) == ([LABELS["help"]], ids("help"))
    assert "### Quizformer" in reply(await stage.alwina.click(refused, label=LABELS["help"]))


async def test_a_refusal_turns_into_a_panel(stage: Stage) -> None:
    """A command that replaces the page it is used on replaces the sentence too."""
    gone = panel_views.PANEL.id(what="show", row=999)
    refused = answer_to(await stage.press(stage.manager, gone))
    assert labels(refused) == [LABELS["daily"]]
    panel = answer_to(await stage.manager.click(refused, label=LABELS["daily"]))
    assert panel.id == refused.id
    assert (panel.content, labels(panel)) == ("", ["Set it up"])


@pytest.mark.parametrize("command", LABELS)
async def test_each_button_does_what_its_command_does(stage: Stage, command: str) -> None:
    """A manager gets from it what the command shows; a member is refused what is for managers."""
    pressed = await stage.press(stage.manager, USE.id(command=command))
    by_hand = await stage.manager.slash(stage.daily, command)
    if pressed.modal is None:
        message = answer_to(pressed)
        assert custom_ids(message) or command in BEGINS
        said = BEGINS.get(command) or reply(by_hand).splitlines()[0]
        assert said in reply(pressed)
    else:
        assert by_hand.modal
        assert pressed.modal["title"] == by_hand.modal["title"]
    if command in {"daily", "bank", "settings"}:
        refused = await stage.press(stage.alwina, USE.id(command=command))
        assert "You can't use this command here" in reply(refused)


def refusals() -> list[str]:
    """Return the text of each UserError; a name stands for the text of that name in its module.

    An AlreadyAnswered is no refusal: it says what is locked in.
    """
    kinds = {"UserError"} | {
        node.name
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef) and "UserError" in map(ast.unparse, node.bases)
    } - {"AlreadyAnswered"}
    assert len(kinds) > 4
    found = []
    for file in FILES:
        named = {
            target.id: words(node.value)
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in kinds:
                given = node.args[0]
                found.append(named.get(ast.unparse(given), "") or words(given))
    return list(filter(None, found))


def test_every_refusal_says_what_to_do() -> None:
    """It names a command to use, or asks for something that its reader can do.

    Where it ends in a value, that says it.
    """
    found = refusals()
    assert len(found) > 150
    assert [
        text
        for text in found
        if not (t.commands_in(text) or text.endswith("}") or ASKS.search(text))
    ] == []
