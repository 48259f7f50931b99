"""The files in `deploy/` fit the bot: its metrics, its settings and its line at the start."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from bot.chat.client import QuizBot
from bot.config import DEFAULT_DATABASE, Settings, database_url
from bot.core import limits
from bot.health import Health, LoopLag, measure
from bot.logs import _Json, _Text
from tests.environment import variables_read

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ALERTS = (DEPLOY / "alerts.yml").read_text("utf-8")
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
EGG: dict[str, Any] = json.loads((DEPLOY / "pterodactyl-egg.json").read_text("utf-8"))
INSTALL: str = EGG["scripts"]["installation"]["script"]
DEFAULTS: dict[str, str] = {v["env_variable"]: v["default_value"] for v in EGG["variables"]}
RULES: dict[str, list[str]] = {v["env_variable"]: v["rules"].split("|") for v in EGG["variables"]}

# ------------------------------------------------------------------ board and alerts


def queries() -> list[str]:
    """Return every PromQL expression of the board and of the alerts."""
    panels = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    variables = [v["query"] for v in BOARD["templating"]["list"] if v["type"] == "query"]
    rules = re.findall(r"^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)", ALERTS, re.MULTILINE)
    assert len(rules) == ALERTS.count("- alert:") == ALERTS.count("expr:")
    return [*panels, *variables, *(block or line for block, line in rules)]


def names_in(query: str) -> set[str]:
    """Return the metrics of a query: names that are not functions, labels, operators or times."""
    bare = re.sub(r"\{.*?\}|\[.*?\]|\boffset +\w+", " ", query)
    label = r"(?<=, )instance(?=\))"  # the last argument of label_values
    words = re.findall(r"\b[a-z_]+\b(?! *\()", re.sub(label, "", bare))
    return set(words) - {"unless", "or", "and", "by", "on"}


def written(file: Path) -> set[str]:
    """Return the metrics of a bot that is connected, has a database and has made a copy of it."""
    bot: Any = SimpleNamespace(guilds=[], latency=0.04, shards_up=lambda silence: 1, shard_count=1)
    backups: Any = SimpleNamespace(every=timedelta(hours=24), newest=lambda now: now)
    settings = Settings(database=database_url(f"sqlite:///{file}"))
    lines = measure(bot, Health(True, True, 3, 0.0), settings, backups, LoopLag())
    return set(re.findall(r"^(\w+)(?:{.*})? \S+$", "".join(lines), re.MULTILINE))


_DUMPS = "quizformer_last_dump_timestamp_seconds"
"""Written by the operator's script; docs/hosting.md has its line."""


def test_board_and_alerts_name_metrics_that_exist(tmp_path: Path) -> None:
    """Every metric of board and alerts is one of the bot's, Prometheus' own or the operator's, and
    every metric of the bot is on the board or in an alert.
    """
    named = {name for query in queries() for name in names_in(query)}
    assert named ^ written(tmp_path / "quiz.db") == {"up", _DUMPS}
    assert _DUMPS in (ROOT / "docs/hosting.md").read_text("utf-8")


def test_the_alert_for_memory_fits_the_limit_of_the_unit() -> None:
    """It fires between six and nine tenths of the limit, so before the bot is ended."""
    limit = memory_limit(DEPLOY / "quizformer.service", "MemoryMax")
    (threshold,) = re.findall(r"children_memory_bytes > (\d+e6)", ALERTS)
    assert 0.6 * limit < float(threshold) < 0.9 * limit


def test_the_job_has_one_name() -> None:
    """Board and alerts find the bot by the same job, which the comment in the alerts names."""
    jobs = set(re.findall(r'job="(.*?)"', "".join(queries())))
    assert jobs == {"quizformer"}
    assert 'a scrape job with the name "quizformer"' in ALERTS


