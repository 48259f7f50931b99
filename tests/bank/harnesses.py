"""The harness of each piece of code that members put in order: what it runs on, and what must come out.

`run(name=value, ...)` executes the piece, once for each call; `np` is numpy. Inputs must tell apart
what a wrong order does from what a right one does, so no numbers that are equal by chance, no square
matrices, and nothing that is sorted already.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np

from tests.bank.pieces import Run, harness, main, same


@harness("attention-order-causal")
def attention(run: Run) -> None:
    """Each position sees itself and what came before, also where the future has a huge score."""
    rng = np.random.default_rng(1)
    q, k, v = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    k[3] *= 1e5
    out = run(q=q.copy(), k=k.copy(), v=v.copy())["out"]
    for n in range(4):
        scores = q[n] @ k[: n + 1].T / np.sqrt(3)
        weights = np.exp(scores - scores.max())
        same(out[n], weights @ v[: n + 1] / weights.sum())


@harness("tokenization-order-bpe")
def merge_once(run: Run) -> None:
    """The most frequent pair becomes one new token everywhere, also twice in a row."""
    found = run(Counter=Counter, ids=[1, 2, 1, 2, 3, 1, 2, 2, 3, 1], merges={(5, 6): 256})
    assert found["ids"] == [257, 257, 3, 257, 2, 3, 1]
    assert found["merges"] == {(5, 6): 256, (1, 2): 257}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
