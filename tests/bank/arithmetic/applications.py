"""Computed answers of the topics 34 to 50."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import count, permutations

from tests.bank.arithmetic.maths import (
    Check,
    dot,
    matmul,
    say,
    shape,
    shares,
    sigmoid,
    size_of,
    softmax,
    transposed,
    visible_pairs,
)


def first_gradient() -> str:
    """h = (W + BA)x with two features and rank one; the gradients of B and A for some g."""
    a, b, x, g = (0.7, -0.4), (0.0, 0.0), (1.5, 2.0), (0.3, -0.8)
    for_b = [gi * dot(a, x) for gi in g]
    for_a = [dot(b, g) * xi for xi in x]
    words = {
        (True, False): "Matrix B but not matrix A",
        (False, True): "Matrix A but not matrix B",
        (True, True): "Both of the matrices",
        (False, False): "Neither of the matrices",
    }
    return say(words, (any(for_b), any(for_a)))


def chunk_count() -> str:
    total, size, overlap = 10_000, 500, 100
    return str(next(n for n in count(1) if size + (n - 1) * (size - overlap) >= total))


def accuracy_bound() -> str:
    found, with_it, without_it = Fraction(7, 10), Fraction(9, 10), Fraction(1, 10)
    return f"{100 * (found * with_it + (1 - found) * without_it)}%"


def balance() -> str:
    tokens, router = (0.5, 0.25, 0.125, 0.125), (0.4, 0.3, 0.2, 0.1)
    assert math.isclose(sum(tokens), 1)
    assert math.isclose(sum(router), 1)
    return f"{len(tokens) * dot(tokens, router):.2f}"


def majority_odds() -> str:
    p, n = 0.6, 3
    odds = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n // 2 + 1, n + 1))
    return f"{odds:.1%}"


def base_rate() -> str:
    fraud, honest = 10_000 * 0.02, 10_000 * 0.98
    return f"About {shares([fraud * 0.9, honest * 0.05])[0]:.0%}"


def hop_count() -> str:
    edges, at, hops = {"Anna": "Ben", "Ben": "Orion", "Orion": "Rust"}, "Anna", 0
    while at != "Rust":
        at, hops = edges[at], hops + 1
    return str(hops)


def empty_input() -> str:
    """Contextual calibration: each label's probability over its value for an empty input."""
    positive, negative = shares([0.7 / 0.8, 0.3 / 0.2])
    return f"Positive, at about {positive:.0%}" if positive > negative else f"Negative, at about {100 * negative:.0f} %"


def average_scores() -> str:
    average = 10_000 + 2 + Fraction(8, 100) * 90_000 + Fraction(2, 100) * 400_000
    return f"{int(average):,}"


def fair_report() -> str:
    draws = (62, 70, 81, 66, 76)
    return f"{sum(draws) / len(draws):.0f} %, the mean, with the spread between the five draws"


def hidden_gap() -> str:
    return f"{dot(shares([900, 100]), (95, 60)):.1f} %"


def cross_scores() -> str:
    queries, keys = [[0.0] * 64 for _ in range(5)], [[0.0] * 64 for _ in range(12)]
    return shape(*size_of(matmul(queries, transposed(keys))))


def last_token() -> str:
    """Positions that a change of the last token can reach, layer by layer."""

    def reached(*, causal: bool) -> int:
        changed = {9}
        for _ in range(4):
            changed |= {query for query in range(10) if any(key <= query or not causal for key in changed)}
        return len(changed)

    return f"{reached(causal=False)} in the encoder, {reached(causal=True)} in the decoder"


def add_one() -> str:
    return f"{float(Fraction(9 + 1, 20 + 30)):g}"


def fair_comparison() -> str:
    words, pieces = 1_000 * math.log2(128), 1_550 * math.log2(16)
    return f"{words - pieces:,.0f} bits"


def log_share() -> str:
    def decades(low: float, high: float) -> float:
        return math.log10(high) - math.log10(low)

    return f"{100 * decades(1e-4, 1e-3) / decades(1e-5, 1e-1):.0f} %"


def halving_cost() -> str:
    total, done, runs = 0, 0, 81
    for epoch in (1, 3, 9, 27, 81):
        total += runs * (epoch - done)
        done, runs = epoch, runs // 3
    return f"{total:,} epochs"


def fourfold_compute() -> str:
    """Parameters and tokens grow alike, and their product fourfold."""
    words = {1: "the same", 2: "twice", 4: "four times"}
    growth = say(words, round(math.sqrt(4)))
    return f"{growth.capitalize()} the parameters, {growth} the tokens"


def block_weights() -> str:
    width, blocks = 4_096, 32
    return f"About {blocks * (4 * width**2 + 2 * width * 4 * width) / 1e9:.1f} billion"


def filter_precision() -> str:
    harmful, harmless = 100_000 * 0.01, 100_000 * 0.99
    return f"About {100 * shares([harmful * 0.95, harmless * 0.02])[0]:.0f} %"


