"""The parsed texts that answers to a question are graded by.

They are prepared once, because parsing all phrasings takes longer than grading an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from bot.interviews.grading.weights import Weights, weigh
from bot.interviews.grading.words import Sentence, Word, parse_sentences, stems
from bot.questions.model import Bank, Misconception, Topic

NO_WEIGHTS = Weights()
Phrasing = Sequence[Word]
MIN_WORDS = 3


@dataclass(frozen=True, slots=True)
class WrongStatement:
    """One way to state a misconception, and the index of the point that it contradicts."""

    text: str
    words: Phrasing
    why: str
    point: int


@dataclass(frozen=True, slots=True)
class Rubric:
    """The parsed texts of a question.

    `phrasings` are the content words of each way to say each key point, `weights` the weights of
    their stems, and `max_sentences` the number of sentences in the longest phrasing. `taught_stems`
    are those of question, key points and model answer. `topics_by_stem` and `background` describe
    the bank. `wrong_statements` are the ways to state a misconception and `right_statements` all
    correct sentences; in `statement_weights`, unlike in `weights`, words of the question are not
    discounted.
    """

    phrasings: Sequence[Sequence[Phrasing]]
    weights: Mapping[str, float]
    max_sentences: int
    question_stems: frozenset[str]
    taught_stems: frozenset[str]
    topic: str = ""
    topics_by_stem: Mapping[str, Collection[str]] = field(default_factory=dict)
    background: Weights = NO_WEIGHTS
    wrong_statements: Sequence[WrongStatement] = ()
    right_statements: Sequence[Phrasing] = ()
    statement_weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_topic(
        cls,
        topic: Topic,
        topics_by_stem: Mapping[str, Collection[str]] = MappingProxyType({}),
        background: Weights = NO_WEIGHTS,
    ) -> Rubric:
        """Parse a question's key points. Without a bank, only their own words are weighed."""
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
        )


@dataclass(frozen=True, slots=True)
class BankWords:
    """The words of a bank, shared by all rubrics: the topics of each stem, and its frequency."""

    topics_by_stem: Mapping[str, Collection[str]]
    background: Weights

    def rubric_for_other_topic(self, topic: Topic) -> Rubric:
        """Return the rubric of a topic that is not in the bank."""
        own = {stem for text in _texts(topic) for stem in stems(text)}
        topics_by_stem = dict(self.topics_by_stem)
        topics_by_stem |= {stem: {topic.id, *topics_by_stem.get(stem, ())} for stem in own}
        return Rubric.from_topic(topic, topics_by_stem, self.background)


class Rubrics:
    """The rubrics of a bank's topics, each built when its first answer is graded.

    Counting the words of the whole bank takes a second or more. `read_next` does it topic by topic,
    in one thread at a time; the first answer reads whatever is left.
    """

    def __init__(self, bank: Bank) -> None:
        self._unread = iter(bank.topics.values())
        self._texts = 0
        self._counts: Counter[str] = Counter()
        self._topics_by_stem: dict[str, set[str]] = {}
        self._rubrics: dict[str, Rubric] = {}

    def read_next(self) -> bool:
        """Read one more topic of the bank; False if all have been read."""
        topic = next(self._unread, None)
        if topic is None:
            return False
        for text in _texts(topic):
            found = stems(text)
            self._texts += 1
            self._counts.update(found)
            for stem in found:
                self._topics_by_stem.setdefault(stem, set()).add(topic.id)
        return True

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
        """The words of the whole bank; reads the topics that have not been read yet."""
        while self.read_next():
            pass
        return BankWords(self._topics_by_stem, Weights(self._texts, self._counts))


def _wrong_statements(misconception: Misconception) -> list[WrongStatement]:
    """Return the ways to state a misconception that have too many words to occur by chance."""
    statements = []
    for text in (misconception.text, *misconception.accept):
        words = _words(parse_sentences(text))
        if len({word.stem for word in words}) >= MIN_WORDS:
            point = misconception.point - 1
            statements.append(WrongStatement(text, words, misconception.why, point))
    return statements


def _words(sentences: Sequence[Sentence]) -> list[Word]:
    return [word for sentence in sentences for word in sentence.words]


def _texts(topic: Topic) -> list[str]:
    worded = (text for point in topic.key_points for text in (point.text, *point.accept))
    return [topic.question, topic.answer, *worded]
