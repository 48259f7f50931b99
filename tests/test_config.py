"""Settings: valid and invalid values, secrets kept hidden, and all of them documented."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.__main__ import main
from bot.config import (
    DEFAULT_DATABASE,
    Settings,
    SettingsError,
    database_url,
    load_environment,
    sqlite_file,
)

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
VARIABLES = {"token": "DISCORD_TOKEN", "database": "DATABASE_URL", "bank": "QUESTION_BANK"}
"""Fields of Settings with a differently named variable."""
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
    assert (settings.token, settings.bank) == ("", ())
    assert (settings.log_level, settings.log_format) == (logging.INFO, "text")
    assert settings.database.render_as_string() == "sqlite+aiosqlite:///var/quizformer.db"


def test_the_token() -> None:
    """The token is read without surrounding whitespace."""
    assert Settings.from_env({"DISCORD_TOKEN": " MTA4.abc-d_e "}).token == "MTA4.abc-d_e"


@pytest.mark.parametrize("token", ["MTA4 abc", "MTA4\nabc", "MTA4\tabc"])
def test_a_token_with_space_inside(token: str) -> None:
    """A token with whitespace inside is refused, without repeating it."""
    line = error_for(DISCORD_TOKEN=token)
    assert line.startswith("DISCORD_TOKEN has a space or line break in it. Example: ")
    assert "MTA4" not in line


def test_a_token_with_discords_prefix() -> None:
    """A token with "Bot " in front of it is accepted without that word."""
    assert Settings.from_env({"DISCORD_TOKEN": "Bot MTA4.abc"}).token == "MTA4.abc"


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:///var/quizformer.db", "sqlite+aiosqlite"),
        ("sqlite:////srv/quiz.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///quiz.db", "sqlite+aiosqlite"),
        ("postgres://user:secret@host:5432/name", "postgresql+asyncpg"),
        ("postgresql://user:secret@host/name", "postgresql+asyncpg"),
        ("postgresql+asyncpg://user@host/name", "postgresql+asyncpg"),
    ],
)
def test_database_addresses(text: str, driver: str) -> None:
    """Database URLs get the driver that the bot uses and keep everything else."""
    url = Settings.from_env({"DATABASE_URL": f" {text} "}).database
    assert url.drivername == driver
    assert url.render_as_string(hide_password=False).partition("://")[2] == text.partition("://")[2]


def test_libpq_options_in_an_address() -> None:
    """libpq's options are translated for asyncpg, or dropped where it needs none."""
    url = database_url("postgres://u:p@host/name?sslmode=require&channel_binding=require")
    assert dict(url.query) == {"ssl": "require"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quizformer.db", "is not a database address"),
        ("postgres://user:hunter2@host:port/name", "is not a database address"),
        ("sqlite://", "names no file, so a restart would lose everything"),
        ("sqlite:///:memory:", "names no file, so a restart would lose everything"),
        ("mysql://user:hunter2@host/name", "asks for mysql, which is not supported"),
    ],
)
def test_wrong_database_addresses(text: str, words: str) -> None:
    """Other databases and SQLite in memory are refused with an example, without a password."""
    line = error_for(DATABASE_URL=text)
    assert line.startswith(
        f"DATABASE_URL {words}. Example: DATABASE_URL=sqlite:///var/quizformer.db"
    )
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "text", ["sqlite:///file::memory:?uri=true", "sqlite:///file:x?mode=memory&uri=true"]
)
def test_other_spellings_of_a_database_in_memory(text: str) -> None:
    """SQLite's other spellings of a database in memory are refused too."""
    assert error_for(DATABASE_URL=text).startswith("DATABASE_URL ")


def test_another_driver_of_postgresql() -> None:
    """The message about PostgreSQL with an unsupported driver names the driver."""
    try:
        said = database_url("postgresql+psycopg2://u:p@host/name").drivername
    except SettingsError as error:
        said = str(error)
    assert "asks for postgresql, which is not supported" not in said
    assert "asyncpg" in said or "psycopg2" in said


def test_a_bank_file(tmp_path: Path) -> None:
    """A question bank must be an existing file."""
    file = tmp_path / "bank.json"
    file.write_text("{}")
    assert Settings.from_env({"QUESTION_BANK": f" {file} "}).bank == (file,)
    assert error_for(QUESTION_BANK=str(tmp_path / "no.json")).startswith(
        f"QUESTION_BANK names a file that is not there ({tmp_path / 'no.json'}). Example: "
    )
    assert "names a file that is not there" in error_for(QUESTION_BANK=str(tmp_path))


