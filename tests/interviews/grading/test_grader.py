"""Finding literal key points in answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.interviews.grading import Flag, Grade, PointState, Rubric
from bot.interviews.grading import grade as graded
from bot.interviews.grading.grader import _best_matches
from bot.interviews.grading.matching import IndexedAnswer
from bot.interviews.grading.rubric import MIN_RARITY, Weights
from bot.interviews.grading.words import parse_sentences, stems
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


def grade(
    answer: str,
    question: str = QUESTION,
    points: Sequence[KeyPoint] = POINTS,
    *,
    guarded: bool = True,
) -> Grade:
    return graded(answer, rubric_of(question, points), guarded=guarded)


def rubric_of(question: str, points: Sequence[KeyPoint], *wrong: Misconception) -> Rubric:
    topic = Topic("t", "s", None, "Title", question, "", tuple(points), (), (), (), wrong)
    return Rubric.from_topic(topic, {}, Weights())


def states(found: Grade) -> list[PointState]:
    return [point.state for point in found.points]


def test_a_partial_answer() -> None:
    """Unsaid points are missing, with the closest sentence if any is close."""
    said = "The pretrained weights stay frozen during all of this."
    found = grade(said)
    assert states(found) == [PointState.FOUND, PointState.MISSING, PointState.MISSING]
    assert found.points[1].evidence == ""
    assert found.found == pytest.approx(1 / 3)
    closest = "Training changes something else in the model."
    point = grade(f"{said} {closest}").points[1]
    assert (point.state, point.evidence) == (PointState.MISSING, closest)


@pytest.mark.parametrize(
    ("answer", "point"),
    [
        ("Here the original parameters aren't updated.", 0),
        ("The base model is left unchanged by it.", 0),
        ("It learns a product of two thin matrices.", 1),
        ("The pretraned wieghts and paramters stay frozen in place.", 0),
        ("With this method original parameters are not updated.", 0),
        ("It doesn't touch them: rather the pretrained weights stay frozen.", 0),
    ],
    ids=[
        "the first phrasing",
        "the second",
        "of another point",
        "misspelled",
        "with the phrasing's own negation",
        "a contrast that denies something else",
    ],
)
def test_found_in_other_words(answer: str, point: int) -> None:
    """A point is found by any of its phrasings, also with misspellings or an own negation."""
    found = grade(answer)
    assert found.points[point].state is PointState.FOUND
    assert Flag.NEGATED not in found.flags


def test_a_point_without_words_is_never_found() -> None:
    """A key point of punctuation or function words is missing. Without key points none is found."""
    found = grade(FULL, points=[KeyPoint("…", ()), KeyPoint("it is", ("",))])
    assert states(found) == [PointState.MISSING, PointState.MISSING]
    assert grade(FULL, points=[]).found == 0


TERMS = (
    "pretrained weights frozen small matrices rank product trained update merged inference "
    "costs nothing extra low"
)


@pytest.mark.parametrize(
    ("flag", "answer"),
    [
        *((Flag.EMPTY, text) for text in ("", "   \n ", "…?!", "it is so")),
        (Flag.COPIED, f"{QUESTION} {QUESTION}"),
        *((Flag.LIST, TERMS.replace(" ", separator)) for separator in (" ", ", ", "\n", " and ")),
    ],
)
def test_answers_that_say_nothing(flag: Flag, answer: str) -> None:
    """Nothing is found without content words, in the question itself, or in a list of terms."""
    found = grade(answer)
    assert (found.found, set(found.flags)) == (0, {flag})
    if flag is Flag.LIST:
        assert grade(answer, guarded=False).found > 0.6


def test_a_denied_point_may_say_the_opposite() -> None:
    """A negation that the phrasing doesn't have may turn the point around."""
    found = grade("The two small matrices of rank r are not trained.")
    assert found.points[1].state is PointState.CHECK
    assert Flag.NEGATED in found.flags


def test_an_answer_that_denies_everything() -> None:
    """If nearly every sentence has a negation, no point is found."""
    found = grade(
        "The pretrained weights don't stay frozen. No small matrices of rank r are trained. "
        "It can't be merged at all."
    )
    assert PointState.FOUND not in states(found)
    asked = grade("The weights stay frozen, no? Are they trained? No. Does merging cost time? No.")
    assert Flag.NEGATED not in asked.flags


RATE = KeyPoint("Use a lower learning rate", ())
FASTER = KeyPoint("A dot product is faster than additive attention", ())
STILL = KeyPoint("Old weights stay still", ("old weights are not touched",))


@pytest.mark.parametrize(
    ("point", "answer", "said"),
    [
        (RATE, "You want a lower learning rate.", True),
        (RATE, "You want a higher learning rate.", False),
        (RATE, "You want a lower learning rate rather than a higher one.", True),
        (FASTER, "Additive attention is slower than a dot product.", True),
        (STILL, "The old weights are not touched and stay.", True),
    ],
)
def test_an_opposite_word(point: KeyPoint, answer: str, said: bool) -> None:
    """An opposite denies the point unless the phrasing's word is there too, or it is said of the
    other thing. Of two phrasings the one with the same negation decides."""
    other = KeyPoint("The base stays loaded on disk", ())
    expected = PointState.FOUND if said else PointState.CHECK
    assert grade(answer, "What helps?", [point, other]).points[0].state is expected


def test_a_sentence_that_fits_other_points_matches_each_less() -> None:
    """By a share of its mean match with the others, so it makes no difference how many these are."""
    sentences = parse_sentences("The pretrained weights stay frozen.")
    answer = IndexedAnswer(sentences)
    alone, among_two, *among_more = (
        _best_matches(sentences, answer, rubric_of(QUESTION, [FROZEN] * n), ())[0].match
        for n in (1, 2, 3, 6)
    )
    assert among_two < alone
    assert among_more == pytest.approx([among_two] * 2)


