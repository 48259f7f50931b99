"""Challenges: starting them, when they are due, and reading one's answers afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answers import store as answers_store
from bot.answers.model import Answer
from bot.answers.store import CHALLENGE
from bot.challenges import rules, store
from bot.challenges.model import (
    Challenge,
    ChallengeOptions,
    ChallengeOutcome,
    ChallengeQuestion,
    ChallengeState,
    ChallengeSummary,
    Invitation,
    LastAnswer,
    NewChallenge,
    Person,
    RunResult,
    ShownQuestion,
)
from bot.challenges.rules import REVEALED
from bot.chat.text import message_link, when
from bot.core import member_hashes
from bot.core.clicks import Click
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import CHALLENGE_PINGS, CHALLENGES_OPEN
from bot.core.personal import NOBODY
from bot.core.unstored import Notify
from bot.games.model import GameQuestion, Starter
from bot.games.rules import seconds_for
from bot.games.service import GameService
from bot.members.store import MAX_NAME, names_of, set_names
from bot.questions.bank import still_there
from bot.questions.model import Bank, Item

_GONE = "That challenge is gone. Start a new one with </challenge>."
PRESS_SKIP = "Press Skip to go on."
_A_DAY = timedelta(days=1)


class TooMany(UserError):
    """Refuses another challenge because of the open ones with these ids."""

    def __init__(self, sentence: str, open_ids: Sequence[int]) -> None:
        super().__init__(sentence)
        self.open_ids = tuple(open_ids)


class Challenges(GameService):
    """The use cases of challenges, except those of their players (`bot.challenges.players`)."""

    source = CHALLENGE

    async def start(
        self,
        starter: Starter,
        options: ChallengeOptions,
        member: Person | None = None,
        notify: Notify | None = None,
    ) -> NewChallenge:
        """Start a challenge; refuse a member's second one.

        If too many are open, their cards are edited soon: one whose card was deleted closes, which
        makes room.
        """

        def create(conn: Connection, bank: Bank, drawn: Sequence[Item]) -> NewChallenge:
            return self._create(conn, starter, options, member, drawn)

        now = self._now()
        try:
            return await self._start(starter, options, notify, now, create)
        except TooMany as refused:
            soon = now + rules.BETWEEN_EDITS
            await self._database.write(store.recount, refused.open_ids, soon)
            self._scheduler.nudge(soon)
            raise

    def _create(
        self,
        conn: Connection,
        starter: Starter,
        options: ChallengeOptions,
        member: Person | None,
        drawn: Sequence[Item],
    ) -> NewChallenge:
        _save_names(conn, starter, member)
        now = self._now()
        closes_at = now + timedelta(hours=options.hours)
        pings = (
            member is not None
            and store.pings(conn, starter.user_id, member.id, now - _A_DAY) < CHALLENGE_PINGS
        )
        challenge_id = store.create(
            conn,
            starter,
            options,
            [(item.id, seconds_for(item)) for item in drawn],
            member_id=member.id if member else None,
            pings=pings,
            now=now,
            closes_at=closes_at,
        )
        return NewChallenge(
            id=challenge_id,
            questions=len(drawn),
            wanted=options.questions,
            closes_at=closes_at,
            member=member.name if member else None,
            pings=pings,
        )

    def _refuse_another(self, conn: Connection, starter: Starter) -> None:
        running = [c for c in store.running_on(conn, starter.guild_id) if c.state not in REVEALED]
        own = next((c for c in running if _is_started_by(conn, c, starter.user_id)), None)
        if own is not None:
            raise TooMany(
                f"You can have one challenge open on a server, and yours is here: {link(own)}. "
                f"Start another after {when(own.closes_at)}, when it closes.",
                [own.id],
            )
        if len(running) >= CHALLENGES_OPEN:
            first = min(c.closes_at for c in running)
            raise TooMany(
                f"This server has {len(running)} challenges open, as many as it can. "
                f"Take one of them, or come back when the first one closes {when(first)}.",
                [c.id for c in running],
            )

    @reading
    def rematch(
        self, conn: Connection, challenge_id: int, user_id: int, guild_id: int
    ) -> tuple[ChallengeOptions, Person]:
        """Return the options of a challenge between two members, and this member's opponent."""
        challenge = get_or_refuse(conn, challenge_id, guild_id)
        pair = {challenge.starter_id, challenge.member_id or 0}
        if user_id not in pair:
            raise UserError(
                "Only the two who played this can challenge back. Start one of your own with </challenge>."
            )
        other = (pair - {user_id}).pop()
        if not other:
            raise UserError(
                "I don't know who that was: their data was erased. Start a new one with </challenge>."
            )
        options = ChallengeOptions(
            challenge.wanted, challenge.topic_id, challenge.difficulty, challenge.hours
        )
        return options, Person(other, names_of(conn, guild_id, [other]).get(other))

    def _item_of(self, conn: Connection, click: Click) -> str | None:
        question, challenge, *_ = shown_or_refuse(conn, click.question_id, click.user_id)
        return question.item_id if challenge.guild_id == click.guild_id else None

    def _question(self, conn: Connection, click: Click) -> tuple[int, GameQuestion]:
        question, challenge, shown, _ = shown_or_refuse(conn, click.question_id, click.user_id)
        _refuse_secret(challenge)
        return challenge.guild_id, GameQuestion(question.id, question.item_id, shown.choice_order)

    def _questions(
        self, conn: Connection, game_id: int, user_id: int
    ) -> tuple[int, Sequence[GameQuestion]]:
        challenge = store.get(conn, game_id)
        if challenge is None:
            raise UserError(_GONE)
        _refuse_secret(challenge)
        asked = _questions_shown(conn, game_id, user_id)
        if not asked:
            raise UserError(
                "You didn't take this challenge. Start one of your own with </challenge>."
            )
        return challenge.guild_id, asked

    @reading
    def finished(self, conn: Connection, challenge_id: int, user_id: int) -> RunResult | None:
        """Return the result of a player who has finished a challenge that isn't closed."""
        challenge = store.get(conn, challenge_id)
        player = store.player(conn, challenge_id, user_id)
        if challenge is None or player is None or challenge.state in REVEALED:
            return None
        done = player.finished_at is not None and player.finished_at <= self._now()
        return self.run_result(conn, challenge, user_id) if done else None

    def run_result(
        self, conn: Connection, challenge: Challenge, user_id: int, said: LastAnswer | None = None
    ) -> RunResult:
        """Return how a player did who has finished; all of it once both of two have.

        An answer of the other one that was given in time may still be on its way.
        """
        named = challenge.member_id is not None
        other = challenge.starter_id if user_id == challenge.member_id else challenge.member_id or 0
        theirs = None
        counted_at = self._now() - self.grace()
        if named and other in store.finishers(conn, challenge.id, counted_at, 2):
            asked = [q.id for q in store.questions_of(conn, challenge.id)]
            found = answers_store.results_of(conn, CHALLENGE, asked, [other])
            theirs = sum(result.correct for result in found)
        seen = _questions_shown(conn, challenge.id, user_id)
        return RunResult(
            challenge_id=challenge.id,
            user_id=user_id,
            given=tuple(self._answered(conn, challenge.guild_id, seen, user_id)),
            total=challenge.total,
            named=named,
            other=names_of(conn, challenge.guild_id, [other]).get(other) if named else None,
            closes_at=challenge.closes_at,
            card=link(challenge),
            theirs=theirs,
            said=said,
        )

    @reading
    def news(
        self, conn: Connection, guild_id: int, user_id: int
    ) -> tuple[list[Invitation | ChallengeOutcome], list[int]]:
        """Return what a member is to be told on a server, and the challenges that it is about."""
        found: list[Invitation | ChallengeOutcome | None] = []
        about = []
        for challenge in store.with_news(conn, user_id, guild_id):
            if challenge.state in REVEALED:
                found.append(self._outcome(conn, challenge, user_id))
            elif challenge.state is ChallengeState.OPEN and not store.player(
                conn, challenge.id, user_id
            ):
                found.append(
                    Invitation(challenge.id, self.described(conn, challenge), link(challenge))
                )
            else:
                continue
            about.append(challenge.id)
        return [each for each in found if each is not None], about

    async def told(self, challenge_ids: Sequence[int], user_id: int) -> None:
        """Store that a member has read the news of some challenges; of one begun since, more come."""

        def forget(conn: Connection) -> None:
            runs = {key: store.player(conn, key, user_id) for key in challenge_ids}
            read = [key for key, run in runs.items() if run is None or run.guild_id is None]
            store.delete_news(conn, read, user_id)

        await self._database.write(forget)

    def _outcome(
        self, conn: Connection, challenge: Challenge, user_id: int
    ) -> ChallengeOutcome | None:
        """Return how a closed challenge ended for a player, None if there is nobody to compare."""
        asked = [q.id for q in store.questions_of(conn, challenge.id)]
        ranked = {
            tally.user_id: (place, tally)
            for place, tally in answers_store.standings(conn, CHALLENGE, asked)
        }
        own = ranked.pop(user_id, None)
        if own is None or not ranked:
            return None
        named = challenge.member_id is not None
        [(other, (_, theirs)), *_] = ranked.items()
        return ChallengeOutcome(
            challenge_id=challenge.id,
            named=named,
            other=names_of(conn, challenge.guild_id, [other]).get(other),
            right=own[1].right,
            theirs=theirs.right,
            place=own[0],
            players=len(ranked) + 1,
            card=link(challenge),
        )

    def described(self, conn: Connection, challenge: Challenge) -> ChallengeSummary:
        """Return the facts that every card of a challenge shows."""
        bank = self._banks.of(conn, challenge.guild_id)
        topic = bank.topics.get(challenge.topic_id or "")
        pair = [challenge.starter_id, challenge.member_id or 0]
        names = names_of(conn, challenge.guild_id, pair)
        asked = store.questions_of(conn, challenge.id)
        times = [q.seconds for q in asked]
        return ChallengeSummary(
            starter=names.get(challenge.starter_id),
            named=challenge.member_id is not None,
            member=names.get(challenge.member_id or 0),
            questions=challenge.total,
            topic=topic.title if topic else None,
            levels=tuple(bank.items[q.item_id].level for q in asked if q.item_id in bank.items),
            seconds=(min(times), max(times)),
            closes_at=challenge.closes_at,
        )

    def opened(self, conn: Connection, challenge: Challenge, message_id: int) -> None:
        """Open a challenge whose card was posted, unless a click or another process has.

        Words that mention the member become the card at once.
        """
        due = self._now() if challenge.pings else challenge.closes_at + self.grace()
        values = {"state": ChallengeState.OPEN, "message_id": message_id, "due_at": due}
        store.change(conn, challenge.id, expect=ChallengeState.POSTING, **values)

    def due_at(self, challenge: Challenge, next_finish: datetime | None) -> datetime:
        """Return when an open challenge is due: to show the next finish on its card, or to close.

        A finish of a challenge for a named member is shown at once: there are only two, and the
        second one closes it.
        """
        at = challenge.closes_at
        if next_finish is not None:
            named = challenge.member_id is not None
            at = min(at, next_finish if named else next_finish + rules.BETWEEN_EDITS)
        return at + self.grace()

    def item(self, conn: Connection, challenge: Challenge, question: ChallengeQuestion) -> Item:
        """Return the item of a question; refuse if it has left the bank."""
        return still_there(
            self._banks.of(conn, challenge.guild_id).items.get(question.item_id), PRESS_SKIP
        )


