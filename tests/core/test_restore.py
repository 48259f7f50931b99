"""`restore` puts a copy back whole, or changes nothing and says why."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.core.backup import back_up
from bot.core.migrate import HEAD
from bot.core.processes import DatabaseInUse, hold_file
from bot.core.restore import Restored, RestoreError, restore

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
KEPT = "quiz-replaced-2027-01-04T12-00-00Z.db"
LINKS = (
    *("quiz.db-lock", "quiz.db", "quiz.db.restoring", "quiz.db.restoring-wal", "quiz.db-wal"),
    *("quiz.db-journal", "quiz.db-shm", KEPT, f"{KEPT}-wal"),
    *("backups/copy.db", "backups/copy.db-wal"),
)
"""Files that `restore` reads or writes in the folder of the bot's account."""


def describe(conn: Connection) -> str:
    return " and ".join(conn.execute(text("SELECT value FROM meta ORDER BY value")).scalars())


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Path:
    """Return a database in use that says "now"."""
    file = tmp_path / "quiz.db"
    shutil.copyfile(migrated, file)
    say(file, "now")
    return file


@pytest.fixture
def copy(tmp_path: Path, migrated: Path) -> Path:
    """Return a backup that says "then"."""
    live = tmp_path / "live.db"
    shutil.copyfile(migrated, live)
    say(live, "then")
    file = tmp_path / "backups" / "copy.db"
    back_up(live, file)
    live.unlink()
    return file


def say(file: Path, word: str) -> None:
    with closing(sqlite3.connect(file)) as conn, conn:
        conn.execute("INSERT INTO meta VALUES (?, ?)", (word, word))


def said(file: Path) -> str:
    with closing(sqlite3.connect(file)) as conn:
        return " and ".join(
            value for (value,) in conn.execute("SELECT value FROM meta ORDER BY value")
        )


def put_back(copy: Path, database: Path, *, replace: bool = False) -> Restored:
    return restore(copy, database, describe, now=AT, replace=replace)


def test_a_copy_is_put_where_no_database_is(tmp_path: Path, copy: Path) -> None:
    """Without a database in use, the copy becomes it, and stays where it was."""
    target = tmp_path / "var" / "quiz.db"
    assert put_back(copy, target) == Restored("then", HEAD, None)
    assert (said(target), said(copy)) == ("then", "then")


def test_a_database_is_replaced_only_on_request(database: Path, copy: Path) -> None:
    """The refusal says what both hold; with `replace` the old database is kept under a name."""
    with pytest.raises(RestoreError) as refused:
        put_back(copy, database)
    message = str(refused.value)
    assert f"{database} is there already, with now; {copy} has then." in message
    assert "add --replace" in message
    assert "\n" not in message
    assert said(database) == "now"
    kept = put_back(copy, database, replace=True).kept
    assert kept == database.with_name(KEPT)
    assert (said(database), said(kept)) == ("then", "now")
    names = {file.name for file in database.parent.iterdir()}
    assert names == {"quiz.db", "quiz.db-lock", KEPT, "backups"}


def leave_log(file: Path, word: str) -> None:
    """Say something in a database so that it is only in its write-ahead log, as after a kill."""
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("INSERT INTO meta VALUES (?, ?)", (word, word))
        conn.commit()
        left = {path: path.read_bytes() for path in (file, Path(f"{file}-wal"))}
    for path, content in left.items():
        path.write_bytes(content)


def test_what_is_in_write_ahead_logs_counts(tmp_path: Path, database: Path, migrated: Path) -> None:
    """The logs of a copy made by hand and of the replaced database are taken into their files."""
    by_hand = tmp_path / "by-hand.db"
    shutil.copyfile(migrated, by_hand)
    leave_log(by_hand, "then")
    leave_log(database, "later")
    kept = put_back(by_hand, database, replace=True).kept
    assert kept is not None
    assert (said(database), said(kept)) == ("then", "later and now")


def test_a_damaged_database_is_replaced_and_kept(database: Path, copy: Path) -> None:
    """A damaged file is kept with its log, because somebody may still get data out of it."""
    database.write_bytes(b"not a database" * 100)
    Path(f"{database}-wal").write_bytes(b"a log")
    with pytest.raises(RestoreError, match="contents that can't be read"):
        put_back(copy, database)
    kept = put_back(copy, database, replace=True).kept
    assert kept is not None
    assert said(database) == "then"
    assert kept.read_bytes() == b"not a database" * 100
    assert Path(f"{kept}-wal").read_bytes() == b"a log"
    assert not Path(f"{database}-wal").exists()


