"""Discord's validation of messages and modals, with its error responses."""

from __future__ import annotations

from collections.abc import Collection

from tests.loopback.model import COMPONENTS_V2, LOADING, Json, Message, media_of, parts

ROW, BUTTON, SELECT, TEXT_INPUT, TEXT, LABEL = 1, 2, 3, 4, 10, 18
FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 19, 21, 22, 23
SELECTS = {SELECT, 5, 6, 7, 8}
INPUTS = {TEXT_INPUT, *SELECTS, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX}
_MOST_OPTIONS = {SELECT: 25, RADIO: 10, CHECKBOXES: 10}


class Refused(Exception):
    """An error response from Discord. `errors` names the place in the body where tests need it."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(message)
        self.status, self.body = (
            status,
            {"code": code, "message": message, **({"errors": errors} if errors else {})},
        )


def malformed(where: str, words: str, code: str = "INVALID") -> Refused:
    return Refused(
        400, 50035, "Invalid Form Body", {where: {"_errors": [{"code": code, "message": words}]}}
    )


def check_message(message: Message, body: Json, uploads: Collection[str]) -> None:
    """Validate a request that creates or edits `message`. `uploads` are the names of its files."""
    flags = message.flags | int(body.get("flags") or 0)
    content = body.get("content", message.content) or ""
    components = body.get("components", message.components) or []
    if flags & LOADING:
        return
    if not (content or components or uploads):
        raise Refused(400, 50006, "Cannot send an empty message")
    if len(content) > 2000:
        raise malformed("content", "2,000 characters at most")
    _check_ids(components)
    if flags & COMPONENTS_V2:
        _check_v2(components)
        if content or body.get("embeds"):
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            raise malformed("content", "no content beside Components V2: an edit clears it", code)
    elif len(components) > 5 or any(c["type"] != ROW for c in components):
        raise malformed(
            "components", "five rows at most, and nothing else without the flag of Components V2"
        )
    _check_media(message, body, uploads)


def _check_ids(components: list[Json]) -> None:
    ids = [str(p["custom_id"]) for p in parts(components) if "custom_id" in p]
    if len(set(ids)) < len(ids) or not all(1 <= len(i) <= 100 for i in ids):
        raise malformed("components", "custom ids have 1 to 100 characters and stand once")


def _check_v2(components: list[Json]) -> None:
    found = list(parts(components))
    if len(found) > 40 or sum(len(p["content"]) for p in found if p["type"] == TEXT) > 4000:
        raise malformed("components", "40 components and 4,000 characters of text at most")


def _check_media(message: Message, body: Json, uploads: Collection[str]) -> None:
    """Refuse a picture that is neither uploaded with the request nor listed as an attachment."""
    listed = {(str(a.get("id")), a.get("filename")) for a in body.get("attachments") or []}
    known = {
        *uploads,
        *(a["filename"] for a in message.attachments if (a["id"], a["filename"]) in listed),
    }
    for part in parts(body.get("components") or []):
        for media in media_of(part):
            scheme, _, name = media["url"].partition("://")
            if scheme == "attachment" and name not in known:
                code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
                raise malformed(
                    "components", f"The referenced attachment {name} was not found", code
                )


def check_modal(data: Json) -> None:
    """Validate a modal."""
    components = data.get("components") or []
    inputs = [p for p in parts(components) if p["type"] in INPUTS]
    labels = [p for p in parts(components) if p["type"] == LABEL]
    if not (
        inputs
        and len(components) <= 5
        and 1 <= len(data["title"]) <= 45
        and 1 <= len(data["custom_id"]) <= 100
    ):
        raise malformed(
            "data",
            "a modal has a title of 45 characters, an id of 100, and five components with an input",
        )
    if len(labels) < len(inputs) or any(not 1 <= len(p["label"]) <= 45 for p in labels):
        raise malformed("data", "an input stands in a label of 45 characters")
    if any(len(p.get("description") or "") > 100 for p in labels):
        raise malformed("data", "the description of a label has 100 characters")
    _check_ids(components)
    for part in inputs:
        if part["type"] in _MOST_OPTIONS:
            _check_options(part)


def _check_options(part: Json) -> None:
    options = part.get("options") or []
    least, most = part.get("min_values", 1), part.get("max_values", len(options))
    if not (2 if part["type"] == RADIO else 1) <= len(options) <= _MOST_OPTIONS[part["type"]]:
        raise malformed("data", f"{len(options)} options")
    if len({o["value"] for o in options}) < len(options):
        raise malformed("data", "the values of options differ")
    if any(
        len(text or "") > 100
        for o in options
        for text in (o["label"], o["value"], o.get("description"))
    ):
        raise malformed("data", "the texts of an option have 100 characters")
    if part["type"] != RADIO and not (0 <= least <= most and 1 <= most <= len(options)):
        raise malformed("data", f"{least} to {most} of {len(options)} options")
    if least == 0 and part.get("required", True):
        raise malformed(
            "data", "who must choose can't choose nothing: min_values 0 needs required: false"
        )
