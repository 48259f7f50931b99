"""What answers to one question are graded by, prepared once: reading all phrasings takes longer than grading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from bot.interviews.grading.weights import Weights, weigh
from bot.interviews.grading.words import Word, read, stems
from bot.questions.model import Bank, Misconception, Topic

NO_WEIGHTS = Weights()
Phrasing = Sequence[Word]
ENOUGH_WORDS = 3


@dataclass(frozen=True, slots=True)
class Wrong:
    """One way to say a misconception, what is right instead, and the index of the key point that it contradicts."""

    text: str
    words: Phrasing
    why: str
    point: int


@dataclass(frozen=True, slots=True)
class Rubric:
    """`phrasings` are the content words of each way to say each key point, `weights` what their stems tell.

    `asked` are the stems of the question, `taught` those of question, points and model answer. Of the bank: the
    question's `topic`, the `topics` that a stem stands in, and how often words stand in its texts (`background`).
    `wrong` are the ways to say a misconception, `right` all right statements, `told` what the stems of both tell: here
    the question's words count in full.
    """

    asked: frozenset[str]
    phrasings: Sequence[Sequence[Phrasing]]
    weights: Mapping[str, float]
    longest: int
    taught: frozenset[str]
    topic: str = ""
    topics: Mapping[str, Collection[str]] = field(default_factory=dict)
    background: Weights = NO_WEIGHTS
    wrong: Sequence[Wrong] = ()
    right: Sequence[Phrasing] = ()
    told: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        topic: Topic,
        topics: Mapping[str, Collection[str]] = MappingProxyType({}),
        background: Weights = NO_WEIGHTS,
    ) -> Rubric:
        """Read a question's key points. Without a bank only question and points are counted."""
        read_points = [
            [read(text) for text in (point.text, *point.accept)] for point in topic.key_points
        ]
        worded = [
            [[w for s in sentences for w in s.words] for sentences in point]
            for point in read_points
        ]
        phrasings = [[words for words in point if words] for point in worded]
        vocabularies = [
            frozenset(word.stem for words in own for word in words) for own in phrasings
        ]
        asked = stems(topic.question)
        wrong = [one for misconception in topic.misconceptions for one in _wrong(misconception)]
        right = [sentence.words for sentence in read(topic.answer)] + [
            words for own in phrasings for words in own
        ]
        return cls(
            asked,
            phrasings,
            weigh(vocabularies, asked, background),
            max((len(sentences) for point in read_points for sentences in point), default=1),
            asked.union(stems(topic.answer), *(stems(point.text) for point in topic.key_points)),
            topic.id,
            topics,
            background,
            wrong,
            right,
            {
                word.stem: background.rarity(word.stem)
                for words in (*right, *(one.words for one in wrong))
                for word in words
            },
        )


@dataclass(frozen=True, slots=True)
class BankWords:
    """What the rubrics of all topics share: the topics of a bank that each stem stands in, and how often it does."""

    topics: Mapping[str, Collection[str]]
    background: Weights

    def rubric_beside(self, topic: Topic) -> Rubric:
        """Return the rubric of a topic that is not in the bank."""
        own = {stem for text in _texts(topic) for stem in stems(text)}
        topics = dict(self.topics) | {stem: {topic.id, *self.topics.get(stem, ())} for stem in own}
        return Rubric.of(topic, topics, self.background)


class Rubrics:
    """The rubrics of a bank's topics, each prepared when its first answer comes.

    What they share, how often words stand in the bank, takes a second or more to read. `read_next` reads it in small
    steps, one thread at a time; what is not read by then is read with the first answer.
    """

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._unread = iter(bank.topics.values())
        self._texts = 0
        self._counts: Counter[str] = Counter()
        self._topics: dict[str, set[str]] = {}
        self._made: dict[str, Rubric] = {}

    def read_next(self) -> bool:
        """Read another topic of the bank; False once all are read."""
        topic = next(self._unread, None)
        if topic is None:
            return False
        for text in _texts(topic):
            found = stems(text)
            self._texts += 1
            self._counts.update(found)
            for stem in found:
                self._topics.setdefault(stem, set()).add(topic.id)
        return True

    def of(self, topic: Topic) -> Rubric:
        """The rubric of a topic of the bank."""
        if topic.id not in self._made:
            self._made[topic.id] = self.passing(topic)
        return self._made[topic.id]

    def passing(self, topic: Topic) -> Rubric:
        """A rubric for a question that is asked too seldom to keep it: it is made each time."""
        return Rubric.of(topic, self.words.topics, self.words.background)

    @cached_property
    def words(self) -> BankWords:
        """Return the words of the whole bank; reads the topics that are not read yet."""
        while self.read_next():
            pass
        return BankWords(self._topics, Weights(self._texts, self._counts))


def _wrong(misconception: Misconception) -> list[Wrong]:
    """The ways to say a misconception that have words enough not to be said by chance."""
    found = []
    for text in (misconception.text, *misconception.accept):
        worded = [word for sentence in read(text) for word in sentence.words]
        if len({word.stem for word in worded}) >= ENOUGH_WORDS:
            found.append(Wrong(text, worded, misconception.why, misconception.point - 1))
    return found


def _texts(topic: Topic) -> list[str]:
    worded = (text for point in topic.key_points for text in (point.text, *point.accept))
    return [topic.question, topic.answer, *worded]
