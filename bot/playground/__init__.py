"""The simulated Discord of `python -m bot play`: the real bot in a browser, without an account.

Only this package imports simcord. It depends on internals of one version (see `live` and
`patches`), so it refuses any other.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

SIMCORD_VERSION = "3.2.1"


def _require_simcord() -> None:
    try:
        found = version("simcord")
    except PackageNotFoundError:
        found = "none"
    if found == SIMCORD_VERSION and any(
        find_spec(name) is None for name in ("PIL", "markdown_it", "regex")
    ):
        found = f"{found} without its preview"
    if found != SIMCORD_VERSION:
        raise ImportError(
            f"the playground needs simcord {SIMCORD_VERSION} (found: {found}). "
            'Install it with: pip install "quizformer[play]"'
        )


_require_simcord()

from . import patches  # noqa: E402  # after the check of the version
from .server import PORT, listen  # noqa: E402
from .session import download, serve  # noqa: E402

patches.check()

__all__ = ["PORT", "download", "listen", "serve"]
