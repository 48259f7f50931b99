"""The harness of each piece of code that members put in order: what it runs on, and what must come out.

`run(name=value, ...)` executes the piece, once for each call; `np` is numpy. Inputs must tell apart
what a wrong order does from what a right one does, so no numbers that are equal by chance, no square
matrices, and nothing that is sorted already.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from math import comb
from types import SimpleNamespace
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


@harness("speculative-order-accept")
def verify_draft(run: Run) -> None:
    """The first token that is rejected is replaced by a draw from what the target has more."""
    q = np.array([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1]])
    p = np.array([[0.4, 0.5, 0.1], [0.4, 0.2, 0.4], [0.1, 0.2, 0.7]])
    drawn: list[list[float]] = []
    chances: list[float] = []

    def sample(probabilities: Any) -> int:
        drawn.append(probabilities.tolist())
        return 9

    verify = run(sample=sample, random=chances.pop)["verify"]
    for chance, tokens, rest in (
        ([0.3, 0.7], [0, 9], [0.4, 0, 0.6]),
        ([0.8], [9], [0, 1, 0]),
        ([0.2, 0.7], [0, 1, 9], [0.1, 0.2, 0.7]),
    ):
        chances[:] = chance
        assert verify([0, 1], q.copy(), p.copy()) == tokens
        same(drawn[-1], np.array(rest))


@harness("data-order-packing")
def pack(run: Run) -> None:
    """Every token but the first is a target once, and what doesn't fill a row is left."""
    found = run(texts=["abcdef", "g", "hijk"], encode=list, EOS=".", size=4)
    assert ["".join(row) for row in found["x"]] == ["abcd", "ef.g", ".hij"]
    assert ["".join(row) for row in found["y"]] == ["bcde", "f.g.", "hijk"]


class Loss:
    """A loss of one weight: `backward` adds to the gradient that its model holds."""

    def __init__(self, model: Any, slope: float) -> None:
        self.model, self.slope = model, slope

    def __truediv__(self, number: float) -> Loss:
        return Loss(self.model, self.slope / number)

    def backward(self) -> None:
        if abs(self.slope) >= 1e-4:  # as in half precision
            self.model.grad += self.slope


class Descent:
    """An optimizer of one weight, with a rate of 1 until the schedule moves."""

    def __init__(self, model: Any) -> None:
        self.model, self.rate = model, 1.0

    def zero_grad(self) -> None:
        self.model.grad = 0.0

    def step(self) -> None:
        self.model.weight -= self.rate * self.model.grad

    def slow_down(self) -> None:
        self.rate /= 2


def clip(model: Any, limit: float) -> None:
    model.grad *= min(1.0, limit / abs(model.grad))


@harness("parity-order-accumulation")
def accumulate(run: Run) -> None:
    """The slope of the loss of a token is the token; the rate halves after the step."""

    def check(batches: list[list[float]], step: float) -> None:
        model = SimpleNamespace(weight=3.0, grad=7.0)
        optimizer = Descent(model)
        run(
            model=model,
            optimizer=optimizer,
            scheduler=SimpleNamespace(step=optimizer.slow_down),
            batches=batches,
            count=len,
            clip_grad_norm=clip,
            summed_loss=lambda batch: Loss(model, sum(batch)),
            mean_loss=lambda batch: Loss(model, sum(batch) / len(batch)),
        )
        same(model.weight, 3 - step)
        assert optimizer.rate == 0.5

    check([[0.4, 0.5, 0.9], [0.2]], 0.5)
    check([[5.0, 3, 4], [-2.0], [9.0]], 1.0)


class Scaler:
    """As in torch: it scales the loss, and takes the scale out of the gradients just once."""

    def __init__(self, model: Any) -> None:
        self.model, self.factor, self.unscaled, self.stepped = model, 1024.0, False, False

    def scale(self, loss: Loss) -> Loss:
        return Loss(loss.model, loss.slope * self.factor)

    def unscale_(self, _: Descent) -> None:
        assert not self.unscaled
        self.model.grad /= self.factor
        self.unscaled = True

    def step(self, optimizer: Descent) -> None:
        if not self.unscaled:
            self.unscale_(optimizer)
        if np.isfinite(self.model.grad):
            optimizer.step()
        self.stepped = True

    def update(self) -> None:
        assert self.stepped
        self.factor *= 2 if np.isfinite(self.model.grad) else 0.5
        self.unscaled = self.stepped = False


@harness("lowprec-order-scaler")
def scaled_step(run: Run) -> None:
    """A tiny gradient arrives, a large one is clipped, an infinite one is skipped."""
    for slope, step, factor in ((1e-5, 1e-5, 2048), (-30.0, -1, 2048), (np.inf, 0, 512)):
        model = Model(slope)
        scaler = Scaler(model)
        run(
            model=model,
            optimizer=Descent(model),
            scaler=scaler,
            batch=slope,
            autocast=model.autocast,
            loss_of=lambda loss: loss,
            clip_grad_norm_=lambda models, limit: clip(models[0], limit),
        )
        same(model.weight, 3 - step)
        assert scaler.factor == factor


