"""Computed answers of the topics 21 to 33."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial

from tests.bank.arithmetic.maths import (
    Check,
    Matrix,
    added,
    alike,
    dot,
    matmul,
    nearest,
    number,
    only,
    order,
    product_shape,
    rank,
    say,
    shape,
    sigmoid,
    size_of,
    slope,
    softmax,
    transposed,
    true_of,
    unit,
    vector,
    visible_pairs,
)


def rope_same_score() -> str:
    query, key, speed = complex(1.3, -0.4), complex(0.2, 0.9), 0.1

    def score(at: int, of: int) -> float:
        return (
            query * cmath.rect(1, at * speed) * (key * cmath.rect(1, of * speed)).conjugate()
        ).real

    placements = ((10, 30), (120, 40), (25, 15), (70, 50))
    ((q, k),) = [p for p in placements if math.isclose(score(*p), score(30, 10))]
    return f"Query at {q}, key at {k}"


def rope_base() -> str:
    width = 128
    old, new = ([base ** (-2 * i / width) for i in range(width // 2)] for base in (1e4, 5e5))
    fastest, others = new[0] == old[0], all(n < o for n, o in zip(new[1:], old[1:], strict=True))
    assert old[0] == max(old)
    words = {(True, True): "The fastest pair keeps its speed, the others turn more slowly"}
    return say(words, (fastest, others))


def alibi_weights() -> str:
    """The far key's weight over the near one's, as the distance grows step by step."""
    far = [softmax([1.0, 1.0 - distance / 4]) for distance in (2, 4, 6)]
    first, second, third = (row[1] / row[0] for row in far)
    return say(
        {True: "On the attention scores, ahead of the softmax"},
        math.isclose(second / first, third / second),
    )


def kv_parallel() -> str:
    """Key/value heads that each GPU needs, as 64 query heads in 8 groups are handed out."""
    held = {
        gpus: [
            {head * 8 // 64 for head in range(64) if head * gpus // 64 == gpu}
            for gpu in range(gpus)
        ]
        for gpus in (8, 16)
    }
    copies = {sum(head in one for one in held[16]) for head in range(8)}
    assert {len(one) for one in held[8]} == {len(one) for one in held[16]} == {1}
    return say({True: "Each key/value head is held twice, so a GPU saves nothing"}, copies == {2})


def double_heads() -> str:
    tokens, width = 10, 1_024
    scores = {heads: heads * tokens**2 for heads in (8, 16)}
    multiplications = {heads: scores[heads] * (width // heads) for heads in (8, 16)}
    words = {1: "stay the same", 2: "double", 0.5: "fall by half"}
    how, many = (say(words, of[16] / of[8]) for of in (multiplications, scores))
    return f"The multiplications {how}, and the scores {many}"


def mask_after() -> str:
    """Sums over the rows and columns of weights whose later keys are zeroed after the softmax."""
    scores = ((0.4, -0.2, 1.1), (0.3, 0.9, -1.0), (0.1, 0.2, 0.5))
    weights = [
        [w if key <= query else 0.0 for key, w in enumerate(softmax(row))]
        for query, row in enumerate(scores)
    ]
    rows, columns = (
        [sum(row) for row in weights[:-1]],
        [sum(column) for column in transposed(weights)],
    )
    return only(
        {
            "Each row adds up to less than 1": all(total < 1 - 1e-9 for total in rows),
            "Each row adds up to 1": all(math.isclose(total, 1) for total in rows),
            "Each column adds up to 1": all(math.isclose(total, 1) for total in columns),
            "Each row adds up to more than 1": all(total > 1 + 1e-9 for total in rows),
        }
    )


def ratio() -> str:
    larger, smaller, _ = softmax([math.log(4) + 0.7, 0.7, -1.0])
    return f"{larger / smaller:.0f}"


def causal_equal() -> str:
    visible = visible_pairs(3, 6, causal=True) - visible_pairs(2, 6, causal=True)
    return str(Fraction(1, visible))


def length_wins() -> str:
    a, b = (1 * length * math.cos(math.radians(angle)) for length, angle in ((4, 60), (1.5, 0)))
    return f"{a:.3g} and {b:.3g}"


def rank_limit() -> str:
    """Six tokens and width 2: what holds for the scores of vectors that nothing relates."""
    queries = [(2 * math.sin(3 * n), 2 * math.cos(5 * n)) for n in range(6)]
    keys = [(math.cos(n * n), math.sin(2 * n + 1)) for n in range(6)]
    scores = matmul(queries, transposed(keys))
    return only(
        {
            "It equals its own transpose": alike(scores, transposed(scores)),
            "Its entries lie between \N{MINUS SIGN}1 and 1": all(
                abs(x) <= 1 for row in scores for x in row
            ),
            "Its rows are largest on the diagonal": all(
                max(row) == row[n] for n, row in enumerate(scores)
            ),
            "It has a lower rank than it has rows": rank(scores) < len(scores),
        }
    )


def empty_row() -> str:
    scores = [-math.inf] * 4
    shifted = [score - max(scores) for score in scores]
    return say(
        {True: "In a row with all its scores masked, where infinity meets infinity"},
        all(map(math.isnan, shifted)),
    )


def smoothed_floor() -> str:
    """The lowest loss on a target that keeps 0.9 for the label and spreads 0.1 over ten classes."""
    target = [0.91, *[0.01] * 9]
    floor = -sum(share * math.log(share) for share in target)
    return say(
        {(True, True): "The targets put some mass on every class"}, (min(target) > 0, floor > 0.1)
    )


def garbled_tokens() -> str:
    """3% of the tokens cost ten nats more."""
    factor = math.exp(0.03 * 10)
    return say({True: "The loss of one token has no upper bound"}, 1.3 < factor < 1.4)


def logit_gradient() -> str:
    logits = [math.log(p) for p in (0.7, 0.2, 0.1)]

    def loss(k: int, z: float) -> float:
        """Where logit k is z and the others stay."""
        return -math.log(softmax([*logits[:k], z, *logits[k + 1 :]])[1])

    return vector((slope(partial(loss, k), logit) for k, logit in enumerate(logits)), ".1f")


def rows_with_gradient() -> str:
    """Rows of an input table that a loss reacts to, by differences, with an output layer of its own."""
    table: Matrix = [[0.3, -1.0], [0.8, 0.1], [-0.4, 0.6], [1.2, 0.5], [-0.7, -0.2]]
    output: Matrix = [[0.5, -0.3, 1.0, 0.2, -0.9], [0.1, 0.7, -0.6, 0.4, 0.8]]
    inputs, targets = [0, 2, 2], [2, 3, 3]

    def loss(i: int, j: int, x: float) -> float:
        """Where entry (i, j) of the table is x and the others stay."""
        moved = [
            [x if (a, b) == (i, j) else e for b, e in enumerate(row)] for a, row in enumerate(table)
        ]
        logits = matmul([moved[token] for token in inputs], output)
        return -sum(
            math.log(softmax(row)[target]) for row, target in zip(logits, targets, strict=True)
        )

    reached = {
        i
        for i, row in enumerate(table)
        for j, x in enumerate(row)
        if abs(slope(partial(loss, i, j), x)) > 1e-6
    }
    return only(
        {
            "The rows of tokens in the input": reached == {*inputs},
            "The rows of the entire vocabulary": reached == {*range(len(table))},
            "The rows of tokens in the targets": reached == {*targets},
            "The rows of tokens in input and targets": reached == {*inputs, *targets},
        }
    )


def softmax_off_diagonal() -> str:
    first, second, third = (math.log(s) for s in (0.5, 0.3, 0.2))
    return number(slope(lambda z: softmax([first, z, third])[0], second), ".2f")


def order_cost() -> str:
    n = 1_000
    matrices_first, row_first = n**3 + n**2, n**2 + n**2
    return f"{nearest(matrices_first / row_first, (2, 500, 1_000, 1_000_000)):g} times"


def largest_eigenvalue() -> str:
    (a, b), (c, d) = (2, 1), (1, 2)
    trace, determinant = a + d, a * d - b * c
    return f"{(trace + math.sqrt(trace**2 - 4 * determinant)) / 2:.0f}"


def truncation_error() -> str:
    dropped = sorted((5, 3, 1, 1), reverse=True)[2:]
    return f"{math.hypot(*dropped):.2f}"


def kl_bits(p: tuple[float, ...], q: tuple[float, ...]) -> float:
    return sum(
        0 if a == 0 else math.inf if b == 0 else a * math.log2(a / b)
        for a, b in zip(p, q, strict=True)
    )


def negative_sample() -> str:
    policy_over_reference = math.exp(-3)
    return say(
        {True: "The reference model gives this response more probability"},
        policy_over_reference < 1,
    )


def sigmoid_product() -> str:
    steepest = max(sigmoid(x / 100) * (1 - sigmoid(x / 100)) for x in range(-500, 501))
    return f"About {steepest**5:.3f}"


def gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


def gelu_slope() -> str:
    return f"{slope(gelu, 0):.1f}"


def two_branches() -> str:
    """Two branches with these slopes, both fed by the same value."""
    return f"{slope(lambda h: 0.6 * h + 0.5 * h, 1):.1f}"


def peak_activations() -> str:
    layers, segment = 100, 10
    return f"About {layers // segment + segment}"


def cross_output() -> str:
    weights = product_shape((5, 32), (32, 9))
    return shape(*product_shape(weights, (9, 48)))


def scores_of_head() -> str:
    queries, keys = [[0.0] * 32 for _ in range(5)], [[0.0] * 32 for _ in range(9)]
    return shape(*size_of(matmul(queries, transposed(keys))))


# Items with several right choices: each choice is put to the test


def scaled_scores() -> frozenset[str]:
    scores = [0.3, -1.2, 1.1, 0.9]
    before, after = softmax(scores), softmax([3 * score for score in scores])
    ratios = [(after[i] / after[j]) / (before[i] / before[j]) for i in range(4) for j in range(i)]
    return true_of(
        {
            "The largest weight grows": max(after) > max(before),
            "The ratio of any two weights triples": all(
                math.isclose(max(r, 1 / r), 3) for r in ratios
            ),
            "The smallest weight becomes zero": min(after) == 0,
            "The order of the weights stays": order(before) == order(after),
        }
    )


def unchanged_dot_products() -> frozenset[str]:
    q, k, other, crosswise = (3.0, 4.0), (1.0, -2.5), (0.7, 0.2), (-4.0, 3.0)
    turn = [[math.cos(0.8), -math.sin(0.8)], [math.sin(0.8), math.cos(0.8)]]
    assert dot(q, crosswise) == 0

    def stays(new_q: Iterable[float], new_k: Iterable[float]) -> bool:
        return math.isclose(dot(new_q, new_k), dot(q, k))

    return true_of(
        {
            "Scaling both to unit length": stays(unit(q), unit(k)),
            "Rotating both by the same matrix": stays(
                [dot(row, q) for row in turn], [dot(row, k) for row in turn]
            ),
            "Doubling q and halving k": stays([2 * x for x in q], [x / 2 for x in k]),
            "Adding the same vector to both": stays(added(q, other), added(k, other)),
            "Adding to k a vector at right angles to q": stays(q, added(k, crosswise)),
        }
    )


def softmax_jacobian(logits: Sequence[float]) -> list[list[float]]:
    s = softmax(logits)
    return [[s[i] * ((i == j) - s[j]) for j in range(len(s))] for i in range(len(s))]


def softmax_jacobian_properties() -> frozenset[str]:
    logits = (0.4, -0.3, 1.2)
    jacobian = softmax_jacobian(logits)

    def largest_entry(at: Sequence[float]) -> float:
        return max(abs(x) for row in softmax_jacobian(at) for x in row)

    return true_of(
        {
            "Each of its rows adds up to zero": all(abs(sum(row)) < 1e-12 for row in jacobian),
            "Each of its rows has one nonzero entry": all(
                sum(x != 0 for x in row) == 1 for row in jacobian
            ),
            "It is equal to its own transpose": jacobian == transposed(jacobian),
            "It has an inverse for each z": rank(jacobian) == len(jacobian),
            "It fades to zero as one logit outgrows the rest": largest_entry((60, -0.3, 1.2))
            < 1e-9,
            "It fades to zero as all logits fall by the same amount": largest_entry(
                [z - 60 for z in logits]
            )
            < 1e-9,
        }
    )


def kl_properties() -> frozenset[str]:
    p, q, r = (0.5, 0.5), (0.25, 0.75), (0.1, 0.9)
    halfway = tuple((a + b) / 2 for a, b in zip(p, q, strict=True))
    return true_of(
        {
            "It is zero if P equals Q": kl_bits(p, p) == 0,
            "It is unchanged if P and Q trade places": math.isclose(kl_bits(p, q), kl_bits(q, p)),
            "It obeys the triangle inequality": kl_bits(p, r) <= kl_bits(p, q) + kl_bits(q, r),
            "It is unchanged if the tokens are renumbered": math.isclose(
                kl_bits(p, q), kl_bits(p[::-1], q[::-1])
            ),
            "It halves if P is replaced by the mean of P and Q": math.isclose(
                kl_bits(halfway, q), kl_bits(p, q) / 2
            ),
        }
    )


def gelu_against_relu() -> frozenset[str]:
    steps = [x / 50 for x in range(-300, 301) if x]

    def properties(function: Callable[[float], float]) -> dict[str, bool]:
        slopes = {x: slope(function, x) for x in steps}
        return {
            "Its slope exceeds 1 at some inputs": max(slopes.values()) > 1 + 1e-6,
            "Its output has an upper bound": function(1e9) <= function(1e3),
            "Its output falls on some interval as x grows": min(slopes.values()) < -1e-6,
            "Its slope is nonzero at x = −1": abs(slopes[-1]) > 1e-6,
            "Its slope is the same for all positive inputs": len(
                {round(s, 6) for x, s in slopes.items() if x > 0}
            )
            == 1,
        }

    of_gelu, of_relu = properties(gelu), properties(lambda x: max(x, 0))
    return true_of({text: of_gelu[text] and not of_relu[text] for text in of_gelu})


def claims_about_attention() -> frozenset[str]:
    keys, values = (
        [[0.2, 1.0, -0.3], [0.5, -0.1, 0.9], [1.0, 0.4, 0.4]],
        [[1.0, 2.0], [3.0, 5.0], [-2.0, 7.0]],
    )
    queries = [[0.7, -0.2, 0.4], [0.1, 0.8, -0.5]]

    def weights(scores: Matrix) -> list[list[float]]:
        return [softmax(row) for row in scores]

    def head(queries: Matrix, keys: Matrix, values: Matrix) -> list[list[float]]:
        return matmul(weights(matmul(queries, transposed(keys))), values)

    scores, output = matmul(queries, transposed(keys)), head(queries, keys, values)
    column_raised = [[row[0] + 2, *row[1:]] for row in scores]
    row_raised = [[x + 2 for x in scores[0]], *scores[1:]]
    return true_of(
        {
            "Each column of the attention weights sums to one": alike(
                [map(sum, transposed(weights(scores)))], [[1] * 3]
            ),
            "Row i of the weights belongs to query i": alike(
                head(queries[1:], keys, values), output[1:]
            ),
            "The widths d_k and d_v may differ": size_of(output) == (2, 2) != size_of(queries),
            "Adding a constant to a column of scores changes no weight": alike(
                weights(column_raised), weights(scores)
            ),
            "Reordering keys and values alike changes no output": alike(
                head(queries, keys[::-1], values[::-1]), output
            ),
            "Adding a constant to a row of scores changes no weight": alike(
                weights(row_raised), weights(scores)
            ),
        }
    )


def gradient_of_table() -> str:
    """The gradient of sum(G * XE) for E, by differences, and the products that the choices offer."""
    rows: Matrix = [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    table: Matrix = [[0.3, -1.0], [0.8, 0.1], [-0.4, 0.6]]
    arriving: Matrix = [[1, 0], [2, -1], [0, 4], [0.5, 0.5]]

    def partial_of(i: int, j: int) -> float:
        def loss(x: float) -> float:
            moved = [
                [x if (a, b) == (i, j) else e for b, e in enumerate(row)]
                for a, row in enumerate(table)
            ]
            return sum(dot(g, out) for g, out in zip(arriving, matmul(rows, moved), strict=True))

        return slope(loss, table[i][j])

    by_difference = [[round(partial_of(i, j), 6) for j in range(2)] for i in range(3)]
    offered = {
        "XᵀG": matmul(transposed(rows), arriving),
        "GEᵀ": matmul(arriving, transposed(table)),
        "XᵀXE": matmul(matmul(transposed(rows), rows), table),
        "GᵀX": matmul(transposed(arriving), rows),
    }
    (found,) = [
        name
        for name, value in offered.items()
        if size_of(value) == size_of(by_difference) and alike(value, by_difference)
    ]
    return found


def softmax_product() -> str:
    """Which form the softmax's Jacobian has."""
    logits = (0.7, -0.3, 1.2, 0.1)
    jacobian = softmax_jacobian(logits)
    outside = [jacobian[i][j] for i in range(4) for j in range(4) if i != j]
    rest = [
        [(i == j) * s - x for j, x in enumerate(jacobian[i])] for i, s in enumerate(softmax(logits))
    ]
    return only(
        {
            "A diagonal, with zeros elsewhere": not any(outside),
            "A diagonal minus a matrix of rank one": any(outside) and rank(rest) == 1,
            "A column times a row, of rank one": rank(jacobian) == 1,
            "A full lower triangle, zeros above it": not any(
                jacobian[i][j] for j in range(4) for i in range(j)
            ),
        }
    )


