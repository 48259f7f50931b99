"""Computed answers of the topics 11 to 20."""

from __future__ import annotations

import math

from tests.bank.arithmetic.maths import (
    COUNTS,
    Check,
    at_temperature,
    merge_pair,
    nucleus,
    say,
    shares,
    sigmoid,
    softmax,
)


def flat_step() -> str:
    flat = [1 / 1_000] * 1_000
    return f"Top-p keeps {nucleus(flat, 0.9)} tokens, top-k keeps {len(flat[:40])}"


def temperature_first() -> str:
    before, after = (nucleus(at_temperature([0.5, 0.3, 0.15, 0.05], t), 0.9) for t in (1, 2))
    return f"From {before} tokens to {after} tokens"


def close_race() -> str:
    a, b, n = 40 / 50, 43 / 50, 50
    error = math.sqrt(a * (1 - a) / n + b * (1 - b) / n)
    return say({True: "Testing both further, since the gap is within the noise"}, b - a < error)


def ewc_penalty() -> str:
    strength = 2
    return f"{sum(strength / 2 * fisher * moved**2 for fisher, moved in ((5, 0.2), (0.1, 1.0))):.1f}"


def combined_loss() -> str:
    soft, hard, temperature, weight = 0.05, 0.90, 2, 0.7
    return f"{weight * temperature**2 * soft + (1 - weight) * hard:.2f}"


def applied_merges() -> str:
    parts = tuple("lowers")
    for pair in (("l", "o"), ("lo", "w"), ("e", "r")):
        parts = merge_pair(parts, pair)
    return " | ".join(parts)


def attention_against_recurrence() -> str:
    n, d = 256, 1_024
    words = {1 / 16: "A sixteenth as many", 1 / 4: "A quarter as many", 4: "Four times as many", 1: "Equally many"}
    return say(words, (n**2 * d) / (n * d**2))


def state_memory() -> str:
    cached, state = 24 * 2 * 8_000 * 1_024, 24 * 4 * 1_024
    return f"{cached // state:,} times"


def patience() -> str:
    best, since, last = math.inf, 0, 0
    for epoch, loss in enumerate((2.10, 1.85, 1.78, 1.80, 1.79, 1.83), 1):
        best, since = (loss, 0) if loss < best else (best, since + 1)
        if since < 2:
            last = epoch + 1
    return str(last)


def posterior() -> str:
    spam, other = 0.2 * 0.3, 0.8 * 0.05
    return f"{shares([spam, other])[0]:.0%}"


def error_reduction() -> str:
    old, new = 100 - 70.0, 100 - 86.4
    return f"About {(old - new) / old:.0%}"


CHECKS: dict[str, Check] = {
    # 11 next-sentence prediction
    "nsp-fresh-loss": lambda: f"{-math.log(0.5):.2f}",
    "nsp-input-length": lambda: str(len(["[CLS]", *range(120), "[SEP]", *range(80), "[SEP]"])),
    # 12 top-k and top-p
    "topkp-mass-count": lambda: f"{COUNTS[nucleus([0.40, 0.25, 0.15, 0.10, 0.06, 0.04], 0.85)]} tokens",
    "topkp-renormalize": lambda: f"{shares([0.6, 0.2])[0]:.0%}",
    "topkp-flat-step": flat_step,
    "topkp-temperature-first": temperature_first,
    # 13 prompt engineering
    "prompting-example-budget": lambda: f"{(8_192 - 400 - 5_000 - 1_000) // 280} examples",
    "prompting-close-race": close_race,
    # 14 catastrophic forgetting
    "forgetting-ewc-penalty": ewc_penalty,
    "forgetting-mix-count": lambda: f"{3_000 * 64 // 4:,}",
    # 15 knowledge distillation
    "distill-softened-prob": lambda: f"About {softmax([4, 0], temperature=4)[0]:.0%}",
    "distill-parameter-count": lambda: f"{110 * (1 - 0.40):.0f} million",
    "distill-combined-loss": combined_loss,
    # 16 out-of-vocabulary words
    "oov-bytes-count": lambda: f"{len('日本'.encode())} tokens",
    "oov-apply-merges": applied_merges,
    "oov-vocabulary-size": lambda: str(2**8 + 50_000 + 1),
    "oov-language-cost": lambda: f"{130 / 40:.2f} times the English cost",
    # 17 transformers against recurrent networks
    "transformer-rnn-path": lambda: f"1 and {len(range(1, 400))}",
    "transformer-rnn-layer-cost": attention_against_recurrence,
    "transformer-rnn-signal-fade": lambda: f"About {0.95**100:.1%}",
    "transformer-rnn-state-memory": state_memory,
    # 18 overfitting
    "overfit-patience": patience,
    "overfit-dropout-scale": lambda: f"{4.0 / (1 - 0.2):.1f}",
    "overfit-decay-shrink": lambda: f"About {(1 - 0.001 * 0.1) ** 10_000:.0%}",
    # 19 generative and discriminative models
    "gendisc-posterior": posterior,
    "gendisc-lm-scores": lambda: f"About {sigmoid(-40 - -42):.0%}",
    # 20 GPT-4 and GPT-3
    "gpt4-context-factor": lambda: str(32_768 // 2_048),
    "gpt4-mmlu-errors": error_reduction,
    "gpt4-gpt3-memory": lambda: f"{175e9 * 16 / 8 / 1e9:.0f} GB",
}
