"""Computed answers of the topics 34 to 50."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import permutations

from tests.bank.arithmetic.maths import (
    Check,
    dot,
    say,
    shares,
    sigmoid,
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


def accuracy_bound() -> str:
    found, with_it, without_it = Fraction(7, 10), Fraction(9, 10), Fraction(1, 10)
    return f"{100 * (found * with_it + (1 - found) * without_it)}%"


def majority_odds() -> str:
    p, n = 0.6, 3
    odds = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n // 2 + 1, n + 1))
    return f"{odds:.1%}"


def base_rate() -> str:
    fraud, honest = 10_000 * 0.02, 10_000 * 0.98
    return f"About {shares([fraud * 0.9, honest * 0.05])[0]:.0%}"


def empty_input() -> str:
    """Contextual calibration: each label's probability over its value for an empty input."""
    positive, negative = shares([0.7 / 0.8, 0.3 / 0.2])
    return (
        f"Positive, at about {positive:.0%}"
        if positive > negative
        else f"Negative, at about {100 * negative:.0f}%"
    )


def average_scores() -> str:
    average = 10_000 + 2 + Fraction(8, 100) * 90_000 + Fraction(2, 100) * 400_000
    return f"{int(average):,}"


def fair_report() -> str:
    draws = (62, 70, 81, 66, 76)
    return f"{sum(draws) / len(draws):.0f}%, the mean, with the spread between the five draws"


def last_token() -> str:
    """Positions that a change of the last token can reach, layer by layer."""

    def reached(*, causal: bool) -> int:
        changed = {9}
        for _ in range(4):
            changed |= {
                query for query in range(10) if any(key <= query or not causal for key in changed)
            }
        return len(changed)

    return f"{reached(causal=False)} in the encoder, {reached(causal=True)} in the decoder"


def fair_comparison() -> str:
    words, pieces = 1_000 * math.log2(128), 1_550 * math.log2(16)
    return f"{words - pieces:,.0f} bits"


def log_share() -> str:
    def decades(low: float, high: float) -> float:
        return math.log10(high) - math.log10(low)

    return f"{100 * decades(1e-4, 1e-3) / decades(1e-5, 1e-1):.0f}%"


def fourfold_compute() -> str:
    """Parameters and tokens grow alike, and their product fourfold."""
    words = {1: "the same", 2: "twice", 4: "four times"}
    growth = say(words, round(math.sqrt(4)))
    return f"{growth.capitalize()} the parameters, {growth} the tokens"


def block_weights() -> str:
    width, blocks = 4_096, 32
    return f"About {blocks * (4 * width**2 + 2 * width * 4 * width) / 1e9:.1f} billion"


def failed_answers() -> str:
    """The stage where most of 40 passages get lost, from the number left after each stage."""
    left = [40, 39, 35, 8]
    lost = [before - after for before, after in zip(left, [*left[1:], 0], strict=True)]
    words = {
        0: "The index that holds the chunks",
        1: "The search for the candidates",
        2: "The reranker of the candidates",
        3: "The generator with its prompt",
    }
    return say(words, lost.index(max(lost)))


def residual_scaling() -> str:
    """Growth of the variance of a sum of N independent branches from N = 12 to 96, with weights over root N or not."""
    as_it_is, scaled = (96 * (96**power) ** 2 / (12 * (12**power) ** 2) for power in (0, -0.5))
    words = {(8, 1): "Start the branches' output weights scaled by 1/√N"}
    return say(words, (round(as_it_is, 6), round(scaled, 6)))


def dpo_start() -> str:
    losses = [-math.log(sigmoid(0.1 * (policy - policy))) for policy in (-3.0, -250.0)]
    words = {True: "ln 2, however likely or unlikely the two answers are"}
    return say(words, all(math.isclose(loss, math.log(2)) for loss in losses))


