"""Child processes for calls that would block the interpreter (resvg: 70 ms) or that need limits.

A child process starts with its first call, and ends after a minute without work, or with the bot,
however the bot ends. Calls and results are pickled and go through its standard input and output,
each after its length. If memory runs out, the kernel ends child processes before the bot.
"""

from __future__ import annotations

import atexit
import math
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from msgspec import Struct

from bot.core.limits import (
    MAX_CALL_MESSAGE,
    MAX_DRAWING_MEMORY,
    MAX_DRAWING_MESSAGE,
    MAX_DRAWING_SECONDS,
)

P = ParamSpec("P")
T = TypeVar("T")
IDLE_SECONDS = 60.0
_LENGTH = struct.Struct("!I")
_REAL_SECONDS = 10
"""Real time that a call gets for each second of processor time, because the machine may be busy."""
_MAPPED_BYTES = 512 << 20
"""Address space for files, which the kernel can take back: names of locales alone may be 200 MiB."""
_NICENESS = 5
"""Child processes run at a lower priority, so that clicks are handled first."""

_NOT_BY_THE_CALL = {0, -9}
"""Exit statuses of a process that was idle, and of one that was killed: by a kernel without memory,
or for an earlier call. So the call is tried once more."""
_KEPT = re.compile(
    "PATH|HOME|TZ|LANG|LANGUAGE|TMPDIR|TMP|TEMP|SYSTEMROOT|(LC_|LD_|DYLD_|PYTHON)[A-Z_]+",
    re.IGNORECASE,
)
"""The variables that a process gets: what Python and its libraries run with. All others may be
secrets, and a process may read files of strangers."""
_ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""Keeps glibc from reserving memory for each thread, which would count as used.

