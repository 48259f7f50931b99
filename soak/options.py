"""The options of both long runs: a seed, and a folder that is kept if something is broken."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path


def parse(
    parser: argparse.ArgumentParser, name: str, parent: str | None = None
) -> argparse.Namespace:
    """Parse the command line; draw the seed and create the folder if none is given."""
    parser.add_argument("--seed", type=int, help="decides all that is random (a new one each time)")
    parser.add_argument("--keep", type=Path, help="an empty folder for the database and the log")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    options.folder = options.keep or Path(
        tempfile.mkdtemp(prefix=f"quizformer-{name}-", dir=parent)
    )
    options.folder.mkdir(parents=True, exist_ok=True)
    if any(options.folder.iterdir()):
        parser.error(f"{options.folder} is not empty")
    return options


def end(options: argparse.Namespace, broken: Collection[str]) -> int:
    """Remove the folder, or say where it is; return 1 if something is broken."""
    if not broken and options.keep is None:
        shutil.rmtree(options.folder)
    else:
        print(f"database and log are in {options.folder}", file=sys.stderr)
    return 1 if broken else 0
