"""`python -m bot` for an operator: exit codes, one-line errors, backup and restore."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from bot import __version__
from bot.__main__ import main
from bot.core.migrate import HEAD
from bot.core.sqlite import why_unwritable
from tests.environment import bare_environment
from tests.ours import own_item
from tests.patience import PATIENCE
from tests.shipped import first_topic

ROOT = Path(__file__).parents[1]
_DATABASE_FAILS = """
import sys
from sqlalchemy.exc import OperationalError
from bot.__main__ import main
from bot.chat.client import QuizBot
async def start(bot, token):
    raise OperationalError("UPDATE", None, OSError("database is locked"))
QuizBot.start = start
sys.exit(main([]))
"""

_HANGS_AT_THE_END = """
import asyncio, os, signal, sys, time
from bot import __main__ as program
from bot.chat.client import QuizBot
from bot.core.computing import compute, in_thread
from bot.core.database import DatabaseBroken
program._LONGEST_END = 0.5
async def start(bot, token):
    tasks = [asyncio.create_task(run(time.sleep, 1000)) for run in ({threads})]
    await asyncio.sleep(0)  # the threads have begun
    if {broken}:
        bot.context.database.broken.set_exception(DatabaseBroken("the disk is gone"))
    os.kill(os.getpid(), signal.SIGTERM)
    if tasks:
        await asyncio.sleep(1000)
    time.sleep(1000)
QuizBot.start = start
sys.exit(program.main([]))
"""

_ENDED_BY_A_SIGNAL = """
import asyncio, os, signal, sys
from bot.__main__ import main
from bot.chat.client import QuizBot
async def start(bot, token):
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(1000)
QuizBot.start = start
sys.exit(main([]))
"""

_START = "import sys; from bot.__main__ import main; sys.exit(main([]))"

_WAITS_FOR_A_COPY = """
import asyncio, os, sys, time
from pathlib import Path
from bot.__main__ import main
from bot.chat.client import QuizBot
from bot.core import backup
backup._LOOK_SECONDS = 0.01
async def start(bot, token):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        await asyncio.sleep(0.05)
        if list(Path("backups").glob("quiz-*.db")) or not os.environ["BACKUP_EVERY"]:
            return
