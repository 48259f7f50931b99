"""Grading answers by literal key points."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interviews.grading import Flag, Grade, Rubric, State
from bot.interviews.grading import grade as graded
from bot.interviews.grading.weights import LEAST, Weights
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
    return Rubric.of(Topic("t", "s", None, "Title", question, "", tuple(points), (), (), (), wrong))


def states(answer: str) -> list[State]:
    return [point.state for point in grade(answer, QUESTION, POINTS).points]


def test_a_full_answer() -> None:
    """Each point is covered, by the sentence that says it, and the score is whole."""
    found = grade(FULL, QUESTION, POINTS)
    assert [point.state for point in found.points] == [State.COVERED] * 3
    assert [point.evidence.split()[0] for point in found.points] == ["You", "What", "Afterwards"]
    assert found.score == 1
    assert found.flags == frozenset()


def test_a_part_of_an_answer() -> None:
    """What is not said is missing, without evidence if nothing comes near; the score is the share of the points."""
    found = grade("The pretrained weights stay frozen during all of this.", QUESTION, POINTS)
    assert [point.state for point in found.points] == [State.COVERED, State.MISSING, State.MISSING]
    assert found.points[1].evidence == ""
    assert found.score == pytest.approx(1 / 3)


def test_what_comes_near_a_missing_point() -> None:
    """The sentence that comes nearest is its evidence, though it earns nothing."""
    near = "Training changes something else in the model."
    found = grade(
        f"The pretrained weights stay frozen during all of this. {near}", QUESTION, POINTS
    ).points[1]
    assert (found.state, found.credit, found.evidence) == (State.MISSING, 0.0, near)


def test_an_accepted_phrasing_is_as_good() -> None:
    """A point is covered by any of its phrasings."""
    assert states("Here the original parameters aren't updated.")[0] is State.COVERED
    assert states("The base model is left unchanged by it.")[0] is State.COVERED
    assert states("It learns a product of two thin matrices.")[1] is State.COVERED


def test_misspellings_are_read() -> None:
    """A letter too few or two swapped do not matter in a long word."""
    assert states("The pretraned wieghts and paramters stay frozen in place.")[0] is State.COVERED


def test_a_point_without_words_is_never_covered() -> None:
    """A key point of signs or function words alone is missing rather than an error."""
    found = grade(FULL, QUESTION, [KeyPoint("…", ()), KeyPoint("it is", ("",))])
    assert [point.state for point in found.points] == [State.MISSING, State.MISSING]


def test_no_points() -> None:
    """Without key points there is nothing to score."""
    assert grade(FULL, QUESTION, []).score == 0


@pytest.mark.parametrize("answer", ["", "   \n ", "…?!", "it is so"])
def test_nothing_said(answer: str) -> None:
    """Without a content word nothing is covered."""
    found = grade(answer, QUESTION, POINTS)
    assert (found.score, set(found.flags)) == (0, {Flag.EMPTY})


def test_the_question_copied() -> None:
    """The question says nothing about its points."""
    found = grade(f"{QUESTION} {QUESTION}", QUESTION, POINTS)
    assert (found.score, set(found.flags)) == (0, {Flag.COPIED})


def test_a_list_of_keywords() -> None:
    """Terms that nothing holds together say nothing, with commas, in lines or on a string."""
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
    """The right words with a negation that the phrasing does not have show doubt, and earn little."""
    found = grade("The two small matrices of rank r are not trained.", QUESTION, POINTS)
    assert found.points[1].state is State.DOUBTFUL
    assert found.points[1].credit == 0.15
    assert Flag.NEGATED in found.flags


def test_a_negation_that_the_phrasing_has_is_none() -> None:
    """Parity counts, not the word "not"."""
    found = grade("With this method original parameters are not updated.", QUESTION, POINTS)
    assert found.points[0].state is State.COVERED
    assert found.flags == frozenset()


def test_an_answer_that_denies_everything() -> None:
    """If nearly every sentence holds a negation, no point is more than doubtful."""
    denied = (
        "The pretrained weights don't stay frozen. No small matrices of rank r are trained. "
        "It can't be merged at all."
    )
    found = grade(denied, QUESTION, POINTS)
    assert State.COVERED not in [point.state for point in found.points]
    assert found.score <= 0.15


def test_the_contrary_of_a_point_is_doubtful() -> None:
    """An opposite in place of a phrasing's word denies the point, unless the word is there as well."""
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
    """That the other thing is slower does not deny that this one is fast."""
    points = [
        KeyPoint("A dot product is faster than additive attention", ()),
        KeyPoint("Vectors are normalised", ()),
    ]
    found = grade("Additive attention is slower than a dot product.", "Why?", points)
    assert found.points[0].state is State.COVERED


