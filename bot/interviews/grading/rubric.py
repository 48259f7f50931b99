"""The parsed texts that answers to a question are graded by.

They are prepared once, because parsing all phrasings takes longer than grading an answer.
"""

from __future__ import annotations

import math
import re
from collections import ChainMap, Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set

from msgspec import Struct, field
from msgspec.structs import replace

from bot.interviews.grading.opposites import Sides, Statement
from bot.interviews.grading.words import Sentence, Word, parse_sentences, stems
from bot.questions.model import KeyPoint, Misconception, Topic

Phrasing = Sequence[Word]
MIN_WORDS = 3
"""Fewest different words in a misconception."""
MIN_PART_WORDS = 2
"""Fewest content words in a part of a follow-up's good answer; a shorter one, such as "Nowhere.",
matches by chance or never."""
QUESTION_DISCOUNT = 0.25
MIN_RARITY = 0.2
"""Share of its weight that a word keeps however common it is."""
# after a semicolon or the end of a sentence, but not after an initial or an abbreviation
_END = re.compile(
    r"(?<=;)\s+|(?<=[.!?])(?<!\b[A-Za-z]\.)(?<!\bvs\.)(?<!\betc\.)(?<!\bcf\.)(?<!\bal\.)\s+(?=[^a-z])"
)


class Weights(Struct, frozen=True):
    """The number of documents of a background, for example of a question bank, with each stem.

    With no documents, all words weigh the same.
    """

    documents: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def count(cls, texts: Iterable[Set[str]]) -> Weights:
        """Count the texts, given as sets of stems, that contain each stem."""
        documents = list(texts)
        return cls(len(documents), Counter(stem for document in documents for stem in document))

    def rarity(self, stem: str) -> float:
        """Return `MIN_RARITY` for a word of every document, up to 1 for a word of none."""
        if not self.documents:
            return 1.0
        occurrences = self.counts.get(stem, 0)
        share = math.log((self.documents + 1) / (occurrences + 1)) / math.log(self.documents + 1)
        return MIN_RARITY + (1 - MIN_RARITY) * share


class WrongStatement(Struct, frozen=True):
    """One way to state a misconception, and the index of the point that it contradicts."""

    text: str
    words: Phrasing
    why: str
    point: int


class Rubric(Struct, frozen=True):
    """The parsed texts of a question.

    `phrasings` are the content words of each way to say each key point, `weights` the weights of
    their stems, and `max_sentences` the number of sentences in the longest phrasing. `taught_stems`
    are those of question, key points and model answer. `topics_by_stem` and `background` describe
    the bank. `wrong_statements` are the ways to state a misconception and `right_statements` all
    correct sentences; in `statement_weights`, unlike in `weights`, words of the question are not
    discounted. `sides` set each point against its opposites.
    """

    phrasings: Sequence[Sequence[Phrasing]]
    weights: Mapping[str, float]
    max_sentences: int
    question_stems: frozenset[str]
    taught_stems: frozenset[str]
    topic: str
    topics_by_stem: Mapping[str, Collection[str]]
    background: Weights
    wrong_statements: Sequence[WrongStatement]
    right_statements: Sequence[Phrasing]
    statement_weights: Mapping[str, float]
    sides: Sequence[Sides]

    @classmethod
    def from_topic(
        cls, topic: Topic, topics_by_stem: Mapping[str, Collection[str]], background: Weights
    ) -> Rubric:
        """Parse a question's key points. Without a background, only their own words are weighed."""
        points = [
            [parse_sentences(text) for text in (point.text, *point.accept)]
            for point in topic.key_points
        ]
        phrasings = [[words for words in map(_words, texts) if words] for texts in points]
        vocabularies = [
            frozenset(word.stem for words in of_point for word in words) for of_point in phrasings
        ]
        question_stems = stems(topic.question) | stems(topic.setting)
        wrong = [w for wrong in topic.misconceptions for w in _wrong_statements(wrong)]
        right: list[Phrasing] = [s.words for s in parse_sentences(topic.answer)]
        right += [words for of_point in phrasings for words in of_point]
        taught = [topic.answer, *(point.text for point in topic.key_points)]
        statements = [*right, *(one.words for one in wrong)]
        return cls(
            phrasings=phrasings,
            weights=_weigh(vocabularies, question_stems, background),
            max_sentences=max((len(text) for texts in points for text in texts), default=1),
            question_stems=question_stems,
            taught_stems=question_stems.union(*map(stems, taught)),
            topic=topic.id,
            topics_by_stem=topics_by_stem,
            background=background,
            wrong_statements=wrong,
            right_statements=right,
            statement_weights={
                word.stem: background.rarity(word.stem) for words in statements for word in words
            },
            sides=_sides(topic, phrasings, wrong, background),
        )

    def statement(self, sentences: Sequence[Sentence]) -> Statement:
        """Return sentences of an answer, to be compared with the sides of a point."""
        return Statement.of(_words(sentences), self.background.rarity)


