"""What the rules say no to."""

from __future__ import annotations


class UserError(Exception):
    """Something asked for that cannot be done now.

    `str(refusal)` is the whole sentence that the member reads: what, why, and what to do.
    """