def test_the_board_can_be_imported_anywhere() -> None:
    """It has no identity of its own, and every data source is the one that is chosen above it."""
    assert not {"id", "uid", "__inputs"} & set(BOARD)
    source, *others = BOARD["templating"]["list"]
    assert (source["type"], source["name"], source["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    users = [*others, *BOARD["panels"], *(t for p in BOARD["panels"] for t in p["targets"])]
    assert all(user["datasource"] == chosen for user in users)
    assert json.dumps(BOARD).count('"uid"') == len(users)


def test_the_line_of_the_board_is_the_threshold_of_the_alert() -> None:
    """Board and alert call the same latency high, and the same backup old."""
    panels = {panel["title"]: panel for panel in BOARD["panels"]}
    steps = panels["Gateway latency"]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert f"quizformer_gateway_latency_seconds > {steps[-1]['value']}\n" in ALERTS
    limit = panels["Age of the last backup"]["targets"][1]["expr"]
    assert f"> {re.sub(r'{.*?}', '', limit)}\n" in ALERTS


def test_every_alert_says_what_to_do() -> None:
    """Each has a severity, a summary and a description that leads to the page about hosting."""
    alerts = ALERTS.split("- alert: ")[1:]
    for alert in alerts:
        assert re.search(r"^ +severity: (critical|warning)$", alert, re.MULTILINE), alert
        assert re.search(r"^ +summary: ", alert, re.MULTILINE), alert
        description = alert.partition("description: >-\n")[2]
        assert " ".join(description.split()).endswith("More in docs/hosting.md."), alert


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")
def test_alerts_fire_when_they_should() -> None:
    """Prometheus' own tool runs the cases of alerts_test.yml."""
    cases = Path(__file__).with_name("alerts_test.yml")
    for what, file in (("check", DEPLOY / "alerts.yml"), ("test", cases)):
        run = subprocess.run(
            ["promtool", what, "rules", file], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


# ------------------------------------------------------------------ the unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("name", ["quizformer.service", "quizformer@.service"])
def test_systemd_accepts_the_unit(tmp_path: Path, name: str) -> None:
    """systemd's own check finds nothing, once the paths exist, also for one of several processes."""
    text = (DEPLOY / "quizformer.service").read_text("utf-8")
    text = text.replace("/opt/quizformer/.venv/bin/python", sys.executable)
    (tmp_path / name).write_text(text)
    if "@" in name:
        (tmp_path / f"{name}.d").mkdir()
        shutil.copy(DEPLOY / "shards.conf", tmp_path / f"{name}.d")
    unit = tmp_path / name.replace("@", "@1")
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


# ------------------------------------------------------------------ memory

_BOT_MEMORY = 256 << 20
"""The bot takes 100 MB at its start, and strangers can make it take 100 MB more."""
_UNITS = {"M": 20, "m": 20, "G": 30, "g": 30}


def memory_limit(file: Path, name: str) -> int:
    """Return the bytes of the setting `name` in a file."""
    found = re.findall(rf"^ *{name}[=:] *(\d+)(\w)$", file.read_text("utf-8"), re.MULTILINE)
    ((number, unit),) = found
    return int(number) << _UNITS[unit]


def test_memory_fits_together() -> None:
    """The bot and all its processes at once stay within what systemd and Docker allow."""
    memory = {name: value for name, value in vars(limits).items() if name.endswith("_MEMORY")}
    code = "".join(file.read_text("utf-8") for file in (ROOT / "bot").rglob("*.py"))
    assert sorted(re.findall(r"memory=(\w+)[,)]", code)) == sorted(memory)
    alone = memory.pop("MAX_START_MEMORY")  # before any other process begins
    together = sum(memory.values())
    for file, name in (("deploy/quizformer.service", "MemoryMax"), ("compose.yaml", "mem_limit")):
        limit = memory_limit(ROOT / file, name)
        assert _BOT_MEMORY + max(alone, together) <= limit, file
    unit = (DEPLOY / "quizformer.service").read_text("utf-8")
    assert f"may take {together >> 20} MiB (" in unit


def test_the_bot_takes_the_same_memory_in_all_places() -> None:
    """The figures were measured once, and each place says them once."""
    words = r"(\d+) MB(?: of memory)?, and (\d+) MB while"
    places = ("README.md", "docs/scaling.md", "docs/security.md", "deploy/quizformer.service")
    texts = (" ".join((ROOT / place).read_text("utf-8").split()) for place in places)
    first, *others = (re.findall(words, text) for text in texts)
    assert len(first) == 1
    assert others == [first] * 3


# ------------------------------------------------------------------ the egg


def test_every_variable_of_the_egg_is_read() -> None:
    """The bot reads it as a setting, or the install script uses it."""
    installs = set(re.findall(r"\$\{?([A-Z_]+)", INSTALL))
    assert installs == {"GIT_ADDRESS", "GIT_REF"}
    assert set(DEFAULTS) - installs - variables_read() == set()
    assert len(DEFAULTS) == len(EGG["variables"])


def test_the_defaults_of_the_egg_are_valid() -> None:
    """They are the bot's own defaults, except that the egg turns regular copies on."""
    values = {**DEFAULTS, "DISCORD_TOKEN": "MTA4.abc"}
    Settings.from_env(values)
    settings = Settings.from_env({**values, "BACKUP_EVERY": ""})
    assert settings == Settings(token="MTA4.abc", database=database_url(DEFAULT_DATABASE))


def test_the_egg_invents_no_address_and_no_token() -> None:
    """Whoever installs the egg must give both."""
    for name in ("GIT_ADDRESS", "DISCORD_TOKEN"):
        assert DEFAULTS[name] == ""
        assert "required" in RULES[name]


def test_the_rules_of_the_egg() -> None:
    """Each is one that Laravel has, and an empty default is allowed unless it must be filled in."""
    known = r"required|nullable|string|integer|url|ip|(starts_with|in|between|min|max|regex):.+"
    for name, rules in RULES.items():
        assert [rule for rule in rules if not re.fullmatch(known, rule)] == [], name
        assert ("required" in rules) != ("nullable" in rules), name
        for rule in rules:
            kind, _, value = rule.partition(":")
            default = DEFAULTS[name]
            if kind == "in":
                assert default in value.split(","), name
            elif kind == "starts_with" and default:
                assert default.startswith(tuple(value.split(","))), name
            elif kind == "between":
                low, high = map(int, value.split(","))
                assert not default or low <= int(default) <= high, name


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("main", True),
        ("v0.1.0", True),
        ("fix/a_b", True),
        ("-x", False),
        ("--upload-pack=x", False),
        ("a b", False),
    ],
)
def test_a_branch_can_not_be_an_option_of_git(text: str, good: bool) -> None:
    """The rule of GIT_REF refuses what git would take for an option."""
    (pattern,) = (rule for rule in RULES["GIT_REF"] if rule.startswith("regex:"))
    assert bool(re.search(pattern.removeprefix("regex:/").removesuffix("/"), text)) is good


def is_done(line: str) -> bool:
    """Whether the panel takes the server for started when it reads this line."""
    done = json.loads(EGG["config"]["startup"])["done"]
    assert done.startswith("regex:")
    return re.search(done.removeprefix("regex:"), line) is not None


async def test_the_panel_sees_that_the_bot_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    """The line of on_ready matches in both formats, whatever level the egg allows; other lines of
    the client don't.
    """
    (levels,) = (r.removeprefix("in:") for r in RULES["LOG_LEVEL"] if r.startswith("in:"))
    least = max(getattr(logging, level) for level in levels.split(","))
    bot: Any = SimpleNamespace(guilds=[1, 2, 3], shards={0: 0}, features=AsyncMock())
    for event, done in (
        (QuizBot.on_ready(bot), True),
        (QuizBot.on_guild_join(bot, Mock(id=1)), False),
    ):
        caplog.clear()
        with caplog.at_level(least, "bot.chat.client"):
            await event
        (record,) = caplog.records
        assert [is_done(kind([]).format(record)) for kind in (_Text, _Json)] == [done] * 2


# ------------------------------------------------------------------ its two scripts

needs_bash = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("git") is None, reason="needs bash and git"
)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", folder, *arguments], check=True, capture_output=True)


