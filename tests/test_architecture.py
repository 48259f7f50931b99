"""The rules of the code base: its layout, pure rules, imports that point down, unique command
names."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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
    """Return the full names of all imports of some code, also inside functions; `from a import b` is `a` and `a.b`."""
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


def package_of(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


@cache
def imports(module: str) -> frozenset[str]:
    return frozenset(imports_of(tree(MODULES[module]), package_of(module)))


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
    assert found == {
        "a.b",
        "d",
        "d.e",
        "bot.chat",
        "bot.chat.f",
        "bot.g",
        "bot.g.h",
        "j.k",
        "j.k.l",
        "m",
    }
    assert "bot.questions.model" in imports("bot.rounds.rules")
    assert "bot.playground" in imports("bot.__main__")
    assert offenders("bot.chat", "discord")
    assert len(MODULES) > 40


LEVELS = (
    ("core", "chat"),
    ("questions",),
    ("answers",),
    ("members", "memory"),
    ("games",),
    ("rounds", "challenges", "daily", "practice", "plan", "reminders", "interviews", "today"),
    (
        "boards",
        "profile",
        "bank",
        "milestones",
        "recap",
        "settings",
        "help",
        "privacy",
        "topics",
    ),
)
"""The features from the bottom up: imports point down, or to a neighbour, never in a circle."""
ROOMS = {"model", "rules", "store", "service", "work", "views", "cog"}
"""The files of a feature; only those that it needs."""
MORE_ROOMS = {
    "topics": {"deck_files"},
    "questions": {
        *("model", "check", "cases", "bank", "banks", "own", "answers", "drawing", "formulas"),
        *("in_play", "typed", "areas", "week"),
    },
    "members": {"names", "streak_service", "streak_store"},
    "memory": {"ability", "gain", "progress", "fitting", "today", "today_service"},
    "answers": {"pay", "totals", "sources", "erasure"},
    "bank": {
        *("archives", "checks", "files", "forms", "message_text", "pictures", "sheets"),
        *("suggestions_service", "suggestions_views", "suggestions_cog"),
        *("insights_rules", "insights_views"),
    },
    "challenges": {"players"},
    "daily": {
        *("panel_cog", "panel_views", "schedule_service", "schedule_store"),
    },
    "rounds": {"answering", "counter", "messages", "results"},
    "plan": {"checks", "dates", "forecast", "week"},
    "interviews": {
        "grading",
        *("partner_store", "partner_service", "partner_work", "partner_views", "partner_cog"),
    },
}
PURE = {
    "text",
    "model",
    "check",
    "cases",
    "own",
    "checks",
    "files",
    "sheets",
    "forms",
    "message_text",
    "answers",
    "drawing",
    "insights_rules",
    "forecast",
    "dates",
    "progress",
    "today",
    "fitting",
    "areas",
}
PURE |= {"errors", "snowflakes"}
STORAGE = (
    "bot.topics.deck_files",
    "bot.answers.erasure",
    "bot.answers.pay",
    "bot.answers.sources",
    "bot.answers.totals",
    "bot.questions.in_play",
)
"""Modules other than stores that hold queries or take a connection."""
SHELL = ("bot.app", "bot.__main__", "bot.authoring", "bot.playground", "bot.diagnosis")
LEADS_ON = "bot.help.views"
"""Has a button for each thing to do next."""
MAX_FUNCTION = 60


def feature_of(module: str) -> str:
    """Return the folder of a module below `bot`; its own name if it is in none."""
    return module.split(".")[1] if "." in module else ""


def room_of(module: str) -> str:
    """The file's role in its feature: `work` for bot.rounds.work, `grading` for everything in that folder."""
    return module.split(".")[2] if module.count(".") >= 2 else ""


def kind_of(module: str) -> str:
    """The role of a module; also of one of several stores or views, such as bot.daily.streak_store."""
    return room_of(module).rpartition("_")[2]


