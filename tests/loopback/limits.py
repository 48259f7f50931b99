"""Rate limits with fixed windows, as seen by Discord's clients."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

MESSAGES = "/channels/{}/messages"
MESSAGE = "/channels/{}/messages/{}"
_BUCKETS = {
    ("POST", MESSAGES): ("create", 5, 5.0),
    ("PATCH", MESSAGE): ("edit", 5, 5.0),
    ("POST", "/webhooks/{}/{}"): ("followup", 5, 2.0),
}
_GLOBAL, _GLOBAL_SECONDS = 50, 1.0


@dataclass
class Limits:
    """`refused` counts real 429 responses, not those that tests injected."""

    clock: Callable[[], float] = time.time
    refused: int = 0
    _windows: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def use(self, method: str, template: str, major: str) -> tuple[dict[str, str], float | None]:
        """Return the headers for a request, and the seconds until a retry or None."""
        if not template.startswith(("/interactions", "/webhooks")):
            left, wait = self._use(("global", ""), _GLOBAL, _GLOBAL_SECONDS)
            if left < 0:
                return {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}, wait
        if (method, template) not in _BUCKETS:
            return {}, None
        name, limit, seconds = _BUCKETS[method, template]
        left, wait = self._use((name, major), limit, seconds)
        headers = {
            "X-RateLimit-Bucket": name,
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": f"{self.clock() + wait:.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
        }
        return headers, wait if left < 0 else None

    def _use(self, key: tuple[str, str], limit: int, seconds: float) -> tuple[int, float]:
        now = time.monotonic()
        start, used = self._windows.get(key, (now, 0))
        if now - start >= seconds:
            start, used = now, 0
        refused = used >= limit
        self.refused += refused
        self._windows[key] = (start, used + (not refused))
        return (-1 if refused else limit - used - 1), start + seconds - now