def test_several_bank_files(tmp_path: Path) -> None:
    """Several files are separated by commas. Each must exist, and duplicates count once."""
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text("{}")
    two.write_text("{}")
    assert Settings.from_env({"QUESTION_BANK": f"{one}, {two},{one}"}).bank == (one, two)
    assert f"names a file that is not there ({tmp_path / 'no.json'})" in error_for(
        QUESTION_BANK=f"{one},{tmp_path / 'no.json'}"
    )


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
    settings = Settings.from_env(
        {"GRADER_URL": f" {text} ", "GRADER_MODEL": "m", "GRADER_API_KEY": "Bearer sk-1"}
    )
    assert (settings.grader_url, settings.grader_model, settings.grader_api_key) == (
        address,
        "m",
        "sk-1",
    )
    assert "sk-1" not in repr(settings)
    assert "example.org" not in repr(settings)


@pytest.mark.parametrize(
    "text",
    [
        "api.example.org/v1",
        "ftp://example.org",
        "https://",
        "https://[",
        "http://x:port",
        "https://a b/",
        "http:///v1",
    ],
)
def test_a_wrong_address_of_the_model_service(text: str) -> None:
    """Anything but a web address is refused with an example."""
    line = error_for(GRADER_URL=text, GRADER_MODEL="m")
    assert line.startswith(
        "GRADER_URL is not an address that starts with https:// or http://. Example: GRADER_URL=http://"
    )


def test_secrets_of_the_model_service_are_not_repeated() -> None:
    """A key in the URL is refused, and so is an invalid URL, without showing either."""
    for line in (
        error_for(GRADER_URL="https://user:hunter2@example.org", GRADER_MODEL="m"),
        error_for(GRADER_API_KEY="hunter2 hunter2"),
        error_for(GRADER_API_KEY="hunter2\x00"),
        error_for(GRADER_API_KEY="hunter2ä"),
    ):
        assert line.startswith("GRADER_")
        assert "hunter2" not in line


def test_the_model_needs_a_name() -> None:
    """A URL without a model is refused; a model without a URL is ignored."""
    assert error_for(GRADER_URL="http://127.0.0.1/v1").startswith(
        "GRADER_MODEL is missing; GRADER_URL needs it. Example: "
    )
    assert Settings.from_env({"GRADER_MODEL": "m"}).grader_url is None


def test_the_model_on_this_machine(tmp_path: Path) -> None:
    """Only one kind of model may be set. Whether the folder is there is seen when it is opened, so
    that a model can be fetched into it."""
    assert Settings.from_env({"NLI_MODEL": f" {tmp_path} "}).nli_model == tmp_path
    assert error_for(NLI_MODEL=str(tmp_path), GRADER_URL="http://h/v1", GRADER_MODEL="m") == (
        "NLI_MODEL and GRADER_URL are both set; keep one. Example: NLI_MODEL=var/nli-deberta-v3-xsmall"
    )


def test_the_hash_of_the_model() -> None:
    """NLI_SHA256 is 64 hexadecimal digits in any case."""
    assert Settings.from_env({"NLI_SHA256": f" {'aB' * 32} "}).nli_sha256 == "ab" * 32
    for text in ("ab" * 31, "ab" * 33, "xy" * 32, "１" * 64):
        assert error_for(NLI_SHA256=text).startswith(
            "NLI_SHA256 is not a SHA-256 in 64 hexadecimal digits. Example: "
        )


@pytest.mark.parametrize("name", ["x" * 300, "a\x00b"])
def test_a_bank_file_that_can_not_be(name: str) -> None:
    """A name that can't be a file is an ordinary invalid setting."""
    assert error_for(QUESTION_BANK=name).startswith("QUESTION_BANK ")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("DEBUG", logging.DEBUG),
        ("info", logging.INFO),
        (" Warning ", logging.WARNING),
        ("ERROR", logging.ERROR),
        ("CRITICAL", logging.CRITICAL),
    ],
)
def test_log_levels(text: str, level: int) -> None:
    """The five levels are accepted in any case."""
    assert Settings.from_env({"LOG_LEVEL": text}).log_level == level