def _questions_shown(conn: Connection, challenge_id: int, user_id: int) -> list[GameQuestion]:
    """Return the questions of a challenge that a player was shown."""
    seen = store.all_shown_to(conn, challenge_id, user_id)
    return [
        GameQuestion(q.id, q.item_id, seen[q.id].choice_order)
        for q in store.questions_of(conn, challenge_id)
        if q.id in seen
    ]


def link(challenge: Challenge) -> str:
    """Return the link to a challenge's card."""
    return message_link(challenge.guild_id, challenge.channel_id, challenge.message_id)


def _save_names(conn: Connection, starter: Starter, member: Person | None) -> None:
    """Store names for the card, because a member may never have used the bot."""
    names = {starter.user_id: starter.name} | ({member.id: member.name} if member else {})
    known = {
        (starter.guild_id, user_id): name.replace("\x00", "")[:MAX_NAME]
        for user_id, name in names.items()
        if name
    }
    if known:
        set_names(conn, known)


def get_or_refuse(
    conn: Connection, challenge_id: int, guild_id: int | None, *, lock: bool = False
) -> Challenge:
    """Return a challenge of a server; refuses any other id."""
    challenge = store.get(conn, challenge_id, lock=lock)
    if challenge is None or challenge.guild_id != guild_id:
        raise UserError(_GONE)
    return challenge