@needs_bash
def test_the_install_script(tmp_path: Path) -> None:
    """It puts the files in place and updates them. Data stay, and so does an edited file."""
    origin, server = tmp_path / "origin", tmp_path / "server"
    origin.mkdir()
    server.mkdir()
    (server / ".env").write_text("ERASE_AFTER_DAYS=7")

    def publish(text: str) -> None:
        (origin / "code.py").write_text(text)
        git(origin, "add", ".")
        git(origin, "commit", "-m", text)

    def install(ref: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", INSTALL.replace("/mnt/server", shlex.quote(str(server)))],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "GIT_ADDRESS": origin.as_uri(),
                "GIT_REF": ref,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    git(tmp_path, "init", "origin")
    publish("one")
    git(origin, "tag", "v1")
    assert install().returncode == 0
    assert (server / "code.py").read_text() == "one"
    (server / "var").mkdir()
    (server / "var/quizformer.db").write_text("answers")

    publish("two")
    assert install().returncode == 0
    assert (server / "code.py").read_text() == "two"
    assert install("v1").returncode == 0
    assert (server / "code.py").read_text() == "one"

    (server / "code.py").write_text("mine")
    refused = install()
    assert refused.returncode != 0
    assert "code.py" in refused.stderr
    assert (server / "code.py").read_text() == "mine"
    assert (server / "var/quizformer.db").read_text() == "answers"
    assert (server / ".env").read_text() == "ERASE_AFTER_DAYS=7"


PYTHON = """#!/bin/bash
# Stands for the image's Python: writes down what it is asked to do, and makes no packages.
echo "$(basename "$(dirname "$(dirname "$0")")") $*" >>"$CALLS"
case "$*" in
    "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    -c*) echo "$ABI" ;;
    "-m pip "*) exit "${PIP_STATUS:-0}" ;;
esac
"""


@needs_bash
def test_the_start_script(tmp_path: Path) -> None:
    """Packages are installed, by hash only, when the lock or the Python is another one. An
    installation that failed is done again.
    """
    calls, image, home = tmp_path / "calls", tmp_path / "image/bin", tmp_path / "home"
    script = home / "deploy/pterodactyl-start.sh"
    for folder in (image, script.parent):
        folder.mkdir(parents=True)
    shutil.copy(DEPLOY / script.name, script)
    (image / "python3").write_text(PYTHON)
    (image / "python3").chmod(0o755)
    (home / "requirements.txt").write_text("one")

    def start(**more: str) -> list[str]:
        """Start as the panel does, and return the commands of the venv's Python."""
        calls.write_text("")
        env = {"PATH": f"{image}:{os.environ['PATH']}", "CALLS": str(calls), "ABI": "cpython-313"}
        subprocess.run(
            ["bash", "-c", EGG["startup"]],
            cwd=home,
            env={**env, **more},
            capture_output=True,
            check=False,
        )
        done = [line.removeprefix(".venv ") for line in calls.read_text().splitlines()]
        return [line for line in done if line.startswith("-m")]

    pip, bot = start()
    assert pip.startswith("-m pip install ")
    assert {"--require-hashes", "--only-binary=:all:", "-r requirements.txt"} <= set(
        re.findall(r"--require-hashes|--only-binary=\S+|-r \S+", pip)
    )
    assert bot == "-m bot"
    assert start() == [bot]
    (home / "requirements.txt").write_text("two")
    assert start(PIP_STATUS="1") == [pip]
    assert start() == [pip, bot]
    assert start() == [bot]
    assert start(ABI="cpython-312") == [pip, bot]