def soft_target_gradients() -> str:
    """Slopes and values of KL(teacher to student) and of the cross-entropy, for one of the student's logits."""
    teacher, logits = (0.6, 0.3, 0.1), (0.2, 0.9, -0.5)

    def cross_entropy(z: float) -> float:
        return -dot(teacher, map(math.log, softmax([z, *logits[1:]])))

    def divergence(z: float) -> float:
        return dot(
            teacher,
            [math.log(p / q) for p, q in zip(teacher, softmax([z, *logits[1:]]), strict=True)],
        )

    same_value = math.isclose(cross_entropy(0.2), divergence(0.2))
    same_slope = math.isclose(slope(cross_entropy, 0.2), slope(divergence, 0.2), rel_tol=1e-6)
    return say(
        {(False, True): "The loss values differ, the gradients are the same"},
        (same_value, same_slope),
    )


def truncated_student() -> str:
    teacher, student = (0.5, 0.48, 0.02), (0.6, 0.4, 0.0)
    middle = [x / 2 for x in added(teacher, student)]

    def divergence(p: Sequence[float], q: Sequence[float]) -> float:
        return sum(x * math.log(x / y) if y else math.inf for x, y in zip(p, q, strict=True) if x)

    measures = {
        "KL(teacher‖student)": divergence(teacher, student),
        "KL(student‖teacher)": divergence(student, teacher),
        "Total variation distance": sum(abs(x - y) for x, y in zip(teacher, student, strict=True))
        / 2,
        "Jensen-Shannon divergence": (divergence(teacher, middle) + divergence(student, middle))
        / 2,
    }
    (found,) = [name for name, value in measures.items() if math.isinf(value)]
    return found