def test_logs_without_a_database_are_not_read_into_the_copy(database: Path, copy: Path) -> None:
    """Logs of a database that somebody moved away are kept, and don't change the copy."""
    leave_log(database, "later")
    database.unlink()
    assert put_back(copy, database).kept is None
    assert said(database) == "then"
    assert database.with_name(f"{KEPT}-wal").exists()


def test_a_transaction_that_was_cut_off_is_rolled_back(
    tmp_path: Path, database: Path, copy: Path
) -> None:
    """A rollback journal is taken into the replaced database, and not into the copy."""
    program = f"""
import os, sqlite3
conn = sqlite3.connect({str(database)!r}, isolation_level=None)
conn.execute("PRAGMA journal_mode = DELETE")
conn.execute("PRAGMA cache_size = 1")
conn.execute("BEGIN")
conn.execute("UPDATE meta SET value = 'half'")
for n in range(3000):
    conn.execute("INSERT INTO meta VALUES (?, ?)", (str(n), "half" * 50))
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert Path(f"{database}-journal").exists()
    kept = put_back(copy, database, replace=True).kept
    assert kept is not None
    assert (said(database), said(kept)) == ("then", "now")
    assert not list(tmp_path.glob("*-journal"))


def test_a_database_that_another_program_reads(database: Path, copy: Path) -> None:
    """While its log can't be taken in, nothing is replaced, so no confirmed answer is lost."""
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("INSERT INTO meta VALUES ('more', 'more')")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM meta").fetchone()
        with pytest.raises(RestoreError, match="end every program that has it open"):
            put_back(copy, database, replace=True)
        assert not database.with_name(KEPT).exists()
    assert said(database) == "more and now"


def test_a_link_to_a_database(tmp_path: Path, database: Path, copy: Path) -> None:
    """The file that a link points to is the one that is locked, replaced and kept."""
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(database)
    with closing(hold_file(str(database))), pytest.raises(DatabaseInUse):
        put_back(copy, link, replace=True)
    assert put_back(copy, link, replace=True).kept == database.with_name(KEPT)
    assert link.is_symlink()
    assert said(database) == "then"