def is_pure(module: str) -> bool:
    grading = inside(module, "bot.interviews.grading") and module.rpartition(".")[2] not in {
        "service",
        "chat_model",
    }
    return room_of(module) in PURE | {"rules"} or grading


def features() -> list[str]:
    return [name for level in LEVELS for name in level]


def loaded_imports(module: str) -> set[str]:
    """Modules of the bot that a module imports when it is loaded."""
    return names_loaded(module) & set(MODULES) - {module, "bot"}


def names_loaded(module: str) -> set[str]:
    """All that a module imports when it is loaded."""
    top = [s for s in tree(MODULES[module]).body if isinstance(s, ast.Import | ast.ImportFrom)]
    return {name for statement in top for name in imports_of(statement, package_of(module))}


def test_every_folder_is_a_feature_with_its_rooms() -> None:
    """A feature is a folder, and its files have the names that every feature's files have."""
    folders = {path.name for path in (ROOT / "bot").iterdir() if (path / "__init__.py").exists()}
    assert folders == {*features(), "authoring", "playground"}
    for module in MODULES:
        feature, room = feature_of(module), room_of(module)
        if room and feature not in {"core", "chat", "authoring", "playground"}:
            assert room in ROOMS | MORE_ROOMS.get(feature, set()), module


def test_rules_are_pure() -> None:
    """Rules import no Discord, database, network, event loop, clock, thread, log or operating system."""
    banned = (
        *("discord", "sqlalchemy", "aiohttp", "asyncio", "time", "alembic", "sqlite3", "asyncpg"),
        *("simcord", "os", "pathlib", "socket", "threading", "concurrent", "subprocess"),
        *("logging", "secrets", "dotenv", "bot.config"),
        *("bot.core.database", "bot.core.jobs", "bot.core.context"),
        *(m for m in MODULES if m.startswith("bot.chat.") and not is_pure(m)),
        *(m for m in MODULES if kind_of(m) in ROOMS - {"model", "rules"}),
    )
    pure = [module for module in MODULES if is_pure(module)]
    assert len(pure) > 20
    assert [
        (module, name)
        for module in pure
        for name in sorted(imports(module))
        if any(inside(name, package) for package in banned)
    ] == []


def test_rules_read_no_clock() -> None:
    """Rules ask no clock and draw no luck of their own: the moment and the random generator are passed in."""
    found = []
    for module in filter(is_pure, MODULES):
        for node in ast.walk(tree(MODULES[module])):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            of = ast.unparse(node.func.value)
            clock = node.func.attr in CLOCKS and of.rpartition(".")[2] in {
                "datetime",
                "date",
                "time",
            }
            luck = of == "random" and node.func.attr != "Random"
            if clock or luck or ast.unparse(node) == "random.Random()":
                found.append(f"{module}: {ast.unparse(node)}")
    assert found == []


def test_threads_are_entered_in_core() -> None:
    """Only core's own ways into a thread carry every error back, so that no caller waits forever."""
    entries = {"to_thread", "run_in_executor", "wrap_future"}
    assert [
        f"{module}: {ast.unparse(node)}"
        for module in MODULES
        for node in ast.walk(tree(MODULES[module]))
        if isinstance(node, ast.Attribute) and node.attr in entries
        if module != "bot.core.computing"
    ] == []


WAITS = {
    "bot.core.database": "a load is for all who wait for it",
    "bot.bank.service": "a server waits for its own files",
    "bot.health": "for operators",
    "bot.playground.server": "for one developer",
}
"""Where somebody waits for a lock and not in a `FairQueue`, and why no stranger holds others up."""


def test_strangers_take_turns() -> None:
    """Work that servers share waits in a `FairQueue`; other locks and pools of threads have a reason."""
    kinds = {"Lock", "Semaphore", "BoundedSemaphore"}
    found = {
        module
        for module in MODULES
        for node in ast.walk(tree(MODULES[module]))
        if isinstance(node, ast.Call)
        if (called := ast.unparse(node.func)).endswith("ThreadPoolExecutor")
        or called in {f"asyncio.{kind}" for kind in kinds}
    }
    assert found == {"bot.core.computing", *WAITS}


