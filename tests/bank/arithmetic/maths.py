"""Shared by the computed answers: small linear algebra, probabilities, and numbers in the bank's
notation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

Check = Callable[[], str | frozenset[str]]
"""Works out an answer: the text of the right choice or an accepted form; for a multiple item all right texts."""

Matrix = Sequence[Sequence[float]]
Shape = tuple[int, int]
Key = TypeVar("Key")

COUNTS = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}


def number(x: float, spec: str = "g") -> str:
    """Written with a true minus sign."""
    return format(x, spec).replace("-", "\N{MINUS SIGN}")


def vector(values: Iterable[float], spec: str = "g") -> str:
    return "(" + ", ".join(number(x, spec) for x in values) + ")"


def shape(*sizes: int) -> str:
    return " × ".join(f"{size:,}" for size in sizes)


def size_of(matrix: Matrix) -> Shape:
    return len(matrix), len(matrix[0])


def product_shape(left: Shape, right: Shape) -> Shape:
    """Shape of the product of two matrices that fit."""
    assert left[1] == right[0]
    return left[0], right[1]


def say(words: Mapping[Key, str], value: Key) -> str:
    """The words for a value; a value without words is a KeyError, so a wrong result can't pass unseen."""
    return words[value]


def true_of(statements: Mapping[str, bool]) -> frozenset[str]:
    """The statements that hold."""
    return frozenset(statement for statement, holds in statements.items() if holds)


def only(statements: Mapping[str, bool]) -> str:
    """The one statement that holds."""
    (found,) = true_of(statements)
    return found


def order(values: Sequence[float]) -> list[int]:
    """Positions by rising value."""
    return sorted(range(len(values)), key=values.__getitem__)


def nearest(x: float, options: Iterable[float]) -> float:
    return min(options, key=lambda option: abs(option - x))


def dot(a: Iterable[float], b: Iterable[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def added(a: Iterable[float], b: Iterable[float]) -> list[float]:
    return [x + y for x, y in zip(a, b, strict=True)]


def unit(a: Sequence[float]) -> list[float]:
    return [x / math.hypot(*a) for x in a]


def alike(a: Iterable[Iterable[float]], b: Iterable[Iterable[float]]) -> bool:
    """Whether two matrices are the same but for rounding."""
    return all(
        math.isclose(x, y, abs_tol=1e-12)
        for one, two in zip(a, b, strict=True)
        for x, y in zip(one, two, strict=True)
    )


def matmul(a: Matrix, b: Matrix) -> list[list[float]]:
    return [[dot(row, column) for column in zip(*b, strict=True)] for row in a]


def transposed(a: Matrix) -> list[list[float]]:
    return [list(column) for column in zip(*a, strict=True)]


def rank(matrix: Matrix) -> int:
    """Number of pivots of a Gaussian elimination."""
    rows, found = [list(row) for row in matrix], 0
    for column in range(len(rows[0])):
        pivots = [i for i in range(found, len(rows)) if abs(rows[i][column]) > 1e-9]
        if not pivots:
            continue
        pivot = pivots[0]
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] / rows[found][column]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def shares(weights: Sequence[float]) -> list[float]:
    return [w / sum(weights) for w in weights]


def softmax(logits: Sequence[float], temperature: float = 1) -> list[float]:
    return shares([math.exp((z - max(logits)) / temperature) for z in logits])


def at_temperature(probabilities: Iterable[float], temperature: float) -> list[float]:
    """The distribution after its logits were divided by a temperature."""
    return shares([p ** (1 / temperature) for p in probabilities])


def attention(scores: Sequence[float], values: Sequence[float]) -> float:
    """One query's output where each value is a number."""
    return dot(softmax(scores), values)


def nucleus(probabilities: Iterable[float], p: float) -> int:
    """Size of the smallest set of top tokens whose mass reaches p."""
    mass = 0.0
    for size, probability in enumerate(sorted(probabilities, reverse=True), 1):
        mass += probability
        if mass >= p - 1e-9:
            return size
    raise ValueError(p)


def slope(function: Callable[[float], float], at: float) -> float:
    """A derivative by central difference."""
    step = 1e-6
    return (function(at + step) - function(at - step)) / (2 * step)


def merge_pair(parts: Sequence[str], pair: tuple[str, str]) -> tuple[str, ...]:
    """A word's parts after one byte-pair merge."""
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)


def visible_pairs(queries: int, keys: int, *, causal: bool) -> int:
    """Number of query-key pairs that attention may use."""
    return sum(not causal or key <= query for query in range(queries) for key in range(keys))
