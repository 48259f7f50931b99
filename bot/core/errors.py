"""What can go wrong in ways that are expected."""

from __future__ import annotations


class UserError(Exception):
    """Something a member asked for cannot be done now.

    `str(error)` is the whole sentence that they read: what, why, and what to do. It is made when it is raised: an
    instance that is raised again and again keeps every frame of every refusal alive.
    """


class DeliveryRefused(Exception):
    """Discord refused for good: the channel or message is gone, or a permission is missing.

    `what` is "server", "channel", "message", "permission", "closed" (a member takes no direct messages) or "refused";
    the text is a sentence for status and logs.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(reason)
        self.what = what


class DeliveryUnknown(Exception):
    """Discord could not be reached or failed; whether it did what was asked is not known. Try again later."""


class DeliveryLater(DeliveryUnknown):
    """Discord did not do it and may do it later: it has had too many direct messages from the bot for now."""