def one_style() -> str:
    policy, reference = (1.0, *[0.0] * 9), [1 / 10] * 10
    divergence = sum(p * math.log(p / q) for p, q in zip(policy, reference, strict=True) if p)
    words = {True: "ln 10 in all, a small price; so a penalty hardly protects diversity"}
    return say(words, math.isclose(divergence, math.log(10)))


def scaled_twice() -> str:
    scores = [x / math.sqrt(64) for x in (20, 4, -8, 11)]
    once, twice = max(softmax(scores)), max(softmax(scores, math.sqrt(64)))
    words = {
        True: "They get flatter, nearer to equal weights",
        False: "They get sharper, nearer to one-hot weights",
    }
    return say(words, 1 / 4 < twice < once)


def shifted_keys() -> str:
    query, keys, bias = (0.7, -1.1), ((0.2, 0.4), (1.0, -0.6), (-0.3, 0.8)), (1.5, 2.5)
    before = softmax([dot(query, key) for key in keys])
    after = softmax([dot(query, added(key, bias)) for key in keys])
    return say({True: "They stay exactly as they were before"}, alike([before], [after]))


def mask_corner() -> str:
    """Columns left by a lower triangle that starts at the top left, for 4 rows and 104 keys."""
    seen = [[key for key in range(104) if key <= row] for row in range(4)]
    own = [100 + row for row in range(4)]
    blind = not any(position in row for position, row in zip(own, seen, strict=True))
    words = {(True, 1, 4): "The oldest one to four keys, and nothing of what is nearer"}
    return say(words, (blind, len(seen[0]), len(seen[-1])))


