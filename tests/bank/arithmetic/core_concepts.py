"""Computed answers of the topics 1 to 10."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, product

from tests.bank.arithmetic.maths import (
    Check,
    at_temperature,
    dot,
    matmul,
    merge_pair,
    rank,
    say,
    shape,
    sigmoid,
    softmax,
    transposed,
    visible_pairs,
)


def twice_the_vocabulary() -> str:
    """A larger vocabulary: the same text with one more merge, and a table with more rows."""
    text = tuple("abababcab")
    shorter = len(merge_pair(text, ("a", "b"))) < len(text)
    larger = 64_000 * 512 > 32_000 * 512
    return f"{'Shorter' if shorter else 'Longer'} sequences and a {'larger' if larger else 'smaller'} embedding table"


def second_merge() -> str:
    words = {tuple("cat"): 6, tuple("car"): 5, tuple("bat"): 4, tuple("rat"): 3}
    merges: list[tuple[str, str]] = []
    for _ in range(2):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        (best, top), (_, runner_up) = pairs.most_common(2)
        assert top > runner_up
        merges.append(best)
        words = {merge_pair(word, best): count for word, count in words.items()}
    assert merges[0] == ("a", "t")
    return f"Merge {merges[1][0]} with {merges[1][1]}"


def loss_per_character() -> str:
    per_character = {"X": 2.4 / 4, "Y": 2.0 / 3}
    (name, good), (_, bad) = sorted(per_character.items(), key=lambda entry: entry[1])
    return f"{name}, with {good:.2f} rather than {bad:.2f} nats per character"


def possible_output() -> str:
    """A softmax average lies strictly between the smallest and the largest value."""
    (possible,) = [n for n in ("9.4", "2.3", "0.9", "16.0") if 2 < float(n) < 9]
    return possible


def invertible_change() -> str:
    x = [[1, 2, -1], [0, 3, 1]]
    to_query, to_key = [[1, 2], [0, -1], [2, 1]], [[3, 0], [1, 1], [-1, 2]]
    m, inverse = [[2, 1], [1, 1]], [[1, -1], [-1, 2]]
    assert matmul(m, inverse) == [[1, 0], [0, 1]]
    q, k = matmul(x, to_query), matmul(x, to_key)
    new_q, new_k = matmul(x, matmul(to_query, m)), matmul(x, matmul(to_key, transposed(inverse)))
    assert q != new_q
    assert k != new_k
    values = [[4, -1], [2, 3]]
    scores, new_scores = matmul(q, transposed(k)), matmul(new_q, transposed(new_k))
    outputs, new_outputs = (
        matmul([softmax(row) for row in of], values) for of in (scores, new_scores)
    )
    words = {(True, True): "The scores stay, and the output stays too"}
    return say(words, (scores == new_scores, outputs == new_outputs))


def sliding_reach() -> str:
    earliest = 1  # the position of the token in question, counted back from it
    for _ in range(8):
        earliest -= 999  # the last 1,000 tokens, itself included
    return f"About {round(1 - earliest, -3):,} tokens"


def merged_rank() -> str:
    """Any W of full rank reduces to the identity; diagonal updates of rank 0 to 2 reach every case."""
    ranks = set()
    for update in product((-1, 0, 1), repeat=6):
        if sum(map(abs, update)) <= 2:
            ranks.add(rank([[1 + update[i] if i == j else 0 for j in range(6)] for i in range(6)]))
    return f"From {min(ranks)} to {max(ranks)}"


def fails_at_load() -> str:
    """The base alone is too large in 16 bits, so nothing but smaller base weights helps."""
    card, weights = 24e9, 13e9
    fits = {bits: weights * bits / 8 < card for bits in (16, 4)}
    return say({(False, True): "Quantize the base weights to 4 bits each"}, (fits[16], fits[4]))


def two_step_search() -> str:
    sequences = {"X": 0.5 * 0.45, "Y": 0.4 * 0.9}
    name, probability = max(sequences.items(), key=lambda entry: entry[1])
    return f"The one with {name}, at {probability:.3g}"


def who_sees_what() -> str:
    seen = [position for position in range(1, 6) if position <= 3]
    return f"Positions {seen[0]} to {seen[-1]}"


def mixed_pairs() -> str:
    cities = {("Los", "Angeles"), ("San", "Francisco")}
    pairs = list(product(("Los", "San"), ("Angeles", "Francisco")))
    return f"{100 * sum(pair not in cities for pair in pairs) / len(pairs):.0f}%"


def both_zero() -> str:
    """The gradient of a pair with respect to one vector is a multiple of the other."""
    v, u = [0.0, 0.0], [0.0, 0.0]
    error = sigmoid(dot(u, v)) - 1
    moves = any(error * x for x in (*u, *v))
    return say({False: "They stay where they are, as every gradient is zero"}, moves)


def cosine_scaled() -> str:
    a = (1.0, 2.0, 2.0)
    b = [3 * x for x in a]
    return f"{dot(a, b) / (math.hypot(*a) * math.hypot(*b)):.0f}"


CHECKS: dict[str, Check] = {
    # 1 tokenization
    "tokenization-vocab-size": twice_the_vocabulary,
    "tokenization-second-merge": second_merge,
    "tokenization-loss-per-character": loss_per_character,
    # 2 attention
    "attention-encoder-reach": lambda: f"{visible_pairs(1, 12, causal=False)} positions",
    "attention-possible-output": possible_output,
    "attention-invertible-change": invertible_change,
    # 3 context window
    "context-sliding-reach": sliding_reach,
    "context-sequences-per-gpu": lambda: f"{58 * 2**30 // (160 * 2**10 * 32_768)} sequences",
    # 4 LoRA
    "lora-merged-rank": merged_rank,
    "lora-fails-at-load": fails_at_load,
    # 5 beam search
    "beam-two-step-search": two_step_search,
    # 6 temperature
    "temperature-two-tokens": lambda: f"{at_temperature([0.9, 0.1], 2)[0]:.2f}",
    # 9 autoregressive and masked
    "ar-mlm-who-sees-what": who_sees_what,
    "ar-mlm-mixed-pairs": mixed_pairs,
    # 10 embeddings
    "embedding-batch-shape": lambda: shape(8, 128, 768),
    "embedding-both-zero": both_zero,
    "embedding-cosine-scaled": cosine_scaled,
}