QuizBot.start = start
sys.exit(main([]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path for a database."""
    return tmp_path / "quiz.db"


@pytest.fixture
def ready(file: Path, migrated: Path) -> Path:
    """Create an empty database with the newest schema."""
    shutil.copyfile(migrated, file)
    return file


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def line(self) -> str:
        """The only line on standard error."""
        (line,) = self.stderr.splitlines()
        return line


class Run(Protocol):
    def __call__(self, *arguments: str, **env: str) -> Done: ...


@pytest.fixture
def run(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Return a function that runs a command on the database in this process."""

    def run_here(*arguments: str, **env: str) -> Done:
        with monkeypatch.context() as patch:
            for name, value in {"DATABASE_URL": f"sqlite:///{file}", **env}.items():
                patch.setenv(name, value)
            code = main(arguments)
        return Done(code, *capsys.readouterr())

    with bare_environment(file.parent, monkeypatch):
        yield run_here


def run_program(file: Path, code: str, *arguments: str, **env: str) -> Done:
    """Run a program in a process of its own, in a folder without a .env file."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=file.parent,
        env={**known, "PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{file}", **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def version(file: Path) -> str:
    with closing(sqlite3.connect(file)) as conn:
        return str(conn.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_the_command_line_loads_little(file: Path) -> None:
    """SQLAlchemy comes when the collector is off, and `--help` needs neither it nor discord.py."""
    program = "import sys, bot.__main__; print({'sqlalchemy', 'discord'} & set(sys.modules))"
    assert run_program(file, program).stdout.strip() == "set()"


def test_a_new_database_is_private(run: Run, file: Path) -> None:
    """No other account may read it, whatever the umask was before the start."""
    assert run("migrate").returncode == 0
    assert file.stat().st_mode & 0o077 == 0


def test_a_newer_database_is_refused(run: Run, ready: Path) -> None:
    """A database of a newer version ends the start with one line and exit code 2, untouched."""
    with closing(sqlite3.connect(ready)) as conn, conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    done = run(DISCORD_TOKEN="token")
    assert done.returncode == 2
    line = done.line
    assert "9999" in line
    assert "update Quizformer" in line
    assert version(ready) == "9999"


def test_a_file_that_is_not_a_database(run: Run, file: Path) -> None:
    """A file of garbage ends the start with one line and exit code 2, untouched."""
    file.write_bytes(b"not a database, but long enough to look at " * 100)
    before = file.read_bytes()
    done = run(DISCORD_TOKEN="token")
    assert done.returncode == 2
    assert "not a database" in done.line
    assert file.read_bytes() == before


def test_a_database_that_is_read_only(run: Run, ready: Path) -> None:
    """A read-only database ends the start with one line that says so."""
    done = run(DISCORD_TOKEN="token", DATABASE_URL=f"sqlite:///file:{ready}?mode=ro&uri=true")
    assert done.returncode == 2
    assert "readonly" in done.line


def test_a_folder_that_may_not_be_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says which account may not write where, whether the database exists or not."""
    allowed = os.access
    for place in (file.parent, file):
        monkeypatch.setattr(
            os, "access", lambda path, mode, _no=place: path != _no and allowed(path, mode)
        )
        problem = why_unwritable(file)
        assert problem is not None
        assert problem.startswith(f"the account with uid {os.getuid()} may not write to {place}:")
        file.touch()
    assert why_unwritable(file.with_name("other.db")) is None
    monkeypatch.undo()
    assert why_unwritable(file) is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can drop its rights")
def test_a_folder_that_may_not_be_looked_into(file: Path) -> None:
    """The line is the same where the account may not even see whether the file is there."""
    program = (
        "import os, sys; import bot.app; from bot.__main__ import main; "
        "os.setgid(65534); os.setuid(65534); sys.exit(main(['migrate']))"
    )
    file.parent.chmod(0o700)
    for place in (file, file.parent / "deeper" / "quiz.db"):
        done = run_program(file, program, DATABASE_URL=f"sqlite:///{place}")
        assert done.returncode == 2
        assert ": the account with uid 65534 may not write to /" in done.line


def test_a_database_out_of_reach_may_come_back(run: Run) -> None:
    """A server that is down ends a start with 1, so that it is tried again; a wrong address with 2."""
    away = run("migrate", DATABASE_URL="postgresql://me:secret@127.0.0.1:1/name")
    assert away.returncode == 1
    assert "secret" not in away.line
    assert run("migrate", DATABASE_URL="mysql://me@127.0.0.1/name").returncode == 2


def test_a_second_process_is_refused(run: Run, ready: Path) -> None:
    """While a process uses a file, other starts and migrations are refused, but not reading."""
    held = """
import sys
from bot.core.processes import hold_file
held = hold_file(sys.argv[1])
print(flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", held, str(ready)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        for arguments in ((), ("migrate",)):
            second = run(*arguments, DISCORD_TOKEN="token")
            assert second.returncode == 1
            assert second.line.endswith(
                ": another Quizformer is running on this file: stop it first"
            )
        assert run("reports").stdout == "no reports\n"
        assert f"database: fine, schema {HEAD}" in run("check").stdout
        first.kill()
    assert run("migrate").returncode == 0


def test_a_backup_restores_what_was_there(run: Run, ready: Path, tmp_path: Path) -> None:
    """A backup made during writes is consistent and contains everything committed before it."""
    copy = tmp_path / "backups" / "copy.db"
    with closing(sqlite3.connect(ready)) as conn:
        conn.execute("INSERT INTO meta VALUES ('a', 'before')")
        conn.commit()
        conn.execute("INSERT INTO meta VALUES ('b', 'not committed')")
        done = run("backup", str(copy))
        assert done.returncode == 0, done.stderr
        assert (
            copy.stat().st_mode & 0o077 == 0
        )  # only the operator's account may read members' answers
        conn.commit()
    again = run("backup", str(copy))
    assert again.returncode == 1
    assert "already exists" in again.line

    ready.write_bytes(b"lost")
    for name in (f"{ready}-wal", f"{ready}-shm"):
        Path(name).unlink(missing_ok=True)
    refused = run("restore", str(copy))
    assert refused.returncode == 1
    assert "nothing was restored" in refused.line
    restored = run("restore", "--replace", str(copy))
    assert restored.returncode == 0
    first, second = restored.stdout.splitlines()
    assert first == f"{ready} is now {copy}: no answers, schema {HEAD}"
    kept = Path(second.removeprefix("the database that was there is kept as "))
    assert kept.read_bytes() == b"lost"
    assert run("migrate").returncode == 0
    with closing(sqlite3.connect(ready)) as conn:
        assert conn.execute("SELECT key, value FROM meta").fetchall() == [("a", "before")]


def test_a_running_bot_makes_backups(ready: Path) -> None:
    """With BACKUP_EVERY, `python -m bot` copies the database while it runs; else it doesn't."""
    for setting, copies in (("24", 1), ("", 0)):
        folder = ready.parent / "backups"
        shutil.rmtree(folder, ignore_errors=True)
        done = run_program(ready, _WAITS_FOR_A_COPY, DISCORD_TOKEN="token", BACKUP_EVERY=setting)
        assert done.returncode == 0, done.stderr
        assert len(list(folder.glob("quiz-*.db"))) == copies


def test_the_report_for_an_issue(run: Run, ready: Path) -> None:
    """`check --bundle` writes a new file, or prints the report; a file is not overwritten."""
    printed = run("check", "--bundle", "-", DISCORD_TOKEN="")
    assert printed.returncode == 0
    assert "question bank: fine" in printed.stdout
    assert run("check", "--bundle").returncode == 0
    assert "question bank: fine" in (ready.parent / "quizformer-report.txt").read_text("utf-8")
    (ready.parent / "quizformer-report.txt").write_text("mine")
    assert "name another file, or - to print it" in run("check", "--bundle").line
    assert (ready.parent / "quizformer-report.txt").read_text() == "mine"


def test_repair(run: Run, ready: Path) -> None:
    """`repair` rebuilds the totals from the log and prints how many answers it has."""
    with closing(sqlite3.connect(ready)) as conn, conn:
        conn.execute("INSERT INTO totals VALUES (1, '', 5, 9999)")
    done = run("repair")
    assert (done.returncode, done.stdout) == (
        0,
        "rebuilt the leaderboards' totals from 0 answers\n",
    )
    with closing(sqlite3.connect(ready)) as conn:
        assert conn.execute("SELECT count(*) FROM totals").fetchone() == (0,)


def test_a_database_that_fails_during_the_start(file: Path) -> None:
    """If the database fails during the start, one line and an exit code say to try again."""
    done = run_program(file, _DATABASE_FAILS, DISCORD_TOKEN="token")
    assert done.returncode == 1
    begun, line = done.stderr.splitlines()
    assert f"Quizformer {__version__}, schema {HEAD}, SQLite, shards: all, Python " in begun
    assert line == "the database failed, try again later: database is locked"


def test_a_signal_is_the_last_line(file: Path) -> None:
    """The log ends with the signal that ended the program."""
    done = run_program(file, _ENDED_BY_A_SIGNAL, DISCORD_TOKEN="token")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].endswith(" INFO    bot: stopped by SIGTERM")


@pytest.mark.parametrize(
    ("threads", "broken"), [("compute,", False), ("in_thread,", False), ("", False), ("", True)]
)
def test_what_hangs_does_not_keep_the_program_from_ending(
    file: Path, threads: str, broken: bool
) -> None:
    """After SIGTERM the program ends, whether a thread hangs or, without one, the event loop."""
    code = _HANGS_AT_THE_END.format(threads=threads, broken=broken)
    assert run_program(file, code, DISCORD_TOKEN="token").returncode == int(broken)


def test_backing_up_a_missing_database(run: Run, file: Path, tmp_path: Path) -> None:
    """Backing up a database that doesn't exist is refused and creates no file."""
    done = run("backup", str(tmp_path / "copy.db"))
    assert done.returncode == 1
    assert "there is no database" in done.line
    assert list(tmp_path.iterdir()) == []


def test_reports_are_printed_with_what_was_asked(run: Run, file: Path) -> None:
    """Reports are printed oldest first with question and answer, even of removed questions."""
    assert run("reports").stdout == "no reports\n"
    topic = first_topic()["sections"][0]["topics"][0]
    choice = next(i for i in topic["items"] if i["kind"] == "choice")
    right = next(c["text"] for c in choice["choices"] if c["correct"])
    reported = (
        (topic["id"], "Unclear.", 1),
        (choice["id"], "A typo\n\x1b]52;c;eA==\x07in it.", 2),
        ("gone", "Wrong.", 3),
    )
    mine = own_item(7, 1, topic["id"], prompt="Ours?")
    reports = [*reported, (mine.item_id, "Ours is odd.", 4)]
    with closing(sqlite3.connect(file)) as conn, conn:
        for item_id, text, day in reports:
            at = int(datetime(2026, 11, day, 9, 5, tzinfo=UTC).timestamp() * 1000)
            conn.execute(
                "INSERT INTO reports (user_id, item_id, text, at) VALUES (1, ?, ?, ?)",
                (item_id, text, at),
            )
        conn.execute("INSERT INTO server_banks (guild_id, mark) VALUES (7, 1)")
        columns = "(guild_id, number, name, topic_id, retired, size, content)"
        values = (7, 1, "mine", topic["id"], False, 1, mine.content)
        conn.execute(f"INSERT INTO own_items {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    assert run("reports").stdout.splitlines() == [
        f"2026-11-01 09:05 UTC  {topic['id']}",
        f"  open question: {topic['question']}",
        "  report: Unclear.",
        f"2026-11-02 09:05 UTC  {choice['id']}",
        f"  question: {choice['prompt']}",
        f"  right answer: {right}",
        "  report: A typo �]52;c;eA==�in it.",
        "2026-11-03 09:05 UTC  gone",
        "  question: not in this bank",
        "  report: Wrong.",
        f"2026-11-04 09:05 UTC  {mine.item_id}",
        "  question: Ours?",
        "  right answer: ours 0",
        "  report: Ours is odd.",
        "4 reports",
    ]
    assert run("reports", "--since", "2026-11-03").stdout.count("report:") == 2
    with pytest.raises(SystemExit, match="2"):
        run("reports", "--since", "yesterday")


def test_a_bank_that_was_good_once_is_checked_again_when_it_changes(
    file: Path, tmp_path: Path
) -> None:
    """A start skips checking a bank only if its bytes are the ones checked before."""
    bank = tmp_path / "bank.json"
    bank.write_text(json.dumps(first_topic()), "utf-8")
    settings = {
        "DISCORD_TOKEN": "token",
        "QUESTION_BANK": str(bank),
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    for _ in range(2):
        assert "could not reach Discord" in run_program(file, _START, **settings).stderr
    bank.write_text(bank.read_text("utf-8").replace('"difficulty": 1', '"difficulty": 9'), "utf-8")
    done = run_program(file, _START, **settings)
    assert done.returncode == 2
    assert "QUESTION_BANK" in done.line