@pytest.mark.parametrize("text", ["loud", "10", "NOTSET", "Logger", "basicConfig"])
def test_wrong_log_levels(text: str) -> None:
    """Anything else is refused with the list of levels."""
    assert error_for(LOG_LEVEL=text) == (
        f"LOG_LEVEL is {text!r} but must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL. Example: LOG_LEVEL=INFO"
    )


def test_log_formats() -> None:
    """ "text" and "json" are accepted in any case, and nothing else is."""
    assert Settings.from_env({"LOG_FORMAT": "JSON"}).log_format == "json"
    assert Settings.from_env({"LOG_FORMAT": "text"}).log_format == "text"
    assert error_for(LOG_FORMAT="xml") == (
        "LOG_FORMAT is 'xml' but must be one of text, json. Example: LOG_FORMAT=text"
    )


NUMBERS = [
    ("SHARD_COUNT", "shard_count", "16"),
    ("HEALTH_PORT", "health_port", "8080"),
]


@pytest.mark.parametrize(("variable", "field", "text"), NUMBERS)
def test_whole_numbers(variable: str, field: str, text: str) -> None:
    """A whole number is parsed; an empty value means unset."""
    assert getattr(Settings.from_env({variable: f" {text} "}), field) == int(text)
    assert getattr(Settings.from_env({variable: ""}), field) is None


@pytest.mark.parametrize("variable", [variable for variable, _, _ in NUMBERS])
@pytest.mark.parametrize(
    "text",
    ["0", "-1", "+1", "1.5", "1e3", "0x10", "1_000", "many", "²", "１", "9" * 25, "9" * 5_000],
)
def test_wrong_whole_numbers(variable: str, text: str) -> None:
    """Zero, signs, decimal points, other digits and numbers over 64 bits are refused with an
    example.
    """
    line = error_for(**{variable: text})
    assert line.startswith(f"{variable} is {text!r} but must be a whole number from 1")
    assert f"Example: {variable}=" in line


def test_days_until_servers_are_erased() -> None:
    """The default is thirty days, and there is no "never"."""
    assert Settings.from_env({}).erase_after_days == 30
    assert Settings.from_env({"ERASE_AFTER_DAYS": " 7 "}).erase_after_days == 7
    for days in ("0", "3651", "never"):
        line = f"ERASE_AFTER_DAYS is {days!r} but must be a whole number from 1 to 3650. Example: ERASE_AFTER_DAYS=30"
        assert error_for(ERASE_AFTER_DAYS=days) == line


def test_backups_and_migrations() -> None:
    """Both are off unless they are set. Hours and numbers of copies have limits."""
    settings = Settings.from_env({})
    assert (settings.backup_every, settings.backup_keep, settings.migrate) == (None, 7, False)
    settings = Settings.from_env({"BACKUP_EVERY": "6", "BACKUP_KEEP": "28", "MIGRATE": "Yes"})
    assert settings.backup_every == timedelta(hours=6)
    assert (settings.backup_keep, settings.migrate) == (28, True)
    assert error_for(BACKUP_EVERY="daily") == (
        "BACKUP_EVERY is 'daily' but must be a whole number from 1 to 720. Example: BACKUP_EVERY=24"
    )
    assert error_for(BACKUP_KEEP="0").startswith("BACKUP_KEEP is '0' but must be a whole number")
    assert error_for(MIGRATE="true").startswith("MIGRATE is 'true' but must be one of no, yes.")


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


def test_the_largest_port() -> None:
    """A port is at most 65535."""
    assert Settings.from_env({"HEALTH_PORT": "65535"}).health_port == 65535
    assert error_for(HEALTH_PORT="65536").startswith(
        "HEALTH_PORT is '65536' but must be a whole number from 1 to 65535."
    )


def test_the_health_host() -> None:
    """Health checks listen on localhost unless another address is set."""
    assert Settings.from_env({}).health_host == "127.0.0.1"
    assert Settings.from_env({"HEALTH_HOST": " 0.0.0.0 "}).health_host == "0.0.0.0"


