"""Settings: valid and invalid values, secrets kept hidden, and all of them documented."""

from __future__ import annotations

import dataclasses
import logging
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import app, health
from bot.__main__ import main
from bot.app import Services, opened_database
from bot.chat.client import QuizBot
from bot.config import (
    DEFAULT_DATABASE,
    Settings,
    SettingsError,
    database_url,
    load_environment,
    sqlite_file,
)
from bot.interviews.grading.chat_model import ModelService
from tests.environment import bare_environment, variables_read

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
VARIABLES = {"DISCORD_TOKEN": "token", "DATABASE_URL": "database", "QUESTION_BANK": "bank"}
"""Variables whose field of Settings has another name."""


def documented() -> list[str]:
    """Return the variables in .env.example, including commented-out ones."""
    return re.findall(r"^(?:# )?([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)


DEFAULTS = Settings(database=database_url(DEFAULT_DATABASE))


def error_for(**env: str) -> str:
    """Return the error message for invalid settings."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    return str(caught.value)


# ------------------------------------------------------------------ each setting, valid and invalid


def test_defaults() -> None:
    """Missing and empty variables give the defaults."""
    settings = Settings.from_env({})
    assert settings == DEFAULTS == Settings.from_env(dict.fromkeys(documented(), " "))
    assert (settings.token, settings.bank, settings.health_host) == ("", (), "127.0.0.1")
    assert (settings.log_level, settings.log_format) == (logging.INFO, "text")
    assert (settings.backup_every, settings.backup_keep, settings.migrate) == (None, 7, False)
    assert settings.erase_after_days == 30
    assert settings.database.render_as_string() == "sqlite+aiosqlite:///var/quizformer.db"


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("DISCORD_TOKEN", " MTA4.abc-d_e ", "MTA4.abc-d_e"),
        ("DISCORD_TOKEN", "Bot MTA4.abc", "MTA4.abc"),
        ("LOG_LEVEL", "DEBUG", logging.DEBUG),
        ("LOG_LEVEL", " Warning ", logging.WARNING),
        ("LOG_LEVEL", "error", logging.ERROR),
        ("LOG_LEVEL", "CRITICAL", logging.CRITICAL),
        ("LOG_FORMAT", "JSON", "json"),
        ("SHARD_COUNT", " 16 ", 16),
        ("HEALTH_PORT", "65535", 65535),
        ("HEALTH_HOST", " 0.0.0.0 ", "0.0.0.0"),
        ("ERASE_AFTER_DAYS", " 7 ", 7),
        ("BACKUP_EVERY", "6", timedelta(hours=6)),
        ("BACKUP_KEEP", "28", 28),
        ("DATABASE_CONNECTIONS", "4", 4),
        ("MIGRATE", "Yes", True),
        ("GRADER_MODEL", "m", "m"),
        ("GRADER_API_KEY", "Bearer sk-1", "sk-1"),
    ],
)
def test_a_value(variable: str, text: str, value: Any) -> None:
    """A value is read in any case and without blanks around it, and changes nothing else."""
    field = VARIABLES.get(variable, variable.lower())
    assert Settings.from_env({variable: text}) == dataclasses.replace(DEFAULTS, **{field: value})


_NO_NUMBERS = ("0", "-1", "+1", "1.5", "1e3", "0x10", "1_000", "many", "²", "１", "9" * 5_000)
_NO_ADDRESSES = (
    *("api.example.org/v1", "ftp://example.org", "https://", "https://["),
    *("http://x:port", "https://a b/", "http:///v1"),
)


@pytest.mark.parametrize(
    ("variable", "texts", "wrong"),
    [
        ("DISCORD_TOKEN", ["MTA4 hunter2", "MTA4\nhunter2"], "has a space or line break in it"),
        ("GRADER_API_KEY", ["hunter2 hunter2"], "has a space or line break in it"),
        (
            "GRADER_API_KEY",
            ["hunter2\x00", "hunter2ä"],
            "has a character in it that doesn't belong there",
        ),
        (
            "DATABASE_URL",
            ["quizformer.db", "postgres://user:hunter2@host:port/name"],
            "is not a database address",
        ),
        (
            "DATABASE_URL",
            [
                *("sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"),
                "sqlite:///file:x?mode=memory&uri=true",
            ],
            "names no file, so a restart would lose everything",
        ),
        (
            "DATABASE_URL",
            ["mysql://user:hunter2@host/name"],
            "asks for mysql, which is not supported",
        ),
        ("QUESTION_BANK", ["no.json", "."], "names a file that is not there ({0})"),
        ("QUESTION_BANK", ["x" * 300], f"names a file that is not there ({'x' * 100})"),
        (
            "GRADER_URL",
            _NO_ADDRESSES,
            "is not an address that starts with https:// or http://",
        ),
        (
            "GRADER_URL",
            ["https://user:hunter2@example.org"],
            "has a user or password in it; use GRADER_API_KEY for the key",
        ),
        (
            "LOG_LEVEL",
            ["loud", "10", "NOTSET", "Logger"],
            "is {0!r} but must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
        ),
        ("LOG_FORMAT", ["xml"], "is {0!r} but must be one of text, json"),
        ("MIGRATE", ["true"], "is {0!r} but must be one of no, yes"),
        (
            "SHARD_COUNT",
            [*_NO_NUMBERS, "9" * 25],
            "is {0!r} but must be a whole number from 1",
        ),
        (
            "HEALTH_PORT",
            [*_NO_NUMBERS, "65536"],
            "is {0!r} but must be a whole number from 1 to 65535",
        ),
        (
            "ERASE_AFTER_DAYS",
            ["0", "3651", "never"],
            "is {0!r} but must be a whole number from 1 to 3650",
        ),
        ("BACKUP_EVERY", ["daily", "721"], "is {0!r} but must be a whole number from 1 to 720"),
        (
            "DATABASE_CONNECTIONS",
            ["0", "101", "all"],
            "is {0!r} but must be a whole number from 1 to 100",
        ),
        ("BACKUP_KEEP", ["0", "1001"], "is {0!r} but must be a whole number from 1 to 1000"),
        ("SHARD_IDS", ["0-3", "0,", "-1", "x"], "is {0!r} but must be numbers separated by commas"),
    ],
)
def test_a_wrong_value(variable: str, texts: Sequence[str], wrong: str) -> None:
    """A wrong value is refused with an example, and without repeating a secret."""
    for text in texts:
        line = error_for(**{variable: text})
        assert line.startswith(f"{variable} {wrong.format(text)}. Example: {variable}=")
        assert "hunter2" not in line


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"SHARD_IDS": "0"}, "SHARD_COUNT is missing; SHARD_IDS needs it"),
        (
            {"SHARD_IDS": "0, 4", "SHARD_COUNT": "4"},
            "SHARD_IDS names shard 4, but SHARD_COUNT=4 has 0 to 3",
        ),
        (
            {"SHARD_IDS": "1,2", "SHARD_COUNT": "3"},
            "SHARD_IDS leaves shards to other processes, but a SQLite file has only one process: name "
            "all shards, or use PostgreSQL",
        ),
        ({"GRADER_URL": "http://h/v1"}, "GRADER_MODEL is missing; GRADER_URL needs it"),
    ],
)
def test_values_that_do_not_fit_together(env: dict[str, str], words: str) -> None:
    """A setting without the one that it needs, or together with one that excludes it, is refused."""
    assert error_for(**env).startswith(f"{words}. Example: ")


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:////srv/quiz.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///quiz.db", "sqlite+aiosqlite"),
        ("postgres://user:secret@host:5432/name", "postgresql+asyncpg"),
        ("postgresql://user:secret@host/name", "postgresql+asyncpg"),
        ("postgresql+psycopg2://user@host/name", "postgresql+asyncpg"),
    ],
)
def test_database_addresses(text: str, driver: str) -> None:
    """Database URLs get the driver that the bot uses and keep everything else."""
    url = Settings.from_env({"DATABASE_URL": f" {text} "}).database
    assert url.drivername == driver
    assert url.render_as_string(hide_password=False).partition("://")[2] == text.partition("://")[2]


KNOWN = {
    "connect_timeout": "5",
    "options": "-c search_path=quiz",
    "sslmode": "verify-full",
    "sslnegotiation": "postgres",
    "ssl_min_protocol_version": "TLSv1.2",
    "ssl_max_protocol_version": "TLSv1.3",
    "target_session_attrs": "read-write",
}
UNKNOWN = (
    *("application_name", "fallback_application_name", "client_encoding", "hostaddr", "gssencmode"),
    *(
        "keepalives",
        "keepalives_idle",
        "krbsrvname",
        "load_balance_hosts",
        "replication",
        "service",
    ),
    *(
        "require_auth",
        "requirepeer",
        "requiressl",
        "sslpassword",
        "sslsni",
        "sslcompression",
        "ssl",
    ),
    *(
        "tcp_user_timeout",
        "sslcrldir",
        "prepared_statement_cache_size",
        "timeout",
        "command_timeout",
    ),
)


@pytest.mark.parametrize("several", ["", "h1:5432,h2", "[::1]:5433,%2Frun%2Fpostgresql"])
def test_libpq_options_in_an_address(tmp_path: Path, several: str) -> None:
    """Each option of libpq is kept for asyncpg or refused by its name."""
    file = tmp_path / "file"
    file.touch()
    files = dict.fromkeys(("passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl"), str(file))
    options = {**KNOWN, **files}
    place = f"postgres://u:p@{several or 'host'}/name"
    url = database_url(f"{place}?{urlencode({**options, 'channel_binding': 'prefer'})}")
    assert url.query == ({**options, "host": unquote(several)} if several else options)
    assert (url.username, url.password, url.database) == ("u", "p", "name")
    inside = "postgresql://?host=h&port=5433&user=u&password=p&dbname=name"
    url = database_url(inside)
    assert (url.username, url.password, url.database) == ("u", "p", "name")
    assert url.query == {"host": "h", "port": "5433"}
    for option in UNKNOWN:
        line = error_for(DATABASE_URL=f"{place}?{option}=hunter2&sslmode=require")
        assert line.startswith(f"DATABASE_URL has the option {option}, which Quizformer doesn't")
        assert "hunter2" not in line
    assert "leave it out, and set sslmode=verify-full" in error_for(
        DATABASE_URL=f"{place}?channel_binding=require"
    )
    for option in files:
        line = error_for(DATABASE_URL=f"{place}?{option}={file}2")
        assert line.startswith(f"DATABASE_URL has a file for {option} that is not there. Example")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:word@hunter2@h/n",
        "postgresql://u:word@s/hunter2@h/n",
        "postgresql://u:word@s?hunter2@h/n",
        "postgresql://u:word@s,hunter2@h/n",
        "postgresql+asyncpg://u:word@s:hunter2@h/n",
        "postgresql://h/n?user=u&password=word&hunter2=x",
    ],
)
def test_no_rest_of_a_password_is_printed(address: str) -> None:
    """A password with a character that has to be quoted is refused, without a part of it."""
    assert "hunter2" not in error_for(DATABASE_URL=address)


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("sqlite:///var/quiz.db", "var/quiz.db"),
        ("sqlite:////data/quiz.db?timeout=9", "/data/quiz.db"),
        ("sqlite:///file:/data/my%20quiz.db?uri=true", "/data/my quiz.db"),
        ("postgresql://user@host/name", None),
    ],
)
def test_the_file_of_a_database(address: str, file: str | None) -> None:
    """A SQLite address names a file, also as a URI; a PostgreSQL address names none."""
    assert sqlite_file(database_url(address)) == (None if file is None else Path(file))


def test_bank_files(tmp_path: Path) -> None:
    """Files are separated by commas. Each must exist, and duplicates count once."""
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text("{}")
    two.write_text("{}")
    assert Settings.from_env({"QUESTION_BANK": f" {one}, {two},{one}"}).bank == (one, two)
    assert f"names a file that is not there ({tmp_path / 'no.json'})" in error_for(
        QUESTION_BANK=f"{one},{tmp_path / 'no.json'}"
    )
    assert error_for(QUESTION_BANK="a\x00b").startswith("QUESTION_BANK ")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"),
        ("https://api.example.org/v1/", "https://api.example.org/v1/chat/completions"),
        (
            "https://api.example.org/v1/chat/completions",
            "https://api.example.org/v1/chat/completions",
        ),
        (
            "https://example.org/x?api-version=2#part",
            "https://example.org/x/chat/completions?api-version=2",
        ),
    ],
)
def test_the_address_of_the_model_service(text: str, address: str) -> None:
    """The base URL and the full URL are both accepted."""
    assert Settings.from_env({"GRADER_MODEL": "m", "GRADER_URL": f" {text} "}).grader_url == address


def test_shards() -> None:
    """Shard ids are read with or without spaces, deduplicated and sorted."""
    env = {"SHARD_COUNT": "4", "SHARD_IDS": " 3, 1,1 ", "DATABASE_URL": "postgresql://h/n"}
    settings = Settings.from_env(env)
    assert (settings.shard_count, settings.shard_ids) == (4, (1, 3))


@given(st.dictionaries(st.sampled_from(documented()), st.text(max_size=20)))
def test_any_environment_gives_settings_or_one_error(env: dict[str, str]) -> None:
    """Any environment gives settings, or an error that names a variable and has an example."""
    try:
        said = repr(Settings.from_env(env))
    except SettingsError as error:
        said = str(error)
    assert re.match(r"Settings\(|[A-Z0-9_]+ .*\. Example: [A-Z0-9_]+=", said, re.S)


# ------------------------------------------------------------------ secrets

SECRET = "hunter2-very-secret"


@pytest.mark.parametrize(
    "env",
    [
        {"DISCORD_TOKEN": SECRET},
        {"DATABASE_URL": f"postgres://user:{SECRET}@host/name"},
        {"DATABASE_URL": f"postgres://host/name?user=user&password={SECRET}"},
        {"GRADER_URL": f"https://h/v1?key={SECRET}", "GRADER_MODEL": "m"},
    ],
)
def test_secrets_are_not_in_the_repr(env: dict[str, str]) -> None:
    """The repr of the settings shows neither the token nor a password or key in an address."""
    settings = Settings.from_env(env)
    assert SECRET not in repr(settings)
    assert SECRET not in f"{settings} {settings.database} {settings.database!r}"


def test_every_secret_field_is_out_of_the_repr() -> None:
    """Every setting with token, key, secret or password in its name is excluded from the repr."""
    fields = {f.name: f.repr for f in dataclasses.fields(Settings)}
    assert fields["token"] is False
    assert not [
        name
        for name, seen in fields.items()
        if seen and re.search("token|key|secret|password", name)
    ]


# ------------------------------------------------------------------ .env and its example


def test_every_setting_is_documented() -> None:
    """Each field of Settings has its variable in .env.example exactly once."""
    fields = sorted(VARIABLES.get(name, name.lower()) for name in documented())
    assert fields == sorted(field.name for field in dataclasses.fields(Settings))


def test_everything_documented_is_a_setting() -> None:
    """.env.example and the bot have the same variables."""
    assert set(documented()) == variables_read()


def test_the_example_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unchanged example gives the defaults, and so it does with all lines uncommented.

    Only QUESTION_BANK is an exception, because it names a file.
    """
    for name in documented():
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".env"
    file.write_text(EXAMPLE)
    assert Settings.from_env(load_environment(file)) == DEFAULTS
    file.write_text(re.sub(r"^# ([A-Z0-9_]+=)", r"\1", EXAMPLE, flags=re.MULTILINE))
    monkeypatch.chdir(ROOT)
    everything = Settings.from_env(load_environment(file))
    assert dataclasses.replace(everything, bank=()) == DEFAULTS
    assert everything.bank == (Path("data/questions.json"),)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable in the environment overrides the one in .env of the folder that the bot runs in."""
    (tmp_path / ".env").write_text(
        "LOG_LEVEL=DEBUG\nLOG_FORMAT=json\nexport SHARD_COUNT='4'\nALONE"
    )
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    monkeypatch.chdir(tmp_path)
    env = load_environment()
    assert (env["LOG_LEVEL"], env["LOG_FORMAT"], env["SHARD_COUNT"]) == ("ERROR", "json", "4")
    assert "ALONE" not in env
    assert "LOG_FORMAT" not in load_environment(tmp_path / "no.env")


# ------------------------------------------------------------------ the failed start


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with bare_environment(tmp_path, monkeypatch):
        yield monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUESTION_BANK", "no\nsuch\nfile"),
        ("DATABASE_URL", "mysql://u:hunter2@h/n"),
    ],
)
def test_a_wrong_setting_is_one_line_and_code_2(
    name: str, value: str, bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid setting prints one line on standard error that names it, and exits with 2."""
    bare.setenv(name, value)
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(name)
    assert "hunter2" not in err


def test_a_start_without_a_token(
    bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a token, one line says where to get it and how to try the bot without, and exits with
    2.
    """
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("DISCORD_TOKEN is missing")
    assert "python -m bot play" in err


@pytest.mark.parametrize(
    ("address", "key", "openly"),
    [
        ("http://models.example.com/v1", "k", True),
        ("http://192.168.1.5:11434/v1", "k", True),
        ("http://models.example.com/v1", "", False),
        ("https://models.example.com/v1", "k", False),
        ("http://127.0.0.1:11434/v1", "k", False),
        ("http://[::1]:11434/v1", "k", False),
        ("http://localhost:11434/v1", "k", False),
    ],
)
def test_a_key_without_encryption(address: str, key: str, openly: bool) -> None:
    """Sending a key to another machine over plain HTTP is detected."""
    settings = Settings.from_env(
        {"GRADER_URL": address, "GRADER_MODEL": "m", "GRADER_API_KEY": key}
    )
    assert settings.sends_key_openly is openly


# ------------------------------------------------------------------ what each one changes

CHANGES = {
    "BACKUP_EVERY": ("6", "backups"),
    "BACKUP_KEEP": ("2", "backups"),
    "DATABASE_CONNECTIONS": ("4", "connections"),
    "DATABASE_URL": ("sqlite:///other.db", "database"),
    "DISCORD_TOKEN": ("another", "token"),
    "ERASE_AFTER_DAYS": ("7", "erasure"),
    "GRADER_API_KEY": ("key", "grader"),
    "GRADER_MODEL": ("another", "grader"),
    "GRADER_URL": ("http://127.0.0.1:2/v1", "grader"),
    "HEALTH_HOST": ("127.0.0.2", "health"),
    "HEALTH_PORT": ("8081", "health"),
    "LOG_FORMAT": ("json", "format"),
    "LOG_LEVEL": ("ERROR", "level"),
    "MIGRATE": ("yes", "migrates"),
    "QUESTION_BANK": (str(ROOT / "data" / "modern-practice.json"), "topics"),
    "SHARD_COUNT": ("4", "shards connected"),
    "SHARD_IDS": ("1", "shards connected"),
}
"""Another value of each setting, and what it changes in the bot as `started` sees it."""
BESIDE = {
    "BACKUP_EVERY": "12",
    "DISCORD_TOKEN": "one",
    "GRADER_MODEL": "one",
    "GRADER_URL": "http://127.0.0.1:1/v1",
    "HEALTH_PORT": "8080",
    "SHARD_COUNT": "3",
    "SHARD_IDS": "0,1,2",
}
"""Settings of all starts, which others need."""


def started(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Start the bot with these settings up to its login; return what came of them."""
    found: dict[str, Any] = {}

    async def start(bot: QuizBot, token: str) -> None:
        services = cast(Services, bot.features)
        model = cast(ModelService, services.grading._verifier)
        found["grader"] = (model._url, model.name, model._session.headers.get("Authorization"))
        found["token"] = token
        found["shards"] = bot.context.shards
        found["connected"] = (bot.shard_count, bot.shard_ids)
        found["erasure"] = services.privacy._after
        found["topics"] = len(bot.context.banks.packs.topics)
        found["level"] = logging.getLogger().level
        found["format"] = type(logging.getLogger().handlers[0].formatter)

    @asynccontextmanager
    async def serve(_bot: QuizBot, settings: Settings, backups: Any) -> AsyncIterator[None]:
        found["health"] = (settings.health_host, settings.health_port)
        found["backups"] = backups and (backups.every, backups._keep)
        yield

    def open_noted(url: Any, **options: Any) -> Any:
        found["database"] = str(url)
        found["migrates"] = options["may_migrate"]
        found["connections"] = options["connections"]
        file = sqlite_file(url) or "other.db"
        return opened_database(database_url(f"sqlite:///{file}"), **options)

    with monkeypatch.context() as patch:
        patch.setattr(QuizBot, "start", start)
        patch.setattr(health, "serving", serve)
        patch.setattr(app, "opened_database", open_noted)
        for name, text in env.items():
            patch.setenv(name, text)
        assert main([]) == 0
    return found


def test_every_setting_changes_something(
    bare: pytest.MonkeyPatch, migrated: Path, tmp_path: Path
) -> None:
    """Another value of a setting reaches what uses it, and changes nothing else."""
    assert set(CHANGES) == set(documented())
    for name in ("var/quizformer.db", "other.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(migrated, tmp_path / name)
    # a SQLite file leaves no shards to other processes
    places: list[dict[str, str]] = [{}, {"DATABASE_URL": "postgresql://host/name"}]
    befores = [started({**BESIDE, **place}, bare) for place in places]
    for variable, (value, changed) in CHANGES.items():
        shared = variable.startswith("SHARD")
        before = befores[shared]
        after = started({**BESIDE, **places[shared], variable: value}, bare)
        assert [key for key in before if before[key] != after[key]] == changed.split(), variable