def softmax_over_queries() -> str:
    """Weights of a causal head whose softmax runs down the columns, before and after the last query changes."""

    def weights_with(last_query: float) -> list[list[float]]:
        queries, keys = (0.3, -1.2, last_query), (0.8, 0.1, -0.5)
        weights = [[0.0] * 3 for _ in range(3)]
        for j, key in enumerate(keys):
            for i, share in enumerate(softmax([query * key for query in queries[j:]]), start=j):
                weights[i][j] = share
        return weights

    moved = not alike(weights_with(0.9)[:2], weights_with(-2.0)[:2])
    return say({True: "They come to depend on later tokens"}, moved)


CHECKS: dict[str, Check] = {
    # 21 positional encodings
    "positional-rope-same-score": rope_same_score,
    "positional-alibi-weights": alibi_weights,
    "positional-rope-base": rope_base,
    # 22 multi-head attention
    "mha-kv-cache-bytes": lambda: f"{2 * 32 * 8 * 128 * 2 / 1_024:.0f} KiB",
    "mha-double-heads": double_heads,
    "mha-kv-parallel": kv_parallel,
    # 23 softmax in attention
    "softmax-empty-row": empty_row,
    "softmax-mask-after": mask_after,
    "softmax-causal-equal": causal_equal,
    "softmax-scale-effects": scaled_scores,
    "softmax-ratio-typed": ratio,
    "softmax-dilution": lambda: f"About {softmax([5, *[0] * 10_000])[0]:.1%}",
    # 24 dot products
    "dot-product-variance": lambda: str(sum(1 * 1 for _ in range(64))),
    "dot-product-length-wins": length_wins,
    "dot-product-invariances": unchanged_dot_products,
    "dot-product-rank-limit": rank_limit,
    # 25 cross-entropy
    "cross-entropy-init-loss": lambda: f"About {-math.log(1 / 32_000):.1f}",
    "cross-entropy-garbled-tokens": garbled_tokens,
    "cross-entropy-smoothed-floor": smoothed_floor,
    "cross-entropy-logit-gradient": logit_gradient,
    "cross-entropy-bits-typed": lambda: str(2**3),
    # 26 gradients of embeddings
    "embedding-gradients-row-count": rows_with_gradient,
    "embedding-gradients-saved": lambda: f"{2 * 50_000 * 1_000 - 50_000 * 1_000:,}",
    "embedding-gradients-matrix-form": gradient_of_table,
    # 27 Jacobians
    "jacobian-softmax-offdiagonal": softmax_off_diagonal,
    "jacobian-softmax-product": softmax_product,
    "jacobian-softmax-properties": softmax_jacobian_properties,
    "jacobian-order-cost": order_cost,
    # 28 eigenvalues and PCA
    "pca-largest-eigenvalue": largest_eigenvalue,
    "pca-truncation-error": truncation_error,
    # 29 KL divergence
    "kl-from-cross-entropy": lambda: f"{3.2 - 2.9:.1f}",
    "kl-soft-target-loss": soft_target_gradients,
    "kl-truncated-student": truncated_student,
    "kl-one-style": one_style,
    "kl-properties": kl_properties,
    "kl-negative-sample": negative_sample,
    # 30 ReLU
    "relu-sigmoid-product": sigmoid_product,
    "relu-gelu-slope": gelu_slope,
    "relu-gelu-differences": gelu_against_relu,
    "relu-swiglu-width": lambda: f"About {2 * 1_024 * 4_096 / (3 * 1_024):,.0f}",
    # 31 chain rule
    "chain-rule-two-branches": two_branches,
    "chain-rule-peak-activations": peak_activations,
    # 32 attention scores
    "attention-scores-qk-shape": scores_of_head,
    "attention-scores-cross-shape": cross_output,
    "attention-scores-scaled-twice": scaled_twice,
    "attention-scores-equal-shift": shifted_keys,
    "attention-scores-wrong-axis": softmax_over_queries,
    "attention-scores-mask-corner": mask_corner,
    "attention-scores-true-claims": claims_about_attention,
    "attention-scores-count": lambda: f"{12 * 1_000 * 1_000 // 10**6} million",
    # 33 Gemini
    "gemini-video-minutes": lambda: f"About {1_000_000 / 256 / 60:.0f} minutes",
}
