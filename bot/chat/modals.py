"""Builders for modals. Their submissions are routed by custom id, like clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import discord
from discord import ui

from bot.chat.messages import zone_list


def text_modal(
    title: str,
    custom_id: str,
    *,
    label: str,
    limit: int,
    long: bool = False,
    above: str,
    written: str = "",
) -> ui.Modal:
    """Build a modal with one text field, prefilled with `written`; `above` is shown over it."""
    field: ui.TextInput[ui.LayoutView] = ui.TextInput(
        style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
        max_length=limit,
        default=written[:limit] or None,
        custom_id="text",
    )
    return _modal(title, custom_id, label, field, above)


def boxes_modal(
    title: str, custom_id: str, *, label: str, options: Sequence[str], above: str
) -> ui.Modal:
    """Build a modal with one checkbox per option; the submitted values are their positions.

    At least one must be ticked.
    """
    boxes: ui.CheckboxGroup[ui.LayoutView] = ui.CheckboxGroup(
        custom_id="boxes",
        min_values=1,
        max_values=len(options),
        options=[
            discord.CheckboxGroupOption(label=option, value=str(n))
            for n, option in enumerate(options)
        ],
    )
    return _modal(title, custom_id, label, boxes, above)


def _modal(
    title: str, custom_id: str, label: str, field: ui.Item[ui.LayoutView], above: str
) -> ui.Modal:
    """Build a modal with one field."""
    return fields_modal(
        title,
        custom_id,
        ui.TextDisplay(above) if above else None,
        ui.Label(text=label, component=field),
    )


def fields_modal(title: str, custom_id: str, *parts: ui.Item[Any] | None) -> ui.Modal:
    """Build a modal with several fields; None is skipped."""
    modal = ui.Modal(title=title, custom_id=custom_id, timeout=None)
    for part in parts:
        if part is not None:
            modal.add_item(part)
    modal.stop()
    return modal


def file_field(label: str, hint: str) -> ui.Label[ui.Modal]:
    """Build a field for uploading one file or none. `modal_file` reads it."""
    field: ui.FileUpload[ui.Modal] = ui.FileUpload(custom_id="upload", required=False, max_values=1)
    return ui.Label(text=label, description=hint, component=field)


def box_field(name: str, label: str, option: str) -> ui.Label[ui.Modal]:
    """Build a field with one checkbox; if it is ticked, its value is "0"."""
    field: ui.CheckboxGroup[ui.Modal] = ui.CheckboxGroup(
        custom_id=name,
        required=False,
        min_values=0,
        max_values=1,
        options=[discord.CheckboxGroupOption(label=option, value="0")],
    )
    return ui.Label(text=label, component=field)


def text_field(
    name: str,
    label: str,
    value: str,
    limit: int,
    hint: str | None = None,
    *,
    long: bool = False,
    needed: bool = True,
) -> ui.Label[ui.Modal]:
    """Build a text field with its current value, and a hint below its label."""
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    field: ui.TextInput[ui.Modal] = ui.TextInput(
        style=style,
        custom_id=name,
        default=value[:limit] or None,
        max_length=limit,
        required=needed,
    )
    return ui.Label(text=label, description=hint, component=field)


def zone_fields(zone: str | None, now: datetime) -> tuple[ui.Label[Any], ui.Label[Any]]:
    """Build a list of common time zones, and a field for any other. `modal_zone` reads them.

    Nothing is picked beforehand if `zone` is None, because the member's is not known.
    """
    hint = "A city or a zone, for example Lisbon"
    return (
        ui.Label(text="Time zone", component=zone_list(zone, now)),
        text_field("other", "Not listed?", "", 64, hint, needed=False),
    )


def radio_field(
    name: str,
    label: str,
    options: Mapping[str, str],
    chosen: str = "",
    *,
    needed: bool = True,
) -> ui.Label[ui.Modal]:
    """Build a field for choosing one value; `options` maps values to labels."""
    group: ui.RadioGroup[ui.Modal] = ui.RadioGroup(
        custom_id=name,
        required=needed,
        options=[
            discord.RadioGroupOption(label=words, value=value, default=value == chosen)
            for value, words in options.items()
        ],
    )
    return ui.Label(text=label, component=group)


def reason_modal(
    title: str, custom_id: str, *, label: str, reasons: Sequence[str], hint: str, limit: int
) -> ui.Modal:
    """Build a modal for a reason: a common one, own words, or both. `modal_reason` reads it."""
    return fields_modal(
        title,
        custom_id,
        radio_field("reason", label, {reason: reason for reason in reasons}, needed=False),
        text_field("text", "In your own words", "", limit, hint, long=True, needed=False),
    )
