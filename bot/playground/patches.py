"""Patches for simcord's browser files, whose page was made for tests.

Each patch names the text that it replaces. If simcord doesn't contain that text exactly once,
`check` fails at import, which is better than a page that half works.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import simcord.preview

SIMCORD_STATIC = Path(simcord.preview.__file__).with_name("static")

# A typed or pasted line like "/quiz questions:3" becomes a command with its options filled
# in, as on Discord. Plain simcord would post it as a message.
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

# "https://discord.com/channels/1/2/3" is shown as its place, "#quiz › message".
_PLACE = """\
if (token.type === "text") {
      const place = window.quizformerPlace?.(token.content);
      if (place) target.append(node("span", "mention", place)); else appendText(target, token.content);
      continue;
    }"""

PATCHES: dict[str, tuple[tuple[str, str], ...]] = {
    "index.html": (
        (
            '<link rel="stylesheet" href="/preview.css">',
            '<link rel="stylesheet" href="/preview.css">\n'
            '    <link rel="stylesheet" href="/playground/frame.css">\n'
            '    <script src="/playground/frame.js"></script>',
        ),
    ),
    # poll again at once: frame.js waits for changes, without the page being sent again
    "session.js": (("failure, interval = 500 }", "failure, interval = 40 }"),),
    # a message is hidden for an instant while it is redrawn; don't close its open list because of
    # that
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
        # after the last value Enter sends the command; the field would only offer the same value
        # again
        (
            "    renderCompose({ focus: Boolean(next) });",
            "    if (!next && document.activeElement instanceof HTMLElement) document.activeElement.blur();\n"
            "    renderCompose({ focus: true });",
        ),
        (
            'const queryValue = String(value || "");',
            'const queryValue = String(value || "").replace(/^[#@]/, "");',
        ),
        # Discord asks the bot for suggestions as soon as a field has the focus, and empty ones too
        (
            '            const current = String(field.value || "");',
            '            const current = String(field.value || "");\n'
            "            if (!field.readOnly) queryAutocomplete(option, current);",
        ),
        (
            '"command-popup-heading", heading);\n    popupElement().append(title);',
            '"command-popup-heading", heading.replace(/ MATCHING $/, ""));\n'
            "    popupElement().append(title);",
        ),
        (
            '"Loading options failed" : "No options match"',
            '"Loading options failed" : autocomplete.state === "loading" ? "Loading options" : "No options match"',
        ),
        # a chosen suggestion is shown with its name, not with the value that the bot gets
        (
            '(value.raw ? "True" : "False") : String(value?.raw ?? "");',
            '(value.raw ? "True" : "False") : String(value?.label ?? value?.raw ?? "");',
        ),
    ),
    "text.js": (
        ('if (token.type === "text") { appendText(target, token.content); continue; }', _PLACE),
    ),
    "messages.js": (
        (
            "    if (toolbar.childElementCount) root.append(toolbar);",
            "    window.quizformerMenu?.(toolbar, message, options.onClick);\n"
            "    if (toolbar.childElementCount) root.append(toolbar);",
        ),
    ),
    # the bot says in the field's label how large a file it takes, which may be less
    "components.js": (
        (
            "`Upload up to ${component.max_values ?? 1} files, 10 MiB per file.`",
            'component.max_values > 1 ? `Up to ${component.max_values} files` : "One file"',
        ),
    ),
}


def check() -> None:
    """Raise ImportError if a patch doesn't apply."""
    for name in PATCHES:
        patched(SIMCORD_STATIC / name)


@cache
def patched(path: Path) -> str:
    """Return the text of one of simcord's files with its patches applied."""
    text = path.read_text(encoding="utf-8")
    for old, new in PATCHES[path.name]:
        if text.count(old) != 1:
            raise ImportError(
                f"the playground does not fit this simcord: {path.name} changed ({old.strip()[:60]!r})"
            )
        text = text.replace(old, new)
    return text
