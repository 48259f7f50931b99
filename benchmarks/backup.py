"""A backup of a database while the bot commits to it, against one of the same database at rest."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from benchmarks.client import ROOT, on_its_core
from benchmarks.options import Options, scratch
from benchmarks.past import Size, filled
from benchmarks.table import Section, absolute
from bot.core.database import Database, open_database
from bot.questions import store as questions
from bot.questions.bank import load_packs

_QUESTIONS, _QUICK = 200_000, 20_000
"""Questions of rounds in the past: some 500 MB, and some 200."""
_COMMITS = 50
"""A second."""
_SECONDS = """
import sys, time
from pathlib import Path
from bot.core.backup import back_up
began = time.perf_counter()
back_up(Path(sys.argv[1]), Path(sys.argv[2]))
print(time.perf_counter() - began)
"""


async def section(options: Options) -> Section:
    """Copies at rest and beside commits, in turns, each made and checked by a process of its own."""
    rest: list[float] = []
    busy: list[float] = []
    with scratch() as folder:
        size = Size(_QUICK if options.quick else _QUESTIONS)
        file = await filled(folder / "bot.db", size, load_packs(), datetime.now(UTC))
        megabytes = file.stat().st_size / 2**20
        async with open_database(URL.create("sqlite", database=str(file))) as database:
            for number in range(options.rounds + 1):
                quiet = await backed_up(file)
                commits = asyncio.create_task(_commit(database))
                beside = await backed_up(file)
                commits.cancel()
                with suppress(asyncio.CancelledError):
                    await commits
                if number:  # the first ones find the file in no cache
                    rest.append(quiet)
                    busy.append(beside)
    made = Section(
        "Backup",
        f"What `python -m bot backup` does once it has started, with the check of the copy, for {megabytes:,.0f} MB. "
        f"Another process has the database open, and commits nothing, or {_COMMITS} times a second.",
    )
    made.figures += [
        absolute("at rest", rest, "s"),
        absolute(f"beside {_COMMITS} commits a second", busy, "s"),
        absolute(
            "the same against at rest",
            [b / a for a, b in zip(rest, busy, strict=True)],
            "×",
            goal=3,
        ),
    ]
    return made


async def backed_up(file: Path) -> float:
    """Seconds that a copy takes, which is thrown away."""
    copy = file.with_name("copy.db")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SECONDS, str(file), str(copy)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=on_its_core,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the backup failed")
    copy.unlink()
    return float(told)


async def _commit(database: Database) -> None:
    """Store something small so many times a second, evenly, for as long as this is let."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await database.write(
            questions.add_report,
            guild_id=1,
            user_id=1,
            item_id="none",
            text="Odd.",
            at=datetime.now(UTC),
        )
        due += 1 / _COMMITS
        await asyncio.sleep(due - loop.time())