https://man7.org/linux/man-pages/man3/mallopt.3.html
"""


class CallEnded(OSError):
    """A call took too much time, memory or bytes, or it crashed the process."""


class CallStopped(OSError):
    """`kill` ended the process before it answered, because the bot stops."""


class Limits(Struct, frozen=True):
    """Limits of processor time in seconds for each call, and of memory in bytes for the process.

    Windows has neither, so there only a call's real time is limited. `message` is the most bytes of
    a call and of its result, which is refused before it is read.
    """

    seconds: int
    memory: int
    message: int = MAX_CALL_MESSAGE


class Process:
    """A child process for calls. Threads may share it; calls run one by one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._kills = 0
        self._late = False
        """Whether the last call took too much real time."""
        _ALL.append(self)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a module-level function in the process, and return or raise what it does.

        Raises CallEnded at the limits or if the process ends during the call, CallStopped if `kill`
        ends it, and OSError if it can't be started. Only the calling thread waits.
        """
        kills = self._kills
        call = pickle.dumps((function, args, kwargs))
        self._check_size(len(call), "call")
        succeeded, result = pickle.loads(self._ask(call, kills))
        if not succeeded:
            raise result
        return result  # type: ignore[no-any-return]

    def kill(self) -> None:
        """End the process at once. A `call` in another thread raises, even while it is starting it."""
        self._kills += 1  # before reading `_child`: `_try` sets `_child` before it reads this
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End the process and close its pipes."""
        self.kill()
        with self._lock:
            self._end()

    def _ask(self, call: bytes, kills: int) -> bytes:
        with self._lock:
            answer = self._try(call, kills)
            ended = self._end() if answer is None else None
            if ended in _NOT_BY_THE_CALL and not self._late and self._kills == kills:
                answer = self._try(call, kills)
            if answer is None:
                self._end()
                kind = CallEnded if self._kills == kills else CallStopped
                raise kind("the process has ended without an answer")
            return answer

    def _end(self) -> int | None:
        """Wait for the process to end, and return its exit status."""
        child, self._child = self._child, None
        if child is None:
            return None
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return child.wait()

    def _try(self, call: bytes, kills: int) -> bytes | None:
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            self._child = self._start()
        if self._kills != kills:  # `kill` was called before the process existed
            self._child.kill()
            return None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with self._timeout(self._child):
            try:
                _send(self._child.stdin, call)
            except BrokenPipeError:
                return None
            try:
                return _receive(self._child.stdout, self._check_size)
            except CallEnded:
                self._child.kill()  # it waits until somebody reads the rest
                self._end()
                raise

    def _check_size(self, size: int, what: str) -> None:
        if size > self._limits.message:
            raise CallEnded(f"the {what} has {size:,} bytes, more than {self._limits.message:,}")

    def _start(self) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        limits = self._limits
        child = subprocess.Popen(
            [sys.executable, "-m", __name__, str(limits.seconds), str(limits.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, **paths, **_ONE_HEAP},
        )
        # Without this, it would be a zombie from its end until the next call, which may be days.
        threading.Thread(target=child.wait, daemon=True).start()
        return child

    @contextmanager
    def _timeout(self, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """Kill the process if the block takes longer than a call may take in real time."""

        def end() -> None:
            self._late = True
            child.kill()

        self._late = False
        timer = threading.Timer(self._limits.seconds * _REAL_SECONDS, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


_ALL: list[Process] = []
_PROCESS = Process(
    Limits(seconds=MAX_DRAWING_SECONDS, memory=MAX_DRAWING_MEMORY, message=MAX_DRAWING_MESSAGE)
)
call_in_process = _PROCESS.call
"""`Process.call` of the process for the bot's own work: its pictures, and the words of its bank."""


def call_once(limits: Limits, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a process that ends with the call, with all that it has imported."""
    process = Process(limits)
    try:
        return process.call(function, *args, **kwargs)
    finally:
        process.close()
        _ALL.remove(process)


@atexit.register
def _close_all() -> None:
    for process in _ALL:
        process.close()


def kill_processes() -> None:
    """End all child processes, so that no call keeps the bot from stopping."""
    for process in list(_ALL):
        process.kill()


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _receive(
    pipe: IO[bytes], check_size: Callable[[int, str], object] | None = None
) -> bytes | None:
    """Return the next message, or None if the sender has ended."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if check_size is not None:
        check_size(length, "result")
    message = pipe.read(length)
    return message if len(message) == length else None


def _answer(call: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(call)
        return pickle.dumps((True, function(*args, **kwargs)))
    except BaseException as error:
        return pickle.dumps((False, _portable(error)))


def _portable(error: BaseException) -> Exception:
    """Return an error itself, or one with its words if the bot could not unpickle it.

    resvg's "panic" is no Exception, and the bot has not imported its class.
    """
    with suppress(Exception):
        if isinstance(error, Exception):
            pickle.loads(pickle.dumps(error))
            return error
    return RuntimeError("".join(traceback.format_exception_only(error)).strip())


def _limit(seconds: int, memory: int) -> Callable[[], None]:
    """Limit this process's memory and priority; return a function that starts the next call's time."""
    with suppress(OSError):  # only Linux has it: the kernel ends this process before the bot
        Path("/proc/self/oom_score_adj").write_text("1000")
    try:
        import resource
    except ImportError:  # Windows
        return lambda: None
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    mapped = memory + _MAPPED_BYTES
    with suppress(ValueError, OSError):  # macOS may refuse
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_AS, (mapped, mapped))

    def start_time_limit() -> None:
        """Have the operating system end this process when the call has used its processor time."""
        until = math.ceil(time.process_time() + seconds)
        with suppress(ValueError, OSError):  # the host has a lower limit
            resource.setrlimit(
                resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1])
            )

    return start_time_limit


def _serve(seconds: int, memory: int) -> None:
    """Answer calls until the bot closes the input or ends, or until there is no work for a minute."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the bot, which closes our input
    calls = sys.stdin.buffer
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # prints of libraries must not get between the answers
    start_time_limit = _limit(seconds, memory)
    idle_since: list[float] = [time.monotonic()]
    """When the last call ended; empty during a call."""
    bot = os.getppid()

    def is_needed() -> bool:
        idle = bool(idle_since) and time.monotonic() - idle_since[0] >= IDLE_SECONDS
        return os.getppid() == bot and not idle

    def exit_when_unneeded() -> None:
        while is_needed():
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=exit_when_unneeded, daemon=True).start()
    with suppress(BrokenPipeError):
        while (call := _receive(calls)) is not None:
            idle_since.clear()
            start_time_limit()
            _send(answers, _answer(call))
            idle_since.append(time.monotonic())


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:]))
