"""The command line: `python -m bot`."""

from __future__ import annotations

import _thread
import argparse
import asyncio
import gc
import logging
import os
import platform
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from bot import __version__
from bot.config import (
    Settings,
    SettingsError,
    Unavailable,
    database_url,
    load_environment,
    sqlite_file,
)

if TYPE_CHECKING:
    from bot.core.backup import RegularBackups


class StartError(Exception):
    """The program can't start. The message is one line for standard error."""


NO_TOKEN = (
    "DISCORD_TOKEN is missing: create an application at https://discord.com/developers/applications, copy the "
    "token of its bot and set DISCORD_TOKEN=... in the environment or in .env. "
    "To try Quizformer without one: python -m bot play"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    That is 0 after a clean end, 2 for wrong settings or input, and 1 if the start failed otherwise,
    so that another one may succeed.
    """
    options = _parser().parse_args(argv)
    os.umask(0o077)  # only its own account may read the databases and backups that it writes
    if options.run is _run:
        # Nothing that a start loads becomes garbage, and collecting it repeatedly takes a tenth of
        # the start. `tune_interpreter` turns collection on again.
        gc.disable()
    try:
        settings = Settings.from_env(load_environment())
        from bot.logs import set_up_logging

        set_up_logging(settings)
        with asyncio.Runner(loop_factory=_fast_loop() if options.run is _run else None) as runner:
            return int(runner.run(options.run(settings, options)) or 0)
    except (SettingsError, StartError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        wrong = isinstance(error, SettingsError) and not isinstance(error, Unavailable)
        return 2 if wrong else 1
    except KeyboardInterrupt:
        return 130
    finally:
        gc.enable()


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory if it is installed.

    The playground doesn't use it, because of simcord.
    """
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="A quiz bot for study groups on Discord."
    )
    parser.add_argument("--version", action="version", version=f"Quizformer {__version__}")
    parser.set_defaults(run=_run)
    commands = parser.add_subparsers(title="commands", metavar="")
    commands.add_parser("run", help="run the bot (the default); needs DISCORD_TOKEN").set_defaults(
        run=_run
    )
    play = commands.add_parser(
        "play", help="try the bot in the browser on a simulated Discord; needs no token"
    )
    play.add_argument(
        "--port", type=int, help="port on 127.0.0.1 (default: the first free one from 8770 up)"
    )
    play.add_argument(
        "--database",
        type=Path,
        help="database to keep, with the messages in a file beside it (default: a temporary one)",
    )
    play.set_defaults(run=_play)
    words = "check settings, question bank, database and token"
    check = commands.add_parser("check", help=words)
    check.add_argument(
        "--bundle",
        type=Path,
        nargs="?",
        const=Path("quizformer-report.txt"),
        metavar="FILE",
        help="write what an issue report needs to a file, without secrets (-: print it)",
    )
    check.set_defaults(run=_check)
    _add_bank(commands.add_parser("bank", help="inspect a question bank: lint, show, stats"))
    reports = commands.add_parser(
        "reports", help="print what members reported as wrong, newest last"
    )
    reports.add_argument(
        "--since",
        type=date.fromisoformat,
        default=date.min,
        metavar="DATE",
        help="from this day on, in UTC: 2026-11-25",
    )
    reports.set_defaults(run=_reports)
    _add_database(commands)
    return parser


