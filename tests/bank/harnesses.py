"""The harness of each piece of code that members put in order: what it runs on, and what must come out.

`run(name=value, ...)` executes the piece, once for each call; `np` is numpy. Inputs must tell apart
what a wrong order does from what a right one does, so no numbers that are equal by chance, no square
matrices, and nothing that is sorted already.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

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


def softmax(scores: Any) -> Any:
    """Over the last axis."""
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@harness("mha-order-grouped")
def grouped_queries(run: Run) -> None:
    """Query heads 0-2 read key head 0, and 3-5 read key head 1."""
    rng = np.random.default_rng(1)
    q, k, v = rng.normal(size=(6, 4)), rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 4))
    out = run(q=q * 900, k=k, v=v)["out"]
    weights = [softmax(q[n] * 900 @ k[n // 3].T / 2) for n in range(6)]
    same(out, [weights[n] @ v[n // 3] for n in range(6)])


@harness("positional-order-rope")
def rotary_positions(run: Run) -> None:
    """A pair is a complex number, and its angle is the position times its frequency."""
    rng = np.random.default_rng(1)
    x, pos = rng.normal(size=(3, 8)), np.array([5, 0, 2])
    turned = (x[:, :4] + 1j * x[:, 4:]) * np.exp(1j * np.outer(pos, [1, 0.1, 0.01, 0.001]))
    same(run(x=x.copy(), pos=pos, base=10_000)["x"], np.hstack([turned.real, turned.imag]))


@harness("modern-block-order-rmsnorm")
def norm_block(run: Run) -> None:
    """The block's input goes on in half precision, and its large entries do no harm."""
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(2, 6)) * 300 + 200).astype(np.float16)
    weight, gate, up = rng.normal(size=6), rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    down = 100 * rng.normal(size=(5, 6))
    names = {"weight": weight, "gate": gate, "up": up, "down": down, "silu": silu, "eps": 1e-6}
    out = run(x=x.copy(), **{name: half(value) for name, value in names.items()})["x"]
    wide = x.astype(float)
    h = wide / np.sqrt((wide**2).mean(-1, keepdims=True)) * weight
    assert out.dtype == np.float16
    assert np.allclose(out, wide + silu(h @ gate) * (h @ up) @ down, rtol=0.02, atol=5)


def silu(x: Any) -> Any:
    return x / (1 + np.exp(-x))


def half(value: Any) -> Any:
    """Arrays in half precision, other things as they are."""
    return value.astype(np.float16) if isinstance(value, np.ndarray) else value


@harness("softmax-order-empty-row")
def softmax_with_mask(run: Run) -> None:
    """Each row has weights for its allowed keys, and the one without any has zeros."""
    x = np.array([[1000.0, 1001, 9e9], [3, 5, 1e5], [-2000, -2000, 1], [9e9, -1, 4]])
    mask = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 1]], dtype=bool)
    high, low = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(5))
    wanted = [[1 - high, high, 0], [0, 0, 0], [0.5, 0.5, 0], [0, low, 1 - low]]
    same(run(x=x.copy(), mask=mask)["p"], wanted)


@harness("cross-entropy-order-ignored")
def loss_without_ignored(run: Run) -> None:
    """The mean over the labels that count, each predicted one position earlier."""
    rng = np.random.default_rng(1)
    labels = np.array([4, -100, -100, 2, 0, 3])
    for size in (1, 900):
        logits = rng.normal(size=(6, 5)) * size
        rows = logits[2:5] - logits[2:5].max(-1, keepdims=True)
        losses = np.log(np.exp(rows).sum(-1)) - rows[[0, 1, 2], [2, 0, 3]]
        same(run(logits=logits.copy(), labels=labels.copy())["loss"], losses.mean())


