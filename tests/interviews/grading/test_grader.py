"""Grading answers by literal key points."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interviews.grading import Flag, Grade, Rubric, State
from bot.interviews.grading import grade as graded
from bot.interviews.grading.weights import MIN_RARITY, Weights
from bot.interviews.grading.words import stems
from bot.questions.model import KeyPoint, Misconception, Topic

QUESTION = "What is low-rank adaptation, and what does it cost to use?"
FROZEN = KeyPoint(
    "The pretrained weights stay frozen",
    ("original parameters are not updated", "base model is left unchanged"),
)
RANK = KeyPoint(
    "Two small matrices of rank r are trained",
    ("learns a product of thin matrices", "rank r update B times A"),
)
MERGE = KeyPoint(
    "The update can be merged, so inference costs nothing extra",
    ("no added latency after merging",),
)
POINTS = (FROZEN, RANK, MERGE)
FULL = (
    "You keep the pretrained weights frozen. What gets trained are two small matrices of rank r whose product is added."
    " Afterwards the update is merged into the weights, so there's no extra cost at inference."
)


def grade(answer: str, question: str, points: Sequence[KeyPoint], *, guarded: bool = True) -> Grade:
    return graded(answer, rubric_of(question, points), guarded=guarded)


def rubric_of(question: str, points: Sequence[KeyPoint], *wrong: Misconception) -> Rubric:
    return Rubric.from_topic(
        Topic("t", "s", None, "Title", question, "", tuple(points), (), (), (), wrong)
    )


def states(answer: str) -> list[State]:
    return [point.state for point in grade(answer, QUESTION, POINTS).points]


def test_a_full_answer() -> None:
    """Each point is covered by its own sentence, and the score is 1."""
    found = grade(FULL, QUESTION, POINTS)
    assert [point.state for point in found.points] == [State.COVERED] * 3
    assert [point.evidence.split()[0] for point in found.points] == ["You", "What", "Afterwards"]
    assert found.score == 1
    assert found.flags == frozenset()


def test_a_partial_answer() -> None:
    """Unsaid points are missing, without evidence if nothing is close."""
    found = grade("The pretrained weights stay frozen during all of this.", QUESTION, POINTS)
    assert [point.state for point in found.points] == [State.COVERED, State.MISSING, State.MISSING]
    assert found.points[1].evidence == ""
    assert found.score == pytest.approx(1 / 3)


def test_evidence_of_a_missing_point() -> None:
    """The closest sentence is shown although it earns nothing."""
    closest = "Training changes something else in the model."
    found = grade(
        f"The pretrained weights stay frozen during all of this. {closest}", QUESTION, POINTS
    ).points[1]
    assert (found.state, found.credit, found.evidence) == (State.MISSING, 0.0, closest)


def test_accepted_phrasings_count() -> None:
    """A point is covered by any of its phrasings."""
    assert states("Here the original parameters aren't updated.")[0] is State.COVERED
    assert states("The base model is left unchanged by it.")[0] is State.COVERED
    assert states("It learns a product of two thin matrices.")[1] is State.COVERED


def test_misspellings_are_recognized() -> None:
    """One missing letter or two swapped ones don't matter in a long word."""
    assert states("The pretraned wieghts and paramters stay frozen in place.")[0] is State.COVERED


def test_a_point_without_words_is_never_covered() -> None:
    """A key point of punctuation or function words is missing and causes no error."""
    found = grade(FULL, QUESTION, [KeyPoint("…", ()), KeyPoint("it is", ("",))])
    assert [point.state for point in found.points] == [State.MISSING, State.MISSING]


def test_no_points() -> None:
    """Without key points the score is 0."""
    assert grade(FULL, QUESTION, []).score == 0


@pytest.mark.parametrize("answer", ["", "   \n ", "…?!", "it is so"])
def test_empty_answers(answer: str) -> None:
    """Without a content word nothing is covered."""
    found = grade(answer, QUESTION, POINTS)
    assert (found.score, set(found.flags)) == (0, {Flag.EMPTY})


def test_a_copied_question() -> None:
    """The question says nothing about its points."""
    found = grade(f"{QUESTION} {QUESTION}", QUESTION, POINTS)
    assert (found.score, set(found.flags)) == (0, {Flag.COPIED})