class Model:
    """One weight with an old gradient. It must be called under `autocast`."""

    def __init__(self, slope: float) -> None:
        self.slope, self.weight, self.grad, self.half = slope, 3.0, 7.0, False

    def __call__(self, batch: float) -> Loss:
        assert self.half
        return Loss(self, batch)

    def parameters(self) -> list[Model]:
        return [self]

    @contextmanager
    def autocast(self) -> Iterator[None]:
        self.half = True
        yield
        self.half = False


@harness("preference-order-dpo")
def preference_loss(run: Run) -> None:
    """The log probability of a token is minus its value, times a factor of the model."""
    found = run(
        x=[8, 9],
        good=[1, 2, 4],
        bad=[2, 8],
        beta=0.5,
        policy=lambda tokens: np.array(tokens) * -0.4,
        reference=lambda tokens: np.array(tokens) * -0.1,
    )
    same(found["loss"], np.log(1 + np.exp(-0.5 * 0.3 * (10 - 7))))


@harness("rlobj-order-clip")
def clipped_epochs(run: Run) -> None:
    """Each epoch compares with the policy as it was before the first."""
    adv, first = np.array([3.0, -1, 4, -2]), np.array([-1.0, -2, -3, -0.5])
    moves = [np.array([0.3, -0.4, 0.05, 0.5]), np.array([-0.9, 0.1, 0.6, 0.2])]
    state: dict[str, Any] = {"log_p": first.copy(), "losses": []}

    def update(policy: dict[str, Any], loss: float) -> None:
        policy["losses"].append(loss)
        if len(policy["losses"]) <= 2:
            policy["log_p"] = policy["log_p"] + moves[len(policy["losses"]) - 1]

    names = {"log_p": lambda policy: policy["log_p"], "update": update, "epochs": 3, "eps": 0.2}
    run(**names)["ppo"](state, adv.copy())
    wanted = []
    for moved in (0 * moves[0], moves[0], moves[0] + moves[1]):
        ratio = np.exp(moved)
        gain = np.minimum(ratio * adv, np.clip(ratio, 0.8, 1.2) * adv)
        wanted.append(-gain.mean())
    same(state["losses"], wanted)


@harness("rlvr-order-advantages")
def group_advantages(run: Run) -> None:
    """Each answer of a group with a contrast has its reward, centered and scaled in the group."""
    rewards = np.array([1.0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1])
    batch = run(r=rewards, a=np.arange(12), n=3)["batch"]
    assert [answer for answer, _ in batch] == [0, 1, 2, 9, 10, 11]
    one = np.array([-1, 2]) / np.sqrt(2)
    same([value for _, value in batch], one[[1, 0, 0]].tolist() + (-one[[1, 0, 0]]).tolist())


@harness("mixture-order-routing")
def route(run: Run) -> None:
    """Each token's output is the weighted sum of its two best experts."""
    rng = np.random.default_rng(1)
    x, router = rng.normal(size=(5, 3)), rng.normal(size=(3, 4))
    experts = [lambda rows, n=n: np.sin(rows * (n + 1)) for n in range(4)]
    out = run(x=x.copy(), router=router, k=2, experts=experts, softmax=softmax)["out"]
    for token, given in zip(x, out, strict=True):
        scores = token @ router
        best = np.argsort(scores)[-2:]
        weights = softmax(scores[best])
        same(given, sum(w * experts[n](token) for w, n in zip(weights, best, strict=True)))


@harness("vectors-order-cosine")
def closest(run: Run) -> None:
    """Only the customer's rows, whatever the length of their vectors, the best first.

    A partition leaves its halves in an order that depends on the machine; here they are mixed.
    """
    rng = np.random.default_rng(1)
    angles, sizes, owner = rng.random(40), rng.random(40) + 0.1, rng.integers(2, size=40)
    docs = np.stack([np.cos(angles), np.sin(angles)], axis=1) * sizes[:, None]
    names = {name: getattr(np, name) for name in ("argsort", "flatnonzero", "linalg")}
    mixed = SimpleNamespace(argpartition=_mixed, **names)
    for customer in (0, 1):
        found = run(np=mixed, docs=docs, owner=owner, q=np.array([3.0, 0]), customer=customer, k=7)
        wanted = [n for n in np.argsort(angles) if owner[n] == customer][:7]
        assert found["hits"].tolist() == wanted


def _mixed(values: Any, k: int) -> Any:
    order = np.argsort(values)
    return np.concatenate([order[:k][[2, 0, 5, 3, 6, 1, 4]], order[k:][::-1]])