@harness("sft-order-labels")
def labels_of_chat(run: Run) -> None:
    """Only the assistant's words and ends are labels."""
    chat = [("system", "ab"), ("user", "c"), ("assistant", "de"), ("tool", "f"), ("assistant", "g")]
    found = run(
        chat=chat,
        encode=lambda text: [ord(c) for c in text],
        header=lambda role: [len(role)],
        END=0,
    )
    assert found["ids"] == [6, 97, 98, 0, 4, 99, 0, 9, 100, 101, 0, 4, 102, 0, 9, 103, 0]
    spoken = {8: 100, 9: 101, 10: 0, 15: 103, 16: 0}
    assert found["labels"] == [spoken.get(n, -100) for n in range(17)]


@harness("lora-order-step")
def lora_step(run: Run) -> None:
    """Both gradients belong to the weights before the step."""
    rng = np.random.default_rng(1)
    x, goal = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    W, A, B = rng.normal(size=(3, 4)), rng.normal(size=(2, 4)), rng.normal(size=(3, 2))
    names = {"alpha": 16, "lr": 0.1, "grad_of": lambda y: y - goal}
    found = run(x=x, W=W.copy(), A=A.copy(), B=B.copy(), **names)
    g = x @ (W + 8 * B @ A).T - goal
    same(found["A"], A - 0.1 * 8 * B.T @ g.T @ x)
    same(found["B"], B - 0.1 * 8 * g.T @ x @ A.T)
    same(found["W"], W)


class Choice:
    """A generator that returns the first of what it may draw, and keeps the rest."""

    def choice(self, values: Any, p: Any) -> Any:
        assert np.isclose(sum(p), 1)
        self.drawn = dict(zip(values.tolist(), p.tolist(), strict=True))
        return values[0]


@harness("topkp-order-nucleus")
def nucleus(run: Run) -> None:
    """At this temperature, the tokens 3, 1 and 0 hold 0.4, 0.3 and 0.2."""
    probs, rng = np.array([0.2, 0.3, 0.1, 0.4]), Choice()
    for p, kept in ((0.65, [3, 1]), (0.75, [3, 1, 0]), (0.2, [3])):
        found = run(logits=np.log(probs) / 2 + 900, temperature=0.5, p=p, rng=rng)
        assert list(rng.drawn) == kept
        assert found["token"] == 3
        same([*rng.drawn.values()], probs[kept] / probs[kept].sum())


@harness("beam-order-loop")
def beams(run: Run) -> None:
    """A beam is (text, sum of log probabilities); "." ends it."""
    steps = {
        "": [("a", -0.7), ("b", -0.9), (".", -3.0)],
        "a": [("c", -1.5), (".", -0.3)],
        "b": [("c", -0.3), (".", -2.0)],
        "bc": [("d", -0.1), (".", -0.6)],
        "bcd": [("e", -3.0), (".", -0.1)],
    }
    found = run(
        start=("", 0.0),
        limit=4,
        width=2,
        extend=lambda b: [(b[0] + token, b[1] + p) for token, p in steps[b[0]]],
        log_prob=lambda b: b[1],
        mean_log_prob=lambda b: b[1] / len(b[0]),
        ended=lambda b: b[0][-1] == ".",
    )
    assert [text for text, _ in found["done"]] == ["a.", "bc.", "bcd."]
    assert [text for text, _ in found["beams"]] == ["bcde"]
    assert found["best"][0] == "bcd."


@harness("prefill-decode-order-step")
def decode(run: Run) -> None:
    """The token is at the position after the cached ones, and attends to itself, too."""
    rng = np.random.default_rng(1)
    Wq, Wk, Wv = rng.normal(size=(3, 4, 4)) / 4
    x, (k1, k2), (v1, v2) = rng.normal(size=4), rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    names = {"rotate": lambda y, pos: np.roll(y * (1 + pos), pos), "softmax": softmax}
    found = run(x=x, Wq=Wq, Wk=Wk, Wv=Wv, cache=[(k1, v1), (k2, v2)], **names)
    q, k = np.roll(x @ Wq * 3, 2), np.roll(x @ Wk * 3, 2)
    weights = softmax(np.array([k1, k2, k]) @ q / 2)
    same(found["out"], weights @ [v1, v2, x @ Wv])
    assert len(found["cache"]) == 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
