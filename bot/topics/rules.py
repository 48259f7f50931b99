"""The pages of the list of topics."""

from __future__ import annotations

from itertools import pairwise

from bot.questions.model import Bank, Topic

_TOPICS_A_PAGE = 8


def topic_pages(bank: Bank) -> list[tuple[Topic, ...]]:
    """Split a bank's topics into pages of one section each, of about the same length."""
    pages = []
    for section in bank.sections:
        number = -(-len(section.topics) // _TOPICS_A_PAGE)
        cuts = [-(-len(section.topics) * n // number) for n in range(number + 1)]
        pages += [section.topics[start:end] for start, end in pairwise(cuts)]
    return pages


def page_of_topic(bank: Bank, topic_id: str) -> int:
    """Return the number of the page that lists a topic, from 0; 0 for an unknown topic."""
    return next(
        (n for n, page in enumerate(topic_pages(bank)) if any(t.id == topic_id for t in page)), 0
    )
