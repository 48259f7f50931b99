"""Findings in the shipped packs that an editor has accepted, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

ALLOWED: Mapping[tuple[str, ...], str] = {
    ("undated", "context-new-session"): "today is the day after yesterday in its story",
    ("plug-in", "context-sliding-reach"): "that reach adds up over the layers is the point",
    (
        "plug-in",
        "embedding-gradients-saved",
    ): "that one table of two goes, one row a token, is the point",
    ("plug-in", "kl-from-cross-entropy"): "that cross-entropy is entropy plus KL is the point",
    ("plug-in", "chain-rule-two-branches"): "that paths add up, where steps multiply, is the point",
    ("plug-in", "chain-rule-peak-activations"): "what is held at the same time is the point",
    ("plug-in", "vanishing-norm-rescaled"): "the numbers meet by chance: the norm isn't their sum",
    (
        "plug-in",
        "hyperparameters-global-batch",
    ): "that all three count towards one step is the point",
    (
        "twins",
        "attention-encoder-reach",
        "ar-mlm-who-sees-what",
    ): "one has no mask, the other a causal one",
    (
        "twins",
        "ar-mlm-who-sees-what",
        "softmax-causal-equal",
    ): "one asks who is seen, the other for equal weights",
    (
        "twins",
        "attention-values-doubled",
        "mha-double-heads",
    ): "one doubles the values, the other the heads",
    (
        "twins",
        "chain-of-thought-no-vote",
        "hyperparameters-best-of-200",
    ): "how to pick, and what a pick flatters",
    ("struck out", "distill-text-only-teacher"): "that is what tells it from its siblings",
    ("struck out", "overfit-single-pass"): "that is what tells it from its siblings",
    ("struck out", "ttc-search-on-easy"): "that is what tells it from its siblings",
    ("struck out", "security-zero-click"): "that is what tells it from its siblings",
    ("struck out", "vectors-exact-also-bad"): "that is what tells it from its siblings",
    (
        "twins",
        "modern-block-mla-stored",
        "modern-block-latent-name",
    ): "what it stores, and what it is called",
    (
        "twins",
        "prefill-decode-faster-first-token",
        "quantization-prefill-gain",
    ): "all that shortens it, and a format",
    (
        "twins",
        "softmax-ratio-typed",
        "prefill-decode-gqa-intensity",
    ): "they share numbers, and no question",
}
"""The reason by rule and ids, as in `Finding`. A test fails for an entry that nothing needs."""
