"""Processes beside the bot's own, for what would hold its interpreter, as resvg does for 70 ms, or needs limits.

Each is started with its first call, ends with the bot, however that ends, and by itself after a
minute without work. Calls and results go through its standard input and output, pickled, each behind
its length.
"""

from __future__ import annotations

import atexit
import math
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
IDLE_SECONDS = 60.0
_LENGTH = struct.Struct("!I")


_WAIT = 10
"""Seconds by the clock that a call gets for each second of processor time: the machine may be busy."""
_NICENESS = 5
"""How far a process with limits stands back: what is for members' clicks runs first."""


class CallEnded(OSError):
    """A process ended before it answered: the call took too much time or memory, or broke it."""


class CallStopped(OSError):
    """A process was ended by `kill` before it answered: the bot leaves."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many seconds of processor time a call may take, and its process how many bytes of memory.

    Windows has no such limits; there only a call's time by the clock is limited.
    """

    seconds: int
    memory: int


class Process:
    """A process for calls, with or without limits; used by any thread, one at a time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._kills = 0
        _ALL.append(self)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a module's function there, and wait; returns and raises what the function does.

        Raises CallEnded if the process ends meanwhile, CallStopped if `kill` ends it, and OSError if
        it can't be started. Other threads go on.
        """
        kills = self._kills
        fine, result = pickle.loads(self._ask(pickle.dumps((function, args, kwargs)), kills))
        if not fine:
            raise result
        return result  # type: ignore[no-any-return]

    def kill(self) -> None:
        """End it, whatever it does; may be called beside `call`, which then raises, even if it only starts it."""
        self._kills += 1  # before the look at the child, which `_try` sets before it looks at this
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End it, and leave nothing open."""
        self.kill()
        with self._lock:
            self._end()

    def _ask(self, call: bytes, kills: int) -> bytes:
        with self._lock:
            answer = self._try(call, kills)
            if (
                answer is None and self._end() == 0
            ):  # it had nothing to do for long, and left just now
                answer = self._try(call, kills)
            if answer is None:
                self._end()
                kind = CallEnded if self._kills == kills else CallStopped
                raise kind("the process has ended without an answer")
            return answer

    def _end(self) -> int | None:
        """Wait for its end; returns its exit status."""
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
        if self._kills != kills:  # the process was not there yet
            self._child.kill()
            return None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with self._ending_late(self._child):
            try:
                _send(self._child.stdin, call)
            except BrokenPipeError:
                return None
            return _receive(self._child.stdout)

    def _start(self) -> subprocess.Popen[bytes]:
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        limits = [str(self._limits.seconds), str(self._limits.memory)] if self._limits else []
        command = [sys.executable, "-m", __name__, *limits]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **paths}
        )

    @contextmanager
    def _ending_late(self, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """End the process if the block takes longer than a call may by the clock."""
        if self._limits is None:
            yield
            return
        timer = threading.Timer(self._limits.seconds * _WAIT, child.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


_ALL: list[Process] = []
_PROCESS = Process()
call_apart = _PROCESS.call
"""Calls a function, as `Process.call`, in a process without limits, for the bot's own pictures."""


@atexit.register
def _close_all() -> None:
    for process in _ALL:
        process.close()


def stop_calls() -> None:
    """End all these processes, so that nobody waits for what they do."""
    for process in _ALL:
        process.kill()


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """The next message; None when whoever sends them has ended."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = pipe.read(length)
    return message if len(message) == length else None


def _answer(call: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(call)
        return pickle.dumps((True, function(*args, **kwargs)))
    except Exception as error:
        return pickle.dumps((False, error))
    except (
        BaseException
    ) as error:  # resvg's "panic" is no Exception, and nobody else knows its class
        return pickle.dumps((False, RuntimeError(str(error))))


def _limit(limits: Limits) -> Callable[[], None]:
    """Limit this process's memory and let others go first; returns what gives the next call its time."""
    try:
        import resource
    except ImportError:  # Windows
        return lambda: None
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS may refuse
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))

    def give_time() -> None:
        """Let the system end this process once the call has had its seconds, even without a bot."""
        until = math.ceil(time.process_time() + limits.seconds)
        with suppress(ValueError, OSError):  # the host's own limit is lower
            resource.setrlimit(
                resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1])
            )

    return give_time


def _serve(limits: Limits | None) -> None:
    """Be that process."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl+C is for the bot, whose end closes our input
    calls, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get in between
    give_time = _limit(limits) if limits is not None else lambda: None
    last: list[float] = [time.monotonic()]
    """When something was done last; empty while something is."""

    def leave() -> None:
        while not last or time.monotonic() - last[0] < IDLE_SECONDS:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
    with suppress(BrokenPipeError):
        while (call := _receive(calls)) is not None:
            last.clear()
            give_time()
            _send(answers, _answer(call))
            last.append(time.monotonic())


if __name__ == "__main__":
    _serve(Limits(seconds=int(sys.argv[1]), memory=int(sys.argv[2])) if sys.argv[1:] else None)