def test_sql_stands_in_core_and_stores() -> None:
    """SQLAlchemy is known to core, to each feature's store, and to what opens the database."""
    stores = [module for module in MODULES if kind_of(module) == "store"]
    allowed = ("bot.core", "bot.app", "bot.config", *stores, *STORAGE)
    assert offenders("bot", "sqlalchemy", "aiosqlite", "asyncpg", "sqlite3", but=allowed) == []


def test_discord_stands_in_chat_views_and_cogs() -> None:
    """Stores and rules know nothing of Discord; a worker shows what is due through its views."""
    shown = [m for m in MODULES if kind_of(m) in {"views", "cog"}]
    allowed = ("bot.chat", *SHELL, *shown, "bot.members.names")  # a watcher of interactions
    assert offenders("bot", "discord", but=allowed) == []
    behind = [m for m in MODULES if kind_of(m) in {"store", "service", "work"}]
    beside_text = [
        m for m in MODULES if inside(m, "bot.chat") and m not in {"bot.chat", "bot.chat.text"}
    ]
    assert [o for m in behind for o in offenders(m, *beside_text)] == []
    assert [
        (m, o)
        for m in behind
        for o in sorted(imports(m))
        if o in MODULES
        and (kind_of(o) == "cog" or (kind_of(o) == "views" and kind_of(m) != "work"))
    ] == []


def test_rooms_know_what_they_may() -> None:
    """model < rules < store < service, views < work, cog: within a feature too, imports point down."""
    order = {
        "model": 0,
        "rules": 1,
        "store": 2,
        "service": 3,
        "views": 3,
        "work": 4,
        "cog": 5,
    }
    found = [
        f"{module} imports {other}"
        for module in MODULES
        for other in loaded_imports(module)
        if feature_of(module) == feature_of(other)
        and order.get(kind_of(module), 9) < order.get(kind_of(other), -1)
    ]
    assert found == []


def test_features_import_downwards() -> None:
    """No feature imports one of a higher level, and none of its own level that imports it back."""
    level = {name: depth for depth, names in enumerate(LEVELS) for name in names}
    graph: dict[str, set[str]] = {name: set() for name in level}
    for module in MODULES:
        feature = feature_of(module)
        if feature in level:
            found = (
                imports(module) if feature != "core" else loaded_imports(module)
            )  # its context names a bank's type
            graph[feature] |= {feature_of(o) for o in found if feature_of(o) in level} - {feature}
    assert [
        (f, o) for f, others in graph.items() for o in sorted(others) if level[o] > level[f]
    ] == []

    def reach(feature: str, seen: frozenset[str]) -> frozenset[str]:
        for other in graph[feature] - seen:
            seen = reach(other, seen | {other})
        return seen

    assert [f for f in graph if f in reach(f, frozenset())] == []


def test_only_the_root_knows_all_features() -> None:
    """Nothing imports the composition root but the command line, and nothing else imports from all over the house."""
    assert offenders("bot", "bot.app", but=("bot.__main__", "bot.app", "bot.diagnosis")) == []
    top = [name for name in features() if name not in {"core", "chat", "questions"}]
    for module in MODULES:
        known = {feature_of(o) for o in imports(module)} & set(top)
        assert len(known) <= 6 or module in (*SHELL, LEADS_ON), (module, known)