def test_a_list_of_keywords() -> None:
    """Terms without sentences earn nothing, however they are separated."""
    terms = (
        "pretrained weights frozen small matrices rank product trained update merged inference "
        "costs nothing extra low"
    )
    for text in (
        terms,
        terms.replace(" ", ", "),
        terms.replace(" ", "\n"),
        terms.replace(" ", " and "),
    ):
        found = grade(text, QUESTION, POINTS)
        assert (found.score, set(found.flags)) == (0, {Flag.LIST})
        assert grade(text, QUESTION, POINTS, guarded=False).score > 0.6


def test_a_denied_point_is_doubtful() -> None:
    """A negation that the phrasing doesn't have makes the point doubtful and earns little."""
    found = grade("The two small matrices of rank r are not trained.", QUESTION, POINTS)
    assert found.points[1].state is State.DOUBTFUL
    assert found.points[1].credit == 0.15
    assert Flag.NEGATED in found.flags


def test_a_negation_in_the_phrasing_matches() -> None:
    """Parity is compared, not the word "not"."""
    found = grade("With this method original parameters are not updated.", QUESTION, POINTS)
    assert found.points[0].state is State.COVERED
    assert found.flags == frozenset()


def test_an_answer_that_denies_everything() -> None:
    """If nearly every sentence has a negation, no point is covered."""
    denied = (
        "The pretrained weights don't stay frozen. No small matrices of rank r are trained. "
        "It can't be merged at all."
    )
    found = grade(denied, QUESTION, POINTS)
    assert State.COVERED not in [point.state for point in found.points]
    assert found.score <= 0.15


def test_an_opposite_is_doubtful() -> None:
    """An opposite denies the point unless the phrasing's word is there too."""
    points = [
        KeyPoint("Use a lower learning rate", ()),
        KeyPoint("The base stays loaded on disk", ()),
    ]

    def state(answer: str) -> State:
        return grade(answer, "What helps?", points).points[0].state

    assert state("You want a lower learning rate.") is State.COVERED
    assert state("You want a higher learning rate.") is State.DOUBTFUL
    assert state("You want a lower learning rate rather than a higher one.") is State.COVERED


def test_speed_is_relative() -> None:
    """ "The other is slower" doesn't deny "this one is fast"."""
    points = [
        KeyPoint("A dot product is faster than additive attention", ()),
        KeyPoint("Vectors are normalised", ()),
    ]
    found = grade("Additive attention is slower than a dot product.", "Why?", points)
    assert found.points[0].state is State.COVERED


def test_the_phrasing_with_the_same_parity_counts() -> None:
    """It decides if two phrasings match about equally well."""
    points = [
        KeyPoint("Old weights stay still", ("old weights are not touched",)),
        KeyPoint("Adapters are small", ()),
    ]
    found = grade("The old weights are not touched and stay.", "How?", points)
    assert found.points[0].state is State.COVERED


def test_other_points_raise_a_loose_match() -> None:
    """A loose match is worth more beyond points that are covered, and less beyond denied ones."""
    loose = "In the end it's merged with no extra delay."
    others = "You keep the pretrained weights frozen. What gets trained are two small matrices of rank r."
    denied = (
        "The pretrained weights aren't kept frozen. Two small matrices of rank r aren't trained."
    )
    alone, sound, unsound = (
        grade(text, QUESTION, POINTS).points[2].confidence
        for text in (loose, f"{others} {loose}", f"{denied} {loose}")
    )
    assert unsound < alone < sound


def test_a_doubtful_point_earns_little() -> None:
    """A doubtful point earns at most 0.6."""
    point = KeyPoint("alpha beta gamma delta epsilon", ())
    credits = [
        grade(
            f"There is {' with '.join(point.text.split()[:n])}.",
            "Why?",
            [point, KeyPoint("zeta", ())],
        ).points[0]
        for n in range(1, 6)
    ]
    assert {one.state for one in credits} >= {State.DOUBTFUL, State.COVERED}
    assert all(one.credit <= 0.6 for one in credits if one.state is State.DOUBTFUL)


def test_small_talk_costs_nothing() -> None:
    """A full answer keeps its score among many sentences about no topic."""
    other = "The {} river of Brazil carries brown water past green hills toward a distant northern harbour town. "
    assert (
        grade(
            FULL + " " + "".join(other.format(n) for n in "abcdefghijklmn"), QUESTION, POINTS
        ).score
        == 1
    )


