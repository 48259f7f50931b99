"""Log lines as text and JSON, without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from bot.chat import client
from bot.config import Settings
from bot.core import counters
from bot.logs import set_up_logging
from tests.errors import Unprintable

TOKEN = "MTA4-token.value_of-discord"
PASSWORD = "hunter2-password"
NOISY = ("discord", "discord.http", "alembic", "sqlalchemy")


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Restore the loggers after each test."""
    loggers = [logging.getLogger(name) for name in ("", *NOISY)]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


def settings_with(
    log_format: str = "text",
    *,
    password: str | None = PASSWORD,
    level: int = logging.INFO,
) -> Settings:
    url = URL.create(
        "postgresql+asyncpg", username="quiz", password=password, host="host", database="name"
    )
    return Settings(token=TOKEN, database=url, log_format=log_format, log_level=level)


def line(message: object, *args: object, error: BaseException | None = None) -> str:
    """Format a message with the configured handler."""
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("bot.some", logging.WARNING, __file__, 1, message, args, info)
    return logging.root.handlers[0].format(record)


def failed_at(number: int) -> BaseException:
    """Return one of two errors of one type."""
    try:
        if number % 2:
            raise RuntimeError("odd")
        raise RuntimeError("even")
    except RuntimeError as error:
        return error


def raised(message: str) -> BaseException:
    """Return an error with a traceback and a cause."""
    try:
        try:
            raise ValueError(f"cause: {message}")
        except ValueError as cause:
            raise RuntimeError(message) from cause
    except RuntimeError as error:
        return error


def test_text_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A text line on standard error has time, level, logger and message."""
    set_up_logging(settings_with())
    logging.getLogger("bot.some").info("posted %s of %s", 1, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(" INFO    bot.some: posted 1 of 2\n")
    datetime.strptime(err[:19], "%Y-%m-%d %H:%M:%S")


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A JSON line is one object with time in UTC, level, logger and message."""
    set_up_logging(settings_with("json"))
    logging.getLogger("bot.some").warning('two\nlines and "quotes" of %s', "Zoë")
    (written,) = capsys.readouterr().err.splitlines()
    parsed = json.loads(written)
    assert datetime.fromisoformat(parsed.pop("at")).utcoffset() is not None
    assert parsed == {
        "level": "WARNING",
        "logger": "bot.some",
        "message": 'two\nlines and "quotes" of Zoë',
    }


def test_errors_in_json() -> None:
    """A traceback is part of the same JSON object."""
    set_up_logging(settings_with("json"))
    written = line("failed", error=raised("no luck"))
    assert "\n" not in written
    assert "RuntimeError: no luck" in json.loads(written)["exception"]
    assert "ValueError: cause: no luck" in json.loads(written)["exception"]


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    """Messages below the level are dropped; libraries log from warnings up."""
    set_up_logging(settings_with(level=logging.DEBUG))
    logging.getLogger("bot.some").debug("own detail")
    for name in NOISY:
        logging.getLogger(name).info("their detail")
        logging.getLogger(f"{name}.part").warning("their warning")
    written = capsys.readouterr().err
    assert "own detail" in written
    assert "their detail" not in written
    assert written.count("their warning") == len(NOISY)
    set_up_logging(settings_with(level=logging.ERROR))
    logging.getLogger("bot.some").warning("too quiet")
    logging.getLogger("discord").warning("too quiet")
    assert client.count_refusal in logging.getLogger("discord.http").filters
    refused = counters.rate_limited.value
    logging.getLogger("discord.http").warning("We are being rate limited. %s", "GET")
    assert counters.rate_limited.value == refused + 1
    assert capsys.readouterr().err == ""


def test_setting_up_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Configuring logging twice doesn't duplicate lines."""
    set_up_logging(settings_with())
    set_up_logging(settings_with())
    logging.getLogger("bot.some").warning("once")
    assert capsys.readouterr().err.count("once") == 1


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("secret", [TOKEN, PASSWORD])
def test_secrets_never_reach_a_line(log_format: str, secret: str) -> None:
    """Token and password are removed from messages, their arguments and tracebacks."""
    set_up_logging(settings_with(log_format))
    for written in (
        line(f"before {secret} after"),
        line("before %s after", secret),
        line("before %r after", {"header": f"Bot {secret}"}),
        line("before after", error=raised(f"refused {secret}!")),
    ):
        assert secret not in written
        assert "***" in written
        assert "before" in written
        assert "after" in written