def shown_or_refuse(
    conn: Connection, question_id: int, user_id: int, guild_id: int | None = None
) -> tuple[ChallengeQuestion, Challenge, ShownQuestion, Answer | None]:
    """Return a question that a player was shown, its challenge, what was shown, and the answer.

    Refuses any other question. With `guild_id` the challenge is locked.
    """
    question = store.question(conn, question_id)
    challenge = (
        store.get(conn, question.challenge_id, lock=guild_id is not None) if question else None
    )
    shown = store.shown_to(conn, question_id, user_id)
    if (
        question is None
        or challenge is None
        or shown is None
        or guild_id not in {None, challenge.guild_id}
    ):
        raise UserError(
            "That question isn't one of yours. Press Take it on a challenge's card to get your own."
        )
    given = answers_store.get(conn, CHALLENGE, question_id, user_id)
    return question, challenge, shown, given


def _is_started_by(conn: Connection, challenge: Challenge, user_id: int) -> bool:
    """Whether a member started a challenge, also if they have erased that."""
    if challenge.starter_id != NOBODY:
        return challenge.starter_id == user_id
    return member_hashes.has_hash_of(conn, store.STARTED, challenge.id, user_id)


def _refuse_secret(challenge: Challenge) -> None:
    if challenge.state not in REVEALED:
        raise UserError(
            "Answers stay secret while a challenge is open. "
            f"Press this again once it closes, {when(challenge.closes_at)} at the latest."
        )
