"""simcord's browser files as the playground serves them: the same page, with the differences listed here.

The page was made for tests: a workbench around a frozen picture. Each change names the text it replaces; if simcord
no longer has that text exactly once, :func:`check` refuses at import, which is better than a page that half works.
"""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from functools import cache
from pathlib import Path

import simcord.preview

SIMCORD_STATIC = Path(simcord.preview.__file__).with_name("static")

_HEAD = """\
    <title>Quizformer</title>
    <link rel="icon" href="/playground/icon.svg">
    <link rel="stylesheet" href="/preview.css" media="(prefers-color-scheme: dark)">
    <link rel="stylesheet" href="/preview-light.css" media="not all and (prefers-color-scheme: dark)">
    <link rel="stylesheet" href="/playground/frame.css">
    <script src="/playground/frame.js"></script>"""

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
        ("    <title>SimCord Preview</title>", _HEAD),
        ('    <link rel="stylesheet" href="/preview.css">\n', ""),
    ),
    # Asked for again at once: the waiting for something new happens in frame.js, without resending the page.
    "session.js": (("failure, interval = 500 }", "failure, interval = 40 }"),),
    # <t:...:R> is drawn once; frame.js makes it tick.
    "text.js": (
        (
            'const time = node("time", "discord-timestamp", rendered);',
            'const time = node("time", "discord-timestamp", rendered);\n'
            '  if (valid && style === "R") time.dataset.unix = String(unix);',
        ),
    ),
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
    "messages.js": (('"message-loading", "Thinking…"', '"message-loading", "Quizformer is thinking…"'),),
    # The fonts of five scripts (26 MB) need not be there before the first message is shown.
    "presentation.js": tuple(
        (f'  {{ family: "Noto Sans {script}", css: \'normal 16px "Noto Sans {script}"\', sample: "{sample}" }},\n', "")
        for script, sample in (
            ("Arabic", "مرحبا بالعالم"),
            ("Hebrew", "שלום עולם"),
            ("Devanagari", "नमस्ते दुनिया"),
            ("SC", "你好世界"),
        )
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
        ('const queryValue = String(value || "");', 'const queryValue = String(value || "").replace(/^[#@]/, "");'),
    ),
}


def check() -> None:
    """Raise ImportError if a text to be changed is not where it was."""
    for name, changes in CHANGES.items():
        text = (SIMCORD_STATIC / name).read_text(encoding="utf-8")
        for old, _ in changes:
            if text.count(old) != 1:
                raise ImportError(f"the playground does not fit this simcord: {name} changed ({old.strip()[:60]!r})")


@cache
def page_text(name: str) -> str:
    """One of simcord's text files, with the changes."""
    if name == "preview-light.css":
        return _lightened((SIMCORD_STATIC / "preview.css").read_text(encoding="utf-8"))
    text = (SIMCORD_STATIC / name).read_text(encoding="utf-8")
    for old, new in CHANGES.get(name, ()):
        text = text.replace(old, new)
    return text


_COLOUR = re.compile(r"#([0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{4}|[0-9a-fA-F]{3})\b")


def _lightened(css: str) -> str:
    """simcord has a dark look only: turn every grey round and keep the colours. frame.css mends the exceptions."""
    return _COLOUR.sub(_turned, css).replace("color-scheme: dark", "color-scheme: light")


def _turned(match: re.Match[str]) -> str:
    digits = match[1]
    if len(digits) <= 4:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4))
    hue, lightness, saturation = rgb_to_hls(red, green, blue)
    if max(red, green, blue) - min(red, green, blue) > 0.16:
        return match[0]
    if lightness < 0.05 and len(digits) == 8:
        return match[0]  # a shadow
    # The background is 0.21 and its surfaces reach up to 0.35: near white, with more between them than there was.
    # Text is above that and ends near black.
    turned = min(0.99, 1.38 - 1.9 * max(lightness, 0.2)) if lightness < 0.4 else max(0.1, 0.95 - 0.85 * lightness)
    mixed = hls_to_rgb(hue, turned, saturation * 0.7)
    return "#" + "".join(f"{round(part * 255):02x}" for part in mixed) + digits[6:]