def _add_database(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = commands.add_parser(
        "backup", help="copy the SQLite database to a new file while the bot runs"
    )
    backup.add_argument("file", type=Path, help="the file to write")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser(
        "restore", help="put a copy of the SQLite database back; stop the bot first"
    )
    restore.add_argument("file", type=Path, help="the copy")
    restore.add_argument(
        "--replace",
        action="store_true",
        help="also if a database is there; it is kept under another name",
    )
    restore.set_defaults(run=_restore)
    words = "rebuild the leaderboards' totals from the log of answers"
    commands.add_parser("repair", help=words).set_defaults(run=_repair)
    migrate = commands.add_parser(
        "migrate", help="bring the database to this version's schema, or move it to another"
    )
    migrate.add_argument(
        "--from", dest="source", metavar="URL", help="move everything out of this database ..."
    )
    migrate.add_argument(
        "--to", dest="target", metavar="URL", help="... and into this one; stop the bot first"
    )
    migrate.set_defaults(run=_migrate)


def _add_bank(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_bank)
    actions = parser.add_subparsers(dest="action", required=True, metavar="lint|show|stats")
    lint = actions.add_parser("lint", help="list every problem with its line and how to fix it")
    lint.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="bank file (default: QUESTION_BANK, or all shipped packs)",
    )
    show = actions.add_parser("show", help="print an item as its card shows it, or a case")
    show.add_argument("id", help="the id of an item or a case")
    stats = actions.add_parser("stats", help="count topics and items by pack, kind and difficulty")
    for action in (show, stats):
        action.add_argument(
            "--file", type=Path, help="bank file (default: QUESTION_BANK, or all shipped packs)"
        )


async def _bank(settings: Settings, options: argparse.Namespace) -> int:
    from bot.authoring import commands as authoring
    from bot.questions.bank import cases_file, pack_files

    paths = [options.file] if options.file else list(settings.bank)
    if options.action == "lint":
        return authoring.lint_files(paths or [*pack_files(), cases_file()])
    if options.action == "show":
        authoring.show(paths, options.id)
    else:
        authoring.stats(paths)
    return 0


async def _reports(settings: Settings, options: argparse.Namespace) -> None:
    from bot.app import IN_PLAY, opened
    from bot.questions.banks import Banks
    from bot.questions.service import print_reports
    from bot.questions.store import reports_since

    async with opened(settings, visiting=True) as (bank, database):
        since = datetime.combine(options.since, time(), UTC)
        reports = await database.read(reports_since, since)
        banks = Banks(bank, IN_PLAY.servers_of)
        known = await database.read(banks.holding, [report.item_id for report in reports])
        print_reports(known, reports)


async def _run(settings: Settings, _options: argparse.Namespace) -> None:
    if not settings.token:
        raise SettingsError(NO_TOKEN)
    import aiohttp
    import discord

    from bot.app import build_bot, opened
    from bot.core.database import DatabaseBroken, StorageError, is_away, is_slow
    from bot.core.errors import words_of
    from bot.core.processes import tune_interpreter, use_one_heap
    from bot.health import serving
    from bot.interviews.grading.chat_model import opened_verifier
    from bot.questions.formulas import drawing_formulas

    use_one_heap()
    async with (
        opened(settings) as (bank, database),
        opened_verifier(settings) as verifier,
        build_bot(settings, bank, database, verifier=verifier) as bot,
        drawing_formulas(bank, lambda: bot.wait_for("connect")),
    ):
        tune_interpreter()
        try:
            backups = _regular_backups(settings)
            async with _backing_up(backups), serving(bot, settings, backups):
                _log_start(settings)
                ended_by = await _until_signal(bot.start(settings.token), database.broken)
        except DatabaseBroken as error:
            raise StartError(str(error)) from error
        except StorageError as error:  # during the start; later ones are handled by their tasks
            if not (is_away(error) or is_slow(error)):
                raise
            raise StartError(f"the database failed, try again later: {words_of(error)}") from error
        except discord.LoginFailure as error:
            raise SettingsError.of(*_TOKEN_REFUSED) from error
        except discord.PrivilegedIntentsRequired as error:
            raise _closed(4014) from error
        except discord.ConnectionClosed as error:
            raise _closed(error.code) from error
        except (
            discord.HTTPException,
            discord.GatewayNotFound,
            aiohttp.ClientError,
            OSError,
        ) as error:
            raise StartError(
                f"could not reach Discord; try again later: {words_of(error)}"
            ) from error
    logging.getLogger("bot").info("stopped by %s", ended_by)


