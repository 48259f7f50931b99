"""A model on the operator's own machine, at NLI_MODEL, that checks what was found in an answer.

It runs in a child process with limits of time and memory. Without NLI_MODEL no process is started
and none of its packages are imported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from bot.config import SettingsError
from bot.core.child_process import CallEnded, CallStopped, Limits, Process
from bot.core.computing import SingleThread
from bot.core.fair_lock import FairLock
from bot.core.limits import MAX_NLI_MEMORY, MAX_NLI_PAIRS, MAX_NLI_SECONDS
from bot.interviews.grading import nli_process
from bot.interviews.grading.entailment import Probabilities, pairs_for, ruling_for
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, Ruling

Pair = tuple[str, str]
TIMEOUT = 60.0
"""Seconds that a member waits at most for a ruling, while answers of others are checked."""
_LIMITS = Limits(seconds=MAX_NLI_SECONDS, memory=MAX_NLI_MEMORY)


class NliModel:
    """A `Verifier`: an ONNX model for natural language inference, named like its folder.

    Its process loads the model with the first call, and again after a minute without calls.
    """

    def __init__(
        self, folder: Path, sha256: str = "", limits: Limits = _LIMITS, timeout: float = TIMEOUT
    ) -> None:
        self.name = folder.resolve().name
        self._folder = str(folder)
        self._sha256 = sha256
        self._timeout = timeout
        self._limits = limits
        self._process = Process(limits)
        self._turns = FairLock()
        self._stopped = False
        """Whether the bot stops, so that no waiting answer starts another process."""
        self._thread = SingleThread("nli")
        """Waits for the process."""

    async def load(self) -> None:
        """Load the model and try it. Raises SettingsError with one sentence if it can't be used."""
        try:
            await self._thread.run(self._call, [])
        except CallStopped:
            raise
        except (OSError, MemoryError, RuntimeError) as error:
            wrong = f"can't be used ({self._folder}): {self._reason(error)}"
            raise SettingsError.of("NLI_MODEL", wrong, "var/nli-deberta-v3-xsmall") from error

    async def verify(
        self, question: str, answer: str, points: Mapping[int, PointToCheck], server: int
    ) -> dict[int, Ruling]:
        """Return a ruling for each key point with a passage, up to `MAX_NLI_PAIRS` pairs.

        Answers are checked one at a time, and servers take turns. Raises NoOpinion within `TIMEOUT`,
        also if no point has a passage, and CallStopped if the bot stops.
        """
        asked: dict[int, list[Pair]] = {}
        left = MAX_NLI_PAIRS
        for number, point in points.items():
            pairs = pairs_for(point) if point.passage else []
            if 0 < len(pairs) <= left:
                asked[number] = pairs
                left -= len(pairs)
        if not asked:
            raise NoOpinion("no sentence is near any key point")
        try:
            async with asyncio.timeout(self._timeout), self._turns.acquire(server):
                answers = iter(
                    await self._thread.run(self._call, list(chain.from_iterable(asked.values())))
                )
        except CallStopped:
            raise
        except TimeoutError:
            raise NoOpinion(f"no ruling within {self._timeout:g} seconds") from None
        except SettingsError as error:
            raise NoOpinion(str(error)) from None
        except (OSError, MemoryError, RuntimeError) as error:
            raise NoOpinion(self._reason(error)) from None
        return {
            number: ruling_for(points[number], list(islice(answers, len(pairs))))
            for number, pairs in asked.items()
        }

    async def close(self) -> None:
        """End the process, if one runs."""
        self._stopped = True
        self._process.kill()
        await self._thread.run(self._process.close)
        self._thread.close()

    def _call(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        """Ask about some pairs in the process, which loads the model first if it has not yet.

        After a failure the next call gets another process.
        """
        if self._stopped:
            raise CallStopped("the bot stops")
        try:
            return self._process.call(nli_process.probabilities, self._folder, self._sha256, pairs)
        except CallStopped:
            self._stopped = True
            raise
        except (MemoryError, RuntimeError):
            self._process.close()
            raise

    def _reason(self, error: Exception) -> str:
        """Return what went wrong, without the text of the error, which may quote members."""
        if isinstance(error, CallEnded | MemoryError):
            return (
                f"it needs more than {self._limits.memory >> 20:,} MiB of memory "
                f"or {self._limits.seconds} seconds of processor time, or it crashed"
            )
        if isinstance(error, OSError):
            return "its process could not be started"
        return "it failed"
