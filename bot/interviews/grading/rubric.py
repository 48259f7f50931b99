"""The parsed texts that answers to a question are graded by.

They are prepared once, because parsing all phrasings takes longer than grading an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from bot.interviews.grading.opposites import Sides, Statement
from bot.interviews.grading.weights import Weights, weigh
from bot.interviews.grading.words import Sentence, Word, parse_sentences, stems
from bot.questions.model import Bank, Misconception, Topic

Phrasing = Sequence[Word]
MIN_WORDS = 3


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
        question_stems = stems(topic.question)
        wrong = [w for wrong in topic.misconceptions for w in _wrong_statements(wrong)]
        right: list[Phrasing] = [s.words for s in parse_sentences(topic.answer)]
        right += [words for of_point in phrasings for words in of_point]
        taught = [topic.answer, *(point.text for point in topic.key_points)]
        statements = [*right, *(one.words for one in wrong)]
        return cls(
            phrasings=phrasings,
            weights=weigh(vocabularies, question_stems, background),
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
        own = {stem for text in _texts(topic) for stem in stems(text)}
        topics_by_stem = dict(self.topics_by_stem)
        topics_by_stem |= {stem: {topic.id, *topics_by_stem.get(stem, ())} for stem in own}
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


class Rubrics:
    """The rubrics of a bank's topics, each built when its first answer is graded.

    The first one counts the words of the whole bank, by `count`.
    """

    def __init__(
        self, bank: Bank, count: Callable[[Mapping[str, Sequence[str]]], BankWords] = count_words
    ) -> None:
        self._bank = bank
        self._count = count
        self._rubrics: dict[str, Rubric] = {}

    def for_topic(self, topic: Topic) -> Rubric:
        """Return the rubric of a topic of the bank."""
        if topic.id not in self._rubrics:
            self._rubrics[topic.id] = self.build(topic)
        return self._rubrics[topic.id]

    def build(self, topic: Topic) -> Rubric:
        """Build a rubric without caching it, for a question that is rarely asked."""
        return Rubric.from_topic(topic, self.words.topics_by_stem, self.words.background)

    @cached_property
    def words(self) -> BankWords:
        """The words of the whole bank."""
        return self._count({topic.id: _texts(topic) for topic in self._bank.topics.values()})


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


def _texts(topic: Topic) -> list[str]:
    worded = (text for point in topic.key_points for text in (point.text, *point.accept))
    return [topic.question, topic.answer, *worded]
