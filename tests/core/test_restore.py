"""`restore` puts a copy back whole, or changes nothing and says why."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
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


def test_what_is_in_write_ahead_logs_counts(tmp_path: Path, database: Path, migrated: Path) -> None:
    """The logs of a copy made by hand and of the replaced database are taken into their files."""
    by_hand = tmp_path / "by-hand.db"
    live = tmp_path / "live.db"
    for file, word in ((database, "later"), (live, "then")):
        if file == live:
            shutil.copyfile(migrated, live)
        with closing(sqlite3.connect(file)) as conn:
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA wal_autocheckpoint = 0")
            conn.execute("INSERT INTO meta VALUES (?, ?)", (word, word))
            conn.commit()
            if file == live:
                shutil.copyfile(live, by_hand)
                shutil.copyfile(f"{live}-wal", f"{by_hand}-wal")
            else:
                shutil.copyfile(f"{file}-wal", tmp_path / "saved")
                shutil.copyfile(file, tmp_path / "saved.db")
    (tmp_path / "saved.db").replace(database)  # as after a kill: the log was not taken in
    (tmp_path / "saved").replace(f"{database}-wal")
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


def test_there_is_always_a_database(
    database: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it ends between keeping the old database and putting in the copy, the old one is in use."""
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
