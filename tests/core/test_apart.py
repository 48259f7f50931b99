"""The process apart: what is called there comes back, and no end of it or of the bot leaves anything behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.core import apart
from bot.core.apart import CallEnded, CallStopped, Limits, Process, call_apart
from bot.questions.formulas import FormulaError, draw
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """Each test has a process of its own."""
    apart._PROCESS.close()
    yield
    apart._PROCESS.close()


def shorten_idleness() -> None:
    """Called there, where `apart` is the program."""
    sys.modules["__main__"].IDLE_SECONDS = 0.0  # type: ignore[attr-defined]


def panic() -> None:
    """As resvg does: an exception that is no Exception."""
    raise SystemExit("bad drawing")


def allocate(size: int) -> None:
    """Take memory there, and give it back."""
    bytearray(size)


def is_running(pid: int) -> bool:
    """Whether a process works; one that has ended may wait for whoever started it."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def test_what_comes_back() -> None:
    """Results and errors, of one process for all calls; what is printed there does not get in between."""
    pid = call_apart(os.getpid)
    assert pid != os.getpid()
    assert call_apart(sorted, [2, 1], reverse=True) == [2, 1]
    assert call_apart(print, "in between") is None
    with pytest.raises(FormulaError, match="braces"):
        call_apart(draw, "{")
    with pytest.raises(RuntimeError, match="bad drawing"):
        call_apart(panic)
    assert call_apart(os.getpid) == pid


def test_a_large_call() -> None:
    """More than a pipe holds, there and back."""
    data = os.urandom(3_000_000)
    assert call_apart(bytes, data) == data


def test_it_ends_in_the_middle() -> None:
    """Whoever ends it with a call is told, and the next call works."""
    with pytest.raises(OSError, match="ended without an answer"):
        call_apart(os._exit, 3)
    assert call_apart(len, "four") == 4


def test_it_ended_before() -> None:
    """Nobody notices that it was killed meanwhile."""
    pid = call_apart(os.getpid)
    os.kill(pid, signal.SIGKILL)
    assert apart._PROCESS._child is not None
    apart._PROCESS._child.wait(PATIENCE)
    assert call_apart(os.getpid) != pid


def test_it_ends_when_it_has_nothing_to_do() -> None:
    """It takes memory that a small host has better uses for; the next call starts another."""
    pid = call_apart(os.getpid)
    call_apart(shorten_idleness)
    assert apart._PROCESS._child is not None
    apart._PROCESS._child.wait(PATIENCE)
    assert call_apart(os.getpid) != pid


def test_it_can_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error says so, and nothing hangs."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="nowhere"):
        call_apart(os.getpid)


def test_a_bot_that_leaves_waits_for_no_drawing() -> None:
    """Whoever waits is told at once."""
    pid = call_apart(os.getpid)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(call_apart, time.sleep, 10 * PATIENCE)
        while not waiting.done():  # the call may not have begun yet
            apart.stop_calls()
            time.sleep(0.1)
        with pytest.raises(CallStopped, match="ended without an answer"):
            waiting.result()
    assert call_apart(os.getpid) != pid


def test_it_is_ended_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that leaves just then does not wait for the call, and the next call works."""
    process = Process(Limits(seconds=1, memory=1 << 30))
    start = process._start

    def killed_meanwhile() -> subprocess.Popen[bytes]:
        child = start()
        process.kill()
        return child

    with monkeypatch.context() as patch:
        patch.setattr(process, "_start", killed_meanwhile)
        with pytest.raises(CallStopped):
            process.call(time.sleep, PATIENCE)
    assert process.call(len, "four") == 4
    process.close()


def test_nothing_is_left_open() -> None:
    """Python, which warns of what a program forgets to close, has nothing to say at its end."""
    code = "import os; from bot.core.apart import call_apart; call_apart(os.getpid)"
    command = [sys.executable, "-X", "dev", "-c", code]
    assert (
        subprocess.run(command, check=True, stderr=subprocess.PIPE, timeout=PATIENCE).stderr == b""
    )


def test_limits() -> None:
    """A process has its memory from the start, and every call its time; a call that gets its end is told."""
    resource = pytest.importorskip("resource")
    process = Process(Limits(seconds=7, memory=1 << 30))
    for _ in range(2):
        until, _hard = process.call(resource.getrlimit, resource.RLIMIT_CPU)
        assert 7 <= until <= process.call(time.process_time) + 8
    with pytest.raises(MemoryError):
        process.call(allocate, 2 << 30)
    with pytest.raises(CallEnded, match="ended without an answer"):
        process.call(signal.raise_signal, signal.SIGXCPU)
    assert process.call(len, "four") == 4
    process.close()


def test_a_call_that_only_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended by the clock; other processes go on."""
    monkeypatch.setattr(apart, "_WAIT", 0.01)
    process = Process(Limits(seconds=1, memory=1 << 30))
    with pytest.raises(CallEnded):
        process.call(time.sleep, 10 * PATIENCE)
    assert call_apart(len, "four") == 4
    process.close()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_it_ends_with_a_bot_that_is_killed() -> None:
    """Nothing is left of a bot that had no time to end it."""
    code = (
        "import os, signal; from bot.core.apart import call_apart; "
        "print(call_apart(os.getpid), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    pid = int(
        subprocess.run(
            [sys.executable, "-c", code], check=False, stdout=subprocess.PIPE, timeout=PATIENCE
        ).stdout
    )
    until = time.monotonic() + PATIENCE
    while is_running(pid):
        assert time.monotonic() < until
        time.sleep(0.05)