def test_other_points_raise_a_loose_match() -> None:
    """A loose match is worth more with points that are found, and less with denied ones."""
    loose = "In the end it's merged with no extra delay."
    others = "You keep the pretrained weights frozen. What gets trained are two small matrices of rank r."
    denied = (
        "The pretrained weights aren't kept frozen. Two small matrices of rank r aren't trained."
    )
    texts = f"{denied} {loose}", loose, f"{others} {loose}"
    unsound, alone, sound = (grade(text).points[2].confidence for text in texts)
    assert unsound < alone < sound


LIMITED = (
    KeyPoint(
        "Prefill is limited by compute",
        ("prefill is compute-bound",),
        ("Prefill is limited by memory bandwidth.", "The bandwidth is what holds prefill back."),
    ),
    KeyPoint(
        "Decode is limited by memory bandwidth",
        ("decode is memory-bound",),
        ("Decode is limited by compute.", "Arithmetic is the bottleneck of each decode step."),
    ),
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Prefill is limited by compute.", PointState.FOUND),
        ("Prefill is held back by the memory bandwidth.", PointState.CHECK),
    ],
)
def test_the_nearer_side_decides(answer: str, expected: PointState) -> None:
    """A passage nearer to an opposite than to any phrasing may say the opposite, which is shown."""
    point = grade(answer, "What limits the two phases?", LIMITED[:1]).points[0]
    assert (point.state, point.opposite) == (expected, LIMITED[0].opposites[0])


def test_errors_come_together() -> None:
    """A passage between both sides weighs more if other points are contradicted too."""
    unsure = "Decode is limited by how fast the memory can compute."
    right, wrong = "Prefill is limited by compute.", "Prefill is held back by memory bandwidth."
    with_right, with_wrong = (
        grade(f"{first} {unsure}", "What limits them?", LIMITED).points[1]
        for first in (right, wrong)
    )
    assert (with_right.state, with_wrong.state) == (PointState.FOUND, PointState.CHECK)


def test_small_talk_costs_nothing() -> None:
    """A full answer keeps its points among many sentences about no topic."""
    other = "The {} river of Brazil carries brown water past green hills toward a distant northern harbour town. "
    assert grade(f"{FULL} {''.join(map(other.format, 'abcdefghijklmn'))}").found == 1


def test_notes_are_honest() -> None:
    """Missing verbs, arrows and colons cost nothing; a flag says that these are notes."""
    notes = (
        "Base W: pretrained weights frozen (7B, bf16, on 1 GPU)\nTrained: small matrices A, B, rank r = 8 → ΔW = BA\n"
        "Later: merge update into W → no added latency (vs. adapters)"
    )
    found = grade(notes)
    assert (found.found, set(found.flags)) == (1, {Flag.TERSE})


WRONG = Misconception(
    "All pretrained weights are updated", ("LoRA trains the full base",), "The base is frozen.", 1
)


def test_a_misconception_contradicts_its_point() -> None:
    """It is quoted with what is right; its point is not found even if said elsewhere."""
    rubric = rubric_of(QUESTION, POINTS, WRONG)
    point, *others = graded(f"{FULL} All the pretrained weights are updated then.", rubric).points
    assert point.state is PointState.CHECK
    assert point.evidence == "All the pretrained weights are updated then."
    assert (point.opposite, point.why) == (WRONG.text, WRONG.why)
    assert [other.state for other in others] == [PointState.FOUND, PointState.FOUND]


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
    found = graded(f"{FULL} {sentence}", rubric_of(QUESTION, POINTS, WRONG))
    assert not any(point.why for point in found.points)


def test_a_long_answer_is_cut() -> None:
    """Text beyond the limit isn't read, and a flag says so."""
    found = grade("Frozen means fixed. " * 400 + FULL)
    assert Flag.CUT in found.flags
    assert found.points[2].state is PointState.MISSING


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
            *["not", "no", "that", "it", ",", ";", "1,000", "e.g.", "–"],
            "\n",
            "5 %",
            "\ud800",
        ]
    ),
    max_size=60,
).map(" ".join)


@settings(max_examples=40)
@given(
    texts,
    texts,
    st.lists(st.builds(KeyPoint, texts, *[st.lists(texts, max_size=3).map(tuple)] * 2), max_size=4),
)
def test_no_text_raises(answer: str, question: str, points: list[KeyPoint]) -> None:
    """Any text gets an entry per point, with evidence for whatever isn't missing."""
    found = grade(answer, question, points)
    assert len(found.points) == len(points)
    for point in found.points:
        assert point.state is PointState.MISSING or point.evidence
        assert 0 <= point.confidence <= 1


@given(st.permutations([0, 1, 2]), st.integers(0, 2))
def test_saying_more_never_loses_a_point(order: list[int], count: int) -> None:
    """Another sentence that says a point leaves the other points unchanged."""
    sentences = [
        "You keep the pretrained weights frozen.",
        "What gets trained are two small matrices of rank r.",
        "Afterwards the update is merged, so there's no extra cost at inference.",
    ]
    before, after = (
        grade(" ".join(sentences[n] for n in order[:said])) for said in (count, count + 1)
    )
    for earlier, later in zip(before.points, after.points, strict=True):
        assert later.state is PointState.FOUND or earlier.state is not PointState.FOUND
    assert after.points[order[count]].state is PointState.FOUND
    assert after.found > before.found
