"""Loading the question bank and drawing pictures; these have no counterpart in the bare client."""

from __future__ import annotations

import time

from benchmarks.measure import percentile
from benchmarks.options import Options
from benchmarks.table import Section, absolute
from bot.questions import formulas as formula
from bot.questions.bank import data_dir, load_packs


async def section(options: Options) -> Section:
    """The shipped bank, and every formula in it."""
    loads, p50, p99 = [], [], []
    for _ in range(options.rounds):
        began = time.perf_counter()
        bank = load_packs([data_dir() / "questions.json"])
        loads.append((time.perf_counter() - began) * 1000)
        formulas = [item.formula for item in bank.items.values() if item.formula]
        formula.draw(formulas[0])  # the libraries are imported here
        drawn = []
        for latex in formulas:
            began = time.perf_counter()
            formula.draw(latex)
            drawn.append((time.perf_counter() - began) * 1000)
        p50.append(percentile(drawn, 0.5))
        p99.append(percentile(drawn, 0.99))
    made = Section(
        "Bank and pictures",
        f"{len(bank.items)} questions, {len(formulas)} formulas, each drawn anew.",
    )
    made.figures += [
        absolute("load the shipped bank", loads, "ms"),
        absolute("formula picture p50", p50, "ms"),
        absolute("formula picture p99", p99, "ms"),
    ]
    return made