def test_a_phrasing_that_fits_nearly_as_well_may_hold_the_negation() -> None:
    """Of two near phrasings the one with the same parity counts."""
    points = [
        KeyPoint("Old weights stay still", ("old weights are not touched",)),
        KeyPoint("Adapters are small", ()),
    ]
    found = grade("The old weights are not touched and stay.", "How?", points)
    assert found.points[0].state is State.COVERED


def test_the_rest_of_an_answer_counts() -> None:
    """A loose match covers a point in an answer that covers the others, and not in one that denies them."""
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
    """Short of covered a point earns six tenths at most."""
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
    """A full answer among many sentences about nothing in the bank keeps its score."""
    other = "The {} river of Brazil carries brown water past green hills toward a distant northern harbour town. "
    assert (
        grade(
            FULL + " " + "".join(other.format(n) for n in "abcdefghijklmn"), QUESTION, POINTS
        ).score
        == 1
    )


def test_notes_are_honest() -> None:
    """Verbs left out, arrows and colons cost nothing; a hint says that they are notes."""
    notes = (
        "Base W: pretrained weights frozen (7B, bf16, on 1 GPU)\nTrained: small matrices A, B, rank r = 8 → ΔW = BA\n"
        "Later: merge update into W → no added latency (vs. adapters)"
    )
    found = grade(notes, QUESTION, POINTS)
    assert (found.score, set(found.flags)) == (1, {Flag.TERSE})


def test_a_contrast_denies_the_other_thing() -> None:
    """What a sentence denies beside "rather" or "unlike" is not its own claim."""
    found = grade(
        "It doesn't touch them: rather the pretrained weights stay frozen.", QUESTION, POINTS
    )
    assert found.points[0].state is State.COVERED


WRONG = Misconception(
    "All pretrained weights are updated", ("LoRA trains the full base",), "The base is frozen.", 1
)


def test_a_misconception_takes_its_point_back() -> None:
    """It is quoted with the reason, the point it contradicts is missing though said elsewhere, the others stay."""
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
def test_who_denies_a_misconception_is_not_corrected(sentence: str) -> None:
    """Nor who says less, or much else."""
    assert graded(f"{FULL} {sentence}", rubric_of(QUESTION, POINTS, WRONG)).errors == ()


def test_a_long_answer_is_cut() -> None:
    """What stands beyond the bound is not read, and a flag says so."""
    found = grade("Frozen means fixed. " * 400 + FULL, QUESTION, POINTS)
    assert Flag.CUT in found.flags
    assert found.points[2].state is State.MISSING


def test_rare_words_weigh_more() -> None:
    """A word of every text of the background keeps a fifth of its weight, one of no text all."""
    weights = Weights.of(map(stems, ["the loss of a model", "a model of text", "model weights"]))
    assert weights.rarity("model") == LEAST
    assert LEAST < weights.rarity("loss") < weights.rarity("rotary") == 1
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
    """Any text is graded: a score from 0 to 1, the sum of credits, one entry a point, evidence for what earns."""
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
def test_saying_more_of_it_never_takes_a_point_away(order: list[int], said: int) -> None:
    """A sentence that covers a further point leaves the others as they were."""
    sentences = [
        "You keep the pretrained weights frozen.",
        "What gets trained are two small matrices of rank r.",
    ]
    sentences.append("Afterwards the update is merged, so there's no extra cost at inference.")
    before = grade(" ".join(sentences[n] for n in order[:said]), QUESTION, POINTS)
    after = grade(" ".join(sentences[n] for n in order[: said + 1]), QUESTION, POINTS)
    assert all(
        later.credit >= earlier.credit
        for earlier, later in zip(before.points, after.points, strict=True)
    )
    assert after.points[order[said]].state is State.COVERED
    assert after.score > before.score