CHECKS: dict[str, Check] = {
    # 34 foundation models
    "foundation-models-vit-patches": lambda: str((224 // 32) ** 2),
    "foundation-models-linear-heads": lambda: f"{20 * (1_024 * 10 + 10):,}",
    # 35 parameter-efficient fine-tuning
    "peft-forgetting-bottleneck-size": lambda: f"{(1_024 * 64 + 64) + (64 * 1_024 + 1_024):,}",
    "peft-forgetting-storage": lambda: f"{14 + 50 * 40 / 1_000:g} GB",
    "peft-forgetting-first-gradient": first_gradient,
    # 36 retrieval-augmented generation
    "rag-steps-chunk-count": chunk_count,
    "rag-steps-accuracy-bound": accuracy_bound,
    # 37 mixture of experts
    "mixture-active-params": lambda: f"{200 + 2 * 100} million",
    "mixture-capacity-slots": lambda: f"{1_024 / 8 * 1.25:.0f}",
    "mixture-balance-value": balance,
    # 38 chain of thought
    "chain-of-thought-vote": lambda: str(Counter([12, 15, 12, 120, 16]).most_common(1)[0][0]),
    "chain-of-thought-majority-odds": majority_odds,
    "chain-of-thought-token-cost": lambda: f"{10 * 150 // 5} times",
    # 39 discriminative and generative AI
    "disc-gen-recall-value": lambda: f"{40 / (40 + 20):.2f}",
    "disc-gen-base-rate": base_rate,
    # 40 knowledge graphs
    "kg-llm-hop-count": hop_count,
    "kg-llm-refuted-share": lambda: f"{100 * 1 / (5 + 1 + 2):g}%",
    # 41 zero-shot learning
    "zero-shot-label-probability": lambda: f"About {softmax([-1.2, -2.3])[0]:.2f}",
    "zero-shot-empty-input": empty_input,
    "zero-shot-chance-level": lambda: f"{100 / 12:.0f}",
    # 42 adaptive softmax
    "adaptive-softmax-rare-word": lambda: f"{0.1 * 0.02:.3f}",
    "adaptive-softmax-average-scores": average_scores,
    "adaptive-softmax-tail-weights": lambda: f"About {(1_024 * 64 + 64 * 100_000) / 1e6:.1f} million",
    # 43 vanishing gradients
    "vanishing-sigmoid-chain": lambda: f"1/{(Fraction(1, 4) ** 6).denominator:,}",
    "vanishing-ten-residuals": lambda: f"About {math.prod([1 - 0.1] * 10):.2f}",
    "vanishing-norm-rescaled": lambda: f"{3 * 1 / math.hypot(3, 4):.1f}",
    # 44 few-shot learning
    "few-shot-prompt-cost": lambda: f"{(200 + 8 * 150 + 100) // (200 + 100)} times",
    "few-shot-orderings": lambda: str(len(set(permutations(range(5))))),
    "few-shot-fair-report": fair_report,
    # 45 fixing biased or wrong outputs
    "fixing-hidden-gap": hidden_gap,
    "fixing-dpo-loss": lambda: f"About {-math.log(sigmoid(0.1 * (2 - -3))):.2f}",
    "fixing-name-swap-rate": lambda: f"{100 * 36 / 400:.0f}",
    # 46 encoder and decoder
    "encoder-vs-decoder-pairs": lambda: str(visible_pairs(6, 6, causal=True)),
    "encoder-vs-decoder-cross-shape": cross_scores,
    "encoder-vs-decoder-last-word": last_token,
    # 47 n-gram models
    "ngram-history-length": lambda: str(len(range(5)[:-1])),
    "ngram-possible-trigrams": lambda: f"{10_000**3 // 10**12} trillion",
    "ngram-add-one": add_one,
    "ngram-interpolated": lambda: f"{dot((0.5, 0.3, 0.2), (0, 0.1, 0.02)):.3f}",
    "ngram-fair-comparison": fair_comparison,
    # 48 hyperparameters
    "hyperparameters-global-batch": lambda: str(8 * 4 * 8),
    "hyperparameters-warm-up-value": lambda: f"{3e-4 * 500 / 2_000 * 1e5:.1f} × 10⁻⁵",
    "hyperparameters-grid-size": lambda: f"{5**4} runs",
    "hyperparameters-log-share": log_share,
    "hyperparameters-halving-cost": halving_cost,
    # 49 what defines an LLM
    "llm-defined-tokens-per-weight": lambda: f"{1.4e12 / 70e9:.0f}",
    "llm-defined-fourfold-compute": fourfold_compute,
    "llm-defined-block-weights": block_weights,
    # 50 deploying
    "deploying-answer-time": lambda: f"{1 + 400 / 50:.0f}",
    "deploying-four-bit": lambda: f"{70e9 * 4 / 8 / 1e9:g} GB",
    "deploying-cache-size": lambda: f"{2 * 32 * 8 * 128 * 2 * 4_096 // 2**20:,} MiB",
    "deploying-filter-precision": filter_precision,
}
