"""The report for an issue has what a maintainer asks for, and nothing that is secret."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import AsyncMock

import discord
import pytest
from msgspec.structs import replace
from sqlalchemy import URL, Connection

import bot
from bot import __version__, diagnosis
from bot.answers.store import PRACTICE, add
from bot.config import Settings
from bot.core.database import open_database
from bot.core.migrate import HEAD
from tests.answers.entries import counted
from tests.rows import fill

DATA = Path(bot.__file__).parents[1] / "data"
_TOKEN_PROBLEM = diagnosis._token_problem
SECRETS = {
    "DISCORD_TOKEN": "MTA4-the-token",
    "GRADER_URL": "http://grader.example.org:9/v1?key=in-the-query",
    "GRADER_MODEL": "llama",
    "GRADER_API_KEY": "sk-the-key",
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord and the model service give answers that repeat secrets, as errors may."""

    async def refuse(token: str) -> str:
        return f"Discord refuses {token}"

    async def fail(settings: Settings) -> str:
        return f"no reply from {settings.grader_url}"

    monkeypatch.setattr(diagnosis, "_token_problem", refuse)
    monkeypatch.setattr(diagnosis, "check_service", fail)


async def test_a_check_without_an_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keeps Discord from answering, there are words for it."""
    monkeypatch.setattr(discord.Client, "login", AsyncMock(side_effect=TimeoutError()))
    assert await _TOKEN_PROBLEM("token") == "could not be tried: it took too long"


async def test_the_report(url: URL, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has versions, settings by name, rows by table and the check; no secret, host or user."""
    async with open_database(url) as database:
        await database.write(fill, 5)
    password = url.password or "pw"
    env = {
        **SECRETS,
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "LOG_LEVEL": "DEBUG",
        "BACKUP_EVERY": "24",
        "SOMETHING_ELSE": "unrelated",
    }
    file = tmp_path / "report.txt"
    assert await diagnosis.write_report(Settings.from_env(env), env, file) == 2
    assert str(file) in capsys.readouterr().out
    report = file.read_text("utf-8")
    lines = report.splitlines()
    assert lines[0].startswith(f"Quizformer {__version__}, schema {HEAD}, ")
    for line in ("DISCORD_TOKEN: set", "GRADER_URL: set", "LOG_LEVEL: DEBUG", "BACKUP_EVERY: 24"):
        assert line in lines
    assert "rounds: 5" in lines
    assert "token: Discord refuses ***" in lines
    assert any(line.startswith("database: fine") for line in lines)
    hidden = ["MTA4", "sk-the-key", "in-the-query", "grader.example.org", "SOMETHING", "unrelated"]
    if url.get_backend_name() == "sqlite":
        assert any(line.startswith("backups: every 24 h in ") for line in lines)
    else:
        hidden += [f":{password}@", f"@{url.host}", f"{url.username}:"]
    assert not [secret for secret in hidden if secret in report]


async def test_what_came_of_first_answers(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    """Bias, error and Brier score are printed once there are enough answers to say something."""
    env = {"DATABASE_URL": url.render_as_string(hide_password=False)}

    async def told() -> list[str]:
        await diagnosis.check(Settings.from_env(env))
        lines = capsys.readouterr().out.splitlines()
        (start,) = (n for n, line in enumerate(lines) if line.startswith("first answers"))
        return [line for line in lines[start:] if line[0] == " " or line == lines[start]]

    async with open_database(url) as database:

        def store(conn: Connection, numbers: range) -> None:
            for (
                n
            ) in numbers:  # half are expected to be right by 0.9 and are, of the others a third is
                answer = counted(1, n, 0, source=PRACTICE, right=n % 2 == 0 or n % 3 == 0)
                answer = replace(answer, local_date=None, paid=None, rating=3)
                add(conn, replace(answer, expected=450 if n % 2 else 900))

        await database.write(store, range(199))
        assert await told() == ["first answers in practice: not enough yet (199 of 200)"]
        await database.write(store, range(199, 600))
    assert await told() == [
        "first answers in practice: 600, expected 67.5% right, came 66.7% (bias +0.8 points)",
        "  mean error by tenths 10.8 points; Brier score 0.123, always saying 66.7% has 0.222",
        "  40-50%: expected 45%, came 33% of 300",
        "  80-90%: expected 90%, came 100% of 300",
    ]


async def test_the_report_of_a_server_out_of_reach(capsys: pytest.CaptureFixture[str]) -> None:
    """An address that a driver repeats doesn't get into the report, in any encoding."""
    env = {"DATABASE_URL": "postgresql://ali%40ce:p%40ss@127.0.0.1:1/study"}
    assert await diagnosis.write_report(Settings.from_env(env), env, None) == 2
    report = capsys.readouterr().out
    assert "database: DATABASE_URL can't be used: ConnectionRefusedError" in report
    assert not [word for word in ("ali", "p%40ss", "p@ss", "127.0.0.1", "study") if word in report]


async def test_the_report_names_no_place(
    migrated: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not the folders of the operator, nor the model's host, which errors write in small letters."""
    folder = tmp_path / "alice-smith"
    folder.mkdir()
    file, pack = folder / "q.db", folder / "acme.json"
    file.write_bytes(migrated.read_bytes())
    pack.write_text("{}")

    async def unknown(_settings: Settings) -> str:
        return "Cannot connect to host internal.example.com:443"

    monkeypatch.setattr(diagnosis, "check_service", unknown)
    named = folder / "acme-2.json"
    text = (DATA / "modern-practice.json").read_text("utf-8")
    named.write_text(json.dumps({**json.loads(text), "title": "Acme interviews"}))
    for bank in (str(pack), f"{DATA / 'questions.json'},{named}"):
        env = {
            "DATABASE_URL": f"sqlite:///{file}",
            "GRADER_URL": "https://Internal.Example.COM/v1",
            "GRADER_MODEL": "m",
            "BACKUP_EVERY": "24",
            "QUESTION_BANK": bank,
        }
        await diagnosis.write_report(Settings.from_env(env), env, None)
        report = capsys.readouterr().out.casefold()
        assert "backups: every 24 h in ***" in report
        assert not [word for word in ("alice", "acme", "internal.example") if word in report]


async def test_the_report_of_a_damaged_database(
    migrated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that can't be read doesn't keep the report from being written."""
    with closing(sqlite3.connect(migrated)) as conn:
        pages = conn.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'cards'")
        [(size,)] = conn.execute("PRAGMA page_size")
        content = bytearray(migrated.read_bytes())
        for (page,) in pages.fetchall():
            content[(page - 1) * size : page * size] = b"\xa5" * size
    file = tmp_path / "damaged.db"
    file.write_bytes(content)
    env = {"DATABASE_URL": f"sqlite:///{file}"}
    await diagnosis.write_report(Settings.from_env(env), env, None)
    report = capsys.readouterr().out
    assert "the rows can't be counted: DatabaseError" in report
    assert "Quizformer" in report


async def test_the_report_is_printed(
    url: URL, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a file it is printed, and a database that can't be opened is part of it."""
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"not a database" * 100)
    env = {"DATABASE_URL": f"sqlite:///{broken}"}
    assert await diagnosis.write_report(Settings.from_env(env), env, None) == 2
    report = capsys.readouterr().out
    assert "the database can't be opened, see below" in report
    assert "not a database" in report
