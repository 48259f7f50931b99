"""The messages of pairs: nothing leaks, everything fits, and members' names can't format them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bot.chat.messages import Message, PlainMessage, text_of
from bot.chat.sender import _identifying_marks
from bot.chat.text import MAX_MESSAGE
from bot.pairs import views
from bot.pairs.cards import AskerCard, PairMessage, PairStatus, Status
from bot.pairs.rules import Ending, MessageKind, PairState
from bot.questions.model import FollowUp, KeyPoint, Topic
from tests.shipped import bank

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
BANK = bank()
TOPICS = list(BANK.open_topics.values())
HOSTILE = "*_`[x](http://evil)` @everyone </quiz>"


def card(kind: MessageKind, **changes: object) -> PairMessage:
    one = PairMessage(
        message_id=7,
        kind=kind,
        pair_id=3,
        names=("Ada", "Blaise"),
        starts_at=NOW,
        now=True,
        partner="Blaise",
        thread="https://discord.com/channels/1/2",
        number=1,
        asker="Ada",
        answerer="Blaise",
        topic=TOPICS[0],
        section="Section",
        ticks=frozenset({0}),
        answered=1,
        looks_until=NOW,
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def words(message: Message | PlainMessage) -> str:
    return message.content if isinstance(message, PlainMessage) else text_of(message)


def longest_topic() -> Topic:
    """A topic as long as a server's own may be."""
    return replace(
        TOPICS[0],
        question="Why is *this* so? " * 30,
        answer="*a* [b] _c_ " * 240 + "end.",
        key_points=tuple(KeyPoint(f"{n} " + "A *point* of it " * 15, ()) for n in range(6)),
        follow_ups=tuple(
            FollowUp("weak", "And *what* if not? " * 15, "Then *this* holds. " * 25)
            for _ in range(9)
        ),
    )


@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize("asks", [None, True, False])
def test_no_key_point_is_shown_before_the_ticks(kind: MessageKind, asks: bool | None) -> None:
    """Only the ticks and the model answer show what a good answer says."""
    for topic in TOPICS[:20]:
        shown = words(views.message(card(kind, topic=topic, asks=asks))).replace("\\", "")
        leaks = [point.text for point in topic.key_points if point.text in shown]
        assert bool(leaks) == (kind is MessageKind.RESULT)
        assert (topic.answer[:30] in shown) == (kind is MessageKind.MODEL)


@pytest.mark.parametrize("topic", [*TOPICS[:5], longest_topic()], ids=lambda topic: topic.id)
def test_everything_fits_and_nothing_is_cut(topic: Topic) -> None:
    """Each message is within Discord's limit, and what doesn't fit has a page of its own."""
    for kind in MessageKind:
        assert len(words(views.message(card(kind, topic=topic)))) <= MAX_MESSAGE
    asker = AskerCard(3, 1, "Blaise", topic, frozenset({1}), shown=False)
    pages = [words(views.asker_card(asker, page)) for page in range(6)]
    assert all(len(page) <= MAX_MESSAGE for page in pages)
    shown = "".join(pages).replace("\\", "")
    for point in topic.key_points:
        assert " ".join(point.text.split()) in shown
    for follow_up in topic.follow_ups:
        assert " ".join(follow_up.question.split())[:60] in shown
    answer = [words(views.message(card(MessageKind.MODEL, topic=topic)))]
    answer += [words(views.model_page(topic, 3, 1, page)) for page in range(1, 4)]
    assert all(len(page) <= MAX_MESSAGE for page in answer)
    assert topic.answer.split()[-1] in answer[-1].replace("\\", "")


@pytest.mark.parametrize("kind", list(MessageKind))
def test_names_cannot_format_a_message(kind: MessageKind) -> None:
    """A name with markdown, a link and a mention is shown as it was typed, however the pair ended."""
    names = {"partner": HOSTILE, "asker": HOSTILE, "answerer": HOSTILE, "names": (HOSTILE, HOSTILE)}
    for ending in Ending:
        shown = words(views.message(card(kind, ending=ending, **names)))
        assert "[x](" not in shown
        assert "http://" not in shown
        assert shown.count("</") == shown.count("</pair>") + shown.count("\\</")