signs = st.text(
    st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=1, max_size=12
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=signs, before=st.text(max_size=10), after=st.text(max_size=10))
@example(password="message", before="", after="")
@example(password="at", before="", after="")
@example(password='":', before="", after="")
def test_json_lines_parse_whatever_the_password_is(password: str, before: str, after: str) -> None:
    """With any password, each line parses and no text in it contains the password."""
    assume(not any(0xD800 <= ord(c) < 0xE000 for c in before + after))
    set_up_logging(settings_with("json", password=password))
    parsed = json.loads(line("%s", before + password + after))
    assert {"at", "level", "logger", "message"} == set(parsed)
    assert password not in parsed["message"]


def test_secrets_of_the_model_service() -> None:
    """Its key and the query of its URL never appear in a line."""
    set_up_logging(
        Settings(grader_url="https://example.org/v1?key=abc123", grader_api_key="sk-secret-key")
    )
    said = line(
        "asked %s with %s",
        "https://example.org/v1?key=abc123",
        "sk-secret-key",
        error=raised("sk-secret-key"),
    )
    assert "sk-secret-key" not in said
    assert "abc123" not in said
    assert "https://example.org/v1" in said


def test_a_message_can_not_forge_a_line() -> None:
    """Line breaks and control characters in messages and errors are escaped."""
    set_up_logging(settings_with())
    forged = "odd\n2026-12-01 00:00:00 INFO    bot: all is done\x1b[2J\u2028x"
    assert len(line("%s was refused", forged).splitlines()) == 1
    assert r"odd\n2026" in line("%s was refused", forged)
    shown = line("failed", error=raised(forged))
    assert all(part.startswith("  ") for part in shown.splitlines()[1:])
    assert shown.replace("\n", "").isprintable()


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the first words after the logger's name of each line that was written since the last call."""
    return [line.partition("bot.some: ")[2] for line in capsys.readouterr().err.splitlines()]


AWAY = OperationalError("SELECT 1", None, ConnectionRefusedError("refused"))


def failed_for(cause: BaseException) -> BaseException:
    """Return an error whose cause is another one."""
    error = RuntimeError("a step failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_lines_about_an_outage(capsys: pytest.CaptureFixture[str], level: int) -> None:
    """However a line names an error of a database that is away, it is only written at DEBUG, unless
    it has an id that a member reads.
    """
    set_up_logging(settings_with(level=level))
    log = logging.getLogger("bot.some")
    log.error("work failed", exc_info=failed_for(AWAY))
    log.warning("it failed: %r; again in %.0f s", AWAY, 2)
    assert (capsys.readouterr().err != "") == (level == logging.DEBUG)
    log.warning("it failed: %r", LookupError("a fault of the bot's"))
    log.error("error %s in %s", "d4e5f6", "/quiz", exc_info=AWAY)
    log.error("error %s in %s", "a1b2c3", "/quiz", exc_info=failed_for(LookupError("x")))
    written = capsys.readouterr().err
    assert "a fault of the bot's" in written
    assert "error a1b2c3 in /quiz" in written
    assert "error d4e5f6 in /quiz" in written
    assert "LookupError: x" in written


def test_what_repeats_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten lines of a kind are written in a minute, and then their number; lines with an id are all
    written, without more than three tracebacks of a fault. Other kinds and INFO are not concerned.
    """
    now = 1_800_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    monkeypatch.setattr("time.time_ns", lambda: int(now * 1e9))
    set_up_logging(settings_with())
    log = logging.getLogger("bot.some")
    for number in range(100):
        log.warning("row %s failed", number)
        log.info("posted %s", number)
        log.error("error %s in %s", number, "/quiz", exc_info=failed_at(number))
        log.error(f"Task exception was never retrieved\nfuture: {number}")
    log.warning("another row failed")
    written = capsys.readouterr().err
    assert written.count(" failed\n") == 11
    assert written.count("posted ") == 100
    assert written.count("never retrieved") == 10
    assert written.count(" in /quiz") == 100
    assert written.count("Traceback") == 2 * 3
    assert "error 99 in /quiz (RuntimeError: odd)\n" in written
    now += 60
    log.info("the next minute")
    assert log_lines(capsys) == [
        "left out of the minute before, 90 more lines like: row %s failed",
        "left out of the minute before, 90 more lines like: Task exception was never retrieved",
        "the next minute",
    ]
    log.warning("row %s failed", 100)
    assert log_lines(capsys) == ["row 100 failed"]


def test_an_error_without_words_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """If an error can't even be shown, the caller that logs it doesn't fail."""
    set_up_logging(settings_with())
    for _ in range(5):
        logging.getLogger("bot.some").error("odd", exc_info=Unprintable())
    assert "odd" in capsys.readouterr().err
