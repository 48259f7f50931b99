"""The files that GitHub and Docker Compose read are valid, and workflows follow our rules."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
COMPOSE = ROOT / "compose.yaml"
FILES = [
    ("vendor.github-workflows", WORKFLOWS),
    ("custom.github-workflows-require-timeout", WORKFLOWS),
    ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
    ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE" / "config.yml"]),
    (
        "vendor.github-issue-forms",
        [GITHUB / "ISSUE_TEMPLATE" / f"{name}.yml" for name in ("bug", "idea", "question")],
    ),
    ("vendor.compose-spec", [COMPOSE]),
]


def problems(schema: str, *files: Path) -> str:
    """Return what a schema that comes with check-jsonschema finds in files, or nothing."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    checked = subprocess.run(
        [*command, *map(str, files)], capture_output=True, encoding="utf-8", check=False
    )
    return checked.stdout + checked.stderr if checked.returncode else ""


def workflow(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = YAML(typ="safe").load(file)
    return parsed


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(file)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize(("schema", "files"), FILES, ids=[schema for schema, _ in FILES])
def test_a_file_is_valid(schema: str, files: list[Path]) -> None:
    """Each file has the form that its reader documents."""
    assert problems(schema, *files) == ""


def test_the_eyes_of_these_tests(tmp_path: Path) -> None:
    """A key that GitHub doesn't know is found, in the file and by its name."""
    file = tmp_path / "ci.yml"
    text = (GITHUB / "workflows" / "ci.yml").read_text("utf-8")
    file.write_text(text.replace("timeout-minutes", "timeout-hours"), "utf-8")
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        assert "ci.yml" in problems(schema, file)


def test_actions_are_pinned() -> None:
    """Each action is named by the full hash of a commit, with its version, one for all workflows.

    A tag can be moved to other code, a commit can't.
    """
    uses = re.findall(
        r"^ *(?:- )?uses: *(.*)$",
        "\n".join(file.read_text("utf-8") for file in WORKFLOWS),
        re.MULTILINE,
    )
    assert len(uses) == sum("uses" in step for file in WORKFLOWS for step in steps(file))
    pinned = re.compile(r"([\w.-]+/[\w./-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [use for use in uses if not pinned.fullmatch(use)] == []
    assert len(set(uses)) == len({use.partition("@")[0] for use in uses})


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.stem for file in WORKFLOWS])
def test_a_workflow_trusts_no_text_and_gives_no_job_more_than_it_needs(file: Path) -> None:
    """Expressions are kept out of scripts, because a title or a branch's name may hold commands.

    Jobs may write only if they say so themselves, and no checkout leaves a token on the disk.
    """
    assert [step["run"] for step in steps(file) if "${{" in step.get("run", "")] == []
    assert workflow(file)["permissions"] in ({}, {"contents": "read"})
    checkouts = [step for step in steps(file) if "actions/checkout@" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