class BankWords(Struct, frozen=True):
    """The words of a bank, shared by all rubrics: the topics of each stem, and its frequency."""

    topics_by_stem: Mapping[str, Collection[str]]
    background: Weights

    def rubric_for_other_topic(self, topic: Topic) -> Rubric:
        """Return the rubric of a topic that is not in the bank."""
        own = {stem for text in texts_of(topic) for stem in stems(text)}
        with_own = {stem: {topic.id, *self.topics_by_stem.get(stem, ())} for stem in own}
        topics_by_stem = ChainMap(with_own, self.topics_by_stem)  # type: ignore[arg-type]
        return Rubric.from_topic(topic, topics_by_stem, self.background)


def count_words(texts: Mapping[str, Sequence[str]]) -> BankWords:
    """Count the words of a bank, given each topic's texts by id. It takes a second or more."""
    counts: Counter[str] = Counter()
    topics_by_stem: dict[str, dict[str, None]] = {}
    for topic_id, its_texts in texts.items():
        for text in its_texts:
            found = stems(text)
            counts.update(found)
            for stem in found:
                topics_by_stem.setdefault(stem, {})[topic_id] = None
    compact = {stem: tuple(topics) for stem, topics in topics_by_stem.items()}
    return BankWords(compact, Weights(sum(map(len, texts.values())), counts))


def follow_up_topic(topic: Topic, question: str, hint: str) -> Topic:
    """Return a follow-up as a topic of its own, with the parts of its good answer as key points.

    That answer (its `hint`) is plain text without key points.
    """
    return replace(
        topic,
        question=question,
        answer=hint,
        key_points=tuple(KeyPoint(part, ()) for part in split_hint(hint)),
        misconceptions=(),
        items=(),
    )


def split_hint(hint: str) -> tuple[str, ...]:
    """Split a hint after sentences and semicolons.

    A short part is joined with the next one, a short last part with the one before.
    """
    parts: list[str] = []
    for text in filter(None, _END.split(" ".join(hint.split()))):
        if parts and _is_short(parts[-1]):
            parts[-1] += f" {text}"
        else:
            parts.append(text)
    if len(parts) > 1 and _is_short(parts[-1]):
        last = parts.pop()
        parts[-1] += f" {last}"
    return tuple(parts)


def _is_short(text: str) -> bool:
    return sum(len(sentence.words) for sentence in parse_sentences(text)) < MIN_PART_WORDS


def _weigh(
    points: Iterable[frozenset[str]], question: frozenset[str], background: Weights
) -> dict[str, float]:
    """Return the weight, above 0 and at most 1, of each stem of key points and question.

    It is the inverse document frequency, twice: a word in all key points of a question doesn't tell
    them apart, and a word that is common in the bank tells little about anything. Words of the
    question are discounted because every answer uses them. Without that, a copied question gets two
    thirds of the marks on Mohler's data.
    """
    documents = list(points)
    local = Weights.count(documents) if len(documents) > 1 else Weights()
    return {
        stem: local.rarity(stem)
        * background.rarity(stem)
        * (QUESTION_DISCOUNT if stem in question else 1.0)
        for stem in question.union(*documents)
    }


def _wrong_statements(misconception: Misconception) -> list[WrongStatement]:
    """Return the ways to state a misconception that have too many words to occur by chance."""
    statements = []
    for text in (misconception.text, *misconception.accept):
        words = _words(parse_sentences(text))
        if len({word.stem for word in words}) >= MIN_WORDS:
            point = misconception.point - 1
            statements.append(WrongStatement(text, words, misconception.why, point))
    return statements


def _sides(
    topic: Topic,
    phrasings: Sequence[Sequence[Phrasing]],
    wrong: Sequence[WrongStatement],
    background: Weights,
) -> list[Sides]:
    """Set each point against its opposites and the misconceptions about it."""

    def statements(several: Iterable[Phrasing]) -> list[Statement]:
        return [Statement.of(words, background.rarity) for words in several]

    answer = statements(sentence.words for sentence in parse_sentences(topic.answer))
    sides = []
    for n, point in enumerate(topic.key_points):
        texts = [*point.opposites, *(one.text for one in wrong if one.point == n)]
        opposites = statements(_words(parse_sentences(text)) for text in texts)
        sides.append(Sides(statements(phrasings[n]), answer, opposites, texts))
    return sides


def _words(sentences: Sequence[Sentence]) -> list[Word]:
    return [word for sentence in sentences for word in sentence.words]


def texts_of(topic: Topic) -> list[str]:
    """Return the texts of a topic whose words are counted."""
    worded = (text for point in topic.key_points for text in (point.text, *point.accept))
    setting = [topic.setting] if topic.setting else []
    return [*setting, topic.question, topic.answer, *worded]