@harness("ranking-order-fusion")
def fuse(run: Run) -> None:
    """Places go to documents that the user may read, in the order of their summed shares."""
    seen: list[list[int]] = []

    def rerank(query: str, docs: list[int]) -> list[int]:
        seen.append(docs)
        return sorted(docs)

    first = list(range(100, 220))
    second = [7, *range(219, 99, -2)]
    found = run(
        Counter=Counter,
        rankings=[first, second],
        may_read=lambda d: d % 3,
        query="?",
        rerank=rerank,
    )
    shares = {
        doc: sum(1 / (61 + r.index(doc)) for r in (first, second) if doc in r)
        for doc in [*first, 7]
        if doc % 3
    }
    best = sorted(shares, key=lambda doc: -shares[doc])[:50]
    assert len(seen) == 1
    assert sorted(seen[0]) == sorted(best)
    assert seen[0][0] == best[0]
    assert found["best"] == sorted(best)[:5]


@harness("harness-order-loop")
def agent(run: Run) -> None:
    """It goes on after a comment with calls, and ends with a message without any."""
    replies = [
        SimpleNamespace(text="I'll look.", calls=[SimpleNamespace(id=1), SimpleNamespace(id=2)]),
        SimpleNamespace(text="", calls=[SimpleNamespace(id=3)]),
        SimpleNamespace(text="Done.", calls=[]),
        SimpleNamespace(text="Never asked.", calls=[]),
    ]
    seen: list[list[Any]] = []

    def model(messages: list[Any]) -> Any:
        seen.append(list(messages))
        return replies[len(seen) - 1]

    names: dict[str, Any] = {
        "run": lambda call: call.id * 10,
        "tool_message": lambda call, result: (call.id, result),
    }
    found = run(system="s", user="u", max_steps=9, model=model, **names)
    history = ["s", "u", replies[0], (1, 10), (2, 20), replies[1], (3, 30), replies[2]]
    assert found["messages"] == history
    assert seen == [history[:2], history[:5], history[:7]]
    seen.clear()
    run(system="s", user="u", max_steps=1, model=model, **names)
    assert len(seen) == 1


@harness("durable-order-retry")
def retry(run: Run) -> None:
    """The same key each time; the jitter grows to the cap, on top of what the service asks."""
    for busy in (0, 4, 5):
        sent: list[Any] = []
        waits: list[float] = []
        replies = [SimpleNamespace(busy=True, after=1)] * busy
        if busy < 5:
            replies.append(SimpleNamespace(busy=False))
        run(
            payment="p",
            send=partial(_answer, sent, iter(replies)),
            new_key=iter(range(100)).__next__,
            uniform=lambda a, b: a + 0.75 * b,
            sleep=waits.append,
            clock=waits.__len__,
            deadline=5,
            base=2,
            cap=8,
        )
        # the wait may double before the first pause, too
        wanted = [[1 + 0.75 * j for j in (*first, 8, 8, 8)][:busy] for first in ((2, 4), (4, 8))]
        assert waits in wanted
        assert len(sent) == len(replies)
        assert len(set(sent)) == 1


def _answer(sent: list[Any], replies: Iterator[Any], *payment: Any) -> Any:
    sent.append(payment)
    return next(replies)


@harness("batching-order-window")
def batches(run: Run) -> None:
    """`None` is a pause that is longer than the timer."""
    left: list[Any] = []
    running: list[float] = []

    async def get() -> Any:
        while left and left[0] is None:
            left.pop(0)
            if running:
                raise TimeoutError
        return left.pop(0)

    @asynccontextmanager
    async def timeout(seconds: float) -> AsyncIterator[None]:
        running.append(seconds)
        try:
            yield
        finally:
            running.clear()

    names = {"timeout": timeout, "suppress": suppress, "limit": 3, "max_wait": 5}
    next_batch = run(**names)["next_batch"]
    left[:] = [None, None, 1, 2, None, 3, 4, 5, 6, None]
    assert [_result(next_batch(get)) for _ in range(3)] == [[1, 2], [3, 4, 5], [6]]


