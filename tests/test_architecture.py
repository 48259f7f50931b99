"""What the tree keeps to: rules are pure, nothing imports in a circle, command names are unique."""

from __future__ import annotations

import ast
import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from bot.chat.client import EXTENSIONS

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "bot").rglob("*.py"))
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "localtime", "gmtime"}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in FILES}


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def imports_of(source: ast.AST, package: str) -> Iterator[str]:
    """Full names of what some code imports, wherever the import stands; `from a import b` is `a` and `a.b`."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def imports(module: str) -> frozenset[str]:
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(imports_of(tree(file), package))


def inside(name: str, package: str) -> bool:
    """Whether a dotted name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


def offenders(where: str, *banned: str, but: tuple[str, ...] = ()) -> list[str]:
    """Imports of banned packages by the modules of a package, as `module imports name`."""
    return [
        f"{module} imports {name}"
        for module in MODULES
        if inside(module, where) and not any(inside(module, exempt) for exempt in but)
        for name in sorted(imports(module))
        if any(inside(name, package) for package in banned)
    ]


def test_the_eyes_of_these_tests() -> None:
    """Imports are seen in every form: plain, from, relative, inside functions and under conditions."""
    source = """
import a.b as c
from d import e
from . import f
from ..g import h
def i():
    from j.k import l
if TYPE_CHECKING:
    import m
"""
    found = set(imports_of(ast.parse(source), "bot.chat"))
    assert found == {"a.b", "d", "d.e", "bot.chat", "bot.chat.f", "bot.g", "bot.g.h", "j.k", "j.k.l", "m"}
    assert "bot.questions.model" in imports("bot.rounds.rules")
    assert "bot.playground" in imports("bot.__main__")
    assert offenders("bot.chat", "discord")
    assert len(MODULES) > 40


def test_rules_are_pure() -> None:
    """Rules import no Discord, database, network, event loop, clock, thread, log or operating system."""
    banned = ("discord", "sqlalchemy", "aiohttp", "asyncio", "time", "alembic", "sqlite3", "asyncpg", "simcord")
    outside = ("os", "pathlib", "socket", "threading", "concurrent", "subprocess", "logging", "secrets", "dotenv")
    pure = [module for module in MODULES if module.rpartition(".")[2] == "rules"]
    assert len(pure) >= 6
    assert [o for module in pure for o in offenders(module, *banned, *outside)] == []


def test_only_the_playground_knows_simcord() -> None:
    """The bot does not know that it may run on a simulated Discord."""
    assert offenders("bot", "simcord", but=("bot.playground",)) == []
    assert offenders("bot.playground", "simcord")


def test_only_the_command_line_knows_the_playground() -> None:
    """Nothing imports the playground but the command `play`, so that the bot runs without it."""
    assert offenders("bot", "bot.playground", but=("bot.playground", "bot.__main__")) == []


def test_the_playground_is_imported_late() -> None:
    """The command line imports the playground and other extras inside functions: they need not be installed."""
    found = [
        name
        for statement in tree(MODULES["bot.__main__"]).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in imports_of(statement, "bot")
        if any(
            inside(name, late) for late in ("bot.playground", "bot.client", "simcord", "discord", "asyncpg", "uvloop")
        )
    ]
    assert found == []


def test_no_circles() -> None:
    """No two modules import each other, by however many steps, where modules are loaded."""
    graph: dict[str, set[str]] = {}
    for module, file in MODULES.items():
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        top = [s for s in tree(file).body if isinstance(s, ast.Import | ast.ImportFrom)]
        names = {name for statement in top for name in imports_of(statement, package)}
        graph[module] = {other for other in names & set(MODULES) if other not in {module, "bot"}}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail[trail.index(module) :], module])
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_every_import_is_a_dependency() -> None:
    """What the bot imports is the standard library, itself, or a package that pyproject.toml names."""
    declared = (ROOT / "pyproject.toml").read_text("utf-8").casefold()
    names = {"dotenv": "python-dotenv", "resvg_py": "resvg-py", "PIL": "simcord[preview]"}
    tops = {name.partition(".")[0] for module in MODULES for name in imports(module)} - {"bot", ""}
    foreign = tops - sys.stdlib_module_names
    assert {"discord", "sqlalchemy", "rapidfuzz"} <= foreign
    assert sorted(top for top in foreign if f'"{names.get(top, top)}'.casefold() not in declared) == []


# ------------------------------------------------------------------ commands


def cog_modules() -> list[str]:
    return [module for module in MODULES if module.rpartition("_")[2] == "cog" or module.endswith(".cog")]


def cogs() -> list[type[commands.Cog]]:
    """Every cog of the bot."""
    return [
        value
        for name in cog_modules()
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and issubclass(value, commands.Cog) and value.__module__ == name
    ]


def group_name(cog: type[commands.Cog]) -> str | None:
    """The name of the command group that a cog is, if it is one."""
    if not cog.__cog_is_app_commands_group__:
        return None
    return str(cog.__cog_group_name__)


def commands_of(cog: type[commands.Cog]) -> list[app_commands.Command[commands.Cog, ..., object]]:
    """The slash commands of a cog, without those inside of groups that it holds."""
    return [c for c in cog.__cog_app_commands__ if isinstance(c, app_commands.Command)]


def test_every_cog_is_loaded() -> None:
    """Each cog module is among the client's extensions, each once."""
    loadable = [name for name in cog_modules() if hasattr(importlib.import_module(name), "setup")]
    assert sorted(EXTENSIONS) == sorted(loadable)
    assert len(cogs()) >= len(loadable)


def test_command_names_are_unique() -> None:
    """No two cogs have a command or a group of the same name, and no group a subcommand twice."""
    top: list[str] = []
    for cog in cogs():
        name, own = group_name(cog), [c.name for c in commands_of(cog)]
        assert [n for n, times in Counter(own).items() if times > 1] == [], cog
        top += own if name is None else [name]
    assert [name for name, times in Counter(top).items() if times > 1] == []
    assert {"quiz", "daily", "today", "leaderboard", "stats", "topics", "help"} <= set(top)


def test_the_commands_of_the_specification() -> None:
    """The groups have the subcommands that members and managers are told of."""
    subcommands = {group_name(cog): {c.name for c in commands_of(cog)} for cog in cogs() if group_name(cog)}
    assert subcommands["quiz"] >= {"start", "stop", "status"}
    assert subcommands["daily"] >= {"setup", "post", "pause", "resume", "skip", "status"}


@pytest.mark.parametrize("cog", cogs(), ids=lambda cog: cog.__name__)
def test_commands_and_options_are_described(cog: type[commands.Cog]) -> None:
    """Each command and option has a description of its own within Discord's 100 characters, without a full stop."""
    texts = [(f"{cog.__name__}", cog.__cog_group_description__)] if group_name(cog) else []
    for command in commands_of(cog):
        texts.append((command.qualified_name, command.description))
        texts += [(f"{command.qualified_name} {p.name}", str(p.description)) for p in command.parameters]
    for name, text in texts:
        assert 3 <= len(str(text)) <= 100, (name, text)
        assert not str(text).endswith("."), (name, text)
    assert len(commands_of(cog)) <= 25


def test_manage_commands_are_hidden_from_others() -> None:
    """Discord shows the commands of managers to who may manage the server, and the others to everyone."""
    for cog in cogs():
        needed = getattr(cog, "__discord_app_commands_default_permissions__", None)
        assert (needed == discord.Permissions(manage_guild=True)) == (group_name(cog) in {"daily", "bank", "team"}), cog
