"""Computed answers of the topics 1 to 10."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, product

from tests.bank.arithmetic.maths import (
    Check,
    at_temperature,
    dot,
    matmul,
    merge_pair,
    number,
    rank,
    say,
    shape,
    sigmoid,
    softmax,
    transposed,
    vector,
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
    return f"{name}, with {good:.2f} against {bad:.2f} nats per character"


def mix_of_two() -> str:
    weights, values = (0.25, 0.75), ((2, 0), (0, 10))
    return vector(dot(weights, column) for column in zip(*values, strict=True))


def possible_output() -> str:
    """A softmax average lies strictly between the smallest and the largest value."""
    (possible,) = [n for n in ("−0.5", "6.4", "11", "16.0") if 2 < float(n.replace("−", "-")) < 9]
    return possible


def values_doubled() -> str:
    def head(query: float, keys: Sequence[float], values: Sequence[float]) -> tuple[list[float], float]:
        weights = softmax([query * key for key in keys])
        return weights, dot(weights, values)

    (weights, output), (new_weights, new_output) = head(0.7, (1, -2, 3), (4, 5, 6)), head(0.7, (1, -2, 3), (8, 10, 12))
    change = say({1.0: "stays", 2.0: "doubles"}, round(new_output / output, 9))
    return f"The weights {'stay' if weights == new_weights else 'sharpen'}, its output {change}"


def invertible_change() -> str:
    x = [[1, 2, -1], [0, 3, 1]]
    to_query, to_key = [[1, 2], [0, -1], [2, 1]], [[3, 0], [1, 1], [-1, 2]]
    m, inverse = [[2, 1], [1, 1]], [[1, -1], [-1, 2]]
    assert matmul(m, inverse) == [[1, 0], [0, 1]]
    q, k = matmul(x, to_query), matmul(x, to_key)
    new_q, new_k = matmul(x, matmul(to_query, m)), matmul(x, matmul(to_key, transposed(inverse)))
    change, stay = q != new_q and k != new_k, matmul(q, transposed(k)) == matmul(new_q, transposed(new_k))
    return say({(True, True): "Queries and keys change, scores and outputs stay"}, (change, stay))


def growth_factors() -> str:
    before, after = 2_000, 8_000
    return f"{after**2 // before**2} times and {after // before} times"


def sliding_reach() -> str:
    earliest = 1  # the position of the token in question, counted back from it
    for _ in range(8):
        earliest -= 999  # the last 1,000 tokens, itself included
    return f"About {round(1 - earliest, -3):,} tokens"


def rank_doubled() -> str:
    parameters = {r: 2 * 4096 * r for r in (8, 16)}
    scales = {r: 16 / r for r in (8, 16)}
    growth = say({2: "double", 4: "quadruple"}, parameters[16] // parameters[8])
    scale = say({1: "stays", 0.5: "halves"}, scales[16] / scales[8])
    return f"Parameters {growth}, the scale {scale}"


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
    return say({(False, True): "Quantize the base weights to 4 bits"}, (fits[16], fits[4]))


def two_step_search() -> str:
    sequences = {"X": 0.5 * 0.45, "Y": 0.4 * 0.9}
    name, probability = max(sequences.items(), key=lambda entry: entry[1])
    return f"The one with {name}, at {probability:.3g}"


def normalized_winner() -> str:
    hypotheses = [(-3.0, 2), (-5.6, 7), (-6.0, 6), (-9.0, 10)]
    score, length = max(hypotheses, key=lambda h: h[0] / h[1])
    return f"{number(score, '.1f')} over {length} tokens"


def which_gain() -> str:
    before = {"X": 0.40, "Y": 0.35, "Z": 0.25}
    after = dict(zip(before, at_temperature(before.values(), 0.5), strict=True))
    return " and ".join(name for name in before if after[name] > before[name])


def overconfident_classifier() -> str:
    """With two classes: the temperature that brings 97 % down to 80 %."""
    t = math.log(0.97 / 0.03) / math.log(0.8 / 0.2)
    return f"{'Above' if t > 1 else 'Below'} 1, fitted on held-out data"


def visible_word_picked() -> str:
    picked_and_visible = 0.15 * (0.10 + 0.10)
    return f"About {100 * picked_and_visible / (picked_and_visible + 0.85):.1f} %"


def encoder_decoder_pairs() -> str:
    source, target = 6, 4
    encoder = visible_pairs(source, source, causal=False)
    decoder = visible_pairs(target, target, causal=True)
    cross = visible_pairs(target, source, causal=False)
    return f"{encoder + decoder + cross} pairs"


def who_sees_what() -> str:
    seen = [position for position in range(1, 6) if position <= 3]
    return f"Positions {seen[0]} to {seen[-1]}"


def mixed_pairs() -> str:
    cities = {("Los", "Angeles"), ("San", "Francisco")}
    pairs = list(product(("Los", "San"), ("Angeles", "Francisco")))
    return f"{100 * sum(pair not in cities for pair in pairs) / len(pairs):.0f} %"


def analogy() -> str:
    king, man, woman = (5, 6), (4, 2), (1, 2)
    return vector(k - m + w for k, m, w in zip(king, man, woman, strict=True))


def share_of_model() -> str:
    table = 256_000 * 2_048
    return f"About {100 * table / (2e9 + table):.0f} %"


def both_zero() -> str:
    """The gradient of a pair with respect to one vector is a multiple of the other."""
    v, u = [0.0, 0.0], [0.0, 0.0]
    error = sigmoid(dot(u, v)) - 1
    moves = any(error * x for x in (*u, *v))
    return say({False: "They stay in place, as every gradient is zero"}, moves)


def cosine_scaled() -> str:
    a = (1.0, 2.0, 2.0)
    b = [3 * x for x in a]
    return f"{dot(a, b) / (math.hypot(*a) * math.hypot(*b)):.0f}"


CHECKS: dict[str, Check] = {
    # 1 tokenization
    "tokenization-vocab-size": twice_the_vocabulary,
    "tokenization-added-rows": lambda: f"{(100_000 - 60_000) * 2_048 / 1e6:.1f} million",
    "tokenization-characters-cost": lambda: f"{(4 * 100) ** 2 // 100**2} times",
    "tokenization-second-merge": second_merge,
    "tokenization-loss-per-character": loss_per_character,
    "tokenization-id-bits": lambda: str((128_000 - 1).bit_length()),
    # 2 attention
    "attention-encoder-reach": lambda: f"{visible_pairs(1, 12, causal=False)} positions",
    "attention-mix-two": mix_of_two,
    "attention-possible-output": possible_output,
    "attention-values-doubled": values_doubled,
    "attention-invertible-change": invertible_change,
    "attention-equal-scores": lambda: f"{softmax([2.0] * 8)[0]:g}",
    # 3 context window
    "context-growth-factors": growth_factors,
    "context-sliding-reach": sliding_reach,
    "context-sequences-per-gpu": lambda: f"{58 * 2**30 // (160 * 2**10 * 32_768)} sequences",
    "context-attention-dominates": lambda: f"{24 * 8_192**2 // (4 * 8_192):,} tokens",
    "context-room-left": lambda: str(8_192 - 7_500),
    # 4 LoRA
    "lora-parameter-count": lambda: f"{4_096 * 8 + 8 * 4_096:,}",
    "lora-rank-doubled": rank_doubled,
    "lora-merged-rank": merged_rank,
    "lora-fails-at-load": fails_at_load,
    "qlora-double-quant-bits": lambda: f"{8 / 64 + 32 / (64 * 256):.3f} bits",
    # 5 beam search
    "beam-two-step-search": two_step_search,
    "beam-normalized-winner": normalized_winner,
    "beam-candidates-per-step": lambda: str(4 * 30_000),
    # 6 temperature
    "temperature-two-tokens": lambda: f"{at_temperature([0.9, 0.1], 2)[0]:.2f}",
    "temperature-which-gain": which_gain,
    "temperature-overconfident-classifier": overconfident_classifier,
    "temperature-hot-limit": lambda: f"{softmax(range(50), temperature=1e9)[0]:.2f}",
    # 7 masked language modeling
    "mlm-signal-ratio": lambda: f"{1 / 0.15:.2f} times",
    "mlm-visible-word-picked": visible_word_picked,
    "mlm-expected-masks": lambda: f"{1_000 * 0.15 * 0.80:.0f}",
    # 8 sequence to sequence
    "seq2seq-visible-pairs": encoder_decoder_pairs,
    # 9 autoregressive and masked
    "ar-mlm-who-sees-what": who_sees_what,
    "ar-mlm-product": lambda: f"{math.prod((0.5, 0.4, 0.25)):.2f}",
    "ar-mlm-mixed-pairs": mixed_pairs,
    # 10 embeddings
    "embedding-batch-shape": lambda: shape(8, 128, 768),
    "embedding-analogy": analogy,
    "embedding-share-of-model": share_of_model,
    "embedding-both-zero": both_zero,
    "embedding-cosine-scaled": cosine_scaled,
}
