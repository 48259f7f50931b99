"""Child processes: results come back, and no end of a process or of the bot leaves anything behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.core import child_process
from bot.core.child_process import CallEnded, CallStopped, Limits, Process, call_in_process
from bot.questions.formulas import FormulaError, draw
from tests.environment import variables_read
from tests.patience import PATIENCE

LIMITS = Limits(seconds=1, memory=1 << 30, message=4 << 20)
needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Give each test a new process."""
    child_process._PROCESS.close()
    yield
    child_process._PROCESS.close()


def kill_child() -> None:
    os.kill(call_in_process(os.getpid), signal.SIGKILL)


def kill_unseen() -> None:
    """Kill the child, and don't learn of its end before the next call."""
    child = child_process._PROCESS._child
    assert child is not None
    child.poll = lambda: None  # type: ignore[method-assign]
    child_process._PROCESS.kill()


def kill_itself(times: int, log: Path) -> int:
    """Be killed from outside so many times, then return the number of attempts."""
    with log.open("ab") as file:
        file.write(b".")
    attempt = log.stat().st_size
    if attempt <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return attempt


def shorten_idle_time() -> None:
    call_in_process(_shorten_idle_time)


def _shorten_idle_time() -> None:
    """Run in the child, where the module is the program."""
    sys.modules["__main__"].IDLE_SECONDS = 0.0  # type: ignore[attr-defined]


def panic() -> None:
    """Raise what is no Exception, as resvg does."""
    raise SystemExit("bad drawing")


def allocate(size: int) -> None:
    """Allocate memory in the child, and free it."""
    bytearray(size)


def environment() -> dict[str, str]:
    return dict(os.environ)


def test_no_secret_reaches_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes read files of strangers, so they get the variables of a list and no others."""
    for name in variables_read() - {"HOME"} | {"PGPASSWORD", "LDAP_PASSWORD", "XPATH"}:
        monkeypatch.setenv(name, "secret")
    kept = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "Europe/Paris", "SystemRoot": "C:"}
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    found = call_in_process(environment)
    assert "secret" not in found.values()
    assert found.items() >= {**kept, "PATH": os.environ["PATH"]}.items()


def wait_for_end(pid: int) -> None:
    """Wait until nothing is left of a process, not even a zombie."""
    until = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_comes_back() -> None:
    """All calls run in one process and return or raise; prints don't disturb them."""
    pid = call_in_process(os.getpid)
    assert pid != os.getpid()
    assert call_in_process(sorted, [2, 1], reverse=True) == [2, 1]
    assert call_in_process(print, "in between") is None
    with pytest.raises(FormulaError, match="braces"):
        call_in_process(draw, "{")
    with pytest.raises(RuntimeError, match="bad drawing"):
        call_in_process(panic)
    assert call_in_process(os.getpid) == pid


def test_a_large_call() -> None:
    """A call and its result may be larger than a pipe's buffer."""
    data = os.urandom(3_000_000)
    assert call_in_process(bytes, data) == data


@pytest.mark.parametrize(("function", "size"), [(len, b"x" * (5 << 20)), (bytes, 5 << 20)])
def test_a_call_or_a_result_that_is_too_large(
    function: Callable[..., object], size: object
) -> None:
    """It is refused like too much memory, before the bot reads it, and the next call works."""
    process = Process(LIMITS)
    with pytest.raises(CallEnded, match=r"has 5,242,\d+ bytes, more than 4,194,304"):
        process.call(function, size)
    assert process.call(len, "four") == 4
    process.close()


def test_a_call_that_crashes_the_process() -> None:
    """The call raises, and the next call works."""
    with pytest.raises(OSError, match="ended without an answer"):
        call_in_process(os._exit, 3)
    assert call_in_process(len, "four") == 4