def _result(coroutine: Any) -> Any:
    """Return the result of a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError


@harness("eval-order-pass-at-k")
def pass_at_k(run: Run) -> None:
    """Two of five, none of four, and three of three samples pass, in no order."""
    runs = {"a": [0, 1, 0, 0, 1], "b": [0, 0, 0, 0], "c": [1, 1, 1]}
    names: dict[str, Any] = {"comb": comb, "passes": lambda task, sample: sample == 1}
    same(run(results=runs, by_task=dict, k=2, **names)["result"], (0.7 + 0 + 1) / 3)


@harness("agent-eval-order-bootstrap")
def bootstrap(run: Run) -> None:
    """Whole tasks are drawn again and again, as many as there are."""
    rng = np.random.default_rng(1)
    runs = [rng.integers(2, size=(2, size)) for size in (3, 5, 2, 4, 3, 6, 2)]
    found = run(runs=runs, rounds=30, rng=np.random.default_rng(2))
    again = np.random.default_rng(2)
    gaps = np.array([new.mean() - old.mean() for new, old in runs])
    means = [gaps[again.choice(7, 7)].mean() for _ in range(30)]
    same([found["low"], found["high"]], np.quantile(means, [0.025, 0.975]))
    assert found["better"] == (found["low"] > 0)


@harness("flash-order-online")
def online_softmax(run: Run) -> None:
    """The result is the softmax over all scores, in whichever block the largest one is."""
    rng = np.random.default_rng(1)
    s, v = rng.normal(size=9), rng.normal(size=(9, 2))
    for large in (0, 4, 8):
        scores = s * 2 + 1000 * (np.arange(9) == large) - 999 * (np.arange(9) != large)
        scores[(large + 3) % 9] = scores[large] - 1
        blocks = [(scores[n : n + 3], v[n : n + 3]) for n in (0, 3, 6)]
        same(run(blocks=blocks)["out"], softmax(scores) @ v)


@harness("muon-order-adamw")
def adamw(run: Run) -> None:
    """Three steps; the second gradient is clipped."""
    grads = [np.array([0.1, -0.2]), np.array([30.0, 40]), np.array([-0.5, 0.1])]
    names: dict[str, Any] = {"lr": 0.1, "b1": 0.9, "b2": 0.99, "eps": 1e-8, "decay": 0.1}
    start = np.array([1.0, -2])
    found = run(
        w=start.copy(),
        m=0,
        v=0,
        clip=1,
        norm=np.linalg.norm,
        batches=grads,
        grad=lambda w, batch: batch + 0.01 * w,
        **names,
    )
    w, m, v = start, np.zeros(2), np.zeros(2)
    for t, batch in enumerate(grads, 1):
        g = batch + 0.01 * w
        g = g / max(1.0, float(np.linalg.norm(g)))
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
        w = w * (1 - 0.01) - 0.1 * step
    same(found["w"], w)


@harness("chain-rule-order-two-layers")
def two_layers(run: Run) -> None:
    """Both gradients are those of the loss at the weights before the step."""
    rng = np.random.default_rng(1)
    x, y, rows = rng.normal(size=(4, 3)), np.array([2, 0, 1, 2]), np.arange(4)
    V, W = rng.normal(size=(3, 5)), rng.normal(size=(5, 3))

    def loss(V: Any, W: Any) -> Any:
        return -np.log(softmax(np.maximum(x @ V, 0) @ W)[rows, y]).mean()

    found = run(x=x, y=y, V=V.copy(), W=W.copy(), rows=rows, lr=0.1, softmax=softmax)
    same(found["loss"], loss(V, W))
    for name, given in (("V", V), ("W", W)):
        for at in np.ndindex(given.shape):
            near = np.zeros_like(given)
            near[at] = 1e-5
            up, down = ({"V": V, "W": W, name: given + sign * near} for sign in (1, -1))
            slope = (loss(**up) - loss(**down)) / 2e-5
            assert abs(found[name][at] - given[at] + 0.1 * slope) < 1e-8


@harness("prompt-cache-order-hashes")
def prefix_hits(run: Run) -> None:
    """The cache holds the blocks (1, 2), (3, 4) and (5, 6) in this order, and (9, 9)."""
    first = hash((0, (1, 2)))
    second = hash((first, (3, 4)))
    cache = {first, second, hash((second, (5, 6))), hash((0, (9, 9)))}
    for ids, hits in (
        ([1, 2, 3, 4, 7, 8, 9], 4),
        ([1, 2, 3, 4, 5, 6], 5),
        ([3, 4, 5, 6, 7], 0),
        ([1, 2, 9, 9, 5, 6, 7], 2),
        ([1, 2, 3, 4, 5], 4),
    ):
        assert run(ids=ids, size=2, cache=cache)["hits"] == hits


@harness("failures-order-checkpoint")
def save(run: Run) -> None:
    """Rank 0 names a step when all shards are written, and other ranks only write theirs."""
    for rank in (0, 1):
        done: list[Any] = []
        run(
            rank=rank,
            weights="w",
            adam="a",
            data_pos="d",
            to_cpu=lambda *parts: "".join(parts),
            write=lambda *words, done=done: done.append(words),
            all_ranks="all",
            barrier=lambda ranks, done=done: done.append(f"barrier {ranks}"),
            publish=lambda step, done=done: done.append(f"publish {step}"),
            delete_before=lambda step, done=done: done.append(f"delete {step}"),
        )["save"](7)
        assert done[:2] == [(7, rank, "wad"), "barrier all"]
        assert done[2:] == ["publish 7", "delete 7"] * (rank == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
