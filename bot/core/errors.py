"""Exceptions for expected failures, and the words for others."""

from __future__ import annotations


def words_of(error: BaseException) -> str:
    """Return an error's message on one line, a driver's without SQL and links.

    Some errors have none: a TimeoutError's text is empty.
    """
    cause = getattr(error, "orig", None) or error
    nothing = "it took too long" if isinstance(cause, TimeoutError) else type(cause).__name__
    return " ".join(str(cause).split())[:200] or nothing


class UserError(Exception):
    """A member's request can't be done now.

    `str(error)` is the whole sentence that the member reads: what, why, and what to do. Create the
    instance where you raise it: one that is raised repeatedly keeps every traceback alive.
    """


class DeliveryRefused(Exception):
    """Discord refused permanently: the channel or message is gone, or a permission is missing.

    `what` is "server", "channel", "message", "permission", "closed" (the member accepts no
    direct messages), "role", "member" (who has left) or "refused"; the text is a sentence for status
    and logs.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(reason)
        self.what = what


class DeliveryUnknown(Exception):
    """Discord failed or could not be reached; the request may have been carried out. Retry later."""


class DeliveryLater(DeliveryUnknown):
    """Discord refused for now, after too many direct messages; nothing was sent. Retry later."""
