"""Draws random one-line changes of the bot and lists those that no test notices: `make mutants`.

Read each of them: it shows a gap in the tests, or code that the bot doesn't need, or nothing. It may
be noticed by tests that are not run here: those on PostgreSQL and in tests/loopback, tests/crash,
tests/cluster and tests/playground.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tools.mutants.reach import CACHE, TESTS, Reach, reach
from tools.mutants.run import Job, Outcome, Runner
from tools.mutants.sites import ROOT, Site, files, sites_of

CONTROLS = 3
"""So many mutants' lists of tests are run without a change first."""


class Trial:
    """Runs the mutants, and each test that kills one without a change, and writes what came out."""

    def __init__(self, sites: list[Site], found: Reach, seconds: float, log: Path) -> None:
        self._sites = sites
        self._seconds = seconds
        self._reach = found
        self._log = log
        self._left_out: set[str] = set()
        self._fine: set[str] = set()
        self.results: list[tuple[Site, bool]] = []
        """Each mutant, and whether a test noticed it."""

    def work(self, runner: Runner) -> None:
        self._runner = runner
        chosen = [self._chosen(site) for site in self._sites]
        for at_import in (False, True):
            for tests in [tests for tests in chosen if tests][:CONTROLS]:
                self._control(tests, at_import=at_import)
        runner.run()
        for site in self._sites:
            self._try(site)
        runner.run()

    def _control(self, tests: list[str], *, at_import: bool) -> None:
        """Run tests without a change, without those that fail."""

        def then(outcome: Outcome) -> None:
            if outcome.ended != "passed":
                print(f"control: {outcome.test or 'the start'} {outcome.ended} without a change")
                self._left_out.add(outcome.test)

        self._runner.queue.append(
            Job(self._sites[0].file, -1, tests, self._limit(tests), at_import, then)
        )

    def _chosen(self, site: Site) -> list[str]:
        reaching = self._reach.tests_of(site) - self._left_out
        return self._reach.chosen(site, reaching, self._seconds)

    def _limit(self, tests: Iterable[str]) -> float:
        return 30 + 4 * sum(self._reach.seconds[test] for test in tests)

    def _try(self, site: Site, *, first: bool = False) -> None:
        reaching = self._reach.tests_of(site) - self._left_out
        tests = self._chosen(site)
        if not tests:
            self._note(site, None, reaching, tests)
            return

        def then(outcome: Outcome) -> None:
            test = outcome.test
            if outcome.ended == "passed":
                self._note(site, None, reaching, tests)
            elif test in self._fine or not test:
                self._note(site, outcome, reaching, tests)
            else:
                self._runner.queue.appendleft(
                    Job(site.file, -1, [test], self._limit([test]), False, compared)
                )
                killed.append(outcome)

        def compared(control: Outcome) -> None:
            if control.ended == "passed":
                self._fine.add(control.test or killed[0].test)
                self._note(site, killed[0], reaching, tests)
            else:
                print(f"left out because it fails without a change: {killed[0].test}", flush=True)
                self._left_out.add(killed[0].test)
                self._try(site, first=True)

        killed: list[Outcome] = []
        at_import = self._reach.needs_import(site)
        job = Job(site.file, site.number, tests, self._limit(tests), at_import, then)
        if first:
            self._runner.queue.appendleft(job)
        else:
            self._runner.queue.append(job)

    def _note(
        self, site: Site, killed: Outcome | None, reaching: set[str], tests: list[str]
    ) -> None:
        self.results.append((site, killed is not None))
        source = (ROOT / site.file).read_text("utf-8").splitlines()[site.line - 1].strip()
        facts = {
            "site": site.name,
            "change": site.change,
            "source": source,
            "reached by": len(reaching) if self._reach.sees(site) else 0,
            "tried": len(tests),
            "killed": killed and killed.ended,
            "by": killed and killed.test,
            "seconds": killed and round(killed.seconds, 1),
            "at": round(time.time()),
        }
        with self._log.open("a") as log:
            log.write(json.dumps(facts) + "\n")
        if killed is None:
            how = f"{len(reaching)} tests reach it"
            if self._reach.needs_import(site):
                how = f"runs at import; {len(reaching)} tests may see it"
            elif not self._reach.sees(site):
                how = "no test reaches it in its own process"
            print(f"{site.name}  {site.change}  [{how}, {len(tests)} were run]")
            print(f"    {source}", flush=True)


def score(results: list[tuple[Site, bool]]) -> Iterable[str]:
    """Say which share of the mutants was noticed: of all, by operator and by folder."""
    groups: defaultdict[str, list[bool]] = defaultdict(list)
    for site, noticed in results:
        groups["all"].append(noticed)
        groups[f"operator {site.operator}"].append(noticed)
        groups[f"folder {site.folder}"].append(noticed)
    for name, noticed_ones in sorted(groups.items()):
        size = len(noticed_ones)
        share = sum(noticed_ones) / size
        error = (share * (1 - share) / size) ** 0.5
        yield f"{name:<24}{sum(noticed_ones):>4} of{size:>4}  {share:6.1%} ± {error:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draw", type=int, default=150, help="how many mutants")
    parser.add_argument("--only", default="bot", help="a folder or file")
    parser.add_argument("--jobs", type=int, default=2, help="how many mutants run at a time")
    parser.add_argument(
        "--seconds", type=float, default=30, help="how long the tests of a mutant may take"
    )
    parser.add_argument("--list", action="store_true", help="print the sites only")
    parser.add_argument("--site", action="append", help="run this one: file:line:operator")
    options = parser.parse_args()
    sites = [
        site
        for file in files(options.only)
        for site in sites_of(file, (ROOT / file).read_text("utf-8"))
    ]
    if options.site:
        sites = [site for site in sites if site.name in options.site]
    else:
        sites = random.Random(options.seed).sample(sites, min(options.draw, len(sites)))
    if options.list:
        print(*(f"{site.name}  {site.change}" for site in sites), sep="\n")
        return
    log = CACHE / f"{time.strftime('%m%d-%H%M%S')}.jsonl"
    trial = Trial(sites, reach(options.jobs), options.seconds, log)
    code = pytest.main(["-s", "-qq", *TESTS], plugins=[Runner(options.jobs, trial.work)])
    print(*score(trial.results), f"all results: {log}", sep="\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