def layers_in_two_stacks() -> str:
    """Weights and multiplications of two stacks of L layers against one; each token uses a weight
    once."""
    layers, source, target = 12, 70, 30
    weights = {"both": 2 * layers, "one": layers}
    work = {"both": layers * source + layers * target, "one": layers * (source + target)}
    words = {(2, 1): "Twice the parameters at about equal computation"}
    return say(words, (weights["both"] // weights["one"], work["both"] // work["one"]))


def add_one_harm() -> str:
    """The share of unseen words with one count more each, and with a discount of at most 0.75 of a
    count."""
    seen, vocabulary, distinct = 50, 100_000, 50
    by_counts, by_discount = (vocabulary - distinct) / (seen + vocabulary), 0.75 * distinct / seen
    words = {(True, False): "It adds one to the count of every possible word"}
    return say(words, (by_counts > 0.99, by_discount > 0.99))


def weights_on_training_text() -> str:
    """The best mixture of the three orders on the text that was counted, from a grid of weights."""
    text = ["a", "b", "a", "c", "a", "b", "b", "a", "c", "b", "a", "b", "c", "c", "a", "b", "a"]
    grams = {
        n: Counter(tuple(text[i : i + n]) for i in range(2 - n + 1, len(text) - n + 1))
        for n in (1, 2, 3)
    }
    histories = {
        n: Counter(tuple(text[i : i + n - 1]) for i in range(2 - n + 1, len(text) - n + 1))
        for n in (2, 3)
    }

    def estimates(i: int) -> list[float]:
        longer = [
            grams[n][tuple(text[i - n + 1 : i + 1])] / histories[n][tuple(text[i - n + 1 : i])]
            for n in (3, 2)
        ]
        return [*longer, grams[1][(text[i],)] / sum(grams[1].values())]

    grid = [(a / 10, b / 10, (10 - a - b) / 10) for a in range(11) for b in range(11 - a)]
    places = [estimates(i) for i in range(2, len(text))]
    best = max(grid, key=lambda weights: sum(math.log(dot(weights, place)) for place in places))
    return say({True: "All of it on the trigram"}, best[0] == 1)


CHECKS: dict[str, Check] = {
    # 35 parameter-efficient fine-tuning
    "peft-forgetting-first-gradient": first_gradient,
    # 36 retrieval-augmented generation
    "rag-steps-accuracy-bound": accuracy_bound,
    "rag-steps-failed-answers": failed_answers,
    # 38 chain of thought
    "chain-of-thought-majority-odds": majority_odds,
    # 39 discriminative and generative AI
    "disc-gen-base-rate": base_rate,
    # 41 zero-shot learning
    "zero-shot-empty-input": empty_input,
    # 42 adaptive softmax
    "adaptive-softmax-average-scores": average_scores,
    # 43 vanishing gradients
    "vanishing-residual-scaling": residual_scaling,
    "vanishing-ten-residuals": lambda: f"About {math.prod([1 - 0.1] * 10):.2f}",
    "vanishing-norm-rescaled": lambda: f"{3 * 1 / math.hypot(3, 4):.1f}",
    # 44 few-shot learning
    "few-shot-orderings": lambda: str(len(set(permutations(range(5))))),
    "few-shot-fair-report": fair_report,
    # 45 fixing biased or wrong outputs
    "fixing-dpo-start": dpo_start,
    # 46 encoder and decoder
    "encoder-vs-decoder-cost": layers_in_two_stacks,
    "encoder-vs-decoder-pairs": lambda: str(visible_pairs(6, 6, causal=True)),
    "encoder-vs-decoder-last-word": last_token,
    # 47 n-gram models
    "ngram-add-one-harm": add_one_harm,
    "ngram-weights-on-train": weights_on_training_text,
    "ngram-history-length": lambda: str(len(range(5)[:-1])),
    "ngram-fair-comparison": fair_comparison,
    # 48 hyperparameters
    "hyperparameters-global-batch": lambda: str(8 * 4 * 8),
    "hyperparameters-log-share": log_share,
    # 49 what defines an LLM
    "llm-defined-fourfold-compute": fourfold_compute,
    "llm-defined-block-weights": block_weights,
    # 50 deploying
    "deploying-answer-time": lambda: f"About {1 - 0.95**10:.0%}",
    "deploying-four-bit": lambda: f"{70e9 * 4 / 8 / 1e9:g} GB",
}
