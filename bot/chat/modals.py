"""Modals. They are routed by custom id like a click, so discord.py need not remember them."""

from __future__ import annotations

import discord
from discord import ui

from bot.chat import text as t
from bot.interviews.rules import MAX_ANSWER
from bot.questions.model import Topic


def essay_modal(custom_id: str, topic: Topic) -> ui.Modal:
    """A modal for the answer to an open question. It holds the question, since it hides the card on a phone."""
    return text_modal(
        "Your answer",
        custom_id,
        label="In a few sentences, as you would say it aloud",
        hint=None,
        limit=MAX_ANSWER,
        long=True,
        above=ui.TextDisplay(t.heading(topic.question)),
    )


def text_modal(
    title: str,
    custom_id: str,
    *,
    label: str,
    hint: str | None,
    limit: int,
    long: bool = False,
    above: ui.TextDisplay[ui.LayoutView] | None = None,
) -> ui.Modal:
    """A modal of one text field, perhaps with a text above it."""
    modal = ui.Modal(title=title, custom_id=custom_id, timeout=None)
    if above is not None:
        modal.add_item(above)
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    field: ui.TextInput[ui.LayoutView] = ui.TextInput(style=style, max_length=limit, placeholder=hint, custom_id="text")
    modal.add_item(ui.Label(text=label, component=field))
    modal.stop()
    return modal