def _log_start(settings: Settings) -> None:
    from bot.core.migrate import HEAD

    count, ids = settings.shard_count, settings.shard_ids
    logging.getLogger("bot").info(
        "Quizformer %s, schema %s, %s, shards: %s, Python %s, process %s",
        __version__,
        HEAD,
        "PostgreSQL" if sqlite_file(settings.database) is None else "SQLite",
        "all" if ids is None else f"{', '.join(map(str, ids))} of {count}",
        platform.python_version(),
        os.getpid(),
    )


_TOKEN_REFUSED = (
    "DISCORD_TOKEN",
    "was refused by Discord; copy it again from the portal's Bot page",
    "MTA4...",
)


def _closed(code: int) -> Exception:
    """Return the error for a gateway close code that rules out reconnecting.

    See https://discord.com/developers/docs/topics/opcodes-and-status-codes.
    """
    match code:
        case 4004:
            return SettingsError.of(*_TOKEN_REFUSED)
        case 4010:
            return SettingsError.of(
                "SHARD_IDS", "does not fit SHARD_COUNT; set both or neither", "0,1"
            )
        case 4011:
            return SettingsError.of(
                "SHARD_COUNT", "is too small for this many servers; raise it or leave it out", "4"
            )
        case 4012 | 4013 | 4014:
            return StartError(
                f"Discord no longer takes connections of this kind ({code}): update Quizformer"
            )
    return StartError(f"Discord closed the connection for good ({code}): start the bot again later")


async def _play(settings: Settings, options: argparse.Namespace) -> None:
    if "LOG_LEVEL" not in os.environ:  # keep the address from being buried in log lines
        logging.getLogger().setLevel(logging.ERROR)
        logging.getLogger("discord").setLevel(logging.ERROR)
    try:
        from bot import playground
    except ImportError as error:
        raise StartError(str(error)) from error
    from bot.app import build_bot, opened

    try:
        listener = playground.listen(options.port)
    except (OSError, OverflowError) as error:
        reason = (
            os.strerror(error.errno or 0) if isinstance(error, OSError) else "there is no such port"
        )
        raise StartError(
            f"port {options.port or ''} can't be used ({reason}): try --port 0"
        ) from error
    with listener, tempfile.TemporaryDirectory(prefix="quizformer-") as folder:
        file = options.database or Path(folder) / "playground.db"
        keep = file.with_name(f"{file.name}.messages") if options.database else None
        if keep and not file.exists():  # they would be of another database
            keep.unlink(missing_ok=True)
        settings = replace(
            settings, database=database_url(f"sqlite:///{file}"), shard_count=1, shard_ids=None
        )
        # without a model service, so that nothing leaves the machine
        async with opened(settings) as (bank, database):
            bot = build_bot(settings, bank, database)
            bot.download = playground.download
            until = asyncio.Event()
            _at_signal(lambda _: until.set())
            taken = options.port is None and listener.getsockname()[1] != playground.PORT
            note = f"port {playground.PORT} is taken; " if taken else ""

            def announce(url: str) -> None:
                print(f"Quizformer is running at {url} ({note}Ctrl-C stops it)", flush=True)

            try:
                await playground.serve(
                    bot, listener=listener, announce=announce, until=until, keep=keep
                )
            finally:
                await bot.close()


async def _check(settings: Settings, options: argparse.Namespace) -> int:
    from bot.diagnosis import check, write_report

    if options.bundle is None:
        return await check(settings)
    file = None if str(options.bundle) == "-" else options.bundle
    return await write_report(settings, load_environment(), file)


async def _migrate(settings: Settings, options: argparse.Namespace) -> None:
    from bot.app import move, opened_database
    from bot.core.migrate import HEAD

    if options.source or options.target:
        if not (options.source and options.target):
            raise SettingsError("migrate needs both --from and --to, or neither")
        await move(database_url(options.source, "--from"), database_url(options.target, "--to"))
        return
    async with opened_database(settings.database):
        print(f"the database has schema {HEAD}")


