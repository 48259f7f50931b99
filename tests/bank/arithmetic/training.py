"""Computed answers of the topics 11 to 20."""

from __future__ import annotations

import math
import unicodedata

from tests.bank.arithmetic.maths import (
    COUNTS,
    Check,
    merge_pair,
    nucleus,
    say,
)


def flat_step() -> str:
    flat = [1 / 1_000] * 1_000
    return f"Top-p keeps {nucleus(flat, 0.9)} tokens, top-k keeps {len(flat[:40])}"


def close_race() -> str:
    a, b, n = 40 / 50, 43 / 50, 50
    error = math.sqrt(a * (1 - a) / n + b * (1 - b) / n)
    return say({True: "These cases can't tell which of the two prompts is better"}, b - a < error)


def applied_merges() -> str:
    parts = tuple("lowers")
    for pair in (("l", "o"), ("lo", "w"), ("e", "r")):
        parts = merge_pair(parts, pair)
    return " | ".join(parts)


def two_accents() -> str:
    one, two = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    return say(
        {(1, 2): "One character can be stored as one code point or two"}, (len(one), len(two))
    )


def stream_garbage() -> str:
    """One character's bytes, cut in two and decoded apart."""
    parts = "日".encode()[:1], "日".encode()[1:]
    spoiled = all("\ufffd" in part.decode(errors="replace") for part in parts)
    return say({True: "The bytes of one character can be split over two tokens"}, spoiled)


def linear_attention() -> str:
    """The same outputs from all pairs and from sums that are carried along."""
    queries, keys, values = (1.0, 2.0, 0.5), (0.3, 1.1, 2.0), (4.0, -1.0, 3.0)
    pairs = [
        sum(q * k * v for k, v in zip(keys[: n + 1], values, strict=False))
        / sum(q * k for k in keys[: n + 1])
        for n, q in enumerate(queries)
    ]
    carried, top, bottom = [], 0.0, 0.0
    for q, k, v in zip(queries, keys, values, strict=True):
        top, bottom = top + k * v, bottom + k
        carried.append(q * top / (q * bottom))
    same = all(math.isclose(a, b) for a, b in zip(pairs, carried, strict=True))
    return say({True: "Its sums over keys and values form a state of fixed size"}, same)


def patience() -> str:
    losses = (2.10, 1.85, 1.78, 1.80, 1.79)
    best = losses.index(min(losses)) + 1
    assert len(losses) - best == 2
    return str(best)


CHECKS: dict[str, Check] = {
    # 12 top-k and top-p
    "topkp-mass-count": lambda: (
        f"{COUNTS[nucleus([0.40, 0.25, 0.15, 0.10, 0.06, 0.04], 0.85)]} tokens"
    ),
    "topkp-flat-step": flat_step,
    # 13 prompt engineering
    "prompting-close-race": close_race,
    # 16 out-of-vocabulary words
    "oov-bytes-count": lambda: f"{len('日本'.encode())} tokens",
    "oov-apply-merges": applied_merges,
    "oov-two-accents": two_accents,
    "oov-stream-garbage": stream_garbage,
    # 17 transformers and recurrent networks
    "transformer-rnn-linear-attention": linear_attention,
    # 18 overfitting
    "overfit-patience": patience,
}
