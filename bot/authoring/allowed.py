"""Findings in the shipped packs that an editor has accepted, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

ALLOWED: Mapping[tuple[str, ...], str] = {
    (
        "twins",
        "tokenization-reencoded-rollout",
        "temperature-ratio-pattern",
    ): "other token ids, and another temperature",
    (
        "twins",
        "mixture-drifting-shares",
        "modern-block-bias-router",
    ): "why the shares drift, and how a bias stops it",
    (
        "twins",
        "multi-token-best-depth",
        "multi-token-third-rejected",
    ): "how far to draft, and what one step yields",
    (
        "twins",
        "adaptive-softmax-exact-loss",
        "training-estimate-logits",
    ): "all ways that are exact, and the first one to take",
    (
        "twins",
        "prefill-decode-faster-first-token",
        "quantization-prefill-gain",
    ): "all that shortens it, and a format",
}
"""The reason by rule and ids, as in `Finding`. A test fails for an entry that nothing needs."""
