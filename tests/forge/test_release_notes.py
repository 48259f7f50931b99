"""The script that makes a release's notes of the changelog, and the changelog itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bot

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "release_notes.py"
CHANGELOG = """# Changelog

What people notice, newest first.

## 2.0.0 (unreleased)

- Not yet.

## 1.1.0-rc.1 (2026-12-20)

- To try out.

## 1.1.0 (2027-01-02)

The second release
of the bot.

- A line that
  goes on, with [a page](docs/a.md) and
  [an address](https://example.org/b).
- Another one:
  1. first
  2. second

### For operators
Run this:
```
make lock
make run
```
then wait.

| a | b |
|---|---|
| 1 | 2 |

## 1.0.0 (2026-12-01)

- The oldest.
"""
NOTES = """The second release of the bot.

- A line that goes on, with [a page](docs/a.md) and [an address](https://example.org/b).
- Another one:
  1. first
  2. second

### For operators
Run this:
```
make lock
make run
```
then wait.

| a | b |
|---|---|
| 1 | 2 |
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def changelog(tmp_path: Path) -> str:
    file = tmp_path / "CHANGELOG.md"
    file.write_text(CHANGELOG, encoding="utf-8")
    return str(file)


def test_notes_are_one_section_with_each_paragraph_on_one_line(changelog: str) -> None:
    """Lists, headings, code and tables keep their lines; other versions are left out."""
    printed = run("1.1.0", "--changelog", changelog)
    assert (printed.returncode, printed.stdout, printed.stderr) == (0, NOTES, "")


@pytest.mark.parametrize(
    ("version", "notes"), [("1.1.0-rc.1", "- To try out.\n"), ("1.0.0", "- The oldest.\n")]
)
def test_a_version_is_matched_in_full(changelog: str, version: str, notes: str) -> None:
    """A pre-release has its own section, and the last section ends with the file."""
    assert run(version, "--changelog", changelog).stdout == notes


def test_relative_links_become_absolute(changelog: str) -> None:
    """Only links without a scheme begin with the given address."""
    printed = run("1.1.0", "--changelog", changelog, "--base-url", "https://example.org/v1.1.0")
    links = re.findall(r"\]\(([^)]+)\)", printed.stdout)
    assert links == ["https://example.org/v1.1.0/docs/a.md", "https://example.org/b"]


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("2.0.0", 'The changelog still calls version 2.0.0 "unreleased".'),
        ("3.0.0", "The changelog has no section for version 3.0.0."),
        ("1.1", "The changelog has no section for version 1.1."),
        ("1.1.0-rc", "The changelog has no section for version 1.1.0-rc."),
        ("1.1.0-rc.1 ", "The changelog has no section for version 1.1.0-rc.1 ."),
        ("1.0.0.*", "The changelog has no section for version 1.0.0.*."),
    ],
)
def test_a_version_without_notes_is_refused(changelog: str, version: str, reason: str) -> None:
    """Exit code 2 and one sentence; nothing is printed that could become notes."""
    printed = run(version, "--changelog", changelog)
    assert (printed.returncode, printed.stdout, printed.stderr) == (2, "", f"{reason}\n")


def test_the_changelog_has_headings_that_the_script_reads() -> None:
    """Each section names a version, with its date or as unreleased."""
    headings = re.findall(r"^##\s.*$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    known = re.compile(r"## \d+\.\d+\.\d+(-[a-z0-9.]+)? \((unreleased|\d{4}-\d\d-\d\d)\)")
    assert headings
    assert [heading for heading in headings if not known.fullmatch(heading)] == []


def test_the_version_is_the_same_everywhere() -> None:
    """The package, the bot and the newest section of the changelog name one version."""
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    package = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert newest is not None
    assert (package, newest[1]) == (bot.__version__, bot.__version__)
