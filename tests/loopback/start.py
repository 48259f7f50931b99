"""Starts a bot in a process that was forked from one which has loaded all modules.

Loading them takes nine tenths of a start, and a test may start the bot five times.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

SITE = Path(__file__).parent / "site"
_PR_SET_PDEATHSIG = 1
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["bot.app", "bot.__main__", "uvloop", "alembic.command", __name__])


def start(env: Mapping[str, str], folder: Path, log: Path, *, afresh: bool) -> BaseProcess:
    """Start `python -m bot` in a folder. `afresh`: in a new interpreter, which takes longer."""
    process = _FORKS.Process(target=_run, args=(dict(env), folder, log, afresh), daemon=True)
    process.start()
    return process


def _run(env: dict[str, str], folder: Path, log: Path, afresh: bool) -> None:
    # Among these is the end of a pipe that keeps the fork server running after pytest was killed.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if afresh:
        os.execve(sys.executable, [sys.executable, "-m", "bot"], env)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["bot"]
    runpy.run_path(str(SITE / "sitecustomize.py"))  # which only a new interpreter runs by itself
    from bot.__main__ import main

    sys.exit(main())