async def _repair(settings: Settings, _options: argparse.Namespace) -> None:
    from bot.answers.totals import rebuild
    from bot.app import opened_database

    async with opened_database(settings.database, patient=True) as database:
        counted = await database.write(rebuild)
        print(f"rebuilt the leaderboards' totals from {counted:,} answers")


async def _backup(settings: Settings, options: argparse.Namespace) -> None:
    from bot.core.backup import BackupError, back_up
    from bot.core.computing import in_thread

    database = sqlite_file(settings.database)
    if database is None:
        raise StartError("backup is for SQLite; use pg_dump for PostgreSQL")
    try:
        size = await in_thread(back_up, database, options.file)
    except BackupError as error:
        raise StartError(f"no backup was made: {error}") from error
    print(f"{options.file}: {size:,} bytes, consistent and checked")


async def _restore(settings: Settings, options: argparse.Namespace) -> None:
    from bot.answers.store import describe
    from bot.core.processes import DatabaseInUse
    from bot.core.restore import RestoreError, restore

    database = sqlite_file(settings.database)
    if database is None:
        raise StartError("restore is for SQLite; use pg_restore for PostgreSQL")
    try:
        restored = restore(
            options.file, database, describe, now=datetime.now(UTC), replace=options.replace
        )
    except (RestoreError, DatabaseInUse) as error:
        raise StartError(f"nothing was restored: {error}") from error
    print(f"{database} is now {options.file}: {restored.contents}, schema {restored.schema}")
    if restored.kept is not None:
        print(f"the database that was there is kept as {restored.kept}")


def _regular_backups(settings: Settings) -> RegularBackups | None:
    if settings.backup_every is None:
        return None
    database = sqlite_file(settings.database)
    if database is None:
        logging.getLogger("bot").warning(
            "BACKUP_EVERY is for SQLite; the bot makes no backups of PostgreSQL: use pg_dump"
        )
        return None
    from bot.core.backup import RegularBackups

    return RegularBackups(database, settings.backup_every, settings.backup_keep)


@asynccontextmanager
async def _backing_up(backups: RegularBackups | None) -> AsyncIterator[None]:
    """Make copies while the block runs."""
    running = asyncio.create_task(backups.run()) if backups is not None else None
    try:
        yield
    finally:
        if running is not None:
            running.cancel()


async def _until_signal(work: Coroutine[object, object, None], broken: asyncio.Future[None]) -> str:
    """Run `work` until it ends or SIGTERM or SIGINT arrives; raise if the database breaks.

    Returns the signal's name.
    """
    task = asyncio.create_task(work)
    received: list[str] = []

    def stop(name: str) -> None:
        received.append(name)
        task.cancel()

    _at_signal(stop, at_once=partial(_end_later, broken))
    broken.add_done_callback(lambda _: task.cancel())
    with suppress(asyncio.CancelledError):
        await task
    if broken.done():
        broken.result()
    return received[0] if received else "its client"


_LONGEST_END = 4.5
"""Seconds from a signal to the end of the program, whatever hangs."""


def _end_later(broken: asyncio.Future[None]) -> None:
    """End this process in `_LONGEST_END`, even if the event loop or another thread still runs then.

    Acknowledged answers are stored, and each line of the log is written at once.
    """

    def end() -> None:
        sleep(_LONGEST_END)
        os._exit(1 if broken.done() else 0)

    # `threading` has locks, which the main thread may hold when a signal interrupts it
    _thread.start_new_thread(end, ())


def _at_signal(
    stop: Callable[[str], object], *, at_once: Callable[[], object] | None = None
) -> None:
    """Call `stop` in the running loop with the name of a SIGTERM or SIGINT that arrives.

    `at_once` is called even if the loop hangs.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, *_: object) -> None:
        if at_once is not None:
            at_once()
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop, signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


if __name__ == "__main__":
    sys.exit(main())
