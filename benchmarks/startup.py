"""From the start of the process to READY, with a database and compiled files that are there already."""

from __future__ import annotations

from benchmarks.client import Client, Kind
from benchmarks.options import Options, scratch
from benchmarks.stub.server import Stub
from benchmarks.table import Section, compared


async def section(options: Options) -> Section:
    """Warm starts of both clients, in turns, after one start each that does not count."""
    taken: dict[Kind, list[float]] = {"bare": [], "bot": []}
    with scratch() as folder:
        for number in range(1 + max(3, options.rounds)):
            for kind, seconds in taken.items():
                async with Stub(servers=1) as stub, Client(kind, stub, folder) as client:
                    if number:
                        seconds.append(client.started_in)
    made = Section("Start")
    made.figures.append(
        compared("start to READY, warm", (taken["bare"], taken["bot"]), "s", goal=2.0)
    )
    return made