def test_a_module_has_one_name() -> None:
    """Features import another's `store` as `<feature>_store`, and their own by its own name."""

    def name_of(module: str, importer: str) -> str:
        feature, room = feature_of(module), room_of(module)
        if feature == "core":
            return room
        if feature == feature_of(importer):
            return "view" if room == "views" else room
        return f"{feature}_{room}"

    found = [
        f"{module}: {node.module}.{alias.name} is called {alias.asname or alias.name}"
        for module in MODULES
        if feature_of(module) not in {"chat", "playground"}
        for node in ast.walk(tree(MODULES[module]))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (other := f"{node.module}.{alias.name}") in MODULES
        and (feature_of(other) == "core" or kind_of(other) in ROOMS)
        and (alias.asname or alias.name) != name_of(other, module)
    ]
    assert found == []


SHARED_NAMES = {"Answer", "Kind", "Report", "State", "Verdict"}
"""Names that two classes still have. Take one out with its second class, and add none."""


def test_a_class_has_a_name_of_its_own() -> None:
    """No two classes of the bot have the same name, unless they are private to their modules."""
    names = Counter(
        node.name
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, times in names.items() if times > 1} <= SHARED_NAMES


def test_functions_stay_short() -> None:
    """No function of the bot has more than 60 lines."""
    found = [
        f"{module}: {node.name}"
        for module, file in MODULES.items()
        if not inside(module, "bot.core.migrations")  # a migration is as long as its schema
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION
    ]
    assert found == []


def test_the_running_bot_knows_no_tools_of_authors() -> None:
    """Only `python -m bot bank` imports what checks the shipped packs."""
    assert offenders("bot", "bot.authoring", but=("bot.authoring", "bot.__main__")) == []
    late = [name for name in names_loaded("bot.__main__") if inside(name, "bot.authoring")]
    assert late == []


def test_only_the_command_line_knows_the_playground() -> None:
    """Nothing imports it or simcord but the command `play`, so that the bot runs without them."""
    assert offenders("bot", "simcord", but=("bot.playground",)) == []
    assert offenders("bot", "bot.playground", but=("bot.playground", "bot.__main__")) == []


def test_the_playground_is_imported_late() -> None:
    """The command line imports the playground and other extras inside functions: they need not be installed."""
    late = ("bot.playground", "simcord", "discord", "asyncpg", "uvloop")
    loaded = names_loaded("bot.__main__")
    assert [name for name in loaded if any(inside(name, package) for package in late)] == []


def test_no_circles() -> None:
    """No two modules import each other, by however many steps, where modules are loaded."""
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail[trail.index(module) :], module])
        if module not in done:
            for other in sorted(loaded_imports(module)):
                visit(other, (*trail, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_every_import_is_a_dependency() -> None:
    """The bot imports the standard library, itself, and packages that pyproject.toml names."""
    declared = (ROOT / "pyproject.toml").read_text("utf-8").casefold()
    names = {"dotenv": "python-dotenv", "resvg_py": "resvg-py", "PIL": "pillow"}
    tops = {name.partition(".")[0] for module in MODULES for name in imports(module)} - {"bot", ""}
    foreign = tops - sys.stdlib_module_names
    assert {"discord", "sqlalchemy", "rapidfuzz"} <= foreign
    assert (
        sorted(top for top in foreign if f'"{names.get(top, top)}'.casefold() not in declared) == []
    )


def test_no_module_holds_an_exception() -> None:
    """Each refusal is made when it is raised: one that is raised again keeps the frames of every time alive."""
    found = [
        f"{module}.{name}"
        for module in sorted(
            set(MODULES) - {"bot.core.migrations.env"}
        )  # runs inside of Alembic only
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, BaseException)
    ]
    assert found == []


# ------------------------------------------------------------------ commands


def test_contributing_names_files_that_exist() -> None:
    """Every path that CONTRIBUTING names as code is there."""
    named = re.findall(
        r"`([a-z_./-]+\.(?:py|md|json|lock|toml))`", (ROOT / "CONTRIBUTING.md").read_text()
    )
    known = {path for path in named if "/" in path}
    assert len(known) > 20
    roots = ROOT, ROOT / "bot", ROOT / "tests"
    assert [
        path for path in sorted(known) if not any((root / path).exists() for root in roots)
    ] == []