def test_without_hard_links(database: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no links, the old database is copied; a torn copy is removed."""

    def fail(*_: object) -> None:
        raise OSError("no links here")

    def tear(_source: Path, target: Path) -> None:
        target.write_text("half")
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "link", fail)
    with monkeypatch.context() as full:
        full.setattr(shutil, "copy2", tear)
        with pytest.raises(RestoreError, match="the disk is full"):
            put_back(copy, database, replace=True)
    assert not database.with_name(KEPT).exists()
    assert said(database) == "now"
    kept = put_back(copy, database, replace=True).kept
    assert kept is not None
    assert (said(database), said(kept)) == ("then", "now")


LINKS = (
    *("quiz.db-lock", "quiz.db", "quiz.db.restoring", "quiz.db.restoring-wal", "quiz.db-wal"),
    *(
        "quiz.db-journal",
        "quiz.db-shm",
        KEPT,
        f"{KEPT}-wal",
        "backups/copy.db",
        "backups/copy.db-wal",
    ),
)


@pytest.fixture
def theirs(database: Path, copy: Path) -> Iterator[Path]:
    """A folder of another account with a database and a copy, and next to it a file that only root may read."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        folder = place / "state"
        shutil.copytree(database.parent, folder)
        for file in (folder, *folder.rglob("*")):
            os.chown(file, 10001, 10002)
        secret = place / "secret.db"
        shutil.copyfile(copy, secret)
        say(secret, "secret")
        secret.chmod(0o600)
        yield folder


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_root_restores_for_the_bot(theirs: Path) -> None:
    """The account that owned the database owns everything that is there afterwards."""
    put_back(theirs / "backups" / "copy.db", theirs / "quiz.db", replace=True)
    assert said(theirs / "quiz.db") == "then"
    owners = {(file.stat().st_uid, file.stat().st_gid) for file in theirs.iterdir()}
    assert owners == {(10001, 10002)}
    assert os.geteuid() == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_root_that_may_not_act_for_the_bot(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the capabilities, as in a container that drops all, it says as whom to run this."""

    def refuse(_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setgroups", refuse)
    with pytest.raises(RestoreError, match=r"^run this as the account with uid 10001, which owns"):
        put_back(theirs / "backups" / "copy.db", theirs / "quiz.db", replace=True)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("target", ["secret.db", "new.db"])
def test_root_follows_no_links_of_the_bot(
    theirs: Path, name: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its account links to, root neither reads, writes, makes nor gives away.

    A link that is removed may be put back at once, so here none of them can be removed.
    """
    secret = theirs.parent / "secret.db"
    before = (secret.read_bytes(), secret.stat()[:5], secret.stat().st_mtime_ns)
    link = theirs / name
    link.unlink(missing_ok=True)
    link.symlink_to(theirs.parent / target)
    os.lchown(link, 10001, 10002)
    remove = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path != link:
            remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with suppress(RestoreError, DatabaseInUse):
        put_back(theirs / "backups" / "copy.db", theirs / "quiz.db", replace=True)
    assert (secret.read_bytes(), secret.stat()[:5], secret.stat().st_mtime_ns) == before
    assert {path.name for path in theirs.parent.iterdir()} == {"state", "secret.db"}
    files = [path for path in theirs.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in files if b"secret" in path.read_bytes()]


def test_a_lock_that_is_a_link(tmp_path: Path) -> None:
    """It is refused, because root would make a file where it leads."""
    (tmp_path / "quiz.db-lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"quiz\.db-lock"):
        hold_file(str(tmp_path / "quiz.db"))
    assert not (tmp_path / "elsewhere").exists()


def test_there_is_always_a_database(
    database: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it fails between keeping the old database and putting in the copy, the old one is in use."""
    replace = Path.replace

    def fail(path: Path, target: Path) -> Path:
        if target == database:
            assert database.with_name(KEPT).exists()
            raise OSError("power cut")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RestoreError, match="power cut"):
        put_back(copy, database, replace=True)
    assert said(database) == "now"
    assert not list(database.parent.glob("*restoring*"))
    assert not database.with_name(KEPT).exists()


def spoil_reference(conn: sqlite3.Connection) -> None:
    conn.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    conn.execute("CREATE TABLE b (a_id INTEGER REFERENCES a)")
    conn.execute("INSERT INTO b VALUES (1)")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE alembic_version", "is not a database of Quizformer"),
        ("DELETE FROM alembic_version", "is not a database of Quizformer"),
        ("UPDATE alembic_version SET version_num = '9999'", "install the version that made it"),
        (spoil_reference, "is damaged: rows are missing"),
    ],
)
def test_a_copy_that_is_of_no_use(
    database: Path, copy: Path, statement: str | object, words: str
) -> None:
    """A copy that this version can't use is refused, and the database stays as it is."""
    with closing(sqlite3.connect(copy)) as conn, conn:
        if callable(statement):
            statement(conn)
        else:
            conn.execute(str(statement))
    with pytest.raises(RestoreError, match=words):
        put_back(copy, database, replace=True)
    assert said(database) == "now"


def test_files_that_are_no_copies(tmp_path: Path, database: Path, copy: Path) -> None:
    """Garbage, a damaged copy, a missing file and the database itself are refused."""
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database" * 100)
    for file, words in (
        (garbage, "can't be read as a database"),
        (tmp_path / "missing.db", "there is no file"),
        (database, "is the database itself"),
    ):
        with pytest.raises(RestoreError, match=words):
            put_back(file, database, replace=True)
    content = bytearray(copy.read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    copy.write_bytes(content)
    with pytest.raises(RestoreError, match=r"is damaged|can't be read"):
        put_back(copy, database, replace=True)
    assert said(database) == "now"


def test_a_database_in_use_is_left_alone(database: Path, copy: Path) -> None:
    """While a bot runs on the file, nothing is restored."""
    with closing(hold_file(str(database))), pytest.raises(DatabaseInUse, match="stop it first"):
        put_back(copy, database, replace=True)
    assert said(database) == "now"
