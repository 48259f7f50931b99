"""Judges the order of practice and a plan's numbers by learners who are not the bot's own model: `make learn`.

The bot chooses questions, and says how ready a member is, by FSRS and by item response theory. Tests
whose members follow these models can't show where the models are wrong. Here simulated learners
(`truths.py`) know, learn and forget in other ways, practise for equal minutes, and a quarter of each
topic's questions is never asked to anyone: what is known of these is what practice is for.

    make learn                               all of it, about eight minutes on two cores
    make learn ARGS=--quick                  a few learners, about a minute
    make learn ARGS="--only gain"            only the orders; `--only error`: only a plan's numbers
    make learn ARGS="--truth routes"         one truth; may be repeated
    make learn ARGS="--truth path/file.py"   one of your own, which the bot was not tuned to

A file has `make(world, traits, seed)`, which returns a learner as in `truths.Learner`; `world` and
`traits` are those of `world.py`. Equal arguments print equal tables.

The first tables show what each order teaches, in points: on held-out questions on the last day, the
same minus what a shuffled pass teaches the same learners, as a share of that and of what an oracle
teaches that knows the truth, weighted by how often interviews ask about a topic, and on the questions that
may be asked; then both 30 days later, without practice. ± is a standard error. The last table shows how far
a plan's numbers are from the truth. Sizes depend on the truths; believe the directions that all of
them share.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor

from tools.learn import error, gain
from tools.learn.orders import SCENARIOS, Scenario
from tools.learn.truths import TRUTHS
from tools.learn.world import KINDS

QUICK = (SCENARIOS[0], SCENARIOS[3])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make learn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=("gain", "error"))
    parser.add_argument("--truth", action="append", help="a name, or a Python file")
    parser.add_argument("--members", type=int, help="learners of each order, and of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    truths: list[str] = options.truth or [*TRUTHS]
    members = options.members or (2 if options.quick else 6)
    seeds = [1000 * options.seed + n for n in range(members)]
    began = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        if options.only != "error":
            show_gains(pool, truths, QUICK if options.quick else SCENARIOS, seeds)
        if options.only != "gain":
            plans = [error.scenario(seed, short=options.quick) for seed in seeds]
            show_errors(pool, truths, plans, seeds)
    print(f"{time.monotonic() - began:.0f} s")


def show_gains(
    pool: Executor, truths: Sequence[str], scenarios: Sequence[Scenario], seeds: Sequence[int]
) -> None:
    """Print what each order teaches, for each scenario and truth."""
    jobs = [gain.Job(*job) for job in itertools.product(truths, scenarios, gain.ALL_ORDERS, seeds)]
    found = pool.map(gain.gain, jobs)
    summary = ["Ours, as a share of a shuffled pass and of random order:"]
    for name, scenario in itertools.product(truths, scenarios):
        gains = {
            order: [g for _ in seeds if (g := next(found)) is not None] for order in gain.ALL_ORDERS
        }
        print(f"{name}: {gain.table(scenario, gains)}\n", flush=True)
        ours, shuffled, chance = (
            [g.held for g in gains[order]] for order in ("ours", "shuffled", "random")
        )
        ratios = f"{gain.ratio(ours, shuffled):>6}{gain.ratio(ours, chance):>6}"
        summary.append(f"  {name:<10} {scenario.name:<42}{ratios}")
    print("\n".join(summary), end="\n\n", flush=True)


def show_errors(
    pool: Executor, truths: Sequence[str], scenarios: Sequence[Scenario], seeds: Sequence[int]
) -> None:
    """Print how far a plan's numbers are from each truth, for learners of each kind in the scenarios."""
    jobs = [
        error.Job(name, scenario, kind, seed + 100 * number)
        for name in truths
        for number, kind in enumerate(KINDS)
        for scenario, seed in zip(scenarios, seeds, strict=True)
    ]
    found = pool.map(error.follow, jobs)
    for name in truths:
        rows = [row for _ in KINDS for _ in seeds for row in next(found)]
        print(f"{name}: {error.table(rows)}\n", flush=True)


if __name__ == "__main__":
    main()
