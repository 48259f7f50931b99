"""Print the changelog's section about a version, as the notes of its release on GitHub.

python .ci/release_notes.py 1.0.0 --base-url https://github.com/OWNER/NAME/blob/v1.0.0
"""

import argparse
import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parent.parent / "CHANGELOG.md"
_FENCE = re.compile(r"\s*```")
_WHOLE_LINE = re.compile(r"\s*(#|\||```)")
_LIST_ITEM = re.compile(r"\s*([-*+]|\d+\.) ")
_RELATIVE_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)")


def section(changelog: str, version: str) -> str:
    """Return the text below a version's heading, or raise LookupError with the reason."""
    heading = re.search(rf"^## {re.escape(version)}(?: \((.+)\))?$", changelog, re.MULTILINE)
    if heading is None:
        raise LookupError(f"The changelog has no section for version {version}.")
    if heading[1] == "unreleased":
        raise LookupError(f'The changelog still calls version {version} "unreleased".')
    return re.split(r"^## ", changelog[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()


def unwrapped(markdown: str) -> str:
    """Return Markdown with each paragraph and each item of a list on one line.

    GitHub shows the line breaks of a release's notes, but not those of a file.
    """
    lines = [""]
    in_code = False
    for line in markdown.splitlines():
        continues = not in_code and line.strip() and lines[-1]
        if continues and not any(
            (_WHOLE_LINE.match(lines[-1]), _WHOLE_LINE.match(line), _LIST_ITEM.match(line))
        ):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        if _FENCE.match(line):
            in_code = not in_code
    return "\n".join(lines[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the changelog's section about a version.")
    parser.add_argument("version", help="such as 1.0.0")
    parser.add_argument("--changelog", type=Path, default=CHANGELOG, metavar="FILE")
    parser.add_argument("--base-url", metavar="URL", help="what relative links begin with")
    args = parser.parse_args()
    try:
        notes = unwrapped(section(args.changelog.read_text(encoding="utf-8"), args.version))
    except LookupError as problem:
        print(problem, file=sys.stderr)
        return 2
    if args.base_url:
        notes = _RELATIVE_LINK.sub(lambda _: f"{args.base_url}/", notes)
    print(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