@pytest.mark.parametrize("state", list(PairState))
def test_a_status_has_the_buttons_of_its_state(state: PairState) -> None:
    """Whoever uses /pair again can do what comes next."""
    pair = PairStatus(3, state, "Blaise", (), NOW, now=False, ready=False, number=1)
    shown = text_of(views.status(Status(None, "any", "UTC", NOW, pair=pair)))
    buttons = {
        PairState.PROPOSED: ["( Accept )", "( Decline )", "( Stop looking )"],
        PairState.AGREED: ["( Can't make it )"],
        PairState.GATHERING: ["( I'm here )", "( End )"],
        PairState.ASKING: ["( My card )", "( End )"],
    }
    for button in buttons.get(state, []):
        assert button in shown
    asks = "Question 1 of 4: you ask. Press **My card** for the question."
    assert (asks in shown) == (state in {PairState.GATHERING, PairState.ASKING, PairState.ENDED})


def test_an_exchanged_question_says_why() -> None:
    """The first page, which has the question, is shown whatever page the asker turned to."""
    one = AskerCard(3, 1, "Blaise", TOPICS[0], frozenset(), shown=False)
    why = "-# The question before is a question of the day now, so ask this one."
    assert why not in text_of(views.asker_card(one))
    new = replace(one, exchanged=True)
    assert why in text_of(views.asker_card(new))
    assert text_of(views.asker_card(new, 1)) == text_of(views.asker_card(new))
    assert text_of(views.asker_card(one, 1)) != text_of(views.asker_card(one))


def test_each_message_is_told_from_the_others_of_its_pair() -> None:
    """After a crash, the search for one must not find another one with the same buttons."""
    kinds = set(MessageKind) - {
        MessageKind.STOPPED,
        MessageKind.EXPIRED,
    }  # each is the last one of a search
    shown = [views.message(card(kind, message_id=n)) for n, kind in enumerate(kinds)]
    marks = [_identifying_marks(each.content, each.children) for each in shown]
    assert all(marks)
    assert sum(map(len, marks)) == len(set.union(*marks))


def test_a_proposal_says_until_when_to_answer() -> None:
    """Whoever doesn't answer in time is looking no longer, so they have to know."""
    at = int(NOW.timestamp())
    assert f"Answer by <t:{at}:f>." in words(
        views.message(card(MessageKind.PROPOSED, answer_by=NOW))
    )
    pair = PairStatus(3, PairState.PROPOSED, "B", (), NOW, now=True, ready=False, answer_by=NOW)
    status = views.status(Status(None, "any", "UTC", NOW, pair=pair))
    assert f"Answer by <t:{at}:f>." in text_of(status)


def test_a_search_that_ends_with_its_pair_says_why() -> None:
    """Somebody did fit, so it must not say that nobody did."""
    shown = words(views.message(card(MessageKind.EXPIRED, ending=Ending.ABSENT)))
    assert shown.startswith("**Blaise** didn't come. The 48 hours of your search are over too.")
    assert "nobody fitted" in words(views.message(card(MessageKind.EXPIRED)))


def test_a_search_names_hours_and_zone() -> None:
    evening = text_of(views.status(Status("Attention", "evenings", "Europe/Berlin", NOW)))
    assert "Attention · evenings (Europe/Berlin)" in evening
    assert "/remind" not in evening
    assert "Is that not your time zone?" in text_of(
        views.status(Status(None, "evenings", "UTC", NOW))
    )
    problem = "I can't open private threads in <#1>: I need Create Private Threads there."
    shown = text_of(views.status(Status(None, "any", "UTC", NOW), problem))
    assert f"{problem} Your interview will run in direct messages." in shown


def test_the_model_answer_has_only_its_own_pages() -> None:
    """A short answer has no button for more."""
    assert "Read on" not in words(views.message(card(MessageKind.MODEL)))
    assert "( Read on )" in words(views.message(card(MessageKind.MODEL, topic=longest_topic())))