@pytest.mark.parametrize("end", [shorten_idle_time, kill_child, kill_unseen])
def test_it_ended_before_a_call(end: Callable[[], None]) -> None:
    """The next call starts another process."""
    pid = call_in_process(os.getpid)
    end()
    assert child_process._PROCESS._child is not None
    child_process._PROCESS._child.wait(PATIENCE)
    assert call_in_process(os.getpid) != pid


def test_it_is_killed_from_outside(tmp_path: Path) -> None:
    """The call is not to blame, so it is tried once more; if that ends alike, it raises."""
    log = tmp_path / "log"
    assert call_in_process(kill_itself, 1, log) == 2
    with pytest.raises(CallEnded):
        call_in_process(kill_itself, 9, log)
    assert call_in_process(kill_itself, 0, log) == 5


def test_it_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call raises an error and does not hang."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="nowhere"):
        call_in_process(os.getpid)


def test_the_bot_stops_during_a_call() -> None:
    """The call raises at once."""
    pid = call_in_process(os.getpid)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(call_in_process, time.sleep, 10 * PATIENCE)
        while not waiting.done():  # the call may not have begun yet
            child_process.kill_processes()
            time.sleep(0.1)
        with pytest.raises(CallStopped, match="ended without an answer"):
            waiting.result()
    assert call_in_process(os.getpid) != pid


def test_it_is_killed_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call raises, and the next call works."""
    process = Process(LIMITS)
    start = process._start

    def start_and_kill() -> subprocess.Popen[bytes]:
        child = start()
        process.kill()
        return child

    with monkeypatch.context() as patch:
        patch.setattr(process, "_start", start_and_kill)
        with pytest.raises(CallStopped):
            process.call(time.sleep, PATIENCE)
    assert process.call(len, "four") == 4
    process.close()


def test_nothing_is_left_open() -> None:
    """Python's development mode reports no resource that was left open."""
    code = (
        "import os; from bot.core.child_process import call_in_process; call_in_process(os.getpid)"
    )
    command = [sys.executable, "-X", "dev", "-c", code]
    assert (
        subprocess.run(command, check=True, stderr=subprocess.PIPE, timeout=PATIENCE).stderr == b""
    )


def test_limits() -> None:
    """The memory limit holds for the process, the time limit for each call; exceeding them raises."""
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


def test_a_call_that_only_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of real time ends it at the first attempt; the next call works."""
    process = Process(LIMITS)
    starts: list[None] = []
    start = process._start

    def counted() -> subprocess.Popen[bytes]:
        starts.append(None)
        return start()

    monkeypatch.setattr(process, "_start", counted)
    with monkeypatch.context() as impatient:
        impatient.setattr(child_process, "_REAL_SECONDS", 0.01)
        with pytest.raises(CallEnded):
            process.call(time.sleep, 10 * PATIENCE)
    assert len(starts) == 1
    assert process.call(len, "four") == 4
    process.close()


@needs_proc
def test_nothing_is_left_of_a_process_that_ended() -> None:
    """No zombie stays until the next call, which may come a day later."""
    pid = call_in_process(os.getpid)
    shorten_idle_time()
    wait_for_end(pid)


@needs_proc
def test_it_is_ended_before_the_bot() -> None:
    """A host without memory ends child processes first: https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html"""
    assert call_in_process(Path.read_text, Path("/proc/self/oom_score_adj")) == "1000\n"


@needs_proc
@pytest.mark.parametrize(
    "then", ["", f"threading.Timer(1, end).start(); call(time.sleep, {10 * PATIENCE})"]
)
def test_it_ends_with_a_bot_that_is_killed(then: str) -> None:
    """The process ends even if the bot had no time to end it, also during a call."""
    code = f"""
import os, signal, threading, time
from bot.core.child_process import call_in_process as call
def end():
    os.kill(os.getpid(), signal.SIGKILL)
print(call(os.getpid), flush=True)
{then}
end()
"""
    pid = int(
        subprocess.run(
            [sys.executable, "-c", code], check=False, stdout=subprocess.PIPE, timeout=PATIENCE
        ).stdout
    )
    wait_for_end(pid)
