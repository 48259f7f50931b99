"""`make mutants` (`tools/mutants/`): the changes that it makes, and what it says about them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants.sites import mutated, sites_of

SAMPLE = '''
LIMIT: Literal[3] = 4

async def judge(points: int, best: list[int]) -> str | None:
    """Return a word."""
    assert points > 0
    log.info("%s", not points)
    if not best and points <= LIMIT or points in best:
        await store(points)
        best.append(points)
    return "good" if True else None
'''
PROJECT = {
    "bot/__init__.py": "",
    "bot/rules.py": """
LIMIT = 3

def is_open(players):
    return players < LIMIT

def is_full(players):
    return players >= LIMIT
""",
    "tests/test_rules.py": """
from bot.rules import is_open

def test_open():
    assert [is_open(2), is_open(3)] == [True, False]
""",
}


def test_each_change() -> None:
    """Each operator changes what it names and nothing else; asserts, logs and types stay."""
    changes = {
        mutated("sample.py", SAMPLE, site.number): (site.line, site.change)
        for site in sites_of("sample.py", SAMPLE)
    }
    assert [*changes.values()] == [
        (2, "4 -> 3"),
        (8, "or -> and"),
        (8, "and -> or"),
        (8, "not x -> x"),
        (8, "<= -> <"),
        (8, "in -> not in"),
        (9, "await store(points) -> pass"),
        (10, "best.append(points) -> pass"),
        (11, "return 'good' if True else None -> return None"),
        (11, "True -> False"),
    ]
    as_it_is = ast.unparse(ast.parse(SAMPLE)).splitlines()
    for tree, (line, _) in changes.items():
        compile(tree, "sample.py", "exec")
        changed = set(ast.unparse(tree).splitlines()) - set(as_it_is)
        assert 1 <= len(changed) <= 3, (line, changed)


@pytest.mark.thorough
def test_a_small_project(tmp_path: Path) -> None:
    """A change that a test checks is killed, in a function and at import; others survive."""
    for name, text in PROJECT.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    # the tool's own workers have names of their own
    env = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    subprocess.run(
        [sys.executable, "-m", "tools.mutants"],
        cwd=tmp_path,
        env={**env, "PYTHONPATH": str(Path.cwd())},
        check=True,
        timeout=120,
        capture_output=True,
    )
    [log] = (tmp_path / ".mutants").glob("*.jsonl")
    results = [json.loads(line) for line in log.read_text().splitlines()]
    assert {each["site"]: each["killed"] for each in results} == {
        "bot/rules.py:2:int": "failed",
        "bot/rules.py:5:return": "failed",
        "bot/rules.py:5:compare": "failed",
        "bot/rules.py:8:return": None,
        "bot/rules.py:8:compare": None,
    }
