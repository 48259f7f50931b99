"""A process beside the bot's own, for what would hold its interpreter: resvg draws for up to 70 ms without letting go.

It is started with the first call, ends with the bot, however that ends, and by itself after a minute without work.
Calls and results go through its standard input and output, pickled, each behind its length.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
IDLE_SECONDS = 60.0
_LENGTH = struct.Struct("!I")


class _Process:
    """What the bot holds of it; used by any thread, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, call: bytes) -> bytes:
        """The answer to a call; raises OSError where no process can be started, or it ends before it answers."""
        with self._lock:
            answer = self._try(call)
            if answer is None and self._end() == 0:  # it had nothing to do for long, and left just now
                answer = self._try(call)
            if answer is None:
                self._end()
                raise OSError("the process for drawing has ended without an answer")
            return answer

    def kill(self) -> None:
        """End it, whatever it does; may be called beside `ask`, which then raises."""
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End it, and leave nothing open."""
        self.kill()
        with self._lock:
            self._end()

    def _end(self) -> int | None:
        """Wait for its end; returns its exit status."""
        child, self._child = self._child, None
        if child is None:
            return None
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return child.wait()

    def _try(self, call: bytes) -> bytes | None:
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            command = [sys.executable, "-m", __name__]
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **paths}
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            _send(self._child.stdin, call)
        except BrokenPipeError:
            return None
        return _receive(self._child.stdout)


_PROCESS = _Process()
atexit.register(_PROCESS.close)


def call_apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function there, and wait; returns what it returns and raises what it raises.

    Raises OSError if there is no such process, or it ends meanwhile. Other threads go on.
    """
    fine, result = pickle.loads(_PROCESS.ask(pickle.dumps((function, args, kwargs))))
    if not fine:
        raise result
    return result  # type: ignore[no-any-return]


def stop_calls() -> None:
    """End the process, so that nobody waits for what it does."""
    _PROCESS.kill()


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
    except BaseException as error:  # resvg's "panic" is no Exception, and nobody else knows its class
        return pickle.dumps((False, RuntimeError(str(error))))


def _serve() -> None:
    """Be that process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the bot, whose end closes our input
    calls, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get in between
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
            _send(answers, _answer(call))
            last.append(time.monotonic())


if __name__ == "__main__":
    _serve()
