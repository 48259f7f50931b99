"""simcord's browser files as the playground serves them: the same page, with the differences listed here.

The page was made for tests: a workbench around a frozen picture. Each change names the text it replaces; if simcord
no longer has that text exactly once, :func:`check` refuses at import, which is better than a page that half works.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import simcord.preview

SIMCORD_STATIC = Path(simcord.preview.__file__).with_name("static")

# Typed or pasted lines such as "/quiz start questions:3" become a command with its options filled in, as on Discord;
# stock simcord would post them as a message.
_TYPED_LINE = """\
    query = value.slice(1);
    const typed = matchLine(catalog?.entries || [], query);
    if (typed) {
      input.value = "";
      select(typed.entry);
      fillOptions(typed.rest);
      return;
    }"""
_FILL_OPTIONS = """\
  /** @param {string} rest */
  function fillOptions(rest) {
    let last = null;
    for (const { option, text } of readOptions(optionsFor(), rest)) {
      const value = optionFromText(option, text);
      if (!option.required && !currentDraft().added.includes(option.name)) drafts.add(option.name);
      drafts.value(option.name, value);
      last = value.entity ? null : option.name;
    }
    drafts.focus(last);
    renderCompose({ focus: true });
  }
  function exitCommand() {"""
_TYPED_OPTION = """\
        field.addEventListener("input", () => {
          const next = nextOption(optionsFor(), option, field.value);
          if (next) {
            drafts.value(option.name, optionFromText(option, next.text));
            fillOptions(next.rest);
            return;
          }"""

CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "index.html": (
        (
            '<link rel="stylesheet" href="/preview.css">',
            '<link rel="stylesheet" href="/preview.css">\n'
            '    <link rel="stylesheet" href="/playground/frame.css">\n'
            '    <script src="/playground/frame.js"></script>',
        ),
    ),
    # Asked for again at once: the waiting for something new happens in frame.js, without resending the page.
    "session.js": (("failure, interval = 500 }", "failure, interval = 40 }"),),
    # A message that is drawn anew is out of sight for an instant, which is no reason to close the list just opened.
    "select-drafts.js": (
        (
            "        cancelDropdown(wrap.dataset.controlKey);\n        continue;",
            "        setTimeout(() => {\n"
            "          const now = trigger.getBoundingClientRect();\n"
            "          const gone = now.bottom <= 0 || now.top >= viewportHeight;\n"
            "          if (trigger.isConnected && gone) cancelDropdown(wrap.dataset.controlKey);\n"
            "        }, 150);\n"
            "        continue;",
        ),
    ),
    "commands.js": (
        (
            'import { createListbox } from "./listbox.js";',
            'import { createListbox } from "./listbox.js";\n'
            'import { matchLine, nextOption, optionFromText, readOptions } from "/playground/typed.js";',
        ),
        ("    query = value.slice(1);", _TYPED_LINE),
        ("  function exitCommand() {", _FILL_OPTIONS),
        ('        field.addEventListener("input", () => {', _TYPED_OPTION),
        # After the last value Enter sends the command; the field would only offer the same value again.
        (
            "    renderCompose({ focus: Boolean(next) });",
            "    if (!next && document.activeElement instanceof HTMLElement) document.activeElement.blur();\n"
            "    renderCompose({ focus: true });",
        ),
        (
            'const queryValue = String(value || "");',
            'const queryValue = String(value || "").replace(/^[#@]/, "");',
        ),
    ),
}


def check() -> None:
    """Raise ImportError if a text to be changed is not where it was."""
    for name in CHANGES:
        changed(SIMCORD_STATIC / name)


@cache
def changed(path: Path) -> str:
    """The text of one of simcord's files, with the changes."""
    text = path.read_text(encoding="utf-8")
    for old, new in CHANGES[path.name]:
        if text.count(old) != 1:
            raise ImportError(
                f"the playground does not fit this simcord: {path.name} changed ({old.strip()[:60]!r})"
            )
        text = text.replace(old, new)
    return text