def test_shards() -> None:
    """Shard ids are read with or without spaces, deduplicated and sorted."""
    settings = Settings.from_env({"SHARD_COUNT": "4", "SHARD_IDS": " 3, 1,1 "})
    assert (settings.shard_count, settings.shard_ids) == (4, (1, 3))
    assert Settings.from_env({"SHARD_COUNT": "4"}).shard_ids is None


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"SHARD_IDS": "0"}, "SHARD_COUNT is missing; SHARD_IDS needs it"),
        (
            {"SHARD_IDS": "4", "SHARD_COUNT": "4"},
            "SHARD_IDS names shard 4, but SHARD_COUNT=4 has 0 to 3",
        ),
        (
            {"SHARD_IDS": "0-3", "SHARD_COUNT": "4"},
            "SHARD_IDS is '0-3' but must be numbers separated by commas",
        ),
        (
            {"SHARD_IDS": "0,", "SHARD_COUNT": "4"},
            "SHARD_IDS is '0,' but must be numbers separated by commas",
        ),
        (
            {"SHARD_IDS": "-1", "SHARD_COUNT": "4"},
            "SHARD_IDS is '-1' but must be numbers separated by commas",
        ),
        (
            {"SHARD_IDS": "x", "SHARD_COUNT": "4"},
            "SHARD_IDS is 'x' but must be numbers separated by commas",
        ),
    ],
)
def test_wrong_shards(env: dict[str, str], words: str) -> None:
    """Shard ids without a count, out of range or malformed are refused."""
    assert error_for(**env).startswith(f"{words}. Example: ")


@given(
    st.dictionaries(
        st.sampled_from(re.findall(r"^(?:# )?([A-Z0-9_]+)=", EXAMPLE, re.M)), st.text(max_size=20)
    )
)
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
    ],
)
def test_secrets_are_not_in_the_repr(env: dict[str, str]) -> None:
    """The repr of the settings shows neither the token nor a password."""
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


def test_settings_can_not_be_changed() -> None:
    """Settings can't be changed."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().log_level = 10  # type: ignore[misc]


# ------------------------------------------------------------------ .env and its example


class RecordingEnvironment(dict[str, str]):
    """An environment that records which variables are read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


def documented() -> list[str]:
    """Return the variables in .env.example, including commented-out ones."""
    return re.findall(r"^(?:# )?([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)


def test_every_setting_is_documented() -> None:
    """Each field of Settings has its variable in .env.example exactly once."""
    names = [
        VARIABLES.get(field.name, field.name.upper()) for field in dataclasses.fields(Settings)
    ]
    assert sorted(set(names) - set(documented())) == []
    assert len(set(documented())) == len(documented())


def test_everything_documented_is_a_setting() -> None:
    """.env.example and the bot have the same variables."""
    env = RecordingEnvironment()
    Settings.from_env(env)
    assert set(documented()) == env.asked


def test_every_variable_has_its_explanation() -> None:
    """Each variable in .env.example has a comment above it."""
    blocks = [
        block
        for block in EXAMPLE.split("\n\n")
        if re.search(r"^(?:# )?[A-Z0-9_]+=", block, re.MULTILINE)
    ]
    assert len(blocks) == len(documented())
    for block in blocks:
        *comment, _ = block.strip().splitlines()
        assert comment, block
        assert all(line.startswith("# ") for line in comment), block


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
    """A variable in the environment overrides the one in .env, which may be missing."""
    file = tmp_path / "some.env"
    file.write_text("LOG_LEVEL=DEBUG\nLOG_FORMAT=json\nexport SHARD_COUNT='4'\nNAME_ALONE\n")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    env = load_environment(file)
    assert (env["LOG_LEVEL"], env["LOG_FORMAT"], env["SHARD_COUNT"]) == ("ERROR", "json", "4")
    assert "NAME_ALONE" not in env
    assert "LOG_FORMAT" not in load_environment(tmp_path / "no.env")


def test_the_default_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name, .env in the folder that the bot runs in is read."""
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    (tmp_path / ".env").write_text("LOG_FORMAT=json\n")
    monkeypatch.chdir(tmp_path)
    assert load_environment()["LOG_FORMAT"] == "json"


# ------------------------------------------------------------------ the failed start


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A folder without .env and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in documented():
        monkeypatch.delenv(name, raising=False)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield monkeypatch
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "loud\nand clear"),
        ("QUESTION_BANK", "no\nsuch\nfile"),
        ("QUESTION_BANK", "x" * 300),
        ("DATABASE_URL", "mysql://u:hunter2@h/n"),
        ("SHARD_IDS", "1\n2"),
        ("HEALTH_PORT", "0"),
        ("DISCORD_TOKEN", "a b"),
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
    assert err.startswith((name, "SHARD_COUNT"))
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