def test_notes_are_honest() -> None:
    """Missing verbs, arrows and colons cost nothing; a flag says that these are notes."""
    notes = (
        "Base W: pretrained weights frozen (7B, bf16, on 1 GPU)\nTrained: small matrices A, B, rank r = 8 → ΔW = BA\n"
        "Later: merge update into W → no added latency (vs. adapters)"
    )
    found = grade(notes, QUESTION, POINTS)
    assert (found.score, set(found.flags)) == (1, {Flag.TERSE})


def test_a_contrast_denies_the_other_thing() -> None:
    """With "rather" or "unlike", a negation may be about the other thing."""
    found = grade(
        "It doesn't touch them: rather the pretrained weights stay frozen.", QUESTION, POINTS
    )
    assert found.points[0].state is State.COVERED


WRONG = Misconception(
    "All pretrained weights are updated", ("LoRA trains the full base",), "The base is frozen.", 1
)


def test_a_misconception_contradicts_its_point() -> None:
    """It is quoted with the reason; its point is missing even if said elsewhere."""
    rubric = rubric_of(QUESTION, POINTS, WRONG)
    found = graded(f"{FULL} All the pretrained weights are updated then.", rubric)
    assert [(error.text, error.why) for error in found.errors] == [
        ("All the pretrained weights are updated then.", "The base is frozen.")
    ]
    assert [point.state for point in found.points] == [State.MISSING, State.COVERED, State.COVERED]


@pytest.mark.parametrize(
    "sentence",
    [
        "Not all of the pretrained weights are updated.",
        "Some pretrained weights are updated.",
        "It isn't that all pretrained weights are updated, but two small matrices.",
        "All pretrained weights are kept while small matrices of rank r of every attention layer get updated instead.",
    ],
)
def test_denied_misconceptions_are_no_errors(sentence: str) -> None:
    """Sentences that say less, or much else, aren't errors either."""
    assert graded(f"{FULL} {sentence}", rubric_of(QUESTION, POINTS, WRONG)).errors == ()


def test_a_long_answer_is_cut() -> None:
    """Text beyond the limit isn't read, and a flag says so."""
    found = grade("Frozen means fixed. " * 400 + FULL, QUESTION, POINTS)
    assert Flag.CUT in found.flags
    assert found.points[2].state is State.MISSING


def test_rare_words_weigh_more() -> None:
    """A word of every text keeps a fifth of its weight, a word of none all of it."""
    weights = Weights.count(map(stems, ["the loss of a model", "a model of text", "model weights"]))
    assert weights.rarity("model") == MIN_RARITY
    assert MIN_RARITY < weights.rarity("loss") < weights.rarity("rotary") == 1
    assert Weights().rarity("model") == 1


texts = st.text(max_size=300) | st.lists(
    st.sampled_from(
        [
            *FULL.split(),
            "not",
            "no",
            "that",
            "it",
            ",",
            ";",
            "\n",
            "1,000",
            "5 %",
            "e.g.",
            "\ud800",
            "–",
        ]
    ),
    max_size=60,
).map(" ".join)


@given(
    texts,
    texts,
    st.lists(st.builds(KeyPoint, texts, st.lists(texts, max_size=3).map(tuple)), max_size=4),
)
def test_no_text_raises(answer: str, question: str, points: list[KeyPoint]) -> None:
    """Any text gets a score from 0 to 1, an entry per point, and evidence for what earns credit."""
    found = grade(answer, question, points)
    assert len(found.points) == len(points)
    assert 0 <= found.score <= 1
    assert found.score == pytest.approx(
        sum(point.credit for point in found.points) / max(1, len(points))
    )
    for point in found.points:
        assert (point.state is State.COVERED) == (point.credit == 1)
        assert point.state is State.MISSING or point.evidence
        assert 0 <= point.confidence <= 1


@given(st.permutations([0, 1, 2]), st.integers(0, 2))
def test_saying_more_never_loses_a_point(order: list[int], count: int) -> None:
    """Another sentence that covers a point leaves the other points unchanged."""
    sentences = [
        "You keep the pretrained weights frozen.",
        "What gets trained are two small matrices of rank r.",
    ]
    sentences.append("Afterwards the update is merged, so there's no extra cost at inference.")
    before = grade(" ".join(sentences[n] for n in order[:count]), QUESTION, POINTS)
    after = grade(" ".join(sentences[n] for n in order[: count + 1]), QUESTION, POINTS)
    assert all(
        later.credit >= earlier.credit
        for earlier, later in zip(before.points, after.points, strict=True)
    )
    assert after.points[order[count]].state is State.COVERED
    assert after.score > before.score
