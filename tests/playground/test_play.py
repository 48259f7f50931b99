"""`python -m bot play` for a newcomer: its port, its output and its end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground import PORT
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
_WITHOUT_SIGNALS_IN_THE_LOOP = """
import asyncio, sys
from bot.__main__ import main

def missing(*_):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = missing
sys.exit(main(sys.argv[1:]))
"""


@contextlib.contextmanager
def play(folder: Path, *arguments: str, code: str | None = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, *(["-c", code] if code else ["-m", "bot"]), "play", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def usual_port_is_taken() -> Iterator[None]:
    try:
        taken = socket.create_server(("127.0.0.1", PORT))
    except OSError:  # another program has it, which works as well
        yield
        return
    with taken:
        yield


@pytest.mark.usefixtures("usual_port_is_taken")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param(None, id="here"),
        pytest.param(_WITHOUT_SIGNALS_IN_THE_LOOP, id="as on Windows", marks=pytest.mark.thorough),
    ],
)
def test_the_next_free_port(tmp_path: Path, code: str | None) -> None:
    """If the default port is taken it uses another and says so; Ctrl-C stops it quietly with 0."""
    with play(tmp_path, code=code) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(
            rf"Quizformer is running at http://127\.0\.0\.1:(\d+)/ \(port {PORT} is taken; Ctrl-C stops it\)\n",
            line,
        )
        assert found, line
        assert PORT < int(found[1]) < PORT + 20
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []  # a temporary database keeps nothing


def test_a_database_that_is_kept(tmp_path: Path) -> None:
    """The messages are kept next to the database, and only as long as it exists."""
    database, messages = tmp_path / "kept.db", tmp_path / "kept.db.messages"
    messages.write_text("of another database")
    with play(tmp_path, "--port", "0", "--database", database.name) as process:
        assert process.stdout is not None
        assert "running" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE) == ("", "")
    assert database.exists()
    assert "Welcome to the study group" in messages.read_text()


@pytest.mark.parametrize(
    ("port", "reason"), [(str(PORT), "Address already in use"), ("70000", "there is no such port")]
)
@pytest.mark.usefixtures("usual_port_is_taken")
def test_a_port_that_was_asked_for(tmp_path: Path, port: str, reason: str) -> None:
    """A port that can't be used ends the start with one line and exit code 1."""
    with play(tmp_path, "--port", port) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (1, "")
    assert err == f"port {port} can't be used ({reason}): try --port 0\n"
